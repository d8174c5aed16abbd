// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine-to-physical table: for each frame the number that its owner knows it by. Explained in mmu/m2p.c.
 */
#ifndef MMU_M2P_H
#define MMU_M2P_H

#include "mmu/page.h"

/* Where the 32-bit table is in a PV32 guest: slots of the L2 that covers the last GiB. */
#define COMPAT_M2P_FIRST_SLOT 428 /* (0xf5800000 >> 21) & 511 */
#define COMPAT_M2P_NR_SLOTS   84

/* What an entry says that has no number (Xen's INVALID_M2P_ENTRY). */
#define INVALID_M2P_ENTRY (~UINT64_C(0))

/* XENMEM_machphys_mfn_list names the table by pieces of 2 MiB. */
#define M2P_EXTENT_PAGES UINT64_C(512)

/* Set both tables up in the frames behind the firmware's; returns the first frame behind them. At least 8 MiB of RAM. */
uint64_t m2p_init(struct xen *xen);
/* The frames [mfn, mfn + nr) are about to be used: their part of the tables must exist. */
void m2p_open(struct xen *xen, mfn_t mfn, uint64_t nr);
/* There is a PV32 domain now: its table comes into being, and is kept from here on. */
void m2p32_begin(struct xen *xen);
/* Was the run of frames that mfn is in ever opened? */
bool m2p_is_open(const struct xen *xen, mfn_t mfn);
/* Frames of the table for PV32; xen->m2p_frames are those of the other. */
uint64_t m2p32_frames(const struct xen *xen);
/* Copy a frame of either table to `page`, as it is or will be. False: the frame is of none of them. */
bool m2p_page_read(const struct xen *xen, mfn_t mfn, void *page);
/* The frame is free: its entry is invalid. */
void m2p_forget(struct xen *xen, mfn_t mfn);

#endif
