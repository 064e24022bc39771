// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/search.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "store/internal.h"

struct store_search {
	struct store *store;
	struct buf query;   // folded
	int64_t discussion; // row number; 0: all
	int64_t before;     // the next message to look at has a smaller number
};

// --- folding ------------------------------------------------------------------------------------

#define FOLD (UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD)
// a code point folds to at most 3, and each of those to 4 bytes
#define FOLDED_MAX ((STORE_TEXT_MAX + 1) * 12)

static bool fold_ascii(struct span text, struct buf *out)
{
	uint8_t *room;
	if (buf_reserve(out, text.len, &room))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		if (c >= 0x80)
			return false;
		room[i] = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
	}
	out->len += text.len;
	return true;
}

// Replaces out's content. utf8proc_map would leave decrypted text behind in freed memory: this
// works in a wiped buffer. False where text is not UTF-8.
static bool fold(struct span text, struct buf *out)
{
	uint8_t *room;
	buf_clear(out);
	if (fold_ascii(text, out))
		return true;
	utf8proc_ssize_t count =
		utf8proc_decompose(text.data, (utf8proc_ssize_t)text.len, NULL, 0, FOLD);
	if (count < 0 || buf_reserve(out, ((size_t)count + 1) * sizeof(utf8proc_int32_t), &room))
		return false;
	utf8proc_int32_t *points = (utf8proc_int32_t *)(void *)room;
	count = utf8proc_decompose(text.data, (utf8proc_ssize_t)text.len, points, count, FOLD);
	if (count < 0)
		return false;
	utf8proc_ssize_t len = utf8proc_reencode(points, count, FOLD);
	if (len < 0)
		return false;
	out->len = (size_t)len;
	return true;
}

// --- searching ----------------------------------------------------------------------------------

enum err store_search_new(struct store_search **out, struct store *s, struct span query,
			  const char *discussion, struct err_info *info)
{
	if (query.len == 0 || query.len > STORE_QUERY_MAX)
		return err_set(info, ERR_BAD_PARAMS, "a query has 1 to %d bytes", STORE_QUERY_MAX);
	struct store_search *search = mem_alloc(sizeof *search);
	search->store = s;
	search->before = INT64_MAX;
	buf_init_wiped(&search->query, FOLDED_MAX);
	enum err e = OK;
	if (!fold(query, &search->query) || search->query.len == 0)
		e = err_set(info, ERR_BAD_PARAMS, "the query is not UTF-8");
	if (!e && discussion)
		e = discussion_find(s, discussion, &search->discussion, info);
	if (e)
		store_search_free(search);
	else
		*out = search;
	return e;
}

void store_search_free(struct store_search *search)
{
	if (!search)
		return;
	buf_fini(&search->query);
	free(search);
}

static void begin(struct query *q, const struct store_search *search, size_t rows)
{
	if (search->discussion) {
		query_begin(q, search->store,
			    "SELECT number, discussion, " MESSAGE_COLUMNS
			    " FROM messages INDEXED BY messages_in_order WHERE discussion = ? AND "
			    "number < ? ORDER BY number DESC LIMIT ?");
		query_bind_int(q, search->discussion);
	} else {
		query_begin(q, search->store,
			    "SELECT number, discussion, " MESSAGE_COLUMNS
			    " FROM messages WHERE number < ? ORDER BY number DESC LIMIT ?");
	}
	query_bind_int(q, search->before);
	query_bind_int(q, (int64_t)rows);
}

struct slice {
	struct buf text, folded;
	size_t hits, limit;
	store_message_visit *each;
	void *arg;
	bool ended; // by limit, or by each
};

static bool matches(struct slice *slice, const struct store_search *search)
{
	return fold(buf_span(&slice->text), &slice->folded) &&
	       memmem(slice->folded.data, slice->folded.len, search->query.data, search->query.len);
}

static enum err look_at(struct store_search *search, struct query *q, struct slice *slice,
			struct err_info *info)
{
	struct data_key *key;
	struct store_message m;
	search->before = query_take_int(q);
	enum err e = keyring_pin_number(search->store, query_take_int(q), &key, info);
	if (e)
		return e;
	e = message_take(q, key, &slice->text, &m, info);
	if (!e && !q->misfit && matches(slice, search))
		slice->ended = !slice->each(slice->arg, &m) || ++slice->hits == slice->limit;
	keyring_unpin(key);
	return e;
}

enum err store_search_slice(struct store_search *search, size_t rows, size_t limit,
			    store_message_visit *each, void *arg, bool *done, struct err_info *info)
{
	struct slice slice = {.limit = limit, .each = each, .arg = arg};
	struct query q;
	size_t looked = 0;
	enum err looking = OK;
	if (!store_unlocked(search->store))
		return err_set(info, ERR_LOCKED, "the store is locked");
	if (rows == 0 || rows > INT32_MAX || limit == 0)
		return err_set(info, ERR_BAD_PARAMS, "a slice has at least one row and one hit");
	buf_init_wiped(&slice.text, STORE_TEXT_MAX);
	buf_init_wiped(&slice.folded, FOLDED_MAX);
	begin(&q, search, rows);
	for (; !slice.ended && !looking && query_step(&q); looked++)
		looking = look_at(search, &q, &slice, info);
	enum err e = query_end(&q, looking ? NULL : info);
	buf_fini(&slice.text);
	buf_fini(&slice.folded);
	if (looking)
		e = looking;
	if (!e)
		*done = !slice.ended && looked < rows;
	return e;
}
