// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab kit`: the command line, and one run.
 *
 * Concept: kit + algorithm + workload -> figures. The same three, and the same seed, always give the same output, byte
 * for byte. Every mistake is answered with what would be right.
 */
#include "tools/kit/result.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tools/nearest.h"
#include "tools/printable.h"
#include "tools/sweep/merge.h"
#include "tools/user_file.h"
#include "tools/workbench/workbench.h"

static const struct kit_model *const kits[] = { &kit_memctl, &kit_precopy,  &kit_balance, &kit_reclaim,
                                                &kit_ring,   &kit_tlbflush, &kit_shadow,  &kit_evtchn };
#define LOST    4 /* the exit status: something that is expected does not hold */
#define NR_KITS (sizeof(kits) / sizeof(*kits))
/* And one that is a command of its own as well: `xenlab sched`. */
static const char scheduler[] = "sched", merge[] = "merge";

#define complain(...) kit_complain(NULL, __VA_ARGS__)

/* --- help --- */

const char *kit_word(size_t i)
{
    return i < NR_KITS        ? kits[i]->name
           : i == NR_KITS     ? scheduler
           : i == NR_KITS + 1 ? merge
                              : kit_option(i - NR_KITS - 2);
}

void kit_help(FILE *f)
{
    fprintf(f, "Usage: xenlab kit KIT --policy NAME|./POLICY.so --workload FILE [OPTION]...\n"
               "       xenlab kit KIT --help    its figures, and an example\n"
               "       xenlab kit merge RESULT.json...    figures of a sweep's jobs, together\n"
               "       xenlab kit workload from-trace TRACE    a recorded run as a workload\n"
               "\n"
               "An algorithm of a hypervisor's, in a model of the rest of the machine:\n"
               "\n");
    for (size_t i = 0; i < NR_KITS; i++)
        fprintf(f, "  %-10s %s\n", kits[i]->name, kits[i]->what);
    fprintf(f, "  %-10s who runs where: as xenlab sched, see xenlab kit sched --help\n", scheduler);
    fprintf(f,
            "\n"
            "  --policy   a shared object that exports `const struct KIT_ops xenlab_KIT_ops`\n"
            "             (include/xenlab/kit.h, docs/kits.md); or one that is there already:\n"
            "             xenlab kit KIT --help\n"
            "  --workload what happens; - is standard input\n"
            "  --expect FILE    what is expected, beside what the workload says: lines\n"
            "                   expect FIGURE [SUBJECT] OP VALUE[UNIT]|FACTOR*POLICY\n"
            "                   [from T to T] [seeds A..B]\n"
            "  --tap            print what came of that as TAP, not a table\n"
            "  --junit FILE     write it as JUnit's XML, too\n"
            "  --seed N   of the workload's random numbers; default 1\n"
            "  --json     print JSON instead of a table\n"
            "  --svg FILE write a chart\n"
            "  --limit S  seconds of CPU time for one call into the object; default %d\n"
            "  --asked FILE  what it was asked, for a debugger:\n"
            "             gdb --args xenlab-kit ./POLICY.so FILE\n"
            "  --set NAME=VALUE,...  in the workload: of its line \"NAME VALUE\", or of\n"
            "             \"param NAME VALUE\", which is $NAME elsewhere\n"
            "  --seeds A..B  with that, or several VALUEs, it is a sweep: its jobs are\n"
            "             printed, a command a line, for parallel, xargs, make, or a batch\n"
            "             system; nothing runs\n"
            "  --job N    run one of them; its JSON goes to FOLDER/N.json\n"
            "  --results FOLDER  default: results\n"
            "\n"
            "Exit status: 0; 1 it could not be run; 2 the policy was at fault; 4 an\n"
            "expectation does not hold.\n",
            GUARDED_LIMIT);
}

static void help_of(const struct kit_model *kit, FILE *f)
{
    const uint64_t any = kit->sums | kit->means | kit->states;
    const char *policy = kit->references ? kit->references[0] : "./POLICY.so";
    char example[PATH_MAX];

    fprintf(f, "xenlab kit %s: %s\n\nFigures (*: of a window of time as well):\n\n", kit->name, kit->what);
    for (const struct kit_figure *g = kit->figures; g->name; g++)
        fprintf(f, "%c %-12s %-6s %s\n", any >> (g - kit->figures) & 1 ? '*' : ' ', g->name, g->unit, g->what);
    for (const char *const *r = kit->references; r && *r; r++)
        fprintf(f, "%s%s", r == kit->references ? "\nPolicies that are there: " : ", ", *r);
    fprintf(f, "\n\nExample:\n\n  xenlab kit %s --policy %s --workload %s\n\nOptions: xenlab kit --help\n", kit->name,
            policy, guarded_example(kit->example, example));
}

/* --- one run --- */

static int svg_write(const struct kit_try *t, const struct kit_args *a)
{
    const struct kit_model *kit = t->session->kit;
    FILE *f = user_file_output_start(&a->svg);
    char title[320];
    bool lost;

    if (!f)
        return complain("cannot write %s: %s", a->value[KIT_SVG], strerror(errno));
    snprintf(title, sizeof(title), "%s: %s, %.120s, seed %llu", kit->name, t->asked.name,
             strcmp(a->value[KIT_WORKLOAD], "-") ? a->value[KIT_WORKLOAD] : "standard input",
             (unsigned long long)a->seed);
    kit->svg(t->model, f, title);
    lost = ferror(f);
    return fclose(f) || lost ? complain("cannot write %s: %s", a->value[KIT_SVG], strerror(errno)) : 0;
}

static int report(const struct kit_try *t, const struct kit_args *a, const struct expects *x)
{
    if (a->sweep.job)
        return kit_result_write(t, a, x, NULL);
    if (a->value[KIT_TAP]) {
        expects_tap(x, a->value[KIT_POLICY], NULL, stdout);
    } else if (a->value[KIT_JSON]) {
        kit_result_json(t, a, x, NULL, stdout);
    } else {
        kit_table(&t->list, stdout);
        expects_table(x, stdout);
    }
    return fflush(stdout) || ferror(stdout) ? complain("standard output: %s", strerror(errno)) : 0;
}

/* The one that is reported. */
static int own_run(struct kit_try *t, struct kit_session *s, const struct kit_args *a, struct expects *x)
{
    const struct expect_source source = kit_source(s);
    FILE *file = a->value[KIT_ASKED] ? user_file_output_start(&a->asked) : NULL;
    char why[EXPECT_WHY];
    int rc;

    if (a->value[KIT_ASKED] && !file)
        return complain("cannot write %s: %s", a->value[KIT_ASKED], strerror(errno));
    rc = kit_try_run(t, s, file);
    if (file && (fflush(file) | ferror(file) | fclose(file)))
        return complain("cannot write %s: %s", a->value[KIT_ASKED], strerror(errno));
    if (rc)
        return rc;
    if (!expects_own(x, &source, t, s->seed, t->asked.now, why))
        return complain("%s", why);
    return expects_when(x, &source) ?: report(t, a, x);
}

static int junit_write(const struct kit_session *s, const struct kit_args *a, const struct expects *x, bool fault)
{
    FILE *f = user_file_output_start(&a->junit);
    char title[80];
    bool lost;

    if (!f)
        return complain("cannot write %s: %s", a->value[KIT_JUNIT], strerror(errno));
    snprintf(title, sizeof(title), "xenlab kit %s", s->kit->name);
    expects_junit(x, title, a->value[KIT_POLICY], fault ? s->fault : NULL, f);
    lost = ferror(f);
    return fclose(f) || lost ? complain("cannot write %s: %s", a->value[KIT_JUNIT], strerror(errno)) : 0;
}

/* Runs that expectations want come before the one that is reported, or behind it. */
static int runs(struct kit_session *s, const struct kit_args *a, struct expects *x)
{
    const struct expect_source source = kit_source(s);
    struct kit_try *t = calloc(1, sizeof(*t));
    int rc, wrote = 0;

    if (!t)
        return complain("not enough memory");
    rc = expects_judge(x, &source, s->seed) ?: own_run(t, s, a, x);
    if (rc == 2 && a->value[KIT_TAP])
        expects_tap(x, a->value[KIT_POLICY], s->fault, stdout);
    if (rc == 2 && a->sweep.job)
        wrote = kit_result_write(t, a, x, s->fault);
    if (a->value[KIT_SVG] && t->model && t->asked.rc != 1) /* up to where it was gone */
        wrote |= svg_write(t, a);
    if (a->value[KIT_JUNIT] && (!rc || rc == 2))
        wrote |= junit_write(s, a, x, rc);
    kit_try_end(t);
    free(t);
    return rc ? rc : wrote ? wrote : expects_lost(x) ? LOST : 0;
}

/* --- files --- */

/* What is written besides standard output has its place before the run. */
static bool output_open(const struct kit_args *a, enum kit_key key, int workload, struct user_file_output *out)
{
    const char *path = a->value[key];
    char why[KIT_WHY];

    if (!path)
        return true;
    if (user_file_is_open(path, workload))
        return complain("%s: %s is the workload: it would be overwritten", kit_option(key), path) < 0;
    return !user_file_output_open(out, path, why, sizeof(why)) || complain("cannot write %s: %s", path, why) < 0;
}

static int with_outputs(struct kit_session *s, struct kit_args *a, struct expects *x, int fd)
{
    const struct {
        enum kit_key key;
        struct user_file_output *out;
    } outputs[] = { { KIT_ASKED, &a->asked }, { KIT_SVG, &a->svg }, { KIT_JUNIT, &a->junit } };
    size_t open = 0;
    int rc;

    while (open < sizeof(outputs) / sizeof(*outputs) && output_open(a, outputs[open].key, fd, outputs[open].out))
        open++;
    rc = open == sizeof(outputs) / sizeof(*outputs) ? runs(s, a, x) : 1;
    while (open--)
        if (a->value[outputs[open].key])
            user_file_output_close(outputs[open].out, a->value[outputs[open].key]);
    return rc;
}

/* Those of the workload, and of --expect's file. */
static bool expectations(struct kit_session *s, const struct kit_args *a, FILE *workload, struct expects *x)
{
    const struct expect_source source = kit_source(s);
    const char *file = a->value[KIT_EXPECT];
    char why[EXPECT_WHY] = "";
    FILE *f = NULL;
    int fd = 0;
    bool ok;

    ok = expects_read(x, &source, workload, a->value[KIT_WORKLOAD], true, why) ||
         complain("%s:%s", a->value[KIT_WORKLOAD], why) < 0;
    if (ok && file) {
        fd = user_file_open(file, why, sizeof(why));
        f = fd < 0 ? NULL : fdopen(fd, "r");
        ok = f ? expects_read(x, &source, f, file, false, why) || complain("%s:%s", file, why) < 0
               : complain("cannot read %s: %s", file, why) < 0;
    }
    if (f)
        fclose(f);
    if (ok && !x->nr && (a->value[KIT_TAP] || a->value[KIT_JUNIT]))
        return complain("%s: nothing is expected: neither %s has a line \"expect ...\" nor --expect FILE",
                        kit_option(a->value[KIT_TAP] ? KIT_TAP : KIT_JUNIT), a->value[KIT_WORKLOAD]) < 0;
    return ok;
}

/* f is the workload in memory, fd its file. */
static int with_workload(struct kit_session *s, struct kit_args *a, FILE *f, int fd)
{
    struct expects x = { .nr = 0 };
    char why[KIT_WHY] = "";
    void *model = s->kit->load(f, a->seed, why);
    int rc = 1;

    if (!model && a->looked_at)
        return complain("%s:%s (job %llu)", a->value[KIT_WORKLOAD], why, (unsigned long long)a->looked_at);
    if (!model)
        return complain("%s:%s", a->value[KIT_WORKLOAD], why);
    s->kit->metrics(model, &s->subjects);
    rewind(f);
    if (expectations(s, a, f, &x))
        rc = a->looked_at ? 0 : with_outputs(s, a, &x, fd);
    expects_free(&x);
    free(s->subjects.metric);
    s->subjects = (struct kit_metrics){ 0 };
    s->kit->free(model);
    return rc;
}

/* With the settings of one job. fd: the workload's. */
static int settled(struct kit_session *s, struct kit_args *a, uint64_t job, int fd)
{
    char why[SWEEP_WHY] = "", *text;
    bool option = false;
    FILE *f;
    int rc = 0;

    a->run = sweep_run_of(&a->sweep, job, a->seed);
    text = sweep_workload(&a->sweep, &a->run, a->text, a->len, &s->size, why, &option);
    if (!text)
        return option ? complain("--set %s", why) : complain("%s:%s", a->value[KIT_WORKLOAD], why);
    f = fmemopen(text, s->size, "r");
    if (!f) {
        rc = complain("not enough memory");
    } else {
        s->text = text;
        s->seed = a->seed = a->run.seed;
        rc = with_workload(s, a, f, fd);
    }
    if (f)
        fclose(f);
    free(text);
    return rc;
}

/* Or all of them, to be done by somebody else: each combination of settings is read once, before any is printed. */
static int jobs(struct kit_session *s, struct kit_args *a)
{
    const uint64_t seeds = a->sweep.seeds ? a->sweep.to - a->sweep.from + 1 : 1;
    char command[64];

    for (uint64_t job = 1; job <= sweep_jobs(&a->sweep); job += seeds) {
        a->looked_at = job;
        if (settled(s, a, job, -1))
            return 1;
    }
    snprintf(command, sizeof(command), "kit %s", s->kit->name);
    sweep_list(&a->sweep, command, a->argc, a->argv, stdout);
    return fflush(stdout) || ferror(stdout) ? complain("standard output: %s", strerror(errno)) : 0;
}

/* It is read more than once, and may be a pipe. */
static int workload_copy(struct kit_session *s, struct kit_args *a, FILE *file)
{
    char part[4096];
    size_t n;
    FILE *copy = open_memstream(&a->text, &a->len);
    bool copied = copy;
    int rc;

    while (copied && (n = fread(part, 1, sizeof(part), file)))
        copied = fwrite(part, 1, n, copy) == n;
    if (copy && fclose(copy))
        copied = false;
    if (ferror(file))
        rc = complain("cannot read %s: %s", a->value[KIT_WORKLOAD], strerror(errno));
    else if (!copied)
        rc = complain("not enough memory");
    else if (sweep_is(&a->sweep) && !a->sweep.job)
        rc = jobs(s, a);
    else
        rc = settled(s, a, a->sweep.job ?: 1, fileno(file));
    free(a->text);
    return rc;
}

static int with_kit(const struct kit_model *kit, struct kit_args *a)
{
    struct kit_session s = { .kit = kit,
                             .policy = a->value[KIT_POLICY],
                             .workload = a->value[KIT_WORKLOAD],
                             .seed = a->seed,
                             .limit = a->limit };
    char why[KIT_WHY] = "", *path = kit_policy_path(kit, a->value[KIT_POLICY], why);
    FILE *f = stdin;
    int rc, fd;

    free(path);
    if (!path)
        return complain("--policy: %s", why);
    if (strcmp(a->value[KIT_WORKLOAD], "-")) {
        fd = user_file_open(a->value[KIT_WORKLOAD], why, sizeof(why));
        f = fd < 0 ? NULL : fdopen(fd, "r");
        if (!f)
            return complain("cannot read %s: %s", a->value[KIT_WORKLOAD], why);
    }
    rc = workload_copy(&s, a, f);
    if (f != stdin)
        fclose(f);
    return rc;
}

int kit_command(int argc, char **argv)
{
    const struct kit_model *kit = NULL;
    const char *names[NR_KITS + 2];
    char hint[NEAREST_HINT_SIZE];
    struct kit_args a;

    if (!argc || !strcmp(argv[0], "--help") || !strcmp(argv[0], "-h")) {
        kit_help(argc ? stdout : stderr);
        return !argc;
    }
    for (size_t i = 0; i < NR_KITS; i++) {
        names[i] = kits[i]->name;
        if (!strcmp(names[i], argv[0]))
            kit = kits[i];
    }
    names[NR_KITS] = scheduler;
    names[NR_KITS + 1] = merge;
    if (!strcmp(argv[0], merge))
        return merge_command(argc - 1, argv + 1);
    if (!strcmp(argv[0], scheduler)) {
        argv[0] = (char *)(uintptr_t) "kit sched";
        return workbench_main(argc, argv);
    }
    if (!kit)
        return complain("there is no kit \"%.40s\"%s (see: xenlab kit --help)", argv[0],
                        nearest_hint(argv[0], names, NR_KITS + 2, "", hint));
    if (!kit_args_parse(&a, kit, argc - 1, argv + 1))
        return 1;
    if (a.value[KIT_HELP]) {
        help_of(kit, stdout);
        return 0;
    }
    return with_kit(kit, &a);
}
