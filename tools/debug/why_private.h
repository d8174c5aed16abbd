// SPDX-License-Identifier: GPL-2.0-or-later
/* What answers to `why` are made of: for tools/debug/why.c and tools/debug/why_things.c, and nobody else. */
#ifndef TOOLS_DEBUG_WHY_PRIVATE_H
#define TOOLS_DEBUG_WHY_PRIVATE_H

#include "tools/debug/past.h"
#include "tools/debug/why.h"

/* An answer begins: empty; the way back to where it was asked. */
struct past_question why_begin(struct debugger *d, struct why *w);
/* "2.703347ms#80477.1", which becomes the answer's place. */
void why_add_place(struct why *w, s_time_t t, struct position at);
/* "since history begins, ..." */
void why_add_never(struct why *w, const struct debugger *d);
/* "mfn 0x123 (d1's pfn 0x7) is of type l1, with 2 uses", "mfn 0x1 is the hypervisor's own". */
void why_add_frame(struct why *w, const struct look_frame *f);
/* All that belongs to an event, whose place becomes the answer's; the machine goes elsewhere. */
enum debug_result why_add_episode(struct debugger *d, const struct trace_record *of, struct why *w);

#endif
