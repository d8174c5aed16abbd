// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace records and how they print.
 *
 * Concept: TRACE_EVENTS in sim/trace.h is the only list. From it come the event numbers, and here the table of names.
 * A record prints as one JSON object a line:
 *
 *   {"t":1200,"pcpu":0,"dom":1,"vcpu":0,"event":"exit","kind":"syscall","vector":0,...}
 *
 * JSON readers keep numbers as doubles, exact to 2^53 only. So addresses (arguments whose name ends in rip, from, to,
 * addr, cr2, a1, a2, a3) are always strings "0x...", and other numbers are plain, signed (a hypercall returns -22), and
 * become such a string only where a double would round them. A domain that is none (the idle pCPU's) is null. Xen's own
 * traces are binary (xen/common/trace.c, xentrace(8)).
 */
#include "sim/trace.h"

#include <string.h>

#include "sim/machine.h"

static const char *const exit_names[EXIT_NR_KINDS] = {
    [EXIT_BUDGET] = "budget",
    [EXIT_STOP] = "stop",
    [EXIT_EXCEPTION] = "exception",
    [EXIT_SOFTINT] = "softint",
    [EXIT_SYSCALL] = "syscall",
    [EXIT_SYSENTER] = "sysenter",
    [EXIT_VMMCALL] = "vmmcall",
    [EXIT_IO] = "io",
    [EXIT_RDMSR] = "rdmsr",
    [EXIT_WRMSR] = "wrmsr",
    [EXIT_CPUID] = "cpuid",
    [EXIT_RDTSC] = "rdtsc",
    [EXIT_CR_READ] = "cr_read",
    [EXIT_CR_WRITE] = "cr_write",
    [EXIT_NPF] = "npf",
    [EXIT_HLT] = "hlt",
    [EXIT_INTWIN] = "intwin",
    [EXIT_PAUSE] = "pause",
    [EXIT_SHUTDOWN] = "shutdown",
    [EXIT_ERROR] = "error",
};

const char *sim_exit_name(enum sim_exit_kind kind)
{
    return kind >= 0 && kind < EXIT_NR_KINDS ? exit_names[kind] : "?";
}

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

/* Numbers and texts are written by hand: printf() was most of what a trace cost. */
static void json_add_bytes(struct json *j, const char *text, size_t len)
{
    if (j->len < j->size)
        memcpy(j->buf + j->len, text, len < j->size - j->len ? len : j->size - j->len);
    j->len += len;
}

static void json_add(struct json *j, const char *text) { json_add_bytes(j, text, strlen(text)); }

static void json_add_number(struct json *j, uint64_t value, unsigned int base)
{
    char digits[20]; /* of 2^64 - 1 in base 10 */
    size_t at = sizeof(digits);

    for (; at == sizeof(digits) || value; value /= base)
        digits[--at] = "0123456789abcdef"[value % base];
    json_add_bytes(j, digits + at, sizeof(digits) - at);
}

static void json_add_signed(struct json *j, int64_t value)
{
    if (value < 0)
        json_add(j, "-");
    json_add_number(j, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
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

    json_add(j, ",\"");
    json_add_bytes(j, name, len);
    json_add(j, "\":");
    if (value == TRACE_NO_DOMAIN && len >= 6 && !memcmp(name + len - 6, "domain", 6)) {
        json_add(j, "null");
        return;
    }
    if (rec->event == TRC_exit && len == 4 && !memcmp(name, "kind", 4) && value < EXIT_NR_KINDS) {
        json_add(j, "\"");
        json_add(j, sim_exit_name((enum sim_exit_kind)value));
        json_add(j, "\"");
    } else if (is_address(name, len) || number < -limit || number > limit) {
        json_add(j, "\"0x");
        json_add_number(j, value, 16);
        json_add(j, "\"");
    } else {
        json_add_signed(j, number);
    }
}

int trace_format_json(const struct trace_record *rec, char *buf, size_t len)
{
    const char *name = rec->event < TRC_NR ? events[rec->event].args : "";
    struct json j = { .buf = buf, .size = len };

    json_add(&j, "{\"t\":");
    json_add_signed(&j, rec->time);
    json_add(&j, ",\"pcpu\":");
    json_add_number(&j, rec->pcpu, 10);
    if (rec->domain == TRACE_NO_DOMAIN) {
        json_add(&j, ",\"dom\":null,\"vcpu\":null");
    } else {
        json_add(&j, ",\"dom\":");
        json_add_number(&j, rec->domain, 10);
        json_add(&j, ",\"vcpu\":");
        json_add_number(&j, rec->vcpu, 10);
    }
    json_add(&j, ",\"event\":\"");
    json_add(&j, trace_event_name((enum trace_event)rec->event));
    json_add(&j, "\"");

    for (uint32_t i = 0; i < rec->nr_args && i < TRACE_MAX_ARGS; i++) {
        const size_t n = strcspn(name, ",");
        const char unnamed[] = { 'a', 'r', 'g', (char)('0' + i) };

        if (n)
            json_add_arg(&j, rec, name, n, rec->arg[i]);
        else
            json_add_arg(&j, rec, unnamed, sizeof(unnamed), rec->arg[i]);
        name += n + (name[n] == ',');
    }
    json_add(&j, "}");
    if (len)
        buf[j.len < len ? j.len : len - 1] = '\0';
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
    if (!m->edges->trace.sink)
        return;
    if (nr_args)
        memcpy(rec.arg, args, nr_args * sizeof(*args));
    m->edges->trace.sink(m->edges->trace.data, &rec);
}
