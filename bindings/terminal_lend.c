// SPDX-License-Identifier: GPL-3.0-or-later
// The terminal in another program's hands: the pinentry of a user's own GnuPG writes and reads there itself.
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include <readline/readline.h>

#include "base/buf.h"
#include "bindings/terminal_parts.h"

#define KEPT_MAX (1 << 20) // bytes of lines; what is beyond that is lost

static struct {
	bool on, lost, has_modes;
	struct termios modes; // those from before terminal.start
	struct buf kept;      // lines that came meanwhile
} lent;

bool terminal_is_lent(void)
{
	return lent.on;
}

void terminal_keep(const char *text, size_t len)
{
	bool whole = buf_append(&lent.kept, text, len) == OK;
	if (whole && (len == 0 || text[len - 1] != '\n'))
		whole = buf_append(&lent.kept, "\n", 1) == OK;
	lent.lost = lent.lost || !whole;
}

// As a program finds it that is started from a shell. But nothing is echoed that is typed before its question is there, and Ctrl-C
// would reach every process here, and not the one that asks.
static void set_lent_modes(void)
{
	rl_deprep_terminal();
	lent.has_modes = tcgetattr(STDIN_FILENO, &lent.modes) == 0;
	if (!lent.has_modes)
		return;
	struct termios modes = lent.modes;
	modes.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
}

static int lend(lua_State *L)
{
	if (!terminal_running())
		return luaL_error(L, "the terminal is not started");
	if (lent.on || terminal_secret_asked())
		return binding_fail(L, ERR_BUSY, NULL);
	terminal_editing_stop();
	ev_io_stop(loop_ev(terminal.loop), &terminal.input);
	fflush(stdout);
	set_lent_modes();
	buf_init(&lent.kept, KEPT_MAX);
	lent.on = true;
	lent.lost = false;
	lua_pushboolean(L, 1);
	return 1;
}

void terminal_take_back(void)
{
	if (!lent.on)
		return;
	lent.on = false;
	if (lent.has_modes)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &lent.modes);
	// wherever the other one has left the cursor: nothing of its question stays behind it
	fputs(terminal.dumb ? "\r" : "\r\x1b[J", stdout);
	if (lent.kept.len)
		fwrite(lent.kept.data, 1, lent.kept.len, stdout);
	if (lent.lost)
		fputs("…\n", stdout);
	fflush(stdout);
	buf_fini(&lent.kept);
	terminal.disturbed++;
}

static int take_back(lua_State *L)
{
	(void)L;
	if (!lent.on)
		return 0;
	terminal_take_back();
	rl_resize_terminal();
	terminal_editing_start();
	ev_io_start(loop_ev(terminal.loop), &terminal.input);
	return 0;
}

const luaL_Reg terminal_lend_functions[] = {{"lend", lend}, {"take_back", take_back}, {NULL, NULL}};
