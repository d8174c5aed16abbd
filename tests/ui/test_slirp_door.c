// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network outside, without a machine: what libslirp says to packets that are right, and to all others. Skipped
 * where libslirp is not there.
 */
#include "tests/support/random.h"

#include "ui/slirp_door.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define MAC "\x00\x16\x3e\x01\x02\x03"

static struct slirp_door *begin(void)
{
    char err[200];
    struct slirp_door *d = slirp_door_open(NULL, NULL, err, sizeof(err));

    if (!d && strstr(err, "libslirp0"))
        skip();
    assert_non_null(d);
    return d;
}

/* What has come for the machine: how much, and the last. */
struct heard {
    unsigned int nr;
    size_t len;
    uint8_t bytes[70000];
};

static bool hear(void *data, const void *packet, size_t len)
{
    struct heard *h = data;

    assert_in_range(len, 14, sizeof(h->bytes));
    memcpy(h->bytes, packet, len);
    h->len = len;
    h->nr++;
    return true;
}

static void put16(uint8_t *at, unsigned int n) { at[0] = (uint8_t)(n >> 8), at[1] = (uint8_t)n; }

static void sum_put(uint8_t *ip)
{
    uint32_t sum = 0;

    put16(ip + 10, 0);
    for (unsigned int i = 0; i < 20; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~sum & 0xffff);
}

/* Who has 10.0.2.2? */
static size_t arp(uint8_t p[64])
{
    memset(p, 0, 64);
    memset(p, 0xff, 6);
    memcpy(p + 6, MAC, 6);
    memcpy(p + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
    memcpy(p + 22, MAC "\x0a\x00\x02\x0f\0\0\0\0\0\0\x0a\x00\x02\x02", 20);
    return 42;
}

/* A DHCPDISCOVER. */
static size_t discover(uint8_t p[400])
{
    uint8_t *ip = p + 14, *udp = ip + 20, *bootp = udp + 8;
    const unsigned int len = 300;

    memset(p, 0, 400);
    memset(p, 0xff, 6);
    memcpy(p + 6, MAC, 6);
    put16(p + 12, 0x0800);
    ip[0] = 0x45, ip[8] = 64, ip[9] = 17;
    put16(ip + 2, 28 + len);
    memset(ip + 16, 0xff, 4);
    sum_put(ip);
    put16(udp, 68), put16(udp + 2, 67), put16(udp + 4, 8 + len);
    bootp[0] = 1, bootp[1] = 1, bootp[2] = 6;
    memcpy(bootp + 28, MAC, 6);
    memcpy(bootp + 236, "\x63\x82\x53\x63\x35\x01\x01\xff", 8);
    return 14 + 28 + len;
}

static void test_answers(void **state)
{
    struct slirp_door *d = begin();
    static struct heard h;
    uint8_t p[400];

    (void)state;
    slirp_door_take(d, MILLISECS(1), hear, &h);
    assert_int_equal(h.nr, 0);
    assert_int_equal(slirp_door_fds(d, (struct pollfd[SLIRP_DOOR_FDS]){ { 0 } }), 0);
    slirp_door_out(d, MILLISECS(2), p, arp(p));
    slirp_door_take(d, MILLISECS(3), hear, &h);
    assert_int_equal(h.nr, 1);
    assert_memory_equal(h.bytes, MAC, 6);
    assert_memory_equal(h.bytes + 28, "\x0a\x00\x02\x02", 4);
    slirp_door_out(d, MILLISECS(4), p, discover(p));
    slirp_door_take(d, MILLISECS(5), hear, &h);
    assert_int_equal(h.nr, 2);
    assert_memory_equal(h.bytes + 14 + 28 + 16, "\x0a\x00\x02\x0f", 4);
    slirp_door_close(d);
}

/* A datagram of 10.0.2.15 to the port of TFTP at 10.0.2.2: a request to read that file, in packets as they come. */
static size_t read_request(uint8_t p[400], const char *name)
{
    uint8_t *ip = p + 14, *udp = ip + 20, *tftp = udp + 8;
    const unsigned int len = 2 + (unsigned int)strlen(name) + 1 + 6;

    memset(p, 0, 400);
    memset(p, 0xff, 6);
    memcpy(p + 6, MAC, 6);
    put16(p + 12, 0x0800);
    ip[0] = 0x45, ip[8] = 64, ip[9] = 17;
    put16(ip + 2, 28 + len);
    memcpy(ip + 12, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
    sum_put(ip);
    put16(udp, 1000), put16(udp + 2, 69), put16(udp + 4, 8 + len);
    tftp[1] = 1;
    strcpy((char *)tftp + 2, name);
    strcpy((char *)tftp + 3 + strlen(name), "octet");
    return 14 + 28 + len;
}

/* A folder's files are handed out, and nothing outside of it; DHCP names one; without a folder nobody answers. */
static void test_tftp(void **state)
{
    char dir[] = "/tmp/tftp.XXXXXX", path[64], err[200];
    struct slirp_door *d = begin();
    static struct heard h;
    uint8_t p[400];
    FILE *f;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/boot", dir);
    f = fopen(path, "w");
    assert_true(f && fputs("a kernel", f) >= 0 && !fclose(f));
    slirp_door_out(d, MILLISECS(1), p, arp(p));
    slirp_door_out(d, MILLISECS(1), p, read_request(p, "boot"));
    slirp_door_take(d, MILLISECS(2), hear, &h);
    assert_true(h.nr < 2 || h.bytes[14 + 28 + 1] == 5);
    slirp_door_close(d);

    assert_null(slirp_door_open(path, NULL, err, sizeof(err)));
    assert_non_null(strstr(err, "boot: Not a directory"));
    assert_null(slirp_door_open("/nowhere", NULL, err, sizeof(err)));
    assert_string_equal(err, "tftp=/nowhere: No such file or directory");
    d = slirp_door_open(dir, "boot", err, sizeof(err));
    assert_non_null(d);
    h.nr = 0;
    slirp_door_out(d, MILLISECS(1), p, discover(p));
    slirp_door_take(d, MILLISECS(2), hear, &h);
    assert_int_equal(h.nr, 1);
    assert_string_equal((char *)h.bytes + 14 + 28 + 108, "boot");
    slirp_door_out(d, MILLISECS(3), p, arp(p));
    slirp_door_out(d, MILLISECS(3), p, read_request(p, "boot"));
    slirp_door_take(d, MILLISECS(4), hear, &h);
    assert_memory_equal(h.bytes + 14 + 28, "\0\3\0\1a kernel", 12);
    slirp_door_out(d, MILLISECS(5), p, read_request(p, "../../etc/passwd"));
    slirp_door_take(d, MILLISECS(6), hear, &h);
    assert_memory_equal(h.bytes + 14 + 28, "\0\5", 2);
    slirp_door_close(d);
    unlink(path);
    rmdir(dir);
}

/* Who says that there is a server of names that can be asked? */
static void test_names(void **state)
{
    static const struct {
        const char *text;
        bool has;
    } rows[] = {
        { "", false },
        { "search lan\n# nameserver 10.0.0.1\n", false },
        { "nameserver\n", false },
        { "nameserver ::1\nnameserver fe80::1%eth0\n", false },
        { "nameserver ::1\nnameserver 127.0.0.53\n", true },
        { "nameserver\t192.168.0.1", true },
        { "nameserver names.lan\n", false },
    };
    char path[] = "/tmp/resolv.XXXXXX";
    const int fd = mkstemp(path);

    (void)state;
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, rows[i].text, strlen(rows[i].text), 0), strlen(rows[i].text));
        assert_int_equal(slirp_door_names(path), rows[i].has);
    }
    close(fd);
    unlink(path);
    assert_false(slirp_door_names(path));
}

/* A door into the machine: it is something to wait for, and a port that is taken is refused. */
static void test_forwards(void **state)
{
    struct slirp_door *d = begin();
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t len = sizeof(addr);
    struct xl_forward f = { .host_addr = addr.sin_addr.s_addr, .guest_addr = htonl(0x0a00020f), .guest_port = 80 };
    struct pollfd fds[SLIRP_DOOR_FDS];
    char err[200];

    (void)state;
    assert_int_equal(bind(s, (struct sockaddr *)&addr, sizeof(addr)) || listen(s, 1), 0);
    assert_int_equal(getsockname(s, (struct sockaddr *)&addr, &len), 0);
    f.host_port = ntohs(addr.sin_port);
    assert_int_equal(slirp_door_forward(d, &f, err, sizeof(err)), -1);
    assert_non_null(strstr(err, "hostfwd=tcp:127.0.0.1:"));
    assert_non_null(strstr(err, "in use"));
    close(s);
    assert_int_equal(slirp_door_forward(d, &f, err, sizeof(err)), 0);
    slirp_door_take(d, 0, hear, NULL);
    assert_int_equal(slirp_door_fds(d, fds), 1);
    slirp_door_close(d);
}

static bool refuse(void *data, const void *packet, size_t len)
{
    (void)data, (void)packet, (void)len;
    return false;
}

/* What a guest has just begun is something to wait for, although nobody has been heard since. */
static void test_fds(void **state)
{
    struct slirp_door *d = begin();
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t len = sizeof(addr);
    struct pollfd fds[SLIRP_DOOR_FDS];
    static struct heard h;
    uint8_t p[64] = "\x52\x55\x0a\x00\x02\x02" MAC "\x08\x00", *ip = p + 14, *tcp = p + 34;
    uint32_t sum = 6 + 20;

    (void)state;
    assert_int_equal(bind(s, (struct sockaddr *)&addr, sizeof(addr)) || listen(s, 1), 0);
    assert_int_equal(getsockname(s, (struct sockaddr *)&addr, &len), 0);
    slirp_door_take(d, 0, hear, NULL);
    assert_int_equal(slirp_door_fds(d, fds), 0);
    ip[0] = 0x45, ip[8] = 64, ip[9] = 6;
    put16(ip + 2, 40);
    memcpy(ip + 12, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
    sum_put(ip);
    put16(tcp, 5000), put16(tcp + 2, ntohs(addr.sin_port));
    tcp[12] = 0x50, tcp[13] = 2, tcp[14] = 0x40;
    for (unsigned int i = 12; i < 40; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    put16(tcp + 16, ~(sum + (sum >> 16)) & 0xffff);
    slirp_door_out(d, MILLISECS(1), p, 54);
    assert_true(slirp_door_speaks(d));
    assert_true(slirp_door_connected(d));
    assert_in_range(slirp_door_due(d), 0, SECONDS(1));
    assert_int_equal(slirp_door_fds(d, fds), 1);
    assert_true(fds[0].events & POLLOUT);
    assert_int_not_equal(slirp_door_due(d), 0);
    slirp_door_out(d, MILLISECS(1), p, arp(p)); /* it is answered at once, and who waits need not */
    assert_int_equal(slirp_door_due(d), 0);
    slirp_door_take(d, MILLISECS(2), refuse, NULL);
    assert_in_range(slirp_door_due(d), 1, MILLISECS(20));
    slirp_door_take(d, MILLISECS(3), hear, &h);
    assert_int_not_equal(slirp_door_due(d), 0);
    close(s);
    slirp_door_close(d);
}

/* Packets that are damaged, cut off, or nothing at all; and a thousand connections that are begun. */
static void test_anything(void **state)
{
    struct slirp_door *d = begin();
    static struct heard h;
    uint64_t prng = 1;

    (void)state;
    for (unsigned int i = 0; i < 3000; i++) {
        uint8_t p[1600] = { 0 };
        size_t len = random_of(&prng, 2) ? arp(p) : discover(p);

        if (!random_of(&prng, 3)) { /* TCP SYN to where nobody listens, or UDP */
            uint8_t *ip = p + 14;

            len = 54;
            ip[9] = random_of(&prng, 3) ? 6 : 17;
            put16(ip + 2, 40);
            memcpy(ip + 12, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
            memcpy(p, "\x52\x55\x0a\x00\x02\x02", 6);
            put16(ip + 20, (unsigned int)random_of(&prng, 65536));
            put16(ip + 22, 1 + (unsigned int)random_of(&prng, 8));
            ip[32] = 0x50, ip[33] = 2;
            sum_put(ip);
        }
        for (unsigned int n = (unsigned int)random_of(&prng, 4); n; n--)
            p[random_of(&prng, len)] = (uint8_t)random_of(&prng, 256);
        if (!random_of(&prng, 10))
            len = 14 + random_of(&prng, sizeof(p) - 14);
        slirp_door_out(d, MILLISECS(i), p, len);
        if (!random_of(&prng, 20))
            slirp_door_take(d, MILLISECS(i), hear, &h);
    }
    slirp_door_take(d, SECONDS(10), hear, &h);
    assert_in_range(h.nr, 100, 100000);
    slirp_door_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers), cmocka_unit_test(test_tftp),     cmocka_unit_test(test_forwards),
        cmocka_unit_test(test_fds),     cmocka_unit_test(test_anything), cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
