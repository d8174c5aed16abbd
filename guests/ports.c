// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ports: IN and OUT, when there is no device.
 *
 * Shows what is left of a PC for a PV guest that has raised its I/O privilege level. Nearly all ports read as ones. A
 * few belong to Xen itself: the PCI address latch remembers, though no bus is behind it; the interval timer counts
 * virtual time, so that an old kernel can measure its TSC with it; the clock's index can be set, but not the clock be
 * read. The string forms move between ports and memory, and a page that is missing is a page fault in their midst.
 */
#include "guests/rt/guest.h"

static uint32_t in(uint16_t port, unsigned int size)
{
    uint32_t val = 0;

    switch (size) {
    case 1: asm volatile("inb %%dx, %%al" : "+a"(val) : "d"(port)); break;
    case 2: asm volatile("inw %%dx, %%ax" : "+a"(val) : "d"(port)); break;
    default: asm volatile("inl %%dx, %%eax" : "+a"(val) : "d"(port));
    }
    return val;
}

static void outb(uint16_t port, uint8_t val) { asm volatile("outb %0, %1" : : "a"(val), "d"(port)); }
static void outl(uint16_t port, uint32_t val) { asm volatile("outl %0, %1" : : "a"(val), "d"(port)); }

/* What kernels do at start: let channel 2 run down, and see how far the TSC has come. */
static void measure_tsc(void)
{
    const unsigned int ticks = 11932; /* 10 ms */
    uint64_t start, end;

    outb(0x61, 1);
    outb(0x43, 0xb0);
    outb(0x42, ticks & 0xff);
    outb(0x42, ticks >> 8);
    start = __builtin_ia32_rdtsc();
    while (!(in(0x61, 1) & 0x20))
        ;
    end = __builtin_ia32_rdtsc();
    printf("the timer ran 10 ms, the TSC about %lu ms\n", (end - start + 500000) / 1000000);
}

static uint8_t *edge; /* the end of a page with nothing behind */

static long input(long arg)
{
    uint8_t *to = edge - 6;
    uint64_t count = 4;

    (void)arg;
    asm volatile("rep insl" : "+D"(to), "+c"(count) : "d"(0xcf8) : "memory");
    return 0;
}

static void strings(void)
{
    static const char text[] = "index";
    const char *from = text;
    uint64_t count = sizeof(text) - 1;
    struct caught c;

    asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(0x70) : "memory");
    printf("rep outsb: %lu bytes written, %lu left; port 0x70 has '%c'\n", from - text, count, in(0x70, 1));
    edge = (uint8_t *)page_alloc() + PAGE_SIZE;
    MUST(page_map(edge, 0, 0));
    c = trap_catch(input, 0);
    printf("rep insl over the end of a page: %s, error code %x, %s its end; the page's last bytes are",
           trap_name(c.vector), c.error_code, c.address == (uint64_t)edge ? "at" : "not at");
    for (int i = -6; i < 0; i++)
        printf(" %02x", edge[i]);
    printf("\n");
}

int guest_main(void)
{
    struct physdev_set_iopl iopl = { .iopl = 1 };

    MUST(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    printf("no device: %x %x %x\n", in(0x3f8, 1), in(0x1f0, 2), in(0xcfc, 4));
    outl(0xcf8, 0x80001234);
    printf("the PCI address: %x, as bytes %x %x %x %x\n", in(0xcf8, 4), in(0xcf8, 1), in(0xcf9, 1), in(0xcfa, 1),
           in(0xcfb, 1));
    outb(0x70, 0x0d);
    printf("the clock: index %x, value %x\n", in(0x70, 1), in(0x71, 1));
    measure_tsc();
    strings();
    return 0;
}
