// SPDX-License-Identifier: GPL-2.0-or-later
/* Schedules, threads, store buffers, and the log: see interleave.h. */
#include "labs/kit/interleave.h"

#include "labs/kit/kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STACK       (64 << 10)
#define BUFFERED    8
#define CHOICES_MAX 400
#define MOST_MAX    4

shm_t il_memory[IL_WORDS];

enum op { OP_LOAD, OP_STORE, OP_EXCHANGE, OP_OR, OP_AND, OP_FENCE, OP_SERVICE, NR_OPS, OP_RETURN = NR_OPS };
static const char letters[] = "lsxoafvr";

enum { EVENT = 0, SWITCH = 64, DRAIN = 128 };

struct buffered {
    unsigned int word;
    uint64_t value;
};

struct thread {
    ucontext_t context;
    struct buffered buffer[BUFFERED];
    unsigned int nr_buffered;
    bool ended, waits;
};

/* A schedule: at the choice of that number, this. */
struct deviation {
    unsigned int at, what;
    char text[64];
};

static struct {
    const struct il_scenario *s;
    struct thread thread[IL_THREADS];
    unsigned int current, nr_choices;
    ucontext_t main;
    struct deviation d[MOST_MAX];
    unsigned int nr_d, next_d;
    uint8_t option[MOST_MAX + 1][CHOICES_MAX][8]; /* what else there was, for each depth of the search */
    uint8_t nr_options[MOST_MAX + 1][CHOICES_MAX];
    char wrong[160];
} il;
static char stacks[IL_THREADS][STACK] __attribute__((aligned(16)));

/* --- the log --- */

static enum { MODE_DIRECT, MODE_LOG, MODE_REPLAY } mode;
static char *log_text;
static size_t log_len, log_at;

void il_log_begin(void)
{
    mode = MODE_LOG;
    setvbuf(stdout, NULL, _IOFBF, 64 << 10);
}

bool il_logs(void) { return mode == MODE_LOG; }

bool il_replay_begin(void)
{
    FILE *f = fdopen(3, "r");
    size_t cap = 0;
    const ssize_t n = f ? getdelim(&log_text, &cap, '\0', f) : -1;

    mode = MODE_REPLAY;
    log_len = n > 0 ? (size_t)n : 0;
    return f != NULL;
}

static void log_write(enum op op, unsigned int word, uint64_t value)
{
    if (mode == MODE_LOG)
        printf("%c%x,%llx\n", letters[op], word, (unsigned long long)value);
}

/* The next of the log. What is none ends the report where it stands, so that the judge sees that it has no end. */
static enum op log_read(unsigned int *word, uint64_t *value)
{
    const char *at = log_text + log_at, *letter, *end = memchr(at, '\n', log_len - log_at);
    char *comma = NULL, *last = NULL;

    letter = end && *at ? strchr(letters, *at) : NULL;
    if (letter) { /* no sscanf(), which looks for the end of all of it first */
        *word = (unsigned int)strtoul(at + 1, &comma, 16);
        *value = *comma == ',' ? strtoull(comma + 1, &last, 16) : 0;
    }
    if (!letter || comma == at + 1 || !last || last == comma + 1) {
        fflush(stdout);
        _Exit(0);
    }
    log_at += (size_t)(end + 1 - at);
    return (enum op)(letter - letters);
}

/* --- one run --- */

void il_wrong(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(il.wrong, sizeof(il.wrong), fmt, args);
    va_end(args);
    setcontext(&il.main);
    abort();
}

static struct thread *self(void) { return &il.thread[il.current]; }

static bool runs(unsigned int t)
{
    const struct thread *th = &il.thread[t];

    return t < il.s->nr_threads && !th->ended && !(th->waits && il.s->blocked(il.s->data, t));
}

static void drain(struct thread *t, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++)
        il_memory[t->buffer[i].word].opaque = t->buffer[i].value;
    t->nr_buffered -= n;
    memmove(t->buffer, t->buffer + n, t->nr_buffered * sizeof(t->buffer[0]));
}

static void leave(void) { swapcontext(&self()->context, &il.main); }

/* What else could come first now. */
static void options_note(unsigned int depth, unsigned int at)
{
    uint8_t *o = il.option[depth][at];
    unsigned int n = 0;

    for (unsigned int e = 0; e < il.s->nr_events && n < 8; e++)
        if (il.s->possible(il.s->data, e))
            o[n++] = (uint8_t)(EVENT + e);
    for (unsigned int t = 0; t < il.s->nr_threads && n < 8; t++) {
        if (t != il.current && runs(t))
            o[n++] = (uint8_t)(SWITCH + t);
        if (il.thread[t].nr_buffered && n < 8)
            o[n++] = (uint8_t)(DRAIN + t);
    }
    il.nr_options[depth][at] = (uint8_t)n;
}

static void deviate(struct deviation *d, const char *in_front_of)
{
    const char *who = il.s->nr_threads > 1 ? il.s->thread_names[il.current] : "";
    struct thread *old;

    if (d->what < SWITCH) {
        snprintf(d->text, sizeof(d->text), "%s in front of %s", il.s->event_names[d->what], in_front_of);
        il.s->event(il.s->data, d->what);
    } else if (d->what < DRAIN) {
        snprintf(d->text, sizeof(d->text), "%s stops in front of %s", who, in_front_of);
        old = self();
        il.current = d->what - SWITCH;
        swapcontext(&old->context, &il.main);
    } else {
        struct thread *t = &il.thread[d->what - DRAIN];

        snprintf(d->text, sizeof(d->text), "%s's store to %s is seen", il.s->thread_names[d->what - DRAIN],
                 il.s->word(t->buffer[0].word));
        drain(t, 1);
    }
}

static void choices(const char *in_front_of)
{
    for (;;) {
        const unsigned int at = il.nr_choices++;

        if (at == CHOICES_MAX)
            il_wrong("it does not come to an end: %u accesses", CHOICES_MAX);
        options_note(il.nr_d, at);
        if (il.next_d == il.nr_d || il.d[il.next_d].at != at)
            return;
        il.next_d++;
        deviate(&il.d[il.next_d - 1], in_front_of);
    }
}

void il_choice(void) { choices("the next step"); }

void il_wait(void)
{
    choices("going to sleep"); /* with stores that are not seen yet */
    drain(self(), self()->nr_buffered);
    self()->waits = true;
    while (il.s->blocked(il.s->data, il.current))
        leave();
    self()->waits = false;
}

static void thread_main(unsigned int t)
{
    il.s->thread[t](il.s->data);
    drain(&il.thread[t], il.thread[t].nr_buffered);
    il.thread[t].ended = true;
}

/* il.d[]: the schedule. */
static void run(void)
{
    const struct il_scenario *s = il.s;

    memset(il_memory, 0, sizeof(il_memory));
    memset(il.nr_options[il.nr_d], 0, sizeof(il.nr_options[0]));
    il.current = il.nr_choices = il.next_d = 0;
    il.wrong[0] = '\0';
    s->reset(s->data);
    for (unsigned int t = 0; t < s->nr_threads; t++) {
        struct thread *th = &il.thread[t];

        th->nr_buffered = 0;
        th->ended = th->waits = false;
        getcontext(&th->context);
        th->context.uc_stack.ss_sp = stacks[t];
        th->context.uc_stack.ss_size = STACK;
        th->context.uc_link = &il.main;
        makecontext(&th->context, (void (*)(void))thread_main, 1, t);
    }
    getcontext(&il.main); /* a thread that leaves, ends or goes wrong comes back here */
    if (il.wrong[0])
        return;
    for (unsigned int i = 0; i < s->nr_threads; i++)
        if (runs((il.current + i) % s->nr_threads)) {
            il.current = (il.current + i) % s->nr_threads;
            setcontext(&self()->context);
        }
    s->ended(s->data);
}

/* --- what code does --- */

/* What a load of this thread's sees: its own youngest store that waits, or memory. */
static uint64_t see(unsigned int word)
{
    const struct thread *t = self();

    for (unsigned int i = t->nr_buffered; i; i--)
        if (t->buffer[i - 1].word == word)
            return t->buffer[i - 1].value;
    return il_memory[word].opaque;
}

static void store(unsigned int word, uint64_t value)
{
    struct thread *t = self();

    if (!il.s->buffers) {
        il_memory[word].opaque = value;
        return;
    }
    if (t->nr_buffered == BUFFERED)
        drain(t, 1);
    t->buffer[t->nr_buffered++] = (struct buffered){ word, value };
}

static uint64_t carry_out(enum op op, unsigned int word, uint64_t value)
{
    static const char *const names[] = { "the load of ", "the store to ", "the exchange of ", "the OR to ",
                                         "the AND to " };
    uint64_t old = 0;
    char text[48];

    if (op <= OP_AND && word >= IL_WORDS)
        il_wrong("it touches memory that is not shared");
    if (op == OP_SERVICE && word >= il.s->nr_services)
        il_wrong("it asks for what there is not");
    snprintf(text, sizeof(text), "%s%s",
             op <= OP_AND     ? names[op]
             : op == OP_FENCE ? "the fence"
                              : "",
             op <= OP_AND       ? il.s->word(word)
             : op == OP_SERVICE ? il.s->service_names[word]
                                : "");
    choices(text);
    if (op >= OP_EXCHANGE)
        drain(self(), self()->nr_buffered);
    if (op == OP_SERVICE)
        return il.s->service(il.s->data, word, value);
    if (op == OP_FENCE)
        return 0;
    old = see(word);
    switch (op) {
    case OP_STORE: store(word, value); break;
    case OP_EXCHANGE: il_memory[word].opaque = value; break;
    case OP_OR: il_memory[word].opaque |= value; break;
    case OP_AND: il_memory[word].opaque &= value; break;
    default: break;
    }
    return old;
}

static uint64_t access(enum op op, const shm_t *word, uint64_t value)
{
    const uintptr_t offset = (uintptr_t)word - (uintptr_t)il_memory;
    const unsigned int i = offset % sizeof(shm_t) || offset / sizeof(shm_t) >= IL_WORDS
                               ? IL_WORDS
                               : (unsigned int)(offset / sizeof(shm_t));

    log_write(op, i, value);
    return carry_out(op, i, value);
}

uint64_t shm_load(const shm_t *word) { return access(OP_LOAD, word, 0); }
void shm_store(shm_t *word, uint64_t value) { access(OP_STORE, word, value); }
uint64_t shm_exchange(shm_t *word, uint64_t value) { return access(OP_EXCHANGE, word, value); }
uint64_t shm_fetch_or(shm_t *word, uint64_t bits) { return access(OP_OR, word, bits); }
uint64_t shm_fetch_and(shm_t *word, uint64_t bits) { return access(OP_AND, word, bits); }
void shm_fence(void) { access(OP_FENCE, il_memory, 0); }

uint64_t il_service(unsigned int what, uint64_t arg)
{
    log_write(OP_SERVICE, what, arg);
    return carry_out(OP_SERVICE, what, arg);
}

uint64_t il_call(uint64_t (*fn)(void *arg), void *arg)
{
    unsigned int word;
    uint64_t value;
    enum op op;

    if (mode != MODE_REPLAY) {
        value = fn(arg);
        log_write(OP_RETURN, 0, value);
        return value;
    }
    while ((op = log_read(&word, &value)) != OP_RETURN)
        carry_out(op, word, value);
    return value;
}

uint64_t il_peek(unsigned int i) { return il_memory[i].opaque; }
void il_poke(unsigned int i, uint64_t value) { il_memory[i].opaque = value; }

/* --- all schedules --- */

/* Those with `more` further deviations, behind the ones that il.d[] has. True: one goes wrong, and il.d[] is it. */
static bool search(unsigned int more)
{
    const unsigned int depth = il.nr_d, from = depth ? il.d[depth - 1].at + 1 : 0;
    unsigned int nr;

    run();
    if (il.wrong[0])
        return true;
    nr = il.nr_choices;
    for (unsigned int at = from; more && at < nr; at++)
        for (unsigned int o = 0; o < il.nr_options[depth][at]; o++) {
            il.d[depth] = (struct deviation){ .at = at, .what = il.option[depth][at][o] };
            il.nr_d = depth + 1;
            if (search(more - 1))
                return true;
            il.nr_d = depth;
        }
    return false;
}

void il_explore(const struct il_scenario *s, char *text, size_t size)
{
    bool wrong = false;
    size_t n;

    il.s = s;
    for (unsigned int most = 0; !wrong && most <= s->most && most <= MOST_MAX; most++) {
        il.nr_d = 0;
        wrong = search(most);
    }
    n = (size_t)snprintf(text, size, "%s", wrong ? il.wrong : "");
    for (unsigned int i = 0; wrong && i < il.nr_d && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s %s", i ? ";" : ":", il.d[i].text);
}
