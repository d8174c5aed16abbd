// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel of a native domain: event dispatch.
 *
 * Concept: dom0 and driver domains are C code on a scheduled vCPU. Their kernel does what the event part of a guest kernel
 * does: on an upcall it scans the pending bits of shared_info and calls the handler of each port. Backends are written
 * against this; they never poll, and between events the vCPU blocks.
 */
#ifndef VCPU_NATIVE_KERNEL_H
#define VCPU_NATIVE_KERNEL_H

#include "vcpu/noun/domain.h"

struct native_kernel;

typedef void native_handler(void *data, evtchn_port_t port);

/* Make vCPU 0 of native domain d run this kernel. NULL: out of memory. */
struct native_kernel *native_kernel_create(struct domain *d);
void native_kernel_destroy(struct native_kernel *k);

/* The vCPU in whose name the domain's hypercalls are made. */
struct vcpu *native_vcpu(struct native_kernel *k);

/* Call handler(data, port) whenever local port `port` is pending (NULL: no more). The port is bound already. False: no memory. */
bool native_handle(struct native_kernel *k, evtchn_port_t port, native_handler *handler, void *data);

/* Run a handler at the kernel's next turn, as if the port had fired. */
void native_raise(struct native_kernel *k, evtchn_port_t port);

#endif
