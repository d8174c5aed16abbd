// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * webget: pages of a server on the host, by hand.
 *
 * Shows what is under a web page: who has 10.0.2.2 (ARP), a TCP connection, a request of HTTP/1.0; each a few bytes in
 * a frame (guests/rt/netfront.h). What is typed is a path: the page is fetched, and how long it was is told, and a sum
 * of its bytes. "bye" ends it.
 *
 *      port=8000    the server's; 10.0.2.2 is the host's own loopback, as the network outside has it
 *
 * The wire loses nothing and keeps the order, so nothing is sent twice, and there is no timer: a server that says
 * nothing is waited for.
 *
 *      --SYN--> <--SYN,ACK--   --GET--> <--bytes-- --ACK--> ...   <--FIN--  --FIN,ACK-->
 */
#include "guests/rt/netfront.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { IP = 14, TCP = IP + 20, DATA = TCP + 20, ME = 0x0a00020f, HOST = 0x0a000202 };

static struct {
    uint8_t mac[6]; /* who has it for us */
    uint32_t next, expects;
    uint16_t port, mine;
    bool up, over, reset;
    unsigned int head; /* how much has come of the empty line behind the headers; 4: all */
    unsigned long len, sum;
} peer;

static void xenstore_event(const char *path, const char *token)
{
    (void)path;
    (void)token;
}

static void put16(uint8_t *at, unsigned int n)
{
    at[0] = (uint8_t)(n >> 8);
    at[1] = (uint8_t)n;
}

static void put32(uint8_t *at, uint32_t n)
{
    put16(at, n >> 16);
    put16(at + 2, n & 0xffff);
}

static unsigned int get16(const uint8_t *at) { return (unsigned int)at[0] << 8 | at[1]; }
static uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }

static unsigned int sum_of(const uint8_t *at, unsigned int len, uint32_t sum)
{
    for (unsigned int i = 0; i < len; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

/* --- what is sent --- */

static uint8_t *frame_begin(const uint8_t to[6], unsigned int type)
{
    uint8_t *p = net_page();

    memset(p, 0, DATA);
    memcpy(p, to, 6);
    memcpy(p + 6, net_mac, 6);
    put16(p + 12, type);
    return p;
}

/* Who has it? Or, if somebody asks: we have it. */
static void arp_send(unsigned int what, const uint8_t to[6], const uint8_t mac[6], uint32_t addr)
{
    uint8_t *p = frame_begin(to, 0x0806);

    memcpy(p + 14, "\x00\x01\x08\x00\x06\x04", 6);
    put16(p + 20, what);
    memcpy(p + 22, net_mac, 6);
    put32(p + 28, ME);
    memcpy(p + 32, mac, 6);
    put32(p + 38, addr);
    net_put(42);
}

static void tcp_send(unsigned int flags, const char *text)
{
    uint8_t *p = frame_begin(peer.mac, 0x0800), *ip = p + IP, *tcp = p + TCP;
    const unsigned int len = (unsigned int)strlen(text);

    ip[0] = 0x45, ip[8] = 64, ip[9] = 6;
    put16(ip + 2, 40 + len);
    put32(ip + 12, ME);
    put32(ip + 16, HOST);
    put16(ip + 10, sum_of(ip, 20, 0));
    put16(tcp, peer.mine);
    put16(tcp + 2, peer.port);
    put32(tcp + 4, peer.next);
    put32(tcp + 8, flags & ACK ? peer.expects : 0);
    tcp[12] = 0x50, tcp[13] = (uint8_t)flags;
    put16(tcp + 14, 0xffff); /* so much may be on its way */
    memcpy(tcp + 20, text, len);
    put16(tcp + 16, sum_of(ip + 12, 8 + 20 + len, 6 + 20 + len));
    net_put(DATA + len);
    peer.next += len + (flags & (SYN | FIN) ? 1 : 0);
}

/* --- what comes --- */

/* The page begins behind an empty line. */
static void page_take(const uint8_t *at, unsigned int len)
{
    static const char end[] = "\r\n\r\n";

    for (; len; at++, len--) {
        if (peer.head < 4) {
            peer.head = *at == end[peer.head] ? peer.head + 1 : *at == '\r';
        } else {
            peer.len++;
            peer.sum = (peer.sum * 31 + *at) % 1000003;
        }
    }
}

static void tcp_take(const uint8_t *p, unsigned int len)
{
    const uint8_t *tcp = p + IP + 4 * (p[IP] & 15), *data = tcp + 4 * (tcp[12] >> 4);
    const unsigned int flags = tcp[13], n = get16(p + IP + 2) - (unsigned int)(data - p - IP);

    if (len < DATA || get16(tcp) != peer.port || get16(tcp + 2) != peer.mine || peer.over)
        return;
    if (flags & RST) {
        peer.over = peer.reset = !peer.up || get32(tcp + 4) == peer.expects;
        return;
    }
    if (flags & SYN && !peer.up) {
        peer.up = true;
        peer.expects = get32(tcp + 4) + 1;
        return;
    }
    if (!peer.up || get32(tcp + 4) != peer.expects)
        return;
    page_take(data, n);
    peer.expects += n + (flags & FIN ? 1 : 0);
    peer.over = flags & FIN;
    if (n || peer.over)
        tcp_send(peer.over ? FIN | ACK : ACK, "");
}

static void arp_take(const uint8_t *p)
{
    if (get16(p + 20) == 1 && get32(p + 38) == ME)
        arp_send(2, p + 22, p + 22, get32(p + 28));
    else if (get16(p + 20) == 2 && get32(p + 28) == HOST)
        memcpy(peer.mac, p + 22, 6);
}

/* All that has come; if nothing has, wait for it. */
static void take(void)
{
    unsigned int len, nr = 0;
    const uint8_t *p;

    net_push();
    for (; (p = net_get(&len)); nr++) {
        if (len >= 42 && get16(p + 12) == 0x0806)
            arp_take(p);
        else if (len >= DATA && get16(p + 12) == 0x0800 && p[IP + 9] == 6)
            tcp_take(p, len);
        net_done();
    }
    net_push();
    if (!nr)
        event_wait(net_port);
}

/* --- */

static void fetch(const char *path)
{
    static const uint8_t nobody[6], everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    char request[128];

    peer.up = peer.over = peer.reset = false;
    peer.head = 0;
    peer.len = peer.sum = 0;
    peer.mine++;
    peer.next = peer.mine * 100000u;
    if (!memcmp(peer.mac, nobody, 6))
        arp_send(1, everybody, nobody, HOST);
    while (!memcmp(peer.mac, nobody, 6))
        take();
    tcp_send(SYN, "");
    while (!peer.up && !peer.over)
        take();
    if (peer.up) {
        snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);
        tcp_send(ACK | PSH, request);
    }
    while (!peer.over)
        take();
    if (!peer.up)
        printf("%s: nobody listens there.\n", path);
    else
        printf("%s: %lu bytes, sum %lu%s.\n", path, peer.len, peer.sum, peer.reset ? ", and then a reset" : "");
}

/* A line as typed. */
static void line_read(char *line, size_t size)
{
    size_t len = 0;
    char c;

    while ((c = console_read()) != '\r' && c != '\n')
        if (len + 1 < size)
            line[len++] = c;
    line[len] = '\0';
}

int guest_main(void)
{
    char line[80];

    if (!net_connect()) {
        printf("Give me a network card: --net user.\n");
        return 1;
    }
    peer.port = (uint16_t)cmdline_number("port", 8000);
    peer.mine = 49151;
    printf("Which page? \"bye\" ends it.\n");
    for (;;) {
        line_read(line, sizeof(line));
        if (!strcmp(line, "bye"))
            return 0;
        fetch(line);
    }
}
