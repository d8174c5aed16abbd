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
#include "rings/dm/pc.h"
#include "tools/debug/look.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/sched/sched.h"

#define CHANGES(lvalue)                                                                                                \
    do {                                                                                                               \
        (lvalue) ^= 1;                                                                                                 \
        if (look_hash(h) == hash)                                                                                      \
            fail_msg("%s is not in the hash", #lvalue);                                                                \
        (lvalue) ^= 1;                                                                                                 \
        assert_true(look_hash(h) == hash);                                                                             \
    } while (0)
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
    host_destroy(h);
}

/* An HVM guest's devices, whoever has them: registers, what waits, what has been read and not been told. */
static void changing_any_device_changes_it(void **state)
{
    const enum host_device_model *where = *state;
    const struct host_config cfg = { .ram_mib = 128, .nr_pcpus = 1, .device_model = *where, .quiet = true };
    const struct host_io io = { 0 };
    const struct host_guest g = {
        .kernel = "build/guests/pcdev/pcdev", .memory_mib = 16, .vcpus = 2, .has_type = true, .type = XL_TYPE_HVM
    };
    const bool no = false;
    const struct run_limit l = { .until = MILLISECS(60), .at = { UINT64_MAX, 0 }, .stop = &no };
    char err[HOST_ERR_SIZE];
    struct host *h = host_create(&cfg, &io, err);
    struct hvm_domain *hd;
    struct hvm_vcpu *hv;
    struct pc *pc;
    uint64_t hash;
    domid_t domid;

    if (host_guest_add(h, &g, &domid, err))
        fail_msg("%s", err);
    assert_int_equal(host_guest_start(h, domid), 0);
    host_run_to(h, &l);
    hd = host_xen(h)->domain_of[domid]->hvm;
    hv = host_xen(h)->domain_of[domid]->vcpu[1]->hvm;
    pc = (struct pc *)(uintptr_t)host_pc(h, domid);
    assert_non_null(pc);
    hash = look_hash(h);
    CHANGES(hd->params[HVM_PARAM_CALLBACK_IRQ]);
    CHANGES(hd->irq.vpic[1].imr);
    CHANGES(hd->irq.vioapic.redir[47]);
    CHANGES(hd->irq.gsi_assert_count[20]);
    CHANGES(hd->irq.callback.asserted);
    CHANGES(hd->pit.chip.ch[2].started);
    CHANGES(hd->pit.chip.ch[0].latched_count);
    CHANGES(hd->pit.pt0.pending);
    CHANGES(hd->rtc.cmos[11]);
    CHANGES(hd->pmtimer.sts);
    CHANGES(hd->pci_cf8);
    if (*where != HOST_DM_XEN) {
        CHANGES(hd->ioreq_server[0]->ranges[0].range[0].end);
        CHANGES(hd->ioreq_server[0]->buffered);
    }
    CHANGES(hv->vlapic.pending_esr);
    CHANGES(hv->vlapic.pt.scheduled);
    CHANGES(hv->io.server);
    CHANGES(hv->inject.set);
    CHANGES(hv->mtrr.fixed[10]);
    CHANGES(hv->last_branch[3]);
    CHANGES(pc->cf8);
    CHANGES(pc->cmos.bytes[127]);
    CHANGES(pc->ide.channel[1].buf[IDE_BUFFER]);
    CHANGES(pc->ide.channel[0].drive[1].sense[2]);
    CHANGES(pc->ide.channel[0].job.left);
    CHANGES(pc->ide.channel[0].bm.addr);
    CHANGES(pc->ide.pci.config[0x40]);
    CHANGES(pc->piix.isa.config[0x60]);
    CHANGES(pc->piix.gpe_enabled[1]);
    CHANGES(pc->ps2.bytes[0]);
    CHANGES(pc->ps2.keyboard.held[31]);
    CHANGES(pc->ps2.mouse.packets.nr);
    CHANGES(pc->ps2.mouse.dz);
    CHANGES(pc->com[0].fcr);
    CHANGES(pc->com[0].fifo[15]);
    CHANGES(pc->vga.misc);
    CHANGES(pc->vga.latch[3]);
    CHANGES(pc->vga.vbe[VBE_Y0]);
    CHANGES(pc->transcript.often[TRANSCRIPT_ROWS - 1]);
    CHANGES(pc->platform.len);
    host_destroy(h);
}

int main(void)
{
    static enum host_device_model where[] = { HOST_DM_DOM0, HOST_DM_DOMAIN, HOST_DM_XEN };
    const struct CMUnitTest tests[] = { cmocka_unit_test(changing_anything_changes_it),
                                        cmocka_unit_test_prestate(changing_any_device_changes_it, &where[0]),
                                        cmocka_unit_test_prestate(changing_any_device_changes_it, &where[1]),
                                        cmocka_unit_test_prestate(changing_any_device_changes_it, &where[2]) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
