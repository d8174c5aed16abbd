// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * --stats: the counters of a snapshot as a table.
 *
 * Concept: what a guest costs a hypervisor is exits, not instructions. The table shows both, so that a lesson can say
 * "this guest ran 4000 instructions an exit" or "half of its hypercalls are mmu_update". The counts are exact and the
 * same on every run; only the lines of real time differ. Rows that are 0 are left out.
 */
#include "ui/stats.h"

#include <inttypes.h>
#include <string.h>

/* Mnemonics of the exceptions, AMD APM vol. 2, table 8-1. */
static const char *const exception_names[32] = {
    "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "", "#TS", "#NP", "#SS", "#GP", "#PF", "",
    "#MF", "#AC", "#MC", "#XF", "#VE", "#CP", "",    "",    "",    "", "",    "",    "#HV", "#VC", "#SX", "",
};

static void row(FILE *out, const char *name, uint64_t n)
{
    if (n)
        fprintf(out, "  %-28s %14" PRIu64 "\n", name, n);
}

static void seconds(FILE *out, const char *name, s_time_t ns)
{
    fprintf(out, "  %-28s %14.6f s\n", name, (double)ns / 1e9);
}

static void counts_print(FILE *out, const struct snapshot_count *c, unsigned int nr)
{
    for (; nr--; c++)
        row(out, c->name, c->n);
}

static void exceptions_print(FILE *out, const uint64_t *n)
{
    uint64_t sum = 0;
    char name[24];

    for (unsigned int v = 0; v < 32; v++)
        sum += n[v];
    if (!sum)
        return;
    fprintf(out, "exceptions\n");
    for (unsigned int v = 0; v < 32; v++) {
        snprintf(name, sizeof(name), "%2u %s", v, exception_names[v]);
        row(out, name, n[v]);
    }
}

/* Not getrusage(): what it tells may be the parent's, from before exec. */
uint64_t stats_peak_kib(void)
{
    FILE *f = fopen("/proc/self/status", "re");
    uint64_t kib = 0;
    char line[128];

    while (f && fgets(line, sizeof(line), f) && sscanf(line, "VmHWM: %" SCNu64, &kib) != 1)
        ;
    if (f)
        fclose(f);
    return kib;
}

/* Virtual time, and for what. */
static void dom0_print(FILE *out, const struct host_task_time *tasks, size_t nr)
{
    s_time_t total = 0;

    for (size_t i = 0; i < nr; i++)
        total += tasks[i].ns;
    fprintf(out, "dom0\n");
    seconds(out, "running", total);
    for (size_t i = 0; i < nr; i++) {
        char name[40];

        snprintf(name, sizeof(name), "  %s", tasks[i].name);
        if (tasks[i].ns)
            seconds(out, name, tasks[i].ns);
    }
}

/* Without nested paging: page faults, by what they were, and what became of shadows. */
static void shadow_print(FILE *out, const struct domain_work *w)
{
    static const char *const of_level[] = { "  of large pages", "  of level 1", "  of level 2", "  of level 3",
                                            "  of level 4" };

    row(out, "page faults that are its own", w->shadow.true_faults);
    row(out, "  that fill a shadow", w->shadow.fills);
    row(out, "  where there is no memory", w->nested_faults);
    row(out, "  stores to tables", w->shadow.stores);
    row(out, "tables brought into sync", w->shadow.syncs);
    row(out, "shadows of tables no more", w->shadow.unshadowed);
    row(out, "shadows evicted", w->shadow.evictions);
    row(out, "shadows at most", w->shadow.most);
    for (unsigned int i = 0; i < ARRAY_SIZE(of_level); i++)
        row(out, of_level[i], w->shadow.pages[i]);
}

/* What the processor has done for a guest, by ring; the hypervisor's own part is called ring -1. */
static void domain_print(FILE *out, const struct domain_work *w)
{
    const bool pv64 = !strcmp(w->kind, "PV64"), pv32 = !strcmp(w->kind, "PV32");
    uint64_t ring0 = w->insns_in[0], ring1 = w->insns_in[1], ring3 = w->insns_in[3];

    if (!strcmp(w->kind, "native"))
        return; /* code of this program: it has time (dom0), and no instructions */
    fprintf(out, "domain %u (%s)\n", w->domid, w->kind);
    seconds(out, "ring -1: Xen", w->in_xen);
    if (pv64) {
        row(out, "kernel, at CPL 3", w->insns_kernel);
        ring3 -= w->insns_kernel;
    }
    row(out, pv64 || pv32 ? "CPL 0" : "ring 0", ring0);
    row(out, pv32 ? "kernel, at CPL 1" : "ring 1", ring1);
    row(out, "ring 2", w->insns_in[2]);
    row(out, pv64 || pv32 ? "user, at CPL 3" : "ring 3", ring3);
    shadow_print(out, w);
}

static void fills_print(FILE *out, const char *what, const struct machine_fills *f)
{
    if (f->fills)
        fprintf(out, "  %-28s %14" PRIu64 ", %.2f references each\n", what, f->fills,
                (double)f->refs / (double)f->fills);
}

void stats_print(FILE *out, const struct snapshot *s, const struct stats_wall *wall, const struct host_task_time *dom0,
                 size_t nr_tasks)
{
    uint64_t exits = 0;

    for (unsigned int k = 0; k < s->nr_exits; k++)
        exits += s->exits[k].n;
    fprintf(out, "time\n");
    seconds(out, "virtual", s->now);
    seconds(out, "real: starting", wall->start_up);
    seconds(out, "real: running", wall->running);
    if (wall->waiting)
        seconds(out, "real: waiting", wall->waiting);
    if (wall->peak_kib)
        fprintf(out, "memory (real)\n  %-28s %14.1f MiB\n", "peak memory", (double)wall->peak_kib / 1024);
    fprintf(out, "work\n");
    row(out, "instructions", s->insns);
    if (wall->running)
        fprintf(out, "  %-28s %14.1f\n", "  million a second (real)", (double)s->insns * 1e3 / (double)wall->running);
    if (exits)
        fprintf(out, "  %-28s %14.1f\n", "  an exit", (double)s->insns / (double)exits);
    row(out, "instructions emulated", s->emulated);
    row(out, "page-table writes emulated", s->ptwr);
    row(out, "context switches", s->switches);
    for (unsigned int i = 0; i < s->nr_domains; i++)
        domain_print(out, &s->domains[i]);
    if (s->direct.fills || s->nested.fills)
        fprintf(out, "misses of the TLB (this run's)\n");
    fills_print(out, "PV and shadow, by the book 4", &s->direct);
    fills_print(out, "HVM, by the book 24", &s->nested);
    fprintf(out, "exits\n");
    counts_print(out, s->exits, s->nr_exits);
    exceptions_print(out, s->exceptions);
    dom0_print(out, dom0, nr_tasks);
    fprintf(out, "hypercalls (dom0's, too)\n");
    counts_print(out, s->hypercalls, s->nr_hypercalls);
}
