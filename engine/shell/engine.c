// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's life: open → sweep what a killed core left → load the identity → ready; and the way back.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "shell/shell.h"

#define STORE_FILE "sotto.db"
#define HOMES_DIRECTORY "homes"
#define STOP_STEP_MS 10
#define STOP_STEPS_MAX 200

// --- telling ---------------------------------------------------------------------------------------------------------------------

void engine_emit(struct engine *e, const char *type, const char *noun, json_t *object)
{
	if (e->ready && e->hooks.event)
		e->hooks.event(e->hooks.arg, type, noun, object);
	json_decref(object);
}

void engine_warn(struct engine *e, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	log_warn("%s", text);
	engine_emit(e, "warning", "warning", json_pack("{s:s}", "text", text));
}

void engine_ignore_result(void *arg, enum err code, const struct err_info *info)
{
	(void)arg;
	if (code)
		log_warn("a home of GnuPG is not wholly gone: %s", info->text);
}

void engine_gather_metrics(struct engine *e)
{
	struct gpg_load load = gpg_load(e->gpg);
	const struct udp_counters *udp = udp_counters(e->network.udp);
	struct metrics *m = &e->metrics;
	metrics_set(m, "gpg_operations", "done", load.done);
	metrics_set(m, "gpg_operations", "failed", load.failed);
	metrics_set(m, "gpg_operations", "timeout", load.timeouts);
	metrics_set(m, "gpg_operations", "ahead", load.ahead);
	metrics_set(m, "gpg_operations", "ahead_in_vain", load.ahead_in_vain);
	metrics_set(m, "datagrams_received", NULL, udp->received);
	metrics_set(m, "datagrams_sent", NULL, udp->sent);
	metrics_set(m, "datagram_bytes", "sent", udp->sent_bytes);
	metrics_set(m, "datagram_bytes", "received", udp->received_bytes);
	metrics_set(m, "datagrams_dropped", "truncated", udp->truncated);
	metrics_set(m, "datagrams_dropped", "overflow", udp->overflowed);
	metrics_set(m, "links_accepted", NULL, listener_counters(e->network.listener)->accepted);
	hearing_gather(&e->hearing, m);
	lan_shell_gather(&e->lan, m);
}

// --- awake and asleep ----------------------------------------------------------------------------------------------------------

void engine_wake(struct engine *e)
{
	if (e->awake || e->stopping)
		return;
	e->awake = true;
	neighbours_wake(&e->neighbours);
	lan_shell_wake(&e->lan);
	spare_fill(&e->spare);
	discussions_wake(&e->discussions);
}

void engine_sleep(struct engine *e)
{
	if (!e->awake)
		return;
	e->awake = false;
	network_sleep(&e->network);
	discussions_sleep(&e->discussions);
	lan_shell_sleep(&e->lan);
	neighbours_sleep(&e->neighbours);
	gpg_cool(e->gpg);
}

void engine_recover(struct engine *e)
{
	discussions_recover(&e->discussions);
	neighbours_recover(&e->neighbours);
	spare_fill(&e->spare);
}

// --- start ---------------------------------------------------------------------------------------------------------------------

static void be_ready(struct engine *e, enum err code, const struct err_info *info)
{
	if (e->stopping)
		return;
	e->ready = code == OK;
	e->hooks.ready(e->hooks.arg, code, info);
	if (e->ready)
		health_start(&e->health, e);
	if (e->ready && e->identity.state == IDENTITY_LOCKED)
		engine_emit(e, "passphrase.needed", "identity", identity_view(&e->identity));
}

static void swept(void *arg, enum err code, const struct err_info *info)
{
	struct engine *e = arg;
	if (e->stopping)
		return;
	if (code)
		log_warn("leftovers of an earlier core: %s", info->text);
	identity_load(&e->identity, be_ready);
}

// What the store refers to stays; everything else in the homes' directory is what a killed core left (P4.1).
static void sweep(struct engine *e)
{
	const char **names;
	struct store_identity row;
	size_t count = discussions_homes(&e->discussions, &names);
	bool has = store_identity_get(e->store, &row, NULL) == OK;
	if (has)
		names[count++] = row.home;
	homes_sweep_start(e->homes, names, count, swept, e);
	free(names);
	if (has)
		store_identity_fini(&row);
}

static enum err open_store(struct engine *e, struct err_info *info)
{
	char *path = path_join(e->data, STORE_FILE);
	enum err code = store_open(&e->store, path, info);
	free(path);
	return code;
}

static enum err open_homes(struct engine *e, struct err_info *info)
{
	char *path = path_join(e->data, HOMES_DIRECTORY);
	enum err code = homes_open(&e->homes, e->loop, path, e->random, info);
	free(path);
	return code;
}

static enum err open_all(struct engine *e, const struct engine_config *config, struct err_info *info)
{
	enum err code = lan_shell_init(&e->lan, e, config->discover, info);
	if (code == OK)
		code = directory_make_private(e->data, info);
	if (code == OK)
		code = open_store(e, info);
	if (code == OK)
		code = gpg_new(&e->gpg, e->loop, info);
	if (code == OK) {
		gpg_limit(e->gpg, (unsigned)e->options.gpg_parallel);
		gpg_keep_warm(e->gpg, (unsigned)e->options.gpg_ahead, e->options.gpg_ahead_idle_s * 1000);
		code = open_homes(e, info);
	}
	if (code == OK)
		code = network_open(&e->network, e, config->listen, info);
	if (code == OK)
		code = discussions_load(&e->discussions, info);
	return code;
}

enum err engine_open(struct engine **out, struct loop *loop, const struct engine_config *config,
		     const struct engine_hooks *hooks, struct err_info *info)
{
	struct options options;
	enum err code = options_load(&options, config->options, info);
	if (code)
		return code;
	struct engine *e = mem_alloc(sizeof *e);
	e->options = options;
	e->loop = loop;
	e->clock = config->clock ? config->clock : &clock_system;
	e->random = config->random ? config->random : &random_system;
	e->hooks = *hooks;
	e->home = config->home ? mem_dup_string(config->home) : NULL;
	e->data = mem_dup_string(config->data);
	e->started_ms = loop_now_ms(loop);
	identity_init(&e->identity, e);
	spare_init(&e->spare, e);
	neighbours_init(&e->neighbours, e);
	discussions_init(&e->discussions, e);
	code = open_all(e, config, info);
	if (code) {
		engine_free(e);
		return code;
	}
	sweep(e);
	*out = e;
	return OK;
}

// --- end ---------------------------------------------------------------------------------------------------------------------------

static void homes_closed(void *arg, enum err code, const struct err_info *info)
{
	struct engine *e = arg;
	if (code)
		log_warn("an agent of GnuPG has not ended: %s", info->text);
	e->homes = NULL;
	store_close(e->store);
	e->store = NULL;
	if (e->hooks.stopped)
		e->hooks.stopped(e->hooks.arg);
}

// What was cancelled lets go of its homes on turns of its own; only then may they all be closed.
static void close_homes(void *arg)
{
	struct engine *e = arg;
	struct gpg_load load = gpg_load(e->gpg);
	bool busy = load.running || load.queued || load.queued_strangers || e->spare.running;
	if (busy && e->stop_steps++ < STOP_STEPS_MAX)
		timer_start(e->loop, &e->stop_timer, STOP_STEP_MS, close_homes, e);
	else
		homes_close_start(e->homes, homes_closed, e);
}

static void stop(void *arg)
{
	struct engine *e = arg;
	health_stop(&e->health);
	engine_sleep(e);
	pending_cancel_all(e);
	spare_fini(&e->spare);
	identity_fini(&e->identity);
	candidates_cancel(e);
	certifiers_cancel(e);
	timer_start(e->loop, &e->stop_timer, STOP_STEP_MS, close_homes, e);
}

void engine_stop(struct engine *e)
{
	if (e->stopping)
		return;
	e->stopping = true;
	// on a turn of its own: the call that asked for it is still to be answered
	loop_defer(e->loop, &e->stop_turn, stop, e);
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	deferred_cancel(e->loop, &e->stop_turn);
	timer_cancel(e->loop, &e->stop_timer);
	health_stop(&e->health);
	discussions_fini(&e->discussions);
	lan_shell_sleep(&e->lan);
	network_fini(&e->network);
	neighbours_fini(&e->neighbours);
	store_close(e->store);
	homes_free_unused(e->homes); // one that has stopped has none
	gpg_free(e->gpg);
	free(e->home);
	free(e->data);
	free(e);
}

// --- calls -------------------------------------------------------------------------------------------------------------------------

enum err engine_call(struct engine *e, const char *name, const struct engine_params *params, engine_done *done, void *arg,
		     json_t **out, struct err_info *info)
{
	static const struct method *const tables[] = {methods_system, methods_identity, methods_peers,
						      methods_discussions, methods_messages, methods_proposals,
						      methods_scripts};
	struct err_info own;
	struct call c = {
		.engine = e, .params = params, .done = done, .arg = arg, .out = out, .info = info ? info : &own};
	*out = NULL;
	if (e->stopping)
		return err_set(info, ERR_CANCELED, "the core is stopping");
	for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
		for (const struct method *m = tables[t]; m->name; m++)
			if (strcmp(m->name, name) == 0)
				return m->run(&c);
	return err_set(info, ERR_NOT_FOUND, "there is no method '%s'", name);
}
