// SPDX-License-Identifier: GPL-2.0-or-later
/* Moving through a run by instructions of a vCPU, see tools/debug/debugger.h. */
#include "tools/debug/seek.h"

#include "vcpu/noun/domain.h"

#include <stdio.h>
#include <string.h>

/* Run to a position, no further than d->bound, nor than behind a step of the hypervisor, which may choose who runs. */
static enum debug_result run_to(struct debugger *d, struct position at)
{
    const struct run_limit l = { .until = STIME_MAX,
                                 .at = position_is_before(d->bound, at) ? d->bound : at,
                                 .stop = d->interrupt,
                                 .each_step = true };
    const enum run_result r = rewind_run(d->rw, &l);

    if (d->rw->err[0]) {
        memcpy(d->err, d->rw->err, sizeof(d->err));
        return DEBUG_ERROR;
    }
    if (*d->interrupt)
        return DEBUG_INTERRUPTED;
    return r == RUN_IDLE || r == RUN_STOP ? DEBUG_END : DEBUG_THERE;
}

/* Is v about to execute an instruction? */
bool debug_is_about(const struct debugger *d, const struct vcpu *v)
{
    return debug_loop(d)->phase == RUN_GUEST && debug_loop(d)->v == v;
}

/* A step of the hypervisor, or the rest of what another vCPU may execute before the next one. */
static enum debug_result others_step(struct debugger *d)
{
    struct position at = debugger_here(d);

    if (debug_loop(d)->phase == RUN_GUEST)
        at = (struct position){ at.insns + (debug_loop(d)->left ?: 1), 0 };
    else
        at.step++;
    return run_to(d, at);
}

/* The vCPU is about to execute. One instruction, or it comes out. */
static enum debug_result insn_step(struct debugger *d)
{
    return run_to(d, (struct position){ debugger_here(d).insns + 1, 0 });
}

/* On to where v is about to execute an instruction, or has come to a rest behind one. */
enum debug_result debug_step_on(struct debugger *d, struct vcpu *v)
{
    enum debug_result r = DEBUG_THERE;

    while (r == DEBUG_THERE && !debug_is_about(d, v) && position_is_before(debugger_here(d), d->bound))
        r = others_step(d);
    return r;
}

static enum debug_result step_once(struct debugger *d)
{
    struct vcpu *v = debug_vcpu_of(d);
    enum debug_result r;

    if (!v || !v->regs) {
        snprintf(d->err, sizeof(d->err), "d%uv%u has no instructions to step through", d->dom, d->vcpu);
        return DEBUG_ERROR;
    }
    r = debug_step_on(d, v);
    if (r == DEBUG_THERE)
        r = insn_step(d);
    /* It may have come out: then what it came out for is a part of it, a hypercall for instance. */
    if (r == DEBUG_THERE && debug_loop(d)->phase == RUN_EXIT)
        r = debug_step_on(d, v);
    return r;
}

enum debug_result debugger_step(struct debugger *d)
{
    const struct debug_origin origin = debug_origin(d);

    d->at_event = false;
    d->nr_hits = 0;
    return left_off(d, &origin, step_once(d));
}

/* The last place before `origin` at which step_once() stops, from where the machine is on. False: there is none. */
static enum debug_result last_step_before(struct debugger *d, struct position origin, struct position *last)
{
    enum debug_result r;

    d->bound = origin;
    r = debug_step_on(d, debug_vcpu_of(d));
    while (r == DEBUG_THERE && position_is_before(debugger_here(d), origin)) {
        *last = debugger_here(d);
        r = step_once(d);
    }
    d->bound = FAR;
    return r == DEBUG_END ? DEBUG_THERE : r;
}

enum debug_result debugger_reverse_step(struct debugger *d)
{
    const struct debug_origin origin = debug_origin(d);
    const struct vcpu *v = debug_vcpu_of(d);
    struct position last = origin.at, front;
    enum debug_result r;

    d->nr_hits = 0;
    /* In front of its last instruction; of a vCPU that is not there any more, of anybody's. */
    front.insns = v && v->regs ? v->insns_at : origin.at.insns;
    front.step = UINT64_MAX;
    if (!front.insns-- || position_is_before(front, rewind_first(d->rw)))
        return DEBUG_BEGIN;
    r = debug_visit(d, front);
    if (r == DEBUG_THERE && !v)
        return r;
    /* What it has come out for since is nearer. */
    if (r == DEBUG_THERE)
        r = last_step_before(d, origin.at, &last);
    if (r == DEBUG_THERE && is_at(last, origin.at))
        r = DEBUG_BEGIN;
    if (r == DEBUG_THERE)
        r = debug_visit(d, last);
    return left_off(d, &origin, r);
}
