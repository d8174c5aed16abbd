// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What makes a PV64 guest leave, and what the exit says: each fact about the emulated processor that the hypervisor
 * relies upon.
 *
 * Budget: over 400 lines, because it is a catalogue: one short test a fact.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

static void assert_exit(struct sim_exit x, enum sim_exit_kind kind)
{
    if (x.kind != kind)
        fail_msg("%s (vector %u) instead of %s", sim_exit_name(x.kind), sim_exit_vector(&x), sim_exit_name(kind));
}

static void assert_exception(struct pv_guest *g, struct sim_exit x, uint8_t vector, uint64_t rip)
{
    assert_exit(x, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, vector);
    assert_int_equal(g->st->rip, rip);
}

static void test_syscall(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    g->st->rcx = 0x1111;
    g->st->r11 = 0x2222;
    for (unsigned int i = 0; i < 3; i++) { /* again from translated code */
        x = PG_EXEC(g, "\x90\x0f\x05");
        assert_exit(x, EXIT_SYSCALL);
        assert_int_equal(x.insn_len, 2);
        assert_int_equal(g->st->rip, PG_VA(0) + 3);
        assert_int_equal(g->st->rcx, 0x1111);
        assert_int_equal(g->st->r11, 0x2222);
        assert_int_equal(g->st->cpl, 3);
    }
}

static void test_softint(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x = PG_EXEC(g, "\x90\xcd\x80");

    assert_exit(x, EXIT_SOFTINT);
    assert_int_equal(x.softint.vector, 0x80);
    assert_int_equal(x.insn_len, 2);
    assert_int_equal(g->st->rip, PG_VA(0) + 3);
    x = PG_EXEC(g, "\x90\xcc");
    assert_exit(x, EXIT_SOFTINT);
    assert_int_equal(x.softint.vector, 3);
    assert_int_equal(x.insn_len, 1);
    assert_int_equal(g->st->rip, PG_VA(0) + 2);
    x = PG_EXEC(g, "\xcd\x0e"); /* int $14 is no page fault */
    assert_exit(x, EXIT_SOFTINT);
    assert_int_equal(x.softint.vector, 14);
    x = PG_EXEC(g, "\xf3\x48\xcd\x82"); /* prefixes count */
    assert_exit(x, EXIT_SOFTINT);
    assert_int_equal(x.insn_len, 4);
    assert_int_equal(g->st->rip, PG_VA(0) + 4);
    pg_write(g, 0, 4095, "\xcd", 1); /* across a page */
    pg_write(g, 1, 0, "\x42", 1);
    g->st->rip = PG_VA(1) - 1;
    x = pcpu_run(g->m->pcpu[0], g->c, 100);
    assert_exit(x, EXIT_SOFTINT);
    assert_int_equal(x.softint.vector, 0x42);
}

/* Privileged instructions are #GP(0) at CPL 3, with nothing changed. */
static void test_privileged(void **state)
{
    static const char *const code[] = {
        "\xfa",         "\xfb",         "\xf4",         "\x0f\x20\xc0", "\x0f\x22\xd8", "\x0f\x21\xf8",
        "\x0f\x23\xf8", "\x0f\x06",     "\x0f\x32",     "\x0f\x30",     "\x0f\x09",     "\x0f\x08",
        "\x0f\x01\xf8", "\x0f\x01\x38", "\x0f\x01\x17", "\x0f\x01\xf0", "\x0f\x07",
    };
    struct pv_guest *g = *state;

    for (size_t i = 0; i < ARRAY_SIZE(code); i++) {
        struct sim_exit x;

        g->st->rax = g->st->rdi = PG_VA(3);
        x = pg_exec(g, code[i], strlen(code[i]));
        assert_exception(g, x, 13, PG_VA(0));
        assert_true(x.exception.has_error_code);
        assert_int_equal(x.exception.error_code, 0);
    }
}

static void test_intercepts(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    x = PG_EXEC(g, "\x90\x0f\xa2\x90");
    assert_exit(x, EXIT_CPUID);
    assert_int_equal(x.insn_len, 2);
    assert_int_equal(g->st->rip, PG_VA(0) + 1);
    x = PG_EXEC(g, "\x90\x0f\x31\x90");
    assert_exit(x, EXIT_RDTSC);
    assert_int_equal(x.insn_len, 2);
    x = PG_EXEC(g, "\x90\x0f\x01\xf9\x90");
    assert_exit(x, EXIT_RDTSC);
    assert_int_equal(x.insn_len, 3);
    assert_int_equal(g->st->rip, PG_VA(0) + 1);
    assert_true(x.insn.rdtscp);
    x = PG_EXEC(g, "\xf3\x90");
    assert_exit(x, EXIT_PAUSE);
    assert_int_equal(g->st->rip, PG_VA(0));
    assert_int_equal(x.insn_len, 2);
    x = PG_EXEC(g, "\x0f\x01\xd9");
    assert_exit(x, EXIT_VMMCALL);
    /* Prefixes that mean nothing belong to the instruction all the same. */
    x = PG_EXEC(g, "\x2e\x67\x0f\xa2\x90");
    assert_exit(x, EXIT_CPUID);
    assert_int_equal(x.insn_len, 4);
    x = PG_EXEC(g, "\xf2\x0f\x31\x90");
    assert_exit(x, EXIT_RDTSC);
    assert_int_equal(x.insn_len, 3);
    assert_false(x.insn.rdtscp);
    x = PG_EXEC(g, "\x3e\x0f\x01\xf9\x90");
    assert_exit(x, EXIT_RDTSC);
    assert_int_equal(x.insn_len, 4);
    assert_true(x.insn.rdtscp);
    x = PG_EXEC(g, "\xf3\x67\x90");
    assert_exit(x, EXIT_PAUSE);
    assert_int_equal(x.insn_len, 3);
    /* The prefix of Xen's forced emulation: ud2a; .ascii "xen"; cpuid */
    x = PG_EXEC(g, "\x0f\x0bxen\x0f\xa2");
    assert_exception(g, x, 6, PG_VA(0));
    assert_false(x.exception.has_error_code);
}

static void test_exceptions(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    g->st->rax = 1;
    g->st->rdx = 0;
    g->st->rbx = 0;
    x = PG_EXEC(g, "\x90\x90\xf7\xf3"); /* div %ebx */
    assert_exception(g, x, 0, PG_VA(0) + 2);
    assert_false(x.exception.has_error_code);
    x = PG_EXEC(g, "\x0f\xff"); /* ud0 */
    assert_exception(g, x, 6, PG_VA(0));
    g->st->rax = UINT64_C(1) << 63 | 8; /* non-canonical */
    x = PG_EXEC(g, "\x48\x8b\x00");
    assert_exception(g, x, 13, PG_VA(0));
    assert_int_equal(x.exception.error_code, 0);
    g->st->rax = 0x18; /* a selector beyond an empty GDT */
    x = PG_EXEC(g, "\x90\x8e\xd8");
    assert_exception(g, x, 13, PG_VA(0) + 1);
    assert_int_equal(x.exception.error_code, 0x18);
}

/* P, RW, US, ID bits of the error code (AMD APM volume 2, 8.4.2), and the address. */
static void test_page_faults(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    pg_map(g, 8, PG_FRAME(8), PG_P | PG_US);
    pg_map(g, 9, PG_FRAME(9), PG_P | PG_RW);
    pg_map(g, 10, PG_FRAME(10), PG_P | PG_RW | PG_US | PG_NX);
    g->st->rdi = PG_NOWHERE + 0x123;
    x = PG_EXEC(g, "\x90\x48\x8b\x07");
    assert_exception(g, x, 14, PG_VA(0) + 1);
    assert_true(x.exception.has_error_code);
    assert_int_equal(x.exception.error_code, 4);
    assert_int_equal(x.exception.addr, PG_NOWHERE + 0x123);
    x = PG_EXEC(g, "\x90\x48\x89\x07");
    assert_int_equal(x.exception.error_code, 6);
    g->st->rdi = PG_VA(8) + 8;
    x = PG_EXEC(g, "\x90\x0f\x11\x07"); /* movups %xmm0, (%rdi) */
    assert_exception(g, x, 14, PG_VA(0) + 1);
    assert_int_equal(x.exception.error_code, 7);
    assert_int_equal(x.exception.addr, PG_VA(8) + 8);
    x = PG_EXEC(g, "\xf0\x48\x0f\xb1\x07"); /* lock cmpxchg */
    assert_int_equal(x.exception.error_code, 7);
    g->st->rdi = PG_VA(9);
    x = PG_EXEC(g, "\x48\x8b\x07");
    assert_int_equal(x.exception.error_code, 5);
    g->st->rdi = PG_VA(10);
    x = PG_EXEC(g, "\xff\xe7");
    assert_exception(g, x, 14, PG_VA(10));
    assert_int_equal(x.exception.error_code, 0x15);
    assert_int_equal(x.exception.addr, PG_VA(10));
    g->st->rdi = PG_NOWHERE;
    x = PG_EXEC(g, "\xff\xe7");
    assert_exception(g, x, 14, PG_NOWHERE);
    assert_int_equal(x.exception.error_code, 0x14);
    /* An access that crosses into a page that is not there: the address is that page's. */
    pg_map(g, 12, PG_FRAME(12), 0);
    g->st->rdi = PG_VA(12) - 4;
    x = PG_EXEC(g, "\x48\x89\x07");
    assert_exception(g, x, 14, PG_VA(0));
    assert_int_equal(x.exception.addr, PG_VA(12));
}

/* Code that runs off the end of what is mapped: the fault is the next page's, not that of the last block. */
static void test_fetch_fault(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    pg_map(g, 1, PG_FRAME(1), 0);
    pg_write(g, 0, 4093, "\x48\xff\xc0", 3); /* inc %rax */
    g->st->rax = 0;
    g->st->rip = PG_VA(1) - 3;
    x = pcpu_run(g->m->pcpu[0], g->c, 100);
    assert_exception(g, x, 14, PG_VA(1));
    assert_int_equal(x.exception.addr, PG_VA(1));
    assert_int_equal(x.exception.error_code, 0x14);
    assert_int_equal(g->st->rax, 1);
    pg_write(g, 0, 4090, "\x48\xff\xc0\x48\xb8\x00", 6); /* inc %rax; mov $..., %rax across the end */
    g->st->rip = PG_VA(1) - 6;
    x = pcpu_run(g->m->pcpu[0], g->c, 100);
    assert_exception(g, x, 14, PG_VA(1) - 3);
    assert_int_equal(x.exception.addr, PG_VA(1));
    assert_int_equal(g->st->rax, 2);
}

/* Many faults in a row, with no handler in the guest: never a double fault. */
static void test_no_double_fault(void **state)
{
    struct pv_guest *g = *state;

    g->st->rdi = PG_NOWHERE;
    for (unsigned int i = 0; i < 50; i++) {
        assert_exception(g, PG_EXEC(g, "\x48\x8b\x07"), 14, PG_VA(0));
        assert_exception(g, PG_EXEC(g, "\xfa"), 13, PG_VA(0));
        assert_exit(PG_EXEC(g, "\xcd\x0e"), EXIT_SOFTINT);
    }
}

static void test_restart(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    pg_map(g, 12, PG_FRAME(12), 0);
    g->st->rdi = PG_VA(12);
    g->st->rax = 7;
    x = PG_EXEC(g, "\x48\xff\xc0\x48\x89\x07\x0f\x05"); /* inc %rax; mov %rax, (%rdi) */
    assert_exception(g, x, 14, PG_VA(0) + 3);
    pg_map(g, 12, PG_FRAME(12), PG_P | PG_RW | PG_US);
    x = pcpu_run(g->m->pcpu[0], g->c, 100);
    assert_exit(x, EXIT_SYSCALL);
    assert_int_equal(*(uint64_t *)ram_page(g->m, PG_FRAME(12)), 8);
}

static void test_io(void **state)
{
    static const struct {
        const char *code;
        uint16_t port;
        uint8_t size;
        bool in, string;
    } io[] = {
        { "\xe4\x71", 0x71, 1, true, false },     { "\xe6\x80", 0x80, 1, false, false },
        { "\x66\xe5\x71", 0x71, 2, true, false }, { "\xef", 0x3f8, 4, false, false },
        { "\xec", 0x3f8, 1, true, false },        { "\x66\xef", 0x3f8, 2, false, false },
        { "\x6c", 0x3f8, 1, true, true },         { "\xf3\x6e", 0x3f8, 1, false, true },
        { "\xf3\x66\x6d", 0x3f8, 2, true, true }, { "\x6f", 0x3f8, 4, false, true },
    };
    struct pv_guest *g = *state;

    for (size_t i = 0; i < ARRAY_SIZE(io); i++) {
        struct sim_exit x;
        uint8_t code[8] = { 0x48, 0xff, 0xc3, 0xf9 }; /* inc %rbx; stc */

        g->st->rdx = 0x3f8;
        g->st->rcx = 5;
        g->st->rbx = 0;
        g->st->rdi = g->st->rsi = PG_VA(20);
        memcpy(code + 4, io[i].code, strlen(io[i].code));
        *(uint64_t *)ram_page(g->m, PG_FRAME(20)) = 0x1122334455667788;
        x = pg_exec(g, code, sizeof(code));
        assert_exit(x, EXIT_IO);
        assert_int_equal(x.io.port, io[i].port);
        assert_int_equal(x.io.size, io[i].size);
        assert_int_equal(x.io.in, io[i].in);
        assert_int_equal(x.io.string, io[i].string);
        assert_int_equal(g->st->rip, PG_VA(0) + 4);
        assert_int_equal(g->st->rbx, 1);
        assert_int_equal(g->st->rcx, 5);
        assert_true(g->st->rflags & 1);
        assert_int_equal(x.insns, 2);
        assert_int_equal(*(uint64_t *)ram_page(g->m, PG_FRAME(20)), 0x1122334455667788); /* by INS, either */
    }
}

/* Single step: one instruction, then #DB; SYSCALL and INT leave for their own reason. */
static void test_single_step(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    g->st->rflags |= 0x100;
    x = PG_EXEC(g, "\x48\xff\xc0\x48\xff\xc3\x90\x90");
    assert_exception(g, x, 1, PG_VA(0) + 3);
    assert_int_equal(x.exception.dr6, 0x4000);
    assert_int_equal(x.insns, 1);
    x = pcpu_run(g->m->pcpu[0], g->c, 100);
    assert_exception(g, x, 1, PG_VA(0) + 6);
    x = PG_EXEC(g, "\x0f\x05\x90");
    assert_exit(x, EXIT_SYSCALL);
    assert_int_equal(g->st->rip, PG_VA(0) + 2);
    x = PG_EXEC(g, "\xcd\x80\x90");
    assert_exit(x, EXIT_SOFTINT);
    x = PG_EXEC(g, "\x0f\x0b\x90");
    assert_exception(g, x, 6, PG_VA(0));
    g->st->rflags &= ~UINT64_C(0x100);
    x = PG_EXEC(g, "\x90\x0f\x05");
    assert_exit(x, EXIT_SYSCALL);
}

/* POPF turns TF on: the instruction after it traps. */
static void test_single_step_popf(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x = PG_EXEC(g, "\x68\x02\x03\x00\x00\x9d\x90\x90"); /* push $0x302; popf */

    assert_exception(g, x, 1, PG_VA(0) + 7);
    g->st->rflags &= ~UINT64_C(0x100);
}

static void test_task_switched(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    g->st->cr0 |= 8;
    g->st->dirty |= CPU_DIRTY_CR;
    x = PG_EXEC(g, "\x90\xd9\xe8"); /* fld1 */
    assert_exception(g, x, 7, PG_VA(0) + 1);
    x = PG_EXEC(g, "\x90\x0f\x57\xc0"); /* xorps */
    assert_exception(g, x, 7, PG_VA(0) + 1);
    g->st->cr0 &= ~UINT64_C(8);
    g->st->dirty |= CPU_DIRTY_CR;
    x = PG_EXEC(g, "\xd9\xe8\xdd\xd8\x0f\x57\xc0\x0f\x05");
    assert_exit(x, EXIT_SYSCALL);
}

static void test_fsgsbase(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    g->st->cr4 &= ~UINT64_C(0x10000);
    g->st->dirty |= CPU_DIRTY_CR;
    x = PG_EXEC(g, "\xf3\x48\x0f\xae\xd0"); /* wrfsbase %rax */
    assert_exception(g, x, 6, PG_VA(0));
    g->st->cr4 |= 0x10000;
    g->st->dirty |= CPU_DIRTY_CR;
    g->st->rax = UINT64_C(0x123456789abc);
    x = PG_EXEC(g, "\xf3\x48\x0f\xae\xd0\x0f\x05");
    assert_exit(x, EXIT_SYSCALL);
    assert_int_equal(g->st->seg[CPU_SEG_FS].base, UINT64_C(0x123456789abc));
    /* ... and a base set from outside is used. */
    g->st->seg[CPU_SEG_GS].base = PG_VA(20);
    g->st->dirty |= CPU_DIRTY_SEGS;
    *(uint64_t *)ram_page(g->m, PG_FRAME(20)) = 0x77;
    x = PG_EXEC(g, "\x65\x48\x8b\x04\x25\x00\x00\x00\x00\x0f\x05"); /* mov %gs:0, %rax */
    assert_exit(x, EXIT_SYSCALL);
    assert_int_equal(g->st->rax, 0x77);
}

/* Segment registers are loaded natively from a GDT that only the supervisor may read. */
static void test_segment_loads(void **state)
{
    struct pv_guest *g = *state;
    uint64_t *gdt = ram_page(g->m, PG_FRAME(16));
    struct sim_exit x;

    pg_map(g, 16, PG_FRAME(16), PG_P | PG_RW);
    gdt[3] = UINT64_C(0x0040f2430000ffff); /* data, DPL 3, base 0x430000, limit 0xffff */
    g->st->gdtr.base = PG_VA(16);
    g->st->gdtr.limit = 0x3f;
    g->st->dirty |= CPU_DIRTY_SEGS;
    g->st->rax = 0x1b;
    x = PG_EXEC(g, "\x8e\xe0\x0f\x05"); /* mov %eax, %fs */
    assert_exit(x, EXIT_SYSCALL);
    assert_int_equal(g->st->seg[CPU_SEG_FS].sel, 0x1b);
    assert_int_equal(g->st->seg[CPU_SEG_FS].base, 0x430000);
    assert_int_equal(g->st->seg[CPU_SEG_FS].limit, 0xffff);
    assert_int_equal(g->st->seg[CPU_SEG_FS].attr, 0x4f3);
    g->st->rax = 0;
    x = PG_EXEC(g, "\x8e\xe0\x8e\xd8\x0f\x05"); /* null selectors */
    assert_exit(x, EXIT_SYSCALL);
    assert_int_equal(g->st->seg[CPU_SEG_FS].sel, 0);
    assert_int_equal(g->st->seg[CPU_SEG_DS].sel, 0);
    g->st->rdi = PG_VA(16);
    x = PG_EXEC(g, "\x48\x8b\x07"); /* the guest itself may not read it */
    assert_int_equal(x.exception.error_code, 5);
}

/* RFLAGS come out as they went in, whatever the emulator made of them in between. */
static void test_rflags(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    g->st->rflags = 0x202 | 0x400 | 0x8d5 | 0x40000 | 0x200000; /* DF, conditions, AC, ID */
    x = PG_EXEC(g, "\x9c\x58\x0f\x05");                         /* pushf; pop %rax */
    assert_exit(x, EXIT_SYSCALL);
    assert_int_equal(g->st->rax, 0x240ed7);
    assert_int_equal(g->st->rflags, 0x240ed7);
    x = PG_EXEC(g, "\xfc\x31\xdb\x0f\x05"); /* cld; xor %ebx, %ebx */
    assert_int_equal(g->st->rflags & 0xed5, 0x244);
    /* A guest cannot be given I/O privilege or closed interrupts in fact. */
    g->st->rflags = 0x3002;
    x = PG_EXEC(g, "\x9c\x58\xfa");
    assert_exception(g, x, 13, PG_VA(0) + 2);
    assert_int_equal(g->st->rax, 0x202);
}

/* Page table entries get their accessed and dirty bits. */
static void test_accessed_dirty(void **state)
{
    struct pv_guest *g = *state;
    const uint64_t *l1 = mfn_to_virt(g->m, _mfn(0x13));

    pg_map(g, 30, PG_FRAME(30), PG_P | PG_RW | PG_US);
    g->st->rdi = PG_VA(30);
    PG_EXEC(g, "\x48\x8b\x07\x0f\x05");
    assert_int_equal(l1[30] & 0x60, 0x20);
    PG_EXEC(g, "\x48\x89\x07\x0f\x05");
    assert_int_equal(l1[30] & 0x60, 0x60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_syscall, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_softint, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_privileged, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_intercepts, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_exceptions, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_page_faults, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_fetch_fault, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_no_double_fault, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_restart, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_io, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_single_step, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_single_step_popf, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_task_switched, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_fsgsbase, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_segment_loads, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_rflags, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_accessed_dirty, pg_setup, pg_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
