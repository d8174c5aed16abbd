// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `ladder`: how a vCPU goes up to the hypervisor and comes back.
 *
 * Concept: rows are what the guest believes its privilege to be, beside what the processor enforces: that they differ
 * is the point of paravirtualization. Columns are not time but trips: each time that the hypervisor takes over, from an
 * exit (or, of native code, a hypercall) to where the guest goes on.
 *
 *      xen     root    host      ┌A─┐         ┌B┄┐        ┌C─>      A: the kernel asked, and was answered
 *      kernel  ring 0  CPL 3  ───┘  └─────────┘  └────────┘         B: dotted: the guest does not know of it
 *      user    ring 3  CPL 3                                        C: the hypervisor is at it
 *
 * An HVM guest has a row for each of its four rings; what it does among them by itself is no trip.
 *
 * Whom it is about is the vCPU that commands are about, or the one that is named: `panel ladder d1v1`.
 *
 * The table has a row for each, with the sentence that its events make (tools/debug/sentence.h). Nothing but the trace
 * is asked, so that a recording and a machine give the same picture.
 */
#include "ui/panels/ladder.h"

#include "ui/panels/panel.h"

#include "tools/debug/past.h"
#include "tools/debug/sentence.h"

#include <inttypes.h>
#include <string.h>

#define LABEL 24 /* columns of what a row is called */
#define WIDTH 13 /* of a trip */
#define PEAK  4  /* of that, up there */

static const struct table_column columns[] = {
    { .title = "trip", .quiet = true }, { .title = "at" },
    { .title = "from", .spare = true }, { .title = "to", .spare = true },
    { .title = "cost", .right = true }, { .title = "what" },
};

/* --- whose --- */

static bool is_mine(const struct scene *s, const struct trace_record *rec)
{
    return s->about.given ? rec->who.domain == s->about.what.dom && rec->who.vcpu == s->about.what.vcpu
                          : rec->who.domain == s->dom && rec->who.vcpu == s->vcpu;
}

/* Is its domain "native", "pv32"? */
static bool is_of_type(const struct scene *s, const char *type)
{
    const char *its = s->about.given ? s->about.type : s->type;

    return its && !strcmp(its, type);
}

/* With rings of its own. */
static bool is_hvm(const struct scene *s) { return is_of_type(s, "hvm") || is_of_type(s, "pvh"); }

/* --- trips --- */

static struct ladder_trip *trip_add(struct ladder *l, const struct trace_record *rec, size_t at)
{
    if (l->nr == LADDER_TRIPS)
        memmove(l->trip, l->trip + 1, --l->nr * sizeof(l->trip[0]));
    l->trip[l->nr] =
        (struct ladder_trip){ .first = at, .from = l->mode, .to = l->mode, .silent = true, .pcpu = rec->pcpu };
    return &l->trip[l->nr++];
}

/* What the guest sees of a trip: a fault that it gets, an answer, an event. */
static bool is_seen(const struct trace_record *rec)
{
    switch (rec->event) {
    case TRC_hypercall:
    case TRC_trap:
    case TRC_syscall:
    case TRC_sysenter:
    case TRC_failsafe:
    case TRC_upcall:
    case TRC_iret: return true;
    default: return false;
    }
}

static void ladder_record(struct ladder *l, const struct trace_record *rec, size_t at)
{
    struct ladder_trip *open = l->nr && !l->trip[l->nr - 1].over ? &l->trip[l->nr - 1] : NULL;
    const bool native = rec->event == TRC_hypercall && record_field(rec, "via") == TRACE_VIA_NATIVE;

    if (!is_mine(l->s, rec)) {
        if (open && open->pcpu == rec->pcpu)
            open->nr = at + 1 - open->first;
        return;
    }
    if ((rec->event == TRC_exit || native) && !open) {
        l->mode = native ? TRACE_MODE_NATIVE : rec->who.mode;
        open = trip_add(l, rec, at);
    } else if (rec->event == TRC_resume && !open) {
        open = trip_add(l, rec, at); /* its time was up before, which no event tells */
    }
    if (!open)
        return;
    open->nr = at + 1 - open->first;
    open->silent &= !is_seen(rec);
    if (rec->event == TRC_resume || (rec->event == TRC_hypercall_ret && open->from == TRACE_MODE_NATIVE)) {
        open->over = true;
        open->to = l->mode = rec->event == TRC_resume ? rec->who.mode : TRACE_MODE_NATIVE;
    }
}

void ladder_make(struct ladder *l, const struct scene *s)
{
    const struct window *w = s->window;

    *l = (struct ladder){ .s = s, .mode = TRACE_MODE_KERNEL };
    if (is_of_type(s, "native"))
        l->mode = TRACE_MODE_NATIVE;
    else if (is_hvm(s))
        l->mode = TRACE_MODE_HVM0;
    for (size_t i = 0; i < w->nr; i++)
        ladder_record(l, &w->rec[i], i);
}

char ladder_letter(const struct ladder *l, unsigned int i)
{
    const unsigned int begin = l->nr > 26 ? l->nr - 26 : 0;

    return i < begin ? ' ' : (char)('A' + (i - begin));
}

/* --- in words --- */

static void trip_say(struct debug *g, const struct ladder *l, const struct ladder_trip *trip, struct sentence *what)
{
    struct trace_record rec[PAST_EPISODE];
    unsigned int nr = 0;

    for (size_t i = trip->first; i < trip->first + trip->nr && nr < PAST_EPISODE; i++)
        if (l->s->window->rec[i].pcpu == trip->pcpu && past_is_said(&l->s->window->rec[i]))
            rec[nr++] = l->s->window->rec[i];
    sentence_add_records(what, g->host, rec, nr);
}

static uint64_t trip_cost(const struct ladder *l, const struct ladder_trip *trip)
{
    uint64_t cost = 0;

    for (size_t i = trip->first; i < trip->first + trip->nr; i++) {
        const struct trace_record *rec = &l->s->window->rec[i];
        const uint64_t part = is_mine(l->s, rec) ? record_field(rec, "cost") : TRACE_NONE;

        cost += part == TRACE_NONE ? 0 : part;
    }
    return cost;
}

static const char *mode_name(uint8_t mode) { return trace_value_name(TRACE_TYPE_mode, mode) ?: "?"; }

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    struct ladder l;

    ladder_make(&l, s);
    if (s->about.given)
        snprintf(t->note, sizeof(t->note), "%s", s->about.text);
    for (unsigned int i = 0; i < l.nr; i++) {
        const struct ladder_trip *trip = &l.trip[i];
        const struct trace_record *first = &s->window->rec[trip->first];
        struct table_row *row = table_row(t, "%" PRIu64 ".%" PRIu64, first->at.insns, first->at.step);
        struct sentence what = { 0 };

        trip_say(g, &l, trip, &what);
        table_cell(t, row, "%c", ladder_letter(&l, i));
        table_cell(t, row, "#%" PRIu64 ".%" PRIu64, first->at.insns, first->at.step);
        table_cell(t, row, "%s", mode_name(trip->from));
        table_cell(t, row, "%s", trip->over ? mode_name(trip->to) : "");
        table_cell(t, row, "%" PRIu64 " ns", trip_cost(&l, trip));
        table_cell(t, row, "%s", what.text);
        table_go(t, row, "#%" PRIu64 ".%" PRIu64, first->at.insns, first->at.step);
        table_ask(t, row, "explain #%" PRIu64 ".%" PRIu64, first->at.insns, first->at.step);
        if (row) {
            row->style = scene_mode_style(trip->from);
            row->here = i + 1 == l.nr;
        }
    }
}

/* --- the picture --- */

static const struct ladder_level pv64[3] = { { "xen", "root", "host" },
                                             { "kernel", "ring 0", "CPL 3" },
                                             { "user", "ring 3", "CPL 3" } };
static const struct ladder_level pv32[3] = { { "xen", "root", "host" },
                                             { "kernel", "ring 0", "CPL 1" },
                                             { "user", "ring 3", "CPL 3" } };
static const struct ladder_level native[2] = { { "xen", "root", "host" }, { "native", "dom0's", "host" } };
static const struct ladder_level hvm[LADDER_LEVELS] = { { "xen", "root", "-1" },
                                                        { "hvm0", "ring 0", "CPL 0" },
                                                        { "hvm1", "ring 1", "CPL 1" },
                                                        { "hvm2", "ring 2", "CPL 2" },
                                                        { "hvm3", "ring 3", "CPL 3" } };

const struct ladder_level *ladder_levels(const struct scene *s, unsigned int *nr)
{
    if (is_hvm(s)) {
        *nr = ARRAY_SIZE(hvm);
        return hvm;
    }
    *nr = is_of_type(s, "native") ? ARRAY_SIZE(native) : ARRAY_SIZE(pv64);
    return is_of_type(s, "native") ? native : is_of_type(s, "pv32") ? pv32 : pv64;
}

unsigned int ladder_level_of(uint8_t mode)
{
    switch (mode) {
    case TRACE_MODE_XEN: return 0;
    case TRACE_MODE_USER: return 2;
    case TRACE_MODE_HVM0:
    case TRACE_MODE_HVM1:
    case TRACE_MODE_HVM2:
    case TRACE_MODE_HVM3: return 1u + mode - TRACE_MODE_HVM0;
    default: return 1;
    }
}

unsigned int ladder_level_now(const struct ladder *l)
{
    return l->nr && !l->trip[l->nr - 1].over ? 0 : ladder_level_of(l->mode);
}

enum style ladder_level_style(const struct scene *s, unsigned int level)
{
    const unsigned int user = is_hvm(s) ? 4 : 2;

    return level == 0 ? STYLE_xen : is_of_type(s, "native") ? STYLE_native : level < user ? STYLE_kernel : STYLE_user;
}

/* Up from a level to the top, or down to it, at a column. Row 0 of the area has positions. */
static void edge(struct area *a, const struct scene *s, unsigned int col, unsigned int level, bool up)
{
    area_put(a, 1, col, STYLE_xen, up ? 0x250c : 0x2510);
    for (unsigned int row = 1; row < level; row++)
        area_put(a, 1 + row, col, ladder_level_style(s, level), 0x2502);
    area_put(a, 1 + level, col, ladder_level_style(s, level), up ? 0x2518 : 0x2514);
}

static void trip_draw(struct area *a, const struct ladder *l, unsigned int i, unsigned int col)
{
    const struct ladder_trip *trip = &l->trip[i];
    const struct trace_record *first = &l->s->window->rec[trip->first];
    const unsigned int from = ladder_level_of(trip->from), peak = col + WIDTH - PEAK - 1;

    area_print(a, 0, col + 1, STYLE_dim, "%*s", WIDTH - 2, "");
    area_print(a, 0, col + 1, STYLE_dim, "#%" PRIu64, first->at.insns);
    area_fill(a, 1 + from, col, peak - col, ladder_level_style(l->s, from), 0x2500);
    edge(a, l->s, peak, from, true);
    area_fill(a, 1, peak + 1, PEAK - 1, STYLE_xen, trip->over && trip->silent ? 0x2504 : 0x2500);
    area_put(a, 1, peak + 1, STYLE_xen, (uint32_t)ladder_letter(l, i));
    if (trip->over)
        edge(a, l->s, peak + PEAK, ladder_level_of(trip->to), false);
}

static unsigned int draw(const struct table *t, const struct scene *s, struct area *a)
{
    unsigned int nr_levels;
    const struct ladder_level *levels = ladder_levels(s, &nr_levels);
    const unsigned int fit = a->cols > LABEL + 3 ? (a->cols - LABEL - 3) / WIDTH : 0;
    struct ladder l;
    unsigned int first, col = LABEL, level;

    ladder_make(&l, s);
    first = l.nr > fit ? l.nr - fit : 0;
    area_text(a, 0, 8, STYLE_dim, "virtual real");
    for (unsigned int i = 0; i < nr_levels; i++) {
        const struct ladder_level *v = &levels[i];

        area_print(a, 1 + i, 1, ladder_level_style(s, i), "%-6s %-7s %-6s", v->name, v->believed, v->real);
    }
    for (unsigned int i = first; i < l.nr; i++, col += WIDTH)
        trip_draw(a, &l, i, col);
    level = ladder_level_now(&l);
    col -= l.nr && fit && !level; /* up there the last trip goes on */
    area_fill(a, 1 + level, col, 2, ladder_level_style(s, level), 0x2500);
    area_put(a, 1 + level, col + 2, STYLE_here, 0x25b6);
    return 1 + nr_levels;
}

/* Rows of trips beside the picture's, if there is little room. */
#define TRIPS_LEAST 3

static unsigned int rows(const struct debug *g, unsigned int cols)
{
    struct look_vcpu v;

    return look_vcpu(g->host, g->dbg.dom, g->dbg.vcpu, &v) && v.works ? 1 + ARRAY_SIZE(hvm) + 1 + TRIPS_LEAST : 0;
}

const struct panel_ops panel_ladder = { .name = "ladder",
                                        .help = "how the vCPU, or dNvM, goes up to the hypervisor and comes back",
                                        .empty = "the hypervisor has not been entered before here",
                                        .column = columns,
                                        .nr_columns = ARRAY_SIZE(columns),
                                        .about = scene_about_vcpu,
                                        .take = take,
                                        .of_past = true,
                                        .draw = draw,
                                        .rows = rows,
                                        .is_line = true };
