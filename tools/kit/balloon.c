// SPDX-License-Identifier: GPL-2.0-or-later
/* A policy for real guests, asked, and counted: tools/kit/balloon.h. */
#include "tools/kit/balloon.h"

#include <stdlib.h>
#include <string.h>

#include "sim/bug.h"
#include "tools/kit/run.h"

struct balloon {
    const char *policy; /* as the user wrote it */
    char *object;
    uint64_t seed;
    struct memctl m;
    struct kit_asked asked;
    uint64_t had[BALLOON_MAX_VMS]; /* a second ago */
    uint64_t seconds;              /* of the machine; m.over of them are counted */
    bool counted_all;              /* there is no more to count */
};

static bool fault(const struct balloon *b, const struct kit_asked *a, const char *where, char why[BALLOON_WHY])
{
    snprintf(why, BALLOON_WHY, "policy %.400s%s %s", b->policy, where, a->why);
    return false;
}

struct balloon *balloon_start(const char *policy, uint64_t seed, size_t nr, const char *const *names, int *rc,
                              char why[BALLOON_WHY])
{
    struct balloon *b = calloc(1, sizeof(*b));
    char unknown[KIT_WHY];

    BUG_ON(!b || nr > BALLOON_MAX_VMS);
    *rc = 1;
    b->policy = policy;
    b->seed = seed;
    b->m.host.rate = BALLOON_RATE;
    b->m.least = UINT64_MAX;
    b->m.nr_vms = (unsigned int)nr;
    b->m.free_at = calloc(BALLOON_MAX_TIME, sizeof(*b->m.free_at));
    BUG_ON(!b->m.free_at);
    for (size_t i = 0; i < nr; i++) {
        snprintf(b->m.vm[i].name, sizeof(b->m.vm[i].name), "%s", names[i]);
        b->m.vm[i].second = calloc(BALLOON_MAX_TIME, sizeof(*b->m.vm[i].second));
        BUG_ON(!b->m.vm[i].second);
    }
    b->object = kit_policy_path(&kit_memctl, policy, unknown);
    if (!b->object) {
        snprintf(why, BALLOON_WHY, "--balloon-policy: %s", unknown);
    } else if (kit_start(&b->asked, &kit_memctl, b->object, GUARDED_LIMIT, seed, NULL)) {
        return b;
    } else {
        fault(b, &b->asked, "", why);
        *rc = b->asked.rc;
    }
    balloon_end(b);
    return NULL;
}

/* --- a second --- */

static void vm_take(struct balloon *b, unsigned int i, const struct balloon_vm *vm, uint64_t *target)
{
    struct memctl_vm *to = &b->m.vm[i];
    if (!b->seconds) {
        to->memory = b->had[i] = vm->have;
        target[i] = vm->have;
    }
    if (vm->ended) {
        target[i] = 0;
        to->now = (struct vm_mem){ .max = to->max };
        return;
    }
    if (!b->counted_all && vm->have != b->had[i])
        memctl_moved(&b->m, to, vm->have > b->had[i] ? 1 : -1,
                     vm->have > b->had[i] ? vm->have - b->had[i] : b->had[i] - vm->have);
    b->had[i] = vm->have;
    to->now = (struct vm_mem){ vm->have, vm->floor, vm->max, vm->unused, vm->in, vm->out };
    to->floor = vm->floor;
    to->max = vm->max;
    to->needs = vm->needs < vm->max ? vm->needs : vm->max;
}

bool balloon_tick(struct balloon *b, uint64_t free, const struct balloon_vm *vm, uint64_t *target,
                  char why[BALLOON_WHY])
{
    struct memctl *m = &b->m;

    m->host.free = m->host.total = free;
    for (unsigned int i = 0; i < m->nr_vms; i++) {
        b->counted_all |= vm[i].ended || m->over == BALLOON_MAX_TIME;
        m->host.total += vm[i].have;
    }
    for (unsigned int i = 0; i < m->nr_vms; i++)
        vm_take(b, i, &vm[i], target);
    if (!b->counted_all)
        memctl_second(m);
    m->host.now = ++b->seconds;
    return memctl_decide(m, &b->asked, target) || fault(b, &b->asked, "", why);
}

/* --- as a workload --- */

/* Seconds with the same working set are one step. */
static void program(const struct memctl_vm *vm, uint64_t nr, FILE *f)
{
    for (uint64_t t = 0, next; t < nr; t = next) {
        for (next = t + 1; next < nr && vm->second[next].needs == vm->second[t].needs;)
            next++;
        fprintf(f, "%suse %uM for %llus", t ? ", " : "", vm->second[t].needs, (unsigned long long)(next - t));
    }
    fputc('\n', f);
}

void balloon_workload(const struct balloon *b, FILE *f)
{
    const struct memctl *m = &b->m;
    uint64_t total = m->free_at[0];

    if (!m->over)
        return;
    for (unsigned int i = 0; i < m->nr_vms; i++)
        total += m->vm[i].memory;
    fprintf(f, "memory %lluM\nrate %dM\ntime %llus\n", (unsigned long long)total, BALLOON_RATE,
            (unsigned long long)m->over);
    for (unsigned int i = 0; i < m->nr_vms; i++) {
        const struct memctl_vm *vm = &m->vm[i];

        fprintf(f, "vm %s memory=%lluM floor=%lluM max=%lluM : ", vm->name, (unsigned long long)vm->memory,
                (unsigned long long)(vm->floor < vm->memory ? vm->floor : vm->memory), (unsigned long long)vm->max);
        program(vm, m->over, f);
    }
}

/* --- side by side --- */

struct output {
    FILE *table, *json;
    const char *subject; /* of the row before; NULL: there was none */
    double total;        /* the host's memory */
    char worst[KIT_NAME];
    double differs; /* its memory, as a part of the host's */
};

static void json_begin(struct output *o, const char *subject)
{
    fprintf(o->json, "%s\n {\"subject\":\"%s\"", o->subject ? "}," : "", *subject ? subject : "all");
}

static void row(struct output *o, const char *subject, const char *name, const char *unit, double machine, double bench)
{
    const bool first = !o->subject || strcmp(o->subject, subject) != 0;
    const int digits = machine == (double)(uint64_t)machine && bench == (double)(uint64_t)bench ? 0 : 2;

    fprintf(o->table, "%-24s %-13s%-6s %10.*f %12.*f %+12.*f\n",
            !first     ? ""
            : *subject ? subject
                       : "all",
            name, unit, digits, machine, digits, bench, digits, bench - machine);
    if (o->json && first)
        json_begin(o, subject);
    if (o->json)
        fprintf(o->json, ",\n  \"%s\":{\"machine\":%.10g,\"workbench\":%.10g}", name, machine, bench);
    o->subject = subject;
}

static double mean_memory(const struct memctl_vm *vm, uint64_t nr)
{
    double all = 0;

    for (uint64_t t = 0; t < nr; t++)
        all += vm->second[t].have;
    return all / (double)(nr ?: 1);
}

static void memory_row(struct output *o, const struct memctl_vm *machine, const struct memctl_vm *bench, uint64_t nr)
{
    const double m = mean_memory(machine, nr), b = mean_memory(bench, nr);
    const double d = (m > b ? m - b : b - m) / o->total;

    if (!*o->worst || d > o->differs) {
        o->differs = d;
        snprintf(o->worst, sizeof(o->worst), "%s", machine->name);
    }
    row(o, machine->name, "memory", "MiB", m, b);
}

/* Both lists are of the same guests and figures, in the same order. */
static void report(const struct balloon *b, const struct memctl *bench, FILE *table, FILE *json)
{
    const struct memctl *m = &b->m;
    struct output o = { .table = table, .json = json };
    struct kit_metrics ours = { 0 }, theirs = { 0 };
    bool agree;

    kit_memctl.metrics(m, &ours);
    kit_memctl.metrics(bench, &theirs);
    BUG_ON(ours.nr != theirs.nr);
    o.total = (double)bench->host.total;
    fprintf(table, "balloon policy %s, %llu s\n%-44s %10s %12s %12s\n", b->policy, (unsigned long long)m->over, "",
            "machine", "workbench", "difference");
    if (json)
        fprintf(json, "{\"seconds\":%llu,\"memory\":%llu,\"figures\":[", (unsigned long long)m->over,
                (unsigned long long)bench->host.total);
    for (size_t i = 0, vm = 0; i < ours.nr; i++) {
        const struct kit_metric *one = &ours.metric[i];

        if (*one->subject && (!i || strcmp(one->subject, ours.metric[i - 1].subject) != 0)) {
            memory_row(&o, &m->vm[vm], &bench->vm[vm], m->over);
            vm++;
        }
        row(&o, one->subject, one->figure->name, one->figure->unit, one->value, theirs.metric[i].value);
    }
    agree = o.differs <= BALLOON_TOLERANCE;
    fprintf(table, "memory %s: %s differs most, by %.2f %% of the host's\n",
            agree ? "agrees within 1 %" : "does NOT agree within 1 %", o.worst, 100 * o.differs);
    if (json)
        fprintf(json, "}],\n \"agree\":%s,\"worst\":\"%s\",\"worst_differs\":%.6g}\n", agree ? "true" : "false",
                o.worst, o.differs);
    free(ours.metric);
    free(theirs.metric);
}

static int run(const struct balloon *b, struct memctl *bench, FILE *table, FILE *json, char why[BALLOON_WHY])
{
    struct kit_asked *a = calloc(1, sizeof(*a));
    int rc = 0;

    BUG_ON(!a);
    if (kit_start(a, &kit_memctl, b->object, GUARDED_LIMIT, b->seed, NULL))
        kit_memctl.run(bench, a);
    kit_end(a);
    if (a->gone) {
        fault(b, a, " on the workbench", why);
        rc = a->rc;
    } else {
        report(b, bench, table, json);
    }
    free(a);
    return rc;
}

int balloon_beside(struct balloon *b, FILE *table, FILE *json, char why[BALLOON_WHY])
{
    char *text = NULL, wrong[KIT_WHY] = " not enough memory";
    size_t len = 0;
    struct memctl *bench = NULL;
    FILE *f;
    int rc = 1;

    if (!b->m.over) {
        fprintf(table, "balloon policy %s: no second was over with all guests there\n", b->policy);
        if (json)
            fputs("{\"seconds\":0,\"figures\":[]}\n", json);
        return 0;
    }
    f = open_memstream(&text, &len);
    if (f) {
        balloon_workload(b, f);
        fclose(f);
        f = fmemopen(text, len, "r");
    }
    if (f)
        bench = memctl_load(f, b->seed, wrong);
    if (f)
        fclose(f);
    if (bench)
        rc = run(b, bench, table, json, why);
    else
        snprintf(why, BALLOON_WHY, "what the guests did is no workload:%s", wrong);
    if (bench)
        memctl_free(bench);
    free(text);
    return rc;
}

void balloon_end(struct balloon *b)
{
    if (!b)
        return;
    if (b->asked.model)
        kit_end(&b->asked);
    for (unsigned int i = 0; i < b->m.nr_vms; i++)
        free(b->m.vm[i].second);
    free(b->m.free_at);
    free(b->object);
    free(b);
}
