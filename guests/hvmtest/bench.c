// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An operation many times over, for `make bench`: what a processor in a virtual machine does by itself, and what it has
 * to leave it for. The command line says which: op=NAME n=N. In long mode only.
 *
 *      cpuid, vmmcall, rdmsr, io   exits that are the shortest possible
 *      apicread, apicwrite         the local APIC's page: reads are memory, a store is an exit and has to be decoded
 *      ud, softint, pagefault      through the IDT and back by IRET, in ring 0
 *      interrupt                   sent to itself by the local APIC, served, ended
 *      syscall                     from ring 3 and back
 *      pte                         an entry of a page table is stored, INVLPG, the page read
 */
#include "guests/hvmtest/hvmtest.h"

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/xen.h>

#if LEVELS == 4

extern word start_info;

#define APIC    0xfee00000ul
#define EOI     0xb0
#define ICR     0x300
#define SELF    0x40000u /* ICR: fixed, to itself */
#define VECTOR  0x60
#define PRESENT 3u

static volatile uint32_t *apic(unsigned int reg) { return (volatile uint32_t *)(APIC + reg); }

/* Handlers as short as they can be. */
extern char skip_ud[], skip_fault[], only_iret[], served[], only_sysret[];
__asm__(".text\n"
        "skip_ud: addq $2, (%rsp); iretq\n"
        "skip_fault: addq $8, %rsp; addq $2, (%rsp); iretq\n"
        "only_iret: iretq\n"
        "served: push %rax; mov $0xfee000b0, %eax; movl $0, (%rax); pop %rax; iretq\n" /* EOI */
        "only_sysret: sysretq\n");

static void wrmsr(uint32_t msr, uint64_t v)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static void cpuid(word n)
{
    word a, b, c, d;

    while (n--)
        __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0x40000000));
}

static void vmmcall(word n)
{
    word ret;

    while (n--)
        __asm__ volatile("vmmcall" : "=a"(ret) : "0"(__HYPERVISOR_xen_version), "D"(0), "S"(0) : "memory");
}

static void rdmsr(word n)
{
    word a, d;

    while (n--)
        __asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(0x1b));
}

static void io(word n)
{
    uint8_t v;

    while (n--)
        __asm__ volatile("inb $0xed, %0" : "=a"(v)); /* nobody's */
}

static void apicread(word n)
{
    while (n--)
        (void)*apic(0x20);
}

static void apicwrite(word n)
{
    while (n--)
        *apic(EOI) = 0;
}

static void ud(word n)
{
    gate_set(UD, skip_ud, KERNEL_CS64, 0);
    while (n--)
        __asm__ volatile("ud2" ::: "memory");
}

static void softint(word n)
{
    gate_set(VECTOR, only_iret, KERNEL_CS64, 0);
    while (n--)
        __asm__ volatile("int $0x60" ::: "memory");
}

static void pagefault(word n)
{
    gate_set(PF, skip_fault, KERNEL_CS64, 0);
    pte_set(pages, 0);
    while (n--)
        __asm__ volatile("mov (%%rbx), %%eax" ::"b"(pages) : "eax", "memory"); /* two bytes long */
}

static void interrupt(word n)
{
    gate_set(VECTOR, served, KERNEL_CS64, 0);
    *apic(0xf0) = 0x1ff; /* on */
    __asm__ volatile("sti");
    while (n--)
        *apic(ICR) = SELF | VECTOR;
    __asm__ volatile("cli");
}

static void syscalls(word n)
{
    wrmsr(0xc0000080, 0xd01); /* EFER: SCE, and as it was */
    wrmsr(0xc0000081, (uint64_t)USER_CS32 << 48 | (uint64_t)KERNEL_CS64 << 32);
    wrmsr(0xc0000082, (word)only_sysret);
    wrmsr(0xc0000084, 0);
    *(word *)(void *)user_stack = n;
    (void)probe_run(USER, PROBE("mov user_stack, %rbx\n0: syscall\ndec %rbx\njnz 0b"));
}

static void pte(word n)
{
    const uint64_t there = (word)pages | PRESENT;

    while (n--) {
        pte_set(pages, there + (n & 1) * 4096);
        (void)*(volatile uint8_t *)pages;
    }
}

static const struct {
    const char *name;
    void (*op)(word n);
} ops[] = {
    { "cpuid", cpuid },
    { "vmmcall", vmmcall },
    { "rdmsr", rdmsr },
    { "io", io },
    { "apicread", apicread },
    { "apicwrite", apicwrite },
    { "ud", ud },
    { "softint", softint },
    { "pagefault", pagefault },
    { "interrupt", interrupt },
    { "syscall", syscalls },
    { "pte", pte },
};

/* What follows `word`, with which s begins; NULL: it does not. */
static const char *behind(const char *s, const char *word)
{
    while (*word && *s == *word) {
        s++;
        word++;
    }
    return *word ? NULL : s;
}

static const char *value(const char *line, const char *key)
{
    while (*line && !behind(line, key))
        line++;
    return *line ? behind(line, key) : NULL;
}

bool bench(void)
{
    const struct hvm_start_info *info = (const struct hvm_start_info *)start_info;
    const char *line = (const char *)info->cmdline_paddr;
    const char *name = line ? value(line, "op=") : NULL, *nr = line ? value(line, "n=") : NULL;
    word n = 0;

    while (nr && *nr >= '0' && *nr <= '9')
        n = n * 10 + (word)(*nr++ - '0');
    for (size_t i = 0; name && n && i < sizeof(ops) / sizeof(ops[0]); i++) {
        const char *rest = behind(name, ops[i].name);

        if (rest && (*rest == ' ' || !*rest)) {
            ops[i].op(n);
            return true;
        }
    }
    return false;
}

#else

bool bench(void) { return false; }

#endif
