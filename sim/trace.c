// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace records and how they print.
 *
 * Concept: TRACE_EVENTS in sim/trace.h is the only list. From it come the event numbers, and here the table of names.
 * A record prints as one JSON object a line:
 *
 *   {"t":1200,"pcpu":0,"dom":1,"vcpu":0,"event":"exit","kind":"syscall","vector":0,...}
 *
 * JSON readers keep numbers as doubles, exact to 2^53 only. So addresses (arguments whose name ends in rip, from, to, addr,
 * cr2, a1, a2, a3) are always strings "0x...", and other numbers are plain, signed (a hypercall returns -22), and become
 * such a string only where a double would round them. A domain that is none (the idle pCPU's) is null. Xen's own traces are binary (xen/common/trace.c, xentrace(8)).
 */
#include "sim/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/machine.h"

static const struct {
    const char *name, *args;
} events[] = {
#define X(name, args) { #name, args },
    TRACE_EVENTS(X)
#undef X
};

static const char *const address_suffixes[] = { "rip", "from", "to", "addr", "cr2", "a1", "a2", "a3" };

const char *trace_event_name(enum trace_event ev) { return (unsigned int)ev < TRC_NR ? events[ev].name : "unknown"; }

/* The text printed so far. len keeps counting when buf is full, as snprintf does. */
struct json {
    char *buf;
    size_t size, len;
};

static void __attribute__((format(printf, 2, 3))) json_add(struct json *j, const char *fmt, ...)
{
    const size_t at = j->len < j->size ? j->len : j->size;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(j->size ? j->buf + at : NULL, j->size - at, fmt, ap);
    va_end(ap);
    BUG_ON(n < 0);
    j->len += (size_t)n;
}

static bool is_address(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(address_suffixes); i++) {
        const size_t n = strlen(address_suffixes[i]);

        if (len >= n && !memcmp(name + len - n, address_suffixes[i], n))
            return true;
    }
    return false;
}

static void json_add_arg(struct json *j, const struct trace_record *rec, const char *name, size_t len, uint64_t value)
{
    const int64_t limit = INT64_C(1) << 53, number = (int64_t)value;

    json_add(j, ",\"%.*s\":", (int)len, name);
    if (value == TRACE_NO_DOMAIN && len >= 6 && !memcmp(name + len - 6, "domain", 6)) {
        json_add(j, "null");
        return;
    }
    if (rec->event == TRC_exit && len == 4 && !memcmp(name, "kind", 4) && value < EXIT_NR_KINDS)
        json_add(j, "\"%s\"", sim_exit_name((enum sim_exit_kind)value));
    else if (is_address(name, len) || number < -limit || number > limit)
        json_add(j, "\"0x%" PRIx64 "\"", value);
    else
        json_add(j, "%" PRId64, number);
}

int trace_format_json(const struct trace_record *rec, char *buf, size_t len)
{
    const char *name = rec->event < TRC_NR ? events[rec->event].args : "";
    struct json j = { .buf = buf, .size = len };

    json_add(&j, "{\"t\":%" PRId64 ",\"pcpu\":%u", rec->time, rec->pcpu);
    if (rec->domain == TRACE_NO_DOMAIN)
        json_add(&j, ",\"dom\":null,\"vcpu\":null");
    else
        json_add(&j, ",\"dom\":%u,\"vcpu\":%u", rec->domain, rec->vcpu);
    json_add(&j, ",\"event\":\"%s\"", trace_event_name((enum trace_event)rec->event));

    for (uint32_t i = 0; i < rec->nr_args && i < TRACE_MAX_ARGS; i++) {
        const size_t n = strcspn(name, ",");
        char unnamed[16];

        if (n) {
            json_add_arg(&j, rec, name, n, rec->arg[i]);
        } else {
            const int u = snprintf(unnamed, sizeof(unnamed), "arg%u", i);

            json_add_arg(&j, rec, unnamed, (size_t)u, rec->arg[i]);
        }
        name += n + (name[n] == ',');
    }
    json_add(&j, "}");
    return (int)j.len;
}

void trace_emit(struct machine *m, enum trace_event ev, unsigned int domain, unsigned int vcpu, unsigned int nr_args,
                const uint64_t *args)
{
    struct trace_record rec = {
        .time = m->clock.now,
        .event = (uint16_t)ev,
        .pcpu = (uint16_t)m->cur_pcpu,
        .domain = (uint16_t)domain,
        .vcpu = (uint16_t)vcpu,
        .nr_args = nr_args,
    };

    BUG_ON(nr_args > TRACE_MAX_ARGS);
    if (!m->trace.sink)
        return;
    if (nr_args)
        memcpy(rec.arg, args, nr_args * sizeof(*args));
    m->trace.sink(m->trace.data, &rec);
}
