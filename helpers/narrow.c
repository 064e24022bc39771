// SPDX-License-Identifier: GPL-3.0-or-later
#include "helpers/narrow.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <seccomp.h>

#define MEMORY (256u << 20)

static bool limit(int what, rlim_t most)
{
	const struct rlimit rule = {most, most};
	return setrlimit(what, &rule) == 0;
}

#ifndef __SANITIZE_ADDRESS__
// A resolver and TLS need too much to list it: what they never need is denied.
static const int denied[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(kill),
	SCMP_SYS(tkill), SCMP_SYS(pidfd_send_signal), SCMP_SYS(creat), SCMP_SYS(openat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(link),
	SCMP_SYS(linkat), SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(truncate), SCMP_SYS(chmod),
	SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(lchown), SCMP_SYS(fchownat), SCMP_SYS(setxattr), SCMP_SYS(mount), SCMP_SYS(bpf),
	SCMP_SYS(keyctl), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(listen), SCMP_SYS(setns),
	SCMP_SYS(unshare),
};

static bool filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	const uint32_t deny = SCMP_ACT_ERRNO(1); // EPERM
	int code = filter ? 0 : -1;
	for (size_t i = 0; i < sizeof denied / sizeof *denied && code == 0; i++)
		code = seccomp_rule_add(filter, deny, denied[i], 0);
	// files are read, and never opened for writing
	for (scmp_datum_t mode = O_WRONLY; mode <= O_RDWR && code == 0; mode++) {
		code = seccomp_rule_add(filter, deny, SCMP_SYS(open), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE, mode));
		if (code == 0)
			code = seccomp_rule_add(filter, deny, SCMP_SYS(openat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, mode));
	}
	if (code == 0)
		code = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return code == 0;
}
#else
static bool filter_calls(void)
{
	return true;
}
#endif

bool narrow(unsigned seconds)
{
	bool ok = limit(RLIMIT_CORE, 0) && limit(RLIMIT_CPU, seconds) && limit(RLIMIT_NOFILE, 64) && limit(RLIMIT_FSIZE, 0);
#ifndef __SANITIZE_ADDRESS__
	ok = ok && limit(RLIMIT_DATA, MEMORY);
#endif
	signal(SIGXFSZ, SIG_IGN);
	return ok && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && filter_calls();
}
