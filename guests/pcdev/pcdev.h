// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pcdev: a kernel for the devices of a PC, in the manner of those that are taught with: 32 bits, no firmware called, a
 * file a sort of device, each device first by polling and then by interrupts.
 *
 * Concept: a test of a device says one line, what it did or how it failed. No loop waits for ever: who waits says for
 * how long. The lines of devices go into a hash, which is the same on any machine that has them all; what is measured
 * (a speed, a count) is a note and does not.
 */
#ifndef GUESTS_PCDEV_PCDEV_H
#define GUESTS_PCDEV_PCDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------------------------------------------- the processor -- */

static inline uint8_t in8(uint16_t port)
{
    uint8_t val;

    __asm__ volatile("inb %1, %0" : "=a"(val) : "Nd"(port));
    return val;
}
static inline uint32_t in32(uint16_t port)
{
    uint32_t val;

    __asm__ volatile("inl %1, %0" : "=a"(val) : "Nd"(port));
    return val;
}
static inline void out8(uint16_t port, uint8_t val) { __asm__ volatile("outb %0, %1" : : "a"(val), "Nd"(port)); }
static inline void out32(uint16_t port, uint32_t val) { __asm__ volatile("outl %0, %1" : : "a"(val), "Nd"(port)); }
static inline void in32_rep(uint16_t port, void *to, unsigned int n)
{
    __asm__ volatile("rep insl" : "+D"(to), "+c"(n) : "d"(port) : "memory");
}
static inline void out32_rep(uint16_t port, const void *from, unsigned int n)
{
    __asm__ volatile("rep outsl" : "+S"(from), "+c"(n) : "d"(port) : "memory");
}
static inline uint64_t tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}
static inline void interrupts_on(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void interrupts_off(void) { __asm__ volatile("cli" : : : "memory"); }
static inline void wait_a_little(void) { __asm__ volatile("pause" : : : "memory"); }

/* start.S */
extern uint32_t trap_stubs[256];
extern char trampoline[], trampoline_end[];
void gdt_load(const void *gdtr);
_Noreturn void stop(void);

/* ------------------------------------------------------------------------------------------------------ talking -- */

/* %s, %u, %x; a line is at most 100 characters. */
#define LIKE_PRINTF(n) __attribute__((format(printf, n, n + 1)))
LIKE_PRINTF(1) void note(const char *fmt, ...);
/* Of a device: what it did, or (if not good) how it failed. Returns good. */
LIKE_PRINTF(3) bool result(const char *device, bool good, const char *fmt, ...);
extern unsigned int failures;
extern uint32_t hash;

/* ---------------------------------------------------------------------------------------------- time, interrupts -- */

extern uint32_t tsc_khz; /* 1000000 until the PIT has told */
struct deadline {
    uint64_t end;
};
static inline struct deadline deadline(unsigned int ms) { return (struct deadline){ tsc() + (uint64_t)tsc_khz * ms }; }
static inline bool is_over(const struct deadline *d) { return tsc() > d->end; }
/* With interrupts on, until *count has reached n, or the time is over. */
bool wait_count(const volatile uint32_t *count, uint32_t n, unsigned int ms);

void idt_load(void);
typedef void interrupt_fn(void);
void interrupt_set(uint8_t vector, interrupt_fn *fn); /* which acknowledges it itself */

/* What an exception did: -1: there was none. */
struct caught {
    volatile uint32_t resume, error;
    volatile int vector;
};
extern struct caught caught;
#define CATCH(insn, ...)                                                                                               \
    (caught.vector = -1, ({                                                                                            \
         __asm__ volatile("movl $1f, %0\n" insn "\n1: movl $0, %0"                                                     \
                          : "+m"(caught.resume)                                                                        \
                          : __VA_ARGS__                                                                                \
                          : "eax", "edx", "memory");                                                                   \
     }),                                                                                                               \
     caught.vector)

/* interrupts.c */
#define VECTOR_PIC      0x20
#define VECTOR_IOAPIC   0x30 /* and the pin */
#define VECTOR_TIMER    0x50
#define VECTOR_IPI      0x51
#define VECTOR_SPURIOUS 0xff
void cpus_find(void);
void pic_test(void);
void apic_test(void);
void smp_test(void);
void apic_eoi(void);
/* Pin of the I/O APIC to fn, which calls apic_eoi(); NULL: masked. */
void ioapic_route(unsigned int pin, interrupt_fn *fn);
_Noreturn void ap_main(void);

/* timers.c */
void pit_test(void);
void pit_start(unsigned int hz);
void pit_stop(void);
void rtc_test(void);

/* characters.c */
void screen_set_up(void);
void screen_write(char c);
void screen_test(void);
void uart_test(void);
void keyboard_test(void);

/* ide.c */
void pci_list(void);
void ide_test(void);

#endif
