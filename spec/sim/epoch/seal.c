// SPDX-License-Identifier: GPL-3.0-or-later
// A seal: the signer's key, the recipients' keys with what each is given, and the payload in clear. Who opens it looks at what
// gpg and the packet walk look at (P3.1, P3.2, P3.4).
#include <string.h>

#include "spec/sim/epoch/world.h"

#define KEY (KEY_ID_SIZE - 1)
#define ENTRY (KEY + 1) // of a recipient: its key, and '+' where that opens it
#define HEADER (KEY + 1) // the signer's key, and how many recipients

struct bytes *seal(const struct roster_record *r, const char *fingerprint, struct span payload)
{
	const char *keys[ROSTER_MAX];
	size_t count = roster_keys_without(r, fingerprint, keys), self = roster_position(r, fingerprint);
	struct bytes *m = bytes_new(NULL, HEADER + count * ENTRY + payload.len);
	memcpy(m->data, r->members[self].key, KEY);
	m->data[KEY] = (uint8_t)count;
	for (size_t i = 0; i < count; i++) {
		memcpy(m->data + HEADER + i * ENTRY, keys[i], KEY);
		m->data[HEADER + i * ENTRY + KEY] = '+';
	}
	memcpy(m->data + HEADER + count * ENTRY, payload.data, payload.len);
	return m;
}

static size_t payload_at(struct span message)
{
	size_t at = message.len > HEADER ? HEADER + (size_t)message.data[KEY] * ENTRY : message.len;
	return at < message.len ? at : message.len;
}

size_t seal_keys(struct span message, const char *keys[ROSTER_MAX])
{
	size_t count = (payload_at(message) - HEADER) / ENTRY;
	for (size_t i = 0; i < count; i++)
		keys[i] = (const char *)message.data + HEADER + i * ENTRY;
	return count;
}

void seal_spoil(struct bytes *m, const char *key)
{
	const char *keys[ROSTER_MAX];
	size_t count = seal_keys(bytes_span(m), keys);
	for (size_t i = 0; i < count; i++)
		if (!memcmp(keys[i], key, KEY))
			m->data[HEADER + i * ENTRY + KEY] = '-';
}

struct bytes *unseal(const struct roster_record *r, const char *own, size_t sender, struct span message, enum err *code)
{
	const char *keys[ROSTER_MAX], *due[ROSTER_MAX];
	size_t self = roster_position(r, own);
	*code = ERR_BAD_INPUT;
	if (message.len <= HEADER || self == ROSTER_NOBODY || memcmp(message.data, r->members[sender].key, KEY) != 0)
		return NULL;
	size_t count = seal_keys(message, keys), due_count = roster_keys_without(r, r->members[sender].fingerprint, due);
	if (count != due_count)
		return NULL;
	bool opens = false;
	for (size_t i = 0; i < count; i++) {
		if (memcmp(keys[i], due[i], KEY) != 0)
			return NULL;
		opens = opens || (!memcmp(keys[i], r->members[self].key, KEY) && keys[i][KEY] == '+');
	}
	if (!opens)
		return NULL;
	*code = OK;
	size_t at = payload_at(message);
	return bytes_new(message.data + at, message.len - at);
}
