// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/find.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

// NULL where the text is not UTF-8; freed by the caller.
static char *fold(const char *text)
{
	utf8proc_uint8_t *folded = utf8proc_NFKC_Casefold((const utf8proc_uint8_t *)text);
	return (char *)folded;
}

bool find_same_name(const char *a, const char *b)
{
	char *folded_a = fold(a), *folded_b = fold(b);
	bool same = folded_a && folded_b && strcmp(folded_a, folded_b) == 0;
	free(folded_a);
	free(folded_b);
	return same;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_prefix_text(const char *text)
{
	size_t i = 0;
	while (hex_digit(text[i]) >= 0)
		i++;
	return text[i] == 0 && i >= FIND_PREFIX_MIN;
}

static bool begins_with(const char *identity, const char *prefix)
{
	for (; *prefix; identity++, prefix++)
		if (!*identity || hex_digit(*identity) != hex_digit(*prefix))
			return false;
	return true;
}

struct query {
	const char *what, *text;
	bool by_prefix;
	char *folded; // the name, where not by prefix
};

static bool matches(const struct query *q, const struct find_item *item)
{
	if (q->by_prefix)
		return begins_with(item->identity, q->text);
	if (!item->name || !item->name[0])
		return false;
	char *folded = fold(item->name);
	bool same = folded && strcmp(folded, q->folded) == 0;
	free(folded);
	return same;
}

// Identities only: the names are all alike, and not to be trusted in an error text.
static enum err ambiguous(const struct query *q, find_at *at, void *arg, size_t count, size_t hits,
			  struct err_info *info)
{
	char text[sizeof info->text] = "";
	struct find_item item;
	size_t listed = 0, used = 0;
	for (size_t i = 0; i < count && listed < hits; i++) {
		at(arg, i, &item);
		if (!matches(q, &item))
			continue;
		if (used + strlen(item.identity) + 2 > 190)
			break;
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", listed ? " " : "",
					 item.identity);
		listed++;
	}
	const char *by = q->by_prefix ? "this prefix" : "this name";
	if (listed < hits)
		return err_set(info, ERR_AMBIGUOUS, "%zu %ss have %s: %s and %zu more", hits,
			       q->what, by, text, hits - listed);
	return err_set(info, ERR_AMBIGUOUS, "%zu %ss have %s: %s", hits, q->what, by, text);
}

static enum err search(const struct query *q, find_at *at, void *arg, size_t count, size_t *out,
		       struct err_info *info)
{
	struct find_item item;
	size_t hits = 0, first = 0;
	for (size_t i = 0; i < count; i++) {
		at(arg, i, &item);
		if (matches(q, &item) && hits++ == 0)
			first = i;
	}
	if (hits > 1)
		return ambiguous(q, at, arg, count, hits, info);
	if (hits == 0 && q->by_prefix)
		return err_set(info, ERR_NOT_FOUND, "no %s begins with %s", q->what, q->text);
	if (hits == 0)
		return err_set(info, ERR_NOT_FOUND, "no %s has the name '%s'", q->what, q->text);
	*out = first;
	return OK;
}

enum err find_by_text(const char *what, size_t digits, const char *text, find_at *at, void *arg,
		      size_t count, size_t *out, struct err_info *info)
{
	struct query q = {.what = what, .text = text, .by_prefix = is_prefix_text(text)};
	if (strlen(text) > FIND_TEXT_MAX)
		return err_set(info, ERR_BAD_PARAMS, "no %s has a name that long", what);
	if (q.by_prefix && strlen(text) > digits)
		return err_set(info, ERR_BAD_PARAMS, "a %s is named by at most %zu digits", what,
			       digits);
	if (!q.by_prefix) {
		q.folded = fold(text);
		// what is invisible folds to nothing
		if (!q.folded || !q.folded[0]) {
			free(q.folded);
			return err_set(info, ERR_BAD_PARAMS, "that cannot name a %s", what);
		}
	}
	enum err e = search(&q, at, arg, count, out, info);
	free(q.folded);
	return e;
}
