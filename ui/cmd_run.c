// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab run`: guests on a machine, until they are done.
 *
 * Concept: the machine is a function from inputs to outputs, and this loop is the world around it. It lets a slice of virtual
 * time pass, shows what came out, hands in what was typed, and decides whether real time has to pass before the next slice.
 * Nothing here can change what the guests compute except by the input it hands in.
 *
 * When nothing in the machine can run and no timer is armed (RUN_IDLE), only input can go on, so that is the one place
 * where input is waited for.
 */
#include "ui/cmd_run.h"

#include "tools/host.h"
#include "ui/console.h"
#include "ui/guest_list.h"
#include "ui/input.h"
#include "ui/status.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xen/sched.h>

#define SLICE MILLISECS(10)

struct run {
    const struct run_options *opt;
    struct run_process *process;
    struct host *host;
    struct console console;
    struct input input;
    struct run_outcome outcome;
    const struct image *reader; /* image of the guest that gets the input: stays the same when it is restarted */
    bool reader_ended;
    char *err;
};

/* --- what the machine tells --- */

static void on_console_out(void *data, domid_t domid, const char *text, size_t len)
{
    struct run *r = data;

    console_guest_write(&r->console, domid, text, len);
}

static size_t on_console_in(void *data, domid_t domid, char *buf, size_t len)
{
    struct run *r = data;

    if (host_guest_image(r->host, domid) != r->reader)
        return 0;
    r->reader_ended = false;
    if (r->input.kind == INPUT_PIPE)
        console_flush(&r->console);
    return input_read(&r->input, buf, len);
}

static void on_crash(void *data, struct vcpu *v, const char *why)
{
    struct run *r = data;

    (void)v;
    (void)why;
    r->outcome.crashed++;
}

static void on_end(void *data, domid_t domid, int reason)
{
    struct run *r = data;

    console_guest_end(&r->console, domid);
    if (reason == SHUTDOWN_watchdog)
        r->outcome.crashed++;
    if (host_guest_image(r->host, domid) == r->reader)
        r->reader_ended = true;
}

static void on_log(void *data, const char *line, size_t len)
{
    struct run *r = data;

    console_message(&r->console, line, len);
}

/* --- waiting --- */

/* Wait until there is input (if it is of interest), a signal, or the time has passed; -1: for ever. */
static void wait_ns(struct run *r, bool for_input, s_time_t ns)
{
    struct pollfd fd = { .fd = r->input.fd, .events = POLLIN };
    struct timespec ts = { .tv_sec = ns / SECONDS(1), .tv_nsec = ns % SECONDS(1) };
    sigset_t before;

    sigprocmask(SIG_BLOCK, &r->process->signals, &before); /* or else a signal could come between the test and the wait */
    if (!r->process->stop)
        ppoll(&fd, for_input && !r->input.closed, ns < 0 ? NULL : &ts, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* All is idle: only input can go on. False if none can come. */
static bool wait_input(struct run *r)
{
    const struct input *in = &r->input;

    if (in->closed || r->reader_ended || (in->kind != INPUT_TERMINAL && !host_console_wants_input(r->host)))
        return false;
    if (in->kind != INPUT_FILE)
        wait_ns(r, true, -1);
    return true;
}

/* --- the loop --- */

static bool ended(struct run *r)
{
    if (r->console.error || r->input.left || r->process->stop)
        return true;
    if (host_guests_left(r->host) == 0)
        return true;
    if (r->opt->max_vtime && NOW(host_xen(r->host)) >= r->opt->max_vtime) {
        r->outcome.limit = true;
        snprintf(r->err, RUN_ERR_SIZE, "the limit of virtual time is reached (--max-vtime)");
        return true;
    }
    return false;
}

static void loop(struct run *r)
{
    for (;;) {
        s_time_t until = NOW(host_xen(r->host)) + SLICE;
        enum run_result result;

        if (r->opt->max_vtime && until > r->opt->max_vtime)
            until = r->opt->max_vtime;
        result = host_run(r->host, until, &r->process->stop);
        console_flush(&r->console);
        input_poll(&r->input);
        if (ended(r))
            return;
        if (result == RUN_IDLE && !wait_input(r)) {
            r->outcome.limit = true;
            snprintf(r->err, RUN_ERR_SIZE, "all guests are idle and nothing can wake them");
            return;
        }
        input_poll(&r->input);
        if (r->input.kind != INPUT_FILE || result == RUN_IDLE)
            if (host_console_wants_input(r->host) && input_ready(&r->input))
                host_console_kick(r->host);
    }
}

/* --- coming up and down --- */

static int add_guests(struct run *r, const struct guest_list *l)
{
    domid_t domid[HOST_MAX_GUESTS];

    for (unsigned int i = 0; i < l->nr; i++) {
        if (l->entries[i].cfg.warnings)
            console_message(&r->console, l->entries[i].cfg.warnings, strlen(l->entries[i].cfg.warnings));
        if (host_guest_add(r->host, &l->entries[i].guest, &domid[i], r->err))
            return -1;
    }
    r->reader = host_guest_image(r->host, domid[0]);
    for (unsigned int i = 0; i < l->nr; i++)
        host_guest_start(r->host, domid[i]);
    return 0;
}

static void terminal_setup(struct run *r)
{
    if (r->input.kind != INPUT_TERMINAL || !r->process->terminal_raw())
        return;
    r->console.out_raw = isatty(STDOUT_FILENO);
    r->console.err_raw = isatty(STDERR_FILENO);
}

static void run_machine(struct run *r, const struct guest_list *l)
{
    const struct host_config cfg = { .ram_mib = r->opt->ram_mib, .guests_mib = l->total_mib,
                                     .nr_pcpus = (unsigned int)r->opt->nr_pcpus, .seed = r->opt->seed,
                                     .sched = r->opt->sched, .audit = r->opt->audit };
    const struct host_io io = { r, on_console_out, on_console_in, on_crash, on_end };

    r->host = host_create(&cfg, &io, r->err);
    if (!r->host) {
        r->outcome.failed = true;
        return;
    }
    host_xen(r->host)->machine->log.sink = on_log;
    host_xen(r->host)->machine->log.data = r;
    if (add_guests(r, l)) {
        r->outcome.failed = true;
        return;
    }
    terminal_setup(r);
    loop(r);
}

int cmd_run(const struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE])
{
    struct run r = { .opt = o, .process = p, .console = { .out = stdout, .err = stderr }, .err = err };
    struct guest_list list;

    err[0] = '\0';
    input_open(&r.input, STDIN_FILENO);
    if (guest_list_load(&list, o, err)) {
        r.outcome.failed = true;
    } else {
        r.console.by_lines = list.nr > 1;
        run_machine(&r, &list);
    }
    host_destroy(r.host);
    guest_list_free(&list);
    console_close(&r.console);
    r.outcome.left = r.input.left || r.console.error == EPIPE;
    if (r.console.error && r.console.error != EPIPE) {
        snprintf(err, RUN_ERR_SIZE, "standard output: %s", strerror(r.console.error));
        r.outcome.failed = true;
    }
    r.outcome.signal = p->signal;
    return run_status(&r.outcome);
}
