// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trap and emulate: an HVM guest whose kernel runs at CPL 1, on a processor without help for virtualization.
 *
 * Concept: the oldest way to let a guest's own instructions run. The guest is *deprivileged*: the processor is given
 * its registers, but for what only one can have at a time, which is the hypervisor's. Popek and Goldberg's bet is that
 * each instruction that can tell the difference traps. Then the hypervisor carries it out on the registers that the
 * guest believes to have, and nobody notices.
 *
 *                       the guest's, in its struct cpu_state     what the processor has, as long as the guest runs
 *      kernel           CPL 0                                    CPL 1; user mode is CPL 3 in both
 *      RFLAGS           IF, IOPL                                 IF set, IOPL 0: CLI, STI, IN, OUT trap
 *      GDTR, LDTR       its tables                               an empty one: each load of a segment, far transfer and
 *                                                                IRET traps, since there is no descriptor
 *      IDTR, TR         its own                                  the hypervisor's; all exceptions are its affair
 *      CR0              TS as it says                            TS until it has used the FPU (lazy), then as it says
 *      EFER             SCE as it says                           clear: SYSCALL and SYSRET are #UD, which traps
 *      CR3              its tables                               their shadow (mmu/hvm/shadow.h)
 *
 * Traps are #GP and #UD. What faulted is carried out by the interpreter, one instruction (interp_one()), which sees the
 * guest's registers; if it faults there, too, the fault is the guest's.
 *
 * And here the bet is lost. POPF does not change IF, and does not trap; MOV from CS gives 1; SGDT, SIDT, STR, SMSW give
 * what the processor has; LAR and VERR look for descriptors that are not there. These go wrong silently, and a kernel
 * that relies on them goes wrong (guests/five/probes.c). To run *those* a kernel must be rewritten (vcpu/pv/),
 * translated, or helped by the processor. What x86 has had against other holes is used: CPUID leaves
 * (CPUID faulting), and RDTSC (CR4.TSD).
 *
 * Before long mode the guest is interpreted: segments with limits and bases are not what this shows.
 *
 * Invariants: outside of ring1_run_on() the registers in struct cpu_state are the guest's own, at each exit and each
 * stop, so all that the hypervisor does with an HVM guest it does with this one. No frame of the hypervisor's is mapped
 * where the guest could reach it: the empty GDT needs none.
 *
 * Source: Popek and Goldberg, Formal requirements for virtualizable third generation architectures (1974); Robin and
 * Irvine (guests/five/probes.c); AMD APM volume 2, 4.8 (data and stack segments), 8.2.14 (#GP).
 */
#ifndef VCPU_FIVE_RING1_H
#define VCPU_FIVE_RING1_H

#include "sim/pcpu.h"

struct vcpu;

/* As pcpu_run_on() (sim/pcpu.h), for the vCPU of a domain with shadow page tables. */
void ring1_run_on(struct vcpu *v, const struct pcpu_budget *budget, pcpu_exit_fn *on_exit, void *data);
/* What v came out for: carried out, or as any HVM guest's (hvm_handle_exit()). */
void ring1_handle_exit(struct vcpu *v, const struct sim_exit *e);
/* v comes onto a pCPU, whose FPU somebody else has used. */
void ring1_switch_to(struct vcpu *v);

#endif
