// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whoever writes guest memory, in whatever way: a guest that has executed what was there executes what is there.
 *
 * Concept: a word of eight bytes is a program, which a frame contains at some place. It is run (so it is translated), written by
 * one path of the hypervisor or of dom0, and run again. As an entry of a page table or as a descriptor it is "not present":
 *
 *      b8 n n n n 0f 0b 00       mov $n, %eax; ud2
 *
 * Of the twenty paths ten executed the old word before sim/frame.h was: mmu_update of a page table, update_va_mapping, ptwr,
 * pinning an L4, loading a GDT, shared_info, vcpu_info, the grant table, and the two kinds of mappings of dom0.
 *
 * Budget: 440 lines, since the paths have one set of tools in common, and are to be seen beside each other.
 */
#include "tests/vcpu/fixture.h"

#include "evtchn/event_channel.h"
#include "mmu/grant/private.h"
#include "mmu/pv/private.h"
#include "sim/frame.h"
#include "vcpu/native/map.h"
#include "vcpu/runstate.h"
#include "vcpu/time.h"

#define WORD(n)  (UINT64_C(0x000b0f00000000b8) | (uint64_t)(n) << 8)
#define AT       0x108 /* the word's place in a frame of data: slot 33 */
#define NOT_HERE -1    /* something else is executed than before */

#define VIEW   40 /* pages behind the stack: a view of the frame that is written, */
#define SPARE  41 /* and two that are used up */
#define SOURCE 42
#define GDT_WORD                                                                                                       \
    (UINT64_C(0x00009a00000000b8) | 1 << 8) /* mov $1, %eax; a descriptor of ring 0's code, whose DPL is changed */

static uint64_t page_va(const struct fixture *f, unsigned int n)
{
    return (f->scratch & PAGE_MASK) + (n + 1) * PAGE_SIZE;
}

static mfn_t page_mfn(const struct fixture *f, unsigned int n) { return pte_mfn(*map_guest_l1e(f->v, page_va(f, n))); }

/* Map a frame at VIEW, or anything anywhere. */
static void map_entry(struct fixture *f, unsigned int n, uint64_t e)
{
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_update_va_mapping, page_va(f, n), e, UVMF_INVLPG, 0), 0);
}

static void view(struct fixture *f, mfn_t mfn, uint64_t rights)
{
    map_entry(f, VIEW, pte_make(mfn, _PAGE_PRESENT | _PAGE_USER | rights));
}

/* What the word at va does: the number that it moves, or NOT_HERE. */
static long run(struct fixture *f, uint64_t va)
{
    struct cpu_state *r = f->v->regs;
    struct sim_exit x;

    r->rax = 0;
    r->rip = va;
    x = pcpu_run(f->m->pcpu[0], f->v->ctx, 100);
    return x.kind == EXIT_EXCEPTION && x.exception.vector == X86_EXC_UD ? (long)r->rax : NOT_HERE;
}

/* The word at `offset` of mfn, which is at VIEW, is n; it was executed. Its address. */
static uint64_t plant(struct fixture *f, mfn_t mfn, uint64_t offset, uint64_t word)
{
    const uint64_t va = page_va(f, VIEW) + offset;

    frame_write_u64(f->m, (const uint64_t *)mfn_to_virt(f->m, mfn) + offset / 8, word);
    assert_int_equal(run(f, va), 1);
    assert_int_equal(run(f, va), 1);
    return va;
}

/* --- frames of data, mapped to be written --- */

typedef void write_fn(struct fixture *f, mfn_t mfn, uint64_t va);

static void by_copy_to_guest(struct fixture *f, mfn_t mfn, uint64_t va)
{
    const uint64_t word = WORD(2);

    assert_int_equal(copy_to_guest(f->v, va, &word, sizeof(word)), 0);
}

static void mmu_update(struct fixture *f, mfn_t mfn, uint64_t offset, uint64_t val)
{
    const struct mmu_update req = { (mfn_x(mfn) << PAGE_SHIFT) + offset, val };

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_mmu_update, fix_put(f, 0, &req, sizeof(req)), 1, 0, DOMID_SELF), 0);
}

static void by_mmu_update(struct fixture *f, mfn_t mfn, uint64_t va) { mmu_update(f, mfn, AT, WORD(2)); }

static void by_update_descriptor(struct fixture *f, mfn_t mfn, uint64_t va)
{
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_update_descriptor, (mfn_x(mfn) << PAGE_SHIFT) + AT, WORD(2), 0, 0),
                     0);
}

static void mmuext(struct fixture *f, const struct mmuext_op *op)
{
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_mmuext_op, fix_put(f, 0, op, sizeof(*op)), 1, 0, DOMID_SELF), 0);
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

static void by_write_foreign(struct fixture *f, mfn_t mfn, uint64_t va)
{
    uint64_t page[PTES_PER_TABLE] = { [AT / 8] = WORD(2) };

    assert_int_equal(native_write_foreign(native_vcpu(f->dom0), f->d->domain_id, mfn, page), 0);
}

/* Whoever has it mapped writes: the code was executed while it is. */
static void write_mapped(struct fixture *f, void *page, uint64_t va)
{
    assert_int_equal(run(f, va), 1);
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

/* A vcpu_info is there from now on, for good; the time in it is the word. */
static void by_vcpu_time(struct fixture *f, mfn_t mfn, uint64_t va)
{
    const unsigned int in_info = offsetof(struct vcpu_info, time) + offsetof(struct vcpu_time_info, system_time);
    const s_time_t now = f->m->clock.now;

    assert_int_equal(map_vcpu_info(f->v, f->v, mfn_x(mfn), AT - in_info), 0);
    plant(f, mfn, AT, WORD(1));
    f->m->clock.now = (s_time_t)WORD(2);
    update_vcpu_system_time(f->v, f->v);
    f->m->clock.now = now;
}

/* The frame goes back to the heap, comes out again for whoever, and is the guest's again. */
static void by_scrubbing(struct fixture *f, mfn_t mfn, uint64_t va)
{
    struct page_info *pg = mfn_to_page(f->xen, mfn), *first = NULL, *next;

    map_entry(f, VIEW, 0);
    map_entry(f, SPARE, 0);
    BUG_ON(!get_page(pg, f->d));
    put_page_alloc_ref(f->xen, pg);
    put_page(f->xen, pg);
    do { /* those that are not it wait in a list by their addresses */
        next = alloc_domheap_pages(f->xen, f->d, 0, 0);
        assert_non_null(next);
        first = first ?: next;
    } while (next != pg);
    view(f, mfn, _PAGE_RW);
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
    { "a whole frame, by the toolstack", by_write_foreign, 2 },
    { "a foreign mapping of dom0", by_foreign_mapping, 2 },
    { "a grant mapping of dom0", by_grant_mapping, 2 },
    { "runstate area", by_runstate, 2 },
    { "scrubbing", by_scrubbing, NOT_HERE },
    { "time in vcpu_info", by_vcpu_time, 2 },
};

static void test_data(void **state)
{
    struct fixture *f = *state;
    const mfn_t mfn = page_mfn(f, SPARE);

    for (unsigned int i = 0; i < ARRAY_SIZE(data_paths); i++) {
        uint64_t va;
        long now;

        view(f, mfn, _PAGE_RW);
        va = plant(f, mfn, AT, WORD(1));
        data_paths[i].write(f, mfn, va);
        now = run(f, va);
        if (now != data_paths[i].then)
            fail_msg("%s: then %ld is executed, and not %ld", data_paths[i].name, now, data_paths[i].then);
    }
}

/* --- page tables, seen read-only: the word is the entry of page SPARE --- */

static void table_by_mmu_update(struct fixture *f, mfn_t mfn, uint64_t va)
{
    mmu_update(f, mfn, PAGE_OFFSET(va), WORD(2));
}

static void table_by_va_mapping(struct fixture *f, mfn_t mfn, uint64_t va) { map_entry(f, SPARE, WORD(2)); }

static void table_by_ptwr(struct fixture *f, mfn_t mfn, uint64_t va)
{
    static const uint8_t store[] = { 0x48, 0x89, 0x07 }; /* mov %rax, (%rdi) */
    struct cpu_state *r = f->v->regs;

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables, 0, 0),
                     0);
    r->rip = fix_put(f, 0, store, sizeof(store));
    r->rdi = va;
    r->rax = WORD(2);
    assert_true(pv_ro_page_fault(f->v, va, PFEC_page_present | PFEC_write_access));
}

static void test_tables(void **state)
{
    static const struct {
        const char *name;
        write_fn *write;
    } paths[] = {
        { "mmu_update", table_by_mmu_update },
        { "update_va_mapping", table_by_va_mapping },
        { "ptwr", table_by_ptwr },
    };
    struct fixture *f = *state;
    const uint64_t *entry = map_guest_l1e(f->v, page_va(f, SPARE));
    const mfn_t table = virt_to_mfn(f->m, entry);

    map_entry(f, SPARE, 0);
    view(f, table, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(paths); i++) {
        const uint64_t va = plant(f, table, PAGE_OFFSET((uintptr_t)entry), WORD(1));
        long now;

        paths[i].write(f, table, va);
        now = run(f, va);
        if (now != 2)
            fail_msg("%s: then %ld is executed", paths[i].name, now);
    }
}

/* A frame becomes an L4, and its slots of Xen's are filled; it becomes a GDT, and a descriptor loses privilege. */
static void test_types(void **state)
{
    struct fixture *f = *state;
    const mfn_t mfn = page_mfn(f, SPARE);
    const uint64_t frame = mfn_x(mfn), slot = ROOT_PAGETABLE_FIRST_XEN_SLOT + 1;
    uint64_t va;

    map_entry(f, SPARE, 0);
    view(f, mfn, 0);
    va = plant(f, mfn, slot * 8, WORD(1));
    mmuext(f, &(struct mmuext_op){ .cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = frame });
    assert_int_equal(run(f, va), NOT_HERE);
    mmuext(f, &(struct mmuext_op){ .cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = frame });
    memset(frame_write_begin(f->m, mfn), 0, PAGE_SIZE);
    frame_write_end(f->m, mfn);

    va = plant(f, mfn, AT, GDT_WORD); /* 9a is no instruction, and fa is CLI: #UD, #GP */
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_gdt, fix_put(f, 0, &frame, sizeof(frame)), 512, 0, 0), 0);
    assert_int_equal(run(f, va), NOT_HERE);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_gdt, 0, 0, 0, 0), 0);
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

static int setup(void **state)
{
    struct machine_config cfg = { .ram_mib = 128, .nr_pcpus = 1 };
    struct fixture *f = calloc(1, sizeof(*f));
    char err[256] = "";

    f->m = machine_create(&cfg, err, sizeof(err));
    if (!f->m)
        fail_msg("%s", err);
    f->m->log.sink = fix_log;
    f->m->log.data = f;
    f->xen = xen_create(f->m, "rr", err, sizeof(err));
    if (!f->xen)
        fail_msg("%s", err);
    f->dom0 = native_kernel_create(f->xen->dom0);
    f->xc = xc_interface_open(native_vcpu(f->dom0));
    fix_guest(f, &kernel_linux64);
    *state = f;
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fix_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_data),        TEST(test_tables),      TEST(test_types),
        TEST(test_shared_info), TEST(test_grant_table), TEST(test_many_shared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
