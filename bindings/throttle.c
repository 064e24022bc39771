// SPDX-License-Identifier: GPL-3.0-or-later
#include "bindings/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

// a turn: so much processor time; a handler that computes no longer is not slowed
#define TURN_MS 20
// whoever takes a turn in less than that computes on and on
#define BUSY_NS ((int64_t)200 * 1000000)
// A tenth of another session's weight. With the least (19) an honest script that computes for a second would get nowhere on a busy
// machine, and be killed for it.
#define BACK "10"

// a turn takes at least so long by the clock; when the last one ended
static int64_t turn_ns, ended_ns;
// the weight of our session, and whether it has stepped back
static int session = -1;
static bool back;

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// The kernel takes one such word in 100 ms, from whomever: where it is not heard, it is said again after the next turn.
static void step(bool to_back)
{
	const char *nice = to_back ? BACK : "0";
	if (session >= 0 && to_back != back && write(session, nice, strlen(nice)) > 0)
		back = to_back;
}

// in a signal's handler: nothing but what is safe there
static void on_turn(int number)
{
	(void)number;
	const int before = errno;
	const int64_t now = now_ns(), until = ended_ns + turn_ns;
	step(now - ended_ns < BUSY_NS);
	if (now < until) {
		const struct timespec end = {.tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000)};
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
			;
	}
	ended_ns = now_ns();
	errno = before;
}

void throttle_open(void)
{
	// whoever is started by hand shares it with others
	if (getsid(0) == getpid())
		session = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
}

enum err throttle_start(unsigned percent, struct err_info *info)
{
	const struct timeval turn = {.tv_usec = TURN_MS * 1000};
	const struct itimerval timer = {.it_interval = turn, .it_value = turn};
	struct sigaction action = {.sa_handler = on_turn, .sa_flags = SA_RESTART};
	turn_ns = (int64_t)TURN_MS * 1000000 * 100 / percent;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGPROF, &action, NULL) != 0 || setitimer(ITIMER_PROF, &timer, NULL) != 0)
		return err_set_errno(info, errno, "cannot watch the processor time");
	return OK;
}
