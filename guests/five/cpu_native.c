// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sensitive operations on a processor of one's own: by the instructions.
 *
 * Source: AMD64 APM 2, of segments (4), system calls (6), exceptions (8), the local APIC (16).
 */
#include "guests/five/cpu.h"

enum { CODE = 0x08, DATA = 0x10, USER_DATA_SEL = 0x20, USER_CODE_SEL = 0x28, TASK = 0x30, PROBED = 0x40 };

#define MSR_STAR   0xc0000081u
#define MSR_LSTAR  0xc0000082u
#define MSR_SFMASK 0xc0000084u

#define IF       0x200ul
#define CR0_TS   8ul
#define TSS_SIZE 104u

/* The local APIC (16.3), where entry_native.S maps it. */
#define APIC_EOI      0x0b0u
#define APIC_SPURIOUS 0x0f0u
#define APIC_LVT      0x320u
#define APIC_INITIAL  0x380u
#define APIC_DIVIDE   0x3e0u
#define APIC_TICK_NS  10u /* of Xen's, undivided: 100 MHz. Another's only makes sleeps shorter or longer */
#define VECTOR_TIMER  0x20u

extern uint64_t entries[], boot_root[512];
extern char syscall_entry[], apic[], virt_base[];
void user_enter(struct frame *f);

const char cpu_name[] = "a kernel on a processor of its own";

/* User mode's registers: traps from there are stored here by the processor, since RSP0 points to its end. */
struct {
    char unused[64];
    struct frame frame;
} user_left __attribute__((aligned(16)));

static struct tss {
    uint32_t reserved;
    uint64_t rsp0;
    char rest[TSS_SIZE - 12];
} __attribute__((packed)) tss;

static uint64_t gdt[] = {
    [CODE / 8] = 0x00af9b000000ffff,          [DATA / 8] = 0x00cf93000000ffff,
    [USER_DATA_SEL / 8] = 0x00cff3000000ffff, [USER_CODE_SEL / 8] = 0x00affb000000ffff,
    [PROBED / 8] = 0x00cf93000000ffff,
};
static struct gate {
    uint64_t low, high;
} idt[256];

const struct cpu_own cpu_own = {
    .gdt = (uint64_t)gdt, .idt = (uint64_t)idt, .task = TASK, .code = CODE, .data = PROBED, .code_rights = 0x9b00
};

static void msr_write(uint32_t msr, uint64_t val)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)val), "d"((uint32_t)(val >> 32)));
}

static void apic_write(unsigned int reg, uint32_t val) { *(volatile uint32_t *)(apic + reg) = val; }

static void gate_set(unsigned int vector, uint64_t entry, unsigned int dpl)
{
    idt[vector].low =
        (entry & 0xffff) | CODE << 16 | (uint64_t)(0x8e00 | dpl << 13) << 32 | (entry >> 16 & 0xffff) << 48;
    idt[vector].high = entry >> 32;
}

static void tables_load(void)
{
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) gdtr = { sizeof(gdt) - 1, (uint64_t)gdt }, idtr = { sizeof(idt) - 1, (uint64_t)idt };
    const uint64_t task = (uint64_t)&tss;

    gdt[TASK / 8] =
        (TSS_SIZE - 1) | (task & 0xffffff) << 16 | 0x89ul << 40 | (task >> 24 & 0xff) << 56; /* available, 64 bits */
    gdt[TASK / 8 + 1] = task >> 32;
    tss.rsp0 = (uint64_t)(&user_left.frame + 1);
    __asm__ volatile("lgdt %0" : : "m"(gdtr));
    __asm__ volatile("lidt %0" : : "m"(idtr));
    __asm__ volatile("push %0\n push $1f\n lretq\n1:" : : "i"(CODE) : "memory");
    __asm__ volatile("mov %0, %%ss\n mov %0, %%ds\n mov %0, %%es" : : "r"(DATA));
    __asm__ volatile("ltr %0" : : "r"((uint16_t)TASK));
}

void cpu_init(void)
{
    for (unsigned int i = 0; i < 34; i++) /* 32 exceptions, the timer, INT 0x80 */
        gate_set(i < 33 ? i : TRAP_INT80, entries[i], i == 33 || i == TRAP_BREAKPOINT ? 3 : 0);
    tables_load();
    msr_write(MSR_STAR, (uint64_t)(USER_DATA_SEL - 8) << 48 | (uint64_t)CODE << 32);
    msr_write(MSR_LSTAR, (uint64_t)syscall_entry);
    msr_write(MSR_SFMASK, 0x700);                                          /* TF, IF, DF */
    __asm__ volatile("outb %%al, $0x21\n outb %%al, $0xa1" : : "a"(0xff)); /* a BIOS leaves the 8259s on */
    apic_write(APIC_SPURIOUS, 0x1ff);
    apic_write(APIC_DIVIDE, 0xb); /* by 1 */
    apic_write(APIC_LVT, VECTOR_TIMER);
    boot_root[0] = 0; /* where the start was */
    cpu_page_flush(0x100000);
}

void cpu_write(const char *text, size_t n)
{
    while (n--)
        __asm__ volatile("outb %0, $0xe9" : : "a"(*text++));
}

/* HLT that nothing ends. */
_Noreturn void cpu_stop(void)
{
    for (;;)
        __asm__ volatile("cli\n hlt");
}

/* -------------------------------------------------------------------------------------------------------- paging -- */

uint64_t cpu_entry(const void *page, uint64_t flags) { return (uint64_t)((const char *)page - virt_base) | flags; }

void cpu_table_begin(uint64_t *table) { (void)table; }

void cpu_space_begin(struct space *s) { (void)s; }

void cpu_entry_write(uint64_t *table, unsigned int index, uint64_t entry)
{
    *(volatile uint64_t *)(table + index) = entry;
}

void cpu_page_flush(uint64_t va) { __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory"); }

uint64_t *cpu_root(void)
{
    uint64_t root;

    __asm__ volatile("mov %%cr3, %0" : "=r"(root));
    return (uint64_t *)(virt_base + root);
}

void cpu_space_load(const struct space *s)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"((const char *)s->root - virt_base) : "memory");
}

/* ----------------------------------------------------------------------------------------- traps and interrupts -- */

uint64_t cpu_fault_address(void)
{
    uint64_t at;

    __asm__ volatile("mov %%cr2, %0" : "=r"(at));
    return at;
}

void cpu_interrupts_on(void) { __asm__ volatile("sti" : : : "memory"); }
void cpu_interrupts_off(void) { __asm__ volatile("cli" : : : "memory"); }

/* STI holds interrupts off for one more instruction: none is missed. */
void cpu_wait(void) { __asm__ volatile("sti\n hlt\n cli" : : : "memory"); }

void cpu_timer(uint64_t ns) { apic_write(APIC_INITIAL, (uint32_t)(ns / APIC_TICK_NS)); }

bool cpu_timer_rang(void)
{
    apic_write(APIC_EOI, 0);
    return true;
}

void cpu_task_switched(bool on)
{
    if (on)
        __asm__ volatile("mov %%cr0, %%rax\n or $8, %%rax\n mov %%rax, %%cr0" : : : "rax");
    else
        __asm__ volatile("clts");
}

/* ----------------------------------------------------------------------------------------------------- user mode -- */

void cpu_user_frame(struct frame *f, uint64_t rip, uint64_t rsp, uint64_t arg)
{
    memset(f, 0, sizeof(*f));
    f->rip = rip;
    f->rsp = rsp;
    f->rdi = arg;
    f->cs = USER_CODE_SEL | 3;
    f->ss = USER_DATA_SEL | 3;
    f->rflags = IF | 2;
}

void cpu_user_run(struct frame *f)
{
    user_left.frame = *f;
    user_enter(&user_left.frame);
    *f = user_left.frame;
}
