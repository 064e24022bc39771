// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/keyring.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "store/discussions.h"
#include "store/internal.h"

static uint8_t *slot_key(struct keyring *k, const struct data_key *slot)
{
	return secret_data(k->memory) + (slot - k->slots) * SEAL_KEY_LEN;
}

void keyring_init(struct keyring *k)
{
	*k = (struct keyring){.memory = secret_new(KEYRING_SLOTS * SEAL_KEY_LEN)};
	for (size_t i = 0; i < KEYRING_SLOTS; i++)
		k->slots[i].key = slot_key(k, &k->slots[i]);
}

void keyring_fini(struct keyring *k)
{
	keyring_lock(k);
	secret_unref(k->memory);
	k->memory = NULL;
}

void keyring_clear(struct keyring *k)
{
	sodium_memzero(secret_data(k->memory), KEYRING_SLOTS * SEAL_KEY_LEN);
	for (size_t i = 0; i < KEYRING_SLOTS; i++)
		k->slots[i].number = 0;
}

void keyring_lock(struct keyring *k)
{
	keyring_clear(k);
	secret_unref(k->store_key);
	k->store_key = NULL;
}

enum err keyring_store_key(struct store *s, const uint8_t **out, struct err_info *info)
{
	if (!s->keyring.store_key)
		return err_set(info, ERR_LOCKED, "the store is locked");
	*out = secret_span(s->keyring.store_key).data;
	return OK;
}

static struct seal_place wrapped_place(const char *discussion)
{
	return (struct seal_place){"data_keys", "wrapped", {discussion}};
}

static struct data_key *find_free(struct keyring *k)
{
	struct data_key *oldest = NULL;
	for (size_t i = 0; i < KEYRING_SLOTS; i++) {
		struct data_key *slot = &k->slots[i];
		if (slot->pins)
			continue;
		if (!slot->number)
			return slot;
		if (!oldest || slot->used < oldest->used)
			oldest = slot;
	}
	return oldest;
}

static enum err unwrap(struct store *s, struct data_key *slot, int64_t number,
		       struct err_info *info)
{
	struct buf plain;
	struct query q;
	const uint8_t *store_key;
	char discussion[33] = "";
	bool found = false;
	enum err opened = OK, e = keyring_store_key(s, &store_key, info);
	if (e)
		return e;
	buf_init_wiped(&plain, SEAL_KEY_LEN);
	query_begin(&q, s,
		    "SELECT d.id, k.wrapped FROM discussions d JOIN data_keys k ON "
		    "k.discussion = d.number WHERE d.number = ?");
	query_bind_int(&q, number);
	if (query_step(&q)) {
		found = true;
		query_take_text(&q, discussion, sizeof discussion);
		const struct seal_place place = wrapped_place(discussion);
		opened = seal_open(store_key, &place, query_take_span(&q), &plain, info);
	}
	e = query_end(&q, info);
	if (!e)
		e = opened;
	if (!e && !found)
		e = err_set(info, ERR_NOT_FOUND, "no such discussion, or its key is destroyed");
	if (!e && plain.len != SEAL_KEY_LEN)
		e = err_set(info, ERR_CRYPTO, "data_keys.wrapped has a wrong length, row %s",
			    discussion);
	if (!e) {
		memcpy(slot_key(&s->keyring, slot), plain.data, SEAL_KEY_LEN);
		memcpy(slot->discussion, discussion, sizeof discussion);
		slot->number = number;
	}
	buf_fini(&plain);
	return e;
}

enum err keyring_pin_number(struct store *s, int64_t number, struct data_key **out,
			    struct err_info *info)
{
	struct keyring *k = &s->keyring;
	struct data_key *slot = NULL;
	if (!k->store_key)
		return err_set(info, ERR_LOCKED, "the store is locked");
	for (size_t i = 0; i < KEYRING_SLOTS && !slot; i++)
		if (k->slots[i].number == number)
			slot = &k->slots[i];
	if (!slot) {
		slot = find_free(k);
		if (!slot)
			return err_set(info, ERR_BUSY, "too many discussions are read at once");
		slot->number = 0;
		enum err e = unwrap(s, slot, number, info);
		if (e)
			return e;
	}
	slot->used = ++k->clock;
	slot->pins++;
	*out = slot;
	return OK;
}

enum err keyring_pin(struct store *s, const char *discussion, struct data_key **out,
		     struct err_info *info)
{
	int64_t number;
	if (!s->keyring.store_key)
		return err_set(info, ERR_LOCKED, "the store is locked");
	enum err e = discussion_find(s, discussion, &number, info);
	if (e)
		return e;
	return keyring_pin_number(s, number, out, info);
}

void keyring_unpin(struct data_key *key)
{
	if (!key)
		return;
	assert(key->pins > 0);
	key->pins--;
}

enum err keyring_take_sealed(struct query *q, const struct data_key *key, const struct seal_place *place, size_t max,
			     struct bytes **out, struct err_info *info)
{
	struct buf plain;
	buf_init_wiped(&plain, max);
	enum err e = seal_open(key->key, place, query_take_span(q), &plain, info);
	if (e)
		buf_fini(&plain);
	else
		*out = buf_take(&plain);
	return e;
}

enum err keyring_create(struct store *s, int64_t number, const char *discussion,
			struct err_info *info)
{
	const struct seal_place place = wrapped_place(discussion);
	const uint8_t *store_key;
	struct query q;
	struct buf wrapped;
	enum err e = keyring_store_key(s, &store_key, info);
	if (e)
		return e;
	struct secret *key = secret_new(SEAL_KEY_LEN);
	randombytes_buf(secret_data(key), SEAL_KEY_LEN);
	buf_init(&wrapped, SEAL_KEY_LEN + SEAL_OVERHEAD);
	e = seal_close(store_key, &place, secret_span(key), &wrapped);
	secret_unref(key);
	if (!e) {
		query_begin(&q, s, "INSERT INTO data_keys (discussion, wrapped) VALUES (?, ?)");
		query_bind_int(&q, number);
		query_bind_span(&q, buf_span(&wrapped));
		e = query_run(&q, NULL, info);
	}
	buf_fini(&wrapped);
	return e;
}

struct wrapped_key {
	int64_t number;
	uint8_t bytes[SEAL_KEY_LEN + SEAL_OVERHEAD];
};

static bool contains(const int64_t *numbers, size_t count, int64_t number)
{
	for (size_t i = 0; i < count; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

static enum err read_all_but(struct store *s, const int64_t *numbers, size_t count, struct buf *out,
			     struct err_info *info)
{
	struct query q;
	query_begin(&q, s, "SELECT discussion, wrapped FROM data_keys");
	while (query_step(&q)) {
		struct wrapped_key one = {.number = query_take_int(&q)};
		query_take_exact(&q, one.bytes, sizeof one.bytes);
		if (!contains(numbers, count, one.number))
			buf_put(out, &one, sizeof one);
	}
	return query_end(&q, info);
}

static enum err put_back(struct store *s, const struct wrapped_key *one, struct err_info *info)
{
	struct query q;
	query_begin(&q, s, "INSERT INTO data_keys (discussion, wrapped) VALUES (?, ?)");
	query_bind_int(&q, one->number);
	query_bind_span(&q, span(one->bytes, sizeof one->bytes));
	return query_run(&q, NULL, info);
}

enum err keyring_destroy(struct store *s, const int64_t *numbers, size_t count,
			 struct err_info *info)
{
	struct query q;
	struct buf rest;
	buf_init(&rest, SIZE_MAX);
	for (size_t i = 0; i < KEYRING_SLOTS; i++) {
		struct data_key *slot = &s->keyring.slots[i];
		if (!slot->number || !contains(numbers, count, slot->number))
			continue;
		sodium_memzero(slot_key(&s->keyring, slot), SEAL_KEY_LEN);
		slot->number = 0;
	}
	// secure_delete overwrites a deleted cell, but not the copies that a page split left in the
	// slack of other pages. Emptying the whole table overwrites its pages entirely; then those
	// that live on go back in.
	enum err e = read_all_but(s, numbers, count, &rest, info);
	if (!e) {
		query_begin(&q, s, "DELETE FROM data_keys");
		e = query_run(&q, NULL, info);
	}
	const struct wrapped_key *kept = (const struct wrapped_key *)(void *)rest.data;
	for (size_t i = 0; i < rest.len / sizeof *kept && !e; i++)
		e = put_back(s, &kept[i], info);
	buf_fini(&rest);
	return e;
}
