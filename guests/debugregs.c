// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * debugregs: the processor watches.
 *
 * Shows what DR0 to DR3 and DR7 are for: #DB in front of an instruction (a fault), or behind one that touched some
 * bytes of memory (a trap), whoever executes it, the kernel or its user; and who decides what DR6 says. A PV kernel has
 * the registers through MOV, which Xen emulates, or by hypercall. It cannot watch Xen, and Xen's own accesses on its
 * behalf are not seen.
 *
 *      DR7     31 30 29 28   ...   19 18 17 16       13    7  6  ...  1  0
 *             +-----+-----+---   ---+-----+-----+---+---+--+--+-----+--+--+
 *             |LEN 3|R/W 3|         |LEN 0|R/W 0|   |GD |  |G3|L3   |G0|L0|
 *             +-----+-----+---   ---+-----+-----+---+---+--+--+-----+--+--+
 */
#include "guests/rt/guest.h"

enum { EXECUTE = 0, WRITE = 1, ACCESS = 3 };         /* R/W */
enum { LEN_1 = 0, LEN_2 = 1, LEN_8 = 2, LEN_4 = 3 }; /* LEN */

#define DR7(n, rw, len) (1ul << (2 * (n)) | ((unsigned long)(rw) | (unsigned long)(len) << 2) << (16 + 4 * (n)))
#define EFLAGS_RF       0x10000u
#define DR6_BS          0x4000u

/* Where the instruction under test stands, and its end. */
static uint64_t insn_at, end_at;
static unsigned int traps;
static const char *what;

/* Note where `insn` is, and execute it with RAX, RCX, RDI as given. */
#define TRY(rax, insn)                                                                                                 \
    do {                                                                                                               \
        unsigned long a_ = (unsigned long)(rax), c_ = 3, d_ = (unsigned long)(rax);                                    \
        asm volatile("movq $1f, %0; movq $2f, %1; 1:" insn "; 2: nop"                                                  \
                     : "=m"(insn_at), "=m"(end_at), "+a"(a_), "+c"(c_), "+D"(d_)                                       \
                     :                                                                                                 \
                     : "rbx", "rdx", "rsi", "memory", "cc");                                                           \
    } while (0)

static void debug_trap(struct guest_regs *regs)
{
    const unsigned long dr6 = (unsigned long)HYPERVISOR_get_debugreg(6) & 0xe00f;

    traps++;
    HYPERVISOR_set_debugreg(6, 0);
    printf("    #DB in %s, DR6 %#lx, RIP is %s%s\n", from_user(regs) ? "user mode" : "the kernel", dr6,
           regs->rip == insn_at  ? "at the instruction"
           : regs->rip == end_at ? "behind the instruction"
                                 : "elsewhere",
           regs->rflags & EFLAGS_RF ? ", RF set" : "");
    if (regs->rip == insn_at)
        regs->rflags |= EFLAGS_RF;
    if (dr6 & DR6_BS)
        regs->rflags &= ~(uint64_t)EFLAGS_TF;
}

/* Watch with one register, say what for. */
static void watch(unsigned int n, const volatile void *addr, unsigned int rw, unsigned int len, const char *text)
{
    what = text;
    printf("  %s\n", what);
    HYPERVISOR_set_debugreg((int)n, (unsigned long)addr);
    HYPERVISOR_set_debugreg(7, DR7(n, rw, len));
}

static volatile unsigned char bytes[32] __attribute__((aligned(32)));
static uint16_t flat_ss;

static void data(void)
{
    printf("Data:\n");
    watch(0, bytes + 4, WRITE, LEN_4, "4 bytes, written to the last of them, by one byte:");
    TRY(bytes + 7, "movb $1, (%%rax)");
    watch(0, bytes + 4, WRITE, LEN_4, "the byte behind them, no trap:");
    TRY(bytes + 8, "movb $1, (%%rax)");
    watch(0, bytes + 4, WRITE, LEN_4, "a read of them, no trap:");
    TRY(bytes + 4, "movb (%%rax), %%bl");
    watch(1, bytes + 8, ACCESS, LEN_8, "8 bytes, read from by 16 that begin before:");
    TRY(bytes, "movups 1(%%rax), %%xmm0");
    watch(2, bytes + 3, ACCESS, LEN_2, "2 bytes at an odd address are those at the even one below:");
    TRY(bytes + 2, "incb (%%rax)");
    watch(3, bytes + 1, WRITE, LEN_1, "the second of 3 bytes stored by REP STOSB:");
    TRY(bytes, "rep stosb");
    watch(0, bytes, WRITE, LEN_1, "with single-step, one #DB for both:");
    TRY(bytes, "pushf; orl $0x100, (%%rsp); popf; movb $1, (%%rax)");
    watch(0, &flat_ss, ACCESS, LEN_2, "a load of SS: the trap waits for one more instruction:");
    TRY(&flat_ss, "mov (%%rax), %%ss; incl %%ebx");
}

static void instructions(void)
{
    extern const char broken[], shadowed[];

    printf("Instructions:\n");
    watch(0, broken, EXECUTE, LEN_1, "a fault, once, since the handler sets RF:");
    TRY(0, ".globl broken; broken: incl %%ebx");
    watch(1, shadowed, EXECUTE, LEN_1, "behind a load of SS, none:");
    TRY(&flat_ss, "mov (%%rax), %%ss; .globl shadowed; shadowed: incl %%ebx");
}

static void privileges(void)
{
    xen_extraversion_t version;
    unsigned long dr7;

    printf("Whose they are:\n");
    HYPERVISOR_set_debugreg(7, 0);
    printf("  DR0 at an address of Xen's: %s\n", xen_error(HYPERVISOR_set_debugreg(0, 0xffff800000000000)));
    printf("  DR7.GD: %s\n", xen_error(HYPERVISOR_set_debugreg(7, 0x2000)));
    asm volatile("mov %1, %%dr0; mov %2, %%dr7; mov %%dr7, %0" : "=r"(dr7) : "r"(version), "r"(DR7(0, ACCESS, LEN_8)));
    printf("  set by MOV, DR7 reads %#lx\n", dr7);
    traps = 0;
    HYPERVISOR_set_debugreg(0, (unsigned long)version);
    HYPERVISOR_xen_version(XENVER_extraversion, version);
    printf("  Xen wrote what is watched: %u traps\n", traps);
}

static USER_DATA volatile long user_long;
/* Too far away for the kernel's code to address directly. */
static volatile long *volatile user_long_at = &user_long;

static USER_CODE long program(long arg)
{
    asm volatile("movq %1, %0; syscall" : "=m"(user_long) : "r"(arg), "a"(0ul));
    return 0;
}

static void user(void)
{
    struct guest_regs regs;

    printf("User mode:\n");
    end_at = insn_at = 0;
    watch(0, user_long_at, WRITE, LEN_8, "its store:");
    user_run(program, 5, &regs);
    watch(1, (const void *)(uintptr_t)program, EXECUTE, LEN_1, "its first instruction:");
    insn_at = (uint64_t)(uintptr_t)program;
    user_run(program, 6, &regs);
    printf("  it came to its system call with %ld\n", *user_long_at);
}

int guest_main(void)
{
    asm volatile("mov %%ss, %0" : "=m"(flat_ss));
    user_space_init();
    trap_handler_set(TRAP_DEBUG, debug_trap);
    data();
    instructions();
    privileges();
    user();
    HYPERVISOR_set_debugreg(7, 0);
    return 0;
}
