// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Walls, works and prices of a model of hosts: see tools/model/model.h. Change prices here.
 *
 * Concept: two tables say all that differs between the kinds: which wall leads where, and where which work is done.
 * What a work changes in the machine is the same for all of them.
 */
#include "tools/model/model.h"

#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

const unsigned int model_wall_ns[MODEL_NR_WALLS] = {
    [MODEL_WALL_guest] = 250, [MODEL_WALL_world] = 1500,    [MODEL_WALL_vcpu] = 1000,
    [MODEL_WALL_ring] = 100,  [MODEL_WALL_hypercall] = 200,
};

/* --- tables --- */

struct door {
    enum model_kind kind;
    enum model_place from;
    enum model_wall wall;
    enum model_place to;
    const char *text;
};
#define DOOR(kind, from, wall, to, text)                                                                               \
    {                                                                                                                  \
        MODEL_##kind, MODEL_AT_##from, MODEL_WALL_##wall, MODEL_AT_##to, text                                          \
    }
static const struct door doors[] = {
    DOOR(TYPE1, vmm, guest, guest, "VMRUN: into the guest again"),
    DOOR(TYPE1, vmm, vcpu, kernel, "the pCPU goes over to dom0's vCPU"),
    DOOR(TYPE1, kernel, ring, user, "into the device model"),
    DOOR(TYPE1, user, ring, kernel, "into dom0's kernel: notify the port"),
    DOOR(TYPE1, kernel, hypercall, kernel, "event_channel_op: Xen resumes the vCPU"),
    DOOR(TYPE1, kernel, vcpu, vmm, "the pCPU goes over to the guest's vCPU"),
    DOOR(IN_KERNEL, vmm, guest, guest, "VMRUN: into the guest again"),
    DOOR(IN_KERNEL, vmm, ring, user, "ioctl(KVM_RUN) returns to the device model"),
    DOOR(IN_KERNEL, user, ring, vmm, "ioctl(KVM_RUN): into the kernel"),
    DOOR(HOSTED, vmm, guest, guest, "VMRUN: into the guest again"),
    DOOR(HOSTED, vmm, world, kernel, "world switch: the host's CR3, IDT, registers"),
    DOOR(HOSTED, kernel, ring, user, "its ioctl returns to the application"),
    DOOR(HOSTED, user, ring, kernel, "ioctl: into the driver"),
    DOOR(HOSTED, kernel, world, vmm, "world switch: the VMM's"),
};

struct work {
    enum model_place place;
    unsigned int ns;
    const char *text;
};
#define WORK(work, place, ns, text) [MODEL_WORK_##work] = { MODEL_AT_##place, ns, text }
static const struct work works[MODEL_NR_KINDS][MODEL_NR_WORKS] = {
    [MODEL_TYPE1] = {
        WORK(serve, vmm, 150, "Xen does it"),
        WORK(post, vmm, 250, "Xen puts it into the buffered ring, and sends an event"),
        WORK(request, vmm, 300, "Xen puts the request into the shared page, sends an event, pauses the vCPU"),
        WORK(wake, kernel, 500, "dom0's kernel takes the upcall, and wakes the device model"),
        WORK(take, user, 200, "it takes a write out of the buffered ring, and emulates the device"),
        WORK(emulate, user, 500, "it reads the request, and emulates the device"),
        WORK(complete, vmm, 150, "Xen completes the instruction"),
        WORK(interrupt, vmm, 100, "Xen's handler"),
        WORK(inject, vmm, 100, "Xen injects the timer's interrupt"),
        WORK(yield, vmm, 0, "Xen's scheduler: others have their turn"),
        WORK(block, vmm, 150, "Xen blocks the vCPU, until its timer is due"),
    },
    [MODEL_IN_KERNEL] = {
        WORK(serve, vmm, 150, "KVM does it"),
        WORK(post, vmm, 200, "KVM puts it into the coalescing ring"),
        WORK(request, vmm, 150, "KVM fills in struct kvm_run"),
        WORK(take, user, 200, "it takes a write out of the coalescing ring, and emulates the device"),
        WORK(emulate, user, 500, "it reads kvm_run, and emulates the device"),
        WORK(complete, vmm, 150, "KVM completes the instruction"),
        WORK(interrupt, vmm, 100, "the kernel's handler"),
        WORK(inject, vmm, 100, "KVM injects the timer's interrupt"),
        WORK(yield, vmm, 0, "the kernel's scheduler: other threads have their turn"),
        WORK(block, vmm, 150, "KVM puts the thread to sleep, until the timer is due"),
    },
    [MODEL_HOSTED] = {
        WORK(serve, vmm, 150, "the VMM, in a world of its own, does it"),
        WORK(post, vmm, 150, "the VMM notes it for the application's next turn"),
        WORK(request, vmm, 150, "the VMM finds that it is the application's"),
        WORK(wake, kernel, 100, "the driver of the VMM, in the host's kernel"),
        WORK(take, user, 200, "it takes a write that was noted, and emulates the device"),
        WORK(emulate, user, 500, "it emulates the device"),
        WORK(complete, vmm, 150, "the VMM completes the instruction"),
        WORK(interrupt, kernel, 100, "the host's handler"),
        WORK(inject, vmm, 100, "the VMM injects the timer's interrupt"),
        WORK(yield, kernel, 0, "the host's scheduler: other processes have their turn"),
        WORK(block, kernel, 150, "the driver puts the process to sleep, until the timer is due"),
    },
};

#define X(name) #name,
static const char *const work_names[MODEL_NR_WORKS] = { MODEL_WORKS(X) };
#undef X
#define X(name, text) #name,
static const char *const class_names[MODEL_NR_CLASSES] = { MODEL_CLASSES(X) };
static const char *const wall_names[MODEL_NR_WALLS] = { MODEL_WALLS(X) };
#undef X
static const char *const place_names[] = { "nowhere", "the guest", "the vmm", "the kernel", "user space" };

const char *model_class_name(enum model_class c) { return class_names[c]; }

enum model_class model_class_find(const char *name)
{
    unsigned int c = 0;

    while (c < MODEL_NR_CLASSES && strcmp(name, class_names[c]))
        c++;
    return (enum model_class)c;
}

/* --- the machine --- */

void model_init(struct model *m, enum model_kind kind)
{
    *m = (struct model){ .kind = kind, .place = MODEL_AT_guest, .timer = MODEL_NEVER };
}

static void pay(struct model *m, const char *what, enum model_wall wall, unsigned int ns)
{
    ns += model_wall_ns[wall];
    m->crossed[wall]++;
    m->now += ns;
    m->ns += ns;
    if (m->told)
        m->told(m->data, what, wall, ns);
}

static void impossible(struct model *m, const char *what, const char *why)
{
    snprintf(m->wrong, sizeof(m->wrong), "%.20s, in %s: %s", what, place_names[m->place], why);
}

void model_leave(struct model *m, const struct model_exit *x)
{
    if (m->wrong[0])
        return;
    m->exit = x;
    m->now += x->ran;
    m->left = m->now;
    m->answer = 0;
    m->late = m->kept = m->handled = m->slept = m->requested = m->answered = false;
    m->is_wanted |= x->wanted;
    m->place = MODEL_AT_vmm;
    pay(m, "VMEXIT: out of the guest", MODEL_WALL_guest, 0);
}

void model_arrived(struct model *m)
{
    if (!m->wrong[0] && m->place != MODEL_AT_guest)
        impossible(m, "the end", "the guest never goes on");
}

/* NULL: the pCPU may go there. */
static const char *shut(const struct model *m, const struct door *d)
{
    if (!d)
        return "there is no such wall";
    if (m->paused && (d->to == MODEL_AT_vmm || d->to == MODEL_AT_guest))
        return "the vCPU is paused";
    if (d->to == MODEL_AT_user && m->kind != MODEL_IN_KERNEL && !m->woken)
        return "nobody has woken the device model";
    return NULL;
}

static void go(struct model *m, enum model_wall wall)
{
    const struct door *d = NULL;
    const char *why;

    for (unsigned int i = 0; i < ARRAY_SIZE(doors); i++)
        if (doors[i].kind == m->kind && doors[i].from == m->place && doors[i].wall == wall)
            d = &doors[i];
    why = shut(m, d);
    if (why) {
        impossible(m, wall < MODEL_NR_WALLS ? wall_names[wall] : "a wall", why);
        return;
    }
    if (wall == MODEL_WALL_guest) {
        m->late = m->timer <= m->now;
        m->kept = m->is_wanted;
    }
    if (wall == MODEL_WALL_hypercall)
        m->paused = false;
    if (m->place == MODEL_AT_user)
        m->woken = false;
    pay(m, d->text, wall, 0);
    m->place = d->to;
}

/* What the VMM knows of `value`, or the device after it. */
static uint32_t mixed(uint32_t state, uint32_t value) { return (state ^ value) * 2654435761u + 1; }

/* Is there anything of the kind to do in this exit? */
static bool is_asked_for(enum model_class c, enum model_work work)
{
    switch (work) {
    case MODEL_WORK_serve: return c == MODEL_cpu || c == MODEL_hypercall || c == MODEL_device;
    case MODEL_WORK_post: return c == MODEL_posted;
    case MODEL_WORK_request: return c == MODEL_device;
    case MODEL_WORK_interrupt: return c == MODEL_interrupt;
    case MODEL_WORK_block: return c == MODEL_halt;
    default: return true;
    }
}

/* NULL: it can be done. */
static const char *cannot(const struct model *m, enum model_work work)
{
    if (!is_asked_for(m->exit->class, work))
        return "the exit does not ask for it";
    switch (work) {
    case MODEL_WORK_post: return m->nr_posted == MODEL_RING ? "the ring is full" : NULL;
    case MODEL_WORK_take: return m->nr_posted ? NULL : "the ring is empty";
    case MODEL_WORK_emulate: return m->requested ? NULL : "nothing is requested";
    case MODEL_WORK_complete: return m->answered ? NULL : "the device model has not answered";
    case MODEL_WORK_inject: return m->timer <= m->now ? NULL : "the timer is not due";
    default: return NULL;
    }
}

static void serve(struct model *m)
{
    const bool known = m->exit->class == MODEL_cpu || m->exit->class == MODEL_hypercall;

    m->answer = known ? mixed(m->exit->class, m->exit->value) : UINT32_MAX; /* as if there were no device */
    if (m->exit->timer)
        m->timer = m->left + m->exit->timer;
}

/* Others run: from one vCPU to the next, and back. */
static void others(struct model *m, uint64_t until)
{
    pay(m, "the pCPU goes over to another", MODEL_WALL_vcpu, 0);
    m->now = until > m->now ? until : m->now;
    pay(m, "and back", MODEL_WALL_vcpu, 0);
    m->is_wanted = false;
}

static void carry_out(struct model *m, enum model_work work)
{
    switch (work) {
    case MODEL_WORK_serve: serve(m); break;
    case MODEL_WORK_post: m->posted[m->nr_posted++] = m->exit->value; break;
    case MODEL_WORK_request:
        m->requested = true;
        m->paused = m->kind == MODEL_TYPE1;
        break;
    case MODEL_WORK_wake: m->woken = true; break;
    case MODEL_WORK_take:
        m->device = mixed(m->device, m->posted[0]);
        m->taken++;
        memmove(m->posted, m->posted + 1, --m->nr_posted * sizeof(m->posted[0]));
        break;
    case MODEL_WORK_emulate:
        m->reply = m->device = mixed(m->device, m->exit->value);
        m->answered = true;
        m->requested = false;
        break;
    case MODEL_WORK_complete: m->answer = m->reply; break;
    case MODEL_WORK_interrupt: m->handled = true; break;
    case MODEL_WORK_inject: m->timer = MODEL_NEVER; break;
    case MODEL_WORK_yield: others(m, m->now + m->others); break;
    case MODEL_WORK_block: others(m, m->timer == MODEL_NEVER ? m->now + m->others : m->timer); break;
    default: break;
    }
}

static void work(struct model *m, enum model_work what)
{
    const struct work *w = what < MODEL_NR_WORKS ? &works[m->kind][what] : NULL;
    const char *why = !w || m->place != w->place ? "this is not done there" : cannot(m, what);

    if (why) {
        impossible(m, w ? work_names[what] : "work", why);
        return;
    }
    if (what == MODEL_WORK_block)
        m->slept = true;
    if (what != MODEL_WORK_yield)
        pay(m, w->text, MODEL_WALL_none, what == MODEL_WORK_serve && model_class(m) == MODEL_hypercall ? 300 : w->ns);
    carry_out(m, what);
    if (what == MODEL_WORK_serve || what == MODEL_WORK_post || what == MODEL_WORK_emulate ||
        what == MODEL_WORK_interrupt)
        m->is_wanted |= m->exit->wanted_later;
}

void model_act(struct model *m, bool is_work, unsigned int what)
{
    if (m->wrong[0])
        return;
    if (m->place == MODEL_AT_guest)
        impossible(m, "the route", "it goes on behind its end");
    else if (is_work)
        work(m, what);
    else
        go(m, what);
}

void model_go(struct model *m, enum model_wall wall)
{
    if (m->through)
        m->through(m->data, false, wall);
    else
        model_act(m, false, wall);
}

void model_do(struct model *m, enum model_work work)
{
    if (m->through)
        m->through(m->data, true, work);
    else
        model_act(m, true, work);
}
