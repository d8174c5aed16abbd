// SPDX-License-Identifier: GPL-2.0-or-later
/* A workload from a trace, tried: see ui/export/agree.h. */
#include "ui/export/agree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/kit/run.h"

#define MOST_POLICIES 4
#define CLOSE         5.0 /* per cent */

/* What the model has of each of the run's figures, in their order; NAN: it has none. */
static bool tried(const struct kit_model *kit, const char *policy, const char *text, size_t size,
                  const struct export_figure *run, size_t nr, double *value, char why[AGREE_WHY])
{
    struct kit_session s = { .kit = kit,
                             .policy = policy,
                             .workload = "from-trace",
                             .text = text,
                             .size = size,
                             .seed = 1,
                             .limit = GUARDED_LIMIT };
    struct kit_try *t = calloc(1, sizeof(*t));
    const bool good = t && !kit_try_run(t, &s, NULL);

    for (size_t i = 0; i < nr; i++) {
        value[i] = NAN;
        for (size_t k = 0; good && k < t->list.nr; k++)
            if (!strcmp(t->list.metric[k].figure->name, run[i].figure) &&
                !strcmp(t->list.metric[k].subject, run[i].subject))
                value[i] = t->list.metric[k].value;
    }
    if (!good)
        snprintf(why, AGREE_WHY, "the workload cannot be tried with the policy %s: %s", policy,
                 t ? s.fault : "not enough memory");
    if (t)
        kit_try_end(t);
    free(t);
    return good;
}

/* Per cent of the run's. */
static double difference(double run, double model)
{
    if (run == model)
        return 0;
    return run ? 100 * (model - run) / run : INFINITY;
}

static void row_write(const struct kit_model *kit, const struct export_figure *f, const double *value, size_t nr,
                      size_t policies, size_t i, FILE *out)
{
    size_t nearest = 0;

    for (size_t p = 1; p < policies; p++)
        if (fabs(value[p * nr + i] - f->value) < fabs(value[nearest * nr + i] - f->value))
            nearest = p;
    fprintf(out, "# %-22s %-13s ", f->subject, f->figure);
    f->unknown ? fprintf(out, "%11s", "?") : fprintf(out, "%11.10g", f->value);
    for (size_t p = 0; p < policies; p++) {
        const double is = value[p * nr + i], d = difference(f->value, is);

        fprintf(out, " %11.10g ", is);
        if (f->unknown)
            fprintf(out, "%9s", "");
        else if (isinf(d))
            fprintf(out, "%9s", "run: 0");
        else
            fprintf(out, "%+7.1f %%", d);
    }
    if (!strcmp(f->figure, "notifications") && !f->unknown)
        fprintf(out, "  as %s", kit->references[nearest]);
    fputc('\n', out);
}

static void table_write(const struct kit_model *kit, const struct export_figure *run, size_t nr, const double *value,
                        size_t policies, FILE *out)
{
    fprintf(
        out,
        "\n# How far the model and the run agree: the run's figures, and the model's with each policy.\n# %-36s %11s",
        "", "the run");
    for (size_t p = 0; p < policies; p++)
        fprintf(out, " %11s %9s", kit->references[p], "");
    fputc('\n', out);
    for (size_t i = 0; i < nr; i++)
        row_write(kit, &run[i], value, nr, policies, i, out);
    fprintf(out, "#\n# As expected, where %s is within %g %%:\n", kit->references[0], CLOSE);
    for (size_t i = 0; i < nr; i++) {
        const double most = floor(fabs(run[i].value) * CLOSE / 100);

        if (run[i].unknown || !(fabs(difference(run[i].value, value[i])) <= CLOSE) ||
            floor(run[i].value) != run[i].value)
            continue;
        if (!most) {
            fprintf(out, "expect %s %s == %.17g\n", run[i].figure, run[i].subject, run[i].value);
            continue;
        }
        fprintf(out, "expect %s %s >= %.17g\n", run[i].figure, run[i].subject, run[i].value - most);
        fprintf(out, "expect %s %s <= %.17g\n", run[i].figure, run[i].subject, run[i].value + most);
    }
}

bool agree_write(const struct kit_model *kit, const char *text, size_t size, const struct export_figure *run, size_t nr,
                 FILE *out, char why[AGREE_WHY])
{
    double *value = calloc(MOST_POLICIES * (nr + 1), sizeof(*value));
    size_t policies = 0;
    bool good = value;

    if (!good)
        snprintf(why, AGREE_WHY, "not enough memory");
    for (; good && kit->references && kit->references[policies] && policies < MOST_POLICIES; policies++)
        good = tried(kit, kit->references[policies], text, size, run, nr, value + policies * nr, why);
    if (good) {
        fwrite(text, 1, size, out);
        table_write(kit, run, nr, value, policies, out);
    }
    free(value);
    return good;
}
