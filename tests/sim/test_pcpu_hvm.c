// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What makes an HVM guest leave, what does not, and what the exit says: each fact about the emulated processor that the
 * hypervisor relies upon for guests with rings of their own.
 *
 * Budget: a test a fact, and there are many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/nested.h"
#include "sim/observe.h"
#include "tests/support/hvm_guest.h"

static void assert_exit(struct sim_exit x, enum sim_exit_kind kind)
{
    if (x.kind != kind)
        fail_msg("%s (vector %u, %s) instead of %s", sim_exit_name(x.kind), sim_exit_vector(&x),
                 x.kind == EXIT_ERROR ? x.error.why : "", sim_exit_name(kind));
}

static void assert_exception(struct hvm_guest *g, struct sim_exit x, uint8_t vector, uint64_t rip)
{
    assert_exit(x, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, vector);
    assert_int_equal(g->st->rip, rip);
}

#define CODE (HG_CODE * PAGE_SIZE)

/* mov $0x1234, %ax; mov %ax, %ds; mov $0x55, %al; mov %al, 0x10; hlt */
static void test_real_mode(void **state)
{
    struct hvm_guest *g = *state;
    struct sim_exit x;

    x = HG_EXEC(g, "\xb8\x34\x12\x8e\xd8\xb0\x55\xa2\x10\x00\xf4");
    assert_exit(x, EXIT_HLT);
    assert_int_equal(x.insns, 4);
    assert_int_equal(g->st->rip, 10);
    assert_int_equal(g->st->rax & 0xffff, 0x1255);
    assert_int_equal(g->st->seg[CPU_SEG_DS].sel, 0x1234);
    assert_int_equal(g->st->seg[CPU_SEG_DS].base, 0x12340);
    assert_int_equal(*(uint8_t *)hg_at(g, 0x12350), 0x55);
    assert_int_equal(g->st->cpl, 0);
}

/* The same, from each mode: a store, a load, HLT. */
static void test_modes(void **state)
{
    struct hvm_guest *g = *state;

    for (enum hg_mode mode = HG_PROTECTED; mode <= HG_LONG; mode++) {
        struct sim_exit x;

        hg_mode(g, mode);
        g->st->rax = 0x1000 + mode;
        g->st->rbx = HG_DATA * PAGE_SIZE;
        x = HG_EXEC(g, "\x89\x03\x8b\x0b\xf4");
        assert_exit(x, EXIT_HLT);
        assert_int_equal(x.insns, 2);
        assert_int_equal(g->st->rcx, 0x1000 + mode);
        assert_int_equal(*(uint32_t *)hg_at(g, HG_DATA * PAGE_SIZE), 0x1000 + mode);
    }
}

/* Real mode to protected mode to long mode, by the guest's own instructions, as far as they do not leave. */
static void test_to_long_mode(void **state)
{
    struct hvm_guest *g = *state;
    struct sim_exit x;

    hg_mode(g, HG_LONG); /* for its tables */
    hg_mode(g, HG_REAL);
    hg_write(g, 0x800, "\x3f\x00\x00\x10\x00\x00", 6);
    x = HG_EXEC(g, "\x0f\x01\x16\x00\x08\x0f\x20\xc0\x0c\x01\x0f\x22\xc0"); /* lgdt; mov cr0,eax; or 1; mov eax,cr0 */
    assert_exit(x, EXIT_CR_WRITE);
    assert_int_equal(x.cr.nr, 0);
    assert_int_equal(g->st->rip, 10);
    assert_int_equal(g->st->gdtr.base, PAGE_SIZE);
    assert_int_equal(g->st->gdtr.limit, 0x3f);
    g->st->cr0 |= X86_CR0_PE;
    g->st->dirty |= CPU_DIRTY_CR;
    /* ljmp $0x08, $next; mov $0x10, %eax; mov %eax, %ss; hlt */
    x = HG_EXEC(g, "\x66\xea\x08\x00\x01\x00\x08\x00\xb8\x10\x00\x00\x00\x8e\xd0\xf4");
    g->st->rip = 0;
    hg_write(g, CODE, "\x66\xea\x08\x00\x01\x00\x08\x00\xb8\x10\x00\x00\x00\x8e\xd0\xf4", 16);
    g->st->seg[CPU_SEG_CS].base = CODE;
    g->st->dirty |= CPU_DIRTY_SEGS;
    x = hg_run(g, 100);
    assert_exit(x, EXIT_HLT);
    assert_int_equal(g->st->rip, CODE + 15);
    assert_int_equal(g->st->seg[CPU_SEG_CS].sel, 8);
    assert_int_equal(g->st->seg[CPU_SEG_CS].attr, 0xc9b);
    assert_int_equal(g->st->seg[CPU_SEG_SS].limit, ~0u);
}

static void test_nested_fault(void **state)
{
    struct hvm_guest *g = *state;
    struct sim_exit x;

    hg_mode(g, HG_PROTECTED);
    g->st->rbx = 0x40000000;
    x = HG_EXEC(g, "\x90\x8b\x03"); /* a load from nowhere */
    assert_exit(x, EXIT_NPF);
    assert_int_equal(g->st->rip, CODE + 1);
    assert_int_equal(x.npf.gpa, 0x40000000);
    assert_int_equal(x.npf.error_code, PFEC_user_mode);
    assert_false(x.npf.table);
    x = HG_EXEC(g, "\x90\x89\x03");
    assert_exit(x, EXIT_NPF);
    assert_int_equal(x.npf.error_code, PFEC_user_mode | PFEC_write_access);
    g->st->rbx = 0xfee00020; /* read-only: reading is native */
    *(uint32_t *)hg_at(g, HG_RO * PAGE_SIZE + 0x20) = 0x05000000;
    x = HG_EXEC(g, "\x8b\x03\x89\x03");
    assert_exit(x, EXIT_NPF);
    assert_int_equal(g->st->rax, 0x05000000);
    assert_int_equal(g->st->rip, CODE + 2);
    assert_int_equal(x.npf.gpa, 0xfee00020);
    assert_int_equal(x.npf.error_code, PFEC_user_mode | PFEC_write_access | PFEC_page_present);
    hg_mode(g, HG_LONG);
    hg_nested(g, HG_L1, 0); /* one of its tables is gone */
    x = HG_EXEC(g, "\x90");
    assert_exit(x, EXIT_NPF);
    assert_true(x.npf.table);
    assert_int_equal(PFN_DOWN(x.npf.gpa), HG_L1);
    hg_nested(g, HG_L1, _PAGE_PRESENT | _PAGE_USER); /* it cannot be written: A could not be set */
    x = HG_EXEC(g, "\x90");
    assert_exit(x, EXIT_NPF);
    assert_true(x.npf.table);
    assert_true(x.npf.error_code & PFEC_write_access);
    hg_nested(g, HG_L1, _PAGE_PRESENT | _PAGE_RW | _PAGE_USER);
    x = HG_EXEC(g, "\xf4");
    assert_exit(x, EXIT_HLT);
    hg_nested(g, HG_L1, _PAGE_PRESENT | _PAGE_USER); /* all that is needed is set already */
    x = HG_EXEC(g, "\xf4");
    assert_exit(x, EXIT_HLT);
}

static void test_page_fault(void **state)
{
    struct hvm_guest *g = *state;
    uint64_t *l1;
    struct sim_exit x;

    hg_mode(g, HG_LONG);
    l1 = hg_at(g, HG_L1 * PAGE_SIZE);
    l1[HG_DATA] = 0;
    l1[HG_DATA + 1] &= ~_PAGE_RW;
    l1[HG_DATA + 2] |= _PAGE_NX;
    l1[HG_DATA + 3] |= UINT64_C(1) << 45;
    g->st->rbx = HG_DATA * PAGE_SIZE;
    x = HG_EXEC(g, "\x90\x8b\x03");
    assert_exception(g, x, X86_EXC_PF, CODE + 1);
    assert_int_equal(x.exception.addr, HG_DATA * PAGE_SIZE);
    assert_int_equal(x.exception.error_code, 0);
    g->st->rbx += PAGE_SIZE;
    x = HG_EXEC(g, "\x8b\x03\x89\x03");
    assert_exception(g, x, X86_EXC_PF, CODE + 2);
    assert_int_equal(x.exception.error_code, PFEC_page_present | PFEC_write_access);
    g->st->rbx += PAGE_SIZE;
    x = HG_EXEC(g, "\xff\xe3");
    assert_exit(x, EXIT_EXCEPTION);
    assert_int_equal(x.exception.error_code, PFEC_page_present | PFEC_insn_fetch);
    g->st->rbx += PAGE_SIZE;
    x = HG_EXEC(g, "\x8b\x03");
    assert_int_equal(x.exception.error_code, PFEC_page_present | PFEC_reserved_bit);
    g->st->rbx = UINT64_C(1) << 47;
    x = HG_EXEC(g, "\x8b\x03");
    assert_exception(g, x, X86_EXC_GP, CODE);
    g->st->cr0 &= ~(uint64_t)X86_CR0_WP;
    g->st->dirty |= CPU_DIRTY_CR;
    g->st->rbx = (HG_DATA + 1) * PAGE_SIZE;
    x = HG_EXEC(g, "\x89\x03\xf4");
    assert_exit(x, EXIT_HLT);
}

static void test_intercepts(void **state)
{
    static const struct {
        const char *code;
        uint8_t nr;
        enum sim_exit_kind kind;
    } c[] = {
        { "\x0f\xa2", 0, EXIT_CPUID },
        { "\x0f\x31", 0, EXIT_RDTSC },
        { "\xf4", 0, EXIT_HLT },
        { "\x0f\x32", 0, EXIT_RDMSR },
        { "\x0f\x30", 0, EXIT_WRMSR },
        { "\xe4\x60", 0, EXIT_IO },
        { "\xef", 0, EXIT_IO },
        { "\x6c", 0, EXIT_IO },
        { "\xf3\x6f", 0, EXIT_IO },
        { "\x0f\x22\xc0", 0, EXIT_CR_WRITE },
        { "\x0f\x22\xe0", 4, EXIT_CR_WRITE },
        { "\x0f\x06", 0, EXIT_CR_WRITE },
        { "\x0f\x01\xf0", 0, EXIT_CR_WRITE },
        { "\x44\x0f\x20\xc0", 8, EXIT_CR_READ },
        { "\x44\x0f\x22\xc0", 8, EXIT_CR_WRITE },
        { "\x0f\x21\xf8", 7, EXIT_DR_READ },
        { "\x0f\x23\xc0", 0, EXIT_DR_WRITE },
        { "\x0f\x01\xd9", 0, EXIT_VMMCALL },
        { "\xcd\x80", 0, EXIT_SOFTINT },
        { "\xcc", 0, EXIT_SOFTINT },
        { "\xf3\x90", 0, EXIT_PAUSE },
    };
    struct hvm_guest *g = *state;

    hg_mode(g, HG_LONG);
    for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
        char code[8] = "\x90";
        struct sim_exit x;

        strcpy(code + 1, c[i].code);
        g->st->rdi = g->st->rsi = HG_DATA * PAGE_SIZE;
        x = hg_exec(g, code, strlen(code) + 1);
        assert_exit(x, c[i].kind);
        assert_int_equal(g->st->rip, CODE + 1 + (c[i].kind == EXIT_SOFTINT ? strlen(c[i].code) : 0));
        assert_int_equal(x.insns, c[i].kind == EXIT_SOFTINT ? 2 : 1);
        if (c[i].kind == EXIT_CR_READ || c[i].kind == EXIT_CR_WRITE || c[i].kind == EXIT_DR_READ ||
            c[i].kind == EXIT_DR_WRITE)
            assert_int_equal(x.cr.nr, c[i].nr);
    }
}

/* What does not leave: CR3, INVLPG, descriptor tables, flags, caches, SWAPGS. */
static void test_native(void **state)
{
    struct hvm_guest *g = *state;
    struct sim_exit x;

    hg_mode(g, HG_LONG);
    g->st->rax = g->st->cr3;
    g->st->rbx = HG_DATA * PAGE_SIZE;
    g->st->kernel_gs_base = 0x1234567800;
    g->st->dirty |= CPU_DIRTY_MSR;
    x = HG_EXEC(g, "\x0f\x22\xd8\x0f\x01\x3b\xfa\xfb\x90\x0f\x09\x0f\x08\x0f\x01\xf8\x0f\x20\xd9\xf4");
    assert_exit(x, EXIT_HLT);
    assert_int_equal(g->st->rcx, g->st->cr3);
    assert_int_equal(g->st->seg[CPU_SEG_GS].base, 0x1234567800);
    assert_int_equal(g->st->kernel_gs_base, 0);
    assert_true(g->st->rflags & X86_EFLAGS_IF);
}

/* SYSCALL from ring 3 to ring 0 and back, without leaving. */
static void test_syscall(void **state)
{
    struct hvm_guest *g = *state;
    struct sim_exit x;

    hg_mode(g, HG_LONG);
    hg_user(g);
    g->st->star = UINT64_C(0x1b) << 48 | UINT64_C(0x08) << 32; /* SYSRET: 0x23, 0x2b */
    g->st->lstar = CODE + 0x100;
    g->st->sfmask = X86_EFLAGS_IF | X86_EFLAGS_DF;
    g->st->rflags = X86_EFLAGS_MBS | X86_EFLAGS_IF | X86_EFLAGS_CF;
    hg_write(g, CODE + 0x100, "\x9c\x5a\x8c\xcb\x8c\xd6\x48\x0f\x07",
             9);                                        /* pushf; pop rdx; mov cs,ebx; mov ss,esi; sysretq */
    x = HG_EXEC(g, "\x0f\x05\x9c\x5f\x8c\xcd\xcd\x80"); /* syscall; pushf; pop rdi; mov cs,ebp; int 0x80 */
    assert_exit(x, EXIT_SOFTINT);
    assert_int_equal(g->st->rdx, X86_EFLAGS_MBS | X86_EFLAGS_CF);
    assert_int_equal(g->st->rbx, 8);
    assert_int_equal(g->st->rsi, 0x10);
    assert_int_equal(g->st->rdi, X86_EFLAGS_MBS | X86_EFLAGS_IF | X86_EFLAGS_CF);
    assert_int_equal(g->st->rbp, 0x2b);
    assert_int_equal(g->st->rcx, CODE + 2);
    assert_int_equal(g->st->cpl, 3);
    assert_int_equal(g->st->seg[CPU_SEG_SS].sel, 0x23);
    assert_int_equal(x.insns, 10);
    g->st->efer &= ~(uint64_t)EFER_SCE;
    g->st->dirty |= CPU_DIRTY_CR;
    x = HG_EXEC(g, "\x90\x0f\x05");
    assert_exception(g, x, X86_EXC_UD, CODE + 1);
}

static void test_sysenter(void **state)
{
    struct hvm_guest *g = *state;
    struct sim_exit x;

    hg_mode(g, HG_PROTECTED);
    hg_user(g);
    g->st->sysenter_cs = 8;
    g->st->sysenter_esp = 0x9000;
    g->st->sysenter_eip = CODE + 0x100;
    g->st->rflags |= X86_EFLAGS_IF;
    hg_write(g, CODE + 0x100, "\x89\xe6\x8c\xcb\xb9\x00\x80\x00\x00\xba\x02\x00\x01\x00\x0f\x35", 16);
    x = HG_EXEC(g, "\x0f\x34\x8c\xcd\xcd\x80");
    assert_exit(x, EXIT_SOFTINT);
    assert_int_equal(g->st->rsi, 0x9000);
    assert_int_equal(g->st->rbx, 8);
    assert_int_equal(g->st->rbp, 0x1b);
    assert_int_equal(g->st->rsp, 0x8000);
    assert_int_equal(g->st->cpl, 3);
    hg_mode(g, HG_LONG);
    x = HG_EXEC(g, "\x90\x0f\x34");
    assert_exception(g, x, X86_EXC_UD, CODE + 1);
}

static void test_interrupt_window(void **state)
{
    struct hvm_guest *g = *state;
    struct sim_exit x;

    hg_mode(g, HG_LONG);
    g->st->want_intwin = true;
    x = HG_EXEC(g, "\x90\xfb\x90\x90\xf4"); /* nop; sti; nop; nop; hlt */
    assert_exit(x, EXIT_INTWIN);
    assert_int_equal(g->st->rip, CODE + 3);
    assert_int_equal(x.insns, 3);
    x = hg_run(g, 100); /* at once */
    assert_exit(x, EXIT_INTWIN);
    assert_int_equal(x.insns, 0);
    g->st->want_intwin = false;
    x = hg_run(g, 100);
    assert_exit(x, EXIT_HLT);
    g->st->rflags &= ~(uint64_t)X86_EFLAGS_IF;
    g->st->want_intwin = true;
    x = HG_EXEC(g, "\x68\x02\x02\x00\x00\x90\x9d\x90\xf4"); /* push 0x202; nop; popf; nop; hlt */
    assert_exit(x, EXIT_INTWIN);
    assert_int_equal(g->st->rip, CODE + 7);
    g->st->rflags &= ~(uint64_t)X86_EFLAGS_IF;
    x = HG_EXEC(g, "\xfb\xf4"); /* sti; hlt: HLT is in the shadow */
    assert_exit(x, EXIT_HLT);
    assert_true(g->st->int_shadow);
    assert_true(g->st->rflags & X86_EFLAGS_IF);
}

/* An NMI is blocked until IRET, in each mode; behind that whoever waits for it is told. */
static void test_nmi_window(void **state)
{
    struct hvm_guest *g = *state;

    for (enum hg_mode mode = HG_REAL; mode <= HG_LONG; mode++) {
        const bool wide = mode == HG_LONG, real = mode == HG_REAL;
        const uint64_t to = real ? 8 : CODE + 8;
        struct sim_exit x;

        for (unsigned int wanted = 0; wanted < 2; wanted++) {
            const uint64_t flags = X86_EFLAGS_MBS;
            uint8_t frame[40] = { 0 };

            hg_mode(g, mode);
            memcpy(frame, &to, 8);
            memcpy(frame + (real ? 2 : wide ? 8 : 4), &g->st->seg[CPU_SEG_CS].sel, 2);
            memcpy(frame + (real ? 4 : wide ? 16 : 8), &flags, 2);
            memcpy(frame + 24, &g->st->rsp, 8);
            memcpy(frame + 32, &g->st->seg[CPU_SEG_SS].sel, 2);
            g->st->rsp -= 64;
            hg_write(g, g->st->rsp, frame, real ? 6 : wide ? 40 : 12);
            g->st->nmi_blocked = true;
            g->st->want_nmiwin = wanted;
            x = wide ? HG_EXEC(g, "\x90\x48\xcf\x90\x90\x90\x90\x90\x90\xf4")
                     : HG_EXEC(g, "\x90\xcf\x90\x90\x90\x90\x90\x90\x90\xf4"); /* nop; iret; ... 8: nop; hlt */
            assert_exit(x, wanted ? EXIT_INTWIN : EXIT_HLT);
            assert_int_equal(x.insns, wanted ? 2 : 3);
            assert_int_equal(g->st->rip, wanted ? to : to + 1);
            assert_false(g->st->nmi_blocked);
        }
    }
}

/* Far transfers to a TSS or a task gate leave; others do not. */
static void test_task_switch(void **state)
{
    struct hvm_guest *g = *state;
    struct sim_exit x;

    hg_mode(g, HG_PROTECTED);
    x = HG_EXEC(g, "\x90\xea\x00\x00\x00\x00\x38\x00");
    assert_exit(x, EXIT_TASK_SWITCH);
    assert_int_equal(g->st->rip, CODE + 1);
    assert_int_equal(x.task.sel, 0x38);
    assert_int_equal(x.task.why, TASK_JMP);
    x = HG_EXEC(g, "\x9a\x00\x00\x00\x00\x38\x00");
    assert_exit(x, EXIT_TASK_SWITCH);
    assert_int_equal(x.task.why, TASK_CALL);
    g->st->rflags |= X86_EFLAGS_NT;
    x = HG_EXEC(g, "\x90\xcf");
    assert_exit(x, EXIT_TASK_SWITCH);
    assert_int_equal(x.task.why, TASK_IRET);
    assert_int_equal(g->st->rip, CODE + 1);
    g->st->rflags &= ~(uint64_t)X86_EFLAGS_NT;
    x = HG_EXEC(g, "\xea\x08\x00\x01\x00\x08\x00\x90\xf4");
    assert_exit(x, EXIT_HLT);
}

/*
 * A page that is stored to as memory, and then becomes a table through which a translation is made: the next store to
 * it is noticed.
 */
static void test_memory_becomes_table(void **state)
{
    const uint64_t table = 0x30 * PAGE_SIZE, page = 0x41, rights = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER;
    struct hvm_guest *g = *state;
    struct sim_exit x;

    hg_mode(g, HG_LONG);
    memset(hg_at(g, 0x50 * PAGE_SIZE), 1, 8);
    memset(hg_at(g, 0x51 * PAGE_SIZE), 2, 8);
    g->st->rbx = table + page * 8;
    g->st->rax = 0x50 * PAGE_SIZE | rights;
    g->st->r8 = 0x51 * PAGE_SIZE | rights;
    g->st->rcx = (HG_L4 + 2) * PAGE_SIZE + 8;
    g->st->rdx = table | rights;
    g->st->rdi = 0x200000 + page * PAGE_SIZE;
    /* mov %rax, (%rbx), twice; mov %rdx, (%rcx); mov (%rdi), %rsi; mov %r8, (%rbx); mov (%rdi), %r9; hlt */
    x = HG_EXEC(g, "\x48\x89\x03\x48\x89\x03\x48\x89\x11\x48\x8b\x37\x4c\x89\x03\x4c\x8b\x0f\xf4");
    assert_exit(x, EXIT_HLT);
    assert_int_equal(g->st->rsi, UINT64_C(0x0101010101010101));
    assert_int_equal(g->st->r9, UINT64_C(0x0202020202020202));
}

static const uint64_t *table_at(const void *ram, uint64_t addr)
{
    return addr >> PAGE_SHIFT < ((const struct machine *)ram)->nr_frames
               ? mfn_to_virt((const struct machine *)ram, _mfn(PFN_DOWN(addr)))
               : NULL;
}

/* The walk to a linear address, as it would be made for a load. */
static void hg_walk(struct hvm_guest *g, uint64_t va, struct nested_walk *w)
{
    const struct nested_regs r = { g->st->cr0, g->st->cr3, g->st->cr4, g->st->efer, g->st->ncr3 };

    assert_int_equal(nested_walk(&r, va, 0, table_at, g->m, w), NESTED_OK);
}

/* One exit, and the guest is left. */
static bool take(void *data, const struct sim_exit *x, struct pcpu_budget *budget)
{
    *(struct sim_exit *)data = *x;
    return false;
}

/* On from where it was stopped, to the next exit. */
static struct sim_exit go_on(struct hvm_guest *g)
{
    struct pcpu_budget b = { .insns = 1000, .exact = true, .stop_after = PCPU_NO_STOP, .resume = true };
    struct sim_exit x = { 0 };

    pcpu_run_on(g->m->pcpu[0], g->c, &b, take, &x);
    return x;
}

static void assert_stop(struct hvm_guest *g, struct sim_exit x, enum sim_stop why, uint64_t linear)
{
    assert_exit(x, EXIT_STOP);
    assert_int_equal(x.stop.why, why);
    assert_int_equal(g->st->seg[CPU_SEG_CS].base + g->st->rip, linear);
}

/* An observer's breakpoints and watches, in each mode and at both privileges: linear addresses, and machine memory. */
static void test_observed(void **state)
{
    struct hvm_guest *g = *state;
    const uint64_t data = mfn_x(hg_frame(HG_DATA)) << PAGE_SHIFT, at = CODE + 3;
    const struct machine_watch written = { data + 3, 1, false, true };

    for (unsigned int how = 0; how < 2 * (HG_LONG + 1); how++) {
        const enum hg_mode mode = how / 2;
        struct sim_exit x;

        if (mode == HG_REAL && how % 2)
            continue;
        hg_mode(g, mode);
        if (how % 2)
            hg_user(g);
        g->st->rbx = mode == HG_REAL ? 0 : HG_DATA * PAGE_SIZE;
        if (mode == HG_REAL)
            g->st->seg[CPU_SEG_DS].base = HG_DATA * PAGE_SIZE;
        g->st->dirty |= CPU_DIRTY_SEGS;
        g->st->rax = 0x12345678;
        memset(hg_at(g, HG_DATA * PAGE_SIZE), 0, 8);
        assert_int_equal(machine_watch_set(g->m, &written, 1), 0);
        assert_int_equal(machine_break_set(g->m, &at, 1), 0);
        /* a load; a store, of 32 bits; ud2 */
        x = mode == HG_REAL ? HG_EXEC(g, "\x66\x8b\x0f\x66\x89\x07\x0f\x0b")
                            : HG_EXEC(g, "\x90\x8b\x0b\x89\x03\x0f\x0b");
        assert_stop(g, x, STOP_BREAK, CODE + 3);
        assert_int_equal(machine_break_set(g->m, NULL, 0), 0);
        x = go_on(g);
        assert_exit(x, EXIT_EXCEPTION); /* with `resume` it is no reason to stop, whatever it accesses */
        g->st->rip -= mode == HG_REAL ? 3 : 2;
        *(uint32_t *)hg_at(g, HG_DATA * PAGE_SIZE) = 0;
        x = hg_run(g, 1000);
        assert_stop(g, x, STOP_WATCH, CODE + 3);
        assert_true(x.stop.write && x.stop.addr <= data + 3 && x.stop.addr + x.stop.size > data + 3);
        assert_int_equal(*(uint32_t *)hg_at(g, HG_DATA * PAGE_SIZE), 0);
        x = go_on(g);
        assert_exit(x, EXIT_EXCEPTION);
        assert_int_equal(*(uint32_t *)hg_at(g, HG_DATA * PAGE_SIZE), 0x12345678);
        machine_watch_set(g->m, NULL, 0);
    }
}

/* That the processor sets an accessed or dirty bit in a guest's entry is a store to it, and is undone with the rest. */
static void test_observed_tables(void **state)
{
    static const uint8_t sizes[] = { [HG_LEGACY] = 4, [HG_PAE] = 8, [HG_LONG] = 8 };
    struct hvm_guest *g = *state;

    for (enum hg_mode mode = HG_LEGACY; mode <= HG_LONG; mode++) {
        struct machine_watch watch = { 0, sizes[mode], false, true };
        struct nested_walk w;
        uint64_t entry = 0;
        struct sim_exit x;

        hg_mode(g, mode);
        g->st->rbx = HG_DATA * PAGE_SIZE;
        hg_walk(g, g->st->rbx, &w);
        watch.addr = w.step[w.nr - 1].phys;
        assert_int_equal(machine_watch_set(g->m, &watch, 1), 0);
        x = HG_EXEC(g, "\x90\x8b\x0b\x89\x03\x0f\x0b");
        assert_stop(g, x, STOP_WATCH, CODE + 1); /* A */
        hg_walk(g, g->st->rbx, &w);
        entry = w.step[w.nr - 1].entry;
        assert_false(entry & _PAGE_ACCESSED);
        x = go_on(g);
        assert_stop(g, x, STOP_WATCH, CODE + 3); /* D */
        hg_walk(g, g->st->rbx, &w);
        assert_int_equal(w.step[w.nr - 1].entry, entry | _PAGE_ACCESSED);
        x = go_on(g);
        assert_exit(x, EXIT_EXCEPTION);
        hg_walk(g, g->st->rbx, &w);
        assert_int_equal(w.step[w.nr - 1].entry, entry | _PAGE_ACCESSED | _PAGE_DIRTY);
        machine_watch_set(g->m, NULL, 0);
    }
}

/* INTO with OF set: what follows it in its block is not counted. */
static void test_into(void **state)
{
    struct hvm_guest *g = *state;
    struct sim_exit x;

    hg_mode(g, HG_PROTECTED);
    x = HG_EXEC(g, "\xb0\x7f\x04\x01\xce\x90\x90\x90\xf4"); /* mov $0x7f, %al; add $1, %al; into; 3 x nop; hlt */
    assert_exit(x, EXIT_SOFTINT);
    assert_int_equal(x.softint.vector, X86_EXC_OF);
    assert_int_equal(x.insns, 3);
    assert_int_equal(g->st->rip, CODE + 5);
    x = HG_EXEC(g, "\xb0\x7e\x04\x01\xce\x90\x90\x90\xf4"); /* without */
    assert_exit(x, EXIT_HLT);
    assert_int_equal(x.insns, 6);
}

/* lcall through a gate to ring 0, with TR as a hypervisor loads it: busy. */
static void test_call_gate(void **state)
{
    static const uint8_t attrs[] = { 0x8b, 0x89, 0x83, 0x00 };
    struct hvm_guest *g = *state;

    for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
        const bool wide = attrs[i] & 8;
        const uint64_t gate =
            0x8 << 16 | UINT64_C(0xec00) << 32 | ((CODE + 0x100) & 0xffff) | (uint64_t)((CODE + 0x100) >> 16) << 48;
        const uint32_t tss[] = { wide ? 0 : 0x8000u << 16, wide ? 0x1f000 : 0x10, wide ? 0x10 : 0 };

        hg_mode(g, HG_PROTECTED);
        hg_user(g);
        hg_write(g, PAGE_SIZE + 0x40, &gate, sizeof(gate));
        hg_write(g, 0xe000, tss, sizeof(tss));
        hg_write(g, CODE + 0x100, "\xf4", 1);
        g->st->gdtr.limit = 0x47;
        g->st->tr.attr = attrs[i];
        assert_exit(HG_EXEC(g, "\x9a\0\0\0\0\x43\0"), EXIT_HLT);
        assert_int_equal(g->st->cpl, 0);
        assert_int_equal(g->st->rsp, wide ? 0x1f000 - 16 : 0x8000 - 16);
        assert_int_equal(g->st->tr.attr, wide ? 0x8b : 0x83);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, hg_setup, hg_teardown)
        TEST(test_real_mode),
        TEST(test_modes),
        TEST(test_to_long_mode),
        TEST(test_nested_fault),
        TEST(test_page_fault),
        TEST(test_intercepts),
        TEST(test_native),
        TEST(test_syscall),
        TEST(test_sysenter),
        TEST(test_interrupt_window),
        TEST(test_nmi_window),
        TEST(test_task_switch),
        TEST(test_call_gate),
        TEST(test_into),
        TEST(test_memory_becomes_table),
        TEST(test_observed),
        TEST(test_observed_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
