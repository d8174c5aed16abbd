// SPDX-License-Identifier: GPL-2.0-or-later
/* Exits of a trace, and what they would lead to, as text, JSON and SVG: see ui/compare/host_type.h. */
#include "ui/compare/host_type.h"

#include "sim/trace.h"
#include "tools/debug/sentence.h"
#include "tools/model/routes.h"
#include "ui/export/trace_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xen/vcpu.h>

/* ---------------------------------------------------------------------------------------------------- reading -- */

#define MAX_VCPUS 256u

/* vCPUs that are in the hypervisor, and what is known of why. */
struct open_exit {
    unsigned int domain, vcpu;
    enum sim_exit_kind kind;
    enum model_class class;
};
struct reading {
    struct host_list *list;
    struct open_exit open[MAX_VCPUS];
    size_t nr;
    bool too_many;
};

static struct open_exit *open_find(struct reading *r, const struct trace_record *rec)
{
    for (size_t i = 0; i < r->nr; i++)
        if (r->open[i].domain == rec->who.domain && r->open[i].vcpu == rec->who.vcpu)
            return &r->open[i];
    return NULL;
}

static void close_exit(struct reading *r, struct open_exit *x)
{
    r->list->nr[x->class]++;
    r->list->kind[x->class][x->kind]++;
    r->list->exits++;
    *x = r->open[--r->nr];
}

/* Under nested paging a processor does not leave for what the guest's own tables deal with. */
static bool is_taken(uint64_t kind)
{
    return kind < EXIT_NR_KINDS && kind != EXIT_EXCEPTION && kind != EXIT_SOFTINT && kind != EXIT_SYSCALL &&
           kind != EXIT_SYSENTER && kind != EXIT_ERROR;
}

static void open_exit(struct reading *r, const struct trace_record *rec)
{
    const uint64_t kind = record_field(rec, "kind");

    if (rec->who.mode < TRACE_MODE_HVM0 || rec->who.mode > TRACE_MODE_HVM3)
        return;
    if (!is_taken(kind)) {
        r->list->left_out++;
    } else if (r->nr == MAX_VCPUS) {
        r->too_many = true;
    } else {
        r->open[r->nr++] = (struct open_exit){ .domain = rec->who.domain,
                                               .vcpu = rec->who.vcpu,
                                               .kind = (enum sim_exit_kind)kind,
                                               .class = kind == EXIT_HLT       ? MODEL_halt
                                                        : kind == EXIT_VMMCALL ? MODEL_hypercall
                                                        : kind == EXIT_BUDGET  ? MODEL_interrupt
                                                                               : MODEL_cpu };
    }
}

/* An event that the vCPU sends in an exit which is no hypercall is a request to its device model. */
static void record(struct reading *r, const struct trace_record *rec)
{
    struct open_exit *x = open_find(r, rec);

    switch (rec->event) {
    case TRC_exit:
        if (x)
            close_exit(r, x);
        open_exit(r, rec);
        break;
    case TRC_resume:
        if (x)
            close_exit(r, x);
        break;
    case TRC_evtchn_send:
        if (x && x->class == MODEL_cpu)
            x->class = MODEL_posted;
        break;
    case TRC_runstate:
        if (x && x->class == MODEL_posted && record_field(rec, "new") == RUNSTATE_offline)
            x->class = MODEL_device;
        break;
    case TRC_sched_switch: r->list->switches++; break;
    default: break;
    }
}

static int read_all(struct host_list *l, FILE *in, char err[HOST_TYPE_ERR_SIZE])
{
    struct trace_reader *reader = trace_read_begin(in, l->name);
    struct reading r = { .list = l };
    struct trace_record rec;
    int rc = -1;

    if (!reader)
        snprintf(err, HOST_TYPE_ERR_SIZE, "out of memory");
    else if (trace_read_header(reader, err) == 0)
        while ((rc = trace_read(reader, &rec, err)) > 0)
            record(&r, &rec);
    trace_read_end(reader);
    while (r.nr)
        close_exit(&r, &r.open[r.nr - 1]);
    if (rc == 0 && (r.too_many || !l->exits)) {
        snprintf(err, HOST_TYPE_ERR_SIZE,
                 r.too_many ? "%.200s: more than %u vCPUs of HVM guests"
                            : "%.200s: there is no exit of an HVM guest in it",
                 l->name, MAX_VCPUS);
        rc = -1;
    }
    return rc;
}

int host_list_read(struct host_list *l, const char *path, char err[HOST_TYPE_ERR_SIZE])
{
    const bool is_stdin = !strcmp(path, "-");
    FILE *in = is_stdin ? stdin : fopen(path, "re");
    int rc;

    *l = (struct host_list){ .name = is_stdin ? "standard input" : path };
    if (!in) {
        snprintf(err, HOST_TYPE_ERR_SIZE, "%.300s: %s", path, strerror(errno));
        return -1;
    }
    rc = read_all(l, in, err);
    if (!is_stdin)
        fclose(in);
    return rc;
}

/* ---------------------------------------------------------------------------------------------------- computing -- */

#define X(name, text) text,
static const char *const class_what[MODEL_NR_CLASSES] = { MODEL_CLASSES(X) };
static const char *const wall_names[MODEL_NR_WALLS] = { MODEL_WALLS(X) };
#undef X

struct host_type {
    const char *name, *like; /* a hypervisor of that type */
    enum model_kind kind;
    void (*route)(struct model *m);
};
static const struct host_type types[] = {
    { "type 1", "Xen, its device model in dom0", MODEL_TYPE1, route_type1 },
    { "in-kernel", "Linux with KVM, its device model a process", MODEL_IN_KERNEL, route_in_kernel },
    { "hosted", "VMware Workstation of 2001, on another system", MODEL_HOSTED, route_hosted },
};

/* NULL: there are no more. */
static const struct host_type *host_type_at(size_t i) { return i < ARRAY_SIZE(types) ? &types[i] : NULL; }

/* One exit of a class, with nothing else due. */
static void play(struct model *m, const struct host_type *t, enum model_class c,
                 void (*told)(void *data, const char *what, enum model_wall wall, unsigned int ns), void *data)
{
    const struct model_exit x = { .class = c };

    model_init(m, t->kind);
    m->told = told;
    m->data = data;
    model_leave(m, &x);
    t->route(m);
    model_arrived(m);
    m->exit = NULL;
}

static uint64_t path_ns(const struct host_type *t, enum model_class c)
{
    struct model m;

    play(&m, t, c, NULL, NULL);
    return m.ns;
}

static uint64_t total_ns(const struct host_list *l, const struct host_type *t)
{
    uint64_t ns = 0;

    for (unsigned int c = 0; c < MODEL_NR_CLASSES; c++)
        ns += l->nr[c] * path_ns(t, c);
    return ns;
}

static uint64_t total_walls(const struct host_list *l, const struct host_type *t, enum model_wall wall)
{
    uint64_t n = 0;

    for (unsigned int c = 0; c < MODEL_NR_CLASSES; c++) {
        struct model m;

        play(&m, t, c, NULL, NULL);
        n += l->nr[c] * m.crossed[wall];
    }
    return n;
}

/* ---------------------------------------------------------------------------------------------------- text -- */

void host_type_text(const struct host_list *l, FILE *out)
{
    fprintf(out, "%s: %" PRIu64 " exits of HVM guests\n\nRecorded (facts of that run):\n", l->name, l->exits);
    for (unsigned int c = 0; c < MODEL_NR_CLASSES; c++)
        fprintf(out, "  %-10s %10" PRIu64 "  %s\n", model_class_name(c), l->nr[c], class_what[c]);
    fprintf(out, "  %-10s %10" PRIu64 "  a pCPU went from one vCPU to another\n", "switches", l->switches);
    if (l->left_out)
        fprintf(out, "  %-10s %10" PRIu64 "  exits of the simulator alone: exceptions, INT n\n", "left out",
                l->left_out);
    fprintf(out, "\nModel: the same exits on three kinds of hosts. Transitions are counted; ns are prices.\n\n%-10s",
            "host");
    for (unsigned int w = MODEL_WALL_none + 1; w < MODEL_NR_WALLS; w++)
        fprintf(out, " %11s", wall_names[w]);
    fprintf(out, " %14s %10s\n", "ns (model)", "an exit");
    for (size_t i = 0; host_type_at(i); i++) {
        const struct host_type *t = host_type_at(i);

        fprintf(out, "%-10s", t->name);
        for (unsigned int w = MODEL_WALL_none + 1; w < MODEL_NR_WALLS; w++)
            fprintf(out, " %11" PRIu64, total_walls(l, t, w));
        fprintf(out, " %14" PRIu64 " %10" PRIu64 "  %s\n", total_ns(l, t), total_ns(l, t) / l->exits, t->like);
    }
    fprintf(out, "\nPrices in ns, each time:");
    for (unsigned int w = MODEL_WALL_none + 1; w < MODEL_NR_WALLS; w++)
        fprintf(out, "%s %s %u", w > MODEL_WALL_none + 1 ? "," : "", wall_names[w], model_wall_ns[w]);
    fprintf(out, "\n(and work: --path CLASS shows each step).\n");
}

static void tell_step(void *out, const char *what, enum model_wall wall, unsigned int ns)
{
    fprintf(out, "  %5u  %-12s %s\n", ns, wall_names[wall], what);
}

void host_type_path(enum model_class c, FILE *out)
{
    fprintf(out, "Model: one exit of the class %s: %s\n", model_class_name(c), class_what[c]);
    for (size_t i = 0; host_type_at(i); i++) {
        const struct host_type *t = host_type_at(i);
        struct model m;

        fprintf(out, "\n%s (%s), %" PRIu64 " ns\n", t->name, t->like, path_ns(t, c));
        play(&m, t, c, tell_step, out);
    }
}

void host_type_json(const struct host_list *l, FILE *out)
{
    fprintf(out, "{\"exits\": %" PRIu64 ", \"left_out\": %" PRIu64 ", \"switches\": %" PRIu64 ", \"classes\": {",
            l->exits, l->left_out, l->switches);
    for (unsigned int c = 0; c < MODEL_NR_CLASSES; c++) {
        bool first = true;

        fprintf(out, "%s\n  \"%s\": {\"exits\": %" PRIu64 ", \"kinds\": {", c ? "," : "", model_class_name(c),
                l->nr[c]);
        for (unsigned int k = 0; k < EXIT_NR_KINDS; k++)
            if (l->kind[c][k]) {
                fprintf(out, "%s\"%s\": %" PRIu64, first ? "" : ", ", sim_exit_name(k), l->kind[c][k]);
                first = false;
            }
        fputs("}}", out);
    }
    fputs("},\n\"model\": [", out);
    for (size_t i = 0; host_type_at(i); i++) {
        const struct host_type *t = host_type_at(i);

        fprintf(out, "%s\n  {\"host\": \"%s\", \"like\": \"%s\", \"ns\": %" PRIu64 ", \"transitions\": {", i ? "," : "",
                t->name, t->like, total_ns(l, t));
        for (unsigned int w = MODEL_WALL_none + 1; w < MODEL_NR_WALLS; w++)
            fprintf(out, "%s\"%s\": %" PRIu64, w > MODEL_WALL_none + 1 ? ", " : "", wall_names[w],
                    total_walls(l, t, w));
        fputs("}}", out);
    }
    fputs("\n]}\n", out);
}

/* ---------------------------------------------------------------------------------------------------- SVG -- */

#define ROW   64
#define LEFT  110
#define BAR   560
#define WIDTH (LEFT + BAR + 230)

static const char *const colors[MODEL_NR_CLASSES] = {
    "#4e79a7", "#b07aa1", "#59a14f", "#e15759", "#edc948", "#bab0ac"
};

/* A host's time as a bar, a part a class. */
static void svg_row(const struct host_list *l, const struct host_type *t, double y, uint64_t most, FILE *out)
{
    double x = LEFT;

    fprintf(out, "<text x=\"10\" y=\"%.0f\">%s</text>\n", y + 16, t->name);
    for (unsigned int c = 0; c < MODEL_NR_CLASSES; c++) {
        const uint64_t ns = l->nr[c] * path_ns(t, c);
        const double w = most ? (double)ns * BAR / (double)most : 0;

        if (ns)
            fprintf(out,
                    "<rect x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"20\" fill=\"%s\"><title>%s: %" PRIu64
                    " exits, %" PRIu64 " ns</title></rect>\n",
                    x, y, w, colors[c], model_class_name(c), l->nr[c], ns);
        x += w;
    }
    fprintf(out, "<text x=\"%.0f\" y=\"%.0f\">%.3f ms (model)</text>\n", x + 8, y + 15, (double)total_ns(l, t) / 1e6);
    fprintf(out, "<text x=\"%d\" y=\"%.0f\" class=\"small\">%s; transitions:", LEFT, y + 36, t->like);
    for (unsigned int w = MODEL_WALL_none + 1; w < MODEL_NR_WALLS; w++)
        if (total_walls(l, t, w))
            fprintf(out, " %s %" PRIu64, wall_names[w], total_walls(l, t, w));
    fputs("</text>\n", out);
}

void host_type_svg(const struct host_list *l, FILE *out)
{
    uint64_t most = 0;
    double y = 84;

    for (size_t i = 0; host_type_at(i); i++)
        most = total_ns(l, host_type_at(i)) > most ? total_ns(l, host_type_at(i)) : most;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" "
            "font-size=\"14\">\n<style>.small{font-size:11px;fill:#444}</style>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
            "<text x=\"10\" y=\"26\" font-size=\"16\">Model: %" PRIu64
            " recorded exits on three kinds of hosts</text>\n",
            WIDTH, 84 + 3 * ROW, l->exits);
    for (unsigned int c = 0, x = LEFT; c < MODEL_NR_CLASSES; c++, x += 125)
        fprintf(out,
                "<rect x=\"%u\" y=\"46\" width=\"12\" height=\"12\" fill=\"%s\"/><text x=\"%u\" y=\"56\" "
                "class=\"small\">%s %" PRIu64 "</text>\n",
                x, colors[c], x + 16, model_class_name(c), l->nr[c]);
    for (size_t i = 0; host_type_at(i); i++, y += ROW)
        svg_row(l, host_type_at(i), y, most, out);
    fputs("</svg>\n", out);
}
