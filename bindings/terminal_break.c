// SPDX-License-Identifier: GPL-3.0-or-later
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "bindings/terminal_parts.h"

static volatile sig_atomic_t pressed;
static struct sigaction before;
static bool allowed;

static void on_interrupt(int number)
{
	(void)number;
	pressed = 1;
}

static void set_signals(bool on)
{
	struct termios modes;
	if (tcgetattr(STDIN_FILENO, &modes) != 0)
		return;
	modes.c_lflag = on ? modes.c_lflag | ISIG : modes.c_lflag & ~(tcflag_t)ISIG;
	tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

void terminal_break_allow(bool on)
{
	const struct sigaction ours = {.sa_handler = on_interrupt};
	if (on == allowed || (on && !terminal_running()))
		return;
	allowed = on;
	pressed = 0;
	if (on)
		sigaction(SIGINT, &ours, &before);
	else
		sigaction(SIGINT, &before, NULL);
	set_signals(on);
}

int terminal_allow_break(lua_State *L)
{
	terminal_break_allow(lua_toboolean(L, 1));
	return 0;
}

int terminal_was_broken(lua_State *L)
{
	lua_pushboolean(L, pressed);
	return 1;
}
