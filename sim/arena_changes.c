// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changed pages of an arena: explained in sim/arena_changes.h. What Linux calls the parts of its interface is in
 * linux/userfaultfd.h and linux/fs.h; the headers of Debian 12 are older than the half of it.
 */
#include "sim/arena_changes.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sim/page_store.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

struct found_region { /* struct page_region */
    uint64_t start, end, categories;
};

struct scan_request { /* struct pm_scan_arg */
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN          _IOWR('f', 16, struct scan_request)
#define SCAN_PROTECT  (1u << 0) /* PM_SCAN_WP_MATCHING: what is found is protected again */
#define SCAN_IF_ASYNC (1u << 1) /* PM_SCAN_CHECK_WPASYNC */
#define SCAN_WRITTEN  (1u << 1) /* PAGE_IS_WRITTEN */
#define SCAN_PRESENT  (1u << 3) /* PAGE_IS_PRESENT */
#define SCAN_SWAPPED  (1u << 4) /* PAGE_IS_SWAPPED */
#define REGIONS       256

#define PROTECT_EVERY 32 /* looks: so often all pages are protected */

struct arena_changes {
    struct arena *arena;
    uint8_t *copy;
    uint64_t nr;       /* pages that have a copy */
    int uffd, pagemap; /* both, or -1: by comparing */
    uint64_t watched;  /* pages, from the first one, that the kernel tells about */
    unsigned int looks;
};

static void ask_no_more(struct arena_changes *c)
{
    if (c->uffd >= 0)
        close(c->uffd);
    if (c->pagemap >= 0)
        close(c->pagemap);
    c->uffd = c->pagemap = -1;
    c->watched = 0;
}

static bool kernel_tells(struct arena_changes *c)
{
    struct uffdio_api api = { .api = UFFD_API,
                              .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_UNPOPULATED |
                                          UFFD_FEATURE_WP_ASYNC };

    c->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    c->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    return c->uffd >= 0 && c->pagemap >= 0 && !ioctl(c->uffd, UFFDIO_API, &api);
}

struct arena_changes *arena_changes_create(struct arena *a, bool by_comparing)
{
    struct arena_changes *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->arena = a;
    c->uffd = c->pagemap = -1;
    if (!by_comparing && !kernel_tells(c))
        ask_no_more(c);
    return c;
}

void arena_changes_destroy(struct arena_changes *c)
{
    if (!c)
        return;
    ask_no_more(c);
    if (c->copy)
        munmap(c->copy, c->nr * PAGE_SIZE);
    free(c);
}

bool arena_changes_by_kernel(const struct arena_changes *c) { return c->uffd >= 0; }

uint8_t *arena_changes_copy(const struct arena_changes *c, uint64_t nr) { return c->copy + nr * PAGE_SIZE; }

/* The arena has grown: what is new of it was zero. */
static bool copy_grow(struct arena_changes *c, uint64_t nr)
{
    uint8_t *copy;

    if (nr <= c->nr)
        return true;
    copy = table_grow(c->copy, c->nr * PAGE_SIZE, nr * PAGE_SIZE);
    if (!copy)
        return false;
    madvise(copy, nr * PAGE_SIZE, MADV_HUGEPAGE); /* a hint: without, each page costs a page fault */
    c->copy = copy;
    c->nr = nr;
    return true;
}

struct finding {
    struct arena_changes *c;
    arena_change_fn *fn;
    void *data;
};

static void look_at(const struct finding *f, uint64_t from, uint64_t to)
{
    uint8_t *const base = arena_base(f->c->arena);

    for (uint64_t nr = from; nr < to; nr++)
        if (!page_equal(base + nr * PAGE_SIZE, arena_changes_copy(f->c, nr)))
            f->fn(f->data, nr, base + nr * PAGE_SIZE, arena_changes_copy(f->c, nr));
}

/* Look at what is of these kinds among the pages from `from` to `to`. False: the kernel does not tell. */
static bool scan(const struct finding *f, uint64_t from, uint64_t to, uint64_t kinds, uint64_t flags)
{
    const uint64_t base = (uint64_t)(uintptr_t)arena_base(f->c->arena);
    struct found_region found[REGIONS];
    struct scan_request r = {
        .size = sizeof(r),
        .flags = flags,
        .end = base + to * PAGE_SIZE,
        .vec = (uint64_t)(uintptr_t)found,
        .vec_len = REGIONS,
        .category_mask = kinds & SCAN_WRITTEN, /* of which, alone, the kernel knows a quick way */
        .category_anyof_mask = kinds & ~SCAN_WRITTEN,
        .return_mask = kinds,
    };

    for (r.start = base + from * PAGE_SIZE; r.start < r.end; r.start = r.walk_end) {
        const int n = ioctl(f->c->pagemap, SCAN, &r);

        if (n < 0)
            return false;
        for (int i = 0; i < n; i++)
            look_at(f, (found[i].start - base) / PAGE_SIZE, (found[i].end - base) / PAGE_SIZE);
    }
    return true;
}

/* Look at what has been written of the pages that the kernel watches, and at what there is of the others. */
static bool look_as_told(const struct finding *f)
{
    struct arena_changes *c = f->c;
    const uint64_t protect = ++c->looks % PROTECT_EVERY ? 0 : SCAN_PROTECT;

    return scan(f, 0, c->watched, SCAN_WRITTEN, SCAN_IF_ASYNC | protect) &&
           scan(f, c->watched, c->nr, SCAN_PRESENT | SCAN_SWAPPED, 0);
}

/* From now on the kernel tells of these pages as well. */
static bool watch(struct arena_changes *c, uint64_t to)
{
    const struct uffdio_range range = { (uint64_t)(uintptr_t)arena_base(c->arena) + c->watched * PAGE_SIZE,
                                        (to - c->watched) * PAGE_SIZE };
    struct uffdio_register reg = { .range = range, .mode = UFFDIO_REGISTER_MODE_WP };
    struct uffdio_writeprotect protect = { .range = range, .mode = UFFDIO_WRITEPROTECT_MODE_WP };

    if (c->watched == to)
        return true;
    if (ioctl(c->uffd, UFFDIO_REGISTER, &reg) || ioctl(c->uffd, UFFDIO_WRITEPROTECT, &protect))
        return false;
    c->watched = to;
    return true;
}

bool arena_changes_find(struct arena_changes *c, arena_change_fn *fn, void *data)
{
    const struct finding f = { c, fn, data };

    if (!copy_grow(c, arena_size(c->arena) / PAGE_SIZE))
        return false;
    if (c->uffd >= 0 && look_as_told(&f) && watch(c, c->nr))
        return true;
    ask_no_more(c);
    look_at(&f, 0, c->nr);
    return true;
}
