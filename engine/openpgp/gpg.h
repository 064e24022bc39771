// SPDX-License-Identifier: GPL-3.0-or-later
// gpg on the loop: every operation is one gpg process in one home, driven by gpgme over libev, never blocking.
//
// At most GPG_RUNNING_MAX run at a time, and one is started in a turn of the loop; more wait in two bounded queues, ours before
// strangers' (P1.7), and a full queue is ERR_BUSY. A start function either fails and never calls back, or `done` comes exactly once, never before it returns. Inputs
// given as struct bytes or struct secret are referenced as long as needed, everything else is copied. An operation that is too
// late is killed (P3.5).
//
// In the home of an adopted key the user's own agent and pinentry ask for passphrase, PIN or card: at the caller's `session`, or else
// where home_session says. If nobody can be asked there, the operation waits for gpg_retry, at most GPG_TIMEOUT_MAX_MS.
//
// Errors: ERR_LOCKED (the key wants a passphrase that its agent does not know; an adopted key's agent or card cannot be reached) ·
// ERR_REFUSED (wrong passphrase; the person declined) · ERR_NOT_FOUND
// (no such key; for open: no secret key for it) · ERR_CRYPTO (signature, seal or P3.4 does not hold: see result->verdict) ·
// ERR_TOO_LARGE (plaintext cap) · ERR_BAD_INPUT (packet walk, or gpg found it unusable) · ERR_TIMEOUT · ERR_CANCELED · ERR_BUSY
// · ERR_IO.
#ifndef SOTTO_OPENPGP_GPG_H
#define SOTTO_OPENPGP_GPG_H

#include "base/secret.h"
#include "loop/loop.h"
#include "openpgp/home.h"
#include "openpgp/packets.h"
#include "openpgp/verdict.h"

#define GPG_RUNNING_MAX 8
#define GPG_STRANGERS_RUNNING_MAX 2
#define GPG_QUEUE_MAX 1024
#define GPG_STRANGERS_QUEUE_MAX 64
#define GPG_WARM_MAX 16
#define GPG_TIMEOUT_MS 10000      // from the start of its process, or from when it was given its input
#define GPG_TIMEOUT_MAX_MS 120000
#define GPG_PLAINTEXT_MAX (1024 * 1024)
#define GPG_PASSPHRASE_MAX 255    // bytes, gpg-agent's own limit; no control bytes
#define GPG_USER_ID_MAX 128       // bytes
#define GPG_IMPORTED_MAX 16

struct gpg;    // one for each process: it is the reaper of all its children's children
struct gpg_op;

// Blocks for some 20 ms (gpgme asks gpg for its version): at the start of a core only. Makes this process a subreaper, and sets
// SIGPIPE to be ignored.
MUST_CHECK enum err gpg_new(struct gpg **out, struct loop *loop, struct err_info *info);
void gpg_free(struct gpg *g); // no operation is left: their owners have cancelled them and a turn has passed

struct gpg_load {
	unsigned running, queued, queued_strangers;
	unsigned warm;                   // processes that were started ahead, and wait
	uint64_t done, failed, timeouts; // since the start
	uint64_t ahead, ahead_in_vain;   // operations whose process waited for them; and was of no use then
	uint64_t verdicts[VERDICT_COUNT]; // of open and verify
};
struct gpg_load gpg_load(const struct gpg *g);

void gpg_limit(struct gpg *g, unsigned running); // at a time; GPG_RUNNING_MAX, as it is at first, at most
// gpg started ahead (warm.h): at most `max` processes wait at a time (0: none, as it is at first; GPG_WARM_MAX), each for idle_ms at
// most.
void gpg_keep_warm(struct gpg *g, unsigned max, int64_t idle_ms);
// A seal to these, an open in that home will soon come: gpg is started for it. Without `surely` a little later, and
// nothing else gives way to it.
void gpg_expect_seal(struct gpg *g, struct home *home, const uint64_t *recipients, size_t count, bool surely);
void gpg_expect_open(struct gpg *g, struct home *home, bool surely);
void gpg_cool(struct gpg *g); // ends all that wait

// What an operation yields. On failure all of it is empty but `verdict`. Borrowed: take references before returning.
struct gpg_result {
	struct bytes *output;       // seal: the message; open: the plaintext (wiped at its last unref); sign: the signature;
	                            // export: the certificate
	struct secret *session_key; // open: as gpg --override-session-key takes it ("9:…", no NUL)
	enum verdict verdict;       // open, verify
	char fingerprint[FINGERPRINT_TEXT]; // open, verify: the signer's primary key; generate: the primary key
	unsigned hash;              // open, verify: the signature's digest algorithm
	char imported[GPG_IMPORTED_MAX][FINGERPRINT_TEXT]; // import
	size_t imported_count;
};
typedef void gpg_done(void *arg, enum err code, const struct err_info *info, const struct gpg_result *result);

// What all operations have in common. Zero is a good default for the optional fields.
struct gpg_call {
	struct gpg *gpg;
	struct home *home;
	gpg_done *done;
	void *arg;
	bool stranger;             // optional: works for a peer that is none of ours
	bool by_self;              // optional, open: the home's own key has signed it, and may have expired since
	bool soon_again;           // optional, seal and open: another one like it is likely to follow, and gpg is started for that ahead
	int64_t timeout_ms;        // optional: 0 is GPG_TIMEOUT_MS, or GPG_TIMEOUT_MAX_MS where a person may be asked
	struct secret *passphrase; // optional: given to the agent when it asks (loopback); else the agent asks nobody and fails
	struct session *session;   // optional, of an adopted key: where the person is; the operation does not wait for gpg_retry then
};

// The operations in that home that wait for a person begin again, at `session`. Returns how many; `done` comes once all of them have
// ended, and never for none.
size_t gpg_retry(struct gpg *g, struct home *home, struct session *session, void (*done)(void *arg), void *arg);

// Whoever was asked there does not want to be: what has begun again and is under way waits for the next gpg_retry. `done` of the last
// one comes all the same.
void gpg_retry_stop(struct gpg *g, struct home *home);

// In the home of an adopted key that has expired, operations wait once for this, which follows home_on_expired: `renewed`, the home has
// a newer certificate of it, and they begin again; else they fail.
void gpg_renewed(struct gpg *g, struct home *home, bool renewed);

// `out` may be NULL. The handle is dead once `done` has been called. Cancel: `done` comes on the next turn with ERR_CANCELED.
void gpg_op_cancel(struct gpg_op *op);

// P3.1: signed with the home's key and encrypted to the subkeys in that order; the home has their certificates. At most
// GPG_PLAINTEXT_MAX; SEALED_RECIPIENTS_MAX ids, none twice. What gpg made is walked again (sealed_check) before it is handed
// out.
MUST_CHECK enum err gpg_seal_start(const struct gpg_call *call, struct bytes *plaintext, const uint64_t *recipients, size_t count,
				   struct gpg_op **out, struct err_info *info);
// P3.2, P3.4: sealed_check against the recipients, at once; then decrypted, and handed out only if verdict_of says so for
// `signer`, the full fingerprint that our own table has for the sender, and inner_check finds nothing beside the signed text.
MUST_CHECK enum err gpg_open_start(const struct gpg_call *call, struct bytes *message, const uint64_t *recipients, size_t count,
				   const char *signer, struct gpg_op **out, struct err_info *info);
// Detached, binary, by the home's key.
MUST_CHECK enum err gpg_sign_start(const struct gpg_call *call, struct bytes *text, struct gpg_op **out, struct err_info *info);
// signature_check at once; done with OK only where verdict_of accepts it for `signer`. A signing subkey of that certificate may have
// made it, here and in what is opened: gpg has then checked that subkey and primary key bind each other.
MUST_CHECK enum err gpg_verify_start(const struct gpg_call *call, struct bytes *text, struct bytes *signature,
				     const char *signer, struct gpg_op **out, struct err_info *info);

// certificate_check at once. Public keys only. One writer at a time in a home: imports, generation, deletion.
MUST_CHECK enum err gpg_import_start(const struct gpg_call *call, struct bytes *certificate, struct gpg_op **out,
				     struct err_info *info);
// The minimal public certificate of exactly that key.
MUST_CHECK enum err gpg_export_start(const struct gpg_call *call, const char *fingerprint, struct gpg_op **out,
				     struct err_info *info);
// A public key with that primary fingerprint; one whose secret key is in the home is refused (ERR_WRONG_STATE): destroy the
// home.
MUST_CHECK enum err gpg_delete_start(const struct gpg_call *call, const char *fingerprint, struct gpg_op **out,
				     struct err_info *info);
// ed25519 primary (certifies, signs), cv25519 subkey (encrypts), no expiry; protected from the first byte by call->passphrase
// if given. The user id is UTF-8, 1 to GPG_USER_ID_MAX bytes, without controls and without any of <>()@ (ERR_BAD_PARAMS).
MUST_CHECK enum err gpg_generate_start(const struct gpg_call *call, const char *user_id, struct gpg_op **out,
				       struct err_info *info);
// One more cv25519 subkey (encrypts, no expiry, no passphrase) for the home's key with that primary fingerprint. The result's fingerprint
// is the subkey's. Signatures of what gpg made itself are not cached (home_drop_keyring): see key_subkey_start.
MUST_CHECK enum err gpg_subkey_start(const struct gpg_call *call, const char *fingerprint, struct gpg_op **out,
				     struct err_info *info);
// call->passphrase is the old one (NULL where the key has none), `fresh` the new one (never empty).
MUST_CHECK enum err gpg_passphrase_start(const struct gpg_call *call, const char *fingerprint, struct secret *fresh,
					 struct gpg_op **out, struct err_info *info);

#endif
