// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pcdev: how interrupts come to a processor: the pair of 8259s, the I/O APIC, local APICs, and from one to another.
 *
 * Sources: Intel 8259A, 82093AA (I/O APIC); SDM volume 3, chapter 11 (APIC); MultiProcessor Specification 1.4; ACPI.
 */
#include "guests/pcdev/pcdev.h"

#define PIC1 0x20
#define PIC2 0xa0

static volatile uint32_t ticks, timers, ipis, spurious;

static void pic_tick(void)
{
    ticks++;
    out8(PIC1, 0x20); /* end of interrupt */
}

/* Its line is masked now: what was on its way may still come, and then nothing for 5 ms. */
static bool stays_quiet(void)
{
    wait_count(&ticks, ticks + 1, 1);
    ticks = 0;
    return !wait_count(&ticks, 1, 5);
}

static volatile uint32_t *lapic(unsigned int reg) { return (volatile uint32_t *)(0xfee00000 + reg); }
#define LAPIC_ID     0x20
#define LAPIC_VER    0x30
#define LAPIC_TPR    0x80
#define LAPIC_EOI    0xb0
#define LAPIC_SVR    0xf0
#define LAPIC_IRR    0x200
#define LAPIC_ICR    0x300
#define LAPIC_ICR2   0x310
#define LAPIC_TIMER  0x320
#define LAPIC_LINT0  0x350
#define LAPIC_LINT1  0x360
#define LAPIC_COUNT0 0x380
#define LAPIC_COUNT  0x390
#define LAPIC_DIVIDE 0x3e0
#define MASKED       0x10000

void apic_eoi(void) { *lapic(LAPIC_EOI) = 0; }

/* -------------------------------------------------------------------------------------------------------- 8259s -- */

static void pic_set_up(void)
{
    static const uint8_t words[2][4] = { { 0x11, VECTOR_PIC, 4, 1 }, { 0x11, VECTOR_PIC + 8, 2, 1 } };

    for (unsigned int i = 0; i < 4; i++) {
        out8(i ? PIC1 + 1 : PIC1, words[0][i]);
        out8(i ? PIC2 + 1 : PIC2, words[1][i]);
    }
    out8(PIC1 + 1, 0xff);
    out8(PIC2 + 1, 0xff);
}

/* The timer by way of the master. LINT0 of the local APIC is where it ends. */
void pic_test(void)
{
    bool good;

    *lapic(LAPIC_SVR) = 0x100 | VECTOR_SPURIOUS;
    *lapic(LAPIC_LINT0) = 0x700;
    *lapic(LAPIC_LINT1) = 0x400 | MASKED;
    pic_set_up();
    out8(PIC1 + 1, 0xa5);
    result("8259", in8(PIC1 + 1) == 0xa5, "its mask reads %x", in8(PIC1 + 1));
    interrupt_set(VECTOR_PIC, pic_tick);
    out8(PIC1 + 1, 0xfe);
    pit_start(1000);
    good = wait_count(&ticks, 5, 200);
    result("8259", good, good ? "5 interrupts of the timer" : "%u of 5 interrupts of the timer", ticks);
    out8(PIC1 + 1, 0xff);
    good = stays_quiet();
    result("8259", good, "masked, none comes: %u", ticks);
    pit_stop();
    *lapic(LAPIC_LINT0) = 0x700 | MASKED;
}

/* ---------------------------------------------------------------------------------------------------- processors -- */

#define CPUS_MAX 64
static uint8_t cpu_apic[CPUS_MAX];
static unsigned int nr_cpus;
static uint32_t ioapic_at = 0xfec00000;
static unsigned int timer_pin = 2;

static bool sums_to_0(const uint8_t *p, uint32_t n)
{
    uint8_t sum = 0;

    while (n--)
        sum += *p++;
    return sum == 0;
}

static bool same(const void *a, const char *text, unsigned int n)
{
    const char *p = a;

    while (n && *p == *text)
        p++, text++, n--;
    return !n;
}

/* A structure that begins so, in the last KiB below 640 KiB or the BIOS's memory. */
static const uint8_t *firmware_find(const char *signature, unsigned int n, uint32_t size)
{
    static const struct {
        uint32_t from, to;
    } places[] = { { 0x9fc00, 0xa0000 }, { 0xe0000, 0x100000 } };

    for (unsigned int i = 0; i < 2; i++)
        for (uint32_t at = places[i].from; at < places[i].to; at += 16)
            if (same((void *)at, signature, n) && sums_to_0((void *)at, size))
                return (void *)at;
    return NULL;
}

static void cpu_add(uint8_t apic)
{
    if (nr_cpus < CPUS_MAX)
        cpu_apic[nr_cpus++] = apic;
}

static uint32_t word(const uint8_t *p) { return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24; }

static bool mp_table(void)
{
    const uint8_t *fp = firmware_find("_MP_", 4, 16), *t = fp ? (void *)word(fp + 4) : NULL, *p;

    if (!t || !same(t, "PCMP", 4) || !sums_to_0(t, t[4] | t[5] << 8))
        return false;
    p = t + 44;
    for (unsigned int i = t[34] | t[35] << 8; i--; p += *p ? 8 : 20) {
        if (*p == 0 && p[3] & 1)
            cpu_add(p[1]);
        else if (*p == 2)
            ioapic_at = word(p + 4);
    }
    return nr_cpus;
}

static bool madt(void)
{
    const uint8_t *rsdp = firmware_find("RSD PTR ", 8, 20), *rsdt = rsdp ? (void *)word(rsdp + 16) : NULL, *t = NULL;

    if (!rsdt || !same(rsdt, "RSDT", 4))
        return false;
    for (uint32_t i = 36; i + 4 <= word(rsdt + 4); i += 4)
        if (same((void *)word(rsdt + i), "APIC", 4))
            t = (void *)word(rsdt + i);
    for (uint32_t i = 44; t && i + 2 <= word(t + 4) && t[i + 1]; i += t[i + 1]) {
        if (t[i] == 0 && t[i + 4] & 1)
            cpu_add(t[i + 3]);
        else if (t[i] == 1)
            ioapic_at = word(t + i + 4);
    }
    return nr_cpus;
}

/* What hvmloader is told, for who stands in its place. */
static bool hvm_info(void)
{
    const uint8_t *t = (void *)0x9f800;

    if (!same(t, "HVM INFO", 8))
        return false;
    for (uint32_t i = 0; i < word(t + 16) && i < CPUS_MAX; i++)
        cpu_add((uint8_t)(2 * i));
    return nr_cpus;
}

void cpus_find(void)
{
    const char *by = madt() ? "ACPI" : mp_table() ? "the MP table" : hvm_info() ? "hvm_info_table" : "nobody";

    if (!nr_cpus)
        cpu_add((uint8_t)(*lapic(LAPIC_ID) >> 24));
    note("%u processors, says %s", nr_cpus, by);
}

/* ---------------------------------------------------------------------------------------------------- I/O APIC -- */

static uint32_t ioapic_read(uint32_t reg)
{
    *(volatile uint32_t *)ioapic_at = reg;
    return *(volatile uint32_t *)(ioapic_at + 16);
}

static void ioapic_write(uint32_t reg, uint32_t val)
{
    *(volatile uint32_t *)ioapic_at = reg;
    *(volatile uint32_t *)(ioapic_at + 16) = val;
}

void ioapic_route(unsigned int pin, interrupt_fn *fn)
{
    if (fn)
        interrupt_set((uint8_t)(VECTOR_IOAPIC + pin), fn);
    ioapic_write(0x11 + 2 * pin, *lapic(LAPIC_ID) & 0xff000000);
    ioapic_write(0x10 + 2 * pin, fn ? VECTOR_IOAPIC + pin : MASKED);
}

static void ioapic_tick(void)
{
    ticks++;
    apic_eoi();
}

static void ioapic_test(void)
{
    const uint32_t version = ioapic_read(1);
    bool good;

    result("I/O APIC", (version & 0xff) >= 0x11 && version >> 16 >= 23 && version >> 24 == 0, "at least 24 pins");
    ioapic_write(0x10 + 2 * 20, MASKED | 0x8000 | 0x77);
    result("I/O APIC", (ioapic_read(0x10 + 2 * 20) & 0x180ff) == (MASKED | 0x8000 | 0x77),
           "a route reads as written: %x", ioapic_read(0x10 + 2 * 20) & 0x180ff);
    ticks = 0;
    ioapic_route(timer_pin, ioapic_tick);
    pit_start(1000);
    good = wait_count(&ticks, 5, 200);
    result("I/O APIC", good, good ? "5 interrupts of the timer" : "%u of 5 interrupts of the timer", ticks);
    ioapic_route(timer_pin, NULL);
    good = stays_quiet();
    result("I/O APIC", good, "masked, none comes: %u", ticks);
    pit_stop();
}

/* --------------------------------------------------------------------------------------------------- local APIC -- */

static void timer_tick(void)
{
    timers++;
    apic_eoi();
}

static void ipi(void)
{
    ipis++;
    apic_eoi();
}

static void lapic_timer_test(void)
{
    uint32_t before;
    bool good;

    interrupt_set(VECTOR_TIMER, timer_tick);
    *lapic(LAPIC_DIVIDE) = 0xb; /* by 1 */
    *lapic(LAPIC_TIMER) = VECTOR_TIMER;
    *lapic(LAPIC_COUNT0) = 10000000;
    before = *lapic(LAPIC_COUNT);
    result("local APIC", before <= 10000000 && before, "its timer counts from 10000000");
    good = wait_count(&timers, 1, 500);
    result("local APIC", good, "a timer that runs once");
    good = !wait_count(&timers, 2, 5);
    result("local APIC", good && *lapic(LAPIC_COUNT) == 0, "has ended at %u", *lapic(LAPIC_COUNT));
    *lapic(LAPIC_TIMER) = VECTOR_TIMER | 0x20000;
    *lapic(LAPIC_COUNT0) = 1000000;
    good = wait_count(&timers, 6, 500);
    result("local APIC", good, "a timer that goes on: 5 more");
    *lapic(LAPIC_TIMER) = MASKED;
    *lapic(LAPIC_COUNT0) = 0;
}

/* An interrupt for itself, which waits for a priority that lets it. */
static void lapic_self_test(void)
{
    bool waits, comes;

    interrupt_set(VECTOR_IPI, ipi);
    *lapic(LAPIC_TPR) = 0xf0;
    *lapic(LAPIC_ICR) = 0x40000 | VECTOR_IPI;
    waits = !wait_count(&ipis, 1, 1);
    result("local APIC", waits && *lapic(LAPIC_IRR + VECTOR_IPI / 32 * 16) >> VECTOR_IPI % 32 & 1,
           "TPR keeps an interrupt back in IRR");
    *lapic(LAPIC_TPR) = 0;
    comes = wait_count(&ipis, 1, 100);
    result("local APIC", comes && ipis == 1, "and lets it: %u", ipis);
}

void apic_test(void)
{
    result("local APIC", (*lapic(LAPIC_VER) & 0xf0) == 0x10 && (*lapic(LAPIC_VER) >> 16 & 0xff) >= 3,
           "its version is that of an integrated one");
    lapic_timer_test();
    lapic_self_test();
    ioapic_test();
}

/* ----------------------------------------------------------------------------------------------- several of them -- */

static uint8_t ap_stacks[CPUS_MAX][4096] __attribute__((aligned(16)));
static volatile uint32_t ap_here, ap_sum, ap_done;

_Noreturn void ap_main(void)
{
    idt_load();
    *lapic(LAPIC_SVR) = 0x100 | VECTOR_SPURIOUS;
    __atomic_fetch_add(&ap_sum, (*lapic(LAPIC_ID) >> 24) + 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&ap_here, 1, __ATOMIC_SEQ_CST);
    interrupts_on();
    while (!__atomic_load_n(&ap_done, __ATOMIC_SEQ_CST))
        __asm__ volatile("hlt");
    stop();
}

static void icr(uint8_t apic, uint32_t what)
{
    const struct deadline d = deadline(100);

    *lapic(LAPIC_ICR2) = (uint32_t)apic << 24;
    *lapic(LAPIC_ICR) = what;
    while (*lapic(LAPIC_ICR) & 0x1000 && !is_over(&d))
        wait_a_little();
}

static void pause_for(unsigned int ms)
{
    const struct deadline d = deadline(ms);

    while (!is_over(&d))
        wait_a_little();
}

static bool ap_start(unsigned int i)
{
    char *low = (char *)0x8000;
    const unsigned int size = (unsigned int)(trampoline_end - trampoline);
    const uint32_t here = ap_here;
    uint32_t *tail;

    for (unsigned int j = 0; j < size; j++)
        ((volatile char *)low)[j] = trampoline[j];
    tail = (uint32_t *)(low + size) - 3;
    tail[0] = (uint32_t)ap_stacks[i] + sizeof(ap_stacks[i]);
    __asm__ volatile("mov %%cr3, %0" : "=r"(tail[1]));
    tail[2] = (uint32_t)ap_main;
    __asm__ volatile("sgdt (%0)" : : "r"(tail - 2) : "memory");
    icr(cpu_apic[i], 0xc500);
    pause_for(1);
    icr(cpu_apic[i], 0x8500);
    pause_for(10);
    for (unsigned int again = 0; again < 2 && ap_here == here; again++) {
        icr(cpu_apic[i], 0x4608);
        wait_count(&ap_here, here + 1, 100);
    }
    return ap_here == here + 1;
}

void smp_test(void)
{
    const uint8_t self = (uint8_t)(*lapic(LAPIC_ID) >> 24);
    uint32_t sum = 0, started = 0;

    for (unsigned int i = 0; i < nr_cpus; i++)
        if (cpu_apic[i] != self) {
            sum += cpu_apic[i] + 1u;
            started += ap_start(i);
        }
    result("processors", started == nr_cpus - 1 && ap_sum == sum,
           "all others start by INIT and SIPI, with their numbers");
    ipis = 0;
    for (unsigned int i = 0; i < nr_cpus; i++)
        if (cpu_apic[i] != self) {
            const uint32_t before = ipis;

            icr(cpu_apic[i], 0x4000 | VECTOR_IPI);
            wait_count(&ipis, before + 1, 100);
        }
    result("processors", ipis == nr_cpus - 1, "each takes an interrupt of the first's");
    __atomic_store_n(&ap_done, 1, __ATOMIC_SEQ_CST);
    *lapic(LAPIC_ICR) = 0xc4000 | VECTOR_IPI; /* all but this one */
    pause_for(1);
}
