// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The process of a policy, as far as it is the workbench's: what it begins with, which message is an answer, and where
 * the policy was when it was gone. remote.h has the whole picture, tools/sandbox/guarded.h the process itself.
 *
 * Invariant: whatever comes of it, the command says so in its own words (r->why) and by its own exit status.
 */
#include "tools/workbench/remote.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/printable.h"

const char *wb_where_name(unsigned int where)
{
    static const char *const names[WB_NR_WHERE] = { [WB_NOWHERE] = "nothing of it",
                                                    [WB_CONSTRUCTORS] = "its constructors",
                                                    [WB_NAMES] = "its name or opt_name",
                                                    [WB_TIMER] = "a timer function",
#define X(hook) [WB_IN_##hook] = #hook,
                                                    WIRE_HOOKS(X)
#undef X
    };

    return where < WB_NR_WHERE ? names[where] : "an unknown place";
}

/* --- its end --- */

void wb_remote_gone(struct wb_remote *r, const char *fmt, ...)
{
    char who[WB_WHO_SIZE];
    va_list ap;
    size_t n;

    if (r->gone)
        return;
    va_start(ap, fmt);
    vsnprintf(r->why, sizeof(r->why), fmt, ap);
    va_end(ap);
    n = strlen(r->why);
    if (r->where >= WB_TIMER)
        snprintf(r->why + n, sizeof(r->why) - n, " in %s%s, call %llu, at %.6f ms of virtual time",
                 wb_where_name(r->where), wb_who_text(&r->who, who), (unsigned long long)r->calls,
                 (double)r->question.now / 1e6);
    else
        snprintf(r->why + n, sizeof(r->why) - n, " in %s", wb_where_name(r->where));
    r->gone = true;
    r->rc = 2;
    if (r->stop)
        *r->stop = true;
}

static bool not_started(struct wb_remote *r, const char *what)
{
    snprintf(r->why, sizeof(r->why), "%.600s", what);
    r->gone = true;
    r->rc = 1;
    return false;
}

/* Its process is: where it was is added to the words. Returns false. */
static bool process_gone(struct wb_remote *r)
{
    if (!r->gone && r->process.rc == 1)
        return not_started(r, r->process.why);
    wb_remote_gone(r, "%.400s", r->process.why);
    return false;
}

/* --- messages --- */

void wb_remote_send(struct wb_remote *r)
{
    struct wire_question *q = &r->question;
    const uint32_t nr_bytes = q->kind == WIRE_STATE ? 0 : q->nr_bytes;
    const struct iovec v[] = { { q, sizeof(*q) },
                               { r->new_domain, q->nr_domains * sizeof(*r->new_domain) },
                               { r->new_vcpu, q->nr_vcpus * sizeof(*r->new_vcpu) },
                               { r->bytes, nr_bytes } };

    r->process.now = q->now;
    r->process.call = r->calls;
    if (!r->gone && !guarded_send(&r->process, v, ARRAY_SIZE(v)))
        process_gone(r);
    q->nr_domains = q->nr_vcpus = 0;
}

bool wb_remote_receive(struct wb_remote *r, struct wire_answer *a, struct wb_expected *e)
{
    char bytes[sizeof(*a) + 1] __attribute__((aligned(8)));
    const size_t n = r->gone ? 0 : guarded_receive(&r->process, bytes, sizeof(bytes));
    const char *wrong;

    if (r->gone || !n)
        return process_gone(r);
    e->kinds |= UINT32_C(1) << WIRE_FORBIDDEN;
    wrong = wb_answer_check(bytes, n, e);
    if (wrong) {
        wb_remote_gone(r, "answered what is no answer (%s)", wrong);
        return false;
    }
    *a = (struct wire_answer){ .kind = 0 };
    memcpy(a, bytes, n);
    return a->kind != WIRE_FORBIDDEN || guarded_forbidden(&r->process, (long)a->result) || process_gone(r);
}

/* --- its beginning --- */

static bool hear(struct wb_remote *r, uint32_t kind, enum wb_where where, struct wire_answer *a)
{
    struct wb_expected e = { .kinds = UINT32_C(1) << kind | UINT32_C(1) << WIRE_NOT_LOADED, .len = WIRE_ANSWER_SIZE };
    char why[540];

    r->where = where;
    if (!wb_remote_receive(r, a, &e))
        return false;
    if (a->kind != WIRE_NOT_LOADED)
        return true;
    guarded_show(&r->process);
    snprintf(why, sizeof(why), "cannot be loaded: %.500s", a->text); /* its words, or a constructor's */
    return not_started(r, why);
}

bool wb_remote_start(struct wb_remote *r, const struct remote_world *world, const char *path, unsigned int limit,
                     unsigned int nr_pcpus, uint64_t seed, FILE *asked)
{
    struct wire_answer a;

    *r = (struct wb_remote){ .path = path, .world = world };
    r->who = wb_who(NULL, NULL, -1);
    r->home = calloc(WIRE_MAX_DOMAINS, sizeof(*r->home));
    r->domain_here = calloc(WIRE_MAX_DOMAINS, sizeof(*r->domain_here));
    r->vcpu_told = calloc(WIRE_MAX_VCPUS, sizeof(*r->vcpu_told));
    r->vcpu = calloc(WIRE_MAX_VCPUS, sizeof(*r->vcpu));
    r->domain = calloc(WIRE_MAX_DOMAINS, sizeof(*r->domain));
    r->domain_told = calloc(WIRE_MAX_DOMAINS, sizeof(*r->domain_told));
    BUG_ON(!r->home || !r->domain_here);
    BUG_ON(!r->vcpu || !r->vcpu_told || !r->domain || !r->domain_told);
    if (!guarded_start(&r->process, "xenlab-policy", path, limit, asked))
        return process_gone(r);
    r->question = (struct wire_question){ .kind = WIRE_BEGIN, .nr_pcpus = nr_pcpus, .value = (int64_t)seed };
    wb_remote_send(r);
    if (!hear(r, WIRE_HERE, WB_CONSTRUCTORS, &a) || !hear(r, WIRE_HERE, WB_CONSTRUCTORS, &a) ||
        !hear(r, WIRE_LOADED, WB_NAMES, &a))
        return false;
    r->where = WB_NOWHERE;
    snprintf(r->opt_name, sizeof(r->opt_name), "%.31s", a.text);
    snprintf(r->name, sizeof(r->name), "%.63s", a.text + strlen(a.text) + 1);
    make_printable(r->name, strlen(r->name), false); /* the report shows them */
    make_printable(r->opt_name, strlen(r->opt_name), false);
    if (!(a.hooks >> WIRE_do_schedule & 1))
        not_started(r, "xenlab_sched_ops has no do_schedule");
    else if (!*r->name || !*r->opt_name)
        not_started(r, "xenlab_sched_ops has no name or no opt_name");
    if (r->gone)
        r->rc = 2;
    r->hooks = a.hooks;
    r->sched_id = a.sched_id;
    return !r->gone;
}

void wb_remote_end(struct wb_remote *r)
{
    guarded_end(&r->process);
    free(r->vcpu);
    free(r->vcpu_told);
    free(r->home);
    free(r->domain_here);
    free(r->domain);
    free(r->domain_told);
}
