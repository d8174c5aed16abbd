// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grades as JSON, JUnit's XML, TAP 14 and Gradescope's results.json: see result.h.
 *
 * Invariant: whatever a student's program or the compiler has said is data: it is escaped, and what is not printable
 * ASCII is a question mark.
 */
#include "ui/lab/result.h"

#include <stdlib.h>
#include <string.h>

#define CENT 100

/* --- points --- */

/* In equal parts; what is left over goes to the first. */
static unsigned int grade_worth(const struct grade *g, unsigned int property)
{
    const unsigned int all = g->key->points[g->lab->number] * CENT, nr = g->lab->nr_properties;

    return all / nr + (property < all % nr);
}

static bool is_judged(const struct grade *g) { return g->verdict == GRADE_PASSED || g->verdict == GRADE_FAILED; }
static const struct finding *finding(const struct grade *g, unsigned int property)
{
    return is_judged(g) ? &g->check->finding[property] : NULL;
}

static bool holds(const struct grade *g, unsigned int property)
{
    const struct finding *f = finding(g, property);

    return f && f->verdict == VERDICT_PASS;
}

bool grade_earns(const struct grade *g)
{
    for (unsigned int i = 0; i < g->lab->nr_properties; i++)
        if (holds(g, i) && !g->begun[i])
            return true;
    return false;
}

static unsigned int grade_given(const struct grade *g, unsigned int property)
{
    return holds(g, property) && grade_earns(g) ? grade_worth(g, property) : 0;
}

static unsigned int given(const struct grade *g)
{
    unsigned int sum = 0;

    for (unsigned int i = 0; i < g->lab->nr_properties; i++)
        sum += grade_given(g, i);
    return sum;
}

static void points(FILE *f, const char *before, unsigned int cents, const char *behind)
{
    fprintf(f, "%s%u.%02u%s", before, cents / CENT, cents % CENT, behind);
}

const char *grade_word(enum grade_verdict v)
{
    static const char *const words[] = { "passed", "failed", "does not compile", "no submission" };

    return words[v];
}

static const char *property_word(const struct finding *f)
{
    return !f || f->verdict == VERDICT_UNREACHED ? "not reached" : f->verdict == VERDICT_PASS ? "pass" : "fail";
}

/* It failed on seeds that the student does not have. */
static bool is_hidden(const struct grade *g, const struct finding *f)
{
    return f && f->verdict == VERDICT_FAIL && (f->seed < g->visible.from || f->seed > g->visible.to);
}

/* --- escaping --- */

static char clean(char c) { return c >= ' ' && c <= '~' ? c : '?'; }

static void json_text(FILE *f, const char *s)
{
    for (; *s; s++)
        if (*s == '\n' || *s == '\t')
            fputs(*s == '\n' ? "\\n" : "\\t", f);
        else
            fprintf(f, "%s%c", *s == '"' || *s == '\\' ? "\\" : "", clean(*s));
}

static void json(FILE *f, const char *key, const char *s, const char *behind)
{
    fprintf(f, "\"%s\": \"", key);
    json_text(f, s);
    fprintf(f, "\"%s", behind);
}

static void xml(FILE *f, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '&': fputs("&amp;", f); break;
        case '"': fputs("&quot;", f); break;
        case '\n': fputc('\n', f); break;
        default: fputc(clean(*s), f); break;
        }
}

/* The student's program has chosen these words, and knows which seed it runs with. */
static const char *got(const struct grade *g, const struct finding *f)
{
    return is_hidden(g, f) ? "something else (what, is not told of a hidden seed)" : f->got;
}

/* What is said of a property that does not hold, a line each; NULL: it holds. */
static char *story(const struct grade *g, unsigned int property)
{
    const struct finding *f = finding(g, property);
    char *text = NULL, seed[32] = "a hidden seed";
    size_t size = 0;
    FILE *to = holds(g, property) ? NULL : open_memstream(&text, &size);

    if (!to)
        return NULL;
    if (f && f->verdict == VERDICT_FAIL) {
        if (!is_hidden(g, f))
            snprintf(seed, sizeof(seed), "seed %llu", (unsigned long long)f->seed);
        fprintf(to, "%s, shrunk from %zu steps to %zu\n%sexpected  %s\ngot       %s\nsee       %s\n", seed, f->steps,
                f->shrunk, f->input ?: "", f->expected, got(g, f), g->lab->property[property].where);
    } else {
        fprintf(to, "nothing can be said of it%s%s\n", is_judged(g) ? ": runs went wrong before" : ": ",
                is_judged(g) ? "" : grade_word(g->verdict));
    }
    return fclose(to) ? NULL : text;
}

/* --- formats --- */

static void json_finding(const struct grade *g, unsigned int i, FILE *f)
{
    const struct finding *said = finding(g, i);

    json(f, "name", g->lab->property[i].name, ", ");
    json(f, "verdict", property_word(said), ", ");
    points(f, "\"points\": ", grade_given(g, i), ", ");
    points(f, "\"of\": ", grade_worth(g, i), ",\n      ");
    json(f, "what", g->lab->property[i].what, ",\n      ");
    json(f, "invariant", g->lab->property[i].where, "");
    if (!said || said->verdict != VERDICT_FAIL)
        return;
    fprintf(f, ",\n      \"hidden\": %s, \"steps\": %zu, \"shrunk\": %zu, ", is_hidden(g, said) ? "true" : "false",
            said->steps, said->shrunk);
    if (!is_hidden(g, said))
        fprintf(f, "\"seed\": %llu, ", (unsigned long long)said->seed);
    json(f, "input", said->input ?: "", ",\n      ");
    json(f, "expected", said->expected, ",\n      ");
    json(f, "got", got(g, said), "");
}

void result_json(const struct grade *g, FILE *f)
{
    fprintf(f, "{\n  \"lab\": %u, ", g->lab->number);
    json(f, "name", g->lab->name, ", ");
    json(f, "class", g->key->class, ",\n  ");
    json(f, "verdict", grade_word(g->verdict), ", ");
    points(f, "\"points\": ", given(g), ", ");
    points(f, "\"of\": ", g->key->points[g->lab->number] * CENT, ",\n  ");
    json(f, "said", g->said, ",\n  \"properties\": [");
    for (unsigned int i = 0; i < g->lab->nr_properties; i++) {
        fprintf(f, "%s\n    { ", i ? "," : "");
        json_finding(g, i, f);
        fputs(" }", f);
    }
    fputs("\n  ]\n}\n", f);
}

void result_junit(const struct grade *g, FILE *f)
{
    unsigned int failures = 0;

    for (unsigned int i = 0; i < g->lab->nr_properties; i++)
        failures += !holds(g, i);
    fprintf(f,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"%s\" tests=\"%u\" "
            "failures=\"%u\" errors=\"0\">\n",
            g->lab->name, g->lab->nr_properties, failures);
    for (unsigned int i = 0; i < g->lab->nr_properties; i++) {
        char *text = story(g, i);

        fprintf(f, "<testcase classname=\"%s\" name=\"%s: ", g->lab->name, g->lab->property[i].name);
        xml(f, g->lab->property[i].what);
        if (text) {
            fprintf(f, "\"><failure message=\"%s\">", property_word(finding(g, i)));
            xml(f, text);
            fputs("</failure></testcase>\n", f);
        } else {
            fputs("\"/>\n", f);
        }
        free(text);
    }
    if (*g->said) {
        fputs("<system-err>", f);
        xml(f, g->said);
        fputs("</system-err>\n", f);
    }
    fputs("</testsuite>\n</testsuites>\n", f);
}

/* Lines with something in front. */
static void lines(FILE *f, const char *before, const char *text)
{
    for (size_t n; *text; text += n + (text[n] == '\n')) {
        n = strcspn(text, "\n");
        fputs(before, f);
        for (size_t i = 0; i < n; i++)
            fputc(clean(text[i]), f);
        fputc('\n', f);
    }
}

void result_tap(const struct grade *g, FILE *f)
{
    fprintf(f, "TAP version 14\n1..%u\n", g->lab->nr_properties);
    for (unsigned int i = 0; i < g->lab->nr_properties; i++) {
        char *text = story(g, i);

        fprintf(f, "%sok %u - %s: %s\n", text ? "not " : "", i + 1, g->lab->property[i].name, g->lab->property[i].what);
        if (text) {
            fputs("  ---\n  said: |\n", f);
            lines(f, "    ", text);
            fputs("  ...\n", f);
        }
        free(text);
    }
    lines(f, "# ", g->said);
}

void result_gradescope(const struct grade *g, FILE *f)
{
    points(f, "{ \"score\": ", given(g), ", ");
    fputs("\"visibility\": \"visible\",\n  \"output\": \"", f);
    json_text(f, g->lab->name);
    fprintf(f, ": %s\\n", grade_word(g->verdict));
    json_text(f, g->said);
    fputs("\",\n  \"tests\": [", f);
    for (unsigned int i = 0; i < g->lab->nr_properties; i++) {
        char *text = story(g, i);

        fprintf(f, "%s\n    { \"number\": \"%02u.%u\", ", i ? "," : "", g->lab->number, i + 1);
        json(f, "name", g->lab->property[i].what, ", ");
        points(f, "\"score\": ", grade_given(g, i), ", ");
        points(f, "\"max_score\": ", grade_worth(g, i), ", ");
        json(f, "status", text ? "failed" : "passed", ", ");
        json(f, "visibility", is_hidden(g, finding(g, i)) ? "after_published" : "visible", ", ");
        json(f, "output", text ?: "", " }");
        free(text);
    }
    fputs("\n  ] }\n", f);
}
