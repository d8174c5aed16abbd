// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libxenlab in the hands of who misuses it: every function, with every combination of arguments that are right, wrong
 * and absurd; and with an allocation that fails, each in turn.
 *
 * Concept: a row of functions[] makes one call, and draws its arguments with pick(). An odometer remembers what was
 * drawn, and turns: so each row is made with every combination, and a row says but what kinds of things there are.
 * Domains are those that are there, one that was destroyed, one of another machine, dom0, and none. The machine is
 * here, in its past, or NULL. What is refused has a reason, and has moved nothing; the books agree; and another
 * machine in the same process knows nothing of it.
 *
 * Could pass wrongly if a function had no row: the list of what is exported (ui/lib/libxenlab.abi) says which there
 * are.
 *
 * Budget: a row for each function.
 */
#include "xenlab/xenlab.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <xen/xen.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define HUGE_N   (1u << 20) /* bytes that a caller may name at once here: there are so many */

/* --- what is drawn --- */

static struct {
    unsigned int at[16], of[16], nr, next;
} odometer;

static unsigned int pick(unsigned int n)
{
    if (odometer.next == odometer.nr) {
        assert_true(odometer.nr < COUNT(odometer.at));
        odometer.at[odometer.nr] = 0;
        odometer.of[odometer.nr++] = n;
    }
    return odometer.at[odometer.next++];
}

/* The next combination; false: that was the last. */
static bool turn(void)
{
    while (odometer.nr && ++odometer.at[odometer.nr - 1] == odometer.of[odometer.nr - 1])
        odometer.nr--;
    odometer.next = 0;
    return odometer.nr > 0;
}

static struct {
    struct xenlab *x, *other;
    uint16_t pv, hvm, gone, others;
    struct xenlab_position here;
} scene;
static char big[HUGE_N], long_text[100001];

static struct xenlab *machine(void) { return pick(2) ? NULL : scene.x; }

static uint16_t dom(void)
{
    const uint16_t d[] = { scene.pv, scene.hvm, scene.gone, scene.others, 0, DOMID_SELF, UINT16_MAX };

    return d[pick(COUNT(d))];
}

static unsigned int vcpu(void) { return (const unsigned int[]){ 0, 1, 32, 0x10000, UINT32_MAX }[pick(5)]; }
static unsigned int few(void) { return (const unsigned int[]){ 0, 1, 15, 300, UINT32_MAX }[pick(5)]; }
static size_t length(void) { return (const size_t[]){ 0, 1, 0x1001, HUGE_N }[pick(4)]; }
static void *buffer(void) { return pick(2) ? NULL : big; }

static const char *text(void)
{
    return (const char *const[]){ "rax", "cr3", "", NULL, "\xff\xfe", "%s%n", long_text }[pick(7)];
}

static uint64_t address(void)
{
    const uint64_t a[] = { 0, scene.x ? xenlab_page(scene.x, scene.pv, 63) : 0, UINT64_C(1) << 47, UINT64_MAX - 7 };

    return a[pick(COUNT(a))];
}

static struct xenlab_position position(void)
{
    const struct xenlab_position at[] = {
        { 0, 0 }, xenlab_begin(scene.x), xenlab_end(scene.x), { 0, UINT64_MAX }, { UINT64_MAX, UINT64_MAX }
    };

    return at[pick(COUNT(at))];
}

/* A struct with one of these sizes, of which `size` bytes are there; the first member is the size. NULL: none. */
static void *sized(void *s, size_t size)
{
    *(size_t *)s = (const size_t[]){ size, 0, 1, sizeof(size_t), 0 }[pick(5)];
    return odometer.at[odometer.next - 1] == 4 ? NULL : s;
}

/* --- a row a function: what it answered; 0 where it answers nothing that could be a failure --- */

#define ROW(name, ...)                                                                                                 \
    static int do_##name(void) { __VA_ARGS__ }
#define LOOK(name, type, call)                                                                                         \
    static int do_##name(void)                                                                                         \
    {                                                                                                                  \
        struct type info = { .size = 0 };                                                                              \
        struct xenlab *x = machine();                                                                                  \
        struct type *p = sized(&info, sizeof(info));                                                                   \
        unsigned int number = few(), *n = pick(2) ? NULL : &number;                                                    \
                                                                                                                       \
        (void)n;                                                                                                       \
        call;                                                                                                          \
    }

ROW(version, return strcmp(xenlab_version(), "0.1");)
ROW(create, const int nr = (const int[]){ -1, 0, 1, 2 }[pick(4)]; struct xenlab_io io = { .size = 0 };
    const char *const words[] = { nr > 0 ? text() : NULL,
                                  nr < 2 || pick(2) ? "--ram=99999999999999999999" : long_text };
    xenlab_destroy(xenlab_create(nr, pick(2) ? NULL : words, sized(&io, sizeof(io)), buffer(), 256)); return 0;)
ROW(destroy, xenlab_destroy(NULL); return 0;)
ROW(error, return xenlab_error(machine()) ? 0 : 1;)
ROW(domain_create, struct xenlab_domain d = { .type = (enum xenlab_type)pick(4), .vcpus = few(), .pages = few() };
    struct xenlab *x = machine(); const int rc = xenlab_domain_create(x, sized(&d, sizeof(d)));
    if (rc > 0) xenlab_domain_destroy(x, (uint16_t)rc); return rc < 0 ? -1 : 0;)
ROW(page, (void)(xenlab_page(machine(), dom(), few())); return 0;)
ROW(domain_unpause, struct xenlab *x = machine(); const uint16_t d = dom(); const int rc = xenlab_domain_unpause(x, d);
    xenlab_domain_pause(x, d); return rc;)
ROW(domain_pause, return xenlab_domain_pause(machine(), dom());)
ROW(domain_destroy, return xenlab_domain_destroy(machine(), dom());)
ROW(hypercall, const uint64_t args[6] = { address(), address() }; int64_t ret;
    const unsigned int nr = (const unsigned int[]){ __HYPERVISOR_memory_op, __HYPERVISOR_xen_version, 63,
                                                    UINT32_MAX }[pick(4)];
    return xenlab_hypercall(machine(), dom(), vcpu(), nr, pick(2) ? NULL : args, pick(2) ? NULL : &ret);)
ROW(exit, struct xenlab_exit e = { .kind = (enum xenlab_exit_kind)pick(XENLAB_EXIT_KINDS + 1),
                                   .insn_len = few(),
                                   .vector = few(),
                                   .cr = 15,
                                   .bytes = 3 };
    return xenlab_exit(machine(), dom(), 0, sized(&e, sizeof(e)));)
ROW(read, const size_t n = length(); const size_t got = xenlab_read(machine(), dom(), vcpu(), address(), buffer(), n);
    return got > n;)
ROW(write, return xenlab_write(machine(), dom(), vcpu(), address(), buffer(), length());)
ROW(read_physical, const size_t n = length();
    return xenlab_read_physical(machine(), dom(), address(), buffer(), n) > n;)
ROW(mfn, (void)(xenlab_mfn(machine(), dom(), vcpu(), address())); return 0;)
ROW(register, return xenlab_register(machine(), dom(), vcpu(), text(), buffer());)
ROW(register_set, return xenlab_register_set(machine(), dom(), vcpu(), text(), address());)
ROW(trap, return xenlab_trap(machine(), dom(), vcpu(), few(), few(), address());)
ROW(event, return xenlab_event(machine(), dom(), vcpu(), few());)
ROW(type, return xenlab_type(machine(), dom(), buffer(), length());)
ROW(ctl, const char *const words[] = { pick(2) ? "mem-set" : text(), text(), text() };
    const int rc = xenlab_ctl(machine(), (const int[]){ -1, 0, 1, 3 }[pick(4)], pick(2) ? NULL : words);
    return rc < 0 ? -1 : 0;)
ROW(position, (void)(xenlab_position(machine())); return 0;)
ROW(position_compare, return xenlab_position_compare(position(), position()) > 1;)
ROW(begin, (void)(xenlab_begin(machine())); return 0;)
ROW(end, (void)(xenlab_end(machine())); return 0;)
ROW(now, (void)(xenlab_now(machine())); return 0;)
ROW(run, struct xenlab *x = machine();
    return xenlab_run(x, (const uint64_t[]){ 0, 1000, UINT64_MAX / 2, UINT64_MAX }[pick(4)]) == XENLAB_FAILED ? -1 : 0;)
ROW(run_to, struct xenlab *x = machine(); return xenlab_run_to(x, position()) == XENLAB_FAILED ? -1 : 0;)
ROW(step, return xenlab_step(machine()) == XENLAB_FAILED ? -1 : 0;)
ROW(goto, struct xenlab *x = machine(); return xenlab_goto(x, position());)
ROW(forget, xenlab_forget(machine()); return 0;)
ROW(checkpoint, xenlab_checkpoint(machine()); return 0;)
ROW(hash, (void)(xenlab_hash(machine())); return 0;)
LOOK(domain_next, xenlab_domain_info, return xenlab_domain_next(x, n, p) > 1)
LOOK(vcpu_look, xenlab_vcpu_info, return xenlab_vcpu_look(x, dom(), vcpu(), p))
LOOK(port_next, xenlab_port_info, return xenlab_port_next(x, dom(), n, p) > 1)
LOOK(grant_next, xenlab_grant_info, return xenlab_grant_next(x, dom(), n, p) > 1)
LOOK(frame_look, xenlab_frame_info, return xenlab_frame_look(x, address(), p))
ROW(count, return xenlab_count(machine(), text()) > 1000000;)
ROW(audit, return xenlab_audit(machine());)

#define F(name)                                                                                                        \
    {                                                                                                                  \
        "xenlab_" #name, do_##name                                                                                     \
    }
static const struct {
    const char *name;
    int (*call)(void);
} functions[] = {
    F(version),
    F(create),
    F(destroy),
    F(error),
    F(domain_create),
    F(page),
    F(domain_pause),
    F(hypercall),
    F(exit),
    F(read),
    F(write),
    F(read_physical),
    F(mfn),
    F(register),
    F(trap),
    F(register_set),
    F(event),
    F(type),
    F(ctl),
    F(position),
    F(begin),
    F(end),
    F(position_compare),
    F(now),
    F(run),
    F(run_to),
    F(step),
    F(goto),
    F(forget),
    F(checkpoint),
    F(hash),
    F(vcpu_look),
    F(port_next),
    F(domain_next),
    F(grant_next),
    F(frame_look),
    F(count),
    F(audit),
    F(domain_unpause),
    F(domain_destroy),
};

/* --- the machines --- */

static uint16_t domain(struct xenlab *x, enum xenlab_type type)
{
    const struct xenlab_domain what = { .size = sizeof(what), .type = type };
    const int d = xenlab_domain_create(x, &what);

    assert_true(d > 0);
    return (uint16_t)d;
}

static struct xenlab *machine_new(void)
{
    char err[256] = "";
    struct xenlab *x = xenlab_create(2, (const char *const[]){ "--ram", "64" }, NULL, err, sizeof(err));

    if (!x)
        fail_msg("%s", err);
    return x;
}

static int begin(void **state)
{
    (void)state;
    memset(long_text, 'a', sizeof(long_text) - 1);
    scene.x = machine_new();
    scene.other = machine_new();
    scene.pv = domain(scene.x, XENLAB_PV);
    scene.hvm = domain(scene.x, XENLAB_HVM);
    scene.gone = domain(scene.x, XENLAB_PV);
    for (unsigned int i = 0; i < 4; i++)
        scene.others = domain(scene.other, XENLAB_PV);
    assert_int_equal(xenlab_domain_destroy(scene.x, scene.gone), 0);
    xenlab_checkpoint(scene.x);
    scene.here = xenlab_position(scene.x);
    return 0;
}

static int end(void **state)
{
    (void)state;
    xenlab_destroy(scene.x);
    xenlab_destroy(scene.other);
    return 0;
}

/* --- every function --- */

static unsigned long calls, refused;

/* All combinations, from here; or from the past, where nothing can be put in. */
static void try_all(size_t i, bool past)
{
    do {
        const struct xenlab_position before = xenlab_position(scene.x);
        const uint64_t now = xenlab_now(scene.x);
        const int rc = functions[i].call();

        calls++;
        assert_in_range(rc + 1, 0, 1);
        if (!rc)
            continue;
        refused++;
        if (!xenlab_error(scene.x)[0] || xenlab_position_compare(before, xenlab_position(scene.x)) ||
            now != xenlab_now(scene.x))
            fail_msg("%s, call %lu: refused (%s), and something has happened, or nothing is said", functions[i].name,
                     calls, xenlab_error(scene.x));
    } while (turn());
    if (xenlab_audit(scene.x))
        fail_msg("%s%s: %s", functions[i].name, past ? " in the past" : "", xenlab_error(scene.x));
}

static void test_every_function(void **state)
{
    const uint64_t hash = xenlab_hash(scene.other), was = xenlab_hash(scene.x);

    (void)state;
    for (size_t i = 0; i < COUNT(functions); i++)
        for (int past = 0; past < 2; past++) {
            if (past && functions[i].call == do_forget)
                continue; /* it is there to lose where we were */
            if (past)
                assert_int_equal(xenlab_goto(scene.x, xenlab_begin(scene.x)), 0);
            try_all(i, past);
            assert_int_equal(xenlab_goto(scene.x, scene.here), 0);
            xenlab_forget(scene.x);
            if (xenlab_hash(scene.x) != was)
                fail_msg("%s: going back does not lead to where it was", functions[i].name);
        }
    assert_true(hash == xenlab_hash(scene.other));
    print_message("%lu calls, %lu refused\n", calls, refused);
    assert_true(calls > 10000 && refused > 1000);
}

static void test_there_are_no_others(void **state)
{
    FILE *f = fopen("ui/lib/libxenlab.abi", "r");
    char line[512], name[64];
    size_t nr = 0;

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        size_t i = 0;

        if (sscanf(line, "XENLAB_%*s %63[a-z_]:", name) != 1)
            continue;
        while (i < COUNT(functions) && strcmp(functions[i].name, name))
            i++;
        if (i == COUNT(functions))
            fail_msg("%s has no row here", name);
        nr++;
    }
    fclose(f);
    assert_int_equal(nr, COUNT(functions));
}

/* --- an allocation that fails --- */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static unsigned long fails_at; /* the how manieth; 0: none */

static bool fails(void) { return fails_at && !--fails_at; }
void *__wrap_malloc(size_t n) { return fails() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t size) { return fails() ? NULL : __real_calloc(n, size); }
void *__wrap_realloc(void *p, size_t n) { return fails() ? NULL : __real_realloc(p, n); }

/* A life of a machine. 0: what failed has said why, or was done without. */
static int life(void)
{
    const struct xenlab_domain what = { .size = sizeof(what) };
    const uint64_t args[6] = { 0 };
    char err[256] = "";
    struct xenlab *x = xenlab_create(2, (const char *const[]){ "--ram", "64" }, NULL, err, sizeof(err));
    struct xenlab_position at;
    int d, rc = 0;

    if (!x)
        return !err[0];
    d = xenlab_domain_create(x, &what);
    if (d > 0 && (xenlab_hypercall(x, (uint16_t)d, 0, __HYPERVISOR_memory_op, args, NULL) ||
                  xenlab_write(x, (uint16_t)d, 0, xenlab_page(x, (uint16_t)d, 8), args, sizeof(args))))
        rc |= !xenlab_error(x)[0];
    rc |= d < 0 && !xenlab_error(x)[0];
    xenlab_checkpoint(x);
    xenlab_run(x, 1000000);
    at = xenlab_position(x);
    if (xenlab_goto(x, xenlab_begin(x)) || xenlab_goto(x, at))
        rc |= !xenlab_error(x)[0];
    rc |= xenlab_audit(x) && !strstr(xenlab_error(x), "memory");
    xenlab_destroy(x);
    return rc;
}

/*
 * Each in a process of its own. *left: what of nr was not come to: then it is over. A processor that cannot be had ends
 * the process (BUG_ON()); *aborted counts these. Its status; 0: as it should be.
 */
static int life_without(unsigned long nr, unsigned long *left, unsigned int *aborted)
{
    int status, fd[2];
    pid_t pid;

    assert_int_equal(pipe(fd), 0);
    pid = fork();
    if (!pid) {
        fails_at = nr;
        status = life();
        if (write(fd[1], &fails_at, sizeof(fails_at)) != sizeof(fails_at))
            status = 2;
        _exit(status);
    }
    close(fd[1]);
    *left = 0;
    if (read(fd[0], left, sizeof(*left)) < 0)
        *left = 0;
    close(fd[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        return ++*aborted > 4;
    return status;
}

static void test_an_allocation_fails(void **state)
{
    unsigned long n = 0, left;
    unsigned int aborted = 0;

    (void)state;
    do {
        const int status = life_without(++n, &left, &aborted);

        if (status)
            fail_msg("allocation %lu fails: status 0x%x", n, status);
    } while (!left);
    print_message("%lu allocations, %u ended the process\n", n - 1, aborted);
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_function),
        cmocka_unit_test(test_there_are_no_others),
        cmocka_unit_test(test_an_allocation_fails),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
