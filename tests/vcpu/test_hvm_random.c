// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes that an HVM guest executes at CPL 0 end in an architectural exception, a triple fault, a domain crash, or in
 * nothing at all; never in the program's end. And what the TLB knows then is what the guest's tables say.
 *
 * Each guest is 256 KiB of noise, with some structure so that it gets anywhere: an IDT and page tables that are right
 * more often than not, code that is more often real instructions than not (system instructions among them), and a mode
 * to begin in. By each technique: under the others most guests end in an instruction that the interpreter refuses.
 *
 * HVM_RANDOM=N: so many guests; HVM_RANDOM_FROM: the first seed.
 */
#include "tests/vcpu/hvm.h"

#define NR_GUESTS 150u
#define TIME      MICROSECS(200)

static uint64_t seed;
static unsigned int refused; /* records of processors that cannot be */
static uint32_t rnd(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

#define S(code)                                                                                                        \
    {                                                                                                                  \
        code, sizeof(code) - 1                                                                                         \
    }
static const struct {
    const char *code;
    size_t n;
} snippets[] = {
    S("\x0f\x01\x10"),
    S("\x0f\x01\x18"),
    S("\x0f\x20\xc0"),
    S("\x0f\x22\xc0"),
    S("\x0f\x20\xe0"),
    S("\x0f\x22\xe0"),
    S("\x0f\x22\xd8"),
    S("\x0f\x20\xd8"),
    S("\x0f\x06"),
    S("\x0f\x01\xf0"),
    S("\x0f\x30"),
    S("\x0f\x32"),
    S("\x0f\xa2"),
    S("\x0f\x31"),
    S("\x0f\x01\xf9"),
    S("\x0f\x01\xd9"),
    S("\xfa"),
    S("\xfb"),
    S("\xf4"),
    S("\xcf"),
    S("\x48\xcf"),
    S("\xcc"),
    S("\xcd\x80"),
    S("\xce"),
    S("\xf1"),
    S("\x0f\x0b"),
    S("\x0f\x05"),
    S("\x0f\x07"),
    S("\x48\x0f\x07"),
    S("\x0f\x34"),
    S("\x0f\x35"),
    S("\x0f\x23\xc0"),
    S("\x0f\x23\xf8"),
    S("\x0f\x21\xf0"),
    S("\x8e\xd8"),
    S("\x8e\xd0"),
    S("\x8e\xe0"),
    S("\x8e\xe8"),
    S("\x0f\x00\xd8"),
    S("\x0f\x00\xd0"),
    S("\x0f\x01\x38"),
    S("\x0f\x01\xf8"),
    S("\x9d"),
    S("\x9c"),
    S("\x6c"),
    S("\xf3\x6d"),
    S("\x6e"),
    S("\xf3\x6f"),
    S("\xe4\x60"),
    S("\xe6\xe9"),
    S("\xee"),
    S("\xed"),
    S("\xea\x00\x10\x00\x00\x08\x00"),
    S("\xff\x28"),
    S("\xea\x00\x10\x00\x00\x28\x00"), /* a task */
    S("\x9a\x00\x10\x00\x00\x28\x00"),
    S("\x0f\x00\x1b"), /* ltr */
    S("\xf3\xaf"),
    S("\xf2\xa6"),
    S("\xac"),
    S("\xff\x18"),
    S("\xcb"),
    S("\x89\x03"),
    S("\x8b\x03"),
    S("\xf3\xa4"),
    S("\xf3\xab"),
    S("\xb9\x80\x00\x00\xc0"),
    S("\xb9\x00\x00\x00\x40"),
    S("\xb8\x33\x00\x00\x80"),
    S("\x0f\x09"),
};

/* An address: of memory, of a device, of nobody, or any number. */
static uint32_t noise(void)
{
    switch (rnd(8)) {
    case 0: return rnd(256);
    case 1: return (uint32_t)(seed >> 20);
    case 2: return (rnd(2) ? 0xfee00000 : HVM_PAGES * 4096 - 8) + rnd(0x400);
    default: return rnd(HVM_PAGES * 4096);
    }
}

/* An instruction with a memory operand, of any opcode that has a ModRM byte. */
static size_t memory_operand(uint8_t *to)
{
    static const char *const prefixes[] = { "", "", "\x66", "\x67", "\xf3", "\xf2", "\xf0", "\x48", "\x64" };
    static const uint8_t one[] = { 0x00, 0x03, 0x11, 0x29, 0x3b, 0x62, 0x63, 0x69, 0x80, 0x81, 0x83,
                                   0x84, 0x87, 0x88, 0x8b, 0x8c, 0x8e, 0x8f, 0xc0, 0xc4, 0xc5, 0xc6,
                                   0xd1, 0xd3, 0xd8, 0xd9, 0xdb, 0xdd, 0xdf, 0xf6, 0xf7, 0xfe, 0xff };
    size_t n = 0;

    for (const char *p = prefixes[rnd(ARRAY_SIZE(prefixes))]; *p; p++)
        to[n++] = (uint8_t)*p;
    if (rnd(2)) {
        to[n++] = one[rnd(ARRAY_SIZE(one))];
    } else {
        to[n++] = 0x0f;
        to[n++] = (uint8_t)rnd(256);
    }
    to[n++] = (uint8_t)(rnd(8) << 3 | (rnd(3) ? 3 : rnd(256) & 0xc7));
    for (unsigned int i = rnd(3); i; i--)
        to[n++] = (uint8_t)rnd(256);
    return n;
}

static void fill_code(struct fixture *f, uint64_t gpa)
{
    uint8_t page[PAGE_SIZE];

    for (size_t n = 0; n < sizeof(page);) {
        if (rnd(3)) {
            const unsigned int s = rnd(ARRAY_SIZE(snippets));

            for (size_t i = 0; i < snippets[s].n && n < sizeof(page); i++)
                page[n++] = (uint8_t)snippets[s].code[i];
        } else if (rnd(2) && n + 5 < sizeof(page)) { /* a register gets a number that may be an address */
            const uint32_t val = noise();

            page[n++] = (uint8_t)(0xb8 + rnd(8));
            memcpy(page + n, &val, 4);
            n += 4;
        } else if (rnd(2) && n + 8 < sizeof(page)) {
            n += memory_operand(page + n);
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
        page[i] = i == 5       ? UINT64_C(0x0000890180000067) | (uint64_t)rnd(2) << 43
                  : i % 8 == 1 ? UINT64_C(0x00cf9b000000ffff)
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

/* A processor as a record may say it is, of any bits; refused ones are tried again, with fewer. */
static void begin_anyhow(struct fixture *f)
{
    struct hvm_hw_cpu c;

    for (unsigned int tries = 0; tries < 30; tries++) {
        hvm_cpu_save(f->v, &c);
        c.rip = HVM_CODE + rnd(0x3000), c.rflags = noise() & 0x3f7fd5,
        c.cr3 = rnd(4) ? 0x10000 + rnd(4) * PAGE_SIZE : noise();
        c.cr0 = (rnd(4) ? X86_CR0_PE | X86_CR0_ET : 0) | (rnd(2) ? X86_CR0_PG : 0) | (noise() & 0x0005003e);
        c.cr4 = (rnd(2) ? X86_CR4_PAE : 0) | (noise() & (rnd(2) ? 0x7fffff : 0x6ff));
        c.msr_efer = (rnd(2) ? EFER_LME | EFER_LMA : 0) | (rnd(2) ? EFER_SCE : 0) | (rnd(2) ? EFER_NXE : 0);
        c.gdtr_base = rnd(2) ? 0x5000 : noise(), c.gdtr_limit = noise() & 0xffff;
        c.idtr_base = rnd(2) ? 0 : noise(), c.idtr_limit = noise() & 0xffff;
#define ANY_SEGMENT(name, bits)                                                                                        \
    if (!rnd(3)) {                                                                                                     \
        c.name##_sel = noise() & 0xffff, c.name##_base = rnd(2) ? 0 : noise(), c.name##_limit = noise();               \
        c.name##_arbytes = (bits) ^ (rnd(2) ? 1u << rnd(12) : 0) ^ rnd(4) << 5;                                        \
    }
        ANY_SEGMENT(cs, 0xc9b)
        ANY_SEGMENT(ss, 0xc93)
        ANY_SEGMENT(ds, 0xc93)
        ANY_SEGMENT(es, 0xc93)
        ANY_SEGMENT(fs, 0x93)
        ANY_SEGMENT(gs, 0x93)
        ANY_SEGMENT(tr, 0x8b)
        ANY_SEGMENT(ldtr, 0x82)
        c.sysenter_cs = noise(), c.sysenter_eip = noise(), c.msr_lstar = noise(), c.msr_star = (uint64_t)noise() << 32;
        c.dr0 = noise(), c.dr7 = rnd(2) ? noise() : 0x400;
        if (!hvm_cpu_load(f->v, &c))
            return;
        refused++;
    }
}

/* Virtual 8086 mode, with a TSS whose bit maps are noise. */
static void begin_vm86(struct fixture *f)
{
    struct cpu_state *r = f->v->regs;

    r->rflags = X86_EFLAGS_VM | X86_EFLAGS_MBS | (rnd(2) ? X86_EFLAGS_IOPL : 0) | (rnd(2) ? X86_EFLAGS_IF : 0);
    r->cpl = 3;
    r->cr4 = rnd(2) ? X86_CR4_VME : 0;
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++) {
        const uint16_t sel = i == CPU_SEG_CS ? HVM_CODE >> 4 : (uint16_t)rnd(0x1000);

        r->seg[i] = (struct cpu_segment){ sel, 0xf3, 0xffff, (uint64_t)sel << 4 };
    }
    r->rip = rnd(0x3000);
    r->rsp = rnd(0x1000);
    r->tr.base = rnd(2) ? 0 : rnd(HVM_PAGES * 4096);
    r->tr.limit = 0x67 + rnd(0x200);
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
    switch (rnd(6)) {
    case 4: begin_vm86(f); break;
    case 5: begin_anyhow(f); break;
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

static void noise_by(struct fixture *f, enum hvm_technique technique)
{
    const uint64_t from = number("HVM_RANDOM_FROM", 1), nr = number("HVM_RANDOM", NR_GUESTS);
    unsigned int crashed = 0, rebooted = 0, off = 0, alive = 0;
    char why[200];

    hvm_destroy(f);
    f->xen->technique = technique;
    f->hap_off = technique >= TECHNIQUE_RING1;
    hvm_create(f);
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
    print_message("%u crashed, %u triple faults, %u switched off, %u alive; %u records refused\n", crashed, rebooted,
                  off, alive, refused);
    assert_true(nr < NR_GUESTS || (crashed && rebooted && off && alive && refused));
}

static void test_noise(void **state) { noise_by(*state, TECHNIQUE_HARDWARE); }
static void test_interpreted(void **state) { noise_by(*state, TECHNIQUE_EMULATE); }
static void test_ring1(void **state) { noise_by(*state, TECHNIQUE_RING1); }
static void test_translated(void **state) { noise_by(*state, TECHNIQUE_TRANSLATE); }

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_noise, hvm_setup, fix_teardown),
                                        cmocka_unit_test_setup_teardown(test_interpreted, hvm_setup, fix_teardown),
                                        cmocka_unit_test_setup_teardown(test_ring1, hvm_setup, fix_teardown),
                                        cmocka_unit_test_setup_teardown(test_translated, hvm_setup, fix_teardown) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
