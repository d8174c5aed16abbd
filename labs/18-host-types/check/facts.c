// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 18: exits of a guest on a host of one of three kinds, by routes through a model of it (tools/model/model.h).
 *
 * Concept: each step is a kind of host, and a list of exits. The program with a student's routes in it only logs which
 * walls and works they ask for; the golden one asks its own model for them, and reports of that: so nothing that the
 * code may do to a struct model counts (labs/kit/interleave.h, of which this uses the log alone).
 */
#include "labs/kit/interleave.h"
#include "labs/kit/kit.h"
#include "tools/model/routes.h"

#include <stdio.h>
#include <string.h>

#define STEPS 300
#define EXITS 8

struct scene {
    struct model m;
    struct model_exit exit[EXITS];
    unsigned int nr;
    struct seen {
        struct model after;
        uint64_t crossed[MODEL_NR_WALLS];
        bool was_due;
        unsigned int before; /* posted, and not taken */
    } seen[EXITS];
    unsigned int done;
};

static const struct {
    const char *name;
    void (*route)(struct model *m);
} kinds[MODEL_NR_KINDS] = {
    [MODEL_TYPE1] = { "type 1", route_type1 },
    [MODEL_IN_KERNEL] = { "in-kernel", route_in_kernel },
    [MODEL_HOSTED] = { "hosted", route_hosted },
};

/* --- how a route's wishes come to the model --- */

enum { GO, DO };
static const char *const service_names[] = { "a wall", "a work" };

static void through(void *data, bool work, unsigned int what)
{
    (void)data;
    il_service(work ? DO : GO, what);
}

static uint64_t service(void *data, unsigned int what, uint64_t arg)
{
    struct scene *s = data;

    model_act(&s->m, what == DO, arg > UINT8_MAX ? UINT8_MAX : (unsigned int)arg);
    return 0;
}

static uint64_t route(void *data)
{
    struct scene *s = data;

    kinds[s->m.kind].route(&s->m);
    return 0;
}

/* --- a step --- */

static void play(void *data)
{
    struct scene *s = data;

    for (s->done = 0; s->done < s->nr && !s->m.wrong[0]; s->done++) {
        struct seen *seen = &s->seen[s->done];
        uint64_t crossed[MODEL_NR_WALLS];

        memcpy(crossed, s->m.crossed, sizeof(crossed));
        seen->before = s->m.nr_posted;
        model_leave(&s->m, &s->exit[s->done]);
        seen->was_due = model_timer_is_due(&s->m);
        il_call(route, s);
        model_arrived(&s->m);
        seen->after = s->m;
        for (unsigned int w = 0; w < MODEL_NR_WALLS; w++)
            seen->crossed[w] = s->m.crossed[w] - crossed[w];
    }
}

static void reset(void *data)
{
    struct scene *s = data;
    const enum model_kind kind = s->m.kind;
    const uint64_t others = s->m.others;

    model_init(&s->m, kind);
    s->m.others = others;
    s->m.through = through;
    s->m.data = s;
}

static void ended(void *data) { (void)data; }

static const char *word(unsigned int i)
{
    (void)i;
    return "a word";
}

static void say_walls(const struct seen *seen, const char *which)
{
    static const struct {
        enum model_wall wall;
        const char *property, *what;
    } walls[] = { { MODEL_WALL_world, "worlds", "world switches" },
                  { MODEL_WALL_vcpu, "switches", "switches of vCPUs or processes" },
                  { MODEL_WALL_ring, "rings", "times between kernel and user space" },
                  { MODEL_WALL_hypercall, "hypercalls", "hypercalls" } };

    for (unsigned int i = 0; i < sizeof(walls) / sizeof(walls[0]); i++)
        kit_fact(walls[i].property, "%s: %d %s", which, (int)seen->crossed[walls[i].wall], walls[i].what);
}

static void say(const struct scene *s, unsigned int i)
{
    const struct seen *seen = &s->seen[i];
    const struct model *m = &seen->after;
    const enum model_class class = s->exit[i].class;
    char which[64];

    snprintf(which, sizeof(which), "%s, exit %u, %s", kinds[s->m.kind].name, i + 1, model_class_name(class));
    kit_fact("possible", "%s: %s", which, m->wrong[0] ? m->wrong : "the guest goes on");
    if (class == MODEL_cpu || class == MODEL_hypercall || class == MODEL_device)
        kit_fact(class == MODEL_device && seen->before ? "order" : "answer", "%s: it is answered %#x", which,
                 m->answer);
    if (class == MODEL_posted)
        kit_fact("order", "%s: of the guest's writes %u are posted, or taken", which, m->taken + m->nr_posted);
    if (class == MODEL_interrupt)
        kit_fact("interrupt", "%s: the handler %s", which, m->handled ? "has run" : "has not run");
    if (class == MODEL_halt)
        kit_fact("halt", "%s: when it exits its timer %s due, and %s", which, seen->was_due ? "is" : "is not",
                 m->slept ? "others have the pCPU until it is" : "the guest goes on");
    kit_fact("others", "%s: others %s", which,
             !m->kept            ? "who want the pCPU have had it"
             : s->exit[i].wanted ? "have wanted the pCPU since the exit, and do not get it"
                                 : "have wanted the pCPU since the work was done, and do not get it");
    kit_fact("timer", "%s: the guest's timer %s", which,
             m->late ? "is due, and the guest goes on without its interrupt" : "is not due, or has interrupted it");
    say_walls(seen, which);
}

static size_t describe(const struct model_exit *x, char *text, size_t size)
{
    char timer[24] = "";

    if (x->timer)
        snprintf(timer, sizeof(timer), ", timer %d", (int)x->timer);
    return (size_t)snprintf(text, size, " %s%s%s;", model_class_name(x->class), timer,
                            x->wanted         ? ", wanted"
                            : x->wanted_later ? ", wanted later"
                                              : "");
}

static void make(struct scene *s, unsigned int number)
{
    static const enum model_class often[] = { MODEL_cpu,    MODEL_hypercall, MODEL_posted,
                                              MODEL_posted, MODEL_posted,    MODEL_device,
                                              MODEL_device, MODEL_interrupt, MODEL_halt };
    const bool much = !kit_random(3); /* more than the ring has places */
    /* Short lists first: a list is a step, and the first that goes wrong is the one that is shown. */
    const unsigned int each = STEPS / MODEL_NR_KINDS, most = 1 + number % each * 2 * EXITS / each;

    memset(s, 0, sizeof(*s));
    s->m.kind = (enum model_kind)(number * MODEL_NR_KINDS / STEPS); /* one after the other, as they are written */
    s->m.others = 1000 + kit_random(3) * 50000;
    s->nr = much ? EXITS : 1 + (unsigned int)kit_random(EXITS - 2); /* what is said of a step is one line */
    s->nr = s->nr < most ? s->nr : most;
    for (unsigned int i = 0; i < s->nr; i++) {
        struct model_exit *x = &s->exit[i];

        x->class = much && kit_random(8) ? MODEL_posted : often[kit_random(sizeof(often) / sizeof(often[0]))];
        if (i && x[-1].timer && !kit_random(2))
            x->class = MODEL_halt; /* the usual thing to do then */
        x->value = (uint32_t)kit_random(1000);
        x->ran = 100 + kit_random(4) * 3000;
        if (x->class == MODEL_cpu && kit_random(3))
            x->timer = 50 + kit_random(2) * (kit_random(3) ? 1000 + kit_random(8000) : 20000);
        x->wanted = !kit_random(5);
        x->wanted_later = !x->wanted && !kit_random(5) && x->class != MODEL_halt;
    }
}

static void step(void *data, unsigned int number)
{
    static struct scene s;
    const struct il_scenario il = { .data = &s,
                                    .reset = reset,
                                    .nr_threads = 1,
                                    .thread = { play },
                                    .service = service,
                                    .ended = ended,
                                    .word = word,
                                    .service_names = service_names,
                                    .nr_services = 2 };
    char text[216] = "", wrong[200];
    size_t len = 0;

    (void)data;
    make(&s, number);
    for (unsigned int i = 0; i < s.nr && len < sizeof(text); i++)
        len += describe(&s.exit[i], text + len, sizeof(text) - len);
    kit_step("%s, %u exit%s:%s", kinds[s.m.kind].name, s.nr, s.nr == 1 ? "" : "s", text);
    il_explore(&il, wrong, sizeof(wrong));
    for (unsigned int i = 0; i < s.nr; i++)
        say(&s, i);
    while (s.m.nr_posted) { /* the device model has its turn some time */
        s.m.device = s.m.device * 31 + s.m.posted[0] + 1;
        memmove(s.m.posted, s.m.posted + 1, --s.m.nr_posted * sizeof(s.m.posted[0]));
    }
    kit_fact("order", "the device at the end: %#x", s.m.device);
}

static void *begin(void) { return NULL; }
static void end(void *data) { (void)data; }

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
