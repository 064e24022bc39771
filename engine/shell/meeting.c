// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/meeting.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "discussion/member_link.h"
#include "openpgp/key.h"
#include "shell/conversation_parts.h"
#include "shell/joining.h"
#include "shell/shell.h"
#include "store/heads.h"
#include "wire/frame.h"

#define DIAL_TIMEOUT_MS 5000

struct meeting {
	struct engine *engine;
	struct conversation *conversation; // NULL once it is over
	struct meeting *next, **link_in_list;
	size_t member;
	bool dialled;
	struct link *link;
	struct member_link *machine;
	struct timer deadline;
	struct deferred burial;
	struct gpg_op *signing, *verifying;
	struct key_job *vetting;
	unsigned works; // under way
	struct addr source; // of the other side: where it came from, or where it was dialled
	bool source_known, half_open;
};

static void feed(struct meeting *m, const struct member_link_event *event);

// --- life ------------------------------------------------------------------------------------------------------------------------

static void bury(void *arg)
{
	struct meeting *m = arg;
	member_link_free(m->machine);
	link_free(m->link);
	free(m);
}

static void release(struct meeting *m)
{
	if (!m->conversation && m->works == 0)
		loop_defer(m->engine->loop, &m->burial, bury, m);
}

static void finish(struct meeting *m)
{
	if (!m->conversation)
		return;
	m->conversation = NULL;
	*m->link_in_list = m->next;
	if (m->next)
		m->next->link_in_list = m->link_in_list;
	timer_cancel(m->engine->loop, &m->deadline);
	if (m->half_open)
		limits_half_open_give(m->engine->neighbours.limits, &m->source, m->source_known);
	m->half_open = false;
	if (m->signing)
		gpg_op_cancel(m->signing);
	if (m->verifying)
		gpg_op_cancel(m->verifying);
	if (m->vetting)
		key_job_cancel(m->vetting);
	release(m);
}

void meeting_cancel(struct meeting *m)
{
	link_free(m->link);
	m->link = NULL;
	finish(m);
}

static struct member_link_config config_of(const struct discussion *d, size_t member, bool dials)
{
	const struct store_member *other = discussion_anyone(d, member);
	struct member_link_config config = {.side = dials ? MEMBER_LINK_DIALS : MEMBER_LINK_ANSWERS,
					    .random = d->engine->random,
					    .first = d->row.h0,
					    .roster = &d->roster,
					    .roster_hash = d->roster_hash,
					    .idle_ms = d->engine->options.handshake_timeout_s * 1000};
	memcpy(config.own, discussion_own(d), sizeof config.own);
	memcpy(config.other, other->fingerprint, sizeof config.other);
	memcpy(config.other_key, other->certificate_fingerprint, sizeof config.other_key);
	return config;
}

static struct meeting *meeting_new(struct conversation *c, size_t member, bool dials)
{
	struct member_link_config config = config_of(conversation_discussion(c), member, dials);
	config.closed = conversation_has_closed(c);
	if (member < c->count)
		config.held = transcript_head(c->transcript, member).sequence;
	config.rekeys = rekeying_says(c);
	struct meeting *m = mem_alloc(sizeof *m);
	m->engine = c->engine;
	m->conversation = c;
	m->member = member;
	m->dialled = dials;
	m->machine = member_link_new(&config);
	m->next = c->meetings;
	m->link_in_list = &c->meetings;
	if (m->next)
		m->next->link_in_list = &m->next;
	c->meetings = m;
	return m;
}

// --- gpg -------------------------------------------------------------------------------------------------------------------------

static void result(struct meeting *m, enum member_link_event_type type, enum err code, struct span bytes)
{
	const struct member_link_event event = {.type = type, .result = {.code = code, .bytes = bytes}};
	m->works--;
	if (m->conversation)
		feed(m, &event);
	release(m);
}

static void signed_(void *arg, enum err code, const struct err_info *info, const struct gpg_result *r)
{
	struct meeting *m = arg;
	m->signing = NULL;
	if (code && code != ERR_CANCELED)
		log_warn("a link could not be signed: %s", info->text);
	struct bytes *signature = code ? NULL : bytes_ref(r->output);
	result(m, MEMBER_LINK_EVENT_SIGNED, code, bytes_span(signature));
	bytes_unref(signature);
}

static void verified(void *arg, enum err code, const struct err_info *info, const struct gpg_result *r)
{
	struct meeting *m = arg;
	(void)info;
	(void)r;
	m->verifying = NULL;
	result(m, MEMBER_LINK_EVENT_VERIFIED, code, span(NULL, 0));
}

static void vetted(void *arg, enum err code, const struct err_info *info, const struct key_result *r)
{
	struct meeting *m = arg;
	(void)info;
	(void)r;
	m->vetting = NULL;
	result(m, MEMBER_LINK_EVENT_VERIFIED, code, span(NULL, 0));
}

static void sign(struct meeting *m, const struct member_link_action *a)
{
	struct err_info info;
	struct home *home = conversation_discussion(m->conversation)->home;
	const struct gpg_call call = {.gpg = m->engine->gpg, .home = home, .done = signed_, .arg = m};
	m->works++;
	enum err code = home ? gpg_sign_start(&call, a->sign.body, &m->signing, &info) : ERR_WRONG_STATE;
	if (code)
		result(m, MEMBER_LINK_EVENT_SIGNED, code, span(NULL, 0));
}

static void verify(struct meeting *m, const struct member_link_action *a)
{
	struct err_info info;
	struct discussion *d = conversation_discussion(m->conversation);
	const struct gpg_call call = {.gpg = m->engine->gpg, .home = d->home, .done = verified, .arg = m};
	const struct key_call vet = {.gpg = m->engine->gpg, .homes = m->engine->homes, .done = vetted, .arg = m};
	enum err code;
	m->works++;
	if (d->home)
		code = gpg_verify_start(&call, a->verify.body, a->verify.signature, a->verify.signer, &m->verifying, &info);
	else // closed: the home is gone, the member's certificate is not
		code = key_vet_start(&vet, discussion_anyone(d, m->member)->certificate, a->verify.body, a->verify.signature, true,
				     &m->vetting, &info);
	if (code)
		result(m, MEMBER_LINK_EVENT_VERIFIED, code, span(NULL, 0));
}

// --- actions -------------------------------------------------------------------------------------------------------------------------

static void on_deadline(void *arg)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_DEADLINE};
	feed(arg, &event);
}

static void want_seen(struct meeting *m)
{
	struct seen_record *own = mem_alloc(sizeof *own);
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_SEEN, .seen = {.record = own}};
	conversation_fill_seen(m->conversation, own);
	feed(m, &event);
	free(own);
}

static void linked(struct meeting *m, const struct member_link_action *a)
{
	struct conversation *c = m->conversation;
	struct link *link = m->link;
	m->link = NULL;
	finish(m);
	rekeying_heard(c, m->member, a->linked.rekeys);
	conversation_take_link(c, link, discussion_anyone(conversation_discussion(c), m->member)->fingerprint, m->dialled,
			       a->linked.seen);
}

static void ended(struct meeting *m, const struct member_link_action *a)
{
	struct conversation *c = m->conversation;
	enum member_link_end end = a->ended.end;
	log_info("no link with %.8s: %s", discussion_anyone(conversation_discussion(c), m->member)->fingerprint, a->ended.detail);
	finish(m);
	conversation_meeting_ended(c, m->member, m);
	if (end == MEMBER_LINK_END_TOLD || end == MEMBER_LINK_END_BOTH_CLOSED)
		conversation_farewell_told(c, m->member);
	else if (end == MEMBER_LINK_END_ROLLED_BACK)
		conversation_rolled_back(c);
}

static void close_link(struct meeting *m)
{
	if (m->link)
		network_let_go(&m->engine->network, m->link);
	m->link = NULL;
}

static void send(struct meeting *m, const struct member_link_action *a)
{
	if (m->link && link_send(m->link, a->send.kind, a->send.payload))
		log_info("a frame of a new link could not be sent");
}

static void carry_out(struct meeting *m, const struct member_link_action *a)
{
	struct conversation *c = m->conversation;
	switch (a->type) {
	case MEMBER_LINK_SEND:
		send(m, a);
		break;
	case MEMBER_LINK_SET_CIPHER:
		link_set_cipher(m->link, a->cipher.tx, a->cipher.rx);
		// whoever has these keys knows H_0: a member
		link_set_authenticated(m->link);
		break;
	case MEMBER_LINK_DEADLINE:
		if (c)
			timer_start(m->engine->loop, &m->deadline, a->deadline.ms, on_deadline, m);
		break;
	case MEMBER_LINK_CLOSE_LINK:
		close_link(m);
		break;
	case MEMBER_LINK_SIGN:
		sign(m, a);
		break;
	case MEMBER_LINK_VERIFY:
		verify(m, a);
		break;
	case MEMBER_LINK_WANT_SEEN:
		want_seen(m);
		break;
	case MEMBER_LINK_DELIVER:
		if (c)
			conversation_farewell_frame(c, m->member, m, a->frame.kind, bytes_span(a->frame.payload));
		break;
	case MEMBER_LINK_SEND_FAREWELL:
		if (c)
			conversation_farewell_begins(c, m->member, m);
		break;
	case MEMBER_LINK_ACKED:
		if (c)
			conversation_farewell_acked(c, m->member, bytes_span(a->frame.payload));
		break;
	case MEMBER_LINK_LINKED:
		linked(m, a);
		break;
	case MEMBER_LINK_ENDED:
		ended(m, a);
		break;
	}
}

static void feed(struct meeting *m, const struct member_link_event *event)
{
	struct member_link_actions actions;
	if (!m->conversation)
		return;
	member_link_actions_init(&actions);
	member_link_step(m->machine, event, &actions);
	for (size_t i = 0; i < actions.count && m->conversation; i++)
		carry_out(m, &actions.list[i]);
	member_link_actions_fini(&actions);
}

void meeting_ack(struct meeting *m, struct span record)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_ACK, .ack = {.record = record}};
	feed(m, &event);
}

void meeting_farewell_done(struct meeting *m)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_FAREWELL_DONE};
	feed(m, &event);
}

struct link *meeting_link(struct meeting *m)
{
	return m->link;
}

// --- the link ----------------------------------------------------------------------------------------------------------------------

static void on_connected(void *arg)
{
	struct meeting *m = arg;
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_START};
	feed(m, &event);
}

static void on_frame(void *arg, uint8_t kind, struct span payload, bool encrypted)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_FRAME,
						.frame = {.kind = kind, .payload = payload, .encrypted = encrypted}};
	feed(arg, &event);
}

static void on_unreadable(void *arg)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_UNREADABLE};
	feed(arg, &event);
}

static void on_drained(void *arg)
{
	struct meeting *m = arg;
	if (m->conversation)
		conversation_drained(m->conversation, m->member);
}

static void on_ended(void *arg, enum link_end why, const struct err_info *info)
{
	struct meeting *m = arg;
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_LINK_ENDED};
	(void)info;
	if (m->conversation && m->dialled)
		conversation_dial_failed(m->conversation, m->member, &m->source, why);
	feed(m, &event);
}

static const struct link_callbacks link_callbacks = {.connected = on_connected,
						     .frame = on_frame,
						     .unreadable = on_unreadable,
						     .drained = on_drained,
						     .ended = on_ended};

bool meeting_dial(struct conversation *c, size_t member, const struct addr *to)
{
	struct err_info info;
	struct meeting *m = meeting_new(c, member, true);
	m->source = *to;
	if (link_connect(&m->link, c->engine->loop, to, DIAL_TIMEOUT_MS, &link_callbacks, m, &info) == OK)
		return true;
	meeting_cancel(m);
	return false;
}

// Ended with nothing left to tell, and not so long ago that the other side may still be telling (P3.8). Its window is not known here.
static bool is_over(const struct discussion *d)
{
	bool told = d->row.closing ? d->row.told : !discussion_ended_here(d);
	int64_t window = d->life.window_ms > LIFECYCLE_RESUME_WINDOW_MS ? d->life.window_ms : LIFECYCLE_RESUME_WINDOW_MS;
	return discussion_has_ended(d) && told && clock_now_ms(d->engine->clock) - d->row.ended <= window;
}

// No key, no conversation: all of it is one step.
static void answer_over(struct discussion *d, size_t member, struct link *link, const struct member_link_event *l1)
{
	struct engine *e = d->engine;
	struct member_link_config config = config_of(d, member, false);
	struct member_link_actions actions;
	struct store_head head = {0};
	struct err_info info;
	if (store_head_get(e->store, d->row.id, d->row.epoch, config.other, &head, &info))
		log_warn("what has come from %.8s could not be read: %s", config.other, info.text);
	config.ended = true;
	config.held = head.sequence;
	struct member_link *machine = member_link_new(&config);
	member_link_actions_init(&actions);
	member_link_step(machine, l1, &actions);
	for (size_t i = 0; i < actions.count; i++) {
		const struct member_link_action *a = &actions.list[i];
		if (a->type == MEMBER_LINK_SET_CIPHER)
			link_set_cipher(link, a->cipher.tx, a->cipher.rx);
		else if (a->type == MEMBER_LINK_SEND && link_send(link, a->send.kind, a->send.payload))
			log_info("the end of a discussion could not be said again");
	}
	member_link_actions_fini(&actions);
	member_link_free(machine);
	network_let_go(&e->network, link);
}

static void answer_alive(struct conversation *c, size_t member, struct link *link, const struct addr *source, bool known,
			 const struct member_link_event *l1)
{
	struct meeting *m = meeting_new(c, member, false);
	m->link = link;
	m->source = *source;
	m->source_known = known;
	m->half_open = true;
	link_set_callbacks(link, &link_callbacks, m);
	link_set_idle(link, 0);
	feed(m, l1);
}

void meeting_answer(struct engine *e, struct link *link, const struct addr *source, bool known, struct span l1)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_FRAME,
						.frame = {.kind = FRAME_RECORD, .payload = l1}};
	size_t member;
	if (joining_answer(e, link, source, known, l1))
		return;
	for (struct discussion *d = e->discussions.first; d; d = d->next) {
		bool over = is_over(d);
		if ((!over && !d->conversation) || !discussion_matches(d, l1, &member))
			continue;
		if (!over) {
			answer_alive(d->conversation, member, link, source, known, &event);
			return;
		}
		limits_half_open_give(e->neighbours.limits, source, known);
		answer_over(d, member, link, &event);
		return;
	}
	metrics_count(&e->metrics, "links_dropped", "no_discussion");
	limits_half_open_give(e->neighbours.limits, source, known);
	link_free(link);
}
