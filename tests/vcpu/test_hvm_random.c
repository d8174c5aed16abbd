// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes that an HVM guest executes at CPL 0 end in an architectural exception, a triple fault, a domain crash, or in
 * nothing at all; never in the program's end. And what the TLB knows then is what the guest's tables say.
 *
 * Each guest is 256 KiB of noise, with some structure so that it gets anywhere: an IDT and page tables that are right
 * more often than not, code that is more often real instructions than not (system instructions among them), and a mode
 * to begin in.
 *
 * HVM_RANDOM=N: so many guests; HVM_RANDOM_FROM: the first seed.
 */
#include "tests/vcpu/hvm.h"

#define NR_GUESTS 150u
#define TIME      MICROSECS(200)

static uint64_t seed;
static uint32_t rnd(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

static const char *const snippets[] = {
    "\x0f\x01\x10",
    "\x0f\x01\x18",
    "\x0f\x20\xc0",
    "\x0f\x22\xc0",
    "\x0f\x20\xe0",
    "\x0f\x22\xe0",
    "\x0f\x22\xd8",
    "\x0f\x20\xd8",
    "\x0f\x06",
    "\x0f\x01\xf0",
    "\x0f\x30",
    "\x0f\x32",
    "\x0f\xa2",
    "\x0f\x31",
    "\x0f\x01\xf9",
    "\x0f\x01\xd9",
    "\xfa",
    "\xfb",
    "\xf4",
    "\xcf",
    "\x48\xcf",
    "\xcc",
    "\xcd\x80",
    "\xce",
    "\xf1",
    "\x0f\x0b",
    "\x0f\x05",
    "\x0f\x07",
    "\x48\x0f\x07",
    "\x0f\x34",
    "\x0f\x35",
    "\x0f\x23\xc0",
    "\x0f\x23\xf8",
    "\x0f\x21\xf0",
    "\x8e\xd8",
    "\x8e\xd0",
    "\x8e\xe0",
    "\x8e\xe8",
    "\x0f\x00\xd8",
    "\x0f\x00\xd0",
    "\x0f\x01\x38",
    "\x0f\x01\xf8",
    "\x9d",
    "\x9c",
    "\x6c",
    "\xf3\x6d",
    "\x6e",
    "\xf3\x6f",
    "\xe4\x60",
    "\xe6\xe9",
    "\xee",
    "\xed",
    "\xea\x00\x10\x00\x00\x08\x00",
    "\xff\x28",
    "\xff\x18",
    "\xcb",
    "\x89\x03",
    "\x8b\x03",
    "\xf3\xa4",
    "\xf3\xab",
    "\xb9\x80\x00\x00\xc0",
    "\xb9\x00\x00\x00\x40",
    "\xb8\x33\x00\x00\x80",
    "\x0f\x09",
};

static uint32_t noise(void) { return rnd(4) ? rnd(HVM_PAGES * 4096) : rnd(2) ? rnd(256) : seed >> 20; }

static void fill_code(struct fixture *f, uint64_t gpa)
{
    uint8_t page[PAGE_SIZE];

    for (size_t n = 0; n < sizeof(page);) {
        if (rnd(3)) {
            const char *s = snippets[rnd(ARRAY_SIZE(snippets))];

            for (size_t i = 0; i < 7 && n < sizeof(page) && (s[i] || (i < 2 && s[0] == 0x0f)); i++)
                page[n++] = (uint8_t)s[i];
        } else if (rnd(2) && n + 5 < sizeof(page)) { /* a register gets a number that may be an address */
            const uint32_t val = noise();

            page[n++] = (uint8_t)(0xb8 + rnd(8));
            memcpy(page + n, &val, 4);
            n += 4;
        } else {
            page[n++] = (uint8_t)rnd(256);
        }
    }
    hvm_put(f, gpa, page, sizeof(page));
}

static void fill_tables(struct fixture *f)
{
    uint64_t page[PTES_PER_TABLE];

    for (unsigned int i = 0; i < 64; i++) /* an IDT, or an IVT */
        page[i] = rnd(8) ? UINT64_C(0x00008e0000080000) | (HVM_CODE + rnd(0x3000)) : (uint64_t)noise() << 32 | noise();
    for (unsigned int i = 64; i < PTES_PER_TABLE; i++)
        page[i] = (uint64_t)noise() << 32 | noise();
    hvm_put(f, 0, page, sizeof(page));
    for (unsigned int i = 0; i < PTES_PER_TABLE; i++) /* a GDT */
        page[i] = i % 8 == 1   ? UINT64_C(0x00cf9b000000ffff)
                  : i % 8 == 2 ? UINT64_C(0x00cf93000000ffff)
                  : i % 8 == 3 ? UINT64_C(0x00af9b000000ffff)
                               : (uint64_t)noise() << 32 | noise();
    hvm_put(f, 0x5000, page, sizeof(page));
    for (unsigned int t = 0; t < 4; t++) { /* page tables at 0x10000 */
        for (unsigned int i = 0; i < PTES_PER_TABLE; i++)
            page[i] = rnd(16) ? ((t < 3 ? 0x11000 + t * PAGE_SIZE : i * PAGE_SIZE) | 0x27 | (rnd(2) ? 0x40 : 0))
                              : (uint64_t)noise() << 32 | noise();
        hvm_put(f, 0x10000 + t * PAGE_SIZE, page, sizeof(page));
    }
}

static void begin(struct fixture *f)
{
    struct cpu_state *r = f->v->regs;

    for (unsigned int i = 0; i < 16; i++)
        r->gpr[i] = noise();
    r->rsp = HVM_STACK;
    r->gdtr = (struct cpu_table){ 0x5000, 0xfff };
    r->idtr = (struct cpu_table){ 0, 0x3ff };
    r->dirty = CPU_DIRTY_ALL;
    switch (rnd(4)) {
    case 0:
        r->cr0 = X86_CR0_ET;
        r->seg[CPU_SEG_CS] = (struct cpu_segment){ .attr = 0x9b, .limit = 0xffff };
        for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
            if (i != CPU_SEG_CS)
                r->seg[i] = (struct cpu_segment){ .attr = 0x93, .limit = 0xffff };
        break;
    case 1: break;
    case 2:
        r->cr3 = 0x11000;
        r->cr4 = X86_CR4_PAE | X86_CR4_OSFXSR;
        r->cr0 = X86_CR0_ET | X86_CR0_PE | X86_CR0_PG;
        break;
    default:
        r->cr3 = 0x10000;
        r->cr4 = X86_CR4_PAE | X86_CR4_OSFXSR;
        r->efer = EFER_LME | EFER_LMA | EFER_SCE;
        r->cr0 = X86_CR0_ET | X86_CR0_PE | X86_CR0_PG;
        r->seg[CPU_SEG_CS] = (struct cpu_segment){ 0x18, 0xa9b, ~0u, 0 };
        break;
    }
}

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);

    return s ? strtoull(s, NULL, 0) : otherwise;
}

static void test_noise(void **state)
{
    struct fixture *f = *state;
    const uint64_t from = number("HVM_RANDOM_FROM", 1), nr = number("HVM_RANDOM", NR_GUESTS);
    unsigned int crashed = 0, rebooted = 0, off = 0, alive = 0;
    char why[200];

    for (uint64_t i = from; i < from + nr; i++) {
        seed = i * 7919;
        for (uint64_t gpa = HVM_CODE; gpa < 0x5000; gpa += PAGE_SIZE)
            fill_code(f, gpa);
        fill_tables(f);
        begin(f);
        hvm_go(f, TIME);
        crashed += f->d->is_shut_down && f->d->shutdown_code == SHUTDOWN_crash;
        rebooted += f->d->is_shut_down && f->d->shutdown_code == SHUTDOWN_reboot;
        off += f->d->is_shut_down && f->d->shutdown_code == SHUTDOWN_poweroff;
        alive += !f->d->is_shut_down;
        if (!machine_tlb_agrees(f->m))
            fail_msg("guest %lu: the TLB does not agree with its tables", (unsigned long)i);
        if (!(i % 16) && mmu_audit(f->xen, why, sizeof(why)))
            fail_msg("guest %lu: %s", (unsigned long)i, why);
        hvm_destroy(f);
        f->log[0] = 0;
        hvm_create(f);
    }
    print_message("%u crashed, %u triple faults, %u switched off, %u alive\n", crashed, rebooted, off, alive);
    assert_true(nr < NR_GUESTS || (crashed && rebooted && off && alive));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_noise, hvm_setup, fix_teardown) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
