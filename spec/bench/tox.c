// SPDX-License-Identifier: GPL-3.0-or-later
// Two Tox clients (c-toxcore) on the loopback, to be measured beside two cores of sotto: `make bench` builds and runs it.
//
// Prints "pids A B", then reads commands, a line each, and answers each with lines of numbers and then "done":
//   open                     both clients anew, who know each other's key and address → ms until each sees the other
//   poll MS                  how long a client sleeps between two iterations; 0: as toxcore itself asks for
//   message N BYTES PAUSE    N messages from one to the other, PAUSE ms between → ms of each, from the call to the callback
//   echo N BYTES PAUSE       there and back → ms of each
//   throughput N BYTES       N messages one way, as fast as they are taken → ms until all receipts are there
// Where the system lets it, all of this is in a network namespace with nothing but a loopback.
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <tox/tox.h>
#include <unistd.h>

#define OPEN_PATIENCE_MS 60000.
#define PATIENCE_MS 30000.
#define FIRST_PORT 34450 // of a namespace that nobody else is in, as a rule

enum side { ALICE, BOB };

// What both processes see. Times are of one clock.
struct shared {
	atomic_int generation, ready[2], connected[2]; // a number of "open"
	atomic_int poll_ms, echo;
	atomic_int received; // messages that bob has had
	_Atomic double received_at;
	uint8_t key[2][TOX_PUBLIC_KEY_SIZE], node[2][TOX_PUBLIC_KEY_SIZE];
	uint16_t port[2];
};

struct client {
	enum side side;
	struct shared *shared;
	Tox *tox;
	int generation;
	bool introduced;
	int answered, receipts; // echoes and receipts that alice has had
};

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static void fail(const char *what)
{
	fprintf(stderr, "tox: %s\n", what);
	exit(1);
}

// --- a client ---------------------------------------------------------------------------------------------------------------

static void on_connection(Tox *tox, uint32_t friend, TOX_CONNECTION status, void *arg)
{
	struct client *c = arg;
	(void)tox;
	(void)friend;
	atomic_store(&c->shared->connected[c->side], status == TOX_CONNECTION_NONE ? 0 : c->generation);
}

static void on_message(Tox *tox, uint32_t friend, TOX_MESSAGE_TYPE type, const uint8_t *text, size_t len, void *arg)
{
	struct client *c = arg;
	if (c->side == ALICE) {
		c->answered++;
		return;
	}
	atomic_store(&c->shared->received_at, now_ms());
	atomic_fetch_add(&c->shared->received, 1);
	if (atomic_load(&c->shared->echo))
		tox_friend_send_message(tox, friend, type, text, len, NULL);
}

static void on_receipt(Tox *tox, uint32_t friend, uint32_t id, void *arg)
{
	struct client *c = arg;
	(void)tox;
	(void)friend;
	(void)id;
	c->receipts++;
}

static Tox *tox_make(void)
{
	struct Tox_Options *options = tox_options_new(NULL);
	if (!options)
		fail("no memory");
	tox_options_set_ipv6_enabled(options, false);
	tox_options_set_local_discovery_enabled(options, false);
	tox_options_set_hole_punching_enabled(options, false);
	tox_options_set_start_port(options, FIRST_PORT);
	tox_options_set_end_port(options, FIRST_PORT + 100);
	Tox *tox = tox_new(options, NULL);
	tox_options_free(options);
	if (!tox)
		fail("toxcore does not start");
	tox_callback_friend_connection_status(tox, on_connection);
	tox_callback_friend_message(tox, on_message);
	tox_callback_friend_read_receipt(tox, on_receipt);
	return tox;
}

static void renew(struct client *c)
{
	struct shared *s = c->shared;
	if (c->tox)
		tox_kill(c->tox);
	c->tox = tox_make();
	c->generation = atomic_load(&s->generation);
	c->introduced = false;
	atomic_store(&s->connected[c->side], 0);
	tox_self_get_public_key(c->tox, s->key[c->side]);
	tox_self_get_dht_id(c->tox, s->node[c->side]);
	s->port[c->side] = tox_self_get_udp_port(c->tox, NULL);
	atomic_store(&s->ready[c->side], c->generation);
}

// Each is the other's first node and friend.
static void introduce(struct client *c)
{
	struct shared *s = c->shared;
	enum side other = c->side == ALICE ? BOB : ALICE;
	if (atomic_load(&s->ready[other]) != c->generation)
		return;
	c->introduced = true;
	if (tox_friend_add_norequest(c->tox, s->key[other], NULL) == UINT32_MAX ||
	    !tox_bootstrap(c->tox, "127.0.0.1", s->port[other], s->node[other], NULL))
		fail("the clients cannot be introduced");
}

// Sleeps, as a client does, then lets toxcore work. `input`: a descriptor that ends the sleep, or -1.
static void turn(struct client *c, int input)
{
	struct shared *s = c->shared;
	struct pollfd p = {.fd = input, .events = POLLIN};
	int ms = atomic_load(&s->poll_ms);
	if (c->tox && ms == 0)
		ms = (int)tox_iteration_interval(c->tox);
	(void)!poll(&p, 1, ms ? ms : 1);
	if (atomic_load(&s->generation) != c->generation)
		renew(c);
	if (c->tox && !c->introduced)
		introduce(c);
	if (c->tox)
		tox_iterate(c->tox, c);
}

// --- commands (alice's side) -------------------------------------------------------------------------------------------------

static void open_again(struct client *c)
{
	struct shared *s = c->shared;
	int wanted = atomic_fetch_add(&s->generation, 1) + 1;
	while (atomic_load(&s->ready[ALICE]) != wanted || atomic_load(&s->ready[BOB]) != wanted)
		turn(c, -1);
	double begin = now_ms();
	while (atomic_load(&s->connected[ALICE]) != wanted || atomic_load(&s->connected[BOB]) != wanted) {
		turn(c, -1);
		if (now_ms() - begin > OPEN_PATIENCE_MS)
			fail("the clients do not find each other");
	}
	printf("%.3f\n", now_ms() - begin);
}

static bool send_text(struct client *c, size_t bytes)
{
	static uint8_t text[TOX_MAX_MESSAGE_LENGTH];
	TOX_ERR_FRIEND_SEND_MESSAGE e;
	memset(text, 'x', sizeof text);
	tox_friend_send_message(c->tox, 0, TOX_MESSAGE_TYPE_NORMAL, text, bytes, &e);
	if (e != TOX_ERR_FRIEND_SEND_MESSAGE_OK && e != TOX_ERR_FRIEND_SEND_MESSAGE_SENDQ)
		fail("a message cannot be sent");
	return e == TOX_ERR_FRIEND_SEND_MESSAGE_OK;
}

static void pause_for(struct client *c, double ms)
{
	for (double end = now_ms() + ms; now_ms() < end;)
		turn(c, -1);
}

static void one_message(struct client *c, size_t bytes, bool echo)
{
	struct shared *s = c->shared;
	int before = atomic_load(&s->received), answered = c->answered;
	double begin = now_ms();
	atomic_store(&s->echo, echo);
	while (!send_text(c, bytes))
		turn(c, -1);
	while (echo ? c->answered == answered : atomic_load(&s->received) == before) {
		turn(c, -1);
		if (now_ms() - begin > PATIENCE_MS)
			fail("a message does not arrive");
	}
	printf("%.3f\n", (echo ? now_ms() : atomic_load(&s->received_at)) - begin);
}

static void throughput(struct client *c, int count, size_t bytes)
{
	double begin = now_ms();
	int sent = 0, before = c->receipts;
	atomic_store(&c->shared->echo, false);
	while (c->receipts - before < count) {
		while (sent < count && send_text(c, bytes))
			sent++;
		turn(c, -1);
		if (now_ms() - begin > PATIENCE_MS)
			fail("receipts do not arrive");
	}
	printf("%.3f\n", now_ms() - begin);
}

static void obey(struct client *c, const char *line)
{
	int count = 0, bytes = 0, pause = 0;
	char name[16] = "";
	sscanf(line, "%15s %d %d %d", name, &count, &bytes, &pause);
	bool echo = strcmp(name, "echo") == 0;
	if (strcmp(name, "open") == 0) {
		open_again(c);
	} else if (strcmp(name, "poll") == 0) {
		atomic_store(&c->shared->poll_ms, count);
	} else if (strcmp(name, "throughput") == 0 && bytes > 0 && bytes <= TOX_MAX_MESSAGE_LENGTH) {
		throughput(c, count, (size_t)bytes);
	} else if ((echo || strcmp(name, "message") == 0) && bytes > 0 && bytes <= TOX_MAX_MESSAGE_LENGTH) {
		for (int i = 0; i < count; i++) {
			pause_for(c, pause);
			one_message(c, (size_t)bytes, echo);
		}
	} else {
		fail("no such command");
	}
	puts("done");
	fflush(stdout);
}

static void run_alice(struct client *c)
{
	char line[128];
	size_t len = 0;
	for (;;) {
		struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
		turn(c, STDIN_FILENO);
		if (poll(&p, 1, 0) <= 0)
			continue;
		if (len == sizeof line - 1 || read(STDIN_FILENO, line + len, 1) != 1)
			return;
		if (line[len++] != '\n')
			continue;
		line[len] = 0;
		len = 0;
		obey(c, line);
	}
}

// --- two processes -------------------------------------------------------------------------------------------------------------

static void stay_on_loopback(void)
{
	struct ifreq lo = {.ifr_name = "lo"};
	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return; // only the loopback is spoken to all the same: nothing else is known
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &lo) != 0)
		fail("no loopback");
	lo.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &lo) != 0)
		fail("no loopback");
	close(fd);
}

int main(void)
{
	stay_on_loopback();
	struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		fail("no memory");
	pid_t alice = getpid(), bob = fork();
	if (bob < 0)
		fail("no second process");
	struct client c = {.side = bob ? ALICE : BOB, .shared = s};
	if (bob == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == alice)
			turn(&c, -1);
		return 0;
	}
	printf("pids %d %d\n", (int)alice, (int)bob);
	fflush(stdout);
	run_alice(&c);
	if (c.tox)
		tox_kill(c.tox);
	kill(bob, SIGTERM);
	return 0;
}
