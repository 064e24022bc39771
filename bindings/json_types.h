// SPDX-License-Identifier: GPL-3.0-or-later
// What json.c and json_write.c share: the marks of values that are not plain Lua.
#ifndef SOTTO_BINDINGS_JSON_TYPES_H
#define SOTTO_BINDINGS_JSON_TYPES_H

#define JSON_RAW_TYPE "sotto.json.raw"
#define JSON_NULL_TYPE "sotto.json.null"
#define JSON_ARRAY_TYPE "sotto.json.array"
#define JSON_TREE_TYPE "sotto.json.tree"
#define JSON_BUF_TYPE "sotto.json.buf"

// addresses of these are the registry's keys of json.null and of the arrays' metatable
extern const char json_null_key, json_array_key;

#endif
