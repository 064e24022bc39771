// SPDX-License-Identifier: GPL-3.0-or-later
// Sealing, opening, signing and verifying.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "openpgp/gpg_internal.h"
#include "openpgp/inner.h"
#include "openpgp/warm.h"

#define SESSION_KEY_MAX 128

static const struct warm_kind any_open = {.recipient_count = 0};

static void take_recipients(struct gpg_op *op, const uint64_t *ids, size_t count)
{
	// "0123456789ABCDEF!\n": the mark says that this very subkey is meant
	const size_t line = KEY_ID_TEXT + 1;
	memcpy(op->recipients, ids, count * sizeof *ids);
	op->recipient_count = count;
	op->text = mem_alloc(count * line + 1);
	for (size_t i = 0; i < count; i++) {
		char id[KEY_ID_TEXT];
		key_id_format(ids[i], id);
		snprintf(op->text + i * line, line + 1, "%s!\n", id);
	}
}

static gpgme_error_t main_input(struct gpg_op *op, gpgme_data_t *out)
{
	return op->waits ? op_input_later(op, out) : op_input(op, bytes_span(op->input), out);
}

// A process that was started ahead for this very kind of operation, if there is one.
static bool feed_waiting(const struct gpg_call *call, const struct warm_kind *kind, struct bytes *input, const char *signer,
			 struct gpg_op **out)
{
	bool usual = call->timeout_ms >= 0 && call->timeout_ms <= GPG_TIMEOUT_MAX_MS && !call->passphrase && !call->stranger &&
		     !call->by_self;
	struct gpg_op *op = usual ? warm_take(gpg_warm(call->gpg), call->home, kind) : NULL;
	if (!op)
		return false;
	if (signer)
		memcpy(op->fingerprint, signer, sizeof op->fingerprint);
	op_feed(op, call, input, out);
	return true;
}

static enum err check_signer(const char *signer, struct err_info *info)
{
	return fingerprint_valid(signer) ? OK : err_set(info, ERR_BAD_PARAMS, "not a fingerprint");
}

// --- seal -----------------------------------------------------------------------------------------------------------------

static gpgme_error_t start_seal(gpgme_ctx_t context, void *arg)
{
	struct gpg_op *op = arg;
	gpgme_data_t plain, cipher;
	gpgme_error_t e = main_input(op, &plain);
	if (!e)
		e = op_output(op, SEALED_MAX, &cipher);
	if (e)
		return e;
	return gpgme_op_encrypt_sign_ext_start(context, NULL, op->text,
					       GPGME_ENCRYPT_ALWAYS_TRUST | GPGME_ENCRYPT_NO_COMPRESS |
						       GPGME_ENCRYPT_NO_ENCRYPT_TO,
					       plain, cipher);
}

static struct warm_kind seal_kind(const uint64_t *recipients, size_t count)
{
	struct warm_kind kind = {.recipient_count = count};
	memcpy(kind.recipients, recipients, count * sizeof *recipients);
	return kind;
}

static void expect_again(struct gpg_op *op)
{
	const struct warm_kind kind = seal_kind(op->recipients, op->recipient_count);
	if (op->soon_again)
		warm_expect(gpg_warm(op->gpg), op->home, &kind, true, WARM_DELAY_MS);
}

static enum err collect_seal(struct gpg_op *op, gpgme_ctx_t context, gpgme_error_t refusal)
{
	gpgme_encrypt_result_t encrypted = gpgme_op_encrypt_result(context);
	if (encrypted && encrypted->invalid_recipients)
		return err_set(&op->info, ERR_NOT_FOUND, "seal: no usable key %s", encrypted->invalid_recipients->fpr);
	if (refusal)
		return op_translate(op, refusal);
	enum err e = sealed_check(buf_span(&op->output), op->recipients, op->recipient_count, &op->info);
	if (e == OK)
		op->result.output = buf_take(&op->output);
	if (e == OK)
		expect_again(op);
	return e ? ERR_INTERNAL : OK;
}

static const struct operation seal = {.name = "seal", .agent = true, .start = start_seal, .collect = collect_seal};

enum err gpg_seal_start(const struct gpg_call *call, struct bytes *plaintext, const uint64_t *recipients, size_t count,
			struct gpg_op **out, struct err_info *info)
{
	struct gpg_op *op = NULL;
	enum err e = recipients_check(recipients, count, info);
	if (e == OK && plaintext->len > GPG_PLAINTEXT_MAX)
		e = err_set(info, ERR_TOO_LARGE, "a message of more than %d bytes", GPG_PLAINTEXT_MAX);
	if (e == OK) {
		const struct warm_kind kind = seal_kind(recipients, count);
		if (feed_waiting(call, &kind, plaintext, NULL, out))
			return OK;
	}
	if (e == OK)
		e = op_new(&op, &seal, call, info);
	if (e)
		return e;
	op->input = bytes_ref(plaintext);
	take_recipients(op, recipients, count);
	return op_queue(op, out, info);
}

// --- verdicts -------------------------------------------------------------------------------------------------------------

static void read_signatures(struct gpg_op *op, gpgme_ctx_t context, struct verdict_facts *facts)
{
	gpgme_verify_result_t result = gpgme_op_verify_result(context);
	for (gpgme_signature_t s = result ? result->signatures : NULL; s; s = s->next) {
		facts->wrong_key_usage = facts->wrong_key_usage || s->wrong_key_usage;
		if (facts->signatures++)
			continue;
		facts->status = s->status;
		facts->hash = (unsigned)s->hash_algo;
	}
	// gpgme only tells which key signed, and that may be a subkey
	memcpy(facts->signer, op->notes.signer, sizeof facts->signer);
}

static void read_decryption(gpgme_ctx_t context, struct verdict_facts *facts)
{
	gpgme_decrypt_result_t result = gpgme_op_decrypt_result(context);
	facts->encrypted = true;
	// gpg fails where integrity protection is missing, and the packet walk has let nothing through but SEIPD
	facts->mdc = result && !result->legacy_cipher_nomdc;
	facts->wrong_key_usage = facts->wrong_key_usage || (result && result->wrong_key_usage);
}

// `detail` says more of a shape that is refused.
static enum err judge(struct gpg_op *op, const struct verdict_facts *facts, const char *detail)
{
	const char *name = op->operation->name;
	op->result.verdict = verdict_of(facts, op->fingerprint);
	if (op->result.verdict == VERDICT_SHAPE)
		return err_set(&op->info, ERR_CRYPTO, "%s: not accepted (shape): %s", name, detail);
	if (op->result.verdict != VERDICT_ACCEPTED)
		return err_set(&op->info, ERR_CRYPTO, "%s: not accepted (%s)", name, verdict_name(op->result.verdict));
	memcpy(op->result.fingerprint, facts->signer, sizeof facts->signer);
	op->result.hash = facts->hash;
	return OK;
}

// --- open -----------------------------------------------------------------------------------------------------------------

static gpgme_error_t start_open(gpgme_ctx_t context, void *arg)
{
	struct gpg_op *op = arg;
	gpgme_data_t cipher, plain;
	gpgme_error_t e = main_input(op, &cipher);
	if (!e)
		e = op_output(op, GPG_PLAINTEXT_MAX, &plain);
	if (!e)
		e = gpgme_set_ctx_flag(context, "export-session-key", "1");
	if (e)
		return e;
	e = gpgme_op_decrypt_verify_start(context, cipher, plain);
	gpgme_set_ctx_flag(context, "export-session-key", "0");
	return e;
}

// The session key, and gpgme's copy of it wiped in place.
static struct secret *take_session_key(gpgme_ctx_t context)
{
	gpgme_decrypt_result_t result = gpgme_op_decrypt_result(context);
	if (!result || !result->session_key)
		return NULL;
	size_t len = strnlen(result->session_key, SESSION_KEY_MAX);
	struct secret *key = secret_copy(span(result->session_key, len));
	explicit_bzero(result->session_key, len);
	return key;
}

static bool has_our_key(gpgme_ctx_t context)
{
	gpgme_decrypt_result_t result = gpgme_op_decrypt_result(context);
	for (gpgme_recipient_t r = result ? result->recipients : NULL; r; r = r->next)
		if (!r->status)
			return true;
	return false;
}

// Where our key was found and is not locked, whatever gpg found in the noise behind it is one thing: the message cannot be
// opened. gpgme would rather speak of the other recipients' secret keys, which are never here.
static gpgme_error_t what_failed(struct gpg_op *op, gpgme_ctx_t context, gpgme_error_t refusal)
{
	if (!has_our_key(context) || gpgme_err_code_to_errno(gpgme_err_code(refusal)))
		return refusal;
	op->notes.no_secret_key = false;
	return gpgme_error(GPG_ERR_DECRYPT_FAILED);
}

static enum err collect_open(struct gpg_op *op, gpgme_ctx_t context, gpgme_error_t refusal)
{
	struct verdict_facts facts = {.failed = refusal != 0};
	struct secret *key = take_session_key(context);
	struct err_info detail;
	enum err e;
	read_decryption(context, &facts);
	read_signatures(op, context, &facts);
	if (op->by_self && gpgme_err_code(facts.status) == GPG_ERR_KEY_EXPIRED)
		facts.status = 0;
	if (refusal) {
		op->result.verdict = VERDICT_GPG_ERROR;
		e = op_translate(op, what_failed(op, context, refusal));
	} else {
		facts.shape = inner_check(bytes_span(op->input), secret_span(key), buf_span(&op->output), &detail) == OK;
		e = judge(op, &facts, detail.text);
	}
	if (e == OK) {
		op->result.output = buf_take(&op->output);
		op->result.session_key = secret_ref(key);
		expect_again(op);
	}
	secret_unref(key);
	return e;
}

static const struct operation open_message = {
	.name = "open", .agent = true, .keeps_result = true, .start = start_open, .collect = collect_open};

enum err gpg_open_start(const struct gpg_call *call, struct bytes *message, const uint64_t *recipients, size_t count,
			const char *signer, struct gpg_op **out, struct err_info *info)
{
	struct gpg_op *op = NULL;
	enum err e = check_signer(signer, info);
	if (e == OK)
		e = sealed_check(bytes_span(message), recipients, count, info);
	if (e == OK && feed_waiting(call, &any_open, message, signer, out))
		return OK;
	if (e == OK)
		e = op_new(&op, &open_message, call, info);
	if (e)
		return e;
	op->input = bytes_ref(message);
	memcpy(op->fingerprint, signer, sizeof op->fingerprint);
	return op_queue(op, out, info);
}

// --- started ahead ----------------------------------------------------------------------------------------------------------

enum err message_start_ahead(struct gpg *g, struct home *home, const struct warm_kind *kind, gpg_done *on_lost, void *arg,
			     struct gpg_op **out)
{
	const struct gpg_call call = {.gpg = g, .home = home, .done = on_lost, .arg = arg};
	struct gpg_op *op;
	enum err e = op_new(&op, kind->recipient_count ? &seal : &open_message, &call, NULL);
	if (e)
		return e;
	if (kind->recipient_count)
		take_recipients(op, kind->recipients, kind->recipient_count);
	e = op_start_ahead(op);
	if (e)
		op_free(op);
	else
		*out = op;
	return e;
}

void gpg_expect_seal(struct gpg *g, struct home *home, const uint64_t *recipients, size_t count, bool surely)
{
	if (recipients_check(recipients, count, NULL) != OK)
		return;
	const struct warm_kind kind = seal_kind(recipients, count);
	warm_expect(gpg_warm(g), home, &kind, surely, surely ? 0 : WARM_LATER_MS);
}

void gpg_expect_open(struct gpg *g, struct home *home, bool surely)
{
	warm_expect(gpg_warm(g), home, &any_open, surely, surely ? 0 : WARM_LATER_MS);
}

// --- sign and verify ------------------------------------------------------------------------------------------------------

static gpgme_error_t start_sign(gpgme_ctx_t context, void *arg)
{
	struct gpg_op *op = arg;
	gpgme_data_t text, signature;
	gpgme_error_t e = op_input(op, bytes_span(op->input), &text);
	if (!e)
		e = op_output(op, SIGNATURE_MAX, &signature);
	return e ? e : gpgme_op_sign_start(context, text, signature, GPGME_SIG_MODE_DETACH);
}

static enum err collect_sign(struct gpg_op *op, gpgme_ctx_t context, gpgme_error_t refusal)
{
	(void)context;
	if (refusal)
		return op_translate(op, refusal);
	enum err e = signature_check(buf_span(&op->output), &op->info);
	if (e == OK)
		op->result.output = buf_take(&op->output);
	return e ? ERR_INTERNAL : OK;
}

static const struct operation sign = {.name = "sign", .agent = true, .start = start_sign, .collect = collect_sign};

enum err gpg_sign_start(const struct gpg_call *call, struct bytes *text, struct gpg_op **out, struct err_info *info)
{
	struct gpg_op *op = NULL;
	enum err e = text->len <= GPG_PLAINTEXT_MAX ? OK : err_set(info, ERR_TOO_LARGE, "too large to be signed");
	if (e == OK)
		e = op_new(&op, &sign, call, info);
	if (e)
		return e;
	op->input = bytes_ref(text);
	return op_queue(op, out, info);
}

static gpgme_error_t start_verify(gpgme_ctx_t context, void *arg)
{
	struct gpg_op *op = arg;
	gpgme_data_t text, signature;
	gpgme_error_t e = op_input(op, bytes_span(op->signature), &signature);
	if (!e)
		e = op_input(op, bytes_span(op->input), &text);
	return e ? e : gpgme_op_verify_start(context, signature, text, NULL);
}

static enum err collect_verify(struct gpg_op *op, gpgme_ctx_t context, gpgme_error_t refusal)
{
	struct verdict_facts facts = {.failed = refusal != 0};
	read_signatures(op, context, &facts);
	if (!refusal)
		return judge(op, &facts, "");
	op->result.verdict = VERDICT_GPG_ERROR;
	return op_translate(op, refusal);
}

static const struct operation verify = {
	.name = "verify", .keeps_result = true, .start = start_verify, .collect = collect_verify};

enum err gpg_verify_start(const struct gpg_call *call, struct bytes *text, struct bytes *signature, const char *signer,
			  struct gpg_op **out, struct err_info *info)
{
	struct gpg_op *op = NULL;
	enum err e = check_signer(signer, info);
	if (e == OK)
		e = signature_check(bytes_span(signature), info);
	if (e == OK && text->len > GPG_PLAINTEXT_MAX)
		e = err_set(info, ERR_TOO_LARGE, "too large to be verified");
	if (e == OK)
		e = op_new(&op, &verify, call, info);
	if (e)
		return e;
	op->input = bytes_ref(text);
	op->signature = bytes_ref(signature);
	memcpy(op->fingerprint, signer, sizeof op->fingerprint);
	return op_queue(op, out, info);
}
