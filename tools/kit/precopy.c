// SPDX-License-Identifier: GPL-2.0-or-later
/* precopy: a round after the other. precopy.h says what the VM does meanwhile. */
#include "tools/kit/precopy.h"

#include <string.h>

/* --- asking --- */

static void look(struct precopy_model *p, struct kit_asked *a)
{
    precopy_vm_look(&p->vm);
    kit_passed(a, (int64_t)p->vm.now);
}

static void tell(struct precopy_model *p, struct kit_asked *a)
{
    const struct precopy_vm *vm = &p->vm;

    p->told.now = vm->now;
    p->told.paused = vm->paused;
    p->told.todo = vm->nr_todo;
    p->told.again = vm->nr_dirty;
    p->told.left = vm->nr_left;
    p->told.all = vm->sent;
    snprintf(a->at, sizeof(a->at), "%.3f ms", (double)vm->now / 1e6);
}

/* Is it? False as well if nothing can be asked any more. */
static bool stop(struct precopy_model *p, struct kit_asked *a)
{
    tell(p, a);
    return kit_ask(a, PRECOPY_STOP, &p->told, sizeof(p->told), 1, 1) && a->message.bytes[0];
}

/* Answered: nr pages to send. Each is looked at before any is sent, so that "twice" is told from "sent before". */
static bool allowed(struct precopy_model *p, struct kit_asked *a, const uint64_t *gfn, uint64_t nr)
{
    const struct precopy_vm *vm = &p->vm;

    memset(p->seen, 0, sizeof(p->seen));
    for (uint64_t i = 0; i < nr; i++) {
        const unsigned long long g = gfn[i];

        if (g >= vm->nr_pages)
            return kit_fault(a, "gave page %llu, and the VM's pages are 0 to %llu,", g,
                             (unsigned long long)vm->nr_pages - 1);
        if (precopy_bit(p->seen, g))
            return kit_fault(a, "gave page %llu twice", g);
        if (!precopy_bit(vm->todo, g))
            return kit_fault(a, "gave page %llu, which this round is not to send, or has sent,", g);
        p->seen[g / 64] |= UINT64_C(1) << g % 64;
    }
    return true;
}

/* False: the round is over, or nothing can be asked any more. */
static bool order(struct precopy_model *p, struct kit_asked *a)
{
    uint64_t *answer = p->answer;
    const uint64_t words = PRECOPY_MAP_WORDS(p->vm.nr_pages);

    tell(p, a);
    p->ask.now = p->told;
    memcpy(p->ask.bitmaps, p->vm.todo, words * sizeof(uint64_t));
    memcpy(p->ask.bitmaps + words, p->vm.dirty, words * sizeof(uint64_t));
    if (!kit_ask(a, PRECOPY_ORDER, &p->ask, sizeof(p->ask.now) + 2 * words * sizeof(uint64_t), sizeof(*answer),
                 sizeof(p->answer)))
        return false;
    memcpy(answer, a->message.bytes, a->message.len);
    if (answer[0] > PRECOPY_AT_ONCE)
        return kit_fault(a, "gave %llu pages, where %d are the most,", (unsigned long long)answer[0], PRECOPY_AT_ONCE);
    if (a->message.len != (1 + answer[0]) * sizeof(*answer))
        return kit_fault(a, "answered what is no answer (it has another length)");
    if (!allowed(p, a, answer + 1, answer[0]))
        return false;
    for (uint64_t i = 0; i < answer[0]; i++) {
        precopy_vm_send(&p->vm, answer[1 + i]);
        kit_passed(a, (int64_t)p->vm.now);
    }
    p->told.sent += answer[0];
    return answer[0];
}

/* --- a run --- */

/* What has become dirty is to be sent, and what was left out; then as much of it as order() wants. */
static void round_run(struct precopy_model *p, struct kit_asked *a)
{
    if (p->told.round < PRECOPY_MAX_ROUNDS)
        p->round_at[p->told.round] = p->vm.now;
    precopy_vm_clean(&p->vm);
    p->told.round++;
    p->rounds += !p->vm.paused;
    p->told.began = p->vm.now;
    p->told.sent = 0;
    do {
        if (!p->vm.paused)
            look(p, a);
    } while (p->vm.nr_todo && (p->vm.paused || p->vm.now < p->time) && order(p, a));
}

static void run(void *model, struct kit_asked *a)
{
    struct precopy_model *p = model;

    p->told.pages = p->vm.nr_pages;
    p->told.page = p->vm.page;
    p->told.look = p->vm.look;
    while (!a->gone && p->vm.now < p->time && !p->vm.paused) {
        look(p, a);
        if (stop(p, a)) {
            p->vm.paused = true;
            p->paused_at = p->vm.now;
            p->paused_left = p->vm.nr_left;
            look(p, a); /* what was stored to until then */
        }
        if (!a->gone)
            round_run(p, a);
    }
    p->done = p->vm.paused;
    p->lost = p->done ? precopy_vm_differ(&p->vm) : 0;
}

/* --- figures --- */

enum { STORES, SENT, LAST, DONE, ROUNDS, RESENT, VAIN, LOOKS, LEFT, DOWNTIME, TOTAL, LOST };

static const struct kit_figure figures[] = {
    [STORES] = { "stores", "", "of the VM's, until it was paused" },
    [SENT] = { "sent", "pages", "in all" },
    [LAST] = { "last", "pages", "of them, while the VM was paused" },
    [DONE] = { "done", "", "1: the VM is on the other host; 0: it was given up" },
    [ROUNDS] = { "rounds", "", "while the VM ran" },
    [RESENT] = { "resent", "pages", "of those sent, ones of which an older state had been" },
    [VAIN] = { "vain", "pages", "sent, though they were dirty, and had to be sent again anyway" },
    [LOOKS] = { "looks", "", "at the dirty bitmap" },
    [LEFT] = { "left", "pages", "were missing when the VM was paused" },
    [DOWNTIME] = { "downtime", "ms", "in which the VM stood still" },
    [TOTAL] = { "total", "ms", "from beginning to end" },
    [LOST] = { "lost", "pages", "are not there as they were here" },
    { NULL, NULL, NULL },
};

static void metrics(const void *model, struct kit_metrics *list)
{
    const struct precopy_model *p = model;
    const struct precopy_vm *vm = &p->vm;

    for (unsigned int i = 0; i < vm->nr_regions; i++) {
        const struct precopy_region *g = &vm->region[i];

        kit_metric_add(list, &figures[STORES], g->name, (double)g->stores);
        kit_metric_add(list, &figures[SENT], g->name, (double)g->sent);
        kit_metric_add(list, &figures[LAST], g->name, (double)g->last);
    }
    kit_metric_add(list, &figures[STORES], "", (double)vm->stores);
    kit_metric_add(list, &figures[SENT], "", (double)vm->sent);
    kit_metric_add(list, &figures[LAST], "", (double)vm->last);
    kit_metric_add(list, &figures[DONE], "", p->done);
    kit_metric_add(list, &figures[ROUNDS], "", (double)p->rounds);
    kit_metric_add(list, &figures[RESENT], "", (double)(vm->sent - vm->first));
    kit_metric_add(list, &figures[VAIN], "", (double)vm->vain);
    kit_metric_add(list, &figures[LOOKS], "", (double)vm->looks);
    kit_metric_add(list, &figures[LEFT], "", (double)p->paused_left);
    kit_metric_add(list, &figures[DOWNTIME], "", p->done ? (double)(vm->now - p->paused_at) / 1e6 : 0);
    kit_metric_add(list, &figures[TOTAL], "", (double)vm->now / 1e6);
    kit_metric_add(list, &figures[LOST], "", (double)p->lost);
}

static const char *const hooks[] = { "init", "stop", "order", NULL };

static int64_t time_of(const void *model) { return (int64_t)((const struct precopy_model *)model)->time; }

#define ONE(figure) (UINT64_C(1) << (figure))

static const char *const references[] = { "rounds", "outpaced", NULL };

const struct kit_model kit_precopy = {
    .name = "precopy",
    .what = "how a VM goes to another host while it runs",
    .example = "docs/examples/kit/server.txt",
    .hooks = hooks,
    .required = UINT32_C(1) << PRECOPY_STOP | UINT32_C(1) << PRECOPY_ORDER,
    .figures = figures,
    .sums = ONE(STORES) | ONE(SENT) | ONE(LAST) | ONE(ROUNDS) | ONE(RESENT) | ONE(VAIN) | ONE(LOOKS),
    .states = ONE(DONE),
    .references = references,
    .time = time_of,
    .load = precopy_load,
    .run = run,
    .metrics = metrics,
    .svg = precopy_svg,
    .free = precopy_free,
};
