// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * callbacks: entries into a kernel that are no exceptions, no system calls and no events.
 *
 * Shows two. Failsafe: a kernel may take away the descriptor behind a segment register that is loaded. Nothing happens,
 * since the processor keeps a copy, until the vCPU has been away from its pCPU: then Xen cannot load it again, makes it
 * null and tells the kernel, which must expect that at any instruction. NMI: an interrupt for which "events disabled"
 * means nothing, so it reaches even a vCPU that hangs. While its handler runs the next one waits, until
 * HYPERVISOR_iret.
 *
 * Run it with --vcpus 2.
 */
#include "guests/rt/guest.h"

#define MS        1000000ul
#define INDEX     5
#define SELECTOR  (INDEX * 8 + 3)
#define FLAT_DATA 0x00cff3000000fffful /* of ring 3 */

extern char trap_entries[]; /* rt/entry.S: 16 bytes a vector */

/* --- failsafe --- */

static volatile unsigned int told;

static void segment_lost(struct guest_regs *regs)
{
    (void)regs;
    told++;
}

static unsigned int read_fs(void)
{
    unsigned int fs;

    asm volatile("mov %%fs, %0" : "=r"(fs));
    return fs;
}

static void fs_show(const char *when)
{
    printf("  %-36s FS is %#x, the callback came %u times\n", when, read_fs(), told);
}

static void failsafe(void)
{
    uint64_t *gdt = page_alloc();
    unsigned long mfn = virt_to_mfn(gdt);

    trap_handler_set(TRAP_FAILSAFE, segment_lost);
    gdt[INDEX] = FLAT_DATA;
    MUST(page_protect(gdt, PTE_READONLY));
    MUST(HYPERVISOR_set_gdt(&mfn, 512));
    asm volatile("mov %0, %%fs" : : "r"(SELECTOR));
    fs_show("loaded from our GDT");
    time_sleep(MS);
    fs_show("away and back");
    MUST(HYPERCALL2(update_descriptor, (mfn << PAGE_SHIFT) + INDEX * 8, 0));
    fs_show("its descriptor is gone");
    time_sleep(MS);
    fs_show("away and back");
}

/* --- NMI --- */

static volatile unsigned int nmis, depth, deepest;
static volatile bool hung, in_handler, go_on;

static void nmi(struct guest_regs *regs)
{
    (void)regs;
    if (++depth > deepest)
        deepest = depth;
    in_handler = true;
    while (!go_on)
        asm volatile("pause");
    go_on = false;
    in_handler = false;
    nmis++;
    depth--;
}

/* Hangs, events disabled: without a handler first, then with one. */
static void hang(void)
{
    struct callback_register reg = { .type = CALLBACKTYPE_nmi, .address = (unsigned long)trap_entries + 2 * 16 };

    events_disable();
    hung = true;
    while (hung)
        asm volatile("pause");
    MUST(HYPERVISOR_callback_op(CALLBACKOP_register, &reg));
    for (hung = true;;)
        asm volatile("pause");
}

static void until(const volatile bool *flag)
{
    while (!*flag)
        HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
}

static void nmi_send(void)
{
    MUST(HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 1, NULL));
    time_sleep(50 * MS);
}

static void non_maskable(void)
{
    trap_handler_set(2, nmi);
    if (cpu_start(1, hang))
        return;
    until(&hung);
    nmi_send();
    hung = false;
    until(&hung);
    printf("  sent to a vCPU without handler:      it came %u times\n", nmis);
    nmi_send();
    until(&in_handler);
    nmi_send(); /* waits */
    nmi_send(); /* is one with the other */
    for (unsigned int i = 0; i < 2; i++) {
        until(&in_handler);
        go_on = true;
        time_sleep(50 * MS);
    }
    printf("  one, and two more during the first:  it came %u times, at most %u at once\n", nmis, deepest);
}

int guest_main(void)
{
    events_disable();
    printf("Failsafe:\n");
    failsafe();
    printf("NMI:\n");
    non_maskable();
    return 0;
}
