// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instructions carried out by the hypervisor, against the engine's own: each runs twice from the same state, once on
 * RAM by the processor, once with pages of its operands taken out and a device in their place that behaves like RAM.
 * Registers, flags, memory, A and D bits, and what becomes of faults are to be the same.
 *
 * The device lets the hypervisor wait now and then: nothing may have changed by then.
 *
 * Budget: over 400 lines, for the forms, and for aiming their operands.
 *
 * HVM_RANDOM=N: so many instructions; HVM_RANDOM_FROM: the first seed.
 */
#include "tests/vcpu/hvm.h"

#include "vcpu/hvm/emulate.h"

#define NR_INSNS 1500u
#define DATA     0x20000u /* two pages, and one for the stack behind */
#define NR_DATA  3u
#define TABLES   0x10000u
#define HANDLERS 0x4000u
#define GDT      0x5000u

static uint64_t seed;
static uint32_t rnd(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}
static uint64_t rnd64(void) { return (uint64_t)rnd(UINT32_MAX) << 33 ^ (uint64_t)rnd(UINT32_MAX) << 10 ^ rnd(1024); }

/* ----------------------------------------------------------------------------------------------------- the forms -- */

#define CF X86_EFLAGS_CF
#define PF X86_EFLAGS_PF
#define AF X86_EFLAGS_AF
#define ZF X86_EFLAGS_ZF
#define SF X86_EFLAGS_SF
#define OF X86_EFLAGS_OF

/* Opcodes from first to last; of ModRM.reg those in regs. */
struct form {
    const char *prefix;  /* a mandatory one */
    const char *map;     /* in front of the opcode */
    uint8_t first, last; /* ... */
    uint8_t regs;        /* bits; 0: none, there is no ModRM */
    uint8_t imm;         /* bytes; 0xff: of the operation's size; 0xfe: an address */
    uint32_t undefined;  /* flags */
    bool rep, lock, code64, bits;
    bool not16; /* where the engine is wrong: docs/cpu.md */
};

/* clang-format off */
#define F(p, m, from, to, r, i, u, ...)                                                                                \
    { .prefix = (p), .map = (m), .first = (from), .last = (to), .regs = (r), .imm = (i), .undefined = (u), __VA_ARGS__ }
static const struct form forms[] = {
    F("", "", 0x00, 0x01, 0xff, 0, 0, .lock = true), F("", "", 0x02, 0x03, 0xff, 0, 0),
    F("", "", 0x08, 0x09, 0xff, 0, AF, .lock = true), F("", "", 0x0a, 0x0b, 0xff, 0, AF),
    F("", "", 0x10, 0x11, 0xff, 0, 0, .lock = true), F("", "", 0x12, 0x13, 0xff, 0, 0),
    F("", "", 0x18, 0x19, 0xff, 0, 0, .lock = true), F("", "", 0x1a, 0x1b, 0xff, 0, 0),
    F("", "", 0x20, 0x21, 0xff, 0, AF, .lock = true), F("", "", 0x22, 0x23, 0xff, 0, AF),
    F("", "", 0x28, 0x29, 0xff, 0, 0, .lock = true), F("", "", 0x2a, 0x2b, 0xff, 0, 0),
    F("", "", 0x30, 0x31, 0xff, 0, AF, .lock = true), F("", "", 0x32, 0x33, 0xff, 0, AF),
    F("", "", 0x38, 0x3b, 0xff, 0, 0),
    F("", "", 0x63, 0x63, 0xff, 0, 0, .code64 = true),
    F("", "", 0x69, 0x69, 0xff, 0xff, PF | AF | ZF | SF), F("", "", 0x6b, 0x6b, 0xff, 1, PF | AF | ZF | SF),
    F("", "", 0x80, 0x80, 0xff, 1, AF), F("", "", 0x81, 0x81, 0xff, 0xff, AF), F("", "", 0x83, 0x83, 0xff, 1, AF),
    F("", "", 0x84, 0x85, 0xff, 0, AF), F("", "", 0x86, 0x87, 0xff, 0, 0, .lock = true), F("", "", 0x88, 0x8b, 0xff, 0, 0),
    F("", "", 0x8c, 0x8c, 0x3f, 0, 0), F("", "", 0x8f, 0x8f, 0x01, 0, 0),
    F("", "", 0xa0, 0xa3, 0, 0xfe, 0),
    F("", "", 0xa4, 0xa7, 0, 0, 0, .rep = true), F("", "", 0xaa, 0xaf, 0, 0, 0, .rep = true),
    F("", "", 0xc0, 0xc1, 0xff, 1, OF | AF | CF), F("", "", 0xd0, 0xd1, 0xff, 0, AF), F("", "", 0xd2, 0xd3, 0xff, 0, OF | AF | CF),
    F("", "", 0xc6, 0xc6, 0x01, 1, 0), F("", "", 0xc7, 0xc7, 0x01, 0xff, 0),
    F("", "", 0xd7, 0xd7, 0, 0, 0),
    F("", "", 0xf6, 0xf6, 0x03, 1, AF), F("", "", 0xf7, 0xf7, 0x03, 0xff, AF),
    F("", "", 0xf6, 0xf7, 0x0c, 0, 0, .lock = true), F("", "", 0xf6, 0xf7, 0x30, 0, PF | AF | ZF | SF),
    F("", "", 0xf6, 0xf7, 0xc0, 0, CF | PF | AF | ZF | SF | OF),
    F("", "", 0xfe, 0xff, 0x03, 0, 0, .lock = true), F("", "", 0xff, 0xff, 0x54, 0, 0),
    F("", "\x0f", 0x10, 0x11, 0xff, 0, 0), F("\xf3", "\x0f", 0x10, 0x11, 0xff, 0, 0), F("\xf2", "\x0f", 0x10, 0x11, 0xff, 0, 0),
    F("", "\x0f", 0x12, 0x13, 0xff, 0, 0), F("", "\x0f", 0x16, 0x17, 0xff, 0, 0),
    F("", "\x0f", 0x28, 0x29, 0xff, 0, 0), F("", "\x0f", 0x2b, 0x2b, 0xff, 0, 0),
    F("\x66", "\x0f", 0x6e, 0x6f, 0xff, 0, 0), F("\x66", "\x0f", 0x7e, 0x7f, 0xff, 0, 0),
    F("\xf3", "\x0f", 0x6f, 0x6f, 0xff, 0, 0), F("\xf3", "\x0f", 0x7e, 0x7f, 0xff, 0, 0),
    F("\x66", "\x0f", 0xd6, 0xd6, 0xff, 0, 0), F("\x66", "\x0f", 0xe7, 0xe7, 0xff, 0, 0),
    F("", "\x0f", 0x40, 0x4f, 0xff, 0, 0), F("", "\x0f", 0x90, 0x9f, 0x01, 0, 0),
    F("", "\x0f", 0xa3, 0xa3, 0xff, 0, PF | AF | SF | OF, .bits = true),
    F("", "\x0f", 0xab, 0xab, 0xff, 0, PF | AF | SF | OF, .lock = true, .bits = true), F("", "\x0f", 0xb3, 0xb3, 0xff, 0, PF | AF | SF | OF, .lock = true, .bits = true),
    F("", "\x0f", 0xbb, 0xbb, 0xff, 0, PF | AF | SF | OF, .lock = true, .bits = true), F("", "\x0f", 0xba, 0xba, 0xf0, 1, PF | AF | SF | OF),
    F("", "\x0f", 0xa4, 0xa4, 0xff, 1, OF | AF | CF), F("", "\x0f", 0xa5, 0xa5, 0xff, 0, OF | AF | CF),
    F("", "\x0f", 0xac, 0xac, 0xff, 1, OF | AF | CF), F("", "\x0f", 0xad, 0xad, 0xff, 0, OF | AF | CF),
    F("", "\x0f", 0xaf, 0xaf, 0xff, 0, PF | AF | ZF | SF),
    F("", "\x0f", 0xb0, 0xb1, 0xff, 0, 0, .lock = true), F("", "\x0f", 0xb6, 0xb7, 0xff, 0, 0), F("", "\x0f", 0xbe, 0xbf, 0xff, 0, 0),
    F("", "\x0f", 0xbc, 0xbd, 0xff, 0, CF | PF | AF | SF | OF),
    F("\xf3", "\x0f", 0xb8, 0xb8, 0xff, 0, 0, .not16 = true), F("\xf3", "\x0f", 0xbd, 0xbd, 0xff, 0, PF | AF | SF | OF),
    F("", "\x0f", 0xc0, 0xc1, 0xff, 0, 0, .lock = true), F("", "\x0f", 0xc3, 0xc3, 0xff, 0, 0),
    F("", "\x0f", 0xc7, 0xc7, 0x02, 0, 0, .lock = true),
    F("", "\x0f\x38", 0xf0, 0xf1, 0xff, 0, 0, .not16 = true),
    F("\x66", "\x0f\x38", 0x2a, 0x2a, 0xff, 0, 0),
};
/* clang-format on */

enum mode { REAL, PROT16, PROT32, PAGED32, LONG64, NR_MODES };

struct test_case {
    const struct form *form;
    enum mode mode;
    uint8_t code[INSN_MAX_LEN];
    unsigned int len;
    struct cpu_state regs; /* at the beginning */
    uint8_t memory[NR_DATA * PAGE_SIZE];
    p2m_type_t page[2]; /* RAM, a device in its place, or RAM that is guarded */
};

/* What is compared. */
struct outcome {
    struct cpu_state regs;
    uint8_t memory[NR_DATA * PAGE_SIZE];
    uint64_t leaves[HVM_PAGES];
};

/* ---------------------------------------------------------------------------------------------------- generating -- */

static unsigned int put(struct test_case *t, const char *bytes)
{
    for (; *bytes; bytes++)
        t->code[t->len++] = (uint8_t)*bytes;
    return t->len;
}

static void prefixes(struct test_case *t)
{
    static const char *const segs[] = { "\x26", "\x2e", "\x36", "\x3e", "\x64", "\x65" };
    const bool sse = t->form->prefix[0] || (t->form->map[0] == 0x0f && t->form->first < 0x30);

    if (!rnd(3) && !sse)
        put(t, "\x66");
    if (!rnd(4))
        put(t, "\x67");
    if (!rnd(4))
        put(t, segs[rnd(6)]);
    if (t->form->lock && !rnd(4))
        put(t, "\xf0");
    if (t->form->rep && rnd(2))
        put(t, rnd(2) ? "\xf3" : "\xf2");
    put(t, t->form->prefix);
    if (t->mode == LONG64 && rnd(2))
        t->code[t->len++] = (uint8_t)(0x40 + rnd(16));
}

/* ModRM for memory, and what follows it; *disp is where a displacement is, of *size bytes. */
static void operand(struct test_case *t, unsigned int addr_size, unsigned int *disp, unsigned int *size)
{
    unsigned int reg, mod = rnd(3), rm = rnd(8);
    uint8_t sib = (uint8_t)rnd(256);

    do
        reg = rnd(8);
    while (!(t->form->regs >> reg & 1));
    t->code[t->len++] = (uint8_t)(mod << 6 | reg << 3 | rm);
    if (addr_size != 2 && rm == 4)
        t->code[t->len++] = sib;
    if (addr_size == 2)
        *size = mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0;
    else
        *size = mod == 1 ? 1 : mod == 2 || rm == 5 || (rm == 4 && (sib & 7) == 5) ? 4 : 0;
    *disp = t->len;
    for (unsigned int i = 0; i < *size; i++)
        t->code[t->len++] = (uint8_t)rnd(256);
}

/* Where in the two pages an operand is: often where they meet. */
static uint64_t place(void) { return DATA + (rnd(2) ? PAGE_SIZE - 16 + rnd(24) : 32 + rnd(2 * PAGE_SIZE - 64)); }

static uint64_t address(const struct test_case *t, const struct hvm_insn *in)
{
    const uint64_t base = t->regs.seg[in->seg].base;

    return t->mode != LONG64 ? (uint32_t)(base + in->offset)
                             : in->offset + (in->seg == CPU_SEG_FS || in->seg == CPU_SEG_GS ? base : 0);
}

/* Registers, or the displacement, are changed until the operand is there. */
static bool aim(struct test_case *t, unsigned int disp, unsigned int size)
{
    const uint64_t to = place();
    struct hvm_insn in;

    for (unsigned int reg = 0; reg < 16; reg++) {
        const uint64_t was = t->regs.gpr[reg];

        if (!hvm_decode(&t->regs, t->code, t->len, &in))
            return false;
        if (address(t, &in) == to)
            return true;
        if (reg == 4) /* the stack stays where it is */
            continue;
        t->regs.gpr[reg] += to - address(t, &in);
        if (in.addr_size == 2)
            t->regs.gpr[reg] = (was & ~UINT64_C(0xffff)) | (t->regs.gpr[reg] & 0xffff);
        if (hvm_decode(&t->regs, t->code, t->len, &in) && address(t, &in) == to)
            return true;
        t->regs.gpr[reg] = was;
    }
    if (size >= 2) {
        uint32_t by = (uint32_t)(to - address(t, &in)), val = 0;

        memcpy(&val, t->code + disp, size);
        val += by;
        memcpy(t->code + disp, &val, size);
    }
    return hvm_decode(&t->regs, t->code, t->len, &in) && address(t, &in) == to;
}

/* Of a string instruction: where RSI and RDI lead. */
static void aim_string(struct test_case *t)
{
    struct hvm_insn in;

    if (!hvm_decode(&t->regs, t->code, t->len, &in))
        return;
    t->regs.rsi = place() - (t->mode != LONG64 || in.seg >= CPU_SEG_FS ? t->regs.seg[in.seg].base : 0);
    t->regs.rdi = place() - (t->mode != LONG64 ? t->regs.seg[CPU_SEG_ES].base : 0);
    t->regs.rcx = rnd(20);
    if (rnd(2))
        t->regs.rax = 0;
}

/* Of a bit test whose bit's number is in a register. */
static bool bit_is_there(const struct test_case *t)
{
    struct hvm_insn in;
    uint64_t at;

    hvm_decode(&t->regs, t->code, t->len, &in);
    at = t->regs.gpr[INSN_REGISTER(&in)] << (64 - 8 * in.size);
    at = address(t, &in) + (uint64_t)(((int64_t)at >> (64 - 8 * in.size)) >> 3 & -(int64_t)in.size);
    return at >= DATA && at + in.size <= DATA + 2 * PAGE_SIZE;
}

static bool generate(struct test_case *t)
{
    const struct form *f = t->form;
    struct hvm_insn in;
    unsigned int disp = 0, size = 0, imm = f->imm;

    t->len = 0;
    if ((f->code64 && t->mode != LONG64) || (f->not16 && t->mode < PROT32))
        return false;
    prefixes(t);
    put(t, f->map);
    t->code[t->len++] = (uint8_t)(f->first + rnd(f->last - f->first + 1u));
    memset(t->code + t->len, 0, sizeof(t->code) - t->len);
    hvm_decode(&t->regs, t->code, t->len + 2, &in); /* for its sizes */
    if (f->code64 && in.size == 2)                  /* how much a prefixed MOVSXD reads is left open */
        return false;
    if (f->regs)
        operand(t, in.addr_size, &disp, &size);
    if (imm == 0xff)
        imm = in.size < 4 ? in.size : 4;
    if (imm == 0xfe) {
        imm = in.addr_size;
        disp = t->len;
        size = imm > 4 ? 4 : imm;
    }
    if (t->len + imm > sizeof(t->code))
        return false;
    for (unsigned int i = 0; i < imm; i++)
        t->code[t->len++] = f->imm == 0xfe && i >= 4 ? 0 : (uint8_t)rnd(256);
    if (f->rep) {
        aim_string(t);
        return true;
    }
    if (f->first == 0xff && !f->map[0] && t->mode == LONG64 && in.size == 2) /* JMP, CALL: so is how wide they are */
        return false;
    return aim(t, disp, size) && (!f->bits || bit_is_there(t));
}

/* --------------------------------------------------------------------------------------------------- the machine -- */

static void tables(struct fixture *f)
{
    uint64_t page[PTES_PER_TABLE] = { 0 };

    for (unsigned int t = 0; t < 3; t++) {
        page[0] = (TABLES + (t + 1) * PAGE_SIZE) | (t == 1 ? 0x27 : 0x27);
        hvm_put(f, TABLES + t * PAGE_SIZE, page, sizeof(page));
    }
    page[0] = (TABLES + 2 * PAGE_SIZE) | 1;
    hvm_put(f, TABLES + 4 * PAGE_SIZE, page, sizeof(page)); /* PAE's root */
    for (unsigned int i = 0; i < HVM_PAGES; i++)            /* an IDT of interrupt gates; 8 bytes or 16 each */
        page[i] = 0;
    hvm_put(f, 0, page, sizeof(page));
}

/* A gate a vector, of the mode's kind, that leads to a place of its own. */
static void gates(struct fixture *f, enum mode mode)
{
    static const uint64_t gdt[] = { 0, UINT64_C(0x00cf9b000000ffff), UINT64_C(0x00cf93000000ffff),
                                    UINT64_C(0x00af9b000000ffff), UINT64_C(0x008f9b000000ffff) };

    hvm_put(f, GDT, gdt, sizeof(gdt));
    for (unsigned int i = 0; i < 32; i++) {
        const uint64_t to = HANDLERS + i * 16, sel = mode == LONG64 ? 0x18 : 0x08;
        const uint64_t e[2] = { to | sel << 16 | UINT64_C(0x8e) << 40 };
        const uint16_t real[2] = { (uint16_t)to, 0 };

        if (mode == REAL)
            hvm_put(f, i * 4, real, sizeof(real));
        else
            hvm_put(f, i * (mode == LONG64 ? 16 : 8), e, mode == LONG64 ? 16 : 8);
    }
}

static void begin(struct fixture *f, struct test_case *t)
{
    struct cpu_state *r = &t->regs;
    const uint16_t data = t->mode <= PROT16 ? 0x93 : 0xc93;
    static uint8_t fxsave[512];

    *r = *f->v->regs;
    for (unsigned int i = 0; i < 16; i++)
        r->gpr[i] = rnd(3) ? rnd(0x8000) : rnd64();
    r->rip = HVM_CODE;
    r->rflags = X86_EFLAGS_MBS | (rnd64() & X86_EFLAGS_ARITH_MASK) | (rnd(4) ? 0 : X86_EFLAGS_DF) |
                (rnd(16) ? 0 : X86_EFLAGS_TF);
    r->cpl = 0;
    r->int_shadow = false;
    r->exit_rip = 0;
    r->gdtr = (struct cpu_table){ GDT, 0xff };
    r->idtr = (struct cpu_table){ 0, 0x1ff };
    r->cr0 = X86_CR0_ET | X86_CR0_NE | (t->mode == REAL ? 0 : X86_CR0_PE);
    r->cr4 = X86_CR4_OSFXSR;
    r->cr2 = r->cr3 = r->efer = 0;
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++) {
        const uint64_t base = t->mode == LONG64 ? (i >= CPU_SEG_FS ? rnd(0x3000) : 0) : 0x18000 + rnd(0x200);

        r->seg[i] = (struct cpu_segment){ (uint16_t)(rnd(0x2000) * 8), data, ~0u, base };
    }
    r->seg[CPU_SEG_CS] = (struct cpu_segment){ 0x08,
                                               t->mode == LONG64   ? 0xa9b
                                               : t->mode >= PROT32 ? 0xc9b
                                                                   : 0x9b,
                                               ~0u, 0 };
    if (t->mode >= PAGED32) {
        r->cr0 |= X86_CR0_PG | X86_CR0_WP;
        r->cr4 |= X86_CR4_PAE;
        r->cr3 = t->mode == LONG64 ? TABLES : TABLES + 4 * PAGE_SIZE;
        r->efer = t->mode == LONG64 ? EFER_LME | EFER_LMA | EFER_NXE : EFER_NXE;
    }
    r->rsp = DATA + 2 * PAGE_SIZE + 0x800 - r->seg[CPU_SEG_SS].base;
    for (unsigned int i = 160; i < 416; i++)
        fxsave[i] = (uint8_t)rnd(256);
    cpu_state_set_fpu(r, fxsave);
    r->dr[6] = X86_DR6_DEFAULT;
    r->dirty = CPU_DIRTY_ALL;
    for (unsigned int i = 0; i < sizeof(t->memory); i++)
        t->memory[i] = (uint8_t)(rnd(4) ? rnd(256) : 0);
    do
        for (unsigned int i = 0; i < 2; i++)
            t->page[i] = rnd(2) ? p2m_mmio_dm : rnd(3) ? p2m_ram_rw : p2m_ram_logdirty;
    while (t->page[0] == p2m_ram_rw && t->page[1] == p2m_ram_rw);
}

/* --------------------------------------------------------------------------------------------- a device like RAM -- */

static struct {
    uint8_t bytes[2 * PAGE_SIZE];
    struct {
        uint64_t gpa, data;
        unsigned int size;
        bool write, waiting;
    } asked;
    unsigned int accesses, waits;
} dev;

static enum hvm_io ram_like(uint64_t gpa, unsigned int size, bool write, uint64_t *data)
{
    assert_true(size == 1 || size == 2 || size == 4 || size == 8);
    assert_true(gpa >= DATA && gpa + size <= DATA + 2 * PAGE_SIZE && PAGE_OFFSET(gpa) + size <= PAGE_SIZE);
    if (dev.asked.waiting) { /* it is the same that is asked again */
        assert_true(dev.asked.gpa == gpa && dev.asked.size == size && dev.asked.write == write);
        assert_true(!write || dev.asked.data == *data);
        dev.asked.waiting = false;
    } else if (!rnd(3)) {
        dev.asked.gpa = gpa;
        dev.asked.data = *data;
        dev.asked.size = size;
        dev.asked.write = write;
        dev.asked.waiting = true;
        dev.waits++;
        return HVM_IO_WAIT;
    }
    dev.accesses++;
    if (write)
        memcpy(dev.bytes + gpa - DATA, data, size);
    else
        *data = 0, memcpy(data, dev.bytes + gpa - DATA, size);
    return HVM_IO_DONE;
}

/* ------------------------------------------------------------------------------------------------------- running -- */

static mfn_t frames[NR_DATA];

static void read_page(struct fixture *f, unsigned int i, uint8_t *to)
{
    memcpy(to, mfn_to_virt(f->m, frames[i]), PAGE_SIZE);
}

static void write_page(struct fixture *f, unsigned int i, const uint8_t *from)
{
    memcpy(frame_write_begin(f->m, frames[i]), from, PAGE_SIZE);
    frame_write_end(f->m, frames[i]);
}

static void prepare(struct fixture *f, const struct test_case *t)
{
    uint64_t leaf[PTES_PER_TABLE] = { 0 };
    uint8_t code[32] = { 0 };

    for (unsigned int i = 0; i < HVM_PAGES; i++)
        leaf[i] = i * PAGE_SIZE | 7;
    hvm_put(f, TABLES + 3 * PAGE_SIZE, leaf, sizeof(leaf));
    memcpy(code, t->code, t->len);
    memset(code + t->len, 0x90, sizeof(code) - t->len);
    hvm_put(f, HVM_CODE, code, sizeof(code));
    gates(f, t->mode);
    for (unsigned int i = 0; i < NR_DATA; i++)
        write_page(f, i, t->memory + i * PAGE_SIZE);
    *f->v->regs = t->regs;
    f->v->regs->ncr3 = f->v->domain->p2m ? mfn_x(f->d->p2m->root) << PAGE_SHIFT : 0;
    hvm_io_forget(f->v);
}

static void outcome(struct fixture *f, struct outcome *o)
{
    cpu_context_save_fpu(f->v->ctx);
    o->regs = *f->v->regs;
    for (unsigned int i = 0; i < NR_DATA; i++)
        read_page(f, i, o->memory + i * PAGE_SIZE);
    for (unsigned int i = 0; i < HVM_PAGES; i++) {
        struct hvm_fault fault;

        o->leaves[i] = 0;
        if (f->v->regs->cr0 & X86_CR0_PG)
            assert_true(
                hvm_linear(f->v, TABLES + 3 * PAGE_SIZE + i * 8, &o->leaves[i], 8, HVM_ACCESS_READ, false, &fault));
    }
}

static bool is_device(struct fixture *f, uint64_t gpa)
{
    p2m_type_t t;

    p2m_get_entry(f->d, PFN_DOWN(gpa), &t);
    return t == p2m_mmio_dm;
}

/* Who answers is called as a device model without messages would be. */
typedef enum hvm_io device_fn(uint64_t gpa, unsigned int size, bool write, uint64_t *data);

static enum hvm_io asked(void *who, struct hvm_io_op *op)
{
    return (*(device_fn *const *)who)(op->addr, op->size, op->write, &op->data);
}

static void behind(struct fixture *f, device_fn *const *who)
{
    f->d->hvm->direct_access = asked;
    f->d->hvm->direct_data = (void *)(uintptr_t)who;
}

/* One instruction, by the processor as far as it comes. */
static void go(struct fixture *f)
{
    const uint64_t rip = f->v->regs->rip;

    for (unsigned int i = 0; i < 200 && f->v->regs->rip == rip && !f->d->is_shut_down; i++) {
        struct sim_exit x = pcpu_run(f->m->pcpu[0], f->v->ctx, 1);

        if (x.kind == EXIT_NPF && is_device(f, x.npf.gpa)) {
            const struct cpu_state was = *f->v->regs;

            do {
                hvm_emulate(f->v, x.npf.gpa);
                if (dev.asked.waiting && (was.rip != f->v->regs->rip || was.rflags != f->v->regs->rflags ||
                                          memcmp(was.gpr, f->v->regs->gpr, sizeof(was.gpr))))
                    assert_true(f->v->regs->rip == was.rip && was.rcx != f->v->regs->rcx); /* a REP has come so far */
            } while (dev.asked.waiting);
        } else if (x.kind != EXIT_BUDGET) {
            hvm_handle_exit(f->v, &x);
        }
    }
}

static void emulated(struct fixture *f, const struct test_case *t, struct outcome *o)
{
    static device_fn *const who = ram_like;

    behind(f, &who);
    prepare(f, t);
    for (unsigned int i = 0; i < 2; i++) {
        memcpy(dev.bytes + i * PAGE_SIZE, t->memory + i * PAGE_SIZE, PAGE_SIZE);
        p2m_set_entry(f->d, PFN_DOWN(DATA) + i, t->page[i] == p2m_mmio_dm ? INVALID_MFN : frames[i], t->page[i]);
    }
    go(f);
    for (unsigned int i = 0; i < 2; i++) {
        if (t->page[i] == p2m_mmio_dm)
            write_page(f, i, dev.bytes + i * PAGE_SIZE);
        p2m_set_entry(f->d, PFN_DOWN(DATA) + i, frames[i], p2m_ram_rw);
    }
    outcome(f, o);
}

/* NULL: they are the same. */
static const char *difference(const struct test_case *t, const struct outcome *a, const struct outcome *b)
{
    static char why[200];
    const uint64_t defined = ~(uint64_t)t->form->undefined;

    if (a->regs.rip != b->regs.rip)
        return snprintf(why, sizeof(why), "RIP %#lx, %#lx", a->regs.rip, b->regs.rip), why;
    for (unsigned int i = 0; i < 16; i++)
        if (a->regs.gpr[i] != b->regs.gpr[i])
            return snprintf(why, sizeof(why), "register %u %#lx, %#lx", i, a->regs.gpr[i], b->regs.gpr[i]), why;
    if ((a->regs.rflags ^ b->regs.rflags) & defined)
        return snprintf(why, sizeof(why), "flags %#lx, %#lx", a->regs.rflags, b->regs.rflags), why;
    if (a->regs.cr2 != b->regs.cr2 || a->regs.dr[6] != b->regs.dr[6])
        return "CR2, DR6";
    if (memcmp(a->regs.fxsave, b->regs.fxsave, sizeof(a->regs.fxsave)))
        return "XMM registers";
    for (unsigned int i = 0; i < sizeof(a->memory); i++)
        if (a->memory[i] != b->memory[i] && !(i >= 2 * PAGE_SIZE && t->form->undefined && a->regs.rip >= HANDLERS))
            return snprintf(why, sizeof(why), "memory at %#x: %02x, %02x", DATA + i, a->memory[i], b->memory[i]), why;
    for (unsigned int i = 0; i < HVM_PAGES; i++)
        if ((a->leaves[i] ^ b->leaves[i]) & 0x60 && i >= PFN_DOWN(DATA))
            return snprintf(why, sizeof(why), "A and D of page %#x: %#lx, %#lx", i, a->leaves[i], b->leaves[i]), why;
    return NULL;
}

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);

    return s ? strtoull(s, NULL, 0) : otherwise;
}

static void show(struct fixture *f, const struct test_case *t, uint64_t i, const char *why)
{
    char text[400];

    insn_disassemble(f->m->edges->decoder, &t->regs, t->code, t->len, t->regs.rip, text, sizeof(text));
    print_message("seed %lu, mode %u, pages %u %u: %s%s\n", (unsigned long)i, t->mode, t->page[0], t->page[1], text,
                  why);
}

/* The guest has ended: another one. */
static void again(struct fixture *f)
{
    p2m_type_t type;

    hvm_destroy(f);
    f->log[0] = 0;
    hvm_create(f);
    for (unsigned int i = 0; i < NR_DATA; i++)
        frames[i] = p2m_get_entry(f->d, PFN_DOWN(DATA) + i, &type);
    tables(f);
}

static void test_random(void **state)
{
    struct fixture *f = *state;
    const uint64_t from = number("HVM_RANDOM_FROM", 1), nr = number("HVM_RANDOM", NR_INSNS);
    static struct test_case t;
    static struct outcome native, by_us;
    unsigned int ran = 0, bad = 0;

    again(f);
    for (uint64_t i = from; i < from + nr && bad < 20; i++) {
        const char *why;

        seed = i * 7919;
        t.mode = rnd(NR_MODES);
        t.form = &forms[rnd(ARRAY_SIZE(forms))];
        begin(f, &t);
        if (!generate(&t))
            continue;
        prepare(f, &t);
        go(f);
        if (f->d->is_shut_down) { /* a fault without a stack */
            again(f);
            continue;
        }
        outcome(f, &native);
        emulated(f, &t, &by_us);
        ran++;
        why = f->d->is_shut_down ? f->d->crash_reason : difference(&t, &native, &by_us);
        if (strstr(why ?: "", "cannot be delivered")) /* a frame would have to be pushed to the device */
            again(f), why = NULL;
        if (!why)
            continue;
        show(f, &t, i, why);
        bad++;
        if (f->d->is_shut_down)
            again(f);
    }
    print_message("%u instructions, %u accesses of devices, %u of them waited for\n", ran, dev.accesses, dev.waits);
    assert_int_equal(bad, 0);
    assert_true(nr < NR_INSNS || (ran > nr / 2 && dev.accesses > ran / 2 && dev.waits > ran / 8));
}

/* -------------------------------------------------------------------------------------------- what a device sees -- */

static char seen[400];

/* Reads as the lower bytes of its address. */
static enum hvm_io noting(uint64_t gpa, unsigned int size, bool write, uint64_t *data)
{
    const size_t n = strlen(seen);

    if (write) {
        snprintf(seen + n, sizeof(seen) - n, " w%u %lx=%lx", size, gpa - DATA, *data);
    } else {
        snprintf(seen + n, sizeof(seen) - n, " r%u %lx", size, gpa - DATA);
        *data = 0;
        for (unsigned int i = 0; i < size; i++)
            *data |= ((gpa + i) & 0xff) << 8 * i;
    }
    return HVM_IO_DONE;
}

static device_fn *const notes = noting;

static void test_accesses(void **state)
{
    static const struct {
        const char *code, *seen;
        size_t n;
    } cases[] = {
#define CASE(code, seen) { code, seen, sizeof(code) - 1 }
        CASE("\x89\x03", " w4 10=1234"),                     /* mov %eax, (%ebx) */
        CASE("\x66\x89\x03", " w2 10=1234"),                 /* mov %ax, (%ebx) */
        CASE("\x88\x23", " w1 10=12"),                       /* mov %ah, (%ebx) */
        CASE("\x8a\x0b", " r1 10"),                          /* mov (%ebx), %cl */
        CASE("\xc7\x03\x78\x56\x34\x12", " w4 10=12345678"), /* movl $0x12345678, (%ebx) */
        CASE("\x01\x03", " r4 10 w4 10=13122344"),           /* add %eax, (%ebx) */
        CASE("\x39\x03", " r4 10"),                          /* cmp %eax, (%ebx) */
        CASE("\x87\x03", " r4 10 w4 10=1234"),               /* xchg %eax, (%ebx) */
        CASE("\xff\x03", " r4 10 w4 10=13121111"),           /* incl (%ebx) */
        CASE("\x0f\xab\x03", " r4 254 w4 254=57565554"),     /* bts %eax, (%ebx): bit 0x1234 */
        CASE("\x0f\xba\x23\x05", " r4 10"),                  /* btl $5, (%ebx) */
        CASE("\x0f\xb1\x0b", " r4 10 w4 10=13121110"),       /* cmpxchg %ecx, (%ebx): it is not 0x1234 */
        CASE("\xa4", " r1 100 w1 200=0"),                    /* movsb */
        CASE("\xf3\xa5", " r4 100 w4 200=3020100 r4 104 w4 204=7060504 r4 108 w4 208=b0a0908"), /* rep movsl */
        CASE("\xf3\x66\xab", " w2 200=1234 w2 202=1234 w2 204=1234"),                           /* rep stosw */
        CASE("\x89\x82\xfe\x0d\x00\x00", " w2 ffe=1234 w2 1000=0"), /* mov %eax, 0xdfe(%edx): in two pages */
        CASE("\x0f\x11\x03", " w8 10=0 w8 18=0"),                   /* movups %xmm0, (%ebx) */
        CASE("\x0f\x10\x03", " r8 10 r8 18"),                       /* movups (%ebx), %xmm0 */
        CASE("\x0f\xc7\x0b", " r8 10 w8 10=1716151413121110"),      /* cmpxchg8b (%ebx) */
        CASE("\xd9\x03", " r4 10"),                                 /* flds (%ebx) */
        CASE("\xdf\x3b", " w8 10=0"),                               /* fistpll (%ebx): what was loaded is far below 1 */
        CASE("\x0f\x6f\x03", " r8 10"),                             /* movq (%ebx), %mm0 */
        CASE("\xff\x33", " r4 10"),                                 /* pushl (%ebx) */
        CASE("\x8f\x03", " w4 10=0"),                               /* popl (%ebx) */
#undef CASE
    };
    struct fixture *f = *state;

    behind(f, &notes);
    for (unsigned int i = 0; i < 2; i++)
        p2m_set_entry(f->d, PFN_DOWN(DATA) + i, INVALID_MFN, p2m_mmio_dm);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cpu_state *r = f->v->regs;

        hvm_put(f, HVM_CODE, cases[i].code, cases[i].n);
        memset(r->gpr, 0, sizeof(r->gpr));
        r->rip = HVM_CODE;
        r->rsp = HVM_STACK - 8;
        r->rax = 0x1234;
        r->rbx = DATA + 0x10;
        r->rcx = 3;
        r->rdx = r->rdi = DATA + 0x200;
        r->rsi = DATA + 0x100;
        seen[0] = '\0';
        hvm_emulate(f->v, 0);
        assert_string_equal(seen, cases[i].seen);
        assert_int_equal(r->rip, HVM_CODE + cases[i].n);
    }
}

/* rep stosb to a device, as far as the segment goes. */
static void test_limit(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;

    behind(f, &notes);
    p2m_set_entry(f->d, PFN_DOWN(DATA), INVALID_MFN, p2m_mmio_dm);
    hvm_put(f, HVM_CODE, "\xf3\xaa", 2);
    memset(r->gpr, 0, sizeof(r->gpr));
    r->rip = HVM_CODE;
    r->rsp = HVM_STACK - 8;
    r->rcx = 10;
    r->rdi = DATA;
    r->seg[CPU_SEG_ES].limit = DATA + 2;
    seen[0] = '\0';
    hvm_emulate(f->v, 0);
    assert_string_equal(seen, " w1 0=0 w1 1=0 w1 2=0");
    assert_int_equal(r->rcx, 7);
    assert_int_equal(r->rdi, DATA + 3);
}

/* The code of ring 3 is fetched as ring 3's: with SMEP on, a kernel might not. One page of 4 MiB, the user's. */
static void test_user_with_smep(void **state)
{
    struct fixture *f = *state;
    struct cpu_state *r = f->v->regs;
    const uint32_t entry = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_PSE;

    behind(f, &notes);
    p2m_set_entry(f->d, PFN_DOWN(DATA), INVALID_MFN, p2m_mmio_dm);
    hvm_put(f, TABLES, &entry, sizeof(entry));
    hvm_put(f, HVM_CODE, "\x8b\x03", 2); /* mov (%ebx), %eax */
    r->cr3 = TABLES;
    r->cr4 |= X86_CR4_PSE | X86_CR4_SMEP;
    r->cr0 |= X86_CR0_PG;
    r->cpl = 3;
    r->rbx = DATA + 0x10;
    seen[0] = '\0';
    hvm_emulate(f->v, DATA + 0x10);
    assert_string_equal(seen, " r4 10");
    assert_int_equal(r->rip, HVM_CODE + 2);
}

/* What is not carried out is #GP: without an IDT that is a triple fault. Nobody is asked for anything. */
static void test_unknown(void **state)
{
    struct fixture *f = *state;

    p2m_set_entry(f->d, PFN_DOWN(DATA), INVALID_MFN, p2m_mmio_dm);
    hvm_put(f, HVM_CODE, "\x0f\xae\x03", 3);
    f->v->regs->rbx = DATA;
    f->v->regs->idtr.limit = 0;
    seen[0] = '\0';
    hvm_emulate(f->v, DATA);
    assert_true(f->d->is_shut_down && f->d->shutdown_code == SHUTDOWN_reboot);
    assert_string_equal(seen, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_accesses, hvm_setup, fix_teardown),
                                        cmocka_unit_test_setup_teardown(test_limit, hvm_setup, fix_teardown),
                                        cmocka_unit_test_setup_teardown(test_user_with_smep, hvm_setup, fix_teardown),
                                        cmocka_unit_test_setup_teardown(test_unknown, hvm_setup, fix_teardown),
                                        cmocka_unit_test_setup_teardown(test_random, hvm_setup, fix_teardown) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
