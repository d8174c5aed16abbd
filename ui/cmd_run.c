// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab run`: guests on a machine, until they are done.
 *
 * Concept: the machine is a function from inputs to outputs, and this loop is the world around it. It lets a slice of
 * virtual time pass, shows what came out, hands in what was typed, and decides whether real time has to pass before the
 * next slice (ui/pace.h). When nothing in the machine can run and no timer is armed (RUN_IDLE), only input can go on:
 * that is the one place where input is waited for.
 *
 * Invariants: nothing here can change what the guests compute, except by the input it hands in. Slices begin and end at
 * virtual times that follow from what the guests did, never from the host's speed, the pace, or the kind of input. So
 * the same command on the same files is the same run. With a recording in place of input (`xenlab replay`) the machine
 * stops at the positions of its lines as well, which are ends of slices if a run was recorded.
 *
 * Budget: one loop with its callbacks; what can be tested without it is in files of its own (input, pace, status...).
 */
#include "ui/cmd_run.h"

#include "tools/debug/condition.h"
#include "tools/host.h"
#include "tools/rewind/input.h"
#include "ui/console.h"
#include "ui/crash.h"
#include "ui/gdb/door.h"
#include "ui/guest_list.h"
#include "ui/input.h"
#include "ui/pace.h"
#include "ui/recording.h"
#include "ui/replay.h"
#include "ui/start.h"
#include "ui/stats.h"
#include "ui/status.h"
#include "ui/trace_file.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xen/sched.h>

/* Short when guests are busy, so that a key is noticed soon; long when they sleep. */
#define SLICE_BUSY MILLISECS(1)
#define SLICE_IDLE MILLISECS(10)
/* What programs on a serial line take a terminal for. */
#define GUESSED_COLUMNS 80U
#define GUESSED_ROWS    24U
/* In the background, while all wait for a key. */
#define LOOK_AGAIN MILLISECS(100)

struct run {
    const struct run_options *opt;
    struct run_process *process;
    struct host *host;
    struct console console;
    struct input input;
    bool has_keyboard;     /* a terminal's: it is the input, or was when the run was recorded */
    struct replay *replay; /* in place of input; or NULL */
    enum replay_state replayed;
    struct recording recording;
    struct debug debug; /* --gdb: what goes both ways; else nothing */
    struct gdb_door gdb;
    bool stuck; /* nothing can ever happen again */
    struct trace_file trace;
    struct condition filter; /* of what goes there */
    bool filter_warned;
    struct pace pace;
    struct stats_wall wall;
    unsigned int nr_guests;
    s_time_t now;  /* virtual time that has passed */
    s_time_t idle; /* real time for which everything waited for input */
    struct run_outcome outcome;
    struct host_pool pools[HOST_MAX_POOLS];
    const char *unannounced; /* what is to be said of the keyboard in the foreground, see keyboard_announce() */
    char *err;               /* RUN_ERR_SIZE bytes, the caller's */
};

static s_time_t real_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return SECONDS(ts.tv_sec) + ts.tv_nsec;
}

/* --- what the machine tells --- */

static void on_console_out(void *data, domid_t domid, const char *text, size_t len)
{
    struct run *r = data;

    debug_console_add(&r->debug, domid, text, len);
    console_guest_write(&r->console, domid, text, len);
}

static void on_crash(void *data, const struct crash_report *report)
{
    struct run *r = data;
    const domid_t domid = report->domid;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    console_guest_end(&r->console, domid);
    if (out) {
        crash_print(out, report, host_guest_name(r->host, domid), host_guest_image(r->host, domid));
        fclose(out);
        console_message(&r->console, text, len);
        free(text);
    }
}

/*
 * A guest that ended as crashed without the hypervisor's doing: it said so, or its watchdog did. It has not been shown
 * yet.
 */
static void self_crash_report(struct run *r, domid_t domid, int reason)
{
    const char *why = reason == SHUTDOWN_watchdog ? "its watchdog fired" : "it says so itself (SHUTDOWN_crash)";
    struct crash_report report;

    if (host_crash_report(r->host, domid, why, &report))
        on_crash(r, &report);
}

static void on_end(void *data, domid_t domid, int reason)
{
    struct run *r = data;

    console_guest_end(&r->console, domid);
    if (reason == SHUTDOWN_crash || reason == SHUTDOWN_watchdog) {
        r->outcome.crashed++;
        self_crash_report(r, domid, reason);
    } else if (reason != SHUTDOWN_poweroff && reason != SHUTDOWN_reboot && reason != SHUTDOWN_suspend &&
               reason != SHUTDOWN_soft_reset) {
        r->outcome.unknown++;
    }
}

static void on_log(void *data, const char *line, size_t len)
{
    struct run *r = data;

    console_message(&r->console, line, len);
}

/* What the toolstack has to say. */
static void on_message(void *data, const char *line)
{
    struct run *r = data;
    char text[HOST_ERR_SIZE + 16];
    const int n = snprintf(text, sizeof(text), "xenlab: %s\n", line);

    console_message(&r->console, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* A line for the recording, if there is one. */
static void record(struct run *r, struct record_line l)
{
    char why[RECORD_ERR_SIZE];

    if (l.kind != RECORD_JOURNAL)
        l.now = r->now;
    if (r->recording.out && !recording_line(&r->recording, l, why))
        on_message(r, why);
}

/* --- who has the keyboard --- */

/* Now, or in the background when we come out of it: until then the keyboard is somebody else's. */
static void keyboard_announce(struct run *r, const char *more)
{
    const domid_t domid = host_guest_domid(r->host, r->input.guest);
    const char *name = host_guest_name(r->host, domid);
    char text[512];
    int n;

    if (r->unannounced && !*more)
        more = r->unannounced;
    r->unannounced = input_elsewhere(&r->input) ? more : NULL;
    if (r->unannounced)
        return;
    if (r->console.by_lines)
        n = snprintf(text, sizeof(text), "xenlab: the keyboard is %.200s's (d%u)%s\n", name ? name : "?", domid, more);
    else
        n = snprintf(text, sizeof(text), "xenlab: the keyboard is the guest's; Ctrl-] leaves\n");
    console_message(&r->console, text, (size_t)n);
}

static void keyboard_give(struct run *r, unsigned int guest)
{
    r->input.guest = guest;
    if (!r->replay)
        keyboard_announce(r, "");
    console_attach(&r->console, host_guest_domid(r->host, guest));
}

/* Ctrl-^. */
static unsigned int keyboard_next(void *data, unsigned int guest)
{
    struct run *r = data;
    const int next = host_guest_next(r->host, guest);

    keyboard_give(r, next < 0 ? guest : (unsigned int)next);
    record(r, (struct record_line){ .kind = RECORD_KEYBOARD, .guest = r->input.guest });
    return r->input.guest;
}

/* The guest that has it may have ended for good, or may have become another domain. */
static void keyboard_check(struct run *r)
{
    domid_t domid;

    if (r->unannounced)
        keyboard_announce(r, r->unannounced);
    if (!r->has_keyboard || !r->console.by_lines)
        return;
    if (host_guest_ended(r->host, r->input.guest) && host_guest_next(r->host, r->input.guest) >= 0)
        keyboard_give(r, (unsigned int)host_guest_next(r->host, r->input.guest));
    domid = host_guest_domid(r->host, r->input.guest);
    if (r->console.attached != domid)
        console_attach(&r->console, domid);
}

/* --console: by name, or by the number of its domain, which is that of its place. */
static int keyboard_choose(struct run *r, const struct guest_list *l)
{
    const char *who = r->opt->console;
    char *end;
    unsigned long n = who ? strtoul(who, &end, 10) : 1;

    for (uint64_t i = 0; who && i < l->nr_names; i++)
        if (!strcmp(l->names[i], who)) {
            r->input.guest = (unsigned int)i;
            return 0;
        }
    if (who && (*who < '0' || *who > '9' || *end || n < 1 || n > l->nr_names)) {
        int len = snprintf(r->err, RUN_ERR_SIZE, "--console: there is no guest \"%.100s\" (there %s", who,
                           l->nr_names > 1 ? "are" : "is");

        for (uint64_t i = 0; i < l->nr_names && i < 8; i++)
            len += snprintf(r->err + len, RUN_ERR_SIZE - (size_t)len, "%s %.100s", i ? "," : "", l->names[i]);
        snprintf(r->err + len, RUN_ERR_SIZE - (size_t)len, "%s)", l->nr_names > 8 ? "..." : "");
        return -1;
    }
    r->input.guest = (unsigned int)n - 1;
    return 0;
}

/* --- waiting --- */

/* Let real time pass (ns < 0: for ever), up to a signal or, if that is of interest, input. */
static void wait_ns(struct run *r, bool for_input, s_time_t ns)
{
    struct pollfd fd = { .fd = r->input.fd, .events = POLLIN };
    struct timespec ts = { .tv_sec = ns / SECONDS(1), .tv_nsec = ns % SECONDS(1) };
    const s_time_t before = real_now();
    sigset_t mask;

    if (for_input && input_elsewhere(&r->input)) { /* who brings us to the foreground need not say so */
        for_input = false;
        if (ns < 0 || ns > LOOK_AGAIN)
            ts = (struct timespec){ .tv_nsec = LOOK_AGAIN }, ns = LOOK_AGAIN;
    } else if (for_input) { /* we may have come to the foreground since we last looked, and wait long */
        r->process->terminal_refresh();
        if (r->unannounced)
            keyboard_announce(r, r->unannounced);
    }
    sigprocmask(SIG_BLOCK, &r->process->signals, &mask); /* or else a signal could come between the test and the wait */
    if (!r->process->stop && !r->gdb.port)
        ppoll(&fd, for_input && !r->input.closed, ns < 0 ? NULL : &ts, &mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (r->gdb.port)
        gdb_door_wait(&r->gdb, for_input && !r->input.closed ? r->input.fd : -1,
                      ns < 0 ? -1 : (int)(ns / MILLISECS(1)) + 1);
    r->wall.waiting += real_now() - before;
}

/*
 * All is idle: wait for input. False if none can come. Virtual time stands still meanwhile, but who has set a limit for
 * it does not want to wait longer than that either.
 */
static bool wait_input(struct run *r)
{
    const struct input *in = &r->input;
    const s_time_t now = r->now, before = real_now();
    const s_time_t left = r->opt->max_vtime ? r->opt->max_vtime - now - r->idle : -1;

    if (in->closed)
        return false;
    if (in->kind != INPUT_TERMINAL && !host_console_wants_input(r->host, r->input.guest))
        return false;
    if (in->kind == INPUT_TERMINAL && input_ready(in, in->guest) && host_console_wants_input(r->host, r->input.guest))
        return true; /* it was typed since the guest was last asked */
    if (in->kind != INPUT_FILE && (left > 0 || !r->opt->max_vtime))
        wait_ns(r, true, left);
    r->idle += real_now() - before;
    pace_start(&r->pace, now, real_now());
    return true;
}

/* Between two slices. */
static void rest(struct run *r, s_time_t slice, s_time_t busy)
{
    const s_time_t ns = pace_rest(&r->pace, r->now, slice, busy, real_now());
    const bool for_input = r->input.kind == INPUT_TERMINAL ||
                           (r->input.kind == INPUT_PIPE && host_console_wants_input(r->host, r->input.guest));

    if (ns > 0)
        wait_ns(r, for_input, ns);
}

/* --- ends --- */

static void limit_reached(struct run *r)
{
    r->outcome.limit = true;
    snprintf(r->err, RUN_ERR_SIZE, "the limit of virtual time is reached (--max-vtime)");
}

/* Nothing will ever happen again: why? */
static void stuck(struct run *r)
{
    struct snapshot s;

    r->outcome.limit = r->stuck = true;
    host_snapshot(r->host, &s);
    if (s.anybody_waits) {
        snprintf(r->err, RUN_ERR_SIZE, "vCPU %u of domain %u waits for a pCPU, and the scheduler %s gives it none",
                 s.waiting.vcpu, s.waiting.domid, s.waiting.sched);
        return;
    }
    snprintf(r->err, RUN_ERR_SIZE, "all guests are idle and nothing can wake them%s",
             r->input.closed && !r->replay ? ": standard input has ended" : "");
}

/* --- a recording in place of input --- */

static void hand_in(void *data, const struct journal_record *rec)
{
    struct run *r = data;
    char why[REWIND_ERR_SIZE];

    record(r, (struct record_line){ .kind = RECORD_JOURNAL, .at = rec->at, .now = rec->now, .in = *rec });
    if (r->gdb.port)
        BUG_ON(rewind_hand_in(&r->debug.rw, rec->kind, rec->who, rec->bytes, rec->len, rec->now, why));
    else
        BUG_ON(input_apply(r->host, rec, why)); /* there is room, or the machine was asked */
}

static void on_recorded_keyboard(void *data, const struct record_line *l)
{
    struct run *r = data;

    record(r, (struct record_line){ .kind = RECORD_KEYBOARD, .guest = l->guest });
    if (r->has_keyboard)
        keyboard_give(r, l->guest);
    r->has_keyboard = true;
    r->input.guest = l->guest;
}

/* To the end of a slice, or to the next line: then a slice has ended there, at that time. */
static enum run_result replay_run(struct run *r, s_time_t end)
{
    const struct run_limit l = { .until = end, .at = replay_stop(r->replay), .stop = &r->process->stop };

    return host_run_to(r->host, &l);
}

/* The lines of here. A machine that is idle, and to which nothing comes here, never gets to the next one. */
static void replay_on(struct run *r, bool idle)
{
    const struct replay_sink sink = { r, hand_in, on_recorded_keyboard };
    const size_t line = r->replay->next;

    if (r->replayed == REPLAY_GOES_ON)
        r->replayed = replay_take(r->replay, r->host, &sink, r->err);
    if (r->replayed == REPLAY_GOES_ON && idle && r->replay->next == line) {
        replay_too_short(r->replay, r->host, r->err);
        r->replayed = REPLAY_DIFFERS;
    }
}

/* The recording is over: the end that it had, once more. */
static void replay_end(struct run *r)
{
    const struct record *rec = &r->replay->rec;
    const struct record_line *l = rec->nr ? &rec->lines[rec->nr - 1] : NULL;
    struct run_outcome *outcome = &r->outcome;

    if (!rec->ended) {
        outcome->limit = true;
        snprintf(r->err, RUN_ERR_SIZE, "%.300s: the recording is cut off here, at #%llu.%llu", r->replay->path,
                 (unsigned long long)(l ? l->at.insns : 0), (unsigned long long)(l ? l->at.step : 0));
        return;
    }
    switch (l->why) {
    case RECORD_DONE: break;
    case RECORD_LIMIT: limit_reached(r); break;
    case RECORD_STUCK: stuck(r); break;
    case RECORD_LEFT:
        outcome->left = true;
        snprintf(r->err, RUN_ERR_SIZE, "here the recorded run was left");
        break;
    case RECORD_SIGNAL:
        outcome->signal = l->signal;
        snprintf(r->err, RUN_ERR_SIZE, "here signal %d ended the recorded run", l->signal);
        break;
    case RECORD_FAILED:
        outcome->failed = true;
        snprintf(r->err, RUN_ERR_SIZE,
                 "here ends the recorded run, of which something has failed: its output, a core, a restart");
        break;
    case RECORD_KNOWN: snprintf(r->err, RUN_ERR_SIZE, "here ends what was recorded"); break;
    }
}

/* There is something of the recording still to come? Then this is no end. */
static bool replay_ended(struct run *r, bool over)
{
    if (r->replayed == REPLAY_OVER)
        replay_end(r);
    else if (r->replayed == REPLAY_GOES_ON && over)
        replay_too_short(r->replay, r->host, r->err);
    if (r->replayed == REPLAY_DIFFERS || (r->replayed == REPLAY_GOES_ON && over))
        r->outcome.failed = true;
    return over || r->replayed != REPLAY_GOES_ON;
}

/* Why the run has ended, for the recording. False: that is not known, as of one whose own recording was cut off. */
static bool end_reason(const struct run *r, struct record_line *l)
{
    const struct record *rec = r->replay ? &r->replay->rec : NULL;

    if (r->process->signal)
        l->why = RECORD_SIGNAL, l->signal = r->process->signal;
    else if (r->replayed == REPLAY_OVER && rec->ended)
        l->why = rec->lines[rec->nr - 1].why, l->signal = rec->lines[rec->nr - 1].signal;
    else if (r->outcome.failed)
        l->why = RECORD_FAILED;
    else if (r->outcome.left)
        l->why = RECORD_LEFT;
    else if (r->stuck || r->outcome.limit)
        l->why = r->stuck ? RECORD_STUCK : RECORD_LIMIT;
    else
        l->why = RECORD_DONE;
    return !rec || r->process->signal || (r->replayed == REPLAY_OVER && rec->ended);
}

/* --- gdb --- */

/* What is said of gdb is a message like others. */
static ssize_t say_take(void *data, const char *text, size_t size)
{
    struct run *r = data;

    console_message(&r->console, text, size);
    return (ssize_t)size;
}

/* The machine goes both ways, and stands before its guests' first instruction. */
static int gdb_start(struct run *r, const struct guest_list *l)
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
    rewind_run(&g->rw, &first);
    return gdb_door_begin(&r->gdb, g, r->process, r->err, RUN_ERR_SIZE);
}

static void gdb_finish(struct run *r)
{
    gdb_door_close(&r->gdb);
    debugger_end(&r->debug.dbg);
    if (r->debug.rw.history)
        rewind_finish(&r->debug.rw);
    debug_console_free(&r->debug);
    if (r->debug.say.out)
        fclose(r->debug.say.out);
}

/* As long as gdb does not let the machine go. Whoever has the keyboard may leave meanwhile. */
static void gdb_hold(struct run *r)
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
        if (gdb_door_wait(&r->gdb, keys ? r->input.fd : -1, keys ? (int)(LOOK_AGAIN / MILLISECS(1)) : -1))
            input_poll(&r->input);
    }
    if (!rewind_is_live(&r->debug.rw))
        r->now = host_now(r->host);
    pace_start(&r->pace, r->now, real_now());
}

/* gdb lets it run; or has let it go, and may come again. */
static enum run_result gdb_run(struct run *r, s_time_t end)
{
    const struct run_limit l = { .until = end, .at = { UINT64_MAX, 0 }, .stop = &r->process->stop };
    enum gdb_went went;

    if (!gdb_door_runs(&r->gdb))
        return rewind_run(&r->debug.rw, &l);
    went = gdb_door_run(&r->gdb, end);
    return went == GDB_IDLE ? RUN_IDLE : went == GDB_RUNS && gdb_door_runs(&r->gdb) ? RUN_UNTIL : RUN_STOP;
}

/* While gdb lets it run, the end of the run is a place to stand at, and to go back from. True: it stands there. */
static bool gdb_stands_at_end(struct run *r, bool stuck)
{
    const s_time_t limit = r->opt->max_vtime;
    const bool late = limit && r->now + r->idle >= limit;

    if (!gdb_door_runs(&r->gdb) || r->process->stop || (!stuck && !late && host_guests_left(r->host)))
        return false;
    gdb_door_end(&r->gdb, stuck  ? "the end: all guests are idle and nothing can wake them"
                          : late ? "the limit of virtual time (--max-vtime)"
                                 : "the end: no guest is left");
    return true;
}

/* --- the loop --- */

static bool ended(struct run *r)
{
    const s_time_t limit = r->opt->max_vtime;
    const bool done = host_guests_left(r->host) == 0, late = limit && r->now + r->idle >= limit;

    if (r->process->stop || r->input.left || r->console.error || r->trace.error || r->gdb.killed)
        return true;
    if (r->replay)
        return replay_ended(r, done || late);
    if (late && !done)
        limit_reached(r);
    return done || late;
}

/* Where the slice ends that begins now: at the next multiple of its length. */
static s_time_t slice_end(const struct run *r, bool busy)
{
    const s_time_t length = busy ? SLICE_BUSY : SLICE_IDLE;
    const s_time_t end = (r->now / length + 1) * length, limit = r->opt->max_vtime;

    return limit && end > limit ? limit : end;
}

/*
 * What there is for the guests to read. Of a pipe no more is taken than is wanted: the rest may be for who reads it
 * after us. What was typed may be for each of them.
 */
static void read_and_hand_in(struct run *r)
{
    const struct input *in = &r->input;
    const unsigned int first = in->kind == INPUT_TERMINAL ? 0 : in->guest;
    const unsigned int last = in->kind == INPUT_TERMINAL ? r->nr_guests - 1 : in->guest;
    char text[HOST_INPUT_MAX];

    input_poll(&r->input);
    if (r->gdb.port && !rewind_is_live(&r->debug.rw)) /* the past has its own */
        return;
    for (unsigned int g = first; g <= last; g++) {
        size_t n = host_console_room(r->host, g);

        if (in->kind == INPUT_PIPE && !host_console_wants_input(r->host, g))
            n = 0;
        if (n && input_ready(in, g))
            n = input_read(&r->input, g, text, n);
        else
            n = 0;
        if (n)
            hand_in(r, &(struct journal_record){ .at = host_machine(r->host)->at,
                                                 .now = r->now,
                                                 .kind = JOURNAL_CONSOLE,
                                                 .who = g,
                                                 .len = n,
                                                 .bytes = (uint8_t *)text });
    }
}

/* True: all is idle, and no timer will ever change that. The machine's own clock stands still while all is idle. */
static bool slice_run(struct run *r, s_time_t end)
{
    const enum run_result result = r->gdb.port ? gdb_run(r, end)
                                   : r->replay ? replay_run(r, end)
                                               : host_run(r->host, end, &r->process->stop);
    const s_time_t now = result == RUN_AT ? replay_now(r->replay) : host_now(r->host);

    if (result == RUN_UNTIL && now < end)
        r->now = end;
    else if (r->now < now)
        r->now = now;
    return result == RUN_IDLE || (result == RUN_AT && host_is_idle(r->host));
}

static void loop(struct run *r)
{
    bool was_busy = true;

    pace_start(&r->pace, r->now, real_now());
    for (;;) {
        s_time_t start, busy_before, slice, busy;
        bool idle;

        gdb_hold(r);
        start = r->now;
        busy_before = host_busy(r->host);
        idle = !r->process->stop && slice_run(r, slice_end(r, was_busy));
        slice = r->now - start;
        busy = host_busy(r->host) - busy_before;

        r->process->terminal_refresh();
        keyboard_check(r);
        console_tick(&r->console, r->now, idle);
        console_flush(&r->console);
        input_poll(&r->input);
        if (recording_at_due(&r->recording))
            record(r, (struct record_line){ .kind = RECORD_AT });
        if (r->replay)
            replay_on(r, idle);
        if (gdb_stands_at_end(r, false) ||
            (r->gdb.port && gdb_door_holds(&r->gdb) && !r->process->stop && !r->gdb.killed))
            continue;
        if (ended(r))
            return;
        if (!idle) {
            rest(r, slice, busy);
        } else if (!r->replay && !wait_input(r)) {
            if (gdb_stands_at_end(r, true))
                continue;
            stuck(r);
            return;
        }
        read_and_hand_in(r);
        if (slice || busy) /* to have looked for input in vain is no reason for other slices */
            was_busy = busy >= slice / 2;
    }
}

/* --- coming up and down --- */

static void warnings_print(struct run *r, const struct guest_list *l)
{
    for (unsigned int i = 0; i < l->nr; i++)
        for (const char *line = l->entries[i].cfg.warnings; line && *line; line += strcspn(line, "\n") + 1) {
            char text[HOST_ERR_SIZE];

            snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"), line);
            on_message(r, text);
        }
}

static void on_record(void *data, const struct trace_record *rec)
{
    static const char *const spaces[] = { [EXPR_VIRTUAL] = "v:", [EXPR_PHYSICAL] = "p:", [EXPR_MACHINE] = "m:" };
    struct run *r = data;
    char text[128];

    if (condition_holds(&r->filter, rec))
        trace_file_sink(&r->trace, rec);
    if (!r->filter.unreadable || r->filter_warned)
        return;
    r->filter_warned = true;
    snprintf(text, sizeof(text), "--trace-filter: d%dv%d:%s0x%llx cannot be read: there the condition does not hold",
             r->filter.where.domain, r->filter.where.vcpu, spaces[r->filter.where.space],
             (unsigned long long)r->filter.where.addr);
    on_message(r, text);
}

/* There are no guests yet, and so no symbols. */
static int filter_start(struct run *r)
{
    char why[EXPR_ERR_SIZE];

    if (condition_parse(&r->filter, r->host, CONDITION_NO_SYMBOLS, r->opt->trace_filter, why)) {
        snprintf(r->err, RUN_ERR_SIZE, "--trace-filter: %s", why);
        return -1;
    }
    host_trace(r->host, on_record, r);
    return 0;
}

/* Copies of a guest come from the same files: each is named once. */
static int trace_start(struct run *r, const struct guest_list *l)
{
    const char *path = r->opt->trace;
    struct trace_file_guest *guests = calloc(l->nr, sizeof(*guests));
    int rc;

    for (unsigned int i = 0; guests && i < l->nr; i++) {
        const struct host_guest *g = &l->entries[i].guest;

        guests[i] = (struct trace_file_guest){ l->names[i], g->kernel, g->ramdisk };
    }
    rc = guests ? trace_file_open(&r->trace, path, guests, l->nr, &r->process->stop) : -1;
    if (rc)
        snprintf(r->err, RUN_ERR_SIZE, "%s: %s", path, strerror(errno));
    else
        host_trace(r->host, trace_file_sink, &r->trace);
    free(guests);
    return rc == 0 && r->opt->trace_filter ? filter_start(r) : rc;
}

static int machine_start(struct run *r, const struct guest_list *l)
{
    const struct run_options *o = r->opt;
    const struct host_io io = { r, on_console_out, on_crash, on_end, on_message };

    if (o->trace && guest_list_reads(l, o, o->trace)) {
        snprintf(r->err, RUN_ERR_SIZE, "--trace: %s is a file that a guest comes from: the trace would take its place",
                 o->trace);
        return -1;
    }
    r->host = start_host(o, l, &io, r->pools, r->err);
    if (!r->host)
        return -1;
    host_log(r->host, on_log, r, start_log_level(o));
    return o->trace ? trace_start(r, l) : 0;
}

/* A console has no size that a guest could ask for. */
static void size_check(struct run *r)
{
    struct winsize size;
    char text[160];
    int n;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col || !size.ws_row)
        return; /* unknown, or no terminal */
    if (size.ws_col >= GUESSED_COLUMNS && size.ws_row >= GUESSED_ROWS)
        return;
    n = snprintf(text, sizeof(text), "xenlab: the terminal is %ux%u; guests that draw take it for %ux%u at least\n",
                 size.ws_col, size.ws_row, GUESSED_COLUMNS, GUESSED_ROWS);
    console_message(&r->console, text, (size_t)n);
}

static void terminal_setup(struct run *r)
{
    struct stat st;

    r->console.together = isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
    /*
     * A file gets what the guest wrote, to the byte. Whoever looks through a pipe may be about to look at a shell's
     * prompt.
     */
    r->console.end_line = isatty(STDOUT_FILENO) || (fstat(STDOUT_FILENO, &st) == 0 && S_ISFIFO(st.st_mode));
    r->has_keyboard = r->input.kind == INPUT_TERMINAL;
    r->pace.mode = r->opt->realtime ? PACE_REALTIME : r->has_keyboard ? PACE_PERSON : PACE_NONE;
    if (r->has_keyboard && r->console.by_lines)
        record(r, (struct record_line){ .kind = RECORD_KEYBOARD, .guest = r->input.guest });
    if (!r->has_keyboard || !r->process->terminal_raw())
        return;
    r->console.out_raw = isatty(STDOUT_FILENO);
    r->console.err_raw = isatty(STDERR_FILENO);
    if (r->console.by_lines)
        r->input.next = keyboard_next, r->input.data = r;
    if (r->opt->quiet)
        return;
    size_check(r);
    keyboard_announce(r, "; Ctrl-^ gives it to the next guest, Ctrl-] leaves");
}

static void stats_show(struct run *r)
{
    struct host_task_time tasks[8];
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct snapshot s;

    if (!out)
        return;
    r->wall.peak_kib = stats_peak_kib();
    host_snapshot(r->host, &s);
    stats_print(out, &s, &r->wall, tasks, host_dom0_time(r->host, tasks, ARRAY_SIZE(tasks)));
    fclose(out);
    console_message(&r->console, text, len);
    free(text);
}

/*
 * The environment's failures that were noted on the way, if nothing worse has been said. That a signal interrupted the
 * wait for a reader is none: the signal is the reason for the end.
 */
static void failures_note(struct run *r)
{
    const int trace_error = trace_file_close(&r->trace), interrupted = r->process->signal ? EINTR : 0;

    r->outcome.left |=
        r->input.left || r->gdb.killed || r->console.error == EPIPE; /* nobody reads: as if he had left */
    if (r->console.error && r->console.error != EPIPE && r->console.error != interrupted)
        snprintf(r->err, RUN_ERR_SIZE, "standard output: %s", strerror(r->console.error));
    else if (trace_error && trace_error != interrupted)
        snprintf(r->err, RUN_ERR_SIZE, "%s: %s", r->trace.path, strerror(trace_error));
    else
        return;
    r->outcome.failed = true;
}

/* Guests are there, and have not run. */
static int recording_start(struct run *r, const struct guest_list *l)
{
    const struct run_options *o = r->opt;
    const struct replay *rp = r->replay;

    if (rp && replay_check(r->replay, o, l, r->host, r->err))
        return -1;
    if (o->record && o->trace && !strcmp(o->record, o->trace)) {
        snprintf(r->err, RUN_ERR_SIZE, "--record: %s is for the trace", o->record);
        return -1;
    }
    return o->record ? recording_open(&r->recording, o->record, r->host, rp ? &rp->rec.head : NULL, o, l, r->err) : 0;
}

/* The last line, when it is clear what has become of the run. */
static void recording_end(struct run *r)
{
    struct record_line l = { .kind = RECORD_END };

    if (r->recording.out && end_reason(r, &l))
        record(r, l);
    recording_close(&r->recording);
}

int run_guests(const struct run_options *o, struct run_process *p, struct replay *replay, char err[RUN_ERR_SIZE])
{
    struct run r = { .opt = o,
                     .process = p,
                     .console = { .out = stdout, .err = stderr, .attached = CONSOLE_NOBODY },
                     .replay = replay,
                     .err = err };
    const s_time_t start = real_now();
    struct guest_list list;

    if (o->trace && !strcmp(o->trace, "-")) /* which has standard output for itself */
        r.console.out = stderr;

    err[0] = '\0';
    if (replay)
        r.input.closed = true;
    else
        input_open(&r.input, STDIN_FILENO);
    if (guest_list_load(&list, o, err)) {
        r.outcome.failed = true;
    } else {
        r.console.by_lines = list.nr_names > 1;
        r.nr_guests = (unsigned int)list.nr_names;
        warnings_print(&r, &list);
        if (keyboard_choose(&r, &list) || machine_start(&r, &list) || start_guests(r.host, &list, r.err) ||
            recording_start(&r, &list) || gdb_start(&r, &list)) {
            r.outcome.failed = true;
        } else {
            p->signals_catch();
            terminal_setup(&r);
            r.wall.start_up = real_now() - start;
            loop(&r);
            r.wall.running = real_now() - start - r.wall.start_up - r.wall.waiting;
        }
    }
    console_close(&r.console);
    if (o->stats && r.wall.running)
        stats_show(&r);
    r.outcome.failed |= r.host && host_failed(r.host);
    if (r.host) /* switching the computer off is no event in it */
        host_trace(r.host, NULL, NULL);
    condition_free(&r.filter);
    failures_note(&r);
    recording_end(&r);
    gdb_finish(&r);
    host_destroy(r.host);
    guest_list_free(&list);
    if (p->signal)
        r.outcome.signal = p->signal;
    return run_status(&r.outcome);
}

int cmd_run(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE])
{
    return run_guests(o, p, NULL, err);
}
