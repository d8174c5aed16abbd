// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab compare --paging`: one kernel, by each way that its memory can be virtualized, side by side.
 *
 * Concept: a way is a column. The kernel runs once by each, in a machine of its own, and what is counted then stands
 * beside each other: who had which page faults, who wrote to page tables, what a miss of the TLB read.
 *
 *      direct    a PV guest's own tables are the processor's: Xen checks what the guest would write to them
 *      nested    two dimensions: nothing is Xen's but where there is no memory; a miss of the TLB is long
 *      shadow    one dimension, which Xen makes of two: by each policy for stores to tables (mmu/hvm/shadow.h)
 *
 * All rows are counts, and the same each time, but for host time, which is left out where outputs are to be equal.
 */
#ifndef UI_COMPARE_PAGING_H
#define UI_COMPARE_PAGING_H

#include "ui/compare/compare.h"

/* What is counted: name in JSON, of which ways (a letter each), text. */
#define PAGING_ROWS(X)                                                                                                 \
    X(insns, "dns", "instructions")                                                                                    \
    X(page_faults, "dns", "page faults that it got itself")                                                            \
    X(fills, "s", "  that filled a shadow")                                                                            \
    X(nested_faults, "ns", "  where there is no memory (NPF)")                                                         \
    X(table_stores, "ds", "stores to tables, carried out")                                                             \
    X(table_updates, "d", "entries asked for by hypercall")                                                            \
    X(cr_writes, "s", "loads of CR3, and CR0, CR4: exits")                                                             \
    X(invlpg, "s", "INVLPG: exits")                                                                                    \
    X(syncs, "s", "tables brought into sync")                                                                          \
    X(unshadowed, "s", "shadows of tables no more")                                                                    \
    X(evictions, "s", "shadows evicted")                                                                               \
    X(shadows, "s", "shadows at most")                                                                                 \
    X(misses, "dns", "misses of the TLB")                                                                              \
    X(references, "dns", "entries that they read")                                                                     \
    X(in_xen_ns, "dns", "virtual time in Xen, ns")                                                                     \
    X(virtual_ns, "dns", "virtual time, ns")

enum paging_row {
#define X(key, ways, text) PAGING_##key,
    PAGING_ROWS(X)
#undef X
        PAGING_NR_ROWS
};

#define PAGING_WAYS 5
struct paging_run {
    bool over; /* the guest came to its end */
    uint64_t n[PAGING_NR_ROWS];
    s_time_t host_time;
};

/*
 * in->guest: a folder as of compare_try(), or an xl.cfg of a kernel that is both: a PV guest's and a PVH guest's.
 * By all ways. 0, or -1 and a message.
 */
int paging_try(struct paging_run runs[PAGING_WAYS], const struct compare_input *in, char err[COMPARE_ERR_SIZE]);
void paging_text(const struct paging_run runs[PAGING_WAYS], bool host_time, FILE *out);
void paging_json(const struct paging_run runs[PAGING_WAYS], bool host_time, FILE *out);
/* A chart for each row, with a bar a way; its longest is that of the greatest number. */
void paging_svg(const struct paging_run runs[PAGING_WAYS], bool host_time, FILE *out);

#endif
