// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A made-up machine for grant table and memory_op tests: RAM, a frame table, and native domains.
 *
 * Concept: native domains pass host pointers where guests pass virtual addresses, so that a test can make hypercalls
 * without page tables, vCPU contexts or an emulator. Their frames are counted like a guest's. Since nothing else refers
 * to frames here, a frame's counts can be predicted exactly: see native_counts_check().
 */
#ifndef TESTS_MMU_NATIVE_SCENE_H
#define TESTS_MMU_NATIVE_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mmu/grant/private.h"
#include "mmu/guest_access.h"
#include "mmu/memory/private.h"
#include "mmu/pv/pv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCENE_DOMAINS 4 /* dom0 and three others, none of which may act on another */

struct scene {
    struct machine *m;
    struct xen *xen;
    struct domain *d[SCENE_DOMAINS];
    struct vcpu *v[SCENE_DOMAINS];
    uint64_t free_before; /* frames free before any domain was */
};

static inline struct domain *scene_domain(struct scene *s, domid_t domid, int grant_frames, int maptrack_frames)
{
    struct domain *d = calloc(1, sizeof(*d));
    struct vcpu *v = calloc(1, sizeof(*v));

    assert_true(d && v);
    d->domain_id = domid;
    d->xen = s->xen;
    d->refcnt = 1;
    d->type = DOMAIN_NATIVE;
    d->guest = &native_guest;
    d->is_privileged = domid == 0;
    d->abi = &pv64_abi;
    d->paging = &pv_paging_ops;
    d->target = DOMID_INVALID;
    d->shutdown_code = -1;
    d->max_pages = 2048;
    d->shared_info_mfn = INVALID_MFN;
    d->page_list = d->xenpage_list = d->arch_relmem = (struct page_list){ PAGE_LIST_NULL, PAGE_LIST_NULL, 0 };
    v->domain = d;
    v->caller_mem = &native_caller_mem;
    v->old_guest_table = INVALID_MFN;
    d->max_vcpus = 1;
    d->vcpu = calloc(1, sizeof(*d->vcpu));
    assert_non_null(d->vcpu);
    d->vcpu[0] = v;
    domain_list_insert(d);
    assert_int_equal(grant_table_init(d, grant_frames, maptrack_frames, 2), 0);
    s->d[domid] = d;
    s->v[domid] = v;
    return d;
}

static inline void scene_open_sized(struct scene *s, uint64_t mib, int grant_frames, int maptrack_frames)
{
    const struct machine_config cfg = { .ram_mib = mib, .nr_pcpus = 0, .seed = 1 };
    static const struct xen_hooks hooks; /* nothing sleeps, and domains are forgotten by scene_forget() */
    char err[200] = "";

    *s = (struct scene){ 0 };
    s->m = machine_create(&cfg, err, sizeof(err));
    if (!s->m)
        fail_msg("%s", err);
    s->xen = calloc(1, sizeof(*s->xen));
    assert_non_null(s->xen);
    s->xen->machine = s->m;
    s->xen->hooks = &hooks;
    assert_int_equal(heap_init(s->xen), 0);
    s->free_before = avail_domheap_pages(s->xen);
    for (domid_t id = 0; id < SCENE_DOMAINS; id++)
        scene_domain(s, id, grant_frames, maptrack_frames);
    s->xen->dom0 = s->d[0];
}

static inline void scene_open(struct scene *s) { scene_open_sized(s, 16, 4, 2); }

/* The mapping side of a domain's death; its frames go as far as nobody refers to them. */
static inline void scene_kill(struct scene *s, domid_t domid)
{
    struct domain *d = s->d[domid];
    int rc;

    d->is_dying = DOMDYING_dying;
    do
        rc = gnttab_release_mappings(d);
    while (rc == -ERESTART);
    assert_int_equal(rc, 0);
    do
        rc = domain_relinquish_memory(d);
    while (rc == -ERESTART);
    assert_int_equal(rc, 0);
    d->is_dying = DOMDYING_dead;
}

static inline void scene_forget(struct scene *s, domid_t domid)
{
    struct domain *d = s->d[domid];

    assert_int_equal(d->refcnt, 1);
    grant_table_destroy(d);
    domain_list_remove(d);
    free(d->vcpu[0]);
    free(d->vcpu);
    xfree(d->e820);
    free(d);
    s->d[domid] = NULL;
}

/* Everything must come back. */
static inline void scene_close(struct scene *s)
{
    for (domid_t id = 0; id < SCENE_DOMAINS; id++)
        if (s->d[id] && s->d[id]->is_dying == DOMDYING_alive)
            scene_kill(s, id);
    for (domid_t id = 0; id < SCENE_DOMAINS; id++)
        if (s->d[id])
            scene_forget(s, id);
    assert_int_equal(avail_domheap_pages(s->xen), s->free_before);
    heap_destroy(s->xen);
    free(s->xen);
    machine_destroy(s->m);
}

static inline long scene_call(hypercall_fn *fn, struct vcpu *v, uint64_t a0, const void *a1, uint64_t a2)
{
    struct hypercall_args args = { { a0, (uintptr_t)a1, a2 } };
    long rc;

    do
        rc = fn(v, &args);
    while (rc == -ERESTART);
    return rc;
}

static inline long gnttab_op(struct vcpu *v, unsigned int cmd, const void *arg, unsigned int count)
{
    return scene_call(do_grant_table_op, v, cmd, arg, count);
}

static inline long memory_op(struct vcpu *v, unsigned int cmd, const void *arg)
{
    return scene_call(do_memory_op, v, cmd, arg, 0);
}

/* A frame of d's. */
static inline mfn_t scene_page(struct domain *d)
{
    struct page_info *pg = alloc_domheap_pages(d->xen, d, 0, 0);

    assert_non_null(pg);
    return page_to_mfn(d->xen, pg);
}

/* Write one of d's version 1 entries. */
static inline void grant_v1(struct domain *d, grant_ref_t ref, uint16_t flags, domid_t domid, mfn_t mfn)
{
    *shared_entry_v1(d->grant_table, ref) = (grant_entry_v1_t){ .flags = flags, .domid = domid, .frame = mfn_x(mfn) };
}

static inline struct gnttab_map_grant_ref map_op(domid_t dom, grant_ref_t ref, uint32_t flags)
{
    return (struct gnttab_map_grant_ref){ .dom = dom, .ref = ref, .flags = flags, .status = 99, .handle = 999 };
}

/* Map, expect `status`. */
static inline struct gnttab_map_grant_ref do_map(struct vcpu *v, domid_t dom, grant_ref_t ref, uint32_t flags,
                                                 int status)
{
    struct gnttab_map_grant_ref op = map_op(dom, ref, flags);

    assert_int_equal(gnttab_op(v, GNTTABOP_map_grant_ref, &op, 1), 0);
    assert_int_equal(op.status, status);
    return op;
}

static inline int do_unmap(struct vcpu *v, grant_handle_t handle, uint64_t host_addr, uint64_t dev_bus_addr)
{
    struct gnttab_unmap_grant_ref op = { .host_addr = host_addr, .dev_bus_addr = dev_bus_addr, .handle = handle };

    assert_int_equal(gnttab_op(v, GNTTABOP_unmap_grant_ref, &op, 1), 0);
    return op.status;
}

static inline void scene_report(void *data, const char *what) { print_error("audit: %s\n", what); }

/* References that grant mappings hold to each frame, from the handles of every domain. */
static inline void native_counts_check(struct scene *s)
{
    uint64_t nr = s->m->nr_frames;
    uint32_t *refs = calloc(nr, sizeof(*refs)), *types = calloc(nr, sizeof(*types));

    assert_true(refs && types);
    for_each_domain (s->xen, ld) {
        const struct grant_table *gt = ld->grant_table;

        for (grant_handle_t h = 0; h < gt->maptrack_limit; h++) {
            const struct grant_mapping *map = &gt->maptrack[h];
            unsigned int n = !!(map->flags & GNTMAP_host_map) + !!(map->flags & GNTMAP_device_map);

            if (!n)
                continue;
            refs[mfn_x(map->rd->grant_table->active[map->ref].mfn)] += n;
            if (!(map->flags & GNTMAP_readonly))
                types[mfn_x(map->rd->grant_table->active[map->ref].mfn)] += n;
        }
    }
    for (uint64_t i = 0; i < nr; i++) {
        const struct page_info *pg = &s->xen->frame_table[i];
        uint64_t want = refs[i] + !!(pg->count_info & PGC_allocated);

        if ((pg->count_info & PGC_state) == PGC_state_free || !pg->owner || pg->owner->type != DOMAIN_NATIVE) {
            if (refs[i])
                fail_msg("frame %#llx is mapped and has no owner", (unsigned long long)i);
            continue;
        }
        if ((pg->count_info & PGC_count_mask) != want)
            fail_msg("frame %#llx: count %llu, expected %llu", (unsigned long long)i,
                     (unsigned long long)(pg->count_info & PGC_count_mask), (unsigned long long)want);
        /* frames of the hypervisor that are shared for writing are of the writable type for good */
        if (!(pg->count_info & PGC_xen_heap) && (pg->type_info & PGT_count_mask) != types[i])
            fail_msg("frame %#llx: type count %llu, expected %u", (unsigned long long)i,
                     (unsigned long long)(pg->type_info & PGT_count_mask), types[i]);
    }
    free(refs);
    free(types);
    assert_int_equal(gnttab_audit(s->xen, scene_report, NULL), 0);
}

#endif
