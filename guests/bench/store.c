// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench/store: op=read (a node of xenstore is read), write (a node of one's own is written), tx (both, in a
 * transaction: four requests), each by the ring, one request at a time: two events, and a turn of dom0.
 */
#include "guests/bench/bench.h"
#include "guests/rt/xenstore.h"

static void xenstore_event(const char *path, const char *token)
{
    (void)path;
    (void)token;
}

/* n times the same request. */
static long asks(long n, uint32_t type, const char *payload, size_t len)
{
    ring = mfn_to_virt(start_info->store_mfn);
    while (n-- > 0)
        if (ask(type, payload, len) < 0)
            return -1;
    return 0;
}

static long read(long n) { return asks(n, XS_READ, "name", 5); }
static long write(long n) { return asks(n, XS_WRITE, "data/n\0value", 12); }

static long transaction(long n)
{
    ring = mfn_to_virt(start_info->store_mfn);
    while (n-- > 0) {
        if (ask(XS_TRANSACTION_START, "", 1) < 0)
            return -1;
        for (const char *p = answer; *p; p++)
            tx = tx * 10 + (uint32_t)(*p - '0');
        if (ask(XS_READ, "name", 5) < 0 || ask(XS_WRITE, "data/n\0value", 12) < 0 ||
            ask(XS_TRANSACTION_END, "T", 2) < 0)
            return -1;
        tx = 0;
    }
    return 0;
}

int guest_main(void)
{
    static const struct bench list[] = { { "read", read }, { "write", write }, { "tx", transaction } };

    return bench_main(list, ARRAY_SIZE(list));
}
