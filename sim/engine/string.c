// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * REP MOVS and REP STOS, many iterations at a time.
 *
 * Concept: kernels clear and copy pages with one instruction that repeats thousands of times; translated, each
 * iteration is a block of its own. In front of such an instruction a call is put that does as many iterations at once
 * as nobody can tell from single ones:
 *
 *   - at least one stays for the translated code, which also ends the loop;
 *   - no more than the budget has left: where a run is preempted does not change, nor does the count of instructions;
 *   - up to the end of the source's and of the destination's page, and only if the TLB has both, for plain memory: so
 *     nothing faults, no accessed or dirty bit is due, and no page with code, or watched by a breakpoint, is among
 *     them;
 *   - where the destination overlaps the rest of the source, as far as an iteration does not read what an earlier one
 *     has written.
 *
 * Which instruction it is, the block tells in the upper half of DR4, which nobody has (its lower half is the counter,
 * count.c). With the direction flag set, in 32-bit code, with other segments or while single-stepping each iteration is
 * executed.
 *
 * Sources: AMD APM volume 3, MOVS, STOS, REP.
 */
#include "sim/engine/emu.h"
#include "sim/engine/private.h"

#define FEW 4 /* not worth it */

static size_t min(size_t a, size_t b) { return a < b ? a : b; }

/*
 * How many elements of `size` bytes from addr on lie in its page; *host: the first. 0: it is no plain memory, or not in
 * the TLB.
 */
static size_t in_page(struct emu *e, uint64_t addr, size_t size, bool write, uint8_t **host)
{
    *host = emu_tlb_host(e, addr, write);
    return *host ? (PAGE_SIZE - (addr & (PAGE_SIZE - 1))) / size : 0;
}

static void fill(uint8_t *to, uint64_t value, size_t size, size_t n)
{
    if (size == 1) {
        memset(to, (int)(value & 0xff), n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        memcpy(to + i * size, &value, size);
}

/* In front of an instruction of the kind GATE_STRING. (CLGI itself is never translated.) */
void helper_clgi_x86_64(struct CPUX86State *env)
{
    struct emu *e = emu_running;
    uint64_t *gpr = raw_gprs(&e->raw), *rcx = &gpr[1], *rsi = &gpr[6], *rdi = &gpr[7];
    const uint32_t kind = emu_count_note(e);
    const size_t size = (size_t)1 << (kind & 3);
    const bool moves = kind & EMU_STRING_MOVES;
    size_t n = min(*rcx - 1, emu_count_left(e));
    uint8_t *from = NULL, *to;

    if (*rcx <= FEW || n < FEW || raw_get(&e->raw, df, int32_t) != 1)
        return;
    n = min(n, in_page(e, *rdi, size, true, &to));
    if (moves && n)
        n = min(n, in_page(e, *rsi, size, false, &from));
    if (moves && n && to > from && to < from + n * size)
        n = (size_t)(to - from) / size;
    if (n < FEW)
        return;
    if (moves)
        memmove(to, from, n * size);
    else
        fill(to, gpr[0], size, n);
    *rcx -= n;
    *rdi += n * size;
    if (moves)
        *rsi += n * size;
    emu_count_spend(e, (uint32_t)n);
}
