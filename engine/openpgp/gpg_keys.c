// SPDX-License-Identifier: GPL-3.0-or-later
// Importing, exporting, deleting and generating keys, and changing their passphrase.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "openpgp/gpg_internal.h"

// --- import and export ----------------------------------------------------------------------------------------------------

static gpgme_error_t start_import(gpgme_ctx_t context, void *arg)
{
	struct gpg_op *op = arg;
	gpgme_data_t data;
	gpgme_error_t e = op_input(op, bytes_span(op->input), &data);
	return e ? e : gpgme_op_import_start(context, data);
}

static enum err collect_import(struct gpg_op *op, gpgme_ctx_t context, gpgme_error_t refusal)
{
	gpgme_import_result_t result = gpgme_op_import_result(context);
	struct gpg_result *out = &op->result;
	bool found = false;
	if (refusal)
		return op_translate(op, refusal);
	// the walk has let no secret key through; gpg would take one without a word
	if (!result || result->secret_read || result->secret_imported)
		return err_set(&op->info, ERR_CRYPTO, "import: a secret key");
	for (gpgme_import_status_t s = result->imports; s && out->imported_count < GPG_IMPORTED_MAX; s = s->next) {
		if (s->result || !s->fpr || !fingerprint_valid(s->fpr))
			continue;
		found = found || strcmp(s->fpr, op->fingerprint) == 0;
		snprintf(out->imported[out->imported_count++], FINGERPRINT_TEXT, "%s", s->fpr);
	}
	return found ? OK : err_set(&op->info, ERR_BAD_INPUT, "import: gpg finds the certificate unusable");
}

static const struct operation import = {
	.name = "import", .exclusive = true, .agent = true, .start = start_import, .collect = collect_import};

enum err gpg_import_start(const struct gpg_call *call, struct bytes *certificate, struct gpg_op **out, struct err_info *info)
{
	struct gpg_op *op = NULL;
	struct certificate_info found;
	enum err e = certificate_check(bytes_span(certificate), &found, info);
	if (e == OK)
		e = op_new(&op, &import, call, info);
	if (e)
		return e;
	op->input = bytes_ref(certificate);
	memcpy(op->fingerprint, found.primary.fingerprint, sizeof op->fingerprint);
	return op_queue(op, out, info);
}

static gpgme_error_t start_export(gpgme_ctx_t context, void *arg)
{
	struct gpg_op *op = arg;
	gpgme_data_t data;
	gpgme_error_t e = op_output(op, CERTIFICATE_MAX, &data);
	return e ? e : gpgme_op_export_start(context, op->fingerprint, GPGME_EXPORT_MODE_MINIMAL, data);
}

static enum err collect_export(struct gpg_op *op, gpgme_ctx_t context, gpgme_error_t refusal)
{
	struct certificate_info found;
	(void)context;
	if (refusal)
		return op_translate(op, refusal);
	if (op->output.len == 0)
		return err_set(&op->info, ERR_NOT_FOUND, "export: no key %s", op->fingerprint);
	enum err e = certificate_check(buf_span(&op->output), &found, &op->info);
	if (e)
		return e;
	if (strcmp(found.primary.fingerprint, op->fingerprint) != 0)
		return err_set(&op->info, ERR_INTERNAL, "export: gpg gave another key");
	op->result.output = buf_take(&op->output);
	return OK;
}

static const struct operation export = {.name = "export", .start = start_export, .collect = collect_export};

// An operation on the key with a fingerprint.
static enum err new_for_key(struct gpg_op **out, const struct operation *operation, const struct gpg_call *call,
			    const char *fingerprint, struct err_info *info)
{
	if (!fingerprint_valid(fingerprint))
		return err_set(info, ERR_BAD_PARAMS, "not a fingerprint");
	enum err e = op_new(out, operation, call, info);
	if (e == OK)
		memcpy((*out)->fingerprint, fingerprint, sizeof (*out)->fingerprint);
	return e;
}

enum err gpg_export_start(const struct gpg_call *call, const char *fingerprint, struct gpg_op **out, struct err_info *info)
{
	struct gpg_op *op = NULL;
	enum err e = new_for_key(&op, &export, call, fingerprint, info);
	return e ? e : op_queue(op, out, info);
}

// --- what gpgme wants a key object for: listed first, then worked on ------------------------------------------------------

static void on_key(void *arg, gpgme_key_t key)
{
	struct gpg_op *op = arg;
	bool fits = !op->key && key->subkeys && key->subkeys->fpr && strcmp(key->subkeys->fpr, op->fingerprint) == 0;
	if (fits)
		op->key = key;
	else
		gpgme_key_unref(key);
}

static gpgme_error_t start_listing(gpgme_ctx_t context, struct gpg_op *op)
{
	runner_on_key(op->runner, on_key);
	return gpgme_op_keylist_start(context, op->fingerprint, 0);
}

// True where the listing is over and there is a key to go on with.
static enum err listed(struct gpg_op *op, gpgme_error_t refusal)
{
	if (refusal)
		return op_translate(op, refusal);
	if (!op->key)
		return err_set(&op->info, ERR_NOT_FOUND, "%s: no key %s", op->operation->name, op->fingerprint);
	op->listed = op->again = true;
	return OK;
}

static gpgme_error_t start_delete(gpgme_ctx_t context, void *arg)
{
	struct gpg_op *op = arg;
	// forced: gpg is not to ask; a secret key is refused all the same
	return op->listed ? gpgme_op_delete_ext_start(context, op->key, GPGME_DELETE_FORCE) : start_listing(context, op);
}

static enum err collect_delete(struct gpg_op *op, gpgme_ctx_t context, gpgme_error_t refusal)
{
	(void)context;
	if (!op->listed)
		return listed(op, refusal);
	return refusal ? op_translate(op, refusal) : OK;
}

static const struct operation delete_key = {
	.name = "delete", .exclusive = true, .agent = true, .start = start_delete, .collect = collect_delete};

enum err gpg_delete_start(const struct gpg_call *call, const char *fingerprint, struct gpg_op **out, struct err_info *info)
{
	struct gpg_op *op = NULL;
	enum err e = new_for_key(&op, &delete_key, call, fingerprint, info);
	return e ? e : op_queue(op, out, info);
}

static gpgme_error_t start_passphrase(gpgme_ctx_t context, void *arg)
{
	struct gpg_op *op = arg;
	return op->listed ? gpgme_op_passwd_start(context, op->key, 0) : start_listing(context, op);
}

static enum err collect_passphrase(struct gpg_op *op, gpgme_ctx_t context, gpgme_error_t refusal)
{
	(void)context;
	if (!op->listed)
		return listed(op, refusal);
	if (refusal)
		return op_translate(op, refusal);
	// gpg calls it a success too where the agent has not changed a key
	if (op->passphrase ? op->questions != 2 : op->questions == 0)
		return err_set(&op->info, ERR_REFUSED, "the passphrase was not changed");
	return OK;
}

static const struct operation change_passphrase = {
	.name = "passphrase", .exclusive = true, .agent = true, .start = start_passphrase, .collect = collect_passphrase};

enum err gpg_passphrase_start(const struct gpg_call *call, const char *fingerprint, struct secret *fresh,
			      struct gpg_op **out, struct err_info *info)
{
	struct gpg_op *op = NULL;
	enum err e = passphrase_check(fresh, info);
	if (e == OK)
		e = new_for_key(&op, &change_passphrase, call, fingerprint, info);
	if (e)
		return e;
	op->fresh = secret_ref(fresh);
	return op_queue(op, out, info);
}

// --- one more subkey --------------------------------------------------------------------------------------------------------

static gpgme_error_t start_subkey(gpgme_ctx_t context, void *arg)
{
	struct gpg_op *op = arg;
	if (!op->listed)
		return start_listing(context, op);
	return gpgme_op_createsubkey_start(context, op->key, "cv25519", 0, 0,
					   GPGME_CREATE_ENCR | GPGME_CREATE_NOPASSWD | GPGME_CREATE_NOEXPIRE);
}

static enum err collect_subkey(struct gpg_op *op, gpgme_ctx_t context, gpgme_error_t refusal)
{
	if (!op->listed)
		return listed(op, refusal);
	gpgme_genkey_result_t result = gpgme_op_genkey_result(context);
	if (refusal)
		return op_translate(op, refusal);
	if (!result || !result->fpr || !fingerprint_valid(result->fpr) || strcmp(result->fpr, op->fingerprint) == 0)
		return err_set(&op->info, ERR_INTERNAL, "subkey: gpg made none");
	snprintf(op->result.fingerprint, FINGERPRINT_TEXT, "%s", result->fpr);
	return OK;
}

static const struct operation add_subkey = {
	.name = "subkey", .exclusive = true, .agent = true, .start = start_subkey, .collect = collect_subkey};

enum err gpg_subkey_start(const struct gpg_call *call, const char *fingerprint, struct gpg_op **out, struct err_info *info)
{
	struct gpg_op *op = NULL;
	enum err e = new_for_key(&op, &add_subkey, call, fingerprint, info);
	return e ? e : op_queue(op, out, info);
}

// --- generate -------------------------------------------------------------------------------------------------------------

static gpgme_error_t start_generate(gpgme_ctx_t context, void *arg)
{
	struct gpg_op *op = arg;
	return gpgme_op_genkey_start(context, op->text, NULL, NULL);
}

static enum err collect_generate(struct gpg_op *op, gpgme_ctx_t context, gpgme_error_t refusal)
{
	gpgme_genkey_result_t result = gpgme_op_genkey_result(context);
	if (refusal)
		return op_translate(op, refusal);
	if (!result || !result->primary || !result->sub || !result->fpr || !fingerprint_valid(result->fpr))
		return err_set(&op->info, ERR_INTERNAL, "generate: gpg made no key pair");
	snprintf(op->result.fingerprint, FINGERPRINT_TEXT, "%s", result->fpr);
	return OK;
}

static const struct operation generate = {
	.name = "generate", .exclusive = true, .agent = true, .start = start_generate, .collect = collect_generate};

// The user id goes into a block of lines, where gpg would take more of it for parameters.
static enum err check_user_id(const char *user_id, struct err_info *info)
{
	size_t len = strlen(user_id);
	if (len == 0 || len > GPG_USER_ID_MAX)
		return err_set(info, ERR_BAD_PARAMS, "a user id has 1 to %d bytes", GPG_USER_ID_MAX);
	if (user_id[0] == ' ' || user_id[len - 1] == ' ')
		return err_set(info, ERR_BAD_PARAMS, "a user id does not begin or end with a blank");
	for (size_t at = 0; at < len;) {
		utf8proc_int32_t point;
		utf8proc_ssize_t n = utf8proc_iterate((const uint8_t *)user_id + at, (utf8proc_ssize_t)(len - at), &point);
		if (n <= 0)
			return err_set(info, ERR_BAD_PARAMS, "a user id is UTF-8");
		if (utf8proc_category(point) == UTF8PROC_CATEGORY_CC || (point < 128 && strchr("<>()@", (int)point)))
			return err_set(info, ERR_BAD_PARAMS, "a user id has no control characters and none of <>()@");
		at += (size_t)n;
	}
	return OK;
}

enum err gpg_generate_start(const struct gpg_call *call, const char *user_id, struct gpg_op **out, struct err_info *info)
{
	struct gpg_op *op = NULL;
	enum err e = check_user_id(user_id, info);
	if (e == OK)
		e = op_new(&op, &generate, call, info);
	if (e)
		return e;
	// the passphrase is no parameter, for it would be trimmed, and copied about: the agent asks for it
	op->text = mem_format("<GnupgKeyParms format=\"internal\">\n"
			      "%s"
			      "Key-Type: EDDSA\nKey-Curve: ed25519\nKey-Usage: cert,sign\n"
			      "Subkey-Type: ECDH\nSubkey-Curve: cv25519\nSubkey-Usage: encrypt\n"
			      "Name-Real: %s\nExpire-Date: 0\n"
			      "</GnupgKeyParms>\n",
			      call->passphrase ? "" : "%no-protection\n", user_id);
	return op_queue(op, out, info);
}
