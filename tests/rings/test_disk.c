// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks and their clones against arrays: whatever is written, discarded or cloned at random, every disk of a family
 * reads as its own array does, whether the first of them writes its file or keeps what it is told in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rings/disk.h"
#include "sim/bug.h"
#include "tests/support/random.h"

#define SECTORS 77u /* the last cluster is no whole one */
#define BYTES   (SECTORS * SECTOR_SIZE)
#define DISKS   6u
#define STEPS   4000u

static uint8_t file_bytes[BYTES];

static int mem_read(struct disk_file *f, uint64_t at, void *buf, size_t len)
{
    (void)f;
    memset(buf, 0, len);
    if (at < BYTES)
        memcpy(buf, file_bytes + at, len < BYTES - at ? len : BYTES - at);
    return 0;
}

static int mem_write(struct disk_file *f, uint64_t at, const void *buf, size_t len)
{
    assert_true(f->live);
    memcpy(file_bytes + at, buf, len);
    return 0;
}

static int mem_zero(struct disk_file *f, uint64_t at, uint64_t len)
{
    assert_true(f->live);
    memset(file_bytes + at, 0, len);
    return 0;
}

static const struct disk_file_ops mem_ops = { .read = mem_read, .write = mem_write, .zero = mem_zero };

struct family {
    struct disk *disk[DISKS];
    uint8_t model[DISKS][BYTES];
    unsigned int nr;
};

static void check(const struct family *f, const char *after)
{
    uint8_t seen[BYTES];

    for (unsigned int i = 0; i < f->nr; i++) {
        assert_int_equal(disk_read(f->disk[i], 0, seen, SECTORS), 0);
        if (memcmp(seen, f->model[i], BYTES))
            fail_msg("disk %u of %u is wrong after %s", i, f->nr, after);
    }
}

static void clone_one(struct family *f, unsigned int of)
{
    if (f->nr == DISKS)
        return;
    f->disk[f->nr] = disk_clone(f->disk[of], "clone");
    assert_non_null(f->disk[f->nr]);
    memcpy(f->model[f->nr++], f->model[of], BYTES);
}

static void change(struct family *f, uint64_t *r, unsigned int i)
{
    const unsigned int at = (unsigned int)random_of(r, SECTORS), nr = 1 + (unsigned int)random_of(r, SECTORS - at);
    uint8_t bytes[BYTES];

    if (random_of(r, 4) == 0) {
        assert_int_equal(disk_discard(f->disk[i], at, nr), 0);
        memset(f->model[i] + at * SECTOR_SIZE, 0, nr * SECTOR_SIZE);
        return;
    }
    memset(bytes, (int)random_of(r, 256), nr * SECTOR_SIZE);
    assert_int_equal(disk_write(f->disk[i], at, bytes, nr), 0);
    memcpy(f->model[i] + at * SECTOR_SIZE, bytes, nr * SECTOR_SIZE);
}

static void run(bool live, uint64_t seed)
{
    struct disk_file file = { .ops = &mem_ops, .sectors = SECTORS, .live = live };
    struct arena *a = arena_create();
    uint64_t r = seed;
    static struct family f;

    memset(&f, 0, sizeof(f));
    for (unsigned int i = 0; i < BYTES; i++)
        file_bytes[i] = (uint8_t)random_of(&r, 256);
    memcpy(f.model[0], file_bytes, BYTES);
    f.disk[f.nr++] = disk_create(a, &file, "disk");
    for (unsigned int n = 0; n < STEPS; n++) {
        const unsigned int i = (unsigned int)random_of(&r, f.nr);

        if (random_of(&r, 300) == 0)
            clone_one(&f, i);
        else
            change(&f, &r, i);
        if (n % 8 == 0)
            check(&f, "a change");
    }
    assert_int_equal(f.nr, DISKS);
    assert_int_equal(disk_grow(f.disk[1], SECTORS + 1), -EOPNOTSUPP);
    while (f.nr)
        disk_destroy(f.disk[--f.nr]);
    arena_destroy(a);
}

static void in_memory(void **state)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        run(false, seed);
}

static void in_its_file(void **state)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        run(true, seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(in_memory), cmocka_unit_test(in_its_file) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
