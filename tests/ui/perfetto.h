// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether a file keeps the rules of the Trace Event Format as Perfetto reads it, and is of the trace that it was made
 * from.
 *
 * The rules: an object with a list `traceEvents`; each event has a phase, of which these know B, E, i, C and M, numbers
 * pid and tid, and but for M a time; times of a thread never fall; E ends the last B of its thread that is open, and at
 * the end none is; a thread and its process have names; what a flow binds to is a slice, and it begins before it ends.
 */
#ifndef TESTS_UI_PERFETTO_H
#define TESTS_UI_PERFETTO_H

#include <json-c/json.h>

#include "sim/machine.h"

#define CHECK_DEPTH   16
#define CHECK_THREADS 4096
#define CHECK_FLOWS   65536

struct perfetto_counts {
    unsigned long records, sends, arrivals;
    int64_t seq; /* of the last record */
};

struct checked_thread {
    int64_t pid, tid;
    double last;
    unsigned int depth;
    bool has_name, has_process;
};

static struct checked_thread checked[CHECK_THREADS];
static size_t nr_checked;
static struct {
    uint64_t id;
    double at;
} sent[CHECK_FLOWS];       /* the last ones */
static bool check_made_up; /* by chance: two sends may have one number, and nothing follows from it */

static struct json_object *member(struct json_object *o, const char *key, enum json_type type)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(o, key, &value);
    if (!json_object_is_type(value, type))
        fail_msg("no proper \"%s\" in %s", key, json_object_to_json_string(o));
    return value;
}

static struct checked_thread *checked_thread(struct json_object *e)
{
    const int64_t pid = json_object_get_int64(member(e, "pid", json_type_int));
    const int64_t tid = json_object_get_int64(member(e, "tid", json_type_int));

    assert_true(pid > 0 && pid <= INT32_MAX && tid > 0 && tid <= INT32_MAX);
    for (size_t i = nr_checked; i-- > 0;)
        if (checked[i].tid == tid) {
            assert_int_equal(checked[i].pid, pid);
            return &checked[i];
        }
    assert_true(nr_checked < CHECK_THREADS);
    checked[nr_checked] = (struct checked_thread){ .pid = pid, .tid = tid };
    return &checked[nr_checked++];
}

static void check_metadata(struct json_object *e, struct checked_thread *t)
{
    const char *name = json_object_get_string(member(e, "name", json_type_string));

    assert_true(json_object_get_string_len(member(member(e, "args", json_type_object), "name", json_type_string)) > 0);
    t->has_name |= !strcmp(name, "thread_name");
    t->has_process |= !strcmp(name, "process_name");
}

static void check_flow(struct json_object *e, double ts, struct perfetto_counts *c)
{
    struct json_object *out = NULL, *in = NULL, *id;

    json_object_object_get_ex(e, "flow_out", &out);
    json_object_object_get_ex(e, "flow_in", &in);
    if (!json_object_object_get_ex(e, "bind_id", &id)) {
        assert_true(!out && !in);
        return;
    }
    const uint64_t number = strtoull(json_object_get_string(member(e, "bind_id", json_type_string)), NULL, 16);

    assert_true(!out != !in);
    if (out) {
        sent[number % CHECK_FLOWS].id = number;
        sent[number % CHECK_FLOWS].at = ts;
    } else if (!check_made_up && sent[number % CHECK_FLOWS].id == number && ts < sent[number % CHECK_FLOWS].at) {
        fail_msg("flow %" PRIu64 " goes back in time", number);
    }
    c->sends += out != NULL;
    c->arrivals += in != NULL;
}

static void check_begin(struct json_object *e, struct checked_thread *t, double ts, struct perfetto_counts *c)
{
    member(e, "cat", json_type_string);
    assert_true(json_object_get_string_len(member(e, "name", json_type_string)) > 0);
    assert_true(++t->depth <= CHECK_DEPTH);
    check_flow(e, ts, c);
}

/* The record behind it, if it has one: they come in their order. */
static void check_record(struct json_object *e, struct perfetto_counts *c)
{
    struct json_object *args;
    int64_t seq;

    if (!json_object_object_get_ex(e, "args", &args))
        return;
    seq = json_object_get_int64(member(args, "seq", json_type_int));
    assert_true(seq >= c->seq);
    c->records += seq > c->seq;
    c->seq = seq;
}

static void check_event(struct json_object *e, struct perfetto_counts *c)
{
    const char *phase = json_object_get_string(member(e, "ph", json_type_string));
    struct checked_thread *t = checked_thread(e);
    struct json_object *value;
    double ts;

    assert_int_equal(strlen(phase), 1);
    if (*phase == 'M') {
        check_metadata(e, t);
        return;
    }
    assert_true(t->has_name && t->has_process);
    ts = json_object_get_double(member(e, "ts", json_type_double));
    switch (*phase) {
    case 'B': check_begin(e, t, ts, c); break;
    case 'E':
        if (!t->depth--)
            fail_msg("nothing to end: %s", json_object_to_json_string(e));
        break;
    case 'i': assert_string_equal(json_object_get_string(member(e, "s", json_type_string)), "t"); break;
    case 'C':
        value = member(member(e, "args", json_type_object), "retired", json_type_int);
        assert_true(json_object_get_int64(value) >= 0);
        return; /* has a track of its own */
    default: fail_msg("phase %s", phase);
    }
    check_record(e, c);
    if (ts < t->last)
        fail_msg("thread %d: %f after %f", (int)t->tid, ts, t->last);
    t->last = ts;
}

static struct perfetto_counts perfetto_check(const char *path)
{
    struct perfetto_counts c = { .seq = -1 };
    struct json_object *all = json_object_from_file(path), *events;

    assert_non_null(all);
    nr_checked = 0;
    memset(sent, 0xff, sizeof(sent));
    events = member(all, "traceEvents", json_type_array);
    for (size_t i = 0; i < json_object_array_length(events); i++)
        check_event(json_object_array_get_idx(events, i), &c);
    for (size_t i = 0; i < nr_checked; i++)
        assert_int_equal(checked[i].depth, 0);
    json_object_put(all);
    return c;
}

/* How many lines of a trace have the one in them, and not the other. */
static unsigned long lines_with(const char *path, const char *one, const char *but)
{
    static char line[1 << 16];
    unsigned long nr = 0;
    FILE *in = fopen(path, "r");

    assert_non_null(in);
    while (fgets(line, sizeof(line), in))
        nr += strstr(line, one) && !(but && strstr(line, but));
    fclose(in);
    return nr;
}

/* No record is lost. */
static void perfetto_compare(const struct perfetto_counts *c, const char *trace)
{
    const char *nobody = "\"dom\":null,\"vcpu\":null"; /* an instant of a pCPU */

    assert_int_equal(c->records, lines_with(trace, "{\"seq\":", NULL));
    assert_int_equal(c->sends, lines_with(trace, "\"event\":\"evtchn_send\",\"port\"", nobody));
}

#endif
