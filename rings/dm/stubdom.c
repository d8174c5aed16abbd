// SPDX-License-Identifier: GPL-2.0-or-later
/* A stub domain: the idea is in rings/dm/stubdom.h. */
#include "rings/dm/stubdom.h"

#include <errno.h>

struct stubdom {
    struct native_kernel *kernel;
    struct dm *dm;
};

struct stubdom *stubdom_create(struct domain *d, domid_t domid, const struct pc_config *cfg, int *rc)
{
    struct stubdom *s = xzalloc(d->xen->machine->arena, struct stubdom);

    *rc = -ENOMEM;
    if (s)
        s->kernel = native_kernel_create(d, NULL, 0);
    if (s && s->kernel)
        *rc = native_timers_start(s->kernel);
    if (!*rc)
        s->dm = dm_create(s->kernel, domid, cfg, rc);
    if (!*rc)
        return s;
    stubdom_stop(s);
    stubdom_destroy(s);
    return NULL;
}

void stubdom_stop(struct stubdom *s)
{
    if (s)
        dm_destroy(s->dm);
}

void stubdom_destroy(struct stubdom *s)
{
    if (!s)
        return;
    native_kernel_destroy(s->kernel);
    xfree(s);
}

struct dm *stubdom_dm(const struct stubdom *s) { return s->dm; }
