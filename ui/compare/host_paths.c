// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The model: paths of exits on three kinds of hosts, step by step, and prices. Change them here.
 *
 * Prices are round numbers of the order that is measured on processors of the 2010s; they are nobody's in particular.
 * Left out everywhere: what the work itself takes of caches, locks, and who else wants the pCPU.
 *
 * Read: Xen: xen/arch/x86/hvm/ioreq.c and dm.c; KVM: Documentation/virt/kvm/api.rst (KVM_RUN, KVM_EXIT_IO,
 * KVM_CAP_COALESCED_MMIO); hosted: Sugerman, Venkitachalam, Lim: Virtualizing I/O Devices on VMware Workstation's
 * Hosted Virtual Machine Monitor (USENIX 2001).
 */
#include "ui/compare/host_type.h"

#include <string.h>

/* In the order of HOST_WALLS: each time that it is crossed. */
const unsigned int host_wall_ns[HOST_NR_WALLS] = {
    [HOST_WALL_guest] = 250, [HOST_WALL_world] = 1500,    [HOST_WALL_vcpu] = 1000,
    [HOST_WALL_ring] = 100,  [HOST_WALL_hypercall] = 200,
};

#define EXIT                                                                                                           \
    {                                                                                                                  \
        "VMEXIT: out of the guest", HOST_WALL_guest, 0                                                                 \
    }
#define ENTER                                                                                                          \
    {                                                                                                                  \
        "VMRUN: into the guest again", HOST_WALL_guest, 0                                                              \
    }
#define WORK(what, ns)                                                                                                 \
    {                                                                                                                  \
        what, HOST_WALL_none, ns                                                                                       \
    }
#define OVER(wall, what)                                                                                               \
    {                                                                                                                  \
        what, HOST_WALL_##wall, 0                                                                                      \
    }

static const struct host_type types[] = {
    {
        .name = "type 1",
        .like = "Xen, its device model in dom0",
        .path = {
            [HOST_CLASS_cpu] = { EXIT, WORK("Xen does it", 150), ENTER },
            [HOST_CLASS_hypercall] = { EXIT, WORK("Xen does it", 300), ENTER },
            [HOST_CLASS_posted] = { EXIT, WORK("Xen puts it into the buffered ring, and sends an event", 250), ENTER },
            [HOST_CLASS_device] = {
                EXIT,
                WORK("Xen puts the request into the shared page, sends an event, pauses the vCPU", 300),
                OVER(vcpu, "the pCPU goes over to dom0's vCPU"),
                WORK("dom0's kernel takes the upcall, and wakes the device model", 500),
                OVER(ring, "into the device model"),
                WORK("it reads the request, and emulates the device", 500),
                OVER(ring, "into dom0's kernel: notify the port"),
                OVER(hypercall, "event_channel_op: Xen resumes the vCPU"),
                OVER(vcpu, "the pCPU goes over to the guest's vCPU"),
                WORK("Xen completes the instruction", 150),
                ENTER,
            },
            [HOST_CLASS_halt] = { EXIT, WORK("Xen blocks the vCPU", 150), OVER(vcpu, "the pCPU goes over to another"),
                                  OVER(vcpu, "an interrupt: and back"), ENTER },
        },
    },
    {
        .name = "in-kernel",
        .like = "Linux with KVM, its device model a process",
        .path = {
            [HOST_CLASS_cpu] = { EXIT, WORK("KVM does it", 150), ENTER },
            [HOST_CLASS_hypercall] = { EXIT, WORK("KVM does it", 300), ENTER },
            [HOST_CLASS_posted] = { EXIT, WORK("KVM puts it into the coalescing ring", 200), ENTER },
            [HOST_CLASS_device] = {
                EXIT,
                WORK("KVM fills in struct kvm_run", 150),
                OVER(ring, "ioctl(KVM_RUN) returns to the device model"),
                WORK("it reads kvm_run, and emulates the device", 500),
                OVER(ring, "ioctl(KVM_RUN): into the kernel"),
                WORK("KVM completes the instruction", 150),
                ENTER,
            },
            [HOST_CLASS_halt] = { EXIT, WORK("KVM puts the thread to sleep", 150),
                                  OVER(vcpu, "the kernel goes over to another thread"),
                                  OVER(vcpu, "an interrupt: and back"), ENTER },
        },
    },
    {
        .name = "hosted",
        .like = "VMware Workstation of 2001, on another system",
        .path = {
            [HOST_CLASS_cpu] = { EXIT, WORK("the VMM, in a world of its own, does it", 150), ENTER },
            [HOST_CLASS_hypercall] = { EXIT, WORK("the VMM does it", 300), ENTER },
            [HOST_CLASS_posted] = { EXIT, WORK("the VMM notes it for the next time that it goes to the host", 150),
                                    ENTER },
            [HOST_CLASS_device] = {
                EXIT,
                WORK("the VMM finds that it is the application's", 150),
                OVER(world, "world switch: the host's CR3, IDT, registers"),
                WORK("the driver of the VMM, in the host's kernel", 100),
                OVER(ring, "its ioctl returns to the application"),
                WORK("it emulates the device", 500),
                OVER(ring, "system call: a real device, a file, a window"),
                WORK("the host's kernel does it", 500),
                OVER(ring, "back to the application"),
                OVER(ring, "ioctl: into the driver"),
                OVER(world, "world switch: the VMM's"),
                WORK("the VMM completes the instruction", 150),
                ENTER,
            },
            [HOST_CLASS_halt] = { EXIT, OVER(world, "world switch"), OVER(ring, "to the application, which waits"),
                                  OVER(ring, "system call"), OVER(vcpu, "the host goes over to another process"),
                                  OVER(vcpu, "an interrupt: and back"), OVER(ring, "to the application"),
                                  OVER(ring, "ioctl: into the driver"), OVER(world, "world switch"), ENTER },
        },
    },
};

const struct host_type *host_type_at(size_t i) { return i < ARRAY_SIZE(types) ? &types[i] : NULL; }

uint64_t host_path_ns(const struct host_step *path)
{
    uint64_t ns = 0;

    for (unsigned int i = 0; i < HOST_MAX_STEPS && path[i].what; i++)
        ns += path[i].ns + host_wall_ns[path[i].wall];
    return ns;
}

unsigned int host_path_walls(const struct host_step *path, enum host_wall wall)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < HOST_MAX_STEPS && path[i].what; i++)
        n += path[i].wall == wall;
    return n;
}

#define X(name, text) #name,
static const char *const class_names[HOST_NR_CLASSES] = { HOST_CLASSES(X) };
#undef X

const char *host_class_name(enum host_class c) { return class_names[c]; }

enum host_class host_class_find(const char *name)
{
    unsigned int c = 0;

    while (c < HOST_NR_CLASSES && strcmp(name, class_names[c]))
        c++;
    return (enum host_class)c;
}
