// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

#define THREAD_STACK (256 << 10)

// What a look-up thread sees. It outlives its request where that is given up, and the resolver too.
struct lookup {
	struct shared *shared;
	struct lookup *next;     // in shared->finished
	struct resolve *request; // the loop's; NULL once given up
	resolve_lookup *system;
	char host[ADDR_HOST_MAX];
	enum err code;
	size_t count;
	struct addr found[RESOLVE_FOUND_MAX];
};

// Between the loop and the threads.
struct shared {
	pthread_mutex_t lock;
	struct ev_loop *ev;
	struct ev_async *wake;   // NULL once the resolver is gone
	struct lookup *finished; // for the loop to collect
	unsigned threads, refs;  // refs: the threads' and the resolver's
};

enum phase { WAITING, LOOKING_UP, DONE };

struct resolve {
	struct resolver *resolver;
	struct resolve *next, **link; // all requests, oldest first
	enum phase phase;
	struct lookup *lookup; // in LOOKING_UP
	struct timer timeout;
	struct deferred finish;
	char host[ADDR_HOST_MAX];
	uint16_t port;
	enum err code;
	size_t count;
	struct addr found[RESOLVE_FOUND_MAX];
	resolve_done *done;
	void *arg;
};

struct resolver {
	struct loop *loop;
	struct shared *shared;
	struct ev_async wake;
	struct resolve *first, **tail;
	size_t count;
	resolve_lookup *system;
};

// --- in the threads
// --------------------------------------------------------------------------------

static void shared_unref(struct shared *s) // locked; unlocks
{
	bool last = --s->refs == 0;
	struct lookup *finished = last ? s->finished : NULL;
	pthread_mutex_unlock(&s->lock);
	if (!last)
		return;
	while (finished) {
		struct lookup *next = finished->next;
		free(finished);
		finished = next;
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static size_t take_found(struct addr found[RESOLVE_FOUND_MAX], const struct addrinfo *list)
{
	size_t count = 0;
	for (const struct addrinfo *at = list; at && count < RESOLVE_FOUND_MAX; at = at->ai_next) {
		struct addr a;
		bool known = false;
		if (addr_from_sockaddr(&a, at->ai_addr) != OK)
			continue;
		for (size_t i = 0; i < count; i++)
			known = known || addr_same_host(&found[i], &a);
		if (!known)
			found[count++] = a;
	}
	return count;
}

static enum err ask_system(const char *host, struct addr found[RESOLVE_FOUND_MAX], size_t *count)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG,
	};
	struct addrinfo *list = NULL;
	int status = getaddrinfo(host, NULL, &hints, &list);
	// a machine that has no interface but loopback still has to find itself
	if (status == EAI_NONAME || status == EAI_ADDRFAMILY) {
		hints.ai_flags = 0;
		status = getaddrinfo(host, NULL, &hints, &list);
	}
	if (status == EAI_NONAME || status == EAI_NODATA || status == EAI_ADDRFAMILY)
		return ERR_NOT_FOUND;
	if (status != 0)
		return ERR_IO;
	*count = take_found(found, list);
	freeaddrinfo(list);
	return *count ? OK : ERR_NOT_FOUND;
}

static void *look_up(void *arg)
{
	struct lookup *l = arg;
	struct shared *s = l->shared;
	l->code = l->system(l->host, l->found, &l->count);
	pthread_mutex_lock(&s->lock);
	s->threads--;
	l->next = s->finished;
	s->finished = l;
	if (s->wake)
		ev_async_send(s->ev, s->wake);
	shared_unref(s);
	return NULL;
}

static bool start_thread(struct lookup *l)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	// signals are the loop's
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, THREAD_STACK);
	bool started = pthread_create(&thread, &attributes, look_up, l) == 0;
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

// --- on the loop
// -----------------------------------------------------------------------------------

static void request_unlink(struct resolve *q)
{
	struct resolver *r = q->resolver;
	*q->link = q->next;
	if (q->next)
		q->next->link = q->link;
	else
		r->tail = q->link;
	if (--r->count == 0)
		ev_async_stop(loop_ev(r->loop), &r->wake);
}

// From now on its thread, if it has one, works for nobody.
static void give_up_lookup(struct resolve *q)
{
	if (q->lookup)
		q->lookup->request = NULL;
	q->lookup = NULL;
}

static void request_free(struct resolve *q)
{
	give_up_lookup(q);
	timer_cancel(q->resolver->loop, &q->timeout);
	deferred_cancel(q->resolver->loop, &q->finish);
	request_unlink(q);
	free(q);
}

static const char *text_of(enum err code)
{
	switch (code) {
	case ERR_NOT_FOUND:
		return "no address is known for";
	case ERR_TIMEOUT:
		return "nobody answered in time about";
	case ERR_CANCELED:
		return "no longer looking for";
	default:
		return "cannot look up";
	}
}

static void finish(void *arg)
{
	struct resolve q = *(struct resolve *)arg;
	struct err_info info;
	// freed first: the callback may free the resolver
	request_free(arg);
	if (q.code == OK) {
		q.done(q.arg, OK, NULL, q.found, q.count);
		return;
	}
	err_set(&info, q.code, "%s %.200s", text_of(q.code), q.host);
	q.done(q.arg, q.code, &info, NULL, 0);
}

static void complete(struct resolve *q, enum err code)
{
	if (q->phase == DONE)
		return;
	give_up_lookup(q);
	timer_cancel(q->resolver->loop, &q->timeout);
	q->phase = DONE;
	q->code = code;
	loop_defer(q->resolver->loop, &q->finish, finish, q);
}

static void run_out(void *arg)
{
	complete(arg, ERR_TIMEOUT);
}

static void begin_lookup(struct resolve *q)
{
	struct shared *s = q->resolver->shared;
	struct lookup *l = mem_alloc(sizeof *l);
	l->shared = s;
	l->system = q->resolver->system;
	l->request = q;
	strcpy(l->host, q->host);
	pthread_mutex_lock(&s->lock);
	s->threads++;
	s->refs++;
	pthread_mutex_unlock(&s->lock);
	q->lookup = l;
	q->phase = LOOKING_UP;
	if (start_thread(l))
		return;
	pthread_mutex_lock(&s->lock);
	s->threads--;
	s->refs--;
	pthread_mutex_unlock(&s->lock);
	q->lookup = NULL;
	free(l);
	complete(q, ERR_BUSY);
}

static bool has_free_thread(struct shared *s)
{
	pthread_mutex_lock(&s->lock);
	bool room = s->threads < RESOLVE_THREADS_MAX;
	pthread_mutex_unlock(&s->lock);
	return room;
}

static void begin_waiting(struct resolver *r)
{
	for (struct resolve *q = r->first; q && has_free_thread(r->shared); q = q->next)
		if (q->phase == WAITING)
			begin_lookup(q);
}

static void take_result(struct resolve *q, const struct lookup *l)
{
	q->lookup = NULL;
	q->count = l->count;
	memcpy(q->found, l->found, sizeof q->found);
	for (size_t i = 0; i < q->count; i++)
		q->found[i].port = q->port;
	complete(q, l->code);
}

static void collect(struct ev_loop *ev, struct ev_async *watcher, int events)
{
	struct resolver *r = watcher->data;
	struct shared *s = r->shared;
	(void)ev;
	(void)events;
	pthread_mutex_lock(&s->lock);
	struct lookup *l = s->finished;
	s->finished = NULL;
	pthread_mutex_unlock(&s->lock);
	while (l) {
		struct lookup *next = l->next;
		if (l->request)
			take_result(l->request, l);
		free(l);
		l = next;
	}
	begin_waiting(r);
}

struct resolver *resolver_new(struct loop *loop)
{
	struct resolver *r = mem_alloc(sizeof *r);
	struct shared *s = mem_alloc(sizeof *s);
	r->loop = loop;
	r->shared = s;
	r->system = ask_system;
	r->tail = &r->first;
	ev_async_init(&r->wake, collect);
	r->wake.data = r;
	pthread_mutex_init(&s->lock, NULL);
	s->ev = loop_ev(loop);
	s->wake = &r->wake;
	s->refs = 1;
	return r;
}

void resolver_set_lookup(struct resolver *r, resolve_lookup *lookup)
{
	r->system = lookup;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	while (r->first)
		request_free(r->first);
	pthread_mutex_lock(&r->shared->lock);
	r->shared->wake = NULL;
	shared_unref(r->shared);
	free(r);
}

static struct resolve *request_new(struct resolver *r, const char *host, uint16_t port)
{
	struct resolve *q = mem_alloc(sizeof *q);
	q->resolver = r;
	q->port = port;
	strcpy(q->host, host);
	q->link = r->tail;
	*r->tail = q;
	r->tail = &q->next;
	// watched only while somebody waits, so that an idle resolver does not keep the loop
	// running
	if (r->count++ == 0)
		ev_async_start(loop_ev(r->loop), &r->wake);
	return q;
}

enum err resolve_start(struct resolve **out, struct resolver *r, const char *host, uint16_t port,
		       int64_t timeout_ms, resolve_done *done, void *arg, struct err_info *info)
{
	struct addr numeric;
	if (strlen(host) == 0 || strlen(host) >= ADDR_HOST_MAX)
		return err_set(info, ERR_BAD_PARAMS, "not a host name: %.80s", host);
	if (r->count >= RESOLVE_WAITING_MAX)
		return err_set(info, ERR_BUSY, "too many names are being looked up");
	struct resolve *q = request_new(r, host, port);
	q->done = done;
	q->arg = arg;
	if (addr_parse_host(&numeric, host, port)) {
		q->found[0] = numeric;
		q->count = 1;
		complete(q, OK);
	} else {
		timer_start(r->loop, &q->timeout, timeout_ms, run_out, q);
		if (has_free_thread(r->shared))
			begin_lookup(q);
	}
	*out = q;
	return OK;
}

void resolve_cancel(struct resolve *request)
{
	complete(request, ERR_CANCELED);
}
