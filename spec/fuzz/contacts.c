// SPDX-License-Identifier: GPL-3.0-or-later
// peers/contact_file: a file's text, and what is done to it: the first byte says how. What was printed reads and prints as
// the same.
#include "peers/contact_file.h"
#include "spec/fuzz/fuzz.h"

#define OUT_MAX (8 * CONTACT_FILE_MAX)

static struct bytes *print(const struct contact_file *f)
{
	struct buf out;
	buf_init(&out, OUT_MAX);
	CHECK(contact_file_print(f, &out) == OK);
	return buf_take(&out);
}

static void check_contact(const struct contact *c)
{
	char address[CONTACT_HOST_SIZE + 16], host[CONTACT_HOST_SIZE];
	uint16_t port;
	CHECK(c->host[0] && c->port && c->line > 0);
	CHECK(c->fingerprint[0] == 0 || strlen(c->fingerprint) == PEER_FINGERPRINT_SIZE - 1);
	CHECK(!strchr(c->note, '\n') && !strchr(c->note, 27));
	snprintf(address, sizeof address, strchr(c->host, ':') ? "[%s]:%u" : "%s:%u", c->host, (unsigned)c->port);
	CHECK(contact_parse_address(address, host, &port, NULL) == OK);
	CHECK(port == c->port);
}

static void check_file(const struct contact_file *f)
{
	for (size_t i = 0; i < contact_file_count(f); i++)
		check_contact(contact_file_at(f, i));
	for (size_t i = 0; i < contact_file_error_count(f) && i < CONTACT_ERRORS_MAX; i++)
		CHECK(contact_file_error_at(f, i)->text[0]);
	CHECK(contact_file_error_at(f, CONTACT_ERRORS_MAX) == NULL);
}

// Reads what f prints: the same contacts, and the same text once more.
static void check_printed(const struct contact_file *f)
{
	struct contact_file *again = contact_file_new();
	struct bytes *text = print(f);
	if (contact_file_parse(again, bytes_span(text), NULL) == OK) {
		struct bytes *twice = print(again);
		CHECK(span_equal(bytes_span(text), bytes_span(twice)));
		CHECK(contact_file_count(again) == contact_file_count(f));
		bytes_unref(twice);
	}
	bytes_unref(text);
	contact_file_free(again);
}

static void change(struct contact_file *f, unsigned how)
{
	struct contact first;
	char note[CONTACT_LINE_MAX] = "";
	if (contact_file_count(f) == 0)
		return;
	first = *contact_file_at(f, how % contact_file_count(f));
	// its note goes with the next change
	snprintf(note, sizeof note, "%s", first.note);
	first.note = note;
	size_t count = contact_file_count(f);
	if (how & 2) {
		snprintf(first.host, sizeof first.host, "%s", "192.0.2.77");
		CHECK(contact_file_put(f, &first, NULL) == OK || contact_file_count(f) == count);
	} else {
		CHECK(contact_file_put(f, &first, NULL) == OK);
		CHECK(contact_file_count(f) == count);
	}
	if (how & 4 && first.fingerprint[0])
		CHECK(contact_file_remove(f, first.fingerprint) > 0);
}

static void parse_address(struct span s)
{
	char text[512], host[CONTACT_HOST_SIZE];
	uint16_t port;
	if (s.len >= sizeof text)
		return;
	memcpy(text, s.data, s.len);
	text[s.len] = 0;
	if (contact_parse_address(text, host, &port, NULL) == OK)
		CHECK(host[0] && port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	unsigned how = input_byte(&in);
	struct bytes *text = input_rest(&in);
	struct contact_file *f = contact_file_new();
	if (text->len)
		parse_address(bytes_span(text));
	if (contact_file_parse(f, bytes_span(text), NULL) == OK) {
		check_file(f);
		check_printed(f);
		change(f, how);
		if (how & 1) // another file's lines behind them
			(void)!contact_file_parse(f, bytes_span(text), NULL);
		check_file(f);
		check_printed(f);
	}
	contact_file_free(f);
	bytes_unref(text);
	return 0;
}
