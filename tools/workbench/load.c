// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading workloads: the text format of docs/workbench.md.
 *
 * Concept: a workload is a list of lines. `domain` makes vCPUs and gives them a program, `vcpu` changes one of them,
 * `at` says what happens later (event.c), and the rest are settings. Every error names the line and what was expected,
 * since students write these files. What programs are made of is in program.c.
 *
 * Budget: one statement a function, each with its messages.
 */
#include "tools/workbench/load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/nearest.h"
#include "tools/units.h"
#include "vcpu/sched/names.h"

#define WB_EVENT_WHY 256

/* --- lines --- */

struct loader {
    struct wb *wb;
    unsigned int line, joined; /* joined: lines that this one goes on in */
    char *err;
    size_t errlen;
};

static bool __attribute__((format(printf, 2, 3))) fail(struct loader *l, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(l->err, l->errlen, "%u: ", l->line);

    va_start(ap, fmt);
    vsnprintf(l->err + n, l->errlen - (size_t)n, fmt, ap);
    va_end(ap);
    return false;
}

/* What `domain` and `vcpu` lines can say, "key=value". */
struct options {
    unsigned int vcpus, weight, cap, count, period_us, budget_us;
    bool extratime, hard_given, soft_given, of_domain; /* of_domain: one was given that vCPUs do not have singly */
    uint64_t hard, soft;
    s_time_t start;
};

static bool number(const char *value, unsigned int lo, unsigned int hi, unsigned int *out)
{
    char *end;
    const unsigned long n = strtoul(value, &end, 10);

    *out = (unsigned int)n;
    return *value >= '0' && *value <= '9' && !*end && n >= lo && n <= hi;
}

static bool microseconds(struct loader *l, const char *key, const char *value, unsigned int *out)
{
    char why[UNITS_WHY_SIZE];
    s_time_t t;

    if (!duration_parse(value, &t) || t < MICROSECS(1))
        return fail(l, "%s=%s", key, duration_why(value, MICROSECS(1), why));
    if (t > SECONDS(4000))
        return fail(l, "%s=%s: must be 4000s at most", key, value);
    *out = (unsigned int)(t / 1000);
    return true;
}

static bool pcpus(struct loader *l, const char *key, const char *value, uint64_t *mask)
{
    return wb_mask_parse(value, mask) ||
           fail(l, "%s=%s: expected pCPUs of 0 to %d, such as 0,2-3 or all", key, value, MACHINE_MAX_PCPUS - 1);
}

static bool option_parse(struct loader *l, const char *key, const char *value, struct options *o)
{
    static const char *const keys[] = { "vcpus",  "count",     "weight", "cap",  "period",
                                        "budget", "extratime", "hard",   "soft", "start" };
    char hint[NEAREST_HINT_SIZE], why[UNITS_WHY_SIZE];
    unsigned int flag = 0;

    if (!strcmp(key, "hard"))
        return o->hard_given = pcpus(l, key, value, &o->hard);
    if (!strcmp(key, "soft"))
        return o->soft_given = pcpus(l, key, value, &o->soft);
    if (!strcmp(key, "start"))
        return duration_parse(value, &o->start) || fail(l, "start=%s", duration_why(value, 0, why));
    o->of_domain = true;
    if (!strcmp(key, "vcpus"))
        return number(value, 1, 10000, &o->vcpus) || fail(l, "vcpus=%s: must be 1 to 10000", value);
    if (!strcmp(key, "count"))
        return number(value, 1, 10000, &o->count) || fail(l, "count=%s: must be 1 to 10000", value);
    if (!strcmp(key, "weight"))
        return number(value, 1, 65535, &o->weight) || fail(l, "weight=%s: must be 1 to 65535", value);
    if (!strcmp(key, "cap"))
        return number(value, 0, 65535, &o->cap) || fail(l, "cap=%s: must be 0 to 65535 percent", value);
    if (!strcmp(key, "period"))
        return microseconds(l, key, value, &o->period_us);
    if (!strcmp(key, "budget"))
        return microseconds(l, key, value, &o->budget_us);
    if (!strcmp(key, "extratime")) {
        if (!number(value, 0, 1, &flag))
            return fail(l, "extratime=%s: must be 0 or 1", value);
        o->extratime = flag;
        return true;
    }
    return fail(
        l, "there is no \"%s=\"%s (there are: vcpus, count, weight, cap, period, budget, extratime, hard, soft, start)",
        key, nearest_hint(key, keys, ARRAY_SIZE(keys), "", hint));
}

/* "key=value key=value". */
static bool options_parse(struct loader *l, char *text, struct options *o)
{
    char *save, *word;

    for (word = strtok_r(text, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
        char *eq = strchr(word, '=');

        if (!eq)
            return fail(l, "\"%s\": options look like key=value", word);
        *eq = '\0';
        if (!option_parse(l, word, eq + 1, o))
            return false;
    }
    return true;
}

static bool affinity_apply(struct loader *l, struct vcpu *v, const struct options *o)
{
    const int rc = sched_set_affinity(v, o->hard_given ? &o->hard : NULL, o->soft_given ? &o->soft : NULL);

    wb_changed((struct wb_vcpu *)v);
    return !rc || fail(l, "hard affinity holds none of the pCPUs: this machine has 0 to %u", l->wb->xen.nr_pcpus - 1);
}

static bool domain_add_one(struct loader *l, const char *name, const struct options *o, const char *program)
{
    struct wb_domain *wd;

    if (wb_domain_find(l->wb, name))
        return fail(l, "domain %s exists already", name);
    wd = wb_domain_add(l->wb, name, o->vcpus, program);
    if (!wd) {
        fail(l, "%s", l->wb->error);
        l->wb->error[0] = '\0';
        return false;
    }
    wd->program.line = l->line;
    wd->weight = o->weight;
    wd->cap = o->cap;
    wd->period_us = o->period_us;
    wd->budget_us = o->budget_us;
    wd->extratime = o->extratime;
    wd->start = o->start;
    wd->kept_out = wb_domain_apply(wd) != 0;
    for (unsigned int i = 0; i < wd->d.max_vcpus; i++)
        if (!affinity_apply(l, wd->d.vcpu[i], o))
            return false;
    return true;
}

/* domain NAME key=value... : program */
static bool domain_line(struct loader *l, char *rest)
{
    struct options o = { .vcpus = 1, .weight = 256, .count = 1 };
    char *program = strchr(rest, ':'), name[24], numbered[40];
    int at = 0;

    if (!program)
        return fail(l, "expected: domain NAME [key=value...] : STEP, STEP...");
    *program++ = '\0';
    if (sscanf(rest, "%23s%n", name, &at) != 1 || !strchr(" \t", rest[at]) ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")])
        return fail(l, "a domain needs a name of at most 23 letters, digits, _ and -");
    if (!options_parse(l, rest + at, &o))
        return false;
    if (l->wb->nr_vcpus + o.count * o.vcpus > 20000)
        return fail(l, "too many vCPUs: at most 20000");
    for (unsigned int i = 0; i < o.count; i++) {
        snprintf(numbered, sizeof(numbered), o.count > 1 ? "%s%u" : "%s", name, i);
        if (!domain_add_one(l, numbered, &o, program))
            return false;
    }
    return true;
}

/* vcpu NAME.N key=value... [: program] */
static bool vcpu_line(struct loader *l, char *rest)
{
    struct options o = { 0 };
    char *program = strchr(rest, ':'), name[48], why[WB_TARGET_WHY];
    struct wb_domain *wd;
    int at = 0, id;

    if (program)
        *program++ = '\0';
    if (sscanf(rest, "%47s%n", name, &at) != 1 || !strchr(name, '.'))
        return fail(l, "expected: vcpu DOMAIN.NUMBER [hard=..] [soft=..] [: STEP, STEP...]");
    wd = wb_target_find(l->wb, name, &id);
    if (!wd)
        return fail(l, "vcpu %s: %s", name, wb_target_why(l->wb, name, false, why));
    if (!options_parse(l, rest + at, &o))
        return false;
    if (o.of_domain)
        return fail(l,
                    "a single vCPU has hard and soft affinity, a start and a program; the rest belongs to its domain");
    if (!affinity_apply(l, wd->d.vcpu[id], &o))
        return false;
    wb_vcpu(wd, (unsigned int)id)->start = o.start;
    if (program && !wb_vcpu_set_program(l->wb, wd, (unsigned int)id, program)) {
        fail(l, "%s", l->wb->error);
        l->wb->error[0] = '\0';
        return false;
    }
    wd->own[id].line = l->line;
    return true;
}

static bool slot_line(struct loader *l, char *rest)
{
    struct xen_sysctl_arinc653_schedule *a = &l->wb->arinc653;
    char name[48], time[32], more[2], why[WB_TARGET_WHY];
    struct wb_domain *wd;
    s_time_t t;
    int id;

    if (sscanf(rest, "%47s %31s %1s", name, time, more) != 2)
        return fail(l, "expected: slot DOMAIN[.VCPU] TIME, after the domain");
    wd = wb_target_find(l->wb, name, &id);
    if (!wd)
        return fail(l, "slot %s: %s", name, wb_target_why(l->wb, name, false, why));
    if (!duration_parse(time, &t) || !t)
        return fail(l, "slot %s: %s", name, duration_why(time, 1, why));
    if (a->num_sched_entries == ARINC653_MAX_DOMAINS_PER_SCHEDULE)
        return fail(l, "too many slots: at most %d", ARINC653_MAX_DOMAINS_PER_SCHEDULE);
    memcpy(a->sched_entries[a->num_sched_entries].dom_handle, wd->d.handle, sizeof(xen_domain_handle_t));
    a->sched_entries[a->num_sched_entries].vcpu_id = id < 0 ? 0 : (uint32_t)id;
    a->sched_entries[a->num_sched_entries++].runtime = (uint64_t)t;
    return true;
}

/* A time of at least `least`. */
static bool time_line(struct loader *l, char *rest, s_time_t least, s_time_t *out)
{
    char word[48] = "", more[2] = "", why[UNITS_WHY_SIZE];

    if (sscanf(rest, "%47s %1s", word, more) != 1)
        return fail(l, "expected one time, such as 10ms");
    return (duration_parse(word, out) && *out >= least) || fail(l, "%s", duration_why(word, least, why));
}

/* Does any policy that we know have it? One workload serves all, but a slip of the pen should not go unnoticed. */
static bool parameter_unknown(struct loader *l, const char *name)
{
    const char *names[32];
    const struct sched_tunable *t;
    char list[200] = "", hint[NEAREST_HINT_SIZE];
    size_t nr, n = 0;

    t = sched_tunables(&nr);
    for (size_t i = 0; i < nr; i++) {
        const size_t len = strlen(list);
        size_t k = 0;

        if (!strcmp(name, t[i].name))
            return true;
        while (k < n && strcmp(names[k], t[i].name))
            k++;
        if (k < n || n == ARRAY_SIZE(names)) /* two policies have it */
            continue;
        names[n++] = t[i].name;
        snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "", t[i].name);
    }
    return fail(l, "no policy has a parameter \"%s\"%s (there are: %s)", name, nearest_hint(name, names, n, "", hint),
                list);
}

static bool parameter_refused(struct loader *l, const char *name, long value)
{
    const char *policy = l->wb->xen.sched->ops->opt_name;
    const struct sched_tunable *t;
    size_t nr;

    t = sched_tunables(&nr);
    for (size_t i = 0; i < nr; i++)
        if (!strcmp(name, t[i].name) && !strcmp(policy, t[i].policy) && (value < t[i].min || value > t[i].max))
            return fail(l, "the policy refuses %s=%ld: expected %s%ld to %ld", name, value,
                        t[i].or_zero ? "0, or " : "", t[i].min, t[i].max);
    return fail(l, "the policy refuses %s=%ld%s", name, value,
                l->wb->domains ? "; does the line stand before the first domain?" : "");
}

static bool set_line(struct loader *l, char *rest)
{
    char name[32], text[32], more[2], *end;
    long value;

    if (sscanf(rest, "%31s %31s %1s", name, text, more) != 2)
        return fail(l, "expected: set PARAMETER NUMBER");
    value = strtol(text, &end, 0);
    if (end == text || *end)
        return fail(l, "set %s: \"%s\" is no number; expected: set PARAMETER NUMBER", name, text);
    switch (sched_set_param(l->wb->xen.sched, name, value)) {
    case 0:
        snprintf(l->wb->settings + strlen(l->wb->settings), sizeof(l->wb->settings) - strlen(l->wb->settings),
                 " %s=%ld", name, value);
        return true;
    case -ENOENT: return parameter_unknown(l, name);
    default: return parameter_refused(l, name, value);
    }
}

static bool line_parse(struct loader *l, char *text, s_time_t *time)
{
    static const char *const words[] = { "domain", "pcpus", "vcpu", "at",          "slot",
                                         "frame",  "set",   "time", "switch-cost", "expect" };
    char word[32] = "", why[WB_EVENT_WHY], hint[NEAREST_HINT_SIZE], *rest;
    int at = 0;

    if (strchr(text, '#'))
        *strchr(text, '#') = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (sscanf(text, "%31s%n", word, &at) != 1)
        return true;
    rest = text + at;
    if (!strcmp(word, "domain"))
        return domain_line(l, rest);
    if (!strcmp(word, "vcpu"))
        return vcpu_line(l, rest);
    if (!strcmp(word, "at"))
        return wb_event_parse(l->wb, rest, l->line, why, sizeof(why)) || fail(l, "%s", why);
    if (!strcmp(word, "slot"))
        return slot_line(l, rest);
    if (!strcmp(word, "set"))
        return set_line(l, rest);
    if (!strcmp(word, "time"))
        return time_line(l, rest, 1, time);
    if (!strcmp(word, "frame")) {
        s_time_t t = 0;

        if (!time_line(l, rest, 1, &t))
            return false;
        l->wb->arinc653.major_frame = (uint64_t)t;
        return true;
    }
    if (!strcmp(word, "switch-cost"))
        return time_line(l, rest, 0, &l->wb->switch_cost);
    if (!strcmp(word, "pcpus") || !strcmp(word, "expect"))
        return true; /* read by wb_load_pcpus() and expects_read() before there was a machine */
    return fail(l,
                "unknown word \"%s\"%s (lines begin with domain, vcpu, at, slot, frame, set, time, pcpus, switch-cost, "
                "expect)",
                word, nearest_hint(word, words, ARRAY_SIZE(words), "", hint));
}

#define LINE_MAX_LENGTH (4u << 20)

/* The next line, with those that it goes on in: what ends with a backslash. False: there is none, or no memory. */
static bool line_next(struct loader *l, FILE *f, char **text, size_t *room)
{
    char *more = NULL;
    size_t more_room = 0, len;
    ssize_t n = getline(text, room, f);

    if (n < 0)
        return false;
    l->line += 1 + l->joined;
    l->joined = 0;
    len = (size_t)n;
    while (len >= 2 && !strcmp(*text + len - 2, "\\\n") && len < LINE_MAX_LENGTH &&
           (n = getline(&more, &more_room, f)) >= 0) {
        if (*room < len + (size_t)n + 1) {
            char *larger = realloc(*text, 2 * (len + (size_t)n + 1));

            BUG_ON(!larger);
            *text = larger;
            *room = 2 * (len + (size_t)n + 1);
        }
        memcpy(*text + len - 2, more, (size_t)n + 1);
        len += (size_t)n - 2;
        l->joined++;
    }
    free(more);
    return true;
}

static bool load_pcpus(struct loader *l, FILE *f, unsigned int *nr, char **text, size_t *room)
{
    char word[16], value[16], more[2];

    while (line_next(l, f, text, room)) {
        (*text)[strcspn(*text, "#")] = '\0';
        if (sscanf(*text, "%15s", word) != 1 || strcmp(word, "pcpus"))
            continue;
        if (sscanf(*text, "%*s %15s %1s", value, more) != 1 || !number(value, 1, MACHINE_MAX_PCPUS, nr))
            return fail(l, "pcpus must be 1 to %d", MACHINE_MAX_PCPUS);
    }
    rewind(f);
    return true;
}

bool wb_load_pcpus(FILE *f, unsigned int *nr, char *err, size_t errlen)
{
    struct loader l = { .err = err, .errlen = errlen };
    char *text = NULL;
    size_t room = 0;
    const bool ok = load_pcpus(&l, f, nr, &text, &room);

    free(text);
    return ok;
}

/* The time table of ARINC 653 goes to the policy the way a toolstack sends it. */
static bool arinc653_apply(struct loader *l)
{
    struct wb *wb = l->wb;
    struct scheduler *s = wb->xen.sched;
    struct xen_sysctl_scheduler_op op = { .sched_id = s->ops->sched_id, .cmd = XEN_SYSCTL_SCHEDOP_putinfo };
    int rc;

    if (s->ops->sched_id != XEN_SCHEDULER_ARINC653 || !wb->arinc653.num_sched_entries)
        return true;
    if (!wb->arinc653.major_frame)
        for (unsigned int i = 0; i < wb->arinc653.num_sched_entries; i++)
            wb->arinc653.major_frame += wb->arinc653.sched_entries[i].runtime;
    set_xen_guest_handle(op.u.sched_arinc653.schedule, &wb->arinc653);
    rc = s->ops->adjust_global(s, &op);
    return !rc || fail(l, "the policy refuses the slots: %s (do they fit into the frame?)", strerror(-rc));
}

/* Whom a program wakes must exist; it may come later in the file, so this is looked at in the end. */
static bool wakes_check(struct loader *l, struct wb_program *p)
{
    char why[WB_TARGET_WHY];

    for (unsigned int i = 0; i < p->nr; i++) {
        struct wb_step *st = &p->step[i];

        if (st->kind != WB_WAKE)
            continue;
        st->target = wb_target_find(l->wb, st->target_name, &st->target_vcpu);
        l->line = p->line;
        if (!st->target)
            return fail(l, "wake %s: %s", st->target_name, wb_target_why(l->wb, st->target_name, false, why));
    }
    return true;
}

static bool load_lines(struct loader *l, FILE *f, s_time_t *time)
{
    char *text = NULL;
    size_t room = 0;
    bool ok = true;

    while (ok && line_next(l, f, &text, &room))
        ok = strlen(text) < LINE_MAX_LENGTH ? line_parse(l, text, time)
                                            : fail(l, "longer than %u characters", LINE_MAX_LENGTH);
    free(text);
    return ok;
}

bool wb_load(struct wb *wb, FILE *f, s_time_t *time, char *err, size_t errlen)
{
    struct loader l = { .wb = wb, .err = err, .errlen = errlen };

    if (!load_lines(&l, f, time))
        return false;
    if (!wb->domains) {
        snprintf(err, errlen, " the workload has no domain");
        return false;
    }
    for (struct wb_domain *wd = wb->domains; wd; wd = wd->next) {
        if (!wakes_check(&l, &wd->program))
            return false;
        for (unsigned int i = 0; i < wd->d.max_vcpus; i++)
            if (!wakes_check(&l, &wd->own[i]))
                return false;
    }
    return arinc653_apply(&l);
}
