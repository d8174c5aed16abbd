// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is made up: domains without a kernel, and hypercalls and exits that no code has made.
 *
 * Concept: who tries the hypervisor from outside of its machine (include/xenlab/xenlab.h) wants to say: this vCPU makes
 * this hypercall now, this one comes out with a page fault there. Each is a record of the journal, as keys are, so that
 * a run with them in it can be visited at any position, and recorded.
 *
 * A hypercall is made as the vCPU's kernel would make it: number and arguments go into the registers of its kind, it
 * comes out of the instruction, and as often again as it is preempted. Afterwards the registers are what they were, but
 * for RAX, which has the result; where a call has changed RIP or switched stacks (iret), they are what it has made of
 * them.
 *
 * Invariants: what is refused changes nothing. What no processor would do, such as an exit of a kind that its mode does
 * not have, is refused; all else, however wrong it is for a guest, is the hypervisor's to deal with.
 */
#ifndef TOOLS_REWIND_MADE_H
#define TOOLS_REWIND_MADE_H

#include "tools/host.h"
#include "tools/rewind/journal.h"

/* JOURNAL_DOMAIN: who is the domain's number, but of MADE_CREATE, which the domain follows from. */
#define MADE_CREATE HOST_MADE_WHATS
struct made_domain {
    uint32_t what;         /* enum host_made_what, or MADE_CREATE: */
    struct host_made made; /* this one */
};

#define MADE_ARGS 6 /* of a hypercall */

/* JOURNAL_EXIT: struct sim_exit, in a form that is the same in each build. */
struct made_exit {
    uint32_t kind;     /* enum sim_exit_kind */
    uint32_t insn_len; /* of the instruction at RIP (SYSCALL, INT n: in front of it); 0: not known */
    uint32_t vector, error_code, has_error_code, port, size, in, string, cr, table, reserved;
    uint64_t addr; /* #PF: the address; NPF: guest-physical */
};

/* The vCPU makes its hypercalls as 32-bit code does: its results have 32 bits. There need not be such a one. */
bool made_is_narrow(struct host *h, domid_t domid, unsigned int vcpu);

/* As input_apply() and input_check(), of records of these kinds. */
int made_domain(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE]);
int made_hypercall(struct host *h, struct vcpu *v, const struct journal_record *rec, bool check,
                   char err[REWIND_ERR_SIZE]);
int made_exit(struct host *h, struct vcpu *v, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE]);

#endif
