// SPDX-License-Identifier: GPL-2.0-or-later
/* What HVM guests, and guests in a shim, start with: see ui/guest_firmware.h. */
#include "ui/guest_firmware.h"

#include "ui/place.h"

#include <stdlib.h>
#include <string.h>

bool guest_has_firmware(const struct guest_entry *e)
{
    return e->guest.has_type && e->guest.type == XL_TYPE_HVM && !e->guest.driver_domain;
}

static int hvm_fail(const struct guest_entry *e, const char *key, const char *why, char err[GUEST_LIST_ERR_SIZE])
{
    char where[XL_WHERE_SIZE];

    snprintf(err, GUEST_LIST_ERR_SIZE, "%s%s", xl_where(&e->cfg.where, key, where), why);
    return -1;
}

/* The path of the file: what the configuration names, else what is found (in a recording: the file of that name). */
static const char *firmware_path(struct guest_entry *e, const struct run_options *o, enum firmware what,
                                 const char *named)
{
    const char *at;

    if (named)
        e->firmware[what] = strdup(named);
    else if (!(e->firmware[what] = firmware_find(what, NULL)))
        e->firmware[what] = strdup(firmware_files[what].name);
    at = place(o, e->firmware[what]);
    if (at && !named && at == e->firmware[what] && !strchr(at, '/')) { /* it is nowhere */
        free(e->firmware[what]);
        e->firmware[what] = NULL;
        return NULL;
    }
    return at;
}

static int hvm_lacks(const struct guest_entry *e, enum firmware what, char err[GUEST_LIST_ERR_SIZE])
{
    char why[256];

    snprintf(why, sizeof(why),
             "an HVM guest starts with %s, of Debian's package %s, which is not there: `make assets` fetches it; or "
             "firmware_override names another",
             firmware_files[what].name, firmware_files[what].package);
    return hvm_fail(e, xl_where_is(&e->cfg.where, "type") ? "type" : "builder", why, err);
}

int guest_firmware(struct guest_entry *e, const char *kernel, const struct run_options *o,
                   char err[GUEST_LIST_ERR_SIZE])
{
    const struct xl_hvm *hvm = &e->cfg.hvm;
    const char *override = kernel ? kernel : hvm->firmware;

    if (e->cfg.kernel)
        return hvm_fail(e, "kernel",
                        "an HVM guest starts from a disk: a kernel is not loaded for it (type = \"pvh\" does so, and "
                        "firmware_override names what runs in hvmloader's place)",
                        err);
    if (!override && !hvm->bios_path && (hvm->bios == XL_BIOS_ROMBIOS || hvm->bios == XL_BIOS_OVMF))
        return hvm_fail(e, xl_where_is(&e->cfg.where, "bios") ? "bios" : "firmware", "only seabios is there", err);
    e->guest.kernel = firmware_path(e, o, FIRMWARE_HVMLOADER, override);
    e->guest.ramdisk = firmware_path(e, o, FIRMWARE_SEABIOS, hvm->bios_path);
    e->guest.vgabios = hvm->vga == XL_VGA_NONE ? NULL : firmware_path(e, o, FIRMWARE_VGABIOS, NULL);
    e->guest.nicrom = strchr(hvm->boot, 'n') ? firmware_path(e, o, FIRMWARE_NIC_ROM, NULL) : NULL;
    e->guest.cmdline = NULL;
    e->guest.is_firmware = !override;
    if (!e->guest.kernel)
        return hvm_lacks(e, FIRMWARE_HVMLOADER, err);
    return override || e->guest.ramdisk ? 0 : hvm_lacks(e, FIRMWARE_SEABIOS, err);
}

bool guest_has_shim(const struct guest_entry *e)
{
    return e->guest.has_type && e->guest.type == XL_TYPE_PVH && e->cfg.hvm.pvshim && !e->guest.driver_domain;
}

int guest_shim(struct guest_entry *e, const struct run_options *o, char err[GUEST_LIST_ERR_SIZE])
{
    const struct firmware_file *f = &firmware_files[FIRMWARE_XEN_SHIM];
    char why[256];

    e->guest.shim = firmware_path(e, o, FIRMWARE_XEN_SHIM, e->cfg.hvm.pvshim_path);
    e->guest.shim_cmdline = e->shim_cmdline = xl_hvm_shim_cmdline(&e->cfg.hvm);
    if (e->guest.shim && e->guest.shim_cmdline)
        return 0;
    snprintf(why, sizeof(why),
             "%s, of Debian's package %s, is not there: `make assets` fetches it; or pvshim_path names another",
             f->name, f->package);
    return hvm_fail(e, "pvshim", e->guest.shim ? "out of memory" : why, err);
}

void guest_firmware_free(struct guest_entry *e)
{
    free(e->shim_cmdline);
    for (unsigned int i = 0; i < FIRMWARE_NR; i++)
        free(e->firmware[i]);
}
