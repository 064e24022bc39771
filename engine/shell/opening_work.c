// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/opening_work.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "shell/discussions.h"
#include "shell/shell.h"

static void work_run(struct work *w);

// Where the time of an opening goes: with -v in the log.
static void log_time(const struct work *w, enum err code)
{
	static const char *const names[] = {
		[HANDSHAKE_SEAL_GENERAL] = "seal with the general keys",
		[HANDSHAKE_OPEN_GENERAL] = "open with the general key",
		[HANDSHAKE_SIGN_BINDING] = "sign the binding",
		[HANDSHAKE_VERIFY_BINDING] = "verify the binding",
		[HANDSHAKE_IMPORT_MEMBER] = "import the member's certificate",
		[HANDSHAKE_SEAL_DISCUSSION] = "seal with the discussion keys",
		[HANDSHAKE_OPEN_DISCUSSION] = "open with the discussion key",
	};
	int64_t now = loop_now_ms(w->opening->engine->loop), since = w->opening->asked_ms ? w->opening->asked_ms
											  : w->opening->began_ms;
	log_debug("opening with %.8s: at %lld ms: %s: %s, %lld ms", w->opening->other, (long long)(now - since),
		  names[w->type], err_name(code), (long long)(now - w->began_ms));
}

// It is the other side's turn now: for what comes from there gpg is started meanwhile.
static void expect_answers(struct opening *o)
{
	struct engine *e = o->engine;
	if (o->role == HANDSHAKE_INITIATOR)
		gpg_expect_open(e->gpg, e->identity.home, true);
	if (discussion_home(o->discussion))
		gpg_expect_open(e->gpg, discussion_home(o->discussion), true);
}

static void work_end(struct work *w, enum err code, struct span output)
{
	struct opening *o = w->opening;
	log_time(w, code);
	enum handshake_event_type result = w->result;
	bytes_unref(w->first);
	bytes_unref(w->second);
	w->used = false;
	w->op = NULL;
	o->works_used--;
	if (code && code != ERR_CANCELED)
		imported_forget(&o->engine->imported);
	if (code == OK && w->type == HANDSHAKE_SEAL_GENERAL && !o->over)
		expect_answers(o);
	if (o->over)
		opening_release(o);
	else
		opening_result(o, result, code, output);
}

static void gpg_ended(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct work *w = arg;
	if (code && code != ERR_CANCELED)
		log_debug("opening: gpg work %d: %s", (int)w->type, info->text);
	// the bytes outlive the work: the machine copies what it keeps
	struct bytes *output = code ? NULL : bytes_ref(result->output);
	work_end(w, code, bytes_span(output));
	bytes_unref(output);
}

// --- the other's general certificate in the general home -----------------------------------------------------------------------

static void run_waiting(struct opening *o)
{
	for (size_t i = 0; i < WORKS_MAX; i++)
		if (o->works[i].used && o->works[i].waits) {
			o->works[i].waits = false;
			work_run(&o->works[i]);
		}
}

static void certificate_is_there(struct opening *o)
{
	struct engine *e = o->engine;
	const struct hash hash = hash_of(bytes_span(o->general));
	imported_add(&e->imported, e->identity.home, &hash);
	// M4 comes right after M3 was opened
	if (o->role == HANDSHAKE_RESPONDER && !o->over)
		gpg_expect_seal(e->gpg, e->identity.home, &o->general_info.subkeys[o->general_info.encryption].id, 1, true);
}

static void imported(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct opening *o = arg;
	o->import_op = NULL;
	o->works_used--;
	bool good = code == OK && result->imported_count == 1 &&
		    strcmp(result->imported[0], o->general_info.primary.fingerprint) == 0;
	if (code && code != ERR_CANCELED)
		log_info("opening: the certificate of %s is unusable: %s", o->other, info->text);
	o->import = good ? IMPORT_DONE : IMPORT_FAILED;
	if (good)
		certificate_is_there(o);
	log_debug("opening with %.8s: the general certificate is imported", o->other);
	if (o->over)
		opening_release(o);
	else
		run_waiting(o);
}

void work_use_certificate(struct opening *o, struct bytes *certificate)
{
	struct engine *e = o->engine;
	struct err_info info;
	if (o->import != IMPORT_NONE || !certificate)
		return;
	o->import = IMPORT_FAILED;
	if (certificate_check(bytes_span(certificate), &o->general_info, &info) ||
	    strcmp(o->general_info.primary.fingerprint, o->other) != 0)
		return;
	o->general = bytes_ref(certificate);
	const struct hash hash = hash_of(bytes_span(certificate));
	if (imported_has(&e->imported, e->identity.home, &hash)) {
		o->import = IMPORT_DONE;
		certificate_is_there(o);
		return;
	}
	const struct gpg_call call = {.gpg = e->gpg, .home = e->identity.home, .done = imported, .arg = o};
	if (gpg_import_start(&call, certificate, &o->import_op, &info)) {
		log_warn("opening: %s", info.text);
		return;
	}
	o->import = IMPORT_RUNNING;
	o->works_used++;
}

// --- works ---------------------------------------------------------------------------------------------------------------------

static enum err start(struct work *w, struct err_info *info)
{
	struct opening *o = w->opening;
	struct engine *e = o->engine;
	const struct gpg_call general = {.gpg = e->gpg, .home = e->identity.home, .done = gpg_ended, .arg = w};
	const struct gpg_call own = {.gpg = e->gpg, .home = discussion_home(o->discussion), .done = gpg_ended, .arg = w};
	switch (w->type) {
	case HANDSHAKE_SEAL_GENERAL:
		return gpg_seal_start(&general, w->first,
				      &o->general_info.subkeys[o->general_info.encryption].id, 1, &w->op, info);
	case HANDSHAKE_OPEN_GENERAL:
		return gpg_open_start(&general, w->first,
				      &e->identity.info.subkeys[e->identity.info.encryption].id, 1, o->other, &w->op,
				      info);
	case HANDSHAKE_SIGN_BINDING:
		return gpg_sign_start(&general, w->first, &w->op, info);
	case HANDSHAKE_VERIFY_BINDING:
		return gpg_verify_start(&general, w->first, w->second, o->other, &w->op, info);
	case HANDSHAKE_SEAL_DISCUSSION:
		return gpg_seal_start(&own, w->first, w->keys, w->key_count, &w->op, info);
	case HANDSHAKE_OPEN_DISCUSSION:
		return gpg_open_start(&own, w->first, w->keys, w->key_count, w->signer, &w->op, info);
	default:
		return err_set(info, ERR_INTERNAL, "not a work of gpg: %d", (int)w->type);
	}
}

static bool needs_certificate(enum handshake_action_type type)
{
	return type == HANDSHAKE_SEAL_GENERAL || type == HANDSHAKE_OPEN_GENERAL || type == HANDSHAKE_VERIFY_BINDING;
}

static void work_run(struct work *w)
{
	struct opening *o = w->opening;
	struct err_info info;
	if (needs_certificate(w->type) && o->import == IMPORT_RUNNING) {
		w->waits = true;
		return;
	}
	enum err code = needs_certificate(w->type) && o->import != IMPORT_DONE ? ERR_CRYPTO : start(w, &info);
	if (code)
		work_end(w, code, span(NULL, 0));
}

static struct work *work_new(struct opening *o, enum handshake_action_type type, enum handshake_event_type result)
{
	for (size_t i = 0; i < WORKS_MAX; i++)
		if (!o->works[i].used) {
			o->works[i] = (struct work){.opening = o, .type = type, .result = result, .used = true,
						    .began_ms = loop_now_ms(o->engine->loop)};
			o->works_used++;
			return &o->works[i];
		}
	assert(!"each work is asked for once");
	return NULL;
}

static void take_keys(struct work *w, const char keys[][17], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (key_id_parse(keys[i], &w->keys[i]) == OK)
			w->key_count++;
}

// --- a member's certificate in the discussion's home: walk, import, tell which key it is ----------------------------------------------

static void member_imported(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct work *w = arg;
	struct opening *o = w->opening;
	struct certificate_info walked;
	struct handshake_event event = {.type = HANDSHAKE_EVENT_IMPORTED};
	(void)info;
	log_time(w, code);
	if (code == OK)
		code = discussion_certificate_check(bytes_span(w->first), &walked, NULL);
	// cppcheck-suppress nullPointer ; there is a result where the code is OK
	if (code == OK && (result->imported_count != 1 || strcmp(result->imported[0], walked.primary.fingerprint) != 0))
		code = ERR_CRYPTO;
	event.imported.code = code;
	if (code == OK) {
		memcpy(event.imported.fingerprint, walked.primary.fingerprint, sizeof event.imported.fingerprint);
		key_id_format(walked.subkeys[walked.encryption].id, event.imported.key);
	}
	bytes_unref(w->first);
	w->used = false;
	o->works_used--;
	if (o->over)
		opening_release(o);
	else
		opening_feed(o, &event);
}

static void import_member(struct opening *o, struct bytes *certificate)
{
	struct certificate_info walked;
	struct err_info info;
	struct work *w = work_new(o, HANDSHAKE_IMPORT_MEMBER, HANDSHAKE_EVENT_IMPORTED);
	const struct gpg_call call = {.gpg = o->engine->gpg, .home = discussion_home(o->discussion), .done = member_imported, .arg = w};
	w->first = bytes_ref(certificate);
	enum err code = discussion_certificate_check(bytes_span(certificate), &walked, &info);
	if (code == OK)
		code = gpg_import_start(&call, certificate, &w->op, &info);
	if (code)
		member_imported(w, code, &info, NULL);
}

void work_begin(struct opening *o, const struct handshake_action *a)
{
	struct work *w;
	switch (a->type) {
	case HANDSHAKE_SEAL_GENERAL:
		work_use_certificate(o, a->seal_general.certificate);
		w = work_new(o, a->type, HANDSHAKE_EVENT_GENERAL_SEALED);
		w->first = bytes_ref(a->seal_general.plaintext);
		break;
	case HANDSHAKE_OPEN_GENERAL:
		work_use_certificate(o, a->open_general.certificate);
		w = work_new(o, a->type, HANDSHAKE_EVENT_GENERAL_OPENED);
		w->first = bytes_ref(a->open_general.message);
		break;
	case HANDSHAKE_SIGN_BINDING:
		w = work_new(o, a->type, HANDSHAKE_EVENT_BINDING_SIGNED);
		w->first = bytes_ref(a->sign.body);
		break;
	case HANDSHAKE_VERIFY_BINDING:
		work_use_certificate(o, a->verify.certificate);
		w = work_new(o, a->type, HANDSHAKE_EVENT_BINDING_VERIFIED);
		w->first = bytes_ref(a->verify.body);
		w->second = bytes_ref(a->verify.signature);
		break;
	case HANDSHAKE_SEAL_DISCUSSION:
		w = work_new(o, a->type, HANDSHAKE_EVENT_DISCUSSION_SEALED);
		w->first = bytes_ref(a->seal_discussion.plaintext);
		take_keys(w, a->seal_discussion.keys, a->seal_discussion.count);
		break;
	case HANDSHAKE_OPEN_DISCUSSION:
		w = work_new(o, a->type, HANDSHAKE_EVENT_DISCUSSION_OPENED);
		w->first = bytes_ref(a->open_discussion.message);
		memcpy(w->signer, a->open_discussion.signer, sizeof w->signer);
		take_keys(w, a->open_discussion.keys, a->open_discussion.count);
		break;
	case HANDSHAKE_IMPORT_MEMBER:
		import_member(o, a->import.certificate);
		return;
	default:
		return;
	}
	work_run(w);
}

void work_cancel_all(struct opening *o)
{
	if (o->import_op)
		gpg_op_cancel(o->import_op);
	for (size_t i = 0; i < WORKS_MAX; i++) {
		struct work *w = &o->works[i];
		if (!w->used)
			continue;
		if (w->op) {
			gpg_op_cancel(w->op);
		} else { // it still waits for the certificate
			bytes_unref(w->first);
			bytes_unref(w->second);
			w->used = false;
			o->works_used--;
		}
	}
}
