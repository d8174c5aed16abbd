// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab compare`, the command line: see ui/compare/compare.h. */
#include "ui/cmd_compare.h"

#include "tools/printable.h"
#include "tools/units.h"
#include "ui/compare/compare.h"
#include "ui/compare/host_type.h"
#include "ui/compare/paging.h"
#include "ui/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TECHNIQUES 16

struct arguments {
    const char *guest, *costs, *out, *seed, *path, *segments;
    bool json, svg, no_host_time, host_type, paging, help;
};

void cmd_compare_help(FILE *out)
{
    fputs("Usage: xenlab compare GUEST [OPTION]...\n"
          "       xenlab compare --paging GUEST|CFG [OPTION]...\n"
          "       xenlab compare --host-type TRACE [--path CLASS] [OPTION]...\n\n"
          "Runs one kernel once by each technique of virtualization, and prints what it\n"
          "took: exits by kind, page-table entries, and what that would cost. GUEST is a\n"
          "folder with NAME.native, a kernel for a processor of its own, and NAME.pv, the\n"
          "same for Xen: build/guests/five (guests/five/README.md). The techniques:\n\n",
          out);
    for (size_t i = 0; technique_at(i); i++)
        fprintf(out, "  %-17s kernel at %s, of NAME.%s\n", technique_at(i)->name, technique_at(i)->kernel_at,
                technique_at(i)->binary);
    fputs("\n"
          "  --costs FILE     prices of the model, lines of \"NAME NS\": the table shows\n"
          "                   those that count\n"
          "  --seed N         of the machine's random numbers (0)\n"
          "  --segments HOW   of the guests: exact or fast, as of xenlab run (fast)\n"
          "  --json           print it for programs\n"
          "  --svg            print it as a picture\n"
          "  --no-host-time   leave out what differs from run to run\n"
          "  -o FILE          write it there, not to standard output\n"
          "  --paging         how its memory is virtualized: as a PV guest, nested, and by\n"
          "                   shadow page tables; CFG: of a kernel that can be PV and PVH.\n"
          "                   Page faults by kind, writes to tables, misses of the TLB\n"
          "  --host-type      instead of a guest, TRACE: from a run of an HVM guest\n"
          "                   (xenlab run --trace TRACE; not with --device-model xen, which\n"
          "                   nobody is told of). What its exits would lead to on a type 1\n"
          "                   host, in a kernel, on a host: transitions, and ns of a model\n"
          "  --path CLASS     of such hosts the steps of one exit: cpu, hypercall, posted,\n"
          "                   device, interrupt, halt; needs no trace\n"
          "  -h, --help       this text\n"
          "\n"
          "A hash is WRONG if the kernel saw something else than under hardware's help.\n"
          "Counts are facts; what is marked with * is a model.\n"
          "\n"
          "Exit status: 0 if all have come to their end, 2 if one has not, else 1.\n"
          "\n"
          "Example:\n"
          "\n"
          "  xenlab compare build/guests/five\n",
          out);
}

const char *cmd_compare_word(size_t i)
{
    static const char *const words[] = { "--costs",     "--seed", "--json", "--svg",    "--no-host-time", "-o",
                                         "--host-type", "--path", "--help", "--paging", "--segments" };

    return i < ARRAY_SIZE(words) ? words[i] : NULL;
}

static int parse(struct arguments *a, int argc, char *const *argv, char err[COMPARE_ERR_SIZE])
{
    const struct {
        const char *name;
        const char **value;
        bool *flag;
    } options[] = {
        { "--costs", &a->costs, NULL }, { "--seed", &a->seed, NULL },     { "-o", &a->out, NULL },
        { "--json", NULL, &a->json },   { "--svg", NULL, &a->svg },       { "--no-host-time", NULL, &a->no_host_time },
        { "--help", NULL, &a->help },   { "-h", NULL, &a->help },         { "--host-type", NULL, &a->host_type },
        { "--path", &a->path, NULL },   { "--paging", NULL, &a->paging }, { "--segments", &a->segments, NULL },
    };

    for (int i = 0; i < argc; i++) {
        size_t o = 0;

        while (o < ARRAY_SIZE(options) && strcmp(argv[i], options[o].name))
            o++;
        if (o < ARRAY_SIZE(options) && options[o].flag) {
            *options[o].flag = true;
        } else if (o < ARRAY_SIZE(options) && ++i < argc) {
            *options[o].value = argv[i];
        } else if (o < ARRAY_SIZE(options)) {
            snprintf(err, COMPARE_ERR_SIZE, "%s: a value is missing", options[o].name);
            return -1;
        } else if ((argv[i][0] == '-' && argv[i][1]) || a->guest) {
            snprintf(err, COMPARE_ERR_SIZE,
                     argv[i][0] == '-' ? "compare has no option \"%.100s\" (see: xenlab compare --help)"
                                       : "compare takes one guest, not \"%.100s\" as well",
                     argv[i]);
            return -1;
        } else {
            a->guest = argv[i];
        }
    }
    if (a->host_type && (a->costs || a->seed || a->segments || a->no_host_time))
        snprintf(err, COMPARE_ERR_SIZE,
                 "--host-type has no --costs, --seed, --segments, --no-host-time: nothing is run");
    else if (a->path && (!a->host_type || a->guest || a->json || a->svg))
        snprintf(err, COMPARE_ERR_SIZE, "--path goes with --host-type alone, as text: it needs no trace");
    else if (a->path && model_class_find(a->path) == MODEL_NR_CLASSES)
        snprintf(err, COMPARE_ERR_SIZE,
                 "--path: there is no class \"%.100s\" (cpu, hypercall, posted, device, interrupt, halt)", a->path);
    else if (a->host_type && !a->guest && !a->path && !a->help)
        snprintf(err, COMPARE_ERR_SIZE, "--host-type: of which trace? (xenlab run --trace FILE makes one)");
    else if (!a->guest && !a->help && !a->path)
        snprintf(err, COMPARE_ERR_SIZE, "compare which guest? (xenlab compare build/guests/five)");
    else if (a->paging && (a->host_type || a->costs))
        snprintf(err, COMPARE_ERR_SIZE, "--paging has no --host-type, --costs: it counts");
    else if (a->json && a->svg)
        snprintf(err, COMPARE_ERR_SIZE, "--json, or --svg");
    return *err ? -1 : 0;
}

static bool seed_read(const char *text, uint64_t *seed, char err[COMPARE_ERR_SIZE])
{
    char *end;

    *seed = 0;
    if (!text)
        return true;
    errno = 0;
    *seed = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && !*end && !errno)
        return true;
    snprintf(err, COMPARE_ERR_SIZE, "--seed: \"%.50s\" is no number", text);
    return false;
}

static void write_hosts(const struct arguments *a, const struct host_list *l, FILE *out)
{
    if (a->path)
        host_type_path(model_class_find(a->path), out);
    else
        (a->json ? host_type_json : a->svg ? host_type_svg : host_type_text)(l, out);
}

/* t: a table, l: a list of exits, or p. */
static int print(const struct arguments *a, const struct compare_table *t, const struct host_list *l,
                 const struct paging_run *p, FILE *out, char err[COMPARE_ERR_SIZE])
{
    FILE *f = a->out ? fopen(a->out, "we") : out;
    bool good = f;

    if (f && p)
        (a->json ? paging_json : a->svg ? paging_svg : paging_text)(p, !a->no_host_time, f);
    else if (f && a->host_type)
        write_hosts(a, l, f);
    else if (f && a->json)
        compare_json(t, f);
    else if (f && a->svg)
        compare_svg(t, f);
    else if (f)
        compare_text(t, f);
    good = f && fflush(f) == 0 && !ferror(f);
    if (f && f != out)
        good &= fclose(f) == 0;
    if (!good)
        snprintf(err, COMPARE_ERR_SIZE, "%.500s: %s", a->out ? a->out : "standard output", strerror(errno));
    return good ? 0 : -1;
}

static int compare(const struct arguments *a, FILE *out, char err[COMPARE_ERR_SIZE])
{
    struct compare_run runs[MAX_TECHNIQUES];
    struct compare_costs costs;
    struct compare_table t = { .guest = a->guest, .costs = &costs, .runs = runs, .host_time = !a->no_host_time };
    int status = STATUS_OK;

    costs_default(&costs);
    if (!seed_read(a->seed, &t.seed, err) || (a->costs && costs_read(&costs, a->costs, err)))
        return STATUS_ENVIRONMENT;
    for (; t.nr < MAX_TECHNIQUES && technique_at(t.nr); t.nr++) {
        const struct compare_input in = { a->guest, t.seed, a->segments };

        if (compare_try(&runs[t.nr], technique_at(t.nr), &in, &costs, err))
            return STATUS_ENVIRONMENT;
        if (!runs[t.nr].done)
            status = STATUS_CRASHED;
    }
    return print(a, &t, NULL, NULL, out, err) ? STATUS_ENVIRONMENT : status;
}

static int compare_hosts(const struct arguments *a, FILE *out, char err[COMPARE_ERR_SIZE])
{
    struct host_list l;

    if ((a->guest && host_list_read(&l, a->guest, err)) || print(a, NULL, &l, NULL, out, err))
        return STATUS_ENVIRONMENT;
    return STATUS_OK;
}

static int compare_paging(const struct arguments *a, FILE *out, char err[COMPARE_ERR_SIZE])
{
    struct paging_run runs[PAGING_WAYS];
    struct compare_input in = { .guest = a->guest, .segments = a->segments };

    if (!seed_read(a->seed, &in.seed, err) || paging_try(runs, &in, err) || print(a, NULL, NULL, runs, out, err))
        return STATUS_ENVIRONMENT;
    for (unsigned int i = 0; i < PAGING_WAYS; i++)
        if (!runs[i].over)
            return STATUS_CRASHED;
    return STATUS_OK;
}

int cmd_compare(int argc, char *const *argv, FILE *out)
{
    struct arguments a = { 0 };
    char err[COMPARE_ERR_SIZE] = "";
    int status = STATUS_ENVIRONMENT;

    if (parse(&a, argc, argv, err) == 0) {
        if (a.help) {
            cmd_compare_help(out);
            return STATUS_OK;
        }
        status = a.paging      ? compare_paging(&a, out, err)
                 : a.host_type ? compare_hosts(&a, out, err)
                               : compare(&a, out, err);
    }
    make_printable(err, strlen(err), false);
    if (err[0])
        fprintf(stderr, "xenlab: %s\n", err);
    return status;
}
