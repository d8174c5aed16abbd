// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab kit`: the command line, and one run.
 *
 * Concept: kit + algorithm + workload -> figures. The same three, and the same seed, always give the same output, byte
 * for byte. Every mistake is answered with what would be right.
 */
#include "tools/kit/expect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tools/nearest.h"
#include "tools/printable.h"
#include "tools/user_file.h"

static const struct kit_model *const kits[] = { &kit_memctl, &kit_precopy };
#define LOST    4 /* the exit status: something that is expected does not hold */
#define NR_KITS (sizeof(kits) / sizeof(*kits))

enum key { POLICY, WORKLOAD, EXPECT, SEED, JSON, SVG, LIMIT, ASKED, HELP, NR_KEYS };
static const struct {
    const char *name, *value; /* value NULL: takes none */
} options[NR_KEYS] = {
    [POLICY] = { "--policy", "./POLICY.so" },
    [WORKLOAD] = { "--workload", "FILE" },
    [EXPECT] = { "--expect", "FILE" },
    [SEED] = { "--seed", "N" },
    [JSON] = { "--json", NULL },
    [SVG] = { "--svg", "FILE" },
    [LIMIT] = { "--limit", "SECONDS" },
    [ASKED] = { "--asked", "FILE" },
    [HELP] = { "--help", NULL },
};

struct args {
    const char *value[NR_KEYS]; /* as given; NULL: it was not */
    uint64_t seed;
    unsigned int limit;
    struct user_file_output svg, asked;
};

/* Whose figures are looked at on the way. */
struct looked {
    const struct kit_model *kit;
    const void *model;
    struct kit_expects *x;
};

static int __attribute__((format(printf, 1, 2))) complain(const char *fmt, ...)
{
    char text[1200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    make_printable(text, strlen(text), true);
    fflush(stdout);
    fprintf(stderr, "xenlab: %s\n", text);
    return 1;
}

/* --- help --- */

const char *kit_word(size_t i)
{
    return i < NR_KITS ? kits[i]->name : i - NR_KITS < HELP ? options[i - NR_KITS].name : NULL;
}

void kit_help(FILE *f)
{
    fprintf(f, "Usage: xenlab kit KIT --policy ./POLICY.so --workload FILE [OPTION]...\n"
               "       xenlab kit KIT --help    its figures, and an example\n"
               "\n"
               "An algorithm of a hypervisor's, in a model of the rest of the machine:\n"
               "\n");
    for (size_t i = 0; i < NR_KITS; i++)
        fprintf(f, "  %-10s %s\n", kits[i]->name, kits[i]->what);
    fprintf(f,
            "\n"
            "  --policy   a shared object that exports `const struct KIT_ops xenlab_KIT_ops`\n"
            "             (include/xenlab/kit.h, docs/kits.md)\n"
            "  --workload what happens; - is standard input\n"
            "  --expect FILE  lines `expect FIGURE [SUBJECT] OP VALUE[UNIT]`, as a workload\n"
            "             may have them; where one does not hold the exit status is 4\n"
            "  --seed N   of the workload's random numbers; default 1\n"
            "  --json     print JSON instead of a table\n"
            "  --svg FILE write a chart\n"
            "  --limit S  seconds of CPU time for one call into the object; default %d\n"
            "  --asked FILE  what it was asked, for a debugger:\n"
            "             gdb --args xenlab-kit ./POLICY.so FILE\n",
            GUARDED_LIMIT);
}

static void help_of(const struct kit_model *kit, FILE *f)
{
    fprintf(f, "xenlab kit %s: %s\n\nFigures:\n\n", kit->name, kit->what);
    for (const struct kit_figure *g = kit->figures; g->name; g++)
        fprintf(f, "  %-12s %-6s %s\n", g->name, g->unit, g->what);
    fprintf(f, "\nExample:\n\n  xenlab kit %s --policy ./POLICY.so --workload %s\n\nOptions: xenlab kit --help\n",
            kit->name, kit->example);
}

/* --- options --- */

static bool number(const struct args *a, enum key key, uint64_t least, uint64_t most, uint64_t *n)
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

/* One option; *used: whether its value is the next argument. */
static bool argument(struct args *a, const char *arg, const char *next, bool *used)
{
    const size_t len = strcspn(arg, "=");
    const char *names[NR_KEYS], *value = arg[len] ? arg + len + 1 : NULL;
    char name[48], hint[NEAREST_HINT_SIZE];

    *used = false;
    for (unsigned int i = 0; i < NR_KEYS; i++) {
        names[i] = options[i].name;
        if ((strlen(names[i]) != len || memcmp(names[i], arg, len)) && (i != HELP || strcmp(arg, "-h")))
            continue;
        if (!options[i].value && value)
            return complain("%s takes no value", names[i]) < 0;
        *used = options[i].value && !value;
        a->value[i] = !options[i].value ? "" : value ? value : next;
        if (!a->value[i])
            return complain("%s needs a value: %s %s", names[i], names[i], options[i].value) < 0;
        return !options[i].value || *a->value[i] || complain("%s: the value is empty", names[i]) < 0;
    }
    snprintf(name, sizeof(name), "%.*s", (int)len, arg);
    if (arg[0] != '-')
        return complain("\"%.60s\" belongs to no option; a workload is named by --workload FILE", arg) < 0;
    return complain("there is no option %s%s (see: xenlab kit --help)", name,
                    nearest_hint(name, names, NR_KEYS, "", hint)) < 0;
}

static bool arguments(struct args *a, const struct kit_model *kit, int argc, char **argv)
{
    uint64_t limit = GUARDED_LIMIT;
    bool used;

    *a = (struct args){ .seed = 1 };
    for (int i = 0; i < argc; i += 1 + used)
        if (!argument(a, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used))
            return false;
        else if (a->value[HELP])
            return true;
    if (!number(a, SEED, 0, UINT64_MAX, &a->seed) || !number(a, LIMIT, 1, GUARDED_MAX_LIMIT, &limit))
        return false;
    a->limit = (unsigned int)limit;
    if (!a->value[POLICY])
        return complain("which algorithm? --policy ./POLICY.so (see: xenlab kit --help)") < 0;
    if (!a->value[WORKLOAD])
        return complain("which workload? --workload FILE, such as %s (see: xenlab kit --help)", kit->example) < 0;
    return !a->value[SVG] || strcmp(a->value[SVG], "-") ||
           complain("--svg: standard output is the report's; name a file") < 0;
}

/* --- one run --- */

static int svg_write(const struct kit_model *kit, const void *model, const struct kit_asked *asked,
                     const struct args *a)
{
    FILE *f = user_file_output_start(&a->svg);
    char title[320];
    bool lost;

    if (!f)
        return complain("cannot write %s: %s", a->value[SVG], strerror(errno));
    snprintf(title, sizeof(title), "%s: %s, %.120s, seed %llu", kit->name, asked->name,
             strcmp(a->value[WORKLOAD], "-") ? a->value[WORKLOAD] : "standard input", (unsigned long long)a->seed);
    kit->svg(model, f, title);
    lost = ferror(f);
    return fclose(f) || lost ? complain("cannot write %s: %s", a->value[SVG], strerror(errno)) : 0;
}

static int report(const struct kit_model *kit, const void *model, const struct kit_asked *asked, const struct args *a,
                  struct kit_expects *x)
{
    const struct kit_run run = { kit->name, asked->name, a->value[WORKLOAD], a->seed };
    struct kit_metrics list = { .nr = 0 };

    kit->metrics(model, &list);
    kit_expects_judge(x, &list, asked->now);
    if (a->value[JSON]) {
        kit_json(&list, &run, stdout);
        kit_expects_json(x, &list, stdout);
        fputs("}\n", stdout);
    } else {
        kit_table(&list, stdout);
        kit_expects_table(x, &list, stdout);
    }
    free(list.metric);
    if (fflush(stdout) || ferror(stdout))
        return complain("standard output: %s", strerror(errno));
    return kit_expects_lost(x) ? LOST : 0;
}

/* Since when does something not hold? */
static void look(struct kit_asked *asked, void *data)
{
    const struct looked *l = data;
    struct kit_metrics list = { .nr = 0 };

    l->kit->metrics(l->model, &list);
    kit_expects_judge(l->x, &list, asked->now);
    free(list.metric);
}

/* `file`: what it is asked; NULL: it is not wanted. */
static int ask(struct kit_asked *asked, const struct kit_model *kit, void *model, const struct args *a,
               struct kit_expects *x, FILE *file)
{
    struct looked l = { kit, model, x };

    if (kit_start(asked, kit, a->value[POLICY], a->limit, a->seed, file)) {
        asked->look = look, asked->data = &l;
        kit->run(model, asked);
    }
    kit_end(asked);
    if (file && (fflush(file) | ferror(file) | fclose(file)))
        return complain("cannot write %s: %s", a->value[ASKED], strerror(errno));
    return asked->rc;
}

static int run(const struct kit_model *kit, void *model, const struct args *a, struct kit_expects *x)
{
    struct kit_asked *asked = calloc(1, sizeof(*asked));
    FILE *file = NULL;
    int rc;

    if (!asked)
        return complain("not enough memory");
    if (a->value[ASKED] && !(file = user_file_output_start(&a->asked))) {
        free(asked);
        return complain("cannot write %s: %s", a->value[ASKED], strerror(errno));
    }
    rc = ask(asked, kit, model, a, x, file);
    if (asked->gone)
        complain("policy %s %s", a->value[POLICY], asked->why);
    else if (!rc)
        rc = report(kit, model, asked, a, x);
    if (a->value[SVG] && !(asked->gone && asked->rc == 1)) { /* up to where it was gone */
        const int drawn = svg_write(kit, model, asked, a);

        rc = rc ? rc : drawn;
    }
    free(asked);
    return rc;
}

/* A chart, if one is wanted, has its place before the run. */
static int with_expects(const struct kit_model *kit, void *model, struct args *a, struct kit_expects *x, int fd)
{
    char why[KIT_WHY];
    int rc;

    if (a->value[ASKED] && user_file_is_open(a->value[ASKED], fd))
        return complain("--asked: %s is the workload: what is written would take its place", a->value[ASKED]);
    if (a->value[ASKED] && user_file_output_open(&a->asked, a->value[ASKED], why, sizeof(why)))
        return complain("cannot write %s: %s", a->value[ASKED], why);
    if (a->value[SVG] && user_file_is_open(a->value[SVG], fd))
        return complain("--svg: %s is the workload: the chart would take its place", a->value[SVG]);
    if (a->value[SVG] && user_file_output_open(&a->svg, a->value[SVG], why, sizeof(why)))
        return complain("cannot write %s: %s", a->value[SVG], why);
    rc = run(kit, model, a, x);
    if (a->value[SVG])
        user_file_output_close(&a->svg, a->value[SVG]);
    if (a->value[ASKED])
        user_file_output_close(&a->asked, a->value[ASKED]);
    return rc;
}

/* Those of the workload, and of --expect's file. */
static bool expects_read(const struct kit_model *kit, const void *model, const struct args *a, FILE *workload,
                         struct kit_expects *x)
{
    const char *file = a->value[EXPECT];
    struct kit_metrics list = { .nr = 0 };
    char why[KIT_WHY] = "";
    FILE *f = NULL;
    int fd = 0;
    bool ok;

    kit->metrics(model, &list);
    ok = kit_expects_read(x, workload, a->value[WORKLOAD], true, kit, &list, why) ||
         complain("%s:%s", a->value[WORKLOAD], why) < 0;
    if (ok && file) {
        fd = user_file_open(file, why, sizeof(why));
        f = fd < 0 ? NULL : fdopen(fd, "r");
        ok = f ? kit_expects_read(x, f, file, false, kit, &list, why) || complain("%s:%s", file, why) < 0
               : complain("cannot read %s: %s", file, why) < 0;
    }
    if (f)
        fclose(f);
    free(list.metric);
    return ok;
}

/* f is the workload in memory, fd its file. */
static int with_workload(const struct kit_model *kit, struct args *a, FILE *f, int fd)
{
    struct kit_expects x = { .nr = 0 };
    char why[KIT_WHY] = "";
    void *model = kit->load(f, a->seed, why);
    int rc = 1;

    if (!model)
        return complain("%s:%s", a->value[WORKLOAD], why);
    rewind(f);
    if (expects_read(kit, model, a, f, &x))
        rc = with_expects(kit, model, a, &x, fd);
    kit_expects_free(&x);
    kit->free(model);
    return rc;
}

/* It is read twice, and may be a pipe. */
static int workload_copy(const struct kit_model *kit, struct args *a, FILE *file)
{
    char *text = NULL, part[4096];
    size_t size = 0, n;
    FILE *copy = open_memstream(&text, &size), *f = NULL;
    bool copied = copy;
    int rc;

    while (copied && (n = fread(part, 1, sizeof(part), file)))
        copied = fwrite(part, 1, n, copy) == n;
    if (copy && fclose(copy))
        copied = false;
    if (ferror(file))
        rc = complain("cannot read %s: %s", a->value[WORKLOAD], strerror(errno));
    else if (!copied || !(f = fmemopen(text, size, "r")))
        rc = complain("not enough memory");
    else
        rc = with_workload(kit, a, f, fileno(file));
    if (f)
        fclose(f);
    free(text);
    return rc;
}

int kit_command(int argc, char **argv)
{
    const struct kit_model *kit = NULL;
    const char *names[NR_KITS];
    char why[KIT_WHY], hint[NEAREST_HINT_SIZE];
    struct args a;
    FILE *f = stdin;
    int rc, fd;

    if (!argc || !strcmp(argv[0], "--help") || !strcmp(argv[0], "-h")) {
        kit_help(argc ? stdout : stderr);
        return !argc;
    }
    for (size_t i = 0; i < NR_KITS; i++) {
        names[i] = kits[i]->name;
        if (!strcmp(names[i], argv[0]))
            kit = kits[i];
    }
    if (!kit)
        return complain("there is no kit \"%.40s\"%s (see: xenlab kit --help)", argv[0],
                        nearest_hint(argv[0], names, NR_KITS, "", hint));
    if (!arguments(&a, kit, argc - 1, argv + 1))
        return 1;
    if (a.value[HELP]) {
        help_of(kit, stdout);
        return 0;
    }
    if (strcmp(a.value[WORKLOAD], "-")) {
        fd = user_file_open(a.value[WORKLOAD], why, sizeof(why));
        f = fd < 0 ? NULL : fdopen(fd, "r");
        if (!f)
            return complain("cannot read %s: %s", a.value[WORKLOAD], why);
    }
    rc = workload_copy(kit, &a, f);
    if (f != stdin)
        fclose(f);
    return rc;
}
