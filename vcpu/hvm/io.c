// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IN, OUT, INS and OUTS of an HVM guest.
 *
 * Concept: whether code may reach a port at all is the guest's own affair: CPL against IOPL, then the bit map in its
 * TSS. The engine leaves that to the hypervisor. Then the port has somebody who answers, or nobody: what nobody answers
 * reads as all ones, and swallows what is written. String instructions are carried out an element at a time, and stay
 * restartable: RCX, RSI and RDI are as far as they have come when an access to memory faults, or the vCPU's share of
 * work is done.
 *
 * Port 0xe9 (XEN_HVM_DEBUGCONS_IOPORT): characters for Xen's console, as those of console_io.
 *
 * Sources: AMD APM volume 2, 12.2.5 (the I/O permission map); volume 3 (IN, INS); public hvm/e820.h and
 * arch/x86/hvm/hvm.c:hvm_print_line() for the debug port.
 */
#include "mmu/guest_access.h"
#include "sim/insn.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/hypercall.h"

#include <string.h>

#define DEBUG_PORT 0xe9

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

static uint32_t port_read(struct vcpu *v, unsigned int port, unsigned int size)
{
    if (port == DEBUG_PORT && size == 1)
        return DEBUG_PORT; /* by which programs know that it is there */
    return size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
}

static void port_write(struct vcpu *v, unsigned int port, unsigned int size, uint32_t val)
{
    if (port == DEBUG_PORT && size == 1)
        guest_console_write(v->domain, &(const char){ (char)val }, 1);
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

/* One element; false: a fault was delivered. */
static bool string_one(struct vcpu *v, const struct sim_exit *exit, unsigned int seg, uint64_t mask)
{
    struct cpu_state *r = v->regs;
    uint64_t *reg = exit->io.in ? &r->rdi : &r->rsi;
    const bool code64 = r->efer & EFER_LMA && r->seg[CPU_SEG_CS].attr & SEG_ATTR_L;
    const uint64_t base = !code64 || seg == CPU_SEG_FS || seg == CPU_SEG_GS ? r->seg[seg].base : 0;
    const uint64_t addr = base + masked(*reg, mask);
    const unsigned int size = exit->io.size;
    struct hvm_fault f;
    uint32_t val = 0;

    if (exit->io.in)
        val = port_read(v, exit->io.port, size);
    if (!hvm_linear(v, addr, &val, size, exit->io.in ? HVM_ACCESS_WRITE : HVM_ACCESS_READ, r->cpl == 3, &f)) {
        if (f.vector == X86_EXC_PF)
            hvm_inject_page_fault(v, f.addr, f.error_code);
        else
            hvm_inject_hw_exception(v, X86_EXC_GP, 0);
        return false;
    }
    if (!exit->io.in)
        port_write(v, exit->io.port, size, val);
    advance(reg, mask, r->rflags & X86_EFLAGS_DF ? -(int64_t)size : (int64_t)size);
    return true;
}

static void string_io(struct vcpu *v, const struct sim_exit *exit, const struct insn_prefixes *p, unsigned int len,
                      unsigned int seg)
{
    struct cpu_state *r = v->regs;
    const unsigned int bits = insn_code_bits(r), width = bits == 64               ? (p->p67 ? 32 : 64)
                                                         : (bits == 32) != p->p67 ? 32
                                                                                  : 16;
    const uint64_t mask = width == 64 ? ~UINT64_C(0) : (UINT64_C(1) << width) - 1;
    const bool rep = p->rep || p->repne;

    while (!rep || masked(r->rcx, mask)) {
        if (!string_one(v, exit, seg, mask))
            return;
        if (!rep)
            break;
        advance(&r->rcx, mask, -1);
        if (hypercall_preempt_check(v) && masked(r->rcx, mask))
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

    if (!port_allowed(v, exit->io.port, exit->io.size)) {
        hvm_inject_hw_exception(v, X86_EXC_GP, 0);
        return;
    }
    if (exit->io.string) {
        string_io(v, exit, &p, p.nr + 1u, string_segment(code, &p, exit->io.in));
        return;
    }
    if (exit->io.in)
        in_done(r, exit->io.size, port_read(v, exit->io.port, exit->io.size));
    else
        port_write(v, exit->io.port, exit->io.size, (uint32_t)r->rax);
    hvm_insn_done(v, p.nr + (p.nr < n && code[p.nr] & 8 ? 1u : 2u)); /* E4 to E7 name the port, EC to EF take DX */
}
