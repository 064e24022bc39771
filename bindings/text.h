// SPDX-License-Identifier: GPL-3.0-or-later
// Foreign text on a terminal: made harmless, and measured (libutf8proc).
#ifndef SOTTO_BINDINGS_TEXT_H
#define SOTTO_BINDINGS_TEXT_H

#include "base/buf.h"

// What becomes of control, format, private, unassigned, surrogate and line-separating characters (Cc Cf Cn Co Cs Zl Zp), and of
// bytes that are no UTF-8.
enum text_style {
	TEXT_LINE,  // "<U+200E>" and "<80>"
	TEXT_LINES, // likewise, but a newline stays, and a tab becomes four spaces
	TEXT_JSON,  // "\u200e", as inside a JSON text, which has no such character elsewhere
};

// Bytes that a byte of the text becomes at most.
#define TEXT_ESCAPE_MAX 10

// out has room for TEXT_ESCAPE_MAX bytes for each of text's.
void text_escape(struct span text, enum text_style style, struct buf *out);

// Columns that the text takes on a terminal, once it has no character left that text_escape would change.
size_t text_width(struct span text);

#endif
