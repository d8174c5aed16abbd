// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Three routes of an exit, through the walls of three kinds of hosts: tools/model/model.h has the walls, and what can
 * be done where.
 *
 * Concept: who can do what the guest wants, and how few walls are there between the two? Whatever the class of the
 * exit, on each kind of host:
 *
 *      cpu, hypercall   served
 *      posted           posted, and nobody is woken for it; if the ring is full, the device model takes all of it first
 *      device           requested, emulated behind all that was posted before it, completed
 *      interrupt        its handler
 *      halt             blocked, if the timer is not due when the guest exits
 *
 * and then, before the guest goes on: if others want the pCPU they have it; if the guest's timer is due, after all that
 * was done until then, it is injected.
 *
 * Invariants: no wall is gone through that need not be. What a host's scheduler or handler is to do is done where that
 * is, on the way if the way leads there anyway.
 */
#include "tools/model/routes.h"

/* What the device model does when it has its turn. */
static void device_model(struct model *m)
{
    while (model_posted(m))
        model_do(m, MODEL_WORK_take);
    if (model_class(m) == MODEL_device)
        model_do(m, MODEL_WORK_emulate);
}

/* The last of each route: the VMM's own part of what is due before the guest goes on, and into it. */
static void enter(struct model *m)
{
    if (model_timer_is_due(m))
        model_do(m, MODEL_WORK_inject);
    model_go(m, MODEL_WALL_guest);
}

/* Type 1: from Xen to the device model in dom0, and back. */
static void visit_dom0(struct model *m)
{
    model_go(m, MODEL_WALL_vcpu);
    model_do(m, MODEL_WORK_wake);
    model_go(m, MODEL_WALL_ring);
    device_model(m);
    model_go(m, MODEL_WALL_ring);
    if (model_class(m) == MODEL_device)
        model_go(m, MODEL_WALL_hypercall);
    model_go(m, MODEL_WALL_vcpu);
}

/* Xen is the kernel: its scheduler and handlers are where the exit is. */
void route_type1(struct model *m)
{
    switch (model_class(m)) {
    case MODEL_posted:
        if (model_posted(m) == MODEL_RING)
            visit_dom0(m);
        model_do(m, MODEL_WORK_post);
        break;
    case MODEL_device:
        model_do(m, MODEL_WORK_request);
        visit_dom0(m);
        model_do(m, MODEL_WORK_complete);
        break;
    case MODEL_interrupt: model_do(m, MODEL_WORK_interrupt); break;
    case MODEL_halt:
        if (!model_timer_is_due(m))
            model_do(m, MODEL_WORK_block);
        break;
    default: model_do(m, MODEL_WORK_serve); break;
    }
    if (model_is_wanted(m))
        model_do(m, MODEL_WORK_yield);
    enter(m);
}

/* In a kernel: the device model is the very process whose system call KVM is in. */
static void visit_process(struct model *m)
{
    model_go(m, MODEL_WALL_ring);
    device_model(m);
    model_go(m, MODEL_WALL_ring);
}

/* KVM is part of the kernel: as for a type 1, but for the way to the device model. */
void route_in_kernel(struct model *m)
{
    switch (model_class(m)) {
    case MODEL_posted:
        if (model_posted(m) == MODEL_RING)
            visit_process(m);
        model_do(m, MODEL_WORK_post);
        break;
    case MODEL_device:
        model_do(m, MODEL_WORK_request);
        visit_process(m);
        model_do(m, MODEL_WORK_complete);
        break;
    case MODEL_interrupt: model_do(m, MODEL_WORK_interrupt); break;
    case MODEL_halt:
        if (!model_timer_is_due(m))
            model_do(m, MODEL_WORK_block);
        break;
    default: model_do(m, MODEL_WORK_serve); break;
    }
    if (model_is_wanted(m))
        model_do(m, MODEL_WORK_yield);
    enter(m);
}

/* Back into the VMM's world, from the host's: whoever is there lets others run first. */
static void leave_host(struct model *m)
{
    if (model_is_wanted(m))
        model_do(m, MODEL_WORK_yield);
    model_go(m, MODEL_WALL_world);
}

/* Hosted: to the application, which is the device model, and back. */
static void visit_application(struct model *m)
{
    model_go(m, MODEL_WALL_world);
    model_do(m, MODEL_WORK_wake);
    model_go(m, MODEL_WALL_ring);
    device_model(m);
    model_go(m, MODEL_WALL_ring);
    leave_host(m);
}

/* The machine is the host's: its interrupts, its scheduler, its devices are behind the wall between the worlds. */
void route_hosted(struct model *m)
{
    switch (model_class(m)) {
    case MODEL_posted:
        if (model_posted(m) == MODEL_RING)
            visit_application(m);
        model_do(m, MODEL_WORK_post);
        break;
    case MODEL_device:
        model_do(m, MODEL_WORK_request);
        visit_application(m);
        model_do(m, MODEL_WORK_complete);
        break;
    case MODEL_interrupt:
    case MODEL_halt:
        if (model_class(m) == MODEL_halt && model_timer_is_due(m))
            break;
        model_go(m, MODEL_WALL_world);
        model_do(m, model_class(m) == MODEL_halt ? MODEL_WORK_block : MODEL_WORK_interrupt);
        leave_host(m);
        break;
    default: model_do(m, MODEL_WORK_serve); break;
    }
    if (model_is_wanted(m)) { /* it did not lead there: only for them */
        model_go(m, MODEL_WALL_world);
        leave_host(m);
    }
    enter(m);
}
