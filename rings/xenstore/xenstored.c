// SPDX-License-Identifier: GPL-2.0-or-later
/* xenstored: the idea is in rings/xenstore/xenstored.h. */
#include "rings/xenstore/xenstored.h"

#include <stdio.h>
#include <string.h>
#include <xen/domctl.h>

/* --------------------------------------------------------------------------------------------------------- rings -- */

/* Where the pointer to a domain's ring is; the end of the list if it has none. */
static struct xs_ring **ring_find(struct xenstored *x, domid_t domid)
{
    struct xs_ring **at = &x->rings;

    while (*at && (*at)->stream.conn.domid != domid)
        at = &(*at)->next;
    return at;
}

int xenstored_introduce(struct xenstored *x, domid_t domid, mfn_t mfn, evtchn_port_t port)
{
    struct xs_ring **at = ring_find(x, domid);

    if (*at)
        return xs_ring_rebind(*at, port);
    if (!xs_domain_get(&x->store, domid))
        return -EINVAL;
    *at = xs_ring_create(x->kernel, &x->store, domid, mfn, port);
    if (!*at)
        return -EINVAL;
    xs_domain_introduced(&x->store, domid, &(*at)->stream.conn);
    return 0;
}

int xenstored_restarted(struct xenstored *x, domid_t domid, evtchn_port_t port)
{
    struct xs_ring *r = *ring_find(x, domid);

    return r ? xs_ring_restart(r, port) : -EINVAL;
}

void xenstored_release(struct xenstored *x, domid_t domid)
{
    struct xs_ring **at = ring_find(x, domid), *r = *at;

    if (r) {
        *at = r->next;
        xs_ring_destroy(r);
    }
    xs_domain_forget(&x->store, domid);
}

/* --------------------------------------------------------------------------------------- what the store asks for -- */

static bool hook_exists(void *data, domid_t domid)
{
    struct xenstored *x = data;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getdomaininfo,
                             .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                             .domain = domid };

    return hypercall_native(native_vcpu(x->kernel), __HYPERVISOR_domctl, (uint64_t)(uintptr_t)&op, 0, 0, 0, 0) == 0 &&
           op.u.getdomaininfo.domain == domid;
}

static int hook_introduce(void *data, domid_t domid, uint64_t gfn, uint32_t port)
{
    return xenstored_introduce(data, domid, _mfn(gfn), port);
}

static void hook_release(void *data, domid_t domid) { xenstored_release(data, domid); }

static void hook_print(void *data, const char *text)
{
    const struct xenstored *x = data;

    printk(native_vcpu(x->kernel)->domain->xen->machine, LOG_INFO, "xenstored: %s", text);
}

static const struct xs_hooks hooks = {
    .exists = hook_exists, .introduce = hook_introduce, .release = hook_release, .print = hook_print
};

/* ------------------------------------------------------------------------------------------------ beginning, end -- */

struct xenstored *xenstored_create(struct native_kernel *k, const struct xs_edge *edge)
{
    struct arena *const arena = native_vcpu(k)->domain->xen->machine->arena;
    struct xenstored *x = xzalloc(arena, struct xenstored);

    if (!x)
        return NULL;
    x->kernel = k;
    x->edge = edge;
    if (xs_store_init(&x->store, arena, &hooks, x))
        return x;
    xfree(x);
    return NULL;
}

void xenstored_destroy(struct xenstored *x)
{
    if (!x)
        return;
    while (x->sockets)
        xs_socket_close(x, x->sockets->id);
    while (x->rings)
        xenstored_release(x, x->rings->stream.conn.domid);
    xs_store_end(&x->store);
    xfree(x);
}

struct xs_access xenstored_toolstack(struct xenstored *x) { return (struct xs_access){ .store = &x->store }; }

/* ------------------------------------------------------------------------------------------------- for who looks -- */

static void perms_text(const struct xs_node *n, char text[static 48])
{
    size_t len = 0;

    *text = 0;
    for (unsigned int i = 0; i < n->nr_perms && len + sizeof(",n65535") <= 48; i++)
        len += (size_t)sprintf(text + len, "%s%c%u", i ? "," : "", n->perms[i].letter, n->perms[i].id);
}

/* A node and all below it. path has room for any. */
static void each_below(const struct xs_store *s, char *path, xenstore_each_fn *fn, void *data)
{
    const struct xs_node *n = xs_tree_find(&s->tree, path);
    struct xenstore_seen seen = { .path = n->path, .value = n->value, .len = n->len };
    const size_t len = strlen(path);

    perms_text(n, seen.perms);
    fn(data, &seen);
    for (size_t at = 0; at < n->children_len; at += strlen(n->children + at) + 1) {
        sprintf(path + len, "%s%s", len == 1 ? "" : "/", n->children + at);
        each_below(s, path, fn, data);
        path[len] = 0;
    }
}

void xenstored_each(const struct xenstored *x, xenstore_each_fn *fn, void *data)
{
    char path[XENSTORE_ABS_PATH_MAX + 1] = "/";

    each_below(&x->store, path, fn, data);
    for (const struct xs_conn *c = x->store.conns; c; c = c->next) {
        for (const struct xs_watch *w = c->watches; w; w = w->next) {
            const struct xenstore_seen seen = {
                .is_watch = true, .domid = c->domid, .path = w->path, .value = w->token, .len = strlen(w->token)
            };

            fn(data, &seen);
        }
    }
}
