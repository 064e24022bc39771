// SPDX-License-Identifier: GPL-3.0-or-later
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/mem.h"
#include "bindings/terminal_parts.h"

#define KEY_INTERRUPT 3
#define KEY_NEWLINE 10
#define KEY_CLEAR 12
#define KEY_RETURN 13
#define KEY_SUSPEND 26
#define KEYS_MAX 200
#define SEQUENCE_MAX 15

static Keymap editing_maps[3];
static char *waiting_line; // for the next prompt
static size_t waiting_at;

bool terminal_line_is_shown(void)
{
	return terminal.running && terminal.editing && !terminal.in_line;
}

// --- lines -------------------------------------------------------------------------------------------------------------------------

static void take_line(char *line)
{
	if (!terminal.running) {
		free(line);
		return;
	}
	if (!line)
		fputc('\n', stdout); // Ctrl-D leaves the cursor behind the prompt
	if (!terminal.taken_off)
		terminal.disturbed++;
	terminal.in_line = true;
	if (anchor_push(&terminal.on_line)) {
		lua_State *L = terminal.on_line.L;
		if (line)
			lua_pushstring(L, line);
		else
			lua_pushnil(L);
		lua_pushboolean(L, terminal.taken_off);
		binding_call(L, 2, 0, "a line of the terminal");
	}
	terminal.in_line = false;
	terminal.taken_off = false;
	free(line);
}

void terminal_editing_stop(void)
{
	if (terminal_line_is_shown())
		rl_clear_visible_line();
	rl_callback_handler_remove();
	terminal.editing = false;
}

void terminal_editing_start(void)
{
	if (!terminal.running)
		return;
	terminal.editing = true;
	rl_callback_handler_install(terminal.prompt ? terminal.prompt : "", take_line);
}

// --- keys of our own ---------------------------------------------------------------------------------------------------------------

// The line leaves the screen: whoever takes it shows what it was, and what became of it.
static int enter_key(int count, int key)
{
	(void)count;
	(void)key;
	rl_clear_visible_line();
	terminal.taken_off = true;
	rl_done = 1;
	return 0;
}

// Throws away what is being typed, and shows a new line.
static bool drop_line(void)
{
	bool had = rl_end > 0;
	rl_free_line_state();
	rl_callback_sigcleanup();
	rl_point = rl_end;
	rl_redisplay();
	fputs("^C\n", stdout);
	rl_replace_line("", 0);
	using_history(); // from the newest line on again
	rl_on_new_line();
	rl_redisplay();
	terminal.disturbed++;
	return had;
}

bool terminal_interrupt(void)
{
	bool had = terminal_secret_asked();
	if (had)
		terminal_secret_cancel();
	else if (terminal_line_is_shown())
		had = drop_line();
	if (anchor_push(&terminal.on_interrupt)) {
		lua_pushboolean(terminal.on_interrupt.L, had);
		binding_call(terminal.on_interrupt.L, 1, 0, "an interrupt of the terminal");
	}
	return had;
}

static int interrupt_key(int count, int key)
{
	(void)count;
	(void)key;
	terminal_interrupt();
	return 0;
}

// Ctrl-C and Ctrl-Z as keys: a signal would reach every process here, such as the make that started this one.
void terminal_prepare(int meta)
{
	struct termios modes;
	rl_prep_terminal(meta);
	if (tcgetattr(STDIN_FILENO, &modes) != 0)
		return;
	modes.c_lflag &= ~(tcflag_t)ISIG;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
}

static int suspend_key(int count, int key)
{
	(void)count;
	(void)key;
	terminal.disturbed++;
	rl_deprep_terminal();
	kill(0, SIGTSTP);
	// going on: the shell had the terminal meanwhile
	terminal_prepare(1);
	rl_resize_terminal();
	rl_forced_update_display();
	return 0;
}

static int clear_key(int count, int key)
{
	terminal.disturbed++;
	return rl_clear_screen(count, key);
}

void terminal_bind_keys(void)
{
	static const struct {
		int key;
		rl_command_func_t *function;
	} keys[] = {
		{KEY_INTERRUPT, interrupt_key}, {KEY_SUSPEND, suspend_key}, {KEY_CLEAR, clear_key},
		{KEY_RETURN, enter_key},	{KEY_NEWLINE, enter_key},
	};
	const Keymap maps[] = {emacs_standard_keymap, vi_insertion_keymap, vi_movement_keymap};
	memcpy(editing_maps, maps, sizeof editing_maps);
	for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
		for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
			rl_bind_key_in_map(keys[k].key, keys[k].function, maps[i]);
}

// --- keys that Lua answers -----------------------------------------------------------------------------------------------------------

struct bound {
	char sequence[SEQUENCE_MAX + 1];
	struct anchor callback;
	rl_command_func_t *before[3]; // what the key did, in each map
};
static struct bound bound[KEYS_MAX];
static size_t bound_count;

static struct bound *find_bound(const char *sequence)
{
	for (size_t i = 0; i < bound_count; i++)
		if (strcmp(bound[i].sequence, sequence) == 0)
			return &bound[i];
	return NULL;
}

static int bound_key(int count, int key)
{
	char sequence[SEQUENCE_MAX + 1] = "";
	(void)count;
	(void)key;
	if (rl_key_sequence_length > 0 && rl_key_sequence_length <= SEQUENCE_MAX)
		memcpy(sequence, rl_executing_keyseq, (size_t)rl_key_sequence_length);
	struct bound *b = find_bound(sequence);
	if (b && anchor_push(&b->callback))
		binding_call(b->callback.L, 0, 0, "a key of the terminal");
	return 0;
}

// As readline writes a sequence: every byte as \ooo.
static void write_sequence(const char *bytes, char out[4 * SEQUENCE_MAX + 1])
{
	char *to = out;
	for (; *bytes; bytes++)
		to += sprintf(to, "\\%03o", (unsigned char)*bytes);
	*to = 0;
}

static void bind_sequence(struct bound *b, bool ours)
{
	char text[4 * SEQUENCE_MAX + 1];
	write_sequence(b->sequence, text);
	for (size_t i = 0; i < sizeof editing_maps / sizeof *editing_maps; i++) {
		int type = 0;
		if (!ours) {
			rl_bind_keyseq_in_map(text, b->before[i], editing_maps[i]);
			continue;
		}
		rl_command_func_t *found = rl_function_of_keyseq(b->sequence, editing_maps[i], &type);
		b->before[i] = type == ISFUNC ? found : NULL;
		rl_bind_keyseq_in_map(text, bound_key, editing_maps[i]);
	}
}

static int terminal_bind(lua_State *L)
{
	size_t len;
	const char *sequence = luaL_checklstring(L, 1, &len);
	luaL_argcheck(L, len > 0 && len <= SEQUENCE_MAX && strlen(sequence) == len, 1, "1 to 15 bytes expected");
	luaL_argcheck(L, lua_isnil(L, 2) || lua_isfunction(L, 2), 2, "a function or nil expected");
	if (!terminal.running)
		return luaL_error(L, "the terminal is not started");
	struct bound *b = find_bound(sequence);
	if (lua_isnil(L, 2)) {
		if (b) {
			bind_sequence(b, false);
			anchor_clear(&b->callback);
			*b = bound[--bound_count];
		}
		return 0;
	}
	if (!b) {
		luaL_argcheck(L, bound_count < KEYS_MAX, 1, "too many keys are bound");
		b = &bound[bound_count++];
		*b = (struct bound){0};
		memcpy(b->sequence, sequence, len + 1);
		bind_sequence(b, true);
	}
	anchor_set(&b->callback, L, 2);
	return 0;
}

void terminal_unbind_all(void)
{
	free(waiting_line);
	waiting_line = NULL;
	rl_startup_hook = NULL;
	while (bound_count > 0) {
		struct bound *b = &bound[--bound_count];
		bind_sequence(b, false);
		anchor_clear(&b->callback);
	}
}

// --- the line, for Lua ---------------------------------------------------------------------------------------------------------------

static int terminal_typed(lua_State *L)
{
	lua_pushboolean(L, terminal_line_is_shown() && rl_end > 0);
	return 1;
}

static int terminal_line(lua_State *L)
{
	bool shown = terminal_line_is_shown();
	lua_pushstring(L, shown && rl_line_buffer ? rl_line_buffer : "");
	lua_pushinteger(L, shown ? rl_point + 1 : 1);
	return 2;
}

static int put_waiting_line(void)
{
	rl_startup_hook = NULL;
	if (!waiting_line)
		return 0;
	rl_insert_text(waiting_line);
	rl_point = waiting_at > (size_t)rl_end ? rl_end : (int)waiting_at;
	free(waiting_line);
	waiting_line = NULL;
	return 0;
}

static int terminal_set_line(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	lua_Integer at = luaL_optinteger(L, 2, (lua_Integer)len + 1);
	if (!terminal.running)
		return 0;
	waiting_at = at < 1 || (size_t)at > len + 1 ? len : (size_t)at - 1;
	if (terminal_line_is_shown()) {
		rl_replace_line(text, 1);
		rl_point = (int)waiting_at;
		rl_redisplay();
		return 0;
	}
	free(waiting_line);
	waiting_line = mem_dup_string(text);
	rl_startup_hook = put_waiting_line;
	return 0;
}

static int terminal_insert(lua_State *L)
{
	const char *text = luaL_checkstring(L, 1);
	if (!terminal_line_is_shown())
		return 0;
	rl_insert_text(text);
	rl_redisplay();
	return 0;
}

static int interrupt(lua_State *L)
{
	lua_pushboolean(L, terminal_interrupt());
	return 1;
}

const luaL_Reg terminal_edit_functions[] = {
	{"bind", terminal_bind},	 {"typed", terminal_typed},   {"line", terminal_line},
	{"set_line", terminal_set_line}, {"insert", terminal_insert}, {"interrupt", interrupt},
	{NULL, NULL},
};
