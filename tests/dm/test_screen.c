// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The memory of an HVM domain's screen: frames of the domain's that go where it has BAR 0, with a device model that is
 * a task or (in_xen) the hypervisor. What is there already stays; a frame that the domain gives up is seen until the
 * device model ends.
 */
#include "rings/dm/direct.h"
#include "rings/dm/dm.h"
#include "tests/vcpu/hvm.h"

#define IOREQ_GFN 56 /* frames put aside for requests, from here on */
#define HOME      0x200000
#define FRAMES    256
#define BAR       0xe0000
#define MORE      8 /* frames that the domain may have yet */

static struct dm *dm;
static struct dm_direct *direct;
static struct pc *pc;

static long memory_op(struct fixture *f, unsigned int cmd, uint64_t gfn, uint64_t nr)
{
    uint64_t list[FRAMES];
    struct xen_memory_reservation r = { .nr_extents = nr, .domid = f->d->domain_id };

    for (uint64_t i = 0; i < nr; i++)
        list[i] = gfn + i;
    set_xen_guest_handle(r.extent_start, list);
    return hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_memory_op, cmd, (uintptr_t)&r, 0, 0, 0);
}

static int setup_of(void **state, bool in_xen)
{
    struct pc_config cfg = { .vga_mib = 1, .vga_gfn = HOME };
    struct xen_domctl op = { .cmd = XEN_DOMCTL_max_mem, .u.max_mem.max_memkb = 4 * (HVM_PAGES + FRAMES + MORE) };
    struct fixture *f;
    int rc = 0;

    if (hvm_setup(state))
        return -1;
    f = *state;
    op.domain = f->d->domain_id;
    assert_int_equal(hvm_domctl(f, &op), 0);
    assert_int_equal(memory_op(f, XENMEM_populate_physmap, HOME, FRAMES), FRAMES);
    assert_int_equal(xc_hvm_param_set(f->xc, f->d->domain_id, HVM_PARAM_IOREQ_SERVER_PFN, IOREQ_GFN), 0);
    assert_int_equal(xc_hvm_param_set(f->xc, f->d->domain_id, HVM_PARAM_NR_IOREQ_SERVER_PAGES, 4), 0);
    assert_int_equal(native_timers_start(f->dom0), 0);
    cfg.arena = f->m->arena;
    dm = in_xen ? NULL : dm_create(f->dom0, f->d->domain_id, &cfg, &rc);
    direct = in_xen ? dm_direct_create(f->d, &cfg, &rc) : NULL;
    assert_int_equal(rc, 0);
    pc = in_xen ? dm_direct_pc(direct) : dm_pc(dm);
    return 0;
}

static int setup(void **state) { return setup_of(state, false); }
static int setup_direct(void **state) { return setup_of(state, true); }

static int teardown(void **state)
{
    fix_audit(*state);
    dm_direct_destroy(direct);
    direct = NULL;
    dm_destroy(dm);
    dm = NULL;
    return fix_teardown(state);
}

static void config(unsigned int reg, unsigned int size, uint32_t val)
{
    pc_pci_config(pc, UINT64_C(0x10) << 32 | reg, size, true, val);
}

static void bar0(uint64_t gfn)
{
    config(0x10, 4, (uint32_t)gfn << PAGE_SHIFT);
    config(4, 2, 2);
}

/* How many of the screen's frames are at their places, from gfn on? */
static unsigned int placed(struct fixture *f, uint64_t gfn)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < FRAMES; i++) {
        p2m_type_t t;
        const mfn_t mfn = p2m_get_entry(f->d, gfn + i, &t);

        n += t == p2m_ram_rw && mfn_to_virt(f->m, mfn) == pc->vga_page[i].bytes;
    }
    return n;
}

static void moves(void **state)
{
    struct fixture *f = *state;
    const uint8_t zero[4] = { 0 };
    const uint64_t pages = f->d->tot_pages;

    assert_int_equal(placed(f, HOME), FRAMES);
    bar0(BAR);
    assert_int_equal(placed(f, BAR), FRAMES);
    assert_int_equal(placed(f, HOME), 0);
    hvm_put(f, (uint64_t)BAR << PAGE_SHIFT | 0x1234, "\x11\x22\x33\x44", 4);
    assert_memory_equal(pc->vga_page[1].bytes + 0x234, "\x11\x22\x33\x44", 4);
    bar0(BAR + FRAMES);
    assert_int_equal(placed(f, BAR + FRAMES), FRAMES);
    config(4, 2, 0);
    assert_int_equal(placed(f, HOME), FRAMES);
    assert_memory_equal(pc->vga_page[1].bytes + 0x234, "\x11\x22\x33\x44", 4);
    vga_linear_ops.write(&pc->vga, 0x1234, 4, 0); /* it still can be written */
    assert_memory_equal(pc->vga_page[1].bytes + 0x234, zero, 4);
    assert_int_equal(f->d->tot_pages, pages);
}

/* RAM at the BAR's place is not lost, and the hypervisor's page stays where it is. */
static void overlaps(void **state)
{
    struct fixture *f = *state;
    p2m_type_t t;

    assert_int_equal(memory_op(f, XENMEM_populate_physmap, BAR + 16, MORE), MORE);
    hvm_put(f, (uint64_t)(BAR + 16) << PAGE_SHIFT, "RAM", 4);
    bar0(BAR);
    assert_int_equal(placed(f, BAR), FRAMES - MORE);
    assert_int_equal(placed(f, HOME), MORE);
    assert_string_equal(mfn_to_virt(f->m, p2m_get_entry(f->d, BAR + 16, &t)), "RAM");
    HVM_RUN(f, "\xf4"); /* hlt: the local APIC's page comes with the first entry */
    bar0(0xfee00);
    assert_int_equal(placed(f, 0xfee00), FRAMES - 1);
    assert_int_equal(placed(f, HOME), 1);
    p2m_get_entry(f->d, 0xfee00, &t);
    assert_int_equal(t, p2m_mmio_direct);
    bar0(BAR - FRAMES);
    assert_int_equal(placed(f, BAR - FRAMES), FRAMES);
}

/* The domain gives some up, or has put one elsewhere: nothing else of its memory is written in their stead. */
static void given_up(void **state)
{
    struct fixture *f = *state;
    const uint8_t *page = pc->vga_page[5].bytes;
    p2m_type_t t;

    bar0(BAR);
    hvm_put(f, (uint64_t)(BAR + 5) << PAGE_SHIFT, "seen", 5);
    assert_int_equal(memory_op(f, XENMEM_decrease_reservation, BAR + 4, 2), 2);
    fix_audit(f);
    assert_string_equal(page, "seen");
    vga_linear_ops.write(&pc->vga, 5 * PAGE_SIZE, 4, 0);
    assert_string_equal(page, "seen");
    config(4, 2, 0);
    bar0(BAR);
    assert_int_equal(placed(f, BAR), FRAMES - 2);
    assert_int_equal(memory_op(f, XENMEM_populate_physmap, BAR + 4, 2), 2);
    assert_int_equal(f->d->tot_pages, HVM_PAGES + FRAMES + 2); /* the others count until they are not seen */
    hvm_put(f, (uint64_t)(BAR + 5) << PAGE_SHIFT, "mine", 5);
    config(4, 2, 0);
    bar0(BAR);
    assert_string_equal(mfn_to_virt(f->m, p2m_get_entry(f->d, BAR + 5, &t)), "mine");
}

static void dies_first(void **state)
{
    struct fixture *f = *state;

    bar0(BAR);
    hvm_put(f, (uint64_t)BAR << PAGE_SHIFT, "seen", 5);
    if (dm)
        hvm_destroy(f);
    assert_string_equal(pc->vga_page[0].bytes, "seen");
    fix_audit(f);
}

#define TASK(name)   cmocka_unit_test_setup_teardown(name, setup, teardown)
#define DIRECT(name) cmocka_unit_test_setup_teardown(name, setup_direct, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TASK(moves),   TASK(overlaps),   TASK(given_up),   TASK(dies_first),
        DIRECT(moves), DIRECT(overlaps), DIRECT(given_up), DIRECT(dies_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
