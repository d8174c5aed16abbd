// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saving a PVH or HVM domain.
 *
 * Concept: it knows nothing of the machine, so that its pages are written as they are. What the hypervisor knows of it
 * is one buffer of records (vcpu/hvm/save.c) and its parameters; event channels and grants it makes anew.
 *
 * Corresponds to tools/libs/guest/xg_sr_save_x86_hvm.c, whose list of parameters this is.
 */
#include "tools/save/format.h"
#include "tools/save/save_private.h"

#include <errno.h>
#include <stdlib.h>
#include <xen/hvm/params.h>

static int no_tables(struct saver *s, uint64_t i, uint64_t *page)
{
    (void)i, (void)page;
    return save_refuse(s, "one of its pages is a page table of a PV domain");
}

static int params_write(struct saver *s)
{
    static const uint32_t params[] = {
        HVM_PARAM_STORE_PFN,
        HVM_PARAM_IOREQ_PFN,
        HVM_PARAM_BUFIOREQ_PFN,
        HVM_PARAM_PAGING_RING_PFN,
        HVM_PARAM_MONITOR_RING_PFN,
        HVM_PARAM_SHARING_RING_PFN,
        HVM_PARAM_VM86_TSS_SIZED,
        HVM_PARAM_CONSOLE_PFN,
        HVM_PARAM_ACPI_IOPORTS_LOCATION,
        HVM_PARAM_VIRIDIAN,
        HVM_PARAM_IDENT_PT,
        HVM_PARAM_VM_GENERATION_ID_ADDR,
        HVM_PARAM_IOREQ_SERVER_PFN,
        HVM_PARAM_NR_IOREQ_SERVER_PAGES,
    };
    uint64_t entry[sizeof(params) / sizeof(params[0])][2];
    struct libxc_hvm_params head = { 0 };

    for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
        uint64_t value = 0;

        if (xc_hvm_param_get(s->xc, s->what->domid, params[i], &value) || !value)
            continue; /* those that there are not, too */
        entry[head.count][0] = params[i];
        entry[head.count++][1] = value;
    }
    out_record(s->out, LIBXC_HVM_PARAMS, &head, sizeof(head), entry, head.count * sizeof(entry[0]));
    return 0;
}

static int context_write(struct saver *s)
{
    uint32_t size = 0;
    int rc = xc_domain_hvm_getcontext(s->xc, s->what->domid, NULL, &size);
    void *buf = rc ? NULL : malloc(size);

    if (!rc)
        rc = buf ? xc_domain_hvm_getcontext(s->xc, s->what->domid, buf, &size) : -ENOMEM;
    if (!rc)
        out_record(s->out, LIBXC_HVM_CONTEXT, buf, size, NULL, 0);
    free(buf);
    return rc ? save_fail(s, "what the hypervisor knows of it", rc) : 0;
}

/* Pages that nobody has touched get their memory now, if there is any for them: the stream cannot tell of them. */
int save_hvm_populate(struct saver *s)
{
    uint64_t nr, cache, page[TABLE_ENTRIES];
    int rc = xc_domain_get_pod(s->xc, s->what->domid, &nr, &cache);
    const long last = rc || !nr ? -1 : xc_domain_maximum_gpfn(s->xc, s->what->domid);

    if (rc)
        return save_fail(s, "its pages on demand", rc);
    if (nr > cache)
        return save_refuse(s,
                           "%llu of its pages have no memory yet, and there is memory for %llu: its balloon has not "
                           "given back what it has beyond `memory`",
                           (unsigned long long)nr, (unsigned long long)cache);
    for (long gfn = 0; gfn <= last; gfn++)
        xc_read_foreign(s->xc, s->what->domid, _mfn((uint64_t)gfn), page);
    rc = xc_domain_get_pod(s->xc, s->what->domid, &nr, &cache);
    return rc || nr ? save_refuse(s, "%llu of its pages have no memory yet", (unsigned long long)nr) : 0;
}

int save_hvm(struct saver *s)
{
    for (uint64_t i = 0; i < s->nr; i++)
        s->page[i].mfn = s->page[i].pfn; /* others know a page by this one */
    if (save_policies(s))
        return -1;
    out_record(s->out, LIBXC_STATIC_DATA_END, NULL, 0, NULL, 0);
    if (save_pages(s, no_tables) || save_tsc_info(s))
        return -1;
    return context_write(s) || params_write(s) ? -1 : 0;
}
