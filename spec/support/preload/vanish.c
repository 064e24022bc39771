// SPDX-License-Identifier: GPL-3.0-or-later
// Loaded into a core by LD_PRELOAD, for specs only: a kill -9 when the core says something certain of the members (§5). SOTTO_VANISH_FILE
// names a file that holds the type of a statement and a moment: "vote before", and the core is gone when the first such statement is
// to leave it, on any link; "vote after", and it is gone once everybody that it has a link with was sent it. Links encrypt what comes
// to them here, so that what it is can still be read.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define FRAME_CHANGE 8
#define HEAD_LEN 64 // of an envelope: its type stands there

static bool leaving; // at the next turn of the loop, when what was sent is with the kernel

static void vanish(void)
{
	kill(getpid(), SIGKILL);
}

// What the file says: two words. Only the core itself reads it, for what it starts inherits the environment.
static bool wanted(char type[32], char moment[32])
{
	char text[64] = "";
	const char *path = getenv("SOTTO_VANISH_FILE");
	int number = errno;
	int fd = path && strcmp(program_invocation_short_name, "sottod") == 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		if (read(fd, text, sizeof text - 1) < 0)
			text[0] = 0;
		close(fd);
	}
	errno = number;
	return sscanf(text, "%31s %31s", type, moment) == 2;
}

static void look(const unsigned char *m, size_t len)
{
	char type[32], moment[32], pattern[64];
	if (len < 1 || m[0] != FRAME_CHANGE || !wanted(type, moment))
		return;
	snprintf(pattern, sizeof pattern, "\"type\":\"%s\"", type);
	if (!memmem(m + 1, len - 1 < HEAD_LEN ? len - 1 : HEAD_LEN, pattern, strlen(pattern)))
		return;
	if (strcmp(moment, "before") == 0)
		vanish();
	leaving = true;
}

int crypto_secretstream_xchacha20poly1305_push(crypto_secretstream_xchacha20poly1305_state *state, unsigned char *c,
					       unsigned long long *clen, const unsigned char *m, unsigned long long mlen,
					       const unsigned char *ad, unsigned long long adlen, unsigned char tag)
{
	static int (*real)(crypto_secretstream_xchacha20poly1305_state *, unsigned char *, unsigned long long *,
			   const unsigned char *, unsigned long long, const unsigned char *, unsigned long long, unsigned char);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "crypto_secretstream_xchacha20poly1305_push");
	look(m, mlen);
	return real(state, c, clen, m, mlen, ad, adlen, tag);
}

int epoll_wait(int fd, struct epoll_event *events, int max, int ms)
{
	static int (*real)(int, struct epoll_event *, int, int);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "epoll_wait");
	if (leaving)
		vanish();
	return real(fd, events, max, ms);
}
