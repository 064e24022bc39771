// SPDX-License-Identifier: GPL-3.0-or-later
// Hostile datagrams in quantity: require "support.flood".
//   make(certificate, count): as many queries of made-up strangers, each with a presence key that signed its record, and a
//     certificate that passes the packet walk and names the fingerprint (its owner never saw it: gpg would find out)
//   flood:run{to = {addr …}, from = {addr …}, rate, ms, junk_alone?}: sends `rate` of them a second, and as many junk datagrams,
//     from each source in turn to each target in turn; returns how many went out, and how many the kernel refused. It blocks:
//     for a process of its own
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "openpgp/packets.h"
#include "spec/support/endpoint_values.h"
#include "spec/support/fields.h"
#include "wire/presence.h"

#define FLOOD "support.flood"
#define SOURCES_MAX 512
#define TARGETS_MAX 16
#define JUNK_MAX 1400

int luaopen_support_flood(lua_State *L);

struct flood {
	size_t count;
	uint8_t (*queries)[PRESENCE_DATAGRAM_MAX];
};

// Another key by another time of creation, which is part of what the fingerprint hashes; the walk does not look at it.
static void forge_certificate(lua_State *L, uint8_t *bytes, size_t len, uint32_t number, char fingerprint[41])
{
	struct certificate_info info;
	const uint8_t time[4] = {0x50, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
	// the packet's header is 2 or 3 bytes, then its version
	size_t at = bytes[2] == 4 ? 3 : 4;
	memcpy(bytes + at, time, sizeof time);
	if (certificate_check(span(bytes, len), &info, NULL))
		luaL_error(L, "the certificate cannot be forged");
	memcpy(fingerprint, info.primary.fingerprint, 41);
}

static void forge_query(lua_State *L, uint8_t *certificate, size_t len, uint32_t number, uint8_t out[PRESENCE_DATAGRAM_MAX])
{
	static const uint8_t certification[119] = {0x88, 0x75, 0x04};
	uint8_t secret[PRESENCE_SECRET_KEY_LEN];
	struct timespec now;
	struct buf record, datagram;
	clock_gettime(CLOCK_REALTIME, &now);
	struct presence_record r = {.issued_ms = now.tv_sec * 1000, .sequence = (uint64_t)now.tv_sec * 1000};
	r.expires_ms = r.issued_ms + 3600 * 1000;
	snprintf(r.name, sizeof r.name, "stranger %u", (unsigned)number);
	forge_certificate(L, certificate, len, number, r.fingerprint);
	crypto_sign_keypair(r.key, secret);
	r.general = hash_of(span(certificate, len));
	buf_init(&record, PRESENCE_RECORD_MAX);
	buf_init(&datagram, PRESENCE_DATAGRAM_MAX);
	struct presence_datagram d = {.kind = PRESENCE_QUERY,
				      .certification = span(certification, sizeof certification),
				      .certificate = span(certificate, len)};
	enum err e = presence_record_encode(&r, &record, NULL);
	d.record = buf_span(&record);
	presence_sign(d.record, secret, d.signature);
	if (e || presence_datagram_encode(&d, &datagram))
		luaL_error(L, "the record cannot be made");
	memcpy(out, datagram.data, PRESENCE_DATAGRAM_MAX);
	buf_fini(&datagram);
	buf_fini(&record);
}

static int make(lua_State *L)
{
	struct span template = check_span(L, 1);
	uint8_t certificate[2048];
	luaL_argcheck(L, template.len <= sizeof certificate, 1, "too long");
	struct flood *f = lua_newuserdatauv(L, sizeof *f, 0);
	f->count = (size_t)luaL_checkinteger(L, 2);
	f->queries = mem_alloc_array(f->count, sizeof f->queries[0]);
	luaL_setmetatable(L, FLOOD);
	memcpy(certificate, template.data, template.len);
	for (size_t i = 0; i < f->count; i++)
		forge_query(L, certificate, template.len, (uint32_t)i, f->queries[i]);
	return 1;
}

// --- sending -------------------------------------------------------------------------------------------------------------------

struct run {
	int sockets[SOURCES_MAX];
	size_t source_count, target_count;
	struct sockaddr_storage targets[TARGETS_MAX];
	unsigned target_lens[TARGETS_MAX];
	lua_Integer sent, refused;
	size_t turn;
};

static int open_source(const struct addr *from)
{
	int on = 1;
	struct sockaddr_storage at;
	unsigned len;
	if (addr_to_sockaddr(from, AF_UNSPEC, &at, &len))
		return -1;
	int fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&at, len) == 0)
		return fd;
	close(fd);
	return -1;
}

static size_t check_list(lua_State *L, const char *name, struct addr *out, size_t max)
{
	lua_getfield(L, 2, name);
	size_t count = check_endpoints(L, lua_gettop(L), out, max);
	lua_pop(L, 1);
	return count;
}

static void prepare(lua_State *L, struct run *r)
{
	struct addr from[SOURCES_MAX], to[TARGETS_MAX];
	size_t sources = check_list(L, "from", from, SOURCES_MAX);
	r->target_count = check_list(L, "to", to, TARGETS_MAX);
	for (size_t i = 0; i < sources; i++) {
		r->sockets[r->source_count++] = open_source(&from[i]);
		if (r->sockets[i] < 0)
			luaL_error(L, "source %d: %s", (int)i + 1, strerror(errno));
	}
	for (size_t i = 0; i < r->target_count; i++)
		if (addr_to_sockaddr(&to[i], AF_UNSPEC, &r->targets[i], &r->target_lens[i]))
			luaL_error(L, "target %d", (int)i + 1);
}

static void send_one(struct run *r, const void *data, size_t len)
{
	size_t source = r->turn % r->source_count, target = r->turn / r->source_count % r->target_count;
	r->turn++;
	if (sendto(r->sockets[source], data, len, MSG_DONTWAIT, (struct sockaddr *)&r->targets[target], r->target_lens[target]) < 0)
		r->refused++;
	else
		r->sent++;
}

// Half of it is nothing at all, the other half almost a datagram of ours.
static void send_junk(struct run *r, const struct flood *f, size_t number)
{
	uint8_t junk[JUNK_MAX];
	uint32_t random = randombytes_random();
	if (number % 2) {
		size_t len = random % sizeof junk;
		randombytes_buf(junk, len);
		send_one(r, junk, len);
		return;
	}
	memcpy(junk, f->queries[number / 2 % f->count], PRESENCE_DATAGRAM_MAX);
	switch (number / 2 % 4) {
	case 0: // a signature that does not hold
		junk[5 + random % 64] ^= 1;
		break;
	case 1: // lengths that do not fit
		junk[69] = 0xff;
		break;
	case 2: // a kind that there is not
		junk[4] = (uint8_t)(random | 4);
		break;
	default: // an answer that nobody asked for
		junk[4] = PRESENCE_ANSWER;
	}
	send_one(r, junk, PRESENCE_DATAGRAM_MAX);
}

static int64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

// As many as are due by now; who is late catches up.
static int run(lua_State *L)
{
	struct flood *f = luaL_checkudata(L, 1, FLOOD);
	struct run r = {0};
	const struct timespec pause = {.tv_nsec = 1000000};
	int64_t rate = field_integer(L, 2, "rate", 0), span_us = field_integer(L, 2, "ms", 0) * 1000;
	bool junk_alone = field_bool(L, 2, "junk_alone");
	prepare(L, &r);
	size_t done = 0;
	for (int64_t start = now_us(), past = 0; past < span_us; past = now_us() - start) {
		for (size_t due = (size_t)(past * rate / 1000000); done < due; done++) {
			send_junk(&r, f, done);
			if (!junk_alone)
				send_one(&r, f->queries[done % f->count], PRESENCE_DATAGRAM_MAX);
		}
		nanosleep(&pause, NULL);
	}
	for (size_t i = 0; i < r.source_count; i++)
		close(r.sockets[i]);
	lua_pushinteger(L, r.sent);
	lua_pushinteger(L, r.refused);
	return 2;
}

static int flood_free(lua_State *L)
{
	struct flood *f = luaL_checkudata(L, 1, FLOOD);
	free(f->queries);
	f->queries = NULL;
	return 0;
}

int luaopen_support_flood(lua_State *L)
{
	static const luaL_Reg methods[] = {{"run", run}, {NULL, NULL}};
	static const luaL_Reg functions[] = {{"make", make}, {NULL, NULL}};
	object_type(L, FLOOD, methods, flood_free);
	luaL_newlib(L, functions);
	return 1;
}
