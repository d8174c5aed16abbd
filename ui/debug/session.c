// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine behind the doors of the debugger, see ui/debug/session.h. */
#include "ui/debug/session.h"

#include "ui/crash.h"
#include "ui/start.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

/* --- what the machine tells --- */

/* What has been written of a line comes before what is said now. */
static void line_end(void *data)
{
    struct debug_session *s = data;

    if (!s->len)
        return;
    s->line[s->len] = '\0';
    s->len = 0;
    say_begin(&s->g.say, "console");
    say_number(&s->g.say, "dom", s->domid);
    say_field(&s->g.say, "text", "%s", s->line);
    say(&s->g.say, "[d%u] %s", s->domid, s->line);
    say_end(&s->g.say);
}

static void on_console_out(void *data, domid_t domid, const char *text, size_t len)
{
    struct debug_session *s = data;

    debug_console_add(&s->g, domid, text, len);
    if (s->consoles_elsewhere)
        return;
    if (s->domid != domid)
        line_end(s);
    s->domid = domid;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n' || s->len == sizeof(s->line) - 1)
            line_end(s);
        if (text[i] != '\n' && text[i] != '\r')
            s->line[s->len++] = text[i];
    }
}

static void on_crash(void *data, const struct crash_report *report)
{
    struct debug_session *s = data;

    debug_crash_add(&s->g, report->domid, report->why);
    say_begin(&s->g.say, "crash");
    say_number(&s->g.say, "dom", report->domid);
    say_field(&s->g.say, "text", "%s", report->why);
    say(&s->g.say, "d%u has crashed: %s", report->domid, report->why);
    say_end(&s->g.say);
}

static void on_end(void *data, domid_t domid, int reason)
{
    struct debug_session *s = data;

    if (reason == SHUTDOWN_crash || reason == SHUTDOWN_watchdog)
        debug_crash_add(&s->g, domid, host_crash_why(s->g.host, domid, reason));
    if (reason == HOST_DESTROYED)
        say_line(&s->g.say, "destroyed", "d%u has been destroyed", domid);
    else
        say_line(&s->g.say, "shutdown", "d%u has shut down, code %d", domid, reason);
}

static void on_message(void *data, const char *line)
{
    struct debug_session *s = data;

    say_line(&s->g.say, "message", "%s", line);
}

static void on_log(void *data, const char *line, size_t len)
{
    struct debug_session *s = data;

    say_line(&s->g.say, "log", "%.*s", (int)(len && line[len - 1] == '\n' ? len - 1 : len), line);
}

static void on_outside(void *data, const uint8_t *packet, size_t len)
{
    outside_packet_out(&((struct debug_session *)data)->live.outside, packet, len);
}

static void on_program_out(void *data, unsigned int id, const void *bytes, size_t len)
{
    outside_program_out(&((struct debug_session *)data)->live.outside, id, bytes, len);
}

static void on_program_hang_up(void *data, unsigned int id)
{
    outside_program_hang_up(&((struct debug_session *)data)->live.outside, id);
}

/* --- coming up and down --- */

static bool compare(void *data, struct position *at, char err[REWIND_ERR_SIZE])
{
    struct debug_session *s = data;
    char why[RECORD_ERR_SIZE];
    const enum replay_state state = replay_compare(&s->replay, s->g.host, at, why);

    if (state == REPLAY_DIFFERS)
        snprintf(err, REWIND_ERR_SIZE, "%.*s", REWIND_ERR_SIZE - 1, why);
    return state == REPLAY_GOES_ON;
}

/* Those of the recording, if there is one. */
static int expect_inputs(struct debug_session *s, char err[RUN_ERR_SIZE])
{
    const struct record *rec = &s->replay.rec;

    for (size_t i = 0; i < rec->nr; i++)
        if (rec->lines[i].kind == RECORD_JOURNAL && !rewind_expect(&s->g.rw, &rec->lines[i].in)) {
            snprintf(err, RUN_ERR_SIZE, "out of memory");
            return -1;
        }
    if (rec->nr)
        s->g.rw.compare = (struct rewind_compare){ .fn = compare, .data = s };
    return 0;
}

int session_open(struct debug_session *s, struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE])
{
    s->process = p;
    s->g.say.before = line_end;
    s->g.say.before_data = s;
    s->g.read_only = o->read_only;
    s->g.script = o->script;
    s->g.options = o;
    s->g.guests = &s->list;
    s->g.head = o->replay ? &s->replay.rec.head : NULL;
    if (o->replay && o->xenstore_socket) {
        snprintf(err, RUN_ERR_SIZE, "--xenstore-socket: a recording has its programs already");
        return -1;
    }
    if (o->replay && replay_open(&s->replay, o->replay, o, err))
        return -1;
    return guest_list_load(&s->list, o, err);
}

int session_start(struct debug_session *s, char err[RUN_ERR_SIZE])
{
    const struct run_options *o = s->g.options;
    const struct host_io io = { .data = s,
                                .console_out = on_console_out,
                                .guest_crashed = on_crash,
                                .guest_ended = on_end,
                                .message = on_message,
                                .xenstore_out = on_program_out,
                                .xenstore_hang_up = on_program_hang_up,
                                .outside = o->replay ? NULL : on_outside };
    const struct run_limit first = { .until = STIME_MAX, .at = { 0, UINT64_MAX }, .stop = &s->process->stop };

    s->g.host = start_host(o, &s->list, &io, s->pools, NULL, err);
    if (!s->g.host)
        return -1;
    host_log(s->g.host, on_log, s, start_log_level(o));
    if (start_guests(s->g.host, &s->list, err) ||
        (o->replay && replay_check(&s->replay, o, &s->list, s->g.host, err)) ||
        rewind_begin(&s->g.rw, s->g.host, o->history_mib ? (unsigned int)o->history_mib : REWIND_HISTORY_MIB, err))
        return -1;
    if (history_by_comparing(s->g.rw.history))
        say_line(&s->g.say, "message",
                 "this kernel does not tell which pages change (Linux 6.7 does): they are compared, "
                 "and checkpoints take longer");
    debugger_begin(&s->g.dbg, &s->g.rw, &s->process->stop);
    s->g.dbg.limit = o->max_vtime ? o->max_vtime : STIME_MAX;
    if (expect_inputs(s, err) || (!o->replay && live_open(&s->live, &s->g, s->process, err)))
        return -1;
    rewind_run(&s->g.rw, &first);
    s->g.came_from = s->g.rw.m->at;
    return 0;
}

void session_command(struct debug_session *s, const char *line)
{
    debug_command(&s->g, line);
    line_end(s);
    if (s->process->signal == SIGINT) {
        s->process->signal = 0;
        s->process->stop = false;
    }
}

int session_close(struct debug_session *s)
{
    int failed = 0;

    live_close(&s->live);
    sources_free(&s->g.sources);
    debugger_end(&s->g.dbg);
    if (s->g.rw.history)
        rewind_finish(&s->g.rw);
    if (s->g.host) {
        failed = host_disks_save(s->g.host);
        host_silence(s->g.host, true);
    }
    host_destroy(s->g.host);
    debug_console_free(&s->g);
    guest_list_free(&s->list);
    replay_close(&s->replay);
    return failed;
}
