// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab debug`: guests on a machine that goes both ways, driven by lines.
 *
 * Concept: the machine is set up as for `xenlab run`, and stops before the guests' first instruction. From then on it
 * moves only as commands say. What guests write appears as it is written, when it happens for the first time; while the
 * past is repeated it does not appear again.
 *
 * Invariants: lines are only appended. A line of a script whose first character is # is a comment. Ctrl-C leaves off
 * the command that is being carried out, and the machine is where it was; at the prompt, the line that is typed.
 */
#include "ui/cmd_debug.h"

#include "ui/crash.h"
#include "ui/debug/debug.h"
#include "ui/debug/line.h"
#include "ui/replay.h"
#include "ui/start.h"
#include "ui/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct session {
    struct debug g;
    struct run_process *process;
    struct host_pool pools[HOST_MAX_POOLS];
    struct replay replay; /* what is debugged, if it is a recording */
    FILE *in;
    struct line_editor *editor; /* of somebody at a terminal, or NULL */
    char *text;                 /* otherwise the line that was read */
    size_t size;
    unsigned int domid; /* who wrote `line`, which is not finished */
    char line[512];
    size_t len;
};

/* --- what the machine tells --- */

static void line_end(struct session *s)
{
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
    struct session *s = data;

    debug_console_add(&s->g, domid, text, len);
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
    struct session *s = data;

    line_end(s);
    say_begin(&s->g.say, "crash");
    say_number(&s->g.say, "dom", report->domid);
    say_field(&s->g.say, "text", "%s", report->why);
    say(&s->g.say, "d%u has crashed: %s", report->domid, report->why);
    say_end(&s->g.say);
}

static void on_end(void *data, domid_t domid, int reason)
{
    struct session *s = data;

    line_end(s);
    say_line(&s->g.say, "shutdown", "d%u has shut down, code %d", domid, reason);
}

static void on_message(void *data, const char *line)
{
    struct session *s = data;

    line_end(s);
    say_line(&s->g.say, "message", "%s", line);
}

static void on_log(void *data, const char *line, size_t len)
{
    struct session *s = data;

    line_end(s);
    say_line(&s->g.say, "log", "%.*s", (int)(len && line[len - 1] == '\n' ? len - 1 : len), line);
}

/* --- lines --- */

/* What was said is not held back while somebody reads it; Ctrl-C was for the command that is over. */
static void command(struct session *s, const char *line)
{
    debug_command(&s->g, line);
    line_end(s);
    if (s->process->signal == SIGINT) {
        s->process->signal = 0;
        s->process->stop = false;
    }
}

/* Ctrl-C was for the line that was being typed. */
static bool interrupted(struct session *s)
{
    if (s->process->signal != SIGINT)
        return false;
    s->process->signal = 0;
    s->process->stop = false;
    if (s->editor)
        putchar('\n');
    else
        clearerr(s->in);
    return true;
}

/* NULL: there is none. */
static const char *next_line(struct session *s)
{
    if (s->editor)
        return line_read(s->editor, rewind_is_live(&s->g.rw) ? "LIVE xenlab> " : "REPLAY xenlab> ", true);
    return getline(&s->text, &s->size, s->in) < 0 ? NULL : s->text;
}

static void loop(struct session *s)
{
    while (!s->g.quit && !s->process->stop) {
        const char *line = next_line(s);

        if (!line && !interrupted(s))
            break;
        if (line && line[0] != '#')
            command(s, line);
    }
    if (s->editor && !s->g.quit)
        putchar('\n');
}

static bool ask(void *data, const char *question)
{
    struct session *s = data;
    const char *line;

    printf("%s\n", question);
    line = line_read(s->editor, "sure> ", false);

    if (!line)
        interrupted(s);
    return line && (line[0] == 'y' || line[0] == 'Y');
}

/* --- coming up and down --- */

static int input_open(struct session *s, const struct run_options *o, char err[RUN_ERR_SIZE])
{
    s->in = o->script ? fopen(o->script, "re") : stdin;
    if (!s->in) {
        snprintf(err, RUN_ERR_SIZE, "--script: %s: %s", o->script, strerror(errno));
        return -1;
    }
    if (o->script || o->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return 0;
    s->editor = line_open(&s->g, &s->process->stop);
    s->g.ask = ask;
    s->g.ask_data = s;
    if (!s->editor)
        snprintf(err, RUN_ERR_SIZE, "out of memory");
    return s->editor ? 0 : -1;
}

/* Those of the recording, if there is one. */
static int expect_inputs(struct session *s, char err[RUN_ERR_SIZE])
{
    const struct record *rec = &s->replay.rec;

    for (size_t i = 0; i < rec->nr; i++)
        if (rec->lines[i].kind == RECORD_JOURNAL && !rewind_expect(&s->g.rw, &rec->lines[i].in)) {
            snprintf(err, RUN_ERR_SIZE, "out of memory");
            return -1;
        }
    return 0;
}

static int machine_start(struct session *s, const struct run_options *o, const struct guest_list *l,
                         char err[RUN_ERR_SIZE])
{
    const struct host_io io = { s, on_console_out, on_crash, on_end, on_message };
    const struct run_limit first = { .until = STIME_MAX, .at = { 0, UINT64_MAX }, .stop = &s->process->stop };

    s->g.host = start_host(o, l, &io, s->pools, err);
    if (!s->g.host)
        return -1;
    host_log(s->g.host, on_log, s, start_log_level(o));
    if (start_guests(s->g.host, l, err) || (o->replay && replay_check(&s->replay, o, l, s->g.host, err)) ||
        rewind_begin(&s->g.rw, s->g.host, o->history_mib ? (unsigned int)o->history_mib : REWIND_HISTORY_MIB, err))
        return -1;
    if (history_by_comparing(s->g.rw.history))
        say_line(&s->g.say, "message",
                 "this kernel does not tell which pages change (Linux 6.7 does): they are compared, "
                 "and checkpoints take longer");
    debugger_begin(&s->g.dbg, &s->g.rw, &s->process->stop);
    s->g.dbg.limit = o->max_vtime ? o->max_vtime : STIME_MAX;
    if (expect_inputs(s, err))
        return -1;
    rewind_run(&s->g.rw, &first);
    return 0;
}

int cmd_debug(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE])
{
    struct guest_list list = { 0 };
    struct session s = { .process = p,
                         .g = { .say = { stdout, o->json },
                                .read_only = o->read_only,
                                .options = o,
                                .guests = &list,
                                .head = o->replay ? &s.replay.rec.head : NULL } };
    int status = STATUS_ENVIRONMENT;

    err[0] = '\0';
    if ((!o->replay || replay_open(&s.replay, o->replay, o, err) == 0) && guest_list_load(&list, o, err) == 0 &&
        input_open(&s, o, err) == 0 && machine_start(&s, o, &list, err) == 0) {
        p->signals_catch();
        debug_stop_say(&s.g, "before the first instruction");
        loop(&s);
        status = s.g.failed ? STATUS_ENVIRONMENT : STATUS_OK;
    }
    debugger_end(&s.g.dbg);
    if (s.g.rw.history)
        rewind_finish(&s.g.rw);
    if (s.g.host)
        host_silence(s.g.host, true);
    host_destroy(s.g.host);
    if (o->script && s.in)
        fclose(s.in);
    line_close(s.editor);
    debug_console_free(&s.g);
    free(s.text);
    guest_list_free(&list);
    replay_close(&s.replay);
    return p->signal ? 128 + p->signal : status;
}
