// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The eight holes: instructions that tell of the machine, or change it, and do not trap where a kernel is no longer at
 * CPL 0.
 *
 * Concept: Popek and Goldberg's condition is that every sensitive instruction traps when it is not privileged to run.
 * x86 breaks it: these eight run on, and give the answer of the machine that is really there. A hypervisor that only
 * waits for traps cannot correct them. Each is executed here and compared with what a processor of one's own gives.
 *
 *      POPF   does not change IF                    MOV from CS   tells the CPL
 *      SGDT, SIDT   give the hypervisor's tables    SMSW          gives the real CR0
 *      STR    gives the hypervisor's task           LAR, VERR     look into the real GDT, at the real CPL
 *
 * A kernel that was written for a hypervisor does not rely on them: under PV the answers are Xen's, and rightly so.
 * That is why they have a hash of their own, of which of them are a processor's.
 *
 * Source: AMD64 APM 3, of each instruction; Robin and Irvine, Analysis of the Intel Pentium's ability to support a
 * secure virtual machine monitor (2000).
 */
#include "guests/five/cpu.h"

#define IF 0x200u

struct table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static uint64_t hash = HASH_START;
static unsigned int as_processor;

static void note_probe(const char *what, bool same)
{
    char line[64] = "probe ";
    size_t at = 6;

    while (*what)
        line[at++] = *what++;
    for (const char *c = same ? ": a processor's" : ": ANOTHER MACHINE'S"; *c;)
        line[at++] = *c++;
    line[at] = '\0';
    note(line);
}

static void probe(const char *what, uint64_t got, uint64_t own)
{
    const uint8_t same = got == own;

    hash = hash_bytes(hash_bytes(hash, what, 4), &same, 1);
    as_processor += same;
    note_probe(what, same);
}

/* Interrupts on, then POPF of flags without IF: is IF off? */
static uint64_t popf_clears_if(void)
{
    uint64_t flags;

    cpu_interrupts_on();
    __asm__ volatile("pushf\n andq $~0x200, (%%rsp)\n popf\n pushf\n pop %0" : "=r"(flags) : : "memory", "cc");
    cpu_interrupts_off();
    return !(flags & IF);
}

static uint64_t task_switched_seen(void)
{
    uint64_t with, without;

    cpu_task_switched(true);
    __asm__ volatile("smsw %0" : "=r"(with));
    cpu_task_switched(false);
    __asm__ volatile("smsw %0" : "=r"(without));
    return (with & 8) | (without >> 3 & 1);
}

void probes_test(void)
{
    struct table_register gdt = { 0, 0 }, idt = { 0, 0 };
    uint16_t cs, task;
    uint32_t rights = 0;
    uint8_t readable;

    __asm__ volatile("mov %%cs, %0" : "=r"(cs));
    __asm__ volatile("sgdt %0" : "=m"(gdt));
    __asm__ volatile("sidt %0" : "=m"(idt));
    __asm__ volatile("str %0" : "=r"(task));
    __asm__ volatile("lar %1, %0" : "+r"(rights) : "r"((uint32_t)cpu_own.code) : "cc");
    __asm__ volatile("verr %1\n setz %0" : "=q"(readable) : "r"(cpu_own.data) : "cc");
    probe("POPF", popf_clears_if(), 1);
    probe("MOV from CS", cs & 3, 0);
    probe("SGDT", gdt.base, cpu_own.gdt);
    probe("SIDT", idt.base, cpu_own.idt);
    probe("SMSW", task_switched_seen(), 8);
    probe("STR", task, cpu_own.task);
    probe("LAR", rights & 0xff00, cpu_own.code_rights & 0xff00);
    probe("VERR", readable, 1);
    note_number("probes that are a processor's: ", as_processor);
    note_number("probes, hash ", hash);
}
