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

#include "tools/nearest.h"
#include "tools/printable.h"
#include "ui/export/formats.h"
#include "ui/export/trace_read.h"
#include "ui/status.h"

#define ERR_SIZE TRACE_READ_ERR_SIZE

struct arguments {
    const struct export_format *format;
    const char *in, *out; /* out: NULL is standard output */
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

static bool parse_option(struct arguments *a, const char *option, const char *value, char err[ERR_SIZE])
{
    const bool is_from = !strcmp(option, "--from");

    if (strcmp(option, "-o") && !is_from && strcmp(option, "--to"))
        return wrong(err, "trace export: there is no option \"%.40s\" (see: xenlab trace --help)", option);
    if (!value)
        return wrong(err, "trace export: %.40s needs a value", option);
    if (!strcmp(option, "-o"))
        a->out = value;
    else if (!export_place_parse(value, is_from ? &a->from : &a->to))
        return wrong(err, "trace export: \"%.40s\" is no place in a trace: try " EXPORT_RANGE_EXAMPLE, value);
    return true;
}

static bool parse(struct arguments *a, int argc, char *const *argv, char err[ERR_SIZE])
{
    *a = (struct arguments){ 0 };
    if (!argc)
        return wrong(err, "trace: what is to be done with it? (see: xenlab trace --help)");
    if (strcmp(argv[0], "export"))
        return wrong(err, "trace: there is no \"%.40s\", but export (see: xenlab trace --help)", argv[0]);
    for (int i = 1; i < argc; i++) {
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
            return wrong(err, "trace export: \"%.40s\" is one file too many", argv[i]);
        }
    }
    if (!a->format || !a->in)
        return wrong(err, "trace export FORMAT FILE: %s missing (see: xenlab trace --help)",
                     a->format ? "the file is" : "both are");
    return true;
}

/* --- the work --- */

static const char *guest_name(const void *data, size_t i) { return trace_read_guest(data, i); }

/* From the reader to the format. */
static bool copy(const struct arguments *a, struct trace_reader *r, FILE *out, char err[ERR_SIZE])
{
    const struct export_about about = { guest_name, r };
    struct trace_record rec;
    void *state;
    int rc;

    if (trace_read_header(r, err))
        return false;
    state = a->format->begin(out, &about);
    if (!state)
        return wrong(err, "trace export: no memory");
    while ((rc = trace_read(r, &rec, err)) > 0)
        export_record(a->format, state, &rec, &a->from, &a->to);
    if (!a->format->end(state) && rc == 0)
        return wrong(err, "trace export: too little memory for all of it");
    return rc == 0;
}

static bool export_file(const struct arguments *a, FILE *in, FILE *out, char err[ERR_SIZE])
{
    struct trace_reader *r = trace_read_begin(in, strcmp(a->in, "-") ? a->in : "standard input");
    bool good;

    if (!r)
        return wrong(err, "trace export: no memory");
    good = copy(a, r, out, err);
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
        wrong(err, "trace export: %s is nothing for a terminal: -o FILE", a->format->name);
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

int cmd_trace(int argc, char *const *argv)
{
    char err[ERR_SIZE] = "";
    struct arguments a;

    for (int i = 0; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            cmd_trace_help(stdout);
            return STATUS_OK;
        }
    if (parse(&a, argc, argv, err) && export(&a, err))
        return STATUS_OK;
    fprintf(stderr, "xenlab: %s\n", err);
    return STATUS_ENVIRONMENT;
}
