// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The vocabulary of the trace as tables, and how a record is made. How it prints is in sim/trace_json.c.
 */
#include "sim/trace.h"

#include <string.h>

#include "sim/insn.h"
#include "sim/machine.h"

_Static_assert(offsetof(struct trace_record, arg) == 48, "a record has no holes: it can be compared byte by byte");

/* --- events and their fields --- */

#define F(name, type, help) { #name, help, ",\"" #name "\":", sizeof(",\"" #name "\":") - 1, TRACE_TYPE_##type },
#define X(name, help, list) static const struct trace_field fields_of_##name[] = { list };
TRACE_EVENTS(X)
#undef X

static const struct trace_event_info events[] = {
#define X(name, help, list) { #name, help, fields_of_##name, ARRAY_SIZE(fields_of_##name) },
    TRACE_EVENTS(X)
#undef X
};

/* The event itself, its number, is named by TRACE_EVENTS. */
static const struct trace_field common_fields[] = {
    /* clang-format off */
    F(seq, dec, "the record's number")
    F(at, dec, "instructions retired by then, by all pCPUs")
    F(step, dec, "what the hypervisor has done since the last of them")
    F(t, dec, "virtual time in ns, of the pCPU")
    F(pcpu, dec, "the physical CPU that was being stepped")
    F(dom, domid, "whom the record is about, null: nobody in particular")
    F(vcpu, dec, "which of its vCPUs")
    F(mode, mode, "what it was executing when the record was made")
    F(root, root, "under which page tables")
    /* clang-format on */
};
#undef F

const struct trace_event_info *trace_event_info(enum trace_event ev)
{
    BUG_ON((unsigned int)ev >= TRC_NR);
    return &events[ev];
}

const char *trace_event_name(enum trace_event ev) { return (unsigned int)ev < TRC_NR ? events[ev].name : "unknown"; }

const struct trace_field *trace_common_fields(size_t *nr)
{
    *nr = ARRAY_SIZE(common_fields);
    return common_fields;
}

/* --- names of values --- */

#define V(constant, name) [constant] = #name,
#define E(enumeration)    static const char *const names_of_##enumeration[] = { TRACE_ENUM_##enumeration(V) };
TRACE_OWN_ENUMS(E)
TRACE_OTHER_ENUMS(E)
#undef E
#undef V

_Static_assert(ARRAY_SIZE(names_of_exit_kind) == EXIT_NR_KINDS, "every kind of exit has a name");
_Static_assert(ARRAY_SIZE(names_of_insn) == INSN_INT3 + 1, "every instruction has a name");

static const struct trace_names types[TRACE_NR_TYPES] = {
#define E(enumeration)                                                                                                 \
    [TRACE_TYPE_##enumeration] = { #enumeration, names_of_##enumeration, ARRAY_SIZE(names_of_##enumeration) },
    TRACE_OWN_ENUMS(E) TRACE_OTHER_ENUMS(E)
#undef E
};

const struct trace_names *trace_type_names(enum trace_type type)
{
    if (type == TRACE_TYPE_hypercall)
        return trace_call_names();
    return (unsigned int)type < TRACE_NR_TYPES && types[type].nr ? &types[type] : NULL;
}

const char *trace_value_name(enum trace_type type, uint64_t value)
{
    const struct trace_names *n = trace_type_names(type);

    return n && value < n->nr ? n->name[value] : NULL;
}

const char *sim_exit_name(enum sim_exit_kind kind)
{
    const char *name = trace_value_name(TRACE_TYPE_exit_kind, kind);

    return name ? name : "?";
}

/* --- records --- */

/* All of it but the arguments' words. */
static void record_begin(struct machine *m, struct trace_record *rec, enum trace_event ev, struct trace_who who)
{
    rec->seq = m->edges->trace.seq++;
    rec->at = m->at;
    rec->time = m->clock.now;
    rec->who = who;
    rec->pcpu = (uint16_t)m->cur_pcpu;
    rec->event = (uint32_t)ev;
}

void trace_emit(struct machine *m, enum trace_event ev, struct trace_who who, unsigned int nr_args,
                const uint64_t *args)
{
    struct trace_record rec;

    BUG_ON(nr_args > TRACE_MAX_ARGS);
    record_begin(m, &rec, ev, who);
    rec.nr_words = nr_args;
    memcpy(rec.arg, args, nr_args * sizeof(*args));
    m->edges->trace.sink(m->edges->trace.data, &rec);
}

void trace_emit_text(struct machine *m, enum trace_event ev, struct trace_who who, unsigned int nr_args,
                     const uint64_t *args, const char *text, size_t len)
{
    const size_t room = (TRACE_MAX_ARGS - nr_args - 1) * sizeof(*args);
    struct trace_record rec;

    BUG_ON(nr_args >= TRACE_MAX_ARGS);
    if (len > room)
        len = room;
    record_begin(m, &rec, ev, who);
    rec.nr_words = (uint32_t)(nr_args + 1 + (len + 7) / 8);
    memcpy(rec.arg, args, nr_args * sizeof(*args));
    rec.arg[nr_args] = len;
    if (len % 8)
        rec.arg[rec.nr_words - 1] = 0;
    memcpy(&rec.arg[nr_args + 1], text, len);
    m->edges->trace.sink(m->edges->trace.data, &rec);
}
