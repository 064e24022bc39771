// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/buf.h"
#include "bindings/common.h"
#include "bindings/terminal_parts.h"
#include "bindings/text.h"

static int push_escaped(lua_State *L, enum text_style style)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct buf out;
	buf_init(&out, len * TEXT_ESCAPE_MAX);
	text_escape(span(text, len), style, &out);
	lua_pushlstring(L, out.data ? (const char *)out.data : "", out.len);
	buf_fini(&out);
	return 1;
}

static int terminal_escape(lua_State *L)
{
	return push_escaped(L, lua_toboolean(L, 2) ? TEXT_LINES : TEXT_LINE);
}

static int terminal_escape_json(lua_State *L)
{
	return push_escaped(L, TEXT_JSON);
}

static int terminal_clean(lua_State *L)
{
	return push_escaped(L, TEXT_STYLED);
}

static int terminal_width(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	lua_pushinteger(L, (lua_Integer)text_width(span(text, len)));
	return 1;
}

static int terminal_rows(lua_State *L)
{
	size_t len, least, most;
	const char *text = luaL_checklstring(L, 1, &len);
	lua_Integer columns = luaL_checkinteger(L, 2);
	luaL_argcheck(L, columns > 0, 2, "at least one column");
	text_rows(span(text, len), (size_t)columns, &least, &most);
	lua_pushinteger(L, (lua_Integer)least);
	lua_pushinteger(L, (lua_Integer)most);
	return 2;
}

static int terminal_fold(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct buf out;
	buf_init(&out, len * TEXT_FOLD_MAX);
	enum err code = text_fold(span(text, len), &out);
	if (code == OK)
		lua_pushlstring(L, out.data ? (const char *)out.data : "", out.len);
	buf_fini(&out);
	return code ? binding_fail(L, code, NULL) : 1;
}

const luaL_Reg terminal_text_functions[] = {
	{"escape", terminal_escape}, {"escape_json", terminal_escape_json}, {"clean", terminal_clean},
	{"width", terminal_width},   {"rows", terminal_rows},		    {"fold", terminal_fold},
	{NULL, NULL},
};
