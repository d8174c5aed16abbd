// SPDX-License-Identifier: GPL-2.0-or-later
/* Threads, one for a seed: see ahead.h. */
#include "tools/lab/ahead.h"

static void *thread(void *data)
{
    struct ahead *a = data;

    a->work(a);
    return NULL;
}

static void begin(struct ahead *a, const struct check *c, uint64_t seed, const struct ahead_work *w)
{
    *a = (struct ahead){ .c = *c, .seed = seed, .work = w->work };
    a->under_way = c->at_once > 1 && !pthread_create(&a->thread, NULL, thread, a);
    if (!a->under_way)
        w->work(a);
}

static void end(struct ahead *a)
{
    if (a->under_way)
        pthread_join(a->thread, NULL);
    a->under_way = false;
}

void ahead_run(struct check *c, const struct ahead_work *w)
{
    const unsigned int many = !c->at_once || form_find(c->lab->form)->alone ? 1
                              : c->at_once > AHEAD_MAX                      ? AHEAD_MAX
                                                                            : c->at_once;
    struct ahead ahead[AHEAD_MAX];
    uint64_t left = c->seed_to - c->seed_from, begun = 0, taken = 0; /* how many: of `left` one less */
    bool wanted, more = true;

    sandbox_wraps(); /* which is found out by one thread alone */
    for (; more || taken < begun; taken++) {
        struct ahead *a = &ahead[taken % many];

        for (; more && begun < taken + many && begun <= left; begun++)
            begin(&ahead[begun % many], c, c->seed_from + begun, w);
        end(a);
        wanted = more;
        more = more && w->take(c, a) && taken < left;
        w->free(a, wanted);
    }
}
