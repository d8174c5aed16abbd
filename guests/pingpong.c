// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pingpong: an event channel between two domains.
 *
 * Shows interdomain event channels: one side makes a port that only the other may bind to, and both then have one end
 * each. How does the other learn the port's number? In earnest through xenstore; here it tries all, and Xen refuses
 * those that are not meant for it. Run it twice, as domains 1 and 2: "peer=2 serve=1" and "peer=1"; rounds=N says how
 * often.
 */
#include "guests/rt/guest.h"

static volatile unsigned int received;

static void ball(evtchn_port_t port)
{
    (void)port;
    received++;
}

static void ball_wait(unsigned int n)
{
    while (received < n)
        events_wait();
}

/* Our end of a port that the peer has made for us. */
static evtchn_port_t find(domid_t peer)
{
    for (;;) {
        for (evtchn_port_t remote = 1; remote < 32; remote++) {
            long port = event_bind_interdomain(peer, remote);

            if (port > 0) {
                printf("Port %u of domain %u is for me.\n", remote, peer);
                event_clear((evtchn_port_t)port); /* set in case something was sent before: nothing was */
                return (evtchn_port_t)port;
            }
        }
        time_sleep(1000000);
    }
}

int guest_main(void)
{
    domid_t peer = (domid_t)cmdline_number("peer", 0);
    unsigned int rounds = (unsigned int)cmdline_number("rounds", 1000);
    bool serve = cmdline_number("serve", 0);
    evtchn_port_t port;

    if (!peer) {
        printf("Give me a command line: peer=2 serve=1, or peer=1.\n");
        return 1;
    }
    events_disable();
    port = serve ? event_alloc_unbound(peer) : find(peer);
    event_handler_set(port, ball);
    if (!serve)
        event_send(port); /* the first ball */
    for (unsigned int i = 1; i <= rounds; i++) {
        ball_wait(i);
        if (serve || i < rounds)
            event_send(port);
    }
    printf("%u balls came back.\n", received);
    return 0;
}
