// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static size_t find(const struct metrics *m, const char *name, const char *label)
{
	size_t i = 0;
	for (; i < m->count; i++) {
		const char *other = m->rows[i].label;
		if (strcmp(m->rows[i].name, name) == 0 && strcmp(other ? other : "", label ? label : "") == 0)
			break;
	}
	return i;
}

void metrics_add(struct metrics *m, const char *name, const char *label, uint64_t amount)
{
	size_t i = find(m, name, label);
	if (i == m->count) {
		if (m->count == METRICS_MAX)
			return;
		m->rows[m->count].name = name;
		m->rows[m->count].label = label;
		m->rows[m->count++].value = 0;
	}
	m->rows[i].value += amount;
}

void metrics_set(struct metrics *m, const char *name, const char *label, uint64_t value)
{
	metrics_add(m, name, label, value - metrics_get(m, name, label));
}

void metrics_count(struct metrics *m, const char *name, const char *label)
{
	metrics_add(m, name, label, 1);
}

uint64_t metrics_get(const struct metrics *m, const char *name, const char *label)
{
	size_t i = find(m, name, label);
	return i < m->count ? m->rows[i].value : 0;
}

static void write_counters(const struct metrics *m, FILE *out)
{
	for (size_t i = 0; i < m->count; i++) {
		// the format wants a family's lines together: print each family at its first row
		size_t first = 0;
		while (strcmp(m->rows[first].name, m->rows[i].name) != 0)
			first++;
		if (first != i)
			continue;
		fprintf(out, "# TYPE sotto_%s_total counter\n", m->rows[i].name);
		for (size_t j = i; j < m->count; j++) {
			if (strcmp(m->rows[j].name, m->rows[i].name) != 0)
				continue;
			if (m->rows[j].label)
				fprintf(out, "sotto_%s_total{reason=\"%s\"} %llu\n", m->rows[j].name, m->rows[j].label,
					(unsigned long long)m->rows[j].value);
			else
				fprintf(out, "sotto_%s_total %llu\n", m->rows[j].name,
					(unsigned long long)m->rows[j].value);
		}
	}
}

static void write_longest(FILE *out, const char *name, double start, double minute)
{
	fprintf(out, "# TYPE sotto_loop_%s_seconds gauge\n", name);
	fprintf(out, "sotto_loop_%s_seconds{since=\"start\"} %.6f\n", name, start);
	fprintf(out, "sotto_loop_%s_seconds{since=\"minute\"} %.6f\n", name, minute);
}

static void write_turns(const struct turns *t, double now, FILE *out)
{
	double longest, computing;
	fprintf(out, "# TYPE sotto_loop_turn_seconds histogram\n");
	for (size_t i = 0; i < TURNS_BOUNDS; i++)
		fprintf(out, "sotto_loop_turn_seconds_bucket{le=\"%g\"} %llu\n", turns_bounds[i],
			(unsigned long long)t->within[i]);
	fprintf(out, "sotto_loop_turn_seconds_bucket{le=\"+Inf\"} %llu\n", (unsigned long long)t->count);
	fprintf(out, "sotto_loop_turn_seconds_sum %.6f\n", t->sum);
	fprintf(out, "sotto_loop_turn_seconds_count %llu\n", (unsigned long long)t->count);
	turns_recent(t, now, &longest, &computing);
	write_longest(out, "longest_turn", t->longest, longest);
	write_longest(out, "longest_turn_computing", t->longest_computing, computing);
}

char *metrics_text(const struct metrics *m, const struct turns *turns, double now)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return mem_dup_string("");
	write_counters(m, out);
	write_turns(turns, now, out);
	fclose(out);
	return text;
}
