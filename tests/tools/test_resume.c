// SPDX-License-Identifier: GPL-2.0-or-later
/* Calling a suspend off: what a guest finds afterwards, of both widths, with and without the note SUSPEND_CANCEL. */
#include "tests/vcpu/hvm.h"

#include <xen/foreign/x86_32.h>
#include <xen/hvm/params.h>

#include "tools/xc/resume.h"

#define CONSOLE 0x1234
#define STORE   0x5678

/* Suspend as a kernel does, naming frame `mfn` as start_info's; then call it off. */
static int suspend_and_resume(struct fixture *f, bool cancel, mfn_t mfn, char err[RESUME_ERR_SIZE])
{
    struct sched_shutdown op = { .reason = SHUTDOWN_suspend };
    const struct suspended s = {
        f->d->domain_id, false, !is_pv_32bit_domain(f->d), cancel, _mfn(CONSOLE), _mfn(STORE)
    };
    uint64_t arg = fix_put(f, 0, &op, sizeof(op));
    struct cpu_state *r = f->v->regs;

    if (is_pv_32bit_domain(f->d)) {
        r->rax = __HYPERVISOR_sched_op, r->rbx = SCHEDOP_shutdown, r->rcx = arg, r->rdx = mfn_x(mfn);
        compat_hypercall_guest(f->v);
    } else {
        fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_shutdown, arg, mfn_x(mfn), 0);
    }
    assert_int_equal(f->v->regs->rax, 0);
    assert_true(f->d->is_shut_down);
    return resume(f->xc, &s, err);
}

/* At boot RSI points to it. */
static mfn_t start_info_frame(struct fixture *f)
{
    uint32_t pfec = 0;

    return guest_walk(f->v, f->v->regs->rsi, &pfec);
}

static void frames(struct fixture *f, mfn_t start_info, uint64_t *console, uint64_t *store)
{
    const char *page = mfn_to_virt(f->m, start_info);

    if (is_pv_32bit_domain(f->d)) {
        *console = ((const struct start_info_x86_32 *)page)->console.domU.mfn;
        *store = ((const struct start_info_x86_32 *)page)->store_mfn;
    } else {
        *console = ((const struct start_info *)page)->console.domU.mfn;
        *store = ((const struct start_info *)page)->store_mfn;
    }
}

static void both_ways(struct fixture *f)
{
    const uint64_t rip = f->v->regs->rip, rsp = f->v->regs->rsp;
    const mfn_t si = start_info_frame(f);
    uint64_t console, store, console0, store0;
    char err[RESUME_ERR_SIZE] = "";

    frames(f, si, &console0, &store0);
    assert_int_equal(xc_domain_unpause(f->xc, f->d->domain_id), 0);

    /* A kernel that copes is told so, and start_info is its own affair. */
    if (suspend_and_resume(f, true, _mfn(0), err))
        fail_msg("%s", err);
    assert_true(vcpu_runnable(f->v) && !f->d->is_shut_down);
    assert_int_equal(f->v->regs->rax, 1);
    assert_true(f->v->regs->rip == rip && f->v->regs->rsp == rsp);
    frames(f, si, &console, &store);
    assert_true(console == console0 && store == store0);

    /* Any other must think that it was restored. */
    f->d->vcpu[1]->pause_flags |= VPF_poll;
    if (suspend_and_resume(f, false, si, err))
        fail_msg("%s", err);
    assert_true(vcpu_runnable(f->v));
    assert_int_equal(f->v->regs->rax, 0);
    frames(f, si, &console, &store);
    assert_true(console == CONSOLE && store == STORE);
    assert_int_equal(f->d->vcpu[1]->pause_flags, VPF_down);
}

static void cooperative_and_not(void **state)
{
    struct fixture *f = *state;

    both_ways(f);
    fix_guest(f, &kernel_legacy32);
    both_ways(f);
}

/* A third argument that is not start_info: nothing is written, and the domain stays suspended. */
static void wrong_record(void **state)
{
    struct fixture *f = *state;
    const mfn_t wrong[] = { _mfn(0), f->v->pv.guest_table, f->xen->dom0->shared_info_mfn, _mfn(~UINT64_C(0)) };
    char err[RESUME_ERR_SIZE];

    assert_int_equal(xc_domain_unpause(f->xc, f->d->domain_id), 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
        assert_int_equal(suspend_and_resume(f, false, wrong[i], err), -1);
        assert_non_null(strstr(err, "is not the frame of start_info"));
        assert_true(f->d->is_shut_down && !vcpu_runnable(f->v));
        assert_int_equal(xc_domain_resume(f->xc, f->d->domain_id), 0);
    }
}

/* An HVM guest says what SCHEDOP_shutdown has returned: 1 if it knows event channels, else what Xen says. */
static void hvm(void **state)
{
    struct fixture *f = *state;
    const uint32_t reason = SHUTDOWN_suspend;
    char err[RESUME_ERR_SIZE] = "";

    for (unsigned int callback = 0; callback < 2; callback++) {
        if (callback) {
            hvm_destroy(f);
            hvm_create(f);
            assert_int_equal(xc_hvm_param_set(f->xc, f->d->domain_id, HVM_PARAM_CALLBACK_IRQ, UINT64_C(2) << 56 | 0x30),
                             0);
        }
        hvm_put(f, 0x2000, &reason, sizeof(reason));
        HVM_RUN(f, "\xb8\x1d\x00\x00\x00\xbb\x02\x00\x00\x00\xb9\x00\x20\x00\x00\x0f\x01\xd9" /* vmmcall */
                   "\x04\x30\xe6\xe9\xb0\x0a\xe6\xe9\xf4"); /* add $'0', %al; out; "\n"; hlt */
        assert_true(f->d->is_shut_down && f->d->shutdown_code == SHUTDOWN_suspend);
        if (resume(f->xc, &(struct suspended){ .domid = f->d->domain_id, .hvm = true }, err))
            fail_msg("%s", err);
        hvm_go(f, SECONDS(1));
        assert_non_null(strstr(f->log, callback ? ") 1\n" : ") 0\n"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cooperative_and_not, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(wrong_record, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(hvm, hvm_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
