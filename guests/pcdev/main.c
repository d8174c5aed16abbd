// SPDX-License-Identifier: GPL-2.0-or-later
/* pcdev's beginning and end: segments, traps, paging; then device after device. See pcdev.h. */
#include "guests/pcdev/pcdev.h"

#include <stdarg.h>

#define DEBUG_PORT 0xe9 /* reads as its own number where there is one */

unsigned int failures;
uint32_t hash = 0x811c9dc5; /* FNV-1a */
uint32_t tsc_khz = 1000000;

/* ------------------------------------------------------------------------------------------------------ talking -- */

static unsigned int put(char *to, unsigned int at, unsigned int size, const char *text)
{
    while (*text && at + 1 < size)
        to[at++] = *text++;
    to[at] = '\0';
    return at;
}

static const char *number(char buf[12], uint32_t n, unsigned int base)
{
    char *p = buf + 11;

    *p = '\0';
    do
        *--p = "0123456789abcdef"[n % base];
    while (n /= base);
    return p;
}

static void format(char *to, unsigned int at, unsigned int size, const char *fmt, va_list ap)
{
    char one[2] = "", digits[12];

    to[at] = '\0';
    for (; *fmt; fmt++) {
        one[0] = *fmt;
        if (*fmt != '%')
            at = put(to, at, size, one);
        else if (*++fmt == 's')
            at = put(to, at, size, va_arg(ap, const char *));
        else
            at = put(to, at, size, number(digits, va_arg(ap, uint32_t), *fmt == 'x' ? 16 : 10));
    }
}

static void line(const char *text)
{
    const bool debug = in8(DEBUG_PORT) == DEBUG_PORT;
    const char *const parts[] = { "pcdev: ", text, "\n" };

    for (unsigned int i = 0; i < 3; i++)
        for (const char *c = parts[i]; *c; c++) {
            if (debug)
                out8(DEBUG_PORT, (uint8_t)*c);
            screen_write(*c);
        }
}

void note(const char *fmt, ...)
{
    char text[100];
    va_list ap;

    va_start(ap, fmt);
    format(text, 0, sizeof(text), fmt, ap);
    va_end(ap);
    line(text);
}

bool result(const char *device, bool good, const char *fmt, ...)
{
    char text[100];
    unsigned int at = put(text, 0, sizeof(text), device);
    va_list ap;

    at = put(text, at, sizeof(text), good ? ": " : ": FAILED: ");
    va_start(ap, fmt);
    format(text, at, sizeof(text), fmt, ap);
    va_end(ap);
    failures += !good;
    for (const char *c = text; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 0x01000193;
    line(text);
    return good;
}

/* -------------------------------------------------------------------------------------------------------- traps -- */

struct regs { /* as start.S leaves them */
    uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax, vector, error, eip, cs, eflags;
};
void trap(struct regs *r);

struct caught caught;
static interrupt_fn *handlers[256];
static uint64_t idt[256];
static const uint64_t gdt[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff };
static struct {
    uint16_t limit;
    uint32_t base;
} __attribute__((packed)) idtr = { sizeof(idt) - 1, (uint32_t)0 }, gdtr = { sizeof(gdt) - 1, (uint32_t)0 };

void interrupt_set(uint8_t vector, interrupt_fn *fn) { handlers[vector] = fn; }

void trap(struct regs *r)
{
    if (r->vector < 32) {
        caught.vector = (int)r->vector;
        caught.error = r->error;
        if (caught.resume) {
            r->eip = caught.resume;
            return;
        }
        note("PANIC: exception %u, error %x, at %x", r->vector, r->error, r->eip);
        stop();
    }
    if (handlers[r->vector])
        handlers[r->vector]();
    else if (r->vector != VECTOR_SPURIOUS)
        note("interrupt %x, and nobody waits for it", r->vector);
}

bool wait_count(const volatile uint32_t *count, uint32_t n, unsigned int ms)
{
    const struct deadline d = deadline(ms);

    interrupts_on();
    while (*count < n && !is_over(&d))
        wait_a_little();
    interrupts_off();
    return *count >= n;
}

void idt_load(void) { __asm__ volatile("lidt %0" : : "m"(idtr)); }

static void tables_load(void)
{
    gdtr.base = (uint32_t)gdt;
    gdt_load(&gdtr);
    for (unsigned int i = 0; i < 256; i++) /* interrupt gates of ring 0 */
        idt[i] = (uint64_t)(trap_stubs[i] & 0xffff0000) << 32 | 0x8e0000080000 | (trap_stubs[i] & 0xffff);
    idtr.base = (uint32_t)idt;
    idt_load();
}

/* ------------------------------------------------------------------------------------------------------- paging -- */

#define HOLE     0x40000000u /* nothing is mapped here */
#define READABLE 0x00400000u /* a page that may not be written */

static uint32_t directory[1024] __attribute__((aligned(4096))), table[1024] __attribute__((aligned(4096)));

/* Everything where it is, in pages of 4 MiB; but for the two above. */
static void paging_on(void)
{
    for (uint32_t i = 0; i < 1024; i++) {
        directory[i] = i << 22 | (i >= 0x3c0 ? 0x9b : 0x83); /* devices are not cached */
        table[i] = READABLE + (i << 12) + (i ? 3 : 1);
    }
    directory[HOLE >> 22] = 0;
    directory[READABLE >> 22] = (uint32_t)table | 3;
    __asm__ volatile("mov %%cr4, %%eax\n or $0x10, %%eax\n mov %%eax, %%cr4\n"
                     "mov %0, %%cr3\n"
                     "mov %%cr0, %%eax\n or $0x80010000, %%eax\n mov %%eax, %%cr0"
                     :
                     : "r"(directory)
                     : "eax", "memory");
}

static void traps_test(void)
{
    uint32_t cr2 = 0;
    int v;

    v = CATCH("xor %%edx, %%edx\n mov $1, %%eax\n divl %%edx", "m"(failures));
    result("trap", v == 0, "#DE of a division by 0: %u", (unsigned)v);
    v = CATCH("ud2", "m"(failures));
    result("trap", v == 6, "#UD: %u", (unsigned)v);
    v = CATCH("int3", "m"(failures));
    result("trap", v == 3, "#BP: %u", (unsigned)v);
    v = CATCH("movl %1, %%eax", "m"(*(uint32_t *)(HOLE + 16)));
    __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
    result("trap", v == 14 && caught.error == 0 && cr2 == HOLE + 16, "#PF of a read: %u, error %x, CR2 %x", (unsigned)v,
           caught.error, cr2);
    v = CATCH("movl %%eax, %1", "m"(*(uint32_t *)READABLE));
    result("trap", v == 14 && caught.error == 3, "#PF of a write to a page that may be read: %u, error %x", (unsigned)v,
           caught.error);
    v = CATCH("mov $0x18, %%eax\n mov %%eax, %%fs", "m"(failures));
    result("trap", v == 13 && caught.error == 0x18, "#GP of a selector behind the GDT: %u, error %x", (unsigned)v,
           caught.error);
}

int main(void);
int main(void)
{
    tables_load();
    screen_set_up();
    paging_on();
    note("a kernel for the devices of a PC");
    traps_test();
    pit_test();
    note("TSC: %u MHz", tsc_khz / 1000);
    pic_test();
    cpus_find();
    apic_test();
    smp_test();
    rtc_test();
    uart_test();
    keyboard_test();
    screen_test();
    pci_list();
    ide_test();
    if (failures)
        note("FAILED: %u tests, hash %x", failures, hash);
    else
        note("done, hash %x", hash);
    return 0;
}
