// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sentences, see tools/debug/sentence.h.
 *
 * Budget: a function an event, and two tables of what rules and hypercalls are called.
 */
#include "tools/debug/sentence.h"

#include "sim/insn.h"
#include "sim/x86.h"
#include "tools/debug/look.h"
#include "tools/printable.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <xen/xen.h>

void sentence_add(struct sentence *s, const char *fmt, ...)
{
    const size_t room = sizeof(s->text) - s->len;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(s->text + s->len, room, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if ((size_t)n < room) {
        s->len += (size_t)n;
        return;
    }
    s->len = sizeof(s->text) - 1;
    memcpy(s->text + s->len - 3, "...", 3);
}

void sentence_add_position(struct sentence *s, s_time_t t, struct position at)
{
    char time[LOOK_TEXT];

    look_time(t, time);
    sentence_add(s, "%s#%" PRIu64 ".%" PRIu64, time, at.insns, at.step);
}

void sentence_add_address(struct sentence *s, struct host *h, unsigned int dom, uint64_t addr)
{
    char symbol[LOOK_SYMBOL];

    look_symbol(h, (domid_t)dom, addr, symbol);
    sentence_add(s, "0x%" PRIx64 "%s", addr, symbol);
}

static const struct trace_field *field_of(const struct trace_record *rec, const char *name, unsigned int *i)
{
    const struct trace_event_info *info = trace_event_info((enum trace_event)rec->event);

    for (*i = 0; *i < info->nr_fields; ++*i)
        if (!strcmp(info->fields[*i].name, name))
            return &info->fields[*i];
    return NULL;
}

uint64_t record_field(const struct trace_record *rec, const char *name)
{
    unsigned int i;

    return field_of(rec, name, &i) && i < rec->nr_words ? rec->arg[i] : TRACE_NONE;
}

/* The name of a field's value; "?" for one that has none. */
static const char *value_name(const struct trace_record *rec, const char *name)
{
    unsigned int i;
    const struct trace_field *f = field_of(rec, name, &i);
    const char *value = f ? trace_value_name((enum trace_type)f->type, rec->arg[i]) : NULL;

    return value ? value : "?";
}

bool record_refuses(const struct trace_record *rec)
{
    switch (rec->event) {
    case TRC_emulate: return record_field(rec, "verdict") == TRACE_VERDICT_REFUSED;
    case TRC_page_type: return record_field(rec, "why") == TRACE_PAGE_REFUSED;
    case TRC_hypercall_ret:
        return record_field(rec, "status") == TRACE_STATUS_DONE && (int64_t)record_field(rec, "ret") < 0;
    case TRC_cr3:
    case TRC_pte:
    case TRC_grant_map:
    case TRC_grant_unmap:
    case TRC_grant_copy: return (int64_t)record_field(rec, "ret") < 0;
    case TRC_xs: return (int64_t)record_field(rec, "ret") > 0;
    default: return false;
    }
}

/*
 * ---------------------------------------------------------------------------------------------- parts of sentences --
 */

static void who(struct sentence *s, const struct trace_record *rec)
{
    const char *mode = trace_value_name(TRACE_TYPE_mode, rec->who.mode);

    if (rec->who.domain == TRACE_NO_DOMAIN)
        sentence_add(s, "the hypervisor");
    else if (rec->who.mode == TRACE_MODE_XEN)
        sentence_add(s, "d%uv%u", rec->who.domain, rec->who.vcpu);
    else if (rec->who.root >= TRACE_ROOT_HVM)
        sentence_add(s, "d%uv%u in ring %u", rec->who.domain, rec->who.vcpu, rec->who.mode - TRACE_MODE_HVM0);
    else
        sentence_add(s, "d%uv%u's %s", rec->who.domain, rec->who.vcpu,
                     rec->who.mode == TRACE_MODE_USER     ? "user code"
                     : rec->who.mode == TRACE_MODE_NATIVE ? "native code"
                     : mode                               ? mode
                                                          : "?");
}

/* The event's text behind some words, as far as it can be printed; nothing if it has none. */
static void add_text(struct sentence *s, const char *before, const struct trace_record *rec, const char *name)
{
    const uint64_t len = record_field(rec, name);
    char text[TRACE_MAX_ARGS * sizeof(rec->arg[0]) + 1];
    unsigned int i;
    size_t n = 0;

    if (!field_of(rec, name, &i) || len == TRACE_NONE)
        return;
    n = len < (TRACE_MAX_ARGS - i - 1) * sizeof(rec->arg[0]) ? len : (TRACE_MAX_ARGS - i - 1) * sizeof(rec->arg[0]);
    memcpy(text, &rec->arg[i + 1], n);
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r' || !text[n - 1]))
        n--;
    text[n] = '\0';
    for (size_t c = 0; c < n; c++)
        text[c] = text[c] == '\r' || text[c] == '\n' ? ' ' : text[c];
    make_printable(text, n, false);
    if (n)
        sentence_add(s, "%s%s", before, text);
}

static void vector_name(struct sentence *s, uint64_t vector)
{
    static const char *const names[] = { "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", NULL,
                                         "#TS", "#NP", "#SS", "#GP", "#PF", NULL,  "#MF", "#AC", "#MC", "#XM" };

    if (vector < ARRAY_SIZE(names) && names[vector])
        sentence_add(s, "%s", names[vector]);
    else
        sentence_add(s, "vector %" PRIu64, vector);
}

static void add_exit(struct sentence *s, struct host *h, const struct trace_record *rec)
{
    const uint64_t kind = record_field(rec, "kind"), op = record_field(rec, "op");
    const bool no_name = op == INSN_OTHER || op == TRACE_NONE;

    who(s, rec);
    if (kind == EXIT_EXCEPTION) {
        if (no_name)
            sentence_add(s, " was stopped at ");
        else
            sentence_add(s, " executed %s at ", value_name(rec, "op"));
        sentence_add_address(s, h, rec->who.domain, record_field(rec, "rip"));
        sentence_add(s, ", which takes ");
        vector_name(s, record_field(rec, "vector"));
        if (record_field(rec, "vector") == 14)
            sentence_add(s, " for 0x%" PRIx64, record_field(rec, "addr"));
        sentence_add(s, " (error code 0x%" PRIx64 ")", record_field(rec, "error"));
    } else {
        if (no_name)
            sentence_add(s, " was left for %s at ", value_name(rec, "kind"));
        else
            sentence_add(s, " executed %s, which is intercepted, at ", value_name(rec, "op"));
        sentence_add_address(s, h, rec->who.domain, record_field(rec, "rip"));
        if (kind == EXIT_NPF)
            sentence_add(s, ": the nested tables do not allow %s guest-physical 0x%" PRIx64,
                         record_field(rec, "error") & PFEC_insn_fetch     ? "code at"
                         : record_field(rec, "error") & PFEC_write_access ? "a store to"
                                                                          : "a load from",
                         record_field(rec, "addr"));
    }
    if (trace_is_engines(rec))
        sentence_add(s, " [engine]");
}

/* What a rule of an emulated instruction says, and where it is applied. */
static const char *rule_text(uint64_t rule)
{
    switch (rule) {
    case TRACE_RULE_KERNEL: return "a kernel may do it, user code may not (vcpu/pv/emulate.c)";
    case TRACE_RULE_IOPL:
        return "the virtual I/O privilege level decides, and a PV kernel counts as ring 1 (vcpu/pv/emulate.c)";
    case TRACE_RULE_IO_BITMAP: return "the kernel's bitmap of I/O ports decides (vcpu/pv/ioport.c)";
    case TRACE_RULE_INTERCEPT: return "it is answered for everybody (vcpu/pv/guest.c)";
    case TRACE_RULE_TSD: return "the kernel's CR4.TSD forbids it to user code (vcpu/pv/emulate.c)";
    case TRACE_RULE_UNKNOWN: return "it is no instruction that is ever emulated (vcpu/pv/emulate.c)";
    case TRACE_RULE_VALUE: return "the register does not exist, or does not take this value (vcpu/pv/emulate.c)";
    case TRACE_RULE_PAGE_TABLE: return "a store to a page table is checked as mmu_update would (mmu/pv/ptwr.c)";
    default: return "?";
    }
}

static void add_emulate(struct sentence *s, const struct trace_record *rec)
{
    sentence_add(s, "Xen: %s is %s", value_name(rec, "op"),
                 record_field(rec, "verdict") == TRACE_VERDICT_FIXUP ? "made good" : value_name(rec, "verdict"));
    if (record_field(rec, "rule") == TRACE_RULE_IOPL)
        sentence_add(s, ", IOPL is %" PRIu64, record_field(rec, "iopl"));
    sentence_add(s, ": %s", rule_text(record_field(rec, "rule")));
    if (record_field(rec, "verdict") == TRACE_VERDICT_EMULATED &&
        (record_field(rec, "op") == INSN_CLI || record_field(rec, "op") == INSN_STI))
        sentence_add(s, ", and nothing is done: what masks a PV kernel's events is its evtchn_upcall_mask, not IF");
}

/* -EINVAL and so on: Xen's, which are Linux's. */
static void add_answer(struct sentence *s, uint64_t ret)
{
    const char *name = (int64_t)ret < 0 && (int64_t)ret > -4096 ? strerrorname_np((int)-(int64_t)ret) : NULL;

    if (name)
        sentence_add(s, "-%s", name);
    else
        sentence_add(s, "%" PRId64, (int64_t)ret);
}

static void add_call(struct sentence *s, const struct trace_record *rec)
{
    const struct trace_names *calls = trace_call_names(), *subs = trace_subops(record_field(rec, "nr"));
    const uint64_t nr = record_field(rec, "nr"), sub = record_field(rec, "sub");

    if (nr < calls->nr && calls->name[nr])
        sentence_add(s, "%s", calls->name[nr]);
    else
        sentence_add(s, "hypercall %" PRIu64, nr);
    if (sub != TRACE_NONE && subs && sub < subs->nr && subs->name[sub])
        sentence_add(s, ".%s", subs->name[sub]);
}

/* clang-format off: a table */
static const char *const sources[] = {
#define CALL(name, file) [__HYPERVISOR_##name] = file
    CALL(set_trap_table, "vcpu/pv/hypercalls.c"),
    CALL(mmu_update, "mmu/pv/mmu_update.c"),
    CALL(set_gdt, "mmu/pv/descriptor.c"),
    CALL(stack_switch, "vcpu/pv/hypercalls.c"),
    CALL(set_callbacks, "vcpu/pv/hypercalls.c"),
    CALL(fpu_taskswitch, "vcpu/pv/hypercalls.c"),
    CALL(sched_op_compat, "vcpu/sched_op.c"),
    CALL(platform_op, "vcpu/platform.c"),
    CALL(set_debugreg, "vcpu/pv/hypercalls.c"),
    CALL(get_debugreg, "vcpu/pv/hypercalls.c"),
    CALL(update_descriptor, "mmu/pv/descriptor.c"),
    CALL(memory_op, "mmu/memory/memory.c"),
    CALL(multicall, "vcpu/hypercall.c"),
    CALL(update_va_mapping, "mmu/pv/va_mapping.c"),
    CALL(set_timer_op, "vcpu/time.c"),
    CALL(event_channel_op_compat, "evtchn/event_op.c"),
    CALL(xen_version, "vcpu/kernel.c"),
    CALL(console_io, "vcpu/kernel.c"),
    CALL(physdev_op_compat, "vcpu/pv/physdev.c"),
    CALL(grant_table_op, "mmu/grant/op.c"),
    CALL(vm_assist, "vcpu/kernel.c"),
    CALL(update_va_mapping_otherdomain, "mmu/pv/va_mapping.c"),
    CALL(iret, "vcpu/pv/iret.c"),
    CALL(vcpu_op, "vcpu/sched_op.c"),
    CALL(set_segment_base, "vcpu/pv/hypercalls.c"),
    CALL(mmuext_op, "mmu/pv/mmuext.c"),
    CALL(xsm_op, "vcpu/absent.c"),
    CALL(nmi_op, "vcpu/pv/hypercalls.c"),
    CALL(sched_op, "vcpu/sched_op.c"),
    CALL(callback_op, "vcpu/pv/hypercalls.c"),
    CALL(event_channel_op, "evtchn/event_op.c"),
    CALL(physdev_op, "vcpu/pv/physdev.c"),
    CALL(hvm_op, "vcpu/hvm/params.c"),
    CALL(sysctl, "vcpu/sysctl.c"),
    CALL(domctl, "vcpu/domctl.c"),
    CALL(kexec_op, "vcpu/absent.c"),
    CALL(xenpmu_op, "vcpu/absent.c"),
    CALL(dm_op, "vcpu/hvm/dm_op.c"),
    CALL(hypfs_op, "vcpu/absent.c"),
#undef CALL
};
/* clang-format on */

const char *hypercall_source(uint64_t nr) { return nr < ARRAY_SIZE(sources) ? sources[nr] : NULL; }

static void add_hypercall(struct sentence *s, struct host *h, const struct trace_record *rec)
{
    who(s, rec);
    sentence_add(s,
                 record_field(rec, "via") == TRACE_VIA_MULTICALL ? " has in its multicall " : " makes the hypercall ");
    add_call(s, rec);
    sentence_add(s, "(0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ")", record_field(rec, "a1"), record_field(rec, "a2"),
                 record_field(rec, "a3"));
    if (record_field(rec, "via") == TRACE_VIA_SYSCALL || record_field(rec, "via") == TRACE_VIA_INT82) {
        sentence_add(s, " at ");
        sentence_add_address(s, h, rec->who.domain, record_field(rec, "rip"));
    }
}

static void add_hypercall_ret(struct sentence *s, const struct trace_record *rec)
{
    add_call(s, rec);
    if (record_field(rec, "status") == TRACE_STATUS_DONE) {
        sentence_add(s, " answers ");
        add_answer(s, record_field(rec, "ret"));
        if (record_refuses(rec) && hypercall_source(record_field(rec, "nr")))
            sentence_add(s, " (by %s)", hypercall_source(record_field(rec, "nr")));
    } else {
        sentence_add(s, record_field(rec, "status") == TRACE_STATUS_CONTINUED
                            ? " is to be continued"
                            : " does not return to where it was made");
    }
    sentence_add(s, " (%" PRIu64 " ns)", record_field(rec, "cost"));
}

/* Its kernel gets something: at a handler, or there is none. */
static void add_entry(struct sentence *s, struct host *h, const struct trace_record *rec)
{
    sentence_add(s, "d%uv%u%s gets ", rec->who.domain, rec->who.vcpu,
                 rec->who.root >= TRACE_ROOT_HVM ? " by its IDT" : "'s kernel");
    if (rec->event == TRC_trap && record_field(rec, "interrupt"))
        sentence_add(s, "interrupt 0x%" PRIx64, record_field(rec, "vector"));
    else if (rec->event == TRC_trap)
        vector_name(s, record_field(rec, "vector"));
    else
        sentence_add(s, "%s", rec->event == TRC_upcall ? "an upcall" : trace_event_name((enum trace_event)rec->event));
    if (rec->event == TRC_upcall && record_field(rec, "port") != TRACE_NONE)
        sentence_add(s, " for port %" PRIu64, record_field(rec, "port"));
    if (!record_field(rec, "to")) {
        sentence_add(s, ", and has no handler for it");
        return;
    }
    sentence_add(s, " at ");
    sentence_add_address(s, h, rec->who.domain, record_field(rec, "to"));
}

static void add_page(struct sentence *s, const struct trace_record *rec)
{
    switch (rec->event) {
    case TRC_pte:
        sentence_add(s, "L%" PRIu64 "[%" PRIu64 "] of mfn 0x%" PRIx64 ": 0x%" PRIx64 " -> 0x%" PRIx64 " by %s",
                     record_field(rec, "level"), record_field(rec, "index"), record_field(rec, "table"),
                     record_field(rec, "old"), record_field(rec, "new"), value_name(rec, "via"));
        break;
    case TRC_cr3:
        sentence_add(s, "the %s root becomes mfn 0x%" PRIx64 " by %s", value_name(rec, "which"),
                     record_field(rec, "new"), value_name(rec, "why"));
        break;
    case TRC_page_type:
        if (record_refuses(rec) && record_field(rec, "new")) {
            sentence_add(s, "mfn 0x%" PRIx64 " is of type %s, with %" PRIu64 " use%s, and so is refused as %s",
                         record_field(rec, "mfn"), value_name(rec, "old"), record_field(rec, "count"),
                         record_field(rec, "count") == 1 ? "" : "s", value_name(rec, "new"));
            return;
        }
        sentence_add(s, "mfn 0x%" PRIx64 ": %s -> %s (%s)", record_field(rec, "mfn"), value_name(rec, "old"),
                     value_name(rec, "new"), value_name(rec, "why"));
        if (record_refuses(rec))
            sentence_add(s, " is refused: what is in it may not be in such a table, or it is in use otherwise");
        return;
    default:
        sentence_add(s, "%s of ", trace_event_name((enum trace_event)rec->event));
        if (record_field(rec, "ref") == TRACE_NONE)
            sentence_add(s, "what is not granted");
        else
            sentence_add(s, "reference %" PRIu64 " of d%" PRIu64, record_field(rec, "ref"), record_field(rec, "peer"));
    }
    if (record_refuses(rec)) {
        sentence_add(s, " is refused: ");
        if (rec->event == TRC_pte || rec->event == TRC_cr3)
            add_answer(s, record_field(rec, "ret"));
        else
            sentence_add(s, "GNTST %" PRId64, (int64_t)record_field(rec, "ret"));
    }
}

static void add_event_channel(struct sentence *s, const struct trace_record *rec)
{
    sentence_add(s, "%s: d%u port %" PRIu64, trace_event_name((enum trace_event)rec->event), rec->who.domain,
                 record_field(rec, "port"));
    if (record_field(rec, "peer_port") != TRACE_NONE && record_field(rec, "peer_dom") < TRACE_NO_DOMAIN)
        sentence_add(
            s, rec->event == TRC_evtchn_send ? " to d%" PRIu64 " port %" PRIu64 : " from d%" PRIu64 " port %" PRIu64,
            record_field(rec, "peer_dom"), record_field(rec, "peer_port"));
    if (record_field(rec, "masked") == 1)
        sentence_add(s, ", which is masked");
    if (record_field(rec, "edge") == 0 && rec->event != TRC_evtchn_mask)
        sentence_add(s, ", and was pending already: nobody is told again");
}

static void add_duration(struct sentence *s, const char *before, s_time_t t)
{
    char time[LOOK_TEXT];

    look_time(t, time);
    sentence_add(s, "%s%s", before, time);
}

/* " from idle" or " from d1v0" */
static void add_vcpu(struct sentence *s, const char *before, uint64_t id)
{
    if (id == TRACE_NONE)
        sentence_add(s, " %s idle", before);
    else
        sentence_add(s, " %s d%" PRIu64 "v%" PRIu64, before, id >> 16, id & 0xffff);
}

/* Whose time it is, and what happens when. */
static void add_time(struct sentence *s, const struct trace_record *rec)
{
    switch (rec->event) {
    case TRC_sched_switch:
        sentence_add(s, "pCPU %u goes over", rec->pcpu);
        add_vcpu(s, "from", record_field(rec, "prev"));
        add_vcpu(s, "to", record_field(rec, "next"));
        if ((int64_t)record_field(rec, "slice") >= 0)
            add_duration(s, ", for ", (s_time_t)record_field(rec, "slice"));
        if (record_field(rec, "credit") != TRACE_NONE)
            sentence_add(s, ", with credit %" PRId64, (int64_t)record_field(rec, "credit"));
        break;
    case TRC_sched_param:
        sentence_add(s, "the scheduler is told of d%uv%u: %s ", rec->who.domain, rec->who.vcpu,
                     value_name(rec, "what"));
        if (record_field(rec, "what") == TRACE_SCHED_HARD || record_field(rec, "what") == TRACE_SCHED_SOFT)
            sentence_add(s, "affinity 0x%" PRIx64, record_field(rec, "value"));
        else
            sentence_add(s, "%" PRIu64, record_field(rec, "value"));
        break;
    case TRC_timer_set:
    case TRC_timer_fire:
        sentence_add(s, rec->event == TRC_timer_set ? "a timer is armed (%s)" : "a timer expires (%s)",
                     value_name(rec, "label"));
        add_duration(s, ", for ", (s_time_t)record_field(rec, "expires"));
        break;
    case TRC_idle: add_duration(s, "all pCPUs wait until ", (s_time_t)record_field(rec, "until")); break;
    default: sentence_add(s, "%s", trace_event_name((enum trace_event)rec->event));
    }
}

/* What a back end has seen in a ring. */
static void add_ring(struct sentence *s, const struct trace_record *rec)
{
    const uint64_t dev = record_field(rec, "dev");

    if (rec->event == TRC_ring_full)
        sentence_add(s, "d%" PRIu64 "'s ring %s is full: %" PRIu64 " requests, and no answer yet", dev,
                     value_name(rec, "kind"), record_field(rec, "slots"));
    else if (rec->event == TRC_ring_free)
        sentence_add(s, "d%" PRIu64 "'s ring %s is full no more: it was for %" PRIu64 " ns", dev,
                     value_name(rec, "kind"), record_field(rec, "waited"));
    else if (rec->event == TRC_ring_lost)
        sentence_add(
            s, "what was typed or pointed at for d%" PRIu64 " is lost (%" PRIu64 " times by now): its ring %s is full",
            dev, record_field(rec, "lost"), value_name(rec, "kind"));
    else
        sentence_add(s, "the back end has looked at d%" PRIu64 "'s ring %s, up to %" PRIu64 "%s", dev,
                     value_name(rec, "kind"), record_field(rec, "new_prod"),
                     record_field(rec, "notify") == 1 ? ", and tells it" : "");
}

/* What becomes of a frame in a network. */
static void add_frame(struct sentence *s, const struct trace_record *rec)
{
    static const char *const what[] = { [TRACE_NET_IN] = "comes in at port",
                                        [TRACE_NET_OUT] = "goes out at port",
                                        [TRACE_NET_DROPPED] = "is dropped, as there is no room in the queue of port",
                                        [TRACE_NET_UNWANTED] = "is of a group that nobody has asked for at port" };
    const uint64_t op = record_field(rec, "op");

    sentence_add(s, "a frame of %" PRIu64 " bytes %s", record_field(rec, "len"), op < ARRAY_SIZE(what) ? what[op] : "");
    add_text(s, " ", rec, "netport");
    sentence_add(s, " of d%" PRIu64, record_field(rec, "dev"));
}

/* What a device of the physical machine does, and of how many bytes. */
static void add_device(struct sentence *s, const struct trace_record *rec)
{
    static const char *const what[] = { [TRACE_DEVICE_READ] = " reads, and stores what it has read to memory by DMA",
                                        [TRACE_DEVICE_WRITE] = " loads from memory by DMA what it is to write",
                                        [TRACE_DEVICE_FLUSH] = " is to keep all that was written: a flush",
                                        [TRACE_DEVICE_IDENT] = " is asked what it calls itself",
                                        [TRACE_DEVICE_FAILED] = " has a request that it will answer with an error",
                                        [TRACE_DEVICE_DONE] = " has done a request, and puts it into the used ring",
                                        [TRACE_DEVICE_SEND] = " loads a frame from memory by DMA, and sends it",
                                        [TRACE_DEVICE_RECEIVE] = " stores a frame that has come in to memory by DMA" };
    const uint64_t op = record_field(rec, "op");

    if (op == TRACE_DEVICE_INTERRUPT) {
        sentence_add(s, "the physical machine interrupts Xen by GSI %" PRIu64 ", which is d%u's",
                     record_field(rec, "gsi"), rec->who.domain);
        return;
    }
    add_text(s, "the physical device ", rec, "unit");
    sentence_add(s, "%s", op < ARRAY_SIZE(what) ? what[op] : "");
    if (record_field(rec, "sector") != TRACE_NONE)
        sentence_add(s, ", sector %" PRIu64, record_field(rec, "sector"));
    if (record_field(rec, "len") && record_field(rec, "len") != TRACE_NONE)
        sentence_add(s, " (%" PRIu64 " bytes)", record_field(rec, "len"));
}

static void add_others(struct sentence *s, struct host *h, const struct trace_record *rec)
{
    switch (rec->event) {
    case TRC_runstate:
        sentence_add(s, "d%uv%u: %s -> %s (%s", rec->who.domain, rec->who.vcpu, value_name(rec, "old"),
                     value_name(rec, "new"), value_name(rec, "why"));
        if (record_field(rec, "why") == TRACE_RUN_EVENT && record_field(rec, "port") != TRACE_NONE)
            sentence_add(s, ": port %" PRIu64, record_field(rec, "port"));
        sentence_add(s, ")");
        break;
    case TRC_iret:
        sentence_add(s, "d%uv%u's kernel returns to ", rec->who.domain, rec->who.vcpu);
        sentence_add_address(s, h, rec->who.domain, record_field(rec, "to"));
        sentence_add(s, " in %s mode", value_name(rec, "to_mode"));
        break;
    case TRC_resume:
        sentence_add(s, "it goes on at ");
        sentence_add_address(s, h, rec->who.domain, record_field(rec, "rip"));
        break;
    case TRC_page_fault:
        sentence_add(s, "Xen: the page fault is %s",
                     record_field(rec, "verdict") == TRACE_FAULT_GUEST  ? "the guest's own affair"
                     : record_field(rec, "verdict") == TRACE_FAULT_PTWR ? "a store to a page table (mmu/pv/ptwr.c)"
                                                                        : "a page of the LDT that was not there yet");
        break;
    case TRC_domain:
        sentence_add(s, "d%u: %s", rec->who.domain, value_name(rec, "op"));
        if (record_field(rec, "reason") != TRACE_NONE && record_field(rec, "op") != TRACE_DOMAIN_CRASH)
            sentence_add(s, " (%s)", value_name(rec, "reason"));
        add_text(s, ": ", rec, "text");
        break;
    case TRC_tlb:
        sentence_add(s, "d%uv%u asks for a TLB flush (%s)", rec->who.domain, rec->who.vcpu, value_name(rec, "scope"));
        break;
    case TRC_xs:
        sentence_add(s, "d%u asks xenstore: %s", rec->who.domain, value_name(rec, "op"));
        add_text(s, " ", rec, "path");
        if ((int64_t)record_field(rec, "ret") > 0)
            sentence_add(s, ", and is refused: -%s", strerrorname_np((int)record_field(rec, "ret")) ?: "?");
        break;
    case TRC_ring:
    case TRC_ring_full:
    case TRC_ring_free:
    case TRC_ring_lost: add_ring(s, rec); break;
    case TRC_net_frame: add_frame(s, rec); break;
    case TRC_device: add_device(s, rec); break;
    case TRC_console:
        sentence_add(s, "d%u writes to its console", rec->who.domain);
        add_text(s, ": ", rec, "text");
        break;
    case TRC_input:
        sentence_add(s, "from outside d%u gets %" PRIu64 " bytes for its %s", rec->who.domain, record_field(rec, "len"),
                     value_name(rec, "source"));
        add_text(s, ": ", rec, "text");
        break;
    default: add_time(s, rec);
    }
}

static void add_record(struct sentence *s, struct host *h, const struct trace_record *rec)
{
    switch (rec->event) {
    case TRC_exit: add_exit(s, h, rec); break;
    case TRC_emulate: add_emulate(s, rec); break;
    case TRC_hypercall: add_hypercall(s, h, rec); break;
    case TRC_hypercall_ret: add_hypercall_ret(s, rec); break;
    case TRC_trap:
    case TRC_syscall:
    case TRC_sysenter:
    case TRC_failsafe:
    case TRC_upcall: add_entry(s, h, rec); break;
    case TRC_pte:
    case TRC_cr3:
    case TRC_page_type:
    case TRC_grant_map:
    case TRC_grant_unmap:
    case TRC_grant_copy: add_page(s, rec); break;
    case TRC_evtchn_send:
    case TRC_evtchn_pending:
    case TRC_evtchn_mask: add_event_channel(s, rec); break;
    default: add_others(s, h, rec);
    }
}

/*
 * A hypercall's exit, and that the guest goes on behind it, are not worth a word when the call itself is said, nor that
 * it goes on in a handler that it has got: rec is the i-th of nr.
 */
static bool goes_without_saying(const struct trace_record *rec, unsigned int i, unsigned int nr)
{
    const struct trace_record *call = rec[i].event == TRC_exit ? &rec[i] + 1 : rec[i].event == TRC_resume ? rec : NULL;

    if (rec[i].event == TRC_exit)
        return i + 1 < nr && call->event == TRC_hypercall && call->pcpu == rec[i].pcpu;
    for (; call && call < &rec[i]; call++)
        if ((call->event == TRC_hypercall && record_field(call, "rip") == record_field(&rec[i], "rip")) ||
            ((call->event == TRC_trap || call->event == TRC_upcall || call->event == TRC_syscall) &&
             record_field(call, "to") == record_field(&rec[i], "rip")))
            return true;
    return false;
}

void sentence_add_records(struct sentence *s, struct host *h, const struct trace_record *rec, unsigned int nr)
{
    uint64_t insns = 0, cost = 0;
    bool more = false;

    for (unsigned int i = 0; i < nr; i++) {
        if (!goes_without_saying(rec, i, nr)) {
            sentence_add(s, "%s", more ? "; " : "");
            add_record(s, h, &rec[i]);
            more = true;
        }
        if (rec[i].event == TRC_exit)
            insns += record_field(&rec[i], "insns");
        if (rec[i].event == TRC_exit ||
            (rec[i].event == TRC_hypercall_ret && record_field(&rec[i], "cost") != TRACE_NONE))
            cost += record_field(&rec[i], "cost");
    }
    if (cost)
        sentence_add(s, ". Cost: %" PRIu64 " ns, after %" PRIu64 " instructions", cost, insns);
}
