// SPDX-License-Identifier: GPL-2.0-or-later
/* The panel `trace`: events before here. Rows are those of the window (tools/debug/window.h). */
#include "ui/panels/panel.h"

#include "tools/debug/sentence.h"

#include <inttypes.h>
#include <string.h>

static const struct table_column columns[] = {
    { .title = "at" },    { .title = "time", .right = true, .spare = true },
    { .title = "vcpu" },  { .title = "mode" },
    { .title = "event" }, { .title = "what" },
};

/* The sentence; of a kind of record that has none it is the event's fields behind its name, which is here already. */
static const char *what(const struct sentence *s, const char *event)
{
    const size_t n = strlen(event);

    return !strncmp(s->text, event, n) && !strncmp(s->text + n, ": ", 2) ? s->text + n + 2 : s->text;
}

static void who_take(struct table *t, struct table_row *row, const struct trace_record *rec)
{
    const char *mode = trace_value_name(TRACE_TYPE_mode, rec->who.mode);

    if (rec->who.domain == TRACE_NO_DOMAIN)
        table_cell(t, row, "-");
    else
        table_cell(t, row, "d%uv%u", rec->who.domain, rec->who.vcpu);
    table_cell(t, row, "%s", mode ?: "?");
}

/* The last record that is the event at which the machine has stopped, or else the last one of all. */
static size_t here_of(const struct scene *s)
{
    const struct window *w = s->window;

    for (size_t i = w->nr; s->at_event && i-- > 0;)
        if (w->rec[i].event == s->event.event && !memcmp(&w->rec[i].at, &s->event.at, sizeof(s->event.at)) &&
            !memcmp(w->rec[i].arg, s->event.arg, s->event.nr_words * sizeof(s->event.arg[0])))
            return i;
    return w->nr - 1;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    const struct window *w = s->window;
    const size_t here = here_of(s);
    uint64_t of_step = 0;

    if (!w->from_begin)
        snprintf(t->note, sizeof(t->note), "from #%" PRIu64 " on", w->from.insns);
    for (size_t i = 0; i < w->nr; i++) {
        const struct trace_record *rec = &w->rec[i];
        struct table_row *row;
        const char *event = trace_event_name((enum trace_event)rec->event);
        struct sentence said = { 0 };
        char time[LOOK_TEXT];

        if (s->filter && !condition_holds(s->filter, rec))
            continue;
        of_step = i && !memcmp(&rec->at, &w->rec[i - 1].at, sizeof(rec->at)) ? of_step + 1 : 0;
        row = table_row(t, "%" PRIu64 ".%" PRIu64 ".%" PRIu64, rec->at.insns, rec->at.step, of_step);
        look_time(rec->time, time);
        sentence_add_records(&said, g->host, rec, 1);
        table_cell(t, row, "#%" PRIu64 ".%" PRIu64, rec->at.insns, rec->at.step);
        table_cell(t, row, "%s", time);
        who_take(t, row, rec);
        table_cell(t, row, "%s", event);
        table_cell(t, row, "%s", what(&said, event));
        table_go(t, row, "#%" PRIu64 ".%" PRIu64, rec->at.insns, rec->at.step);
        table_ask(t, row, "explain #%" PRIu64 ".%" PRIu64, rec->at.insns, rec->at.step);
        if (row) {
            row->here = i == here;
            row->later = i > here;
            row->style = scene_mode_style(rec->who.mode);
        }
    }
}

const struct panel_ops panel_trace = { .name = "trace",
                                       .help = "events of the trace up to here; Enter goes there",
                                       .empty = "nothing has been traced before here",
                                       .column = columns,
                                       .nr_columns = ARRAY_SIZE(columns),
                                       .take = take,
                                       .of_past = true,
                                       .of_events = true,
                                       .is_line = true };
