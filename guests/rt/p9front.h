// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A front end of a shared folder, for the guests that use one (static: each has its own).
 *
 * The two ends find each other by xenstore (guests/rt/xenbus.h), but what they share is two rings of bytes:
 * messages of 9P2000.L go out on one, answers come in on the other. One page holds the four indices, and which pages
 * the bytes are in: here two, the first for what comes in.
 *
 * Stated in public <xen/io/9pfs.h> and <xen/io/ring.h> (XEN_FLEX_RING).
 */
#ifndef GUESTS_RT_P9FRONT_H
#define GUESTS_RT_P9FRONT_H

#include "guests/rt/xenbus.h"

#include <xen/io/9pfs.h>

#define P9_MSIZE 2048u
#define P9_HALF  4096u /* of a ring of two pages: each way */

enum {
    P9_TLOPEN = 12,
    P9_TREADDIR = 40,
    P9_TVERSION = 100,
    P9_TATTACH = 104,
    P9_TWALK = 110,
    P9_TREAD = 116,
    P9_TCLUNK = 120
};

static struct xen_9pfs_data_intf *p9_intf;
static uint8_t *p9_in, *p9_out;
static evtchn_port_t p9_port;
static uint8_t p9_message[P9_MSIZE];
static uint32_t p9_len, p9_at; /* of the message: how long it is, how far it has been read */

enum { P9_INTF_REF = GNTTAB_NR_RESERVED_ENTRIES, P9_IN_REF, P9_OUT_REF };

/* --- messages --- */

static void p9_put(unsigned int size, uint64_t n)
{
    memcpy(p9_message + p9_len, &n, size);
    p9_len += size;
}

static inline void p9_put_string(const char *text, size_t len)
{
    p9_put(2, len);
    memcpy(p9_message + p9_len, text, len);
    p9_len += (uint32_t)len;
}

static uint64_t p9_get(unsigned int size)
{
    uint64_t n = 0;

    if (p9_at + size > p9_len)
        guest_panic("an answer is too short");
    memcpy(&n, p9_message + p9_at, size);
    p9_at += size;
    return n;
}

static void p9_begin(uint8_t type)
{
    p9_len = 0;
    p9_put(4, 0);
    p9_put(1, type);
    p9_put(2, 1); /* one at a time: a tag is as good as another */
}

/* Send the message, and wait until its answer is in its place: to be read from behind its head. errno, or 0. */
static int p9_rpc(void)
{
    volatile struct xen_9pfs_data_intf *i = p9_intf;

    memcpy(p9_message, &p9_len, 4);
    for (uint32_t n = 0; n < p9_len; n++)
        p9_out[(i->out_prod + n) % P9_HALF] = p9_message[n];
    xen_wmb();
    i->out_prod += p9_len;
    event_send(p9_port);
    p9_len = 4;
    for (uint32_t n = 0; n < p9_len; n++) {
        while (i->in_prod == i->in_cons)
            event_wait(p9_port);
        xen_rmb();
        p9_message[n] = p9_in[i->in_cons % P9_HALF];
        xen_mb();
        i->in_cons++;
        if (n == 3)
            memcpy(&p9_len, p9_message, 4);
        if (p9_len > P9_MSIZE)
            guest_panic("an answer of %u bytes", p9_len);
    }
    p9_at = 7;
    return p9_message[4] == 7 /* Rlerror */ ? (int)p9_get(4) : 0;
}

/* --- the device --- */

/* The first folder that the toolstack has given this guest. False: there is none. Its root is fid 0. */
static inline bool p9_connect(void)
{
    if (!device_find("9pfs"))
        return false;
    grants_init();
    p9_intf = page_alloc();
    p9_in = page_alloc();
    p9_out = page_alloc();
    grant_access(P9_INTF_REF, device.peer, p9_intf, false);
    grant_access(P9_IN_REF, device.peer, p9_in, false);
    grant_access(P9_OUT_REF, device.peer, p9_out, false);
    p9_intf->ring_order = 1;
    p9_intf->ref[0] = P9_IN_REF;
    p9_intf->ref[1] = P9_OUT_REF;
    p9_port = event_alloc_unbound(device.peer);
    device_write_number("version", 1);
    device_write_number("num-rings", 1);
    device_write_number("ring-ref0", P9_INTF_REF);
    device_write_number("event-channel-0", p9_port);
    device_write_number("state", XenbusStateInitialised);
    device_back_state(XenbusStateConnected);
    device_write_number("state", XenbusStateConnected);

    p9_begin(P9_TVERSION);
    p9_put(4, P9_MSIZE);
    p9_put_string("9P2000.L", 8);
    if (p9_rpc())
        guest_panic("the server does not speak 9P2000.L");
    p9_begin(P9_TATTACH);
    p9_put(4, 0);
    p9_put(4, UINT32_MAX); /* no fid for authentication */
    p9_put_string("", 0);
    p9_put_string("", 0);
    p9_put(4, 0);
    if (p9_rpc())
        guest_panic("the folder's root cannot be had");
    return true;
}

/* Open what is at a path as a fid, to read. errno, or 0. */
static inline int p9_open(uint32_t fid, const char *path)
{
    const char *end;
    unsigned int nr = 0;
    uint16_t found;
    int error;

    p9_begin(P9_TWALK);
    p9_put(4, 0);
    p9_put(4, fid);
    p9_put(2, 0);
    for (const char *p = path; *p; p = *end ? end + 1 : end, nr++) {
        for (end = p; *end && *end != '/'; end++)
            ;
        p9_put_string(p, (size_t)(end - p));
    }
    memcpy(p9_message + 15, &nr, 2);
    error = p9_rpc();
    if (error)
        return error;
    found = (uint16_t)p9_get(2);
    if (found < nr)
        return 2; /* ENOENT */
    p9_begin(P9_TLOPEN);
    p9_put(4, fid);
    p9_put(4, 0); /* O_RDONLY */
    return p9_rpc();
}

static inline void p9_clunk(uint32_t fid)
{
    p9_begin(P9_TCLUNK);
    p9_put(4, fid);
    p9_rpc();
}

/* What is in a file, or a directory, from here on: so many bytes of the message from p9_at. 0: no more. */
static inline uint32_t p9_read(uint8_t type, uint32_t fid, uint64_t offset)
{
    p9_begin(type);
    p9_put(4, fid);
    p9_put(8, offset);
    p9_put(4, 1024);
    return p9_rpc() ? 0 : (uint32_t)p9_get(4);
}

#endif
