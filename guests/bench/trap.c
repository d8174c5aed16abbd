// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench/trap: exceptions to the guest's handler, and iret back. op=exception (#UD), pagefault, cr0 (a read of CR0) and
 * ptwr (a store to a page table), which Xen carries out itself; from user mode to the kernel and back by syscall and
 * int.
 *
 * The handlers are the shortest possible, since Xen's part is what is to be measured.
 */
#include "guests/bench/bench.h"

extern char skip_ud[], skip_fault[], skip_syscall[];

/*
 * Behind an instruction of known length, and back by iret. The frame: rcx r11 [error code] rip ... (see
 * guests/rt/entry.S).
 */
asm(".text\n"
    "skip_ud: pop %rcx; pop %r11; addq $2, (%rsp); push $0; jmp hypercall_page + 23 * 32\n"
    "skip_fault: pop %rcx; pop %r11; addq $2, 8(%rsp); movq $0, (%rsp); jmp hypercall_page + 23 * 32\n"
    "skip_syscall: pop %rcx; pop %r11; push $0; jmp hypercall_page + 23 * 32\n");
_Static_assert(__HYPERVISOR_iret == 23, "the stubs above jump to it");

static void handler_set(unsigned int vector, unsigned int dpl, const char *entry)
{
    struct trap_info table[2] = { {
        .vector = (uint8_t)vector,
        .flags = (uint8_t)(4 | dpl), /* 4: events are masked */
        .cs = FLAT_KERNEL_CS,
        .address = (unsigned long)entry,
    } };

    MUST(HYPERVISOR_set_trap_table(table));
}

static long exception(long n)
{
    handler_set(TRAP_INVALID_OP, 0, skip_ud);
    while (n-- > 0)
        asm volatile("ud2" : : : "memory");
    return 0;
}

static long pagefault(long n)
{
    handler_set(TRAP_PAGE_FAULT, 0, skip_fault);
    while (n-- > 0)
        asm volatile("mov (%%rbx), %%eax" : : "b"(0x1000ul) : "eax", "memory"); /* two bytes long */
    return 0;
}

static long ptwr(long n)
{
    void *page = page_alloc();
    volatile uint64_t *pte = pte_find(page, 1);
    uint64_t value = *pte;

    MUST(HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables));
    while (n-- > 0)
        *pte = n & 1 ? 0 : value;
    return 0;
}

static long cr0(long n)
{
    unsigned long value;

    while (n-- > 0)
        asm volatile("mov %%cr0, %0" : "=r"(value) : : "memory");
    return 0;
}

static USER_CODE long user_syscalls(long n)
{
    long nr = 1000;

    while (n-- > 0)
        asm volatile("syscall" : "+a"(nr) : : "rcx", "r11", "memory");
    asm volatile("ud2");
    return 0;
}

static USER_CODE long user_ints(long n)
{
    while (n-- > 0)
        asm volatile("int $0x80" : : : "memory");
    asm volatile("ud2");
    return 0;
}

/* User mode comes to its #UD, and to nothing else before. */
static long user(long (*fn)(long), long n)
{
    struct guest_regs regs;

    user_space_init();
    user_run(fn, n, &regs);
    return regs.vector == TRAP_INVALID_OP ? 0 : -1;
}

static long syscall(long n)
{
    struct callback_register reg = { .type = CALLBACKTYPE_syscall, .address = (unsigned long)skip_syscall };

    MUST(HYPERVISOR_callback_op(CALLBACKOP_register, &reg));
    return user(user_syscalls, n);
}

static long interrupt(long n)
{
    handler_set(0x80, 3, skip_syscall); /* its frame has no error code either */
    return user(user_ints, n);
}

int guest_main(void)
{
    static const struct bench list[] = {
        { "exception", exception }, { "pagefault", pagefault }, { "cr0", cr0 },
        { "ptwr", ptwr },           { "syscall", syscall },     { "int", interrupt },
    };

    return bench_main(list, ARRAY_SIZE(list));
}
