// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines: ISA's, PCI's by link and by pin, messages, the event callback; and which of all that waits is taken first. */
#include "tests/hvm/board.h"

#define CALLBACK(type, rest) ((uint64_t)(type) << 56 | (rest))

/* The pair listens to vCPU 0 with vectors 0x20 and 0x28; each pin of the I/O APIC sends 0x80 + pin to vCPU 1. */
static void wire(struct board *b, uint32_t mode)
{
    static const uint8_t words[] = { 0x11, 0x20, 4, 1, 0x11, 0x28, 2, 1 };

    enable_all(b);
    vlapic_virtual_wire(&b->lapic[0]);
    for (unsigned int i = 0; i < 8; i++)
        vpic_write(&b->irq, (uint16_t)((i < 4 ? 0x20 : 0xa0) + (i % 4 ? 1 : 0)), words[i]);
    for (unsigned int pin = 0; pin < 48; pin++) {
        vioapic_write(&b->irq, 0, 0x11 + 2 * pin);
        vioapic_write(&b->irq, 0x10, 2u << 24);
        vioapic_write(&b->irq, 0, 0x10 + 2 * pin);
        vioapic_write(&b->irq, 0x10, mode | (0x80 + pin));
    }
}

static void eoi(struct board *b)
{
    apic(b, 1, APIC_EOI, 0);
    vpic_write(&b->irq, 0xa0, 0x20);
    vpic_write(&b->irq, 0x20, 0x20);
}

static void isa(void **state)
{
    struct board *b = *state;

    wire(b, 0);
    for (unsigned int irq = 0; irq < 16; irq++) {
        hvm_isa_irq_assert(&b->irq, irq);
        hvm_isa_irq_assert(&b->irq, irq);
        assert_int_equal(take(b, 0), irq == 2 ? -1 : (int)(0x20 + irq));
        assert_int_equal(take(b, 1), irq == 2 ? -1 : irq == 0 ? 0x82 : (int)(0x80 + irq));
        hvm_isa_irq_deassert(&b->irq, irq);
        eoi(b);
        assert_int_equal(take(b, 0), -1);
        assert_int_equal(take(b, 1), -1);
    }
    hvm_isa_irq_assert(&b->irq, 16);
    hvm_isa_irq_deassert(&b->irq, 1000);
    assert_int_equal(take(b, 1), -1);
}

static void pci(void **state)
{
    struct board *b = *state;

    wire(b, 0x8000);
    vpic_write(&b->irq, 0x4d0, 0xf8);
    vpic_write(&b->irq, 0x4d1, 0xde);
    assert_int_equal(hvm_pci_intx_gsi(3, 1), 29);
    assert_int_equal(hvm_pci_intx_gsi(8, 0), 17);
    hvm_pci_intx_assert(&b->irq, 3, 1); /* link 0 */
    assert_int_equal(take(b, 1), 0x80 + 29);
    assert_int_equal(take(b, 0), -1); /* the link leads nowhere */
    assert_int_equal(hvm_set_pci_link_route(&b->irq, 0, 10), 0);
    assert_int_equal(take(b, 0), 0x2a); /* now it does, and is up */
    hvm_pci_intx_assert(&b->irq, 4, 0); /* the same link, another pin */
    hvm_pci_intx_deassert(&b->irq, 3, 1);
    eoi(b);
    assert_int_equal(take(b, 0), 0x2a);
    assert_int_equal(hvm_set_pci_link_route(&b->irq, 0, 0), 0);
    vpic_write(&b->irq, 0xa0, 0x20);
    vpic_write(&b->irq, 0x20, 0x20);
    assert_int_equal(take(b, 0), -1);
    assert_int_equal(hvm_set_pci_link_route(&b->irq, 0, 11), 0);
    assert_int_equal(take(b, 0), 0x2b);
    hvm_pci_intx_deassert(&b->irq, 4, 0);
    hvm_pci_intx_deassert(&b->irq, 4, 0);
    vpic_write(&b->irq, 0xa0, 0x20);
    vpic_write(&b->irq, 0x20, 0x20);
    assert_int_equal(take(b, 0), -1);
    assert_int_equal(hvm_set_pci_link_route(&b->irq, 4, 5), -EINVAL);
    assert_int_equal(hvm_set_pci_link_route(&b->irq, 0, 16), -EINVAL);
    hvm_isa_irq_assert(&b->irq, 10); /* another holds the pin: a link that is not up takes nothing away */
    assert_int_equal(hvm_set_pci_link_route(&b->irq, 0, 10), 0);
    assert_int_equal(hvm_set_pci_link_route(&b->irq, 0, 11), 0);
    assert_int_equal(b->irq.gsi_assert_count[10], 1);
    hvm_pci_intx_assert(&b->irq, 4, 0); /* link 0 again, and 10 by another name */
    hvm_gsi_assert(&b->irq, 10);
    hvm_isa_irq_deassert(&b->irq, 10);
    assert_int_equal(take(b, 0), 0x2a); /* one of its two has let go */
    hvm_gsi_deassert(&b->irq, 10);
    hvm_pci_intx_deassert(&b->irq, 4, 0);
    hvm_pci_intx_deassert(&b->irq, 31, 4);
    hvm_pci_intx_assert(&b->irq, 32, 0);
    hvm_pci_intx_assert(&b->irq, 0, 4);
    for (unsigned int gsi = 0; gsi < 48; gsi++)
        assert_int_equal(b->irq.gsi_assert_count[gsi], 0);
}

static void msi(void **state)
{
    struct board *b = *state;

    enable_all(b);
    assert_int_equal(hvm_inject_msi(&b->irq, 0xfee04000, 0x45), 0);
    assert_int_equal(take(b, 2), 0x45);
    assert_int_equal(apic_reg(b, 2, APIC_TMR + 0x20), 0);
    apic(b, 2, APIC_EOI, 0);
    assert_int_equal(hvm_inject_msi(&b->irq, 0xfee04000, 0xc045), 0); /* a level */
    assert_int_equal(apic_reg(b, 2, APIC_TMR + 0x20), 1 << 5);
    assert_int_equal(hvm_inject_msi(&b->irq, 0xfeeff000, 0x146), 0); /* lowest priority of all */
    assert_int_equal((take(b, 0) == 0x46) + (take(b, 1) == 0x46) + (take(b, 3) == 0x46), 1);
    assert_int_equal(hvm_inject_msi(&b->irq, 0xfec04000, 0x45), -EINVAL);
    assert_int_equal(hvm_inject_msi(&b->irq, UINT64_C(0x1fee04000), 0x45), -EINVAL);
    assert_int_equal(hvm_inject_msi(&b->irq, 0xfee04000, 0), -EINVAL);
    assert_int_equal(hvm_inject_msi(&b->irq, 0xfee04000, 0x545), -EINVAL);
}

static void callback(void **state)
{
    struct board *b = *state;
    struct vcpu *v = cpu(b, 0);

    wire(b, 0x8000);
    hvm_set_callback_irq_level(&b->irq, true); /* before the guest says how */
    assert_int_equal(take(b, 1), -1);
    hvm_set_callback_via(&b->irq, CALLBACK(HVM_PARAM_CALLBACK_TYPE_GSI, 28));
    assert_int_equal(take(b, 1), 0x80 + 28);
    hvm_set_callback_irq_level(&b->irq, false);
    apic(b, 1, APIC_EOI, 0);
    assert_int_equal(take(b, 1), -1);
    hvm_set_callback_via(&b->irq, CALLBACK(HVM_PARAM_CALLBACK_TYPE_PCI_INTX, 3 << 11 | 0));
    hvm_set_callback_irq_level(&b->irq, true);
    assert_int_equal(take(b, 1), 0x80 + 28);
    hvm_set_callback_via(&b->irq, CALLBACK(HVM_PARAM_CALLBACK_TYPE_VECTOR, 0xf3));
    apic(b, 1, APIC_EOI, 0);
    assert_int_equal(take(b, 1), -1);
    v->vcpu_info->evtchn_upcall_pending = 0;
    assert_int_equal(take(b, 0), -1);
    v->vcpu_info->evtchn_upcall_pending = 1;
    assert_int_equal(take(b, 0), 0xf3);
    assert_int_equal(take(b, 0), 0xf3);                                      /* until the guest has seen to it */
    hvm_set_callback_via(&b->irq, CALLBACK(HVM_PARAM_CALLBACK_TYPE_GSI, 0)); /* none */
    assert_int_equal(take(b, 0), -1);
    hvm_set_callback_via(&b->irq, CALLBACK(HVM_PARAM_CALLBACK_TYPE_GSI, 200));
    hvm_set_callback_via(&b->irq, CALLBACK(77, 1));
    for (unsigned int gsi = 0; gsi < 48; gsi++)
        assert_int_equal(b->irq.gsi_assert_count[gsi], 0);
    v->vcpu_info->evtchn_upcall_pending = 0;
}

static void order(void **state)
{
    struct board *b = *state;
    struct vcpu *v = cpu(b, 0);

    wire(b, 0);
    v->nmi_pending = true;
    hvm_set_callback_via(&b->irq, CALLBACK(HVM_PARAM_CALLBACK_TYPE_VECTOR, 0xf3));
    v->vcpu_info->evtchn_upcall_pending = 1;
    hvm_isa_irq_assert(&b->irq, 4);
    vlapic_set_irq(&b->lapic[0], 0xfe, false);
    v->nmi_masked = true; /* in its handler */
    assert_int_equal(hvm_vcpu_has_pending_irq(v, &b->irq).source, hvm_intsrc_vector);
    v->nmi_masked = false;
    assert_int_equal(take(b, 0), 2);
    assert_int_equal(take(b, 0), 0xf3);
    v->vcpu_info->evtchn_upcall_pending = 0;
    assert_int_equal(take(b, 0), 0x24);
    assert_int_equal(take(b, 0), 0xfe);
    assert_int_equal(take(b, 0), -1);
}

/* Who hears the pair: LINT0, pin 0 of the I/O APIC, or a vCPU without a local APIC; nobody, if that is masked. */
static void who_hears_the_pair(void **state)
{
    struct board *b = *state;

    enable_all(b);
    hvm_isa_irq_assert(&b->irq, 4);
    assert_null(vlapic_pic_target(&b->irq));
    assert_int_equal(take(b, 0), -1);
    apic(b, 2, APIC_LVT0, 0x700);
    assert_true(vlapic_accept_pic_intr(&b->lapic[2]));
    apic(b, 2, APIC_LVT0, 0x10700);
    assert_null(vlapic_pic_target(&b->irq));
    vioapic_write(&b->irq, 0, 0x11);
    vioapic_write(&b->irq, 0x10, 6u << 24);
    vioapic_write(&b->irq, 0, 0x10);
    vioapic_write(&b->irq, 0x10, 0x700);
    assert_ptr_equal(vlapic_pic_target(&b->irq), &b->lapic[3]);
    vlapic_msr_set(&b->lapic[0], 0xfee00000);
    assert_ptr_equal(vlapic_pic_target(&b->irq), &b->lapic[0]);
    assert_int_equal(take(b, 0), 4);
    assert_int_equal(hvm_vcpu_ack_pending_irq(cpu(b, 0), &b->irq, (struct hvm_intack){ hvm_intsrc_pic, 0 }).source,
                     hvm_intsrc_none); /* it has gone meanwhile */
}

/* A line wakes the vCPU that is to hear it. */
static void wakes(void **state)
{
    struct board *b = *state;

    wire(b, 0x10000);
    for (unsigned int i = 0; i < BOARD_CPUS; i++)
        cpu(b, i)->pause_flags |= VPF_blocked;
    hvm_isa_irq_assert(&b->irq, 4);
    assert_false(cpu(b, 0)->pause_flags & VPF_blocked);
    assert_true(cpu(b, 1)->pause_flags & VPF_blocked);
    vlapic_set_irq(&b->lapic[1], 0x40, false);
    assert_false(cpu(b, 1)->pause_flags & VPF_blocked);
    for (unsigned int i = 0; i < BOARD_CPUS; i++)
        cpu(b, i)->pause_flags &= ~VPF_blocked;
}

/* A PVH domain has neither the pair nor an I/O APIC: lines lead nowhere, whatever a guest says of a callback's. */
static void no_controllers(void **state)
{
    struct board *b = *state;

    b->f->d->emulation_flags = XEN_X86_EMU_LAPIC;
    hvm_set_callback_via(&b->irq, 1);
    hvm_set_callback_irq_level(&b->irq, true);
    hvm_isa_irq_assert(&b->irq, 4);
    assert_false(b->irq.vpic[0].int_output);
    assert_int_equal(b->irq.vpic[0].irr, 0);
    assert_int_equal(hvm_vcpu_has_pending_irq(cpu(b, 0), &b->irq).source, hvm_intsrc_none);
    hvm_isa_irq_deassert(&b->irq, 4);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, board_setup, board_teardown)
    const struct CMUnitTest tests[] = {
        TEST(isa),   TEST(pci),
        TEST(msi),   TEST(callback),
        TEST(order), TEST(who_hears_the_pair),
        TEST(wakes), TEST(no_controllers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
