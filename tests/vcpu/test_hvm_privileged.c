// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System instructions of HVM guests, in each mode and ring: which are carried out by the processor itself ("+"), which
 * leave, and for which exit, and which fault. Those that nothing of CPUID offers are #UD, SVM's among them: the engine
 * runs with EFER.SVME set, which the guest must not see.
 *
 * Columns: real mode; protected mode in ring 0, ring 3; virtual-8086 mode; long mode in ring 0, ring 3.
 */
#include "tests/vcpu/hvm.h"

#include "vcpu/hvm/emulate.h"

enum mode { REAL, RING0, RING3, VM86, LONG0, LONG3, NR_MODES };

#define I(code) code, sizeof(code) - 1
/* clang-format off */
static const struct {
    const char *name, *code;
    size_t n;
    const char *what[NR_MODES];
} insns[] = {
    { "vmrun", I("\x0f\x01\xd8"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "vmmcall", I("\x0f\x01\xd9"), { "vmmcall", "vmmcall", "vmmcall", "vmmcall", "vmmcall", "vmmcall" } },
    { "vmload", I("\x0f\x01\xda"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "vmsave", I("\x0f\x01\xdb"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "stgi", I("\x0f\x01\xdc"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "clgi", I("\x0f\x01\xdd"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "skinit", I("\x0f\x01\xde"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "invlpga", I("\x0f\x01\xdf"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "monitor", I("\x0f\x01\xc8"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "mwait", I("\x0f\x01\xc9"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "xgetbv", I("\x0f\x01\xd0"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "xsetbv", I("\x0f\x01\xd1"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "vmcall", I("\x0f\x01\xc1"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "rdpmc", I("\x0f\x33"), { "#GP", "#GP", "#GP", "#GP", "#GP", "#GP" } },
    { "wbinvd", I("\x0f\x09"), { "+", "+", "#GP", "#GP", "+", "#GP" } },
    { "invd", I("\x0f\x08"), { "+", "+", "#GP", "#GP", "+", "#GP" } },
    { "pause", I("\xf3\x90"), { "pause", "pause", "pause", "pause", "pause", "pause" } },
    { "rdtsc", I("\x0f\x31"), { "rdtsc", "rdtsc", "rdtsc", "rdtsc", "rdtsc", "rdtsc" } },
    { "rdtscp", I("\x0f\x01\xf9"), { "rdtsc", "rdtsc", "rdtsc", "rdtsc", "rdtsc", "rdtsc" } },
    { "rsm", I("\x0f\xaa"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "sysenter", I("\x0f\x34"), { "#GP", "#GP", "#GP", "#GP", "#UD", "#UD" } },
    { "sysexit", I("\x0f\x35"), { "#GP", "#GP", "#GP", "#GP", "#UD", "#UD" } },
    { "clts", I("\x0f\x06"), { "cr_write", "cr_write", "#GP", "#GP", "cr_write", "#GP" } },
    { "hlt", I("\xf4"), { "hlt", "hlt", "#GP", "#GP", "hlt", "#GP" } },
    { "cli", I("\xfa"), { "+", "+", "#GP", "#GP", "+", "#GP" } },
    { "sti", I("\xfb"), { "+", "+", "#GP", "#GP", "+", "#GP" } },
    { "smsw", I("\x0f\x01\xe0"), { "+", "+", "+", "+", "+", "+" } },
    { "lmsw", I("\x0f\x01\xf0"), { "cr_write", "cr_write", "#GP", "#GP", "cr_write", "#GP" } },
    { "mov cr0,r", I("\x0f\x20\xc0"), { "+", "+", "#GP", "#GP", "+", "#GP" } },
    { "mov cr1", I("\x0f\x20\xc8"), { "#UD", "#UD", "#GP", "#GP", "#UD", "#GP" } },
    { "mov cr5", I("\x0f\x20\xe8"), { "#UD", "#UD", "#GP", "#GP", "#UD", "#GP" } },
    { "mov cr8", I("\xf0\x0f\x20\xc0"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "mov r,cr1", I("\x0f\x22\xc8"), { "#UD", "#UD", "#GP", "#GP", "#UD", "#GP" } },
    { "mov cr2", I("\x0f\x22\xd0"), { "+", "+", "#GP", "#GP", "+", "#GP" } },
    { "mov dr0", I("\x0f\x21\xc0"), { "dr_read", "dr_read", "#GP", "#GP", "dr_read", "#GP" } },
    { "mov dr4", I("\x0f\x21\xe0"), { "dr_read", "dr_read", "#GP", "#GP", "dr_read", "#GP" } },
    { "mov r,dr7", I("\x0f\x23\xf8"), { "dr_write", "dr_write", "#GP", "#GP", "dr_write", "#GP" } },
    { "cpuid", I("\x0f\xa2"), { "cpuid", "cpuid", "cpuid", "cpuid", "cpuid", "cpuid" } },
    { "rdmsr", I("\x0f\x32"), { "rdmsr", "rdmsr", "#GP", "#GP", "rdmsr", "#GP" } },
    { "wrmsr", I("\x0f\x30"), { "wrmsr", "wrmsr", "#GP", "#GP", "wrmsr", "#GP" } },
    { "invlpg", I("\x0f\x01\x38"), { "+", "+", "#GP", "#GP", "+", "#GP" } },
    { "swapgs", I("\x0f\x01\xf8"), { "#UD", "#UD", "#UD", "#UD", "+", "#GP" } },
    { "ud2", I("\x0f\x0b"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "fep", I("\x0f\x0bxen\x90"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "icebp", I("\xf1"), { "#DB", "#DB", "#DB", "#DB", "#DB", "#DB" } },
    { "getsec", I("\x0f\x37"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "rdrand", I("\x0f\xc7\xf0"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "in", I("\xec"), { "io", "io", "io", "io", "io", "io" } },
    { "out", I("\xee"), { "io", "io", "io", "io", "io", "io" } },
    { "lgdt", I("\x0f\x01\x10"), { "+", "+", "#GP", "#GP", "+", "#GP" } },
    { "sldt", I("\x0f\x00\xc0"), { "#UD", "+", "+", "#UD", "+", "+" } },
    { "ltr", I("\x0f\x00\xd8"), { "#UD", "#GP", "#GP", "#UD", "#GP", "#GP" } },
    { "clac", I("\x0f\x01\xca"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "invpcid", I("\x66\x0f\x38\x82\x08"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "rdfsbase", I("\xf3\x0f\xae\xc0"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "invlpgb", I("\x0f\x01\xfe"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "rdpru", I("\x0f\x01\xfd"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
    { "vmxon", I("\xf3\x0f\xc7\x30"), { "#UD", "#UD", "#UD", "#UD", "#UD", "#UD" } },
};
/* clang-format on */

static void segments(struct cpu_state *r, uint16_t sel, uint16_t code, uint16_t data, uint32_t limit)
{
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        r->seg[i] = (struct cpu_segment){ sel, i == CPU_SEG_CS ? code : data, limit, 0 };
}

static void enter(struct cpu_state *r, enum mode mode)
{
    memset(r->gpr, 0, sizeof(r->gpr));
    r->rbx = r->rax = 0x8000;
    r->rsp = 0x7000;
    r->rip = HVM_CODE;
    r->cr4 = X86_CR4_OSFXSR;
    switch (mode) {
    case REAL:
        r->cr0 = X86_CR0_ET;
        segments(r, 0, 0x9b, 0x93, 0xffff);
        break;
    case VM86:
        r->rflags |= X86_EFLAGS_VM;
        r->cpl = 3;
        segments(r, 0, 0xf3, 0xf3, 0xffff);
        break;
    case RING3:
    case LONG3:
        r->cpl = 3;
        segments(r, 0x23, mode == LONG3 ? 0xafb : 0xcfb, 0xcf3, ~0u);
        break;
    default: break;
    }
    if (mode == LONG0)
        r->seg[CPU_SEG_CS].attr = 0xa9b;
    if (mode >= LONG0) {
        r->cr3 = 0x10000;
        r->cr4 |= X86_CR4_PAE;
        r->cr0 |= X86_CR0_PG;
        r->efer = EFER_LME | EFER_LMA;
    }
    r->dirty = CPU_DIRTY_ALL;
}

static const char *outcome(const struct sim_exit *x)
{
    if (x->kind != EXIT_EXCEPTION)
        return x->kind == EXIT_BUDGET ? "+" : sim_exit_name(x->kind);
    switch (x->exception.vector) {
    case X86_EXC_DB: return "#DB";
    case X86_EXC_UD: return "#UD";
    case X86_EXC_GP: return "#GP";
    default: return "another fault";
    }
}

static void test_privileged(void **state)
{
    static const uint64_t tables[] = { 0x11007, 0x12007, 0x87 };
    struct fixture *f = *state;
    const struct cpu_state start = *f->v->regs;

    for (unsigned int i = 0; i < ARRAY_SIZE(tables); i++)
        hvm_put(f, 0x10000 + i * PAGE_SIZE, &tables[i], 8);
    for (size_t i = 0; i < ARRAY_SIZE(insns); i++)
        for (enum mode mode = 0; mode < NR_MODES; mode++) {
            struct sim_exit x;

            *f->v->regs = start;
            enter(f->v->regs, mode);
            hvm_put(f, HVM_CODE, "\x90\x90\x90\x90\x90\x90\x90\x90", 8);
            hvm_put(f, HVM_CODE, insns[i].code, insns[i].n);
            x = pcpu_run(f->m->pcpu[0], f->v->ctx, 1);
            if (strcmp(outcome(&x), insns[i].what[mode]) != 0)
                fail_msg("%s in mode %u: %s instead of %s", insns[i].name, mode, outcome(&x), insns[i].what[mode]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_privileged, hvm_setup, fix_teardown) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
