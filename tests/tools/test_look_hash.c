// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hash of a machine: each of what it is made of makes a difference, and that taken back makes none. That it is the
 * same in another process, by another way, is tried by tests/guest/debug.test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "evtchn/event_channel.h"
#include "mmu/grant/private.h"
#include "mmu/page.h"
#include "tools/debug/look.h"
#include "vcpu/sched/sched.h"

static void changing_anything_changes_it(void **state)
{
    const struct host_config cfg = { .ram_mib = 128, .nr_pcpus = 1, .quiet = true };
    const struct host_io io = { 0 };
    const struct host_guest g = { .kernel = "build/guests/rings", .memory_mib = 16, .vcpus = 2 };
    const bool no = false;
    const struct run_limit l = { .until = STIME_MAX, .at = { 60000, 0 }, .stop = &no };
    char err[HOST_ERR_SIZE];
    struct host *h = host_create(&cfg, &io, err);
    struct xen *xen = host_xen(h);
    struct domain *d;
    struct vcpu *v;
    struct evtchn *chn;
    uint64_t hash;
    domid_t domid;

    if (host_guest_add(h, &g, &domid, err))
        fail_msg("%s", err);
    assert_int_equal(host_guest_start(h, domid), 0);
    assert_int_equal(host_run_to(h, &l), RUN_AT);
    d = xen->domain_of[domid];
    v = d->vcpu[0];
    chn = evtchn_from_port(d, 1);
    hash = look_hash(h);
    assert_true(hash == look_hash(h));

#define CHANGES(lvalue)                                                                                                \
    do {                                                                                                               \
        (lvalue) ^= 1;                                                                                                 \
        if (look_hash(h) == hash)                                                                                      \
            fail_msg("%s is not in the hash", #lvalue);                                                                \
        (lvalue) ^= 1;                                                                                                 \
        assert_true(look_hash(h) == hash);                                                                             \
    } while (0)
    CHANGES(xen->machine->ram[0x5000]);
    CHANGES(xen->machine->clock.now);
    CHANGES(xen->machine->at.step);
    CHANGES(v->regs->gpr[3]);
    CHANGES(v->regs->cr3);
    CHANGES(v->pv.ctrlreg[2]);
    CHANGES(v->pv.iopl);
    CHANGES(v->runstate.state_entry_time);
    CHANGES(v->pause_flags);
    CHANGES(d->vcpu[1]->pause_flags);
    CHANGES(d->tot_pages);
    CHANGES(d->is_shut_down);
    CHANGES(chn->notify_vcpu_id);
    CHANGES(chn->u.interdomain.remote_port);
    CHANGES(chn->priority);
    CHANGES(xen->frame_table[0x6de].type_info);
    CHANGES(xen->frame_table[0x6de].count_info);
    CHANGES(xen->machine->clock.heap[0].expires);
#undef CHANGES
    host_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(changing_anything_changes_it) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
