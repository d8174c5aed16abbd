// SPDX-License-Identifier: GPL-2.0-or-later
/* Building a PVH or HVM domain from a kernel image: see tools/build/build_hvm.c. */
#ifndef TOOLS_BUILD_BUILD_HVM_H
#define TOOLS_BUILD_BUILD_HVM_H

#include "tools/build/build_pv.h"

struct hvm_settings {
    bool device_model;          /* HVM, else PVH */
    bool apic;                  /* HVM: what its firmware is to tell of local and I/O APICs */
    bool hpet;                  /* HVM_PARAM_HPET_ENABLED, of HVM guests */
    bool vpt_align;             /* HVM_PARAM_VPT_ALIGN, of HVM guests */
    uint8_t timer_mode;         /* HVM_PARAM_TIMER_MODE */
    unsigned int mmio_hole_mib; /* HVM: below 4 GiB, for devices; 0: 256 */
    unsigned int screen_mib;    /* HVM: of the screen's memory; */
    unsigned int shadow_mib;    /* its pool; 0: as libxl reckons it */
    bool shadow;                /* without nested paging: */
    uint32_t shadow_flags;      /* and of XEN_DOMCTL_createdomain's what says how */
    uint32_t technique;         /* likewise, how it is executed; 0: as the machine says */
    bool screen_on_top;         /* it is no part of max_pages */
};

/*
 * As build_pv_begin() and its kin, for a domain of type PVH or HVM; b->image is of mode IMAGE_PVH, b->ramdisk of an HVM
 * guest its firmware's module. In b->console_mfn and store_mfn are the guest's numbers of these frames: by these others
 * name a translated guest's memory.
 */
struct hvm_builder;
struct hvm_builder *build_hvm_begin(struct xc_handle *xc, struct arena *arena, struct pv_build *b,
                                    const struct hvm_settings *settings, char err[IMAGE_ERR_SIZE]);
int build_hvm_step(struct hvm_builder *w);
void build_hvm_end(struct hvm_builder *w);

/*
 * For who makes one of something else than a kernel. An empty domain, as b and the settings say; b->domid is it, also
 * if it could not be set up. -1 with a message.
 */
int build_hvm_domain(struct xc_handle *xc, struct pv_build *b, const struct hvm_settings *set,
                     char err[IMAGE_ERR_SIZE]);
/* The event channels of console and xenstore, and what the settings state. 0 or -errno. */
int build_hvm_params(struct xc_handle *xc, struct pv_build *b, const struct hvm_settings *set);
/* The grants for the pages of both. 0 or -errno. */
int build_hvm_grants(struct xc_handle *xc, const struct pv_build *b);

#endif
