// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 08: masks, upcalls and acknowledgements, with a sender between any two accesses.
 *
 * Concept: a guest of one vCPU does a few things to two or three ports and then goes to sleep, as SCHEDOP_block does
 * it: if an upcall is due it comes first. Between any two accesses of the code's, others may send to the ports. Xen's
 * side is a model of its own here (evtchn/event_2l.c has the real one), single steps of which nobody sees: it holds a
 * lock. A guest that sleeps while a port is pending and not masked, or was acknowledged and not handled, has lost it.
 *
 * Reported is for each scenario that nothing is lost, or the first schedule in which something is; at the end how many
 * hypercalls it took where nobody sent at a bad moment.
 */
#include "labs/code/event.h"
#include "labs/kit/interleave.h"
#include "labs/kit/kit.h"

#include <stdio.h>
#include <string.h>

#define STEPS   13
#define PORTS   2
#define ACTIONS 4

struct event_page *const event_page = (struct event_page *)il_memory;

enum { UPCALL_PENDING, SELECTOR, PENDING, MASK = PENDING + EVENT_WORDS };
enum { UNMASK_CALL, YIELD_CALL, HANDLE };
enum action { END, MASK_IT, UNMASK_IT, SEND_IT, CLI, STI, HANDLER_MASKS };

struct scene {
    unsigned int port[PORTS];
    bool masked[PORTS]; /* at first; */
    bool wanted[PORTS]; /* as the guest has said since */
    struct {
        enum action what;
        unsigned int i;
    } action[ACTIONS];
    bool handler_masks; /* port 1 */
    bool upcall_mask;
    bool outstanding[PORTS]; /* sent, and no handler has begun since */
    unsigned int upcalls;
    uint64_t hypercalls, first; /* of this run; of the first one, in which nothing comes between */
    unsigned int ran;
};

static bool bit(const struct scene *s, unsigned int what, unsigned int i)
{
    return il_peek(what + s->port[i] / 64) >> s->port[i] % 64 & 1;
}

static void set(unsigned int word, unsigned int n, bool to)
{
    il_poke(word, (il_peek(word) & ~(UINT64_C(1) << n)) | (uint64_t)to << n);
}

static uint64_t poll(void *arg)
{
    (void)arg;
    events_poll();
    return 0;
}

static uint64_t unmask(void *port)
{
    event_unmask(*(const unsigned int *)port);
    return 0;
}

/* On the way back to the guest. */
static void deliver(struct scene *s)
{
    while (il_peek(UPCALL_PENDING) && !s->upcall_mask) {
        s->upcall_mask = true;
        il_call(poll, NULL);
        s->upcall_mask = false; /* its IRET */
        if (++s->upcalls > 100)
            il_wrong("an upcall is pending as often as it returns");
    }
}

/* The end of a send's way: this port is pending and not masked. */
static void up(struct scene *s, unsigned int i)
{
    const unsigned int word = s->port[i] / 64;

    if (il_peek(SELECTOR) >> word & 1)
        return;
    set(SELECTOR, word, true);
    il_poke(UPCALL_PENDING, 1);
}

static void send(void *data, unsigned int i)
{
    struct scene *s = data;

    s->outstanding[i] = true;
    if (bit(s, PENDING, i))
        return;
    set(PENDING + s->port[i] / 64, s->port[i] % 64, true);
    if (!bit(s, MASK, i))
        up(s, i);
    deliver(s);
}

static uint64_t service(void *data, unsigned int what, uint64_t arg)
{
    struct scene *s = data;
    unsigned int i = 0;

    if (what != YIELD_CALL) {
        while (i < PORTS && s->port[i] != arg)
            i++;
        if (i == PORTS)
            il_wrong("port %u is %s, and nothing has come there", (unsigned int)(arg & 0xffff),
                     what == HANDLE ? "handled" : "unmasked");
    }
    if (what == HANDLE) {
        if (bit(s, MASK, i) || s->wanted[i])
            il_wrong("port %u is handled while it is masked", s->port[i]);
        s->outstanding[i] = false;
        if (s->handler_masks && i == 1) {
            s->wanted[i] = true;
            set(MASK + s->port[i] / 64, s->port[i] % 64, true);
        }
        return 0;
    }
    s->hypercalls++;
    if (what == UNMASK_CALL && bit(s, MASK, i)) {
        set(MASK + s->port[i] / 64, s->port[i] % 64, false);
        if (bit(s, PENDING, i))
            up(s, i);
    }
    deliver(s);
    return 0;
}

void hypercall_unmask(unsigned int port) { il_service(UNMASK_CALL, port); }
void hypercall_yield(void) { il_service(YIELD_CALL, 0); }
void event_handle(unsigned int port) { il_service(HANDLE, port); }

static void reset(void *data)
{
    struct scene *s = data;

    s->upcall_mask = s->handler_masks = false;
    s->upcalls = 0;
    s->hypercalls = 0;
    for (unsigned int i = 0; i < PORTS; i++) {
        s->outstanding[i] = false;
        s->wanted[i] = s->masked[i];
        set(MASK + s->port[i] / 64, s->port[i] % 64, s->masked[i]);
    }
}

static void guest(void *data)
{
    struct scene *s = data;

    for (unsigned int a = 0; a < ACTIONS && s->action[a].what != END; a++) {
        const unsigned int i = s->action[a].i;

        il_choice();
        if (s->action[a].what <= UNMASK_IT)
            s->wanted[i] = s->action[a].what == MASK_IT;
        switch (s->action[a].what) {
        case MASK_IT: set(MASK + s->port[i] / 64, s->port[i] % 64, true); break;
        case UNMASK_IT:
            il_call(unmask, &s->port[i]);
            if (il_peek(UPCALL_PENDING) && !s->upcall_mask)
                il_wrong("event_unmask() has returned, and an upcall that is due has not come");
            break;
        case SEND_IT: send(s, i); break;
        case CLI: s->upcall_mask = true; break;
        case HANDLER_MASKS: s->handler_masks = true; break;
        default: s->upcall_mask = false; deliver(s);
        }
    }
    il_choice();
    s->upcall_mask = false; /* SCHEDOP_block */
    deliver(s);
}

static void ended(void *data)
{
    struct scene *s = data;

    for (unsigned int i = 0; i < PORTS; i++) {
        if (bit(s, MASK, i) != s->wanted[i])
            il_wrong("port %u is %s, which nobody asked for", s->port[i],
                     s->wanted[i] ? "not masked any more" : "masked");
        if (bit(s, PENDING, i) && !bit(s, MASK, i))
            il_wrong("port %u is pending, not masked, and the guest sleeps (selector %#x, after %u upcalls)",
                     s->port[i], (unsigned int)il_peek(SELECTOR), s->upcalls);
        if (!bit(s, PENDING, i) && s->outstanding[i])
            il_wrong("port %u is not pending, and no handler has run since it was sent to", s->port[i]);
    }
    if (!s->ran++)
        s->first = s->hypercalls;
}

static bool possible(void *data, unsigned int event)
{
    (void)data, (void)event;
    return true;
}

static const char *word_name(unsigned int i)
{
    static const char *const names[] = {
        "upcall_pending", "selector", "pending[0]", "pending[1]", "mask[0]", "mask[1]"
    };

    return i < sizeof(names) / sizeof(names[0]) ? names[i] : "a word behind the page";
}

/* --- scenarios --- */

static const struct kind {
    const char *property;
    bool masked[PORTS];
    unsigned char words[PORTS]; /* where the ports are */
    struct {
        enum action what;
        unsigned int i;
    } action[ACTIONS];
} kinds[] = {
    { "poll", { false, true }, { 0, 1 }, { { SEND_IT, 0 } } },
    { "poll", { false, false }, { 0, 0 }, { { CLI, 0 }, { SEND_IT, 0 }, { SEND_IT, 1 }, { STI, 0 } } },
    { "mask", { true, false }, { 0, 0 }, { { SEND_IT, 0 }, { SEND_IT, 1 } } },
    { "mask", { false, false }, { 1, 1 }, { { MASK_IT, 1 }, { SEND_IT, 1 }, { SEND_IT, 0 } } },
    { "unmask", { true, true }, { 0, 1 }, { { UNMASK_IT, 0 } } },
    { "unmask", { true, true }, { 0, 0 }, { { SEND_IT, 0 }, { UNMASK_IT, 0 } } },
    { "unmask", { true, false }, { 1, 1 }, { { CLI, 0 }, { SEND_IT, 0 }, { UNMASK_IT, 0 }, { STI, 0 } } },
    { "both", { false, false }, { 0, 1 }, { { CLI, 0 }, { SEND_IT, 0 }, { SEND_IT, 1 }, { STI, 0 } } },
    { "both", { true, true }, { 1, 0 }, { { SEND_IT, 0 }, { SEND_IT, 1 }, { UNMASK_IT, 0 }, { UNMASK_IT, 1 } } },
    { "both", { true, true }, { 1, 1 }, { { SEND_IT, 1 }, { UNMASK_IT, 0 }, { SEND_IT, 0 } } },
    { "both", { true, false }, { 0, 1 }, { { SEND_IT, 1 }, { UNMASK_IT, 0 }, { MASK_IT, 0 }, { SEND_IT, 0 } } },
    { "unmask", { true, false }, { 0, 1 }, { { CLI, 0 }, { SEND_IT, 0 }, { UNMASK_IT, 0 }, { STI, 0 } } },
    { "unmask", { true, false }, { 0, 0 }, { { HANDLER_MASKS, 1 }, { UNMASK_IT, 0 } } },
};

static void *begin(void)
{
    static struct scene s;

    return &s;
}

static uint64_t hypercalls;

static void step(void *data, unsigned int number)
{
    static const char *const verbs[] = {
        "", "masks", "unmasks", "sends to", "disables upcalls", "enables upcalls", "has a handler that masks the second"
    };
    const struct kind *k = &kinds[number % (sizeof(kinds) / sizeof(kinds[0]))];
    struct scene *s = data;
    static const char *const services[] = { "EVTCHNOP_unmask", "a hypercall", "the handler" };
    char events[PORTS][40], text[200], wrong[200];
    const char *const names[] = { events[0], events[1] };
    const struct il_scenario scenario = { .data = s,
                                          .reset = reset,
                                          .nr_threads = 1,
                                          .thread = { guest },
                                          .nr_events = PORTS,
                                          .possible = possible,
                                          .event = send,
                                          .service = service,
                                          .ended = ended,
                                          .word = word_name,
                                          .service_names = services,
                                          .nr_services = 3,
                                          .event_names = names,
                                          .most = 2 };
    size_t n = 0;

    memset(s, 0, sizeof(*s));
    for (unsigned int i = 0; i < PORTS; i++) {
        do
            s->port[i] = 64 * k->words[i] + (unsigned int)kit_random(64);
        while (i && s->port[i] == s->port[0]);
        s->masked[i] = k->masked[i];
        snprintf(events[i], sizeof(events[i]), "a send to port %u", s->port[i]);
    }
    memcpy(s->action, k->action, sizeof(s->action));
    text[0] = '\0';
    for (unsigned int a = 0; a < ACTIONS && k->action[a].what != END && n < sizeof(text); a++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", a ? ", " : "", verbs[k->action[a].what]);
        if (k->action[a].what < CLI && n < sizeof(text))
            n += (size_t)snprintf(text + n, sizeof(text) - n, " port %u", s->port[k->action[a].i]);
    }
    kit_step("ports %u%s and %u%s; the guest %s, and sleeps", s->port[0], s->masked[0] ? " (masked)" : "", s->port[1],
             s->masked[1] ? " (masked)" : "", text);
    il_explore(&scenario, wrong, sizeof(wrong));
    kit_fact(k->property, "%s", wrong[0] ? wrong : "nothing is lost, whenever others send");
    if (!wrong[0])
        hypercalls += s->first;
}

static void end(void *data)
{
    (void)data;
    kit_count("hypercalls", hypercalls);
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
