// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/addr.h"

#include <arpa/inet.h>
#include <assert.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// strtoul takes signs, spaces and leading zeros
static bool parse_number(const char *text, size_t len, uint32_t max, uint32_t *out)
{
	uint64_t value = 0;
	if (len == 0 || len > 10 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (value > max)
		return false;
	*out = (uint32_t)value;
	return true;
}

static bool is_link_scoped(const uint8_t ip[16])
{
	return (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) || (ip[0] == 0xff && (ip[1] & 0x0f) == 2);
}

static bool parse_scope(const char *text, uint32_t *out)
{
	if (text[0] && is_digit(text[0]))
		return parse_number(text, strlen(text), UINT32_MAX, out) && *out > 0;
	*out = if_nametoindex(text);
	return *out > 0;
}

// host without brackets
static bool parse_host(const char *host, bool bracketed, struct addr *out)
{
	char copy[ADDR_HOST_MAX];
	*out = (struct addr){0};
	if (!bracketed) {
		memcpy(out->ip, mapped, sizeof mapped);
		return inet_pton(AF_INET, host, out->ip + 12) == 1;
	}
	snprintf(copy, sizeof copy, "%s", host);
	char *scope = strchr(copy, '%');
	if (scope)
		*scope++ = 0;
	if (inet_pton(AF_INET6, copy, out->ip) != 1)
		return false;
	return !scope || (is_link_scoped(out->ip) && parse_scope(scope, &out->scope));
}

static bool is_name_letter(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_host_name(const char *host)
{
	size_t label = 0;
	bool number = true;
	for (const char *p = host; *p; p++) {
		if (*p == '.') {
			if (label == 0 || p[-1] == '-')
				return false;
			// one dot at the end only says that the name is complete
			if (p[1] == 0)
				break;
			label = 0;
			number = true;
			continue;
		}
		if (!is_name_letter(*p) && (*p != '-' || label == 0))
			return false;
		if (++label > 63)
			return false;
		number = number && is_digit(*p);
	}
	size_t len = strlen(host);
	return len > 0 && len <= 253 && label > 0 && !number && host[len - 1] != '-';
}

static bool split(const char *text, char host[ADDR_HOST_MAX], uint16_t *port, bool *bracketed)
{
	const char *begin = text, *end, *colon;
	uint32_t number;
	*bracketed = text[0] == '[';
	if (*bracketed) {
		begin++;
		end = strchr(text, ']');
		if (!end || end[1] != ':')
			return false;
		colon = end + 1;
	} else {
		end = colon = strchr(text, ':');
		if (!colon)
			return false;
	}
	size_t len = (size_t)(end - begin);
	if (len == 0 || len >= ADDR_HOST_MAX)
		return false;
	if (!parse_number(colon + 1, strlen(colon + 1), 65535, &number))
		return false;
	memcpy(host, begin, len);
	host[len] = 0;
	*port = (uint16_t)number;
	return true;
}

enum err addr_parse(struct addr *out, const char *text, struct err_info *info)
{
	char host[ADDR_HOST_MAX];
	struct addr found;
	uint16_t port;
	bool bracketed;
	if (!split(text, host, &port, &bracketed) || !parse_host(host, bracketed, &found))
		return err_set(info, ERR_BAD_PARAMS, "not a numeric address with a port: %.80s",
			       text);
	found.port = port;
	*out = found;
	return OK;
}

enum err addr_split(const char *text, char host[ADDR_HOST_MAX], uint16_t *port, bool *numeric,
		    struct err_info *info)
{
	char part[ADDR_HOST_MAX];
	struct addr found;
	uint16_t number;
	bool bracketed;
	if (!split(text, part, &number, &bracketed))
		return err_set(info, ERR_BAD_PARAMS, "not an address like HOST:PORT: %.80s", text);
	bool is_number = parse_host(part, bracketed, &found);
	if (!is_number && (bracketed || !is_host_name(part)))
		return err_set(info, ERR_BAD_PARAMS, "neither an address nor a host name: %.80s",
			       text);
	if (!is_number && number == 0)
		return err_set(info, ERR_BAD_PARAMS, "a host name needs a port: %.80s", text);
	strcpy(host, part);
	*port = number;
	*numeric = is_number;
	return OK;
}

bool addr_parse_host(struct addr *out, const char *host, uint16_t port)
{
	struct addr found;
	if (strlen(host) >= ADDR_HOST_MAX ||
	    (!parse_host(host, false, &found) && !parse_host(host, true, &found)))
		return false;
	found.port = port;
	*out = found;
	return true;
}

const char *addr_format(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	char ip[INET6_ADDRSTRLEN];
	if (addr_is_v4(a)) {
		inet_ntop(AF_INET, a->ip + 12, ip, sizeof ip);
		snprintf(out, ADDR_TEXT_MAX, "%s:%u", ip, a->port);
		return out;
	}
	inet_ntop(AF_INET6, a->ip, ip, sizeof ip);
	if (a->scope)
		snprintf(out, ADDR_TEXT_MAX, "[%s%%%u]:%u", ip, a->scope, a->port);
	else
		snprintf(out, ADDR_TEXT_MAX, "[%s]:%u", ip, a->port);
	return out;
}

bool addr_is_v4(const struct addr *a)
{
	return memcmp(a->ip, mapped, sizeof mapped) == 0;
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
	return memcmp(a->ip, b->ip, sizeof a->ip) == 0 && a->scope == b->scope;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_same_host(a, b) && a->port == b->port;
}

bool addr_same_network(const struct addr *a, const struct addr *b)
{
	bool v4 = addr_is_v4(a);
	return v4 == addr_is_v4(b) && memcmp(a->ip, b->ip, v4 ? 12 + 24 / 8 : 48 / 8) == 0;
}

uint64_t addr_hash(const struct addr *a, const uint8_t key[16])
{
	uint8_t in[sizeof a->ip + sizeof a->port + sizeof a->scope]; // the struct may have padding
	uint64_t out;
	static_assert(sizeof out == crypto_shorthash_BYTES, "SipHash-2-4 has 64 bits");
	memcpy(in, a->ip, sizeof a->ip);
	memcpy(in + sizeof a->ip, &a->port, sizeof a->port);
	memcpy(in + sizeof a->ip + sizeof a->port, &a->scope, sizeof a->scope);
	crypto_shorthash((uint8_t *)&out, in, sizeof in, key);
	return out;
}

static enum addr_class class_of_v4(const uint8_t ip[4])
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};
	if (ip[0] == 0)
		return ip[1] || ip[2] || ip[3] ? ADDR_RESERVED : ADDR_UNSPECIFIED;
	if (ip[0] == 127)
		return ADDR_LOOPBACK;
	if (ip[0] == 169 && ip[1] == 254)
		return ADDR_LINK_LOCAL;
	if (ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
	    (ip[0] == 192 && ip[1] == 168) || (ip[0] == 100 && (ip[1] & 0xc0) == 64))
		return ADDR_PRIVATE;
	if ((ip[0] & 0xf0) == 0xe0 || memcmp(ip, broadcast, 4) == 0)
		return ADDR_MULTICAST;
	return ip[0] >= 240 ? ADDR_RESERVED : ADDR_ORDINARY;
}

enum addr_class addr_class_of(const struct addr *a)
{
	static const uint8_t zeros[15];
	const uint8_t *ip = a->ip;
	if (addr_is_v4(a))
		return class_of_v4(ip + 12);
	if (memcmp(ip, zeros, 15) == 0 && ip[15] <= 1)
		return ip[15] ? ADDR_LOOPBACK : ADDR_UNSPECIFIED;
	// IPv4-compatible and 6to4 would carry any IPv4 address past the checks above
	if (memcmp(ip, zeros, 12) == 0 || (ip[0] == 0x20 && ip[1] == 0x02))
		return ADDR_RESERVED;
	if (ip[0] == 0xff)
		return ADDR_MULTICAST;
	if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80)
		return ADDR_LINK_LOCAL;
	if ((ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0xc0))
		return ADDR_PRIVATE;
	return ADDR_ORDINARY;
}

bool addr_port_is_low(const struct addr *a)
{
	return a->port < 1024;
}

int addr_family(const struct addr *a)
{
	return addr_is_v4(a) ? AF_INET : AF_INET6;
}

enum err addr_to_sockaddr(const struct addr *a, int family, struct sockaddr_storage *out,
			  unsigned *len)
{
	if (family == AF_UNSPEC)
		family = addr_family(a);
	if (family == AF_INET && !addr_is_v4(a))
		return ERR_UNSUPPORTED;
	memset(out, 0, sizeof *out);
	if (family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;
		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->ip + 12, 4);
		*len = sizeof *in;
		return OK;
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(a->port);
	in6->sin6_scope_id = a->scope;
	memcpy(&in6->sin6_addr, a->ip, 16);
	*len = sizeof *in6;
	return OK;
}

enum err addr_from_sockaddr(struct addr *out, const struct sockaddr *from)
{
	if (from->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)from;
		*out = (struct addr){.port = ntohs(in->sin_port)};
		memcpy(out->ip, mapped, sizeof mapped);
		memcpy(out->ip + 12, &in->sin_addr, 4);
		return OK;
	}
	if (from->sa_family != AF_INET6)
		return ERR_UNSUPPORTED;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
	*out = (struct addr){.port = ntohs(in6->sin6_port)};
	memcpy(out->ip, &in6->sin6_addr, 16);
	// the kernel names an interface only where it means something
	if (is_link_scoped(out->ip))
		out->scope = in6->sin6_scope_id;
	return OK;
}
