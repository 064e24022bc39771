// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/gnupg.h"

#include <gpgme.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define AGENT "gpg-agent"
#define NO_VERSION "1.0.0" // what gpgme says of a program that tells none
#define TO_INSTALL "install the packages gnupg and gpg-agent"

static bool runs(const char *path)
{
	return path && access(path, X_OK) == 0;
}

// Without gpgconf nobody says where the agent is: it is looked for where gpg itself would.
static const char *agent_beside(const char *gpg)
{
	static char *found;
	char *real = gpg ? realpath(gpg, NULL) : NULL;
	char *slash = real ? strrchr(real, '/') : NULL;
	if (slash && !found) {
		*slash = 0;
		found = path_join(real, AGENT);
	}
	free(real);
	return found;
}

void gnupg_look(struct gnupg *out)
{
	gpgme_engine_info_t list = NULL;
	*out = (struct gnupg){0};
	gpgme_check_version(NULL);
	if (gpgme_get_engine_info(&list))
		return;
	for (; list; list = list->next) {
		if (list->protocol != GPGME_PROTOCOL_OpenPGP)
			continue;
		out->gpg = list->file_name;
		if (list->version && strcmp(list->version, NO_VERSION) != 0)
			out->version = list->version;
	}
	const char *agent = gpgme_get_dirinfo("agent-name");
	if (!agent)
		agent = agent_beside(out->gpg);
	out->agent = runs(agent) ? agent : NULL;
}

// The number that a version goes on with, and what stands behind its dot. 0 where there is none.
static unsigned long next_number(const char **version)
{
	char *end;
	unsigned long number = strtoul(*version, &end, 10);
	*version = *end == '.' ? end + 1 : "";
	return number;
}

static bool is_older(const char *version, const char *than)
{
	for (int i = 0; i < 3; i++) {
		unsigned long a = next_number(&version), b = next_number(&than);
		if (a != b)
			return a < b;
	}
	return false;
}

enum err gnupg_check(const struct gnupg *g, struct err_info *info)
{
	if (!g->gpg)
		return err_set(info, ERR_UNSUPPORTED, "GnuPG is missing: " TO_INSTALL);
	if (!g->version)
		return err_set(info, ERR_UNSUPPORTED, "GnuPG (%s) cannot be run: " TO_INSTALL, g->gpg);
	if (is_older(g->version, GNUPG_LEAST))
		return err_set(info, ERR_UNSUPPORTED, "GnuPG %s (%s) is too old: " GNUPG_LEAST " or newer is needed",
			       g->version, g->gpg);
	if (!g->agent)
		return err_set(info, ERR_UNSUPPORTED, "gpg-agent is missing: install the package gpg-agent");
	return OK;
}
