// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The techniques, a row each.
 *
 * Under emulation nothing of the guest's runs, so there are no exits and no TLB: each instruction is the hypervisor's.
 *
 * Which exits count: the simulator leaves a guest more often than a processor would. Under nested paging AMD's takes no
 * exit for the guest's exceptions and INT n (Xen intercepts few), and the end of a slice is nobody's. Without nested
 * paging every #PF leaves, and so do accesses to CR3 and INVLPG. In ring 1 all traps are the hypervisor's, whether it
 * carries out what trapped, or hands the guest an exception of its own; RDTSC would not trap there. Under PV all ways
 * into Xen count, for they are the interface; RDTSC, which is none, does not.
 */
#include "ui/compare/compare.h"

#define E(kind) (UINT64_C(1) << EXIT_##kind)
#define HARDWARE_EXITS                                                                                                 \
    (E(VMMCALL) | E(IO) | E(RDMSR) | E(WRMSR) | E(CPUID) | E(CR_READ) | E(CR_WRITE) | E(DR_READ) | E(DR_WRITE) |       \
     E(NPF) | E(HLT) | E(INTWIN) | E(PAUSE) | E(TASK_SWITCH) | E(SHUTDOWN))
#define RING1_EXITS                                                                                                    \
    (E(EXCEPTION) | E(SOFTINT) | E(VMMCALL) | E(IO) | E(CPUID) | E(INTWIN) | E(TASK_SWITCH) | E(SHUTDOWN))
#define PV_EXITS (E(EXCEPTION) | E(SOFTINT) | E(SYSCALL) | E(SYSENTER) | E(CPUID) | E(HLT) | E(PAUSE))

static const struct technique techniques[] = {
    {
        .name = "emulation",
        .kernel_at = "none",
        .binary = "native",
        .options = { "--type", "pvh", "--technique", "emulate" },
        .interprets = true,
        .own_probes = true,
    },
    {
        .name = "trap and emulate",
        .kernel_at = "ring 1",
        .binary = "native",
        .options = { "--type", "pvh", "--technique", "ring1" },
        .exits = RING1_EXITS,
        .exit_cost = COST_trap,
        .refs_book = 4,
        .own_probes = true,
    },
    {
        .name = "translation",
        .kernel_at = "ring 1",
        .binary = "native",
        .options = { "--type", "pvh", "--technique", "translate" },
        .exits = RING1_EXITS,
        .exit_cost = COST_trap,
        .refs_book = 4,
        .own_probes = true,
    },
    {
        .name = "paravirtual",
        .kernel_at = "ring 3",
        .binary = "pv",
        .options = { "--type", "pv" },
        .exits = PV_EXITS,
        .exit_cost = COST_trap,
        .bounces = true,
        .refs_book = 4,
    },
    {
        .name = "hardware, nested",
        .kernel_at = "ring 0",
        .binary = "native",
        .options = { "--type", "pvh" },
        .exits = HARDWARE_EXITS,
        .exit_cost = COST_exit,
        .refs_book = 24,
        .own_probes = true,
    },
    {
        .name = "hardware, shadow",
        .kernel_at = "ring 0",
        .binary = "native",
        .options = { "--type", "pvh" },
        .exits = HARDWARE_EXITS | E(EXCEPTION) | E(INVLPG),
        .exit_cost = COST_exit,
        .shadow = true,
        .refs_book = 4,
        .own_probes = true,
    },
};

const struct technique *technique_at(size_t i) { return i < ARRAY_SIZE(techniques) ? &techniques[i] : NULL; }
