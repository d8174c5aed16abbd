// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Breakpoints of the guest: AMD APM volume 2, 13.1.
 *
 * Budget: a case a rule of sim/engine/pcpu_debug.c; they share little but the set-up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/engine/pcpu_private.h"
#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

#define DATA PG_VA(20)

#define RF X86_EFLAGS_RF
#define TF X86_EFLAGS_TF
#define BS X86_DR6_BS

enum { EXECUTE, WRITE, IO, ACCESS };         /* DR7's R/W */
enum { LEN_1, LEN_2, LEN_8, LEN_4, NR_LEN }; /* DR7's LEN */
static const unsigned int len_bytes[NR_LEN] = { 1, 2, 8, 4 };

static void arm(struct pv_guest *g, unsigned int i, uint64_t addr, unsigned int rw, unsigned int len)
{
    g->st->dr[i] = addr;
    g->st->dr[7] &= ~(UINT64_C(0xf) << (16 + 4 * i));
    g->st->dr[7] |= (uint64_t)(rw | len << 2) << (16 + 4 * i) | UINT64_C(1) << (2 * i);
    g->st->dirty |= CPU_DIRTY_DR;
}

static void disarm(struct pv_guest *g)
{
    g->st->dr[7] = 0x400;
    g->st->dirty |= CPU_DIRTY_DR;
}

static struct sim_exit go(struct pv_guest *g) { return pcpu_run(g->m->pcpu[0], g->c, 1000000); }

#define assert_db(g, x, at, bits)                                                                                      \
    do {                                                                                                               \
        assert_int_equal((x).kind, EXIT_EXCEPTION);                                                                    \
        assert_int_equal((x).exception.vector, 1);                                                                     \
        assert_int_equal((x).exception.dr6, bits);                                                                     \
        assert_int_equal((g)->st->rip, at);                                                                            \
    } while (0)

/* Flat segments: data for ring 3 is 0x23, 64-bit code 0x33. */
static const uint64_t gdt[] = { 0, 0, 0, 0, UINT64_C(0x00cff3000000ffff), 0, UINT64_C(0x00affb000000ffff) };

static int create(void **state, enum cpu_mode mode)
{
    static struct pv_guest g; /* one test at a time */

    g = pg_create(mode, 1);
    pg_write(&g, 16, 0, gdt, sizeof(gdt));
    g.st->gdtr = (struct cpu_table){ PG_VA(16), sizeof(gdt) - 1 };
    *state = &g;
    return 0;
}

static int setup(void **state) { return create(state, CPU_MODE_PV64); }
static int setup_32(void **state) { return create(state, CPU_MODE_PV32); }

static int teardown(void **state)
{
    pg_destroy(*state);
    return 0;
}

/* A fault: in front of the instruction, RF clear in the frame, exact count; with RF set it executes, and only it. */
static void test_instruction(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    arm(g, 2, PG_VA(0) + 2, EXECUTE, LEN_1);
    x = PG_EXEC(g, "\xff\xc0\xff\xc0\xff\xc0\xeb\xf8\x0f\x05"); /* 1: inc %eax (3 times); jmp 1b */
    assert_db(g, x, PG_VA(0) + 2, 4);
    assert_int_equal(x.insns, 1);
    assert_int_equal(g->st->rax, 1);
    assert_false(g->st->rflags & RF);
    x = go(g); /* nobody did anything about it */
    assert_db(g, x, PG_VA(0) + 2, 4);
    assert_int_equal(x.insns, 0);
    g->st->rflags |= RF;
    x = go(g);
    assert_db(g, x, PG_VA(0) + 2, 4);
    assert_int_equal(x.insns, 4);
    assert_int_equal(g->st->rax, 4);
    assert_false(g->st->rflags & RF);
    disarm(g);
    x = pcpu_run(g->m->pcpu[0], g->c, 100);
    assert_int_equal(x.kind, EXIT_BUDGET);
}

/* Wherever it is put, also where code has been translated already; G enables as L does. */
static void test_instruction_everywhere(void **state)
{
    static const uint8_t starts[] = { 0, 2, 3, 8, 10, 13, 14 };
    struct pv_guest *g = *state;
    struct sim_exit x;

    for (unsigned int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof(starts); i++) {
            disarm(g);
            g->st->dr[i % 4] = PG_VA(0) + starts[i];
            g->st->dr[7] |= 2u << (i % 4 * 2);
            g->st->rax = g->st->rsp = DATA;
            x = PG_EXEC(g, "\xff\xc3\x50\xb9\x01\x00\x00\x00\x89\x08\x83\xe9\x01\x90\x0f\x05");
            assert_db(g, x, PG_VA(0) + starts[i], 1u << (i % 4));
            assert_int_equal(x.insns, i);
            g->st->rflags |= RF;
            x = go(g);
            assert_int_equal(x.kind, EXIT_SYSCALL);
            assert_int_equal(x.insns, 7 - i);
            disarm(g);
            g->st->rip = PG_VA(0);
            assert_int_equal(go(g).kind, EXIT_SYSCALL);
        }
}

/* Of a repeated string instruction the start breaks, and then no iteration, however the run is cut. */
static void test_instruction_rep(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;
    uint64_t insns = 0;

    arm(g, 0, PG_VA(0), EXECUTE, LEN_1);
    g->st->rdi = DATA;
    g->st->rcx = 5;
    x = PG_EXEC(g, "\xf3\xaa\x0f\x05");
    assert_db(g, x, PG_VA(0), 1);
    g->st->rflags |= RF;
    for (unsigned int n = 0; (x = pcpu_run(g->m->pcpu[0], g->c, 2)).kind == EXIT_BUDGET; n++) {
        assert_in_range(n, 0, 5);
        insns += x.insns;
    }
    assert_int_equal(x.kind, EXIT_SYSCALL);
    assert_int_equal(insns + x.insns, 7); /* five iterations, the look that ends them, SYSCALL */
    assert_int_equal(g->st->rdi, DATA + 5);
}

/* RF of the guest's own IRET, for one instruction, a repeated one to its end; and a jump does not carry it on. */
static void test_iret(void **state)
{
    struct pv_guest *g = *state;
    const uint64_t frame[] = { PG_VA(0) + 2, 0x33, 0x202 | RF, DATA, 0x23 };
    struct sim_exit x;

    arm(g, 1, PG_VA(0) + 2, EXECUTE, LEN_1);
    arm(g, 3, PG_VA(0) + 5, EXECUTE, LEN_1);
    g->st->rdi = DATA;
    g->st->rcx = 3;
    g->st->rsp = PG_VA(21);
    memcpy(ram_page(g->m, PG_FRAME(21)), frame, sizeof(frame));
    x = PG_EXEC(g, "\x48\xcf\xf3\xaa\x90\xeb\xfb"); /* iretq; rep stosb; nop; jmp back to it */
    assert_db(g, x, PG_VA(0) + 5, 8);
    assert_int_equal(x.insns, 6);
    assert_int_equal(g->st->rcx, 0);
    g->st->rflags |= RF;
    x = go(g);
    assert_db(g, x, PG_VA(0) + 2, 2);
    assert_int_equal(x.insns, 1);
    disarm(g);
    arm(g, 1, PG_VA(0) + 2, EXECUTE, LEN_1);
    *(uint64_t *)ram_page(g->m, PG_FRAME(21)) = PG_VA(0) + 5; /* to the jump */
    g->st->rsp = PG_VA(21);
    g->st->rip = PG_VA(0);
    x = go(g);
    assert_db(g, x, PG_VA(0) + 2, 2);
    assert_int_equal(x.insns, 2);
}

/* Behind MOV SS nothing breaks, and a trap waits for the next instruction, whose own it joins. */
static void test_shadow(void **state)
{
    struct pv_guest *g = *state;
    const uint16_t ss = 0x23;
    struct sim_exit x;

    pg_write(g, 20, 0, &ss, 2);
    g->st->rbx = DATA;
    arm(g, 0, PG_VA(0) + 2, EXECUTE, LEN_1);
    arm(g, 1, PG_VA(0) + 4, EXECUTE, LEN_1);
    arm(g, 2, DATA + 8, WRITE, LEN_8);
    x = PG_EXEC(g, "\x8e\x13\xff\xc0\x90\xeb\xfb"); /* mov (%rbx), %ss; 1: inc %eax; nop; jmp 1b */
    assert_db(g, x, PG_VA(0) + 4, 2);
    assert_int_equal(x.insns, 2);
    g->st->rflags |= RF;
    x = go(g);
    assert_db(g, x, PG_VA(0) + 2, 1); /* not through the shadow now */
    assert_int_equal(x.insns, 2);
    disarm(g);
    arm(g, 1, DATA, ACCESS, LEN_2);
    arm(g, 3, DATA + 8, WRITE, LEN_8);
    for (unsigned int tf = 0; tf < 2; tf++) {
        g->st->rflags = 0x202 | (tf ? TF : 0);
        x = PG_EXEC(g, "\x8e\x13\x89\x43\x0c\x90\x0f\x05"); /* mov (%rbx), %ss; mov %eax, 12(%rbx); nop */
        assert_db(g, x, PG_VA(0) + 5, 0xa | (tf ? BS : 0));
        assert_int_equal(x.insns, 2);
    }
}

/* SYSCALL in the shadow: the trap is lost, as on Xen. */
static void test_shadow_exit(void **state)
{
    struct pv_guest *g = *state;
    const uint16_t ss = 0x23;
    struct sim_exit x;

    pg_write(g, 20, 0, &ss, 2);
    g->st->rbx = DATA;
    arm(g, 0, DATA, ACCESS, LEN_2);
    x = PG_EXEC(g, "\x8e\x13\x0f\x05\x8e\x13\x0f\x0b\x90");
    assert_int_equal(x.kind, EXIT_SYSCALL);
    assert_int_equal(x.insns, 2);
    x = go(g);
    assert_int_equal(x.kind, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, 6);
    assert_int_equal(g->st->rip, PG_VA(0) + 6);
    assert_true(g->st->rflags & RF);
    /* ... but for an instruction that is an exit only here it is handed on. */
    assert_int_equal((x = PG_EXEC(g, "\x8e\x13\x0f\xa2")).kind, EXIT_CPUID);
    assert_int_equal(x.insn.dr6, 1);
    assert_int_equal((x = PG_EXEC(g, "\x8e\x13\x0f\x31")).kind, EXIT_RDTSC);
    assert_int_equal(x.insn.dr6, 1);
    assert_int_equal((x = PG_EXEC(g, "\x8e\x13\xf3\x90")).kind, EXIT_PAUSE);
    assert_int_equal(x.insn.dr6, 1);
    disarm(g);
    assert_int_equal((x = PG_EXEC(g, "\x8e\x13\x0f\xa2")).kind, EXIT_CPUID);
    assert_int_equal(x.insn.dr6, 0);
}

/* An instruction that faults has not hit; when it is restarted it does, and where it breaks it does not break again. */
static void test_fault(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    arm(g, 0, DATA, ACCESS, LEN_1);
    arm(g, 1, PG_VA(0) + 2, EXECUTE, LEN_1);
    g->st->rsi = DATA;
    g->st->rdi = PG_VA(30);
    pg_map(g, 30, PG_FRAME(30), 0);
    x = PG_EXEC(g, "\xff\xc0\xa4\x0f\x05"); /* inc %eax; movsb */
    assert_db(g, x, PG_VA(0) + 2, 2);
    g->st->rflags |= RF;
    x = go(g);
    assert_int_equal(x.kind, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, 14);
    assert_int_equal(x.insns, 0);
    assert_true(g->st->rflags & RF);
    pg_map(g, 30, PG_FRAME(30), PG_P | PG_RW | PG_US);
    x = go(g);
    assert_db(g, x, PG_VA(0) + 3, 1);
    assert_int_equal(x.insns, 1);
    assert_int_equal(go(g).kind, EXIT_SYSCALL);
    /* An access that faults in its second half, beside what is watched, leaves nothing behind. */
    pg_map(g, 21, PG_FRAME(21), 0);
    g->st->rsi = PG_VA(21) - 4;
    assert_int_equal(PG_EXEC(g, "\x48\xad\x0f\x05").exception.vector, 14); /* lodsq */
    g->st->rsi = DATA;
    x = go(g);
    assert_db(g, x, PG_VA(0) + 2, 1);
}

/* What is executed again shows RF, what is complete does not. */
static void test_rf_of_exits(void **state)
{
    static const struct {
        const char *code;
        bool set;
    } c[] = { { "\x0f\x0b", true },  { "\x0f\x05", false }, { "\xcd\x80", false }, { "\xcc\x90", false },
              { "\xf1\x90", false }, { "\xfa\x90", true },  { "\xec\x90", true },  { "\x0f\xa2", true },
              { "\x0f\x32", true },  { "\xf4\x90", true },  { "\xf7\xf1", true } };
    struct pv_guest *g = *state;

    for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
        g->st->rcx = 0;
        g->st->rflags = 0x202;
        pg_exec(g, c[i].code, 2);
        assert_int_equal(!!(g->st->rflags & RF), c[i].set);
        g->st->rflags = 0x202;
    }
}

/* The next instruction cannot even be fetched: the trap of this one comes first. */
static void test_before_fetch_fault(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    pg_map(g, 1, PG_FRAME(1), 0);
    pg_write(g, 0, 0xffe, "\x89\x03", 2); /* mov %eax, (%rbx) */
    g->st->rbx = DATA;
    arm(g, 0, DATA, WRITE, LEN_1);
    g->st->rip = PG_VA(0) + 0xffe;
    x = go(g);
    assert_db(g, x, PG_VA(1), 1);
    assert_false(g->st->rflags & RF);
    x = go(g);
    assert_int_equal(x.exception.vector, 14);
    assert_int_equal(x.exception.addr, PG_VA(1));
}

/* Read, changed and written over a page's end, 0 to 7 bytes before it: stopped at, and yet changed once. */
static void test_change_once(void **state)
{
    struct pv_guest *g = *state;

    for (unsigned int at = 0xff9; at <= 0x1000; at++)
        for (unsigned int w = 0xff8; w < 0x1008; w++) {
            uint64_t value = UINT64_C(0xff00ff00ff00ffff);
            uint8_t *host[2] = { ram_page(g->m, PG_FRAME(20)), ram_page(g->m, PG_FRAME(21)) };
            struct sim_exit x;

            for (unsigned int i = 0; i < 8; i++)
                host[(at + i) >> 12][(at + i) & 0xfff] = (uint8_t)(value >> (8 * i));
            disarm(g);
            arm(g, 2, DATA + w, WRITE, LEN_1);
            g->st->rbx = DATA + at;
            x = PG_EXEC(g, "\x48\xff\x03\x0f\x05"); /* incq (%rbx) */
            assert_int_equal(x.kind, w >= at && w < at + 8 ? EXIT_EXCEPTION : EXIT_SYSCALL);
            value++;
            for (unsigned int i = 0; i < 8; i++)
                assert_int_equal(host[(at + i) >> 12][(at + i) & 0xfff], (uint8_t)(value >> (8 * i)));
        }
}

/* Code that changes: the breakpoint is at an address, not in the bytes. */
static void test_code_changes(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    arm(g, 0, PG_VA(0) + 6, EXECUTE, LEN_1);
    arm(g, 1, PG_VA(0) + 6, ACCESS, LEN_2);
    g->st->rbx = PG_VA(0) + 6;
    for (unsigned int i = 0; i < 3; i++) {
        g->st->rax = 0xc1ff; /* inc %ecx */
        g->st->rcx = g->st->rdx = 0;
        x = PG_EXEC(g, "\x66\x89\x03\x90\x90\x90\xff\xc2\x0f\x05"); /* mov %ax, (%rbx); ...; inc %edx */
        assert_db(g, x, PG_VA(0) + 3, 2);
        x = go(g);
        assert_db(g, x, PG_VA(0) + 6, 1);
        assert_int_equal(x.insns, 3);
        g->st->rflags |= RF;
        assert_int_equal(go(g).kind, EXIT_SYSCALL);
        assert_int_equal(g->st->rcx, 1);
        assert_int_equal(g->st->rdx, 0);
    }
}

/* Each vCPU has its own, in the same code and data; one has none, and pays nothing. */
static void test_vcpus(void **state)
{
    struct pv_guest *g = *state;
    struct pv_guest other = { .m = g->m, .c = pg_context(g->m, CPU_MODE_PV64) },
                    none = { .m = g->m, .c = pg_context(g->m, CPU_MODE_PV64) };
    struct sim_exit x;

    other.st = cpu_context_state(other.c);
    none.st = cpu_context_state(none.c);
    pg_write(g, 0, 0, "\xff\xc0\x89\x03\x8b\x0b\xeb\xf8",
             8); /* 1: inc %eax; mov %eax, (%rbx); mov (%rbx), %ecx; jmp 1b */
    g->st->rbx = other.st->rbx = none.st->rbx = DATA;
    arm(g, 0, PG_VA(0) + 2, EXECUTE, LEN_1);
    arm(&other, 0, DATA, ACCESS, LEN_4);
    for (unsigned int i = 0; i < 8; i++) {
        x = go(g);
        assert_db(g, x, PG_VA(0) + 2, 1);
        g->st->rflags |= RF;
        x = pcpu_run(g->m->pcpu[0], none.c, 1000);
        assert_int_equal(x.kind, EXIT_BUDGET);
        x = go(&other);
        assert_db(&other, x, PG_VA(0) + (i & 1 ? 6 : 4), 1);
    }
    cpu_context_destroy(other.c);
    cpu_context_destroy(none.c);
}

/* A new address in code that has been translated with others. */
static void test_moved(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    pg_write(g, 0, 0, "\x90\x90\x90\x90\x90\x90\x0f\x05", 8);
    for (unsigned int i = 6; i-- > 0;) {
        disarm(g);
        arm(g, 0, PG_VA(0) + i, EXECUTE, LEN_1);
        g->st->rip = PG_VA(0);
        x = go(g);
        assert_db(g, x, PG_VA(0) + i, 1);
    }
}

/* More addresses than families and than places for them. */
static void test_many(void **state)
{
    struct pv_guest *g = *state;
    uint8_t code[602];
    struct sim_exit x;

    memset(code, 0x90, 600);
    memcpy(code + 600, "\x0f\x05", 2);
    for (unsigned int i = 0; i < 600; i += 3) {
        for (unsigned int k = 0; k < 3; k++)
            arm(g, k, PG_VA(0) + i + k, EXECUTE, LEN_1);
        x = pg_exec(g, code, sizeof(code));
        for (unsigned int k = 0; k < 3; k++) {
            assert_db(g, x, PG_VA(0) + i + k, 1u << k);
            assert_int_equal(x.insns, k ? 1 : i);
            g->st->rflags |= RF;
            x = go(g);
        }
        assert_int_equal(x.kind, EXIT_SYSCALL);
        assert_int_equal(x.insns, 601 - i - 2);
    }
}

/* Disabled, on I/O, or at another length than 1: as the manual says. */
static void test_control(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    g->st->rbx = DATA;
    for (unsigned int i = 0; i < 4; i++) {
        arm(g, i, PG_VA(0), EXECUTE, LEN_1);
        g->st->dr[7] &= ~UINT64_C(0xff);
        assert_int_equal(PG_EXEC(g, "\x89\x03\x0f\x05").kind, EXIT_SYSCALL);
        arm(g, i, DATA, IO, LEN_4);
        assert_int_equal(PG_EXEC(g, "\x89\x03\x0f\x05").kind, EXIT_SYSCALL);
    }
    for (unsigned int i = 0; i < 4; i++)
        arm(g, i, DATA + i, WRITE, LEN_1);
    x = PG_EXEC(g, "\x89\x03\x0f\x05");
    assert_db(g, x, PG_VA(0) + 2, 15);
}

/* A trap: behind the instruction, which has been carried out. All lengths, alignments, sizes of access, overlaps. */
static void test_data(void **state)
{
    static const struct {
        const char *code;
        unsigned int len, size;
        bool store;
    } insn[] = {
        { "\x8a\x18", 2, 1, false },         { "\x66\x8b\x18", 3, 2, false },
        { "\x8b\x18", 2, 4, false },         { "\x48\x8b\x18", 3, 8, false },
        { "\x88\x18", 2, 1, true },          { "\x66\x89\x18", 3, 2, true },
        { "\x89\x18", 2, 4, true },          { "\x48\x89\x18", 3, 8, true },
        { "\x0f\x10\x00", 3, 16, false },                                            /* movups */
        { "\x0f\x11\x00", 3, 16, true },     { "\xdb\x28", 2, 10, false },           /* fld m80 */
        { "\xdd\x10", 2, 8, true },                                                  /* fst m64 */
        { "\x0f\x38\xf0\x18", 4, 4, false }, { "\x48\x0f\x38\xf1\x18", 5, 8, true }, /* movbe */
        { "\x01\x18", 2, 4, true },          { "\xf0\x48\x0f\xc1\x18", 5, 8, true }, /* add; lock xadd */
        { "\x87\x18", 2, 4, true },          { "\x48\xa7", 2, 0, false },
    };
    struct pv_guest *g = *state;
    unsigned int n = 0;

    for (size_t i = 0; insn[i].size; i++)
        for (unsigned int rw = WRITE; rw <= ACCESS; rw += 2)
            for (unsigned int len = 0; len < NR_LEN; len++)
                for (unsigned int at = 0xff0; at < 0x1010; at++) {
                    const uint64_t watched = (DATA + 0x1000) & ~(uint64_t)(len_bytes[len] - 1), addr = DATA + at;
                    const bool hit = addr < watched + len_bytes[len] && watched < addr + insn[i].size &&
                                     (insn[i].store || rw == ACCESS);
                    uint8_t code[16] = { 0 };
                    struct sim_exit x;

                    n++;
                    memcpy(code, insn[i].code, insn[i].len);
                    memcpy(code + insn[i].len, "\x0f\x05", 2);
                    disarm(g);
                    arm(g, 3, DATA + 0x1000 + n % len_bytes[len], rw, len); /* low bits do not count */
                    g->st->rax = addr;
                    x = pg_exec(g, code, insn[i].len + 2);
                    if (hit) {
                        assert_db(g, x, PG_VA(0) + insn[i].len, 8);
                        assert_int_equal(x.insns, 1);
                        assert_false(g->st->rflags & RF);
                        x = go(g);
                    }
                    assert_int_equal(x.kind, EXIT_SYSCALL);
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_instruction),
        cmocka_unit_test_setup_teardown(test_instruction, setup_32, teardown),
        TEST(test_instruction_everywhere),
        TEST(test_instruction_rep),
        TEST(test_iret),
        TEST(test_shadow),
        TEST(test_shadow_exit),
        TEST(test_fault),
        TEST(test_rf_of_exits),
        TEST(test_before_fetch_fault),
        TEST(test_change_once),
        TEST(test_code_changes),
        TEST(test_vcpus),
        TEST(test_moved),
        TEST(test_many),
        TEST(test_control),
        TEST(test_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
