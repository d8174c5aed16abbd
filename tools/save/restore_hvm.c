// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Restoring a PVH or HVM domain.
 *
 * Concept: pages go where they were, by the domain's own numbers; then parameters, new event channels for console and
 * xenstore, whose pages are emptied, and last what the hypervisor is to know of it, with which its vCPUs can run.
 *
 * Corresponds to tools/libs/guest/xg_sr_restore_x86_hvm.c.
 */
#include "tools/save/restore_private.h"

#include <errno.h>
#include <string.h>
#include <xen/hvm/params.h>

#define FIRST_4GIB (UINT64_C(1) << 20) /* pages: devices, and what the builder has put there */

/* Domain and room for its pages: before the first record. */
static int create(struct restorer *r)
{
    if (r->b->domid)
        return 0;
    if (build_hvm_domain(r->xc, r->b, &r->set, r->err))
        return -1;
    if (!r->set.device_model)
        return restore_pfns(r, FIRST_4GIB + r->b->max_pages);
    /* The screen's memory is 4 GiB behind all else, until the guest has a place for it: tools/build/hvm_plan.h. */
    return restore_pfns(r, 2 * FIRST_4GIB + r->b->max_pages + ((uint64_t)r->set.screen_mib << (20 - PAGE_SHIFT)));
}

static int record(struct restorer *r, const struct stream_body *rec)
{
    switch (rec->type) {
    case LIBXC_HVM_CONTEXT: r->context = *rec; return 0;
    case LIBXC_HVM_PARAMS: r->params = *rec; return 0;
    default:
        return restore_refuse(r, "a damaged stream: a record %s of an HVM domain", libxc_record_name(rec->type) ?: "");
    }
}

static bool type_ok(uint32_t type) { return type == XEN_DOMCTL_PFINFO_NOTAB; }

static int page(struct restorer *r, uint64_t pfn, const uint8_t *from)
{
    const int rc = xc_copy_to_domain_page(r->xc, r->b->domid, _mfn(pfn), from);

    return rc ? restore_fail(r, "a page of its cannot be written", rc) : 0;
}

/* --- parameters --- */

static int page_clear(struct restorer *r, uint64_t pfn)
{
    static const uint8_t zeroes[PAGE_SIZE];
    uint64_t frame;

    if (!restore_frame(r, pfn, &frame))
        return restore_refuse(r, "a damaged stream: page %#llx of console or xenstore is not there",
                              (unsigned long long)pfn);
    return page(r, pfn, zeroes);
}

static int param(struct restorer *r, uint64_t index, uint64_t value)
{
    int rc;

    switch (index) {
    case HVM_PARAM_STORE_PFN: r->b->store_mfn = _mfn(value); break;
    case HVM_PARAM_CONSOLE_PFN: r->b->console_mfn = _mfn(value); break;
    case HVM_PARAM_IOREQ_SERVER_PFN:
    case HVM_PARAM_NR_IOREQ_SERVER_PAGES:
    case HVM_PARAM_IOREQ_PFN:
    case HVM_PARAM_BUFIOREQ_PFN:
    case HVM_PARAM_PAGING_RING_PFN:
    case HVM_PARAM_MONITOR_RING_PFN:
    case HVM_PARAM_SHARING_RING_PFN:
    case HVM_PARAM_VM_GENERATION_ID_ADDR:
    case HVM_PARAM_VM86_TSS_SIZED:
    case HVM_PARAM_ACPI_IOPORTS_LOCATION:
    case HVM_PARAM_IDENT_PT: break;
    default:
        return restore_refuse(r, "a damaged stream, or one of another Xen: parameter %llu", (unsigned long long)index);
    }
    if (index > UINT32_MAX)
        return restore_refuse(r, "a damaged stream: parameter %llu", (unsigned long long)index);
    rc = xc_hvm_param_set(r->xc, r->b->domid, (uint32_t)index, value);
    return rc ? restore_fail(r, "its parameters are refused", rc) : 0;
}

static int params(struct restorer *r)
{
    struct libxc_hvm_params head = { 0 };
    uint64_t entry[2];

    if (r->params.length >= sizeof(head))
        memcpy(&head, r->params.body, sizeof(head));
    if (!r->params.body || head.reserved || r->params.length != sizeof(head) + (uint64_t)head.count * sizeof(entry))
        return restore_refuse(r, "a damaged stream: there is no HVM_PARAMS, or it is of another length than it says");
    r->b->store_mfn = r->b->console_mfn = INVALID_MFN;
    for (uint32_t i = 0; i < head.count; i++) {
        memcpy(entry, r->params.body + sizeof(head) + i * sizeof(entry), sizeof(entry));
        if (param(r, entry[0], entry[1]))
            return -1;
    }
    return page_clear(r, mfn_x(r->b->store_mfn)) || page_clear(r, mfn_x(r->b->console_mfn)) ? -1 : 0;
}

/* What its configuration states, as for a new one; and the two event channels. */
static int settings(struct restorer *r)
{
    struct pv_build *b = r->b;
    int rc = build_hvm_params(r->xc, b, &r->set);

    return rc ? restore_fail(r, "its parameters", rc) : 0;
}

static int context(struct restorer *r)
{
    int rc;

    if (!r->context.length)
        return restore_refuse(r, "a damaged stream: there is no HVM_CONTEXT");
    if (restore_tsc(r, &r->tsc))
        return -1;
    rc = xc_domain_hvm_setcontext(r->xc, r->b->domid, r->context.body, (uint32_t)r->context.length);
    return rc ? restore_fail(r, "what the hypervisor is to know of it is refused", rc) : 0;
}

static int grants(struct restorer *r)
{
    const int rc = build_hvm_grants(r->xc, r->b);

    return rc ? restore_fail(r, "the grants of console and xenstore", rc) : 0;
}

static int (*const phases[])(struct restorer *r) = { params, settings, grants, context };

static int finish(struct restorer *r)
{
    const int rc = phases[r->phase](r);

    return rc ? rc : ++r->phase < sizeof(phases) / sizeof(phases[0]) ? RESTORE_MORE : 0;
}

const struct restore_ops restore_hvm_ops = {
    .create = create, .record = record, .type_ok = type_ok, .page = page, .finish = finish
};
