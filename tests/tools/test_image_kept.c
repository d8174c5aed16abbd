// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unpacked kernels on disk: what is kept comes back, and nothing else ever does, whatever the folder holds.
 *
 * Could pass wrongly: a file that is refused looks like one that is not there. So each damage is done to a file that
 * has just been taken.
 *
 * Budget: over 400 lines, being a list of ways to be wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "labs/kit/kernel_file.h"
#include "tools/build/image.h"
#include "tools/build/image_kept.h"

enum { SIZE = 50000, PACKED = 20000 };

/* A home of its own for each test, and what is packed and unpacked in it. */
struct fixture {
    char home[64];
    int folder;
    uint8_t packed[PACKED], unpacked[SIZE];
};

static void fill(uint8_t *data, size_t size, unsigned int seed)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char said[IMAGE_KEPT_SAID_SIZE];

    strcpy(f->home, "/tmp/test_image_kept.XXXXXX");
    if (!mkdtemp(f->home))
        return -1;
    unsetenv("XENLAB_CACHE");
    setenv("XDG_CACHE_HOME", f->home, 1);
    f->folder = image_kept_open(said);
    fill(f->packed, PACKED, 1);
    fill(f->unpacked, SIZE, 2);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128 + sizeof(f->home)];

    close(f->folder);
    snprintf(command, sizeof(command), "rm -rf %s", f->home);
    free(f);
    return system(command);
}

static void put(struct fixture *f) { image_kept_put(f->folder, f->packed, PACKED, f->unpacked, SIZE, IMAGE_KEPT_MAX); }

/* Is it there? Then it must be right. */
static bool got(struct fixture *f)
{
    uint8_t *out = NULL;
    size_t size = 0;

    if (!image_kept_get(f->folder, f->packed, PACKED, &out, &size))
        return false;
    assert_int_equal(size, SIZE);
    assert_memory_equal(out, f->unpacked, SIZE);
    free(out);
    return true;
}

/* How many files are in the folder, and the name of the last. */
static unsigned int files(struct fixture *f, char name[NAME_MAX + 1])
{
    char path[128];
    unsigned int n = 0;

    snprintf(path, sizeof(path), "%s/xenlab", f->home);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.' && ++n && name)
            strcpy(name, e->d_name);
    closedir(dir);
    return n;
}

/* ---------------------------------------------------------------------------------------------- there and back -- */

static void test_kept(void **state)
{
    struct fixture *f = *state;
    char name[NAME_MAX + 1];
    struct stat st;

    assert_true(f->folder >= 0);
    assert_false(got(f));
    put(f);
    assert_true(got(f));
    assert_true(got(f));
    put(f);
    assert_int_equal(files(f, name), 1);
    assert_int_equal(fstatat(f->folder, name, &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    f->packed[PACKED / 2] ^= 1; /* another kernel */
    assert_false(got(f));
}

/* A file under the right name, but of another kernel: two hashes may be the same. */
static void test_other_kernel_of_the_same_name(void **state)
{
    struct fixture *f = *state;
    char mine[NAME_MAX + 1], other[NAME_MAX + 1];

    put(f);
    assert_true(got(f));
    files(f, mine);
    f->packed[7] ^= 1;
    f->unpacked[7] ^= 1;
    assert_int_equal(renameat(f->folder, mine, f->folder, "aside"), 0);
    put(f);
    assert_int_equal(unlinkat(f->folder, "aside", 0), 0);
    files(f, other);
    assert_int_equal(renameat(f->folder, other, f->folder, mine), 0);
    f->packed[7] ^= 1;
    f->unpacked[7] ^= 1;
    assert_false(got(f));
    put(f);
    assert_true(got(f));
}

/* ------------------------------------------------------------------------------------------------------- damage -- */

static void test_each_part_damaged(void **state)
{
    /* magic, packed size, size, hash, packed kernel, unpacked kernel */
    static const off_t places[] = { 0, 32, 40, 48, 63, 64, 64 + PACKED - 1, 64 + PACKED, 64 + PACKED + SIZE - 1 };
    struct fixture *f = *state;
    char name[NAME_MAX + 1];

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint8_t byte;

        put(f);
        assert_true(got(f));
        files(f, name);
        int fd = openat(f->folder, name, O_RDWR);
        assert_int_equal(pread(fd, &byte, 1, places[i]), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, places[i]), 1);
        close(fd);
        if (got(f))
            fail_msg("taken with byte %ld changed", (long)places[i]);
    }
    put(f); /* and it can be repaired */
    assert_true(got(f));
    assert_int_equal(files(f, NULL), 1);
}

static void test_each_length(void **state)
{
    static const off_t lengths[] = { 0, 1, 63, 64, 64 + PACKED, 64 + PACKED + SIZE - 1, 64 + PACKED + SIZE + 1 };
    struct fixture *f = *state;
    char name[NAME_MAX + 1];

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        put(f);
        assert_true(got(f));
        files(f, name);
        int fd = openat(f->folder, name, O_RDWR);
        assert_int_equal(ftruncate(fd, lengths[i]), 0);
        close(fd);
        if (got(f))
            fail_msg("taken with a length of %ld", (long)lengths[i]);
    }
}

/* What else may stand under its name. None may be followed, waited for, or taken. */
static void test_not_a_file(void **state)
{
    struct fixture *f = *state;
    char name[NAME_MAX + 1];

    put(f);
    files(f, name);
    assert_int_equal(renameat(f->folder, name, f->folder, "elsewhere"), 0);
    assert_int_equal(symlinkat("elsewhere", f->folder, name), 0);
    assert_false(got(f));
    put(f);
    assert_true(got(f));

    unlinkat(f->folder, name, 0);
    assert_int_equal(mkfifoat(f->folder, name, 0600), 0);
    assert_false(got(f));
    put(f);
    assert_true(got(f));

    unlinkat(f->folder, name, 0);
    assert_int_equal(mkdirat(f->folder, name, 0700), 0);
    assert_false(got(f));
    put(f); /* it cannot be moved out of the way */
    assert_false(got(f));
    assert_int_equal(files(f, NULL), 2);
}

static void test_others_may_write_it(void **state)
{
    static const mode_t modes[] = { 0620, 0602 };
    struct fixture *f = *state;
    char name[NAME_MAX + 1];

    for (size_t i = 0; i < 2; i++) {
        put(f);
        assert_true(got(f));
        files(f, name);
        assert_int_equal(fchmodat(f->folder, name, modes[i], 0), 0);
        assert_false(got(f));
    }
    if (geteuid() != 0)
        return; /* only root can give a file away */
    put(f);
    assert_true(got(f));
    assert_int_equal(fchownat(f->folder, name, 1, 1, 0), 0);
    assert_false(got(f));
}

/* ------------------------------------------------------------------------------------------------------ its size -- */

/* Keep kernel n of some, as last used at that second. */
static void put_used(struct fixture *f, unsigned int n, time_t when, uint64_t max_bytes)
{
    char name[NAME_MAX + 1];
    DIR *dir;

    f->packed[0] = (uint8_t)n;
    image_kept_put(f->folder, f->packed, PACKED, f->unpacked, SIZE, max_bytes);
    dir = fdopendir(openat(f->folder, ".", O_RDONLY));
    for (const struct dirent *e; (e = readdir(dir));) {
        struct stat st;

        strcpy(name, e->d_name);
        if (name[0] != '.' && !fstatat(f->folder, name, &st, 0) && st.st_mtim.tv_sec > 1000000)
            utimensat(f->folder, name, (struct timespec[]){ { when, 0 }, { when, 0 } }, 0);
    }
    closedir(dir);
}

static bool got_nr(struct fixture *f, unsigned int n)
{
    f->packed[0] = (uint8_t)n;
    return got(f);
}

static void test_oldest_goes_first(void **state)
{
    const uint64_t three = 3 * (64 + PACKED + SIZE);
    struct fixture *f = *state;

    put_used(f, 1, 1000, three);
    put_used(f, 2, 3000, three);
    put_used(f, 3, 2000, three);
    assert_int_equal(files(f, NULL), 3);
    put_used(f, 4, 4000, three);
    assert_int_equal(files(f, NULL), 3);
    assert_false(got_nr(f, 1));

    assert_true(got_nr(f, 3)); /* used: now 2 is the oldest */
    put_used(f, 5, 5000, three);
    assert_false(got_nr(f, 2));
    assert_true(got_nr(f, 3) && got_nr(f, 4) && got_nr(f, 5));

    image_kept_put(f->folder, f->packed, PACKED, f->unpacked, SIZE, three / 3 - 1); /* no room even alone */
    assert_false(got(f));
}

/* Neither counted nor removed; but a file that a dead process left is. */
static void test_foreign_files(void **state)
{
    static const char *const foreign[] = {
        "notes.txt",
        "0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef-v1.txt",
        "0123456789abcdef0123456789abcdef-v1.new-12x",
        "0123456789abcdef0123456789abcdef0-v1",
    };
    static const char left[] = "0123456789abcdef0123456789abcdef-v1.new-123",
                      being_written[] = "0123456789abcdef0123456789abcdef-v1.new-124";
    struct fixture *f = *state;
    const size_t nr = sizeof(foreign) / sizeof(foreign[0]);

    for (size_t i = 0; i < nr; i++) {
        int fd = openat(f->folder, foreign[i], O_CREAT | O_WRONLY, 0600);

        assert_int_equal(ftruncate(fd, 1 << 30), 0);
        close(fd);
        utimensat(f->folder, foreign[i], (struct timespec[]){ { 5, 0 }, { 5, 0 } }, 0);
    }
    close(openat(f->folder, left, O_CREAT | O_WRONLY, 0600));
    utimensat(f->folder, left, (struct timespec[]){ { 5, 0 }, { 5, 0 } }, 0);
    close(openat(f->folder, being_written, O_CREAT | O_WRONLY, 0600));
    put(f);
    assert_true(got(f));
    assert_int_equal(files(f, NULL), nr + 2);
    for (size_t i = 0; i < nr; i++)
        assert_int_equal(faccessat(f->folder, foreign[i], F_OK, 0), 0);
    assert_int_not_equal(faccessat(f->folder, left, F_OK, 0), 0);
    assert_int_equal(faccessat(f->folder, being_written, F_OK, 0), 0);
}

/* A file system that is full in the middle of it, as a limit of the file's size is. */
static void test_no_room(void **state)
{
    struct fixture *f = *state;
    struct rlimit old, small = { .rlim_cur = PACKED };

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    put(f);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(got(f));
    assert_int_equal(files(f, NULL), 0);
}

/* Many at once: whoever finds a file finds a whole one. */
static void test_concurrent(void **state)
{
    struct fixture *f = *state;
    unsigned int found = 0;
    int status;

    for (int child = 0; child < 4; child++)
        if (fork() == 0) {
            for (int i = 0; i < 200; i++)
                put(f);
            _exit(0);
        }
    for (int i = 0; i < 400; i++)
        found += got(f);
    for (int child = 0; child < 4; child++)
        assert_true(wait(&status) > 0 && status == 0);
    assert_true(got(f));
    assert_int_equal(files(f, NULL), 1);
    (void)found; /* how often depends on the weather; got() has compared each */
}

/* --------------------------------------------------------------------------------------------------- the folder -- */

/* Open with these; "" is unset. The descriptor is closed. */
static bool opens(const char *off, const char *cache_home, const char *home)
{
    const char *const names[] = { "XENLAB_CACHE", "XDG_CACHE_HOME", "HOME" }, *values[] = { off, cache_home, home };
    char said[IMAGE_KEPT_SAID_SIZE];
    int fd;

    for (int i = 0; i < 3; i++)
        if (*values[i])
            setenv(names[i], values[i], 1);
        else
            unsetenv(names[i]);
    fd = image_kept_open(said);
    if (fd >= 0)
        close(fd);
    assert_int_equal(said[0] == 0, !strcmp(off, "off")); /* whoever switched it off need not be told */
    return fd >= 0;
}

static void test_which_folder(void **state)
{
    struct fixture *f = *state;
    char path[128], deep[128];

    snprintf(deep, sizeof(deep), "%s/a/b", f->home);
    assert_true(opens("", deep, ""));
    snprintf(path, sizeof(path), "%s/a/b/xenlab", f->home);
    assert_int_equal(access(path, F_OK), 0);

    assert_true(opens("", "", f->home));
    snprintf(path, sizeof(path), "%s/.cache/xenlab", f->home);
    assert_int_equal(rmdir(path), 0);
    assert_true(opens("", "relative", f->home));
    assert_int_equal(rmdir(path), 0);
    assert_int_not_equal(access("relative", F_OK), 0);
    assert_false(opens("off", "", f->home));
    assert_false(opens("off", deep, f->home));
    assert_int_not_equal(access(path, F_OK), 0);
    assert_true(opens("on", "", f->home));

    assert_false(opens("", "", ""));
    assert_false(opens("", "", "relative"));
    assert_false(opens("", "/proc/nowhere", f->home));
    assert_false(opens("", "/dev/null", f->home));
}

/* Somebody else's folder, one that others may write, a link, a file. */
static void test_folder_of_others(void **state)
{
    struct fixture *f = *state;
    char path[128], aside[128];

    snprintf(path, sizeof(path), "%s/xenlab", f->home);
    snprintf(aside, sizeof(aside), "%s/aside", f->home);
    assert_true(opens("", f->home, ""));
    assert_int_equal(chmod(path, 0770), 0);
    assert_false(opens("", f->home, ""));
    assert_int_equal(chmod(path, 0702), 0);
    assert_false(opens("", f->home, ""));
    assert_int_equal(chmod(path, 0755), 0);
    assert_true(opens("", f->home, ""));
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 1, 1), 0);
        assert_false(opens("", f->home, ""));
        assert_int_equal(chown(path, 0, 0), 0);
    }
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(symlink(aside, path), 0);
    assert_false(opens("", f->home, ""));
    assert_int_equal(unlink(path), 0);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_false(opens("", f->home, ""));
}

/* ------------------------------------------------------------------------------------------------- the whole way -- */

/* A packed kernel with so many bytes that do not shrink, in a file; both forms of it are the caller's to free. */
struct kernel {
    uint8_t *packed, *unpacked;
    size_t packed_size, size;
};

static struct kernel kernel_write(const char *path, size_t extra)
{
    struct kernel k;
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    k.unpacked = kernel_elf(&kernel_linux64, &k.size);
    k.unpacked = realloc(k.unpacked, k.size + extra);
    fill(k.unpacked + k.size, extra, 3);
    k.size += extra;
    k.packed = kernel_pack("gzip", k.unpacked, k.size, &k.packed_size);
    assert_int_equal(fwrite(k.packed, k.packed_size, 1, out), 1);
    assert_int_equal(fclose(out), 0);
    return k;
}

static void kernel_free(struct kernel *k)
{
    free(k->packed);
    free(k->unpacked);
}

/* The first byte of text that the kernel in the file loads. */
static int loads(const char *path)
{
    char err[IMAGE_ERR_SIZE] = "";
    struct image img;
    int byte;

    if (image_load(&img, path, IMAGE_PV, err))
        fail_msg("%s", err);
    assert_string_equal(img.compressed, "gzip");
    byte = img.segments[0].data[1];
    image_free(&img);
    return byte;
}

static void test_image_load(void **state)
{
    struct fixture *f = *state;
    struct kernel k;
    char path[128], name[NAME_MAX + 1];
    size_t text;
    int right;

    snprintf(path, sizeof(path), "%s/kernel", f->home);
    k = kernel_write(path, 1000);
    right = loads(path);
    assert_int_equal(files(f, NULL), 0); /* a small one is not kept */
    kernel_free(&k);

    k = kernel_write(path, IMAGE_KEPT_MIN);
    assert_int_equal(loads(path), right);
    assert_int_equal(files(f, NULL), 1);
    assert_int_equal(loads(path), right);

    /* That the second time it was not unpacked: with another kernel on disk, that one is loaded. */
    memcpy(&text, k.unpacked + kernel_phdr_offset(false, 0) + 8, sizeof(text)); /* p_offset */
    k.unpacked[text + 1] ^= 0xff;
    image_kept_put(f->folder, k.packed, k.packed_size, k.unpacked, k.size, IMAGE_KEPT_MAX);
    assert_int_equal(loads(path), right ^ 0xff);
    setenv("XENLAB_CACHE", "off", 1);
    assert_int_equal(loads(path), right);
    unsetenv("XENLAB_CACHE");

    /* What cannot be used is replaced. */
    files(f, name);
    assert_int_equal(fchmodat(f->folder, name, 0666, 0), 0);
    assert_int_equal(loads(path), right);
    assert_int_equal(loads(path), right);
    assert_int_equal(files(f, NULL), 1);
    kernel_free(&k);
}

/* It is loaded none the less, and says why it could not be kept; once it is kept, nothing. */
static void test_not_kept(void **state)
{
    struct fixture *f = *state;
    struct rlimit before, small;
    char path[128], err[IMAGE_ERR_SIZE];
    struct kernel k;
    struct image img;

    snprintf(path, sizeof(path), "%s/kernel", f->home);
    k = kernel_write(path, IMAGE_KEPT_MIN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){ 100000, before.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(image_load(&img, path, IMAGE_PV, err), 0);
    assert_non_null(strstr(img.not_kept, "/xenlab: File too large"));
    image_free(&img);
    assert_int_equal(files(f, NULL), 0);
    setrlimit(RLIMIT_FSIZE, &before);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(image_load(&img, path, IMAGE_PV, err), 0);
        assert_string_equal(img.not_kept, "");
        image_free(&img);
    }
    kernel_free(&k);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_kept),
        TEST(test_other_kernel_of_the_same_name),
        TEST(test_each_part_damaged),
        TEST(test_each_length),
        TEST(test_not_a_file),
        TEST(test_others_may_write_it),
        TEST(test_oldest_goes_first),
        TEST(test_foreign_files),
        TEST(test_no_room),
        TEST(test_concurrent),
        TEST(test_which_folder),
        TEST(test_folder_of_others),
        TEST(test_image_load),
        TEST(test_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
