// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The names of values in a trace.
 *
 * Concept: a list an enumeration: V(constant, name). Most of them are declared here, too, and exist for the trace alone
 * (why, by what way, with what verdict); the others name values of the machine. Numbers of hypercalls and of their
 * operations are in sim/trace_calls.c.
 */
#ifndef SIM_TRACE_ENUMS_H
#define SIM_TRACE_ENUMS_H

/* clang-format off */

/* Who executes: the hypervisor; a PV guest's kernel or user code; an HVM guest by its ring; native code. */
#define TRACE_ENUM_mode(V)                                                                                             \
    V(TRACE_MODE_XEN, xen) V(TRACE_MODE_KERNEL, kernel) V(TRACE_MODE_USER, user)                                       \
    V(TRACE_MODE_HVM0, hvm0) V(TRACE_MODE_HVM1, hvm1) V(TRACE_MODE_HVM2, hvm2) V(TRACE_MODE_HVM3, hvm3)                \
    V(TRACE_MODE_NATIVE, native)

/*
 * Under whose page tables: of a PV64 guest's two roots the kernel's or the user's; an HVM guest's own, or shadows of
 * them, with its kernel in ring 0 or 1. What of its exits hardware would take depends on it: trace_is_engines().
 */
#define TRACE_ENUM_root(V)                                                                                             \
    V(TRACE_ROOT_NONE, none) V(TRACE_ROOT_KERNEL, kernel) V(TRACE_ROOT_USER, user) V(TRACE_ROOT_HVM, hvm)                \
    V(TRACE_ROOT_SHADOW, shadow) V(TRACE_ROOT_RING1, ring1)

/* enum sim_exit_kind, sim/pcpu.h */
#define TRACE_ENUM_exit_kind(V)                                                                                        \
    V(EXIT_BUDGET, budget) V(EXIT_STOP, stop) V(EXIT_EXCEPTION, exception) V(EXIT_SOFTINT, softint)                    \
    V(EXIT_SYSCALL, syscall) V(EXIT_SYSENTER, sysenter) V(EXIT_VMMCALL, vmmcall) V(EXIT_IO, io)                        \
    V(EXIT_RDMSR, rdmsr) V(EXIT_WRMSR, wrmsr) V(EXIT_CPUID, cpuid) V(EXIT_RDTSC, rdtsc) V(EXIT_CR_READ, cr_read)       \
    V(EXIT_CR_WRITE, cr_write) V(EXIT_DR_READ, dr_read) V(EXIT_DR_WRITE, dr_write) V(EXIT_NPF, npf)                    \
    V(EXIT_HLT, hlt) V(EXIT_INTWIN, intwin) V(EXIT_PAUSE, pause) V(EXIT_TASK_SWITCH, task_switch) V(EXIT_INVLPG, invlpg) \
    V(EXIT_SHUTDOWN, shutdown) V(EXIT_ERROR, error)

/* enum insn_op, sim/insn.h */
#define TRACE_ENUM_insn(V)                                                                                             \
    V(INSN_OTHER, other) V(INSN_INVALID, invalid) V(INSN_CLI, cli) V(INSN_STI, sti) V(INSN_HLT, hlt) V(INSN_IN, in)    \
    V(INSN_OUT, out) V(INSN_INS, ins) V(INSN_OUTS, outs) V(INSN_RDMSR, rdmsr) V(INSN_WRMSR, wrmsr)                     \
    V(INSN_RDTSC, rdtsc) V(INSN_RDTSCP, rdtscp) V(INSN_RDPMC, rdpmc) V(INSN_CPUID, cpuid)                              \
    V(INSN_MOV_FROM_CR, mov_from_cr) V(INSN_MOV_TO_CR, mov_to_cr) V(INSN_MOV_FROM_DR, mov_from_dr)                     \
    V(INSN_MOV_TO_DR, mov_to_dr) V(INSN_CLTS, clts) V(INSN_LMSW, lmsw) V(INSN_SMSW, smsw) V(INSN_INVLPG, invlpg)       \
    V(INSN_WBINVD, wbinvd) V(INSN_INVD, invd) V(INSN_XSETBV, xsetbv) V(INSN_SWAPGS, swapgs)                            \
    V(INSN_WRFSGSBASE, wrfsgsbase) V(INSN_MOV, mov) V(INSN_XCHG, xchg) V(INSN_CMPXCHG, cmpxchg)                        \
    V(INSN_CMPXCHG8B, cmpxchg8b) V(INSN_AND, and) V(INSN_OR, or) V(INSN_BTS, bts) V(INSN_BTR, btr) V(INSN_BTC, btc)    \
    V(INSN_XOR, xor) V(INSN_ADD, add) V(INSN_SUB, sub) V(INSN_XADD, xadd) V(INSN_STOS, stos) V(INSN_MOVS, movs)        \
    V(INSN_INT3, int3)

/* By what a guest came back in: what the hypervisor did last before it let the guest go on. */
#define TRACE_ENUM_resume(V)                                                                                           \
    V(TRACE_RESUME_NONE, none) V(TRACE_RESUME_SCHEDULED, scheduled) V(TRACE_RESUME_HANDLED, handled)                   \
    V(TRACE_RESUME_TRAP, trap) V(TRACE_RESUME_UPCALL, upcall) V(TRACE_RESUME_SYSCALL, syscall)                         \
    V(TRACE_RESUME_FAILSAFE, failsafe) V(TRACE_RESUME_IRET, iret)

/* How a hypercall came. */
#define TRACE_ENUM_via(V)                                                                                              \
    V(TRACE_VIA_SYSCALL, syscall) V(TRACE_VIA_INT82, int82) V(TRACE_VIA_NATIVE, native)                                \
    V(TRACE_VIA_MULTICALL, multicall) V(TRACE_VIA_VMMCALL, vmmcall)

/* How it ended: with an answer; to be made again with what is left; in another context than it was made in. */
#define TRACE_ENUM_status(V)                                                                                           \
    V(TRACE_STATUS_DONE, done) V(TRACE_STATUS_CONTINUED, continued) V(TRACE_STATUS_NORETURN, noreturn)

/* What became of an instruction: carried out for the guest; its own fault; a store to a page table, made good. */
#define TRACE_ENUM_verdict(V)                                                                                          \
    V(TRACE_VERDICT_EMULATED, emulated) V(TRACE_VERDICT_REFUSED, refused) V(TRACE_VERDICT_FIXUP, fixup)

/* Which rule allowed or forbade it. */
#define TRACE_ENUM_rule(V)                                                                                             \
    V(TRACE_RULE_KERNEL, kernel)           /* what a kernel may do, and user code may not */                           \
    V(TRACE_RULE_IOPL, iopl)               /* the virtual I/O privilege level: a kernel counts as ring 1 */            \
    V(TRACE_RULE_IO_BITMAP, io_bitmap)     /* the bitmap of ports that the kernel has named */                         \
    V(TRACE_RULE_INTERCEPT, intercept)     /* answered for everybody: CPUID, RDTSC */                                  \
    V(TRACE_RULE_TSD, tsd)                 /* the kernel's CR4.TSD forbids RDTSC to user code */                       \
    V(TRACE_RULE_UNKNOWN, unknown)         /* no instruction that is ever emulated */                                  \
    V(TRACE_RULE_VALUE, value)             /* the register does not exist, or does not take this value */              \
    V(TRACE_RULE_PAGE_TABLE, page_table)   /* a store to a page table, checked as mmu_update would */

/* Why a root of page tables changed. */
#define TRACE_ENUM_cr3_why(V)                                                                                          \
    V(TRACE_CR3_NEW_BASEPTR, new_baseptr) V(TRACE_CR3_NEW_USER_BASEPTR, new_user_baseptr)                              \
    V(TRACE_CR3_MOV, mov_cr3) V(TRACE_CR3_CONTEXT, set_context)

/* What a TLB flush is of: a vCPU, all of a domain's, some of them, one page in one of them. */
#define TRACE_ENUM_tlb_scope(V)                                                                                        \
    V(TRACE_TLB_LOCAL, local) V(TRACE_TLB_ALL, all) V(TRACE_TLB_SOME, some) V(TRACE_TLB_PAGE, page)

/* How a page table entry came to be written. */
#define TRACE_ENUM_pte_via(V)                                                                                          \
    V(TRACE_PTE_MMU_UPDATE, mmu_update) V(TRACE_PTE_VA_MAPPING, va_mapping) V(TRACE_PTE_PTWR, ptwr)                    \
    V(TRACE_PTE_GRANT, grant)

/* PGT_*, mmu/page.h, as a number */
#define TRACE_ENUM_page_type(V)                                                                                        \
    V(0, none) V(1, l1) V(2, l2) V(3, l3) V(4, l4) V(5, seg_desc) V(6, shared) V(7, writable)

/* What changed a frame's type: its first use as something else; a table's contents, refused; the last use's end. */
#define TRACE_ENUM_page_why(V)                                                                                         \
    V(TRACE_PAGE_GET, get) V(TRACE_PAGE_REFUSED, refused) V(TRACE_PAGE_PUT, put)

/* Whose affair a page fault is: the guest's; a store to a page table; a page of the LDT that was not there yet. */
#define TRACE_ENUM_fault_verdict(V)                                                                                    \
    V(TRACE_FAULT_GUEST, guest) V(TRACE_FAULT_PTWR, ptwr) V(TRACE_FAULT_LDT, ldt)

#define TRACE_ENUM_ring_kind(V)                                                                                        \
    V(TRACE_RING_CONSOLE_OUT, console_out) V(TRACE_RING_CONSOLE_IN, console_in)                                        \
    V(TRACE_RING_XENSTORE_REQ, xenstore_req) V(TRACE_RING_XENSTORE_RSP, xenstore_rsp)                                  \
    V(TRACE_RING_BLOCK_REQ, block_req) V(TRACE_RING_BLOCK_RSP, block_rsp)                                              \
    V(TRACE_RING_NET_TX, net_tx) V(TRACE_RING_NET_TX_RSP, net_tx_rsp)                                                  \
    V(TRACE_RING_NET_RX, net_rx) V(TRACE_RING_NET_RX_RSP, net_rx_rsp)                                                  \
    V(TRACE_RING_CHANNEL_OUT, channel_out) V(TRACE_RING_CHANNEL_IN, channel_in) V(TRACE_RING_KEYS, keys)

/* What becomes of a frame at a port of a bridge. */
#define TRACE_ENUM_net_op(V)                                                                                           \
    V(TRACE_NET_IN, in)             /* whoever is behind the port has sent it */                                       \
    V(TRACE_NET_OUT, out)           /* whoever is behind it gets it */                                                 \
    V(TRACE_NET_DROPPED, dropped)   /* the port's queue is full */                                                     \
    V(TRACE_NET_UNWANTED, unwanted) /* of a group that whoever is behind it is not in */

/* What a device of the physical machine does, for a dom0 that has drivers of its own. */
#define TRACE_ENUM_device_op(V)                                                                                        \
    V(TRACE_DEVICE_READ, read)           /* a request for sectors: from the disk to memory, by DMA */                  \
    V(TRACE_DEVICE_WRITE, write)         /* the same the other way */                                                  \
    V(TRACE_DEVICE_FLUSH, flush)         /* a request that all that was written be kept */                             \
    V(TRACE_DEVICE_IDENT, ident)         /* a request for what the disk calls itself */                                \
    V(TRACE_DEVICE_FAILED, failed)       /* a request that will be answered with an error */                           \
    V(TRACE_DEVICE_DONE, done)           /* a request is answered: its time is over */                                 \
    V(TRACE_DEVICE_SEND, send)           /* a frame leaves the network card */                                         \
    V(TRACE_DEVICE_RECEIVE, receive)     /* a frame comes into memory by it */                                         \
    V(TRACE_DEVICE_INTERRUPT, interrupt) /* Xen is interrupted, and is to tell dom0 */

/* RUNSTATE_*, of the public headers */
#define TRACE_ENUM_runstate(V) V(0, running) V(1, runnable) V(2, blocked) V(3, offline)

/* Why a vCPU's runstate changed. */
#define TRACE_ENUM_run_why(V)                                                                                          \
    V(TRACE_RUN_SCHEDULED, scheduled)      /* it got a pCPU */                                                         \
    V(TRACE_RUN_PREEMPTED, preempted)      /* it lost one, and could have gone on */                                   \
    V(TRACE_RUN_BLOCK, block)              /* it waits for an event: SCHEDOP_block */                                  \
    V(TRACE_RUN_POLL, poll)                /* for one of a few ports, or a time: SCHEDOP_poll */                       \
    V(TRACE_RUN_EVENT, event)              /* an event ended its waiting */                                            \
    V(TRACE_RUN_TIMEOUT, timeout)          /* the time that its poll had is over */                                    \
    V(TRACE_RUN_PAUSED, paused)            /* it, or its domain */                                                     \
    V(TRACE_RUN_DOWN, down)                /* VCPUOP_down, or never brought up */                                      \
    V(TRACE_RUN_SHUTDOWN, shutdown)        /* its domain has shut down, or is being destroyed */                       \
    V(TRACE_RUN_MIGRATING, migrating)      /* on its way to another pCPU or pool */                                    \
    V(TRACE_RUN_RESUMED, resumed)          /* what kept it is over: unpaused, brought up, resumed */

/* What a scheduler is told: by the domctls scheduler_op and setvcpuaffinity. */
#define TRACE_ENUM_sched_param(V)                                                                                      \
    V(TRACE_SCHED_WEIGHT, weight) V(TRACE_SCHED_CAP, cap) V(TRACE_SCHED_PERIOD, period)                                \
    V(TRACE_SCHED_BUDGET, budget) V(TRACE_SCHED_EXTRATIME, extratime) V(TRACE_SCHED_HARD, hard)                        \
    V(TRACE_SCHED_SOFT, soft)

#define TRACE_ENUM_timer(V)                                                                                            \
    V(TIMER_OTHER, other) V(TIMER_SINGLESHOT, singleshot) V(TIMER_PERIODIC, periodic) V(TIMER_POLL, poll)              \
    V(TIMER_WATCHDOG, watchdog) V(TIMER_IDLE, idle) V(TIMER_SCHED, sched)                               \
    V(TIMER_PLATFORM, platform)

#define TRACE_ENUM_domain_op(V)                                                                                        \
    V(TRACE_DOMAIN_CREATE, create) V(TRACE_DOMAIN_SHUTDOWN, shutdown) V(TRACE_DOMAIN_CRASH, crash)                     \
    V(TRACE_DOMAIN_RESUME, resume) V(TRACE_DOMAIN_PAUSE, pause) V(TRACE_DOMAIN_UNPAUSE, unpause)                       \
    V(TRACE_DOMAIN_KILL, kill) V(TRACE_DOMAIN_DESTROY, destroy)

/* SHUTDOWN_*, public sched.h */
#define TRACE_ENUM_shutdown(V)                                                                                         \
    V(0, poweroff) V(1, reboot) V(2, suspend) V(3, crash) V(4, watchdog) V(5, soft_reset)

#define TRACE_ENUM_input(V) V(TRACE_INPUT_CONSOLE, console) V(TRACE_INPUT_CHANNEL, channel)

/* XS_*, public io/xs_wire.h */
#define TRACE_ENUM_xs_op(V)                                                                                            \
    V(0, control) V(1, directory) V(2, read) V(3, get_perms) V(4, watch) V(5, unwatch) V(6, transaction_start)         \
    V(7, transaction_end) V(8, introduce) V(9, release) V(10, get_domain_path) V(11, write) V(12, mkdir) V(13, rm)     \
    V(14, set_perms) V(15, watch_event) V(16, error) V(17, is_domain_introduced) V(18, resume) V(19, set_target)       \
    V(21, reset_watches) V(22, directory_part)

/* Those that are declared here, and those whose numbers somebody else has. */
#define TRACE_OWN_ENUMS(E)                                                                                             \
    E(mode) E(root) E(resume) E(via) E(status) E(verdict) E(rule) E(cr3_why) E(tlb_scope) E(pte_via) E(page_why)       \
    E(fault_verdict) E(ring_kind) E(net_op) E(device_op) E(run_why) E(sched_param) E(timer) E(domain_op) E(input)
#define TRACE_OTHER_ENUMS(E) E(exit_kind) E(insn) E(page_type) E(runstate) E(shutdown) E(xs_op)

/* clang-format on */

#define V(constant, name) constant,
#define E(enumeration)    enum trace_##enumeration{ TRACE_ENUM_##enumeration(V) };
TRACE_OWN_ENUMS(E)
#undef E
#undef V

#endif
