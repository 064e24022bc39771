// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/dialer.h"

static void next_address(void *arg)
{
	struct dialer *d = arg;
	if (d->next == 0)
		d->round(d->arg, &d->addresses);
	if (d->next < d->addresses.count) {
		// a copy: the list may change in the callback
		struct addr to = d->addresses.at[d->next++].endpoint;
		d->dial(d->arg, &to);
		return;
	}
	d->next = 0;
	d->wait_ms = d->wait_ms == 0 ? DIALER_FIRST_MS : d->wait_ms * 2;
	if (d->wait_ms > DIALER_LONGEST_MS)
		d->wait_ms = DIALER_LONGEST_MS;
	// both sides dial: without jitter they would meet in the middle again and again
	int64_t jitter = random_below(d->random, (uint32_t)(d->wait_ms / 2));
	timer_start(d->loop, &d->timer, d->wait_ms * 3 / 4 + jitter, next_address, d);
}

void dialer_start(struct dialer *d)
{
	if (d->on)
		return;
	d->on = true;
	d->wait_ms = 0;
	d->next = 0;
	timer_start(d->loop, &d->timer, 0, next_address, d);
}

void dialer_failed(struct dialer *d)
{
	if (d->on)
		timer_start(d->loop, &d->timer, 0, next_address, d);
}

void dialer_stop(struct dialer *d)
{
	d->on = false;
	timer_cancel(d->loop, &d->timer);
}
