// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event channels: Xen's interrupts.
 *
 * Concept: a port is a bit. Xen, or another domain through Xen, sets it; then the guest's upcall runs, once, until the
 * guest has dealt with it. In the 2-level ABI the bits are three steps deep, all in shared memory:
 *
 *      vcpu_info.evtchn_upcall_pending     "look at the selector"                     one byte a vCPU
 *      vcpu_info.evtchn_pending_sel        bit n: "look at word n"                    one word a vCPU
 *      shared_info.evtchn_pending[n]       bit m: port 64 n + m is pending            64 words a domain
 *      shared_info.evtchn_mask[n]          bit m: ... but does not interrupt
 *
 * and vcpu_info.evtchn_upcall_mask is the interrupt flag, inverted: PV's CLI is a store to it.
 *
 * The edge rule: Xen passes an event on only when the pending bit goes from 0 to 1 while the port is not masked. A
 * guest that unmasks a port, or enables upcalls, must look for itself at what became pending before; the toy guest
 * "lostevent" shows what happens otherwise. The bits are cleared from the top step down, so that what arrives
 * meanwhile is seen again.
 *
 * Stated in public <xen/event_channel.h> and <xen/xen.h> (struct shared_info).
 */
#include "guests/rt/guest.h"

#define WORD_BITS   (8 * sizeof(xen_ulong_t))
#define NR_WORDS    ARRAY_SIZE(((struct shared_info *)0)->evtchn_pending)
#define NR_HANDLERS 256

static event_handler_fn *handlers[NR_HANDLERS];
static uint8_t bound_to[NR_HANDLERS]; /* the vCPU that gets the upcall */

static bool bit_test(const xen_ulong_t *words, unsigned int bit)
{
    return words[bit / WORD_BITS] >> (bit % WORD_BITS) & 1;
}

static void bit_set(xen_ulong_t *words, unsigned int bit)
{
    __atomic_fetch_or(&words[bit / WORD_BITS], (xen_ulong_t)1 << (bit % WORD_BITS), __ATOMIC_SEQ_CST);
}

static void bit_clear(xen_ulong_t *words, unsigned int bit)
{
    __atomic_fetch_and(&words[bit / WORD_BITS], ~((xen_ulong_t)1 << (bit % WORD_BITS)), __ATOMIC_SEQ_CST);
}

static evtchn_port_t bound(evtchn_port_t port, unsigned int vcpu)
{
    if (port < NR_HANDLERS)
        bound_to[port] = (uint8_t)vcpu;
    return port;
}

static bool is_pending_2l(evtchn_port_t port) { return bit_test(shared_info->evtchn_pending, port); }
static void clear_2l(evtchn_port_t port) { bit_clear(shared_info->evtchn_pending, port); }

struct event_abi event_abi = { is_pending_2l, clear_2l };

void event_mask(evtchn_port_t port) { bit_set(shared_info->evtchn_mask, port); }
bool event_is_pending(evtchn_port_t port) { return event_abi.is_pending(port); }
void event_clear(evtchn_port_t port) { event_abi.clear(port); }

/* By hypercall, which looks at the pending bit afterwards, and so keeps the edge rule for us. */
void event_unmask(evtchn_port_t port)
{
    struct evtchn_unmask unmask = { .port = port };

    MUST(HYPERVISOR_event_channel_op(EVTCHNOP_unmask, &unmask));
}

long event_send(evtchn_port_t port)
{
    struct evtchn_send send = { .port = port };

    return HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
}

void event_handler_set(evtchn_port_t port, event_handler_fn *handler)
{
    handlers[port] = handler;
    if (handler)
        event_unmask(port);
    else
        event_mask(port);
}

/* Pending bits are the domain's, upcalls a vCPU's: another vCPU's event is left to it. */
static void handle(evtchn_port_t port)
{
    if (port < NR_HANDLERS && bound_to[port] != cpu_id())
        return;
    event_clear(port);
    if (port < NR_HANDLERS && handlers[port])
        handlers[port](port);
}

void events_poll(void)
{
    struct vcpu_info *vi = vcpu_info();

    while (__atomic_exchange_n(&vi->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST)) {
        xen_ulong_t sel = __atomic_exchange_n(&vi->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);

        for (; sel; sel &= sel - 1) {
            unsigned int word = (unsigned int)__builtin_ctzl(sel);
            xen_ulong_t bits = shared_info->evtchn_pending[word] & ~shared_info->evtchn_mask[word];

            for (; bits; bits &= bits - 1)
                handle(word * WORD_BITS + (unsigned int)__builtin_ctzl(bits));
        }
    }
}

static void upcall(struct guest_regs *regs)
{
    (void)regs;
    events_poll();
}

void events_disable(void)
{
    vcpu_info()->evtchn_upcall_mask = 1;
    barrier();
}

void events_enable(void)
{
    barrier();
    vcpu_info()->evtchn_upcall_mask = 0;
    barrier(); /* only now can nothing slip in between the look and the deed */
    if (vcpu_info()->evtchn_upcall_pending)
        HYPERVISOR_sched_op(SCHEDOP_yield, NULL); /* any hypercall delivers on its way back */
}

void events_wait(void)
{
    HYPERVISOR_sched_op(SCHEDOP_block,
                        NULL); /* unmasks, and blocks unless something is pending: no wake-up is missed */
    events_disable();
}

void event_wait(evtchn_port_t port)
{
    struct sched_poll poll = { .nr_ports = 1 };

    set_xen_guest_handle(poll.ports, &port);
    while (!event_is_pending(port))
        HYPERVISOR_sched_op(SCHEDOP_poll, &poll);
    event_clear(port);
}

evtchn_port_t event_bind_virq(unsigned int virq, unsigned int vcpu)
{
    struct evtchn_bind_virq bind = { .virq = virq, .vcpu = vcpu };

    MUST(HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &bind));
    return bound(bind.port, vcpu);
}

evtchn_port_t event_bind_ipi(unsigned int vcpu)
{
    struct evtchn_bind_ipi bind = { .vcpu = vcpu };

    MUST(HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &bind));
    return bound(bind.port, vcpu);
}

evtchn_port_t event_alloc_unbound(domid_t peer)
{
    struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = peer };

    MUST(HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc));
    return bound(alloc.port, 0);
}

long event_bind_interdomain(domid_t peer, evtchn_port_t remote)
{
    struct evtchn_bind_interdomain bind = { .remote_dom = peer, .remote_port = remote };
    long rc = HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &bind);

    return rc ? rc : (long)bound(bind.local_port, 0);
}

/* Upcalls are off when a domain starts; every port is masked until somebody wants it. */
void events_init(void)
{
    events_disable();
    for (unsigned int i = 0; i < NR_WORDS; i++)
        shared_info->evtchn_mask[i] = ~(xen_ulong_t)0;
    trap_handler_set(TRAP_EVENT, upcall);
}
