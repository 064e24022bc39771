// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/readline.h>

#include "base/mem.h"
#include "bindings/common.h"
#include "bindings/terminal_parts.h"

#define MATCHES_MAX 1000

static struct {
	struct anchor callback, choices;
	char **matches; // of one completion, handed out one by one as readline asks
	size_t count, next;
} completion;

static void free_matches(void)
{
	for (size_t i = completion.next; i < completion.count; i++)
		free(completion.matches[i]);
	free(completion.matches);
	completion.matches = NULL;
	completion.count = completion.next = 0;
}

static char *next_match(const char *word, int state)
{
	(void)word;
	(void)state;
	return completion.next < completion.count ? completion.matches[completion.next++] : NULL;
}

static void take_matches(lua_State *L, int index)
{
	size_t n = lua_istable(L, index) ? lua_rawlen(L, index) : 0;
	if (n > MATCHES_MAX)
		n = MATCHES_MAX;
	completion.matches = mem_alloc_array(n, sizeof *completion.matches);
	for (size_t i = 0; i < n; i++) {
		lua_rawgeti(L, index, (lua_Integer)i + 1);
		if (lua_type(L, -1) == LUA_TSTRING)
			completion.matches[completion.count++] = mem_dup_string(lua_tostring(L, -1));
		lua_pop(L, 1);
	}
}

static char **complete(const char *word, int from, int to)
{
	rl_attempted_completion_over = 1; // never file names
	free_matches();
	if (!anchor_push(&completion.callback))
		return NULL;
	lua_State *L = completion.callback.L;
	lua_pushstring(L, word);
	lua_pushstring(L, rl_line_buffer);
	lua_pushinteger(L, from + 1);
	lua_pushinteger(L, to);
	if (!binding_call(L, 4, 2, "completion"))
		return NULL;
	take_matches(L, lua_gettop(L) - 1);
	// a match that goes on has no space behind it
	rl_completion_suppress_append = lua_toboolean(L, -1);
	lua_pop(L, 2);
	return completion.count ? rl_completion_matches(word, next_match) : NULL;
}

// readline's list would stand below the line, and a second prompt below that.
static void show_choices(char **matches, int count, int longest)
{
	(void)longest;
	if (!anchor_push(&completion.choices))
		return;
	lua_State *L = completion.choices.L;
	lua_createtable(L, count, 0);
	for (int i = 1; i <= count; i++) { // the first is what all have in common
		lua_pushstring(L, matches[i]);
		lua_rawseti(L, -2, i);
	}
	binding_call(L, 1, 0, "the choices of a completion");
}

void terminal_complete_start(lua_State *L, int complete_index, int choices_index)
{
	anchor_set(&completion.callback, L, complete_index);
	if (choices_index)
		anchor_set(&completion.choices, L, choices_index);
	rl_completion_display_matches_hook = choices_index ? show_choices : NULL;
	rl_attempted_completion_function = complete;
	rl_completer_word_break_characters = " \t\n=+-*<>;|&{}[](),";
	rl_completer_quote_characters = "";
	// a question or a pager would wait for keys inside readline, and nobody would serve the loop
	rl_completion_query_items = -1;
	rl_variable_bind("page-completions", "off");
}

void terminal_complete_stop(void)
{
	free_matches();
	anchor_clear(&completion.callback);
	anchor_clear(&completion.choices);
}
