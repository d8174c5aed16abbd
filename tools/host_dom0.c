// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dom0 that is a guest: Linux, with Xen's own toolstack in it.
 *
 * Concept: a machine has one owner of domains. So where dom0 is a guest there is no native dom0 beside it: a domain
 * without a place in any list (xen->boot) builds it, as Xen does while it boots, and is never heard of again. dom0 has
 * the machine's console and devices (struct board_ops); other domains are made by what runs in it, and what they say
 * goes to its daemons. The host learns of nothing but dom0's own end, which is the machine's.
 *
 *      dom0's kernel --console_io, IN, OUT, physdev_op--> hypervisor --board_ops--> this --> devices, host_io
 */
#include "evtchn/evtchn.h"
#include "sim/frame.h"
#include "tools/build/acpi.h"
#include "tools/host_private.h"

#include <stdio.h>
#include <string.h>
#include <xen/sched.h>

#define ACPI_BIOS      UINT32_C(0xf0000)
#define ACPI_BIOS_RSDP UINT32_C(0xe0000) /* where it is looked for: every 16 bytes from here on */

static struct phys *phys(void *data) { return ((struct guest *)data)->phys; }

static uint32_t port_read(void *data, uint16_t port, unsigned int size)
{
    return phys_port_read(phys(data), port, size);
}

static void port_write(void *data, uint16_t port, unsigned int size, uint32_t val)
{
    phys_port_write(phys(data), port, size, val);
}

static uint32_t pci_config(void *data, uint32_t cf8, unsigned int off, unsigned int size, const uint32_t *val)
{
    return phys_pci_config(phys(data), cf8, off, size, val);
}

static void eoi(void *data, unsigned int gsi) { phys_eoi(phys(data), gsi); }

static size_t console_read(void *data, char *buf, size_t len) { return guest_input_take(data, buf, len); }

static void console_write(void *data, const char *text, size_t len) { guest_console_out(data, text, len); }

static void shut_down(void *data, int reason)
{
    struct guest *g = data;
    struct host *h = g->host;

    g->reason = reason;
    g->state = GUEST_ENDED;
    h->guests_left = 0;
    if (h->edges->io.guest_ended)
        h->edges->io.guest_ended(h->edges->io.data, g->domid, reason);
}

/* What a BIOS leaves in the first MiB: the tables that say which processors, interrupts and buses there are. */
static bool acpi_write(struct host *h)
{
    struct acpi_tables *t = xzalloc(h->arena, struct acpi_tables);
    const struct acpi_config cfg = { .at = ACPI_BIOS,
                                     .rsdp_at = ACPI_BIOS_RSDP,
                                     .nr_vcpus = h->xen->nr_pcpus,
                                     .nr_online = h->xen->nr_pcpus,
                                     .io_apic = true,
                                     .machine = true };

    if (!t)
        return false;
    acpi_build(t, &cfg);
    for (size_t at = 0; at < t->size; at += PAGE_SIZE) {
        const mfn_t mfn = _mfn((ACPI_BIOS + at) >> PAGE_SHIFT);

        memcpy(frame_write_begin(h->machine, mfn), t->bytes + at, PAGE_SIZE);
        frame_write_end(h->machine, mfn);
    }
    memcpy(frame_write_begin(h->machine, _mfn(ACPI_BIOS_RSDP >> PAGE_SHIFT)), t->rsdp, sizeof(t->rsdp));
    frame_write_end(h->machine, _mfn(ACPI_BIOS_RSDP >> PAGE_SHIFT));
    xfree(t);
    return true;
}

/* --- its disks and its network card: what the configuration states as any guest's --- */

static void transmit(void *owner, const uint8_t *packet, size_t len)
{
    const struct guest *g = owner;
    const struct host_io *io = &g->host->edges->io;

    if (io->outside)
        io->outside(io->data, packet, len);
}

static const struct wire_ops wire_ops = { .transmit = transmit };

static int devices_add(struct guest *g, char err[HOST_ERR_SIZE])
{
    for (unsigned int i = 0; i < g->nr_disks; i++)
        if (!phys_disk_add(g->phys, g->disks[i].disk, g->disks[i].cfg.readonly, g->disks[i].cfg.vdev)) {
            snprintf(err, HOST_ERR_SIZE, "disk %s: the machine has room for %u", g->disks[i].cfg.vdev, PHYS_DISKS);
            return -1;
        }
    for (unsigned int i = 0; i < g->vifs.nr; i++)
        if (!phys_nic_add(g->phys, g->vifs.list[i].mac, &wire_ops, g)) {
            snprintf(err, HOST_ERR_SIZE, "the machine has one network card, and %u are stated", g->vifs.nr);
            return -1;
        }
    return 0;
}

bool dom0_packet_in(struct host *h, const void *packet, size_t len)
{
    struct guest *g = host_dom0_is_guest(h) ? h->guests : NULL;

    if (!g || !g->phys || !g->phys->nic)
        return false;
    virtio_net_receive(g->phys->nic, packet, len);
    return true;
}

bool dom0_has_nic(const struct host *h)
{
    return host_dom0_is_guest(h) && h->guests && h->guests->phys && h->guests->phys->nic;
}

static const struct board_ops board_ops = {
    port_read, port_write, pci_config, eoi, console_read, console_write, shut_down,
};

void dom0_disconnect(struct guest *g)
{
    if (!g->phys)
        return;
    g->host->xen->board = NULL;
    phys_deinit(g->phys);
    xfree(g->phys);
    g->phys = NULL;
}

int dom0_connect(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    g->phys = xzalloc(h->arena, struct phys);
    if (!g->phys || !acpi_write(h)) {
        snprintf(err, HOST_ERR_SIZE, "out of memory");
        return -1;
    }
    phys_init(g->phys, h->xen);
    if (devices_add(g, err))
        return -1;
    g->domid = g->build.domid;
    BUG_ON(g->domid);
    g->born = host_now(h);
    g->built = true;
    h->guest_of[0] = g;
    h->xen->board = &board_ops;
    h->xen->board_data = g;
    xen_boot_done(h->xen);
    return 0;
}

bool host_dom0_is_guest(const struct host *h) { return h->xen->boot; }

void dom0_kick(struct guest *g) { send_global_virq(g->host->xen, VIRQ_CONSOLE); }
