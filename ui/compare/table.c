// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of a comparison, as text, JSON and SVG. All say of each column whether it is a fact or the model's.
 */
#include "ui/compare/compare.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define TOP_KINDS 5u

/* What a processor of one's own gives: the row of hardware. */
static const struct compare_run *reference(const struct compare_table *t)
{
    for (size_t i = 0; i < t->nr; i++)
        if (t->runs[i].technique->own_probes && t->runs[i].done && strstr(t->runs[i].technique->name, "hardware"))
            return &t->runs[i];
    return NULL;
}

/* Is what the i-th run said not what hardware says? */
static bool is_wrong(const struct compare_table *t, size_t i)
{
    const struct compare_run *r = reference(t);

    return !t->runs[i].done || (r && t->runs[i].hash != r->hash);
}

static bool probes_wrong(const struct compare_table *t, size_t i)
{
    const struct compare_run *r = reference(t);

    return t->runs[i].technique->own_probes && r && t->runs[i].probes != r->probes;
}

/* The most frequent kinds: "io 1664, npf 175". */
static void kinds_text(const struct compare_run *r, char *text, size_t size)
{
    uint64_t left[EXIT_NR_KINDS];
    size_t n = 0;

    text[0] = '\0';
    memcpy(left, r->kind, sizeof(left));
    for (unsigned int i = 0; i < TOP_KINDS && n < size; i++) {
        unsigned int most = 0;

        for (unsigned int k = 1; k < EXIT_NR_KINDS; k++)
            if (left[k] > left[most])
                most = k;
        if (!left[most])
            break;
        n += (size_t)snprintf(text + n, size - n, "%s%s %" PRIu64, i ? ", " : "", sim_exit_name(most), left[most]);
        left[most] = 0;
    }
    if (!n)
        snprintf(text, size, "no exits: nothing of the guest's runs");
}

/* What a row says of the hash, and of the probes. */
static void verdicts(const struct compare_table *t, size_t i, char hash[40], char probes[40])
{
    const struct compare_run *r = &t->runs[i];

    if (r->done)
        snprintf(hash, 40, "%016" PRIx64 "%s", r->hash, is_wrong(t, i) ? " WRONG" : "");
    else
        snprintf(hash, 40, "not done: WRONG");
    if (r->technique->own_probes)
        snprintf(probes, 40, probes_wrong(t, i) ? "%u of %u WRONG" : "a processor's", r->nr_holes, r->nr_probes);
    else
        snprintf(probes, 40, "Xen's");
}

/* References a miss, and those of the book. */
static void refs_text(const struct compare_run *r, char *text, size_t size)
{
    if (r->misses)
        snprintf(text, size, "%.1f of %u", (double)r->refs / (double)r->misses, r->technique->refs_book);
    else
        snprintf(text, size, "-");
}

void compare_text(const struct compare_table *t, FILE *out)
{
    const bool red = isatty(fileno(out));
    char hash[40], probes[40], refs[24], kinds[200];

    fprintf(out, "%s, once by each technique (seed %" PRIu64 ")\n\n", t->guest, t->seed);
    fprintf(out, "%-17s %-6s  %-16s %-14s %12s %8s %7s %7s %11s %9s %11s %12s%s\n", "technique", "kernel", "hash",
            "probes", "instructions", "exits", "tables", "misses", "x refs", "walk ns*", "VMM ns*", "virtual ns*",
            t->host_time ? "  host ms" : "");
    for (size_t i = 0; i < t->nr; i++) {
        const struct compare_run *r = &t->runs[i];
        const bool wrong = is_wrong(t, i) || probes_wrong(t, i);

        verdicts(t, i, hash, probes);
        refs_text(r, refs, sizeof(refs));
        fprintf(out, "%-17s %-6s  %s%-16s %-14s%s %12" PRIu64 " %8" PRIu64 " %7" PRIu64 " %7" PRIu64 " %11s %9" PRIu64,
                r->technique->name, r->technique->kernel_at, red && wrong ? "\33[31m" : "", hash, probes,
                red && wrong ? "\33[0m" : "", r->insns, r->exits, r->table_writes, r->misses, refs, r->walk_ns);
        fprintf(out, " %11" PRIu64 " %12" PRId64, r->vmm_ns, r->vtime);
        if (t->host_time)
            fprintf(out, " %8.1f", (double)r->host_time / 1e6);
        kinds_text(r, kinds, sizeof(kinds));
        fprintf(out, "\n%26s%s\n", "", kinds);
        if (probes_wrong(t, i))
            fprintf(out, "%26sWRONG: %s\n", "", r->holes);
    }
    fprintf(out,
            "\nFacts, the same in each run: hash, probes, instructions (of translation those of the copy, which\n"
            "has more), exits by kind, tables (entries of page tables that Xen was asked for, or stored in the\n"
            "guest's place), misses of this machine's TLB, and the entries that each read, of those by the\n"
            "book.%s\n"
            "* The model: walk ns (entries times their cost), VMM ns (exits times costs), virtual ns (the clock of\n"
            "this machine: 1 ns an instruction, 500 an exit). Costs in ns:\n",
            t->host_time ? " Host time is a fact about this simulator." : "");
    for (unsigned int c = 0; c < COSTS; c++)
        fprintf(out, "  %-10s %5" PRIu64 "  %s\n", cost_name(c), t->costs->ns[c], cost_what(c));
}

static void json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ')
            fprintf(out, "\\u%04x", (unsigned char)*text);
        else
            fputc(*text, out);
    fputc('"', out);
}

void compare_json(const struct compare_table *t, FILE *out)
{
    fputs("{\"guest\": ", out);
    json_text(out, t->guest);
    fprintf(out, ", \"seed\": %" PRIu64 ", \"costs\": {", t->seed);
    for (unsigned int c = 0; c < COSTS; c++)
        fprintf(out, "%s\"%s\": %" PRIu64, c ? ", " : "", cost_name(c), t->costs->ns[c]);
    fputs("}, \"model\": [\"walk_ns\", \"vmm_ns\", \"virtual_ns\"], \"techniques\": [", out);
    for (size_t i = 0; i < t->nr; i++) {
        const struct compare_run *r = &t->runs[i];
        bool first = true;

        fprintf(out, "%s\n  {\"technique\": \"%s\", \"kernel\": \"%s\", \"done\": %s, \"hash\": \"%016" PRIx64 "\", ",
                i ? "," : "", r->technique->name, r->technique->kernel_at, r->done ? "true" : "false", r->hash);
        fprintf(out, "\"wrong\": %s, \"probes\": \"%016" PRIx64 "\", \"probes_wrong\": %s, ",
                is_wrong(t, i) ? "true" : "false", r->probes, probes_wrong(t, i) ? "true" : "false");
        fprintf(out, "\"probes_made\": %u, \"holes\": ", r->nr_probes);
        json_text(out, r->holes);
        fputs(", ", out);
        fprintf(out, "\"instructions\": %" PRIu64 ", \"exits\": %" PRIu64 ", \"kinds\": {", r->insns, r->exits);
        for (unsigned int k = 0; k < EXIT_NR_KINDS; k++)
            if (r->kind[k]) {
                fprintf(out, "%s\"%s\": %" PRIu64, first ? "" : ", ", sim_exit_name(k), r->kind[k]);
                first = false;
            }
        fprintf(out, "}, \"table_writes\": %" PRIu64 ", \"misses\": %" PRIu64 ", \"refs\": %" PRIu64 ", ",
                r->table_writes, r->misses, r->refs);
        fprintf(out, "\"refs_book\": %u, \"walk_ns\": %" PRIu64 ", \"vmm_ns\": %" PRIu64 ", \"virtual_ns\": %" PRId64,
                r->technique->refs_book, r->walk_ns, r->vmm_ns, r->vtime);
        if (t->host_time)
            fprintf(out, ", \"host_ns\": %" PRIu64, (uint64_t)r->host_time);
        fputc('}', out);
    }
    fputs("\n]}\n", out);
}

/* ---------------------------------------------------------------------------------------------------------- SVG -- */

#define ROW    64
#define LEFT   170
#define BAR    560
#define WIDTH  (LEFT + BAR + 190)
#define TOP    84 /* of the first row */
#define LEGEND 75 /* from one word of the legend to the next */

static void svg_escape(FILE *out, const char *text)
{
    for (; *text; text++)
        if (*text == '<' || *text == '&' || *text == '>')
            fprintf(out, "&#%d;", *text);
        else if ((unsigned char)*text >= ' ')
            fputc(*text, out);
}

/* Each kind that there is in one of the rows has a color of its own, as far as they last. */
static const char *kind_color(const struct compare_table *t, unsigned int kind)
{
    static const char *const colors[] = { "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#edc948",
                                          "#b07aa1", "#9c755f", "#ff9da7", "#1f3b5c", "#8cd17d", "#bab0ac" };
    unsigned int nr = 0;

    for (unsigned int k = 0; k < kind; k++)
        for (size_t i = 0; i < t->nr; i++)
            if (t->runs[i].kind[k]) {
                nr++;
                break;
            }
    return colors[nr % ARRAY_SIZE(colors)];
}

static void svg_legend(const struct compare_table *t, FILE *out)
{
    unsigned int nr = 0;

    for (unsigned int k = 0; k < EXIT_NR_KINDS; k++) {
        bool is = false;

        for (size_t i = 0; i < t->nr; i++)
            is |= t->runs[i].kind[k] > 0;
        if (!is)
            continue;
        fprintf(out, "<rect x=\"%u\" y=\"44\" width=\"10\" height=\"10\" fill=\"%s\"/>\n", 10 + nr * LEGEND,
                kind_color(t, k));
        fprintf(out, "<text x=\"%u\" y=\"53\" class=\"small\">%s</text>\n", 24 + nr++ * LEGEND, sim_exit_name(k));
    }
}

/* The exits of a technique as a bar, a part a kind. */
static void svg_row(const struct compare_table *t, size_t i, uint64_t most, FILE *out)
{
    const struct compare_run *r = &t->runs[i];
    const double y = TOP + (double)i * ROW, scale = most ? (double)BAR / (double)most : 0;
    char hash[40], probes[40], kinds[200];
    double x = LEFT;

    verdicts(t, i, hash, probes);
    kinds_text(r, kinds, sizeof(kinds));
    fprintf(out, "<text x=\"10\" y=\"%.0f\">%s</text>\n", y + 16, r->technique->name);
    fprintf(out, "<text x=\"10\" y=\"%.0f\" class=\"small\">%s</text>\n", y + 32, r->technique->kernel_at);
    for (unsigned int k = 0; k < EXIT_NR_KINDS; k++) {
        const double w = (double)r->kind[k] * scale;

        if (!r->kind[k])
            continue;
        fprintf(out,
                "<rect x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"20\" fill=\"%s\"><title>%s %" PRIu64
                "</title></rect>\n",
                x, y, w, kind_color(t, k), sim_exit_name(k), r->kind[k]);
        x += w;
    }
    fprintf(out, "<text x=\"%.0f\" y=\"%.0f\">%" PRIu64 "</text>\n", x + 8, y + 15, r->exits);
    fprintf(out, "<text x=\"%d\" y=\"%.0f\" class=\"small\">%s; VMM %" PRIu64 " ns (model)</text>\n", LEFT, y + 34,
            kinds, r->vmm_ns);
    fprintf(out, "<text x=\"%d\" y=\"%.0f\" class=\"small%s\">hash %s, probes: %s</text>\n", LEFT, y + 48,
            is_wrong(t, i) || probes_wrong(t, i) ? " wrong" : "", hash, probes);
}

void compare_svg(const struct compare_table *t, FILE *out)
{
    uint64_t most = 0;

    for (size_t i = 0; i < t->nr; i++)
        most = t->runs[i].exits > most ? t->runs[i].exits : most;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%zu\" font-family=\"sans-serif\" "
            "font-size=\"14\">\n"
            "<style>.small{font-size:11px;fill:#444}.wrong{fill:#c00;font-weight:bold}</style>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n<text x=\"10\" y=\"26\" font-size=\"16\">",
            WIDTH, TOP + 16 + t->nr * ROW);
    svg_escape(out, t->guest);
    fputs(": exits by technique</text>\n", out);
    svg_legend(t, out);
    for (size_t i = 0; i < t->nr; i++)
        svg_row(t, i, most, out);
    fputs("</svg>\n", out);
}
