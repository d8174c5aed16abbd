// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network outside, and servers there that do what they should not: that reset, stall, send without end, close one
 * half; crowds of connections, and of datagrams. Skipped where libslirp is not there.
 *
 * Concept: the guest is played: it speaks just enough TCP to be a good client, on a wire that loses nothing. Servers
 * are sockets of this process. All of it is one thread, so that who waits for whom is a matter of the test.
 *
 * When could this pass wrongly? If nothing was on its way when something is done to it: so each test counts first.
 *
 * Budget: a TCP, and a server a test.
 */
#include "ui/slirp_door.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WINDOW  65024u /* a multiple of SEGMENT, so that buffers can be full to the last byte */
#define SEGMENT 512u
#define PEERS   700u

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

/* A connection, as the guest sees it. */
struct peer {
    uint16_t port, server; /* port 0: there is none */
    uint32_t nxt, una, wnd, rcv;
    bool up, fin, rst, deaf, owes;
    size_t held; /* bytes that have come, and that nobody has read */
    size_t got, sent;
};

struct world {
    struct slirp_door *d;
    s_time_t now;
    struct peer peer[PEERS];
    unsigned int away; /* the guest is not up: nothing is answered */
};

static uint8_t byte_at(size_t n) { return (uint8_t)(n * 7 + (n >> 8)); }

/* --- packets --- */

static void put16(uint8_t *at, unsigned int n) { at[0] = (uint8_t)(n >> 8), at[1] = (uint8_t)n; }
static void put32(uint8_t *at, uint32_t n) { put16(at, n >> 16), put16(at + 2, n & 0xffff); }
static unsigned int get16(const uint8_t *at) { return (unsigned int)at[0] << 8 | at[1]; }
static uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }

static unsigned int sum_of(const uint8_t *at, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

/* From 10.0.2.15 to 10.0.2.2; what IP carries begins at p + 34, and its sum is at `sum` there. */
static void ip_send(struct world *w, uint8_t *p, unsigned int protocol, size_t len, size_t sum)
{
    uint8_t *ip = p + 14;

    memcpy(p, "\x52\x55\x0a\x00\x02\x02\x00\x16\x3e\x01\x02\x03\x08\x00", 14);
    memset(ip, 0, 20);
    ip[0] = 0x45, ip[8] = 64, ip[9] = (uint8_t)protocol;
    put16(ip + 2, 20 + (unsigned int)len);
    memcpy(ip + 12, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
    put16(ip + 10, sum_of(ip, 20, 0));
    put16(ip + 20 + sum, 0);
    put16(ip + 20 + sum, sum_of(ip + 12, 8 + len, protocol + (uint32_t)len));
    slirp_door_out(w->d, w->now, p, 34 + len);
}

static void tcp_send(struct world *w, struct peer *c, unsigned int flags, size_t len)
{
    uint8_t p[1600], *tcp = p + 34;
    const size_t head = flags & SYN ? 24 : 20;

    memset(tcp, 0, 24);
    put16(tcp, c->port), put16(tcp + 2, c->server);
    put32(tcp + 4, c->nxt), put32(tcp + 8, c->rcv);
    tcp[12] = (uint8_t)(head << 2), tcp[13] = (uint8_t)flags;
    if (flags & SYN)
        put16(tcp + 20, 0x0204), put16(tcp + 22, SEGMENT);
    put16(tcp + 14, WINDOW - (unsigned int)c->held);
    for (size_t i = 0; i < len; i++)
        tcp[head + i] = byte_at(c->sent++);
    c->nxt += (uint32_t)len + (flags & (SYN | FIN) ? 1 : 0);
    c->owes = false;
    ip_send(w, p, IPPROTO_TCP, head + len, 16);
}

static void udp_send(struct world *w, unsigned int from, unsigned int to)
{
    uint8_t p[64], *udp = p + 34;

    put16(udp, from), put16(udp + 2, to), put16(udp + 4, 12);
    memcpy(udp + 8, "ping", 4);
    ip_send(w, p, IPPROTO_UDP, 12, 6);
}

static void arp_answer(struct world *w)
{
    uint8_t p[64] = { 0 };

    memcpy(p, "\x52\x55\x0a\x00\x02\x02\x00\x16\x3e\x01\x02\x03\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02", 22);
    memcpy(p + 22, "\x00\x16\x3e\x01\x02\x03\x0a\x00\x02\x0f\x52\x55\x0a\x00\x02\x02\x0a\x00\x02\x02", 20);
    slirp_door_out(w->d, w->now, p, 42);
}

static struct peer *peer_of(struct world *w, unsigned int port, unsigned int server)
{
    struct peer *none = NULL;

    for (unsigned int i = 0; i < PEERS; i++)
        if (w->peer[i].port == port && w->peer[i].server == server)
            return &w->peer[i];
        else if (!w->peer[i].port && !none)
            none = &w->peer[i];
    return none;
}

static void tcp_hear(struct world *w, const uint8_t *ip, size_t len)
{
    const uint8_t *tcp = ip + 20, *data = tcp + 4 * (tcp[12] >> 4);
    struct peer *c = peer_of(w, get16(tcp + 2), get16(tcp));
    const unsigned int flags = tcp[13];
    const size_t n = get16(ip + 2) - (size_t)(data - ip);

    assert_in_range(n, 0, len - (size_t)(data - ip));
    assert_non_null(c);
    if (!c->port && flags == SYN) { /* somebody from outside */
        *c =
            (struct peer){ .port = (uint16_t)get16(tcp + 2), .server = (uint16_t)get16(tcp), .nxt = 1000, .una = 1000 };
        c->rcv = get32(tcp + 4) + 1;
        tcp_send(w, c, SYN | ACK, 0);
        return;
    }
    c->rst |= !!(flags & RST);
    if (!c->port || c->rst)
        return;
    if (flags & ACK && (int32_t)(get32(tcp + 8) - c->una) >= 0) {
        c->una = get32(tcp + 8);
        c->wnd = get16(tcp + 14);
        c->up = true;
    }
    if (flags & SYN)
        c->rcv = get32(tcp + 4) + 1, c->owes = true;
    if (n || flags & FIN)
        c->owes = true;
    if (get32(tcp + 4) != c->rcv || n > WINDOW - c->held)
        return;
    for (size_t i = 0; i < n; i++)
        if (data[i] != byte_at(c->got + i))
            fail_msg("byte %zu is another one", c->got + i);
    c->got += n;
    c->rcv += (uint32_t)n;
    c->held += c->deaf ? n : 0;
    if (flags & FIN && !c->fin)
        c->fin = true, c->rcv++;
}

static bool hear(void *data, const void *packet, size_t len)
{
    struct world *w = data;
    const uint8_t *p = packet;

    if (w->away)
        return true;
    if (get16(p + 12) == 0x0806 && p[21] == 1 && !memcmp(p + 38, "\x0a\x00\x02\x0f", 4))
        arp_answer(w);
    else if (get16(p + 12) == 0x0800 && p[14 + 9] == IPPROTO_TCP)
        tcp_hear(w, p + 14, len - 14);
    return true;
}

/* Some time passes. */
static void turn(struct world *w)
{
    w->now += MILLISECS(10);
    slirp_door_take(w->d, w->now, hear, w);
    for (unsigned int i = 0; i < PEERS; i++)
        if (w->peer[i].owes)
            tcp_send(w, &w->peer[i], ACK, 0);
}

static struct peer *tcp_open(struct world *w, unsigned int port, unsigned int server)
{
    struct peer *c = peer_of(w, port, server);

    *c = (struct peer){ .port = (uint16_t)port, .server = (uint16_t)server, .nxt = 1, .una = 1 };
    tcp_send(w, c, SYN, 0);
    return c;
}

/* As much of n bytes as the window has room for. */
static void tcp_say(struct world *w, struct peer *c, size_t n)
{
    while (c->sent < n && c->nxt + 1400 - c->una <= c->wnd)
        tcp_send(w, c, ACK, n - c->sent < 1400 ? n - c->sent : 1400);
}

static struct world *begin(void)
{
    static struct world w;
    char err[200];

    w = (struct world){ .d = slirp_door_open(NULL, NULL, err, sizeof(err)) };
    if (!w.d && strstr(err, "libslirp0"))
        skip();
    assert_non_null(w.d);
    arp_answer(&w);
    return &w;
}

/* --- servers --- */

static int server_open(unsigned int *port, int buffer)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    socklen_t len = sizeof(addr);

    if (buffer)
        setsockopt(s, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    assert_int_equal(bind(s, (struct sockaddr *)&addr, sizeof(addr)) || listen(s, 1000), 0);
    assert_int_equal(getsockname(s, (struct sockaddr *)&addr, &len), 0);
    *port = ntohs(addr.sin_port);
    return s;
}

/* Who connects: the guest's side is up, too. */
static int server_accept(struct world *w, int s, struct peer *c)
{
    int fd = -1;

    for (unsigned int i = 0; i < 1000 && (fd < 0 || !c->up); i++) {
        turn(w);
        if (fd < 0)
            fd = accept4(s, NULL, NULL, SOCK_NONBLOCK);
    }
    assert_true(fd >= 0 && c->up);
    return fd;
}

/* As much as it takes, up to `most` in all. */
static void server_say(int fd, size_t *said, size_t most)
{
    uint8_t bytes[8192];
    ssize_t n = 1;

    while (n > 0 && *said < most) {
        const size_t len = most - *said < sizeof(bytes) ? most - *said : sizeof(bytes);

        for (size_t i = 0; i < len; i++)
            bytes[i] = byte_at(*said + i);
        n = send(fd, bytes, len, MSG_NOSIGNAL);
        *said += n > 0 ? (size_t)n : 0;
    }
}

/* Whatever there is. True: that was all there will ever be. */
static bool server_hear(int fd, size_t *heard)
{
    uint8_t bytes[8192];
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
        for (ssize_t i = 0; i < n; i++)
            if (bytes[i] != byte_at((*heard)++))
                fail_msg("byte %zu is another one", *heard - 1);
    return n == 0;
}

static unsigned int files_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned int nr = 0;

    while (readdir(dir))
        nr++;
    closedir(dir);
    return nr;
}

/* --- what they do --- */

/* A server that sends without end, to a guest that reads nothing: it has to wait, and then nothing was lost. */
static void test_flood(void **state)
{
    struct world *w = begin();
    unsigned int port;
    const int s = server_open(&port, 0);
    struct peer *c = tcp_open(w, 2000, port), *other;
    size_t said = 0, before, other_said = 0;
    int fd, other_fd;

    (void)state;
    fd = server_accept(w, s, c);
    c->deaf = true;
    for (unsigned int i = 0; i < 300; i++) {
        server_say(fd, &said, SIZE_MAX);
        turn(w);
    }
    assert_in_range(c->held, WINDOW - 2000, WINDOW);
    before = said;
    for (unsigned int i = 0; i < 300; i++) {
        server_say(fd, &said, SIZE_MAX);
        turn(w);
    }
    assert_int_equal(said, before);
    other = tcp_open(w, 2001, port); /* and others are served meanwhile */
    other_fd = server_accept(w, s, other);
    for (unsigned int i = 0; i < 1000 && other->got < 300000; i++) {
        server_say(other_fd, &other_said, 300000);
        turn(w);
    }
    assert_int_equal(other->got, 300000);
    c->deaf = false;
    c->held = 0;
    tcp_send(w, c, ACK, 0);
    for (unsigned int i = 0; i < 10000 && c->got < said; i++)
        turn(w);
    assert_int_equal(c->got, said);
    slirp_door_close(w->d);
    close(fd), close(other_fd), close(s);
}

/* Both are full of what nobody reads, and then the server resets the connection. */
static void test_reset(void **state)
{
    struct world *w = begin();
    const struct linger at_once = { .l_onoff = 1 };
    unsigned int port;
    const int s = server_open(&port, 4096);
    struct peer *c = tcp_open(w, 2000, port);
    size_t said = 0, before = 1;
    int fd;

    (void)state;
    fd = server_accept(w, s, c);
    c->deaf = true;
    for (unsigned int i = 0; i < 1000 && c->held < WINDOW; i++) { /* else libslirp's would be half empty */
        server_say(fd, &said, WINDOW);
        turn(w);
    }
    assert_int_equal(c->held, WINDOW);
    for (unsigned int i = 0, same = 0; i < 20000 && same < 50; i++) {
        server_say(fd, &said, SIZE_MAX);
        tcp_say(w, c, SIZE_MAX);
        turn(w);
        same = before == said + c->sent ? same + 1 : 0;
        before = said + c->sent;
    }
    assert_in_range(c->held, WINDOW - 2000, WINDOW);
    assert_in_range(c->nxt + 1400 - c->una, c->wnd + 1, UINT32_MAX); /* it waits */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
    c->deaf = false;
    c->held = 0;
    for (unsigned int i = 0; i < 2000 && !c->rst && !c->fin; i++) {
        turn(w);
        tcp_send(w, c, ACK, 0);
    }
    assert_true(c->rst || c->fin);
    c = tcp_open(w, 2001, port);
    close(server_accept(w, s, c));
    slirp_door_close(w->d);
    close(s);
}

/* A port that nobody listens at, and a server that resets at once. */
static void test_refused(void **state)
{
    struct world *w = begin();
    const struct linger at_once = { .l_onoff = 1 };
    unsigned int port;
    int s = server_open(&port, 0), fd;
    struct peer *c = tcp_open(w, 2000, port);

    (void)state;
    fd = server_accept(w, s, c);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd), close(s);
    for (unsigned int i = 0; i < 100 && !c->rst; i++)
        turn(w);
    assert_true(c->rst);
    c = tcp_open(w, 2001, port);
    for (unsigned int i = 0; i < 100 && !c->rst; i++)
        turn(w);
    assert_true(c->rst && !c->up);
    slirp_door_close(w->d);
}

/* A server that has said all, and listens on. */
static void test_half(void **state)
{
    struct world *w = begin();
    unsigned int port;
    const int s = server_open(&port, 0);
    struct peer *c = tcp_open(w, 2000, port);
    size_t said = 0, heard = 0;
    bool all = false;
    int fd;

    (void)state;
    fd = server_accept(w, s, c);
    server_say(fd, &said, 10);
    shutdown(fd, SHUT_WR);
    for (unsigned int i = 0; i < 10000 && c->sent < 1000000; i++) {
        turn(w);
        if (c->fin)
            tcp_say(w, c, 1000000);
        server_hear(fd, &heard);
    }
    assert_int_equal(c->got, 10);
    assert_int_equal(c->sent, 1000000);
    tcp_send(w, c, FIN | ACK, 0);
    for (unsigned int i = 0; i < 1000 && !all; i++) {
        turn(w);
        all = server_hear(fd, &heard);
    }
    assert_true(all);
    assert_int_equal(heard, 1000000);
    slirp_door_close(w->d);
    close(fd), close(s);
}

/* A hundred at once: each gets its own. */
static void test_hundred(void **state)
{
    struct world *w = begin();
    enum { NR = 100, SIZE = 200000 };
    unsigned int port, nr = 0, done = 0;
    const int s = server_open(&port, 0);
    size_t said[NR] = { 0 };
    int fd[NR];

    (void)state;
    for (unsigned int i = 0; i < NR; i++)
        tcp_open(w, 2000 + i, port);
    for (unsigned int i = 0; i < 20000 && done < NR; i++) {
        turn(w);
        while (nr < NR && (fd[nr] = accept4(s, NULL, NULL, SOCK_NONBLOCK)) >= 0)
            nr++;
        done = 0;
        for (unsigned int k = 0; k < nr; k++)
            server_say(fd[k], &said[k], SIZE);
        for (unsigned int k = 0; k < NR; k++)
            done += w->peer[k].got == SIZE;
    }
    assert_int_equal(done, NR);
    slirp_door_close(w->d);
    for (unsigned int i = 0; i < NR; i++)
        close(fd[i]);
    close(s);
}

/* More than there can be, of all kinds: nobody's files are used up, who is there goes on, and then there is room. */
static void test_crowd(void **state)
{
    struct world *w = begin();
    const unsigned int before = files_open();
    unsigned int port, first, up = 0;
    const int s = server_open(&port, 0);
    struct peer *c = tcp_open(w, 1999, port);
    size_t said = 0;
    int fd;

    (void)state;
    fd = server_accept(w, s, c);
    for (unsigned int i = 0; i < 3000; i++)
        udp_send(w, 3000 + i, 9);
    first = files_open();
    assert_in_range(first - before, 3, 2 + SLIRP_DOOR_SOCKETS / 4 + 1);
    for (unsigned int i = 0; i < 600; i++)
        tcp_open(w, 2000 + i, port);
    for (unsigned int i = 0; i < 50; i++)
        turn(w);
    assert_in_range(files_open() - before, first - before + 200, SLIRP_DOOR_SOCKETS + 4);
    for (unsigned int i = 0; i < PEERS; i++)
        up += w->peer[i].up;
    assert_in_range(up, 200, SLIRP_DOOR_SOCKETS);
    for (unsigned int i = 0; i < 1000 && c->got < 100000; i++) {
        server_say(fd, &said, 100000);
        turn(w);
    }
    assert_int_equal(c->got, 100000);
    for (unsigned int i = 0; i < PEERS; i++)
        if (w->peer[i].up && &w->peer[i] != c)
            tcp_send(w, &w->peer[i], RST, 0), w->peer[i].port = 0;
    for (unsigned int i = 0; i < PEERS && up; i++) /* who was not let in asks again */
        if (w->peer[i].port && !w->peer[i].up) {
            const struct peer *again = tcp_open(w, w->peer[i].port, port);

            for (unsigned int k = 0; k < 100 && !again->up; k++)
                turn(w);
            assert_true(again->up);
            up = 0;
        }
    assert_int_equal(up, 0);
    w->now += SECONDS(300);
    turn(w);
    udp_send(w, 2000, 9);
    assert_in_range(files_open(), 0, first + 100);
    slirp_door_close(w->d);
    close(fd), close(s);
    assert_int_equal(files_open(), before);
}

/* Packets in pieces that never become whole. */
static void test_pieces(void **state)
{
    struct world *w = begin();
    unsigned int port;
    const int s = server_open(&port, 0);

    (void)state;
    for (unsigned int i = 0; i < 40000; i++) {
        uint8_t p[1500] = { 0 };

        memcpy(p, "\x52\x55\x0a\x00\x02\x02\x00\x16\x3e\x01\x02\x03\x08\x00\x45\x00", 16);
        put16(p + 16, 1486), put16(p + 18, i), put16(p + 20, 0x2000 + i % 7);
        p[22] = 64, p[23] = IPPROTO_UDP;
        memcpy(p + 26, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
        put16(p + 24, sum_of(p + 14, 20, 0));
        slirp_door_out(w->d, w->now, p, sizeof(p));
    }
    close(server_accept(w, s, tcp_open(w, 2000, port)));
    slirp_door_close(w->d);
    close(s);
}

/* Another process, without sockets of the guest's: reads when it is told to, and says how much it was. */
static pid_t reader(int s, const int go[2], const int says[2])
{
    const pid_t child = fork();

    if (!child) {
        size_t heard = 0;
        int fd;
        char byte;

        close(go[1]);
        fcntl(s, F_SETFL, 0);
        fd = accept(s, NULL, NULL);
        (void)!read(go[0], &byte, 1);
        server_hear(fd, &heard);
        _exit(write(says[1], &heard, sizeof(heard)) != sizeof(heard));
    }
    return child;
}

/* What the guest was told to have arrived arrives, even if the run ends before the server reads it. */
static void test_owed(void **state)
{
    struct world *w = begin();
    unsigned int port;
    const int s = server_open(&port, 4096);
    uint32_t before = 0;
    size_t heard = 0;
    int go[2], says[2], status;
    struct peer *c;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(go) || pipe(says), 0);
    child = reader(s, go, says);
    c = tcp_open(w, 2000, port);
    for (unsigned int i = 0, same = 0; i < 20000 && same < 50; i++) {
        tcp_say(w, c, SIZE_MAX);
        turn(w);
        same = before == c->una ? same + 1 : 0;
        before = c->una;
    }
    assert_in_range(c->una, 100000, UINT32_MAX);
    close(s), close(go[0]), close(go[1]);
    slirp_door_close(w->d);
    assert_int_equal(read(says[0], &heard, sizeof(heard)), sizeof(heard));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(heard, c->una - 2); /* all but the SYN */
    close(says[0]), close(says[1]);
}

/* Somebody connects before the guest is up, and is served when it is. */
static void test_early(void **state)
{
    struct world *w = begin();
    struct xl_forward f = { .host_addr = htonl(INADDR_LOOPBACK), .guest_addr = htonl(0x0a00020f), .guest_port = 80 };
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = f.host_addr };
    const struct peer *c = NULL;
    unsigned int port;
    size_t heard = 0;
    char err[200];
    int s = server_open(&port, 0);

    (void)state;
    close(s);
    f.host_port = (uint16_t)port;
    addr.sin_port = htons(f.host_port);
    assert_int_equal(slirp_door_forward(w->d, &f, err, sizeof(err)), 0);
    s = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(s, (struct sockaddr *)&addr, sizeof(addr)), 0);
    fcntl(s, F_SETFL, O_NONBLOCK);
    w->away = true;
    for (unsigned int i = 0; i < 500; i++) /* five seconds */
        turn(w);
    w->away = false;
    arp_answer(w);
    for (unsigned int i = 0; i < 3000 && heard < 500; i++) {
        turn(w);
        for (unsigned int k = 0; k < PEERS; k++)
            if (w->peer[k].port == 80 && w->peer[k].up)
                c = &w->peer[k], tcp_say(w, &w->peer[k], 500);
        server_hear(s, &heard);
    }
    assert_non_null(c);
    assert_int_equal(heard, 500);
    slirp_door_close(w->d);
    close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flood),  cmocka_unit_test(test_reset),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_half),   cmocka_unit_test(test_hundred), cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_pieces), cmocka_unit_test(test_owed),    cmocka_unit_test(test_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
