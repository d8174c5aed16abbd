// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A machine as a user of libxenlab has it: what tests share that know of xenlab what include/xenlab/xenlab.h says.
 *
 * Concept: a program has one machine, with a guest and a toolstack on it, two domains without a kernel. Before each of
 * its tests the machine goes back to where it was behind their creation, and behind each of them all reference counts
 * are audited. So a test that leaves something behind harms nobody, and a machine need not be made for each.
 *
 * The toolstack is no dom0: a control domain, which may make each hypercall.
 */
#ifndef TESTS_SUPPORT_USER_H
#define TESTS_SUPPORT_USER_H

#include "xenlab/xenlab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define __XEN_TOOLS__ 1
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/xen.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))
#define US            UINT64_C(1000)
#define MS            UINT64_C(1000000)
#define SEC           UINT64_C(1000000000)
#define USER_PAGE     0x1000

struct user {
    struct xenlab *x;
    uint16_t d, control; /* the guest; who is in charge of it */
    struct xenlab_position begin;
};

/* Of a call: its arguments are at page USER_OP of whoever makes it, and what they point to at pages behind that. */
enum { USER_OP = 8, USER_ARG, USER_ARG2, USER_ARG3, USER_FREE = USER_ARG + 32 };

static inline uint16_t user_domain(struct xenlab *x, enum xenlab_type type, unsigned int vcpus, bool control)
{
    const struct xenlab_domain what = { .size = sizeof(what), .type = type, .vcpus = vcpus, .control = control };
    const int domid = xenlab_domain_create(x, &what);

    if (domid < 0)
        fail_msg("no domain of type %d: %s", (int)type, xenlab_error(x));
    return (uint16_t)domid;
}

/* A program's machine, of these words; its guest is of that type, and has 4 vCPUs. */
static inline int user_begin(void **state, int nr, const char *const words[], enum xenlab_type type)
{
    static struct user u;
    char err[512] = "";

    u.x = xenlab_create(nr, words, NULL, err, sizeof(err));
    if (!u.x) {
        fprintf(stderr, "no machine: %s\n", err);
        return -1;
    }
    u.d = user_domain(u.x, type, 4, false);
    u.control = user_domain(u.x, XENLAB_PV, 1, true);
    xenlab_checkpoint(u.x);
    u.begin = xenlab_position(u.x);
    *state = &u;
    return 0;
}

/* Of 128 MiB, with a 64-bit PV guest; with a 32-bit one; with an HVM guest. */
#define USER_WORDS                                                                                                     \
    2, (const char *const[]) { "--ram", "128" }
static inline int user_begin_pv(void **state) { return user_begin(state, USER_WORDS, XENLAB_PV); }
static inline int user_begin_pv32(void **state) { return user_begin(state, USER_WORDS, XENLAB_PV32); }
static inline int user_begin_hvm(void **state) { return user_begin(state, USER_WORDS, XENLAB_HVM); }

static inline int user_end(void **state)
{
    xenlab_destroy(((struct user *)*state)->x);
    return 0;
}

/* Before a test, and behind it. */
static inline int user_setup(void **state)
{
    struct user *u = *state;

    if (xenlab_goto(u->x, u->begin)) {
        fprintf(stderr, "%s\n", xenlab_error(u->x));
        return -1;
    }
    xenlab_forget(u->x);
    return 0;
}

static inline int user_teardown(void **state)
{
    struct user *u = *state;

    if (!xenlab_audit(u->x))
        return 0;
    fprintf(stderr, "audit: %s\n", xenlab_error(u->x));
    return -1;
}

#define USER_TEST(name) cmocka_unit_test_setup_teardown(name, user_setup, user_teardown)

/* --- calls --- */

/* n bytes at an address of the domain's; a copy of those that are there. */
static inline void user_write(struct user *u, uint16_t d, uint64_t at, const void *bytes, size_t n)
{
    if (xenlab_write(u->x, d, 0, at, bytes, n))
        fail_msg("%s", xenlab_error(u->x));
}

static inline void user_read(struct user *u, uint16_t d, uint64_t at, void *bytes, size_t n)
{
    if (xenlab_read(u->x, d, 0, at, bytes, n) != n)
        fail_msg("d%u: 0x%llx is not mapped", d, (unsigned long long)at);
}

/* The same at a page of its; the address. */
static inline uint64_t user_put(struct user *u, uint16_t d, unsigned int page, const void *bytes, size_t n)
{
    const uint64_t at = xenlab_page(u->x, d, page);

    user_write(u, d, at, bytes, n);
    return at;
}

static inline void user_get(struct user *u, uint16_t d, unsigned int page, void *bytes, size_t n)
{
    user_read(u, d, xenlab_page(u->x, d, page), bytes, n);
}

/* Something that an argument of the toolstack's points to, as Xen's handles want it. */
static inline void *user_lend(struct user *u, unsigned int page, const void *bytes, size_t n)
{
    return (void *)(uintptr_t)user_put(u, u->control, page, bytes, n);
}

/* A hypercall of the domain's vCPU. Its answer. */
static inline int64_t user_call_on(struct user *u, uint16_t d, unsigned int vcpu, unsigned int nr, uint64_t a1,
                                   uint64_t a2, uint64_t a3, uint64_t a4)
{
    const uint64_t args[6] = { a1, a2, a3, a4 };
    int64_t ret = 1;

    if (xenlab_hypercall(u->x, d, vcpu, nr, args, &ret))
        fail_msg("%s", xenlab_error(u->x));
    return ret;
}

static inline int64_t user_call(struct user *u, uint16_t d, unsigned int nr, uint64_t a1, uint64_t a2, uint64_t a3,
                                uint64_t a4)
{
    return user_call_on(u, d, 0, nr, a1, a2, a3, a4);
}

/* One with a command and a struct, which is read back. */
static inline int64_t user_op_n(struct user *u, uint16_t d, unsigned int nr, unsigned int cmd, void *op, size_t n)
{
    const int64_t rc = user_call(u, d, nr, cmd, user_put(u, d, USER_OP, op, n), 0, 0);

    user_get(u, d, USER_OP, op, n);
    return rc;
}
#define user_op(u, d, nr, cmd, op) user_op_n(u, d, nr, cmd, op, sizeof(*(op)))

/* What is asked for by a domain that is not destroyed by it; .interface_version is set. */
static inline int64_t user_domctl_by(struct user *u, uint16_t d, struct xen_domctl *op)
{
    int64_t rc;

    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    rc = user_call(u, d, __HYPERVISOR_domctl, user_put(u, d, USER_OP, op, sizeof(*op)), 0, 0, 0);
    user_get(u, d, USER_OP, op, sizeof(*op));
    return rc;
}

static inline int64_t user_domctl(struct user *u, struct xen_domctl *op) { return user_domctl_by(u, u->control, op); }

static inline int64_t user_sysctl(struct user *u, struct xen_sysctl *op)
{
    int64_t rc;

    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    rc = user_call(u, u->control, __HYPERVISOR_sysctl, user_put(u, u->control, USER_OP, op, sizeof(*op)), 0, 0, 0);
    user_get(u, u->control, USER_OP, op, sizeof(*op));
    return rc;
}

/* A domctl that has but a command and a domain. */
static inline int64_t user_domain_op(struct user *u, uint32_t cmd, uint16_t d)
{
    struct xen_domctl op = { .cmd = cmd, .domain = d };

    return user_domctl(u, &op);
}

/* A domain of nothing; *domid: 0: any number. */
static inline int64_t user_create(struct user *u, const struct xen_domctl_createdomain *config, uint16_t *domid)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_createdomain, .domain = *domid, .u.createdomain = *config };
    const int64_t rc = user_domctl(u, &op);

    *domid = op.domain;
    return rc;
}

/* --- looking --- */

static inline uint64_t user_register(struct user *u, uint16_t d, unsigned int vcpu, const char *name)
{
    uint64_t value = 0;

    if (xenlab_register(u->x, d, vcpu, name, &value))
        fail_msg("%s", xenlab_error(u->x));
    return value;
}

static inline void user_register_set(struct user *u, uint16_t d, unsigned int vcpu, const char *name, uint64_t value)
{
    if (xenlab_register_set(u->x, d, vcpu, name, value))
        fail_msg("%s", xenlab_error(u->x));
}

/* There is such a domain. */
static inline struct xenlab_domain_info user_look(struct user *u, uint16_t d)
{
    struct xenlab_domain_info info = { .size = sizeof(info) };
    unsigned int n = d;

    if (!xenlab_domain_next(u->x, &n, &info) || info.domid != d)
        fail_msg("there is no d%u", d);
    return info;
}

static inline bool user_vcpu_is(struct user *u, uint16_t d, unsigned int vcpu, const char *state)
{
    struct xenlab_vcpu_info info = { .size = sizeof(info) };

    if (xenlab_vcpu_look(u->x, d, vcpu, &info))
        fail_msg("%s", xenlab_error(u->x));
    return !strcmp(info.state, state);
}

/* Virtual time passes. */
static inline void user_pass(struct user *u, uint64_t ns) { xenlab_run(u->x, xenlab_now(u->x) + ns); }

#endif
