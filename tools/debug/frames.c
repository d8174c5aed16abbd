// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moving over what an instruction calls, and out of what was called.
 *
 * Concept: where a function was called from stands on the stack, but not which words of the stack say so, for guests
 * keep no frame pointers. So each word counts that points behind a call. The function has returned when the vCPU is
 * there with that word just popped: what was called meanwhile has its words below, and what lies above are the
 * callers' of the caller. In the same way it was called by the last call that pushed one of those words. An interrupt,
 * a fault, a system call pushes a frame instead, and is left by HYPERVISOR_iret with the stack at that frame.
 *
 * IRET of an HVM guest is no exit, nor is SYSRET. There its end is looked for as that of a call is: the vCPU is where
 * the frame says, or behind the instruction there, which handlers of faults step over, in the frame's code segment and
 * with the stack that it has without the frame.
 *
 *      frame, up      16 bits IP CS FLAGS      32 bits EIP CS EFLAGS [ESP SS]      64 bits RIP CS RFLAGS RSP SS
 *      stack behind   above it                 above it; ESP, if the ring changes  RSP
 *
 * A call may be left in other ways (a jump out of it, another stack, a return that takes arguments with it): then these
 * moves go on, to a stop or to the end; as they do if a handler in an HVM guest goes back to elsewhere.
 *
 * Budget: calls and frames of six kinds of stacks, each of which is a few lines.
 *
 * Source: AMD APM volume 2, 8.7 to 8.9 (frames, and IRET).
 */
#include "tools/debug/seek.h"

#include "sim/insn.h"
#include "sim/x86.h"
#include "vcpu/noun/domain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>

#define WINDOW   2048 /* words of the stack that are looked at: as many as a stack of Linux's kernel has */
#define CALL_MIN 2    /* bytes of a call */
#define CALL_MAX 7

struct frames {
    struct debugger *d;
    struct vcpu *v;
    bool kernel, hvm, real_mode;
    unsigned int cpl;
    unsigned int word;      /* bytes */
    uint64_t rip, rsp, cr3; /* rip: linear */
    uint64_t cs, ss;        /* bases: what is on the stack, and where that is, is said without */
    uint64_t stack[WINDOW]; /* from rsp on */
    size_t nr;
    struct seek_code code[WINDOW];
    int32_t in_cs[WINDOW]; /* of each: the code segment of a frame; -1: it is a call's, in the mode that this is */
    size_t nr_code;
    uint64_t rcx; /* of the iteration that was seen last */
};

/* The instruction at an address of the vCPU; its length. */
static unsigned int insn_at(const struct frames *f, uint64_t addr, char text[96])
{
    return look_insn(f->d->host, f->d->dom, f->d->vcpu, addr, text);
}

static bool begins_with(const char *text, const char *word) { return !strncmp(text, word, strlen(word)); }

static bool is_call(const char *text) { return begins_with(text, "call") || begins_with(text, "lcall"); }

/* The call that ends in front of addr; 0: there is none. */
static uint64_t call_before(const struct frames *f, uint64_t addr)
{
    char text[96];

    for (unsigned int len = CALL_MIN; len <= CALL_MAX; len++)
        if (insn_at(f, addr - len, text) == len && is_call(text))
            return addr - len;
    return 0;
}

static void code_add_in(struct frames *f, uint64_t addr, uint64_t rsp, int32_t cs)
{
    if (f->nr_code == WINDOW)
        return;
    f->in_cs[f->nr_code] = cs;
    f->code[f->nr_code++] = (struct seek_code){ addr, rsp };
}

static void code_add(struct frames *f, uint64_t addr, uint64_t rsp) { code_add_in(f, addr, rsp, -1); }

/* Where the vCPU is. False: it has no instructions, and d->err says so. */
static bool frames_begin(struct frames *f, struct debugger *d)
{
    struct vcpu *v = debug_vcpu_of(d);

    if (!v || !v->regs) {
        snprintf(d->err, sizeof(d->err), "d%uv%u has no instructions to step through", d->dom, d->vcpu);
        return false;
    }
    f->d = d;
    f->v = v;
    f->kernel = guest_kernel_mode(v);
    f->hvm = is_hvm_domain(v->domain);
    f->real_mode = f->hvm && !(v->regs->cr0 & X86_CR0_PE);
    f->cpl = v->regs->cpl & 3;
    pcpu_sync(host_machine(d->host));
    f->word = insn_code_bits(v->regs) / 8;
    f->rip = insn_linear_rip(v->regs);
    f->rsp = v->regs->rsp;
    f->cs = f->rip - v->regs->rip;
    f->ss = f->word == 8 ? 0 : v->regs->seg[CPU_SEG_SS].base;
    f->cr3 = v->regs->cr3;
    return true;
}

/* Where the stack is once n words have been taken from it. */
static uint64_t rsp_behind(const struct frames *f, size_t n)
{
    const uint64_t rsp = f->rsp + n * f->word;

    return f->word == 2 ? (f->rsp & ~UINT64_C(0xffff)) | (rsp & 0xffff) : rsp;
}

static void stack_read(struct frames *f)
{
    const uint64_t rsp = f->word == 2 ? f->rsp & 0xffff : f->rsp;

    for (f->nr = 0; f->nr < WINDOW; f->nr++)
        if (look_read(f->d->host, f->d->dom, f->d->vcpu, LOOK_VIRTUAL, f->ss + rsp + f->nr * f->word, &f->stack[f->nr],
                      f->word) != f->word)
            break;
}

/* The same vCPU, in the same mode; in user mode the same process, in the kernel a stack is enough to tell. */
static bool is_same(const struct frames *f, const struct vcpu *v)
{
    return v == f->v && guest_kernel_mode(v) == f->kernel && (f->kernel || v->regs->cr3 == f->cr3);
}

/* With the stack as it is in front of the call and behind it; or where a frame has led back to. */
static bool is_there(void *data, const struct seek_code *code, const struct vcpu *v)
{
    const struct frames *f = data;
    const int32_t cs = f->in_cs[code - f->code];

    if (v->regs->rsp != code->data)
        return false;
    return cs < 0 ? is_same(f, v) : v == f->v && v->regs->seg[CPU_SEG_CS].sel == cs;
}

/* --- over --- */

/* What the instruction does that is not seen by who goes over it ends behind it. */
static bool calls(const struct frames *f, const char *text)
{
    return is_call(text) || begins_with(text, "rep") ||
           (!f->kernel && (begins_with(text, "syscall") || begins_with(text, "int")));
}

enum debug_result debugger_over(struct debugger *d)
{
    struct frames *f = calloc(1, sizeof(*f));
    enum debug_result r = DEBUG_ERROR;
    char text[96];
    unsigned int len;

    if (!f || !frames_begin(f, d)) {
        free(f);
        return DEBUG_ERROR;
    }
    len = insn_at(f, f->rip, text);
    if (!debug_is_about(d, f->v) || !len || !calls(f, text)) {
        r = debugger_step(d);
    } else {
        struct seek s = { .d = d, .stops = true, .is_code = is_there, .data = f };

        code_add(f, f->rip + len, f->rsp);
        s.code = f->code;
        s.nr_code = f->nr_code;
        r = seek_go(&s);
    }
    free(f);
    return r;
}

/* Behind a return, a system call: what was it that has returned? */
static void callers(struct frames *f, const struct frames *last, const char *text)
{
    const uint64_t call = call_before(f, f->rip);
    char before[96];

    if (begins_with(text, "ret") && last->kernel == f->kernel && call)
        code_add(f, call, f->rsp);
    else if (last->kernel && !f->kernel && insn_at(f, f->rip - 2, before) == 2 &&
             (begins_with(before, "syscall") || begins_with(before, "int")))
        code_add(f, f->rip - 2, f->rsp);
}

/* The first of iterations that follow each other: in them RCX goes down by one. */
static bool is_first_iteration(void *data, const struct seek_code *code, const struct vcpu *v)
{
    struct frames *f = data;
    const uint64_t rcx = v->regs->rcx, was = f->rcx;

    if (!is_same(f, v) || v->regs->rsp != code->data)
        return false;
    f->rcx = rcx;
    return rcx + 1 != was;
}

/* The machine is in front of the vCPU's last instruction. To what is in its place for who goes over it. */
static enum debug_result over_backward(struct debugger *d, struct frames *f, struct frames *last)
{
    struct seek s = { .d = d, .stops = true, .backward = true, .is_code = is_there, .data = f };
    struct position here = debugger_here(d);
    enum debug_result r;
    char text[96];

    if (!frames_begin(last, d))
        return DEBUG_ERROR;
    insn_at(last, last->rip, text);
    if (begins_with(text, "rep") && last->rip != f->rip) {
        code_add(f, last->rip, f->rsp);
        s.is_code = is_first_iteration;
    } else {
        callers(f, last, text);
    }
    if (!f->nr_code)
        return DEBUG_THERE;
    s.code = f->code;
    s.nr_code = f->nr_code;
    if (s.is_code == is_first_iteration) /* this one may be it */
        here.step++;
    r = seek_go_from(&s, here);
    return r == DEBUG_BEGIN ? DEBUG_THERE : r;
}

enum debug_result debugger_reverse_over(struct debugger *d)
{
    const struct debug_origin origin = debug_origin(d);
    struct frames *f = calloc(2, sizeof(*f));
    enum debug_result r = DEBUG_ERROR;

    if (f && frames_begin(f, d)) {
        r = debugger_reverse_step(d);
        if (r == DEBUG_THERE)
            r = over_backward(d, f, f + 1);
    }
    free(f);
    return left_off(d, &origin, r);
}

/* --- finish --- */

/* The same of an HVM guest, which may have been in the ring that this is: in no ring further in. */
static bool is_hvm_frame(const struct frames *f, size_t i)
{
    const uint64_t cs = f->stack[i + 1], rflags = f->stack[i + 2], never = 1 << 3 | 1 << 5 | 1 << 15;

    if (cs > 0xffff || !(rflags & X86_EFLAGS_MBS) || (rflags & never) || rflags >= 1 << 22)
        return false;
    return f->real_mode || (rflags & X86_EFLAGS_VM) || (cs >= 8 && (cs & 3) >= f->cpl);
}

/*
 * Does a frame that an interrupt pushes begin with word i: rip, cs, rflags? A PV64 kernel's own code is in ring 0
 * there, as Xen tells it, and above CS is the mask of events.
 */
static bool is_frame(const struct frames *f, size_t i)
{
    if (f->hvm)
        return i + 2 < f->nr && is_hvm_frame(f, i);
    return i + 2 < f->nr && (f->word == 8 || f->stack[i + 1] & 3) && (uint16_t)f->stack[i + 1] >= 8 &&
           f->stack[i + 2] & X86_EFLAGS_MBS && f->stack[i + 2] < 1 << 22;
}

/* Where the code segment begins that a frame of an HVM guest names, as far as the GDT says. */
static uint64_t frame_base(const struct frames *f, size_t i)
{
    const uint16_t cs = (uint16_t)f->stack[i + 1];
    uint64_t entry = 0;

    if (cs == f->v->regs->seg[CPU_SEG_CS].sel)
        return f->cs;
    if (f->real_mode || (f->word == 4 && (f->stack[i + 2] & X86_EFLAGS_VM)))
        return (uint64_t)cs << 4;
    look_read(f->d->host, f->d->dom, f->d->vcpu, LOOK_VIRTUAL, f->v->regs->gdtr.base + (cs & ~7u), &entry,
              sizeof(entry));
    return (entry & UINT64_C(1) << 53) ? 0 : (entry >> 16 & 0xffffff) | (entry >> 56) << 24; /* 64-bit code: none */
}

/* What an HVM guest's frame leads to: forward its end, backward the system call that it is of, which is no event. */
static void hvm_frame_add(struct frames *f, size_t i, bool backward)
{
    const bool outer = f->word == 8 || (f->word == 4 && !f->real_mode && (f->stack[i + 1] & 3) > f->cpl) ||
                       (f->word == 4 && (f->stack[i + 2] & X86_EFLAGS_VM));
    const uint64_t rip = frame_base(f, i) + f->stack[i];
    const uint64_t rsp = !outer ? rsp_behind(f, i + 3) : i + 3 < f->nr ? f->stack[i + 3] : 0;
    const int32_t cs = (int32_t)f->stack[i + 1];
    unsigned int len;
    char text[96];

    if (backward) {
        if (insn_at(f, rip - 2, text) == 2 && (begins_with(text, "syscall") || begins_with(text, "sysenter")))
            code_add_in(f, rip - 2, rsp, cs);
        return;
    }
    code_add_in(f, rip, rsp, cs);
    len = insn_at(f, rip, text);
    if (len)
        code_add_in(f, rip + len, rsp, cs);
}

/*
 * HYPERVISOR_iret with the stack at a frame that has been there from the beginning; what it says may have changed, by a
 * handler that goes on behind the instruction. Who makes it is there.
 */
static bool leaves(void *data, const struct trace_record *rec)
{
    const struct frames *f = data;
    uint64_t at;

    if (rec->event != TRC_hypercall || rec->arg[0] != __HYPERVISOR_iret || !f->kernel || rec->who.domain != f->d->dom ||
        rec->who.vcpu != f->d->vcpu)
        return false;
    at = f->v->regs->rsp + (f->word == 8 ? 4 : 1) * f->word;
    return at >= f->rsp && is_frame(f, (at - f->rsp) / f->word);
}

/* An HVM guest's vCPU is at its handler: is its stack where a frame is, or below that an error code, now gone? */
static bool at_frame(const struct frames *f)
{
    const uint64_t rsp = f->v->regs->rsp;

    for (size_t i = 0; i < f->nr; i++)
        if ((rsp_behind(f, i) == rsp || rsp_behind(f, i) == rsp + f->word) && is_frame(f, i))
            return true;
    return false;
}

/* What pushes one. A PV guest's has not been pushed yet. */
static bool enters(void *data, const struct trace_record *rec)
{
    const struct frames *f = data;
    const uint64_t from = rec->arg[rec->event == TRC_trap ? 3 : 0];

    if ((rec->event != TRC_trap && rec->event != TRC_upcall && rec->event != TRC_syscall &&
         rec->event != TRC_failsafe) ||
        !f->kernel || rec->who.domain != f->d->dom || rec->who.vcpu != f->d->vcpu)
        return false;
    if (f->hvm)
        return at_frame(f);
    for (size_t i = 0; i < f->nr; i++)
        if (f->stack[i] == from && is_frame(f, i))
            return true;
    return false;
}

/* False: nothing on the stack says who called. */
static bool stack_look(struct frames *f, bool backward)
{
    bool any = false;

    stack_read(f);
    for (size_t i = 0; i < f->nr; i++) {
        const uint64_t back = f->cs + f->stack[i], call = back < PAGE_SIZE ? 0 : call_before(f, back);

        any |= f->kernel && is_frame(f, i);
        if (f->hvm && f->kernel && is_frame(f, i))
            hvm_frame_add(f, i, backward);
        if (call)
            code_add(f, backward ? call : back, rsp_behind(f, i + 1));
    }
    return any || f->nr_code;
}

static enum debug_result finish(struct debugger *d, struct frames *f, bool backward)
{
    struct seek s = { .d = d, .stops = true, .backward = backward, .is_code = is_there, .data = f };
    enum debug_result r;

    s.origin_too = true;
    s.match = !f->kernel ? NULL : backward ? enters : leaves;
    if (!stack_look(f, backward)) {
        snprintf(d->err, sizeof(d->err), "nothing on the stack of d%uv%u says who has called", d->dom, d->vcpu);
        return DEBUG_ERROR;
    }
    s.code = f->code;
    s.nr_code = f->nr_code;
    r = seek_go(&s);
    if (r != DEBUG_THERE || !d->nr_hits || d->hits[0].stop || !d->hits[0].is_event)
        return r;
    d->at_event = false;
    d->nr_hits = 0;
    return backward ? debugger_reverse_step(d) : debug_step_on(d, f->v);
}

static enum debug_result finish_either(struct debugger *d, bool backward)
{
    const struct debug_origin origin = debug_origin(d);
    struct frames *f = calloc(1, sizeof(*f));
    enum debug_result r = f && frames_begin(f, d) ? finish(d, f, backward) : DEBUG_ERROR;

    free(f);
    return left_off(d, &origin, r);
}

enum debug_result debugger_finish(struct debugger *d) { return finish_either(d, false); }

enum debug_result debugger_reverse_finish(struct debugger *d) { return finish_either(d, true); }
