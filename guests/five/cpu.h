// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What only a kernel may do, and how it asks the processor for it.
 *
 * Concept: the sensitive operations of x86, by purpose. cpu_native.c does them by the instructions of the manual, at
 * CPL 0; cpu_pv.c asks Xen, since it runs where user programs do. This list is what paravirtualization has to replace.
 *
 *      purpose          native                         PV
 *      write            port 0xe9                      console_io
 *      table entries    a store                        mmu_update; tables are read-only, and pinned
 *      INVLPG, CR3      the instructions               mmuext_op, twice the roots
 *      IDT, TSS, STAR   LIDT, LTR, WRMSR               set_trap_table, stack_switch, callback_op
 *      CLI, STI         the instructions               a byte in shared memory
 *      HLT              STI; HLT                       sched_op block
 *      timer            local APIC, once               set_timer_op and an event
 *      IRET, SYSRET     the instructions               hypercall iret
 */
#ifndef GUESTS_FIVE_CPU_H
#define GUESTS_FIVE_CPU_H

#include "guests/five/five.h"

/* "native" or "pv". */
extern const char cpu_name[];

/* Traps, timer, user mode; before all else. Interrupts are off. */
void cpu_init(void);
void cpu_write(const char *text, size_t n);
/* The end of the machine. */
_Noreturn void cpu_stop(void);

/* --- paging --- */

/* The entry of a table that leads to a page of the kernel's image. */
uint64_t cpu_entry(const void *page, uint64_t flags);
/* The page, filled as a table before, is one from now on: only cpu_entry_write() changes it. */
void cpu_table_begin(uint64_t *table);
/* The last step of space_make(): root and lower tables are filled. */
void cpu_space_begin(struct space *s);
void cpu_entry_write(uint64_t *table, unsigned int index, uint64_t entry);
void cpu_page_flush(uint64_t va);
/* Of the tables in use. */
uint64_t *cpu_root(void);
void cpu_space_load(const struct space *s);

/* --- traps, interrupts --- */

uint64_t cpu_fault_address(void);
void cpu_interrupts_on(void);
void cpu_interrupts_off(void);
/* Until the next interrupt has been handled; off before and after. */
void cpu_wait(void);
/* Once, after so many ns. */
void cpu_timer(uint64_t ns);
/* In TRAP_TIMER: was it the timer? Takes note that it was heard. */
bool cpu_timer_rang(void);

/* --- user mode --- */

void cpu_user_frame(struct frame *f, uint64_t rip, uint64_t rsp, uint64_t arg);
/* Go on in user mode until it traps; f is what was then. */
void cpu_user_run(struct frame *f);

/* --- what this kernel set up, for the probes --- */

struct cpu_own {
    uint64_t gdt, idt;
    uint16_t task;        /* selector in TR */
    uint16_t code;        /* of code, DPL 0 */
    uint16_t data;        /* of data, DPL 0, loaded nowhere */
    uint32_t code_rights; /* what LAR gives of it */
};
extern const struct cpu_own cpu_own;
/* CR0.TS. */
void cpu_task_switched(bool on);

#endif
