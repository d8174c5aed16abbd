// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 05: trees of page tables, looked through and taken apart in pieces.
 *
 * Concept: each step has a guest of its own, which writes a tree of tables into fresh frames, a good one or one with
 * something bad in it, pins it, does one thing more, and dies. Each hypercall is preempted after so much work, and may
 * not be gone on with. After each the auditor counts, and the frame table is reported; at the end all frames have to be
 * back. What the tables hold is the hypervisor's real code; how often it had to be called is counted.
 *
 * Budget: trees, what is done to them, and what is told.
 */
#include "labs/kit/frames.h"
#include "mmu/m2p.h"
#include "mmu/page_private.h"
#include "mmu/pv/private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define STEPS  120
#define FRAMES 14
#define TURNS  300 /* more than anything takes */

/* Frames: 0 the L4, 1 and 2 L3, 3 to 5 L2, 6 to 8 L1, then data. */
static const unsigned int first[] = { 9, 6, 3, 1, 0 }, count[] = { 5, 3, 3, 2, 1 };

/* Such that adjust_guest_l1e() leaves it alone, and a 32-bit guest may have it. */
#define LEAF (_PAGE_PRESENT | (is_pv_32bit_domain(f->d) ? 0 : _PAGE_USER | _PAGE_GUEST_KERNEL))

static struct kit_scene *k;
static struct kit_frames *other; /* another guest; and with it is there what the first PV guest makes for all */
static struct kit_frames *f;     /* the step's */

static void *begin(void)
{
    kit_setup("setup");
    k = kit_scene_empty();
    other = kit_frames(k, false, 2);
    kit_fact("setup", "a guest has memory, and no tables");
    return NULL;
}

/* The machine is left as it is: with wrong books it could not be taken down. */
static void end(void *data) { (void)data; }

/* --- trees --- */

static unsigned int frame_of(unsigned int level) { return first[level] + (unsigned int)kit_random(count[level]); }

/* What a guest must not write into a table of this level; *what says so. */
static uint64_t bad_entry(unsigned int level, const char **what)
{
    switch (kit_random(3)) {
    case 0: *what = "a flag that it must not have"; return pte_make(f->frame[frame_of(level - 1)], LEAF | _PAGE_PCD);
    case 1: *what = "another guest's frame"; return pte_make(other->frame[0], LEAF);
    default: *what = "a writable entry for itself"; return 0; /* see table_make() */
    }
}

/* Entries of a table; one of them is bad at place `bad`, in the order of slots. How many there are. */
static void table_make(unsigned int n, unsigned int level, unsigned int bad, const char **what)
{
    const bool narrow = is_pv_32bit_domain(f->d), top32 = narrow && level == 3;
    const bool no_last = top32 && *what && kit_random(2);
    const unsigned int nr = top32 ? no_last ? 3 : 4 : 1 + (unsigned int)kit_random(5);
    unsigned int slot = top32 ? 0 : (unsigned int)kit_random(30);

    for (unsigned int i = 0; i < nr; i++) {
        uint64_t e = pte_make(f->frame[frame_of(level - 1)], LEAF | (level > 1 || kit_random(2) ? _PAGE_RW : 0));

        if (level > 1 && kit_random(2))
            e &= ~(uint64_t)_PAGE_USER; /* promote sets it */

        if (top32) /* the last one is the only one that may be the last L2 */
            e = pte_make(f->frame[i == 3 ? 5 : 3 + kit_random(2)], LEAF);
        else if (level > 1 && !narrow && !kit_random(8))
            e = pte_make(f->frame[n], LEAF); /* linear */
        if (no_last) {
            *what = "no last entry";
        } else if (i == bad % nr && *what) {
            e = bad_entry(level, what);
            e = e ?: pte_make(f->frame[n], LEAF | _PAGE_RW);
        }
        kit_frames_write(f, n, slot, e);
        slot += top32 ? 1 : 1 + (unsigned int)kit_random(kit_random(2) ? 3 : 40);
    }
    if (!top32 || no_last) /* one that is not present, and whatever else it says is nobody's business */
        kit_frames_write(f, n, slot, pte_make(f->frame[frame_of(level - 1)], LEAF & ~(uint64_t)_PAGE_PRESENT));
    if (level == 4)
        for (unsigned int i = ROOT_PAGETABLE_FIRST_XEN_SLOT; i <= ROOT_PAGETABLE_LAST_XEN_SLOT; i += 5) /* Xen's */
            kit_frames_write(f, n, i, pte_make(other->frame[1], LEAF | _PAGE_RW));
    if (level == 4 && kit_random(2))
        kit_frames_write(f, n, 272 + (unsigned int)kit_random(240), pte_make(f->frame[frame_of(3)], LEAF | _PAGE_RW));
    if (top32 && kit_random(2)) /* beyond what there is */
        kit_frames_write(f, n, 4 + (unsigned int)kit_random(500), pte_make(other->frame[1], LEAF | _PAGE_RW));
    if (narrow && n == 5) /* Xen's, in the last L2 */
        kit_frames_write(f, n, COMPAT_M2P_FIRST_SLOT + 1, pte_make(other->frame[1], LEAF | _PAGE_RW));
}

static void tree_make(unsigned int bad_level, const char **what)
{
    static const char *const nothing;

    for (unsigned int level = is_pv_32bit_domain(f->d) ? 3 : 4; level; level--)
        for (unsigned int i = 0; i < count[level]; i++) {
            const char *none = nothing;
            const bool bad = level == bad_level && i == 0;

            table_make(first[level] + i, level, (unsigned int)kit_random(5), bad ? what : &none);
        }
}

/* --- what is done --- */

static unsigned int work, last; /* units until it is preempted; how often the last hypercall was made */

static void frames_say(const char *property)
{
    for (unsigned int i = 0; i < f->nr; i++)
        kit_frames_say(f, property, i);
}

static void books_say(const char *property)
{
    kit_frames_books(f, "books");
    frames_say(property);
}

/* One at a time, to count them. */
static long ext(unsigned int cmd, mfn_t mfn, unsigned int most)
{
    const uint64_t before = f->turns;
    const long rc = kit_frames_ext(f, cmd, mfn, work, most);

    last = (unsigned int)(f->turns - before);
    return rc;
}

static void answered(const char *property, long rc)
{
    kit_fact(property, "%s", kit_errno_text(rc));
    kit_count("turns", last);
}

static void said(const char *property, long rc)
{
    answered(property, rc);
    books_say(property);
}

/* The guest's vCPU, which is another one than the pinner, loads the root. */
static long load(unsigned int n)
{
    long rc;

    for (last = 0; last < TURNS;) {
        f->v->preempt_count = 512 - (work < 512 ? work : 512);
        last++;
        rc = new_guest_cr3(f->v, f->frame[n], TRACE_CR3_NEW_BASEPTR);
        if (rc != -ERESTART)
            break;
    }
    return rc;
}

static void die(uint64_t free_before)
{
    int rc;

    kit_frames_ext(other, MMUEXT_UNPIN_TABLE, other->frame[0], 1000, TURNS); /* what is left of the last call is done */
    last = 0;
    do {
        f->v->preempt_count = 512 - (work < 512 ? work : 512);
        rc = domain_kill(f->d);
    } while (++last < TURNS && rc == -ERESTART);
    kit_fact("home", "the guest dies: %s, asked %u times; %" PRIu64 " frames are missing", kit_errno_text(rc), last,
             free_before - avail_domheap_pages(k->xen));
    kit_frames_books(other, "books");
    free(f);
}

/* What a table looks like then: entries that were found good have the level's bits, others are as they were. */
static void entries_say(unsigned int n, unsigned int level, long rc)
{
    const uint64_t t = kit_page(f, n)->type_info;
    const bool good = !rc && t & PGT_validated;
    unsigned int present = 0, user = 0, xens = 0;

    for (unsigned int i = 0; i < (good ? PTES_PER_TABLE : f->d->abi->level[level].slots); i++) {
        const uint64_t e = kit_frames_entry(f, n, i);

        if (!(e & _PAGE_PRESENT))
            continue;
        present++;
        user += !!(e & _PAGE_USER);
        xens += !pv_is_guest_slot(f->d, level_type(level) | (t & PGT_pae_xen_l2), i);
    }
    if (!good)
        kit_fact("entries", "frame %u: not good; %u entries are present, %u of them for users", n, present, user);
    else
        kit_fact("entries", "frame %u: %u entries are present, %u of them for users, %u in Xen's slots", n, present,
                 user, xens);
}

enum then { OTHERS, UNPIN, AGAIN, AS_ANOTHER, LOAD, UNPIN_BELOW, DYING, REWRITTEN, BY_XEN, NR_THEN };

static const char *const then_text[NR_THEN] = {
    "another guest's frame is pinned, and unpinned",
    "it is unpinned",
    "it is pinned again",
    "it is pinned as another level",
    "its vCPU loads it",
    "an unpinned table below it is unpinned",
    "another is pinned while the guest is dying",
    "those below are pinned, unpinned, written to; then it again",
    "another is used by Xen itself, at once",
};

/* What has no use may be written to, though a partial entry refers to it: that is gone on with, and found bad. */
static long rewritten(unsigned int root, unsigned int level)
{
    for (unsigned int i = 0; i < count[level - 1]; i++) {
        const unsigned int n = first[level - 1] + i;

        ext(MMUEXT_PIN_L1_TABLE + level - 2, f->frame[n], TURNS);
        ext(MMUEXT_UNPIN_TABLE, f->frame[n], TURNS);
    }
    books_say("partial");
    for (unsigned int n = first[level - 1]; n < first[level - 1] + count[level - 1]; n++)
        if (!(kit_page(f, n)->type_info & PGT_count_mask))
            kit_frames_write(f, n, 0, pte_make(other->frame[0], LEAF));
    return ext(MMUEXT_PIN_L1_TABLE + level - 1, f->frame[root], TURNS);
}

/* What no vCPU waits for is done at once, and what is bad is given up at once. */
static void by_xen(unsigned int level)
{
    const unsigned int n = first[level] + (is_pv_32bit_domain(f->d) && level == 3 ? 0 : 1);
    const bool got = get_page_and_type(k->xen, kit_page(f, n), f->d, level_type(level));

    kit_fact("at-once", "frame %u as an L%u table: %s", n, level, got ? "is used" : "is refused");
    books_say("at-once");
    if (got)
        put_page_and_type(k->xen, kit_page(f, n));
    books_say("at-once");
}

static void then_do(enum then then, unsigned int root, unsigned int level)
{
    const unsigned int below = 1 + (unsigned int)kit_random(3);
    long rc = 0;

    switch (then) {
    case OTHERS: /* of one that its owner has pinned */
        rc = kit_frames_ext(other, MMUEXT_PIN_L1_TABLE, other->frame[0], 1000, TURNS);
        kit_fact("unpin", "the other guest pins it: %s", kit_errno_text(rc));
        said("twice", ext(MMUEXT_PIN_L1_TABLE, other->frame[0], TURNS));
        rc = ext(MMUEXT_UNPIN_TABLE, other->frame[0], TURNS);
        kit_fact("unpin", "another guest's: %s", kit_errno_text(rc));
        books_say("unpin");
        kit_frames_say(other, "unpin", 0);
        break;
    case UNPIN: said("unpin", ext(MMUEXT_UNPIN_TABLE, f->frame[root], TURNS)); break;
    case AGAIN: said("twice", ext(MMUEXT_PIN_L1_TABLE + level - 1, f->frame[root], TURNS)); break;
    case AS_ANOTHER: said("twice", ext(MMUEXT_PIN_L1_TABLE + level % 4, f->frame[root], TURNS)); break;
    case LOAD:
        rc = load(root);
        said("partial", rc);
        break;
    case UNPIN_BELOW: said("unpin", ext(MMUEXT_UNPIN_TABLE, f->frame[first[level - 1]], TURNS)); break;
    case DYING:
        f->d->is_dying = DOMDYING_dying;
        rc = ext(MMUEXT_PIN_L1_TABLE + below - 1, f->frame[first[below] + 1], TURNS);
        f->d->is_dying = DOMDYING_alive;
        said("dying", rc);
        break;
    case REWRITTEN:
        answered("partial", rewritten(root, level));
        frames_say("partial");
        kit_frames_books(f, "books");
        break;
    case BY_XEN: by_xen(2 + below % 2); break;
    default: break;
    }
}

static void step(void *data, unsigned int number)
{
    const bool narrow = !kit_random(3), preempted = kit_random(3), whole = kit_random(2);
    const unsigned int level = kit_random(2) ? narrow ? 3 : 4 : 2 + (unsigned int)kit_random(narrow ? 2 : 3);
    const unsigned int root = narrow && level == 3 ? 1 : first[level],
                       how_far = whole ? TURNS : (unsigned int)kit_random(8);
    const unsigned int bad_level = kit_random(5) < 2 ? 1 + (unsigned int)kit_random(level) : 0;
    const bool unpin_too = kit_random(3) == 0;
    const enum then then = (enum then)kit_random(NR_THEN);
    const char *what = bad_level ? "bad" : NULL, *property;
    char how[64] = "";
    const uint64_t free_before = avail_domheap_pages(k->xen);
    long rc;

    (void)data, (void)number;
    f = kit_frames(k, narrow, FRAMES);
    work = preempted ? (unsigned int)kit_random(3) : 1000;
    tree_make(bad_level, &what);
    property = what ? "bad" : !preempted ? "pinned" : "preempted";
    if (preempted)
        snprintf(how, sizeof(how), ", preempted each %u entries%s", work + 1,
                 whole ? "" : ", and not always gone on with");
    kit_step("%u bits: a tree of %u levels%s%s is pinned%s%s; then %s", narrow ? 32 : 64, level, what ? " with " : "",
             what ? what : "", how, unpin_too ? "; unpinned, gone on with once" : "", then_text[then]);
    rc = ext(MMUEXT_PIN_L1_TABLE + level - 1, f->frame[root], how_far);
    answered(property, rc);
    for (unsigned int l = level; l > 1; l--) /* what promote has written */
        entries_say(l == level ? root : first[l], l, rc);
    books_say(property);
    if (unpin_too)
        said("unpin", ext(MMUEXT_UNPIN_TABLE, f->frame[root], 1));
    then_do(then, root, level);
    die(free_before);
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
