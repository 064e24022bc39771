// SPDX-License-Identifier: GPL-3.0-or-later
// A JOIN is checked by every member before it counts (§5, 2): what it says (discussion/admission.h), and in throw-away homes that its
// discussion key has signed it and its general key has bound that.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "discussion/admission.h"
#include "net/addr.h"
#include "openpgp/key.h"
#include "shell/invitation.h"
#include "shell/shell.h"

struct admission_check {
	struct admission admission;
	struct key_job *jobs[2]; // NULL: done
	size_t left;
	enum err code; // the first that failed
	struct err_info info;
	admission_done *done; // NULL: cancelled
	void *arg;
};

// --- what it says -----------------------------------------------------------------------------------------------------------

// Where the candidate said it can be reached; its record may be older than it would be worth elsewhere.
static void take_addresses(const struct join_record *join, struct store_addresses *out)
{
	struct presence_record r;
	if (presence_parts_open(&join->presence, &r, NULL) || strcmp(r.fingerprint, join->author) != 0)
		return;
	for (size_t i = 0; i < r.endpoint_count && out->count < STORE_ADDRESSES_MAX; i++) {
		struct addr at;
		if (addr_parse(&at, r.endpoints[i], NULL) == OK)
			addr_format(&at, out->text[out->count++]);
	}
}

enum err admission_certificates(const struct op *op, const struct join_record *join, struct certificate_info *discussion,
				struct err_info *info)
{
	struct certificate_info general;
	char key[KEY_ID_TEXT];
	enum err code = discussion_certificate_check(bytes_span(join->certificate), discussion, info);
	if (code == OK)
		code = certificate_check(bytes_span(join->general), &general, info);
	if (code)
		return code;
	key_id_format(discussion->subkeys[discussion->encryption].id, key);
	if (strcmp(key, op->candidate.key) != 0)
		return err_set(info, ERR_BAD_INPUT, "the JOIN's certificate has another key");
	if (strcmp(general.primary.fingerprint, op->candidate.fingerprint) != 0)
		return err_set(info, ERR_BAD_INPUT, "the JOIN's general certificate is somebody else's");
	return OK;
}

enum err admission_member(struct engine *e, const struct op *op, struct store_member *out, struct err_info *info)
{
	struct envelope parts;
	struct join_record join;
	struct certificate_info discussion;
	if (op->kind != OP_ADMIT)
		return err_set(info, ERR_BAD_INPUT, "nobody is admitted by that");
	enum err code = envelope_decode(&parts, bytes_span(op->join), info);
	if (code)
		return code;
	code = join_decode(&join, bytes_span(parts.body), info);
	envelope_fini(&parts);
	if (code)
		return code;
	code = admission_certificates(op, &join, &discussion, info);
	if (code == OK) {
		memcpy(out->fingerprint, op->candidate.fingerprint, sizeof out->fingerprint);
		memcpy(out->certificate_fingerprint, discussion.primary.fingerprint, sizeof out->certificate_fingerprint);
		memcpy(out->key_id, op->candidate.key, sizeof out->key_id);
		out->certificate = bytes_ref(join.certificate);
		out->binding = bytes_ref(join.binding);
		out->general = bytes_ref(join.general);
		out->verified = neighbours_is_pinned(&e->neighbours, out->fingerprint);
		take_addresses(&join, &out->addresses);
	}
	join_fini(&join);
	return code;
}

void admission_introduce(struct engine *e, const struct op *op, const struct addr *from)
{
	struct envelope parts;
	struct join_record join;
	if (envelope_decode(&parts, bytes_span(op->join), NULL))
		return;
	if (join_decode(&join, bytes_span(parts.body), NULL) == OK) {
		neighbours_introduce(&e->neighbours, op->candidate.fingerprint, &join.presence, bytes_span(join.general), from);
		join_fini(&join);
	}
	envelope_fini(&parts);
}

// --- whether it holds -------------------------------------------------------------------------------------------------------

static void release(struct admission_check *a)
{
	if (a->left)
		return;
	if (a->done)
		a->done(a->arg, a->code, &a->info);
	admission_fini(&a->admission);
	free(a);
}

static void vetted(struct admission_check *a, size_t which, enum err code, const struct err_info *info)
{
	a->jobs[which] = NULL;
	a->left--;
	if (code && a->code == OK) {
		a->code = code;
		(void)err_set(&a->info, code, which ? "the candidate's general key has not bound that: %s"
						    : "the JOIN is not signed by its key: %s",
			      info->text);
	}
	release(a);
}

static void on_envelope(void *arg, enum err code, const struct err_info *info, const struct key_result *result)
{
	(void)result;
	vetted(arg, 0, code, info);
}

static void on_binding(void *arg, enum err code, const struct err_info *info, const struct key_result *result)
{
	(void)result;
	vetted(arg, 1, code, info);
}

static enum err start(struct engine *e, struct admission_check *a, struct err_info *info)
{
	struct key_call call = {.gpg = e->gpg, .homes = e->homes, .done = on_envelope, .arg = a};
	const struct admission *x = &a->admission;
	enum err code = key_vet_start(&call, x->join.certificate, x->input, x->signature, true, &a->jobs[0], info);
	if (code)
		return code;
	a->left++;
	call.done = on_binding;
	code = key_vet_start(&call, x->join.general, x->binding_input, x->join.binding, true, &a->jobs[1], info);
	if (code == OK)
		a->left++;
	return code;
}

enum err admission_check_start(struct discussion *d, const struct op *op, admission_done *done, void *arg,
			       struct admission_check **out, struct err_info *info)
{
	struct certificate_info discussion;
	struct admission_check *a = mem_alloc(sizeof *a);
	enum err code = admission_read(op, &d->roster, &d->roster_hash, &a->admission, info);
	if (code == OK)
		code = admission_certificates(op, &a->admission.join, &discussion, info);
	if (code == OK)
		code = start(d->engine, a, info);
	if (code == OK) {
		a->done = done;
		a->arg = arg;
		*out = a;
	} else if (a->left) { // one of two is under way
		admission_check_cancel(a);
	} else {
		admission_fini(&a->admission);
		free(a);
	}
	return code;
}

void admission_check_cancel(struct admission_check *a)
{
	a->done = NULL;
	for (size_t i = 0; i < 2; i++)
		if (a->jobs[i])
			key_job_cancel(a->jobs[i]);
}
