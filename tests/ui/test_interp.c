// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interpreter (vcpu/five/) against the engine: two machines with the same guest, of which one is executed by each.
 * Behind each instruction the whole state of the vCPU is the same, and at the end the machine's time.
 *
 * It could pass wrongly if both processors made the same mistake; flags that the manual leaves undefined are compared
 * as well, since the interpreter has them as the engine does.
 *
 * Budget: one table of forms, which is as long as the opcode maps.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mmu/guest_access.h"
#include "sim/nested.h"
#include "tools/host.h"
#include "ui/options.h"
#include "ui/start.h"
#include "vcpu/noun/domain.h"

#define FIVE "build/guests/five/five.native"

struct side {
    struct run_options options;
    struct host_pool pools[HOST_MAX_POOLS];
    struct guest_list list;
    struct host *h;
    char said[16384];
    size_t len;
};

static void hear(void *data, const char *line, size_t len)
{
    struct side *s = data;

    if (s->len + len < sizeof(s->said)) {
        memcpy(s->said + s->len, line, len);
        s->len += len;
    }
}

static struct side *side_make(char *technique)
{
    char *argv[] = { "--memory", "16", "--type", "pvh", "-q", "--technique", technique, FIVE };
    struct side *s = calloc(1, sizeof(*s));
    char err[START_ERR_SIZE] = "";
    const struct host_io io = { .data = s };

    assert_non_null(s);
    if (options_parse(&s->options, COMMAND_RUN, ARRAY_SIZE(argv), argv, err) ||
        guest_list_load(&s->list, &s->options, err) ||
        !(s->h = start_host(&s->options, &s->list, &io, s->pools, NULL, err)))
        fail_msg("%s", err);
    host_log(s->h, hear, s, start_log_level(&s->options));
    if (start_guests(s->h, &s->list, err))
        fail_msg("%s", err);
    return s;
}

static void side_free(struct side *s)
{
    host_destroy(s->h);
    guest_list_free(&s->list);
    options_free(&s->options);
    free(s);
}

/* To this many instructions. */
static void go(struct side *s, uint64_t insns)
{
    const bool stop = false;
    const struct run_limit limit = { .until = SECONDS(1),
                                     .at = { .insns = insns, .step = insns == UINT64_MAX ? UINT64_MAX : 0 },
                                     .stop = &stop };

    while (host_guests_left(s->h) && host_now(s->h) < limit.until && host_machine(s->h)->at.insns < insns)
        if (host_run_to(s->h, &limit) == RUN_AT)
            return;
}

static const struct cpu_state *state_of(const struct side *s)
{
    struct domain *d = domain_from(host_xen(s->h), 1);

    if (!d || !d->vcpu[0]->regs)
        return NULL;
    return d->vcpu[0]->regs;
}

#define SAME(field)                                                                                                    \
    do {                                                                                                               \
        if (memcmp(&a->field, &b->field, sizeof(a->field)))                                                            \
            fail_msg("#%" PRIu64 ", at %#" PRIx64 " and %#" PRIx64 ": " #field " is %#" PRIx64                         \
                     ", interpreted %#" PRIx64,                                                                        \
                     n, a->rip, b->rip, *(const uint64_t *)(const void *)&a->field,                                    \
                     *(const uint64_t *)(const void *)&b->field);                                                      \
    } while (0)

static void compare(const struct side *engine, const struct side *interp, uint64_t n)
{
    static const char *const names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi" };
    const struct cpu_state *a = state_of(engine), *b = state_of(interp);

    assert_int_equal(host_machine(engine->h)->at.insns, host_machine(interp->h)->at.insns);
    if (host_now(engine->h) != host_now(interp->h))
        fail_msg("#%" PRIu64 ": it is %" PRId64 ", interpreted %" PRId64, n, host_now(engine->h), host_now(interp->h));
    assert_int_equal(!a, !b);
    if (!a)
        return;
    SAME(rip);
    if ((a->rflags ^ b->rflags) & ~(uint64_t)X86_EFLAGS_RF) /* which the engine ends at the end of a block */
        SAME(rflags);
    for (unsigned int i = 0; i < 16; i++)
        if (a->gpr[i] != b->gpr[i])
            fail_msg("#%" PRIu64 ", at %#" PRIx64 ": %s (%u) is %#" PRIx64 ", interpreted %#" PRIx64, n, a->rip,
                     i < 8 ? names[i] : "r", i, a->gpr[i], b->gpr[i]);
    SAME(cpl);
    SAME(insns_in);
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        if (a->seg[i].sel != b->seg[i].sel || a->seg[i].attr != b->seg[i].attr || a->seg[i].base != b->seg[i].base)
            fail_msg("#%" PRIu64 ", at %#" PRIx64 ": segment %u is %x %x, interpreted %x %x", n, a->rip, i,
                     a->seg[i].sel, a->seg[i].attr, b->seg[i].sel, b->seg[i].attr);
    SAME(tr.sel);
    SAME(tr.base);
    SAME(gdtr.base);
    SAME(idtr.base);
    SAME(cr0);
    SAME(cr2);
    SAME(cr3);
    SAME(cr4);
    SAME(efer);
    SAME(star);
    SAME(lstar);
}

/* n instructions one by one, `skip` apart. */
static uint64_t lockstep(struct side *engine, struct side *interp, uint64_t from, uint64_t n, uint64_t skip)
{
    for (uint64_t at = from; n-- && host_guests_left(engine->h); at += skip) {
        go(engine, at);
        go(interp, at);
        compare(engine, interp, at);
        from = at;
    }
    return from;
}

static void test_lockstep(void **state)
{
    struct side *engine = side_make("hardware"), *interp = side_make("emulate");
    uint64_t at;

    (void)state;
    at = lockstep(engine, interp, 1, 20000, 1);
    at = lockstep(engine, interp, at, 2000, 997);
    at = lockstep(engine, interp, at, 3000, 1);
    at = lockstep(engine, interp, at, 100000, 9973);
    assert_true(at > 8000000);
    go(engine, UINT64_MAX);
    go(interp, UINT64_MAX);
    assert_int_equal(host_guests_left(engine->h), 0);
    assert_int_equal(host_guests_left(interp->h), 0);
    assert_int_equal(host_now(engine->h), host_now(interp->h));
    assert_string_equal(engine->said, interp->said);
    assert_non_null(strstr(interp->said, "five: done, hash 0xc2a4d601ce2808c5"));
    side_free(engine);
    side_free(interp);
}

/* ------------------------------------------------------------------------------------------- random instructions -- */

#define TRIALS 100000
#define CODE   24 /* bytes of it that are written */

static uint64_t seed = 1;

static uint64_t dice(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1dull;
}

/* Values at which something happens, or any. */
static uint64_t number(void)
{
    static const uint64_t some[] = { 0, 1, 2, 7, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000 };
    const uint64_t r = dice();

    return r % 4 == 0 ? some[r / 4 % ARRAY_SIZE(some)] : r % 4 == 1 ? -some[r / 4 % ARRAY_SIZE(some)] : dice();
}

/* Opcodes that have a ModRM, 0x100: behind 0F; and of those with a digit, the digits that are known. */
static const struct form {
    uint16_t from, to;
    uint8_t digits; /* 0: it is a register */
    uint8_t imm;    /* bytes: 1; 4: as the operand, at most 4 */
    bool modrm;
    uint32_t undefined; /* flags */
} forms[] = {
#define LOGIC   X86_EFLAGS_AF
#define BIT     (X86_EFLAGS_AF | X86_EFLAGS_PF | X86_EFLAGS_SF | X86_EFLAGS_OF)
#define SHIFTED (X86_EFLAGS_AF | X86_EFLAGS_OF)
#define PRODUCT (X86_EFLAGS_AF | X86_EFLAGS_PF | X86_EFLAGS_ZF | X86_EFLAGS_SF)
    { 0x00, 0x03, 0, 0, true, 0 },
    { 0x08, 0x0b, 0, 0, true, LOGIC },
    { 0x10, 0x13, 0, 0, true, 0 },
    { 0x18, 0x1b, 0, 0, true, 0 },
    { 0x20, 0x23, 0, 0, true, LOGIC },
    { 0x28, 0x2b, 0, 0, true, 0 },
    { 0x30, 0x33, 0, 0, true, LOGIC },
    { 0x38, 0x3b, 0, 0, true, 0 },
    { 0x04, 0x04, 0, 1, false, 0 },
    { 0x3d, 0x3d, 0, 4, false, 0 },
    { 0x50, 0x57, 0, 0, false, 0 },
    { 0x58, 0x5b, 0, 0, false, 0 },
    { 0x63, 0x63, 0, 0, true, 0 },
    { 0x69, 0x69, 0, 4, true, PRODUCT },
    { 0x6b, 0x6b, 0, 1, true, PRODUCT },
    { 0x80, 0x80, 0xff, 1, true, LOGIC },
    { 0x81, 0x81, 0xff, 4, true, LOGIC },
    { 0x83, 0x83, 0xff, 1, true, LOGIC },
    { 0x84, 0x85, 0, 0, true, LOGIC },
    { 0x86, 0x8b, 0, 0, true, 0 },
    { 0x98, 0x99, 0, 0, false, 0 },
    { 0x9c, 0x9c, 0, 0, false, 0 },
    { 0xa8, 0xa8, 0, 1, false, LOGIC },
    { 0xa9, 0xa9, 0, 4, false, LOGIC },
    { 0xb0, 0xb3, 0, 1, false, 0 },
    { 0xc0, 0xc1, 0xff, 1, true, SHIFTED },
    { 0xd0, 0xd1, 0xff, 0, true, LOGIC },
    { 0xd2, 0xd3, 0xff, 0, true, SHIFTED },
    { 0xc6, 0xc6, 1, 1, true, 0 },
    { 0xc7, 0xc7, 1, 4, true, 0 },
    { 0xf5, 0xf5, 0, 0, false, 0 },
    { 0xf8, 0xf9, 0, 0, false, 0 },
    { 0xf6, 0xf6, 1, 1, true, LOGIC },
    { 0xf7, 0xf7, 1, 4, true, LOGIC },
    { 0xf6, 0xf7, 0x0c, 0, true, 0 },
    { 0xf6, 0xf7, 0x30, 0, true, PRODUCT },
    { 0xf6, 0xf7, 0xc0, 0, true, X86_EFLAGS_ARITH_MASK },
    { 0xfe, 0xff, 3, 0, true, 0 },
    { 0x140, 0x14f, 0, 0, true, 0 },
    { 0x190, 0x19f, 0, 0, true, 0 },
    { 0x1af, 0x1af, 0, 0, true, PRODUCT },
    { 0x1b6, 0x1b7, 0, 0, true, 0 },
    { 0x1be, 0x1bf, 0, 0, true, 0 },
    { 0x11e, 0x11f, 0, 0, true, 0 },
    { 0x1a4, 0x1a4, 0, 1, true, SHIFTED },
    { 0x1a5, 0x1a5, 0, 0, true, SHIFTED },
    { 0x1ac, 0x1ac, 0, 1, true, SHIFTED },
    { 0x1ad, 0x1ad, 0, 0, true, SHIFTED },
    { 0x1a3, 0x1a3, 0, 0, true, BIT },
    { 0x1ab, 0x1ab, 0, 0, true, BIT },
    { 0x1b3, 0x1b3, 0, 0, true, BIT },
    { 0x1bb, 0x1bb, 0, 0, true, BIT },
    { 0x1ba, 0x1ba, 0xff, 1, true, BIT },
    { 0x1bc, 0x1bd, 0, 0, true, X86_EFLAGS_ARITH_MASK & ~X86_EFLAGS_ZF },
    { 0x1b0, 0x1b1, 0, 0, true, 0 },
    { 0x1c0, 0x1c1, 0, 0, true, 0 },
    { 0x1c7, 0x1c7, 2, 0, true, 0 },
    { 0x1c8, 0x1cf, 0, 0, false, 0 },
    { 0x100, 0x100, 0x33, 0, true, 0 },
    { 0x102, 0x103, 0, 0, true, 0 },
    { 0x1a0, 0x1a0, 0, 0, false, 0 },
    { 0x1a8, 0x1a8, 0, 0, false, 0 },
};

/* An instruction of one of the forms: operands are registers, or 8 bytes and more above RSP. */
static const struct form *instruction(uint8_t *to)
{
    const struct form *f = &forms[dice() % ARRAY_SIZE(forms)];
    const unsigned int opcode = f->from + (unsigned int)(dice() % (f->to - f->from + 1u));
    const bool far = f->from == 0x1ab || f->from == 0x1b3 || f->from == 0x1bb; /* stores to anywhere */
    const bool memory = f->modrm && !far && dice() % 3 == 0;
    const bool rep = (f->from == 0x1bc && dice() % 2);
    uint8_t digit = dice() % 8, rex = 0;
    bool p66;

    while (f->digits && !(f->digits >> digit & 1))
        digit = dice() % 8;
    p66 = dice() % 4 == 0 && f->from != 0x1c8 && (f->from < 0x1a4 || f->from > 0x1ad); /* undefined */
    if (p66)
        *to++ = 0x66;
    if (memory && dice() % 4 == 0)
        *to++ = 0x64; /* FS, whose base is 8 */
    if (rep)
        *to++ = 0xf3;
    if (dice() % 2)
        *to++ = rex = (uint8_t)(0x40 | (dice() & (memory ? 0xc : 0xf)));
    if (opcode & 0x100)
        *to++ = 0x0f;
    *to++ = (uint8_t)opcode;
    if (memory) {
        *to++ = (uint8_t)(0x44 | digit << 3);
        *to++ = 0x24;
        *to++ = (uint8_t)(8 + dice() % 64);
    } else if (f->modrm) {
        *to++ = (uint8_t)(0xc0 | digit << 3 | (dice() & 7));
    }
    for (unsigned int i = 0; i < (f->imm == 4 && p66 && !(rex & 8) ? 2 : f->imm); i++)
        *to++ = (uint8_t)dice();
    return f;
}

static struct vcpu *vcpu_of(const struct side *s) { return domain_from(host_xen(s->h), 1)->vcpu[0]; }

static void poke(const struct side *s, uint64_t va, const void *bytes, size_t n)
{
    struct nested_walk w;
    uint64_t at;

    assert_true(hvm_access(vcpu_of(s), va, (void *)(uintptr_t)bytes, n, PFEC_write_access, &w, &at));
}

struct trial {
    uint64_t code, stack, gpr[16], flags, words[12];
    uint8_t bytes[CODE];
};

static void trial_set(const struct side *s, const struct trial *t)
{
    struct cpu_state *r = vcpu_of(s)->regs;

    poke(s, t->code, t->bytes, CODE);
    poke(s, t->stack, t->words, sizeof(t->words));
    memcpy(r->gpr, t->gpr, sizeof(r->gpr));
    r->seg[CPU_SEG_FS].base = 8;
    r->dirty |= CPU_DIRTY_SEGS;
    r->rip = t->code;
    r->rflags = t->flags;
}

static void trial_fail(const struct trial *t, const char *what, uint64_t a, uint64_t b)
{
    char text[3 * CODE + 1] = "";

    for (unsigned int i = 0; i < CODE; i++)
        sprintf(text + 3 * i, "%02x ", t->bytes[i]);
    fail_msg("%s: %s is %#" PRIx64 ", interpreted %#" PRIx64 " (rax %#" PRIx64 " rcx %#" PRIx64 " flags %#" PRIx64 ")",
             text, what, a, b, t->gpr[0], t->gpr[1], t->flags);
}

static void trial_compare(const struct trial *t, const struct form *f, const struct side *engine,
                          const struct side *interp)
{
    const struct cpu_state *a = vcpu_of(engine)->regs, *b = vcpu_of(interp)->regs;
    uint64_t wa[12], wb[12];

    if (a->rip != b->rip)
        trial_fail(t, "rip", a->rip, b->rip);
    if ((a->rflags ^ b->rflags) & ~(uint64_t)(f->undefined | X86_EFLAGS_RF))
        trial_fail(t, "rflags", a->rflags, b->rflags);
    for (unsigned int i = 0; i < 16; i++)
        if (a->gpr[i] != b->gpr[i])
            trial_fail(t, "a register", a->gpr[i], b->gpr[i]);
    if (a->rip - t->code > CODE)
        return; /* a fault: RFLAGS are on the stack, and what is undefined in them */
    assert_int_equal(guest_peek(vcpu_of(engine), t->stack, wa, sizeof(wa)), sizeof(wa));
    assert_int_equal(guest_peek(vcpu_of(interp), t->stack, wb, sizeof(wb)), sizeof(wb));
    for (unsigned int i = 0; i < 12; i++)
        if (wa[i] != wb[i])
            trial_fail(t, "memory", wa[i], wb[i]);
}

static void test_random(void **state)
{
    struct side *engine = side_make("hardware"), *interp = side_make("emulate");
    uint64_t at = 30000, faults = 0;
    struct trial t;

    (void)state;
    go(engine, at);
    go(interp, at);
    compare(engine, interp, at);
    t.code = state_of(engine)->rip & -(uint64_t)64;
    t.stack = (state_of(engine)->rsp & -(uint64_t)64) - 1024;
    for (unsigned int i = 0; i < TRIALS; i++) {
        const struct form *f;

        memset(t.bytes, 0x90, CODE);
        f = instruction(t.bytes);
        for (unsigned int k = 0; k < 16; k++)
            t.gpr[k] = number();
        for (unsigned int k = 0; k < 12; k++)
            t.words[k] = number();
        t.gpr[4] = t.stack + 16;
        t.flags = X86_EFLAGS_MBS | (dice() & X86_EFLAGS_ARITH_MASK);
        trial_set(engine, &t);
        trial_set(interp, &t);
        at++;
        go(engine, at);
        go(interp, at);
        trial_compare(&t, f, engine, interp);
        faults += state_of(engine)->rip - t.code > CODE;
    }
    assert_true(faults > 100 && faults < TRIALS / 4);
    side_free(engine);
    side_free(interp);
}

/* ------------------------------------------------------------------------------------------------- far transfers -- */

/*
 * Through pointers at RSP, or RSP + 8, of 32 or 64 bits; what RETF and IRET pop. Targets are canonical: the engine sees
 * only behind such a transfer that its target is not (xenlab limits).
 */
static const struct {
    const char *code;
    unsigned int pointer; /* bytes of the offset; 0: on the stack, in words */
} fars[] = {
    { "\xff\x2c\x24", 4 },         /* ljmp *(%rsp) */
    { "\x48\xff\x2c\x24", 8 },     /* with REX.W */
    { "\x48\xff\x5c\x24\x08", 8 }, /* lcall *8(%rsp), with REX.W: without it the engine has RSP in 32 bits */
    { "\x48\xcb", 0 },             /* lretq */
    { "\x48\xcf", 0 },             /* iretq */
    { "\xff\xe8", 4 },             /* of registers there is none */
    { "\xff\xd8", 4 },
    { "\xff\xf8", 4 },
    { "\xea", 4 }, /* these are not of 64-bit code */
    { "\x9a", 4 },
    { "\xce", 4 },
    { "\xd4\x0a", 4 },
    { "\xd5\x0a", 4 },
    { "\xd6", 4 },
    { "\xf0\x90", 4 }, /* LOCK of what takes none */
    { "\xf0\x01\xc0", 4 },
    { "\xf0\x39\x04\x24", 4 },
    { "\xf0\x89\x04\x24", 4 },
    { "\xf0\x0f\xa3\x04\x24", 4 },
    { "\x0f\xff", 4 }, /* UD0, UD1 */
    { "\x0f\xb9", 4 },
};

/* A selector: mostly of something that is there. */
static uint16_t selector(void)
{
    return dice() % 8 ? (uint16_t)(dice() % 9 * 8 + (dice() % 3 ? 0 : 3)) : (uint16_t)dice();
}

static void far_make(struct trial *t, size_t kind, uint16_t cs)
{
    const unsigned int from = 2 + (kind == 2), n = fars[kind].pointer;
    const uint64_t to = dice() % 4 ? t->code + 16 : (uint64_t)((int64_t)(number() << 16) >> 16);
    const uint16_t sel = dice() % 2 ? cs : selector();

    memset(t->bytes, 0x90, CODE);
    memcpy(t->bytes, fars[kind].code, strlen(fars[kind].code));
    for (unsigned int k = 0; k < 16; k++)
        t->gpr[k] = number();
    for (unsigned int k = 0; k < 12; k++)
        t->words[k] = number();
    t->gpr[4] = t->stack + 16;
    t->flags = X86_EFLAGS_MBS | (dice() & X86_EFLAGS_ARITH_MASK);
    if (n) {
        memcpy(&t->words[from], &to, n);
        memcpy((uint8_t *)&t->words[from] + n, &sel, 2);
        return;
    }
    t->words[2] = to;
    t->words[3] = sel;
    t->words[4] = kind == 3 ? t->stack + 64 : X86_EFLAGS_MBS | (dice() & X86_EFLAGS_ARITH_MASK);
    t->words[5] = kind == 3 ? selector() : t->stack + 64;
    t->words[6] = selector();
    for (unsigned int k = 5; k < 7; k++) /* of SS: whether a null selector has another ring, the engine does not ask */
        if ((kind == 3) == (k == 5) && !(t->words[k] & 0xfffc))
            t->words[k] = 0x10;
}

/* Where control goes, with which segments, and what is pushed; or which fault it is. */
static void test_far(void **state)
{
    struct side *sides[2] = { side_make("hardware"), side_make("emulate") };
    struct cpu_state start[2];
    static const struct form none;
    uint64_t at = 30000, there = 0;
    struct trial t;

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        go(sides[i], at);
        start[i] = *state_of(sides[i]);
    }
    t.code = start[0].rip & -(uint64_t)64;
    t.stack = (start[0].rsp & -(uint64_t)64) - 1024;
    for (unsigned int n = 0; n < TRIALS / 5; n++) {
        far_make(&t, n % ARRAY_SIZE(fars), start[0].seg[CPU_SEG_CS].sel);
        at++;
        for (unsigned int i = 0; i < 2; i++) {
            struct cpu_state *r = vcpu_of(sides[i])->regs;

            memcpy(r->seg, start[i].seg, sizeof(r->seg));
            r->cpl = start[i].cpl;
            r->dirty |= CPU_DIRTY_SEGS;
            trial_set(sides[i], &t);
            go(sides[i], at);
        }
        trial_compare(&t, &none, sides[0], sides[1]);
        compare(sides[0], sides[1], at);
        there += state_of(sides[0])->rip == t.code + 16;
    }
    assert_in_range(there, TRIALS / 200, TRIALS / 10);
    side_free(sides[0]);
    side_free(sides[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lockstep),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_far),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
