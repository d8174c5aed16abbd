// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * shootdown: what one vCPU changes, the others must see.
 *
 * Shows two things that are cached in each processor, and must be forgotten in all of them. Translations: a kernel that
 * maps another frame at an address says which vCPUs have to flush it ("TLB shootdown"), and Xen knows eight ways to say
 * so. Code: a processor keeps decoded what it executes, and x86 promises that stores are seen all the same, whoever
 * makes them, through whatever address; even Xen.
 *
 * A processor may also forget of its own accord, and the emulated one does so often; so what is seen is no proof that
 * it had to be told.
 *
 * vCPU 0 makes the changes. The others do nothing but read a word and call a function, over and over. Run it with
 * --vcpus 4, on one or more pCPUs.
 */
#include "guests/rt/guest.h"

#define MAX_VCPUS 64
#define FIRST     1000

static unsigned int nr_vcpus = 1;
static char window[PAGE_SIZE] __attribute__((aligned(4096)));     /* where frames come and go */
static uint8_t code[PAGE_SIZE] __attribute__((aligned(4096)));    /* mov $N, %eax; ret */
static char code_alias[PAGE_SIZE] __attribute__((aligned(4096))); /* the same frame, elsewhere */

static struct {
    volatile unsigned long beats, word, function;
} seen[MAX_VCPUS];

static void watch(void)
{
    const unsigned int me = cpu_id();

    events_disable();
    for (;;) {
        seen[me].word = *(volatile unsigned long *)window;
        seen[me].function = ((unsigned int (*)(void))code)();
        seen[me].beats++;
    }
}

/* Until everybody has been through everything once more. */
static void wait_for_all(void)
{
    unsigned long since[MAX_VCPUS];

    for (unsigned int id = 1; id < nr_vcpus; id++)
        since[id] = seen[id].beats;
    for (unsigned int id = 1; id < nr_vcpus; id++)
        while (seen[id].beats < since[id] + 2)
            HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
}

static bool failed;

static void report(const char *what, bool function, unsigned long value)
{
    unsigned int right = 0;

    wait_for_all();
    for (unsigned int id = 1; id < nr_vcpus; id++)
        right += (function ? seen[id].function : seen[id].word) == value;
    printf("  %-28s seen by %u of %u\n", what, right, nr_vcpus - 1);
    failed |= right != nr_vcpus - 1;
}

/* --- translations --- */

static unsigned long everybody; /* a bitmap of vCPUs */

static void flush_others(unsigned int cmd)
{
    struct mmuext_op op = { .cmd = cmd };

    if (cmd == MMUEXT_INVLPG_MULTI || cmd == MMUEXT_INVLPG_ALL)
        op.arg1.linear_addr = (unsigned long)window;
    if (cmd == MMUEXT_TLB_FLUSH_MULTI || cmd == MMUEXT_INVLPG_MULTI)
        set_xen_guest_handle(op.arg2.vcpumask, &everybody);
    MUST(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
}

static void translations(void)
{
    const struct {
        const char *name;
        unsigned long flags;
        unsigned int cmd; /* 0: the flags say it all */
    } ways[] = {
        { "UVMF_TLB_FLUSH, all", UVMF_TLB_FLUSH | UVMF_ALL, 0 },
        { "UVMF_INVLPG, all", UVMF_INVLPG | UVMF_ALL, 0 },
        { "UVMF_TLB_FLUSH, a bitmap", UVMF_TLB_FLUSH | (unsigned long)&everybody, 0 },
        { "UVMF_INVLPG, a bitmap", UVMF_INVLPG | (unsigned long)&everybody, 0 },
        { "MMUEXT_TLB_FLUSH_ALL", UVMF_NONE, MMUEXT_TLB_FLUSH_ALL },
        { "MMUEXT_INVLPG_ALL", UVMF_NONE, MMUEXT_INVLPG_ALL },
        { "MMUEXT_TLB_FLUSH_MULTI", UVMF_NONE, MMUEXT_TLB_FLUSH_MULTI },
        { "MMUEXT_INVLPG_MULTI", UVMF_NONE, MMUEXT_INVLPG_MULTI },
    };
    unsigned long *page[2] = { page_alloc(), page_alloc() };
    const unsigned long mfn[2] = { virt_to_mfn(page[0]), virt_to_mfn(page[1]) };

    everybody = nr_vcpus == 64 ? ~0ul : (1ul << nr_vcpus) - 1;
    printf("Another frame at the same address:\n");
    for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
        *page[i % 2] = FIRST + i;
        MUST(HYPERVISOR_update_va_mapping((unsigned long)window, mfn[i % 2] << PAGE_SHIFT | PTE_KERNEL, ways[i].flags));
        if (ways[i].cmd)
            flush_others(ways[i].cmd);
        report(ways[i].name, false, FIRST + i);
    }
}

/* --- code --- */

static void code_write(void *at, uint32_t value)
{
    memcpy(at, "\xb8", 1);
    memcpy((char *)at + 1, &value, sizeof(value));
    memcpy((char *)at + 5, "\xc3", 1);
}

static void code_write_by_xen(uint32_t value)
{
    static uint32_t word;
    struct gnttab_copy copy = {
        .source = { .u.gmfn = virt_to_mfn(&word), .domid = DOMID_SELF, .offset = (unsigned long)&word % PAGE_SIZE },
        .dest = { .u.gmfn = virt_to_mfn(code), .domid = DOMID_SELF, .offset = 1 },
        .len = sizeof(word),
    };

    word = value;
    MUST(HYPERVISOR_grant_table_op(GNTTABOP_copy, &copy, 1));
    if (copy.status != GNTST_okay)
        guest_panic("GNTTABOP_copy: %d", copy.status);
}

static void code_changes(void)
{
    printf("Other code at the same address:\n");
    code_write(code, FIRST + 1);
    report("a store", true, FIRST + 1);
    MUST(page_map(code_alias, virt_to_mfn(code), PTE_KERNEL));
    code_write(code_alias, FIRST + 2);
    report("a store to another address", true, FIRST + 2);
    code_write_by_xen(FIRST + 3);
    report("GNTTABOP_copy", true, FIRST + 3);
    code_write(code, FIRST + 4);
    report("a store, again", true, FIRST + 4);
}

int guest_main(void)
{
    events_disable();
    code_write(code, FIRST);
    for (; nr_vcpus < MAX_VCPUS && cpu_start(nr_vcpus, watch) == 0; nr_vcpus++)
        ;
    printf("%u vCPUs watch.\n", nr_vcpus - 1);
    translations();
    code_changes();
    return failed;
}
