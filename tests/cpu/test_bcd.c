// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The six BCD instructions against a model: 32-bit code has them alone, and few hosts run that for `make cpucheck`.
 *
 * Concept: they read AX, CF and AF (and AAM and AAD a byte), and write AX and flags. So the four without an operand are
 * tried with all of AL, CF and AF, and the two with one with all of that, beside a sample of the rest. The model
 * follows the descriptions in AMD APM volume 3, chapter 3, each under its name; where they say less than Intel's
 * pseudo-code (SDM volume 2), that is followed.
 *
 * Could pass wrongly: where the model shares an error with the engine. The two were written independently of each
 * other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/cpu/cpucheck.h"
#include "tests/support/pv_guest.h"

#define DE 0

/* What an instruction makes of AX and the flags. */
struct bcd {
    uint8_t al, ah;
    bool cf, af;
    bool fault; /* #DE */
};

struct row {
    const char *name;
    uint8_t opcode;
    bool has_imm;
    uint16_t defined; /* flags; the others of the six are undefined: "rFLAGS affected", letter U */
    void (*model)(struct bcd *b, uint8_t imm);
};

/* AMD APM volume 3, "AAA". SDM: AX + 106h, so that a carry out of AL reaches AH, too. */
static void aaa(struct bcd *b, uint8_t imm)
{
    b->cf = b->af = (b->al & 15) > 9 || b->af;
    if (b->af) {
        const unsigned int ax = (unsigned int)(b->ah << 8 | b->al) + 0x106;

        b->al = (uint8_t)ax;
        b->ah = (uint8_t)(ax >> 8);
    }
    b->al &= 15;
}

/* AMD APM volume 3, "AAS". SDM: AX - 6, then AH - 1. */
static void aas(struct bcd *b, uint8_t imm)
{
    b->cf = b->af = (b->al & 15) > 9 || b->af;
    if (b->af) {
        const unsigned int ax = (unsigned int)(b->ah << 8 | b->al) - 0x106;

        b->al = (uint8_t)ax;
        b->ah = (uint8_t)(ax >> 8);
    }
    b->al &= 15;
}

/*
 * AMD APM volume 3, "DAA": each digit above 9, or with a carry out of it, is corrected; the upper one as it was before.
 */
static void daa(struct bcd *b, uint8_t imm)
{
    const bool high = b->al > 0x99 || b->cf;

    b->af = (b->al & 15) > 9 || b->af;
    b->al = (uint8_t)(b->al + (b->af ? 6 : 0) + (high ? 0x60 : 0));
    b->cf = high;
}

/* AMD APM volume 3, "DAS". SDM: CF is set by the borrow of the lower correction, too. */
static void das(struct bcd *b, uint8_t imm)
{
    const bool high = b->al > 0x99 || b->cf;

    b->af = (b->al & 15) > 9 || b->af;
    b->cf = high || (b->af && b->al < 6);
    b->al = (uint8_t)(b->al - (b->af ? 6 : 0) - (high ? 0x60 : 0));
}

/* AMD APM volume 3, "AAM": the base is the byte, 10 only by custom; #DE when it is 0. */
static void aam(struct bcd *b, uint8_t imm)
{
    b->fault = imm == 0;
    if (b->fault)
        return;
    b->ah = b->al / imm;
    b->al = b->al % imm;
}

/* AMD APM volume 3, "AAD": the byte likewise. */
static void aad(struct bcd *b, uint8_t imm)
{
    b->al = (uint8_t)(b->al + b->ah * imm);
    b->ah = 0;
}

static const struct row rows[] = {
    { "daa", 0x27, false, FLAG_ALL & ~FLAG_O, daa },      { "das", 0x2f, false, FLAG_ALL & ~FLAG_O, das },
    { "aaa", 0x37, false, FLAG_C | FLAG_A, aaa },         { "aas", 0x3f, false, FLAG_C | FLAG_A, aas },
    { "aam", 0xd4, true, FLAG_S | FLAG_Z | FLAG_P, aam }, { "aad", 0xd5, true, FLAG_S | FLAG_Z | FLAG_P, aad },
};

static uint64_t flags_of(const struct bcd *b)
{
    return (b->cf ? FLAG_C : 0) | (b->af ? FLAG_A : 0) | (b->al ? 0 : FLAG_Z) | (b->al & 0x80 ? FLAG_S : 0) |
           (__builtin_parity(b->al) ? 0 : FLAG_P);
}

static void row_load(struct pv_guest *g, const struct row *r, uint8_t imm)
{
    const uint8_t code[] = { r->opcode, r->has_imm ? imm : 0x90, 0x0f, 0x05 };

    pg_write(g, 0, 0, code, sizeof(code));
}

/* With these registers in front of the instruction: does the model's result come out, and nothing else change? */
static void row_try(struct pv_guest *g, const struct row *r, uint8_t imm, uint32_t eax, uint32_t flags)
{
    struct bcd b = { (uint8_t)eax, (uint8_t)(eax >> 8), flags & FLAG_C, flags & FLAG_A, false };
    const uint64_t compared = r->defined | (0xffffff & ~FLAG_ALL & ~0x10000u); /* RF is the fault's */
    struct sim_exit x;
    uint64_t want;

    memset(g->st->gpr, 0x5a, sizeof(g->st->gpr));
    g->st->gpr[0] = eax;
    g->st->rflags = flags;
    g->st->rip = PG_VA(0);
    x = pcpu_run(g->m->pcpu[0], g->c, 100);
    r->model(&b, imm);
    if (x.kind != (b.fault ? EXIT_EXCEPTION : EXIT_SYSCALL) ||
        (b.fault && (x.exception.vector != DE || g->st->rip != PG_VA(0))))
        fail_msg("%s %u: %s, vector %u", r->name, imm, sim_exit_name(x.kind), sim_exit_vector(&x));
    want = b.fault ? eax : (eax & 0xffff0000) | (uint32_t)b.ah << 8 | b.al;
    if (g->st->gpr[0] != want || (!b.fault && ((g->st->rflags ^ flags_of(&b) ^ (flags & ~FLAG_ALL)) & compared)))
        fail_msg("%s %u of %x, flags %x: %lx, flags %lx", r->name, imm, eax, flags, (unsigned long)g->st->gpr[0],
                 (unsigned long)g->st->rflags);
    assert_int_equal(g->st->gpr[2], UINT64_C(0x5a5a5a5a5a5a5a5a)); /* RDX; SYSCALL writes RCX and R11 */
}

static const uint32_t uppers[] = { 0, 0x100, 0x900, 0x7f00, 0x12340000, 0x80fe00, 0xffffff00 };
static const uint32_t all_flags[] = { 0x202, 0x202 | FLAG_ALL, 0x602 | FLAG_O | FLAG_Z };

static void test_without_operand(void **state)
{
    struct pv_guest g = pg_create_user32();

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].has_imm)
            continue;
        row_load(&g, &rows[i], 0);
        for (uint32_t ax = 0; ax < 256 * ARRAY_SIZE(uppers); ax++)
            for (unsigned int ca = 0; ca < 4; ca++) {
                uint32_t flags = all_flags[ax % ARRAY_SIZE(all_flags)] & ~(FLAG_C | FLAG_A);

                flags |= (ca & 1 ? FLAG_C : 0) | (ca & 2 ? FLAG_A : 0);
                row_try(&g, &rows[i], 0, uppers[ax / 256] | (ax & 255), flags);
            }
    }
    pg_destroy(&g);
}

static void test_with_operand(void **state)
{
    static const uint8_t lowers[] = { 0, 1, 9, 10, 15, 16, 99, 127, 128, 200, 255 };
    struct pv_guest g = pg_create_user32();

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (unsigned int imm = 0; rows[i].has_imm && imm < 256; imm++) {
            row_load(&g, &rows[i], (uint8_t)imm);
            for (unsigned int n = 0; n < ARRAY_SIZE(uppers) * ARRAY_SIZE(lowers); n++)
                row_try(&g, &rows[i], (uint8_t)imm, uppers[n % ARRAY_SIZE(uppers)] | lowers[n / ARRAY_SIZE(uppers)],
                        all_flags[n % ARRAY_SIZE(all_flags)]);
        }
    pg_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_operand),
        cmocka_unit_test(test_with_operand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
