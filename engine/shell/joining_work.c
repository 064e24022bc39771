// SPDX-License-Identifier: GPL-3.0-or-later
// What a joining machine asks of gpg: members' certificates into the discussion's home, the own signatures, and the checks.
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "openpgp/key.h"
#include "shell/joining_parts.h"
#include "shell/shell.h"

struct joining_task {
	struct candidacy *candidacy; // NULL: stopped
	struct joining_task *next, **link;
	enum joining_action_type type;
	uint64_t ticket;
	struct gpg_op *op;
	struct key_job *job;
	struct certificate_info certificate; // IMPORT
};

static struct joining_task *task_new(struct candidacy *c, const struct joining_action *a)
{
	struct joining_task *t = mem_alloc(sizeof *t);
	t->candidacy = c;
	t->type = a->type;
	t->ticket = a->ticket;
	t->next = c->tasks;
	t->link = &c->tasks;
	if (t->next)
		t->next->link = &t->next;
	c->tasks = t;
	return t;
}

static void task_end(struct joining_task *t, enum err code, struct bytes *bytes)
{
	struct candidacy *c = t->candidacy;
	char id[KEY_ID_TEXT] = "";
	struct joining_event event = {.type = JOINING_EVENT_RESULT,
				      .result = {.ticket = t->ticket, .code = code, .bytes = bytes}};
	if (c) {
		*t->link = t->next;
		if (t->next)
			t->next->link = t->link;
	}
	if (t->type == JOINING_IMPORT && code == OK) {
		key_id_format(t->certificate.subkeys[t->certificate.encryption].id, id);
		event.result.fingerprint = t->certificate.primary.fingerprint;
		event.result.id = id;
	}
	if (c)
		candidacy_feed(c, &event);
	free(t);
}

static void gpg_ended(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct joining_task *t = arg;
	t->op = NULL;
	if (code && code != ERR_CANCELED)
		log_info("joining: %s", info->text);
	bool signs = t->type == JOINING_SIGN_BINDING || t->type == JOINING_SIGN_JOIN;
	if (code == OK && t->type == JOINING_IMPORT &&
	    (result->imported_count != 1 || strcmp(result->imported[0], t->certificate.primary.fingerprint) != 0))
		code = ERR_CRYPTO;
	struct bytes *bytes = code == OK && signs ? bytes_ref(result->output) : NULL;
	task_end(t, code, bytes);
	bytes_unref(bytes);
}

static void vetted(void *arg, enum err code, const struct err_info *info, const struct key_result *result)
{
	struct joining_task *t = arg;
	(void)result;
	t->job = NULL;
	if (code && code != ERR_CANCELED)
		log_info("joining: %s", info->text);
	task_end(t, code, NULL);
}

// Whether the certificate is that signer's, and where a key id is given, a discussion key's with it.
static enum err look_at(const struct joining_action *a, struct err_info *info)
{
	struct certificate_info found;
	char id[KEY_ID_TEXT];
	struct span certificate = bytes_span(a->check.certificate);
	enum err code = a->check.id[0] ? discussion_certificate_check(certificate, &found, info)
				       : certificate_check(certificate, &found, info);
	if (code)
		return code;
	key_id_format(found.subkeys[found.encryption].id, id);
	if (a->check.signer[0] && strcmp(found.primary.fingerprint, a->check.signer) != 0)
		return err_set(info, ERR_CRYPTO, "the certificate is somebody else's");
	if (a->check.id[0] && strcmp(id, a->check.id) != 0)
		return err_set(info, ERR_CRYPTO, "the certificate has another key");
	return OK;
}

static enum err start(struct joining_task *t, const struct joining_action *a, struct err_info *info)
{
	struct engine *e = t->candidacy->engine;
	struct home *own = t->candidacy->discussion->home;
	const struct gpg_call here = {.gpg = e->gpg, .home = own, .done = gpg_ended, .arg = t};
	const struct gpg_call general = {.gpg = e->gpg, .home = e->identity.home, .done = gpg_ended, .arg = t};
	const struct key_call vet = {.gpg = e->gpg, .homes = e->homes, .done = vetted, .arg = t};
	enum err code;
	switch (a->type) {
	case JOINING_SIGN_BINDING:
		return gpg_sign_start(&general, a->sign.body, &t->op, info);
	case JOINING_VET:
		code = look_at(a, info);
		return code ? code
			    : key_vet_start(&vet, a->check.certificate, a->check.body, a->check.signature, true, &t->job, info);
	default:
		break;
	}
	if (!own)
		return err_set(info, ERR_WRONG_STATE, "the discussion's key is gone");
	if (a->type == JOINING_SIGN_JOIN)
		return gpg_sign_start(&here, a->sign.body, &t->op, info);
	if (a->type == JOINING_VERIFY)
		return gpg_verify_start(&here, a->check.body, a->check.signature, a->check.signer, &t->op, info);
	code = discussion_certificate_check(bytes_span(a->import.certificate), &t->certificate, info);
	return code ? code : gpg_import_start(&here, a->import.certificate, &t->op, info);
}

void joining_work_begin(struct candidacy *c, const struct joining_action *a)
{
	struct err_info info;
	struct joining_task *t = task_new(c, a);
	enum err code = start(t, a, &info);
	if (code == OK)
		return;
	log_info("joining: %s", info.text);
	task_end(t, code, NULL);
}

void joining_work_cancel(struct candidacy *c)
{
	while (c->tasks) {
		struct joining_task *t = c->tasks;
		c->tasks = t->next;
		if (t->next)
			t->next->link = &c->tasks;
		t->candidacy = NULL;
		if (t->op)
			gpg_op_cancel(t->op);
		else if (t->job)
			key_job_cancel(t->job);
	}
}
