// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an HVM guest's own system instructions do, where the library does nothing, or something that must leave.
 *
 * Concept: a PV guest executes none of these. An HVM guest has rings of its own, and as on real hardware most of what
 * its kernel does with them needs no hypervisor: SYSCALL and SYSRET, SYSENTER and SYSEXIT change the ring and go on.
 * The library's versions only call hooks, or read MSRs that are not in the engine but in struct cpu_state. Others it
 * carries out, although they must leave first: RDMSR and WRMSR (its MSRs are not the guest's); a far JMP, far CALL or
 * IRET that switches tasks, since it would load CR3, flags and segments from a TSS before anybody has looked.
 *
 * And interrupts: the library asks at each point where it could take one, if one waits, whether it is to be taken.
 * There the hypervisor is told that the guest can be interrupted now, if it wants to know (struct
 * cpu_state.want_intwin). That is at once with IF set, or behind the instruction that sets it, or behind the one after
 * STI.
 *
 * Sources: AMD APM volume 2, 6.1 (SYSCALL, SYSRET, SYSENTER, SYSEXIT), 12.4 (task switches), 15.21.4 (interrupt
 * shadows); volume 3 (each instruction).
 */
#include <dlfcn.h>

#include "sim/engine/pcpu_private.h"
#include "sim/nested.h"
#include "sim/vmcb.h"

#define MMU_KERNEL 2 /* the MMU mode of ring 0 */

/* Flat segments of ring `dpl`, as SYSCALL and its kind load them without a look at the GDT. */
static void flat(struct raw_cpu *r, unsigned int seg, uint16_t sel, unsigned int dpl, uint32_t size)
{
    const uint32_t type = seg == CPU_SEG_CS ? 0xb00 : 0x300;

    *raw_seg(r, seg) = (struct raw_segment){
        .selector = sel,
        .limit = ~0u,
        .flags = type | _SEGMENT_S | _SEGMENT_P | _SEGMENT_G | dpl << _SEGMENT_DPL_SHIFT | size,
    };
}

/* The rest of a change of rings: privilege and the size of code. Segments are flat. */
static void ring(struct raw_cpu *r, unsigned int cpl, bool code64)
{
    const uint32_t hf =
        raw_get(r, hflags, uint32_t) & ~(RAW_HF_CPL | RAW_HF_CS64 | RAW_HF_CS32 | RAW_HF_SS32 | RAW_HF_ADDSEG);

    raw_set(r, hflags, uint32_t, hf | cpl | RAW_HF_CS32 | RAW_HF_SS32 | (code64 ? RAW_HF_CS64 : 0));
    emu_segments_changed(emu_running);
    emu_count_cpl(emu_running);
}

/* -------------------------------------------------------------------------------------------- SYSCALL, SYSENTER -- */

static const struct cpu_state *guest(const struct emu *e) { return &e->loaded->state; }

static void syscall_native(struct emu *e, struct CPUX86State *env, int len, uintptr_t host_pc)
{
    struct raw_cpu *r = &e->raw;
    const struct cpu_state *st = guest(e);
    const uint64_t flags = raw_get_rflags(r, true) & ~(uint64_t)X86_EFLAGS_RF;
    const uint16_t sel = (uint16_t)(st->star >> 32);
    const bool long_mode = st->efer & EFER_LMA;
    const uint64_t next = raw_get(r, eip, uint64_t) + (uint64_t)(int64_t)len;

    if (!(st->efer & EFER_SCE) || !(st->cr0 & X86_CR0_PE))
        raise_exception_err_ra_x86_64(env, TRAP_invalid_op, 0, host_pc);
    raw_gprs(r)[1] = long_mode ? next : (uint32_t)next;
    if (long_mode) {
        raw_gprs(r)[11] = flags;
        raw_set(r, eip, uint64_t, raw_get(r, hflags, uint32_t) & RAW_HF_CS64 ? st->lstar : st->cstar);
        raw_set_rflags(r, flags & ~st->sfmask, true);
    } else {
        raw_set(r, eip, uint64_t, (uint32_t)st->star);
        raw_set_rflags(r, flags & ~(uint64_t)(X86_EFLAGS_VM | X86_EFLAGS_IF), true);
    }
    flat(r, CPU_SEG_CS, sel & 0xfffc, 0, long_mode ? _SEGMENT_L : _SEGMENT_DB);
    flat(r, CPU_SEG_SS, (uint16_t)((sel & 0xfffc) + 8), 0, _SEGMENT_DB);
    ring(r, 0, long_mode);
}

/* In place of Unicorn's own, which does nothing but call hooks. The block ends behind it. */
void HELPER(syscall)(struct CPUX86State *env, int len)
{
    struct emu *e = emu_running;

    if (e->nested.on) {
        syscall_native(e, env, len, RETADDR);
        return;
    }
    raw_set(&e->raw, eip, uint64_t, raw_get(&e->raw, eip, uint64_t) + (uint64_t)(int64_t)len);
    emu_leave(e, EMU_STOP_SYSCALL);
}

/* size: of the operand, 2: 64 bits. */
void HELPER(sysret)(struct CPUX86State *env, int size)
{
    struct emu *e = emu_running;
    struct raw_cpu *r = &e->raw;
    const struct cpu_state *st = guest(e);
    const uint16_t sel = (uint16_t)(st->star >> 48);
    const bool long_mode = st->efer & EFER_LMA, code64 = long_mode && size == 2;
    uint64_t flags = raw_get_rflags(r, true);

    if (!(st->efer & EFER_SCE))
        raise_exception_err_ra_x86_64(env, TRAP_invalid_op, 0, RETADDR);
    if (!(st->cr0 & X86_CR0_PE) || (raw_get(r, hflags, uint32_t) & RAW_HF_CPL))
        raise_exception_err_ra_x86_64(env, TRAP_gp_fault, 0, RETADDR);
    raw_set(r, eip, uint64_t, code64 ? raw_gprs(r)[1] : (uint32_t)raw_gprs(r)[1]);
    flags = long_mode ? raw_gprs(r)[11] & 0x3c7fd5 : flags | X86_EFLAGS_IF;
    raw_set_rflags(r, flags, true);
    flat(r, CPU_SEG_CS, (uint16_t)((sel + (code64 ? 16 : 0)) | 3), 3, code64 ? _SEGMENT_L : _SEGMENT_DB);
    flat(r, CPU_SEG_SS, (uint16_t)((sel + 8) | 3), 3, _SEGMENT_DB);
    ring(r, 3, code64);
}

/* Not in long mode, nor real mode: the gate and the translator refuse it there. */
void HELPER(sysenter)(struct CPUX86State *env, int len)
{
    struct emu *e = emu_running;
    struct raw_cpu *r = &e->raw;

    if (!e->nested.on) {
        raw_set(r, eip, uint64_t, raw_get(r, eip, uint64_t) + (uint64_t)(int64_t)len);
        emu_leave(e, EMU_STOP_SYSENTER);
        return;
    }
    if (!(guest(e)->sysenter_cs & 0xfffc))
        raise_exception_err_ra_x86_64(env, TRAP_gp_fault, 0, RETADDR);
    raw_set_rflags(r, raw_get_rflags(r, true) & ~(uint64_t)(X86_EFLAGS_VM | X86_EFLAGS_IF | X86_EFLAGS_RF), true);
    raw_gprs(r)[4] = (uint32_t)guest(e)->sysenter_esp;
    raw_set(r, eip, uint64_t, (uint32_t)guest(e)->sysenter_eip);
    flat(r, CPU_SEG_CS, guest(e)->sysenter_cs & 0xfffc, 0, _SEGMENT_DB);
    flat(r, CPU_SEG_SS, (uint16_t)((guest(e)->sysenter_cs & 0xfffc) + 8), 0, _SEGMENT_DB);
    ring(r, 0, false);
}

void HELPER(sysexit)(struct CPUX86State *env, int size)
{
    struct emu *e = emu_running;
    struct raw_cpu *r = &e->raw;
    const uint16_t sel = guest(e)->sysenter_cs & 0xfffc;

    if (!sel || (raw_get(r, hflags, uint32_t) & RAW_HF_CPL))
        raise_exception_err_ra_x86_64(env, TRAP_gp_fault, 0, RETADDR);
    raw_gprs(r)[4] = (uint32_t)raw_gprs(r)[1];
    raw_set(r, eip, uint64_t, (uint32_t)raw_gprs(r)[2]);
    flat(r, CPU_SEG_CS, (uint16_t)((sel + 16) | 3), 3, _SEGMENT_DB);
    flat(r, CPU_SEG_SS, (uint16_t)((sel + 24) | 3), 3, _SEGMENT_DB);
    ring(r, 3, false);
}

/* --------------------------------------------------------------------------------------------------------- MSRs -- */

/* The library's API, by which an engine is set up, and the host's own few instructions come here, too. */
static bool is_guest(void) { return emu_running && emu_running->nested.on && !emu_running->entering; }

static void library(const char *name, struct CPUX86State *env)
{
    void *sym = dlsym(RTLD_NEXT, name);
    void (*real)(struct CPUX86State *);

    memcpy(&real, &sym, sizeof(sym));
    real(env);
}

void HELPER(rdmsr)(struct CPUX86State *env)
{
    if (is_guest())
        cpu_vmexit_x86_64(env, SVM_EXIT_MSR, 0, RETADDR);
    library("helper_rdmsr_x86_64", env);
}

void HELPER(wrmsr)(struct CPUX86State *env)
{
    if (is_guest())
        cpu_vmexit_x86_64(env, SVM_EXIT_MSR, 1, RETADDR);
    library("helper_wrmsr_x86_64", env);
}

/* --------------------------------------------------------------------------------------- what is to be refused -- */

/* Long mode's CR3 has no bits above the processor's addresses. APM volume 2, 5.3.2. */
void HELPER(write_crN)(struct CPUX86State *env, int cr, uint64_t value)
{
    if (cr == 3 && is_guest() && guest(emu_running)->efer & EFER_LMA && value >> NESTED_PADDR_BITS)
        raise_exception_err_ra_x86_64(env, TRAP_gp_fault, 0, RETADDR);
    emu_running->real.write_crN(env, cr, value);
}

/* -------------------------------------------------------------------------------------------------------- tasks -- */

static void task_switch(struct emu *e, struct CPUX86State *env, uint16_t sel, uint8_t why, uintptr_t host_pc)
{
    e->task_sel = sel;
    e->task_why = why;
    cpu_vmexit_x86_64(env, SVM_EXIT_TASK_SWITCH, sel, host_pc);
}

/*
 * The library's versions take the address that they return to for one of translated code, which it is not when they are
 * called from here: what faults in them would be counted as executed. So they are told (emu_count.helper_pc).
 */

/* Does the selector name a TSS (of 16 or 32 bits, busy or not) or a task gate? May fault, as the instruction would. */
static bool names_task(struct emu *e, struct CPUX86State *env, uint16_t sel, uintptr_t host_pc)
{
    const struct raw_segment *t = raw_table(&e->raw, sel & 4 ? e->raw.at.ldt : e->raw.at.gdt);
    uint32_t upper, type;

    if ((guest(e)->efer & EFER_LMA) || !(sel & 0xfffc) || (sel | 7u) > t->limit)
        return false;
    upper = (uint32_t)cpu_ldl_mmuidx_ra_x86_64(env, t->base + (sel & 0xfff8) + 4, MMU_KERNEL, host_pc);
    type = upper >> 8 & 0x1f;
    return type == 1 || type == 3 || type == 5 || type == 9 || type == 11;
}

void HELPER(ljmp_protected)(struct CPUX86State *env, int sel, uint64_t offset, uint64_t next_eip)
{
    struct emu *e = emu_running;

    if (e->nested.on && names_task(e, env, (uint16_t)sel, RETADDR))
        task_switch(e, env, (uint16_t)sel, TASK_JMP, RETADDR);
    if (emu_far_limited(e))
        emu_far_to(e, env, (uint16_t)sel, (uint32_t)offset, 0, RETADDR);
    e->count.helper_pc = RETADDR;
    e->real.ljmp_protected(env, sel, offset, next_eip);
    e->count.helper_pc = 0;
    emu_segments_changed(e);
}

void HELPER(lcall_protected)(struct CPUX86State *env, int sel, uint64_t offset, int size, uint64_t next_eip)
{
    struct emu *e = emu_running;

    if (e->nested.on && names_task(e, env, (uint16_t)sel, RETADDR))
        task_switch(e, env, (uint16_t)sel, TASK_CALL, RETADDR);
    if (emu_far_limited(e))
        emu_far_to(e, env, (uint16_t)sel, (uint32_t)offset, 2u << size, RETADDR);
    e->count.helper_pc = RETADDR;
    e->real.lcall_protected(env, sel, offset, size, next_eip);
    e->count.helper_pc = 0;
    emu_segments_changed(e);
    emu_count_cpl(e);
}

/* Behind an IRET there may be NMIs again: does the hypervisor have one? The block ends here. */
static void nmis_again(struct emu *e)
{
    struct cpu_state *st = &e->loaded->state;

    if (!e->nested.on || !st->nmi_blocked)
        return;
    st->nmi_blocked = false;
    if (!st->want_nmiwin)
        return;
    e->intno = 0x100 + SVM_EXIT_VINTR;
    emu_leave(e, EMU_STOP_INTR);
}

void HELPER(iret_real)(struct CPUX86State *env, int size)
{
    struct emu *e = emu_running;

    e->count.helper_pc = RETADDR;
    e->real.iret_real(env, size);
    e->count.helper_pc = 0;
    nmis_again(e);
}

void HELPER(iret_protected)(struct CPUX86State *env, int size, int next_eip)
{
    struct emu *e = emu_running;

    if (e->nested.on && !(guest(e)->efer & EFER_LMA) && raw_get(&e->raw, eflags, uint64_t) & X86_EFLAGS_NT)
        task_switch(e, env, 0, TASK_IRET, RETADDR);
    if (emu_far_limited(e))
        emu_far_iret(e, env, 2u << size, RETADDR);
    e->count.helper_pc = RETADDR;
    e->real.iret_protected(env, size, next_eip);
    e->count.helper_pc = 0;
    emu_segments_changed(e);
    nmis_again(e);
}

/* --------------------------------------------------------------------------------------------------- interrupts -- */

/* True: something has happened. */
bool x86_cpu_exec_interrupt_x86_64(struct CPUState *cpu, int request)
{
    struct emu *e = emu_running;

    if (e->segments_due) {
        e->segments_due = false;
        emu_segments_changed(e);
        emu_want_interrupt(e, e->nested.on && guest(e)->want_intwin);
    }
    if (!e->nested.on || !guest(e)->want_intwin || e->stop != EMU_STOP_NONE ||
        !(raw_get(&e->raw, eflags, uint64_t) & X86_EFLAGS_IF) ||
        (raw_get(&e->raw, hflags, uint32_t) & RAW_HF_INHIBIT_IRQ))
        return false;
    emu_want_interrupt(e, false);
    e->intno = 0x100 + SVM_EXIT_VINTR;
    emu_leave(e, EMU_STOP_INTR);
    return true;
}
