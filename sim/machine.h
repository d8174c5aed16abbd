// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The physical machine: RAM, pCPUs, a clock, a trace, and a seed. Nothing here knows what a domain is.
 *
 * Concept: all that a run can change is in the machine's arena or its RAM, struct machine included; what is no state
 * (sinks, the engine, files) is in struct machine_edges. So a machine is put back to what it was by putting those two
 * ranges back, and pcpu_forget(). Several machines may live in one process, each in an arena of its own.
 *
 * Invariants: RAM is one host mapping (of a memfd, so that other processes may be handed frames they are entitled to),
 * machine address 0 at its start; a frame that nobody touched costs no host memory.
 */
#ifndef SIM_MACHINE_H
#define SIM_MACHINE_H

#include "sim/arena.h"
#include "sim/bug.h"
#include "sim/clock.h"
#include "sim/log.h"
#include "sim/pcpu.h"
#include "sim/trace.h"
#include "sim/types.h"

#define MACHINE_MAX_PCPUS   16
#define MACHINE_MAX_RAM_MIB ((UINT64_C(512) << 10) - 1) /* what lies above is the emulator's own (EMU_PRIVATE) */

static inline bool position_is_before(struct position a, struct position b)
{
    return a.insns < b.insns || (a.insns == b.insns && a.step < b.step);
}

struct cpu_context;
struct insn_decoder;
struct history;
struct code_map; /* private to the emulator's side: which frames have translated code */

/*
 * What a machine has of its surroundings: who watches it, what only makes it faster. It lies outside of the arena: who
 * puts the machine's state back does not put this back.
 */
struct machine_edges {
    struct trace trace;
    struct log_sink log;
    bool silent; /* what is said now was said before: nobody is told */
    struct insn_decoder *decoder;
    struct code_map *code;   /* NULL: there are no processors */
    struct history *history; /* sim/checkpoint.h; NULL: none is kept */
    int ram_fd;
    uint64_t told_gone;   /* calls of machine_mapping_gone(), machine_mappings_gone(), machine_root_gone(); for labs */
    void *audit, *interp; /* notes of mmu/audit.c and vcpu/five/, kept from one time to the next; from malloc() */
};

struct machine {
    /* These are the same from machine_create() to machine_destroy(). */
    struct arena *arena; /* where its state lies, and that of all that runs on it; itself as well */
    struct machine_edges *edges;
    uint8_t *ram; /* for sim/: others read it by mfn_to_virt(), and write it by sim/frame.h */
    uint64_t nr_frames;
    uint8_t *has_code; /* a byte a frame: the engine has translated code of it; NULL: there are no processors */
    unsigned int nr_pcpus;
    struct pcpu *pcpu[MACHINE_MAX_PCPUS];
    bool plain_engine, exact_segments; /* as in its configuration */

    uint8_t *saved;   /* while there is a history: its byte a frame; 0: to be saved before it changes. Or NULL */
    uint8_t *written; /* a bit a frame, by frame_log_begin() of nr_loggers; NULL: of nobody */
    unsigned int nr_loggers;
    uint32_t *shares;             /* a count a frame, of frame_share() */
    struct shadowed *shadowed;    /* of which frames somebody keeps a shadow; NULL: nobody does */
    struct cpu_context *contexts; /* of vCPUs, all there are */
    unsigned int frames_open;     /* frame_write_begin() without frame_write_end() */
    struct vclock clock;
    struct position at;
    struct log log;
    /* The hypervisor calls machine_mapping_gone() and its kin; page tables do not change otherwise. */
    bool tells_of_mappings;
    uint64_t seed;
    uint64_t prng;         /* state of machine_random() */
    unsigned int cur_pcpu; /* pCPU that is being stepped, for traces */
};

struct machine_config {
    uint64_t ram_mib;
    unsigned int nr_pcpus; /* 0: none, a machine for unit tests without an emulator */
    uint64_t seed;
    bool plain_engine;   /* Unicorn by its public doors only: slower, and otherwise the same */
    bool exact_segments; /* segments limit code, too, and those of 32-bit PV guests limit at all */
};

/* Build a machine; NULL and a message in err when the environment does not allow it. Destroy with machine_destroy(). */
struct machine *machine_create(const struct machine_config *cfg, char *err, size_t errlen);
/* Under the address sanitizer it is a bug that something is left in the arena, and what that is is said. */
void machine_destroy(struct machine *m);

static inline bool mfn_valid(const struct machine *m, mfn_t mfn) { return mfn_x(mfn) < m->nr_frames; }

/* Host address of a frame, to read it; the mfn must be valid. Who writes says so: sim/frame.h. */
static inline const void *mfn_to_virt(const struct machine *m, mfn_t mfn)
{
    BUG_ON(!mfn_valid(m, mfn));
    return m->ram + (mfn_x(mfn) << PAGE_SHIFT);
}

/* The frame that a host address is in. */
static inline mfn_t virt_to_mfn(const struct machine *m, const void *virt)
{
    const mfn_t mfn = _mfn((uint64_t)((const uint8_t *)virt - m->ram) >> PAGE_SHIFT);

    BUG_ON(!mfn_valid(m, mfn));
    return mfn;
}

/*
 * A hint: all of these frames will soon be written. The host then finds memory for them in one go, not in nr page
 * faults.
 */
void machine_populate(struct machine *m, mfn_t first, uint64_t nr);

/*
 * A mapping of this frame in page tables in use was taken away or changed; one of many frames; the root of page tables
 * went out of use. A TLB flush then need not forget what is as it was. Only what has been used (A bit) needs to be
 * told.
 */
void machine_mapping_gone(struct machine *m, mfn_t mfn);
void machine_mappings_gone(struct machine *m);
void machine_root_gone(struct machine *m, mfn_t root);
/* Does what the TLB knows agree with the page tables, but for what it was told? For tests. */
bool machine_tlb_agrees(struct machine *m);

/* From here on the guests' first store to each frame is noticed (frame_changes()). No guest may be running. */
void machine_arm_stores(struct machine *m);

static inline s_time_t machine_now(const struct machine *m) { return m->clock.now; }

/* Deterministic pseudo-random numbers from the machine's seed. */
uint64_t machine_random(struct machine *m);

#endif
