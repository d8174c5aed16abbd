// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hvmtest from beginning to end: its tables, how a probe is run and a fact is told, and all groups of facts.
 */
#include "guests/hvmtest/hvmtest.h"

#include <xen/sched.h>
#include <xen/xen.h>

#define PORT 0xe9 /* Xen's console of HVM guests */

struct trap trap;
bool (*trap_hook)(struct trap_frame *f, word *hw);
static unsigned int nr_facts, nr_wrong;

void facts_begin(void);
bool trapped_with_error(const word *hw);
int trapped(struct trap_frame *f);
void probe_enter(const void *code, bool user);

/* ----------------------------------------------------------------------------------------------------- telling -- */

static void say(const char *s)
{
    for (; *s; s++)
        __asm__ volatile("outb %0, %1" ::"a"(*s), "Nd"((uint16_t)PORT));
}

static void say_hex(uint64_t v)
{
    char s[19];
    char *p = s + sizeof(s) - 1;

    *p = 0;
    do
        *--p = "0123456789abcdef"[v & 15];
    while (v >>= 4);
    say("0x");
    say(p);
}

void fact(const char *name, uint64_t got, uint64_t expected)
{
    nr_facts++;
    say(name);
    if (got == expected) {
        say(": ok\n");
        return;
    }
    nr_wrong++;
    say(": WRONG ");
    say_hex(got);
    say(", expected ");
    say_hex(expected);
    say("\n");
}

static void say_nr(unsigned int n)
{
    char s[11];
    char *p = s + sizeof(s) - 1;

    *p = 0;
    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    say(p);
}

/* ------------------------------------------------------------------------------------------------------ tables -- */

void gate_set(unsigned int vector, const void *handler, unsigned int sel, unsigned int dpl)
{
    const word at = (word)handler;
    const uint32_t low = (uint32_t)(sel << 16 | (at & 0xffff)),
                   high = (uint32_t)((at & 0xffff0000) | 0x8e00 | dpl << 13);
    uint32_t *gate = (uint32_t *)((char *)idt + vector * 2 * sizeof(word));

    gate[0] = low;
    gate[1] = high;
}

/* attr: the descriptor's bits 40 to 55, without those of the limit, as in AMD APM volume 2, 4.7. */
void descriptor_set(unsigned int sel, uint32_t base, uint32_t limit, unsigned int attr)
{
    gdt[sel / 8] = (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)(attr & 0xf0ff) << 40 |
                   (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)(base >> 24) << 56;
}

#if LEVELS == 2
typedef uint32_t pte_t;
#else
typedef uint64_t pte_t;
#endif

uint64_t pte_get(const void *page) { return ((pte_t *)first_table)[(word)page >> 12]; }

void pte_set(const void *page, uint64_t entry)
{
    ((pte_t *)first_table)[(word)page >> 12] = (pte_t)entry;
    __asm__ volatile("invlpg %0" ::"m"(*(const char *)page) : "memory");
}

static void tables(void)
{
    extern const char gdt_pointer[], idt_pointer[];
    word *sp0 = (word *)(void *)(tss + 4);

    for (unsigned int i = 0; i < 256; i++)
        gate_set(i, stubs + 16 * i, LONG ? KERNEL_CS64 : KERNEL_CS32, i == BP || i == OF || i == LEFT ? 3 : 0);
    *sp0 = (word)trap_stack + sizeof(trap_stack);
#if LEVELS != 4
    sp0[1] = KERNEL_DS;
#endif
    tss[102] = 104; /* no I/O bitmap */
    descriptor_set(TSS, (uint32_t)(word)tss, 103, 0x89);
    __asm__ volatile("lgdt %0" ::"m"(*gdt_pointer));
    __asm__ volatile("lidt %0" ::"m"(*idt_pointer));
    __asm__ volatile("ltr %w0" ::"r"(TSS));
    if (!LEVELS)
        return;
    for (char *p = user_begin; p < user_end; p += 4096)
        pte_set(p, pte_get(p) | 4);
}

/* ------------------------------------------------------------------------------------------------------ probes -- */

static bool is_code(word sel)
{
    return sel == KERNEL_CS32 || sel == KERNEL_CS64 || sel == USER_CS32 || sel == USER_CS64;
}

/*
 * Is there an error code in front of the IP? Behind it is CS, at any rate; and no code of ours lies where a selector
 * would be an address, but for virtual-8086 mode, which the flags tell.
 */
bool trapped_with_error(const word *hw)
{
    const word vm = 0x20000;

    if (!LONG && (hw[2] & vm || hw[3] & vm))
        return !(hw[2] & vm);
    return !is_code(hw[1]) && (is_code(hw[2]) || hw[1] > 0xffff);
}

/* 0: the probe ends; 1, 2: return from the trap, which has no error code, or has one. */
int trapped(struct trap_frame *f)
{
    word *hw = f->hw;
    const bool error = trapped_with_error(hw);

    trap.vector = (unsigned int)f->vector & 0xff;
    trap.has_error = error;
    trap.error = error ? (unsigned int)*hw++ : 0;
    trap.ip = hw[0];
    trap.cs = hw[1];
    trap.flags = hw[2];
    trap.sp = hw[3];
    trap.ax = f->ax;
    trap.cr2 = READ(cr2);
    return trap.vector != LEFT && trap_hook && trap_hook(f, hw) ? 1 + error : 0;
}

unsigned int probe_run(enum where where, const void *code)
{
    probe_enter(code, where == USER);
    if (trap.vector == LEFT)
        return NONE;
    return trap.has_error ? TRAP_ERR(trap.vector, trap.error) : TRAP(trap.vector);
}

/* ----------------------------------------------------------------------------------------------- begin and end -- */

static void shut_down(void)
{
    struct sched_shutdown how = { .reason = SHUTDOWN_poweroff };

#if LEVELS == 4
    word ret, arg = (word)&how;

    __asm__ volatile("vmmcall"
                     : "=a"(ret)
                     : "0"((word)__HYPERVISOR_sched_op), "D"(SCHEDOP_shutdown), "S"(arg)
                     : "memory");
#else
    word ret;

    __asm__ volatile("vmmcall" : "=a"(ret) : "0"(__HYPERVISOR_sched_op), "b"(SCHEDOP_shutdown), "c"(&how) : "memory");
#endif
}

void facts_begin(void)
{
    tables();
    if (bench()) {
        shut_down();
        return;
    }
    facts_traps();
    facts_debug();
    facts_registers();
    facts_segments();
    facts_rings();
    facts_paging();
    facts_corners();
    facts_apic();
    facts_mmio();
    facts_xen();
    say("hvmtest: ");
    say_nr(nr_facts);
    say(" facts, ");
    say_nr(nr_wrong);
    say(" wrong\n");
    shut_down();
}
