// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/contact_line.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#define LABEL_MAX 63
#define CONTACT_FORM_MAX 64 // the most that a line holds beside host and note
#define SCOPE_MAX 15        // an interface's name, as in fe80::1%eth0

bool contact_line_is_text(struct span line, const char **wrong)
{
	for (size_t at = 0; at < line.len;) {
		utf8proc_int32_t point;
		utf8proc_ssize_t n =
			utf8proc_iterate(line.data + at, (utf8proc_ssize_t)(line.len - at), &point);
		if (n < 1) {
			*wrong = "it is not UTF-8";
			return false;
		}
		if (point == 0) {
			*wrong = "it holds a NUL byte";
			return false;
		}
		if (point != '\t' && utf8proc_category(point) == UTF8PROC_CATEGORY_CC) {
			*wrong = "it holds a control character";
			return false;
		}
		at += (size_t)n;
	}
	return true;
}

// --- host and port -------------------------------------------------------------------------------

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_host_name(const char *host)
{
	size_t label = 0;
	for (size_t i = 0;; i++) {
		char c = host[i];
		if (c == '.' || c == 0) {
			if (label == 0 || label > LABEL_MAX || host[i - 1] == '-')
				return false;
			label = 0;
			if (c == 0)
				return true;
		} else if (is_alnum(c) || c == '_' || (c == '-' && label > 0)) {
			label++;
		} else {
			return false;
		}
	}
}

// Digits and dots only: a numeric address or nothing, never a name.
static bool is_numeric(const char *host)
{
	return host[strspn(host, "0123456789.")] == 0;
}

static bool is_v6(const char *host)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t ip[16];
	size_t len = strcspn(host, "%");
	if (host[len] == '%') {
		const char *scope = host + len + 1;
		size_t n = 0;
		while (is_alnum(scope[n]) || scope[n] == '.' || scope[n] == '-' || scope[n] == '_')
			n++;
		if (n == 0 || n > SCOPE_MAX || scope[n] != 0)
			return false;
	}
	if (len >= sizeof text)
		return false;
	memcpy(text, host, len);
	text[len] = 0;
	return inet_pton(AF_INET6, text, ip) == 1;
}

static bool parse_port(const char *text, uint16_t *out)
{
	uint32_t value = 0;
	size_t i = 0;
	for (; text[i] >= '0' && text[i] <= '9' && i < 6; i++)
		value = value * 10 + (uint32_t)(text[i] - '0');
	if (i == 0 || text[i] || text[0] == '0' || value > UINT16_MAX)
		return false;
	*out = (uint16_t)value;
	return true;
}

static enum err check_host(const char *host, bool bracketed, struct err_info *info)
{
	uint8_t ip[4];
	if (bracketed)
		return is_v6(host) ? OK
				   : err_set(info, ERR_BAD_PARAMS,
					     "what is in brackets is no IPv6 address");
	if (strchr(host, ':'))
		return err_set(info, ERR_BAD_PARAMS,
			       "an IPv6 address stands in brackets: [2001:db8::1]:4788");
	if (is_numeric(host) && inet_pton(AF_INET, host, ip) != 1)
		return err_set(info, ERR_BAD_PARAMS, "that is no IPv4 address");
	if (!is_host_name(host))
		return err_set(info, ERR_BAD_PARAMS, "that is no host name");
	return OK;
}

enum err contact_parse_address(const char *text, char host[CONTACT_HOST_SIZE], uint16_t *port,
			       struct err_info *info)
{
	char found[CONTACT_HOST_SIZE];
	const char *colon = strrchr(text, ':');
	bool bracketed = text[0] == '[';
	if (!colon || (bracketed && text[strlen(text) - 1] == ']'))
		return err_set(info, ERR_BAD_PARAMS, "the port is missing: it reads host:port");
	const char *begin = text + bracketed, *end = colon - bracketed;
	if (bracketed && (end < begin || *end != ']'))
		return err_set(info, ERR_BAD_PARAMS, "what is in brackets is no IPv6 address");
	size_t len = (size_t)(end - begin);
	if (len == 0)
		return err_set(info, ERR_BAD_PARAMS, "the host is missing: it reads host:port");
	if (len >= sizeof found)
		return err_set(info, ERR_BAD_PARAMS, "the host's name is longer than %d bytes",
			       CONTACT_HOST_SIZE - 1);
	memcpy(found, begin, len);
	found[len] = 0;
	for (char *c = found; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
	enum err code = check_host(found, bracketed, info);
	if (code)
		return code;
	uint16_t number;
	if (!parse_port(colon + 1, &number))
		return err_set(info, ERR_BAD_PARAMS, "the port is not a number from 1 to 65535");
	memcpy(host, found, len + 1);
	*port = number;
	return OK;
}

// --- the line ------------------------------------------------------------------------------------

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span trim(struct span s)
{
	while (s.len && is_blank(s.data[0]))
		s = span(s.data + 1, s.len - 1);
	while (s.len && is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

// 40 hex digits, also in groups, as gpg prints them.
static bool parse_fingerprint(struct span text, char out[PEER_FINGERPRINT_SIZE])
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		if (is_blank(c))
			continue;
		if (c >= 'a' && c <= 'f')
			c = (uint8_t)(c - 'a' + 'A');
		if (n == PEER_FINGERPRINT_SIZE - 1 ||
		    !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F')))
			return false;
		out[n++] = (char)c;
	}
	out[n] = 0;
	return n == PEER_FINGERPRINT_SIZE - 1;
}

enum err contact_line_parse(struct span line, struct contact *out, struct span *note,
			    struct err_info *info)
{
	char address[CONTACT_LINE_MAX + 1];
	struct contact c = {.note = ""};
	const uint8_t *hash = line.len ? memchr(line.data, '#', line.len) : NULL;
	struct span head = trim(hash ? span(line.data, (size_t)(hash - line.data)) : line);
	size_t len = 0;
	while (len < head.len && !is_blank(head.data[len]))
		len++;
	if (len > CONTACT_LINE_MAX)
		return err_set(info, ERR_BAD_PARAMS, "it is longer than %d bytes",
			       CONTACT_LINE_MAX);
	if (len)
		memcpy(address, head.data, len);
	address[len] = 0;
	enum err code = contact_parse_address(address, c.host, &c.port, info);
	if (code)
		return code;
	struct span rest = trim(span(head.data + len, head.len - len));
	if (rest.len && !parse_fingerprint(rest, c.fingerprint))
		return err_set(info, ERR_BAD_PARAMS,
			       "the fingerprint is not 40 hexadecimal digits");
	*note = hash ? trim(span(hash + 1, (size_t)(line.data + line.len - hash - 1)))
		     : span("", 0);
	if (strlen(c.host) + note->len + CONTACT_FORM_MAX > CONTACT_LINE_MAX)
		return err_set(info, ERR_BAD_PARAMS, "its note is too long");
	*out = c;
	return OK;
}

enum err contact_line_print(const struct contact *c, struct buf *out)
{
	char text[CONTACT_HOST_SIZE + 64];
	bool v6 = strchr(c->host, ':');
	snprintf(text, sizeof text, "%s%s%s:%u%s%s", v6 ? "[" : "", c->host, v6 ? "]" : "", (unsigned)c->port,
		 c->fingerprint[0] ? " " : "", c->fingerprint);
	enum err code = buf_append_string(out, text);
	if (!code && c->note[0])
		code = buf_append_string(out, " # ");
	if (!code)
		code = buf_append_string(out, c->note);
	return code;
}
