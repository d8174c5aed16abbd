// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a domain leaves behind in the machine's arena: nothing. The toolstack remembers the guest that it was (its name
 * is still taken), and is asked about that alone.
 *
 * Two guests of each kind live and end one after the other, beside one that stays. Whatever grows once, for good, has
 * grown with the first. What there is more of after the second is a leak, and is named by the place that allocated it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sim/machine.h"
#include "tests/support/host_run.h"
#include "tools/host.h"
#include "vcpu/noun/xen.h"

#define PLACES 512

struct counts {
    unsigned int nr;
    struct {
        const char *place;
        unsigned int blocks;
    } of[PLACES];
};

static unsigned int *count_of(struct counts *c, const char *place)
{
    unsigned int i = 0;

    while (i < c->nr && strcmp(c->of[i].place, place))
        i++;
    if (i == c->nr) {
        assert_true(c->nr < PLACES);
        c->of[c->nr++].place = place;
    }
    return &c->of[i].blocks;
}

static void count(void *data, const void *p, size_t size, const char *place) { ++*count_of(data, place); }

static domid_t add(struct host *h, const char *kernel, const char *cmdline, const char *name, unsigned int vcpus)
{
    char path[128], err[HOST_ERR_SIZE];
    const struct host_guest g = { .name = name, .kernel = path, .cmdline = cmdline, .memory_mib = 16, .vcpus = vcpus };
    domid_t domid;

    snprintf(path, sizeof(path), "build/guests/%s", kernel);
    if (host_guest_add(h, &g, &domid, err))
        fail_msg("%s", err);
    assert_int_equal(host_guest_start(h, domid), 0);
    return domid;
}

/* One more of them lives and ends; what there is then. */
static void live(struct host *h, const char *kernel, const char *name, unsigned int vcpus, struct counts *c)
{
    const domid_t domid = add(h, kernel, "seed=5 n=3000 until_ms=3", name, vcpus);
    const unsigned int index = (unsigned int)host_guest_index(h, domid);
    const bool stop = false;

    for (unsigned int i = 0; i < 20000 && !host_guest_ended(h, index); i++)
        host_run(h, host_now(h) + MILLISECS(1), &stop);
    assert_true(host_guest_ended(h, index));
    c->nr = 0;
    memset(c, 0, sizeof(*c));
    arena_blocks(host_xen(h)->machine->arena, count, c);
}

static void nothing_is_left(void **state)
{
    static const char *const kernels[] = { "hello",     "smp",   "rings",   "grants", "store",
                                           "callbacks", "traps", "syscall", "clock",  "pagetables" };
    const struct host_config cfg = { .ram_mib = 256, .nr_pcpus = 2, .quiet = true };
    const struct host_io io = { 0 };
    static struct counts first, second;
    char err[HOST_ERR_SIZE], name[32];
    struct host *h = host_create(&cfg, &io, err);

    assert_non_null(h);
    add(h, "spinner", NULL, "stays", 1);
    for (unsigned int i = 0; i < ARRAY_SIZE(kernels); i++) {
        snprintf(name, sizeof(name), "%s-1", kernels[i]);
        live(h, kernels[i], name, 3, &first);
        snprintf(name, sizeof(name), "%s-2", kernels[i]);
        live(h, kernels[i], name, 3, &second);
        for (unsigned int k = 0; k < second.nr; k++) {
            const unsigned int before = *count_of(&first, second.of[k].place);

            if (second.of[k].blocks > before && strncmp(second.of[k].place, "tools/host_guest.c:", 19))
                fail_msg("%s leaves what %s has allocated: %u blocks, and %u before", kernels[i], second.of[k].place,
                         second.of[k].blocks, before);
        }
    }
    host_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_is_left) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
