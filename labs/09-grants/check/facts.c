// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 09: grants, from the granter's entry to the user's page table and back.
 *
 * Concept: each step has three domains of its own. The granter writes entries, right and hostile ones, at moments that
 * suit it; the user, a PV guest or native code, maps what they name and unmaps it; a stranger does the same where it
 * must not. Reported is what each command answers, and after each the four counters, the marks, the references of the
 * frames, and the handles. What is in force just when the user's page table entry is written is seen from in there: the
 * kind's create_grant_host_mapping() and replace_grant_host_mapping() are replaced by ones that look first. Between two
 * reads of an entry the granter can write another: stores.h.
 *
 * A step ends with everybody's death, in some order, and then every frame is free.
 *
 * Budget: three domains to be made, the ways to look at them, and then a kind of step for each thing to be looked at.
 */
#include "labs/kit/kit.h"
#include "labs/kit/stores.h"
#include "mmu/grant/private.h"
#include "mmu/guest_access.h"
#include "mmu/pte.h"
#include "mmu/pv/pv.h"
#include "sim/frame.h"
#include "sim/machine.h"
#include "vcpu/hypercall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/domctl.h>

#define STEPS   200
#define REF     9u /* the entries that are looked at: REF to REF + 3 */
#define REFS    4u
#define FRAMES  8u /* of each domain */
#define BASE    UINT64_C(0x400000)
#define VA(s)   (BASE + (uint64_t)(s)*PAGE_SIZE) /* a PV user's page; its tables are 0 to 3, */
#define ARGS    4u                               /* what it passes to hypercalls, */
#define OWN     5u                               /* a page of its own, */
#define ROOM    8u                               /* and nothing, for mappings */
#define HANDLES 256u                             /* that a domain can have */
#define KINDS   (GNTMAP_host_map | GNTMAP_device_map)

/* --- domains --- */

struct party {
    struct domain *d; /* as long as it is alive */
    struct vcpu *v;
    domid_t id;
    mfn_t frame[FRAMES];
};

struct lab {
    struct kit_scene *k;
    domid_t next;
    uint64_t free; /* frames, before anybody is there */
    struct party granter, user, stranger;
    bool pv; /* the user is a PV guest */
    unsigned int version;
    struct guest_ops spy; /* the user's kind */
};

/* What is seen from in there. */
static struct {
    struct lab *l;
    char text[200]; /* four looks, in a line of FACTS_LINE */
    unsigned int calls;
    bool (*hostile)(struct lab *l); /* or NULL: what the granter does meanwhile */
} seen;

static void *frame_at(struct lab *l, mfn_t mfn)
{
    void *page = frame_write_begin(l->k->m, mfn);

    frame_write_end(l->k->m, mfn);
    return page;
}

static struct page_info *info(struct lab *l, mfn_t mfn) { return mfn_to_page(l->k->xen, mfn); }

static void party_begin(struct lab *l, struct party *p, const struct guest_ops *kind)
{
    const struct xen_domctl_createdomain config = {
        .max_vcpus = 1, .max_evtchn_port = 1023, .max_grant_frames = 4, .max_maptrack_frames = 1, .grant_opts = 2
    };

    p->id = l->next++;
    if (domain_create(l->k->xen, p->id, kind, &config, false, &p->d) || vcpu_create(p->d, 0, &p->v))
        kit_die("a domain cannot be made");
    p->d->max_pages = 64;
    for (unsigned int i = 0; i < FRAMES; i++) {
        struct page_info *pg = alloc_domheap_pages(l->k->xen, p->d, 0, 0);

        if (!pg)
            kit_die("a domain has no memory");
        p->frame[i] = page_to_mfn(l->k->xen, pg);
        memset(frame_at(l, p->frame[i]), 0, PAGE_SIZE);
    }
}

static void tables_make(struct lab *l, struct party *p)
{
    const uint64_t flags = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED;
    uint64_t *table[4];

    for (unsigned int i = 0; i < 4; i++)
        table[i] = frame_at(l, p->frame[i]);
    for (unsigned int i = 0; i < FRAMES; i++)
        table[0][i] = pte_make(p->frame[i], i < 4 ? flags & ~_PAGE_RW : flags);
    table[1][BASE >> 21] = pte_make(p->frame[0], flags);
    table[2][0] = pte_make(p->frame[1], flags);
    table[3][0] = pte_make(p->frame[2], flags);
    if (new_guest_cr3(p->v, p->frame[3], TRACE_CR3_NEW_BASEPTR))
        kit_die("no page tables");
}

static uint64_t pte(struct lab *l, unsigned int slot) { return ((uint64_t *)frame_at(l, l->user.frame[0]))[slot]; }

/* A hypercall, as often as it has to be made again; arg is what its argument points to. */
static long call(struct lab *l, struct party *p, hypercall_fn *fn, unsigned int cmd, void *arg, size_t size,
                 unsigned int count)
{
    const bool pv = p == &l->user && l->pv;
    void *page = pv ? frame_at(l, p->frame[ARGS]) : arg;
    struct hypercall_args args = { { cmd, pv ? VA(ARGS) : (uintptr_t)arg, count } };
    long rc;

    if (fn == do_mmu_update)
        args = (struct hypercall_args){ { pv ? VA(ARGS) : (uintptr_t)arg, count, 0, DOMID_SELF } };
    if (pv)
        memcpy(page, arg, size * count);
    do
        rc = fn(p->v, &args);
    while (rc == -ERESTART);
    if (pv)
        memcpy(arg, page, size * count);
    return rc;
}

#define GNTTAB(l, p, cmd, arg) call(l, p, do_grant_table_op, GNTTABOP_##cmd, &(arg), sizeof(arg), 1)

/* --- entries --- */

struct entry {
    uint16_t flags;
    domid_t domid;
    mfn_t frame;
};

static void entry_write(struct lab *l, grant_ref_t ref, struct entry e)
{
    struct grant_table *gt = l->granter.d->grant_table;

    if (l->version == 1)
        *shared_entry_v1(gt, ref) = (grant_entry_v1_t){ e.flags, e.domid, (uint32_t)mfn_x(e.frame) };
    else
        *shared_entry_v2(gt, ref) = (grant_entry_v2_t){ .full_page = { { e.flags, e.domid }, 0, mfn_x(e.frame) } };
}

/* As a granter does that changes its mind, and leaves the hypervisor's marks alone. */
static void entry_change(struct lab *l, grant_ref_t ref, struct entry e)
{
    if (l->version == 1)
        e.flags |= shared_entry_v1(l->granter.d->grant_table, ref)->flags & (GTF_reading | GTF_writing);
    entry_write(l, ref, e);
}

static struct entry permitted(struct lab *l, unsigned int frame)
{
    return (struct entry){ GTF_permit_access, l->user.id, l->granter.frame[frame] };
}

/* --- looking --- */

static const struct active_grant_entry *active(struct lab *l, unsigned int i)
{
    return &l->granter.d->grant_table->active[REF + i];
}

/* Entry i's pin, and its frame's references to the frame and to its type. */
static void counts_say(struct lab *l, unsigned int i, char *text, size_t room)
{
    const uint32_t pin = active(l, i)->pin;
    const struct page_info *pg = info(l, l->granter.frame[i]);

    snprintf(text, room, " pin %x, %u+%u", pin, (unsigned int)(pg->count_info & PGC_count_mask),
             (unsigned int)(pg->type_info & PGT_count_mask));
}

static void look(struct lab *l, const char *what)
{
    size_t len = strlen(seen.text);

    seen.calls++;
    snprintf(seen.text + len, sizeof(seen.text) - len, "%s%s", len ? "; " : "", what);
    for (unsigned int i = 0; l->granter.d && i < 2; i++) {
        len = strlen(seen.text);
        counts_say(l, i, seen.text + len, sizeof(seen.text) - len);
    }
}

static int create_seen(struct vcpu *v, uint64_t *host_addr, mfn_t frame, unsigned int flags)
{
    struct lab *l = seen.l;

    look(l, "made:");
    if (seen.hostile && l->granter.d)
        seen.hostile(l);
    return (l->pv ? &pv64_guest : &native_guest)->create_grant_host_mapping(v, host_addr, frame, flags);
}

static int replace_seen(struct vcpu *v, uint64_t host_addr, mfn_t frame, uint64_t new_addr, unsigned int flags)
{
    struct lab *l = seen.l;

    look(l, "undone:");
    return (l->pv ? &pv64_guest : &native_guest)->replace_grant_host_mapping(v, host_addr, frame, new_addr, flags);
}

static void seen_begin(struct lab *l)
{
    seen.l = l, seen.hostile = NULL;
    seen.text[0] = '\0', seen.calls = 0;
}

static void seen_say(const char *when)
{
    kit_fact("order", "%s: %s", when, seen.text[0] ? seen.text : "no page table entry is written");
}

/* What the invariants speak of, for entries 0 to nr - 1. NULL: each is of its own property. */
static void state(struct lab *l, const char *when, unsigned int nr, const char *property)
{
    char pins[100] = "", counts[100] = "", marks[100] = "";

    for (unsigned int i = 0; i < nr; i++) {
        const struct grant_table *gt = l->granter.d->grant_table;
        const uint32_t pin = active(l, i)->pin;
        const struct page_info *pg = info(l, l->granter.frame[i]);
        const uint16_t status = *grant_status_word(gt, REF + i);
        char *const at[] = { pins + strlen(pins), counts + strlen(counts), marks + strlen(marks) };

        snprintf(at[0], 34, "%s%u+%u hosts, %u+%u devices", i ? "; " : "", pin >> 8 & 0xff, pin & 0xff, pin >> 24,
                 pin >> 16 & 0xff);
        snprintf(at[1], 24, "%s%u, writable %u", i ? "; " : "", (unsigned int)(pg->count_info & PGC_count_mask),
                 (unsigned int)(pg->type_info & PGT_count_mask));
        snprintf(at[2], 24, "%s%s%s%s", i ? "; " : "", status & GTF_reading ? "reading" : "",
                 status & GTF_writing ? " writing" : "", status & (GTF_reading | GTF_writing) ? "" : "none");
    }
    kit_fact(property ?: "pins", "%s: readers+writers in the active entry: %s", when, pins);
    kit_fact(property ?: "counts", "%s: references to the frame: %s", when, counts);
    kit_fact(property ?: "marks", "%s: marks in the granter's table: %s", when, marks);
    kit_fact(property ?: "handles", "%s: the user has %u handles, and the granter's struct domain is held for %u", when,
             l->user.d->grant_table->nr_mappings, l->granter.d->refcnt - 2); /* its life and its frames */
}

/* --- commands --- */

struct mapping {
    unsigned int ref, slot, flags;
    bool good; /* it was made */
    struct gnttab_map_grant_ref op;
};

static uint64_t host_addr(struct lab *l, unsigned int slot, unsigned int flags)
{
    if (!l->pv || !(flags & GNTMAP_host_map))
        return 0;
    return flags & GNTMAP_contains_pte ? (mfn_x(l->user.frame[0]) << PAGE_SHIFT) + slot * 8 : VA(slot);
}

static int map(struct lab *l, struct mapping *m, unsigned int ref, unsigned int slot, unsigned int flags)
{
    *m = (struct mapping){ ref, slot, flags, false, { .host_addr = host_addr(l, slot, flags), .flags = flags } };
    m->op.ref = ref, m->op.dom = l->granter.id, m->op.handle = INVALID_MAPTRACK_HANDLE, m->op.status = 99;
    if (GNTTAB(l, &l->user, map_grant_ref, m->op))
        kit_die("a hypercall fails");
    m->good = m->op.status == GNTST_okay;
    return m->op.status;
}

static int unmap(struct lab *l, struct party *p, uint64_t host, uint64_t device, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref op = { .host_addr = host, .dev_bus_addr = device, .handle = handle, .status = 99 };

    if (GNTTAB(l, p, unmap_grant_ref, op))
        kit_die("a hypercall fails");
    return op.status;
}

/* What is granted by that reference; by one that there is not, the first. */
static mfn_t granted_frame(const struct lab *l, const struct mapping *m)
{
    return l->granter.frame[m->ref - REF < FRAMES ? m->ref - REF : 0];
}

static uint64_t device_addr(struct lab *l, const struct mapping *m) { return mfn_x(granted_frame(l, m)) << PAGE_SHIFT; }

/* The address that a mapping of m's was told, or asked for. */
static uint64_t mapped_addr(struct lab *l, const struct mapping *m)
{
    if (l->pv || !(m->flags & GNTMAP_host_map))
        return host_addr(l, m->slot, m->flags);
    return (uintptr_t)mfn_to_virt(l->k->m, granted_frame(l, m));
}

static int unmap_all(struct lab *l, const struct mapping *m)
{
    return unmap(l, &l->user, mapped_addr(l, m), m->flags & GNTMAP_device_map ? device_addr(l, m) : 0, m->op.handle);
}

/* What a mapping is: how the user reaches the frame, and what it was told. */
static void mapping_say(struct lab *l, const char *property, const struct mapping *m, mfn_t frame)
{
    const uint64_t e = l->pv ? pte(l, m->slot) : 0;
    const char *reach = "not asked for";

    if (!m->good) {
        kit_fact(property, "host mapping: %s, as the command has failed", e ? "an entry" : "no entry");
        return;
    }
    if (l->pv)
        reach = !(e & _PAGE_PRESENT)         ? "no entry"
                : !mfn_eq(pte_mfn(e), frame) ? "an entry for another frame"
                : e & _PAGE_RW               ? "an entry that can be written through"
                                             : "an entry that can be read through";
    else if (m->flags & GNTMAP_host_map)
        reach =
            m->op.host_addr == (uintptr_t)mfn_to_virt(l->k->m, frame) ? "a pointer to the frame" : "another pointer";
    kit_fact(property, "host mapping: %s; dev_bus_addr %s; the handle is %s", reach,
             m->op.dev_bus_addr == mfn_x(frame) << PAGE_SHIFT ? "is the frame's" : "is not the frame's",
             m->op.handle < HANDLES ? "one" : "none");
}

static const char *flags_text(unsigned int flags)
{
    static char text[80];

    snprintf(text, sizeof(text), "%s%s%s%s%s", flags & GNTMAP_host_map ? "host" : "",
             (flags & KINDS) == KINDS ? " and " : "", flags & GNTMAP_device_map ? "device" : "",
             flags & GNTMAP_readonly ? ", read-only" : ", writable",
             flags & GNTMAP_contains_pte ? ", by the entry's address" : "");
    return text;
}

static unsigned int random_flags(struct lab *l)
{
    static const unsigned int kinds[] = { GNTMAP_host_map, GNTMAP_host_map, GNTMAP_device_map, KINDS };
    unsigned int flags = kinds[kit_random(4)] | (kit_random(2) ? GNTMAP_readonly : 0);

    if (!kit_random(3) && l->pv && flags & GNTMAP_host_map)
        flags |= GNTMAP_contains_pte;
    return flags;
}

/* --- steps: one mapping --- */

static const struct wrong {
    const char *text, *property;
    int version; /* 0: either */
} wrongs[] = {
    { "a good entry", "map", 0 },
    { "an entry for another domain", "permits", 0 },
    { "an entry that permits nothing", "permits", 0 },
    { "an entry that accepts a transfer", "permits", 0 },
    { "an entry of a part of a frame", "permits", 0 },
    { "a transitive entry", "permits", 0 },
    { "a read-only entry, to be written", "permits", 0 },
    { "a reference just beyond the table", "permits", 0 },
    { "a frame that is a stranger's", "undo", 0 },
    { "a frame beyond memory", "undo", 0 },
    { "a page table of the granter's, to be written", "undo", 0 },
    { "a page table of the granter's, to be read", "map", 0 },
    { "a page table entry that there is not", "undo", 0 },
    { "a read-only entry, to be read", "map", 0 },
    { "an entry that is in use as a part of a frame", "permits", 0 },
};

static bool frame_counts_as_written(struct lab *l, mfn_t mfn)
{
    return l->k->m->written[mfn_x(mfn) / 8] >> mfn_x(mfn) % 8 & 1;
}

static void step_one(struct lab *l)
{
    const unsigned int n = kit_random(5) < 2 ? 0 : (unsigned int)kit_random(ARRAY_SIZE(wrongs));
    unsigned int flags = random_flags(l), ref = REF, slot = ROOM;
    struct entry e = permitted(l, 0);
    struct page_info *pg = info(l, l->granter.frame[0]);
    struct active_grant_entry *act = &l->granter.d->grant_table->active[REF];
    struct mapping m;
    int status;

    switch (n) {
    case 1: e.domid = l->stranger.id; break;
    case 2: e.flags = GTF_invalid; break;
    case 3: e.flags = GTF_accept_transfer; break;
    case 4: e.flags |= GTF_sub_page; break;
    case 5: e.flags = GTF_transitive; break;
    case 6: e.flags |= GTF_readonly, flags &= ~GNTMAP_readonly; break;
    case 7: ref = nr_grant_entries(l->granter.d->grant_table); break;
    case 8: e.frame = l->stranger.frame[0]; break;
    case 9: e.frame = _mfn(l->k->m->nr_frames + 1); break;
    case 10: flags &= ~GNTMAP_readonly; break;
    case 11: flags |= GNTMAP_readonly; break;
    case 12:
        if (l->pv)
            flags |= GNTMAP_host_map, flags &= ~GNTMAP_contains_pte, slot = 512;
        break;
    case 13: e.flags |= GTF_readonly, flags |= GNTMAP_readonly; break;
    case 14: /* by a copy */
        act->domid = l->user.id, act->mfn = e.frame;
        act->pin = GNTPIN_hstr_inc, act->is_sub_page = true;
        break;
    default: break;
    }
    if (n == 10 || n == 11)
        pg->type_info = PGT_l1_page_table | PGT_validated | 1;
    entry_write(l, REF, e);
    kit_step("version %u, %s: %s is mapped, %s", l->version, wrongs[n].text, l->pv ? "in a guest it" : "it",
             flags_text(flags));
    seen_begin(l);
    status = map(l, &m, ref, slot, flags);
    kit_fact(wrongs[n].property, "%s: status %d", wrongs[n].text, status);
    seen_say("mapping");
    state(l, "then", 1, strcmp(wrongs[n].property, "map") ? "undo" : NULL);
    if (slot < 512 && ref == REF)
        mapping_say(l, "map", &m, l->granter.frame[0]);
    seen_begin(l);
    frame_log_forget(l->k->m, l->granter.frame[0]);
    status = unmap_all(l, &m);
    kit_fact("unmap", "unmapped: status %d", status);
    if (m.good && !l->pv && (flags & GNTMAP_host_map) && !(flags & GNTMAP_readonly))
        kit_fact("dirty", "native code could write it: it %s, and %u may still write it",
                 frame_counts_as_written(l, l->granter.frame[0]) ? "counts as written" : "does not count as written",
                 l->k->m->shares[mfn_x(l->granter.frame[0])]);
    seen_say("unmapping");
    state(l, "after that", 1, NULL);
    if (n == 10 || n == 11)
        pg->type_info = 0;
    if (n == 14)
        act->pin = 0;
}

/* --- several uses of one entry --- */

/* A command, and how often it goes to the user's handles and to the page that the active entry is in. */
static struct {
    struct lab *l;
    struct mapping *m;
    unsigned int flags, slot;
    bool undo;
    int status;
    uint64_t looks;
} counted;

static void counted_run(void *data)
{
    struct mapping *m = counted.m;

    (void)data;
    counted.status = counted.undo ? unmap_all(counted.l, m) : map(counted.l, m, REF, counted.slot, counted.flags);
}

static void counted_seen(void *data, const void *place, bool write, uintptr_t code)
{
    (void)data, (void)place, (void)write, (void)code;
    counted.looks++;
}

static int counted_do(struct lab *l, struct mapping *m, bool undo, unsigned int slot, unsigned int flags)
{
    struct grant_mapping *maptrack = l->user.d->grant_table->maptrack;
    void *places[] = { (void *)(uintptr_t)active(l, 0), maptrack, maptrack + HANDLES - 1 };

    counted.l = l, counted.m = m, counted.undo = undo, counted.slot = slot, counted.flags = flags;
    kit_accesses(places, maptrack ? 3 : 1, counted_run, counted_seen, NULL);
    return counted.status;
}

enum change {
    CHANGE_NONE,
    CHANGE_INVALID,
    CHANGE_READONLY,
    CHANGE_WRITABLE,
    CHANGE_DOMID,
    CHANGE_FRAME,
    CHANGE_PART,
    CHANGES
};
static const char *const change_text[] = { "",
                                           "made invalid, ",
                                           "made read-only, ",
                                           "made writable, ",
                                           "given to another domain, ",
                                           "made to name another frame, ",
                                           "made a sub-page grant, " };

static void change(struct lab *l, enum change c)
{
    struct entry e = permitted(l, 0);

    switch (c) {
    case CHANGE_NONE: return;
    case CHANGE_INVALID: e.flags = GTF_invalid; break;
    case CHANGE_READONLY: e.flags |= GTF_readonly; break;
    case CHANGE_DOMID: e.domid = l->stranger.id; break;
    case CHANGE_FRAME: e.frame = l->granter.frame[3]; break;
    case CHANGE_PART: e.flags |= GTF_sub_page; break;
    default: break;
    }
    entry_change(l, REF, e);
}

static bool hostile_meanwhile(struct lab *l)
{
    entry_change(l, REF, (struct entry){ GTF_invalid, l->stranger.id, l->granter.frame[3] });
    return true;
}

static void step_again(struct lab *l)
{
    const unsigned int nr = 2 + (unsigned int)kit_random(3);
    const bool meanwhile = !kit_random(3);
    struct mapping m[4];
    char text[160] = "";
    unsigned int flags[4], order[4] = { 0, 1, 2, 3 };
    enum change c[4] = { CHANGE_NONE };

    for (unsigned int i = 0; i < nr; i++) {
        const unsigned int j = (unsigned int)kit_random(i + 1);

        flags[i] = random_flags(l);
        if (i && kit_random(3))
            c[i] = (enum change)kit_random(CHANGES);
        order[i] = order[j], order[j] = i;
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%s", i ? "; " : "", change_text[c[i]],
                 flags[i] & GNTMAP_readonly ? "for reading" : "for writing");
    }
    entry_write(l, REF, permitted(l, 0));
    counted.looks = 0;
    kit_step("version %u, one entry is mapped %u times%s: %s", l->version, nr,
             meanwhile ? ", and made invalid during the first" : "", text);
    for (unsigned int i = 0; i < nr; i++) {
        struct gnttab_map_grant_ref op = { .flags = GNTMAP_device_map | GNTMAP_readonly, .ref = REF };
        char when[32];

        change(l, c[i]);
        seen_begin(l);
        seen.hostile = meanwhile && !i ? hostile_meanwhile : NULL;
        kit_fact("note", "mapping %u, %s: status %d", i + 1, flags_text(flags[i]),
                 i ? counted_do(l, &m[i], false, ROOM + i, flags[i]) : map(l, &m[i], REF, ROOM, flags[i]));
        mapping_say(l, "note", &m[i], l->granter.frame[0]);
        snprintf(when, sizeof(when), "after mapping %u", i + 1);
        state(l, when, 1, NULL);
        op.dom = l->granter.id;
        GNTTAB(l, &l->stranger, map_grant_ref, op);
        kit_fact("note", "a stranger maps it as well: status %d", op.status);
    }
    for (unsigned int i = 0; i < nr; i++) {
        char when[32];

        snprintf(when, sizeof(when), "after unmapping %u", order[i] + 1);
        kit_fact("unmap", "unmapping %u: status %d", order[i] + 1, counted_do(l, &m[order[i]], true, 0, 0));
        state(l, when, 1, NULL);
    }
    kit_count("looks", counted.looks);
}

/* --- between two reads --- */

static struct {
    struct lab *l;
    const uint8_t *header;
    struct entry then; /* what is there at the second look */
    bool done;
    struct mapping m;
    unsigned int flags;
    int status;
} trick;

static void trick_seen(void *data, const void *place, bool write, uintptr_t code)
{
    const uint8_t *at = place;

    (void)data, (void)code;
    if (trick.done || write || at < trick.header || at >= trick.header + sizeof(grant_entry_header_t))
        return;
    trick.done = true;
    entry_write(trick.l, REF, trick.then);
}

static void trick_run(void *data)
{
    (void)data;
    trick.status = map(trick.l, &trick.m, REF, ROOM, trick.flags);
}

/*
 * Neither what is there first nor what is there then permits it; what is made of halves of both would. Or both do, and
 * what the granter has written in between is still there afterwards.
 */
static void step_once(struct lab *l)
{
    static const struct {
        uint16_t before, then;
        bool before_user, then_user;
        const char *text;
    } tricks[] = {
        { GTF_permit_access | GTF_readonly, GTF_invalid, true, true, "read-only, then invalid" },
        { GTF_permit_access | GTF_readonly, GTF_permit_access, true, false, "read-only, then another domain's" },
        { GTF_permit_access, GTF_permit_access | GTF_readonly, false, true, "another domain's, then read-only" },
        { GTF_invalid, GTF_permit_access | GTF_readonly, true, true, "invalid, then read-only" },
        { GTF_accept_transfer, GTF_permit_access | GTF_readonly, true, true, "for a transfer, then read-only" },
        { GTF_permit_access, GTF_invalid, false, true, "another domain's, then invalid" },
        { GTF_permit_access | GTF_sub_page, GTF_invalid, true, true, "a part of a frame, then invalid" },
        { GTF_permit_access, GTF_permit_access | GTF_PCD, true, true, "good, then good and uncached" },
        { GTF_permit_access | GTF_PWT, GTF_permit_access, true, true, "good and written through, then good" },
    };
    const unsigned int n = (unsigned int)kit_random(ARRAY_SIZE(tricks));
    struct entry e = permitted(l, 0);
    void *place;

    trick.l = l, trick.done = false;
    trick.header = (const uint8_t *)shared_entry_header(l->granter.d->grant_table, REF);
    trick.then = (struct entry){ tricks[n].then, tricks[n].then_user ? l->user.id : l->stranger.id, e.frame };
    trick.flags = random_flags(l) & ~GNTMAP_readonly;
    e.flags = tricks[n].before;
    e.domid = tricks[n].before_user ? l->user.id : l->stranger.id;
    entry_write(l, REF, e);
    kit_step("version %u, an entry that is %s as soon as it has been looked at: %s", l->version, tricks[n].text,
             flags_text(trick.flags));
    place = (void *)(uintptr_t)trick.header;
    kit_accesses(&place, 1, trick_run, trick_seen, NULL);
    kit_fact("once", "%s: status %d", tricks[n].text, trick.status);
    kit_fact("once", "%s: its flags, apart from marks, are %x", tricks[n].text,
             shared_entry_header(l->granter.d->grant_table, REF)->flags & ~(unsigned int)(GTF_reading | GTF_writing));
    state(l, "then", 1, "undo");
    unmap_all(l, &trick.m);
}

/* --- unmapping --- */

static void step_halves(struct lab *l)
{
    static const char *const texts[] = { "neither",
                                         "the host's",
                                         "the device's",
                                         "both",
                                         "a wrong host's",
                                         "a wrong device's",
                                         "the host's and a wrong device's",
                                         "a wrong host's and the device's" };
    const unsigned int flags = KINDS | (kit_random(2) ? GNTMAP_readonly : 0) |
                               (l->pv && !kit_random(3) ? GNTMAP_contains_pte : 0),
                       kind = kit_random(3) ? flags : random_flags(l), nr = 3 + (unsigned int)kit_random(4);
    unsigned int what[7];
    char text[160] = "";
    struct mapping m;

    for (unsigned int i = 0; i < nr; i++) {
        what[i] = (unsigned int)(kit_random(3) ? kit_random(4) : kit_random(ARRAY_SIZE(texts)));
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? "; " : "", texts[what[i]]);
    }
    entry_write(l, REF, permitted(l, 0));
    kit_step("a mapping (%s) is given up by these addresses: %.150s", flags_text(kind), text);
    kit_fact("map", "status %d", map(l, &m, REF, ROOM, kind));
    for (unsigned int i = 0; i < nr; i++) {
        const uint64_t wrong = kit_random(2) ? 7 * PAGE_SIZE : 8;
        const uint64_t there = mapped_addr(l, &m) ?: host_addr(l, ROOM, GNTMAP_host_map) ?: 1;
        const uint64_t device = device_addr(l, &m);
        const uint64_t host[] = { 0, there, 0, there, there + wrong, 0, there, there + wrong },
                       dev[] = { 0, 0, device, device, 0, device + wrong, device + wrong, device };
        char when[64];

        snprintf(when, sizeof(when), "%u: %s", i + 1, texts[what[i]]);
        kit_fact("unmap", "%s: status %d", when, unmap(l, &l->user, host[what[i]], dev[what[i]], m.op.handle));
        state(l, when, 1, NULL);
        if (l->pv)
            kit_fact("unmap", "%s: the page table entry is %s", when, pte(l, ROOM) ? "there" : "gone");
    }
}

static void step_handles(struct lab *l)
{
    static const char *const texts[] = {
        "a handle of the stranger's",    "a handle beyond all", "handle -1",
        "a handle that was never given", "the other's handle",  "a handle that is free again"
    };
    const unsigned int what = (unsigned int)kit_random(ARRAY_SIZE(texts)), flags = random_flags(l);
    struct gnttab_map_grant_ref theirs = { .flags = GNTMAP_device_map, .ref = REF + 2 };
    struct mapping m[3], again;
    grant_handle_t handle = 0;
    uint64_t device;

    for (unsigned int i = 0; i < 2; i++)
        entry_write(l, REF + i, permitted(l, i));
    entry_write(l, REF + 2, (struct entry){ GTF_permit_access, l->stranger.id, l->granter.frame[2] });
    kit_step("two mappings (%s), and one is unmapped by %s", flags_text(flags), texts[what]);
    kit_fact("map", "status %d", map(l, &m[0], REF, ROOM, flags));
    kit_fact("map", "status %d", map(l, &m[1], REF + 1, ROOM + 1, flags | GNTMAP_host_map));
    kit_fact("handles", "they have %s", m[0].op.handle != m[1].op.handle ? "two handles" : "one handle");
    map(l, &m[2], REF + 1, ROOM + 2, GNTMAP_device_map);
    unmap_all(l, &m[2]);
    theirs.dom = l->granter.id;
    for (unsigned int i = 0; i < 8; i++) /* one of a number that the user does not have */
        GNTTAB(l, &l->stranger, map_grant_ref, theirs);
    switch (what) {
    case 0: handle = theirs.handle; break;
    case 1: handle = HANDLES; break;
    case 2: handle = UINT32_MAX; break;
    case 3: handle = HANDLES - 1; break;
    case 4: handle = m[1].op.handle; break;
    default: handle = m[2].op.handle; break;
    }
    device = what == 4 || flags & GNTMAP_device_map ? device_addr(l, &m[0]) : 0;
    kit_fact("unmap", "%s: status %d", texts[what], unmap(l, &l->user, mapped_addr(l, &m[0]), device, handle));
    state(l, "after that", 3, NULL);
    kit_fact("unmap", "the first, by its own: status %d", unmap_all(l, &m[0]));
    kit_fact("unmap", "again: status %d", unmap_all(l, &m[0]));
    state(l, "then", 3, NULL);
    kit_fact("handles", "a new mapping: status %d", map(l, &again, REF, ROOM, flags));
    kit_fact("handles", "its handle is %s", again.op.handle == m[1].op.handle ? "one in use" : "its own");
    state(l, "and then", 3, NULL);
}

static void step_batch(struct lab *l)
{
    const unsigned int nr = 2 + (unsigned int)kit_random(3), bad = (unsigned int)kit_random(nr + 3);
    struct gnttab_unmap_grant_ref op[4];
    struct mapping m[4];
    unsigned int flags[4];
    char text[100] = "";

    for (unsigned int i = 0; i < nr; i++) {
        flags[i] = random_flags(l) | (kit_random(3) ? GNTMAP_host_map : 0);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%s", i ? ", " : "",
                 flags[i] & GNTMAP_readonly ? "for reading" : "for writing", i == bad ? " (by wrong addresses)" : "");
        entry_write(l, REF + i % 2, permitted(l, i % 2));
    }
    kit_step("%u mappings of two frames are unmapped at once: %s", nr, text);
    for (unsigned int i = 0; i < nr; i++) {
        kit_fact("map", "status %d", map(l, &m[i], REF + i % 2, ROOM + i, flags[i]));
        op[i] = (struct gnttab_unmap_grant_ref){
            .host_addr = mapped_addr(l, &m[i]) + (i == bad ? 64 * PAGE_SIZE : 0),
            .dev_bus_addr = flags[i] & GNTMAP_device_map ? device_addr(l, &m[i]) : 0,
            .handle = m[i].op.handle,
        };
        if (i == bad)
            op[i].dev_bus_addr += PAGE_SIZE;
    }
    seen_begin(l);
    if (call(l, &l->user, do_grant_table_op, GNTTABOP_unmap_grant_ref, op, sizeof(op[0]), nr))
        kit_die("a hypercall fails");
    for (unsigned int i = 0; i < nr; i++)
        kit_fact("unmap", "number %u: status %d", i + 1, op[i].status);
    seen_say("while they go");
    state(l, "after that", 2, NULL);
}

/* A mapping is exchanged for a page of the user's own. */
static void step_replace(struct lab *l)
{
    const unsigned int flags = random_flags(l) | GNTMAP_host_map;
    const bool none = !kit_random(3);
    struct gnttab_unmap_and_replace op;
    struct mapping m;

    entry_write(l, REF, permitted(l, 0));
    kit_step("a mapping (%s) is replaced by %s", flags_text(flags), none ? "nothing" : "a page of the user's own");
    kit_fact("map", "status %d", map(l, &m, REF, ROOM, flags));
    op = (struct gnttab_unmap_and_replace){ .host_addr = mapped_addr(l, &m),
                                            .new_addr = none ? 0 : VA(OWN),
                                            .handle = m.op.handle };
    if (GNTTAB(l, &l->user, unmap_and_replace, op))
        kit_die("a hypercall fails");
    kit_fact("unmap", "replaced: status %d", op.status);
    if (l->pv)
        kit_fact("unmap", "there is %s",
                 !pte(l, ROOM)                                       ? "nothing"
                 : mfn_eq(pte_mfn(pte(l, ROOM)), l->user.frame[OWN]) ? "the page"
                                                                     : "something else");
    state(l, "after that", 1, NULL);
}

/* --- limits --- */

static void step_full(struct lab *l)
{
    const unsigned int flags = kit_random(2) ? GNTMAP_device_map : GNTMAP_device_map | GNTMAP_readonly,
                       fails = 250 + (unsigned int)kit_random(20);
    unsigned int nr = 0, refused = 0;
    struct mapping m, last = { 0 };
    int status = GNTST_okay;

    for (unsigned int i = 0; i < REFS; i++)
        entry_write(l, REF + i, permitted(l, i));
    entry_write(l, REF + 4, (struct entry){ GTF_permit_access, l->user.id, l->stranger.frame[0] });
    kit_step("after %u mappings that fail, as many as there can be (%s)", fails, flags_text(flags));
    for (unsigned int i = 0; i < fails; i++)
        refused += map(l, &m, REF + (i & 1 ? 4 : 5), ROOM, flags) != GNTST_okay;
    kit_fact("undo", "refused: %u", refused);
    for (; nr < 300; nr++) {
        status = map(l, &m, REF, ROOM, flags);
        if (status != GNTST_okay)
            break;
        last = m;
    }
    kit_fact("full", "of one entry: %u, then status %d", nr, status);
    state(l, "then", 1, NULL);
    kit_fact("full", "another kind of the same: status %d", map(l, &m, REF, ROOM, flags ^ GNTMAP_readonly));
    for (; nr < 600; nr++) {
        status = map(l, &m, REF + 1 + nr % 2, ROOM, flags);
        if (status != GNTST_okay)
            break;
    }
    kit_fact("full", "of two more: %u in all, then status %d", nr, status);
    state(l, "then", 3, NULL);
    kit_fact("full", "one goes, status %d", unmap_all(l, &last));
    kit_fact("full", "and one comes, status %d", map(l, &m, REF + 1, ROOM, flags));
    kit_fact("full", "and no more, status %d", map(l, &m, REF + 1, ROOM, flags));
    kit_fact("full", "an entry that permits nothing, status %d", map(l, &m, REF + 5, ROOM, flags));
}

/* --- a pin proves little --- */

/* The guest writes over its page table entry, and the granter gives the frame up: the pin is still there. */
static void step_stale(struct lab *l)
{
    const unsigned int first = GNTMAP_host_map | (kit_random(2) ? GNTMAP_readonly : 0), then = random_flags(l);
    struct page_info *pg = info(l, l->granter.frame[0]);
    mmu_update_t over = { .ptr = (mfn_x(l->user.frame[0]) << PAGE_SHIFT) + ROOM * 8 };
    struct mapping m, again;

    if (!l->pv) {
        step_again(l);
        return;
    }
    entry_write(l, REF, permitted(l, 0));
    kit_step("a guest overwrites its mapping (%s), the granter gives the frame up, and it is mapped again, %s",
             first & GNTMAP_readonly ? "for reading" : "for writing", flags_text(then));
    kit_fact("map", "status %d", map(l, &m, REF, ROOM, first));
    if (call(l, &l->user, do_mmu_update, 0, &over, sizeof(over), 1))
        kit_die("an entry cannot be overwritten");
    state(l, "overwritten", 1, NULL);
    put_page_alloc_ref(l->k->xen, pg);
    for (unsigned int i = 0; i < 8 && !pg->owner; i++) /* and somebody else has it */
        alloc_domheap_pages(l->k->xen, l->stranger.d, 0, 0);
    kit_fact("stale", "mapped again: status %d", map(l, &again, REF, ROOM + 1, then));
    kit_fact("stale", "the frame is %s, and has %u references",
             pg->owner == l->stranger.d ? "a stranger's" : "nobody's", (unsigned int)(pg->count_info & PGC_count_mask));
    kit_fact("stale", "pin %x, %u handles", active(l, 0)->pin, l->user.d->grant_table->nr_mappings);
}

/* --- death --- */

static void die(struct party *p)
{
    int rc;

    if (!p->d)
        return;
    do
        rc = domain_kill(p->d);
    while (rc == -ERESTART);
    if (rc)
        kit_die("a domain does not die");
    p->d = NULL;
}

static bool gone(struct lab *l, domid_t id)
{
    struct domain *d = get_domain_by_id(l->k->xen, id);

    if (d)
        put_domain(d);
    return !d;
}

static void step_death(struct lab *l)
{
    const unsigned int nr = 1 + (unsigned int)kit_random(3);
    const bool user_first = kit_random(2);
    struct mapping m[3], late;
    const struct page_info *pg = info(l, l->granter.frame[0]);
    struct domain *granter = l->granter.d;
    unsigned int flags[3] = { 0 };

    for (unsigned int i = 0; i < nr; i++)
        flags[i] = random_flags(l);
    entry_write(l, REF, permitted(l, 0));
    kit_step("%u mappings (the first %s); the %s dies", nr, flags_text(flags[0]), user_first ? "user" : "granter");
    for (unsigned int i = 0; i < nr; i++)
        kit_fact("map", "status %d", map(l, &m[i], REF, ROOM + i, flags[i]));
    state(l, "mapped", 1, NULL);
    if (user_first) {
        die(&l->user);
        kit_fact("death", "the user is %s; pin %x, the frame has %u references, %u of them writable",
                 gone(l, l->user.id) ? "gone" : "still there", active(l, 0)->pin,
                 (unsigned int)(pg->count_info & PGC_count_mask), (unsigned int)(pg->type_info & PGT_count_mask));
        return;
    }
    die(&l->granter);
    kit_fact("death", "the granter is %s, held %u times; the frame has %u references",
             gone(l, l->granter.id) ? "gone" : "still there", gone(l, l->granter.id) ? 0 : granter->refcnt,
             (unsigned int)(pg->count_info & PGC_count_mask));
    for (unsigned int i = 0; i < nr; i++) {
        if (!i && nr > 1)
            kit_fact("death", "one more mapping: status %d", map(l, &late, REF, ROOM + 5, GNTMAP_device_map));
        if (!i && nr > 1)
            kit_fact("death", "and unmapped: status %d", unmap_all(l, &late));
        kit_fact("death", "unmapped: status %d", unmap_all(l, &m[i]));
    }
    kit_fact("death", "the granter is %s; the frame is %s", gone(l, l->granter.id) ? "gone" : "still there",
             pg->count_info & PGC_count_mask ? "in use" : "free");
}

/* --- copies --- */

/* They begin and end a use of the same entries, in a hypercall. */
static void step_copy(struct lab *l)
{
    static const char *const texts[] = { "a good entry",        "a read-only entry", "an entry for another domain",
                                         "an invalid entry",    "a part of a frame", "a transitive entry",
                                         "a frame of another's" };
    const unsigned int n = (unsigned int)kit_random(ARRAY_SIZE(texts)), flags = random_flags(l) & ~GNTMAP_contains_pte;
    const bool to = kit_random(2), mapped = n < 2 && kit_random(2);
    struct gnttab_copy op = { .len = 16, .flags = to ? GNTCOPY_dest_gref : GNTCOPY_source_gref, .status = 99 };
    struct gnttab_copy_ptr ref = { .u.ref = REF, .domid = l->granter.id, .offset = 64 },
                           own = { .u.gmfn = mfn_x(l->user.frame[OWN]), .domid = DOMID_SELF };
    struct entry e = permitted(l, 0);
    struct mapping m = { 0 };

    switch (n) {
    case 1: e.flags |= GTF_readonly; break;
    case 2: e.domid = l->stranger.id; break;
    case 3: e.flags = GTF_invalid; break;
    case 4: e.flags |= GTF_sub_page; break;
    case 5: e.flags = GTF_transitive; break;
    case 6: e.frame = l->stranger.frame[0]; break;
    default: break;
    }
    entry_write(l, REF, e);
    if (n == 4 && l->version == 2)
        *shared_entry_v2(l->granter.d->grant_table, REF) =
            (grant_entry_v2_t){ .sub_page = { { e.flags, e.domid }, 32, 256, mfn_x(e.frame) } };
    if (n == 5 && l->version == 2) {
        *shared_entry_v2(l->granter.d->grant_table, REF) =
            (grant_entry_v2_t){ .transitive = { { e.flags, e.domid }, l->stranger.id, 0, REF } };
        *shared_entry_v1(l->stranger.d->grant_table, REF) =
            (grant_entry_v1_t){ GTF_permit_access, l->granter.id, (uint32_t)mfn_x(l->stranger.frame[1]) };
    }
    kit_step("version %u, %s: a copy %s it%s", l->version, texts[n], to ? "to" : "from",
             mapped ? ", which is mapped as well" : "");
    if (mapped)
        kit_fact(n ? "permits" : "map", "mapped, %s: status %d", flags_text(flags), map(l, &m, REF, ROOM, flags));
    op.source = to ? own : ref;
    op.dest = to ? ref : own;
    if (GNTTAB(l, &l->user, copy, op))
        kit_die("a hypercall fails");
    kit_fact("copy", "%s, a copy %s it: status %d", texts[n], to ? "to" : "from", op.status);
    state(l, "after the copy", 1, NULL);
    if (mapped)
        unmap_all(l, &m);
}

/* --- a step --- */

static void *begin(void)
{
    static struct lab lab;

    lab.k = kit_scene_empty();
    lab.k->m->log.level = LOG_ERR;
    if (!frame_log_begin(lab.k->m))
        kit_die("no memory");
    lab.next = STEPS * 3 + 1; /* the first guest there is has the hypervisor make tables that stay */
    party_begin(&lab, &lab.user, &pv64_guest);
    tables_make(&lab, &lab.user);
    die(&lab.user);
    return &lab;
}

static void end(void *data)
{
    struct kit_scene *k = ((struct lab *)data)->k;

    frame_log_end(k->m);
    kit_scene_end(k);
}

static void parties_begin(struct lab *l, unsigned int number)
{
    struct gnttab_set_version version;

    l->pv = kit_random(3);
    l->version = version.version = 1 + (unsigned int)kit_random(2);
    l->next = (domid_t)(1 + 3 * number);
    l->free = avail_domheap_pages(l->k->xen);
    party_begin(l, &l->granter, &native_guest);
    party_begin(l, &l->user, l->pv ? &pv64_guest : &native_guest);
    party_begin(l, &l->stranger, &native_guest);
    if (l->pv)
        tables_make(l, &l->user);
    if (GNTTAB(l, &l->granter, set_version, version))
        kit_die("no version %u", l->version);
    l->spy = *l->user.d->guest;
    l->spy.create_grant_host_mapping = create_seen;
    l->spy.replace_grant_host_mapping = replace_seen;
    l->user.d->guest = &l->spy;
    seen_begin(l);
}

static void parties_end(struct lab *l)
{
    struct party *const all[] = { &l->granter, &l->user, &l->stranger };
    const unsigned int first = (unsigned int)kit_random(3);

    for (unsigned int i = 0; i < 3; i++)
        die(all[(first + i) % 3]);
    kit_fact("books", "all have died: the granter is %s, the user is %s, %s frames are free",
             gone(l, l->granter.id) ? "gone" : "still there", gone(l, l->user.id) ? "gone" : "still there",
             avail_domheap_pages(l->k->xen) == l->free ? "all" : "not all");
}

static void step(void *data, unsigned int number)
{
    static void (*const kinds[])(struct lab * l) = {
        step_one,    step_one,    step_one,     step_one,   step_again,   step_again, step_again, step_once,
        step_halves, step_halves, step_handles, step_batch, step_replace, step_stale, step_death, step_copy,
    };
    struct lab *l = data;

    parties_begin(l, number);
    if (kit_random(30))
        kinds[kit_random(ARRAY_SIZE(kinds))](l);
    else
        step_full(l);
    parties_end(l);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0); /* what was found is told, whatever it leads to */
    return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end });
}
