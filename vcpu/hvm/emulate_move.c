// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moves between memory that is nobody's, or a device's, and XMM registers: how libraries copy and clear.
 *
 * Concept: which move it is the opcode says together with the last of the prefixes F2 and F3, or else 66; how many
 * bytes it moves, and what becomes of the register's others.
 *
 * An MMX register is the lower 64 bits of an x87 register; who writes it makes all of these valid. Arithmetic is not
 * here.
 *
 * Source: AMD APM volume 4; volume 3, appendix A (prefixes as part of opcodes).
 */
#include "vcpu/hvm/emulate.h"

#include <string.h>

enum { NONE, P66, PF3, PF2 };

struct move {
    uint8_t bytes;
    bool store, aligned;
    uint8_t at;   /* the first byte in the register */
    bool extends; /* what is above it becomes 0 */
    bool mmx;
};

/* False: none that is known. */
static bool move_of(const struct hvm_insn *in, struct move *m)
{
    const unsigned int prefix = in->p.repne ? PF2 : in->p.rep ? PF3 : in->p.p66 ? P66 : NONE;
    const bool rex_w = in->p.rex & 8;

    *m = (struct move){ .bytes = 16, .store = in->op & 1, .extends = true };
    if (in->map == MAP_0F38) { /* MOVNTDQA */
        m->aligned = true;
        return prefix == P66;
    }
    switch (in->op) {
    case 0x10: /* MOVUPS, MOVUPD, MOVSS, MOVSD */
    case 0x11: m->bytes = prefix == PF3 ? 4 : prefix == PF2 ? 8 : 16; return true;
    case 0x12: /* MOVLPS, MOVLPD */
    case 0x13:
    case 0x16: /* MOVHPS, MOVHPD */
    case 0x17:
        m->bytes = 8;
        m->at = in->op & 4 ? 8 : 0;
        m->extends = false;
        return prefix <= P66;
    case 0x28: /* MOVAPS, MOVAPD */
    case 0x29: m->aligned = true; return prefix <= P66;
    case 0x2b: /* MOVNTPS, MOVNTPD */ m->aligned = true; return prefix <= P66;
    case 0x6e: /* MOVD, MOVQ */
        m->bytes = rex_w ? 8 : 4;
        m->store = false;
        m->mmx = prefix == NONE;
        return prefix <= P66;
    case 0x6f: /* MOVDQA, MOVDQU */
    case 0x7f:
        m->store = in->op == 0x7f;
        m->aligned = prefix == P66;
        m->mmx = prefix == NONE;
        m->bytes = m->mmx ? 8 : 16;
        return prefix != PF2;
    case 0x7e: /* MOVD, MOVQ; F3: MOVQ, which loads */
        m->store = prefix != PF3;
        m->bytes = prefix == PF3 || rex_w ? 8 : 4;
        m->mmx = prefix == NONE;
        return prefix != PF2;
    case 0xd6: /* MOVQ */
        m->bytes = 8;
        m->store = true;
        return prefix == P66;
    case 0xe7: /* MOVNTDQ, MOVNTQ */
        m->aligned = prefix == P66;
        m->mmx = prefix == NONE;
        m->bytes = m->mmx ? 8 : 16;
        return prefix <= P66;
    default: return false;
    }
}

/* The image's registers are those of the x87 stack, from its top on; MMX has them by number, and the top is 0 then. */
static uint8_t *mmx_register(struct emul *e, unsigned int nr)
{
    uint8_t *st = e->r->fxsave + 32, all[8][16];
    const unsigned int top = e->r->fxsave[3] >> 3 & 7;

    for (unsigned int i = 0; i < 8; i++)
        memcpy(all[(top + i) & 7], st + 16 * i, 16);
    memcpy(st, all, sizeof(all));
    e->r->fxsave[3] &= 0xc7;
    e->r->fxsave[4] = 0xff; /* all valid */
    e->r->dirty |= CPU_DIRTY_FPU;
    return st + 16 * nr;
}

static bool mmx_move(struct emul *e, const struct move *m, const struct emul_place *p)
{
    uint8_t buf[8] = { 0 }, *reg;

    if (!m->store && !emul_read(e, p, buf))
        return false;
    reg = mmx_register(e, MODRM_REG(&e->in));
    if (m->store)
        return emul_write(e, p, reg);
    memcpy(reg, buf, 8);
    memset(reg + 8, 0xff, 2);
    return true;
}

bool emul_sse_move(struct emul *e)
{
    uint8_t *reg = e->r->fxsave + 160 + 16 * INSN_REGISTER(&e->in), buf[16];
    struct emul_place p;
    struct move m;

    if (!move_of(&e->in, &m)) {
        e->unknown = true;
        return false;
    }
    if (!emul_operand(e, m.bytes, m.store, &p))
        return false;
    if (m.aligned && (p.part[0].at & 15 || p.nr > 1))
        return emul_fault(e, X86_EXC_GP, 0);
    cpu_context_save_fpu(e->v->ctx);
    if (m.mmx)
        return mmx_move(e, &m, &p);
    if (m.store)
        return emul_write(e, &p, reg + m.at);
    if (!emul_read(e, &p, buf))
        return false;
    if (m.extends)
        memset(reg, 0, 16);
    memcpy(reg + m.at, buf, m.bytes);
    e->r->dirty |= CPU_DIRTY_FPU;
    return true;
}
