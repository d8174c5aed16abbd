// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end: what the front end is sent.
 *
 * Concept: the front end puts buffers into its ring, a page each. A frame needs one for every 4096 bytes, and one each
 * that is spent on saying that it is to be cut up, and what its hash is. As long as they are not there it waits
 * (vif_next.c).
 *
 * An answer is in the slot of its request, so the front end knows the buffer even where no room is left to name it.
 *
 * Source: public io/netif.h. Corresponds to Linux's drivers/net/xen-netback/rx.c.
 */
#include "rings/net/vif.h"

#include "rings/net/offload.h"
#include "vcpu/native/grant.h"

#include <string.h>

#define BATCH_SLOTS 64u
#define FRAME_SLOTS (NET_PAGES_MAX + 2)

/* Answers that are to be given; those with a copy when it has been carried out. */
struct batch {
    struct gnttab_copy op[BATCH_SLOTS];
    struct netif_rx_response rsp[BATCH_SLOTS];
    bool has_op[BATCH_SLOTS];
    struct net_frame *frame[BATCH_SLOTS]; /* whose bytes are needed until then */
    unsigned int nr, nr_ops, nr_frames;
};

static bool is_gso(const struct net_frame *frame) { return frame->offload.gso_type != XEN_NETIF_GSO_TYPE_NONE; }

/* What is said of a frame besides, a slot each: how many. */
static unsigned int extras_of(const struct vif *f, const struct net_frame *frame, struct netif_extra_info e[2])
{
    unsigned int nr = 0;
    uint32_t hash;
    uint8_t type;

    memset(e, 0, 2 * sizeof(e[0]));
    if (is_gso(frame)) {
        e[nr].type = XEN_NETIF_EXTRA_TYPE_GSO;
        e[nr].u.gso.type = frame->offload.gso_type;
        e[nr++].u.gso.size = frame->offload.gso_size;
    }
    if (vif_hash(f, frame, &type, &hash)) {
        if (nr)
            e[0].flags = XEN_NETIF_EXTRA_FLAG_MORE;
        e[nr].type = XEN_NETIF_EXTRA_TYPE_HASH;
        e[nr].u.hash.type = type;
        e[nr].u.hash.algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ;
        memcpy(e[nr++].u.hash.value, &hash, sizeof(hash));
    }
    return nr;
}

static unsigned int slots_of(const struct vif *f, const struct net_frame *frame)
{
    struct netif_extra_info e[2];

    return (frame->len + (unsigned int)PAGE_SIZE - 1) / (unsigned int)PAGE_SIZE + extras_of(f, frame, e);
}

static void batch_give(struct vif *f, struct vif_queue *q, struct batch *b)
{
    const struct gnttab_copy *op = b->op;

    native_grant_copy(vif_self(f), b->op, b->nr_ops);
    for (unsigned int i = 0; i < b->nr; i++) {
        if (b->has_op[i] && op++->status != GNTST_okay) {
            b->rsp[i].status = NETIF_RSP_ERROR;
            f->stats.rx_errors++;
        }
        ring_push(&q->rx, &b->rsp[i], sizeof(b->rsp[i]));
    }
    while (b->nr_frames)
        net_frame_put(b->frame[--b->nr_frames]);
    b->nr = b->nr_ops = 0;
}

/* One buffer. False: the ring cannot be. */
static bool buffer_take(struct vif *f, struct vif_queue *q, struct netif_rx_request *req)
{
    if (ring_pull(&q->rx, req, sizeof(*req)) > 0)
        return true;
    vif_broken(f, "the ring's indices cannot be");
    return false;
}

static void extra_put(struct vif *f, struct vif_queue *q, struct batch *b, const struct netif_extra_info *e)
{
    struct netif_rx_request req;

    if (!buffer_take(f, q, &req))
        return;
    b->has_op[b->nr] = false;
    memcpy(&b->rsp[b->nr++], e, sizeof(b->rsp[0]));
}

/* A frame goes into buffers, of which there are enough; what is said of it besides comes behind the first of them. */
static void frame_put(struct vif *f, struct vif_queue *q, struct batch *b, const struct net_frame *frame)
{
    const struct net_offload *o = &frame->offload;
    struct netif_extra_info e[2];
    const unsigned int nr_extras = extras_of(f, frame, e);
    struct netif_rx_request req;

    for (unsigned int at = 0; at < frame->len && !f->broken; at += PAGE_SIZE) {
        const unsigned int left = frame->len - at, len = left < PAGE_SIZE ? left : (unsigned int)PAGE_SIZE;
        uint16_t flags = left > PAGE_SIZE ? NETRXF_more_data : 0;

        if (!buffer_take(f, q, &req))
            return;
        if (!at)
            flags |= (uint16_t)((o->csum_blank ? NETRXF_csum_blank | NETRXF_data_validated : 0) |
                                (o->csum_valid ? NETRXF_data_validated : 0) | (nr_extras ? NETRXF_extra_info : 0));
        b->rsp[b->nr] = (struct netif_rx_response){ .id = req.id, .flags = flags, .status = (int16_t)len };
        b->has_op[b->nr++] = true;
        b->op[b->nr_ops++] = (struct gnttab_copy){
            .source = { .u.gmfn = native_frame(vif_self(f), frame->page[at / PAGE_SIZE]), .domid = DOMID_SELF },
            .dest = { .u.ref = req.gref, .domid = f->dev->front },
            .len = (uint16_t)len,
            .flags = GNTCOPY_dest_gref,
        };
        for (unsigned int i = 0; !at && i < nr_extras && !f->broken; i++)
            extra_put(f, q, b, &e[i]);
    }
}

/* How many buffers there are. A ring that cannot be breaks the device. */
static uint32_t buffers(struct vif *f, const struct vif_queue *q)
{
    uint32_t n = 0;

    if (ring_waiting(&q->rx, &n))
        return n;
    vif_broken(f, "the ring's indices cannot be");
    return 0;
}

unsigned int vif_rx(struct vif *f, unsigned int budget)
{
    struct vif_queue *q = f->queue, *to;
    struct net_frame *frame;
    struct batch b;
    unsigned int nr = 0;

    b.nr = b.nr_ops = b.nr_frames = 0;
    for (; nr < budget && !f->broken && (frame = vif_next(f)); nr++) {
        to = vif_steer(f, frame);
        if (to != q || b.nr + FRAME_SLOTS > BATCH_SLOTS)
            batch_give(f, q, &b);
        q = to;
        if (buffers(f, q) < slots_of(f, frame) || f->broken)
            break;
        task_charge(&f->task, 1, 0);
        frame_put(f, q, &b, frame);
        b.frame[b.nr_frames++] = vif_next_take(f);
    }
    batch_give(f, q, &b);
    return nr;
}

bool vif_rx_sleep(struct vif *f)
{
    struct net_frame *frame = vif_next(f);

    return !frame || ring_sleep_until(&vif_steer(f, frame)->rx, slots_of(f, frame));
}
