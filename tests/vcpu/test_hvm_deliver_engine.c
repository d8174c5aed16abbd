// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Delivering through a guest's own IDT (vcpu/hvm/deliver.c), beside the engine's own delivery: random descriptors,
 * gates, stacks, rings and modes; the same registers and memory must come of it, through chains of faults up to #DF and
 * the triple fault.
 *
 * The engine is made to deliver by itself: this program's functions take the place of those by which it would leave for
 * the hypervisor, and of those that go back to its loop. It finds its double faults itself, too.
 *
 * What it does otherwise than manuals say is said where it is left out of the comparison.
 * Task gates are test_hvm_task.c's.
 *
 * Budget: over 400 lines: the engine's way, the events and the comparison are of no use elsewhere.
 *
 * DELIVER_RANDOM=N: so many events; DELIVER_FROM: the first seed.
 */
#include "tests/vcpu/hvm.h"

#include "sim/engine/emu.h"
#include "sim/engine/pcpu_private.h"

#include <dlfcn.h>

#define IDT    0x6000u
#define GDT    0x5000u
#define TSS    0x7000u
#define TABLES 0x10000u
#define BYTES  (HVM_PAGES * PAGE_SIZE)
/* Pages that are not as the others where there is paging. */
#define HOLE       0x20u
#define READ_ONLY  0x22u
#define SUPERVISOR 0x24u

#define VECTORS 256u
#define EXT     1u /* of an error code */

/* ---------------------------------------------------------------------------------------------- the engine's way -- */

void x86_cpu_do_interrupt_x86_64(struct CPUState *cpu);
void do_interrupt_x86_hardirq_x86_64(struct CPUX86State *env, int vector, int is_hw);
void helper_raise_interrupt_x86_64(struct CPUX86State *env, int vector, int next_eip_addend);
void cpu_loop_exit_restore_x86_64(struct CPUState *cpu, uintptr_t pc);
void cpu_loop_exit_x86_64(struct CPUState *cpu);

static struct emu *delivers; /* the engine that does, while it does */
static bool began;           /* the event itself has been raised: a further exception is a fault of its delivery */
static jmp_buf out;
enum { BEGINS, EXCEPTION, ENDS };

#define REAL(fn) ((__typeof__(&fn))dlsym(RTLD_NEXT, #fn))

/* In front of each exception: the address of a #PF has gone where intercepts have it. */
void cpu_svm_check_intercept_param_x86_64(struct CPUX86State *env, uint32_t code, uint64_t info1, uintptr_t host_pc)
{
    struct raw_cpu *r;

    if (!delivers) {
        REAL(cpu_svm_check_intercept_param_x86_64)(env, code, info1, host_pc);
        return;
    }
    r = &delivers->raw;
    if (code == 0x40 + TRAP_page_fault)
        *raw_cr(r, 2) = emu_exit_info2(delivers);
    if (began)
        raw_set(r, eflags, uint64_t, raw_get(r, eflags, uint64_t) | X86_EFLAGS_RF);
    began = true;
}

void cpu_vmexit_x86_64(struct CPUX86State *env, uint32_t code, uint64_t info1, uintptr_t host_pc)
{
    if (!delivers)
        REAL(cpu_vmexit_x86_64)(env, code, info1, host_pc);
    assert_int_equal(code, SVM_EXIT_SHUTDOWN);
    longjmp(out, ENDS);
}

void cpu_loop_exit_restore_x86_64(struct CPUState *cpu, uintptr_t pc)
{
    if (!delivers)
        REAL(cpu_loop_exit_restore_x86_64)(cpu, pc);
    longjmp(out, EXCEPTION);
}

/* True: delivered; false: a triple fault. */
static bool engine_delivers(struct fixture *f, const struct hvm_event *event)
{
    struct emu *e = f->m->pcpu[0]->emu, *const was = emu_running;
    struct CPUX86State *env = (void *)e->raw.st;
    const uint64_t rf = f->v->regs->rflags & X86_EFLAGS_RF;
    struct vmcb *vmcb = emu_page(e, EMU_PAGE_VMCB);
    int how;

    emu_running = e;
    emu_run_begins(e);
    if (event->type == HVM_EVENT_SOFTINT)
        f->v->regs->rip -= event->insn_len;
    pcpu_load(e, f->v->ctx, true);
    raw_set(&e->raw, eflags, uint64_t, raw_get(&e->raw, eflags, uint64_t) | rf);
    vmcb->exit_info2 = event->cr2;
    began = event->type == HVM_EVENT_INTERRUPT;
    delivers = e;
    how = setjmp(out);
    if (how == BEGINS && event->type == HVM_EVENT_INTERRUPT)
        do_interrupt_x86_hardirq_x86_64(env, event->vector, 1);
    else if (how == BEGINS && event->type == HVM_EVENT_SOFTINT)
        helper_raise_interrupt_x86_64(env, event->vector, event->insn_len);
    else if (how == BEGINS)
        raise_exception_err_ra_x86_64(env, event->vector, (int)event->error_code, 0);
    else if (how == EXCEPTION)
        x86_cpu_do_interrupt_x86_64(e->smc.cpu);
    delivers = NULL;
    vmcb->event_inj = 0;
    pcpu_save(e, f->v->ctx, true);
    emu_running = was;
    return how != ENDS;
}

/* ---------------------------------------------------------------------------------------------------- the events -- */

static uint64_t seed;
static uint32_t random_below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % n);
}
static bool one_in(uint32_t n) { return !random_below(n); }
#define ANY_OF(table) ((table)[random_below(ARRAY_SIZE(table))])

enum mode { REAL_MODE, PROTECTED, PAGED, LONG, NR_MODES };

/* Flat but for the last ones; all are accessed. */
static const uint64_t kinds[] = {
    UINT64_C(0x00cf9b000000ffff), /* code 32 */
    UINT64_C(0x00cf9b000000ffff),
    UINT64_C(0x00cffb000000ffff), /* of ring 3 */
    UINT64_C(0x00cf9f000000ffff),
    UINT64_C(0x00cfff000000ffff), /* conforming */
    UINT64_C(0x00cf93000000ffff),
    UINT64_C(0x00cf93000000ffff), /* data */
    UINT64_C(0x00cff3000000ffff),
    UINT64_C(0x00cfb3000000ffff), /* of ring 3, 1 */
    UINT64_C(0x00cf91000000ffff),
    UINT64_C(0x00af9b000000ffff), /* read-only; code 64 */
    UINT64_C(0x00af9b000000ffff),
    UINT64_C(0x00affb000000ffff), /* of ring 3 */
    UINT64_C(0x00af9f000000ffff),
    UINT64_C(0x00afbb000000ffff), /* conforming; of ring 1 */
    UINT64_C(0x00ef9b000000ffff),
    UINT64_C(0x00cf1b000000ffff), /* L and D; not present, */
    UINT64_C(0x00af1b000000ffff),
    UINT64_C(0x00cf13000000ffff), /* also 64, data */
    UINT64_C(0x00008b0070000067),
    UINT64_C(0x0000820070000067), /* a TSS, an LDT */
    UINT64_C(0x008f93000000ffff),
    UINT64_C(0x00009b000000ffff), /* data 16, code 16 */
    0,
};

#define RING1       14 /* code */
#define ABSENT_DATA 18

/* RIP, RSP and stacks: in the middle of memory, and at the ends of pages that are not as others. */
static uint64_t some_stack(void)
{
    static const uint32_t tops[] = { 0x8000,  0x9008,  0xa00c,  0xb002,  0xa010,  0x21010, 0x21008,
                                     0x21000, 0x22010, 0x23000, 0x23008, 0x25000, 0x25010 };

    return ANY_OF(tops);
}

static uint16_t some_selector(void) { return (uint16_t)(random_below(ARRAY_SIZE(kinds) + 1) << 3 | random_below(4)); }

static struct cpu_segment segment_of(uint64_t d, uint16_t sel)
{
    return (struct cpu_segment){ sel, (uint16_t)((d >> 40 & 0xff) | (d >> 44 & 0xf00)), d >> 55 & 1 ? ~0u : 0xffff, 0 };
}

/* One of those that a mode can have loaded there. */
static struct cpu_segment some_segment(const uint64_t *of, size_t n, unsigned int cpl)
{
    const uint64_t d = of[random_below((uint32_t)n)] | (uint64_t)cpl << 45;

    return segment_of(d, (uint16_t)(8 * random_below(8) | cpl));
}

static void tables(struct fixture *f, enum mode mode)
{
    const unsigned int levels = mode == LONG ? 4 : 2, size = mode == LONG ? 8 : 4;

    for (unsigned int i = 0; i + 1 < levels; i++) {
        const uint64_t e = (TABLES + (i + 1) * PAGE_SIZE) | 0x67;

        hvm_put(f, TABLES + i * PAGE_SIZE, &e, size);
    }
    for (unsigned int i = 0; i < HVM_PAGES; i++) {
        const uint64_t e = i == HOLE         ? 0
                           : i == READ_ONLY  ? i * PAGE_SIZE | 0x65
                           : i == SUPERVISOR ? i * PAGE_SIZE | 0x63
                                             : i * PAGE_SIZE | 0x67;

        hvm_put(f, TABLES + (levels - 1) * PAGE_SIZE + i * size, &e, size);
    }
}

static void gates(struct fixture *f, enum mode mode)
{
    static const uint8_t usual[] = { 0xe, 0xf, 0xe, 0xf, 0xe, 6, 7 };

    for (unsigned int i = 0; i < VECTORS; i++) {
        uint64_t type = mode == LONG ? usual[random_below(5)] : ANY_OF(usual), dpl = random_below(4),
                 ist = one_in(3) ? random_below(8) : 0, to = random_below(0x8000);
        const bool present = !one_in(12);
        uint64_t e[2];

        if (one_in(12))
            type = random_below(32);
        if (type == 5) /* a task gate */
            type = 4;
        e[0] = to | (uint64_t)some_selector() << 16 | ist << 32 | (type | dpl << 5 | (uint64_t)present << 7) << 40;
        if (mode != LONG)
            e[0] &= ~(UINT64_C(7) << 32);
        e[1] = 0;
        hvm_put(f, IDT + i * (mode == LONG ? 16 : 8), e, mode == LONG ? 16 : 8);
    }
}

static void task_state(struct fixture *f, enum mode mode, bool wide)
{
    uint8_t tss[0x68] = { 0 };

    for (unsigned int i = 0; i < 3; i++) {
        const uint64_t sp = some_stack();
        uint16_t ss = one_in(2) ? some_selector() : (uint16_t)(8 * (i ? 9 : 6) | i);

        if (ss >> 3 == ABSENT_DATA) /* a processor raises #SS then, the engine #TS (AMD APM volume 2, 8.9.3) */
            ss = 0;
        if (mode == LONG) {
            memcpy(tss + 4 + 8 * i, &sp, 8);
        } else if (wide) {
            memcpy(tss + 4 + 8 * i, &sp, 4);
            memcpy(tss + 8 + 8 * i, &ss, 2);
        } else {
            memcpy(tss + 2 + 4 * i, &sp, 2);
            memcpy(tss + 4 + 4 * i, &ss, 2);
        }
    }
    for (unsigned int i = 1; i < 8 && mode == LONG; i++) {
        const uint64_t sp = some_stack();

        memcpy(tss + 28 + 8 * i, &sp, 8);
    }
    hvm_put(f, TSS, tss, sizeof(tss));
}

static void registers(struct fixture *f, enum mode mode, bool wide)
{
    static const uint64_t code[] = { UINT64_C(0x00cf9b000000ffff), UINT64_C(0x00009b000000ffff) },
                          code64[] = { UINT64_C(0x00af9b000000ffff), UINT64_C(0x00cf9b000000ffff) },
                          data[] = { UINT64_C(0x00cf93000000ffff), UINT64_C(0x008f93000000ffff) };
    struct cpu_state *r = f->v->regs;

    memset(r->gpr, 0, sizeof(r->gpr));
    r->rsp = some_stack();
    r->rip = HVM_CODE + random_below(0x100);
    r->rflags = X86_EFLAGS_MBS | (random_below(1u << 22) & 0x257fd5 & ~(uint32_t)X86_EFLAGS_VM);
    r->gdtr = (struct cpu_table){ GDT, sizeof(kinds) - 1 };
    r->idtr = (struct cpu_table){ IDT, (uint16_t)(mode == LONG ? 0xfff : 0x7ff) };
    r->tr = (struct cpu_segment){ 0x98, wide ? 0x89 : 0x81,
                                  one_in(6) ? 4 * random_below(0x18) + 2 + random_below(3) : 0x67, TSS };
    r->ldtr = (struct cpu_segment){ 0 };
    r->cpl = (uint8_t)(mode == REAL_MODE ? 0 : one_in(2) ? 3 * random_below(2) : random_below(4));
    r->cr0 = X86_CR0_ET | (mode >= PAGED ? X86_CR0_PG | (one_in(2) ? X86_CR0_WP : 0) : 0) |
             (mode >= PROTECTED ? X86_CR0_PE : 0);
    r->cr2 = 0x1234;
    r->cr3 = TABLES;
    r->cr4 = mode == LONG ? X86_CR4_PAE : 0;
    r->efer = mode == LONG ? EFER_LME | EFER_LMA : 0;
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        r->seg[i] = some_segment(data, i == CPU_SEG_SS ? ARRAY_SIZE(data) : 1, r->cpl);
    r->seg[CPU_SEG_CS] = mode == LONG ? some_segment(code64, 2, r->cpl) : some_segment(code, 2, r->cpl);
    if (mode == REAL_MODE || (mode != LONG && one_in(4))) { /* or virtual-8086 mode */
        for (unsigned int i = 0; i < CPU_NR_SEGS; i++) {
            const uint16_t sel = (uint16_t)random_below(0x100);

            r->seg[i] = (struct cpu_segment){ sel, mode == REAL_MODE ? 0x93 : 0xf3, 0xffff, (uint32_t)sel << 4 };
        }
        if (mode == REAL_MODE)
            r->seg[CPU_SEG_CS].attr = 0x9b;
        else {
            r->rflags |= X86_EFLAGS_VM;
            r->cpl = 3;
        }
    }
    r->dirty = CPU_DIRTY_ALL;
}

static struct hvm_event some_event(struct fixture *f)
{
    static const uint8_t exceptions[] = { 0, 1, 5, 6, 7, 10, 11, 12, 13, 14, 16, 17, 19 };
    static const enum hvm_event_type types[] = { HVM_EVENT_INTERRUPT, HVM_EVENT_SOFTINT, HVM_EVENT_EXCEPTION };
    struct hvm_event e = { .type = ANY_OF(types), .vector = (uint8_t)random_below(VECTORS) };

    if (e.type == HVM_EVENT_SOFTINT)
        e.insn_len = 2;
    if (e.type == HVM_EVENT_EXCEPTION) {
        e.vector = ANY_OF(exceptions);
        e.has_error_code = X86_EXC_HAVE_EC >> e.vector & 1;
        if (e.has_error_code)
            e.error_code = random_below(0x10000) & ~EXT;
        e.cr2 = f->v->regs->cr2;
        if (e.vector == X86_EXC_PF)
            e.cr2 = 0xabcd;
    }
    return e;
}

/* ---------------------------------------------------------------------------------------------------- comparison -- */

static void page_read(struct fixture *f, unsigned int page, uint8_t *to)
{
    p2m_type_t t;

    frame_read(f->m, p2m_get_entry(f->d, page, &t), to);
}

static void keep(struct fixture *f, uint8_t *to)
{
    for (unsigned int i = 0; i < HVM_PAGES; i++)
        page_read(f, i, to + i * PAGE_SIZE);
}

static void put_back(struct fixture *f, const uint8_t *from)
{
    uint8_t page[PAGE_SIZE];

    for (unsigned int i = 0; i < HVM_PAGES; i++) {
        page_read(f, i, page);
        if (memcmp(page, from + i * PAGE_SIZE, PAGE_SIZE))
            hvm_put(f, i * PAGE_SIZE, from + i * PAGE_SIZE, PAGE_SIZE);
    }
}

struct outcome {
    bool delivered;
    struct cpu_state regs;
    uint8_t memory[BYTES];
};

static struct outcome before, ours, theirs;

static bool same(const char *what, uint64_t a, uint64_t b)
{
    if (a != b)
        print_message("%s: %#lx, the engine %#lx\n", what, a, b);
    return a == b;
}

/*
 * Error codes: the engine knows no EXT (AMD APM volume 2, 8.4.1), and in long mode an index
 * counts by 8 bytes and not by 16.
 */
static bool codes_same(uint16_t a, uint16_t b, bool long_mode)
{
    return (a & ~EXT) == b || (long_mode && a & X86_XEC_IDT && (a & ~7) * 2 == (b & ~7));
}

static bool outcomes_same(void)
{
    /* Then the engine makes SS null; a processor does so with the ring (AMD APM volume 2, 8.9.4). */
    const bool ist_same_ring = ours.regs.efer & EFER_LMA && before.regs.cpl == ours.regs.cpl;
    const struct cpu_state *a = &ours.regs, *b = &theirs.regs;
    const uint64_t stack = a->efer & EFER_LMA || a->seg[CPU_SEG_SS].attr & SEG_ATTR_D ? ~UINT64_C(0) : 0xffff;
    bool ok = same("delivered", ours.delivered, theirs.delivered);

    if (!ok || !ours.delivered)
        return ok;
    /* On a 16-bit stack the engine keeps the upper half of the old ESP, and not the TSS's. */
    ok &= same("RIP", a->rip, b->rip) & same("RSP", a->rsp & stack, b->rsp & stack) &
          same("RFLAGS", a->rflags, b->rflags) & same("CPL", a->cpl, b->cpl) & same("CR2", a->cr2, b->cr2);
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        if (i != CPU_SEG_SS || !ist_same_ring)
            ok &= same("selector", a->seg[i].sel, b->seg[i].sel) & same("base", a->seg[i].base, b->seg[i].base);
    for (unsigned int i = 0; i < BYTES; i += 2)
        if (memcmp(ours.memory + i, theirs.memory + i, 2)) {
            const uint16_t *x = (const void *)(ours.memory + i), *y = (const void *)(theirs.memory + i);

            ok &= codes_same(*x, *y, a->efer & EFER_LMA) || same("memory", *x, *y);
        }
    return ok;
}

static void test_random(void **state)
{
    const char *n = getenv("DELIVER_RANDOM"), *from = getenv("DELIVER_FROM");
    const uint64_t first = from ? strtoull(from, NULL, 10) : 1, nr = n ? strtoull(n, NULL, 10) : 4000;
    unsigned int delivered = 0, bad = 0;
    struct fixture *f = *state;

    for (uint64_t i = first; i < first + nr; i++) {
        struct hvm_event e;
        enum mode mode;
        bool wide;

        seed = i * 7919;
        random_below(2);
        mode = (enum mode)random_below(NR_MODES);
        wide = mode == LONG || !one_in(4);
        hvm_put(f, GDT, kinds, sizeof(kinds));
        tables(f, mode);
        gates(f, mode);
        task_state(f, mode, wide);
        registers(f, mode, wide);
        if (f->v->regs->rflags & X86_EFLAGS_VM) /* the engine lets it go to ring 1, too (AMD APM volume 2, 8.9.2) */
            hvm_put(f, GDT + 8 * RING1, &kinds[1], 8);
        e = some_event(f);
        if (one_in(8)) /* about where its gate ends, or anywhere */
            f->v->regs->idtr.limit = (uint16_t)(one_in(2) ? random_below(0x1000)
                                                          : (e.vector + 1) * (mode == LONG        ? 16
                                                                              : mode == REAL_MODE ? 4
                                                                                                  : 8) +
                                                                random_below(3) - 2);
        before.regs = *f->v->regs;
        keep(f, before.memory);

        theirs.delivered = engine_delivers(f, &e);
        theirs.regs = *f->v->regs;
        keep(f, theirs.memory);
        put_back(f, before.memory);

        *f->v->regs = before.regs;
        hvm_inject_event(f->v, &e);
        ours.delivered = !f->d->is_shutting_down;
        ours.regs = *f->v->regs;
        keep(f, ours.memory);
        put_back(f, before.memory);

        delivered += ours.delivered;
        if (!outcomes_same()) {
            bad++;
            print_message("seed %lu: mode %d, %s %u, ring %u\n", i, mode,
                          e.type == HVM_EVENT_INTERRUPT ? "interrupt"
                          : e.type == HVM_EVENT_SOFTINT ? "INT"
                                                        : "exception",
                          e.vector, before.regs.cpl);
        }
        if (f->d->is_shutting_down) {
            hvm_destroy(f);
            hvm_create(f);
        }
    }
    assert_int_equal(bad, 0);
    assert_true(delivered > nr / 4 && delivered < nr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random, hvm_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
