// SPDX-License-Identifier: GPL-2.0-or-later
/* What came of expectations, for people and for programs: the idea is in tools/expect/expect.h. */
#include "tools/expect/expect.h"

#include <math.h>
#include <string.h>

#define FIGURE 60
#define SAID   480

/* "53.10 %", "2.104 ms", "3 MiB"; a difference with its sign. */
static const char *figure(const struct expect *e, double x, bool sign, char text[FIGURE])
{
    const char *unit = e->metric.unit;

    switch (e->metric.kind) {
    case EXPECT_PART: snprintf(text, FIGURE, sign ? "%+.2f %%" : "%.2f %%", 100 * x); break;
    case EXPECT_TIME: snprintf(text, FIGURE, sign ? "%+.3f ms" : "%.3f ms", x / 1e6); break;
    case EXPECT_NUMBER:
        snprintf(text, FIGURE, sign ? "%+.10g%s%.20s" : "%.10g%s%.20s", x, *unit ? " " : "", unit);
        break;
    }
    return text;
}

/* "is 2.104 ms, limit 1.050 ms, margin -1.054 ms, seed 17, from 1.250 s on". */
static void said(const struct expect *e, char text[SAID])
{
    char value[FIGURE], bound[FIGURE], margin[FIGURE];
    const bool parts = *e->parts;

    if (!e->judged) {
        snprintf(text, SAID, "was not judged");
        return;
    }
    if (isnan(e->margin)) {
        snprintf(text, SAID, "has no value: %.80s%s, limit %s, no margin, %sseed %llu, from %.6g s on", e->metric.none,
                 isnan(e->value) ? "" : ", with the other policy",
                 isnan(e->bound) ? "none" : figure(e, e->bound, false, bound), e->seeds ? "worst " : "",
                 (unsigned long long)e->seed, (double)e->at / 1e9);
        return;
    }
    snprintf(text, SAID, "is %s%s%s%s, limit %s, margin %s, %sseed %llu, %s %.6g s%s",
             figure(e, e->value, false, value), parts ? " (" : "", e->parts, parts ? ")" : "",
             figure(e, e->bound, false, bound), figure(e, e->margin, true, margin), e->seeds ? "worst " : "",
             (unsigned long long)e->seed, e->held ? "at" : "from", (double)e->at / 1e9, e->held ? "" : " on");
}

void expects_table(const struct expects *x, FILE *f)
{
    char text[SAID];

    if (x->nr)
        fprintf(f, "\nexpectations      %u of %u held\n", x->nr - expects_lost(x), x->nr);
    for (unsigned int i = 0; i < x->nr; i++) {
        said(&x->e[i], text);
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

static const char *unit(const struct expect *e)
{
    return e->metric.kind == EXPECT_TIME ? "ns" : e->metric.kind == EXPECT_PART ? "part" : e->metric.unit;
}

/* JSON has no word for what is not a number. */
static void number(FILE *f, const char *name, double x)
{
    fprintf(f, isfinite(x) ? ",\"%s\":%.10g" : ",\"%s\":null", name, x);
}

void expects_json(const struct expects *x, FILE *f)
{
    char text[SAID];

    fputs(",\"expectations\":[", f);
    for (unsigned int i = 0; i < x->nr; i++) {
        const struct expect *e = &x->e[i];

        said(e, text);
        fputs(i ? ",\n {\"expect\":\"" : "\n {\"expect\":\"", f);
        quoted(f, e->text, false);
        fprintf(f, "\",\"line\":%u,\"held\":%s,\"said\":\"", e->line, e->held ? "true" : "false");
        quoted(f, text, false);
        fputs("\",\"unit\":\"", f);
        quoted(f, unit(e), false);
        fputc('"', f);
        number(f, "value", e->value);
        number(f, "limit", e->bound);
        number(f, "margin", e->margin);
        fprintf(f, ",\"seed\":%llu,\"time_ns\":%lld}", (unsigned long long)e->seed, (long long)e->at);
    }
    fputs("]", f);
}

void expects_tap(const struct expects *x, const char *policy, const char *fault, FILE *f)
{
    char text[SAID];

    fprintf(f, "TAP version 14\n1..%u\n# policy %s\n", x->nr, policy);
    for (unsigned int i = 0; i < x->nr && !fault; i++) {
        const struct expect *e = &x->e[i];

        said(e, text);
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

void expects_junit(const struct expects *x, const char *title, const char *policy, const char *fault, FILE *f)
{
    char text[SAID];

    fprintf(f,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"%s\" tests=\"%u\" "
            "failures=\"%u\" errors=\"%u\">\n",
            title, x->nr, fault ? 0 : expects_lost(x), fault ? x->nr : 0);
    for (unsigned int i = 0; i < x->nr; i++) {
        const struct expect *e = &x->e[i];

        said(e, text);
        fputs("  <testcase classname=\"", f);
        quoted(f, policy, true);
        fputs("\" name=\"", f);
        quoted(f, e->text, true);
        fputs("\" file=\"", f);
        quoted(f, e->file, true);
        fprintf(f, "\" line=\"%u\"", e->line);
        if (!fault && e->held) { /* what it is all the same, which readers of JUnit show as output */
            fputs(">\n    <system-out>", f);
            quoted(f, text, true);
            fputs("</system-out>\n  </testcase>\n", f);
            continue;
        }
        fprintf(f, ">\n    <%s message=\"", fault ? "error" : "failure");
        quoted(f, fault ?: text, true);
        fputs("\"/>\n  </testcase>\n", f);
    }
    fputs("</testsuite>\n", f);
}
