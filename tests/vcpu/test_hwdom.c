// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dom0 that is a guest: what it may do with the machine, that a guest beside it may not, and that nothing it does is
 * unknown to the audit. The devices are the machine's own (rings/phys/), the console is the test's.
 *
 * Budget: one machine, and each of its doors tried by both domains.
 */
#include "mmu/m2p.h"
#include "mmu/pte.h"
#include "rings/phys/phys.h"
#include "tests/support/random.h"
#include "tests/vcpu/fixture.h"
#include "vcpu/hwdom.h"

#include <xen/arch-x86/xen-mca.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sysctl.h>
#include <xen/version.h>

#define NOWHERE UINT64_C(0x123456000) /* mapped by nobody */
#define MFN(e)  ((e)&PTE_MFN_MASK)
#define IO_MFN  UINT64_C(0xfec00) /* of an address that is no RAM */

static struct phys board;
static char said[64]; /* what dom0 wrote to the machine's console */
static int ended;     /* the reason that dom0 gave; -1: it runs */
static struct domain *other;
static const uint64_t *spare_of[2]; /* dom0's and the other's spare_entry() */

static uint32_t port_read(void *p, uint16_t port, unsigned int size) { return phys_port_read(p, port, size); }
static void port_write(void *p, uint16_t port, unsigned int size, uint32_t v) { phys_port_write(p, port, size, v); }
static uint32_t pci(void *p, uint32_t cf8, unsigned int off, unsigned int size, const uint32_t *val)
{
    return phys_pci_config(p, cf8, off, size, val);
}
static void eoi(void *p, unsigned int gsi) { phys_eoi(p, gsi); }
static size_t typed(void *p, char *buf, size_t len)
{
    const size_t n = len < 3 ? len : 3;

    memcpy(buf, "ls\n", n);
    return n;
}
static void say(void *p, const char *text, size_t len)
{
    snprintf(said + strlen(said), sizeof(said) - strlen(said), "%.*s", (int)len, text);
}
static void end(void *p, int reason) { ended = reason; }

static const struct board_ops board_ops = { port_read, port_write, pci, eoi, typed, say, end };

static void guest(struct fixture *f, bool dom0)
{
    char err[IMAGE_ERR_SIZE] = "";
    struct pv_build b = { .nr_pages = 8192, .max_pages = 8192, .max_vcpus = 1, .dom0 = dom0 };

    if (kernel_build(f->xc, &kernel_linux64, &b, err))
        fail_msg("%s", err);
    f->d = get_domain_by_id(f->xen, b.domid);
    put_domain(f->d);
    f->v = f->d->vcpu[0];
    f->v->pv.iopl = 3;
    f->scratch = f->v->regs->rsp - 2048;
}

/* The fixture's calls are d's from here on. */
static void as(struct fixture *f, struct domain *d)
{
    f->d = d;
    f->v = d->vcpu[0];
    f->scratch = f->v->regs->rsp - 2048;
}

static int setup(void **state)
{
    struct fixture *f = fix_machine(0);
    char err[256] = "";

    f->xen = xen_create_ops(f->m, "rr", NULL, true, err, sizeof(err));
    if (!f->xen)
        fail_msg("%s", err);
    f->dom0 = native_kernel_create(f->xen->boot, NULL, 0);
    f->xc = xc_interface_open(native_vcpu(f->dom0));
    guest(f, true);
    assert_int_equal(f->d->domain_id, 0);
    assert_ptr_equal(f->d, f->xen->dom0);
    guest(f, false);
    other = f->d;
    phys_init(&board, f->xen);
    f->xen->board = &board_ops;
    f->xen->board_data = &board;
    xen_boot_done(f->xen);
    said[0] = '\0';
    ended = -1;
    spare_of[0] = spare_of[1] = NULL;
    as(f, f->xen->dom0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    phys_deinit(&board);
    f->xen->board = NULL;
    return fix_teardown(state);
}

/* A call with a structure, which is what the guest finds in it afterwards. */
static long call(struct fixture *f, unsigned int nr, uint64_t first, void *arg, size_t n)
{
    const bool command_inside = first == ~UINT64_C(0);
    const uint64_t at = fix_put(f, 0, arg, n);
    const long rc = fix_hypercall(f, nr, command_inside ? at : first, at, 0, 0);

    assert_int_equal(copy_from_guest(f->v, arg, at, n), 0);
    return rc;
}
#define INSIDE             (~UINT64_C(0))
#define PHYSDEV(f, cmd, p) call(f, __HYPERVISOR_physdev_op, cmd, p, sizeof(*(p)))

/* --- platform_op --- */

static long platform(struct fixture *f, struct xen_platform_op *op)
{
    op->interface_version = XENPF_INTERFACE_VERSION;
    return call(f, __HYPERVISOR_platform_op, INSIDE, op, sizeof(*op));
}

static void platform_who(void **state)
{
    struct fixture *f = *state;
    struct xen_platform_op op = { .cmd = XENPF_settime64, .interface_version = XENPF_INTERFACE_VERSION - 1 };

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_platform_op, NOWHERE, 0, 0, 0), -EFAULT);
    assert_int_equal(call(f, __HYPERVISOR_platform_op, INSIDE, &op, sizeof(op)), -EACCES);
    as(f, other);
    for (unsigned int cmd = 0; cmd < 80; cmd++) {
        op.cmd = cmd;
        assert_int_equal(platform(f, &op), -EPERM);
    }
}

static void settime(void **state)
{
    struct fixture *f = *state;
    const struct domain *const all[] = { f->d, other };
    struct xen_platform_op op = { .cmd = XENPF_settime64, .u.settime64 = { .secs = 2000000000, .nsecs = 5 } };

    assert_int_equal(platform(f, &op), 0);
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(all[i]->shared_info->wc_sec, 2000000000);
        assert_int_equal(all[i]->shared_info->wc_nsec, 5);
        assert_int_equal(all[i]->shared_info->wc_version % 2, 0);
    }
    op.u.settime64.mbz = 1;
    op.u.settime64.secs = 1;
    assert_int_equal(platform(f, &op), -EINVAL);
    assert_int_equal(other->shared_info->wc_sec, 2000000000);
    op = (struct xen_platform_op){ .cmd = XENPF_settime32, .u.settime32 = { .secs = 1000, .system_time = 7000000000 } };
    assert_int_equal(platform(f, &op), 0);
    assert_int_equal(other->shared_info->wc_sec, 993);
    /* nonsense: whatever is answered, the machine lives on, and so does its clock chip */
    for (unsigned int i = 0; i < 64; i++) {
        op = (struct xen_platform_op){
            .cmd = XENPF_settime64,
            .u.settime64 = { .secs = ~UINT64_C(0) >> i, .nsecs = i * 99999999, .system_time = ~UINT64_C(0) << i }
        };
        (void)platform(f, &op);
        fix_pass(f, SECONDS(1));
        phys_port_write(&board, 0x70, 1, 0x09);
        assert_int_equal(phys_port_read(&board, 0x71, 1), 0x26); /* the year in which it was switched on */
    }
}

static void processors(void **state)
{
    struct fixture *f = *state;
    struct xen_platform_op op = { .cmd = XENPF_get_cpuinfo };
    uint64_t idle[8] = { 0 };
    uint8_t map = 0xff;

    assert_int_equal(platform(f, &op), 0);
    assert_int_equal(op.u.pcpu_info.flags, XEN_PCPU_FLAGS_ONLINE);
    assert_int_equal(op.u.pcpu_info.max_present, 0);
    op.u.pcpu_info.xen_cpuid = 1;
    assert_int_equal(platform(f, &op), 0);
    assert_int_equal(op.u.pcpu_info.flags, XEN_PCPU_FLAGS_INVALID);
    op = (struct xen_platform_op){ .cmd = XENPF_get_cpu_version };
    assert_int_equal(platform(f, &op), 0);
    assert_memory_equal(op.u.pcpu_version.vendor_id, "AuthenticAMD", 12);
    op = (struct xen_platform_op){ .cmd = XENPF_get_cpu_version, .u.pcpu_version.xen_cpuid = ~0u };
    assert_int_equal(platform(f, &op), 0);
    assert_int_equal(op.u.pcpu_version.vendor_id[0], 0);
    op = (struct xen_platform_op){ .cmd = XENPF_getidletime, .u.getidletime.cpumap_nr_cpus = 8 };
    op.u.getidletime.cpumap_bitmap.p = (void *)fix_put(f, 1024, &map, sizeof(map));
    op.u.getidletime.idletime.p = (void *)fix_put(f, 1032, idle, sizeof(idle));
    assert_int_equal(platform(f, &op), 0);
    assert_int_equal(op.u.getidletime.now, NOW(f->xen));
    assert_int_equal(fix_read(f, f->scratch + 1024) & 0xff & ~1, 0);
    op.u.getidletime.cpumap_bitmap.p = (void *)NOWHERE;
    assert_int_equal(platform(f, &op), -EFAULT);
    op.u.getidletime.cpumap_nr_cpus = ~0u;
    (void)platform(f, &op);
}

static void firmware(void **state)
{
    struct fixture *f = *state;
    static const struct {
        unsigned int type;
        long rc;
    } row[] = {
        { XEN_FW_DISK_INFO, -ESRCH }, { XEN_FW_DISK_MBR_SIGNATURE, -ESRCH }, { XEN_FW_VBEDDC_INFO, -ESRCH },
        { XEN_FW_EFI_INFO, -ESRCH },  { XEN_FW_KBD_SHIFT_FLAGS, 0 },         { 99, -EINVAL },
    };
    struct xen_platform_op op;

    for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
        op = (struct xen_platform_op){ .cmd = XENPF_firmware_info, .u.firmware_info.type = row[i].type };
        assert_int_equal(platform(f, &op), row[i].rc);
    }
    op = (struct xen_platform_op){ .cmd = XENPF_resource_op };
    assert_int_equal(platform(f, &op), 0);
    op.u.resource_op.nr_entries = 1;
    assert_int_equal(platform(f, &op), -EACCES);
    op = (struct xen_platform_op){ .cmd = XENPF_cpu_offline, .u.cpu_ol.cpuid = 77 };
    assert_int_equal(platform(f, &op), -EINVAL);
    op = (struct xen_platform_op){ .cmd = XENPF_microcode_update };
    assert_int_equal(platform(f, &op), -ENOSYS);
}

/* --- interrupts --- */

static evtchn_port_t bind(struct fixture *f, unsigned int pirq)
{
    struct evtchn_bind_pirq op = { .pirq = pirq };

    assert_int_equal(call(f, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, &op, sizeof(op)), 0);
    return op.port;
}

/* Is it pending? Not any more. */
static bool took(struct fixture *f, evtchn_port_t port)
{
    xen_ulong_t *word = &f->d->shared_info->evtchn_pending[port / 64];
    const bool was = *word >> port % 64 & 1;

    *word &= ~(UINT64_C(1) << port % 64);
    return was;
}

static void line(unsigned int irq, bool up) { board.board.ops->isa_irq(&board.board, irq, up); }

static void pirq_events(void **state)
{
    struct fixture *f = *state;
    struct physdev_map_pirq map = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 5, .pirq = -1 };
    struct physdev_eoi done = { .irq = 5 };
    struct evtchn_close shut;
    evtchn_port_t port;

    assert_int_equal(PHYSDEV(f, PHYSDEVOP_eoi, &done), -EINVAL);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_map_pirq, &map), 0);
    assert_int_equal(map.pirq, 5);
    line(5, true); /* nobody has bound it: it is told as soon as somebody has */
    port = bind(f, 5);
    assert_true(took(f, port));
    line(5, false);
    line(5, true); /* not before EOI */
    assert_false(took(f, port));
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_eoi, &done), 0);
    assert_true(took(f, port));
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_eoi, &done), 0); /* the line is up still */
    assert_true(took(f, port));
    line(5, false);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_eoi, &done), 0);
    assert_false(took(f, port));
    f->d->shared_info->evtchn_mask[port / 64] |= UINT64_C(1) << port % 64;
    line(5, true);
    assert_true(took(f, port)); /* masked is pending */
    shut.port = port;
    assert_int_equal(call(f, __HYPERVISOR_event_channel_op, EVTCHNOP_close, &shut, sizeof(shut)), 0);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_eoi, &done), 0);
    port = bind(f, 5); /* up all the time */
    assert_true(took(f, port));
    done.irq = 200;
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_eoi, &done), -EINVAL);
    (void)bind(f, 255); /* no input of the IO-APIC */
}

static void physdev(void **state)
{
    struct fixture *f = *state;
    struct physdev_map_pirq map = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 24, .pirq = -1 };
    struct physdev_unmap_pirq unmap = { .domid = DOMID_SELF, .pirq = 9 };
    struct physdev_setup_gsi gsi = { .gsi = 9 };
    struct physdev_apic apic = { .apic_physbase = 0xfec00000, .reg = 1 };
    struct physdev_irq irq = { .irq = 4 };
    struct physdev_pci_device_add add = { .devfn = 0x40 };
    struct physdev_pci_device dev = { .devfn = 0x40 };
    struct physdev_manage_pci_ext ext = { .devfn = 0x41, .is_extfn = 2 };

    assert_int_equal(PHYSDEV(f, PHYSDEVOP_map_pirq, &map), -EINVAL);
    map.index = 9, map.pirq = 10;
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_map_pirq, &map), -EINVAL);
    map.type = MAP_PIRQ_TYPE_MSI;
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_map_pirq, &map), -ENODEV);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_unmap_pirq, &unmap), -EINVAL);
    map.type = MAP_PIRQ_TYPE_GSI, map.pirq = 9;
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_map_pirq, &map), 0);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_unmap_pirq, &unmap), 0);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_unmap_pirq, &unmap), -EINVAL);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_setup_gsi, &gsi), 0);
    gsi.gsi = -1;
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_setup_gsi, &gsi), -EINVAL);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_apic_read, &apic), 0);
    assert_int_equal(apic.value, 23 << 16 | 0x20);
    apic.reg = 0x40;
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_apic_write, &apic), -EINVAL);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_alloc_irq_vector, &irq), 0);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_manage_pci_add_ext, &ext), -EINVAL);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_pci_device_remove, &dev), -ENODEV);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_pci_device_add, &add), 0);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_pci_device_remove, &dev), 0);

    as(f, other);
    map.pirq = unmap.pirq = -1, gsi.gsi = 9, ext.is_extfn = 0;
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_map_pirq, &map), -EPERM);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_unmap_pirq, &unmap), -EPERM);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_setup_gsi, &gsi), -EPERM);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_apic_read, &apic), -EPERM);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_apic_write, &apic), -EPERM);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_alloc_irq_vector, &irq), -EPERM);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_manage_pci_add_ext, &ext), -EPERM);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_pci_device_add, &add), -EPERM);
    assert_int_equal(PHYSDEV(f, PHYSDEVOP_pci_device_remove, &dev), -EPERM);
}

/* --- questions of the machine --- */

static void pci_topology(void **state)
{
    struct fixture *f = *state;
    struct physdev_pci_device_add add = { .devfn = 0x40 };
    const struct physdev_pci_device devs[3] = { { .devfn = 0x40 }, { .devfn = 0x41 }, { .bus = 1, .devfn = 0x40 } };
    uint32_t nodes[3] = { 0 };
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_pcitopoinfo, .interface_version = XEN_SYSCTL_INTERFACE_VERSION };

    assert_int_equal(PHYSDEV(f, PHYSDEVOP_pci_device_add, &add), 0);
    op.u.pcitopoinfo.num_devs = 3;
    assert_int_equal(call(f, __HYPERVISOR_sysctl, INSIDE, &op, sizeof(op)), -EINVAL);
    op.u.pcitopoinfo.devs.p = (void *)fix_put(f, 1024, devs, sizeof(devs));
    op.u.pcitopoinfo.nodes.p = (void *)fix_put(f, 1100, nodes, sizeof(nodes));
    assert_int_equal(call(f, __HYPERVISOR_sysctl, INSIDE, &op, sizeof(op)), 0);
    assert_int_equal(op.u.pcitopoinfo.num_devs, 3);
    assert_int_equal(copy_from_guest(f->v, nodes, f->scratch + 1100, sizeof(nodes)), 0);
    assert_int_equal(nodes[0], XEN_INVALID_NODE_ID);
    assert_int_equal(nodes[1], XEN_INVALID_DEV);
    assert_int_equal(nodes[2], XEN_INVALID_DEV);
    op.u.pcitopoinfo.nodes.p = (void *)NOWHERE;
    assert_int_equal(call(f, __HYPERVISOR_sysctl, INSIDE, &op, sizeof(op)), -EFAULT);
}

static long mca(struct fixture *f, struct xen_mc *op)
{
    op->interface_version = XEN_MCA_INTERFACE_VERSION;
    return call(f, __HYPERVISOR_mca, INSIDE, op, sizeof(*op));
}

static void machine_checks(void **state)
{
    struct fixture *f = *state;
    struct xen_mc op = { .cmd = XEN_MC_physcpuinfo, .interface_version = 1 };
    struct mcinfo_logical_cpu cpu = { 0 };

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_mca, NOWHERE, 0, 0, 0), -EFAULT);
    assert_int_equal(call(f, __HYPERVISOR_mca, INSIDE, &op, sizeof(op)), -EACCES);
    assert_int_equal(mca(f, &op), 0);
    assert_int_equal(op.u.mc_physcpuinfo.ncpus, 1);
    op.u.mc_physcpuinfo.info.p = (void *)fix_put(f, 1024, &cpu, sizeof(cpu));
    assert_int_equal(mca(f, &op), 0);
    assert_int_equal(copy_from_guest(f->v, &cpu, f->scratch + 1024, sizeof(cpu)), 0);
    assert_memory_equal(cpu.mc_vendorid, "AuthenticAMD", 12);
    assert_int_equal(cpu.mc_ncores, 1);
    op.u.mc_physcpuinfo.ncpus = 0;
    assert_int_equal(mca(f, &op), -EINVAL);
    op.u.mc_physcpuinfo.ncpus = 1;
    op.u.mc_physcpuinfo.info.p = (void *)NOWHERE;
    assert_int_equal(mca(f, &op), -EFAULT);
    op = (struct xen_mc){ .cmd = XEN_MC_fetch, .u.mc_fetch = { .flags = XEN_MC_URGENT, .data.p = (void *)NOWHERE } };
    assert_int_equal(mca(f, &op), 0);
    assert_int_equal(op.u.mc_fetch.flags, XEN_MC_NODATA);
    op.u.mc_fetch.flags = XEN_MC_NONURGENT | XEN_MC_ACK;
    assert_int_equal(mca(f, &op), 0);
    op.u.mc_fetch.flags = XEN_MC_NONURGENT | XEN_MC_URGENT;
    assert_int_equal(mca(f, &op), -EINVAL);
    op.u.mc_fetch.flags = XEN_MC_NONURGENT;
    op.u.mc_fetch.data.p = NULL;
    assert_int_equal(mca(f, &op), -EINVAL);
    op.cmd = XEN_MC_mceinject;
    assert_int_equal(mca(f, &op), -EINVAL);
}

/* --- the console --- */

static void console(void **state)
{
    struct fixture *f = *state;
    const uint64_t at = fix_put(f, 0, "hello", 5);

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_console_io, CONSOLEIO_write, 5, at, 0), 0);
    assert_string_equal(said, "hello");
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_console_io, CONSOLEIO_read, 2, at, 0), 2);
    assert_int_equal(fix_read(f, at) & 0xffffff, 'l' << 16 | 's' << 8 | 'l');
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_console_io, CONSOLEIO_read, 200, at, 0), 3);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_console_io, CONSOLEIO_read, 0, NOWHERE, 0), 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_console_io, CONSOLEIO_read, 3, NOWHERE, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_console_io, CONSOLEIO_read, ~0u, at, 0), -E2BIG);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_console_io, 7, 0, 0, 0), -ENOSYS);
    as(f, other);
    fix_put(f, 0, "hello", 5);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_console_io, CONSOLEIO_write, 5, f->scratch, 0), 0);
    assert_string_equal(said, "hello");
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_console_io, CONSOLEIO_read, 2, f->scratch, 0), -EPERM);
}

/* --- I/O memory, and the table of machine frames --- */

/* The caller's entry that maps the page behind the one of its stack, which nobody needs. */
static uint64_t spare(const struct fixture *f) { return (f->scratch | (PAGE_SIZE - 1)) + 1; }

static const uint64_t *spare_entry(const struct fixture *f)
{
    const uint64_t **kept = &spare_of[f->d->domain_id != 0];
    struct page_walk w;

    if (!*kept) { /* later there may be nothing in it */
        assert_true(machine_walk(f->m, f->v->pv.guest_table, spare(f), &w));
        assert_int_equal(w.level, 1);
        *kept = w.entry;
    }
    return *kept;
}

static long map(struct fixture *f, uint64_t e)
{
    const long rc = fix_hypercall(f, __HYPERVISOR_update_va_mapping, spare(f), e, UVMF_INVLPG, 0);

    fix_audit(f);
    return rc;
}

/* In the name of another domain, whose frame it is to be. */
static long map_of(struct fixture *f, uint64_t e, domid_t owner)
{
    const uint64_t *entry = spare_entry(f);
    const mmu_update_t req = { .ptr =
                                   mfn_x(virt_to_mfn(f->m, entry)) << PAGE_SHIFT | ((uintptr_t)entry & (PAGE_SIZE - 1)),
                               .val = e };
    const long rc = fix_hypercall(f, __HYPERVISOR_mmu_update, fix_put(f, 0, &req, sizeof(req)), 1, 0, owner);

    fix_audit(f);
    return rc;
}

#define RO (_PAGE_PRESENT | _PAGE_USER)
#define RW (RO | _PAGE_RW)

static void io_memory(void **state)
{
    struct fixture *f = *state;
    const uint64_t was = *spare_entry(f), end_of_ram = f->m->nr_frames, last = 0xfffff;
    const uint64_t okay[] = { 0, 1, 255, end_of_ram, IO_MFN, last };
    const uint64_t not [] = { last + 1, UINT64_C(1) << 38 };
    uint64_t word = 1;

    for (unsigned int i = 0; i < ARRAY_SIZE(okay); i++) {
        assert_int_equal(map(f, pte_make(_mfn(okay[i]), RW | _PAGE_PCD | _PAGE_PWT)), 0);
        assert_int_equal(map(f, pte_make(_mfn(okay[i]), RO)), 0);
        assert_int_equal(map(f, was), 0);
        assert_int_equal(map(f, pte_make(_mfn(okay[i]), RW)), 0);
    }
    /* Xen itself has no business there: as an argument it is no memory */
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_xen_version, XENVER_extraversion, spare(f), 0, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_memory_op, XENMEM_machine_memory_map, spare(f), 0, 0), -EFAULT);
    assert_int_equal(copy_from_guest(f->v, &word, spare(f), sizeof(word)), -EFAULT);
    for (unsigned int i = 0; i < ARRAY_SIZE(not ); i++)
        assert_int_equal(map(f, pte_make(_mfn(not [i]), RW)), -EPERM);
    assert_int_equal(map(f, was), 0);

    as(f, other);
    for (unsigned int i = 0; i < ARRAY_SIZE(okay); i++) {
        assert_int_equal(map(f, pte_make(_mfn(okay[i]), RO)), -EPERM);
        assert_int_equal(map(f, pte_make(_mfn(okay[i]), RO | _PAGE_PCD)), -EINVAL);
        assert_int_equal(map_of(f, pte_make(_mfn(okay[i]), RO), DOMID_IO), -EPERM);
    }
}

/* In no way is an I/O frame a page table, a table of descriptors, or something to give away. */
static void io_memory_is_no_ram(void **state)
{
    struct fixture *f = *state;
    const uint64_t frames[] = { 1, 255, IO_MFN, f->m->nr_frames };

    for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++) {
        const uint64_t list[1] = { frames[i] };
        struct mmuext_op op = { .cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = frames[i] };

        for (unsigned int cmd = MMUEXT_PIN_L1_TABLE; cmd <= MMUEXT_COPY_PAGE; cmd++) {
            if (cmd > MMUEXT_NEW_BASEPTR && cmd < MMUEXT_NEW_USER_BASEPTR)
                continue; /* of TLBs, which take no frame */
            op.cmd = cmd;
            op.arg2.src_mfn = frames[i];
            if (cmd == MMUEXT_FLUSH_CACHE_GLOBAL || cmd == MMUEXT_SET_LDT)
                continue;
            assert_true(fix_hypercall(f, __HYPERVISOR_mmuext_op, fix_put(f, 0, &op, sizeof(op)), 1, 0, DOMID_SELF) < 0);
        }
        assert_true(fix_hypercall(f, __HYPERVISOR_set_gdt, fix_put(f, 0, list, sizeof(list)), 512, 0, 0) < 0);
        fix_audit(f);
    }
}

static void m2p_is_read_only(void **state)
{
    struct fixture *f = *state;
    const uint64_t was = *spare_entry(f);
    const mfn_t table[] = { f->xen->m2p_mfn, _mfn(mfn_x(f->xen->m2p_mfn) + f->xen->m2p_frames - 1),
                            f->xen->m2p_compat };

    for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
        assert_int_equal(map_of(f, pte_make(table[i], RO), DOMID_XEN), 0);
        assert_true(map_of(f, pte_make(table[i], RW), DOMID_XEN) < 0);
        assert_false(*spare_entry(f) & _PAGE_RW);
        assert_true(map(f, pte_make(table[i], RW)) < 0);
        assert_int_equal(map(f, was), 0);
        assert_true(map_of(f, pte_make(table[i], RW), DOMID_XEN) < 0);
        assert_true(map(f, pte_make(table[i], RO)) < 0);
    }
    as(f, other);
    assert_true(map_of(f, pte_make(table[0], RO), DOMID_XEN) < 0);
}

/* --- ports --- */

static long io(struct fixture *f, const char *insn, size_t n)
{
    const uint64_t rip = fix_put(f, 1024, insn, n);

    f->v->regs->rip = rip;
    pv_handle_exit(f->v, &(struct sim_exit){ .kind = EXIT_IO });
    return f->v->regs->rip == rip + n;
}

static uint32_t in(struct fixture *f, uint16_t port, unsigned int size)
{
    f->v->regs->rax = 0;
    f->v->regs->rdx = port;
    assert_true(size == 1 ? io(f, "\xec", 1) : size == 2 ? io(f, "\x66\xed", 2) : io(f, "\xed", 1));
    return (uint32_t)f->v->regs->rax;
}

static void out(struct fixture *f, uint16_t port, unsigned int size, uint32_t val)
{
    f->v->regs->rax = val;
    f->v->regs->rdx = port;
    assert_true(size == 1 ? io(f, "\xee", 1) : size == 2 ? io(f, "\x66\xef", 2) : io(f, "\xef", 1));
}

static void ports(void **state)
{
    struct fixture *f = *state;

    out(f, 0xcf8, 4, 0x80000000);
    assert_int_equal(in(f, 0xcfc, 4), 0x12378086);
    assert_int_equal(in(f, 0xcfc, 2), 0x8086);
    assert_int_equal(in(f, 0xcfe, 2), 0x1237);
    assert_int_equal(in(f, 0xcff, 1), 0x12);
    assert_int_equal(in(f, 0xcfe, 4), 0xffffffff); /* past the data register */
    out(f, 0xcf8, 4, 0x80010000);                  /* another bus */
    assert_int_equal(in(f, 0xcfc, 4), 0xffffffff);
    out(f, 0xcf8, 4, 0x00000000);
    assert_int_equal(in(f, 0xcfc, 1), 0xff);
    out(f, 0x70, 1, 0x0d);
    assert_int_equal(in(f, 0x71, 1), 0x80);
    assert_int_equal(in(f, 0x70, 4) & 0xff, 0x0d); /* across a register's end: each byte is its port's */
    assert_int_equal(in(f, 0x80, 4), 0xffffffff);
    assert_int_equal(in(f, 0xffff, 1), 0xff);
    out(f, 0xffff, 4, 0);
    assert_int_equal(in(f, 0xb004, 2) & 1, 1); /* SCI_EN */
    out(f, 0xb004, 4, 0xffffffff);
    assert_int_equal(in(f, 0xb004, 2) & 1u << 13, 0);
    f->v->regs->rcx = 3;
    f->v->regs->rdi = f->scratch;
    f->v->regs->rdx = 0x71;
    assert_true(io(f, "\xf3\x6c", 2));
    assert_int_equal(fix_read(f, f->scratch) & 0xffffff, 0x808080);
    as(f, other);
    out(f, 0x70, 1, 0x0d);
    out(f, 0xcf8, 4, 0x80000000);
    assert_int_equal(in(f, 0x71, 1), 0xff);
    assert_int_equal(in(f, 0xcfc, 4), 0xffffffff);
    assert_int_equal(in(f, 0xb004, 2), 0xffff);
}

/* --- DMA --- */

static void dma(void **state)
{
    struct fixture *f = *state;
    const uint64_t own = MFN(*spare_entry(f)), l1 = mfn_x(virt_to_mfn(f->m, spare_entry(f))) << PAGE_SHIFT;
    const uint64_t bad[] = {
        0,
        0xff000,
        mfn_x(f->xen->m2p_mfn) << PAGE_SHIFT,
        mfn_x(virt_to_mfn(f->m, other->shared_info)) << PAGE_SHIFT,
        f->m->nr_frames << PAGE_SHIFT,
        UINT64_MAX - 3,
    };
    uint8_t buf[16] = "0123456789abcde";
    uint64_t free_mfn = f->m->nr_frames - 1, before;

    while (mfn_to_page(f->xen, _mfn(free_mfn))->owner)
        free_mfn--;
    assert_int_equal(hwdom_dma_write(f->xen, own + 100, buf, 16), 0);
    memset(buf, 0, 16);
    assert_int_equal(hwdom_dma_read(f->xen, own + 100, buf, 16), 0);
    assert_string_equal((char *)buf, "0123456789abcde");
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(hwdom_dma_read(f->xen, bad[i], buf, 8), -EFAULT);
        assert_int_equal(buf[0], 0xff);
        assert_int_equal(hwdom_dma_write(f->xen, bad[i], buf, 8), -EFAULT);
    }
    assert_int_equal(hwdom_dma_read(f->xen, free_mfn << PAGE_SHIFT, buf, 8), -EFAULT);
    assert_int_equal(hwdom_dma_write(f->xen, free_mfn << PAGE_SHIFT, buf, 8), -EFAULT);
    before = *spare_entry(f);
    assert_int_equal(hwdom_dma_read(f->xen, l1, buf, 8), 0);
    for (unsigned int i = 0; i < 512; i++)
        assert_int_equal(hwdom_dma_write(f->xen, l1 + 8 * i, buf, 8), -EFAULT);
    assert_int_equal(*spare_entry(f), before);
    assert_int_equal(hwdom_dma_read(f->xen, (f->m->nr_frames << PAGE_SHIFT) - 8, buf, 16),
                     -EFAULT); /* the end of RAM */
    assert_int_equal(hwdom_dma_read(f->xen, own, buf, 0), 0);
}

/* --- its end --- */

static void the_end(void **state)
{
    struct fixture *f = *state;
    static const struct {
        unsigned int reason;
        const char *says;
    } row[] = {
        { SHUTDOWN_poweroff, "Hardware Dom0 halted: halting machine: the run ends" },
        { SHUTDOWN_reboot, "Hardware Dom0 shutdown: rebooting machine: the run ends" },
        { SHUTDOWN_crash, "Hardware Dom0 crashed: rebooting machine: the run ends" },
        { SHUTDOWN_watchdog, "Hardware Dom0 shutdown: watchdog rebooting machine: the run ends" },
        { SHUTDOWN_soft_reset, "Hardware Dom0 did unsupported soft reset: rebooting machine: the run ends" },
        { SHUTDOWN_suspend, "Hardware Dom0 shutdown (unknown reason 2): rebooting machine: the run ends" },
        { 77, "Hardware Dom0 shutdown (unknown reason 77): rebooting machine: the run ends" },
    };
    struct sched_remote_shutdown remote = { .domain_id = 0, .reason = SHUTDOWN_crash };

    as(f, other);
    assert_int_equal(call(f, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, &remote, sizeof(remote)), -EPERM);
    assert_int_equal(ended, -1);
    domain_shutdown(other, SHUTDOWN_reboot);
    assert_int_equal(ended, -1);
    assert_false(f->xen->powered_off);
    for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
        f->log[0] = '\0';
        domain_shutdown(f->xen->dom0, (int)row[i].reason);
        assert_int_equal(ended, row[i].reason);
        assert_true(f->xen->powered_off);
        if (!strstr(f->log, row[i].says))
            fail_msg("expected \"%s\", got \"%s\"", row[i].says, f->log);
        domain_resume(f->xen->dom0);
        f->xen->powered_off = false;
    }
}

/* --- the clock chip --- */

static uint8_t rtc(unsigned int reg)
{
    phys_port_write(&board, 0x70, 1, reg);
    return (uint8_t)phys_port_read(&board, 0x71, 1);
}

static void rtc_set(unsigned int reg, uint8_t val)
{
    phys_port_write(&board, 0x70, 1, reg);
    phys_port_write(&board, 0x71, 1, val);
}

static void clock_chip(void **state)
{
    static const uint8_t date[][3] = { /* register, before, to */
                                       { 0, 0x00, 0x59 }, { 2, 0x00, 0x58 }, { 4, 0x00, 0x23 },   { 7, 0x01, 0x28 },
                                       { 8, 0x01, 0x02 }, { 9, 0x26, 0x99 }, { 0x32, 0x20, 0x21 }
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(date); i++)
        assert_int_equal(rtc(date[i][0]), date[i][1]);
    assert_int_equal(rtc(6), 5); /* a Thursday */
    for (unsigned int i = 0; i < ARRAY_SIZE(date); i++) {
        rtc_set(date[i][0], date[i][2]);
        assert_int_equal(rtc(date[i][0]), date[i][2]);
        for (unsigned int k = 0; k < 6; k++) { /* no digits, or too much */
            static const uint8_t nonsense[] = { 0xff, 0xa0, 0x0a, 0x9f, 0xf9, 0xee };

            rtc_set(date[i][0], nonsense[k]);
            assert_int_equal(rtc(date[i][0]), date[i][2]);
        }
    }
    rtc_set(0, 0x60), rtc_set(2, 0x60), rtc_set(4, 0x24), rtc_set(7, 0), rtc_set(8, 0x13), rtc_set(0x32, 0x18);
    for (unsigned int i = 0; i < ARRAY_SIZE(date); i++)
        assert_int_equal(rtc(date[i][0]), date[i][2]);
    for (unsigned int reg = 10; reg < 14; reg++) {
        const uint8_t was = rtc(reg);

        rtc_set(reg, 0x55);
        assert_int_equal(rtc(reg), was);
    }
    rtc_set(0x40, 0x55);
    assert_int_equal(rtc(0xc0), 0x55);       /* bit 7 masks NMIs */
    for (unsigned int k = 0; k < 20000; k++) /* whatever is written */
        rtc_set(k * 7 % 128, (uint8_t)(k * 31));
    for (unsigned int reg = 0; reg < 128; reg++)
        (void)rtc(reg);
}

/* --- whatever dom0 does --- */

static uint64_t prng;
static uint64_t any(uint64_t n) { return random_of(&prng, n); }

static mfn_t any_frame(struct fixture *f)
{
    switch (any(7)) {
    case 0: return _mfn(any(256));
    case 1: return _mfn(f->m->nr_frames + any(5));
    case 2: return _mfn(mfn_x(f->xen->m2p_mfn) + any(f->xen->m2p_frames));
    case 3: return _mfn(any(0x100002));
    case 4: return _mfn(MFN(*spare_entry(f)) >> PAGE_SHIFT);
    case 5: return virt_to_mfn(f->m, spare_entry(f));
    default: return _mfn(any(f->m->nr_frames));
    }
}

static void any_step(struct fixture *f)
{
    static const uint64_t bits[] = { _PAGE_RW, _PAGE_PCD, _PAGE_PWT, _PAGE_NX, _PAGE_DIRTY, _PAGE_PSE, _PAGE_GLOBAL };
    static const domid_t names[] = { DOMID_SELF, DOMID_XEN, DOMID_IO, 1, 0 };
    uint64_t words[8], e;

    for (unsigned int i = 0; i < 8; i++)
        words[i] = any(3) ? any(260) : any(UINT64_C(1) << 44) << any(21);
    switch (any(6)) {
    case 0:
    case 1:
        e = pte_make(any_frame(f), any(8) ? RO : 0) | (any(2) ? _PAGE_RW : 0) | (any(4) ? 0 : bits[any(7)]);
        if (any(2))
            (void)fix_hypercall(f, __HYPERVISOR_update_va_mapping, spare(f), e, 0, 0);
        else
            (void)map_of(f, e, names[any(5)]);
        break;
    case 2:
        fix_put(f, 0, words, sizeof(words));
        (void)fix_hypercall(f, __HYPERVISOR_physdev_op, any(36), f->scratch, 0, 0);
        break;
    case 3: (void)hwdom_dma_write(f->xen, (mfn_x(any_frame(f)) << PAGE_SHIFT) + any(4096), words, sizeof(words)); break;
    case 4:
        f->v->pv.iopl = 3; /* it may have given that up */
        f->v->regs->rax = words[0];
        f->v->regs->rdx = any(2) ? 0xcf8 + any(12) : any(65536);
        (void)(any(2) ? io(f, "\xef", 1) : io(f, "\xed", 1));
        break;
    default:
        line((unsigned int)any(16), any(2));
        ((uint32_t *)words)[0] = (uint32_t)any(70);
        ((uint32_t *)words)[1] = XENPF_INTERFACE_VERSION;
        fix_put(f, 0, words, sizeof(words));
        (void)fix_hypercall(f, any(2) ? __HYPERVISOR_platform_op : __HYPERVISOR_mca, f->scratch, 0, 0, 0);
    }
}

static void random_dom0(void **state)
{
    struct fixture *f = *state;

    for (prng = 1; prng < 3; prng++) {
        const uint64_t seed = prng;

        for (unsigned int step = 0; step < 400 && !f->d->is_shutting_down; step++) {
            any_step(f);
            fix_audit(f);
        }
        prng = seed;
    }
    if (ended != -1)
        fail_msg("it ended: %s", f->log);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(platform_who),
        TEST(settime),
        TEST(processors),
        TEST(firmware),
        TEST(pirq_events),
        TEST(physdev),
        TEST(pci_topology),
        TEST(machine_checks),
        TEST(console),
        TEST(io_memory),
        TEST(io_memory_is_no_ram),
        TEST(m2p_is_read_only),
        TEST(ports),
        TEST(dma),
        TEST(the_end),
        TEST(clock_chip),
        TEST(random_dom0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
