// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel of native domains: which task has its step when, what that costs, and who runs in between.
 *
 * A task of these tests writes its letter into a line that all share, so that a line is an order of steps.
 *
 * Budget: more than 400 lines, since all tests need the same made-up tasks.
 */
#include "tests/vcpu/fixture.h"

#include "vcpu/noun/guest.h"
#include "vcpu/run.h"
#include "vcpu/sched/sched.h"

#define LINE_SIZE 200

struct scribe {
    struct task task;
    char letter;
    unsigned int steps;                  /* that it has work for */
    struct task *wakes;                  /* made ready in its step */
    struct scribe *ends;                 /* ended in its step */
    unsigned int requests, bytes, calls; /* charged and made in each step */
    evtchn_port_t port;
    struct fixture *f;
    char *line;
};

static bool scribe_step(struct task *t, unsigned int budget)
{
    struct scribe *s = t->data;
    const size_t len = strlen(s->line);

    assert_int_equal(budget, NATIVE_STEP_BUDGET);
    if (len + 1 < LINE_SIZE)
        s->line[len] = s->letter, s->line[len + 1] = 0;
    task_charge(t, s->requests, s->bytes);
    for (unsigned int i = 0; i < s->calls; i++)
        assert_int_equal(hypercall_native(native_vcpu(t->kernel), __HYPERVISOR_console_io, 7, 0, 0, 0, 0), -ENOSYS);
    if (s->wakes)
        task_ready(s->wakes);
    s->wakes = NULL;
    if (s->steps)
        s->steps--;
    if (s->ends)
        task_end(&s->ends->task);
    return s->ends != s && s->steps > 0;
}

static const struct task_ops scribe_ops = { .name = "scribe", .step = scribe_step };

struct scene {
    struct fixture *f;
    char line[LINE_SIZE];
    struct scribe a, b, c;
};

static void scribe_init(struct scene *s, struct scribe *w, struct native_kernel *k, char letter, unsigned int steps)
{
    *w = (struct scribe){ .letter = letter, .steps = steps, .f = s->f, .line = s->line };
    task_init(&w->task, k, &scribe_ops, w);
}

static void scene_init(struct scene *s, void **state)
{
    *s = (struct scene){ .f = *state };
    scribe_init(s, &s->a, s->f->dom0, 'a', 1);
    scribe_init(s, &s->b, s->f->dom0, 'b', 1);
    scribe_init(s, &s->c, s->f->dom0, 'c', 1);
}

static enum run_result run_until(struct scene *s, s_time_t until)
{
    const bool stop = false;

    return xen_run(s->f->xen, until, &stop);
}

/* First ready, first served; who has more to do goes behind the others; being ready twice is being ready. */
static void in_turn(void **state)
{
    struct scene s;

    scene_init(&s, state);
    s.b.steps = 3;
    s.a.steps = 2;
    task_ready(&s.b.task);
    task_ready(&s.a.task);
    task_ready(&s.b.task);
    task_ready(&s.c.task);
    assert_int_equal(run_until(&s, SECONDS(1)), RUN_IDLE);
    assert_string_equal(s.line, "bacbab");
}

/* What is made ready during its own step is not lost, although that step says that there is nothing left. */
static void ready_during_its_step(void **state)
{
    struct scene s;

    scene_init(&s, state);
    s.a.wakes = &s.a.task;
    task_ready(&s.a.task);
    run_until(&s, SECONDS(1));
    assert_string_equal(s.line, "aa");
}

static void ends(void **state)
{
    struct scene s;

    scene_init(&s, state);
    s.b.ends = &s.c;
    task_ready(&s.a.task);
    task_ready(&s.b.task);
    task_ready(&s.c.task); /* the last of the queue */
    run_until(&s, SECONDS(1));
    assert_string_equal(s.line, "ab");
    s.a.ends = &s.a;
    s.a.wakes = &s.a.task;
    s.b.ends = NULL;
    task_ready(&s.a.task);
    task_ready(&s.b.task);
    run_until(&s, SECONDS(1));
    assert_string_equal(s.line, "abab");
    task_end(&s.a.task); /* harmless */
    task_ready(&s.b.task);
    run_until(&s, SECONDS(1));
    assert_string_equal(s.line, "ababb");
}

static void times(void **state)
{
    struct scene s;

    scene_init(&s, state);
    assert_int_equal(native_timers_start(s.f->dom0), 0);
    task_ready_at(&s.a.task, MILLISECS(30));
    task_ready_at(&s.b.task, MILLISECS(20));
    task_ready_at(&s.c.task, MILLISECS(10));
    assert_int_equal(run_until(&s, MILLISECS(15)), RUN_UNTIL);
    assert_string_equal(s.line, "c");
    task_ready_at(&s.c.task, MILLISECS(40));
    task_ready_at(&s.a.task, MILLISECS(16)); /* another time instead */
    run_until(&s, MILLISECS(25));
    assert_string_equal(s.line, "cab");
    task_ready_at(&s.c.task, 0);
    task_ready_at(&s.b.task, MILLISECS(50));
    task_end(&s.b.task);
    assert_int_equal(run_until(&s, SECONDS(1)), RUN_IDLE);
    assert_string_equal(s.line, "cab");
}

/* The guest's events make the task of the port ready, and nothing when there is none any more. */
static void ports(void **state)
{
    struct evtchn_send send = { 0 };
    struct evtchn_bind_interdomain bind;
    uint64_t arg;
    struct scene s;

    scene_init(&s, state);
    send.port = s.f->store_port;
    bind = (struct evtchn_bind_interdomain){ .remote_dom = s.f->d->domain_id, .remote_port = s.f->store_port };
    assert_int_equal(hypercall_native(native_vcpu(s.f->dom0), __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain,
                                      (uintptr_t)&bind, 0, 0, 0),
                     0);
    assert_true(native_bind(s.f->dom0, bind.local_port, &s.a.task));
    run_until(&s, SECONDS(1));
    s.line[0] = 0; /* a bound port fires once */
    arg = fix_put(s.f, 0, &send, sizeof(send));
    assert_int_equal(fix_hypercall(s.f, __HYPERVISOR_event_channel_op, EVTCHNOP_send, arg, 0, 0), 0);
    assert_int_equal(fix_hypercall(s.f, __HYPERVISOR_event_channel_op, EVTCHNOP_send, arg, 0, 0), 0);
    run_until(&s, SECONDS(1));
    assert_string_equal(s.line, "a");
    native_bind(s.f->dom0, bind.local_port, NULL);
    assert_int_equal(fix_hypercall(s.f, __HYPERVISOR_event_channel_op, EVTCHNOP_send, arg, 0, 0), 0);
    assert_int_equal(run_until(&s, SECONDS(1)), RUN_IDLE);
    assert_string_equal(s.line, "a");
}

static s_time_t kinds_total(const struct native_kernel *k)
{
    const struct task_kind *kinds;
    s_time_t total = 0;

    for (size_t n = native_kinds(k, &kinds); n > 0; n--)
        total += kinds[n - 1].ns;
    return total;
}

static s_time_t ran(const struct domain *d) { return (s_time_t)d->vcpu[0]->runstate.time[RUNSTATE_running]; }

/* A back end that copies `len` bytes from one granted page to another. */
struct copier {
    struct task task;
    domid_t domid;
    uint16_t len;
};

static bool copier_step(struct task *t, unsigned int budget)
{
    const struct copier *c = t->data;
    struct gnttab_copy op = { .source = { .u.ref = GNTTAB_RESERVED_CONSOLE, .domid = c->domid },
                              .dest = { .u.ref = GNTTAB_RESERVED_XENSTORE, .domid = c->domid },
                              .len = c->len,
                              .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref };
    struct vcpu *v = native_vcpu(t->kernel);

    assert_int_equal(hypercall_native(v, __HYPERVISOR_grant_table_op, GNTTABOP_copy, (uintptr_t)&op, 1, 0, 0), 0);
    assert_int_equal(op.status, GNTST_okay);
    return false;
}

/* The bytes that a hypercall copies for native code cost as those that it copies itself. */
static void copies(void **state)
{
    static const struct task_ops ops = { .name = "copier", .step = copier_step };
    static const uint16_t lens[] = { 0, 1024, PAGE_SIZE };
    struct copier c;
    struct scene s;

    scene_init(&s, state);
    c.domid = s.f->d->domain_id;
    for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
        task_init(&c.task, s.f->dom0, &ops, &c);
        c.len = lens[i];
        task_ready(&c.task);
        run_until(&s, NOW(s.f->xen) + MILLISECS(1));
        assert_int_equal(c.task.ns, CLOCK_NS_PER_STEP + CLOCK_NS_PER_HYPERCALL + lens[i] / 1024 * CLOCK_NS_PER_KIB);
        task_end(&c.task);
    }
}

/* Steps, hypercalls, requests and bytes cost what the table in sim/clock.h says, and all time is some task's. */
static void costs(void **state)
{
    struct scene s;
    s_time_t begin, first;

    scene_init(&s, state);
    assert_int_equal(native_timers_start(s.f->dom0), 0);
    run_until(&s, SECONDS(1)); /* what has happened before */
    begin = NOW(s.f->xen);
    s.a.requests = 3, s.a.bytes = 2048;
    s.b.calls = 2, s.b.steps = 3;
    task_ready(&s.a.task);
    task_ready(&s.b.task);
    run_until(&s, SECONDS(2));
    first = NOW(s.f->xen) - begin;
    assert_int_equal(s.a.task.ns, CLOCK_NS_PER_STEP + 3 * CLOCK_NS_PER_UNIT + 2 * CLOCK_NS_PER_KIB);
    assert_int_equal(s.b.task.ns, 3 * (CLOCK_NS_PER_STEP + 2 * CLOCK_NS_PER_HYPERCALL));
    assert_int_equal(first, s.a.task.ns + s.b.task.ns);
    task_ready_at(&s.c.task, NOW(s.f->xen) + MILLISECS(1));
    task_ready_at(&s.a.task, NOW(s.f->xen) + MILLISECS(2));
    task_end(&s.a.task); /* its time comes all the same, and finds nobody */
    run_until(&s, SECONDS(3));
    assert_int_equal(kinds_total(s.f->dom0), ran(s.f->xen->dom0));
}

/* Outside of a step no time passes, whoever calls. */
static void free_outside(void **state)
{
    struct fixture *f = *state;
    const s_time_t begin = NOW(f->xen);
    struct xen_domctl_getdomaininfo info;

    assert_int_equal(xc_domain_getinfo(f->xc, f->d->domain_id, &info), 0);
    assert_int_equal(NOW(f->xen), begin);
}

/* A task without end is stopped where the machine is to stop, to a step, and goes on there. */
static void horizon_is_kept(void **state)
{
    struct scene s;

    scene_init(&s, state);
    s.a.steps = UINT32_MAX;
    task_ready(&s.a.task);
    for (s_time_t until = MICROSECS(10); until < MILLISECS(1); until += MICROSECS(7)) {
        assert_int_equal(run_until(&s, until), RUN_UNTIL);
        assert_in_range(NOW(s.f->xen), until, until + CLOCK_NS_PER_STEP);
    }
}

/* --- a driver domain: native, and not privileged --- */

struct driver {
    struct domain *d;
    struct native_kernel *k;
    struct scribe task;
};

static void driver_create(struct scene *s, struct driver *w, domid_t domid)
{
    const struct xen_domctl_createdomain config = {
        .max_vcpus = 1, .max_evtchn_port = 100, .max_grant_frames = 32, .max_maptrack_frames = 32, .grant_opts = 2
    };

    assert_int_equal(domain_create(s->f->xen, domid, &native_guest, &config, false, &w->d), 0);
    assert_int_equal(vcpu_create(w->d, 0, NULL), 0);
    w->k = native_kernel_create(w->d, NULL, 0);
    assert_non_null(w->k);
    assert_int_equal(xc_domain_unpause(s->f->xc, domid), 0);
    scribe_init(s, &w->task, w->k, 'd', 1);
}

static void driver_destroy(struct scene *s, struct driver *w)
{
    task_end(&w->task.task);
    assert_int_equal(xc_domain_destroy(s->f->xc, w->d->domain_id), 0);
    native_kernel_destroy(w->k);
}

static void unprivileged(void **state)
{
    struct driver w;
    struct scene s;

    scene_init(&s, state);
    driver_create(&s, &w, 7);
    assert_int_equal(native_timers_start(w.k), 0);
    task_ready(&w.task.task);
    run_until(&s, MILLISECS(1));
    assert_string_equal(s.line, "d");
    task_ready_at(&w.task.task, MILLISECS(5));
    assert_int_equal(run_until(&s, SECONDS(1)), RUN_IDLE);
    assert_string_equal(s.line, "dd");
    assert_int_equal(kinds_total(w.k), ran(w.d));
    driver_destroy(&s, &w);
}

/* Two native vCPUs that would both go on for ever share a pCPU as two guests do: by slices. */
static void slices(void **state)
{
    struct driver w;
    struct scene s;

    scene_init(&s, state);
    driver_create(&s, &w, 7);
    w.task.steps = s.a.steps = UINT32_MAX;
    task_ready(&w.task.task);
    task_ready(&s.a.task);
    assert_int_equal(run_until(&s, MILLISECS(100)), RUN_UNTIL);
    assert_in_range(kinds_total(w.k), MILLISECS(40), MILLISECS(60));
    assert_in_range(kinds_total(s.f->dom0), MILLISECS(40), MILLISECS(60));
    task_end(&s.a.task);
    driver_destroy(&s, &w);
}

/* dom0 destroys a domain, a share a step. Between the shares another vCPU of this pCPU has its slices. */
struct destroyer {
    struct task task;
    struct fixture *f;
    const struct scribe *other;
    s_time_t other_ran; /* at the last step */
    unsigned int steps, interrupted;
    domid_t domid;
    int rc;
};

static bool destroyer_step(struct task *t, unsigned int budget)
{
    struct destroyer *d = t->data;

    (void)budget;
    d->interrupted += d->steps && d->other->task.ns != d->other_ran;
    d->other_ran = d->other->task.ns;
    d->steps++;
    d->rc = xc_domain_destroy_step(d->f->xc, d->domid);
    return d->rc == -ERESTART;
}

static void destroying_is_preempted(void **state)
{
    static const struct task_ops ops = { .name = "destroyer", .step = destroyer_step };
    struct destroyer d;
    struct driver w;
    struct scene s;

    scene_init(&s, state);
    driver_create(&s, &w, 7);
    d = (struct destroyer){ .f = s.f, .other = &w.task, .domid = s.f->d->domain_id, .rc = 1 };
    task_init(&d.task, s.f->dom0, &ops, &d);
    w.task.steps = UINT32_MAX;
    task_ready(&d.task);
    run_until(&s, MICROSECS(100)); /* it has begun */
    assert_int_equal(d.rc, -ERESTART);
    task_ready(&w.task.task);
    sched_kick_cpu(s.f->xen, 0); /* as when its slice is over */
    run_until(&s, MILLISECS(100));
    assert_int_equal(d.rc, 0);
    assert_in_range(d.interrupted, 1, d.steps);
    assert_in_range(d.task.ns, (s_time_t)FIX_PAGES * CLOCK_NS_PER_UNIT, 2 * (s_time_t)FIX_PAGES * CLOCK_NS_PER_UNIT);
    task_end(&w.task.task);
    driver_destroy(&s, &w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fix_setup, fix_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(in_turn),
        TEST(ready_during_its_step),
        TEST(ends),
        TEST(times),
        TEST(ports),
        TEST(costs),
        TEST(copies),
        TEST(free_outside),
        TEST(horizon_is_kept),
        TEST(unprivileged),
        TEST(slices),
        TEST(destroying_is_preempted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
