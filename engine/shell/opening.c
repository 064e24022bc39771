// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/opening.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "shell/conversation.h"
#include "shell/opening_work.h"
#include "shell/proving.h"
#include "shell/shell.h"

#define DIAL_TIMEOUT_MS 5000

// --- life ------------------------------------------------------------------------------------------------------------------------

struct opening *opening_new(struct engine *e, enum handshake_role role)
{
	struct opening *o = mem_alloc(sizeof *o);
	o->engine = e;
	o->role = role;
	o->began_ms = loop_now_ms(e->loop);
	o->next = e->discussions.openings;
	o->link_in_list = &e->discussions.openings;
	if (o->next)
		o->next->link_in_list = &o->next;
	e->discussions.openings = o;
	return o;
}

static void bury(void *arg)
{
	struct opening *o = arg;
	*o->link_in_list = o->next;
	if (o->next)
		o->next->link_in_list = o->link_in_list;
	handshake_free(o->machine);
	link_free(o->link);
	secret_unref(o->password);
	bytes_unref(o->general);
	free(o);
}

void opening_release(struct opening *o)
{
	if (o->over && o->works_used == 0)
		loop_defer(o->engine->loop, &o->turn, bury, o);
}

// Nothing more comes of it; what is under way is cancelled, and then it goes away.
void opening_finish(struct opening *o)
{
	struct engine *e = o->engine;
	o->over = true;
	if (o->discussion)
		o->discussion->opening = NULL;
	timer_cancel(e->loop, &o->deadline);
	spare_cancel(&o->key_waiter);
	if (o->proof)
		neighbours_prove_cancel(o->proof);
	o->proof = NULL;
	if (o->half_open)
		limits_half_open_give(e->neighbours.limits, &o->source, o->source_known);
	if (o->request_slot)
		limits_request_give(e->neighbours.limits, o->other);
	o->half_open = o->request_slot = false;
	if (o->reach)
		key_job_cancel(o->reach);
	work_cancel_all(o);
	fresh_key_fini(&o->key);
	opening_release(o);
}

void opening_free(struct opening *o)
{
	link_free(o->link);
	o->link = NULL;
	opening_finish(o);
}

enum handshake_mode opening_mode(const struct opening *o)
{
	return o->mode;
}

const char *opening_other(const struct opening *o)
{
	return o->other;
}

struct bytes *opening_general(const struct opening *o)
{
	return o->general;
}

struct discussion *opening_discussion(const struct opening *o)
{
	return o->discussion;
}

struct opening *opening_next(const struct opening *o)
{
	return o->next;
}

bool opening_asks(const struct opening *o)
{
	return o->role == HANDSHAKE_INITIATOR && !o->over;
}

bool opening_is_request(const struct opening *o)
{
	return o->role == HANDSHAKE_RESPONDER && o->shown && !o->over;
}

enum lifecycle_reason opening_reason(enum handshake_reason reason)
{
	static const enum lifecycle_reason reasons[HANDSHAKE_REASON_COUNT] = {
		[HANDSHAKE_REASON_REFUSED] = LIFECYCLE_REASON_REFUSED,
		[HANDSHAKE_REASON_BUSY] = LIFECYCLE_REASON_BUSY,
		[HANDSHAKE_REASON_EXPIRED] = LIFECYCLE_REASON_EXPIRED,
		[HANDSHAKE_REASON_SUPERSEDED] = LIFECYCLE_REASON_SUPERSEDED,
		[HANDSHAKE_REASON_FAILED] = LIFECYCLE_REASON_FAILED,
		[HANDSHAKE_REASON_LOST] = LIFECYCLE_REASON_LOST,
	};
	return reasons[reason];
}

void opening_refused(struct opening *o, enum lifecycle_reason why, const char *detail)
{
	const char *reason = lifecycle_reason_name(why);
	struct discussion *d = o->discussion;
	log_info("opening with %.8s ended: %s (%s)", o->other, reason, detail);
	metrics_count(&o->engine->metrics, "openings_refused", reason);
	opening_finish(o);
	if (d)
		discussion_happens(d, LIFECYCLE_END, why);
	discussions_request_ended(o->engine, o->other);
}

// --- the link ------------------------------------------------------------------------------------------------------------------

static void on_frame(void *arg, uint8_t kind, struct span payload, bool encrypted)
{
	const struct handshake_event event = {.type = HANDSHAKE_EVENT_FRAME,
					      .frame = {.kind = kind, .payload = payload, .encrypted = encrypted}};
	opening_feed(arg, &event);
}

static void on_unreadable(void *arg)
{
	const struct handshake_event event = {.type = HANDSHAKE_EVENT_UNREADABLE};
	opening_feed(arg, &event);
}

static void on_connected(void *arg)
{
	struct opening *o = arg;
	const struct handshake_event event = {.type = HANDSHAKE_EVENT_START};
	o->connected = true;
	neighbours_confirm(&o->engine->neighbours, o->other, link_remote(o->link));
	log_debug("opening with %.8s: connected after %lld ms", o->other,
		  (long long)(loop_now_ms(o->engine->loop) - o->began_ms));
	opening_feed(o, &event);
}

static void on_ended(void *arg, enum link_end why, const struct err_info *info)
{
	struct opening *o = arg;
	const struct handshake_event event = {.type = HANDSHAKE_EVENT_LINK_ENDED};
	if (o->role == HANDSHAKE_INITIATOR && !o->connected) {
		log_info("opening with %.8s: no link: %s", o->other, info ? info->text : link_end_name(why));
		neighbours_failed(&o->engine->neighbours, o->other, link_remote(o->link));
		link_free(o->link);
		o->link = NULL;
		opening_dial(o);
		return;
	}
	opening_feed(o, &event);
}

const struct link_callbacks opening_link_callbacks = {
	.connected = on_connected, .frame = on_frame, .unreadable = on_unreadable, .ended = on_ended};

static void try_dial(void *arg)
{
	struct opening *o = arg;
	struct err_info info;
	while (o->next_address < o->addresses.count) {
		struct addr to = o->addresses.at[o->next_address++].endpoint;
		if (link_connect(&o->link, o->engine->loop, &to, DIAL_TIMEOUT_MS, &opening_link_callbacks, o, &info) == OK)
			return;
	}
	opening_refused(o, LIFECYCLE_REASON_UNREACHABLE, o->addresses.count ? "no address answered" : "no address is known");
}

void opening_dial(struct opening *o)
{
	loop_defer(o->engine->loop, &o->turn, try_dial, o);
}

// --- actions other than gpg's ---------------------------------------------------------------------------------------------------

void opening_result(struct opening *o, enum handshake_event_type type, enum err code, struct span bytes)
{
	const struct handshake_event event = {.type = type, .result = {.code = code, .bytes = bytes}};
	opening_feed(o, &event);
}

static void on_deadline(void *arg)
{
	const struct handshake_event event = {.type = HANDSHAKE_EVENT_DEADLINE};
	opening_feed(arg, &event);
}

static void send(struct opening *o, const struct handshake_action *a)
{
	if (!o->link)
		return;
	enum err code = link_send(o->link, a->send.kind, a->send.payload);
	if (code)
		log_info("opening with %.8s: a frame could not be sent: %s", o->other, err_name(code));
}

static void look_up(struct opening *o, const struct handshake_action *a)
{
	struct engine *e = o->engine;
	struct handshake_event event = {.type = HANDSHAKE_EVENT_LOOKED_UP};
	const struct peer *p = neighbours_get(&e->neighbours, a->look_up.other);
	const struct certificate_entry *keys = certificates_get(&e->neighbours.certificates, a->look_up.other);
	memcpy(o->other, a->look_up.other, sizeof o->other);
	o->mode = a->look_up.mode;
	event.looked_up.held = discussions_get(&e->discussions, a->look_up.id) != NULL;
	event.looked_up.pinned = p && p->pinned;
	if (keys && keys->certificate) {
		struct hash h = hash_of(bytes_span(keys->certificate));
		if (hash_equal(&h, &a->look_up.general))
			event.looked_up.general = bytes_span(keys->certificate);
	}
	opening_feed(o, &event);
}

static void check_certificate(struct opening *o, const struct handshake_action *a)
{
	struct certificate_info walked;
	struct err_info info;
	enum err code = certificate_check(bytes_span(a->certificate.certificate), &walked, &info);
	if (code == OK && strcmp(walked.primary.fingerprint, a->certificate.other) != 0)
		code = ERR_CRYPTO;
	opening_result(o, HANDSHAKE_EVENT_CERTIFICATE_CHECKED, code, span(NULL, 0));
}

static void proved(void *arg, enum err code, const uint8_t key[PRESENCE_KEY_LEN])
{
	struct opening *o = arg;
	o->proof = NULL;
	(void)key;
	opening_result(o, HANDSHAKE_EVENT_PROVED, code, span(NULL, 0));
}

static void prove(struct opening *o, const struct handshake_action *a)
{
	struct presence_parts parts = {.record = a->prove.record, .certification = a->prove.certification};
	memcpy(parts.signature, a->prove.signature, sizeof parts.signature);
	o->proof = neighbours_prove(&o->engine->neighbours, a->prove.other, &parts, a->prove.certificate, &o->source, proved, o);
}

static void spend_guess(struct opening *o)
{
	enum err code = o->mode == HANDSHAKE_PASSWORD ? discussions_guess_spend(o->engine, o->other) : OK;
	opening_result(o, HANDSHAKE_EVENT_GUESS_SPENT, code, span(NULL, 0));
}

static bool may_request(struct opening *o)
{
	struct engine *e = o->engine;
	const struct peer *p = neighbours_get(&e->neighbours, o->other);
	if (o->mode == HANDSHAKE_PASSWORD && discussions_guess_wait_ms(e, o->other) > 0)
		return false;
	o->request_slot = limits_request_take(e->neighbours.limits, o->other, p && p->known) == LIMIT_PASS;
	return o->request_slot;
}

static void show_request(struct opening *o, const struct handshake_action *a)
{
	struct engine *e = o->engine;
	struct err_info info;
	struct discussion_birth birth = {.id = a->request.id,
					 .other = o->other,
					 .responder = true,
					 .mode = o->mode,
					 .charter = (const char *)a->request.charter->data};
	// budget and slots are looked at here, where the asker is proven to be who it says: an M1 alone could be anybody's
	if (!may_request(o)) {
		opening_end(o, HANDSHAKE_REASON_BUSY);
		return;
	}
	o->shown = true;
	if (o->half_open)
		limits_half_open_give(e->neighbours.limits, &o->source, o->source_known);
	o->half_open = false;
	o->asked_ms = loop_now_ms(e->loop);
	if (discussion_create(e, &birth, &o->discussion, &info)) {
		log_warn("a request of %.8s could not be kept: %s", o->other, info.text);
		opening_end(o, HANDSHAKE_REASON_BUSY);
		return;
	}
	o->discussion->opening = o;
	opening_decide(o);
}

static void commit_opening(struct opening *o, const struct handshake_action *a)
{
	struct err_info info;
	enum err code = discussion_commit_opening(o->discussion, a, &info);
	if (code)
		log_warn("the discussion %.8s could not be stored: %s", o->discussion->row.id, info.text);
	// P2.9: the own request to the same person ends now that this one's password has been proved
	struct opening *own = discussions_own_request(o->engine, o->other, o);
	if (code == OK && own)
		opening_end(own, HANDSHAKE_REASON_SUPERSEDED);
	opening_result(o, HANDSHAKE_EVENT_COMMITTED, code, span(NULL, 0));
}

static void opened(struct opening *o)
{
	struct discussion *d = o->discussion;
	struct link *link = o->link;
	char other[41];
	memcpy(other, o->other, sizeof other);
	log_info("the discussion %.8s with %.8s is open, %lld ms after it began", d->row.id, other,
		 (long long)(loop_now_ms(o->engine->loop) - (o->asked_ms ? o->asked_ms : o->began_ms)));
	o->link = NULL;
	bool dialled = o->role == HANDSHAKE_INITIATOR;
	opening_finish(o);
	link_resume(link); // held since the other's READY
	discussion_opened(d, link, other, dialled);
}

static void left(struct opening *o)
{
	struct discussion *d = o->discussion;
	opening_finish(o);
	conversation_start(d);
	discussion_happens(d, LIFECYCLE_LEFT, LIFECYCLE_NO_REASON);
}

// --- the machine ---------------------------------------------------------------------------------------------------------------

static void carry_out(struct opening *o, const struct handshake_action *a)
{
	switch (a->type) {
	case HANDSHAKE_SEND:
		send(o, a);
		break;
	case HANDSHAKE_SET_CIPHER:
		link_set_cipher(o->link, a->cipher.tx, a->cipher.rx);
		break;
	case HANDSHAKE_DEADLINE:
		timer_start(o->engine->loop, &o->deadline, a->deadline.ms, on_deadline, o);
		break;
	case HANDSHAKE_CLOSE_LINK:
		// it brings out what was sent, and ends on its own
		if (o->link)
			network_let_go(&o->engine->network, o->link);
		o->link = NULL;
		break;
	case HANDSHAKE_HOLD_LINK:
		if (o->link)
			link_pause(o->link);
		break;
	case HANDSHAKE_LOOK_UP:
		look_up(o, a);
		break;
	case HANDSHAKE_CHECK_CERTIFICATE:
		check_certificate(o, a);
		break;
	case HANDSHAKE_PROVE:
		prove(o, a);
		break;
	case HANDSHAKE_REQUEST:
		show_request(o, a);
		break;
	case HANDSHAKE_SPEND_GUESS:
		spend_guess(o);
		break;
	case HANDSHAKE_RESTORE_GUESSES:
		if (o->mode == HANDSHAKE_PASSWORD)
			discussions_guesses_restore(o->engine, o->other);
		break;
	case HANDSHAKE_COMMIT_OPENING:
		commit_opening(o, a);
		break;
	case HANDSHAKE_OPENED:
		opened(o);
		break;
	case HANDSHAKE_LEFT:
		left(o);
		break;
	case HANDSHAKE_REFUSED:
		opening_refused(o, opening_reason(a->refused.reason), a->refused.detail);
		break;
	default:
		work_begin(o, a);
	}
}

void opening_feed(struct opening *o, const struct handshake_event *event)
{
	struct handshake_actions actions;
	if (!o->machine)
		return;
	handshake_actions_init(&actions);
	handshake_step(o->machine, event, &actions);
	// a result that came back at once may have ended it: what was left to do is void
	for (size_t i = 0; i < actions.count && !o->over; i++)
		carry_out(o, &actions.list[i]);
	handshake_actions_fini(&actions);
}
