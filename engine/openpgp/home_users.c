// SPDX-License-Identifier: GPL-3.0-or-later
// Who works in a home, and who waits to (home.h).
#include <assert.h>

#include "openpgp/home_internal.h"

void home_enter(struct home *h, struct home_user *u)
{
	assert(!u->home);
	u->home = h;
	u->writing = u->reading = u->starting = u->wanting = false;
	u->next = h->users;
	u->link = &h->users;
	if (h->users)
		h->users->link = &u->next;
	h->users = u;
}

static void set_wanting(struct home_user *u, bool wanting)
{
	if (u->wanting == wanting)
		return;
	u->wanting = wanting;
	u->home->wanted += wanting ? 1 : -1;
}

bool home_claim(struct home_user *u)
{
	struct home *h = u->home;
	bool starts = u->agent && !h->warm && !h->signer[0];
	if (u->agent && h->signer[0] && !h->pauses && !home_reach_agent(h))
		return false;
	bool in_the_way = h->written || (u->exclusive ? h->reading > 0 : h->wanted > 0);
	if (u->exclusive)
		set_wanting(u, in_the_way);
	if (h->pauses || in_the_way || (starts && h->starting))
		return false;
	u->writing = u->exclusive;
	u->reading = !u->exclusive;
	u->starting = starts;
	h->written = h->written || u->writing;
	h->reading += u->reading;
	h->starting = h->starting || u->starting;
	return true;
}

void home_warm(struct home_user *u)
{
	if (u->home && u->starting)
		u->home->warm = true;
}

bool home_has_agent(const struct home *h)
{
	return h->warm && !h->pauses;
}

void home_leave(struct home_user *u)
{
	if (!u->home)
		return;
	if (u->writing)
		u->home->written = false;
	u->home->reading -= u->reading;
	set_wanting(u, false);
	if (u->starting)
		u->home->starting = false;
	*u->link = u->next;
	if (u->next)
		u->next->link = u->link;
	u->home = NULL;
}

void home_pause(struct home *h, struct home_pause *p)
{
	assert(!p->home);
	*p = (struct home_pause){.home = h, .next = h->pauses, .link = &h->pauses};
	if (p->next)
		p->next->link = &p->next;
	h->pauses = p;
	h->warm = false;
}

static void end_pause(struct home_pause *p)
{
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	p->home = NULL;
}

void home_resume(struct home_pause *p)
{
	struct home *h = p->home;
	if (!h)
		return;
	end_pause(p);
	if (h->pauses)
		return;
	for (struct home_user *u = h->users, *next; u; u = next) {
		next = u->next;
		if (u->ready)
			u->ready(u);
	}
}

void home_cancel_users(struct home *h)
{
	while (h->users) {
		struct home_user *u = h->users;
		home_leave(u);
		u->cancel(u);
	}
}

void home_forget_pauses(struct home *h)
{
	while (h->pauses)
		end_pause(h->pauses);
}
