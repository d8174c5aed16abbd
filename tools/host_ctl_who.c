// SPDX-License-Identifier: GPL-2.0-or-later
/* Whom a command of `xenlab ctl` is about, how large a size is, and how it answers: see tools/host_ctl_private.h. */
#include "tools/host_ctl_private.h"
#include "tools/xc/xc.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <xen/hvm/params.h>

void ctl_say(struct context *c, enum host_ctl what, const char *fmt, ...)
{
    char text[HOST_ERR_SIZE];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    host_ctl_say(c->h, c->job->id, what, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* --- domains --- */

int ctl_domain_info(struct context *c, domid_t domid, struct xen_domctl_getdomaininfo *info)
{
    return domid < DOMID_FIRST_RESERVED ? xc_domain_getinfo(xc(c->h), domid, info) : -ESRCH;
}

static bool has_domain(struct context *c, const struct guest *g)
{
    struct xen_domctl_getdomaininfo info;

    return guest_find(c->h, g->domid) == g && !ctl_domain_info(c, g->domid, &info);
}

bool ctl_domain_named(struct context *c, const char *who, domid_t *domid, struct xen_domctl_getdomaininfo *info)
{
    unsigned long n;

    if (ctl_number(who, DOMID_FIRST_RESERVED - 1, &n)) {
        *domid = (domid_t)n;
        if (!ctl_domain_info(c, *domid, info))
            return true;
    } else if (!strcmp(who, XL_DOM0_NAME)) {
        *domid = 0;
        return !ctl_domain_info(c, 0, info);
    } else {
        for (const struct guest *g = c->h->guests; g; g = g->next)
            if (!strcmp(g->cfg.name, who) && has_domain(c, g)) {
                *domid = g->domid;
                return !ctl_domain_info(c, g->domid, info);
            }
    }
    ctl_say(c, HOST_CTL_ERR, "%s is an invalid domain identifier (rc=%d)\n", who, ERROR_INVAL);
    return false;
}

struct guest *ctl_guest_named(struct context *c, const char *who)
{
    struct xen_domctl_getdomaininfo info;
    struct guest *g;
    domid_t domid;

    if (!ctl_domain_named(c, who, &domid, &info))
        return NULL;
    g = guest_find(c->h, domid);
    if (!g)
        ctl_say(c, HOST_CTL_ERR, "%s: domain %u is dom0, which this is not done to\n", c->r->command->name, domid);
    return g;
}

bool ctl_has_pv_drivers(struct context *c, const struct guest *g)
{
    uint64_t via = 0;

    return !guest_has_dm(g) || (!xc_hvm_param_get(xc(c->h), g->domid, HVM_PARAM_CALLBACK_IRQ, &via) && via);
}

void ctl_note_pv_only(struct context *c, const struct guest *g)
{
    if (!ctl_has_pv_drivers(c, g))
        ctl_say(c, HOST_CTL_ERR, "An HVM guest sees this with drivers for Xen alone, and has shown none.\n");
}

bool ctl_size_read(const char *text, uint64_t *kib)
{
    static const char units[] = "bkmgt";
    const size_t digits = strspn(text, "0123456789");
    char number[24];
    const char *unit = text[digits] ? strchr(units, text[digits] | 0x20) : units + 2;
    unsigned long n;

    if (!digits || digits >= sizeof(number) || !unit || (text[digits] && text[digits + 1]))
        return false;
    memcpy(number, text, digits);
    number[digits] = '\0';
    if (!ctl_number(number, ULONG_MAX, &n))
        return false;
    if (unit == units)
        n >>= 10;
    for (; unit > units + 1; unit--)
        if (__builtin_mul_overflow(n, 1024, &n))
            return false;
    *kib = n;
    return true;
}

bool ctl_name_free(struct context *c, const char *name)
{
    if (!*name || strlen(name) > 64 || strchr(name, '/') || ctl_number(name, ULONG_MAX, &(unsigned long){ 0 }))
        ctl_say(c, HOST_CTL_ERR, "\"%.80s\" is no name: that has 1 to 64 characters, no slash, and is no number\n",
                name);
    else if (!strcmp(name, XL_DOM0_NAME) || guest_name_taken(c->h, name))
        ctl_say(c, HOST_CTL_ERR, "Domain with name \"%s\" already exists.\n", name);
    else
        return true;
    return false;
}
