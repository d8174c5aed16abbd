// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device model of a guest: what of its configuration becomes devices.
 *
 * Concept: an HVM guest has a PC's devices besides what PV drivers find. A disk is both: on an IDE channel until the
 * guest unplugs it there, and behind a block back end. What comes out of its first serial line that is "pty" goes
 * where a console's text goes, and what is typed there comes in. Without, the console is its screen, whose text is told
 * as lines, and its keyboard.
 *
 * Corresponds to libxl__build_device_model_args_new() of tools/libs/light/libxl_dm.c.
 */
#include "tools/nodes.h"
#include "tools/save/in.h"
#include "vcpu/domctl.h"

#include <stdio.h>
#include <string.h>

/* --- text: at the serial line, or the screen and the keyboard --- */

static struct dm *guest_dm(const struct guest *g) { return g->stubdom ? stubdom_dm(g->stubdom) : g->dm; }

static bool has_serial(const struct guest *g) { return guest_console_line(g) >= 0; }

/* The console of a guest without a serial line is its screen, as lines, and its keyboard. */
static bool has_screen(const struct guest *g) { return guest_has_dm(g) && !has_serial(g) && g->hvm.vga != XL_VGA_NONE; }

bool guest_types_on_pc(const struct guest *g) { return guest_pc(g) && (has_serial(g) || has_screen(g)); }

static void serial_out(void *data, char c) { guest_console_out(data, &c, 1); }

static void screen_out(void *data, const char *text, size_t n) { guest_console_out(data, text, n); }

static size_t text_in(void *data, char *buf, size_t n)
{
    return guest_types_on_pc(data) ? guest_input_take(data, buf, n) : 0;
}

void guest_pc_kick(struct guest *g)
{
    if (guest_dm(g))
        dm_kick(guest_dm(g));
    else
        pc_kick(guest_pc(g));
}

/* What drivers for Xen write to the platform device: a line of QEMU's log. */
static void guest_log(void *data, const char *line)
{
    const struct guest *g = data;

    host_message(g->host, "%s: %s", g->cfg.name, line);
}

/* --- all of it --- */

struct pc *guest_pc(const struct guest *g)
{
    return guest_dm(g) ? dm_pc(guest_dm(g)) : g->dm_direct ? dm_direct_pc(g->dm_direct) : NULL;
}

/* A domain with power over g's alone, called as xl calls it. */
static int stub_create(struct host *h, struct guest *g, const struct pc_config *cfg)
{
    struct xen_domctl_createdomain config = { .flags = XENLAB_DOMCTL_CDF_native,
                                              .max_vcpus = 1,
                                              .max_evtchn_port = 1023,
                                              .max_grant_frames = 1,
                                              .max_maptrack_frames = 1,
                                              .grant_opts = 1 };
    struct xen_domctl target = { .cmd = XEN_DOMCTL_set_target };
    struct domain *d;
    char name[NODE_PATH_SIZE];
    int rc;

    g->stub_domid = 0;
    rc = xc_domain_create(h->xc, &config, &g->stub_domid);
    if (!rc)
        rc = xc_domain_max_vcpus(h->xc, g->stub_domid, 1);
    target.domain = g->stub_domid;
    target.u.set_target.target = g->domid;
    if (!rc)
        rc = xc_domctl(h->xc, &target);
    if (rc)
        return rc;
    snprintf(name, sizeof(name), "%.100s-dm", g->cfg.name);
    domain_node_write(h, g->stub_domid, "name", name);
    d = get_domain_by_id(h->xen, g->stub_domid);
    g->stubdom = stubdom_create(d, g->domid, cfg, &rc);
    put_domain(d);
    return rc ? rc : xc_domain_unpause(h->xc, g->stub_domid);
}

/* -1, and err: a disk can be written, as far as IDE knows. */
static int drives(struct host *h, const struct guest *g, struct pc_config *cfg, char err[HOST_ERR_SIZE])
{
    for (unsigned int i = 0; i < PC_DRIVES; i++)
        if (g->hvm.empty_cds >> i & 1)
            cfg->drive[i].kind = IDE_CD;
    for (unsigned int i = 0; i < g->nr_disks; i++) {
        const struct guest_disk *d = &g->disks[i];
        const unsigned int nr = xl_disk_drive(d->cfg.devid);

        if (nr == PC_DRIVES) {
            if (!g->built)
                host_message(h, "%s: %s is no IDE drive: it is there for a guest with drivers for Xen alone",
                             g->cfg.name, d->cfg.vdev);
            continue;
        }
        if (d->cfg.readonly && !d->cfg.cdrom) {
            snprintf(err, HOST_ERR_SIZE, "%s: %s: there are no read-only IDE disks: make it a CD, or writable",
                     g->cfg.name, d->cfg.vdev);
            return -1;
        }
        cfg->drive[nr].kind = d->cfg.cdrom ? IDE_CD : IDE_DISK;
        cfg->drive[nr].disk = d->disk;
    }
    return 0;
}

bool guest_drive_has(const struct guest *g, uint32_t devid)
{
    const unsigned int nr = xl_disk_drive(devid);
    const struct pc *pc = guest_pc(g);
    const struct disk *held = pc && nr < PC_DRIVES ? pc->ide.channel[nr / 2].drive[nr % 2].disk : NULL;

    for (unsigned int i = 0; held && i < g->nr_disks; i++)
        if (g->disks[i].cfg.devid == devid && g->disks[i].disk == held)
            return true;
    return false;
}

int guest_dm_create(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    const uint64_t hole = (UINT64_C(1) << 32) - ((uint64_t)(g->hvm.mmio_hole_mib ?: 256) << 20);
    const uint64_t memory = g->build.nr_ram << PAGE_SHIFT;
    struct pc_config cfg = {
        .arena = h->arena,
        .vga_mib = xl_hvm_screen_mib(&g->hvm),
        .vga_gfn = g->build.screen_gfn,
        .vgabios = g->vgabios ? g->vgabios->data : NULL,
        .vgabios_size = g->vgabios ? g->vgabios->size : 0,
        .nic_rom = g->nicrom ? g->nicrom->data : NULL,
        .nic_rom_size = g->nicrom ? g->nicrom->size : 0,
        .platform = g->hvm.xen_platform_pci,
        .serials = g->hvm.nr_serials,
        .line = has_serial(g) ? (unsigned int)guest_console_line(g) : 0,
        .mem_below = memory < hole ? memory : hole,
        .mem_above = memory < hole ? 0 : memory - hole,
        .outside = { .data = g,
                     .serial_out = has_serial(g) ? serial_out : NULL,
                     .serial_in = has_serial(g) ? text_in : NULL,
                     .screen_out = has_screen(g) ? screen_out : NULL,
                     .typed = has_screen(g) ? text_in : NULL,
                     .log = guest_log },
    };
    struct domain *d;
    struct dm_state state;
    int rc = 0;

    if (!guest_has_dm(g))
        return 0;
    if (drives(h, g, &cfg, err))
        return -1;
    guest_taps_describe(g, &cfg);
    snprintf(cfg.boot, sizeof(cfg.boot), "%s", g->hvm.boot[0] ? g->hvm.boot : "cd");
    if (g->dm_state) {
        state_load(&state, g->dm_state->body, g->dm_state->length);
        cfg.state = &state;
        g->dm_state = NULL;
    }
    switch (h->device_model) {
    case HOST_DM_DOM0: g->dm = dm_create(h->dom0, g->domid, &cfg, &rc); break;
    case HOST_DM_DOMAIN: rc = stub_create(h, g, &cfg); break;
    case HOST_DM_XEN:
        d = get_domain_by_id(h->xen, g->domid);
        g->dm_direct = dm_direct_create(d, &cfg, &rc);
        put_domain(d);
    }
    rc = rc ?: guest_taps_begin(g, guest_pc(g));
    if (rc)
        snprintf(err, HOST_ERR_SIZE, "%s: its device model cannot be started: %s", g->cfg.kernel,
                 cfg.state && state_error(&state) ? state_error(&state) : strerror(-rc));
    return rc ? -1 : 0;
}

int guest_dm_stop(const struct guest *g) { return guest_dm(g) ? dm_stop(guest_dm(g)) : 0; }
int guest_dm_go_on(const struct guest *g) { return guest_dm(g) ? dm_go_on(guest_dm(g)) : 0; }

size_t guest_dm_save(const struct guest *g, uint8_t *to, size_t size)
{
    struct dm_state s;

    state_save(&s, to, size);
    if (guest_dm(g))
        dm_save(guest_dm(g), &s);
    else
        dm_direct_save(g->dm_direct, &s);
    return s.at;
}

void guest_dm_leaves(const struct guest *g)
{
    if (guest_pc(g))
        guest_pc(g)->goes_on = true;
}

void guest_dm_destroy(struct guest *g)
{
    char path[NODE_PATH_SIZE];

    guest_taps_end(g);
    dm_destroy(g->dm);
    dm_direct_destroy(g->dm_direct);
    stubdom_stop(g->stubdom);
    if (g->stub_domid) {
        xc_domain_destroy(g->host->xc, g->stub_domid);
        snprintf(path, sizeof(path), "/local/domain/%u", g->stub_domid);
        node_cleanup(g->host, path);
    }
    stubdom_destroy(g->stubdom);
    g->dm = NULL;
    g->dm_direct = NULL;
    g->stubdom = NULL;
    g->stub_domid = 0;
}
