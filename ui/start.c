// SPDX-License-Identifier: GPL-2.0-or-later
/* See ui/start.h. */
#include "ui/start.h"

#include "ui/firmware.h"
#include "ui/guest_firmware.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool goes_back(const struct run_options *o) { return o->command != COMMAND_RUN || o->record || o->gdb; }

static enum host_disk_writes disk_writes(const struct run_options *o)
{
    if (o->disk_writes && *o->disk_writes == 'e')
        return HOST_DISKS_EXIT;
    return goes_back(o) || (o->disk_writes && *o->disk_writes == 'n') ? HOST_DISKS_NEVER : HOST_DISKS_LIVE;
}

/*
 * Guests with a device model wait for dom0 with every access to a device, and many spin meanwhile: on one pCPU dom0
 * would have to wait for the scheduler to let it in. So, as on a machine of today, everybody has a pCPU, and dom0 one.
 */
unsigned int start_pcpus(const struct run_options *o, const struct guest_list *l)
{
    unsigned int most = 0;

    for (uint64_t i = 0; i < l->nr; i++) {
        const unsigned int vcpus = l->entries[i].guest.vcpus ?: 1;

        if (guest_has_firmware(&l->entries[i]) && vcpus > most)
            most = vcpus;
    }
    if (o->nr_pcpus)
        return (unsigned int)o->nr_pcpus;
    return most < MACHINE_MAX_PCPUS ? most + 1 : MACHINE_MAX_PCPUS;
}

/* Is there a guest that --technique is about? */
static bool has_hvm(const struct guest_list *l)
{
    for (uint64_t i = 0; i < l->nr; i++)
        if (l->entries[i].guest.has_type && l->entries[i].guest.type != XL_TYPE_PV)
            return true;
    return false;
}

/* By which technique that guest runs, by its own key or as the machine says; PV guests by none. */
static enum hvm_technique technique_of(const struct guest_entry *e, enum hvm_technique machines)
{
    if (!e->guest.has_type || e->guest.type == XL_TYPE_PV)
        return TECHNIQUE_HARDWARE;
    return e->cfg.hvm.technique ? (enum hvm_technique)(e->cfg.hvm.technique - XL_TECHNIQUE_HARDWARE) : machines;
}

static void techniques_told(const struct run_options *o, const struct guest_list *l, enum hvm_technique machines,
                            const struct host_io *io)
{
    bool interpreted = false, told = false;

    for (uint64_t i = 0; i < l->nr; i++) {
        const struct guest_entry *e = &l->entries[i];
        const enum hvm_technique technique = technique_of(e, machines);

        interpreted |= technique == TECHNIQUE_EMULATE;
        if (technique < TECHNIQUE_RING1 || !e->cfg.hvm.hap || !xl_where_is(&e->cfg.where, "hap") || told)
            continue;
        told = true;
        io->message(io->data, "hap = 1 has no effect: a kernel in ring 1 has shadow page tables");
    }
    if (interpreted && goes_back(o))
        io->message(io->data, "technique emulate: breakpoints and watchpoints do not stop guests that are interpreted");
    if (machines && !has_hvm(l))
        io->message(io->data, "--technique has no effect: there is no PVH or HVM guest");
}

static bool has_pc(const struct guest_list *l)
{
    for (uint64_t i = 0; i < l->nr; i++)
        if (guest_has_firmware(&l->entries[i]))
            return true;
    return false;
}

_Static_assert((int)HOST_HVMLOADER == FIRMWARE_HVMLOADER && (int)HOST_NIC_ROM == FIRMWARE_NIC_ROM,
               "a guest's firmware has one order");

struct host *start_host(const struct run_options *o, const struct guest_list *l, const struct host_io *io,
                        struct host_pool *pools, const struct sched_ops *ops, char err[START_ERR_SIZE])
{
    char *found[HOST_FIRMWARES];
    struct host_config cfg = { .ram_mib = o->ram_mib,
                               .guests_mib = l->total_mib * (l->nr ? l->nr_names / l->nr : 0) +
                                             (uint64_t)o->nr_drivers * HOST_DRIVER_MIB,
                               .nr_pcpus = start_pcpus(o, l),
                               .seed = o->seed,
                               .sched = o->sched,
                               .sched_ops = ops,
                               .dom0 = o->dom0,
                               .pools = pools,
                               .nr_pools = o->nr_pools,
                               .faults = o->faults,
                               .nr_faults = o->nr_faults,
                               .device_model = options_device_model(o),
                               .audit = o->audit,
                               .technique = options_technique(o),
                               .plain_engine = o->plain_engine,
                               .exact_segments = o->segments && !strcmp(o->segments, "exact"),
                               .only_forward = !goes_back(o),
                               .disk_writes = disk_writes(o),
                               .power_cut = o->power_cut,
                               .is_recorded = o->replay || o->command == COMMAND_REPLAY,
                               .quiet = o->quiet > 0 };

    struct host *h;

    for (unsigned int i = 0; i < HOST_FIRMWARES; i++)
        cfg.firmware[i] = found[i] = firmware_find((enum firmware)i, NULL);
    memcpy(pools, o->pools, sizeof(o->pools));
    if (o->device_model && !has_pc(l) && io->message)
        io->message(io->data, "--device-model has no effect: there is no HVM guest");
    if (io->message)
        techniques_told(o, l, cfg.technique, io);
    h = host_create(&cfg, io, err);
    for (unsigned int i = 0; i < HOST_FIRMWARES; i++)
        free(found[i]);
    return h;
}

int start_guests(struct host *h, const struct guest_list *l, char err[START_ERR_SIZE])
{
    const uint64_t nr = l->nr_names;
    domid_t *domid = calloc(nr ?: 1, sizeof(*domid));
    int rc = domid ? 0 : -1;

    for (unsigned int i = 0; i < l->options->nr_drivers && rc == 0; i++) {
        const struct host_guest driver = { .name = l->options->drivers[i], .driver_domain = true, .unlisted = true };
        domid_t made;

        rc = host_guest_add(h, &driver, &made, err) ?: host_guest_start(h, made);
    }
    for (uint64_t i = 0; i < nr && rc == 0; i++) {
        struct host_guest g = l->entries[i % l->nr].guest;

        g.name = l->names[i];
        g.has_uuid &= i < l->nr; /* the first copy's */
        g.dom0 = l->options->dom0;
        rc = host_guest_add(h, &g, &domid[i], err);
    }
    for (uint64_t i = 0; i < nr && rc == 0; i++)
        rc = host_guest_start(h, domid[i]);
    if (rc && !err[0])
        snprintf(err, START_ERR_SIZE, "out of memory");
    free(domid);
    return rc;
}

enum log_level start_log_level(const struct run_options *o)
{
    const int level = LOG_INFO + (int)o->verbose - (int)o->quiet;

    return level < LOG_ERR ? LOG_ERR : level > LOG_DEBUG ? LOG_DEBUG : (enum log_level)level;
}
