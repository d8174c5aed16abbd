// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memhog: who needs memory, and says so.
 *
 * Shows what a memory coordinator in dom0 deals with (xenlab run --balloon-policy): a program with a working set that
 * changes, a balloon driver, a swap device, and an agent that tells of them. Each second of virtual time is
 *
 *      0.1 s and 0.2 s   the balloon   memory/target is read: at first pages are given, then they are taken, for
 *                                      others have given by then, one guest 10 ms behind the other
 *      0.3 s             the program   each page of its working set is written to; what is not there comes from swap,
 *                                      and another page goes there for it
 *      behind it         the agent     data/meminfo_*, KiB, say what has come of it
 *
 * use=12:5,40:10 on its command line: 12 MiB for 5 seconds (its kernel's own memory is part of them), 40 MiB for 10,
 * and so on from the beginning; time=N: for N seconds. Frames of the program are really given and taken. The swap
 * device is none: a page has one word that matters, which a table keeps while the page has no frame. What is counted
 * are the pages that would have been moved, at most SWAP MiB a second either way, for the balloon and for the program
 * each; what is beyond that waits for the next second.
 *
 * Invariants: a frame has one page of the program, or is spare. A page's word says which page it is, wherever it lay.
 *
 * Stated in public <xen/memory.h>; docs/misc/xenstore-paths.pandoc has memory/target. XenServer's guest agent writes
 * data/meminfo_free and data/meminfo_total; the other nodes are xenlab's (docs/kits.md).
 */
#include "guests/rt/xenstore.h"

#define SECOND    1000000000ull
#define MIB_PAGES 256
#define MAX_PAGES (128 * MIB_PAGES)
#define RATE      64 /* MiB that the balloon moves in a second */
#define SWAP      32
#define AT_ONCE   512
#define NEW       (~0ull)

static unsigned long raw;            /* the first pfn of the frames below */
static uint32_t mfn_of[MAX_PAGES];   /* of a frame; 0: the balloon has it */
static uint32_t frame_of[MAX_PAGES]; /* of a page, + 1; 0: it is in swap */
static uint64_t swapped[MAX_PAGES];  /* its word, there; NEW: it was never written to */
static uint32_t page_of[MAX_PAGES];  /* in a frame */
static uint32_t spare[MAX_PAGES];    /* frames without a page */
static uint32_t empty[MAX_PAGES];    /* frames that the balloon has */
static uint32_t came[MAX_PAGES];     /* frames whose page came from swap, the last one last */
static unsigned long nr_spare, nr_empty, nr_came;
static unsigned long pages; /* of the program: 0 to pages - 1 */
static unsigned long own;   /* that no balloon takes: the kernel */
static unsigned long in, out;
static xen_pfn_t list[AT_ONCE];

static void xenstore_event(const char *path, const char *token)
{
    (void)path;
    (void)token;
}

/* --- xenstore --- */

static unsigned long node_read(const char *path)
{
    unsigned long n = 0;

    if (ask(XS_READ, path, strlen(path) + 1) < 0)
        guest_panic("xenstore: %s: %s", path, answer);
    for (const char *c = answer; *c >= '0' && *c <= '9'; c++)
        n = n * 10 + (unsigned long)(*c - '0');
    return n;
}

static void node_write(const char *name, unsigned long nr_pages)
{
    char payload[80];
    const int len = snprintf(payload, sizeof(payload), "data/meminfo_%s%c%lu", name, 0, nr_pages * (PAGE_SIZE >> 10));

    if (ask(XS_WRITE, payload, (size_t)len) < 0)
        guest_panic("xenstore: %s: %s", payload, answer);
}

/* --- frames --- */

static unsigned long least(unsigned long a, unsigned long b) { return a < b ? a : b; }

static volatile uint64_t *word(unsigned long frame) { return pfn_to_virt(raw + frame); }

/* A page table for each 2 MiB that frames may be in. */
static void tables_make(unsigned long nr)
{
    for (char *va = pfn_to_virt(raw); va < (char *)pfn_to_virt(raw + nr); va += PAGE_SIZE) {
        void *table;

        if (pte_find(va, 1)) {
            continue;
        }
        table = page_alloc();
        MUST(table_pin(table, 1));
        MUST(pte_write(pte_machine(va, 2), virt_to_mfn(table) << PAGE_SHIFT | PTE_TABLE));
    }
}

static void frame_add(unsigned long frame, unsigned long mfn)
{
    mfn_of[frame] = (uint32_t)mfn;
    MUST(page_map((void *)(uintptr_t)word(frame), mfn, PTE_KERNEL));
    spare[nr_spare++] = (uint32_t)frame;
}

/* Its page goes to swap; the frame is nobody's then. */
static void evict(unsigned long frame)
{
    const unsigned long page = page_of[frame];

    swapped[page] = *word(frame);
    frame_of[page] = 0;
    out++;
}

/* The frame of a page that can best be spared: it came last, or is the last of the program's. False: there is none. */
static bool victim(unsigned long *frame)
{
    while (nr_came) {
        *frame = came[--nr_came];
        if (mfn_of[*frame] && page_of[*frame] < pages && frame_of[page_of[*frame]] == *frame + 1)
            return true;
    }
    for (unsigned long page = pages; page-- > 0;)
        if (frame_of[page]) {
            *frame = frame_of[page] - 1;
            return true;
        }
    return false;
}

static void page_put(unsigned long page, unsigned long frame, uint64_t value)
{
    frame_of[page] = (uint32_t)frame + 1;
    page_of[frame] = (uint32_t)page;
    *word(frame) = value;
}

/* --- the balloon --- */

static struct xen_memory_reservation reservation(unsigned long nr)
{
    struct xen_memory_reservation r = { .nr_extents = nr, .domid = DOMID_SELF };

    set_xen_guest_handle(r.extent_start, list);
    return r;
}

/* Frames become Xen's: spare ones, and then those of pages, as fast as swap is. */
static void give(unsigned long nr)
{
    const unsigned long until = out + SWAP * MIB_PAGES;

    while (nr) {
        struct xen_memory_reservation r;
        unsigned long n = 0, frame;

        for (; n < least(nr, AT_ONCE); n++) {
            if (nr_spare)
                frame = spare[--nr_spare];
            else if (out < until && victim(&frame))
                evict(frame);
            else
                break;
            MUST(page_map((void *)(uintptr_t)word(frame), 0, 0));
            list[n] = mfn_of[frame];
            mfn_of[frame] = 0;
            empty[nr_empty++] = (uint32_t)frame;
        }
        r = reservation(n);
        if (n && (unsigned long)MUST(HYPERVISOR_memory_op(XENMEM_decrease_reservation, &r)) != n)
            guest_panic("Xen does not take what I give");
        if (n < least(nr, AT_ONCE))
            return;
        nr -= n;
    }
}

/* And come back, as far as there are any. */
static void take(unsigned long nr)
{
    while (nr && nr_empty) {
        const unsigned long n = least(least(nr, AT_ONCE), nr_empty);
        struct xen_memory_reservation r = reservation(n);
        unsigned long done;

        for (unsigned long i = 0; i < n; i++)
            list[i] = raw + empty[nr_empty - 1 - i];
        done = (unsigned long)MUST(HYPERVISOR_memory_op(XENMEM_populate_physmap, &r));
        for (unsigned long i = 0; i < done; i++)
            frame_add(empty[--nr_empty], list[i]);
        if (done < n)
            return;
        nr -= n;
    }
}

static unsigned long have(void)
{
    domid_t self = DOMID_SELF;

    return (unsigned long)MUST(HYPERVISOR_memory_op(XENMEM_current_reservation, &self));
}

static unsigned long target(void) { return node_read("memory/target") / (PAGE_SIZE >> 10); }

/* --- the program --- */

/* New pages get frames when they are written to; of old ones frames become spare. */
static void resize(unsigned long nr)
{
    for (; pages < nr; pages++)
        swapped[pages] = NEW;
    while (pages > nr)
        if (frame_of[--pages])
            spare[nr_spare++] = frame_of[pages] - 1, frame_of[pages] = 0;
}

/* One more page has a frame. False: its turn does not come in this second. */
static bool bring(unsigned long page, unsigned long most_out)
{
    const bool is_new = swapped[page] == NEW;
    unsigned long frame;

    if (!is_new && in == SWAP * MIB_PAGES)
        return false;
    if (nr_spare)
        frame = spare[--nr_spare];
    else if (out < most_out && victim(&frame))
        evict(frame);
    else
        return false;
    page_put(page, frame, is_new ? (uint64_t)page << 32 : swapped[page]);
    came[nr_came++] = (uint32_t)frame;
    in += !is_new;
    return true;
}

static void touch(void)
{
    const unsigned long most_out = out + SWAP * MIB_PAGES;

    nr_came = 0;
    for (unsigned long page = 0; page < pages; page++) {
        volatile uint64_t *w;

        if (!frame_of[page] && !bring(page, most_out))
            continue;
        w = word(frame_of[page] - 1);
        if (*w >> 32 != page)
            guest_panic("page %lu has what page %lu had", page, *w >> 32);
        ++*w;
    }
}

/* --- its working set, by the second: "12:5,40:10" --- */

static char plan[256];

static unsigned long digits(const char **at)
{
    unsigned long n = 0;

    for (; **at >= '0' && **at <= '9' && n < MAX_PAGES; ++*at)
        n = n * 10 + (unsigned long)(**at - '0');
    return n;
}

/* One "MIB:SECONDS", and what is between it and the next one. False: it is none. */
static bool step(const char **at, unsigned long *mib, unsigned long *seconds)
{
    *mib = digits(at);
    if (*(*at)++ != ':')
        return false;
    *seconds = digits(at);
    if (!*seconds || *mib * MIB_PAGES > MAX_PAGES)
        return false;
    return **at == ',' ? *++*at != 0 : !**at;
}

/* Of all steps, how long they last; 0: they are none. */
static unsigned long plan_length(void)
{
    unsigned long all = 0, mib, seconds;

    for (const char *at = plan; *at; all += seconds)
        if (!step(&at, &mib, &seconds))
            return 0;
    return all;
}

static unsigned long plan_at(unsigned long second)
{
    unsigned long mib = 0, seconds = 0;

    second %= plan_length();
    for (const char *at = plan; step(&at, &mib, &seconds) && second >= seconds;)
        second -= seconds;
    return mib * MIB_PAGES;
}

/* --- a second after the other --- */

static void tell(unsigned long needs)
{
    node_write("total", have());
    node_write("free", nr_spare);
    node_write("floor", (own / MIB_PAGES + 2) * MIB_PAGES); /* and a MiB for the program to go through */
    node_write("swap_in", in);
    node_write("swap_out", out);
    node_write("committed", needs);
}

static void begin(void)
{
    const unsigned long most = node_read("memory/static-max") / (PAGE_SIZE >> 10);
    unsigned long nr;

    raw = pfn_first_raw();
    nr = most - raw;
    if (nr > MAX_PAGES)
        guest_panic("I can use %d MiB: maxmem is more", MAX_PAGES / MIB_PAGES);
    tables_make(nr);
    for (unsigned long frame = nr; frame-- > 0;)
        if (raw + frame < start_info->nr_pages)
            frame_add(frame, pfn_to_mfn(raw + frame));
        else
            empty[nr_empty++] = (uint32_t)frame;
    own = have() - nr_spare;
}

int guest_main(void)
{
    const unsigned long time = (unsigned long)cmdline_number("time", 60);
    unsigned long all_in = 0, all_out = 0;
    uint64_t turn;

    ring = mfn_to_virt(start_info->store_mfn);
    turn = node_read("domid") % 8 * (SECOND / 100);
    cmdline_text("use", plan, sizeof(plan), "8:5,16:5");
    if (!plan_length()) {
        printf("use=%s: I need use=MIB:SECONDS,..., such as use=12:5,40:10, of at most %d MiB.\n", plan,
               MAX_PAGES / MIB_PAGES);
        return 1;
    }
    begin();
    for (unsigned long second = 0; second < time; second++) {
        const unsigned long needs = plan_at(second);
        const uint64_t now = second * SECOND;

        in = out = 0;
        time_sleep_until(now + SECOND / 10);
        if (second && target() < have())
            give(least(have() - target(), RATE * MIB_PAGES));
        time_sleep_until(now + SECOND / 5 + turn);
        if (second && target() > have())
            take(least(target() - have(), RATE * MIB_PAGES));
        time_sleep_until(now + 3 * SECOND / 10);
        resize(needs > own ? needs - own : 0);
        touch();
        tell(needs > own ? needs : own);
        all_in += in;
        all_out += out;
    }
    time_sleep_until(time * SECOND + SECOND / 20);
    printf("In %lu seconds %lu pages came from swap, and %lu went there; each was the one that it was.\n", time, all_in,
           all_out);
    return 0;
}
