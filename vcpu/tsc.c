// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The TSC that a domain sees: the machine's, or one made up for it.
 *
 * Concept: a guest reads the time with RDTSC, which costs nothing, but shows it the machine as it is: the frequency of
 * the one it happens to run on, and a counter for each pCPU that need not agree with the next one's. So there are two
 * kinds:
 *
 *   native      RDTSC is the pCPU's own counter, 1 GHz here, from power-on on
 *   emulated    RDTSC is computed: a frequency of the domain's own, counting since its creation (also across a migration,
 *               elapsed_nsec), and never a smaller value than before, whichever vCPU asks (vcpu/time_info.c)
 *
 * Which one is the toolstack's choice (tsc_mode): always_emulate, native (never), or by default native when that is
 * safe: the frequency is the one the domain was promised, and the pCPUs agree. Here each pCPU has its own position in
 * virtual time, up to a quantum apart (vcpu/run.c), so they agree only on a machine that has one.
 *
 * A frequency becomes a multiplication, since guests compute it too: ns = (ticks << shift) * mul_frac / 2^32, with
 * mul_frac at least 2^31 so that no precision is lost.
 *
 * Corresponds to tsc_set_info() and set_time_scale() in xen/arch/x86/time.c.
 */
#include "vcpu/tsc.h"

#include <errno.h>
#include <xen/domctl.h>

/* --- scales --- */

static struct time_scale scale_of_frequency(uint64_t hz)
{
    int shift = 0;

    for (; hz > 2 * (uint64_t)SECONDS(1); hz >>= 1)
        shift--;
    for (; hz <= (uint64_t)SECONDS(1); hz <<= 1)
        shift++;
    return (struct time_scale){ shift, (uint32_t)(((uint64_t)SECONDS(1) << 32) / hz) };
}

/* From ns back to ticks. */
static struct time_scale scale_inverse(struct time_scale s)
{
    struct time_scale inverse = { 1 - s.shift, 0 };
    uint64_t dividend = UINT64_C(1) << 63;

    while (dividend >> 32 >= s.mul_frac) {
        dividend >>= 1;
        inverse.shift++;
    }
    inverse.mul_frac = (uint32_t)(dividend / s.mul_frac);
    return inverse;
}

struct time_scale tsc_scale(const struct domain *d)
{
    return d->tsc.emulated ? d->tsc.to_ns : scale_of_frequency(d->xen->tsc_khz * 1000);
}

/* --- the mode --- */

int tsc_set_info(struct domain *d, const struct xen_domctl_tsc_info *info)
{
    struct domain_tsc *t = &d->tsc;

    switch (info->tsc_mode) {
    case TSC_MODE_DEFAULT:
    case TSC_MODE_ALWAYS_EMULATE:
        t->offset = (s_time_t)((uint64_t)NOW(d->xen) - info->elapsed_nsec);
        t->khz = info->gtsc_khz ? info->gtsc_khz : (uint32_t)d->xen->tsc_khz;
        t->to_ns = scale_of_frequency((uint64_t)t->khz * 1000);
        t->from_ns = scale_inverse(t->to_ns);
        t->emulated =
            info->tsc_mode == TSC_MODE_ALWAYS_EMULATE || !host_tsc_is_safe(d->xen) || t->khz != d->xen->tsc_khz;
        break;
    case TSC_MODE_NEVER_EMULATE: t->emulated = false; break;
    default: return -EINVAL;
    }
    t->mode = info->tsc_mode;
    t->incarnation = info->incarnation + 1;
    return 0;
}

void tsc_get_info(const struct domain *d, struct xen_domctl_tsc_info *info)
{
    const struct domain_tsc *t = &d->tsc;
    const uint64_t now = (uint64_t)NOW(d->xen);

    *info = (struct xen_domctl_tsc_info){ .tsc_mode = t->mode, .incarnation = t->incarnation };
    if (t->mode == TSC_MODE_NEVER_EMULATE)
        return;
    info->gtsc_khz = t->emulated ? t->khz : (uint32_t)d->xen->tsc_khz;
    info->elapsed_nsec = t->emulated ? now - (uint64_t)t->offset : now; /* the machine's TSC: a tick a ns */
    if ((int64_t)info->elapsed_nsec < 0)
        info->elapsed_nsec = 0;
}
