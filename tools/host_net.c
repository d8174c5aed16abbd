// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network cards of guests, and the bridges in dom0 that they are on (rings/net/).
 *
 * Concept: a bridge is there when somebody names it. A card's address is stated, or made of the guest's name and the
 * seed, so that it is the same in every run, with the three bytes that Xen has registered.
 */
#include "rings/net/offload.h"
#include "tools/nodes.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

_Static_assert(XL_VIF_NAME_SIZE == BRIDGE_NAME_SIZE, "a name that can be written can be had");

/* Who takes nothing for so long loses what comes, and nobody else waits for that. */
#define OUTSIDE_PATIENCE MILLISECS(50)

/* As libxl makes one at random: 00:16:3e, and the highest bit of the fourth byte is 0. */
static void mac_make(const struct guest *g, struct xl_vif *v)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ g->host->seed ^ (uint64_t)v->devid << 32; /* FNV-1a */

    if (v->has_mac)
        return;
    for (const char *c = g->cfg.name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    memcpy(v->mac, (uint8_t[]){ 0x00, 0x16, 0x3e, hash & 0x7f, hash >> 8 & 0xff, hash >> 16 & 0xff }, sizeof(v->mac));
    v->has_mac = true;
}

static void mac_text(const struct xl_vif *v, char text[18])
{
    snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", v->mac[0], v->mac[1], v->mac[2], v->mac[3], v->mac[4],
             v->mac[5]);
}

static bool vifs_copy(struct guest *g, const struct host_guest *cfg)
{
    if (cfg->vifs)
        g->vifs = *cfg->vifs;
    g->cfg.vifs = NULL;
    for (unsigned int i = 0; g->cfg.name && i < g->vifs.nr; i++)
        mac_make(g, &g->vifs.list[i]);
    return true;
}

/* On the same bridges, with addresses and names of their own. */
static bool vifs_clone(struct guest *g, const struct guest *of)
{
    g->vifs = of->vifs;
    for (unsigned int i = 0; i < g->vifs.nr; i++) {
        g->vifs.list[i].has_mac = false;
        *g->vifs.list[i].vifname = '\0';
        mac_make(g, &g->vifs.list[i]);
    }
    return true;
}

static int vif_check(const struct guest *g, const struct xl_vif *v, char err[HOST_ERR_SIZE])
{
    char where[XL_WHERE_SIZE];

    if (!driver_is_there(g, "vif", v->backend, err))
        return -1;
    if (v->ioemu && (!guest_has_dm(g) || *v->backend)) {
        snprintf(err, HOST_ERR_SIZE, "%stype=ioemu: %s", xl_where(g->cfg.where, "vif", where),
                 *v->backend ? "emulated cards are on bridges of dom0" : "only an HVM guest has an emulated card");
        return -1;
    }
    if (!*v->backend || strcmp(v->bridge, XL_VIF_OUTSIDE) != 0)
        return 0;
    snprintf(err, HOST_ERR_SIZE, "%sbackend=%.100s: the bridge %s, behind which is the outside, is in dom0",
             xl_where(g->cfg.where, "vif", where), v->backend, XL_VIF_OUTSIDE);
    return -1;
}

static int vifs_open(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    int rc = 0;

    (void)h;
    for (unsigned int i = 0; i < g->vifs.nr && !rc; i++)
        rc = vif_check(g, &g->vifs.list[i], err);
    return rc;
}

static unsigned int vifs_nr(const struct guest *g) { return g->vifs.nr; }

/* A frame goes by: whoever looks is shown what it would be on a wire, which changes nothing. */
static void frame_seen(void *data, const struct bridge_port *p, bool in, const struct net_frame *f)
{
    struct host *h = data;
    const struct host_io *io = &h->edges->io;
    uint8_t bytes[NET_FRAME_MAX];

    if (!io->packet)
        return;
    for (unsigned int i = 0; i < net_plain_count(f); i++) {
        const struct host_packet packet = { p->name, in, host_wallclock(h), bytes, net_plain(f, i, bytes) };

        io->packet(io->data, &packet);
    }
}

struct bridge_tap host_net_tap(struct host *h) { return (struct bridge_tap){ frame_seen, h }; }

static void *vifs_data(struct host *h)
{
    if (!h->net.bridges.pool.v)
        bridges_init(&h->net.bridges, native_vcpu(h->dom0));
    h->net.tap = host_net_tap(h);
    return &h->net;
}

/* --- the outside --- */

static void packet_out(void *data, const uint8_t *packet, size_t len)
{
    const struct host *h = data;
    const struct host_io *io = &h->edges->io;

    if (io->outside)
        io->outside(io->data, packet, len);
}

/* Somebody is on the bridge that has one. */
void host_outside_have(struct host *h)
{
    struct bridge *b = h->outside.port.ops ? NULL : bridge_get(&h->net.bridges, XL_VIF_OUTSIDE);

    if (!b)
        return;
    if (!h->edges->loud.outside && !h->edges->is_recorded)
        host_message(h, "the bridge %s has no outside here: nobody answers there", XL_VIF_OUTSIDE);
    h->outside.send = packet_out;
    h->outside.data = h;
    h->outside.port.tap = h->net.tap;
    outside_begin(&h->outside, h->dom0, b);
}

bool host_packet_fits(const struct host *h, size_t len)
{
    if (dom0_has_nic(h))
        return len >= VIRTIO_NET_FRAME_MIN && len <= VIRTIO_NET_FRAME_MAX;
    return h->outside.port.ops && len >= NET_FRAME_MIN && len <= NET_FRAME_MAX;
}

bool host_packet_waits(const struct host *h, const uint8_t *packet)
{
    const struct bridge_port *p = packet[0] & 1 || dom0_has_nic(h) ? NULL : bridge_find(h->outside.port.bridge, packet);

    return p && p->nr == BRIDGE_QUEUE && host_now(h) - p->full_since < OUTSIDE_PATIENCE;
}

void host_packet_in(struct host *h, const void *packet, size_t len)
{
    xen_interrupt(h->xen, host_now(h));
    if (!dom0_packet_in(h, packet, len))
        outside_receive(&h->outside, packet, len);
}

bool host_packet_reset(const struct host *h, unsigned int i, uint8_t packet[HOST_PACKET_RESET])
{
    _Static_assert(HOST_PACKET_RESET == CONNECTIONS_RESET && HOST_CONNECTIONS == CONNECTIONS, "they are the same");
    return h->outside.connections && connections_reset(h->outside.connections, i, packet);
}

/* --- for who looks --- */

static void ports_each(const struct netback *n, host_port_fn *fn, void *data)
{
    for (const struct bridge *b = n->bridges.first; b; b = b->next)
        for (const struct bridge_port *p = b->ports; p; p = p->next) {
            struct bridge_port_more more = { 0 };

            if (p->ops->more)
                p->ops->more(p, &more);
            fn(data, &(struct host_port){ .bridge = b->name,
                                          .name = p->name,
                                          .kind = p->ops->kind,
                                          .domid = p->domid,
                                          .macs = p->nr_macs,
                                          .queued = p->nr,
                                          .room = BRIDGE_QUEUE,
                                          .most = p->stats.most,
                                          .full_since = p->full_since,
                                          .in = p->stats.in,
                                          .in_bytes = p->stats.in_bytes,
                                          .out = p->stats.out,
                                          .out_bytes = p->stats.out_bytes,
                                          .dropped = p->stats.dropped,
                                          .unwanted = p->stats.unwanted,
                                          .nowhere = p->stats.nowhere,
                                          .errors = more.errors,
                                          .cut = more.cut,
                                          .rate = more.rate,
                                          .interval = more.interval,
                                          .credit = more.credit });
        }
}

void host_ports_each(const struct host *h, host_port_fn *fn, void *data)
{
    ports_each(&h->net, fn, data);
    for (const struct guest *g = h->guests; g; g = g->next)
        if (driver_net(g))
            ports_each(driver_net(g), fn, data);
}

/* --- of a guest that runs --- */

static int vif_attach(struct guest *g, const char *text, unsigned int *i, uint32_t *devid, char err[HOST_ERR_SIZE])
{
    char why[XL_VIF_WHY_SIZE];

    if (!xl_vifs_add(&g->vifs, text, why)) {
        snprintf(err, HOST_ERR_SIZE, "vif: %s", why);
        return -1;
    }
    if (xl_vif_outside_word(&g->vifs.list[g->vifs.nr - 1])) {
        g->vifs.nr--;
        snprintf(err, HOST_ERR_SIZE, "vif: %s=: only of cards that are there from the start",
                 xl_vif_outside_word(&g->vifs.list[g->vifs.nr]));
        return -1;
    }
    if (g->vifs.list[g->vifs.nr - 1].ioemu) {
        g->vifs.nr--;
        snprintf(err, HOST_ERR_SIZE, "vif: type=ioemu: only of cards that are there from the start");
        return -1;
    }
    if (vif_check(g, &g->vifs.list[g->vifs.nr - 1], err)) {
        g->vifs.nr--;
        return -1;
    }
    *i = g->vifs.nr - 1;
    *devid = g->vifs.list[*i].devid;
    mac_make(g, &g->vifs.list[*i]);
    return 0;
}

/* Its number, or its address. */
static bool vif_find(const struct guest *g, const char *word, uint32_t *devid)
{
    for (unsigned int i = 0; i < g->vifs.nr; i++) {
        const struct xl_vif *v = &g->vifs.list[i];
        char mac[18], number[12];

        mac_text(v, mac);
        snprintf(number, sizeof(number), "%u", v->devid);
        *devid = v->devid;
        if (!strcmp(word, number) || !strcasecmp(word, mac))
            return true;
    }
    return false;
}

static void vif_drop(struct guest *g, uint32_t devid)
{
    unsigned int i = 0;

    while (i < g->vifs.nr && g->vifs.list[i].devid != devid)
        i++;
    if (i == g->vifs.nr)
        return;
    g->vifs.nr--;
    memmove(&g->vifs.list[i], &g->vifs.list[i + 1], (g->vifs.nr - i) * sizeof(g->vifs.list[0]));
}

/* --- the kind of device --- */

bool vif_is_emulated(const struct guest *g, const struct xl_vif *v)
{
    return guest_has_dm(g) && !v->only_pv && !*v->backend;
}

static void vifs_free(struct guest *g) { g->vifs.nr = 0; }

static void vifs_end(struct host *h)
{
    outside_end(&h->outside);
    if (h->net.bridges.pool.v)
        bridges_end(&h->net.bridges);
}

/* As libxl__set_xenstore_nic() in tools/libs/light/libxl_nic.c writes them. */
static void vif_nodes(struct node_writer *w, unsigned int i)
{
    const struct xl_vif *v = &w->g->vifs.list[i];
    struct device_nodes dev;
    char mac[18], path[NODE_PATH_SIZE];

    if (!strcmp(v->bridge, XL_VIF_OUTSIDE))
        host_outside_have(w->h);
    mac_text(v, mac);
    device_begin(&dev, w, netback.type, driver_domid(w->h, v->backend), v->devid);
    device_front(&dev, "handle", "%u", v->devid);
    device_front(&dev, "mac", "%s", mac);
    device_front(&dev, "trusted", "%d", !v->untrusted);
    node(w, path_make(path, "%s/mtu", dev.front), READ, "%u", v->mtu);
    device_back(&dev, "online", "1");
    device_back(&dev, "script", "/etc/xen/scripts/vif-bridge");
    if (*v->vifname)
        device_back(&dev, "vifname", "%s", v->vifname);
    device_back(&dev, "mac", "%s", mac);
    if (*v->ip)
        device_back(&dev, "ip", "%s", v->ip);
    if (v->rate_bytes)
        device_back(&dev, "rate", "%llu,%u", (unsigned long long)v->rate_bytes, v->rate_interval_us);
    if (v->mtu != XL_VIF_DEFAULT_MTU)
        device_back(&dev, "mtu", "%u", v->mtu);
    device_back(&dev, "bridge", "%s", v->bridge);
    device_back(&dev, "handle", "%u", v->devid);
    device_back(&dev, "type", "%s", vif_is_emulated(w->g, v) ? "vif_ioemu" : "vif");
    device_back(&dev, "hotplug-status", "%s", "");
    device_back(&dev, "state", "1");
}

const struct device_kind vif_devices = {
    .back = &netback,
    .data = vifs_data,
    .copy = vifs_copy,
    .nr = vifs_nr,
    .open = vifs_open,
    .clone = vifs_clone,
    .nodes = vif_nodes,
    .attach = vif_attach,
    .find = vif_find,
    .drop = vif_drop,
    .free = vifs_free,
    .end = vifs_end,
};
