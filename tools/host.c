// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host: the composition root. host_create() reads as the order in which a Xen machine comes up. What the toolstack
 * does with guests is in host_guest.c.
 *
 * Budget: the boot order, and one line functions that hand on what is asked of the parts.
 */
#include "tools/host_private.h"

#include "mmu/audit.h"
#include "mmu/grant/grant_table.h"
#include "tools/xc/xc.h"
#include "vcpu/cpu_policy.h"
#include "vcpu/tsc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

_Static_assert(HOST_MAX_POOLS == MACHINE_MAX_PCPUS && XL_MEMORY_MIB_MAX == MACHINE_MAX_RAM_MIB &&
                   XL_VCPUS_MAX == MAX_VIRT_CPUS && XL_GRANT_FRAMES_MAX == GNTTAB_MAX_GRANT_FRAMES &&
                   XL_MAPTRACK_FRAMES_MAX == GNTTAB_MAX_MAPTRACK_FRAMES &&
                   XC_MAX_LEAVES == CPUID_MAX_SERIALISED_LEAVES && XL_TSC_ALWAYS_EMULATE == TSC_MODE_ALWAYS_EMULATE,
               "the toolstack, which sees nothing of the hypervisor, knows its limits");

#define DEFAULT_RAM_MIB 512

/* Its last words are in the console's ring still, since dom0 has not run: they come before the report. */
static void guest_crashed(void *data, struct vcpu *v, const char *why)
{
    struct host *h = data;
    const struct guest *g = guest_find(h, v->domain->domain_id);
    struct crash_report report;

    if (g && g->console)
        console_backend_drain(g->console);
    if (!h->edges->io.guest_crashed)
        return;
    crash_report_make(v, why, &report);
    h->edges->io.guest_crashed(h->edges->io.data, &report);
}

/* --- coming up: each part but the first answers 0, or -1 with a message --- */

static struct machine *machine_start(const struct host_config *cfg, char err[HOST_ERR_SIZE])
{
    const uint64_t need = HOST_RAM_MIB(cfg->guests_mib), least = need > DEFAULT_RAM_MIB ? need : DEFAULT_RAM_MIB;
    const struct machine_config mc = {
        .ram_mib = cfg->ram_mib ?: least,
        .nr_pcpus = cfg->nr_pcpus ?: 1,
        .seed = cfg->seed,
        .plain_engine = cfg->plain_engine,
        .exact_segments = cfg->exact_segments,
    };

    return machine_create(&mc, err, HOST_ERR_SIZE);
}

static int xen_start(struct host *h, const struct host_config *cfg, char err[HOST_ERR_SIZE])
{
    const char *const sched = cfg->sched ? cfg->sched : HOST_DEFAULT_SCHED;

    h->xen = xen_create_ops(h->machine, sched, cfg->sched_ops, cfg->dom0, err, HOST_ERR_SIZE);
    if (!h->xen)
        return -1;
    h->xen->technique = cfg->technique;
    h->xen->audit = cfg->audit;
    h->device_model = cfg->device_model;
    h->xen->hook_data = h;
    h->xen->crash_report = guest_crashed;
    return 0;
}

static int dom0_boot(struct host *h)
{
    evtchn_port_t port;

    h->dom0 = native_kernel_create(h->xen->dom0, NULL, 0);
    h->xc = h->dom0 ? xc_interface_open(native_vcpu(h->dom0)) : NULL;
    if (!h->xc)
        return -1;
    h->xenstored = xenstored_create(h->dom0, &h->edges->xenstore);
    if (!h->xenstored || (!h->xen->boot && !dom0_nodes(h)))
        return -1;
    task_init(&h->look, h->dom0, &guests_look_task, h);
    task_init(&h->ctl, h->dom0, &ctl_task, h);
    h->guest_task = &guest_task;
    if (xc_evtchn_bind_virq(xc(h), VIRQ_DOM_EXC, &port) || !native_bind(h->dom0, port, &h->look))
        return -1;
    return native_timers_start(h->dom0);
}

static int dom0_start(struct host *h, const struct host_config *cfg, char err[HOST_ERR_SIZE])
{
    if (!dom0_boot(h) && faults_start(h, cfg->faults, cfg->nr_faults))
        return 0;
    snprintf(err, HOST_ERR_SIZE, "dom0 does not start");
    return -1;
}

static void slow_engine_warn(struct host *h)
{
    struct pcpu *pcpu = h->machine->pcpu[0];

    if (!pcpu_backend_is_fast(pcpu))
        host_message(h,
                     "warning: this build of %s is laid out in another way than known: it is used without shortcuts, "
                     "which is slower",
                     pcpu_backend_name(pcpu));
}

static int pools_start(struct host *h, const struct host_config *cfg, char err[HOST_ERR_SIZE])
{
    h->pools = cfg->pools;
    for (; h->nr_pools < cfg->nr_pools; h->nr_pools++)
        if (host_pool_create(xc(h), &h->pools[h->nr_pools], err))
            return -1;
    return 0;
}

/* A host that has nothing yet but its machine, in whose arena it lies. NULL: out of memory. */
static struct host *host_alloc(struct machine *m, const struct host_config *cfg, const struct host_io *io)
{
    struct host_edges *edges = calloc(1, sizeof(*edges));
    struct host *h = edges ? xzalloc(m->arena, struct host) : NULL;

    if (!h) {
        free(edges);
        return NULL;
    }
    edges->io = edges->loud = *io;
    host_xenstore_edge(edges);
    edges->disk_writes = cfg->disk_writes;
    edges->only_forward = cfg->only_forward;
    edges->power_cut = cfg->power_cut;
    saved_files_begin(edges, cfg);
    h->edges = edges;
    h->arena = m->arena;
    h->machine = m;
    h->seed = cfg->seed;
    h->kept_told = cfg->quiet;
    h->guests_tail = &h->guests;
    return h;
}

struct host *host_create(const struct host_config *cfg, const struct host_io *io, char err[HOST_ERR_SIZE])
{
    struct machine *m = machine_start(cfg, err); /* RAM, processors, clock */
    struct host *h = m ? host_alloc(m, cfg, io) : NULL;
    int rc;

    if (!h) {
        if (m)
            snprintf(err, HOST_ERR_SIZE, "out of memory");
        machine_destroy(m);
        return NULL;
    }
    rc = xen_start(h, cfg, err);         /* scheduler, frames, heap, dom0 */
    rc = rc ?: dom0_start(h, cfg, err);  /* dom0's kernel: events from here on */
    rc = rc ?: pools_start(h, cfg, err); /* CPU pools, by dom0's hypercalls; guests are added later */
    if (rc) {
        host_destroy(h);
        return NULL;
    }
    if (!cfg->plain_engine)
        slow_engine_warn(h);
    return h;
}

void host_destroy(struct host *h)
{
    struct host_edges *edges = h ? h->edges : NULL;
    struct machine *m = h ? h->machine : NULL;

    if (!h)
        return;
    while (h->guests) {
        struct guest *g = h->guests;

        h->guests = g->next;
        guest_free(h, g);
    }
    ctl_end(h);
    faults_end(h);
    host_devices_end(h);
    xenstored_destroy(h->xenstored);
    xc_interface_close(h->xc);
    xen_destroy(h->xen);
    native_kernel_destroy(h->dom0);
    xfree(h);
    machine_destroy(m);
    image_cache_free(&edges->files);
    saved_files_close(edges);
    host_devices_close(edges);
    free(edges);
}

/* --- running --- */

enum run_result host_run_to(struct host *h, const struct run_limit *l) { return xen_run_to(h->xen, l); }

bool host_is_idle(const struct host *h) { return xen_is_idle(h->xen); }

unsigned int host_guests_left(const struct host *h) { return h->guests_left; }

bool host_failed(const struct host *h) { return h->edges->failed; }

size_t host_console_room(const struct host *h, unsigned int index)
{
    const struct guest *g = guest_at(h, index);

    if (g && g->cfg.dom0)
        return g->state == GUEST_ENDED ? 0 : HOST_INPUT_MAX - g->nr_input;
    if (!g || !g->console || g->state == GUEST_ENDED ||
        !(guest_types_on_pc(g) || console_backend_connected(g->console)))
        return 0;
    return g->nr_input < HOST_INPUT_MAX ? HOST_INPUT_MAX - g->nr_input : 0;
}

void host_console_input(struct host *h, unsigned int index, const char *text, size_t len, s_time_t now)
{
    struct guest *g = guest_at(h, index);

    BUG_ON(len > host_console_room(h, index));
    xen_interrupt(h->xen, now);
    memcpy(g->input + g->nr_input, text, len);
    g->nr_input += len;
    if (g->cfg.dom0)
        dom0_kick(g);
    else if (guest_types_on_pc(g))
        guest_pc_kick(g);
    else
        console_backend_kick(g->console);
}

int host_console_tty(struct host *h, unsigned int index, const char *path, size_t len, s_time_t now)
{
    struct guest *g = guest_at(h, index);

    BUG_ON(!g || len >= sizeof(g->tty));
    xen_interrupt(h->xen, now);
    memcpy(g->tty, path, len);
    g->tty[len] = '\0';
    return !g->introduced || guest_tty_changed(g) ? 0 : -ENOMEM;
}

bool host_console_wants_input(const struct host *h, unsigned int index)
{
    const struct guest *g = guest_at(h, index);

    if (g && g->cfg.dom0)
        return g->state != GUEST_ENDED && !g->nr_input;
    return g && g->console && g->state != GUEST_ENDED && !g->nr_input &&
           (guest_types_on_pc(g) ? pc_wants_input(guest_pc(g)) : console_backend_wants_input(g->console));
}

size_t host_dom0_time(const struct host *h, struct host_task_time *t, size_t max)
{
    const struct task_kind *kinds;
    size_t nr = native_kinds(h->dom0, &kinds);

    nr = nr < max ? nr : max;
    for (size_t i = 0; i < nr; i++)
        t[i] = (struct host_task_time){ kinds[i].ops->name, kinds[i].steps, kinds[i].ns };
    return nr;
}

void host_silence(struct host *h, bool silent)
{
    h->edges->io = silent ? (struct host_io){ 0 } : h->edges->loud;
    h->edges->silent = h->machine->edges->silent = silent;
}

struct machine *host_machine(const struct host *h) { return h->machine; }

/* --- looking --- */

s_time_t host_busy(const struct host *h) { return snapshot_busy(h->xen); }

void host_snapshot(const struct host *h, struct snapshot *s) { snapshot_take(h->xen, s); }

void host_snapshot_machine(const struct host *h, struct snapshot_machine *s) { snapshot_machine(h->xen, s); }

bool host_snapshot_domain(const struct host *h, unsigned int *n, struct xen_domctl_getdomaininfo *info)
{
    return snapshot_domain(h->xen, n, info);
}

bool host_snapshot_vcpu(const struct host *h, domid_t domid, unsigned int vcpu, struct snapshot_domain_vcpu *s)
{
    return snapshot_domain_vcpu(h->xen, domid, vcpu, s);
}

size_t host_snapshot_dmesg(const struct host *h, char *buf, size_t size) { return snapshot_dmesg(h->xen, buf, size); }

const char *host_crash_why(const struct host *h, domid_t domid, int reason)
{
    const struct guest *g = guest_find(h, domid);

    if (reason == SHUTDOWN_watchdog)
        return "its watchdog fired";
    return g && g->crash_wanted ? "xenlab ctl crash" : "it says so itself (SHUTDOWN_crash)";
}

bool host_crash_report(struct host *h, domid_t domid, const char *why, struct crash_report *report)
{
    struct domain *d = get_domain_by_id(h->xen, domid);
    const bool untold = d && !d->crash_reason[0] && d->max_vcpus && d->vcpu[0];

    if (untold)
        crash_report_make(d->vcpu[0], why, report);
    if (d)
        put_domain(d);
    return untold;
}

void host_log(struct host *h, void (*sink)(void *data, const char *line, size_t len), void *data, enum log_level level)
{
    h->machine->edges->log = (struct log_sink){ sink, data };
    h->machine->log.level = level;
}

void host_trace(struct host *h, void (*sink)(void *data, const struct trace_record *rec), void *data)
{
    h->machine->edges->trace = (struct trace){ .sink = sink, .data = data };
}

struct xen *host_xen(struct host *h) { return h->xen; }

int host_audit(struct host *h, char *why, size_t len)
{
    const int rc = mmu_audit(h->xen, why, len);

    if (rc == -ENOMEM)
        snprintf(why, len, "out of memory");
    return rc ? -1 : 0;
}

const struct image *host_guest_image(const struct host *h, domid_t domid)
{
    const struct guest *g = domid < DOMID_FIRST_RESERVED ? h->guest_of[domid] : NULL;

    return g && g->kernel ? image_cache_named(&h->edges->files, g->kernel) : NULL;
}

int host_guest_index(const struct host *h, domid_t domid)
{
    const struct guest *g = guest_find(h, domid);

    return g ? (int)g->index : -1;
}

domid_t host_guest_domid(const struct host *h, unsigned int index)
{
    const struct guest *g = guest_at(h, index);

    return g ? g->domid : DOMID_INVALID;
}

int host_guest_next(const struct host *h, unsigned int index)
{
    const struct guest *first = NULL, *next = NULL;

    for (const struct guest *g = h->guests; g && !next; g = g->next) {
        if (g->state == GUEST_ENDED || g->cfg.driver_domain)
            continue;
        first = first ? first : g;
        next = g->index > index ? g : NULL;
    }
    next = next ? next : first;
    return next ? (int)next->index : -1;
}

bool host_guest_ended(const struct host *h, unsigned int index)
{
    const struct guest *g = guest_at(h, index);

    return !g || g->state == GUEST_ENDED;
}

s_time_t host_guest_born(const struct host *h, domid_t domid)
{
    const struct guest *g = guest_find(h, domid);

    return g ? g->born : 0;
}

const char *host_guest_name(const struct host *h, domid_t domid)
{
    const struct guest *g = guest_find(h, domid);

    return g ? g->cfg.name : NULL;
}
