// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ways between rings and tasks that segments.c leaves out: SYSCALL, SYSENTER, virtual-8086 mode, task gates, and faults
 * that delivering a fault raises. AMD APM volume 2, 6.1, 8.2.9 (#DF), 12 (tasks), volume 3 (each instruction).
 */
#include "guests/hvmtest/hvmtest.h"

#define MSR_SYSENTER_CS  0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_EFER         0xc0000080u
#define MSR_STAR         0xc0000081u
#define MSR_LSTAR        0xc0000082u
#define MSR_SFMASK       0xc0000084u

static void wrmsr(uint32_t nr, uint64_t val)
{
    __asm__ volatile("wrmsr" ::"c"(nr), "a"((uint32_t)val), "d"((uint32_t)(val >> 32)));
}

static uint64_t rdmsr(uint32_t nr)
{
    uint32_t a, d;

    __asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(nr));
    return a | (uint64_t)d << 32;
}

/* What runs in ring 0 ends as probes do: by RET, to the place that the user's stack says. */
static void syscalls(void)
{
    const uint64_t efer = rdmsr(MSR_EFER);

    FACT("syscall without SCE", USER, TRAP(UD), "syscall");
    FACT("sysret without SCE", KERNEL, TRAP(UD), "sysretl");
    wrmsr(MSR_EFER, efer | 1);
#if LONG
    wrmsr(MSR_STAR, (uint64_t)KERNEL_CS64 << 32 | (uint64_t)(USER_CS64 - 16) << 48);
    wrmsr(MSR_LSTAR, (word)PROBE("mov %cs, %eax\nmov %ss, %ecx\nshl $16, %ecx\nor %ecx, %eax"));
    VALUE("syscall: CS and SS", USER, KERNEL_CS64 | (KERNEL_CS64 + 8) << 16, "syscall");
    wrmsr(MSR_LSTAR, (word)PROBE("mov %rcx, %rax\nsub $772f, %rax"));
    VALUE("syscall: RCX", USER, 0, "syscall\n772:");
    wrmsr(MSR_LSTAR, (word)PROBE("pushf\npop %rax\nxor %r11, %rax"));
    wrmsr(MSR_SFMASK, 0x400);
    VALUE("syscall: SFMASK", USER, 0x400, "std\nsyscall");
    FACT("sysret in ring 3", USER, TRAP_ERR(GP, 0), "sysretq");
    FACT("sysret", KERNEL, NONE, "mov $user_left, %ecx\nmov $2, %r11d\nmov $user_stack + 64, %esp\nsysretq");
    fact("sysret: CS", trap.cs, USER_CS64);
    FACT("sysret, not canonical", KERNEL, TRAP_ERR(GP, 0),
         "mov $1, %ecx\nshl $47, %rcx\nmov $2, %r11d\nmov $user_stack + 64, %esp\nsysretq");
#else
    wrmsr(MSR_STAR, (uint64_t)KERNEL_CS32 << 32 | (uint64_t)(USER_CS32 & ~3) << 48 |
                        (word)PROBE("mov %cs, %eax\nmov %ss, %ecx\nshl $16, %ecx\nor %ecx, %eax"));
    VALUE("syscall: CS and SS", USER, KERNEL_CS32 | (KERNEL_CS32 + 8) << 16, "syscall");
    FACT("sysret in ring 3", USER, TRAP_ERR(GP, 0), "sysretl");
    FACT("sysret", KERNEL, NONE, "mov $user_left, %ecx\nmov $user_stack + 64, %esp\nsysretl");
    fact("sysret: CS", trap.cs, USER_CS32);
    fact("sysret: IF", trap.flags & 0x200, 0x200);
#endif
    wrmsr(MSR_EFER, efer);
#if !LONG
    wrmsr(MSR_SYSENTER_CS, 0);
    FACT("sysenter without CS", USER, TRAP_ERR(GP, 0), "sysenter");
    FACT("sysexit without CS", KERNEL, TRAP_ERR(GP, 0), "sysexit");
    wrmsr(MSR_SYSENTER_CS, KERNEL_CS32);
    wrmsr(MSR_SYSENTER_ESP, (word)trap_stack + 256);
    trap_stack[256 / sizeof(word)] = (word)PROBE("int $" STR(LEFT));
    wrmsr(MSR_SYSENTER_EIP, (word)PROBE("mov %cs, %eax\nmov %ss, %ecx\nshl $16, %ecx\nor %ecx, %eax"));
    VALUE("sysenter: CS and SS", USER, KERNEL_CS32 | KERNEL_DS << 16, "sysenter");
    FACT("sysexit in ring 3", USER, TRAP_ERR(GP, 0), "sysexit");
    FACT("sysexit", KERNEL, NONE, "mov $user_left, %edx\nmov $user_stack + 64, %ecx\nsysexit");
    fact("sysexit: CS", trap.cs, USER_CS32);
#endif
}

/* A fault while a fault is delivered. */
static void double_faults(void)
{
    uint8_t *gp = (uint8_t *)idt + GP * 2 * sizeof(word) + 5, *ud = (uint8_t *)idt + UD * 2 * sizeof(word) + 5;

    *gp &= 0x7f;
    FACT("#GP by a gate not present", USER, TRAP_ERR(DF, 0), "hlt");
    FACT("int by a gate not present", USER, TRAP_ERR(DF, 0), "int $0x20");
    *gp |= 0x80;
    *ud &= 0x7f;
    FACT("#UD by a gate not present", USER, TRAP_ERR(NP, UD * 8 + 2 + 1), "ud2");
    *ud |= 0x80;
#if LEVELS
    uint8_t *pf = (uint8_t *)idt + PF * 2 * sizeof(word) + 5;

    *pf &= 0x7f;
    FACT("#PF by a gate not present", USER, TRAP_ERR(DF, 0), "mov idt, %eax");
    *pf |= 0x80;
#endif
}

#if !LONG

/* Virtual-8086 mode: code at 0x8000, which is CS 0x800, offset 0; SS:SP 0x800:0xf00. */
static unsigned int vm86(const char *code, unsigned int n, word flags)
{
    static word frame_flags;

#if LEVELS
    pte_set((void *)0x8000, pte_get((void *)0x8000) | 4);
#endif
    for (unsigned int i = 0; i < n; i++)
        ((volatile char *)0x8000)[i] = code[i];
    frame_flags = flags | 0x20002;
    __asm__ volatile("mov %0, %%eax\nmov %%eax, vm86_flags" ::"m"(frame_flags) : "eax", "memory");
    return probe_run(KERNEL, PROBE("push $0x800\npush $0x800\npush $0x800\npush $0x800\npush $0x800\npush $0xf00\n"
                                   "push vm86_flags\npush $0x800\npush $0\niret"));
}
extern word vm86_flags;
word vm86_flags;

#define VM86(code, flags) vm86(code, sizeof(code) - 1, flags)
#define IOPL3             0x3000

static void virtual_8086(void)
{
    fact("vm86: ring 3's int", VM86("\xb8\x34\x12\xcd\x81", IOPL3), NONE);
    fact("vm86: AX", trap.ax & 0xffff, 0x1234);
    fact("vm86: CS", trap.cs, 0x800);
    fact("vm86: VM", trap.flags >> 17 & 1, 1);
    fact("vm86: int, IOPL 0", VM86("\xcd\x81", 0), TRAP_ERR(GP, 0));
    fact("vm86: int3, IOPL 0", VM86("\xcc", 0), TRAP(BP));
    fact("vm86: pushf, IOPL 0", VM86("\x9c\xcd\x81", 0), TRAP_ERR(GP, 0));
    fact("vm86: popf, IOPL 0", VM86("\x9d\xcd\x81", 0), TRAP_ERR(GP, 0));
    fact("vm86: cli, IOPL 0", VM86("\xfa", 0), TRAP_ERR(GP, 0));
    fact("vm86: cli, IOPL 3", VM86("\xfa\xcd\x81", IOPL3), NONE);
    fact("vm86: iret, IOPL 0", VM86("\xcf", 0), TRAP_ERR(GP, 0));
    fact("vm86: hlt", VM86("\xf4", IOPL3), TRAP_ERR(GP, 0));
    fact("vm86: mov from cr0", VM86("\x0f\x20\xc0", IOPL3), TRAP_ERR(GP, 0));
    fact("vm86: lgdt", VM86("\x0f\x01\x16\x00\x00", IOPL3), TRAP_ERR(GP, 0));
    fact("vm86: sldt", VM86("\x0f\x00\xc0", IOPL3), TRAP(UD));
    fact("vm86: in, no bitmap", VM86("\xe4\x80", IOPL3), TRAP_ERR(GP, 0));
    fact("vm86: ud2", VM86("\x0f\x0b", 0), TRAP(UD));
    fact("vm86: beyond 64 KiB", VM86("\xa1\xff\xff", 0), TRAP_ERR(GP, 0));
    fact("vm86: stack beyond 64 KiB", VM86("\xbc\x01\x00\x50", 0), TRAP_ERR(SS, 0));
    fact("vm86: hypercall", VM86("\x66\xb8\x11\x00\x00\x00\x0f\x01\xd9\xcd\x81", IOPL3), NONE);
    fact("vm86: hypercall's answer", trap.ax, (word)-1);
}

/* A task of its own for a vector: how the state of the old one looks in its TSS, and back by IRET. */
static uint8_t other_tss[104] __attribute__((aligned(128)));
static word other_stack[64];

static void tasks(void)
{
    uint32_t *t = (uint32_t *)(void *)other_tss;
    const uint64_t gate = idt[2 * 0x21] | (uint64_t)idt[2 * 0x21 + 1] << 32;

    descriptor_set(FREE + 8 * 8, (uint32_t)other_tss, 103, 0x89);
    t[1] = (uint32_t)(other_stack + 64);
    t[2] = KERNEL_DS;
    t[7] = *(uint32_t *)(void *)(tss + 28) = READ(cr3); /* it is in each TSS, and no switch saves it */
    t[8] = (uint32_t)PROBE("mov $0x7777, %edx\n773: iret\njmp 773b - 5");
    t[9] = 2;
    t[14] = (uint32_t)(other_stack + 64);
    t[18] = t[20] = t[21] = t[22] = t[23] = KERNEL_DS;
    t[19] = KERNEL_CS32;
    idt[2 * 0x21] = (word)(FREE + 8 * 8) << 16;
    idt[2 * 0x21 + 1] = 0xe500;
    VALUE("int by a task gate, and back", USER, 0x55, "mov $0x55, %eax\nint $0x21");
    fact("task gate: the task that it came from", *(uint16_t *)(void *)other_tss, TSS);
    t[8] = (uint32_t)PROBE("mov 0(%esp), %eax\nint $" STR(LEFT));
    t[14] = (uint32_t)(other_stack + 64);
    idt[2 * GP] = (word)(FREE + 8 * 8) << 16;
    idt[2 * GP + 1] = 0xe500;
    other_stack[63] = 0;
    VALUE("#GP by a task gate: error code", USER, 0x200, "mov $0x200, %ecx\nmov %ecx, %ds");
    gdt[(FREE + 8 * 8) / 8] &= ~(2ull << 40); /* not busy */
    gate_set(GP, stubs + 16 * GP, KERNEL_CS32, 0);
    idt[2 * 0x21] = (word)gate;
    idt[2 * 0x21 + 1] = (word)(gate >> 32);
    gdt[TSS / 8] &= ~(2ull << 40);
    __asm__ volatile("pushf\nandl $~0x4000, (%%esp)\npopf\nclts\nltr %w0" ::"r"(TSS));
}

#endif

void facts_rings(void)
{
    syscalls();
    double_faults();
#if !LONG
    virtual_8086();
    tasks();
#endif
}
