// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An HVM domain lives: made by domctls, its vCPU by sethvmcontext, its memory by populate_physmap; it runs, makes
 * hypercalls, is interrupted, and ends.
 */
#include "tests/vcpu/fixture.h"

#include "mmu/hvm/p2m.h"
#include "sim/frame.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/run.h"

#include <xen/domctl.h>
#include <xen/hvm/save.h>
#include <xen/memory.h>
#include <xen/version.h>

#define PAGES  64
#define CODE   0x1000
#define STRING 0x2000
#define HCALL  0x3000 /* its hypercall page */
#define STACK  0x8000

static long domctl(struct fixture *f, struct xen_domctl *op)
{
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    return hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_domctl, (uintptr_t)op, 0, 0, 0, 0);
}

static void put(struct fixture *f, uint64_t gpa, const void *bytes, size_t n)
{
    p2m_type_t t;
    const mfn_t mfn = p2m_get_entry(f->d, PFN_DOWN(gpa), &t);

    assert_int_equal(t, p2m_ram_rw);
    assert_int_not_equal(mfn_x(mfn), PFN_DOWN(gpa));
    memcpy((uint8_t *)frame_write_begin(f->m, mfn) + PAGE_OFFSET(gpa), bytes, n);
    frame_write_end(f->m, mfn);
}

static void populate(struct fixture *f)
{
    uint64_t gfn[PAGES];
    struct xen_memory_reservation r = { .nr_extents = PAGES, .domid = f->d->domain_id };

    for (unsigned int i = 0; i < PAGES; i++)
        gfn[i] = i;
    set_xen_guest_handle(r.extent_start, gfn);
    assert_int_equal(
        hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_memory_op, XENMEM_populate_physmap, (uintptr_t)&r, 0, 0, 0),
        PAGES);
}

/* In protected mode, flat, in front of CODE, as a PVH guest begins. */
static void context(struct fixture *f)
{
    struct {
        struct hvm_save_descriptor d1;
        struct hvm_save_header h;
        struct hvm_save_descriptor d2;
        struct hvm_hw_cpu cpu;
        struct hvm_save_descriptor d3;
    } __attribute__((packed)) s = {
        .d1 = { HVM_SAVE_CODE(HEADER), 0, sizeof(struct hvm_save_header) },
        .h = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION },
        .d2 = { HVM_SAVE_CODE(CPU), 0, sizeof(struct hvm_hw_cpu) },
        .cpu = { .rip = CODE, .rsp = STACK, .rflags = 2, .cr0 = 1 },
        .d3 = { HVM_SAVE_CODE(END), 0, 0 },
    };
    struct xen_domctl op = { .cmd = XEN_DOMCTL_sethvmcontext, .domain = f->d->domain_id };

    s.cpu.cs_limit = s.cpu.ds_limit = s.cpu.es_limit = s.cpu.ss_limit = ~0u;
    s.cpu.cs_arbytes = 0xc9b;
    s.cpu.ds_arbytes = s.cpu.es_arbytes = s.cpu.ss_arbytes = 0xc93;
    s.cpu.tr_limit = 0x67;
    s.cpu.tr_arbytes = 0x8b;
    op.u.hvmcontext.size = sizeof(s);
    set_xen_guest_handle(op.u.hvmcontext.buffer, (uint8_t *)&s);
    assert_int_equal(domctl(f, &op), 0);
}

static int setup(void **state)
{
    struct fixture *f = fix_machine(1);
    struct xen_domctl op = { .cmd = XEN_DOMCTL_createdomain };

    fix_hypervisor(f);
    op.u.createdomain = (struct xen_domctl_createdomain){
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap, .max_vcpus = 1, .max_evtchn_port = 100, .grant_opts = 1
    };
    op.u.createdomain.max_grant_frames = op.u.createdomain.max_maptrack_frames = 4;
    assert_int_equal(domctl(f, &op), 0);
    f->d = get_domain_by_id(f->xen, op.domain);
    put_domain(f->d);
    op = (struct xen_domctl){ .cmd = XEN_DOMCTL_max_vcpus, .domain = f->d->domain_id, .u.max_vcpus.max = 1 };
    assert_int_equal(domctl(f, &op), 0);
    op = (struct xen_domctl){ .cmd = XEN_DOMCTL_max_mem, .domain = f->d->domain_id, .u.max_mem.max_memkb = 4 * PAGES };
    assert_int_equal(domctl(f, &op), 0);
    f->v = f->d->vcpu[0];
    populate(f);
    context(f);
    *state = f;
    return 0;
}

static void run(struct fixture *f, const void *code, size_t n)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_unpausedomain, .domain = f->d->domain_id };
    bool stop = false;

    put(f, CODE, code, n);
    assert_int_equal(domctl(f, &op), 0);
    xen_run(f->xen, f->m->clock.now + SECONDS(1), &stop);
}
#define RUN(f, literal) run(f, literal, sizeof(literal) - 1)

static void test_console(void **state)
{
    struct fixture *f = *state;

    put(f, STRING, "hi\n", 3);
    RUN(f, "\xb9\x00\x00\x00\x40\xb8\x00\x30\x00\x00\x31\xd2\x0f\x30" /* wrmsr: the hypercall page */
           "\x31\xdb\xb9\x03\x00\x00\x00\xba\x00\x20\x00\x00\xb8\x40\x32\x00\x00\xff\xd0" /* console_io(write) */
           "\xb0\x41\xe6\xe9\xb0\x0a\xe6\xe9\xf4");                                       /* "A\n" to port 0xe9; hlt */
    assert_non_null(strstr(f->log, "(d1) hi\n"));
    assert_non_null(strstr(f->log, "(d1) A\n"));
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_poweroff);
}

/* An exception without an IDT: #GP, #DF, shutdown. */
static void test_triple_fault(void **state)
{
    struct fixture *f = *state;

    RUN(f, "\x0f\x0b");
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_reboot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_console, setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_triple_fault, setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
