// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cases on the emulated processor: a PV64 guest's user code, pcpu_run() without a hypervisor around it.
 */
#include "tests/cpu/cpucheck.h"

#include <stdlib.h>
#include <string.h>

#include "sim/insn.h"
#include "sim/machine.h"
#include "tests/support/ram.h"

#define P  0x1u
#define RW 0x2u
#define US 0x4u

enum { FRAME_L4 = 0x10, FRAME_L3, FRAME_L2, FRAME_L1, FRAME_CODE, FRAME_RO, FRAME_DATA, FRAME_STACK = FRAME_DATA + 2 };

struct check_guest {
    struct machine *m;
    struct cpu_context *c;
    struct cpu_segment cs64;
};

static uint64_t *table(struct check_guest *g, unsigned int frame) { return ram_page(g->m, _mfn(frame)); }

static void map(struct check_guest *g, uint32_t addr, unsigned int frame, uint64_t rights)
{
    table(g, FRAME_L1)[addr >> PAGE_SHIFT & 511] = (uint64_t)frame << PAGE_SHIFT | rights;
}

struct check_guest *check_guest_create(void)
{
    const struct machine_config cfg = { .ram_mib = 16, .nr_pcpus = 1, .seed = 1 };
    struct check_guest *g = calloc(1, sizeof(*g));
    char err[200] = "";

    if (g)
        g->m = machine_create(&cfg, err, sizeof(err));
    if (!g || !g->m) {
        fprintf(stderr, "no machine: %s\n", err);
        abort();
    }
    table(g, FRAME_L4)[0] = FRAME_L3 << PAGE_SHIFT | P | RW | US;
    table(g, FRAME_L3)[0] = FRAME_L2 << PAGE_SHIFT | P | RW | US;
    table(g, FRAME_L2)[CHECK_CODE >> 21] = FRAME_L1 << PAGE_SHIFT | P | RW | US;
    map(g, CHECK_CODE, FRAME_CODE, P | US);
    map(g, CHECK_DATA, FRAME_DATA, P | RW | US);
    map(g, CHECK_DATA + CHECK_PAGE, FRAME_DATA + 1, P | RW | US);
    map(g, CHECK_RO, FRAME_RO, P | US);
    map(g, CHECK_STACK, FRAME_STACK, P | RW | US);
    g->c = cpu_context_create(g->m, CPU_MODE_PV64, &PV_CONTROLS);
    cpu_context_state(g->c)->cr3 = FRAME_L4 << PAGE_SHIFT;
    g->cs64 = cpu_context_state(g->c)->seg[CPU_SEG_CS];
    return g;
}

void check_guest_destroy(struct check_guest *g)
{
    cpu_context_destroy(g->c);
    machine_destroy(g->m);
    free(g);
}

static void load(struct check_guest *g, const struct check_case *c, uint8_t (*mem)[CHECK_PAGE])
{
    struct cpu_state *st = cpu_context_state(g->c);
    uint8_t code[CHECK_MAX_INSNS * 15 + 2];
    const size_t len = check_case_code(c, code);

    memset(ram_page(g->m, _mfn(FRAME_CODE)), 0, CHECK_PAGE); /* it is read as data, too */
    memcpy(ram_page(g->m, _mfn(FRAME_CODE)), code, len);
    memcpy(ram_page(g->m, _mfn(FRAME_DATA)), mem[0], 2 * CHECK_PAGE);
    memcpy(ram_page(g->m, _mfn(FRAME_STACK)), mem[2], CHECK_PAGE);
    memcpy(ram_page(g->m, _mfn(FRAME_RO)), mem[3], CHECK_PAGE);
    memcpy(st->gpr, c->gpr, sizeof(st->gpr));
    st->rflags = c->rflags;
    st->rip = CHECK_CODE;
    st->seg[CPU_SEG_CS] = c->bits == 64 ? g->cs64 : (struct cpu_segment){ 0xe023, 0xcfb, ~0u, 0 };
    memcpy(st->fxsave, c->fxsave, sizeof(st->fxsave));
    st->dirty |= CPU_DIRTY_FPU | CPU_DIRTY_SEGS;
}

void check_guest_run(struct check_guest *g, const struct check_case *c, uint8_t (*mem)[CHECK_PAGE],
                     struct check_result *r)
{
    struct cpu_state *st = cpu_context_state(g->c);
    struct sim_exit x;

    load(g, c, mem);
    x = pcpu_run(g->m->pcpu[0], g->c, 1u << 20);
    cpu_context_save_fpu(g->c);
    memset(r, 0, offsetof(struct check_result, fxsave));
    r->ran = x.kind == EXIT_EXCEPTION || x.kind == EXIT_SOFTINT;
    if (!r->ran)
        fprintf(stderr, "cpucheck: exit %s (%s)\n", sim_exit_name(x.kind), x.kind == EXIT_ERROR ? x.error.why : "");
    r->vector = sim_exit_vector(&x);
    if (x.kind == EXIT_EXCEPTION) {
        r->error_code = x.exception.error_code;
        r->addr = x.exception.addr;
    }
    memcpy(r->gpr, st->gpr, sizeof(r->gpr));
    r->rip = st->rip;
    r->rflags = st->rflags;
    memcpy(r->fxsave, st->fxsave, sizeof(r->fxsave));
    memcpy(r->mem[0], ram_page(g->m, _mfn(FRAME_DATA)), 2 * CHECK_PAGE);
    memcpy(r->mem[2], ram_page(g->m, _mfn(FRAME_STACK)), CHECK_PAGE);
}

/* --------------------------------------------------------------------------------------------------------- text -- */

static struct cpu_state decode_state(struct check_guest *g, const struct check_case *c)
{
    struct cpu_state st = *cpu_context_state(g->c);

    st.rip = CHECK_CODE;
    st.seg[CPU_SEG_CS] = c->bits == 64 ? g->cs64 : (struct cpu_segment){ 0xe023, 0xcfb, ~0u, 0 };
    return st;
}

void check_insn_name(struct check_guest *g, const struct check_case *c, unsigned int i, char *buf, size_t len)
{
    const struct cpu_state st = decode_state(g, c);
    const struct insn insn = insn_decode(g->m->edges->decoder, &st, c->insn[i].bytes, c->insn[i].len);

    snprintf(buf, len, "%s", insn.text);
    buf[strcspn(buf, " ")] = '\0';
}

void check_case_print(struct check_guest *g, const struct check_case *c, FILE *f)
{
    struct cpu_state st = decode_state(g, c);
    uint64_t addr = CHECK_CODE;
    char text[400];

    st.rip = 0; /* no arrow */
    for (unsigned int i = 0; i < c->nr; i++) {
        insn_disassemble(g->m->edges->decoder, &st, c->insn[i].bytes, c->insn[i].len, addr, text, sizeof(text));
        fprintf(f, "  %s", text);
        addr += c->insn[i].len;
    }
}
