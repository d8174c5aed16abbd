// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fifo: event channels with priorities.
 *
 * Shows the second event channel ABI. The 2-level one is a bitmap: whoever has the lower port number is served first,
 * for ever. In the FIFO ABI each port has a word of its own, and Xen links what is pending into one of 16 queues, by
 * priority (0 is highest): served are the higher priority first, then who came first.
 *
 *      word of a port:   | PENDING | MASKED | LINKED | BUSY | ... | LINK: next port in the queue (17 bits) |
 *                          bit 31    30       29       28           16..0
 */
#include "guests/rt/guest.h"

#define N 6
static const unsigned int priority[N] = { 15, 7, 0, 7, 3, 0 };
static evtchn_port_t ports[N];
static unsigned int order[N], served;

/* --- the FIFO ABI, in memory of ours that Xen was told of --- */

static struct evtchn_fifo_control_block *control;
static event_word_t *words;
static uint32_t heads[EVTCHN_FIFO_MAX_QUEUES]; /* where we are in each queue; 0: ask the control block */

static bool fifo_is_pending(evtchn_port_t port) { return words[port] >> EVTCHN_FIFO_PENDING & 1; }

static void fifo_clear(evtchn_port_t port)
{
    __atomic_fetch_and(&words[port], ~(1u << EVTCHN_FIFO_PENDING), __ATOMIC_SEQ_CST);
}

/* Take a port out of its queue; the next one there. Xen may be appending to it at the same time, hence the loop. */
static uint32_t unlink(event_word_t *word)
{
    event_word_t old = *word;

    while (!__atomic_compare_exchange_n(word, &old, old & ~(1u << EVTCHN_FIFO_LINKED | EVTCHN_FIFO_LINK_MASK), false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    return old & EVTCHN_FIFO_LINK_MASK;
}

static void serve(evtchn_port_t port)
{
    for (unsigned int i = 0; i < N; i++)
        if (ports[i] == port && served < N)
            order[served++] = i;
}

static void fifo_upcall(struct guest_regs *regs)
{
    uint32_t ready;

    (void)regs;
    vcpu_info()->evtchn_upcall_pending = 0;
    ready = __atomic_exchange_n(&control->ready, 0, __ATOMIC_SEQ_CST);
    while (ready) {
        unsigned int q = (unsigned int)__builtin_ctz(ready);
        evtchn_port_t port = heads[q] ? heads[q] : control->head[q];

        heads[q] = unlink(&words[port]);
        if (!heads[q])
            ready &= ~(1u << q);
        if (fifo_is_pending(port) && !(words[port] >> EVTCHN_FIFO_MASKED & 1)) {
            fifo_clear(port);
            serve(port);
        }
        ready |= __atomic_exchange_n(&control->ready, 0, __ATOMIC_SEQ_CST);
    }
}

static void fifo_start(void)
{
    struct evtchn_init_control init = { .vcpu = 0 };
    struct evtchn_expand_array expand;

    control = page_alloc();
    words = page_alloc();
    init.control_gfn = virt_to_mfn(control); /* a PV guest's gfn is the mfn */
    expand.array_gfn = virt_to_mfn(words);
    MUST(HYPERVISOR_event_channel_op(EVTCHNOP_init_control, &init));
    MUST(HYPERVISOR_event_channel_op(EVTCHNOP_expand_array, &expand));
    event_abi = (struct event_abi){ fifo_is_pending, fifo_clear };
    trap_handler_set(TRAP_EVENT, fifo_upcall);
    printf("Now with the FIFO ABI, words of %u bits for ports.\n", init.link_bits);
}

/* --- the experiment --- */

/* Send to all ports, the last made first, while events are off; then look in which order they come. */
static void experiment(const char *what)
{
    served = 0;
    for (unsigned int i = N; i-- > 0;)
        event_send(ports[i]);
    events_enable();
    events_disable();
    printf("%s:", what);
    for (unsigned int i = 0; i < served; i++)
        printf(" %u(%u)", order[i], priority[order[i]]);
    printf("\n");
}

int guest_main(void)
{
    events_disable();
    for (unsigned int i = 0; i < N; i++) {
        ports[i] = event_bind_ipi(0);
        event_handler_set(ports[i], serve);
    }
    printf("Sent are always 5 4 3 2 1 0. In brackets is the priority, once it counts.\n");
    experiment("2-level, served by port number");
    fifo_start();
    for (unsigned int i = 0; i < N; i++)
        event_unmask(ports[i]);
    experiment("FIFO, all of the same priority ");
    for (unsigned int i = 0; i < N; i++) {
        struct evtchn_set_priority set = { .port = ports[i], .priority = priority[i] };

        MUST(HYPERVISOR_event_channel_op(EVTCHNOP_set_priority, &set));
    }
    experiment("FIFO, with these priorities    ");
    return 0;
}
