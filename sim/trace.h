// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace points.
 *
 * Concept: the list below is the whole vocabulary: it declares the event numbers, defines their names and their
 * arguments' names, and so prints them. A record is fixed-size; where it goes (a JSON file, a panel, a test's array) is
 * the sink's business. With no sink a trace point is one test of a pointer.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "sim/types.h"

struct machine;

#define TRACE_MAX_ARGS  6
#define TRACE_NO_DOMAIN 0x7fff

// clang-format off: a table
/*      event                argument names, comma separated */
#define TRACE_EVENTS(X)                                                                                                \
    X(exit, "kind,vector,error,rip,addr,insns")                                                                        \
    X(hypercall, "nr,a1,a2,a3,rip")                                                                                    \
    X(hypercall_ret, "nr,ret")                                                                                         \
    X(trap_bounce, "vector,error,from,to,cr2")                                                                         \
    X(iret, "to,cs")                                                                                                   \
    X(guest_syscall, "from,to")                                                                                        \
    X(emulate, "rip,op")                                                                                               \
    X(sched_switch, "prev_domain,prev_vcpu,next_domain,next_vcpu,slice")                                               \
    X(sched_wake, "")                                                                                                  \
    X(sched_block, "")                                                                                                 \
    X(evtchn_send, "port,remote_domain,remote_port")                                                                   \
    X(evtchn_pending, "port")                                                                                          \
    X(upcall, "from,to")                                                                                               \
    X(timer, "expires")                                                                                                \
    X(page_type, "mfn,old,new")                                                                                        \
    X(domain_create, "")                                                                                               \
    X(domain_shutdown, "reason")                                                                                       \
    X(domain_crash, "rip")                                                                                             \
    X(domain_destroy, "")                                                                                              \
    X(grant_map, "ref,granter,flags,mfn")                                                                              \
    X(grant_unmap, "handle,mfn")                                                                                       \
    X(grant_copy, "src_domain,dst_domain,len")                                                                         \
    X(console, "bytes")                                                                                                \
    X(idle, "until")
// clang-format on

enum trace_event {
#define X(name, args) TRC_##name,
    TRACE_EVENTS(X)
#undef X
        TRC_NR
};

struct trace_record {
    s_time_t time;
    uint16_t event, pcpu, domain, vcpu;
    uint32_t nr_args;
    uint64_t arg[TRACE_MAX_ARGS];
};

struct trace {
    void (*sink)(void *data, const struct trace_record *rec); /* NULL: off */
    void *data;
};

const char *trace_event_name(enum trace_event ev);
/* Print a record as one JSON object (no newline) into buf; returns the length as snprintf does. */
int trace_format_json(const struct trace_record *rec, char *buf, size_t len);

void trace_emit(struct machine *m, enum trace_event ev, unsigned int domain, unsigned int vcpu, unsigned int nr_args,
                const uint64_t *args);

/* TRACE(m, exit, domid, vcpu, a, b, ...): up to TRACE_MAX_ARGS integers. */
#define TRACE(m, ev, dom, vcpu, ...)                                                                                   \
    do {                                                                                                               \
        if (__builtin_expect((m)->edges->trace.sink != NULL, 0)) {                                                     \
            const uint64_t trace_args_[] = { 0, ##__VA_ARGS__ };                                                       \
            trace_emit((m), TRC_##ev, (dom), (vcpu), sizeof(trace_args_) / 8 - 1, trace_args_ + 1);                    \
        }                                                                                                              \
    } while (0)

#endif
