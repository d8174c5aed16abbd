// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The block back end and its bus, with a front end that is played here: what it does right, all that it can do wrong,
 * and that a second disk goes on meanwhile.
 *
 * Budget: the front end, and then a case for each thing that it may do.
 */
#include "tests/rings/front.h"

#include "mmu/grant/private.h"
#include "rings/blkback.h"
#include "rings/ring.h"
#include "tools/disk/disk_file.h"
#include "vcpu/native/ring.h"

#include <stdlib.h>
#include <unistd.h>
#include <xen/io/blkif.h>
#include <xen/io/xenbus.h>

#define SECTORS 64u /* eight clusters of a disk */
#define REFS    8u  /* of one front end */

/* A front end, and what there is for it to use. */
struct front {
    struct scene *s;
    uint32_t devid;
    grant_ref_t first; /* ring; then one page a reference */
    mfn_t mfn[REFS];
    evtchn_port_t port;
    uint32_t prod, cons;
    bool x86_32;
};

struct scene {
    struct fixture *f;
    struct store st;
    struct xenbus *bus;
    struct blkback_disks disks;
    struct xenbus_kind kinds[2];
    struct open_file image;
    struct front a, b;
};

static uint64_t disk_sectors = SECTORS; /* what is said of the file */

/* --- the store --- */

static void write_node(struct scene *s, const char *path, const char *value) { store_write(&s->st, path, value); }

static const char *read_node(struct scene *s, const char *path, char value[64])
{
    return store_read(&s->st, path, value);
}

static const char *front_path(const struct front *t, const char *node)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/device/vbd/%u/%s", t->s->st.own, t->devid, node);
    return path;
}

static const char *back_path(const struct front *t, const char *node)
{
    static char path[128];

    snprintf(path, sizeof(path), "/local/domain/%u/backend/vbd/%u/%u/%s", back_domid(t->s->f), t->s->f->d->domain_id,
             t->devid, node);
    path[strlen(path) - !*node] = 0;
    return path;
}

static void run(struct scene *s) { back_run(s->f); }

static void front_write(struct front *t, const char *node, unsigned long value)
{
    char text[32];

    snprintf(text, sizeof(text), "%lu", value);
    write_node(t->s, front_path(t, node), text);
}

static void front_state(struct front *t, unsigned int state)
{
    front_write(t, "state", state);
    run(t->s);
}

static void expect_back(struct front *t, const char *node, const char *value)
{
    char buf[64];

    assert_string_equal(read_node(t->s, back_path(t, node), buf), value);
}

static const char *error_node(struct front *t, char value[64])
{
    char path[128];

    snprintf(path, sizeof(path), "/local/domain/%u/error/backend/vbd/%u/%u/error", back_domid(t->s->f),
             t->s->f->d->domain_id, t->devid);
    return read_node(t->s, path, value);
}

/* --- the front end --- */

static void *frame(struct front *t, unsigned int i) { return ram_page(t->s->f->m, t->mfn[i]); }
static blkif_sring_t *shared(struct front *t) { return frame(t, 0); }

static void grant(struct front *t, unsigned int i, uint16_t flags)
{
    grant_entry_v1_t *e = shared_entry_v1(t->s->f->d->grant_table, t->first + i);

    *e = (grant_entry_v1_t){ .flags = flags, .domid = back_domid(t->s->f), .frame = (uint32_t)mfn_x(t->mfn[i]) };
}

static void port_open(struct front *t) { t->port = port_offer(t->s->f); }

/* The device appears, as the toolstack writes it. */
static void device_add(struct scene *s, struct front *t, uint32_t devid, grant_ref_t first, const char *params,
                       const char *mode)
{
    struct domain *d = s->f->d;
    struct page_info *pg = page_list_first(s->f->xen, &d->page_list);
    unsigned int nr = 0;
    char id[16], front[128];

    *t = (struct front){ .s = s, .devid = devid, .first = first };
    for (unsigned int skip = first; nr < REFS; pg = page_list_next(s->f->xen, pg)) {
        assert_non_null(pg);
        if (pg->type_info & PGT_count_mask)
            continue;
        if (skip)
            skip--;
        else
            t->mfn[nr++] = page_to_mfn(s->f->xen, pg);
    }
    for (unsigned int i = 0; i < REFS; i++)
        grant(t, i, GTF_permit_access);
    port_open(t);
    snprintf(id, sizeof(id), "%u", d->domain_id);
    snprintf(front, sizeof(front), "%s", front_path(t, ""));
    front[strlen(front) - 1] = 0;
    store_dir(&s->st, front, d->domain_id, back_domid(s->f));
    store_dir(&s->st, back_path(t, ""), back_domid(s->f), d->domain_id);
    write_node(s, back_path(t, "frontend-id"), id);
    write_node(s, front_path(t, "state"), "1");
    write_node(s, back_path(t, "frontend"), front);
    write_node(s, back_path(t, "online"), "1");
    write_node(s, back_path(t, "params"), params);
    write_node(s, back_path(t, "mode"), mode);
    write_node(s, back_path(t, "state"), "1");
    run(s);
}

static void ring_new(struct front *t)
{
    blkif_sring_t *ring = shared(t);

    memset(ring, 0, PAGE_SIZE);
    SHARED_RING_INIT(ring);
    t->prod = t->cons = 0;
    front_write(t, "ring-ref", t->first);
    front_write(t, "event-channel", t->port);
}

static void connect(struct front *t)
{
    expect_back(t, "state", "2");
    ring_new(t);
    if (t->x86_32)
        write_node(t->s, front_path(t, "protocol"), "x86_32-abi");
    front_state(t, XenbusStateInitialised);
    expect_back(t, "state", "4");
    front_state(t, XenbusStateConnected);
}

static uint8_t pattern(uint64_t sector, unsigned int at) { return (uint8_t)(sector * 37 + at); }

static void begin_disks(struct scene *s, struct fixture *f, const char *mode)
{
    char name[] = "/tmp/test_blkback.XXXXXX";
    char why[DISK_WHY_SIZE];
    uint8_t bytes[SECTOR_SIZE];
    int fd;

    memset(s, 0, sizeof(*s));
    s->f = f;
    fd = mkstemp(name);
    for (unsigned int i = 0; i < SECTORS; i++) {
        for (unsigned int j = 0; j < SECTOR_SIZE; j++)
            bytes[j] = pattern(i, j);
        assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
    }
    close(fd);
    s->image.place = (struct disk_place){ name, XL_DISK_RAW };
    s->image.writable = true;
    assert_int_equal(disk_file_open(&s->image, why), 0);
    s->image.file.sectors = disk_sectors;
    s->image.file.live = false;
    unlink(name);
    assert_int_equal(native_timers_start(back_kernel(f)), 0);
    assert_int_equal(gnttab_grow_table(f->d, 1), 0);
    begin(&s->st, f);
    s->disks.first = disk_create(f->m->arena, &s->image.file, "a.img");
    s->disks.first->next = disk_create(f->m->arena, &s->image.file, "b.img");
    s->kinds[0] = (struct xenbus_kind){ &blkback, &s->disks };
    s->bus = back_bus(&s->st, s->kinds);
    assert_non_null(s->bus);
    device_add(s, &s->a, 51712, 8, "a.img", mode);
    device_add(s, &s->b, 51728, 24, "b.img", "w");
}

static void end_disks(struct scene *s)
{
    back_bus_end(&s->st, s->bus);
    disk_destroy(s->disks.first->next);
    disk_destroy(s->disks.first);
    disk_file_close(&s->image);
    end(&s->st);
}

/* Put a request: of the 64-bit layout, which is changed if the front end's is another. */
static void put_request(struct front *t, const void *request)
{
    uint8_t *slot = (uint8_t *)frame(t, 0) + 64;

    if (t->x86_32) {
        slot += (t->prod % 32) * 108;
        memcpy(slot, request, 4);
        memcpy(slot + 4, (const uint8_t *)request + 8, 104);
    } else {
        memcpy(slot + (t->prod % 32) * 112, request, 112);
    }
    shared(t)->req_prod = ++t->prod;
}

static void send_event(struct front *t) { port_ring(t->s->f, t->port); }

/* Tell the back end, and let a second pass. */
static void wait(struct front *t)
{
    send_event(t);
    t->s->f->m->clock.now += SECONDS(1);
    send_event(t);
}

static bool answered(struct front *t, struct blkif_response *rsp)
{
    const uint8_t *slot = (uint8_t *)frame(t, 0) + 64 + (t->cons % 32) * (t->x86_32 ? 108u : 112u);

    if (t->cons == shared(t)->rsp_prod)
        return false;
    memcpy(rsp, slot, t->x86_32 ? 12 : 16);
    t->cons++;
    return true;
}

/* One request, one answer. */
static int ask(struct front *t, struct blkif_request *q)
{
    struct blkif_response rsp;

    q->id = UINT64_C(0x123456789a) + t->prod;
    put_request(t, q);
    wait(t);
    assert_true(answered(t, &rsp));
    assert_true(rsp.id == q->id);
    /* Linux insists on it: of an indirect request what it is to do. */
    assert_int_equal(rsp.operation, q->operation == BLKIF_OP_INDIRECT ? q->nr_segments : q->operation);
    return rsp.status;
}

static struct blkif_request of(uint8_t op, uint64_t sector, unsigned int nr)
{
    struct blkif_request q;

    memset(&q, 0, sizeof(q));
    q.operation = op;
    q.sector_number = sector;
    q.nr_segments = (uint8_t)nr;
    return q;
}

/* Of one segment: page i of the front end. */
static struct blkif_request one(struct front *t, uint8_t op, uint64_t sector, unsigned int i, uint8_t first,
                                uint8_t last)
{
    struct blkif_request q = of(op, sector, 1);

    q.seg[0] = (struct blkif_request_segment){ t->first + i, first, last };
    return q;
}

static void expect_pattern(const uint8_t *bytes, uint64_t sector, unsigned int nr)
{
    for (unsigned int i = 0; i < nr * SECTOR_SIZE; i++)
        assert_int_equal(bytes[i], pattern(sector + i / SECTOR_SIZE, i % SECTOR_SIZE));
}

static void read_works(struct front *t)
{
    struct blkif_request q = one(t, BLKIF_OP_READ, 9, 1, 2, 6);

    memset(frame(t, 1), 0xee, PAGE_SIZE);
    assert_int_equal(ask(t, &q), BLKIF_RSP_OKAY);
    expect_pattern((uint8_t *)frame(t, 1) + 2 * SECTOR_SIZE, 9, 5);
    assert_int_equal(((uint8_t *)frame(t, 1))[2 * SECTOR_SIZE - 1], 0xee);
    assert_int_equal(((uint8_t *)frame(t, 1))[7 * SECTOR_SIZE], 0xee);
}

/* --- what is right --- */

static void offers(void **state)
{
    struct scene s;
    char value[64];

    begin_disks(&s, *state, "w");
    expect_back(&s.a, "feature-flush-cache", "1");
    expect_back(&s.a, "feature-max-indirect-segments", "32");
    expect_back(&s.a, "sectors", "-");
    connect(&s.a);
    expect_back(&s.a, "sectors", "64");
    expect_back(&s.a, "sector-size", "512");
    expect_back(&s.a, "info", "0");
    assert_string_equal(error_node(&s.a, value), "-");
    end_disks(&s);
}

static void reads_and_writes(struct scene *s, struct front *t)
{
    struct blkif_request q;

    connect(t);
    read_works(t);
    memset(frame(t, 2), 0x5a, PAGE_SIZE);
    q = one(t, BLKIF_OP_WRITE, 15, 2, 1, 2); /* the last of a cluster, the first of the next */
    assert_int_equal(ask(t, &q), BLKIF_RSP_OKAY);
    q = of(BLKIF_OP_FLUSH_DISKCACHE, 0, 0);
    assert_int_equal(ask(t, &q), BLKIF_RSP_OKAY);
    q = of(BLKIF_OP_READ, 8, 2);
    q.seg[0] = (struct blkif_request_segment){ t->first + 3, 0, 7 };
    q.seg[1] = (struct blkif_request_segment){ t->first + 4, 0, 7 };
    assert_int_equal(ask(t, &q), BLKIF_RSP_OKAY);
    expect_pattern(frame(t, 3), 8, 7);
    for (unsigned int i = 0; i < SECTOR_SIZE; i++) {
        assert_int_equal(((uint8_t *)frame(t, 3))[7 * SECTOR_SIZE + i], 0x5a);
        assert_int_equal(((uint8_t *)frame(t, 4))[i], 0x5a);
    }
    expect_pattern((uint8_t *)frame(t, 4) + SECTOR_SIZE, 17, 7);
    assert_int_equal(s->disks.first->clusters + s->disks.first->next->clusters, 2);
}

static void bytes_arrive(void **state)
{
    struct scene s;
    uint8_t sector[SECTOR_SIZE];

    begin_disks(&s, *state, "w");
    reads_and_writes(&s, &s.a);
    assert_int_equal(pread(s.image.fd, sector, sizeof(sector), 15 * SECTOR_SIZE), sizeof(sector));
    expect_pattern(sector, 15, 1); /* the file is as it was */
    end_disks(&s);
}

static void bytes_arrive_32(void **state)
{
    struct scene s;

    begin_disks(&s, *state, "w");
    s.a.x86_32 = true;
    reads_and_writes(&s, &s.a);
    end_disks(&s);
}

static void live_is_in_the_file(void **state)
{
    struct blkif_request q;
    struct scene s;
    uint8_t sector[SECTOR_SIZE];

    begin_disks(&s, *state, "w");
    s.image.file.live = true;
    connect(&s.a);
    memset(frame(&s.a, 2), 0x5a, PAGE_SIZE);
    q = one(&s.a, BLKIF_OP_WRITE, 63, 2, 0, 0);
    assert_int_equal(ask(&s.a, &q), BLKIF_RSP_OKAY);
    assert_int_equal(pread(s.image.fd, sector, sizeof(sector), 63 * SECTOR_SIZE), sizeof(sector));
    assert_memory_equal(sector, frame(&s.a, 2), SECTOR_SIZE);
    end_disks(&s);
}

/* A disk grows under its front end, also by levels of its tables: what was written is there, what is new is zero. */
static void grows(void **state)
{
    static const uint64_t sizes[] = { 65, 4096, UINT64_C(1) << 22, UINT64_C(1) << 40 };
    struct blkif_request q;
    struct scene s;
    char value[64];

    begin_disks(&s, *state, "w");
    connect(&s.a);
    memset(frame(&s.a, 2), 0x5a, PAGE_SIZE);
    q = one(&s.a, BLKIF_OP_WRITE, 15, 2, 0, 0);
    assert_int_equal(ask(&s.a, &q), BLKIF_RSP_OKAY);
    assert_int_equal(disk_grow(s.disks.first, SECTORS - 1), -EINVAL);
    for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
        q = one(&s.a, BLKIF_OP_WRITE, sizes[i] - 1, 2, 0, 0);
        assert_int_equal(ask(&s.a, &q), BLKIF_RSP_ERROR);
        assert_int_equal(disk_grow(s.disks.first, sizes[i]), 0);
        blkback_resized(s.bus, s.disks.first);
        run(&s);
        snprintf(value, sizeof(value), "%llu", (unsigned long long)sizes[i]);
        expect_back(&s.a, "sectors", value);
        expect_back(&s.a, "state", "4");
        q = one(&s.a, BLKIF_OP_READ, sizes[i] - 1, 3, 0, 0);
        assert_int_equal(ask(&s.a, &q), BLKIF_RSP_OKAY);
        for (unsigned int j = 0; j < SECTOR_SIZE; j++)
            assert_int_equal(((uint8_t *)frame(&s.a, 3))[j], 0);
        q = one(&s.a, BLKIF_OP_WRITE, sizes[i] - 1, 2, 0, 0);
        assert_int_equal(ask(&s.a, &q), BLKIF_RSP_OKAY);
        q = one(&s.a, BLKIF_OP_READ, 15, 3, 0, 0);
        assert_int_equal(ask(&s.a, &q), BLKIF_RSP_OKAY);
        assert_memory_equal(frame(&s.a, 3), frame(&s.a, 2), SECTOR_SIZE);
    }
    expect_back(&s.b, "sectors", "-"); /* the other disk, which nobody has taken */
    end_disks(&s);
}

/* A driver domain is started again, and finds the device connected. */
static void begin_again(struct scene *s)
{
    back_bus_end(&s->st, s->bus);
    s->bus = back_bus_again(&s->st, s->kinds);
    run(s);
    expect_back(&s->a, "state", "4");
}

/* How often the front end has heard of the back end's state, since this was asked last. */
static unsigned int told_of_state(struct scene *s)
{
    expect(&s->st, XS_READ, "name", 5, "alpha", 5);
    return s->st.nr_events;
}

/* It has grown while nobody served it: who serves it then says so, and says nothing if it has not. */
static void grows_meanwhile(void **state)
{
    char watch[160];
    struct scene s;

    begin_disks(&s, *state, "w");
    connect(&s.a);
    snprintf(watch, sizeof(watch), "%s%c%s", back_path(&s.a, "state"), 0, "t");
    expect(&s.st, XS_WATCH, watch, strlen(watch) + 3, "OK", 3);
    told_of_state(&s);
    begin_again(&s);
    assert_int_equal(told_of_state(&s), 0);
    back_bus_end(&s.st, s.bus);
    assert_int_equal(disk_grow(s.disks.first, 100), 0);
    s.bus = back_bus_again(&s.st, s.kinds);
    run(&s);
    expect_back(&s.a, "sectors", "100");
    assert_int_equal(told_of_state(&s), 1);
    begin_again(&s);
    assert_int_equal(told_of_state(&s), 0);
    read_works(&s.a);
    end_disks(&s);
}

/* It is found connected, and its front end goes before anybody serves it: the next driver's ring begins anew. */
static void gone_meanwhile(void **state)
{
    struct scene s;

    begin_disks(&s, *state, "w");
    for (unsigned int state_then = XenbusStateClosing; state_then <= XenbusStateClosed; state_then++) {
        connect(&s.a);
        back_bus_end(&s.st, s.bus);
        front_write(&s.a, "state", state_then);
        s.bus = back_bus_again(&s.st, s.kinds);
        run(&s);
        front_state(&s.a, XenbusStateClosed);
        expect_back(&s.a, "state", "6");
        front_state(&s.a, XenbusStateInitialising);
        expect_back(&s.a, "state", "2");
        port_open(&s.a);
        connect(&s.a);
        assert_false(port_was_told(s.f, s.a.port)); /* of answers that a back end before this one has given */
        read_works(&s.a);
        front_state(&s.a, XenbusStateClosed);
        front_state(&s.a, XenbusStateInitialising);
        port_open(&s.a);
    }
    end_disks(&s);
}

/* A failure is over when the front end has closed, whatever it says between that and the next driver. */
static void fails_and_closes_slowly(void **state)
{
    static const unsigned char ways[][4] = { { 6, 1 }, { 6, 5, 1 }, { 5, 6, 1 }, { 6, 5, 6, 1 }, { 6, 3 } };
    struct scene s;

    begin_disks(&s, *state, "w");
    for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
        ring_new(&s.a);
        front_write(&s.a, "event-channel", 0);
        front_state(&s.a, XenbusStateInitialised);
        expect_back(&s.a, "state", "5");
        port_open(&s.a);
        ring_new(&s.a);
        for (unsigned int k = 0; k < 4 && ways[i][k]; k++)
            front_state(&s.a, ways[i][k]);
        if (ways[i][1] != XenbusStateInitialised)
            connect(&s.a);
        expect_back(&s.a, "state", "4");
        read_works(&s.a);
        front_state(&s.a, XenbusStateClosed);
        front_state(&s.a, XenbusStateInitialising);
        port_open(&s.a);
    }
    end_disks(&s);
}

static void discarded_is_zero(void **state)
{
    struct blkif_request q;
    struct blkif_request_discard *dis = (void *)&q;
    struct scene s;

    begin_disks(&s, *state, "w");
    connect(&s.a);
    q = of(BLKIF_OP_DISCARD, 7, 0);
    dis->nr_sectors = 10; /* a cluster whole, and parts of those beside it */
    assert_int_equal(ask(&s.a, &q), BLKIF_RSP_OKAY);
    for (unsigned int i = 0; i < 3; i++) {
        q = one(&s.a, BLKIF_OP_READ, i * 8, 1 + i, 0, 7);
        assert_int_equal(ask(&s.a, &q), BLKIF_RSP_OKAY);
        for (unsigned int j = 0; j < 8; j++)
            for (unsigned int k = 0; k < SECTOR_SIZE; k++)
                assert_int_equal(((uint8_t *)frame(&s.a, 1 + i))[j * SECTOR_SIZE + k],
                                 i * 8 + j >= 7 && i * 8 + j < 17 ? 0 : pattern(i * 8 + j, k));
    }
    end_disks(&s);
}

/* Of a disk that is so large that to discard it would keep dom0 from everything else, nothing is discarded. */
static void large_is_not_discarded(void **state)
{
    struct blkif_request q;
    struct scene s;

    disk_sectors = UINT64_C(1) << 40;
    begin_disks(&s, *state, "w");
    disk_sectors = SECTORS;
    expect_back(&s.a, "feature-discard", "-");
    connect(&s.a);
    read_works(&s.a);
    q = of(BLKIF_OP_DISCARD, 0, 0);
    ((struct blkif_request_discard *)(void *)&q)->nr_sectors = UINT64_C(1) << 40;
    assert_int_equal(ask(&s.a, &q), BLKIF_RSP_EOPNOTSUPP);
    memset(frame(&s.a, 2), 0x5a, PAGE_SIZE);
    q = one(&s.a, BLKIF_OP_WRITE, (UINT64_C(1) << 40) - 1, 2, 0, 0);
    assert_int_equal(ask(&s.a, &q), BLKIF_RSP_OKAY);
    q = one(&s.a, BLKIF_OP_READ, (UINT64_C(1) << 40) - 1, 3, 0, 0);
    assert_int_equal(ask(&s.a, &q), BLKIF_RSP_OKAY);
    assert_memory_equal(frame(&s.a, 2), frame(&s.a, 3), SECTOR_SIZE);
    end_disks(&s);
}

static struct blkif_request_indirect indirect(struct front *t, uint8_t op, uint64_t sector, unsigned int nr)
{
    struct blkif_request_segment *seg = frame(t, 1);
    struct blkif_request_indirect q;

    memset(&q, 0, sizeof(q));
    q.operation = BLKIF_OP_INDIRECT;
    q.indirect_op = op;
    q.nr_segments = (uint16_t)nr;
    q.sector_number = sector;
    q.indirect_grefs[0] = t->first + 1;
    for (unsigned int i = 0; i < 32; i++)
        seg[i] = (struct blkif_request_segment){ t->first + 2 + i % 4, 0, 0 };
    return q;
}

static int ask_indirect(struct front *t, const struct blkif_request_indirect *in)
{
    struct blkif_request q;

    memset(&q, 0, sizeof(q));
    memcpy(&q, in, sizeof(*in));
    return ask(t, &q);
}

static void indirect_works(void **state)
{
    struct blkif_request_indirect q;
    struct scene s;

    for (unsigned int x86_32 = 0; x86_32 < 2; x86_32++) {
        begin_disks(&s, x86_32 ? fix_again(state) : *state, "w");
        s.a.x86_32 = x86_32;
        connect(&s.a);
        q = indirect(&s.a, BLKIF_OP_READ, 8, 32);
        assert_int_equal(ask_indirect(&s.a, &q), BLKIF_RSP_OKAY);
        for (unsigned int i = 0; i < 4; i++)
            expect_pattern(frame(&s.a, 2 + i), 36 + i, 1); /* the last that was read there */
        end_disks(&s);
    }
}

/* Answers come in the order of the requests, when they are due, and with one notification. */
static void answers_have_a_time(void **state)
{
    struct blkif_response rsp;
    struct blkif_request q;
    struct scene s;
    s_time_t began;

    begin_disks(&s, *state, "w");
    connect(&s.a);
    began = s.f->m->clock.now;
    q = one(&s.a, BLKIF_OP_READ, 0, 1, 0, 7);
    q.id = 1;
    put_request(&s.a, &q);
    q = one(&s.a, BLKIF_OP_WRITE, 8, 2, 0, 7); /* it takes less time, and waits */
    q.id = 2;
    put_request(&s.a, &q);
    send_event(&s.a);
    assert_false(answered(&s.a, &rsp));
    s.f->m->clock.now = began + MICROSECS(20) + MICROSECS(30);
    send_event(&s.a);
    assert_false(answered(&s.a, &rsp));
    s.f->m->clock.now = began + MICROSECS(80) + MICROSECS(30);
    send_event(&s.a);
    assert_true(answered(&s.a, &rsp) && rsp.id == 1);
    assert_true(answered(&s.a, &rsp) && rsp.id == 2);
    end_disks(&s);
}

/* --- states --- */

/* No grant of the guest's is in use any more. */
static void expect_no_grants_used(const struct fixture *f)
{
    for (grant_ref_t ref = 0; ref < 64; ref++)
        assert_int_equal(f->d->grant_table->active[ref].pin, 0);
}

/* The front end closes and begins again, dies, and the device goes. */
static void comes_and_goes(void **state)
{
    struct scene s;

    begin_disks(&s, *state, "w");
    connect(&s.a);
    connect(&s.b);
    for (unsigned int i = 0; i < 3; i++) {
        front_state(&s.a, XenbusStateClosing);
        expect_back(&s.a, "state", "5");
        front_state(&s.a, XenbusStateClosed);
        expect_back(&s.a, "state", "6");
        front_state(&s.a, XenbusStateInitialising);
        port_open(&s.a);
        connect(&s.a);
        read_works(&s.a);
    }
    front_state(&s.a, 99);
    front_state(&s.a, XenbusStateInitialising);
    port_open(&s.a);
    connect(&s.a);
    const struct xs_access toolstack = xenstored_toolstack(s.st.x);
    assert_int_equal(xs_rm(&toolstack, back_path(&s.a, "")), 0);
    run(&s);
    read_works(&s.b);
    front_gone(&s.st, s.bus, "vbd");
    expect_no_grants_used(s.f);
    end_disks(&s);
}

/* --- what is wrong --- */

/* What page i is granted is one of the guest's page tables. */
static void table_page(struct front *t, unsigned int i)
{
    const struct fixture *f = t->s->f;
    const mfn_t own = t->mfn[i];
    struct page_info *pg = page_list_first(f->xen, &f->d->page_list);

    while ((pg->type_info & PGT_type_mask) != PGT_l1_page_table)
        pg = page_list_next(f->xen, pg);
    t->mfn[i] = page_to_mfn(f->xen, pg);
    grant(t, i, GTF_permit_access);
    t->mfn[i] = own;
}

/* Requests that make no sense: an error, and nothing has changed. */
static void errors(void **state)
{
    struct blkif_request q;
    struct blkif_request_discard *dis = (void *)&q;
    struct blkif_request_indirect in;
    struct scene s;
    struct front *t = &s.a;

    begin_disks(&s, *state, "w");
    connect(t);
    connect(&s.b);
    for (uint8_t op = BLKIF_OP_READ; op <= BLKIF_OP_WRITE; op++) {
        const struct {
            uint64_t sector;
            unsigned int nr;
            grant_ref_t ref;
            uint8_t first, last;
        } wrong[] = {
            { 0, 0, t->first + 1, 0, 7 },  /* nothing */
            { 0, 12, t->first + 1, 0, 7 }, /* more than there is room for */
            { 0, 255, t->first + 1, 0, 7 },
            { 0, 1, t->first + 1, 3, 2 }, /* backwards */
            { 0, 1, t->first + 1, 0, 8 }, /* beyond the frame */
            { 0, 1, t->first + 1, 255, 255 },
            { SECTORS, 1, t->first + 1, 0, 0 }, /* beyond the disk */
            { SECTORS - 7, 1, t->first + 1, 0, 7 },
            { UINT64_MAX, 1, t->first + 1, 0, 0 },
            { UINT64_MAX - 6, 1, t->first + 1, 0, 7 }, /* its end is 1 */
            { UINT64_C(1) << 55, 1, t->first + 1, 0, 0 },
            { 0, 1, 500, 0, 7 }, /* nobody granted that */
            { 0, 1, UINT32_MAX, 0, 7 },
        };

        for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
            q = of(op, wrong[i].sector, wrong[i].nr);
            for (unsigned int j = 0; j < 11; j++)
                q.seg[j] = (struct blkif_request_segment){ wrong[i].ref, wrong[i].first, wrong[i].last };
            assert_int_equal(ask(t, &q), BLKIF_RSP_ERROR);
        }
    }
    grant(t, 3, GTF_permit_access | GTF_readonly);
    q = one(t, BLKIF_OP_READ, 0, 3, 0, 7); /* it may not be written */
    assert_int_equal(ask(t, &q), BLKIF_RSP_ERROR);
    q = one(t, BLKIF_OP_WRITE, 0, 3, 0, 7);
    assert_int_equal(ask(t, &q), BLKIF_RSP_OKAY);
    table_page(t, 5);
    q = one(t, BLKIF_OP_READ, 0, 5, 0, 7);
    assert_int_equal(ask(t, &q), BLKIF_RSP_ERROR);
    shared_entry_v1(s.f->d->grant_table, t->first + 6)->domid = 5; /* somebody else's */
    q = one(t, BLKIF_OP_WRITE, 0, 6, 0, 7);
    assert_int_equal(ask(t, &q), BLKIF_RSP_ERROR);
    grant(t, 4, 0); /* revoked */
    q = one(t, BLKIF_OP_WRITE, 0, 4, 0, 7);
    assert_int_equal(ask(t, &q), BLKIF_RSP_ERROR);
    in = indirect(t, BLKIF_OP_INDIRECT, 0, 1);
    assert_int_equal(ask_indirect(t, &in), BLKIF_RSP_ERROR);
    in = indirect(t, BLKIF_OP_FLUSH_DISKCACHE, 0, 1);
    assert_int_equal(ask_indirect(t, &in), BLKIF_RSP_ERROR);
    in = indirect(t, BLKIF_OP_READ, 0, 0);
    assert_int_equal(ask_indirect(t, &in), BLKIF_RSP_ERROR);
    in = indirect(t, BLKIF_OP_READ, 0, 33);
    assert_int_equal(ask_indirect(t, &in), BLKIF_RSP_ERROR);
    in = indirect(t, BLKIF_OP_READ, 0, 1);
    in.indirect_grefs[0] = 500;
    assert_int_equal(ask_indirect(t, &in), BLKIF_RSP_ERROR);
    for (unsigned int i = 0; i < 4; i++) {
        q = of(BLKIF_OP_DISCARD, (uint64_t[]){ SECTORS, 1, 0, UINT64_MAX }[i], 0);
        dis->nr_sectors = (uint64_t[]){ 1, SECTORS, 0, 2 }[i];
        assert_int_equal(ask(t, &q), BLKIF_RSP_ERROR);
    }
    q = of(BLKIF_OP_DISCARD, 0, 0);
    dis->nr_sectors = 1;
    dis->flag = BLKIF_DISCARD_SECURE;
    assert_int_equal(ask(t, &q), BLKIF_RSP_ERROR);
    q = one(t, BLKIF_OP_WRITE_BARRIER, 0, 1, 0, 7);
    assert_int_equal(ask(t, &q), BLKIF_RSP_EOPNOTSUPP);
    for (unsigned int op = BLKIF_OP_INDIRECT + 1; op < 256; op++) {
        q = one(t, (uint8_t)op, 0, 1, 0, 7);
        assert_int_equal(ask(t, &q), BLKIF_RSP_ERROR);
    }
    q = one(t, BLKIF_OP_RESERVED_1, 0, 1, 0, 7);
    assert_int_equal(ask(t, &q), BLKIF_RSP_ERROR);
    assert_int_equal(s.disks.first->clusters, 1); /* of the write that was right */
    read_works(t);
    read_works(&s.b);
    end_disks(&s);
}

static void read_only(void **state)
{
    struct blkif_request q;
    struct scene s;

    begin_disks(&s, *state, "r");
    expect_back(&s.a, "feature-discard", "-");
    connect(&s.a);
    expect_back(&s.a, "info", "4");
    read_works(&s.a);
    q = one(&s.a, BLKIF_OP_WRITE, 0, 1, 0, 7);
    assert_int_equal(ask(&s.a, &q), BLKIF_RSP_ERROR);
    q = one(&s.a, BLKIF_OP_FLUSH_DISKCACHE, 0, 1, 0, 7);
    assert_int_equal(ask(&s.a, &q), BLKIF_RSP_ERROR);
    q = of(BLKIF_OP_DISCARD, 0, 0);
    ((struct blkif_request_discard *)(void *)&q)->nr_sectors = 8;
    assert_int_equal(ask(&s.a, &q), BLKIF_RSP_EOPNOTSUPP);
    q = of(BLKIF_OP_FLUSH_DISKCACHE, 0, 0);
    assert_int_equal(ask(&s.a, &q), BLKIF_RSP_OKAY);
    assert_int_equal(s.disks.first->clusters, 0);
    end_disks(&s);
}

/* A ring that cannot be closes the device, and says so; the other goes on; and the front end may begin again. */
static void impossible_rings(void **state)
{
    struct scene s;
    char value[64];

    begin_disks(&s, *state, "w");
    connect(&s.b);
    for (unsigned int i = 0; i < 4; i++) {
        connect(&s.a);
        read_works(&s.a);
        shared(&s.a)->req_prod = s.a.prod + (uint32_t[]){ 33, -1u, -2u, 1u << 31 }[i];
        send_event(&s.a);
        expect_back(&s.a, "state", "5");
        assert_string_equal(error_node(&s.a, value), "71 the ring's indices cannot be");
        read_works(&s.b);
        front_state(&s.a, XenbusStateClosed);
        expect_back(&s.a, "state", "6");
        front_state(&s.a, XenbusStateInitialising);
        port_open(&s.a);
    }
    connect(&s.a);
    read_works(&s.a);
    end_disks(&s);
}

/* What a front end says of itself that makes no sense. */
static void wrong_words(void **state)
{
    static const struct {
        const char *node, *value, *error;
    } wrong[] = {
        { "protocol", "arm-abi", "22 unknown protocol arm-abi" },
        { "ring-ref", "500", "22 ring-ref cannot be mapped" },
        { "ring-ref", "4294967296", "22 ring-ref is missing, or no reference" },
        { "ring-ref", "-1", "22 ring-ref is missing, or no reference" },
        { "ring-ref", "8x", "22 ring-ref is missing, or no reference" },
        { "ring-ref", "", "22 ring-ref is missing, or no reference" },
        { "ring-page-order", "5", "22 ring-page-order: 0 to 4" },
        { "ring-page-order", "1", "22 ring-ref0 is missing, or no reference" },
        { "event-channel", "0", "22 event-channel is missing, or no port" },
        { "event-channel", "4000", "22 event-channel cannot be bound" },
    };
    struct scene s;
    char value[64];

    begin_disks(&s, *state, "w");
    connect(&s.b);
    for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
        const struct xs_access a = xenstored_toolstack(s.st.x);

        expect_back(&s.a, "state", "2");
        ring_new(&s.a);
        write_node(&s, front_path(&s.a, wrong[i].node), wrong[i].value);
        front_state(&s.a, XenbusStateInitialised);
        expect_back(&s.a, "state", "5");
        assert_string_equal(error_node(&s.a, value), wrong[i].error);
        read_works(&s.b);
        assert_int_equal(xs_rm(&a, front_path(&s.a, "protocol")), 0);
        assert_int_equal(xs_rm(&a, front_path(&s.a, "ring-page-order")), 0);
        front_state(&s.a, XenbusStateClosed);
        front_state(&s.a, XenbusStateInitialising);
    }
    connect(&s.a);
    read_works(&s.a);
    end_disks(&s);
}

/* A ring that may not be written, is a page table, or is granted to somebody else; a port that is in use. */
static void rings_of_what_cannot_be(void **state)
{
    struct scene s;
    char value[64];

    begin_disks(&s, *state, "w");
    connect(&s.b);
    for (unsigned int i = 0; i < 4; i++) {
        ring_new(&s.a);
        if (i == 0)
            grant(&s.a, 0, GTF_permit_access | GTF_readonly);
        else if (i == 1)
            table_page(&s.a, 0);
        else if (i == 2)
            shared_entry_v1(s.f->d->grant_table, s.a.first)->domid = 5;
        else
            front_write(&s.a, "event-channel", s.b.port);
        front_state(&s.a, XenbusStateInitialised);
        expect_back(&s.a, "state", "5");
        assert_string_equal(error_node(&s.a, value),
                            i < 3 ? "22 ring-ref cannot be mapped" : "22 event-channel cannot be bound");
        read_works(&s.b);
        grant(&s.a, 0, GTF_permit_access);
        front_state(&s.a, XenbusStateClosed);
        front_state(&s.a, XenbusStateInitialising);
    }
    connect(&s.a);
    read_works(&s.a);
    end_disks(&s);
}

/* What is odd, and harms nobody, or who does it. */
static void harmless(void **state)
{
    struct blkif_response rsp;
    struct blkif_request q;
    struct scene s;
    struct front *t = &s.a;

    begin_disks(&s, *state, "w");
    front_write(t, "multi-queue-num-queues", 0); /* nobody has offered any */
    connect(t);
    connect(&s.b);
    for (unsigned int i = 0; i < 3; i++) { /* the same number for all, another device's handle */
        q = one(t, BLKIF_OP_READ, i, 1 + i, 0, 0);
        q.id = 7;
        q.handle = 1234;
        put_request(t, &q);
    }
    wait(t);
    for (unsigned int i = 0; i < 3; i++) {
        assert_true(answered(t, &rsp) && rsp.id == 7 && rsp.status == BLKIF_RSP_OKAY);
        expect_pattern(frame(t, 1 + i), i, 1);
    }
    q = of(BLKIF_OP_READ, 8, 11); /* all to one place */
    for (unsigned int i = 0; i < 11; i++)
        q.seg[i] = (struct blkif_request_segment){ t->first + 1, 3, 3 };
    assert_int_equal(ask(t, &q), BLKIF_RSP_OKAY);
    expect_pattern((uint8_t *)frame(t, 1) + 3 * SECTOR_SIZE, 18, 1);
    shared(t)->rsp_event = t->cons + 0x40000000; /* told when it does not want to be, or not told: its own loss */
    read_works(t);
    shared(t)->rsp_event = t->cons + 1;
    shared(t)->rsp_prod = 0xdeadbeef; /* ours: we do not read it */
    q = one(t, BLKIF_OP_READ, 9, 1, 0, 0);
    put_request(t, &q);
    wait(t);
    assert_int_equal(shared(t)->rsp_prod, t->prod);
    assert_true(answered(t, &rsp) && rsp.status == BLKIF_RSP_OKAY);
    for (unsigned int i = 0; i < 500; i++) /* a storm, about nothing */
        send_event(t);
    assert_false(answered(t, &rsp));
    front_state(t, XenbusStateInitialising); /* while it is connected */
    front_state(t, XenbusStateConnected);
    grant(t, 0, 0); /* what is mapped stays so */
    read_works(t);
    q = one(t, BLKIF_OP_READ, 0, 0, 4, 7); /* into its ring, behind what is in use */
    grant(t, 0, GTF_permit_access);
    assert_int_equal(ask(t, &q), BLKIF_RSP_OKAY);
    read_works(t);
    read_works(&s.b);
    end_disks(&s);
}

/* Nothing of dom0's memory is in what an answer does not use of its slot (XSA-216). */
static void answers_are_clean(void **state)
{
    struct blkif_request q;
    struct scene s;

    begin_disks(&s, *state, "w");
    connect(&s.a);
    memset((uint8_t *)frame(&s.a, 0) + 64, 0xaa, 112);
    q = one(&s.a, BLKIF_OP_READ, 9, 1, 0, 0);
    assert_int_equal(ask(&s.a, &q), BLKIF_RSP_OKAY);
    for (unsigned int i = 12; i < 16; i++)
        assert_int_equal(((uint8_t *)frame(&s.a, 0))[64 + i], 0);
    end_disks(&s);
}

/* Indices go round at 2^32: here soon after a front end has come, as after a long time. */
static void indices_wrap(void **state)
{
    struct scene s;

    begin_disks(&s, *state, "w");
    expect_back(&s.a, "state", "2");
    ring_new(&s.a);
    s.a.prod = s.a.cons = -20u;
    shared(&s.a)->req_prod = shared(&s.a)->rsp_prod = -20u;
    shared(&s.a)->req_event = shared(&s.a)->rsp_event = -19u;
    front_state(&s.a, XenbusStateInitialised);
    expect_back(&s.a, "state", "4");
    for (unsigned int i = 0; i < 100; i++)
        read_works(&s.a);
    assert_int_equal(s.a.prod, 80);
    end_disks(&s);
}

/* The domain dies in each state, with requests on their way: what it had is let go, and the other device's, too. */
static void deaths(void **state)
{
    for (unsigned int at = XenbusStateInitialising; at <= XenbusStateClosed; at++) {
        struct blkif_request q;
        struct scene s;

        begin_disks(&s, at > XenbusStateInitialising ? fix_again(state) : *state, "w");
        connect(&s.b);
        if (at >= XenbusStateConnected)
            connect(&s.a);
        for (unsigned int i = 0; at == XenbusStateConnected && i < 32; i++) {
            q = one(&s.a, i % 2 ? BLKIF_OP_READ : BLKIF_OP_WRITE, i, 1, 0, 0);
            put_request(&s.a, &q);
        }
        if (at == XenbusStateConnected)
            send_event(&s.a);
        front_state(&s.a, at);
        front_gone(&s.st, s.bus, "vbd");
        expect_no_grants_used(s.f);
        s.f->m->clock.now += SECONDS(1);
        run(&s);
        end_disks(&s);
    }
}

/* Two pages for the ring, of 64 slots. */
static void ring_of_two_pages(void **state)
{
    struct blkif_response rsp;
    struct blkif_request q;
    struct scene s;
    struct front *t = &s.a;

    begin_disks(&s, *state, "w");
    ring_new(t);
    front_write(t, "ring-page-order", 1);
    front_write(t, "ring-ref0", t->first);
    front_write(t, "ring-ref1", t->first);
    front_state(t, XenbusStateInitialised);
    expect_back(t, "state", "5"); /* one page twice */
    front_state(t, XenbusStateClosed);
    front_state(t, XenbusStateInitialising);
    front_write(t, "ring-ref1", t->first + 7);
    front_state(t, XenbusStateInitialised);
    expect_back(t, "state", "4");
    for (unsigned int i = 0; i < 64; i++) {
        q = one(t, BLKIF_OP_READ, i, 1, 0, 0);
        q.id = i;
        for (unsigned int j = 0, at = 64 + i * 112; j < 112; j++, at++)
            ((uint8_t *)frame(t, at < PAGE_SIZE ? 0 : 7))[at % PAGE_SIZE] = ((uint8_t *)&q)[j];
    }
    shared(t)->req_prod = 64;
    wait(t);
    assert_int_equal(shared(t)->rsp_prod, 64);
    for (unsigned int i = 0; i < 64; i++) {
        for (unsigned int j = 0, at = 64 + i * 112; j < 16; j++, at++)
            ((uint8_t *)&rsp)[j] = ((uint8_t *)frame(t, at < PAGE_SIZE ? 0 : 7))[at % PAGE_SIZE];
        assert_true(rsp.id == i && rsp.status == BLKIF_RSP_OKAY);
    }
    end_disks(&s);
}

/* --- who looks --- */

static struct task_ring ring_seen(struct scene *s)
{
    struct task_ring r[NATIVE_RINGS_PER_PORT];
    evtchn_port_t port = 0;

    while (native_rings(native_vcpu(back_kernel(s->f)), &port, r) && strcmp(r[0].device, "vbd") != 0)
        port++;
    assert_string_equal(r[0].device, "vbd");
    return r[0];
}

static void expect_letters(struct scene *s, const char *letters)
{
    const struct task_ring r = ring_seen(s);

    assert_int_equal(strlen(letters), r.size);
    assert_memory_equal(r.letter, letters, r.size);
    assert_int_equal(r.letter[r.size], 0);
}

static struct trace_record told[64];
static unsigned int nr_told;

static void told_of(void *data, const struct trace_record *rec)
{
    if ((rec->event == TRC_ring && (rec->arg[1] == TRACE_RING_BLOCK_REQ || rec->arg[1] == TRACE_RING_BLOCK_RSP)) ||
        rec->event == TRC_ring_full || rec->event == TRC_ring_free)
        told[nr_told++ % ARRAY_SIZE(told)] = *rec;
}

/* A ring that fills: each slot's letter on its way, since when it is full, and what is told of that. */
static void a_ring_fills(void **state)
{
    struct blkif_response rsp;
    struct blkif_request q;
    struct scene s;
    s_time_t filled;

    begin_disks(&s, *state, "w");
    s.f->m->edges->trace.sink = told_of;
    nr_told = 0;
    connect(&s.a);
    expect_letters(&s, "................................");
    for (unsigned int i = 0; i < 32; i++) {
        q = one(&s.a, BLKIF_OP_READ, i, 1, 0, 0);
        put_request(&s.a, &q);
        if (i == 1)
            expect_letters(&s, "RR..............................");
    }
    assert_true(ring_seen(&s).full_since == 0 && nr_told == 0); /* nobody has told the back end yet */
    filled = s.f->m->clock.now;
    send_event(&s.a);
    expect_letters(&s, "TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT");
    assert_in_range(ring_seen(&s).full_since, filled, s.f->m->clock.now);
    assert_int_equal(told[0].event, TRC_ring_full);
    assert_int_equal(told[0].arg[2], 32);
    assert_int_equal(told[nr_told - 1].event, TRC_ring); /* and it is told of once */

    s.f->m->clock.now += SECONDS(1);
    expect_letters(&s, "DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD");
    send_event(&s.a);
    expect_letters(&s, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_true(ring_seen(&s).full_since == 0);
    assert_int_equal(told[nr_told - 1].event, TRC_ring_free);
    assert_in_range(told[nr_told - 1].arg[2], SECONDS(1), SECONDS(1) + MILLISECS(1));
    while (answered(&s.a, &rsp))
        assert_int_equal(rsp.status, BLKIF_RSP_OKAY);
    shared(&s.a)->rsp_event = s.a.cons + 1;
    expect_letters(&s, "................................");
    s.f->m->edges->trace.sink = NULL;
    end_disks(&s);
}

/* What is done before its turn waits: D between T and T. */
static void an_answer_waits_for_its_turn(void **state)
{
    struct blkif_request q;
    struct scene s;

    begin_disks(&s, *state, "w");
    connect(&s.a);
    q = one(&s.a, BLKIF_OP_READ, 0, 1, 0, 7); /* 80 us */
    put_request(&s.a, &q);
    q = one(&s.a, BLKIF_OP_WRITE, 8, 2, 0, 0); /* 20 us */
    put_request(&s.a, &q);
    q = one(&s.a, BLKIF_OP_READ, 16, 3, 0, 7);
    put_request(&s.a, &q);
    send_event(&s.a);
    s.f->m->clock.now += MICROSECS(50);
    send_event(&s.a);
    expect_letters(&s, "TDT.............................");
    assert_int_equal(shared(&s.a)->rsp_prod, 0);
    end_disks(&s);
}

/* What the front end writes into the ring may be anything: letters are of slots, and of no more than there are. */
static void letters_of_nonsense(void **state)
{
    static const uint32_t values[] = { 0, 1, 2, 31, 32, 33, 34, 0x7fffffff, 0x80000000, UINT32_MAX - 31, UINT32_MAX };
    struct scene s;

    begin_disks(&s, *state, "w");
    connect(&s.a);
    for (unsigned int i = 0; i < ARRAY_SIZE(values); i++)
        for (unsigned int j = 0; j < ARRAY_SIZE(values); j++) {
            struct task_ring r;

            shared(&s.a)->req_prod = values[i];
            shared(&s.a)->rsp_event = values[j];
            r = ring_seen(&s);
            assert_int_equal(strspn(r.letter, "R"), values[i] <= 32 ? values[i] : 0);
            assert_int_equal(strspn(r.letter, "R.A"), 32);
            assert_int_equal(r.letter[32], 0);
        }
    shared(&s.a)->req_prod = 0;
    end_disks(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(offers),
        ON_BOTH(bytes_arrive),
        ON_BOTH(bytes_arrive_32),
        ON_BOTH(live_is_in_the_file),
        ON_BOTH(discarded_is_zero),
        ON_BOTH(grows),
        ON_BOTH(large_is_not_discarded),
        ON_BOTH(indirect_works),
        ON_BOTH(answers_have_a_time),
        ON_BOTH(comes_and_goes),
        ON_BOTH(errors),
        ON_BOTH(read_only),
        ON_BOTH(impossible_rings),
        ON_BOTH(wrong_words),
        ON_BOTH(rings_of_what_cannot_be),
        ON_BOTH(harmless),
        ON_BOTH(answers_are_clean),
        ON_BOTH(indices_wrap),
        ON_BOTH(deaths),
        ON_BOTH(ring_of_two_pages),
        ON_BOTH(a_ring_fills),
        ON_BOTH(an_answer_waits_for_its_turn),
        ON_BOTH(letters_of_nonsense),
        cmocka_unit_test_setup_teardown(grows_meanwhile, driver_setup, driver_teardown),
        cmocka_unit_test_setup_teardown(gone_meanwhile, driver_setup, driver_teardown),
        ON_BOTH(fails_and_closes_slowly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
