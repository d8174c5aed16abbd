// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shadow page tables: an HVM guest's memory on a processor with one dimension.
 *
 * Concept: the guest's tables say where it believes a page to be (linear -> gfn), the p2m where that is in the machine
 * (gfn -> mfn). Where hardware cannot do both walks (sim/nested.h), it is given a third set of tables that has done
 * them already: linear -> mfn. The guest never sees them, and the hypervisor keeps them true.
 *
 *      the guest's own    CR3 -> [L4] -> [L3] -> [L2] -> [L1] -> gfn        whatever it writes there
 *                                  :       :       :       :      | p2m
 *      what is walked     root -> [L4'] -> [L3'] -> [L2'] -> [L1'] -> mfn   a shadow of each table, filled when used
 *
 * They begin empty. An access to what is not in them is a page fault, which is the hypervisor's: it walks the guest's
 * tables (shadow_fault()), and either that walk faults, too, then the fault is the guest's (a *true* fault), or the
 * entries that were missed are made (a *fill*): a right is in them if it is in the guest's entry, D must be set for a
 * write to be allowed, and A and D are set in the guest's entries as the processor would have.
 *
 * What makes a shadow is its key: the guest frame of the table, and its *role*, how it is read: at which level, in
 * which format. So one table of the guest's that is linked twice has one shadow.
 *
 *      format     the guest's table               its shadows, tables of 512 entries of 8 bytes, four levels of them
 *      LONG       512 entries, L4 to L1           one each
 *      PAE        4 (L3), 512                     L3: one; below a root whose first entry leads to it
 *      LEGACY     1024 entries of 4 bytes         L1: two halves; L2: four parts, since an entry maps 4 MiB, two of ours;
 *                                                 below an L3 and a root
 *      SPLIT      none: a large page's            a table for each level below it (Xen: FL1, a splintered superpage);
 *                                                 and without paging the whole of memory is one page of that kind
 *
 * When the guest writes to a table, its shadow must follow. Three ways (shadow_policy):
 *
 *      drop      it may write what it likes; all shadows go when it loads CR3 or uses INVLPG, as the TLB of a processor
 *                without such tables goes (a "virtual TLB")
 *      emulate   a table that has a shadow may not be written: the store is a fault, it is carried out by the
 *                hypervisor, and the shadow's entry is emptied, to be filled when it is used next
 *
 *      oos       as emulate, but an L1 table that is stored to gets the right to be written: it is out of sync, until
 *                CR3 is loaded or INVLPG used (shadow_oos.c)
 *
 * A guest that stores to one table a few times in a row, as one does that fills or copies it, or makes a page of data
 * of it, gets the right to write again, and the shadow goes. So it does if somebody else has stored to the table; and
 * if its frame is one that others may store to at any time (frame_share(), or another guest has it mapped, by a grant),
 * whenever a vCPU is entered, but for the time behind the fill that has made it.
 *
 * Back-pointers: from a frame to all entries that map it (a table that gets a shadow must be writable nowhere; a frame
 * that leaves the p2m must be mapped nowhere), from a shadow to all entries that lead to it.
 *
 * Invariants: an entry says no more than the guest's entry, its A and D bits and the p2m allow (shadow_audit()), but
 * for those of tables that are out of sync. Without `drop` no other frame with a shadow can be written through one. A
 * frame of the pool is a shadow, or nothing is in it.
 *
 * Differences from Xen's: entries are made when they are used, one at a time.
 * Corresponds to xen/arch/x86/mm/shadow/.
 */
#ifndef MMU_HVM_SHADOW_H
#define MMU_HVM_SHADOW_H

#include "mmu/page.h"
#include "sim/nested.h"

enum shadow_policy { SHADOW_DROP, SHADOW_EMULATE, SHADOW_OOS };

/* How a table is read. */
enum shadow_format { SHADOW_LONG, SHADOW_PAE, SHADOW_LEGACY, SHADOW_SPLIT };
struct shadow_role {
    uint8_t format, level; /* of our tables: 4 to 1 */
    uint8_t part;          /* LEGACY: which half or quarter; PAE's L3: which 32 bytes of the frame */
    uint8_t bits;          /* SPLIT: writable; else what the guest's CR4.PSE and EFER.NXE make of entries */
};
#define SHADOW_SPLIT_RW 1
#define SHADOW_PSE      1
#define SHADOW_NXE      2

struct shadow_page {
    uint64_t gfn; /* of the table; SPLIT: the first one that it maps */
    struct shadow_role role;
    mfn_t mfn;                      /* its frame */
    mfn_t table;                    /* the guest's; INVALID_MFN: it is made of no table */
    uint32_t parents;               /* entries that lead to it: a chain */
    uint32_t hash_next, same_table; /* the next of the same hash value; of the same table */
    uint32_t newer, older;          /* by use */
    uint32_t nr_present;
    bool used, pinned;             /* pinned: a vCPU's root */
    bool shared;                   /* the table may change at any time (frame_share()) */
    bool oos;                      /* its table is out of sync */
    uint32_t life;                 /* which of those that have had this place */
    uint32_t next[PTES_PER_TABLE]; /* of each entry: the next in the chain of what it leads to */
};

/*
 * What is known of a frame of the machine: entries that map it (a chain), shadows of the table that it is (another).
 * A frame of the pool is no table of the guest's: there `tables` is the shadow that it is itself.
 */
struct shadow_frame {
    uint32_t maps, tables;
    bool text; /* shadow_text.c */
};

struct shadow_counters {
    uint64_t true_faults, fills, stores, unshadowed, syncs, evictions;
    uint32_t pages[5];   /* in use now, by level; 0: of any level, of no table of the guest's (SPLIT) */
    uint32_t used, most; /* in all; and the most that there were */
};

/* A table that is out of sync, since this vCPU stored to it. */
#define SHADOW_OOS_TABLES 2 /* of a vCPU at a time */
struct shadow_vcpu;
struct shadow_oos {
    mfn_t table;
    const struct shadow_vcpu *by;
};

struct shadow_domain {
    enum shadow_policy policy;
    uint32_t nr_pages;          /* the pool: places, of which those that are used have a frame */
    struct shadow_page *page;   /* [nr_pages + 1]: 0 is nobody */
    uint32_t *hash;             /* [SHADOW_HASH] */
    struct shadow_frame *frame; /* of each of the machine's */
    uint32_t free;              /* chain by hash_next */
    uint32_t newest, oldest;
    mfn_t last_written; /* the table that was stored to last, and how often in a row */
    unsigned int writes;
    uint32_t nr_shared;     /* shadows of frames that may change at any time */
    uint64_t lost;          /* of struct shadowed: as far as was looked at */
    struct shadow_oos *oos; /* [d->max_vcpus * SHADOW_OOS_TABLES], the oldest first */
    uint32_t nr_oos;
    uint64_t monitor; /* shadow_set_monitor(): the entry; 0: there is none */
    unsigned int monitor_slot;
    bool text_lost;
    struct shadow_counters count;
};
#define SHADOW_HASH 1024

/* What a vCPU has loaded. */
struct shadow_vcpu {
    uint32_t root, life;
    bool filled;         /* by its last exit: what it made is to be used once, whatever it was made of */
    uint64_t unknown_at; /* where the last store was that could not be carried out in the guest's place */
};

/* d, a new HVM domain, is to have shadow page tables: -ENOMEM. */
int shadow_init(struct domain *d, enum shadow_policy policy);
void shadow_teardown(struct domain *d);

/*
 * The pool has nr frames from now on, SHADOW_MIN_PAGES at least: all shadows go. -ENOMEM: and it is as it was.
 */
#define SHADOW_MIN_PAGES 64
int shadow_set_allocation(struct domain *d, uint64_t nr);
uint64_t shadow_allocation(const struct domain *d);

enum shadow_result {
    SHADOW_FILLED, /* again */
    SHADOW_TRUE,   /* the guest's fault: w->error_code */
    SHADOW_NPF,    /* there is no memory, or it is guarded: w as of a nested page fault */
    SHADOW_STORE,  /* what the instruction stores to is not to be written but by shadow_store_begin(): w->phys */
    SHADOW_TAKEN,  /* the guest has memory there, and the monitor, too (shadow_set_monitor()) */
};
/*
 * d's vCPU, whose registers are r and sv, has faulted at va with an access (PFEC_write_access, _user_mode,
 * _insn_fetch).
 */
enum shadow_result shadow_fault(struct domain *d, struct shadow_vcpu *sv, const struct nested_regs *r, uint64_t va,
                                uint32_t access, struct nested_walk *w);

/*
 * The vCPU is about to be entered: the machine address of the root it is to be entered with. 0: no memory, not even for
 * one.
 */
uint64_t shadow_root(struct domain *d, struct shadow_vcpu *sv, const struct nested_regs *r);
void shadow_vcpu_forget(struct domain *d, struct shadow_vcpu *sv);

/* The guest loads CR3, or changes its mode; it may be one that has no shadows. shadow_oos.c. */
void shadow_flush(struct domain *d);
/* A vCPU of a guest that has shadows uses INVLPG. */
void shadow_invlpg(struct domain *d, const struct shadow_vcpu *sv, uint64_t va);

/*
 * Around a store to the frame of a table, made by the hypervisor in the guest's place; false: the guest has stored so
 * often that it may now do it itself. n bytes at phys were written; who does not know how many says
 * SHADOW_STORE_BYTES, which may reach beyond the frame's end.
 */
#define SHADOW_STORE_BYTES 16 /* more than an instruction stores that is carried out here */
bool shadow_store_begin(struct domain *d, uint64_t phys);
void shadow_store_end(struct domain *d, uint64_t phys, unsigned int n);
/* Has the table that phys is in a shadow? */
bool shadow_is_table(const struct domain *d, uint64_t phys);
/* The frame has no shadow any more, and whoever can may write to it. */
void shadow_unshadow(struct domain *d, mfn_t mfn);

/*
 * shadow_text.c: every root for long mode has this entry at slot, and not the guest's; before there is one. A frame is
 * text from now on, no more; has any of them been stored to since this was asked? It is text no more, then.
 */
void shadow_set_monitor(struct domain *d, unsigned int slot, uint64_t entry);
void shadow_text_begin(struct domain *d, mfn_t mfn);
void shadow_text_end(struct domain *d, mfn_t mfn);
bool shadow_text_lost(struct domain *d);
bool shadow_is_text(const struct domain *d, mfn_t mfn);
/* Somebody stores to it, and not by an instruction that is carried out. */
void shadow_text_written(struct domain *d, mfn_t mfn);

/* Is all as the head says? False: why. */
bool shadow_audit(struct domain *d, char *why, size_t len);

/* --- between shadow.c, shadow_root.c, shadow_fault.c and shadow_oos.c --- */

/* Of each entry: the processor finds nothing to set. */
#define SHADOW_ALWAYS (_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_DIRTY)

/* The frame is one that nobody may write to through a shadow. */
static inline bool shadow_guarded(const struct shadow_domain *s, mfn_t mfn)
{
    const uint32_t page = s->frame[mfn_x(mfn)].tables;

    return s->frame[mfn_x(mfn)].text || (s->policy != SHADOW_DROP && page && !s->page[page].oos);
}

/* The entry of a root that is no shadow's, but the monitor's. */
static inline bool shadow_is_monitors(const struct shadow_domain *s, struct shadow_role role, unsigned int index)
{
    return s->monitor && role.format == SHADOW_LONG && role.level == 4 && index == s->monitor_slot;
}

/* shadow_root.c: how tables are read in this mode. */
struct shadow_role shadow_role_of(const struct nested_regs *r, unsigned int level);
/* How the frame of a table is to be watched (sim/frame.h), by the shadows that it has. */
void shadow_mark(struct domain *d, mfn_t mfn);
/* The shadow of that key, made if there is none. 0: no frame. The least used one goes if the pool is empty. */
uint32_t shadow_get(struct domain *d, uint64_t gfn, struct shadow_role role);
/*
 * Entries, level 1: to a frame; others: to the shadow `child`, with these bits beside its address (SHADOW_ALWAYS are
 * among them). What was there goes.
 */
void shadow_set_leaf(struct domain *d, uint32_t page, unsigned int index, uint64_t entry);
void shadow_set_table(struct domain *d, uint32_t page, unsigned int index, uint32_t child, uint64_t rights);
uint64_t shadow_entry(const struct domain *d, uint32_t page, unsigned int index);
void shadow_clear(struct domain *d, uint32_t page, unsigned int index);
/* Level 2 and above: the shadow that the entry leads to; 0: none. */
uint32_t shadow_child(const struct domain *d, uint32_t page, unsigned int index);
/* No entry allows to write to this frame. */
void shadow_remove_write_access(struct domain *d, mfn_t mfn);
void shadow_blow_tables(struct domain *d);
/* p2m_domain.gone: it is mapped nowhere any more, and is no table, and no text. */
void shadow_frame_gone(struct domain *d, mfn_t mfn);

/* The table mfn is about to be stored to by this vCPU: may it be out of sync from now on? */
bool shadow_oos_begin(struct domain *d, const struct shadow_vcpu *sv, mfn_t mfn);
/* It is so no more. */
void shadow_oos_forget(struct shadow_domain *s, mfn_t mfn);

#endif
