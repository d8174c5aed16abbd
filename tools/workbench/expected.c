// SPDX-License-Identifier: GPL-2.0-or-later
/* The workbench's metrics, as expectations ask for them: tools/workbench/expected.h. */
#include "tools/workbench/expected.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/workbench/load.h"
#include "vcpu/sched/names.h"

bool wb_expected_metric(void *data, size_t i, struct expect_metric *m)
{
    const struct wb_metric *w = &wb_metrics[i]; /* whoever counts stops where there is none */

    if (!w->name)
        return false;
    *m = (struct expect_metric){ .name = w->name,
                                 .unit = "",
                                 .kind = w->unit == WB_FRACTION ? EXPECT_PART
                                         : w->unit == WB_TIME   ? EXPECT_TIME
                                                                : EXPECT_NUMBER,
                                 .none = "nobody has run after waking",
                                 .of = w };
    return true;
}

char *wb_object_path(const char *policy)
{
    const char *slash = strrchr(policy, '/'), *file = slash ? slash + 1 : policy, *so = strstr(file, ".so,");
    const size_t len = strlen(policy), all = so ? (size_t)(so + 3 - policy) : len;

    if (all > 3 && !memcmp(policy + all - 3, ".so", 3))
        return strndup(policy, all);
    return slash ? strndup(policy, (size_t)(file - policy) + strcspn(file, ",")) : NULL;
}

bool wb_expected_check(void *data, const struct expect *e, char why[EXPECT_WHY])
{
    const enum wb_about about = ((const struct wb_metric *)e->metric.of)->about;
    const char *name = e->metric.name;
    char *object = wb_object_path(e->policy);
    bool ok = true;

    if (*e->subject && about == WB_ALL)
        ok = snprintf(why, EXPECT_WHY, "%s is of the whole run: no domain belongs there", name) < 0;
    else if (!*e->subject && about == WB_DOMAIN)
        ok = snprintf(why, EXPECT_WHY, "%s of whom? %s DOMAIN, or DOMAIN.VCPU", name, name) < 0;
    else if (object && access(object, R_OK))
        ok = snprintf(why, EXPECT_WHY, "the policy %.120s cannot be read", object) < 0;
    else if (*e->policy && !object)
        ok = sched_option_check(e->policy, why, EXPECT_WHY);
    free(object);
    return ok;
}

bool wb_expected_value(void *looked, const struct expect *e, double *value, char parts[EXPECT_PARTS],
                       char why[EXPECT_WHY])
{
    struct wb_looked *l = looked;
    struct wb_domain *wd = NULL;
    char text[WB_TARGET_WHY];
    int id = -1;

    if (*e->subject) {
        wd = wb_target_find(l->wb, e->subject, &id);
        if (!wd)
            return snprintf(why, EXPECT_WHY, "%s", wb_target_why(l->wb, e->subject, false, text)) < 0;
    }
    *value = wb_metric_value(l->wb, e->metric.of, &l->figures, wd, id);
    return true;
}
