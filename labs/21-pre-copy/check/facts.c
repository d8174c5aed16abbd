// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 21: a guest goes to another host: page tables without frames, and pages while they are stored to.
 *
 * Concept: steps of five kinds: the first three are made up, the last two are of a domain that xenlab builds. Frames
 * that are asked for, and page tables of a domain: what becomes of each entry. And a guest that is sent: its memory is
 * a number a page, which is another one after each store; it stores in every function that precopy_send() calls,
 * before and behind what that does. The checker has the truth: which pages differ there, what is still owed, and who
 * was stopped when.
 *
 *      owed      to be sent: at first all; what clean() takes out of the dirty bitmap is added, send() takes away
 *      left      owed or dirty
 *
 * Of a real domain, first its page tables: what is sent of them is made a table of this machine's again, with the
 * domain's frames, and compared. Then all of it: its memory, its dirty bitmap (XEN_DOMCTL_SHADOW_OP_*), its tables,
 * changed by hypercalls. Made up is when it stores, which is as the VM of the kit precopy does (tools/kit/precopy.h),
 * and the other host, which is a copy here. Memory there and here have to have the same hash.
 *
 * Budget: over 400 lines: tables and a guest on its way, made up and real, and one file a check.
 */
#include "labs/code/precopy.h"
#include "labs/kit/kernel_file.h"
#include "labs/kit/kit.h"
#include "mmu/pv/pv.h"
#include "sim/frame.h"
#include "tools/build/build_pv.h"
#include "tools/kit/precopy.h"
#include "tools/save/canonical.h"
#include "vcpu/native/kernel.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define STEPS 240 /* made up, */
#define REAL  8   /* and behind them, of a domain that is real */

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

/* --- a real domain --- */

#define REAL_PAGES 1400
#define REAL_MAX   1408
#define BATCH      1024 /* of one hypercall, at most */

static struct real {
    struct kit_scene *k;
    struct domain *d;
    domid_t domid;
    struct canonical c;
    struct domain_page page[REAL_MAX]; /* pfn i is in page[i] */
    uint64_t nr;
    unsigned int level[REAL_MAX]; /* of the page table in it; 0: none */
    struct precopy_vm vm;
    struct precopy p;
    uint64_t todo[PRECOPY_WORDS(REAL_MAX)], again[PRECOPY_WORDS(REAL_MAX)], calls;
    union {
        uint64_t entry[TABLE_ENTRIES];
        uint8_t bytes[PAGE_SIZE];
    } here[REAL_MAX], there[REAL_MAX]; /* there: as it was sent */
    bool refused;
    jmp_buf stop;
} real;

/* A kernel that needs little memory: of 64 bits it is linux64, 15 MiB further down. */
static struct kernel_spec kernel_small(bool narrow)
{
    struct kernel_spec spec = narrow ? kernel_legacy32 : kernel_linux64;

    if (narrow)
        return spec;
    spec.paddr = spec.entry = 0x100000;
    spec.symbol_base -= 0xf00000;
    for (struct kernel_note *n = spec.notes; n->type; n++)
        if (n->number >= UINT64_C(0xffffffff81000000))
            n->number -= 0xf00000;
    return spec;
}

static void real_build(bool narrow)
{
    const struct kernel_spec spec = kernel_small(narrow);
    struct pv_build b = { .nr_pages = REAL_PAGES, .max_pages = REAL_PAGES, .max_vcpus = 1 };
    struct xen_sysctl_physinfo phys;
    uint32_t *index;
    uint64_t type[REAL_MAX];
    char err[IMAGE_ERR_SIZE] = "";

    memset(&real, 0, sizeof(real));
    real.k = kit_scene_empty();
    if (kernel_build(real.k->xc, &spec, &b, err))
        kit_die("%s", err);
    real.domid = b.domid;
    real.d = get_domain_by_id(real.k->xen, b.domid);
    put_domain(real.d);
    if (xc_physinfo(real.k->xc, &phys) || domain_pages(real.k->xc, b.domid, REAL_MAX, real.page, &real.nr))
        kit_die("the domain's pages are not known");
    index = calloc(phys.max_mfn + 1, sizeof(*index));
    real.c = (struct canonical){ !narrow, phys.max_mfn + 1, index, real.page };
    for (uint64_t i = 0; i < real.nr; i++) {
        if (real.page[i].pfn != i)
            kit_die("there is no page %" PRIu64, i);
        index[real.page[i].mfn] = (uint32_t)i + 1;
        type[i] = real.page[i].mfn;
    }
    if (xc_get_pfn_type_batch(real.k->xc, b.domid, BATCH, type) ||
        xc_get_pfn_type_batch(real.k->xc, b.domid, (unsigned int)real.nr - BATCH, type + BATCH))
        kit_die("the pages' types are not known");
    for (uint64_t i = 0; i < real.nr; i++)
        real.level[i] = type[i] >> XEN_DOMCTL_PFINFO_LTAB_SHIFT & 7;
}

static void real_end(void)
{
    free((void *)(uintptr_t)real.c.index_of);
    precopy_vm_end(&real.vm);
    kit_scene_end(real.k);
}

static void real_read(void)
{
    for (uint64_t i = 0; i < real.nr; i++)
        if (xc_read_foreign(real.k->xc, real.domid, _mfn(real.page[i].mfn), real.here[i].bytes))
            kit_die("page %" PRIu64 " cannot be read", i);
}

/* The guest has another bit of its own in some entry of one of its L1 tables. */
static void real_update(uint64_t pfn)
{
    struct page_info *pg = mfn_to_page(real.k->xen, _mfn(real.page[pfn].mfn));
    const uint64_t *table = mfn_to_virt(real.k->m, page_to_mfn(real.k->xen, pg));
    unsigned int e = (unsigned int)(real.vm.stores * 7 % TABLE_ENTRIES), tries = TABLE_ENTRIES;
    struct mmu_update u;

    for (; tries && !(table[e] & 1); tries--)
        e = (e + 1) % TABLE_ENTRIES;
    u = (struct mmu_update){ (real.page[pfn].mfn << PAGE_SHIFT) + e * 8, table[e] ^ 1 << 9 };
    if (tries &&
        do_mmu_update(native_vcpu(real.k->dom0),
                      &(struct hypercall_args){ { (uintptr_t)&u, 1, 0, (real.domid + 1u) << 16 | real.domid } }))
        kit_die("entry %u of the table in page %" PRIu64 " cannot be updated", e, pfn);
}

/* A store of the kit's VM is one here. */
static void real_store(void *of, uint64_t pfn)
{
    const uint64_t what = real.vm.stores;

    (void)of;
    if (real.level[pfn] == 1)
        real_update(pfn);
    else if (!real.level[pfn])
        frame_write_part(real.k->m, _mfn(real.page[pfn].mfn), what * 8 % PAGE_SIZE, &what, sizeof(what));
}

/* An entry as it was sent, on a host where pfns are in the frames that they are in here: is it the one from here? */
static bool comes_back(unsigned int level, unsigned int e, uint64_t here, uint64_t sent)
{
    const uint64_t frame = UINT64_C(0xffffffffff) << 12, mfn = (here & frame) >> 12, pfn = (sent & frame) >> 12;

    if (!(here & 1) || (!real.c.is64 && level == 3 && e >= 4))
        return sent == here;
    if (is_xens_place(&real.c, level, e) && !(mfn < real.c.nr_frames && real.c.index_of[mfn]))
        return !sent; /* the hypervisor there has its own */
    return pfn < real.nr && ((sent & ~frame) | real.page[pfn].mfn << 12) == here;
}

/* The first entry that does not come back; -1: all do. */
static int table_differs(uint64_t pfn)
{
    for (unsigned int e = 0; e < TABLE_ENTRIES; e++)
        if (!comes_back(real.level[pfn], e, real.here[pfn].entry[e], real.there[pfn].entry[e]))
            return (int)e;
    return -1;
}

static int real_canonical(uint64_t pfn)
{
    uint64_t frame = 0;

    memcpy(&real.there[pfn], &real.here[pfn], PAGE_SIZE);
    return canonical_table(&real.c, real.level[pfn] * XEN_DOMCTL_PFINFO_L1TAB, real.there[pfn].entry, &frame);
}

static void tables_step(void)
{
    real_build(kit_random(2));
    kit_step("the page tables of a domain of %d bits that xenlab has built, of %" PRIu64 " pages",
             real.c.is64 ? 64 : 32, real.nr);
    for (uint64_t pfn = 0; pfn < real.nr; pfn++)
        for (uint64_t n = real.level[pfn] == 1 ? kit_random(4) : 0; n; n--, real.vm.stores++)
            real_update(pfn);
    real_read();
    for (uint64_t pfn = 0; pfn < real.nr; pfn++) {
        const int refused = real.level[pfn] ? real_canonical(pfn) : -1;
        int e;

        if (refused >= 0)
            kit_fact("tables", "the L%u table in pfn %#" PRIx64 ": entry %d, %#" PRIx64 ", is refused", real.level[pfn],
                     pfn, refused, real.here[pfn].entry[refused]);
        else if (real.level[pfn] && (e = table_differs(pfn)) >= 0)
            kit_fact("tables",
                     "the L%u table in pfn %#" PRIx64 ": entry %d, %#" PRIx64 ", is sent as %#" PRIx64
                     ", and does not come back",
                     real.level[pfn], pfn, e, real.here[pfn].entry[e], real.there[pfn].entry[e]);
        else if (real.level[pfn])
            kit_fact("tables", "the L%u table in pfn %#" PRIx64 " comes back", real.level[pfn], pfn);
    }
    real_end();
}

/* --- that is sent: the functions --- */

static void real_called(void)
{
    if (++real.calls > 4 * real.nr * (real.p.rounds + 2) + 1000)
        longjmp(real.stop, 1);
}

static void real_dirty(uint32_t what, void *bitmap)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_shadow_op,
                             .domain = real.domid,
                             .u.shadow_op = { .op = what, .pages = bitmap ? real.nr : 0 } };
    int rc;

    set_xen_guest_handle(op.u.shadow_op.dirty_bitmap, (uint8_t *)bitmap);
    rc = xc_domctl(real.k->xc, &op);
    real_called();
    if (rc)
        kit_die("its dirty bitmap: %d", rc);
}

static int real_track(struct precopy *p, bool on)
{
    (void)p;
    real_dirty(on ? XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY : XEN_DOMCTL_SHADOW_OP_OFF, NULL);
    precopy_vm_look(&real.vm);
    return 0;
}

static void real_peek(struct precopy *p, uint64_t *dirty)
{
    memset(dirty, 0, PRECOPY_WORDS(p->nr_pfns) * sizeof(*dirty));
    real_dirty(XEN_DOMCTL_SHADOW_OP_PEEK, dirty);
    precopy_vm_look(&real.vm);
}

static void real_clean(struct precopy *p, uint64_t *dirty)
{
    memset(dirty, 0, PRECOPY_WORDS(p->nr_pfns) * sizeof(*dirty));
    real_dirty(XEN_DOMCTL_SHADOW_OP_CLEAN, dirty);
    precopy_vm_clean(&real.vm);
    precopy_vm_look(&real.vm);
}

static int real_send(struct precopy *p, uint64_t pfn)
{
    real_called();
    if (pfn >= p->nr_pfns)
        longjmp(real.stop, 2);
    if (xc_read_foreign(real.k->xc, real.domid, _mfn(real.page[pfn].mfn), real.here[pfn].bytes))
        kit_die("page %" PRIu64 " cannot be read", pfn);
    memcpy(&real.there[pfn], &real.here[pfn], PAGE_SIZE);
    if (real.level[pfn] && real_canonical(pfn) >= 0)
        real.refused = true;
    precopy_vm_send(&real.vm, pfn);
    return 0;
}

static void real_pause(struct precopy *p)
{
    (void)p;
    real_called();
    precopy_vm_look(&real.vm);
    real.vm.paused = true;
}

static void real_resume(struct precopy *p)
{
    (void)p;
    real_called();
    real.vm.paused = false;
}

/* --- and the step --- */

static void real_make(void)
{
    static const uint64_t stores[] = { 0, 1000, 4000, 12000, 40000 };
    struct precopy_region *hot = &real.vm.region[0], *all = &real.vm.region[1];

    real.vm.nr_pages = real.nr;
    real.vm.page = 100000;
    real.vm.look = 450000;
    real.vm.seed = kit_random(1 << 30);
    real.vm.stored = real_store;
    *hot =
        (struct precopy_region){ .pages = 4 + kit_random(40), .nr_steps = 1, .step[0].stores = stores[kit_random(5)] };
    hot->at = kit_random(real.nr - hot->pages);
    if (kit_random(2)) /* among its page tables */
        for (hot->at = 0; real.level[hot->at] != 1;)
            hot->at++;
    *all = (struct precopy_region){ .pages = real.nr, .nr_steps = 1, .step[0].stores = 200 + kit_random(1000) };
    real.vm.nr_regions = 2;
    if (!precopy_vm_begin(&real.vm))
        kit_die("not enough memory");
    real.p = (struct precopy){ real.nr,    1 + kit_random(12), 2 + (unsigned int)kit_random(5),
                               real.todo,  real.again,         NULL,
                               real_track, real_peek,          real_clean,
                               real_send,  real_pause,         real_resume };
}

/* Of memory here, and of what comes back there. */
static void hash_report(void)
{
    uint64_t nr = 0, first = 0, hash[2];
    XXH3_state_t *state = XXH3_createState();

    real_read();
    for (uint64_t pfn = 0; pfn < real.nr; pfn++) {
        const bool same =
            real.level[pfn] ? table_differs(pfn) < 0 : !memcmp(&real.here[pfn], &real.there[pfn], PAGE_SIZE);

        first = same || nr ? first : pfn;
        nr += !same;
        if (same) /* a table as it comes back, entry by entry */
            memcpy(&real.there[pfn], &real.here[pfn], PAGE_SIZE);
    }
    for (int i = 0; i < 2; i++) {
        XXH3_64bits_reset(state);
        XXH3_64bits_update(state, i ? real.there : real.here, real.nr * PAGE_SIZE);
        hash[i] = XXH3_64bits_digest(state);
    }
    XXH3_freeState(state);
    if (hash[0] == hash[1])
        kit_fact("hash", "memory there has the hash that memory here has");
    else
        kit_fact("hash",
                 "memory there has another hash: pfn %#" PRIx64 " (%s) is not as it is here, nor are %" PRIu64
                 " pages more",
                 first, real.level[first] ? "a page table" : "no page table", nr - 1);
}

static void real_step(void)
{
    int rc, broke;

    real_build(kit_random(2));
    real_make();
    kit_step("a domain of %d bits that xenlab has built, of %" PRIu64 " pages, is sent: %" PRIu64
             " stores a second to pages %" PRIu64 " to %" PRIu64 ", %" PRIu64
             " to all; the link takes 10000 pages; %u rounds, few are %" PRIu64,
             real.c.is64 ? 64 : 32, real.nr, real.vm.region[0].step[0].stores, real.vm.region[0].at,
             real.vm.region[0].at + real.vm.region[0].pages - 1, real.vm.region[1].step[0].stores, real.p.rounds,
             real.p.few);
    broke = setjmp(real.stop);
    if (broke) {
        kit_fact("hash", broke == 1 ? "it goes on and on" : "a page is sent that the domain has not");
    } else {
        rc = precopy_send(&real.p);
        kit_fact("result", "%d", rc);
        kit_fact("after", "the hypervisor's dirty bitmap is %s", real.d->log_dirty ? "kept on" : "not kept");
        if (real.refused)
            kit_fact("hash", "a page table is refused");
        hash_report();
    }
    real_end();
}

/* --- steps --- */

static void step(void *data, unsigned int nr)
{
    struct canonical c;

    (void)data;
    if (nr >= STEPS) {
        if (nr % 2)
            real_step();
        else
            tables_step();
        return;
    }
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

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS + REAL, begin, step, end }); }
