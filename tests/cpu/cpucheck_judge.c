// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The judgement: what differs, and the smallest case that shows it.
 *
 * Concept: a finding is shrunk by leaving out instructions, then by replacing start values by plain ones, as long as a
 * difference remains that is not a known one.
 */
#include "tests/cpu/cpucheck.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 512

/* Of RFLAGS: what user code can change. RF is the fault's, not the code's. */
#define FLAGS_COMPARED (FLAG_ALL | FLAG_D | 0x244300u)

static uint8_t memory[CHECK_PAGES][CHECK_PAGE];

/* The flags left undefined by the instructions in front of rip. */
static uint16_t undefined_at(const struct check_case *c, uint64_t rip)
{
    uint64_t at = CHECK_CODE;
    uint16_t undef = 0;

    for (unsigned int i = 0; i < c->nr; i++) {
        at += c->insn[i].len;
        if (at > rip)
            break;
        undef = (uint16_t)((undef & ~c->insn[i].writes) | c->insn[i].undef);
    }
    return undef;
}

/* Linux tells user code that all of the kernel's half is present. */
static bool user_address(uint64_t addr) { return addr < UINT64_C(0x00007ffffffff000); }
static uint32_t error_code_visible(const struct check_result *n)
{
    return n->error_code & ~(uint32_t)(n->vector == 14 && !user_address(n->addr));
}

struct diff {
    char field[24]; /* the first that differs; empty: none */
    char text[1200];
};

static void differ(struct diff *d, const char *field, uint64_t native, uint64_t guest)
{
    const size_t used = strlen(d->text);

    if (!d->field[0])
        snprintf(d->field, sizeof(d->field), "%s", field);
    snprintf(d->text + used, sizeof(d->text) - used, "    %-8s host %016" PRIx64 "  guest %016" PRIx64 "\n", field,
             native, guest);
}

static uint64_t field(const uint8_t *p, unsigned int n)
{
    uint64_t v = 0;

    memcpy(&v, p, n);
    return v;
}

static void compare_fxsave(struct diff *d, const uint8_t *n, const uint8_t *g)
{
    static const struct {
        const char *name;
        uint8_t at, size;
    } words[] = { { "fcw", 0, 2 }, { "fsw", 2, 2 }, { "ftw", 4, 1 }, { "mxcsr", 24, 4 } };
    char name[16];

    for (unsigned int i = 0; i < 4; i++)
        if (field(n + words[i].at, words[i].size) != field(g + words[i].at, words[i].size))
            differ(d, words[i].name, field(n + words[i].at, words[i].size), field(g + words[i].at, words[i].size));
    for (unsigned int i = 0; i < 24; i++) {
        const unsigned int at = 32 + 16 * i, size = i < 8 ? 10 : 16;

        if (!memcmp(n + at, g + at, size))
            continue;
        snprintf(name, sizeof(name), i < 8 ? "st%u.hi" : "xmm%u.hi", i < 8 ? i : i - 8);
        if (field(n + at + 8, size - 8) != field(g + at + 8, size - 8))
            differ(d, name, field(n + at + 8, size - 8), field(g + at + 8, size - 8));
        name[strlen(name) - 2] = 'l';
        name[strlen(name) - 1] = 'o';
        if (field(n + at, 8) != field(g + at, 8))
            differ(d, name, field(n + at, 8), field(g + at, 8));
    }
}

static void compare_memory(struct diff *d, const struct check_result *n, const struct check_result *g)
{
    const uint8_t *a = n->mem[0], *b = g->mem[0];
    unsigned int shown = 0;
    char name[24];

    if (!memcmp(n->mem, g->mem, sizeof(n->mem)))
        return;
    for (unsigned int i = 0; i < sizeof(n->mem) && shown < 4; i += 8)
        if (memcmp(a + i, b + i, 8)) {
            snprintf(name, sizeof(name), "mem+%x", i);
            differ(d, shown++ ? name : "mem", field(a + i, 8), field(b + i, 8));
        }
}

static struct diff compare(const struct check_case *c, const struct check_result *n, struct check_result *g,
                           unsigned int *known)
{
    static const char *const names[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                         "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
    const uint64_t mask = c->bits == 32 ? 0xffffffff : ~UINT64_C(0);
    struct diff d = { "", "" };
    uint64_t flags;

    if (!n->ran || !g->ran) {
        differ(&d, "ran", n->ran, g->ran);
        return d;
    }
    *known |= check_known(c, n, g);
    if (n->vector != g->vector)
        differ(&d, "vector", n->vector, g->vector);
    if (n->rip != g->rip)
        differ(&d, "rip", n->rip, g->rip);
    if (n->vector == g->vector && n->vector >= 8 && n->vector <= 14 &&
        error_code_visible(n) != (g->error_code & ~(uint32_t)(n->vector == 14 && !user_address(n->addr))))
        differ(&d, "error", n->error_code, g->error_code);
    if (n->vector == 14 && g->vector == 14 && n->addr != g->addr)
        differ(&d, "cr2", n->addr, g->addr);
    for (unsigned int i = 0; i < (c->bits == 32 ? 8 : 16); i++)
        if ((n->gpr[i] ^ g->gpr[i]) & mask)
            differ(&d, names[i], n->gpr[i], g->gpr[i]);
    flags = FLAGS_COMPARED & ~(uint64_t)undefined_at(c, n->rip);
    if ((n->rflags ^ g->rflags) & flags)
        differ(&d, "rflags", n->rflags & flags, g->rflags & flags);
    compare_fxsave(&d, n->fxsave, g->fxsave);
    compare_memory(&d, n, g);
    return d;
}

/* ---------------------------------------------------------------------------------------------------- shrinking -- */

static struct diff try(struct check_run *run, const struct check_case *c)
{
    static struct check_result n, g;
    unsigned int known = 0;

    check_native_run(run->native, c, 1, memory, &n);
    check_guest_run(run->guest, c, memory, &g);
    return compare(c, &n, &g, &known);
}

static bool still(struct check_run *run, const struct check_case *c, struct diff *d)
{
    struct diff now;

    if (!check_case_valid(c))
        return false;
    now = try(run, c);
    if (!now.field[0] || !strcmp(now.field, "ran"))
        return false;
    *d = now;
    return true;
}

static void shrink(struct check_run *run, struct check_case *c, struct diff *d)
{
    struct check_case less;

    for (unsigned int i = c->nr; i-- > 0 && c->nr > 1;) {
        less = *c;
        memmove(&less.insn[i], &less.insn[i + 1], (c->nr - i - 1) * sizeof(less.insn[0]));
        less.nr--;
        if (still(run, &less, d))
            *c = less;
    }
    for (unsigned int i = 0; i < 16; i++) {
        less = *c;
        less.gpr[i] = 0;
        if (c->gpr[i] && still(run, &less, d))
            *c = less;
    }
    less = *c;
    less.rflags = 0x202;
    if (c->rflags != less.rflags && still(run, &less, d))
        *c = less;
}

static void report(struct check_run *run, const struct check_case *c, const struct diff *d)
{
    char name[32];

    check_insn_name(run->guest, c, c->nr - 1u, name, sizeof(name));
    fprintf(run->out, "FINDING %s %s%s seed %#" PRIx64 ", %u bits, rflags %" PRIx64 " fcw %x fsw %x ftw %x mxcsr %x\n",
            name, d->field, c->nr > 1 ? "+" : "", c->seed, c->bits, c->rflags, (unsigned int)field(c->fxsave, 2),
            (unsigned int)field(c->fxsave + 2, 2), c->fxsave[4], (unsigned int)field(c->fxsave + 24, 4));
    check_case_print(run->guest, c, run->out);
    for (unsigned int i = 0; i < 16; i++)
        if (c->gpr[i])
            fprintf(run->out, "  gpr%u=%" PRIx64, i, c->gpr[i]);
    fprintf(run->out, "\n%s", d->text);
    fflush(run->out);
}

static uint64_t end_of(const struct check_case *c)
{
    uint8_t code[CHECK_MAX_INSNS * 15 + 2];

    return CHECK_CODE + check_case_code(c, code) - 2;
}

bool check_differs(const struct check_case *c, const struct check_result *n, struct check_result *g)
{
    unsigned int known = 0;
    const struct diff d = compare(c, n, g, &known);

    return d.field[0];
}

unsigned int check_cases(struct check_run *run, struct check_case *cases, unsigned int nr)
{
    static struct check_result native[BATCH], guest;
    unsigned int found = 0;

    if (nr > BATCH)
        abort();
    check_native_run(run->native, cases, nr, memory, native);
    for (unsigned int i = 0; i < nr; i++) {
        unsigned int known = 0;
        struct diff d;

        run->ran++;
        run->instructions += cases[i].nr;
        run->completed += native[i].ran && native[i].rip == end_of(&cases[i]);
        check_guest_run(run->guest, &cases[i], memory, &guest);
        d = compare(&cases[i], &native[i], &guest, &known);
        for (unsigned int k = 1; k < NR_KNOWN; k++)
            run->known[k] += known >> k & 1;
        if (!d.field[0])
            continue;
        found++;
        shrink(run, &cases[i], &d);
        report(run, &cases[i], &d);
    }
    run->differed += found;
    return found;
}

unsigned int check_batch(struct check_run *run, uint64_t seed, unsigned int nr)
{
    static struct check_case cases[BATCH];

    if (nr > BATCH)
        abort();
    check_memory_make(memory, seed);
    for (unsigned int i = 0; i < nr; i++)
        check_case_make(&cases[i], &run->o, seed + i);
    return check_cases(run, cases, nr);
}
