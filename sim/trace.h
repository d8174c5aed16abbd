// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace points.
 *
 * Concept: what happens in the machine is told as records: where in the run (position, virtual time), who (pCPU,
 * domain, vCPU, and the mode and page tables it is in), what (an event), and the event's fields, a word each. The
 * vocabulary is two lists, of events (sim/trace_events.h) and of names of values (sim/trace_enums.h): from them come
 * the event numbers, how records print, and what may be asked of them. A record is binary and becomes text where it
 * leaves; where it goes (a file, a ring, a panel, a test's array) is the sink's business.
 *
 * Invariants: to trace changes nothing in the run. With no sink a trace point is one test of a pointer, and its
 * arguments are not computed; so all of this is no state (struct machine_edges). Records are numbered (seq) in the
 * order of execution; that order, not that of their times, is the trace's: pCPUs may be a little apart in time
 * (vcpu/run.c).
 *
 * Xen's own traces are binary, too (xen/common/trace.c, xentrace(8)).
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "sim/trace_events.h"
#include "sim/types.h"

struct machine;

#define TRACE_VERSION   1 /* of the vocabulary */
#define TRACE_MAX_ARGS  16
#define TRACE_NO_DOMAIN 0x7fff
#define TRACE_NONE      UINT64_MAX /* in a field that may be empty */

/*
 * Where in a run the machine is: instructions retired, by all pCPUs, in the order of execution; and what the hypervisor
 * has done since the last of them, in steps (vcpu/run.h).
 */
struct position {
    uint64_t insns, step;
};

/* A field of type vcpuid. */
#define TRACE_VCPU_ID(dom, vcpu) ((uint64_t)(dom) << 16 | (vcpu))
#define TRACE_VCPU_DOM(id)       ((id) >> 16)
#define TRACE_VCPU_NR(id)        ((id)&0xffff)

enum trace_event {
#define X(name, help, fields) TRC_##name,
    TRACE_EVENTS(X)
#undef X
        TRC_NR
};

/* The number of an event's fields. */
enum {
#define F(name, type, help)   +1
#define X(name, help, fields) TRC_NR_FIELDS_##name = 0 fields,
    TRACE_EVENTS(X)
#undef X
#undef F
};

/* Whom a record is about, and what it was doing when the record was made. */
struct trace_who {
    uint16_t domain, vcpu; /* TRACE_NO_DOMAIN: nobody in particular */
    uint8_t mode, root;    /* enum trace_mode, enum trace_root */
};

struct trace_record {
    uint64_t seq; /* from 0, one by one, as the sink gets them */
    struct position at;
    s_time_t time;
    struct trace_who who;
    uint16_t pcpu;
    uint32_t event;
    uint32_t nr_words; /* of arg[] that are in use */
    /* A word a field; of a text, which comes last, its length in bytes, and then the bytes. */
    uint64_t arg[TRACE_MAX_ARGS];
};

/* The size of a record without the words that it does not use. */
static inline size_t trace_record_size(const struct trace_record *rec)
{
    return offsetof(struct trace_record, arg) + rec->nr_words * sizeof(rec->arg[0]);
}

struct trace {
    void (*sink)(void *data, const struct trace_record *rec); /* NULL: off */
    void *data;
    uint64_t seq; /* records so far */
    /* While an event is sent, or delivered: which sending, and the ports. */
    bool sent;
    uint32_t port, peer_dom, peer_port;
    uint64_t flow;
};

/* --- the vocabulary --- */

struct trace_field {
    const char *name, *help;
    const char *key; /* ,"name": */
    uint8_t key_len;
    uint8_t type; /* enum trace_type */
};

struct trace_event_info {
    const char *name, *help;
    const struct trace_field *fields;
    unsigned int nr_fields;
};

/* ev must be below TRC_NR. */
const struct trace_event_info *trace_event_info(enum trace_event ev);
const char *trace_event_name(enum trace_event ev);

/* What a record has besides its event's fields: seq, at, t, pcpu, dom, vcpu, event, mode, root. */
const struct trace_field *trace_common_fields(size_t *nr);

/* Names of the values of a type that is an enumeration; NULL: it is none. Some may be NULL: numbers nobody has. */
struct trace_names {
    const char *type;
    const char *const *name;
    size_t nr;
};
const struct trace_names *trace_type_names(enum trace_type type);
/* The name of a value; NULL: it has none. */
const char *trace_value_name(enum trace_type type, uint64_t value);

const struct trace_names *trace_call_names(void); /* of hypercalls */
/* What the first argument of a hypercall chooses; NULL: it does not choose. */
const struct trace_names *trace_subops(uint64_t nr);
/* The same for the i-th of the calls that have it, and the number of that call; NULL: there are not so many. */
const struct trace_names *trace_subops_at(size_t i, uint64_t *nr);

/* --- text: sim/trace_json.c --- */

/* Larger than any record as JSON: 16 words, or a text of 120 bytes each of which takes six. */
#define TRACE_JSON_SIZE 1280

/*
 * Is it an exit that real hardware would not take, marked `engine`? Exceptions and INT n of an HVM guest go through its
 * own IDT there; Xen intercepts #DB, #AC and #MC alone, and #PF of who has shadow page tables. In ring 1 all of them
 * are the hypervisor's. (The vCPU's counts know of some more: vcpu/hvm/exit_code.c.)
 */
bool trace_is_engines(const struct trace_record *rec);
/* Print a record as one JSON object into buf, no newline, no \0; the length. */
size_t trace_format_json(const struct trace_record *rec, char buf[TRACE_JSON_SIZE]);

/* --- making records --- */

/* The arguments of an event, without its text; if it has one, text of len bytes, cut to what a record has room for. */
void trace_emit(struct machine *m, enum trace_event ev, struct trace_who who, unsigned int nr_args,
                const uint64_t *args);
void trace_emit_text(struct machine *m, enum trace_event ev, struct trace_who who, unsigned int nr_args,
                     const uint64_t *args, const char *text, size_t len);

static inline struct trace_who trace_who(unsigned int domain, unsigned int vcpu)
{
    return (struct trace_who){ (uint16_t)domain, (uint16_t)vcpu, TRACE_MODE_XEN, TRACE_ROOT_NONE };
}

#define TRACE_ON(m) __builtin_expect((m)->edges->trace.sink != NULL, 0)

/* TRACE_BY(m, exit, who, a, b, ...): as many integers as the event has fields. */
#define TRACE_BY(m, ev, who, ...)                                                                                      \
    do {                                                                                                               \
        if (TRACE_ON(m)) {                                                                                             \
            const uint64_t trace_args_[] = { 0, ##__VA_ARGS__ };                                                       \
            _Static_assert(ARRAY_SIZE(trace_args_) - 1 == TRC_NR_FIELDS_##ev, "fields of " #ev);                       \
            trace_emit((m), TRC_##ev, (who), TRC_NR_FIELDS_##ev, trace_args_ + 1);                                     \
        }                                                                                                              \
    } while (0)

/* The same of an event whose last field is a text. */
#define TRACE_TEXT_BY(m, ev, who, text, len, ...)                                                                      \
    do {                                                                                                               \
        if (TRACE_ON(m)) {                                                                                             \
            const uint64_t trace_args_[] = { 0, ##__VA_ARGS__ };                                                       \
            _Static_assert(ARRAY_SIZE(trace_args_) == TRC_NR_FIELDS_##ev, "fields of " #ev);                           \
            trace_emit_text((m), TRC_##ev, (who), TRC_NR_FIELDS_##ev - 1, trace_args_ + 1, (text), (len));             \
        }                                                                                                              \
    } while (0)

/* Bytes of text that a record of such an event has room for. */
#define TRACE_TEXT_SIZE(ev) ((TRACE_MAX_ARGS - TRC_NR_FIELDS_##ev) * sizeof(uint64_t))

/* By the hypervisor, about a vCPU or a domain. */
#define TRACE(m, ev, dom, vcpu, ...) TRACE_BY(m, ev, trace_who(dom, vcpu), ##__VA_ARGS__)

#endif
