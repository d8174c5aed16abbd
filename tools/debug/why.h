// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why is it so? Answered by searching backwards for what made it so.
 *
 * Concept: something that is so now became so at one position of the past: the last one at which it changed, or an
 * event told of it. What was done there, and by whom, is the answer; it is a sentence, and the position.
 *
 *      register        the last instruction (or step of the hypervisor) of the vCPU that changed it
 *      memory, PTE     the last store that changed it, whoever stored (tools/debug/stops.h: a watch)
 *      vCPU            the event by which it came to what it does; what would end that
 *      port            the event by which it became pending; whether and why the guest is not told
 *      refusal         the last one: who asked, for what, which rule forbade it
 *      domain, pCPU    what it does, since when; a domain that is there no more: how it ended
 *      frame           whose it is; the event by which it got its type
 *      grant           who has it mapped, and its last use
 *      disk                what was done with it, and where that is; the last requests
 *      port of a network   what waits and was lost there; its last frame
 *      xenstore node   the last request that changed it
 *      timer           what it will do, and by what it was armed
 *      event           the one that the machine stands at: all of what belongs to it
 *
 * Invariants: whatever the answer, and if there is none, the machine is where it was, and what the debugger knew of
 * that position it knows again.
 */
#ifndef TOOLS_DEBUG_WHY_H
#define TOOLS_DEBUG_WHY_H

#include "tools/debug/debugger.h"
#include "tools/debug/look.h"
#include "tools/debug/sentence.h"

struct why {
    struct sentence says;
    bool has_at;
    struct position at; /* to go to: in front of the instruction that did it, or behind the step */
};

/*
 * DEBUG_THERE: w is the answer, which may be that it has been so since history begins. DEBUG_INTERRUPTED; DEBUG_ERROR:
 * d->err says what cannot be asked.
 */
enum debug_result why_register(struct debugger *d, const char *name,
                               struct why *w); /* "%rax", of the debugger's vCPU */
/* A value of 1, 2, 4 or 8 bytes: a watch that is in no list; space, dom, vcpu, addr, len, access are read. */
enum debug_result why_memory(struct debugger *d, const struct debug_stop *what, struct why *w);
/* The last entry of the page walk of a vCPU's virtual address. */
enum debug_result why_pte(struct debugger *d, domid_t dom, unsigned int vcpu, uint64_t va, struct why *w);
enum debug_result why_pcpu(struct debugger *d, unsigned int cpu, struct why *w);
enum debug_result why_domain(struct debugger *d, domid_t dom, struct why *w);
enum debug_result why_vcpu(struct debugger *d, domid_t dom, unsigned int vcpu, struct why *w);
enum debug_result why_port(struct debugger *d, domid_t dom, evtchn_port_t port, struct why *w);
enum debug_result why_frame(struct debugger *d, mfn_t mfn, struct why *w);
enum debug_result why_grant(struct debugger *d, domid_t dom, grant_ref_t ref, struct why *w);
/* The nr-th to expire of those that are armed, from 0 on. */
enum debug_result why_timer(struct debugger *d, unsigned int nr, struct why *w);
/* A domain's disk, by its name there. */
enum debug_result why_disk(struct debugger *d, domid_t dom, const char *vdev, struct why *w);
/* A port of a bridge, by its name. */
enum debug_result why_netport(struct debugger *d, const char *name, struct why *w);
/* A node of the domain's store: who has changed it last, of those who ask for that by messages. */
enum debug_result why_node(struct debugger *d, const char *path, struct why *w);
enum debug_result why_refused(struct debugger *d, struct why *w);
/* What the machine stands at; of an instruction that has not come out for anything, that. */
enum debug_result why_here(struct debugger *d, struct why *w);
/* What was done in the step that ends at a position, and all that belongs to it. */
enum debug_result why_at(struct debugger *d, struct position at, struct why *w);

#endif
