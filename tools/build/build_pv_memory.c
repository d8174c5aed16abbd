// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building a PV guest: its memory, what lies where in it, and the bytes that come from files.
 *
 * Concept: populate_physmap answers with the machine frame of each pfn, and that array is the guest's p2m list:
 * whatever is done to pfn n is done to frame p2m[n]. The layout (drawn in build_pv.c) is made once, in pfns, and then
 * only read. What is to be copied is a list of runs of bytes, of which a step takes the next few pages.
 *
 * Corresponds to tools/libs/guest/xg_dom_core.c (segments) and xg_dom_x86.c (meminit_pv).
 */
#include "tools/build/build_pv_private.h"

#include <errno.h>
#include <stdlib.h>

#define LAYOUT_ALIGN (UINT64_C(4) << 20)
#define LAYOUT_PAD   (UINT64_C(512) << 10)

/* How much is done in a step. */
#define POPULATE_FRAMES 64
#define LOAD_PAGES      16
#define EXTENT_ORDER    9
#define EXTENT_FRAMES   (UINT64_C(1) << EXTENT_ORDER)

/* The next frames; *n of them. */
static int populate(struct builder *w, uint64_t left, uint64_t *n)
{
    struct pv_build *b = w->b;
    uint64_t *p2m = w->p2m + w->nr_populated;

    if (b->extents && !b->scattered && left >= EXTENT_FRAMES) {
        const int rc = xc_domain_populate_extent(w->xc, b->domid, EXTENT_ORDER, p2m);

        *n = EXTENT_FRAMES;
        if (rc != -ENOMEM)
            return rc;
        b->scattered = true;
    }
    *n = left < POPULATE_FRAMES ? left : POPULATE_FRAMES;
    return xc_domain_populate_physmap(w->xc, b->domid, *n, p2m);
}

int build_pv_populate(struct builder *w)
{
    struct pv_build *b = w->b;
    uint64_t left = b->nr_pages - w->nr_populated, n;
    int rc = populate(w, left, &n);

    if (rc == -ENOMEM) {
        b->setting = "memory";
        snprintf(w->err, IMAGE_ERR_SIZE, "not enough machine memory for %llu MiB (see --ram)",
                 (unsigned long long)b->nr_pages >> 8);
        return -1;
    }
    if (rc)
        return build_pv_fail(w, "the domain's memory", rc);
    w->nr_populated += n;
    return n < left ? MORE : 0;
}

/* --- the layout --- */

int build_pv_lay_out(struct builder *w)
{
    struct layout *l = &w->l;
    uint64_t next = PFN_UP(w->img->virt_kend - w->img->virt_base), apart, end_va, word = w->is64 ? 8 : 4;

    l->ramdisk_pages = PFN_UP(w->b->ramdisk_size);
    l->p2m_pages = PFN_UP(w->b->nr_pages * word);
    w->p2m_apart = w->is64 && w->img->p2m_base != UNSET_ADDR;
    w->ramdisk_unmapped = w->img->has_mod_start_pfn && l->ramdisk_pages;
    if (!w->ramdisk_unmapped) {
        l->ramdisk = next;
        next += l->ramdisk_pages;
    }
    if (!w->p2m_apart) {
        l->p2m = next;
        next += l->p2m_pages;
    }
    l->start_info = next++;
    l->store = next++;
    l->console = next++;
    l->tables = next;
    l->nr_tables = 0;
    do { /* the page tables map themselves, so their number depends on itself */
        uint64_t n = l->nr_tables;

        l->stack = l->tables + n;
        end_va = ROUND_UP(va_of(w, l->stack + 1) + LAYOUT_PAD, LAYOUT_ALIGN);
        l->nr_tables = build_pv_count_tables(w, end_va);
        if (n == l->nr_tables)
            break;
    } while (true);
    l->end = (end_va - w->img->virt_base) >> PAGE_SHIFT;
    apart = l->end;
    if (w->p2m_apart) {
        l->p2m = apart;
        apart += l->p2m_pages;
    }
    if (w->ramdisk_unmapped) {
        l->ramdisk = apart;
        apart += l->ramdisk_pages;
    }
    if (apart > w->b->nr_pages || l->nr_tables > ARRAY_SIZE(w->table)) {
        w->b->setting = "memory";
        snprintf(w->err, IMAGE_ERR_SIZE, "%llu MiB of memory is too little: kernel, ramdisk and tables take %llu MiB",
                 (unsigned long long)w->b->nr_pages >> 8, (unsigned long long)(apart + 255) >> 8);
        return -1;
    }
    return 0;
}

/* --- contents --- */

/* The part of a page. False: refused. */
static bool load_part(struct builder *w, mfn_t mfn, uint64_t offset, const uint8_t *src, uint64_t n)
{
    uint8_t *page;

    if (n == PAGE_SIZE)
        return !xc_copy_to_domain_page(w->xc, w->b->domid, mfn, src);
    page = xc_map_foreign(w->xc, w->b->domid, mfn);
    if (!page)
        return false;
    memcpy(page + offset, src, n);
    xc_unmap(w->xc, page);
    return true;
}

/* len bytes belong at the guest's pseudo-physical address. */
static void load_add(struct builder *w, uint64_t paddr, const void *src, uint64_t len)
{
    BUG_ON(w->nr_loads == ARRAY_SIZE(w->loads));
    w->loads[w->nr_loads++] = (struct loading){ paddr, len, src };
}

int build_pv_loads_list(struct builder *w)
{
    for (unsigned int i = 0; i < w->img->nr_segments; i++) {
        const struct image_segment *s = &w->img->segments[i];

        load_add(w, s->paddr, s->data, s->filesz); /* frames come scrubbed: the rest is zero already */
    }
    if (w->l.ramdisk_pages)
        load_add(w, w->l.ramdisk << PAGE_SHIFT, w->b->ramdisk, w->b->ramdisk_size);
    if (w->is64) {
        load_add(w, w->l.p2m << PAGE_SHIFT, w->p2m, w->b->nr_pages * 8);
        return 0;
    }
    w->p2m32 = xzalloc_array(w->arena, uint32_t, w->b->nr_pages);
    if (!w->p2m32)
        return build_pv_fail(w, "the p2m list", -ENOMEM);
    for (uint64_t i = 0; i < w->b->nr_pages; i++)
        w->p2m32[i] = (uint32_t)w->p2m[i];
    load_add(w, w->l.p2m << PAGE_SHIFT, w->p2m32, w->b->nr_pages * 4);
    return 0;
}

int build_pv_load(struct builder *w)
{
    for (unsigned int pages = 0; w->load < w->nr_loads && pages < LOAD_PAGES;) {
        struct loading *l = &w->loads[w->load];
        uint64_t offset = PAGE_OFFSET(l->paddr), n = PAGE_SIZE - offset < l->len ? PAGE_SIZE - offset : l->len;

        if (!l->len) {
            w->load++;
            continue;
        }
        if (l->paddr >> PAGE_SHIFT >= w->b->nr_pages ||
            !load_part(w, _mfn(w->p2m[l->paddr >> PAGE_SHIFT]), offset, l->src, n)) {
            snprintf(w->err, IMAGE_ERR_SIZE, "the kernel does not fit into the guest's memory");
            return -1;
        }
        *l = (struct loading){ l->paddr + n, l->len - n, l->src + n };
        pages++;
    }
    return w->load < w->nr_loads ? MORE : 0;
}
