// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * evtchn's table is called, and stands still in front of each access: wire.h says what lies in the bytes.
 *
 * Concept: two calls may be in progress, each on a stack of its own. An access goes back to the program with what is to
 * be done; when the question comes that says what the word held, the call goes on.
 */
#include "tools/kit/child/child.h"

#include <string.h>
#include <ucontext.h>

#define STACK (256 << 10)

struct thread {
    ucontext_t context;
    struct evtchn_question q;
    unsigned int hook;
    struct evtchn_access access;
    char stack[STACK] __attribute__((aligned(16)));
};

static struct thread threads[2], *current;
static const struct evtchn_ops *table;
static ucontext_t program;

static uint64_t access_word(uint32_t op, unsigned int word, uint64_t value, uint64_t old)
{
    struct thread *t = current;

    t->access = (struct evtchn_access){ op, word, value, old };
    swapcontext(&t->context, &program);
    return t->q.value;
}

static uint64_t load(unsigned int word) { return access_word(EVTCHN_LOAD, word, 0, 0); }
static uint64_t store(unsigned int word, uint64_t value) { return access_word(EVTCHN_STORE, word, value, 0); }
static uint64_t fetch_or(unsigned int word, uint64_t bits) { return access_word(EVTCHN_OR, word, bits, 0); }
static uint64_t fetch_and(unsigned int word, uint64_t bits) { return access_word(EVTCHN_AND, word, bits, 0); }
static uint64_t compare_exchange(unsigned int word, uint64_t expected, uint64_t value)
{
    return access_word(EVTCHN_CAS, word, value, expected);
}

static void thread_main(void)
{
    static const struct evtchn_mem mem = { load, store, fetch_or, fetch_and, compare_exchange };
    struct thread *t = current;
    const struct evtchn_port port = t->q.port;
    uint64_t value = 0;

    switch (t->hook) {
    case EVTCHN_SET_PENDING: value = table->set_pending(&mem, &port); break;
    case EVTCHN_UNMASK: value = table->unmask(&mem, &port); break;
    case EVTCHN_MASK: table->mask(&mem, &port); break;
    case EVTCHN_TAKE: value = table->take(&mem, &port); break;
    }
    t->access = (struct evtchn_access){ .op = EVTCHN_RETURN, .value = value };
}

static uint32_t hooks(const void *ops)
{
    const struct evtchn_ops *o = ops;

    return (uint32_t)(o->set_pending != NULL) << EVTCHN_SET_PENDING | (uint32_t)(o->unmask != NULL) << EVTCHN_UNMASK |
           (uint32_t)(o->mask != NULL) << EVTCHN_MASK | (uint32_t)(o->take != NULL) << EVTCHN_TAKE;
}

static void call(const void *ops, void *state, struct kit_message *m)
{
    struct evtchn_question q;

    (void)state;
    table = ops;
    memcpy(&q, m->bytes, sizeof(q));
    current = &threads[q.thread & 1];
    current->q = q;
    if (q.begins) {
        current->hook = m->hook;
        getcontext(&current->context);
        current->context.uc_stack.ss_sp = current->stack;
        current->context.uc_stack.ss_size = STACK;
        current->context.uc_link = &program;
        makecontext(&current->context, thread_main, 0);
    }
    swapcontext(&program, &current->context);
    m->len = sizeof(current->access);
    memcpy(m->bytes, &current->access, m->len);
}

const struct kit_child kit_child_evtchn = { "evtchn", "xenlab_evtchn_ops", sizeof(struct evtchn_ops), hooks, call };
