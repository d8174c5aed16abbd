// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The domain builder for PV guests.
 *
 * Concept: a PV kernel never sees real mode or a boot loader. It starts in its final address space, which the builder
 * has laid out from VIRT_BASE upwards, as public xen/xen.h describes it ("Start-of-day memory layout"):
 *
 *     kernel | ramdisk | p2m list | start_info | xenstore page | console page | page tables | boot stack | up to 4 MiB
 *
 * Everything up to there is mapped by the initial page tables, the page tables themselves read-only: Xen accepts no
 * table that its guest can write. Kernels that say so (INIT_P2M, MOD_START_PFN) have the p2m list elsewhere in the
 * address space, or the ramdisk not mapped at all. RSI holds the address of start_info, which tells the rest.
 *
 * Phases: create -> populate -> lay out -> load -> start_info, shared_info -> page tables -> pin -> vCPU context; the
 * table below. What they do is in build_pv_memory.c, build_pv_tables.c and build_pv_start_info.c.
 *
 * A phase that grows with the guest is cut into steps, so that dom0 can do something else in between: build_pv_step()
 * does one.
 *
 * A guest that may grow (maxmem above memory) is told by its memory map, as libxl leaves it: RAM up to maxmem, of which
 * the first part is there. libxl's limit starts at `memory`, for `xl mem-set` to raise; here there is no such command,
 * and it is maxmem from the start.
 *
 * Corresponds to tools/libs/guest/xg_dom_core.c and xg_dom_x86.c. Simplifies: order-0 extents only, so that frames are
 * visibly scattered.
 */
#include "tools/build/build_pv_private.h"

#include <errno.h>
#include <string.h>

static int domain_fail(char err[IMAGE_ERR_SIZE], const char *what, int rc)
{
    snprintf(err, IMAGE_ERR_SIZE, "%s: %s", what, strerror(-rc));
    return -1;
}

int build_pv_domain(struct xc_handle *xc, struct pv_build *b, bool is64, char err[IMAGE_ERR_SIZE])
{
    struct xen_domctl_createdomain config = {
        .max_vcpus = b->max_vcpus,
        .max_evtchn_port = b->limits.event_channels ?: 1023, /* xl's defaults */
        .max_grant_frames = (int32_t)(b->limits.grant_frames ?: 64),
        .max_maptrack_frames = b->limits.no_maptrack ? 0 : (int32_t)(b->limits.maptrack_frames ?: 1024),
        .grant_opts = 2,
        .arch.emulation_flags = XEN_X86_EMU_PIT, /* unlike libxl, see vcpu/pv/ioport.c */
    };
    int rc;

    memcpy(config.handle, b->handle, sizeof(config.handle));
    rc = xc_domain_create(xc, &config, &b->domid);
    if (rc)
        return domain_fail(err, "the domain cannot be created", rc);
    if (!is64)
        rc = xc_domain_set_address_size(xc, b->domid, 32);
    if (!rc)
        rc = xc_domain_max_vcpus(xc, b->domid, b->max_vcpus);
    if (!rc)
        rc = xc_domain_set_tsc_mode(xc, b->domid, b->tsc_mode);
    if (!rc)
        rc = xc_domain_setmaxmem(xc, b->domid, b->max_pages << (PAGE_SHIFT - 10));
    if (!rc)
        rc = xc_domain_set_memmap_limit(xc, b->domid, b->max_pages << (PAGE_SHIFT - 10));
    return rc ? domain_fail(err, "the domain cannot be set up", rc) : 0;
}

static int create(struct builder *w)
{
    struct pv_build *b = w->b;

    if (build_pv_domain(w->xc, b, w->is64, w->err))
        return -1;
    w->p2m = xzalloc_array(w->arena, uint64_t, b->nr_pages);
    if (!w->p2m)
        return build_pv_fail(w, "the p2m list", -ENOMEM);
    for (uint64_t i = 0; i < b->nr_pages; i++)
        w->p2m[i] = i;
    return 0;
}

/* --- all of it, in order --- */

static int (*const phases[])(struct builder *w) = {
    create,                 /* an empty domain */
    build_pv_populate,      /* its memory: the p2m list */
    build_pv_lay_out,       /* what will be where */
    build_pv_loads_list,    /* what is to be copied */
    build_pv_load,          /* kernel, ramdisk, p2m list */
    build_pv_special_pages, /* console, xenstore, shared_info, start_info, the hypercall page */
    build_pv_tables_open,   /* the page tables' frames are mapped, */
    build_pv_tables_fill,   /* written, */
    build_pv_tables_close,  /* unmapped, */
    build_pv_pin,           /* and become page tables */
    build_pv_start_context, /* the first vCPU's registers */
};

struct builder *build_pv_begin(struct xc_handle *xc, struct arena *arena, struct pv_build *b, char err[IMAGE_ERR_SIZE])
{
    struct builder *w = xzalloc(arena, struct builder);

    if (!w) {
        snprintf(err, IMAGE_ERR_SIZE, "out of memory");
        return NULL;
    }
    w->xc = xc, w->arena = arena, w->b = b, w->img = b->image, w->err = err, w->is64 = b->image->is64;
    b->domid = 0;
    return w;
}

int build_pv_step(struct builder *w)
{
    int rc = phases[w->phase](w);

    if (rc == 0)
        w->phase++;
    return rc < 0 ? rc : w->phase < ARRAY_SIZE(phases);
}

void build_pv_end(struct builder *w)
{
    if (!w)
        return;
    for (uint64_t i = 0; i < ARRAY_SIZE(w->table); i++)
        if (w->table[i])
            xc_unmap(w->xc, w->table[i]);
    if (w->phase < ARRAY_SIZE(phases) && w->b->domid)
        xc_domain_destroy(w->xc, w->b->domid);
    xfree(w->p2m);
    xfree(w->p2m32);
    memset(w, 0, sizeof(*w)); /* it knows the caller's stack, and what is freed is part of the state */
    xfree(w);
}
