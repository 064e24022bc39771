// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *p)
{
	if (!p) {
		fputs("sotto: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *mem_alloc(size_t size)
{
	return check(calloc(1, size ? size : 1));
}

void *mem_alloc_array(size_t count, size_t size)
{
	return check(calloc(count ? count : 1, size ? size : 1));
}

void *mem_realloc(void *old, size_t size)
{
	return check(realloc(old, size ? size : 1));
}

void *mem_dup(const void *data, size_t size)
{
	char *copy = check(malloc(size + 1));
	if (size)
		memcpy(copy, data, size);
	copy[size] = 0;
	return copy;
}

char *mem_dup_string(const char *text)
{
	return mem_dup(text, strlen(text));
}

char *mem_format(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	return check(n < 0 ? NULL : text);
}
