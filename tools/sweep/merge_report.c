// SPDX-License-Identifier: GPL-2.0-or-later
/* What results are together, as a table, JSON and CSV (RFC 4180): the idea is in tools/sweep/merge.h. */
#include "tools/sweep/merge.h"

#include <math.h>
#include <string.h>

/* "memory=1G rate=32M" */
static void combination(const struct merge *m, unsigned long long c, FILE *f)
{
    for (size_t i = 0; merge_setting_name(m, i); i++)
        fprintf(f, "%s%s=%s", i ? " " : "", merge_setting_name(m, i), merge_setting(m, i, c));
}

/* --- a table --- */

static unsigned long long seed_of(const struct merge *m, unsigned long long job, bool *is)
{
    const struct json *sweep = json_member(m->result[0].json, "sweep", JSON_OBJECT);
    const struct json *seeds = json_member(sweep, "seeds", JSON_ARRAY);
    unsigned long long from = 0;

    *is = seeds && seeds->first && seeds->first->kind == JSON_TEXT && sscanf(seeds->first->text, "%llu", &from) == 1;
    return from + (job - 1) % m->seeds;
}

static void cell(double x, FILE *f)
{
    if (isnan(x))
        fprintf(f, " %12s", "-");
    else
        fprintf(f, " %12.6g", x);
}

static void expectations(const struct merge *m, unsigned long long c, FILE *f)
{
    bool is;

    for (size_t i = 0; i < m->nr_expectations; i++) {
        const struct merge_expectation *e = &m->expectation[i];
        const unsigned long long seed = seed_of(m, e->worst, &is);

        if (e->combination != c)
            continue;
        fprintf(f, "  %s  %s: in %llu of %llu runs; ", e->held == e->nr ? "held" : "LOST", e->text, e->held, e->nr);
        if (isnan(e->margin))
            fputs("no value", f);
        else
            fprintf(f, "least margin %+.10g", e->margin);
        if (is)
            fprintf(f, ", seed %llu", seed);
        fprintf(f, " (job %llu)\n", e->worst);
    }
}

void merge_table(const struct merge *m, FILE *f)
{
    const struct json *one = m->result[0].json;
    unsigned long long last = m->jobs;

    fprintf(f, "%s, %s, %s: %zu of %llu jobs\n", json_text(one, "kit"), json_text(one, "policy"),
            json_text(one, "workload"), m->nr, m->jobs);
    for (size_t i = 0; i <= m->nr_rows; i++) {
        const struct merge_row *r = &m->row[i];

        if (last != m->jobs && (i == m->nr_rows || r->combination != last))
            expectations(m, last, f);
        if (i == m->nr_rows)
            break;
        if (r->combination != last) {
            last = r->combination;
            fputc('\n', f);
            combination(m, last, f);
            fprintf(f, "%s%-12s %-12s %-6s %6s %12s %12s %12s %12s\n", merge_setting_name(m, 0) ? "\n" : "", "figure",
                    "subject", "unit", "n", "mean", "+- (95 %)", "least", "most");
        }
        fprintf(f, "%-12s %-12s %-6s %6zu", r->figure, r->subject, r->unit, r->is.n);
        cell(r->is.mean, f), cell(r->is.ci95, f), cell(r->is.least, f), cell(r->is.most, f);
        fputc('\n', f);
    }
    if (m->faults)
        fprintf(f, "\nin %llu jobs the policy was at fault: they have no figures\n", m->faults);
}

/* --- JSON --- */

static void member(const char *name, double x, FILE *f)
{
    fprintf(f, isfinite(x) ? ",\"%s\":%.17g" : ",\"%s\":null", name, x);
}

static void settings(const struct merge *m, unsigned long long c, FILE *f)
{
    fputs("{\"set\":{", f);
    for (size_t i = 0; merge_setting_name(m, i); i++) {
        fputs(i ? "," : "", f);
        sweep_json_text(merge_setting_name(m, i), f);
        fputc(':', f);
        sweep_json_text(merge_setting(m, i, c), f);
    }
    fputs("},", f);
}

void merge_json(const struct merge *m, FILE *f)
{
    static const char *const same[] = { "kit", "policy", "workload" };

    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
        fprintf(f, "%s\"%s\":", i ? "," : "{", same[i]);
        sweep_json_text(json_text(m->result[0].json, same[i]), f);
    }
    fprintf(f, ",\"jobs\":%llu,\"there\":%zu,\"faults\":%llu,\"whole\":%s,\"rows\":[", m->jobs, m->nr, m->faults,
            m->whole ? "true" : "false");
    for (size_t i = 0; i < m->nr_rows; i++) {
        const struct merge_row *r = &m->row[i];

        fputs(i ? ",\n " : "\n ", f);
        settings(m, r->combination, f);
        fputs("\"metric\":", f), sweep_json_text(r->figure, f);
        fputs(",\"subject\":", f), sweep_json_text(r->subject, f);
        fputs(",\"unit\":", f), sweep_json_text(r->unit, f);
        fprintf(f, ",\"n\":%zu", r->is.n);
        member("mean", r->is.mean, f), member("ci95", r->is.ci95, f), member("sd", r->is.sd, f);
        member("least", r->is.least, f), member("most", r->is.most, f);
        fputc('}', f);
    }
    fputs("],\"expectations\":[", f);
    for (size_t i = 0; i < m->nr_expectations; i++) {
        const struct merge_expectation *e = &m->expectation[i];

        fputs(i ? ",\n " : "\n ", f);
        settings(m, e->combination, f);
        fputs("\"expect\":", f), sweep_json_text(e->text, f);
        fprintf(f, ",\"runs\":%llu,\"held\":%llu,\"worst_job\":%llu", e->nr, e->held, e->worst);
        member("margin", e->margin, f);
        fputc('}', f);
    }
    fputs("]}\n", f);
}

/* --- CSV --- */

static void field(const char *text, FILE *f)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, f);
        return;
    }
    fputc('"', f);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', f);
        fputc(*text, f);
    }
    fputc('"', f);
}

static void number(double x, FILE *f)
{
    fputc(',', f);
    if (!isnan(x))
        fprintf(f, "%.17g", x);
}

void merge_csv(const struct merge *m, FILE *f)
{
    for (size_t i = 0; merge_setting_name(m, i); i++)
        field(merge_setting_name(m, i), f), fputc(',', f);
    fputs("metric,subject,unit,n,mean,ci95,sd,least,most\r\n", f);
    for (size_t i = 0; i < m->nr_rows; i++) {
        const struct merge_row *r = &m->row[i];

        for (size_t k = 0; merge_setting_name(m, k); k++)
            field(merge_setting(m, k, r->combination), f), fputc(',', f);
        field(r->figure, f), fputc(',', f);
        field(r->subject, f), fputc(',', f);
        field(r->unit, f);
        fprintf(f, ",%zu", r->is.n);
        number(r->is.mean, f), number(r->is.ci95, f), number(r->is.sd, f), number(r->is.least, f);
        number(r->is.most, f);
        fputs("\r\n", f);
    }
}
