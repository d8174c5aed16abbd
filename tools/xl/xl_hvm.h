// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What xl.cfg(5) says of guests with a processor of their own, type = "pvh" and type = "hvm": as values.
 *
 * Concept: names and defaults are xl's. What xl hands to a device model in the latter's own words (serial, boot) is
 * read here as far as it can mean something.
 */
#ifndef TOOLS_XL_XL_HVM_H
#define TOOLS_XL_XL_HVM_H

#include <stdbool.h>
#include <stdint.h>

enum xl_bios { XL_BIOS_DEFAULT, XL_BIOS_SEABIOS, XL_BIOS_ROMBIOS, XL_BIOS_OVMF };

/* HVM_PARAM_TIMER_MODE, by number. */
enum xl_timer_mode {
    XL_TIMER_DELAY_FOR_MISSED_TICKS,
    XL_TIMER_NO_DELAY_FOR_MISSED_TICKS, /* libxl's default */
    XL_TIMER_NO_MISSED_TICKS_PENDING,
    XL_TIMER_ONE_MISSED_TICK_PENDING,
};

/* Of ours: what becomes of shadow page tables when the guest stores to its own (hap = 0). */
enum xl_shadow_policy { XL_SHADOW_EMULATE, XL_SHADOW_DROP, XL_SHADOW_OOS };

/* Of ours: how it is executed. */
enum xl_technique {
    XL_TECHNIQUE_NONE, /* not stated: as the machine says */
    XL_TECHNIQUE_HARDWARE,
    XL_TECHNIQUE_EMULATE,
    XL_TECHNIQUE_RING1,
    XL_TECHNIQUE_TRANSLATE
};

enum xl_vga { XL_VGA_CIRRUS, XL_VGA_STDVGA, XL_VGA_NONE, XL_VGA_QXL };

/* Where a serial port of the guest ends. */
enum xl_serial { XL_SERIAL_NONE, XL_SERIAL_STDIO, XL_SERIAL_PTY };

#define XL_PVSHIM_CMDLINE "pv-shim console=xen,pv" /* libxl's PVSHIM_CMDLINE */

#define XL_SERIALS_MAX 4
#define XL_BOOT_MAX    3 /* letters, each at most once */

struct xl_hvm {
    bool hap, acpi;          /* of both types */
    unsigned int shadow_mib; /* 0: not stated */
    enum xl_shadow_policy shadow_policy;
    enum xl_technique technique;   /* of both types */
    enum xl_timer_mode timer_mode; /* of both types */

    /* of PVH guests: the kernel is a PV kernel, and runs in Xen's shim */
    bool pvshim;
    char *pvshim_path;                   /* NULL: the shim that is installed */
    char *pvshim_cmdline, *pvshim_extra; /* NULL: XL_PVSHIM_CMDLINE; nothing after it */

    /* of HVM guests */
    char *firmware; /* firmware_override, or firmware if that is a path; NULL: hvmloader */
    enum xl_bios bios;
    char *bios_path;            /* bios_path_override, or NULL */
    char boot[XL_BOOT_MAX + 1]; /* of a (floppy), c (hard disk), d (CD-ROM), n (network), in order; "": cd */
    enum xl_serial serials[XL_SERIALS_MAX];
    unsigned int nr_serials;
    enum xl_vga vga;
    unsigned int empty_cds;     /* bit n: IDE drive n (xl_disk_drive()) is a CD drive without a disc */
    unsigned int videoram_mib;  /* 0: not stated */
    unsigned int mmio_hole_mib; /* 0: the default, 256 */
    int rtc_timeoffset;         /* seconds */
    bool apic, pae, nx, hpet, acpi_s3, acpi_s4, vpt_align, xen_platform_pci;
    bool localtime;
};

/*
 * MiB of memory of the screen's, a power of two; 0: there is none. Stated, it is part of the guest's memory, as with
 * libxl; if it is not stated, a guest of a few MiB still has them as RAM: it comes on top.
 */
#define XL_VIDEORAM_MIB_DEFAULT 16
#define XL_VIDEORAM_MIB_MAX     256
unsigned int xl_hvm_screen_mib(const struct xl_hvm *h);
static inline unsigned int xl_hvm_screen_on_top_mib(const struct xl_hvm *h)
{
    return h->videoram_mib ? 0 : xl_hvm_screen_mib(h);
}

/* Before any is read; and what was read is released. */
void xl_hvm_defaults(struct xl_hvm *h);
void xl_hvm_free(struct xl_hvm *h);

/* The shim's command line, which the caller frees; NULL: out of memory. */
char *xl_hvm_shim_cmdline(const struct xl_hvm *h);

#endif
