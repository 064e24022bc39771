// SPDX-License-Identifier: GPL-3.0-or-later
#include "peers/lan_place.h"

#include <string.h>

// ff12::/16 are groups of the link that nobody has assigned for good; the rest spells the name
static const uint8_t standard_group[16] = {
	0xff, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 's', 'o', 't', 't', 'o',
};

// --- where ---------------------------------------------------------------------------------------

static enum err take_place(const struct addr *at, struct lan_place *out)
{
	enum addr_class class = addr_class_of(at);
	bool everywhere = class == ADDR_UNSPECIFIED;
	out->port = at->port;
	out->v4 = everywhere || addr_is_v4(at);
	out->v6 = !addr_is_v4(at);
	memcpy(out->group.ip, standard_group, sizeof standard_group);
	if (everywhere)
		return OK;
	if (addr_is_v4(at)) {
		if (class == ADDR_MULTICAST && at->ip[12] != 255)
			return ERR_BAD_PARAMS;
		if (class == ADDR_MULTICAST) // 255.255.255.255
			return OK;
		out->only = *at;
		out->only.port = 0;
		return OK;
	}
	if (class != ADDR_MULTICAST || (at->ip[1] & 0x0f) != 2)
		return ERR_BAD_PARAMS;
	out->only.scope = at->scope;
	memcpy(out->group.ip, at->ip, sizeof out->group.ip);
	return OK;
}

enum err lan_place_parse(const char *text, struct lan_place *out, struct err_info *info)
{
	struct lan_place place = {0};
	struct addr at = {.port = LAN_PORT};
	if (text && strcmp(text, "off") == 0) {
		*out = (struct lan_place){.off = true};
		return OK;
	}
	enum err code = text ? addr_parse(&at, text, info) : OK;
	if (code)
		return code;
	if (at.port == 0)
		return err_set(info, ERR_BAD_PARAMS, "discover: %s: the port is missing", text);
	if (take_place(&at, &place))
		return err_set(info, ERR_BAD_PARAMS,
			       "discover: %s is neither a broadcast address nor a link-local "
			       "multicast group of IPv6",
			       text);
	*out = place;
	return OK;
}

// --- which paths ---------------------------------------------------------------------------------

bool lan_path_equal(const struct lan_path *a, const struct lan_path *b)
{
	return a->interface == b->interface && addr_equal(&a->group, &b->group) &&
	       addr_same_host(&a->own, &b->own);
}

// Whether others there can reach the core at this address of the interface.
static bool is_reached(const struct addr *listen, const struct interface *i)
{
	if (addr_class_of(listen) == ADDR_UNSPECIFIED)
		return !addr_is_v4(listen) || addr_is_v4(&i->address); // [::] is both families
	return addr_same_host(listen, &i->address);
}

static bool make_path_v4(const struct lan_place *place, const struct interface *i,
			 struct lan_path *out)
{
	const struct addr *only = &place->only;
	bool wanted = addr_class_of(only) == ADDR_UNSPECIFIED || // zeros: every interface
		      addr_same_host(only, &i->broadcast) || addr_same_host(only, &i->address);
	if (!place->v4 || !wanted || addr_class_of(&i->broadcast) == ADDR_UNSPECIFIED)
		return false;
	out->own = i->address;
	out->group = i->broadcast;
	return true;
}

static bool make_path_v6(const struct lan_place *place, const struct addr *listen,
			 const struct interface *i, struct lan_path *out)
{
	uint32_t scope = place->only.scope;
	if (!place->v6 || !i->multicast || (scope && scope != i->index))
		return false;
	// with [::] the kernel knows best: the link-local address, once it is no longer tentative
	if (addr_class_of(listen) != ADDR_UNSPECIFIED)
		out->own = i->address;
	out->group = place->group;
	return true;
}

static bool make_path(const struct lan_place *place, const struct addr *listen,
		      const struct interface *i, struct lan_path *out)
{
	bool v4 = addr_is_v4(&i->address);
	*out = (struct lan_path){.interface = i->index};
	memcpy(out->name, i->name, sizeof out->name);
	if (!is_reached(listen, i))
		return false;
	if (!(v4 ? make_path_v4(place, i, out) : make_path_v6(place, listen, i, out)))
		return false;
	out->group.port = place->port;
	return true;
}

// An interface has many IPv6 addresses and one group; two addresses may be of one IPv4 network.
static bool is_listed(const struct lan_path *list, size_t count, const struct lan_path *p)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].interface == p->interface && addr_equal(&list[i].group, &p->group))
			return true;
	return false;
}

size_t lan_paths(const struct lan_place *place, const struct addr *listen,
		 const struct interface *list, size_t count, struct lan_path out[LAN_PATHS_MAX],
		 size_t *left_out)
{
	size_t found = 0;
	*left_out = 0;
	for (size_t i = 0; i < count; i++) {
		struct lan_path p;
		if (!make_path(place, listen, &list[i], &p) || is_listed(out, found, &p))
			continue;
		if (found < LAN_PATHS_MAX)
			out[found++] = p;
		else
			(*left_out)++;
	}
	return found;
}
