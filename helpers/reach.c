// SPDX-License-Identifier: GPL-3.0-or-later
#include "helpers/reach.h"

#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "net/addr.h"

// the one that `host` and `port` are named by; NULL: none
static const char *named_by(const json_t *hosts, const char *host, const char *port)
{
	char with_port[512];
	size_t i;
	json_t *value;
	snprintf(with_port, sizeof with_port, "%s:%s", host, port);
	json_array_foreach((json_t *)hosts, i, value) {
		const char *name = json_string_value(value);
		if (name && (strcasecmp(name, host) == 0 || strcasecmp(name, with_port) == 0))
			return name;
	}
	return NULL;
}

bool reach_host(const struct reach *r, const char *host, const char *port)
{
	return !r->hosts || named_by(r->hosts, host, port);
}

// brackets around an IPv6 address
static bool is_numeric(const char *host)
{
	char bare[ADDR_HOST_MAX];
	struct addr a;
	size_t len = strlen(host);
	bool bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';
	snprintf(bare, sizeof bare, "%.*s", (int)(bracketed ? len - 2 : len), bracketed ? host + 1 : host);
	return addr_parse_host(&a, bare, 1);
}

static bool is_own(const struct addr *a)
{
	struct ifaddrs *list = NULL;
	bool own = false;
	if (getifaddrs(&list) != 0)
		return true; // who knows
	for (const struct ifaddrs *i = list; i && !own; i = i->ifa_next) {
		struct addr here;
		if (i->ifa_addr && addr_from_sockaddr(&here, i->ifa_addr) == OK)
			own = addr_same_host(&here, a);
	}
	freeifaddrs(list);
	return own;
}

// IPv4 inside of forms that a translator turns back: what counts is that address
static enum addr_class class_of(const struct addr *a)
{
	static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b}, teredo[4] = {0x20, 0x01, 0, 0};
	struct addr inner = {.ip = {[10] = 0xff, [11] = 0xff}};
	if (!addr_is_v4(a) && memcmp(a->ip, teredo, sizeof teredo) == 0)
		return ADDR_RESERVED;
	if (memcmp(a->ip, nat64, 4) == 0 && memcmp(a->ip, nat64, sizeof nat64) != 0)
		return ADDR_RESERVED; // RFC 8215: a network's own translator
	if (memcmp(a->ip, nat64, sizeof nat64) != 0)
		return addr_class_of(a);
	memcpy(inner.ip + 12, a->ip + 12, 4);
	return addr_class_of(&inner);
}

bool reach_address(const struct reach *r, const char *host, const char *port, const struct sockaddr *to)
{
	struct addr a;
	if (addr_from_sockaddr(&a, to) != OK)
		return false;
	enum addr_class class = class_of(&a);
	bool named = r->hosts && named_by(r->hosts, host, port) && (is_numeric(host) || strcasecmp(host, "localhost") == 0);
	if (r->private || named)
		return class != ADDR_MULTICAST && class != ADDR_UNSPECIFIED;
	return class == ADDR_ORDINARY && !is_own(&a);
}
