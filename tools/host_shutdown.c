// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What becomes of a guest that has shut down.
 *
 * Concept: a domain that shuts down stays as it is, and the toolstack decides, where xl decides: dom0 gets
 * VIRQ_DOM_EXC, looks with getdomaininfo which domain it was and why, and carries out on_poweroff, on_reboot, on_crash,
 * on_watchdog or on_soft_reset.
 *
 *      destroy          the domain goes
 *      restart          it goes, and a new one is built from the same files: another number, the same console
 *      rename-restart   it stays, under the name "NAME-<date>", and a new one is built. (Where that name is taken, as it is when
 *                       it restarts twice in a minute, xl gives up; here it is "NAME-<date>-2".)
 *      preserve         it stays, for whoever wants to look at it
 *      coredump-...     first its memory is written to NAME.core, in the current directory (tools/xc/coredump.c)
 *      soft-reset       for HVM guests, of which it is not there; a PV domain is crashed by the attempt, as in Xen
 *
 * A guest that suspends goes on at once (tools/xc/resume.c), but for one that is to be cloned (host_clone.c).
 *
 * A guest that shuts down as soon as it starts would be restarted for ever. xl waits two seconds before each restart;
 * here, in virtual time, the pause is none for the first, and then doubles from 10 ms up to those two seconds as long
 * as the guest lives less than 5 s. After 10 such lives in a row that ended by a crash it is not restarted any more.
 *
 * Corresponds to tools/xl/xl_vmcontrol.c (domain_death_action, handle_domain_death, preserve_domain, create_domain).
 */
#include "tools/host_private.h"
#include "tools/xc/resume.h"
#include "tools/xc/xc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xen/sched.h>

#define PAUSE_FIRST MILLISECS(10)
#define PAUSE_MAX   SECONDS(2)

/* What a step answers: whether the guest's task has more to do. */

static bool settle(struct guest *g, enum guest_state state)
{
    g->state = state;
    g->settled = true;
    return false;
}

static bool guest_gone(struct host *h, struct guest *g)
{
    ctl_guest_gone(h, g);
    if (!g->cfg.driver_domain && --h->guests_left == 0)
        h->xen->powered_off = true;
    return settle(g, GUEST_ENDED);
}

/* --- building --- */

static bool build_step(struct host *h, struct guest *g)
{
    const int rc = guest_build_step(h, g, g->err);

    if (rc > 0)
        return true;
    if (!g->added) /* host_guest_add() does the rest */
        return settle(g, rc ? GUEST_ENDED : GUEST_ALIVE);
    if (rc == 0) {
        xc_domain_unpause(xc(h), g->domid);
        return settle(g, GUEST_ALIVE);
    }
    host_message(h, "%s cannot be restarted: %s", g->cfg.name, g->err);
    h->edges->failed = true;
    return guest_gone(h, g);
}

static bool build_again(struct guest *g)
{
    g->settled = false;
    g->state = GUEST_BUILD;
    return true;
}

/* --- restarting --- */

/* Its domain is gone, or has been given away. Build another, at once or after a pause. */
static bool restart(struct host *h, struct guest *g)
{
    const bool crashed = g->reason == SHUTDOWN_crash || g->reason == SHUTDOWN_watchdog;
    const bool quick = host_now(h) - g->born < GUEST_SHORT_LIFE;
    s_time_t pause = 0;

    if (!quick)
        g->quick = 0;
    g->crashes = quick && crashed ? g->crashes + 1 : 0;
    if (g->crashes >= GUEST_CRASHES_MAX) {
        host_message(h, "%s has crashed %u times in a row, each time within %lld s of its start: not restarted",
                     g->cfg.name, g->crashes, (long long)(GUEST_SHORT_LIFE / SECONDS(1)));
        return guest_gone(h, g);
    }
    if (g->quick)
        pause = g->quick < 16 && PAUSE_FIRST << (g->quick - 1) < PAUSE_MAX ? PAUSE_FIRST << (g->quick - 1) : PAUSE_MAX;
    g->quick++;
    if (!pause)
        return build_again(g);
    g->state = GUEST_PAUSE;
    task_ready_at(&g->task, host_now(h) + pause);
    return false;
}

/* The domain of g becomes a guest of its own, which has ended, with the date in its name. False: out of memory. */
static bool rename_away(struct host *h, struct guest *g)
{
    const time_t now = (time_t)(host_wallclock(h) / SECONDS(1));
    struct guest *old = xzalloc(h->arena, struct guest);
    char date[32], *base = NULL, *name = NULL;
    struct tm tm;

    strftime(date, sizeof(date), "%Y%m%dT%H%MZ", gmtime_r(&now, &tm));
    if (old && asprintf(&base, "%s-%s", g->cfg.name, date) >= 0)
        name = host_name_free(base, 1, guest_name_taken, h);
    free(base);
    if (name)
        old->cfg.name = xstrdup(h->arena, name);
    free(name);
    if (!old || !old->cfg.name) {
        xfree(old);
        return false;
    }
    guest_name_claim(h, old);
    old->host = h;
    old->domid = g->domid;
    old->state = GUEST_ENDED;
    old->settled = true;
    old->kernel = g->kernel;
    old->console = g->console;
    old->introduced = g->introduced;
    g->console = NULL;
    g->introduced = false;
    guest_list_append(h, old);
    h->guest_of[old->domid] = old;
    guest_renamed(old);
    return true;
}

/* --- suspending --- */

bool guest_resume(struct host *h, struct guest *g)
{
    const struct image *img = &g->kernel->image;
    const struct suspended s = {
        g->domid, guest_is_hvm(g), img->is64, img->suspend_cancel, g->console_mfn, g->store_mfn
    };
    char why[RESUME_ERR_SIZE];

    if (resume(xc(h), &s, why) == 0)
        return settle(g, GUEST_ALIVE);
    host_message(h, "%s is suspended, and stays so: %s", g->cfg.name, why);
    if (h->edges->io.guest_ended)
        h->edges->io.guest_ended(h->edges->io.data, g->domid, SHUTDOWN_suspend);
    return guest_gone(h, g);
}

/*
 * If nobody wants to copy it, it goes on at once, as after a checkpoint. It is never GUEST_DOWN: what is asked of a
 * guest by its name finds it alive, or suspended for whoever waits for that.
 */
static void suspended(struct host *h, struct guest *g)
{
    console_backend_drain(g->console);
    if (!g->suspend_wanted) {
        guest_resume(h, g);
        return;
    }
    g->state = GUEST_SUSPENDED;
    task_ready(&h->ctl);
}

/* --- core dumps --- */

int guest_dump_core(struct host *h, const struct guest *g, const char *path, char why[COREDUMP_ERR_SIZE])
{
    const int rc = coredump_write(xc(h), g->domid, g->kernel->image.is64, h->edges->silent ? NULL : path, why);

    return h->edges->silent ? 0 : rc;
}

/* Whether that succeeds or not: what was to follow follows. */
static void dump_core(struct host *h, struct guest *g)
{
    char why[COREDUMP_ERR_SIZE], *path = NULL;

    if (asprintf(&path, "%s.core", g->cfg.name) < 0)
        return;
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash, '/'))
        *slash = '_';
    if (guest_dump_core(h, g, path, why)) {
        host_message(h, "the core of %s cannot be written: %s", g->cfg.name, why);
        h->edges->failed = true;
    } else if (!h->edges->silent) {
        host_message(h, "the core of %s is in %s", g->cfg.name, path);
    }
    free(path);
}

/* --- the decision --- */

static enum xl_action action_for(struct host *h, const struct guest *g, int reason)
{
    switch (reason) {
    case SHUTDOWN_poweroff: return g->cfg.on_poweroff;
    case SHUTDOWN_reboot: return g->cfg.on_reboot;
    case SHUTDOWN_crash: return g->cfg.on_crash;
    case SHUTDOWN_watchdog: return g->cfg.on_watchdog;
    case SHUTDOWN_soft_reset: return g->cfg.on_soft_reset;
    default:
        host_message(h, "%s has shut down for a reason that nobody knows (%d): destroyed", g->cfg.name, reason);
        return XL_ACTION_DESTROY;
    }
}

static bool restarts(enum xl_action action)
{
    return action == XL_ACTION_RESTART || action == XL_ACTION_COREDUMP_RESTART || action == XL_ACTION_RENAME_RESTART;
}

/* From here on nothing of the domain is looked at. */
static bool destroy(struct guest *g, bool restarts)
{
    guest_disconnect(g);
    g->restarts = restarts;
    g->state = GUEST_DESTROY;
    return true;
}

void guest_destroy(struct host *h, struct guest *g)
{
    if (g->console)
        console_backend_drain(g->console);
    if (h->edges->io.guest_ended)
        h->edges->io.guest_ended(h->edges->io.data, g->domid, HOST_DESTROYED);
    destroy(g, false);
    task_ready(&g->task);
}

static bool destroy_step(struct host *h, struct guest *g)
{
    if (xc_domain_destroy_step(xc(h), g->domid) == -ERESTART)
        return true;
    if (g->restarts)
        return restart(h, g);
    guest_name_drop(h, g); /* another one may be called so */
    return guest_gone(h, g);
}

static bool down(struct host *h, struct guest *g)
{
    enum xl_action action;

    if (g->driver)
        return driver_down(h, g) ? settle(g, GUEST_ALIVE) : guest_gone(h, g); /* it stays as it is */
    action = action_for(h, g, g->reason);
    console_backend_drain(g->console);
    if (h->edges->io.guest_ended)
        h->edges->io.guest_ended(h->edges->io.data, g->domid, g->reason);

    if (restarts(action))
        guest_input_take_back(g);
    if (action == XL_ACTION_COREDUMP_DESTROY || action == XL_ACTION_COREDUMP_RESTART)
        dump_core(h, g);
    switch (action) {
    case XL_ACTION_COREDUMP_DESTROY:
    case XL_ACTION_DESTROY: return destroy(g, false);
    case XL_ACTION_COREDUMP_RESTART:
    case XL_ACTION_RESTART: return destroy(g, true);
    case XL_ACTION_RENAME_RESTART: return rename_away(h, g) ? restart(h, g) : guest_gone(h, g);
    case XL_ACTION_SOFT_RESET:
        host_message(h, "%s: soft-reset is for HVM guests, and %s: destroyed", g->cfg.name,
                     guest_is_hvm(g) ? "of those it is not there" : "this one is PV");
        h->edges->failed = true;
        return destroy(g, false);
    case XL_ACTION_PRESERVE: break;
    }
    return guest_gone(h, g);
}

static bool step_in_turn(struct host *h, struct guest *g, bool (*step)(struct host *h, struct guest *g))
{
    const enum guest_state state = g->state;
    bool more;

    if (!turn_take(h, g))
        return false;
    more = step(h, g);
    if (g->state != state)
        turn_give(h);
    return more;
}

static bool guest_step(struct task *t, unsigned int budget)
{
    struct guest *g = t->data;
    struct host *h = g->host;

    (void)budget; /* each step is as short as it can be */
    switch (g->state) {
    case GUEST_BUILD: return step_in_turn(h, g, build_step);
    case GUEST_DOWN: return down(h, g);
    case GUEST_DESTROY: return step_in_turn(h, g, destroy_step);
    case GUEST_PAUSE: return build_again(g);
    case GUEST_ALIVE:
    case GUEST_SUSPENDED:
    case GUEST_ENDED: break;
    }
    return false;
}

const struct task_ops guest_task = { .name = "toolstack", .step = guest_step };

static void guest_has_shut_down(struct host *h, struct guest *g, int reason)
{
    g->reason = reason;
    xs_domain_shutdown(&h->xenstored->store, g->domid);
    if (reason == SHUTDOWN_suspend && !g->driver) {
        suspended(h, g);
        return;
    }
    g->state = GUEST_DOWN;
    task_ready(&g->task);
}

/* Something about some domain changed. Which one it was is not said, so look at all, many at a time. */
static bool guests_look(struct task *t, unsigned int budget)
{
    struct xen_domctl_getdomaininfo info[64];
    struct host *h = t->data;
    domid_t first = 0;
    int n;

    (void)budget; /* in one step: an event that came between two would have to begin from the start again */
    do {
        n = xc_domain_getinfolist(xc(h), first, ARRAY_SIZE(info), info);
        for (int i = 0; i < n; i++) {
            struct guest *g = guest_find(h, info[i].domain);

            if (g && g->state == GUEST_ALIVE && (info[i].flags & XEN_DOMINF_shutdown))
                guest_has_shut_down(h, g, (int)(info[i].flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask));
            first = (domid_t)(info[i].domain + 1);
        }
        task_charge(t, n > 0 ? (unsigned int)n : 0, 0);
    } while (n == ARRAY_SIZE(info));
    return false;
}

const struct task_ops guests_look_task = { .name = "toolstack: who?", .step = guests_look };
