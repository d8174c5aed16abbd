// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What comes in, done to a machine.
 *
 * Concept: keys that somebody types, and what somebody who debugs does to a guest: a register or memory set, a trap or
 * an event out of nothing. All of it is records of the journal (tools/rewind/journal.h), which are done here, in the
 * same way at first and when the past is run again. Each is a step of the machine: the position behind it is another
 * one than in front of it.
 *
 * Invariants: a record that has no meaning for the machine as it is, whoever made it, is refused with what would be
 * right, and changes nothing. What can be set is what guests could have come to by themselves: nobody's page tables,
 * nothing of the hypervisor's, no register that a guest may not load.
 */
#ifndef TOOLS_REWIND_INPUT_H
#define TOOLS_REWIND_INPUT_H

#include "tools/host.h"
#include "tools/rewind/journal.h"

/* Registers that can be set, by their number in a record: the processor's order first. */
/* clang-format off */
#define INPUT_REGS(X)                                                                                                  \
    X(rax) X(rcx) X(rdx) X(rbx) X(rsp) X(rbp) X(rsi) X(rdi) X(r8) X(r9) X(r10) X(r11) X(r12) X(r13) X(r14) X(r15)      \
    X(rip) X(rflags) X(fs_base) X(gs_base)
/* clang-format on */
enum input_reg {
#define X(name) INPUT_REG_##name,
    INPUT_REGS(X)
#undef X
        INPUT_NR_REGS
};

/* INPUT_NR_REGS: none of this name can be set. */
enum input_reg input_reg_of(const char *name);

/* 0, or -1 and why not. The host stands between two steps. */
int input_apply(struct host *h, const struct journal_record *rec, char err[REWIND_ERR_SIZE]);
/* What that would say. Nothing changes. */
int input_check(struct host *h, const struct journal_record *rec, char err[REWIND_ERR_SIZE]);

#endif
