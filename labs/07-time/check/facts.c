// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 07: the time that a guest reads.
 *
 * Concept: each step is a domain with a frequency and an age of its own, at some moment of a machine that has been on
 * for anything between a second and ten years. It is asked for its TSC, read by two vCPUs whose pCPUs are not equally
 * far, or its line of memory is brought up to date, while readers look at it after every single store.
 */
#include "labs/kit/kit.h"
#include "labs/kit/stores.h"
#include "mmu/guest_access.h"
#include "sim/frame.h"
#include "vcpu/pv/pv.h"
#include "vcpu/time.h"
#include "vcpu/tsc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xen/domctl.h>

#define STEPS  160
#define VIEWS  512
#define SECOND UINT64_C(1000000000)
#define DAY    (86400 * SECOND)

static const uint32_t frequencies[] = { 1000000, 2000000, 2800000, 500000, 1193, 4294967, 3579545, 999999, 9000000 };

static uint32_t frequency(void)
{
    return kit_random(3) ? frequencies[kit_random(ARRAY_SIZE(frequencies))] : (uint32_t)(1000 + kit_random(8000000));
}

/* A second, a day, or years: what has 64 bits in between is found out late. */
static uint64_t age(void)
{
    switch (kit_random(5)) {
    case 0: return kit_random(SECOND);
    case 1: return kit_random(10 * SECOND);
    case 2: return kit_random(DAY);
    case 3: return kit_random(90 * DAY);
    default: return kit_random(3650 * DAY);
    }
}

static void set_time(struct kit_scene *k, uint64_t ns) { k->m->clock.now = (s_time_t)ns; }

/* A TSC of `mode` that has counted for `elapsed` ns by now. */
static void set_tsc(struct kit_scene *k, uint32_t mode, uint32_t khz, uint64_t elapsed)
{
    const struct xen_domctl_tsc_info info = { mode, khz, 0, 0, elapsed };

    if (tsc_set_info(k->d, &info))
        kit_die("TSC mode %u is refused", mode);
    k->d->tsc.last = 0;
}

static void *begin(void) { return kit_scene(); }

/* --- scale, ticks --- */

static void step_scale(void)
{
    const struct time_scale s = { (int)kit_random(12) - 6, (uint32_t)kit_random(UINT64_C(1) << 32) | UINT32_C(1)
                                                                                                         << 31 };
    const uint64_t delta = kit_random(UINT64_C(1) << (8 + kit_random(50)));

    kit_step("%" PRIu64 " scaled by shift %d, mul_frac %#" PRIx32, delta, s.shift, s.mul_frac);
    kit_fact("scale", "%" PRIu64, scale_delta(delta, s));
}

static void step_ticks(struct kit_scene *k)
{
    const uint32_t khz = frequency(), mode = kit_random(4) ? TSC_MODE_ALWAYS_EMULATE : TSC_MODE_NEVER_EMULATE;
    const uint64_t now = SECOND + age(), elapsed = kit_random(3) ? kit_random(now) : age(), later = age();
    const bool before = kit_random(3) == 0;
    uint64_t asked = now + later;

    set_time(k, now);
    set_tsc(k, mode, khz, elapsed);
    if (before) /* now; or when it was 0, if that was after power-on */
        asked = (k->d->tsc.offset > (s_time_t)SECOND ? (uint64_t)k->d->tsc.offset : now) - kit_random(SECOND);
    if (mode == TSC_MODE_NEVER_EMULATE)
        kit_step("native; asked for %" PRIu64 " ns", asked);
    else
        kit_step("%" PRIu32 " kHz, 0 at %" PRId64 " ns; asked for %" PRIu64 " ns", khz, k->d->tsc.offset, asked);
    kit_fact("ticks", "TSC %" PRId64, (int64_t)tsc_at(k->d, (s_time_t)asked));
}

/* --- grows --- */

struct reads {
    bool native;
    uint32_t khz;
    uint64_t last, furthest; /* what was read, and the latest moment that anybody read at */
};

/* A moment after all others: what is read is exact. Else more than before is wanted, and not much more. */
static void read_fact(struct reads *r, unsigned int vcpu, uint64_t now, uint64_t got)
{
    const double ticks_per_us = r->khz / 1000.0;
    const int64_t grown = (int64_t)(got - r->last);
    const uint64_t moved = now > r->furthest ? now - r->furthest : 0;

    if (r->native || moved >= 1000)
        kit_fact("grows", "vCPU %u reads %" PRIu64, vcpu, got);
    else if (grown < 0)
        kit_fact("grows", "vCPU %u reads %" PRId64 " ticks less than was read before", vcpu, -grown);
    else if (!grown && r->khz >= 1000000)
        kit_fact("grows", "vCPU %u reads what was read before", vcpu);
    else if ((double)grown > 2 * ticks_per_us + 16)
        kit_fact("grows", "vCPU %u reads %" PRId64 " ticks more than was read before, within a microsecond", vcpu,
                 grown);
    else
        kit_fact("grows", "vCPU %u reads %s than was read before", vcpu,
                 r->khz < 1000000 ? "no less" : "a little more");
    r->last = got;
    if (now > r->furthest)
        r->furthest = now;
}

static void step_grows(struct kit_scene *k)
{
    const bool native = kit_random(8) == 0;
    uint64_t now = SECOND + age(), at[5];
    unsigned int who[5], nr = 2 + (unsigned int)kit_random(4);
    struct reads r = { .native = native, .khz = frequency() };
    struct vcpu second = *k->v;
    char text[160];
    int n;

    second.vcpu_id = 1;
    set_time(k, now);
    set_tsc(k, native ? TSC_MODE_NEVER_EMULATE : TSC_MODE_ALWAYS_EMULATE, r.khz, kit_random(now));
    n = snprintf(text, sizeof(text), "TSC of %" PRIu32 " kHz, %s; reads by vCPU at ns:", r.khz,
                 native ? "native" : "emulated");
    for (unsigned int i = 0; i < nr; i++) {
        switch (i > 1 ? kit_random(5) : i ? 3 : 1) {
        case 0: now += 1000 + kit_random(MILLISECS(3)); break;
        case 1: break;
        case 2: now += 1; break;
        case 3: now -= 1 + kit_random(15000); break;
        case 4: now += kit_random(DAY); break;
        }
        at[i] = now, who[i] = (unsigned int)kit_random(2);
        n += snprintf(text + n, sizeof(text) - (size_t)n, " %u@%" PRIu64, who[i], now);
    }
    kit_step("%s", text);
    for (unsigned int i = 0; i < nr; i++) {
        set_time(k, at[i]);
        read_fact(&r, who[i], at[i], guest_rdtsc(who[i] ? &second : k->v));
    }
}

/* --- info, version, copy: the line of memory --- */

/* What readers have seen of one line, store by store. */
struct reader {
    const void *line;
    struct vcpu_time_info before, seen[VIEWS];
    unsigned int nr;
};

struct readers {
    struct vcpu *v;
    struct reader reader[2]; /* of the line, and of its copy */
    unsigned int nr;
    uint64_t stores;
};

static void look(void *data)
{
    struct readers *r = data;

    r->stores++;
    for (unsigned int i = 0; i < r->nr; i++) {
        struct reader *one = &r->reader[i];

        if (one->nr < VIEWS)
            memcpy(&one->seen[one->nr++], one->line, sizeof(one->seen[0]));
    }
}

static void update(void *data)
{
    struct readers *r = data;

    update_vcpu_system_time(r->v, r->v);
}

/* The name of what is not the same in both, or NULL. */
static const char *differs(const struct vcpu_time_info *a, const struct vcpu_time_info *b)
{
    return a->tsc_timestamp != b->tsc_timestamp           ? "tsc_timestamp"
           : a->system_time != b->system_time             ? "system_time"
           : a->tsc_to_system_mul != b->tsc_to_system_mul ? "tsc_to_system_mul"
           : a->tsc_shift != b->tsc_shift                 ? "tsc_shift"
           : a->flags != b->flags                         ? "flags"
                                                          : NULL;
}

/* A reader that finds this version, and these fields; and says so if that is wrong. */
static bool view_wrong(const struct reader *r, uint32_t version, const struct vcpu_time_info *fields,
                       const struct vcpu_time_info *after, const char *property)
{
    const bool old = version == r->before.version;
    const char *field = differs(fields, old ? &r->before : after);

    if (version % 2 || (!field && (old || version == after->version)))
        return false;
    if (!old && version != after->version)
        kit_fact(property, "a reader finds a third even version between the old one and the new one");
    else
        kit_fact(property, "a reader finds the %s even version beside %s that is not the %s one", old ? "old" : "new",
                 field, old ? "old" : "new");
    return true;
}

/*
 * Memory is read by words: what an instruction stores at once, a reader may find some words of, and not yet others.
 */
static void reader_fact(const struct reader *r, const char *property)
{
    const struct vcpu_time_info *before = &r->before;
    struct vcpu_time_info after;

    memcpy(&after, r->line, sizeof(after));
    if (after.version % 2) {
        kit_fact(property, "in the end the version is odd, and was %s before: readers wait forever",
                 before->version % 2 ? "odd" : "even");
        return;
    }
    if (after.version == before->version) {
        kit_fact(property, "in the end the version is what it was: a reader takes half of each state for one");
        return;
    }
    for (unsigned int i = 0; i < r->nr; i++) {
        const struct vcpu_time_info *was = i ? &r->seen[i - 1] : before, *is = &r->seen[i];

        if (view_wrong(r, was->version, was, &after, property) || view_wrong(r, was->version, is, &after, property) ||
            view_wrong(r, is->version, was, &after, property) || view_wrong(r, is->version, is, &after, property))
            return;
    }
    kit_fact(property, "a reader finds the old state, or an odd version, or the new state");
}

static void info_text(const struct vcpu_time_info *t, char *text, size_t size)
{
    snprintf(text, size, "tsc_timestamp %" PRId64 ", system_time %" PRIu64 ", mul %#" PRIx32 ", shift %d, flags %u",
             (int64_t)t->tsc_timestamp, t->system_time, t->tsc_to_system_mul, t->tsc_shift, t->flags);
}

#define COPY_AT 512 /* where the guest has it, from k->scratch */

/* An address of the guest's, as the check itself reaches it. */
static void *host_place(struct kit_scene *k, uint64_t va)
{
    uint32_t pfec = 0;
    const mfn_t mfn = guest_walk(k->v, va, &pfec);
    uint8_t *page = frame_write_begin(k->m, mfn);

    frame_write_end(k->m, mfn);
    return page + va % PAGE_SIZE;
}

/* A state with another scale, on a machine with one processor or two. */
static uint32_t other_state(struct kit_scene *k, uint64_t now, unsigned int pcpus, uint32_t khz)
{
    k->xen->nr_pcpus = pcpus;
    set_time(k, now);
    set_tsc(k, kit_random(4) ? TSC_MODE_ALWAYS_EMULATE : TSC_MODE_NEVER_EMULATE, khz, kit_random(now));
    return k->d->tsc.emulated ? khz : 0;
}

static void step_publish(struct kit_scene *k)
{
    static struct readers r;
    const bool copy = kit_random(2);
    const uint64_t at = k->scratch + COPY_AT, now = SECOND + age();
    static const uint32_t odd[] = { 7, 0xffffffff, 0xfffffffe, 0, 0x80000001 };
    vcpu_time_info_at_4 *line = &k->v->vcpu_info->time;
    void *places[2] = { line, host_place(k, at) };
    const uint32_t was = kit_random(3) ? 2 * (uint32_t)kit_random(1000) : odd[kit_random(ARRAY_SIZE(odd))];
    char text[200], khz_text[40];
    uint32_t khz;

    memset(&r, 0, sizeof(r));
    memset(places[1], 0, sizeof(*line));
    k->v->time_info_guest = copy ? at : 0;
    k->v->pv.kernel_mode = true;
    other_state(k, now, 1, 1000 + (uint32_t)kit_random(1000));
    update_vcpu_system_time(k->v, k->v);
    khz = other_state(k, now + 1 + age(), 2 - (unsigned int)kit_random(2), frequency());
    line->version = was;
    if (copy)
        memcpy(places[1], (void *)line, sizeof(*line));
    if (kit_random(2)) /* it was asked on a pCPU that is ahead */
        k->d->tsc.last = k->m->clock.now + 12345;

    r.v = k->v, r.nr = 1 + copy;
    for (unsigned int i = 0; i < r.nr; i++) {
        r.reader[i].line = places[i];
        memcpy(&r.reader[i].before, places[i], sizeof(r.reader[i].before));
    }
    snprintf(khz_text, sizeof(khz_text), khz ? "%" PRIu32 " kHz, 0 at %" PRId64 " ns" : "native", khz,
             k->d->tsc.offset);
    kit_step("at %" PRIu64 " ns, TSC %s, %u pCPUs, version %" PRIu32 "%s: update", (uint64_t)k->m->clock.now, khz_text,
             k->xen->nr_pcpus, was, copy ? ", with a copy" : "");
    kit_stores(places, r.nr, update, look, &r);

    info_text((const struct vcpu_time_info *)(void *)line, text, sizeof(text));
    kit_fact("info", "%s", text);
    reader_fact(&r.reader[0], "version");
    kit_count("stores", r.stores);
    k->v->time_info_guest = 0;
    if (!copy)
        return;
    info_text(places[1], text, sizeof(text));
    kit_fact("copy", "%s", text);
    reader_fact(&r.reader[1], "copy");
    kit_fact("copy", "it has %s version",
             ((struct vcpu_time_info *)places[1])->version == line->version ? "the original's" : "another");
}

/*
 * The copy is where only the kernel's page tables have it, and the process runs. (Both are the same tables here: the
 * address is what changes.)
 */
static void step_user(struct kit_scene *k)
{
    const uint64_t at = k->scratch + COPY_AT;
    vcpu_time_info_at_4 *line = &k->v->vcpu_info->time;
    void *place = host_place(k, at);
    char text[200];

    memset(place, 0, sizeof(*line));
    k->v->pv.kernel_mode = false;
    k->v->time_info_guest = UINT64_C(0xffffff8000000000);
    other_state(k, SECOND + age(), 1, frequency());
    kit_step("at %" PRIu64 " ns: update, while the copy is not mapped; then the kernel is entered, which has it mapped",
             (uint64_t)k->m->clock.now);
    update_vcpu_system_time(k->v, k->v);
    k->v->pv.kernel_mode = true;
    k->v->time_info_guest = at;
    vcpu_time_catch_up(k->v);
    info_text(place, text, sizeof(text));
    kit_fact("copy", "%s", text);
    kit_fact("copy", "it has %s version",
             ((struct vcpu_time_info *)place)->version == line->version ? "the original's" : "another");
    k->v->time_info_guest = 0;
}

/* --- clock: all of it together --- */

static void step_clock(struct kit_scene *k)
{
    const vcpu_time_info_at_4 *t = &k->v->vcpu_info->time;
    const uint64_t now = SECOND + age(), later = kit_random(2) ? kit_random(SECOND) : age();
    const uint32_t khz = other_state(k, now, 1, frequency());
    uint64_t delta;

    kit_step("TSC of %" PRIu32 " kHz (0: native): updated at %" PRIu64 " ns, read %" PRIu64 " ns later", khz, now,
             later);
    k->v->time_info_guest = 0;
    update_vcpu_system_time(k->v, k->v);
    set_time(k, now + later);
    delta = guest_rdtsc(k->v) - t->tsc_timestamp;
    delta = t->tsc_shift < 0 ? delta >> (-t->tsc_shift & 63) : delta << (t->tsc_shift & 63);
    delta = t->system_time + (uint64_t)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
    kit_fact("clock", "the guest's clock is %" PRId64 " ns ahead", (int64_t)(delta - (now + later)));
}

static void step(void *data, unsigned int number)
{
    struct kit_scene *k = data;

    (void)number;
    k->xen->nr_pcpus = 1;
    switch (kit_random(8)) {
    case 0: step_scale(); break;
    case 1: step_ticks(k); break;
    case 2:
    case 3: step_grows(k); break;
    case 4:
    case 5: step_publish(k); break;
    case 6: step_user(k); break;
    default: step_clock(k); break;
    }
}

static void end(void *data) { kit_scene_end(data); }

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
