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
 * Here are the loop, and the order in which a run comes up and goes down. Each of the world's sides is a file of
 * ui/run/: what the machine tells, what comes in, who has the keyboard, gdb, when it is over.
 */
#include "ui/cmd_run.h"

#include "ui/run/run.h"
#include "ui/start.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Short when guests are busy, so that a key is noticed soon; long when they sleep. */
#define SLICE_BUSY MILLISECS(1)
#define SLICE_IDLE MILLISECS(10)

/* --- the loop --- */

/* Where the slice ends that begins now: at the next multiple of its length. */
static s_time_t slice_end(const struct run *r, bool busy)
{
    const s_time_t length = busy ? SLICE_BUSY : SLICE_IDLE;
    const s_time_t end = (r->now / length + 1) * length, limit = r->opt->max_vtime;

    return limit && end > limit ? limit : end;
}

/* True: all is idle, and no timer will ever change that. The machine's own clock stands still while all is idle. */
static bool slice_run(struct run *r, s_time_t end)
{
    const enum run_result result = r->gdb.port ? run_gdb_go(r, end)
                                   : r->replay ? run_replay_to(r, end)
                                               : run_live_to(r, end);
    const s_time_t now = result == RUN_AT ? replay_now(r->replay) : host_now(r->host);

    if (result == RUN_UNTIL && now < end)
        r->now = end;
    else if (r->now < now)
        r->now = now;
    return result == RUN_IDLE || (result == RUN_AT && host_is_idle(r->host)) || (result == RUN_ASKED && r->replay);
}

static void loop(struct run *r)
{
    bool was_busy = true;

    pace_start(&r->pace, r->now, run_real_now());
    for (;;) {
        s_time_t start, busy_before, slice, busy;
        bool idle;

        run_gdb_hold(r);
        start = r->now;
        busy_before = host_busy(r->host);
        idle = !r->process->stop && !r->gdb.killed && slice_run(r, slice_end(r, was_busy));
        slice = r->now - start;
        busy = host_busy(r->host) - busy_before;

        r->process->terminal_refresh();
        run_keyboard_check(r);
        console_tick(&r->console, r->now, idle);
        console_flush(&r->console);
        input_poll(&r->input);
        if (recording_at_due(&r->recording))
            run_record(r, (struct record_line){ .kind = RECORD_AT });
        if (r->replay)
            run_replay_on(r, idle);
        if (run_gdb_stands_at_end(r, false) ||
            (r->gdb.port && gdb_door_holds(&r->gdb) && !r->process->stop && !r->gdb.killed))
            continue;
        run_balloon_tick(r);
        if (run_ended(r))
            return;
        if (!idle) {
            run_rest(r, slice, busy);
        } else if (!r->replay && !run_wait_input(r)) {
            if (run_gdb_stands_at_end(r, true))
                continue;
            run_stuck(r);
            return;
        }
        run_read(r);
        if (slice || busy) /* to have looked for input in vain is no reason for other slices */
            was_busy = busy >= slice / 2;
    }
}

/* --- coming up and down --- */

/* A scheduler that is a file: in a process of its own. */
static int policy_start(struct run *r, const struct guest_list *l)
{
    char *object = r->opt->sched ? wb_object_path(r->opt->sched) : NULL;
    int rc = 0;

    if (!object)
        return 0;
    free(object);
    r->policy = guest_policy_start(r->opt->sched, start_pcpus(r->opt, l), r->opt->seed, &r->process->stop, &rc, r->err);
    r->outcome.policy = rc == 2;
    return r->policy ? 0 : -1;
}

static int machine_start(struct run *r, const struct guest_list *l)
{
    const struct run_options *o = r->opt;
    const struct host_io io = run_io(r);

    if (o->trace && guest_list_reads(l, o, o->trace)) {
        snprintf(r->err, RUN_ERR_SIZE, "--trace: %s is a file that a guest comes from: the trace would take its place",
                 o->trace);
        return -1;
    }
    if (policy_start(r, l))
        return -1;
    r->host = start_host(o, l, &io, r->pools, r->policy ? guest_policy_ops(r->policy) : NULL, r->err);
    if (!r->host || (r->policy && !guest_policy_set(r->policy, host_scheduler(r->host), r->err)))
        return -1;
    host_log(r->host, run_log, r, start_log_level(o));
    return run_outside_start(r, l) || run_pcap_start(r, l) || (o->trace && run_trace_start(r, l)) ||
                   run_beside_start(r, l) || run_balloon_start(r, l)
               ? -1
               : 0;
}

/* Room for all that is waited for, if it is more than a few. */
static int fds_make(struct run *r)
{
    const size_t consoles = (r->consoles ? 1 : 0) + (r->channels ? XL_CHANNELS_MAX : 0);

    if (!consoles && !r->screens)
        return 0;
    r->fds = calloc(RUN_FDS + r->nr_guests * (consoles * CONSOLE_DOOR_FDS + VNC_FDS), sizeof(*r->fds));
    if (!r->fds)
        snprintf(r->err, RUN_ERR_SIZE, "out of memory");
    return r->fds ? 0 : -1;
}

int run_guests(const struct run_options *o, struct run_process *p, struct replay *replay, char err[RUN_ERR_SIZE])
{
    struct run r = { .opt = o,
                     .process = p,
                     .console = { .out = stdout, .err = stderr, .attached = CONSOLE_NOBODY },
                     .replay = replay,
                     .err = err };
    const s_time_t start = run_real_now();
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
        run_warnings(&r, &list);
        if (run_keyboard_choose(&r, &list) || machine_start(&r, &list) || start_guests(r.host, &list, r.err) ||
            run_control_start(&r, &list) || run_recording_start(&r, &list) || run_gdb_start(&r, &list) ||
            run_consoles_start(&r, &list) || run_channels_start(&r, &list) || run_screens_start(&r, &list) ||
            fds_make(&r)) {
            r.outcome.failed = true;
        } else {
            p->signals_catch();
            run_terminal_setup(&r);
            r.wall.start_up = run_real_now() - start;
            loop(&r);
            r.wall.running = run_real_now() - start - r.wall.start_up - r.wall.waiting;
        }
    }
    if (r.host)
        run_picture(&r, host_guest_domid(r.host, r.picture_of));
    run_consoles_close(&r);
    run_channels_close(&r);
    run_screens_close(&r);
    free(r.fds);
    outside_close(&r.outside);
    ctl_serve_close(&r.ctl);
    console_close(&r.console);
    run_stats_show(&r);
    r.outcome.failed |= r.host && (host_failed(r.host) || host_disks_save(r.host));
    if (r.host) /* switching the computer off is no event in it */
        host_trace(r.host, NULL, NULL);
    run_beside_end(&r);
    run_balloon_end(&r);
    condition_free(&r.filter);
    run_failures_note(&r);
    run_policy_over(&r);
    run_recording_end(&r);
    run_gdb_finish(&r);
    host_destroy(r.host);
    guest_policy_end(r.policy);
    guest_list_free(&list);
    if (p->signal)
        r.outcome.signal = p->signal;
    return run_status(&r.outcome);
}

int cmd_run(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE])
{
    return run_guests(o, p, NULL, err);
}
