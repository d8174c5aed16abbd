// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A field of a trace's line as words: see ui/export/trace_value.h.
 *
 * Numbers are taken as sim/trace_json.c writes them: plain where a double has them exactly, else as "0x...".
 */
#include "ui/export/trace_value.h"

#include <string.h>

#include <json-c/json_object.h>

#define EXACT (INT64_C(1) << 53)

static bool is_string(struct json_object *value) { return json_object_is_type(value, json_type_string); }

/* A string without \0 in it; NULL: it is none. */
static const char *string(struct json_object *value)
{
    const char *text = is_string(value) ? json_object_get_string(value) : NULL;

    return text && strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

/* As many digits as there are, without a 0 in front; behind them. NULL: none, or too large a number. */
static const char *digits(const char *text, unsigned int base, uint64_t *number)
{
    static const char all[] = "0123456789abcdef";
    const char *at = text, *digit;

    for (*number = 0; *at && (digit = memchr(all, *at, base)) != NULL; at++)
        if (__builtin_mul_overflow(*number, (uint64_t)base, number) ||
            __builtin_add_overflow(*number, (uint64_t)(digit - all), number))
            return NULL;
    return at == text || (*text == '0' && at > text + 1) ? NULL : at;
}

static bool read_hex(struct json_object *value, uint64_t *number)
{
    const char *text = string(value), *end;

    if (!text || strncmp(text, "0x", 2))
        return false;
    end = digits(text + 2, 16, number);
    return end && !*end;
}

static bool read_signed(struct json_object *value, uint64_t *number)
{
    int64_t n;

    if (!json_object_is_type(value, json_type_int))
        return read_hex(value, number);
    n = json_object_get_int64(value);
    *number = (uint64_t)n;
    return n >= -EXACT && n <= EXACT;
}

bool trace_number_read(struct json_object *value, uint64_t max, uint64_t *number)
{
    return json_object_is_type(value, json_type_int) && read_signed(value, number) && *number <= max;
}

bool trace_position_read(struct json_object *value, struct position *at)
{
    const char *text = string(value);

    if (!text)
        return false;
    text = digits(text, 10, &at->insns);
    if (!text || *text != '.')
        return false;
    text = digits(text + 1, 10, &at->step);
    return text && !*text;
}

static bool read_vcpu(struct json_object *value, uint64_t *id)
{
    const char *text = string(value);
    uint64_t dom, vcpu;

    if (!text || *text != 'd')
        return false;
    text = digits(text + 1, 10, &dom);
    if (!text || *text != 'v')
        return false;
    text = digits(text + 1, 10, &vcpu);
    *id = TRACE_VCPU_ID(dom, vcpu);
    return text && !*text && dom <= 0xffff && vcpu <= 0xffff;
}

/* One of these names, or a number that has none. */
static bool read_name(const struct trace_names *n, struct json_object *value, uint64_t *number)
{
    const char *text = string(value);

    if (text && strncmp(text, "0x", 2)) {
        for (*number = 0; n && *number < n->nr; ++*number)
            if (n->name[*number] && !strcmp(n->name[*number], text))
                return true;
        return false;
    }
    return read_signed(value, number) && !(n && *number < n->nr && n->name[*number]);
}

/* Bytes, each of them as the character of its number, in UTF-8. */
static unsigned int read_text(struct json_object *value, uint64_t *arg, unsigned int room)
{
    const size_t most = room ? (room - 1) * sizeof(*arg) : 0;
    uint8_t bytes[TRACE_MAX_ARGS * sizeof(*arg)] = { 0 };
    size_t len = 0;

    if (!is_string(value))
        return 0;
    const uint8_t *text = (const uint8_t *)json_object_get_string(value);
    const uint8_t *const end = text + json_object_get_string_len(value);

    for (; text < end; len++) {
        uint8_t c = *text++;

        if (c >= 0x80) { /* of two bytes: up to 0xff */
            if ((c & 0xfe) != 0xc2 || text == end || (*text & 0xc0) != 0x80)
                return 0;
            c = (uint8_t)(c << 6 | (*text++ & 0x3f));
        }
        if (len == most)
            return 0;
        bytes[len] = c;
    }
    *arg = len;
    memcpy(arg + 1, bytes, (len + 7) / 8 * 8);
    return (unsigned int)(1 + (len + 7) / 8);
}

unsigned int trace_value_read(enum trace_type type, struct json_object *value, uint64_t *arg, unsigned int room)
{
    if (type == TRACE_TYPE_text)
        return read_text(value, arg, room);
    if (!room)
        return 0;
    if (type == TRACE_TYPE_bool) {
        *arg = (uint64_t)json_object_get_boolean(value);
        return json_object_is_type(value, json_type_boolean);
    }
    if (type == TRACE_TYPE_hex)
        return read_hex(value, arg);
    if (type == TRACE_TYPE_num)
        return read_signed(value, arg);
    if (!value) {
        *arg = TRACE_NONE;
        return 1;
    }
    switch (type) {
    case TRACE_TYPE_frame: return read_hex(value, arg);
    case TRACE_TYPE_vcpuid: return read_vcpu(value, arg);
    case TRACE_TYPE_dec:
    case TRACE_TYPE_domid: return read_signed(value, arg);
    case TRACE_TYPE_sub: return read_name(trace_subops(arg[-1]), value, arg);
    default: return read_name(trace_type_names(type), value, arg);
    }
}
