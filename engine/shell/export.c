// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/export.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "shell/message_view.h"
#include "shell/shell.h"
#include "store/payloads.h"
#include "wire/handshake.h"

#define LINES_MAX (256u << 20) // bytes of messages.jsonl

static const char readme[] =
	"An export of a discussion of sotto. To check who wrote a message, with stock GnuPG in an empty home:\n"
	"\n"
	"  export GNUPGHOME=$(mktemp -d)\n"
	"  gpg --import certificates/*.discussion.pgp certificates/*.general.pgp\n"
	"  gpg --override-session-key \"$(cat sealed/NAME.key)\" --decrypt sealed/NAME.pgp\n"
	"\n"
	"Messages of your own have no key file: they were sealed for the others only. Their texts are in messages.jsonl; who got them\n"
	"can check them with an export of their own.\n"
	"\n"
	"NAME is SENDER-EPOCH-SEQUENCE. gpg prints the payload and \"Good signature\" by the sender's discussion key. That this key\n"
	"belongs to the sender's general key is what certificates/SENDER.binding.sig says: a signature over the file beside it\n"
	"(gpg --verify certificates/SENDER.binding.sig certificates/SENDER.binding).\n"
	"The session keys open these messages for whoever has them: keep the export as you would keep the messages.\n";

struct export {
	struct discussion *discussion;
	const char *path;
	size_t messages, sealed;
	struct buf lines;
	char last[33]; // message id
	size_t page;
	uint64_t sequence;
	size_t payloads;
	enum err code;
	struct err_info *info;
};

static enum err write_file(struct export *x, const char *folder, const char *name, struct span data)
{
	char *path = mem_format("%s/%s%s%s", x->path, folder, folder[0] ? "/" : "", name);
	enum err code = file_write(path, data, x->info);
	free(path);
	return code;
}

static enum err make_directory(const char *path, struct err_info *info)
{
	DIR *d;
	struct dirent *entry;
	if (mkdir(path, 0700) == 0)
		return OK;
	if (errno != EEXIST || !(d = opendir(path)))
		return err_set_errno(info, errno, "cannot make the directory %s", path);
	size_t count = 0;
	while ((entry = readdir(d)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(d);
	return count ? err_set(info, ERR_WRONG_STATE, "%s is there already, and is not empty", path) : OK;
}

static enum err make_folder(struct export *x, const char *name)
{
	char *path = path_join(x->path, name);
	enum err code = make_directory(path, x->info);
	free(path);
	return code;
}

// --- messages ------------------------------------------------------------------------------------------------------------------

static bool append_line(void *arg, const struct store_message *m)
{
	struct export *x = arg;
	json_t *view = message_view(m);
	char *text = json_dumps(view, JSON_COMPACT);
	x->code = buf_append_string(&x->lines, text);
	if (x->code == OK)
		x->code = buf_append_string(&x->lines, "\n");
	free(text);
	json_decref(view);
	memcpy(x->last, m->id, sizeof x->last);
	x->messages++;
	x->page++;
	return x->code == OK;
}

// From the first message on: pages go forward, and the newest page alone has no `after`.
static enum err export_messages(struct export *x)
{
	struct store *s = x->discussion->engine->store;
	const char *id = x->discussion->row.id;
	enum err code = OK;
	bool first = true;
	do {
		struct store_range range = {
			.after = first ? NULL : x->last, .oldest = first, .limit = STORE_LIST_MAX};
		x->page = 0;
		code = store_message_list(s, id, &range, append_line, x, x->info);
		if (code == OK)
			code = x->code;
		first = false;
	} while (code == OK && x->page == STORE_LIST_MAX);
	return code ? code : write_file(x, "", "messages.jsonl", buf_span(&x->lines));
}

// --- certificates --------------------------------------------------------------------------------------------------------------

static enum err export_member(struct export *x, const struct store_member *m)
{
	char name[96];
	struct buf body;
	const struct hash charter = hash_of(span_string(x->discussion->row.charter));
	const struct hash certificate = hash_of(bytes_span(m->certificate));
	buf_init(&body, 4096);
	snprintf(name, sizeof name, "%s.discussion.pgp", m->fingerprint);
	enum err code = write_file(x, "certificates", name, bytes_span(m->certificate));
	snprintf(name, sizeof name, "%s.general.pgp", m->fingerprint);
	if (code == OK)
		code = write_file(x, "certificates", name, bytes_span(m->general));
	snprintf(name, sizeof name, "%s.binding.sig", m->fingerprint);
	if (code == OK)
		code = write_file(x, "certificates", name, bytes_span(m->binding));
	snprintf(name, sizeof name, "%s.binding", m->fingerprint);
	if (code == OK)
		code = binding_input(&body, x->discussion->row.id, &charter, &certificate, m->fingerprint);
	if (code == OK)
		code = write_file(x, "certificates", name, buf_span(&body));
	buf_fini(&body);
	return code;
}

// --- sealed messages -------------------------------------------------------------------------------------------------------------

static bool export_payload(void *arg, const struct store_payload *p)
{
	struct export *x = arg;
	char name[128];
	x->payloads++;
	x->sequence = p->key.sequence;
	if (!p->message)
		return true;
	snprintf(name, sizeof name, "%s-%u-%llu.pgp", p->key.sender, p->key.epoch, (unsigned long long)p->key.sequence);
	x->code = write_file(x, "sealed", name, bytes_span(p->message));
	snprintf(name, sizeof name, "%s-%u-%llu.key", p->key.sender, p->key.epoch, (unsigned long long)p->key.sequence);
	if (x->code == OK && p->session_key)
		x->code = write_file(x, "sealed", name, bytes_span(p->session_key));
	x->sealed++;
	return x->code == OK;
}

static enum err export_payloads(struct export *x, const struct store_member *m)
{
	struct discussion *d = x->discussion;
	enum err code = OK;
	x->sequence = 0;
	do {
		struct store_payload_key key = {.epoch = d->row.epoch, .sequence = x->sequence};
		memcpy(key.discussion, d->row.id, sizeof key.discussion);
		memcpy(key.sender, m->fingerprint, sizeof key.sender);
		x->payloads = 0;
		code = store_payload_each_after(d->engine->store, &key, STORE_LIST_MAX, export_payload, x, x->info);
		if (code == OK)
			code = x->code;
	} while (code == OK && x->payloads == STORE_LIST_MAX);
	return code;
}

static enum err export_roster(struct export *x)
{
	struct discussion *d = x->discussion;
	struct store_epoch epoch;
	enum err code = store_epoch_get(d->engine->store, d->row.id, d->row.epoch, &epoch, x->info);
	if (code)
		return code;
	code = write_file(x, "", "roster.json", bytes_span(epoch.roster));
	store_epoch_fini(&epoch);
	return code;
}

enum err export_discussion(struct discussion *d, const char *path, json_t **out, struct err_info *info)
{
	struct export x = {.discussion = d, .path = path, .info = info};
	if (!d->row.has_h0)
		return err_set(info, ERR_WRONG_STATE, "this discussion was never opened: there is nothing to export");
	buf_init_wiped(&x.lines, LINES_MAX);
	enum err code = make_directory(path, info);
	if (code == OK)
		code = make_folder(&x, "certificates");
	if (code == OK)
		code = make_folder(&x, "sealed");
	if (code == OK)
		code = export_roster(&x);
	if (code == OK)
		code = export_messages(&x);
	for (size_t i = 0; code == OK && i < d->member_count; i++) {
		code = export_member(&x, &d->members[i]);
		if (code == OK)
			code = export_payloads(&x, &d->members[i]);
	}
	if (code == OK)
		code = write_file(&x, "", "README", span_string(readme));
	if (code == OK)
		*out = json_pack("{s:s, s:I, s:I}", "path", path, "messages", (json_int_t)x.messages, "sealed",
				 (json_int_t)x.sealed);
	buf_fini(&x.lines);
	return code;
}
