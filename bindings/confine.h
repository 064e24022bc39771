// SPDX-License-Identifier: GPL-3.0-or-later
// sotto.confine: what a script host gives up before it runs a line of a script. Lua's own limits cannot stop a script that means
// harm, so the limits are the kernel's and the allocator's, and the core kills what is late.
#ifndef SOTTO_BINDINGS_CONFINE_H
#define SOTTO_BINDINGS_CONFINE_H

#include <lauxlib.h>
#include <stddef.h>

// What Lua may have of memory. max 0: no limit yet.
struct confine_memory {
	size_t used, max;
};

// The allocator of a state that confine.enter can limit; ud is the struct confine_memory.
void *confine_alloc(void *ud, void *block, size_t old_size, size_t new_size);

// confine.enter{memory = BYTES, descriptors = COUNT, file_size = BYTES, processor = PERCENT}: from now on, and for good, this
// process
//   - has no more Lua memory than that (beyond it Lua raises "not enough memory"), and its C code hardly more;
//   - opens no file, socket or process: whatever is not on a short list of system calls fails with EPERM (seccomp);
//   - has at most `descriptors` descriptors, and writes no file beyond `file_size`;
//   - runs at nice 19, and gets at most that share of one processor while it computes on and on (throttle.h);
//   - gains no privileges, leaves no core dump, and dies with its parent.
// Returns true; or nil, message, name where the kernel refused one of them: then nothing of a script may run. Under
// AddressSanitizer, which needs more than that, memory outside Lua and system calls are not limited.
int luaopen_sotto_confine(lua_State *L);

#endif
