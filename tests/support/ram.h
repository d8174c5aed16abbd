// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tests' own door to machine RAM: they play guests, builders and the processor, and look at what came of it.
 */
#ifndef TESTS_SUPPORT_RAM_H
#define TESTS_SUPPORT_RAM_H

#include "sim/frame.h"

/* Host address of a frame, to read and to write until something is executed there: its code is dropped now. */
static inline void *ram_page(struct machine *m, mfn_t mfn)
{
    void *page = frame_write_begin(m, mfn);

    frame_write_end(m, mfn);
    return page;
}

#endif
