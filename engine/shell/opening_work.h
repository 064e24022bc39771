// SPDX-License-Identifier: GPL-3.0-or-later
// What opening.c, opening_sides.c and opening_work.c share.
#ifndef SOTTO_SHELL_OPENING_WORK_H
#define SOTTO_SHELL_OPENING_WORK_H

#include "discussion/lifecycle.h"
#include "openpgp/gpg.h"
#include "shell/opening.h"

#define WORKS_MAX 12 // a machine issues each action with a result at most once

// One operation of gpg for the machine. It may have to wait until the other's certificate is in the general home.
struct work {
	struct opening *opening;
	enum handshake_action_type type; // what was asked
	enum handshake_event_type result; // what its end becomes
	struct bytes *first, *second;
	uint64_t keys[HANDSHAKE_MEMBERS];
	size_t key_count;
	char signer[FINGERPRINT_TEXT];
	struct gpg_op *op;
	int64_t began_ms;
	bool used, waits;
};

enum import_state { IMPORT_NONE, IMPORT_RUNNING, IMPORT_DONE, IMPORT_FAILED };

struct opening {
	struct engine *engine;
	struct opening *next, **link_in_list;
	struct discussion *discussion; // NULL at the answering side until the request is shown
	struct handshake *machine;
	struct link *link;
	struct timer deadline;
	enum handshake_role role;
	enum handshake_mode mode;
	char other[41];
	struct secret *password;
	struct fresh_key key;
	struct key_waiter key_waiter;
	struct deferred turn; // to dial, and to go away

	// dialing
	struct endpoint_list addresses;
	size_t next_address;
	bool connected, waits_for_proof;

	// limits of the answering side
	struct addr source;
	bool source_known, half_open, request_slot, shown;

	// gpg
	struct work works[WORKS_MAX];
	size_t works_used;
	struct bytes *general; // the other's general certificate
	struct certificate_info general_info;
	enum import_state import;
	struct gpg_op *import_op;
	struct key_job *reach; // of the asking side, with an adopted key
	struct proof *proof;

	bool over;   // OPENED, LEFT or REFUSED was carried out, or it never came to that
	bool silent; // opening_free: the discussion is not to be touched
	int64_t began_ms, asked_ms;
};

struct opening *opening_new(struct engine *e, enum handshake_role role); // in the list of all
void opening_dial(struct opening *o); // the next address, on a later turn
// Nothing more comes of it; what is under way is cancelled, and then it goes away.
void opening_finish(struct opening *o);
// The same, and its discussion is refused. detail is for the log.
void opening_refused(struct opening *o, enum lifecycle_reason why, const char *detail);
enum lifecycle_reason opening_reason(enum handshake_reason reason);
void opening_decide(struct opening *o); // a request was shown to the core: to the person, or P2.9
extern const struct link_callbacks opening_link_callbacks; // their argument is the opening

// Hands the event to the machine and carries out what it asks for.
void opening_feed(struct opening *o, const struct handshake_event *event);
void opening_result(struct opening *o, enum handshake_event_type type, enum err code, struct span bytes);

// Begins what the action asks of gpg; its end comes as an event.
void work_begin(struct opening *o, const struct handshake_action *action);
void work_cancel_all(struct opening *o);
// The general certificate of the other, as soon as it is known: its import begins.
void work_use_certificate(struct opening *o, struct bytes *certificate);
// Called by works that ended after the opening was over.
void opening_release(struct opening *o);

#endif
