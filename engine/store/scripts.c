// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/scripts.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/internal.h"

#define LEAF_MAX (STORE_SCRIPT_BYTES_MAX + 4)

static enum err check_name(const char *name, struct err_info *info)
{
	size_t len = strlen(name);
	if (len == 0 || len > STORE_SCRIPT_NAME_MAX)
		return err_set(info, ERR_BAD_PARAMS, "a script's name has 1 to %d bytes", STORE_SCRIPT_NAME_MAX);
	return OK;
}

// --- rows -----------------------------------------------------------------------------------------------------------------------

enum err store_scripts_each(struct store *s, store_script_row *each, void *arg, struct err_info *info)
{
	struct query q;
	query_begin(&q, s, "SELECT name, row FROM scripts ORDER BY name");
	while (query_step(&q)) {
		char name[STORE_SCRIPT_NAME_MAX + 1];
		query_take_text(&q, name, sizeof name);
		each(arg, name, query_take_span(&q));
	}
	return query_end(&q, info);
}

static enum err count_rows(struct store *s, const char *name, int64_t *out, struct err_info *info)
{
	struct query q;
	query_begin(&q, s, "SELECT count(*) FROM scripts WHERE name <> ?");
	query_bind_text(&q, name);
	if (query_step(&q))
		*out = query_take_int(&q);
	return query_end(&q, info);
}

enum err store_script_put(struct store *s, const char *name, struct span row, struct err_info *info)
{
	struct query q;
	int64_t others = 0;
	enum err e = check_name(name, info);
	if (!e)
		e = check_span("a script's row", row, STORE_SCRIPT_ROW_MAX, info);
	if (!e)
		e = count_rows(s, name, &others, info);
	if (!e && others >= STORE_SCRIPTS_MAX)
		e = err_set(info, ERR_TOO_LARGE, "there are %d scripts already", STORE_SCRIPTS_MAX);
	if (e)
		return e;
	query_begin(&q, s, "INSERT INTO scripts (name, row) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET row = excluded.row");
	query_bind_text(&q, name);
	query_bind_span(&q, row);
	return query_run(&q, NULL, info);
}

enum err store_script_drop(struct store *s, const char *name, struct err_info *info)
{
	struct query q;
	query_begin(&q, s, "DELETE FROM scripts WHERE name = ?");
	query_bind_text(&q, name);
	return query_run(&q, NULL, info);
}

// --- values ---------------------------------------------------------------------------------------------------------------------

static struct seal_place place_of(const char *name)
{
	return (struct seal_place){.table = "script_values", .column = "leaf", .row = {name}};
}

// two paths are the same leaf where this is the same; it tells nothing without the store key
static struct hash key_of(const uint8_t *store_key, const char *name, struct span path)
{
	struct buf in;
	buf_init(&in, STORE_SCRIPT_NAME_MAX + 1 + STORE_SCRIPT_PATH_MAX);
	bool fits = buf_append(&in, name, strlen(name) + 1) == OK && buf_append_span(&in, path) == OK;
	struct hash hash = fits ? hash_keyed(span(store_key, SEAL_KEY_LEN), buf_span(&in)) : (struct hash){0};
	buf_fini(&in);
	return hash;
}

// a sealed leaf: 4 bytes length of the path, path, value
static enum err give_leaf(const uint8_t *store_key, const char *name, struct span sealed, store_script_leaf *each, void *arg,
			  struct err_info *info)
{
	struct buf plain;
	const struct seal_place place = place_of(name);
	buf_init_wiped(&plain, LEAF_MAX);
	enum err e = seal_open(store_key, &place, sealed, &plain, info);
	if (!e) {
		uint32_t len = 0;
		if (plain.len >= sizeof len)
			memcpy(&len, plain.data, sizeof len);
		if (plain.len < sizeof len || len > plain.len - sizeof len)
			e = err_set(info, ERR_CRYPTO, "a value of the script %s is damaged", name);
		else
			each(arg, span(plain.data + sizeof len, len), span(plain.data + sizeof len + len, plain.len - sizeof len - len));
	}
	buf_fini(&plain);
	return e;
}

enum err store_script_values(struct store *s, const char *name, store_script_leaf *each, void *arg, struct err_info *info)
{
	struct query q;
	const uint8_t *store_key;
	enum err given = OK, e = keyring_store_key(s, &store_key, info);
	if (e)
		return e;
	query_begin(&q, s, "SELECT leaf FROM script_values WHERE script = ?");
	query_bind_text(&q, name);
	while (!given && query_step(&q))
		given = give_leaf(store_key, name, query_take_span(&q), each, arg, info);
	if (given) {
		struct err_info first = *info;
		e = query_end(&q, info);
		*info = first;
		return e ? e : given;
	}
	return query_end(&q, info);
}

static enum err put_leaf(struct store *s, const uint8_t *store_key, const char *name, const struct store_script_change *change,
			 struct err_info *info)
{
	struct query q;
	struct buf plain, sealed;
	const struct seal_place place = place_of(name);
	const struct hash key = key_of(store_key, name, change->path);
	const uint32_t len = (uint32_t)change->path.len;
	buf_init_wiped(&plain, LEAF_MAX);
	buf_init(&sealed, LEAF_MAX + SEAL_OVERHEAD);
	bool fits = buf_append(&plain, &len, sizeof len) == OK && buf_append_span(&plain, change->path) == OK &&
		    buf_append_span(&plain, change->value) == OK && seal_close(store_key, &place, buf_span(&plain), &sealed) == OK;
	enum err e = fits ? OK : err_set(info, ERR_TOO_LARGE, "a value of the script %s is too large", name);
	if (!e) {
		query_begin(&q, s,
			    "INSERT INTO script_values (script, key, bytes, leaf) VALUES (?, ?, ?, ?)"
			    " ON CONFLICT (script, key) DO UPDATE SET bytes = excluded.bytes, leaf = excluded.leaf");
		query_bind_text(&q, name);
		query_bind_span(&q, hash_span(&key));
		query_bind_int(&q, (int64_t)(change->path.len + change->value.len));
		query_bind_span(&q, buf_span(&sealed));
		e = query_run(&q, NULL, info);
	}
	buf_fini(&plain);
	buf_fini(&sealed);
	return e;
}

static enum err drop_leaf(struct store *s, const uint8_t *store_key, const char *name, struct span path, struct err_info *info)
{
	struct query q;
	const struct hash key = key_of(store_key, name, path);
	query_begin(&q, s, "DELETE FROM script_values WHERE script = ? AND key = ?");
	query_bind_text(&q, name);
	query_bind_span(&q, hash_span(&key));
	return query_run(&q, NULL, info);
}

static enum err check_room(struct store *s, const char *name, struct err_info *info)
{
	struct query q;
	int64_t count = 0, bytes = 0;
	query_begin(&q, s, "SELECT count(*), ifnull(sum(bytes), 0) FROM script_values WHERE script = ?");
	query_bind_text(&q, name);
	if (query_step(&q)) {
		count = query_take_int(&q);
		bytes = query_take_int(&q);
	}
	enum err e = query_end(&q, info);
	if (!e && (count > STORE_SCRIPT_LEAVES_MAX || bytes > STORE_SCRIPT_BYTES_MAX))
		e = err_set(info, ERR_TOO_LARGE, "a script keeps at most %d values and %d bytes", STORE_SCRIPT_LEAVES_MAX,
			    STORE_SCRIPT_BYTES_MAX);
	return e;
}

enum err store_script_change(struct store *s, const char *name, const struct store_script_change *changes, size_t count,
			     struct err_info *info)
{
	struct scope scope;
	const uint8_t *store_key;
	enum err e = check_name(name, info);
	if (!e)
		e = keyring_store_key(s, &store_key, info);
	for (size_t i = 0; i < count && !e; i++) {
		e = check_span("a path", changes[i].path, STORE_SCRIPT_PATH_MAX, info);
		if (!e)
			e = check_span("a value", changes[i].value, STORE_SCRIPT_BYTES_MAX, info);
	}
	if (!e)
		e = scope_enter(&scope, s, info);
	if (e)
		return e;
	for (size_t i = 0; i < count && !e; i++)
		e = changes[i].value.data ? put_leaf(s, store_key, name, &changes[i], info)
					  : drop_leaf(s, store_key, name, changes[i].path, info);
	if (!e)
		e = check_room(s, name, info);
	return scope_leave(&scope, s, e, info);
}
