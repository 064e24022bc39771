// SPDX-License-Identifier: GPL-3.0-or-later
// What stands above the line that is being typed, and the prompt before it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <readline/readline.h>

#include "base/mem.h"
#include "bindings/terminal_parts.h"
#include "bindings/text.h"

// A search, a count or the like has put a prompt of its own in front of the line.
#define PROMPT_TAKEN (RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG)

static struct winsize window_size(void)
{
	struct winsize size = {0};
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		size = (struct winsize){.ws_col = 80, .ws_row = 24};
	return size;
}

// --- the prompt ----------------------------------------------------------------------------------------------------------------------

static void show_prompt(void)
{
	bool shown = terminal_line_is_shown();
	terminal.prompt_waits = false;
	if (shown)
		rl_clear_visible_line();
	if (terminal.running && terminal.editing)
		rl_set_prompt(terminal.prompt);
	if (shown) { // after a line's callback readline shows the prompt itself
		rl_on_new_line();
		rl_redisplay();
	}
}

void terminal_prompt_settle(void)
{
	if (terminal.prompt_waits && !RL_ISSTATE(PROMPT_TAKEN))
		show_prompt();
}

static int terminal_prompt(lua_State *L)
{
	const char *text = luaL_checkstring(L, 1);
	if (terminal.prompt && strcmp(terminal.prompt, text) == 0)
		return 0;
	free(terminal.prompt);
	terminal.prompt = mem_dup_string(text);
	if (terminal_line_is_shown() && RL_ISSTATE(PROMPT_TAKEN))
		terminal.prompt_waits = true;
	else
		show_prompt();
	return 0;
}

// --- lines above it ------------------------------------------------------------------------------------------------------------------

// Takes away what is being typed or asked, so that the cursor is where it began; show_again puts it back.
static void hide(bool *asked, bool *shown)
{
	*asked = terminal_secret_asked();
	*shown = !*asked && terminal_line_is_shown();
	if (*asked)
		terminal_secret_hide();
	else if (*shown)
		rl_clear_visible_line();
}

static void show_again(bool asked, bool shown)
{
	if (asked) {
		terminal_secret_show();
	} else if (shown) {
		rl_on_new_line();
		rl_redisplay();
	}
	fflush(stdout);
}

static void write_lines(const char *text, size_t len)
{
	fwrite(text, 1, len, stdout);
	if (len == 0 || text[len - 1] != '\n')
		fputc('\n', stdout);
}

static int terminal_print(lua_State *L)
{
	size_t len;
	bool asked, shown;
	const char *text = luaL_checklstring(L, 1, &len);
	if (terminal_is_lent()) {
		terminal_keep(text, len);
		return 0;
	}
	hide(&asked, &shown);
	write_lines(text, len);
	show_again(asked, shown);
	return 0;
}

// Rows of what is being typed, at most; readline's marks around what takes no columns count as nothing.
static size_t typed_rows(size_t columns)
{
	size_t prompt = 1, line = 1, least;
	if (!terminal_line_is_shown())
		return 1;
	if (rl_display_prompt)
		text_rows(span_string(rl_display_prompt), columns, &least, &prompt);
	if (rl_line_buffer)
		text_rows(span_string(rl_line_buffer), columns, &least, &line);
	return prompt + line;
}

static int terminal_rewrite(lua_State *L)
{
	size_t len;
	bool asked, shown;
	lua_Integer up = luaL_checkinteger(L, 1);
	const char *text = luaL_checklstring(L, 2, &len);
	struct winsize size = window_size();
	luaL_argcheck(L, up > 0, 1, "at least one row");
	bool fits = !terminal.dumb && up < size.ws_row && (size_t)up + typed_rows(size.ws_col) <= size.ws_row;
	lua_pushboolean(L, fits && !terminal_secret_asked() && !terminal_is_lent());
	if (!lua_toboolean(L, -1))
		return 1;
	hide(&asked, &shown);
	fprintf(stdout, "\x1b[%dA\r\x1b[J", (int)up);
	write_lines(text, len);
	show_again(asked, shown);
	return 1;
}

static int terminal_bell(lua_State *L)
{
	(void)L;
	if (terminal_is_lent())
		return 0;
	fputc('\a', stdout);
	fflush(stdout);
	return 0;
}

static int terminal_disturbed(lua_State *L)
{
	lua_pushinteger(L, terminal.disturbed);
	return 1;
}

static int terminal_resized(lua_State *L)
{
	(void)L;
	terminal.disturbed++;
	if (terminal.running && terminal.editing)
		rl_resize_terminal();
	return 0;
}

static int terminal_size(lua_State *L)
{
	struct winsize size = window_size();
	lua_pushinteger(L, size.ws_col);
	lua_pushinteger(L, size.ws_row);
	return 2;
}

static int terminal_clear(lua_State *L)
{
	(void)L;
	terminal.disturbed++;
	if (terminal.dumb || terminal_secret_asked() || terminal_is_lent())
		return 0;
	fputs("\x1b[H\x1b[2J", stdout);
	if (terminal_line_is_shown()) {
		rl_on_new_line();
		rl_redisplay();
	}
	fflush(stdout);
	return 0;
}

const luaL_Reg terminal_screen_functions[] = {
	{"prompt", terminal_prompt},   {"print", terminal_print}, {"rewrite", terminal_rewrite},
	{"bell", terminal_bell},       {"size", terminal_size},	  {"disturbed", terminal_disturbed},
	{"resized", terminal_resized}, {"clear", terminal_clear}, {NULL, NULL},
};
