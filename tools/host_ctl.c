// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of `xenlab ctl` that change something: what xl and libxl do for the same words.
 *
 * Concept: a command comes in as words, between two steps of the machine, and waits for its turn (tools/ctl_jobs.c). A
 * task of dom0 carries out one after the other, by hypercalls and by nodes of xenstore that the guest watches, and so
 * in dom0's time, as a toolstack does. What it has to say goes out by the command's number, whether anybody still
 * listens or not.
 *
 *      words --> h->ctl_jobs --> the task: ctl_parse(), the command's function --> DONE: its status
 *                                                                              --> MORE: another step
 *                                                                              --> WAITS: until the guest is gone
 *
 * Domains are found when the command is carried out, not when it came in.
 *
 * Budget: a short function a command.
 *
 * Corresponds to tools/xl/xl_vmcontrol.c, xl_vcpu.c and xl_mem.c, and to libxl_domain.c and libxl_mem.c, whose words
 * for errors these are.
 */
#include "tools/host_ctl_private.h"
#include "tools/xc/xc.h"
#include "tools/xl/xl_sched.h"
#include "vcpu/sched/names.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>
#include <xen/xen.h>

#define MAXMEM_CONSTANT_KIB 1024 /* LIBXL_MAXMEM_CONSTANT: a domain may have so much beside what it is said to have */
#define say(c, ...)         ctl_say(c, __VA_ARGS__)
#define fail(c, ...)        ctl_fail(c, __VA_ARGS__)

/* --- running and ending --- */

static enum outcome pause_or_not(struct context *c)
{
    const bool pause = !strcmp(c->r->command->name, "pause");
    struct xen_domctl_getdomaininfo info;
    struct guest *g;
    domid_t domid;
    int rc;

    if (!ctl_domain_named(c, c->r->arg[0], &domid, &info))
        return FAILED;
    g = guest_find(c->h, domid);
    if (!pause && g && guest_disk_away(g))
        return fail(c, "Failed to unpause domain %u: its disk %s is released\n", domid, guest_disk_away(g));
    if (!pause && g)
        g->template_only = false;
    rc = pause ? xc_domain_pause(xc(c->h), domid) : xc_domain_unpause(xc(c->h), domid);
    return rc ? fail(c, "Failed to %s domain %u: %s\n", c->r->command->name, domid, strerror(-rc)) : DONE;
}

static enum outcome press_power(struct context *c, const struct guest *g)
{
    if (!c->r->option['F'])
        return fail(c,
                    "PV control interface not available: external graceful shutdown not possible.\n"
                    "Use \"-F\" to fallback to ACPI power event.\n"
                    "%s failed (rc=%d)\n",
                    c->r->command->name, ERROR_NOPARAVIRT);
    say(c, HOST_CTL_ERR, "PV control interface not available: sending ACPI power button event.\n");
    return xc_domain_send_trigger(xc(c->h), g->domid, XEN_DOMCTL_SENDTRIGGER_POWER, 0)
               ? fail(c, "%s failed (rc=%d)\n", c->r->command->name, ERROR_FAIL)
               : DONE;
}

static enum outcome ask_to_end(struct context *c, const struct guest *g)
{
    const bool reboot = !strcmp(c->r->command->name, "reboot");

    say(c, HOST_CTL_ERR, "%s domain %u\n", reboot ? "Rebooting" : "Shutting down", g->domid);
    if (!ctl_has_pv_drivers(c, g))
        return press_power(c, g);
    if (domain_node_write(c->h, g->domid, "control/shutdown", reboot ? "reboot" : "poweroff"))
        return DONE;
    return fail(c, "%s failed (rc=%d)\n", c->r->command->name, ERROR_FAIL);
}

static enum outcome shutdown_or_reboot(struct context *c)
{
    const struct guest *g;
    enum outcome rc = DONE;

    if (!c->r->option['a']) {
        g = ctl_guest_named(c, c->r->arg[0]);
        return g ? ask_to_end(c, g) : FAILED;
    }
    for (g = c->h->guests; g; g = g->next)
        if (g->state == GUEST_ALIVE && ask_to_end(c, g) != DONE)
            rc = FAILED;
    return rc;
}

static enum outcome destroy_domain(struct context *c)
{
    struct guest *g;
    int rc;

    if (!c->job->taking_down && (!strcmp(c->r->arg[0], "0") || !strcmp(c->r->arg[0], XL_DOM0_NAME)))
        return fail(c, "Cannot destroy privileged domain 0.\n");
    g = ctl_guest_named(c, c->r->arg[0]);
    if (!g)
        return FAILED;
    if (g->state == GUEST_ALIVE)
        guest_destroy(c->h, g);
    if (g->state != GUEST_ENDED) {
        c->job->waits_for = g;
        return WAITS;
    }
    if (!c->job->taking_down)
        guest_disconnect(g);
    c->job->taking_down = true;
    rc = xc_domain_destroy_step(xc(c->h), g->domid);
    if (!rc)
        guest_name_drop(c->h, g);
    return rc == -ERESTART ? MORE : rc ? fail(c, "destroy failed (rc=%d)\n", ERROR_FAIL) : DONE;
}

/* --- memory and vCPUs --- */

static enum outcome mem_set(struct context *c)
{
    struct guest *g = ctl_guest_named(c, c->r->arg[0]);
    uint64_t kib, limit;
    char text[24];
    int rc;

    if (!g)
        return FAILED;
    if (!ctl_size_read(c->r->arg[1], &kib))
        return fail(c, "invalid memory size: %s\n", c->r->arg[1]);
    limit = domain_node_number(c->h, g->domid, "memory/static-max");
    if (kib > limit)
        return fail(c,
                    "memory_dynamic_max must be less than or equal to memory_static_max\n"
                    "cannot set domid %u dynamic max memory to : %s (its maxmem is %llu MiB)\n",
                    g->domid, c->r->arg[1], (unsigned long long)limit >> 10);
    limit = kib + MAXMEM_CONSTANT_KIB + (guest_has_dm(g) ? xl_hvm_screen_on_top_mib(&g->hvm) << 10 : 0);
    rc = xc_domain_setmaxmem(xc(c->h), g->domid, limit);
    if (!rc && guest_is_hvm(g))
        rc = xc_domain_set_pod_target(xc(c->h), g->domid, limit / 4);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)kib);
    if (rc || !domain_node_write(c->h, g->domid, "memory/target", text))
        return fail(c, "cannot set domid %u dynamic max memory to : %s\n", g->domid, c->r->arg[1]);
    ctl_note_pv_only(c, g);
    return DONE;
}

static enum outcome vcpu_set(struct context *c)
{
    struct xen_domctl_getdomaininfo info;
    struct xen_sysctl_physinfo phys;
    struct guest *g = ctl_guest_named(c, c->r->arg[0]);
    unsigned long n;

    if (!g || ctl_domain_info(c, g->domid, &info))
        return FAILED;
    if (!ctl_number(c->r->arg[1], INT_MAX, &n))
        return fail(c, "Error: Invalid argument.\n");
    if (!c->r->option['i'] && !xc_physinfo(xc(c->h), &phys) && n > info.nr_online_vcpus && n > phys.nr_cpus)
        return fail(c,
                    "You are overcommmitting! You have %u physical CPUs and want %lu vCPUs! Aborting, use "
                    "--ignore-host to continue\n",
                    phys.nr_cpus, n);
    if (!n || n > info.max_vcpu_id + 1)
        return fail(c, "Requested %lu VCPUs, however maxcpus is %u!\n", n, info.max_vcpu_id + 1);
    for (unsigned int i = 0; i <= info.max_vcpu_id; i++) {
        char path[64];

        snprintf(path, sizeof(path), "cpu/%u/availability", i);
        if (!domain_node_write(c->h, g->domid, path, i < n ? "online" : "offline"))
            return fail(c, "libxl_set_vcpuonline failed domid=%u max_vcpus=%lu, rc: %d\n", g->domid, n, ERROR_FAIL);
    }
    if (guest_has_dm(g))
        say(c, HOST_CTL_ERR, "An HVM guest is told by xenstore alone: Linux waits for ACPI's word there.\n");
    return DONE;
}

/* One of vcpu-pin's sets of pCPUs. -: none is stated. */
static bool cpus_read(struct context *c, const char *text, uint64_t *mask, bool *stated)
{
    struct xl_cpus cpus;
    char why[CTL_ERR_SIZE];

    *stated = strcmp(text, "-") != 0;
    if (!*stated)
        return true;
    if (!xl_cpus_parse(text, &cpus, why, sizeof(why))) {
        say(c, HOST_CTL_ERR, "Invalid cpumap: %s\n", why);
        return false;
    }
    *mask = cpus.mask;
    return true;
}

static enum outcome vcpu_pin(struct context *c)
{
    struct xen_domctl_getdomaininfo info;
    const bool all = !strcmp(c->r->arg[1], "all");
    uint64_t hard, soft;
    bool has_hard, has_soft;
    unsigned long vcpu = 0;
    domid_t domid;

    if (!ctl_domain_named(c, c->r->arg[0], &domid, &info))
        return FAILED;
    if (!all && !ctl_number(c->r->arg[1], info.max_vcpu_id, &vcpu))
        return fail(c, "Error: Invalid argument %s as VCPU.\n", c->r->arg[1]);
    if (!cpus_read(c, c->r->arg[2], &hard, &has_hard) ||
        !cpus_read(c, c->r->nr_args > 3 ? c->r->arg[3] : "-", &soft, &has_soft))
        return FAILED;
    for (; vcpu <= info.max_vcpu_id; vcpu++) {
        const int rc = !has_hard && !has_soft ? 0
                                              : xc_vcpu_setaffinity(xc(c->h), domid, (unsigned int)vcpu,
                                                                    has_hard ? &hard : NULL, has_soft ? &soft : NULL);

        if (rc)
            return fail(c, "Could not set affinity for vcpu `%lu': %s\n", vcpu, strerror(-rc));
        if (!all)
            break;
    }
    return DONE;
}

/* --- the rest --- */

static enum outcome rename_domain(struct context *c)
{
    struct guest *g = ctl_guest_named(c, c->r->arg[0]);
    const char *to = c->r->arg[1];
    char *name;

    if (!g)
        return FAILED;
    if (!strcmp(g->cfg.name, to))
        return DONE;
    if (!ctl_name_free(c, to))
        return fail(c, "Can't rename domain '%s'.\n", c->r->arg[0]);
    name = xstrdup(c->h->arena, to);
    if (!name)
        return fail(c, "Can't rename domain '%s': out of memory\n", c->r->arg[0]);
    if (!driver_rename(g, name)) {
        xfree(name);
        return fail(c, "Can't rename domain '%s': too long for a driver domain's name\n", c->r->arg[0]);
    }
    guest_name_drop(c->h, g);
    xfree(g->cfg.name);
    g->cfg.name = name;
    guest_name_claim(c->h, g);
    guest_renamed(g);
    return DONE;
}

static enum outcome sysrq(struct context *c)
{
    const struct guest *g = ctl_guest_named(c, c->r->arg[0]);

    if (!g)
        return FAILED;
    if (strlen(c->r->arg[1]) != 1)
        return fail(c, "Invalid sysrq.\n");
    if (!domain_node_write(c->h, g->domid, "control/sysrq", c->r->arg[1]))
        return fail(c, "sysrq failed (rc=%d)\n", ERROR_FAIL);
    ctl_note_pv_only(c, g);
    return DONE;
}

#define TRIGGER_S3RESUME UINT32_MAX /* libxl's, and no domctl */

static int trigger_send(struct context *c, const struct guest *g, unsigned int number, unsigned int vcpu)
{
    if (number == TRIGGER_S3RESUME)
        return xc_hvm_param_set(xc(c->h), g->domid, HVM_PARAM_ACPI_S_STATE, 0);
    return xc_domain_send_trigger(xc(c->h), g->domid, number, vcpu);
}

static enum outcome trigger(struct context *c)
{
    static const char no_button[] = "A PVH guest has no such button.\n", no_sleep[] = "No guest sleeps here.\n";
    static const struct {
        const char *name;
        unsigned int number;
        const char *pvh, *hvm; /* why it has no effect there */
    } triggers[] = { { "power", XEN_DOMCTL_SENDTRIGGER_POWER, no_button, NULL },
                     { "sleep", XEN_DOMCTL_SENDTRIGGER_SLEEP, no_button, NULL },
                     { "nmi", XEN_DOMCTL_SENDTRIGGER_NMI, NULL, NULL },
                     { "init", XEN_DOMCTL_SENDTRIGGER_INIT, NULL, NULL }, /* Xen knows these, and has nothing */
                     { "reset", XEN_DOMCTL_SENDTRIGGER_RESET, NULL, NULL },
                     { "s3resume", TRIGGER_S3RESUME, no_sleep, no_sleep } };
    const struct guest *g = ctl_guest_named(c, c->r->arg[0]);
    char *end = "";
    const unsigned long vcpu = c->r->nr_args > 2 ? strtoul(c->r->arg[2], &end, 10) : 0;

    if (!g)
        return FAILED;
    for (size_t i = 0; i < ARRAY_SIZE(triggers) && !*end; i++)
        if (!strcmp(triggers[i].name, c->r->arg[1])) {
            const int rc = trigger_send(c, g, triggers[i].number, (unsigned int)vcpu);
            const char *why = guest_has_dm(g) ? triggers[i].hvm : triggers[i].pvh;

            if (rc)
                return fail(c, "Send trigger '%s' failed: %s\n", triggers[i].name, strerror(-rc));
            if (why)
                say(c, HOST_CTL_ERR, "%s", why);
            return DONE;
        }
    return fail(c, "Invalid trigger \"%s\"\n", *end ? c->r->arg[2] : c->r->arg[1]);
}

static enum outcome crash(struct context *c)
{
    struct xen_domctl_getdomaininfo info;
    struct guest *g;
    domid_t domid;
    int rc;

    if (!ctl_domain_named(c, c->r->arg[0], &domid, &info))
        return FAILED;
    rc = domid ? xc_domain_shutdown(xc(c->h), domid, SHUTDOWN_crash) : -EINVAL;
    g = guest_find(c->h, domid);
    if (!rc && g && !(info.flags & XEN_DOMINF_shutdown))
        g->crash_wanted = true;
    return rc ? fail(c, "Failed to crash domain %u: %s\n", domid, strerror(-rc)) : DONE;
}

/* Between two of its instructions: what is in it is of one moment. */
static enum outcome dump_core(struct context *c)
{
    const struct guest *g = ctl_guest_named(c, c->r->arg[0]);
    char why[COREDUMP_ERR_SIZE];
    int rc;

    if (!g)
        return FAILED;
    if (g->state != GUEST_ALIVE || g->driver)
        return fail(c, "domain %u is about to end, or has no memory of a guest\n", g->domid);
    rc = xc_domain_pause(xc(c->h), g->domid);
    if (rc)
        return fail(c, "core dump failed (rc=%d)\n", ERROR_FAIL);
    rc = guest_dump_core(c->h, g, c->r->arg[1], why);
    xc_domain_unpause(xc(c->h), g->domid);
    return rc ? fail(c, "%s\ncore dump failed (rc=%d)\n", why, ERROR_FAIL) : DONE;
}

static enum outcome debug_keys(struct context *c)
{
    const int rc = xc_send_debug_keys(xc(c->h), c->r->arg[0]);

    return rc ? fail(c, "cannot send debug keys: %s\n", strerror(-rc)) : DONE;
}

/* dmesg -c */
static enum outcome dmesg_clear(struct context *c)
{
    char text[1024];
    uint32_t index = 0;
    int n;

    while ((n = xc_readconsolering(xc(c->h), text, sizeof(text), false, &index)) > 0)
        host_ctl_say(c->h, c->job->id, HOST_CTL_OUT, text, (size_t)n);
    return n || xc_readconsolering(xc(c->h), text, sizeof(text), true, &index) < 0
               ? fail(c, "the hypervisor does not give its messages\n")
               : DONE;
}

static const struct {
    const char *name;
    enum outcome (*carry_out)(struct context *c);
} doings[] = {
    { "pause", pause_or_not },
    { "unpause", pause_or_not },
    { "shutdown", shutdown_or_reboot },
    { "reboot", shutdown_or_reboot },
    { "destroy", destroy_domain },
    { "mem-set", mem_set },
    { "vcpu-set", vcpu_set },
    { "vcpu-pin", vcpu_pin },
    { "sched-credit", ctl_sched_credit },
    { "sched-credit2", ctl_sched_credit },
    { "sched-rtds", ctl_sched_rtds },
    { "rename", rename_domain },
    { "sysrq", sysrq },
    { "trigger", trigger },
    { "debug-keys", debug_keys },
    { "dmesg", dmesg_clear },
    { "crash", crash },
    { "dump-core", dump_core },
    { "clone", ctl_clone },
    { "snapshot", ctl_clone },
    { "save", ctl_save },
    { "restore", ctl_restore },
    { "block-attach", ctl_device_attach },
    { "block-detach", ctl_device_detach },
    { "block-resize", ctl_block_resize },
    { "cd-insert", ctl_cd },
    { "cd-eject", ctl_cd },
    { "block-release", ctl_block_release_or_take },
    { "block-take", ctl_block_release_or_take },
    { "network-attach", ctl_device_attach },
    { "network-detach", ctl_device_detach },
};

/* --- the task --- */

/* What is about the hypervisor alone, and so can be done beside a dom0 that is a guest and owns all domains. */
static bool is_xens(const char *name)
{
    static const char *const names[] = { "vcpu-pin",   "sched-credit", "sched-credit2",
                                         "sched-rtds", "debug-keys",   "dmesg" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static enum outcome job_step(struct host *h, struct ctl_job *job)
{
    char why[CTL_ERR_SIZE];
    struct ctl_request r;
    struct context c = { h, job, &r };

    if (ctl_parse(job->words, job->len, &r, why)) /* it was, where it came in */
        return fail(&c, "%s\n", why);
    if (host_dom0_is_guest(h) && !is_xens(r.command->name))
        return fail(&c, "%s: dom0 is a guest here: `xl %s` in it is who does that\n", r.command->name, r.command->name);
    for (size_t i = 0; i < ARRAY_SIZE(doings); i++)
        if (!strcmp(doings[i].name, r.command->name))
            return doings[i].carry_out(&c);
    return fail(&c, "%s: dom0's toolstack has no such command\n", r.command->name);
}

/* When the first that waits for a device has waited long enough; 0: none does. */
static s_time_t first_deadline(const struct host *h)
{
    s_time_t first = 0;

    for (const struct ctl_job *job = h->ctl_jobs; job; job = job->next)
        if ((*job->state_path || clone_waits(h, job) || save_waits(h, job)) && (!first || job->deadline < first))
            first = job->deadline;
    return first;
}

/* One step of the first that does not wait. */
static bool ctl_step(struct task *t, unsigned int budget)
{
    struct host *h = t->data;
    struct ctl_job *job = h->ctl_jobs;
    s_time_t deadline;
    enum outcome rc;

    (void)budget; /* they are short, or have steps of their own */
    while (job && ctl_job_waits(h, job))
        job = job->next;
    if (!job) {
        deadline = first_deadline(h);
        if (deadline != t->due) /* what is no longer waited for must not wake the machine */
            task_ready_at(t, deadline);
        return false;
    }
    task_charge(t, 1, job->len);
    rc = job_step(h, job);
    if (rc == DONE || rc == FAILED)
        ctl_job_end(h, job, rc == DONE);
    return true;
}

const struct task_ops ctl_task = { .name = "toolstack: ctl", .step = ctl_step };

int host_ctl(struct host *h, unsigned int id, const char *words, size_t len, s_time_t now)
{
    xen_interrupt(h->xen, now);
    return ctl_add(h, id, words, len);
}

void ctl_end(struct host *h)
{
    task_end(&h->ctl);
    if (h->ctl_watches.store)
        xs_conn_end(&h->ctl_watches);
    while (h->ctl_jobs) {
        struct ctl_job *job = h->ctl_jobs;

        h->ctl_jobs = job->next;
        clone_forget(h, job);
        restoring_forget(h, job);
        xfree(job);
    }
}
