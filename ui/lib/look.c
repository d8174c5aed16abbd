// SPDX-License-Identifier: GPL-2.0-or-later
/* What is seen of a machine, by value: see include/xenlab/xenlab.h. */
#include "tools/debug/look.h"
#include "sim/x86.h"
#include "ui/lib/lib.h"

#include <stdio.h>
#include <string.h>

/* --- memory and registers --- */

uint64_t xenlab_page(const struct xenlab *x, uint16_t domid, unsigned int i)
{
    return x ? host_made_base(x->host, domid) + (uint64_t)i * PAGE_SIZE : 0;
}

size_t xenlab_read(struct xenlab *x, uint16_t domid, unsigned int vcpu, uint64_t addr, void *buf, size_t n)
{
    return x && buf ? look_read(x->host, domid, vcpu, LOOK_VIRTUAL, addr, buf, n) : 0;
}

size_t xenlab_read_physical(struct xenlab *x, uint16_t domid, uint64_t addr, void *buf, size_t n)
{
    return x && buf ? look_read(x->host, domid, 0, LOOK_PHYSICAL, addr, buf, n) : 0;
}

uint64_t xenlab_mfn(struct xenlab *x, uint16_t domid, unsigned int vcpu, uint64_t addr)
{
    uint64_t maddr;

    return x && look_machine_address(x->host, domid, vcpu, LOOK_VIRTUAL, addr, &maddr) ? maddr >> PAGE_SHIFT
                                                                                       : UINT64_MAX;
}

/* By name. False: there is none. */
static bool register_of(const struct look_vcpu *v, const char *name, uint64_t *value)
{
    static const char *const gpr[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                         "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
    const struct {
        const char *name;
        uint64_t value;
    } others[] = {
        { "rip", v->regs.rip },
        { "rflags", v->regs.rflags },
        { "cr0", v->cr[0] },
        { "cr2", v->cr[2] },
        { "cr3", v->cr[3] },
        { "cr4", v->cr[4] },
        { "cpl", v->regs.cpl },
        { "fs_base", v->regs.seg[CPU_SEG_FS].base },
        { "gs_base", v->regs.seg[CPU_SEG_GS].base },
    };

    for (unsigned int i = 0; i < 16; i++)
        if (!strcmp(name, gpr[i])) {
            *value = v->regs.gpr[i];
            return true;
        }
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (!strcmp(name, others[i].name)) {
            *value = others[i].value;
            return true;
        }
    return false;
}

int xenlab_register(struct xenlab *x, uint16_t domid, unsigned int vcpu, const char *name, uint64_t *value)
{
    struct look_vcpu v;

    if (!x)
        return -1;
    if (!look_vcpu(x->host, domid, vcpu, &v))
        return lib_fail(x, "there is no d%uv%u", domid, vcpu);
    if (v.native)
        return lib_fail(x, "d%uv%u has no registers: it is native", domid, vcpu);
    if (!name || !value)
        return lib_fail(x, "xenlab_register: which register, and where to?");
    return register_of(&v, name, value) ? 0 : lib_fail(x, "there is no register %.20s", name);
}

/* --- things --- */

/* There is a machine, a number to begin at, and a place for what is next. */
static bool can_go_on(const struct xenlab *x, const unsigned int *n, const void *info) { return x && n && info; }

int xenlab_domain_next(struct xenlab *x, unsigned int *n, struct xenlab_domain_info *info)
{
    struct xenlab_domain_info i = { .size = 0 };
    struct xen_domctl_getdomaininfo xen;
    unsigned int domid;
    struct look_domain d;

    if (!can_go_on(x, n, info) || !look_domain(x->host, n, &d))
        return 0;
    i.domid = d.dom, i.vcpus = d.vcpus, i.pages = d.pages, i.max_pages = d.max_pages;
    snprintf(i.type, sizeof(i.type), "%s", d.type);
    snprintf(i.name, sizeof(i.name), "%s", d.name ? d.name : "");
    domid = d.dom;
    if (host_snapshot_domain(x->host, &domid, &xen) && domid == d.dom) {
        i.paused = xen.flags & XEN_DOMINF_paused;
        i.dying = xen.flags & XEN_DOMINF_dying;
        i.shut_down = xen.flags & XEN_DOMINF_shutdown;
        i.reason = i.shut_down ? xen.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask : 0;
    }
    lib_give(info, &i, sizeof(i));
    return 1;
}

int xenlab_vcpu_look(struct xenlab *x, uint16_t domid, unsigned int vcpu, struct xenlab_vcpu_info *info)
{
    struct xenlab_vcpu_info i = { .size = 0 };
    struct look_vcpu v;

    if (!x)
        return -1;
    if (!look_vcpu(x->host, domid, vcpu, &v))
        return lib_fail(x, "there is no d%uv%u", domid, vcpu);
    if (!info)
        return lib_fail(x, "xenlab_vcpu_look: where to?");
    snprintf(i.state, sizeof(i.state), "%s", v.state);
    i.pcpu = v.cpu, i.ran = (uint64_t)v.ran;
    lib_give(info, &i, sizeof(i));
    return 0;
}

int xenlab_port_next(struct xenlab *x, uint16_t domid, unsigned int *n, struct xenlab_port_info *info)
{
    struct xenlab_port_info i = { .size = 0 };
    struct look_port p;

    if (!can_go_on(x, n, info) || !look_port(x->host, domid, n, &p))
        return 0;
    i.port = p.port, i.remote = p.peer, i.remote_port = p.peer_port, i.vcpu = p.vcpu;
    i.pending = p.pending, i.masked = p.masked;
    snprintf(i.state, sizeof(i.state), "%s", p.state);
    lib_give(info, &i, sizeof(i));
    return 1;
}

int xenlab_grant_next(struct xenlab *x, uint16_t domid, unsigned int *n, struct xenlab_grant_info *info)
{
    struct xenlab_grant_info i = { .size = 0 };
    struct look_grant g;

    if (!can_go_on(x, n, info) || !look_grant(x->host, domid, n, &g))
        return 0;
    i.ref = g.ref, i.to = g.user, i.readonly = g.readonly, i.mfn = mfn_x(g.mfn), i.pins = g.pins;
    snprintf(i.state, sizeof(i.state), "%s", g.state);
    lib_give(info, &i, sizeof(i));
    return 1;
}

int xenlab_frame_look(struct xenlab *x, uint64_t mfn, struct xenlab_frame_info *info)
{
    struct xenlab_frame_info i = { .size = 0 };
    struct look_frame f;

    if (!x || !info)
        return lib_fail(x, "xenlab_frame_look: where to?");
    if (!look_frame(x->host, _mfn(mfn), &f))
        return lib_fail(x, "there is no machine frame 0x%llx", (unsigned long long)mfn);
    i.free = f.free, i.owner = f.owner, i.type_count = f.type_count, i.count = f.count, i.gfn = f.gfn;
    i.pinned = f.pinned, i.validated = f.validated;
    snprintf(i.type, sizeof(i.type), "%s", f.type);
    lib_give(info, &i, sizeof(i));
    return 0;
}

/* --- the whole --- */

uint64_t xenlab_count(struct xenlab *x, const char *name)
{
    struct snapshot s;

    if (!x || !name)
        return 0;
    host_snapshot(x->host, &s);
    for (unsigned int i = 0; i < s.nr_exits; i++)
        if (!strcmp(s.exits[i].name, name))
            return s.exits[i].n;
    for (unsigned int i = 0; i < s.nr_hypercalls; i++)
        if (!strcmp(s.hypercalls[i].name, name))
            return s.hypercalls[i].n;
    return 0;
}

int xenlab_audit(struct xenlab *x)
{
    char why[256] = "";

    if (!x)
        return -1;
    return host_audit(x->host, why, sizeof(why)) ? lib_fail(x, "%s", why) : 0;
}
