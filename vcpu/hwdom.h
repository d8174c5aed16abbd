// SPDX-License-Identifier: GPL-2.0-or-later
/* What the machine's devices may do, and to whom their interrupts go: see vcpu/hwdom.c. */
#ifndef VCPU_HWDOM_H
#define VCPU_HWDOM_H

#include "vcpu/noun/xen.h"

/* Physical interrupt gsi has come. False: dom0 has not bound it, and so does not hear of it. */
bool hwdom_interrupt(struct xen *xen, unsigned int gsi);
/*
 * A device's access to machine memory; any address, any length. Where it is not let through reads give all ones and
 * writes are lost: -EFAULT then.
 */
int hwdom_dma_read(struct xen *xen, uint64_t addr, void *buf, size_t len);
int hwdom_dma_write(struct xen *xen, uint64_t addr, const void *buf, size_t len);

#endif
