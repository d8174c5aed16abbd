// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of `xenlab kit KIT`, read: the table below is the whole of them. */
#include "tools/kit/args.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tools/nearest.h"

static const struct {
    const char *name, *value; /* value NULL: takes none */
} options[KIT_NR_KEYS] = {
    [KIT_POLICY] = { "--policy", "NAME|./POLICY.so" },
    [KIT_WORKLOAD] = { "--workload", "FILE" },
    [KIT_EXPECT] = { "--expect", "FILE" },
    [KIT_SEED] = { "--seed", "N" },
    [KIT_JSON] = { "--json", NULL },
    [KIT_TAP] = { "--tap", NULL },
    [KIT_JUNIT] = { "--junit", "FILE" },
    [KIT_SVG] = { "--svg", "FILE" },
    [KIT_LIMIT] = { "--limit", "SECONDS" },
    [KIT_ASKED] = { "--asked", "FILE" },
    [KIT_SET] = { "--set", "NAME=VALUE,VALUE..." },
    [KIT_SEEDS] = { "--seeds", "A..B" },
    [KIT_JOB] = { "--job", "N" },
    [KIT_RESULTS] = { "--results", "FOLDER" },
    [KIT_HELP] = { "--help", NULL },
};

#define complain(...) kit_complain(NULL, __VA_ARGS__)

const char *kit_option(size_t key) { return key < KIT_HELP ? options[key].name : NULL; }

static bool number(const struct kit_args *a, enum kit_key key, uint64_t least, uint64_t most, uint64_t *n)
{
    const char *text = a->value[key];
    char *end;

    if (!text)
        return true;
    errno = 0;
    *n = strtoull(text, &end, 0);
    if (*text >= '0' && *text <= '9' && !*end && !errno && *n >= least && *n <= most)
        return true;
    if (most == UINT64_MAX)
        complain("%s: \"%.40s\" is no number", options[key].name, text);
    else
        complain("%s: \"%.40s\" is no number from %llu to %llu", options[key].name, text, (unsigned long long)least,
                 (unsigned long long)most);
    return false;
}

/* What the sweep has of that option. */
static bool of_sweep(struct sweep *s, enum kit_key key, const char *value)
{
    char why[SWEEP_WHY] = "";
    bool ok = true;

    if (key == KIT_SET)
        ok = sweep_set(s, value, why);
    else if (key == KIT_SEEDS)
        ok = sweep_seeds(s, value, why);
    else if (key == KIT_JOB)
        ok = sweep_job(s, value, why);
    else if (key == KIT_RESULTS)
        s->results = value;
    return ok || complain("%s", why) < 0;
}

/* One option; *used: whether its value is the next argument. */
static bool argument(struct kit_args *a, const char *arg, const char *next, bool *used)
{
    const size_t len = strcspn(arg, "=");
    const char *names[KIT_NR_KEYS], *value = arg[len] ? arg + len + 1 : NULL;
    char name[48], hint[NEAREST_HINT_SIZE];

    *used = false;
    for (unsigned int i = 0; i < KIT_NR_KEYS; i++) {
        names[i] = options[i].name;
        if ((strlen(names[i]) != len || memcmp(names[i], arg, len)) && (i != KIT_HELP || strcmp(arg, "-h")))
            continue;
        if (!options[i].value && value)
            return complain("%s takes no value", names[i]) < 0;
        *used = options[i].value && !value;
        a->value[i] = !options[i].value ? "" : value ? value : next;
        if (!a->value[i])
            return complain("%s needs a value: %s %s", names[i], names[i], options[i].value) < 0;
        if (options[i].value && !*a->value[i])
            return complain("%s: the value is empty", names[i]) < 0;
        return of_sweep(&a->sweep, (enum kit_key)i, a->value[i]);
    }
    snprintf(name, sizeof(name), "%.*s", (int)len, arg);
    if (arg[0] != '-')
        return complain("\"%.60s\" belongs to no option; a workload is named by --workload FILE", arg) < 0;
    return complain("there is no option %s%s (see: xenlab kit --help)", name,
                    nearest_hint(name, names, KIT_NR_KEYS, "", hint)) < 0;
}

/* What is of one run alone. */
static bool sweep_fits(const struct kit_args *a)
{
    static const enum kit_key one[] = { KIT_TAP, KIT_JUNIT, KIT_SVG, KIT_ASKED };
    char why[SWEEP_WHY] = "";

    if (!sweep_check(&a->sweep, a->value[KIT_SEED], why))
        return complain("%s", why) < 0;
    for (size_t i = 0; sweep_is(&a->sweep) && i < sizeof(one) / sizeof(*one); i++)
        if (a->value[one[i]])
            return complain("%s is of one run, and this is a sweep", options[one[i]].name) < 0;
    return !sweep_is(&a->sweep) || strcmp(a->value[KIT_WORKLOAD], "-") ||
           complain("--workload -: jobs have no standard input; name a file") < 0;
}

bool kit_args_parse(struct kit_args *a, const struct kit_model *kit, int argc, char **argv)
{
    uint64_t limit = GUARDED_LIMIT;
    char example[PATH_MAX];
    bool used;

    *a = (struct kit_args){ .seed = 1, .argc = argc, .argv = argv };
    for (int i = 0; i < argc; i += 1 + used)
        if (!argument(a, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used))
            return false;
        else if (a->value[KIT_HELP])
            return true;
    if (!number(a, KIT_SEED, 0, UINT64_MAX, &a->seed) || !number(a, KIT_LIMIT, 1, GUARDED_MAX_LIMIT, &limit))
        return false;
    a->limit = (unsigned int)limit;
    if (!a->value[KIT_POLICY])
        return complain("which policy? --policy ./POLICY.so (see: xenlab kit --help)") < 0;
    if (!a->value[KIT_WORKLOAD])
        return complain("which workload? --workload FILE, such as %s (see: xenlab kit --help)",
                        guarded_example(kit->example, example)) < 0;
    if (a->value[KIT_TAP] && a->value[KIT_JSON])
        return complain("--tap and --json: which of the two? Both go to standard output") < 0;
    for (enum kit_key key = KIT_JUNIT; key <= KIT_SVG; key++)
        if (a->value[key] && !strcmp(a->value[key], "-"))
            return complain("%s: standard output is the report's; name a file", options[key].name) < 0;
    return sweep_fits(a);
}
