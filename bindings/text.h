// SPDX-License-Identifier: GPL-3.0-or-later
// Foreign text on a terminal: made harmless, and measured (libutf8proc).
#ifndef SOTTO_BINDINGS_TEXT_H
#define SOTTO_BINDINGS_TEXT_H

#include "base/buf.h"

// Control, format, private, unassigned and line-separating characters (Cc Cf Co Cn Cs Zl Zp) become "<U+200E>", bytes that are no
// UTF-8 "<80>". With `lines` a newline stays, and a tab becomes four spaces. out has room for 10 bytes for each of text's.
void text_escape(struct span text, bool lines, struct buf *out);

// Columns that the text takes on a terminal.
size_t text_width(struct span text);

#endif
