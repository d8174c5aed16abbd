// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenlab's own xenstored as a peer: in dom0's native kernel, with domains that have nothing but a page and a port.
 *
 * What the toolstack does when a domain shuts down or dies is done here at once. Where a domain's page and port are is
 * what the domain is made with, whatever XS_INTRODUCE says: so it is with Debian's, which is given page 1 by a grant
 * and takes any port.
 */
#include "tests/support/ram.h"
#include "tests/xenstored/front.h"

#include "rings/xenstore/xenstored.h"
#include "sim/machine.h"
#include "tools/xc/xc.h"

struct peer {
    struct machine *m;
    struct xen *xen;
    struct native_kernel *dom0;
    struct xc_handle *xc;
    struct xenstored *x;
    struct xs_edge edge;
    const struct xs_hooks *hooks; /* its own */
    struct domain_had {
        enum peer_domain state;
        mfn_t mfn;
        evtchn_port_t port;
        struct xenstore_domain_interface *page; /* NULL: it is not there, and: */
        struct xenstore_domain_interface was;
    } domain[PEER_DOMAINS];
    struct conn {
        bool open, deaf, closed;
        struct bytes in, out;
    } conn[PEER_CONNS];
};

static const char *ours_absent(void) { return NULL; }

/* --- what the store asks for --- */

static bool exists(void *data, domid_t domid)
{
    const struct xenstored *x = data;
    const struct peer *p = x->edge->data;

    return p->hooks->exists(data, domid);
}

static int introduce(void *data, domid_t domid, uint64_t gfn, uint32_t port)
{
    struct xenstored *x = data;
    const struct peer *p = x->edge->data;

    if (domid >= PEER_DOMAINS || !p->domain[domid].page)
        return p->hooks->introduce(data, domid, gfn, port);
    return p->hooks->introduce(data, domid, mfn_x(p->domain[domid].mfn), p->domain[domid].port);
}

static void release(void *data, domid_t domid)
{
    const struct xenstored *x = data;
    const struct peer *p = x->edge->data;

    p->hooks->release(data, domid);
}

static void print(void *data, const char *text) {}

static const struct xs_hooks hooks = { .exists = exists, .introduce = introduce, .release = release, .print = print };

/* --- the machine --- */

static void say(void *data, unsigned int id, const void *bytes, size_t len)
{
    struct peer *p = data;

    bytes_add(&p->conn[id].in, bytes, len);
}

static void hang_up(void *data, unsigned int id) { ((struct peer *)data)->conn[id].closed = true; }

static struct peer *ours_begin(void)
{
    const struct machine_config cfg = { .ram_mib = 64 };
    struct peer *p = calloc(1, sizeof(*p));
    char err[256] = "";

    must(p != NULL, "calloc");
    must((p->m = machine_create(&cfg, err, sizeof(err))) != NULL, err);
    must((p->xen = xen_create(p->m, "rr", err, sizeof(err))) != NULL, err);
    must((p->dom0 = native_kernel_create(p->xen->dom0, NULL, 0)) != NULL, "dom0");
    must((p->xc = xc_interface_open(native_vcpu(p->dom0))) != NULL, "xc");
    p->edge = (struct xs_edge){ .data = p, .say = say, .hang_up = hang_up };
    must((p->x = xenstored_create(p->dom0, &p->edge)) != NULL, "xenstored");
    p->hooks = p->x->store.hooks;
    p->x->store.hooks = &hooks;
    return p;
}

static void domain_make(struct peer *p, domid_t domid)
{
    const struct xen_domctl_createdomain config = {
        .max_vcpus = 1, .max_evtchn_port = 1023, .max_grant_frames = 4, .max_maptrack_frames = 4, .grant_opts = 1
    };
    struct domain_had *d = &p->domain[domid];
    domid_t made = domid;
    uint64_t mfn = 0;

    must(!xc_domain_create(p->xc, &config, &made) && made == domid, "a domain");
    must(!xc_domain_setmaxmem(p->xc, domid, 64) && !xc_domain_populate_physmap(p->xc, domid, 1, &mfn), "its page");
    must(!xc_evtchn_alloc_unbound(p->xc, domid, &d->port), "its port");
    d->mfn = _mfn(mfn);
    d->page = ram_page(p->m, d->mfn);
    memset(d->page, 0, sizeof(*d->page));
    bytes_forget(&p->conn[PEER_RING(domid)].in);
    bytes_forget(&p->conn[PEER_RING(domid)].out);
}

static void domain_end(struct peer *p, domid_t domid)
{
    p->domain[domid].was = *p->domain[domid].page;
    p->domain[domid].page = NULL;
    must(!xc_domain_destroy(p->xc, domid), "a domain's end");
}

/*
 * Something has happened to domains: what the toolstack does then. One that is dying and was not introduced is not gone
 * yet.
 */
static void look_at_domains(struct peer *p)
{
    for (domid_t i = 1; i < PEER_DOMAINS; i++) {
        const struct xs_domain *d = xs_domain_find(&p->x->store, i);

        if (p->domain[i].state == PEER_GONE || (p->domain[i].state == PEER_DYING && d && d->conn))
            xenstored_release(p->x, i);
    }
    for (domid_t i = 1; i < PEER_DOMAINS; i++)
        if (p->domain[i].state == PEER_SHUT)
            xs_domain_shutdown(&p->x->store, i);
}

static void ours_domain(struct peer *p, unsigned int domid, enum peer_domain state)
{
    struct domain_had *d = &p->domain[domid];

    if (d->state == PEER_GONE && state != PEER_GONE)
        domain_make(p, (domid_t)domid);
    d->state = state;
    look_at_domains(p);
    if (d->page && state == PEER_GONE)
        domain_end(p, (domid_t)domid);
}

static bool ours_end(struct peer *p)
{
    const bool right = xs_store_check(&p->x->store);

    for (domid_t i = 1; i < PEER_DOMAINS; i++)
        if (p->domain[i].page)
            ours_domain(p, i, PEER_GONE);
    xenstored_destroy(p->x);
    for (unsigned int i = 0; i < PEER_CONNS; i++) {
        free(p->conn[i].in.b);
        free(p->conn[i].out.b);
    }
    xc_interface_close(p->xc);
    xen_destroy(p->xen);
    native_kernel_destroy(p->dom0);
    machine_destroy(p->m);
    free(p);
    return right;
}

/* --- what is done to it --- */

static bool ours_open(struct peer *p, unsigned int socket)
{
    struct conn *c = &p->conn[socket];

    if (c->open)
        return false;
    c->open = true;
    c->closed = false;
    bytes_forget(&c->in);
    return !xs_socket_open(p->x, socket);
}

static void ours_close(struct peer *p, unsigned int socket)
{
    if (p->conn[socket].open)
        xs_socket_close(p->x, socket);
    p->conn[socket].open = false;
}

static void ours_send(struct peer *p, unsigned int conn, const void *bytes, size_t len)
{
    if (conn >= PEER_SOCKETS)
        bytes_add(&p->conn[conn].out, bytes, len);
    else if (p->conn[conn].open)
        xs_socket_bytes(p->x, conn, bytes, len);
}

static void ours_deaf(struct peer *p, unsigned int conn, bool on) { p->conn[conn].deaf = on; }

static struct xenstore_domain_interface *ours_page(struct peer *p, unsigned int domid)
{
    return p->domain[domid].page ? p->domain[domid].page : &p->domain[domid].was;
}

/* What an event of that domain does. */
static void ours_event(struct peer *p, unsigned int domid)
{
    for (struct xs_ring *r = p->x->rings; r; r = r->next)
        if (r->stream.conn.domid == domid)
            task_ready(&r->task);
}

static void run(struct peer *p)
{
    struct vcpu *v = native_vcpu(p->dom0);

    while (v->native.ops->step(v, v->native.data))
        ;
}

static void ours_settle(struct peer *p)
{
    bool moved;

    do {
        run(p);
        moved = false;
        for (domid_t i = 1; i < PEER_DOMAINS; i++) {
            struct conn *c = &p->conn[PEER_RING(i)];

            if (front_move(ours_page(p, i), &c->out, &c->in, c->deaf)) {
                ours_event(p, i);
                moved = true;
            }
        }
    } while (moved);
}

static void ours_pass(struct peer *p, unsigned int ms) {}

static size_t ours_take(struct peer *p, unsigned int conn, void *bytes, size_t len)
{
    return bytes_take(&p->conn[conn].in, bytes, len);
}

static bool ours_closed(struct peer *p, unsigned int conn) { return p->conn[conn].closed; }

const struct peer_ops peer_ours = {
    .name = "ours",
    .absent = ours_absent,
    .begin = ours_begin,
    .end = ours_end,
    .domain = ours_domain,
    .open = ours_open,
    .close = ours_close,
    .send = ours_send,
    .deaf = ours_deaf,
    .settle = ours_settle,
    .pass = ours_pass,
    .take = ours_take,
    .closed = ours_closed,
    .page = ours_page,
    .event = ours_event,
};
