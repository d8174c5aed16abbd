// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Discs that come and go while their guest runs: `xenlab ctl cd-insert`, `cd-eject`.
 *
 * Concept: the drive stays, and the device model is told, from which the guest hears of it as from a drive: the next
 * command fails, "the medium may have changed". The drive's back end stays, too, and its `params` name the disc:
 *
 *      cd-eject     params = ""                  what the drive had is this guest's no more
 *      cd-insert    eject, then params = FILE    a disc that may not be had leaves the drive empty
 *
 * Invariant: a front end that is connected has the disc that it found; so while one is, the disc stays.
 *
 * Corresponds to libxl_cdrom_insert() in tools/libs/light/libxl_disk.c, and to xl_cdrom.c.
 */
#include "tools/host_ctl_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

void ctl_cd_words(const struct ctl_request *r, char text[CTL_WORDS_SIZE])
{
    snprintf(text, CTL_WORDS_SIZE, "format=raw,vdev=%s,access=r,devtype=cdrom,target=%s", r->arg[1], r->arg[2]);
}

static struct guest_disk *disc_find(const struct guest *g, uint32_t devid)
{
    for (unsigned int i = 0; i < g->nr_disks; i++)
        if (g->disks[i].cfg.devid == devid)
            return &g->disks[i];
    return NULL;
}

static bool params_write(struct host *h, struct guest *g, uint32_t devid, const char *path)
{
    struct node_writer w = { .h = h };
    char back[NODE_PATH_SIZE], node_path[2 * NODE_PATH_SIZE];

    if (!device_noted(h, g->domid, "vbd", devid, "backend", back))
        return false;
    snprintf(node_path, sizeof(node_path), "%s/params", back);
    node(&w, node_path, AS_PARENT, "%s", path);
    snprintf(node_path, sizeof(node_path), "/libxl/%u/device/vbd/%u/params", g->domid, devid);
    node(&w, node_path, AS_PARENT, "%s", path);
    return true;
}

static bool connected(struct host *h, const struct guest *g, uint32_t devid)
{
    char back[NODE_PATH_SIZE], path[2 * NODE_PATH_SIZE], state[NODE_PATH_SIZE];

    if (!device_noted(h, g->domid, "vbd", devid, "backend", back))
        return false;
    snprintf(path, sizeof(path), "%s/state", back);
    return node_read(h, path, state) && atoi(state) == XenbusStateConnected;
}

static void eject(struct host *h, struct guest *g, uint32_t devid, unsigned int drive)
{
    if (disc_find(g, devid))
        vbd_devices.drop(g, devid);
    g->hvm.empty_cds |= 1u << drive;
    params_write(h, g, devid, "");
    pc_change_disc(guest_pc(g), drive, NULL);
}

static enum outcome insert(struct context *c, struct guest *g, uint32_t devid, unsigned int drive)
{
    struct node_writer writer = { .h = c->h, .g = g };
    char text[CTL_WORDS_SIZE], err[HOST_ERR_SIZE];
    struct disk *disc;
    unsigned int i;

    ctl_cd_words(c->r, text);
    if (vbd_devices.attach(g, text, &i, &devid, err))
        return ctl_fail(c, "%s\nlibxl_cdrom_insert failed.\n", err);
    disc = g->disks[i].disk;
    g->hvm.empty_cds &= ~(1u << drive);
    pc_change_disc(guest_pc(g), drive, disc);
    if (params_write(c->h, g, devid, disc->path))
        return DONE;
    writer.failed = !guest_devices_bus(g);
    if (!writer.failed)
        vbd_devices.nodes(&writer, i);
    return writer.failed ? ctl_fail(c, "out of memory\n") : DONE;
}

enum outcome ctl_cd(struct context *c)
{
    struct guest *g = ctl_guest_named(c, c->r->arg[0]);
    const struct guest_disk *gd;
    enum outcome rc = DONE;
    unsigned int drive;
    uint32_t devid;

    if (!g)
        return FAILED;
    if (!guest_has_dm(g))
        return ctl_fail(c, "cdrom-insert requires an HVM domain\n");
    if (g->state != GUEST_ALIVE)
        return ctl_fail(c, "domain %u is about to end\n", g->domid);
    if (!xl_disk_devid(c->r->arg[1], &devid))
        return ctl_fail(c, "Virtual device not found\n");
    drive = xl_disk_drive(devid);
    gd = disc_find(g, devid);
    if (drive == XL_IDE_DRIVES || !(gd ? gd->cfg.cdrom : g->hvm.empty_cds >> drive & 1))
        return ctl_fail(c, "Virtual device not found\n");
    if (connected(c->h, g, devid))
        return ctl_fail(c, "%s: a driver for Xen has its disc\n", c->r->arg[1]);
    eject(c->h, g, devid, drive);
    if (!strcmp(c->r->command->name, "cd-insert"))
        rc = insert(c, g, devid, drive);
    guest_pc_kick(g);
    return rc;
}
