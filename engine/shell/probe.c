// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/resolve.h"
#include "peers/contact_file.h"
#include "shell/own_presence.h"
#include "shell/shell.h"

#define TRIES 4 // at once, then after 0.4 s, doubling
#define FIRST_WAIT_MS 400

struct probe {
	struct neighbours *neighbours;
	struct probe *next, **link;
	struct addr at[RESOLVE_FOUND_MAX];
	size_t count, tries;
	char text[ADDR_HOST_MAX + 8]; // as the caller wrote it
	struct resolve *resolve;
	struct timer timer;
	struct pending *pending; // NULL: of the contact file
	int64_t deadline_ms;
};

static void probe_free(struct probe *p)
{
	timer_cancel(p->neighbours->engine->loop, &p->timer);
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	free(p);
}

static void forget_pending(void *owner)
{
	struct probe *p = owner;
	p->pending = NULL;
}

static void fail(struct probe *p, enum err code, const struct err_info *info)
{
	struct pending *pending = p->pending;
	probe_free(p);
	if (pending)
		pending_fail(pending, code, info);
}

static void ask(void *arg)
{
	struct probe *p = arg;
	struct engine *e = p->neighbours->engine;
	struct err_info info;
	int64_t left = p->deadline_ms - loop_now_ms(e->loop);
	if (left <= 0) {
		err_set(&info, ERR_TIMEOUT, "nobody answers at %s", p->text);
		fail(p, ERR_TIMEOUT, &info);
		return;
	}
	int64_t wait = left;
	if (p->tries < TRIES) {
		for (size_t i = 0; i < p->count; i++)
			if (own_presence_send(p->neighbours, PRESENCE_QUERY, &p->at[i], &info)) {
				fail(p, info.code, &info);
				return;
			}
		wait = (int64_t)FIRST_WAIT_MS << p->tries;
		p->tries++;
	}
	timer_start(e->loop, &p->timer, wait < left ? wait : left, ask, p);
}

static void resolved(void *arg, enum err code, const struct err_info *info, const struct addr *found, size_t count)
{
	struct probe *p = arg;
	p->resolve = NULL;
	if (code == ERR_CANCELED) { // probes_cancel has taken it out of the list
		free(p);
		return;
	}
	if (code) {
		fail(p, code, info);
		return;
	}
	memcpy(p->at, found, count * sizeof *found);
	p->count = count;
	ask(p);
}

static size_t count_probes(const struct neighbours *n)
{
	size_t count = 0;
	for (const struct probe *p = n->probes; p; p = p->next)
		count++;
	return count;
}

static enum err begin(struct neighbours *n, const char *address, struct probe **out, struct err_info *info)
{
	struct engine *e = n->engine;
	char host[ADDR_HOST_MAX];
	uint16_t port;
	bool numeric;
	enum err code = identity_need(&e->identity, info);
	if (code == OK)
		code = addr_split(address, host, &port, &numeric, info);
	if (code == OK && port == 0)
		code = err_set(info, ERR_BAD_PARAMS, "%s: the port is missing", address);
	if (code == OK && count_probes(n) >= PROBES_MAX)
		code = err_set(info, ERR_BUSY, "%d probes are under way", PROBES_MAX);
	if (code)
		return code;
	struct probe *p = mem_alloc(sizeof *p);
	p->neighbours = n;
	p->deadline_ms = loop_now_ms(e->loop) + e->options.probe_timeout_ms;
	strncpy(p->text, address, sizeof p->text - 1);
	if (numeric) {
		code = addr_parse(&p->at[0], address, info);
		p->count = 1;
	} else {
		code = resolve_start(&p->resolve, e->network.resolver, host, port, e->options.probe_timeout_ms, resolved, p,
				     info);
	}
	if (code) {
		free(p);
		return code;
	}
	p->next = n->probes;
	p->link = &n->probes;
	if (p->next)
		p->next->link = &p->next;
	n->probes = p;
	if (numeric)
		timer_start(e->loop, &p->timer, 0, ask, p);
	*out = p;
	return OK;
}

enum err probe_call(struct neighbours *n, struct call *c, const char *address)
{
	struct probe *p;
	enum err code = begin(n, address, &p, c->info);
	if (code == OK)
		p->pending = call_defer(c, forget_pending, p);
	return code;
}

bool probe_awaits(const struct neighbours *n, const struct addr *from)
{
	for (const struct probe *p = n->probes; p; p = p->next)
		for (size_t i = 0; i < p->count; i++)
			if (addr_equal(&p->at[i], from))
				return true;
	return false;
}

void probe_answered(struct neighbours *n, const struct addr *from, const char *fingerprint, enum peer_verdict verdict)
{
	struct probe *p = n->probes;
	while (p) {
		struct probe *next = p->next;
		bool mine = false;
		for (size_t i = 0; i < p->count; i++)
			mine = mine || addr_equal(&p->at[i], from);
		if (mine && verdict == PEER_SELF) {
			struct err_info info;
			err_set(&info, ERR_BAD_PARAMS, "at %s there is nobody else: that is this core", p->text);
			fail(p, ERR_BAD_PARAMS, &info);
		} else if (mine && verdict == PEER_EXPIRED && !neighbours_get(n, fingerprint)) {
			// what was just said cannot be out of date
			struct err_info info;
			err_set(&info, ERR_TIMEOUT,
				"somebody is at %s, but by an hour or more one of your two clocks is wrong: 'doctor' looks at yours",
				p->text);
			fail(p, ERR_TIMEOUT, &info);
		} else if (mine && neighbours_get(n, fingerprint)) {
			struct pending *pending = p->pending;
			probe_free(p);
			neighbours_confirm(n, fingerprint, from);
			if (pending)
				pending_reply(pending, neighbours_view(neighbours_get(n, fingerprint)));
		}
		p = next;
	}
}

void probes_cancel(struct neighbours *n)
{
	while (n->probes) {
		struct probe *p = n->probes;
		struct pending *pending = p->pending;
		struct resolve *resolve = p->resolve;
		n->probes = p->next;
		if (p->next)
			p->next->link = &n->probes;
		timer_cancel(n->engine->loop, &p->timer);
		if (resolve)
			resolve_cancel(resolve); // frees the probe in its callback
		else
			free(p);
		if (pending)
			pending_fail(pending, ERR_CANCELED, NULL);
	}
}

// --- the contact file ---------------------------------------------------------------------------------------------------------

static json_t *errors_view(const struct contact_file *f)
{
	json_t *errors = json_array();
	const struct contact_error *error;
	for (size_t i = 0; (error = contact_file_error_at(f, i)); i++) {
		char *text = mem_format("line %zu: %s", error->line, error->text);
		json_array_append_new(errors, json_string(text));
		free(text);
	}
	return errors;
}

static enum err read_contacts(struct contact_file *f, const char *path, struct err_info *info)
{
	struct buf text;
	buf_init(&text, CONTACT_FILE_MAX + 1);
	enum err code = file_read(path, &text, info);
	if (code == OK)
		code = contact_file_parse(f, buf_span(&text), info);
	buf_fini(&text);
	return code;
}

enum err probe_import(struct neighbours *n, struct call *c, const char *path)
{
	struct contact_file *f = contact_file_new();
	size_t probed = 0;
	enum err code = identity_need(&n->engine->identity, c->info);
	if (code == OK)
		code = read_contacts(f, path, c->info);
	for (size_t i = 0; code == OK && i < contact_file_count(f); i++) {
		const struct contact *contact = contact_file_at(f, i);
		struct probe *p;
		struct err_info info;
		char *at = strchr(contact->host, ':') ? mem_format("[%s]:%u", contact->host, contact->port)
						      : mem_format("%s:%u", contact->host, contact->port);
		if (contact->fingerprint[0])
			neighbours_know(n, contact->fingerprint);
		if (begin(n, at, &p, &info) == OK)
			probed++;
		free(at);
	}
	if (code == OK)
		*c->out = json_pack("{s:I, s:I, s:o}", "contacts", (json_int_t)contact_file_count(f), "probed",
				    (json_int_t)probed, "errors", errors_view(f));
	contact_file_free(f);
	return code;
}

static enum err add_contact(struct contact_file *f, const struct peer *p, size_t *count, struct err_info *info)
{
	char text[ADDR_TEXT_MAX];
	struct contact contact = {.note = p->name};
	if (!p->known || p->addresses.count == 0)
		return OK;
	addr_format(&p->addresses.at[0].endpoint, text);
	enum err code = contact_parse_address(text, contact.host, &contact.port, info);
	if (code)
		return code;
	memcpy(contact.fingerprint, p->fingerprint, sizeof contact.fingerprint);
	++*count;
	return contact_file_put(f, &contact, info);
}

enum err probe_export(struct neighbours *n, struct call *c, const char *path)
{
	struct contact_file *f = contact_file_new();
	struct buf text;
	size_t count = 0;
	buf_init(&text, CONTACT_FILE_MAX);
	// what stands in the file already stays: comments, and contacts of others
	enum err code = read_contacts(f, path, c->info);
	if (code == ERR_NOT_FOUND)
		code = OK;
	for (size_t i = 0; code == OK && i < peer_table_count(n->table); i++)
		code = add_contact(f, peer_table_at(n->table, i), &count, c->info);
	if (code == OK)
		code = contact_file_print(f, &text);
	if (code == OK)
		code = file_write(path, buf_span(&text), c->info);
	if (code == OK)
		*c->out = json_pack("{s:I}", "contacts", (json_int_t)count);
	buf_fini(&text);
	contact_file_free(f);
	return code;
}
