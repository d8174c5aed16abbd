// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PV console: two rings of characters in a page that the guest shares with dom0.
 *
 * Concept: the simplest of Xen's split drivers. The page holds two circular buffers and four counters. The producer of
 * a ring writes characters, then its counter; the consumer reads characters, then its counter:
 *
 *      out:   guest adds at out_prod   ->   dom0 takes at out_cons
 *      in:    dom0 adds at in_prod     ->   guest takes at in_cons
 *
 * Counters only grow and wrap at 2^32; counter mod size is the place in the buffer, so prod - cons is what is in it.
 * Having changed a counter, a side notifies the other through the event channel that start_info names. Nothing here is
 * a hypercall that prints: Xen does not even know that this page is a console.
 *
 * dom0 has no such page, since nobody is behind it: under Xen it has the machine's own serial line, through a hypercall
 * that does print.
 *
 * Invariants: characters are in place before the counter says so (barrier); nothing unread is written over.
 *
 * Stated in public <xen/io/console.h>.
 */
#include "guests/rt/guest.h"

#include <xen/io/console.h>

/*
 * dom0 says when it has made room, so the time is for a dom0 that does not. A short one would be worse than useless:
 * many guests that look again and again keep a busy dom0 from what they wait for.
 */
#define PATIENCE 100000000ul /* ns */

static volatile struct xencons_interface *ring;
static evtchn_port_t port;

void console_init(void)
{
    if (start_info->flags & SIF_INITDOMAIN)
        return;
    port = start_info->console.domU.evtchn;
    ring = mfn_to_virt(start_info->console.domU.mfn);
}

/* Let the other side run until it says that something changed, or it is `timeout` (0: no timer at all). */
static void wait_for_backend(uint64_t timeout)
{
    evtchn_port_t ports[1] = { port };
    struct sched_poll poll = { .nr_ports = 1, .timeout = timeout };

    set_xen_guest_handle(poll.ports, ports);
    HYPERVISOR_sched_op(SCHEDOP_poll, &poll);
    event_clear(port);
}

static void put(char c)
{
    while (ring->out_prod - ring->out_cons >= sizeof(ring->out)) {
        event_send(port);
        wait_for_backend(time_now() + PATIENCE);
    }
    ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = c;
    barrier(); /* x86 keeps the order of stores; only the compiler might not */
    ring->out_prod++;
}

void console_write(const char *text, size_t len)
{
    if (!ring) {
        console_io_write(text, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            put('\r');
        put(text[i]);
    }
    event_send(port);
}

void console_flush(void)
{
    if (!ring)
        return;
    while (ring->out_cons != ring->out_prod) {
        event_send(port);
        wait_for_backend(time_now() + PATIENCE);
    }
}

/* Who waits for a key sets no timer: a machine in which everybody does that is idle, and can be seen to be. */
char console_read(void)
{
    char c;

    while (ring->in_cons == ring->in_prod)
        wait_for_backend(0);
    barrier();
    c = ring->in[MASK_XENCONS_IDX(ring->in_cons, ring->in)];
    barrier();
    ring->in_cons++;
    event_send(port);
    return c;
}

void console_io_write(const char *text, size_t len) { HYPERVISOR_console_io(CONSOLEIO_write, len, text); }
