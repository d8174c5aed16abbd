// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frame numbers and addresses.
 *
 * Concept: a hypervisor juggles three numberings of memory. Mixing them up is the classic bug, so each is a type of its
 * own and the compiler keeps them apart (Xen does the same in xen/include/xen/mm-frame.h and typesafe.h):
 *
 *   mfn  machine frame number   a page of the (simulated) machine's RAM
 *   gfn  guest frame number     a page as the guest's "physical" address space numbers it
 *   pfn  pseudo-physical frame  a PV guest's private numbering: an index into its own p2m list
 *
 * For an auto-translated guest (HVM, PVH) the p2m maps gfn -> mfn; for a PV guest gfn == mfn and the guest keeps the
 * pfn -> mfn list itself. Frames are handed out scattered, so that the numberings never coincide by luck.
 */
#ifndef SIM_TYPES_H
#define SIM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_TYPESAFE(name, letter)                                                                                     \
    typedef struct {                                                                                                   \
        uint64_t letter;                                                                                               \
    } name##_t;                                                                                                        \
    static inline name##_t _##name(uint64_t n) { return (name##_t){ n }; }                                             \
    static inline uint64_t name##_x(name##_t n) { return n.letter; }                                                   \
    static inline bool name##_eq(name##_t a, name##_t b) { return a.letter == b.letter; }

SIM_TYPESAFE(mfn, m)
SIM_TYPESAFE(gfn, g)
SIM_TYPESAFE(pfn, p)

#define INVALID_MFN _mfn(~UINT64_C(0))

#define PAGE_SHIFT        12
#define PAGE_SIZE         4096UL
#define PAGE_MASK         (~(PAGE_SIZE - 1))
#define PAGE_OFFSET(addr) ((addr) & (PAGE_SIZE - 1))
#define PFN_DOWN(addr)    ((addr) >> PAGE_SHIFT)
#define PFN_UP(addr)      (((addr) + PAGE_SIZE - 1) >> PAGE_SHIFT)

#define ARRAY_SIZE(a)   (sizeof(a) / sizeof((a)[0]))
#define PLURAL(n)       ((n) == 1 ? "" : "s") /* "%u vCPU%s" */
#define ROUND_UP(n, to) (((n) + (to)-1) / (to) * (to))

/* Virtual time, in nanoseconds since the machine was switched on. */
typedef int64_t s_time_t;
#define STIME_MAX    INT64_MAX
#define MICROSECS(n) ((s_time_t)(n)*1000)
#define MILLISECS(n) ((s_time_t)(n)*1000000)
#define SECONDS(n)   ((s_time_t)(n)*1000000000)

#endif
