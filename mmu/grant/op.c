// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hypercall: grant_table_op(cmd, array, count).
 *
 * Concept: most commands take an array of operations, each with a status of its own; the hypercall fails only when the
 * array cannot be read or written. A long array is preempted between operations: the arguments are moved past what is
 * done, and the call is made again. The table below says for each command what an element is.
 *
 * Corresponds to do_grant_table_op() of xen/common/grant_table.c and compat_grant_table_op() of xen/common/compat/.
 */
#include "mmu/grant/private.h"

#include "mmu/compat.h"
#include "mmu/pv/pv.h"

#include <errno.h>

/* The command proper, and above it the state of a continuation (cache_flush only). */
#define GNTTABOP_CMD_MASK 0xfffu

struct gnttab_op {
    gnttab_fn *fn;
    unsigned int size;         /* of an array element; 0: one structure, whose access is checked when it is copied */
    enum compat_struct compat; /* of 32-bit callers, if it differs for them */
};

/* clang-format off */
static const struct gnttab_op gnttab_ops[] = {
    [GNTTABOP_map_grant_ref]     = { gnttab_map_grant_ref, sizeof(struct gnttab_map_grant_ref), COMPAT_none },
    [GNTTABOP_unmap_grant_ref]   = { gnttab_unmap_grant_ref, sizeof(struct gnttab_unmap_grant_ref), COMPAT_none },
    [GNTTABOP_setup_table]       = { gnttab_setup_table, 0, COMPAT_none },
    [GNTTABOP_transfer]          = { gnttab_transfer, sizeof(struct gnttab_transfer), COMPAT_gnttab_transfer },
    [GNTTABOP_copy]              = { gnttab_copy, sizeof(struct gnttab_copy), COMPAT_gnttab_copy },
    [GNTTABOP_query_size]        = { gnttab_query_size, 0, COMPAT_none },
    [GNTTABOP_unmap_and_replace] = { gnttab_unmap_and_replace, sizeof(struct gnttab_unmap_and_replace), COMPAT_none },
    [GNTTABOP_set_version]       = { gnttab_set_version, 0, COMPAT_none },
    [GNTTABOP_get_status_frames] = { gnttab_get_status_frames, 0, COMPAT_none },
    [GNTTABOP_get_version]       = { gnttab_get_version, 0, COMPAT_none },
    [GNTTABOP_swap_grant_ref]    = { gnttab_swap_grant_ref, sizeof(struct gnttab_swap_grant_ref), COMPAT_none },
    [GNTTABOP_cache_flush]       = { gnttab_cache_flush, sizeof(struct gnttab_cache_flush), COMPAT_none },
};
/* clang-format on */

long do_grant_table_op(struct vcpu *v, struct hypercall_args *args)
{
    const unsigned int cmd = (uint32_t)args->a[0] & GNTTABOP_CMD_MASK, count = args->a[2];
    uint32_t opaque = (uint32_t)args->a[0] & ~GNTTABOP_CMD_MASK;
    const struct gnttab_op *op;
    unsigned int size;
    long rc;

    if ((int)count < 0)
        return -EINVAL;
    if (opaque && cmd != GNTTABOP_cache_flush)
        return -EINVAL;
    if (cmd >= ARRAY_SIZE(gnttab_ops) || !gnttab_ops[cmd].fn)
        return -ENOSYS;
    op = &gnttab_ops[cmd];
    size = op->compat ? compat_size(v->domain, op->compat) : op->size;
    if (!guest_handle_okay(v, args->a[1], (size_t)size * count))
        return -EFAULT;
    rc = op->fn(v, args->a[1], count, &opaque);
    if (rc <= 0)
        return rc;
    args->a[0] = opaque | cmd;
    args->a[1] += (uint64_t)size * rc;
    args->a[2] = count - rc;
    return -ERESTART;
}
