// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reclaim's workloads.
 *
 *      memory 32M                   that the domain has; at most 512M
 *      frames 16M                   of that, what may be in the host's memory
 *      scan 100ms                   how often the A and D bits are looked at; default 100ms
 *      read 200us                   how long the disk takes to read a page; default 200us
 *      write 200us                  and to write one; default 200us
 *      time 10s                     that the domain runs; default 10s
 *      region log at=8M size=16M rate=2000 stores=30% file : zipf 0M..4M for 2s, loop 16M for 500ms, rest 1s
 *
 * A region has its accesses at even distances, `rate` of them in a second (default 1000), the first when a step begins;
 * so many of them are stores (default 0%). A step says to which of its pages: `loop A..B` one after the other, again
 * and again; `any A..B` each as likely; `zipf A..B` some far more often than others; `rest TIME` none. "16M" is
 * 0M..16M. The program is over and over again from its beginning; its last step may be without a time. With `file` the
 * disk has the region's pages from the beginning, else they are zeros.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/types.h"
#include "tools/kit/reclaim.h"

#define PAGES_PER_MIB 256

/* --- region --- */

static const char shape[] = "a step is \"loop 4M..8M for 2s\", or with any or zipf; or \"rest 1s\"";

static bool for_time(const struct workload *r, const char *what, const char *text, uint64_t *ns)
{
    return workload_time(r, what, text, "ms", MILLISECS(1), RECLAIM_MAX_TIME, ns);
}

/* "4M..8M", or "8M" */
static bool range(const struct workload *r, const char *word, char *text, struct reclaim_step *s)
{
    char *dots = strstr(text, "..");

    if (dots)
        *dots = '\0';
    if ((dots && !workload_size(r, word, text, &s->from)) || !workload_size(r, word, dots ? dots + 2 : text, &s->to))
        return false;
    s->from *= PAGES_PER_MIB;
    s->to *= PAGES_PER_MIB;
    return s->from < s->to || workload_wrong(r, "%s: the range ends where it begins, or before", word);
}

static bool step(const struct workload *r, void *of, char *text, bool last)
{
    static const char *const words[] = {
        [RECLAIM_REST] = "rest", [RECLAIM_LOOP] = "loop", [RECLAIM_ANY] = "any", [RECLAIM_ZIPF] = "zipf"
    };
    struct reclaim_region *g = of;
    struct reclaim_step *s = &g->step[g->nr_steps++];
    const char *word, *time;
    char *value;

    if (!workload_step(text, &word, &value, &time))
        return workload_wrong(r, "%s", shape);
    while (s->how < ARRAY_SIZE(words) && strcmp(word, words[s->how]))
        s->how++;
    if (s->how == ARRAY_SIZE(words) || (s->how == RECLAIM_REST && time))
        return workload_wrong(r, "%s", shape);
    if (s->how == RECLAIM_REST)
        return for_time(r, word, value, &s->ns);
    if (!time && !last)
        return workload_wrong(r, "only a program's last step may be without a time");
    if (!range(r, word, value, s))
        return false;
    if (s->to > g->pages)
        return workload_wrong(r, "%s: %s up to %lluM, and it has %lluM", g->name, word,
                              (unsigned long long)s->to / PAGES_PER_MIB, (unsigned long long)g->pages / PAGES_PER_MIB);
    return !time || for_time(r, "for", time, &s->ns);
}

static bool region_key(const struct workload *r, void *of, const char *key, const char *value)
{
    struct reclaim_region *g = of;
    uint64_t mib;

    if (!value && !strcmp(key, "file"))
        return g->file = true;
    if (value && !strcmp(key, "rate"))
        return workload_number(r, key, value, RECLAIM_MAX_RATE, &g->rate) &&
               (g->rate || workload_wrong(r, "rate: at least 1; a step without accesses is \"rest 1s\""));
    if (value && !strcmp(key, "stores"))
        return workload_percent(r, key, value, 100, &g->stores);
    if (!value || (strcmp(key, "at") && strcmp(key, "size")))
        return workload_wrong(r, "a region has at=, size=, rate=, stores= and file, not \"%.40s\"", key);
    if (!workload_size(r, key, value, &mib))
        return false;
    *(key[0] == 'a' ? &g->at : &g->pages) = mib * PAGES_PER_MIB;
    return true;
}

static bool region_read(const struct workload *r, char *text)
{
    struct reclaim *m = r->model;
    struct reclaim_region *g = &m->region[m->nr_regions];
    char *program;

    if (m->nr_regions == RECLAIM_MAX_REGIONS)
        return workload_wrong(r, "more than %d regions", RECLAIM_MAX_REGIONS);
    g->rate = 1000;
    program =
        workload_head(r, text, "a region", "region NAME at=0M size=16M rate=1000 : PROGRAM", g->name, region_key, g);
    if (!program)
        return false;
    for (unsigned int i = 0; i < m->nr_regions; i++)
        if (!strcmp(m->region[i].name, g->name))
            return workload_wrong(r, "there is a region %s already", g->name);
    if (!g->pages)
        return workload_wrong(r, "%s: which size= has it?", g->name);
    m->nr_regions++;
    return workload_steps(r, program, RECLAIM_MAX_STEPS, step, g);
}

/* --- the file --- */

static bool statement(const struct workload *r, const char *word, char *value)
{
    struct reclaim *m = r->model;

    if (!strcmp(word, "region"))
        return region_read(r, value);
    if (!strcmp(word, "memory"))
        return workload_size(r, word, value, &m->memory);
    if (!strcmp(word, "frames"))
        return workload_size(r, word, value, &m->frames_mib);
    if (!strcmp(word, "scan"))
        return for_time(r, word, value, &m->scan);
    if (!strcmp(word, "read"))
        return workload_time(r, word, value, "us", MICROSECS(1), RECLAIM_MAX_DISK, &m->read);
    if (!strcmp(word, "write"))
        return workload_time(r, word, value, "us", MICROSECS(1), RECLAIM_MAX_DISK, &m->write);
    if (!strcmp(word, "time"))
        return for_time(r, word, value, &m->time);
    return workload_wrong(
        r, "\"%.40s\" is no statement: memory, frames, scan, read, write, time, region and expect are", word);
}

/* How many accesses it will have: each time that a step begins there is one, and then one each 1/rate s. */
static uint64_t accesses_of(const struct reclaim_region *g, uint64_t time)
{
    uint64_t all = 0, ns;

    for (uint64_t at = 0, i = 0; at < time; at += ns, i++) {
        const struct reclaim_step *s = &g->step[i % g->nr_steps];

        ns = s->ns && s->ns < time - at ? s->ns : time - at;
        if (s->how != RECLAIM_REST)
            all += (ns * g->rate + (uint64_t)SECONDS(1) - 1) / (uint64_t)SECONDS(1);
    }
    return all;
}

static bool regions_check(const struct workload *r, const struct reclaim *m, uint64_t *accesses)
{
    for (unsigned int i = 0; i < m->nr_regions; i++) {
        const struct reclaim_region *g = &m->region[i];

        if (g->at + g->pages > m->told.pages)
            return workload_wrong(r, "%s ends at %lluM, and the domain's memory at %lluM", g->name,
                                  (unsigned long long)(g->at + g->pages) / PAGES_PER_MIB,
                                  (unsigned long long)m->memory);
        *accesses += accesses_of(g, m->time);
    }
    return *accesses <= RECLAIM_MAX_TOUCHES ||
           workload_wrong(r, "%llu accesses in all: at most %llu are possible; rate= or time has to be less",
                          (unsigned long long)*accesses, (unsigned long long)RECLAIM_MAX_TOUCHES);
}

/* What no line alone can be wrong in. */
static bool whole(const struct workload *r)
{
    struct reclaim *m = r->model;
    uint64_t accesses = 0;

    m->told = (struct reclaim_now){
        .pages = m->memory * PAGES_PER_MIB, .frames = m->frames_mib * PAGES_PER_MIB, .read = m->read, .write = m->write
    };
    if (!m->told.pages || m->told.pages > RECLAIM_MAX_PAGES)
        return workload_wrong(r, "memory of %lluM: 1M to %dM are possible", (unsigned long long)m->memory,
                              RECLAIM_MAX_PAGES / PAGES_PER_MIB);
    if (!m->told.frames || m->told.frames > m->told.pages)
        return workload_wrong(r, "frames of %lluM: 1M to %lluM, the domain's memory, are possible",
                              (unsigned long long)m->frames_mib, (unsigned long long)m->memory);
    if (!m->nr_regions)
        return workload_wrong(r, "there is no region: region NAME at=0M size=16M rate=1000 : PROGRAM");
    if (!regions_check(r, m, &accesses))
        return false;
    m->page = calloc(m->told.pages, sizeof(*m->page));
    m->went = calloc(m->told.pages, sizeof(*m->went));
    if (!m->page || !m->went || !reclaim_zipf(m) || !reclaim_min_begin(m, accesses))
        return workload_wrong(r, "not enough memory");
    for (unsigned int i = 0; i < m->nr_regions; i++)
        for (uint64_t n = 0; n < m->region[i].pages && m->region[i].file; n++)
            m->page[m->region[i].at + n] = RECLAIM_KEPT;
    return true;
}

void *reclaim_load(FILE *f, uint64_t seed, char why[KIT_WHY])
{
    struct reclaim *m = calloc(1, sizeof(*m));
    struct workload r = { m, why, 0 };

    if (!m) {
        snprintf(why, KIT_WHY, " not enough memory");
        return NULL;
    }
    m->scan = MILLISECS(100);
    m->read = m->write = MICROSECS(200);
    m->time = SECONDS(10);
    m->seed = seed;
    if (workload_statements(&r, f, statement) && whole(&r))
        return m;
    reclaim_free(m);
    return NULL;
}

void reclaim_free(void *model)
{
    struct reclaim *m = model;

    free(m->page);
    free(m->went);
    free(m->zipf);
    free(m->min);
    free(m);
}
