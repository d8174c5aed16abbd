// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab trace`, see ui/cmd_trace.h. */
#include "ui/cmd_trace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/kit/kit.h"
#include "tools/nearest.h"
#include "tools/printable.h"
#include "ui/export/agree.h"
#include "ui/export/formats.h"
#include "ui/export/trace_read.h"
#include "ui/status.h"

#define ERR_SIZE AGREE_WHY

struct arguments {
    const char *command; /* for messages */
    bool to_kit;
    const struct export_format *format;
    const struct kit_model *kit; /* whose workload it is, if its model is asked how far it agrees */
    const char *in, *out;        /* out: NULL is standard output */
    struct export_place from, to;
};

/* --- the command line --- */

void cmd_trace_help(FILE *out)
{
    fputs("Usage: xenlab trace export FORMAT FILE [OPTION]...\n\n"
          "Turns a trace, which xenlab run --trace FILE has written, into what other\n"
          "programs read. FILE may be -, standard input. The formats:\n\n",
          out);
    for (size_t i = 0; export_format_at(i); i++)
        fprintf(out, "  %-9s %s\n", export_format_at(i)->name, export_format_at(i)->help);
    fputs("\n"
          "  -o FILE       write it there, not to standard output\n"
          "  --from PLACE  leave out what was before\n"
          "  --to PLACE    leave out what comes then\n"
          "  -h, --help    this text\n"
          "\n"
          "A PLACE is a position or a virtual time, as " EXPORT_RANGE_EXAMPLE ".\n"
          "A trace that is no trace is refused, with the number of the line.\n"
          "\n"
          "Exit status: 0 if all has been written, else 1.\n"
          "\n"
          "Example:\n"
          "\n"
          "  xenlab run --trace t.json build/guests/rings\n"
          "  xenlab trace export perfetto t.json -o t.perfetto.json\n",
          out);
}

static void workload_help(FILE *out)
{
    fputs("Usage: xenlab kit workload from-trace TRACE [OPTION]...\n\n"
          "Turns a recorded run, which xenlab run --trace TRACE has written, into a\n"
          "workload, so that a policy is tried on what guests did. TRACE may be -.\n"
          "\n"
          "  --kit NAME    sched (the default): vCPUs ran and waited; or\n"
          "                ring: requests, responses and notifications of all rings\n"
          "  -o FILE       write it there, not to standard output\n"
          "  --from PLACE  leave out what was before\n"
          "  --to PLACE    leave out what comes then\n"
          "  -h, --help    this text\n"
          "\n"
          "A PLACE is a position or a virtual time, as " EXPORT_RANGE_EXAMPLE ".\n"
          "At the workload's end stands how far the model and the run agree.\n"
          "\n"
          "Exit status: 0 if all has been written, else 1.\n"
          "\n"
          "Example:\n"
          "\n"
          "  xenlab run --trace t.json --copies 2 --net lan build/guests/netecho\n"
          "  xenlab kit workload from-trace t.json --kit ring -o w.txt\n"
          "  xenlab kit ring --policy event --workload w.txt\n",
          out);
}

const char *cmd_trace_word(size_t i)
{
    static const char *const words[] = { "export", "-o", "--from", "--to" };
    const size_t formats = i - ARRAY_SIZE(words);

    if (i < ARRAY_SIZE(words))
        return words[i];
    return export_format_at(formats) ? export_format_at(formats)->name : NULL;
}

static bool wrong(char err[ERR_SIZE], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool wrong(char err[ERR_SIZE], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err, ERR_SIZE, fmt, ap);
    va_end(ap);
    make_printable(err, strlen(err), false);
    return false;
}

static bool parse_format(struct arguments *a, const char *name, char err[ERR_SIZE])
{
    const char *words[8];
    char hint[NEAREST_HINT_SIZE];
    size_t nr = 0;

    a->format = export_format_find(name);
    if (a->format)
        return true;
    for (; nr < ARRAY_SIZE(words) && export_format_at(nr); nr++)
        words[nr] = export_format_at(nr)->name;
    return wrong(err, "trace export: there is no format \"%.40s\"%s", name, nearest_hint(name, words, nr, "", hint));
}

static const struct {
    const char *kit;
    const struct export_format *format; /* NULL: none can be made, since */
    const char *why;
    const struct kit_model *model;
} workloads[] = {
    { "sched", &export_workload, NULL, NULL },
    { "ring", &export_workload_ring, NULL, &kit_ring },
    { "reclaim", NULL, "which pages a guest touches: of memory it has faults alone", NULL },
    { "precopy", NULL, "which pages a guest stores to", NULL },
    { "memctl", NULL, "how much of its memory a guest uses, and what it swaps", NULL },
    { "tlbflush", NULL, "which pages vCPUs use, and when a page is freed and taken anew", NULL },
    { "shadow", NULL, "the accesses that fill shadows; of page tables it has those stores alone that fault", NULL },
    { "balance", NULL, "caches and nodes, which that kit is about: take --kit sched", NULL },
};

static bool parse_kit(struct arguments *a, const char *name, char err[ERR_SIZE])
{
    const char *names[ARRAY_SIZE(workloads)];
    char hint[NEAREST_HINT_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
        names[i] = workloads[i].kit;
        if (strcmp(name, workloads[i].kit))
            continue;
        a->format = workloads[i].format;
        a->kit = workloads[i].model;
        return a->format || wrong(err,
                                  "%s: a trace makes no workload of the kit %s: it does not have %s (kits that can "
                                  "be had: sched, ring)",
                                  a->command, name, workloads[i].why);
    }
    return wrong(err, "%s: there is no kit \"%.40s\"%s (kits that can be had: sched, ring)", a->command, name,
                 nearest_hint(name, names, ARRAY_SIZE(names), "", hint));
}

static bool parse_option(struct arguments *a, const char *option, const char *value, char err[ERR_SIZE])
{
    const bool is_from = !strcmp(option, "--from");

    const bool is_kit = a->to_kit && !strcmp(option, "--kit");

    if (strcmp(option, "-o") && !is_from && strcmp(option, "--to") && !is_kit)
        return wrong(err, "%s: there is no option \"%.40s\" (see: xenlab %s --help)", a->command, option,
                     a->to_kit ? a->command : "trace");
    if (!value)
        return wrong(err, "%s: %.40s needs a value", a->command, option);
    if (is_kit)
        return parse_kit(a, value, err);
    if (!strcmp(option, "-o"))
        a->out = value;
    else if (!export_place_parse(value, is_from ? &a->from : &a->to))
        return wrong(err, "%s: \"%.40s\" is no place in a trace: try " EXPORT_RANGE_EXAMPLE, a->command, value);
    return true;
}

static bool parse_words(struct arguments *a, int argc, char *const *argv, char err[ERR_SIZE])
{
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1]) {
            if (!parse_option(a, argv[i], i + 1 < argc ? argv[i + 1] : NULL, err))
                return false;
            i++;
        } else if (!a->format) {
            if (!parse_format(a, argv[i], err))
                return false;
        } else if (!a->in) {
            a->in = argv[i];
        } else {
            return wrong(err, "%s: \"%.40s\" is one file too many", a->command, argv[i]);
        }
    }
    return true;
}

static bool parse(struct arguments *a, int argc, char *const *argv, char err[ERR_SIZE])
{
    *a = (struct arguments){ .command = "trace export" };
    if (!argc)
        return wrong(err, "trace: what is to be done with it? (see: xenlab trace --help)");
    if (strcmp(argv[0], "export"))
        return wrong(err, "trace: there is no \"%.40s\", but export (see: xenlab trace --help)", argv[0]);
    if (!parse_words(a, argc - 1, argv + 1, err))
        return false;
    if (!a->format || !a->in)
        return wrong(err, "trace export FORMAT FILE: %s missing (see: xenlab trace --help)",
                     a->format ? "the file is" : "both are");
    return true;
}

static bool parse_workload(struct arguments *a, int argc, char *const *argv, char err[ERR_SIZE])
{
    *a = (struct arguments){ .command = "kit workload from-trace", .to_kit = true, .format = &export_workload };
    if (!parse_words(a, argc, argv, err))
        return false;
    return a->in || wrong(err, "%s TRACE: the file is missing (see: xenlab %s --help)", a->command, a->command);
}

/* --- the work --- */

static const char *guest_name(const void *data, size_t i) { return trace_read_guest(data, i); }

/* From the reader to the format. */
static bool copy(const struct arguments *a, struct trace_reader *r, FILE *out, struct export_figure **figure,
                 size_t *nr, char err[ERR_SIZE])
{
    const struct export_format *f = a->format;
    const struct export_about about = { guest_name, r };
    struct trace_record rec;
    const char *lacks;
    void *state;
    int rc;

    if (trace_read_header(r, err))
        return false;
    state = f->begin(out, &about);
    if (!state)
        return wrong(err, "%s: no memory", a->command);
    while ((rc = trace_read(r, &rec, err)) > 0)
        export_record(f, state, &rec, &a->from, &a->to);
    lacks = rc == 0 && a->to_kit && f->lacks ? f->lacks(state) : NULL;
    if (lacks)
        rc = wrong(err, "%.80s: %s", a->in, lacks) ? 0 : -1;
    else if (rc == 0 && f->figures)
        *nr = f->figures(state, figure);
    if (!f->end(state) && rc == 0)
        return wrong(err, "%s: too little memory for all of it", a->command);
    return rc == 0;
}

/* As copy(). A workload is written if it is whole, and a kit's is tried before. */
static bool copy_to_kit(const struct arguments *a, struct trace_reader *r, FILE *out, char err[ERR_SIZE])
{
    struct export_figure *figure = NULL;
    char *text = NULL;
    size_t size = 0, nr = 0;
    FILE *mem = a->to_kit ? open_memstream(&text, &size) : out;
    bool good = mem ? copy(a, r, mem, &figure, &nr, err) : wrong(err, "%s: no memory", a->command);

    if (mem && mem != out && fclose(mem) && good)
        good = wrong(err, "%s: no memory", a->command);
    if (good && a->kit)
        good = agree_write(a->kit, text, size, figure, nr, out, err);
    else if (good && a->to_kit)
        fwrite(text, 1, size, out); /* errors are the stream's */
    free(text);
    free(figure);
    return good;
}

static bool export_file(const struct arguments *a, FILE *in, FILE *out, char err[ERR_SIZE])
{
    struct trace_reader *r = trace_read_begin(in, strcmp(a->in, "-") ? a->in : "standard input");
    bool good;

    if (!r)
        return wrong(err, "%s: no memory", a->command);
    good = copy_to_kit(a, r, out, err);
    trace_read_end(r);
    if (good && (fflush(out) || ferror(out)))
        good = wrong(err, "%.80s: %s", a->out ? a->out : "standard output", strerror(errno));
    return good;
}

/* Not the file that is being read: it would be empty. */
static bool is_same(FILE *in, const char *path)
{
    struct stat a, b;

    return !fstat(fileno(in), &a) && !stat(path, &b) && S_ISREG(a.st_mode) && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* A file that did not come out whole is none. */
static void drop(const char *path)
{
    struct stat st;

    if (!stat(path, &st) && S_ISREG(st.st_mode))
        unlink(path);
}

static bool export(const struct arguments *a, char err[ERR_SIZE])
{
    FILE *in = strcmp(a->in, "-") ? fopen(a->in, "re") : stdin, *out = stdout;
    bool good = false;

    if (!in)
        return wrong(err, "%.80s: %s", a->in, strerror(errno));
    if (a->out && is_same(in, a->out))
        wrong(err, "%.80s: is the trace that is to be read", a->out);
    else if (!a->out && !a->format->is_text && isatty(STDOUT_FILENO))
        wrong(err, "%s: %s is nothing for a terminal: -o FILE", a->command, a->format->name);
    else if (a->out && !(out = fopen(a->out, "we")))
        wrong(err, "%.80s: %s", a->out, strerror(errno));
    else
        good = export_file(a, in, out, err);
    if (a->out && out) {
        if (out != stdout && fclose(out) && good)
            good = wrong(err, "%.80s: %s", a->out, strerror(errno));
        if (out != stdout && !good)
            drop(a->out);
    }
    if (in != stdin)
        fclose(in);
    return good;
}

static bool wants_help(int argc, char *const *argv)
{
    for (int i = 0; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return true;
    return false;
}

static int done(bool good, const char *err)
{
    if (!good)
        fprintf(stderr, "xenlab: %s\n", err);
    return good ? STATUS_OK : STATUS_ENVIRONMENT;
}

int cmd_trace(int argc, char *const *argv)
{
    char err[ERR_SIZE] = "";
    struct arguments a;

    if (wants_help(argc, argv)) {
        cmd_trace_help(stdout);
        return STATUS_OK;
    }
    return done(parse(&a, argc, argv, err) && export(&a, err), err);
}

int cmd_trace_workload(int argc, char *const *argv)
{
    char err[ERR_SIZE] = "";
    struct arguments a;

    if (wants_help(argc, argv)) {
        workload_help(stdout);
        return STATUS_OK;
    }
    return done(parse_workload(&a, argc, argv, err) && export(&a, err), err);
}
