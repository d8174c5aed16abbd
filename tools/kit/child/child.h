// SPDX-License-Identifier: GPL-2.0-or-later
/* What xenlab-kit is made of: a kit is how its table is called. */
#ifndef TOOLS_KIT_CHILD_CHILD_H
#define TOOLS_KIT_CHILD_CHILD_H

#include "tools/kit/wire.h"

struct kit_child {
    const char *name, *symbol; /* "memctl", and what the object exports */
    size_t size;               /* of its table */
    /* A bit for each hook that the table has. */
    uint32_t (*hooks)(const void *ops);
    /*
     * Call one of those, which is not init: m holds the question's bytes, and then the answer's. Who asks is the model:
     * the bytes are what they should be.
     */
    void (*call)(const void *ops, void *state, struct kit_message *m);
};

extern const struct kit_child kit_child_memctl, kit_child_precopy, kit_child_balance, kit_child_reclaim, kit_child_ring,
    kit_child_tlbflush, kit_child_shadow, kit_child_evtchn;

#endif
