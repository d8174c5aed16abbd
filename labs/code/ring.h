// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A shared ring: requests one way, responses the other, and no more events than are needed.
 *
 * Concept: a page that two domains share, of which neither trusts the other. Indices count up for ever and wrap at
 * 2^32; an index's slot is its remainder. A response takes the place of the request that it answers, or of one before
 * it.
 *
 *      rsp_prod          req_prod                     *_event: "send me an event when you get to this index"
 *         |  unanswered     |     free
 *      ---+-----------------+---------------->
 *
 * Stated in public <xen/io/ring.h>, where it is macros.
 */
#ifndef LABS_CODE_RING_H
#define LABS_CODE_RING_H

#include "labs/kit/shm.h"

#include <stdbool.h>

#define RING_SLOTS 4

struct ring_page {
    shm_t req_prod, req_event; /* requests up to here are there; the backend wants an event at this one */
    shm_t rsp_prod, rsp_event; /* the same of responses, and the frontend */
    shm_t slot[RING_SLOTS];
};
extern struct ring_page *const ring_page;

/* What one end keeps for itself. The frontend puts requests and takes responses, the backend the other way round. */
struct ring_end {
    bool front;
    uint32_t put, pushed; /* index behind the last one that was put; that the other end may see */
    uint32_t taken;       /* behind the last one that was taken */
};

enum ring_take { RING_NONE, RING_TAKEN, RING_BROKEN };

/* Into the next slot. False: there is no room: no slot for a request, or no request that is not answered yet. */
bool ring_put(struct ring_end *e, uint32_t value);
/* The other end may see all that was put. True: it has to be sent an event. */
bool ring_show(struct ring_end *e);
/* The next one that the other end has pushed. RING_BROKEN: its index cannot have come to that; nothing is taken. */
enum ring_take ring_take(struct ring_end *e, uint32_t *value);
/* Ask for an event with the next one. True: there is nothing to take, so this end may sleep until the event comes. */
bool ring_doze(struct ring_end *e);

#endif
