// SPDX-License-Identifier: GPL-3.0-or-later
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "openpgp/gpg_internal.h"
#include "openpgp/sockets.h"

// What an agent's answer means where it reaches us as a code of gpg's.
static void note_code(struct status_notes *notes, gpgme_error_t e)
{
	switch (gpgme_err_code(e)) {
	case GPG_ERR_NO_PIN_ENTRY:
	case GPG_ERR_TIMEOUT:
		notes->locked = true;
		break;
	case GPG_ERR_BAD_PASSPHRASE:
	case GPG_ERR_BAD_PIN:
	case GPG_ERR_PIN_BLOCKED:
		notes->wrong_passphrase = true;
		break;
	case GPG_ERR_NO_SECKEY:
		notes->no_secret_key = true;
		break;
	case GPG_ERR_CANCELED:
	case GPG_ERR_FULLY_CANCELED:
		notes->declined = true;
		break;
	case GPG_ERR_NO_AGENT:
		notes->no_agent = true;
		break;
	case GPG_ERR_EOF: // the agent's, or its card reader's, that has gone in the middle of it; gpg's own end is told otherwise
		notes->no_agent = notes->no_agent || gpgme_err_source(e) == GPG_ERR_SOURCE_GPGAGENT;
		break;
	case GPG_ERR_CARD_NOT_PRESENT:
	case GPG_ERR_CARD_REMOVED:
	case GPG_ERR_NO_SCDAEMON:
		notes->no_card = true;
		break;
	default:
		// it found no screen: none that it was told of, or none that it can use
		notes->locked = notes->locked || gpgme_err_source(e) == GPG_ERR_SOURCE_PINENTRY;
		break;
	}
}

// "VALIDSIG" has ten words: the key that signed first, its primary key last. gpg has checked that each of both binds the other.
#define VALIDSIG_PRIMARY 9

static void note_signer(struct status_notes *notes, const char *arguments)
{
	for (int i = 0; arguments && i < VALIDSIG_PRIMARY; i++) {
		arguments = strchr(arguments, ' ');
		arguments = arguments ? arguments + 1 : NULL;
	}
	if (arguments && !notes->signer[0] && strcspn(arguments, " ") == FINGERPRINT_TEXT - 1)
		snprintf(notes->signer, sizeof notes->signer, "%s", arguments);
}

// --- the pinentry ---------------------------------------------------------------------------------------------------------

void op_forget_pinentry(struct gpg_op *op)
{
	if (op->pinentry >= 0)
		close(op->pinentry);
	op->pinentry = -1;
}

void op_end_pinentry(struct gpg_op *op)
{
	if (op->pinentry >= 0)
		(void)pidfd_send_signal(op->pinentry, SIGTERM, NULL, 0);
	op_forget_pinentry(op);
}

static void note_pinentry(struct gpg_op *op, const char *arguments)
{
	long pid = strtol(arguments, NULL, 10);
	op_forget_pinentry(op);
	// only where it is this very user's: the signal asks for the same
	if (pid > 1 && !op->quiet)
		op->pinentry = pidfd_open((pid_t)pid, 0);
}

// --- status lines ---------------------------------------------------------------------------------------------------------

// Of "ERROR pkdecrypt_failed 67108949" and "FAILURE sign 67108949" the second word counts.
gpgme_error_t op_on_status(void *arg, const char *keyword, const char *arguments)
{
	struct gpg_op *op = arg;
	const char *code = strchr(arguments, ' ');
	op->notes.spoken = op->notes.spoken || *keyword; // the end comes without one
	if (strcmp(keyword, "KEYEXPIRED") == 0)
		op->notes.some_expired = true;
	if (strcmp(keyword, "INV_SGNR") == 0) // after why it is none
		op->notes.expired = op->notes.some_expired;
	if (strcmp(keyword, "VALIDSIG") == 0)
		note_signer(&op->notes, arguments);
	if (strcmp(keyword, "PINENTRY_LAUNCHED") == 0)
		note_pinentry(op, arguments);
	if (code && (strcmp(keyword, "ERROR") == 0 || strcmp(keyword, "FAILURE") == 0))
		note_code(&op->notes, (gpgme_error_t)strtoul(code + 1, NULL, 10));
	return 0;
}

static enum err code_of(gpgme_error_t e)
{
	switch (gpgme_err_code(e)) {
	case GPG_ERR_NO_SECKEY:
	case GPG_ERR_NO_PUBKEY:
	case GPG_ERR_UNUSABLE_PUBKEY:
	case GPG_ERR_UNUSABLE_SECKEY:
		return ERR_NOT_FOUND;
	case GPG_ERR_DECRYPT_FAILED:
	case GPG_ERR_BAD_SIGNATURE:
	case GPG_ERR_CHECKSUM:
	case GPG_ERR_BAD_KEY:
		return ERR_CRYPTO;
	case GPG_ERR_BAD_DATA:
	case GPG_ERR_NO_DATA:
	case GPG_ERR_INV_DATA:
	case GPG_ERR_INV_PACKET:
		return ERR_BAD_INPUT;
	case GPG_ERR_CONFLICT:
		return ERR_WRONG_STATE;
	case GPG_ERR_TOO_LARGE:
		return ERR_TOO_LARGE;
	case GPG_ERR_CANCELED:
		return ERR_CANCELED;
	default:
		return gpgme_err_code_to_errno(gpgme_err_code(e)) ? ERR_IO : ERR_CRYPTO;
	}
}

// What only a user's own agent says; OK where it is nothing of the kind. A person is told of it as it is.
static enum err translate_adopted(struct gpg_op *op)
{
	if (op->notes.declined)
		return err_set(&op->info, ERR_REFUSED, "it was declined at your GnuPG's pinentry");
	if (op->notes.wrong_passphrase)
		return err_set(&op->info, ERR_REFUSED, "wrong passphrase or PIN");
	if (op->notes.no_agent)
		return err_set(&op->info, ERR_LOCKED, "your GnuPG's agent does not run");
	if (op->notes.no_card)
		return err_set(&op->info, ERR_LOCKED, "the smart card of your key is not there");
	if (op->notes.locked)
		return err_set(&op->info, ERR_LOCKED, "your GnuPG's pinentry could not ask you");
	if (op->notes.expired)
		return err_set(&op->info, ERR_NOT_FOUND,
			       "your key has expired: extend it in your GnuPG, and it is of use here again");
	if (op->notes.no_secret_key) // another GNUPGHOME than it was adopted from, or it was moved away
		return err_set(&op->info, ERR_NOT_FOUND, "your GnuPG (%s) does not have this key's secret",
			       sockets_users_home());
	return OK;
}

enum err op_translate(struct gpg_op *op, gpgme_error_t e)
{
	note_code(&op->notes, e);
	enum err adopted = op->user.home && home_is_adopted(op->user.home) ? translate_adopted(op) : OK;
	if (adopted)
		return adopted;
	if (op->overflow)
		return err_set(&op->info, ERR_TOO_LARGE, "%s: more than %zu bytes", op->operation->name, op->output.max);
	if (op->notes.wrong_passphrase && op->passphrase) // a person typed it, and is told
		return err_set(&op->info, ERR_REFUSED, "the passphrase is wrong");
	if (op->notes.locked || op->notes.wrong_passphrase)
		return err_set(&op->info, ERR_LOCKED, "%s: the key is locked", op->operation->name);
	if (op->notes.no_secret_key)
		return err_set(&op->info, ERR_NOT_FOUND, "%s: no secret key for it", op->operation->name);
	// a gpg that has gone, or that could not be started, is not the message's fault: it may be back for the next try
	if (!op->notes.spoken && !gpgme_err_code_to_errno(gpgme_err_code(e)))
		return err_set(&op->info, ERR_IO, "%s: gpg could not be run", op->operation->name);
	return err_set(&op->info, code_of(e), "%s: %s", op->operation->name, gpgme_strerror(e));
}

// --- passphrases ----------------------------------------------------------------------------------------------------------

enum err passphrase_check(struct secret *passphrase, struct err_info *info)
{
	struct span s = secret_span(passphrase);
	if (s.len == 0 || s.len > GPG_PASSPHRASE_MAX)
		return err_set(info, ERR_BAD_PARAMS, "a passphrase has 1 to %d bytes", GPG_PASSPHRASE_MAX);
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < 0x20 || s.data[i] == 0x7f)
			return err_set(info, ERR_BAD_PARAMS, "a passphrase has no control characters");
	return OK;
}

gpgme_error_t op_on_passphrase(void *arg, const char *hint, const char *about, int was_bad, int fd)
{
	struct gpg_op *op = arg;
	// a change asks once for the old one, then once for the new one; or for the new one only, for each of the keys
	struct secret *answer = op->questions == 0 && op->passphrase ? op->passphrase : op->fresh ? op->fresh : op->passphrase;
	unsigned most = op->passphrase ? 2 : CERTIFICATE_PACKETS_MAX;
	struct span s = secret_span(answer);
	(void)hint;
	(void)about;
	if (was_bad || op->questions++ >= most)
		return gpgme_error(GPG_ERR_BAD_PASSPHRASE);
	if (gpgme_io_writen(fd, s.data, s.len) != 0 || gpgme_io_writen(fd, "\n", 1) != 0)
		return gpgme_error_from_errno(5);
	return 0;
}
