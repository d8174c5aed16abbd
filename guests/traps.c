// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * traps: exceptions, delivered by Xen.
 *
 * Shows what a kernel's handlers see for the classic exceptions: vector, error code, address, and whether the saved
 * RIP is that of the instruction (a fault) or of the next one (a trap); and that INT n is a matter of the gate's
 * privilege. The handlers here return behind the instruction by changing the saved RIP.
 */
#include "guests/rt/guest.h"

/* Where to go on after the instruction under test, and where it stands. */
static uint64_t insn_at, resume_at;
static unsigned int traps, steps;

/* Note where `insn` and the end are, and execute it with RAX as given. */
#define TRY(rax, insn)                                                                                                 \
    do {                                                                                                               \
        unsigned long a_ = (unsigned long)(rax);                                                                       \
        asm volatile("movq $1f, %0; movq $2f, %1; 1:" insn "; 2:"                                                      \
                     : "=m"(insn_at), "=m"(resume_at), "+a"(a_)                                                        \
                     :                                                                                                 \
                     : "rbx", "rcx", "rdx", "memory", "cc");                                                           \
    } while (0)

static void show(struct guest_regs *regs)
{
    traps++;
    printf("  %s", trap_name((unsigned int)regs->vector));
    if (regs->vector == TRAP_PROTECTION || regs->vector == TRAP_PAGE_FAULT)
        printf(", error code %#lx", regs->error_code);
    if (regs->vector == TRAP_PAGE_FAULT)
        printf(" (%s, %s), address %#lx", regs->error_code & 1 ? "protection" : "not present",
               regs->error_code & 16  ? "fetch"
               : regs->error_code & 2 ? "write"
                                      : "read",
               vcpu_info()->arch.cr2);
    printf(", RIP is %s\n", regs->rip == insn_at     ? "at the instruction"
                            : regs->rip == resume_at ? "behind the instruction"
                                                     : "elsewhere");
    regs->rip = resume_at;
}

/* Single step: TF in RFLAGS makes the processor trap after every instruction. */
static void step(struct guest_regs *regs)
{
    steps++;
    if (regs->rip == resume_at)
        regs->rflags &= ~(uint64_t)EFLAGS_TF;
}

static void exceptions(void)
{
    printf("divide by zero:\n");
    TRY(0, "div %%eax");
    printf("ud2:\n");
    TRY(0, "ud2");
    printf("int3 (its gate is open to everybody):\n");
    TRY(0, "int3");
    printf("hlt (a privileged instruction):\n");
    TRY(0, "hlt");
    printf("load of a selector that I do not own:\n");
    TRY(0x18, "mov %%eax, %%fs");
}

static void page_faults(void)
{
    printf("read of address 0x1000:\n");
    TRY(0x1000, "mov (%%rax), %%eax");
    printf("write of address 0x2345:\n");
    TRY(0x2345, "movl $1, (%%rax)");
    printf("jump to address 0x3000:\n");
    TRY(0x3000, "jmp *%%rax");
}

static void soft_interrupts(void)
{
    printf("int $0x40, no gate:\n");
    TRY(0, "int $0x40");
    printf("int $0x41, a gate with privilege 0:\n");
    trap_gate_set(0x41, 0);
    trap_handler_set(0x41, show);
    TRY(0, "int $0x41");
    printf("int $0x42, a gate with privilege 1 (kernel):\n");
    trap_gate_set(0x42, 1);
    trap_handler_set(0x42, show);
    TRY(0, "int $0x42");
    printf("int $0x43, a gate with privilege 3 (everybody):\n");
    trap_gate_set(0x43, 3);
    trap_handler_set(0x43, show);
    TRY(0, "int $0x43");
}

int guest_main(void)
{
    static const unsigned int shown[] = {
        TRAP_DIVIDE, TRAP_BREAKPOINT, TRAP_INVALID_OP, TRAP_PROTECTION, TRAP_PAGE_FAULT,
    };

    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        trap_handler_set(shown[i], show);
    exceptions();
    page_faults();
    soft_interrupts();

    trap_handler_set(TRAP_DEBUG, step);
    TRY(0, "pushf; orl $0x100, (%%rsp); popf; nop; nop; nop; cpuid");
    printf("Single stepping over popf's next 4 instructions made %u debug traps.\n", steps);
    printf("%u other traps were handled.\n", traps);
    return 0;
}
