// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/confine.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "bindings/common.h"
#include "bindings/throttle.h"
// after libev, whose EV_NONE would fall over the one of <elf.h>
#include <seccomp.h>

// what C code (lines, JSON trees, the loop) may have beside Lua's memory
#define C_MEMORY (48u << 20)

void *confine_alloc(void *ud, void *block, size_t old_size, size_t new_size)
{
	struct confine_memory *m = ud;
	if (!block)
		old_size = 0; // it tells the kind of what is to be allocated
	if (new_size == 0) {
		free(block);
		m->used -= old_size;
		return NULL;
	}
	if (m->max && new_size > old_size && (m->used > m->max || new_size - old_size > m->max - m->used))
		return NULL;
	void *now = realloc(block, new_size);
	if (now)
		m->used += new_size - old_size;
	return now;
}

// --- the kernel's limits ------------------------------------------------------------------------------------------------------

static enum err limit(int what, const char *name, rlim_t most, struct err_info *info)
{
	const struct rlimit rule = {most, most};
	return setrlimit(what, &rule) == 0 ? OK : err_set_errno(info, errno, "cannot limit %s", name);
}

static enum err limit_resources(size_t memory, rlim_t descriptors, rlim_t file_size, struct err_info *info)
{
	enum err e = limit(RLIMIT_CORE, "core dumps", 0, info);
	if (!e)
		e = limit(RLIMIT_NOFILE, "descriptors", descriptors, info);
	if (!e)
		e = limit(RLIMIT_FSIZE, "the size of files", file_size, info);
#ifdef __SANITIZE_ADDRESS__
	(void)memory;
#else
	if (!e)
		e = limit(RLIMIT_DATA, "memory", memory + C_MEMORY, info);
#endif
	// a write beyond the limit fails with EFBIG instead
	signal(SIGXFSZ, SIG_IGN);
	if (!e && setpriority(PRIO_PROCESS, 0, 19) != 0)
		e = err_set_errno(info, errno, "cannot lower the priority");
	return e;
}

static enum err bind_to_parent(struct err_info *info)
{
	pid_t parent = getppid();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set_errno(info, errno, "cannot give up privileges");
	// it may have died before
	return getppid() == parent ? OK : err_set(info, ERR_CANCELED, "the core has ended");
}

// --- system calls ---------------------------------------------------------------------------------------------------------------

#ifndef __SANITIZE_ADDRESS__
// What a running Lua state with a loop, descriptors that were given to it, and malloc need. Not among them, for a reason: open and
// its kin, socket and connect, clone and execve, kill, ptrace, prctl, ioctl, prlimit64, setitimer.
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(recvmsg), SCMP_SYS(close), SCMP_SYS(lseek),
	SCMP_SYS(fstat), SCMP_SYS(fcntl), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(timerfd_settime),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static int add_rules(scmp_filter_ctx filter)
{
	int code = 0;
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed && code == 0; i++)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	// memory, but none that can be executed
	if (code == 0)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (code == 0)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return code;
}

static enum err filter_calls(struct err_info *info)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return err_set(info, ERR_INTERNAL, "cannot make a filter of system calls");
	int code = add_rules(filter);
	if (code == 0)
		code = seccomp_load(filter);
	seccomp_release(filter);
	return code == 0 ? OK : err_set_errno(info, -code, "cannot filter system calls");
}
#endif

// --- Lua --------------------------------------------------------------------------------------------------------------------------

static lua_Integer field(lua_State *L, const char *name, lua_Integer least)
{
	lua_getfield(L, 1, name);
	lua_Integer value = luaL_checkinteger(L, -1);
	luaL_argcheck(L, value >= least, 1, name);
	lua_pop(L, 1);
	return value;
}

static int enter(lua_State *L)
{
	void *ud;
	struct err_info info;
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_Integer memory = field(L, "memory", 1 << 20), descriptors = field(L, "descriptors", 3), file_size = field(L, "file_size", 0);
	lua_Integer processor = field(L, "processor", THROTTLE_LEAST);
	if (lua_getallocf(L, &ud) != confine_alloc)
		return luaL_error(L, "this state's memory cannot be limited");
	// the time zone is read from a file at the first use
	tzset();
	enum err e = limit_resources((size_t)memory, (rlim_t)descriptors, (rlim_t)file_size, &info);
	if (!e)
		e = bind_to_parent(&info);
	if (!e)
		e = throttle_start((unsigned)processor, &info);
#ifndef __SANITIZE_ADDRESS__
	if (!e)
		e = filter_calls(&info);
#endif
	if (!e)
		((struct confine_memory *)ud)->max = (size_t)memory;
	return binding_result(L, e, &info);
}

int luaopen_sotto_confine(lua_State *L)
{
	static const luaL_Reg functions[] = {{"enter", enter}, {NULL, NULL}};
	luaL_newlib(L, functions);
	return 1;
}
