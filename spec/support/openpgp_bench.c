// SPDX-License-Identifier: GPL-3.0-or-later
// Part of support.openpgp: the time of a seal and an open through the layer, and by raw synchronous gpgme beside it.
#include <gpgme.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "openpgp/key.h"

#define WAIT_MS 30000
#define SETTLE_MS 40 // from when gpg was started ahead until it has come to its input

enum way { RAW, LAYER, LAYER_AHEAD };

struct rig {
	struct loop *loop;
	struct gpg *gpg;
	struct homes *homes;
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// What is done was done at the end of a turn, just before the loop would sleep.
static void stop_waiting(void)
{
	ev_break(ev_default_loop(0), EVBREAK_ALL);
}

static void on_late(void *arg)
{
	(void)arg;
	stop_waiting();
}

static bool run_until(struct rig *r, const bool *done)
{
	struct timer late = {0};
	timer_start(r->loop, &late, WAIT_MS, on_late, NULL);
	while (!*done && timer_running(&late))
		loop_run(r->loop);
	timer_cancel(r->loop, &late);
	return *done;
}

static void set_true(void *arg, enum err code, const struct err_info *info)
{
	(void)code;
	(void)info;
	*(bool *)arg = true;
	stop_waiting();
}

static enum err rig_open(struct rig *r, const char *directory)
{
	enum err e = gpg_new(&r->gpg, r->loop, NULL);
	return e ? e : homes_open(&r->homes, r->loop, directory, &random_system, NULL);
}

static void rig_close(struct rig *r)
{
	bool done = false;
	if (r->homes) {
		homes_close_start(r->homes, set_true, &done);
		run_until(r, &done);
	}
	gpg_free(r->gpg);
	loop_free(r->loop);
}

struct person {
	struct home *home;
	struct bytes *certificate;
	struct certificate_info info;
	bool done;
	enum err code;
	struct bytes *output;
};

static void on_person(void *arg, enum err code, const struct err_info *info, const struct key_result *r)
{
	struct person *p = arg;
	(void)info;
	p->code = code;
	p->done = true;
	stop_waiting();
	if (code)
		return;
	p->home = r->home;
	p->certificate = bytes_ref(r->certificate);
	p->info = *r->certificate_info;
}

static void on_person_gpg(void *arg, enum err code, const struct err_info *info, const struct gpg_result *r)
{
	struct person *p = arg;
	(void)info;
	p->code = code;
	p->done = true;
	stop_waiting();
	bytes_unref(p->output);
	p->output = bytes_ref(r->output);
}

static bool person_wait(struct rig *r, struct person *p, enum err started)
{
	bool ok = started == OK && run_until(r, &p->done) && p->code == OK;
	p->done = false;
	return ok;
}

static bool people_make(struct rig *r, struct person people[2])
{
	for (int i = 0; i < 2; i++) {
		struct key_call call = {.gpg = r->gpg, .homes = r->homes, .done = on_person, .arg = &people[i]};
		if (!person_wait(r, &people[i], key_make_discussion_start(&call, NULL, NULL)))
			return false;
	}
	for (int i = 0; i < 2; i++) {
		struct gpg_call call = {.gpg = r->gpg, .home = people[i].home, .done = on_person_gpg, .arg = &people[i]};
		if (!person_wait(r, &people[i], gpg_import_start(&call, people[1 - i].certificate, NULL, NULL)))
			return false;
	}
	return true;
}

static gpgme_ctx_t raw_context(struct home *home)
{
	gpgme_ctx_t context = NULL;
	gpgme_engine_info_t engine;
	gpgme_get_engine_info(&engine);
	while (engine && engine->protocol != GPGME_PROTOCOL_OpenPGP)
		engine = engine->next;
	if (!engine || gpgme_new(&context))
		return NULL;
	gpgme_ctx_set_engine_info(context, GPGME_PROTOCOL_OpenPGP, engine->file_name, home_path(home));
	gpgme_set_offline(context, 1);
	gpgme_set_pinentry_mode(context, GPGME_PINENTRY_MODE_ERROR);
	return context;
}

static double raw_seal(gpgme_ctx_t context, const char *recipient, struct span text, gpgme_data_t *cipher)
{
	gpgme_data_t plain;
	double begin = now();
	gpgme_data_new_from_mem(&plain, (const char *)text.data, text.len, 0);
	gpgme_data_new(cipher);
	gpgme_error_t e = gpgme_op_encrypt_sign_ext(context, NULL, recipient,
						    GPGME_ENCRYPT_ALWAYS_TRUST | GPGME_ENCRYPT_NO_COMPRESS, plain, *cipher);
	gpgme_data_release(plain);
	return e ? -1 : (now() - begin) * 1000;
}

static double raw_open(gpgme_ctx_t context, gpgme_data_t cipher)
{
	gpgme_data_t plain;
	double begin = now();
	gpgme_data_new(&plain);
	gpgme_data_seek(cipher, 0, SEEK_SET);
	gpgme_error_t e = gpgme_op_decrypt_verify(context, cipher, plain);
	gpgme_data_release(plain);
	return e ? -1 : (now() - begin) * 1000;
}

static bool raw_rounds(struct person people[2], int rounds, struct span text, double *seals, double *opens)
{
	gpgme_ctx_t from = raw_context(people[0].home), to = raw_context(people[1].home);
	char recipient[KEY_ID_TEXT + 1];
	bool ok = from && to;
	key_id_format(people[1].info.subkeys[0].id, recipient);
	strcat(recipient, "!");
	for (int i = 0; ok && i < rounds; i++) {
		gpgme_data_t cipher;
		seals[i] = raw_seal(from, recipient, text, &cipher);
		opens[i] = raw_open(to, cipher);
		ok = seals[i] >= 0 && opens[i] >= 0;
		gpgme_data_release(cipher);
	}
	gpgme_release(from);
	gpgme_release(to);
	return ok;
}

// Turns the loop for a while: what is to be started ahead is.
static void settle(struct rig *r)
{
	struct timer over = {0};
	timer_start(r->loop, &over, SETTLE_MS, on_late, NULL);
	while (timer_running(&over))
		loop_run(r->loop);
}

static bool layer_rounds(struct rig *r, struct person people[2], int rounds, struct span text, bool ahead, double *seals,
			 double *opens)
{
	struct bytes *plain = bytes_new_span(text);
	struct person *from = &people[0], *to = &people[1];
	struct gpg_call seal = {.gpg = r->gpg, .home = from->home, .done = on_person_gpg, .arg = from,
				.soon_again = ahead};
	struct gpg_call open = {.gpg = r->gpg, .home = to->home, .done = on_person_gpg, .arg = to,
				.soon_again = ahead};
	uint64_t id = to->info.subkeys[0].id;
	bool ok = true;
	if (ahead) {
		gpg_keep_warm(r->gpg, 2, WAIT_MS);
		gpg_expect_seal(r->gpg, from->home, &id, 1, true);
		gpg_expect_open(r->gpg, to->home, true);
	}
	for (int i = 0; ok && i < rounds; i++) {
		if (ahead)
			settle(r);
		double begin = now();
		ok = person_wait(r, from, gpg_seal_start(&seal, plain, &id, 1, NULL, NULL));
		double middle = now();
		ok = ok && person_wait(r, to, gpg_open_start(&open, from->output, &id, 1, from->info.primary.fingerprint,
							       NULL, NULL));
		seals[i] = (middle - begin) * 1000;
		opens[i] = (now() - middle) * 1000;
	}
	bytes_unref(plain);
	return ok;
}

static void push_times(lua_State *L, const char *name, const double *times, int count)
{
	lua_createtable(L, count, 0);
	for (int i = 0; i < count; i++) {
		lua_pushnumber(L, times[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, name);
}

static bool run_rounds(const char *directory, enum way way, int rounds, struct span text, double *seals, double *opens)
{
	struct rig r = {.loop = loop_new()};
	struct person people[2] = {{0}};
	bool ok = rig_open(&r, directory) == OK && people_make(&r, people);
	if (ok)
		ok = way == RAW ? raw_rounds(people, rounds, text, seals, opens)
				: layer_rounds(&r, people, rounds, text, way == LAYER_AHEAD, seals, opens);
	for (int i = 0; i < 2; i++) {
		bool gone = false;
		if (people[i].home) {
			home_destroy_start(people[i].home, set_true, &gone);
			run_until(&r, &gone);
		}
		bytes_unref(people[i].certificate);
		bytes_unref(people[i].output);
	}
	rig_close(&r);
	return ok;
}

static int seal_open(lua_State *L, enum way way)
{
	int rounds = (int)luaL_checkinteger(L, 1);
	int size = (int)luaL_optinteger(L, 2, 200);
	luaL_argcheck(L, rounds > 0 && rounds <= 100000, 1, "1 to 100000 rounds");
	luaL_argcheck(L, size > 0 && size <= GPG_PLAINTEXT_MAX, 2, "1 byte to 1 MiB");
	char directory[] = "/tmp/sotto-bench-XXXXXX";
	if (!mkdtemp(directory))
		return luaL_error(L, "no directory");
	double *seals = lua_newuserdatauv(L, (size_t)rounds * sizeof *seals, 0);
	double *opens = lua_newuserdatauv(L, (size_t)rounds * sizeof *opens, 0);
	uint8_t *text = mem_alloc((size_t)size);
	memset(text, 'x', (size_t)size);
	bool ok = run_rounds(directory, way, rounds, span(text, (size_t)size), seals, opens);
	free(text);
	(void)!tree_remove(directory, NULL);
	if (!ok)
		return luaL_error(L, "gpg failed");
	lua_newtable(L);
	push_times(L, "seal", seals, rounds);
	push_times(L, "open", opens, rounds);
	return 1;
}

// raw_seal_open(n [, bytes]) → {seal = {ms, …}, open = {ms, …}}: gpgme called synchronously, in homes like ours.
static int raw_seal_open(lua_State *L)
{
	return seal_open(L, RAW);
}

// layer_seal_open(n [, bytes]): the same through the layer, one after the other.
static int layer_seal_open(lua_State *L)
{
	return seal_open(L, LAYER);
}

// ahead_seal_open(n [, bytes]): the same with gpg started ahead.
static int ahead_seal_open(lua_State *L)
{
	return seal_open(L, LAYER_AHEAD);
}

static const luaL_Reg functions[] = {
	{"raw_seal_open", raw_seal_open}, {"layer_seal_open", layer_seal_open},
	{"ahead_seal_open", ahead_seal_open}, {NULL, NULL},
};

int luaopen_support_openpgp_bench(lua_State *L);
int luaopen_support_openpgp_bench(lua_State *L)
{
	luaL_newlib(L, functions);
	return 1;
}
