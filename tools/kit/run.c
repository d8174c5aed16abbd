// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs, looked at: the idea is in tools/kit/run.h. */
#include "tools/kit/run.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/nearest.h"
#include "tools/printable.h"

#define WITH_EACH   6 /* subjects that are told of with a figure of all of them */
#define MAX_FIGURES 64

int kit_complain(struct kit_session *s, const char *fmt, ...)
{
    char text[sizeof(s->fault)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    make_printable(text, strlen(text), true);
    fflush(stdout);
    fprintf(stderr, "xenlab: %s\n", text);
    if (s)
        memcpy(s->fault, text, sizeof(text));
    return 1;
}

char *kit_policy_path(const struct kit_model *kit, const char *policy, char why[KIT_WHY])
{
    const char *names[16];
    const size_t len = strlen(policy);
    char list[120] = "", hint[NEAREST_HINT_SIZE], file[80], path[640];
    size_t nr = 0;

    if (strchr(policy, '/') || (len > 3 && !strcmp(policy + len - 3, ".so")))
        return strdup(policy);
    for (size_t i = 0; kit->references && kit->references[i] && nr < sizeof(names) / sizeof(*names); i++) {
        snprintf(file, sizeof(file), "kit/%s.so", kit->references[i]);
        if (!strcmp(policy, kit->references[i]) && guarded_beside(file, path, sizeof(path)))
            return strdup(path);
        names[nr++] = kit->references[i];
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", nr > 1 ? ", " : "", kit->references[i]);
    }
    snprintf(why, KIT_WHY, "there is no policy \"%.40s\"%s (%s has: %s; a file of yours is ./%.40s.so)", policy,
             nearest_hint(policy, names, nr, "", hint), kit->name, list, policy);
    return NULL;
}

/* --- looking --- */

static const struct kit_metric *metric_of(const struct kit_metrics *list, const struct kit_figure *figure,
                                          const char *subject)
{
    for (size_t i = 0; i < list->nr; i++)
        if (list->metric[i].figure == figure && !strcmp(list->metric[i].subject, subject))
            return &list->metric[i];
    return NULL;
}

static void metrics_take(const struct kit_try *t, struct kit_metrics *list)
{
    list->nr = 0; /* its room is used again */
    free(list->metric);
    list->metric = NULL;
    t->session->kit->metrics(t->model, list);
}

static void look(struct kit_try *t)
{
    metrics_take(t, &t->list);
    t->probe->look(t->probe, t, t->asked.now);
}

/* Up to when the run may last, if the model knows. */
static int64_t end_of(const struct kit_try *t)
{
    const struct kit_model *kit = t->session->kit;

    return kit->time ? kit->time(t->model) : INT64_MAX;
}

/* Time has passed. What is wanted at the very end is seen there, when all has come of what was decided. */
static void passed(struct kit_asked *a, void *data)
{
    struct kit_try *t = data;
    const struct expect_probe *p = t->probe;
    const unsigned int before = t->looked;

    if (!t->begun && a->now >= p->from) {
        t->begun = true;
        t->base_at = a->now;
        metrics_take(t, &t->base);
    }
    for (; p->to && t->looked < p->looks; t->looked++) {
        const int64_t due = p->from + (int64_t)((double)(p->to - p->from) * (t->looked + 1) / p->looks);

        if (due > a->now || due >= end_of(t))
            break;
    }
    if (t->looked > before)
        look(t);
}

/* Of a window that is longer than the run, or begins when it is over: what there is of it. */
static int over(struct kit_try *t, struct kit_session *s)
{
    struct expect_probe *p = t->probe;

    t->over = true;
    if (p && !s->kit->time && p->of->to > t->asked.now)
        return kit_complain(s, "%s:%u: expect: it is about the time to %.6g s, and the run ends at %.6g s", p->of->file,
                            p->of->line, (double)p->of->to / 1e9, (double)t->asked.now / 1e9);
    if (p && !t->begun) {
        t->base_at = t->asked.now;
        metrics_take(t, &t->base);
    }
    if (!p)
        metrics_take(t, &t->list);
    else if (t->looked < p->looks)
        look(t);
    return p && p->why[0] ? kit_complain(s, "%s", p->why) : 0;
}

/* --- a run --- */

static int ask(struct kit_try *t, struct kit_session *s, const char *policy, uint64_t seed, FILE *asked)
{
    char why[KIT_WHY] = "", which[32] = "", *path = kit_policy_path(s->kit, policy, why);

    if (!path)
        return kit_complain(s, "--policy: %s", why);
    if (kit_start(&t->asked, s->kit, path, s->limit, seed, asked)) {
        if (t->probe)
            t->asked.look = passed, t->asked.data = t;
        s->kit->run(t->model, &t->asked);
    }
    kit_end(&t->asked);
    free(path);
    if (!t->asked.gone)
        return over(t, s);
    if (t->probe)
        snprintf(which, sizeof(which), ", seed %llu", (unsigned long long)seed);
    kit_complain(s, "policy %s %s%s", policy, t->asked.why, which);
    return t->asked.rc;
}

static int try_run(struct kit_try *t, struct kit_session *s, const char *policy, uint64_t seed, FILE *asked)
{
    FILE *f = fmemopen((void *)(uintptr_t)s->text, s->size, "r");
    const struct expect_probe *p = t->probe;
    char why[KIT_WHY] = "";

    t->session = s;
    if (!f)
        return kit_complain(s, "not enough memory");
    t->model = s->kit->load(f, seed, why);
    fclose(f);
    if (!t->model)
        return kit_complain(s, "%s:%s", s->workload, why);
    if (p && s->kit->time && p->of->to > end_of(t))
        return kit_complain(s, "%s:%u: expect: it is about the time to %.6g s, and the run ends at %.6g s", p->of->file,
                            p->of->line, (double)p->of->to / 1e9, (double)end_of(t) / 1e9);
    t->begun = p && !p->from;
    return ask(t, s, policy, seed, asked);
}

int kit_try_run(struct kit_try *t, struct kit_session *s, FILE *asked)
{
    return try_run(t, s, s->policy, s->seed, asked);
}

void kit_try_end(struct kit_try *t)
{
    free(t->list.metric);
    free(t->base.metric);
    if (t->model)
        t->session->kit->free(t->model);
}

/* --- for expectations --- */

static int probe_run(void *data, struct expect_probe *p)
{
    struct kit_session *s = data;
    struct kit_try *t = calloc(1, sizeof(*t));
    int rc;

    if (!t)
        return kit_complain(s, "not enough memory");
    t->probe = p;
    rc = try_run(t, s, p->policy ?: s->policy, p->seed, NULL);
    kit_try_end(t);
    free(t);
    if (!p->policy || !rc)
        return rc;
    return kit_complain(s, "%s:%u: expect: so there is no limit: that is no fault of the policy that is tried",
                        p->of->file, p->of->line);
}

static bool metric_get(void *data, size_t i, struct expect_metric *m)
{
    const struct kit_session *s = data;
    const struct kit_figure *g = &s->kit->figures[i]; /* whoever counts stops where there is none */

    if (g->name)
        *m = (struct expect_metric){
            .name = g->name, .unit = g->unit, .none = "no step of the model's time is over in that window", .of = g
        };
    return g->name;
}

static bool is_one(const struct kit_model *kit, const struct kit_figure *g, uint64_t set)
{
    return set >> (g - kit->figures) & 1;
}

/* Is there a figure of that window? If not: for which there is. */
static bool window_check(const struct kit_model *kit, const struct expect *e, char why[EXPECT_WHY])
{
    const uint64_t any = kit->sums | kit->means | kit->states;
    const char *between = "";

    if (!e->to || is_one(kit, e->metric.of, any))
        return true;
    snprintf(why, EXPECT_WHY, "%s is of a whole run: from and to are for ", e->metric.name);
    for (const struct kit_figure *g = kit->figures; g->name; g++)
        if (is_one(kit, g, any)) {
            snprintf(why + strlen(why), EXPECT_WHY - strlen(why), "%s%s", between, g->name);
            between = ", ";
        }
    return any ? false : snprintf(why, EXPECT_WHY, "%s is of a whole run: no from and to", e->metric.name) < 0;
}

static bool check(void *data, const struct expect *e, char why[EXPECT_WHY])
{
    const struct kit_session *s = data;
    char *path, wrong[KIT_WHY] = "";
    bool readable;

    if (!metric_of(&s->subjects, e->metric.of, e->subject))
        return snprintf(why, EXPECT_WHY, "there is no %s of %s", e->metric.name,
                        *e->subject ? e->subject : "all together") < 0;
    if (!window_check(s->kit, e, why))
        return false;
    if (!*e->policy)
        return true;
    path = kit_policy_path(s->kit, e->policy, wrong);
    readable = path && !access(path, R_OK);
    free(path);
    if (!path)
        return snprintf(why, EXPECT_WHY, "%s", wrong) < 0;
    return readable || snprintf(why, EXPECT_WHY, "the policy %.120s cannot be read", e->policy) < 0;
}

/* As the line wants it. NAN: no step of the model's was over in its window; when the run is, nothing comes any more. */
static double value_of(const struct kit_try *t, const struct expect *e, const struct kit_metric *m)
{
    const struct kit_model *kit = t->session->kit;
    const struct kit_metric *base = metric_of(&t->base, m->figure, m->subject);
    const double before = base ? base->value : 0, now = (double)t->asked.now, since = (double)t->base_at;

    if (!e->to || is_one(kit, m->figure, kit->states))
        return m->value;
    if (is_one(kit, m->figure, kit->sums) && (now > since || t->over))
        return m->value - before;
    return now > since ? (m->value * now - before * since) / (now - since) : NAN;
}

static bool value(void *run, const struct expect *e, double *value, char parts[EXPECT_PARTS], char why[EXPECT_WHY])
{
    const struct kit_try *t = run;
    const struct kit_metric *m = metric_of(&t->list, e->metric.of, e->subject);
    size_t len = 0;
    unsigned int nr = 0;

    if (!m)
        return snprintf(why, EXPECT_WHY, "there is none of %s any more", *e->subject ? e->subject : "all") < 0;
    *value = value_of(t, e, m);
    for (size_t i = 0; i < t->list.nr && !*e->subject && nr < WITH_EACH && len < EXPECT_PARTS; i++) {
        m = &t->list.metric[i];
        if (m->figure != e->metric.of || !*m->subject)
            continue;
        len += (size_t)snprintf(parts + len, EXPECT_PARTS - len, "%s%s %.10g", nr++ ? ", " : "", m->subject,
                                value_of(t, e, m));
    }
    return true;
}

struct expect_source kit_source(struct kit_session *s)
{
    return (struct expect_source){
        .metric = "figure", .metric_get = metric_get, .check = check, .value = value, .run = probe_run, .data = s
    };
}
