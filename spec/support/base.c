// SPDX-License-Identifier: GPL-3.0-or-later
// engine/base for specs: require "support.base". Failure returns nil, the error's name and its
// text.
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/secret.h"
#include "spec/support/object.h"

#define BUF "support.buf"
#define SEEDED "support.seeded"

int luaopen_support_base(lua_State *L);

static int push_span(lua_State *L, struct span s)
{
	lua_pushlstring(L, (const char *)s.data, s.len);
	return 1;
}

// What was appended to b, or why not; b is freed.
static int answer_buf(lua_State *L, enum err e, struct buf *b)
{
	if (e == OK)
		push_span(L, buf_span(b));
	buf_fini(b);
	return e ? answer_error(L, e, NULL) : 1;
}

// --- encodings
// ------------------------------------------------------------------------------------

static int hex(lua_State *L)
{
	struct span in = check_span(L, 1);
	char *text = mem_alloc(2 * in.len + 1);
	hex_encode_lower(in, text);
	lua_pushstring(L, text);
	hex_encode_upper(in, text);
	lua_pushstring(L, text);
	free(text);
	return 2;
}

// unhex(text, length)
static int unhex(lua_State *L)
{
	size_t len = (size_t)luaL_checkinteger(L, 2);
	uint8_t *out = mem_alloc(len + 1);
	enum err e = hex_decode(luaL_checkstring(L, 1), out, len);
	if (e == OK)
		lua_pushlstring(L, (const char *)out, len);
	free(out);
	return e ? answer_error(L, e, NULL) : 1;
}

// The first argument's encoding, appended to a buffer with the cap in the second.
static int base64(lua_State *L)
{
	struct buf b;
	buf_init(&b, (size_t)luaL_optinteger(L, 2, 1 << 20));
	enum err e = base64url_encode(check_span(L, 1), &b);
	return answer_buf(L, e, &b);
}

static int unbase64(lua_State *L)
{
	struct buf b;
	buf_init(&b, (size_t)luaL_optinteger(L, 2, 1 << 20));
	enum err e = base64url_decode(check_span(L, 1), &b);
	return answer_buf(L, e, &b);
}

// be(n): the 4 bytes, the 8 bytes, and both read back
static int be(lua_State *L)
{
	uint64_t n = (uint64_t)luaL_checkinteger(L, 1);
	uint8_t four[4], eight[8];
	be32_put(four, (uint32_t)n);
	be64_put(eight, n);
	push_span(L, span(four, 4));
	push_span(L, span(eight, 8));
	lua_pushinteger(L, be32_get(four));
	lua_pushinteger(L, (lua_Integer)be64_get(eight));
	return 4;
}

// lv_cat({part, …}, cap)
static int lv(lua_State *L)
{
	struct span parts[16];
	struct buf b;
	size_t count = lua_rawlen(L, 1), cap = (size_t)luaL_optinteger(L, 2, 1 << 20);
	luaL_argcheck(L, count <= 16, 1, "too many parts");
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, 1, (lua_Integer)i + 1);
		parts[i] = check_span(L, -1);
	}
	buf_init(&b, cap);
	return answer_buf(L, lv_cat(&b, parts, count), &b);
}

// --- buffers
// --------------------------------------------------------------------------------------

// buf(max, wipe)
static int new_buf(lua_State *L)
{
	struct buf *b = lua_newuserdatauv(L, sizeof *b, 0);
	size_t max = (size_t)luaL_checkinteger(L, 1);
	if (lua_toboolean(L, 2))
		buf_init_wiped(b, max);
	else
		buf_init(b, max);
	luaL_setmetatable(L, BUF);
	return 1;
}

static int append(lua_State *L)
{
	return answer_ok(L, buf_append_span(luaL_checkudata(L, 1, BUF), check_span(L, 2)), NULL);
}

static int consume(lua_State *L)
{
	buf_consume(luaL_checkudata(L, 1, BUF), (size_t)luaL_checkinteger(L, 2));
	return 0;
}

static int clear(lua_State *L)
{
	buf_clear(luaL_checkudata(L, 1, BUF));
	return 0;
}

static int fini(lua_State *L)
{
	buf_fini(luaL_checkudata(L, 1, BUF));
	return 0;
}

// take(): the bytes, after a second reference to them came and went
static int take(lua_State *L)
{
	struct bytes *b = buf_take(luaL_checkudata(L, 1, BUF));
	bytes_unref(bytes_ref(b));
	push_span(L, bytes_span(b));
	lua_pushboolean(L, b->wipe);
	bytes_unref(b);
	return 2;
}

// whole(): the content, and the memory behind it up to cap
static int whole(lua_State *L)
{
	struct buf *b = luaL_checkudata(L, 1, BUF);
	push_span(L, buf_span(b));
	push_span(L, b->data ? span(b->data + b->len, b->cap - b->len) : span("", 0));
	return 2;
}

// --- errors, hashes, randomness, secrets
// ----------------------------------------------------------

static int error_name(lua_State *L)
{
	lua_pushstring(L, err_name((enum err)luaL_checkinteger(L, 1)));
	return 1;
}

// set_error(code, text, errno): the code, the text
static int set_error(lua_State *L)
{
	struct err_info info = {0};
	enum err code = (enum err)luaL_checkinteger(L, 1);
	const char *text = luaL_checkstring(L, 2);
	enum err e = lua_isnoneornil(L, 3)
			     ? err_set(&info, code, "%s", text)
			     : err_set_errno(&info, (int)luaL_checkinteger(L, 3), "%s", text);
	luaL_argcheck(L, e == info.code, 1, "the code is not the one in info");
	luaL_argcheck(L, err_set(NULL, code, "%s", text) == code, 1, "without info");
	lua_pushstring(L, err_name(e));
	lua_pushstring(L, info.text);
	return 2;
}

// hash(data, key)
static int hash(lua_State *L)
{
	struct hash h = lua_isnoneornil(L, 2) ? hash_of(check_span(L, 1))
					      : hash_keyed(check_span(L, 2), check_span(L, 1));
	return push_span(L, hash_span(&h));
}

static int hashes_equal(lua_State *L)
{
	struct hash a = hash_of(check_span(L, 1)), b = hash_of(check_span(L, 2));
	lua_pushboolean(L, hash_equal(&a, &b));
	return 1;
}

static int seeded(lua_State *L)
{
	struct random_seeded *state = lua_newuserdatauv(L, sizeof *state, 0);
	random_from_seed(state, (uint64_t)luaL_checkinteger(L, 1));
	luaL_setmetatable(L, SEEDED);
	return 1;
}

static struct random source(lua_State *L)
{
	if (lua_isnil(L, 1))
		return random_system;
	struct random_seeded *state = luaL_checkudata(L, 1, SEEDED), fresh;
	struct random r = random_from_seed(&fresh, 0);
	r.context = state;
	return r;
}

// fill(seeded or nil, length), below(seeded or nil, bound)
static int fill(lua_State *L)
{
	struct random r = source(L);
	size_t len = (size_t)luaL_checkinteger(L, 2);
	uint8_t *out = mem_alloc(len + 1);
	random_fill(&r, out, len);
	lua_pushlstring(L, (const char *)out, len);
	free(out);
	return 1;
}

static int below(lua_State *L)
{
	struct random r = source(L);
	lua_pushinteger(L, random_below(&r, (uint32_t)luaL_checkinteger(L, 2)));
	return 1;
}

// secret(a, b): what is kept of a, and whether the two are equal
static int secret(lua_State *L)
{
	struct secret *a = secret_copy(check_span(L, 1)), *b = secret_copy(check_span(L, 2));
	secret_unref(secret_ref(a));
	push_span(L, secret_span(a));
	lua_pushboolean(L, secret_equal(a, b));
	secret_unref(a);
	secret_unref(b);
	secret_unref(NULL);
	return 2;
}

static int64_t fixed_time(void *context)
{
	return *(int64_t *)context;
}

// clock(n): the system's time, and that of a clock that always says n
static int read_clock(lua_State *L)
{
	int64_t n = luaL_checkinteger(L, 1);
	const struct clock fixed = {fixed_time, &n};
	lua_pushinteger(L, clock_now_ms(&clock_system));
	lua_pushinteger(L, clock_now_ms(&fixed));
	return 2;
}

// --- files and the log
// ----------------------------------------------------------------------------

static int join(lua_State *L)
{
	char *path = path_join(luaL_checkstring(L, 1), luaL_checkstring(L, 2));
	lua_pushstring(L, path);
	free(path);
	return 1;
}

// read(path, cap)
static int read_file(lua_State *L)
{
	struct err_info info = {0};
	struct buf b;
	buf_init(&b, (size_t)luaL_checkinteger(L, 2));
	enum err e = file_read(luaL_checkstring(L, 1), &b, &info);
	if (e == OK)
		push_span(L, buf_span(&b));
	buf_fini(&b);
	return e ? answer_error(L, e, &info) : 1;
}

// write(path, data, mode)
static int write_file(lua_State *L)
{
	struct err_info info = {0};
	const char *path = luaL_checkstring(L, 1);
	struct span data = check_span(L, 2);
	enum err e = lua_isnoneornil(L, 3)
			     ? file_write(path, data, &info)
			     : file_write_mode(path, data, (mode_t)luaL_checkinteger(L, 3), &info);
	return answer_ok(L, e, &info);
}

static int make_private(lua_State *L)
{
	struct err_info info = {0};
	return answer_ok(L, directory_make_private(luaL_checkstring(L, 1), &info), &info);
}

static int remove_tree(lua_State *L)
{
	struct err_info info = {0};
	return answer_ok(L, tree_remove(luaL_checkstring(L, 1), &info), &info);
}

static int open_log(lua_State *L)
{
	struct err_info info = {0};
	enum log_level level = (enum log_level)luaL_checkinteger(L, 2);
	return answer_ok(L, log_open(luaL_checkstring(L, 1), level, &info), &info);
}

static int write_log(lua_State *L)
{
	log_write((enum log_level)luaL_checkinteger(L, 1), "%s", luaL_checkstring(L, 2));
	return 0;
}

static int close_log(lua_State *L)
{
	(void)L;
	log_close();
	log_set_level(LOG_WARN);
	return 0;
}

int luaopen_support_base(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"hex", hex},
		{"unhex", unhex},
		{"base64url", base64},
		{"unbase64url", unbase64},
		{"be", be},
		{"lv_cat", lv},
		{"buf", new_buf},
		{"err_name", error_name},
		{"err_set", set_error},
		{"hash", hash},
		{"hashes_equal", hashes_equal},
		{"seeded", seeded},
		{"fill", fill},
		{"below", below},
		{"secret", secret},
		{"clock", read_clock},
		{"path_join", join},
		{"file_read", read_file},
		{"file_write", write_file},
		{"directory_make_private", make_private},
		{"tree_remove", remove_tree},
		{"log_open", open_log},
		{"log_write", write_log},
		{"log_close", close_log},
		{NULL, NULL},
	};
	static const luaL_Reg methods[] = {
		{"append", append}, {"consume", consume}, {"clear", clear}, {"fini", fini},
		{"take", take},     {"whole", whole},     {NULL, NULL}};
	object_type(L, BUF, methods, fini);
	luaL_newmetatable(L, SEEDED);
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	set_integer(L, "ERR_COUNT", ERR_COUNT);
	set_integer(L, "ENOENT", ENOENT);
	set_integer(L, "EPIPE", EPIPE);
	return 1;
}
