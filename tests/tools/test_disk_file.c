// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of disks: each format holds what has been written to it, and qemu-img finds it in order afterwards; files that
 * are none are refused with a reason, or give errors; a helper that dies takes its own disk with it, and no other.
 *
 * Budget: three ways to have a disk, and what can go wrong with each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/types.h"
#include "tests/support/random.h"
#include "tools/disk/disk_cache.h"
#include "tools/disk/disk_file.h"
#include "tools/disk/disk_redo.h"

#define SIZE (3u << 20)

static char dir[] = "/tmp/xenlab-test-XXXXXX";
static uint8_t model[SIZE], bytes[SIZE];

static int setup(void **state) { return mkdtemp(dir) && !chdir(dir) ? 0 : -1; }

__attribute__((format(printf, 1, 2))) static int shell(const char *fmt, ...)
{
    char command[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(command, sizeof(command), fmt, ap);
    va_end(ap);
    return system(command);
}

static int teardown(void **state) { return chdir("/") || shell("rm -r %s", dir); }

static char lost_why[DISK_WHY_SIZE];
static unsigned int lost_told;

static void lost(void *data, const char *path, const char *why)
{
    lost_told++;
    snprintf(lost_why, sizeof(lost_why), "%s: %s", path, why);
}

static bool cached; /* disk_cache.h */

/* "": it is open. */
static const char *try_open(struct open_file *o, const char *path, enum xl_disk_format format, bool writable)
{
    static char why[DISK_WHY_SIZE];

    *o = (struct open_file){ .place = { path, format }, .writable = writable, .is_cached = cached, .lost = lost };
    if (!disk_file_open(o, why))
        return "";
    return why;
}

static void expect_open(struct open_file *o, const char *path, enum xl_disk_format format, bool writable)
{
    assert_string_equal(try_open(o, path, format, writable), "");
}

static void expect_refused(const char *path, enum xl_disk_format format, bool writable, const char *part)
{
    struct open_file o;
    const char *why = try_open(&o, path, format, writable);

    if (!strstr(why, part))
        fail_msg("%s: \"%s\" says nothing of \"%s\"", path, why, part);
}

static void expect_contents(struct open_file *o, const char *what)
{
    assert_int_equal(o->file.sectors, SIZE / SECTOR_SIZE);
    assert_int_equal(o->file.ops->read(&o->file, 0, bytes, SIZE), 0);
    if (memcmp(bytes, model, SIZE) != 0)
        fail_msg("%s holds something else", what);
}

/* One operation, done to the model, too. */
static void operate(struct open_file *o, uint64_t *r)
{
    const struct disk_file_ops *ops = o->file.ops;
    const uint32_t len = (uint32_t)random_of(r, random_of(r, 4) ? 9 : 400) * SECTOR_SIZE + SECTOR_SIZE;
    const uint32_t at = (uint32_t)random_of(r, (SIZE - len) / SECTOR_SIZE) * SECTOR_SIZE;

    switch (random_of(r, 8)) {
    case 0:
        if (ops->zero) {
            memset(model + at, 0, len);
            assert_int_equal(ops->zero(&o->file, at, len), 0);
        }
        break;
    case 1: assert_int_equal(ops->flush ? ops->flush(&o->file) : 0, 0); break;
    case 2:
    case 3:
    case 4:
        assert_int_equal(ops->read(&o->file, at, bytes, len), 0);
        assert_memory_equal(bytes, model + at, len);
        break;
    default:
        for (uint32_t i = 0; i < len; i++)
            model[at + i] = (uint8_t)(i * 7 + at / SECTOR_SIZE);
        memset(model + at, (int)random_of(r, 256), len / 2);
        assert_int_equal(ops->write(&o->file, at, model + at, len), 0);
    }
}

/* Contents that somebody else has made, then ours, then somebody else looks at them. */
static void format_try(enum xl_disk_format format, uint64_t *r)
{
    const char *driver = xl_disk_driver(format);
    struct open_file o;
    char path[32];
    FILE *f;

    memset(model, 0, sizeof(model));
    for (unsigned int i = 0; i < 40; i++)
        memset(model + random_of(r, SIZE / 4096) * 4096, (int)random_of(r, 256), 4096);
    f = fopen("from.raw", "w");
    assert_true(f && fwrite(model, 1, SIZE, f) == SIZE && fclose(f) == 0);
    snprintf(path, sizeof(path), "a,b=%s", driver); /* as paths may be */
    assert_int_equal(shell("qemu-img convert -f raw -O %s %s from.raw ./%s", driver,
                           format == XL_DISK_VHD ? "-o force_size=on" : "", path),
                     0);
    expect_open(&o, path, format, false);
    expect_contents(&o, path);
    assert_int_not_equal(o.file.ops->write(&o.file, 0, bytes, SECTOR_SIZE), 0);
    disk_file_close(&o);
    for (unsigned int i = 0; i < 300; i++) {
        if (i % 150 == 0) {
            cached = i;
            expect_open(&o, path, format, true);
        }
        operate(&o, r);
        if (i % 150 == 149)
            disk_file_close(&o);
    }
    cached = false;
    assert_int_equal(o.file.ops->read(&o.file, 0, bytes, SECTOR_SIZE), -EIO);
    expect_open(&o, path, format, false);
    expect_contents(&o, path);
    disk_file_close(&o);
    f = fopen("to.raw", "w");
    assert_true(f && fwrite(model, 1, SIZE, f) == SIZE && fclose(f) == 0);
    assert_int_equal(shell("qemu-img compare -q -f raw -F %s to.raw ./%s", driver, path), 0);
    if (format != XL_DISK_QCOW && format != XL_DISK_RAW && format != XL_DISK_VHD) /* which know no check */
        assert_int_equal(shell("qemu-img check -q -f %s ./%s", driver, path), 0);
}

static void test_formats(void **state)
{
    uint64_t r = 1;

    for (unsigned int f = 0; f < XL_DISK_NR_FORMATS; f++)
        format_try((enum xl_disk_format)f, &r);
}

/* --- several --- */

static void make(const char *path, const char *driver)
{
    assert_int_equal(shell("qemu-img create -q -f %s %s %u", driver, path, SIZE), 0);
}

static void test_locks(void **state)
{
    struct open_file o, p;

    make("lock.qcow2", "qcow2");
    expect_open(&o, "lock.qcow2", XL_DISK_QCOW2, true);
    expect_refused("lock.qcow2", XL_DISK_QCOW2, true, "lock");
    expect_refused("lock.qcow2", XL_DISK_QCOW2, false, "lock");
    expect_refused("lock.qcow2", XL_DISK_RAW, false, "another program uses it");
    disk_file_close(&o);
    expect_open(&o, "lock.qcow2", XL_DISK_QCOW2, false);
    expect_open(&p, "lock.qcow2", XL_DISK_QCOW2, false);
    expect_refused("lock.qcow2", XL_DISK_QCOW2, true, "lock");
    disk_file_close(&p);
    disk_file_close(&o);
    expect_open(&o, "lock.qcow2", XL_DISK_RAW, true);
    expect_refused("lock.qcow2", XL_DISK_QCOW2, false, "lock");
    disk_file_close(&o);
}

/* --- servers --- */

/* qemu-nbd of ours at a socket, which is there when this returns. */
static pid_t serve(const char *socket, const char *image, const char *option)
{
    const pid_t pid = fork();

    assert_true(pid >= 0);
    if (!pid) {
        execlp("qemu-nbd", "qemu-nbd", "--persistent", "--format=raw", "--socket", socket, option, image, NULL);
        _exit(127);
    }
    for (unsigned int i = 0; access(socket, F_OK) && i < 1000; i++)
        poll(NULL, 0, 10);
    return pid;
}

static void server_end(pid_t pid, int signal)
{
    assert_int_equal(kill(pid, signal), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_server(void **state)
{
    uint64_t r = 1;
    struct open_file o;
    char url[256], socket[128];
    pid_t pid;

    memset(model, 0, sizeof(model));
    make("server.raw", "raw");
    snprintf(socket, sizeof(socket), "%s/socket", dir);
    snprintf(url, sizeof(url), "nbd+unix:///?socket=%s", socket);
    expect_refused(url, XL_DISK_RAW, true, "No such file or directory");
    pid = serve(socket, "server.raw", "--shared=8");
    expect_open(&o, url, XL_DISK_RAW, true);
    for (unsigned int i = 0; i < 300; i++)
        operate(&o, &r);
    expect_contents(&o, url);
    disk_file_close(&o);
    expect_open(&o, url, XL_DISK_RAW, false);
    expect_contents(&o, url);
    server_end(pid, SIGTERM);
    lost_told = 0;
    assert_int_equal(o.file.ops->read(&o.file, 0, bytes, SECTOR_SIZE), -EIO);
    assert_int_equal(o.file.ops->read(&o.file, 0, bytes, SECTOR_SIZE), -EIO);
    assert_int_equal(lost_told, 1);
    disk_file_close(&o);
    unlink(socket); /* of the last one, which nobody listens at */
    pid = serve(socket, "server.raw", "--read-only");
    expect_refused(url, XL_DISK_RAW, true, "does not let it be written");
    server_end(pid, SIGTERM);
}

/* --- helpers that die --- */

/* The children of ours, of which there is one more than there was. */
static pid_t helper_of(const char *path)
{
    char command[256];
    FILE *f;
    int pid = 0;

    snprintf(command, sizeof(command), "pgrep -P %d -f 'filename=%s$'", (int)getpid(), path);
    f = popen(command, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &pid), 1);
    pclose(f);
    return pid;
}

static void helper_kill(const char *path) { assert_int_equal(kill(helper_of(path), SIGKILL), 0); }

static void test_helper_dies(void **state)
{
    struct open_file o, p, q;
    static uint8_t sector[SECTOR_SIZE];

    make("dies.qcow2", "qcow2");
    make("lives.qcow2", "qcow2");
    make("read.qcow2", "qcow2");
    expect_open(&o, "dies.qcow2", XL_DISK_QCOW2, true);
    expect_open(&p, "lives.qcow2", XL_DISK_QCOW2, true);
    expect_open(&q, "read.qcow2", XL_DISK_QCOW2, false);
    lost_told = 0;
    helper_kill("dies.qcow2");
    assert_int_equal(o.file.ops->write(&o.file, 0, sector, SECTOR_SIZE), -EIO);
    assert_int_equal(o.file.ops->read(&o.file, 0, bytes, SECTOR_SIZE), -EIO);
    assert_int_equal(o.file.ops->zero(&o.file, 0, SECTOR_SIZE), -EIO);
    assert_int_equal(o.file.ops->flush(&o.file), -EIO);
    assert_int_equal(lost_told, 1);
    assert_string_equal(lost_why, "dies.qcow2: its server is gone");
    assert_int_equal(p.file.ops->write(&p.file, 0, sector, SECTOR_SIZE), 0);
    assert_int_equal(p.file.ops->flush(&p.file), 0);
    for (unsigned int i = 0; i < 3; i++) { /* what is only read is the same as before */
        helper_kill("read.qcow2");
        assert_int_equal(q.file.ops->read(&q.file, 0, bytes, SECTOR_SIZE), 0);
    }
    assert_int_equal(rename("read.qcow2", "moved.qcow2"), 0);
    helper_kill("read.qcow2");
    assert_int_equal(q.file.ops->read(&q.file, 0, bytes, SECTOR_SIZE), -EIO);
    assert_int_equal(lost_told, 2);
    disk_file_close(&o);
    disk_file_close(&p);
    disk_file_close(&q);
}

/* What was answered is there when we are killed, all of it. */
static void test_we_die(void **state)
{
    struct open_file o;
    int ready[2], status;
    char byte;
    pid_t pid;

    make("kept.qcow2", "qcow2");
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        memset(bytes, 0x5a, SIZE);
        if (!*try_open(&o, "kept.qcow2", XL_DISK_QCOW2, true) && !o.file.ops->write(&o.file, 0, bytes, SIZE) &&
            write(ready[1], "k", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    for (unsigned int i = 0; i < 1000 && *try_open(&o, "kept.qcow2", XL_DISK_QCOW2, false); i++)
        poll(NULL, 0, 10); /* it is writing what was left to do */
    memset(model, 0x5a, SIZE);
    expect_contents(&o, "kept.qcow2");
    disk_file_close(&o);
    close(ready[0]);
    close(ready[1]);
}

/* --- what is no disk --- */

static void test_refused(void **state)
{
    char *path = strdup(getenv("PATH"));

    make("good.qcow2", "qcow2");
    make("a.raw", "raw");
    expect_refused("none.qcow2", XL_DISK_QCOW2, true, "No such file or directory");
    expect_refused(".", XL_DISK_QCOW2, true, "Is a directory");
    expect_refused("a.raw", XL_DISK_QCOW2, true, "Image is not in qcow2 format");
    expect_refused("good.qcow2", XL_DISK_VMDK, true, "qemu-nbd: ");
    expect_refused("https://127.0.0.1:1/x", XL_DISK_RAW, true, "it can only be read");
    assert_int_equal(shell("qemu-img create -q -f qcow2 empty.qcow2 0"), 0);
    expect_refused("empty.qcow2", XL_DISK_QCOW2, true, "it has no sectors");
    setenv("PATH", dir, 1);
    expect_refused("good.qcow2", XL_DISK_QCOW2, true,
                   "qemu-nbd is needed for it, and is not here (Debian: qemu-utils)");
    expect_refused("https://127.0.0.1:1/x", XL_DISK_RAW, false,
                   "nbdkit is needed for it, and is not here (Debian: nbdkit)");
    setenv("PATH", path, 1);
    free(path);
}

/* Headers and tables with bytes of them changed: refused, or a disk, whose sectors can be read or not. */
static void test_mutants(void **state)
{
    static const enum xl_disk_format formats[] = { XL_DISK_QCOW2, XL_DISK_VMDK, XL_DISK_VDI, XL_DISK_VHDX,
                                                   XL_DISK_VHD };
    const char *more = getenv("MUTANTS");
    const unsigned int nr = more ? (unsigned int)atoi(more) : 4;
    uint64_t r = 1;
    unsigned int opened = 0, refused = 0, unread = 0;

    for (unsigned int i = 0; i < nr * 5; i++) {
        const enum xl_disk_format f = formats[i % 5];
        struct open_file o;
        int fd, len;

        assert_int_equal(shell("qemu-img create -q -f %s mutant %u", xl_disk_driver(f), SIZE), 0);
        fd = open("mutant", O_RDWR);
        assert_true(fd >= 0);
        len = (int)lseek(fd, 0, SEEK_END);
        for (uint64_t n = 1 + random_of(&r, 4); n; n--) {
            const uint32_t value = random_of(&r, 4) ? (uint32_t)random_of(&r, 256) : 0xffffffff;
            const uint64_t at = random_of(&r, random_of(&r, 2) ? 128 : (uint64_t)(len < 65536 ? len : 65536) - 4);

            assert_int_equal(pwrite(fd, &value, random_of(&r, 2) ? 1 : 4, (off_t)at) > 0, 1);
        }
        close(fd);
        if (*try_open(&o, "mutant", f, random_of(&r, 2) == 0)) {
            refused++;
            continue;
        }
        opened++;
        for (uint64_t s = 0; s < o.file.sectors && s < SIZE / SECTOR_SIZE; s += 256)
            unread += o.file.ops->read(&o.file, s << SECTOR_SHIFT, bytes, 4096) != 0;
        disk_file_close(&o);
    }
    print_message("%u mutants: %u opened (%u reads failed), %u refused\n", nr * 5, opened, unread, refused);
    assert_int_equal(opened + refused, nr * 5);
}

/* --- many changes, all or none --- */

static const struct disk_file_ops *redo_ops;
static unsigned int redo_writes; /* before the process ends */

static int redo_write(struct disk_file *f, uint64_t at, const void *buf, size_t len)
{
    if (!redo_writes--)
        _exit(0);
    return redo_ops->write(f, at, buf, len);
}

/* Every third cluster becomes zero, the others have `seed` in them; the last is no whole one. */
#define REDO_SECTORS 133u

static void redo_put(struct disk_redo *r, uint8_t seed)
{
    uint8_t cluster[DISK_REDO_BYTES];

    memset(cluster, seed, sizeof(cluster));
    for (uint64_t at = 0; at < REDO_SECTORS * SECTOR_SIZE; at += sizeof(cluster))
        disk_redo_add(r, at, at / sizeof(cluster) % 3 ? cluster : NULL);
}

static void redo_model(uint8_t *to, uint8_t seed)
{
    for (uint64_t at = 0; at < REDO_SECTORS * SECTOR_SIZE; at++)
        to[at] = at / DISK_REDO_BYTES % 3 ? seed : 0;
}

/* A process that ends when so much has been written to the file. */
static void redo_child(const char *path, enum xl_disk_format format, uint8_t seed, unsigned int writes)
{
    const pid_t child = fork();
    char why[DISK_WHY_SIZE];
    struct disk_file_ops ops;
    struct disk_redo r;
    struct open_file o;

    if (!child) {
        if (*try_open(&o, path, format, true))
            _exit(1);
        ops = *(redo_ops = o.file.ops);
        ops.write = redo_write;
        ops.zero = NULL;
        redo_writes = writes;
        o.file.ops = &ops;
        if (disk_redo_begin(&r, &o, why))
            _exit(2);
        redo_put(&r, seed);
        _exit(disk_redo_end(&r, REDO_SECTORS, why) ? 3 : 0);
    }
    assert_int_equal(waitpid(child, &(int){ 0 }, 0), child);
}

static bool redo_holds(const char *path, enum xl_disk_format format, uint8_t seed)
{
    struct open_file o;
    const char *why = try_open(&o, path, format, true);

    for (unsigned int i = 0; *why && i < 100; i++) { /* the helper of who was killed may be there still */
        usleep(50000);
        why = try_open(&o, path, format, true);
    }
    assert_string_equal(why, "");
    redo_model(model, seed);
    assert_int_equal(o.file.ops->read(&o.file, 0, bytes, REDO_SECTORS * SECTOR_SIZE), 0);
    disk_file_close(&o);
    return memcmp(bytes, model, REDO_SECTORS * SECTOR_SIZE) == 0;
}

/* Wherever who writes them is ended: once the list is whole, opening the file finishes it. */
static void redo_try(enum xl_disk_format format, unsigned int step)
{
    char path[32];

    snprintf(path, sizeof(path), "redo.%s", xl_disk_word(format));
    assert_int_equal(shell("qemu-img create -q -f %s %s %u", xl_disk_driver(format), path, REDO_SECTORS * SECTOR_SIZE),
                     0);
    for (unsigned int n = 0; n <= REDO_SECTORS / 8 + 1; n += step) {
        redo_child(path, format, (uint8_t)(n + 1), n);
        if (n < REDO_SECTORS / 8) {
            assert_int_equal(shell("test -e %s.xlredo", path), 0);
            if (format == XL_DISK_RAW)
                expect_refused(path, format, false, "has changes for it");
        }
        assert_true(redo_holds(path, format, (uint8_t)(n + 1)));
        assert_int_not_equal(shell("test -e %s.xlredo", path), 0);
    }
}

static void test_redo(void **state)
{
    redo_try(XL_DISK_RAW, 1);
    redo_try(XL_DISK_QCOW2, 7);
}

static void test_redo_cut_short(void **state)
{
    struct open_file o;
    uint64_t r = 3;

    assert_int_equal(shell("truncate -s %u cutlog.img", REDO_SECTORS * SECTOR_SIZE), 0);
    redo_child("cutlog.img", XL_DISK_RAW, 7, 0);
    assert_int_equal(shell("mv cutlog.img.xlredo whole"), 0);
    for (unsigned int i = 0; i < 40; i++) {
        /* an end that is missing, or a byte that is another */
        if (i % 2)
            assert_int_equal(shell("head -c %u whole > cutlog.img.xlredo", (unsigned int)random_of(&r, 45000)), 0);
        else
            assert_int_equal(shell("cp whole cutlog.img.xlredo; printf '\\125' | dd of=cutlog.img.xlredo bs=1 seek=%u "
                                   "conv=notrunc status=none",
                                   (unsigned int)random_of(&r, 45000)),
                             0);
        expect_open(&o, "cutlog.img", XL_DISK_RAW, false);
        assert_int_equal(o.file.ops->read(&o.file, 0, bytes, REDO_SECTORS * SECTOR_SIZE), 0);
        disk_file_close(&o);
        memset(model, 0, REDO_SECTORS * SECTOR_SIZE);
        assert_memory_equal(bytes, model, REDO_SECTORS * SECTOR_SIZE);
        assert_true(redo_holds("cutlog.img", XL_DISK_RAW, 0));
    }
    assert_int_equal(shell("mv whole cutlog.img.xlredo"), 0);
    assert_true(redo_holds("cutlog.img", XL_DISK_RAW, 7));
}

/* --- a power cut --- */

#define CUT_SECTORS  256u
#define CUT_VERSIONS 64u

/* Each sector holds its version, all over; what it may hold after a cut: */
static struct {
    uint64_t may[CUT_VERSIONS];
    unsigned int nr; /* the last one is what was written last */
} cut_model[CUT_SECTORS];

static void cut_settle(void)
{
    for (unsigned int s = 0; s < CUT_SECTORS; s++) {
        cut_model[s].may[0] = cut_model[s].may[cut_model[s].nr - 1];
        cut_model[s].nr = 1;
    }
}

static uint64_t cut_version(const uint8_t *sector)
{
    uint64_t v[SECTOR_SIZE / sizeof(uint64_t)];

    memcpy(v, sector, sizeof(v));
    for (unsigned int i = 1; i < ARRAY_SIZE(v); i++)
        assert_int_equal(v[i], v[0]);
    return v[0];
}

static void cut_write(struct open_file *o, uint64_t *r, uint64_t version)
{
    const uint64_t first = random_of(r, CUT_SECTORS), nr = 1 + random_of(r, random_of(r, 9) ? 8 : 200);
    const uint64_t end = first + nr < CUT_SECTORS ? first + nr : CUT_SECTORS;

    for (uint64_t s = first; s < end; s++) {
        for (unsigned int i = 0; i < SECTOR_SIZE; i += sizeof(version))
            memcpy(bytes + (s - first) * SECTOR_SIZE + i, &version, sizeof(version));
        if (cut_model[s].nr < CUT_VERSIONS)
            cut_model[s].may[cut_model[s].nr++] = version;
    }
    assert_int_equal(o->file.ops->write(&o->file, first * SECTOR_SIZE, bytes, (end - first) * SECTOR_SIZE), 0);
}

/* How many sectors have what was written last, something between, and what was flushed? Anything else is wrong. */
static void cut_look(unsigned int found[3])
{
    FILE *f = fopen("cut.img", "r");

    assert_true(f && fread(bytes, SECTOR_SIZE, CUT_SECTORS, f) == CUT_SECTORS && fclose(f) == 0);
    for (unsigned int s = 0; s < CUT_SECTORS; s++) {
        const uint64_t v = cut_version(bytes + s * SECTOR_SIZE);
        unsigned int i = cut_model[s].nr;

        while (i-- > 0 && cut_model[s].may[i] != v)
            ;
        if (i == UINT32_MAX)
            fail_msg("sector %u has version %llu, which it never had since the last flush", s, (unsigned long long)v);
        if (cut_model[s].nr > 1)
            found[i == 0 ? 2 : i == cut_model[s].nr - 1 ? 0 : 1]++;
        cut_model[s].may[0] = v;
        cut_model[s].nr = 1;
    }
}

/*
 * What has been flushed is there after a cut, and of the rest any, but nothing that was never written; what is read
 * before is what was written last; and without a cut nothing is lost.
 */
static void test_power_cut(void **state)
{
    unsigned int found[3] = { 0 }, held = 0, kept = 0;
    uint64_t r = 11, version = 0;
    struct open_file o;

    assert_int_equal(shell("truncate -s %u cut.img", CUT_SECTORS * SECTOR_SIZE), 0);
    for (unsigned int s = 0; s < CUT_SECTORS; s++)
        cut_model[s].nr = 1;
    for (unsigned int round = 0; round < 60; round++) {
        char why[DISK_WHY_SIZE];
        struct disk_cut cut;

        o = (struct open_file){
            .place = { "cut.img", XL_DISK_RAW }, .writable = true, .is_cached = true, .seed = round
        };
        assert_int_equal(disk_file_open(&o, why), 0);
        for (uint64_t steps = random_of(&r, 40); steps; steps--) {
            if (random_of(&r, 10) == 0) {
                assert_int_equal(o.file.ops->flush(&o.file), 0);
                cut_settle();
            }
            cut_write(&o, &r, ++version);
        }
        assert_int_equal(o.file.ops->read(&o.file, 0, bytes, CUT_SECTORS * SECTOR_SIZE), 0);
        for (unsigned int s = 0; s < CUT_SECTORS; s++)
            assert_int_equal(cut_version(bytes + s * SECTOR_SIZE), cut_model[s].may[cut_model[s].nr - 1]);
        if (round % 4 == 3) {
            disk_file_close(&o);
            cut_settle();
            cut_look(found);
            continue;
        }
        cut = disk_cache_cut(&o);
        held += cut.held;
        kept += cut.kept;
        disk_file_close(&o);
        cut_look(found);
    }
    if (!found[0] || !found[1] || !found[2])
        fail_msg("of what was not flushed %u sectors are new, %u between, %u old", found[0], found[1], found[2]);
    assert_true(kept > held / 4 && kept < held - held / 4);
}

/* More than there is room for in the cache; and what is discarded in it. */
static void test_power_cut_full(void **state)
{
    const uint64_t size = 20u << 20;
    struct open_file o = { .place = { "full.img", XL_DISK_RAW }, .writable = true, .is_cached = true };
    char why[DISK_WHY_SIZE];

    assert_int_equal(shell("truncate -s 20M full.img"), 0);
    assert_int_equal(disk_file_open(&o, why), 0);
    memset(model, 0xab, SIZE);
    for (uint64_t at = 0; at + SIZE <= size; at += SIZE)
        assert_int_equal(o.file.ops->write(&o.file, at, model, SIZE), 0);
    for (uint64_t at = 0; at + SIZE <= size; at += SIZE) {
        assert_int_equal(o.file.ops->read(&o.file, at, bytes, SIZE), 0);
        assert_memory_equal(bytes, model, SIZE);
    }
    assert_true(disk_cache_cut(&o).held <= 16384);
    disk_file_close(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_server),         cmocka_unit_test(test_helper_dies),
        cmocka_unit_test(test_we_die),         cmocka_unit_test(test_refused),
        cmocka_unit_test(test_mutants),        cmocka_unit_test(test_power_cut),
        cmocka_unit_test(test_power_cut_full), cmocka_unit_test(test_redo),
        cmocka_unit_test(test_redo_cut_short),
    };

    alarm(300);
    return cmocka_run_group_tests(tests, setup, teardown);
}
