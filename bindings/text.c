// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/text.h"

#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

static bool is_harmless(utf8proc_int32_t c)
{
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return false;
	default:
		return true;
	}
}

void text_escape(struct span text, bool lines, struct buf *out)
{
	for (size_t at = 0; at < text.len;) {
		char code[16];
		utf8proc_int32_t c;
		utf8proc_ssize_t n = utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.len - at), &c);
		if (n <= 0) {
			snprintf(code, sizeof code, "<%02X>", text.data[at]);
			buf_put(out, code, strlen(code));
			at++;
			continue;
		}
		if (lines && c == '\n') {
			buf_put(out, "\n", 1);
		} else if (lines && c == '\t') {
			buf_put(out, "    ", 4);
		} else if (is_harmless(c)) {
			buf_put(out, text.data + at, (size_t)n);
		} else {
			snprintf(code, sizeof code, "<U+%04X>", (unsigned)c);
			buf_put(out, code, strlen(code));
		}
		at += (size_t)n;
	}
}

size_t text_width(struct span text)
{
	size_t width = 0;
	for (size_t at = 0; at < text.len;) {
		utf8proc_int32_t c;
		utf8proc_ssize_t n = utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.len - at), &c);
		width += n > 0 ? (size_t)utf8proc_charwidth(c) : 4; // as text_escape shows it
		at += n > 0 ? (size_t)n : 1;
	}
	return width;
}
