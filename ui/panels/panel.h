// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Panels: the parts of a screen, each of which shows one thing of the machine.
 *
 * Concept: one op table a panel, one file a panel or a few of a kind. What a panel shows it takes from the machine as a
 * table (ui/panels/table.h), which is the whole of it in words; some draw a picture of it above. Taking looks at the
 * machine and changes nothing; drawing sees values alone.
 *
 *      machine ──look──> scene, table ──draw──> area of a grid
 *                             └───────say─────> text, JSON: the command `panel NAME`
 */
#ifndef UI_PANELS_PANEL_H
#define UI_PANELS_PANEL_H

#include "ui/panels/scene.h"
#include "ui/panels/table.h"

/* Events before here that panels want to see, and that they see at most. */
#define PANEL_EVENTS_LEAST 200
#define PANEL_EVENTS_MOST  5000

struct panel_ops {
    const char *name;  /* one word, as it is typed */
    const char *help;  /* what it shows */
    const char *empty; /* what is said of a table without rows */
    const struct table_column *column;
    unsigned int nr_columns;
    void (*take)(struct table *t, struct debug *g, const struct scene *s);
    /* Its picture, in the upper part of an area; how many rows it takes. NULL: it has none. */
    unsigned int (*draw)(const struct table *t, const struct scene *s, struct area *a);
    /* It may be about something that is named; NULL: nothing may be. False, and it has said why. */
    bool (*about)(struct debug *g, const char *text, struct debug_addr *what);
    /* Rows that all of it takes in so many columns: it gets them if there is room. NULL: what the plan says. */
    unsigned int (*rows)(const struct debug *g, unsigned int cols);
    bool of_past;   /* it wants the window */
    bool of_events; /* its rows are events: a filter is a condition about them */
    bool is_line;   /* its rows are in the order of time: the cursor is where the machine is */
};

/* By number, in the order in which they are listed; NULL: there are no more. */
const struct panel_ops *panel_at(unsigned int i);
/* The number of the panel of this name; -1: there is none. */
int panel_find(const char *name, unsigned int len);
/* What stands behind its name; empty: nothing. False, and it has said why. */
bool panel_about(const struct panel_ops *p, struct debug *g, const char *text, struct panel_about *about);
/* Its table, of what the machine is. */
void panel_take(const struct panel_ops *p, struct table *t, struct debug *g, const struct scene *s);

/*
 * The command `panel NAME [THING]`, without a screen: what the panel shows of the machine as it is; of all without a
 * name, what they are.
 */
void panels_say(struct debug *g, const char *args);

/* All of them: X(name). */
#define PANELS(X)                                                                                                      \
    X(machine)                                                                                                         \
    X(ladder)                                                                                                          \
    X(code)                                                                                                            \
    X(registers)                                                                                                       \
    X(trace)                                                                                                           \
    X(console)                                                                                                         \
    X(timeline)                                                                                                        \
    X(pages)                                                                                                           \
    X(nested)                                                                                                          \
    X(paging)                                                                                                          \
    X(tc)                                                                                                              \
    X(vmcb)                                                                                                            \
    X(exits)                                                                                                           \
    X(apic)                                                                                                            \
    X(ioapic)                                                                                                          \
    X(pic)                                                                                                             \
    X(vga)                                                                                                             \
    X(ioreq)                                                                                                           \
    X(frames)                                                                                                          \
    X(events)                                                                                                          \
    X(grants)                                                                                                          \
    X(rings) X(network) X(disks) X(xenstore) X(scheduler) X(timers) X(tour) X(messages) X(help)

#define X(name) extern const struct panel_ops panel_##name;
PANELS(X)
#undef X

#endif
