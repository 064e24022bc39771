// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "bindings/json.h"
#include "bindings/loop.h"
#include "net/unix.h"

#define STREAM_TYPE "sotto.stream"

#define LINE_STANDARD (2u << 20)
#define QUEUE_STANDARD (16u << 20)
#define LINE_MOST (16u << 20)
#define QUEUE_MOST (256u << 20)
#define READ_BLOCK (64u << 10)

enum { SLOT_LINE = 1, SLOT_CLOSE, SLOTS = SLOT_CLOSE };

struct chunk {
	struct chunk *next;
	struct bytes *bytes;
	size_t sent;
};

struct lua_stream {
	struct anchor self; // held until the descriptor is closed
	struct loop *loop;
	int fd;
	bool open;    // the descriptor is ours
	bool closing; // stream:close was called: what is queued still goes out
	bool readable, paused;
	bool pipe; // a program's output may end without a newline
	struct ev_io reader, writer;
	struct buf in;
	size_t handled; // bytes of `in` that were given out as lines
	size_t looked;	// bytes of it in which no further newline is to be found
	struct chunk *first, **tail;
	size_t queued, max_queue;
};

static void stream_end(struct lua_stream *s)
{
	if (!s->open)
		return;
	ev_io_stop(loop_ev(s->loop), &s->reader);
	ev_io_stop(loop_ev(s->loop), &s->writer);
	close(s->fd);
	s->open = false;
	while (s->first) {
		struct chunk *c = s->first;
		s->first = c->next;
		bytes_unref(c->bytes);
		free(c);
	}
	s->tail = &s->first;
	s->queued = 0;
	anchor_clear(&s->self);
}

// reason NULL: the other side ended it in order
static void stream_broken(struct lua_stream *s, const char *reason)
{
	lua_State *L = s->self.L;
	bool tell = !s->closing && anchor_push_callback(&s->self, SLOT_CLOSE);
	stream_end(s);
	if (tell) {
		lua_pushstring(L, reason);
		binding_call(L, 1, 0, "a stream's close handler");
	}
}

// --- reading ----------------------------------------------------------------------------------------------------------------

// Gives out the lines that have arrived. The userdata is on Lua's stack meanwhile: a callback may end the stream, or run the loop.
static void give_lines(struct lua_stream *s)
{
	lua_State *L = s->self.L;
	while (s->open && !s->closing && !s->paused) {
		const uint8_t *from = s->in.data + s->handled;
		size_t seen = s->looked - s->handled;
		const uint8_t *end = s->in.len > s->looked ? memchr(from + seen, '\n', s->in.len - s->looked) : NULL;
		if (!end) {
			s->looked = s->in.len;
			break;
		}
		size_t len = (size_t)(end - from);
		s->handled += len + 1;
		s->looked = s->handled;
		// a callback that runs the loop gets what is behind this line there
		if (s->handled < s->in.len)
			ev_feed_event(loop_ev(s->loop), &s->reader, EV_READ);
		if (anchor_push_callback(&s->self, SLOT_LINE)) {
			lua_pushlstring(L, (const char *)from, len);
			binding_call(L, 1, 0, "a stream's line handler");
		}
	}
	size_t drop = s->handled;
	s->handled = 0;
	s->looked -= drop;
	buf_consume(&s->in, drop);
}

static void give_rest(struct lua_stream *s)
{
	lua_State *L = s->self.L;
	if (!s->pipe || s->in.len == 0 || !anchor_push_callback(&s->self, SLOT_LINE))
		return;
	lua_pushlstring(L, (const char *)s->in.data, s->in.len);
	buf_clear(&s->in);
	binding_call(L, 1, 0, "a stream's line handler");
}

static void read_more(struct lua_stream *s)
{
	uint8_t *room;
	size_t left = s->in.max - s->in.len, block = left < READ_BLOCK ? left : READ_BLOCK;
	if (block == 0 || buf_reserve(&s->in, block, &room)) {
		stream_broken(s, "a line is too long");
		return;
	}
	ssize_t n = read(s->fd, room, block);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		const char *reason = n < 0 ? strerror(errno) : NULL;
		give_rest(s);
		if (s->open)
			stream_broken(s, reason);
		return;
	}
	s->in.len += (size_t)n;
	give_lines(s);
}

static void read_ready(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct lua_stream *s = watcher->data;
	lua_State *L = s->self.L;
	(void)ev;
	(void)events;
	anchor_push(&s->self);
	// lines that were left by a pause come first, and may fill all the room
	if (s->looked < s->in.len)
		give_lines(s);
	if (s->open && !s->closing && !s->paused)
		read_more(s);
	lua_pop(L, 1);
}

// --- writing ----------------------------------------------------------------------------------------------------------------

static enum err write_some(struct lua_stream *s)
{
	while (s->first) {
		struct chunk *c = s->first;
		ssize_t n = write(s->fd, c->bytes->data + c->sent, c->bytes->len - c->sent);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? OK : ERR_IO;
		c->sent += (size_t)n;
		s->queued -= (size_t)n;
		if (c->sent < c->bytes->len)
			continue;
		s->first = c->next;
		if (!s->first)
			s->tail = &s->first;
		bytes_unref(c->bytes);
		free(c);
	}
	return OK;
}

static void write_ready(struct ev_loop *ev, struct ev_io *watcher, int events)
{
	struct lua_stream *s = watcher->data;
	(void)events;
	if (write_some(s)) {
		// what the other side said before it went is still there to be read, and ends with the same news
		ev_io_stop(ev, watcher);
		if (!s->readable || s->paused || s->closing)
			stream_broken(s, strerror(errno));
	} else if (!s->first) {
		ev_io_stop(ev, watcher);
		if (s->closing)
			stream_end(s);
	}
}

// takes the reference
static enum err queue_bytes(struct lua_stream *s, struct bytes *bytes, struct err_info *info)
{
	if (bytes->len > s->max_queue - s->queued) {
		bytes_unref(bytes);
		return err_set(info, ERR_BUSY, "too much waits to be written");
	}
	struct chunk *c = mem_alloc(sizeof *c);
	c->bytes = bytes;
	*s->tail = c;
	s->tail = &c->next;
	s->queued += bytes->len;
	// a broken pipe shows at the next turn, through write_ready: no callback from inside send
	if (write_some(s) != OK || s->first)
		ev_io_start(loop_ev(s->loop), &s->writer);
	return OK;
}

static struct lua_stream *check_stream(lua_State *L)
{
	return luaL_checkudata(L, 1, STREAM_TYPE);
}

static enum err check_sendable(const struct lua_stream *s, struct err_info *info)
{
	if (!s->open || s->closing)
		return err_set(info, ERR_WRONG_STATE, "the stream has ended");
	if ((fcntl(s->fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return err_set(info, ERR_WRONG_STATE, "the stream is for reading only");
	return OK;
}

static int stream_send(lua_State *L)
{
	struct lua_stream *s = check_stream(L);
	size_t len;
	struct err_info info;
	const char *line = luaL_checklstring(L, 2, &len);
	luaL_argcheck(L, !memchr(line, '\n', len), 2, "a line holds no newline");
	enum err e = check_sendable(s, &info);
	if (!e) {
		struct bytes *bytes = bytes_new(line, len + 1);
		bytes->data[len] = '\n';
		e = queue_bytes(s, bytes, &info);
	}
	return binding_result(L, e, &info);
}

static int stream_send_json(lua_State *L)
{
	struct lua_stream *s = check_stream(L);
	struct err_info info;
	struct buf line;
	luaL_checkany(L, 2);
	enum err e = check_sendable(s, &info);
	if (e)
		return binding_fail(L, e, &info);
	buf_init_wiped(&line, s->max_queue);
	e = binding_json_write(L, 2, &line, BINDING_JSON_SECRETS, &info);
	if (!e)
		e = buf_append(&line, "\n", 1) ? err_set(&info, ERR_TOO_LARGE, "the line is too long") : OK;
	if (!e)
		e = queue_bytes(s, buf_take(&line), &info);
	buf_fini(&line);
	return binding_result(L, e, &info);
}

// --- the handle ---------------------------------------------------------------------------------------------------------------

static int stream_pause(lua_State *L)
{
	struct lua_stream *s = check_stream(L);
	s->paused = true;
	if (s->open)
		ev_io_stop(loop_ev(s->loop), &s->reader);
	return 0;
}

static int stream_resume(lua_State *L)
{
	struct lua_stream *s = check_stream(L);
	s->paused = false;
	if (!s->open || !s->readable || s->closing)
		return 0;
	ev_io_start(loop_ev(s->loop), &s->reader);
	// lines that had arrived before the pause come with the next turn, not from inside this call
	ev_feed_event(loop_ev(s->loop), &s->reader, EV_READ);
	return 0;
}

static int stream_close(lua_State *L)
{
	struct lua_stream *s = check_stream(L);
	if (!s->open || s->closing)
		return 0;
	s->closing = true;
	ev_io_stop(loop_ev(s->loop), &s->reader);
	if (!s->first)
		stream_end(s);
	return 0;
}

static int stream_gc(lua_State *L)
{
	struct lua_stream *s = check_stream(L);
	stream_end(s);
	buf_fini(&s->in);
	return 0;
}

static size_t size_option(lua_State *L, int options, const char *name, size_t standard, size_t most)
{
	size_t size = standard;
	if (options && lua_getfield(L, options, name) != LUA_TNIL) {
		lua_Integer given = luaL_checkinteger(L, -1);
		luaL_argcheck(L, given > 0 && (size_t)given <= most, options, name);
		size = (size_t)given;
	}
	if (options)
		lua_pop(L, 1);
	return size;
}

void loop_stream_push(lua_State *L, int fd, int options)
{
	struct loop *loop = binding_loop(L);
	struct stat st;
	struct lua_stream *s = binding_new(L, STREAM_TYPE, sizeof *s, SLOTS);
	// from here on its finaliser closes the descriptor
	s->loop = loop;
	s->fd = fd;
	s->open = true;
	s->tail = &s->first;
	ev_io_init(&s->reader, read_ready, fd, EV_READ);
	ev_io_init(&s->writer, write_ready, fd, EV_WRITE);
	s->reader.data = s->writer.data = s;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	s->readable = (fcntl(fd, F_GETFL) & O_ACCMODE) != O_WRONLY;
	s->pipe = fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
	buf_init(&s->in, size_option(L, options, "max_line", LINE_STANDARD, LINE_MOST) + 1);
	s->max_queue = size_option(L, options, "max_queue", QUEUE_STANDARD, QUEUE_MOST);
	if (options) {
		binding_keep_callback(L, options, "line", SLOT_LINE);
		binding_keep_callback(L, options, "close", SLOT_CLOSE);
	}
	anchor_set(&s->self, L, -1);
	if (s->readable)
		ev_io_start(loop_ev(loop), &s->reader);
}

// --- UNIX sockets ---------------------------------------------------------------------------------------------------------------

static int loop_connect_unix(lua_State *L)
{
	const char *path = binding_check_path(L, 1);
	struct err_info info;
	int fd = -1;
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	enum err e = unix_connect(path, &fd, &info);
	if (e)
		return binding_fail(L, e, &info);
	loop_stream_push(L, fd, 2);
	return 1;
}

// a descriptor that this process was started with; from now on it is the stream's
static int loop_stream(lua_State *L)
{
	lua_Integer fd = luaL_checkinteger(L, 1);
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	luaL_argcheck(L, fd >= 0 && fd <= INT_MAX && fcntl((int)fd, F_GETFL) >= 0, 1, "no open descriptor");
	loop_stream_push(L, (int)fd, 2);
	return 1;
}

const luaL_Reg loop_stream_functions[] = {
	{"stream", loop_stream},
	{"connect_unix", loop_connect_unix},
	{NULL, NULL},
};

void loop_stream_register(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"send", stream_send},	 {"send_json", stream_send_json}, {"pause", stream_pause},
		{"resume", stream_resume}, {"close", stream_close},	  {NULL, NULL},
	};
	static const luaL_Reg meta[] = {{"__gc", stream_gc}, {"__close", stream_close}, {NULL, NULL}};
	binding_type(L, STREAM_TYPE, methods, meta);
}
