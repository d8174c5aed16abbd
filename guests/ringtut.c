// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ringtut: how a ring of requests and answers works, by its indices.
 *
 * Shows what happens in the page that a front end and a back end share: four indices that only grow, and slots, of
 * which an index says one modulo their number. Each end writes two of the indices: how far it has produced, and at
 * which index of the other's it wants to be told. So an event is sent only to who sleeps, and ten requests cost one.
 *
 *      p put, and known to me alone    R requested    A answered, and not looked at yet    . free
 *
 * It reads from a disk, whose other end is dom0's (guests/rt/blkfront.h); what it reads is of no interest.
 */
#include "guests/rt/blkfront.h"

static unsigned int sent;

static void xenstore_event(const char *path, const char *token)
{
    (void)path;
    (void)token;
}

static char letter(RING_IDX slot)
{
    const blkif_sring_t *s = blk_ring.sring;

    for (RING_IDX i = blk_ring.rsp_cons; i != blk_ring.req_prod_pvt; i++)
        if (i % BLK_DEPTH == slot)
            return i - blk_ring.rsp_cons < s->rsp_prod - blk_ring.rsp_cons   ? 'A'
                   : i - blk_ring.rsp_cons < s->req_prod - blk_ring.rsp_cons ? 'R'
                                                                             : 'p';
    return '.';
}

/* The ring as it stands: looked at first, and printed then, as printing takes time, in which it may go on. */
static void show(const char *what)
{
    const blkif_sring_t *s = blk_ring.sring;
    const unsigned int prod = s->req_prod, event = s->req_event, answers = s->rsp_prod, told = s->rsp_event;
    char slots[BLK_DEPTH + 1];

    for (unsigned int i = 0; i < BLK_DEPTH; i++)
        slots[i] = letter(i);
    slots[BLK_DEPTH] = 0;
    printf("%s\n  req_prod %2u  req_event %2u  rsp_prod %2u  rsp_event %2u  %s\n", what, prod, event, answers, told,
           slots);
}

static void put_reads(unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++)
        blk_put(BLKIF_OP_READ, blk_ring.req_prod_pvt % BLK_DEPTH, 0, 1);
}

/* Does the other end want to be told? */
static bool push(void)
{
    int notify;

    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&blk_ring, notify);
    return notify;
}

static void tell(void)
{
    sent++;
    event_send(blk_port);
}

/* Sleep until there are so many answers, and be told of the last of them only. */
static void await(unsigned int nr)
{
    blk_ring.sring->rsp_event = blk_ring.rsp_cons + nr;
    xen_mb();
    while (blk_ring.sring->rsp_prod - blk_ring.rsp_cons < nr) /* looked at after the wish, or one could be missed */
        event_wait(blk_port);
}

static void take(unsigned int nr)
{
    for (; nr; nr--) {
        const blkif_response_t *rsp = RING_GET_RESPONSE(&blk_ring, blk_ring.rsp_cons);

        if (rsp->status)
            guest_panic("the disk says %d", rsp->status);
        blk_ring.rsp_cons++;
    }
}

static void batch(unsigned int nr, const char *shown, const char *answered)
{
    const bool notify = push();

    show(shown);
    if (!notify)
        guest_panic("the other end sleeps, and does not want to be told");
    tell();
    await(nr);
    show(answered);
    take(nr);
}

int guest_main(void)
{
    bool first, second;

    if (!blk_connect()) {
        printf("Give me a disk: --disk FILE.\n");
        return 1;
    }
    show("A new ring. Both ends sleep, and want to be told of index 1.");
    put_reads(1);
    show("I have put a request into slot 0. Nobody knows.");
    batch(1, "Now req_prod says so. It has reached req_event: I have to tell the other end.",
          "Answered: into the same slot. rsp_prod has reached my rsp_event, so I was told.");
    put_reads(3);
    batch(3, "Three requests, shown together.",
          "Three answers. I had asked to be told of the third: one event each way, for three.");
    put_reads(1);
    first = push();
    put_reads(1);
    second = push();
    if (!first || second)
        guest_panic("of two requests the first one is told of");
    show("One request, and one more before the other end has looked: it knows of the first, that is enough.");
    tell();
    await(2);
    take(2);
    put_reads(BLK_DEPTH);
    batch(BLK_DEPTH, "All slots are in use. I can put no more until there are answers: that is how a ring pushes back.",
          "So an answer never lacks room: it goes where its request was.");
    show("I have looked at all of them.");
    printf("%u requests, %u events sent. Indices only grow: the next request is number %u, in slot %u.\n",
           blk_ring.rsp_cons, sent, blk_ring.req_prod_pvt, blk_ring.req_prod_pvt % BLK_DEPTH);
    return 0;
}
