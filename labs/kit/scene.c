// SPDX-License-Identifier: GPL-2.0-or-later
/* A hypervisor to be played with: see kit.h. */
#include "labs/kit/kernel_file.h"
#include "labs/kit/kit.h"
#include "sim/machine.h"
#include "tools/build/build_pv.h"
#include "tools/xc/xc.h"
#include "vcpu/native/kernel.h"
#include "vcpu/pv/pv.h"

#include <stdlib.h>

#define PAGES 8192 /* of the guest: 32 MiB */

struct vcpu *kit_scene_guest(struct kit_scene *k, bool narrow)
{
    char err[IMAGE_ERR_SIZE] = "";
    struct pv_build b = { .nr_pages = PAGES, .max_pages = PAGES, .max_vcpus = 1 };
    struct domain *d;

    if (kernel_build(k->xc, narrow ? &kernel_legacy32 : &kernel_linux64, &b, err))
        kit_die("%s", err);
    d = get_domain_by_id(k->xen, b.domid);
    put_domain(d);
    return d->vcpu[0];
}

struct kit_scene *kit_scene_empty(void)
{
    const struct machine_config cfg = { .ram_mib = 96 };
    struct kit_scene *k = calloc(1, sizeof(*k));
    char err[256] = "not enough memory";

    if (k)
        k->m = machine_create(&cfg, err, sizeof(err));
    if (!k || !k->m)
        kit_die("%s", err);
    k->xen = xen_create(k->m, "rr", err, sizeof(err));
    if (!k->xen)
        kit_die("%s", err);
    k->dom0 = native_kernel_create(k->xen->dom0, NULL, 0);
    k->xc = xc_interface_open(native_vcpu(k->dom0));
    return k;
}

struct kit_scene *kit_scene(void)
{
    struct kit_scene *k = kit_scene_empty();

    k->v = kit_scene_guest(k, false);
    k->d = k->v->domain;
    k->scratch = k->v->regs->rsp - 2048;
    return k;
}

void kit_scene_end(struct kit_scene *k)
{
    xc_interface_close(k->xc);
    xen_destroy(k->xen);
    native_kernel_destroy(k->dom0);
    machine_destroy(k->m);
    free(k);
}
