// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 23: one bit that mod_table_entry() did not look at, used, and looked at again.
 *
 * Concept: the exploit is carried out on the code of before: attack_update() has the old comparison, and goes on as the
 * hypercall does. The repair is asked single updates of all kinds, at entries of all levels, whose new value differs
 * from the usual one in one to three bits, or leads elsewhere. Reported is what a guest sees: the answer, the entry,
 * whether its tables can be written to; and what the auditor says of the books, which is how the next refusal would be
 * explained.
 */
#include "labs/code/exploit.h"
#include "labs/kit/kit.h"
#include "mmu/audit.h"
#include "mmu/guest_access.h"
#include "mmu/pte.h"
#include "sim/frame.h"
#include "sim/walk.h"
#include "vcpu/hypercall.h"
#include "vcpu/pv/pv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STEPS     100
#define FIRST_PFN 6000
#define OWN       5 /* the slot of the root below which the tables of this lab are */
#define LINEAR    6
#define SPARE     7
#define DATA      8 /* frames */
#define TABLE     (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY)
#define LOOK      (_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED)

enum { L3, L2, L1, SPARE_L2, SPARE_L1, FIRST_DATA, NR_FRAMES = FIRST_DATA + DATA };

static struct kit_scene *k;
static mfn_t frame[NR_FRAMES], root;
static int began; /* what came of the first update, which makes tables of this lab's pages */

static int hypercall(uint64_t nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    struct cpu_state *r = k->v->regs;

    r->rax = nr, r->rdi = a1, r->rsi = a2, r->rdx = a3, r->r10 = a4;
    hypercall_guest(k->v);
    return (int)r->rax;
}

static int update(mfn_t table, unsigned int slot, uint64_t entry, unsigned int cmd)
{
    const struct mmu_update u = { (mfn_x(table) << PAGE_SHIFT) + slot * 8 + cmd, entry };

    if (copy_to_guest(k->v, k->scratch, &u, sizeof(u)))
        kit_die("the guest has no stack");
    return hypercall(__HYPERVISOR_mmu_update, k->scratch, 1, 0, DOMID_SELF);
}

static int pin(unsigned int cmd, mfn_t mfn)
{
    const struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn_x(mfn) };

    if (copy_to_guest(k->v, k->scratch, &op, sizeof(op)))
        kit_die("the guest has no stack");
    return hypercall(__HYPERVISOR_mmuext_op, k->scratch, 1, 0, DOMID_SELF);
}

static const uint64_t *entry_at(mfn_t table, unsigned int slot)
{
    return (const uint64_t *)mfn_to_virt(k->m, table) + slot;
}

/* Before it is a table, or on the old build. */
static void write(mfn_t table, unsigned int slot, uint64_t entry)
{
    frame_write_u64(k->m, entry_at(table, slot), entry);
}

/* --- the tables of this lab --- */

/* As it is at first, and what an update changes. */
static struct place {
    const char *name, *property;
    unsigned int table, slot, to; /* NR_FRAMES: the root */
    uint64_t flags;
} places[] = {
    { "the root's entry for itself", "linear", NR_FRAMES, LINEAR, NR_FRAMES, LOOK },
    { "a level 3 table's entry for itself", "linear", L3, LINEAR, L3, LOOK },
    { "a level 2 table's entry for itself", "linear", L2, LINEAR, L2, LOOK },
    { "a level 3 table's entry for a level 2 table", "linear", L3, SPARE, SPARE_L2, TABLE },
    { "a level 2 table's entry for a level 1 table", "linear", L2, SPARE, SPARE_L1, TABLE },
    { "a level 1 entry for the root", "data", L1, 1, NR_FRAMES, LOOK },
    { "a level 1 entry for its own table", "data", L1, 2, L1, LOOK },
    { "a level 1 entry for a page, read-only", "data", L1, 3, FIRST_DATA, LOOK },
    { "a level 1 entry for a page, read-write", "data", L1, 4, FIRST_DATA + 1, TABLE },
    { "a level 1 entry for a page, read-write", "data", L1, 5, FIRST_DATA + 2, TABLE },
};
#define NR_PLACES (sizeof(places) / sizeof(places[0]))

static mfn_t frame_of(unsigned int i) { return i == NR_FRAMES ? root : frame[i]; }

static void frames_find(void)
{
    unsigned int found = 0;

    for (uint64_t n = 0; n < k->m->nr_frames; n++) {
        const uint64_t pfn = k->xen->frame_table[n].owner == k->d ? k->xen->m2p[n] : 0;

        if (pfn >= FIRST_PFN && pfn < FIRST_PFN + NR_FRAMES) {
            frame[pfn - FIRST_PFN] = _mfn(n);
            found++;
        }
    }
    if (found != NR_FRAMES)
        kit_die("the guest has no pages left");
}

static void *begin(void)
{
    k = kit_scene();
    root = k->v->pv.guest_table;
    frames_find();
    for (unsigned int i = 0; i < NR_FRAMES; i++)
        for (unsigned int slot = 0; slot < PTES_PER_TABLE; slot++)
            write(frame[i], slot, 0);
    write(frame[L3], 0, pte_make(frame[L2], TABLE));
    write(frame[L2], 0, pte_make(frame[L1], TABLE));
    for (unsigned int i = 0; i < NR_PLACES;
         i++) /* but the root's, and an entry that looks at a table that is none yet */
        if (places[i].table != NR_FRAMES && places[i].slot != LINEAR &&
            !(places[i].property[0] == 'd' && places[i].slot < 3))
            write(frame_of(places[i].table), places[i].slot, pte_make(frame_of(places[i].to), places[i].flags));
    began = update(root, OWN, pte_make(frame[L3], TABLE), MMU_NORMAL_PT_UPDATE);
    return NULL;
}

/* --- the exploit --- */

static mfn_t secret;
static char refused[80]; /* the first of what exploit() did in vain */

static void refuse(const char *call, const char *of, uint64_t where)
{
    if (!refused[0])
        snprintf(refused, sizeof(refused), "; %s() was refused, %s %#" PRIx64, call, of, where);
}

uint64_t attack_root(void) { return mfn_x(root); }
uint64_t attack_secret(void) { return mfn_x(secret); }

int attack_update(unsigned int slot, uint64_t e)
{
    const uint64_t *at = entry_at(root, slot % PTES_PER_TABLE);
    const bool own = slot < 256;
    int rc;

    if (own && (e & *at & _PAGE_PRESENT) && !((*at ^ e) & PTE_MFN_MASK) && !(e & BASE_DISALLOW_MASK)) {
        write(root, slot, e | _PAGE_USER);
        return 0;
    }
    rc = own ? update(root, slot, e, MMU_NORMAL_PT_UPDATE) : -EINVAL;
    if (rc)
        refuse("attack_update", "slot", slot);
    return rc;
}

/* Where the byte is, if the guest may; only frames of RAM. */
static bool reach(uint64_t va, uint64_t rights, struct page_walk *w)
{
    return !(va & 7) && machine_walk(k->m, root, va, w) && (w->rights & rights) == rights &&
           mfn_valid(k->m, _mfn(PFN_DOWN(w->phys)));
}

bool attack_load(uint64_t va, uint64_t *value)
{
    struct page_walk w;

    if (!reach(va, _PAGE_USER, &w)) {
        refuse("attack_load", "address", va);
        return false;
    }
    *value = *(const uint64_t *)((const char *)mfn_to_virt(k->m, _mfn(PFN_DOWN(w.phys))) + PAGE_OFFSET(w.phys));
    return true;
}

bool attack_store(uint64_t va, uint64_t value)
{
    struct page_walk w;

    if (!reach(va, _PAGE_USER | _PAGE_RW, &w)) {
        refuse("attack_store", "address", va);
        return false;
    }
    write(_mfn(PFN_DOWN(w.phys)), (unsigned int)PAGE_OFFSET(w.phys) / 8, value);
    return true;
}

/* In a machine of its own. */
static void step_exploit(void)
{
    struct kit_scene *const other = k;
    const mfn_t other_root = root;
    uint64_t got, word;

    k = kit_scene();
    root = k->v->pv.guest_table;
    secret = k->d->shared_info_mfn; /* a page of Xen's */
    write(secret, 0, 1 + kit_random(UINT64_MAX - 1));
    kit_step("exploit(), where the first word of a frame of Xen's is a number that was never seen before");
    got = exploit();
    word = *entry_at(secret, 0);
    kit_fact("exploit", "%#" PRIx64 "%s", got, got == word ? "" : refused);
    k = other; /* its machine is left as it is, too: see end() */
    root = other_root;
}

/* --- single updates --- */

/* Is there a way to write to this table, through an entry of this lab's? */
static void rights_say(void)
{
    char text[160] = "";
    size_t n = 0;

    for (unsigned int i = 0; i < NR_PLACES; i++) {
        const uint64_t e = *entry_at(frame_of(places[i].table), places[i].slot);
        const bool table = places[i].slot == LINEAR || (places[i].table == L1 && places[i].slot < 3);

        if (table && (e & _PAGE_PRESENT) && (e & _PAGE_RW) && n < sizeof(text))
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? ", " : "", places[i].name);
    }
    kit_fact("rights", "a table can be written to through: %s", n ? text : "no entry");
}

static void books_say(void)
{
    char why[200];

    kit_fact("books", "%s", mmu_audit(k->xen, why, sizeof(why)) ? why : "in order");
}

static const struct {
    uint64_t bit;
    const char *name;
} bits[] = { { _PAGE_PRESENT, "P" },
             { _PAGE_RW, "RW" },
             { _PAGE_USER, "US" },
             { _PAGE_PWT, "PWT" },
             { _PAGE_PCD, "PCD" },
             { _PAGE_ACCESSED, "A" },
             { _PAGE_DIRTY, "D" },
             { _PAGE_PAT, "PAT" },
             { _PAGE_GLOBAL, "G" },
             { UINT64_C(1) << 9, "AVL" },
             { UINT64_C(1) << 53, "bit 53" },
             { _PAGE_NX, "NX" } };

static const char *flags_text(uint64_t e, char text[80])
{
    size_t n = 0;

    text[0] = '\0';
    for (unsigned int i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
        if (e & bits[i].bit)
            n += (size_t)snprintf(text + n, 80 - n, "%s%s", n ? " " : "", bits[i].name);
    return n ? text : "none";
}

static const char *errno_text(int rc)
{
    return !rc ? "0" : rc == -EINVAL ? "-EINVAL" : rc == -EBUSY ? "-EBUSY" : rc == -EPERM ? "-EPERM" : "another error";
}

/* The usual entry first, so that a step is what it says; then another one. */
static void step_update(void)
{
    struct place *p = &places[kit_random(NR_PLACES)];
    const mfn_t table = frame_of(p->table), to = frame_of(p->to);
    const uint64_t usual = pte_make(to, p->flags);
    uint64_t e = usual;
    char was[80], is[80];
    int rc;

    if (kit_random(2))
        e ^= _PAGE_RW;
    for (uint64_t n = kit_random(3); n; n--)
        e ^= bits[kit_random(sizeof(bits) / sizeof(bits[0]))].bit;
    if (!kit_random(6))
        e = pte_make(frame[FIRST_DATA + 3], e & ~PTE_MFN_MASK);
    if (e == usual)
        e ^= _PAGE_RW;
    kit_step("mmu_update of %s: flags %s become %s%s", p->name, flags_text(usual, was), flags_text(e, is),
             pte_mfn(e).m == to.m ? "" : ", and the frame is another page's");
    kit_fact("legal", "the tables that the guest began with: %s", errno_text(began));
    rc = update(table, p->slot, usual, MMU_NORMAL_PT_UPDATE);
    if (rc)
        kit_fact(p->property, "the usual entry is refused: %s", errno_text(rc));
    rc = update(table, p->slot, e, kit_random(4) ? MMU_NORMAL_PT_UPDATE : MMU_PT_UPDATE_PRESERVE_AD);
    rights_say();
    kit_fact(p->property, "%s; then flags %s, %s frame", errno_text(rc), flags_text(*entry_at(table, p->slot), is),
             pte_mfn(*entry_at(table, p->slot)).m == to.m ? "the same" : "another");
    books_say();
}

/* A page that was mapped read-write, read-only and not at all, in some order, becomes a table and memory again. */
static void step_legal(void)
{
    const unsigned int slot = 16 + (unsigned int)kit_random(4), times = 1 + (unsigned int)kit_random(3);
    const mfn_t page = frame[FIRST_DATA + 4 + kit_random(DATA - 4)];
    int rc = 0;

    kit_step(
        "a page is mapped read-write, then read-only, %u times, is unmapped, becomes a level 1 table, and memory again",
        times);
    for (unsigned int i = 0; i < times && !rc; i++)
        rc = update(frame[L1], slot, pte_make(page, TABLE), MMU_NORMAL_PT_UPDATE)
                 ?: update(frame[L1], slot, pte_make(page, LOOK), MMU_NORMAL_PT_UPDATE);
    kit_fact("legal", "mapped: %s", errno_text(rc));
    rc = update(frame[L1], slot, 0, MMU_NORMAL_PT_UPDATE);
    kit_fact("legal", "unmapped: %s", errno_text(rc));
    rc = pin(MMUEXT_PIN_L1_TABLE, page);
    kit_fact("legal", "pinned as a table: %s", errno_text(rc));
    if (!rc)
        rc = pin(MMUEXT_UNPIN_TABLE, page);
    rc = update(frame[L1], slot, pte_make(page, TABLE), MMU_NORMAL_PT_UPDATE);
    kit_fact("legal", "mapped read-write again: %s", errno_text(rc));
    update(frame[L1], slot, 0, MMU_NORMAL_PT_UPDATE);
    books_say();
}

static void step(void *data, unsigned int number)
{
    (void)data;
    if (!number && kit_random(2)) /* in some seeds only, so that each half of the lab can be done first */
        step_exploit();
    else if (kit_random(8))
        step_update();
    else
        step_legal();
}

static void end(void *data)
{
    (void)data; /* the machine is left as it is: with wrong books it could not be taken down */
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
