// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab lab witness`: a guest with a lab's checks is run in the sandbox, and what a witness says is printed.
 *
 * Concept: what watches is tools/debug/witness.c. Here are the machine, made of words as `xenlab run` has them; what
 * the guest says when it panics, from its console; and what was counted, by the names of --stats.
 */
#include "ui/lab/witness.h"

#include "tools/debug/witness.h"
#include "tools/host.h"
#include "ui/start.h"
#include "ui/status.h"

#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

struct watch {
    struct witness witness;
    struct host *host;
    char panic[WITNESS_SAID], line[WITNESS_SAID]; /* line: of its console */
    size_t len;
};

static void ended(struct watch *w, const char *why, const char *what)
{
    if (!w->witness.ended[0])
        snprintf(w->witness.ended, sizeof(w->witness.ended), "the guest crashed%s%.400s", why, what);
}

static void on_console(void *data, domid_t domid, const char *text, size_t len)
{
    struct watch *w = data;

    for (size_t i = 0; domid == WITNESS_DOMID && i < len; i++) {
        if (text[i] != '\n' && text[i] != '\r') {
            if (w->len < sizeof(w->line) - 1)
                w->line[w->len++] = text[i] >= ' ' && text[i] < 127 ? text[i] : '?';
            continue;
        }
        w->line[w->len] = '\0';
        if (!strncmp(w->line, "panic: ", 7))
            memcpy(w->panic, w->line, sizeof(w->panic));
        w->len = 0;
    }
}

static void on_crash(void *data, const struct crash_report *report)
{
    if (report->domid == WITNESS_DOMID)
        ended(data, ": Domain 1: ", report->why);
}

static void on_ended(void *data, domid_t domid, int reason)
{
    struct watch *w = data;

    if (domid != WITNESS_DOMID)
        return;
    w->witness.stop = true;
    if (reason == SHUTDOWN_crash)
        ended(w, w->panic[0] ? ": " : "", w->panic);
}

static uint64_t counted(const struct snapshot *s, const char *name)
{
    for (unsigned int i = 0; i < s->nr_exits; i++)
        if (!strcmp(s->exits[i].name, name))
            return s->exits[i].n;
    for (unsigned int i = 0; i < s->nr_hypercalls; i++)
        if (!strcmp(s->hypercalls[i].name, name))
            return s->hypercalls[i].n;
    return strcmp(name, "instructions") ? 0 : s->insns;
}

static void report_end(struct watch *w, char *names)
{
    struct snapshot s;

    if (w->witness.over) {
        host_snapshot(w->host, &s);
        for (const char *name = strtok(names, ","); name; name = strtok(NULL, ","))
            printf("count %s %llu\n", name, (unsigned long long)counted(&s, name));
        puts("end");
    } else if (w->witness.ended[0]) {
        printf("ended %s\n", w->witness.ended);
    }
    fflush(stdout);
}

static void say(const char *line) { puts(line); }

int lab_witness(int argc, char *const *argv)
{
    struct watch w = { .witness = { .says = say } };
    struct host_pool pools[HOST_MAX_POOLS] = { 0 };
    const struct host_io io = {
        .data = &w, .console_out = on_console, .guest_crashed = on_crash, .guest_ended = on_ended
    };
    char *names = argc > 1 ? strdup(argv[0]) : NULL, why[START_ERR_SIZE] = "COUNTS and a guest are wanted";
    struct run_options o = { 0 };
    struct guest_list l = { 0 };
    int rc = -1;

    if (names && !options_parse(&o, COMMAND_LIBRARY, argc - 1, argv + 1, why) && !guest_list_load(&l, &o, why)) {
        w.host = start_host(&o, &l, &io, pools, NULL, why);
        rc = w.host ? start_guests(w.host, &l, why) : -1;
    }
    if (rc)
        printf("ended %s\n", why);
    else
        witness_run(&w.witness, w.host), report_end(&w, names);
    host_destroy(w.host);
    guest_list_free(&l);
    options_free(&o);
    free(names);
    return rc ? STATUS_ENVIRONMENT : STATUS_OK;
}
