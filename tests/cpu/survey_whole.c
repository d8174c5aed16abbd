// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The survey in a domain: each case through the whole hypervisor.
 *
 * Concept: the domain builder makes a PV64 or a PV32 guest of a kernel that is a few notes only. The survey plays the
 * kernel's set-up, by hypercalls in its name: a stack, a trap handler a vector, user page tables (the kernel's own:
 * users see all of the guest, which is no business of the survey's). For a case the code is written into the guest, the
 * vCPU's registers are set as if its kernel had gone there, and the machine runs on. Where it stands afterwards says
 * what came of it:
 *
 *      B = 2 MiB above the kernel's base, pages from there:
 *
 *       0  code: CMP, the case, NOPs, and "jmp ." at the end     8  a "jmp ." for each handler: vectors 0 to 255,
 *       2  a page full of the case                                   SYSCALL of 64-bit and 32-bit users, failsafe
 *       3  nothing is mapped                                    20  data, 28 the kernel's stack for traps, 38 stack
 *
 * A domain may crash only if its kernel did what crashes it on Xen: lost its stack, so that no trap frame can be
 * written.
 *
 * Could pass wrongly: what the instructions compute is not looked at, nor what the kernel's frame says but where it
 * came from.
 *
 * Budget: one harness, from the guest's making to the verdict.
 */
#include "tests/cpu/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/elfnote.h>
#include <xen/foreign/x86_32.h>

#include "labs/kit/kernel_file.h"
#include "mmu/guest_access.h"
#include "tools/build/build_pv.h"
#include "tools/xc/xc.h"
#include "vcpu/cpuid.h"
#include "vcpu/hypercall.h"
#include "vcpu/native/kernel.h"
#include "vcpu/pv/pv.h"
#include "vcpu/run.h"

#define PAGES         4096u /* of a guest: 16 MiB */
#define CODE          0u
#define FULL          2u
#define NOTHING       3u
#define HANDLERS      8u
#define DATA          20u
#define TRAP_STACK    30u
#define STACK         38u
#define CASE_AT       2u
#define SLED_END      64u
#define HANDLER_SIZE  8u
#define SYSCALL_ENTRY 256u /* numbers of handlers, behind the vectors */
#define SYSCALL32     257u
#define FAILSAFE      258u
#define NR_HANDLERS   259u
#define STEP          MICROSECS(4)
#define STEPS         500u

struct guest {
    struct domain *d;
    struct vcpu *v;
    uint64_t base;
    struct cpu_state init;
    struct pv_vcpu pv;
};

struct survey_whole {
    survey_features have;
    struct machine *m;
    struct xen *xen;
    struct native_kernel *dom0;
    struct xc_handle *xc;
    struct guest guest[2]; /* PV64, PV32 */
    uint8_t data[3 * PAGE_SIZE];
};

/* At the bottom of the address space, so that 32-bit code reaches it. */
static const struct kernel_spec kernel_low = {
    .paddr = 0x100000,
    .entry = 0x100000,
    .notes = { { XEN_ELFNOTE_GUEST_OS, "survey", 0, 0 },
               { XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 0, 0 },
               { XEN_ELFNOTE_VIRT_BASE, NULL, 0, 8 },
               { XEN_ELFNOTE_PADDR_OFFSET, NULL, 0, 8 },
               { XEN_ELFNOTE_ENTRY, NULL, 0x100010, 8 },
               { XEN_ELFNOTE_LOADER, "generic", 0, 0 } },
};

static uint64_t place(const struct guest *g, unsigned int page) { return g->base + page * PAGE_SIZE; }
static uint64_t handler(const struct guest *g, unsigned int n) { return place(g, HANDLERS) + n * HANDLER_SIZE; }
static bool is32(const struct guest *g) { return is_pv_32bit_domain(g->d); }

/*
 * --------------------------------------------------------------------------------------------------------- set-up --
 */

static long hypercall(struct guest *g, unsigned int nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    struct cpu_state *r = g->v->regs;

    r->rax = nr;
    if (is32(g)) {
        r->rbx = a1, r->rcx = a2, r->rdx = a3, r->rsi = a4;
        compat_hypercall_guest(g->v);
    } else {
        r->rdi = a1, r->rsi = a2, r->rdx = a3, r->r10 = a4;
        hypercall_guest(g->v);
    }
    return is32(g) ? (int32_t)r->rax : (long)r->rax;
}

static void put(struct guest *g, uint64_t addr, const void *bytes, size_t n)
{
    BUG_ON(copy_to_guest(g->v, addr, bytes, n));
}

/* A user root: the kernel's own. */
static void set_user_root(struct guest *g)
{
    const struct mmuext_op op = { .cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = mfn_x(g->v->pv.guest_table) };

    put(g, place(g, DATA), &op, sizeof(op));
    BUG_ON(hypercall(g, __HYPERVISOR_mmuext_op, place(g, DATA), 1, 0, DOMID_SELF));
}

static void unmap_nothing(struct guest *g)
{
    if (is32(g))
        BUG_ON(hypercall(g, __HYPERVISOR_update_va_mapping, place(g, NOTHING), 0, 0, UVMF_INVLPG));
    else
        BUG_ON(hypercall(g, __HYPERVISOR_update_va_mapping, place(g, NOTHING), 0, UVMF_INVLPG, 0));
}

static void set_handlers(struct guest *g)
{
    const uint16_t cs = is32(g) ? pv32_abi.flat_kernel_cs : FLAT_KERNEL_CS;
    struct pv_vcpu *pv = &g->v->pv;

    for (unsigned int i = 0; i < NR_HANDLERS; i++)
        put(g, handler(g, i), "\xeb\xfe", 2);
    for (unsigned int i = 0; i < 256; i++)
        pv->trap_ctxt[i] = (struct trap_info){ (uint8_t)i, i == 3 || i == 4 ? 3 : 0, cs, handler(g, i) };
    pv->syscall_callback_eip = handler(g, SYSCALL_ENTRY);
    pv->syscall32_callback_eip = handler(g, SYSCALL32);
    pv->syscall32_callback_cs = cs;
    pv->failsafe_callback_eip = handler(g, FAILSAFE);
    pv->failsafe_callback_cs = cs;
    pv->kernel_sp = place(g, TRAP_STACK);
    pv->kernel_ss = is32(g) ? 0xe021 : FLAT_KERNEL_SS;
}

static void guest_create(struct survey_whole *s, struct guest *g, bool narrow)
{
    char err[IMAGE_ERR_SIZE] = "";
    struct pv_build b = { .nr_pages = PAGES, .max_pages = PAGES, .max_vcpus = 1 };

    if (kernel_build(s->xc, narrow ? &kernel_legacy32 : &kernel_low, &b, err)) {
        fprintf(stderr, "no guest: %s\n", err);
        abort();
    }
    g->d = get_domain_by_id(s->xen, b.domid);
    put_domain(g->d);
    g->v = g->d->vcpu[0];
    g->base = (narrow ? UINT64_C(0xc0000000) : 0) + 0x200000;
    if (!narrow) { /* as a kernel does that knows of it */
        g->v->pv.ctrlreg[4] |= X86_CR4_FSGSBASE;
        g->v->regs->cr4 |= X86_CR4_FSGSBASE;
        set_user_root(g);
    }
    g->init = *g->v->regs;
    unmap_nothing(g);
    set_handlers(g);
    g->pv = g->v->pv;
    g->v->vcpu_info->evtchn_upcall_mask = 1;
}

static void machine_up(struct survey_whole *s)
{
    const struct machine_config cfg = { .ram_mib = 128, .nr_pcpus = 1, .seed = 1 };
    char err[256] = "";

    s->m = machine_create(&cfg, err, sizeof(err));
    s->xen = s->m ? xen_create(s->m, "rr", err, sizeof(err)) : NULL;
    if (!s->xen) {
        fprintf(stderr, "no machine: %s\n", err);
        abort();
    }
    s->dom0 = native_kernel_create(s->xen->dom0, NULL, 0);
    s->xc = xc_interface_open(native_vcpu(s->dom0));
    guest_create(s, &s->guest[0], false);
    guest_create(s, &s->guest[1], true);
}

static void machine_down(struct survey_whole *s)
{
    xc_interface_close(s->xc);
    xen_destroy(s->xen);
    native_kernel_destroy(s->dom0);
    machine_destroy(s->m);
}

static void leaf(void *data, uint32_t n, uint32_t subleaf, uint32_t regs[4])
{
    const struct survey_whole *s = data;
    const struct cpuid_leaf l = guest_cpuid(s->guest[0].v, n, subleaf);

    regs[0] = l.a, regs[1] = l.b, regs[2] = l.c, regs[3] = l.d;
}

struct survey_whole *survey_whole_create(void)
{
    struct survey_whole *s = calloc(1, sizeof(*s));

    BUG_ON(!s);
    machine_up(s);
    s->have = survey_features_read(leaf, s);
    return s;
}

void survey_whole_destroy(struct survey_whole *s)
{
    if (!s)
        return;
    machine_down(s);
    free(s);
}

survey_features survey_announced(void)
{
    struct survey_whole *s = survey_whole_create();
    const survey_features have = s->have;

    survey_whole_destroy(s);
    return have;
}

/*
 * ---------------------------------------------------------------------------------------------------------- a run --
 */

static void set_segments(struct guest *g, enum survey_mode mode)
{
    static const uint16_t code[] = { FLAT_KERNEL_CS, 0xe023, 0xe019, FLAT_KERNEL_CS, 0xe02b };
    static const uint16_t stack[] = { 0xe02b, 0xe02b, 0xe021, 0xe02b, 0xe033 };

    BUG_ON(!pv_load_segment(g->v, CPU_SEG_CS, code[mode]));
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        if (i != CPU_SEG_CS)
            BUG_ON(!pv_load_segment(g->v, i, stack[mode]));
}

/* The vCPU as if the guest's kernel had gone to rip in this mode. */
static void enter(struct guest *g, enum survey_mode mode, uint64_t rip)
{
    struct vcpu *v = g->v;
    struct cpu_state *r = v->regs;
    const bool kernel = mode == SURVEY_RING1 || mode == SURVEY_KERNEL64;

    if (!is32(g) && v->pv.kernel_mode != kernel)
        toggle_guest_mode(v);
    memcpy(v->pv.ctrlreg, g->pv.ctrlreg, sizeof(v->pv.ctrlreg));
    v->pv.iopl = g->pv.iopl;
    v->pv.gs_base_user = 0;
    v->pv.dr7_emul = 0;
    for (unsigned int i = 0; i < 16; i++)
        r->gpr[i] = survey_is_64(mode) || i < 8 ? place(g, DATA + 1) + (i & 1 ? 0xd40 : 0x740) : 0;
    r->rcx = 3;
    r->rdx = 0xe02b;
    r->rsp = place(g, STACK + 2) + 0x100;
    r->rip = rip;
    r->rflags = 0x202;
    memcpy(r->dr, g->init.dr, sizeof(r->dr));
    memcpy(r->fxsave, g->init.fxsave, sizeof(r->fxsave));
    r->cr0 = g->init.cr0;
    r->dirty = CPU_DIRTY_ALL;
    set_segments(g, mode);
    v->vcpu_info->evtchn_upcall_mask = 1;
    v->vcpu_info->evtchn_upcall_pending = 0;
    v->nmi_pending = false;
    vcpu_unblock(v);
}

static bool at_rest(const struct guest *g, uint64_t end)
{
    const uint64_t rip = g->v->regs->rip;

    return rip == end || (rip >= handler(g, 0) && rip < handler(g, NR_HANDLERS)) || g->d->is_shutting_down ||
           !vcpu_runnable(g->v);
}

static void run(struct survey_whole *s, struct guest *g, uint64_t end)
{
    const bool stop = false;
    unsigned int n = 0;

    BUG_ON(xc_domain_unpause(s->xc, g->d->domain_id));
    do
        xen_run(s->xen, s->m->clock.now + STEP, &stop);
    while (!at_rest(g, end) && ++n < STEPS);
    while (s->xen->run.phase == RUN_EXIT)
        xen_run(s->xen, s->m->clock.now + 1, &stop);
    xen_interrupt(s->xen, s->m->clock.now);          /* we are no step of the machine */
    BUG_ON(xc_domain_pause(s->xc, g->d->domain_id)); /* the other guest's turn */
}

/*
 * ------------------------------------------------------------------------------------------------------- judgement --
 */

#define SAY(...) (snprintf(why, SURVEY_WHY, __VA_ARGS__), false)

/* On Xen, too, a kernel without a stack cannot be told of its trap. */
static bool lost_its_stack(const struct guest *g, enum survey_mode mode)
{
    const uint64_t sp = g->v->regs->rsp;

    if (mode != SURVEY_RING1 && mode != SURVEY_KERNEL64)
        return false;
    return sp < place(g, TRAP_STACK) || sp > place(g, STACK + 3) ||
           g->v->regs->seg[CPU_SEG_SS].sel != g->init.seg[CPU_SEG_SS].sel;
}

/* The address that the trap frame says the trap came from. */
static uint64_t frame_rip(const struct guest *g, unsigned int vector)
{
    const bool has_code = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
    uint64_t rip = 0;

    if (is32(g))
        return copy_from_guest(g->v, &rip, g->v->regs->rsp + (has_code ? 4 : 0), 4) ? 0 : rip;
    return copy_from_guest(g->v, &rip, g->v->regs->rsp + 16 + (has_code ? 8 : 0), 8) ? 0 : rip;
}

static bool judge_trap(const struct guest *g, const struct survey_expect *x, unsigned int n, uint64_t start,
                       char why[SURVEY_WHY])
{
    uint64_t from;

    if (n >= 256)
        return true;
    if (n == 6)
        return x->legality != LEGAL || SAY("#UD, but it is announced, and legal");
    if (x->legality == ILLEGAL)
        return SAY("vector %u: but it is %s", n, x->needs ? "not announced" : "illegal");
    if (n >= 32 || !((x->vectors | 0x1au) >> n & 1)) /* #DB, #BP, #OF */
        return SAY("vector %u", n);
    from = frame_rip(g, n);
    if (start && n >= 5 && !x->jumps && from != start)
        return SAY("vector %u is reported at %+ld", n, (long)(from - start));
    return true;
}

static bool judge(const struct guest *g, const struct survey_case *c, const struct survey_expect *x, uint64_t start,
                  uint64_t end, char why[SURVEY_WHY])
{
    const uint64_t rip = g->v->regs->rip;

    if (g->d->is_shutting_down || g->d->is_shut_down)
        return lost_its_stack(g, c->mode) || SAY("the domain is gone: %.70s", g->d->crash_reason);
    if (rip >= handler(g, 0) && rip < handler(g, NR_HANDLERS))
        return judge_trap(g, x, (unsigned int)(rip - handler(g, 0)) / HANDLER_SIZE, start, why);
    if (x->legality == ILLEGAL)
        return SAY("no #UD, but it is %s", x->needs ? "not announced" : "illegal");
    if (rip == end || x->jumps || x->repeats || !vcpu_runnable(g->v)) /* HLT */
        return true;
    return start == 0 || SAY("it stands at %+ld", (long)(rip - start));
}

static size_t fill(uint8_t code[PAGE_SIZE], const struct survey_case *c, unsigned int len, bool page)
{
    unsigned int at = (unsigned int)PAGE_SIZE % len;

    if (page) {
        memset(code, 0x90, at);
        for (; at < PAGE_SIZE; at += len)
            memcpy(code + at, c->bytes, len);
        return PAGE_SIZE;
    }
    memset(code, 0x90, SLED_END);
    memcpy(code, "\x39\xd8", 2); /* cmp %ebx, %eax */
    memcpy(code + CASE_AT, c->bytes, len);
    memcpy(code + SLED_END, "\xeb\xfe", 2);
    return SLED_END + 2;
}

bool survey_whole(struct survey_whole *s, const struct survey_case *c, bool page, char why[SURVEY_WHY])
{
    struct guest *g = &s->guest[c->mode == SURVEY_RING1 || c->mode == SURVEY_USER32];
    const struct survey_expect x = survey_expect(c, s->have);
    const uint64_t at = place(g, page ? FULL : CODE), end = place(g, CODE) + SLED_END;
    uint8_t code[PAGE_SIZE];
    bool good;

    put(g, at, code, fill(code, c, x.len ? x.len : c->len, page));
    enter(g, c->mode, at);
    run(s, g, end);
    good = judge(g, c, &x, page ? 0 : at + CASE_AT, end, why);
    if (g->d->is_shutting_down || g->d->is_shut_down) {
        machine_down(s);
        machine_up(s);
    }
    return good;
}
