// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Task switches of an HVM guest: JMP, CALL, IRET with NT, task gates; TSS of 32 and of 16 bits; and what can be wrong
 * with them.
 *
 * Budget: over 400 lines: sixteen cases that share their tables.
 *
 * Task A is the guest as it begins; what a task runs ends in HLT, and the guest stands behind that at the end. Handlers
 * are HLTs, too, of interrupt gates.
 */
#include "tests/vcpu/hvm.h"

#define IDT     0x6000u
#define GDT     0x5000u
#define TSS_A   0x7000u
#define TSS_B   0x7100u
#define TSS_16  0x7200u
#define LDT     0x7300u
#define CODE_B  0x2000u
#define HANDLER 0x3000u /* of vector n: at HANDLER + 16 * n */
#define STACK_B 0xa000u
#define TABLES  0x10000u /* page directory, page table; and one page directory more */

/* Selectors. */
enum {
    CODE = 0x08,
    DATA = 0x10,
    SEL_A = 0x18,
    SEL_B = 0x20,
    GATE_B = 0x28,
    SEL_16 = 0x30,
    SEL_LDT = 0x38,
    ABSENT = 0x40,
    SHORT = 0x48,
    DATA3 = 0x53,
    ABSENT_GATE = 0x58,
};

#define EXEC(f, literal) HVM_RUN(f, literal)
#define JMP(sel)         "\xea\x00\x00\x00\x00" sel "\x00"
#define CALL(sel)        "\x9a\x00\x00\x00\x00" sel "\x00"

static uint64_t system_desc(uint32_t base, uint32_t limit, uint8_t type)
{
    return limit | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)type << 40;
}

static void gdt_set(struct fixture *f, unsigned int sel, uint64_t desc)
{
    hvm_put(f, GDT + (sel & ~7u), &desc, sizeof(desc));
}

static uint32_t peek(struct fixture *f, uint32_t at, unsigned int size)
{
    struct hvm_fault fault;
    uint32_t val = 0;

    assert_true(hvm_linear(f->v, at, &val, size, HVM_ACCESS_READ, false, &fault));
    return val;
}

static void poke(struct fixture *f, uint32_t at, uint32_t val, unsigned int size) { hvm_put(f, at, &val, size); }

/* Access byte of a descriptor. */
static uint8_t type_of(struct fixture *f, unsigned int sel) { return (uint8_t)peek(f, GDT + sel + 5, 1); }

static void begin(struct fixture *f)
{
    struct cpu_state *r = f->v->regs;
    static const uint8_t zero[0x400];

    hvm_put(f, TSS_A, zero, sizeof(zero));
    hvm_put(f, GDT, zero, 0x100);
    gdt_set(f, CODE, UINT64_C(0x00cf9b000000ffff));
    gdt_set(f, DATA, UINT64_C(0x00cf93000000ffff));
    gdt_set(f, DATA3, UINT64_C(0x00cff3000000ffff));
    gdt_set(f, SEL_A, system_desc(TSS_A, 0x67, 0x8b));
    gdt_set(f, SEL_B, system_desc(TSS_B, 0x67, 0x89));
    gdt_set(f, SEL_16, system_desc(TSS_16, 0x2b, 0x81));
    gdt_set(f, SEL_LDT, system_desc(LDT, 0x1f, 0x82));
    gdt_set(f, GATE_B, system_desc(SEL_B, 0, 0x85));
    gdt_set(f, ABSENT_GATE, system_desc(SEL_B, 0, 0x05));
    gdt_set(f, ABSENT, system_desc(TSS_B, 0x67, 0x09));
    gdt_set(f, SHORT, system_desc(TSS_B, 0x66, 0x89));
    for (unsigned int i = 0; i < 64; i++) {
        const uint64_t to = HANDLER + 16 * i, gate = to | CODE << 16 | UINT64_C(0xee) << 40;

        hvm_put(f, HANDLER + 16 * i, "\xf4", 1);
        hvm_put(f, IDT + 8 * i, &gate, 8);
    }
    poke(f, TSS_B + 0x20, CODE_B, 4);
    poke(f, TSS_B + 0x24, X86_EFLAGS_MBS | X86_EFLAGS_CF | X86_EFLAGS_IF, 4);
    for (unsigned int i = 0; i < 8; i++)
        poke(f, TSS_B + 0x28 + 4 * i, 0xb0000000 + i, 4);
    poke(f, TSS_B + 0x38, STACK_B, 4);
    for (unsigned int i = 0; i < 6; i++)
        poke(f, TSS_B + 0x48 + 4 * i, i == 1 ? CODE : DATA, 4);
    poke(f, TSS_16 + 0x0e, CODE_B, 2);
    poke(f, TSS_16 + 0x10, X86_EFLAGS_MBS | X86_EFLAGS_IF, 2);
    for (unsigned int i = 0; i < 8; i++)
        poke(f, TSS_16 + 0x12 + 2 * i, i == 4 ? STACK_B : 0xb0 + i, 2);
    for (unsigned int i = 0; i < 4; i++)
        poke(f, TSS_16 + 0x22 + 2 * i, i == 1 ? CODE : DATA, 2);
    hvm_put(f, CODE_B, "\xf4", 1);
    for (unsigned int i = 0; i < 8; i++)
        r->gpr[i] = 0xa0000000 + i;
    r->rsp = HVM_STACK;
    r->rflags = X86_EFLAGS_MBS | X86_EFLAGS_ZF;
    r->gdtr = (struct cpu_table){ GDT, 0x5f };
    r->idtr = (struct cpu_table){ IDT, 64 * 8 - 1 };
    r->tr = (struct cpu_segment){ SEL_A, 0x8b, 0x67, TSS_A };
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        r->seg[i] = (struct cpu_segment){ DATA, 0xc93, ~0u, 0 };
    r->seg[CPU_SEG_CS] = (struct cpu_segment){ CODE, 0xc9b, ~0u, 0 };
    r->dirty = CPU_DIRTY_ALL;
}

static void stands_behind(struct fixture *f, uint32_t hlt)
{
    if (f->v->regs->rip != hlt + 1)
        fail_msg("at %#lx, and not behind %#x; %s", (unsigned long)f->v->regs->rip, hlt, f->d->crash_reason);
}

/* At a handler of a fault with this code, whose frame says this EIP. */
static void faulted(struct fixture *f, unsigned int vector, uint32_t code, uint32_t eip)
{
    stands_behind(f, HANDLER + 16 * vector);
    assert_int_equal(peek(f, (uint32_t)f->v->regs->rsp, 4), code);
    assert_int_equal(peek(f, (uint32_t)f->v->regs->rsp + 4, 4), eip);
}

static void runs_b(struct fixture *f)
{
    const struct cpu_state *r = f->v->regs;

    stands_behind(f, CODE_B);
    for (unsigned int i = 0; i < 8; i++)
        assert_int_equal(r->gpr[i], i == 4 ? STACK_B : 0xb0000000 + i);
    assert_int_equal(r->tr.sel, SEL_B);
    assert_int_equal(r->tr.base, TSS_B);
    assert_true(r->rflags & X86_EFLAGS_CF && r->cr0 & X86_CR0_TS);
    assert_int_equal(type_of(f, SEL_B), 0x8b);
}

/* What A was when it was left. */
static void saved_a(struct fixture *f, uint32_t eip)
{
    assert_int_equal(peek(f, TSS_A + 0x20, 4), eip);
    assert_int_equal(peek(f, TSS_A + 0x24, 4), X86_EFLAGS_MBS | X86_EFLAGS_ZF);
    for (unsigned int i = 0; i < 8; i++)
        assert_int_equal(peek(f, TSS_A + 0x28 + 4 * i, 4), i == 4 ? HVM_STACK : 0xa0000000 + i);
    for (unsigned int i = 0; i < 6; i++)
        assert_int_equal(peek(f, TSS_A + 0x48 + 4 * i, 4), i == 1 ? CODE : DATA);
}

static void test_jmp(void **state)
{
    struct fixture *f = *state;

    begin(f);
    EXEC(f, "\x90" JMP("\x20"));
    runs_b(f);
    saved_a(f, HVM_CODE + 8);
    assert_int_equal(type_of(f, SEL_A), 0x89);
    assert_int_equal(f->v->regs->rflags & X86_EFLAGS_NT, 0);
    assert_int_equal(peek(f, TSS_B, 2), 0); /* no link */
}

static void test_jmp_gate(void **state)
{
    struct fixture *f = *state;

    begin(f);
    EXEC(f, JMP("\x28"));
    runs_b(f);
    saved_a(f, HVM_CODE + 7);
}

/* There, and back with IRET: B is behind its IRET then. */
static void test_call(void **state)
{
    struct fixture *f = *state;

    begin(f);
    hvm_put(f, CODE_B, "\x40\xcf", 2); /* inc %eax; iret */
    EXEC(f, CALL("\x20") "\xf4");
    stands_behind(f, HVM_CODE + 7);
    assert_int_equal(f->v->regs->tr.sel, SEL_A);
    assert_int_equal(f->v->regs->rax, 0xa0000000);
    assert_int_equal(f->v->regs->rflags & X86_EFLAGS_NT, 0);
    assert_int_equal(type_of(f, SEL_A), 0x8b);
    assert_int_equal(type_of(f, SEL_B), 0x89);
    assert_int_equal(peek(f, TSS_B, 2), SEL_A);
    assert_int_equal(peek(f, TSS_B + 0x20, 4), CODE_B + 2);
    assert_int_equal(peek(f, TSS_B + 0x24, 4) & X86_EFLAGS_NT, 0);
    assert_int_equal(peek(f, TSS_B + 0x28, 4), 0xb0000001);
}

static void test_call_stays(void **state)
{
    struct fixture *f = *state;

    begin(f);
    EXEC(f, CALL("\x20"));
    runs_b(f);
    saved_a(f, HVM_CODE + 7);
    assert_true(f->v->regs->rflags & X86_EFLAGS_NT);
    assert_int_equal(type_of(f, SEL_A), 0x8b);
}

static void task_gate(struct fixture *f, unsigned int vector, uint16_t sel)
{
    const uint64_t gate = (uint64_t)sel << 16 | UINT64_C(0xe5) << 40;

    hvm_put(f, IDT + 8 * vector, &gate, 8);
}

static void test_int(void **state)
{
    struct fixture *f = *state;

    begin(f);
    task_gate(f, 0x30, SEL_B);
    EXEC(f, "\xcd\x30");
    runs_b(f);
    saved_a(f, HVM_CODE + 2);
    assert_true(f->v->regs->rflags & X86_EFLAGS_NT);
    assert_int_equal(peek(f, TSS_B, 2), SEL_A);
}

/* A fault: in front of the instruction, its code on the new task's stack. */
static void test_fault_gate(void **state)
{
    struct fixture *f = *state;

    begin(f);
    task_gate(f, X86_EXC_GP, SEL_B);
    EXEC(f, "\xb8\x77\x77\x00\x00\x8e\xd8"); /* mov $0x7777, %eax; mov %eax, %ds */
    stands_behind(f, CODE_B);
    assert_int_equal(f->v->regs->rsp, STACK_B - 4);
    assert_int_equal(peek(f, STACK_B - 4, 4), 0x7774);
    assert_int_equal(peek(f, TSS_A + 0x20, 4), HVM_CODE + 5);
}

/* The stack is bad, and #DF has a task of its own: what task gates are still used for. */
static void test_double_fault_gate(void **state)
{
    struct fixture *f = *state;

    begin(f);
    task_gate(f, X86_EXC_DF, SEL_B);
    f->v->regs->idtr.limit = X86_EXC_DF * 8 + 7; /* #GP is beyond */
    EXEC(f, "\xb8\x77\x77\x00\x00\x8e\xd8");
    stands_behind(f, CODE_B);
    assert_int_equal(peek(f, STACK_B - 4, 4), 0);
    assert_int_equal(peek(f, TSS_A + 0x20, 4), HVM_CODE + 5);
}

static void test_16(void **state)
{
    struct fixture *f = *state;

    begin(f);
    hvm_put(f, CODE_B, JMP("\x18"), 7);
    EXEC(f, JMP("\x30") "\xf4");
    stands_behind(f, HVM_CODE + 7);
    assert_int_equal(peek(f, TSS_16 + 0x0e, 2), CODE_B + 7);
    for (unsigned int i = 0; i < 8; i++)
        assert_int_equal(peek(f, TSS_16 + 0x12 + 2 * i, 2), i == 4 ? STACK_B : 0xb0 + i);
    assert_int_equal(peek(f, TSS_16 + 0x24, 2), CODE);
    assert_int_equal(type_of(f, SEL_16), 0x81);
    for (unsigned int i = 0; i < 8; i++)
        assert_int_equal(f->v->regs->gpr[i], i == 4 ? HVM_STACK : 0xa0000000 + i);
}

static void test_trap_bit(void **state)
{
    struct fixture *f = *state;

    begin(f);
    poke(f, TSS_B + 0x64, 1, 2);
    EXEC(f, JMP("\x20"));
    stands_behind(f, HANDLER + 16 * X86_EXC_DB);
    assert_int_equal(peek(f, (uint32_t)f->v->regs->rsp, 4), CODE_B);
    assert_true(f->v->regs->dr[6] & X86_DR6_BT);
}

static void test_ldt(void **state)
{
    struct fixture *f = *state;
    const uint64_t data = UINT64_C(0x00cf92000000ffff);

    begin(f);
    hvm_put(f, LDT + 8, &data, 8);
    poke(f, TSS_B + 0x60, SEL_LDT, 2);
    poke(f, TSS_B + 0x54, 0x0c, 2); /* DS */
    EXEC(f, JMP("\x20"));
    runs_b(f);
    assert_int_equal(f->v->regs->ldtr.base, LDT);
    assert_int_equal(f->v->regs->seg[CPU_SEG_DS].sel, 0x0c);
    assert_int_equal(peek(f, LDT + 13, 1), 0x93); /* accessed */
}

/* Another page directory, in which a page of B's is another one. */
static void test_cr3(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;

    begin(f);
    for (uint32_t i = 0; i < HVM_PAGES; i++) {
        poke(f, TABLES + PAGE_SIZE + 4 * i, i << PAGE_SHIFT | 7, 4);
        poke(f, TABLES + 3 * PAGE_SIZE + 4 * i, (i == 0x20 ? 0x21 : i) << PAGE_SHIFT | 7, 4);
    }
    poke(f, TABLES, (TABLES + PAGE_SIZE) | 7, 4);
    poke(f, TABLES + 2 * PAGE_SIZE, (TABLES + 3 * PAGE_SIZE) | 7, 4);
    poke(f, 0x20000, 0x1111, 4);
    poke(f, 0x21000, 0x2222, 4);
    r->cr3 = TABLES;
    r->cr0 |= X86_CR0_PG;
    poke(f, TSS_B + 0x1c, TABLES + 2 * PAGE_SIZE, 4);
    hvm_put(f, CODE_B, "\xa1\x00\x00\x02\x00\xf4", 6); /* mov 0x20000, %eax */
    EXEC(f, "\xa1\x00\x00\x02\x00" JMP("\x20"));
    stands_behind(f, CODE_B + 5);
    assert_int_equal(r->rax, 0x2222);
    assert_int_equal(r->cr3, TABLES + 2 * PAGE_SIZE);
    assert_int_equal(peek(f, TSS_A + 0x28, 4), 0x1111);
}

/* A task in virtual-8086 mode: HLT there is #GP, whose frame shows where it was. */
static void test_vm86(void **state)
{
    struct fixture *f = *state;

    begin(f);
    poke(f, TSS_B + 4, STACK_B, 4);
    poke(f, TSS_B + 8, DATA, 4);
    poke(f, TSS_B + 0x20, 0, 4);
    poke(f, TSS_B + 0x24, X86_EFLAGS_MBS | X86_EFLAGS_VM, 4);
    poke(f, TSS_B + 0x4c, CODE_B >> 4, 4); /* CS */
    EXEC(f, JMP("\x20"));
    faulted(f, X86_EXC_GP, 0, 0);
    assert_int_equal(peek(f, (uint32_t)f->v->regs->rsp + 8, 4), CODE_B >> 4);
}

/* What is wrong with the TSS: in the old task, in front of the instruction. */
static void test_wrong_tss(void **state)
{
    static const struct {
        char code[8];
        unsigned int vector, error_code;
    } cases[] = {
        { JMP("\x18"), X86_EXC_GP, SEL_A },       /* busy */
        { CALL("\x18"), X86_EXC_GP, SEL_A },      /* busy */
        { JMP("\x40"), X86_EXC_NP, ABSENT },      /* not present */
        { JMP("\x58"), X86_EXC_NP, ABSENT_GATE }, /* its gate is not */
        { JMP("\x48"), X86_EXC_TS, SHORT },       /* a byte too short */
        { "\xcd\x31", X86_EXC_GP, 0x1234 & ~3u }, /* the gate's selector is beyond the GDT */
        { "\xcd\x32", X86_EXC_GP, SEL_A },        /* busy */
        { "\xcd\x33", X86_EXC_NP, ABSENT },       /* not present */
        { "\xcd\x34", X86_EXC_GP, DATA },         /* no TSS */
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t code[8] = { 0 };

        begin(f);
        task_gate(f, 0x31, 0x1234);
        task_gate(f, 0x32, SEL_A);
        task_gate(f, 0x33, ABSENT);
        task_gate(f, 0x34, DATA);
        memcpy(code, cases[i].code, sizeof(code));
        f->v->regs->rip = HVM_CODE;
        hvm_run_code(f, code, sizeof(code));
        faulted(f, cases[i].vector, cases[i].error_code, HVM_CODE);
        assert_int_equal(f->v->regs->tr.sel, SEL_A);
        assert_int_equal(type_of(f, SEL_A), 0x8b);
        hvm_destroy(f);
        hvm_create(f);
    }
}

/* IRET to what is not a busy TSS. */
static void test_wrong_link(void **state)
{
    struct fixture *f = *state;

    begin(f);
    poke(f, TSS_A, SEL_B, 2);
    f->v->regs->rflags |= X86_EFLAGS_NT;
    EXEC(f, "\x90\xcf");
    faulted(f, X86_EXC_TS, SEL_B, HVM_CODE + 1);
}

/* What is wrong with what is in it: in the new task, in front of its first instruction. */
static void test_wrong_contents(void **state)
{
    static const struct {
        uint32_t at, val;
        unsigned int vector, error_code;
    } cases[] = {
        { TSS_B + 0x54, 0x1230, X86_EXC_TS, 0x1230 }, /* DS beyond the GDT */
        { TSS_B + 0x58, SEL_A, X86_EXC_TS, SEL_A },   /* FS: no data */
        { TSS_B + 0x60, DATA, X86_EXC_TS, DATA },     /* no LDT */
        { TSS_B + 0x54, 0x0c, X86_EXC_TS, 0x0c },     /* DS in an LDT that there is not */
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        begin(f);
        poke(f, cases[i].at, cases[i].val, 2);
        EXEC(f, JMP("\x20"));
        if (i != 2) { /* (without an LDT nothing else has been loaded yet, a stack neither) */
            faulted(f, cases[i].vector, cases[i].error_code, CODE_B);
            assert_int_equal(f->v->regs->tr.sel, SEL_B);
        }
        saved_a(f, HVM_CODE + 7);
        hvm_destroy(f);
        hvm_create(f);
    }
}

/* A program of ring 3 may not use what is ring 0's. */
static void test_privilege(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;

    begin(f);
    gdt_set(f, CODE, UINT64_C(0x00cf9b000000ffff));
    poke(f, TSS_A + 4, STACK_B, 4);
    poke(f, TSS_A + 8, DATA, 4);
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        r->seg[i] = (struct cpu_segment){ DATA3, 0xcf3, ~0u, 0 };
    r->seg[CPU_SEG_CS] = (struct cpu_segment){ CODE | 3, 0xcfb, ~0u, 0 };
    r->cpl = 3;
    EXEC(f, JMP("\x20"));
    faulted(f, X86_EXC_GP, SEL_B, HVM_CODE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, hvm_setup, fix_teardown)
        TEST(test_jmp),
        TEST(test_jmp_gate),
        TEST(test_call),
        TEST(test_call_stays),
        TEST(test_int),
        TEST(test_fault_gate),
        TEST(test_double_fault_gate),
        TEST(test_16),
        TEST(test_trap_bit),
        TEST(test_ldt),
        TEST(test_cr3),
        TEST(test_vm86),
        TEST(test_wrong_tss),
        TEST(test_wrong_link),
        TEST(test_wrong_contents),
        TEST(test_privilege),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
