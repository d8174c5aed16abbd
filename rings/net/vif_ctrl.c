// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end: the control ring, by which a front end says how frames are to be spread over its queues
 * (vif_hash.c).
 *
 * Concept: a request has a kind and three numbers; its answer whether that is so, and a number. What does not fit into
 * three numbers is in a page that is granted: it is copied once, and then looked at.
 *
 * Invariants: the table only has queues that there are.
 *
 * Source: public io/netif.h ("Control messages"). Corresponds to Linux's drivers/net/xen-netback/hash.c; grants that
 * stay mapped are left out there, too.
 */
#include "rings/net/vif.h"

#include "vcpu/native/grant.h"

#include <string.h>

#define ALL_TYPES                                                                                                      \
    (XEN_NETIF_CTRL_HASH_TYPE_IPV4 | XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP | XEN_NETIF_CTRL_HASH_TYPE_IPV6 |               \
     XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)

/* The first len bytes of a page of the front end's. False: it may not be read. */
static bool page_read(const struct vif *f, grant_ref_t ref, void *buf, size_t len)
{
    struct net_frame *page = net_frame_alloc(f->bridge->pool, len ?: 1);
    struct gnttab_copy op = { .source = { .u.ref = ref, .domid = f->dev->front },
                              .len = (uint16_t)len,
                              .flags = GNTCOPY_source_gref };

    if (!page)
        return false;
    op.dest.u.gmfn = native_frame(vif_self(f), page->page[0]);
    op.dest.domid = DOMID_SELF;
    native_grant_copy(vif_self(f), &op, 1);
    if (op.status == GNTST_okay)
        net_frame_read(page, 0, buf, len);
    net_frame_put(page);
    return op.status == GNTST_okay;
}

static uint32_t algorithm_set(struct vif_hash *h, uint32_t algorithm)
{
    if (algorithm > XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ)
        return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
    h->toeplitz = algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ;
    return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

static uint32_t types_set(struct vif_hash *h, uint32_t types)
{
    if (types & ~(uint32_t)ALL_TYPES || !h->toeplitz)
        return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
    h->types = types;
    return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

static uint32_t key_set(const struct vif *f, struct vif_hash *h, grant_ref_t ref, uint32_t len)
{
    uint8_t key[VIF_HASH_KEY_MAX] = { 0 };

    if (len > sizeof(key))
        return XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW;
    if (len && !page_read(f, ref, key, len))
        return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
    memcpy(h->key, key, sizeof(key));
    return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

static uint32_t map_size_set(struct vif_hash *h, uint32_t size)
{
    if (size > VIF_HASH_MAP_MAX)
        return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
    h->map_size = size;
    memset(h->map, 0, sizeof(h->map));
    return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

static uint32_t map_set(const struct vif *f, struct vif_hash *h, grant_ref_t ref, uint32_t nr, uint32_t at)
{
    uint32_t map[VIF_HASH_MAP_MAX];

    if (at > h->map_size || nr > h->map_size - at || (nr && !page_read(f, ref, map, nr * sizeof(map[0]))))
        return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
    for (uint32_t i = 0; i < nr; i++)
        if (map[i] >= f->nr_queues)
            return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
    memcpy(h->map + at, map, nr * sizeof(map[0]));
    return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

static uint32_t carry_out(struct vif *f, const struct xen_netif_ctrl_request *q, uint32_t *data)
{
    struct vif_hash *h = &f->hash;

    switch (q->type) {
    case XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS:
        if (!h->toeplitz)
            return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
        *data = ALL_TYPES;
        return XEN_NETIF_CTRL_STATUS_SUCCESS;
    case XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS: return types_set(h, q->data[0]);
    case XEN_NETIF_CTRL_TYPE_SET_HASH_KEY: return key_set(f, h, q->data[0], q->data[1]);
    case XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE: *data = VIF_HASH_MAP_MAX; return XEN_NETIF_CTRL_STATUS_SUCCESS;
    case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE: return map_size_set(h, q->data[0]);
    case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING: return map_set(f, h, q->data[0], q->data[1], q->data[2]);
    case XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM: return algorithm_set(h, q->data[0]);
    default: return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
    }
}

unsigned int vif_ctrl(struct vif *f, unsigned int budget)
{
    struct xen_netif_ctrl_request q;
    unsigned int nr;
    int rc = 0;

    for (nr = 0; nr < budget && (rc = ring_pull(&f->ctrl, &q, sizeof(q))) > 0; nr++) {
        struct xen_netif_ctrl_response rsp = { .id = q.id, .type = q.type };
        uint32_t data = 0;

        rsp.status = carry_out(f, &q, &data);
        rsp.data = data;
        ring_push(&f->ctrl, &rsp, sizeof(rsp));
        task_charge(&f->task, 1, 0);
    }
    if (rc < 0)
        vif_broken(f, "the ring's indices cannot be");
    return nr;
}
