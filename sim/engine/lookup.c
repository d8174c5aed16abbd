// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where translated code goes on after an indirect jump, a return, an exit.
 *
 * Concept: blocks are found by what they are made from: physical addresses of code, and the processor's mode. The
 * library keeps a large table of them, and in front of it a small one by linear address, 4,096 places, which it clears
 * at every TLB flush. A kernel and a shell between them jump to more places than that, and the large table is a walk
 * through memory that no cache holds. So here is a larger small table, and it is not cleared: a flush begins a new
 * generation, and a block of an earlier one is asked about again.
 *
 *      hit, this generation        go there
 *      hit, an earlier one         is that code still at this address? (the TLB is asked, as the library would) then go there
 *      miss                        the library's table
 *
 * This is what the library does, found more quickly: the TLB is filled, A bits are set and pages are missed as ever.
 * Blocks that are given up are marked in themselves, and their memory is used again only when all are dropped
 * (tb_flush()).
 *
 * Behind a SYSCALL the library would leave translated code, and look in its main loop for where to go on. Most often
 * that is a hypercall that has been dealt with inside (pcpu.c), so such a block goes on as behind a jump, unless the
 * run is to stop.
 *
 * The library's layout of a block is tried before it is believed: while the self-tests run, each answer of the library
 * is compared with what would have been answered here.
 */
#include "sim/engine/block.h"
#include "sim/engine/private.h"

#include <dlfcn.h>
#include <stdlib.h>

#define CODE_SEG  1
#define SLOT_BITS 15
#define NR_SLOTS  (1u << SLOT_BITS)

/* Half a line of the cache: where nothing else is touched on the way to the code. */
struct lookup_slot {
    uint64_t pc, generation;
    const uint8_t *tb;
    uint32_t flags, code; /* code: so far behind tb */
};

/* In front of the registers, in 2.1.1. */
#define CLUSTER -0x8bc

#define TCG_GIVEN_UP    0xd8        /* struct TCGContext: size_t */
#define CFLAGS_COMPARED 0xff0effffu /* of TB_CFLAGS: everything but how a block was made */
#define NO_PAGE_2       ~UINT64_C(0)

#define EFLAGS_OF_BLOCKS (X86_EFLAGS_AC | X86_EFLAGS_VM | X86_EFLAGS_RF | X86_EFLAGS_IOPL | X86_EFLAGS_TF)

struct key {
    uint64_t pc, cs_base;
    uint32_t flags, cflags;
};

static uint64_t tb_u64(const uint8_t *tb, unsigned int at)
{
    uint64_t value;

    memcpy(&value, tb + at, sizeof(value));
    return value;
}

static uint32_t tb_u32(const uint8_t *tb, unsigned int at)
{
    uint32_t value;

    memcpy(&value, tb + at, sizeof(value));
    return value;
}

static inline uint32_t flags_now(const struct emu *e)
{
    return raw_get(&e->raw, hflags, uint32_t) | (raw_get(&e->raw, eflags, uint32_t) & EFLAGS_OF_BLOCKS);
}

static inline struct key key_now(struct emu *e)
{
    struct raw_cpu *r = &e->raw;
    struct key k;

    memcpy(&k.cflags, r->st + CLUSTER, sizeof(k.cflags));
    k.cflags <<= 24;
    k.cs_base = raw_seg(r, CODE_SEG)->base;
    k.pc = raw_get(r, eip, uint64_t) + k.cs_base;
    k.flags = flags_now(e);
    return k;
}

static inline struct lookup_slot *slot_of(struct emu *e, uint64_t pc, uint32_t flags)
{
    return &e->lookup.slots[((pc ^ flags) * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - SLOT_BITS)];
}

/* Of half of the addresses, and of the blocks: each flush, and each block that is given up, begin another one. */
static inline uint64_t generation(const struct emu *e, uint64_t pc)
{
    return e->lookup.flushes[pc >> 63] + *e->lookup.given_up;
}

static inline bool is_block(const uint8_t *tb, const struct key *k)
{
    return tb && tb_u64(tb, TB_PC) == k->pc && tb_u64(tb, TB_CS_BASE) == k->cs_base &&
           tb_u32(tb, TB_FLAGS) == k->flags && (tb_u32(tb, TB_CFLAGS) & CFLAGS_COMPARED) == k->cflags;
}

/* Is what it was made from still what is at its address? May not return: a page may be missing. */
static bool is_there(struct CPUX86State *env, const uint8_t *tb, uint64_t pc)
{
    if ((get_page_addr_code_x86_64(env, pc) & PAGE_MASK) != tb_u64(tb, TB_PAGE))
        return false;
    return tb_u64(tb, TB_PAGE_2) == NO_PAGE_2 ||
           get_page_addr_code_x86_64(env, (pc & PAGE_MASK) + PAGE_SIZE) == tb_u64(tb, TB_PAGE_2);
}

/* The block, or NULL: there is none yet. */
static const uint8_t *find(struct emu *e, struct CPUState *cpu, const struct key *k)
{
    struct lookup_slot *slot = slot_of(e, k->pc, k->flags);
    const uint8_t *tb = slot->tb;

    if (!is_block(tb, k) ||
        (slot->generation != generation(e, k->pc) && !is_there((struct CPUX86State *)(void *)e->raw.st, tb, k->pc))) {
        tb = (const uint8_t *)e->real.tb_htable_lookup(cpu, k->pc, k->cs_base, k->flags, k->cflags);
        if (!tb)
            return NULL;
    }
    if (!k->cs_base && k->pc < ~UINT64_C(0) << PAGE_SHIFT) /* the last page goes on with the lower half */
        *slot = (struct lookup_slot){
            .pc = k->pc,
            .generation = generation(e, k->pc),
            .tb = tb,
            .flags = k->flags,
            .code = (uint32_t)(tb_u64(tb, TB_CODE) - (uintptr_t)tb),
        };
    return tb;
}

/*
 * ------------------------------------------------------------------------------------------------- is it so here? --
 */

/* The library has looked a block up, and this is its answer. */
static void compare(struct emu *e, const struct key *k, const uint8_t *tb)
{
    const struct key own = key_now(e);

    e->lookup.found = tb;
    if (own.pc != k->pc || own.cs_base != k->cs_base || own.flags != k->flags || own.cflags != k->cflags)
        e->lookup.refused = true;
    else if (tb && (!is_block(tb, k) || !is_there((struct CPUX86State *)(void *)e->raw.st, tb, k->pc)))
        e->lookup.refused = true;
    else if (tb)
        e->lookup.tried++;
}

bool emu_lookup_init(struct emu *e, void (*give_up)(void *data), void *data)
{
    const size_t *count = (const size_t *)(const void *)((const uint8_t *)e->count.tcg + TCG_GIVEN_UP);
    const size_t before = *count;
    bool ok = e->fast.enter && e->lookup.tried && e->lookup.tried_code && e->lookup.way_out && !e->lookup.refused &&
              before == tcg_tb_phys_invalidate_count_x86_64(e->count.tcg);

    give_up(data);
    if (!ok || *count == before || *count != tcg_tb_phys_invalidate_count_x86_64(e->count.tcg))
        return false;
    e->lookup.given_up = count;
    e->lookup.eip = (const uint64_t *)(const void *)(e->raw.st + e->raw.at.eip);
    e->lookup.cs_base = &raw_seg(&e->raw, CODE_SEG)->base;
    e->lookup.hflags = (const uint32_t *)(const void *)(e->raw.st + e->raw.at.hflags);
    e->lookup.eflags = (const uint32_t *)(const void *)(e->raw.st + e->raw.at.eflags);
    e->lookup.slots = aligned_alloc(sizeof(struct lookup_slot), NR_SLOTS * sizeof(struct lookup_slot));
    emu_lookup_forget(e);
    return e->lookup.slots;
}

void emu_lookup_forget(struct emu *e)
{
    if (e->lookup.slots)
        memset(e->lookup.slots, 0, NR_SLOTS * sizeof(*e->lookup.slots));
}

void emu_lookup_destroy(struct emu *e) { free(e->lookup.slots); }

/* ------------------------------------------------------------------------------------ in place of Unicorn's own -- */

static __attribute__((noinline)) void *lookup_slowly(struct emu *e, struct CPUX86State *env)
{
    void *code;

    if (e->lookup.slots) {
        const struct key k = key_now(e);
        const uint8_t *tb = find(e, e->smc.cpu, &k);

        return tb ? (void *)(uintptr_t)tb_u64(tb, TB_CODE) : e->lookup.way_out;
    }
    e->lookup.found = NULL;
    code = e->real.lookup_tb_ptr(env);
    if (e->lookup.found) {
        e->lookup.refused |= tb_u64(e->lookup.found, TB_CODE) != (uintptr_t)code;
        e->lookup.tried_code++;
    } else {
        e->lookup.refused |= e->lookup.way_out && e->lookup.way_out != code;
        e->lookup.way_out = code;
    }
    return code;
}

/* Called by translated code, which goes on where this says. */
void *helper_lookup_tb_ptr_x86_64(struct CPUX86State *env)
{
    struct emu *e = emu_running;

    if (__builtin_expect(e->lookup.slots != NULL, 1)) {
        const uint64_t pc = *e->lookup.eip;
        const uint32_t flags = *e->lookup.hflags | (*e->lookup.eflags & EFLAGS_OF_BLOCKS);
        const struct lookup_slot *slot = slot_of(e, pc, flags);

        if (__builtin_expect(e->stop != EMU_STOP_NONE, 0)) /* behind a SYSCALL */
            return e->lookup.way_out;
        if (__builtin_expect(slot->pc == pc && slot->flags == flags && slot->generation == generation(e, pc) &&
                                 !*e->lookup.cs_base,
                             1))
            return (void *)(uintptr_t)(slot->tb + slot->code);
    }
    return lookup_slowly(e, env);
}

/* Called by the library's main loop, and by its own of the above. */
struct TranslationBlock *tb_htable_lookup_x86_64(struct CPUState *cpu, uint64_t pc, uint64_t cs_base, uint32_t flags,
                                                 uint32_t cflags)
{
    struct emu *e = emu_running;
    const struct key k = { pc, cs_base, flags, cflags };
    struct TranslationBlock *tb;

    if (e->lookup.slots)
        return (struct TranslationBlock *)(uintptr_t)find(e, cpu, &k);
    tb = e->real.tb_htable_lookup(cpu, pc, cs_base, flags, cflags);
    compare(e, &k, (const uint8_t *)tb);
    return tb;
}

/* The library flushes also while no engine runs (it is given memory): then there is nothing to forget. */
static void library(const char *name, void *function)
{
    void *sym = dlsym(RTLD_NEXT, name);

    memcpy(function, &sym, sizeof(sym));
}

void tlb_flush_by_mmuidx_x86_64(struct CPUState *cpu, uint16_t tlbs)
{
    struct emu *e = emu_running;
    void (*real)(struct CPUState *, uint16_t);

    if (e) {
        e->lookup.flushes[0]++;
        e->lookup.flushes[1]++;
        e->real.tlb_flush_by_mmuidx(cpu, tlbs);
        return;
    }
    library("tlb_flush_by_mmuidx_x86_64", &real);
    real(cpu, tlbs);
}

void tlb_flush_page_by_mmuidx_x86_64(struct CPUState *cpu, uint64_t addr, uint16_t tlbs)
{
    struct emu *e = emu_running;
    void (*real)(struct CPUState *, uint64_t, uint16_t);

    if (e) {
        e->lookup.flushes[addr >> 63] += emu_tlb_code_gone(e);
        e->real.tlb_flush_page_by_mmuidx(cpu, addr, tlbs);
        return;
    }
    library("tlb_flush_page_by_mmuidx_x86_64", &real);
    real(cpu, addr, tlbs);
}

/* All blocks go, and their memory is used again. */
void tb_flush_x86_64(struct CPUState *cpu)
{
    void (*real)(struct CPUState *);

    if (emu_running)
        emu_lookup_forget(emu_running);
    library("tb_flush_x86_64", &real);
    real(cpu);
}
