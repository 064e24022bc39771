// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/endpoint.h"

#include <assert.h>
#include <string.h>

#include "base/encode.h"

void endpoint_key(const struct addr *e, uint8_t out[ENDPOINT_KEY_LEN])
{
	memcpy(out, e->ip, sizeof e->ip);
	be32_put(out + 16, e->scope);
	out[20] = (uint8_t)(e->port >> 8);
	out[21] = (uint8_t)e->port;
}

struct addr endpoint_host(const struct addr *e)
{
	struct addr host = {0};
	bool whole = addr_is_v4(e) || addr_class_of(e) == ADDR_LINK_LOCAL;
	memcpy(host.ip, e->ip, whole ? 16 : 8);
	return host;
}

static bool is_local(enum addr_class class)
{
	return class == ADDR_LOOPBACK || class == ADDR_LINK_LOCAL;
}

bool endpoint_may_take(const struct addr *e, const struct addr *from, struct addr *out)
{
	enum addr_class class = addr_class_of(e);
	bool usable = class == ADDR_ORDINARY || class == ADDR_PRIVATE || is_local(class);
	if (!usable || e->port == 0)
		return false;
	if (is_local(class) && (!from || addr_class_of(from) != class))
		return false;
	if (addr_port_is_low(e) && (!from || !addr_port_is_low(from)))
		return false;
	struct addr taken = *e;
	if (class == ADDR_LINK_LOCAL && !addr_is_v4(e)) {
		if (addr_is_v4(from))
			return false; // no scope to dial it by
		taken.scope = from->scope;
	}
	*out = taken;
	return true;
}

// --- the list ------------------------------------------------------------------------------------

static size_t list_position(const struct endpoint_list *l, const struct addr *e)
{
	size_t i = 0;
	while (i < l->count && !addr_equal(&l->at[i].endpoint, e))
		i++;
	return i;
}

static bool list_same_order(const struct endpoint_list *a, const struct endpoint_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!addr_equal(&a->at[i].endpoint, &b->at[i].endpoint) ||
		    (a->at[i].confirmed_ms != 0) != (b->at[i].confirmed_ms != 0))
			return false;
	return true;
}

static void list_append(struct endpoint_list *l, const struct addr *e, int64_t confirmed_ms)
{
	if (l->count == ENDPOINT_LIST_MAX || list_position(l, e) < l->count)
		return;
	l->at[l->count].endpoint = *e;
	l->at[l->count].confirmed_ms = confirmed_ms;
	l->count++;
}

bool endpoint_list_confirm(struct endpoint_list *l, const struct addr *e, int64_t now_ms)
{
	struct endpoint_list next = {0};
	// 0 would say: only heard of
	list_append(&next, e, now_ms > 0 ? now_ms : 1);
	for (size_t i = 0; i < l->count; i++)
		list_append(&next, &l->at[i].endpoint, l->at[i].confirmed_ms);
	bool changed = !list_same_order(l, &next);
	*l = next;
	return changed;
}

bool endpoint_list_hear(struct endpoint_list *l, const struct addr *fresh, size_t count)
{
	struct endpoint_list next = {0};
	size_t confirmed = 0, unheard = 0;
	assert(count <= ENDPOINT_FRESH_MAX + 1);
	while (confirmed < l->count && l->at[confirmed].confirmed_ms)
		confirmed++;
	for (size_t i = 0; i < count; i++)
		unheard += list_position(l, &fresh[i]) >= confirmed;
	size_t room =
		ENDPOINT_LIST_MAX - (unheard < ENDPOINT_FRESH_MAX ? unheard : ENDPOINT_FRESH_MAX);
	for (size_t i = 0; i < confirmed && i < room; i++)
		list_append(&next, &l->at[i].endpoint, l->at[i].confirmed_ms);
	for (size_t i = 0; i < count; i++)
		list_append(&next, &fresh[i], 0);
	for (size_t i = confirmed; i < l->count; i++)
		list_append(&next, &l->at[i].endpoint, 0);
	bool changed = !list_same_order(l, &next);
	*l = next;
	return changed;
}

bool endpoint_list_add(struct endpoint_list *l, const struct addr *e)
{
	size_t before = l->count;
	list_append(l, e, 0);
	return l->count != before;
}

bool endpoint_list_fail(struct endpoint_list *l, const struct addr *e)
{
	struct endpoint_list next = {0};
	size_t position = list_position(l, e);
	if (position == l->count)
		return false;
	for (size_t i = 0; i < l->count; i++)
		if (i != position)
			list_append(&next, &l->at[i].endpoint, l->at[i].confirmed_ms);
	list_append(&next, e, 0);
	bool changed = !list_same_order(l, &next);
	*l = next;
	return changed;
}
