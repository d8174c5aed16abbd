// SPDX-License-Identifier: GPL-2.0-or-later
/* A policy for real guests: tools/workbench/guest_policy.h. */
#include "tools/workbench/guest_policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/workbench/remote.h"

struct guest_policy {
    struct wb_remote remote;
    struct scheduler *s; /* NULL: there is no machine yet */
    const char *policy;  /* as the user wrote it */
    char *object;
};

struct guest_policy *guest_policy_start(const char *policy, unsigned int nr_pcpus, uint64_t seed, bool *stop, int *rc,
                                        char why[GUEST_POLICY_WHY])
{
    struct guest_policy *p = calloc(1, sizeof(*p));

    BUG_ON(!p);
    p->policy = policy;
    p->object = wb_object_path(policy);
    BUG_ON(!p->object);
    if (wb_remote_start(&p->remote, &remote_world_machine, p->object, GUARDED_LIMIT, nr_pcpus, guarded_seed(seed),
                        NULL)) {
        p->remote.stop = stop;
        wb_remote_hooks(&p->remote);
        return p;
    }
    snprintf(why, GUEST_POLICY_WHY, "policy %.400s %s", p->object, p->remote.why);
    *rc = p->remote.rc;
    guest_policy_end(p);
    return NULL;
}

const struct sched_ops *guest_policy_ops(const struct guest_policy *p) { return &p->remote.ops; }

bool guest_policy_params(struct scheduler *s, const char *text, const char *option, const char *object, char *why,
                         size_t size)
{
    while (*text == ',') {
        const size_t len = strcspn(++text, ","), name_len = strcspn(text, "=,");
        char name[64], *end;
        long value = 0;
        int rc;

        snprintf(name, sizeof(name), "%.*s", (int)(name_len < 63 ? name_len : 63), text);
        errno = 0;
        end = (char *)(uintptr_t)text + name_len;
        if (*end == '=' && (end[1] == '-' || (end[1] >= '0' && end[1] <= '9')))
            value = strtol(end + 1, &end, 10);
        if (!name_len || end != text + len || len == name_len || errno)
            return snprintf(why, size, "%s %s: expected PARAM=NUMBER, got \"%.*s\"", option, object,
                            (int)(len < 60 ? len : 60), text) < 0;
        if (!s->ops->set)
            return snprintf(why, size, "%s %s: it takes no parameters: its xenlab_sched_ops has no `set`", option,
                            object) < 0;
        rc = sched_set_param(s, name, value);
        if (rc == -ENOENT)
            return snprintf(why, size, "%s %s: its `set` knows no parameter \"%s\"", option, object, name) < 0;
        if (rc)
            return snprintf(why, size, "%s %s: its `set` refuses %s=%ld: %s", option, object, name, value,
                            rc < 0 ? strerror(-rc) : "it returned a positive number, no -errno") < 0;
        text += len;
    }
    return true;
}

bool guest_policy_set(struct guest_policy *p, struct scheduler *s, char why[GUEST_POLICY_WHY])
{
    p->s = s;
    return guest_policy_params(s, p->policy + strlen(p->object), "--sched", p->object, why, GUEST_POLICY_WHY);
}

bool guest_policy_over(struct guest_policy *p, char why[GUEST_POLICY_WHY])
{
    struct wb_remote *r = &p->remote;
    const struct scheduler *s = p->s;
    struct wb_who who;
    char text[WB_WHO_SIZE];

    if (r->gone) {
        snprintf(why, GUEST_POLICY_WHY, "policy %.400s %s", p->object, r->why);
        return true;
    }
    if (!s && *r->fault) /* the machine did not come up for that, and is gone */
        snprintf(why, GUEST_POLICY_WHY, "policy %.400s broke a rule, call %llu: %s", p->object,
                 (unsigned long long)r->fault_call, r->fault);
    if (!s || !s->fault)
        return *r->fault != 0;
    who = r->world->who(NULL, s->fault_vcpu, s->fault_cpu);
    snprintf(why, GUEST_POLICY_WHY, "policy %.400s broke a rule at %.6f ms, call %llu: %s%s", p->object,
             (double)NOW(s->xen) / 1e6, (unsigned long long)(r->fault_call ? r->fault_call : r->calls), s->fault,
             wb_who_text(&who, text));
    r->gone_quiet = true; /* its data may be in any state */
    return true;
}

void guest_policy_end(struct guest_policy *p)
{
    if (!p)
        return;
    wb_remote_end(&p->remote);
    free(p->object);
    free(p);
}
