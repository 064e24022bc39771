// SPDX-License-Identifier: GPL-3.0-or-later
// Included before each source by the analysers of `make lint`, which look into one file at a time and into no variadic function:
// that neither of these returns OK.
#include "base/err.h"
#define err_set(info, code, ...) ((void)(info), (code))
#define err_set_errno(info, number, ...) ((void)(info), (void)(number), ERR_IO)
