// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel of a native domain: it runs tasks.
 *
 * Concept: dom0 and driver domains are C code on a scheduled vCPU. Their kernel does what the event part of a guest
 * kernel does: on an upcall it scans the pending bits of shared_info, and makes the task of each port ready. Then it
 * gives the ready tasks a step each, in turn (task.h). Backends and the toolstack are such tasks; they never poll, and
 * when none is ready the vCPU blocks. Times come from the vCPU's one-shot timer and VIRQ_TIMER, as in any guest.
 *
 * Once it runs it makes hypercalls, may wake itself, and no more: it works for an unprivileged domain as well.
 */
#ifndef VCPU_NATIVE_KERNEL_H
#define VCPU_NATIVE_KERNEL_H

#include "vcpu/native/task.h"
#include "vcpu/noun/domain.h"

#define NATIVE_STEP_BUDGET 16 /* units of work a step */
#define NATIVE_KINDS_MAX   16

struct native_kernel;

/*
 * Make vCPU 0 of native domain d run this kernel, as soon as the domain is not paused. NULL: out of memory.
 *
 * Its frames: nr of them at frames[], which the domain has; the list is copied. NULL: it asks for each that it needs.
 */
struct native_kernel *native_kernel_create(struct domain *d, const uint64_t *frames, size_t nr);
/* After the domain, and after its tasks. */
void native_kernel_destroy(struct native_kernel *k);
/*
 * The domain has crashed: from here on nothing of this kernel, which is being taken apart, reaches the hypervisor. What
 * it held there goes by XEN_DOMCTL_soft_reset, or with the domain.
 */
void native_kernel_gone(struct native_kernel *k);

/* The vCPU in whose name the domain's hypercalls are made. */
struct vcpu *native_vcpu(struct native_kernel *k);

/* Make t ready whenever local port `port`, which is bound already, is pending (NULL: no more). False: no memory. */
bool native_bind(struct native_kernel *k, evtchn_port_t port, struct task *t);

/* The kinds of tasks that there have been: what the vCPU's running time was for. How many. */
size_t native_kinds(const struct native_kernel *k, const struct task_kind **kinds);

/* Bind VIRQ_TIMER: from now on tasks may have times. 0 or -errno. */
int native_timers_start(struct native_kernel *k);

#endif
