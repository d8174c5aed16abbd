// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 06: pfn, mfn, and the way between them.
 *
 * Concept: a guest asks for frames and numbers of all kinds, and exchanges pages, in a machine whose frames are dealt
 * out by the seed. What it says of pages that are exchanged is how old and new are related, as which frame is new is
 * Xen's choice. What the answers stand on, the list and the page tables, it reads itself; the runtime does not call the
 * functions that are asked about, and nothing of the student's file is called but by kit_ask().
 */
#include "labs/kit/ask.h"
#include "labs/kit/kit.h"

#define STEPS   90
#define PAGES   6
#define FOREIGN 64
#define RAW     8
#define INITIAL 1024 /* pfns of the initial region, where all that is mapped lies */

static char *page[PAGES], *alias;
static unsigned long foreign[FOREIGN], nr_foreign, raw;

static unsigned long list(unsigned long pfn) { return ((unsigned long *)start_info->mfn_list)[pfn]; }
static void list_set(unsigned long pfn, unsigned long mfn) { ((unsigned long *)start_info->mfn_list)[pfn] = mfn; }
static long m2p_peek(long mfn) { return (long)((volatile unsigned long *)machine_to_phys_mapping)[mfn]; }

/* Others' frames whose numbers could be ours: who only looks there takes them for his own. */
static void *begin(void)
{
    const unsigned long machine = (unsigned long)HYPERVISOR_memory_op(XENMEM_maximum_ram_page, NULL);

    for (unsigned long mfn = kit_random(256); mfn <= machine && nr_foreign < FOREIGN; mfn += 1 + kit_random(64)) {
        const struct caught c = trap_catch(m2p_peek, (long)mfn);
        const unsigned long pfn = (unsigned long)c.result;

        if (!c.trapped && pfn < start_info->nr_pages && list(pfn) != mfn)
            foreign[nr_foreign++] = mfn;
    }
    if (!nr_foreign)
        kit_die("there are no others in this machine");
    for (unsigned int i = 0; i < PAGES; i++)
        page[i] = page_alloc();
    alias = page_alloc();
    if (page_map(alias, 0, 0))
        kit_die("the hole is none");
    raw = start_info->nr_pages - RAW;
    return NULL;
}

static const char *number(char text[24], unsigned long n)
{
    if (n == INVALID_P2M_ENTRY)
        return "INVALID_P2M_ENTRY";
    snprintf(text, 24, "%#lx", n);
    return text;
}

static long ask_mfn(long pfn) { return (long)pfn_to_mfn((unsigned long)pfn); }
static long ask_pfn(long mfn) { return (long)mfn_to_pfn((unsigned long)mfn); }
static long ask_exchange(long va) { return page_exchange((void *)va); }

/* What came of a call: a number, or the exception that it ended by. */
static const char *answer(char text[24], long (*fn)(long), unsigned long arg)
{
    const struct caught c = kit_ask(fn, (long)arg, fn == ask_exchange ? (void *)arg : NULL);

    return c.trapped            ? trap_name(c.vector)
           : fn == ask_exchange ? xen_error(c.result)
                                : number(text, (unsigned long)c.result);
}

static bool says(long (*fn)(long), unsigned long arg, unsigned long result)
{
    const struct caught c = kit_ask(fn, (long)arg, NULL);

    return !c.trapped && (unsigned long)c.result == result;
}

static void step_p2m(void)
{
    const unsigned long nr = start_info->nr_pages, pfn[] = { /* none of page[], whose frames are Xen's choice */
                                                             INITIAL + kit_random(nr / 2),
                                                             INITIAL + kit_random(nr / 2),
                                                             nr - RAW - 1 - kit_random(100),
                                                             nr,
                                                             nr + kit_random(512),
                                                             nr << 20,
                                                             ~0ul
    };
    const unsigned long asked = pfn[kit_random(ARRAY_SIZE(pfn))];
    char text[24];

    kit_step("pfn_to_mfn(%#lx), of a guest with %#lx pages", asked, nr);
    kit_fact("p2m", "%s", answer(text, ask_mfn, asked));
}

static void step_m2p(void)
{
    const unsigned long nr = start_info->nr_pages, pfn = kit_random(4) ? kit_random(nr - RAW) : kit_random(3);
    char text[24];

    kit_step("mfn_to_pfn() of the frame at pfn %#lx", pfn);
    kit_fact("m2p", "%s", answer(text, ask_pfn, list(pfn)));
}

static void step_foreign(void)
{
    const bool shared = !kit_random(6);
    const unsigned long mfn = shared ? start_info->shared_info >> PAGE_SHIFT : foreign[kit_random(nr_foreign)];
    char text[24];

    kit_step("mfn_to_pfn(%#lx), which is %s and whose entry in m2p is %#lx", mfn,
             shared ? "Xen's, for shared_info," : "another domain's", (unsigned long)m2p_peek((long)mfn));
    kit_fact("foreign", "%s", answer(text, ask_pfn, mfn));
}

static void step_hole(void)
{
    static const unsigned long mfns[] = { 0x100000,
                                          0x40000000,
                                          MACH2PHYS_NR_ENTRIES - 1,
                                          MACH2PHYS_NR_ENTRIES,
                                          MACH2PHYS_NR_ENTRIES + 17,
                                          1ul << 40,
                                          1ul << 62,
                                          ~0ul - 1,
                                          ~0ul };
    const unsigned long mfn = mfns[kit_random(ARRAY_SIZE(mfns))];
    char text[24];

    kit_step("mfn_to_pfn(%#lx): no machine has that much", mfn);
    kit_fact("hole", "%s", answer(text, ask_pfn, mfn));
}

/* Two pages that nothing maps change places, in both tables: as after a resume, when all frames are others. */
static void step_resume(void)
{
    const unsigned long a = raw + kit_random(RAW), b = raw + (a - raw + 1 + kit_random(RAW - 1)) % RAW, mfn_a = list(a),
                        mfn_b = list(b);
    struct mmu_update u[2] = { { mfn_a << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, b },
                               { mfn_b << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, a } };

    kit_step("pfns %#lx and %#lx are asked for, change their frames, and are asked for again", a, b);
    kit_fact("moved", "before: %d %d", says(ask_mfn, a, mfn_a) && says(ask_pfn, mfn_a, a),
             says(ask_mfn, b, mfn_b) && says(ask_pfn, mfn_b, b));
    if (HYPERVISOR_mmu_update(u, 2, NULL, DOMID_SELF))
        kit_die("m2p is not changed");
    list_set(a, mfn_b);
    list_set(b, mfn_a);
    kit_fact("moved", "pfn_to_mfn() says what the list says now: %s; mfn_to_pfn() what m2p says now: %s",
             says(ask_mfn, a, mfn_b) && says(ask_mfn, b, mfn_a) ? "yes" : "no",
             says(ask_pfn, mfn_b, a) && says(ask_pfn, mfn_a, b) ? "yes" : "no");
}

/* A frame is given back, and another one taken in its place. */
static void step_balloon(void)
{
    const unsigned long pfn = raw + kit_random(RAW), old = list(pfn);
    xen_pfn_t frame = old;
    struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };
    char text[24], other[24];

    kit_step("the frame at pfn %#lx is given back to Xen", pfn);
    set_xen_guest_handle(r.extent_start, &frame);
    if (HYPERVISOR_memory_op(XENMEM_decrease_reservation, &r) != 1)
        kit_die("it is not taken");
    list_set(pfn, INVALID_P2M_ENTRY);
    kit_fact("moved", "pfn_to_mfn() of the pfn: %s; mfn_to_pfn() of its old frame: %s", answer(text, ask_mfn, pfn),
             answer(other, ask_pfn, old));
    frame = pfn;
    if (HYPERVISOR_memory_op(XENMEM_populate_physmap, &r) != 1)
        kit_die("there is no other");
    list_set(pfn, frame);
    kit_fact("moved", "and when it has a frame again, they agree: %s",
             says(ask_mfn, pfn, frame) && says(ask_pfn, frame, pfn) ? "yes" : "no");
}

static uint64_t sum(const char *p)
{
    uint64_t s = 0;

    for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
        s = s * 31 + ((const uint64_t *)p)[i];
    return s;
}

/* Is it mapped, and how? */
static const char *mapped(const char *va)
{
    const uint64_t *pte = pte_find(va, 1);

    return !pte || !(*pte & PTE_P) ? "not mapped" : *pte & PTE_RW ? "mapped read-write" : "mapped read-only";
}

static void page_fill(char *p)
{
    for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
        ((uint64_t *)p)[i] = kit_random(~0ul);
}

static uint64_t content(const char *va) { return mapped(va)[0] == 'n' ? 0 : sum(va); }

static void step_exchange(void)
{
    const unsigned int which = (unsigned int)kit_random(PAGES);
    char *va = page[which], text[24];
    const unsigned long pfn = virt_to_pfn(va), old = virt_to_mfn(va);
    const bool readonly = !kit_random(3);
    unsigned long new;

    page_fill(va);
    if (readonly)
        MUST(page_protect(va, PTE_READONLY));
    kit_step("page_exchange() of page %u of %u, %s", which, PAGES, mapped(va));
    kit_fact("exchange", "%s", answer(text, ask_exchange, (unsigned long)va));
    new = virt_to_mfn(va);
    kit_fact("exchange", "it is %s, and it is %s frame", mapped(va), new == old ? "the same" : "another");
    kit_fact("exchange", "what is in it: %#lx", (unsigned long)content(va));
    kit_fact("exchange", "the list has the new frame: %s; pfn_to_mfn(): %s, mfn_to_pfn(): %s; of the old one: %s",
             list(pfn) == new ? "yes" : "no", says(ask_mfn, pfn, new) ? "yes" : "no",
             says(ask_pfn, new, pfn) ? "yes" : "no", answer(text, ask_pfn, old));
    if (mapped(va)[0] == 'n' || page_protect(va, PTE_KERNEL)) /* what follows has a page in any case */
        guest_panic("page %u is not mapped any more", which);
}

/* A second mapping: Xen does not take the frame. A hole, a frame that is not ours: there is nothing to exchange. */
static void step_refused(void)
{
    const unsigned int which = (unsigned int)kit_random(PAGES), kind = (unsigned int)kit_random(5);
    char *va = page[which], text[24], *asked;
    const unsigned long pfn = virt_to_pfn(va), old = virt_to_mfn(va);
    const bool readonly = kind == 2;

    page_fill(va);
    if (kind < 3)
        MUST(page_map(alias, old, PTE_READONLY));
    if (readonly)
        MUST(page_protect(va, PTE_READONLY));
    asked = kind == 3 ? alias : kind == 4 ? (char *)shared_info : va;
    if (kind < 3)
        kit_step("page_exchange() of page %u of %u, %s, which is mapped elsewhere as well", which, PAGES, mapped(va));
    else
        kit_step("page_exchange() %s", kind == 3 ? "where nothing is mapped" : "of shared_info, a frame of Xen's");
    kit_fact("refused", "%s", answer(text, ask_exchange, (unsigned long)asked));
    kit_fact("refused", "it is %s, and it is %s frame", mapped(va), virt_to_mfn(va) == old ? "the same" : "another");
    kit_fact("refused", "what is in it: %#lx", (unsigned long)content(va));
    kit_fact("refused", "the list has its frame: %s; pfn_to_mfn(): %s, mfn_to_pfn(): %s",
             list(pfn) == old ? "yes" : "no", says(ask_mfn, pfn, old) ? "yes" : "no",
             says(ask_pfn, old, pfn) ? "yes" : "no");
    if (mapped(va)[0] == 'n' || (readonly && page_protect(va, PTE_KERNEL)))
        guest_panic("page %u is not mapped any more", which);
    if (kind < 3)
        MUST(page_map(alias, 0, 0));
}

static void step(void *data, unsigned int number)
{
    static void (*const kinds[])(void) = { step_p2m,    step_p2m,     step_m2p,      step_foreign, step_hole,
                                           step_resume, step_balloon, step_exchange, step_refused };

    (void)data;
    kinds[number < ARRAY_SIZE(kinds) ? number : kit_random(ARRAY_SIZE(kinds))]();
}

static void end(void *data) { (void)data; }

int guest_main(void) { return kit_guest(&(struct kit_steps){ STEPS, begin, step, end }); }
