// SPDX-License-Identifier: GPL-2.0-or-later
/* A run, as JSON, and what a sweep's job leaves behind: tools/kit/result.h. */
#include "tools/kit/result.h"

#include <stdlib.h>

/* Which sweep it is. */
static uint64_t sweep_id(const struct kit_try *t, const struct kit_args *a)
{
    char why[KIT_WHY], *policy = kit_policy_path(t->session->kit, a->value[KIT_POLICY], why);
    uint64_t id = sweep_id_words(0, a->argc, a->argv);

    id = sweep_id_bytes(id, a->text, a->len);
    id = sweep_id_file(sweep_id_file(id, a->value[KIT_EXPECT]), policy);
    free(policy);
    return id;
}

void kit_result_json(const struct kit_try *t, const struct kit_args *a, const struct expects *x, const char *fault,
                     FILE *f)
{
    const struct kit_run run = { t->session->kit->name, *t->asked.name ? t->asked.name : a->value[KIT_POLICY],
                                 a->value[KIT_WORKLOAD], a->seed };

    kit_json(fault ? &(struct kit_metrics){ 0 } : &t->list, &run, f);
    if (fault) {
        fputs(",\"fault\":", f);
        sweep_json_text(fault, f);
    } else {
        expects_json(x, f);
    }
    sweep_json(&a->sweep, &a->run, a->sweep.job ? sweep_id(t, a) : 0, f);
    fputs("}\n", f);
}

int kit_result_write(const struct kit_try *t, const struct kit_args *a, const struct expects *x, const char *fault)
{
    char *text = NULL, why[SWEEP_WHY] = "not enough memory";
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    bool ok;

    if (f)
        kit_result_json(t, a, x, fault, f);
    ok = f && !fclose(f) && sweep_result_write(&a->sweep, text, len, why);
    free(text);
    return ok ? 0 : kit_complain(NULL, "%s", why);
}
