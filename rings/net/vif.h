// SPDX-License-Identifier: GPL-2.0-or-later
/* What the parts of the network back end share: see rings/net/netback.c. */
#ifndef RINGS_NET_VIF_H
#define RINGS_NET_VIF_H

#include "rings/net/netback.h"
#include "rings/ring.h"
#include "vcpu/native/ring.h"

#include <errno.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/netif.h>

#define VIF_QUEUES_MAX   4u
#define VIF_SLOTS_MIN    XEN_NETIF_NR_SLOTS_MIN /* of a packet that is sent */
#define VIF_SLOTS_FATAL  20u                    /* from here on it is an attack */
#define VIF_EXTRAS_MAX   4u
#define VIF_RING_SLOTS   256u
#define VIF_MCAST_MAX    64u
#define VIF_HASH_KEY_MAX 40u
#define VIF_HASH_MAP_MAX 128u

/* A packet that the front end sends, as far as it has come: slots of the ring, the last of which may not be there. */
struct vif_chain {
    unsigned int nr_slots, nr, extras; /* slots; requests, and extras among them */
    bool extra_next;
    struct netif_tx_request req[VIF_SLOTS_FATAL];
    struct netif_extra_info gso, mcast; /* type 0: none */
};

struct vif_page {
    uint8_t *ptr; /* NULL: not mapped */
    grant_handle_t handle;
};

struct vif_queue {
    struct ring tx, rx;
    struct vif_page tx_page, rx_page;
    evtchn_port_t tx_port, rx_port; /* the same, or two; 0: none */
    struct vif_chain chain;
    struct netif_tx_response answer[VIF_RING_SLOTS]; /* that of slot i is at i modulo that */
};

/* So many bytes in each interval: a frame may begin as long as there is credit, and its size is taken from it. */
struct vif_rate {
    uint64_t bytes;
    s_time_t interval; /* 0: there is no limit */
    int64_t credit;
    s_time_t since; /* when credit was last given */
};

/* How frames are spread over queues, if the front end has said so. */
struct vif_hash {
    bool toeplitz;
    uint32_t types; /* XEN_NETIF_CTRL_HASH_TYPE_*; none: as we like */
    uint8_t key[VIF_HASH_KEY_MAX];
    uint32_t map_size; /* 0: no table, the number of queues divides */
    uint32_t map[VIF_HASH_MAP_MAX];
};

struct vif_stats {
    uint64_t tx_errors, tx_dropped; /* packets answered with an error; for which there was no memory */
    uint64_t rx_errors, rx_dropped; /* whose buffers could not be written; that were too large */
    uint64_t cut;                   /* packets that were made of frames which the front end does not take */
};

struct vif {
    struct xenbus_device *dev;
    struct bridge *bridge;
    struct bridge_port port;
    struct vif_rate rate;
    struct vif_stats stats;
    bool mcast_control; /* only groups that are asked for */
    unsigned int nr_mcast;
    uint8_t mcast[VIF_MCAST_MAX][NET_MAC_SIZE];
    /* While connected: */
    struct task task;
    bool broken;                                                   /* the device will be closed */
    bool can_sg, can_gso_v4, can_gso_v6, can_csum_v4, can_csum_v6; /* the front end takes them */
    unsigned int nr_queues;
    struct vif_queue *queue;
    struct ring ctrl;
    struct vif_page ctrl_page;
    evtchn_port_t ctrl_port; /* 0: it has no control ring */
    struct vif_hash hash;
    struct net_frame *cut; /* that goes out as packets */
    unsigned int cut_next;
    struct net_frame *packet; /* the next of them; NULL: it is to be made */
};

static inline struct vcpu *vif_self(const struct vif *f) { return native_vcpu(xenbus_kernel(f->dev->bus)); }

/* The ring cannot be: the device ends. */
static inline void vif_broken(struct vif *f, const char *why)
{
    if (!f->broken)
        xenbus_fail(f->dev, -EPROTO, "%d %s", EPROTO, why);
    f->broken = true;
}

static inline long vif_event_op(const struct vif *f, unsigned int cmd, void *arg)
{
    return hypercall_native(vif_self(f), __HYPERVISOR_event_channel_op, cmd, (uint64_t)(uintptr_t)arg, 0, 0, 0);
}

/* What the front end says by a node of its directory: a number that is not 0. */
static inline bool vif_is_set(const struct vif *f, const char *node)
{
    uint64_t n;

    return xenbus_read_number(f->dev, true, node, 1, UINT32_MAX, &n);
}

/* netback_connect.c: see struct backend_ops. A device that was not connected can be disconnected, too. */
int vif_connect(struct xenbus_device *dev);
void vif_disconnect(struct xenbus_device *dev);

/* netback_task.c: what serves a vif; its data is that. */
extern const struct task_ops vif_task;

/* netback_tx.c: take at most budget packets of the front end's. How many there were. */
unsigned int vif_tx(struct vif *f, struct vif_queue *q, unsigned int budget);

/* vif_rate.c: what the toolstack has said; there is credit. */
void vif_rate_read(struct vif *f);
bool vif_rate_ok(struct vif *f);

/* vif_groups.c: does the front end want to choose? It may say so at any time. */
#define VIF_GROUPS_NODE "request-multicast-control"
void vif_groups_read(struct vif *f);
/* It has sent a packet of that type, one of XEN_NETIF_EXTRA_TYPE_MCAST_*. How it is answered. */
int16_t vif_groups_change(struct vif *f, const struct netif_extra_info *e);
/* Is the frame for it? See struct bridge_port_ops. */
bool vif_wants(const struct bridge_port *p, const struct net_frame *frame);

/* netback_rx.c: give it at most budget of what is waiting for it. How many there were. */
unsigned int vif_rx(struct vif *f, unsigned int budget);
/* Ask to be told when there is room for the next one. False: there is already. */
bool vif_rx_sleep(struct vif *f);

/* vif_next.c: what it gets next; NULL: nothing. It stays that until it is taken, and the reference is the caller's. */
struct net_frame *vif_next(struct vif *f);
struct net_frame *vif_next_take(struct vif *f);
/* What waits, apart from what is in the port's queue, is dropped. */
void vif_next_end(struct vif *f);

/* vif_hash.c: to which queue. */
struct vif_queue *vif_steer(const struct vif *f, const struct net_frame *frame);
/* What the front end is told of it: _XEN_NETIF_CTRL_HASH_TYPE_*, and the hash. False: nothing. */
bool vif_hash(const struct vif *f, const struct net_frame *frame, uint8_t *type, uint32_t *hash);

/* vif_ctrl.c: at most budget requests of the control ring, which there is. How many there were. */
unsigned int vif_ctrl(struct vif *f, unsigned int budget);

/* vif_look.c: rings with that port, see struct task_ops. */
size_t vif_rings(const struct task *t, evtchn_port_t port, struct task_ring *r);
/* Note, and tell, whether the front end can send no more, or can again. */
void vif_fullness(struct vif *f, struct vif_queue *q);
/* Tell of requests that were taken, from those numbers on. */
void vif_trace_taken(const struct vif *f, const struct vif_queue *q, uint32_t tx, uint32_t rx);
/* ring_flush() of one of them, and tell of it. */
bool vif_flush(const struct vif *f, struct ring *r, bool tx);

#endif
