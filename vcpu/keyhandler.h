// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debug keys: what the hypervisor says of itself when a key of its console is pressed, or dom0 says that one was
 * (XEN_SYSCTL_debug_keys). Corresponds to xen/common/keyhandler.c.
 */
#ifndef VCPU_KEYHANDLER_H
#define VCPU_KEYHANDLER_H

struct xen;

/* A key for which there is nothing is passed over. What it says goes to the hypervisor's messages. */
void handle_keypress(struct xen *xen, char key);

#endif
