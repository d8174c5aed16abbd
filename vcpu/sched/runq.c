// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Run queues by affinity class; runq.h explains.
 *
 * Concept: heap[i] precedes heap[2i+1] and heap[2i+2]; a node remembers its place, so that a vCPU in the middle can go
 * to sleep in O(log n). A few empty classes are kept, since their vCPUs tend to come back; more give their place to the
 * last one, so that pCPUs do not look at masks that nobody has any more.
 */
#include "vcpu/sched/runq.h"
#include "vcpu/sched/snapshot.h"

#include <stdlib.h>

#include "vcpu/sched/sched.h"

/* As in sim/clock.c the order stands beside the pointer. */
struct runq_entry {
    int64_t key;
    uint64_t seq;
    struct runq_node *n;
};

struct runq_class {
    struct runq *q;
    uint64_t hard, soft;
    size_t index; /* in runq->class */
    struct runq_entry *heap;
    size_t nr, cap;
};

#define MAX_EMPTY_CLASSES 8
/* ordinary arrivals count up from here, runq_insert_first() counts down */
#define SEQ_MIDDLE (UINT64_C(1) << 63)

void runq_destroy(struct runq *q)
{
    BUG_ON(q->nr);
    for (size_t i = 0; i < q->nr_classes; i++) {
        xfree(q->class[i] -> heap);
        xfree(q->class[i]);
    }
    xfree(q->class);
    *q = (struct runq){ 0 };
}

static bool precedes(const struct runq_entry *a, const struct runq_entry *b)
{
    return a->key != b->key ? a->key < b->key : a->seq < b->seq;
}

static void put(struct runq_class *c, size_t i, struct runq_entry e)
{
    c->heap[i] = e;
    e.n->slot = i;
    c->q->moves++;
}

static void sift_up(struct runq_class *c, size_t i, struct runq_entry e)
{
    for (; i > 0 && precedes(&e, &c->heap[(i - 1) / 2]); i = (i - 1) / 2)
        put(c, i, c->heap[(i - 1) / 2]);
    put(c, i, e);
}

static void sift_down(struct runq_class *c, size_t i, struct runq_entry e)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child + 1 < c->nr && precedes(&c->heap[child + 1], &c->heap[child]))
            child++;
        if (child >= c->nr || !precedes(&c->heap[child], &e))
            break;
        put(c, i, c->heap[child]);
        i = child;
    }
    put(c, i, e);
}

static struct runq_class *class_get(struct runq *q, const struct vcpu *v)
{
    struct arena *const arena = v->domain->xen->machine->arena;
    const uint64_t hard = v->hard_affinity, soft = v->soft_affinity;
    struct runq_class *c;

    for (size_t i = 0; i < q->nr_classes; i++)
        if (q->class[i] -> hard == hard && q -> class[i] -> soft == soft)
            return q->class[i];
    if (q->nr_classes == q->cap) {
        q->cap = q->cap ? 2 * q->cap : 4;
        q->class = xrealloc_array(arena, q->class, q->cap);
        BUG_ON(!q->class);
    }
    c = xzalloc(arena, struct runq_class);
    BUG_ON(!c);
    c->q = q;
    c->hard = hard;
    c->soft = soft;
    c->index = q->nr_classes;
    q->class[q->nr_classes++] = c;
    return c;
}

static void class_drop(struct runq *q, struct runq_class *c)
{
    struct runq_class *last = q->class[--q->nr_classes];

    q->class[c->index] = last;
    last->index = c->index;
    xfree(c->heap);
    xfree(c);
}

static void insert(struct runq *q, struct runq_node *n, struct vcpu *v, int64_t key, uint64_t seq)
{
    struct runq_class *c = class_get(q, v);

    BUG_ON(n->class);
    if (c->nr == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 8;
        c->heap = xrealloc_array(v->domain->xen->machine->arena, c->heap, c->cap);
        BUG_ON(!c->heap);
    }
    n->v = v;
    n->key = key;
    n->class = c;
    sift_up(c, c->nr++, (struct runq_entry){ key, seq, n });
    q->nr++;
}

void runq_insert(struct runq *q, struct runq_node *n, struct vcpu *v, int64_t key)
{
    insert(q, n, v, key, SEQ_MIDDLE + ++q->seq);
}

void runq_insert_first(struct runq *q, struct runq_node *n, struct vcpu *v, int64_t key)
{
    insert(q, n, v, key, SEQ_MIDDLE - ++q->seq);
}

void runq_remove(struct runq *q, struct runq_node *n)
{
    struct runq_class *c = n->class;
    struct runq_entry last;
    const size_t i = n->slot;

    BUG_ON(!c || c->heap[i].n != n);
    n->class = NULL;
    q->nr--;
    last = c->heap[--c->nr];
    if (!c->nr && q->nr_classes > MAX_EMPTY_CLASSES) {
        class_drop(q, c);
    } else if (last.n != n) {
        /* The last one fills the hole; it may belong above it or below it. */
        sift_up(c, i, last);
        sift_down(c, last.n->slot, last);
    }
}

struct runq_node *runq_first(const struct runq *q, unsigned int cpu, bool soft)
{
    const uint64_t bit = UINT64_C(1) << cpu;
    const struct runq_entry *first = NULL;

    for (size_t i = 0; i < q->nr_classes; i++) {
        const struct runq_class *c = q->class[i];

        if (!c->nr || !(c->hard & bit) || (soft && !(c->soft & bit)))
            continue;
        if (!first || precedes(&c->heap[0], first))
            first = &c->heap[0];
    }
    return first ? first->n : NULL;
}

void runq_snapshot(const struct runq_node *n, struct sched_snapshot *out)
{
    out->queued = runq_queued(n);
    if (!out->queued)
        return;
    out->key = n->class->heap[n->slot].key;
    out->seq = n->class->heap[n->slot].seq;
}

void runq_kick_idle(const struct runq *q, struct xen *xen, uint64_t cpus)
{
    if (!q->nr)
        return;
    for_each_cpu_in(cpus, cpu) if (sched_cpu_waits(xen, cpu) && runq_first(q, cpu, false)) sched_kick_cpu(xen, cpu);
}
