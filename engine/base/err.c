// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[ERR_COUNT] = {
	[OK] = "ok",
	[ERR_NOT_FOUND] = "not_found",
	[ERR_AMBIGUOUS] = "ambiguous",
	[ERR_BAD_PARAMS] = "bad_params",
	[ERR_BAD_INPUT] = "bad_input",
	[ERR_WRONG_STATE] = "wrong_state",
	[ERR_REFUSED] = "refused",
	[ERR_LOCKED] = "locked",
	[ERR_TOO_LARGE] = "too_large",
	[ERR_BUSY] = "busy",
	[ERR_TIMEOUT] = "timeout",
	[ERR_CANCELED] = "canceled",
	[ERR_CRYPTO] = "crypto",
	[ERR_IO] = "io",
	[ERR_UNSUPPORTED] = "unsupported",
	[ERR_INTERNAL] = "internal",
};

const char *err_name(enum err code)
{
	return (unsigned)code < ERR_COUNT ? names[code] : "internal";
}

enum err err_set(struct err_info *info, enum err code, const char *format, ...)
{
	if (info) {
		va_list args;
		va_start(args, format);
		vsnprintf(info->text, sizeof info->text, format, args);
		va_end(args);
		info->code = code;
	}
	return code;
}

enum err err_set_errno(struct err_info *info, int number, const char *format, ...)
{
	enum err code = number == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	if (info) {
		va_list args;
		va_start(args, format);
		int n = vsnprintf(info->text, sizeof info->text, format, args);
		va_end(args);
		if (n >= 0 && (size_t)n < sizeof info->text)
			snprintf(info->text + n, sizeof info->text - (size_t)n, ": %s",
				 strerror(number));
		info->code = code;
	}
	return code;
}
