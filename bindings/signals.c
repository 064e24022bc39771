// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/signals.h"

#include <lauxlib.h>
#include <signal.h>
#include <stddef.h>

static const char *const names[] = {"SIGHUP",  "SIGINT",  "SIGQUIT", "SIGTERM", "SIGKILL", "SIGUSR1", "SIGUSR2",
				    "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGWINCH", "SIGPIPE", "SIGABRT", "SIGSEGV",
				    "SIGALRM", NULL};
static const int numbers[] = {SIGHUP,  SIGINT,	SIGQUIT, SIGTERM,  SIGKILL, SIGUSR1, SIGUSR2, SIGCONT,
			      SIGSTOP, SIGTSTP, SIGWINCH, SIGPIPE, SIGABRT, SIGSEGV, SIGALRM};

int binding_check_signal(lua_State *L, int index)
{
	return numbers[luaL_checkoption(L, index, NULL, names)];
}

const char *binding_signal_name(int number)
{
	for (size_t i = 0; names[i]; i++)
		if (numbers[i] == number)
			return names[i];
	return NULL;
}
