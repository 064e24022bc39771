// SPDX-License-Identifier: GPL-3.0-or-later
#include "pake/precis.h"

#include <utf8proc.h>

enum property { VALID, DISALLOWED, CONTEXT };

#define VIRAMA 9 // canonical combining class
#define ZERO_WIDTH_NON_JOINER 0x200c
#define ZERO_WIDTH_JOINER 0x200d

static bool between(int32_t c, int32_t first, int32_t last)
{
	return c >= first && c <= last;
}

// RFC 8264, 9.6, which is RFC 5892, 2.6. True where c is one, with its property.
static bool exception(int32_t c, enum property *out)
{
	switch (c) {
	case 0x00df:
	case 0x03c2:
	case 0x06fd:
	case 0x06fe:
	case 0x0f0b:
	case 0x3007:
		*out = VALID;
		return true;
	case 0x00b7:
	case 0x0375:
	case 0x05f3:
	case 0x05f4:
	case 0x30fb:
		*out = CONTEXT;
		return true;
	case 0x0640:
	case 0x07fa:
	case 0x302e:
	case 0x302f:
	case 0x303b:
		*out = DISALLOWED;
		return true;
	default:
		break;
	}
	*out = between(c, 0x3031, 0x3035) ? DISALLOWED : CONTEXT;
	return between(c, 0x3031, 0x3035) || between(c, 0x0660, 0x0669) || between(c, 0x06f0, 0x06f9);
}

static bool old_hangul(const utf8proc_property_t *p)
{
	return p->boundclass == UTF8PROC_BOUNDCLASS_L || p->boundclass == UTF8PROC_BOUNDCLASS_V ||
	       p->boundclass == UTF8PROC_BOUNDCLASS_T;
}

// RFC 8264, 8, in its order. HasCompat is left out: what has a compatibility mapping is a letter, mark,
// number, symbol, punctuation or space, and these are valid here anyway.
static enum property property_of(int32_t c)
{
	enum property found;
	if (exception(c, &found))
		return found;
	const utf8proc_property_t *p = utf8proc_get_property(c);
	if (p->category == UTF8PROC_CATEGORY_CN)
		return DISALLOWED;
	if (between(c, 0x21, 0x7e))
		return VALID;
	if (c == ZERO_WIDTH_NON_JOINER || c == ZERO_WIDTH_JOINER)
		return CONTEXT;
	if (old_hangul(p) || p->ignorable)
		return DISALLOWED;
	return between(p->category, UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_ZS) ? VALID : DISALLOWED;
}

static bool transparent(int32_t c)
{
	utf8proc_propval_t category = utf8proc_get_property(c)->category;
	return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
}

// RFC 5892, A.1: between two letters that would join, with marks between them and it.
static bool breaks_a_join(const int32_t *text, size_t count, size_t i)
{
	size_t before = i, after = i + 1;
	while (before > 0 && transparent(text[before - 1]))
		before--;
	while (after < count && transparent(text[after]))
		after++;
	return before > 0 && precis_in(PRECIS_JOINS_AFTER, text[before - 1]) && after < count &&
	       precis_in(PRECIS_JOINS_BEFORE, text[after]);
}

static bool any_between(const int32_t *text, size_t count, int32_t first, int32_t last)
{
	for (size_t i = 0; i < count; i++)
		if (between(text[i], first, last))
			return true;
	return false;
}

static bool any_japanese(const int32_t *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (precis_in(PRECIS_JAPANESE, text[i]))
			return true;
	return false;
}

static bool context_holds(const int32_t *text, size_t count, size_t i)
{
	bool first = i == 0, last = i + 1 == count;
	switch (text[i]) {
	case ZERO_WIDTH_NON_JOINER:
		if (breaks_a_join(text, count, i))
			return true;
		return !first && utf8proc_get_property(text[i - 1])->combining_class == VIRAMA;
	case ZERO_WIDTH_JOINER:
		return !first && utf8proc_get_property(text[i - 1])->combining_class == VIRAMA;
	case 0x00b7:
		return !first && !last && text[i - 1] == 'l' && text[i + 1] == 'l';
	case 0x0375:
		return !last && precis_in(PRECIS_GREEK, text[i + 1]);
	case 0x05f3:
	case 0x05f4:
		return !first && precis_in(PRECIS_HEBREW, text[i - 1]);
	case 0x30fb:
		return any_japanese(text, count);
	default: // the two kinds of Arabic digits do not mix
		if (between(text[i], 0x0660, 0x0669))
			return !any_between(text, count, 0x06f0, 0x06f9);
		return !any_between(text, count, 0x0660, 0x0669);
	}
}

bool precis_freeform(const int32_t *text, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!between(text[i], 0, 0x10ffff))
			return false;
		enum property p = property_of(text[i]);
		if (p == DISALLOWED || (p == CONTEXT && !context_holds(text, count, i)))
			return false;
	}
	return true;
}
