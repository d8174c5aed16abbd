// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end: what the front end sends.
 *
 * Concept: a packet is a chain of slots, the first of which has its size; the last one may not be there yet, and is
 * waited for. A chain that is whole becomes a frame, whose bytes are copied by grants: those of all packets of a step
 * at once. Then the frames go to the bridge, and the slots are answered.
 *
 *      slot: | ref, offset, flags, id, size of all | extra: GSO | ref, offset, flags, id, size | ...
 *                             |                                      '-- "more data" until the last
 *                             '-- "extra info", "more data"
 *
 * What makes no sense is answered with an error; what no driver can mean ends the device: a chain of more slots than
 * any Linux sends, pieces that are larger than the whole, extras of a kind that there is none.
 *
 * Source: public io/netif.h. Corresponds to xenvif_tx_action() of Linux's drivers/net/xen-netback/netback.c.
 */
#include "rings/net/vif.h"

#include "rings/net/offload.h"
#include "vcpu/native/grant.h"

#include <string.h>

#define BATCH_FRAMES NATIVE_STEP_BUDGET
#define BATCH_OPS    64u
#define FRAME_OPS    (VIF_SLOTS_MIN + NET_PAGES_MAX) /* a piece may end up on two pages */

struct batch_frame {
    struct net_frame *frame;
    uint32_t slot; /* its first, of so many */
    unsigned int slots;
    unsigned int first, nr; /* copies */
};

/* Copies that are to be carried out, and the frames that they are for. */
struct batch {
    struct gnttab_copy op[BATCH_OPS];
    struct batch_frame frame[BATCH_FRAMES];
    unsigned int nr_ops, nr_frames;
};

_Static_assert(FRAME_OPS <= BATCH_OPS, "a frame fits");

/* --- a chain --- */

static void extra_add(struct vif *f, struct vif_chain *c, const struct netif_extra_info *e)
{
    if (e->type == XEN_NETIF_EXTRA_TYPE_NONE || e->type >= XEN_NETIF_EXTRA_TYPE_MAX || ++c->extras > VIF_EXTRAS_MAX) {
        vif_broken(f, "no such extra information");
        return;
    }
    c->extra_next = e->flags & XEN_NETIF_EXTRA_FLAG_MORE;
    if (e->type == XEN_NETIF_EXTRA_TYPE_GSO)
        c->gso = *e;
    else if (e->type != XEN_NETIF_EXTRA_TYPE_HASH)
        c->mcast = *e;
}

/*
 * A further slot, which was taken last: a request, or extra information if what came before said so. Its answer is that
 * all is well, until something is found. True: the chain is whole, or the device is broken.
 */
static bool chain_add(struct vif *f, struct vif_queue *q, const void *slot)
{
    struct vif_chain *c = &q->chain;
    const uint32_t index = q->tx.req_cons - 1;

    if (!c->nr_slots++)
        *c = (struct vif_chain){ .nr_slots = 1 };
    if (c->extra_next) {
        struct netif_extra_info e;

        memcpy(&e, slot, sizeof(e));
        q->answer[index % VIF_RING_SLOTS] = (struct netif_tx_response){ .status = NETIF_RSP_NULL };
        extra_add(f, c, &e);
    } else {
        struct netif_tx_request *r = &c->req[c->nr++];

        memcpy(r, slot, sizeof(*r));
        q->answer[index % VIF_RING_SLOTS] = (struct netif_tx_response){ .id = r->id };
        c->extra_next = c->nr == 1 && (r->flags & NETTXF_extra_info);
        if (c->nr == VIF_SLOTS_FATAL && (r->flags & NETTXF_more_data))
            vif_broken(f, "a packet of more slots than there can be");
    }
    return f->broken || (!c->extra_next && !(c->req[c->nr - 1].flags & NETTXF_more_data));
}

/* All slots of it that are requests are answered so. The first is `slot`. */
static void chain_answer(struct vif_queue *q, uint32_t slot, unsigned int nr, int16_t status)
{
    for (; nr; nr--, slot++)
        if (q->answer[slot % VIF_RING_SLOTS].status != NETIF_RSP_NULL)
            q->answer[slot % VIF_RING_SLOTS].status = status;
}

/*
 * The first one's size is that of all, *total; it becomes its own. False: it makes no sense, or the device is broken.
 */
static bool chain_sizes(struct vif *f, struct vif_chain *c, unsigned int *total)
{
    unsigned int rest = 0;
    bool good = c->nr <= VIF_SLOTS_MIN;

    *total = c->req[0].size;
    for (unsigned int i = 1; i < c->nr; i++)
        rest += c->req[i].size;
    if (rest > *total) {
        vif_broken(f, "pieces that are larger than the packet");
        return false;
    }
    c->req[0].size = (uint16_t)(*total - rest);
    for (unsigned int i = 0; i < c->nr; i++)
        good &= c->req[i].size && c->req[i].offset + c->req[i].size <= PAGE_SIZE;
    return good && *total >= NET_FRAME_MIN;
}

/* --- copying --- */

/* A piece, to the frame's bytes from `at` on: one copy, or two where a page of the frame ends. */
static void copy_add(struct vif *f, struct batch *b, const struct netif_tx_request *r, struct net_frame *frame,
                     unsigned int at)
{
    for (unsigned int done = 0, n; done < r->size; done += n, at += n) {
        const unsigned int to = at % PAGE_SIZE, left = r->size - done;

        n = PAGE_SIZE - to < left ? (unsigned int)PAGE_SIZE - to : left;
        b->op[b->nr_ops++] = (struct gnttab_copy){
            .source = { .u.ref = r->gref, .domid = f->dev->front, .offset = (uint16_t)(r->offset + done) },
            .dest = { .u.gmfn = native_frame(vif_self(f), frame->page[at / PAGE_SIZE]),
                      .domid = DOMID_SELF,
                      .offset = (uint16_t)to },
            .len = (uint16_t)n,
            .flags = GNTCOPY_source_gref,
        };
    }
}

/* Carry out what has been gathered; frames go on their way, in order. */
static void batch_run(struct vif *f, struct vif_queue *q, struct batch *b)
{
    native_grant_copy(vif_self(f), b->op, b->nr_ops);
    for (unsigned int i = 0; i < b->nr_frames; i++) {
        const struct batch_frame *bf = &b->frame[i];
        bool good = true;

        for (unsigned int j = bf->first; j < bf->first + bf->nr; j++)
            good &= b->op[j].status == GNTST_okay;
        good = good && net_offload_ok(bf->frame);
        if (good) {
            task_charge(&f->task, bridge_send(&f->port, bf->frame), 0);
            continue;
        }
        net_frame_put(bf->frame);
        f->stats.tx_errors++;
        chain_answer(q, bf->slot, bf->slots, NETIF_RSP_ERROR);
    }
    b->nr_ops = b->nr_frames = 0;
}

static struct net_offload offload_of(const struct vif_chain *c)
{
    const uint16_t flags = c->req[0].flags;
    struct net_offload o = { .csum_blank = flags & NETTXF_csum_blank,
                             .csum_valid = flags & (NETTXF_csum_blank | NETTXF_data_validated) };

    if (c->gso.type) {
        o.gso_type = c->gso.u.gso.type ?: UINT8_MAX; /* it is one, of no kind */
        o.gso_size = c->gso.u.gso.size;
    }
    return o;
}

/* A whole chain: it changes a group, or is answered with an error, or is a frame more in the batch. */
static void chain_done(struct vif *f, struct vif_queue *q, struct batch *b)
{
    struct vif_chain *c = &q->chain;
    struct batch_frame *bf = &b->frame[b->nr_frames];
    const uint32_t slot = q->tx.req_cons - c->nr_slots;
    unsigned int total, at = 0;

    if (c->mcast.type) {
        chain_answer(q, slot, c->nr_slots, vif_groups_change(f, &c->mcast));
        return;
    }
    if (!chain_sizes(f, c, &total)) {
        f->stats.tx_errors++;
        chain_answer(q, slot, c->nr_slots, NETIF_RSP_ERROR);
        return;
    }
    if (f->rate.interval)
        f->rate.credit -= total;
    *bf = (struct batch_frame){ net_frame_alloc(f->bridge->pool, total), slot, c->nr_slots, b->nr_ops, 0 };
    if (!bf->frame) {
        f->stats.tx_dropped++;
        chain_answer(q, slot, c->nr_slots, NETIF_RSP_DROPPED);
        return;
    }
    bf->frame->offload = offload_of(c);
    for (unsigned int i = 0; i < c->nr; at += c->req[i++].size)
        copy_add(f, b, &c->req[i], bf->frame, at);
    bf->nr = b->nr_ops - bf->first;
    b->nr_frames++;
}

unsigned int vif_tx(struct vif *f, struct vif_queue *q, unsigned int budget)
{
    struct batch b;
    uint8_t slot[sizeof(struct netif_tx_request)];
    unsigned int nr = 0;
    int rc = 0;

    b.nr_ops = b.nr_frames = 0;
    while (nr < budget && !f->broken && (q->chain.nr_slots || vif_rate_ok(f))) {
        rc = ring_pull(&q->tx, slot, sizeof(slot));
        if (rc <= 0)
            break;
        if (!chain_add(f, q, slot) || f->broken)
            continue;
        task_charge(&f->task, 1, 0);
        if (b.nr_frames == BATCH_FRAMES || b.nr_ops + FRAME_OPS > BATCH_OPS)
            batch_run(f, q, &b);
        chain_done(f, q, &b);
        q->chain.nr_slots = 0;
        nr++;
    }
    batch_run(f, q, &b);
    if (rc < 0)
        vif_broken(f, "the ring's indices cannot be");
    while (q->tx.rsp_prod != q->tx.req_cons - q->chain.nr_slots)
        ring_push(&q->tx, &q->answer[q->tx.rsp_prod % VIF_RING_SLOTS], sizeof(q->answer[0]));
    return nr;
}
