// SPDX-License-Identifier: GPL-3.0-or-later
// Keygrips: the names under which gpg-agent keeps secret keys (private-keys-v1.d/GRIP.key). Pure.
#ifndef SOTTO_OPENPGP_KEYGRIP_H
#define SOTTO_OPENPGP_KEYGRIP_H

#include "openpgp/packets.h"

#define KEYGRIP_TEXT 41 // 40 upper-case hex digits and a NUL

struct keygrips {
	char primary[KEYGRIP_TEXT];
	char subkey[KEYGRIP_TEXT];
};

// Of a certificate that passes discussion_certificate_check; fails as that does.
MUST_CHECK enum err discussion_certificate_grips(struct span certificate, struct keygrips *out, struct err_info *info);

#endif
