// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hypercalls about the hypervisor itself: who it is (xen_version), its console (console_io), and the assists a guest
 * may switch on (vm_assist).
 *
 * Unlike a default Xen, which answers -EPERM to all but dom0, this one lets every guest write to its console, as a Xen
 * built with CONFIG_VERBOSE_DEBUG does: a line "(d1) ..." works before a guest has anything else, which is when it is
 * needed most.
 *
 * Corresponds to xen/common/kernel.c and xen/drivers/char/console.c (guest_console_write).
 */
#include "mmu/compat.h"
#include "vcpu/hypercall.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xen/features.h>
#include <xen/version.h>

#define XEN_DENIED "<denied>"

/* Copy a string into a fixed-size field of the ABI, zero-padded. */
static long version_string(struct vcpu *v, uint64_t arg, const char *text, size_t size)
{
    char field[1024] = "";

    snprintf(field, sizeof(field), "%s", text);
    return copy_to_guest(v, arg, field, size) ? -EFAULT : 0;
}

static long compile_info(struct vcpu *v, uint64_t arg)
{
    struct xen_compile_info info = { "C11", "xenlab", "localdomain", "virtual time 0" };

    return copy_to_guest(v, arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long get_features(struct vcpu *v, uint64_t arg)
{
    struct domain *d = v->domain;
    struct xen_feature_info fi;

    if (copy_from_guest(v, &fi, arg, sizeof(fi)))
        return -EFAULT;
    if (fi.submap_idx != 0)
        return -EINVAL;
    fi.submap = 1u << XENFEAT_memory_op_vnode_supported | d->guest->features;
    if (VM_ASSIST(d, pae_extended_cr3))
        fi.submap |= 1u << XENFEAT_pae_pgdir_above_4gb;
    if (is_control_domain(d))
        fi.submap |= 1u << XENFEAT_dom0;
    return copy_to_guest(v, arg, &fi, sizeof(fi)) ? -EFAULT : 0;
}

long do_xen_version(struct vcpu *v, struct hypercall_args *args)
{
    uint64_t arg = args->a[1], virt_start = v->domain->abi->hypervisor_virt_start;
    const bool priv = !xsm_xen_version(v->domain, NULL);

    switch ((unsigned int)args->a[0]) {
    case XENVER_version: return XEN_VERSION_NUMBER;
    case XENVER_extraversion: return version_string(v, arg, XEN_EXTRA_VERSION, XEN_EXTRAVERSION_LEN);
    case XENVER_compile_info: return compile_info(v, arg);
    case XENVER_capabilities:
        return version_string(v, arg, "xen-3.0-x86_64 xen-3.0-x86_32p hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ",
                              XEN_CAPABILITIES_INFO_LEN);
    case XENVER_changeset: return version_string(v, arg, "xenlab", XEN_CHANGESET_INFO_LEN);
    case XENVER_platform_parameters: return copy_word_to_guest(v, arg, virt_start) ? -EFAULT : 0;
    case XENVER_get_features: return get_features(v, arg);
    case XENVER_pagesize: return arg ? -EINVAL : (long)PAGE_SIZE;
    case XENVER_guest_handle: return copy_to_guest(v, arg, v->domain->handle, sizeof(v->domain->handle)) ? -EFAULT : 0;
    case XENVER_commandline:
        return priv ? version_string(v, arg, "", sizeof(xen_commandline_t))
                    : version_string(v, arg, XEN_DENIED, sizeof(XEN_DENIED)); /* and no byte more */
    case XENVER_build_id: return priv ? -ENODATA : -EPERM;
    default: return -ENOSYS;
    }
}

/* --- console_io --- */

/* Collect a guest's output into lines and print each as "(d1) ...". Control characters but tab are dropped. */
void guest_console_write(struct domain *d, const char *text, size_t len)
{
    char line[sizeof(d->console_line) + 16];

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if ((c >= ' ' && c <= '~') || c == '\t') /* a call for each of 2^32 characters would take its time */
            d->console_line[d->console_len++] = c;
        if (c == '\n' || d->console_len == sizeof(d->console_line)) {
            int n = snprintf(line, sizeof(line), "(d%u) %.*s\n", d->domain_id, (int)d->console_len, d->console_line);

            log_write(d->xen->machine, line, (size_t)n);
            d->console_len = 0;
        }
    }
}

/* The machine's own console is dom0's, as it writes; what others write is for the log, a line at a time. */
static void console_write(struct domain *d, const char *text, size_t len)
{
    const struct xen *xen = d->xen;

    if (is_hardware_domain(d) && xen->board)
        xen->board->console_write(xen->board_data, text, len);
    else
        guest_console_write(d, text, len);
}

/* What was typed, as much as fits. */
static long console_read(struct vcpu *v, uint32_t count, uint64_t to)
{
    const struct xen *xen = v->domain->xen;
    char buf[128];
    size_t n;

    if (count > INT32_MAX)
        return -E2BIG;
    if (!is_hardware_domain(v->domain) || !xen->board)
        return 0;
    n = xen->board->console_read(xen->board_data, buf, count < sizeof(buf) ? count : sizeof(buf));
    return copy_to_guest(v, to, buf, n) ? -EFAULT : (long)n;
}

long do_console_io(struct vcpu *v, struct hypercall_args *args)
{
    uint32_t *count = (uint32_t *)&args->a[1];
    uint64_t done = 0;
    char buf[128];

    switch ((unsigned int)args->a[0]) {
    case CONSOLEIO_write:
        for (uint32_t left = *count; left; left -= (uint32_t)done) {
            if (hypercall_preempt_check(v)) {
                args->a[1] = left;
                return -ERESTART;
            }
            done = left < sizeof(buf) ? left : sizeof(buf);
            if (copy_from_guest(v, buf, args->a[2], done))
                return -EFAULT;
            console_write(v->domain, buf, done);
            args->a[2] += done;
        }
        return 0;
    case CONSOLEIO_read: return xsm_console_io(v->domain, NULL) ?: console_read(v, *count, args->a[2]);
    default: return xsm_console_io(v->domain, NULL) ?: -ENOSYS;
    }
}

/* --- vm_assist --- */

long do_vm_assist(struct vcpu *v, struct hypercall_args *args)
{
    uint64_t type = (unsigned int)args->a[1];
    uint64_t valid = v->domain->guest->vm_assist_valid;

    if (type >= 64 || !((valid >> type) & 1))
        return -EINVAL;
    switch ((unsigned int)args->a[0]) {
    case VMASST_CMD_enable: v->domain->vm_assist |= UINT64_C(1) << type; return 0;
    case VMASST_CMD_disable: v->domain->vm_assist &= ~(UINT64_C(1) << type); return 0;
    default: return -ENOSYS;
    }
}
