// SPDX-License-Identifier: GPL-3.0-or-later
// Allocation that cannot fail: the engine bounds every queue and buffer, so running out of memory is not something to carry on
// from, and the process ends with a message. Freed with free().
#ifndef SOTTO_BASE_MEM_H
#define SOTTO_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull)); // zeroed
void *mem_alloc_array(size_t count, size_t size) __attribute__((malloc, returns_nonnull)); // zeroed, overflow-checked
void *mem_realloc(void *old, size_t size) __attribute__((returns_nonnull));
void *mem_dup(const void *data, size_t size) __attribute__((malloc, returns_nonnull)); // a NUL follows the copy
char *mem_dup_string(const char *text) __attribute__((malloc, returns_nonnull));
char *mem_format(const char *format, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

#endif
