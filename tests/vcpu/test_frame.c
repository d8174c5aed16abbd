// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whoever writes guest memory, in whatever way: a guest that has executed what was there executes what is there.
 *
 * Concept: a word of eight bytes is a program, which a frame contains at some place. It is run (so it is translated),
 * written by one path of the hypervisor or of dom0, and run again. As an entry of a page table or as a descriptor it is
 * "not present":
 *
 *      b8 n n n n 0f 0b 00       mov $n, %eax; ud2
 *
 * There are 41 paths: 27 here, and 14 that write page tables and descriptors in test_frame_tables.c. Seventeen of them
 * executed the old word before sim/frame.h was: ten of the tables, the two kinds of mappings of dom0, shared_info,
 * vcpu_info, the FIFO control block, the event array, and the grant table.
 *
 * A history (sim/checkpoint.h) is begun before each path, and must have noticed all stores behind it. Frames that no
 * guest can execute from are test_frame_life.c's.
 *
 * What has no row is another row's path. Other hypercalls answer by copy_to_guest(). The toolstack builds, saves and
 * resumes through dom0's mappings and native_write_foreign(). GNTTABOP_transfer leaves the frame as it is and writes
 * the grant table. The frame of PHYSDEVOP_pirq_eoi_gmfn is lent, and never written. The M2P of a guest is NX.
 *
 * Budget: 460 lines, since the paths have one set of tools in common, and are to be seen beside each other.
 */
#include "tests/vcpu/frame.h"

#include "evtchn/event_channel.h"
#include "mmu/grant/private.h"
#include "vcpu/native/map.h"
#include "vcpu/runstate.h"
#include "vcpu/time.h"

/* --- frames of data, mapped to be written --- */

static void by_copy_to_guest(struct fixture *f, mfn_t mfn, uint64_t va)
{
    const uint64_t word = WORD(2);

    assert_int_equal(copy_to_guest(f->v, va, &word, sizeof(word)), 0);
}

static void by_mmu_update(struct fixture *f, mfn_t mfn, uint64_t va) { mmu_update(f, mfn, AT, WORD(2)); }

static void by_update_descriptor(struct fixture *f, mfn_t mfn, uint64_t va)
{
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_update_descriptor, (mfn_x(mfn) << PAGE_SHIFT) + AT, WORD(2), 0, 0),
                     0);
}

static void by_clear_page(struct fixture *f, mfn_t mfn, uint64_t va)
{
    mmuext(f, &(struct mmuext_op){ .cmd = MMUEXT_CLEAR_PAGE, .arg1.mfn = mfn_x(mfn) });
}

/* A frame with the new word in its place. */
static mfn_t source(struct fixture *f)
{
    const mfn_t mfn = page_mfn(f, SOURCE);

    frame_write_u64(f->m, (const uint64_t *)mfn_to_virt(f->m, mfn) + AT / 8, WORD(2));
    return mfn;
}

static void by_copy_page(struct fixture *f, mfn_t mfn, uint64_t va)
{
    mmuext(f, &(struct mmuext_op){ .cmd = MMUEXT_COPY_PAGE, .arg1.mfn = mfn_x(mfn), .arg2.src_mfn = mfn_x(source(f)) });
}

static void by_grant_copy(struct fixture *f, mfn_t mfn, uint64_t va)
{
    const gnttab_copy_t op = { .source = { .u.gmfn = mfn_x(source(f)), .domid = DOMID_SELF },
                               .dest = { .u.gmfn = mfn_x(mfn), .domid = DOMID_SELF },
                               .len = PAGE_SIZE };

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_grant_table_op, GNTTABOP_copy, fix_put(f, 0, &op, sizeof(op)), 1, 0),
                     0);
}

static void by_hypercall_page(struct fixture *f, mfn_t mfn, uint64_t va)
{
    assert_int_equal(hypercall_page_install(f->d, mfn_x(mfn)), 0);
}

static void by_msr(struct fixture *f, mfn_t mfn, uint64_t va)
{
    assert_true(pv_write_msr(f->v, 0x40000000, mfn_x(mfn) << PAGE_SHIFT));
}

static void by_write_foreign(struct fixture *f, mfn_t mfn, uint64_t va)
{
    uint64_t page[PTES_PER_TABLE] = { [AT / 8] = WORD(2) };

    assert_int_equal(native_write_foreign(native_vcpu(f->dom0), f->d->domain_id, mfn, page), 0);
}

/* Whoever has it mapped writes: code from before, and code that was executed while it is. */
static void write_mapped(struct fixture *f, void *page, uint64_t va)
{
    ((uint64_t *)page)[AT / 8] = WORD(3);
    assert_int_equal(run(f, va), 3);
    ((uint64_t *)page)[AT / 8] = WORD(2);
    assert_int_equal(run(f, va), 2);
}

static void by_foreign_mapping(struct fixture *f, mfn_t mfn, uint64_t va)
{
    void *page = native_map_foreign(native_vcpu(f->dom0), f->d->domain_id, mfn);

    assert_non_null(page);
    write_mapped(f, page, va);
    native_unmap(native_vcpu(f->dom0), page);
}

static long dom0_grant_op(struct fixture *f, unsigned int cmd, void *op)
{
    return hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_grant_table_op, cmd, (uintptr_t)op, 1, 0, 0);
}

static void by_grant_mapping(struct fixture *f, mfn_t mfn, uint64_t va)
{
    struct gnttab_map_grant_ref map = { .dom = f->d->domain_id, .ref = 20, .flags = GNTMAP_host_map };
    struct gnttab_unmap_grant_ref unmap;

    *shared_entry_v1(f->d->grant_table, 20) =
        (grant_entry_v1_t){ .flags = GTF_permit_access, .domid = 0, .frame = (uint32_t)mfn_x(mfn) };
    assert_int_equal(dom0_grant_op(f, GNTTABOP_map_grant_ref, &map), 0);
    assert_int_equal(map.status, GNTST_okay);
    write_mapped(f, (void *)(uintptr_t)map.host_addr, va);
    unmap = (struct gnttab_unmap_grant_ref){ .host_addr = map.host_addr, .handle = map.handle };
    assert_int_equal(dom0_grant_op(f, GNTTABOP_unmap_grant_ref, &unmap), 0);
    assert_int_equal(unmap.status, GNTST_okay);
}

static void by_runstate(struct fixture *f, mfn_t mfn, uint64_t va)
{
    f->v->runstate_guest = va - offsetof(struct vcpu_runstate_info, state_entry_time);
    f->v->runstate.state_entry_time = WORD(2);
    update_runstate_area(f->v);
    f->v->runstate_guest = 0;
}

static void by_secondary_time(struct fixture *f, mfn_t mfn, uint64_t va)
{
    const s_time_t now = f->m->clock.now;

    f->v->time_info_guest = va - offsetof(struct vcpu_time_info, system_time);
    f->m->clock.now = (s_time_t)WORD(2);
    update_vcpu_system_time(f->v, f->v);
    f->m->clock.now = now;
    f->v->time_info_guest = 0;
}

/* A vcpu_info is there from now on, for good; the time in it is the word. */
static void by_vcpu_time(struct fixture *f, mfn_t mfn, uint64_t va)
{
    const unsigned int in_info = offsetof(struct vcpu_info, time) + offsetof(struct vcpu_time_info, system_time);
    const s_time_t now = f->m->clock.now;

    assert_int_equal(map_vcpu_info(f->v, f->v, mfn_x(mfn), AT - in_info), 0);
    f->m->clock.now = (s_time_t)WORD(3);
    update_vcpu_system_time(f->v, f->v);
    assert_int_equal(run(f, va), 3); /* code from before */
    plant(f, mfn, AT, WORD(1));
    f->m->clock.now = (s_time_t)WORD(2);
    update_vcpu_system_time(f->v, f->v);
    f->m->clock.now = now;
}

/* --- bounce frames: the stack is such that RCX, or R11 in a frame of an even number of words, is pushed to va --- */

static void stack_at(struct fixture *f, uint64_t va, unsigned int words)
{
    f->v->regs->rcx = f->v->regs->r11 = WORD(2);
    f->v->regs->rsp = va + words * 8;
    f->v->vcpu_info->evtchn_upcall_mask = 0;
}

static struct trap_info handler(const struct fixture *f, uint8_t vector)
{
    return (struct trap_info){ vector, 0, FLAT_KERNEL_CS, f->scratch };
}

static void by_exception(struct fixture *f, mfn_t mfn, uint64_t va)
{
    f->v->pv.trap_ctxt[X86_EXC_GP] = handler(f, X86_EXC_GP);
    stack_at(f, va, 8);
    pv_inject_hw_exception(f->v, X86_EXC_GP, 0);
}

static void by_event(struct fixture *f, mfn_t mfn, uint64_t va)
{
    f->v->pv.event_callback_eip = f->scratch;
    stack_at(f, va, 7);
    f->v->vcpu_info->evtchn_upcall_pending = 1;
    pv_bounce_event(f->v);
    f->v->vcpu_info->evtchn_upcall_pending = 0;
}

static void by_nmi(struct fixture *f, mfn_t mfn, uint64_t va)
{
    f->v->pv.trap_ctxt[X86_EXC_NMI] = handler(f, X86_EXC_NMI);
    f->v->nmi_pending = true;
    stack_at(f, va, 7);
    pv_bounce_event(f->v);
    f->v->nmi_masked = false;
}

static void by_failsafe(struct fixture *f, mfn_t mfn, uint64_t va)
{
    f->v->pv.failsafe_callback_eip = f->scratch;
    stack_at(f, va, 11);
    pv_failsafe_callback(f->v, (const uint16_t[4]){ 0 });
}

/* --- frames that go back to the heap --- */

static uint64_t memory_op(struct fixture *f, unsigned int cmd, uint64_t *frame)
{
    const struct xen_memory_reservation r = { .extent_start.p = (xen_pfn_t *)(uintptr_t)fix_put(f, 64, frame, 8),
                                              .nr_extents = 1,
                                              .domid = DOMID_SELF };
    const uint64_t done = (uint64_t)fix_hypercall(f, __HYPERVISOR_memory_op, cmd, fix_put(f, 0, &r, sizeof(r)), 0, 0);

    *frame = fix_read(f, f->scratch + 64);
    return done;
}

/* The frame comes out again, after those that are not it, and is seen as before. */
static void populate_until(struct fixture *f, mfn_t mfn)
{
    uint64_t frame;

    f->d->max_pages = UINT64_MAX;
    do {
        frame = FIX_PAGES;
        assert_int_equal(memory_op(f, XENMEM_populate_physmap, &frame), 1);
    } while (frame != mfn_x(mfn));
    view(f, mfn, _PAGE_RW);
}

static void by_scrubbing(struct fixture *f, mfn_t mfn, uint64_t va)
{
    uint64_t frame = mfn_x(mfn);

    map_entry(f, VIEW, 0);
    map_entry(f, SPARE, 0);
    assert_int_equal(memory_op(f, XENMEM_decrease_reservation, &frame), 1);
    populate_until(f, mfn);
}

static void by_exchange(struct fixture *f, mfn_t mfn, uint64_t va)
{
    const uint64_t old = mfn_x(mfn), pfn = FIX_PAGES;
    struct xen_memory_exchange x = {
        .in = { .extent_start.p = (xen_pfn_t *)(uintptr_t)fix_put(f, 128, &old, 8),
                .nr_extents = 1,
                .domid = DOMID_SELF },
        .out = { .extent_start.p = (xen_pfn_t *)(uintptr_t)fix_put(f, 136, &pfn, 8),
                 .nr_extents = 1,
                 .domid = DOMID_SELF },
    };

    map_entry(f, VIEW, 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_memory_op, XENMEM_exchange, fix_put(f, 0, &x, sizeof(x)), 0, 0), 0);
    assert_int_not_equal(fix_read(f, f->scratch + 136), old);
    populate_until(f, mfn);
}

static const struct {
    const char *name;
    write_fn *write;
    long then;
} data_paths[] = {
    { "copy_to_guest", by_copy_to_guest, 2 },
    { "mmu_update of data", by_mmu_update, 2 },
    { "update_descriptor", by_update_descriptor, 2 },
    { "MMUEXT_CLEAR_PAGE", by_clear_page, NOT_HERE },
    { "MMUEXT_COPY_PAGE", by_copy_page, 2 },
    { "grant copy", by_grant_copy, 2 },
    { "hypercall page", by_hypercall_page, NOT_HERE },
    { "hypercall page, by its MSR", by_msr, NOT_HERE },
    { "a whole frame, by the toolstack", by_write_foreign, 2 },
    { "a foreign mapping of dom0", by_foreign_mapping, 2 },
    { "a grant mapping of dom0", by_grant_mapping, 2 },
    { "runstate area", by_runstate, 2 },
    { "secondary time", by_secondary_time, 2 },
    { "exception", by_exception, 2 },
    { "event", by_event, 2 },
    { "NMI", by_nmi, 2 },
    { "failsafe callback", by_failsafe, 2 },
    { "decrease_reservation and populate_physmap", by_scrubbing, NOT_HERE },
    { "XENMEM_exchange and populate_physmap", by_exchange, NOT_HERE },
    { "time in vcpu_info", by_vcpu_time, 2 },
};

static void test_data(void **state)
{
    struct fixture *f = *state;
    const mfn_t mfn = page_mfn(f, SPARE);
    bool failed = false;

    for (unsigned int i = 0; i < ARRAY_SIZE(data_paths); i++) {
        uint64_t va;
        long now;

        view(f, mfn, _PAGE_RW);
        va = plant(f, mfn, AT, WORD(1));
        data_paths[i].write(f, mfn, va);
        now = run(f, va);
        if (now != data_paths[i].then)
            print_error("%s: then %ld is executed, and not %ld\n", data_paths[i].name, now, data_paths[i].then);
        failed |= now != data_paths[i].then;
    }
    assert_false(failed);
}

/* A bounce frame of a 32-bit kernel: its words are the halves of the word that is executed. */
static void test_bounce32(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r;
    uint64_t va;
    mfn_t mfn;

    fix_guest(f, &kernel_legacy32);
    r = f->v->regs;
    va = page_va(f, 0) + AT;
    mfn = page_mfn(f, 0);

    plant_at(f, mfn, va, WORD(1));
    f->v->pv.trap_ctxt[X86_EXC_GP] = (struct trap_info){ X86_EXC_GP, 0, r->seg[CPU_SEG_CS].sel, f->scratch };
    r->rip = WORD(2) >> 32;
    r->rsp = va + 4 * 4;
    pv_inject_hw_exception(f->v, X86_EXC_GP, (uint32_t)WORD(2));
    assert_int_equal(run(f, va), 2);

    plant_at(f, mfn, va, WORD(1));
    f->v->vcpu_info->evtchn_upcall_mask = 0;
    f->v->vcpu_info->evtchn_upcall_pending = 1;
    f->v->pv.event_callback_eip = f->scratch;
    f->v->pv.event_callback_cs = r->seg[CPU_SEG_CS].sel;
    r->rip = 0x0b0f; /* ud2 */
    r->rsp = va + 3 * 4;
    pv_bounce_event(f->v);
    assert_int_equal(run(f, va), 0);

    plant_at(f, mfn, va, WORD(1));
    f->v->pv.failsafe_callback_eip = f->scratch;
    f->v->pv.failsafe_callback_cs = r->seg[CPU_SEG_CS].sel;
    r->rsp = va + 7 * 4;
    pv_failsafe_callback(f->v, (const uint16_t[4]){ 0x0b0f });
    assert_int_equal(run(f, va), 0);
}

/* --- frames of Xen's that the guest maps --- */

static void test_shared_info(void **state)
{
    struct fixture *f = *state;
    const uint64_t place = offsetof(struct shared_info, evtchn_pending[1]);
    struct evtchn_bind_ipi op = { .vcpu = 0 };
    uint64_t va;

    while (op.port < 64 + 9) /* the second bit of n */
        assert_int_equal(
            fix_hypercall(f, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, fix_put(f, 0, &op, sizeof(op)), 0, 0)
                ?: copy_from_guest(f->v, &op, f->scratch, sizeof(op)),
            0);
    view(f, f->d->shared_info_mfn, _PAGE_RW);
    va = plant(f, f->d->shared_info_mfn, place, WORD(1));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_event_channel_op, EVTCHNOP_send,
                                   fix_put(f, 0, &(evtchn_send_t){ 64 + 9 }, sizeof(evtchn_send_t)), 0, 0),
                     0);
    assert_int_equal(run(f, va), 3);
}

static void event_op(struct fixture *f, unsigned int cmd, void *op, size_t size)
{
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_event_channel_op, cmd, fix_put(f, 0, op, size), 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, op, f->scratch, size), 0);
}

/*
 * An event of the ninth priority: PENDING and LINKED in its word of the event array, and `ready` in the control block.
 */
static void test_fifo(void **state)
{
    struct fixture *f = *state;
    const mfn_t control = page_mfn(f, SPARE), array = page_mfn(f, SOURCE);
    struct evtchn_bind_ipi bind = { .vcpu = 0 };
    evtchn_set_priority_t priority = { .port = AT / sizeof(event_word_t), .priority = 9 };
    evtchn_init_control_t init = { .control_gfn = mfn_x(control), .offset = AT, .vcpu = 0 };
    evtchn_expand_array_t expand = { .array_gfn = mfn_x(array) };

    while (bind.port < priority.port)
        event_op(f, EVTCHNOP_bind_ipi, &bind, sizeof(bind));
    event_op(f, EVTCHNOP_init_control, &init, sizeof(init));
    event_op(f, EVTCHNOP_expand_array, &expand, sizeof(expand));
    event_op(f, EVTCHNOP_set_priority, &priority, sizeof(priority));
    view(f, array, _PAGE_RW);
    plant(f, array, AT, WORD(1));
    view(f, control, _PAGE_RW);
    plant(f, control, AT, WORD(1));
    event_op(f, EVTCHNOP_send, &(evtchn_send_t){ priority.port }, sizeof(evtchn_send_t));
    assert_int_equal(run(f, page_va(f, VIEW) + AT), 1 | 1 << 1);
    view(f, array, _PAGE_RW);
    assert_int_equal(run(f, page_va(f, VIEW) + AT), 1 | 1 << (EVTCHN_FIFO_PENDING - 8) | 1 << (EVTCHN_FIFO_LINKED - 8));
}

static void test_grant_table(void **state)
{
    struct fixture *f = *state;
    struct gnttab_set_version op = { .version = 2 };
    const mfn_t mfn = f->d->grant_table->shared[0];
    uint64_t va;

    view(f, mfn, _PAGE_RW);
    va = plant(f, mfn, AT, WORD(1));
    assert_int_equal(
        fix_hypercall(f, __HYPERVISOR_grant_table_op, GNTTABOP_set_version, fix_put(f, 0, &op, sizeof(op)), 1, 0), 0);
    assert_int_equal(run(f, va), NOT_HERE);
}

/* More shared frames with code than the engine notes, each of which jumps to the next one. */
static void test_many_shared(void **state)
{
    const uint64_t jump = UINT64_C(0xe9) | (PAGE_SIZE - 5) << 8;
    struct fixture *f = *state;
    uint64_t *page[32];

    for (unsigned int i = 0; i < ARRAY_SIZE(page); i++)
        page[i] = frame_share(f->m, page_mfn(f, i));
    for (unsigned int round = 1; round < 4; round++)
        for (unsigned int last = 0; last < ARRAY_SIZE(page); last++) {
            for (unsigned int i = 0; i < ARRAY_SIZE(page); i++)
                page[i][AT / 8] = i < last ? jump : WORD(100 * round + i);
            assert_int_equal(run(f, page_va(f, 0) + AT), 100 * round + last);
        }
    for (unsigned int i = 0; i < ARRAY_SIZE(page); i++)
        frame_unshare(f->m, page_mfn(f, i));
}

/* --- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_data), TEST(test_bounce32),    TEST(test_shared_info),
        TEST(test_fifo), TEST(test_grant_table), TEST(test_many_shared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
