// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What goes where in a PVH or HVM guest, before there is one: the builder's decisions, as a value.
 *
 * Concept: such a guest starts like a processor after a boot loader: in protected mode without paging, at the kernel's
 * PHYS32_ENTRY, EBX at hvm_start_info. What the toolstack has put into its memory is, as libxl of Xen 4.17 has it:
 *
 *      PVH     0             RAM: kernel, then its modules, then start_info; pages between them are free. One module:
 *                            the ramdisk. Of Xen's shim two: the kernel that runs in it, and that one's ramdisk
 *              0xfc000000    ACPI tables, then the RSDP (or at 0xfffc0, for a Linux that would not find it there)
 *              0xfeff8000    special pages: rings of xenstore and console, the tables of an identity mapping...
 *              4 GiB         the rest of RAM
 *
 *      HVM     0             RAM, but for 0xa0000 to 0xbffff: hvmloader (or what stands in for it), its firmware, then
 *                            start_info; hvm_info_table at 0x9f800. hvmloader finds and makes the rest itself
 *              0xf0000000    the hole of devices; 0xfeff0000: pages of I/O requests; 0xfeff8000 as above
 *              4 GiB         the rest of RAM; 4 GiB above that the screen's memory: where nobody looks for any, and
 *                            hvmloader moves no RAM. The device model brings it to where the guest wants it
 *
 * Invariants: a pure function, which knows no hypervisor. Every piece lies in memory that is to be populated.
 *
 * Corresponds to libxl_x86.c, libxl_dom.c (libxl__build_hvm) and xg_dom_x86.c.
 */
#ifndef TOOLS_BUILD_HVM_PLAN_H
#define TOOLS_BUILD_HVM_PLAN_H

#include "tools/build/acpi.h"
#include "tools/build/image.h"
#include "tools/build/start_info.h"

#include <xen/xen.h>

#include <xen/hvm/hvm_info_table.h>
#include <xen/hvm/save.h>

#define HVM_SPECIAL_GFN     0xfeff8 /* eight pages; the numbers are those of libxl */
#define HVM_BUFIOREQ_GFN    (HVM_SPECIAL_GFN + 3)
#define HVM_XENSTORE_GFN    (HVM_SPECIAL_GFN + 4)
#define HVM_IOREQ_GFN       (HVM_SPECIAL_GFN + 5)
#define HVM_IDENT_PT_GFN    (HVM_SPECIAL_GFN + 6)
#define HVM_CONSOLE_GFN     (HVM_SPECIAL_GFN + 7)
#define HVM_NR_SPECIAL      8
#define HVM_NR_IOREQ_SERVER 8 /* pages before these, of HVM guests */

#define HVM_RANGES_MAX     6
#define HVM_PIECES_MAX     (IMAGE_SEGMENTS_MAX + 8)
#define HVM_PARAMS_MAX     10
#define HVM_MEMMAP_MAX     5
#define HVM_START_INFO_MAX (3 * 4096) /* which limits the command line */
#define HVM_MTRR_DEF_TYPE  0x806      /* of PVH guests' vCPUs: enabled, write-back */

struct hvm_module {
    const uint8_t *bytes; /* NULL: there is none */
    size_t size;
    const char *cmdline; /* NULL: none. What is too long for it is cut off */
};

struct hvm_plan_input {
    const struct image *image;                     /* of mode IMAGE_PVH */
    bool device_model;                             /* type="hvm" */
    bool no_apic;                                  /* for its firmware: no tables that tell of APICs */
    unsigned int hole_mib;                         /* below 4 GiB, for its devices; 0: 256 */
    bool shim;                                     /* the image is Xen's shim, and the first module the kernel in it */
    struct hvm_module modules[START_INFO_MODULES]; /* for hvmloader one, which is its firmware */
    const char *cmdline;                           /* NULL: none; not for HVM guests */
    uint64_t nr_pages;                             /* of RAM: that of maxmem */
    uint64_t nr_screen; /* pages of the screen's memory, of HVM guests: of those, or (on_top) beside them */
    bool screen_on_top;
    unsigned int nr_vcpus, nr_online;
    bool hardware_reduced; /* see acpi.h */
};

struct hvm_range { /* of guest frames */
    uint64_t gfn, nr;
};

struct hvm_piece { /* bytes at a guest-physical address; what follows them in the page is 0 */
    uint64_t at;
    const uint8_t *bytes;
    uint64_t size;
};

struct hvm_param { /* HVM_PARAM_*, for HVMOP_set_param */
    uint32_t index;
    uint64_t value;
};

struct hvm_plan {
    struct hvm_range populate[HVM_RANGES_MAX];
    unsigned int nr_ram, nr_ranges;          /* the first are RAM, and count as the guest's memory */
    struct hvm_piece pieces[HVM_PIECES_MAX]; /* of two at one place the later counts */
    unsigned int nr_pieces;
    struct hvm_param params[HVM_PARAMS_MAX]; /* but event channels' ports, which are not known yet */
    unsigned int nr_params;
    struct hvm_memmap_table_entry memmap[HVM_MEMMAP_MAX]; /* for XENMEM_set_memory_map, too */
    unsigned int nr_memmap;
    struct hvm_hw_cpu cpu; /* of vCPU 0; the others are down */
    uint64_t start_info_at;
    uint64_t nr_ram_pages, screen_gfn;

    const char *setting; /* of a failure: which key of xl.cfg it is about, or NULL: the kernel */

    /* what pieces point to */
    struct acpi_tables acpi;
    uint8_t start_info[HVM_START_INFO_MAX];
    uint32_t ident_pt[1024];
    struct hvm_info_table hvm_info;
};

/* Pieces point into the plan, the image and the module. -1 with a message in err. */
int hvm_plan_make(struct hvm_plan *p, const struct hvm_plan_input *in, char err[IMAGE_ERR_SIZE]);

#endif
