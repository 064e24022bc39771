// SPDX-License-Identifier: GPL-3.0-or-later
// sottod, the core: hardens the process, then is lua/sotto/core/main.lua.
#include "base/secret.h"
#include "bindings/control.h"
#include "bindings/json.h"
#include "bindings/loop.h"
#include "bindings/program.h"
#include "bindings/secret.h"
#include "bindings/sys.h"

int luaopen_sotto_engine(lua_State *L);
int luaopen_sotto_log(lua_State *L);
int luaopen_sotto_options(lua_State *L);

int main(int argc, char **argv)
{
	static const luaL_Reg modules[] = {
		{"sotto.json", luaopen_sotto_json},	  {"sotto.secret", luaopen_sotto_secret},
		{"sotto.log", luaopen_sotto_log},	  {"sotto.loop", luaopen_sotto_loop},
		{"sotto.sys", luaopen_sotto_sys},	  {"sotto.control", luaopen_sotto_control},
		{"sotto.engine", luaopen_sotto_engine},	  {"sotto.options", luaopen_sotto_options},
		{NULL, NULL},
	};
	program_begin();
	secret_harden_process();
	return program_run("sotto.core.main", modules, argc, argv);
}
