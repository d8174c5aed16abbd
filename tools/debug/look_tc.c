// SPDX-License-Identifier: GPL-2.0-or-later
/* Looking at translations, see tools/debug/look_tc.h. */
#include "tools/debug/look_tc.h"

#include "mmu/guest_access.h"
#include "sim/insn.h"
#include "tools/debug/look_private.h"
#include "vcpu/five/tc.h"

#include <stdio.h>
#include <string.h>

static const struct tc *tc_of(struct host *h, domid_t dom)
{
    const struct domain *d = look_domain_of(h, dom);

    return d && is_hvm_domain(d) ? d->hvm->tc : NULL;
}

static const struct tc_block *block_of(struct host *h, domid_t dom, uint32_t nr)
{
    const struct tc *tc = tc_of(h, dom);

    return tc && nr < tc->nr_blocks ? &tc->block[nr] : NULL;
}

bool look_tc(struct host *h, domid_t dom, struct look_tc *out)
{
    const struct tc *tc = tc_of(h, dom);

    if (!tc)
        return false;
    *out = (struct look_tc){ .nr_blocks = tc->nr_blocks,
                             .blocks = tc->count.blocks,
                             .bytes = tc->count.bytes,
                             .product_bytes = tc->count.product_bytes,
                             .entered = tc->count.entered,
                             .chained = tc->count.chained,
                             .looked_up = tc->count.looked_up,
                             .died = tc->count.died,
                             .dropped = tc->count.dropped };
    return true;
}

bool look_tc_block(struct host *h, domid_t dom, uint32_t nr, struct look_tc_block *out)
{
    const struct tc_block *b = block_of(h, dom, nr);

    if (!b)
        return false;
    *out = (struct look_tc_block){ .rip = b->rip,
                                   .product = TC_CODE + b->at,
                                   .len = b->len,
                                   .size = b->size,
                                   .nr_lines = b->dead ? 2 : b->nr_map,
                                   .dead = b->dead,
                                   .looked_up = b->looked_up,
                                   .entered = b->entered,
                                   .links = b->links };
    return true;
}

bool look_tc_find(struct host *h, domid_t dom, uint64_t rip, uint32_t *nr)
{
    const struct tc *tc = tc_of(h, dom);
    bool found = false;

    for (uint32_t i = 0; tc && i < tc->nr_blocks; i++) {
        const struct tc_block *b = &tc->block[i];

        if (!b->dead && rip - b->rip < b->len && (!found || b->rip > tc->block[*nr].rip)) {
            *nr = i;
            found = true;
        }
    }
    return found;
}

/* One instruction, as text without its address. */
static void disassemble(struct host *h, const uint8_t *bytes, size_t n, uint64_t addr, char text[LOOK_TEXT])
{
    const struct cpu_state st = {
        .rip = addr, .seg[CPU_SEG_CS].attr = SEG_ATTR_L, .efer = EFER_LMA, .cr0 = X86_CR0_PE
    };
    const struct insn in = insn_decode(host_xen(h)->machine->edges->decoder, &st, bytes, n);

    snprintf(text, LOOK_TEXT, "%.63s", in.op == INSN_INVALID ? "(unknown)" : in.text);
}

/* n bytes of the product at offset `at`: how many there are. */
static size_t product(struct host *h, const struct tc *tc, uint32_t at, uint8_t *bytes, size_t n)
{
    size_t got = 0;

    for (; got < n && at + got < tc->used; got++) {
        const mfn_t mfn = tc->code[(at + got) / PAGE_SIZE];

        bytes[got] = ((const uint8_t *)mfn_to_virt(host_xen(h)->machine, mfn))[(at + got) % PAGE_SIZE];
    }
    return got;
}

size_t look_tc_read(struct host *h, domid_t dom, uint64_t va, uint8_t *bytes, size_t n)
{
    const struct tc *tc = tc_of(h, dom);

    return tc && va - TC_CODE < tc->used ? product(h, tc, (uint32_t)(va - TC_CODE), bytes, n) : 0;
}

bool look_tc_line(struct host *h, domid_t dom, uint32_t nr, uint32_t line, struct look_tc_line *out)
{
    static const char *const states[] = { [TC_INSN] = "as there",
                                          [TC_MIDDLE] = "taken back",
                                          [TC_SAVED] = "taken back; RAX, RCX, RDX from words",
                                          [TC_TARGET] = "gone there",
                                          [TC_INDIRECT] = "gone to where it was looked up" };
    const struct tc *tc = tc_of(h, dom);
    const struct tc_block *b = block_of(h, dom, nr);
    const struct tc_map *m;
    uint8_t bytes[INSN_MAX_LEN];

    if (!b || line >= (b->dead ? 2 : b->nr_map))
        return false;
    m = &tc->map[b->map + line];
    *out = (struct look_tc_line){ .at = TC_CODE + m->at, .rip = m->rip, .state = states[m->kind] };
    out->begins = m->kind == TC_INSN && (!line || m[-1].rip != m->rip || m[-1].kind == TC_TARGET) && !b->dead;
    if (out->begins && m->rip - b->rip < b->len)
        disassemble(h, tc->text + b->text + (m->rip - b->rip), b->len - (m->rip - b->rip), m->rip, out->source);
    disassemble(h, bytes, product(h, tc, m->at, bytes, sizeof(bytes)), out->at, out->text);
    if (m->out)
        snprintf(out->text, LOOK_TEXT, "ud2");
    return true;
}
