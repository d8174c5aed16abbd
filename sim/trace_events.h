// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The events of a trace and their fields: schema version 1.
 *
 * Concept: X(event, what it says, F(field, type, what it says)...). Types are TRACE_PLAIN_TYPES, or a list of names
 * of sim/trace_enums.h. A field's name means the same in every event. docs/trace.md has these texts, too: a test
 * compares.
 */
#ifndef SIM_TRACE_EVENTS_H
#define SIM_TRACE_EVENTS_H

#include "sim/trace_enums.h"

/* clang-format off */

/*
 * How a field prints: dec and num, numbers, of which num may be -1; hex, addresses and bits, as strings "0x..."; frame,
 * the same of frame numbers; bool, true or false; domid, a number; vcpuid, "d1v0"; hypercall and sub, names, sub being
 * the operation of the hypercall that stands before it; text, bytes. What is TRACE_NONE (of all but num, hex) is null.
 */
#define TRACE_PLAIN_TYPES(E) E(dec) E(num) E(hex) E(frame) E(bool) E(domid) E(vcpuid) E(hypercall) E(sub) E(text)

#define TRACE_EVENTS(X)                                                                                                \
    X(exit, "a guest was left, for another reason than that its time was up",                                          \
      F(kind, exit_kind, "why") F(vector, dec, "of an exception or a software interrupt, else null")                   \
      F(error, hex, "the exception's, or the nested page fault's, error code")                                         \
      F(rip, hex, "the instruction, or the next one after it")                                                         \
      F(len, dec, "the instruction's length, 0 if it is not known")                                                    \
      F(addr, hex, "the address of a page fault (nested: guest-physical), DR6 of a debug exception, a port of I/O")    \
      F(op, insn, "the instruction, if it is a privileged one that made the guest leave")                              \
      F(insns, dec, "instructions since the guest was last entered") F(cost, dec, "ns that the exit takes"))           \
    X(resume, "the guest goes on: after an exit, or on a pCPU",                                                        \
      F(rip, hex, "where") F(why, resume, "what led there"))                                                           \
    X(hypercall, "a hypercall begins",                                                                                 \
      F(nr, hypercall, "which") F(sub, sub, "which operation of it, null if it has none")                              \
      F(a1, hex, "arguments; of native code, 0 for the address of a buffer") F(a2, hex, "") F(a3, hex, "")             \
      F(a4, hex, "") F(a5, hex, "") F(a6, hex, "") F(rip, hex, "behind the instruction")                               \
      F(via, via, "how it was made") F(multi, dec, "its index in a multicall, else null"))                             \
    X(hypercall_ret, "a hypercall ends",                                                                               \
      F(nr, hypercall, "which") F(ret, num, "its answer, negative for an error")                                       \
      F(cost, dec, "ns that it took") F(status, status, "whether it answers at all"))                                  \
    X(emulate, "an instruction that the processor did not execute: what becomes of it",                                \
      F(rip, hex, "where it is") F(op, insn, "which") F(verdict, verdict, "") F(rule, rule, "because of what")         \
      F(value, hex, "what was read or written") F(arg, hex, "the port, the MSR, the register's number, CPUID's leaf")  \
      F(iopl, dec, "the virtual I/O privilege level"))                                                                 \
    X(trap, "the guest's kernel gets an exception or a software interrupt",                                            \
      F(vector, dec, "") F(error, hex, "its error code") F(cr2, hex, "of a page fault, else 0")                        \
      F(from, hex, "where the guest was") F(to, hex, "the handler, 0 if there is none")                                \
      F(from_mode, mode, "") F(masked, bool, "whether the handler begins with events masked")                          \
      F(interrupt, bool, "whether it is an interrupt, or INT n, and no exception of this number"))                     \
    X(iret, "the guest's kernel returns",                                                                              \
      F(from, hex, "behind the hypercall") F(to, hex, "") F(from_mode, mode, "") F(to_mode, mode, "")                  \
      F(cs, hex, "the code segment to return to"))                                                                     \
    X(syscall, "a system call of the guest's user code",                                                               \
      F(from, hex, "behind the instruction") F(to, hex, "the kernel's entry, 0 if there is none")                      \
      F(from_mode, mode, "") F(to_mode, mode, "") F(cs, hex, "the code segment it came from"))                         \
    X(sysenter, "the same by SYSENTER, which is refused: AMD processors have it in legacy mode only",                  \
      F(from, hex, "the instruction") F(to, hex, "0") F(from_mode, mode, "") F(to_mode, mode, "") F(cs, hex, ""))      \
    X(failsafe, "the kernel is told that data segments could not be loaded",                                           \
      F(from, hex, "where the guest was") F(to, hex, "the callback, 0 if there is none")                               \
      F(from_mode, mode, "") F(to_mode, mode, "") F(cs, hex, "the code segment it came from"))                         \
    X(upcall, "the kernel is told that events are pending",                                                            \
      F(from, hex, "where the guest was") F(to, hex, "the callback, 0 if there is none")                               \
      F(ports, dec, "how many ports are pending and not masked") F(port, dec, "the lowest of them, or null"))          \
    X(cr3, "a guest's page tables have another root",                                                                  \
      F(old, frame, "null: there was none") F(new, frame, "") F(which, root, "") F(why, cr3_why, "")                   \
      F(ret, num, "0, or why it was refused"))                                                                         \
    X(tlb, "the guest asks for a TLB flush", F(scope, tlb_scope, "of what") F(va, hex, "the page, else 0"))            \
    X(pte, "a page table entry is to change",                                                                          \
      F(table, hex, "frame of the table") F(index, dec, "") F(level, dec, "") F(old, hex, "the entry before")          \
      F(new, hex, "the entry after, or what was asked for") F(via, pte_via, "") F(ret, num, "0, or why not"))          \
    X(page_type, "a frame is used for something else",                                                                 \
      F(mfn, frame, "") F(gfn, frame, "its number as its owner counts") F(old, page_type, "") F(new, page_type, "")    \
      F(count, dec, "uses of the new type; if another one is refused, of the old one") F(why, page_why, ""))                                                      \
    X(page_fault, "a page fault",                                                                                      \
      F(va, hex, "") F(error, hex, "its error code") F(verdict, fault_verdict, "whose affair it is"))                  \
    X(evtchn_send, "an event is sent",                                                                                 \
      F(port, dec, "the sender's") F(peer_dom, domid, "") F(peer_port, dec, "")                                        \
      F(masked, bool, "the peer's port is") F(edge, bool, "it was not pending: the peer is told, if it is not masked") \
      F(flow, dec, "number of the sending"))                                                                           \
    X(evtchn_pending, "an event is pending",                                                                           \
      F(port, dec, "") F(peer_dom, domid, "who sent it, null for the hypervisor") F(peer_port, dec, "its port")        \
      F(masked, bool, "") F(edge, bool, "it was not pending before")                                                   \
      F(flow, dec, "that of the evtchn_send behind it, else null"))                                                    \
    X(evtchn_mask, "a port is unmasked by hypercall (what a guest masks itself, in its memory, nobody sees)",          \
      F(port, dec, "") F(peer_dom, domid, "null") F(peer_port, dec, "null") F(masked, bool, "now: false")              \
      F(edge, bool, "it was masked and pending: the guest is told") F(flow, dec, "null"))                              \
    X(grant_map, "a granted frame is mapped",                                                                          \
      F(ref, dec, "") F(peer, domid, "who granted it") F(mfn, frame, "null if it was refused")                         \
      F(flags, hex, "GNTMAP_*") F(handle, dec, "null if it was refused") F(len, dec, "bytes")                          \
      F(ret, num, "GNTST_*"))                                                                                          \
    X(grant_unmap, "the mapping ends",                                                                                 \
      F(ref, dec, "null: there is no such mapping") F(peer, domid, "null as well") F(mfn, frame, "null as well")       \
      F(flags, hex, "") F(handle, dec, "") F(len, dec, "") F(ret, num, ""))                                            \
    X(grant_copy, "bytes are copied to or from granted frames",                                                        \
      F(ref, dec, "of the source, or if that is no grant of the destination; null: neither is")                        \
      F(peer, domid, "") F(mfn, frame, "null") F(flags, hex, "GNTCOPY_*")                                              \
      F(handle, dec, "null") F(len, dec, "") F(ret, num, ""))                                                          \
    X(ring, "a back end has looked at a ring, or put something into it",                                               \
      F(dev, domid, "whose ring") F(kind, ring_kind, "") F(old_prod, dec, "how far it had been dealt with")            \
      F(new_prod, dec, "how far it is filled")                                                                         \
      F(event_at, dec, "at which index the other end wants to be told, null: of no interest, or always")               \
      F(notify, bool, "the other end is sent an event"))                                                               \
    X(ring_full, "a back end sees that all slots of a ring are in use: its front end has to wait",                     \
      F(dev, domid, "whose ring") F(kind, ring_kind, "") F(slots, dec, ""))                                            \
    X(ring_free, "slots of that ring are free again",                                                                  \
      F(dev, domid, "whose ring") F(kind, ring_kind, "") F(waited, dec, "how long it was full, ns"))                   \
    X(ring_lost, "an event from outside, of a key or a pointer, has no room in a ring nor before it: it is lost",      \
      F(dev, domid, "whose ring") F(kind, ring_kind, "") F(lost, dec, "how many have been by now"))                    \
    X(net_frame, "what becomes of a frame at a port of a bridge",                                                      \
      F(dev, domid, "whose port, 0: the outside's") F(op, net_op, "") F(len, dec, "bytes")                             \
      F(queued, dec, "frames that wait at the port") F(netport, text, "its name"))                                        \
    X(device, "a device of the physical machine does something, for a dom0 that is Linux",                             \
      F(op, device_op, "") F(sector, dec, "of a disk, else null") F(len, dec, "bytes, null of an interrupt")           \
      F(gsi, dec, "the interrupt's input of the IO-APIC, else null")                                                   \
      F(unit, text, "vda to vdh, or nic; none of an interrupt"))                                                       \
    X(runstate, "a vCPU runs, or waits, or does not",                                                                  \
      F(old, runstate, "") F(new, runstate, "") F(why, run_why, "") F(port, dec, "of the event, else null"))           \
    X(sched_switch, "a pCPU goes over from one vCPU to another",                                                       \
      F(prev, vcpuid, "null: it was idle") F(next, vcpuid, "null: it will be")                                         \
      F(slice, num, "ns for which, -1: until something changes")                                                       \
      F(credit, dec, "what next has left, as the scheduler counts it, null if it does not"))                           \
    X(sched_param, "a scheduler is told something of a vCPU; a weight or a cap is its whole domain's",                 \
      F(what, sched_param, "") F(value, dec, "a cap in % of a pCPU; us of a period and a budget; a bit a pCPU"))       \
    X(timer_set, "a timer is armed", F(label, timer, "") F(expires, dec, "when, ns"))                                  \
    X(timer_fire, "a timer expires", F(label, timer, "") F(expires, dec, "when it was to, ns"))                        \
    X(domain, "something happens to a domain as a whole",                                                              \
      F(op, domain_op, "") F(reason, shutdown, "of a shutdown, else null") F(text, text, "why it crashed"))            \
    X(console, "a guest has written to its console", F(text, text, "a piece of it"))                                   \
    X(input, "a guest gets input", F(source, input, "") F(len, dec, "bytes") F(text, text, "the first of them"))       \
    X(xs, "a guest asks xenstore",                                                                                     \
      F(op, xs_op, "") F(ret, num, "0, or why not") F(path, text, "which the request begins with"))                    \
    X(idle, "all pCPUs wait", F(until, dec, "ns"))

/* clang-format on */

/* The types: TRACE_TYPE_dec and so on. */
enum trace_type {
#define E(type) TRACE_TYPE_##type,
    TRACE_PLAIN_TYPES(E) TRACE_OWN_ENUMS(E) TRACE_OTHER_ENUMS(E)
#undef E
        TRACE_NR_TYPES
};

#endif
