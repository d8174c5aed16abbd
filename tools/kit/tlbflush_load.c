// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tlbflush's workloads.
 *
 *      pcpus 4                      default 4, at most 64
 *      tlb 64                       entries of a pCPU's TLB; default 64
 *      switch flush                 to another vCPU flushes the TLB; or keep: it is tagged; default flush
 *      spare 16                     pages in the heap at the beginning; default 16
 *      heap newest                  it gives away what was freed last; or oldest; default newest
 *      clock 65530 bits 16          the TLB clock's time at the beginning, default 1, and its size, default 32
 *      slice 500us..2ms             a vCPU runs, until another does; default 1ms
 *      flush 1us                    what a flush costs; default 1us
 *      ipi 2us                      what an IPI costs; default 2us
 *      walk 100ns                   what a walk of page tables costs; default 100ns
 *      time 100ms                   default 100ms
 *      domain web vcpus=2 pages=64 : touch 100000 recycle 500 revoke 50 for 20ms, touch 0
 *
 * Numbers of a step are so many a second: uses of each vCPU that runs; pages that are freed, and others that are taken;
 * rights to store that are taken. A program is over and over again from its beginning; its last step need not say for
 * how long.
 */
#include "tools/kit/tlbflush.h"

#include <stdlib.h>
#include <string.h>

#include "sim/types.h"

#define BLANKS " \t"
#define STEP   "a step is \"touch 100000 recycle 500 revoke 50 for 20ms\": so many a second"

static bool ns(const struct workload *r, const char *what, const char *text, uint64_t *t)
{
    return workload_time(r, what, text, "ns", 1, TLB_MAX_TIME, t);
}

/* A slice: many short ones are many switches, and nothing else. */
static bool slice(const struct workload *r, const char *what, const char *text, uint64_t *t)
{
    return workload_time(r, what, text, "us", MICROSECS(1), TLB_MAX_TIME, t);
}

static bool one_to(const struct workload *r, const char *what, const char *text, uint64_t most, uint64_t *n)
{
    return workload_number(r, what, text, most, n) && (*n || workload_wrong(r, "%s: at least 1 is wanted", what));
}

/* --- domains --- */

static bool step(const struct workload *r, void *of, char *text, bool last)
{
    struct tlb_domain *d = of;
    struct tlb_step *s = &d->step[d->nr_steps++];
    char *save = NULL, *word, *value;
    bool any = false, timed = false, ok = true;

    for (word = strtok_r(text, BLANKS, &save); ok && word; word = strtok_r(NULL, BLANKS, &save)) {
        value = strtok_r(NULL, BLANKS, &save);
        any = true;
        if (!value || timed)
            return workload_wrong(r, STEP);
        if (!strcmp(word, "for"))
            ok = timed = ns(r, word, value, &s->ns);
        else if (!strcmp(word, "touch"))
            ok = workload_number(r, word, value, TLB_MAX_RATE, &s->touch);
        else if (!strcmp(word, "recycle"))
            ok = workload_number(r, word, value, TLB_MAX_RATE, &s->recycle);
        else if (!strcmp(word, "revoke"))
            ok = workload_number(r, word, value, TLB_MAX_RATE, &s->revoke);
        else
            return workload_wrong(r, STEP);
    }
    if (ok && !any)
        return workload_wrong(r, STEP);
    return ok && (timed || last || workload_wrong(r, "only a program's last step may be without a time"));
}

static bool domain_key(const struct workload *r, void *of, const char *key, const char *value)
{
    struct tlb_domain *d = of;

    if (value && !strcmp(key, "vcpus"))
        return one_to(r, key, value, TLB_MAX_VCPUS, &d->vcpus);
    if (value && !strcmp(key, "pages"))
        return one_to(r, key, value, TLB_MAX_PAGES, &d->pages);
    return workload_wrong(r, "a domain has vcpus= and pages=, not \"%.40s\"", key);
}

static bool domain_read(const struct workload *r, char *text)
{
    struct tlb_model *m = r->model;
    struct tlb_domain *d = &m->domain[m->nr_domains];
    char *program;

    if (m->nr_domains == TLB_MAX_DOMAINS)
        return workload_wrong(r, "more than %d domains", TLB_MAX_DOMAINS);
    d->vcpus = 1;
    d->pages = 64;
    program = workload_head(r, text, "a domain", "domain NAME vcpus=2 pages=64 : PROGRAM", d->name, domain_key, d);
    if (!program)
        return false;
    for (unsigned int i = 0; i < m->nr_domains; i++)
        if (!strcmp(m->domain[i].name, d->name))
            return workload_wrong(r, "there is a domain %s already", d->name);
    m->nr_domains++;
    m->nr_vcpus += d->vcpus;
    return workload_steps(r, program, TLB_MAX_STEPS, step, d);
}

/* --- the file --- */

/* "65530 bits 16", or one of them alone. */
static bool clock_read(const struct workload *r, char *value)
{
    struct tlb_model *m = r->model;
    char *save = NULL, *word = strtok_r(value, BLANKS, &save);
    char *bits = word ? strtok_r(NULL, BLANKS, &save) : NULL, *nr = bits ? strtok_r(NULL, BLANKS, &save) : NULL;

    if (!word || (bits && (!nr || strcmp(bits, "bits") || strtok_r(NULL, BLANKS, &save))))
        return workload_wrong(r, "a clock is \"clock 65530 bits 16\": its time, and its size");
    if (!workload_number(r, "clock", word, UINT32_MAX, &m->clock) ||
        (nr && !workload_number(r, "bits", nr, 32, &m->bits)))
        return false;
    return (m->bits >= 4 && m->clock && m->clock >> m->bits == 0) ||
           workload_wrong(r, "clock: from 1 to what fits into its bits, of which there are 4 to 32");
}

/* One of two words. */
static bool either(const struct workload *r, const char *what, const char *value, const char *one, const char *other,
                   bool *is_other)
{
    *is_other = !strcmp(value, other);
    return *is_other || !strcmp(value, one) ||
           workload_wrong(r, "%s: \"%.40s\" is neither %s nor %s", what, value, one, other);
}

static bool statement(const struct workload *r, const char *word, char *value)
{
    struct tlb_model *m = r->model;

    if (!strcmp(word, "domain"))
        return domain_read(r, value);
    if (!strcmp(word, "pcpus"))
        return one_to(r, word, value, TLBFLUSH_MAX_PCPUS, &m->nr_pcpus);
    if (!strcmp(word, "tlb"))
        return one_to(r, word, value, TLB_MAX_ENTRIES, &m->nr_entries);
    if (!strcmp(word, "spare"))
        return workload_number(r, word, value, TLB_MAX_PAGES, &m->nr_spare);
    if (!strcmp(word, "switch"))
        return either(r, word, value, "flush", "keep", &m->tagged);
    if (!strcmp(word, "heap"))
        return either(r, word, value, "newest", "oldest", &m->oldest);
    if (!strcmp(word, "clock"))
        return clock_read(r, value);
    if (!strcmp(word, "slice"))
        return workload_range(r, word, value, &m->slice, slice);
    if (!strcmp(word, "flush"))
        return ns(r, word, value, &m->flush);
    if (!strcmp(word, "ipi"))
        return ns(r, word, value, &m->ipi);
    if (!strcmp(word, "walk"))
        return ns(r, word, value, &m->walk);
    if (!strcmp(word, "time"))
        return ns(r, word, value, &m->time);
    return workload_wrong(r,
                          "\"%.40s\" is no statement: pcpus, tlb, switch, spare, heap, clock, slice, flush, ipi, walk, "
                          "time, domain and expect are",
                          word);
}

/* What no line alone can be wrong in. */
static bool whole(const struct workload *r)
{
    struct tlb_model *m = r->model;

    if (!m->nr_domains)
        return workload_wrong(r, "there is no domain: domain NAME vcpus=2 pages=64 : touch 100000 recycle 500");
    if (m->nr_vcpus > TLB_MAX_VCPUS)
        return workload_wrong(r, "%llu vCPUs, and %d are the most", (unsigned long long)m->nr_vcpus, TLB_MAX_VCPUS);
    return tlb_begin(m) || workload_wrong(r, "not enough memory");
}

void *tlbflush_load(FILE *f, uint64_t seed, char why[KIT_WHY])
{
    struct tlb_model *m = calloc(1, sizeof(*m));
    struct workload r = { m, why, 0 };

    if (!m) {
        snprintf(why, KIT_WHY, " not enough memory");
        return NULL;
    }
    m->nr_pcpus = 4, m->nr_entries = 64, m->nr_spare = 16;
    m->clock = 1, m->bits = 32;
    m->slice = (struct workload_range){ MILLISECS(1), MILLISECS(1) };
    m->flush = 1000, m->ipi = 2000, m->walk = 100;
    m->time = MILLISECS(100);
    m->seed = seed;
    if (workload_statements(&r, f, statement) && whole(&r))
        return m;
    tlbflush_free(m);
    return NULL;
}

void tlbflush_free(void *model)
{
    tlb_end(model);
    free(model);
}
