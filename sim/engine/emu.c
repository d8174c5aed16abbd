// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Switching the engine on: memory, host mode, VMRUN, hooks (see emu.h).
 *
 * Concept: what a hypervisor does once a CPU before its first guest (Xen: arch/x86/hvm/svm/svm.c, vmcb.c): build the
 * host's page tables, turn on EFER.SVME, name a host save area, fill a VMCB with what to intercept, VMRUN. The guest it
 * enters is a dummy whose first instruction fetch faults; the state at that moment is the template of every vCPU with
 * the same controls. The first vCPU with others goes through all of this once more, from the reset state.
 */
#include "sim/engine/emu.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sim/vmcb.h"

#ifdef __SANITIZE_ADDRESS__
/*
 * Unicorn does not give back all it allocated when it is closed, nor libedit its copies (wcsdup) of the names of
 * EL_ADDFN, nor fontconfig, which librsvg asks, its lists, nor libdbus, which SDL asks, its own; that is not ours to
 * report, nor is to be found among what the program says.
 */
const char *__lsan_default_suppressions(void), *__lsan_default_options(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libunicorn.so\nleak:wcsdup\nleak:libfontconfig.so\nleak:libdbus-1.so\n";
}
const char *__lsan_default_options(void) { return "print_suppressions=0"; }
#endif

/* ------------------------------------------------------------------------------------------- running, stopping -- */

static void hook_intr(uc_engine *uc, uint32_t intno, void *data)
{
    struct emu *e = data;

    if (e->stop == EMU_STOP_NONE)
        e->intno = intno;
    if (e->entering) {
        emu_run_check(e, EMU_RUN_INSIDE);
        emu_stop(e, EMU_STOP_INTR);
        emu_run_check(e, EMU_RUN_STOPPING);
        return;
    }
    emu_leave(e, EMU_STOP_INTR);
}

uc_err emu_run(struct emu *e)
{
    struct emu *outer = emu_running;
    bool interrupted;
    uc_err err;

    emu_running = e;
    do {
        emu_run_begins(e);
        if (e->smc.buffer_full)
            emu_smc_flush_all(e);
        err = emu_enter(e);
        interrupted = e->stop >= EMU_STOP_FLUSH && e->stop <= EMU_STOP_USUAL;
        if (interrupted)
            emu_count_resume(e);
    } while (interrupted);
    emu_running = outer;
    return err;
}

/* ------------------------------------------------------------------------------------------------------- set-up -- */

/* wrmsr EFER; wrmsr VM_HSAVE_PA; load the host's page tables; VMRUN. Registers are set from outside. */
static const uint8_t boot_code[] = {
    0x0f, 0x22, 0xe7,                         /* mov  %rdi, %cr4                  */
    0x0f, 0x22, 0xde,                         /* mov  %rsi, %cr3                  */
    0x0f, 0x30,                               /* wrmsr        EFER <- edx:eax     */
    0x41, 0x0f, 0x22, 0xc0,                   /* mov  %r8, %cr0                   */
    0xb9, 0x17, 0x01, 0x01, 0xc0,             /* mov  $0xc0010117, %ecx           */
    0x44, 0x89, 0xc8,                         /* mov  %r9d, %eax                  */
    0x4c, 0x89, 0xca, 0x48, 0xc1, 0xea, 0x20, /* mov  %r9, %rdx; shr $32, %rdx    */
    0x0f, 0x30,                               /* wrmsr        VM_HSAVE_PA         */
    0x4c, 0x89, 0xd0,                         /* mov  %r10, %rax                  */
    0x0f, 0x01, 0xda,                         /* vmload %rax                      */
    0x0f, 0x01, 0xd8,                         /* vmrun  %rax                      */
};

static void page_tables_build(struct emu *e)
{
    uint64_t *pml4 = emu_page(e, EMU_PAGE_PML4), *pdpt = emu_page(e, EMU_PAGE_PDPT);

    /* The identity, one gigabyte an entry. */
    pml4[0] = emu_page_addr(EMU_PAGE_PDPT) | 0x3;
    for (uint64_t i = 0; i < 512; i++)
        pdpt[i] = i << 30 | 0x83;
}

static void vmcb_build(struct emu *e, const struct vcpu_controls *controls)
{
    struct vmcb *v = emu_page(e, EMU_PAGE_VMCB);

    v->intercept_cr_read = controls->intercept_cr_read;
    v->intercept_cr_write = controls->intercept_cr_write;
    v->intercept_dr_read = controls->intercept_dr_read;
    v->intercept_dr_write = controls->intercept_dr_write;
    v->intercept_exceptions = controls->intercept_exceptions;
    v->intercepts1 = controls->intercepts1;
    v->intercepts2 = controls->intercepts2;
    v->asid = 1;
    v->cs = (struct vmcb_segment){ 0x33, 0xafb, ~0u, 0 };
    v->ss = v->ds = v->es = v->fs = v->gs = (struct vmcb_segment){ 0x2b, 0xcf3, ~0u, 0 };
    v->tr = (struct vmcb_segment){ 0x40, 0x8b, 0x67, 0 };
    v->cpl = 3;
    v->efer = EFER_SVME | EFER_NXE | EFER_LMA | EFER_LME | EFER_SCE;
    v->cr0 = PV_CR0_FIXED;
    v->cr4 = PV_CR4_FIXED;
    v->cr3 = emu_page_addr(EMU_PAGE_PML4); /* no entry for users: the first fetch faults */
    v->dr6 = X86_DR6_DEFAULT;
    v->dr7 = X86_DR7_DEFAULT;
    v->rflags = X86_EFLAGS_MBS | X86_EFLAGS_IF;
    v->rip = 0x1000;
}

/* From reset to guest mode. */
static bool guest_mode_enter(struct emu *e, const struct vcpu_controls *controls)
{
    const uint64_t set[][2] = {
        { UC_X86_REG_RDI, PV_CR4_FIXED },
        { UC_X86_REG_RSI, emu_page_addr(EMU_PAGE_PML4) },
        { UC_X86_REG_RCX, 0xc0000080 },
        { UC_X86_REG_RAX, EFER_SVME | EFER_NXE | EFER_LME | EFER_LMA | EFER_SCE },
        { UC_X86_REG_RDX, 0 },
        { UC_X86_REG_R8, PV_CR0_FIXED },
        { UC_X86_REG_R9, emu_page_addr(EMU_PAGE_HSAVE) },
        { UC_X86_REG_R10, emu_page_addr(EMU_PAGE_VMCB) },
        { UC_X86_REG_RIP, emu_page_addr(EMU_PAGE_BOOT) },
    };

    memcpy(emu_page(e, EMU_PAGE_BOOT), boot_code, sizeof(boot_code));
    page_tables_build(e);
    vmcb_build(e, controls);
    for (size_t i = 0; i < ARRAY_SIZE(set); i++)
        uc_reg_write(e->uc, (int)set[i][0], &set[i][1]);
    emu_count_start(e, &(struct pcpu_budget){ .insns = EMU_MAX_BUDGET, .exact = true, .stop_after = PCPU_NO_STOP });
    e->entering = true;
    emu_run(e);
    e->entering = false;
    emu_run_check(e, EMU_RUN_OVER);
    return e->stop == EMU_STOP_INTR && e->intno == 0x100 + SVM_EXIT_EXCEPTION + X86_EXC_PF;
}

static uc_context *guest_mode_new(struct emu *e, const struct vcpu_controls *controls)
{
    struct emu_guest_mode *g = &e->guest_mode[e->nr_guest_modes];

    BUG_ON(e->nr_guest_modes == EMU_GUEST_MODES);
    if (!guest_mode_enter(e, controls) || uc_context_alloc(e->uc, &g->state))
        return NULL;
    g->controls = *controls;
    e->nr_guest_modes++;
    return uc_context_save(e->uc, g->state) ? NULL : g->state;
}

uc_context *emu_guest_mode(struct emu *e, const struct vcpu_controls *controls)
{
    uc_context *state;

    for (unsigned int i = 0; i < e->nr_guest_modes; i++)
        if (!memcmp(&e->guest_mode[i].controls, controls, sizeof(*controls)))
            return e->guest_mode[i].state;
    BUG_ON(uc_context_restore(e->uc, e->reset));
    e->nested.on = false; /* whoever was loaded: the way there is the engine's own */
    emu_tlb_flush(e);
    state = guest_mode_new(e, controls);
    BUG_ON(!state);
    emu_tlb_flush(e);
    return state;
}

static bool hooks_add(struct emu *e)
{
    uc_hook h;

    return !uc_hook_add(e->uc, &h, UC_HOOK_INTR, (void *)hook_intr, e, 1, 0) && !uc_ctl_exits_enable(e->uc);
}

/* Addresses of devices, where no device is: a bus that nobody answers on. */
static uint64_t empty_read(uc_engine *uc, uint64_t offset, unsigned int size, void *data)
{
    (void)uc, (void)offset, (void)size, (void)data;
    return UINT64_MAX;
}

static void empty_write(uc_engine *uc, uint64_t offset, unsigned int size, uint64_t value, void *data)
{
    (void)uc, (void)offset, (void)size, (void)value, (void)data;
}

/* Between RAM and 4 GiB: who may map that (mmu/page.h, mfn_is_iomem()) reads ones, and what it writes is lost. */
static uc_err map_empty(struct emu *e, uint64_t ram)
{
    const uint64_t end = UINT64_C(1) << 32;

    return ram < end ? uc_mmio_map(e->uc, ram, end - ram, empty_read, NULL, empty_write, NULL) : UC_ERR_OK;
}

static uc_err open_unicorn(struct emu *e)
{
    const size_t ram = e->m->nr_frames << PAGE_SHIFT, priv = EMU_NR_PAGES * PAGE_SIZE;
    uc_err err = uc_open(UC_ARCH_X86, UC_MODE_64, &e->uc);

    err = err ?: uc_ctl_set_cpu_model(e->uc, UC_CPU_X86_EPYC);
    err = err ?: uc_ctl(e->uc, UC_CTL_WRITE(UC_CTL_TCG_BUFFER_SIZE, 1), EMU_TB_BUFFER);
    err = err ?: uc_mem_map_ptr(e->uc, 0, ram, UC_PROT_ALL, e->m->ram);
    err = err ?: map_empty(e, ram);
    return err ?: uc_mem_map_ptr(e->uc, EMU_PRIVATE, priv, UC_PROT_ALL, e->priv);
}

/* NULL, or what is wrong. */
static const char *start(struct emu *e)
{
    const char *why;

    e->priv = mmap(NULL, EMU_NR_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (e->priv == MAP_FAILED) {
        e->priv = NULL;
        return "no memory";
    }
    if (!emu_private_find(e))
        return "it is another version, or built in another way";
    if (open_unicorn(e))
        return "it cannot be opened with an EPYC processor and this much memory";
    why = raw_layout_find(&e->raw, e->uc);
    if (why)
        return why;
    if (!emu_sse_init())
        return "this host's processor has no SSE4.1";
    if (!emu_smc_init(e))
        return "no memory";
    if (!hooks_add(e))
        return "it refuses a hook";
    if (uc_context_alloc(e->uc, &e->reset) || uc_context_save(e->uc, e->reset))
        return "no memory for a processor context";
    if (!guest_mode_new(e, &PV_CONTROLS))
        return "its SVM does not work";
    emu_run_init(e, e->m->plain_engine);
    return NULL;
}

void emu_complain(char *err, size_t errlen, const char *why)
{
    unsigned int major, minor, version = uc_version(&major, &minor);

    snprintf(err, errlen, "Unicorn %u.%u.%u cannot be used: %s. Use Unicorn 2.1.1 (`make setup` gets it)", major, minor,
             version >> 8 & 0xff, why);
}

struct emu *emu_create(struct machine *m, char *err, size_t errlen)
{
    struct emu *e = calloc(1, sizeof(*e));
    const char *why = NULL;

    if (!e) {
        snprintf(err, errlen, "out of memory");
        return NULL;
    }
    e->m = m;
    if (m->nr_frames << PAGE_SHIFT > EMU_PRIVATE)
        why = "it can have less than 512 GiB of machine memory";
    else
        why = start(e);
    if (why) {
        emu_complain(err, errlen, why);
        emu_destroy(e);
        return NULL;
    }
    return e;
}

void emu_destroy(struct emu *e)
{
    for (unsigned int i = 0; i < e->nr_guest_modes; i++)
        uc_context_free(e->guest_mode[i].state);
    if (e->reset)
        uc_context_free(e->reset);
    if (e->uc) {
        emu_running = e;
        uc_close(e->uc);
        emu_running = NULL;
    }
    emu_smc_destroy(e);
    emu_lookup_destroy(e);
    emu_observe_destroy(e);
    if (e->priv)
        munmap(e->priv, EMU_NR_PAGES * PAGE_SIZE);
    free(e);
}
