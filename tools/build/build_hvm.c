// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The domain builder for PVH and HVM guests.
 *
 * Concept: what goes where is hvm_plan.c's decision, a value; here it is carried out, with a toolstack's hypercalls:
 *
 *      an empty domain -> its memory, at the guest's own frame numbers -> the pieces, copied -> event channels for store
 *      and console, parameters, the memory map -> vCPU 0's registers
 *
 * A phase that grows with the guest is cut into steps, as those of build_pv.c are.
 *
 * Corresponds to xg_dom_x86.c and libxl_dom.c of Xen's tools.
 */
#include "tools/build/build_hvm.h"
#include "sim/arena.h"
#include "tools/build/hvm_plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xen/hvm/params.h>

#define POPULATE_STEP 64u /* frames */
#define LOAD_STEP     4u  /* pages */

struct hvm_builder {
    struct xc_handle *xc;
    struct pv_build *b;
    struct hvm_plan *plan;
    struct hvm_settings set;
    unsigned int phase;
    unsigned int range, piece; /* how far populating and loading have come */
    uint64_t done;             /* in that */
    char *err;
};

#define MORE 1

/*
 * What an HVM guest has of Xen's devices: all, but that interrupts of emulated devices cannot be had as event channels
 * (libxl 4.17 offers that, as of 4.18 it does not).
 */
#define HVM_EMULATED (XEN_X86_EMU_ALL & ~(XEN_X86_EMU_VPCI | XEN_X86_EMU_USE_PIRQ))

static int domain_fail(char err[IMAGE_ERR_SIZE], const char *what, int rc)
{
    snprintf(err, IMAGE_ERR_SIZE, "%s: %s", what, strerror(-rc));
    return -1;
}

static int fail(struct hvm_builder *w, const char *what, int rc) { return domain_fail(w->err, what, rc); }

static uint64_t screen_pages(const struct hvm_settings *set) { return (uint64_t)set->screen_mib << (20 - PAGE_SHIFT); }

/* It sees maxmem, and has memory. */
static bool has_less(const struct hvm_builder *w) { return w->b->nr_pages < w->b->max_pages; }

static uint64_t ram_pages(const struct hvm_plan *p)
{
    uint64_t nr = 0;

    for (unsigned int i = 0; i < p->nr_ram; i++)
        nr += p->populate[i].nr;
    return nr;
}

/* libxl_get_required_shadow_memory(): 1 MiB a vCPU, and 8 KiB a MiB of memory. */
static uint32_t shadow_mib(const struct pv_build *b, const struct hvm_settings *set)
{
    const uint64_t kib = 1024 * (uint64_t)b->max_vcpus + 8 * (b->max_pages >> (20 - PAGE_SHIFT));

    return set->shadow_mib ?: (uint32_t)((kib + 1023) / 1024);
}

int build_hvm_domain(struct xc_handle *xc, struct pv_build *b, const struct hvm_settings *set, char err[IMAGE_ERR_SIZE])
{
    struct xen_domctl_createdomain config = {
        .flags = XEN_DOMCTL_CDF_hvm | set->technique | (set->shadow ? set->shadow_flags : XEN_DOMCTL_CDF_hap),
        .max_vcpus = b->max_vcpus,
        .max_evtchn_port = b->limits.event_channels ?: 1023,
        .max_grant_frames = (int32_t)(b->limits.grant_frames ?: 64),
        .max_maptrack_frames = b->limits.no_maptrack ? 0 : (int32_t)(b->limits.maptrack_frames ?: 1024),
        .grant_opts = 2,
        .arch.emulation_flags = set->device_model ? HVM_EMULATED : XEN_X86_EMU_LAPIC,
    };
    /* Pages that are not RAM, and ACPI's. */
    const uint64_t extra = HVM_NR_SPECIAL + HVM_NR_IOREQ_SERVER + 64 + (set->screen_on_top ? screen_pages(set) : 0);
    int rc;

    memcpy(config.handle, b->handle, sizeof(config.handle));
    rc = xc_domain_create(xc, &config, &b->domid);
    if (rc)
        return domain_fail(err, "the domain cannot be created", rc);
    rc = xc_domain_max_vcpus(xc, b->domid, b->max_vcpus);
    if (!rc && set->shadow) {
        b->setting = "shadow_memory";
        rc = xc_shadow_set_allocation(xc, b->domid, shadow_mib(b, set));
    }
    if (!rc)
        rc = xc_domain_set_tsc_mode(xc, b->domid, b->tsc_mode);
    if (!rc)
        rc = xc_domain_setmaxmem(xc, b->domid, (b->nr_pages + extra) << (PAGE_SHIFT - 10));
    return rc ? domain_fail(err, "the domain cannot be set up", rc) : 0;
}

static int create(struct hvm_builder *w)
{
    struct pv_build *b = w->b;
    const uint64_t balloon = b->max_pages - b->nr_pages;
    int rc = 0;

    if (build_hvm_domain(w->xc, b, &w->set, w->err))
        return -1;
    if (has_less(w)) {
        b->setting = "memory";
        rc = ram_pages(w->plan) > balloon ? xc_domain_set_pod_target(w->xc, b->domid, ram_pages(w->plan) - balloon)
                                          : -ENOMEM;
    }
    return rc ? fail(w, "the domain cannot be set up", rc) : 0;
}

static int populate(struct hvm_builder *w)
{
    const struct hvm_range *r = &w->plan->populate[w->range];
    uint64_t gfn[POPULATE_STEP];
    uint64_t nr = r->nr - w->done < POPULATE_STEP ? r->nr - w->done : POPULATE_STEP;
    int rc = 0;

    for (uint64_t i = 0; i < nr; i++)
        gfn[i] = r->gfn + w->done + i;
    if (nr)
        rc = has_less(w) && w->range < w->plan->nr_ram ? xc_domain_populate_on_demand(w->xc, w->b->domid, nr, gfn)
                                                       : xc_domain_populate_physmap(w->xc, w->b->domid, nr, gfn);
    if (rc) {
        w->b->setting = "memory";
        return fail(w, "its memory", rc);
    }
    w->done += nr;
    if (w->done < r->nr)
        return MORE;
    w->done = 0;
    return ++w->range < w->plan->nr_ranges ? MORE : 0;
}

/* What of the piece lies in one page. */
static int load_page(struct hvm_builder *w, const struct hvm_piece *p)
{
    const uint64_t at = p->at + w->done, left = PAGE_SIZE - PAGE_OFFSET(at);
    const uint64_t n = p->size - w->done < left ? p->size - w->done : left;
    uint8_t *page;

    if (n == PAGE_SIZE) {
        if (xc_copy_to_domain_page(w->xc, w->b->domid, _mfn(PFN_DOWN(at)), p->bytes + w->done))
            return fail(w, "its contents", -EFAULT);
    } else {
        page = xc_map_foreign(w->xc, w->b->domid, _mfn(PFN_DOWN(at)));
        if (!page)
            return fail(w, "its contents", -EFAULT);
        memcpy(page + PAGE_OFFSET(at), p->bytes + w->done, n);
        xc_unmap(w->xc, page);
    }
    w->done += n;
    return 0;
}

static int load(struct hvm_builder *w)
{
    for (unsigned int i = 0; i < LOAD_STEP && w->piece < w->plan->nr_pieces; i++) {
        const struct hvm_piece *p = &w->plan->pieces[w->piece];

        if (w->done < p->size && load_page(w, p))
            return -1;
        if (w->done >= p->size) {
            w->done = 0;
            w->piece++;
        }
    }
    return w->piece < w->plan->nr_pieces ? MORE : 0;
}

int build_hvm_params(struct xc_handle *xc, struct pv_build *b, const struct hvm_settings *set)
{
    int rc = xc_evtchn_alloc_unbound(xc, b->domid, &b->store_port);

    if (!rc)
        rc = xc_evtchn_alloc_unbound(xc, b->domid, &b->console_port);
    if (!rc)
        rc = xc_hvm_param_set(xc, b->domid, HVM_PARAM_TIMER_MODE, set->timer_mode);
    if (!rc && set->device_model)
        rc = xc_hvm_param_set(xc, b->domid, HVM_PARAM_HPET_ENABLED, set->hpet);
    if (!rc && set->device_model)
        rc = xc_hvm_param_set(xc, b->domid, HVM_PARAM_VPT_ALIGN, set->vpt_align);
    if (!rc)
        rc = xc_hvm_param_set(xc, b->domid, HVM_PARAM_STORE_EVTCHN, b->store_port);
    if (!rc)
        rc = xc_hvm_param_set(xc, b->domid, HVM_PARAM_CONSOLE_EVTCHN, b->console_port);
    return rc;
}

int build_hvm_grants(struct xc_handle *xc, const struct pv_build *b)
{
    return xc_gnttab_hvm_seed(xc, b->domid, _mfn(HVM_SPECIAL_GFN - 1), b->console_mfn, b->store_mfn);
}

static int params(struct hvm_builder *w)
{
    struct pv_build *b = w->b;
    int rc = build_hvm_params(w->xc, b, &w->set);

    for (unsigned int i = 0; i < w->plan->nr_params && !rc; i++)
        rc = xc_hvm_param_set(w->xc, b->domid, w->plan->params[i].index, w->plan->params[i].value);
    if (!rc)
        rc = xc_domain_set_memory_map(w->xc, b->domid, w->plan->memmap, w->plan->nr_memmap);
    b->store_mfn = _mfn(HVM_XENSTORE_GFN);
    b->console_mfn = _mfn(HVM_CONSOLE_GFN);
    if (!rc)
        rc = build_hvm_grants(w->xc, b);
    return rc ? fail(w, "its parameters", rc) : 0;
}

static int start(struct hvm_builder *w)
{
    int rc = xc_domain_hvm_setcontext_cpu(w->xc, w->b->domid, 0, &w->plan->cpu);

    /* Firmware does it for HVM guests. */
    for (unsigned int i = 0; i < w->b->max_vcpus && !w->set.device_model && !rc; i++)
        rc = xc_domain_hvm_mtrr_default(w->xc, w->b->domid, i, HVM_MTRR_DEF_TYPE);
    return rc ? fail(w, "its vCPUs", rc) : 0;
}

static int (*const phases[])(struct hvm_builder *w) = { create, populate, load, params, start };

struct hvm_builder *build_hvm_begin(struct xc_handle *xc, struct arena *arena, struct pv_build *b,
                                    const struct hvm_settings *settings, char err[IMAGE_ERR_SIZE])
{
    const struct hvm_module inner = { b->inner, b->inner_size, b->inner_cmdline },
                            ramdisk = { b->ramdisk, b->ramdisk_size, NULL };
    const struct hvm_plan_input in = {
        .image = b->image,
        .device_model = settings->device_model,
        .no_apic = !settings->apic,
        .hole_mib = settings->mmio_hole_mib,
        .shim = b->inner,
        .modules = { b->inner ? inner : ramdisk, b->inner ? ramdisk : (struct hvm_module){ 0 } },
        .cmdline = b->cmdline,
        .nr_screen = screen_pages(settings),
        .screen_on_top = settings->screen_on_top,
        .nr_pages = b->max_pages,
        .nr_vcpus = b->max_vcpus,
        .nr_online = b->online_vcpus,
        .hardware_reduced = true,
    };
    struct hvm_builder *w = xzalloc(arena, struct hvm_builder);

    if (w)
        w->plan = xzalloc(arena, struct hvm_plan);
    if (!w || !w->plan) {
        xfree(w);
        snprintf(err, IMAGE_ERR_SIZE, "out of memory");
        return NULL;
    }
    w->xc = xc, w->b = b, w->set = *settings, w->err = err;
    b->domid = 0;
    if (!hvm_plan_make(w->plan, &in, err)) {
        b->nr_ram = w->plan->nr_ram_pages;
        b->screen_gfn = w->plan->screen_gfn;
        return w;
    }
    b->setting = w->plan->setting;
    build_hvm_end(w);
    return NULL;
}

int build_hvm_step(struct hvm_builder *w)
{
    const int rc = phases[w->phase](w);

    if (rc == 0)
        w->phase++;
    return rc < 0 ? rc : w->phase < ARRAY_SIZE(phases);
}

void build_hvm_end(struct hvm_builder *w)
{
    if (!w)
        return;
    if (w->phase < ARRAY_SIZE(phases) && w->b->domid)
        xc_domain_destroy(w->xc, w->b->domid);
    xfree(w->plan);
    memset(w, 0, sizeof(*w)); /* it knows the caller's stack, and what is freed is part of the state */
    xfree(w);
}
