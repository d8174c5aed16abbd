// SPDX-License-Identifier: GPL-2.0-or-later
/* Building a PV domain from a kernel image: see tools/build/build_pv.c. */
#ifndef TOOLS_BUILD_BUILD_PV_H
#define TOOLS_BUILD_BUILD_PV_H

#include "tools/build/image.h"
#include "tools/build/limits.h"
#include "tools/xc/xc.h"

/* What is to be built, and where its console and xenstore pages ended up. */
struct pv_build {
    const struct image *image;
    const uint8_t *ramdisk; /* NULL: none */
    size_t ramdisk_size;
    const char *cmdline;  /* NULL: "" */
    const uint8_t *inner; /* PVH, of a shim: the kernel that runs in it; or NULL */
    size_t inner_size;
    const char *inner_cmdline; /* NULL: none */
    uint64_t nr_pages;
    uint64_t max_pages; /* >= nr_pages */
    unsigned int max_vcpus;
    unsigned int online_vcpus; /* PVH: that its ACPI tables enable */
    unsigned int tsc_mode;     /* TSC_MODE_* of vcpu/tsc.h */
    bool dom0;                 /* it is to be domain 0, with the machine's devices: the first that is created */
    bool extents; /* memory in extents of 2 MiB where they fit, as Xen's toolstack gives it, not in single frames */
    struct build_limits limits;
    uint8_t handle[16];

    /* results */
    const char *setting; /* of a failure: which key of xl.cfg it is about, or NULL: the kernel */
    bool scattered;      /* there were not as many extents as were wanted */
    domid_t domid;
    mfn_t console_mfn, store_mfn;
    uint64_t nr_ram, screen_gfn;            /* HVM: pages of RAM, and where the screen's memory is */
    evtchn_port_t console_port, store_port; /* the guest's ports, unbound, for dom0 */
};

/*
 * Create and load the domain, paused, a step at a time. b, what it points to, and err are the caller's, and are needed
 * until the end. What the builder remembers between steps is in the arena. NULL: out of memory, and err says so.
 */
struct arena;
struct builder;
struct builder *build_pv_begin(struct xc_handle *xc, struct arena *arena, struct pv_build *b, char err[IMAGE_ERR_SIZE]);
/* 1: there is more to do; 0: the domain is whole; -1 with a message in err. No step after the last two. */
int build_pv_step(struct builder *w);
/* At any time; of a domain that is not whole nothing is left behind. NULL: nothing to do. */
void build_pv_end(struct builder *w);

#endif
