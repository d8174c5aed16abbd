// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of policies: the one place that knows all of them.
 *
 * Concept: what is above asks by name (`--sched`) or number (XEN_SYSCTL_CPUPOOL_OP_CREATE); what is below gets the row
 * that was found.
 */
#include <string.h>

#include "vcpu/sched/names.h"
#include "vcpu/sched/sched.h"

static const struct sched_ops *const policies[] = {
    &sched_credit_ops, &sched_credit2_ops, &sched_rtds_ops, &sched_arinc653_ops, &sched_null_ops, &sched_rr_ops,
};

const char *sched_names(void) { return "credit, credit2, rtds, arinc653, null, rr"; }

const struct sched_ops *sched_ops_by_name(const char *opt_name, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
        if (strlen(policies[i]->opt_name) == len && !memcmp(policies[i]->opt_name, opt_name, len))
            return policies[i];
    return NULL;
}

const struct sched_ops *sched_ops_by_id(uint32_t sched_id)
{
    for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
        if (policies[i]->sched_id == sched_id)
            return policies[i];
    return NULL;
}

bool sched_id_by_name(const char *opt_name, size_t len, uint32_t *sched_id)
{
    const struct sched_ops *ops = sched_ops_by_name(opt_name, len);

    if (ops)
        *sched_id = ops->sched_id;
    return ops != NULL;
}

const char *sched_name_by_id(uint32_t sched_id)
{
    const struct sched_ops *ops = sched_ops_by_id(sched_id);

    return ops ? ops->opt_name : NULL;
}
