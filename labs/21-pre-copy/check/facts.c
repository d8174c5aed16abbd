// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 21: a guest goes to another host: page tables without frames, and pages while they are stored to.
 *
 * Concept: steps of three kinds. Frames that are asked for, and page tables of a domain that is made up: what becomes
 * of each entry. And a guest that is sent: its memory is a number a page, which is another one after each store; it
 * stores in every function that precopy_send() calls, before and behind what that does. The checker has the truth:
 * which pages differ there, what is still owed, and who was stopped when.
 *
 *      owed      to be sent: at first all; what clean() takes out of the dirty bitmap is added, send() takes away
 *      left      owed or dirty
 *
 * Budget: over 400 lines: tables and a guest on its way, and one file a check.
 */
#include "labs/code/precopy.h"
#include "labs/kit/kit.h"
#include "tools/save/canonical.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 240

/* --- a domain with frames all over the machine --- */

#define FRAMES_MAX 512
#define PAGES_MAX  128

static uint32_t index_of[2 * FRAMES_MAX]; /* behind nr_frames there is what nobody may read: it looks like frames */
static struct domain_page page[PAGES_MAX];
static uint64_t nr_pages;

static struct canonical domain_make(void)
{
    const uint64_t nr_frames = 2 + kit_random(FRAMES_MAX - 1);

    nr_pages = 1 + kit_random(nr_frames / 2 < PAGES_MAX ? nr_frames / 2 : PAGES_MAX);
    for (uint64_t i = 0; i < 2 * FRAMES_MAX; i++)
        index_of[i] = i < nr_frames ? 0 : 1;
    for (uint64_t i = 0; i < nr_pages; i++) {
        uint64_t mfn = i ? kit_random(nr_frames) : nr_frames - 1;

        while (index_of[mfn])
            mfn = (mfn + 1) % nr_frames;
        index_of[mfn] = (uint32_t)i + 1;
        page[i] = (struct domain_page){ 3 * i + kit_random(3), mfn };
    }
    return (struct canonical){ kit_random(2), nr_frames, index_of, page };
}

static uint64_t own(void) { return page[kit_random(nr_pages)].mfn; }

/* Another domain's, or no frame of this machine. */
static uint64_t foreign(const struct canonical *c)
{
    uint64_t mfn = kit_random(c->nr_frames);

    switch (kit_random(5)) {
    case 0: return c->nr_frames;
    case 1: return c->nr_frames + kit_random(FRAMES_MAX);
    case 2: return own() | UINT64_C(1) << 32;
    case 3: return (UINT64_C(1) << 40) - 1;
    }
    for (; index_of[mfn]; mfn = (mfn + 1) % c->nr_frames)
        ;
    return mfn;
}

static void pfns_step(const struct canonical *c)
{
    kit_step("frames of a domain that has %" PRIu64 " of %" PRIu64, nr_pages, c->nr_frames);
    for (int i = 0; i < 12; i++) {
        const uint64_t mfn = i == 0 ? UINT64_MAX : i == 1 ? page[0].mfn : i % 2 ? own() : foreign(c);
        uint64_t pfn = 0x5555;
        const bool has = canonical_pfn(c, mfn, &pfn);

        kit_fact("pfn", "frame %#" PRIx64 " is %s, *pfn is %#" PRIx64, mfn, has ? "its own" : "not its own", pfn);
    }
}

/* --- its page tables --- */

static const unsigned int places[] = { 0, 1, 3, 4, 5, 255, 256, 257, 270, 271, 272, 427, 428, 429, 511 };
#define NR_PLACES (sizeof(places) / sizeof(places[0]))

static bool is_xens_place(const struct canonical *c, unsigned int level, unsigned int e)
{
    return c->is64 ? level == 4 && e >= 256 && e <= 271 : level == 2 && e >= 428;
}

static const char *property_of(const struct canonical *c, unsigned int level, unsigned int e, uint64_t entry)
{
    const uint64_t mfn = entry >> 12 & ((UINT64_C(1) << 40) - 1);

    if (!c->is64 && level == 3 && e >= 4)
        return "beyond";
    if (!(entry & 1))
        return "absent";
    return mfn < c->nr_frames && index_of[mfn] ? "own" : is_xens_place(c, level, e) ? "xens" : "foreign";
}

static uint64_t entry_make(const struct canonical *c, unsigned int level, unsigned int e, bool bad)
{
    const uint64_t flags = (kit_random(1 << 12) << 52) | (kit_random(1 << 12) & ~UINT64_C(1));
    const bool any = bad || is_xens_place(c, level, e) || (!c->is64 && level == 3 && e >= 4);

    switch (kit_random(4)) {
    case 0: return flags | (kit_random(2) ? own() : foreign(c)) << 12;
    case 1: return any ? flags | foreign(c) << 12 | 1 : 0;
    default: return flags | own() << 12 | 1;
    }
}

static void table_step(const struct canonical *c)
{
    const unsigned int level = 1 + (unsigned int)kit_random(c->is64 ? 4 : 3);
    const bool bad = !kit_random(4);
    uint64_t table[TABLE_ENTRIES] = { 0 }, was[TABLE_ENTRIES], frame = 0;
    int refused;

    for (unsigned int i = 0; i < NR_PLACES + 12; i++) {
        const unsigned int e = i < NR_PLACES ? places[i] : (unsigned int)kit_random(TABLE_ENTRIES);

        table[e] = entry_make(c, level, e, bad && !kit_random(4));
    }
    memcpy(was, table, sizeof(was));
    kit_step("an L%u table of a domain of %d bits, which has %" PRIu64 " of %" PRIu64 " frames", level,
             c->is64 ? 64 : 32, nr_pages, c->nr_frames);
    refused = canonical_table(c, level * XEN_DOMCTL_PFINFO_L1TAB, table, &frame);
    if (refused >= 0) {
        kit_fact("foreign", "entry %d is refused, for frame %#" PRIx64, refused, frame);
        return;
    }
    kit_fact("foreign", "no entry is refused");
    for (unsigned int e = 0; e < TABLE_ENTRIES; e++)
        if (was[e] || table[e])
            kit_fact(property_of(c, level, e, was[e]), "entry %u was %#" PRIx64 ", is %#" PRIx64, e, was[e], table[e]);
}

/* --- a guest that is sent --- */

#define PFNS_MAX 640

static struct model {
    struct precopy p;
    uint64_t todo[PRECOPY_WORDS(PFNS_MAX)], again[PRECOPY_WORDS(PFNS_MAX)];
    uint32_t here[PFNS_MAX], there[PFNS_MAX]; /* 0: no page */
    bool dirty[PFNS_MAX], owed[PFNS_MAX], round[PFNS_MAX] /* sent in this one */;
    bool unread[PFNS_MAX];    /* dirty when tracking ended */
    uint64_t hot, scan, rate; /* pages that are stored to most of the time; the next of a scan; stores by 16 calls */
    uint64_t due;             /* sixteenths of stores */
    uint32_t stores;
    bool balloon, track_fails, tracked, paused;
    int link;        /* -errno that send() gives, */
    uint64_t breaks; /* from this many sent pages on, */
    bool late_break; /* or when the guest is paused */
    uint64_t calls, sent, needless, twice, known, cleans,
        since_clean;      /* cleans: while it runs; sent, or looked, since the last */
    bool beyond, enough;  /* sent in a round too many; few were left */
    uint64_t late, early; /* sent though few were left; more than few, and not yet the last round */
    jmp_buf stop;
} m;

static uint64_t all_sent, all_downtime;

static void store(uint64_t pfn)
{
    m.here[pfn] = 1000 + ++m.stores;
    m.dirty[pfn] |= m.tracked;
}

static void guest_runs(unsigned int times)
{
    if (m.paused)
        return;
    for (m.due += times * m.rate; m.due >= 16; m.due -= 16) {
        const uint64_t what = kit_random(8), pfn = kit_random(m.p.nr_pfns);

        if (what < 6)
            store(kit_random(m.hot));
        else if (what == 6)
            store(m.scan = (m.scan + 1) % m.p.nr_pfns);
        else if (!m.balloon || m.here[pfn])
            store(pfn);
        if (m.balloon && !kit_random(8)) { /* a page is given back; later a store brings one again */
            const uint64_t gone = kit_random(m.p.nr_pfns);

            m.here[gone] = 0;
        }
    }
}

static uint64_t left(void)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < m.p.nr_pfns; i++)
        n += m.owed[i] || m.dirty[i];
    return n;
}

/* Nobody goes on for ever. */
static void called(void)
{
    if (++m.calls > 4 * m.p.nr_pfns * (m.p.rounds + 2) + 1000)
        longjmp(m.stop, 1);
    guest_runs(1);
}

static int host_track(struct precopy *p, bool on)
{
    (void)p;
    called();
    if (on && m.track_fails)
        return -ENOMEM;
    if (!on)
        memcpy(m.unread, m.dirty, sizeof(m.unread));
    memset(m.dirty, 0, sizeof(m.dirty));
    m.tracked = on;
    guest_runs(8);
    return 0;
}

static void bitmap_get(uint64_t *map)
{
    memset(map, 0, PRECOPY_WORDS(m.p.nr_pfns) * sizeof(*map));
    for (uint64_t i = 0; i < m.p.nr_pfns; i++)
        if (m.dirty[i])
            map[i / 64] |= UINT64_C(1) << i % 64;
    m.known = left();
}

static void host_peek(struct precopy *p, uint64_t *dirty)
{
    (void)p;
    called();
    bitmap_get(dirty);
    m.since_clean++;
    guest_runs(8);
}

static void host_clean(struct precopy *p, uint64_t *dirty)
{
    (void)p;
    called();
    bitmap_get(dirty);
    for (uint64_t i = 0; i < m.p.nr_pfns; i++)
        m.owed[i] |= m.dirty[i];
    memset(m.dirty, 0, sizeof(m.dirty));
    memset(m.round, 0, sizeof(m.round));
    m.cleans += !m.paused;
    m.enough |= m.known <= m.p.few;
    m.since_clean = 0;
    guest_runs(8);
}

static int host_send(struct precopy *p, uint64_t pfn)
{
    (void)p;
    called();
    if (pfn >= m.p.nr_pfns) {
        kit_fact("memory", "page %" PRIu64 " is sent, of %" PRIu64, pfn, m.p.nr_pfns);
        longjmp(m.stop, 1);
    }
    if (m.link && (m.late_break ? m.paused : m.sent >= m.breaks))
        return m.link;
    m.since_clean++;
    m.needless += !m.owed[pfn] && !m.dirty[pfn];
    m.twice += m.round[pfn];
    m.round[pfn] = true;
    m.owed[pfn] = false;
    if (!m.here[pfn])
        return -ENOENT;
    m.there[pfn] = m.here[pfn];
    m.sent++;
    all_downtime += m.paused;
    m.beyond |= !m.paused && m.cleans >= m.p.rounds;
    m.late += !m.paused && m.enough;
    guest_runs(1);
    return 0;
}

static void host_pause(struct precopy *p)
{
    (void)p;
    called();
    m.early = m.known > m.p.few && m.cleans + !!m.since_clean < m.p.rounds ? m.known - m.p.few : 0;
    guest_runs(4);
    if (m.link) /* there is something to send, and the link to break */
        store(kit_random(m.p.nr_pfns));
    m.paused = true;
}

static void host_resume(struct precopy *p)
{
    (void)p;
    m.paused = false;
    called();
}

static void model_make(void)
{
    const uint64_t nr = 1 + kit_random(kit_random(4) ? PFNS_MAX : 70);

    memset(&m, 0, sizeof(m));
    m.p = (struct precopy){ nr,
                            1 + kit_random(12),
                            1 + (unsigned int)kit_random(7),
                            m.todo,
                            m.again,
                            NULL,
                            host_track,
                            host_peek,
                            host_clean,
                            host_send,
                            host_pause,
                            host_resume };
    memset(m.todo, 0xa5, sizeof(m.todo));
    memset(m.again, 0x5a, sizeof(m.again));
    m.hot = 1 + kit_random(nr / 8 + 1);
    m.rate = (uint64_t[]){ 0, 1, 2, 4, 8, 16, 40 }[kit_random(7)];
    m.balloon = !kit_random(4);
    m.track_fails = !kit_random(12);
    if (!kit_random(4)) {
        m.link = kit_random(2) ? -EPIPE : -ENETDOWN;
        m.late_break = kit_random(2);
        m.breaks = kit_random(nr); /* each page is sent once at least: it does break */
        m.balloon = false;
    }
    for (uint64_t i = 0; i < nr; i++) {
        m.here[i] = m.balloon && !kit_random(5) ? 0 : 1 + (uint32_t)kit_random(1000);
        m.owed[i] = true;
    }
}

static void memory_report(void)
{
    uint64_t cleaned = 0, unread = 0, untracked = 0;

    for (uint64_t i = 0; i < m.p.nr_pfns; i++) {
        if (!m.here[i] || m.here[i] == m.there[i])
            continue;
        cleaned += m.owed[i];
        unread += !m.owed[i] && m.unread[i];
        untracked += !m.owed[i] && !m.unread[i];
    }
    kit_fact("memory",
             "pages that are not there as they are here: %" PRIu64 " cleaned, %" PRIu64 " unread, %" PRIu64
             " untracked",
             cleaned, unread, untracked);
}

static void send_step(void)
{
    int rc;

    model_make();
    kit_step("a guest of %" PRIu64 " pages, %" PRIu64 " of them hot, %" PRIu64
             " stores by 16 calls%s; %u rounds, few are %" PRIu64 "%s%s",
             m.p.nr_pfns, m.hot, m.rate, m.balloon ? ", gives pages back" : "", m.p.rounds, m.p.few,
             m.track_fails ? "; it cannot be tracked" : "", m.link ? "; the link breaks" : "");
    if (setjmp(m.stop)) {
        kit_fact("rounds", "it goes on and on: after %" PRIu64 " calls no end is in sight", m.calls);
        return;
    }
    rc = precopy_send(&m.p);
    guest_runs(4);
    kit_fact("rounds", "%s", m.beyond ? "more than there may be" : "no more than there may be");
    kit_fact("result", "%d", rc);
    kit_fact("stop",
             "when the guest is paused, %" PRIu64 " pages more than few are left; %" PRIu64
             " pages were sent when few were left",
             m.early, m.late);
    kit_fact("after", "the guest %s, its dirty bitmap is %s", m.paused ? "is paused" : "runs",
             m.tracked ? "kept on" : "not kept");
    if (!rc)
        memory_report();
    kit_fact("again", "%" PRIu64 " pages are sent twice in a round, %" PRIu64 " that are known to be there", m.twice,
             m.needless);
    all_sent += m.sent;
}

/* --- steps --- */

static void step(void *data, unsigned int nr)
{
    struct canonical c;

    (void)data;
    if (nr % 3 == 2) {
        send_step();
        return;
    }
    c = domain_make();
    if (kit_random(6))
        table_step(&c);
    else
        pfns_step(&c);
}

static void *begin(void) { return &m; }

static void end(void *data)
{
    (void)data;
    kit_count("sent", all_sent);
    kit_count("downtime", all_downtime);
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
