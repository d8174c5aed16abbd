// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A machine without processors: memory, seed, and what it refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/machine.h"
#include "tests/support/ram.h"

static struct machine *make(uint64_t mib, uint64_t seed)
{
    const struct machine_config cfg = { .ram_mib = mib, .seed = seed };
    char err[200] = "";
    struct machine *m = machine_create(&cfg, err, sizeof(err));

    assert_string_equal(err, "");
    assert_non_null(m);
    return m;
}

static void test_ram(void **state)
{
    struct machine *m = make(64, 1);
    uint8_t *last = ram_page(m, _mfn(m->nr_frames - 1)), through_fd = 0;

    assert_int_equal(m->nr_frames, 64 * 256);
    assert_true(mfn_valid(m, _mfn(0)));
    assert_false(mfn_valid(m, _mfn(m->nr_frames)));
    assert_false(mfn_valid(m, INVALID_MFN));
    assert_ptr_equal(ram_page(m, _mfn(0)), m->ram);
    assert_int_equal(last[0], 0);
    last[4095] = 0x5a;
    assert_int_equal(pread(m->edges->ram_fd, &through_fd, 1, (64 << 20) - 1), 1); /* another process sees it, too */
    assert_int_equal(through_fd, 0x5a);
    machine_destroy(m);
}

/* A large machine costs only what is touched. */
static void test_sparse(void **state)
{
    struct machine *m = make(64 * 1024, 1);
    struct stat st;

    *(uint8_t *)ram_page(m, _mfn(m->nr_frames / 2)) = 1;
    assert_int_equal(fstat(m->edges->ram_fd, &st), 0);
    assert_true(st.st_blocks * 512 <= 2 << 20);
    machine_destroy(m);
}

/*
 * A frame that is filled reads so everywhere, its neighbours as before, whether it was touched or not, and without the
 * file, too.
 */
static void test_frame_write(void **state)
{
    struct machine *m = make(64, 1);
    uint8_t page[PAGE_SIZE], through_fd[PAGE_SIZE];

    for (unsigned int n = 0; n < 3; n++) {
        uint8_t *frame = ram_page(m, _mfn(100 + n));
        const int fd = m->edges->ram_fd;

        memset(page, 0xa0 + (int)n, sizeof(page));
        if (n == 1)
            memset(frame, 0xff, PAGE_SIZE);
        if (n == 2)
            m->edges->ram_fd = -1;
        frame_fill(m, _mfn(100 + n), page);
        m->edges->ram_fd = fd;
        assert_memory_equal(frame, page, PAGE_SIZE);
        assert_int_equal(pread(m->edges->ram_fd, through_fd, PAGE_SIZE, (100 + n) << PAGE_SHIFT), PAGE_SIZE);
        assert_memory_equal(through_fd, page, PAGE_SIZE);
        assert_int_equal(frame[PAGE_SIZE], 0);
        assert_int_equal(frame[-1], n ? 0xa0 + (int)n - 1 : 0);
    }
    machine_destroy(m);
}

/* Frames that are asked for early read as they did: zero, or what is in them. */
static void test_populate(void **state)
{
    struct machine *m = make(64, 1);
    uint8_t *frame = ram_page(m, _mfn(100));
    struct stat before, after;

    frame[5] = 0x5a;
    assert_int_equal(fstat(m->edges->ram_fd, &before), 0);
    machine_populate(m, _mfn(98), 16);
    assert_int_equal(fstat(m->edges->ram_fd, &after), 0);
    assert_true((after.st_blocks - before.st_blocks) * 512 <= 16 << PAGE_SHIFT); /* 15 frames, or none on an old host */
    for (size_t i = 0; i < 4 << PAGE_SHIFT; i++)
        assert_int_equal(frame[i], i == 5 ? 0x5a : 0);
    machine_destroy(m);
}

static jmp_buf caught;

static void catch_bug(const char *file, int line, const char *what) { longjmp(caught, 1); }

static void test_bad_frame_is_a_bug(void **state)
{
    struct machine *m = make(1, 1);
    bug_handler_t *former = bug_set_handler(catch_bug);

    if (!setjmp(caught)) {
        ram_page(m, _mfn(256));
        fail();
    }
    bug_set_handler(former);
    machine_destroy(m);
}

static void test_random(void **state)
{
    struct machine *a = make(1, 7), *b = make(1, 7), *c = make(1, 8);
    unsigned int same = 0;

    for (unsigned int i = 0; i < 1000; i++) {
        const uint64_t x = machine_random(a);

        assert_true(x == machine_random(b));
        same += x == machine_random(c);
    }
    assert_int_equal(same, 0);
    assert_true(a->seed == 7);
    machine_destroy(a);
    machine_destroy(b);
    machine_destroy(c);
}

static void test_refused(void **state)
{
    static const struct machine_config bad[] = {
        { .ram_mib = 0 },
        { .ram_mib = UINT64_MAX },
        { .ram_mib = 16, .nr_pcpus = MACHINE_MAX_PCPUS + 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char err[200] = "";

        assert_null(machine_create(&bad[i], err, sizeof(err)));
        assert_true(strlen(err) > 10);
    }
    machine_destroy(NULL);
}

/* Under the address sanitizer: who has forgotten to free something is named when the machine goes. */
static void test_left_over(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    struct machine *m = make(1, 1);
    int out[2], status;
    char said[400] = "", *left;
    pid_t child;

    assert_int_equal(pipe(out), 0);
    left = xzalloc_array(m->arena, char, 77);
    assert_non_null(left);
    child = fork();
    if (!child) {
        dup2(out[1], 2);
        machine_destroy(m);
        _exit(0);
    }
    close(out[1]);
    assert_true(read(out[0], said, sizeof(said) - 1) > 0);
    assert_true(waitpid(child, &status, 0) == child && status);
    assert_non_null(strstr(said, "arena: 77 bytes of tests/sim/test_machine.c:"));
    close(out[0]);
    xfree(left);
    machine_destroy(m);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ram),         cmocka_unit_test(test_sparse),    cmocka_unit_test(test_bad_frame_is_a_bug),
        cmocka_unit_test(test_random),      cmocka_unit_test(test_refused),   cmocka_unit_test(test_populate),
        cmocka_unit_test(test_frame_write), cmocka_unit_test(test_left_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
