// SPDX-License-Identifier: GPL-2.0-or-later
/* Files, and which of them belong together: the idea is in tools/sweep/merge.h. */
#include "tools/sweep/merge.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bug.h"
#include "tools/printable.h"
#include "tools/user_file.h"

#define TOLD 10 /* of a kind, in full */

static void __attribute__((format(printf, 1, 2))) tell(const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    make_printable(text, strlen(text), true);
    fflush(stdout);
    fprintf(stderr, "xenlab: %s\n", text);
}

static void help(FILE *f)
{
    fputs("Usage: xenlab kit merge [--json | --csv] RESULT.json|FOLDER...\n"
          "\n"
          "Results of a sweep's jobs (xenlab kit KIT --seeds A..B --set NAME=X,Y), or all\n"
          "*.json of a folder (of more than a command line can hold, too), in one\n"
          "table: of each combination of settings, figure and subject the mean over seeds,\n"
          "and half of its 95 % confidence interval, by Student's t.\n"
          "\n"
          "  --json  print JSON instead\n"
          "  --csv   or comma-separated values\n"
          "\n"
          "Exit status: 0; 1 jobs are missing, there twice, or of another sweep (what is\n"
          "there is printed); 2 in some job the policy was at fault; 4 in some job an\n"
          "expectation does not hold.\n",
          f);
}

/* --- files --- */

/* All of it, and a 0. NULL: why. */
static char *file_read(const char *path, size_t *len, char *why, size_t room)
{
    const int fd = user_file_open(path, why, room);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "r"), *copy;
    char *text = NULL, part[4096];
    size_t n;

    if (!f)
        return NULL;
    copy = open_memstream(&text, len);
    BUG_ON(!copy);
    while ((n = fread(part, 1, sizeof(part), f)))
        fwrite(part, 1, n, copy);
    BUG_ON(fclose(copy));
    if (ferror(f)) {
        snprintf(why, room, "%s", strerror(errno));
        free(text);
        text = NULL;
    }
    fclose(f);
    return text;
}

/* Is it one, with a sweep that makes sense? */
static bool is_result(const struct json *j, const struct merge_result *r)
{
    const struct json *sweep = json_member(j, "sweep", JSON_OBJECT), *seeds = json_member(sweep, "seeds", JSON_ARRAY);
    unsigned long long jobs = 1, from = 0, to = 0;

    if (seeds && (!seeds->first || seeds->first->kind != JSON_TEXT || !seeds->first->next ||
                  seeds->first->next->kind != JSON_TEXT || sscanf(seeds->first->text, "%llu", &from) != 1 ||
                  sscanf(seeds->first->next->text, "%llu", &to) != 1 || to < from || to - from >= SWEEP_JOBS))
        return false;
    jobs = to - from + 1;
    for (const struct json *set = (json_member(sweep, "set", JSON_ARRAY) ?: &(struct json){ 0 })->first; set;
         set = set->next) {
        unsigned long long values = 0;

        if (set->kind != JSON_ARRAY || !set->first)
            return false;
        for (const struct json *v = set->first; v; v = v->next, values++)
            if (v->kind != JSON_TEXT)
                return false;
        jobs *= values - 1;
        if (!jobs || jobs > SWEEP_JOBS)
            return false;
    }
    return jobs == r->jobs && r->job <= jobs && *r->id;
}

static void result_read(struct merge_result *r)
{
    char why[320] = "";
    size_t len = 0, at = 0;

    r->id = "";
    r->text = file_read(r->path, &len, why, sizeof(why));
    if (!r->text) {
        tell("cannot read %s: %s", r->path, why);
        return;
    }
    r->json = json_read(r->text, len, &at);
    if (r->json) {
        const struct json *sweep = json_member(r->json, "sweep", JSON_OBJECT);

        r->id = json_text(sweep, "id");
        if (json_whole(sweep, "job", 1, SWEEP_JOBS, &r->job) && json_whole(sweep, "jobs", 1, SWEEP_JOBS, &r->jobs) &&
            is_result(r->json, r))
            return;
        r->id = "";
        tell("%s is foreign: no result of a sweep's job", r->path);
        return;
    }
    tell("%s is foreign: no JSON, or only a part of it (byte %zu)", r->path, at);
}

static void result_free(struct merge_result *r)
{
    json_free(r->json);
    free(r->text);
    free(r->path);
}

/* Behind the others; path is ours from now on. */
static void result_add(struct merge *m, char *path)
{
    if (!(m->nr & (m->nr - 1))) /* 0 or a power of 2: there is room for as many again */
        m->result = reallocarray(m->result, 2 * m->nr ?: 1, sizeof(*m->result));
    BUG_ON(!path || !m->result);
    m->result[m->nr++] = (struct merge_result){ .path = path };
}

/* A folder's *.json, but for hidden ones, which a job that was broken off may have left; or that file. */
static void results_add(struct merge *m, const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    const size_t nr = m->nr;
    size_t len = strlen(path);
    char *name;

    if (!folder) { /* what is wrong with it is told when it is read */
        result_add(m, strdup(path));
        return;
    }
    while (len > 1 && path[len - 1] == '/')
        len--;
    while ((entry = readdir(folder))) {
        const size_t n = strlen(entry->d_name);

        if (*entry->d_name == '.' || n < 5 || strcmp(entry->d_name + n - 5, ".json"))
            continue;
        BUG_ON(asprintf(&name, "%.*s/%s", (int)len, path, entry->d_name) < 0);
        result_add(m, name);
    }
    closedir(folder);
    if (m->nr == nr)
        tell("%s is a folder without results (*.json)", path);
    m->whole &= m->nr > nr;
}

/* --- which sweep, and which of its jobs --- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct merge_result *)a)->path, ((const struct merge_result *)b)->path);
}

static int by_job(const void *a, const void *b)
{
    const struct merge_result *x = a, *y = b;

    return x->job != y->job ? (x->job > y->job) - (x->job < y->job) : by_path(a, b);
}

static size_t files_of(const struct merge *m, const char *id)
{
    size_t n = 0;

    for (size_t i = 0; i < m->nr; i++)
        n += !strcmp(m->result[i].id, id);
    return n;
}

/* The one that most files are of. NULL: there is none, or more than one of them. */
static const char *sweep_choose(const struct merge *m)
{
    const char *id = NULL;
    size_t most = 0;
    bool tie = false;

    for (size_t i = 0; i < m->nr; i++) {
        const char *one = m->result[i].id;
        const size_t n = *one && (!id || strcmp(one, id)) ? files_of(m, one) : 0;

        if (n > most)
            id = one, most = n, tie = false;
        else if (n && n == most)
            tie = true;
    }
    if (!id)
        tell("there is no result of a sweep's job");
    else if (tie)
        tell("these are results of more than one sweep, of none more than of another: which one is to be merged?");
    return tie ? NULL : id;
}

/* Only those for which keep[] says so stay. */
static void results_keep(struct merge *m, const bool *keep)
{
    size_t nr = 0;

    for (size_t i = 0; i < m->nr; i++)
        if (keep[i])
            m->result[nr++] = m->result[i];
        else
            result_free(&m->result[i]);
    m->whole &= nr == m->nr;
    m->nr = nr;
}

static bool json_same(const struct json *a, const struct json *b)
{
    for (; a && b; a = a->next, b = b->next)
        if (a->kind != b->kind || a->number != b->number || !a->key != !b->key || (a->key && strcmp(a->key, b->key)) ||
            !a->text != !b->text || (a->text && strcmp(a->text, b->text)) || !json_same(a->first, b->first))
            return false;
    return !a && !b;
}

/* Of the same sweep, by what it says of that, and not only of its id. */
static bool is_of(const struct merge_result *r, const struct merge_result *one)
{
    const struct json *a = json_member(r->json, "sweep", JSON_OBJECT),
                      *b = json_member(one->json, "sweep", JSON_OBJECT);

    for (unsigned int i = 0; i < 2; i++) {
        const struct json *x = json_member(a, i ? "set" : "seeds", JSON_ARRAY);
        const struct json *y = json_member(b, i ? "set" : "seeds", JSON_ARRAY);

        if (!x != !y || (x && !json_same(x->first, y->first)))
            return false;
    }
    return !strcmp(r->id, one->id) && r->jobs == one->jobs;
}

static void foreign_drop(struct merge *m, const char *id, bool *keep)
{
    const struct merge_result *one = m->result;

    while (strcmp(one->id, id))
        one++;
    for (size_t i = 0; i < m->nr; i++) {
        const struct merge_result *r = &m->result[i];

        keep[i] = *r->id && is_of(r, one);
        if (!keep[i] && *r->id)
            tell("%s is foreign: job %llu of another sweep (%s, %s, %s)", r->path, r->job, json_text(r->json, "kit"),
                 json_text(r->json, "policy"), json_text(r->json, "workload"));
    }
    results_keep(m, keep);
}

/* They are in order. */
static void twice_drop(struct merge *m, bool *keep)
{
    for (size_t i = 0, next; i < m->nr; i = next) {
        bool same = true;

        keep[i] = true;
        for (next = i + 1; next < m->nr && m->result[next].job == m->result[i].job; next++) {
            keep[next] = false;
            same &= json_same(m->result[i].json, m->result[next].json);
            tell("job %llu is there twice: %s and %s%s", m->result[i].job, m->result[i].path, m->result[next].path,
                 same ? ", which say the same" : " differ, so neither counts");
        }
        keep[i] = same;
    }
    results_keep(m, keep);
}

/* "job 17 (memory=2G, seed 17)": which are missing. */
static void missing_tell(struct merge *m)
{
    const unsigned long long nr = m->jobs - m->nr;
    unsigned long long job = 1, told = 0;
    char list[TOLD * 24] = "";

    for (size_t i = 0; i <= m->nr && told < TOLD; i++, job++) {
        const unsigned long long there = i < m->nr ? m->result[i].job : m->jobs + 1;

        for (; job < there && told < TOLD; job++, told++)
            snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%llu", told ? ", " : "", job);
        if (job < there)
            break;
    }
    if (nr)
        tell("%llu of %llu jobs are missing: %s%s (a job is the sweep's command and --job N)", nr, m->jobs, list,
             nr > told ? ", ..." : "");
    m->whole &= !nr;
}

static bool chosen(struct merge *m)
{
    bool *keep = calloc(m->nr, sizeof(*keep));
    const struct json *sweep, *seeds;
    const char *id;
    unsigned long long from = 0, to = 0;

    BUG_ON(!keep);
    qsort(m->result, m->nr, sizeof(*m->result), by_path);
    for (size_t i = 0; i < m->nr; i++)
        result_read(&m->result[i]);
    id = sweep_choose(m);
    if (!id) {
        free(keep);
        return false;
    }
    foreign_drop(m, id, keep);
    qsort(m->result, m->nr, sizeof(*m->result), by_job);
    m->jobs = m->result[0].jobs;
    sweep = json_member(m->result[0].json, "sweep", JSON_OBJECT);
    seeds = json_member(sweep, "seeds", JSON_ARRAY);
    m->seeds = 1;
    if (seeds && sscanf(seeds->first->text, "%llu", &from) == 1 && sscanf(seeds->first->next->text, "%llu", &to) == 1)
        m->seeds = to - from + 1;
    twice_drop(m, keep);
    free(keep);
    missing_tell(m);
    m->sets = m->nr ? json_member(json_member(m->result[0].json, "sweep", JSON_OBJECT), "set", JSON_ARRAY) : NULL;
    return m->nr;
}

/* --- the command --- */

static int merged(struct merge *m, void (*report)(const struct merge *m, FILE *f))
{
    bool lost = false;

    if (!chosen(m))
        return 1;
    merge_rows(m);
    report(m, stdout);
    for (size_t i = 0; i < m->nr_expectations; i++)
        lost |= m->expectation[i].held < m->expectation[i].nr;
    if (fflush(stdout) || ferror(stdout)) {
        tell("standard output: %s", strerror(errno));
        return 1;
    }
    return !m->whole ? 1 : m->faults ? 2 : lost ? 4 : 0;
}

int merge_command(int argc, char **argv)
{
    void (*report)(const struct merge *m, FILE *f) = merge_table;
    struct merge m = { .whole = true };
    bool named = false;
    int rc = 1;

    for (int i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            help(stdout);
            return 0;
        }
        if (argv[i][0] != '-') {
            named = true;
            continue;
        }
        if (report != merge_table || (strcmp(argv[i], "--json") && strcmp(argv[i], "--csv"))) {
            tell(report == merge_table ? "there is no option %.40s (see: xenlab kit merge --help)"
                                       : "%.40s: --json, or --csv, once",
                 argv[i]);
            return 1;
        }
        report = argv[i][2] == 'j' ? merge_json : merge_csv;
    }
    for (int i = 0; i < argc; i++)
        if (argv[i][0] != '-')
            results_add(&m, argv[i]);
    if (m.nr)
        rc = merged(&m, report);
    else if (!named)
        tell("which results? xenlab kit merge results (see: xenlab kit merge --help)");
    merge_rows_free(&m);
    for (size_t i = 0; i < m.nr; i++)
        result_free(&m.result[i]);
    free(m.result);
    return rc;
}
