// SPDX-License-Identifier: GPL-2.0-or-later
/* How a guest is to be scheduled: see tools/xl/xl_sched.h. */
#include "tools/xl/xl_sched.h"

#include "sim/arena.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct {
    const char *name, *expected;
    long min, max;
} keys[XL_SCHED_NR] = {
    [XL_SCHED_WEIGHT]    = { "cpu_weight", "a weight from 1 to 65535", 1, 65535 },
    [XL_SCHED_CAP]       = { "cap", "percent of one pCPU (0: no cap)", 0, 65535 },
    [XL_SCHED_PERIOD]    = { "period", "a positive number of microseconds", 1, INT_MAX },
    [XL_SCHED_BUDGET]    = { "budget", "a positive number of microseconds", 1, INT_MAX },
    [XL_SCHED_EXTRATIME] = { "extratime", "0 or 1", 0, 1 },
};
/* clang-format on */

const char *xl_sched_key_name(enum xl_sched_key key) { return keys[key].name; }
const char *xl_sched_key_expected(enum xl_sched_key key) { return keys[key].expected; }
bool xl_sched_number_ok(enum xl_sched_key key, long n) { return n >= keys[key].min && n <= keys[key].max; }

/* --- setting --- */

static bool string_set(char **string, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return false;
    free(*string);
    *string = copy;
    return true;
}

bool xl_sched_set_number(struct xl_sched *s, enum xl_sched_key key, const char *where, uint32_t value)
{
    s->number[key].value = value;
    return string_set(&s->number[key].where, where);
}

bool xl_sched_set_affinity(struct xl_affinity *a, const char *where, bool each, const struct xl_cpus *cpus,
                           unsigned int nr)
{
    struct xl_cpus *copy = calloc(nr ? nr : 1, sizeof(*copy));

    if (!copy || !string_set(&a->where, where)) {
        free(copy);
        return false;
    }
    if (nr)
        memcpy(copy, cpus, nr * sizeof(*copy));
    free(a->cpus);
    a->cpus = copy;
    a->each = each;
    a->nr = nr;
    return true;
}

bool xl_sched_set_pool(struct xl_sched *s, const char *where, const char *pool)
{
    return string_set(&s->pool_where, where) && string_set(&s->pool, pool);
}

static bool affinity_override(struct xl_affinity *to, const struct xl_affinity *from)
{
    return !from->where || xl_sched_set_affinity(to, from->where, from->each, from->cpus, from->nr);
}

bool xl_sched_override(struct xl_sched *to, const struct xl_sched *from)
{
    for (int key = 0; key < XL_SCHED_NR; key++)
        if (from->number[key].where &&
            !xl_sched_set_number(to, (enum xl_sched_key)key, from->number[key].where, from->number[key].value))
            return false;
    if (from->pool && !xl_sched_set_pool(to, from->pool_where, from->pool))
        return false;
    return affinity_override(&to->hard, &from->hard) && affinity_override(&to->soft, &from->soft);
}

void xl_sched_free(struct xl_sched *s)
{
    for (int key = 0; key < XL_SCHED_NR; key++)
        free(s->number[key].where);
    free(s->hard.where);
    free(s->hard.cpus);
    free(s->soft.where);
    free(s->soft.cpus);
    free(s->pool_where);
    free(s->pool);
    memset(s, 0, sizeof(*s));
}

/* --- in an arena --- */

static bool string_copy(struct arena *a, char **to, const char *from)
{
    *to = from ? xstrdup(a, from) : NULL;
    return *to || !from;
}

static bool affinity_copy(struct arena *a, struct xl_affinity *to, const struct xl_affinity *from)
{
    *to = (struct xl_affinity){ .each = from->each, .nr = from->nr };
    if (!from->where)
        return true;
    to->cpus = xzalloc_array(a, struct xl_cpus, from->nr);
    if (to->cpus && from->nr)
        memcpy(to->cpus, from->cpus, from->nr * sizeof(*to->cpus));
    return string_copy(a, &to->where, from->where) && to->cpus;
}

bool xl_sched_copy(struct arena *a, struct xl_sched *to, const struct xl_sched *from)
{
    bool ok = true;

    *to = (struct xl_sched){ 0 };
    for (int key = 0; key < XL_SCHED_NR; key++) {
        to->number[key].value = from->number[key].value;
        ok &= string_copy(a, &to->number[key].where, from->number[key].where);
    }
    ok &= string_copy(a, &to->pool_where, from->pool_where) && string_copy(a, &to->pool, from->pool);
    return affinity_copy(a, &to->hard, &from->hard) && affinity_copy(a, &to->soft, &from->soft) && ok;
}

void xl_sched_release(struct xl_sched *s)
{
    for (int key = 0; key < XL_SCHED_NR; key++)
        xfree(s->number[key].where);
    xfree(s->hard.where);
    xfree(s->hard.cpus);
    xfree(s->soft.where);
    xfree(s->soft.cpus);
    xfree(s->pool_where);
    xfree(s->pool);
}

/* --- lists of pCPUs --- */

static const char *skip_blanks(const char *p) { return p + strspn(p, " \t"); }

/* The number at *p, which moves behind it; what is too large for anything is UINT_MAX. False: there is none. */
static bool number_read(const char **p, unsigned int *n)
{
    const char *end = *p + strspn(*p, "0123456789");
    unsigned long value;

    if (end == *p)
        return false;
    errno = 0;
    value = strtoul(*p, NULL, 10);
    *n = errno || value > UINT_MAX ? UINT_MAX : (unsigned int)value;
    *p = end;
    return true;
}

static uint64_t range_mask(unsigned int from, unsigned int to)
{
    if (from > 63)
        return 0;
    return (to >= 63 ? ~UINT64_C(0) : (UINT64_C(1) << (to + 1)) - 1) & ~((UINT64_C(1) << from) - 1);
}

static bool has_prefix(const char **p, const char *prefix)
{
    const size_t len = strlen(prefix);

    if (strncmp(*p, prefix, len))
        return false;
    *p += len;
    return true;
}

/* One item, of which p may be the end of the list: NULL if it is none. Else what comes behind it. */
static const char *item_read(const char *p, struct xl_cpus *cpus, const char **why)
{
    unsigned int from, to;
    bool away, nodes;
    uint64_t mask;

    p = skip_blanks(p);
    away = has_prefix(&p, "^");
    nodes = has_prefix(&p, "nodes:") || has_prefix(&p, "node:");
    if (has_prefix(&p, "all")) {
        *why = "^ cannot take away \"all\"";
        cpus->mask = ~UINT64_C(0);
        return away ? NULL : p;
    }
    *why = "expected pCPUs such as \"0-3,^1\", \"all\" or \"node:0\"";
    if (!number_read(&p, &from))
        return NULL;
    to = from;
    if (has_prefix(&p, "-") && (!number_read(&p, &to) || to < from))
        return NULL;
    mask = range_mask(from, to);
    if (nodes) {
        *why = "the machine has one NUMA node, node 0";
        if (to > 0)
            return NULL;
        mask = ~UINT64_C(0);
    } else if (!away && to > cpus->highest) {
        cpus->highest = to;
    }
    cpus->mask = away ? cpus->mask & ~mask : cpus->mask | mask;
    return p;
}

bool xl_cpus_parse(const char *text, struct xl_cpus *cpus, char *why, size_t len)
{
    const char *p = text, *reason = "";

    *cpus = (struct xl_cpus){ 0 };
    for (;;) {
        p = item_read(p, cpus, &reason);
        if (p)
            p = skip_blanks(p);
        if (!p || !*p)
            break;
        if (*p++ != ',') {
            reason = "expected pCPUs such as \"0-3,^1\", \"all\" or \"node:0\"";
            p = NULL;
            break;
        }
    }
    if (p && !cpus->mask && cpus->highest < 64) {
        reason = "this is no pCPU at all";
        p = NULL;
    }
    if (!p)
        snprintf(why, len, "%s, got \"%.100s\"", reason, text);
    return p != NULL;
}
