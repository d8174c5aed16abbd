// SPDX-License-Identifier: GPL-2.0-or-later
/* The debugger's `record`: what is known of a run becomes a file that xenlab replay repeats. See ui/debug/debug.h. */
#include "ui/debug/debug.h"
#include "ui/recording.h"

#include <stdio.h>
#include <string.h>

/* The machine stands at the end of what is known. */
static bool write_all(struct debug *g, struct recording *rec, char err[RECORD_ERR_SIZE])
{
    bool good = true;

    for (size_t i = 0; good && i < g->rw.next; i++) {
        const struct journal_record *in = &g->rw.journal.records[i];

        good = recording_line(
            rec, (struct record_line){ .kind = RECORD_JOURNAL, .at = in->at, .now = in->now, .in = *in }, err);
    }
    return good &&
           recording_line(
               rec, (struct record_line){ .kind = RECORD_END, .now = host_now(g->host), .why = RECORD_KNOWN }, err);
}

void debug_record(struct debug *g, const char *args, unsigned long count)
{
    const struct position here = g->rw.m->at;
    struct recording rec = { 0 };
    char err[RECORD_ERR_SIZE] = "", path[DEBUG_PATH];

    if (!debug_path(g, args, false, path))
        return;
    if (!*path) {
        debug_fail(g, "arguments", "record FILE: the file to write");
        return;
    }
    if (g->options->disk_writes && !strcmp(g->options->disk_writes, "exit")) {
        debug_fail(g, "arguments", "with --disk-writes exit the disks will not be there that a recording needs");
        return;
    }
    if (debugger_goto(&g->dbg, g->rw.end) != DEBUG_THERE) {
        debug_fail(g, "record", "the end of what is known cannot be reached");
        return;
    }
    if (recording_open(&rec, path, g->host, g->head, g->options, g->guests, err) == 0 && write_all(g, &rec, err))
        say_line(&g->say, "record", "recorded to %s, up to #%llu.%llu", path, (unsigned long long)g->rw.end.insns,
                 (unsigned long long)g->rw.end.step);
    else
        debug_fail(g, "record", "%s", err);
    recording_close(&rec);
    if (debugger_goto(&g->dbg, here) != DEBUG_THERE)
        debug_fail(g, "record", "it is not possible to go back to where the machine was");
}
