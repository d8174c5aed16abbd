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
 * A call may be left in other ways (a jump out of it, another stack, a return that takes arguments with it): then these
 * moves go on, to a stop or to the end.
 */
#include "tools/debug/seek.h"

#include "sim/insn.h"
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
    bool kernel;
    unsigned int word;      /* bytes */
    uint64_t rip, rsp, cr3; /* rip: linear */
    uint64_t cs, ss;        /* bases: what is on the stack, and where that is, is said without */
    uint64_t stack[WINDOW]; /* from rsp on */
    size_t nr;
    struct seek_code code[WINDOW];
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

static void code_add(struct frames *f, uint64_t addr, uint64_t data)
{
    if (f->nr_code < WINDOW)
        f->code[f->nr_code++] = (struct seek_code){ addr, data };
}

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
    f->word = insn_code_bits(v->regs) / 8;
    f->rip = insn_linear_rip(v->regs);
    f->rsp = v->regs->rsp;
    f->cs = f->rip - v->regs->rip;
    f->ss = f->word == 8 ? 0 : v->regs->seg[CPU_SEG_SS].base;
    f->cr3 = v->regs->cr3;
    return true;
}

static void stack_read(struct frames *f)
{
    for (f->nr = 0; f->nr < WINDOW; f->nr++)
        if (look_read(f->d->host, f->d->dom, f->d->vcpu, LOOK_VIRTUAL, f->ss + f->rsp + f->nr * f->word,
                      &f->stack[f->nr], f->word) != f->word)
            break;
}

/* The same vCPU, in the same mode; in user mode the same process, in the kernel a stack is enough to tell. */
static bool is_same(const struct frames *f, const struct vcpu *v)
{
    return v == f->v && guest_kernel_mode(v) == f->kernel && (f->kernel || v->regs->cr3 == f->cr3);
}

/* With the stack as it is in front of the call and behind it. */
static bool is_there(void *data, const struct seek_code *code, const struct vcpu *v)
{
    return is_same(data, v) && v->regs->rsp == code->data;
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

/* Does a frame that an interrupt pushes begin with word i: rip, cs, rflags? */
static bool is_frame(const struct frames *f, size_t i)
{
    return i + 2 < f->nr && f->stack[i + 1] & 3 && (uint16_t)f->stack[i + 1] >= 8 && f->stack[i + 2] & X86_EFLAGS_MBS &&
           f->stack[i + 2] < 1 << 22;
}

/* HYPERVISOR_iret with the stack at a frame that has been there from the beginning. Who makes it is there. */
static bool leaves(void *data, const struct trace_record *rec)
{
    const struct frames *f = data;
    uint64_t at, i, rip = 0;

    if (rec->event != TRC_hypercall || rec->arg[0] != __HYPERVISOR_iret || !f->kernel || rec->who.domain != f->d->dom ||
        rec->who.vcpu != f->d->vcpu)
        return false;
    at = f->v->regs->rsp + (f->word == 8 ? 4 : 1) * f->word;
    i = (at - f->rsp) / f->word;
    return at >= f->rsp && i < f->nr && is_frame(f, i) &&
           look_read(f->d->host, f->d->dom, f->d->vcpu, LOOK_VIRTUAL, at, &rip, f->word) == f->word &&
           rip == f->stack[i];
}

/* What pushes one. */
static bool enters(void *data, const struct trace_record *rec)
{
    const struct frames *f = data;
    const uint64_t from = rec->arg[rec->event == TRC_trap ? 3 : 0];

    if ((rec->event != TRC_trap && rec->event != TRC_upcall && rec->event != TRC_syscall &&
         rec->event != TRC_failsafe) ||
        !f->kernel || rec->who.domain != f->d->dom || rec->who.vcpu != f->d->vcpu)
        return false;
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
        if (call)
            code_add(f, backward ? call : back, f->rsp + (i + 1) * f->word);
    }
    return any || f->nr_code;
}

static enum debug_result finish(struct debugger *d, struct frames *f, bool backward)
{
    struct seek s = { .d = d, .stops = true, .backward = backward, .is_code = is_there, .data = f };
    enum debug_result r;

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
