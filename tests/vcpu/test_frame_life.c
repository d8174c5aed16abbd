// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hypervisor says of each frame that it writes that it does, before it does: from its own beginning to the end of
 * its guests.
 *
 * Concept: a history (sim/checkpoint.h) begins before the hypervisor does. Behind each thing that is done, all of RAM
 * must be what history knows, and a checkpoint is taken, so that what the next thing writes is to be said anew. Most of
 * these frames are Xen's own, from which no guest can execute: test_frame.c cannot see them.
 *
 * Some could do without: a second write to a frame within one hypercall, the first of which was said. These are Xen's
 * entry in a new vCPU's GDT (mmu/pv/perdomain.c), those of the guest's GDT, behind the clearing (mmu/pv/descriptor.c),
 * and what dom0 writes to a frame that it has mapped for that (vcpu/native/map.c).
 */
#include "tests/vcpu/frame.h"

#include "mmu/grant/private.h"
#include "mmu/m2p.h"
#include "vcpu/native/map.h"

static void noticed(struct fixture *f, const char *what)
{
    struct divergence d;

    if (!history_is_whole(f->m->edges->history, &d))
        fail_msg("%s: history has not noticed a store to machine frame 0x%lx", what, (unsigned long)mfn_x(d.mfn));
    assert_true(checkpoint_take(f->m->edges->history, &d));
}

static void beginning(struct fixture *f)
{
    history_begins(f);
    fix_hypervisor(f);
    noticed(f, "the hypervisor");
    f->xen->dom0->shared_info->evtchn_pending[1] = 1;
    noticed(f, "what dom0 shares with the hypervisor");
    fix_guest(f, &kernel_linux64);
    noticed(f, "a guest");
}

static void descriptors(struct fixture *f)
{
    const uint64_t frame = mfn_x(page_mfn(f, 0));

    map_entry(f, 0, pte_make(page_mfn(f, 0), _PAGE_PRESENT | _PAGE_USER));
    map_entry(f, 1, pte_make(page_mfn(f, 1), _PAGE_PRESENT | _PAGE_USER));
    noticed(f, "update_va_mapping");
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_gdt, fix_put(f, 0, &frame, sizeof(frame)), 512, 0, 0), 0);
    noticed(f, "set_gdt");
    mmuext(f, &(struct mmuext_op){ .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = page_va(f, 1), .arg2.nr_ents = 512 });
    noticed(f, "MMUEXT_SET_LDT");
    assert_true(pv_map_ldt_shadow_page(f->v, 0));
    noticed(f, "a page of an LDT");
    mmuext(f, &(struct mmuext_op){ .cmd = MMUEXT_SET_LDT });
    assert_int_equal(f->v->pv.shadow_ldt_mapcnt, 0);
    noticed(f, "no LDT");
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_gdt, 0, 0, 0, 0), 0);
    noticed(f, "no GDT");
}

/* Frames that are written at any time, as soon as they are, and later. */
static void shared(struct fixture *f)
{
    struct gnttab_set_version version = { .version = 2 };
    struct evtchn_bind_ipi ipi = { .vcpu = 0 };
    uint64_t *page;

    assert_int_equal(
        fix_hypercall(f, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, fix_put(f, 0, &ipi, sizeof(ipi)), 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, &ipi, f->scratch, sizeof(ipi)), 0);
    noticed(f, "a port");
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_event_channel_op, EVTCHNOP_send,
                                   fix_put(f, 0, &(evtchn_send_t){ ipi.port }, sizeof(evtchn_send_t)), 0, 0),
                     0);
    noticed(f, "an event");
    page = native_map_foreign(native_vcpu(f->dom0), f->d->domain_id, page_mfn(f, 2));
    assert_non_null(page);
    page[0] = 1;
    noticed(f, "what dom0 has mapped");
    page[1] = 2;
    noticed(f, "what dom0 still has mapped");
    native_unmap(native_vcpu(f->dom0), page);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_grant_table_op, GNTTABOP_set_version,
                                   fix_put(f, 0, &version, sizeof(version)), 1, 0),
                     0);
    noticed(f, "a grant table of version 2");
    *grant_status_word(f->d->grant_table, 30) = GTF_reading;
    noticed(f, "the status of a grant");
}

/* A frame that dom0 still has mapped, by a grant, when it goes itself. */
static void granted(struct fixture *f)
{
    struct gnttab_map_grant_ref map = { .dom = f->d->domain_id, .ref = 20, .flags = GNTMAP_host_map };

    *shared_entry_v2(f->d->grant_table, 20) =
        (grant_entry_v2_t){ .full_page = { .hdr = { .flags = GTF_permit_access, .domid = 0 },
                                           .frame = mfn_x(page_mfn(f, 3)) } };
    assert_int_equal(hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref,
                                      (uintptr_t)&map, 1, 0, 0),
                     0);
    assert_int_equal(map.status, GNTST_okay);
    ((uint64_t *)(uintptr_t)map.host_addr)[0] = 1;
    noticed(f, "a grant that dom0 has mapped");
}

/* A 32-bit kernel's L3 has four entries; what is behind them goes, whatever comes of it. */
static void narrow(struct fixture *f)
{
    const mfn_t l3 = page_mfn(f, 0), l2 = page_mfn(f, 1);
    const uint64_t *entry = mfn_to_virt(f->m, l3);

    for (unsigned int n = 0; n < 2; n++)
        map_entry32(f, n, 0);
    frame_write_u64(f->m, entry + 3, pte_make(l2, _PAGE_PRESENT));
    frame_write_u64(f->m, entry + 33, WORD(1));
    noticed(f, "our own writing");
    assert_int_equal(get_page_and_type_from_mfn(f->v, l3, PGT_l3_page_table, f->d, 0), 0);
    assert_int_equal(entry[33], 0);
    noticed(f, "an L3 of four entries");
    put_page_and_type(f->xen, mfn_to_page(f->xen, l3));
}

static void numbers(struct fixture *f)
{
    const mfn_t mfn = page_mfn(f, 3);
    const uint64_t pfn = f->xen->m2p[mfn_x(mfn)];

    m2p_entry_set(f->xen, mfn, 7);
    noticed(f, "a frame's number");
    m2p_entry_set(f->xen, mfn, pfn);
}

static void test_life(void **state)
{
    struct fixture *f = fix_machine(0);

    beginning(f);
    descriptors(f);
    shared(f);
    granted(f);
    fix_guest(f, &kernel_legacy32);
    noticed(f, "a 32-bit guest");
    narrow(f);
    numbers(f);
    assert_int_equal(xc_domain_destroy(f->xc, f->d->domain_id), 0);
    noticed(f, "the end of a guest");
    *state = f;
    history_ends(f);
    fix_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_life) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
