// SPDX-License-Identifier: GPL-3.0-or-later
// Included before each source by the analysers of `make lint`, which look into one file at a time and into no variadic function:
// that neither of these returns OK, and that both read what they are given and fill *info.
#include "base/err.h"
void err_said(struct err_info *info, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define err_set(info, code, ...) (err_said((info), __VA_ARGS__), (code))
#define err_set_errno(info, number, ...) ((void)(number), err_said((info), __VA_ARGS__), ERR_IO)
