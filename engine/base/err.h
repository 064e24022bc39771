// SPDX-License-Identifier: GPL-3.0-or-later
// Error codes and the optional error text. Every fallible function of the engine returns enum err.
#ifndef SOTTO_BASE_ERR_H
#define SOTTO_BASE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))

// The names (err_name) are stable: they are the `data.name` of the API's errors.
enum err {
	OK = 0,
	ERR_NOT_FOUND,   // no such peer, discussion, file …
	ERR_AMBIGUOUS,   // a name or prefix that fits several
	ERR_BAD_PARAMS,  // the caller's values are unusable
	ERR_BAD_INPUT,   // bytes from outside do not parse, or break a protocol rule
	ERR_WRONG_STATE, // right call, wrong time
	ERR_REFUSED,     // the other side, or a budget, said no
	ERR_LOCKED,      // needs a key or store that is locked
	ERR_TOO_LARGE,   // over a documented limit
	ERR_BUSY,        // a queue or budget is full; try later
	ERR_TIMEOUT,
	ERR_CANCELED,
	ERR_CRYPTO,      // a signature, seal or hash does not hold
	ERR_IO,          // a system call or SQLite failed
	ERR_UNSUPPORTED,
	ERR_INTERNAL,
	ERR_COUNT
};

// Filled on failure only; the text is one line of UTF-8 that names what was wrong.
struct err_info {
	enum err code;
	char text[256];
};

// Sets *info (may be NULL) and returns code, so that "return err_set(info, ERR_IO, …)" reads well. Text beyond 255 bytes is cut.
enum err err_set(struct err_info *info, enum err code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// As err_set, with ": strerror(number)" appended.
enum err err_set_errno(struct err_info *info, int number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// The stable lower-case name ("not_found"); OK is "ok". Static.
const char *err_name(enum err code);

#endif
