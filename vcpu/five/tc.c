// SPDX-License-Identifier: GPL-2.0-or-later
/* The translation cache: blocks, in and out. See tc.h. */
#include "vcpu/five/tc.h"

#include "mmu/guest_access.h"
#include "mmu/hvm/p2m.h"
#include "mmu/pte.h"
#include "sim/frame.h"
#include "sim/insn.h"

#include <errno.h>
#include <string.h>

static struct machine *machine_of(const struct domain *d) { return d->xen->machine; }

/* -------------------------------------------------------------------------------------------------------- blocks -- */

static uint32_t *hash_list(struct tc *tc, uint64_t rip) { return &tc->hash[(rip ^ rip >> 10) % TC_HASH]; }

static struct tc_block *find(struct tc *tc, uint64_t rip)
{
    for (uint32_t i = *hash_list(tc, rip); i; i = tc->block[i - 1].next)
        if (tc->block[i - 1].rip == rip && !tc->block[i - 1].dead)
            return &tc->block[i - 1];
    return NULL;
}

/* The entry of the instruction at that offset of the code; NULL: none begins there. */
static const struct tc_map *map_find(const struct tc *tc, uint64_t at)
{
    uint32_t low = 0, high = tc->nr_map;

    while (low < high) {
        const uint32_t mid = (low + high) / 2;

        if (tc->map[mid].at < at)
            low = mid + 1;
        else
            high = mid;
    }
    return low < tc->nr_map && tc->map[low].at == at ? &tc->map[low] : NULL;
}

/* The instruction that is being executed is begun again. */
static void take_back(struct vcpu *v, const struct tc_map *m)
{
    if (m->kind == TC_SAVED) {
        v->regs->rax = tc_word(v->domain, TC_RAX);
        v->regs->rcx = tc_word(v->domain, TC_RCX);
        v->regs->rdx = tc_word(v->domain, TC_RDX);
    }
    v->regs->rip = m->rip;
}

/* Where it was to go on may be no more. */
static void resume_ends(struct vcpu *v)
{
    struct tc *tc = v->domain->hvm->tc;

    if (tc->resumes && tc->middle && v->regs->rip == tc->resume_rip)
        take_back(v, map_find(tc, tc->resume_at));
    tc->resumes = false;
}

static void drop(struct vcpu *v)
{
    struct domain *d = v->domain;
    struct tc *tc = d->hvm->tc;

    resume_ends(v);
    for (uint32_t i = 0; i < tc->nr_blocks; i++)
        if (tc->block[i].looked_up && !tc->block[i].dead)
            tc_table_set(d, tc->block[i].rip, TC_MISS);
    for (uint32_t i = 0; i < tc->nr_pages; i++)
        shadow_text_end(d, tc->page[i].mfn);
    tc->nr_pages = 0;
    tc->count.dropped++;
    tc_empty(d);
}

/* Text is taken from the page of va: n bytes from there to the page's end at most. 0: it cannot be fetched. */
static size_t fetch(struct vcpu *v, uint64_t va, uint8_t *bytes, size_t n)
{
    struct tc *tc = v->domain->hvm->tc;
    const size_t left = PAGE_SIZE - PAGE_OFFSET(va);
    struct nested_walk w;
    mfn_t mfn;

    if (!is_canonical(va) || hvm_walk(v, va, PFEC_insn_fetch, &w) != NESTED_OK)
        return 0;
    mfn = _mfn(PFN_DOWN(w.phys));
    n = n < left ? n : left;
    memcpy(bytes, (const uint8_t *)mfn_to_virt(machine_of(v->domain), mfn) + PAGE_OFFSET(va), n);
    for (uint32_t i = 0; i < tc->nr_pages; i++)
        if (tc->page[i].va == (va & PAGE_MASK)) {
            tc->look |= !mfn_eq(tc->page[i].mfn, mfn);
            return n;
        }
    tc->page[tc->nr_pages++] = (struct tc_page){ va & PAGE_MASK, mfn };
    shadow_text_begin(v->domain, mfn);
    return n;
}

/* Do the addresses of the text lead to the frames that it was taken from? */
static bool is_there(struct vcpu *v)
{
    struct tc *tc = v->domain->hvm->tc;
    struct nested_walk w;

    for (uint32_t i = 0; i < tc->nr_pages; i++)
        if (hvm_walk(v, tc->page[i].va, PFEC_insn_fetch, &w) != NESTED_OK || PFN_DOWN(w.phys) != mfn_x(tc->page[i].mfn))
            return false;
    return true;
}

/* Is b what its text would be translated to now? */
static bool is_true(struct domain *d, const struct tc_block *b)
{
    struct tc *tc = d->hvm->tc;

    for (uint32_t n = 0; n < b->len;) {
        const uint64_t va = b->rip + n, left = PAGE_SIZE - PAGE_OFFSET(va);
        const uint32_t part = b->len - n < left ? b->len - n : (uint32_t)left;
        const uint8_t *page = NULL;

        for (uint32_t i = 0; i < tc->nr_pages && !page; i++)
            if (tc->page[i].va == (va & PAGE_MASK))
                page = mfn_to_virt(machine_of(d), tc->page[i].mfn);
        if (!page || memcmp(page + PAGE_OFFSET(va), tc->text + b->text + n, part) != 0)
            return false;
        n += part;
    }
    return true;
}

static void kill(struct domain *d, struct tc_block *b)
{
    struct tc *tc = d->hvm->tc;
    uint8_t code[TC_BLOCK_MIN];
    struct tc_emit t = { .code = code, .at = b->at, .room = sizeof(code), .map = &tc->map[b->map], .room_map = 2 };

    translate_dead(&t, b->rip);
    for (uint32_t i = 2; i < b->nr_map; i++)
        tc->map[b->map + i] = tc->map[b->map + 1];
    tc_code_write(d, b->at, code, t.size);
    if (b->looked_up)
        tc_table_set(d, b->rip, TC_MISS);
    b->dead = true;
    tc->count.died++;
}

/* Text has been stored to. */
static void compare(struct vcpu *v)
{
    struct domain *d = v->domain;
    struct tc *tc = d->hvm->tc;

    resume_ends(v);
    for (uint32_t i = 0; i < tc->nr_blocks; i++)
        if (!tc->block[i].dead && !is_true(d, &tc->block[i]))
            kill(d, &tc->block[i]);
    for (uint32_t i = 0; i < tc->nr_pages; i++)
        shadow_text_begin(d, tc->page[i].mfn);
}

/* The block that begins at rip; NULL: it cannot be made. */
static struct tc_block *make(struct vcpu *v, uint64_t rip)
{
    struct tc *tc = v->domain->hvm->tc;
    uint8_t text[TC_BLOCK_MAX * INSN_MAX_LEN], code[TC_BLOCK_ROOM];
    struct tc_emit t = { .code = code, .room = sizeof(code), .room_map = TC_BLOCK_MAPS };
    struct tc_block *b;
    uint32_t len = 0;
    size_t n;

    if (tc->nr_blocks == TC_BLOCKS || tc->nr_map + TC_BLOCK_MAPS > TC_MAPS || tc->used + TC_BLOCK_ROOM > TC_CODE_SIZE ||
        tc->nr_text + sizeof(text) > TC_TEXT || tc->nr_pages + 2 > TC_PAGES)
        drop(v);
    t.at = tc->used;
    t.map = &tc->map[tc->nr_map];
    n = fetch(v, rip, text, sizeof(text));
    if (n)
        len = translate_block(&t, rip, text, n);
    if (n && !len && n < INSN_MAX_LEN) { /* it ends in the next page */
        n += fetch(v, rip + n, text + n, INSN_MAX_LEN);
        t.size = t.nr_map = 0;
        len = translate_block(&t, rip, text, n);
    }
    if (!len)
        return NULL;
    if (!tc_code_write(v->domain, t.at, code, t.size)) {
        domain_crash(v, "there is no memory for its translations");
        return NULL;
    }
    b = &tc->block[tc->nr_blocks];
    *b = (struct tc_block){ .rip = rip,
                            .at = t.at,
                            .size = t.size,
                            .text = tc->nr_text,
                            .len = (uint16_t)len,
                            .map = tc->nr_map,
                            .nr_map = t.nr_map,
                            .next = *hash_list(tc, rip) };
    memcpy(tc->text + tc->nr_text, text, len);
    tc->nr_text += len;
    *hash_list(tc, rip) = ++tc->nr_blocks;
    tc->used += t.size;
    tc->nr_map += t.nr_map;
    tc->count.blocks++;
    tc->count.bytes += len;
    tc->count.product_bytes += t.size;
    return b;
}

/* Who has asked for the block finds it by itself from now on. */
static void connect(struct vcpu *v, struct tc_block *b)
{
    struct tc *tc = v->domain->hvm->tc;

    if (!tc->wants_block)
        return;
    tc->wants_block = false;
    if (tc->indirect) {
        b->looked_up = tc_table_set(v->domain, b->rip, TC_CODE + b->at);
        tc->count.looked_up++;
    } else if (tc->from) {
        const struct tc_map *m = &tc->map[tc->from - 1];
        const uint32_t end = m->at - m->link, rel = b->at - end;

        if (m->link != TC_NO_LINK && m->rip == b->rip && tc_code_write(v->domain, end - 4, &rel, sizeof(rel))) {
            b->links++;
            tc->count.chained++;
        }
    }
}

/* ---------------------------------------------------------------------------------------------------- in and out -- */

bool tc_enter(struct vcpu *v, bool interrupts_on, bool pending)
{
    struct cpu_state *r = v->regs;
    struct tc *tc = v->domain->hvm->tc;
    const bool at_exit = r->exit_rip == r->rip;
    const bool written = shadow_text_lost(v->domain);
    uint32_t at;

    if (tc->look && !is_there(v))
        drop(v);
    else if (written)
        compare(v);
    tc->look = false;
    if (r->rflags & X86_EFLAGS_TF) {
        tc->wants_block = false;
        return false;
    }
    if (tc->resumes && tc->resume_rip == r->rip) {
        at = tc->resume_at;
    } else {
        struct tc_block *b = find(tc, r->rip);

        if (!b)
            b = make(v, r->rip);
        if (!b) {
            tc->wants_block = false;
            return false;
        }
        connect(v, b);
        b->entered++;
        tc->count.entered++;
        at = b->at;
    }
    tc->resumes = false;
    tc_word_set(v->domain, TC_IF, interrupts_on ? TC_IF_SET : 0);
    tc_word_set(v->domain, TC_PENDING, pending && !interrupts_on);
    r->rip = TC_CODE + at;
    if (at_exit)
        r->exit_rip = r->rip;
    return true;
}

bool tc_leave(struct vcpu *v, const struct sim_exit *e)
{
    struct cpu_state *r = v->regs;
    struct tc *tc = v->domain->hvm->tc;
    const struct tc_map *m = map_find(tc, r->rip - TC_CODE);
    const uint32_t at = (uint32_t)(r->rip - TC_CODE);
    const bool at_exit = r->exit_rip == r->rip;

    if (!m) {
        domain_crash(v, "it has run to %#lx, where no translation begins", (unsigned long)r->rip);
        return false;
    }
    tc->middle = m->kind == TC_MIDDLE || m->kind == TC_SAVED;
    tc->wants_block = e->kind == EXIT_EXCEPTION && e->exception.vector == X86_EXC_UD && m->out &&
                      (m->kind == TC_TARGET || m->kind == TC_INDIRECT);
    tc->from = tc->wants_block ? (uint32_t)(m - tc->map) + 1 : 0;
    tc->indirect = m->kind == TC_INDIRECT;
    tc->resumes = !tc->wants_block;
    tc->resume_at = at;
    if (m->kind == TC_INDIRECT)
        r->rip = tc_word(v->domain, TC_TO);
    else if (!tc->middle)
        r->rip = m->rip;
    else if (e->kind != EXIT_STOP) {
        take_back(v, m);
        tc->resumes = false;
    }
    tc->resume_rip = r->rip;
    if (at_exit)
        r->exit_rip = r->rip;
    return tc_word(v->domain, TC_IF) & TC_IF_SET;
}

bool tc_wanted_block(const struct vcpu *v) { return v->domain->hvm->tc && v->domain->hvm->tc->wants_block; }

void tc_mappings_changed(struct vcpu *v)
{
    if (v->domain->hvm->tc)
        v->domain->hvm->tc->look = true;
}
