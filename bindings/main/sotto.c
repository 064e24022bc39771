// SPDX-License-Identifier: GPL-3.0-or-later
// sotto, the front end: the interactive chat and the command line. It holds no keys and no messages.
#include "base/secret.h"
#include "bindings/json.h"
#include "bindings/loop.h"
#include "bindings/program.h"
#include "bindings/secret.h"
#include "bindings/sys.h"
#include "bindings/terminal.h"

int luaopen_sotto_log(lua_State *L);
int luaopen_sotto_options(lua_State *L);

int main(int argc, char **argv)
{
	static const luaL_Reg preload[] = {
		{"sotto.json", luaopen_sotto_json},	{"sotto.log", luaopen_sotto_log},
		{"sotto.loop", luaopen_sotto_loop},	{"sotto.secret", luaopen_sotto_secret},
		{"sotto.sys", luaopen_sotto_sys},	{"sotto.terminal", luaopen_sotto_terminal},
		{"sotto.options", luaopen_sotto_options},
		{NULL, NULL},
	};
	program_begin();
	secret_harden_process(); // passwords pass through here
	return program_run("sotto.client.main", preload, argc, argv);
}
