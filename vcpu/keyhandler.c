// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debug keys, see vcpu/keyhandler.h. Nothing is changed by them, and each says what it is about in Xen's words, for who
 * knows those; there is no device to be asked, and no guest is told.
 */
#include "vcpu/keyhandler.h"

#include "evtchn/event_channel.h"
#include "sim/log.h"
#include "vcpu/noun/xen.h"
#include "vcpu/sched/sched.h"
#include "vcpu/sched/snapshot.h"

#define say(xen, ...) printk((xen)->machine, LOG_WARNING, __VA_ARGS__)

static void dump_domains(struct xen *xen)
{
    say(xen, "'q' pressed -> dumping domain info (now = %lld)", (long long)NOW(xen));
    for_each_domain (xen, d) {
        say(xen, "General information for domain %u:", d->domain_id);
        say(xen, "    refcnt=%u dying=%d pause_count=%d", d->refcnt, d->is_dying,
            d->pause_count + d->controller_pause_count);
        say(xen, "    nr_pages=%u max_pages=%u vm_assist=%08llx", (unsigned int)d->tot_pages,
            (unsigned int)d->max_pages, (unsigned long long)d->vm_assist);
        say(xen, "VCPU information and callbacks for domain %u:", d->domain_id);
        for_each_vcpu (d, v)
            say(xen, "    VCPU%u: CPU%u [has=%c] upcall_pend=%02x upcall_mask=%02x pause_count=%d pause_flags=%x",
                v->vcpu_id, v->processor, v->is_running ? 'T' : 'F',
                v->vcpu_info ? v->vcpu_info->evtchn_upcall_pending : 0,
                v->vcpu_info ? v->vcpu_info->evtchn_upcall_mask : 0, v->pause_count, v->pause_flags);
    }
}

static void dump_ports(struct xen *xen)
{
    static const char states[] = "-ruipvI"; /* enum of evtchn/evtchn.h */

    say(xen, "'e' pressed -> dumping event-channel info");
    for_each_domain (xen, d) {
        say(xen, "Event channel information for domain %u:", d->domain_id);
        for (evtchn_port_t port = 1; port_is_valid(d, port); port++) {
            const struct evtchn *chn = evtchn_from_port(d, port);

            if (chn->state > ECS_RESERVED)
                say(xen, "    %4u [%c/%c]: s=%c n=%u", port, evtchn_port_is_pending(d, port) ? 'p' : '-',
                    evtchn_port_is_masked(d, chn) ? 'm' : '-', states[chn->state], chn->notify_vcpu_id);
        }
    }
}

static void dump_runq(struct xen *xen)
{
    say(xen, "'r' pressed -> dumping run queues");
    say(xen, "sched_smt_power_savings: disabled");
    say(xen, "NOW=%lld", (long long)NOW(xen));
    say(xen, "Scheduler: %s", xen->sched->ops->opt_name);
    for_each_domain (xen, d)
        for_each_vcpu (d, v) {
            struct sched_snapshot s = { .queue = -1 };

            if (d->sched && d->sched->ops->snapshot)
                d->sched->ops->snapshot(d->sched, v, NOW(xen), &s);
            say(xen, "    [%u.%u] cpu=%u%s%s w=%u cap=%u credit=%lld %s", d->domain_id, v->vcpu_id, v->processor,
                v->is_running ? " running" : "", s.queued ? " queued" : "", s.weight, s.cap, (long long)s.credit,
                s.text);
        }
}

static void show_handlers(struct xen *xen);

static const struct {
    char key;
    void (*fn)(struct xen *xen);
    const char *what;
} handlers[] = {
    { 'e', dump_ports, "dump evtchn info" },
    { 'h', show_handlers, "show this message" },
    { 'q', dump_domains, "dump domain (and guest debug) info" },
    { 'r', dump_runq, "dump run queues" },
};

static void show_handlers(struct xen *xen)
{
    say(xen, "'h' pressed -> showing installed handlers");
    for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
        say(xen, " key '%c' (ascii '%02x') => %s", handlers[i].key, handlers[i].key, handlers[i].what);
}

void handle_keypress(struct xen *xen, char key)
{
    for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
        if (handlers[i].key == key)
            handlers[i].fn(xen);
}
