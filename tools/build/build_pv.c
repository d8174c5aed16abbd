// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The domain builder for PV guests.
 *
 * Concept: a PV kernel never sees real mode or a boot loader. It starts in its final address space, which the builder has
 * laid out from VIRT_BASE upwards, as public vcpu/noun/xen.h describes it ("Start-of-day memory layout"):
 *
 *     kernel | ramdisk | p2m list | start_info | xenstore page | console page | page tables | boot stack | up to 4 MiB
 *
 * Everything up to there is mapped by the initial page tables, the page tables themselves read-only: Xen accepts no table that
 * its guest can write. Kernels that say so (INIT_P2M, MOD_START_PFN) have the p2m list elsewhere in the address space, or the
 * ramdisk not mapped at all. RSI holds the address of start_info, which tells the rest.
 *
 * Phases: create -> populate -> lay out -> load -> start_info, shared_info -> page tables -> pin -> vCPU context; the table at the
 * end of this file. The page tables are made of machine frame numbers, by pfn through the p2m array that populate_physmap returned.
 *
 * A phase that grows with the guest is cut into steps, so that dom0 can do something else in between: build_pv_step() does one.
 *
 * Budget: phases over one structure; apart they would need it in a header of its own.
 *
 * A guest that may grow (maxmem above memory) is told by its memory map, as libxl leaves it: RAM up to maxmem, of which
 * the first part is there. libxl's limit starts at `memory`, for `xl mem-set` to raise; here there is no such command, and
 * it is maxmem from the start.
 *
 * Corresponds to tools/libs/guest/xg_dom_core.c and xg_dom_x86.c. Simplifies: order-0 extents only, so that frames are
 * visibly scattered.
 */
#include "tools/build/build_pv.h"

#include "sim/bug.h"
#include "sim/x86.h"
#include "tools/xc/xc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/foreign/x86_32.h>
#include <xen/xen.h>

#define TABLE_FLAGS    (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED | _PAGE_DIRTY)
#define LAYOUT_ALIGN   (UINT64_C(4) << 20)
#define LAYOUT_PAD     (UINT64_C(512) << 10)
#define PAE_LAST_L3_VA UINT32_C(0xc0000000)

struct layout { /* pfns */
    uint64_t ramdisk, ramdisk_pages;
    uint64_t p2m, p2m_pages;
    uint64_t start_info, store, console;
    uint64_t tables, nr_tables;
    uint64_t stack;
    uint64_t end; /* first pfn after what is mapped at virt_base */
};

/* Pages [pfn, pfn + nr) are to be mapped at va; how far that has got. */
struct mapping {
    uint64_t va, pfn, nr;
};

struct builder {
    struct xc_handle *xc;
    struct pv_build *b;
    const struct image *img;
    unsigned int phase; /* index into phases[] */
    uint64_t *p2m;
    uint64_t nr_populated;
    uint32_t *p2m32; /* the list as a 32-bit guest sees it */
    struct layout l;
    struct
        loading { /* what is copied to where: segments of the kernel, ramdisk, p2m list; and how far the present one has got */
        uint64_t paddr, len;
        const uint8_t *src;
    } loads[IMAGE_SEGMENTS_MAX + 3];
    unsigned int nr_loads, load;
    struct mapping maps[2]; /* everything from VIRT_BASE on; the p2m list, if it is apart */
    bool p2m_apart, ramdisk_unmapped, is64;
    uint64_t *table[4096]; /* host addresses of table pages while they are being filled, by index from l.tables */
    uint64_t tables_open, tables_used;
    char *err;
};

/* What a phase answers, beside 0 (it is done) and -1 (failed; err says why): it goes on with the next step. */
#define MORE 1

/* How much is done in a step: some ten microseconds' worth, by CLOCK_NS_PER_UNIT and _KIB. */
#define POPULATE_FRAMES 64
#define LOAD_PAGES      16
#define OPEN_TABLES     16

static int fail(struct builder *w, const char *what, int rc)
{
    snprintf(w->err, IMAGE_ERR_SIZE, "%s: %s", what, strerror(-rc));
    return -1;
}

static uint64_t pfn_of(const struct builder *w, uint64_t va) { return (va - w->img->virt_base) >> PAGE_SHIFT; }
static uint64_t va_of(const struct builder *w, uint64_t pfn) { return w->img->virt_base + (pfn << PAGE_SHIFT); }

/* --- the empty domain, and its memory --- */

static int create(struct builder *w)
{
    struct pv_build *b = w->b;
    struct xen_domctl_createdomain config = {
        .max_vcpus = b->max_vcpus,
        .max_evtchn_port = b->limits.event_channels ?: 1023, /* xl's defaults */
        .max_grant_frames = (int32_t)(b->limits.grant_frames ?: 64),
        .max_maptrack_frames = b->limits.no_maptrack ? 0 : (int32_t)(b->limits.maptrack_frames ?: 1024),
        .grant_opts = 2,
        .arch.emulation_flags = XEN_X86_EMU_PIT, /* unlike libxl, see vcpu/pv/ioport.c */
    };
    int rc;

    memcpy(config.handle, b->handle, sizeof(config.handle));
    rc = xc_domain_create(w->xc, &config, &b->domid);
    if (rc)
        return fail(w, "the domain cannot be created", rc);
    if (!w->is64)
        rc = xc_domain_set_address_size(w->xc, b->domid, 32);
    if (!rc)
        rc = xc_domain_max_vcpus(w->xc, b->domid, b->max_vcpus);
    if (!rc)
        rc = xc_domain_set_tsc_mode(w->xc, b->domid, b->tsc_mode);
    if (!rc)
        rc = xc_domain_setmaxmem(w->xc, b->domid, b->max_pages << (PAGE_SHIFT - 10));
    if (!rc)
        rc = xc_domain_set_memmap_limit(w->xc, b->domid, b->max_pages << (PAGE_SHIFT - 10));
    if (rc)
        return fail(w, "the domain cannot be set up", rc);
    w->p2m = malloc(b->nr_pages * sizeof(*w->p2m));
    if (!w->p2m)
        return fail(w, "the p2m list", -ENOMEM);
    for (uint64_t i = 0; i < b->nr_pages; i++)
        w->p2m[i] = i;
    return 0;
}

static int populate(struct builder *w)
{
    struct pv_build *b = w->b;
    uint64_t left = b->nr_pages - w->nr_populated, n = left < POPULATE_FRAMES ? left : POPULATE_FRAMES;
    int rc = xc_domain_populate_physmap(w->xc, b->domid, n, w->p2m + w->nr_populated);

    if (rc == -ENOMEM) {
        b->setting = "memory";
        snprintf(w->err, IMAGE_ERR_SIZE, "not enough machine memory for %llu MiB (see --ram)",
                 (unsigned long long)b->nr_pages >> 8);
        return -1;
    }
    if (rc)
        return fail(w, "the domain's memory", rc);
    w->nr_populated += n;
    return n < left ? MORE : 0;
}

/* --- the layout --- */

/* Tables of one level (shift: the bits a table of that level spans) that [from, to) needs. */
static uint64_t tables_for(uint64_t from, uint64_t to, unsigned int shift)
{
    return ((to - 1) >> shift) - (from >> shift) + 1;
}

static uint64_t count_tables(const struct builder *w, uint64_t end_va)
{
    uint64_t from = w->img->virt_base & (w->is64 ? UINT64_C(0xffffffffffff) : UINT32_MAX);
    uint64_t to = from + (end_va - w->img->virt_base), n;

    if (!w->is64) {
        n = 1 + tables_for(from, to, 30) + tables_for(from, to, 21);
        return n + (to <= PAE_LAST_L3_VA || from >= UINT64_C(0x100000000)); /* Xen wants an L2 in the last slot */
    }
    n = 1 + tables_for(from, to, 39) + tables_for(from, to, 30) + tables_for(from, to, 21);
    if (w->p2m_apart) {
        uint64_t p = w->img->p2m_base & UINT64_C(0xffffffffffff), p_end = p + (w->l.p2m_pages << PAGE_SHIFT);

        n += tables_for(p, p_end, 39) + tables_for(p, p_end, 30) + tables_for(p, p_end, 21);
    }
    return n;
}

static int lay_out(struct builder *w)
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
        l->nr_tables = count_tables(w, end_va);
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

static int loads_list(struct builder *w)
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
    w->p2m32 = malloc(w->b->nr_pages * 4);
    if (!w->p2m32)
        return fail(w, "the p2m list", -ENOMEM);
    for (uint64_t i = 0; i < w->b->nr_pages; i++)
        w->p2m32[i] = (uint32_t)w->p2m[i];
    load_add(w, w->l.p2m << PAGE_SHIFT, w->p2m32, w->b->nr_pages * 4);
    return 0;
}

static int load(struct builder *w)
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

/* --- page tables --- */

static uint64_t *table_host(struct builder *w, uint64_t index)
{
    if (!w->table[index])
        w->table[index] = xc_map_foreign(w->xc, w->b->domid, _mfn(w->p2m[w->l.tables + index]));
    return w->table[index];
}

/* The index of the table that entry `slot` of table `index` points to, made when there is none. */
static uint64_t table_below(struct builder *w, uint64_t index, unsigned int slot, uint64_t flags)
{
    uint64_t *entry = &table_host(w, index)[slot];

    if (!(*entry & _PAGE_PRESENT)) {
        BUG_ON(w->tables_used >= w->l.nr_tables);
        *entry = w->p2m[w->l.tables + w->tables_used] << PAGE_SHIFT | flags;
        return w->tables_used++;
    }
    for (uint64_t i = 0; i < w->tables_used; i++)
        if (w->p2m[w->l.tables + i] == (*entry & UINT64_C(0xffffffffff000)) >> PAGE_SHIFT)
            return i;
    BUG();
}

static bool is_table(const struct builder *w, uint64_t pfn)
{
    return pfn >= w->l.tables && pfn < w->l.tables + w->l.nr_tables;
}

static int tables_open(struct builder *w)
{
    for (unsigned int n = 0; n < OPEN_TABLES && w->tables_open < w->l.nr_tables; n++)
        if (!table_host(w, w->tables_open++))
            return fail(w, "a page table", -EINVAL);
    if (w->tables_open < w->l.nr_tables)
        return MORE;
    w->tables_used = 1; /* the root */
    w->maps[0] = (struct mapping){ w->img->virt_base, 0, w->l.end };
    if (w->p2m_apart)
        w->maps[1] = (struct mapping){ w->img->p2m_base, w->l.p2m, w->l.p2m_pages };
    return 0;
}

/* The L1 for va. Walks from the root. */
static uint64_t *l1_for(struct builder *w, uint64_t va)
{
    uint64_t t = 0;

    if (w->is64)
        t = table_below(w, t, va >> 39 & 511, TABLE_FLAGS);
    t = table_below(w, t, w->is64 ? va >> 30 & 511 : va >> 30 & 3, w->is64 ? TABLE_FLAGS : _PAGE_PRESENT);
    return table_host(w, table_below(w, t, va >> 21 & 511, TABLE_FLAGS));
}

/* One L1 a step. */
static int tables_fill(struct builder *w)
{
    struct mapping *m = w->maps[0].nr ? &w->maps[0] : &w->maps[1];
    uint64_t *l1 = m->nr ? l1_for(w, m->va) : NULL;

    while (m->nr) {
        l1[m->va >> 12 & 511] = w->p2m[m->pfn] << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED |
                                _PAGE_DIRTY | (is_table(w, m->pfn) ? 0 : _PAGE_RW);
        *m = (struct mapping){ m->va + PAGE_SIZE, m->pfn + 1, m->nr - 1 };
        if ((m->va & ((1u << 21) - 1)) == 0)
            break;
    }
    if (w->maps[0].nr || w->maps[1].nr)
        return MORE;
    if (!w->is64)
        table_below(w, 0, 3, _PAGE_PRESENT);
    return 0;
}

static int tables_close(struct builder *w)
{
    for (unsigned int n = 0; n < OPEN_TABLES && w->tables_open > 0; n++) {
        xc_unmap(w->xc, w->table[--w->tables_open]); /* while we can write it, it cannot become a page table */
        w->table[w->tables_open] = NULL;
    }
    return w->tables_open ? MORE : 0;
}

static int pin(struct builder *w)
{
    int rc = xc_pin_table_step(w->xc, w->b->domid, w->is64 ? MMUEXT_PIN_L4_TABLE : MMUEXT_PIN_L3_TABLE,
                               _mfn(w->p2m[w->l.tables]));

    if (rc == -ERESTART)
        return MORE;
    return rc ? fail(w, "the initial page tables are refused", rc) : 0;
}

/* --- start_info, shared_info, grants, ports --- */

/* The fields of both layouts; T is the structure, PTR the type of its words. */
#define FILL_START_INFO(si, shared_mfn)                                                                                \
    do {                                                                                                               \
        (si)->nr_pages = w->b->nr_pages;                                                                               \
        (si)->shared_info = (shared_mfn) << PAGE_SHIFT;                                                                \
        (si)->flags = w->ramdisk_unmapped ? SIF_MOD_START_PFN : 0;                                                     \
        (si)->store_mfn = mfn_x(w->b->store_mfn);                                                                      \
        (si)->store_evtchn = w->b->store_port;                                                                         \
        (si)->console.domU.mfn = mfn_x(w->b->console_mfn);                                                             \
        (si)->console.domU.evtchn = w->b->console_port;                                                                \
        (si)->pt_base = va_of(w, w->l.tables);                                                                         \
        (si)->nr_pt_frames = w->l.nr_tables;                                                                           \
        (si)->mfn_list = w->p2m_apart ? w->img->p2m_base : va_of(w, w->l.p2m);                                         \
        (si)->mod_start = !w->l.ramdisk_pages ? 0 : w->ramdisk_unmapped ? w->l.ramdisk : va_of(w, w->l.ramdisk);       \
        (si)->mod_len = w->b->ramdisk_size;                                                                            \
        if (w->p2m_apart) {                                                                                            \
            (si)->first_p2m_pfn = w->l.p2m;                                                                            \
            (si)->nr_p2m_frames = w->l.p2m_pages;                                                                      \
        }                                                                                                              \
    } while (0)

static int fill_start_info(struct builder *w, uint64_t shared_mfn)
{
    const char *cmdline = w->b->cmdline ? w->b->cmdline : "";
    void *page = xc_map_foreign(w->xc, w->b->domid, _mfn(w->p2m[w->l.start_info]));

    if (!page)
        return fail(w, "start_info", -EINVAL);
    if (w->is64) {
        struct start_info *si = page;

        snprintf(si->magic, sizeof(si->magic), "xen-3.0-x86_64");
        FILL_START_INFO(si, shared_mfn);
        snprintf((char *)si->cmd_line, MAX_GUEST_CMDLINE, "%s", cmdline);
    } else {
        struct start_info_x86_32 *si = page;

        snprintf(si->magic, sizeof(si->magic), "xen-3.0-x86_32p");
        FILL_START_INFO(si, (uint32_t)shared_mfn);
        snprintf((char *)si->cmd_line, MAX_GUEST_CMDLINE, "%s", cmdline);
    }
    xc_unmap(w->xc, page);
    return 0;
}

static int fill_shared_info(struct builder *w, uint64_t *shared_mfn)
{
    struct xen_domctl_getdomaininfo info;
    struct shared_info *s;
    int rc = xc_domain_getinfo(w->xc, w->b->domid, &info);

    if (rc)
        return fail(w, "getdomaininfo", rc);
    *shared_mfn = info.shared_info_frame;
    s = xc_map_foreign(w->xc, w->b->domid, _mfn(*shared_mfn));
    if (!s)
        return fail(w, "shared_info", -EINVAL);
    for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
        s->vcpu_info[i].evtchn_upcall_mask = 1; /* in both layouts: 64 bytes a vCPU, the mask is the second */
    xc_unmap(w->xc, s);
    return 0;
}

static int special_pages(struct builder *w)
{
    struct pv_build *b = w->b;
    uint64_t shared_mfn = 0;
    int rc;

    b->console_mfn = _mfn(w->p2m[w->l.console]);
    b->store_mfn = _mfn(w->p2m[w->l.store]);
    rc = xc_evtchn_alloc_unbound(w->xc, b->domid, &b->store_port);
    if (!rc)
        rc = xc_evtchn_alloc_unbound(w->xc, b->domid, &b->console_port);
    if (rc == -ENOSPC) {
        b->setting = "max_event_channels";
        snprintf(w->err, IMAGE_ERR_SIZE, "expected at least 2, for console and xenstore, got %u",
                 b->limits.event_channels);
        return -1;
    }
    if (rc)
        return fail(w, "the event channels of console and xenstore", rc);
    rc = xc_gnttab_seed(w->xc, b->domid, b->console_mfn, b->store_mfn);
    if (rc)
        return fail(w, "the grants of console and xenstore", rc);
    rc = fill_shared_info(w, &shared_mfn);
    if (!rc)
        rc = fill_start_info(w, shared_mfn);
    if (!rc && w->img->hypercall_page != UNSET_ADDR) {
        rc = xc_domain_hypercall_init(w->xc, b->domid, _mfn(w->p2m[pfn_of(w, w->img->hypercall_page)]));
        if (rc)
            return fail(w, "the hypercall page", rc);
    }
    return rc;
}

/* --- the first vCPU --- */

static int start_context(struct builder *w)
{
    uint64_t root = w->p2m[w->l.tables], stack = va_of(w, w->l.stack + 1);
    int rc;

    if (w->is64) {
        struct vcpu_guest_context c = { .flags = VGCF_IN_KERNEL | VGCF_online };

        c.user_regs.rip = w->img->virt_entry;
        c.user_regs.rsp = stack;
        c.user_regs.rsi = va_of(w, w->l.start_info);
        c.user_regs.rflags = 1 << 9;
        c.user_regs.cs = FLAT_KERNEL_CS;
        c.user_regs.ss = c.user_regs.ds = c.user_regs.es = FLAT_KERNEL_SS;
        c.kernel_ss = FLAT_KERNEL_SS;
        c.kernel_sp = stack;
        c.ctrlreg[3] = root << PAGE_SHIFT;
        rc = xc_vcpu_setcontext(w->xc, w->b->domid, 0, &c);
    } else {
        struct vcpu_guest_context_x86_32 c = { .flags = VGCF_IN_KERNEL | VGCF_online };

        c.user_regs.eip = (uint32_t)w->img->virt_entry;
        c.user_regs.esp = (uint32_t)stack;
        c.user_regs.esi = (uint32_t)va_of(w, w->l.start_info);
        c.user_regs.eflags = 1 << 9;
        c.user_regs.cs = 0xe019; /* FLAT_RING1_CS, public arch-x86/xen-x86_32.h */
        c.user_regs.ss = c.user_regs.ds = c.user_regs.es = c.user_regs.fs = c.user_regs.gs = 0xe021; /* FLAT_RING1_DS */
        c.kernel_ss = 0xe021;
        c.kernel_sp = (uint32_t)stack;
        c.event_callback_cs = c.failsafe_callback_cs = 0xe019;
        c.ctrlreg[3] = (uint32_t)(root << 12 | root >> 20);
        rc = xc_vcpu_setcontext(w->xc, w->b->domid, 0, &c);
    }
    return rc ? fail(w, "the first vCPU's context is refused", rc) : 0;
}

/* --- all of it, in order --- */

static int (*const phases[])(struct builder *w) = {
    create,        /* an empty domain */
    populate,      /* its memory: the p2m list */
    lay_out,       /* what will be where */
    loads_list,    /* what is to be copied */
    load,          /* kernel, ramdisk, p2m list */
    special_pages, /* console, xenstore, shared_info, start_info, the hypercall page */
    tables_open,   /* the page tables' frames are mapped, */
    tables_fill,   /* written, */
    tables_close,  /* unmapped, */
    pin,           /* and become page tables */
    start_context, /* the first vCPU's registers */
};

struct builder *build_pv_begin(struct xc_handle *xc, struct pv_build *b, char err[IMAGE_ERR_SIZE])
{
    struct builder *w = calloc(1, sizeof(*w));

    if (!w) {
        snprintf(err, IMAGE_ERR_SIZE, "out of memory");
        return NULL;
    }
    w->xc = xc, w->b = b, w->img = b->image, w->err = err, w->is64 = b->image->is64;
    b->domid = 0;
    return w;
}

int build_pv_step(struct builder *w)
{
    int rc = phases[w->phase](w);

    if (rc == 0)
        w->phase++;
    return rc < 0 ? rc : w->phase < ARRAY_SIZE(phases);
}

void build_pv_end(struct builder *w)
{
    if (!w)
        return;
    for (uint64_t i = 0; i < ARRAY_SIZE(w->table); i++)
        if (w->table[i])
            xc_unmap(w->xc, w->table[i]);
    if (w->phase < ARRAY_SIZE(phases) && w->b->domid)
        xc_domain_destroy(w->xc, w->b->domid);
    free(w->p2m);
    free(w->p2m32);
    free(w);
}

int build_pv(struct xc_handle *xc, struct pv_build *b, char err[IMAGE_ERR_SIZE])
{
    struct builder *w = build_pv_begin(xc, b, err);
    int rc = w ? 1 : -1;

    while (rc > 0)
        rc = build_pv_step(w);
    build_pv_end(w);
    return rc;
}
