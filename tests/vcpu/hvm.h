// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An HVM domain made by hypercalls, on a machine with a processor: for tests that run code of their own in it.
 *
 * Memory: HVM_PAGES pages from guest-physical 0. The vCPU begins as a PVH guest does: in protected mode without paging,
 * flat, at HVM_CODE, with its stack below HVM_STACK.
 */
#ifndef TESTS_VCPU_HVM_H
#define TESTS_VCPU_HVM_H

#include "tests/vcpu/fixture.h"

#include "mmu/hvm/p2m.h"
#include "sim/frame.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/run.h"

#include <xen/domctl.h>
#include <xen/hvm/save.h>
#include <xen/memory.h>

#define HVM_PAGES 64
#define HVM_CODE  0x1000
#define HVM_STACK 0x8000

static inline long hvm_domctl(struct fixture *f, struct xen_domctl *op)
{
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    return hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_domctl, (uintptr_t)op, 0, 0, 0, 0);
}

/* n bytes at a guest-physical address, within a page. */
static inline void hvm_put(struct fixture *f, uint64_t gpa, const void *bytes, size_t n)
{
    p2m_type_t t;
    const mfn_t mfn = p2m_get_entry(f->d, PFN_DOWN(gpa), &t);

    assert_true(p2m_is_ram(t));
    assert_int_not_equal(mfn_x(mfn), PFN_DOWN(gpa));
    memcpy((uint8_t *)frame_write_begin(f->m, mfn) + PAGE_OFFSET(gpa), bytes, n);
    frame_write_end(f->m, mfn);
}

static inline void hvm_populate(struct fixture *f)
{
    uint64_t gfn[HVM_PAGES];
    struct xen_memory_reservation r = { .nr_extents = HVM_PAGES, .domid = f->d->domain_id };

    for (unsigned int i = 0; i < HVM_PAGES; i++)
        gfn[i] = i;
    set_xen_guest_handle(r.extent_start, gfn);
    assert_int_equal(
        hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_memory_op, XENMEM_populate_physmap, (uintptr_t)&r, 0, 0, 0),
        HVM_PAGES);
}

static inline void hvm_context(struct fixture *f)
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
        .cpu = { .rip = HVM_CODE, .rsp = HVM_STACK, .rflags = 2, .cr0 = 1 },
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
    assert_int_equal(hvm_domctl(f, &op), 0);
}

/* f->d is it from here on, paused, with devices (XEN_X86_EMU_*); f->v its first vCPU. */
static inline void hvm_create_with(struct fixture *f, unsigned int n, uint32_t devices)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_createdomain };

    op.u.createdomain =
        (struct xen_domctl_createdomain){ .flags = XEN_DOMCTL_CDF_hvm | (f->hap_off ? 0 : XEN_DOMCTL_CDF_hap),
                                          .max_vcpus = n,
                                          .max_evtchn_port = 100,
                                          .grant_opts = 1 };
    op.u.createdomain.arch.emulation_flags = devices;
    op.u.createdomain.max_grant_frames = op.u.createdomain.max_maptrack_frames = 4;
    assert_int_equal(hvm_domctl(f, &op), 0);
    f->d = get_domain_by_id(f->xen, op.domain);
    put_domain(f->d);
    op = (struct xen_domctl){ .cmd = XEN_DOMCTL_max_vcpus, .domain = f->d->domain_id, .u.max_vcpus.max = n };
    assert_int_equal(hvm_domctl(f, &op), 0);
    op = (struct xen_domctl){ .cmd = XEN_DOMCTL_max_mem,
                              .domain = f->d->domain_id,
                              .u.max_mem.max_memkb = 4 * HVM_PAGES };
    assert_int_equal(hvm_domctl(f, &op), 0);
    f->v = f->d->vcpu[0];
    hvm_populate(f);
    hvm_context(f);
}

static inline void hvm_create_vcpus(struct fixture *f, unsigned int n) { hvm_create_with(f, n, 0); }
static inline void hvm_create(struct fixture *f) { hvm_create_vcpus(f, 1); }

static inline void hvm_destroy(struct fixture *f)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_destroydomain, .domain = f->d->domain_id };

    assert_int_equal(hvm_domctl(f, &op), 0);
}

static inline int hvm_setup(void **state)
{
    struct fixture *f = fix_machine(1);

    fix_hypervisor(f);
    hvm_create(f);
    *state = f;
    return 0;
}

/* Until it has ended, or waits, or so much time is over. */
static inline void hvm_go(struct fixture *f, s_time_t ns)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_unpausedomain, .domain = f->d->domain_id };
    bool stop = false;

    if (f->d->controller_pause_count)
        assert_int_equal(hvm_domctl(f, &op), 0);
    xen_run(f->xen, f->m->clock.now + ns, &stop);
}

static inline void hvm_run_code(struct fixture *f, const void *code, size_t n)
{
    hvm_put(f, HVM_CODE, code, n);
    hvm_go(f, SECONDS(1));
}
#define HVM_RUN(f, literal) hvm_run_code(f, literal, sizeof(literal) - 1)

#endif
