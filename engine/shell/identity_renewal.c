// SPDX-License-Identifier: GPL-3.0-or-later
// The certificate of an adopted key is its owner's to change: one that was extended is taken again from the user's GnuPG, at the core's
// start and when an operation finds that it has expired. The keys that sign and decrypt here stay the same ones.
#include <string.h>

#include "base/log.h"
#include "openpgp/users.h"
#include "shell/identity_parts.h"
#include "shell/own_presence.h"
#include "shell/shell.h"

static void end(struct identity *i, bool renewed)
{
	bytes_unref(i->renewed);
	i->renewed = NULL;
	gpg_renewed(i->engine->gpg, i->home, renewed);
}

static const char *decrypter(const struct certificate_info *info)
{
	return info->subkeys[info->encryption].fingerprint;
}

// Everybody is told with the next presence record.
static enum err keep(struct identity *i, struct err_info *info)
{
	struct certificate_info fresh;
	struct store_identity row = i->row;
	row.certificate = i->renewed;
	enum err code = certificate_check(bytes_span(i->renewed), &fresh, info);
	if (code == OK)
		code = store_identity_set_adopted(i->engine->store, &row, info);
	if (code)
		return code;
	bytes_unref(i->row.certificate);
	i->row.certificate = bytes_ref(i->renewed);
	i->certificate_hash = hash_of(bytes_span(i->row.certificate));
	i->info = fresh;
	own_presence_renew(&i->engine->neighbours);
	log_info("your key's certificate was taken anew from your GnuPG");
	return OK;
}

static void on_imported(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result)
{
	struct identity *i = arg;
	struct err_info own;
	(void)result;
	i->import = NULL;
	if (code == ERR_CANCELED)
		return;
	if (code == OK) {
		info = &own;
		code = keep(i, &own);
	}
	if (code)
		log_warn("your key's certificate could not be taken anew: %s", info->text);
	end(i, code == OK);
}

// OK and nothing in i->renewed: it is the same as ever. One that has expired is not in what gpg exports.
static enum err take(struct identity *i, struct span certificate, struct err_info *info)
{
	struct certificate_info fresh;
	if (span_equal(certificate, bytes_span(i->row.certificate)))
		return OK;
	enum err code = certificate_check(certificate, &fresh, info);
	if (code)
		return code;
	if (strcmp(fresh.primary.fingerprint, i->row.fingerprint) != 0 || strcmp(decrypter(&fresh), decrypter(&i->info)) != 0)
		return err_set(info, ERR_NOT_FOUND, "the subkey that decrypts here is not in it any more");
	i->renewed = bytes_new_span(certificate);
	const struct gpg_call call = identity_gpg_call(i, on_imported);
	return gpg_import_start(&call, i->renewed, &i->import, info);
}

static void on_exported(void *arg, const struct command_result *result)
{
	struct identity *i = arg;
	struct err_info info;
	i->export = NULL;
	if (result->code == ERR_CANCELED)
		return;
	enum err code = users_outcome(result, "export your key", &info);
	if (code == OK)
		code = take(i, result->output, &info);
	if (code)
		log_info("your GnuPG has no certificate of your key that would do: %s", info.text);
	if (code || !i->renewed)
		end(i, false);
}

void identity_renew(struct identity *i)
{
	struct listed_key key = {0};
	struct err_info info;
	if (i->export || i->import || i->engine->stopping)
		return;
	if (i->state == IDENTITY_NONE) { // it is just being adopted, from what is there
		end(i, false);
		return;
	}
	memcpy(key.fingerprint, i->row.fingerprint, sizeof key.fingerprint);
	memcpy(key.signer, i->row.signer, sizeof key.signer);
	memcpy(key.decrypter, decrypter(&i->info), sizeof key.decrypter);
	if (users_export_start(&i->export, i->engine->loop, &key, on_exported, i, &info) == OK)
		return;
	log_warn("your key's certificate cannot be looked at: %s", info.text);
	end(i, false);
}

void identity_renewal_cancel(struct identity *i)
{
	if (i->export)
		command_cancel(i->export);
	if (i->import)
		gpg_op_cancel(i->import);
	bytes_unref(i->renewed);
	i->renewed = NULL;
}
