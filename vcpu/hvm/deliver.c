// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Delivering exceptions, interrupts and INT n through a guest's own IDT.
 *
 * Concept: real Xen puts the event into the VMCB and the processor delivers it at VMRUN. This engine's processor does
 * not, so the hypervisor does what the manual says the processor does: find the gate, change the stack if the ring
 * changes, push a frame, load CS and RIP. In four forms:
 *
 *      real mode          IVT: 4 bytes a vector, offset and segment; pushes FLAGS CS IP, of 16 bits
 *      protected mode     gate of 8 bytes, 16 or 32 bits wide; pushes [SS ESP] EFLAGS CS EIP [error]
 *        from virtual-8086 mode                     the same, in front of it GS FS DS ES
 *      long mode          gate of 16 bytes; the stack is aligned, or taken from the IST; always SS RSP RFLAGS CS RIP [error]
 *
 * Each step can fault itself. Then nothing of v has changed but CR2, and the fault is delivered instead; if it comes
 * while a contributory fault or a #PF was being delivered it is #DF, and if #DF cannot be delivered the processor shuts
 * down (triple fault), which resets a PC:
 *
 *      delivering \ fault     benign       contributory (#DE #TS #NP #SS #GP)     #PF
 *      benign, interrupt      that         that                                   that
 *      contributory           that         #DF                                    that
 *      #PF                    that         #DF                                    #DF
 *      #DF                    shutdown     shutdown                               shutdown
 *
 * Invariant: v->regs changes only when all has succeeded, or the task has changed. (What was pushed may stay in memory,
 * below a stack pointer that has not moved.)
 *
 * A task gate (task.c) changes all registers at once; then faults of the new task's are delivered in it.
 *
 * Budget: over 400 lines: three forms of one thing, which are best seen side by side.
 *
 * Sources: AMD APM volume 2, 8.2.9 (#DF), 8.6 to 8.9 (delivery in each mode), 12.2.5 (TSS); Intel SDM volume 3, 6.12.
 */
#include "sim/x86.h"
#include "vcpu/hvm/descriptor.h"

#include <string.h>
#include <xen/sched.h>

/* One attempt: what it is about to make of the registers, and what went wrong. */
struct delivery {
    struct vcpu *v;
    const struct hvm_event *event;
    struct cpu_state next;
    struct hvm_fault fault;
    bool inner;          /* the stack is another one, of an inner ring */
    bool new_task, trap; /* it went through a task gate; that task's TSS asks for a #DB */
};

/* ------------------------------------------------------------------------------------------------------- faults -- */

static bool fault(struct delivery *d, unsigned int vector, uint32_t error_code)
{
    /* EXT: it is not the program's own doing */
    const bool ext = d->event->type != HVM_EVENT_SOFTINT;

    d->fault = (struct hvm_fault){ .vector = (uint8_t)vector, .error_code = error_code | ext };
    return false;
}

static bool read_linear(struct delivery *d, uint64_t addr, void *buf, size_t n)
{
    return hvm_linear(d->v, addr, buf, n, HVM_ACCESS_READ, false, &d->fault);
}

/* -------------------------------------------------------------------------------------------------- descriptors -- */

/* The descriptor of sel, and that it is accessed. */
static bool descriptor(struct delivery *d, uint16_t sel, unsigned int vector, struct cpu_segment *s)
{
    switch (hvm_descriptor_read(d->v, sel, s, &d->fault)) {
    case HVM_DESC_OK: return hvm_descriptor_accessed(d->v, s, &d->fault);
    case HVM_DESC_NONE: return fault(d, vector, sel & 0xfffc);
    case HVM_DESC_FAULT: return false;
    }
    BUG();
}

/* ------------------------------------------------------------------------------------------------------ the gate -- */

struct gate {
    uint64_t offset;
    uint16_t sel;
    uint8_t type, dpl, ist;
    bool present;
};

#define GATE_TASK  0x5
#define GATE_INT16 0x6
#define GATE_TRAP  0x1 /* bit: a trap gate, IF stays */
#define GATE_32    0x8 /* bit: 32 bits wide, or 64 */

static bool gate_read(struct delivery *d, struct gate *g)
{
    const struct cpu_state *r = d->v->regs;
    const bool long_mode = r->efer & EFER_LMA;
    const unsigned int size = long_mode ? 16 : 8, vector = d->event->vector;
    const uint32_t code = vector << 3 | X86_XEC_IDT;
    uint64_t e[2] = { 0 };

    if (vector * size + size - 1 > r->idtr.limit)
        return fault(d, X86_EXC_GP, code);
    if (!read_linear(d, r->idtr.base + vector * size, e, size))
        return false;
    *g = (struct gate){
        .offset = (e[0] & 0xffff) | (e[0] >> 32 & 0xffff0000) | e[1] << 32,
        .sel = (uint16_t)(e[0] >> 16),
        .type = e[0] >> 40 & 0x1f,
        .dpl = e[0] >> 45 & 3,
        .ist = e[0] >> 32 & 7,
        .present = e[0] >> 47 & 1,
    };
    if (long_mode ? (g->type & ~GATE_TRAP) != (GATE_INT16 | GATE_32)
                  : g->type != GATE_TASK && (g->type & ~(GATE_TRAP | GATE_32)) != GATE_INT16)
        return fault(d, X86_EXC_GP, code);
    if (d->event->type == HVM_EVENT_SOFTINT && g->dpl < r->cpl)
        return fault(d, X86_EXC_GP, code);
    if (!g->present)
        return fault(d, X86_EXC_NP, code);
    if (!(g->type & GATE_32) && g->type != GATE_TASK)
        g->offset &= 0xffff;
    return true;
}

/* The code that the gate leads to, and the ring that it runs in. */
static bool gate_code(struct delivery *d, const struct gate *g, struct cpu_segment *cs, unsigned int *cpl)
{
    const struct cpu_state *r = d->v->regs;
    const bool long_mode = r->efer & EFER_LMA;

    if (!(g->sel & 0xfffc))
        return fault(d, X86_EXC_GP, 0);
    if (!descriptor(d, g->sel, X86_EXC_GP, cs))
        return false;
    if ((cs->attr & (ATTR_S | TYPE_CODE)) != (ATTR_S | TYPE_CODE) || ATTR_DPL(cs->attr) > r->cpl)
        return fault(d, X86_EXC_GP, g->sel & 0xfffc);
    if (!(cs->attr & SEG_ATTR_P))
        return fault(d, X86_EXC_NP, g->sel & 0xfffc);
    if (long_mode && (cs->attr & (SEG_ATTR_L | SEG_ATTR_D)) != SEG_ATTR_L)
        return fault(d, X86_EXC_GP, g->sel & 0xfffc);
    *cpl = cs->attr & TYPE_CONFORM ? r->cpl : ATTR_DPL(cs->attr);
    if (r->rflags & X86_EFLAGS_VM && *cpl != 0)
        return fault(d, X86_EXC_GP, g->sel & 0xfffc);
    cs->sel = (uint16_t)((g->sel & 0xfffc) | *cpl);
    return true;
}

/* ----------------------------------------------------------------------------------------------------- the frame -- */

/* Words of `size` bytes are pushed onto next's stack, without changing more than RSP. */
static bool push(struct delivery *d, uint64_t value, unsigned int size)
{
    struct cpu_state *n = &d->next;
    const struct cpu_segment *ss = &n->seg[CPU_SEG_SS];
    const uint64_t mask = n->efer & EFER_LMA && n->seg[CPU_SEG_CS].attr & SEG_ATTR_L ? ~UINT64_C(0)
                          : ss->attr & SEG_ATTR_D                                    ? 0xffffffff
                                                                                     : 0xffff;
    const uint64_t rsp = (n->rsp - size) & mask, base = mask == ~UINT64_C(0) ? 0 : ss->base;

    if (mask != ~UINT64_C(0) && !hvm_segment_allows(n, ss, rsp, size, true))
        return fault(d, X86_EXC_SS, d->inner ? ss->sel & 0xfffc : 0);
    if (!hvm_linear(d->v, base + rsp, &value, size, HVM_ACCESS_WRITE, false, &d->fault)) {
        if (d->fault.vector == X86_EXC_GP) /* not canonical */
            d->fault.vector = X86_EXC_SS;
        return false;
    }
    n->rsp = mask == 0xffff ? (n->rsp & ~mask) | rsp : rsp;
    return true;
}

/* The stack of an inner ring, from a 16 or 32-bit TSS (12.2.2). */
static bool inner_stack(struct delivery *d, unsigned int cpl)
{
    const struct cpu_state *r = d->v->regs;
    const bool wide = ATTR_TYPE(r->tr.attr) & 8;
    const unsigned int at = wide ? 4 + 8 * cpl : 2 + 4 * cpl, size = wide ? 4 : 2;
    struct cpu_segment ss;
    uint32_t esp = 0;
    uint16_t sel;

    if (at + 2 * size - 1 > r->tr.limit)
        return fault(d, X86_EXC_TS, r->tr.sel & 0xfffc);
    if (!read_linear(d, r->tr.base + at, &esp, size) || !read_linear(d, r->tr.base + at + size, &sel, 2))
        return false;
    if (!(sel & 0xfffc))
        return fault(d, X86_EXC_TS, 0);
    if (!descriptor(d, sel, X86_EXC_TS, &ss))
        return false;
    if ((sel & 3u) != cpl || ATTR_DPL(ss.attr) != cpl ||
        (ss.attr & (ATTR_S | TYPE_CODE | TYPE_WRITE)) != (ATTR_S | TYPE_WRITE))
        return fault(d, X86_EXC_TS, sel & 0xfffc);
    if (!(ss.attr & SEG_ATTR_P))
        return fault(d, X86_EXC_SS, sel & 0xfffc);
    d->next.seg[CPU_SEG_SS] = ss;
    d->next.rsp = esp;
    d->next.rflags &= ~(uint64_t)X86_EFLAGS_VM;
    d->inner = true;
    return true;
}

/* In long mode: of an inner ring, or one of the seven of the IST (12.2.5, 8.9.4). */
static bool stack64(struct delivery *d, unsigned int cpl, unsigned int ist)
{
    const struct cpu_state *r = d->v->regs;
    const unsigned int at = ist ? 28 + 8 * ist : 4 + 8 * cpl;

    if (ist || cpl < r->cpl) {
        if (at + 7 > r->tr.limit)
            return fault(d, X86_EXC_TS, r->tr.sel & 0xfffc);
        if (!read_linear(d, r->tr.base + at, &d->next.rsp, 8))
            return false;
    }
    if (cpl < r->cpl) /* a null selector, which says the ring */
        d->next.seg[CPU_SEG_SS] =
            (struct cpu_segment){ .sel = (uint16_t)cpl, .attr = (uint16_t)(cpl << 5), .limit = 0 };
    d->next.rsp &= ~UINT64_C(15);
    return true;
}

static bool push_code(struct delivery *d, unsigned int size)
{
    return !d->event->has_error_code || push(d, d->event->error_code, size);
}

static bool frame64(struct delivery *d)
{
    const struct cpu_state *r = d->v->regs;

    return push(d, r->seg[CPU_SEG_SS].sel, 8) && push(d, r->rsp, 8) && push(d, r->rflags, 8) &&
           push(d, r->seg[CPU_SEG_CS].sel, 8) && push(d, r->rip, 8) && push_code(d, 8);
}

static bool frame32(struct delivery *d, bool inner, unsigned int size)
{
    const struct cpu_state *r = d->v->regs;
    const bool vm86 = r->rflags & X86_EFLAGS_VM;

    if (vm86 && (!push(d, r->seg[CPU_SEG_GS].sel, size) || !push(d, r->seg[CPU_SEG_FS].sel, size) ||
                 !push(d, r->seg[CPU_SEG_DS].sel, size) || !push(d, r->seg[CPU_SEG_ES].sel, size)))
        return false;
    if (inner && (!push(d, r->seg[CPU_SEG_SS].sel, size) || !push(d, r->rsp, size)))
        return false;
    return push(d, r->rflags, size) && push(d, r->seg[CPU_SEG_CS].sel, size) && push(d, r->rip, size) &&
           push_code(d, size);
}

/* ----------------------------------------------------------------------------------------------------- the modes -- */

static bool real_mode(struct delivery *d)
{
    const struct cpu_state *r = d->v->regs;
    const unsigned int vector = d->event->vector;
    uint16_t to[2];

    if (vector * 4 + 3u > r->idtr.limit)
        return fault(d, X86_EXC_GP, vector << 3 | X86_XEC_IDT);
    if (!read_linear(d, r->idtr.base + vector * 4, to, sizeof(to)))
        return false;
    if (!push(d, r->rflags, 2) || !push(d, r->seg[CPU_SEG_CS].sel, 2) || !push(d, r->rip, 2))
        return false;
    if (to[0] > r->seg[CPU_SEG_CS].limit)
        return fault(d, X86_EXC_GP, 0);
    d->next.rip = to[0];
    d->next.seg[CPU_SEG_CS].sel = to[1];
    d->next.seg[CPU_SEG_CS].base = (uint32_t)to[1] << 4;
    d->next.rflags &= ~(uint64_t)(X86_EFLAGS_IF | X86_EFLAGS_TF | X86_EFLAGS_AC | X86_EFLAGS_RF);
    return true;
}

/* Behind virtual-8086 mode the data segments are null. */
static void leave_vm86(struct cpu_state *n)
{
    static const uint8_t segs[] = { CPU_SEG_ES, CPU_SEG_DS, CPU_SEG_FS, CPU_SEG_GS };

    for (size_t i = 0; i < ARRAY_SIZE(segs); i++)
        n->seg[segs[i]] = (struct cpu_segment){ 0 };
}

/* The error code comes onto the new task's stack, as wide as its TSS. */
static bool task_gate(struct delivery *d, uint16_t sel)
{
    const enum hvm_task t = hvm_task_switch(d->v, sel, HVM_TASK_EVENT, d->v->regs->rip, &d->fault);

    d->new_task = t != HVM_TASK_FAULT;
    d->trap = t == HVM_TASK_TRAP;
    d->next = *d->v->regs;
    if (t == HVM_TASK_FAULT || t == HVM_TASK_FAULT_IN_NEW)
        return d->fault.vector == X86_EXC_PF || d->fault.vector == HVM_NO_MEMORY
                   ? false
                   : fault(d, d->fault.vector, d->fault.error_code);
    return push_code(d, d->next.tr.attr & TYPE_32 ? 4 : 2);
}

static bool protected_mode(struct delivery *d)
{
    const struct cpu_state *r = d->v->regs;
    const bool long_mode = r->efer & EFER_LMA;
    struct cpu_segment cs;
    unsigned int cpl;
    struct gate g;

    if (!gate_read(d, &g))
        return false;
    if (g.type == GATE_TASK)
        return task_gate(d, g.sel);
    if (!gate_code(d, &g, &cs, &cpl))
        return false;
    d->next.seg[CPU_SEG_CS] = cs;
    if (long_mode) {
        if (!stack64(d, cpl, g.ist) || !frame64(d))
            return false;
        if (!is_canonical(g.offset))
            return fault(d, X86_EXC_GP, 0);
    } else {
        const bool inner = cpl < r->cpl;

        if ((inner && !inner_stack(d, cpl)) || !frame32(d, inner, g.type & GATE_32 ? 4 : 2))
            return false;
        if (r->rflags & X86_EFLAGS_VM)
            leave_vm86(&d->next);
        if (g.offset > cs.limit)
            return fault(d, X86_EXC_GP, 0);
    }
    d->next.rip = g.offset;
    d->next.cpl = (uint8_t)cpl;
    d->next.rflags &= ~(uint64_t)(X86_EFLAGS_TF | X86_EFLAGS_VM | X86_EFLAGS_RF | X86_EFLAGS_NT);
    if (!(g.type & GATE_TRAP))
        d->next.rflags &= ~(uint64_t)X86_EFLAGS_IF;
    return true;
}

/* False: d->fault, in front of the instruction that v stands at. */
static bool deliver_once(struct delivery *d)
{
    struct cpu_state *r = d->v->regs;

    if (!(r->cr0 & X86_CR0_PE ? protected_mode(d) : real_mode(d))) {
        if (d->fault.vector == X86_EXC_PF) /* also of a #PF that becomes #DF (Intel SDM volume 3, 4.7 and 6.15) */
            r->cr2 = d->fault.addr;
        if (!d->new_task && (d->event->type == HVM_EVENT_SOFTINT || d->event->type == HVM_EVENT_ICEBP))
            r->rip -= d->event->insn_len; /* it will be executed again */
        return false;
    }
    d->next.int_shadow = false;
    d->next.dirty |= CPU_DIRTY_SEGS;
    *r = d->next;
    return true;
}

/* -------------------------------------------------------------------------------------------------------- chains -- */

static bool is_contributory(unsigned int vector)
{
    return vector == X86_EXC_DE || (vector >= X86_EXC_TS && vector <= X86_EXC_GP);
}

/* The first happened; the second while it was being delivered. */
static bool makes_double_fault(const struct hvm_event *first, const struct hvm_fault *second)
{
    if (first->type != HVM_EVENT_EXCEPTION)
        return false;
    if (first->vector == X86_EXC_PF)
        return second->vector == X86_EXC_PF || is_contributory(second->vector);
    return is_contributory(first->vector) && is_contributory(second->vector);
}

static struct hvm_event event_of(const struct hvm_fault *f)
{
    return (struct hvm_event){ .type = HVM_EVENT_EXCEPTION,
                               .vector = f->vector,
                               .has_error_code = X86_EXC_HAVE_EC >> f->vector & 1,
                               .error_code = f->error_code,
                               .cr2 = f->addr };
}

/* v stands at the handler; it was `who` at `from`. */
static void delivered(struct vcpu *v, const struct hvm_event *e, struct trace_who who, uint64_t from)
{
    const bool interrupt = e->type == HVM_EVENT_INTERRUPT ||
                           (e->type == HVM_EVENT_SOFTINT && e->vector != X86_EXC_BP && e->vector != X86_EXC_OF);

    TRACE_BY(v->domain->xen->machine, trap, who, e->vector, e->has_error_code ? e->error_code : 0,
             e->type == HVM_EVENT_EXCEPTION && e->vector == X86_EXC_PF ? v->regs->cr2 : 0, from, v->regs->rip, who.mode,
             !(v->regs->rflags & X86_EFLAGS_IF), interrupt);
    v->resume_why = TRACE_RESUME_TRAP;
}

void hvm_triple_fault(struct vcpu *v)
{
    const int reason = (int)v->domain->hvm->params[HVM_PARAM_TRIPLE_FAULT_REASON];

    printk(v->domain->xen->machine, LOG_ERR, "d%uv%u: Triple fault at %#lx - invoking HVM shutdown action %d",
           v->domain->domain_id, v->vcpu_id, (unsigned long)v->regs->rip, reason);
    domain_shutdown(v->domain, reason);
}

void hvm_inject_event(struct vcpu *v, const struct hvm_event *event)
{
    const struct trace_who who = vcpu_trace_who(v);
    const uint64_t from = v->regs->rip;
    struct hvm_event e = *event;

    hvm_io_forget(v);
    v->regs->nmi_blocked |= e.type == HVM_EVENT_NMI; /* until IRET */
    /* Real mode has no error codes, and nor have faults in it. */
    for (;;) {
        struct delivery d = { .v = v, .event = &e };

        e.has_error_code &= (v->regs->cr0 & X86_CR0_PE) != 0;
        if (e.type == HVM_EVENT_EXCEPTION && e.vector == X86_EXC_PF)
            v->regs->cr2 = e.cr2;
        d.next = *v->regs;
        if (deliver_once(&d)) {
            delivered(v, &e, who, from);
            if (d.trap)
                hvm_inject_task_trap(v);
            return;
        }
        if (d.fault.vector == HVM_NO_MEMORY) {
            domain_crash(v, "vector %u cannot be delivered: no memory at guest-physical %#lx", e.vector,
                         (unsigned long)d.fault.addr);
            return;
        }
        if (e.type == HVM_EVENT_EXCEPTION && e.vector == X86_EXC_DF) {
            hvm_triple_fault(v);
            return;
        }
        e = makes_double_fault(&e, &d.fault)
                ? (struct hvm_event){ HVM_EVENT_EXCEPTION, X86_EXC_DF, .has_error_code = true }
                : event_of(&d.fault);
        v->regs->rflags |= X86_EFLAGS_RF;
    }
}

void hvm_inject_hw_exception(struct vcpu *v, unsigned int vector, uint32_t error_code)
{
    hvm_inject_event(v, &(struct hvm_event){ .type = HVM_EVENT_EXCEPTION,
                                             .vector = (uint8_t)vector,
                                             .has_error_code = X86_EXC_HAVE_EC >> vector & 1,
                                             .error_code = error_code });
}

void hvm_inject_page_fault(struct vcpu *v, uint64_t addr, uint32_t error_code)
{
    v->domain->work.page_faults++;
    hvm_inject_event(v, &(struct hvm_event){ .type = HVM_EVENT_EXCEPTION,
                                             .vector = X86_EXC_PF,
                                             .has_error_code = true,
                                             .error_code = error_code,
                                             .cr2 = addr });
}

void hvm_inject_fault(struct vcpu *v, const struct hvm_fault *f)
{
    struct hvm_event event;

    if (f->vector == HVM_NO_MEMORY) {
        domain_crash(v, "a table of the processor's at guest-physical %#lx, where there is no memory",
                     (unsigned long)f->addr);
        return;
    }
    event = event_of(f);
    hvm_inject_event(v, &event);
}

void hvm_inject_task_trap(struct vcpu *v)
{
    v->regs->dr[6] |= X86_DR6_BT;
    v->regs->dirty |= CPU_DIRTY_DR;
    hvm_inject_hw_exception(v, X86_EXC_DB, 0);
}
