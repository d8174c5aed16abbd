// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From struct start_info to guest_main(), and the end.
 *
 * Concept: Xen tells a new domain everything in two pages. start_info is ordinary memory that the toolstack wrote
 * once: where the p2m list, the page tables, the console and the command line are. shared_info is a page of Xen's own,
 * which both sides read and write for as long as the domain lives: event channel bits, the clock, the upcall mask. Xen
 * gives its machine address; to see it, the guest maps it, over a page of .bss that serves as a hole.
 *
 * A domain ends by SCHEDOP_shutdown with a reason. Xen only stops it then; what happens next is the toolstack's
 * decision.
 *
 * Stated in public <xen/xen.h> (struct start_info, struct shared_info) and <xen/sched.h>.
 */
#include "guests/rt/guest.h"

struct start_info *start_info;
static char shared_info_hole[PAGE_SIZE] __attribute__((aligned(4096)));
struct shared_info *shared_info = (struct shared_info *)shared_info_hole;
static struct cpu boot_cpu;

void cpu_init(struct cpu *cpu, unsigned int id)
{
    cpu->self = cpu;
    cpu->id = id;
    cpu->info = id < XEN_LEGACY_MAX_VCPUS ? &shared_info->vcpu_info[id] : NULL;
}

void guest_start(struct start_info *si, unsigned long first_stack)
{
    start_info = si;
    memory_init(first_stack);
    cpu_init(&boot_cpu, 0);
    HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, (unsigned long)&boot_cpu);
    if (page_map(shared_info, si->shared_info >> PAGE_SHIFT, PTE_KERNEL))
        guest_shutdown(SHUTDOWN_crash);
    traps_init();
    events_init();
    console_init();
    guest_shutdown(guest_main() ? SHUTDOWN_crash : SHUTDOWN_poweroff);
}

void guest_shutdown(unsigned int reason)
{
    struct sched_shutdown shutdown = { .reason = reason };

    console_flush();
    for (;;)
        HYPERVISOR_sched_op(SCHEDOP_shutdown, &shutdown);
}

void guest_panic(const char *fmt, ...)
{
    char line[256];
    __builtin_va_list args;

    __builtin_va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    __builtin_va_end(args);
    printf("panic: %s\n", line);
    guest_shutdown(SHUTDOWN_crash);
}

long must(long result, const char *call)
{
    if (result < 0)
        guest_panic("%s: %s", call, xen_error(result));
    return result;
}
