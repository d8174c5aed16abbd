// SPDX-License-Identifier: GPL-2.0-or-later
/* Whole register contexts in and out, and the two callbacks that are no exceptions: NMI and failsafe. */
#include "tests/vcpu/fixture.h"

#include <xen/callback.h>
#include <xen/foreign/x86_32.h>
#include <xen/nmi.h>

#define HANDLER UINT64_C(0xffffffff80001230)

static int get_context(struct fixture *f, unsigned int vcpu, struct vcpu_guest_context *c)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getvcpucontext, .domain = f->d->domain_id };

    op.u.vcpucontext.vcpu = vcpu;
    op.u.vcpucontext.ctxt.p = c;
    return xc_domctl(f->xc, &op);
}

static int set_context(struct fixture *f, unsigned int vcpu, const struct vcpu_guest_context *c)
{
    return xc_vcpu_setcontext(f->xc, f->d->domain_id, vcpu, c);
}

/* --- setvcpucontext, getvcpucontext --- */

/* What is got may be set again, and nothing changes; the tables must be those that the vCPU has. */
static void of_a_live_vcpu(void **state)
{
    struct fixture *f = *state;
    struct vcpu_guest_context *c = calloc(1, sizeof(*c)), *bad = calloc(1, sizeof(*c));

    f->v->regs->rbx = 0x1234, f->v->pv.ctrlreg[2] = 0x5678, f->v->pv.iopl = 2;
    f->d->vm_assist = 1u << VMASST_TYPE_writable_pagetables;
    assert_int_equal(get_context(f, 0, c), 0);
    assert_int_equal(c->user_regs.rbx, 0x1234);
    assert_int_equal(c->ctrlreg[2], 0x5678);
    assert_int_equal(c->user_regs.rflags >> 12 & 3, 2);
    assert_true(c->flags & VGCF_IN_KERNEL && c->flags & VGCF_online && c->flags & VGCF_I387_VALID);
    c->user_regs.rbx = 0x4321;
    c->vm_assist = 0;
    assert_int_equal(set_context(f, 0, c), 0);
    assert_int_equal(f->v->regs->rbx, 0x4321);
    assert_int_equal(f->d->vm_assist, 1u << VMASST_TYPE_writable_pagetables); /* of the domain: set once */
#define REFUSED(assignment, error)                                                                                     \
    (memcpy(bad, c, sizeof(*bad)), bad->assignment, assert_int_equal(set_context(f, 0, bad), error))
    REFUSED(ctrlreg[3] += PAGE_SIZE, -EOPNOTSUPP);
    REFUSED(ctrlreg[1] = c->ctrlreg[3], -EOPNOTSUPP);
    REFUSED(gdt_ents = 1, -EOPNOTSUPP);
    REFUSED(ldt_ents = 1, -EOPNOTSUPP);
    REFUSED(flags &= ~(unsigned long)VGCF_IN_KERNEL, -EOPNOTSUPP);
    REFUSED(flags &= ~(unsigned long)VGCF_online, 0);
    assert_true(f->v->pause_flags & VPF_down);
    free(bad);
    free(c);
}

static void of_a_new_vcpu(void **state)
{
    struct fixture *f = *state;
    struct vcpu_guest_context *c = calloc(1, sizeof(*c)), *bad = calloc(1, sizeof(*c));
    const uint64_t hole = UINT64_C(0xffff800000000000);

    assert_int_equal(get_context(f, 1, c), -ENODATA);
    assert_int_equal(get_context(f, 4, c), -EINVAL);
    assert_int_equal(get_context(f, 0, c), 0);
#undef REFUSED
#define REFUSED(vcpu, assignment)                                                                                      \
    (memcpy(bad, c, sizeof(*bad)), bad->assignment, assert_int_equal(set_context(f, vcpu, bad), -EINVAL))
    REFUSED(1, ldt_base = 8); /* also without entries */
    REFUSED(1, ldt_base = hole);
    REFUSED(1, ldt_ents = 8193);
    REFUSED(1, gdt_ents = 14 * 512 + 1);
    REFUSED(1, flags &= ~(unsigned long)VGCF_IN_KERNEL); /* user mode without page tables */
    REFUSED(1, kernel_sp = UINT64_C(1) << 47);
    REFUSED(1, trap_ctxt[77].address = UINT64_C(1) << 47);
    REFUSED(0, vm_assist = UINT64_C(1) << 63);
    assert_false(f->d->vcpu[1]->is_initialised);
    c->vm_assist = UINT64_C(1) << 63; /* only vCPU 0's counts */
    c->debugreg[1] = 0x1000;
    c->debugreg[2] = hole; /* is left out, like the bits that are not there */
    c->debugreg[6] = UINT64_C(1) << 32;
    c->debugreg[7] =
        UINT64_C(1) << 32 | 0x2000 | 0xc000 | 3; /* GD is not for guests: the register stays as it is after a reset */
    c->flags &= ~(unsigned long)(VGCF_online | VGCF_I387_VALID);
    memset(&c->fpu_ctxt, 0x55, sizeof(c->fpu_ctxt));
    assert_int_equal(set_context(f, 1, c), 0);
    assert_true(f->d->vcpu[1]->is_initialised && f->d->vcpu[1]->pause_flags & VPF_down);
    assert_int_equal(get_context(f, 1, bad), 0);
    assert_int_equal(bad->debugreg[1], 0x1000);
    assert_int_equal(bad->debugreg[2], 0);
    assert_int_equal(bad->debugreg[6], 0xffff0ff0);
    assert_int_equal(bad->debugreg[7], 0x400);
    assert_false(bad->flags & VGCF_online);
    assert_int_equal(f->d->vcpu[1]->regs->fxsave[0] | f->d->vcpu[1]->regs->fxsave[1] << 8, 0x37f);
    free(bad);
    free(c);
}

/*
 * Selectors that cannot be loaded are no error: the guest gets the exception when it is entered, and sees them in the
 * frame.
 */
static void bad_selectors(void **state)
{
    struct fixture *f = *state;
    struct vcpu_guest_context *c = calloc(1, sizeof(*c));
    struct vcpu *v = f->d->vcpu[1];
    static const struct {
        uint16_t cs, ss, reads_cs, reads_ss;
        unsigned int vector, error_code;
    } cases[] = {
        { FLAT_KERNEL_CS & ~3, FLAT_KERNEL_SS & ~3, FLAT_KERNEL_CS, FLAT_KERNEL_SS, 0, 0 }, /* the RPL is made right */
        { 0, FLAT_KERNEL_SS, 3, FLAT_KERNEL_SS, X86_EXC_GP, 0 },
        { 0x1230, FLAT_KERNEL_SS, 0x1233, FLAT_KERNEL_SS, X86_EXC_GP, 0x1230 }, /* beyond the GDT */
        { 0x14, FLAT_KERNEL_SS, 0x17, FLAT_KERNEL_SS, X86_EXC_GP, 0x14 },       /* there is no LDT */
        { FLAT_KERNEL_SS, FLAT_KERNEL_SS, FLAT_KERNEL_SS, FLAT_KERNEL_SS, X86_EXC_GP, FLAT_KERNEL_SS & ~3 }, /* data */
        { FLAT_KERNEL_CS, 0, FLAT_KERNEL_CS, 3, X86_EXC_GP, 0 },
        { FLAT_KERNEL_CS, FLAT_KERNEL_CS, FLAT_KERNEL_CS, FLAT_KERNEL_CS, X86_EXC_GP, FLAT_KERNEL_CS & ~3 },
    };

    assert_int_equal(get_context(f, 0, c), 0);
    for (uint8_t i = 0; i < 20; i++)
        c->trap_ctxt[i] = (struct trap_info){ i, 0, FLAT_KERNEL_CS, HANDLER + i };
    for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
        struct vcpu_guest_context seen;

        assert_int_equal(set_context(f, 1, NULL), 0);
        c->user_regs.cs = cases[i].cs, c->user_regs.ss = cases[i].ss;
        assert_int_equal(set_context(f, 1, c), 0);
        assert_int_equal(get_context(f, 1, &seen), 0);
        assert_int_equal(seen.user_regs.cs, cases[i].reads_cs);
        assert_int_equal(seen.user_regs.ss, cases[i].reads_ss);
        pv_deliver_events(v);
        if (!cases[i].vector) {
            assert_int_equal(v->regs->rip, c->user_regs.rip);
            continue;
        }
        assert_int_equal(v->regs->rip, HANDLER + cases[i].vector);
        assert_int_equal(fix_read(f, v->regs->rsp + 16), cases[i].error_code);
        assert_int_equal(fix_read(f, v->regs->rsp + 24), c->user_regs.rip);
        assert_int_equal(fix_read(f, v->regs->rsp + 32) & 0xffff, cases[i].reads_cs & ~3);
        assert_int_equal(fix_read(f, v->regs->rsp + 56), cases[i].reads_ss);
        assert_int_equal(v->regs->seg[CPU_SEG_CS].sel, FLAT_KERNEL_CS);
        assert_int_equal(v->regs->seg[CPU_SEG_SS].sel, FLAT_KERNEL_SS);
    }
    assert_int_equal(f->d->shutdown_code, -1);
    free(c);
}

/* No context at all: the vCPU is as it was before its first one. */
static void reset(void **state)
{
    struct fixture *f = *state;
    struct vcpu_guest_context *c = calloc(1, sizeof(*c));
    const uint64_t root = mfn_x(f->v->pv.guest_table);

    assert_int_equal(get_context(f, 0, c), 0);
    f->v->pause_flags |= VPF_poll;
    f->v->poll_evtchn = -1, f->d->poll_mask = 1;
    assert_int_equal(set_context(f, 0, NULL), 0);
    assert_false(f->v->is_initialised);
    assert_int_equal(f->v->pause_flags, VPF_down);
    assert_int_equal(f->d->poll_mask, 0);
    assert_int_equal(get_context(f, 0, c), -ENODATA);
    assert_int_equal(set_context(f, 0, c), 0);
    assert_true(f->v->is_initialised);
    assert_int_equal(mfn_x(f->v->pv.guest_table), root);
    free(c);
}

/* --- NMI --- */

static void nmi_registered(void **state)
{
    struct fixture *f = *state;
    struct xennmi_callback cb = { .handler_address = UINT64_C(1) << 47 };
    const struct trap_info *t = &f->v->pv.trap_ctxt[X86_EXC_NMI];
    uint64_t arg = fix_put(f, 0, &cb, sizeof(cb));

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_nmi_op, XENNMI_register_callback, arg, 0, 0), -EINVAL);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_nmi_op, XENNMI_register_callback, 0x1000, 0, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_nmi_op, 2, arg, 0, 0), -ENOSYS);
    cb.handler_address = HANDLER;
    arg = fix_put(f, 0, &cb, sizeof(cb));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_nmi_op, XENNMI_register_callback, arg, 0, 0), 0);
    assert_true(t->address == HANDLER && t->cs == FLAT_KERNEL_CS && TI_GET_IF(t));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_nmi_op, XENNMI_unregister_callback, 0, 0, 0), 0);
    assert_int_equal(t->address, 0);
}

/* Delivered before events, which it masks, and not again until the handler has executed iret. */
static void nmi_delivered(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    struct callback_register reg = { .type = CALLBACKTYPE_nmi, .address = HANDLER };
    uint64_t rip = r->rip;

    f->v->vcpu_info->evtchn_upcall_mask = 0;
    f->v->nmi_pending = true;
    pv_deliver_events(f->v); /* nobody to tell: lost */
    assert_true(r->rip == rip && !f->v->nmi_pending && !f->v->nmi_masked);
    assert_int_equal(
        fix_hypercall(f, __HYPERVISOR_callback_op, CALLBACKOP_register, fix_put(f, 0, &reg, sizeof(reg)), 0, 0), 0);
    f->v->pv.event_callback_eip = HANDLER + 64;
    f->v->vcpu_info->evtchn_upcall_pending = 1;
    f->v->nmi_pending = true;
    pv_deliver_events(f->v);
    assert_int_equal(r->rip, HANDLER);
    assert_int_equal(f->v->vcpu_info->evtchn_upcall_mask, 1);
    f->v->nmi_pending = true;
    pv_deliver_events(f->v);
    assert_int_equal(r->rip, HANDLER);
    assert_true(f->v->nmi_pending);
    f->v->vcpu_info->evtchn_upcall_mask = 0; /* events are let through, a second NMI is not */
    pv_deliver_events(f->v);
    assert_int_equal(r->rip, HANDLER + 64);
}

/* --- iret --- */

static void iret(struct fixture *f, const struct iret_context *c)
{
    f->v->regs->rsp = fix_put(f, 512, c, sizeof(*c));
    fix_hypercall(f, __HYPERVISOR_iret, 0, 0, 0, 0);
}

static void iret_by_sysret(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    struct iret_context c = {
        .rax = 1, .r11 = 2, .rcx = 3, .rip = 0x1000, .cs = FLAT_KERNEL_CS & ~3u, .rsp = f->scratch
    };

    f->v->pv.trap_ctxt[X86_EXC_GP] = (struct trap_info){ X86_EXC_GP, 0, FLAT_KERNEL_CS, HANDLER };
    c.ss = FLAT_KERNEL_SS;
    iret(f, &c);
    assert_true(r->rip == 0x1000 && r->rax == 1 && r->r11 == 2 && r->rcx == 3);
    c.flags = VGCF_in_syscall; /* RCX and R11 are lost, and what is said of segments is not looked at */
    c.cs = 0x40, c.ss = 0x48;
    iret(f, &c);
    assert_true(r->rip == 0x1000 && r->rcx == 0x1000 && r->r11 == r->rflags);
    assert_true(r->seg[CPU_SEG_CS].sel == FLAT_KERNEL_CS && r->seg[CPU_SEG_SS].sel == FLAT_KERNEL_SS);
    c.flags = 0;
    iret(f, &c);
    pv_deliver_events(f->v); /* these are looked at */
    assert_int_equal(r->rip, HANDLER);
    assert_int_equal(fix_read(f, r->rsp + 16), 0x40);
    c.flags = VGCF_in_syscall;
    c.cs = FLAT_KERNEL_CS & ~3u, c.ss = FLAT_KERNEL_SS;
    c.rip = UINT64_C(1) << 47; /* SYSRET must not see it */
    iret(f, &c);
    assert_int_equal(r->rip, HANDLER);
}

/* --- failsafe --- */

#define GONE 0x0043 /* beyond the limit of the guest's GDT */

/* A descriptor that is gone when the vCPU comes back: null, and the kernel is told what it was. */
static void failsafe(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    const uint64_t rip = r->rip, rsp = r->rsp & ~UINT64_C(15);

    f->v->pv.failsafe_callback_eip = HANDLER;
    r->rsp = rsp;
    r->seg[CPU_SEG_DS] = (struct cpu_segment){ .sel = FLAT_RING3_DS32 };
    r->seg[CPU_SEG_ES] = (struct cpu_segment){ .sel = 3 };
    pv_reload_segments(f->v);
    assert_int_equal(r->rip, rip); /* nothing is wrong with these */
    assert_int_equal(r->seg[CPU_SEG_DS].limit, 0xffffffff);
    r->seg[CPU_SEG_FS] = (struct cpu_segment){ .sel = GONE, .base = 0x1234000 };
    r->rcx = 1, r->r11 = 2;
    f->v->vcpu_info->evtchn_upcall_mask = 0;
    pv_reload_segments(f->v);
    assert_int_equal(r->rip, HANDLER);
    assert_true(r->seg[CPU_SEG_FS].sel == 0 && r->seg[CPU_SEG_FS].base == 0x1234000);
    assert_int_equal(r->rsp, rsp - 11 * 8);
    assert_true(fix_read(f, r->rsp) == 1 && fix_read(f, r->rsp + 8) == 2);
    assert_int_equal(fix_read(f, r->rsp + 16), FLAT_RING3_DS32);
    assert_int_equal(fix_read(f, r->rsp + 24), 3);
    assert_int_equal(fix_read(f, r->rsp + 32), GONE);
    assert_int_equal(fix_read(f, r->rsp + 40), r->seg[CPU_SEG_GS].sel);
    assert_int_equal(fix_read(f, r->rsp + 48), rip);
    assert_int_equal(f->v->vcpu_info->evtchn_upcall_mask, 0);
    f->v->pv.vgc_flags |= VGCF_failsafe_disables_events;
    r->seg[CPU_SEG_FS].sel = GONE;
    pv_reload_segments(f->v);
    assert_int_equal(f->v->vcpu_info->evtchn_upcall_mask, 1);
}

/* A context may name one that is not there: the same happens when the vCPU first runs. */
static void failsafe_from_the_start(void **state)
{
    struct fixture *f = *state;
    struct vcpu_guest_context *c = calloc(1, sizeof(*c));

    assert_int_equal(get_context(f, 0, c), 0);
    c->user_regs.ds = GONE;
    c->failsafe_callback_eip = HANDLER;
    assert_int_equal(set_context(f, 0, c), 0);
    pv_reload_segments(f->v);
    assert_int_equal(f->v->regs->rip, HANDLER);
    assert_int_equal(fix_read(f, f->v->regs->rsp + 16), GONE);
    free(c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
    const struct CMUnitTest tests[] = {
        TEST(of_a_live_vcpu), TEST(of_a_new_vcpu),           TEST(bad_selectors),
        TEST(reset),          TEST(nmi_registered),          TEST(nmi_delivered),
        TEST(failsafe),       TEST(failsafe_from_the_start), TEST(iret_by_sysret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
