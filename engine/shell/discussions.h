// SPDX-License-Identifier: GPL-3.0-or-later
// All discussions of this core, ended ones too, in order of their creation; who may still guess a password; and what is being opened.
#ifndef SOTTO_SHELL_DISCUSSIONS_H
#define SOTTO_SHELL_DISCUSSIONS_H

#include "shell/discussion.h"

struct discussions {
	struct engine *engine;
	struct discussion *first, **last;
	struct opening *openings;
	struct deferred prune_turn;
};

void discussions_init(struct discussions *all, struct engine *e);
// Reads the rows. What was unfinished when the core ended is refused (P2.1), its home unreferenced.
MUST_CHECK enum err discussions_load(struct discussions *all, struct err_info *info);
// Names of the homes that the store refers to, identity's excepted; *names is freed by the caller, the strings are borrowed.
size_t discussions_homes(const struct discussions *all, const char ***names);
void discussions_wake(struct discussions *all);  // keys are at hand: reconnects
void discussions_sleep(struct discussions *all); // links end, machines go; rows stay readable
void discussions_recover(struct discussions *all); // the store works again
void discussions_fini(struct discussions *all);

struct discussion *discussions_get(struct discussions *all, const char *id); // full id; NULL: none
// As the API names one: full id, unique prefix, or the name of the one other member.
MUST_CHECK enum err discussions_find(struct discussions *all, const char *text, struct discussion **out, struct err_info *info);
void discussions_add(struct discussions *all, struct discussion *d);
void discussions_remove(struct discussions *all, struct discussion *d); // frees it
void discussions_prune(void *all); // drops the refused requests that the store has dropped

// P2.2, on disk when they return. ERR_REFUSED: none left.
int64_t discussions_guess_wait_ms(struct engine *e, const char *fingerprint);
MUST_CHECK enum err discussions_guess_spend(struct engine *e, const char *fingerprint);
void discussions_guesses_restore(struct engine *e, const char *fingerprint);
uint32_t discussions_guesses_left(struct engine *e, const char *fingerprint);

// The own unfinished request to that person, other than `but`; NULL: none.
struct opening *discussions_own_request(struct engine *e, const char *fingerprint, const struct opening *but);
// An own request or one of that person's ended: requests that were held back are decided again (P2.9).
void discussions_request_ended(struct engine *e, const char *fingerprint);

#endif
