// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/sockets.h"

#include <gcrypt.h>
#include <gpgme.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "openpgp/packet_reader.h"

#define HASHED 15 // bytes of the SHA-1 that GnuPG takes
#define NAME_LEN (2 + HASHED * 8 / 5) // "d." and five bits a letter

const char *sockets_users_home(void)
{
	return gpgme_get_dirinfo("homedir");
}

const char *sockets_users_agent(void)
{
	return gpgme_get_dirinfo("agent-socket");
}

bool sockets_in_homes(void)
{
	const char *home = sockets_users_home(), *sockets = gpgme_get_dirinfo("socketdir");
	return !home || !sockets || strcmp(home, sockets) == 0;
}

// z-base-32, as GnuPG writes it
static void encode(const uint8_t bytes[HASHED], char *out)
{
	static const char letters[] = "ybndrfg8ejkmcpqxot1uwisza345h769";
	unsigned held = 0, bits = 0;
	for (size_t i = 0; i < HASHED; i++) {
		held = held << 8 | bytes[i];
		for (bits += 8; bits >= 5; bits -= 5)
			*out++ = letters[held >> (bits - 5) & 31];
	}
	*out = 0;
}

// The length of the common part: a user's GNUPGHOME has a directory of its own below it as well.
static size_t base_length(const char *sockets)
{
	const char *last = strrchr(sockets, '/');
	bool own = last && strncmp(last + 1, "d.", 2) == 0 && strlen(last + 1) == NAME_LEN;
	return own ? (size_t)(last - sockets) : strlen(sockets);
}

char *sockets_directory(const char *home)
{
	uint8_t hash[20];
	char name[NAME_LEN];
	if (sockets_in_homes())
		return mem_dup_string(home);
	const char *sockets = gpgme_get_dirinfo("socketdir");
	gcrypt_ready();
	gcry_md_hash_buffer(GCRY_MD_SHA1, hash, home, strlen(home));
	encode(hash, name);
	return mem_format("%.*s/d.%s", (int)base_length(sockets), sockets, name);
}

void sockets_remove(const char *home)
{
	struct err_info info;
	if (sockets_in_homes())
		return;
	char *directory = sockets_directory(home);
	if (tree_remove(directory, &info))
		log_warn("%s", info.text);
	free(directory);
}
