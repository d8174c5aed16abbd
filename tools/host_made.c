// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Domains without a kernel: see struct host_made.
 *
 * Concept: who tries an algorithm of the hypervisor's wants a domain that does what it is told: memory at known
 * addresses, a vCPU in its kernel's mode, and no code that would do anything by itself. A PV domain is built by the
 * builder, of a kernel of which two bytes are loaded, a jump to itself, and whose bss is all the memory that is wanted.
 * An HVM domain gets its memory, page tables that map it one to one, and the registers of a kernel in long mode.
 */
#include "tools/host_private.h"
#include "vcpu/domctl.h"

#include <stdio.h>
#include <string.h>
#include <xen/hvm/save.h>

/* What the builder puts behind the kernel, but for tables, which are reckoned: build_pv_lay_out(). */
#define PV_BEHIND (128 + 8)
#define PV_ALIGN  1024u /* pages: 4 MiB */

static const uint8_t jump_to_itself[] = { 0xeb, 0xfe };

static int fail(char err[HOST_ERR_SIZE], const char *what, int rc)
{
    snprintf(err, HOST_ERR_SIZE, "a domain without a kernel: %s: %s", what, strerror(-rc));
    return -1;
}

static uint64_t pv_pages(uint64_t pages)
{
    const uint64_t most = pages + pages / 256 + PV_ALIGN;

    return (pages + most / 512 + most / (512 * 512) + 8 + most / 512 + PV_BEHIND + PV_ALIGN - 1) / PV_ALIGN * PV_ALIGN;
}

static int pv_add(struct host *h, const struct host_made *what, char err[HOST_ERR_SIZE])
{
    const bool is64 = what->type == HOST_MADE_PV64;
    const uint64_t base = is64 ? HOST_MADE_BASE_64 : HOST_MADE_BASE_32, size = (uint64_t)what->pages << PAGE_SHIFT;
    const struct image image = {
        .mode = IMAGE_PV,
        .is64 = is64,
        .segments = { { .paddr = PAGE_SIZE,
                        .vaddr = base + PAGE_SIZE,
                        .data = jump_to_itself,
                        .filesz = sizeof(jump_to_itself),
                        .memsz = size - PAGE_SIZE } },
        .nr_segments = 1,
        .virt_base = base,
        .virt_kstart = base,
        .virt_kend = base + size,
        .virt_entry = base + PAGE_SIZE,
        .hypercall_page = base,
        .p2m_base = UNSET_ADDR,
        .hv_start_low = UNSET_ADDR,
        .phys32_entry = UNSET_ADDR,
        .pae = IMAGE_PAE_EXTCR3,
    };
    struct pv_build b = { .image = &image, .max_vcpus = what->vcpus };
    char why[IMAGE_ERR_SIZE] = "";
    struct builder *w;
    int rc = -1;

    b.nr_pages = b.max_pages = pv_pages(what->pages);
    w = build_pv_begin(xc(h), h->arena, &b, why);
    while (w && (rc = build_pv_step(w)) > 0)
        ;
    build_pv_end(w);
    if (rc)
        snprintf(err, HOST_ERR_SIZE, "a domain without a kernel: %s", why);
    return rc ? -1 : b.domid;
}

/* --- HVM --- */

#define HVM_TABLES 3 /* an L4, an L3, and an L2 of pages of 2 MiB: 1 GiB */

/* A page that begins with n bytes. */
static int hvm_page(struct host *h, domid_t domid, uint64_t gfn, const void *bytes, size_t n)
{
    uint64_t page[PAGE_SIZE / sizeof(uint64_t)] = { 0 };

    memcpy(page, bytes, n);
    return xc_copy_to_domain_page(xc(h), domid, _mfn(gfn), page);
}

/* Guest-physical addresses, one to one. */
static int hvm_tables(struct host *h, domid_t domid, uint64_t l4)
{
    const uint64_t rights = _PAGE_PRESENT | _PAGE_RW, down4 = (l4 + 1) << PAGE_SHIFT | rights,
                   down3 = (l4 + 2) << PAGE_SHIFT | rights;
    uint64_t l2[PAGE_SIZE / sizeof(uint64_t)];
    int rc;

    for (uint64_t i = 0; i < ARRAY_SIZE(l2); i++)
        l2[i] = i << 21 | rights | _PAGE_PSE;
    rc = hvm_page(h, domid, l4, &down4, sizeof(down4));
    rc = rc ?: hvm_page(h, domid, l4 + 1, &down3, sizeof(down3));
    return rc ?: hvm_page(h, domid, l4 + 2, l2, sizeof(l2));
}

static int hvm_memory(struct host *h, domid_t domid, uint64_t nr)
{
    uint64_t *gfn = xzalloc_array(h->arena, uint64_t, nr);
    int rc = gfn ? 0 : -ENOMEM;

    for (uint64_t i = 0; !rc && i < nr; i++)
        gfn[i] = i;
    rc = rc ?: xc_domain_setmaxmem(xc(h), domid, nr << (PAGE_SHIFT - 10));
    rc = rc ?: xc_domain_populate_physmap(xc(h), domid, nr, gfn);
    xfree(gfn);
    return rc;
}

/* A 64-bit kernel's registers. */
static struct hvm_hw_cpu hvm_registers(uint64_t pages)
{
    return (struct hvm_hw_cpu){
        .rip = PAGE_SIZE,
        .rsp = pages << PAGE_SHIFT,
        .rflags = X86_EFLAGS_MBS,
        .cr0 = X86_CR0_PG | X86_CR0_WP | X86_CR0_NE | X86_CR0_ET | X86_CR0_PE,
        .cr3 = pages << PAGE_SHIFT,
        .cr4 = X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT,
        .msr_efer = EFER_NXE | EFER_LMA | EFER_LME | EFER_SCE,
        .dr6 = 0xffff0ff0,
        .dr7 = 0x400,
        .cs_sel = 0x08,
        .ss_sel = 0x10,
        .ds_sel = 0x10,
        .es_sel = 0x10,
        .cs_limit = UINT32_MAX,
        .ds_limit = UINT32_MAX,
        .es_limit = UINT32_MAX,
        .ss_limit = UINT32_MAX,
        .tr_limit = 0x67,
        .cs_arbytes = 0xa9b,
        .ds_arbytes = 0xc93,
        .es_arbytes = 0xc93,
        .ss_arbytes = 0xc93,
        .tr_arbytes = 0x8b,
    };
}

static int hvm_add(struct host *h, const struct host_made *what, char err[HOST_ERR_SIZE])
{
    const struct xen_domctl_createdomain config = { .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
                                                    .max_vcpus = what->vcpus,
                                                    .max_evtchn_port = 1023, /* xl's defaults */
                                                    .max_grant_frames = 64,
                                                    .max_maptrack_frames = 1024,
                                                    .grant_opts = 2,
                                                    .arch.emulation_flags = XEN_X86_EMU_LAPIC };
    const struct hvm_hw_cpu cpu = hvm_registers(what->pages);
    domid_t domid = 0;
    int rc = xc_domain_create(xc(h), &config, &domid);

    if (rc)
        return fail(err, "it cannot be created", rc);
    rc = xc_domain_max_vcpus(xc(h), domid, what->vcpus);
    rc = rc ?: hvm_memory(h, domid, what->pages + HVM_TABLES);
    rc = rc ?: hvm_page(h, domid, 1, jump_to_itself, sizeof(jump_to_itself));
    rc = rc ?: hvm_tables(h, domid, what->pages);
    rc = rc ?: xc_domain_hvm_setcontext_cpu(xc(h), domid, 0, &cpu);
    if (rc) {
        xc_domain_destroy(xc(h), domid);
        return fail(err, "its memory and registers", rc);
    }
    return domid;
}

/* --- all of them --- */

/* Where it is in the list; of 0, a place for another one. HOST_MADE_MAX: nowhere. */
static unsigned int place_of(const struct host *h, domid_t domid)
{
    unsigned int i = 0;

    while (i < HOST_MADE_MAX && h->made[i] != domid)
        i++;
    return i;
}

int host_made_add(struct host *h, const struct host_made *what, char err[HOST_ERR_SIZE])
{
    const unsigned int place = place_of(h, 0);
    int domid;

    if (place == HOST_MADE_MAX) {
        snprintf(err, HOST_ERR_SIZE, "there are %u domains without a kernel already", HOST_MADE_MAX);
        return -1;
    }
    domid = what->type == HOST_MADE_HVM ? hvm_add(h, what, err) : pv_add(h, what, err);
    if (domid <= 0)
        return -1;
    h->xen->domain_of[domid]->is_privileged = what->control;
    h->made[place] = h->made_last = (domid_t)domid;
    return domid;
}

bool host_is_made(const struct host *h, domid_t domid) { return domid && place_of(h, domid) < HOST_MADE_MAX; }

uint64_t host_made_base(const struct host *h, domid_t domid)
{
    const struct domain *d = host_is_made(h, domid) ? h->xen->domain_of[domid] : NULL;

    return !d || is_hvm_domain(d) ? 0 : is_pv_32bit_domain(d) ? HOST_MADE_BASE_32 : HOST_MADE_BASE_64;
}

domid_t host_made_last(const struct host *h) { return h->made_last; }

int host_made_do(struct host *h, domid_t domid, enum host_made_what what)
{
    switch (what) {
    case HOST_MADE_PAUSE: return xc_domain_pause(xc(h), domid);
    case HOST_MADE_UNPAUSE: return xc_domain_unpause(xc(h), domid);
    case HOST_MADE_DESTROY: h->made[place_of(h, domid)] = 0; return xc_domain_destroy(xc(h), domid);
    case HOST_MADE_WHATS: break;
    }
    return -EINVAL;
}
