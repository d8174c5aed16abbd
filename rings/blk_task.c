// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The task that serves the ring of a disk: requests are taken from it, and answers given, each at its time.
 *
 * Concept: what a request does is done when it is taken. Its answer is given when the disk would have done it, and not
 * before the answers to all earlier ones: whoever restarts this back end knows from the ring what is left to do.
 *
 *      rsp_prod ............. req_cons ............. req_prod
 *      | answers[] says when    |  the front end's        |          all modulo ring.nr
 *
 * Invariants: a step takes at most as many requests as its budget is. Whenever the task sleeps, the front end knows
 * that it has to send an event with its next request, and a timer is set for the next answer. The front end is told of
 * answers when it has asked for that, and not else.
 *
 * Corresponds to Linux's drivers/block/xen-blkback.
 */
#include "rings/blk_private.h"

#include "vcpu/native/ring.h"

#include <string.h>
#include <xen/event_channel.h>

static struct answer *answer_at(const struct vbd *b, uint32_t index) { return &b->answers[index & (b->ring.nr - 1)]; }

/* Put an answer into the ring. The front end does not see it yet. */
static void put(struct vbd *b, const struct answer *a)
{
    struct blkif_response rsp;

    memset(&rsp, 0, sizeof(rsp)); /* what is padding there as well */
    rsp.id = a->id;
    rsp.operation = a->op;
    rsp.status = a->status;
    ring_push(&b->ring, &rsp, b->x86_32 ? sizeof(rsp) - 4 : sizeof(rsp));
}

/* Show what was put, and tell the front end if that is wanted. */
static void show(struct vbd *b)
{
    const uint32_t before = b->ring.published, event = ring_rsp_event(&b->ring);
    const bool lost = b->disk->fault.drop, notify = ring_flush(&b->ring) && !lost;
    struct evtchn_send send = { .port = b->port };

    TRACE(machine(b), ring, b->dev->front, 0, b->dev->front, TRACE_RING_BLOCK_RSP, before, b->ring.rsp_prod, event,
          notify);
    if (notify)
        event_op(b, EVTCHNOP_send, &send);
    b->disk->fault.drop -= lost;
}

/* Give the answers whose time has come, as far as their turn has. */
static void answer(struct vbd *b)
{
    const s_time_t now = NOW(self(b)->domain->xen);

    while (b->ring.rsp_prod != b->ring.req_cons && answer_at(b, b->ring.rsp_prod)->due <= now)
        put(b, answer_at(b, b->ring.rsp_prod));
    if (b->ring.published != b->ring.rsp_prod)
        show(b);
}

/* The front end can put no more, or can again. */
static void fullness(struct vbd *b)
{
    const s_time_t now = NOW(self(b)->domain->xen), since = b->ring.full_since;

    switch (ring_watch(&b->ring, now)) {
    case RING_FULL:
        TRACE(machine(b), ring_full, b->dev->front, 0, b->dev->front, TRACE_RING_BLOCK_REQ, b->ring.nr);
        break;
    case RING_FREE:
        TRACE(machine(b), ring_free, b->dev->front, 0, b->dev->front, TRACE_RING_BLOCK_REQ, now - since);
        break;
    case RING_SAME: break;
    }
}

/* For the trace: these were taken. */
static void taken(struct vbd *b, uint32_t before)
{
    if (b->ring.req_cons != before)
        TRACE(machine(b), ring, b->dev->front, 0, b->dev->front, TRACE_RING_BLOCK_REQ, before, b->ring.req_cons,
              TRACE_NONE, false);
}

/* Take requests, as many as the budget is, and do them. False: the ring makes no sense, the device is over. */
static bool take(struct vbd *b, unsigned int *budget)
{
    uint8_t slot[SLOT_64];
    int rc;

    for (; *budget && !b->disk->away; --*budget) {
        rc = ring_pull(&b->ring, slot, b->ring.slot_size);
        if (rc < 0) {
            xenbus_fail(b->dev, rc, "%d the ring's indices cannot be", -rc);
            return false;
        }
        if (!rc)
            break;
        task_charge(&b->task, 1, 0);
        blk_execute(b, slot, answer_at(b, b->ring.req_cons - 1));
    }
    return true;
}

/*
 * Take what has come, answer what is due, and sleep: until the next answer is due, or the next request comes. True:
 * there is more to do at once.
 */
static bool serve(struct vbd *b, unsigned int budget)
{
    const uint32_t before = b->ring.req_cons;

    b->broken |= !take(b, &budget);
    if (b->broken)
        return false;
    taken(b, before);
    answer(b);
    fullness(b);
    if (b->ring.rsp_prod != b->ring.req_cons)
        task_ready_at(&b->task, answer_at(b, b->ring.rsp_prod)->due);
    return !b->disk->away && (!budget || !ring_sleep(&b->ring));
}

static bool vbd_step(struct task *t, unsigned int budget)
{
    struct vbd *b = t->data;

    fullness(b);
    return !b->broken && serve(b, budget);
}

static size_t vbd_rings(const struct task *t, evtchn_port_t port, struct task_ring *r)
{
    const struct vbd *b = t->data;
    const s_time_t now = NOW(self(b)->domain->xen);

    r[0] = (struct task_ring){ .front = b->dev->front,
                               .device = "vbd",
                               .name = "requests",
                               .from_front = true,
                               .prod = ring_req_prod(&b->ring),
                               .cons = b->ring.rsp_prod,
                               .size = b->ring.nr,
                               .has_event = true,
                               .event = b->ring.req_event,
                               .sent = b->ring.sent,
                               .saved = b->ring.saved,
                               .full_since = b->ring.full_since };
    ring_letters(&b->ring, r[0].letter);
    for (uint32_t i = b->ring.rsp_prod; i != b->ring.req_cons; i++)
        if (answer_at(b, i)->due <= now)
            r[0].letter[i & (b->ring.nr - 1)] = 'D'; /* done: its answer waits for those before it, or for the task */
    return 1;
}

const struct task_ops blk_task = { .name = "vbd", .step = vbd_step, .rings = vbd_rings };
