// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A property of event channels, tried with libxenlab: an event that was sent is pending for whom it was sent to, until
 * he clears it, and for nobody else. docs/libxenlab.md explains the program.
 */
#include <xenlab/xenlab.h>

#include <stdio.h>
#include <stdlib.h>
#include <xen/event_channel.h>

#define DOMAINS 3

static struct xenlab *x;
static uint16_t domain[DOMAINS];

static int64_t event_op(uint16_t d, uint64_t cmd, void *op, size_t size)
{
    const uint64_t at = xenlab_page(x, d, 8); /* any page of the domain's memory */
    int64_t ret = -1;

    if (xenlab_write(x, d, 0, at, op, size) ||
        xenlab_hypercall(x, d, 0, __HYPERVISOR_event_channel_op, (const uint64_t[6]){ cmd, at }, &ret) ||
        xenlab_read(x, d, 0, at, op, size) != size) {
        fprintf(stderr, "%s\n", xenlab_error(x));
        exit(1);
    }
    return ret;
}

/* A port of a's for b, which b binds: b's. */
static uint32_t bind(uint16_t a, uint16_t b, uint32_t *of_a)
{
    struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = b };
    struct evtchn_bind_interdomain bind = { .remote_dom = a };

    event_op(a, EVTCHNOP_alloc_unbound, &alloc, sizeof(alloc));
    *of_a = bind.remote_port = alloc.port;
    event_op(b, EVTCHNOP_bind_interdomain, &bind, sizeof(bind));
    return bind.local_port;
}

static unsigned int pending(uint16_t d)
{
    struct xenlab_port_info port = { .size = sizeof(port) };
    unsigned int nr = 0;

    for (unsigned int n = 0; xenlab_port_next(x, d, &n, &port); n++)
        nr += port.pending;
    return nr;
}

int main(void)
{
    const struct xenlab_domain what = { .size = sizeof(what) };
    char err[256];
    unsigned int tried = 0, wrong = 0;

    x = xenlab_create(0, NULL, NULL, err, sizeof(err));
    if (!x)
        return fprintf(stderr, "%s\n", err), 1;
    for (unsigned int i = 0; i < DOMAINS; i++)
        domain[i] = (uint16_t)xenlab_domain_create(x, &what);
    for (unsigned int a = 0; a < DOMAINS; a++)
        for (unsigned int b = 0; b < DOMAINS; b++) {
            const struct xenlab_position before = xenlab_position(x);
            struct evtchn_send send;
            uint32_t of_a;
            unsigned int was_a, was_b; /* who binds a port finds it pending, as in Xen */

            if (a == b)
                continue;
            send.port = bind(domain[a], domain[b], &of_a);
            was_a = pending(domain[a]), was_b = pending(domain[b]);
            event_op(domain[b], EVTCHNOP_send, &send, sizeof(send));
            wrong += pending(domain[a]) != was_a + 1 || pending(domain[b]) != was_b;
            tried++;
            xenlab_goto(x, before); /* the next pair finds what this one has found */
            xenlab_forget(x);
        }
    printf("%u pairs, %u wrong, the books %s\n", tried, wrong, xenlab_audit(x) ? xenlab_error(x) : "agree");
    xenlab_destroy(x);
    return wrong != 0;
}
