// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/session.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define HOME "GNUPGHOME"
#define TERMINAL "GPG_TTY"
#define NO_TERMINAL TERMINAL "=/nonexistent" // a name: without one an agent takes the terminal that it was started from

struct session {
	unsigned refs;
	size_t count;
	char *variables[SESSION_VARIABLES_MAX];
};

// What gpg passes on to its agent and that to a pinentry, and the locale.
static const char *const names[] = {
	TERMINAL, "TERM", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_SESSION_TYPE", "XMODIFIERS",
	"DBUS_SESSION_BUS_ADDRESS", "QT_QPA_PLATFORM", "QT_IM_MODULE", "GTK_IM_MODULE", "INSIDE_EMACS", "PINENTRY_USER_DATA",
	"LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES",
};

static bool has_name(const char *variable, const char *name)
{
	size_t len = strlen(name);
	return strncmp(variable, name, len) == 0 && variable[len] == '=';
}

static bool is_of_session(const char *variable)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (has_name(variable, names[i]))
			return true;
	return false;
}

static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");
	return len == strcspn(b, "=") && strncmp(a, b, len) == 0;
}

static enum err check(const char *const *variables, size_t at, struct err_info *info)
{
	const char *variable = variables[at], *value = strchr(variable, '=');
	if (!is_of_session(variable))
		return err_set(info, ERR_BAD_PARAMS, "a session has no variable '%.*s'", (int)strcspn(variable, "="), variable);
	if (strlen(value + 1) > SESSION_VALUE_MAX)
		return err_set(info, ERR_BAD_PARAMS, "a session's variable has at most %d bytes", SESSION_VALUE_MAX);
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_set(info, ERR_BAD_PARAMS, "a session's variable has no control characters");
	for (size_t i = 0; i < at; i++)
		if (same_name(variables[i], variable))
			return err_set(info, ERR_BAD_PARAMS, "a session's variable is there twice");
	return OK;
}

static struct session *new_session(void)
{
	struct session *s = mem_alloc(sizeof *s);
	s->refs = 1;
	return s;
}

enum err session_new(struct session **out, const char *const *variables, size_t count, struct err_info *info)
{
	enum err e = count < SESSION_VARIABLES_MAX ? OK : err_set(info, ERR_BAD_PARAMS, "too many variables in a session");
	for (size_t i = 0; i < count && e == OK; i++)
		e = check(variables, i, info);
	if (e)
		return e;
	struct session *s = new_session();
	bool terminal = false;
	for (size_t i = 0; i < count; i++) {
		terminal = terminal || has_name(variables[i], TERMINAL);
		s->variables[s->count++] = mem_dup_string(variables[i]);
	}
	if (!terminal)
		s->variables[s->count++] = mem_dup_string(NO_TERMINAL);
	*out = s;
	return OK;
}

struct session *session_without_terminal(const struct session *from)
{
	struct session *s = new_session();
	char *const *variables = from ? from->variables : environ;
	size_t count = 0;
	while (from ? count < from->count : variables && variables[count] != NULL)
		count++;
	s->variables[s->count++] = mem_dup_string(NO_TERMINAL);
	for (size_t i = 0; i < count && s->count < SESSION_VARIABLES_MAX; i++)
		if (is_of_session(variables[i]) && !has_name(variables[i], TERMINAL))
			s->variables[s->count++] = mem_dup_string(variables[i]);
	return s;
}

struct session *session_ref(struct session *s)
{
	if (s)
		s->refs++;
	return s;
}

void session_unref(struct session *s)
{
	if (!s || --s->refs)
		return;
	while (s->count)
		free(s->variables[--s->count]);
	free(s);
}

struct environment environment_make(const struct session *s, const char *gnupg_home)
{
	struct environment e = {0};
	size_t own = 0, count = 0;
	while (environ && environ[own])
		own++;
	e.variables = mem_alloc_array(own + SESSION_VARIABLES_MAX + 2, sizeof *e.variables);
	for (size_t i = 0; i < own; i++) {
		bool replaced = (s && is_of_session(environ[i])) || (gnupg_home && has_name(environ[i], HOME));
		if (!replaced)
			e.variables[count++] = environ[i];
	}
	for (size_t i = 0; s && i < s->count; i++)
		e.variables[count++] = s->variables[i];
	if (gnupg_home) {
		e.home = mem_format(HOME "=%s", gnupg_home);
		e.variables[count++] = e.home;
	}
	return e;
}

void environment_fini(struct environment *e)
{
	free(e->variables);
	free(e->home);
	*e = (struct environment){0};
}
