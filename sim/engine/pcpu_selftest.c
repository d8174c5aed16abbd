// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the pCPU relies upon, tried out each time a machine is switched on (about a millisecond).
 *
 * Concept: nothing of how this program uses Unicorn is promised by anybody, so trust nothing: find where error codes
 * are left by making page faults whose codes are known; change code in the two ways that Unicorn 2.1 gets wrong; count
 * a known number of instructions; break at an instruction and at a store. What fails is named, and the machine does not
 * start.
 *
 * The test guest lives in the host's private pages: page tables, three pages of code and data.
 *
 *      0x400000  CODE      main()                       0x404000  DATA   read-only
 *      0x401000  FUNCS     two functions, writable      0x405000  DATA   not executable
 *      0x402000  FUNCS     again: the alias             0x406000  DATA   the supervisor's
 *      0x403000  DATA      writable                     0x407000  nothing
 */
#include "sim/engine/pcpu_private.h"

#include <stdio.h>

#define VA(page) (UINT64_C(0x400000) + (page)*PAGE_SIZE)

enum { MAP_CODE, MAP_FUNCS, MAP_ALIAS, MAP_DATA, MAP_DATA_RO, MAP_DATA_NX, MAP_DATA_SUPER, MAP_NOTHING };
enum {
    PAGE_L4,
    PAGE_L3,
    PAGE_L2,
    PAGE_L1,
    PAGE_CODE,
    PAGE_FUNCS,
    PAGE_DATA,
    PAGE_L4_OTHER
}; /* from EMU_PAGE_TEST on */

#define P  _PAGE_PRESENT
#define RW _PAGE_RW
#define US _PAGE_USER
#define NX _PAGE_NX

struct selftest {
    struct pcpu *p;
    struct cpu_context *c;
};

static uint8_t *test_page(struct selftest *t, unsigned int page) { return emu_page(t->p->emu, EMU_PAGE_TEST + page); }
static uint64_t test_addr(unsigned int page) { return emu_page_addr(EMU_PAGE_TEST + page); }

static void guest_build(struct selftest *t)
{
    const uint64_t l1[] = {
        [MAP_CODE] = test_addr(PAGE_CODE) | P | US,        [MAP_FUNCS] = test_addr(PAGE_FUNCS) | P | RW | US,
        [MAP_ALIAS] = test_addr(PAGE_FUNCS) | P | RW | US, [MAP_DATA] = test_addr(PAGE_DATA) | P | RW | US,
        [MAP_DATA_RO] = test_addr(PAGE_DATA) | P | US,     [MAP_DATA_NX] = test_addr(PAGE_DATA) | P | RW | US | NX,
        [MAP_DATA_SUPER] = test_addr(PAGE_DATA) | P | RW,  [MAP_NOTHING] = 0,
    };
    const uint64_t next[] = { test_addr(PAGE_L3) | P | RW | US, test_addr(PAGE_L2) | P | RW | US,
                              test_addr(PAGE_L1) | P | RW | US };

    memcpy(test_page(t, PAGE_L4), &next[0], 8);
    memcpy(test_page(t, PAGE_L3), &next[1], 8);
    memcpy(test_page(t, PAGE_L2) + 2 * 8, &next[2], 8); /* 0x400000 is the third 2 MiB */
    memcpy(test_page(t, PAGE_L1), l1, sizeof(l1));
}

/* New code at 0x400000, registers in front of it. */
static struct cpu_state *guest_reset(struct selftest *t, const uint8_t *code, size_t len)
{
    struct cpu_state *st = cpu_context_state(t->c);

    memcpy(test_page(t, PAGE_CODE), code, len);
    emu_smc_invalidate(t->p->emu, t->p->emu->m->nr_frames + EMU_PAGE_TEST + PAGE_CODE);
    memset(st->gpr, 0, sizeof(st->gpr));
    st->rip = VA(MAP_CODE);
    st->rflags = X86_EFLAGS_MBS | X86_EFLAGS_IF;
    st->rsp = VA(MAP_DATA) + PAGE_SIZE;
    st->cr3 = test_addr(PAGE_L4);
    st->dirty |= CPU_DIRTY_CR3;
    return st;
}

/* ------------------------------------------------------------------------------------------------- error codes -- */

static const uint8_t code_read[] = { 0x48, 0x8b, 0x07 };  /* mov (%rdi), %rax */
static const uint8_t code_write[] = { 0x48, 0x89, 0x07 }; /* mov %rax, (%rdi) */
static const uint8_t code_fetch[] = { 0xff, 0xe7, 0x90 }; /* jmp *%rdi; nop   */

static const struct {
    const uint8_t *code;
    unsigned int map;
    uint32_t error_code; /* AMD APM volume 2, 8.4.2: P, RW, US, -, ID */
} faults[] = {
    { code_read, MAP_NOTHING, 0x04 },    { code_write, MAP_NOTHING, 0x06 }, { code_write, MAP_DATA_RO, 0x07 },
    { code_read, MAP_DATA_SUPER, 0x05 }, { code_fetch, MAP_NOTHING, 0x14 }, { code_fetch, MAP_DATA_NX, 0x15 },
};

static bool fault_run(void *data, unsigned int i)
{
    struct selftest *t = data;
    struct cpu_state *st = guest_reset(t, faults[i].code, 3);
    struct sim_exit x;

    st->rdi = VA(faults[i].map);
    x = pcpu_run(t->p, t->c, 10);
    return x.kind == EXIT_EXCEPTION && x.exception.vector == 14 && x.exception.addr == VA(faults[i].map) &&
           st->rip == (faults[i].code == code_fetch ? VA(faults[i].map) : VA(MAP_CODE));
}

static const char *check_error_codes(struct selftest *t)
{
    uint32_t codes[ARRAY_SIZE(faults)];

    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        codes[i] = faults[i].error_code;
    return raw_error_code_find(&t->p->emu->raw, codes, ARRAY_SIZE(faults), fault_run, t);
}

/* ------------------------------------------------------------------------------------- code that changes, counts -- */

/* Call two functions of one page, store into both through %rdi, call them again. */
static const uint8_t code_modify[] = {
    0xff, 0xd6,             /* call *%rsi            */
    0x89, 0xc3,             /* mov %eax, %ebx        */
    0x41, 0xff, 0xd0,       /* call *%r8             */
    0x01, 0xc3,             /* add %eax, %ebx        */
    0xc6, 0x47, 0x01, 0x04, /* movb $4, 0x01(%rdi)   */
    0xc6, 0x47, 0x11, 0x08, /* movb $8, 0x11(%rdi)   */
    0xff, 0xd6,             /* call *%rsi            */
    0x01, 0xc3,             /* add %eax, %ebx        */
    0x41, 0xff, 0xd0,       /* call *%r8             */
    0x01, 0xc3,             /* add %eax, %ebx        */
    0x0f, 0x05,             /* syscall               */
};
static const uint8_t func_1[] = { 0xb8, 1, 0, 0, 0, 0xc3 }; /* mov $1, %eax; ret */
static const uint8_t func_2[] = { 0xb8, 2, 0, 0, 0, 0xc3 };

#define MODIFY_SUM   (1 + 2 + 4 + 8)
#define MODIFY_INSNS (11 + 4 * 2)

static bool modify_run(struct selftest *t, unsigned int map)
{
    struct cpu_state *st = guest_reset(t, code_modify, sizeof(code_modify));
    struct sim_exit x;

    memcpy(test_page(t, PAGE_FUNCS), func_1, sizeof(func_1));
    memcpy(test_page(t, PAGE_FUNCS) + 0x10, func_2, sizeof(func_2));
    emu_smc_invalidate(t->p->emu, t->p->emu->m->nr_frames + EMU_PAGE_TEST + PAGE_FUNCS);
    st->rsi = VA(MAP_FUNCS);
    st->r8 = VA(MAP_FUNCS) + 0x10;
    st->rdi = VA(map);
    x = pcpu_run(t->p, t->c, 1000);
    return x.kind == EXIT_SYSCALL && st->rbx == MODIFY_SUM && x.insns == MODIFY_INSNS;
}

/* Three instructions, then a load that faults. */
static const uint8_t code_partial[] = { 0x48, 0xff, 0xc0, 0x48, 0xff, 0xc0, 0x48,
                                        0xff, 0xc0, 0x48, 0x8b, 0x1f, 0x0f, 0x05 };
/* inc %rax; jmp back: the budget of 7 ends inside a block. */
static const uint8_t code_loop[] = { 0x48, 0xff, 0xc0, 0xeb, 0xfb };

static bool count_run(struct selftest *t)
{
    struct cpu_state *st = guest_reset(t, code_partial, sizeof(code_partial));
    struct sim_exit x;

    st->rdi = VA(MAP_NOTHING);
    x = pcpu_run(t->p, t->c, 1000);
    if (x.kind != EXIT_EXCEPTION || x.insns != 3 || st->rax != 3)
        return false;
    st = guest_reset(t, code_loop, sizeof(code_loop));
    x = pcpu_run(t->p, t->c, 7);
    return x.kind == EXIT_BUDGET && x.insns == 7 && st->rax == 4 && st->rip == VA(MAP_CODE) + 3;
}

/* mov %rax, (%rdi); inc %rax (twice); syscall */
static const uint8_t code_break[] = { 0x48, 0x89, 0x07, 0x48, 0xff, 0xc0, 0x48, 0xff, 0xc0, 0x0f, 0x05 };

/* pushf; pop %rbx; cld; xor %eax, %eax; syscall: the flags go in, are seen, change, come out. */
static const uint8_t code_flags[] = { 0x9c, 0x5b, 0xfc, 0x31, 0xc0, 0x0f, 0x05 };

static bool flags_run(struct selftest *t)
{
    struct cpu_state *st = guest_reset(t, code_flags, sizeof(code_flags));

    st->rflags = 0xed7;
    return pcpu_run(t->p, t->c, 1000).kind == EXIT_SYSCALL && st->rbx == 0xed7 && st->rflags == 0x246;
}

#define DR7_STORE_AND_INSN 0x10005u /* DR0: a store to a byte; DR1: an instruction */

static bool break_run(struct selftest *t)
{
    struct cpu_state *st = guest_reset(t, code_break, sizeof(code_break));
    bool ok;

    st->rdi = VA(MAP_DATA);
    st->dr[0] = VA(MAP_DATA);
    st->dr[1] = VA(MAP_CODE) + 6;
    st->dr[7] = DR7_STORE_AND_INSN;
    st->dirty |= CPU_DIRTY_DR;
    ok = pcpu_run(t->p, t->c, 1000).exception.dr6 == 1 && st->rip == VA(MAP_CODE) + 3 &&
         pcpu_run(t->p, t->c, 1000).exception.dr6 == 2 && st->rip == VA(MAP_CODE) + 6;
    st->dr[7] = X86_DR7_DEFAULT;
    st->dirty |= CPU_DIRTY_DR;
    return ok;
}

/* mov (%rdi), %rax; syscall */
static const uint8_t code_read_out[] = { 0x48, 0x8b, 0x07, 0x0f, 0x05 };

static uint64_t read_out(struct selftest *t, unsigned int map)
{
    struct cpu_state *st = cpu_context_state(t->c);

    st->rip = VA(MAP_CODE);
    st->rdi = VA(map);
    return pcpu_run(t->p, t->c, 1000).kind == EXIT_SYSCALL ? st->rax : ~UINT64_C(0);
}

static void go_to_root(struct selftest *t, unsigned int root)
{
    struct cpu_state *st = cpu_context_state(t->c);

    st->cr3 = test_addr(root ? PAGE_L4_OTHER : PAGE_L4);
    st->root = (uint8_t)root;
    st->dirty |= CPU_DIRTY_ROOT;
}

/* What two page tables say of one address must not be mixed up, nor forgotten when the other is used. */
static bool roots_run(struct selftest *t)
{
    struct cpu_state *st = guest_reset(t, code_read_out, sizeof(code_read_out));
    uint64_t *entry = (uint64_t *)(void *)test_page(t, PAGE_L1) + MAP_DATA, was = *entry;
    bool ok;

    memset(test_page(t, PAGE_DATA), 1, 8);
    memset(test_page(t, PAGE_FUNCS), 2, 8);
    memcpy(test_page(t, PAGE_L4_OTHER), test_page(t, PAGE_L4), 8);
    ok = read_out(t, MAP_DATA) == UINT64_C(0x0101010101010101);
    if (!emu_tlb_init(t->p->emu, VA(MAP_DATA), test_addr(PAGE_DATA)))
        return ok; /* then a change of roots is a flush, which was tried already */
    ok &= read_out(t, MAP_DATA) == UINT64_C(0x0101010101010101);
    *entry = test_addr(PAGE_FUNCS) | P | RW | US;
    for (unsigned int i = 0; i < 4; i++) {
        go_to_root(t, 1);
        ok &= read_out(t, MAP_DATA) == UINT64_C(0x0202020202020202);
        go_to_root(t, 0);
        ok &= read_out(t, MAP_DATA) == UINT64_C(0x0101010101010101);
    }
    st->dirty |= CPU_DIRTY_TLB;
    ok &= read_out(t, MAP_DATA) == UINT64_C(0x0202020202020202);
    *entry = was;
    st->dirty |= CPU_DIRTY_TLB;
    return ok;
}

/* jmp *%rdi; and, where that leads, inc %rax; syscall */
static const uint8_t code_jump[] = { 0xff, 0xe7, 0x48, 0xff, 0xc0, 0x0f, 0x05 };

static bool jump_run(struct selftest *t)
{
    struct cpu_state *st = cpu_context_state(t->c);

    st->rip = VA(MAP_CODE);
    st->rdi = VA(MAP_CODE) + 2;
    st->rax = 0;
    st->dirty |= CPU_DIRTY_TLB;
    return pcpu_run(t->p, t->c, 1000).kind == EXIT_SYSCALL && st->rax == 1;
}

static void forget_jumps(void *data) { guest_reset(data, code_jump, sizeof(code_jump)); }

/*
 * Jumps, first to what has never been executed, then to what has, while the TLB knows it and when it does not any more.
 */
static bool jumps_run(struct selftest *t)
{
    bool ok;

    forget_jumps(t);
    ok = jump_run(t);
    ok &= jump_run(t);
    emu_lookup_init(t->p->emu, forget_jumps, t);
    for (unsigned int i = 0; i < 4; i++)
        ok &= jump_run(t);
    return ok;
}

static const char *check(struct selftest *t)
{
    const char *why;

    guest_build(t);
    why = check_error_codes(t);
    if (why)
        return why;
    if (!flags_run(t))
        return "the flags do not survive an exit";
    if (!jumps_run(t))
        return "it does not find its translations";
    if (!modify_run(t, MAP_FUNCS) || !modify_run(t, MAP_ALIAS))
        return "it runs stale code after a program has changed it";
    if (!count_run(t))
        return "it does not count instructions exactly";
    if (!roots_run(t))
        return "its TLB mixes up two page tables";
    if (!break_run(t))
        return "its breakpoints do not work";
    return NULL;
}

const char *pcpu_selftest(struct pcpu *p)
{
    struct selftest t = { p, cpu_context_create(p->emu->m, CPU_MODE_PV64, &PV_CONTROLS) };
    unsigned int major, minor, version = uc_version(&major, &minor);
    const char *why;

    if (!t.c)
        return "no memory";
    why = check(&t);
    cpu_context_destroy(t.c);
    snprintf(p->emu->name, sizeof(p->emu->name), "Unicorn %u.%u.%u", major, minor, version >> 8 & 0xff);
    return why;
}
