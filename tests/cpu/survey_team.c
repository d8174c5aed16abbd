// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Workers: the survey on several processors, in processes that may die of a case.
 *
 * Concept: the work is cut into blocks (a way, a mode, a map, a set of prefixes), handed out by a counter in memory
 * that all share. A worker notes there which case it is at before it tries it; so when it dies or hangs, whoever waits
 * for it knows the case, puts it on the list, and starts another one behind it. Findings of one kind (same way, mode,
 * opcode and words) are one entry with a count, since a fault rarely shows in one encoding only.
 *
 * Could pass wrongly: a case that damages the process's memory may kill it some cases later, and the list then names
 * the later one. Blocks end with a canary, and every BATCH cases have one.
 */
#include "tests/cpu/survey.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/bug.h"

#define MAX_WORKERS 64u
#define BATCH       1024u

static const char *const way_names[SURVEY_NR_WAYS] = { "single", "page", "whole", "whole-page", "host" };

const char *survey_way_name(enum survey_way way) { return way_names[way]; }

struct block {
    enum survey_way way;
    enum survey_mode mode;
    enum survey_map map;
    unsigned int prefix;
};

struct seat {
    pid_t pid;
    unsigned int block, next; /* next: the case behind the one being tried */
    bool busy;
    struct survey_case at;
};

struct shared {
    atomic_uint next_block;
    atomic_flag lock;
    struct seat seat[MAX_WORKERS];
    struct survey_result result;
};

struct team {
    const struct survey_plan *plan;
    struct block *blocks;
    unsigned int nr_blocks;
    struct shared *sh;
    survey_features announced, host;
};

/*
 * ------------------------------------------------------------------------------------------------------- findings --
 */

static bool alike(const struct survey_finding *f, enum survey_way way, const struct survey_case *c, const char *why)
{
    return f->way == way && f->first.mode == c->mode && f->first.map == c->map && f->first.opcode == c->opcode &&
           !strcmp(f->why, why);
}

static void finding(struct shared *sh, enum survey_way way, const struct survey_case *c, const char *why)
{
    struct survey_result *r = &sh->result;
    unsigned int i = 0;

    while (atomic_flag_test_and_set(&sh->lock))
        usleep(10);
    while (i < r->nr_findings && !alike(&r->finding[i], way, c, why))
        i++;
    if (i < SURVEY_FINDINGS) {
        struct survey_finding *f = &r->finding[i];

        if (i == r->nr_findings) {
            f->way = way;
            f->first = *c;
            snprintf(f->why, sizeof(f->why), "%s", why);
            r->nr_findings++;
        }
        f->count++;
    }
    atomic_flag_clear(&sh->lock);
}

/*
 * ------------------------------------------------------------------------------------------------------- a worker --
 */

struct worker {
    struct team *t;
    struct seat *seat;
    struct survey_fast *fast;
    struct survey_whole *whole;
    struct survey_host *host;
};

/* The table against the host's processor: where it has all that the table asks for. */
static bool ask_host(struct worker *w, const struct survey_case *c, char why[SURVEY_WHY])
{
    const struct survey_expect x = survey_expect(c, w->t->host);
    unsigned int len;
    const enum survey_answer a = survey_host_ask(w->host, c, &len);

    if (a == SURVEY_NOT_ASKED || x.legality == EITHER)
        return true;
    if (x.legality == ILLEGAL && x.needs != FEAT_BASE) /* CPUID may hide what the processor has */
        return true;
    if ((a == SURVEY_UD) != (x.legality == ILLEGAL)) {
        snprintf(why, SURVEY_WHY, "the host's processor says %s", a == SURVEY_UD ? "#UD" : "legal");
        return false;
    }
    if (len && x.len && !x.jumps && !x.repeats && len != x.len) {
        snprintf(why, SURVEY_WHY, "%u bytes long on the host, not %u", len, x.len);
        return false;
    }
    return true;
}

static void count(uint64_t *n) { atomic_fetch_add_explicit((_Atomic uint64_t *)n, 1, memory_order_relaxed); }

static bool try_case(struct worker *w, enum survey_way way, const struct survey_case *c, char why[SURVEY_WHY])
{
    switch (way) {
    case SURVEY_SINGLE: {
        const bool ok = survey_single(w->fast, c, why);

        if (ok && survey_was_invalid(w->fast))
            count(&w->t->sh->result.invalid);
        return ok;
    }
    case SURVEY_PAGE: return survey_page(w->fast, c, why);
    case SURVEY_WHOLE: return survey_whole(w->whole, c, false, why);
    case SURVEY_WHOLE_PAGE: return survey_whole(w->whole, c, true, why);
    default: return ask_host(w, c, why);
    }
}

static bool in_sample(const struct team *t, unsigned int block, unsigned int i)
{
    const unsigned int every = t->plan->every[t->blocks[block].way];
    uint32_t h = (block << 13 | i) * 0x9e3779b1u;

    h = (h ^ h >> 15) * 0x85ebca6bu;
    return every <= 1 || (h ^ h >> 13) % every == 0;
}

static void block_run(struct worker *w)
{
    struct seat *seat = w->seat;
    const struct block *b = &w->t->blocks[seat->block];
    char why[SURVEY_WHY] = "";

    for (unsigned int i = seat->next, n = 0; i < SURVEY_BLOCK; i++) {
        if (!in_sample(w->t, seat->block, i))
            continue;
        seat->at = survey_case_make(b->mode, b->map, b->prefix, i);
        seat->next = i + 1;
        alarm(w->t->plan->seconds);
        count(&w->t->sh->result.tried[b->way]);
        if (w->t->plan->before)
            w->t->plan->before(&seat->at);
        if (!try_case(w, b->way, &seat->at, why))
            finding(w->t->sh, b->way, &seat->at, why);
        if (b->way <= SURVEY_PAGE && ++n % BATCH == 0 && !survey_canary(w->fast, why)) {
            finding(w->t->sh, b->way, &seat->at, why);
            abort();
        }
    }
    if (b->way <= SURVEY_PAGE && !survey_canary(w->fast, why)) {
        finding(w->t->sh, b->way, &seat->at, why);
        abort(); /* a new process has a new machine */
    }
}

static _Noreturn void work(struct team *t, struct seat *seat)
{
    static const int deadly[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGABRT };
    struct worker w = { .t = t, .seat = seat };

    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
        signal(deadly[i], SIG_DFL); /* a test's handlers are not for the worker */
    if (t->plan->ways & (1u << SURVEY_SINGLE | 1u << SURVEY_PAGE))
        w.fast = survey_fast_create(t->announced);
    if (t->plan->ways & (1u << SURVEY_WHOLE | 1u << SURVEY_WHOLE_PAGE))
        w.whole = survey_whole_create();
    if (t->plan->ways & 1u << SURVEY_HOST)
        w.host = survey_host_create();
    while (seat->busy || (seat->block = atomic_fetch_add(&t->sh->next_block, 1)) < t->nr_blocks) {
        if (!seat->busy)
            seat->next = 0;
        seat->busy = true;
        block_run(&w);
        seat->busy = false;
    }
    alarm(0);
    survey_host_destroy(w.host);
    _exit(0);
}

/*
 * -------------------------------------------------------------------------------------------------------- the team --
 */

static void hire(struct team *t, struct seat *seat)
{
    pid_t pid;

    fflush(NULL);
    pid = fork(); /* the seat is shared: not to be written by both */
    if (pid == 0)
        work(t, seat);
    BUG_ON(pid < 0);
    seat->pid = pid;
}

static void obituary(struct team *t, struct seat *seat, int status)
{
    char why[SURVEY_WHY];

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(why, sizeof(why), "it hangs");
    else if (WIFSIGNALED(status))
        snprintf(why, sizeof(why), "the process dies of signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(why, sizeof(why), "the process ends with status %d", WEXITSTATUS(status));
    finding(t->sh, t->blocks[seat->block].way, &seat->at, why);
}

/* Wait until all have gone home. A worker that dies idle could not even start: no other is hired. */
static bool supervise(struct team *t)
{
    unsigned int left = t->plan->workers;
    bool complete = true;

    while (left) {
        int status;
        const pid_t pid = wait(&status);
        struct seat *seat = t->sh->seat;

        if (pid < 0)
            return false;
        while (seat < t->sh->seat + t->plan->workers && seat->pid != pid)
            seat++;
        if (seat == t->sh->seat + t->plan->workers)
            continue;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            left--;
        } else if (seat->busy) {
            atomic_flag_clear(&t->sh->lock);
            obituary(t, seat, status);
            hire(t, seat);
        } else {
            complete = false;
            left--;
        }
    }
    return complete;
}

static bool mode_fits(enum survey_way way, enum survey_mode mode)
{
    switch (way) {
    case SURVEY_SINGLE:
    case SURVEY_PAGE: return mode <= SURVEY_RING1;
    case SURVEY_HOST: return mode <= SURVEY_COMPAT;
    default: return true;
    }
}

static void plan_blocks(struct team *t)
{
    t->blocks = calloc((size_t)SURVEY_NR_WAYS * SURVEY_NR_MODES * SURVEY_NR_MAPS * SURVEY_PREFIXES, sizeof(*t->blocks));
    BUG_ON(!t->blocks);
    for (enum survey_way way = 0; way < SURVEY_NR_WAYS; way++)
        for (enum survey_mode mode = 0; mode < SURVEY_NR_MODES; mode++)
            for (enum survey_map map = 0; map < SURVEY_NR_MAPS; map++)
                for (unsigned int prefix = 0; prefix < SURVEY_PREFIXES; prefix++)
                    if ((t->plan->ways >> way & 1) && mode_fits(way, mode))
                        t->blocks[t->nr_blocks++] = (struct block){ way, mode, map, prefix };
}

struct survey_result *survey_run(const struct survey_plan *plan)
{
    struct team t = { .plan = plan, .host = survey_host_features() };
    struct shared *sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    BUG_ON(sh == MAP_FAILED || plan->workers > MAX_WORKERS);
    t.sh = sh;
    t.announced = survey_announced();
    plan_blocks(&t);
    for (unsigned int i = 0; i < plan->workers; i++)
        hire(&t, &sh->seat[i]);
    sh->result.complete = supervise(&t);
    free(t.blocks);
    return &sh->result;
}

void survey_result_free(struct survey_result *r)
{
    munmap((char *)r - offsetof(struct shared, result), sizeof(struct shared));
}
