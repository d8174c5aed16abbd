// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The emulated processor's registers as they lie in Unicorn's memory. The only file pair that knows offsets.
 *
 * Concept: Unicorn's register API cannot write a segment's hidden part or the privilege level, cannot read an exit's
 * error code, and costs a function call a register. But all registers lie in one structure, and that structure can be
 * found: write numbers through the API that occur nowhere else and look where they appear. raw_layout_find() does so
 * when the machine is switched on, so nothing here depends on how a particular build laid its structures out; what
 * cannot be found is an error that names the version to get.
 *
 * Invariants:
 *  - `st` points into the running processor: an edit takes effect at the next instruction.
 *  - Translated code keeps RFLAGS spread over eflags, cc_src, cc_op and df. Between two runs they are together in
 *    eflags, and are spread again when one begins; within a run (from a hook) they are spread.
 */
#ifndef SIM_ENGINE_RAW_H
#define SIM_ENGINE_RAW_H

#include <string.h>
#include <unicorn/unicorn.h>

#include "sim/engine/private.h"
#include "sim/types.h"

/* A segment as Unicorn keeps it; `flags` is the descriptor's second word without the base and limit bits. */
struct raw_segment {
    uint32_t selector;
    uint64_t base __attribute__((aligned(8)));
    uint32_t limit, flags;
};

/* Where things are, as byte offsets into the processor's state. */
struct raw_layout {
    uint16_t gpr, eip, eflags, cc_src, cc_op, df, hflags, segs, ldt, tr, gdt, idt, cr, efer, dr, mxcsr, xmm0;
    uint16_t kernel_gs_base, error_code;
};

struct raw_cpu {
    uc_engine *uc;
    size_t size; /* of the state */
    uint8_t *st;
    struct raw_layout at;
};

/* Bits of hflags: what the translator depends on. */
#define RAW_HF_CPL         0x3u
#define RAW_HF_INHIBIT_IRQ (1u << 3)
#define RAW_HF_CS32        (1u << 4)
#define RAW_HF_SS32        (1u << 5)
#define RAW_HF_ADDSEG      (1u << 6)
#define RAW_HF_PE          (1u << 7)
#define RAW_HF_MP          (1u << 9)
#define RAW_HF_EM          (1u << 10)
#define RAW_HF_TS          (1u << 11)
#define RAW_HF_LMA         (1u << 14)
#define RAW_HF_CS64        (1u << 15)
#define RAW_HF_GUEST       (1u << 21)
#define RAW_HF_OSFXSR      (1u << 22)
#define RAW_HF_SMAP        (1u << 23)
/* Not Unicorn's: spare bits, by which debug.c keeps kinds of blocks apart. */
#define RAW_HF_FAMILY_SHIFT 27
#define RAW_HF_FAMILY       (7u << RAW_HF_FAMILY_SHIFT)
#define RAW_HF_SINGLE       (1u << 30)
/* Likewise tlb.c: the second of two roots. */
#define RAW_HF_ROOT (1u << 31)

/* Find the layout and the live state of uc, which must not have run yet. NULL, or what is wrong (static text). */
const char *raw_layout_find(struct raw_cpu *r, uc_engine *uc);

/*
 * Find where exits leave their error code: `run` provokes the i-th of n faults whose codes are codes[i], and must be
 * called with all other state alike. NULL, or what is wrong.
 */
const char *raw_error_code_find(struct raw_cpu *r, const uint32_t *codes, unsigned int n,
                                bool (*run)(void *data, unsigned int i), void *data);

/* Scalars, by name: raw_get(r, hflags, uint32_t). */
#define raw_get(r, field, type)                                                                                        \
    ({                                                                                                                 \
        type raw_value_;                                                                                               \
        memcpy(&raw_value_, (r)->st + (r)->at.field, sizeof(raw_value_));                                              \
        raw_value_;                                                                                                    \
    })
#define raw_set(r, field, type, value)                                                                                 \
    do {                                                                                                               \
        const type raw_value_ = (value);                                                                               \
        memcpy((r)->st + (r)->at.field, &raw_value_, sizeof(raw_value_));                                              \
    } while (0)

static inline uint64_t *raw_gprs(struct raw_cpu *r) { return (uint64_t *)(void *)(r->st + r->at.gpr); }
static inline uint64_t *raw_cr(struct raw_cpu *r, unsigned int n)
{
    return (uint64_t *)(void *)(r->st + r->at.cr + 8 * n);
}
static inline uint64_t *raw_dr(struct raw_cpu *r, unsigned int n)
{
    return (uint64_t *)(void *)(r->st + r->at.dr + 8 * n);
}
/* n in the processor's encoding: ES CS SS DS FS GS. */
static inline struct raw_segment *raw_seg(struct raw_cpu *r, unsigned int n)
{
    return (struct raw_segment *)(void *)(r->st + r->at.segs + n * sizeof(struct raw_segment));
}
static inline struct raw_segment *raw_table(struct raw_cpu *r, uint16_t at)
{
    return (struct raw_segment *)(void *)(r->st + at);
}

#define RAW_CC_OP_EFLAGS 1
#define RAW_CC_MASK      0x8d5u /* CF PF AF ZF SF OF */
#define RAW_DF           0x400u

/* inside: within a run. */
static inline uint64_t raw_get_rflags(struct raw_cpu *r, bool inside)
{
    const uint64_t rflags = raw_get(r, eflags, uint64_t);

    if (!inside)
        return rflags;
    return rflags | cpu_cc_compute_all_x86_64((struct CPUX86State *)(void *)r->st, raw_get(r, cc_op, int32_t)) |
           ((uint32_t)raw_get(r, df, int32_t) & RAW_DF);
}

static inline void raw_set_rflags(struct raw_cpu *r, uint64_t rflags, bool inside)
{
    raw_set(r, eflags, uint64_t, (inside ? rflags & ~(uint64_t)(RAW_CC_MASK | RAW_DF) : rflags) | 2);
    raw_set(r, cc_src, uint64_t, rflags & RAW_CC_MASK);
    raw_set(r, cc_op, uint32_t, RAW_CC_OP_EFLAGS);
    raw_set(r, df, int32_t, rflags & RAW_DF ? -1 : 1);
}

#endif
