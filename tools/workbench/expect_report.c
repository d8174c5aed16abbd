// SPDX-License-Identifier: GPL-2.0-or-later
/* What came of expectations, for people and for programs: the idea is in tools/workbench/expect.h. */
#include "tools/workbench/expect.h"

#include <math.h>
#include <string.h>

#define FIGURE 40

/* "53.10 %", "2.104 ms", "3"; a difference with its sign. */
static const char *figure(const struct wb_expect *e, double x, bool sign, char text[FIGURE])
{
    switch (e->metric->unit) {
    case WB_FRACTION: snprintf(text, FIGURE, sign ? "%+.2f %%" : "%.2f %%", 100 * x); break;
    case WB_TIME: snprintf(text, FIGURE, sign ? "%+.3f ms" : "%.3f ms", x / 1e6); break;
    case WB_COUNT: snprintf(text, FIGURE, sign ? "%+.10g" : "%.10g", x); break;
    }
    return text;
}

/* "is 2.104 ms, limit 1.050 ms, margin -1.054 ms, seed 17, from 1.250 s on". */
static void said(const struct wb_expect *e, char *text, size_t len)
{
    char value[FIGURE], bound[FIGURE], margin[FIGURE];

    if (!e->judged) {
        snprintf(text, len, "was not judged");
        return;
    }
    if (isnan(e->margin)) {
        snprintf(text, len, "has no value: nobody has run after waking%s, %sseed %llu",
                 isnan(e->value) ? "" : ", with the other policy", e->seeds ? "worst " : "",
                 (unsigned long long)e->seed);
        return;
    }
    snprintf(text, len, "is %s, limit %s, margin %s, %sseed %llu, %s %.6g s%s", figure(e, e->value, false, value),
             figure(e, e->bound, false, bound), figure(e, e->margin, true, margin), e->seeds ? "worst " : "",
             (unsigned long long)e->seed, e->held ? "at" : "from", (double)e->at / 1e9, e->held ? "" : " on");
}

void wb_expects_table(const struct wb_expects *x, FILE *f)
{
    char text[256];

    if (x->nr)
        fprintf(f, "\nexpectations      %u of %u held\n", x->nr - wb_expects_lost(x), x->nr);
    for (unsigned int i = 0; i < x->nr; i++) {
        said(&x->e[i], text, sizeof(text));
        fprintf(f, "  %s  %s: %s (%s:%u)\n", x->e[i].held ? "held" : "LOST", x->e[i].text, text, x->e[i].file,
                x->e[i].line);
    }
}

/* In a string of JSON or YAML, or (xml) an attribute. What is not printable becomes a question mark. */
static void quoted(FILE *f, const char *s, bool xml)
{
    for (; *s; s++)
        if (xml && strchr("<>&\"", *s))
            fprintf(f, "&#%d;", *s);
        else if (!xml && (*s == '"' || *s == '\\'))
            fprintf(f, "\\%c", *s);
        else
            fputc((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f ? '?' : *s, f);
}

static const char *unit(const struct wb_expect *e)
{
    return e->metric->unit == WB_TIME ? "ns" : e->metric->unit == WB_FRACTION ? "part" : "number";
}

/* JSON has no word for what is not a number. */
static void number(FILE *f, const char *name, double x)
{
    fprintf(f, isnan(x) ? ",\"%s\":null" : ",\"%s\":%.9g", name, x);
}

void wb_expects_json(const struct wb_expects *x, FILE *f)
{
    char text[256];

    fputs(",\"expectations\":[", f);
    for (unsigned int i = 0; i < x->nr; i++) {
        const struct wb_expect *e = &x->e[i];

        said(e, text, sizeof(text));
        fputs(i ? ",\n {\"expect\":\"" : "\n {\"expect\":\"", f);
        quoted(f, e->text, false);
        fprintf(f, "\",\"line\":%u,\"held\":%s,\"said\":\"", e->line, e->held ? "true" : "false");
        quoted(f, text, false);
        fprintf(f, "\",\"unit\":\"%s\"", unit(e));
        number(f, "value", e->value);
        number(f, "limit", e->bound);
        number(f, "margin", e->margin);
        fprintf(f, ",\"seed\":%llu,\"time_ns\":%lld}", (unsigned long long)e->seed, (long long)e->at);
    }
    fputs("]", f);
}

void wb_expects_tap(const struct wb_expects *x, const char *policy, const char *fault, FILE *f)
{
    char text[256];

    fprintf(f, "TAP version 14\n1..%u\n# policy %s\n", x->nr, policy);
    for (unsigned int i = 0; i < x->nr && !fault; i++) {
        const struct wb_expect *e = &x->e[i];

        said(e, text, sizeof(text));
        fprintf(f, "%sok %u - %s\n  ---\n  message: \"", e->held ? "" : "not ", i + 1, e->text);
        quoted(f, text, false);
        fputs("\"\n  at: \"", f);
        quoted(f, e->file, false);
        fprintf(f, ":%u\"\n  ...\n", e->line);
    }
    if (fault) {
        fputs("Bail out! ", f);
        quoted(f, fault, false);
        fputc('\n', f);
    }
}

void wb_expects_junit(const struct wb_expects *x, const char *policy, const char *fault, FILE *f)
{
    char text[256];

    fprintf(f,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"xenlab sched\" tests=\"%u\" "
            "failures=\"%u\" errors=\"%u\">\n",
            x->nr, fault ? 0 : wb_expects_lost(x), fault ? x->nr : 0);
    for (unsigned int i = 0; i < x->nr; i++) {
        const struct wb_expect *e = &x->e[i];

        said(e, text, sizeof(text));
        fputs("  <testcase classname=\"", f);
        quoted(f, policy, true);
        fputs("\" name=\"", f);
        quoted(f, e->text, true);
        fputs("\" file=\"", f);
        quoted(f, e->file, true);
        fprintf(f, "\" line=\"%u\"", e->line);
        if (!fault && e->held) {
            fputs("/>\n", f);
            continue;
        }
        fprintf(f, ">\n    <%s message=\"", fault ? "error" : "failure");
        quoted(f, fault ?: text, true);
        fputs("\"/>\n  </testcase>\n", f);
    }
    fputs("</testsuite>\n", f);
}
