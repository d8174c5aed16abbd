// SPDX-License-Identifier: GPL-2.0-or-later
/* A trace, read back: see ui/export/trace_read.h. */
#include "ui/export/trace_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>

#include "sim/machine.h"
#include "tools/printable.h"
#include "ui/export/trace_value.h"

#define BUFFER_SIZE (1 << 20) /* no line is longer */
#define DEPTH       6         /* of objects in objects: a header has 3 */
#define MOST_DOMAIN 0x7fff
#define MOST_TIME   (UINT64_C(1) << 53)

struct trace_reader {
    FILE *in;
    const char *name;
    struct json_tokener *tokener;
    struct json_object *header;
    char *buf; /* what has been read, from `at` to `len` not yet used */
    size_t at, len;
    unsigned long line;
    bool has_record;
    uint64_t seq; /* of the last one */
    /* Of this vocabulary: what a record has besides its event's fields, and "event". */
    const struct trace_field *common;
    size_t nr_common;
};

static int wrong(const struct trace_reader *r, char err[TRACE_READ_ERR_SIZE], const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(const struct trace_reader *r, char err[TRACE_READ_ERR_SIZE], const char *fmt, ...)
{
    int n = snprintf(err, TRACE_READ_ERR_SIZE, "%.80s:%lu: ", r->name, r->line);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err + n, (size_t)(TRACE_READ_ERR_SIZE - n), fmt, ap);
    va_end(ap);
    make_printable(err, strlen(err), false);
    return -1;
}

struct trace_reader *trace_read_begin(FILE *in, const char *name)
{
    struct trace_reader *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->in = in;
    r->name = name;
    r->common = trace_common_fields(&r->nr_common);
    r->buf = malloc(BUFFER_SIZE);
    r->tokener = json_tokener_new_ex(DEPTH);
    if (r->buf && r->tokener) {
        json_tokener_set_flags(r->tokener, JSON_TOKENER_STRICT);
        return r;
    }
    trace_read_end(r);
    return NULL;
}

void trace_read_end(struct trace_reader *r)
{
    if (!r)
        return;
    json_object_put(r->header);
    if (r->tokener)
        json_tokener_free(r->tokener);
    free(r->buf);
    free(r);
}

/* The next line, without its end: 1; 0: there is none; -1. */
static int next_line(struct trace_reader *r, char **line, size_t *len, char err[TRACE_READ_ERR_SIZE])
{
    char *end = r->len > r->at ? memchr(r->buf + r->at, '\n', r->len - r->at) : NULL;

    r->line++;
    if (!end) {
        const size_t rest = r->len - r->at;

        memmove(r->buf, r->buf + r->at, rest);
        r->at = 0;
        r->len = rest + fread(r->buf + rest, 1, BUFFER_SIZE - rest, r->in);
        if (ferror(r->in))
            return wrong(r, err, "cannot be read: %s", strerror(errno));
        if (!r->len)
            return 0;
        end = memchr(r->buf, '\n', r->len);
        if (!end && r->len == BUFFER_SIZE)
            return wrong(r, err, "this line is longer than any of a trace");
        if (!end)
            return wrong(r, err, "the trace ends in the middle of a line");
    }
    *line = r->buf + r->at;
    *len = (size_t)(end - *line);
    r->at += *len + 1;
    return 1;
}

/* A line as an object, the caller's. NULL: it is none. */
static struct json_object *parse(struct trace_reader *r, const char *line, size_t len, char err[TRACE_READ_ERR_SIZE])
{
    struct json_object *object;

    json_tokener_reset(r->tokener);
    object = len ? json_tokener_parse_ex(r->tokener, line, (int)len) : NULL;
    if (object && json_tokener_get_parse_end(r->tokener) == len && json_object_is_type(object, json_type_object))
        return object;
    if (!len)
        wrong(r, err, "an empty line");
    else if (json_tokener_get_error(r->tokener) > json_tokener_continue)
        wrong(r, err, "no JSON: %s", json_tokener_error_desc(json_tokener_get_error(r->tokener)));
    else
        wrong(r, err, "not one JSON object a line");
    json_object_put(object);
    return NULL;
}

/* --- the header --- */

static bool read_guests(struct json_object *header)
{
    struct json_object *guests, *name;

    if (!json_object_object_get_ex(header, "guests", &guests) || !json_object_is_type(guests, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(guests); i++)
        if (!json_object_object_get_ex(json_object_array_get_idx(guests, i), "name", &name) ||
            !json_object_is_type(name, json_type_string))
            return false;
    return true;
}

int trace_read_header(struct trace_reader *r, char err[TRACE_READ_ERR_SIZE])
{
    struct json_object *v;
    char *line;
    size_t len;
    int rc = next_line(r, &line, &len, err);

    if (!rc)
        return wrong(r, err, "the file is empty: xenlab run --trace FILE writes a trace");
    if (rc < 0)
        return -1;
    r->header = parse(r, line, len, err);
    if (!r->header)
        return -1;
    if (!json_object_object_get_ex(r->header, "v", &v) || !json_object_is_type(v, json_type_int))
        return wrong(r, err, "no header of a trace: it has no version \"v\"");
    if (json_object_get_int64(v) != TRACE_VERSION)
        return wrong(r, err, "a trace of version %lld; this program reads version %d",
                     (long long)json_object_get_int64(v), TRACE_VERSION);
    return read_guests(r->header) ? 0 : wrong(r, err, "the header has no list of guests with their names");
}

const char *trace_read_guest(const struct trace_reader *r, size_t i)
{
    struct json_object *guests = NULL, *name = NULL;

    json_object_object_get_ex(r->header, "guests", &guests);
    if (i >= json_object_array_length(guests))
        return NULL;
    json_object_object_get_ex(json_object_array_get_idx(guests, i), "name", &name);
    return json_object_get_string(name);
}

/* --- records --- */

static bool read_event(struct json_object *value, uint32_t *event)
{
    const char *name = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";

    for (*event = 0; *event < TRC_NR; ++*event)
        if (!strcmp(name, trace_event_name((enum trace_event) * event)))
            return true;
    return false;
}

/* One that all records have. dom and vcpu are null together. */
static bool read_common(const char *name, struct json_object *value, struct trace_record *rec)
{
    uint64_t n = 0;
    bool good = true;

    if (!strcmp(name, "seq")) {
        good = trace_number_read(value, MOST_TIME, &rec->seq);
    } else if (!strcmp(name, "at")) {
        good = trace_position_read(value, &rec->at);
    } else if (!strcmp(name, "t")) {
        good = trace_number_read(value, MOST_TIME, &n);
        rec->time = (s_time_t)n;
    } else if (!strcmp(name, "pcpu")) {
        good = trace_number_read(value, MACHINE_MAX_PCPUS - 1, &n);
        rec->pcpu = (uint16_t)n;
    } else if (!strcmp(name, "dom")) {
        good = !value || trace_number_read(value, MOST_DOMAIN - 1, &n);
        rec->who.domain = value ? (uint16_t)n : TRACE_NO_DOMAIN;
    } else if (!strcmp(name, "vcpu")) {
        good = value ? trace_number_read(value, UINT16_MAX, &n) && rec->who.domain != TRACE_NO_DOMAIN
                     : rec->who.domain == TRACE_NO_DOMAIN;
        rec->who.vcpu = (uint16_t)n;
    } else if (!strcmp(name, "mode")) {
        good = trace_value_read(TRACE_TYPE_mode, value, &n, 1) && trace_value_name(TRACE_TYPE_mode, n);
        rec->who.mode = (uint8_t)n;
    } else if (!strcmp(name, "root")) {
        good = trace_value_read(TRACE_TYPE_root, value, &n, 1) && trace_value_name(TRACE_TYPE_root, n);
        rec->who.root = (uint8_t)n;
    }
    return good;
}

static int read_fields(struct trace_reader *r, struct json_object *line, struct trace_record *rec,
                       char err[TRACE_READ_ERR_SIZE])
{
    const struct trace_event_info *info = trace_event_info((enum trace_event)rec->event);
    struct json_object *value;

    rec->nr_words = 0;
    for (unsigned int i = 0; i < info->nr_fields; i++) {
        const struct trace_field *f = &info->fields[i];
        unsigned int words;

        if (!json_object_object_get_ex(line, f->name, &value))
            return wrong(r, err, "the %s has no \"%s\"", info->name, f->name);
        words =
            trace_value_read((enum trace_type)f->type, value, &rec->arg[rec->nr_words], TRACE_MAX_ARGS - rec->nr_words);
        if (!words)
            return wrong(r, err, "\"%s\" of the %s cannot be %.60s", f->name, info->name,
                         json_object_to_json_string(value));
        rec->nr_words += words;
    }
    return 1;
}

/* Something that its event does not have. marked: it may have "engine", which follows from the rest. */
static int too_many(struct trace_reader *r, struct json_object *line, const struct trace_event_info *info, bool marked,
                    char err[TRACE_READ_ERR_SIZE])
{
    json_object_object_foreach(line, key, value)
    {
        bool known = !strcmp(key, "event") || (!strcmp(key, "engine") && marked);

        for (size_t i = 0; i < r->nr_common && !known; i++)
            known = !strcmp(key, r->common[i].name) && strcmp(key, "step");
        for (unsigned int i = 0; i < info->nr_fields && !known; i++)
            known = !strcmp(key, info->fields[i].name);
        if (!known)
            return wrong(r, err, "the %s has a \"%.40s\", which this version does not know", info->name, key);
        (void)value;
    }
    return wrong(r, err, "a field is there twice");
}

static int read_record(struct trace_reader *r, struct json_object *line, struct trace_record *rec,
                       char err[TRACE_READ_ERR_SIZE])
{
    struct json_object *value;
    const struct trace_event_info *info;
    bool marked;

    if (!json_object_object_get_ex(line, "event", &value))
        return wrong(r, err, "a record without \"event\"");
    if (!read_event(value, &rec->event))
        return wrong(r, err, "there is no event %.60s", json_object_to_json_string(value));
    info = trace_event_info((enum trace_event)rec->event);
    for (size_t i = 0; i < r->nr_common; i++) {
        const char *name = r->common[i].name;

        if (!strcmp(name, "step")) /* it is behind the point of "at" */
            continue;
        if (!json_object_object_get_ex(line, name, &value))
            return wrong(r, err, "the %s has no \"%s\"", info->name, name);
        if (!read_common(name, value, rec))
            return wrong(r, err, "\"%s\" of the %s cannot be %.60s", name, info->name,
                         json_object_to_json_string(value));
    }
    if (r->has_record && rec->seq <= r->seq)
        return wrong(r, err, "record %llu behind record %llu", (unsigned long long)rec->seq,
                     (unsigned long long)r->seq);
    r->has_record = true;
    r->seq = rec->seq;
    if (read_fields(r, line, rec, err) < 0)
        return -1;
    marked = trace_is_engines(rec) && json_object_object_get_ex(line, "engine", &value);
    /* With "event", without "step". */
    if (json_object_object_length(line) == (int)(r->nr_common + info->nr_fields + marked))
        return 1;
    return too_many(r, line, info, marked, err);
}

int trace_read(struct trace_reader *r, struct trace_record *rec, char err[TRACE_READ_ERR_SIZE])
{
    struct json_object *object;
    char *line;
    size_t len;
    int rc = next_line(r, &line, &len, err);

    if (rc <= 0)
        return rc;
    object = parse(r, line, len, err);
    if (!object)
        return -1;
    *rec = (struct trace_record){ 0 };
    rc = read_record(r, object, rec, err);
    json_object_put(object);
    return rc;
}
