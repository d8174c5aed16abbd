// SPDX-License-Identifier: GPL-2.0-or-later
/* Expectations, read: the idea is in tools/expect/expect.h. */
#include "tools/expect/expect.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bug.h"
#include "tools/nearest.h"
#include "tools/units.h"

#define MAX_METRICS 64

struct words {
    char *at; /* what is left of the line */
    const struct expect_source *source;
    char why[UNITS_WHY_SIZE + 240];
};

static bool __attribute__((format(printf, 2, 3))) wrong(struct words *w, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(w->why, sizeof(w->why), fmt, ap);
    va_end(ap);
    return false;
}

static bool metric_read(struct expect *e, struct words *w)
{
    const struct expect_source *s = w->source;
    const char *names[MAX_METRICS], *word = expect_word(&w->at);
    char list[200] = "", hint[NEAREST_HINT_SIZE];
    size_t n;

    for (n = 0; n < MAX_METRICS && s->metric_get(s->data, n, &e->metric); n++) {
        if (!strcmp(e->metric.name, word))
            return true;
        names[n] = e->metric.name;
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", n ? ", " : "", names[n]);
    }
    return wrong(w, "there is no %s \"%.30s\"%s (there are: %s)", s->metric, word,
                 nearest_hint(word, names, n, "", hint), list);
}

/* "[SUBJECT] OP". */
static bool subject_read(struct expect *e, struct words *w)
{
    const char *word = expect_word(&w->at);

    if (*word && !expect_is_op(word)) {
        if (strlen(word) >= sizeof(e->subject))
            return wrong(w, "\"%.30s...\" is too long a name", word);
        snprintf(e->subject, sizeof(e->subject), "%s", word);
        word = expect_word(&w->at);
    }
    if (!expect_is_op(word))
        return wrong(w, "expected <=, >=, ==, !=, < or >, got \"%.30s\"", word);
    snprintf(e->op, sizeof(e->op), "%s", word);
    return true;
}

/* --- limits --- */

static bool is_number(const char *word, double x)
{
    return isfinite(x) && ((*word >= '0' && *word <= '9') || *word == '.');
}

/* "1.1*credit2". */
static bool factor_read(struct expect *e, struct words *w, const char *word, const char *star)
{
    char *end;

    e->limit = strtod(word, &end);
    if (end != star || end == word || !is_number(word, e->limit) || !star[1])
        return wrong(w, "\"%.40s\": expected FACTOR*POLICY, such as 1.1*%s", word, star[1] ? star + 1 : "POLICY");
    snprintf(e->policy, sizeof(e->policy), "%s", star + 1);
    return true;
}

static bool time_read(const char *word, int64_t *t)
{
    s_time_t time = 0;
    const bool ok = !strcmp(word, "0") || duration_parse(word, &time);

    *t = time;
    return ok;
}

/* "100ms" for a metric in s: other units of time will do as well. */
static bool in_unit(const char *word, const char *unit, double *x)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = { { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 }, { "ns", 1 } };
    s_time_t t;

    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (!strcmp(unit, units[i].name) && duration_parse(word, &t)) {
            *x = (double)t / units[i].ns;
            return true;
        }
    return false;
}

static bool limit_read(struct expect *e, struct words *w)
{
    const char *word = expect_word(&w->at), *star = strchr(word, '*'), *unit = e->metric.unit;
    char *end, why[UNITS_WHY_SIZE];
    int64_t t;

    if (star)
        return factor_read(e, w, word, star);
    if (e->metric.kind == EXPECT_TIME) {
        if (!time_read(word, &t))
            return wrong(w, "%s: %s", e->metric.name, duration_why(word, 0, why));
        e->limit = (double)t;
        return true;
    }
    e->limit = strtod(word, &end);
    if (end == word || !is_number(word, e->limit))
        end = NULL;
    if (end && e->metric.kind == EXPECT_PART && *end == '%')
        e->limit /= 100, end++;
    else if (end && e->metric.kind == EXPECT_NUMBER && *unit && !strcmp(end, unit))
        end += strlen(unit);
    if (end && !*end)
        return true;
    return (end && e->metric.kind == EXPECT_NUMBER && in_unit(word, unit, &e->limit)) ||
           wrong(w, "\"%.40s\": expected a %s%s%s, or FACTOR*POLICY", word,
                 e->metric.kind == EXPECT_PART ? "part, such as 0.6 or 60%" : "number",
                 e->metric.kind == EXPECT_NUMBER && *unit ? ", or a number of " : "",
                 e->metric.kind == EXPECT_NUMBER ? unit : "");
}

/* --- windows and seeds --- */

static bool window_read(struct expect *e, struct words *w)
{
    char why[UNITS_WHY_SIZE], *from = expect_word(&w->at), *to = expect_word(&w->at), *end = expect_word(&w->at);

    if (!time_read(from, &e->from))
        return wrong(w, "from: %s", duration_why(from, 0, why));
    if (strcmp(to, "to") || !time_read(end, &e->to))
        return wrong(w, "expected: from TIME to TIME, such as from 1s to 10s");
    return e->to > e->from || wrong(w, "from %s to %s: it ends before it begins, or as it begins", from, end);
}

static bool seeds_read(struct expect *e, struct words *w)
{
    const char *word = expect_word(&w->at);
    char *end;

    errno = 0;
    e->seeds = true;
    e->seed_from = e->seed_to = strtoull(word, &end, 10);
    if (end != word && !strncmp(end, "..", 2) && end[2] >= '0' && end[2] <= '9')
        e->seed_to = strtoull(end + 2, &end, 10);
    if (*word < '0' || *word > '9' || *end || errno || e->seed_to < e->seed_from)
        return wrong(w, "seeds: \"%.40s\": expected A..B, such as 1..50", word);
    return e->seed_to - e->seed_from < EXPECT_SEEDS || wrong(w, "seeds %.40s: at most %d", word, EXPECT_SEEDS);
}

/* --- lines --- */

static bool line_read(struct expect *e, struct words *w)
{
    char why[EXPECT_WHY] = "";

    if (!metric_read(e, w) || !subject_read(e, w) || !limit_read(e, w))
        return false;
    for (const char *word = expect_word(&w->at); *word; word = expect_word(&w->at)) {
        const bool ok = !strcmp(word, "from") && !e->to       ? window_read(e, w)
                        : !strcmp(word, "seeds") && !e->seeds ? seeds_read(e, w)
                                                              : wrong(w, "\"%.30s\": expected from, or seeds", word);

        if (!ok)
            return false;
    }
    return w->source->check(w->source->data, e, why) || wrong(w, "%s", why);
}

bool expects_read(struct expects *x, const struct expect_source *source, FILE *f, const char *file, bool workload,
                  char why[EXPECT_WHY])
{
    char text[EXPECT_TEXT];
    enum expect_found found;
    unsigned int line = 0;
    const char *wrong_line;

    while ((found = expect_line(f, workload, text, &line, &wrong_line)) == EXPECT_LINE) {
        struct words w = { .at = text, .source = source, .why = "" };
        struct expect *e;

        x->e = x->e ?: calloc(EXPECT_MAX, sizeof(*x->e));
        BUG_ON(!x->e);
        if (x->nr == EXPECT_MAX)
            return snprintf(why, EXPECT_WHY, "%u: too many expectations: at most %d", line, EXPECT_MAX), false;
        e = &x->e[x->nr];
        *e = (struct expect){ .file = file, .line = line };
        memcpy(e->text, text, sizeof(e->text));
        if (!line_read(e, &w))
            return snprintf(why, EXPECT_WHY, "%u: expect: %s", line, w.why), false;
        x->nr++;
    }
    if (found == EXPECT_WRONG)
        return snprintf(why, EXPECT_WHY, "%u: %s", line, wrong_line), false;
    rewind(f);
    return true;
}

void expects_free(struct expects *x)
{
    free(x->e);
    *x = (struct expects){ 0 };
}
