// SPDX-License-Identifier: GPL-3.0-or-later
#include <sodium.h>
#include <string.h>

#include "discussion/handshake.h"

const char *handshake_reason_name(enum handshake_reason reason)
{
	static const char *const names[HANDSHAKE_REASON_COUNT] = {
		"refused", "busy", "expired", "superseded", "failed", "lost",
	};
	return names[reason];
}

void handshake_actions_init(struct handshake_actions *a)
{
	a->count = 0;
}

static void opening_fini(struct handshake_action *x)
{
	bytes_unref(x->opening.charter);
	bytes_unref(x->opening.roster);
	for (size_t i = 0; i < x->opening.count; i++) {
		bytes_unref(x->opening.members[i].general);
		bytes_unref(x->opening.members[i].certificate);
		bytes_unref(x->opening.members[i].binding);
	}
}

static void action_fini(struct handshake_action *x)
{
	switch (x->type) {
	case HANDSHAKE_SEND:
		bytes_unref(x->send.payload);
		break;
	case HANDSHAKE_SET_CIPHER:
		sodium_memzero(&x->cipher, sizeof x->cipher);
		break;
	case HANDSHAKE_CHECK_CERTIFICATE:
		bytes_unref(x->certificate.certificate);
		break;
	case HANDSHAKE_PROVE:
		bytes_unref(x->prove.certificate);
		bytes_unref(x->prove.record);
		bytes_unref(x->prove.certification);
		bytes_unref(x->prove.body);
		break;
	case HANDSHAKE_REQUEST:
		bytes_unref(x->request.charter);
		break;
	case HANDSHAKE_SEAL_GENERAL:
		bytes_unref(x->seal_general.certificate);
		bytes_unref(x->seal_general.plaintext);
		break;
	case HANDSHAKE_OPEN_GENERAL:
		bytes_unref(x->open_general.certificate);
		bytes_unref(x->open_general.message);
		break;
	case HANDSHAKE_SIGN_BINDING:
		bytes_unref(x->sign.body);
		break;
	case HANDSHAKE_VERIFY_BINDING:
		bytes_unref(x->verify.certificate);
		bytes_unref(x->verify.body);
		bytes_unref(x->verify.signature);
		break;
	case HANDSHAKE_IMPORT_MEMBER:
		bytes_unref(x->import.certificate);
		break;
	case HANDSHAKE_COMMIT_OPENING:
		opening_fini(x);
		break;
	case HANDSHAKE_SEAL_DISCUSSION:
		bytes_unref(x->seal_discussion.plaintext);
		break;
	case HANDSHAKE_OPEN_DISCUSSION:
		bytes_unref(x->open_discussion.message);
		break;
	case HANDSHAKE_DEADLINE:
	case HANDSHAKE_CLOSE_LINK:
	case HANDSHAKE_HOLD_LINK:
	case HANDSHAKE_LOOK_UP:
	case HANDSHAKE_SPEND_GUESS:
	case HANDSHAKE_RESTORE_GUESSES:
	case HANDSHAKE_OPENED:
	case HANDSHAKE_LEFT:
	case HANDSHAKE_REFUSED:
		break;
	}
}

void handshake_actions_fini(struct handshake_actions *a)
{
	for (size_t i = 0; i < a->count; i++)
		action_fini(&a->list[i]);
	a->count = 0;
}
