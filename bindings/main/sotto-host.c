// SPDX-License-Identifier: GPL-3.0-or-later
// sotto-host, the process of one script: it speaks to the core over descriptor 0, and is lua/sotto/script/host.lua. Started by the
// core only.
#include "base/secret.h"
#include "bindings/confine.h"
#include "bindings/json.h"
#include "bindings/loop.h"
#include "bindings/program.h"
#include "bindings/throttle.h"

int luaopen_sotto_log(lua_State *L);

int main(int argc, char **argv)
{
	static const luaL_Reg modules[] = {
		{"sotto.json", luaopen_sotto_json},
		{"sotto.log", luaopen_sotto_log},
		{"sotto.loop", luaopen_sotto_loop},
		{"sotto.confine", luaopen_sotto_confine},
		{NULL, NULL},
	};
	static struct confine_memory memory;
	program_begin();
	throttle_open();
	secret_harden_process();
	return program_run_in(lua_newstate(confine_alloc, &memory), "sotto.script.host", modules, argc, argv);
}
