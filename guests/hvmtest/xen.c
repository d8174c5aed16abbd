// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What Xen is to an HVM guest: hypercalls by the page and by hand, from rings that may and may not, and what they
 * answer. Public xen.h, arch-x86/xen-x86_64.h and xen-x86_32.h (calling conventions).
 */
#include "guests/hvmtest/hvmtest.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/version.h>
#include <xen/xen.h>

#define ENOENT 2
#define EPERM  1
#define EINVAL 22
#define ENOSYS 38
#define EFAULT 14

static long hypercall(unsigned int nr, word a, word b)
{
    long ret;

#if LONG
    __asm__ volatile("call *%1" : "=a"(ret) : "r"(hypercall_page + nr * 32), "D"(a), "S"(b) : "memory", "rcx", "r11");
#else
    __asm__ volatile("call *%1" : "=a"(ret) : "D"(hypercall_page + nr * 32), "b"(a), "c"(b) : "memory");
#endif
    return ret;
}

static long param(unsigned int op, unsigned int index, uint64_t *value)
{
    struct xen_hvm_param p = { .domid = DOMID_SELF, .index = index, .value = *value };
    const long ret = hypercall(__HYPERVISOR_hvm_op, op, (word)&p);

    *value = p.value;
    return ret;
}

#define IS(name, got, expected) fact(name, (uint64_t)(int64_t)(got), (uint64_t)(int64_t)(expected))

static void page(void)
{
    static const uint8_t call[] = { 0xb8, __HYPERVISOR_xen_version, 0, 0, 0, 0x0f, 0x01, 0xd9, 0xc3 };
    const uint32_t at = (uint32_t)(word)hypercall_page;
    bool same = true;

    __asm__ volatile("wrmsr" ::"c"(0x40000000), "a"(at), "d"(0) : "memory");
    for (unsigned int i = 0; i < sizeof(call); i++)
        same &= (uint8_t)hypercall_page[__HYPERVISOR_xen_version * 32 + i] == call[i];
    fact("hypercall page: mov, vmmcall, ret", same, 1);
    fact("hypercall page: iret is ud2", *(uint16_t *)(void *)(hypercall_page + __HYPERVISOR_iret * 32), 0x0b0f);
    IS("xen_version", hypercall(__HYPERVISOR_xen_version, XENVER_version, 0), 0x40011);
    IS("xen_version: no such", hypercall(__HYPERVISOR_xen_version, 99, 0), -ENOSYS);
    IS("no such hypercall", hypercall(63, 0, 0), -ENOSYS);
    IS("set_trap_table is PV's", hypercall(__HYPERVISOR_set_trap_table, 0, 0), -ENOSYS);
    IS("xen_version: a pointer to nowhere", hypercall(__HYPERVISOR_xen_version, XENVER_extraversion, 0xf8000000),
       -EFAULT);
    VALUE("hypercall, ring 3", USER, (word)(LONG ? -EPERM : -EPERM),
          "mov $17, %eax\nxor %ebx, %ebx\nxor %edi, %edi\nvmmcall");
    IS("domctl is not for guests", hypercall(__HYPERVISOR_domctl, 0, 0) < 0, 1);
}

static void hvm_op(void)
{
    uint64_t v = 0;

    IS("hvm_op: no such", hypercall(__HYPERVISOR_hvm_op, 99, 0), -ENOSYS);
    IS("get_param: no such", param(HVMOP_get_param, 9999, &v), -EINVAL);
    IS("get_param: STORE_EVTCHN", param(HVMOP_get_param, HVM_PARAM_STORE_EVTCHN, &v), 0);
    IS("get_param: IDENT_PT is not the guest's", param(HVMOP_set_param, HVM_PARAM_IDENT_PT, &v), -EPERM);
    IS("guest_request_vm_event", hypercall(__HYPERVISOR_hvm_op, HVMOP_guest_request_vm_event, 0), 0);
}

void facts_xen(void)
{
    page();
    hvm_op();
}
