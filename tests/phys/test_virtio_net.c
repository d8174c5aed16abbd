// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A virtio network card: what a driver finds, frames in both directions, what is none, no buffers, a wire that answers
 * at once; drivers that do anything.
 */
#include "tests/phys/virtio_rig.h"

#include "rings/phys/virtio_net.h"

#define RX   VIRTIO_NET_RX
#define TX   VIRTIO_NET_TX
#define DATA 0x40000u

static const uint8_t mac[6] = { 0x00, 0x16, 0x3e, 0x01, 0x02, 0x03 };

static struct virtio_net nic;
static unsigned int sent, rooms;
static size_t sent_len;
static uint8_t last[VIRTIO_NET_FRAME_MAX];
static bool echo, feeding;

static void on_transmit(void *owner, const uint8_t *packet, size_t len)
{
    assert_ptr_equal(owner, &nic);
    assert_in_range(len, 14, VIRTIO_NET_FRAME_MAX);
    sent++;
    sent_len = len;
    memcpy(last, packet, len);
    if (feeding)
        offer(TX, 0);
    if (echo)
        virtio_net_receive(&nic, packet, len);
}

static void on_room(void *owner) { rooms++; }

static const struct wire_ops wire = { .transmit = on_transmit, .room = on_room };

static int setup(void **state)
{
    rig_create();
    sent = rooms = 0;
    echo = feeding = false;
    assert_true(virtio_net_init(&nic, &rig->bus, DEVFN, mac, &wire, &nic));
    rig_place(&nic.virtio);
    start(0);
    return 0;
}

static int teardown(void **state)
{
    rig_free();
    return 0;
}

/* --- a driver --- */

/* A frame of len bytes, behind a header, each byte of which is another one. */
static void frame_put(uint64_t at, unsigned int len)
{
    memset(rig->board->memory + at, 0, 10);
    for (unsigned int i = 0; i < len; i++)
        rig->board->memory[at + 10 + i] = (uint8_t)(i * 7 + len);
}

static bool is_frame(const uint8_t *bytes, unsigned int len)
{
    unsigned int i = 0;

    while (i < len && bytes[i] == (uint8_t)(i * 7 + len))
        i++;
    return i == len;
}

/* It is in one descriptor; is it sent? It is given back in any case. */
static bool send(uint64_t at, uint32_t bytes)
{
    const unsigned int before = sent;

    desc(TX, 0, at, bytes, 0, 0);
    offer(TX, 0);
    kick(TX);
    assert_used(TX, 0, 0);
    assert_true(line());
    reg_in(VIRTIO_ISR, 1);
    return sent == before + 1;
}

static bool receive(unsigned int len)
{
    uint8_t bytes[2000];

    for (unsigned int i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + len);
    return virtio_net_receive(&nic, bytes, len);
}

/* --- what is found --- */

static void as_found(void **state)
{
    struct virtio_net second;

    assert_int_equal(pci_config_read(&rig->bus, DEVFN, 0, 4), 0x10001af4);
    assert_int_equal(pci_config_read(&rig->bus, DEVFN, 8, 4), 0x02000000);
    assert_int_equal(pci_config_read(&rig->bus, DEVFN, 0x2c, 4), 0x00011af4);
    assert_int_equal(reg_in(VIRTIO_HOST_FEATURES, 4), 0x38000020);
    for (unsigned int nr = 0; nr < 3; nr++) {
        reg_out(VIRTIO_QUEUE_SELECT, 2, nr);
        assert_int_equal(reg_in(VIRTIO_QUEUE_SIZE, 2), nr < 2 ? 256 : 0);
    }
    for (unsigned int i = 0; i < 6; i++)
        assert_int_equal(reg_in(VIRTIO_REGS + i, 1), mac[i]);
    reg_out(VIRTIO_REGS + 4, 2, 0x0b0a); /* a driver may change it */
    assert_int_equal(reg_in(VIRTIO_REGS + 2, 4), 0x0b0a013e);
    reg_out(VIRTIO_REGS + 6, 1, 1);
    assert_int_equal(reg_in(VIRTIO_REGS + 6, 1), 0);
    assert_false(virtio_net_init(&second, &rig->bus, DEVFN, mac, &wire, NULL));
}

/* --- frames --- */

static void sends(void **state)
{
    static const unsigned int lens[] = { 14, 60, 1514, 1518 };

    for (unsigned int i = 0; i < ARRAY_SIZE(lens); i++) {
        frame_put(DATA, lens[i]);
        assert_true(send(DATA, 10 + lens[i]));
        assert_int_equal(sent_len, lens[i]);
        assert_true(is_frame(last, lens[i]));
    }
    kick(TX); /* nothing is there: nothing to be told */
    assert_false(line());
    frame_put(DATA, 100); /* in pieces, anywhere */
    desc(TX, 5, DATA, 4, NEXT, 200);
    desc(TX, 200, DATA + 4, 20, NEXT, 3);
    desc(TX, 3, DATA + 24, 86, 0, 0);
    offer(TX, 5);
    kick(TX);
    assert_used(TX, 5, 0);
    assert_true(is_frame(last, 100));
    assert_work("send:-:14 send:-:60 send:-:1514 send:-:1518 send:-:100 ");
    assert_int_equal(nic.sent, 5);
    assert_int_equal(nic.refused, 0);
}

static void no_frames(void **state)
{
    frame_put(DATA, 1600);
    assert_false(send(DATA, 0));
    assert_false(send(DATA, 10));
    assert_false(send(DATA, 23));
    assert_false(send(DATA, 10 + 1519));
    assert_false(send(DATA, UINT32_MAX));
    assert_false(send(NOWHERE, 100));
    assert_false(send(BOARD_MEMORY - 50, 100));
    put(DATA, 1, 1); /* a sum, which was not offered */
    assert_false(send(DATA, 100));
    put(DATA, 2, 0x0100); /* to be cut up, neither */
    assert_false(send(DATA, 100));
    put(DATA, 2, 0);
    assert_true(send(DATA, 100));
    assert_int_equal(nic.refused, 9);
    assert_false(needs_reset());
    desc(TX, 0, DATA, 100, 0, 0);
    offer(TX, 256);
    kick(TX);
    assert_true(needs_reset());
    desc(RX, 0, DATA, 2000, WRITE, 0);
    offer(RX, 0);
    assert_false(receive(60)); /* the other queue stands still, too */
    assert_int_equal(nic.missed, 1);
}

/* A whole queue at once: one interrupt. */
static void many(void **state)
{
    start(VIRTIO_F_EVENT_IDX);
    put(used_event(TX), 2, 255);
    frame_put(DATA, 60);
    for (unsigned int i = 0; i < 256; i++) {
        desc(TX, i, DATA, 70, 0, 0);
        offer(TX, (uint16_t)i);
    }
    kick(TX);
    assert_int_equal(sent, 256);
    assert_true(line());
    assert_int_equal(avail_event(TX), 256); /* it will be told of the next one */
    for (int i = 0; i < 256; i++)
        assert_used(TX, i, 0);
}

static void receives(void **state)
{
    assert_false(receive(60)); /* no buffer */
    assert_int_equal(nic.missed, 1);
    assert_false(line());
    memset(rig->board->memory + DATA, 0xee, 4096);
    desc(RX, 0, DATA, 10, NEXT | WRITE, 1);
    desc(RX, 1, DATA + 1000, 1518, WRITE, 0);
    desc(RX, 2, DATA + 3000, 100, WRITE, 0);
    offer(RX, 0);
    offer(RX, 2);
    kick(RX);
    assert_int_equal(rooms, 1);
    assert_true(receive(1514));
    assert_true(line());
    reg_in(VIRTIO_ISR, 1);
    assert_used(RX, 0, 1524);
    assert_int_equal(get(DATA, 8), 0);
    assert_int_equal(get(DATA + 8, 4), 0xeeee0000);
    assert_true(is_frame(rig->board->memory + DATA + 1000, 1514));
    assert_int_equal(get(DATA + 2514, 2), 0xeeee); /* and nothing behind it */
    assert_true(receive(90));
    assert_used(RX, 2, 100);
    assert_work("receive:-:1514 receive:-:90 ");
    assert_true(is_frame(rig->board->memory + DATA + 3010, 90));
    assert_int_equal(nic.received, 2);
    assert_false(receive(60));
    assert_int_equal(nic.missed, 2);
}

static void bad_buffers(void **state)
{
    desc(RX, 0, DATA, 69, WRITE, 0);
    desc(RX, 1, NOWHERE, 2000, WRITE, 0);
    desc(RX, 2, DATA, 2000, 0, 0); /* to be read */
    desc(RX, 3, DATA, 2000, WRITE, 0);
    memset(rig->board->memory + DATA, 0xee, 100);
    for (uint16_t i = 0; i < 4; i++)
        offer(RX, i);
    for (int i = 0; i < 3; i++) {
        assert_false(receive(60));
        assert_used(RX, i, 0);
    }
    assert_int_equal(get(DATA, 8), 0xeeeeeeeeeeeeeeee);
    assert_false(receive(13)); /* no frame takes no buffer */
    assert_false(receive(1519));
    assert_used(RX, -1, 0);
    assert_true(receive(1518));
    assert_used(RX, 3, 1528);
    assert_int_equal(nic.missed, 5);
    assert_false(needs_reset());
}

/* A queue that grows with each frame that is sent (answers that are written there, or a second processor): it ends. */
static void never_empty(void **state)
{
    feeding = true;
    frame_put(DATA, 60);
    desc(TX, 0, DATA, 70, 0, 0);
    offer(TX, 0);
    kick(TX);
    assert_int_equal(sent, 257);
    kick(TX);
    assert_int_equal(sent, 514);
    feeding = false;
    kick(TX);
    assert_int_equal(sent, 515);
}

/* A wire that answers each frame at once. */
static void echoes(void **state)
{
    echo = true;
    frame_put(DATA, 60);
    desc(RX, 0, DATA + 0x1000, 2000, WRITE, 0);
    offer(RX, 0);
    assert_true(send(DATA, 70));
    assert_used(RX, 0, 70);
    assert_true(is_frame(rig->board->memory + DATA + 0x100a, 60));
}

/* --- drivers that do anything --- */

static uint64_t r;
static unsigned int runs = 60;
static uint64_t first_seed = 1;

static uint64_t any(uint64_t n) { return random_of(&r, n); }
static bool one_in(unsigned int n) { return !any(n); }

static uint64_t any_addr(void)
{
    switch (any(16)) {
    case 0: return any(UINT64_C(1) << 44) << 20;
    case 1: return BOARD_MEMORY - any(600);
    case 2: return RIG_QUEUE + any(0x4000) + (one_in(2) ? RIG_QUEUE : 0);
    case 3: return UINT64_MAX - any(600);
    default: return DATA + any(0x20000);
    }
}

static uint32_t any_len(void)
{
    switch (any(10)) {
    case 0: return (uint32_t)any(UINT64_C(1) << 32);
    case 1: return (uint32_t)any(20);
    case 2: return 16 * (uint32_t)any(300);
    default: return (uint32_t)any(1600);
    }
}

static void any_buffer(unsigned int nr)
{
    const unsigned int i = (unsigned int)any(one_in(60) ? 300 : 16);
    unsigned int flags = nr == RX ? WRITE : 0;

    if (one_in(8))
        flags = (unsigned int)any(8);
    if (one_in(4))
        flags |= NEXT;
    desc(nr, i, any_addr(), any_len(), flags, (i + 1 + (unsigned int)any(one_in(20) ? 400 : 3)) % 65536);
    if (one_in(2))
        memset(rig->board->memory + DATA + any(0x10000), 0, 0x1000);
    offer(nr, (uint16_t)i);
}

static void any_step(void)
{
    switch (any(10)) {
    case 0:
    case 1: any_buffer(RX); break;
    case 2:
    case 3: any_buffer(TX); break;
    case 4: receive((unsigned int)any(1600)); break;
    case 5: kick((unsigned int)any(2)); break;
    case 6: echo = one_in(2); break;
    case 7:
        if (one_in(20))
            reg_out((unsigned int)any(61), 1u << any(3), (uint32_t)any(UINT64_C(1) << 32));
        else
            reg_in((unsigned int)any(61), 1u << any(3));
        break;
    case 8:
        if (one_in(20))
            put(avail_flags((unsigned int)any(2)) + any(4), 1, any(256));
        if (one_in(20))
            pci_config_write(&rig->bus, DEVFN, 4, 2, (uint32_t)any(8));
        break;
    default:
        if (needs_reset() || one_in(50)) {
            pci_config_write(&rig->bus, DEVFN, 4, 2, 5);
            start((uint32_t)any(8) << 27);
        }
        break;
    }
}

/* Each frame is sent or refused, each that comes is received or missed, and after a reset it is as good as new. */
static void hostile(void **state)
{
    for (unsigned int run = 0; run < runs; run++) {
        setup(NULL);
        r = first_seed + run;
        for (unsigned int i = 0; i < 1500; i++) {
            const unsigned int before = sent;

            any_step();
            assert_true(sent - before <= VIRTIO_NET_QUEUE + 1);
            assert_int_equal(nic.sent, sent);
        }
        echo = false;
        pci_config_write(&rig->bus, DEVFN, 4, 2, 5);
        start(0);
        frame_put(DATA, 60);
        assert_true(send(DATA, 70));
        assert_true(is_frame(last, 60));
        desc(RX, 0, DATA, 2000, WRITE, 0);
        offer(RX, 0);
        assert_true(receive(700));
        assert_true(is_frame(rig->board->memory + DATA + 10, 700));
        teardown(NULL);
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(as_found),    TEST(sends),  TEST(no_frames),           TEST(many), TEST(receives), TEST(bad_buffers),
        TEST(never_empty), TEST(echoes), cmocka_unit_test(hostile),
    };

    if (argc > 1)
        runs = (unsigned int)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
