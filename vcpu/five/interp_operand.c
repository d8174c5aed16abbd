// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operands of instructions: registers, memory, the stack.
 *
 * A register of 32 bits that is written is cleared above, one of 8 or 16 is not; of 8 bits there are AH CH DH BH, too.
 */
#include "vcpu/five/interp.h"

uint64_t interp_reg(const struct interp *i, unsigned int reg, unsigned int size)
{
    if (reg & INTERP_HIGH)
        return i->r->gpr[reg & 3] >> 8 & 0xff;
    return i->r->gpr[reg] & interp_mask(size);
}

/* What is written with 32 bits is cleared above. */
void interp_set_reg(struct interp *i, unsigned int reg, unsigned int size, uint64_t val)
{
    uint64_t *to = &i->r->gpr[reg & 15];

    if (reg & INTERP_HIGH)
        i->r->gpr[reg & 3] = (i->r->gpr[reg & 3] & ~UINT64_C(0xff00)) | (val & 0xff) << 8;
    else if (size >= 4)
        *to = val & interp_mask(size);
    else
        *to = (*to & ~interp_mask(size)) | (val & interp_mask(size));
}

uint64_t interp_offset(const struct interp *i, const struct interp_insn *in)
{
    uint64_t at = (uint64_t)in->disp;

    if (in->base == INTERP_RIP)
        at += i->r->rip + in->len;
    else if (in->base != INTERP_NONE)
        at += i->r->gpr[in->base];
    if (in->index != INTERP_NONE)
        at += i->r->gpr[in->index] << in->scale;
    return in->address_size == 8 ? at : (uint32_t)at;
}

uint64_t interp_linear(const struct interp *i, const struct interp_insn *in, uint64_t offset)
{
    const uint64_t at = in->segment ? i->r->seg[in->segment].base + offset : offset;

    return interp_is_64(i->r) ? at : (uint32_t)at;
}

uint64_t interp_address(const struct interp *i, const struct interp_insn *in)
{
    return interp_linear(i, in, interp_offset(i, in));
}

bool interp_on_stack(const struct interp_insn *in) { return (in->base == 4 || in->base == 5) && !in->segment; }

bool interp_get_rm(struct interp *i, const struct interp_insn *in, unsigned int size, uint64_t *val)
{
    if (in->is_mem)
        return interp_load(i, interp_address(i, in), size, val, interp_on_stack(in));
    *val = interp_reg(i, in->rm, size);
    return true;
}

bool interp_modify(struct interp *i, uint64_t va, unsigned int size, uint64_t *val, bool stack)
{
    return interp_page(i, va, INTERP_WRITE, stack) && interp_load(i, va, size, val, stack);
}

bool interp_modify_rm(struct interp *i, const struct interp_insn *in, uint64_t *val)
{
    if (in->is_mem)
        return interp_modify(i, interp_address(i, in), in->size, val, interp_on_stack(in));
    *val = interp_reg(i, in->rm, in->size);
    return true;
}

bool interp_set_rm(struct interp *i, const struct interp_insn *in, unsigned int size, uint64_t val)
{
    if (in->is_mem)
        return interp_store(i, interp_address(i, in), size, val, interp_on_stack(in));
    interp_set_reg(i, in->rm, size, val);
    return true;
}

uint64_t interp_stack_at(const struct interp *i, uint64_t rsp) { return interp_is_64(i->r) ? rsp : (uint32_t)rsp; }

bool interp_push(struct interp *i, unsigned int size, uint64_t val)
{
    const uint64_t rsp = interp_stack_at(i, i->r->rsp - size);

    if (!interp_store(i, rsp, size, val, true))
        return false;
    i->r->rsp = rsp;
    return true;
}

/* What is on top of the stack; RSP stays. */
bool interp_top(struct interp *i, unsigned int size, uint64_t *val)
{
    return interp_load(i, interp_stack_at(i, i->r->rsp), size, val, true);
}
