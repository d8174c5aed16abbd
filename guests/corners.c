// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * corners: jumps to where nothing can be.
 *
 * Shows what becomes of code that leaves the addresses of x86-64, and of far calls through selectors that name nothing.
 * The last instruction below the hole is the famous case: a SYSCALL there has nowhere to return to, and a hypervisor
 * that uses SYSRET without looking gets the fault itself, on the guest's stack. Here as on a careful Xen it is the
 * guest's.
 */
#include "guests/rt/guest.h"

#define HOLE 0x800000000000ul /* the first address that is none */

/*
 * A far pointer of 16:64 and 16:32 bits, through a local descriptor table that there is not, and beyond the global one.
 */
static struct {
    uint64_t offset;
    uint16_t selector;
} __attribute__((packed)) far64 = { 0, 0x1007 };
static struct {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed)) far_ldt = { 0, 0x1007 }, far_gdt = { 0, 0x1100 };

static long lcall_64(long arg)
{
    asm volatile("rex64 lcall *%0" : : "m"(far64));
    return arg;
}

static long lcall_ldt(long arg)
{
    asm volatile("lcall *%0" : : "m"(far_ldt));
    return arg;
}

static long ljmp_gdt(long arg)
{
    asm volatile("ljmp *%0" : : "m"(far_gdt));
    return arg;
}

static long jump(long arg)
{
    asm volatile("jmp *%0" : : "r"(arg));
    return arg;
}

static long call(long arg)
{
    asm volatile("call *%0" : : "r"(arg) : "memory");
    return arg;
}

static long ret(long arg)
{
    asm volatile("push %0; ret" : : "r"(arg) : "memory");
    return arg;
}

/* The instruction at arg is a SYSCALL. */
static long syscall_at(long arg)
{
    long result;

    asm volatile("call *%2"
                 : "=a"(result)
                 : "a"(__HYPERVISOR_xen_version), "r"(arg), "D"(XENVER_version), "S"(0)
                 : "rcx", "r11", "memory");
    return result;
}

static long load(long arg) { return *(volatile long *)arg; }

/* Whether it ended with RIP in the hole. */
static bool try(const char *what, long (*fn)(long), long arg)
{
    const struct caught c = trap_catch(fn, arg);

    if (c.trapped)
        printf("  %-34s %s, error code %x\n", what, trap_name(c.vector), c.error_code);
    else
        printf("  %-34s done\n", what);
    return c.trapped && c.rip == HOLE;
}

/* Map a page right below the hole; its last two bytes are SYSCALL. */
static void map_below_the_hole(void)
{
    uint8_t *page = page_alloc();
    uint64_t *table = (uint64_t *)page;

    page[PAGE_SIZE - 2] = 0x0f, page[PAGE_SIZE - 1] = 0x05;
    for (unsigned int level = 1; level < 4; level++) {
        uint64_t *upper = page_alloc();

        upper[511] = virt_to_mfn(table) << PAGE_SHIFT | PTE_KERNEL;
        MUST(page_protect(upper, PTE_READONLY));
        table = upper;
    }
    MUST(pte_write(pte_machine((void *)(HOLE - 1), 4), virt_to_mfn(table) << PAGE_SHIFT | PTE_KERNEL));
}

int guest_main(void)
{
    printf("far pointers\n");
    try("call 16:64, no LDT", lcall_64, 0);
    try("call 16:32, no LDT", lcall_ldt, 0);
    try("jmp 16:32, beyond the GDT", ljmp_gdt, 0);
    printf("the hole in the middle of all addresses\n");
    try("read", load, HOLE);
    try("jmp", jump, HOLE);
    try("call", call, HOLE);
    try("ret", ret, HOLE);
    map_below_the_hole();
    try("read the 8 bytes before", load, HOLE - 8);
    try("read from 4 bytes before", load, HOLE - 4);
    if (try("syscall in the 2 bytes before", syscall_at, HOLE - 2))
        printf("  ... after it, with RIP in the hole\n");
    return 0;
}
