// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keyboard of `xenlab run`: which guest has it, and waiting for it, see ui/cmd_run.c. Somebody's real time passes
 * here and nowhere else.
 */
#include "ui/run/run.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What programs on a serial line take a terminal for. */
#define GUESSED_COLUMNS 80U
#define GUESSED_ROWS    24U

#define KEYBOARD_HELP "; Ctrl-^ gives it to the next guest, Ctrl-] leaves"

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
        n = snprintf(text, sizeof(text), "xenlab: %sCtrl-] leaves\n",
                     run_console_speaks(r, r->input.guest) ? "" : "the keyboard is the guest's; ");
    console_message(&r->console, text, (size_t)n);
}

void run_keyboard_give(struct run *r, unsigned int guest)
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

    run_keyboard_give(r, next < 0 ? guest : (unsigned int)next);
    run_record(r, (struct record_line){ .kind = RECORD_KEYBOARD, .guest = r->input.guest });
    return r->input.guest;
}

/* The guest that has it may have ended for good, or may have become another domain. */
void run_keyboard_check(struct run *r)
{
    domid_t domid;

    if (r->unannounced)
        keyboard_announce(r, r->unannounced);
    if (!r->has_keyboard || !r->console.by_lines)
        return;
    if (!r->input.next) { /* a clone of the only guest has spoken */
        r->input.next = keyboard_next, r->input.data = r;
        if (!r->replay && !r->opt->quiet)
            keyboard_announce(r, KEYBOARD_HELP);
    }
    if (host_guest_ended(r->host, r->input.guest) && host_guest_next(r->host, r->input.guest) >= 0)
        run_keyboard_give(r, (unsigned int)host_guest_next(r->host, r->input.guest));
    domid = host_guest_domid(r->host, r->input.guest);
    if (r->console.attached != domid)
        console_attach(&r->console, domid);
}

bool run_guest_find(const struct guest_list *l, const char *who, unsigned int *index)
{
    char *end;
    unsigned long n = strtoul(who, &end, 10);

    for (uint64_t i = 0; i < l->nr_names; i++)
        if (!strcmp(l->names[i], who)) {
            *index = (unsigned int)i;
            return true;
        }
    *index = (unsigned int)n - 1;
    return *who >= '0' && *who <= '9' && !*end && n >= 1 && n <= l->nr_names;
}

void run_guest_unknown(const struct run *r, const struct guest_list *l, const char *option, const char *who)
{
    int len = snprintf(r->err, RUN_ERR_SIZE, "%s: there is no guest \"%.100s\" (there %s", option, who,
                       l->nr_names > 1 ? "are" : "is");

    for (uint64_t i = 0; i < l->nr_names && i < 8; i++)
        len += snprintf(r->err + len, RUN_ERR_SIZE - (size_t)len, "%s %.100s", i ? "," : "", l->names[i]);
    snprintf(r->err + len, RUN_ERR_SIZE - (size_t)len, "%s)", l->nr_names > 8 ? "..." : "");
}

/* --console. */
int run_keyboard_choose(struct run *r, const struct guest_list *l)
{
    const char *who = r->opt->console;

    if (!who || run_guest_find(l, who, &r->input.guest)) {
        r->picture_of = r->input.guest;
        return 0;
    }
    run_guest_unknown(r, l, "--console", who);
    return -1;
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

void run_terminal_setup(struct run *r)
{
    struct stat st;

    r->console.together = isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
    /*
     * A file gets what the guest wrote, to the byte. Whoever looks through a pipe may be about to look at a shell's
     * prompt.
     */
    r->console.end_line = isatty(STDOUT_FILENO) || (fstat(STDOUT_FILENO, &st) == 0 && S_ISFIFO(st.st_mode));
    r->has_keyboard = r->input.kind == INPUT_TERMINAL;
    r->pace.mode = r->opt->realtime ? PACE_REALTIME
                   : r->has_keyboard || r->consoles_speak || r->channels_speak || r->screens_speak || r->window
                       ? PACE_PERSON
                       : PACE_NONE;
    if (r->has_keyboard && r->console.by_lines)
        run_record(r, (struct record_line){ .kind = RECORD_KEYBOARD, .guest = r->input.guest });
    if (!r->has_keyboard || !r->process->terminal_raw())
        return;
    r->console.out_raw = isatty(STDOUT_FILENO);
    r->console.err_raw = isatty(STDERR_FILENO);
    if (r->console.by_lines)
        r->input.next = keyboard_next, r->input.data = r;
    if (r->opt->quiet)
        return;
    size_check(r);
    keyboard_announce(r, KEYBOARD_HELP);
}

/* Let real time pass (ns < 0: for ever), up to a signal or, if that is of interest, input. */
static void wait_ns(struct run *r, bool for_input, s_time_t ns)
{
    struct pollfd few[RUN_FDS], *fds = r->fds ? r->fds : few;
    nfds_t nr = outside_fds(&r->outside, fds);
    struct timespec ts = { .tv_sec = ns / SECONDS(1), .tv_nsec = ns % SECONDS(1) };
    const s_time_t before = run_real_now();
    sigset_t mask;

    nr += socket_door_fds(&r->ctl.door, fds + nr);
    nr += run_consoles_fds(r, fds + nr);
    nr += run_channels_fds(r, fds + nr);
    nr += run_screens_fds(r, fds + nr);
    nr += gdb_door_fds(&r->gdb, fds + nr);
    if (r->window && (ns < 0 || ns > RUN_LOOK_AT_WINDOW))
        ts = (struct timespec){ .tv_nsec = RUN_LOOK_AT_WINDOW }, ns = RUN_LOOK_AT_WINDOW;
    if (for_input && input_elsewhere(&r->input)) { /* who brings us to the foreground need not say so */
        for_input = false;
        if (ns < 0 || ns > RUN_LOOK_AGAIN)
            ts = (struct timespec){ .tv_nsec = RUN_LOOK_AGAIN }, ns = RUN_LOOK_AGAIN;
    } else if (for_input) { /* we may have come to the foreground since we last looked, and wait long */
        r->process->terminal_refresh();
        if (r->unannounced)
            keyboard_announce(r, r->unannounced);
    }
    sigprocmask(SIG_BLOCK, &r->process->signals, &mask); /* or else a signal could come between the test and the wait */
    if (for_input && !r->input.closed)
        fds[nr++] = (struct pollfd){ .fd = r->input.fd, .events = POLLIN };
    if (!r->process->stop)
        ppoll(fds, nr, ns < 0 ? NULL : &ts, &mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (r->gdb.port)
        gdb_door_wait(&r->gdb, -1, 0);
    r->wall.waiting += run_real_now() - before;
}

/* How long to wait if nothing comes, of so many ns that are left; -1: for ever. */
static s_time_t wait_most(const struct run *r, s_time_t left)
{
    const s_time_t due = outside_due(&r->outside);

    return due >= 0 && (left < 0 || due < left) ? due : left;
}

/*
 * All is idle: wait for input, or for a program. False if none can come. Virtual time stands still meanwhile, but who
 * has set a limit for it does not want to wait longer than that either.
 */
bool run_wait_input(struct run *r)
{
    const struct input *in = &r->input;
    const s_time_t now = r->now, before = run_real_now();
    const s_time_t left = r->opt->max_vtime ? r->opt->max_vtime - now - r->outside.idle : -1;

    if (run_consoles_ready(r) || run_channels_ready(r))
        return true; /* it had come before the guest took any */
    if (outside_speaks(&r->outside) || r->ctl.wanted || r->consoles_speak || r->channels_speak || r->screens_speak ||
        r->window) {
        if (left > 0 || !r->opt->max_vtime)
            wait_ns(r, in->kind != INPUT_FILE, wait_most(r, left));
        r->outside.idle += run_real_now() - before;
        pace_start(&r->pace, now, run_real_now());
        return true;
    }
    if (in->closed)
        return false;
    if (in->kind != INPUT_TERMINAL && !host_console_wants_input(r->host, r->input.guest))
        return false;
    if (in->kind == INPUT_TERMINAL && input_ready(in, in->guest) && host_console_wants_input(r->host, r->input.guest))
        return true; /* it was typed since the guest was last asked */
    if (in->kind != INPUT_FILE && (left > 0 || !r->opt->max_vtime))
        wait_ns(r, true, left);
    r->outside.idle += run_real_now() - before;
    pace_start(&r->pace, now, run_real_now());
    return true;
}

/* Between two slices. */
void run_rest(struct run *r, s_time_t slice, s_time_t busy)
{
    struct pace *p = &r->pace, person = { .mode = PACE_PERSON };
    s_time_t ns;
    const bool for_input = r->input.kind == INPUT_TERMINAL ||
                           (r->input.kind == INPUT_PIPE && host_console_wants_input(r->host, r->input.guest));

    /* Else guests would give up before an answer had the time to come. */
    if (p->mode == PACE_NONE && slirp_door_speaks(r->outside.net))
        p = &person;
    ns = pace_rest(p, r->now, slice, busy, run_real_now());
    if (ns > 0)
        wait_ns(r, for_input, ns);
}
