// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Single steps, breakpoints, and what DR6 says of them. AMD APM volume 2, chapter 13.
 */
#include "guests/hvmtest/hvmtest.h"

#define DR6_RESET 0xffff0ff0u
#define DR6_BD    0x2000u
#define DR6_BS    0x4000u
#define DR7_RESET 0x400u
#define DR7_GD    0x2000u
#define CR4_DE    0x8u

static unsigned int nr_traps;
static word first_ip, last_ip, dr6;

/* Count traps; go on behind each, with RF set. */
static bool step(struct trap_frame *f, word *hw)
{
    (void)f;
    if (trap.vector != DB)
        return false;
    if (!nr_traps++)
        first_ip = hw[0];
    last_ip = hw[0];
    dr6 = READ(dr6);
    WRITE(dr6, DR6_RESET);
    hw[2] |= 0x10000;
    return true;
}

static unsigned int steps(enum where where, const void *code)
{
    unsigned int outcome;

    nr_traps = 0;
    first_ip = last_ip = dr6 = 0;
    trap_hook = step;
    outcome = probe_run(where, code);
    trap_hook = NULL;
    WRITE(dr7, DR7_RESET);
    WRITE(dr6, DR6_RESET);
    return outcome;
}

#define TF_ON  "pushf\norl $0x100, (" SP ")\npopf\n"
#define TF_OFF "\npushf\nandl $~0x100, (" SP ")\npopf\n"
/* How many #DB come of an instruction under TF; TF_OFF itself makes three. */
#define STEPS(name, where, n, code)                                                                                    \
    do {                                                                                                               \
        const unsigned int t_ = steps(where, PROBE(TF_ON code TF_OFF));                                                \
        fact(name, t_ ? t_ : nr_traps, (n) + 3);                                                                       \
    } while (0)

static void single_steps(void)
{
    STEPS("tf: nop", USER, 1, "nop");
    fact("tf: DR6", dr6, DR6_RESET | DR6_BS);
    STEPS("tf: two", KERNEL, 2, "nop\nnop");
    STEPS("tf: cpuid", USER, 2, "xor %eax, %eax\ncpuid");
    STEPS("tf: rdtsc", USER, 1, "rdtsc");
    STEPS("tf: jmp", USER, 1, "jmp 1f\nnop\n1:");
    STEPS("tf: rep stos of three", USER, 5, "lea -64(" SP "), " DI "\nmov $3, %ecx\nrep stosb");
    STEPS("tf: in", KERNEL, 1, "in $0x80, %al");
    STEPS("tf: rdmsr", KERNEL, 2, "mov $0x10, %ecx\nrdmsr");
    STEPS("tf: mov from cr0", KERNEL, 1, "mov %cr0, " AX);
    STEPS("tf: mov to ss waits", KERNEL, 2, "mov %ss, %eax\nmov %eax, %ss\nnop");
    STEPS("tf: vmmcall", KERNEL, 2, "mov $17, %eax\nvmmcall");
    STEPS("tf: sti", KERNEL, 3, "sti\nnop\ncli");
#if !LONG
    STEPS("tf: pop ss waits", KERNEL, 2, "push %ss\npop %ss\nnop");
#endif
    steps(USER, PROBE("push $0x23\npush $user_stack + 4096\npushf\norl $0x100, (" SP
                      ")\npush $" STR(USER_CS) "\npush $772f\n" IRETW "\n772: nop\n773: int $" STR(LEFT)));
    fact("tf: iret sets it for the next", nr_traps, 1);
    FACT("icebp says nothing in DR6", KERNEL, TRAP(DB), ".byte 0xf1");
    fact("icebp: DR6", READ(dr6), DR6_RESET);
}

#define BREAK(len_rw) (0x401u | (unsigned int)(len_rw) << 16) /* DR7: of DR0 */

static void breakpoints(void)
{
    const word cr4 = READ(cr4);
    const void *code = PROBE("nop\nnop\nnop");

    WRITE(dr6, DR6_RESET);
    WRITE(dr0, (word)code + 1);
    WRITE(dr7, BREAK(0));
    fact("dr: an instruction", steps(USER, code), NONE);
    fact("dr: once", nr_traps, 1);
    fact("dr: in front of it", first_ip, (word)code + 1);
    fact("dr: DR6", dr6, DR6_RESET | 1);
    code = PROBE("movl $1, user_stack + 64\nnop");
    WRITE(dr0, (word)user_stack + 64);
    WRITE(dr7, BREAK(0xd));
    fact("dr: a store", steps(USER, code), NONE);
    fact("dr: once", nr_traps, 1);
    fact("dr: DR6", dr6, DR6_RESET | 1);
    code = PROBE("mov user_stack + 64, %eax\nnop");
    WRITE(dr7, BREAK(0xd));
    steps(USER, code);
    fact("dr: a load is no store", nr_traps, 0);
    WRITE(dr7, BREAK(0xf));
    steps(USER, code);
    fact("dr: a load", nr_traps, 1);
    WRITE(cr4, cr4 | CR4_DE);
    FACT("dr4 with DE", KERNEL, TRAP(UD), "mov %dr4, " AX);
    WRITE(cr4, cr4);
    VALUE("dr4 without DE", KERNEL, DR6_RESET, "mov %dr4, " AX);
    VALUE("dr5 without DE", KERNEL, DR7_RESET, "mov %dr5, " AX);
    WRITE(dr7, DR7_RESET | DR7_GD);
    fact("dr: GD", steps(KERNEL, PROBE("mov %dr0, " AX)), NONE);
    fact("dr: GD, DR6", dr6, DR6_RESET | DR6_BD);
    WRITE(dr6, 0);
    fact("DR6 written 0", READ(dr6), DR6_RESET);
    WRITE(dr6, 0xffffffff);
    fact("DR6 written ~0", READ(dr6), 0xffffefff);
    WRITE(dr6, DR6_RESET);
#if LONG
    FACT("DR6 above 32 bits", KERNEL, TRAP_ERR(GP, 0), "mov $1, %eax\nshl $32, %rax\nmov %rax, %dr6");
    FACT("DR7 above 32 bits", KERNEL, TRAP_ERR(GP, 0), "mov $1, %eax\nshl $32, %rax\nmov %rax, %dr7");
#endif
    FACT("lock mov from dr", KERNEL, TRAP(UD), ".byte 0xf0, 0x0f, 0x21, 0xc0");
}

void facts_debug(void)
{
    single_steps();
    breakpoints();
}
