// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/lan.h"

#include <string.h>

#include "base/log.h"
#include "shell/hearing.h"
#include "shell/own_presence.h"
#include "shell/shell.h"

static void step(struct lan_shell *s, const struct lan_event *event);

// --- ears ------------------------------------------------------------------------------------------------------------------------

static void heard(void *arg, const struct udp_arrival *a)
{
	struct lan_ear *ear = arg;
	// two interfaces in one network share a broadcast address: each ear hears its own
	if (a->interface == ear->interface)
		hearing_take(ear->shell->engine, a, HEARING_LAN);
}

static void open_ear(struct lan_shell *s, size_t slot, const struct lan_path *path)
{
	struct lan_ear *ear = &s->ears[slot];
	struct err_info info;
	ear->shell = s;
	ear->interface = path->interface;
	if (ear->udp)
		return;
	if (udp_open_ear(&ear->udp, s->engine->loop, &path->group, path->interface, heard, ear, &info) == OK) {
		char text[ADDR_TEXT_MAX];
		log_info("listening on %s at %s", path->name, addr_format(&path->group, text));
		ear->complained = false;
	} else if (!ear->complained) {
		ear->complained = true;
		engine_warn(s->engine, "nobody is heard on the network of %s: %s", path->name, info.text);
	}
}

static void add_counters(struct udp_counters *sum, const struct udp_counters *c)
{
	sum->received += c->received;
	sum->received_bytes += c->received_bytes;
	sum->truncated += c->truncated;
	sum->overflowed += c->overflowed;
}

static void close_ear(struct lan_shell *s, size_t slot)
{
	struct lan_ear *ear = &s->ears[slot];
	if (ear->udp)
		add_counters(&s->closed, udp_counters(ear->udp));
	udp_close(ear->udp);
	*ear = (struct lan_ear){0};
}

// --- actions ---------------------------------------------------------------------------------------------------------------------

static bool send_to_all(struct lan_shell *s, const struct lan_path *path, enum presence_kind kind)
{
	struct engine *e = s->engine;
	struct err_info info;
	struct buf out;
	buf_init(&out, PRESENCE_DATAGRAM_MAX);
	bool sent = own_presence_encode(&e->neighbours, kind, &out, &info) == OK &&
		    network_send_to_all(&e->network, &path->group, &path->own, path->interface, buf_span(&out));
	buf_fini(&out);
	return sent;
}

static void answer(struct lan_shell *s, const struct addr *to)
{
	struct err_info info;
	if (own_presence_send(&s->engine->neighbours, PRESENCE_ANSWER, to, &info) == OK)
		s->answered++;
}

// False where it was to be sent by a path, and could not be.
static bool carry_out(struct lan_shell *s, const struct lan_action *a)
{
	bool sent = true;
	switch (a->type) {
	case LAN_OPEN:
		open_ear(s, a->slot, &a->path);
		break;
	case LAN_CLOSE:
		close_ear(s, a->slot);
		break;
	case LAN_RENEW:
		own_presence_renew(&s->engine->neighbours);
		break;
	case LAN_ASK:
	case LAN_ANNOUNCE:
		open_ear(s, a->slot, &a->path);
		sent = send_to_all(s, &a->path, a->type == LAN_ASK ? PRESENCE_QUERY : PRESENCE_ANNOUNCEMENT);
		*(a->type == LAN_ASK ? &s->asked : &s->announced) += sent;
		s->unsent += !sent;
		break;
	case LAN_ANSWER:
		answer(s, &a->to);
		break;
	case LAN_REFUSED:
		s->refused[a->refused]++;
		break;
	}
	return sent;
}

static void due(void *arg)
{
	struct lan_shell *s = arg;
	step(s, &(struct lan_event){.type = LAN_EVENT_DEADLINE, .now_ms = loop_now_ms(s->engine->loop)});
}

static void step(struct lan_shell *s, const struct lan_event *event)
{
	struct lan_actions actions;
	lan_step(s->lan, event, &actions);
	int64_t wait_ms = actions.wait_ms;
	for (size_t i = 0; i < actions.count; i++) {
		if (carry_out(s, &actions.list[i]))
			continue;
		struct lan_event unsent = {.type = LAN_EVENT_UNSENT, .now_ms = event->now_ms, .slot = actions.list[i].slot};
		struct lan_actions none; // it only moves the deadline
		lan_step(s->lan, &unsent, &none);
		wait_ms = none.wait_ms;
	}
	timer_cancel(s->engine->loop, &s->timer);
	if (wait_ms >= 0)
		timer_start(s->engine->loop, &s->timer, wait_ms, due, s);
}

static void look(void *arg)
{
	struct lan_shell *s = arg;
	struct interface list[INTERFACES_MAX];
	struct lan_event event = {.type = LAN_EVENT_INTERFACES, .now_ms = loop_now_ms(s->engine->loop)};
	event.interfaces.list = list;
	event.interfaces.count = interfaces_list(list, INTERFACES_MAX);
	step(s, &event);
	if (lan_left_out(s->lan) && !s->complained_left_out)
		engine_warn(s->engine, "there are too many networks: only %d of them are used to find peers", LAN_PATHS_MAX);
	s->complained_left_out = lan_left_out(s->lan) > 0;
}

// --- life ------------------------------------------------------------------------------------------------------------------------

enum err lan_shell_init(struct lan_shell *s, struct engine *e, const char *discover, struct err_info *info)
{
	s->engine = e;
	return lan_place_parse(discover, &s->place, info);
}

// A record that ran out before the next round would make its owner come and go.
static int64_t interval_of(const struct options *o)
{
	int64_t third_ms = o->presence_lifetime_s * 1000 / 3;
	return o->lan_interval_s * 1000 < third_ms ? o->lan_interval_s * 1000 : third_ms;
}

void lan_shell_wake(struct lan_shell *s)
{
	struct engine *e = s->engine;
	struct lan_config config = {.place = s->place,
				    .listen = *udp_addr(e->network.udp),
				    .interval_ms = interval_of(&e->options),
				    .random = e->random,
				    .limits = e->neighbours.limits};
	if (s->place.off || s->lan)
		return;
	s->lan = lan_new(&config);
	s->watch = interfaces_watch_open(e->loop, look, s);
	look(s);
}

void lan_shell_sleep(struct lan_shell *s)
{
	if (!s->lan)
		return;
	timer_cancel(s->engine->loop, &s->timer);
	interfaces_watch_close(s->watch);
	s->watch = NULL;
	for (size_t i = 0; i < LAN_PATHS_MAX; i++)
		close_ear(s, i);
	lan_free(s->lan);
	s->lan = NULL;
}

// --- from outside ----------------------------------------------------------------------------------------------------------------

void lan_shell_asked(struct lan_shell *s, const struct addr *from, const uint8_t signature[PRESENCE_SIGNATURE_LEN], bool known)
{
	struct lan_event event = {.type = LAN_EVENT_ASKED, .now_ms = loop_now_ms(s->engine->loop)};
	event.asked.from = *from;
	event.asked.known = known;
	memcpy(event.asked.record, signature, sizeof event.asked.record);
	if (s->lan)
		step(s, &event);
}

bool lan_shell_awaits(const struct lan_shell *s, const struct addr *from)
{
	return s->lan && lan_awaits(s->lan, from, loop_now_ms(s->engine->loop));
}

json_t *lan_shell_view(const struct lan_shell *s)
{
	json_t *paths = json_array();
	if (s->place.off) {
		json_decref(paths);
		return json_null();
	}
	for (size_t i = 0; s->lan && i < LAN_PATHS_MAX; i++) {
		const struct lan_path *path = lan_path_at(s->lan, i);
		char to[ADDR_TEXT_MAX];
		if (path)
			json_array_append_new(paths, json_pack("{s:s, s:s, s:b}", "interface", path->name, "to",
							       addr_format(&path->group, to), "listening",
							       s->ears[i].udp != NULL));
	}
	return json_pack("{s:i, s:o}", "port", s->place.port, "paths", paths);
}

void lan_shell_gather(const struct lan_shell *s, struct metrics *m)
{
	struct udp_counters sum = s->closed;
	for (size_t i = 0; i < LAN_PATHS_MAX; i++)
		if (s->ears[i].udp)
			add_counters(&sum, udp_counters(s->ears[i].udp));
	metrics_set(m, "lan_datagrams_received", NULL, sum.received);
	metrics_set(m, "lan_datagram_bytes", "received", sum.received_bytes);
	metrics_set(m, "lan_datagrams_dropped", "truncated", sum.truncated);
	metrics_set(m, "lan_datagrams_dropped", "overflow", sum.overflowed);
	metrics_set(m, "lan_sent", "queries", s->asked);
	metrics_set(m, "lan_sent", "announcements", s->announced);
	metrics_set(m, "lan_sent", "answers", s->answered);
	metrics_set(m, "lan_unsent", NULL, s->unsent);
	metrics_set(m, "lan_answers_refused", "source", s->refused[LAN_REFUSAL_SOURCE]);
	metrics_set(m, "lan_answers_refused", "same", s->refused[LAN_REFUSAL_SAME]);
	metrics_set(m, "lan_answers_refused", "all", s->refused[LAN_REFUSAL_ALL]);
}
