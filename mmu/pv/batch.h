// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of requests: how mmu_update and mmuext_op begin and end.
 *
 * Concept: both hypercalls have the arguments (list, count, pdone, foreigndom) and stop at the first refused request;
 * *pdone says how many were done. A list may take long, so both can be preempted, and everything that a continuation
 * has to know is in its arguments: the rest of the list, with a flag in `count` which says that *pdone holds what was
 * done before. And both may leave a page table half taken apart behind them (put_old_guest_table()). That is finished
 * first of all the next time; if nothing but that is left to do, the continuation is the flag alone and no list, and
 * foreigndom carries the answer.
 *
 *      begin ---> old table gone? ---> nothing but that? ---> list readable? ---> (requests) ---> end
 *                   no: -ERESTART       yes: foreigndom        no: -EFAULT
 *
 * Corresponds to the beginnings and ends of do_mmu_update() and do_mmuext_op() in xen/arch/x86/mm.c.
 * Inline: as calls these made an mmu_update of one entry 3 % longer.
 */
#ifndef MMU_PV_BATCH_H
#define MMU_PV_BATCH_H

#include "mmu/guest_access.h"
#include "mmu/page_private.h"

#include <errno.h>

/* "Continued": set in `count`, and then *pdone holds what was done before (the same bit as in Xen). */
#define MMU_UPDATE_PREEMPTED 0x80000000u

struct pv_batch {
    struct vcpu *curr;
    uint64_t list; /* guest address of `count` requests of `size` bytes each */
    size_t size;
    unsigned int count;
    unsigned int done_before; /* by the call that this one continues */
    uint64_t pdone;           /* guest address of the 32-bit number of requests done; 0: not wanted */
    uint32_t foreigndom;
};

/*
 * The arguments of v's hypercall. False: there is nothing to carry out, and *answer is the hypercall's: -ERESTART,
 * -EFAULT...
 */
static inline bool pv_batch_begin(struct pv_batch *b, struct vcpu *v, const struct hypercall_args *args, size_t size,
                                  int *answer)
{
    *b = (struct pv_batch){ .curr = v,
                            .list = args->a[0],
                            .size = size,
                            .count = (unsigned int)args->a[1],
                            .pdone = args->a[2],
                            .foreigndom = (uint32_t)args->a[3] };
    *answer = -ERESTART;
    if (put_old_guest_table(v))
        return false;
    *answer = (int)b->foreigndom;
    if (b->count == MMU_UPDATE_PREEMPTED && !b->list)
        return false;
    if (b->count & MMU_UPDATE_PREEMPTED) {
        b->count &= ~MMU_UPDATE_PREEMPTED;
        if (b->pdone && copy_from_guest(v, &b->done_before, b->pdone, sizeof(b->done_before)))
            b->done_before = 0;
    }
    *answer = -EFAULT;
    return guest_handle_okay(v, b->list, b->count * size);
}

/*
 * `done` requests were carried out and rc was the last one's: tell the guest, or prepare the continuation. The answer.
 */
static inline int pv_batch_end(const struct pv_batch *b, struct hypercall_args *args, unsigned int done, int rc)
{
    if (rc == -ERESTART && done < b->count) {
        args->a[0] = b->list + done * b->size;
        args->a[1] = (b->count - done) | MMU_UPDATE_PREEMPTED;
    } else if (old_guest_table_pending(b->curr)) {
        args->a[0] = args->a[2] = 0;
        args->a[1] = MMU_UPDATE_PREEMPTED;
        args->a[3] = (uint32_t)(rc == -ERESTART ? 0 : rc);
        rc = -ERESTART;
    }
    done += b->done_before;
    if (b->pdone)
        (void)copy_to_guest(b->curr, b->pdone, &done, sizeof(done));
    return rc;
}

#endif
