// SPDX-License-Identifier: GPL-2.0-or-later
/* Consoles of guests come somewhere else than here, `--console-to`, and go with the run: see ui/run/consoles.c. */
#include "ui/run/run.h"

#include <stdlib.h>
#include <string.h>

/* "GUEST=WHAT" or "WHAT" for guest number g? Then WHAT. */
static const char *word_for(const struct guest_list *l, const char *value, unsigned int g)
{
    enum console_door_kind kind;
    const char *path;
    unsigned int of;
    char who[128];

    if (console_door_word(value, &kind, &path))
        return value;
    snprintf(who, sizeof(who), "%.*s", (int)strcspn(value, "="), value);
    return run_guest_find(l, who, &of) && of == g ? value + strlen(who) + 1 : NULL;
}

static int check(const struct run *r, const struct guest_list *l, const char *value)
{
    enum console_door_kind kind;
    const char *path;
    unsigned int of;
    char who[128];

    if (console_door_word(value, &kind, &path)) {
        if (!path || l->nr_names == 1)
            return 0;
        snprintf(r->err, RUN_ERR_SIZE, "--console-to: whose of %llu guests? --console-to GUEST=%.200s",
                 (unsigned long long)l->nr_names, value);
        return -1;
    }
    snprintf(who, sizeof(who), "%.*s", (int)strcspn(value, "="), value);
    if (run_guest_find(l, who, &of))
        return 0;
    run_guest_unknown(r, l, "--console-to", who);
    return -1;
}

/* In xenstore, as xenconsoled has it there; and said. */
static void tell_tty(struct run *r, unsigned int g)
{
    const domid_t domid = host_guest_domid(r->host, g);
    const char *name = host_guest_name(r->host, domid), *tty = r->consoles[g].tty;
    char line[256];

    run_hand_in(r, &(struct journal_record){ .at = host_machine(r->host)->at,
                                             .now = r->now,
                                             .kind = JOURNAL_TTY,
                                             .who = g,
                                             .len = strlen(tty),
                                             .bytes = (uint8_t *)(uintptr_t)tty });
    snprintf(line, sizeof(line), "the console of %.100s (d%u) is %s", name ? name : "?", domid, tty);
    run_message(r, line);
}

int run_consoles_start(struct run *r, const struct guest_list *l)
{
    const struct run_options *o = r->opt;

    if (!o->nr_console_to)
        return 0;
    for (unsigned int i = 0; i < o->nr_console_to; i++)
        if (check(r, l, o->console_to[i]))
            return -1;
    r->consoles = calloc(r->nr_guests, sizeof(*r->consoles));
    if (!r->consoles) {
        snprintf(r->err, RUN_ERR_SIZE, "out of memory");
        return -1;
    }
    for (unsigned int g = 0; g < r->nr_guests; g++) {
        const char *what = NULL, *path;
        enum console_door_kind kind;

        for (unsigned int i = 0; i < o->nr_console_to; i++)
            if (word_for(l, o->console_to[i], g))
                what = word_for(l, o->console_to[i], g);
        if (!what || !console_door_word(what, &kind, &path))
            continue;
        if (kind == CONSOLE_DOOR_FILE && guest_list_reads(l, o, path)) {
            snprintf(r->err, RUN_ERR_SIZE, "--console-to: %.300s is a file that a guest comes from", path);
            return -1;
        }
        if (console_door_open(&r->consoles[g], kind, "--console-to", path, r->err, RUN_ERR_SIZE))
            return -1;
        r->consoles_speak |= console_door_speaks(&r->consoles[g]);
        if (kind == CONSOLE_DOOR_PTY)
            tell_tty(r, g);
    }
    return 0;
}

void run_consoles_close(struct run *r)
{
    for (unsigned int g = 0; r->consoles && g < r->nr_guests; g++) {
        const uint64_t forgotten = r->consoles[g].forgotten;
        char line[160];

        console_door_close(&r->consoles[g]);
        if (forgotten) {
            snprintf(line, sizeof(line), "of the console of d%u %llu bytes were forgotten: nobody read them",
                     host_guest_domid(r->host, g), (unsigned long long)forgotten);
            run_message(r, line);
        }
        if (r->consoles[g].error) {
            snprintf(r->err, RUN_ERR_SIZE, "--console-to: the console of d%u: %s", host_guest_domid(r->host, g),
                     strerror(r->consoles[g].error));
            r->outcome.failed = true;
        }
    }
    free(r->consoles);
    r->consoles = NULL;
}
