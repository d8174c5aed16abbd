// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Policies that mean harm (attack_policy.c): each ends as what it is, with status 2, a message that names what
 * happened, and no report of its own. With bubblewrap, where there is one, and without.
 */
#include "command.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/workbench/remote.h"

static const struct {
    int attack;
    const char *message;
} attacks[] = {
    { 1, "ended the process (exit 0) in wake [domain a, vCPU 0 (d0v0), pCPU 0], call " },
    { 2, "ended the process (exit 0) in wake" },
    { 3, "answered what is no answer (it has another length) in wake" },
    { 4, "it made the system call kill which" },
    { 5, "it made the system call kill which" },
    { 6, "it made the system call kill which" },
    { 7, "it made the system call clone which" },
    { 8, "it made the system call openat which" },
    { 9, "in wake" }, /* out of stack, or of CPU time, whichever is first */
    { 10, "stopped: has slept, or waited, for 10 s in wake" },
    { 11, "stopped: has slept, or waited, for 10 s in wake" },
    { 12, "closed its connection to the workbench in wake" },
    { 13, "answered what is no answer (it answers another call)" },
    { 14, "it made the system call ptrace which" },
    { 15, "it made the system call openat which" },
    { 16, "it made the system call openat which" },
    { 17, "it made the system call rt_sigaction, for SIGSYS, which" },
    { 18, "" }, /* by chance an answer, of nobody to run; then that is what is reported */
    { 19, "ended the process (exit 0) in its constructors" },
    { 20, "ended the process (exit 0) in wake" },
    { 21, "ended the process (exit 0) in its constructors" },
    { 22, "it made the system call setsid which" },
    { 23, "it made the system call socket which" },
    { 24, "it made the system call tgkill, of another process, which" },
    { 25, "it made the system call fcntl, for signals, which" },
    { 26, "it made the system call prlimit64, of another process, which" },
    { 27, "it made the system call execve which" },
    { 28, "did not return within 1 s of CPU time in wake" },
    { 29, "crashed (Aborted) in wake" },
    { 30, "ended the process (exit 0) in its constructors" },
    { 31, "it made the system call openat which" },
    { 32, "ended the process (exit 0) in its constructors" },
};

static bool build_attack(int attack)
{
    char command[512];

    snprintf(command, sizeof(command),
             "cc -shared -fPIC -O1 -I. -D_GNU_SOURCE -D__XEN_TOOLS__ -DBAD=%d -DWORKLOAD='\"%s\"' -w -o %s %s", attack,
             path("w"), path("policy.so"), "tests/sched/attack_policy.c");
    return system(command) == 0;
}

/* Those that take their time are tried once; and the sanitizer opens files by itself, and wants all memory. */
static bool left_out(bool bare, int attack)
{
#if defined(__SANITIZE_ADDRESS__)
    if (attack == 8 || attack == 9 || attack == 15 || attack == 16)
        return true;
    if (attack == 32 && !bare) /* for its sake there is a /proc, in which its parent is bubblewrap itself */
        return true;
#endif
    return bare && (attack == 10 || attack == 11);
}

static void attack_all(bool bare)
{
    char *out, *err;
    int rc;

    if (!build_attack(0))
        skip();
    file_write("w", "pcpus 2\ntime 100ms\ndomain a : compute 1ms, sleep 1ms\ndomain secret : compute forever\n");
    if (WORKBENCH("--policy", path("policy.so"), "--workload", path("w")) == 1)
        skip(); /* as nobody, who cannot come here */
    for (size_t i = 0; i < ARRAY_SIZE(attacks); i++) {
        if (left_out(bare, attacks[i].attack))
            continue;
        assert_true(build_attack(attacks[i].attack));
        rc = WORKBENCH("--policy", path("policy.so"), "--workload", path("w"), "--limit", "1", "--json");
        assert_true(rc == 2 || (rc == 0 && attacks[i].attack == 18));
        out = file_read("out");
        err = file_read("err");
        assert_null(strstr(out, "forged"));
        assert_null(strstr(err, "owned"));
        if (!bare)
            assert_null(strstr(err, "stolen"));
#if !defined(__SANITIZE_ADDRESS__) /* which names crashes in its own words, and has no limit of memory */
        if (!strstr(err, attacks[i].message))
            fail_msg("attack %d: \"%s\" is not in: %s", attacks[i].attack, attacks[i].message, err);
#endif
        free(out);
        free(err);
    }
}

static void test_attacks(void **state) { attack_all(!sandbox_wraps()); }

static void test_attacks_bare(void **state)
{
    setenv("XENLAB_BWRAP", "no", 1);
    attack_all(true);
    unsetenv("XENLAB_BWRAP");
}

/* Thousands of answers that are nearly right: none hurts the workbench. */
static void test_babble(void **state)
{
    char seed[16];
    int ended[3] = { 0 };

    if (!build_attack(100))
        skip();
    file_write("w", "pcpus 2\ntime 100ms\ndomain a vcpus=3 : compute 1ms, sleep 1ms\ndomain b : compute forever\n"
                    "at 20ms unplug 1\nat 40ms plug 1\nat 50ms pause a\n");
    for (int i = 1; i <= 150; i++) {
        int rc;

        snprintf(seed, sizeof(seed), "%d", i);
        rc = WORKBENCH("--policy", path("policy.so"), "--workload", path("w"), "--limit", "1", "--seed", seed);
        assert_in_range(rc, 0, 2);
        ended[rc]++;
    }
    assert_true(ended[2] > 100 && !ended[1]);
}

/* The same for what reads them, by itself: what passes can be used. */
static void test_answer_check(void **state)
{
    const struct wb_expected e = { .kinds = 1u << WIRE_ANSWER | 1u << WIRE_MIGRATE,
                                   .len = WIRE_ANSWER_SIZE,
                                   .call = 7,
                                   .clock_seq = 100,
                                   .now = 1000,
                                   .nr_vcpus = 5,
                                   .nr_pcpus = 3 };
    const struct wire_answer good = { .kind = WIRE_ANSWER,
                                      .call = 7,
                                      .task = 2,
                                      .clock_seq = 101,
                                      .expires = 2000,
                                      .seq = 101,
                                      .nr_moved = 1,
                                      .moved = { { 4, 2 } } };
    struct wire_answer a;
    uint64_t x = 88172645463325252u;
    unsigned int passed = 0;

    assert_null(wb_answer_check(&good, WIRE_ANSWER_SIZE, &e));
    for (size_t len = 0; len <= sizeof(a) + 1; len++)
        if (len != WIRE_ANSWER_SIZE)
            assert_non_null(wb_answer_check(&(struct {
                struct wire_answer a;
                char more;
            }){ good, 0 },
                                            len, &e));
    for (int i = 0; i < 1000000; i++) {
        a = good;
        for (int n = 0; n < 3; n++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            ((unsigned char *)&a)[x % WIRE_ANSWER_SIZE] ^= (unsigned char)(x >> 32 & (x >> 40 & 1 ? 255 : 7));
        }
        if (wb_answer_check(&a, WIRE_ANSWER_SIZE, &e))
            continue;
        passed++;
        assert_true(a.kind == WIRE_ANSWER || a.kind == WIRE_MIGRATE);
        assert_true(a.task < 5 || a.task == WIRE_NOBODY || a.task == WIRE_NO_VCPU);
        assert_true(a.broken < WIRE_NR_BROKEN && a.kicked < 8 && a.nr_moved <= WIRE_MAX_MOVED && a.expires >= 1000);
        for (uint32_t m = 0; m < a.nr_moved; m++)
            assert_true(a.moved[m].vcpu < 5);
    }
    assert_in_range(passed, 1, 999999);
}

/*
 * Whether bubblewrap works is tried; where descriptors are few it fails somewhere on its way. Whatever it had begun by
 * then has ended as well: this process is where orphans come to.
 */
static void test_trial_leaves_nobody(void **state)
{
    unsetenv("XENLAB_BWRAP");
    for (unsigned int files = 4; files < 14; files++) {
        int status;
        const pid_t pid = fork();

        if (!pid) {
            prctl(PR_SET_CHILD_SUBREAPER, 1);
            close_range(3, ~0U, 0);
            setrlimit(RLIMIT_NOFILE, &(struct rlimit){ files, files });
            sandbox_wraps();
            alarm(10); /* who has been killed takes a moment; who waits is here for ever */
            while (waitpid(-1, NULL, 0) > 0)
                continue;
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (status)
            fail_msg("with %u descriptors a child is left", files);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trial_leaves_nobody),
        cmocka_unit_test(test_answer_check),
        cmocka_unit_test(test_babble),
        cmocka_unit_test(test_attacks),
        cmocka_unit_test(test_attacks_bare),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
