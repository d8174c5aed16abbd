// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Delivering through an HVM guest's own IDT: what is pushed, onto which stack, and what the registers are at the
 * handler; in real, protected, virtual-8086 and long mode; and what becomes of faults in it.
 *
 * Budget: over 400 lines: twenty cases that share their tables.
 *
 * A case is a few bytes of code that ends in an event, whose handler is a HLT: the guest stands behind that at the end.
 */
#include "tests/vcpu/hvm.h"

#define IDT     0x6000u
#define GDT     0x5000u
#define TSS     0x7000u
#define TABLES  0x10000u /* long mode's, one to one */
#define HANDLER 0x3000u  /* of vector n: at HANDLER + 16 * n */
#define STACK0  0xa000u  /* of ring 0, in the TSS */
#define IST1    0xb000u
#define HOLE    0x20000u /* a page that is not mapped, in long mode */

/* Selectors. */
enum {
    CODE32 = 0x08,
    DATA = 0x10,
    CODE64 = 0x18,
    DATA3 = 0x23,
    CODE64_3 = 0x2b,
    CODE32_3 = 0x33,
    TSS_SEL = 0x38,
    ABSENT = 0x48
};

static const uint64_t gdt[] = {
    0,
    UINT64_C(0x00cf9b000000ffff),
    UINT64_C(0x00cf93000000ffff),
    UINT64_C(0x00af9b000000ffff),
    UINT64_C(0x00cff3000000ffff),
    UINT64_C(0x00affb000000ffff),
    UINT64_C(0x00cffb000000ffff),
    UINT64_C(0x00008b0070000067),
    0,
    UINT64_C(0x00cf13000000ffff), /* not present */
};

enum mode { REAL, PROTECTED, LONG };

static void gate(struct fixture *f, enum mode mode, unsigned int vector, uint16_t sel, unsigned int type,
                 unsigned int dpl, unsigned int ist)
{
    const uint64_t to = HANDLER + 16 * vector;
    const uint64_t e[2] = { (to & 0xffff) | (uint64_t)sel << 16 | (uint64_t)ist << 32 |
                                (uint64_t)(type | dpl << 5 | 0x80) << 40 | (to & 0xffff0000) << 32,
                            to >> 32 };

    hvm_put(f, IDT + vector * (mode == LONG ? 16 : 8), e, mode == LONG ? 16 : 8);
}

static void no_gate(struct fixture *f, enum mode mode, unsigned int vector)
{
    const uint64_t e[2] = { (uint64_t)(0x8e & 0x7f) << 40 | CODE32 << 16 };

    hvm_put(f, IDT + vector * (mode == LONG ? 16 : 8), e, mode == LONG ? 16 : 8);
}

static void tables(struct fixture *f)
{
    uint64_t page[PTES_PER_TABLE] = { 0 };

    for (unsigned int t = 0; t < 3; t++) {
        page[0] = (TABLES + (t + 1) * PAGE_SIZE) | 7;
        hvm_put(f, TABLES + t * PAGE_SIZE, page, sizeof(page));
    }
    for (unsigned int i = 0; i < PTES_PER_TABLE; i++)
        page[i] = i < HVM_PAGES && i != HOLE / PAGE_SIZE ? i * PAGE_SIZE | 7 : 0;
    hvm_put(f, TABLES + 3 * PAGE_SIZE, page, sizeof(page));
}

/* In front of HVM_CODE in ring 0, with all gates good and interrupts on. */
static void begin(struct fixture *f, enum mode mode)
{
    struct cpu_state *r = f->v->regs;
    uint8_t tss[0x68] = { 0 };

    memset(r->gpr, 0, sizeof(r->gpr));
    r->rsp = HVM_STACK;
    r->rip = HVM_CODE;
    r->rflags = X86_EFLAGS_MBS | X86_EFLAGS_IF;
    r->gdtr = (struct cpu_table){ GDT, sizeof(gdt) - 1 };
    r->idtr = (struct cpu_table){ IDT, 0xfff };
    r->tr = (struct cpu_segment){ TSS_SEL, 0x8b, 0x67, TSS };
    hvm_put(f, GDT, gdt, sizeof(gdt));
    for (unsigned int i = 0; i < 256; i++) {
        hvm_put(f, HANDLER + 16 * i, "\xf4", 1);
        gate(f, mode, i, mode == LONG ? CODE64 : CODE32, 0xe, 3, 0);
    }
    if (mode == REAL) {
        for (uint32_t i = 0; i < 256; i++) {
            const uint16_t e[2] = { (uint16_t)(16 * i), HANDLER >> 4 };

            hvm_put(f, i * 4, e, sizeof(e));
        }
        r->idtr = (struct cpu_table){ 0, 0x3ff };
        r->cr0 = X86_CR0_ET;
        r->seg[CPU_SEG_CS] = (struct cpu_segment){ 0x40, 0x9b, 0xffff, 0x400 };
        r->rip = HVM_CODE - 0x400;
        for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
            if (i != CPU_SEG_CS)
                r->seg[i] = (struct cpu_segment){ 0, 0x93, 0xffff, 0 };
    } else if (mode == PROTECTED) {
        const uint32_t sp[2] = { STACK0, DATA };

        memcpy(tss + 4, sp, sizeof(sp));
        for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
            r->seg[i] = (struct cpu_segment){ DATA, 0xc93, ~0u, 0 };
        r->seg[CPU_SEG_CS] = (struct cpu_segment){ CODE32, 0xc9b, ~0u, 0 };
    } else {
        const uint64_t rsp0 = STACK0, ist1 = IST1;

        memcpy(tss + 4, &rsp0, 8);
        memcpy(tss + 0x24, &ist1, 8);
        tables(f);
        r->cr3 = TABLES;
        r->cr4 = X86_CR4_PAE | X86_CR4_OSFXSR;
        r->efer = EFER_LME | EFER_LMA | EFER_NXE;
        r->cr0 |= X86_CR0_PG | X86_CR0_WP;
        for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
            r->seg[i] = (struct cpu_segment){ DATA, 0xc93, ~0u, 0 };
        r->seg[CPU_SEG_CS] = (struct cpu_segment){ CODE64, 0xa9b, ~0u, 0 };
    }
    if (mode != REAL)
        hvm_put(f, TSS, tss, sizeof(tss));
    r->dirty = CPU_DIRTY_ALL;
}

static void user(struct fixture *f, enum mode mode)
{
    struct cpu_state *r = f->v->regs;

    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        r->seg[i] = (struct cpu_segment){ DATA3, 0xcf3, ~0u, 0 };
    r->seg[CPU_SEG_CS] = mode == LONG ? (struct cpu_segment){ CODE64_3, 0xafb, ~0u, 0 }
                                      : (struct cpu_segment){ CODE32_3, 0xcfb, ~0u, 0 };
    r->cpl = 3;
    r->dirty = CPU_DIRTY_ALL;
}

/* The nth word of `size` bytes above the stack pointer. */
static uint64_t word(struct fixture *f, unsigned int n, unsigned int size)
{
    const struct cpu_state *r = f->v->regs;
    struct hvm_fault fault;
    uint64_t val = 0;

    assert_true(
        hvm_linear(f->v, r->seg[CPU_SEG_SS].base + r->rsp + n * size, &val, size, HVM_ACCESS_READ, false, &fault));
    return val;
}

/* It stands behind the HLT of this vector's handler. */
static void at_handler(struct fixture *f, enum mode mode, unsigned int vector)
{
    const struct cpu_state *r = f->v->regs;
    const uint64_t at = r->seg[CPU_SEG_CS].base + r->rip - 1;

    if (at != HANDLER + 16 * vector)
        fail_msg("at %#lx, which is the handler of %ld, and not of %u; %s", at, (long)(at - HANDLER) / 16, vector,
                 f->d->crash_reason);
    assert_int_equal(r->cpl, 0);
    assert_int_equal(r->seg[CPU_SEG_CS].sel, mode == REAL ? HANDLER >> 4 : mode == LONG ? CODE64 : CODE32);
}

#define EXEC(f, literal) hvm_run_code(f, literal, sizeof(literal) - 1)

static void test_real(void **state)
{
    struct fixture *f = *state;

    begin(f, REAL);
    f->v->regs->rflags |= X86_EFLAGS_AC | X86_EFLAGS_CF;
    EXEC(f, "\x90\xcd\x30");
    at_handler(f, REAL, 0x30);
    assert_int_equal(f->v->regs->rsp, HVM_STACK - 6);
    assert_int_equal(word(f, 0, 2), HVM_CODE - 0x400 + 3);
    assert_int_equal(word(f, 1, 2), 0x40);
    assert_int_equal(word(f, 2, 2), X86_EFLAGS_MBS | X86_EFLAGS_IF | X86_EFLAGS_CF);
    assert_int_equal(f->v->regs->rflags & (X86_EFLAGS_IF | X86_EFLAGS_AC), 0);
}

static void test_real_fault(void **state)
{
    struct fixture *f = *state;

    begin(f, REAL);
    EXEC(f, "\x90\x0f\x0b");
    at_handler(f, REAL, X86_EXC_UD);
    assert_int_equal(word(f, 0, 2), HVM_CODE - 0x400 + 1); /* in front of it */
}

static void test_same_ring(void **state)
{
    struct fixture *f = *state;

    begin(f, PROTECTED);
    f->v->regs->rflags |= X86_EFLAGS_NT;
    EXEC(f, "\x90\xcd\x30");
    at_handler(f, PROTECTED, 0x30);
    assert_int_equal(f->v->regs->rsp, HVM_STACK - 12);
    assert_int_equal(word(f, 0, 4), HVM_CODE + 3);
    assert_int_equal(word(f, 1, 4), CODE32);
    assert_int_equal(word(f, 2, 4), X86_EFLAGS_MBS | X86_EFLAGS_IF | X86_EFLAGS_NT);
    assert_int_equal(f->v->regs->rflags & (X86_EFLAGS_IF | X86_EFLAGS_NT), 0);
}

/* A trap gate leaves IF; one of 16 bits pushes words. */
static void test_gates(void **state)
{
    struct fixture *f = *state;

    begin(f, PROTECTED);
    gate(f, PROTECTED, 0x30, CODE32, 0xf, 3, 0);
    hvm_put(f, HANDLER + 16 * 0x30, "\xfa\xf4", 2); /* cli; hlt */
    EXEC(f, "\xcd\x30");
    assert_int_equal(f->v->regs->rip, HANDLER + 16 * 0x30 + 2);
    assert_int_equal(word(f, 2, 4), X86_EFLAGS_MBS | X86_EFLAGS_IF);
}

static void test_gate16(void **state)
{
    struct fixture *f = *state;

    begin(f, PROTECTED);
    gate(f, PROTECTED, 0x31, CODE32, 0x6, 3, 0);
    EXEC(f, "\xcd\x31");
    at_handler(f, PROTECTED, 0x31);
    assert_int_equal(f->v->regs->rsp, HVM_STACK - 6);
    assert_int_equal(word(f, 0, 2), HVM_CODE + 2);
}

static void test_error_code(void **state)
{
    struct fixture *f = *state;

    begin(f, PROTECTED);
    EXEC(f, "\xb8\x77\x77\x00\x00\x8e\xd8"); /* mov $0x7777, %eax; mov %eax, %ds */
    at_handler(f, PROTECTED, X86_EXC_GP);
    assert_int_equal(word(f, 0, 4), 0x7774);
    assert_int_equal(word(f, 1, 4), HVM_CODE + 5);
    assert_true(word(f, 3, 4) & X86_EFLAGS_RF); /* a fault's */
}

static void test_inner_ring(void **state)
{
    struct fixture *f = *state;

    begin(f, PROTECTED);
    user(f, PROTECTED);
    EXEC(f, "\xcd\x30");
    at_handler(f, PROTECTED, 0x30);
    assert_int_equal(f->v->regs->rsp, STACK0 - 20);
    assert_int_equal(f->v->regs->seg[CPU_SEG_SS].sel, DATA);
    assert_int_equal(word(f, 0, 4), HVM_CODE + 2);
    assert_int_equal(word(f, 1, 4), CODE32_3);
    assert_int_equal(word(f, 3, 4), HVM_STACK);
    assert_int_equal(word(f, 4, 4), DATA3);
}

/* INT through a gate that is not the program's: #GP, in front of the INT. */
static void test_gate_privilege(void **state)
{
    struct fixture *f = *state;

    begin(f, PROTECTED);
    gate(f, PROTECTED, 0x30, CODE32, 0xe, 0, 0);
    user(f, PROTECTED);
    EXEC(f, "\x90\xcd\x30");
    at_handler(f, PROTECTED, X86_EXC_GP);
    assert_int_equal(word(f, 0, 4), 0x30 << 3 | 2);
    assert_int_equal(word(f, 1, 4), HVM_CODE + 1);
}

static void test_gate_absent(void **state)
{
    struct fixture *f = *state;

    begin(f, PROTECTED);
    no_gate(f, PROTECTED, 0x30);
    EXEC(f, "\xcd\x30");
    at_handler(f, PROTECTED, X86_EXC_NP);
    assert_int_equal(word(f, 0, 4), 0x30 << 3 | 2);
    assert_int_equal(word(f, 1, 4), HVM_CODE);
}

/* Beyond the IDT's limit. */
static void test_idt_limit(void **state)
{
    struct fixture *f = *state;

    begin(f, PROTECTED);
    f->v->regs->idtr.limit = 0x30 * 8 + 6;
    EXEC(f, "\xcd\x30");
    at_handler(f, PROTECTED, X86_EXC_GP);
    assert_int_equal(word(f, 0, 4), 0x30 << 3 | 2);
}

/* The inner stack's selector is not good: #TS, on the outer... which is an inner ring's again: #DF needs one, too. */
static void test_bad_stack(void **state)
{
    struct fixture *f = *state;
    const uint32_t sp[2] = { STACK0, ABSENT };

    begin(f, PROTECTED);
    hvm_put(f, TSS + 4, sp, sizeof(sp));
    user(f, PROTECTED);
    EXEC(f, "\xcd\x30");
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_reboot);
}

/* INT on a stack of 4 KiB with so much room: in the ring that it is in, or one further in. */
static void int_with_room(struct fixture *f, bool inner, uint32_t room)
{
    enum { BASE = 0x20000 };
    const uint64_t limited = UINT64_C(0x0040930000000fff) | (uint64_t)BASE << 16;
    const uint32_t sp[2] = { room, DATA };

    begin(f, PROTECTED);
    if (inner) {
        hvm_put(f, TSS + 4, sp, sizeof(sp));
        hvm_put(f, GDT + DATA, &limited, sizeof(limited));
        user(f, PROTECTED);
    } else {
        f->v->regs->seg[CPU_SEG_SS] = (struct cpu_segment){ DATA, 0x493, 0xfff, BASE };
        f->v->regs->rsp = room;
    }
    EXEC(f, "\x90\xcd\x30");
}

static void test_stack_fits(void **state)
{
    struct fixture *f = *state;

    int_with_room(f, false, 12);
    at_handler(f, PROTECTED, 0x30);
    assert_int_equal(f->v->regs->rsp, 0);
}

static void test_inner_stack_fits(void **state)
{
    struct fixture *f = *state;

    int_with_room(f, true, 20);
    at_handler(f, PROTECTED, 0x30);
    assert_int_equal(f->v->regs->rsp, 0);
}

/* What does not fit is #SS, whose frame does not fit either. */
static void test_stack_small(void **state)
{
    struct fixture *f = *state;

    int_with_room(f, false, 8);
    assert_true(f->d->is_shut_down);
}

static void test_inner_stack_small(void **state)
{
    struct fixture *f = *state;

    int_with_room(f, true, 16);
    assert_true(f->d->is_shut_down);
}

static void test_vm86(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;

    begin(f, PROTECTED);
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        r->seg[i] = (struct cpu_segment){ (uint16_t)(0x10 + i), 0xf3, 0xffff, 0x100 + i * 16 };
    r->rip = HVM_CODE - r->seg[CPU_SEG_CS].base;
    r->rflags |= X86_EFLAGS_VM | X86_EFLAGS_IOPL;
    r->cpl = 3;
    EXEC(f, "\xcd\x30");
    at_handler(f, PROTECTED, 0x30);
    assert_int_equal(r->rsp, STACK0 - 36);
    assert_int_equal(word(f, 1, 4), 0x10 + CPU_SEG_CS);
    assert_true(word(f, 2, 4) & X86_EFLAGS_VM);
    assert_int_equal(word(f, 4, 4), 0x10 + CPU_SEG_SS);
    assert_int_equal(word(f, 5, 4), 0x10 + CPU_SEG_ES);
    assert_int_equal(word(f, 6, 4), 0x10 + CPU_SEG_DS);
    assert_int_equal(word(f, 7, 4), 0x10 + CPU_SEG_FS);
    assert_int_equal(word(f, 8, 4), 0x10 + CPU_SEG_GS);
    assert_int_equal(r->seg[CPU_SEG_DS].sel, 0);
    assert_false(r->rflags & X86_EFLAGS_VM);
}

/* The stack is aligned, and SS and RSP are pushed always. */
static void test_long(void **state)
{
    struct fixture *f = *state;

    begin(f, LONG);
    f->v->regs->rsp = HVM_STACK - 3;
    EXEC(f, "\x90\xcd\x30");
    at_handler(f, LONG, 0x30);
    assert_int_equal(f->v->regs->rsp, HVM_STACK - 16 - 40);
    assert_int_equal(word(f, 0, 8), HVM_CODE + 3);
    assert_int_equal(word(f, 1, 8), CODE64);
    assert_int_equal(word(f, 3, 8), HVM_STACK - 3);
    assert_int_equal(word(f, 4, 8), DATA);
    assert_int_equal(f->v->regs->seg[CPU_SEG_SS].sel, DATA);
}

static void test_long_inner(void **state)
{
    struct fixture *f = *state;

    begin(f, LONG);
    user(f, LONG);
    EXEC(f, "\xcd\x30");
    at_handler(f, LONG, 0x30);
    assert_int_equal(f->v->regs->rsp, STACK0 - 40);
    assert_int_equal(f->v->regs->seg[CPU_SEG_SS].sel, 0); /* a null selector */
    assert_int_equal(word(f, 1, 8), CODE64_3);
    assert_int_equal(word(f, 4, 8), DATA3);
}

static void test_ist(void **state)
{
    struct fixture *f = *state;

    begin(f, LONG);
    gate(f, LONG, 0x30, CODE64, 0xe, 3, 1);
    EXEC(f, "\xcd\x30");
    at_handler(f, LONG, 0x30);
    assert_int_equal(f->v->regs->rsp, IST1 - 40);
}

/* mov HOLE, %eax */
static void test_page_fault(void **state)
{
    struct fixture *f = *state;

    begin(f, LONG);
    EXEC(f, "\x8b\x04\x25\x10\x00\x02\x00");
    at_handler(f, LONG, X86_EXC_PF);
    assert_int_equal(f->v->regs->cr2, HOLE + 0x10);
    assert_int_equal(word(f, 0, 8), 0);
    assert_int_equal(word(f, 1, 8), HVM_CODE);
}

/* A #PF while a #PF is delivered, since the stack is not there: #DF, on a stack of its own; without one, the end. */
static void test_double_fault(void **state)
{
    struct fixture *f = *state;

    begin(f, LONG);
    gate(f, LONG, X86_EXC_DF, CODE64, 0xe, 0, 1);
    f->v->regs->rsp = HOLE + 0x800;
    EXEC(f, "\x8b\x04\x25\x10\x00\x02\x00");
    at_handler(f, LONG, X86_EXC_DF);
    assert_int_equal(f->v->regs->rsp, IST1 - 48);
    assert_int_equal(word(f, 0, 8), 0);
    assert_int_equal(word(f, 1, 8), HVM_CODE);
    assert_int_equal(word(f, 4, 8), HOLE + 0x800);
    assert_int_equal(f->v->regs->cr2, HOLE + 0x7f8); /* the second one's */
}

static void test_triple_fault(void **state)
{
    struct fixture *f = *state;

    begin(f, LONG);
    f->v->regs->rsp = HOLE + 0x800;
    EXEC(f, "\x8b\x04\x25\x10\x00\x02\x00");
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_reboot);
}

/* A benign fault, then one that is not: the second is delivered. */
static void test_second_fault(void **state)
{
    struct fixture *f = *state;

    begin(f, LONG);
    no_gate(f, LONG, X86_EXC_UD);
    EXEC(f, "\x0f\x0b");
    at_handler(f, LONG, X86_EXC_NP);
    assert_int_equal(word(f, 0, 8), X86_EXC_UD << 3 | 2 | 1);
}

/* Not present, while a #GP was delivered: both contributory. */
static void test_contributory(void **state)
{
    struct fixture *f = *state;

    begin(f, LONG);
    no_gate(f, LONG, X86_EXC_GP);
    EXEC(f, "\xb8\x77\x77\x00\x00\x8e\xd8");
    at_handler(f, LONG, X86_EXC_DF);
}

/*
 * An NMI that sends itself another one: which comes behind its IRET, and not before. 0x9000: how many have come;
 * 0x9004: the sum of what each found there at its end.
 */
static void test_nmi(void **state)
{
    struct fixture *f = *state;
    struct hvm_fault fault;
    uint32_t sum[2];

    begin(f, PROTECTED);
    hvm_put(f, HANDLER + 16 * X86_EXC_NMI, "\xe9\xdb\x4f\x00\x00", 5); /* jmp 0x8000 */
    hvm_put(f, 0x8000,
            "\xff\x05\x00\x90\x00\x00\x83\x3d\x00\x90\x00\x00\x01\x75\x0a" /* incl 0x9000; is it 1? */
            "\xc7\x05\x00\x03\xe0\xfe\x00\x44\x08\x00"                     /* then one to all */
            "\x90\xa1\x00\x90\x00\x00\x01\x05\x04\x90\x00\x00\xcf",        /* nop; addl 0x9000 to 0x9004; iret */
            38);
    EXEC(f, "\xc7\x05\x00\x03\xe0\xfe\x00\x44\x08\x00\x90\x90\xfa\xf4");
    assert_int_equal(f->v->regs->rip, HVM_CODE + 14);
    assert_true(hvm_linear(f->v, 0x9000, sum, sizeof(sum), HVM_ACCESS_READ, false, &fault));
    assert_int_equal(sum[0], 2);
    assert_int_equal(sum[1], 1 + 2);
}

/* From wherever it comes. */
static void test_nmi_injected(void **state)
{
    struct fixture *f = *state;

    begin(f, PROTECTED);
    hvm_inject_event(f->v, &(struct hvm_event){ .type = HVM_EVENT_INTERRUPT, .vector = 0x30 });
    assert_false(f->v->regs->nmi_blocked);
    hvm_inject_event(f->v, &(struct hvm_event){ .type = HVM_EVENT_NMI, .vector = X86_EXC_NMI });
    assert_true(f->v->regs->nmi_blocked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, hvm_setup, fix_teardown)
        TEST(test_real),         TEST(test_real_fault),       TEST(test_same_ring),    TEST(test_gates),
        TEST(test_gate16),       TEST(test_error_code),       TEST(test_inner_ring),   TEST(test_gate_privilege),
        TEST(test_gate_absent),  TEST(test_idt_limit),        TEST(test_bad_stack),    TEST(test_vm86),
        TEST(test_stack_fits),   TEST(test_inner_stack_fits), TEST(test_stack_small),  TEST(test_inner_stack_small),
        TEST(test_long),         TEST(test_long_inner),       TEST(test_ist),          TEST(test_page_fault),
        TEST(test_double_fault), TEST(test_triple_fault),     TEST(test_second_fault), TEST(test_contributory),
        TEST(test_nmi),          TEST(test_nmi_injected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
