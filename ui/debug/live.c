// SPDX-License-Identifier: GPL-2.0-or-later
/* Those outside, heard by a debugger: see ui/debug/live.h. */
#include "ui/debug/live.h"

#include <time.h>

/* So long is waited for who says nothing: a program, somebody who was asked by a packet of its own, a connection. */
#define PROGRAM_SILENT    MILLISECS(250)
#define PACKET_SILENT     SECONDS(2)
#define CONNECTION_SILENT SECONDS(3)
/* Whatever else took longer than this, a machine that stood: that was not their silence. */
#define STOOD MILLISECS(100)

static s_time_t real_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return SECONDS(t.tv_sec) + t.tv_nsec;
}

static void on_in(void *data, enum journal_kind kind, unsigned int who, const void *bytes, size_t len)
{
    struct live *l = data;
    char why[REWIND_ERR_SIZE];

    if (rewind_hand_in(&l->g->rw, kind, who, bytes, len, host_now(l->g->host), why))
        say_line(&l->g->say, "message", "what came from outside is lost: %s", why);
}

static void on_say(void *data, const char *line)
{
    const struct live *l = data;

    say_line(&l->g->say, "message", "%s", line);
}

/* --- how long --- */

static bool net_talks(const struct live *l)
{
    struct slirp_door *net = l->outside.net;

    return (l->silent < CONNECTION_SILENT && slirp_door_connected(net)) ||
           (l->silent < PACKET_SILENT && slirp_door_asked(net));
}

static bool talks(void *data)
{
    const struct live *l = data;

    return net_talks(l) || (l->silent < PROGRAM_SILENT && socket_door_clients(&l->outside.programs));
}

/* Up to something that comes, a signal, or so many ns. */
static void wait(struct live *l, s_time_t ns)
{
    const s_time_t before = real_now();
    struct pollfd fds[OUTSIDE_FDS];
    const nfds_t nr = outside_fds(&l->outside, fds);
    const s_time_t due = outside_due(&l->outside);
    struct timespec ts;
    sigset_t mask;

    if (due >= 0 && due < ns)
        ns = due;
    ts = (struct timespec){ .tv_sec = ns / SECONDS(1), .tv_nsec = ns % SECONDS(1) };
    sigprocmask(SIG_BLOCK, &l->process->signals, &mask); /* one between the test and the wait would be missed */
    if (!l->process->stop)
        ppoll(fds, nr, &ts, &mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    l->heard = real_now();
    l->silent += l->heard - before;
}

/* They are heard. True: something has come. */
static bool listen_once(struct live *l)
{
    const s_time_t now = real_now(), since = now - l->heard;
    const size_t before = l->g->rw.journal.nr;

    l->silent += since < STOOD ? since : STOOD;
    l->heard = now;
    outside_hear(&l->outside, host_now(l->g->host));
    if (l->nr_moved != l->outside.nr_moved)
        l->silent = 0;
    l->nr_moved = l->outside.nr_moved;
    return l->g->rw.journal.nr != before;
}

/* No faster than real time. Who was slower, or stood, need not catch up. */
static void keep_pace(struct live *l)
{
    const s_time_t now = host_now(l->g->host);

    for (bool came = false; !came && !l->process->stop;) {
        const s_time_t real = real_now(), ahead = (now - l->base_virtual) - (real - l->base_real);
        const s_time_t left = l->until && l->until - real < ahead ? l->until - real : ahead;

        if (ahead <= 0 || !(net_talks(l) || (l->until && slirp_door_speaks(l->outside.net)))) {
            l->base_virtual = now;
            l->base_real = real;
            return;
        }
        if (left <= 0)
            return;
        wait(l, left);
        came = listen_once(l);
    }
}

static bool hear(void *data, bool idle)
{
    struct live *l = data;
    bool came = listen_once(l);

    if (!idle)
        keep_pace(l);
    while (idle && !came && !l->process->stop && (l->until ? outside_speaks(&l->outside) : talks(l))) {
        const s_time_t before = real_now(), left = l->until ? l->until - before : STOOD / 2;

        if (left <= 0)
            break;
        wait(l, left);
        l->outside.idle += real_now() - before;
        came = listen_once(l);
    }
    return came;
}

/* --- slices --- */

s_time_t live_slice(struct live *l, s_time_t length)
{
    if (!l || !outside_speaks(&l->outside))
        return length;
    l->until = real_now() + LIVE_FRAME;
    return length < LIVE_FRAME ? length : LIVE_FRAME;
}

void live_slice_end(struct live *l)
{
    if (l)
        l->until = 0;
}

bool live_goes_on(const struct live *l)
{
    return l && outside_speaks(&l->outside) && rewind_is_live(&l->g->rw) && !l->g->rw.err[0];
}

/* --- coming up and down --- */

int live_open(struct live *l, struct debug *g, const struct run_process *p, char err[RUN_ERR_SIZE])
{
    l->g = g;
    l->process = p;
    l->outside.host = g->host;
    l->outside.rw = &g->rw;
    l->outside.in = on_in;
    l->outside.say = on_say;
    l->outside.data = l;
    if (outside_open(&l->outside, g->options, g->guests, err))
        return -1;
    g->dbg.outside = (struct debug_outside){ .data = l, .hear = hear, .talks = talks };
    g->live = l;
    return 0;
}

void live_close(struct live *l)
{
    outside_close(&l->outside);
    if (l->g)
        l->g->live = NULL;
}
