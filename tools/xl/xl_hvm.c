// SPDX-License-Identifier: GPL-2.0-or-later
/* The settings of PVH and HVM guests before any is read: xl's defaults. See tools/xl/xl_hvm.h. */
#include "tools/xl/xl_hvm.h"

#include <stdio.h>
#include <stdlib.h>

void xl_hvm_defaults(struct xl_hvm *h)
{
    *h = (struct xl_hvm){
        .hap = true,
        .acpi = true,
        .timer_mode = XL_TIMER_NO_DELAY_FOR_MISSED_TICKS,
        .apic = true,
        .pae = true,
        .nx = true,
        .hpet = true,
        .acpi_s3 = true,
        .acpi_s4 = true,
        .vpt_align = true,
        .xen_platform_pci = true,
    };
}

void xl_hvm_free(struct xl_hvm *h)
{
    free(h->pvshim_path);
    free(h->pvshim_cmdline);
    free(h->pvshim_extra);
    free(h->firmware);
    free(h->bios_path);
}

char *xl_hvm_shim_cmdline(const struct xl_hvm *h)
{
    char *made = NULL;

    if (asprintf(&made, "%s%s%s", h->pvshim_cmdline ?: XL_PVSHIM_CMDLINE, h->pvshim_extra ? " " : "",
                 h->pvshim_extra ?: "") < 0)
        return NULL;
    return made;
}

unsigned int xl_hvm_screen_mib(const struct xl_hvm *h)
{
    unsigned int mib = 1;

    if (h->vga == XL_VGA_NONE)
        return 0;
    while (mib < XL_VIDEORAM_MIB_MAX && mib < h->videoram_mib)
        mib *= 2;
    return h->videoram_mib ? mib : XL_VIDEORAM_MIB_DEFAULT;
}
