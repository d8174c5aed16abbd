// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A hypervisor on a machine without processors, dom0, and one PV guest made by the real domain builder, for tests that
 * play the processor: they hand made-up exits to the handlers and look at registers and guest memory.
 */
#ifndef TESTS_VCPU_FIXTURE_H
#define TESTS_VCPU_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "evtchn/evtchn.h"
#include "labs/kit/kernel_file.h"
#include "mmu/audit.h"
#include "mmu/guest_access.h"
#include "tools/build/build_pv.h"
#include "tools/xc/xc.h"
#include "vcpu/hypercall.h"
#include "vcpu/native/kernel.h"
#include "vcpu/pv/pv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

#define FIX_PAGES 8192 /* 32 MiB */

struct fixture {
    struct machine *m;
    struct xen *xen;
    struct native_kernel *dom0;
    struct native_kernel
        *driver; /* of a driver domain, if a test has one (tests/rings/front.h), with its xenstore ring */
    mfn_t driver_mfn;
    struct xenstore_domain_interface *driver_intf;
    evtchn_port_t driver_port;
    struct xc_handle *xc; /* dom0's */
    struct domain *d;     /* the guest */
    struct vcpu *v;
    mfn_t store_mfn; /* its xenstore ring */
    evtchn_port_t store_port;
    uint64_t scratch;  /* a guest address with room for 2 KiB, below its stack */
    bool hap_off;      /* HVM guests have shadow page tables (tests/vcpu/hvm.h) */
    const char *sched; /* the policy; NULL: rr */
    char log[4096];    /* what reached the console */
};

static inline void fix_log(void *data, const char *line, size_t len)
{
    struct fixture *f = data;
    size_t used = strlen(f->log);

    if (used + len < sizeof(f->log)) {
        memcpy(f->log + used, line, len);
        f->log[used + len] = 0;
    }
}

/* Build the kernel of `spec`; the fixture's guest is the last one built. */
static inline void fix_guest(struct fixture *f, const struct kernel_spec *spec)
{
    char err[IMAGE_ERR_SIZE] = "";
    struct pv_build b = { .nr_pages = FIX_PAGES, .max_pages = FIX_PAGES, .max_vcpus = 4 };

    if (kernel_build(f->xc, spec, &b, err))
        fail_msg("%s", err);
    f->d = get_domain_by_id(f->xen, b.domid);
    put_domain(f->d);
    f->store_mfn = b.store_mfn;
    f->store_port = b.store_port;
    f->v = f->d->vcpu[0];
    f->scratch = f->v->regs->rsp - 2048;
}

/* The parts of it: a machine, on that a hypervisor with dom0, on that a guest. */
static inline struct fixture *fix_machine(unsigned int nr_pcpus)
{
    struct machine_config cfg = { .ram_mib = 128, .nr_pcpus = nr_pcpus };
    struct fixture *f = calloc(1, sizeof(*f));
    char err[256] = "";

    f->m = machine_create(&cfg, err, sizeof(err));
    if (!f->m)
        fail_msg("%s", err);
    f->m->edges->log.sink = fix_log;
    f->m->edges->log.data = f;
    return f;
}

static inline void fix_hypervisor(struct fixture *f)
{
    char err[256] = "";

    f->xen = xen_create(f->m, f->sched ?: "rr", err, sizeof(err));
    if (!f->xen)
        fail_msg("%s", err);
    f->dom0 = native_kernel_create(f->xen->dom0, NULL, 0);
    f->xc = xc_interface_open(native_vcpu(f->dom0));
}

static inline int fix_setup_on(void **state, unsigned int nr_pcpus)
{
    struct fixture *f = fix_machine(nr_pcpus);

    fix_hypervisor(f);
    fix_guest(f, &kernel_linux64);
    *state = f;
    return 0;
}

static inline int fix_setup(void **state) { return fix_setup_on(state, 0); }

/* Nobody has a frame any more that is written at any time. */
static inline void fix_expect_no_shares(const struct fixture *f)
{
    for (uint64_t nr = 0; nr < f->m->nr_frames; nr++)
        if (f->m->shares[nr])
            fail_msg("machine frame 0x%lx is still shared", (unsigned long)nr);
}

/* Time passes, and timers fire each at its own. */
static inline void fix_pass(struct fixture *f, s_time_t ns)
{
    struct vclock *c = &f->m->clock;
    const s_time_t end = c->now + ns;

    while (vclock_next(c) <= end) {
        if (vclock_next(c) > c->now)
            c->now = vclock_next(c);
        vclock_run(c);
    }
    c->now = end;
}

static inline void fix_audit(struct fixture *f)
{
    char why[200] = "";

    if (mmu_audit(f->xen, why, sizeof(why)))
        fail_msg("audit: %s", why);
}

static inline int fix_teardown(void **state)
{
    struct fixture *f = *state;

    fix_audit(f);
    xc_interface_close(f->xc);
    xen_destroy(f->xen);
    native_kernel_destroy(f->dom0);
    fix_expect_no_shares(f);
    machine_destroy(f->m);
    free(f);
    return 0;
}

/* A hypercall of the guest, by its registers, as after SYSCALL. Returns RAX. */
static inline long fix_hypercall(struct fixture *f, uint64_t nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    struct cpu_state *r = f->v->regs;

    r->rax = nr, r->rdi = a1, r->rsi = a2, r->rdx = a3, r->r10 = a4;
    hypercall_guest(f->v);
    return (long)r->rax;
}

/* Put a structure into guest memory at scratch + offset; its guest address. */
static inline uint64_t fix_put(struct fixture *f, size_t offset, const void *data, size_t n)
{
    assert_int_equal(copy_to_guest(f->v, f->scratch + offset, data, n), 0);
    return f->scratch + offset;
}

static inline uint64_t fix_read(struct fixture *f, uint64_t addr)
{
    uint64_t word;

    assert_int_equal(copy_from_guest(f->v, &word, addr, sizeof(word)), 0);
    return word;
}

#endif
