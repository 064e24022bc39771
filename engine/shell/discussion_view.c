// SPDX-License-Identifier: GPL-3.0-or-later
// A discussion as the API shows it.
#include <string.h>

#include "base/encode.h"
#include "discussion/words.h"
#include "shell/conversation.h"
#include "shell/joining.h"
#include "shell/past.h"
#include "shell/shell.h"
#include "store/messages.h"

static json_t *member_view(struct discussion *d, const char *fingerprint, bool verified)
{
	bool you = strcmp(fingerprint, discussion_own(d)) == 0;
	char tried[ADDR_TEXT_MAX];
	const char *problem = conversation_problem(d->conversation, fingerprint, tried);
	json_t *v = json_pack("{s:s, s:s, s:b, s:b, s:b}", "fingerprint", fingerprint, "name",
			      neighbours_name(&d->engine->neighbours, fingerprint), "you", you, "present",
			      you || conversation_is_linked(d->conversation, fingerprint), "verified", you || verified);
	if (problem[0])
		json_object_set_new(v, "problem", json_string(problem));
	if (tried[0])
		json_object_set_new(v, "tried", json_string(tried));
	return v;
}

static json_t *members_view(struct discussion *d)
{
	json_t *members = json_array();
	if (d->member_count == 0) { // before there is a roster
		json_array_append_new(members, member_view(d, discussion_own(d), true));
		json_array_append_new(members, member_view(d, d->row.other,
							   neighbours_is_pinned(&d->engine->neighbours, d->row.other)));
	}
	for (size_t i = 0; i < d->member_count; i++)
		json_array_append_new(members, member_view(d, d->members[i].fingerprint, d->members[i].verified));
	return members;
}

// An open one that sleeps with a locked identity has no link to anyone, whatever its row says.
static enum lifecycle_state shown_state(const struct discussion *d)
{
	return d->life.state == LIFECYCLE_OPEN && !d->conversation ? LIFECYCLE_SUSPENDED : d->life.state;
}

json_t *discussion_view(struct discussion *d)
{
	uint32_t unread = 0;
	json_t *v = json_pack("{s:s, s:s, s:o, s:i, s:s, s:s, s:I}", "id", d->row.id, "state",
			      lifecycle_state_name(shown_state(d)), "members", members_view(d), "epoch", (int)d->row.epoch,
			      "charter", d->row.charter, "mode", d->row.mode, "created", (json_int_t)d->row.created);
	if (store_message_unread(d->engine->store, d->row.id, &unread, NULL))
		unread = 0;
	json_object_set_new(v, "unread", json_integer(unread));
	if (d->member_count) {
		char hex[2 * HASH_LEN + 1], words[WORDS_TEXT_SIZE];
		hex_encode_lower(hash_span(&d->roster_hash), hex);
		words_of_hash(&d->roster_hash, words, sizeof words);
		json_object_set_new(v, "roster_hash", json_string(hex));
		json_object_set_new(v, "words", json_string(words));
	}
	joining_view(d, v);
	json_t *missing = past_missing(d->conversation);
	if (missing)
		json_object_set_new(v, "missing", missing);
	if (d->row.reason[0])
		json_object_set_new(v, "reason", json_string(d->row.reason));
	if (d->life.state == LIFECYCLE_SUSPENDED)
		json_object_set_new(v, "suspended", json_integer(d->life.since));
	return v;
}
