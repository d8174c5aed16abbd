// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Descriptors of an HVM guest's GDT and LDT.
 *
 *      63    56 55 54 53 52 51   48 47 46 45 44 43  40 39         16 15        0
 *      base     G  D  L  -  limit   P  DPL   S  type   base          limit
 *      31..24                19..16                    23..0          15..0
 *
 * Source: AMD APM volume 2, 4.7 and 4.8.
 */
#include "vcpu/hvm/descriptor.h"

static struct cpu_segment segment_of(uint16_t sel, uint64_t desc)
{
    const uint32_t lo = (uint32_t)desc, hi = (uint32_t)(desc >> 32);
    const uint32_t limit = (lo & 0xffff) | (hi & 0xf0000);

    return (struct cpu_segment){
        .sel = sel,
        .base = lo >> 16 | (hi & 0xff) << 16 | (hi & 0xff000000),
        .limit = hi & _SEGMENT_G ? limit << 12 | 0xfff : limit,
        .attr = (uint16_t)((hi >> 8 & 0xff) | (hi >> 12 & 0xf00)),
    };
}

static uint64_t place(const struct cpu_state *r, uint16_t sel)
{
    return (sel & 4 ? r->ldtr.base : r->gdtr.base) + (sel & 0xfff8);
}

enum hvm_descriptor hvm_descriptor_read(struct vcpu *v, uint16_t sel, struct cpu_segment *s, struct hvm_fault *f)
{
    const struct cpu_state *r = v->regs;
    const uint32_t limit = sel & 4 ? r->ldtr.limit : r->gdtr.limit;
    uint64_t desc;

    if ((sel & 4 && !(r->ldtr.sel & 0xfffc)) || (sel | 7u) > limit)
        return HVM_DESC_NONE;
    if (!hvm_linear(v, place(r, sel), &desc, sizeof(desc), HVM_ACCESS_READ, false, f))
        return HVM_DESC_FAULT;
    *s = segment_of(sel, desc);
    return HVM_DESC_OK;
}

bool hvm_descriptor_type(struct vcpu *v, uint16_t sel, uint8_t set, uint8_t clear, struct hvm_fault *f)
{
    const uint64_t at = place(v->regs, sel) + 5;
    uint8_t type;

    if (!hvm_linear(v, at, &type, 1, HVM_ACCESS_READ, false, f))
        return false;
    type = (uint8_t)((type & ~clear) | set);
    return hvm_linear(v, at, &type, 1, HVM_ACCESS_WRITE, false, f);
}

bool hvm_descriptor_accessed(struct vcpu *v, struct cpu_segment *s, struct hvm_fault *f)
{
    if (!(s->attr & ATTR_S) || s->attr & 1 || !(s->attr & SEG_ATTR_P))
        return true;
    s->attr |= 1;
    return hvm_descriptor_type(v, s->sel, 1, 0, f);
}

bool hvm_segment_allows(const struct cpu_state *r, const struct cpu_segment *s, uint64_t offset, unsigned int size,
                        bool write)
{
    const bool code = s->attr & TYPE_CODE, protected = r->cr0 & X86_CR0_PE && !(r->rflags & X86_EFLAGS_VM);
    const uint64_t last = offset + size - 1;

    if (protected &&
        (!(s->attr & SEG_ATTR_P) || (write && (code || !(s->attr & TYPE_WRITE))) || (code && !(s->attr & TYPE_READ))))
        return false;
    if (protected && !code && s->attr & TYPE_EXPAND)
        return offset > s->limit && last <= (s->attr & SEG_ATTR_D ? UINT32_MAX : 0xffff);
    return last <= s->limit || s->limit == UINT32_MAX;
}
