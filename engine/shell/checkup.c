// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/checkup.h"

#include <stdlib.h>

#include "base/mem.h"
#include "net/stream.h"
#include "shell/shell.h"

#define ADDRESSES_MAX 4 // of one peer
#define DIALS_MAX (CHECKUP_PEERS_MAX * ADDRESSES_MAX)

struct dial {
	struct checkup *checkup;
	struct stream *stream;
	json_t *peer; // borrowed from the facts
};

struct checkup {
	struct engine *engine;
	struct pending *pending;
	json_t *facts;
	struct dial dials[DIALS_MAX];
	size_t count, left;
	struct deferred turn;
};

// --- what is known without asking anybody --------------------------------------------------------------------------------------

static json_t *list_homes(const struct engine *e)
{
	json_t *list = json_array();
	for (struct home *h = homes_first(e->homes); h; h = home_next(h)) {
		char *socket = home_agent_socket(h);
		json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "path", home_path(h), "socket", socket, "own",
						      h == e->identity.home));
		free(socket);
	}
	return list;
}

// Those that are open, and those that the store refers to.
static json_t *list_known_homes(const struct engine *e)
{
	json_t *list = json_array();
	const char **names;
	size_t count = discussions_homes(&e->discussions, &names);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(names[i]));
	free(names);
	for (struct home *h = homes_first(e->homes); h; h = home_next(h))
		json_array_append_new(list, json_string(home_name(h)));
	if (e->identity.state != IDENTITY_NONE)
		json_array_append_new(list, json_string(e->identity.row.home));
	return list;
}

static const char *identity_word(const struct engine *e)
{
	static const char *const words[] = {
		[IDENTITY_NONE] = "none", [IDENTITY_LOCKED] = "locked", [IDENTITY_READY] = "ready"};
	return words[e->identity.state];
}

static json_t *clock_facts(const struct engine *e)
{
	struct skew_verdict v =
		skew_judge(&e->neighbours.skew, clock_now_ms(e->clock), loop_now_ms(e->loop));
	return json_pack("{s:I, s:I, s:I}", "peers", (json_int_t)v.peers, "ahead", (json_int_t)v.ahead_ms, "behind",
			 (json_int_t)v.behind_ms);
}

static json_t *facts_of(const struct engine *e)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:[]}", "identity", identity_word(e), "listen",
			 network_address(&e->network), "lan", lan_shell_view(&e->lan), "troubles", health_view(e), "homes",
			 list_homes(e), "known_homes", list_known_homes(e), "homes_ending", homes_ending(e->homes), "clock",
			 clock_facts(e), "peers");
}

// --- who is seen, can he be dialled? ---------------------------------------------------------------------------------------------

static void answer(void *arg)
{
	struct checkup *k = arg;
	struct pending *p = k->pending;
	json_t *facts = k->facts;
	k->engine->checkup = NULL;
	free(k);
	pending_reply(p, facts);
}

static void hang_up(struct dial *d)
{
	struct checkup *k = d->checkup;
	stream_free(d->stream);
	d->stream = NULL;
	if (--k->left == 0)
		loop_defer(k->engine->loop, &k->turn, answer, k);
}

static void dial_connected(void *arg)
{
	struct dial *d = arg;
	json_object_set_new(d->peer, "reached", json_true());
	hang_up(d);
}

static void dial_ended(void *arg, enum stream_end why, const struct err_info *info)
{
	struct dial *d = arg;
	(void)info;
	json_object_set_new(d->peer, "reason", json_string(stream_end_name(why)));
	hang_up(d);
}

static void ignore_input(void *arg)
{
	(void)arg;
}

static void dial(struct checkup *k, json_t *peer, const struct addr *to)
{
	static const struct stream_callbacks callbacks = {
		.connected = dial_connected, .input = ignore_input, .ended = dial_ended};
	static const struct stream_options options = {.input_max = 1024, .queue_max = 1024};
	struct dial *d = &k->dials[k->count];
	struct err_info info;
	*d = (struct dial){.checkup = k, .peer = peer};
	if (stream_connect(&d->stream, k->engine->loop, to, CHECKUP_DIAL_MS, &options, &callbacks, d, &info)) {
		json_object_set_new(peer, "reason", json_string(info.text));
		return;
	}
	k->count++;
	k->left++;
}

static void dial_peer(struct checkup *k, const struct peer *p)
{
	json_t *addresses = json_array();
	json_t *peer = json_pack("{s:s, s:s, s:o, s:b, s:s}", "fingerprint", p->fingerprint, "name", p->name, "addresses",
				 addresses, "reached", 0, "reason", "no address");
	json_array_append_new(json_object_get(k->facts, "peers"), peer);
	for (size_t i = 0; i < p->addresses.count && i < ADDRESSES_MAX; i++) {
		char text[ADDR_TEXT_MAX];
		const struct addr *to = &p->addresses.at[i].endpoint;
		json_array_append_new(addresses, json_string(addr_format(to, text)));
		dial(k, peer, to);
	}
}

static void dial_those(struct checkup *k, bool known)
{
	const struct peer_table *t = k->engine->neighbours.table;
	for (size_t i = 0; i < peer_table_count(t); i++) {
		const struct peer *p = peer_table_at(t, i);
		bool wanted = p->online && p->proven && !p->linked && p->known == known;
		if (wanted && json_array_size(json_object_get(k->facts, "peers")) < CHECKUP_PEERS_MAX)
			dial_peer(k, p);
	}
}

static void forget(void *owner)
{
	struct checkup *k = owner;
	for (size_t i = 0; i < k->count; i++)
		stream_free(k->dials[i].stream);
	deferred_cancel(k->engine->loop, &k->turn);
	k->engine->checkup = NULL;
	json_decref(k->facts);
	free(k);
}

enum err checkup_call(struct engine *e, struct call *c)
{
	if (e->checkup)
		return err_set(c->info, ERR_BUSY, "a checkup is under way");
	struct checkup *k = mem_alloc(sizeof *k);
	k->engine = e;
	k->facts = facts_of(e);
	e->checkup = k;
	if (e->awake) {
		dial_those(k, true);
		dial_those(k, false);
	}
	k->pending = call_defer(c, forget, k);
	if (k->left == 0)
		loop_defer(e->loop, &k->turn, answer, k);
	return OK;
}
