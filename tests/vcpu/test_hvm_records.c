// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The records of an HVM domain's devices: what was saved is what comes back, all that is wrong with a record is
 * refused as Xen 4.17 does, and no record makes a device that cannot be.
 *
 * Budget: over 400 lines, since every device is set up for its record to be looked at.
 */
#include "tests/vcpu/hvm.h"

#include <errno.h>
#include <string.h>

#define DESC sizeof(struct hvm_save_descriptor)
#define HEAD (DESC + sizeof(struct hvm_save_header))

static uint8_t first[16384], again[16384];

static int records_setup(void **state)
{
    struct fixture *f = fix_machine(1);

    fix_hypervisor(f);
    hvm_create_vcpus(f, 2);
    f->d->emulation_flags = XEN_X86_EMU_ALL;
    *state = f;
    return 0;
}

static int get(struct fixture *f, uint8_t *buf, uint32_t *size)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_gethvmcontext, .domain = f->d->domain_id };
    int rc;

    op.u.hvmcontext.size = sizeof(first);
    set_xen_guest_handle(op.u.hvmcontext.buffer, buf);
    rc = (int)hvm_domctl(f, &op);
    *size = op.u.hvmcontext.size;
    return rc;
}

static int set(struct fixture *f, const uint8_t *buf, uint32_t size)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_sethvmcontext, .domain = f->d->domain_id };

    op.u.hvmcontext.size = size;
    set_xen_guest_handle(op.u.hvmcontext.buffer, (uint8_t *)buf);
    return (int)hvm_domctl(f, &op);
}

/* A header, one record, an end. */
static int set_one(struct fixture *f, unsigned int code, unsigned int instance, const void *body, uint32_t length)
{
    static uint8_t buf[8192];
    const struct hvm_save_header header = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION };
    const struct hvm_save_descriptor h = { HVM_SAVE_CODE(HEADER), 0, sizeof(header) }, end = { 0 };
    const struct hvm_save_descriptor r = { (uint16_t)code, (uint16_t)instance, length };

    memcpy(buf, &h, DESC);
    memcpy(buf + DESC, &header, sizeof(header));
    memcpy(buf + HEAD, &r, DESC);
    memcpy(buf + HEAD + DESC, body, length);
    memcpy(buf + HEAD + DESC + length, &end, DESC);
    return set(f, buf, (uint32_t)(HEAD + 2 * DESC + length));
}

/* op->bufsz in *size, and how much there was afterwards. */
static int get_one(struct fixture *f, unsigned int code, unsigned int instance, void *body, uint64_t *size)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_gethvmcontext_partial, .domain = f->d->domain_id };
    int rc;

    op.u.hvmcontext_partial.type = code;
    op.u.hvmcontext_partial.instance = instance;
    op.u.hvmcontext_partial.bufsz = *size;
    set_xen_guest_handle(op.u.hvmcontext_partial.buffer, (uint8_t *)body);
    rc = (int)hvm_domctl(f, &op);
    *size = op.u.hvmcontext_partial.bufsz;
    return rc;
}

static const struct {
    const char *name;
    uint16_t code, instances;
    uint32_t size;
    bool extended, optional; /* a short one is taken; only domains with the device have it */
} known[] = {
#define ROW(NAME, n, ...)                                                                                              \
    {                                                                                                                  \
#NAME, HVM_SAVE_CODE(NAME), n, HVM_SAVE_LENGTH(NAME), __VA_ARGS__                                              \
    }
    ROW(CPU, 2, false, false),     ROW(PIC, 2, false, true),       ROW(IOAPIC, 1, false, true),
    ROW(LAPIC, 2, true, true),     ROW(LAPIC_REGS, 2, true, true), ROW(PCI_IRQ, 1, false, false),
    ROW(ISA_IRQ, 1, false, false), ROW(PCI_LINK, 1, false, false), ROW(PIT, 1, false, true),
    ROW(RTC, 1, false, true),      ROW(HPET, 1, false, true),      ROW(PMTIMER, 1, false, true),
    ROW(MTRR, 2, false, false),    ROW(VMCE_VCPU, 2, true, false), ROW(TSC_ADJUST, 2, false, false),
};
#define NR_KNOWN (sizeof(known) / sizeof(known[0]))

static void ports(struct fixture *f, const uint16_t (*w)[2], size_t n)
{
    struct hvm_domain *h = f->d->hvm;

    for (size_t i = 0; i < n; i++) {
        const uint16_t port = w[i][0];
        const uint8_t val = (uint8_t)w[i][1];

        if (port >= 0x40 && port <= 0x61)
            pit_write(&h->pit, port, val);
        else if (port == 0x70 || port == 0x71)
            rtc_write(&h->rtc, port, val);
        else
            vpic_write(&h->irq, port, val);
    }
}
#define PORTS(f, ...)                                                                                                  \
    do {                                                                                                               \
        static const uint16_t writes[][2] = { __VA_ARGS__ };                                                           \
        ports(f, writes, sizeof(writes) / sizeof(writes[0]));                                                          \
    } while (0)

/* Every device is in a state that it does not begin in. */
static void use_all(struct fixture *f)
{
    struct hvm_domain *h = f->d->hvm;
    struct vlapic *lapic = &f->v->hvm->vlapic;

    PORTS(f, { 0x20, 0x11 }, { 0x21, 0x30 }, { 0x21, 4 }, { 0x21, 1 }, { 0xa0, 0x11 }, { 0xa1, 0x38 }, { 0xa1, 2 },
          { 0xa1, 3 }, { 0x21, 0x20 }, { 0xa1, 0x40 }, { 0x4d1, 0x0c }, { 0x20, 0xc2 }, { 0x20, 0x0b });
    PORTS(f, { 0x43, 0x34 }, { 0x40, 0x9c }, { 0x40, 0x2e }, { 0x43, 0xb6 }, { 0x42, 0x11 }, { 0x61, 3 });
    PORTS(f, { 0x70, RTC_REG_A }, { 0x71, 0x2a }, { 0x70, RTC_REG_B }, { 0x71, 0x42 }, { 0x70, RTC_SECONDS_ALARM },
          { 0x71, 0x17 }, { 0x70, RTC_HOURS }, { 0x71, 0x05 });
    hvm_pci_intx_assert(&h->irq, 4, 1);
    hvm_isa_irq_assert(&h->irq, 4);
    assert_int_equal(hvm_set_pci_link_route(&h->irq, 1, 10), 0);
    for (unsigned int pin = 0; pin < VIOAPIC_NUM_PINS; pin++) {
        vioapic_write(&h->irq, 0, VIOAPIC_REG_RTE0 + 2 * pin);
        vioapic_write(&h->irq, 0x10, 0x18030 + pin);
    }
    vlapic_write(lapic, APIC_SPIV, 4, 0x1ff);
    vlapic_write(lapic, APIC_TDCR, 4, 0xb);
    vlapic_write(lapic, APIC_LVTT, 4, APIC_LVT_TIMER_PERIODIC | 0x41);
    vlapic_write(lapic, APIC_TMICT, 4, 5000000);
    vlapic_set_irq(lapic, 0x61, true);
    assert_true(vlapic_ack_pending_irq(lapic, 0x61));
    vlapic_set_irq(lapic, 0x55, false);
    pmtimer_write(&h->pmtimer, 2, 2, PM1_PWRBTN | PM1_TMR);
    pmtimer_button(&h->pmtimer, PM1_PWRBTN);
    hpet_write(&h->hpet, HPET_Tn_CFG(1), 8, HPET_TN_ENABLE | HPET_TN_PERIODIC | HPET_TN_SETVAL);
    hpet_write(&h->hpet, HPET_Tn_CMP(1), 8, 100000);
    hpet_write(&h->hpet, HPET_CFG, 8, HPET_CFG_ENABLE);
    assert_true(hvm_write_msr(f->v, 0x277, UINT64_C(0x0007040600070406)));
    assert_true(hvm_write_msr(f->v, 0x200, 6));
    assert_true(hvm_write_msr(f->v, 0x2ff, 0xc06));
    assert_true(hvm_write_msr(f->v, 0x3b, 1234567));
}

/* Saved, used otherwise, loaded: it is as it was, also for who uses it. */
static void test_round_trip(void **state)
{
    struct fixture *f = *state;
    struct hvm_domain *h = f->d->hvm;
    uint32_t size, size2;
    uint16_t isa;
    uint8_t irr;

    use_all(f);
    assert_int_equal(get(f, first, &size), 0);
    isa = h->irq.isa_irq;
    irr = h->irq.vpic[0].irr;
    pit_deinit(&h->pit);
    rtc_deinit(&h->rtc);
    pmtimer_deinit(&h->pmtimer);
    hpet_deinit(&h->hpet);
    hvm_isa_irq_deassert(&h->irq, 4);
    hvm_isa_irq_deassert(&h->irq, 9);
    hvm_pci_intx_deassert(&h->irq, 4, 1);
    hvm_pci_intx_assert(&h->irq, 7, 3);
    assert_int_equal(hvm_set_pci_link_route(&h->irq, 1, 0), 0);
    vpic_init(&h->irq);
    vioapic_init(&h->irq);
    pit_init(&h->pit, &h->irq);
    rtc_init(&h->rtc, &h->irq);
    pmtimer_init(&h->pmtimer, &h->irq, true);
    hpet_init(&h->hpet, &h->irq, &h->pit);
    vlapic_reset(&f->v->hvm->vlapic, true);
    f->v->hvm->mtrr = (struct hvm_mtrr){ .def_type = 0 };
    f->v->hvm->tsc_adjust = 0;
    assert_int_equal(get(f, again, &size2), 0);
    assert_int_equal(size, size2);
    assert_memory_not_equal(first, again, size);
    assert_int_equal(set(f, first, size), 0);
    assert_int_equal(get(f, again, &size2), 0);
    assert_int_equal(size, size2);
    assert_memory_equal(first, again, size);

    assert_int_equal(h->irq.isa_irq, isa);
    assert_int_equal(h->irq.vpic[0].irr, irr);
    assert_int_equal(h->irq.gsi_assert_count[4], 1);
    assert_int_equal(h->irq.gsi_assert_count[hvm_pci_intx_gsi(4, 1)], 1);
    assert_int_equal(h->irq.gsi_assert_count[10], 1); /* by the link */
    hvm_isa_irq_deassert(&h->irq, 4);
    hvm_pci_intx_deassert(&h->irq, 4, 1);
    assert_int_equal(h->irq.gsi_assert_count[4], 0);
    assert_int_equal(h->irq.gsi_assert_count[10], 0);
    assert_int_equal(hvm_vcpu_has_pending_irq(f->v, &h->irq).source, hvm_intsrc_none); /* 0x55 waits behind 0x61 */
    vlapic_write(&f->v->hvm->vlapic, APIC_EOI, 4, 0);
    assert_int_equal(hvm_vcpu_has_pending_irq(f->v, &h->irq).vector, 0x55);
    assert_false(vlapic_test_irq(&f->v->hvm->vlapic, 0x41));
    fix_pass(f, MILLISECS(60)); /* 5,000,000 x 10 ns */
    pt_update_irq(&h->irq);
    assert_true(vlapic_test_irq(&f->v->hvm->vlapic, 0x41));
    assert_int_not_equal(h->pit.pt0.pending, 0); /* every 10 ms */
}

/* The local APIC's timer goes on from where it was. */
static void test_timer_goes_on(void **state)
{
    struct fixture *f = *state;
    struct vlapic *lapic = &f->v->hvm->vlapic;
    struct hvm_hw_lapic_regs r;
    uint64_t size = sizeof(r);
    uint32_t left;

    vlapic_write(lapic, APIC_SPIV, 4, 0x1ff);
    vlapic_write(lapic, APIC_TDCR, 4, 0xb);
    vlapic_write(lapic, APIC_LVTT, 4, 0x41);
    vlapic_write(lapic, APIC_TMICT, 4, 1000000);
    fix_pass(f, MILLISECS(4));
    left = vlapic_read(lapic, APIC_TMCCT, 4);
    assert_in_range(left, 590000, 600000);
    assert_int_equal(get_one(f, HVM_SAVE_CODE(LAPIC_REGS), 0, &r, &size), 0);
    vlapic_reset(lapic, true);
    fix_pass(f, SECONDS(1));
    assert_int_equal(set_one(f, HVM_SAVE_CODE(LAPIC_REGS), 0, &r, sizeof(r)), 0);
    assert_int_equal(vlapic_read(lapic, APIC_TMCCT, 4), left);
    fix_pass(f, left * 10 + 1000);
    pt_update_irq(&f->d->hvm->irq);
    assert_true(vlapic_test_irq(lapic, 0x41));
}

/* It has run out while its vCPU stood still, and nobody has heard of it. */
static void test_timer_about_to(void **state)
{
    struct fixture *f = *state;
    struct vlapic *lapic = &f->v->hvm->vlapic;
    struct hvm_hw_lapic_regs r;
    uint64_t size = sizeof(r);

    vlapic_write(lapic, APIC_SPIV, 4, 0x1ff);
    vlapic_write(lapic, APIC_TDCR, 4, 0xb);
    vlapic_write(lapic, APIC_LVTT, 4, 0x41);
    vlapic_write(lapic, APIC_TMICT, 4, 1000);
    f->d->hvm->irq.timer_mode = HVMPTM_no_delay_for_missed_ticks;
    pt_save_timer(f->v, &f->d->hvm->irq);
    fix_pass(f, MILLISECS(1));
    assert_int_equal(get_one(f, HVM_SAVE_CODE(LAPIC_REGS), 0, &r, &size), 0);
    vlapic_reset(lapic, true);
    assert_int_equal(set_one(f, HVM_SAVE_CODE(LAPIC_REGS), 0, &r, sizeof(r)), 0);
    fix_pass(f, MICROSECS(1));
    pt_update_irq(&f->d->hvm->irq);
    assert_true(vlapic_test_irq(lapic, 0x41));
    /* And when it has been heard of, it is so no more. */
    vlapic_ack_pending_irq(lapic, 0x41);
    pt_intr_post(f->v, &f->d->hvm->irq, (struct hvm_intack){ .source = hvm_intsrc_lapic, .vector = 0x41 });
    assert_int_equal(get_one(f, HVM_SAVE_CODE(LAPIC_REGS), 0, &r, &size), 0);
    assert_int_equal(*(const uint32_t *)(const void *)(r.data + APIC_TMCCT), 0);
}

/* Each mode of a local APIC from each: the guest itself could not go from x2APIC mode to the other. */
static void test_lapic_modes(void **state)
{
    struct fixture *f = *state;
    static const uint64_t modes[] = { 0, APIC_BASE_ENABLE, APIC_BASE_ENABLE | APIC_BASE_EXTD };
    struct hvm_hw_lapic r;
    uint64_t size = sizeof(r);

    for (unsigned int i = 0; i < 9; i++)
        for (unsigned int j = 0; j < 2; j++) {
            r = (struct hvm_hw_lapic){ .apic_base_msr = APIC_DEFAULT_PHYS_BASE | modes[j ? i % 3 : i / 3] };
            assert_int_equal(set_one(f, HVM_SAVE_CODE(LAPIC), 0, &r, sizeof(r)), 0);
            assert_int_equal(get_one(f, HVM_SAVE_CODE(LAPIC), 0, &r, &size), 0);
            assert_int_equal(r.apic_base_msr, APIC_DEFAULT_PHYS_BASE | modes[j ? i % 3 : i / 3]);
        }
}

static void test_lengths_and_instances(void **state)
{
    struct fixture *f = *state;
    static uint8_t body[4096];

    for (size_t i = 0; i < NR_KNOWN; i++) {
        const unsigned int code = known[i].code, n = known[i].instances;
        uint64_t size = 0;

        print_message("%s\n", known[i].name);
        if (code == HVM_SAVE_CODE(CPU)) { /* the second is down */
            assert_int_equal(get_one(f, code, 1, body, &size), -ENOENT);
        } else {
            size = sizeof(body);
            assert_int_equal(get_one(f, code, n - 1u, body, &size), 0);
            assert_int_equal(size, known[i].size);
        }
        size = known[i].size - 1;
        assert_int_equal(get_one(f, code, 0, body, &size), -ENOBUFS);
        size = 0;
        assert_int_equal(get_one(f, code, 0, NULL, &size), 0); /* how much is it? */
        assert_int_equal(size, known[i].size);
        assert_int_equal(get_one(f, code, 0, body, &size), 0);
        assert_int_equal(get_one(f, code, n, body, &size), -ENOENT);
        assert_int_equal(get_one(f, code, 65536, body, &size), -ENOENT);
        assert_int_equal(set_one(f, code, 0, body, known[i].size), 0);
        assert_int_equal(set_one(f, code, 0, body, known[i].size + 1), -EINVAL);
        assert_int_equal(set_one(f, code, 0, body, known[i].size - 1), known[i].extended ? 0 : -EINVAL);
        if (n > 1)
            assert_int_equal(set_one(f, code, n, body, known[i].size), code == HVM_SAVE_CODE(PIC) ? -ENODEV : -EINVAL);
    }
}

/* Of what the domain has not there is no record, and none is taken. */
static void test_absent(void **state)
{
    struct fixture *f = *state;
    static uint8_t body[4096];
    uint64_t size = sizeof(body);

    assert_int_equal(get_one(f, 0, 0, body, &size), -EINVAL);
    assert_int_equal(get_one(f, HVM_SAVE_CODE(HEADER), 0, body, &size), -EINVAL);
    assert_int_equal(get_one(f, HVM_SAVE_CODE_MAX + 1, 0, body, &size), -EINVAL);
    assert_int_equal(get_one(f, UINT32_MAX, 0, body, &size), -EINVAL);
    assert_int_equal(set_one(f, CPU_XSAVE_CODE, 0, body, sizeof(struct hvm_hw_cpu_xsave)), -EOPNOTSUPP);
    assert_int_equal(set_one(f, HVM_SAVE_CODE_MAX + 1, 0, body, 8), -EINVAL);
    assert_int_equal(set_one(f, 0xffff, 0, body, 8), -EINVAL);
    f->d->emulation_flags = 0;
    for (size_t i = 0; i < NR_KNOWN; i++) {
        size = sizeof(body);
        assert_int_equal(get_one(f, known[i].code, 0, body, &size), known[i].optional ? -ENOENT : 0);
        if (known[i].optional)
            assert_int_equal(set_one(f, known[i].code, 0, body, known[i].size), -ENODEV);
    }
}

#define REFUSED(f, NAME, type, why, ...)                                                                               \
    do {                                                                                                               \
        struct type r;                                                                                                 \
        uint64_t size = sizeof(r);                                                                                     \
                                                                                                                       \
        assert_int_equal(get_one(f, HVM_SAVE_CODE(NAME), 0, &r, &size), 0);                                            \
        __VA_ARGS__;                                                                                                   \
        assert_int_equal(set_one(f, HVM_SAVE_CODE(NAME), 0, &r, sizeof(r)), why);                                      \
    } while (0)

/* What no device can be. */
static void test_refused(void **state)
{
    struct fixture *f = *state;
    uint32_t size;

    REFUSED(f, PIC, hvm_hw_vpic, -EINVAL, r.priority_add = 8);
    REFUSED(f, PIC, hvm_hw_vpic, -EINVAL, r.init_state = 4);
    REFUSED(f, IOAPIC, hvm_hw_vioapic, -EINVAL, r.base_address += 4096);
    REFUSED(f, LAPIC, hvm_hw_lapic, -EINVAL, r.apic_base_msr = APIC_DEFAULT_PHYS_BASE | APIC_BASE_EXTD);
    REFUSED(f, LAPIC, hvm_hw_lapic, -EINVAL, r.apic_base_msr |= 1);
    REFUSED(f, PCI_LINK, hvm_hw_pci_link, -EINVAL, r.route[3] = 16);
    REFUSED(f, PIT, hvm_hw_pit, -EINVAL, r.channels[0].mode = 6);
    REFUSED(f, PIT, hvm_hw_pit, -EINVAL, r.channels[2].count = 0x10001);
    REFUSED(f, PIT, hvm_hw_pit, -EINVAL, r.channels[1].rw_mode = 4);
    REFUSED(f, MTRR, hvm_hw_mtrr, -EINVAL, r.msr_mtrr_cap = 9);
    REFUSED(f, VMCE_VCPU, hvm_vmce_vcpu, -EPERM, r.caps = 0x100);
    REFUSED(f, MTRR, hvm_hw_mtrr, 0, r.msr_pat_cr = 2); /* what could not be written is not loaded */
    assert_int_not_equal(f->v->regs->pat, 2);

    assert_int_equal(get(f, first, &size), 0);
    assert_int_equal(set(f, first, size), 0);
    for (unsigned int at = DESC; at < DESC + 8; at += 4) { /* magic, version */
        first[at] ^= 1;
        assert_int_equal(set(f, first, size), -EINVAL);
        first[at] ^= 1;
    }
    assert_int_equal(set(f, first, size - DESC), -ENODATA);
    assert_int_equal(set(f, first + HEAD, size - HEAD), -EINVAL); /* no header */
}

/* Bytes of records changed at random: refused, or a device that works. */
static void test_random(void **state)
{
    struct fixture *f = *state;
    struct hvm_domain *h = f->d->hvm;
    unsigned int taken = 0;
    uint64_t seed = 88172645463325252u;
    uint32_t size;

    use_all(f);
    assert_int_equal(get(f, first, &size), 0);
    for (unsigned int n = 0; n < 3000; n++) {
        memcpy(again, first, size);
        for (unsigned int i = 0; i <= n % 8; i++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            again[seed % size] = (uint8_t)(seed >> 32);
        }
        taken += set(f, again, size) == 0;
        for (uint16_t port = 0x40; port < 0x44; port++)
            pit_read(&h->pit, port);
        for (unsigned int i = 0; i < 4; i++)
            vpic_read(&h->irq, (const uint16_t[]){ 0x20, 0x21, 0xa0, 0xa1 }[i]);
        rtc_read(&h->rtc, 0x71);
        pmtimer_read(&h->pmtimer, 8, 4);
        for (unsigned int reg = 0; reg < 0x160; reg += 8)
            hpet_read(&h->hpet, reg, 8);
        for (unsigned int reg = 0; reg < 0x400; reg += 16)
            vlapic_read(&f->v->hvm->vlapic, reg, 4);
        fix_pass(f, MICROSECS(200));
        pt_update_irq(&h->irq);
        for (struct hvm_intack a; (a = hvm_vcpu_has_pending_irq(f->v, &h->irq)).source != hvm_intsrc_none;)
            if (hvm_vcpu_ack_pending_irq(f->v, &h->irq, a).source == hvm_intsrc_none)
                break;
    }
    assert_in_range(taken, 1000, 2999);
}

/* A processor that cannot be, by its control registers. */
static void processors(void **state)
{
    struct fixture *f = *state;
    struct hvm_hw_cpu good, c;

    hvm_cpu_save(f->v, &good);
    assert_int_equal(set_one(f, HVM_SAVE_CODE(CPU), 0, &good, sizeof(good)), 0);
#define NO_CPU(...)                                                                                                    \
    do {                                                                                                               \
        c = good;                                                                                                      \
        __VA_ARGS__;                                                                                                   \
        assert_int_equal(set_one(f, HVM_SAVE_CODE(CPU), 0, &c, sizeof(c)), -EINVAL);                                   \
    } while (0)
    NO_CPU(c.cr0 = X86_CR0_PG);
    NO_CPU(c.cr0 |= UINT64_C(1) << 32);
    NO_CPU(c.cr4 = 1u << 12);
    NO_CPU(c.cr4 = UINT64_C(1) << 40);
    NO_CPU(c.msr_efer = EFER_LMA);
    NO_CPU(c.msr_efer = EFER_LME | EFER_LMA);
    NO_CPU(c.msr_efer = 1u << 9);
    NO_CPU(c.cr0 |= X86_CR0_PG, c.msr_efer = EFER_LME | EFER_LMA); /* without PAE */
    NO_CPU(c.cr0 |= X86_CR0_PG, c.cr4 = X86_CR4_PAE, c.msr_efer = EFER_LME);
    NO_CPU(c.cr0 |= X86_CR0_PG, c.cr4 = X86_CR4_PAE, c.msr_efer = EFER_LME | EFER_LMA, c.rip = UINT64_C(1) << 50);
    NO_CPU(c.flags = 2);
#undef NO_CPU
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, records_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(processors, records_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_timer_goes_on, records_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_timer_about_to, records_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_lapic_modes, records_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_lengths_and_instances, records_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_absent, records_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_refused, records_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_random, records_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
