// SPDX-License-Identifier: GPL-2.0-or-later
/* Shared by domctl.c and sysctl.c. */
#ifndef VCPU_DOMCTL_H
#define VCPU_DOMCTL_H

#include "vcpu/noun/domain.h"

struct xen_domctl_getdomaininfo;

/* Fill in what XEN_DOMCTL_getdomaininfo and XEN_SYSCTL_getdomaininfolist say of a domain. */
void getdomaininfo(struct domain *d, struct xen_domctl_getdomaininfo *info);

#endif
