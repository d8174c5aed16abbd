// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What may be written behind --sched: the policies' names and their parameters; and the scheduler that it means.
 *
 * Concept: a policy sets a parameter by name (sched_ops.set) and knows no more of it; this table is what help texts are
 * made from, and what a mistake is answered with. A test holds the two together.
 *
 *      NAME[,PARAM=VALUE...]       credit,tslice_ms=5,ratelimit_us=0
 *
 * Corresponds to Xen's boot parameters sched=, sched_credit_tslice_ms=, sched_ratelimit_us=...; the ranges are Xen's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/nearest.h"
#include "vcpu/sched/names.h"
#include "vcpu/sched/sched.h"

/* clang-format off */
static const struct sched_tunable params[] = {
    { "credit",   "tslice_ms",          XEN_SYSCTL_CSCHED_TSLICE_MIN, XEN_SYSCTL_CSCHED_TSLICE_MAX, false,
      "length of a slice (30)" },
    { "credit",   "ratelimit_us",       XEN_SYSCTL_SCHED_RATELIMIT_MIN, XEN_SYSCTL_SCHED_RATELIMIT_MAX, true,
      "nobody is preempted sooner (1000)" },
    { "credit",   "vcpu_migr_delay_us", 0, XEN_SYSCTL_CSCHED_MGR_DLY_MAX_US, false,
      "who ran less long ago stays on its pCPU (0)" },
    { "credit2",  "ratelimit_us",       XEN_SYSCTL_SCHED_RATELIMIT_MIN, XEN_SYSCTL_SCHED_RATELIMIT_MAX, true,
      "nobody is preempted sooner (1000)" },
    { "credit2",  "cpus_per_runqueue",  1, MACHINE_MAX_PCPUS, false, "pCPUs that share a queue (16)" },
    { "arinc653", "slice_ms",           0, 1000, false, "a minor frame for every vCPU; 0: as Xen, dom0's alone (0)" },
    { "rr",       "tslice_ms",          1, 1000, false, "length of a slice (10)" },
};
/* clang-format on */

const struct sched_tunable *sched_tunables(size_t *nr)
{
    *nr = ARRAY_SIZE(params);
    return params;
}

static bool belongs(const struct sched_tunable *p, const struct sched_ops *ops)
{
    return !strcmp(p->policy, ops->opt_name);
}

static void range_describe(const struct sched_tunable *p, char *text, size_t len)
{
    snprintf(text, len, "%s%ld to %ld", p->or_zero ? "0, or " : "", p->min, p->max);
}

/* "credit has no parameter "x" (it has: tslice_ms, ratelimit_us)" */
static void no_such_param(const struct sched_ops *ops, const char *text, int text_len, char *why, size_t len)
{
    char list[128] = "", name[41], hint[NEAREST_HINT_SIZE];
    const char *names[ARRAY_SIZE(params)];
    size_t nr = 0;

    for (size_t i = 0; i < ARRAY_SIZE(params); i++)
        if (belongs(&params[i], ops)) {
            snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", nr ? ", " : "", params[i].name);
            names[nr++] = params[i].name;
        }
    snprintf(name, sizeof(name), "%.*s", text_len, text);
    snprintf(why, len, "%s has no parameter \"%s\"%s (it has: %s)", ops->opt_name, name,
             nearest_hint(name, names, nr, "", hint), nr ? list : "none");
}

void sched_name_unknown(const char *text, size_t text_len, char *why, size_t len)
{
    char list[128], name[41], hint[NEAREST_HINT_SIZE], *save;
    const char *names[16];
    size_t nr = 0;

    snprintf(list, sizeof(list), "%s", sched_names());
    for (char *p = strtok_r(list, ", ", &save); p && nr < ARRAY_SIZE(names); p = strtok_r(NULL, ", ", &save))
        names[nr++] = p;
    snprintf(name, sizeof(name), "%.*s", text_len > 40 ? 40 : (int)text_len, text);
    snprintf(why, len, "there is no scheduler \"%s\"%s (there are: %s)", name, nearest_hint(name, names, nr, "", hint),
             sched_names());
}

/* One "name=value", of len characters. The value goes to *value. */
static const struct sched_tunable *param_check(const struct sched_ops *ops, const char *text, size_t text_len,
                                               long *value, char *why, size_t len)
{
    const char *eq = memchr(text, '=', text_len);
    const size_t name_len = eq ? (size_t)(eq - text) : text_len;
    char range[64], *end;

    for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
        const struct sched_tunable *p = &params[i];

        if (!belongs(p, ops) || strlen(p->name) != name_len || memcmp(p->name, text, name_len))
            continue;
        *value = eq && eq[1] >= '0' && eq[1] <= '9' ? strtol(eq + 1, &end, 10) : -1;
        if (*value >= 0 && end == text + text_len &&
            ((*value >= p->min && *value <= p->max) || (p->or_zero && !*value)))
            return p;
        range_describe(p, range, sizeof(range));
        snprintf(why, len, "expected %s=%s, got \"%.*s\"", p->name, range, text_len > 60 ? 60 : (int)text_len, text);
        return NULL;
    }
    no_such_param(ops, text, (int)name_len, why, len);
    return NULL;
}

/* ",param=value,param=value" */
static bool set_params(struct scheduler *s, const char *text, bool tolerant)
{
    while (*text == ',') {
        const char *eq = strchr(++text, '=');
        char name[32], *end;
        long value;
        int rc;

        if (!eq || (size_t)(eq - text) >= sizeof(name))
            return false;
        memcpy(name, text, (size_t)(eq - text));
        name[eq - text] = '\0';
        value = strtol(eq + 1, &end, 10);
        rc = sched_set_param(s, name, value);
        if (end == eq + 1 || (rc && !(tolerant && rc == -EINVAL)))
            return false;
        text = end;
    }
    return !*text;
}

struct scheduler *sched_create(struct xen *xen, const char *opt_name, uint64_t cpus)
{
    const size_t len = strcspn(opt_name, ",");
    const struct sched_ops *ops = sched_ops_by_name(opt_name, len);
    struct scheduler *s = ops ? sched_create_ops(xen, ops, cpus) : NULL;

    /* Twice: a value may make sense only beside one that comes later (credit's ratelimit, and its slice). */
    if (s && (!set_params(s, opt_name + len, true) || !set_params(s, opt_name + len, false))) {
        sched_destroy(s);
        return NULL;
    }
    return s;
}

bool sched_option_check(const char *option, char *why, size_t len)
{
    size_t n = strcspn(option, ",");
    const struct sched_ops *ops = sched_ops_by_name(option, n);
    long tslice_ms = 30, ratelimit_us = 1000, value;

    if (!ops && (memchr(option, '/', n) || (n > 3 && !memcmp(option + n - 3, ".so", 3)))) {
        snprintf(why, len,
                 "a policy of one's own does not run guests, but workloads: xenlab sched --policy %.*s --workload FILE",
                 n > 80 ? 80 : (int)n, option);
        return false;
    }
    if (!ops) {
        sched_name_unknown(option, n, why, len);
        return false;
    }
    for (const char *p = option + n; *p; p += n) {
        const struct sched_tunable *param;

        n = strcspn(++p, ",");
        param = param_check(ops, p, n, &value, why, len);
        if (!param)
            return false;
        if (!strcmp(param->name, "tslice_ms"))
            tslice_ms = value;
        if (!strcmp(param->name, "ratelimit_us"))
            ratelimit_us = value;
    }
    if (ops != &sched_credit_ops || ratelimit_us <= tslice_ms * 1000)
        return true;
    snprintf(why, len, "ratelimit_us=%ld is longer than a slice, tslice_ms=%ld", ratelimit_us, tslice_ms);
    return false;
}
