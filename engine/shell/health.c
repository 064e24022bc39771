// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "shell/shell.h"
#include "store/settings.h"

#define LOOK_MS 10000
#define TRIAL_MS 1000 // while the store cannot be written
#define AGAIN_MS 5000 // while GnuPG fails
#define REMIND_MS (30 * 60 * 1000)
#define TRIAL_SETTING "trial"
#define ROOM_LEAST (1 << 20)  // before the store is tried again
#define ROOM_LOW (64LL << 20) // doctor/checks/disk.lua has the same
#define ROOM_ENOUGH (80LL << 20)

static const struct {
	const char *name, *begins, *ends; // ends NULL: nobody wants to hear of it
} matters[HEALTH_MATTERS] = {
	[HEALTH_STORE] = {"store", "nothing is lost, and it goes on as soon as that works again",
			  "the store can be written again: what waited goes on"},
	[HEALTH_GPG] = {"gpg", "they wait, and go on as soon as that works again",
			"GnuPG works again: what waited goes on"},
	[HEALTH_DESCRIPTORS] = {"descriptors", "'doctor' says how to allow more", "there are descriptors again"},
	[HEALTH_ROOM] = {"room", "make room before it is full", NULL},
};

static void tell(struct engine *e, enum health_matter matter, const char *text, bool over)
{
	if (over)
		log_info("%s", text);
	else
		log_warn("%s", text);
	engine_emit(e, "warning", "warning",
		    json_pack("{s:s, s:s, s:b}", "text", text, "about", matters[matter].name, "over", over));
}

static void look(void *arg);

static void look_again(struct health *h)
{
	const struct trouble *t = h->troubles;
	int64_t ms = t[HEALTH_STORE].on ? TRIAL_MS : t[HEALTH_GPG].on ? AGAIN_MS : LOOK_MS;
	timer_start(h->engine->loop, &h->look, ms, look, h);
}

void health_trouble(struct engine *e, enum health_matter matter, const char *format, ...)
{
	struct trouble *t = &e->health.troubles[matter];
	char text[512];
	int64_t now = loop_now_ms(e->loop);
	va_list args;
	va_start(args, format);
	vsnprintf(t->text, sizeof t->text, format, args);
	va_end(args);
	t->count++;
	bool begins = !t->on;
	t->on = true;
	if (begins && e->ready && !e->stopping)
		look_again(&e->health); // soon, whatever the last look has planned
	if (t->told && now - t->told_ms < REMIND_MS) {
		log_debug("%s", t->text);
		return;
	}
	t->told = e->ready; // before that nobody listens
	t->told_ms = now;
	snprintf(text, sizeof text, "%s; %s", t->text, matters[matter].begins);
	tell(e, matter, text, false);
}

void health_fine(struct engine *e, enum health_matter matter)
{
	struct trouble *t = &e->health.troubles[matter];
	if (!t->on)
		return;
	*t = (struct trouble){0};
	if (matters[matter].ends)
		tell(e, matter, matters[matter].ends, true);
}

const char *health_reason(const struct engine *e, enum health_matter matter)
{
	const struct trouble *t = &e->health.troubles[matter];
	return t->on ? t->text : NULL;
}

json_t *health_view(const struct engine *e)
{
	json_t *all = json_object();
	for (int m = 0; m < HEALTH_MATTERS; m++) {
		const struct trouble *t = &e->health.troubles[m];
		if (t->on)
			json_object_set_new(all, matters[m].name,
					    json_pack("{s:s, s:i}", "text", t->text, "count", (int)t->count));
	}
	return all;
}

// --- looking -----------------------------------------------------------------------------------------------------------------

static int64_t room(const struct engine *e)
{
	struct statvfs st;
	return statvfs(e->data, &st) == 0 ? (int64_t)st.f_bavail * (int64_t)st.f_frsize : INT64_MAX;
}

// A small write is the only question that a disk answers truthfully. What waits is larger, so there has to be room for that, too.
static void try_store(struct engine *e)
{
	struct err_info info;
	if (!health_reason(e, HEALTH_STORE) || room(e) < ROOM_LEAST ||
	    store_setting_put_int(e->store, TRIAL_SETTING, clock_now_ms(e->clock), &info))
		return;
	health_fine(e, HEALTH_STORE);
	engine_recover(e);
}

// Nothing but work shows whether GnuPG works: what waits is tried more often than it would be by itself.
static void try_gpg(struct engine *e)
{
	if (health_reason(e, HEALTH_GPG) && !health_reason(e, HEALTH_STORE))
		engine_recover(e);
}

static void look_at_room(struct engine *e)
{
	int64_t left = room(e);
	if (left >= ROOM_ENOUGH)
		health_fine(e, HEALTH_ROOM);
	else if (left < ROOM_LOW && !health_reason(e, HEALTH_ROOM))
		health_trouble(e, HEALTH_ROOM, "the disk is nearly full: %lld MB are left", (long long)left >> 20);
}

static bool is_any_left(void)
{
	int fd = dup(STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void look_at_descriptors(struct health *h)
{
	uint64_t rested = listener_counters(h->engine->network.listener)->rested;
	if (rested != h->rested || !is_any_left())
		health_trouble(h->engine, HEALTH_DESCRIPTORS, "no descriptor is left: who calls has to wait");
	else
		health_fine(h->engine, HEALTH_DESCRIPTORS);
	h->rested = rested;
}

static void look(void *arg)
{
	struct health *h = arg;
	try_store(h->engine);
	try_gpg(h->engine);
	look_at_room(h->engine);
	look_at_descriptors(h);
	look_again(h);
}

void health_start(struct health *h, struct engine *e)
{
	h->engine = e;
	timer_start(e->loop, &h->look, 0, look, h);
}

void health_stop(struct health *h)
{
	if (h->engine)
		timer_cancel(h->engine->loop, &h->look);
}

void health_store_failed(struct engine *e, const struct err_info *info, const char *what)
{
	if (info->code != ERR_IO) {
		engine_warn(e, "%s: %s", what, info->text);
		return;
	}
	health_trouble(e, HEALTH_STORE, "%s: %s", what, info->text);
}
