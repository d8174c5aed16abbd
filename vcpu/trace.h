// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of the exit loop: a guest leaves, a guest goes on.
 *
 * Concept: what the exit loop does between two instructions of a guest is what a reader of a trace wants to see as one
 * thing: exit, what became of it, resume. That a guest's time was up is no event: it goes on as if nothing had been.
 * So v->insns counts on and v->resume_why stays empty over that, whether or not anybody looks.
 */
#ifndef VCPU_TRACE_H
#define VCPU_TRACE_H

#include "vcpu/noun/domain.h"

/* v has come out for a reason of its own; call it if there is a sink only. */
void trace_exit(struct vcpu *v, const struct sim_exit *e);

/*
 * v is about to execute instructions. A record, if something happened to it since it last did (v->resume_why); call it
 * if there is a sink only.
 */
void trace_resume(struct vcpu *v);

#endif
