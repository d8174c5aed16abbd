// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostile: a guest that does whatever may harm, drawn by chance from seed=N.
 *
 * Shows that a guest can ruin itself and nothing else. In n=N turns it executes random code in user mode, 64 and 32
 * bits wide, with random registers; makes hypercalls at random, whose numbers, addresses and structures are such as
 * often matter; changes entries of its page tables at random, its own and what is beside them; asks for events and
 * grants. It may crash, hang, or lose its console: that is no mistake. The mistake would be one of the machine's: an
 * end of the program, a broken book of the hypervisor's, a neighbour that notices. scripts/hostile.sh runs it with many
 * seeds, next to such a neighbour.
 */
#include "guests/rt/guest.h"

#define CODE_SIZE PAGE_SIZE
#define SLICE_NS  200000 /* how long random code may take */

static uint8_t code[CODE_SIZE + PAGE_SIZE] __attribute__((section(".user.data"), aligned(4096), used));
static uint8_t data[4 * PAGE_SIZE] __attribute__((section(".user.data"), aligned(4096), used));
static uint64_t arg[PAGE_SIZE / 8] __attribute__((aligned(4096)));
static struct context turn;
static uint64_t state;

static uint64_t rnd(void)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
}

static bool one_in(unsigned int n) { return rnd() % n == 0; }

/* Where this guest works, what is mapped there, and the entries on the way to it, as long as all is well. */
static struct area {
    void *start;
    unsigned int pages;
    uint64_t mfn[4], entry[4][4];
} areas[] = { { code, 2, { 0 }, { { 0 } } }, { data, 4, { 0 }, { { 0 } } }, { arg, 1, { 0 }, { { 0 } } } };

static void areas_remember(void)
{
    for (struct area *a = areas; a < areas + ARRAY_SIZE(areas); a++)
        for (unsigned int i = 0; i < a->pages; i++) {
            a->mfn[i] = virt_to_mfn((char *)a->start + i * PAGE_SIZE);
            for (unsigned int level = 0; level < 4; level++)
                a->entry[i][level] = pte_machine((char *)a->start + i * PAGE_SIZE, level + 1);
        }
}

/* Bring it back, if that is still possible. */
static void areas_repair(void)
{
    for (struct area *a = areas; a < areas + ARRAY_SIZE(areas); a++)
        for (unsigned int i = 0; i < a->pages; i++)
            page_map((char *)a->start + i * PAGE_SIZE, a->mfn[i], PTE_KERNEL);
}

static uint64_t any_entry(void)
{
    const struct area *a = &areas[rnd() % ARRAY_SIZE(areas)];

    return a->entry[rnd() % a->pages][rnd() % 4] + (rnd() % 4 ? 0 : rnd() % 512 * 8 - rnd() % 512 * 8);
}

/* A number that matters somewhere: small, a limit, an address, a frame, a domain, or any. */
static uint64_t number(void)
{
    switch (rnd() % 16) {
    case 0 ... 3: return rnd() % 8;
    case 4: return rnd() % 64;
    case 5: return UINT64_C(1) << rnd() % 64;
    case 6: return (UINT64_C(1) << rnd() % 64) - 1;
    case 7: return -(rnd() % 64);
    case 8: return (uint64_t)arg + (one_in(2) ? 0 : rnd() % PAGE_SIZE);
    case 9: return (uint64_t)data + rnd() % sizeof(data);
    case 10: return pfn_to_mfn(rnd() % start_info->nr_pages);
    case 11: return pfn_to_mfn(rnd() % start_info->nr_pages) << PAGE_SHIFT | (rnd() & 0xfff);
    case 12: return any_entry() | (rnd() & 7);
    case 13: return DOMID_FIRST_RESERVED + rnd() % 8;
    case 14: return rnd() % start_info->nr_pages;
    default: return rnd();
    }
}

/*
 * ------------------------------------------------------------------------------------------------------- random code
 * --
 */

/* Whatever happens ends the turn. */
static void handler(struct guest_regs *regs)
{
    vcpu_info()->evtchn_upcall_mask = 1;
    context_leave(&turn, (long)regs->vector);
}

/* Bytes as they are, and often the openings of the rarer instructions. */
static void code_fill(void)
{
    static const char openings[][3] = { "\x0f",     "\x66\x0f", "\xf3\x0f", "\xf2\x0f", "\xf0", "\x0f\x38",
                                        "\x0f\x3a", "\xc5",     "\xc4\xe2", "\x48",     "\xf3", "\x67",
                                        "\x8e",     "\x0f\x01", "\x0f\xae", "\x0f\xc7" };
    size_t i = 0;

    while (i < CODE_SIZE) {
        const char *o = openings[rnd() % ARRAY_SIZE(openings)];

        while (*o && i < CODE_SIZE && one_in(2))
            code[i++] = (uint8_t)*o++;
        for (unsigned int n = 1 + rnd() % 5; n-- && i < CODE_SIZE;)
            code[i++] = (uint8_t)rnd();
    }
}

/* One instruction, over and over. */
static void code_repeat(void)
{
    const size_t len = 1 + rnd() % 6;
    uint8_t insn[6];

    for (size_t i = 0; i < len; i++)
        insn[i] = one_in(3) ? (uint8_t) "\x0f\x66\xf3\xf2\xd8\xdf\x9c\xc7"[rnd() % 8] : (uint8_t)rnd();
    for (size_t i = 0; i < CODE_SIZE; i++)
        code[i] = insn[i % len];
}

static void code_enter(void)
{
    struct guest_regs regs;
    uint64_t *words = (uint64_t *)&regs;

    for (unsigned int i = 0; i < 15; i++)
        words[i] = one_in(3) ? number() : (uint64_t)data + rnd() % sizeof(data);
    regs.vector = regs.error_code = 0;
    regs.rip = (uint64_t)code + (one_in(2) ? 0 : rnd() % CODE_SIZE);
    regs.cs = one_in(4) ? FLAT_RING3_CS32 : FLAT_USER_CS;
    regs.ss = one_in(4) ? FLAT_RING3_SS32 : FLAT_USER_SS;
    regs.rsp = one_in(8) ? number() : (uint64_t)data + rnd() % sizeof(data);
    regs.rflags = EFLAGS_IF | (rnd() & (one_in(4) ? 0x257fd5 : 0x8d5));
    regs.upcall_mask = 0;
    user_enter(&regs);
}

static void random_code(void)
{
    if (one_in(4))
        code_repeat();
    else
        code_fill();
    HYPERVISOR_set_timer_op(time_now() + SLICE_NS);
    code_enter();
}

/*
 * -------------------------------------------------------------------------------------------------- random hypercalls
 * --
 */

static long call(uint64_t nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    register uint64_t r10 asm("r10") = a4;
    register uint64_t r8 asm("r8") = a5;
    long ret = (long)nr;

    asm volatile("syscall" : "+a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8) : : "rcx", "r11", "memory");
    return ret;
}

/* What would only end the show: another stack, another entry point, a return to nowhere, a farewell. */
static bool too_short_a_life(uint64_t nr, uint64_t cmd)
{
    switch (nr) {
    case __HYPERVISOR_set_trap_table:
    case __HYPERVISOR_stack_switch:
    case __HYPERVISOR_set_callbacks:
    case __HYPERVISOR_callback_op:
    case __HYPERVISOR_iret: return true;
    case __HYPERVISOR_sched_op: return cmd == SCHEDOP_shutdown || cmd == SCHEDOP_block || cmd == SCHEDOP_poll;
    case __HYPERVISOR_sched_op_compat: return true;
    case __HYPERVISOR_multicall: return !one_in(8); /* any of them may be in there */
    default: return false;
    }
}

static uint64_t hypercalls, succeeded;

static void random_hypercall(void)
{
    const uint64_t nr = one_in(16) ? number() : rnd() % 56, first = one_in(3) ? (uint64_t)arg : number();

    for (unsigned int i = 0; i < 32; i++)
        arg[i] = one_in(2) ? number() : number() << 32 | (uint32_t)number();
    if (too_short_a_life(nr, first) && !one_in(200))
        return;
    hypercalls++;
    succeeded += call(nr, first, one_in(2) ? (uint64_t)arg : number(), one_in(2) ? (uint64_t)arg : number(), number(),
                      number()) >= 0;
}

/* Page tables: an entry on the way to this data, or any frame taken for a table. */
static void random_entry(void)
{
    static const uint64_t flags[] = { 0, PTE_READONLY, PTE_KERNEL, PTE_TABLE, PTE_KERNEL | PTE_PSE, PTE_P };
    struct mmu_update u[8];
    const unsigned int n = 1 + rnd() % ARRAY_SIZE(u);
    unsigned int done;

    for (unsigned int i = 0; i < n; i++) {
        u[i].ptr = one_in(4) ? number() : any_entry();
        u[i].ptr = (u[i].ptr & ~UINT64_C(7)) | rnd() % 4;
        u[i].val = pfn_to_mfn(rnd() % start_info->nr_pages) << PAGE_SHIFT | flags[rnd() % ARRAY_SIZE(flags)];
        if (one_in(8))
            u[i].val = number();
    }
    HYPERVISOR_mmu_update(u, n, &done, one_in(4) ? (domid_t)number() : DOMID_SELF);
}

static long one_turn(long unused)
{
    areas_repair();
    for (unsigned int i = rnd() % 32; i; i--)
        random_hypercall();
    if (one_in(4))
        random_entry();
    random_code();
    return 0;
}

int guest_main(void)
{
    const long n = cmdline_number("n", 100);

    state = (uint64_t)cmdline_number("seed", 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    user_space_init();
    areas_remember();
    for (unsigned int vector = 0; vector < NR_TRAPS; vector++)
        trap_handler_set(vector, handler);
    for (long i = 0; i < n; i++)
        context_call(&turn, one_turn, 0);
    printf("I am still here after %ld turns and %lu hypercalls, of which %lu did something.\n", n, hypercalls,
           succeeded);
    return 0;
}
