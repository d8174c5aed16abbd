// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several vCPUs, several pCPUs, several machines: registers belong to the vCPU that computed them. And PV32: a kernel
 * in ring 1.
 *
 * Budget: 440 lines, a short test each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/engine/pcpu_private.h"
#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

static struct pv_guest make(enum cpu_mode mode) { return pg_create(mode, 2); }

/* Load and store all kinds of registers, then leave. */
static const uint8_t load_all[] = {
    0xd9, 0x07,                   /* flds (%rdi)           */
    0xdd, 0x47, 0x08,             /* fldl 8(%rdi)          */
    0x0f, 0x10, 0x47, 0x10,       /* movups 16(%rdi), %xmm0 */
    0x44, 0x0f, 0x10, 0x7f, 0x20, /* movups 32(%rdi), %xmm15 */
    0x0f, 0xae, 0x57, 0x30,       /* ldmxcsr 48(%rdi)      */
    0xd9, 0x6f, 0x34,             /* fldcw 52(%rdi)        */
    0x0f, 0x05,
};
static const uint8_t store_all[] = {
    0xdd, 0x5f, 0x08,             /* fstpl 8(%rdi)         */
    0xd9, 0x1f,                   /* fstps (%rdi)          */
    0x0f, 0x11, 0x47, 0x10,       /* movups %xmm0, 16(%rdi) */
    0x44, 0x0f, 0x11, 0x7f, 0x20, /* movups %xmm15, 32(%rdi) */
    0x0f, 0xae, 0x5f, 0x30,       /* stmxcsr 48(%rdi)      */
    0xd9, 0x7f, 0x34,             /* fnstcw 52(%rdi)       */
    0x0f, 0x05,
};

struct fpu_data {
    float st1, pad;
    double st0;
    uint64_t xmm0[2], xmm15[2];
    uint32_t mxcsr;
    uint16_t fcw;
};

static struct fpu_data fpu_data(unsigned int seed)
{
    return (struct fpu_data){
        .st1 = (float)seed + 0.5f,
        .st0 = seed * 1.25,
        .xmm0 = { seed, ~seed },
        .xmm15 = { seed * 3, seed * 5 },
        .mxcsr = 0x1f80 | (seed & 3) << 13,
        .fcw = (uint16_t)(0x37f & ~((seed & 1) << 9)),
    };
}

/* Run code on `data`, which lies in guest page 20 + n. */
static void fpu_run(struct pv_guest *g, struct pcpu *p, struct cpu_context *c, unsigned int n, const uint8_t *code,
                    size_t len)
{
    struct cpu_state *st = cpu_context_state(c);

    pg_write(g, 0, 0, code, len);
    st->rip = PG_VA(0);
    st->rdi = PG_VA(20 + n);
    assert_int_equal(pcpu_run(p, c, 1000).kind, EXIT_SYSCALL);
}

static void fpu_load(struct pv_guest *g, struct pcpu *p, struct cpu_context *c, unsigned int n, unsigned int seed)
{
    const struct fpu_data d = fpu_data(seed);

    memcpy(ram_page(g->m, PG_FRAME(20 + n)), &d, sizeof(d));
    fpu_run(g, p, c, n, load_all, sizeof(load_all));
}

static void fpu_check(struct pv_guest *g, struct pcpu *p, struct cpu_context *c, unsigned int n, unsigned int seed)
{
    const struct fpu_data d = fpu_data(seed);
    struct fpu_data *got = ram_page(g->m, PG_FRAME(20 + n));

    memset(got, 0, sizeof(*got));
    fpu_run(g, p, c, n, store_all, sizeof(store_all));
    assert_true(got->st1 == d.st1 && got->st0 == d.st0);
    assert_memory_equal(got->xmm0, d.xmm0, 16);
    assert_memory_equal(got->xmm15, d.xmm15, 16);
    assert_int_equal(got->mxcsr, d.mxcsr);
    assert_int_equal(got->fcw, d.fcw);
}

/* Three vCPUs interleaved over two pCPUs: each finds its own registers, on whatever pCPU it goes on. */
static void test_migrate(void **state)
{
    struct pv_guest g = make(CPU_MODE_PV64);
    struct cpu_context *c[3] = { g.c, pg_context(g.m, CPU_MODE_PV64), pg_context(g.m, CPU_MODE_PV64) };

    for (unsigned int round = 0; round < 6; round++) {
        for (unsigned int i = 0; i < 3; i++)
            fpu_load(&g, g.m->pcpu[round & 1], c[i], i, 10 * round + i);
        for (unsigned int i = 0; i < 3; i++) {
            cpu_context_state(c[i])->r15 = i;
            fpu_check(&g, g.m->pcpu[(round + i) & 1], c[i], i, 10 * round + i);
            assert_int_equal(cpu_context_state(c[i])->r15, i);
        }
    }
    cpu_context_destroy(c[1]);
    cpu_context_destroy(c[2]);
    pg_destroy(&g);
}

/* Who chooses what leaves the guest is who makes the vCPU: two that differ, on one engine, in turn. */
static void test_controls(void **state)
{
    static const uint8_t code[] = { 0x0f, 0x31, 0x0f, 0x05 }; /* rdtsc; syscall */
    struct vcpu_controls controls = PV_CONTROLS;
    struct pv_guest g = make(CPU_MODE_PV64);
    struct cpu_context *other;

    controls.intercepts1 &= ~VMCB1_RDTSC;
    other = cpu_context_create(g.m, CPU_MODE_PV64, &controls);
    pg_write(&g, 0, 0, code, sizeof(code));
    cpu_context_state(other)->cr3 = PG_CR3;
    for (unsigned int i = 0; i < 6; i++) {
        struct cpu_context *c = i & 1 ? other : g.c;

        cpu_context_state(c)->rip = PG_VA(0);
        assert_int_equal(pcpu_run(g.m->pcpu[i / 2 & 1], c, 1000).kind, i & 1 ? EXIT_SYSCALL : EXIT_RDTSC);
    }
    cpu_context_destroy(other);
    pg_destroy(&g);
}

/* The FXSAVE image leaves with the vCPU, and brings the registers back, in the same machine or in another. */
static void test_fxsave(void **state)
{
    struct pv_guest g = make(CPU_MODE_PV64), h = make(CPU_MODE_PV64);
    struct cpu_context *other = pg_context(g.m, CPU_MODE_PV64);
    struct cpu_state *st = cpu_context_state(g.c);
    const struct fpu_data d = fpu_data(7);

    fpu_load(&g, g.m->pcpu[0], g.c, 0, 7);
    fpu_load(&g, g.m->pcpu[1], other, 1, 8);
    cpu_context_save_fpu(g.c);
    assert_memory_equal(st->fxsave + 160, d.xmm0, 16);
    assert_memory_equal(st->fxsave + 160 + 15 * 16, d.xmm15, 16);
    assert_memory_equal(st->fxsave + 24, &d.mxcsr, 4);
    assert_memory_equal(st->fxsave, &d.fcw, 2);
    assert_int_equal(st->fxsave[4], 0xc0); /* two registers in use: physical 6 and 7 */
    fpu_check(&g, g.m->pcpu[0], other, 1, 8);
    memcpy(cpu_context_state(h.c)->fxsave, st->fxsave, 512);
    cpu_context_state(h.c)->dirty |= CPU_DIRTY_FPU;
    fpu_check(&h, h.m->pcpu[0], h.c, 0, 7);
    pcpu_release(g.c);
    fpu_check(&g, g.m->pcpu[0], g.c, 0, 7);
    cpu_context_destroy(other);
    pg_destroy(&g);
    pg_destroy(&h);
}

/* Where the last x87 instruction was belongs to a vCPU: it leaves with the image, comes back, and is not another's. */
static void test_fpu_pointers(void **state)
{
    struct pv_guest g = make(CPU_MODE_PV64);
    struct cpu_state *st = cpu_context_state(g.c);
    const uint32_t *env = (const uint32_t *)mfn_to_virt(g.m, PG_FRAME(20));
    uint64_t fip = 0;

    st->rdi = PG_VA(20);
    PG_EXEC(&g, "\x90\xd9\xe8\x0f\x05"); /* fld1 */
    cpu_context_save_fpu(g.c);
    memcpy(&fip, st->fxsave + 8, 8);
    assert_int_equal(fip, PG_VA(0) + 1);
    fip = 0x12345678;
    memcpy(st->fxsave + 8, &fip, 8);
    st->dirty |= CPU_DIRTY_FPU;
    PG_EXEC(&g, "\xd9\x37\x0f\x05"); /* fnstenv (%rdi) */
    assert_int_equal(env[3], 0x12345678);
    pg_destroy(&g);
}

/* An image that is loaded and saved again is what it was, whatever was in it: entering a vCPU changes nothing. */
static void test_fpu_image(void **state)
{
    struct pv_guest g = make(CPU_MODE_PV64);
    uint8_t image[512], was[512];
    uint64_t seed = 1;

    assert_memory_equal(g.st->fxsave + 28, "\xff\xff\0\0", 4);
    for (unsigned int n = 0; n < 200; n++) {
        for (size_t i = 0; i < sizeof(image); i++)
            image[i] = (uint8_t)((seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407) >> 56);
        cpu_state_set_fpu(g.st, n ? image : NULL);
        memcpy(was, g.st->fxsave, sizeof(was));
        PG_EXEC(&g, "\x90\x0f\x05");
        cpu_context_save_fpu(g.c);
        assert_memory_equal(g.st->fxsave, was, sizeof(was));
    }
    pg_destroy(&g);
}

/* Two machines side by side, same addresses, different contents. */
static void test_two_machines(void **state)
{
    struct pv_guest g[2] = { make(CPU_MODE_PV64), make(CPU_MODE_PV64) };

    for (unsigned int i = 0; i < 40; i++) {
        const uint8_t code[] = { 0xb8, (uint8_t)i, 0, 0, 0, 0x0f, 0x05 };

        assert_int_equal(pg_exec(&g[i & 1], code, sizeof(code)).kind, EXIT_SYSCALL);
        assert_int_equal(g[i & 1].st->rax, i);
        if (i)
            assert_int_equal(g[!(i & 1)].st->rax, i - 1);
    }
    pg_destroy(&g[0]);
    assert_int_equal(PG_EXEC(&g[1], "\x0f\x05").kind, EXIT_SYSCALL);
    pg_destroy(&g[1]);
}

/* Contexts go in every order; those that stay have what they had. */
static void test_destroy(void **state)
{
    static const unsigned int gone[][3] = {
        { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 }
    };

    for (unsigned int i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        struct pv_guest g = make(CPU_MODE_PV64);
        struct cpu_context *c[3] = { g.c, pg_context(g.m, CPU_MODE_PV64), pg_context(g.m, CPU_MODE_PV64) };

        for (unsigned int k = 0; k < 3; k++)
            fpu_load(&g, g.m->pcpu[0], c[k], k, 3 + k);
        for (unsigned int nr = 0; nr < 3; nr++) {
            cpu_context_destroy(c[gone[i][nr]]);
            for (unsigned int k = nr + 1; k < 3; k++)
                fpu_check(&g, g.m->pcpu[0], c[gone[i][k]], gone[i][k], 3 + gone[i][k]);
            pcpu_sync(g.m);
            for (unsigned int k = nr + 1; k < 3; k++) /* looking empties the FPU */
                fpu_load(&g, g.m->pcpu[0], c[gone[i][k]], gone[i][k], 3 + gone[i][k]);
        }
        machine_destroy(g.m);
    }
}

/* What is poisoned, too. */
__attribute__((no_sanitize_address)) static void bytes_copy(void *to, const void *from, size_t size)
{
    for (size_t i = 0; i < size / 8; i++)
        ((volatile uint64_t *)to)[i] = ((const volatile uint64_t *)from)[i];
}

/*
 * An arena is saved and put back, by bytes. What was then is again: a vCPU that has been destroyed since, one that
 * another has taken the place of, one that has gone on. A vCPU that was not there yet is not there any more.
 */
static void test_put_back(void **state)
{
    struct pv_guest g = make(CPU_MODE_PV64);
    struct cpu_context *c[3] = { g.c, pg_context(g.m, CPU_MODE_PV64), pg_context(g.m, CPU_MODE_PV64) }, *later;
    uint8_t *saved;
    size_t size;

    for (unsigned int k = 0; k < 3; k++)
        fpu_load(&g, g.m->pcpu[0], c[k], k, 3 + k);
    pcpu_sync(g.m);
    size = arena_size(g.m->arena);
    saved = malloc(size);
    assert_non_null(saved);
    bytes_copy(saved, arena_base(g.m->arena), size);
    for (unsigned int round = 0; round < 4; round++) {
        cpu_context_destroy(c[1]);
        cpu_context_destroy(c[2]);
        later = pg_context(g.m, CPU_MODE_PV64);
        assert_true(later == c[1] || later == c[2]);
        if (round & 1)
            fpu_load(&g, g.m->pcpu[0], later, 1, 20);
        fpu_load(&g, g.m->pcpu[0], c[0], 0, 30);
        fpu_load(&g, g.m->pcpu[1], pg_context(g.m, CPU_MODE_PV64), 1, 31);
        fpu_load(&g, g.m->pcpu[1], pg_context(g.m, CPU_MODE_PV64), 1, 32);
        bytes_copy(arena_base(g.m->arena), saved, size);
        arena_restored(g.m->arena);
        pcpu_forget(g.m);
        for (unsigned int k = 0; k < 3; k++)
            fpu_check(&g, g.m->pcpu[k & 1], c[k], k, 3 + k);
        pcpu_sync(g.m);
        assert_int_equal(cpu_context_state(c[0])->dirty, CPU_DIRTY_SYNCED);
    }
    free(saved);
    cpu_context_destroy(c[1]);
    cpu_context_destroy(c[2]);
    pg_destroy(&g);
}

/* A page's translation is dropped, alone, and so is code that was reached through it. */
static void test_flush_page(void **state)
{
    struct pv_guest g = make(CPU_MODE_PV64);
    uint64_t *l1 = ram_page(g.m, _mfn(0x13));

    pg_write(&g, 1, 0, "\xb8\x01\x00\x00\x00\xc3", 6); /* mov $1, %eax; ret */
    pg_write(&g, 2, 0, "\xb8\x02\x00\x00\x00\xc3", 6);
    for (unsigned int i = 0; i < 10; i++) {
        l1[1] = mfn_x(PG_FRAME(1 + (i & 1))) << PAGE_SHIFT | PG_P | PG_US;
        cpu_context_flush_page(g.c, PG_VA(1) + 0x123);
        g.st->rsi = PG_VA(1);
        assert_int_equal(PG_EXEC(&g, "\xff\xd6\x0f\x05").kind, EXIT_SYSCALL); /* call *%rsi */
        assert_int_equal(g.st->rax, 1 + (i & 1));
        g.st->rdi = PG_VA(1) + 1;
        assert_int_equal(PG_EXEC(&g, "\x8a\x07\x0f\x05").kind, EXIT_SYSCALL); /* mov (%rdi), %al */
        assert_int_equal(g.st->rax & 0xff, 1 + (i & 1));
    }
    l1[1] = 0;
    cpu_context_flush_page(g.c, PG_VA(1));
    assert_int_equal(PG_EXEC(&g, "\x8a\x07\x0f\x05").exception.vector, 14);
    pg_destroy(&g);
}

/* ------------------------------------------------------------------------------------------------------- PV32 -- */

#define GDT 16

/* Flat ring 1 code and data, flat ring 3 code and data, a small based data segment. */
static const uint64_t gdt[] = {
    0,
    UINT64_C(0x00cfbb000000ffff),
    UINT64_C(0x00cfb3000000ffff),
    UINT64_C(0x00cffb000000ffff),
    UINT64_C(0x00cff3000000ffff),
    UINT64_C(0x0040f3430000ffff),
};

static struct pv_guest make_pv32(void)
{
    struct pv_guest g = make(CPU_MODE_PV32);

    pg_map(&g, GDT, PG_FRAME(GDT), PG_P | PG_RW);
    memcpy(ram_page(g.m, PG_FRAME(GDT)), gdt, sizeof(gdt));
    g.st->gdtr.base = PG_VA(GDT);
    g.st->gdtr.limit = sizeof(gdt) - 1;
    g.st->seg[CPU_SEG_CS].sel = 0x09;
    g.st->seg[CPU_SEG_SS].sel = 0x11;
    g.st->dirty |= CPU_DIRTY_SEGS;
    return g;
}

static void test_pv32_ring1(void **state)
{
    struct pv_guest g = make_pv32();
    struct sim_exit x;

    x = PG_EXEC(&g, "\x48\xcd\x82"); /* dec %eax: 32-bit code has no REX */
    assert_int_equal(x.kind, EXIT_SOFTINT);
    assert_int_equal(x.softint.vector, 0x82);
    assert_int_equal(g.st->rax, 0xffffffff);
    assert_int_equal(g.st->cpl, 1);
    x = PG_EXEC(&g, "\xfa");
    assert_int_equal(x.kind, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, 13);
    g.st->rbx = PG_VA(GDT);
    x = PG_EXEC(&g, "\x8b\x03\xcd\x82"); /* ring 1 is supervisor to the page tables */
    assert_int_equal(x.kind, EXIT_SOFTINT);
    g.st->rbx = PG_NOWHERE;
    x = PG_EXEC(&g, "\x89\x03");
    assert_int_equal(x.exception.vector, 14);
    assert_int_equal(x.exception.error_code, 2);
    assert_int_equal(x.exception.addr, PG_NOWHERE);
    g.st->rax = 0x2b;
    *(uint32_t *)ram_page(g.m, PG_FRAME(0x30)) = 0x12345678;
    x = PG_EXEC(&g, "\x8e\xc0\x26\xa1\x00\x00\x00\x00\xcd\x82"); /* mov %eax, %es; mov %es:0, %eax */
    assert_int_equal(x.kind, EXIT_SOFTINT);
    assert_int_equal(g.st->rax, 0x12345678);
    assert_int_equal(g.st->seg[CPU_SEG_ES].base, 0x430000);
    g.st->rax = 0x33; /* beyond the table */
    x = PG_EXEC(&g, "\x8e\xe0");
    assert_int_equal(x.exception.vector, 13);
    assert_int_equal(x.exception.error_code, 0x30);
    pg_destroy(&g);
}

static void assert_fault(struct sim_exit x, uint8_t vector)
{
    assert_int_equal(x.kind, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, vector);
    assert_int_equal(x.exception.error_code & ~2u, 0); /* of a #PF: a write */
}

/* Segments limit a PV32 guest, if they are to be exact; the engine's own do not. */
static void test_pv32_limits(void **state)
{
    for (unsigned int exact = 0; exact < 2; exact++) {
        struct pv_guest g = make_pv32();
        struct sim_exit x;

        g.m->exact_segments = exact;
        g.st->rax = 0x2b;
        x = PG_EXEC(&g, "\x8e\xc0\x26\xa0\xff\xff\x00\x00\xcd\x82"); /* mov %eax, %es; mov %es:0xffff, %al */
        assert_int_equal(x.kind, EXIT_SOFTINT);
        g.st->rax = 0x2b;
        x = PG_EXEC(&g, "\x8e\xc0\x26\xa0\x00\x00\x01\x00"); /* mov %eax, %es; mov %es:0x10000, %al */
        assert_fault(x, exact ? X86_EXC_GP : X86_EXC_PF);
        g.st->rax = 0;
        x = PG_EXEC(&g, "\x8e\xd8\xc7\x05\x00\x00\x30\x00\x01\x00\x00\x00"); /* mov %eax, %ds; movl $1, 0x300000 */
        assert_fault(x, exact ? X86_EXC_GP : X86_EXC_PF);
        g.st->seg[CPU_SEG_DS] = (struct cpu_segment){ 0x11, 0xcb3, ~0u, 0 };
        g.st->seg[CPU_SEG_CS].limit = PG_VA(1) - 1;
        g.st->dirty |= CPU_DIRTY_SEGS;
        pg_write(&g, 1, 0, "\xcd\x82", 2);
        x = PG_EXEC(&g, "\x40\xe9\xfa\x0f\x00\x00"); /* inc %eax; jmp to the next page */
        if (exact)
            assert_fault(x, X86_EXC_GP);
        else
            assert_int_equal(x.kind, EXIT_SOFTINT);
        assert_int_equal(g.st->rip, exact ? PG_VA(0) + 1 : PG_VA(1) + 2);
        pg_destroy(&g);
    }
}

/* IRET to ring 3 needs no hypervisor; what ring 3 does, does. */
static void test_pv32_iret(void **state)
{
    struct pv_guest g = make_pv32();
    struct sim_exit x;

    pg_write(&g, 1, 0, "\x40\xcd\x80\xa1\x00\x00\x41\x00", 8); /* inc %eax; int $0x80; mov 0x410000, %eax */
    g.st->rax = 1;
    /* push $0x23; push $0x420000; push $0x202; push $0x1b; push $0x401000; iret */
    x = PG_EXEC(&g, "\x6a\x23\x68\x00\x00\x42\x00\x68\x02\x02\x00\x00\x6a\x1b\x68\x00\x10\x40\x00\xcf");
    assert_int_equal(x.kind, EXIT_SOFTINT);
    assert_int_equal(x.softint.vector, 0x80);
    assert_int_equal(x.insns, 8);
    assert_int_equal(g.st->cpl, 3);
    assert_int_equal(g.st->seg[CPU_SEG_CS].sel, 0x1b);
    assert_int_equal(g.st->seg[CPU_SEG_SS].sel, 0x23);
    assert_int_equal(g.st->rsp, 0x420000);
    assert_int_equal(g.st->rip, PG_VA(1) + 3);
    assert_int_equal(g.st->rax, 2);
    x = pcpu_run(g.m->pcpu[0], g.c, 100);
    assert_int_equal(x.exception.vector, 14);
    assert_int_equal(x.exception.error_code, 5);
    /* ... and back, as the hypervisor bounces a trap. */
    g.st->cpl = 1;
    g.st->seg[CPU_SEG_CS] = (struct cpu_segment){ 0x09, 0xcbb, ~0u, 0 };
    g.st->seg[CPU_SEG_SS] = (struct cpu_segment){ 0x11, 0xcb3, ~0u, 0 };
    g.st->rsp = PG_VA(PG_STACK + 1);
    g.st->dirty |= CPU_DIRTY_SEGS;
    x = PG_EXEC(&g, "\x8c\xc8\xcd\x82"); /* mov %cs, %eax */
    assert_int_equal(x.kind, EXIT_SOFTINT);
    assert_int_equal(g.st->rax, 0x09);
    assert_int_equal(g.st->cpl, 1);
    pg_destroy(&g);
}

/* A PV32 and a PV64 vCPU in turn on one engine. */
static void test_pv32_and_pv64(void **state)
{
    struct pv_guest g = make_pv32();
    struct cpu_context *c64 = pg_context(g.m, CPU_MODE_PV64);

    for (unsigned int i = 0; i < 10; i++) {
        struct sim_exit x;

        g.st->rax = 1;
        x = PG_EXEC(&g, "\x48\xff\xc0\xcd\x82\x0f\x05"); /* 32: dec, inc; 64: inc only */
        assert_int_equal(x.kind, EXIT_SOFTINT);
        assert_int_equal(g.st->rax, 1);
        cpu_context_state(c64)->rip = PG_VA(0);
        cpu_context_state(c64)->rax = 1;
        x = pcpu_run(g.m->pcpu[1], c64, 100);
        assert_int_equal(x.kind, EXIT_SOFTINT);
        assert_int_equal(cpu_context_state(c64)->rax, 2);
    }
    cpu_context_destroy(c64);
    pg_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_migrate),       cmocka_unit_test(test_fxsave),      cmocka_unit_test(test_controls),
        cmocka_unit_test(test_fpu_pointers),  cmocka_unit_test(test_fpu_image),   cmocka_unit_test(test_two_machines),
        cmocka_unit_test(test_flush_page),    cmocka_unit_test(test_destroy),     cmocka_unit_test(test_put_back),
        cmocka_unit_test(test_pv32_ring1),    cmocka_unit_test(test_pv32_limits), cmocka_unit_test(test_pv32_iret),
        cmocka_unit_test(test_pv32_and_pv64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
