// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answers about what has no address: pCPUs, domains, vCPUs, ports, frames, grants, timers, nodes of xenstore. See
 * tools/debug/why.h.
 *
 * Budget: a function a question, which looks at what is, asks the past, and says both.
 */
#include "tools/debug/why_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xs_wire.h>

struct wanted {
    unsigned int dom, vcpu;
    uint64_t port, mfn, state, ref, label, expires;
};

/* The last event that matches, of those before where it was asked, and of all that was done in the step to there. */
static enum debug_result last(struct debugger *d, const struct past_question *q, debug_match *match,
                              struct wanted *want, struct trace_record *rec)
{
    past_answered(d, q, DEBUG_THERE);
    d->at_event = false;
    return past_last_event(d, match, want, rec);
}

/* ". Since POSITION: the event", or since history begins. */
static void add_since(struct why *w, struct debugger *d, enum debug_result r, const struct trace_record *rec)
{
    if (r == DEBUG_BEGIN) {
        sentence_add(&w->says, ", ");
        why_add_never(w, d);
    } else if (r == DEBUG_THERE) {
        sentence_add(&w->says, ". Since ");
        why_add_place(w, rec->time, rec->at);
        sentence_add(&w->says, ": ");
        sentence_add_records(&w->says, d->host, rec, 1);
    }
}

/*
 * ------------------------------------------------------------------------------------------- pCPUs, domains, vCPUs --
 */

static bool is_switch(void *data, const struct trace_record *rec)
{
    const struct wanted *want = data;

    return rec->event == TRC_sched_switch && rec->pcpu == want->vcpu;
}

enum debug_result why_pcpu(struct debugger *d, unsigned int cpu, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    struct wanted want = { .vcpu = cpu };
    struct trace_record rec;
    struct look_pcpu p;
    char idled[LOOK_TEXT];
    enum debug_result r;

    if (!look_pcpu(d->host, cpu, &p)) {
        snprintf(d->err, sizeof(d->err), "there is no pCPU %u", cpu);
        return DEBUG_ERROR;
    }
    if (p.idle || !p.online)
        sentence_add(&w->says, "pCPU %u is %s", cpu,
                     p.online ? "idle: nobody who may run there is runnable" : "offline");
    else
        sentence_add(&w->says, "pCPU %u runs d%uv%u", cpu, p.dom, p.vcpu);
    r = last(d, &q, is_switch, &want, &rec);
    add_since(w, d, r, &rec);
    look_time(p.idled, idled);
    sentence_add(&w->says, ". Its scheduler is %s; for %s it had nobody to run", p.sched ?: "none: it is in no pool",
                 idled);
    return past_answered(d, &q, r);
}

static bool is_domain_event(void *data, const struct trace_record *rec)
{
    const struct wanted *want = data;

    return rec->event == TRC_domain && rec->who.domain == want->dom;
}

/* By which a domain stopped running by itself. */
static bool is_domain_end(void *data, const struct trace_record *rec)
{
    const uint64_t op = record_field(rec, "op");

    return is_domain_event(data, rec) && (op == TRACE_DOMAIN_CRASH || op == TRACE_DOMAIN_SHUTDOWN);
}

/* Of a crash, rather than of the shutdown that it leads to. */
static bool is_crash(void *data, const struct trace_record *rec)
{
    return is_domain_event(data, rec) && record_field(rec, "op") == TRACE_DOMAIN_CRASH;
}

/* ". It crashed at POSITION: what belongs to that", or shut down. */
static enum debug_result add_end(struct why *w, struct debugger *d, const struct past_question *q, struct wanted *want)
{
    struct trace_record rec, crash;
    enum debug_result r = last(d, q, is_domain_end, want, &rec);

    if (r != DEBUG_THERE)
        return r;
    if (last(d, q, is_crash, want, &crash) == DEBUG_THERE && is_at(crash.at, rec.at))
        memcpy(&rec, &crash, sizeof(rec));
    sentence_add(&w->says, ". It %s at ",
                 record_field(&rec, "op") == TRACE_DOMAIN_CRASH || record_field(&rec, "reason") == 3 ? "crashed"
                                                                                                     : "shut down");
    why_add_place(w, rec.time, rec.at);
    sentence_add(&w->says, ": ");
    return why_add_episode(d, &rec, w);
}

/* A domain that is not there: it has been, or it has not. */
static enum debug_result of_the_gone(struct debugger *d, const struct past_question *q, struct wanted *want,
                                     struct why *w)
{
    struct trace_record rec;
    enum debug_result r = last(d, q, is_domain_event, want, &rec);

    if (r == DEBUG_THERE) {
        sentence_add(&w->says, "d%u is there no more: destroyed at ", want->dom);
        why_add_place(w, rec.time, rec.at);
        r = add_end(w, d, q, want);
    } else if (r == DEBUG_BEGIN) {
        snprintf(d->err, sizeof(d->err), "there is no d%u", want->dom);
        r = DEBUG_ERROR;
        past_answered(d, q, r);
        return r;
    }
    return past_answered(d, q, r);
}

static bool domain_is(const struct debugger *d, domid_t dom, struct look_domain *out)
{
    unsigned int n = dom;

    return look_domain(d->host, &n, out) && out->dom == dom;
}

static void add_time_of(struct why *w, const char *before, s_time_t t)
{
    char time[LOOK_TEXT];

    look_time(t, time);
    sentence_add(&w->says, "%s%s", before, time);
}

enum debug_result why_domain(struct debugger *d, domid_t dom, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    struct wanted want = { .dom = dom };
    struct trace_record rec;
    struct look_domain of;
    enum debug_result r;

    if (!domain_is(d, dom, &of))
        return of_the_gone(d, &q, &want, w);
    sentence_add(&w->says, "d%u (%s) is %s", dom, of.name ?: "nameless", of.state);
    for (unsigned int i = 0; i < of.vcpus; i++) {
        struct look_vcpu v;

        if (i < 4 && look_vcpu(d->host, dom, i, &v))
            sentence_add(&w->says, "%s d%uv%u %s%s%s", i ? "," : ":", dom, i, v.state, *v.why ? ": " : "", v.why);
    }
    if (of.vcpus > 4)
        sentence_add(&w->says, ", and %u vCPUs more", of.vcpus - 4);
    if (of.restarts) {
        sentence_add(&w->says, ". A driver domain: it crashed, and was started again, %" PRIu64 " time%s", of.restarts,
                     of.restarts == 1 ? "" : "s");
        add_time_of(w, ", last at ", of.restarted);
    }
    if (strcmp(of.state, "alive") != 0)
        r = add_end(w, d, &q, &want);
    else
        add_since(w, d, r = last(d, &q, is_domain_event, &want, &rec), &rec);
    return past_answered(d, &q, r);
}

/* " (VIRQ_TIMER)", " (ipi)"; ", which d1 sends (its port 5)". */
static void add_sender(struct why *w, const struct look_port *p)
{
    if (p->peer != DOMID_INVALID && p->peer_port)
        sentence_add(&w->says, ", which d%u sends (its port %u)", p->peer, p->peer_port);
    else
        sentence_add(&w->says, " (%s)", *p->to ? p->to : p->state);
}

/* Ports that would wake it, and its timers. */
static void add_wakers(struct why *w, struct debugger *d, domid_t dom, unsigned int vcpu)
{
    struct look_port p;
    size_t nr_timers;
    struct look_timer *t = look_timers(d->host, &nr_timers);
    const char *colon;
    unsigned int nr = 0;

    for (unsigned int n = 0; look_port(d->host, dom, &n, &p); n++) {
        if (p.vcpu != vcpu || p.masked)
            continue;
        if (nr++ < 8) {
            sentence_add(&w->says, "%s port %u", nr == 1 ? ". It wakes on" : ";", p.port);
            add_sender(w, &p);
        }
    }
    if (nr > 8)
        sentence_add(&w->says, "; and %u more", nr - 8);
    if (!nr)
        sentence_add(&w->says, ". No port of its is unmasked");
    for (size_t i = 0; i < nr_timers; i++)
        if (t[i].dom == dom && t[i].vcpu == vcpu && (colon = strstr(t[i].what, ": "))) {
            sentence_add(&w->says, "; %s at ", colon + 2);
            add_time_of(w, "", t[i].expires);
        }
    free(t);
}

static bool is_runstate(void *data, const struct trace_record *rec)
{
    const struct wanted *want = data;

    return rec->event == TRC_runstate && rec->who.domain == want->dom && rec->who.vcpu == want->vcpu &&
           (want->state == TRACE_NONE || record_field(rec, "new") == want->state);
}

/* By what it became able to run, the last time: which port, if it was one, and who sent the event. */
static enum debug_result add_waker(struct why *w, struct debugger *d, const struct past_question *q,
                                   struct wanted *want)
{
    struct trace_record rec;
    struct look_port p;
    enum debug_result r;
    unsigned int n;

    want->state = 1; /* runnable */
    r = last(d, q, is_runstate, want, &rec);
    if (r != DEBUG_THERE)
        return r;
    sentence_add(&w->says, "; before, at ");
    why_add_place(w, rec.time, rec.at);
    sentence_add(&w->says, ": ");
    sentence_add_records(&w->says, d->host, &rec, 1);
    n = (unsigned int)record_field(&rec, "port");
    if (record_field(&rec, "why") == TRACE_RUN_EVENT && look_port(d->host, (domid_t)want->dom, &n, &p) &&
        p.port == record_field(&rec, "port")) {
        sentence_add(&w->says, ", woken by port %u", p.port);
        add_sender(w, &p);
    }
    return r;
}

enum debug_result why_vcpu(struct debugger *d, domid_t dom, unsigned int vcpu, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    struct wanted want = { .dom = dom, .vcpu = vcpu, .state = TRACE_NONE };
    struct trace_record rec;
    struct look_domain of;
    struct look_vcpu v, then;
    bool ended;
    enum debug_result r;

    if (!look_vcpu(d->host, dom, vcpu, &v)) {
        if (!domain_is(d, dom, &of))
            return of_the_gone(d, &q, &want, w);
        snprintf(d->err, sizeof(d->err), "there is no d%uv%u", dom, vcpu);
        return DEBUG_ERROR;
    }
    sentence_add(&w->says, "d%uv%u is %s%s%s", dom, vcpu, v.state, *v.why ? ": " : "", v.why);
    ended = domain_is(d, dom, &of) && strcmp(of.state, "alive") != 0 && strcmp(of.state, "paused") != 0;
    if (!strcmp(v.state, "blocked"))
        add_wakers(w, d, dom, vcpu);
    r = last(d, &q, is_runstate, &want, &rec);
    add_since(w, d, r, &rec);
    if (r == DEBUG_THERE && look_vcpu(d->host, dom, vcpu, &then) && !then.native && record_field(&rec, "new") > 1) {
        sentence_add(&w->says, ", at ");
        sentence_add_address(&w->says, d->host, dom, then.pc);
    }
    if (r == DEBUG_THERE && !record_field(&rec, "new") && !ended)
        r = add_waker(w, d, &q, &want);
    if (r == DEBUG_THERE && ended)
        r = add_end(w, d, &q, &want);
    return past_answered(d, &q, r);
}

/*
 * ------------------------------------------------------------------------------------------------------------ ports --
 */

static bool is_pending_event(void *data, const struct trace_record *rec)
{
    const struct wanted *want = data;

    return rec->event == TRC_evtchn_pending && rec->who.domain == want->dom && record_field(rec, "port") == want->port;
}

static bool is_unmask_event(void *data, const struct trace_record *rec)
{
    const struct wanted *want = data;

    return rec->event == TRC_evtchn_mask && rec->who.domain == want->dom && record_field(rec, "port") == want->port;
}

/* Is the vCPU that a port tells told? */
static void add_upcall(struct why *w, domid_t dom, const struct look_port *p)
{
    switch (p->told) {
    case LOOK_TOLD_NOTHING: break;
    case LOOK_TOLD_MASKED: sentence_add(&w->says, ". Nobody is told while it is masked"); break;
    case LOOK_TOLD_NOTED: sentence_add(&w->says, ". d%uv%u has taken note of its upcall", dom, p->vcpu); break;
    case LOOK_TOLD_UPCALL_MASKED:
        sentence_add(&w->says, ". d%uv%u is not told: its evtchn_upcall_mask is set", dom, p->vcpu);
        break;
    case LOOK_TOLD_SOON: sentence_add(&w->says, ". d%uv%u gets an upcall when it next runs", dom, p->vcpu); break;
    }
}

enum debug_result why_port(struct debugger *d, domid_t dom, evtchn_port_t port, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    struct wanted want = { .dom = dom, .port = port };
    struct trace_record rec;
    struct look_port p;
    unsigned int n = port;
    enum debug_result r;

    if (!look_port(d->host, dom, &n, &p) || n != port) {
        snprintf(d->err, sizeof(d->err), "d%u has no port %u in use (see: ports d%u)", dom, port, dom);
        return DEBUG_ERROR;
    }
    sentence_add(&w->says, "d%u port %u", dom, port);
    add_sender(w, &p);
    sentence_add(&w->says, "%s is %spending, %smasked", p.peer_port ? "," : "", p.pending ? "" : "not ",
                 p.masked ? "" : "not ");
    add_upcall(w, dom, &p);
    r = last(d, &q, is_pending_event, &want, &rec);
    if (r == DEBUG_THERE) {
        sentence_add(&w->says, ". Last event, at ");
        why_add_place(w, rec.time, rec.at);
        sentence_add(&w->says, ": ");
        sentence_add_records(&w->says, d->host, &rec, 1);
    } else if (r == DEBUG_BEGIN) {
        sentence_add(&w->says, ". No event has come to it ");
        why_add_never(w, d);
        r = DEBUG_THERE;
    }
    if (r == DEBUG_THERE)
        r = last(d, &q, is_unmask_event, &want, &rec);
    if (r == DEBUG_THERE)
        sentence_add(&w->says, ". Last unmasked by hypercall at #%" PRIu64 ".%" PRIu64, rec.at.insns, rec.at.step);
    return past_answered(d, &q, r);
}

/*
 * ----------------------------------------------------------------------------------------- frames, grants, timers --
 */

static bool is_type_event(void *data, const struct trace_record *rec)
{
    const struct wanted *want = data;

    return rec->event == TRC_page_type && record_field(rec, "mfn") == want->mfn && !record_refuses(rec);
}

enum debug_result why_frame(struct debugger *d, mfn_t mfn, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    struct wanted want = { .mfn = mfn_x(mfn) };
    struct trace_record rec;
    struct look_frame f;
    enum debug_result r;

    if (!look_frame(d->host, mfn, &f)) {
        snprintf(d->err, sizeof(d->err), "there is no frame 0x%" PRIx64, mfn_x(mfn));
        return DEBUG_ERROR;
    }
    why_add_frame(w, &f);
    r = last(d, &q, is_type_event, &want, &rec);
    if (r == DEBUG_BEGIN) {
        sentence_add(&w->says, " ");
        why_add_never(w, d);
    } else if (r == DEBUG_THERE) {
        sentence_add(&w->says, ", since ");
        why_add_place(w, rec.time, rec.at);
        sentence_add(&w->says, ": ");
        r = why_add_episode(d, &rec, w);
    }
    return past_answered(d, &q, r);
}

static bool is_grant_event(void *data, const struct trace_record *rec)
{
    const struct wanted *want = data;

    return (rec->event == TRC_grant_map || rec->event == TRC_grant_unmap) && record_field(rec, "peer") == want->dom &&
           record_field(rec, "ref") == want->ref;
}

enum debug_result why_grant(struct debugger *d, domid_t dom, grant_ref_t ref, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    struct wanted want = { .dom = dom, .ref = ref };
    struct trace_record rec;
    struct look_grant g;
    unsigned int n = ref;
    enum debug_result r;

    if (!look_grant(d->host, dom, &n, &g) || n != ref) {
        snprintf(d->err, sizeof(d->err), "d%u offers nothing by grant %u (see: grants d%u)", dom, ref, dom);
        return DEBUG_ERROR;
    }
    sentence_add(&w->says, "d%u's grant %u is %s: ", dom, ref, g.state);
    if (g.pins)
        sentence_add(&w->says, "d%u has mfn 0x%" PRIx64 " mapped%s, with %u pin%s", g.user, mfn_x(g.mfn),
                     g.readonly ? " read only" : "", g.pins, g.pins == 1 ? "" : "s");
    else
        sentence_add(&w->says, "d%u may use it%s, and has nothing of it mapped", g.user,
                     g.readonly ? " read only" : "");
    r = last(d, &q, is_grant_event, &want, &rec);
    if (r == DEBUG_BEGIN) {
        sentence_add(&w->says, ". Since history begins, #%" PRIu64 ".%" PRIu64 ", nobody has",
                     rewind_first(d->rw).insns, rewind_first(d->rw).step);
    } else if (r == DEBUG_THERE) {
        sentence_add(&w->says, ". Last use, at ");
        why_add_place(w, rec.time, rec.at);
        sentence_add(&w->says, ": ");
        r = why_add_episode(d, &rec, w);
    }
    return past_answered(d, &q, r);
}

static bool is_timer_set(void *data, const struct trace_record *rec)
{
    const struct wanted *want = data;

    return rec->event == TRC_timer_set && record_field(rec, "label") == want->label &&
           record_field(rec, "expires") == want->expires;
}

/* What is done when it expires. */
static const char *timer_effect(unsigned int label)
{
    switch (label) {
    case TIMER_SINGLESHOT:
    case TIMER_PERIODIC: return "its vCPU then gets VIRQ_TIMER";
    case TIMER_POLL: return "SCHEDOP_poll of its vCPU then ends, with no event";
    case TIMER_WATCHDOG: return "its domain is then shut down, if it has not set it anew";
    case TIMER_PLATFORM: return "its device then asks for an interrupt";
    case TIMER_IDLE: return "the pCPU then looks for somebody to run";
    case TIMER_SCHED: return "the scheduler then chooses anew, or counts time";
    default: return "a task of dom0 then goes on";
    }
}

enum debug_result why_timer(struct debugger *d, unsigned int nr, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    size_t nr_timers;
    struct look_timer *all = look_timers(d->host, &nr_timers), t = { .label = NULL };
    struct trace_record rec;
    struct wanted want;
    enum debug_result r;

    if (nr < nr_timers)
        t = all[nr];
    free(all);
    if (nr >= nr_timers) {
        snprintf(d->err, sizeof(d->err), "%zu timers are armed, from 0 on (see: timers)", nr_timers);
        return DEBUG_ERROR;
    }
    want = (struct wanted){ .label = t.kind, .expires = (uint64_t)t.expires };
    sentence_add(&w->says, "%s expires at ", t.what);
    add_time_of(w, "", t.expires);
    add_time_of(w, ", in ", t.expires > host_now(d->host) ? t.expires - host_now(d->host) : 0);
    sentence_add(&w->says, ": %s", timer_effect(t.kind));
    r = last(d, &q, is_timer_set, &want, &rec);
    if (r == DEBUG_BEGIN) {
        sentence_add(&w->says, ". It has been armed ");
        why_add_never(w, d);
    } else if (r == DEBUG_THERE) {
        sentence_add(&w->says, ". Armed at ");
        why_add_place(w, rec.time, rec.at);
        sentence_add(&w->says, ": ");
        r = why_add_episode(d, &rec, w);
    }
    return past_answered(d, &q, r);
}

/*
 * -------------------------------------------------------------------------------------------------------- xenstore --
 */

/* A request that changes something begins with a path: of the whole tree, or of the domain's own part of it. */
static bool is_node_change(void *data, const struct trace_record *rec)
{
    const char *want = data;
    const uint64_t op = record_field(rec, "op"), len = record_field(rec, "path");
    const size_t whole = strlen(want);
    char path[TRACE_TEXT_SIZE(xs) + 1], own[32];
    size_t skip;

    if (rec->event != TRC_xs || len >= sizeof(path) || record_refuses(rec) ||
        (op != XS_WRITE && op != XS_MKDIR && op != XS_RM && op != XS_SET_PERMS))
        return false;
    snprintf(path, sizeof(path), "%.*s", (int)len, (const char *)&rec->arg[TRC_NR_FIELDS_xs]);
    snprintf(own, sizeof(own), "/local/domain/%u/", rec->who.domain);
    skip = path[0] != '/' && !strncmp(want, own, strlen(own)) ? strlen(own) : 0;
    return whole >= skip && !strcmp(path, want + skip);
}

enum debug_result why_node(struct debugger *d, const char *path, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    struct trace_record rec;
    enum debug_result r;

    d->at_event = false;
    r = past_last_event(d, is_node_change, (void *)path, &rec);
    sentence_add(&w->says, "%s ", path);
    if (r == DEBUG_BEGIN) {
        sentence_add(&w->says, "is as the toolstack has made it, or as it was ");
        why_add_never(w, d);
    } else if (r == DEBUG_THERE) {
        sentence_add(&w->says, "was last changed by d%u, at ", rec.who.domain);
        why_add_place(w, rec.time, rec.at);
        sentence_add(&w->says, ": ");
        r = why_add_episode(d, &rec, w);
    }
    return past_answered(d, &q, r);
}
