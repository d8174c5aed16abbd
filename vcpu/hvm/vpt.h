// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtual platform timers: what ticks in an HVM domain, and what becomes of ticks that nobody took. See vpt.c.
 */
#ifndef VCPU_HVM_VPT_H
#define VCPU_HVM_VPT_H

#include "sim/clock.h"

struct hvm_irq;
struct vcpu;

/* Where an interrupt comes from that a vCPU is to take, and its vector. */
enum hvm_intsrc { hvm_intsrc_none, hvm_intsrc_pic, hvm_intsrc_lapic, hvm_intsrc_nmi, hvm_intsrc_vector };
struct hvm_intack {
    uint8_t source; /* enum hvm_intsrc */
    uint8_t vector;
};

#define VPT_PERIOD_MIN MICROSECS(100) /* shorter periods are made so long */

struct periodic_time;

/* How ticks of a kind of timer reach the guest. */
struct vpt_source {
    bool (*masked)(const struct periodic_time *pt);  /* all of the ways to the guest are */
    bool (*latched)(const struct periodic_time *pt); /* it waits in a controller already */
    /* Hand it to the controllers. True: nobody will acknowledge it, so it counts as taken. */
    bool (*raise)(struct periodic_time *pt);
    bool (*is_tick)(const struct periodic_time *pt, const struct vcpu *v, struct hvm_intack intack);
};

/* Called when the guest has taken a tick. */
typedef void vpt_fn(void *data);

struct periodic_time {
    struct hvm_irq *irqs;
    struct vcpu *vcpu;          /* whose timer it is, and for those of the domain whose time it keeps */
    struct periodic_time *next; /* in irqs->timers; it runs (is in there) or not */
    struct timer timer;
    s_time_t period;        /* 0: it ticks once */
    s_time_t scheduled;     /* when the next tick is due */
    s_time_t last_plt_time; /* guest time of the last tick that was taken */
    uint32_t pending;       /* ticks that are due and not taken */
    const struct vpt_source *source;
    uint8_t irq; /* as `source` understands it: a vector, an ISA interrupt */
    bool running, issued;
    bool keeps; /* it goes on while its vCPU has no pCPU */
    vpt_fn *fn;
    void *data;
};

/* A vCPU's guest time: it may stand still while the vCPU has no pCPU. */
struct vpt_time {
    int64_t offset;      /* added to the machine's time */
    s_time_t stopped_at; /* guest time when it was stopped */
    bool stopped;
};

/* Once, before any other call. */
void vpt_init(struct periodic_time *pt, struct hvm_irq *irqs, struct vcpu *v, const struct vpt_source *source);
/*
 * Tick in `delta` ns, and then every `period` (0: not again). fn may be NULL. A timer that ran begins anew; ticks that
 * it had pending are gone.
 */
void create_periodic_time(struct periodic_time *pt, s_time_t delta, s_time_t period, uint8_t irq, vpt_fn *fn,
                          void *data);
void destroy_periodic_time(struct periodic_time *pt);

/*
 * Hand pending ticks to the controllers, as far as they are not masked: before a vCPU goes on, and when something is no
 * longer masked.
 */
void pt_update_irq(struct hvm_irq *irqs);
/* v has taken an interrupt: was it a tick? */
void pt_intr_post(struct vcpu *v, struct hvm_irq *irqs, struct hvm_intack intack);

/* v leaves its pCPU, though it could go on; it is on one again. */
void pt_save_timer(struct vcpu *v, struct hvm_irq *irqs);
void pt_restore_timer(struct vcpu *v, struct hvm_irq *irqs);

/* The time as v's timers count it. */
s_time_t hvm_get_guest_time(const struct vcpu *v, const struct hvm_irq *irqs);

#endif
