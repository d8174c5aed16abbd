// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The FIFO ABI: queues of pending ports, in memory that the guest lends.
 *
 * Concept: with bitmaps the guest cannot tell which event came first, and 4096 ports are not enough for a busy dom0.
 * Here each port has a word of 32 bits in the event array (guest frames, added page by page with
 * EVTCHNOP_expand_array):
 *
 *   31       30      29      28     27 .. 17   16 .. 0
 *   PENDING  MASKED  LINKED  BUSY   reserved   LINK: the next port of the same queue, 0: none
 *
 * and each vCPU has a control block (EVTCHNOP_init_control) with a head for each of 16 priorities, and a bit for each
 * that is not empty:
 *
 *   ready  0 .. 1 0 0 0 0 0 0 0        head[7] ──▶ port 5 ──LINK──▶ port 9 ──LINK──▶ port 2     tail[7] = 2
 *
 * The hypervisor appends at the tail, which it keeps to itself; the guest takes from the head: it clears LINKED and
 * LINK of the word, and only then looks at PENDING and MASKED. The queue is empty exactly when the word of the tail is
 * not LINKED any more, so both sides agree without a lock. When the queue was empty, the hypervisor writes the head,
 * and if the ready bit was not set yet it sends the upcall.
 *
 * Invariants:
 *  - LINK fields and heads are written here and never read: a guest that forges them confuses itself alone.
 *  - A port is put on a queue only when it is not LINKED; a free port that is still LINKED is not given out anew
 *    ("busy").
 *  - A queue's tail always has a word in the array: pages are added and never taken away.
 *  - The port remembers the queue it was last put on. If it is that queue's tail, the queue is empty now, and its tail
 *    is forgotten before the port goes to another queue; or two queues would become one.
 *
 * Simplifies xen/common/event_fifo.c: the guest does not run while the hypervisor does, so no queue locks, and the
 * exchange that links the tail succeeds at once. BUSY (the hypervisor's wish that the guest stop unmasking) is never
 * set. An event that waits for its word is forgotten when its port is closed, and once it was raised; in Xen the port's
 * next user would get it.
 */
#include "evtchn/event_channel.h"
#include "mmu/audit.h"

#include <errno.h>
#include <stdlib.h>

#define WORDS_PER_PAGE  (PAGE_SIZE / sizeof(event_word_t))
#define MAX_ARRAY_PAGES (EVTCHN_FIFO_NR_CHANNELS / WORDS_PER_PAGE)

#define BIT_PENDING (1u << EVTCHN_FIFO_PENDING)
#define BIT_MASKED  (1u << EVTCHN_FIFO_MASKED)
#define BIT_LINKED  (1u << EVTCHN_FIFO_LINKED)
#define BIT_BUSY    (1u << EVTCHN_FIFO_BUSY)

_Static_assert(EVTCHN_FIFO_PENDING == 31 && EVTCHN_FIFO_MASKED == 30 && EVTCHN_FIFO_LINKED == 29 &&
                   EVTCHN_FIFO_BUSY == 28 && EVTCHN_FIFO_LINK_BITS == 17,
               "the drawing of a word");

struct evtchn_fifo_domain {
    struct {
        event_word_t *words;
        mfn_t mfn;
    } page[MAX_ARRAY_PAGES];
    unsigned int nr_pages;
};

struct evtchn_fifo_vcpu {
    struct evtchn_fifo_control_block *control_block; /* NULL: not registered yet */
    mfn_t mfn;
    evtchn_port_t tail[EVTCHN_FIFO_MAX_QUEUES]; /* 0: empty */
};

/* NULL: the guest has not lent the page yet. */
static event_word_t *word_from_port(const struct domain *d, evtchn_port_t port)
{
    const unsigned int page = port / WORDS_PER_PAGE;

    return page < d->evtchn_fifo->nr_pages ? d->evtchn_fifo->page[page].words + port % WORDS_PER_PAGE : NULL;
}

static event_word_t word_read(const event_word_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }

/* Let the word at the end of a queue point to port. False: the guest has taken it off, the queue is empty. */
static bool link_tail(event_word_t *word, evtchn_port_t port)
{
    event_word_t old = word_read(word);

    while (old & BIT_LINKED) {
        const event_word_t new = (old & ~(BIT_BUSY | EVTCHN_FIFO_LINK_MASK)) | port;

        if (__atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            return true;
    }
    return false;
}

/*
 * Put a port that was just made LINKED on the queue it belongs to. True when the guest must be told that there is
 * something.
 */
static bool enqueue(struct vcpu *v, struct evtchn *chn)
{
    struct evtchn_fifo_vcpu *efv = v->evtchn_fifo;
    struct evtchn_fifo_vcpu *last = domain_vcpu(v->domain, chn->last_vcpu_id)->evtchn_fifo;
    evtchn_port_t *tail = &efv->tail[chn->priority];

    if (last->tail[chn->last_priority] == chn->port)
        last->tail[chn->last_priority] = 0;
    chn->last_vcpu_id = v->vcpu_id;
    chn->last_priority = chn->priority;
    if (*tail && link_tail(word_from_port(v->domain, *tail), chn->port)) {
        *tail = chn->port;
        return false;
    }
    *tail = chn->port;
    __atomic_store_n(&efv->control_block->head[chn->priority], chn->port, __ATOMIC_SEQ_CST);
    return !shared_test_and_set_bit(&efv->control_block->ready, chn->priority);
}

static void event_fifo_set_pending(struct domain *d, struct evtchn *chn)
{
    event_word_t *word = word_from_port(d, chn->port);
    struct vcpu *v = domain_vcpu(d, chn->notify_vcpu_id);
    event_word_t old;

    if (!word) {
        chn->pending = true; /* until the page comes: array_add_page() */
        return;
    }
    old = __atomic_fetch_or(word, BIT_PENDING, __ATOMIC_SEQ_CST);
    /* Without a control block the event is dropped: the guest must not unmask a port before it has one. */
    if (v && v->evtchn_fifo->control_block && !(word_read(word) & BIT_MASKED)) {
        const event_word_t was = __atomic_fetch_or(word, BIT_LINKED, __ATOMIC_SEQ_CST);

        if (!(was & BIT_LINKED) && enqueue(v, chn))
            vcpu_mark_events_pending(v);
    }
    if (!(old & BIT_PENDING))
        evtchn_check_pollers(d, chn->port);
}

/* The port stays on its queue: the guest takes it off and finds nothing pending. */
static void event_fifo_clear_pending(struct domain *d, struct evtchn *chn)
{
    event_word_t *word = word_from_port(d, chn->port);

    if (word)
        __atomic_fetch_and(word, ~BIT_PENDING, __ATOMIC_SEQ_CST);
}

static void event_fifo_unmask(struct domain *d, struct evtchn *chn)
{
    event_word_t *word = word_from_port(d, chn->port);

    if (!word)
        return;
    __atomic_fetch_and(word, ~BIT_MASKED, __ATOMIC_SEQ_CST);
    if (word_read(word) & BIT_PENDING)
        event_fifo_set_pending(d, chn); /* it was not put on a queue while it was masked */
}

static bool word_test(const struct domain *d, const struct evtchn *chn, event_word_t bits)
{
    const event_word_t *word = word_from_port(d, chn->port);

    return word && word_read(word) & bits;
}

static bool event_fifo_is_pending(const struct domain *d, const struct evtchn *chn)
{
    return word_test(d, chn, BIT_PENDING);
}

/* Not until its word is there can it be unmasked. */
static bool event_fifo_is_masked(const struct domain *d, const struct evtchn *chn)
{
    return !word_from_port(d, chn->port) || word_test(d, chn, BIT_MASKED);
}

static bool event_fifo_is_busy(const struct domain *d, const struct evtchn *chn)
{
    return word_test(d, chn, BIT_LINKED);
}

/* An event that is on a queue already stays there; the next one goes to the new queue. */
static int event_fifo_set_priority(struct domain *d, struct evtchn *chn, unsigned int priority)
{
    if (priority > EVTCHN_FIFO_PRIORITY_MIN)
        return -EINVAL;
    chn->priority = (uint8_t)priority;
    return 0;
}

static void event_fifo_init_port(struct domain *d, struct evtchn *chn) { chn->priority = EVTCHN_FIFO_PRIORITY_DEFAULT; }

static const struct evtchn_port_ops evtchn_port_ops_fifo = {
    .name = "FIFO",
    .init = event_fifo_init_port,
    .set_pending = event_fifo_set_pending,
    .clear_pending = event_fifo_clear_pending,
    .unmask = event_fifo_unmask,
    .is_pending = event_fifo_is_pending,
    .is_masked = event_fifo_is_masked,
    .is_busy = event_fifo_is_busy,
    .set_priority = event_fifo_set_priority,
};

/* --- going over to FIFO, and back --- */

int evtchn_fifo_vcpu_init(struct vcpu *v)
{
    if (!v->domain->evtchn_fifo)
        return 0;
    v->evtchn_fifo = xzalloc(v->domain->xen->machine->arena, struct evtchn_fifo_vcpu);
    return v->evtchn_fifo ? 0 : -ENOMEM;
}

void evtchn_fifo_vcpu_destroy(struct vcpu *v)
{
    if (v->evtchn_fifo && v->evtchn_fifo->control_block)
        evtchn_unpin_frame(v->domain, v->evtchn_fifo->mfn);
    xfree(v->evtchn_fifo);
    v->evtchn_fifo = NULL;
}

void evtchn_fifo_destroy(struct domain *d)
{
    if (!d->evtchn_fifo)
        return;
    for_each_vcpu (d, v)
        evtchn_fifo_vcpu_destroy(v);
    for (unsigned int i = 0; i < d->evtchn_fifo->nr_pages; i++)
        evtchn_unpin_frame(d, d->evtchn_fifo->page[i].mfn);
    xfree(d->evtchn_fifo);
    d->evtchn_fifo = NULL;
}

void evtchn_audit_refs(struct xen *xen, struct audit *a)
{
    for_each_domain (xen, d) {
        if (d->pirq_eoi_mfn)
            audit_ref(a, _mfn(d->pirq_eoi_mfn), PGT_writable_page);
        for (unsigned int i = 0; d->evtchn_fifo && i < d->evtchn_fifo->nr_pages; i++)
            audit_ref(a, d->evtchn_fifo->page[i].mfn, PGT_writable_page);
        for_each_vcpu (d, v)
            if (v->evtchn_fifo && v->evtchn_fifo->control_block)
                audit_ref(a, v->evtchn_fifo->mfn, PGT_writable_page);
    }
}

static int control_block_map(struct vcpu *v, uint64_t gfn, uint32_t offset)
{
    uint8_t *page;

    if (v->evtchn_fifo->control_block)
        return -EINVAL;
    page = evtchn_pin_frame(v->domain, gfn, &v->evtchn_fifo->mfn);
    if (!page)
        return -EINVAL;
    v->evtchn_fifo->control_block = (struct evtchn_fifo_control_block *)(page + offset);
    return 0;
}

/* What the bitmaps say to be pending is kept until the array has a word for it. */
static void ports_take_over(struct domain *d)
{
    for (evtchn_port_t port = 1; port < d->valid_evtchns; port++) {
        struct evtchn *chn = evtchn_from_port(d, port);

        chn->pending = evtchn_port_is_pending(d, port);
        chn->priority = chn->last_priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
        chn->last_vcpu_id = 0;
    }
}

/* The first control block of any vCPU: the domain goes over to FIFO, with an event array of no pages. */
static int fifo_start(struct domain *d, struct vcpu *v, const struct evtchn_init_control *op)
{
    int rc = 0;

    d->evtchn_fifo = xzalloc(d->xen->machine->arena, struct evtchn_fifo_domain);
    if (!d->evtchn_fifo)
        return -ENOMEM;
    for_each_vcpu (d, w)
        rc = rc ? rc : evtchn_fifo_vcpu_init(w);
    if (!rc)
        rc = control_block_map(v, op->control_gfn, op->offset);
    if (rc) {
        evtchn_fifo_destroy(d);
        return rc;
    }
    ports_take_over(d);
    d->evtchn_port_ops = &evtchn_port_ops_fifo;
    return 0;
}

int evtchn_fifo_init_control(struct domain *d, struct evtchn_init_control *op)
{
    struct vcpu *v = domain_vcpu(d, op->vcpu);

    op->link_bits = EVTCHN_FIFO_LINK_BITS;
    if (!v)
        return -ENOENT;
    if (op->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block) || op->offset % 8)
        return -EINVAL;
    return d->evtchn_fifo ? control_block_map(v, op->control_gfn, op->offset) : fifo_start(d, v, op);
}

static int array_add_page(struct domain *d, uint64_t gfn)
{
    struct evtchn_fifo_domain *efd = d->evtchn_fifo;
    evtchn_port_t port = efd->nr_pages * WORDS_PER_PAGE;
    event_word_t *words;

    if (efd->nr_pages == MAX_ARRAY_PAGES)
        return -ENOSPC;
    words = evtchn_pin_frame(d, gfn, &efd->page[efd->nr_pages].mfn);
    if (!words)
        return -EINVAL;
    efd->page[efd->nr_pages++].words = words;
    for (; port < efd->nr_pages * WORDS_PER_PAGE && port < d->valid_evtchns; port++) {
        struct evtchn *chn = evtchn_from_port(d, port);

        if (chn->pending) {
            chn->pending = false;
            evtchn_port_set_pending(d, chn);
        }
    }
    return 0;
}

int evtchn_fifo_expand_array(struct domain *d, const struct evtchn_expand_array *op)
{
    return d->evtchn_fifo ? array_add_page(d, op->array_gfn) : -EOPNOTSUPP;
}
