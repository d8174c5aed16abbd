// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's checks, and a witness beside them that no guest can reach.
 *
 * Concept: in a lab of form G student's code runs in the kernel that reports what came of it, and may do there what it
 * likes: patch who reports, put other numbers where the checks look, leave for another place than where it was called.
 * So reports are not taken from the guest's console. The machine stops at three places of labs/kit/guest_main.c:
 *
 *      kit_asks    the student's code is about to be called: what is not its own is noted, it is `inside`
 *      kit_asked   it is back: all of that has to be the same, and it is outside again
 *      kit_says    a line of the report; of who is inside it is not one
 *
 * What is not its own, and where the witness looks, which is the machine and not the guest's word:
 *
 *      memory, by frames        the image but for whole.o's variables (labs/kit/guest.lds), what of the stack was in
 *                               use, start_info, the list of frames, the page tables (but A and D bits)
 *      the hypervisor's         the M2P's entries; the vCPU's traps, callbacks, tables, roots, areas it has registered
 *      registers                those that a function has to leave, flags that are no results, segments
 *
 * A page may have been promised another frame (kit_page): then its entries in list, page table and M2P may change, if
 * Xen has made that frame its own, and no other pfn had it before. So may what page_alloc() gives next.
 *
 * Invariants: where nobody is inside, what is executed is what was built, with the data that it made itself; so what it
 * says then is so. Who never comes back to kit_asked has no report that ends.
 */
#include "tools/debug/witness.h"

#include "mmu/page.h"
#include "sim/observe.h"
#include "tools/debug/look.h"
#include "tools/host.h"
#include "vcpu/noun/domain.h"
#include "vcpu/noun/xen.h"
#include "vcpu/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VTIME     SECONDS(20)
#define DOMID         WITNESS_DOMID
#define SAID          WITNESS_SAID
#define MAX_PAGES     1024
#define RESULT_FLAGS  0x108d5u /* CF PF AF ZF SF OF, and RF */
#define ACCESSED_BITS 0x60u

enum {
    ASKS,
    ASKED,
    SAYS,
    DATA,
    DATA_END,
    BSS,
    BSS_END,
    IMAGE_END,
    STACK,
    LEFT,
    ANSWER,
    PAGE,
    START_INFO,
    NEXT,
    NR_PLACES
};
static const char *const place_name[NR_PLACES] = { "kit_asks",       "kit_asked", "kit_says",      "whole_data",
                                                   "whole_data_end", "whole_bss", "whole_bss_end", "image_end",
                                                   "stack_bottom",   "kit_left",  "kit_answer",    "kit_page",
                                                   "start_info",     "next_pfn" };
enum { LEFT_SIZE = 64, ANSWER_SIZE = 40 };

enum kind { OF_IMAGE, OF_INFO, OF_LIST, OF_TABLES };
struct kept {
    enum kind kind;
    uint64_t va;
    mfn_t mfn;
    uint64_t before[PAGE_SIZE / 8];
};

struct watched {
    struct witness *out;
    struct host *host;
    struct xen *xen;
    uint64_t place[NR_PLACES];
    bool inside;
    struct kept *page;
    unsigned int nr_pages, first_list, nr_list; /* nr_list: entries */
    uint64_t base, list;
    /* At kit_asks: */
    struct cpu_state regs;
    struct pv_vcpu pv;
    uint64_t registered[3], promised; /* kit_page */
    uint64_t *m2p, m2p_sets, entry;   /* entry: where in the machine's memory promised is mapped, or 0 */
};

static void __attribute__((format(printf, 2, 3))) end(struct watched *w, const char *fmt, ...)
{
    va_list args;

    if (!w->out->ended[0]) {
        va_start(args, fmt);
        vsnprintf(w->out->ended, sizeof(w->out->ended), fmt, args);
        va_end(args);
    }
    w->out->stop = true;
}

/* --- what is looked at --- */

static const uint64_t *frame_words(const struct watched *w, mfn_t mfn) { return mfn_to_virt(w->xen->machine, mfn); }

static bool guest_read(struct watched *w, uint64_t va, void *buf, size_t n)
{
    uint64_t maddr;

    for (uint8_t *to = buf; n;) {
        const size_t in_page = PAGE_SIZE - (va & (PAGE_SIZE - 1)), part = n < in_page ? n : in_page;

        if (!look_machine_address(w->host, DOMID, 0, LOOK_VIRTUAL, va, &maddr) ||
            !mfn_valid(w->xen->machine, _mfn(maddr >> PAGE_SHIFT)))
            return false;
        memcpy(to, (const uint8_t *)frame_words(w, _mfn(maddr >> PAGE_SHIFT)) + (maddr & (PAGE_SIZE - 1)), part);
        to += part, va += part, n -= part;
    }
    return true;
}

/* A label that there is once: a second one is not the checks' own. */
static bool places_find(struct watched *w)
{
    const struct image *image = host_guest_image(w->host, DOMID);

    for (unsigned int i = 0; i < NR_PLACES; i++) {
        unsigned int found = 0;

        for (size_t s = 0; image && s < image->nr_symbols; s++)
            if (!strcmp(image->symbols[s].name, place_name[i])) {
                w->place[i] = image->symbols[s].addr;
                found++;
            }
        if (found != 1)
            end(w, "the name %s is for the lab's own checks", place_name[i]);
    }
    return !w->out->stop;
}

static void pages_add(struct watched *w, enum kind kind, uint64_t from, uint64_t to, mfn_t but)
{
    uint64_t maddr;

    for (uint64_t va = from & ~(PAGE_SIZE - 1); va < to; va += PAGE_SIZE) {
        if (w->nr_pages == MAX_PAGES || !look_machine_address(w->host, DOMID, 0, LOOK_VIRTUAL, va, &maddr) ||
            !mfn_valid(w->xen->machine, _mfn(maddr >> PAGE_SHIFT)))
            end(w, "the checks' own memory is not where it was");
        else if (maddr >> PAGE_SHIFT != mfn_x(but)) /* shared_info changes by itself */
            w->page[w->nr_pages++] = (struct kept){ .kind = kind, .va = va, .mfn = _mfn(maddr >> PAGE_SHIFT) };
    }
}

/* In front of the first call: until then nothing but the checks' own code has run. */
static bool pages_find(struct watched *w)
{
    struct start_info si;
    uint64_t at;
    mfn_t shared;

    w->page = calloc(MAX_PAGES, sizeof(*w->page));
    w->m2p = calloc(w->xen->machine->nr_frames, sizeof(*w->m2p));
    w->m2p_sets = UINT64_MAX;
    if (!w->page || !w->m2p || !guest_read(w, w->place[START_INFO], &at, sizeof(at)) ||
        !guest_read(w, at, &si, sizeof(si))) {
        end(w, "the checks cannot be watched");
        return false;
    }
    shared = _mfn(si.shared_info >> PAGE_SHIFT);
    w->base = w->place[ASKS] & ~UINT64_C(0x3fffffff);
    w->list = si.mfn_list;
    w->nr_list = (unsigned int)si.nr_pages;
    pages_add(w, OF_IMAGE, w->base, w->place[IMAGE_END], shared);
    pages_add(w, OF_INFO, at, at + 1, shared);
    w->first_list = w->nr_pages;
    pages_add(w, OF_LIST, si.mfn_list, si.mfn_list + 8 * si.nr_pages, shared);
    pages_add(w, OF_TABLES, si.pt_base, si.pt_base + si.nr_pt_frames * PAGE_SIZE, shared);
    return !w->out->stop;
}

static uint64_t list_entry(const struct watched *w, uint64_t pfn, bool before)
{
    const uint64_t at = (w->list & (PAGE_SIZE - 1)) / 8 + pfn;
    const struct kept *p = &w->page[w->first_list + at / 512];

    return before ? p->before[at % 512] : frame_words(w, p->mfn)[at % 512];
}

/* --- in front of a call --- */

static void registered(const struct vcpu *v, uint64_t r[3])
{
    r[0] = v->runstate_guest, r[1] = v->time_info_guest, r[2] = mfn_x(v->vcpu_info_mfn);
}

/* What the guest believes CR2 to be, and how much of its LDT is in use, changes as things happen. */
static void pv_note(const struct vcpu *v, struct pv_vcpu *pv)
{
    memcpy(pv, &v->pv, sizeof(*pv));
    pv->ctrlreg[2] = 0;
    pv->shadow_ldt_mapcnt = 0;
    memset(&pv->pending_system_time, 0, sizeof(pv->pending_system_time));
    pv->need_update_runstate_area = false;
}

static void entry_find(struct watched *w, const struct vcpu *v)
{
    uint64_t table = mfn_x(v->pv.guest_table) << PAGE_SHIFT;

    w->entry = 0;
    for (unsigned int level = 4; w->promised; level--) {
        const uint64_t at = table + 8 * (w->promised >> (3 + 9 * level) & 511);
        const uint64_t e = frame_words(w, _mfn(at >> PAGE_SHIFT))[at % PAGE_SIZE / 8];

        if (level == 1)
            w->entry = at;
        table = e & UINT64_C(0xffffffffff000);
        if (level == 1 || !(e & 1) || !mfn_valid(w->xen->machine, _mfn(table >> PAGE_SHIFT)))
            return;
    }
}

static void asks(struct watched *w, const struct vcpu *v)
{
    if (w->inside || (!w->page && !pages_find(w)))
        return;
    for (unsigned int i = 0; i < w->nr_pages; i++)
        memcpy(w->page[i].before, frame_words(w, w->page[i].mfn), PAGE_SIZE);
    if (w->m2p_sets != w->xen->m2p_sets)
        memcpy(w->m2p, w->xen->m2p, w->xen->machine->nr_frames * sizeof(*w->m2p));
    w->m2p_sets = w->xen->m2p_sets;
    w->regs = *v->regs;
    pv_note(v, &w->pv);
    registered(v, w->registered);
    if (!guest_read(w, w->place[PAGE], &w->promised, sizeof(w->promised)))
        end(w, "the checks' own memory is not where it was");
    if (w->promised >> PAGE_SHIFT < w->base >> PAGE_SHIFT || (w->promised - w->base) >> PAGE_SHIFT >= w->nr_list)
        w->promised = 0;
    entry_find(w, v);
    w->inside = true;
}

/* --- behind it --- */

static bool in(uint64_t at, uint64_t from, uint64_t to) { return at >= from && at < to; }

/* May these eight bytes have changed? */
static bool may_change(const struct watched *w, const struct kept *p, unsigned int i)
{
    const uint64_t at = p->va + 8 * i, *const pl = w->place, pfn = (w->promised - w->base) >> PAGE_SHIFT;

    switch (p->kind) {
    case OF_IMAGE:
        return in(at, pl[DATA], pl[DATA_END]) || in(at, pl[BSS], pl[BSS_END]) || in(at, pl[STACK], w->regs.rsp) ||
               in(at, pl[LEFT], pl[LEFT] + LEFT_SIZE) || in(at, pl[ANSWER], pl[ANSWER] + ANSWER_SIZE) ||
               at == pl[NEXT]; /* by page_alloc() */
    case OF_LIST: return w->promised && at == w->list + 8 * pfn;
    case OF_TABLES:
        return !((p->before[i] ^ frame_words(w, p->mfn)[i]) & ~(uint64_t)ACCESSED_BITS) ||
               (w->entry && (mfn_x(p->mfn) << PAGE_SHIFT) + 8 * i == w->entry);
    case OF_INFO: break;
    }
    return false;
}

static void changed(struct watched *w, const struct kept *p, unsigned int i)
{
    static const char *const what[] = { "the checks' kernel", "start_info", "the list of frames", "the page tables" };
    const uint64_t at = p->va + 8 * i;
    uint64_t offset;
    const char *name = p->kind == OF_IMAGE ? image_symbol_lookup(host_guest_image(w->host, DOMID), at, &offset) : NULL;

    if (p->kind == OF_LIST)
        end(w, "it has changed what is not its own: %s, at pfn %#llx", what[p->kind],
            (unsigned long long)(at - w->list) / 8);
    else
        end(w, "it has changed what is not its own: %s", name ?: what[p->kind]);
}

static void memory_compare(struct watched *w)
{
    for (unsigned int n = 0; n < w->nr_pages && !w->out->stop; n++) {
        const struct kept *p = &w->page[n];
        const uint64_t *now = frame_words(w, p->mfn);

        if (!memcmp(p->before, now, PAGE_SIZE))
            continue;
        for (unsigned int i = 0; i < PAGE_SIZE / 8 && !w->out->stop; i++)
            if (p->before[i] != now[i] && !may_change(w, p, i))
                changed(w, p, i);
    }
}

/* The M2P; and a page that has another frame has one that no page had before. */
static void frames_compare(struct watched *w)
{
    const uint64_t pfn = (w->promised - w->base) >> PAGE_SHIFT, nr = w->xen->machine->nr_frames;
    const uint64_t old = w->promised ? list_entry(w, pfn, true) : UINT64_MAX,
                   new = w->entry ? (frame_words(w, _mfn(w->entry >> PAGE_SHIFT))[w->entry % PAGE_SIZE / 8] &
                                     UINT64_C(0xffffffffff000)) >>
                                        PAGE_SHIFT
                                  : UINT64_MAX;

    for (uint64_t mfn = 0; w->m2p_sets != w->xen->m2p_sets && mfn < nr && !w->out->stop; mfn++)
        if (w->m2p[mfn] != w->xen->m2p[mfn] && mfn != old && mfn != new)
            end(w, "it has changed what is not its own: the m2p, at frame %#llx", (unsigned long long)mfn);
    for (unsigned int i = 0; new != old &&i < w->nr_list && !w->out->stop; i++)
        if (list_entry(w, i, true) == new &&i != pfn &&new < nr)
            end(w, "the frame that it has put there was pfn %#x's", i);
}

static void asked(struct watched *w, const struct vcpu *v)
{
    const struct cpu_state *a = &w->regs, *b = v->regs;
    struct pv_vcpu pv;
    uint64_t r[3];

    if (!w->inside)
        end(w, "the checks are not where they were");
    pv_note(v, &pv);
    registered(v, r);
    if (a->rsp != b->rsp || a->rbx != b->rbx || a->rbp != b->rbp || memcmp(&a->r12, &b->r12, 32))
        end(w, "it has not returned to where it was called, with the registers that are the caller's");
    else if ((a->rflags ^ b->rflags) & ~(uint64_t)RESULT_FLAGS || !guest_kernel_mode(v) ||
             a->seg[CPU_SEG_CS].sel != b->seg[CPU_SEG_CS].sel || a->seg[CPU_SEG_GS].base != b->seg[CPU_SEG_GS].base)
        end(w, "it has returned with other flags, or segments");
    else if (memcmp(&pv, &w->pv, sizeof(pv)) || memcmp(r, w->registered, sizeof(r)))
        end(w, "it has changed what Xen knows of the vCPU: handlers, tables, registers");
    if (!w->out->stop)
        memory_compare(w);
    if (!w->out->stop)
        frames_compare(w);
    w->inside = false;
}

static void says(struct watched *w, const struct vcpu *v)
{
    char text[SAID] = "";

    if (w->inside)
        return;
    if (!guest_read(w, v->regs->rdi, text, v->regs->rsi < SAID ? v->regs->rsi : SAID - 1)) {
        end(w, "what it says is nowhere");
        return;
    }
    w->out->over = !strcmp(text, "end");
    w->out->stop |= w->out->over;
    if (!w->out->over)
        w->out->says(text);
}

/* --- the run --- */

static void broken(struct watched *w)
{
    struct vcpu *v = w->xen->run.v;

    if (!v || v->domain->domain_id != DOMID)
        return;
    if (v->regs->rip == w->place[ASKS])
        asks(w, v);
    else if (v->regs->rip == w->place[ASKED])
        asked(w, v);
    else if (v->regs->rip == w->place[SAYS])
        says(w, v);
}

static void run(struct watched *w)
{
    struct sim_exit hit;
    struct run_limit l = { .until = MAX_VTIME, .at = { .insns = UINT64_MAX }, .stop = &w->out->stop, .hit = &hit };
    enum run_result result;

    if (!places_find(w))
        return;
    if (machine_break_set(host_machine(w->host), w->place, SAYS + 1)) {
        end(w, "there is not enough memory");
        return;
    }
    while ((result = host_run_to(w->host, &l)) == RUN_BREAK && !w->out->stop) {
        broken(w);
        l.resume = true;
    }
    if (!w->out->stop && (result == RUN_UNTIL || result == RUN_IDLE))
        end(w, "the guest waits for ever, or has not ended in 20s of its time");
}

void witness_run(struct witness *out, struct host *host)
{
    struct watched w = { .out = out, .host = host, .xen = host_xen(host) };

    run(&w);
    machine_break_set(host_machine(host), NULL, 0);
    free(w.page), free(w.m2p);
}
