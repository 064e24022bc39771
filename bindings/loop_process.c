// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "bindings/loop.h"
#include "bindings/signals.h"

#define PROCESS_TYPE "sotto.process"
#define SPAWN_TYPE "sotto.process.spawn"

#define ARGUMENTS_MAX 1000
#define ENVIRONMENT_MAX 10000

enum { SLOT_EXIT = 1, SLOT_FIELDS, SLOTS = SLOT_FIELDS };

struct process {
	struct anchor self; // held while it runs
	struct loop *loop;
	struct ev_child watcher;
	pid_t pid;
	bool whole; // a signal goes to its group
};

// What a start needs, in a userdata: reading the options may raise.
struct spawn {
	char **arguments, **environment; // NULL-ended, all of it malloc'd
	char *directory;
	bool group, whole, session, follows;
	bool socket; // what the child has as 0 is one end of a socket pair
	int child[3];  // what the child gets as 0, 1, 2; -1: none yet
	bool owned[3]; // ours to close
	int ours[3];   // our ends of pipes or of the socket pair; -1: none
};

static const char *const stdio_names[3] = {"stdin", "stdout", "stderr"};

// --- the options --------------------------------------------------------------------------------------------------------------

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int spawn_gc(lua_State *L)
{
	struct spawn *s = luaL_checkudata(L, 1, SPAWN_TYPE);
	free_list(s->arguments);
	free_list(s->environment);
	free(s->directory);
	s->arguments = s->environment = NULL;
	s->directory = NULL;
	for (int i = 0; i < 3; i++) {
		if (s->owned[i])
			close_one(&s->child[i]);
		s->owned[i] = false;
		close_one(&s->ours[i]);
	}
	return 0;
}

static void read_arguments(lua_State *L, struct spawn *s)
{
	size_t count = lua_rawlen(L, 1);
	luaL_argcheck(L, count <= ARGUMENTS_MAX, 1, "too many arguments");
	s->arguments = mem_alloc_array(count + 2, sizeof(char *));
	lua_getfield(L, 1, "program");
	s->arguments[0] = mem_dup_string(binding_check_path(L, -1));
	lua_pop(L, 1);
	for (size_t i = 1; i <= count; i++) {
		lua_rawgeti(L, 1, (lua_Integer)i);
		if (lua_type(L, -1) != LUA_TSTRING)
			luaL_error(L, "argument %d of the program is no string", (int)i);
		s->arguments[i] = mem_dup_string(lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	if (lua_getfield(L, 1, "directory") != LUA_TNIL)
		s->directory = mem_dup_string(binding_check_path(L, -1));
	lua_getfield(L, 1, "group");
	s->group = lua_toboolean(L, -1);
	lua_getfield(L, 1, "whole");
	s->whole = lua_toboolean(L, -1);
	s->group = s->group || s->whole;
	lua_getfield(L, 1, "session");
	s->session = lua_toboolean(L, -1);
	lua_pop(L, 1);
	lua_getfield(L, 1, "follows");
	s->follows = lua_toboolean(L, -1);
	lua_pop(L, 4);
}

// whether the table on top of the stack has something to say about the variable "name=…"
static bool is_changed(lua_State *L, const char *variable)
{
	lua_pushlstring(L, variable, strcspn(variable, "="));
	bool changed = lua_rawget(L, -2) != LUA_TNIL;
	lua_pop(L, 1);
	return changed;
}

static void read_environment(lua_State *L, struct spawn *s)
{
	size_t count = 0;
	s->environment = mem_alloc_array(ENVIRONMENT_MAX + 1, sizeof(char *));
	lua_getfield(L, 1, "bare");
	bool bare = lua_toboolean(L, -1);
	bool changes = lua_getfield(L, 1, "environment") != LUA_TNIL;
	if (changes)
		luaL_checktype(L, -1, LUA_TTABLE);
	for (size_t i = 0; !bare && environ[i] && count < ENVIRONMENT_MAX; i++)
		if (!changes || !is_changed(L, environ[i]))
			s->environment[count++] = mem_dup_string(environ[i]);
	for (lua_pushnil(L); changes && lua_next(L, -2); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "a variable's name is no string");
		if (lua_type(L, -1) == LUA_TSTRING && count < ENVIRONMENT_MAX)
			s->environment[count++] = mem_format("%s=%s", lua_tostring(L, -2), lua_tostring(L, -1));
	}
	lua_settop(L, 2);
}

static enum err open_socket(struct spawn *s, struct err_info *info)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return err_set_errno(info, errno, "cannot make a socket pair");
	s->child[0] = ends[0];
	s->ours[0] = ends[1];
	s->owned[0] = s->socket = true;
	return OK;
}

static enum err open_stdio(lua_State *L, struct spawn *s, int i, struct err_info *info)
{
	static const char *const kinds[] = {"null", "inherit", "pipe", "socket", NULL};
	int ends[2], kind = i == 0 ? 0 : 1;
	if (lua_getfield(L, 1, stdio_names[i]) == LUA_TNUMBER) {
		s->child[i] = (int)luaL_checkinteger(L, -1);
		lua_pop(L, 1);
		return OK;
	}
	if (!lua_isnil(L, -1))
		kind = luaL_checkoption(L, lua_gettop(L), NULL, kinds);
	lua_pop(L, 1);
	luaL_argcheck(L, kind != 3 || i == 0, 1, "only stdin may be a socket");
	if (kind == 3)
		return open_socket(s, info);
	if (kind == 1) {
		s->child[i] = i;
		return OK;
	}
	if (kind == 0) {
		s->child[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		s->owned[i] = true;
		return s->child[i] < 0 ? err_set_errno(info, errno, "cannot open /dev/null") : OK;
	}
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set_errno(info, errno, "cannot make a pipe");
	s->child[i] = i == 0 ? ends[0] : ends[1];
	s->ours[i] = i == 0 ? ends[1] : ends[0];
	s->owned[i] = true;
	return OK;
}

// --- the start ----------------------------------------------------------------------------------------------------------------

// In the child, between fork and exec: system calls only. Never returns; the number of what failed goes to `report`.
static void run_child(const struct spawn *s, pid_t parent, int report)
{
	int number, high[3];
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;
	// handlers end with exec, but what is ignored or blocked stays so
	sigaction(SIGPIPE, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (s->session)
		setsid();
	else if (s->group)
		setpgid(0, 0);
	// who has ended before this line sends nothing any more
	if (s->follows && (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent))
		goto failed;
	if (s->directory && chdir(s->directory) != 0)
		goto failed;
	// out of the way first: one of them may be a number that another is to have
	for (int i = 0; i < 3; i++)
		if ((high[i] = fcntl(s->child[i], F_DUPFD_CLOEXEC, 3)) < 0)
			goto failed;
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			goto failed;
	// this process may hold descriptors that somebody opened without O_CLOEXEC
	close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
	execvpe(s->arguments[0], s->arguments, s->environment);
failed:
	number = errno;
	if (write(report, &number, sizeof number) < 0)
		_exit(126);
	_exit(127);
}

static enum err start(const struct spawn *s, pid_t *out, struct err_info *info)
{
	int ends[2], number = 0;
	ssize_t n;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set_errno(info, errno, "cannot make a pipe");
	pid_t parent = getpid(), pid = fork();
	if (pid < 0) {
		enum err e = err_set_errno(info, errno, "cannot start a process");
		close(ends[0]);
		close(ends[1]);
		return e;
	}
	if (pid == 0)
		run_child(s, parent, ends[1]);
	close(ends[1]);
	// ends at exec, which closes the other end
	do
		n = read(ends[0], &number, sizeof number);
	while (n < 0 && errno == EINTR);
	close(ends[0]);
	if (n == (ssize_t)sizeof number) {
		waitpid(pid, NULL, 0);
		return err_set_errno(info, number, "cannot start %s", s->arguments[0]);
	}
	*out = pid;
	return OK;
}

static void process_ended(struct ev_loop *ev, struct ev_child *watcher, int events)
{
	struct process *p = watcher->data;
	lua_State *L = p->self.L;
	int status = watcher->rstatus;
	(void)events;
	if (!WIFEXITED(status) && !WIFSIGNALED(status))
		return;
	ev_child_stop(ev, watcher);
	bool tell = anchor_push_callback(&p->self, SLOT_EXIT);
	anchor_clear(&p->self);
	if (!tell)
		return;
	if (WIFEXITED(status)) {
		lua_pushinteger(L, WEXITSTATUS(status));
		lua_pushnil(L);
	} else {
		const char *name = binding_signal_name(WTERMSIG(status));
		lua_pushnil(L);
		lua_pushstring(L, name ? name : "a signal");
	}
	binding_call(L, 2, 0, "a process's exit handler");
}

// --- the handle ---------------------------------------------------------------------------------------------------------------

static struct process *check_process(lua_State *L)
{
	return luaL_checkudata(L, 1, PROCESS_TYPE);
}

// the stream of our end, with the handler `on_stdout` or `on_stderr` of the options at index 1; a socket's with its own options
static void push_stream(lua_State *L, struct spawn *s, int i)
{
	static const char *const handlers[3] = {NULL, "on_stdout", "on_stderr"};
	if (i == 0 && s->socket)
		lua_getfield(L, 1, "socket");
	else
		lua_createtable(L, 0, 1);
	if (handlers[i]) {
		lua_getfield(L, 1, handlers[i]);
		lua_setfield(L, -2, "line");
	}
	int fd = s->ours[i];
	s->ours[i] = -1;
	loop_stream_push(L, fd, lua_gettop(L));
	lua_remove(L, -2);
}

// without handlers in the options the other end of a socket pair is given out as it is
static bool push_descriptor(lua_State *L, struct spawn *s)
{
	bool plain = lua_getfield(L, 1, "socket") != LUA_TTABLE;
	lua_pop(L, 1);
	if (!plain)
		return false;
	lua_pushinteger(L, s->ours[0]);
	s->ours[0] = -1;
	return true;
}

static void push_fields(lua_State *L, struct spawn *s, pid_t pid)
{
	lua_createtable(L, 0, 4);
	lua_pushinteger(L, pid);
	lua_setfield(L, -2, "pid");
	for (int i = 0; i < 3; i++) {
		if (s->ours[i] < 0)
			continue;
		if (i != 0 || !s->socket || !push_descriptor(L, s))
			push_stream(L, s, i);
		lua_setfield(L, -2, i == 0 && s->socket ? "socket" : stdio_names[i]);
	}
}

static enum err prepare(lua_State *L, struct spawn *s, struct err_info *info)
{
	enum err e = OK;
	for (int i = 0; i < 3; i++)
		s->child[i] = s->ours[i] = -1;
	read_arguments(L, s);
	read_environment(L, s);
	for (int i = 0; i < 3 && !e; i++)
		e = open_stdio(L, s, i, info);
	return e;
}

static int loop_spawn(lua_State *L)
{
	struct err_info info;
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	struct loop *loop = binding_loop(L);
	struct spawn *s = lua_newuserdatauv(L, sizeof *s, 0);
	*s = (struct spawn){.child = {-1, -1, -1}, .ours = {-1, -1, -1}};
	luaL_setmetatable(L, SPAWN_TYPE);
	enum err e = prepare(L, s, &info);
	if (e)
		return binding_fail(L, e, &info);
	struct process *p = binding_new(L, PROCESS_TYPE, sizeof *p, SLOTS);
	binding_keep_callback(L, 1, "on_exit", SLOT_EXIT);
	e = start(s, &p->pid, &info);
	if (e)
		return binding_fail(L, e, &info);
	p->loop = loop;
	p->whole = s->whole;
	ev_child_init(&p->watcher, process_ended, p->pid, 0);
	p->watcher.data = p;
	ev_child_start(loop_ev(loop), &p->watcher);
	anchor_set(&p->self, L, -1);
	push_fields(L, s, p->pid);
	lua_setiuservalue(L, -2, SLOT_FIELDS);
	lua_pushcfunction(L, spawn_gc);
	lua_pushvalue(L, 2);
	lua_call(L, 1, 0);
	return 1;
}

static int process_kill(lua_State *L)
{
	struct process *p = check_process(L);
	int number = binding_check_signal(L, 2);
	// only while it is ours to reap: afterwards the number may be somebody else's
	if (anchor_held(&p->self))
		kill(p->whole ? -p->pid : p->pid, number);
	return 0;
}

static int process_running(lua_State *L)
{
	lua_pushboolean(L, anchor_held(&check_process(L)->self));
	return 1;
}

static int process_index(lua_State *L)
{
	check_process(L);
	if (lua_getiuservalue(L, 1, SLOT_FIELDS) == LUA_TTABLE) {
		lua_pushvalue(L, 2);
		if (lua_rawget(L, -2) != LUA_TNIL)
			return 1;
	}
	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(1));
	return 1;
}

static int process_gc(lua_State *L)
{
	struct process *p = check_process(L);
	if (p->loop)
		ev_child_stop(loop_ev(p->loop), &p->watcher);
	return 0;
}

const luaL_Reg loop_process_functions[] = {
	{"spawn", loop_spawn},
	{NULL, NULL},
};

void loop_process_register(lua_State *L)
{
	static const luaL_Reg methods[] = {{"kill", process_kill}, {"running", process_running}, {NULL, NULL}};
	static const luaL_Reg meta[] = {{"__gc", process_gc}, {NULL, NULL}};
	static const luaL_Reg spawn_meta[] = {{"__gc", spawn_gc}, {NULL, NULL}};
	binding_type(L, SPAWN_TYPE, NULL, spawn_meta);
	binding_type(L, PROCESS_TYPE, methods, meta);
	// a process has fields beside its methods
	luaL_getmetatable(L, PROCESS_TYPE);
	luaL_newlib(L, methods);
	lua_pushcclosure(L, process_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
