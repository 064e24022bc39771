// SPDX-License-Identifier: GPL-3.0-or-later
// sotto.sys: what Lua's own library lacks of the system. sys.c: process, user, time; sys_file.c: files; sys_daemon.c: the background;
// sys_machine.c: what the machine gives; sys_beneath.c: files of a folder that nothing leads out of.
#ifndef SOTTO_BINDINGS_SYS_H
#define SOTTO_BINDINGS_SYS_H

#include <lauxlib.h>
#include <stdbool.h>
#include <sys/types.h>

extern const luaL_Reg sys_file_functions[], sys_daemon_functions[], sys_machine_functions[], sys_beneath_functions[];
void sys_file_register(lua_State *L);   // its userdata types
void sys_daemon_register(lua_State *L);

bool sys_process_lives(pid_t pid); // zombies do not

int luaopen_sotto_sys(lua_State *L);

#endif
