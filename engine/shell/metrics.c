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

void metrics_count(struct metrics *m, const char *name, const char *label)
{
	metrics_add(m, name, label, 1);
}

uint64_t metrics_get(const struct metrics *m, const char *name, const char *label)
{
	size_t i = find(m, name, label);
	return i < m->count ? m->rows[i].value : 0;
}

char *metrics_text(const struct metrics *m)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return mem_dup_string("");
	for (size_t i = 0; i < m->count; i++) {
		// the format wants a family's lines together: print each family at its first row
		if (find(m, m->rows[i].name, m->rows[i].label) != i)
			continue;
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
	fclose(out);
	return text;
}
