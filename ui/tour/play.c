// SPDX-License-Identifier: GPL-2.0-or-later
/* Tours are given: see ui/tour/play.h. */
#include "ui/tour/play.h"

#include "tools/debug/condition.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* --- what is expected --- */

static bool value_of(struct debug *g, const char *text, uint64_t *value, char err[EXPR_ERR_SIZE])
{
    struct condition c;
    struct expr_value v = { 0 };
    bool there;

    if (condition_parse(&c, g->host, g->dbg.dom, text, err))
        return false;
    there = condition_value(&c, g->dbg.dom, g->dbg.vcpu, g->dbg.at_event ? &g->dbg.event : NULL, &v);
    condition_free(&c);
    *value = v.u;
    if (!there)
        snprintf(err, EXPR_ERR_SIZE, "%.100s has no value here", text);
    return there;
}

/* The type of a field: of the event at which the machine stands, or of all records. False: it has none of this name. */
static bool type_of(const struct debug *g, const char *name, enum trace_type *type)
{
    const struct trace_event_info *info =
        g->dbg.at_event ? trace_event_info((enum trace_event)g->dbg.event.event) : NULL;
    size_t nr;
    const struct trace_field *f = trace_common_fields(&nr);

    for (size_t i = 0; i < nr + (info ? info->nr_fields : 0); i++) {
        const struct trace_field *one = i < nr ? &f[i] : &info->fields[i - nr];

        if (!strcmp(one->name, name)) {
            *type = (enum trace_type)one->type;
            return true;
        }
    }
    return false;
}

static void value_add(struct debug *g, const char *what, char *text, size_t size)
{
    const size_t n = strlen(text);
    enum trace_type type = TRACE_TYPE_hex;
    char err[EXPR_ERR_SIZE];
    const char *name;
    uint64_t value;

    if (!value_of(g, what, &value, err))
        snprintf(text + n, size - n, "; %s", err);
    else if (type_of(g, what, &type) && (name = trace_value_name(type, value)))
        snprintf(text + n, size - n, "; %s is %s", what, name);
    else if (type == TRACE_TYPE_vcpuid)
        snprintf(text + n, size - n, "; %s is d%" PRIu64 "v%" PRIu64, what, value >> 16, value & 0xffff);
    else if (type == TRACE_TYPE_hex)
        snprintf(text + n, size - n, "; %s is 0x%" PRIx64, what, value);
    else
        snprintf(text + n, size - n, "; %s is %" PRId64, what, (int64_t)value);
}

/* How long the left side of a comparison is: up to a comparison outside of brackets, or to what ends it. */
static size_t left_side(const char *p)
{
    unsigned int depth = 0;
    size_t n = 0;

    for (; p[n] && (depth || !strchr("=!)", p[n])); n++) {
        if (!depth && (p[n] == p[n + 1] ? strchr("&|", p[n]) : strchr("<>", p[n])))
            break;
        n += p[n] == p[n + 1] && strchr("<>", p[n]);
        depth += strchr("([", p[n]) != NULL;
        depth -= strchr(")]", p[n]) && depth;
    }
    return n;
}

/* "mode is user; %cpl is 0x3": the left sides of what is compared. */
static void values_add(struct debug *g, const char *cond, char *text, size_t size)
{
    char part[256];

    for (const char *p = cond; *p;) {
        size_t n;

        p += strspn(p, "&|()! ");
        n = left_side(p);
        snprintf(part, sizeof(part), "%.*s", (int)n, p);
        for (size_t end = strlen(part); end && part[end - 1] == ' ';)
            part[--end] = '\0';
        if (part[0])
            value_add(g, part, text, size);
        for (p += n; *p && !(p[0] == p[1] && strchr("&|", p[0])); p++)
            ;
    }
}

static void failed(struct tour_play *p, const struct tour_line *line, const char *what)
{
    struct debug *g = p->g;
    char at[POSITION_TEXT];

    p->failures++;
    debug_fail(g, "tour", "%.200s:%u: %s (at %s)", p->tour->path, line->number, what, position_text(g, at));
}

static void expect(struct tour_play *p, const struct tour_line *line)
{
    char err[EXPR_ERR_SIZE] = "", what[640];
    uint64_t value = 0;

    if (value_of(p->g, line->text, &value, err) && value)
        return;
    snprintf(what, sizeof(what), "= %.200s does not hold", line->text);
    values_add(p->g, line->text, what, sizeof(what));
    failed(p, line, what);
}

/* --- steps --- */

static void command(struct tour_play *p, const struct tour_line *line)
{
    const bool failed_before = p->g->failed, asked = p->g->asked;

    if (!strncmp(line->text, "layout ", 7))
        p->layout = line->text;
    p->g->failed = false;
    p->g->asked = true; /* whether the tour may begin another future is its author's to say */
    p->line(p->data, line->text);
    p->g->asked = asked;
    if (p->g->failed)
        failed(p, line, "this command has failed");
    p->g->failed |= failed_before;
}

static void show(struct tour_play *p, size_t i)
{
    const struct tour_step *s = &p->tour->step[i];
    struct debug_tour *shown = &p->shown;

    shown->at = i;
    shown->step = s->title;
    shown->nr_lines = 0;
    shown->revealed = false;
    for (size_t n = 0; n < s->nr && shown->nr_lines < DEBUG_TOUR_LINES; n++)
        if (strchr("|?!", s->line[n].kind)) {
            shown->line[shown->nr_lines].kind = s->line[n].kind;
            shown->line[shown->nr_lines++].text = s->line[n].text;
        }
}

/* As it was at the end of step i, wherever one has been since. */
static void go_to_end_of(struct tour_play *p, size_t i)
{
    const struct debug_place *end = &p->end[i].place;
    struct debug_stops *stops = &p->g->dbg.stops;
    const struct rewind *rw = &p->g->rw;
    char text[64];

    if (memcmp(&end->at, &rw->m->at, sizeof(end->at)) || rewind_way(rw) != p->end[i].way) {
        const struct tour_line back = { '>', text, p->tour->step[i].number };
        const size_t line = rewind_line_of(rw, end->at, p->end[i].way);

        if (line < rw->nr_branches) {
            snprintf(text, sizeof(text), "branch %s", rw->branches[line].name);
            command(p, &back);
        }
        snprintf(text, sizeof(text), "goto #%" PRIu64 ".%" PRIu64, end->at.insns, end->at.step);
        command(p, &back);
    }
    while (stops->nr && stops->list[stops->nr - 1]->id > p->last_stop)
        stops_delete(stops, stops->list[stops->nr - 1]->id);
    debugger_stand(&p->g->dbg, end);
}

bool play_next(struct tour_play *p)
{
    const size_t i = p->given;
    const struct tour_step *s = &p->tour->step[i];

    if (i == p->tour->nr)
        return false;
    if (i)
        go_to_end_of(p, i - 1);
    show(p, i);
    if (p->aloud)
        say_line(&p->g->say, "tour", "== %zu/%zu %s", i + 1, p->tour->nr, s->title);
    for (size_t n = 0; n < s->nr; n++)
        switch (s->line[n].kind) {
        case '>': command(p, &s->line[n]); break;
        case '=': expect(p, &s->line[n]); break;
        default:
            if (p->aloud)
                say_line(&p->g->say, "tour", "%c %s", s->line[n].kind, s->line[n].text);
        }
    p->line(p->data, ""); /* a step without commands is to be seen as well */
    debugger_place(&p->g->dbg, &p->end[i].place);
    p->end[i].way = rewind_way(&p->g->rw);
    p->last_stop = p->g->dbg.stops.last_id;
    p->given++;
    return true;
}

/* Step i, which may have been given or not; false: there is none. */
static bool play_to(struct tour_play *p, size_t i)
{
    if (i >= p->tour->nr)
        return false;
    if (i < p->given) {
        show(p, i);
        go_to_end_of(p, i);
    }
    while (p->given <= i)
        if (!play_next(p))
            return false;
    return true;
}

/* --- the command `tour` --- */

#define ROOM "tour=5|ladder=9|code*2" /* what can be seen from the last row */

static bool carry_out(void *data, const char *args)
{
    struct tour_play *p = data;
    struct debug *g = p->g;
    char *end;
    unsigned long n = strtoul(args, &end, 10);

    p->shown.exploring = !strcmp(args, "explore");
    if (p->shown.exploring)
        return true;
    if (!strcmp(args, "next"))
        n = p->given ? p->shown.at + 2 : 1;
    else if (!strcmp(args, "previous"))
        n = p->shown.at;
    else if (!strcmp(args, "return"))
        n = p->shown.at + 1;
    else if (!strcmp(args, "answer"))
        return p->shown.revealed = true;
    else if (!strcmp(args, "projector"))
        return (p->shown.room = !p->shown.room), p->line(p->data, p->shown.room ? "layout " ROOM : p->layout), true;
    else if (!strcmp(args, "blank"))
        return (p->shown.blank = !p->shown.blank), true;
    else if (*end || end == args)
        n = ULONG_MAX;
    if (n == ULONG_MAX) {
        debug_fail(g, "arguments",
                   "tour next, previous, answer, blank, projector, explore, return, or a step's number");
        return false;
    }
    if (n && play_to(p, n - 1)) {
        g->failed = false; /* what does not hold has been said; a command that fails would be undone */
        return true;
    }
    debug_fail(g, "tour", n ? "that was the last step" : "this is the first step");
    return false;
}

bool play_begin(struct tour_play *p, const struct tour *t, struct debug *g)
{
    *p = (struct tour_play){ .tour = t, .g = g, .layout = "layout tour" };
    p->end = calloc(t->nr, sizeof(*p->end));
    if (!p->end)
        return false;
    p->shown.title = t->title;
    p->shown.nr = t->nr;
    p->shown.carry_out = carry_out;
    p->shown.data = p;
    g->tour = &p->shown;
    return true;
}

void play_end(struct tour_play *p)
{
    if (p->g)
        p->g->tour = NULL;
    free(p->end);
}
