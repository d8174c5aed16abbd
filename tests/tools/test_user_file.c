// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every kind of thing that a path can lead to, as a file to be read and as one to be written. None of them makes
 * anybody wait: a FIFO that did would end the test by its alarm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/file.h"
#include "tools/user_file.h"

#define CONTENTS "precious"

static const struct {
    const char *path;
    const char *read, *write; /* why not; NULL: it is opened */
} kinds[] = {
    { "file", NULL, NULL },
    { "hardlink", NULL, "a link: the file has another name, too" },
    { "hardlinked", NULL, "a link: the file has another name, too" },
    { "link", NULL, "a link: it is not written through" },
    { "link-to-link", NULL, "a link: it is not written through" },
    { "dangling", "a link to \"nowhere\", which is not there", "a link: it is not written through" },
    { "loop", "Too many levels of symbolic links", "a link: it is not written through" },
    { "dir", "Is a directory", "Is a directory" },
    { "link-to-dir", "Is a directory", "a link: it is not written through" },
    { "fifo", "a FIFO, and not a regular file", "a FIFO, and not a regular file" },
    { "link-to-fifo", "a FIFO, and not a regular file", "a link: it is not written through" },
    { "socket", "a socket, and not a regular file", "a socket, and not a regular file" },
    { "link-to-null", "a device, and not a regular file", "a link: it is not written through" },
    { "/dev/null", "a device, and not a regular file", "a device, and not a regular file" },
    { "/dev/full", "a device, and not a regular file", "a device, and not a regular file" },
    { "/dev/zero", "a device, and not a regular file", "a device, and not a regular file" },
    { "nothing", "No such file or directory", NULL },
    { "nodir/file", "No such file or directory", "No such file or directory" },
    { "file/file", "Not a directory", "Not a directory" },
    { "", "No such file or directory", "No such file or directory" },
};

static int setup(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
    static char dir[] = "/tmp/xenlab-test-XXXXXX";
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (!mkdtemp(dir) || chdir(dir) || fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
        return -1;
    close(fd);
    *state = dir;
    file_write("file", CONTENTS, strlen(CONTENTS));
    file_write("hardlinked", CONTENTS, strlen(CONTENTS));
    alarm(60);
    return link("hardlinked", "hardlink") || symlink("hardlinked", "link") || symlink("link", "link-to-link") ||
           symlink("nowhere", "dangling") || symlink("loop", "loop") || mkdir("dir", 0700) ||
           symlink("dir", "link-to-dir") || mkfifo("fifo", 0600) || symlink("fifo", "link-to-fifo") ||
           symlink("/dev/null", "link-to-null");
}

static int teardown(void **state)
{
    rmdir("dir");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strchr(kinds[i].path, '/'))
            unlink(kinds[i].path);
    return chdir("/") || rmdir(*state);
}

static void test_read(void **state)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char why[128] = "", text[16] = "";
        const int fd = user_file_open(kinds[i].path, why, sizeof(why));

        if ((fd < 0) != (kinds[i].read != NULL) || strcmp(why, kinds[i].read ? kinds[i].read : ""))
            fail_msg("%s: %d \"%s\"", kinds[i].path, fd, why);
        if (fd < 0)
            continue;
        assert_int_equal(read(fd, text, sizeof(text)), strlen(CONTENTS));
        assert_string_equal(text, CONTENTS);
        close(fd);
    }
}

/* What is refused is as it was, and so is what a link leads to. */
static void test_write(void **state)
{
    struct stat st;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char why[128] = "";
        const int fd = user_file_create(kinds[i].path, why, sizeof(why));

        if ((fd < 0) != (kinds[i].write != NULL) || strcmp(why, kinds[i].write ? kinds[i].write : ""))
            fail_msg("%s: %d \"%s\"", kinds[i].path, fd, why);
        if (fd < 0)
            continue;
        assert_int_equal(write(fd, "new", 3), 3);
        close(fd);
        assert_true(stat(kinds[i].path, &st) == 0 && st.st_size == 3);
    }
    assert_true(stat("hardlinked", &st) == 0 && st.st_size == strlen(CONTENTS));
    assert_int_equal(access("nowhere", F_OK), -1);
}

/* Who may read everything is not refused. */
static void test_permission(void **state)
{
    char why[128] = "";

    if (geteuid() == 0)
        skip();
    file_write("nothing", CONTENTS, strlen(CONTENTS));
    assert_int_equal(chmod("nothing", 0), 0);
    assert_int_equal(user_file_open("nothing", why, sizeof(why)), -1);
    assert_string_equal(why, "Permission denied");
    assert_int_equal(user_file_create("nothing", why, sizeof(why)), -1);
    assert_string_equal(why, "Permission denied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_permission),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
