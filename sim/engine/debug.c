// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Breakpoints of the guest (DR0 to DR3, DR7): the engine's part. What becomes of a hit is pcpu_debug.c's.
 *
 * Concept: Unicorn knows debug registers, but left out what looks at them. Both kinds are built from what it does have,
 * so that a guest that has none armed pays nothing.
 *
 * Breakpoints on data. An entry of the TLB can be marked "watched": accesses through it leave translated code for a
 * function, and those functions are replaced here. Pages that a breakpoint touches are so marked when they come into
 * the TLB, by the answer to a question that Unicorn still asks; each access is then compared, with its true address and
 * size. (Unicorn's own slow path cuts accesses that are not aligned into others, which read more: those inside are not
 * looked at.) A match restores the processor to the front of the instruction and leaves by a #DB. The instruction is
 * then executed alone, and what it accesses is noted down.
 *
 * Breakpoints on instructions. Blocks of a vCPU that has some are of another family than those of one that has none: a
 * number in spare bits of hflags, which are a part of every block's key. In a family a block ends in front of an
 * address where somebody breaks, and one that begins there leaves at once: it pretends to have more instructions than
 * any budget (count.c). (An observer's breakpoints are in all families but the last: observe.c.)
 *
 *      hflags    31  30  29  27 ...                 27-29: family, 0: no guest breaks, 7: nobody does
 *               +---+---+------+---                    30: blocks of one instruction
 *               |   | 1 | 0..7 |
 *               +---+---+------+---
 *
 * `known` holds the addresses of all vCPUs, so that to switch between them changes the family only. A new address makes
 * a new family, since blocks of the old one may run across it; when the numbers are used up all translations are
 * dropped. A block that leaves for another vCPU's address costs that vCPU a step and is not seen.
 *
 * Invariants: the TLB has no entry of a watched page that is not marked (it is flushed when a breakpoint on data comes
 * or goes); `known` contains every instruction breakpoint of the loaded vCPU.
 *
 * Sources: AMD APM volume 2, 13.1 (the registers: 13.1.1, 13.1.4 LEN and alignment), Unicorn's accel/tcg/cputlb.c.
 */
#include "sim/engine/block.h"
#include "sim/engine/private.h"

_Static_assert(RAW_HF_FAMILY == 7u << 27 && RAW_HF_SINGLE == 1u << 30, "the drawing of hflags");

#define BP_MEM_ACCESS 3 /* reads and writes of the page are watched */

/* --------------------------------------------------------------------------------------------------------- data -- */

/* Those among the loaded vCPU's breakpoints that match, a bit each. */
static uint8_t matches(const struct emu_debug *d, uint64_t addr, uint64_t size, bool write)
{
    uint8_t hits = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(d->addr); i++)
        if ((d->watching >> i & 1) && (write || (d->reads >> i & 1)) && addr <= d->addr[i] + d->last[i] &&
            d->addr[i] <= addr + (size - 1))
            hits |= (uint8_t)(1u << i);
    return hits;
}

/* PFEC_*. The number of the MMU mode is in the lowest bits of both kinds of `how`; 1: for users. */
static uint32_t how_accessed(uint32_t how, bool write)
{
    return (write ? PFEC_write_access : 0) | ((how & 0xf) == 1 ? PFEC_user_mode : 0);
}

/* An access that left translated code. True: it was looked at, and what it is made of must not be. */
static bool look_at(struct emu *e, struct CPUX86State *env, uint64_t addr, unsigned int size, bool write, uint32_t how,
                    uintptr_t host_pc)
{
    struct emu_debug *d = &e->debug;
    uint8_t hits;

    if (__builtin_expect(!d->watching && !e->observe.nr_watches, 1) || d->inside)
        return false;
    if (e->observe.nr_watches)
        emu_observe_access(e, env, addr, size, how_accessed(how, write), host_pc);
    hits = matches(d, addr, size, write);
    if (hits && !d->single) {
        d->stopped = true;
        raise_exception_err_ra_x86_64(env, TRAP_debug, 0, host_pc);
    }
    d->hits |= hits;
    d->inside = true;
    return true;
}

#define REPLACE_LOAD(name, size)                                                                                       \
    uint64_t name(struct CPUX86State *env, uint64_t addr, uint32_t how, uintptr_t host_pc)                             \
    {                                                                                                                  \
        struct emu *e = emu_running;                                                                                   \
        const bool outermost = look_at(e, env, addr, size, false, how, host_pc);                                       \
        const uint64_t value = e->real.access.name(env, addr, emu_operand_check(env, addr, how, host_pc), host_pc);    \
                                                                                                                       \
        if (outermost)                                                                                                 \
            e->debug.inside = false;                                                                                   \
        return value;                                                                                                  \
    }
EMU_LOADS(REPLACE_LOAD)

#define REPLACE_STORE(name, size)                                                                                      \
    void name(struct CPUX86State *env, uint64_t addr, uint64_t value, uint32_t how, uintptr_t host_pc)                 \
    {                                                                                                                  \
        struct emu *e = emu_running;                                                                                   \
        const bool outermost = look_at(e, env, addr, size, true, how, host_pc);                                        \
                                                                                                                       \
        e->real.access.name(env, addr, value, emu_operand_check(env, addr, how, host_pc), host_pc);                    \
        if (outermost)                                                                                                 \
            e->debug.inside = false;                                                                                   \
    }
EMU_STORES(REPLACE_STORE)

/* A page comes into the TLB: is anything in it watched? */
int cpu_watchpoint_address_matches_x86_64(struct CPUState *cpu, uint64_t addr, uint64_t len)
{
    struct emu *e = emu_running;

    return !e ? 0 : matches(&e->debug, addr, len, true) ? BP_MEM_ACCESS : emu_observe_page(e, addr);
}

/* ------------------------------------------------------------------------------------------------- instructions -- */

static bool is_known(const struct emu_debug *d, uint64_t addr)
{
    for (unsigned int i = 0; i < d->nr_known; i++)
        if (d->known[i] == addr)
            return true;
    return false;
}

/* The family of blocks for the loaded vCPU. */
static unsigned int family(struct emu *e)
{
    struct emu_debug *d = &e->debug;
    bool all_known = true;

    for (unsigned int i = 0; i < ARRAY_SIZE(d->addr); i++)
        all_known &= !(d->breaking >> i & 1) || is_known(d, d->addr[i]);
    if (!d->breaking)
        return 0;
    if (all_known)
        return d->family;
    if (d->family == EMU_DEBUG_FAMILIES) { /* each brought four addresses at most */
        struct emu *outer = emu_running;

        emu_running = e;
        emu_smc_flush_all(e);
        emu_running = outer;
        d->family = d->nr_known = 0;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(d->addr); i++)
        if ((d->breaking >> i & 1) && !is_known(d, d->addr[i]))
            d->known[d->nr_known++] = d->addr[i];
    return ++d->family;
}

int emu_debug_block(struct emu *e, const struct TranslationBlock *tb, int max_insns)
{
    struct emu_debug *d = &e->debug;
    uint64_t pc;
    uint32_t key;

    memcpy(&pc, (const uint8_t *)tb + TB_PC, sizeof(pc));
    memcpy(&key, (const uint8_t *)tb + TB_FLAGS, sizeof(key));
    d->quiet = (key & RAW_HF_FAMILY) == RAW_HF_FAMILY;
    d->in_family = !d->quiet && (key & RAW_HF_FAMILY);
    /* RF set by an IRET of the guest's own: pcpu_debug.c knows how long it lasts. Behind MOV SS nothing breaks. */
    d->leaves = d->in_family && ((key & X86_EFLAGS_RF) || (is_known(d, pc) && !(key & RAW_HF_INHIBIT_IRQ)));
    d->leaves |= !d->quiet && emu_observe_breaks(e, pc);
    return d->leaves || (key & RAW_HF_SINGLE) ? 1 : max_insns;
}

bool emu_string_wanted(const struct emu *e)
{
    uint32_t key;

    memcpy(&key, (const uint8_t *)e->count.tb + TB_FLAGS, sizeof(key));
    return e->tlb.two && !e->debug.in_family && !(key & (RAW_HF_SINGLE | X86_EFLAGS_TF | RAW_HF_SMAP));
}

bool emu_debug_breaks(const struct emu *e, uint64_t pc)
{
    return (e->debug.in_family && is_known(&e->debug, pc)) || (!e->debug.quiet && emu_observe_breaks(e, pc));
}

/* ------------------------------------------------------------------------------------------------------ our side -- */

bool emu_debug_load(struct emu *e, const uint64_t dr[8])
{
    static const uint8_t last_byte[4] = { 0, 1, 7, 3 }; /* DR7's LEN: 1, 2, 8, 4 bytes */
    struct emu_debug *d = &e->debug;
    const bool watched = d->watching;

    d->breaking = d->watching = d->reads = 0;
    for (unsigned int i = 0; i < ARRAY_SIZE(d->addr); i++) {
        const unsigned int control = dr[7] >> (16 + 4 * i) & 0xf;
        const uint8_t bit = (uint8_t)(1u << i);

        if (!(dr[7] >> (2 * i) & 3) ||
            (control & 3) == 2) /* not enabled, or on I/O, which the processor does not see */
            continue;
        d->addr[i] = dr[i];
        d->last[i] = 0;
        if (!(control & 3)) {
            d->breaking |= bit;
            continue;
        }
        d->watching |= bit;
        d->reads |= (control & 3) == 3 ? bit : 0;
        d->last[i] = last_byte[control >> 2];
        d->addr[i] &= ~(uint64_t)d->last[i];
    }
    d->loaded_family = family(e);
    raw_set(&e->raw, hflags, uint32_t,
            (raw_get(&e->raw, hflags, uint32_t) & ~RAW_HF_FAMILY) | d->loaded_family << RAW_HF_FAMILY_SHIFT);
    e->tlb.gone.all |= watched || d->watching; /* the TLB marks pages that are watched */
    return watched || d->watching;
}

void emu_debug_single(struct emu *e, bool on)
{
    const uint32_t hf = raw_get(&e->raw, hflags, uint32_t) & ~(RAW_HF_SINGLE | RAW_HF_FAMILY);

    e->debug.single = on;
    raw_set(&e->raw, hflags, uint32_t,
            hf | (on ? RAW_HF_SINGLE | RAW_HF_FAMILY : e->debug.loaded_family << RAW_HF_FAMILY_SHIFT));
}
