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
 * the same command on the same files is the same run.
 *
 * Budget: one loop with its callbacks; what can be tested without it is in files of its own (input, pace, status...).
 */
#include "ui/cmd_run.h"

#include "tools/debug/condition.h"
#include "tools/host.h"
#include "ui/console.h"
#include "ui/crash.h"
#include "ui/guest_list.h"
#include "ui/input.h"
#include "ui/pace.h"
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

/* Ctrl-^. */
static unsigned int keyboard_next(void *data, unsigned int guest)
{
    struct run *r = data;
    const int next = host_guest_next(r->host, guest);

    r->input.guest = next < 0 ? guest : (unsigned int)next;
    keyboard_announce(r, "");
    console_attach(&r->console, host_guest_domid(r->host, r->input.guest));
    return r->input.guest;
}

/* The guest that has it may have ended for good, or may have become another domain. */
static void keyboard_check(struct run *r)
{
    domid_t domid;

    if (r->unannounced)
        keyboard_announce(r, r->unannounced);
    if (r->input.kind != INPUT_TERMINAL || !r->console.by_lines)
        return;
    if (host_guest_ended(r->host, r->input.guest) && host_guest_next(r->host, r->input.guest) >= 0)
        keyboard_next(r, r->input.guest);
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
    if (!r->process->stop)
        ppoll(&fd, for_input && !r->input.closed, ns < 0 ? NULL : &ts, &mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
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

/* --- the loop --- */

static bool ended(struct run *r)
{
    const struct run_options *o = r->opt;

    if (r->process->stop || r->input.left || r->console.error || r->trace.error || host_guests_left(r->host) == 0)
        return true;
    if (!o->max_vtime || r->now + r->idle < o->max_vtime)
        return false;
    r->outcome.limit = true;
    snprintf(r->err, RUN_ERR_SIZE, "the limit of virtual time is reached (--max-vtime)");
    return true;
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
static void hand_in(struct run *r)
{
    const struct input *in = &r->input;
    const unsigned int first = in->kind == INPUT_TERMINAL ? 0 : in->guest;
    const unsigned int last = in->kind == INPUT_TERMINAL ? r->nr_guests - 1 : in->guest;
    char text[HOST_INPUT_MAX];

    input_poll(&r->input);
    for (unsigned int g = first; g <= last; g++) {
        size_t n = host_console_room(r->host, g);

        if (in->kind == INPUT_PIPE && !host_console_wants_input(r->host, g))
            n = 0;
        if (n && input_ready(in, g))
            n = input_read(&r->input, g, text, n);
        else
            n = 0;
        if (n)
            host_console_input(r->host, g, text, n, r->now);
    }
}

/* Nothing will ever happen again: why? */
static void stuck(struct run *r)
{
    struct snapshot s;

    host_snapshot(r->host, &s);
    if (s.anybody_waits) {
        snprintf(r->err, RUN_ERR_SIZE, "vCPU %u of domain %u waits for a pCPU, and the scheduler %s gives it none",
                 s.waiting.vcpu, s.waiting.domid, s.waiting.sched);
        return;
    }
    snprintf(r->err, RUN_ERR_SIZE, "all guests are idle and nothing can wake them%s",
             r->input.closed ? ": standard input has ended" : "");
}

/* True: all is idle, and no timer will ever change that. The machine's own clock stands still while all is idle. */
static bool slice_run(struct run *r, s_time_t end)
{
    const enum run_result result = host_run(r->host, end, &r->process->stop);
    const s_time_t now = host_now(r->host);

    if (result == RUN_UNTIL && now < end)
        r->now = end;
    else if (r->now < now)
        r->now = now;
    return result == RUN_IDLE;
}

static void loop(struct run *r)
{
    bool was_busy = true;

    pace_start(&r->pace, r->now, real_now());
    for (;;) {
        const s_time_t start = r->now, busy_before = host_busy(r->host);
        const bool idle = slice_run(r, slice_end(r, was_busy));
        const s_time_t slice = r->now - start, busy = host_busy(r->host) - busy_before;

        r->process->terminal_refresh();
        keyboard_check(r);
        console_tick(&r->console, r->now, idle);
        console_flush(&r->console);
        input_poll(&r->input);
        if (ended(r))
            return;
        if (!idle) {
            rest(r, slice, busy);
        } else if (!wait_input(r)) {
            r->outcome.limit = true;
            stuck(r);
            return;
        }
        hand_in(r);
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
    r->pace.mode = r->opt->realtime ? PACE_REALTIME : r->input.kind == INPUT_TERMINAL ? PACE_PERSON : PACE_NONE;
    if (r->input.kind != INPUT_TERMINAL || !r->process->terminal_raw())
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

    r->outcome.left = r->input.left || r->console.error == EPIPE; /* nobody reads: as if he had left */
    if (r->console.error && r->console.error != EPIPE && r->console.error != interrupted)
        snprintf(r->err, RUN_ERR_SIZE, "standard output: %s", strerror(r->console.error));
    else if (trace_error && trace_error != interrupted)
        snprintf(r->err, RUN_ERR_SIZE, "%s: %s", r->trace.path, strerror(trace_error));
    else
        return;
    r->outcome.failed = true;
}

int cmd_run(const struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE])
{
    struct run r = {
        .opt = o, .process = p, .console = { .out = stdout, .err = stderr, .attached = CONSOLE_NOBODY }, .err = err
    };
    const s_time_t start = real_now();
    struct guest_list list;

    if (o->trace && !strcmp(o->trace, "-")) /* which has standard output for itself */
        r.console.out = stderr;

    err[0] = '\0';
    input_open(&r.input, STDIN_FILENO);
    if (guest_list_load(&list, o, err)) {
        r.outcome.failed = true;
    } else {
        r.console.by_lines = list.nr_names > 1;
        r.nr_guests = (unsigned int)list.nr_names;
        warnings_print(&r, &list);
        if (keyboard_choose(&r, &list) || machine_start(&r, &list) || start_guests(r.host, &list, r.err)) {
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
    host_destroy(r.host);
    guest_list_free(&list);
    failures_note(&r);
    r.outcome.signal = p->signal;
    return run_status(&r.outcome);
}
