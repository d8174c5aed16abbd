// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs of one word, which are translated, written in some way, and executed again: for test_frame.c, which
 * explains, and test_frame_tables.c.
 */
#ifndef TESTS_VCPU_FRAME_H
#define TESTS_VCPU_FRAME_H

#include "tests/vcpu/fixture.h"

#include "mmu/pv/private.h"
#include "sim/checkpoint.h"
#include "sim/frame.h"

#define WORD(n)  (UINT64_C(0x000b0f00000000b8) | (uint64_t)(n) << 8)
#define AT       0x108 /* the word's place in a frame of data: slot 33 */
#define NOT_HERE -1    /* something else is executed than before */

#define VIEW   40 /* pages behind the stack: a view of the frame that is written, */
#define SPARE  41 /* and two that are used up */
#define SOURCE 42

static inline uint64_t page_va(const struct fixture *f, unsigned int n)
{
    return (f->scratch & PAGE_MASK) + (n + 1) * PAGE_SIZE;
}

static inline mfn_t page_mfn(const struct fixture *f, unsigned int n)
{
    return pte_mfn(*map_guest_l1e(f->v, page_va(f, n)));
}

/* Map a frame at VIEW, or anything anywhere. */
static inline void map_entry(struct fixture *f, unsigned int n, uint64_t e)
{
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_update_va_mapping, page_va(f, n), e, UVMF_INVLPG, 0), 0);
}

/* The same for a 32-bit guest. */
static inline void map_entry32(struct fixture *f, unsigned int n, uint64_t e)
{
    struct cpu_state *r = f->v->regs;

    r->rax = __HYPERVISOR_update_va_mapping;
    r->rbx = page_va(f, n), r->rcx = (uint32_t)e, r->rdx = e >> 32, r->rsi = UVMF_INVLPG;
    compat_hypercall_guest(f->v);
    assert_int_equal((uint32_t)r->rax, 0);
}

static inline void view(struct fixture *f, mfn_t mfn, uint64_t rights)
{
    map_entry(f, VIEW, pte_make(mfn, _PAGE_PRESENT | _PAGE_USER | rights));
}

/* From here on all stores are to be noticed by history; up to here all were. */
static inline void history_begins(struct fixture *f)
{
    const struct history_config cfg = { .limit_mib = 64 };
    struct divergence d;

    assert_null(f->m->edges->history);
    assert_non_null(history_create(f->m, &cfg));
    assert_true(checkpoint_take(f->m->edges->history, &d));
}

static inline void history_ends(struct fixture *f)
{
    struct divergence d;

    if (!f->m->edges->history)
        return;
    if (!history_is_whole(f->m->edges->history, &d))
        fail_msg("history has not noticed a store to machine frame 0x%lx", (unsigned long)mfn_x(d.mfn));
    history_destroy(f->m->edges->history);
}

/* What the word at va does: the number that it moves, or NOT_HERE. */
static inline long run(struct fixture *f, uint64_t va)
{
    struct cpu_state *r = f->v->regs;
    struct sim_exit x;

    history_ends(f);
    r->rax = 0;
    r->rip = va;
    x = pcpu_run(f->m->pcpu[0], f->v->ctx, 100);
    return x.kind == EXIT_EXCEPTION && x.exception.vector == X86_EXC_UD ? (long)r->rax : NOT_HERE;
}

/* The word at va, which is there in mfn, moves 1; it was executed. History watches from now on. */
static inline void plant_at(struct fixture *f, mfn_t mfn, uint64_t va, uint64_t word)
{
    frame_write_u64(f->m, (const uint64_t *)mfn_to_virt(f->m, mfn) + PAGE_OFFSET(va) / 8, word);
    assert_int_equal(run(f, va), 1);
    assert_int_equal(run(f, va), 1);
    history_ends(f);
    history_begins(f);
}

/* The same at `offset` of mfn, which is at VIEW. Its address. */
static inline uint64_t plant(struct fixture *f, mfn_t mfn, uint64_t offset, uint64_t word)
{
    plant_at(f, mfn, page_va(f, VIEW) + offset, word);
    return page_va(f, VIEW) + offset;
}

/* One path that writes the word at va, which is in mfn. */
typedef void write_fn(struct fixture *f, mfn_t mfn, uint64_t va);

static inline void mmu_update(struct fixture *f, mfn_t mfn, uint64_t offset, uint64_t val)
{
    const struct mmu_update req = { (mfn_x(mfn) << PAGE_SHIFT) + offset, val };

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_mmu_update, fix_put(f, 0, &req, sizeof(req)), 1, 0, DOMID_SELF), 0);
}

static inline void mmuext(struct fixture *f, const struct mmuext_op *op)
{
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_mmuext_op, fix_put(f, 0, op, sizeof(*op)), 1, 0, DOMID_SELF), 0);
}

/* With a processor. */
static inline int frame_setup(void **state) { return fix_setup_on(state, 1); }

#define TEST(name) cmocka_unit_test_setup_teardown(name, frame_setup, fix_teardown)

#endif
