// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/linking.h"

#include <string.h>

#include "base/log.h"
#include "openpgp/key.h"
#include "shell/shell.h"
#include "wire/frame.h"

#define DIAL_TIMEOUT_MS 5000

// --- life -------------------------------------------------------------------------------------------------------------------

struct member_link_config linking_config(const struct discussion *d, bool dials, const char *other, const char *other_key)
{
	struct member_link_config config = {.side = dials ? MEMBER_LINK_DIALS : MEMBER_LINK_ANSWERS,
					    .random = d->engine->random,
					    .idle_ms = d->engine->options.handshake_timeout_s * 1000};
	memcpy(config.own, discussion_own(d), sizeof config.own);
	memcpy(config.other, other, sizeof config.other);
	memcpy(config.other_key, other_key, sizeof config.other_key);
	return config;
}

void linking_init(struct linking *l, struct discussion *d, const struct member_link_config *config, struct bytes *certificate,
		  const struct linking_owner *owner, void *arg)
{
	*l = (struct linking){.discussion = d,
			      .dialled = config->side == MEMBER_LINK_DIALS,
			      .engine = d->engine,
			      .owner = owner,
			      .arg = arg,
			      .machine = member_link_new(config),
			      .certificate = bytes_ref(certificate)};
}

static void bury(void *arg)
{
	struct linking *l = arg;
	member_link_free(l->machine);
	link_free(l->link);
	bytes_unref(l->certificate);
	l->owner->gone(l->arg);
}

static void release(struct linking *l)
{
	if (!l->discussion && l->works == 0)
		loop_defer(l->engine->loop, &l->burial, bury, l);
}

// The other side has shown who it is, or has had its time.
static void settle(struct linking *l)
{
	timer_cancel(l->engine->loop, &l->deadline);
	if (l->half_open)
		limits_half_open_give(l->engine->neighbours.limits, &l->source, l->source_known);
	l->half_open = false;
}

void linking_end(struct linking *l)
{
	if (!l->discussion)
		return;
	l->discussion = NULL;
	settle(l);
	if (l->signing)
		gpg_op_cancel(l->signing);
	if (l->verifying)
		gpg_op_cancel(l->verifying);
	if (l->vetting)
		key_job_cancel(l->vetting);
	release(l);
}

struct link *linking_take(struct linking *l)
{
	struct link *link = l->link;
	l->link = NULL;
	return link;
}

void linking_let_go(struct linking *l)
{
	struct link *link = linking_take(l);
	if (link)
		network_let_go(&l->engine->network, link);
}

// --- gpg --------------------------------------------------------------------------------------------------------------------

static void result(struct linking *l, enum member_link_event_type type, enum err code, struct span bytes)
{
	const struct member_link_event event = {.type = type, .result = {.code = code, .bytes = bytes}};
	l->works--;
	linking_feed(l, &event);
	release(l);
}

static void signed_(void *arg, enum err code, const struct err_info *info, const struct gpg_result *r)
{
	struct linking *l = arg;
	l->signing = NULL;
	if (code && code != ERR_CANCELED)
		log_warn("a link could not be signed: %s", info->text);
	struct bytes *signature = code ? NULL : bytes_ref(r->output);
	result(l, MEMBER_LINK_EVENT_SIGNED, code, bytes_span(signature));
	bytes_unref(signature);
}

static void verified(void *arg, enum err code, const struct err_info *info, const struct gpg_result *r)
{
	struct linking *l = arg;
	(void)info;
	(void)r;
	l->verifying = NULL;
	result(l, MEMBER_LINK_EVENT_VERIFIED, code, span(NULL, 0));
}

static void vetted(void *arg, enum err code, const struct err_info *info, const struct key_result *r)
{
	struct linking *l = arg;
	(void)info;
	(void)r;
	l->vetting = NULL;
	result(l, MEMBER_LINK_EVENT_VERIFIED, code, span(NULL, 0));
}

static void sign(struct linking *l, const struct member_link_action *a)
{
	struct err_info info;
	struct home *home = l->discussion->home;
	const struct gpg_call call = {.gpg = l->engine->gpg, .home = home, .done = signed_, .arg = l};
	l->works++;
	enum err code = home ? gpg_sign_start(&call, a->sign.body, &l->signing, &info) : ERR_WRONG_STATE;
	if (code)
		result(l, MEMBER_LINK_EVENT_SIGNED, code, span(NULL, 0));
}

static void verify(struct linking *l, const struct member_link_action *a)
{
	struct err_info info;
	struct home *home = l->discussion->home;
	const struct gpg_call call = {.gpg = l->engine->gpg, .home = home, .done = verified, .arg = l};
	const struct key_call vet = {.gpg = l->engine->gpg, .homes = l->engine->homes, .done = vetted, .arg = l};
	enum err code = ERR_WRONG_STATE;
	l->works++;
	if (home)
		code = gpg_verify_start(&call, a->verify.body, a->verify.signature, a->verify.signer, &l->verifying, &info);
	else if (l->certificate)
		code = key_vet_start(&vet, l->certificate, a->verify.body, a->verify.signature, true, &l->vetting, &info);
	if (code)
		result(l, MEMBER_LINK_EVENT_VERIFIED, code, span(NULL, 0));
}

// --- actions ----------------------------------------------------------------------------------------------------------------

static void tell(struct linking *l, enum member_link_event_type type)
{
	const struct member_link_event event = {.type = type};
	linking_feed(l, &event);
}

static void on_deadline(void *arg)
{
	tell(arg, MEMBER_LINK_EVENT_DEADLINE);
}

static void carry_out(struct linking *l, const struct member_link_action *a)
{
	switch (a->type) {
	case MEMBER_LINK_SEND:
		if (l->link && link_send(l->link, a->send.kind, a->send.payload))
			log_info("a frame of a new link could not be sent");
		break;
	case MEMBER_LINK_SET_CIPHER:
		link_set_cipher(l->link, a->cipher.tx, a->cipher.rx);
		link_set_authenticated(l->link); // whoever has these keys knows H_0: a member
		break;
	case MEMBER_LINK_DEADLINE:
		timer_start(l->engine->loop, &l->deadline, a->deadline.ms, on_deadline, l);
		break;
	case MEMBER_LINK_CLOSE_LINK:
		linking_let_go(l);
		break;
	case MEMBER_LINK_SIGN:
		sign(l, a);
		break;
	case MEMBER_LINK_VERIFY:
		verify(l, a);
		break;
	case MEMBER_LINK_LINKED:
		settle(l);
		l->owner->act(l->arg, a);
		break;
	case MEMBER_LINK_WANT_SEEN:
	case MEMBER_LINK_DELIVER:
	case MEMBER_LINK_SEND_FAREWELL:
	case MEMBER_LINK_ACKED:
	case MEMBER_LINK_ENDED:
		l->owner->act(l->arg, a);
		break;
	}
}

void linking_feed(struct linking *l, const struct member_link_event *event)
{
	struct member_link_actions actions;
	if (!l->discussion)
		return;
	member_link_actions_init(&actions);
	member_link_step(l->machine, event, &actions);
	for (size_t i = 0; i < actions.count && l->discussion; i++)
		carry_out(l, &actions.list[i]);
	member_link_actions_fini(&actions);
}

// --- the link ---------------------------------------------------------------------------------------------------------------

static void on_connected(void *arg)
{
	tell(arg, MEMBER_LINK_EVENT_START);
}

static void on_frame(void *arg, uint8_t kind, struct span payload, bool encrypted)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_FRAME,
						.frame = {.kind = kind, .payload = payload, .encrypted = encrypted}};
	linking_feed(arg, &event);
}

static void on_unreadable(void *arg)
{
	tell(arg, MEMBER_LINK_EVENT_UNREADABLE);
}

static void on_drained(void *arg)
{
	struct linking *l = arg;
	if (l->discussion && l->owner->drained)
		l->owner->drained(l->arg);
}

static void on_ended(void *arg, enum link_end why, const struct err_info *info)
{
	struct linking *l = arg;
	(void)info;
	if (l->discussion && l->owner->link_ended)
		l->owner->link_ended(l->arg, why);
	tell(l, MEMBER_LINK_EVENT_LINK_ENDED);
}

static const struct link_callbacks callbacks = {.connected = on_connected,
						.frame = on_frame,
						.unreadable = on_unreadable,
						.drained = on_drained,
						.ended = on_ended};

enum err linking_dial(struct linking *l, const struct addr *to, struct err_info *info)
{
	l->source = *to;
	return link_connect(&l->link, l->engine->loop, to, DIAL_TIMEOUT_MS, &callbacks, l, info);
}

void linking_answer(struct linking *l, struct link *link, const struct addr *source, bool known, struct span l1)
{
	const struct member_link_event event = {.type = MEMBER_LINK_EVENT_FRAME,
						.frame = {.kind = FRAME_RECORD, .payload = l1}};
	l->link = link;
	l->source = *source;
	l->source_known = known;
	l->half_open = true;
	link_set_callbacks(link, &callbacks, l);
	link_set_idle(link, 0);
	linking_feed(l, &event);
}
