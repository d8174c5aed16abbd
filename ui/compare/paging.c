// SPDX-License-Identifier: GPL-2.0-or-later
/* The ways of `xenlab compare --paging`: see ui/compare/paging.h. */
#include "ui/compare/paging.h"

#include "tools/snapshot.h"
#include "ui/start.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VTIME "600s"

static const struct way {
    const char *name;
    char kind; /* as in PAGING_ROWS */
    const char *type, *binary;
    enum xl_shadow_policy policy;
    unsigned int book; /* entries that a miss reads at most */
} ways[PAGING_WAYS] = {
    { "direct", 'd', "pv", "pv", 0, 4 },
    { "nested", 'n', "pvh", "native", 0, 24 },
    { "shadow, emulate", 's', "pvh", "native", XL_SHADOW_EMULATE, 4 },
    { "shadow, oos", 's', "pvh", "native", XL_SHADOW_OOS, 4 },
    { "shadow, drop", 's', "pvh", "native", XL_SHADOW_DROP, 4 },
};

static const struct {
    const char *key, *kinds, *text;
} rows[] = {
#define X(key, kinds, text) { #key, kinds, text },
    PAGING_ROWS(X)
#undef X
};

/* --------------------------------------------------------------------------------------------------------- a run -- */

static bool is_config(const char *guest)
{
    const size_t n = strlen(guest);

    return n > 4 && !strcmp(guest + n - 4, ".cfg");
}

/* The options point to path. */
static int options_make(struct run_options *o, const struct way *way, const struct compare_input *in,
                        char path[COMPARE_PATH_SIZE], char err[COMPARE_ERR_SIZE])
{
    char number[24], name[COMPARE_NAME_SIZE];
    char *argv[16] = {
        "--pcpus", "2", "-q", "--max-vtime", MAX_VTIME, "--seed", number, "--type", (char *)(uintptr_t)way->type, path
    };
    int argc = 10;

    snprintf(number, sizeof(number), "%llu", (unsigned long long)in->seed);
    if (is_config(in->guest)) {
        snprintf(path, COMPARE_PATH_SIZE, "%s", in->guest);
    } else if (!compare_find(in->guest, way->binary, name, path)) {
        snprintf(err, COMPARE_ERR_SIZE, "%.400s: there is no %.60s.%s in it (make builds those of guests/five)",
                 in->guest, name, way->binary);
        return -1;
    }
    if (!is_config(in->guest)) {
        argv[argc++] = "--memory";
        argv[argc++] = "32";
    }
    if (in->segments) {
        argv[argc++] = "--segments";
        argv[argc++] = (char *)(uintptr_t)in->segments;
    }
    return options_parse(o, COMMAND_RUN, argc, argv, err);
}

static void count(struct paging_run *r, const struct host *h)
{
    struct snapshot s;

    host_snapshot(h, &s);
    r->n[PAGING_insns] = s.insns;
    r->n[PAGING_virtual_ns] = (uint64_t)host_now(h);
    r->n[PAGING_misses] = s.direct.fills + s.nested.fills;
    r->n[PAGING_references] = s.direct.refs + s.nested.refs;
    for (unsigned int i = 0; i < s.nr_exits; i++)
        if (!strcmp(s.exits[i].name, sim_exit_name(EXIT_CR_WRITE)))
            r->n[PAGING_cr_writes] = s.exits[i].n;
        else if (!strcmp(s.exits[i].name, sim_exit_name(EXIT_INVLPG)))
            r->n[PAGING_invlpg] = s.exits[i].n;
    for (unsigned int i = 0; i < s.nr_domains; i++) {
        const struct domain_work *w = &s.domains[i];

        if (!strcmp(w->kind, "native"))
            continue;
        r->n[PAGING_page_faults] += w->page_faults;
        r->n[PAGING_fills] += w->shadow.fills;
        r->n[PAGING_nested_faults] += w->nested_faults;
        r->n[PAGING_table_stores] += w->table_stores;
        r->n[PAGING_table_updates] += w->table_updates;
        r->n[PAGING_syncs] += w->shadow.syncs;
        r->n[PAGING_unshadowed] += w->shadow.unshadowed;
        r->n[PAGING_evictions] += w->shadow.evictions;
        r->n[PAGING_shadows] += w->shadow.most;
        r->n[PAGING_in_xen_ns] += (uint64_t)w->in_xen;
    }
}

static int run(struct paging_run *r, const struct way *way, const struct run_options *o, struct host_pool *pools,
               char err[COMPARE_ERR_SIZE])
{
    const struct host_io io = { 0 };
    const s_time_t start = compare_real_now();
    struct guest_list list;
    struct host *h = NULL;
    int rc = guest_list_load(&list, o, err);

    for (unsigned int i = 0; !rc && i < list.nr; i++) {
        list.entries[i].cfg.hvm.hap = way->kind != 's';
        list.entries[i].cfg.hvm.shadow_policy = way->policy;
    }
    if (!rc) {
        h = start_host(o, &list, &io, pools, NULL, err);
        rc = h ? start_guests(h, &list, err) : -1;
    }
    if (!rc) {
        compare_go(o, h);
        r->over = !host_guests_left(h);
        count(r, h);
    }
    host_destroy(h);
    guest_list_free(&list);
    r->host_time = compare_real_now() - start;
    return rc;
}

int paging_try(struct paging_run runs[PAGING_WAYS], const struct compare_input *in, char err[COMPARE_ERR_SIZE])
{
    struct host_pool *pools = calloc(HOST_MAX_POOLS, sizeof(*pools));
    int rc = pools ? 0 : -1;

    err[0] = '\0';
    if (rc)
        snprintf(err, COMPARE_ERR_SIZE, "out of memory");
    for (unsigned int i = 0; i < PAGING_WAYS && !rc; i++) {
        struct run_options o = { 0 };
        char why[COMPARE_ERR_SIZE] = "", path[COMPARE_PATH_SIZE];

        runs[i] = (struct paging_run){ 0 };
        rc = options_make(&o, &ways[i], in, path, why) ?: run(&runs[i], &ways[i], &o, pools, why);
        if (rc)
            snprintf(err, COMPARE_ERR_SIZE, "%s: %.2400s", ways[i].name, why);
        options_free(&o);
    }
    free(pools);
    return rc;
}

/* ----------------------------------------------------------------------------------------------------- the table -- */

static double references(const struct paging_run *r)
{
    return r->n[PAGING_misses] ? (double)r->n[PAGING_references] / (double)r->n[PAGING_misses] : 0;
}

void paging_text(const struct paging_run runs[PAGING_WAYS], bool host_time, FILE *out)
{
    fprintf(out, "%-32s", "");
    for (unsigned int i = 0; i < PAGING_WAYS; i++)
        fprintf(out, " %15s", ways[i].name);
    for (unsigned int k = 0; k < PAGING_NR_ROWS; k++) {
        fprintf(out, "\n%-32s", rows[k].text);
        for (unsigned int i = 0; i < PAGING_WAYS; i++)
            if (strchr(rows[k].kinds, ways[i].kind))
                fprintf(out, " %15" PRIu64, runs[i].n[k]);
            else
                fprintf(out, " %15s", "-");
        if (k != PAGING_references)
            continue;
        fprintf(out, "\n%-32s", "  for each miss, measured");
        for (unsigned int i = 0; i < PAGING_WAYS; i++)
            fprintf(out, " %15.2f", references(&runs[i]));
        fprintf(out, "\n%-32s", "  by the book, at most");
        for (unsigned int i = 0; i < PAGING_WAYS; i++)
            fprintf(out, " %15u", ways[i].book);
    }
    if (host_time) {
        fprintf(out, "\n%-32s", "host time, s");
        for (unsigned int i = 0; i < PAGING_WAYS; i++)
            fprintf(out, " %15.2f", (double)runs[i].host_time / 1e9);
    }
    fprintf(out, "\n\nAll rows are counts, of one run each. -: that way has no such thing.\n");
    for (unsigned int i = 0; i < PAGING_WAYS; i++)
        if (!runs[i].over)
            fprintf(out, "%s: not over after " MAX_VTIME " of virtual time, or idle for good: counted until then\n",
                    ways[i].name);
}

void paging_json(const struct paging_run runs[PAGING_WAYS], bool host_time, FILE *out)
{
    fprintf(out, "{ \"paging\": [");
    for (unsigned int i = 0; i < PAGING_WAYS; i++) {
        fprintf(out, "%s\n  { \"way\": \"%s\", \"over\": %s, \"book\": %u", i ? "," : "", ways[i].name,
                runs[i].over ? "true" : "false", ways[i].book);
        for (unsigned int k = 0; k < PAGING_NR_ROWS; k++)
            if (strchr(rows[k].kinds, ways[i].kind))
                fprintf(out, ", \"%s\": %" PRIu64, rows[k].key, runs[i].n[k]);
        if (host_time)
            fprintf(out, ", \"host_ns\": %" PRIu64, (uint64_t)runs[i].host_time);
        fprintf(out, " }");
    }
    fprintf(out, "\n] }\n");
}

/* ---------------------------------------------------------------------------------------------------------- SVG -- */

#define CHARTS_ACROSS 2
#define CHART_WIDTH   520
#define CHART_HEIGHT  (24 + PAGING_WAYS * BAR_HEIGHT + 18)
#define BAR_HEIGHT    16
#define BAR_LEFT      130
#define BAR_LONGEST   180
#define SVG_TOP       44

/* more: what stands behind its number. */
static void svg_bar(double x, double y, const char *way, bool has, uint64_t n, uint64_t most, const char *more,
                    FILE *out)
{
    static const char *const color = "#4e79a7";
    const double width = most ? (double)n * BAR_LONGEST / (double)most : 0;

    fprintf(out, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"end\">%s</text>\n", x + BAR_LEFT - 8, y + 11, way);
    if (has)
        fprintf(out, "<rect x=\"%.0f\" y=\"%.0f\" width=\"%.1f\" height=\"12\" fill=\"%s\"/>\n", x + BAR_LEFT, y + 1,
                width, color);
    fprintf(out, "<text x=\"%.1f\" y=\"%.0f\">", x + BAR_LEFT + (has ? width : 0) + 6, y + 11);
    if (has)
        fprintf(out, "%" PRIu64 "%s</text>\n", n, more);
    else
        fputs("no such thing</text>\n", out);
}

/* The k-th row of the table; beyond them: host time. */
static void svg_chart(const struct paging_run runs[PAGING_WAYS], unsigned int k, FILE *out)
{
    const double x = 10 + (double)(k % CHARTS_ACROSS) * CHART_WIDTH,
                 y = SVG_TOP + (double)(k / CHARTS_ACROSS) * CHART_HEIGHT;
    const bool host = k == PAGING_NR_ROWS;
    const char *text = host ? "host time, ns" : rows[k].text;
    uint64_t n[PAGING_WAYS], most = 0;

    for (unsigned int i = 0; i < PAGING_WAYS; i++) {
        n[i] = host ? (uint64_t)runs[i].host_time : runs[i].n[k];
        most = n[i] > most ? n[i] : most;
    }
    fprintf(out, "<text x=\"%.0f\" y=\"%.0f\" class=\"title\">%s%s</text>\n", x, y + 14,
            text[0] == ' ' ? "page faults" : "", text + (text[0] == ' '));
    for (unsigned int i = 0; i < PAGING_WAYS; i++) {
        char more[48] = "";

        if (k == PAGING_references)
            snprintf(more, sizeof(more), " (%.2f a miss, at most %u)", references(&runs[i]), ways[i].book);
        svg_bar(x, y + 22 + (double)i * BAR_HEIGHT, ways[i].name, host || strchr(rows[k].kinds, ways[i].kind), n[i],
                most, more, out);
    }
}

void paging_svg(const struct paging_run runs[PAGING_WAYS], bool host_time, FILE *out)
{
    const unsigned int charts = PAGING_NR_ROWS + host_time;

    fprintf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" font-family=\"sans-serif\" "
        "font-size=\"11\">\n<style>.title{font-size:13px;font-weight:bold}</style>\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
        "<text x=\"10\" y=\"26\" font-size=\"16\">One kernel by each way that its memory can be virtualized: counts",
        CHARTS_ACROSS * CHART_WIDTH + 20, SVG_TOP + (charts + CHARTS_ACROSS - 1) / CHARTS_ACROSS * CHART_HEIGHT);
    for (unsigned int i = 0; i < PAGING_WAYS; i++)
        if (!runs[i].over)
            fprintf(out, " (%s: not to its end)", ways[i].name);
    fputs("</text>\n", out);
    for (unsigned int k = 0; k < charts; k++)
        svg_chart(runs, k, out);
    fputs("</svg>\n", out);
}
