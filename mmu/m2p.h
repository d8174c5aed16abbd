// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine-to-physical table: for each frame the number that its owner knows it by. Explained in mmu/m2p.c.
 */
#ifndef MMU_M2P_H
#define MMU_M2P_H

#include "mmu/page.h"
#include "mmu/pte.h"
#include "sim/frame.h"

/* Where the 32-bit table is in a PV32 guest: slots of the L2 that covers the last GiB. */
#define COMPAT_M2P_FIRST_SLOT 428 /* (0xf5800000 >> 21) & 511 */
#define COMPAT_M2P_NR_SLOTS   84

/* What an entry says that has no number (Xen's INVALID_M2P_ENTRY). */
#define INVALID_M2P_ENTRY (~UINT64_C(0))

/* XENMEM_machphys_mfn_list names the table by pieces of 2 MiB. */
#define M2P_EXTENT_PAGES UINT64_C(512)

/*
 * Set both tables up in the frames behind the firmware's; returns the first frame behind them. At least 8 MiB of RAM.
 */
uint64_t m2p_init(struct xen *xen);
#define M2P_PER_PAGE (PAGE_SIZE / 8)

/* The L1 tables of the M2P: one entry for each of its pages, one table behind the other. */
static inline const uint64_t *m2p_l1(const struct xen *xen) { return mfn_to_virt(xen->machine, _mfn(FIRMWARE_FRAMES)); }
/* There is a PV32 domain now: its table comes into being, and is kept from here on. */
void m2p32_begin(struct xen *xen);
/* Was the run of frames that mfn is in ever opened? */
static inline bool m2p_is_open(const struct xen *xen, mfn_t mfn)
{
    return m2p_l1(xen)[mfn_x(mfn) / M2P_PER_PAGE] & _PAGE_PRESENT;
}
/* Bring the page of the tables that describes mfn into being. */
void m2p_page_open(struct xen *xen, mfn_t mfn);
/* The frames [mfn, mfn + nr) are about to be used: their part of the tables must exist. */
static inline void m2p_open(struct xen *xen, mfn_t mfn, uint64_t nr)
{
    for (uint64_t n = mfn_x(mfn) & ~(M2P_PER_PAGE - 1); n < mfn_x(mfn) + nr; n += M2P_PER_PAGE)
        if (!m2p_is_open(xen, _mfn(n)))
            m2p_page_open(xen, _mfn(n));
}
/* Frames of the table for PV32; xen->m2p_frames are those of the other. */
uint64_t m2p32_frames(const struct xen *xen);
/* Is it a frame of either table? */
static inline bool is_m2p_frame(const struct xen *xen, mfn_t mfn)
{
    return mfn_x(mfn) - mfn_x(xen->m2p_mfn) < xen->m2p_frames ||
           mfn_x(mfn) - mfn_x(xen->m2p_compat) < m2p32_frames(xen);
}
/* A frame of either table is to be read: it is filled in, and kept from here on. False: it is of none of them. */
bool m2p_frame_open(struct xen *xen, mfn_t mfn);
void m2p32_entry_set(struct xen *xen, mfn_t mfn, uint32_t pfn); /* m2p_entry_set() in the second one */
/* Of a frame whose page is open, in both tables. */
static inline void m2p_entry_set(struct xen *xen, mfn_t mfn, uint64_t pfn)
{
    xen->m2p_sets++;
    frame_log(xen->machine, mfn); /* what is at pfn is another frame */
    frame_write_u64(xen->machine, &xen->m2p[mfn_x(mfn)], pfn);
    if (mfn_x(mfn) < xen->m2p32_entries)
        m2p32_entry_set(xen, mfn, (uint32_t)pfn);
}

#endif
