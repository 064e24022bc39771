// SPDX-License-Identifier: GPL-3.0-or-later
// Foreign text on a terminal: made harmless, and measured (libutf8proc).
#ifndef SOTTO_BINDINGS_TEXT_H
#define SOTTO_BINDINGS_TEXT_H

#include "base/buf.h"

// What becomes of control, format, private, unassigned, surrogate and line-separating characters (Cc Cf Cn Co Cs Zl Zp), of
// combining marks that have nothing to stand on or are too many for it, and of bytes that are no UTF-8.
enum text_style {
	TEXT_LINE,   // "<U+200E>" and "<80>"
	TEXT_LINES,  // likewise, but a newline stays, and a tab becomes four spaces
	TEXT_STYLED, // as TEXT_LINES, but sequences that only set colours (ESC [ … m) stay: for what was made harmless part by part
	TEXT_JSON,   // "\u200e", as inside a JSON text, which has no such character elsewhere
};

// Bytes that a byte of the text becomes at most.
#define TEXT_ESCAPE_MAX 10

// Combining marks (Mn, Me) that one character may carry: enough for every script that people write, too few to reach other lines.
#define TEXT_MARKS_MAX 6

// out has room for TEXT_ESCAPE_MAX bytes for each of text's.
void text_escape(struct span text, enum text_style style, struct buf *out);

// Columns that the text takes on a terminal, once it has no character left that text_escape (TEXT_STYLED) would change.
size_t text_width(struct span text);

// Rows that such a text takes on a screen of so many columns. Terminals differ on some characters (emoji, what combines): *least
// and *most differ where that matters.
void text_rows(struct span text, size_t columns, size_t *least, size_t *most);

// NFKC casefold, by which names are compared: what differs by case, width, ligature or invisible characters becomes the same.
// ERR_BAD_INPUT for what is no UTF-8. out has room for TEXT_FOLD_MAX bytes for each of text's.
#define TEXT_FOLD_MAX 18
MUST_CHECK enum err text_fold(struct span text, struct buf *out);

#endif
