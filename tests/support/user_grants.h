// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guests that grant each other memory, give it up, exchange it, as users of libxenlab: user.h's machine and two more.
 *
 * Concept: a kernel reaches its grant table by the frame's number (GNTTABOP_setup_table) and a mapping of it, and so
 * does each guest here: entries are at page GRANT_TABLE of its memory. What the hypervisor makes of an entry is seen
 * there, and by xenlab_grant_next(). A frame that is to change its owner may not be mapped: page_release() lets go.
 */
#ifndef TESTS_SUPPORT_USER_GRANTS_H
#define TESTS_SUPPORT_USER_GRANTS_H

#include "tests/support/user.h"

#include <xen/grant_table.h>

enum { GRANTER, USER, THIRD, GRANT_DOMAINS };
enum { GRANT_TABLE = USER_ARG3 + 1, GRANT_LIST, GRANT_PAGE }; /* pages; from GRANT_PAGE on: to be granted */

#define REF  9          /* the toolstack has the first */
#define REFS 512        /* that a table of version 1 has at first */
#define NONE UINT64_MAX /* no frame */

struct grants {
    struct user u; /* the first: user.h's state */
    uint16_t d[GRANT_DOMAINS];
};

/* --- memory --- */

static inline uint64_t page_at(struct grants *g, unsigned int who, unsigned int page)
{
    return xenlab_page(g->u.x, g->d[who], page);
}

static inline uint64_t page_frame(struct grants *g, unsigned int who, unsigned int page)
{
    return xenlab_mfn(g->u.x, g->d[who], 0, page_at(g, who, page));
}

static inline void page_put(struct grants *g, unsigned int who, unsigned int page, const void *bytes, size_t n)
{
    user_put(&g->u, g->d[who], page, bytes, n);
}

static inline void page_get(struct grants *g, unsigned int who, unsigned int page, void *bytes, size_t n)
{
    user_get(&g->u, g->d[who], page, bytes, n);
}

/* The domain's page is that frame from now on; NONE: nothing. The hypervisor's answer. */
static inline int64_t page_set(struct grants *g, unsigned int who, unsigned int page, uint64_t mfn)
{
    return user_call(&g->u, g->d[who], __HYPERVISOR_update_va_mapping, page_at(g, who, page),
                     mfn == NONE ? 0 : mfn << 12 | 0x7, UVMF_INVLPG, 0);
}

/* Its frame, which nothing refers to any more but that it is the domain's. */
static inline uint64_t page_release(struct grants *g, unsigned int who, unsigned int page)
{
    const uint64_t mfn = page_frame(g, who, page);

    assert_int_not_equal(mfn, NONE);
    assert_int_equal(page_set(g, who, page, NONE), 0);
    return mfn;
}

static inline struct xenlab_frame_info frame_look(struct grants *g, uint64_t mfn)
{
    struct xenlab_frame_info info = { .size = sizeof(info) };

    if (xenlab_frame_look(g->u.x, mfn, &info))
        fail_msg("%s", xenlab_error(g->u.x));
    return info;
}

/* How many frames the domain has. */
static inline uint64_t pages_of(struct grants *g, unsigned int who) { return user_look(&g->u, g->d[who]).pages; }

/* How many it may have. */
static inline void max_pages_set(struct grants *g, unsigned int who, uint64_t pages)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_max_mem, .domain = g->d[who], .u.max_mem.max_memkb = pages * 4 };

    assert_int_equal(user_domctl(&g->u, &op), 0);
}

/* Destroyed, and nobody holds it any more. */
static inline bool is_gone(struct grants *g, unsigned int who)
{
    struct xenlab_domain_info info = { .size = sizeof(info) };
    unsigned int n = g->d[who];

    return !xenlab_domain_next(g->u.x, &n, &info) || info.domid != g->d[who];
}

/* --- tables --- */

static inline int64_t grant_op_n(struct grants *g, unsigned int who, unsigned int cmd, void *op, size_t n)
{
    const uint64_t at = page_at(g, who, USER_OP);
    int64_t rc;

    user_write(&g->u, g->d[who], at, op, n);
    rc = user_call(&g->u, g->d[who], __HYPERVISOR_grant_table_op, cmd, at, 1, 0);
    user_read(&g->u, g->d[who], at, op, n);
    return rc;
}
#define grant_op(g, who, cmd, op) grant_op_n(g, who, cmd, op, sizeof(*(op)))

static inline void table_map(struct grants *g, unsigned int who)
{
    struct gnttab_setup_table op = { .dom = DOMID_SELF, .nr_frames = 1 };
    uint64_t mfn;

    op.frame_list.p = (xen_pfn_t *)(uintptr_t)page_at(g, who, GRANT_LIST);
    assert_int_equal(grant_op(g, who, GNTTABOP_setup_table, &op), 0);
    assert_int_equal(op.status, GNTST_okay);
    page_get(g, who, GRANT_LIST, &mfn, sizeof(mfn));
    assert_int_equal(page_set(g, who, GRANT_TABLE, mfn), 0);
}

static inline void use_v2(struct grants *g, unsigned int who)
{
    struct gnttab_set_version op = { 2 };

    assert_int_equal(grant_op(g, who, GNTTABOP_set_version, &op), 0);
}

/* An entry of each version, as its owner writes it; what is in it now. */
static inline void grant_v1(struct grants *g, unsigned int who, grant_ref_t ref, uint16_t flags, uint16_t domid,
                            uint64_t mfn)
{
    const grant_entry_v1_t e = { flags, domid, (uint32_t)mfn };

    user_write(&g->u, g->d[who], page_at(g, who, GRANT_TABLE) + ref * sizeof(e), &e, sizeof(e));
}

static inline void grant_v2(struct grants *g, unsigned int who, grant_ref_t ref, grant_entry_v2_t e)
{
    user_write(&g->u, g->d[who], page_at(g, who, GRANT_TABLE) + ref * sizeof(e), &e, sizeof(e));
}

static inline grant_entry_v1_t entry_v1(struct grants *g, unsigned int who, grant_ref_t ref)
{
    grant_entry_v1_t e;

    user_read(&g->u, g->d[who], page_at(g, who, GRANT_TABLE) + ref * sizeof(e), &e, sizeof(e));
    return e;
}

/* How often it is mapped or being copied. */
static inline unsigned int pins(struct grants *g, unsigned int who, grant_ref_t ref)
{
    struct xenlab_grant_info info = { .size = sizeof(info) };
    unsigned int n = ref;

    return xenlab_grant_next(g->u.x, g->d[who], &n, &info) && info.ref == ref ? info.pins : 0;
}

/* --- mappings, at a page of the one who maps --- */

static inline struct gnttab_map_grant_ref do_map(struct grants *g, unsigned int who, unsigned int page,
                                                 unsigned int granter, grant_ref_t ref, uint32_t flags, int status)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = page_at(g, who, page), .flags = flags, .ref = ref, .dom = g->d[granter], .status = 99
    };

    assert_int_equal(grant_op(g, who, GNTTABOP_map_grant_ref, &op), 0);
    assert_int_equal(op.status, status);
    return op;
}

static inline int do_unmap(struct grants *g, unsigned int who, const struct gnttab_map_grant_ref *map)
{
    struct gnttab_unmap_grant_ref op = { .host_addr = map->host_addr, .handle = map->handle, .status = 99 };

    assert_int_equal(grant_op(g, who, GNTTABOP_unmap_grant_ref, &op), 0);
    return op.status;
}

/* --- a program's machine --- */

static inline int grants_begin(void **state)
{
    static struct grants g;

    if (user_begin_pv(state))
        return -1;
    g.u = *(struct user *)*state;
    g.d[GRANTER] = g.u.d;
    g.d[USER] = user_domain(g.u.x, XENLAB_PV, 1, false);
    g.d[THIRD] = user_domain(g.u.x, XENLAB_PV, 1, false);
    for (unsigned int who = 0; who < GRANT_DOMAINS; who++)
        table_map(&g, who);
    xenlab_checkpoint(g.u.x);
    g.u.begin = xenlab_position(g.u.x);
    *state = &g;
    return 0;
}

#endif
