// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line of `xenlab sched`: the table below is the whole of it.
 *
 * Concept: as `xenlab run` has it, --name VALUE or --name=VALUE. Every mistake is answered with what would be right.
 */
#include "tools/workbench/args.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tools/nearest.h"
#include "tools/sandbox/guarded.h"
#include "tools/units.h"
#include "tools/workbench/load.h"
#include "vcpu/sched/names.h"

#define DEFAULT_LIMIT 5
#define MAX_LIMIT     3600

enum key {
    POLICY,
    WORKLOAD,
    PCPUS,
    TIME,
    JSON,
    SVG,
    WINDOW,
    SEED,
    LIMIT,
    DECISIONS,
    EXPECT,
    JUNIT,
    ASKED,
    SET,
    SEEDS,
    JOB,
    RESULTS,
    TAP,
    BENCH,
    HELP,
    NR_KEYS
};

static const struct {
    const char *name, *value; /* value NULL: takes none */
} options[NR_KEYS] = {
    [POLICY] = { "--policy", "NAME|./POLICY.so[,PARAM=VALUE...]" },
    [WORKLOAD] = { "--workload", "FILE" },
    [PCPUS] = { "--pcpus", "N" },
    [TIME] = { "--time", "10s" },
    [JSON] = { "--json", NULL },
    [SVG] = { "--svg", "FILE" },
    [WINDOW] = { "--window", "0ms..200ms" },
    [SEED] = { "--seed", "N" },
    [LIMIT] = { "--limit", "SECONDS" },
    [DECISIONS] = { "--decisions", "N" },
    [EXPECT] = { "--expect", "FILE" },
    [JUNIT] = { "--junit", "FILE" },
    [ASKED] = { "--asked", "FILE" },
    [SET] = { "--set", "NAME=VALUE,VALUE..." },
    [SEEDS] = { "--seeds", "A..B" },
    [JOB] = { "--job", "N" },
    [RESULTS] = { "--results", "FOLDER" },
    [TAP] = { "--tap", NULL },
    [BENCH] = { "--bench", NULL },
    [HELP] = { "--help", NULL },
};

const char *wb_args_word(size_t i) { return i < HELP ? options[i].name : NULL; }

void wb_args_help(const char *command, FILE *f)
{
    fprintf(f,
            "Usage: xenlab %s --policy NAME|./POLICY.so[,PARAM=VALUE...]\n"
            "                    --workload FILE [OPTION]...\n"
            "\n"
            "  --policy   %s\n"
            "             or a shared object that exports\n"
            "             `const struct sched_ops xenlab_sched_ops`; its `set` gets PARAMs\n"
            "  --workload the vCPUs and what they do; - is standard input\n"
            "  --pcpus N  how many pCPUs (1 to %d); default: what the workload says, or 1\n"
            "  --time D   how long to run, virtual time (500us, 20ms, 1.5s, 2m);\n"
            "             default: what the workload says, or 1s\n"
            "  --json     print JSON instead of a table\n"
            "  --svg FILE write a Gantt chart; --window 0ms..200ms: of that part of the time\n"
            "  --seed N   of the workload's random durations; default 1\n"
            "  --limit S  seconds of CPU time for one call into a shared object; default %d\n"
            "  --decisions N  of a shared object, for each pCPU and second of virtual\n"
            "             time; more end the run; default: 50000 in a millisecond\n"
            "  --expect FILE    what is expected of it, beside what the workload says: lines\n"
            "                   expect METRIC [DOMAIN] OP VALUE|FACTOR*POLICY\n"
            "                   [from T to T] [seeds A..B]\n"
            "  --tap            print what came of that as TAP, not a table\n"
            "  --junit FILE     write it as JUnit's XML, too\n"
            "  --asked FILE     what a shared object was asked, for a debugger:\n"
            "                   gdb --args xenlab-policy ./POLICY.so FILE\n"
            "  --set NAME=VALUE,...  in the workload: of its line \"NAME VALUE\", or of\n"
            "             \"param NAME VALUE\", which is $NAME elsewhere\n"
            "  --seeds A..B  with that, or several VALUEs, it is a sweep: its jobs are\n"
            "             printed, a command a line, for parallel, xargs, make, or a batch\n"
            "             system; nothing runs (xenlab kit merge puts results together)\n"
            "  --job N    run one of them; its JSON goes to FOLDER/N.json\n"
            "  --results FOLDER  default: results\n"
            "\n"
            "Exit status: 0; 1 it could not be run; 2 the policy was at fault; 4 an\n"
            "expectation does not hold.\n"
            "\n"
            "       xenlab %s --bench    what decisions of all policies cost on this host\n",
            command, sched_names(), MACHINE_MAX_PCPUS, DEFAULT_LIMIT, command);
}

/* --- values --- */

static bool number(const struct wb_answer *w, enum key key, const char *text, unsigned long lo, unsigned long hi,
                   unsigned long *out)
{
    char *end;

    errno = 0;
    *out = strtoul(text, &end, 0);
    if (*text >= '0' && *text <= '9' && !*end && !errno && *out >= lo && *out <= hi)
        return true;
    return hi == ULONG_MAX ? wb_wrong(w, "%s: \"%.40s\" is no number", options[key].name, text)
                           : wb_wrong(w, "%s: \"%.40s\" is no number from %lu to %lu", options[key].name, text, lo, hi);
}

static bool duration(const struct wb_answer *w, const char *text, s_time_t *out)
{
    char why[UNITS_WHY_SIZE];

    return (duration_parse(text, out) && *out > 0) || wb_wrong(w, "--time: %s", duration_why(text, 1, why));
}

/* Seconds, as a number alone; begun seconds count. */
static bool limit(const struct wb_answer *w, const char *text, unsigned int *out)
{
    s_time_t t;

    if (!duration_parse_in(text, "s", &t) || t <= 0 || t > SECONDS(MAX_LIMIT))
        return wb_wrong(w, "--limit: \"%.40s\" is no time from 1 to %d seconds, such as 5, 5s or 2m", text, MAX_LIMIT);
    *out = (unsigned int)((t + SECONDS(1) - 1) / SECONDS(1));
    return true;
}

static bool window(const struct wb_answer *w, const char *text, struct wb_args *a)
{
    const char *dots = strstr(text, "..");
    char from[40], why[UNITS_WHY_SIZE];

    if (!dots || (size_t)(dots - text) >= sizeof(from))
        return wb_wrong(w, "--window: \"%.40s\" is no window such as 0ms..200ms", text);
    snprintf(from, sizeof(from), "%.*s", (int)(dots - text), text);
    if (!duration_parse(from, &a->from))
        return wb_wrong(w, "--window: %s", duration_why(from, 0, why));
    if (!duration_parse(dots + 2, &a->to))
        return wb_wrong(w, "--window: %s", duration_why(dots + 2, 0, why));
    return a->to > a->from || wb_wrong(w, "--window: it ends before it begins, or as it begins: \"%.40s\"", text);
}

static bool option(const struct wb_answer *w, struct wb_args *a, enum key key, const char *value)
{
    unsigned long n = 0;
    char why[SWEEP_WHY];

    switch (key) {
    case SET: return sweep_set(&a->sweep, value, why) || wb_wrong(w, "%s", why);
    case SEEDS: return sweep_seeds(&a->sweep, value, why) || wb_wrong(w, "%s", why);
    case JOB: return sweep_job(&a->sweep, value, why) || wb_wrong(w, "%s", why);
    case RESULTS: a->sweep.results = value; break;
    case POLICY: a->policy = value; break;
    case WORKLOAD: a->workload = value; break;
    case SVG:
        if (!strcmp(value, "-"))
            return wb_wrong(w, "--svg: standard output is the report's; name a file");
        a->svg = value;
        break;
    case EXPECT: a->expect = value; break;
    case JUNIT:
        if (!strcmp(value, "-"))
            return wb_wrong(w, "--junit: standard output is the report's; name a file");
        a->junit = value;
        break;
    case ASKED: a->asked = value; break;
    case PCPUS:
        if (!number(w, key, value, 1, MACHINE_MAX_PCPUS, &n))
            return false;
        a->pcpus = (unsigned int)n;
        return true;
    case LIMIT: return limit(w, value, &a->limit);
    case DECISIONS:
        if (!number(w, key, value, 1, UINT32_MAX / MACHINE_MAX_PCPUS, &n))
            return false;
        a->decisions = (unsigned int)n;
        return true;
    case SEED:
        if (!number(w, key, value, 0, ULONG_MAX, &n))
            return false;
        a->seed = n;
        a->seeded = true;
        return true;
    case TIME: return duration(w, value, &a->time);
    case WINDOW: return window(w, value, a);
    case JSON: a->json = true; return true;
    case TAP: a->tap = true; return true;
    case BENCH: a->bench = true; return true;
    default: a->help = true; return true;
    }
    return *value || wb_wrong(w, "%s: the value is empty", options[key].name);
}

/* --- words --- */

static bool unknown(const struct wb_answer *w, const char *arg)
{
    const char *names[NR_KEYS];
    char name[48], hint[NEAREST_HINT_SIZE];

    for (unsigned int i = 0; i < NR_KEYS; i++)
        names[i] = options[i].name;
    if (arg[0] != '-')
        return wb_wrong(w, "\"%.60s\" belongs to no option; a workload is named by --workload FILE", arg);
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(arg, "="), arg);
    return wb_wrong(w, "there is no option %s%s (see: xenlab sched --help)", name,
                    nearest_hint(name, names, NR_KEYS, "", hint));
}

/* One option; *used: whether its value is the next argument. */
static bool argument(const struct wb_answer *w, struct wb_args *a, const char *arg, const char *next, bool *used)
{
    const size_t len = strcspn(arg, "=");
    const char *value = arg[len] ? arg + len + 1 : NULL;

    *used = false;
    if (!strcmp(arg, "-h"))
        return option(w, a, HELP, NULL);
    for (unsigned int i = 0; i < NR_KEYS; i++) {
        if (strlen(options[i].name) != len || memcmp(options[i].name, arg, len))
            continue;
        if (!options[i].value)
            return value ? wb_wrong(w, "%s takes no value", options[i].name) : option(w, a, (enum key)i, NULL);
        *used = !value;
        if (!value)
            value = next;
        return value ? option(w, a, (enum key)i, value)
                     : wb_wrong(w, "%s needs a value: %s %s", options[i].name, options[i].name, options[i].value);
    }
    return unknown(w, arg);
}

bool wb_args_parse(struct wb_args *a, int argc, char **argv, char *why, size_t len)
{
    const struct wb_answer w = { why, len };
    bool used, alone = argc == 2;
    char sweep[SWEEP_WHY], example[PATH_MAX];

    *a = (struct wb_args){ .limit = DEFAULT_LIMIT, .seed = 1 };
    for (int i = 1; i < argc; i++) {
        if (!argument(&w, a, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used))
            return false;
        if (a->help)
            return true;
        i += used;
    }
    if (a->bench)
        return alone ||
               wb_wrong(&w, "--bench measures all policies with workloads of its own: it takes no other option");
    if (!a->policy)
        return wb_wrong(&w, "which policy? --policy %s, or a shared object (see: xenlab sched --help)", sched_names());
    if (!a->workload)
        return wb_wrong(&w, "which workload? --workload FILE, such as %s (see: xenlab sched --help)",
                        guarded_example("docs/examples/sched/weights.txt", example));
    if (a->tap && a->json)
        return wb_wrong(&w, "--tap and --json: which of the two? Both go to standard output");
    if (a->to && !a->svg)
        return wb_wrong(&w, "--window is the part of the run that a chart shows: it needs --svg FILE");
    if (!sweep_check(&a->sweep, a->seeded, sweep))
        return wb_wrong(&w, "%s", sweep);
    if (sweep_is(&a->sweep) && (a->svg || a->tap || a->junit || a->asked))
        return wb_wrong(&w, "%s is of one run, and this is a sweep",
                        a->svg     ? "--svg"
                        : a->tap   ? "--tap"
                        : a->junit ? "--junit"
                                   : "--asked");
    if (sweep_is(&a->sweep) && !strcmp(a->workload, "-"))
        return wb_wrong(&w, "--workload -: jobs have no standard input; name a file");
    return true;
}
