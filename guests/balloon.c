// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * balloon: memory comes and goes.
 *
 * Shows that "the guest's memory" is a list that the guest keeps. It gives frames back to Xen (decrease_reservation:
 * the balloon inflates), asks for others (populate_physmap: it deflates), swaps one for another (exchange), and cannot
 * get more than its domain's limit. pfns stay; the machine frames behind them change. How far pfns may ever go says the
 * memory map: with maxmem above memory, further than there is memory at first.
 */
#include "guests/rt/guest.h"

#define N 64

static unsigned long pfns[N];
static xen_pfn_t frames[N + 1];

static struct xen_memory_reservation reservation(unsigned long nr)
{
    struct xen_memory_reservation r = { .nr_extents = nr, .domid = DOMID_SELF };

    set_xen_guest_handle(r.extent_start, frames);
    return r;
}

static void pages_print(const char *when)
{
    domid_t self = DOMID_SELF;

    printf("%s I have %ld pages, and may have %ld.\n", when, HYPERVISOR_memory_op(XENMEM_current_reservation, &self),
           HYPERVISOR_memory_op(XENMEM_maximum_reservation, &self));
}

/* frames[] = the mfns of pfns[]; in return they become nobody's. */
static long inflate(unsigned long nr)
{
    struct xen_memory_reservation r = reservation(nr);

    for (unsigned long i = 0; i < nr; i++)
        frames[i] = pfn_to_mfn(pfns[i]);
    return HYPERVISOR_memory_op(XENMEM_decrease_reservation, &r);
}

/* frames[] = the pfns that want memory; Xen replaces them by mfns, and enters those in m2p. p2m is ours to keep. */
static long deflate(unsigned long nr)
{
    struct xen_memory_reservation r = reservation(nr);
    long done;

    for (unsigned long i = 0; i < nr; i++)
        frames[i] = i < N ? pfns[i] : start_info->nr_pages;
    done = HYPERVISOR_memory_op(XENMEM_populate_physmap, &r);
    for (long i = 0; i < done && i < N; i++)
        p2m_set(pfns[i], frames[i]);
    return done;
}

/* How far our pfns may ever go, as the toolstack's memory map has it. */
static unsigned long map_end(void)
{
    struct {
        uint64_t addr, size;
        uint32_t type;
    } __attribute__((packed)) ram = { 0 };
    struct xen_memory_map map = { .nr_entries = 1 };

    set_xen_guest_handle(map.buffer, &ram);
    MUST(HYPERVISOR_memory_op(XENMEM_memory_map, &map));
    return (ram.addr + ram.size) >> PAGE_SHIFT;
}

/* Memory for all pfns from nr_pages to end, which our p2m has no room for: a real kernel reserves it when it boots. */
static unsigned long grow(unsigned long end)
{
    unsigned long pfn = start_info->nr_pages, nr;
    struct xen_memory_reservation r;
    long done = 1;

    for (; done > 0 && pfn < end; pfn += (unsigned long)done) {
        nr = end - pfn < N ? end - pfn : N;
        r = reservation(nr);
        for (unsigned long i = 0; i < nr; i++)
            frames[i] = pfn + i;
        done = HYPERVISOR_memory_op(XENMEM_populate_physmap, &r);
        if (done > 0 && machine_to_phys_mapping[frames[done - 1]] != pfn + (unsigned long)done - 1)
            break;
    }
    return pfn - start_info->nr_pages;
}

/* One of our frames for another one, at the same pfn. */
static void exchange(unsigned long pfn)
{
    xen_pfn_t in = pfn_to_mfn(pfn), out = pfn;
    struct xen_memory_exchange x = {
        .in = { .nr_extents = 1, .domid = DOMID_SELF },
        .out = { .nr_extents = 1, .domid = DOMID_SELF },
    };
    long rc;

    set_xen_guest_handle(x.in.extent_start, &in);
    set_xen_guest_handle(x.out.extent_start, &out);
    rc = HYPERVISOR_memory_op(XENMEM_exchange, &x);
    if (rc == 0)
        p2m_set(pfn, out);
    printf("Exchanging one page: %s, %lu done; it is %s frame now, and m2p says pfn %s.\n", xen_error(rc),
           (unsigned long)x.nr_exchanged, rc == 0 && out == in ? "the same" : "another",
           rc == 0 && mfn_to_pfn(out) == pfn ? "as before" : "something else");
}

static long touch(long arg)
{
    *(volatile char *)arg = 1;
    return 0;
}

int guest_main(void)
{
    unsigned long first = start_info->nr_pages - N; /* the end of memory: nothing maps it */
    char *mapped = page_alloc();
    const unsigned long end = map_end();
    struct caught c;

    for (unsigned long i = 0; i < N; i++)
        pfns[i] = first + i;
    pages_print("At the start");

    printf("Giving back %d pages that nothing maps: %ld were taken.\n", N, inflate(N));
    pages_print("Now");
    printf("Giving back the first of them once more: %ld taken.\n", inflate(1));

    printf("Asking for %d pages: %ld came.\n", N, deflate(N));
    printf("All have their old pfns: %s.\n", mfn_to_pfn(pfn_to_mfn(first)) == first ? "yes" : "no");
    pages_print("Now");
    printf("Asking for one more: %ld came.\n", deflate(1));

    exchange(first);

    /* A page that is mapped: Xen takes it only when the last reference is gone. */
    pfns[0] = virt_to_pfn(mapped);
    printf("Giving back a page that is mapped: %ld taken. ", inflate(1));
    pages_print("Now");
    MUST(HYPERVISOR_update_va_mapping((unsigned long)mapped, 0, UVMF_INVLPG));
    pages_print("After unmapping it");
    c = trap_catch(touch, (long)mapped);
    printf("Touching its address: %s.\n", c.trapped ? trap_name(c.vector) : "no fault");
    printf("Asking for another one for that pfn: %ld came.\n", deflate(1));
    printf("Mapping it: %s.\n", xen_error(page_map(mapped, pfn_to_mfn(pfns[0]), PTE_KERNEL)));
    c = trap_catch(touch, (long)mapped);
    printf("Touching its address: %s. It was %s.\n", c.trapped ? trap_name(c.vector) : "no fault",
           mapped[1] == 0 ? "clean" : "dirty");

    printf("My memory may go up to pfn %lu. Filling it up: %lu pages came.\n", end, grow(end));
    pages_print("Now");
    printf("Asking for one more: %ld came.\n", deflate(1));
    return 0;
}
