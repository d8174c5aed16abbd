// SPDX-License-Identifier: GPL-2.0-or-later
/* Permission with a look-up: the order of the two answers is Xen's. The table is in the header. */
#include "vcpu/noun/xsm.h"

int get_domain_for(struct vcpu *v, domid_t domid, xsm_fn *may, struct domain **out)
{
    struct domain *d = get_domain_by_any_id(v, domid);
    int rc;

    if (!d)
        return -ESRCH;
    rc = may(v->domain, d);
    if (rc)
        put_domain(d);
    else
        *out = d;
    return rc;
}
