// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks and their clones against arrays: whatever is written, discarded or cloned at random, every disk of a family
 * reads as its own array does, whether the first of them writes its file or keeps what it is told in memory. And how
 * long disks take, against the formulas.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
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

/* --- how long it takes --- */

#define TURN 8388608 /* ns */

static struct disk speedy(enum disk_speed speed)
{
    return (struct disk){ .speed = speed, .sectors = 1u << 22 }; /* 2 GiB */
}

/* Eight at once, each by itself; a flush comes behind all of them. */
static void ssd_takes(void **state)
{
    struct disk d = speedy(DISK_SSD);

    for (unsigned int i = 0; i < 8; i++)
        assert_int_equal(disk_due(&d, DISK_READ, i * 999, 8, 1000), 1000 + MICROSECS(80) + 8192);
    assert_int_equal(disk_busy(&d, 1000), 8);
    assert_int_equal(disk_due(&d, DISK_WRITE, 0, 1, 1000), 1000 + MICROSECS(80) + 8192 + MICROSECS(20) + 1024);
    assert_int_equal(disk_due(&d, DISK_DISCARD, 0, 1u << 20, 1000), 1000 + MICROSECS(80) + 8192 + MICROSECS(20));
    assert_int_equal(disk_due(&d, DISK_FLUSH, 0, 0, 1000), 1000 + MICROSECS(80) + 8192 + MICROSECS(520) + 1024);
    assert_int_equal(disk_busy(&d, MILLISECS(1)), 0);
}

static void none_takes_nothing(void **state)
{
    struct disk d = speedy(DISK_NONE);

    for (unsigned int op = 0; op < DISK_OPS; op++)
        assert_int_equal(disk_due(&d, (enum disk_op)op, op * 99999, 4096, 77 + op), 77 + op);
    assert_int_equal(disk_busy(&d, 80), 0);
}

/*
 * Whatever is asked for, it is done when the platter's turn is where the last sector ends, and at the first such moment
 * after the arm has arrived: as the formula says, in floating point here.
 */
static void hdd_takes(void **state)
{
    struct disk d = speedy(DISK_HDD);
    const double tracks = (double)(d.sectors / 2048 + 1);
    s_time_t now = 0, free_at = 0;
    uint64_t r = 5, arm = 0;

    for (unsigned int n = 0; n < 20000; n++) {
        const uint64_t nr = 1 + random_of(&r, random_of(&r, 3) ? 8 : 3000);
        const uint64_t near = arm + random_of(&r, 4096), any = random_of(&r, d.sectors - nr);
        const uint64_t sector = random_of(&r, 3) && near + nr <= d.sectors ? near : any;
        const s_time_t start = free_at > now ? free_at : now;
        const double far = fabs((double)(sector / 2048) - (double)(arm / 2048));
        const double seek =
            sector / 2048 == arm / 2048 || sector / 2048 == arm / 2048 + 1 ? 0 : 1e6 + 13e6 * sqrt(far / tracks);
        const s_time_t due = disk_due(&d, n % 2 ? DISK_READ : DISK_WRITE, sector, nr, now);
        const double rotation = (double)(due - start) - seek - (double)nr * 4096;

        assert_int_equal(due % TURN, (sector + nr) % 2048 * 4096);
        if (rotation < -2 || rotation >= TURN + 2)
            fail_msg("sector %llu from %llu: %f ns of rotation", (unsigned long long)sector, (unsigned long long)arm,
                     rotation);
        assert_int_equal(disk_due(&d, DISK_FLUSH, 0, 0, now), due);
        free_at = due;
        arm = sector + nr;
        now += (s_time_t)random_of(&r, 3 * TURN);
    }
}

/* In order and asked for early enough it comes as fast as the platter turns; too late costs a whole turn. */
static void hdd_streams(void **state)
{
    struct disk d = speedy(DISK_HDD);
    s_time_t due = disk_due(&d, DISK_READ, 0, 64, 0), next;

    assert_int_equal(due, 64 * 4096);
    for (uint64_t i = 1; i < 1000; i++)
        due = disk_due(&d, DISK_READ, i * 64, 64, i % 3 ? 0 : due);
    assert_int_equal(due, 64000 * 4096);
    next = disk_due(&d, DISK_READ, 64000, 64, due + 1);
    assert_int_equal(next, due + TURN + 64 * 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(in_memory), cmocka_unit_test(in_its_file),
                                        cmocka_unit_test(ssd_takes), cmocka_unit_test(none_takes_nothing),
                                        cmocka_unit_test(hdd_takes), cmocka_unit_test(hdd_streams) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
