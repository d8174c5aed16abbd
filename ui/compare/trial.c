// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One run of a comparison: a machine with this guest alone, until it is over; what it said last, and what was counted.
 *
 * The guest says "NAME: done, hash 0x..." and may say "NAME: probes, hash 0x..." before, to Xen's log; and of each
 * probe "NAME: probe WHAT: a processor's", or "another machine's" in capitals.
 */
#include "tools/snapshot.h"
#include "ui/compare/compare.h"
#include "ui/start.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_VTIME "60s"

struct trial {
    struct compare_run *run;
    struct run_options options;
    struct host_pool pools[HOST_MAX_POOLS];
    char name[COMPARE_NAME_SIZE]; /* of the guest */
    char path[COMPARE_PATH_SIZE];
};

static void hear(struct trial *t, const char *line, const char *what, uint64_t *hash, bool *heard)
{
    char text[128];
    const char *at;
    const int n = snprintf(text, sizeof(text), "%s: %s, hash 0x", t->name, what);

    at = strstr(line, text);
    if (!at)
        return;
    *hash = strtoull(at + n, NULL, 16);
    *heard = true;
}

/* "NAME: probe WHAT: RESULT". */
static void hear_probe(struct trial *t, const char *line)
{
    struct compare_run *r = t->run;
    const size_t n = strlen(r->holes);
    char begin[80], what[32], other[16];
    const char *at;

    snprintf(begin, sizeof(begin), "%s: probe ", t->name);
    at = strstr(line, begin);
    if (!at || sscanf(at + strlen(begin), "%31[^:]: %15s", what, other) != 2)
        return;
    r->nr_probes++;
    if (strcmp(other, "ANOTHER") != 0)
        return;
    r->nr_holes++;
    snprintf(r->holes + n, sizeof(r->holes) - n, "%s%s", n ? ", " : "", what);
}

static void log_line(void *data, const char *line, size_t len)
{
    struct trial *t = data;
    bool probes;
    char text[256];

    snprintf(text, sizeof(text), "%.*s", (int)len, line);
    hear(t, text, "done", &t->run->hash, &t->run->done);
    hear(t, text, "probes", &t->run->probes, &probes);
    hear_probe(t, text);
}

bool compare_find(const char *guest, const char *binary, char name[COMPARE_NAME_SIZE], char path[COMPARE_PATH_SIZE])
{
    char *copy = strdup(guest);
    const char *const roots[] = { "", "build/" };
    bool found = false;

    name[0] = '\0';
    if (!copy)
        return false;
    snprintf(name, COMPARE_NAME_SIZE, "%s", basename(copy));
    free(copy);
    for (unsigned int i = 0; i < ARRAY_SIZE(roots) && !found; i++) {
        const int n = snprintf(path, COMPARE_PATH_SIZE, "%s%s/%s.%s", roots[i], guest, name, binary);

        found = n < COMPARE_PATH_SIZE && access(path, R_OK) == 0;
    }
    return found;
}

/* The command line of such a run. */
static int options_make(struct trial *t, const struct compare_input *in, char err[COMPARE_ERR_SIZE])
{
    char number[24];
    char *argv[20] = { "--memory", "32", "--pcpus", "2", "-q", "--max-vtime", MAX_VTIME, "--seed", number };
    int argc = 9;

    snprintf(number, sizeof(number), "%llu", (unsigned long long)in->seed);
    for (const char *const *o = t->run->technique->options; *o; o++)
        argv[argc++] = (char *)(uintptr_t)*o;
    if (in->segments) {
        argv[argc++] = "--segments";
        argv[argc++] = (char *)(uintptr_t)in->segments;
    }
    argv[argc++] = t->path;
    return options_parse(&t->options, COMMAND_RUN, argc, argv, err);
}

s_time_t compare_real_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return SECONDS(ts.tv_sec) + ts.tv_nsec;
}

static void count(struct compare_run *r, const struct host *h, const struct compare_costs *costs)
{
    const struct technique *t = r->technique;
    struct snapshot s;

    host_snapshot(h, &s);
    r->insns = s.insns;
    r->vtime = host_now(h);
    r->table_writes = s.ptwr;
    for (unsigned int i = 0; i < s.nr_exits; i++)
        for (unsigned int k = 0; k < EXIT_NR_KINDS; k++)
            if (t->exits >> k & 1 && !strcmp(s.exits[i].name, sim_exit_name(k)))
                r->kind[k] = s.exits[i].n;
    if (t->shadow)
        r->kind[EXIT_EXCEPTION] = s.exceptions[X86_EXC_PF];
    for (unsigned int k = 0; k < EXIT_NR_KINDS; k++)
        r->exits += r->kind[k];
    for (unsigned int i = 0; i < s.nr_domains; i++)
        r->table_writes += s.domains[i].shadow.stores;
    for (unsigned int i = 0; i < s.nr_hypercalls; i++)
        if (!strcmp(s.hypercalls[i].name, "mmu_update") || !strcmp(s.hypercalls[i].name, "update_va_mapping"))
            r->table_writes += s.hypercalls[i].n;
    r->misses = t->refs_book ? s.direct.fills + s.nested.fills : 0;
    r->refs = t->refs_book ? s.direct.refs + s.nested.refs : 0;
    r->walk_ns = r->refs * costs->ns[COST_reference];
    r->vmm_ns = r->exits * costs->ns[t->exit_cost];
    if (t->interprets)
        r->vmm_ns += r->insns * costs->ns[COST_interpret];
    if (t->bounces)
        r->vmm_ns += (r->kind[EXIT_EXCEPTION] + r->kind[EXIT_SOFTINT]) * costs->ns[COST_bounce];
}

void compare_go(const struct run_options *o, struct host *h)
{
    const bool stop = false;
    const struct run_limit limit = { .until = o->max_vtime,
                                     .at = { .insns = UINT64_MAX, .step = UINT64_MAX },
                                     .stop = &stop };

    while (host_guests_left(h) && host_now(h) < limit.until) {
        const enum run_result result = host_run_to(h, &limit);

        if (result == RUN_IDLE || result == RUN_UNTIL)
            break;
    }
}

static int run(struct trial *t, const struct compare_costs *costs, char err[COMPARE_ERR_SIZE])
{
    const struct host_io io = { .data = t };
    const s_time_t start = compare_real_now();
    struct guest_list list;
    struct host *h = NULL;
    int rc = -1;

    if (guest_list_load(&list, &t->options, err))
        goto out;
    list.entries[0].cfg.hvm.hap = !t->run->technique->shadow;
    h = start_host(&t->options, &list, &io, t->pools, NULL, err);
    if (!h)
        goto out;
    host_log(h, log_line, t, start_log_level(&t->options));
    if (start_guests(h, &list, err))
        goto out;
    compare_go(&t->options, h);
    count(t->run, h, costs);
    rc = 0;
out:
    host_destroy(h);
    guest_list_free(&list);
    t->run->host_time = compare_real_now() - start;
    return rc;
}

int compare_try(struct compare_run *r, const struct technique *technique, const struct compare_input *in,
                const struct compare_costs *costs, char err[COMPARE_ERR_SIZE])
{
    struct trial *t = calloc(1, sizeof(*t));
    int rc = -1;

    *r = (struct compare_run){ .technique = technique };
    err[0] = '\0';
    if (!t) {
        snprintf(err, COMPARE_ERR_SIZE, "out of memory");
        return -1;
    }
    t->run = r;
    if (!compare_find(in->guest, technique->binary, t->name, t->path))
        snprintf(err, COMPARE_ERR_SIZE, "%.400s: there is no %.60s.%s in it (make builds those of guests/five)",
                 in->guest, t->name, technique->binary);
    else if (options_make(t, in, err) == 0)
        rc = run(t, costs, err);
    options_free(&t->options);
    free(t);
    return rc;
}
