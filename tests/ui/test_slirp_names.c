// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network outside, and names: a guest asks 10.0.2.3, and the server that the host's resolv.conf names answers.
 * Skipped where libslirp is not there, or where a process may not have namespaces of its own.
 *
 * Concept: this process goes into namespaces, of users, networks and mounts: there it may listen at port 53 of a
 * loopback of its own, and has another /etc/resolv.conf. The guest and the servers are played here, too.
 *
 * When could this pass wrongly? If somebody else answered: so each server says who it is.
 */
#include "ui/slirp_door.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static char conf[] = "/tmp/names.XXXXXX";

static bool write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    const bool fine = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return fine;
}

/* A network and a view of the files that are this process's own. False: it may not. */
static bool alone(void)
{
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    char uids[32];
    bool fine;
    int s;

    snprintf(uids, sizeof(uids), "0 %u 1\n", (unsigned int)getuid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) || !write_file("/proc/self/uid_map", uids))
        return false;
    s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    fine = s >= 0 && !ioctl(s, SIOCSIFFLAGS, &lo);
    if (s >= 0)
        close(s);
    return fine && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
           !mount(conf, SLIRP_DOOR_NAMES, NULL, MS_BIND, NULL);
}

/* At its port 53. */
static int server_open(const char *address)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(53) };
    const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_int_equal(inet_pton(AF_INET, address, &addr.sin_addr), 1);
    assert_int_equal(bind(s, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return s;
}

static void put16(uint8_t *at, unsigned int n) { at[0] = (uint8_t)(n >> 8), at[1] = (uint8_t)n; }

/* What is asked: the address of xenlab.test. */
static const uint8_t question[] = "\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x06xenlab\x04test\0\0\x01\0\x01";
#define QUESTION (sizeof(question) - 1)
#define ANSWER   (QUESTION + 16)

/* The one who has been asked says that it is 192.0.2.`last`. False: nobody has asked it. */
static bool server_answer(int s, uint8_t last)
{
    static const uint8_t record[] = "\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02";
    uint8_t p[512];
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    const ssize_t n = recvfrom(s, p, sizeof(p), 0, (struct sockaddr *)&from, &len);

    if (n < 0)
        return false;
    assert_int_equal(n, QUESTION);
    assert_memory_equal(p, question, QUESTION);
    p[2] |= 0x80, p[7] = 1;
    memcpy(p + QUESTION, record, 15);
    p[QUESTION + 15] = last;
    assert_int_equal(sendto(s, p, ANSWER, 0, (struct sockaddr *)&from, len), ANSWER);
    return true;
}

/* The guest asks, at 10.0.2.3. */
static void ask(struct slirp_door *d, s_time_t now, unsigned int port)
{
    uint8_t p[34 + 8 + QUESTION] = "\x52\x55\x0a\x00\x02\x03\x00\x16\x3e\x01\x02\x03\x08\x00", *ip = p + 14;
    uint32_t sum = 0;

    ip[0] = 0x45, ip[8] = 64, ip[9] = IPPROTO_UDP;
    put16(ip + 2, 28 + QUESTION);
    memcpy(ip + 12, "\x0a\x00\x02\x0f\x0a\x00\x02\x03", 8);
    for (unsigned int i = 0; i < 20; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
    put16(ip + 20, port), put16(ip + 22, 53), put16(ip + 24, 8 + QUESTION); /* without a sum */
    memcpy(ip + 28, question, QUESTION);
    slirp_door_out(d, now, p, sizeof(p));
}

struct heard {
    unsigned int arps, answers;
    uint8_t last;
    unsigned int port;
};

static bool hear(void *data, const void *packet, size_t len)
{
    struct heard *h = data;
    const uint8_t *p = packet;

    if (p[12] == 8 && p[13] == 6) {
        h->arps++;
        return true;
    }
    assert_int_equal(len, 34 + 8 + ANSWER);
    assert_memory_equal(p + 26, "\x0a\x00\x02\x03\x0a\x00\x02\x0f", 8);
    assert_memory_equal(p + 34, "\0\x35", 2);
    h->port = (unsigned int)p[36] << 8 | p[37];
    h->last = p[len - 1];
    h->answers++;
    return true;
}

/* Who has 10.0.2.15? The guest. */
static void arp_answer(struct slirp_door *d, s_time_t now)
{
    uint8_t p[42] = "\x52\x55\x0a\x00\x02\x02\x00\x16\x3e\x01\x02\x03\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02";

    memcpy(p + 22, "\x00\x16\x3e\x01\x02\x03\x0a\x00\x02\x0f\x52\x55\x0a\x00\x02\x02\x0a\x00\x02\x02", 20);
    slirp_door_out(d, now, p, sizeof(p));
}

/* The first server is asked; when the file names another one, a second later that one is; then there is none. */
static void test_asked(void **state)
{
    static const char *const address[] = { "127.0.0.1", "127.0.0.2" };
    int server[2];
    char err[200], text[64];
    struct heard h = { 0 };
    struct slirp_door *d;
    s_time_t now = SECONDS(1);

    (void)state;
    if (!alone()) {
        print_message("no namespaces here: nobody can be asked for names\n");
        skip();
    }
    d = slirp_door_open(NULL, NULL, err, sizeof(err));
    if (!d && strstr(err, "libslirp0"))
        skip();
    assert_non_null(d);
    for (unsigned int i = 0; i < 2; i++)
        server[i] = server_open(address[i]);
    arp_answer(d, now);
    for (unsigned int i = 0; i < 6; i++) {
        const unsigned int which = i / 3, asked = h.answers;

        snprintf(text, sizeof(text), "nameserver ::1\nsearch lan\nnameserver %s\n%s", address[which],
                 which ? "#\n" : "");
        assert_true(write_file(conf, text));
        assert_true(slirp_door_names(SLIRP_DOOR_NAMES));
        now += SECONDS(2);
        ask(d, now, 4000 + i);
        slirp_door_take(d, now, hear, &h);
        assert_false(server_answer(server[!which], 9));
        assert_true(server_answer(server[which], (uint8_t)(20 + i)));
        slirp_door_take(d, now + MILLISECS(1), hear, &h);
        assert_int_equal(h.answers, asked + 1);
        assert_int_equal(h.last, 20 + i);
        assert_int_equal(h.port, 4000 + i);
    }
    assert_true(write_file(conf, "search lan\n"));
    assert_false(slirp_door_names(SLIRP_DOOR_NAMES));
    slirp_door_close(d);
    for (unsigned int i = 0; i < 2; i++)
        close(server[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_asked) };
    const int fd = mkstemp(conf);
    int rc;

    close(fd);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(conf);
    return rc;
}
