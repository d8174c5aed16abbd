// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segment descriptors: GDT and LDT of PV guests.
 *
 * Concept: a descriptor can give privilege: a gate or a segment of ring 0 would let a guest into the hypervisor's ring.
 * So the frames of a guest's GDT and LDT have a type of their own (seg_desc): every descriptor in them was looked at,
 * nobody has a writable mapping, and changes come one at a time through HYPERVISOR_update_descriptor. The check is
 * forgiving where it can be: too much privilege is taken away rather than refused.
 *
 * An LDT is named by virtual address and comes in page by page: the first use of a segment in it faults in Xen's window
 * (mmu/pv/perdomain.c), and the page that the guest has there is checked and mapped.
 *
 * Corresponds to xen/arch/x86/pv/descriptor-tables.c, pv_map_ldt_shadow_page() of xen/arch/x86/pv/mm.c.
 */
#include "mmu/compat.h"
#include "mmu/pv/private.h"

#define DESC_PER_PAGE 512

/* A descriptor, low word a in bits 31..0, high word b in bits 63..32: _SEGMENT_* and this are bits of b. */
#define SEGMENT_TYPE_CALL_GATE 0x00000c00u

/* May a call gate lead there? A guest's own segment, or the flat one that Xen offers. */
static bool gate_selector_okay(const struct domain *d, uint32_t sel)
{
    return sel >> 3 < FIRST_RESERVED_GDT_ENTRY || (sel & 4) || sel == d->abi->flat_kernel_cs;
}

/* Old PAE kernels end their segments below where the hole used to be; the M2P is beyond that now. */
static void extend_limit(const struct domain *d, uint32_t *a, uint32_t *b)
{
    uint32_t base = (*b & 0xff000000) | (*b & 0xff) << 16 | *a >> 16;
    uint64_t limit = ((*b & 0xf0000) | (*a & 0xffff)) + 1ull;

    if (*b & _SEGMENT_G)
        limit <<= PAGE_SHIFT;
    if (!base && limit > d->abi->hypervisor_virt_start) {
        *a |= 0x0000ffff;
        *b |= 0x000f0000;
    }
}

/* Is the descriptor harmless? It may be made so: *desc is what is to be stored. */
static bool check_descriptor(const struct domain *d, uint64_t *desc)
{
    const struct guest_abi *abi = d->abi;
    uint32_t a = (uint32_t)*desc, b = (uint32_t)(*desc >> 32), dpl, cs;

    if (!(b & _SEGMENT_P) || !(b & (_SEGMENT_S | _SEGMENT_TYPE)))
        return true; /* it always faults; type 0 is also the second half of a call gate */
    dpl = (b >> _SEGMENT_DPL_SHIFT) & 3;
    dpl = dpl < abi->kernel_ring ? abi->kernel_ring : dpl;
    b = (b & ~_SEGMENT_DPL) | dpl << _SEGMENT_DPL_SHIFT;
    if (b & _SEGMENT_S) {
        if (b & abi->segment_refused)
            return false;
        extend_limit(d, &a, &b);
    } else {
        if ((b & _SEGMENT_TYPE) != SEGMENT_TYPE_CALL_GATE || !gate_selector_okay(d, a >> 16))
            return false;
        /* DPL 0 makes every use fault, so that it can be emulated; the real one is kept in the selector's RPL. */
        b &= ~_SEGMENT_DPL;
        cs = ((a >> 16) & ~3u) | dpl;
        a = (a & 0xffff) | cs << 16;
        if (b & abi->call_gate_refused)
            return false;
    }
    *desc = (uint64_t)b << 32 | a;
    return true;
}

int validate_segdesc_page(struct xen *xen, struct page_info *pg)
{
    const mfn_t mfn = page_to_mfn(xen, pg);
    uint64_t *desc = frame_write_begin(xen->machine, mfn);
    int rc = 0;

    for (unsigned int i = 0; i < DESC_PER_PAGE && !rc; i++) {
        if (!check_descriptor(pg->owner, &desc[i])) {
            pv_refused(pg->owner, "bad descriptor %016lx in entry %u of frame %lx", desc[i], i, mfn_x(mfn));
            rc = -EINVAL;
        }
    }
    frame_write_end(xen->machine, mfn);
    return rc;
}

/* --- GDT --- */

int pv_set_gdt(struct vcpu *v, const uint64_t *frames, unsigned int entries)
{
    struct domain *d = v->domain;
    struct xen *xen = d->xen;
    unsigned int i, nr = (entries + DESC_PER_PAGE - 1) / DESC_PER_PAGE;
    const uint64_t *ptes;

    if (entries > FIRST_RESERVED_GDT_ENTRY)
        return -EINVAL;
    for (i = 0; i < nr; i++)
        if (!mfn_valid(xen->machine, _mfn(frames[i])) ||
            !get_page_and_type(xen, mfn_to_page(xen, _mfn(frames[i])), d, PGT_seg_desc_page))
            goto fail;
    pv_destroy_gdt(v);
    v->pv.gdt_ents = entries;
    ptes = pv_gdt_ptes(v);
    for (i = 0; i < nr; i++) {
        v->pv.gdt_frames[i] = frames[i];
        frame_write_u64(xen->machine, &ptes[i],
                        pte_make(_mfn(frames[i]), _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_NX));
    }
    return 0;

fail:
    pv_refused(d, "frame %lx cannot be a page of a GDT", frames[i]);
    while (i-- > 0)
        put_page_and_type(xen, mfn_to_page(xen, _mfn(frames[i])));
    return -EINVAL;
}

long do_set_gdt(struct vcpu *v, struct hypercall_args *args)
{
    uint64_t frames[PV_NR_GDT_FRAMES] = { 0 };
    const unsigned int entries = (unsigned int)args->a[1], nr = (entries + DESC_PER_PAGE - 1) / DESC_PER_PAGE;

    if (entries > FIRST_RESERVED_GDT_ENTRY)
        return -EINVAL;
    for (unsigned int i = 0; i < nr; i++)
        if (copy_word_from_guest(v, &frames[i], args->a[0] + i * word_size(v->domain)))
            return -EFAULT;
    return is_pv_domain(v->domain) ? pv_set_gdt(v, frames, entries) : -ENOSYS;
}

/* --- LDT --- */

bool pv_map_ldt_shadow_page(struct vcpu *v, uint64_t offset)
{
    struct domain *d = v->domain;
    uint64_t linear = v->pv.ldt_base + offset;
    const uint64_t *l1e;
    struct page_info *pg;

    if (offset / 8 >= v->pv.ldt_ents)
        return false;
    if (d->abi->word == 4)
        linear = (uint32_t)linear;
    l1e = map_guest_l1e(v, linear);
    if (!l1e || !(*l1e & _PAGE_PRESENT) || (pv_ldt_ptes(v)[PFN_DOWN(offset)] & _PAGE_PRESENT))
        return false;
    pg = get_page_from_mfn(d->xen, pte_mfn(*l1e), d);
    if (!pg)
        return false;
    if (!get_page_type(d->xen, pg, PGT_seg_desc_page)) {
        put_page(d->xen, pg);
        return false;
    }
    frame_write_u64(d->xen->machine, &pv_ldt_ptes(v)[PFN_DOWN(offset)],
                    pte_make(pte_mfn(*l1e), _PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_NX));
    v->pv.shadow_ldt_mapcnt++;
    return true;
}

/* --- one descriptor --- */

static long update_descriptor(struct domain *d, uint64_t ma, uint64_t desc)
{
    struct xen *xen = d->xen;
    struct page_info *pg;
    uint64_t type = PGT_writable_page;
    long rc = -EINVAL;

    if ((ma & 7) || !check_descriptor(d, &desc))
        return -EINVAL;
    pg = get_page_from_mfn(xen, _mfn(PFN_DOWN(ma)), d);
    if (!pg)
        return -EINVAL;
    if ((pg->type_info & PGT_type_mask) == PGT_seg_desc_page)
        type = PGT_seg_desc_page;
    if (get_page_type(xen, pg, type)) {
        frame_write_u64(xen->machine, table_map(xen, page_to_mfn(xen, pg)) + PAGE_OFFSET(ma) / 8, desc);
        put_page_type(xen, pg);
        rc = 0;
    }
    put_page(xen, pg);
    return rc;
}

long do_update_descriptor(struct vcpu *v, struct hypercall_args *args)
{
    return update_descriptor(v->domain, args->a[0], args->a[1]);
}

/* The machine address and the descriptor in two words each. */
long compat_update_descriptor(struct vcpu *v, struct hypercall_args *args)
{
    const uint64_t *a = args->a;

    return update_descriptor(v->domain, (uint32_t)a[0] | a[1] << 32, (uint32_t)a[2] | a[3] << 32);
}
