// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench/grant: op=map (map and unmap a granted page), copy (4 KiB from a granted page).
 *
 * The domain grants to itself, which Xen allows: so one domain is enough. Its number (domid=1) is 1 when it is the
 * only guest.
 */
#include "guests/bench/bench.h"

enum { REF = GNTTAB_NR_RESERVED_ENTRIES };

static domid_t self;

static void grant(void)
{
    self = (domid_t)cmdline_number("domid", 1);
    grants_init();
    grant_access(REF, self, page_alloc(), false);
}

static long map(long n)
{
    void *va = page_alloc();
    grant_handle_t handle;
    int status = 0;

    grant();
    while (n-- > 0 && status == 0) {
        status = grant_map(va, self, REF, false, &handle);
        if (status == 0)
            status = grant_unmap(va, handle);
    }
    return status;
}

static long copy(long n)
{
    void *to = page_alloc();
    int status = 0;

    grant();
    while (n-- > 0 && status == 0)
        status = grant_copy(to, self, REF, false, PAGE_SIZE);
    return status;
}

int guest_main(void)
{
    static const struct bench list[] = { { "map", map }, { "copy", copy } };

    return bench_main(list, ARRAY_SIZE(list));
}
