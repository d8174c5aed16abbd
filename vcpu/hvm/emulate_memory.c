// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers and memory for instructions that are carried out in the processor's place.
 *
 * Concept: a place is found and allowed before it is read or written, a page at a time: one half of an operand may be
 * RAM, the other a device's. Finding it can fault, reading and writing can only have to wait. Of a write, devices get
 * their part first: what they are waited for is begun anew, and RAM must not have changed by then.
 */
#include "vcpu/hvm/emulate.h"

#include "mmu/guest_access.h"
#include "mmu/hvm/p2m.h"
#include "sim/frame.h"
#include "vcpu/hvm/descriptor.h"

#include <string.h>

/* ----------------------------------------------------------------------------------------------------- registers -- */

static bool is_high_byte(const struct emul *e, unsigned int nr, unsigned int size)
{
    return size == 1 && !e->in.p.rex && nr >= 4;
}

uint64_t emul_reg(const struct emul *e, unsigned int nr, unsigned int size)
{
    return is_high_byte(e, nr, size) ? e->r->gpr[nr - 4] >> 8 & 0xff : hvm_cut(e->r->gpr[nr], size);
}

void emul_set_reg(struct emul *e, unsigned int nr, unsigned int size, uint64_t val)
{
    if (is_high_byte(e, nr, size))
        memcpy((uint8_t *)&e->r->gpr[nr - 4] + 1, &val, 1);
    else if (size == 4)
        e->r->gpr[nr] = (uint32_t)val;
    else
        memcpy(&e->r->gpr[nr], &val, size);
}

/* -------------------------------------------------------------------------------------------------------- memory -- */

bool emul_fault(struct emul *e, unsigned int vector, uint32_t error_code)
{
    hvm_inject_hw_exception(e->v, vector, error_code);
    return false;
}

uint64_t emul_linear(const struct emul *e, unsigned int seg, uint64_t offset)
{
    const uint64_t base = e->r->seg[seg].base;

    if (e->in.code_bits == 64)
        return offset + (seg == CPU_SEG_FS || seg == CPU_SEG_GS ? base : 0);
    return (uint32_t)(base + offset);
}

/* Where the nested tables refuse: whose is it? */
static bool not_ram(struct emul *e, uint64_t gpa, struct emul_part *part)
{
    p2m_type_t t;

    p2m_get_entry(e->v->domain, PFN_DOWN(gpa), &t);
    if (t == p2m_grant_map_ro)
        return emul_fault(e, X86_EXC_GP, 0);
    part->kind = t == p2m_mmio_dm || t == p2m_mmio_direct ? PART_MMIO : PART_LOST;
    part->at = gpa;
    return true;
}

static bool find_part(struct emul *e, uint64_t va, bool write, struct emul_part *part)
{
    const uint32_t access = (write ? PFEC_write_access : 0) | (e->r->cpl == 3 ? PFEC_user_mode : 0);
    struct nested_walk w;

    if (hvm_walk(e->v, va, access, &w) == NESTED_OK) {
        part->kind = PART_RAM;
        part->at = w.phys;
        return true;
    }
    if (w.result == NESTED_PF) {
        hvm_inject_page_fault(e->v, va, w.error_code);
        return false;
    }
    if (hvm_guard_ends(e->v->domain, w.gpa))
        return find_part(e, va, write, part);
    if (!w.table)
        return not_ram(e, w.gpa, part);
    domain_crash(e->v, "a page table at guest-physical %#lx, where there is no memory", (unsigned long)w.gpa);
    return false;
}

bool emul_place(struct emul *e, unsigned int seg, uint64_t offset, unsigned int n, bool write, struct emul_place *p)
{
    const uint64_t va = emul_linear(e, seg, offset);
    const bool long_mode = e->r->efer & EFER_LMA;

    if (e->in.code_bits != 64 && !hvm_segment_allows(e->r, &e->r->seg[seg], offset, n, write))
        return emul_fault(e, seg == CPU_SEG_SS ? X86_EXC_SS : X86_EXC_GP, 0);
    if (long_mode && (!is_canonical(va) || !is_canonical(va + n - 1)))
        return emul_fault(e, seg == CPU_SEG_SS ? X86_EXC_SS : X86_EXC_GP, 0);
    *p = (struct emul_place){ .n = n };
    for (unsigned int done = 0; done < n; p->nr++) {
        struct emul_part *part = &p->part[p->nr];
        const uint64_t at = long_mode ? va + done : (uint32_t)(va + done), room = PAGE_SIZE - PAGE_OFFSET(at);

        if (!find_part(e, at, write, part))
            return false;
        part->n = room < n - done ? (unsigned int)room : n - done;
        done += part->n;
    }
    return true;
}

bool emul_operand(struct emul *e, unsigned int n, bool write, struct emul_place *p)
{
    return emul_place(e, e->in.seg, e->in.offset, n, write, p);
}

/* Accesses to a device are of 8, 4, 2 or 1 bytes, the widest first. */
static bool device(struct emul *e, const struct emul_part *part, bool write, uint8_t *buf)
{
    for (unsigned int done = 0, size; done < part->n; done += size) {
        uint64_t data = 0;

        for (size = 8; size > part->n - done; size /= 2)
            ;
        if (write)
            memcpy(&data, buf + done, size);
        if (hvm_mmio_access(e->v, part->at + done, size, write, &data) == HVM_IO_WAIT)
            return false;
        if (!write)
            memcpy(buf + done, &data, size);
    }
    return true;
}

bool emul_read(struct emul *e, const struct emul_place *p, void *buf)
{
    struct machine *m = e->v->domain->xen->machine;
    uint8_t *to = buf;

    for (unsigned int i = 0; i < p->nr; to += p->part[i++].n) {
        const struct emul_part *part = &p->part[i];

        if (part->kind == PART_MMIO && !device(e, part, false, to))
            return false;
        if (part->kind == PART_RAM)
            memcpy(to, (const uint8_t *)mfn_to_virt(m, _mfn(PFN_DOWN(part->at))) + PAGE_OFFSET(part->at), part->n);
    }
    return true;
}

bool emul_write(struct emul *e, const struct emul_place *p, const void *buf)
{
    struct machine *m = e->v->domain->xen->machine;
    uint8_t *from = (uint8_t *)(uintptr_t)buf;

    for (unsigned int i = 0; i < p->nr; from += p->part[i++].n)
        if (p->part[i].kind == PART_MMIO && !device(e, &p->part[i], true, from))
            return false;
    from = (uint8_t *)(uintptr_t)buf;
    for (unsigned int i = 0; i < p->nr; from += p->part[i++].n) {
        const struct emul_part *part = &p->part[i];
        const mfn_t mfn = _mfn(PFN_DOWN(part->at));

        if (part->kind != PART_RAM)
            continue;
        memcpy((uint8_t *)frame_write_begin(m, mfn) + PAGE_OFFSET(part->at), from, part->n);
        frame_write_end(m, mfn);
    }
    return true;
}
