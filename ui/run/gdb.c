// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab run --gdb`: the machine goes both ways, and gdb decides when it runs. See ui/gdb/door.h.
 */
#include "ui/run/run.h"

#include <errno.h>
#include <stdlib.h>

/* What is said of gdb is a message like others. */
static ssize_t say_take(void *data, const char *text, size_t size)
{
    struct run *r = data;

    console_message(&r->console, text, size);
    return (ssize_t)size;
}

/* The machine goes both ways, and stands before its guests' first instruction. */
int run_gdb_start(struct run *r, const struct guest_list *l)
{
    const struct run_limit first = { .until = STIME_MAX, .at = { 0, UINT64_MAX }, .stop = &r->process->stop };
    const struct run_options *o = r->opt;
    struct debug *g = &r->debug;

    if (!o->gdb)
        return 0;
    g->host = r->host;
    g->options = o;
    g->guests = l;
    g->say.out = fopencookie(r, "w", (cookie_io_functions_t){ .write = say_take });
    if (!g->say.out) {
        snprintf(r->err, RUN_ERR_SIZE, "out of memory");
        return -1;
    }
    if (gdb_door_open(&r->gdb, o->gdb, r->err, RUN_ERR_SIZE) ||
        rewind_begin(&g->rw, r->host, REWIND_HISTORY_MIB, r->err))
        return -1;
    debugger_begin(&g->dbg, &g->rw, &r->process->stop);
    r->outside.rw = &g->rw;
    rewind_run(&g->rw, &first);
    return gdb_door_begin(&r->gdb, g, r->process, r->err, RUN_ERR_SIZE);
}

void run_gdb_finish(struct run *r)
{
    gdb_door_close(&r->gdb);
    debugger_end(&r->debug.dbg);
    if (r->debug.rw.history)
        rewind_finish(&r->debug.rw);
    debug_console_free(&r->debug);
    if (r->debug.say.out)
        fclose(r->debug.say.out);
    r->debug = (struct debug){ 0 }; /* what guests have written, and nobody has read, comes when the host goes */
}

/* As long as gdb does not let the machine go. Whoever has the keyboard may leave meanwhile. */
void run_gdb_hold(struct run *r)
{
    if (!r->gdb.port)
        return;
    gdb_door_wait(&r->gdb, -1, 0);
    if (!gdb_door_holds(&r->gdb))
        return;
    while (gdb_door_holds(&r->gdb) && !r->process->stop && !r->input.left && !r->gdb.killed) {
        const bool keys = r->input.kind == INPUT_TERMINAL && !r->input.closed && !input_elsewhere(&r->input);

        console_tick(&r->console, r->now, true);
        console_flush(&r->console);
        if (gdb_door_wait(&r->gdb, keys ? r->input.fd : -1, keys ? (int)(RUN_LOOK_AGAIN / MILLISECS(1)) : -1))
            input_poll(&r->input);
    }
    if (!rewind_is_live(&r->debug.rw))
        r->now = host_now(r->host);
    pace_start(&r->pace, r->now, run_real_now());
}

/* gdb lets it run; or has let it go, and may come again. */
enum run_result run_gdb_go(struct run *r, s_time_t end)
{
    const struct run_limit l = { .until = end, .at = { UINT64_MAX, 0 }, .stop = &r->process->stop };
    enum gdb_went went;

    if (!gdb_door_runs(&r->gdb))
        return rewind_run(&r->debug.rw, &l);
    went = gdb_door_run(&r->gdb, end);
    return went == GDB_IDLE ? RUN_IDLE : went == GDB_RUNS && gdb_door_runs(&r->gdb) ? RUN_UNTIL : RUN_STOP;
}

/* While gdb lets it run, the end of the run is a place to stand at, and to go back from. True: it stands there. */
bool run_gdb_stands_at_end(struct run *r, bool stuck)
{
    const s_time_t limit = r->opt->max_vtime;
    const bool late = limit && r->now + r->outside.idle >= limit;

    if (!gdb_door_runs(&r->gdb) || r->process->stop || (!stuck && !late && host_guests_left(r->host)))
        return false;
    gdb_door_end(&r->gdb, stuck  ? "the end: all guests are idle and nothing can wake them"
                          : late ? "the limit of virtual time (--max-vtime)"
                                 : "the end: no guest is left");
    return true;
}
