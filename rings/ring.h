// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A ring of requests and answers: the back end's side.
 *
 * Concept: one or more shared pages hold four indices and an array of slots, of which there is a power of two. The
 * front end puts requests into slots, and the back end puts answers into the same slots again, so no answer can lack
 * room. All indices only ever grow; a slot is an index modulo their number. The front end owns req_prod and rsp_event,
 * the back end rsp_prod and req_event; the two events say which index their owner wants to be told of.
 *
 *      0          4           8          12                    64
 *      | req_prod | req_event | rsp_prod | rsp_event | padding | slot 0 | slot 1 | ...
 *
 *      rsp_prod ......... req_cons ......... req_prod
 *      |  taken, not answered   |  not taken yet    |          never more than there are slots
 *
 * Whoever goes to sleep names the index that is to wake it, and then looks once more: what the other side has done in
 * between has not been told (ring_sleep()).
 *
 * Invariants: the pages are the other side's as well. Of its two indices each is read once, and one that cannot be is
 * never followed; a slot is copied once, and only the copy is looked at; our own indices are kept here, and what
 * the page says of them is never read.
 *
 * A slot may lie across two pages, whose frames are not neighbours: hence copies, and no pointers into it.
 *
 * Source: public io/ring.h. Corresponds to its macros (RING_COPY_REQUEST, RING_PUSH_RESPONSES_AND_CHECK_NOTIFY,
 * RING_FINAL_CHECK_FOR_REQUESTS).
 */
#ifndef RINGS_RING_H
#define RINGS_RING_H

#include "sim/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_PAGES_MAX 16

struct ring {
    uint8_t *page[RING_PAGES_MAX];
    size_t slot_size;
    uint32_t nr; /* slots */
    uint32_t req_cons, rsp_prod;
    uint32_t published;   /* the rsp_prod that the other side knows */
    uint32_t req_event;   /* the last that was asked for */
    uint64_t sent, saved; /* notifications that were asked for, and that were not */
    s_time_t full_since;  /* as ring_watch() has seen it; 0: it is not full */
};

/*
 * Serve nr_pages pages, mapped at page[], for slots of slot_size bytes (the larger of request and answer). It begins
 * at the answers that the page says were given: 0 on a new ring. False: not one slot fits, or the indices cannot be.
 */
bool ring_init(struct ring *r, uint8_t *const *page, unsigned int nr_pages, size_t slot_size);

/* Take the next request: `size` bytes of its slot. 1; 0: there is none; -EPROTO: the front end's index cannot be. */
int ring_pull(struct ring *r, void *req, size_t size);

/* Put an answer, for a request that was taken. The front end sees it at the next ring_flush(). */
void ring_push(struct ring *r, const void *rsp, size_t size);

/* Show the answers. True: the front end wants to be told. */
bool ring_flush(struct ring *r);

/* Ask to be told of the next request. False: it is there already, or the index cannot be: pull. */
bool ring_sleep(struct ring *r);
/* The same, for whoever needs nr at once: when that many are waiting. */
bool ring_sleep_until(struct ring *r, uint32_t nr);

/* How many requests are waiting. False: the front end's index cannot be. */
bool ring_waiting(const struct ring *r, uint32_t *n);

/* --- for who looks: what the front end says is shown as it stands --- */

uint32_t ring_req_prod(const struct ring *r);
uint32_t ring_rsp_event(const struct ring *r);

enum ring_change { RING_SAME, RING_FULL, RING_FREE };

/*
 * Has it become full since this was last asked, each slot a request whose answer the front end has not seen? Or is it
 * full no more? r->full_since says since when it is, or, of one that has become free, nothing: look before.
 */
enum ring_change ring_watch(struct ring *r, s_time_t now);

/*
 * A letter for each slot, `nr` of them: 'R' requested; 'T' taken, not answered; 'A' answered, and the front end has not
 * asked yet to be told of the next answer, as who has seen all does; '.' free.
 */
void ring_letters(const struct ring *r, char *letter);

#endif
