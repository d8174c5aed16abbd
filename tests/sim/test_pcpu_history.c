// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every way in which a guest, or the processor on its behalf, stores is noticed by history: when the page is new to the
 * TLB, and when it has been there since before the checkpoint. And from each checkpoint the machine goes back, does the
 * same again, and is in the same state again.
 *
 * Could pass wrongly: a way that stores what was there already. Each stores a number that differs each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sim/checkpoint.h"
#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

#define DATA   20u /* a page, and the next two */
#define SOURCE 25u

/* RAX and RBX are a number, RDI points to DATA, RSI to SOURCE, RCX is 300. */
static const struct way {
    const char *name, *code;
    size_t len;
} ways[] = {
#define WAY(name, code)                                                                                                \
    {                                                                                                                  \
        name, code "\x0f\x05", sizeof(code "\x0f\x05") - 1                                                             \
    }
    WAY("mov", "\x48\x89\x07"),
    WAY("mov, across pages", "\x48\x89\x87\xfc\x0f\x00\x00"),
    WAY("movb", "\x88\x07"),
    WAY("add", "\x48\x01\x07"),
    WAY("inc", "\x48\xff\x07"),
    WAY("lock xadd", "\xf0\x48\x0f\xc1\x07"),
    WAY("lock add, across pages", "\xf0\x48\x01\x87\xfc\x0f\x00\x00"),
    WAY("xchg", "\x48\x87\x07"),
    WAY("btc", "\x48\x0f\xbb\x07"),
    WAY("cmpxchg", "\x48\x8b\x07\xf0\x48\x0f\xb1\x1f"),
    WAY("cmpxchg16b", "\x48\x8b\x07\x48\x8b\x57\x08\xf0\x48\x0f\xc7\x0f"),
    WAY("push, pop", "\x50\x58"),
    WAY("call", "\xe8\x00\x00\x00\x00\x58\x48\xff\x04\x24"),
    WAY("enter, leave", "\x48\x89\xc5\xc8\x10\x00\x00\xc9"),
    WAY("stosb", "\xaa"),
    WAY("rep stosb", "\xf3\xaa"),
    WAY("rep stosq", "\xf3\x48\xab"),
    WAY("rep movsb", "\x48\x89\x06\xf3\xa4"),
    WAY("rep movsq", "\x48\x89\x06\xf3\x48\xa5"),
    WAY("rep stosb, backwards", "\xfd\xf3\xaa\xfc"),
    WAY("movups", "\x66\x48\x0f\x6e\xc0\x0f\x11\x07"),
    WAY("movaps", "\x66\x48\x0f\x6e\xc0\x0f\x29\x07"),
    WAY("movnti", "\x48\x0f\xc3\x07"),
    WAY("maskmovdqu", "\x66\x0f\x74\xc9\x66\x48\x0f\x6e\xc0\x66\x0f\xf7\xc1"),
    WAY("fxsave", "\x66\x48\x0f\x6e\xc0\x0f\xae\x07"),
    WAY("stmxcsr", "\x25\x00\x60\x00\x00\x0d\x80\x1f\x00\x00\x89\x44\x24\xf0\x0f\xae\x54\x24\xf0\x0f\xae\x1f"),
    WAY("fistp", "\x48\x89\x06\xdf\x2e\xdf\x3f"),
    WAY("fstpt", "\x48\x89\x06\xdf\x2e\xdb\x3f"),
    WAY("its own code", "\x48\x8d\x1d\x00\x01\x00\x00\x48\x89\x03"),
#undef WAY
};

struct scene {
    struct pv_guest g;
    struct history *h;
    uint64_t number;
};

static struct scene begin(void)
{
    const struct history_config cfg = { .limit_mib = 64 };
    struct scene sc = { .g = pg_create(CPU_MODE_PV64, 1) };

    sc.h = history_create(sc.g.m, &cfg);
    assert_non_null(sc.h);
    return sc;
}

static void end(struct scene *sc)
{
    history_destroy(sc->h);
    pg_destroy(&sc->g);
}

static void take(struct scene *sc, const char *what)
{
    struct divergence d;

    sc->g.m->at.insns++;
    if (!checkpoint_take(sc->h, &d))
        fail_msg("%s: %s %llx+%x is another, done again", what, d.in_ram ? "frame" : d.place,
                 (unsigned long long)mfn_x(d.mfn), d.offset);
    if (!history_is_whole(sc->h, &d))
        fail_msg("%s: nobody has heard of a change of frame %llx", what, (unsigned long long)mfn_x(d.mfn));
}

/* The way's code stands in page 0 already, and has been run. */
static void store(struct scene *sc, const struct way *w)
{
    struct cpu_state *st = sc->g.st;
    struct sim_exit x;

    sc->number += 0x2143;
    st->rax = st->rbx = sc->number;
    st->rcx = 300;
    st->rdi = PG_VA(DATA) + (strstr(w->name, "backwards") ? 0x800 : 0);
    st->rsi = PG_VA(SOURCE);
    st->rip = PG_VA(0);
    x = pcpu_run(sc->g.m->pcpu[0], sc->g.c, 1000000);
    if (x.kind != EXIT_SYSCALL)
        fail_msg("%s: %s", w->name, sim_exit_name(x.kind));
}

/* Once more from the checkpoint before. */
static void again(struct scene *sc, const struct way *w)
{
    const size_t here = history_base(sc->h);

    sc->number -= 0x2143;
    checkpoint_go(sc->h, here - 1);
    store(sc, w);
    take(sc, w->name);
    assert_int_equal(history_base(sc->h), here);
}

static void test_ways(void **state)
{
    struct scene sc = begin();

    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        const struct way *w = &ways[i];

        pg_write(&sc.g, 0, 0, w->code, w->len);
        sc.g.st->dirty |= CPU_DIRTY_TLB;
        take(&sc, "hypervisor");
        for (unsigned int round = 0; round < 4; round++) { /* from the second one on the TLB has the page */
            store(&sc, w);
            take(&sc, w->name);
        }
        again(&sc, w);
        store(&sc, w);
        take(&sc, w->name);
        again(&sc, w);
    }
    end(&sc);
}

/* The processor sets A and D; the tables were last written before the checkpoint. */
static void test_accessed_and_dirty(void **state)
{
    static const struct way read = { "read", "\x48\x8b\x07\x0f\x05", 5 },
                            write = { "write", "\x48\x89\x07\x0f\x05", 5 };
    struct scene sc = begin();

    for (unsigned int i = 0; i < 10; i++) {
        pg_write(&sc.g, 0, 0, read.code, read.len);
        pg_map(&sc.g, DATA, PG_FRAME(DATA + i % 2), PG_P | PG_RW | PG_US);
        take(&sc, "hypervisor");
        store(&sc, &read);
        take(&sc, "accessed");
        again(&sc, &read);
        pg_write(&sc.g, 0, 0, write.code, write.len);
        take(&sc, "hypervisor");
        store(&sc, &write);
        take(&sc, "dirty");
        again(&sc, &write);
    }
    end(&sc);
}

/* What the TLB keeps of a root that is not loaded is marked at a checkpoint as well. */
static void test_other_root(void **state)
{
    static const struct way write = { "write, as the root was exchanged", "\x48\x89\x07\x0f\x05", 5 };
    struct scene sc = begin();
    struct cpu_state *st = sc.g.st;

    memcpy(ram_page(sc.g.m, _mfn(0x30)), ram_page(sc.g.m, _mfn(PG_CR3 >> PAGE_SHIFT)), PAGE_SIZE);
    pg_write(&sc.g, 0, 0, write.code, write.len);
    for (unsigned int i = 0; i < 20; i++) {
        st->root = i / 2 & 1;
        st->cr3 = st->root ? UINT64_C(0x30) << PAGE_SHIFT : PG_CR3;
        st->dirty |= CPU_DIRTY_ROOT;
        store(&sc, &write);
        take(&sc, write.name);
    }
    end(&sc);
}

/* The hypervisor's ways; a shared frame is written at any time, across any number of checkpoints. */
static void test_hypervisor(void **state)
{
    struct scene sc = begin();
    struct machine *m = sc.g.m;
    uint64_t *shared, page[512] = { 0 };

    take(&sc, "nothing");
    shared = frame_share(m, _mfn(0x500));
    for (uint64_t i = 1; i < 10; i++) {
        frame_write_u64(m, mfn_to_virt(m, _mfn(0x501)), i);
        take(&sc, "frame_write_u64");
        *(uint64_t *)frame_write_begin(m, _mfn(0x502)) = i;
        frame_write_end(m, _mfn(0x502));
        take(&sc, "frame_write_begin");
        page[i] = i;
        frame_fill(m, _mfn(0x503), page);
        take(&sc, "frame_fill");
        shared[i] = i;
        take(&sc, "a shared frame");
        take(&sc, "nothing");
        shared[i] = i + 1;
        take(&sc, "a shared frame, later");
        checkpoint_go(sc.h, history_base(sc.h) - 1);
        assert_int_equal(shared[i], i);
        shared[i] = i + 1;
        take(&sc, "a shared frame, again");
    }
    frame_unshare(m, _mfn(0x500));
    end(&sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_accessed_and_dirty),
        cmocka_unit_test(test_other_root),
        cmocka_unit_test(test_hypervisor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
