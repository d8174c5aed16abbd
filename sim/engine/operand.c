// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory operands of SSE: their alignment, and how much of them is read.
 *
 * Concept: the translator moves sixteen bytes as two times eight, from any address. The processor raises #GP when an
 * operand of sixteen bytes is not aligned (but for MOVUPS and its like), and reads of the operand of CVTPS2PD, ROUNDSS
 * and a few more only what it needs, which matters at the end of a page. The gate knows which instruction it is
 * (gate_sse_operand()); here its accesses are translated accordingly:
 *
 *      OPERAND_ALIGNED  the first access demands alignment. Translated code looks into the TLB with a comparison that
 *      covers the
 *                       address's low bits, too, so the test costs nothing; an address that is not aligned takes the
 *                       slow way, and emu_operand_check() raises the #GP, before it is asked whether the address is
 *                       canonical or mapped, and with nothing moved
 *      OPERAND_8        of two accesses the second reads what the first has read
 *      OPERAND_4        likewise, and each reads four bytes
 *
 * Sources: AMD APM volume 1, 4.3.3 ("Operand Alignment"), volume 4 (each instruction's operand and exceptions).
 */
#include "sim/engine/emu.h"
#include "sim/engine/private.h"
#include "sim/insn.h"

/* MemOp (tcg.h of QEMU 5): log2 of the size, and the alignment that is demanded. */
#define MO_SIZE     0x3u
#define MO_32       0x2u
#define MO_ALIGN_16 0x40u

/* In an access's index: the MemOp is above the number of the MMU mode. */
#define INDEX_MEMOP_SHIFT 4
#define INDEX_ALIGN_16    (MO_ALIGN_16 << INDEX_MEMOP_SHIFT)

uint32_t emu_operand_check(struct CPUX86State *env, uint64_t addr, uint32_t index, uintptr_t host_pc)
{
    if ((index & INDEX_ALIGN_16) && (addr & 15))
        raise_exception_err_ra_x86_64(env, TRAP_gp_fault, 0, host_pc);
    return index & ~INDEX_ALIGN_16; /* the library has nowhere to go with an address that is not aligned */
}

void tcg_gen_qemu_ld_i64_x86_64(struct TCGContext *tcg, uintptr_t value, uintptr_t addr, uint64_t mode, uint32_t memop)
{
    struct emu *e = emu_running;
    struct emu_gate *g = &e->gate;

    if (g->accesses++ == 0) {
        g->first_addr = addr;
        if (g->operand == OPERAND_ALIGNED)
            memop |= MO_ALIGN_16;
    } else if (g->operand == OPERAND_8 || g->operand == OPERAND_4) {
        addr = g->first_addr;
    }
    if (g->operand == OPERAND_4)
        memop = (memop & ~MO_SIZE) | MO_32;
    e->real.tcg_gen_qemu_ld_i64(tcg, value, addr, mode, memop);
}

void tcg_gen_qemu_st_i64_x86_64(struct TCGContext *tcg, uintptr_t value, uintptr_t addr, uint64_t mode, uint32_t memop)
{
    struct emu *e = emu_running;

    if (e->gate.operand == OPERAND_ALIGNED && e->gate.accesses++ == 0)
        memop |= MO_ALIGN_16;
    e->real.tcg_gen_qemu_st_i64(tcg, value, addr, mode, memop);
}
