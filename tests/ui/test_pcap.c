// SPDX-License-Identifier: GPL-2.0-or-later
/* Files of packets, read again by a reader that knows only what pcap-savefile(5) says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ui/pcap_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t word(const uint8_t *bytes, size_t at)
{
    uint32_t w;

    memcpy(&w, bytes + at, sizeof(w));
    return w;
}

/* It has just the packets of these numbers. */
static void expect_packets(const char *path, const unsigned int *numbers, unsigned int nr)
{
    static uint8_t bytes[1 << 20];
    FILE *f = fopen(path, "r");
    size_t len, at = 24;

    assert_non_null(f);
    len = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    assert_in_range(len, 24, sizeof(bytes) - 1);
    assert_int_equal(word(bytes, 0), 0xa1b23c4d); /* nanoseconds */
    assert_true(bytes[4] == 2 && bytes[6] == 4);
    assert_int_equal(word(bytes, 16), 65535);
    assert_int_equal(word(bytes, 20), 1); /* LINKTYPE_ETHERNET */
    for (unsigned int i = 0; i < nr; i++) {
        const uint32_t size = 60 + numbers[i] * 1000;

        assert_in_range(len - at, 16 + size, len);
        assert_int_equal(word(bytes, at), numbers[i]);
        assert_int_equal(word(bytes, at + 4), 999999999 - numbers[i]);
        assert_int_equal(word(bytes, at + 8), size);
        assert_int_equal(word(bytes, at + 12), size);
        for (size_t j = 0; j < size; j++)
            assert_int_equal(bytes[at + 16 + j], (uint8_t)(j + numbers[i]));
        at += 16 + size;
    }
    assert_int_equal(at, len);
}

static void all_or_a_port(void **state)
{
    static uint8_t bytes[66000];
    char dir[] = "/tmp/test_pcap.XXXXXX", all[64], one[64], value[80];
    struct pcap_files files = { .nr = 0 };
    const char *path = NULL;

    assert_non_null(mkdtemp(dir));
    snprintf(all, sizeof(all), "%s/a=b", dir); /* that is no port: there is a slash before */
    snprintf(one, sizeof(one), "%s/one", dir);
    snprintf(value, sizeof(value), "vif1.0=%s", one);
    assert_int_equal(pcap_open(&files, all), 0);
    assert_int_equal(pcap_open(&files, value), 0);
    for (unsigned int n = 0; n < 12; n++) {
        const struct host_packet p = { n % 3 ? "vif1.0" : "vif1.00", n % 2, (s_time_t)n * SECONDS(1) + 999999999 - n,
                                       bytes, 60 + n * 1000 };

        for (size_t j = 0; j < p.len; j++)
            bytes[j] = (uint8_t)(j + n);
        pcap_packet(&files, &p);
    }
    assert_int_equal(pcap_close(&files, &path), 0);
    assert_int_equal(pcap_close(&files, &path), 0);
    expect_packets(all, (unsigned int[]){ 1, 3, 5, 7, 9, 11 }, 6);
    expect_packets(one, (unsigned int[]){ 1, 2, 4, 5, 7, 8, 10, 11 }, 8);
    unlink(all);
    unlink(one);
    rmdir(dir);
}

/* A file that cannot be, and one that takes nothing. */
static void failures(void **state)
{
    static uint8_t bytes[60];
    const struct host_packet p = { "vif1.0", true, 0, bytes, sizeof(bytes) };
    struct pcap_files files = { .nr = 0 };
    const char *path = NULL;

    assert_int_equal(pcap_open(&files, "/nowhere/at/all"), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(pcap_open(&files, "/dev/null"), 0);
    assert_int_equal(pcap_open(&files, "vif1.0=/dev/full"), 0);
    for (unsigned int i = 0; i < 1000; i++)
        pcap_packet(&files, &p);
    assert_int_equal(pcap_close(&files, &path), ENOSPC);
    assert_string_equal(path, "/dev/full");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_or_a_port),
        cmocka_unit_test(failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
