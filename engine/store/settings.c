// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

static enum err check_key(const char *key, struct err_info *info)
{
	size_t len = strlen(key);
	if (len == 0 || len > STORE_SETTING_KEY_MAX)
		return err_set(info, ERR_BAD_PARAMS, "a setting's name has 1 to %d bytes",
			       STORE_SETTING_KEY_MAX);
	return OK;
}

enum err store_setting_get(struct store *s, const char *key, struct buf *out, struct err_info *info)
{
	struct query q;
	bool found = false;
	enum err added = OK, e = check_key(key, info);
	if (e)
		return e;
	query_begin(&q, s, "SELECT value FROM settings WHERE key = ?");
	query_bind_text(&q, key);
	if (query_step(&q)) {
		found = true;
		added = buf_append_span(out, query_take_span(&q));
	}
	e = query_end(&q, info);
	if (!e && !found)
		e = err_set(info, ERR_NOT_FOUND, "no such setting: %s", key);
	if (!e && added)
		e = err_set(info, added, "the setting %s is over %zu bytes", key, out->max);
	return e;
}

static enum err check_room(struct store *s, const char *key, struct err_info *info)
{
	struct query q;
	bool full = false;
	query_begin(&q, s,
		    "SELECT NOT EXISTS (SELECT 1 FROM settings WHERE key = ?) AND "
		    "(SELECT count(*) FROM settings) >= ?");
	query_bind_text(&q, key);
	query_bind_int(&q, STORE_SETTINGS_MAX);
	if (query_step(&q))
		full = query_take_int(&q) != 0;
	enum err e = query_end(&q, info);
	if (!e && full)
		e = err_set(info, ERR_TOO_LARGE, "there are %d settings already",
			    STORE_SETTINGS_MAX);
	return e;
}

enum err store_setting_put(struct store *s, const char *key, struct span value,
			   struct err_info *info)
{
	struct query q;
	enum err e = check_key(key, info);
	if (!e)
		e = check_span("a setting", value, STORE_SETTING_MAX, info);
	if (!e)
		e = check_room(s, key, info);
	if (e)
		return e;
	query_begin(&q, s,
		    "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) "
		    "DO UPDATE SET value = excluded.value");
	query_bind_text(&q, key);
	query_bind_span(&q, value);
	return query_run(&q, NULL, info);
}

static bool parse_int(struct span text, int64_t *out)
{
	char digits[24], *end;
	if (text.len == 0 || text.len >= sizeof digits)
		return false;
	memcpy(digits, text.data, text.len);
	digits[text.len] = 0;
	errno = 0;
	*out = strtoll(digits, &end, 10);
	return end == digits + text.len && errno == 0;
}

enum err store_setting_get_int(struct store *s, const char *key, int64_t *out,
			       struct err_info *info)
{
	struct buf text;
	int64_t value = 0;
	buf_init(&text, STORE_SETTING_MAX);
	enum err e = store_setting_get(s, key, &text, info);
	if (!e && !parse_int(buf_span(&text), &value))
		e = err_set(info, ERR_BAD_INPUT, "the setting %s is no integer", key);
	if (!e)
		*out = value;
	buf_fini(&text);
	return e;
}

enum err store_setting_put_int(struct store *s, const char *key, int64_t value,
			       struct err_info *info)
{
	char text[24];
	int len = snprintf(text, sizeof text, "%lld", (long long)value);
	return store_setting_put(s, key, span(text, (size_t)len), info);
}
