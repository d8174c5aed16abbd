// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trace record as a JSON object.
 *
 *   {"seq":17,"at":"1024.2","t":1200,"pcpu":0,"dom":1,"vcpu":0,"mode":"user","root":"user","event":"exit",
 *    "kind":"syscall","vector":null,"error":"0x0",...}
 *
 * JSON readers keep numbers as doubles, exact to 2^53 only. So addresses and bits are strings "0x...", other numbers
 * are plain, signed (a hypercall returns -22), and become such a string only where a double would round them. Values
 * that have names are strings, and numbers where a value has none (a hypercall that does not exist). What a record has
 * not is null: the domain of an idle pCPU. Texts are bytes: those outside ASCII print as the character of their number.
 *
 * Written by hand: printf() was most of what a trace cost. Nothing looks for the end of the buffer, which is larger
 * than any record.
 */
#include "sim/pcpu.h"
#include "sim/trace.h"

#include <string.h>

/* at + n bytes: the end. */
static char *put_bytes(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

static char *put(char *at, const char *text) { return put_bytes(at, text, strlen(text)); }

static char *put_unsigned(char *at, uint64_t value)
{
    char digits[20]; /* of 2^64 - 1 */
    size_t i = sizeof(digits);

    do
        digits[--i] = (char)('0' + value % 10);
    while (value /= 10);
    return put_bytes(at, digits + i, sizeof(digits) - i);
}

static char *put_hex(char *at, uint64_t value)
{
    unsigned int shift = value ? (63u - (unsigned int)__builtin_clzll(value)) & ~3u : 0;

    at = put(at, "\"0x");
    for (;; shift -= 4) {
        *at++ = "0123456789abcdef"[value >> shift & 15];
        if (!shift)
            break;
    }
    *at++ = '"';
    return at;
}

static char *put_number(char *at, uint64_t value)
{
    const int64_t limit = INT64_C(1) << 53, number = (int64_t)value;

    if (number < -limit || number > limit)
        return put_hex(at, value);
    if (number < 0)
        *at++ = '-';
    return put_unsigned(at, number < 0 ? -value : value);
}

static char *put_name(char *at, const char *name)
{
    *at++ = '"';
    at = put(at, name);
    *at++ = '"';
    return at;
}

static char *put_text(char *at, const uint8_t *text, size_t len)
{
    *at++ = '"';
    for (size_t i = 0; i < len; i++) {
        const uint8_t c = text[i];

        if (c == '"' || c == '\\') {
            *at++ = '\\';
            *at++ = (char)c;
        } else if (c >= ' ' && c < 0x7f) {
            *at++ = (char)c;
        } else if (c == '\n') {
            at = put_bytes(at, "\\n", 2);
        } else {
            at = put_bytes(at, "\\u00", 4);
            *at++ = "0123456789abcdef"[c >> 4];
            *at++ = "0123456789abcdef"[c & 15];
        }
    }
    *at++ = '"';
    return at;
}

static char *put_vcpu(char *at, uint64_t id)
{
    at = put_bytes(at, "\"d", 2);
    at = put_unsigned(at, TRACE_VCPU_DOM(id));
    *at++ = 'v';
    at = put_unsigned(at, TRACE_VCPU_NR(id));
    *at++ = '"';
    return at;
}

/* arg[-1]: the field in front, which for `sub` is the hypercall. */
static char *put_value(char *at, enum trace_type type, const uint64_t *arg)
{
    const struct trace_names *n;
    const char *name;

    switch (type) {
    case TRACE_TYPE_text: return put_text(at, (const uint8_t *)(arg + 1), *arg);
    case TRACE_TYPE_bool: return put(at, *arg ? "true" : "false");
    case TRACE_TYPE_hex: return put_hex(at, *arg);
    case TRACE_TYPE_num: return put_number(at, *arg);
    case TRACE_TYPE_domid:
        if (*arg == TRACE_NO_DOMAIN)
            return put(at, "null");
        break;
    case TRACE_TYPE_sub:
        n = trace_subops(arg[-1]);
        name = n && *arg < n->nr ? n->name[*arg] : NULL;
        if (name)
            return put_name(at, name);
        break;
    default:
        name = trace_value_name(type, *arg);
        if (name)
            return put_name(at, name);
    }
    if (*arg == TRACE_NONE)
        return put(at, "null");
    if (type == TRACE_TYPE_vcpuid)
        return put_vcpu(at, *arg);
    return type == TRACE_TYPE_frame ? put_hex(at, *arg) : put_number(at, *arg);
}

bool trace_is_engines(const struct trace_record *rec)
{
    const uint64_t kind = rec->event == TRC_exit ? rec->arg[0] : TRACE_NONE, vector = rec->arg[1];

    if (kind == EXIT_ERROR)
        return true;
    if (rec->who.root != TRACE_ROOT_HVM && rec->who.root != TRACE_ROOT_SHADOW)
        return false;
    if (kind == EXIT_EXCEPTION && vector == X86_EXC_PF)
        return rec->who.root == TRACE_ROOT_HVM;
    return kind == EXIT_SOFTINT ||
           (kind == EXIT_EXCEPTION && vector != X86_EXC_DB && vector != X86_EXC_AC && vector != X86_EXC_MC);
}

size_t trace_format_json(const struct trace_record *rec, char buf[TRACE_JSON_SIZE])
{
    const struct trace_event_info *info = trace_event_info((enum trace_event)rec->event);
    char *at = buf;

    at = put_unsigned(put(at, "{\"seq\":"), rec->seq);
    at = put_unsigned(put(at, ",\"at\":\""), rec->at.insns);
    *at++ = '.';
    at = put_unsigned(at, rec->at.step);
    at = put_number(put(at, "\",\"t\":"), (uint64_t)rec->time);
    at = put_unsigned(put(at, ",\"pcpu\":"), rec->pcpu);
    if (rec->who.domain == TRACE_NO_DOMAIN) {
        at = put(at, ",\"dom\":null,\"vcpu\":null");
    } else {
        at = put_unsigned(put(at, ",\"dom\":"), rec->who.domain);
        at = put_unsigned(put(at, ",\"vcpu\":"), rec->who.vcpu);
    }
    at = put_name(put(at, ",\"mode\":"), trace_value_name(TRACE_TYPE_mode, rec->who.mode));
    at = put_name(put(at, ",\"root\":"), trace_value_name(TRACE_TYPE_root, rec->who.root));
    at = put_name(put(at, ",\"event\":"), info->name);
    for (unsigned int i = 0; i < info->nr_fields; i++) {
        at = put_bytes(at, info->fields[i].key, info->fields[i].key_len);
        at = put_value(at, (enum trace_type)info->fields[i].type, &rec->arg[i]);
    }
    if (trace_is_engines(rec))
        at = put(at, ",\"engine\":true");
    *at++ = '}';
    return (size_t)(at - buf);
}
