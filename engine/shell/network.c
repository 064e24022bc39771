// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/network.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/interfaces.h"
#include "shell/introducing.h"
#include "shell/opening.h"
#include "shell/meeting.h"
#include "shell/shell.h"
#include "store/settings.h"
#include "wire/frame.h"
#include "wire/record.h"

#define PORT_SETTING "listen-port"
#define LISTEN_ANY "[::]:0" // IPv4 as well
#define LISTEN_ANY_V4 "0.0.0.0:0"
#define STANDARD_PORT 4788
#define FIRST_FRAME_MS 10000

struct caller {
	struct network *network;
	struct caller *next, **link_in_list;
	struct link *link;
	struct addr source;
	bool known;
};

// --- callers ----------------------------------------------------------------------------------------------------------------

static void caller_forget(struct caller *c)
{
	*c->link_in_list = c->next;
	if (c->next)
		c->next->link_in_list = c->link_in_list;
	free(c);
}

static void caller_drop(struct caller *c, const char *reason)
{
	struct engine *e = c->network->engine;
	metrics_count(&e->metrics, "links_dropped", reason);
	limits_half_open_give(e->neighbours.limits, &c->source, c->known);
	link_free(c->link);
	caller_forget(c);
}

static void first_frame(void *arg, uint8_t kind, struct span payload, bool encrypted)
{
	struct caller *c = arg;
	struct engine *e = c->network->engine;
	char type[RECORD_TYPE_SIZE];
	(void)encrypted;
	if (kind != FRAME_RECORD || record_peek_type(payload, type, NULL)) {
		caller_drop(c, "malformed");
		return;
	}
	struct link *link = c->link;
	struct addr source = c->source;
	bool known = c->known;
	if (strcmp(type, "hello") == 0) {
		caller_forget(c);
		opening_answer(e, link, &source, known, payload);
	} else if (strcmp(type, "link") == 0) {
		caller_forget(c);
		meeting_answer(e, link, &source, known, payload);
	} else if (strcmp(type, "certificate-wanted") == 0) {
		caller_forget(c);
		introduce(e, link, &source, known, payload);
	} else {
		caller_drop(c, "unknown_type");
	}
}

static void caller_ended(void *arg, enum link_end why, const struct err_info *info)
{
	(void)info;
	caller_drop(arg, why == LINK_END_BREACH ? "malformed" : why == LINK_END_IDLE ? "idle" : "left");
}

static void called(void *arg, int fd, const struct addr *from)
{
	static const struct link_callbacks callbacks = {.frame = first_frame, .ended = caller_ended};
	struct network *n = arg;
	struct engine *e = n->engine;
	struct addr source = *from;
	bool known = neighbours_knows_host(&e->neighbours, from);
	struct caller *c = mem_alloc(sizeof *c);
	c->network = n;
	c->source = source;
	c->known = known;
	c->link = link_adopt(e->loop, fd, &callbacks, c);
	if (!e->awake || limits_half_open_take(e->neighbours.limits, &source, known) != LIMIT_PASS) {
		metrics_count(&e->metrics, "links_dropped", e->awake ? "limit" : "asleep");
		link_free(c->link);
		free(c);
		return;
	}
	link_set_idle(c->link, FIRST_FRAME_MS);
	c->next = n->callers;
	c->link_in_list = &n->callers;
	if (c->next)
		c->next->link_in_list = &c->next;
	n->callers = c;
}

// --- links that end ------------------------------------------------------------------------------------------------------------

struct parting {
	struct parting *next, **link_in_list;
	struct link *link;
};

static void parted(void *arg, enum link_end why, const struct err_info *info)
{
	struct parting *p = arg;
	(void)why;
	(void)info;
	*p->link_in_list = p->next;
	if (p->next)
		p->next->link_in_list = p->link_in_list;
	link_free(p->link);
	free(p);
}

static void ignore_frame(void *arg, uint8_t kind, struct span payload, bool encrypted)
{
	(void)arg;
	(void)kind;
	(void)payload;
	(void)encrypted;
}

void network_let_go(struct network *n, struct link *link)
{
	static const struct link_callbacks callbacks = {.frame = ignore_frame, .ended = parted};
	if (link_is_over(link)) {
		link_free(link);
		return;
	}
	struct parting *p = mem_alloc(sizeof *p);
	p->link = link;
	p->next = n->partings;
	p->link_in_list = &n->partings;
	if (p->next)
		p->next->link_in_list = &p->next;
	n->partings = p;
	link_set_callbacks(link, &callbacks, p);
	link_close(link);
}

static void heard(void *arg, const struct udp_arrival *a)
{
	struct network *n = arg;
	hearing_take(n->engine, a, HEARING_DIRECT);
}

// --- life ----------------------------------------------------------------------------------------------------------------------

static enum err remember_port(struct engine *e, uint16_t before, uint16_t port, struct err_info *info)
{
	return before == port ? OK : store_setting_put_int(e->store, PORT_SETTING, port, info);
}

enum err network_open(struct network *n, struct engine *e, const char *listen, struct err_info *info)
{
	struct addr at;
	struct bound_pair pair;
	int64_t remembered = 0;
	n->engine = e;
	enum err code = addr_parse(&at, listen ? listen : LISTEN_ANY, info);
	if (code)
		return code;
	if (at.port == 0 && store_setting_get_int(e->store, PORT_SETTING, &remembered, NULL))
		remembered = listen ? 0 : STANDARD_PORT;
	code = bind_pair(&pair, &at, (uint16_t)remembered, info);
	// a machine may know nothing of IPv6
	if (code && code != ERR_BUSY && !listen && addr_parse(&at, LISTEN_ANY_V4, NULL) == OK)
		code = bind_pair(&pair, &at, (uint16_t)remembered, info);
	if (code)
		return code;
	code = udp_adopt(&n->udp, e->loop, pair.udp, heard, n, info);
	enum err tcp = listener_adopt(&n->listener, e->loop, pair.tcp, called, n, info);
	if (code == OK)
		code = tcp;
	if (code == OK && at.port == 0)
		code = remember_port(e, (uint16_t)remembered, pair.addr.port, info);
	if (code == OK) {
		addr_format(&pair.addr, n->address);
		n->resolver = resolver_new(e->loop);
	}
	return code;
}

void network_sleep(struct network *n)
{
	while (n->callers)
		caller_drop(n->callers, "asleep");
}

void network_fini(struct network *n)
{
	network_sleep(n);
	while (n->partings)
		parted(n->partings, LINK_END_LOST, NULL);
	udp_close(n->udp);
	listener_close(n->listener);
	resolver_free(n->resolver);
	n->udp = NULL;
	n->listener = NULL;
	n->resolver = NULL;
}

const char *network_address(const struct network *n)
{
	return n->address;
}

static size_t interface_endpoints(const struct addr *at, bool loopback, char out[][PRESENCE_ENDPOINT_SIZE], size_t max)
{
	struct interface list[INTERFACES_MAX];
	size_t all = interfaces_list(list, INTERFACES_MAX), count = 0;
	for (size_t i = 0; i < all && count < max; i++) {
		struct addr a = list[i].address;
		char text[ADDR_TEXT_MAX];
		if (list[i].loopback != loopback || addr_class_of(&a) == ADDR_LINK_LOCAL ||
		    (addr_is_v4(at) && !addr_is_v4(&a))) // 0.0.0.0 hears IPv4 alone, [::] both
			continue;
		a.port = at->port;
		strncpy(out[count], addr_format(&a, text), PRESENCE_ENDPOINT_SIZE - 1);
		out[count++][PRESENCE_ENDPOINT_SIZE - 1] = 0;
	}
	return count;
}

size_t network_endpoints(const struct network *n, char out[][PRESENCE_ENDPOINT_SIZE], size_t max)
{
	const struct addr *at = listener_addr(n->listener);
	if (addr_class_of(at) != ADDR_UNSPECIFIED) {
		strncpy(out[0], n->address, PRESENCE_ENDPOINT_SIZE - 1);
		out[0][PRESENCE_ENDPOINT_SIZE - 1] = 0;
		return max ? 1 : 0;
	}
	size_t count = interface_endpoints(at, false, out, max);
	return count ? count : interface_endpoints(at, true, out, max);
}

bool network_send_to_all(struct network *n, const struct addr *group, const struct addr *own, uint32_t interface,
			 struct span datagram)
{
	return udp_send_to_all(n->udp, group, own, interface, datagram);
}

void network_send(struct network *n, const struct addr *to, struct span datagram)
{
	if (!udp_send(n->udp, to, datagram))
		metrics_count(&n->engine->metrics, "datagrams_unsent", NULL);
}
