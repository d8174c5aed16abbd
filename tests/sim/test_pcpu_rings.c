// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instructions by CPL: exact, whatever takes the guest from ring to ring, and wherever a run is cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/support/hvm_guest.h"

#define CODE  (HG_CODE * PAGE_SIZE)
#define ENTRY 0x27u
#define GATED 0x34u
#define RSP0  UINT64_C(0x1e000)
#define STEPS 22 /* to the HLT */

/* Ring 0 to 3 by IRET, SYSRET and LRET; 3 to 0 by SYSCALL and a call gate. */
static const uint8_t program[] = {
    0x6a, 0x23,                               /*        push $0x23    */
    0x68, 0x00, 0xf0, 0x01, 0x00,             /*        push $0x1f000 */
    0x68, 0x02, 0x02, 0x00, 0x00,             /*        push $0x202   */
    0x6a, 0x2b,                               /*        push $0x2b    */
    0x68, 0x15, 0x00, 0x01, 0x00,             /*        push $user    */
    0x48, 0xcf,                               /*        iretq         */
    0x48, 0xff, 0xc0,                         /* user:  inc %rax      */
    0x0f, 0x05,                               /*        syscall       */
    0x48, 0xff, 0xc0,                         /*        inc %rax      */
    0xff, 0x1c, 0x25, 0x39, 0x00, 0x01, 0x00, /*        lcall *gate   */
    0x0f, 0x05,                               /*        syscall       */
    0x90,                                     /*        (never)       */
    0x48, 0xff, 0xc3,                         /* entry: inc %rbx      */
    0x48, 0x83, 0xfb, 0x02,                   /*        cmp $2, %rbx  */
    0x74, 0x08,                               /*        je out        */
    0x90,                                     /*        nop           */
    0x48, 0x0f, 0x07,                         /*        sysretq       */
    0x90,                                     /* gated: nop           */
    0x90,                                     /*        nop           */
    0x48, 0xcb,                               /*        lretq         */
    0xf4,                                     /* out:   hlt           */
    0x00, 0x00, 0x00, 0x00, 0x53, 0x00,       /* gate                 */
};

static void start(struct hvm_guest *g)
{
    const uint64_t rsp0 = RSP0, gate[2] = {
        (CODE + GATED) >> 16 << 48 | UINT64_C(0xec) << 40 | 0x18u << 16 | ((CODE + GATED) & 0xffff), 0
    };

    hg_mode(g, HG_LONG);
    hg_write(g, PAGE_SIZE + 0x50, gate, sizeof(gate));
    hg_write(g, 0xe004, &rsp0, sizeof(rsp0));
    hg_write(g, CODE, program, sizeof(program));
    g->st->gdtr.limit = 0x5f;
    g->st->star = UINT64_C(0x001b0018) << 32;
    g->st->lstar = CODE + ENTRY;
    memset(g->st->insns_in, 0, sizeof(g->st->insns_in));
}

static void assert_in(const struct hvm_guest *g, const uint64_t in[4])
{
    for (unsigned int cpl = 0; cpl < 4; cpl++)
        assert_int_equal(g->st->insns_in[cpl], in[cpl]);
}

/* The truth is what stands in CPL in front of each instruction. */
static void test_cut_anywhere(void **state)
{
    struct hvm_guest *g = *state;
    uint64_t in[STEPS + 1][4] = { 0 };
    struct sim_exit x;

    start(g);
    for (unsigned int i = 0; i < STEPS; i++) {
        memcpy(in[i + 1], in[i], sizeof(in[i]));
        in[i + 1][g->st->cpl]++;
        x = hg_run(g, 1);
        assert_int_equal(x.kind, EXIT_BUDGET);
        assert_in(g, in[i + 1]);
    }
    assert_int_equal(hg_run(g, 1).kind, EXIT_HLT);
    assert_int_equal(in[STEPS][0], 17);
    assert_int_equal(in[STEPS][3], 5);
    for (unsigned int cut = 1; cut <= STEPS; cut++) {
        start(g);
        assert_int_equal(hg_run(g, cut).kind, EXIT_BUDGET);
        assert_in(g, in[cut]);
        x = hg_run(g, 1000);
        assert_int_equal(x.kind, EXIT_HLT);
        assert_int_equal(x.insns, STEPS - cut);
        assert_in(g, in[STEPS]);
    }
}

#define STACK_PAGE (unsigned int)(PFN_DOWN(HG_STACK) - 1)
#define RSP0_PAGE  (unsigned int)(PFN_DOWN(RSP0) - 1)

static void page_set(struct hvm_guest *g, unsigned int gfn, bool there)
{
    hg_nested(g, gfn, there ? _PAGE_PRESENT | _PAGE_RW | _PAGE_USER : 0);
    g->st->dirty |= CPU_DIRTY_TLB;
}

/* From here on, without a page; with it again. */
static void assert_faults(struct hvm_guest *g, unsigned int gfn, uint64_t insns, uint64_t rip)
{
    struct sim_exit x;

    page_set(g, gfn, false);
    x = hg_run(g, 1000);
    assert_int_equal(x.kind, EXIT_NPF);
    assert_int_equal(g->st->rip, CODE + rip);
    assert_int_equal(x.insns, insns);
    page_set(g, gfn, true);
}

/* What faults has not been executed: PUSH, IRET and far CALL count when they succeed, and nothing counts twice. */
static void test_faults(void **state)
{
    struct hvm_guest *g = *state;

    start(g);
    assert_faults(g, STACK_PAGE, 0, 0);
    assert_in(g, (const uint64_t[4]){ 0 });
    hg_run(g, 5);
    assert_faults(g, STACK_PAGE, 0, 0x13);
    assert_in(g, (const uint64_t[4]){ 5 });
    assert_faults(g, RSP0_PAGE, 9, 0x1d);
    assert_in(g, (const uint64_t[4]){ 11, 0, 0, 3 });
    assert_int_equal(hg_run(g, 1000).kind, EXIT_HLT);
    assert_in(g, (const uint64_t[4]){ 17, 0, 0, 5 });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cut_anywhere, hg_setup, hg_teardown),
        cmocka_unit_test_setup_teardown(test_faults, hg_setup, hg_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
