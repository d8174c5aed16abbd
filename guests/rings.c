// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rings: what privileged instructions do, when nobody is in ring 0 but Xen.
 *
 * Shows deprivileging. A PV64 kernel runs at CPL 3 like its own users, so each of these instructions faults, and Xen
 * decides: carry it out on the virtual processor ("emulated", with the value it gave; some are accepted and do
 * nothing), or pass the fault on to the guest ("#GP"). Some sensitive instructions do not fault at CPL 3 ("executed"):
 * through them a guest sees the real machine, which is why x86 could not be virtualized by faults alone, and why PV
 * guests agree not to use them. Two of these a later processor can be told to stop at, CPUID and RDTSC; this machine is
 * told to, so they are "emulated" in both modes. (PV kernels say CPUID with a prefix of an undefined instruction, which
 * faults on every processor.)
 */
#include "guests/rt/guest.h"

/*
 * The code under test, in memory of both modes: kind, name, instructions, and RAX RCX before. Kinds: 'p' needs CPL 0,
 * 'P' the same with a result in RAX; 'S' does not fault; 'i' and 'I' do not either, but the hypervisor has intercepted
 * them.
 */
// clang-format off
#define INSNS(X)                                                                                                       \
    X(P, cli, "cli; IF is then", "cli; pushf; pop %rax; and $0x200, %eax", 0, 0)                                       \
    X(P, sti, "sti; IF is then", "sti; pushf; pop %rax; and $0x200, %eax", 0, 0)                                       \
    X(S, popf, "popf with IF=0; then", "pushf; andq $~0x200, (%rsp); popf; pushf; pop %rax; and $0x200, %eax", 0, 0)   \
    X(p, hlt, "hlt", "hlt", 0, 0)                                                                                      \
    X(P, in, "in 0x71", "in $0x71, %al", 0, 0)                                                                         \
    X(p, out, "out 0x80", "out %al, $0x80", 0, 0)                                                                      \
    X(P, rdcr0, "read cr0", "mov %cr0, %rax", 0, 0)                                                                    \
    X(P, rdcr2, "read cr2", "mov %cr2, %rax", 0, 0)                                                                    \
    X(P, rdcr4, "read cr4", "mov %cr4, %rax", 0, 0)                                                                    \
    X(p, cr0pe, "write cr0 = 0", "mov %rax, %cr0", 0, 0)                                                               \
    X(P, cr2wr, "write 0x1234, read cr2", "mov %rax, %cr2; xor %eax, %eax; mov %cr2, %rax", 0x1234, 0)                 \
    X(p, cr3wr, "write cr3, its own value", "mov %cr3, %rax; mov %rax, %cr3", 0, 0)                                    \
    X(p, cr3bad, "write cr3 = 0x1000", "mov %rax, %cr3", 0x1000, 0)                                                    \
    X(p, cr8wr, "write cr8 = 0", "mov %rax, %cr8", 0, 0)                                                               \
    X(p, clts, "clts", "clts", 0, 0)                                                                                   \
    X(P, rddr7, "read dr7", "mov %dr7, %rax", 0, 0)                                                                    \
    X(p, lgdt, "lgdt", "lgdt -16(%rsp)", 0, 0)                                                                         \
    X(p, lidt, "lidt", "lidt -16(%rsp)", 0, 0)                                                                         \
    X(p, lldt, "lldt 0", "lldt %ax", 0, 0)                                                                             \
    X(p, ltr, "ltr 0x40", "ltr %ax", 0x40, 0)                                                                          \
    X(p, invlpg, "invlpg", "invlpg -16(%rsp)", 0, 0)                                                                   \
    X(p, wbinvd, "wbinvd", "wbinvd", 0, 0)                                                                             \
    X(p, swapgs, "swapgs", "swapgs", 0, 0)                                                                             \
    X(P, efer, "rdmsr EFER", "rdmsr", 0, 0xc0000080)                                                                   \
    X(p, fsbase, "wrmsr FS_BASE = 0x5000", "xor %edx, %edx; wrmsr", 0x5000, 0xc0000100)                                \
    X(p, lstar, "wrmsr LSTAR = 0", "xor %edx, %edx; wrmsr", 0, 0xc0000082)                                             \
    X(P, badmsr, "rdmsr 0x12345", "rdmsr", 0, 0x12345)                                                                 \
    X(I, cpuid, "cpuid leaf 0, EBX", "push %rbx; cpuid; mov %ebx, %eax; pop %rbx", 0, 0)                               \
    X(I, xencpuid, "the same, ud2a prefix", "push %rbx; ud2; .ascii \"xen\"; cpuid; mov %ebx, %eax; pop %rbx", 0, 0)   \
    X(S, smsw, "smsw", "smsw %eax", 0, 0)                                                                              \
    X(S, str, "str", "str %eax", 0, 0)                                                                                 \
    X(S, readcs, "read cs", "mov %cs, %eax", 0, 0)                                                                     \
    X(i, rdtsc, "rdtsc", "rdtsc", 0, 0)
// clang-format on

#define CODE(kind, id, name, code, a, c)                                                                               \
    asm(".pushsection .user.text, \"ax\"; insn_" #id ": " code "; ret; .popsection");                                  \
    extern char insn_##id[];
INSNS(CODE)

static const struct insn {
    char kind;
    const char *name;
    char *code;
    uint64_t rax, rcx;
} insns[] = {
#define ROW(kind, id, name, code, a, c) { #kind[0], name, insn_##id, a, c },
    INSNS(ROW)
};

/* What is to be executed, and what came of it; in memory of both modes, too. */
static USER_DATA struct test {
    char *code;
    uint64_t rax, rcx;
    bool user;
} user_test;

/* The kernel is too far away from user mode's addresses for the compiler's short ones: it goes through a pointer. */
static struct test *volatile test = &user_test;

static USER_CODE long run(long arg)
{
    struct test *t = (struct test *)arg;

    asm volatile("call *%[code]"
                 : "+a"(t->rax), "+c"(t->rcx)
                 : [code] "r"(t->code)
                 : "rbx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
    if (t->user)
        asm volatile("syscall");
    return 0;
}

static const char *outcome(const struct insn *i, bool trapped, unsigned int vector, uint64_t error_code, char buf[32])
{
    if (trapped)
        snprintf(buf, 32, "%s, error code %lx", trap_name(vector), error_code);
    else if (i->kind == 'p' || i->kind == 'i')
        snprintf(buf, 32, "emulated");
    else
        snprintf(buf, 32, "%s: %#lx", i->kind == 'S' ? "executed" : "emulated", test->rax);
    return buf;
}

static void prepare(const struct insn *i, bool user)
{
    test->code = i->code;
    test->rax = i->rax;
    test->rcx = i->rcx;
    test->user = user;
}

static bool is_port_io(const struct insn *i) { return i->code == insn_in || i->code == insn_out; }

static void table_print(const char *title, bool ports_only)
{
    char kernel[32], user[32];

    printf("%s\n  %-24s %-24s %s\n", title, "instruction", "kernel mode", "user mode");
    for (const struct insn *i = insns; i < insns + ARRAY_SIZE(insns); i++) {
        struct guest_regs regs;
        struct caught c;

        if (ports_only && !is_port_io(i))
            continue;
        prepare(i, false);
        c = trap_catch(run, (long)test);
        outcome(i, c.trapped, c.vector, c.error_code, kernel);
        prepare(i, true);
        user_run(run, (long)test, &regs);
        outcome(i, regs.vector != TRAP_SYSCALL, (unsigned int)regs.vector, regs.error_code, user);
        printf("  %-24s %-24s %s\n", i->name, kernel, user);
    }
}

int guest_main(void)
{
    static uint8_t bitmap[0x80 / 8 + 1]; /* of the kernel's: user mode has not mapped it */
    struct physdev_set_iobitmap ports = { .nr_ports = 8 * sizeof(bitmap) };
    struct physdev_set_iopl iopl = { .iopl = 1 };

    user_space_init();
    table_print("With the I/O privilege level that a guest starts with, 0:", false);
    MUST(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    table_print("With IOPL 1, which lets the kernel touch ports and the interrupt flag:", false);
    iopl.iopl = 3;
    MUST(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    table_print("With IOPL 3, for user mode as well:", false);
    iopl.iopl = 0;
    MUST(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    memset(bitmap, 0xff, sizeof(bitmap));
    bitmap[0x71 / 8] &= (uint8_t) ~(1u << 0x71 % 8);
    set_xen_guest_handle(ports.bitmap, bitmap);
    MUST(HYPERVISOR_physdev_op(PHYSDEVOP_set_iobitmap, &ports));
    table_print("With IOPL 0, and port 0x71 alone allowed by a bitmap:", true);
    return 0;
}
