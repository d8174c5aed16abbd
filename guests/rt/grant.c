// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grant tables: letting another domain use a page, by consent.
 *
 * Concept: each domain has a table of grants, in memory that it shares with Xen. Entry number `ref` says: this domain
 * may use that frame of mine, perhaps for reading only. The other domain asks Xen to map the frame, or to copy from or
 * to it, naming us and the ref; Xen checks the entry and marks it as in use (GTF_reading, GTF_writing). No hypercall
 * is needed to grant.
 *
 * To revoke, the entry is set to 0, but only if it is not in use: the guest must not compute with flags that Xen
 * changes at the same time, hence the compare-and-exchange. A page that stays mapped is the other domain's for as long
 * as it likes.
 *
 * Stated in public <xen/grant_table.h>.
 */
#include "guests/rt/guest.h"

static volatile struct grant_entry_v1 *table;

unsigned int grants_init(void)
{
    xen_pfn_t frame;
    struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 1 };
    void *hole = page_alloc(); /* the table takes its place */

    set_xen_guest_handle(setup.frame_list, &frame);
    MUST(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1));
    if (setup.status != GNTST_okay)
        guest_panic("no grant table: %s", grant_error(setup.status));
    MUST(page_map(hole, frame, PTE_KERNEL));
    table = hole;
    return PAGE_SIZE / sizeof(table[0]);
}

void grant_access(grant_ref_t ref, domid_t peer, const void *page, bool readonly)
{
    table[ref].domid = peer;
    table[ref].frame = (uint32_t)virt_to_mfn(page);
    barrier(); /* the flags make it valid: last */
    table[ref].flags = (uint16_t)(GTF_permit_access | (readonly ? GTF_readonly : 0));
}

bool grant_revoke(grant_ref_t ref)
{
    uint16_t flags = table[ref].flags;

    do
        if (flags & (GTF_reading | GTF_writing))
            return false;
    while (!__atomic_compare_exchange_n(&table[ref].flags, &flags, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    return true;
}

int grant_map(void *va, domid_t peer, grant_ref_t ref, bool readonly, grant_handle_t *handle)
{
    struct gnttab_map_grant_ref map = {
        .host_addr = (uintptr_t)va,
        .flags = GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0),
        .ref = ref,
        .dom = peer,
    };

    MUST(HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, &map, 1));
    *handle = map.handle;
    return map.status;
}

int grant_unmap(void *va, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref unmap = { .host_addr = (uintptr_t)va, .handle = handle };

    MUST(HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1));
    return unmap.status;
}

int grant_copy(void *page, domid_t peer, grant_ref_t ref, bool to_peer, size_t len)
{
    struct gnttab_copy copy = { .len = (uint16_t)len, .flags = to_peer ? GNTCOPY_dest_gref : GNTCOPY_source_gref };
    struct gnttab_copy_ptr *mine = to_peer ? &copy.source : &copy.dest, *theirs = to_peer ? &copy.dest : &copy.source;

    mine->u.gmfn = virt_to_mfn(page);
    mine->domid = DOMID_SELF;
    theirs->u.ref = ref;
    theirs->domid = peer;
    MUST(HYPERVISOR_grant_table_op(GNTTABOP_copy, &copy, 1));
    return copy.status;
}

const char *grant_error(int status)
{
    static const char *const name[] = {
        "ok",
        "general error",
        "bad domain",
        "bad grant reference",
        "bad handle",
        "bad address",
        "bad bus address",
        "no device space",
        "permission denied",
        "bad page",
        "bad copy",
        "too big",
        "try again",
        "no space",
    };

    return status <= 0 && (size_t)-status < ARRAY_SIZE(name) ? name[-status] : "unknown status";
}
