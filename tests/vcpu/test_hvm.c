// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An HVM domain lives: made by domctls, its vCPU by sethvmcontext, its memory by populate_physmap; it runs, makes
 * hypercalls, is interrupted, and ends.
 *
 * Budget: over 400 lines: a dozen cases, a stretch of that life each.
 */
#include "tests/vcpu/hvm.h"

#include "evtchn/event_channel.h"
#include "vcpu/cpuid.h"

#include <xen/arch-x86/cpuid.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/vcpu.h>

#define STRING 0x2000

static void test_console(void **state)
{
    struct fixture *f = *state;

    hvm_put(f, STRING, "hi\n", 3);
    HVM_RUN(f, "\xb9\x00\x00\x00\x40\xb8\x00\x30\x00\x00\x31\xd2\x0f\x30" /* wrmsr: the hypercall page */
               "\x31\xdb\xb9\x03\x00\x00\x00\xba\x00\x20\x00\x00\xb8\x40\x32\x00\x00\xff\xd0" /* console_io(write) */
               "\xb0\x41\xe6\xe9\xb0\x0a\xe6\xe9\xf4");                                       /* "A\n" to 0xe9; hlt */
    assert_non_null(strstr(f->log, "(d1) hi\n"));
    assert_non_null(strstr(f->log, "(d1) A\n"));
    assert_true(f->d->has_32bit_shinfo); /* 32-bit code has asked for the hypercall page */
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_poweroff);
}

/* From real mode, too, with the words of 32-bit code; not from virtual-8086 mode, nor ring 3. */
static void test_hypercall_modes(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;

    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        r->seg[i] = (struct cpu_segment){ 0, i == CPU_SEG_CS ? 0x9b : 0x93, 0xffff, 0 };
    r->cr0 = X86_CR0_ET;
    r->dirty = CPU_DIRTY_ALL;
    hvm_put(f, STRING, "hi\n", 3);
    HVM_RUN(f, "\x66\x31\xdb\x66\xb9\x03\x00\x00\x00\x66\xba\x00\x20\x00\x00" /* console_io(write, 3, 0x2000) */
               "\x66\xb8\x12\x00\x00\x00\x0f\x01\xd9\xf4");
    assert_non_null(strstr(f->log, "(d1) hi\n"));
    assert_int_equal(r->rax, 0);
}

static void test_hypercall_vm86(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;

    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        r->seg[i] = (struct cpu_segment){ 0, 0xf3, 0xffff, 0 };
    r->rflags |= X86_EFLAGS_VM;
    r->cpl = 3;
    r->dirty = CPU_DIRTY_ALL;
    HVM_RUN(f, "\x66\xb8\x12\x00\x00\x00\x0f\x01\xd9\xeb\xfe");
    assert_int_equal((int32_t)r->rax, -EPERM);
}

/* An exception without an IDT: #GP, #DF, shutdown. */
static void test_triple_fault(void **state)
{
    struct fixture *f = *state;

    HVM_RUN(f, "\x0f\x0b");
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_reboot);
}

/* What was saved of it is what was set. */
static void test_context(void **state)
{
    struct fixture *f = *state;
    uint8_t buf[4096];
    struct xen_domctl op = { .cmd = XEN_DOMCTL_gethvmcontext, .domain = f->d->domain_id };
    const struct hvm_hw_cpu *cpu =
        (const void *)(buf + 2 * sizeof(struct hvm_save_descriptor) + sizeof(struct hvm_save_header));
    struct hvm_hw_cpu c;

    assert_int_equal(hvm_domctl(f, &op), 0); /* how much is it? */
    assert_in_range(op.u.hvmcontext.size, sizeof(c), sizeof(buf));
    op.u.hvmcontext.size--;
    set_xen_guest_handle(op.u.hvmcontext.buffer, buf);
    assert_int_equal(hvm_domctl(f, &op), -ENOSPC);
    op.u.hvmcontext.size = sizeof(buf);
    assert_int_equal(hvm_domctl(f, &op), 0);
    memcpy(&c, cpu, sizeof(c));
    assert_int_equal(c.rip, HVM_CODE);
    assert_int_equal(c.cs_arbytes, 0xc9b);
    op.cmd = XEN_DOMCTL_sethvmcontext;
    assert_int_equal(hvm_domctl(f, &op), 0);
    for (uint32_t n = 0; n < op.u.hvmcontext.size; n += 7) { /* cut anywhere */
        struct xen_domctl cut = op;

        cut.u.hvmcontext.size = n;
        assert_int_not_equal(hvm_domctl(f, &cut), 0);
    }
    c.cr0 = X86_CR0_PG; /* no processor can be in that */
    memcpy(buf + 2 * sizeof(struct hvm_save_descriptor) + sizeof(struct hvm_save_header), &c, sizeof(c));
    assert_int_equal(hvm_domctl(f, &op), -EINVAL);
}

static long memory_op(struct fixture *f, unsigned int cmd, void *arg)
{
    return hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_memory_op, cmd, (uintptr_t)arg, 0, 0, 0);
}

/* The guest's own numbers: what comes to a place takes it over; the local APIC's page is nobody's to take. */
static void test_physmap(void **state)
{
    struct fixture *f = *state;
    struct xen_add_to_physmap add = { .domid = f->d->domain_id, .space = XENMAPSPACE_shared_info, .gpfn = 5 };
    struct xen_remove_from_physmap remove = { .domid = f->d->domain_id, .gpfn = 0xfee00 };
    struct xen_memory_reservation r = { .nr_extents = 1, .domid = f->d->domain_id };
    struct xen_domctl more = { .cmd = XEN_DOMCTL_max_mem,
                               .domain = f->d->domain_id,
                               .u.max_mem.max_memkb = 8 * HVM_PAGES };
    uint64_t gfn = 0xfee00, pages;
    p2m_type_t t;
    mfn_t was;

    HVM_RUN(f, "\xeb\xfe"); /* entered once: the page is there */
    p2m_get_entry(f->d, 0xfee00, &t);
    assert_int_equal(t, p2m_mmio_direct);
    assert_int_equal(memory_op(f, XENMEM_remove_from_physmap, &remove), -EINVAL);
    set_xen_guest_handle(r.extent_start, &gfn);
    assert_int_equal(hvm_domctl(f, &more), 0); /* it is not for its limit that it gets nothing there */
    assert_int_equal(memory_op(f, XENMEM_populate_physmap, &r), 0);
    p2m_get_entry(f->d, 0xfee00, &t);
    assert_int_equal(t, p2m_mmio_direct);
    pages = f->d->tot_pages;
    add.gpfn = 0xfee00;
    assert_int_equal(memory_op(f, XENMEM_add_to_physmap, &add), -EPERM);

    add.gpfn = 5;
    assert_int_equal(memory_op(f, XENMEM_add_to_physmap, &add), 0);
    assert_int_equal(mfn_x(p2m_get_entry(f->d, 5, &t)), mfn_x(f->d->shared_info_mfn));
    assert_int_equal(f->d->tot_pages, pages - 1); /* what was there is given up */
    add.gpfn = 6;
    assert_int_equal(memory_op(f, XENMEM_add_to_physmap, &add), 0); /* it moves */
    p2m_get_entry(f->d, 5, &t);
    assert_int_equal(t, p2m_mmio_dm);
    was = p2m_get_entry(f->d, 7, &t);
    add = (struct xen_add_to_physmap){ .domid = f->d->domain_id, .space = XENMAPSPACE_gmfn, .idx = 7, .gpfn = 5 };
    assert_int_equal(memory_op(f, XENMEM_add_to_physmap, &add), 0);
    assert_int_equal(mfn_x(p2m_get_entry(f->d, 5, &t)), mfn_x(was));
    remove.gpfn = 5;
    assert_int_equal(memory_op(f, XENMEM_remove_from_physmap, &remove), 0);
    assert_int_equal(memory_op(f, XENMEM_remove_from_physmap, &remove), -ENOENT);
    add = (struct xen_add_to_physmap){ .domid = f->d->domain_id, .space = 77, .gpfn = 5 };
    assert_int_equal(memory_op(f, XENMEM_add_to_physmap, &add), -ENOSYS);
}

/* Events that came before the guest named a vector for them are told when it does. */
static void test_upcall_vector(void **state)
{
    struct fixture *f = *state;
    struct xen_hvm_evtchn_upcall_vector u = { .vcpu = 0, .vector = 0x55 };
    struct hypercall_args args = { .a = { HVMOP_set_evtchn_upcall_vector, 0x3000 } };

    hvm_put(f, 0x3000, &u, sizeof(u));
    assert_int_equal(do_hvm_op(f->v, &args), 0);
    assert_true(vlapic_test_irq(&f->v->hvm->vlapic, 0x55));
    assert_true(guest_cpuid(f->v, 0x40000004, 0).a & XEN_HVM_CPUID_UPCALL_VECTOR);
}

/* A vCPU with a vector of its own hears nothing by the domain's line. Linux names both, and pin 1 is the keyboard's. */
static void test_upcall_line(void **state)
{
    struct fixture *f = *state;
    struct hvm_irq *irq = &f->d->hvm->irq;

    hvm_set_callback_via(irq, 1);
    f->v->vcpu_info->evtchn_upcall_pending = 0;
    f->v->hvm->evtchn_upcall_vector = 0x55;
    vcpu_mark_events_pending(f->v);
    assert_true(vlapic_test_irq(&f->v->hvm->vlapic, 0x55));
    HVM_RUN(f, "\xeb\xfe");
    assert_false(irq->callback.asserted);
    f->v->hvm->evtchn_upcall_vector = 0;
    HVM_RUN(f, "\xeb\xfe");
    assert_true(irq->callback.asserted);
    f->v->hvm->evtchn_upcall_vector = 0x55; /* the line stays up for what it was raised for, */
    HVM_RUN(f, "\xeb\xfe");
    assert_true(irq->callback.asserted);
    f->v->vcpu_info->evtchn_upcall_pending = 0; /* and falls with that */
    HVM_RUN(f, "\xeb\xfe");
    assert_false(irq->callback.asserted);
}

static bool guarded(struct fixture *f, unsigned int gfn, bool set)
{
    p2m_type_t t;
    const mfn_t mfn = p2m_get_entry(f->d, gfn, &t);

    if (set)
        assert_int_equal(p2m_set_entry(f->d, gfn, mfn, p2m_ram_logdirty), 0);
    return t == p2m_ram_logdirty;
}

/* Pages of which somebody wants to know whether they are written are RAM for all who write: and then known. */
static void test_guarded(void **state)
{
    struct fixture *f = *state;
    struct hvm_fault fault;
    uint32_t val = 0, pde = 0x11003, pte = 0x7003;

    guarded(f, 7, true);
    assert_int_equal(copy_from_guest(f->v, &val, 0x7000, 4), 0);
    assert_true(guarded(f, 7, false));
    assert_int_equal(copy_to_guest(f->v, 0x7000, "abc", 4), 0);
    assert_false(guarded(f, 7, false));
    hvm_put(f, 0x10000, &pde, 4); /* page tables: their A bits are written */
    hvm_put(f, 0x11000 + 7 * 4, &pte, 4);
    guarded(f, 0x10, true);
    guarded(f, 0x11, true);
    f->v->regs->cr3 = 0x10000;
    f->v->regs->cr0 |= X86_CR0_PG;
    assert_true(hvm_linear(f->v, 0x7000, &val, 4, HVM_ACCESS_READ, false, &fault));
    assert_memory_equal(&val, "abc", 4);
    assert_false(guarded(f, 0x10, false) || guarded(f, 0x11, false));
}

/* --- a second vCPU, begun by the first --- */

static struct vcpu_hvm_context ap_32(void)
{
    struct vcpu_hvm_context c = { .mode = VCPU_HVM_MODE_32B };
    struct vcpu_hvm_x86_32 *r = &c.cpu_regs.x86_32;

    r->eip = 0x2000;
    r->esp = 0x9000;
    r->eax = 0x1234;
    r->eflags = X86_EFLAGS_MBS;
    r->cr0 = X86_CR0_PE;
    r->cs_limit = r->ds_limit = r->es_limit = r->ss_limit = ~0u;
    r->cs_ar = 0xc9a; /* not accessed: it will be */
    r->ds_ar = r->es_ar = r->ss_ar = 0xc92;
    r->tr_limit = 0x67;
    r->tr_ar = 0x89; /* not busy: it will be */
    return c;
}

static void second_vcpu(struct fixture *f)
{
    hvm_destroy(f);
    hvm_create_vcpus(f, 2);
}

/* As the guest's kernel calls it, with its structure at 0x3000. */
static long vcpu_op(struct fixture *f, unsigned int cmd, unsigned int id, const struct vcpu_hvm_context *c)
{
    struct hypercall_args args = { .a = { cmd, id, c ? 0x3000 : 0 } };

    if (c)
        hvm_put(f, 0x3000, c, sizeof(*c));
    return do_vcpu_op(f->v, &args);
}

static void test_initialise(void **state)
{
    struct fixture *f = *state;
    struct vcpu_hvm_context c = ap_32(), bad;
    struct vcpu *ap;

    second_vcpu(f);
    ap = f->d->vcpu[1];
    assert_int_equal(vcpu_op(f, VCPUOP_initialise, 7, &c), -ENOENT);
    assert_int_equal(vcpu_op(f, VCPUOP_up, 1, NULL), -EINVAL); /* not yet */
#define REFUSED(what)                                                                                                  \
    do {                                                                                                               \
        bad = ap_32();                                                                                                 \
        bad.what;                                                                                                      \
        assert_int_equal(vcpu_op(f, VCPUOP_initialise, 1, &bad), -EINVAL);                                             \
        assert_false(ap->is_initialised);                                                                              \
    } while (0)
    REFUSED(mode = 2);
    REFUSED(pad = 1);
    REFUSED(cpu_regs.x86_32.pad1 = 1);
    REFUSED(cpu_regs.x86_32.pad2[2] = 1);
    REFUSED(cpu_regs.x86_32.cs_ar = 0);
    REFUSED(cpu_regs.x86_32.ss_ar = 0);
    REFUSED(cpu_regs.x86_32.tr_ar = 0);
    REFUSED(cpu_regs.x86_32.cs_ar |= 0x1000);
    REFUSED(cpu_regs.x86_32.cs_ar = 0xc93);   /* data */
    REFUSED(cpu_regs.x86_32.ss_ar = 0xc91);   /* not to be written */
    REFUSED(cpu_regs.x86_32.ds_ar = 0xc99);   /* code that cannot be read */
    REFUSED(cpu_regs.x86_32.ds_ar = 0xc13);   /* not present */
    REFUSED(cpu_regs.x86_32.tr_ar = 0x82);    /* an LDT */
    REFUSED(cpu_regs.x86_32.tr_ar = 0xc93);   /* data */
    REFUSED(cpu_regs.x86_32.ss_ar = 0xcf3);   /* of ring 3, and code of ring 0 */
    REFUSED(cpu_regs.x86_32.cs_limit = 0);    /* of a page */
    REFUSED(cpu_regs.x86_32.efer = EFER_LMA); /* without LME */
    REFUSED(cpu_regs.x86_32.efer = UINT64_C(1) << 60);
    REFUSED(cpu_regs.x86_32.cr4 = 1u << 31);
    REFUSED(cpu_regs.x86_32.cr0 = X86_CR0_PG); /* without PE */
    REFUSED(mode = VCPU_HVM_MODE_64B);         /* and that is not 64-bit */
#undef REFUSED
    assert_int_equal(vcpu_op(f, VCPUOP_initialise, 1, &c), 0);
    assert_int_equal(vcpu_op(f, VCPUOP_initialise, 1, &c), -EEXIST);
    assert_int_equal(vcpu_op(f, VCPUOP_initialise, 0, &c), -EEXIST);
    assert_int_equal(vcpu_op(f, VCPUOP_is_up, 1, NULL), 0);
    assert_int_equal(ap->regs->seg[CPU_SEG_CS].attr, 0xc9b);
    assert_int_equal(ap->regs->tr.attr, 0x8b);
    hvm_put(f, 0x2000, "\xa3\x00\x40\x00\x00\xf4", 6); /* mov %eax, 0x4000; hlt */
    assert_int_equal(vcpu_op(f, VCPUOP_up, 1, NULL), 0);
    HVM_RUN(f, "\x81\x3d\x00\x40\x00\x00\x34\x12\x00\x00\x75\xf4\xf4"); /* until 0x4000 is 0x1234; hlt */
    assert_true(f->d->is_shut_down && f->d->shutdown_code == SHUTDOWN_poweroff);
    assert_int_equal(ap->regs->rip, 0x2006);
}

/* In long mode at once. */
static void test_initialise_64(void **state)
{
    struct fixture *f = *state;
    struct vcpu_hvm_context c = { .mode = VCPU_HVM_MODE_64B };
    struct vcpu_hvm_x86_64 *r = &c.cpu_regs.x86_64;
    const uint64_t next[] = { 0x11003, 0x12003, 0x83 };

    second_vcpu(f);
    for (unsigned int i = 0; i < 3; i++)
        hvm_put(f, 0x10000 + i * PAGE_SIZE, &next[i], 8);
    r->rip = 0x2000;
    r->rax = UINT64_C(0x123456789abcdef0);
    r->rflags = X86_EFLAGS_MBS;
    r->cr0 = X86_CR0_PE | X86_CR0_PG;
    r->cr3 = 0x10000;
    r->cr4 = X86_CR4_PAE;
    r->efer = EFER_LME;
    assert_int_equal(vcpu_op(f, VCPUOP_initialise, 1, &c), 0);
    hvm_put(f, 0x2000, "\x48\x89\x04\x25\x00\x40\x00\x00\xf4", 9); /* mov %rax, 0x4000; hlt */
    assert_int_equal(vcpu_op(f, VCPUOP_up, 1, NULL), 0);
    HVM_RUN(f, "\x81\x3d\x04\x40\x00\x00\x78\x56\x34\x12\x75\xf4\xf4");
    assert_true(f->d->is_shut_down && f->d->shutdown_code == SHUTDOWN_poweroff);
    assert_true(f->d->vcpu[1]->regs->efer & EFER_LMA);
}

/* The toolstack looks, and puts back. */
static void test_vcpucontext(void **state)
{
    struct fixture *f = *state;
    static struct vcpu_guest_context c;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getvcpucontext, .domain = f->d->domain_id };

    HVM_RUN(f, "\xb8\x78\x56\x34\x12\xeb\xfe"); /* mov $0x12345678, %eax; jmp . */
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &c);
    assert_int_equal(hvm_domctl(f, &op), 0);
    assert_int_equal(c.user_regs.rip, HVM_CODE + 5);
    assert_int_equal(c.user_regs.rax, 0x12345678);
    assert_int_equal(c.ctrlreg[0] & X86_CR0_PE, X86_CR0_PE);
    assert_true(c.flags & VGCF_online && c.flags & VGCF_IN_KERNEL);
    c.user_regs.rip = 0x2000;
    c.user_regs.rax = 'A';
    hvm_put(f, 0x2000, "\xe6\xe9\xb0\x0a\xe6\xe9\xf4", 7);
    op.cmd = XEN_DOMCTL_setvcpucontext;
    assert_int_equal(hvm_domctl(f, &op), 0);
    hvm_go(f, SECONDS(1));
    assert_non_null(strstr(f->log, "(d1) A\n"));
    op.u.vcpucontext.ctxt.p = NULL; /* as vcpu_create() left it */
    assert_int_equal(hvm_domctl(f, &op), 0);
    assert_false(f->v->is_initialised);
    op.cmd = XEN_DOMCTL_getvcpucontext;
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &c);
    assert_int_equal(hvm_domctl(f, &op), -ENODATA);
}

/* A vCPU that is on a processor is taken off it, and comes back when it is online again. */
static void test_vcpucontext_offline(void **state)
{
    struct fixture *f = *state;
    static struct vcpu_guest_context c;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getvcpucontext, .domain = f->d->domain_id };

    uint64_t was;

    HVM_RUN(f, "\x40\xeb\xfd"); /* inc %eax; jmp .-1 */
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &c);
    assert_int_equal(hvm_domctl(f, &op), 0);
    op.cmd = XEN_DOMCTL_setvcpucontext;
    c.flags &= ~(unsigned long)VGCF_online;
    assert_int_equal(hvm_domctl(f, &op), 0);
    hvm_go(f, MILLISECS(1)); /* its turn, which the test has interrupted, ends */
    was = f->v->regs->rax;
    hvm_go(f, MILLISECS(1));
    assert_int_equal(f->v->regs->rax, was);
    c.flags |= VGCF_online;
    c.user_regs.rax = 0;
    assert_int_equal(hvm_domctl(f, &op), 0);
    hvm_go(f, MILLISECS(1));
    assert_in_range(f->v->regs->rax, 100000, 600000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_console, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_hypercall_modes, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_hypercall_vm86, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_triple_fault, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_context, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_physmap, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_guarded, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_upcall_vector, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_upcall_line, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_initialise, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_initialise_64, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_vcpucontext, hvm_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_vcpucontext_offline, hvm_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
