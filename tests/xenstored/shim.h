// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The make-believe Xen below Debian's xenstored: what shim.c (inside the daemon) and real.c (who drives it) share.
 *
 * Everything is below one directory: "xen", the file that holds struct shim; two FIFOs, "events" for event channels and
 * "bell" for waking the daemon up; and "xsd_port". The file is mapped by both.
 *
 * Concept: standing still. The daemon has one thread, which works until poll() would wait. The driver does something
 * (bytes into a socket or a ring, an event), counts `asked` up and rings the bell; the shim's poll(), when it finds
 * nothing to do, copies `asked` to `idle`. So if the two are equal, the daemon has done all that was to be done, and
 * all that it has to say has been said. Nothing sleeps, and the same steps give the same answers.
 *
 * Time stands still as well. `now` is the clock, which only the driver moves; `timeout` is how long the daemon, idle,
 * would wait, -1 for ever.
 */
#ifndef TESTS_XENSTORED_SHIM_H
#define TESTS_XENSTORED_SHIM_H

#include <stdint.h>

#define SHIM_DOMAINS 32 /* ids 0 to 31 */
#define SHIM_PORTS   64

struct shim {
    /* The page of each domain's xenstore ring; dom0's comes first, since the daemon maps it at offset 0. */
    uint8_t page[SHIM_DOMAINS][4096];

    struct shim_domain {
        uint8_t exists, shutdown, dying;
    } domain[SHIM_DOMAINS];

    /* The daemon's ports. */
    struct shim_port {
        uint8_t bound;
        uint8_t virq; /* bound to VIRQ_DOM_EXC, else to: */
        uint16_t domid;
        uint32_t remote;
        uint32_t sent; /* notifications from the daemon to that domain */
    } port[SHIM_PORTS];

    uint32_t asked, idle;
    int32_t timeout; /* milliseconds */
    int64_t now;     /* milliseconds */
};

#endif
