// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/endpoint.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/encode.h"

#define PORT_PRIVILEGED 1024

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// --- values --------------------------------------------------------------------------------------

struct endpoint endpoint_v4(const uint8_t ip[4], uint16_t port)
{
	struct endpoint e = {.port = port};
	memcpy(e.ip, v4_prefix, sizeof v4_prefix);
	memcpy(e.ip + 12, ip, 4);
	return e;
}

struct endpoint endpoint_v6(const uint8_t ip[16], uint16_t port, uint32_t scope)
{
	struct endpoint e = {.port = port};
	memcpy(e.ip, ip, sizeof e.ip);
	// two texts of one address must be one endpoint
	if (endpoint_kind_of(&e) == ENDPOINT_LINK_LOCAL && !endpoint_is_v4(&e))
		e.scope = scope;
	return e;
}

bool endpoint_is_v4(const struct endpoint *e)
{
	return memcmp(e->ip, v4_prefix, sizeof v4_prefix) == 0;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && a->scope == b->scope &&
	       memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

void endpoint_key(const struct endpoint *e, uint8_t out[ENDPOINT_KEY_LEN])
{
	memcpy(out, e->ip, sizeof e->ip);
	be32_put(out + 16, e->scope);
	out[20] = (uint8_t)(e->port >> 8);
	out[21] = (uint8_t)e->port;
}

static enum endpoint_kind kind_of_v4(const uint8_t ip[4])
{
	// Linux connects 0.0.0.0/8 to itself
	if (ip[0] == 0 || ip[0] >= 224)
		return ENDPOINT_UNUSABLE;
	if (ip[0] == 127)
		return ENDPOINT_LOOPBACK;
	if (ip[0] == 169 && ip[1] == 254)
		return ENDPOINT_LINK_LOCAL;
	return ENDPOINT_ORDINARY;
}

enum endpoint_kind endpoint_kind_of(const struct endpoint *e)
{
	static const uint8_t zeros[15];
	if (endpoint_is_v4(e))
		return kind_of_v4(e->ip + 12);
	if (memcmp(e->ip, zeros, 15) == 0)
		return e->ip[15] == 1 ? ENDPOINT_LOOPBACK : ENDPOINT_UNUSABLE;
	// ::a.b.c.d was given up long ago, and would be a way around the rules for IPv4
	if (memcmp(e->ip, zeros, 12) == 0 || e->ip[0] == 0xff)
		return ENDPOINT_UNUSABLE;
	if (e->ip[0] == 0xfe && (e->ip[1] & 0xc0) == 0x80)
		return ENDPOINT_LINK_LOCAL;
	return ENDPOINT_ORDINARY;
}

struct endpoint endpoint_host(const struct endpoint *e)
{
	struct endpoint host = {0};
	bool shared = !endpoint_is_v4(e) && endpoint_kind_of(e) == ENDPOINT_ORDINARY;
	memcpy(host.ip, e->ip, shared ? 8 : 16);
	return host;
}

bool endpoint_may_take(const struct endpoint *e, const struct endpoint *from, struct endpoint *out)
{
	enum endpoint_kind kind = endpoint_kind_of(e);
	if (kind == ENDPOINT_UNUSABLE || e->port == 0)
		return false;
	if (kind != ENDPOINT_ORDINARY && (!from || endpoint_kind_of(from) != kind))
		return false;
	if (e->port < PORT_PRIVILEGED && (!from || from->port >= PORT_PRIVILEGED))
		return false;
	struct endpoint taken = *e;
	if (kind == ENDPOINT_LINK_LOCAL && !endpoint_is_v4(e)) {
		if (endpoint_is_v4(from))
			return false; // no scope to dial it by
		taken.scope = from->scope;
	}
	*out = taken;
	return true;
}

// --- text ----------------------------------------------------------------------------------------

// Canonical decimal: digits only, no leading zero, at most `most`.
static bool parse_number(const char *text, size_t len, uint32_t most, uint32_t *out)
{
	uint64_t value = 0;
	if (len == 0 || len > 10 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (value > most)
		return false;
	*out = (uint32_t)value;
	return true;
}

static enum err parse_v6(struct endpoint *out, const char *host, size_t len, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];
	const char *percent = memchr(host, '%', len);
	size_t address_len = percent ? (size_t)(percent - host) : len;
	uint32_t scope = 0;
	uint8_t ip[16];
	if (address_len >= sizeof text)
		return ERR_BAD_INPUT;
	memcpy(text, host, address_len);
	text[address_len] = 0;
	if (percent && !parse_number(percent + 1, len - address_len - 1, UINT32_MAX, &scope))
		return ERR_BAD_INPUT;
	if (inet_pton(AF_INET6, text, ip) != 1)
		return ERR_BAD_INPUT;
	*out = endpoint_v6(ip, port, scope);
	return OK;
}

static enum err parse_v4(struct endpoint *out, const char *host, size_t len, uint16_t port)
{
	char text[INET_ADDRSTRLEN];
	uint8_t ip[4];
	if (len >= sizeof text)
		return ERR_BAD_INPUT;
	memcpy(text, host, len);
	text[len] = 0;
	if (inet_pton(AF_INET, text, ip) != 1)
		return ERR_BAD_INPUT;
	*out = endpoint_v4(ip, port);
	return OK;
}

enum err endpoint_parse(struct endpoint *out, const char *text)
{
	const char *colon = strrchr(text, ':');
	uint32_t port;
	if (!colon || colon == text ||
	    !parse_number(colon + 1, strlen(colon + 1), UINT16_MAX, &port))
		return ERR_BAD_INPUT;
	size_t len = (size_t)(colon - text);
	if (text[0] == '[') {
		if (len < 2 || text[len - 1] != ']')
			return ERR_BAD_INPUT;
		return parse_v6(out, text + 1, len - 2, (uint16_t)port);
	}
	return parse_v4(out, text, len, (uint16_t)port);
}

const char *endpoint_print(const struct endpoint *e, char out[ENDPOINT_TEXT_MAX])
{
	char ip[INET6_ADDRSTRLEN];
	if (endpoint_is_v4(e)) {
		inet_ntop(AF_INET, e->ip + 12, ip, sizeof ip);
		snprintf(out, ENDPOINT_TEXT_MAX, "%s:%u", ip, (unsigned)e->port);
		return out;
	}
	inet_ntop(AF_INET6, e->ip, ip, sizeof ip);
	if (e->scope)
		snprintf(out, ENDPOINT_TEXT_MAX, "[%s%%%u]:%u", ip, (unsigned)e->scope,
			 (unsigned)e->port);
	else
		snprintf(out, ENDPOINT_TEXT_MAX, "[%s]:%u", ip, (unsigned)e->port);
	return out;
}

// --- the list ------------------------------------------------------------------------------------

static size_t list_position(const struct endpoint_list *l, const struct endpoint *e)
{
	size_t i = 0;
	while (i < l->count && !endpoint_equal(&l->at[i].endpoint, e))
		i++;
	return i;
}

static bool list_same_order(const struct endpoint_list *a, const struct endpoint_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!endpoint_equal(&a->at[i].endpoint, &b->at[i].endpoint) ||
		    (a->at[i].confirmed_ms != 0) != (b->at[i].confirmed_ms != 0))
			return false;
	return true;
}

static void list_append(struct endpoint_list *l, const struct endpoint *e, int64_t confirmed_ms)
{
	if (l->count == ENDPOINT_LIST_MAX || list_position(l, e) < l->count)
		return;
	l->at[l->count].endpoint = *e;
	l->at[l->count].confirmed_ms = confirmed_ms;
	l->count++;
}

bool endpoint_list_confirm(struct endpoint_list *l, const struct endpoint *e, int64_t now_ms)
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

bool endpoint_list_hear(struct endpoint_list *l, const struct endpoint *fresh, size_t count)
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

bool endpoint_list_add(struct endpoint_list *l, const struct endpoint *e)
{
	size_t before = l->count;
	list_append(l, e, 0);
	return l->count != before;
}

bool endpoint_list_fail(struct endpoint_list *l, const struct endpoint *e)
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
