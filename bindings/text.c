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

static void put_string(struct buf *out, const char *text)
{
	buf_put(out, text, strlen(text));
}

static void put_code(utf8proc_int32_t c, enum text_style style, struct buf *out)
{
	char code[16];
	unsigned number = (unsigned)c;
	if (style != TEXT_JSON)
		snprintf(code, sizeof code, "<U+%04X>", number);
	else if (number <= 0xffff)
		snprintf(code, sizeof code, "\\u%04x", number);
	else
		snprintf(code, sizeof code, "\\u%04x\\u%04x", 0xd800 + ((number - 0x10000) >> 10),
			 0xdc00 + (number & 0x3ff));
	put_string(out, code);
}

void text_escape(struct span text, enum text_style style, struct buf *out)
{
	for (size_t at = 0; at < text.len;) {
		utf8proc_int32_t c;
		utf8proc_ssize_t n = utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.len - at), &c);
		if (n <= 0) {
			char code[8];
			snprintf(code, sizeof code, "<%02X>", text.data[at]);
			put_string(out, code);
			at++;
			continue;
		}
		if (style == TEXT_LINES && c == '\n')
			put_string(out, "\n");
		else if (style == TEXT_LINES && c == '\t')
			put_string(out, "    ");
		else if (is_harmless(c))
			buf_put(out, text.data + at, (size_t)n);
		else
			put_code(c, style, out);
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
