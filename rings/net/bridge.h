// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A bridge: what joins the networks of guests inside dom0, and these to the outside.
 *
 * Concept: a learning switch. A frame that comes in at a port says by its source address who is behind that port, and
 * goes out where its destination was last heard of; where nobody was, or to all (broadcast, multicast), at every other
 * port. Each port has a queue of its own: whoever is behind it takes from it when it can. If it cannot for long, the
 * queue is full, and what comes then is dropped and counted, as by Ethernet. So nobody waits for anybody.
 *
 *      vif of guest 1 --bridge_send()--> [ MAC table ] --> queue of guest 2's port --bridge_take()--> guest 2
 *                                             '----------> queue of the outside's  --bridge_take()--> a host's socket
 *
 * The table has room for BRIDGE_MACS addresses, each for BRIDGE_AGE since it was last heard of. When it is full, the
 * port with the most addresses loses the one that it has not heard of for longest: a guest that makes up addresses
 * drives out its own.
 *
 * A port may have a tap, which sees what goes in and out there.
 *
 * Invariants: a frame never goes out where it came in; two frames from one port to another arrive in order.
 *
 * Corresponds to Linux's net/bridge, which Xen's vif-bridge script puts vifs on. Left out: spanning trees, VLANs.
 */
#ifndef RINGS_NET_BRIDGE_H
#define RINGS_NET_BRIDGE_H

#include "rings/net/frame.h"

#define BRIDGE_QUEUE     256u
#define BRIDGE_MACS      1024u
#define BRIDGE_AGE       SECONDS(300)
#define BRIDGE_NAME_SIZE 16 /* of an interface in Linux, with its 0 */

struct bridge;
struct bridge_port;

/* What a kind of port knows of itself, for who looks; 0: it does not. */
struct bridge_port_more {
    uint64_t rate; /* bytes that may come in, in each interval */
    s_time_t interval;
    int64_t credit;  /* of them, now */
    uint64_t errors; /* frames that made no sense, or could not be given to whom they were for */
    uint64_t cut;    /* that were made of long ones */
};

struct bridge_port_ops {
    const char *kind; /* "vif", "outside" */
    /* There is something in the queue. It is only noted: nothing is sent or taken in it. */
    void (*arrived)(struct bridge_port *p);
    /* Is it to be put into the queue? NULL: everything is. */
    bool (*wants)(const struct bridge_port *p, const struct net_frame *f);
    void (*more)(const struct bridge_port *p, struct bridge_port_more *m); /* NULL: nothing */
};

struct bridge_stats {
    uint64_t in, in_bytes;   /* that came in at this port */
    uint64_t out, out_bytes; /* that went out: were taken from its queue */
    uint64_t flooded;        /* of those that came in: went to all other ports */
    uint64_t dropped;        /* the queue was full */
    uint64_t unwanted;       /* it did not want them */
    uint64_t nowhere;        /* of those that came in: for nobody else, or no frames */
    unsigned int most;       /* the queue has ever had */
};

struct bridge_tap {
    /* The frame is about to go through p, into the bridge or out of it. */
    void (*see)(void *data, const struct bridge_port *p, bool in, const struct net_frame *f);
    void *data;
};

/* The owner's, who fills in ops, data, name, domid and perhaps tap. */
struct bridge_port {
    const struct bridge_port_ops *ops;
    void *data;
    char name[BRIDGE_NAME_SIZE]; /* "vif1.0" */
    domid_t domid;               /* who is behind it; 0: the outside */
    struct bridge_tap tap;       /* see NULL: none */
    /* The bridge's: */
    struct bridge *bridge; /* NULL: it is on none */
    struct bridge_port *next;
    struct net_frame *queue[BRIDGE_QUEUE];
    unsigned int first, nr; /* in the queue */
    unsigned int nr_macs;   /* in the table */
    s_time_t full_since;    /* if nr is BRIDGE_QUEUE */
    struct bridge_stats stats;
};

struct bridge_mac {
    uint8_t addr[NET_MAC_SIZE];
    uint16_t next; /* of the same bucket, or free: its number + 1; 0: none */
    struct bridge_port *port;
    s_time_t heard;
};

struct bridge {
    struct bridge *next;
    char name[BRIDGE_NAME_SIZE];
    struct net_pool *pool;
    struct bridge_port *ports; /* in the order in which they were added */
    unsigned int nr_ports;
    uint16_t bucket[256]; /* as in struct bridge_mac */
    uint16_t free;
    unsigned int nr_macs;
    struct bridge_mac mac[BRIDGE_MACS];
};

/* The bridges of a native domain. */
struct bridges {
    struct bridge *first;
    struct net_pool pool;
};

/* v's domain has them. */
void bridges_init(struct bridges *all, struct vcpu *v);
/* No port is left. */
void bridges_end(struct bridges *all);
/* The one of that name, shorter than BRIDGE_NAME_SIZE; it is made if there is none. NULL: out of memory. */
struct bridge *bridge_get(struct bridges *all, const char *name);

void bridge_port_add(struct bridge *b, struct bridge_port *p);
/* What is in its queue is dropped. Harmless if it is on none. */
void bridge_port_remove(struct bridge_port *p);

/* A frame comes in at p. The reference is taken. How many ports have been given it: work to be charged. */
unsigned int bridge_send(struct bridge_port *p, struct net_frame *f);
/* What goes out next, which stays in the queue; NULL: nothing. */
struct net_frame *bridge_peek(const struct bridge_port *p);
/* It goes out. The reference is the caller's. NULL: nothing. */
struct net_frame *bridge_take(struct bridge_port *p);

/* Behind which port is it? NULL: it was not heard of lately. */
struct bridge_port *bridge_find(const struct bridge *b, const uint8_t mac[NET_MAC_SIZE]);

#endif
