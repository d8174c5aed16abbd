// SPDX-License-Identifier: GPL-2.0-or-later
/* Expectations, as text: the idea is in tools/workbench/expect.h. */
#include "tools/workbench/expect.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tools/nearest.h"
#include "tools/units.h"
#include "vcpu/sched/names.h"

struct words {
    char *at; /* what is left of the line */
    char why[UNITS_WHY_SIZE + 160];
};

static bool __attribute__((format(printf, 2, 3))) wrong(struct words *w, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(w->why, sizeof(w->why), fmt, ap);
    va_end(ap);
    return false;
}

static bool metric_read(struct wb_expect *e, struct words *w)
{
    const char *names[32], *word = expect_word(&w->at);
    char list[200] = "", hint[NEAREST_HINT_SIZE];
    size_t n = 0;

    e->metric = wb_metric_find(word);
    if (e->metric)
        return true;
    for (const struct wb_metric *m = wb_metrics; m->name && n < ARRAY_SIZE(names); m++) {
        names[n++] = m->name;
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", n > 1 ? ", " : "", m->name);
    }
    return wrong(w, "there is no metric \"%.30s\"%s (there are: %s)", word, nearest_hint(word, names, n, "", hint),
                 list);
}

/* "[DOMAIN] OP". */
static bool subject_read(struct wb_expect *e, struct words *w)
{
    const enum wb_about about = e->metric->about;
    const char *word = expect_word(&w->at);

    if (*word && !expect_is_op(word)) {
        if (about == WB_ALL)
            return wrong(w, "%s is of the whole run: no domain belongs there, but <=, >=, ==, !=, < or >",
                         e->metric->name);
        snprintf(e->subject, sizeof(e->subject), "%s", word);
        word = expect_word(&w->at);
    } else if (about == WB_DOMAIN) {
        return wrong(w, "%s of whom? %s DOMAIN, or DOMAIN.VCPU", e->metric->name, e->metric->name);
    }
    if (!expect_is_op(word))
        return wrong(w, "expected <=, >=, ==, !=, < or >, got \"%.30s\"", word);
    snprintf(e->op, sizeof(e->op), "%s", word);
    return true;
}

/* "1.1*credit2". */
static bool policy_read(struct wb_expect *e, struct words *w, const char *word, const char *star)
{
    char *end;

    e->limit = strtod(word, &end);
    if (end != star || end == word || !isfinite(e->limit) || *word == '-')
        return wrong(w, "\"%.40s\": expected FACTOR*POLICY, such as 1.1*credit2", word);
    snprintf(e->policy, sizeof(e->policy), "%s", star + 1);
    return strlen(star + 1) < sizeof(e->policy) ? sched_option_check(e->policy, w->why, sizeof(w->why))
                                                : wrong(w, "\"%.40s...\" is too long", word);
}

static bool time_read(const char *word, s_time_t *t)
{
    *t = 0;
    return !strcmp(word, "0") || duration_parse(word, t);
}

static bool limit_read(struct wb_expect *e, struct words *w)
{
    const char *word = expect_word(&w->at), *star = strchr(word, '*');
    char *end, why[UNITS_WHY_SIZE];
    s_time_t t;

    if (star)
        return policy_read(e, w, word, star);
    if (e->metric->unit == WB_TIME) {
        if (!time_read(word, &t))
            return wrong(w, "%s: %s", e->metric->name, duration_why(word, 0, why));
        e->limit = (double)t;
        return true;
    }
    e->limit = strtod(word, &end);
    if (e->metric->unit == WB_FRACTION && *end == '%')
        e->limit /= 100, end++;
    if (end == word || *end || !isfinite(e->limit) || !((*word >= '0' && *word <= '9') || *word == '.'))
        return wrong(w, "\"%.40s\": expected %s, or FACTOR*POLICY", word,
                     e->metric->unit == WB_FRACTION ? "a part, such as 0.6 or 60%" : "a number");
    return true;
}

static bool window_read(struct wb_expect *e, struct words *w)
{
    char why[UNITS_WHY_SIZE], *from = expect_word(&w->at), *to = expect_word(&w->at), *end = expect_word(&w->at);

    if (!time_read(from, &e->from))
        return wrong(w, "from: %s", duration_why(from, 0, why));
    if (strcmp(to, "to") || !duration_parse(end, &e->to))
        return wrong(w, "expected: from TIME to TIME, such as from 1s to 10s");
    return e->to > e->from || wrong(w, "from %s to %s: it ends before it begins, or as it begins", from, end);
}

static bool seeds_read(struct wb_expect *e, struct words *w)
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
    return e->seed_to - e->seed_from < WB_SEEDS_MAX || wrong(w, "seeds %.40s: at most %d", word, WB_SEEDS_MAX);
}

static bool line_read(struct wb_expect *e, struct words *w)
{
    if (!metric_read(e, w) || !subject_read(e, w) || !limit_read(e, w))
        return false;
    for (const char *word = expect_word(&w->at); *word; word = expect_word(&w->at)) {
        const bool ok = !strcmp(word, "from") && !e->to       ? window_read(e, w)
                        : !strcmp(word, "seeds") && !e->seeds ? seeds_read(e, w)
                                                              : wrong(w, "\"%.30s\": expected from, or seeds", word);

        if (!ok)
            return false;
    }
    return true;
}

bool wb_expects_read(struct wb_expects *x, FILE *f, const char *file, bool workload, char *why, size_t len)
{
    char text[EXPECT_TEXT];
    enum expect_found found;
    unsigned int line = 0;
    const char *wrong_line;

    while ((found = expect_line(f, workload, text, &line, &wrong_line)) == EXPECT_LINE) {
        struct words w = { .at = text, .why = "" };
        struct wb_expect *e;

        x->e = x->e ?: calloc(WB_EXPECT_MAX, sizeof(*x->e));
        BUG_ON(!x->e);
        if (x->nr == WB_EXPECT_MAX)
            return snprintf(why, len, "%u: too many expectations: at most %d", line, WB_EXPECT_MAX), false;
        e = &x->e[x->nr];
        *e = (struct wb_expect){ .file = file, .line = line };
        memcpy(e->text, text, sizeof(e->text));
        if (!line_read(e, &w))
            return snprintf(why, len, "%u: expect: %s", line, w.why), false;
        x->nr++;
    }
    if (found == EXPECT_WRONG)
        return snprintf(why, len, "%u: %s", line, wrong_line), false;
    rewind(f);
    return true;
}

void wb_expects_free(struct wb_expects *x)
{
    free(x->e);
    *x = (struct wb_expects){ 0 };
}
