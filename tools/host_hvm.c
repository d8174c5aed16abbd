// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guests with a processor of their own, PVH and HVM: what their settings come to.
 *
 * Concept: a PVH guest is started like a PV guest, kernel and ramdisk; an HVM guest like a PC, by firmware: what is
 * its kernel here is hvmloader, or what firmware_override names, and its ramdisk the BIOS that hvmloader starts. With
 * pvshim a PVH guest's kernel is Xen's shim, which is handed a PV kernel, and starts that. What is stated and cannot be
 * had is told, once.
 *
 * Corresponds to libxl__domain_build_info_setdefault(), hvm_set_conf_params() and libxl__domain_firmware() of
 * tools/libs/light.
 */
#include "tools/host_private.h"
#include "vcpu/domctl.h"

#include <stdio.h>
#include <string.h>

bool guest_is_hvm(const struct guest *g) { return g->cfg.has_type && g->cfg.type != XL_TYPE_PV; }

bool guest_has_dm(const struct guest *g) { return g->cfg.has_type && g->cfg.type == XL_TYPE_HVM; }

int guest_console_line(const struct guest *g)
{
    for (unsigned int i = 0; guest_has_dm(g) && i < g->hvm.nr_serials; i++)
        if (g->hvm.serials[i] != XL_SERIAL_NONE)
            return (int)i;
    return -1;
}

enum image_mode guest_image_mode(const struct guest *g)
{
    return guest_has_dm(g) ? IMAGE_FIRMWARE : guest_is_hvm(g) ? IMAGE_PVH : IMAGE_PV;
}

const char *guest_kernel_key(const struct guest *g)
{
    if (!guest_has_dm(g))
        return g->cfg.shim ? "pvshim_path" : "kernel";
    return xl_where_is(g->cfg.where, "firmware_override") ? "firmware_override" : "firmware";
}

bool host_hvm_kernel_is_32(const struct host *h, unsigned int index)
{
    const struct guest *g = guest_at(h, index);

    return g && guest_is_hvm(g) && !g->cfg.is_firmware && g->kernel && !g->kernel->image.is64;
}

const char *guest_image_path(const struct guest *g) { return g->cfg.shim ? g->cfg.shim : g->cfg.kernel; }

void guest_hvm_configure(struct guest *g, const struct xl_hvm *settings)
{
    if (settings)
        g->hvm = *settings;
    else
        xl_hvm_defaults(&g->hvm);
    /* As files they are g->cfg's. */
    g->hvm.firmware = g->hvm.bios_path = g->hvm.pvshim_path = g->hvm.pvshim_cmdline = g->hvm.pvshim_extra = NULL;
    g->cfg.hvm = &g->hvm;
}

/* --- what is not to be had --- */

static bool stated(const struct xl_hvm *s) { return s; }
static bool no_shadow(const struct xl_hvm *s) { return s->shadow_mib && s->hap && s->technique < XL_TECHNIQUE_RING1; }
static bool s3(const struct xl_hvm *s) { return s->acpi_s3; }
static bool s4(const struct xl_hvm *s) { return s->acpi_s4; }
static bool no_acpi(const struct xl_hvm *s) { return !s->acpi; }
static bool other_vga(const struct xl_hvm *s) { return s->vga == XL_VGA_CIRRUS || s->vga == XL_VGA_QXL; }

static bool other_serial(const struct xl_hvm *s)
{
    unsigned int lead = 0;

    for (unsigned int i = 0; i < s->nr_serials; i++)
        lead += s->serials[i] != XL_SERIAL_NONE;
    return lead > 1;
}

static const struct unmet {
    const char *key;
    bool pvh, hvm; /* of guests of which type */
    bool (*wanted)(const struct xl_hvm *s);
    const char *why;
} unmet[] = {
    { "shadow_memory", true, true, no_shadow, "has no effect: paging is nested (hap = 0 wants shadow page tables)" },
    { "acpi_s3", false, true, s3, "has no effect: no guest sleeps, and none is offered it" },
    { "acpi_s4", false, true, s4, "has no effect: no guest sleeps, and none is offered it" },
    { "cmdline", false, true, stated, "has no effect: what an HVM guest starts is on its disks" },
    { "root", false, true, stated, "has no effect: what an HVM guest starts is on its disks" },
    { "extra", false, true, stated, "has no effect: what an HVM guest starts is on its disks" },
    { "ramdisk", false, true, stated, "has no effect: what an HVM guest starts is on its disks" },
    { "acpi", true, false, no_acpi, "has no effect: PVH guests have ACPI tables" },
    { "serial", false, true, other_serial,
      "has one line that leads to the console, the first that is \"stdio\" or \"pty\": others lead nowhere" },
    { "vga", false, true, other_vga, "is another here: the adapter is a standard VGA" },
};

/* boot names the network: is there a card to start from? */
static bool network_starts(const struct guest *g)
{
    for (unsigned int i = 0; i < g->vifs.nr; i++)
        if (g->nicrom && !g->vifs.list[i].only_pv && !*g->vifs.list[i].backend)
            return true;
    return false;
}

void guest_hvm_warn(struct host *h, const struct guest *g)
{
    const bool dm = guest_has_dm(g);
    char where[XL_WHERE_SIZE];

    for (unsigned int i = 0; i < ARRAY_SIZE(unmet); i++)
        if ((dm ? unmet[i].hvm : unmet[i].pvh) && xl_where_is(g->cfg.where, unmet[i].key) && unmet[i].wanted(&g->hvm))
            host_message(h, "%swarning: %s %s", guest_where(g, unmet[i].key, where), unmet[i].key, unmet[i].why);
    if (dm && strchr(g->hvm.boot, 'n') && !network_starts(g))
        host_message(h, "%swarning: boot names the network: %s", guest_where(g, "boot", where),
                     g->nicrom
                         ? "there is no network card to start from"
                         : "pxe-rtl8139.rom of Debian's package ipxe-qemu is not there: `make assets` fetches it");
}

static const uint32_t policy_flags[] = {
    [XL_SHADOW_EMULATE] = XEN_DOMCTL_CDF_oos_off,
    [XL_SHADOW_DROP] = XENLAB_DOMCTL_CDF_shadow_drop,
    [XL_SHADOW_OOS] = 0,
};

static enum hvm_technique technique_of(const struct guest *g)
{
    return g->hvm.technique ? g->hvm.technique - 1 : g->host->xen->technique;
}

void guest_hvm_settings(const struct guest *g, struct hvm_settings *s)
{
    const enum hvm_technique technique = technique_of(g);

    *s = (struct hvm_settings){
        .device_model = guest_has_dm(g),
        .apic = g->hvm.apic,
        .hpet = g->hvm.hpet,
        .vpt_align = g->hvm.vpt_align,
        .timer_mode = (uint8_t)g->hvm.timer_mode,
        .mmio_hole_mib = g->hvm.mmio_hole_mib,
        .screen_mib = guest_has_dm(g) ? xl_hvm_screen_mib(&g->hvm) : 0,
        .shadow = !g->hvm.hap || technique >= TECHNIQUE_RING1, /* a kernel in ring 1 has no hardware's help */
        .shadow_flags = policy_flags[g->hvm.shadow_policy],
        .technique = g->hvm.technique ? XENLAB_DOMCTL_technique(technique) : 0,
        .shadow_mib = g->hvm.shadow_mib,
        .screen_on_top = xl_hvm_screen_on_top_mib(&g->hvm),
    };
}

struct hvm_builder *guest_hvm_build(struct host *h, struct guest *g)
{
    struct hvm_settings settings;

    guest_hvm_settings(g, &settings);
    if (technique_of(g) == TECHNIQUE_TRANSLATE && g->build.max_vcpus > 1) {
        snprintf(g->build_err, sizeof(g->build_err), "binary translation (technique) is of guests with one vCPU");
        return NULL;
    }
    return build_hvm_begin(xc(h), h->arena, &g->build, &settings, g->build_err);
}
