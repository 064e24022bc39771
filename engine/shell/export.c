// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "shell/message_view.h"
#include "shell/past.h"
#include "shell/shell.h"
#include "store/payloads.h"
#include "store/proofs.h"
#include "wire/handshake.h"

#define PAGE 50                // messages a turn
#define PAGE_BYTES (128 << 10) // of them as JSON, or the one message that goes over it
#define PAGE_MAX (1 << 20)

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
	"NAME.other.pgp, where there is one, is another message that its sender has signed under the same number, with NAME.other.key: the\n"
	"two prove that the sender has lied.\n"
	"\n"
	"NAME is SENDER-EPOCH-SEQUENCE. gpg prints the payload and \"Good signature\" by the sender's discussion key. That this key\n"
	"belongs to the sender's general key is what certificates/SENDER.binding.sig says: a signature over the file beside it\n"
	"(gpg --verify certificates/SENDER.binding.sig certificates/SENDER.binding). Whoever went and came again had another key from\n"
	"then on: its files begin with SENDER-EPOCH.\n"
	"The session keys open these messages for whoever has them: keep the export as you would keep the messages.\n";

// The three in the middle are done for each epoch.
enum stage { ROSTER, MESSAGES, EPOCH, CERTIFICATES, SEALED, EXPLANATION, FOLDERS, DONE };

struct export {
	struct discussion *discussion;
	struct pending *pending; // NULL: nobody waits for it any more
	struct timer turn;
	char *path;
	bool made; // the directory is ours
	enum stage stage;
	int file;      // messages.jsonl
	char last[33]; // id of the message that was written last
	uint32_t epoch, last_epoch;
	struct past_epoch in;        // that epoch, and
	struct roster_record before; // the one before it; of nobody before the first
	struct store_member members[ROSTER_MAX];
	size_t member_count;
	size_t member, part;
	uint64_t sequence;         // of the payload that was written last
	struct bytes *session_key; // of that payload, still to be written
	size_t messages, sealed;
	struct err_info info;
};

// --- files ---------------------------------------------------------------------------------------------------------------------

static enum err append(struct export *x, int fd, struct span data)
{
	return file_write_all(fd, data) ? err_set_errno(&x->info, errno, "cannot write below %s", x->path) : OK;
}

static enum err create(struct export *x, const char *folder, const char *name, int *fd)
{
	char *path = mem_format("%s/%s%s%s", x->path, folder, folder[0] ? "/" : "", name);
	*fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum err code = *fd < 0 ? err_set_errno(&x->info, errno, "cannot write %s", path) : OK;
	free(path);
	return code;
}

// The directory is new: nothing is replaced, and its entries go to the disk once, at the end.
static enum err write_file(struct export *x, const char *folder, const char *name, struct span data)
{
	int fd;
	enum err code = create(x, folder, name, &fd);
	if (code)
		return code;
	code = append(x, fd, data);
	if (code == OK && fsync(fd) != 0)
		code = err_set_errno(&x->info, errno, "cannot write below %s", x->path);
	if (close(fd) != 0 && code == OK)
		code = err_set_errno(&x->info, errno, "cannot write below %s", x->path);
	return code;
}

static enum err sync_folder(struct export *x, bool *more)
{
	static const char *const names[] = {"certificates", "sealed", "."};
	char *path = path_join(x->path, names[x->part]);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err code = OK;
	if (fd < 0 || fsync(fd) != 0)
		code = err_set_errno(&x->info, errno, "cannot write %s", path);
	if (fd >= 0)
		close(fd);
	free(path);
	*more = ++x->part < sizeof names / sizeof *names;
	return code;
}

static enum err make_directory(const char *path, bool *made, struct err_info *info)
{
	DIR *d;
	struct dirent *entry;
	*made = mkdir(path, 0700) == 0;
	if (*made)
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
	bool made;
	char *path = path_join(x->path, name);
	enum err code = make_directory(path, &made, &x->info);
	free(path);
	return code;
}

// Half an export proves nothing, and on a full disk it is in the way.
static void remove_all(struct export *x)
{
	static const char *const names[] = {"certificates", "sealed", "roster.json", "messages.jsonl", "README"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *path = path_join(x->path, names[i]);
		struct err_info info;
		if (tree_remove(path, &info))
			engine_warn(x->discussion->engine, "of an export that failed this is left: %s", info.text);
		free(path);
	}
	if (x->made)
		rmdir(x->path);
}

// --- messages ------------------------------------------------------------------------------------------------------------------

struct page {
	struct export *export;
	struct buf lines;
	size_t count;
	bool more;
	enum err code;
};

static bool append_line(void *arg, const struct store_message *m)
{
	struct page *p = arg;
	json_t *view = message_view(m);
	char *text = json_dumps(view, JSON_COMPACT);
	p->code = buf_append_string(&p->lines, text);
	if (p->code == OK)
		p->code = buf_append_string(&p->lines, "\n");
	free(text);
	json_decref(view);
	memcpy(p->export->last, m->id, sizeof p->export->last);
	p->count++;
	p->more = p->count == PAGE || p->lines.len >= PAGE_BYTES;
	return p->code == OK && !p->more;
}

// Pages go forward from the first message on: the newest page alone has no `after`.
static enum err export_page(struct export *x, bool *more)
{
	const struct discussion *d = x->discussion;
	struct page p = {.export = x};
	struct store_range range = {.after = x->messages ? x->last : NULL, .oldest = x->messages == 0, .limit = PAGE};
	buf_init_wiped(&p.lines, PAGE_MAX);
	enum err code = x->file < 0 ? create(x, "", "messages.jsonl", &x->file) : OK;
	if (code == OK)
		code = store_message_list(d->engine->store, d->row.id, &range, append_line, &p, &x->info);
	if (code == OK && p.code)
		code = err_set(&x->info, p.code, "a page of messages is too large");
	if (code == OK)
		code = append(x, x->file, buf_span(&p.lines));
	x->messages += p.count;
	*more = p.more;
	if (code == OK && !*more && fsync(x->file) != 0)
		code = err_set_errno(&x->info, errno, "cannot write below %s", x->path);
	buf_fini(&p.lines);
	return code;
}

// --- epochs --------------------------------------------------------------------------------------------------------------------

static void forget_members(struct export *x)
{
	while (x->member_count)
		store_member_fini(&x->members[--x->member_count]);
}

static bool keep_member(void *arg, const struct store_member *m)
{
	struct export *x = arg;
	store_member_copy(&x->members[x->member_count++], m);
	return x->member_count < ROSTER_MAX;
}

static enum err read_epoch(struct export *x)
{
	const struct discussion *d = x->discussion;
	x->before = x->in.roster;
	forget_members(x);
	enum err code = past_epoch_read(x->discussion, x->epoch, &x->in, &x->info);
	if (code == OK)
		code = store_member_each(d->engine->store, d->row.id, x->epoch, keep_member, x, &x->info);
	if (code == OK && x->member_count != x->in.roster.count)
		code = err_set(&x->info, ERR_CRYPTO, "epoch %u of %s has lost members on disk", x->epoch, d->row.id);
	return code;
}

// --- certificates --------------------------------------------------------------------------------------------------------------

// A membership begins where the epoch before has not that certificate: its files were written then.
static bool was_member(const struct export *x, size_t i)
{
	const struct roster_record_member *now = &x->in.roster.members[i];
	size_t at = roster_position(&x->before, now->fingerprint);
	return at != ROSTER_NOBODY && hash_equal(&x->before.members[at].certificate, &now->certificate);
}

// NAME.ENDING; the binding is the last of a membership's files.
static void name_certificate(const struct export *x, const char *fingerprint, const char *ending, char out[96])
{
	char *path = mem_format("%s/certificates/%s.binding", x->path, fingerprint);
	bool again = access(path, F_OK) == 0;
	free(path);
	if (again)
		snprintf(out, 96, "%s-%u.%s", fingerprint, x->epoch, ending);
	else
		snprintf(out, 96, "%s.%s", fingerprint, ending);
}

// Over the charter that it came in under: an admission leaves that as it is.
static enum err write_binding(struct export *x, const struct store_member *m, const char *name)
{
	struct buf body;
	const struct hash certificate = hash_of(bytes_span(m->certificate));
	buf_init(&body, 4096);
	enum err code = binding_input(&body, x->discussion->row.id, &x->in.roster.charter, &certificate, m->fingerprint);
	if (code == OK)
		code = write_file(x, "certificates", name, buf_span(&body));
	else
		err_set(&x->info, code, "a binding is too large");
	buf_fini(&body);
	return code;
}

// One of a new member's files.
static enum err export_certificate(struct export *x, bool *more)
{
	static const char *const endings[] = {"discussion.pgp", "general.pgp", "binding.sig", "binding"};
	const size_t parts = sizeof endings / sizeof *endings;
	while (x->member < x->member_count && was_member(x, x->member))
		x->member++;
	*more = x->member < x->member_count;
	if (!*more)
		return OK;
	const struct store_member *m = &x->members[x->member];
	struct bytes *const contents[] = {m->certificate, m->general, m->binding};
	char name[96];
	name_certificate(x, m->fingerprint, endings[x->part], name);
	enum err code = x->part < sizeof contents / sizeof *contents
				? write_file(x, "certificates", name, bytes_span(contents[x->part]))
				: write_binding(x, m, name);
	x->part = (x->part + 1) % parts;
	x->member += x->part == 0;
	return code;
}

// --- sealed messages -------------------------------------------------------------------------------------------------------------

static enum err write_sealed(struct export *x, const char *ending, struct span data)
{
	char name[128];
	snprintf(name, sizeof name, "%s-%u-%llu.%s", x->members[x->member].fingerprint, x->epoch,
		 (unsigned long long)x->sequence, ending);
	return write_file(x, "sealed", name, data);
}

struct found {
	struct bytes *message, *session_key;
	uint64_t sequence;
};

static bool take_payload(void *arg, const struct store_payload *p)
{
	struct found *f = arg;
	f->sequence = p->key.sequence;
	f->message = p->message ? bytes_ref(p->message) : NULL;
	f->session_key = p->session_key ? bytes_ref(p->session_key) : NULL;
	return false;
}

// The sender's second payload of one number, should it have signed one (P5.7).
static enum err export_proof(struct export *x, const struct store_payload_key *of)
{
	struct store_proof p;
	enum err code = store_proof_get(x->discussion->engine->store, of, &p, &x->info);
	if (code)
		return code == ERR_NOT_FOUND ? OK : code;
	x->sequence = p.key.sequence;
	code = write_sealed(x, "other.pgp", bytes_span(p.message));
	if (code == OK)
		code = write_sealed(x, "other.key", bytes_span(p.session_key));
	x->sequence = 0;
	store_proof_fini(&p);
	return code;
}

static enum err export_message(struct export *x, bool *more)
{
	const struct discussion *d = x->discussion;
	struct store_payload_key key = {.epoch = x->epoch, .sequence = x->sequence};
	struct found f = {0};
	memcpy(key.discussion, d->row.id, sizeof key.discussion);
	memcpy(key.sender, x->members[x->member].fingerprint, sizeof key.sender);
	enum err code = store_payload_each_after(d->engine->store, &key, 1, take_payload, &f, &x->info);
	x->sequence = f.sequence;
	if (code == OK && f.message) {
		code = write_sealed(x, "pgp", bytes_span(f.message));
		x->session_key = bytes_ref(f.session_key);
		x->sealed++;
	}
	if (code == OK && f.sequence == 0)
		code = export_proof(x, &key);
	x->member += f.sequence == 0;
	*more = x->member < x->member_count;
	bytes_unref(f.message);
	bytes_unref(f.session_key);
	return code;
}

// A message or the key of the one before; a member's after the other's.
static enum err export_sealed(struct export *x, bool *more)
{
	if (!x->session_key)
		return export_message(x, more);
	enum err code = write_sealed(x, "key", bytes_span(x->session_key));
	bytes_unref(x->session_key);
	x->session_key = NULL;
	*more = true;
	return code;
}

// --- turns -----------------------------------------------------------------------------------------------------------------------

static enum err export_roster(struct export *x)
{
	struct discussion *d = x->discussion;
	struct store_epoch epoch;
	enum err code = store_epoch_get(d->engine->store, d->row.id, x->last_epoch, &epoch, &x->info);
	if (code)
		return code;
	code = write_file(x, "", "roster.json", bytes_span(epoch.roster));
	store_epoch_fini(&epoch);
	return code;
}

static enum err do_stage(struct export *x)
{
	bool more = false;
	enum err code = OK;
	switch (x->stage) {
	case ROSTER:
		code = export_roster(x);
		break;
	case MESSAGES:
		code = export_page(x, &more);
		break;
	case EPOCH:
		code = read_epoch(x);
		break;
	case CERTIFICATES:
		code = export_certificate(x, &more);
		break;
	case SEALED:
		code = export_sealed(x, &more);
		break;
	case EXPLANATION:
		code = write_file(x, "", "README", span_string(readme));
		break;
	case FOLDERS:
		code = sync_folder(x, &more);
		break;
	case DONE:
		break;
	}
	if (code == OK && !more) {
		x->stage = x->stage == SEALED && x->epoch++ < x->last_epoch ? EPOCH : x->stage + 1;
		x->member = x->part = 0;
	}
	return code;
}

static void finish(struct export *x, enum err code)
{
	struct pending *p = x->pending;
	json_t *result = json_pack("{s:s, s:I, s:I}", "path", x->path, "messages", (json_int_t)x->messages, "sealed",
				   (json_int_t)x->sealed);
	struct err_info info = x->info;
	if (code)
		remove_all(x);
	x->discussion->export = NULL;
	timer_cancel(x->discussion->engine->loop, &x->turn);
	bytes_unref(x->session_key);
	forget_members(x);
	if (x->file >= 0)
		close(x->file);
	free(x->path);
	free(x);
	if (p && code)
		pending_fail(p, code, &info);
	else if (p)
		pending_reply(p, json_incref(result));
	json_decref(result);
}

static void turn(void *arg)
{
	struct export *x = arg;
	enum err code = do_stage(x);
	if (code || x->stage == DONE)
		finish(x, code);
	else
		timer_start(x->discussion->engine->loop, &x->turn, 0, turn, x);
}

static void forgotten(void *owner)
{
	struct export *x = owner;
	x->pending = NULL;
}

static enum err make_directories(struct export *x, struct err_info *info)
{
	enum err code = make_directory(x->path, &x->made, info);
	if (code)
		return code;
	code = make_folder(x, "certificates");
	if (code == OK)
		code = make_folder(x, "sealed");
	if (code) {
		*info = x->info;
		remove_all(x);
	}
	return code;
}

enum err export_start(struct discussion *d, struct call *c, const char *path)
{
	if (!d->row.has_h0)
		return err_set(c->info, ERR_WRONG_STATE, "this discussion was never opened: there is nothing to export");
	if (d->export)
		return err_set(c->info, ERR_BUSY, "an export of this discussion is being written");
	struct export *x = mem_alloc(sizeof *x);
	x->discussion = d;
	x->path = mem_dup_string(path);
	x->file = -1;
	x->last_epoch = d->row.epoch;
	enum err code = make_directories(x, c->info);
	if (code) {
		free(x->path);
		free(x);
		return code;
	}
	d->export = x;
	x->pending = call_defer(c, forgotten, x);
	timer_start(d->engine->loop, &x->turn, 0, turn, x);
	return OK;
}

void export_cancel(struct export *x, enum err code)
{
	if (!x)
		return;
	err_set(&x->info, code, "the export has ended before it was complete: %s", err_name(code));
	finish(x, code);
}
