// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A virtio disk: what a driver finds, requests of each kind, several at once, what makes no sense, broken queues,
 * notifications; drivers that do anything.
 *
 * Budget: over 400 lines, since the transport is tested with it.
 */
#include "tests/phys/virtio_rig.h"

#include "rings/phys/virtio_blk.h"

#define SECTORS 40000u
#define HEAD    0x30000u /* what a request asks: 16 bytes each */
#define STATUS  0x31000u /* a byte each */
#define TABLE   0x32000u /* an indirect one */
#define DATA    0x40000u

static struct virtio_blk blk;
static struct arena *arena;
static struct disk_file file;
static struct disk *disk;
static unsigned int broken, flushed; /* broken: so many accesses of the file fail */
static bool readonly;

static uint32_t pattern(uint64_t sector, unsigned int dword)
{
    return (uint32_t)((sector * 128 + dword) * 2654435761u);
}

static int file_read(struct disk_file *f, uint64_t at, void *buf, size_t len)
{
    if (broken) {
        broken--;
        return -EIO;
    }
    for (size_t i = 0; i < len; i += 4) {
        const uint32_t val = pattern((at + i) / 512, (unsigned int)(at + i) % 512 / 4);

        memcpy((uint8_t *)buf + i, &val, 4);
    }
    return 0;
}

static int file_flush(struct disk_file *f)
{
    flushed++;
    return 0;
}

static int file_grow(struct disk_file *f, uint64_t size) { return 0; }

static const struct disk_file_ops file_ops = { .read = file_read, .flush = file_flush, .grow = file_grow };

static void create(void)
{
    rig_create();
    broken = flushed = 0;
    arena = arena_create();
    file = (struct disk_file){ .ops = &file_ops, .sectors = SECTORS };
    disk = disk_create(arena, &file, "disk");
    assert_true(virtio_blk_init(&blk, &rig->bus, DEVFN, disk, readonly, "the disk's number, too long"));
    rig_place(&blk.virtio);
    start(0);
}

static int setup(void **state)
{
    readonly = false;
    create();
    return 0;
}

static int setup_readonly(void **state)
{
    readonly = true;
    create();
    return 0;
}

static int teardown(void **state)
{
    arena_destroy(arena);
    rig_free();
    return 0;
}

/* --- a driver --- */

static void head_put(unsigned int i, uint32_t type, uint64_t sector)
{
    put(HEAD + 16 * i, 4, type);
    put(HEAD + 16 * i + 4, 4, 0);
    put(HEAD + 16 * i + 8, 8, sector);
    put(STATUS + i, 1, 0xee);
}

/* Descriptors 3 i to 3 i + 2: a request of one part of data. */
static void request(unsigned int i, uint32_t type, uint64_t sector, uint64_t data, uint32_t len)
{
    head_put(i, type, sector);
    desc(0, 3 * i, HEAD + 16 * i, 16, NEXT, 3 * i + 1);
    desc(0, 3 * i + 1, data, len, NEXT | (type == 1 ? 0 : WRITE), 3 * i + 2);
    desc(0, 3 * i + 2, STATUS + i, 1, WRITE, 0);
    offer(0, (uint16_t)(3 * i));
}

static uint8_t status(unsigned int i) { return (uint8_t)get(STATUS + i, 1); }

static void settle(void) { pass(rig->board, MILLISECS(100)); }

/* One request, alone: its status. It is answered, and the line goes up and down. */
static uint8_t whole(uint32_t type, uint64_t sector, uint64_t data, uint32_t len, uint32_t used)
{
    request(0, type, sector, data, len);
    kick(0);
    assert_false(line());
    settle();
    assert_true(line());
    assert_int_equal(reg_in(VIRTIO_ISR, 1), VIRTIO_ISR_QUEUE);
    assert_false(line());
    assert_int_equal(reg_in(VIRTIO_ISR, 1), 0);
    assert_used(0, 0, used);
    assert_used(0, -1, 0);
    return status(0);
}

static void assert_pattern(uint64_t at, uint64_t sector, unsigned int nr)
{
    for (unsigned int i = 0; i < nr * 128; i++)
        assert_int_equal(get(at + 4 * i, 4), pattern(sector + i / 128, i % 128));
}

/* --- what is found --- */

static void as_found(void **state)
{
    struct virtio_blk second;

    reset();
    assert_int_equal(pci_config_read(&rig->bus, DEVFN, 0, 4), 0x10011af4);
    assert_int_equal(pci_config_read(&rig->bus, DEVFN, 8, 1), 0); /* the legacy revision */
    assert_int_equal(pci_config_read(&rig->bus, DEVFN, 0x2c, 4), 0x00021af4);
    assert_int_equal(pci_config_read(&rig->bus, DEVFN, 0x3d, 1), 1);
    pci_config_write(&rig->bus, DEVFN, 0x10, 4, UINT32_MAX);
    assert_int_equal(pci_config_read(&rig->bus, DEVFN, 0x10, 4), 0xffffffc1);
    pci_config_write(&rig->bus, DEVFN, 0x10, 4, PORT);
    assert_int_equal(reg_in(VIRTIO_HOST_FEATURES, 4), 0x38000246);
    assert_int_equal(reg_in(VIRTIO_QUEUE_SIZE, 2), 128);
    assert_int_equal(reg_in(VIRTIO_QUEUE_PFN, 4), 0);
    assert_int_equal(reg_in(VIRTIO_REGS, 4), SECTORS);
    assert_int_equal(reg_in(VIRTIO_REGS + 4, 4), 0);
    assert_int_equal(reg_in(VIRTIO_REGS + 8, 4), 65536);
    assert_int_equal(reg_in(VIRTIO_REGS + 12, 4), 126);
    assert_int_equal(reg_in(VIRTIO_REGS + 20, 4), 512);
    reg_out(VIRTIO_REGS, 4, 5); /* that is no register to be written */
    assert_int_equal(reg_in(VIRTIO_REGS, 4), SECTORS);
    assert_false(virtio_blk_init(&second, &rig->bus, DEVFN, disk, false, ""));
}

static void registers(void **state)
{
    reset();
    reg_out(VIRTIO_GUEST_FEATURES, 4, UINT32_MAX); /* what is not offered cannot be had */
    assert_int_equal(reg_in(VIRTIO_GUEST_FEATURES, 4), 0x38000246);
    reg_out(VIRTIO_GUEST_FEATURES + 3, 1, 0x10); /* a byte of it */
    assert_int_equal(reg_in(VIRTIO_GUEST_FEATURES, 4), 0x10000246);
    reg_out(VIRTIO_QUEUE_PFN, 4, 0x12345);
    assert_int_equal(reg_in(VIRTIO_QUEUE_PFN + 1, 2), 0x123);
    assert_int_equal(reg_in(VIRTIO_QUEUE_PFN, 4), 0x12345);
    reg_out(VIRTIO_QUEUE_SELECT, 2, 1); /* there is no second queue */
    assert_int_equal(reg_in(VIRTIO_QUEUE_SELECT, 2), 1);
    assert_int_equal(reg_in(VIRTIO_QUEUE_SIZE, 2), 0);
    reg_out(VIRTIO_QUEUE_PFN, 4, 0x777);
    assert_int_equal(reg_in(VIRTIO_QUEUE_PFN, 4), 0);
    reg_out(VIRTIO_QUEUE_SELECT, 2, 0);
    assert_int_equal(reg_in(VIRTIO_QUEUE_PFN, 4), 0x12345);
    reg_out(VIRTIO_STATUS, 1, 0xff); /* NEEDS_RESET is the device's to say */
    assert_int_equal(reg_in(VIRTIO_STATUS, 1), 0xbf);
    reset();
    assert_int_equal(reg_in(VIRTIO_STATUS, 1), 0);
    assert_int_equal(reg_in(VIRTIO_QUEUE_PFN, 4), 0);
    assert_int_equal(reg_in(VIRTIO_GUEST_FEATURES, 4), 0);
    kick(0); /* of queues that are not there */
    kick(1);
    kick(0xffff);
    assert_int_equal(rig->dma, 0);
    assert_false(needs_reset());
}

/* --- requests --- */

static void reads_and_writes(void **state)
{
    assert_int_equal(whole(0, 100, DATA, 4096, 4097), 0);
    assert_pattern(DATA, 100, 8);
    memset(rig->board->memory + DATA, 0x5a, 1024);
    assert_int_equal(whole(1, 101, DATA, 1024, 1), 0);
    assert_int_equal(whole(0, 100, DATA + 0x2000, 2048, 2049), 0);
    assert_pattern(DATA + 0x2000, 100, 1);
    assert_memory_equal(rig->board->memory + DATA + 0x2200, rig->board->memory + DATA, 1024);
    assert_pattern(DATA + 0x2600, 103, 1);
    assert_int_equal(whole(0, SECTORS - 2, DATA, 1024, 1025), 0); /* up to the end */
    assert_pattern(DATA, SECTORS - 2, 2);
    for (unsigned int i = 0; i < 65536; i += 4)
        put(DATA + i, 4, i * 2654435761u);
    assert_int_equal(whole(1, 0, DATA, 65536, 1), 0);
    assert_int_equal(whole(0, 0, DATA + 65536, 65536, 65537), 0);
    assert_memory_equal(rig->board->memory + DATA, rig->board->memory + DATA + 65536, 65536);
    assert_int_equal(disk->done[DISK_WRITE].sectors, 130);
}

static void other_kinds(void **state)
{
    memset(rig->board->memory + DATA, 0xee, 32);
    assert_int_equal(whole(8, 0, DATA, 20, 21), 0);
    assert_memory_equal(rig->board->memory + DATA, "the disk's number, too long", 20);
    assert_int_equal(whole(8, 0, DATA + 64, 32, 20), 0); /* the status does not follow what was written */
    assert_int_equal(whole(8, 0, DATA, 4, 5), 0);
    assert_int_equal(whole(4, 0, DATA, 0, 1), 0);
    assert_int_equal(disk->done[DISK_FLUSH].nr, 1);
    for (unsigned int i = 0; i < 32; i++)
        if (i != 0 && i != 1 && i != 4 && i != 8)
            assert_int_equal(whole(i, 0, DATA, 512, 0), 2);
    assert_int_equal(whole(0x80000001, 0, DATA, 512, 0), 2); /* barriers were never offered */
    assert_int_equal(disk->failed, 0);
}

/* What the trace gets: each request as it is taken, and as it is answered. */
static void told(void **state)
{
    whole(0, 100, DATA, 4096, 4097);
    assert_work("read:100:4096 done:-:4096 ");
    whole(1, 101, DATA, 1024, 1);
    assert_work("write:101:1024 done:-:1024 ");
    whole(4, 0, DATA, 0, 1);
    assert_work("flush:-:0 done:-:0 ");
    whole(8, 0, DATA, 20, 21);
    assert_work("ident:-:20 done:-:0 ");
    whole(2, 0, DATA, 512, 0);
    assert_work("failed:-:0 done:-:0 ");
    whole(0, SECTORS, DATA, 512, 0);
    assert_work("failed:40000:0 done:-:0 ");
    for (unsigned int i = 0; i < 2; i++)
        request(i, 1, 8 * i, DATA + 4096 * i, 512);
    kick(0);
    assert_work("write:0:512 write:8:512 ");
    settle();
    assert_work("done:-:512 done:-:512 ");
}

/* A header, data and a status that are cut anywhere, among parts of no length. */
static void any_layout(void **state)
{
    head_put(0, 0, 7);
    desc(0, 0, HEAD, 3, NEXT, 9);
    desc(0, 9, HEAD + 3, 13, NEXT, 5);
    desc(0, 5, DATA, 0, NEXT | WRITE, 6);
    desc(0, 6, DATA, 700, NEXT | WRITE, 7);
    desc(0, 7, DATA + 700, 325, NEXT | WRITE, 8); /* and the status */
    desc(0, 8, NOWHERE, 0, WRITE, 0);
    offer(0, 0);
    kick(0);
    settle();
    assert_used(0, 0, 1025);
    assert_pattern(DATA, 7, 2);
    assert_int_equal(get(DATA + 1024, 1), 0);
}

static void indirect(void **state)
{
    start(VIRTIO_F_INDIRECT_DESC);
    for (unsigned int direct = 0; direct < 2; direct++) { /* the header in front of it, or in the table */
        head_put(0, 0, 50);
        desc(0, 0, HEAD, 16, NEXT, 1);
        desc(0, direct, TABLE, 16 * 200, INDIR, 0); /* longer than it is used */
        desc_put(TABLE, 0, direct ? DATA : HEAD, direct ? 512 : 16, NEXT | (direct ? WRITE : 0), 150);
        desc_put(TABLE, 150, DATA + 512 * direct, 512, WRITE | NEXT, 2);
        desc_put(TABLE, 2, STATUS, 1, WRITE, 0);
        offer(0, 0);
        kick(0);
        settle();
        assert_used(0, 0, 513 + 512 * direct);
        assert_int_equal(status(0), 0);
        assert_pattern(DATA, 50, 1 + direct);
    }
    for (unsigned int i = 0; i < 126; i++) /* as long as the queue */
        desc_put(TABLE, i + 1, DATA + 512 * i, 512, WRITE | NEXT, i + 2);
    head_put(0, 0, 1000);
    desc_put(TABLE, 0, HEAD, 16, NEXT, 1);
    desc_put(TABLE, 127, STATUS, 1, WRITE, 0);
    desc(0, 0, TABLE, 16 * 128, INDIR, 0);
    offer(0, 0);
    kick(0);
    settle();
    assert_used(0, 0, 126 * 512 + 1);
    assert_pattern(DATA, 1000, 126);
}

/* An SSD's write takes less than its read: whoever is done first is answered first. */
static void in_flight(void **state)
{
    request(0, 0, 10, DATA, 512);
    request(1, 1, 20, DATA + 512, 512);
    request(2, 0, 30, DATA + 1024, 512);
    request(3, 4, 0, DATA, 0);
    kick(0);
    assert_int_equal(blk.nr_flights, 4);
    assert_false(line());
    pass(rig->board, MICROSECS(30));
    assert_true(line());
    assert_used(0, 3, 1);
    assert_used(0, -1, 0);
    pass(rig->board, MICROSECS(60));
    assert_used(0, 0, 513);
    assert_used(0, 6, 513);
    assert_used(0, -1, 0);
    settle();
    assert_used(0, 9, 1); /* the flush is behind all of them */
    assert_int_equal(blk.nr_flights, 0);
}

/* What a request says of its time: nothing happens before the disk is through. */
static void takes_time(void **state)
{
    request(0, 0, 10, DATA, 512);
    kick(0);
    pass(rig->board, MICROSECS(80) - 1);
    assert_false(line());
    assert_int_equal(status(0), 0xee);
    assert_used(0, -1, 0);
    pass(rig->board, MICROSECS(2));
    assert_true(line());
    assert_int_equal(status(0), 0);
}

/* --- what makes no sense --- */

static void errors(void **state)
{
    static const struct {
        uint32_t type;
        uint64_t sector, data;
        uint32_t len;
    } bad[] = {
        { 0, SECTORS, DATA, 512 },
        { 0, SECTORS - 1, DATA, 1024 },
        { 0, UINT64_MAX, DATA, 512 },
        { 0, UINT64_MAX, DATA, 1024 },
        { 0, UINT64_C(1) << 55, DATA, 512 },
        { 1, SECTORS, DATA, 512 },
        { 1, UINT64_MAX, DATA, 1024 },
        { 0, 0, DATA, 511 },
        { 0, 0, DATA, 0 },
        { 1, 0, DATA, 100 },
        { 1, 0, DATA, 0 },
        { 0, 0, DATA, UINT32_MAX - 511 },
        { 1, 0, DATA, 0xfffffe00 },
        { 0, 0, NOWHERE, 512 },
        { 1, 0, NOWHERE, 512 },
        { 8, 0, NOWHERE, 20 },
        { 0, 0, BOARD_MEMORY - 256, 512 },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(whole(bad[i].type, bad[i].sector, bad[i].data, bad[i].len, bad[i].type == 1 || !bad[i].len),
                         1);
    assert_int_equal(disk->failed, ARRAY_SIZE(bad));
    assert_false(disk_is_changed(disk));
    broken = 1;
    assert_int_equal(whole(0, 5, DATA, 512, 0), 1);
    disk->fault.fail = 1;
    assert_int_equal(whole(0, 5, DATA, 512, 0), 1);
    assert_int_equal(whole(0, 5, DATA, 512, 513), 0); /* and then it is as before */
    assert_false(needs_reset());
}

static void too_long(void **state)
{
    start(VIRTIO_F_INDIRECT_DESC);
    for (unsigned int i = 0; i < 126; i++)
        desc_put(TABLE, i + 1, DATA, 65536 + (i == 0 ? 512 : 0), WRITE | NEXT, i + 2);
    head_put(0, 0, 0);
    desc_put(TABLE, 0, HEAD, 16, NEXT, 1);
    desc_put(TABLE, 127, STATUS, 1, WRITE, 0);
    desc(0, 0, TABLE, 16 * 128, INDIR, 0);
    offer(0, 0);
    kick(0);
    settle();
    assert_used(0, 0, 0);
    assert_int_equal(status(0), 1);
    assert_int_equal(disk->done[DISK_READ].nr, 0);
    desc_put(TABLE, 1, DATA, 65536, WRITE | NEXT, 2); /* a sector less */
    offer(0, 0);
    kick(0);
    settle();
    assert_used(0, 0, VIRTIO_BLK_BYTES_MAX + 1);
    assert_int_equal(status(0), 0);
}

static void half_requests(void **state)
{
    head_put(0, 8, 0);
    desc(0, 0, HEAD, 15, NEXT, 1); /* less than a header */
    desc(0, 1, STATUS, 1, WRITE, 0);
    offer(0, 0);
    kick(0);
    settle();
    assert_used(0, 0, 1);
    assert_int_equal(status(0), 1);
    head_put(0, 0, 0);
    desc(0, 0, HEAD, 16, NEXT, 1); /* a status that is nowhere is lost */
    desc(0, 1, NOWHERE, 1, WRITE, 0);
    offer(0, 0);
    kick(0);
    settle();
    assert_used(0, 0, 1);
    assert_false(needs_reset());
    desc(0, 1, STATUS, 0, WRITE, 0); /* none at all: nobody could be told */
    offer(0, 0);
    kick(0);
    assert_true(needs_reset());
}

static void read_only(void **state)
{
    assert_int_equal(reg_in(VIRTIO_HOST_FEATURES, 4), 0x38000266);
    assert_int_equal(whole(1, 0, DATA, 512, 1), 1);
    assert_int_equal(whole(0, 0, DATA, 512, 513), 0);
    assert_pattern(DATA, 0, 1);
    assert_false(disk_is_changed(disk));
}

/* --- broken queues --- */

/* What was just offered is no queue: nothing is done until the device is reset, and then all is well. */
static void assert_broken(const char *why)
{
    kick(0);
    if (!needs_reset())
        fail_msg("%s: the device takes it", why);
    assert_true(line());
    assert_int_equal(reg_in(VIRTIO_ISR, 1), VIRTIO_ISR_CONFIG);
    assert_false(line());
    reg_out(VIRTIO_STATUS, 1, 7);
    assert_true(needs_reset());
    request(0, 8, 0, DATA, 20); /* as it should be */
    put(avail_of(RIG_QUEUE, 128) + 2, 2, rig->queue[0].used + 1);
    rig->dma = 0;
    kick(0);
    settle();
    assert_int_equal(rig->dma, 0);
    assert_int_equal(disk->done[DISK_READ].nr + disk->done[DISK_WRITE].nr, 0);
    pci_config_write(&rig->bus, DEVFN, 4, 2, 5);
    start(VIRTIO_F_INDIRECT_DESC);
    assert_int_equal(whole(8, 0, DATA, 20, 21), 0);
    start(VIRTIO_F_INDIRECT_DESC);
    request(0, 0, 0, DATA, 512);
    memcpy(rig->board->memory + TABLE, rig->board->memory + RIG_QUEUE, 48); /* the same, as a table */
}

static void broken_queues(void **state)
{
    const uint64_t ring = avail_of(RIG_QUEUE, 128);

    start(VIRTIO_F_INDIRECT_DESC);
    request(0, 0, 0, DATA, 512);
    put(ring + 4, 2, 128);
    assert_broken("a chain that begins behind the table");
    desc(0, 1, DATA, 512, NEXT | WRITE, 128);
    assert_broken("a chain that goes on behind it");
    desc(0, 1, DATA, 512, NEXT | WRITE, 1);
    assert_broken("a chain that goes round");
    put(ring + 2, 2, 129);
    assert_broken("more chains than entries");
    put(ring + 2, 2, 0xffff);
    assert_broken("an index that goes back");
    desc(0, 2, STATUS, 1, WRITE | NEXT, 3);
    desc(0, 3, DATA, 512, 0, 0);
    assert_broken("what is to be read behind what is to be written");
    desc(0, 1, UINT64_MAX - 100, 512, NEXT | WRITE, 2);
    assert_broken("an address that wraps");
    desc(0, 0, TABLE, 48, INDIR | NEXT, 1);
    assert_broken("a chain that goes on behind its indirect table");
    desc(0, 0, TABLE, 56, INDIR, 0);
    assert_broken("a table that ends within a descriptor");
    desc(0, 0, TABLE, 0, INDIR, 0);
    assert_broken("an empty table");
    desc(0, 0, NOWHERE, 32, INDIR, 0);
    assert_broken("a table that is nowhere");
    desc(0, 0, TABLE, 32, INDIR, 0);
    desc_put(TABLE, 0, TABLE, 32, INDIR, 0);
    assert_broken("a table in a table");
    desc(0, 0, TABLE, 32, INDIR, 0);
    desc_put(TABLE, 0, HEAD, 16, NEXT, 2);
    assert_broken("a chain that goes on behind its indirect table's end");
    desc(0, 0, TABLE, 16 * 200, INDIR, 0);
    for (unsigned int i = 0; i < 200; i++)
        desc_put(TABLE, i, DATA, 1, WRITE | (i < 128 ? NEXT : 0), i + 1);
    assert_broken("an indirect chain of 129");
    reg_out(VIRTIO_GUEST_FEATURES, 4, 0);
    desc(0, 0, TABLE, 48, INDIR, 0);
    assert_broken("an indirect table that was not agreed upon");
    reg_out(VIRTIO_QUEUE_PFN, 4, 0x7fffffff);
    assert_broken("a queue that is nowhere");
    pci_config_write(&rig->bus, DEVFN, 4, 2, 1);
    assert_broken("no access to the bus");
}

/* The used ring lies beyond memory: the answer cannot be given, and that is noticed then. */
static void no_used_ring(void **state)
{
    const uint64_t last = BOARD_MEMORY - 4096;

    desc_put(last, 0, HEAD, 16, NEXT, 1);
    desc_put(last, 1, DATA, 512, NEXT | WRITE, 2);
    desc_put(last, 2, STATUS, 1, WRITE, 0);
    head_put(0, 0, 1);
    put(last + 2048 + 2, 2, 1);
    reg_out(VIRTIO_QUEUE_PFN, 4, (uint32_t)(last >> 12));
    kick(0);
    assert_false(needs_reset());
    settle();
    assert_true(needs_reset());
    assert_int_equal(blk.nr_flights, 0);
}

/* --- notifications --- */

static void without_interrupts(void **state)
{
    put(avail_flags(0), 2, 1);
    request(0, 8, 0, DATA, 20);
    kick(0);
    settle();
    assert_used(0, 0, 21);
    assert_false(line());
    put(avail_flags(0), 2, 0);
    assert_int_equal(whole(8, 0, DATA, 20, 21), 0);
}

/* Interrupts from the index on that the driver has put behind its ring; and the device's own behind the other one. */
static void by_index(void **state)
{
    start(VIRTIO_F_EVENT_IDX);
    put(used_event(0), 2, 2);
    for (unsigned int i = 0; i < 5; i++) {
        request(0, 8, 0, DATA, 20);
        kick(0);
        assert_int_equal(avail_event(0), i + 1);
        settle();
        assert_int_equal(line(), i == 2);
        reg_in(VIRTIO_ISR, 1);
    }
    put(used_event(0), 2, 6);
    for (unsigned int i = 0; i < 4; i++) /* 5 to 8 at once: it is among them */
        request(i, 8, 0, DATA, 20);
    kick(0);
    assert_int_equal(avail_event(0), 9);
    settle();
    assert_true(line());
}

/* Both indices run over 2^16. */
static void indices_wrap(void **state)
{
    uint32_t len;

    start(VIRTIO_F_EVENT_IDX);
    for (unsigned int i = 0; i < 66000; i += 40) {
        put(used_event(0), 2, rig->queue[0].used + 39);
        for (unsigned int k = 0; k < 40; k++)
            request(k, 8, 0, DATA, 20);
        kick(0);
        pass(rig->board, 1);
        for (unsigned int k = 0; k < 40; k++)
            assert_int_equal(take_used(0, &len), 3 * k);
        assert_true(line());
        reg_in(VIRTIO_ISR, 1);
    }
    assert_true(rig->queue[0].used < 1000);
    assert_false(needs_reset());
}

static void reset_in_flight(void **state)
{
    request(0, 0, 10, DATA, 512);
    kick(0);
    start(0);
    settle();
    assert_false(line());
    assert_int_equal(status(0), 0xee);
    assert_used(0, -1, 0);
    request(0, 0, 10, DATA, 512); /* the queue alone is taken away */
    kick(0);
    reg_out(VIRTIO_QUEUE_PFN, 4, 0);
    settle();
    assert_false(line());
    assert_int_equal(status(0), 0xee);
    start(0);
    request(0, 0, 10, DATA, 512); /* a queue that is not there is nobody's */
    kick(0);
    reg_out(VIRTIO_QUEUE_SELECT, 2, 1);
    reg_out(VIRTIO_QUEUE_PFN, 4, 0);
    settle();
    assert_used(0, 0, 513);
}

/* The device was reset: it has room, and does not look at a queue without being told to. */
static void assert_anew(void)
{
    start(0);
    request(0, 8, 0, DATA, 20);
    kick(0);
    assert_int_equal(blk.nr_flights, 1);
    request(1, 8, 0, DATA, 20);
    settle();
    assert_used(0, 0, 21);
    assert_used(0, -1, 0);
}

/* Large requests wait for each other, and time passes between them even if the disk takes none. */
static void full(void **state)
{
    start(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX);
    disk->speed = DISK_NONE;
    for (unsigned int i = 0; i < 126; i++)
        desc_put(TABLE, i + 1, DATA, 65536, WRITE | NEXT, i + 2);
    head_put(0, 0, 0);
    desc_put(TABLE, 0, HEAD, 16, NEXT, 1);
    desc_put(TABLE, 127, STATUS, 1, WRITE, 0);
    for (unsigned int i = 0; i < 5; i++) {
        desc(0, i, TABLE, 16 * 128, INDIR, 0);
        offer(0, (uint16_t)i);
    }
    kick(0);
    assert_int_equal(blk.nr_flights, 2);
    kick(0);
    assert_int_equal(blk.nr_flights, 2);
    pass(rig->board, 0);
    assert_used(0, 0, VIRTIO_BLK_BYTES_MAX + 1);
    assert_used(0, 1, VIRTIO_BLK_BYTES_MAX + 1);
    assert_used(0, -1, 0);
    pass(rig->board, MICROSECS(1));
    assert_used(0, 2, VIRTIO_BLK_BYTES_MAX + 1);
    assert_used(0, 3, VIRTIO_BLK_BYTES_MAX + 1);
    pass(rig->board, MICROSECS(1));
    assert_used(0, 4, VIRTIO_BLK_BYTES_MAX + 1);
    assert_int_equal(avail_event(0), 5);
    for (unsigned int i = 0; i < 5; i++)
        offer(0, (uint16_t)i);
    kick(0);
    assert_int_equal(blk.nr_flights, 2);
    assert_anew();
    disk->away = true;
    request(0, 8, 0, DATA, 20);
    kick(0);
    start(0);
    disk->away = false;
    request(0, 8, 0, DATA, 20);
    settle();
    assert_used(0, -1, 0);
}

/* The same chain again and again: no more are in flight than there are entries. */
static void many(void **state)
{
    request(0, 0, 10, DATA, 512);
    for (unsigned int i = 0; i < 127; i++)
        offer(0, 0);
    kick(0);
    assert_int_equal(blk.nr_flights, 128);
    for (unsigned int i = 0; i < 100; i++)
        offer(0, 0);
    kick(0);
    assert_int_equal(blk.nr_flights, 128);
    settle();
    assert_int_equal(disk->done[DISK_READ].nr, 228);
    assert_int_equal(get(used_of(RIG_QUEUE, 128) + 2, 2), 228);
}

/* --- what is done to it from outside --- */

static void from_outside(void **state)
{
    disk->away = true;
    request(0, 0, 10, DATA, 512);
    kick(0);
    settle();
    assert_false(line());
    disk->away = false;
    settle();
    assert_used(0, 0, 513);
    reg_in(VIRTIO_ISR, 1);
    request(0, 0, 10, DATA, 512); /* what has begun is answered in time */
    kick(0);
    disk->away = true;
    request(1, 0, 10, DATA, 512);
    kick(0);
    pass(rig->board, MICROSECS(90));
    assert_used(0, 0, 513);
    disk->away = false;
    settle();
    assert_used(0, 3, 513);
    reg_in(VIRTIO_ISR, 1);
    disk->fault.drop = 1;
    request(0, 0, 10, DATA, 512);
    kick(0);
    settle();
    assert_false(line());
    assert_used(0, 0, 513);
    disk->fault.slower = MILLISECS(50);
    request(0, 0, 10, DATA, 512);
    kick(0);
    pass(rig->board, MILLISECS(50));
    assert_used(0, -1, 0);
    pass(rig->board, MILLISECS(1));
    assert_used(0, 0, 513);
    reg_in(VIRTIO_ISR, 1);
    assert_int_equal(disk_grow(disk, SECTORS + 8), 0);
    virtio_blk_resized(&blk);
    assert_int_equal(reg_in(VIRTIO_ISR, 1), VIRTIO_ISR_CONFIG);
    assert_int_equal(reg_in(VIRTIO_REGS, 4), SECTORS + 8);
    assert_int_equal(whole(0, SECTORS + 7, DATA, 512, 513), 0);
}

/* A write lasts when its flush is answered. */
static void flushes(void **state)
{
    file.live = true;
    assert_int_equal(whole(4, 0, DATA, 0, 1), 0);
    assert_int_equal(flushed, 1);
}

/* --- drivers that do anything --- */

static uint64_t r, hash;
static unsigned int runs = 60;
static uint64_t first_seed = 1;

static uint64_t any(uint64_t n) { return random_of(&r, n); }
static bool one_in(unsigned int n) { return !any(n); }
static void note(uint64_t val) { hash = (hash ^ val) * UINT64_C(1099511628211); }

/* Mostly a place in memory. */
static uint64_t any_addr(void)
{
    switch (any(20)) {
    case 0: return any(UINT64_C(1) << 44) << 20;
    case 1: return BOARD_MEMORY - any(600);
    case 2: return RIG_QUEUE + any(0x3000); /* the queue itself */
    case 3: return TABLE + any(0x1000);
    case 4: return UINT64_MAX - any(600);
    case 5: return HEAD + 16 * any(40);
    default: return DATA + any(0x20000);
    }
}

static uint32_t any_len(void)
{
    switch (any(12)) {
    case 0: return (uint32_t)any(UINT64_C(1) << 32);
    case 1: return UINT32_MAX;
    case 2: return (uint32_t)(65536 + 512 * any(2));
    case 3: return 0;
    case 4: return 16;
    case 5: return 1;
    case 6: return 16 * (uint32_t)any(300);
    default: return 512 * (uint32_t)any(10);
    }
}

static void any_descriptor(void)
{
    const uint64_t table = one_in(3) ? TABLE : RIG_QUEUE;
    const unsigned int flags = one_in(12) ? (unsigned int)any(65536) : (unsigned int)any(one_in(6) ? 8 : 4);

    desc_put(table, (unsigned int)any(12), any_addr(), any_len(), flags, (unsigned int)any(one_in(30) ? 200 : 12));
}

/* A request as it should be, but for one thing perhaps. */
static void any_request(void)
{
    static const uint8_t types[] = { 0, 0, 1, 1, 4, 8 };
    const unsigned int i = (unsigned int)any(40), bad = (unsigned int)any(30);
    const uint64_t sector = bad == 1 ? any(UINT64_C(1) << 44) << 20 : any(SECTORS + (bad == 2 ? 100 : 0));

    request(i, bad == 3 ? (uint32_t)any(UINT64_C(1) << 32) : types[any(sizeof(types))], sector,
            bad == 4 ? any_addr() : DATA + 512 * any(200), bad == 5 ? any_len() : 512 * (uint32_t)any(8));
    if (bad == 6)
        desc(0, 3 * i + (unsigned int)any(3), any_addr(), any_len(), (unsigned int)any(8), (unsigned int)any(130));
}

static void any_register(void)
{
    const unsigned int size = 1u << any(3), at = (unsigned int)any(64 - size + 1);

    if (one_in(2))
        note(reg_in(at, size));
    else if (one_in(3))
        reg_out(at, size, (uint32_t)any(UINT64_C(1) << 32));
    else
        reg_out(VIRTIO_QUEUE_SELECT, 2, (uint32_t)any(2));
}

static void any_trouble(void)
{
    switch (any(6)) {
    case 0: broken = (unsigned int)any(3); break;
    case 1: disk->fault.fail = (unsigned int)any(2); break;
    case 2: disk->fault.drop = (unsigned int)any(2); break;
    case 3: disk->away = one_in(2); break;
    case 4: pci_config_write(&rig->bus, DEVFN, 4, 2, one_in(3) ? (uint32_t)any(8) : 5); break;
    default: disk->speed = (enum disk_speed)any(DISK_SPEEDS); break;
    }
}

/* Nothing is done while it is broken, so that does not last long. */
static void any_start(void)
{
    if (!needs_reset() && !one_in(100))
        return;
    pci_config_write(&rig->bus, DEVFN, 4, 2, 5);
    start((uint32_t)any(8) << 27);
    if (one_in(2))
        disk->speed = DISK_SSD;
}

static void any_step(void)
{
    switch (any(16)) {
    case 0: any_descriptor(); break;
    case 1:
        if (one_in(4))
            offer(0, (uint16_t)any(one_in(30) ? 200 : 12));
        break;
    case 2: pass(rig->board, (s_time_t)any(one_in(3) ? MILLISECS(20) : MICROSECS(100))); break;
    case 3:
        if (one_in(4))
            any_register();
        else if (one_in(30))
            put(avail_flags(0) + any(4), 1, any(256));
        break;
    case 4:
        if (one_in(10))
            any_trouble();
        break;
    case 5: any_start(); break;
    case 6:
    case 7:
    case 8: kick(0); break;
    default: any_request(); break;
    }
}

/* After a reset it is as good as new. */
static void assert_usable(void)
{
    broken = 0;
    disk->away = false;
    disk->fault = (struct disk_fault){ 0 };
    pci_config_write(&rig->bus, DEVFN, 0x10, 4, PORT);
    pci_config_write(&rig->bus, DEVFN, 4, 2, 5);
    start(0);
    assert_int_equal(whole(8, 0, DATA, 20, 21), 0);
    memset(rig->board->memory + DATA, 0x77, 512);
    request(0, 1, 70, DATA, 512);
    kick(0);
    pass(rig->board, SECONDS(600)); /* behind all that the disk was given */
    assert_used(0, 0, 1);
    request(0, 0, 70, DATA + 512, 512);
    kick(0);
    pass(rig->board, SECONDS(600));
    assert_used(0, 0, 513);
    assert_memory_equal(rig->board->memory + DATA, rig->board->memory + DATA + 512, 512);
}

static uint64_t hostile_run(uint64_t seed)
{
    r = seed;
    hash = UINT64_C(14695981039346656037);
    readonly = false;
    create();
    start((uint32_t)any(8) << 27);
    for (unsigned int i = 0; i < 1500; i++) {
        const uint64_t before = rig->dma;

        any_step();
        assert_true(blk.nr_flights <= VIRTIO_BLK_QUEUE && blk.bytes <= 2 * VIRTIO_BLK_BYTES_MAX);
        note(rig->dma - before);
        note(line());
    }
    note(disk->done[DISK_READ].sectors);
    note(disk->done[DISK_WRITE].sectors);
    note(disk->failed);
    for (unsigned int i = 0; i < BOARD_MEMORY; i += 8)
        note(get(i, 8));
    assert_usable();
    teardown(NULL);
    return hash;
}

static void hostile(void **state)
{
    for (unsigned int i = 0; i < runs; i++) {
        const uint64_t once = hostile_run(first_seed + i);

        if (i % 8 == 0 && hostile_run(first_seed + i) != once)
            fail_msg("seed %llu: two runs differ", (unsigned long long)(first_seed + i));
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(as_found),
        TEST(registers),
        TEST(reads_and_writes),
        TEST(other_kinds),
        TEST(told),
        TEST(any_layout),
        TEST(indirect),
        TEST(in_flight),
        TEST(takes_time),
        TEST(errors),
        TEST(too_long),
        TEST(half_requests),
        cmocka_unit_test_setup_teardown(read_only, setup_readonly, teardown),
        TEST(broken_queues),
        TEST(no_used_ring),
        TEST(without_interrupts),
        TEST(by_index),
        TEST(indices_wrap),
        TEST(reset_in_flight),
        TEST(full),
        TEST(many),
        TEST(from_outside),
        TEST(flushes),
        cmocka_unit_test(hostile),
    };

    if (argc > 1)
        runs = (unsigned int)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
