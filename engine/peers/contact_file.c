// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/contact_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "peers/contact_line.h"
#include "peers/lru.h"

// Either a contact, whose note is `text`, or a line that is kept as it is.
struct line {
	struct contact *contact;
	char *text;
};

struct contact_file {
	struct line *lines;
	size_t count, cap, bytes;
	struct lru *by_address; // H of "host:port" → index of the line
	size_t *contacts;       // indices of the lines that count
	size_t contact_count;
	struct contact_error errors[CONTACT_ERRORS_MAX];
	size_t error_count;
};

struct contact_file *contact_file_new(void)
{
	struct contact_file *f = mem_alloc(sizeof *f);
	f->by_address = lru_new(HASH_LEN, sizeof(size_t), CONTACT_LINES_MAX);
	return f;
}

static void line_fini(struct line *l)
{
	free(l->contact);
	free(l->text);
}

void contact_file_free(struct contact_file *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++)
		line_fini(&f->lines[i]);
	free(f->lines);
	free(f->contacts);
	lru_free(f->by_address);
	free(f);
}

// --- lines ---------------------------------------------------------------------------------------

static struct hash address_hash(const char *host, uint16_t port)
{
	uint8_t key[CONTACT_HOST_SIZE + 2] = {(uint8_t)(port >> 8), (uint8_t)port};
	memcpy(key + 2, host, strlen(host));
	return hash_of(span(key, sizeof key));
}

static void count_contact(struct contact_file *f, size_t i)
{
	const struct contact *c = f->lines[i].contact;
	struct hash key = address_hash(c->host, c->port);
	if (lru_get(f->by_address, &key))
		return;
	*(size_t *)lru_put(f->by_address, &key) = i;
	f->contacts[f->contact_count++] = i;
}

static void line_append(struct contact_file *f, const struct contact *c, struct span text)
{
	assert(f->count < CONTACT_LINES_MAX);
	if (f->count == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 64;
		f->lines = mem_realloc(f->lines, f->cap * sizeof f->lines[0]);
		f->contacts = mem_realloc(f->contacts, f->cap * sizeof f->contacts[0]);
	}
	struct line *l = &f->lines[f->count++];
	l->text = mem_dup(text.data, text.len);
	l->contact = c ? mem_dup(c, sizeof *c) : NULL;
	if (!c)
		return;
	l->contact->note = l->text;
	l->contact->line = f->count;
	count_contact(f, f->count - 1);
}

static void complain(struct contact_file *f, size_t line, const char *text)
{
	if (f->error_count < CONTACT_ERRORS_MAX) {
		struct contact_error *e = &f->errors[f->error_count];
		e->line = line;
		size_t len = strnlen(text, sizeof e->text - 1);
		memcpy(e->text, text, len);
		e->text[len] = 0;
	}
	f->error_count++;
}

// --- in and out ----------------------------------------------------------------------------------

static bool is_remark(struct span line)
{
	size_t i = 0;
	while (i < line.len && (line.data[i] == ' ' || line.data[i] == '\t'))
		i++;
	return i == line.len || line.data[i] == '#';
}

// Editors put a mark before the first line; files that were joined have it before any. None is
// kept: it would be one line's text now, and the file's mark once that line is the first.
static struct span without_mark(struct span line)
{
	while (line.len >= 3 && memcmp(line.data, "\xef\xbb\xbf", 3) == 0)
		line = span(line.data + 3, line.len - 3);
	return line;
}

static void take_line(struct contact_file *f, struct span line)
{
	struct contact c;
	struct span note;
	struct err_info info;
	const char *wrong;
	size_t number = f->count + 1;
	if (line.len > CONTACT_LINE_MAX) {
		// kept as a blank line, so that the numbers of the lines behind it stay right
		complain(f, number, "it is longer than 1024 bytes");
		line_append(f, NULL, span("", 0));
	} else if (!contact_line_is_text(line, &wrong)) {
		complain(f, number, wrong);
		line_append(f, NULL, span("", 0));
	} else if (is_remark(line)) {
		line_append(f, NULL, line);
	} else if (contact_line_parse(line, &c, &note, &info)) {
		complain(f, number, info.text);
		line_append(f, NULL, line);
	} else {
		line_append(f, &c, note);
	}
}

static size_t count_lines(struct span text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == '\n';
	return count + (text.len && text.data[text.len - 1] != '\n');
}

enum err contact_file_parse(struct contact_file *f, struct span text, struct err_info *info)
{
	if (text.len > CONTACT_FILE_MAX - f->bytes)
		return err_set(info, ERR_TOO_LARGE, "a contact file holds at most %d bytes",
			       CONTACT_FILE_MAX);
	if (count_lines(text) > CONTACT_LINES_MAX - f->count)
		return err_set(info, ERR_TOO_LARGE, "a contact file holds at most %d lines",
			       CONTACT_LINES_MAX);
	f->bytes += text.len;
	while (text.len) {
		const uint8_t *newline = memchr(text.data, '\n', text.len);
		size_t len = newline ? (size_t)(newline - text.data) : text.len;
		size_t shown = len && text.data[len - 1] == '\r' ? len - 1 : len;
		take_line(f, without_mark(span(text.data, shown)));
		len += newline != NULL;
		text = span(text.data + len, text.len - len);
	}
	return OK;
}

enum err contact_file_print(const struct contact_file *f, struct buf *out)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct line *l = &f->lines[i];
		enum err code = l->contact ? contact_line_print(l->contact, out)
					   : buf_append_string(out, l->text);
		if (!code)
			code = buf_append_string(out, "\n");
		if (code)
			return code;
	}
	return OK;
}

// --- changes -------------------------------------------------------------------------------------

// What would be written has to read back as the same: so the line is printed, and parsed like any
// other.
static enum err normalize(const struct contact *given, struct contact *out, struct buf *line,
			  struct span *note, struct err_info *info)
{
	const char *wrong;
	if (contact_line_print(given, line))
		return err_set(info, ERR_BAD_PARAMS, "it is longer than %d bytes",
			       CONTACT_LINE_MAX);
	if (!contact_line_is_text(buf_span(line), &wrong))
		return err_set(info, ERR_BAD_PARAMS, "%s", wrong);
	return contact_line_parse(buf_span(line), out, note, info);
}

static enum err change(struct line *l, const struct contact *c, struct span note,
		       struct err_info *info)
{
	struct contact merged = *l->contact;
	struct buf line;
	char *text = mem_dup(note.data, note.len);
	if (c->fingerprint[0])
		memcpy(merged.fingerprint, c->fingerprint, sizeof merged.fingerprint);
	if (note.len)
		merged.note = text;
	buf_init(&line, CONTACT_LINE_MAX);
	enum err code = contact_line_print(&merged, &line);
	buf_fini(&line);
	if (code) {
		free(text);
		return err_set(info, code, "with both, the line would be longer than %d bytes",
			       CONTACT_LINE_MAX);
	}
	*l->contact = merged;
	if (note.len) {
		free(l->text);
		l->text = text;
	} else {
		free(text);
	}
	return OK;
}

enum err contact_file_put(struct contact_file *f, const struct contact *given,
			  struct err_info *info)
{
	struct contact c;
	struct span note;
	struct buf line;
	buf_init(&line, CONTACT_LINE_MAX);
	enum err code = normalize(given, &c, &line, &note, info);
	if (code)
		goto out;
	struct hash key = address_hash(c.host, c.port);
	size_t *at = lru_get(f->by_address, &key);
	if (at)
		code = change(&f->lines[*at], &c, note, info);
	else if (f->count == CONTACT_LINES_MAX)
		code = err_set(info, ERR_TOO_LARGE, "a contact file holds at most %d lines",
			       CONTACT_LINES_MAX);
	else
		line_append(f, &c, note);
out:
	buf_fini(&line);
	return code;
}

static void count_again(struct contact_file *f)
{
	lru_free(f->by_address);
	f->by_address = lru_new(HASH_LEN, sizeof(size_t), CONTACT_LINES_MAX);
	f->contact_count = 0;
	for (size_t i = 0; i < f->count; i++)
		if (f->lines[i].contact) {
			f->lines[i].contact->line = i + 1;
			count_contact(f, i);
		}
}

size_t contact_file_remove(struct contact_file *f, const char *fingerprint)
{
	size_t kept = 0, before = f->count;
	for (size_t i = 0; i < before; i++) {
		struct line *l = &f->lines[i];
		if (l->contact && l->contact->fingerprint[0] &&
		    strcmp(l->contact->fingerprint, fingerprint) == 0)
			line_fini(l);
		else
			f->lines[kept++] = *l;
	}
	f->count = kept;
	count_again(f);
	return before - kept;
}

// --- reading -------------------------------------------------------------------------------------

size_t contact_file_count(const struct contact_file *f)
{
	return f->contact_count;
}

const struct contact *contact_file_at(const struct contact_file *f, size_t i)
{
	assert(i < f->contact_count);
	return f->lines[f->contacts[i]].contact;
}

size_t contact_file_error_count(const struct contact_file *f)
{
	return f->error_count;
}

const struct contact_error *contact_file_error_at(const struct contact_file *f, size_t i)
{
	return i < f->error_count && i < CONTACT_ERRORS_MAX ? &f->errors[i] : NULL;
}
