// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/proving.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "openpgp/key.h"
#include "shell/opening.h"
#include "shell/shell.h"

struct proof {
	struct neighbours *neighbours;
	struct proof *next, **link;
	char fingerprint[41];
	uint8_t key[PRESENCE_KEY_LEN];
	int64_t since_ms;
	enum err code; // of one that is decided
	bool has_key;
	proof_done *done;
	void *arg;
	struct deferred turn;
};

struct vetting {
	struct neighbours *neighbours; // NULL once cancelled
	struct vetting *next, **link;
	const struct prove_check *check;
	struct key_job *job;
};

static void proving_next(void *arg);

// --- who waits -------------------------------------------------------------------------------------------------------------------

static struct proof *proof_new(struct neighbours *n, proof_done *done, void *arg)
{
	struct proof *p = mem_alloc(sizeof *p);
	p->neighbours = n;
	p->done = done;
	p->arg = arg;
	p->next = n->proofs;
	p->link = &n->proofs;
	if (p->next)
		p->next->link = &p->next;
	n->proofs = p;
	return p;
}

void neighbours_prove_cancel(struct proof *p)
{
	deferred_cancel(p->neighbours->engine->loop, &p->turn);
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	free(p);
}

static void proof_end(struct proof *p, enum err code)
{
	struct proof copy = *p;
	neighbours_prove_cancel(p);
	copy.done(copy.arg, code, copy.key);
}

static void decided(void *arg)
{
	struct proof *p = arg;
	proof_end(p, p->code);
}

struct proof *proof_wait(struct neighbours *n, const struct presence_record *r, proof_done *done, void *arg)
{
	struct proof *p = proof_new(n, done, arg);
	memcpy(p->fingerprint, r->fingerprint, sizeof p->fingerprint);
	memcpy(p->key, r->key, sizeof p->key);
	p->since_ms = r->since_ms;
	return p;
}

struct proof *proof_decided(struct neighbours *n, enum err code, const uint8_t *key, proof_done *done, void *arg)
{
	struct proof *p = proof_new(n, done, arg);
	if (key)
		memcpy(p->key, key, sizeof p->key);
	p->code = code;
	loop_defer(n->engine->loop, &p->turn, decided, p);
	return p;
}

static void tell(struct neighbours *n, const struct prove_check *check, enum err code)
{
	struct proof *p = n->proofs;
	while (p) {
		struct proof *next = p->next;
		if (!p->turn.link && strcmp(p->fingerprint, check->fingerprint) == 0 && p->since_ms == check->since_ms &&
		    memcmp(p->key, check->key, sizeof p->key) == 0) {
			// not from inside gpg's callback: the owner may do anything
			p->code = code;
			loop_defer(n->engine->loop, &p->turn, decided, p);
		}
		p = next;
	}
}

// --- checks ----------------------------------------------------------------------------------------------------------------------

static void take_verdict(struct neighbours *n, const struct prove_check *check, enum err code)
{
	bool bad = code == ERR_CRYPTO || code == ERR_BAD_INPUT || code == ERR_TOO_LARGE;
	int64_t now = clock_now_ms(n->engine->clock);
	if (code == OK) {
		struct certificate_entry *keys = certificates_make(&n->certificates, check->fingerprint);
		certificates_set(&keys->certificate, bytes_span(check->certificate));
		certificates_set(&keys->certification, bytes_span(check->certification));
		struct peer_outcome o =
			peer_table_proven(n->table, check->fingerprint, check->key, check->since_ms, now);
		neighbours_proven(n, check->fingerprint, &o);
	} else if (bad) {
		log_info("the certification of %.8s's presence key does not hold", check->fingerprint);
		neighbours_disproven(n, check);
		metrics_count(&n->engine->metrics, "certifications_refused", NULL);
	}
	tell(n, check, code);
	char fingerprint[41];
	memcpy(fingerprint, check->fingerprint, sizeof fingerprint);
	prove_done(n->prove, check, code == OK ? PROVE_GOOD : bad ? PROVE_BAD : PROVE_UNDECIDED);
	openings_peer_proven(n->engine, fingerprint);
}

static void vetted(void *arg, enum err code, const struct err_info *info, const struct key_result *result)
{
	struct vetting *v = arg;
	struct neighbours *n = v->neighbours;
	(void)info;
	(void)result;
	if (n) {
		*v->link = v->next;
		if (v->next)
			v->next->link = v->link;
		take_verdict(n, v->check, code);
		proving_next(n);
	}
	free(v);
}

static enum err start(struct neighbours *n, const struct prove_check *check)
{
	struct engine *e = n->engine;
	struct err_info info;
	struct buf text;
	struct vetting *v = mem_alloc(sizeof *v);
	const struct key_call call = {.gpg = e->gpg, .homes = e->homes, .done = vetted, .arg = v};
	buf_init(&text, 1024);
	enum err code = presence_certification_input(&text, check->fingerprint, check->key, check->since_ms);
	struct bytes *input = buf_take(&text);
	if (code == OK)
		code = key_vet_start(&call, check->certificate, input, check->certification, check->known, &v->job, &info);
	bytes_unref(input);
	if (code) {
		free(v);
		return code;
	}
	v->neighbours = n;
	v->check = check;
	v->next = n->vettings;
	v->link = &n->vettings;
	if (v->next)
		v->next->link = &v->next;
	n->vettings = v;
	return OK;
}

static void proving_next(void *arg)
{
	struct neighbours *n = arg;
	const struct prove_check *check;
	int64_t wait_ms = -1;
	if (!n->engine->awake)
		return;
	while ((check = prove_next(n->prove, loop_now_ms(n->engine->loop), &wait_ms))) {
		enum err code = start(n, check);
		if (code)
			take_verdict(n, check, code);
	}
	if (wait_ms >= 0)
		timer_start(n->engine->loop, &n->prove_later, wait_ms, proving_next, n);
}

bool proving_submit(struct neighbours *n, const struct presence_record *r, const struct presence_parts *parts,
		    struct span certificate, const struct addr *from, bool known)
{
	struct certificate_info walked;
	struct hash h = hash_of(certificate);
	struct prove_check check = {.since_ms = r->since_ms, .source = *from, .known = known};
	if (!parts->certification || parts->certification->len == 0 || certificate.len == 0)
		return false;
	if (!hash_equal(&h, &r->general) || certificate_check(certificate, &walked, NULL) ||
	    strcmp(walked.primary.fingerprint, r->fingerprint) != 0) {
		metrics_count(&n->engine->metrics, "certifications_refused", NULL);
		return false;
	}
	memcpy(check.fingerprint, r->fingerprint, sizeof check.fingerprint);
	memcpy(check.key, r->key, sizeof check.key);
	check.certification = bytes_ref(parts->certification);
	check.certificate = bytes_new_span(certificate);
	enum prove_answer answer = prove_submit(n->prove, &check);
	bytes_unref(check.certification);
	bytes_unref(check.certificate);
	if (answer == PROVE_IS_GOOD) {
		struct peer_outcome o = peer_table_proven(n->table, r->fingerprint, r->key, r->since_ms,
							  clock_now_ms(n->engine->clock));
		neighbours_proven(n, r->fingerprint, &o);
	}
	// on a later turn: whoever submitted wants to wait first
	if (answer == PROVE_QUEUED || answer == PROVE_WAITING)
		timer_start(n->engine->loop, &n->prove_later, 0, proving_next, n);
	return answer == PROVE_QUEUED || answer == PROVE_WAITING || answer == PROVE_IS_GOOD;
}

void proving_cancel(struct neighbours *n)
{
	timer_cancel(n->engine->loop, &n->prove_later);
	while (n->proofs)
		neighbours_prove_cancel(n->proofs);
	while (n->vettings) {
		struct vetting *v = n->vettings;
		n->vettings = v->next;
		if (v->next)
			v->next->link = &n->vettings;
		prove_done(n->prove, v->check, PROVE_UNDECIDED);
		v->neighbours = NULL;
		key_job_cancel(v->job);
	}
}
