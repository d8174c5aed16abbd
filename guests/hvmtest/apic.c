// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The local APIC: its registers, interrupts that a processor sends itself, its timer. AMD APM volume 2, chapter 16.
 */
#include "guests/hvmtest/hvmtest.h"

#define ID    0x20
#define VER   0x30
#define TPR   0x80
#define PPR   0xa0
#define EOI   0xb0
#define LDR   0xd0
#define DFR   0xe0
#define SPIV  0xf0
#define ISR   0x100
#define IRR   0x200
#define ESR   0x280
#define ICR   0x300
#define ICR2  0x310
#define LVTT  0x320
#define LVTPC 0x340
#define LINT0 0x350
#define TMICT 0x380
#define TMCCT 0x390
#define TDCR  0x3e0

#define SELF     0x40000u
#define MASKED   0x10000u
#define PERIODIC 0x20000u
#define MSR_BASE 0x1b

static uint32_t read(unsigned int reg) { return *(volatile uint32_t *)(word)(0xfee00000 + reg); }
static void write(unsigned int reg, uint32_t val) { *(volatile uint32_t *)(word)(0xfee00000 + reg) = val; }

static bool pending(unsigned int reg, unsigned int vector) { return read(reg + vector / 32 * 0x10) >> vector % 32 & 1; }

static void registers(void)
{
    fact("apic: id", read(ID), 0);
    fact("apic: version", read(VER), 0x50014);
    fact("apic: spurious vector at reset", read(SPIV), 0xff);
    fact("apic: DFR at reset", read(DFR), 0xffffffff);
    fact("apic: LVTs are masked at reset", read(LVTT), MASKED);
    write(LVTT, 0x41);
    fact("apic: and stay so while it is off", read(LVTT), MASKED | 0x41);
    write(SPIV, 0x1ff);
    fact("apic: on", read(SPIV), 0x1ff);
    write(LVTT, 0xffffffff);
    fact("apic: LVTT's bits", read(LVTT) & ~0x40000u, 0x300ff);
    write(LVTT, MASKED);
    write(TPR, 0xffffffff);
    fact("apic: TPR's bits", read(TPR), 0xff);
    fact("apic: PPR follows it", read(PPR), 0xff);
    write(TPR, 0);
    write(LDR, 0xffffffff);
    fact("apic: LDR's bits", read(LDR), 0xff000000);
    write(DFR, 0);
    fact("apic: DFR's bits", read(DFR), 0x0fffffff);
    write(DFR, 0xffffffff);
    write(ICR2, 0xffffffff);
    fact("apic: ICR2's bits", read(ICR2), 0xff000000);
    write(ICR2, 0);
}

static void interrupts(void)
{
    const void *wait = PROBE("sti\nnop\nnop\ncli");

    write(ICR, SELF | 0x40);
    fact("apic: sent to itself, waits for IF", pending(IRR, 0x40), 1);
    fact("apic: taken", probe_run(KERNEL, wait), TRAP(0x40));
    fact("apic: in service", pending(ISR, 0x40), 1);
    fact("apic: requested no more", pending(IRR, 0x40), 0);
    write(ICR, SELF | 0x48);
    fact("apic: of the same class, waits", probe_run(KERNEL, wait), NONE);
    write(ICR, SELF | 0x50);
    fact("apic: of a higher class, does not", probe_run(KERNEL, wait), TRAP(0x50));
    write(EOI, 0);
    write(EOI, 0);
    fact("apic: after two EOIs", probe_run(KERNEL, wait), TRAP(0x48));
    write(EOI, 0);
    write(TPR, 0x60);
    write(ICR, SELF | 0x68);
    fact("apic: TPR's class waits", probe_run(KERNEL, wait), NONE);
    write(TPR, 0x5f);
    fact("apic: until TPR is lower", probe_run(KERNEL, wait), TRAP(0x68));
    write(EOI, 0);
    write(TPR, 0);
    FACT("apic: NMI needs no IF", KERNEL, TRAP(NMI), "mov $0xfee00300, %eax\nmovl $0x40400, (" AX ")\nnop");
    write(ESR, 0);
    write(ICR, SELF | 5);
    write(ESR, 0);
    fact("apic: ESR, a vector below 16", read(ESR), 0x20);
    write(ESR, 0);
    write(ESR, 0);
    fact("apic: ESR is cleared", read(ESR), 0);
    write(ICR, SELF | 0x45);
    write(ICR, SELF | 0x55);
    fact("apic: the higher first", probe_run(KERNEL, wait), TRAP(0x55));
    write(EOI, 0);
    fact("apic: then the lower", probe_run(KERNEL, wait), TRAP(0x45));
    write(EOI, 0);
    write(ICR, SELF | 0x46);
    FACT("interrupts: not behind sti", KERNEL, NONE, "sti\ncli");
    fact("interrupts: then", probe_run(KERNEL, wait), TRAP(0x46));
    write(EOI, 0);
}

static unsigned int nr_ticks;

static bool tick(struct trap_frame *f, word *hw)
{
    (void)f;
    (void)hw;
    if (trap.vector != 0x41)
        return false;
    write(EOI, 0);
    return ++nr_ticks < 3;
}

static void timer(void)
{
    const void *wait = PROBE("1: sti\nhlt\ncli\njmp 1b");

    write(TDCR, 0xb);
    fact("timer: TDCR", read(TDCR), 0xb);
    write(LVTT, 0x41);
    write(TMICT, 1000);
    fact("timer: counts", read(TMCCT) <= 1000, 1);
    fact("timer: once", probe_run(KERNEL, wait), TRAP(0x41));
    fact("timer: has stopped", read(TMCCT), 0);
    write(EOI, 0);
    write(LVTT, PERIODIC | 0x41);
    write(TMICT, 1000);
    trap_hook = tick;
    fact("timer: periodic", probe_run(KERNEL, wait), TRAP(0x41));
    trap_hook = NULL;
    fact("timer: three times", nr_ticks, 3);
    write(TMICT, 0);
    write(LVTT, MASKED | 0x41);
    write(TMICT, 1000);
    while (read(TMCCT))
        __asm__ volatile("pause");
    fact("timer: masked, nothing comes", pending(IRR, 0x41), 0);
}

static uint64_t rdmsr(uint32_t nr)
{
    uint32_t a, d;

    __asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(nr));
    return a | (uint64_t)d << 32;
}

static void wrmsr(uint32_t nr, uint64_t val)
{
    __asm__ volatile("wrmsr" ::"c"(nr), "a"((uint32_t)val), "d"((uint32_t)(val >> 32)));
}

static void x2apic(void)
{
    uint32_t a = 1, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    fact("cpuid: x2APIC", c >> 21 & 1, 1);
    if (!(c >> 21 & 1))
        return;
    wrmsr(MSR_BASE, rdmsr(MSR_BASE) | 0x400);
    fact("x2apic: on", rdmsr(MSR_BASE) & 0xfff, 0xd00);
    fact("x2apic: id", rdmsr(0x802), 0);
    fact("x2apic: version", rdmsr(0x803), 0x50014);
    fact("x2apic: LDR", rdmsr(0x80d), 1);
    FACT("x2apic: DFR is not there", KERNEL, TRAP_ERR(GP, 0), "mov $0x80e, %ecx\nrdmsr");
    FACT("x2apic: id is not written", KERNEL, TRAP_ERR(GP, 0),
         "mov $0x802, %ecx\nxor %eax, %eax\nxor %edx, %edx\nwrmsr");
    FACT("x2apic: ICR2 is not there", KERNEL, TRAP_ERR(GP, 0), "mov $0x831, %ecx\nrdmsr");
    FACT("x2apic: EOI is not read", KERNEL, TRAP_ERR(GP, 0), "mov $0x80b, %ecx\nrdmsr");
    FACT("x2apic: EOI of 1", KERNEL, TRAP_ERR(GP, 0), "mov $0x80b, %ecx\nmov $1, %eax\nxor %edx, %edx\nwrmsr");
    FACT("x2apic: TPR's reserved bits", KERNEL, TRAP_ERR(GP, 0),
         "mov $0x808, %ecx\nmov $0x100, %eax\nxor %edx, %edx\nwrmsr");
    FACT("x2apic: no way back to xAPIC", KERNEL, TRAP_ERR(GP, 0), "mov $0x1b, %ecx\nrdmsr\nand $~0x400, %eax\nwrmsr");
    wrmsr(0x83f, 0x47);
    fact("x2apic: self IPI", probe_run(KERNEL, PROBE("sti\nnop\nnop\ncli")), TRAP(0x47));
    wrmsr(0x80b, 0);
    wrmsr(0x830, 0x40047);
    fact("x2apic: ICR", probe_run(KERNEL, PROBE("sti\nnop\nnop\ncli")), TRAP(0x47));
    wrmsr(0x80b, 0);
    fact("x2apic: memory is not it", read(VER) == 0x50014, 0);
    wrmsr(MSR_BASE, rdmsr(MSR_BASE) & ~0xc00ull);
    wrmsr(MSR_BASE, rdmsr(MSR_BASE) | 0x800);
}

void facts_apic(void)
{
    registers();
    interrupts();
    timer();
    x2apic();
}
