// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/text.h"

#include <stdio.h>
#include <stdlib.h>
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

// Marks that are drawn upon the character before them.
static bool is_mark(utf8proc_int32_t c)
{
	utf8proc_category_t category = utf8proc_category(c);
	return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
}

// The length of a sequence that only sets colours, at the beginning of the text; 0: there is none.
static size_t colours_length(struct span text)
{
	size_t at = 2;
	if (text.len < 3 || text.data[0] != 0x1b || text.data[1] != '[')
		return 0;
	while (at < text.len && (text.data[at] == ';' || (text.data[at] >= '0' && text.data[at] <= '9')))
		at++;
	return at < text.len && text.data[at] == 'm' ? at + 1 : 0;
}

static struct span from(struct span text, size_t at)
{
	return span(text.data + at, text.len - at);
}

// --- harmless --------------------------------------------------------------------------------------------------------------------

static void put_string(struct buf *out, const char *text)
{
	buf_put(out, text, strlen(text));
}

static void put_byte(uint8_t byte, struct buf *out)
{
	char code[8];
	snprintf(code, sizeof code, "<%02X>", byte);
	put_string(out, code);
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

// *room: marks that the character before can still carry.
static void put_character(struct span character, utf8proc_int32_t c, enum text_style style, unsigned *room, struct buf *out)
{
	bool lines = style == TEXT_LINES || style == TEXT_STYLED;
	bool mark = is_mark(c);
	if (lines && c == '\n')
		put_string(out, "\n");
	else if (lines && c == '\t')
		put_string(out, "    ");
	else if (is_harmless(c) && !(mark && *room == 0))
		buf_put(out, character.data, character.len);
	else
		put_code(c, style, out);
	if (!mark)
		*room = c == '\n' ? 0 : TEXT_MARKS_MAX;
	else if (*room > 0)
		--*room;
}

void text_escape(struct span text, enum text_style style, struct buf *out)
{
	unsigned room = 0;
	for (size_t at = 0; at < text.len;) {
		utf8proc_int32_t c;
		size_t colours = style == TEXT_STYLED ? colours_length(from(text, at)) : 0;
		utf8proc_ssize_t n = utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.len - at), &c);
		if (colours > 0) {
			buf_put(out, text.data + at, colours);
			at += colours;
		} else if (n <= 0) {
			put_byte(text.data[at++], out);
			room = TEXT_MARKS_MAX;
		} else {
			put_character(span(text.data + at, (size_t)n), c, style, &room, out);
			at += (size_t)n;
		}
	}
}

// --- measured --------------------------------------------------------------------------------------------------------------------

// The next character or sequence: the bytes it takes, and its columns.
static size_t measure(struct span text, utf8proc_int32_t *c, size_t *columns)
{
	size_t colours = colours_length(text);
	*c = 0;
	*columns = 0;
	if (colours > 0)
		return colours;
	utf8proc_ssize_t n = utf8proc_iterate(text.data, (utf8proc_ssize_t)text.len, c);
	if (n <= 0) {
		*columns = 4; // as text_escape shows it
		return 1;
	}
	*columns = (size_t)utf8proc_charwidth(*c);
	return (size_t)n;
}

size_t text_width(struct span text)
{
	size_t width = 0, columns;
	utf8proc_int32_t c;
	for (size_t at = 0; at < text.len; width += columns)
		at += measure(from(text, at), &c, &columns);
	return width;
}

// Whether every terminal gives the character the same columns: alphabets, CJK, and the marks of our own lines.
static bool is_certain(utf8proc_int32_t c)
{
	static const struct {
		utf8proc_int32_t first, last;
	} known[] = {
		{0x0000, 0x02ff}, {0x0370, 0x03ff}, {0x0400, 0x0482}, {0x048a, 0x052f}, {0x1e00, 0x1fff}, {0x2010, 0x2026},
		{0x2500, 0x257f}, {0x2713, 0x2713}, {0x3001, 0x3029}, {0x3041, 0x3096}, {0x30a1, 0x30ff}, {0x3400, 0x4dbf},
		{0x4e00, 0x9fff}, {0xac00, 0xd7a3}, {0xff01, 0xff60},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (c >= known[i].first && c <= known[i].last)
			return true;
	return false;
}

struct cursor {
	size_t rows, column;
};

static void advance(struct cursor *cursor, size_t width, size_t columns)
{
	if (width > 0 && cursor->column + width > columns) {
		cursor->rows++;
		cursor->column = 0;
	}
	cursor->column += width;
}

void text_rows(struct span text, size_t columns, size_t *least, size_t *most)
{
	struct cursor low = {1, 0}, high = {1, 0};
	size_t width;
	utf8proc_int32_t c;
	for (size_t at = 0; at < text.len;) {
		at += measure(from(text, at), &c, &width);
		if (c == '\n' && at < text.len) {
			low = (struct cursor){low.rows + 1, 0};
			high = (struct cursor){high.rows + 1, 0};
			continue;
		}
		advance(&low, is_certain(c) ? width : 0, columns);
		advance(&high, is_certain(c) ? width : 2, columns);
	}
	*least = low.rows;
	*most = high.rows;
}

// --- compared --------------------------------------------------------------------------------------------------------------------

enum err text_fold(struct span text, struct buf *out)
{
	const utf8proc_option_t options =
		UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
	utf8proc_uint8_t *folded = NULL;
	utf8proc_ssize_t n = utf8proc_map(text.data, (utf8proc_ssize_t)text.len, &folded, options);
	if (n < 0)
		return ERR_BAD_INPUT;
	buf_put(out, folded, (size_t)n);
	free(folded);
	return OK;
}
