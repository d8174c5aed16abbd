// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Walking a guest's page tables, and copying to and from what they map. The rules are in the header.
 *
 * Concept: on real hardware Xen simply dereferences a guest's pointer, since the guest's page tables are loaded: the
 * processor translates, and a fault becomes -EFAULT. Here the processor is somewhere else, so this file does what it
 * would do: from the root down, an entry a level, until a page is found or a right is missing. Only the range check is
 * the hypervisor's own: an address in its hole would reach Xen's memory, and is refused before anything is looked at.
 * Native code's addresses are good here as they are.
 *
 * Invariants: never touches a frame that the guest's own tables do not map; a write sets A and D as the processor does.
 */
#include "mmu/guest_access.h"

#include "mmu/pte.h"
#include "sim/frame.h"
#include "sim/nested.h"
#include "sim/walk.h"

#include <errno.h>
#include <string.h>

static bool pv_okay(const struct vcpu *v, uint64_t addr, size_t n)
{
    /*
     * An array that starts below the hole is stopped by what is not mapped there, as on Xen; so is a PV32 guest above 4
     * GiB.
     */
    return addr < (UINT64_C(1) << 47) || addr >= UINT64_C(0xffff880000000000);
}

static mfn_t walk_root(const struct vcpu *v) { return v->pv.kernel_mode ? v->pv.guest_table : v->pv.guest_table_user; }

/* *leaf: the entry that maps the page. Large pages occur in Xen's own slots only, and not even there now. */
static mfn_t walk(const struct vcpu *v, uint64_t va, uint32_t *pfec, const uint64_t **leaf)
{
    const struct machine *m = v->domain->xen->machine;
    struct page_walk w;

    if (machine_walk(m, walk_root(v), va, &w) && w.level == 1) {
        if (!page_walk_allows(&w, *pfec)) {
            *pfec |= PFEC_page_present;
            return INVALID_MFN;
        }
        if (mfn_valid(m, pte_mfn(w.leaf))) {
            *leaf = w.entry;
            return pte_mfn(w.leaf);
        }
    }
    *pfec &= ~PFEC_page_present;
    return INVALID_MFN;
}

/* An HVM guest's walk, in two dimensions. */
static enum nested_result walk_hvm(const struct vcpu *v, uint64_t va, uint32_t pfec, struct nested_walk *w)
{
    const struct cpu_state *r = v->regs;
    const struct nested_regs regs = { r->cr0, r->cr3, r->cr4, r->efer, r->ncr3 };

    w->nr = w->error_code = 0;
    if (r->efer & EFER_LMA && !is_canonical(va))
        return w->result = NESTED_PF;
    return nested_walk(&regs, r->efer & EFER_LMA ? va : (uint32_t)va, pfec, machine_table, v->domain->xen->machine, w);
}

mfn_t guest_walk(struct vcpu *v, uint64_t va, uint32_t *pfec)
{
    struct nested_walk w;
    const uint64_t *leaf;

    if (is_pv_domain(v->domain))
        return walk(v, va, pfec, &leaf);
    if (!is_hvm_domain(v->domain))
        return INVALID_MFN;
    if (walk_hvm(v, va, *pfec, &w) == NESTED_OK)
        return _mfn(PFN_DOWN(w.phys));
    *pfec = w.result == NESTED_PF ? w.error_code : *pfec & ~PFEC_page_present;
    return INVALID_MFN;
}

/* The frame of the page that guest byte va is in, for one access; INVALID_MFN: -EFAULT. */
static inline mfn_t guest_frame(struct vcpu *v, uint64_t va, bool write)
{
    const uint64_t bits = write ? _PAGE_ACCESSED | _PAGE_DIRTY : _PAGE_ACCESSED, *leaf;
    uint32_t pfec = write ? PFEC_write_access : 0;
    mfn_t mfn;

    if (!pv_okay(v, va, 1))
        return INVALID_MFN;
    mfn = walk(v, va, &pfec, &leaf);
    if (!mfn_eq(mfn, INVALID_MFN) && (*leaf & bits) != bits)
        frame_write_u64(v->domain->xen->machine, leaf, *leaf | bits);
    return mfn;
}

/* How many of n bytes from va on lie in its page. */
static inline size_t in_page(uint64_t va, size_t n)
{
    return PAGE_SIZE - PAGE_OFFSET(va) < n ? PAGE_SIZE - PAGE_OFFSET(va) : n;
}

static int pv_copy_from(struct vcpu *v, void *dst, uint64_t src, size_t n)
{
    for (size_t done = 0, part; done < n; done += part) {
        const uint64_t va = src + done;
        const mfn_t mfn = guest_frame(v, va, false);

        if (mfn_eq(mfn, INVALID_MFN))
            return -EFAULT;
        part = in_page(va, n - done);
        memcpy((uint8_t *)dst + done, (const uint8_t *)mfn_to_virt(v->domain->xen->machine, mfn) + PAGE_OFFSET(va),
               part);
    }
    return 0;
}

static int pv_copy_to(struct vcpu *v, uint64_t dst, const void *src, size_t n)
{
    struct machine *m = v->domain->xen->machine;

    for (size_t done = 0, part; done < n; done += part) {
        const uint64_t va = dst + done;
        const mfn_t mfn = guest_frame(v, va, true);

        if (mfn_eq(mfn, INVALID_MFN))
            return -EFAULT;
        part = in_page(va, n - done);
        memcpy((uint8_t *)frame_write_begin(m, mfn) + PAGE_OFFSET(va), (const uint8_t *)src + done, part);
        frame_write_end(m, mfn);
    }
    return 0;
}

const struct caller_mem_ops pv_caller_mem = {
    .name = "PV guest", .copy_from = pv_copy_from, .copy_to = pv_copy_to, .okay = pv_okay
};

/* --- HVM: as its kernel would, with A and D bits --- */

bool nested_set_bits(struct machine *m, const struct nested_walk *w)
{
    bool any = false;

    for (unsigned int i = 0; i < w->nr; i++) {
        const struct nested_step *s = &w->step[i];

        if (s->set)
            frame_write_bits(m, s->phys, s->entry | s->set, s->size);
        any |= s->set != 0;
    }
    return any;
}

enum nested_result hvm_walk(struct vcpu *v, uint64_t va, uint32_t access, struct nested_walk *w)
{
    walk_hvm(v, va, access, w);
    if (w->result == NESTED_OK || (w->result == NESTED_NPF && !w->table))
        nested_set_bits(v->domain->xen->machine, w);
    return w->result;
}

bool hvm_access(struct vcpu *v, uint64_t va, void *buf, size_t n, uint32_t access, struct nested_walk *w, uint64_t *at)
{
    struct machine *m = v->domain->xen->machine;

    for (size_t done = 0, part; done < n; done += part) {
        mfn_t mfn;

        *at = v->regs->efer & EFER_LMA ? va + done : (uint32_t)(va + done);
        if (hvm_walk(v, *at, access, w) != NESTED_OK)
            return false;
        mfn = _mfn(PFN_DOWN(w->phys));
        part = in_page(*at, n - done);
        if (!buf)
            continue;
        if (access & PFEC_write_access) {
            memcpy((uint8_t *)frame_write_begin(m, mfn) + PAGE_OFFSET(w->phys), (const uint8_t *)buf + done, part);
            frame_write_end(m, mfn);
        } else {
            memcpy((uint8_t *)buf + done, (const uint8_t *)mfn_to_virt(m, mfn) + PAGE_OFFSET(w->phys), part);
        }
    }
    return true;
}

/* --- native code: what it names is here already --- */

static bool native_okay(const struct vcpu *v, uint64_t addr, size_t n) { return true; }

static int native_copy_from(struct vcpu *v, void *dst, uint64_t src, size_t n)
{
    if (n && !src)
        return -EFAULT;
    memcpy(dst, (const void *)(uintptr_t)src, n);
    return 0;
}

static int native_copy_to(struct vcpu *v, uint64_t dst, const void *src, size_t n)
{
    if (n && !dst)
        return -EFAULT;
    memcpy((void *)(uintptr_t)dst, src, n);
    return 0;
}

const struct caller_mem_ops native_caller_mem = {
    .name = "native code", .copy_from = native_copy_from, .copy_to = native_copy_to, .okay = native_okay
};

/* --- instructions, and looking on --- */

static size_t peek(struct vcpu *v, uint64_t va, uint8_t *buf, size_t n, uint32_t access)
{
    size_t done = 0;

    while (done < n && v->regs) {
        const size_t part = in_page(va + done, n - done);
        uint32_t pfec = access;
        mfn_t mfn = guest_walk(v, va + done, &pfec);

        if (mfn_eq(mfn, INVALID_MFN))
            break;
        memcpy(buf + done, (const uint8_t *)mfn_to_virt(v->domain->xen->machine, mfn) + PAGE_OFFSET(va + done), part);
        done += part;
    }
    return done;
}

size_t guest_fetch_insn(struct vcpu *v, uint64_t va, uint8_t *buf, size_t n)
{
    /* With SMEP a kernel may not fetch what its user may. */
    const bool user = is_hvm_domain(v->domain) && v->regs->cpl == 3;

    return peek(v, va, buf, n, PFEC_insn_fetch | (user ? PFEC_user_mode : 0));
}

size_t guest_peek(struct vcpu *v, uint64_t va, void *buf, size_t n) { return peek(v, va, buf, n, 0); }
