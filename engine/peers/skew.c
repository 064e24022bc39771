// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/skew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void move_to_front(struct skew *s, size_t i)
{
	struct skew_row row = s->rows[i];
	memmove(&s->rows[1], &s->rows[0], i * sizeof *s->rows);
	s->rows[0] = row;
}

// The row of that peer, or one for it; at the front.
static struct skew_row *take_row(struct skew *s, const char *fingerprint)
{
	size_t i = 0;
	while (i < s->count && strcmp(s->rows[i].fingerprint, fingerprint) != 0)
		i++;
	if (i == SKEW_PEERS_MAX)
		i--; // the longest unheard makes room
	else if (i == s->count)
		s->count++;
	move_to_front(s, i);
	snprintf(s->rows[0].fingerprint, sizeof s->rows[0].fingerprint, "%s", fingerprint);
	return &s->rows[0];
}

void skew_note(struct skew *s, const char *fingerprint, int64_t issued_ms, int64_t expires_ms, int64_t wall_ms, int64_t at_ms)
{
	struct skew_row *row = take_row(s, fingerprint);
	int64_t life = expires_ms > issued_ms ? expires_ms - issued_ms : 0;
	row->most = wall_ms - issued_ms;
	row->least = row->most - life / 2;
	row->wall_ms = wall_ms;
	row->at_ms = at_ms;
}

static int falling(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? 1 : x > y ? -1 : 0;
}

// What more than half of them say at least; of two, both.
static int64_t by_most(int64_t *values, size_t count)
{
	qsort(values, count, sizeof *values, falling);
	int64_t value = values[count / 2];
	return value > 0 ? value : 0;
}

struct skew_verdict skew_judge(const struct skew *s, int64_t wall_ms, int64_t at_ms)
{
	int64_t ahead[SKEW_PEERS_MAX], behind[SKEW_PEERS_MAX];
	struct skew_verdict v = {.peers = s->count};
	for (size_t i = 0; i < s->count; i++) {
		const struct skew_row *row = &s->rows[i];
		int64_t set = (wall_ms - at_ms) - (row->wall_ms - row->at_ms);
		ahead[i] = row->least + set;
		behind[i] = -(row->most + set);
	}
	if (s->count) {
		v.ahead_ms = by_most(ahead, s->count);
		v.behind_ms = by_most(behind, s->count);
	}
	return v;
}
