// SPDX-License-Identifier: GPL-3.0-or-later
// Between gpg.c (when operations run), gpg_op.c (the life of one) and the files that say what they do: gpg_message.c, gpg_keys.c,
// gpg_report.c.
#ifndef SOTTO_OPENPGP_GPG_INTERNAL_H
#define SOTTO_OPENPGP_GPG_INTERNAL_H

#include <gpgme.h>

#include "openpgp/gpg.h"
#include "openpgp/runner.h"

#define OP_DATA_MAX 3

enum op_state { OP_NEW, OP_QUEUED, OP_RUNNING, OP_ENDING };
// waiting: see warm.h; parked: for a person, see gpg_retry
enum op_place { OP_NOWHERE, OP_IN_QUEUE, OP_AMONG_RUNNING, OP_AMONG_WAITING, OP_AMONG_PARKED };

// What a process can be started for before its input is known (warm.h): a seal to these, or with none an open.
struct warm_kind {
	uint64_t recipients[SEALED_RECIPIENTS_MAX];
	size_t recipient_count;
};

// One kind of operation. `start` hands it to gpgme. `collect` is called when gpgme is done, with 0 or its error; it fills
// op->result, or says why not in op->info. It may set op->again, and `start` is called once more.
struct operation {
	const char *name;
	bool exclusive;    // writes the keyring
	bool agent;        // starts the home's agent where there is none
	bool keeps_result; // a verdict is wanted on failure too
	gpgme_error_t (*start)(gpgme_ctx_t context, void *op);
	enum err (*collect)(struct gpg_op *op, gpgme_ctx_t context, gpgme_error_t refusal);
};

// What gpg's status lines said and gpgme's results do not tell.
struct status_notes {
	bool spoken; // there were any
	bool locked, wrong_passphrase, no_secret_key;
	bool declined, no_agent, no_card; // of a user's own agent
	bool some_expired, expired;       // a key that was looked at; the one that was to sign
	char signer[FINGERPRINT_TEXT]; // the primary key of the first good signature's key
};

struct gpg_op {
	struct gpg *gpg;
	const struct operation *operation;
	enum op_state state;
	enum op_place place;
	int pinentry; // the one that asks for it, as a pidfd; -1: none
	bool stranger;
	bool again, listed; // set by collect: start once more; the key was listed
	bool waits;         // its process was started ahead, and has nobody yet
	bool ahead;         // it was, and then taken
	bool soon_again;    // see gpg_call
	bool quiet;         // asks nobody
	bool by_self;       // see gpg_call
	bool relaunched;    // the user's agent was started for it
	bool stale;         // parked until a newer certificate of the own key was looked for
	bool renewed;       // that was done
	bool overflow;      // more came out than `output` takes
	struct session *session;
	struct retry *retry;
	struct home_user user;
	struct gpg_op *next, **link; // where `place` says
	struct runner *runner;
	struct timer timer;
	struct deferred deferred;
	int64_t timeout_ms;
	gpg_done *done;
	void *arg;

	// inputs, by operation
	struct home *home;
	struct bytes *input, *signature;
	size_t given; // bytes of the input that gpgme has had, where it came later
	uint64_t recipients[SEALED_RECIPIENTS_MAX];
	size_t recipient_count;
	char fingerprint[FINGERPRINT_TEXT]; // expected signer, or the key
	char *text;                         // recipients or key parameters, as gpgme takes them
	struct secret *passphrase, *fresh;
	unsigned questions; // how often the agent has asked

	// under way
	gpgme_data_t data[OP_DATA_MAX];
	size_t data_count;
	struct buf output;
	gpgme_key_t key;
	struct status_notes notes;
	gpgme_error_t failure, refusal;

	enum err code;
	struct err_info info;
	struct gpg_result result;
};

// gpg.c: all operations, and what they share.
struct loop *gpg_loop(const struct gpg *g);
struct warm *gpg_warm(struct gpg *g);
struct gpg_load *gpg_counters(struct gpg *g);
void gpg_count_ops(struct gpg *g, int more);
void gpg_place(struct gpg_op *op, enum op_place place);
bool gpg_has_room(const struct gpg_op *op); // in its queue
void gpg_pump_soon(struct gpg *g);
void gpg_retried(struct gpg_op *op); // it has ended: fine where it was no part of a retry
struct runner *gpg_take_runner(struct gpg *g, struct err_info *info); // NULL: there is none
void gpg_give_runner(struct gpg *g, struct runner *r, bool usable);

// A new one that is not queued yet, or ERR_BAD_PARAMS for what the call holds.
MUST_CHECK enum err op_new(struct gpg_op **out, const struct operation *operation, const struct gpg_call *call,
			   struct err_info *info);
void op_free(struct gpg_op *op); // before it is queued
// Queues it and is its owner from then on, on success. ERR_BUSY.
MUST_CHECK enum err op_queue(struct gpg_op *op, struct gpg_op **out, struct err_info *info);

// It was given a place among the running: its process is started.
void op_start(struct gpg_op *op);
// From here on it is only its callback that is outstanding, on the next turn.
void op_end(struct gpg_op *op, enum err code);
// It waits or runs, and is ended for the reason that op->code has.
void op_stop(struct gpg_op *op);
// It has run, and is to run once more, from that place.
void op_go_back(struct gpg_op *op, enum op_place place);
// gpg_parked.c. Whether it now waits for a person or for a certificate, rather than having failed.
bool op_parks(struct gpg_op *op);
// A parked one goes back into its queue, and asks at `session`.
void op_unpark(struct gpg_op *op, struct session *session);
void op_park_again(struct gpg_op *op); // whatever it does by then
void op_renew(struct gpg_op *op, bool renewed); // a stale one
// Its process is started, and waits for what op_feed gives it; nobody is called back but `done` where it ends by itself. The owner on
// success is whoever takes it, or discards it.
MUST_CHECK enum err op_start_ahead(struct gpg_op *op);
void op_discard(struct gpg_op *op);
// From now on it is the call's operation, as if op_queue had taken it.
void op_feed(struct gpg_op *op, const struct gpg_call *call, struct bytes *input, struct gpg_op **out);

// gpgme data over bytes of the operation (borrowed), and over its output buffer; the operation releases them.
gpgme_error_t op_input(struct gpg_op *op, struct span bytes, gpgme_data_t *out);
// Over op->input, which may still be missing.
gpgme_error_t op_input_later(struct gpg_op *op, gpgme_data_t *out);
gpgme_error_t op_output(struct gpg_op *op, size_t max, gpgme_data_t *out);

// gpg_message.c: what warm.h asks for.
MUST_CHECK enum err message_start_ahead(struct gpg *g, struct home *home, const struct warm_kind *kind, gpg_done *on_lost, void *arg,
					struct gpg_op **out);

// gpg_report.c: gpgme's and gpg's codes become ours, with a text.
enum err op_translate(struct gpg_op *op, gpgme_error_t e);
// A status line; gpgme's status callback.
gpgme_error_t op_on_status(void *op, const char *keyword, const char *arguments);
// Takes the question off the screen that nobody waits for any more: the agent itself would leave it there.
void op_end_pinentry(struct gpg_op *op);
void op_forget_pinentry(struct gpg_op *op); // it has been answered
// The agent wants a passphrase; gpgme's passphrase callback.
gpgme_error_t op_on_passphrase(void *op, const char *hint, const char *about, int was_bad, int fd);
MUST_CHECK enum err passphrase_check(struct secret *passphrase, struct err_info *info);

#endif
