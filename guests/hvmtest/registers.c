// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Control registers, MSRs and CPUID: which bits there are, and what becomes of those that are not.
 * AMD APM volume 2, 3.1 (control registers), 3.2 (MSRs), volume 3, appendix E (CPUID).
 */
#include "guests/hvmtest/hvmtest.h"

#define MSR_APIC_BASE 0x1b
#define MSR_EFER      0xc0000080u
#define MSR_FS_BASE   0xc0000100u
#define MSR_KGS_BASE  0xc0000102u

/* What probes take and leave. */
extern word cr_value;
extern uint32_t msr_nr;
extern uint64_t msr_value, msr_got;
word cr_value;
uint32_t msr_nr;
uint64_t msr_value, msr_got;

/* TRAP or NONE; what was read is in msr_got. */
static unsigned int msr_read(uint32_t nr)
{
    unsigned int t;

    msr_nr = nr;
    msr_got = 0;
    t = probe_run(KERNEL, PROBE("mov msr_nr, %ecx\nrdmsr\nmov %eax, msr_got\nmov %edx, msr_got + 4"));
    return t;
}

static unsigned int msr_write(uint32_t nr, uint64_t value)
{
    msr_nr = nr;
    msr_value = value;
    return probe_run(KERNEL, PROBE("mov msr_nr, %ecx\nmov msr_value, %eax\nmov msr_value + 4, %edx\nwrmsr"));
}

#define CRWRITE(name, cr, expected, value)                                                                             \
    do {                                                                                                               \
        cr_value = (word)(value);                                                                                      \
        FACT(name, KERNEL, expected, "mov cr_value, " AX "\nmov " AX ", %" #cr);                                       \
    } while (0)

static void control(void)
{
    const word cr0 = READ(cr0), cr4 = READ(cr4);

    CRWRITE("cr0: NW without CD", cr0, TRAP_ERR(GP, 0), cr0 | 0x20000000);
    CRWRITE("cr0: PG without PE", cr0, TRAP_ERR(GP, 0), (cr0 & ~(word)1) | 0x80000000);
    CRWRITE("cr0: CD", cr0, NONE, cr0 | 0x40000000);
    CRWRITE("cr0: CD and NW", cr0, NONE, cr0 | 0x60000000);
    WRITE(cr0, cr0 & ~(word)0x10);
    fact("cr0: ET stays", READ(cr0) & 0x10, 0x10);
    WRITE(cr0, cr0 | 0x1ff80);
    fact("cr0: reserved bits stay clear", READ(cr0) & 0xff80, 0);
    WRITE(cr0, cr0);
    VALUE("smsw", KERNEL, cr0 & 0xffff, "smsw %ax\nmovzwl %ax, %eax");
    VALUE("smsw, ring 3", USER, cr0 & 0xffff, "smsw %ax\nmovzwl %ax, %eax");
    FACT("lmsw does not clear PE", KERNEL, NONE, "xor %eax, %eax\nlmsw %ax");
    fact("lmsw: CR0", READ(cr0) & 0xf, 1);
    FACT("lmsw sets TS", KERNEL, NONE, "mov $9, %eax\nlmsw %ax");
    fact("lmsw: CR0.TS", READ(cr0) & 0xf, 9);
    FACT("clts", KERNEL, NONE, "clts");
    fact("clts: CR0.TS", READ(cr0) & 0xf, 1);
    WRITE(cr0, cr0);
    CRWRITE("cr4: bit 15", cr4, TRAP_ERR(GP, 0), cr4 | 1u << 15);
    CRWRITE("cr4: bit 19", cr4, TRAP_ERR(GP, 0), cr4 | 1u << 19);
    CRWRITE("cr4: bit 31", cr4, TRAP_ERR(GP, 0), cr4 | 1u << 31);
    CRWRITE("cr4: VMXE", cr4, TRAP_ERR(GP, 0), cr4 | 1u << 13);
    CRWRITE("cr4: SMXE", cr4, TRAP_ERR(GP, 0), cr4 | 1u << 14);
    CRWRITE("cr4: PCE", cr4, NONE, cr4 | 1u << 8);
    CRWRITE("cr4: TSD", cr4, NONE, cr4 | 1u << 2);
    FACT("rdtsc with TSD, ring 3", USER, TRAP_ERR(GP, 0), "rdtsc");
    FACT("rdtsc with TSD, ring 0", KERNEL, NONE, "rdtsc");
    FACT("rdtscp with TSD, ring 3", USER, TRAP_ERR(GP, 0), "rdtscp");
    WRITE(cr4, cr4);
#if LONG
    CRWRITE("cr0: above 32 bits", cr0, TRAP_ERR(GP, 0), cr0 | 1ull << 32);
    CRWRITE("cr4: above 32 bits", cr4, TRAP_ERR(GP, 0), cr4 | 1ull << 32);
    CRWRITE("cr4: PAE stays in long mode", cr4, TRAP_ERR(GP, 0), cr4 & ~0x20ull);
    CRWRITE("cr0: PG stays in 64-bit code", cr0, TRAP_ERR(GP, 0), cr0 & ~0x80000000ull);
    CRWRITE("cr3: above the processor's addresses", cr3, TRAP_ERR(GP, 0), READ(cr3) | 1ull << 60);
    CRWRITE("cr8: above 15", cr8, TRAP_ERR(GP, 0), 0x10);
    CRWRITE("cr8: 5", cr8, NONE, 5);
    fact("cr8", READ(cr8), 5);
    fact("cr8 is the APIC's TPR", *(volatile uint32_t *)0xfee00080, 0x50);
    WRITE(cr8, 0);
    VALUE("cr8 by lock mov", KERNEL, TRAP(UD), ".byte 0xf0, 0x44, 0x0f, 0x20, 0xc0");
#endif
}

static void msrs(void)
{
    static const uint32_t not_there[] = {
        0x3a,  0x48,  0x49,  0x10a, 0x10b,      0x1a0,      0x480,      0x6e0 + 0x100,
        0x800, 0x80b, 0xd90, 0xda0, 0x12345678, 0xc0000104, 0xc0010117, 0xc0010114 + 3
    };
    static char name[] = "msr 0x????????: not there";

    for (unsigned int i = 0; i < sizeof(not_there) / sizeof(not_there[0]); i++) {
        for (unsigned int k = 0; k < 8; k++)
            name[6 + k] = "0123456789abcdef"[not_there[i] >> (28 - 4 * k) & 15];
        fact(name, msr_read(not_there[i]), TRAP_ERR(GP, 0));
        fact(name, msr_write(not_there[i], 0), TRAP_ERR(GP, 0));
    }
    fact("apic base", msr_read(MSR_APIC_BASE), NONE);
    fact("apic base: value", msr_got, 0xfee00900);
    fact("apic base: reserved", msr_write(MSR_APIC_BASE, 0xfee00901), TRAP_ERR(GP, 0));
    fact("efer", msr_read(MSR_EFER), NONE);
    fact("efer: value", msr_got, LONG ? 0xd00 : LEVELS == 3 ? 0x800 : 0);
    fact("efer: reserved", msr_write(MSR_EFER, msr_got | 1 << 1), TRAP_ERR(GP, 0));
    msr_read(MSR_EFER);
    fact("efer: SVME", msr_write(MSR_EFER, msr_got | 1 << 12), TRAP_ERR(GP, 0));
    msr_read(MSR_EFER);
    fact("efer: SCE", msr_write(MSR_EFER, msr_got | 1), NONE);
    msr_read(MSR_EFER);
    fact("efer: SCE reads", msr_got & 1, 1);
    fact("efer: back", msr_write(MSR_EFER, msr_got & ~1ull), NONE);
#if LEVELS
    fact("efer: LME with paging", msr_write(MSR_EFER, msr_got ^ 0x100), TRAP_ERR(GP, 0));
#endif
    fact("fs base: not canonical", msr_write(MSR_FS_BASE, 1ull << 47), TRAP_ERR(GP, 0));
    fact("kernel gs base: not canonical", msr_write(MSR_KGS_BASE, 1ull << 63), TRAP_ERR(GP, 0));
    fact("kernel gs base", msr_write(MSR_KGS_BASE, ~0ull << 47), NONE);
    fact("lstar: not canonical", msr_write(0xc0000082, 1ull << 48), TRAP_ERR(GP, 0));
    fact("sysenter eip: not canonical", msr_write(0x176, 1ull << 63), TRAP_ERR(GP, 0));
    fact("tsc aux: above 32 bits", msr_write(0xc0000103, 1ull << 32), TRAP_ERR(GP, 0));
    fact("pat: a type that is none", msr_write(0x277, 0x0007040600070402), TRAP_ERR(GP, 0));
    fact("pat", msr_read(0x277), NONE);
    fact("pat: at reset", msr_got, 0x0007040600070406);
    fact("mtrr cap is not written", msr_write(0xfe, 0), TRAP_ERR(GP, 0));
    fact("mtrr default type", msr_write(0x2ff, 0xc02), TRAP_ERR(GP, 0));
    fact("debugctl: LBR", msr_write(0x1d9, 1), NONE);
    fact("debugctl: back", msr_write(0x1d9, 0), NONE);
}

struct cpuid {
    uint32_t a, b, c, d;
};

static struct cpuid cpuid(uint32_t leaf, uint32_t sub)
{
    struct cpuid r;

    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "0"(leaf), "2"(sub));
    return r;
}

static void cpuids(void)
{
    const word cr4 = READ(cr4);
    const struct cpuid one = cpuid(1, 0);

    fact("cpuid: hypervisor", one.c >> 31, 1);
    fact("cpuid: osxsave follows CR4", one.c >> 27 & 1, cr4 >> 18 & 1);
    fact("cpuid: SYSENTER", one.d >> 11 & 1, 1);
    fact("cpuid: no VMX", one.c >> 5 & 1, 0);
    fact("cpuid: no MONITOR", one.c >> 3 & 1, 0);
    fact("cpuid: APIC", one.d >> 9 & 1, 1);
    fact("apic base: APIC off", msr_write(MSR_APIC_BASE, 0xfee00100), NONE);
    fact("cpuid: APIC off", cpuid(1, 0).d >> 9 & 1, 0);
    fact("apic base: APIC on", msr_write(MSR_APIC_BASE, 0xfee00900), NONE);
    fact("cpuid: no SVM", cpuid(0x80000001, 0).c >> 2 & 1, 0);
    fact("cpuid: a leaf beyond the last is 0", cpuid(0x3fffffff, 0).a, 0);
    fact("cpuid: Xen", cpuid(0x40000000, 0).b, 0x566e6558);
    fact("cpuid: Xen 4.17", cpuid(0x40000001, 0).a, 0x40011);
    fact("cpuid: one hypercall page", cpuid(0x40000002, 0).a, 1);
    fact("cpuid: its MSR", cpuid(0x40000002, 0).b, 0x40000000);
    fact("platform info: CPUID faulting", msr_read(0xce), NONE);
    fact("platform info: value", msr_got, 0x80000000);
    fact("cpuid faults", msr_write(0x140, 1), NONE);
    fact("cpuid faults: reads", msr_read(0x140) ? ~0ull : msr_got, 1);
    FACT("cpuid faults: ring 3", USER, TRAP_ERR(GP, 0), "xor %eax, %eax\ncpuid");
    FACT("cpuid faults: ring 0", KERNEL, NONE, "xor %eax, %eax\ncpuid");
    fact("cpuid faults no more", msr_write(0x140, 0), NONE);
    FACT("cpuid, ring 3", USER, NONE, "xor %eax, %eax\ncpuid");
    fact("cpuid faults: reserved", msr_write(0x140, 2), TRAP_ERR(GP, 0));
}

void facts_registers(void)
{
    control();
    msrs();
    cpuids();
}
