// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IN, OUT, INS and OUTS of a PV guest.
 *
 * Concept: two questions are asked of every access. Does the guest allow it to the code that makes it: by its virtual
 * IOPL, or by the port bitmap that its kernel has named (physdev.c)? If not, the guest gets its #GP. And does the
 * administrator allow it to the guest? dom0 may reach the machine's devices (xen->board), if it is a guest; no other
 * guest is given ports here, so what it allows finds no device: reads give ones, writes are lost. Five ports are not
 * devices' but the hypervisor's own, and need no leave of the administrator's:
 *
 *      0xcf8 (32 bits)     the PCI address latch, a word a domain; nothing answers behind it at 0xcfc
 *      0x42 0x43 0x61      interval timer, loudspeaker (i8254.c), for domains made with XEN_X86_EMU_PIT: libxl makes none such,
 *                          but this toolstack does, so that there is a timer to play with
 *      0x70                the clock's index, a byte a domain; the clock itself at 0x71 is dom0's
 *
 * An access of several bytes is one to each of several ports. A string instruction is repeated here, up to a share of
 * work; then the guest is back on the instruction, with counter and pointer where they are.
 *
 * Invariant: RIP moves exactly when an instruction is done; a fault leaves it, and what is done, as the processor
 * would.
 *
 * Corresponds to xen/arch/x86/pv/emul-priv-op.c (guest_io_okay to rep_outs).
 */
#include "mmu/guest_access.h"
#include "sim/insn.h"
#include "vcpu/pv/pv.h"

#include <xen/xen.h>

#define PCI_ADDRESS 0xcf8u
#define PCI_DATA    0xcfcu
#define RTC_INDEX   0x70u

/*
 * Does the guest allow it: its own IOPL, or its bitmap? What cannot be read of that forbids. *rule: which of them
 * decided.
 */
static bool io_okay(struct vcpu *v, uint16_t port, unsigned int size, enum trace_rule *rule)
{
    uint8_t bits[2] = { 0xff, 0xff };

    *rule = TRACE_RULE_IOPL;
    if (iopl_ok(v))
        return true;
    if (!v->pv.iobmp_limit)
        return false;
    *rule = TRACE_RULE_IO_BITMAP;
    if (port + size > v->pv.iobmp_limit)
        return false;
    if (pv_copy_from_kernel(v, bits, v->pv.iobmp + port / 8, 2) &&
        pv_copy_from_kernel(v, bits, v->pv.iobmp + port / 8, 1))
        return false;
    return ((bits[0] | bits[1] << 8) >> (port & 7) & ((1u << size) - 1)) == 0;
}

/*
 * Debug registers 0 to 3 that break on an access to these ports, a bit each: since the processor sees none
 * (set_debugreg).
 */
static unsigned int io_breakpoints(const struct vcpu *v, unsigned int port, unsigned int size)
{
    static const uint8_t width[4] = { 1, 2, 8, 4 }; /* DR7's LEN field */
    unsigned int hit = 0;

    for (unsigned int i = 0; i < 4 && v->pv.dr7_emul && (v->pv.ctrlreg[4] & X86_CR4_DE); i++) {
        const uint64_t start = v->regs->dr[i], end = start + width[v->regs->dr[7] >> (18 + 4 * i) & 3];

        if ((v->pv.dr7_emul >> (2 * i) & 3) && start < port + size && end > port)
            hit |= 1u << i;
    }
    return hit;
}

/* --- the ports --- */

static bool is_pit(const struct domain *d, uint16_t port)
{
    return (port == 0x42 || port == 0x43 || port == 0x61) && (d->emulation_flags & XEN_X86_EMU_PIT);
}

/* Channels 0 and 1 have no port that reaches a PV guest, so what 0x43 says of them is lost. */
static void pit_write(struct domain *d, uint16_t port, uint8_t val)
{
    if (port == 0x43 && val < 0x80)
        return;
    i8254_write(&d->pv.pit, port, val, NOW(d->xen));
}

/* Is it an access to one device of the machine's, and dom0's? Byte by byte it would be another. */
static bool is_board(const struct domain *d, uint16_t port)
{
    return is_hardware_domain(d) && d->xen->board && !is_pit(d, port);
}

static bool is_pci_data(uint16_t port, unsigned int size) { return port >= PCI_DATA && port + size <= PCI_DATA + 4u; }

static uint32_t io_read(struct domain *d, uint16_t port, unsigned int size)
{
    const struct xen *xen = d->xen;
    uint32_t data = 0;

    if (port == PCI_ADDRESS && size == 4)
        return d->pv.pci_cf8;
    if (is_board(d, port))
        return is_pci_data(port, size)
                   ? xen->board->pci_config(xen->board_data, d->pv.pci_cf8, port - PCI_DATA, size, NULL)
                   : xen->board->port_read(xen->board_data, port, size);
    for (unsigned int i = 0; i < size; i++, port++) {
        const uint8_t byte = is_pit(d, port)     ? i8254_read(&d->pv.pit, port, NOW(d->xen))
                             : port == RTC_INDEX ? d->pv.cmos_idx
                                                 : 0xff;

        data |= (uint32_t)byte << (8 * i);
    }
    return data;
}

static void io_write(struct domain *d, uint16_t port, unsigned int size, uint32_t data)
{
    const struct xen *xen = d->xen;

    if (port == PCI_ADDRESS && size == 4) {
        d->pv.pci_cf8 = data;
        return;
    }
    if (is_board(d, port)) {
        if (is_pci_data(port, size))
            xen->board->pci_config(xen->board_data, d->pv.pci_cf8, port - PCI_DATA, size, &data);
        else
            xen->board->port_write(xen->board_data, port, size, data);
        return;
    }
    for (; size--; port++, data >>= 8) {
        if (is_pit(d, port))
            pit_write(d, port, (uint8_t)data);
        else if (port == RTC_INDEX)
            d->pv.cmos_idx = (uint8_t)data;
    }
}

/* --- the instruction: prefixes and an opcode, short enough to be told without the decoder --- */

struct io_insn {
    uint8_t len, size; /* bytes: of the instruction, of the access */
    uint8_t addr_size; /* of a string instruction's pointer and counter */
    uint8_t seg;       /* CPU_SEG_* that it uses */
    bool input, string, rep;
    uint16_t port;
};

/* One prefix. False: it is none. */
static bool prefix(uint8_t byte, unsigned int bits, struct io_insn *in)
{
    switch (byte) {
    case 0x66: in->size = bits == 16 ? 4 : 2; return true;
    case 0x67: in->addr_size = bits == 32 ? 2 : 4; return true;
    case 0xf2:
    case 0xf3: in->rep = true; return true;
    case 0x26: in->seg = CPU_SEG_ES; return true;
    case 0x2e: in->seg = CPU_SEG_CS; return true;
    case 0x36: in->seg = CPU_SEG_SS; return true;
    case 0x3e: in->seg = CPU_SEG_DS; return true;
    case 0x64: in->seg = CPU_SEG_FS; return true;
    case 0x65: in->seg = CPU_SEG_GS; return true;
    default: return bits == 64 && (byte & 0xf0) == 0x40; /* REX changes nothing here */
    }
}

/* False: not one of these instructions. */
static bool decode(struct vcpu *v, struct io_insn *in)
{
    const unsigned int bits = insn_code_bits(v->regs);
    uint8_t bytes[INSN_MAX_LEN], op;
    size_t n = guest_fetch_insn(v, insn_linear_rip(v->regs), bytes, sizeof(bytes)), i = 0;

    *in = (struct io_insn){
        .size = bits == 16 ? 2 : 4, .addr_size = (uint8_t)(bits / 8), .seg = CPU_SEG_DS, .port = (uint16_t)v->regs->rdx
    };
    while (i < n && prefix(bytes[i], bits, in))
        i++;
    if (i == n)
        return false;
    op = bytes[i++];
    in->string = (op & 0xfc) == 0x6c;
    in->input = !(op & 2);
    if (!in->string && (op & 0xf4) != 0xe4)
        return false;
    if (!in->string && !(op & 8)) {
        if (i == n)
            return false;
        in->port = bytes[i++];
    }
    if (!(op & 1))
        in->size = 1;
    if (in->string && in->input)
        in->seg = CPU_SEG_ES;
    in->len = (uint8_t)i;
    return true;
}

/* --- string instructions --- */

static uint64_t address_mask(const struct io_insn *in)
{
    return in->addr_size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * in->addr_size)) - 1;
}

static void advance(uint64_t *reg, uint64_t by, const struct io_insn *in)
{
    const uint64_t mask = address_mask(in), sum = (*reg + by) & mask;

    *reg = in->addr_size == 2 ? (*reg & ~mask) | sum
                              : sum; /* a result of 32 bits clears the upper half, of 16 it does not */
}

/* The linear address of the present element. False: an exception was delivered. */
static bool element(struct vcpu *v, const struct io_insn *in, uint64_t offset, uint64_t *addr)
{
    const struct cpu_segment *s = &v->regs->seg[in->seg];
    const bool flat = insn_code_bits(v->regs) == 64, code = s->attr & 0x8, rw = s->attr & 0x2;
    bool ok;

    if (flat) {
        *addr = offset + (in->seg == CPU_SEG_FS || in->seg == CPU_SEG_GS ? s->base : 0);
        ok = is_canonical(*addr) && guest_handle_okay(v, *addr, in->size);
    } else {
        *addr = (uint32_t)(offset + s->base);
        ok = (s->attr & 0x80) && (in->input ? !code && rw : !code || rw) && s->limit >= in->size - 1u &&
             offset <= s->limit - (in->size - 1u);
    }
    if (!ok)
        pv_inject_hw_exception(v, in->seg == CPU_SEG_SS ? X86_EXC_SS : X86_EXC_GP, 0);
    return ok;
}

/* Which of the element's pages made the copy fail, and why. */
static void string_fault(struct vcpu *v, const struct io_insn *in, uint64_t addr)
{
    uint32_t pfec = in->input ? PFEC_write_access : 0, second = pfec;
    const uint64_t next_page = (addr | (PAGE_SIZE - 1)) + 1;

    if (!mfn_eq(guest_walk(v, addr, &pfec), INVALID_MFN)) {
        addr = next_page;
        guest_walk(v, addr, &second);
        pfec = second;
    }
    pv_inject_page_fault(v, addr, pfec);
}

/* Move one element between port and memory. False: an exception was delivered. */
static bool string_step(struct vcpu *v, const struct io_insn *in)
{
    uint64_t *reg = in->input ? &v->regs->rdi : &v->regs->rsi, addr;
    uint32_t data = 0;

    if (!element(v, in, *reg & address_mask(in), &addr))
        return false;
    if (in->input)
        data = io_read(v->domain, in->port, in->size);
    if (in->input ? copy_to_guest(v, addr, &data, in->size) : copy_from_guest(v, &data, addr, in->size)) {
        string_fault(v, in, addr);
        return false;
    }
    if (!in->input)
        io_write(v->domain, in->port, in->size, data);
    advance(reg, v->regs->rflags & X86_EFLAGS_DF ? -(uint64_t)in->size : in->size, in);
    return true;
}

static void string_io(struct vcpu *v, const struct io_insn *in)
{
    const unsigned int hits = io_breakpoints(v, in->port, in->size);

    for (unsigned int share = 512; !in->rep || (v->regs->rcx & address_mask(in)); share--) {
        if (share == 0)
            return; /* RIP has not moved: it goes on */
        if (!string_step(v, in))
            return;
        if (!in->rep)
            break;
        advance(&v->regs->rcx, UINT64_MAX, in);
        if ((hits || (v->regs->rflags & X86_EFLAGS_TF)) && (v->regs->rcx & address_mask(in))) {
            pv_insn_done(v, 0, hits); /* a trap after each element, with RIP on the instruction */
            return;
        }
    }
    pv_insn_done(v, in->len, hits);
}

/* --- all of them --- */

bool pv_emulate_port_io(struct vcpu *v)
{
    struct insn_operand data = { .kind = INSN_REG };
    enum insn_op op;
    enum trace_rule rule;
    struct io_insn in;
    uint32_t val;

    if (!decode(v, &in))
        return false;
    op = in.string ? (in.input ? INSN_INS : INSN_OUTS) : (in.input ? INSN_IN : INSN_OUT);
    if (!io_okay(v, in.port, in.size, &rule)) {
        TRACE_EMULATE(v, op, REFUSED, rule, 0, in.port);
        return false;
    }
    v->domain->xen->stats.emulated++;
    if (in.string) { /* what it moves is in memory */
        TRACE_EMULATE(v, op, EMULATED, rule, 0, in.port);
        string_io(v, &in);
        return true;
    }
    data.size = in.size;
    val = in.input ? io_read(v->domain, in.port, in.size) : (uint32_t)v->regs->rax;
    TRACE_EMULATE(v, op, EMULATED, rule, val, in.port);
    if (in.input)
        pv_write_gpr(v, &data, val);
    else
        io_write(v->domain, in.port, in.size, val);
    pv_insn_done(v, in.len, io_breakpoints(v, in.port, in.size));
    return true;
}
