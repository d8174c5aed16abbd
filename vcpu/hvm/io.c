// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IN, OUT, INS and OUTS of an HVM guest.
 *
 * Concept: whether code may reach a port at all is the guest's own affair: CPL against IOPL, then the bit map in its
 * TSS. The engine leaves that to the hypervisor. Then somebody answers at the port, or nobody (intercept.h): what
 * nobody answers reads as all ones, and swallows what is written.
 *
 * String instructions are carried out an element at a time, and stay restartable: RCX, RSI and RDI are as far as they
 * have come when an access to memory faults, a device model is asked, or the vCPU's share of work is done. A device
 * model is asked for as many elements at once as lie in one page, and reaches the guest's memory itself.
 *
 * Sources: AMD APM volume 2, 12.2.5 (the I/O permission map); volume 3 (IN, INS); public hvm/e820.h and
 * arch/x86/hvm/hvm.c:hvm_print_line() for the debug port.
 */
#include "mmu/guest_access.h"
#include "sim/insn.h"
#include "vcpu/hvm/descriptor.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/hypercall.h"

#include <string.h>

/* May it be reached? A fault of looking is delivered. */
static bool port_allowed(struct vcpu *v, unsigned int port, unsigned int size)
{
    const struct cpu_state *r = v->regs;
    const unsigned int iopl = (r->rflags & X86_EFLAGS_IOPL) >> 12;
    struct hvm_fault f;
    uint16_t at, bits;

    if (!(r->cr0 & X86_CR0_PE) || (r->cpl <= iopl && !(r->rflags & X86_EFLAGS_VM)))
        return true;
    if (!(r->tr.attr & 8) || r->tr.limit < 0x67) /* a 16-bit TSS has no map */
        return false;
    if (!hvm_linear(v, r->tr.base + 0x66, &at, 2, HVM_ACCESS_READ, false, &f) || at + port / 8 + 1u > r->tr.limit ||
        !hvm_linear(v, r->tr.base + at + port / 8, &bits, 2, HVM_ACCESS_READ, false, &f))
        return false;
    return !(bits >> port % 8 & ((1u << size) - 1));
}

/* ------------------------------------------------------------------------------------------------ instructions -- */

/* IN writes AL, AX or EAX, the last with zeroes above it. */
static void in_done(struct cpu_state *r, unsigned int size, uint32_t val)
{
    if (size == 4)
        r->rax = val;
    else
        memcpy(&r->rax, &val, size);
}

static uint64_t masked(uint64_t val, uint64_t mask) { return val & mask; }

static void advance(uint64_t *reg, uint64_t mask, int64_t by)
{
    *reg = mask == UINT32_MAX ? (uint32_t)(*reg + (uint64_t)by) : (*reg & ~mask) | ((*reg + (uint64_t)by) & mask);
}

/* What a string instruction is about. */
struct string_io {
    unsigned int port, size, seg;
    bool in, rep, down;
    uint64_t mask; /* of the address's size */
};

static uint64_t string_address(const struct cpu_state *r, const struct string_io *s)
{
    const bool code64 = r->efer & EFER_LMA && r->seg[CPU_SEG_CS].attr & SEG_ATTR_L;
    const uint64_t base = !code64 || s->seg == CPU_SEG_FS || s->seg == CPU_SEG_GS ? r->seg[s->seg].base : 0;

    return base + masked(s->in ? r->rdi : r->rsi, s->mask);
}

static void string_advance(struct cpu_state *r, const struct string_io *s, uint32_t count)
{
    const int64_t by = (int64_t)count * s->size;

    advance(s->in ? &r->rdi : &r->rsi, s->mask, s->down ? -by : by);
    if (s->rep)
        advance(&r->rcx, s->mask, -(int64_t)count);
}

/* How many elements a device model can be asked for at once, the first at linear address addr; 0: none lies whole. */
static uint32_t string_count(const struct cpu_state *r, const struct string_io *s, uint64_t addr)
{
    const uint64_t left = s->rep ? masked(r->rcx, s->mask) : 1;
    uint64_t room = s->down ? PAGE_OFFSET(addr) / s->size + 1 : (PAGE_SIZE - PAGE_OFFSET(addr)) / s->size;

    if (PAGE_OFFSET(addr) + s->size > PAGE_SIZE)
        return 0;
    if (s->mask != ~UINT64_C(0)) { /* nor does the register wrap on the way */
        const uint64_t at = masked(s->in ? r->rdi : r->rsi, s->mask);
        const uint64_t before_wrap = s->down ? at / s->size + 1 : (s->mask - at) / s->size;

        room = before_wrap < room ? before_wrap : room;
    }
    return (uint32_t)(left < room ? left : room);
}

/* Does its segment allow the next so many elements? */
static bool string_allowed(const struct cpu_state *r, const struct string_io *s, uint32_t count)
{
    const uint64_t offset = masked(s->in ? r->rdi : r->rsi, s->mask), back = s->down ? (count - 1) * s->size : 0;

    return insn_code_bits(r) == 64 || !count ||
           (offset >= back && hvm_segment_allows(r, &r->seg[s->seg], offset - back, count * s->size, s->in));
}

/* The memory operand of one element: *val from it, or to it. */
static enum hvm_io string_memory(struct vcpu *v, const struct string_io *s, uint64_t addr, uint32_t *val, bool *faulted)
{
    struct hvm_fault f;
    uint64_t wide = *val;
    enum hvm_io rc;

    if (hvm_linear(v, addr, val, s->size, s->in ? HVM_ACCESS_WRITE : HVM_ACCESS_READ, v->regs->cpl == 3, &f))
        return HVM_IO_DONE;
    if (f.vector == HVM_NO_MEMORY) { /* of a device, too */
        rc = hvm_mmio_access(v, f.addr, s->size, s->in, &wide);
        *val = (uint32_t)wide;
        return rc;
    }
    hvm_inject_fault(v, &f);
    *faulted = true;
    return HVM_IO_DONE;
}

/* One element, or as many as can be had at once. HVM_IO_WAIT; or *faulted: a fault was delivered. */
static enum hvm_io string_some(struct vcpu *v, const struct string_io *s, bool *faulted)
{
    struct cpu_state *r = v->regs;
    const uint64_t addr = string_address(r, s);
    uint32_t count = string_count(r, s, addr), val = 0;
    struct hvm_fault f = { 0 };
    uint64_t gpa = 0;

    if (!string_allowed(r, s, 1)) {
        hvm_inject_hw_exception(v, s->seg == CPU_SEG_SS ? X86_EXC_SS : X86_EXC_GP, 0);
        *faulted = true;
        return HVM_IO_DONE;
    }
    if (!string_allowed(r, s, count))
        count = 0;
    if (!hvm_linear_to_gpa(v, addr, s->in ? HVM_ACCESS_WRITE : HVM_ACCESS_READ, r->cpl == 3, &gpa, &f) &&
        f.vector != HVM_NO_MEMORY) {
        hvm_inject_fault(v, &f); /* before the device hears of it */
        *faulted = true;
        return HVM_IO_DONE;
    }
    if (count && f.vector != HVM_NO_MEMORY && !hvm_port_is_internal(v, s->port, s->size)) {
        struct hvm_io_op op = { .port = true, .addr = s->port, .size = (uint8_t)s->size, .write = !s->in };

        op.count = count, op.df = s->down, op.data = gpa, op.data_is_ptr = true;
        if (hvm_io_access(v, &op) == HVM_IO_WAIT)
            return HVM_IO_WAIT;
    } else {
        count = 1;
        if (s->in && hvm_port_access(v, s->port, s->size, false, &val) == HVM_IO_WAIT)
            return HVM_IO_WAIT;
        if (string_memory(v, s, addr, &val, faulted) == HVM_IO_WAIT)
            return HVM_IO_WAIT;
        if (*faulted)
            return HVM_IO_DONE;
        if (!s->in && hvm_port_access(v, s->port, s->size, true, &val) == HVM_IO_WAIT)
            return HVM_IO_WAIT;
    }
    string_advance(r, s, count);
    hvm_io_forget(v);
    return HVM_IO_DONE;
}

static void string_io(struct vcpu *v, const struct sim_exit *exit, const struct insn_prefixes *p, unsigned int len,
                      unsigned int seg)
{
    const struct cpu_state *r = v->regs;
    const unsigned int bits = insn_code_bits(r), width = bits == 64               ? (p->p67 ? 32 : 64)
                                                         : (bits == 32) != p->p67 ? 32
                                                                                  : 16;
    const struct string_io s = { .port = exit->io.port,
                                 .size = exit->io.size,
                                 .seg = seg,
                                 .in = exit->io.in,
                                 .rep = p->rep || p->repne,
                                 .down = r->rflags & X86_EFLAGS_DF,
                                 .mask = width == 64 ? ~UINT64_C(0) : (UINT64_C(1) << width) - 1 };
    bool faulted = false;

    while (!s.rep || masked(r->rcx, s.mask)) {
        if (string_some(v, &s, &faulted) == HVM_IO_WAIT || faulted)
            return;
        if (!s.rep)
            break;
        if (hypercall_preempt_check(v) && masked(r->rcx, s.mask))
            return; /* it is executed again */
    }
    hvm_insn_done(v, len);
}

/* The segment that OUTS reads from; INS writes to ES. */
static unsigned int string_segment(const uint8_t *code, const struct insn_prefixes *p, bool in)
{
    unsigned int seg = in ? CPU_SEG_ES : CPU_SEG_DS;

    for (unsigned int i = 0; i < p->nr && !in; i++)
        switch (code[i]) {
        case 0x26: seg = CPU_SEG_ES; break;
        case 0x2e: seg = CPU_SEG_CS; break;
        case 0x36: seg = CPU_SEG_SS; break;
        case 0x3e: seg = CPU_SEG_DS; break;
        case 0x64: seg = CPU_SEG_FS; break;
        case 0x65: seg = CPU_SEG_GS; break;
        }
    return seg;
}

void hvm_port_io(struct vcpu *v, const struct sim_exit *exit)
{
    struct cpu_state *r = v->regs;
    uint8_t code[INSN_MAX_LEN] = { 0 };
    const size_t n = guest_fetch_insn(v, insn_linear_rip(r), code, sizeof(code));
    const struct insn_prefixes p = insn_prefixes(code, n, insn_code_bits(r) == 64);
    uint32_t val = (uint32_t)r->rax;

    if (!port_allowed(v, exit->io.port, exit->io.size)) {
        hvm_inject_hw_exception(v, X86_EXC_GP, 0);
        return;
    }
    if (exit->io.string) {
        string_io(v, exit, &p, p.nr + 1u, string_segment(code, &p, exit->io.in));
        return;
    }
    if (hvm_port_access(v, exit->io.port, exit->io.size, !exit->io.in, &val) == HVM_IO_WAIT)
        return;
    if (exit->io.in)
        in_done(r, exit->io.size, val);
    hvm_insn_done(v, p.nr + (p.nr < n && code[p.nr] & 8 ? 1u : 2u)); /* E4 to E7 name the port, EC to EF take DX */
}
