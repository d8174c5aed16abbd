// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end, dom0's end of a virtual network card: see rings/net/netback.c.
 */
#ifndef RINGS_NET_NETBACK_H
#define RINGS_NET_NETBACK_H

#include "rings/bus.h"
#include "rings/net/bridge.h"

/* What xenbus_data() of its devices is. */
struct netback {
    struct bridges bridges;
    struct bridge_tap tap; /* that all its ports get */
};

extern const struct backend_ops netback;

#endif
