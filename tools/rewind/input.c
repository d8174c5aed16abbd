// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What comes in, see tools/rewind/input.h.
 *
 * Budget: a function for each kind of record, and what it refuses.
 */
#include "tools/rewind/input.h"

#include "evtchn/event_channel.h"
#include "mmu/page.h"
#include "sim/frame.h"
#include "tools/ctl.h"
#include "tools/rewind/made.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/pv/pv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int refuse(char err[REWIND_ERR_SIZE], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char err[REWIND_ERR_SIZE], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err, REWIND_ERR_SIZE, fmt, ap);
    va_end(ap);
    return -1;
}

/* A record's bytes as nr words, and nothing else. */
static bool words(const struct journal_record *rec, uint64_t *word, size_t nr)
{
    if (rec->len != nr * sizeof(*word))
        return false;
    memcpy(word, rec->bytes, rec->len);
    return true;
}

static int malformed(const struct journal_record *rec, char err[REWIND_ERR_SIZE])
{
    return refuse(err, "a record of kind %s with %zu bytes", journal_kind_name(rec->kind), rec->len);
}

/* The vCPU that a record is for, one with a processor; NULL: there is none. */
static struct vcpu *guest_vcpu(struct host *h, const struct journal_record *rec, char err[REWIND_ERR_SIZE])
{
    const unsigned int dom = TRACE_VCPU_DOM(rec->who), vcpu = TRACE_VCPU_NR(rec->who);
    const struct domain *d = dom < DOMID_FIRST_RESERVED ? host_xen(h)->domain_of[dom] : NULL;
    struct vcpu *v = d && vcpu < d->max_vcpus ? d->vcpu[vcpu] : NULL;

    if (!v)
        refuse(err, "there is no d%uv%u", dom, vcpu);
    else if (!v->regs || is_native_domain(d))
        refuse(err, "d%uv%u has no processor: it is native", dom, vcpu);
    else if (!v->is_initialised || d->is_dying)
        refuse(err, "d%uv%u is not up", dom, vcpu);
    else if (v->pause_flags & VPF_blocked_in_xen)
        refuse(err, "d%uv%u waits for its device model in the middle of an instruction: step first", dom, vcpu);
    else
        return v;
    return NULL;
}

/* --- registers --- */

static const char *const reg_names[] = {
#define X(name) #name,
    INPUT_REGS(X)
#undef X
};

enum input_reg input_reg_of(const char *name)
{
    unsigned int reg = 0;

    while (reg < INPUT_NR_REGS && strcmp(reg_names[reg], name) != 0)
        reg++;
    return (enum input_reg)reg;
}

/* What a guest itself may change of RFLAGS, and sees the same of. */
#define FLAGS_TO_SET (X86_EFLAGS_ARITH_MASK | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_NT | X86_EFLAGS_AC)

/* Is it a value for this register? */
static int reg_check(const struct vcpu *v, enum input_reg reg, uint64_t value, char err[REWIND_ERR_SIZE])
{
    const bool narrow = is_pv_32bit_domain(v->domain);

    if (narrow &&
        ((reg >= INPUT_REG_r8 && reg <= INPUT_REG_r15) || reg == INPUT_REG_fs_base || reg == INPUT_REG_gs_base))
        return refuse(err, "a guest of 32 bits has no %s to set", reg_names[reg]);
    if (narrow && value >> 32)
        return refuse(err, "0x%llx has more than the 32 bits that %s has", (unsigned long long)value, reg_names[reg]);
    if ((reg == INPUT_REG_rip || reg == INPUT_REG_fs_base || reg == INPUT_REG_gs_base) && !is_canonical(value))
        return refuse(err, "0x%llx is no canonical address, which %s is", (unsigned long long)value, reg_names[reg]);
    if (reg == INPUT_REG_rflags && (value ^ v->regs->rflags) & ~(uint64_t)FLAGS_TO_SET)
        return refuse(err, "of rflags (0x%llx) only bits in 0x%x can be set: 0x%llx changes others",
                      (unsigned long long)v->regs->rflags, FLAGS_TO_SET, (unsigned long long)value);
    return 0;
}

static void reg_set(struct vcpu *v, enum input_reg reg, uint64_t value)
{
    struct cpu_state *r = v->regs;

    switch (reg) {
    case INPUT_REG_rip: r->rip = value; break;
    case INPUT_REG_rflags: r->rflags = value; break;
    case INPUT_REG_fs_base:
    case INPUT_REG_gs_base:
        r->seg[reg == INPUT_REG_fs_base ? CPU_SEG_FS : CPU_SEG_GS].base = value;
        r->dirty |= CPU_DIRTY_BASE;
        break;
    default: r->gpr[reg] = value; break;
    }
}

static int deal_with_register(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    struct vcpu *v = guest_vcpu(h, rec, err);
    uint64_t w[2];

    if (!v)
        return -1;
    if (!words(rec, w, 2) || w[0] >= INPUT_NR_REGS)
        return malformed(rec, err);
    if (reg_check(v, (enum input_reg)w[0], w[1], err))
        return -1;
    if (check)
        return 0;
    reg_set(v, (enum input_reg)w[0], w[1]);
    xen_interrupt(host_xen(h), rec->now);
    return 0;
}

/* --- memory --- */

static int frame_check(const struct xen *xen, mfn_t mfn, char err[REWIND_ERR_SIZE])
{
    static const char *const types[] = {
        "", "an L1 page table", "an L2 page table", "an L3 page table", "an L4 page table", "a descriptor table"
    };
    const struct page_info *pg;
    unsigned int type;

    if (!mfn_valid(xen->machine, mfn))
        return refuse(err, "there is no machine frame 0x%llx", (unsigned long long)mfn_x(mfn));
    pg = mfn_to_page(xen, mfn);
    type = (unsigned int)(pg->type_info >> 61);
    if ((pg->count_info & PGC_state) == PGC_state_free)
        return refuse(err, "machine frame 0x%llx is free", (unsigned long long)mfn_x(mfn));
    /* What the hypervisor shares with a guest, a grant table or shared_info, the guest writes as well. */
    if (!pg->owner || pg->owner->domain_id >= DOMID_FIRST_RESERVED ||
        (pg->count_info & PGC_xen_heap && (pg->type_info & PGT_type_mask) != PGT_writable_page))
        return refuse(err, "machine frame 0x%llx is the hypervisor's", (unsigned long long)mfn_x(mfn));
    if (type && type < ARRAY_SIZE(types) && pg->type_info & (PGT_count_mask | PGT_validated | PGT_partial))
        return refuse(
            err, "machine frame 0x%llx is %s of d%u, which the hypervisor alone writes, for mmu_update and its kin",
            (unsigned long long)mfn_x(mfn), types[type], pg->owner->domain_id);
    return 0;
}

static int deal_with_memory(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    struct xen *xen = host_xen(h);
    const size_t n = rec->len - sizeof(uint64_t);
    uint64_t maddr;
    mfn_t mfn;

    if (rec->len <= sizeof(maddr))
        return malformed(rec, err);
    memcpy(&maddr, rec->bytes, sizeof(maddr));
    mfn = _mfn(PFN_DOWN(maddr));
    if (n > PAGE_SIZE - (maddr & ~PAGE_MASK))
        return refuse(err, "what is set lies in two pages: set its halves");
    if (frame_check(xen, mfn, err))
        return -1;
    if (check)
        return 0;
    xen_interrupt(xen, rec->now);
    memcpy((uint8_t *)frame_write_begin(xen->machine, mfn) + (maddr & ~PAGE_MASK), rec->bytes + sizeof(maddr), n);
    frame_write_end(xen->machine, mfn);
    return 0;
}

/* --- traps and events --- */

/* What guests get of exceptions: what its own instructions can raise. */
static bool is_trap(uint64_t vector)
{
    return vector < 20 &&
           (UINT32_C(1) << vector &
            (1 << X86_EXC_DE | 1 << X86_EXC_DB | 1 << X86_EXC_NMI | 1 << X86_EXC_BP | 1 << X86_EXC_OF |
             1 << X86_EXC_BR | 1 << X86_EXC_UD | 1 << X86_EXC_NM | 1 << X86_EXC_TS | 1 << X86_EXC_NP | 1 << X86_EXC_SS |
             1 << X86_EXC_GP | 1 << X86_EXC_PF | 1 << X86_EXC_MF | 1 << X86_EXC_AC | 1 << X86_EXC_XM));
}

static void pv_trap(struct vcpu *v, const uint64_t w[3])
{
    if (w[0] == X86_EXC_PF)
        pv_inject_page_fault(v, w[2], (uint32_t)w[1]);
    else if (w[0] == X86_EXC_DB)
        pv_inject_debug(v, 0);
    else
        pv_inject_hw_exception(v, (unsigned int)w[0], (uint32_t)w[1]);
}

static int deal_with_trap(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    struct vcpu *v = guest_vcpu(h, rec, err);
    const struct run_state *run = &host_xen(h)->run;
    uint64_t w[3];

    if (!v)
        return -1;
    if (!words(rec, w, 3))
        return malformed(rec, err);
    if (!is_trap(w[0]))
        return refuse(
            err,
            "a guest gets no vector %llu: exceptions are 0 to 7, 10 to 14, 16, 17 and 19, 2 an NMI; interrupts "
            "are events (inject port N)",
            (unsigned long long)w[0]);
    if (w[1] && !(w[0] < 32 && X86_EXC_HAVE_EC >> w[0] & 1))
        return refuse(err, "exception %llu has no error code", (unsigned long long)w[0]);
    if (w[1] >> 32)
        return refuse(err, "an error code has 32 bits: 0x%llx", (unsigned long long)w[1]);
    if (w[2] && w[0] != X86_EXC_PF)
        return refuse(err, "exception %llu has no address: a page fault has, 14", (unsigned long long)w[0]);
    if (v->pause_flags & VPF_down || v->domain->is_shut_down)
        return refuse(err, "d%uv%u is not up", v->domain->domain_id, v->vcpu_id);
    if (run->phase == RUN_EXIT && run->v == v)
        return refuse(err, "d%uv%u has come out for something else: step first, that is dealt with then",
                      v->domain->domain_id, v->vcpu_id);
    if (check)
        return 0;
    xen_interrupt(host_xen(h), rec->now);
    if (w[0] == X86_EXC_NMI) {
        v->nmi_pending = true;
        vcpu_kick(v);
    } else if (!is_hvm_domain(v->domain)) {
        pv_trap(v, w);
    } else if (w[0] == X86_EXC_PF) {
        hvm_inject_page_fault(v, w[2], (uint32_t)w[1]);
    } else {
        hvm_inject_hw_exception(v, (unsigned int)w[0], (uint32_t)w[1]);
    }
    return 0;
}
static int deal_with_event(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    struct vcpu *v = guest_vcpu(h, rec, err);
    struct evtchn *chn;
    uint64_t port;

    if (!v)
        return -1;
    if (!words(rec, &port, 1))
        return malformed(rec, err);
    if (port > UINT32_MAX || !port_is_valid(v->domain, (evtchn_port_t)port))
        return refuse(err, "d%u has no port %llu (see: ports)", v->domain->domain_id, (unsigned long long)port);
    chn = evtchn_from_port(v->domain, (evtchn_port_t)port);
    if (!evtchn_usable(chn))
        return refuse(err, "port %llu of d%u is not bound (see: ports)", (unsigned long long)port,
                      v->domain->domain_id);
    if (check)
        return 0;
    xen_interrupt(host_xen(h), rec->now);
    evtchn_port_set_pending(v->domain, chn);
    return 0;
}

/* --- keys --- */

static int deal_with_console(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    const size_t room = host_console_room(h, rec->who);

    if (rec->len > room)
        return refuse(err,
                      room ? "d%u takes no more than %zu bytes of input now, not %zu"
                           : "d%u does not take input now: its console is not connected, or full",
                      host_guest_domid(h, rec->who), room, rec->len);
    if (!check)
        host_console_input(h, rec->who, (const char *)rec->bytes, rec->len, rec->now);
    return 0;
}

/* --- programs --- */

static int deal_with_xenstore(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    const uint8_t what = rec->len ? rec->bytes[0] : HOST_SOCKET_NR;

    if (what >= HOST_SOCKET_NR)
        return malformed(rec, err);
    if (host_xenstore_is_open(h, rec->who) == (what == HOST_SOCKET_OPEN))
        return refuse(err,
                      what == HOST_SOCKET_OPEN ? "program %u uses xenstore already" : "no program %u uses xenstore",
                      rec->who);
    if (!check && host_xenstore_socket(h, rec->who, what, rec->bytes + 1, rec->len - 1, rec->now))
        return refuse(err, "xenstore: no memory");
    return 0;
}

static int deal_with_ctl(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    struct ctl_request r;
    char why[CTL_ERR_SIZE];

    if (ctl_parse((const char *)rec->bytes, rec->len, &r, why))
        return refuse(err, "%.*s", REWIND_ERR_SIZE - 1, why);
    if (!ctl_changes(&r))
        return refuse(err, "ctl %s changes nothing: it is no input", r.command->name);
    if (!check && host_ctl(h, rec->who, (const char *)rec->bytes, rec->len, rec->now))
        return refuse(err, "ctl: no memory");
    return 0;
}

static int deal_with_net(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    if (rec->who || !host_packet_fits(h, rec->len))
        return refuse(err, "that is no packet, or there is no network with an outside");
    if (!check)
        host_packet_in(h, rec->bytes, rec->len);
    return 0;
}

static int deal_with_p9(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    if (!host_outside_asks(h, rec->who, rec->bytes, rec->len))
        return refuse(err, "no such question has been asked of a shared folder");
    if (!check)
        host_outside_answer(h, rec->who, rec->bytes, rec->len);
    return 0;
}

static int deal_with_key(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    struct host_key key;

    if (rec->len != sizeof(key))
        return malformed(rec, err);
    memcpy(&key, rec->bytes, sizeof(key));
    if (key.what >= HOST_KEY_NR)
        return malformed(rec, err);
    if (!host_keyboard(h, rec->who))
        return refuse(err, "guest number %u has no keyboard that it looks at", rec->who);
    return check ? 0 : host_keyboard_event(h, rec->who, &key, rec->now);
}

static int deal_with_tty(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    if (host_guest_domid(h, rec->who) == DOMID_INVALID)
        return refuse(err, "there is no guest number %u", rec->who);
    if (rec->len >= HOST_TTY_SIZE || memchr(rec->bytes, 0, rec->len))
        return malformed(rec, err);
    if (!check && host_console_tty(h, rec->who, (const char *)rec->bytes, rec->len, rec->now))
        return refuse(err, "xenstore: no memory");
    return 0;
}

static int deal_with_channel(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    const char *text = (const char *)rec->bytes + sizeof(struct host_channel_head);
    const size_t len = rec->len - sizeof(struct host_channel_head);
    struct host_channel_head head;

    if (rec->len < sizeof(head))
        return malformed(rec, err);
    memcpy(&head, rec->bytes, sizeof(head));
    if (!host_channel(h, rec->who, head.channel))
        return refuse(err, "guest number %u has no channel %u", rec->who, head.channel);
    if (head.is_tty) {
        if (len >= HOST_TTY_SIZE || memchr(text, 0, len))
            return malformed(rec, err);
        if (!check && host_channel_tty(h, rec->who, head.channel, text, len, rec->now))
            return refuse(err, "xenstore: no memory");
        return 0;
    }
    if (!len)
        return malformed(rec, err);
    if (len > host_channel_room(h, rec->who, head.channel))
        return refuse(err, "channel %u of d%u does not take %zu bytes now", head.channel, host_guest_domid(h, rec->who),
                      len);
    if (!check)
        host_channel_input(h, rec->who, head.channel, text, len, rec->now);
    return 0;
}

/* --- what is made up --- */

static int deal_with_made(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    struct vcpu *v = guest_vcpu(h, rec, err);
    const struct run_state *run = &host_xen(h)->run;

    if (!v)
        return -1;
    if (v->pause_flags & VPF_down || v->domain->is_shut_down)
        return refuse(err, "d%uv%u is not up", v->domain->domain_id, v->vcpu_id);
    if (run->phase == RUN_EXIT && run->v == v)
        return refuse(err, "d%uv%u has come out for something else: step first, that is dealt with then",
                      v->domain->domain_id, v->vcpu_id);
    return (rec->kind == JOURNAL_EXIT ? made_exit : made_hypercall)(h, v, rec, check, err);
}

static int deal_with(struct host *h, const struct journal_record *rec, bool check, char err[REWIND_ERR_SIZE])
{
    pcpu_sync(host_machine(h));
    switch (rec->kind) {
    case JOURNAL_CONSOLE: return deal_with_console(h, rec, check, err);
    case JOURNAL_REGISTER: return deal_with_register(h, rec, check, err);
    case JOURNAL_MEMORY: return deal_with_memory(h, rec, check, err);
    case JOURNAL_TRAP: return deal_with_trap(h, rec, check, err);
    case JOURNAL_EVENT: return deal_with_event(h, rec, check, err);
    case JOURNAL_XENSTORE: return deal_with_xenstore(h, rec, check, err);
    case JOURNAL_TTY: return deal_with_tty(h, rec, check, err);
    case JOURNAL_CHANNEL: return deal_with_channel(h, rec, check, err);
    case JOURNAL_KEY: return deal_with_key(h, rec, check, err);
    case JOURNAL_NET: return deal_with_net(h, rec, check, err);
    case JOURNAL_P9: return deal_with_p9(h, rec, check, err);
    case JOURNAL_CTL: return deal_with_ctl(h, rec, check, err);
    case JOURNAL_DOMAIN: return made_domain(h, rec, check, err);
    case JOURNAL_HYPERCALL:
    case JOURNAL_EXIT: return deal_with_made(h, rec, check, err);
    case JOURNAL_NR: break;
    }
    return refuse(err, "a record of no known kind");
}

int input_apply(struct host *h, const struct journal_record *rec, char err[REWIND_ERR_SIZE])
{
    return deal_with(h, rec, false, err);
}

int input_check(struct host *h, const struct journal_record *rec, char err[REWIND_ERR_SIZE])
{
    return deal_with(h, rec, true, err);
}
