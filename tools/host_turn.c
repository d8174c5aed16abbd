// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose turn it is to be worked for.
 *
 * Concept: building and destroying is done for one guest at a time, in the order in which they came to need it: so
 * whoever else wants something of dom0, which are the guests that run, waits for one step of that, and not for one for
 * each of many guests.
 *
 * Invariants: h->busy is who has its turn, NULL only while nobody waits; a guest is in h->waiting at most once, and has
 * asked by its task, which is made ready when its turn comes.
 */
#include "tools/host_private.h"

bool turn_take(struct host *h, struct guest *g)
{
    struct guest **p = &h->waiting;

    if (!h->busy)
        h->busy = g;
    if (h->busy == g)
        return true;
    while (*p)
        p = &(*p)->next_waiting;
    *p = g;
    g->next_waiting = NULL;
    return false;
}

void turn_give(struct host *h)
{
    h->busy = h->waiting;
    if (!h->busy)
        return;
    h->waiting = h->busy->next_waiting;
    task_ready(&h->busy->task);
}

void turn_forget(struct host *h, struct guest *g)
{
    for (struct guest **p = &h->waiting; *p; p = &(*p)->next_waiting)
        if (*p == g) {
            *p = g->next_waiting;
            return;
        }
    if (h->busy == g)
        turn_give(h);
}
