// SPDX-License-Identifier: GPL-3.0-or-later
// What the home of an adopted key has to do with the user's own agent.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "openpgp/home_internal.h"
#include "openpgp/sockets.h"
#include "openpgp/users.h"

#define REDIRECT_MAX 4096

bool home_is_adopted(const struct home *h)
{
	return h->signer[0] != 0;
}

// --- the way to it --------------------------------------------------------------------------------------------------------

static enum err write_redirect(const char *path, struct err_info *info)
{
	struct buf text;
	buf_init(&text, REDIRECT_MAX);
	enum err e = users_redirect(&text, info);
	int fd = -1;
	if (e == OK) {
		unlink(path); // whatever it was: a new file it is
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, text.data, text.len) != (ssize_t)text.len)
			e = err_set_errno(info, errno, "cannot write %s", path);
	}
	if (fd >= 0)
		close(fd);
	buf_fini(&text);
	return e;
}

enum err home_redirect(struct home *h, bool anew, struct err_info *info)
{
	char *directory = sockets_directory(h->path), *path = path_join(directory, "S.gpg-agent");
	struct stat st;
	enum err e = OK;
	// the runtime directory goes with the user's last session, and with it what stood there
	if (anew || lstat(path, &st) != 0) {
		if (!sockets_in_homes())
			e = directory_make_private(directory, info);
		if (e == OK)
			e = write_redirect(path, info);
	}
	free(directory);
	free(path);
	return e;
}

// --- its start ------------------------------------------------------------------------------------------------------------

struct launch {
	struct homes *homes;
	struct home_pause pause;
	struct command *command;
};

static void on_launched(void *arg, const struct command_result *result)
{
	struct launch *l = arg;
	struct homes *homes = l->homes;
	struct err_info info;
	homes->ending--;
	if (l->pause.home) { // it has not gone
		l->pause.home->launch = NULL;
		if (users_outcome(result, "start your GnuPG's agent", &info))
			log_warn("%s", info.text);
	}
	home_resume(&l->pause);
	free(l);
	homes_free_when_idle(homes);
}

void home_lost_agent(struct home *h)
{
	h->lost = true;
}

// Where it cannot be started the operation begins all the same: gpg says what is wrong.
bool home_reach_agent(struct home *h)
{
	struct err_info info;
	if (!h->lost)
		return true;
	h->lost = false;
	struct launch *l = mem_alloc(sizeof *l);
	*l = (struct launch){.homes = h->homes};
	if (users_launch_start(&l->command, h->homes->loop, on_launched, l, &info)) {
		log_warn("%s", info.text);
		free(l);
		return true;
	}
	h->homes->ending++;
	h->launch = l;
	home_pause(h, &l->pause);
	return false;
}

// --- its person -----------------------------------------------------------------------------------------------------------

void home_set_session(struct home *h, const struct session *session)
{
	session_unref(h->session);
	h->session = session_without_terminal(session);
}

const struct session *home_session(const struct home *h)
{
	return h->session;
}

static void tell(struct home *h, struct news *news)
{
	if (news->told)
		loop_defer(h->homes->loop, &news->turn, news->told, news->arg);
}

void home_on_wanted(struct home *h, void (*wanted)(void *arg), void *arg)
{
	h->wanted_news.told = wanted;
	h->wanted_news.arg = arg;
}

void home_want(struct home *h)
{
	tell(h, &h->wanted_news);
}

void home_on_expired(struct home *h, void (*expired)(void *arg), void *arg)
{
	h->expired_news.told = expired;
	h->expired_news.arg = arg;
}

void home_expire(struct home *h)
{
	tell(h, &h->expired_news);
}

void home_adopted_fini(struct home *h)
{
	deferred_cancel(h->homes->loop, &h->wanted_news.turn);
	deferred_cancel(h->homes->loop, &h->expired_news.turn);
	if (h->launch)
		command_cancel(h->launch->command);
	session_unref(h->session);
}
