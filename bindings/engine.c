// SPDX-License-Identifier: GPL-3.0-or-later
// sotto.engine: the facade in Lua. Results and events come as JSON text, encoded here once; nobody in between decodes them.
#include "engine.h"

#include <stdlib.h>

#include "base/mem.h"
#include "bindings/common.h"
#include "bindings/json.h"
#include "bindings/secret.h"
#include "store/inspect.h"
#include "wire/json.h"

#define ENGINE_TYPE "sotto.engine"

int luaopen_sotto_engine(lua_State *L);
int luaopen_sotto_options(lua_State *L);

enum { SLOT_READY = 1, SLOT_EVENT, SLOT_STOPPED, SLOTS = SLOT_STOPPED };

struct lua_engine {
	struct anchor self; // held from open until stopped
	struct engine *engine;
	bool finished; // stopped, or never ready: it may be freed
};

// --- hooks ----------------------------------------------------------------------------------------------------------------------

static void engine_ready(void *arg, enum err code, const struct err_info *info)
{
	struct lua_engine *e = arg;
	lua_State *L = e->self.L;
	bool tell = anchor_push_callback(&e->self, SLOT_READY);
	if (code) {
		e->finished = true;
		anchor_clear(&e->self);
	}
	if (tell)
		binding_call(L, binding_result(L, code, info), 0, "the engine's ready handler");
}

static void engine_event(void *arg, const char *type, const char *noun, json_t *object)
{
	struct lua_engine *e = arg;
	lua_State *L = e->self.L;
	if (!anchor_push_callback(&e->self, SLOT_EVENT))
		return;
	lua_pushstring(L, type);
	lua_pushstring(L, noun);
	binding_json_push_text(L, object);
	binding_call(L, 3, 0, "an event handler");
}

static void engine_stopped(void *arg)
{
	struct lua_engine *e = arg;
	lua_State *L = e->self.L;
	bool tell = anchor_push_callback(&e->self, SLOT_STOPPED);
	e->finished = true;
	anchor_clear(&e->self);
	if (tell)
		binding_call(L, 0, 0, "the engine's stopped handler");
}

// --- open -----------------------------------------------------------------------------------------------------------------------

// the string stays where it is: in the table at index 1
static const char *text_field(lua_State *L, const char *name)
{
	const char *text = NULL;
	if (lua_getfield(L, 1, name) != LUA_TNIL)
		text = luaL_checkstring(L, -1);
	lua_pop(L, 1);
	return text;
}

static enum err read_options(lua_State *L, json_t **out, struct err_info *info)
{
	enum err e = OK;
	if (lua_getfield(L, 1, "options") != LUA_TNIL)
		e = binding_json_tree(L, -1, out, info);
	lua_pop(L, 1);
	return e;
}

static int engine_open_lua(lua_State *L)
{
	struct err_info info = {0};
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	struct engine_config config = {
		.home = text_field(L, "home"),
		.data = text_field(L, "data"),
		.run = text_field(L, "run"),
		.listen = text_field(L, "listen"),
		.discover = text_field(L, "discover"),
	};
	luaL_argcheck(L, config.data && config.run, 1, "data and run are needed");
	struct loop *loop = binding_loop(L);
	struct lua_engine *e = binding_new(L, ENGINE_TYPE, sizeof *e, SLOTS);
	binding_keep_callback(L, 1, "ready", SLOT_READY);
	binding_keep_callback(L, 1, "event", SLOT_EVENT);
	binding_keep_callback(L, 1, "stopped", SLOT_STOPPED);
	const struct engine_hooks hooks = {engine_ready, engine_event, engine_stopped, e};
	enum err code = read_options(L, &config.options, &info);
	if (!code) {
		code = engine_open(&e->engine, loop, &config, &hooks, &info);
		json_decref(config.options);
	}
	if (code)
		return binding_fail(L, code, &info);
	anchor_set(&e->self, L, -1);
	return 1;
}

// --- calls ----------------------------------------------------------------------------------------------------------------------

// a call that waits for its answer
struct waiting {
	struct anchor callback;
};

static void call_done(void *arg, enum err code, const struct err_info *info, json_t *result)
{
	struct waiting *w = arg;
	lua_State *L = w->callback.L;
	bool tell = anchor_push(&w->callback);
	anchor_clear(&w->callback);
	free(w);
	if (!tell)
		return;
	if (code) {
		binding_call(L, binding_fail(L, code, info), 0, "an answer's handler");
	} else {
		binding_json_push_text(L, result);
		binding_call(L, 1, 0, "an answer's handler");
	}
}

// Splits the table at index 3 into secrets, borrowed from their userdata, and a table of the rest, which is pushed.
static void split_params(lua_State *L, struct engine_params *params)
{
	const size_t most = sizeof params->secrets / sizeof params->secrets[0];
	lua_newtable(L);
	if (lua_isnoneornil(L, 3))
		return;
	for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
		struct secret *secret = binding_secret_test(L, -1);
		if (!secret) {
			lua_pushvalue(L, -2);
			lua_pushvalue(L, -2);
			lua_rawset(L, -5);
			continue;
		}
		luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING && params->secret_count < most, 3, "too many secrets");
		params->secrets[params->secret_count].name = lua_tostring(L, -2);
		params->secrets[params->secret_count++].value = secret;
	}
}

static int push_answer(lua_State *L, enum err code, struct waiting *waiting, json_t *out, const struct err_info *info)
{
	if (!code && !out) {
		lua_pushboolean(L, 0);
		return 1;
	}
	anchor_clear(&waiting->callback);
	free(waiting);
	if (code)
		return binding_fail(L, code, info);
	binding_json_push_text(L, out);
	json_decref(out);
	return 1;
}

static int engine_call_lua(lua_State *L)
{
	struct lua_engine *e = luaL_checkudata(L, 1, ENGINE_TYPE);
	const char *method = luaL_checkstring(L, 2);
	struct engine_params params = {0};
	struct err_info info = {0};
	json_t *out = NULL;
	if (!lua_isnoneornil(L, 3))
		luaL_checktype(L, 3, LUA_TTABLE);
	luaL_checktype(L, 4, LUA_TFUNCTION);
	lua_settop(L, 4);
	if (e->finished)
		return binding_fail(L, err_set(&info, ERR_WRONG_STATE, "the core is stopping"), &info);
	split_params(L, &params);
	enum err code = binding_json_tree(L, -1, &params.values, &info);
	if (code)
		return binding_fail(L, code, &info);
	struct waiting *waiting = mem_alloc(sizeof *waiting);
	anchor_set(&waiting->callback, L, 4);
	code = engine_call(e->engine, method, &params, call_done, waiting, &out, &info);
	json_decref(params.values);
	return push_answer(L, code, waiting, out, &info);
}

static int engine_stop_lua(lua_State *L)
{
	struct lua_engine *e = luaL_checkudata(L, 1, ENGINE_TYPE);
	if (e->engine && !e->finished)
		engine_stop(e->engine);
	return 0;
}

static int engine_gc(lua_State *L)
{
	struct lua_engine *e = luaL_checkudata(L, 1, ENGINE_TYPE);
	// one that still runs is only collected at the process's end, which frees it too
	if (e->finished)
		engine_free(e->engine);
	e->engine = NULL;
	e->finished = true;
	return 0;
}

static int engine_inspect_lua(lua_State *L)
{
	struct err_info info;
	enum err code = store_inspect(binding_check_path(L, 1), &info);
	return binding_result(L, code, &info);
}

int luaopen_sotto_engine(lua_State *L)
{
	static const luaL_Reg functions[] = {{"open", engine_open_lua}, {"inspect", engine_inspect_lua}, {NULL, NULL}};
	static const luaL_Reg methods[] = {{"call", engine_call_lua}, {"stop", engine_stop_lua}, {NULL, NULL}};
	static const luaL_Reg meta[] = {{"__gc", engine_gc}, {NULL, NULL}};
	json_wipe_on_free();
	binding_type(L, ENGINE_TYPE, methods, meta);
	luaL_newlib(L, functions);
	luaopen_sotto_options(L);
	lua_setfield(L, -2, "options");
	return 1;
}
