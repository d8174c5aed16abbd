// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Restoring a domain: from a stream (tools/save/format.h) to one that can go on.
 *
 * Concept: records are dealt with in the order in which they come. Pages are put where they belong at once; what is
 * about the whole domain is remembered until END, and set when all pages are there.
 *
 *      static data: create it, policies -> pages: populate, translate, write -> END: restore_pv.c or restore_hvm.c
 *
 * Invariants: the stream's form has been checked (tools/save/in.h), its content is suspect: a number in it is compared
 * with what there is before it is used, and what the hypervisor refuses ends the restore. Memory of the machine that a
 * stream asks for is limited by what the domain may have.
 *
 * Corresponds to tools/libs/guest/xg_sr_restore.c.
 */
#include "tools/save/restore.h"

#include "tools/save/restore_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- pages --- */

/* The i-th number of the batch: its pfn, and its type. */
static uint64_t batch_pfn(const struct restorer *r, uint32_t i, uint32_t *type)
{
    uint64_t n;

    memcpy(&n, r->batch.body + sizeof(struct libxc_page_data) + i * sizeof(n), sizeof(n));
    *type = (uint32_t)(n >> LIBXC_TYPE_SHIFT) & XEN_DOMCTL_PFINFO_LTAB_MASK;
    return n & ~((uint64_t)XEN_DOMCTL_PFINFO_LTAB_MASK << LIBXC_TYPE_SHIFT);
}

static bool has_frame(uint32_t type) { return type != XEN_DOMCTL_PFINFO_XTAB && type != XEN_DOMCTL_PFINFO_BROKEN; }

static bool has_data(uint32_t type) { return has_frame(type) && type != XEN_DOMCTL_PFINFO_XALLOC; }

/* Are the numbers what they can be, and do the pages follow that they promise? */
static int batch_check(struct restorer *r, uint32_t count)
{
    uint64_t nr_pages = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t type;
        const uint64_t pfn = batch_pfn(r, i, &type);

        if (has_data(type) && !r->ops->type_ok(type))
            return restore_refuse(r, "a damaged stream: a page of type %#x", type >> 28);
        if (pfn >= r->nr_pfns)
            return restore_refuse(r, "a damaged stream: page %#llx is beyond the last, %#llx", (unsigned long long)pfn,
                                  (unsigned long long)r->nr_pfns - 1);
        nr_pages += has_data(type);
    }
    return r->batch.length == sizeof(struct libxc_page_data) + count * sizeof(uint64_t) + nr_pages * PAGE_SIZE
               ? 0
               : restore_refuse(r, "a damaged stream: a PAGE_DATA is of another length than its pages");
}

static uint32_t batch_count(const struct restorer *r)
{
    struct libxc_page_data head;

    memcpy(&head, r->batch.body, sizeof(head));
    return head.count;
}

static int batch_begin(struct restorer *r, const struct stream_body *rec)
{
    struct libxc_page_data head;

    if (!r->static_data_ended || !r->nr_pfns)
        return restore_refuse(r, "a damaged stream: a page before it is known what is to have it");
    if (rec->length < sizeof(head))
        return restore_refuse(r, "a damaged stream: a PAGE_DATA of %zu bytes", rec->length);
    memcpy(&head, rec->body, sizeof(head));
    if (!head.count || head.count > LIBXC_BATCH_MAX || head.reserved ||
        rec->length < sizeof(head) + head.count * sizeof(uint64_t))
        return restore_refuse(r, "a damaged stream: a PAGE_DATA of %u pages", head.count);
    r->batch = *rec;
    r->batch_at = 0;
    r->data = rec->body + sizeof(head) + head.count * sizeof(uint64_t);
    return batch_check(r, head.count);
}

static int batch_step(struct restorer *r)
{
    const uint32_t count = batch_count(r), left = count - r->batch_at, n = left < RESTORE_PAGES ? left : RESTORE_PAGES;
    uint64_t pfn[RESTORE_PAGES] = { 0 };
    unsigned int nr = 0;
    uint32_t type;

    for (uint32_t i = 0; i < n; i++) {
        const uint64_t this = batch_pfn(r, r->batch_at + i, &type);

        if (has_frame(type))
            pfn[nr++] = this;
    }
    if (restore_populate(r, pfn, nr))
        return -1;
    for (uint32_t i = 0; i < n; i++, r->batch_at++) {
        const uint64_t this = batch_pfn(r, r->batch_at, &type);

        r->type[this] = has_data(type) ? type : 0;
        if (!has_data(type))
            continue;
        if (r->ops->page(r, this, r->data))
            return -1;
        r->data += PAGE_SIZE;
    }
    if (r->batch_at == count)
        r->batch = (struct stream_body){ 0 };
    return 0;
}

/* --- records that both kinds have --- */

static int cpuid_policy(struct restorer *r, const struct stream_body *rec)
{
    xen_cpuid_leaf_t leaves[XC_MAX_LEAVES];
    const size_t nr = rec->length / sizeof(leaves[0]);
    uint32_t leaf, subleaf;
    int rc;

    if (!nr || nr > XC_MAX_LEAVES || rec->length % sizeof(leaves[0]))
        return restore_refuse(r, "a damaged stream: an X86_CPUID_POLICY of %zu bytes", rec->length);
    memcpy(leaves, rec->body, rec->length);
    rc = xc_set_domain_cpu_policy(r->xc, r->b->domid, leaves, (uint32_t)nr, &leaf, &subleaf);
    return rc ? restore_refuse(r, "this machine's processor cannot be the one it had: leaf %#x, subleaf %#x: %s", leaf,
                               subleaf, strerror(-rc))
              : 0;
}

static int msr_policy(struct restorer *r, const struct stream_body *rec)
{
    xen_msr_entry_t msrs[16];
    const size_t nr = rec->length / sizeof(msrs[0]);
    int rc;

    if (!nr || nr > sizeof(msrs) / sizeof(msrs[0]) || rec->length % sizeof(msrs[0]))
        return restore_refuse(r, "a damaged stream: an X86_MSR_POLICY of %zu bytes", rec->length);
    memcpy(msrs, rec->body, rec->length);
    rc = xc_set_domain_msr_policy(r->xc, r->b->domid, msrs, (uint32_t)nr);
    return rc ? restore_fail(r, "its MSR policy", rc) : 0;
}

static int record(struct restorer *r, const struct stream_body *rec)
{
    switch (rec->type) {
    case LIBXC_END: r->read = true; return 0;
    case LIBXC_STATIC_DATA_END: r->static_data_ended = true; return 0;
    case LIBXC_VERIFY: return 0;
    case LIBXC_X86_CPUID_POLICY:
    case LIBXC_X86_MSR_POLICY:
        if (!r->b->domid)
            return restore_refuse(r, "a damaged stream: a CPU policy before it is known whose");
        return rec->type == LIBXC_X86_MSR_POLICY ? msr_policy(r, rec) : cpuid_policy(r, rec);
    case LIBXC_PAGE_DATA: return batch_begin(r, rec);
    case LIBXC_X86_TSC_INFO: r->tsc = *rec; return 0;
    default: return rec->type & STREAM_OPTIONAL ? 0 : r->ops->record(r, rec);
    }
}

/* --- all of it --- */

struct restorer *restore_begin(struct xc_handle *xc, struct arena *arena, const struct saved *saved, struct pv_build *b,
                               const struct hvm_settings *settings, char err[IMAGE_ERR_SIZE])
{
    struct restorer *r = xzalloc(arena, struct restorer);

    if (!r) {
        snprintf(err, IMAGE_ERR_SIZE, "out of memory");
        return NULL;
    }
    r->xc = xc, r->arena = arena, r->b = b, r->set = *settings, r->err = err, r->in = saved->libxc;
    r->ops = saved->hvm ? &restore_hvm_ops : &restore_pv_ops;
    b->domid = 0;
    return r;
}

int restore_step(struct restorer *r)
{
    struct stream_body rec;
    int rc;

    if (r->ops->create && r->ops->create(r))
        return -1;
    if (r->batch.body) {
        rc = batch_step(r);
    } else if (r->read) {
        rc = r->ops->finish(r);
        if (rc == 0)
            r->phase = UINT32_MAX;
        return rc;
    } else if (!stream_next(&r->in, &rec)) {
        rc = restore_refuse(r, "a damaged stream");
    } else {
        rc = record(r, &rec);
    }
    return rc ? rc : RESTORE_MORE;
}

void restore_end(struct restorer *r)
{
    if (!r)
        return;
    if (r->phase != UINT32_MAX && r->b->domid)
        xc_domain_destroy(r->xc, r->b->domid);
    xfree(r->p2m);
    xfree(r->type);
    xfree(r);
}
