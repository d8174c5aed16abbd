// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store: xenstore, from the guest's side.
 *
 * Shows how a guest learns what the toolstack has decided for it: it walks the tree from /local/domain/<domid> on, as
 * `xenstore-ls -p` does, then writes to a node of its own, is told of it by a watch, and does it again in a
 * transaction.
 *
 * A message is a header and a payload of strings; it goes through a ring of 1 KiB in a page shared with dom0, and the
 * answer comes through another, with the same number. Events of watches come in between, with the number 0.
 */
#include "guests/rt/guest.h"

#include <xen/io/xs_wire.h>

#define DEPTH_MAX 8

static volatile struct xenstore_domain_interface *ring;
static uint32_t req_id, tx;
static char answer[XENSTORE_PAYLOAD_MAX + 1];

static void put(const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        while (ring->req_prod - ring->req_cons >= XENSTORE_RING_SIZE) {
            event_send(start_info->store_evtchn);
            event_wait(start_info->store_evtchn);
        }
        ring->req[MASK_XENSTORE_IDX(ring->req_prod)] = ((const char *)data)[i];
        barrier();
        ring->req_prod++;
    }
}

static void get(void *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        while (ring->rsp_prod == ring->rsp_cons)
            event_wait(start_info->store_evtchn);
        ((char *)data)[i] = ring->rsp[MASK_XENSTORE_IDX(ring->rsp_cons)];
        barrier();
        ring->rsp_cons++;
    }
}

/* One message from dom0: its payload goes into `answer`, with a 0 behind. An event is printed. */
static struct xsd_sockmsg receive(void)
{
    struct xsd_sockmsg m;

    get(&m, sizeof(m));
    get(answer, m.len);
    answer[m.len] = 0;
    event_send(start_info->store_evtchn); /* there is room again */
    if (m.type == XS_WATCH_EVENT)
        printf("    (watch: %s has changed, token %s)\n", answer, answer + strlen(answer) + 1);
    return m;
}

/* Ask, and wait for the answer; its length, or -1 with the error's name in it. */
static long ask(uint32_t type, const char *payload, size_t len)
{
    struct xsd_sockmsg m = { .type = type, .req_id = ++req_id, .tx_id = tx, .len = (uint32_t)len };

    put(&m, sizeof(m));
    put(payload, len);
    event_send(start_info->store_evtchn);
    do
        m = receive();
    while (m.req_id != req_id);
    return m.type == XS_ERROR ? -1 : (long)m.len;
}

static bool ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && !strcmp(text + strlen(text) - strlen(end), end);
}

/* A node, with who may use it, and all below. Frame numbers are no part of the lesson. */
static void show(const char *path, const char *name, unsigned int depth)
{
    static char lists[DEPTH_MAX][1024]; /* the boot stack is small */
    char *names = lists[depth], below[256];
    long len = ask(XS_GET_PERMS, path, strlen(path) + 1);

    for (unsigned int i = 0; i < depth; i++)
        printf("  ");
    printf("%s (", name);
    for (long at = 0; at < len; at += (long)strlen(answer + at) + 1)
        printf("%s%s", at ? "," : "", answer + at);
    len = ask(XS_READ, path, strlen(path) + 1);
    printf(") = \"%s\"\n", len > 0 && ends_with(path, "/ring-ref") ? "a frame" : answer);
    len = ask(XS_DIRECTORY, path, strlen(path) + 1);
    if (len > (long)sizeof(lists[0]) || depth + 1 == DEPTH_MAX)
        guest_panic("%s has more below it than I thought", path);
    memcpy(names, answer, len > 0 ? (size_t)len : 0);
    for (long at = 0; at < len; at += (long)strlen(names + at) + 1) {
        snprintf(below, sizeof(below), "%s/%s", path, names + at);
        show(below, names + at, depth + 1);
    }
}

/* Two strings in one payload; what came of it. */
static void tell(const char *what, uint32_t type, const char *first, const char *second)
{
    char payload[256];
    int len = snprintf(payload, sizeof(payload), "%s%c%s", first, 0, second);

    ask(type, payload, (size_t)len + (type == XS_WRITE ? 0 : 1));
    printf("%s %s %s: %s\n", what, first, second, answer);
}

int guest_main(void)
{
    char path[64];

    ring = mfn_to_virt(start_info->store_mfn);
    ask(XS_READ, "domid", 6);
    snprintf(path, sizeof(path), "/local/domain/%s", answer);
    show(path, path, 0);
    ask(XS_READ, "vm", 3);
    snprintf(path, sizeof(path), "%s", answer);
    show(path, path, 0);
    ask(XS_READ, "console/backend", 16);
    snprintf(path, sizeof(path), "%s", answer);
    show(path, path, 0);

    tell("watch", XS_WATCH, "data", "mine");
    receive();
    tell("write", XS_WRITE, "data", "hello");
    tell("write", XS_WRITE, "name", "other");
    tell("write", XS_WRITE, "/local/domain/0/name", "other");
    ask(XS_TRANSACTION_START, "", 1);
    tx = 0;
    for (const char *p = answer; *p; p++)
        tx = tx * 10 + (uint32_t)(*p - '0');
    tell("in a transaction: write", XS_WRITE, "data/a", "1");
    tell("in a transaction: write", XS_WRITE, "data/b", "2");
    ask(XS_TRANSACTION_END, "T", 2);
    printf("commit: %s\n", answer);
    tx = 0;
    show("data", "data", 0);
    return 0;
}
