// SPDX-License-Identifier: GPL-2.0-or-later
/* What vCPUs did, as records of a trace tell it: the idea is in ui/export/recorded.h. */
#include "ui/export/recorded.h"

#include <stdlib.h>
#include <string.h>

/* --- what happened --- */

static void step_add(struct recorded *w, struct recorded_vcpu *v, struct recorded_step s)
{
    if (v->nr == v->room) {
        struct recorded_step *more = reallocarray(v->step, v->room ? 2 * v->room : 16, sizeof(*more));

        if (!more) {
            w->failed = true;
            return;
        }
        v->step = more;
        v->room = v->room ? 2 * v->room : 16;
    }
    v->step[v->nr++] = s;
}

static struct recorded_vcpu *vcpu_of(struct recorded *w, uint32_t key)
{
    struct recorded_vcpu *v = export_row(&w->vcpus, key);

    if (!v)
        w->failed = true;
    else if (!v->seen) {
        v->seen = true;
        v->since = w->begin;
    }
    return v;
}

/* It has run until now. */
static void charge(struct recorded *w, struct recorded_vcpu *v)
{
    if (v->running && w->now > v->since) {
        v->computes += w->now - v->since;
        v->ran += w->now - v->since;
        v->since = w->now;
    }
}

static void compute_end(struct recorded *w, struct recorded_vcpu *v)
{
    charge(w, v);
    if (v->computes)
        step_add(w, v, (struct recorded_step){ .kind = STEP_COMPUTE, .time = v->computes });
    v->computes = 0;
}

/* v wants a pCPU from now on: woken by somebody, or its time had come. */
static void wants(struct recorded *w, struct recorded_vcpu *v, bool by_event)
{
    struct recorded_vcpu *by = by_event ? vcpu_of(w, w->sender) : NULL;

    if (!v->wanted) {
        v->start = w->now - w->begin;
    } else if (by && by != v && by->running) {
        step_add(w, v, (struct recorded_step){ .kind = STEP_BLOCK });
        compute_end(w, by);
        step_add(w, by, (struct recorded_step){ .kind = STEP_WAKE, .who = v->row.key });
    } else if (w->now > v->since) {
        step_add(w, v, (struct recorded_step){ .kind = STEP_SLEEP, .time = w->now - v->since });
    }
    v->wants = v->wanted = true;
    v->since = w->now;
}

/* It has got pCPU cpu. */
static void entered(struct recorded_vcpu *v, unsigned int cpu)
{
    v->switches++;
    v->migrations += v->last_cpu && v->last_cpu != cpu + 1;
    v->last_cpu = cpu + 1;
}

static void runstate(struct recorded *w, const struct trace_record *rec)
{
    struct recorded_vcpu *v = vcpu_of(w, EXPORT_KEY(rec->who.domain, rec->who.vcpu));
    const uint64_t old = rec->arg[0], new = rec->arg[1], why = rec->arg[2];
    const bool sent = rec->at.insns == w->sent_at.insns && rec->at.step == w->sent_at.step;

    if (!v)
        return;
    charge(w, v);
    if (old == 1 && v->wants && w->now > v->since)
        v->waited += w->now - v->since;
    if (new == 0)
        entered(v, rec->pcpu);
    if (new == 0 || new == 1) {
        if (!v->wants)
            wants(w, v, why == TRACE_RUN_EVENT && sent);
        v->running = new == 0;
        v->since = w->now;
    } else if (v->wants && why != TRACE_RUN_MIGRATING) {
        compute_end(w, v);
        v->running = v->wants = false;
        v->since = w->now;
    }
}

static void domain(struct recorded *w, const struct trace_record *rec)
{
    struct recorded_vcpu *v = rec->arg[0] == TRACE_DOMAIN_CREATE ? vcpu_of(w, EXPORT_KEY(rec->who.domain, 0)) : NULL;

    if (v)
        v->made = w->now - w->begin;
}

static void param(struct recorded *w, const struct trace_record *rec)
{
    const uint32_t key = EXPORT_KEY(rec->who.domain, rec->who.vcpu);
    const struct recorded_vcpu *v = vcpu_of(w, key);

    if (w->nr_params == w->params_room) {
        const size_t room = w->params_room ? 2 * w->params_room : 16;
        struct recorded_param *more = reallocarray(w->param, room, sizeof(*more));

        w->failed |= !more;
        if (!more)
            return;
        w->param = more;
        w->params_room = room;
    }
    w->param[w->nr_params++] = (struct recorded_param){ .key = key,
                                                        .first = !v || !v->wanted,
                                                        .what = (enum trace_sched_param)rec->arg[0],
                                                        .at = w->now - w->begin,
                                                        .value = rec->arg[1] };
}

void recorded_init(struct recorded *w, const struct export_about *about)
{
    *w = (struct recorded){ .about = about, .vcpus.size = sizeof(struct recorded_vcpu), .sent_at.insns = UINT64_MAX };
}

void recorded_take(struct recorded *w, const struct trace_record *rec)
{
    if (!w->begun)
        w->begin = w->now = rec->time;
    w->begun = true;
    if (rec->time > w->now)
        w->now = rec->time;
    if (rec->pcpu >= w->pcpus && rec->pcpu < MACHINE_MAX_PCPUS)
        w->pcpus = rec->pcpu + 1u;
    switch (rec->event) {
    case TRC_evtchn_send:
        w->sender = EXPORT_KEY(rec->who.domain, rec->who.vcpu);
        w->sent_at = rec->at;
        break;
    case TRC_runstate:
        w->runstates++;
        runstate(w, rec);
        break;
    case TRC_sched_switch: w->switches++; break;
    case TRC_sched_param: param(w, rec); break;
    case TRC_domain: domain(w, rec); break;
    default: break;
    }
}

/* --- the end --- */

s_time_t recorded_length(const struct recorded *w) { return w->now > w->begin ? w->now - w->begin : 1; }

bool recorded_close(struct recorded *w)
{
    for (size_t i = 0; i < w->vcpus.nr; i++) {
        struct recorded_vcpu *v = (struct recorded_vcpu *)w->vcpus.row[i];
        const bool forever = v->wants;

        if (v->wants && !v->running && w->now > v->since)
            v->waited += w->now - v->since;
        if (v->wants)
            charge(w, v);
        step_add(w, v, (struct recorded_step){ .kind = forever ? STEP_FOREVER : STEP_BLOCK });
    }
    return !w->failed && !w->vcpus.failed;
}

void recorded_free(struct recorded *w)
{
    for (size_t i = 0; i < w->vcpus.nr; i++)
        free(((struct recorded_vcpu *)w->vcpus.row[i])->step);
    export_rows_free(&w->vcpus);
    free(w->param);
}

const char *recorded_name(const struct recorded *w, uint32_t key, char name[EXPORT_NAME])
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const unsigned int dom = key >> 16;
    const char *guest = dom ? w->about->guest(w->about->data, dom - 1) : "dom0";

    if (guest && *guest && strlen(guest) < 16 && !guest[strspn(guest, good)])
        snprintf(name, EXPORT_NAME, dom ? "%s-d%u" : "%s", guest, dom);
    else
        snprintf(name, EXPORT_NAME, "d%u", dom);
    return name;
}
