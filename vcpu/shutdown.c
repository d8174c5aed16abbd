// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a domain stops: paused, shut down, crashed.
 *
 * Concept: a pause is somebody's wish and is counted; a shutdown is the end of the guest's own story (it powered off,
 * suspended, crashed, let its watchdog starve) and is recorded once, with its reason. Either way only the vCPUs stop:
 * what there is to look at stays until dom0, told with VIRQ_DOM_EXC, has looked and destroys the domain (domain_kill()
 * in vcpu/domain.c) or, after a suspend that came to nothing, lets it go on (domain_resume()).
 *
 * A vCPU that waits for a device model's answer is within an instruction, of which the domain's saved state could not
 * tell: it goes on to that instruction's end, and the domain is shut down (is_shut_down) when the last one is there.
 *
 * Corresponds to domain_pause(), domain_shutdown(), domain_resume(), domain_crash() and vcpu_end_shutdown_deferral() in
 * xen/common/domain.c.
 */
#include "vcpu/noun/domain.h"

#include "evtchn/evtchn.h"

#include <stdarg.h>
#include <stdio.h>
#include <xen/sched.h>

void domain_pause(struct domain *d)
{
    d->pause_count++;
    for_each_vcpu (d, v)
        vcpu_sleep_nosync(v);
}

void domain_unpause(struct domain *d)
{
    BUG_ON(d->pause_count <= 0);
    if (--d->pause_count == 0)
        for_each_vcpu (d, v)
            vcpu_wake(v);
}

void domain_notify(struct domain *d)
{
    struct xen *xen = d->xen;

    if (xen->dom0 && d != xen->dom0)
        send_global_virq(xen, VIRQ_DOM_EXC);
}

/* What becomes of the machine. It does not start again here: to be off or to reboot, both end the run. */
static void hwdom_tell(const struct xen *xen, int reason)
{
    static const char *const what[] = {
        [SHUTDOWN_poweroff] = "halted: halting machine",
        [SHUTDOWN_reboot] = "shutdown: rebooting machine",
        [SHUTDOWN_crash] = "crashed: rebooting machine",
        [SHUTDOWN_watchdog] = "shutdown: watchdog rebooting machine",
        [SHUTDOWN_soft_reset] = "did unsupported soft reset: rebooting machine",
    };

    if (reason >= 0 && reason < (int)ARRAY_SIZE(what) && what[reason])
        printk(xen->machine, LOG_ERR, "Hardware Dom0 %s: the run ends", what[reason]);
    else
        printk(xen->machine, LOG_ERR, "Hardware Dom0 shutdown (unknown reason %d): rebooting machine: the run ends",
               reason);
}

/*
 * The domain that has the machine's devices takes the machine with it: whatever the reason, nobody is left who could
 * act on it. Corresponds to hwdom_shutdown() of xen/common/shutdown.c.
 */
static void hwdom_shutdown(struct xen *xen, int reason)
{
    hwdom_tell(xen, reason);
    if (xen->board)
        xen->board->shutdown(xen->board_data, reason);
    xen->powered_off = true;
}

/* All vCPUs stand still? */
static void shutdown_check(struct domain *d)
{
    for_each_vcpu (d, v)
        if (v->defer_shutdown)
            return;
    d->is_shut_down = true;
    domain_notify(d);
    if (is_hardware_domain(d))
        hwdom_shutdown(d->xen, d->shutdown_code);
}

void domain_shutdown(struct domain *d, int reason)
{
    if (d->shutdown_code == -1)
        d->shutdown_code = reason;
    if (d->is_shutting_down)
        return;
    d->is_shutting_down = true;
    TRACE_DOMAIN(d, TRACE_DOMAIN_SHUTDOWN, (uint64_t)d->shutdown_code, "");
    for_each_vcpu (d, v) {
        v->defer_shutdown &= reason != SHUTDOWN_crash;
        if (!v->defer_shutdown)
            vcpu_sleep_nosync(v);
    }
    shutdown_check(d);
}

/* The instruction is done in which v was, if it was in one that kept its domain from being shut down. */
void vcpu_end_shutdown_deferral(struct vcpu *v)
{
    if (!v->defer_shutdown)
        return;
    v->defer_shutdown = false;
    if (!v->domain->is_shutting_down)
        return;
    vcpu_sleep_nosync(v);
    shutdown_check(v->domain);
}

void domain_resume(struct domain *d)
{
    d->is_shutting_down = d->is_shut_down = false;
    d->shutdown_code = -1;
    d->crash_reason[0] = '\0';
    TRACE_DOMAIN(d, TRACE_DOMAIN_RESUME, TRACE_NONE, "");
    for_each_vcpu (d, v)
        vcpu_wake(v);
}

void domain_crash(struct vcpu *v, const char *why, ...)
{
    struct domain *d = v->domain;
    struct xen *xen = d->xen;
    va_list ap;

    if (d->is_shutting_down)
        return;
    va_start(ap, why);
    vsnprintf(d->crash_reason, sizeof(d->crash_reason), why, ap);
    va_end(ap);
    printk(xen->machine, LOG_ERR, "d%uv%u: %s: domain crashed", d->domain_id, v->vcpu_id, d->crash_reason);
    TRACE_TEXT_BY(xen->machine, domain, vcpu_trace_who(v), d->crash_reason, strlen(d->crash_reason), TRACE_DOMAIN_CRASH,
                  SHUTDOWN_crash);
    if (xen->crash_report)
        xen->crash_report(xen->hook_data, v, d->crash_reason);
    domain_shutdown(d, SHUTDOWN_crash);
}
