// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 11: xenbus, seen from a front end that does what it likes.
 *
 * Concept: each step is a device, and a few things that its front end or the toolstack writes into xenstore, one or two
 * of them before the bus looks. The back end is a toy that notes how it is called. Reported is what the front end sees:
 * the back end's state, the calls, each with what was said in xenstore at that moment, and the states that were said
 * between them, for each is a watch that fires. How often the bus asks xenstore is counted, by what it asks with.
 */
#include "labs/kit/front.h"
#include "rings/bus_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

#define STEPS       120
#define ACTIONS_MAX 7
#define SAID_MAX    220 /* of a step: with its number it is a line of the report */

struct lab {
    struct kit_scene *k;
    struct kit_front *f;
    struct xenbus_kind kinds[2];
    struct xenbus_way way;         /* the bus's, which counts, */
    const struct xenbus_way *real; /* and does what this one does */
    uint64_t asked;
    char calls[140]; /* since this was reported last */
    bool refuses;    /* the next connect fails */
    bool unfit;      /* the next probe fails */
    bool breaks;     /* a change while connected is more than it can do */
    bool changed;    /* the back end was told of that; how often does not matter */
    unsigned int connected, known;
};

static struct lab lab;

static void note(const char *what)
{
    snprintf(lab.calls + strlen(lab.calls), sizeof(lab.calls) - strlen(lab.calls), "%s%s", *lab.calls ? ", " : "",
             what);
}

/* --- xenstore, as the bus asks it --- */

static bool way_watch(struct xenbus *b, const char *path, const char *token)
{
    lab.asked++;
    return lab.real->watch(b, path, token);
}

static void way_write(struct xenbus *b, const char *path, const char *value)
{
    const char *last = strrchr(path, '/');
    char what[16];

    lab.asked++;
    lab.real->write(b, path, value);
    snprintf(what, sizeof(what), "says %.8s", value);
    if (last && !strcmp(last, "/state"))
        note(what);
}

static bool way_read(struct xenbus *b, const char *path, char value[XENBUS_VALUE])
{
    lab.asked++;
    return lab.real->read(b, path, value);
}

/* --- the toy --- */

static const char *state_now(void)
{
    static char value[64];

    return kit_front_back(lab.f, "state", value);
}

static int toy_probe(struct xenbus_device *dev)
{
    note("probe");
    lab.known++;
    return lab.unfit ? xenbus_fail(dev, -EINVAL, "%d the toy cannot be made", EINVAL) : 0;
}

static int toy_connect(struct xenbus_device *dev)
{
    note(dev->again ? "connect again" : *state_now() == '4' ? "connect, though it says 4" : "connect");
    if (lab.connected)
        note("for the second time");
    if (lab.refuses)
        return xenbus_fail(dev, -EINVAL, "%d the toy does not like it", EINVAL);
    lab.connected++;
    return 0;
}

/* Who is told 5 or 6 takes its frames back. */
static void toy_disconnect(struct xenbus_device *dev)
{
    const char now = *state_now();

    note(!lab.connected             ? "disconnect of what was not connected"
         : dev->failed              ? "disconnect, having failed and said so"
         : now == '5' || now == '6' ? "disconnect, too late: it has said that it closes"
                                    : "disconnect");
    lab.connected = 0;
}

static void toy_changed(struct xenbus_device *dev)
{
    lab.changed = true;
    if (!lab.connected)
        note("changed, of what is not connected");
    else if (lab.breaks)
        xenbus_fail(dev, -EINVAL, "%d the toy does not like that rate", EINVAL);
}

static void toy_remove(struct xenbus_device *dev)
{
    (void)dev;
    note("remove");
    lab.known--;
}

static const struct backend_ops toy = {
    .type = "toy",
    .probe = toy_probe,
    .also = "rate",
    .changed = toy_changed,
    .connect = toy_connect,
    .disconnect = toy_disconnect,
    .remove = toy_remove,
};

static void *begin(void)
{
    lab.k = kit_scene();
    lab.kinds[0] = (struct xenbus_kind){ &toy, NULL };
    lab.f = kit_front(lab.k, lab.kinds);
    lab.real = lab.f->bus->way;
    lab.way = *lab.real;
    lab.way.watch = way_watch;
    lab.way.write = way_write;
    lab.way.read = way_read;
    lab.f->bus->way = &lab.way;
    return &lab;
}

static void end(void *data)
{
    (void)data;
    kit_count("asked", lab.asked);
    kit_front_end(lab.f);
    kit_scene_end(lab.k);
}

enum action { STATE, TWO, NOTHING, RATE, BREAK, REFUSE, SLOW, REMOVE, ANOTHER, HALF, UNFIT };

/* What the toolstack has not written yet, or not as it should: of the back end's directory. */
static const struct half {
    const char *node, *value; /* NULL: it is not there */
} halves[] = {
    { "frontend", NULL },    { "frontend", "device/toy/1" },
    { "frontend-id", NULL }, { "frontend-id", "32752" },
    { "state", NULL },       { "state", "7" },
    { "state", "0" },
};

struct todo {
    enum action what;
    unsigned int state, second, half;
};

/* States that mean something, more often than not; 9 and 7 are none that a back end waits for. */
static unsigned int a_state(void)
{
    static const unsigned char states[] = { 1, 1, 3, 3, 3, 4, 4, 5, 5, 6, 6, 2, 7, 8, 0, 9 };

    return states[kit_random(sizeof(states))];
}

/* Most drivers begin by the book. */
static void choose(struct todo *t, unsigned int i, bool book)
{
    static const enum action whats[] = { STATE, STATE, STATE,  STATE, STATE, STATE,  TWO,     TWO,  NOTHING,
                                         RATE,  RATE,  REFUSE, SLOW,  BREAK, REMOVE, ANOTHER, HALF, UNFIT };

    *t = (struct todo){ .what = whats[kit_random(sizeof(whats) / sizeof(whats[0]))],
                        a_state(),
                        a_state(),
                        (unsigned int)kit_random(ARRAY_SIZE(halves)) };
    if (book && i < 2)
        *t = (struct todo){ STATE, i ? 4 : 3, 0, 0 };
}

static const char *todo_text(const struct todo *t, char text[48])
{
    switch (t->what) {
    case STATE: snprintf(text, 48, "state %u", t->state); break;
    case TWO: snprintf(text, 48, "states %u and %u at once", t->state, t->second); break;
    case NOTHING: snprintf(text, 48, "no state"); break;
    case RATE: snprintf(text, 48, "rate"); break;
    case BREAK: snprintf(text, 48, "a bad rate"); break;
    case REFUSE: snprintf(text, 48, "a bad ring, state 3"); break;
    case SLOW: snprintf(text, 48, "a bad ring, state 3, then 6, 5, 1"); break;
    case REMOVE: snprintf(text, 48, "device removed"); break;
    case ANOTHER: snprintf(text, 48, "removed, made again at once"); break;
    case HALF: snprintf(text, 48, "half made, %s", halves[t->half].node); break;
    case UNFIT: snprintf(text, 48, "unfit, states 1, 3"); break;
    }
    return text;
}

static void front_state(unsigned int state)
{
    char value[8];

    snprintf(value, sizeof(value), "%u", state);
    kit_front_write(lab.f, "state", value);
}

/* Its directory is removed, and forgotten; it can be made again. */
static void removed(void)
{
    kit_front_drop(lab.f, true, "");
    kit_front_run(lab.f);
}

static void half_made(const struct half *h)
{
    removed();
    kit_front_make(lab.f);
    if (h->value)
        kit_front_set(lab.f, h->node, h->value);
    else
        kit_front_drop(lab.f, true, h->node);
    kit_front_run(lab.f);
    note("then all of it");
    if (h->value)
        kit_front_drop(lab.f, true, h->node);
    kit_front_make(lab.f);
}

/* Who was not fit to be offered is not tried again, whatever its front end says. */
static void unfit_made(void)
{
    removed();
    lab.unfit = true;
    kit_front_make(lab.f);
    kit_front_run(lab.f);
    lab.unfit = false;
    front_state(1);
    kit_front_run(lab.f);
    front_state(3);
}

/* The property that an action is of. */
static const char *act(const struct todo *t)
{
    const unsigned int last = t->what == TWO ? t->second : t->state;

    switch (t->what) {
    case STATE: front_state(t->state); break;
    case TWO: front_state(t->state), front_state(t->second); break;
    case NOTHING: kit_front_drop(lab.f, false, "state"); break;
    case RATE: kit_front_write(lab.f, "rate", "7"); break;
    case BREAK:
        lab.breaks = true;
        kit_front_write(lab.f, "rate", "bad");
        break;
    case REFUSE:
        lab.refuses = true;
        front_state(3);
        break;
    case SLOW:
        lab.refuses = true;
        front_state(3);
        kit_front_run(lab.f);
        lab.refuses = false;
        for (const char *way = "65"; *way; way++) {
            front_state((unsigned int)(*way - '0'));
            kit_front_run(lab.f);
        }
        front_state(1);
        break;
    case REMOVE: kit_front_drop(lab.f, true, ""); break;
    case ANOTHER:
        kit_front_drop(lab.f, true, "");
        kit_front_make(lab.f);
        break;
    case HALF: half_made(&halves[t->half]); break;
    case UNFIT: unfit_made(); break;
    }
    kit_front_run(lab.f);
    return t->what == RATE                                                                ? "changed"
           : t->what == HALF                                                              ? "offers"
           : t->what == REFUSE || t->what == SLOW || t->what == BREAK || t->what == UNFIT ? "fails"
           : t->what == REMOVE || t->what == ANOTHER                                      ? "gone"
           : t->what != NOTHING && last == 1                                              ? "offers"
           : t->what != NOTHING && (last == 3 || last == 4)                               ? "connects"
                                                                                          : "closes";
}

static void report(const char *property, const char *when)
{
    if (!strcmp(property, "changed"))
        note(lab.changed ? "changed" : "no word of it");
    lab.changed = false;
    kit_fact(property, "%s: it is in %s; %s", when, state_now(), *lab.calls ? lab.calls : "nothing is called or said");
    lab.calls[0] = '\0';
}

static void step(void *data, unsigned int number)
{
    unsigned int nr = 2 + (unsigned int)kit_random(ACTIONS_MAX - 1);
    const bool book = kit_random(4), taken = !kit_random(6);
    const char *const had = !taken ? NULL : kit_random(5) ? "4" : "6";
    /* It may have gone on meanwhile, or not have heard that there is another bus. */
    const char *const ways[] = { "1", "2", "5", "5", had, had, had, had };
    const char *const begins = !taken ? "1" : ways[kit_random(ARRAY_SIZE(ways))];
    const bool at_once = taken && kit_random(2);
    struct todo todo[ACTIONS_MAX];
    char line[SAID_MAX] = "a new device", text[48];

    (void)data, (void)number;
    for (unsigned int i = 0; i < nr; i++)
        choose(&todo[i], i, book);
    if (at_once) /* it says that it is connected, whatever it has said before */
        todo[0] = (struct todo){ STATE, 4, 0, 0 };
    lab.f->begins = begins;
    lab.refuses = taken && !kit_random(4);
    if (taken)
        snprintf(line, sizeof(line), "a device that another bus has left in %s, its front end in %s%s", had,
                 lab.f->begins, lab.refuses ? ", with a bad ring" : "");
    strcat(line, "; the front end");
    for (unsigned int i = 0; i < nr; i++) {
        if (strlen(line) + 2 + strlen(todo_text(&todo[i], text)) >= sizeof(line))
            nr = i; /* more cannot be said */
        else
            snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s", i ? "; " : ": ", text);
    }
    kit_step("%s", line);
    lab.calls[0] = '\0';
    lab.connected = lab.known = 0;
    if (taken)
        kit_front_add(lab.f, "toy", "state", had, NULL);
    else
        kit_front_add(lab.f, "toy", NULL);
    report(taken ? "taken" : "offers", "as it is found");
    lab.refuses = false;
    for (unsigned int i = 0; i < nr; i++) {
        const char *property = act(&todo[i]);

        report(property, todo_text(&todo[i], text));
        lab.refuses = lab.breaks = false;
    }
    kit_front_remove(lab.f);
    kit_fact("gone", "in the end: %s, %s", lab.connected ? "still connected" : "not connected",
             lab.known ? "not forgotten" : "forgotten");
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
