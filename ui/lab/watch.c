// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab lab watch`: a check whenever something is saved.
 *
 * Concept: inotify says what happens in the folder, not to the file: editors write a new file and give it the old one's
 * name. Saves that come together (within SETTLE_MS) are one. It keeps its place: what failed before and fails still is
 * shown, else the first that fails, and what has come to hold, or holds no more, is one line each. q or Ctrl-C ends it,
 * and so does the end of the folder. What is typed is read without waiting for Enter, where it is typed. Ctrl-C
 * does not wait for a check that goes on for long.
 *
 * Invariant: the terminal is left as it was found.
 */
#include "ui/lab/watch.h"

#include "ui/lab/progress.h"
#include "ui/lab/student.h"
#include "ui/status.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#define SETTLE_MS 100
#define EVENTS    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF)

struct watch {
    const struct lab_place *p;
    const struct lab *l;
    const char *folder;
    int inotify, signals;
    sigset_t ending;      /* the signals that end it */
    bool terminal;        /* there is one, */
    struct termios found; /* and it was found so */
    bool typed;           /* somebody may type */
    bool clears;          /* the output is a terminal that knows how */
    bool before;          /* there was a check, and this came of it: */
    enum verdict verdict[LAB_PROPERTIES_MAX];
    unsigned int place; /* the property that is shown */
    int status;
};

/* --- what is shown --- */

static void show(struct watch *w, const struct check *c)
{
    const struct lab *l = w->l;
    unsigned int hold = 0, place = l->nr_properties;

    for (unsigned int i = 0; i < l->nr_properties; i++) {
        const enum verdict now = c->finding[i].verdict;

        hold += now == VERDICT_PASS || now == VERDICT_SKIPPED;
        if (now == VERDICT_FAIL && (place == l->nr_properties || i == w->place))
            place = i;
        if (w->before && now != w->verdict[i] && (now == VERDICT_PASS || w->verdict[i] == VERDICT_PASS))
            printf("%s  %02u.%u %s\n", now == VERDICT_PASS ? "holds now " : "holds no more", l->number, i + 1,
                   l->property[i].what);
        w->verdict[i] = now;
    }
    w->before = true;
    if (place < l->nr_properties)
        student_finding_print(c, w->place = place);
    student_careful_print(c);
    printf("%u of %u hold%s\n", hold, l->nr_properties,
           hold == l->nr_properties ? ". xenlab lab check says what comes next" : "");
}

/* Beside a check: Ctrl-C ends this process, and with it what the check has started. */
static void *interrupts(void *data)
{
    struct watch *w = data;
    struct pollfd p = { .fd = w->signals, .events = POLLIN };

    while (poll(&p, 1, -1) <= 0)
        ;
    if (w->terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &w->found);
    pthread_sigmask(SIG_UNBLOCK, &w->ending, NULL); /* where it waits for somebody to take it */
    return NULL;
}

static void check_again(struct watch *w)
{
    struct check c = student_check(w->p, w->l, w->folder);
    pthread_t thread;
    bool beside;

    if (w->clears)
        fputs("\033[H\033[2J", stdout);
    beside = !pthread_create(&thread, NULL, interrupts, w);
    w->status = student_check_run(&c);
    if (beside && !pthread_cancel(thread))
        pthread_join(thread, NULL);
    if (!c.compiler && !c.err[0])
        show(w, &c);
    if (!w->status)
        progress_passed(&c);
    check_free(&c);
    puts("--- watching; q ends it");
    fflush(stdout);
}

/* --- what happens --- */

/* Take what there is. *saved: a file was; false: the folder is gone. */
static bool events_take(struct watch *w, bool *saved)
{
    char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n;

    while ((n = read(w->inotify, buf, sizeof(buf))) > 0)
        for (char *at = buf; at < buf + n; at += sizeof(struct inotify_event) + ((struct inotify_event *)at)->len) {
            const struct inotify_event *e = (const struct inotify_event *)at;

            if (e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT))
                return false;
            for (unsigned int i = 0; e->len && i < w->l->nr_files; i++)
                *saved |= !strcmp(e->name, lab_file_of(w->l, i));
            *saved |= (e->mask & IN_Q_OVERFLOW) != 0;
        }
    return true;
}

/* False: q. */
static bool key_take(struct watch *w)
{
    char key[64];
    const ssize_t n = read(STDIN_FILENO, key, sizeof(key));

    if (n <= 0)
        w->typed = false; /* nobody types: it goes on */
    return n <= 0 || !memchr(key, 'q', (size_t)n);
}

static int loop(struct watch *w)
{
    bool saved = true;

    for (;;) {
        struct pollfd fd[] = { { .fd = w->inotify, .events = POLLIN },
                               { .fd = w->signals, .events = POLLIN },
                               { .fd = w->typed ? STDIN_FILENO : -1, .events = POLLIN } };
        int n;

        if (saved && poll(fd, 1, SETTLE_MS) == 0) { /* nothing more comes of it */
            check_again(w);
            saved = false;
        }
        n = poll(fd, 3, saved ? 0 : -1);
        if (n < 0 && errno != EINTR)
            return lab_complain("watch: %s", strerror(errno));
        if (n > 0 && (fd[1].revents || (fd[2].revents && !key_take(w))))
            return w->status;
        if (n > 0 && fd[0].revents && !events_take(w, &saved))
            return lab_complain("%s is gone: there is nothing to watch", w->folder);
    }
}

int lab_watch(const struct lab_place *p, int argc, char *const *argv)
{
    const struct lab *l = student_lab_or(p, argc, argv);
    const char *term = getenv("TERM");
    char folder[4096];
    struct watch w = { .p = p, .l = l, .folder = folder, .typed = true };
    struct termios now;
    int rc;

    if (!l || !student_folder(l, folder, sizeof(folder)))
        return STATUS_ENVIRONMENT;
    w.clears = isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb");
    w.terminal = tcgetattr(STDIN_FILENO, &w.found) == 0;
    sigemptyset(&w.ending);
    sigaddset(&w.ending, SIGINT);
    sigaddset(&w.ending, SIGTERM);
    sigprocmask(SIG_BLOCK, &w.ending, NULL);
    w.signals = signalfd(-1, &w.ending, SFD_CLOEXEC);
    w.inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w.signals < 0 || w.inotify < 0 || inotify_add_watch(w.inotify, folder, EVENTS) < 0) {
        rc = lab_complain("%s cannot be watched: %s", folder, strerror(errno));
    } else {
        if (w.terminal) {
            now = w.found;
            now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
            tcsetattr(STDIN_FILENO, TCSANOW, &now);
        }
        rc = loop(&w);
        if (w.terminal)
            tcsetattr(STDIN_FILENO, TCSANOW, &w.found);
    }
    if (w.inotify >= 0)
        close(w.inotify);
    if (w.signals >= 0)
        close(w.signals);
    return rc;
}
