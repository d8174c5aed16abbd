// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which TCP connections guests have with the outside of a bridge, as their packets tell.
 *
 * Concept: a machine that has gone back and takes another way has connections that nobody outside knows: its peers were
 * in the other future. What they would have to say is a reset, and a reset is believed if its number is the one that
 * the guest expects next, which it has said in its last acknowledgement. So that is remembered, and is state of the
 * machine like all else.
 *
 *      guest --SYN--> a place;  --ACK n--> n is expected;  FIN both ways, or RST either way: it is free
 *
 * What it simplifies: a guest that has not acknowledged yet what has come answers such a reset (RFC 5961), and is reset
 * then by who does not know of the connection.
 */
#ifndef RINGS_NET_CONNECTIONS_H
#define RINGS_NET_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONNECTIONS       512u
#define CONNECTIONS_RESET 60u /* bytes of a packet that resets one */

/* Numbers are as in packets. */
struct connection {
    uint64_t used;   /* when it was last heard of, by the count of `seen`; 0: there is none here */
    uint8_t mac[12]; /* of the guest, and of whom it has it with */
    uint32_t addr[2];
    uint16_t port[2];
    uint32_t expects;
    bool answered, fin, peer_fin;
};

struct connections {
    uint64_t seen;
    struct connection at[CONNECTIONS];
};

/* A packet of a guest's goes out, or one comes in. When all places are taken, who was quiet longest has had his. */
void connections_see(struct connections *c, const uint8_t *packet, size_t len, bool out);
/* What resets the one in place i. False: there is none that expects anything. */
bool connections_reset(const struct connections *c, unsigned int i, uint8_t packet[CONNECTIONS_RESET]);

#endif
