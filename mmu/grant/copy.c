// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * GNTTABOP_copy: bytes from one frame to another, either of them named by a grant reference.
 *
 * Concept: for small data mapping costs more than copying (page table updates, and a TLB flush on every processor when
 * the mapping ends). So the hypervisor copies: it can reach every frame and needs to check permission only. Besides, a
 * copy can be granted more narrowly than a mapping:
 *   - a sub-page grant allows bytes [page_off, page_off + length) only;
 *   - a transitive grant of A to B says "what C granted to me as reference r, you may use": the hypervisor follows it
 *     to C's entry, one step and no further, and both entries are in use while the copy lasts.
 *
 * A guest pays the same for every operation; native code, whose time is what it does, for the bytes.
 *
 * Each operation claims its two buffers, copies, and releases them. (Xen keeps the last two claimed for the next
 * operation of the batch; without locks there is little to save.)
 *
 * Corresponds to gnttab_copy() and acquire_grant_for_copy() of xen/common/grant_table.c.
 */
#include "mmu/grant/private.h"

#include "sim/frame.h"

#include "mmu/compat.h"

#include <errno.h>
#include <string.h>

/* A frame, and the part of it that may be used. */
struct copy_frame {
    mfn_t mfn;
    struct page_info *page; /* with a reference */
    unsigned int start, length;
};

static void grant_release(struct domain *rd, grant_ref_t ref, bool readonly)
{
    struct grant_table *rgt = rd->grant_table;
    struct active_grant_entry *act = &rgt->active[ref];
    struct domain *td = act->trans_domain;

    act->pin -= readonly ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
    reduce_status_for_pin(rgt, ref, readonly);
    if (td != rd) {
        grant_release(td, act->trans_gref, readonly);
        put_domain(td);
    }
}

static int grant_acquire(struct vcpu *v, struct domain *rd, grant_ref_t ref, domid_t ldom, bool readonly,
                         bool allow_transitive, struct copy_frame *frame);

/* The entry refers to td's entry `tref`. On success td stays referenced until grant_release(). */
static int transitive_acquire(struct vcpu *v, struct domain *rd, grant_ref_t ref, domid_t ldom, bool readonly,
                              struct copy_frame *frame)
{
    const grant_entry_v2_t *entry = shared_entry_v2(rd->grant_table, ref);
    struct active_grant_entry *act = &rd->grant_table->active[ref];
    const grant_ref_t tref = entry->transitive.gref;
    struct domain *td;
    int rc;

    if (entry->transitive.trans_domid == rd->domain_id)
        return GNTST_general_error;
    td = get_domain_by_id(v->domain->xen, entry->transitive.trans_domid);
    if (!td)
        return GNTST_general_error;
    rc = grant_acquire(v, td, tref, rd->domain_id, readonly, false, frame);
    if (rc != GNTST_okay) {
        put_domain(td);
        return rc;
    }
    if (!act->pin) {
        *act = (struct active_grant_entry){ .domid = ldom,
                                            .is_sub_page = true,
                                            .start = frame->start,
                                            .length = frame->length,
                                            .mfn = frame->mfn,
                                            .trans_domain = td,
                                            .trans_gref = tref };
    } else if (!act->is_sub_page || !mfn_eq(act->mfn, frame->mfn) || act->start != frame->start ||
               act->length != frame->length || act->trans_domain != td || act->trans_gref != tref) {
        /*
         * The granter rewrote an entry that is in use. Xen tries again until that use has ended; here the caller may.
         */
        grant_release(td, tref, readonly);
        put_domain(td);
        put_page(rd->xen, frame->page);
        return GNTST_eagain;
    }
    return GNTST_okay;
}

/* First use: what frame, and what part of it. */
static int frame_acquire(struct domain *rd, grant_ref_t ref, domid_t ldom, struct copy_frame *frame)
{
    struct grant_table *rgt = rd->grant_table;
    struct active_grant_entry *act = &rgt->active[ref];
    const grant_entry_v2_t *entry = rgt->version == 2 ? shared_entry_v2(rgt, ref) : NULL;
    const bool sub_page = entry && (entry->hdr.flags & GTF_sub_page);
    uint64_t gfn = !entry     ? shared_entry_v1(rgt, ref)->frame
                   : sub_page ? entry->sub_page.frame
                              : entry->full_page.frame;
    int rc = get_paged_frame(rd, gfn, &frame->mfn, &frame->page);

    if (rc != GNTST_okay)
        return rc;
    *act = (struct active_grant_entry){ .domid = ldom,
                                        .is_sub_page = sub_page,
                                        .start = sub_page ? entry->sub_page.page_off : 0,
                                        .length = sub_page ? entry->sub_page.length : PAGE_SIZE,
                                        .mfn = frame->mfn,
                                        .trans_domain = rd,
                                        .trans_gref = ref };
    return GNTST_okay;
}

/* Someone uses the entry already: the same frame again. A pin alone does not prove that it is still rd's. */
static int frame_again(struct domain *rd, const struct active_grant_entry *act, struct copy_frame *frame)
{
    frame->mfn = act->mfn;
    frame->page = mfn_to_page(rd->xen, act->mfn);
    return !rd->is_dying && get_page(frame->page, rd) ? GNTST_okay : GNTST_bad_domain;
}

/* Domain ldom starts to use rd's grant for a copy. Success leaves a pin and a reference to the frame (frame->page). */
static int grant_acquire(struct vcpu *v, struct domain *rd, grant_ref_t ref, domid_t ldom, bool readonly,
                         bool allow_transitive, struct copy_frame *frame)
{
    struct grant_table *rgt = rd->grant_table;
    const uint32_t inc = readonly ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
    struct active_grant_entry *act;
    int rc = GNTST_okay;

    if (ref >= nr_grant_entries(rgt))
        return GNTST_bad_gntref;
    act = &rgt->active[ref];
    if (act->pin && (act->domid != ldom || (act->pin & GNTPIN_overflow(inc))))
        return GNTST_general_error;
    if (!act->pin || (!readonly && !(act->pin & GNTPIN_writers)))
        rc = _set_status(rgt, ref, readonly, false, ldom);
    if (rc != GNTST_okay)
        return rc;
    if (rgt->version == 2 && (shared_entry_header(rgt, ref)->flags & GTF_type_mask) == GTF_transitive)
        rc = allow_transitive ? transitive_acquire(v, rd, ref, ldom, readonly, frame) : GNTST_general_error;
    else
        rc = act->pin ? frame_again(rd, act, frame) : frame_acquire(rd, ref, ldom, frame);
    if (rc != GNTST_okay) {
        reduce_status_for_pin(rgt, ref, readonly);
        return rc;
    }
    act->pin += inc;
    frame->start = act->start;
    frame->length = act->length;
    return GNTST_okay;
}

/* --- one side of one operation --- */
struct copy_buf {
    struct gnttab_copy_ptr ptr;
    bool is_ref, readonly;
    struct domain *domain; /* referenced */
    struct copy_frame frame;
};

static int buf_domain_get(struct vcpu *v, struct copy_buf *buf)
{
    /* A frame number speaks for nobody but oneself. */
    if (!buf->is_ref && buf->ptr.domid != DOMID_SELF)
        return GNTST_permission_denied;
    buf->domain = get_domain_by_any_id(v, buf->ptr.domid);
    return buf->domain ? GNTST_okay : GNTST_bad_domain;
}

static void buf_unclaim(struct copy_buf *buf, bool have_type)
{
    struct xen *xen = buf->domain->xen;

    if (buf->is_ref)
        grant_release(buf->domain, buf->ptr.u.ref, buf->readonly);
    if (have_type)
        put_page_type(xen, buf->frame.page);
    put_page(xen, buf->frame.page);
}

static int buf_claim(struct vcpu *v, struct copy_buf *buf)
{
    int rc;

    if (buf->is_ref) {
        rc = grant_acquire(v, buf->domain, buf->ptr.u.ref, v->domain->domain_id, buf->readonly, true, &buf->frame);
    } else {
        buf->frame.start = 0;
        buf->frame.length = PAGE_SIZE;
        rc = get_paged_frame(buf->domain, buf->ptr.u.gmfn, &buf->frame.mfn, &buf->frame.page);
    }
    if (rc != GNTST_okay || buf->readonly)
        return rc;
    if (get_page_type(buf->domain->xen, buf->frame.page, PGT_writable_page))
        return GNTST_okay;
    buf_unclaim(buf, false);
    return GNTST_general_error;
}

static bool buf_covers(const struct copy_buf *buf, unsigned int len)
{
    return buf->ptr.offset >= buf->frame.start && buf->ptr.offset + len <= buf->frame.start + buf->frame.length;
}

static int copy_bytes(struct vcpu *v, struct copy_buf *dst, const struct copy_buf *src, unsigned int len)
{
    struct machine *m = v->domain->xen->machine;

    if (src->ptr.offset + len > PAGE_SIZE || dst->ptr.offset + len > PAGE_SIZE)
        return GNTST_bad_copy_arg;
    if (!buf_covers(src, len) || !buf_covers(dst, len))
        return GNTST_general_error;
    memmove((uint8_t *)frame_write_begin(m, dst->frame.mfn) + dst->ptr.offset,
            (const uint8_t *)mfn_to_virt(m, src->frame.mfn) + src->ptr.offset, len);
    frame_write_end(m, dst->frame.mfn);
    v->domain->xen->bytes_copied += len;
    return GNTST_okay;
}

static int copy_one(struct vcpu *v, const struct gnttab_copy *op)
{
    struct copy_buf src = { .ptr = op->source, .is_ref = op->flags & GNTCOPY_source_gref, .readonly = true };
    struct copy_buf dst = { .ptr = op->dest, .is_ref = op->flags & GNTCOPY_dest_gref };
    int rc = buf_domain_get(v, &src);

    if (rc == GNTST_okay)
        rc = buf_domain_get(v, &dst);
    if (rc == GNTST_okay)
        rc = buf_claim(v, &src);
    if (rc == GNTST_okay) {
        rc = buf_claim(v, &dst);
        if (rc == GNTST_okay) {
            rc = copy_bytes(v, &dst, &src, op->len);
            buf_unclaim(&dst, true);
        }
        buf_unclaim(&src, false);
    }
    if (src.domain)
        put_domain(src.domain);
    if (dst.domain)
        put_domain(dst.domain);
    return rc;
}

/* --- the command --- */

/* Of the source, or if that is the caller's own frame of the destination. */
static void trace_copy(struct vcpu *v, const struct gnttab_copy *op)
{
    const bool from_ref = op->flags & GNTCOPY_source_gref, to_ref = op->flags & GNTCOPY_dest_gref;
    const domid_t peer = from_ref ? op->source.domid : op->dest.domid;

    TRACE_VCPU(v, grant_copy,
               from_ref ? op->source.u.ref
               : to_ref ? op->dest.u.ref
                        : TRACE_NONE,
               peer == DOMID_SELF ? v->domain->domain_id : peer, TRACE_NONE, op->flags, TRACE_NONE, op->len,
               (uint64_t)(int64_t)op->status);
}

long gnttab_copy(struct vcpu *v, uint64_t uop, unsigned int count, uint32_t *opaque)
{
    const size_t size = compat_size(v->domain, COMPAT_gnttab_copy);
    struct gnttab_copy op;

    for (unsigned int i = 0; i < count; i++, uop += size) {
        if (i && hypercall_preempt_check(v))
            return i;
        if (compat_from_guest(v, &op, uop, COMPAT_gnttab_copy))
            return -EFAULT;
        op.status = copy_one(v, &op);
        trace_copy(v, &op);
        if (copy_field_to_guest(v, uop, COMPAT_gnttab_copy, &op, status))
            return -EFAULT;
    }
    return 0;
}
