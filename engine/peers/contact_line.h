// SPDX-License-Identifier: GPL-3.0-or-later
// One line of a contact file: its grammar, both ways.
#ifndef SOTTO_PEERS_CONTACT_LINE_H
#define SOTTO_PEERS_CONTACT_LINE_H

#include "peers/contact_file.h"

// Plain text: UTF-8 without control characters (but tabs). On failure *wrong says what it is,
// static.
bool contact_line_is_text(struct span line, const char **wrong);

// A line that is not blank and no comment, of text as above and at most CONTACT_LINE_MAX bytes.
// *note is the span of it after '#', without outer spaces. ERR_BAD_PARAMS says what is wrong.
MUST_CHECK enum err contact_line_parse(struct span line, struct contact *out, struct span *note,
				       struct err_info *info);
// Appends the one form of it, without a newline. ERR_TOO_LARGE at out's cap.
MUST_CHECK enum err contact_line_print(const struct contact *c, struct buf *out);

#endif
