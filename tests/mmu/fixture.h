// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guests without a processor, for the tests of paging: a hypervisor on a made-up machine, and PV domains whose page
 * tables are built by hand but whose hypercalls are the real ones.
 *
 * Each guest owns FIX_FRAMES frames, frame[0..]; all are mapped at FIX_VA(d), frame n at page n, the page tables
 * read-only:
 *
 *      PV64: frame 0 is the L4, 1 the L3, 2 the L2, 3 the L1; PV32: 0 the L3, 1 its last L2, 2 the L1
 *      frame FIX_ARGS holds the arguments of hypercalls; frames from FIX_FREE on are plain data
 */
#ifndef TESTS_MMU_FIXTURE_H
#define TESTS_MMU_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mmu/audit.h"
#include "mmu/guest_access.h"
#include "mmu/heap.h"
#include "mmu/pv/private.h"
#include "tests/support/ram.h"
#include "vcpu/hypercall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/domctl.h>

#define FIX_FRAMES  64
#define FIX_ARGS    4
#define FIX_FREE    8
#define FIX_VA64    UINT64_C(0xffffffff80000000)
#define FIX_VA32    UINT64_C(0xc0000000)
#define FIX_VA(d)   (is_pv_32bit_domain(d) ? FIX_VA32 : FIX_VA64)
#define FIX_DOMAINS 3    /* dom0 and two guests */
#define FIX_RAM     4096 /* frames of the machine */

#define PTE_RO (_PAGE_PRESENT | _PAGE_USER)
#define PTE_RW (PTE_RO | _PAGE_RW)

struct fixture {
    struct machine *m;
    struct xen *xen;
    struct domain *d[FIX_DOMAINS];
    struct vcpu *v[FIX_DOMAINS];
    mfn_t frame[FIX_DOMAINS][FIX_FRAMES];
    uint64_t free_before; /* frames free before there was any guest */
};

static inline uint64_t *fix_table(const struct fixture *f, mfn_t mfn) { return ram_page(f->m, mfn); }

static inline void fix_audit(struct fixture *f)
{
    char why[200] = "";

    if (mmu_audit(f->xen, why, sizeof(why)))
        fail_msg("audit: %s", why);
}

/* A domain without memory becomes a 32-bit one, as the toolstack makes it. */
static inline void fix_switch_compat(struct vcpu *dom0, struct domain *d)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_address_size,
                             .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                             .domain = d->domain_id };
    struct hypercall_args args = { { (uintptr_t)&op } };

    op.u.address_size.size = 32;
    assert_int_equal(do_domctl(dom0, &args), 0);
}

/* A domain with frames and a vCPU, no page tables yet. */
static inline void fix_domain(struct fixture *f, domid_t id, bool pv32)
{
    const struct xen_domctl_createdomain config = {
        .max_vcpus = 2,
        .max_evtchn_port = 1023,
        .max_grant_frames = 4,
        .max_maptrack_frames = 4,
        .grant_opts = 2,
    };
    struct domain *d;

    assert_int_equal(domain_create(f->xen, id, &pv64_guest, &config, false, &d), 0);
    d->max_pages = 4 * FIX_FRAMES;
    if (pv32)
        fix_switch_compat(f->v[0], d);
    assert_int_equal(vcpu_create(d, 0, &f->v[id]), 0);
    assert_int_equal(vcpu_create(d, 1, NULL), 0);
    f->d[id] = d;
    for (unsigned int i = 0; i < FIX_FRAMES; i++) {
        struct page_info *pg = alloc_domheap_pages(f->xen, d, 0, 0);

        assert_non_null(pg);
        f->frame[id][i] = page_to_mfn(f->xen, pg);
        set_gpfn_from_mfn(f->xen, f->frame[id][i], i);
    }
}

/* Its page tables, and the root loaded. */
static inline void fix_boot(struct fixture *f, domid_t id)
{
    const mfn_t *frame = f->frame[id];
    const bool pv32 = is_pv_32bit_domain(f->d[id]);
    const unsigned int nr_tables = pv32 ? 3 : 4;
    uint64_t *l1 = fix_table(f, frame[nr_tables - 1]);

    if (pv32) {
        fix_table(f, frame[0])[3] = pte_make(frame[1], _PAGE_PRESENT);
        fix_table(f, frame[1])[0] = pte_make(frame[2], PTE_RW);
    } else {
        fix_table(f, frame[0])[511] = pte_make(frame[1], PTE_RW);
        fix_table(f, frame[1])[510] = pte_make(frame[2], PTE_RW);
        fix_table(f, frame[2])[0] = pte_make(frame[3], PTE_RW);
    }
    for (unsigned int i = 0; i < FIX_FRAMES; i++)
        l1[i] = pte_make(frame[i], i < nr_tables ? PTE_RO : PTE_RW);
    assert_int_equal(new_guest_cr3(f->v[id], frame[0], TRACE_CR3_NEW_BASEPTR), 0);
}

static inline void fix_open(struct fixture *f, bool pv32)
{
    const struct machine_config cfg = { .ram_mib = FIX_RAM >> 8, .nr_pcpus = 0, .seed = 7 };
    char err[200] = "";

    *f = (struct fixture){ 0 };
    f->m = machine_create(&cfg, err, sizeof(err));
    if (!f->m)
        fail_msg("%s", err);
    f->xen = xen_create(f->m, "rr", err, sizeof(err));
    if (!f->xen)
        fail_msg("%s", err);
    f->d[0] = f->xen->dom0;
    f->v[0] = f->xen->dom0->vcpu[0];
    f->free_before = avail_domheap_pages(f->xen);
    for (domid_t id = 1; id < FIX_DOMAINS; id++) {
        fix_domain(f, id, pv32);
        fix_boot(f, id);
    }
    fix_audit(f);
}

static inline void fix_kill(struct fixture *f, domid_t id)
{
    int rc;

    if (!f->d[id])
        return;
    while ((rc = domain_kill(f->d[id])) == -ERESTART)
        fix_audit(f);
    assert_int_equal(rc, 0);
    f->d[id] = NULL;
}

/* Every frame that the guests had is back (but for the three that the first PV domain makes for all of them). */
static inline void fix_close(struct fixture *f)
{
    for (domid_t id = 1; id < FIX_DOMAINS; id++)
        fix_kill(f, id);
    fix_audit(f);
    assert_int_equal(avail_domheap_pages(f->xen) + 3, f->free_before);
    xen_destroy(f->xen);
    machine_destroy(f->m);
}

/* --- hypercalls, continued until they are done --- */

static inline long fix_call(struct vcpu *v, hypercall_fn *fn, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
    struct hypercall_args args = { { a0, a1, a2, a3 } };
    long rc;

    do
        rc = fn(v, &args);
    while (rc == -ERESTART);
    return rc;
}

/* Where a guest has its arguments: virtual address, and the same bytes for us. dom0 passes host addresses. */
static inline uint64_t fix_args_va(const struct fixture *f, domid_t id)
{
    return id ? FIX_VA(f->d[id]) + FIX_ARGS * PAGE_SIZE : (uintptr_t)ram_page(f->m, f->frame[1][FIX_ARGS]);
}

static inline void *fix_args(const struct fixture *f, domid_t id)
{
    return ram_page(f->m, f->frame[id ? id : 1][FIX_ARGS]);
}

#define FIX_FD(pt_owner, pg_owner) ((uint32_t)((pt_owner) + 1) << 16 | (pg_owner))

static inline long fix_mmu_update(struct fixture *f, domid_t id, uint64_t ptr, uint64_t val, uint32_t fd)
{
    struct mmu_update *req = fix_args(f, id);

    *req = (struct mmu_update){ ptr, val };
    return fix_call(f->v[id], do_mmu_update, fix_args_va(f, id), 1, 0, fd);
}

/* Set entry `slot` of table `t` (both by index of the guest's frames). */
static inline long fix_set(struct fixture *f, domid_t id, unsigned int t, unsigned int slot, uint64_t val)
{
    return fix_mmu_update(f, id, (mfn_x(f->frame[id][t]) << PAGE_SHIFT) + slot * 8, val, DOMID_SELF);
}

static inline uint64_t fix_pte(const struct fixture *f, domid_t id, unsigned int n, uint64_t flags)
{
    return pte_make(f->frame[id][n], flags);
}

static inline long fix_mmuext(struct fixture *f, domid_t id, unsigned int cmd, uint64_t arg1, uint64_t arg2,
                              uint32_t fd)
{
    if (is_pv_32bit_domain(f->d[id])) {
        uint32_t op[3] = { cmd, (uint32_t)arg1, (uint32_t)arg2 };

        memcpy(fix_args(f, id), op, sizeof(op));
    } else {
        struct mmuext_op op = { .cmd = cmd };

        op.arg1.mfn = arg1;
        op.arg2.src_mfn = arg2;
        memcpy(fix_args(f, id), &op, sizeof(op));
    }
    return fix_call(f->v[id], do_mmuext_op, fix_args_va(f, id), 1, 0, fd);
}

static inline long fix_pin(struct fixture *f, domid_t id, unsigned int level, unsigned int n)
{
    return fix_mmuext(f, id, MMUEXT_PIN_L1_TABLE + level - 1, mfn_x(f->frame[id][n]), 0, DOMID_SELF);
}

static inline long fix_unpin(struct fixture *f, domid_t id, unsigned int n)
{
    return fix_mmuext(f, id, MMUEXT_UNPIN_TABLE, mfn_x(f->frame[id][n]), 0, DOMID_SELF);
}

static inline struct page_info *fix_page(const struct fixture *f, domid_t id, unsigned int n)
{
    return mfn_to_page(f->xen, f->frame[id][n]);
}

/* Make frame n read-only in the guest's own mapping (or writable again), as a guest must before it becomes a table. */
static inline void fix_readonly(struct fixture *f, domid_t id, unsigned int n, bool ro)
{
    const unsigned int l1 = is_pv_32bit_domain(f->d[id]) ? 2 : 3;

    assert_int_equal(fix_set(f, id, l1, n, fix_pte(f, id, n, ro ? PTE_RO : PTE_RW)), 0);
}

#endif
