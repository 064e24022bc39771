// SPDX-License-Identifier: GPL-3.0-or-later
// The process's log: lines of UTF-8 with a time, to standard error or a file. Nothing about a user's message or password is logged.
#ifndef SOTTO_BASE_LOG_H
#define SOTTO_BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

// Until called, warnings and errors go to standard error. path NULL: standard error. The file is made 0600, and at 8 MiB it is
// renamed to path.1 and begun anew.
MUST_CHECK enum err log_open(const char *path, enum log_level level, struct err_info *info);
void log_close(void);
void log_set_level(enum log_level level);
// Control bytes in the text are written as \xNN: a peer's string cannot forge a line.
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif
