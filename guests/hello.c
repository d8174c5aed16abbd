// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hello: where am I?
 *
 * Shows what a PV guest is told at its start, without asking any device: by Xen's version hypercalls and by start_info.
 * Try: another --memory, --cmdline, or the same guest twice (`xenlab run build/guests/hello build/guests/hello`).
 */
#include "guests/rt/guest.h"

#include <xen/features.h>

static void xen_print(void)
{
    long version = HYPERVISOR_xen_version(XENVER_version, NULL);
    xen_extraversion_t extra;
    xen_capabilities_info_t caps;
    struct xen_feature_info features = { .submap_idx = 0 };

    MUST(HYPERVISOR_xen_version(XENVER_extraversion, extra));
    MUST(HYPERVISOR_xen_version(XENVER_capabilities, caps));
    MUST(HYPERVISOR_xen_version(XENVER_get_features, &features));
    printf("Hello. I am a PV guest of Xen %ld.%ld%s, which runs guests of the kinds:\n  %s\n", version >> 16,
           version & 0xffff, extra, caps);
    printf("My page tables are %s, my pfns are %s.\n",
           features.submap & 1u << XENFEAT_writable_page_tables ? "writable" : "read-only, changed by hypercalls",
           features.submap & 1u << XENFEAT_auto_translated_physmap ? "translated" : "my own bookkeeping");
}

static void page_print(const char *what, const void *va)
{
    unsigned long mfn = virt_to_mfn(va);

    printf("  %-28s pfn %5lu  mfn %#lx%s\n", what, virt_to_pfn(va), mfn,
           mfn_to_pfn(mfn) == virt_to_pfn(va) ? "" : " (?)");
}

static void memory_print(void)
{
    const struct start_info *si = start_info;

    printf("I have %lu pages (%lu MiB). Start-up used those up to pfn %lu, in this order:\n", si->nr_pages,
           si->nr_pages >> (20 - PAGE_SHIFT), pfn_first_raw() - 1);
    page_print("my code", VIRT_BASE);
    page_print("the p2m list", (void *)si->mfn_list);
    page_print("start_info", si);
    page_print("the xenstore ring", mfn_to_virt(si->store_mfn));
    page_print("the console's ring", mfn_to_virt(si->console.domU.mfn));
    page_print("page tables", (void *)si->pt_base);
    page_print("the stack I was given", (char *)si->pt_base + si->nr_pt_frames * PAGE_SIZE);
}

int guest_main(void)
{
    const struct start_info *si = start_info;

    xen_print();
    printf("start_info says \"%s\", event channel %u to xenstore, %u to the console.\n", si->magic, si->store_evtchn,
           si->console.domU.evtchn);
    memory_print();
    printf("The command line is \"%s\".\n", (const char *)si->cmd_line);
    printf("It is %s second after the machine was started. Good bye.\n",
           time_now() < 1000000000 ? "less than a" : "more than a");
    return 0;
}
