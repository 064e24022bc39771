// SPDX-License-Identifier: GPL-3.0-or-later
// What the files of support.openpgp share: rigs, homes, and the pendings that operations yield.
#ifndef SOTTO_SPEC_SUPPORT_OPENPGP_RIG_H
#define SOTTO_SPEC_SUPPORT_OPENPGP_RIG_H

#include <lauxlib.h>
#include <lua.h>

#include "openpgp/key.h"
#include "spec/support/openpgp_values.h"

#define OPENPGP_RIG "sotto.spec.openpgp"
#define OPENPGP_HOME "sotto.spec.openpgp.home"
#define OPENPGP_PENDING "sotto.spec.openpgp.pending"
#define OPENPGP_WAIT_S 30.0

struct rig {
	struct loop *loop;
	struct gpg *gpg;
	struct homes *homes;
};
struct rig *check_rig(lua_State *L); // argument 1
bool rig_turn_until(struct rig *rig, const bool *done, double seconds); // false: not in that time
void rig_stop_turning(void);

struct spec_home {
	struct home *home; // NULL once it is gone
};
struct home *check_home(lua_State *L, int index); // one that is not gone
void push_home(lua_State *L, struct home *home);

// An operation under way, a userdata. Lives until both Lua and the callback are through with it.
struct pending;
struct pending *pending_new(lua_State *L, struct rig *rig); // pushed; the rig is argument 1
// For who starts the operation: where its handle goes, and what is told of its end with the pending as the argument.
struct gpg_op **pending_op(struct pending *p);
struct key_job **pending_job(struct pending *p);
void pending_on_gpg(void *arg, enum err code, const struct err_info *info, const struct gpg_result *r);
void pending_on_key(void *arg, enum err code, const struct err_info *info, const struct key_result *r);
void pending_on_home(void *arg, enum err code, const struct err_info *info);
void pending_never_began(struct pending *p); // its start has failed

extern const luaL_Reg openpgp_pending_methods[];
int openpgp_pending_gc(lua_State *L);
extern const luaL_Reg openpgp_operations[]; // of a rig

#endif
