// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The debugger's `export`: what happened between two places, for other programs. See ui/debug/debug.h.
 *
 * The stretch is run again with somebody who listens, and the machine comes back: nothing need have been traced.
 */
#include "tools/debug/past.h"
#include "ui/debug/debug.h"
#include "ui/export/formats.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct exporting {
    const struct export_format *format;
    char path[DEBUG_PATH];
    struct export_place from, to;
    void *state;
    uint64_t nr; /* records that were exported */
};

static const char *guest_name(const void *data, size_t i)
{
    const struct guest_list *l = data;

    return l && i < l->nr_names ? l->names[i] : NULL;
}

static void take(void *data, const struct trace_record *rec)
{
    struct exporting *e = data;

    e->nr += export_record(e->format, e->state, rec, &e->from, &e->to);
}

static bool parse_place(struct debug *g, const char *text, struct export_place *place)
{
    if (!*text || export_place_parse(text, place))
        return true;
    debug_fail(g, "arguments", "%s is no place in a run: try " EXPORT_RANGE_EXAMPLE, text);
    return false;
}

static bool parse(struct debug *g, const char *args, struct exporting *e)
{
    char format[16] = "", from[64] = "", to[64] = "", more[2] = "";
    int behind = 0;

    *e = (struct exporting){ 0 };
    if (sscanf(args, "%15s %n", format, &behind) == 1 && !(args = debug_path(g, args + behind, true, e->path)))
        return false;
    if (!e->path[0] || (sscanf(args, "%63s %63s %1s", from, to, more) && *more)) {
        debug_fail(g, "arguments", "export FORMAT FILE [FROM TO]: perfetto, xentrace or svg, and the file to write");
        return false;
    }
    e->format = export_format_find(format);
    if (!e->format)
        debug_fail(g, "arguments",
                   "there is no format %s, but perfetto, xentrace, svg; of a tour: xenlab tour --export", format);
    return e->format && parse_place(g, from, &e->from) && parse_place(g, to, &e->to);
}

/* There and back. */
static enum debug_result listen(struct debug *g, struct exporting *e)
{
    const struct past_question q = past_ask(&g->dbg);
    struct position from = rewind_first(&g->rw), to = g->rw.end;

    /* A time is looked for on the way; a position is gone to, but by formats that ask what was before. */
    if (!e->format->before && e->from.stated && !e->from.by_time && position_is_before(from, e->from.at))
        from = e->from.at;
    if (e->to.stated && !e->to.by_time && position_is_before(e->to.at, to))
        to = e->to.at;
    return past_answered(&g->dbg, &q,
                         position_is_before(from, to) ? past_events(&g->dbg, from, to, take, e) : DEBUG_THERE);
}

void debug_export(struct debug *g, const char *args, unsigned long count)
{
    const struct export_about about = { guest_name, g->guests };
    enum debug_result r = DEBUG_THERE;
    struct exporting e;
    bool whole;
    FILE *out;

    if (!parse(g, args, &e))
        return;
    if (g->guests && guest_list_reads(g->guests, g->options, e.path)) {
        debug_fail(g, "export", "%s is a file of this run", e.path);
        return;
    }
    out = fopen(e.path, "we");
    e.state = out ? e.format->begin(out, &about) : NULL;
    if (!e.state) {
        debug_fail(g, "export", "%s: %s", e.path, strerror(errno));
        if (out)
            fclose(out);
        return;
    }
    r = listen(g, &e);
    whole = e.format->end(e.state);
    whole &= !ferror(out);
    whole &= !fclose(out);
    if (r == DEBUG_THERE && whole)
        say_line(&g->say, "export", "%s of %llu records to %s", e.format->name, (unsigned long long)e.nr, e.path);
    else if (r == DEBUG_THERE)
        debug_fail(g, "export", "%s: not all could be written", e.path);
    else
        debug_moved(g, r, "export");
}
