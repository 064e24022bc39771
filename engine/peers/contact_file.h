// SPDX-License-Identifier: GPL-3.0-or-later
// The contact file (P1.4): lines of `host:port [fingerprint] [# note]`. Parsing keeps every line,
// so that a file that is read, changed and written again loses neither comments nor what we did not
// understand. Pure: the shell reads and writes the file.
#ifndef SOTTO_PEERS_CONTACT_FILE_H
#define SOTTO_PEERS_CONTACT_FILE_H

#include "base/buf.h"
#include "peers/table.h"

#define CONTACT_FILE_MAX (1024 * 1024) // bytes
#define CONTACT_LINES_MAX 10000
#define CONTACT_LINE_MAX 1024 // bytes
#define CONTACT_HOST_SIZE 254 // with the NUL
#define CONTACT_ERRORS_MAX 50 // texts kept; all are counted

struct contact {
	char host[CONTACT_HOST_SIZE];            // a name or a numeric address, without brackets
	uint16_t port;                           // 1 to 65535
	char fingerprint[PEER_FINGERPRINT_SIZE]; // "" if not given; upper case
	const char *note; // UTF-8 without controls and outer spaces; "" if none. Borrowed from the file
	size_t line;      // from 1
};

struct contact_error {
	size_t line;    // from 1
	char text[160]; // what is wrong with it
};

struct contact_file;
struct contact_file *contact_file_new(void);
void contact_file_free(struct contact_file *f); // NULL is allowed

// Appends the lines of `text` to f. A line's BOM and CRLF are taken and not kept. Bad lines are collected
// as errors, and the good ones still count. ERR_TOO_LARGE, and nothing taken, over CONTACT_FILE_MAX
// or CONTACT_LINES_MAX.
MUST_CHECK enum err contact_file_parse(struct contact_file *f, struct span text,
				       struct err_info *info);
// Adds a line at the end, or changes fingerprint and note of the line with that host and port (""
// leaves what is there). Values are checked as in a file: ERR_BAD_PARAMS. ERR_TOO_LARGE at
// CONTACT_LINES_MAX, or where old and new do not fit a line.
MUST_CHECK enum err contact_file_put(struct contact_file *f, const struct contact *c,
				     struct err_info *info);
// Removes all lines of that fingerprint; how many.
size_t contact_file_remove(struct contact_file *f, const char *fingerprint);
// The file's text: comments, blank and bad lines as they were (but those that were too long or no
// text), contacts in one form. ERR_TOO_LARGE at out's cap.
MUST_CHECK enum err contact_file_print(const struct contact_file *f, struct buf *out);

// Contacts in order of the file; the same host and port twice counts once, the first. Borrowed
// until the next change.
size_t contact_file_count(const struct contact_file *f);
const struct contact *contact_file_at(const struct contact_file *f, size_t i);

size_t contact_file_error_count(const struct contact_file *f); // all of them
// NULL past CONTACT_ERRORS_MAX.
const struct contact_error *contact_file_error_at(const struct contact_file *f, size_t i);

// "host:port" or "[v6]:port", as in a line and as peers.probe takes it. ERR_BAD_PARAMS says what is
// wrong.
MUST_CHECK enum err contact_parse_address(const char *text, char host[CONTACT_HOST_SIZE],
					  uint16_t *port, struct err_info *info);

#endif
