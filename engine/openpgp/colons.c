// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/colons.h"

#include <stdlib.h>
#include <string.h>

static struct span next_part(struct span *rest, char end)
{
	const uint8_t *stop = rest->len ? memchr(rest->data, end, rest->len) : NULL;
	size_t len = stop ? (size_t)(stop - rest->data) : rest->len;
	struct span part = span(rest->data, len);
	size_t used = stop ? len + 1 : len;
	*rest = span(rest->data + used, rest->len - used);
	return part;
}

void colons_read(struct span *text, struct colons *out)
{
	struct span line = next_part(text, '\n');
	for (size_t i = 0; i < COLONS_FIELDS; i++)
		out->fields[i] = next_part(&line, ':');
}

bool colons_is(struct span field, const char *text)
{
	return span_equal(field, span_string(text));
}

bool colons_has(struct span field, char letter)
{
	return field.len && memchr(field.data, letter, field.len);
}

int64_t colons_number(struct span field)
{
	char text[24];
	if (field.len == 0 || field.len >= sizeof text)
		return 0;
	memcpy(text, field.data, field.len);
	text[field.len] = 0;
	return strtoll(text, NULL, 10);
}
