// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lab 12: the block back end, with a front end that is played here.
 *
 * Concept: each step is a disk with known contents, a ring, and a few requests: right ones of all kinds, or hostile
 * ones. Looked at is what a front end can see: its frames, the answers and when they come, whether it was told; and
 * what the file that is the disk holds at each moment that something is acknowledged, which is when the power may fail.
 * While requests are taken, the pages that a hostile front end would change are watched: each byte is read once.
 *
 * Budget: requests to be made up, right and wrong, and then a kind of step for each thing to be looked at.
 */
#include "labs/kit/front.h"
#include "labs/kit/stores.h"
#include "rings/blkback.h"
#include "sim/clock.h"
#include "sim/frame.h"
#include "vcpu/native/kernel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/blkif.h>
#include <xen/io/protocols.h>
#include <xen/io/xenbus.h>

#define STEPS    120
#define SECTORS  256u
#define RING     0u /* frames of the front end: its ring, */
#define INDIRECT 1u /* a page of segments, */
#define DATA     2u /* and data */
#define NR_DATA  20u
#define REQUESTS 6u /* of a step, at most */
#define MS       UINT64_C(1000000)

/* --- the file --- */

static struct {
    struct disk_file file;
    uint8_t bytes[SECTORS * SECTOR_SIZE], flushed[SECTORS * SECTOR_SIZE]; /* and what would survive */
    bool fails;                                                           /* all that it is asked for */
} image;

static int image_read(struct disk_file *f, uint64_t at, void *buf, size_t len)
{
    (void)f;
    if (image.fails)
        return -EIO;
    memset(buf, 0, len);
    if (at < sizeof(image.bytes))
        memcpy(buf, image.bytes + at, len < sizeof(image.bytes) - at ? len : sizeof(image.bytes) - at);
    return 0;
}

static int image_write(struct disk_file *f, uint64_t at, const void *buf, size_t len)
{
    (void)f;
    if (image.fails || at >= sizeof(image.bytes) || len > sizeof(image.bytes) - at)
        return -EIO;
    memcpy(image.bytes + at, buf, len);
    return 0;
}

static int image_flush(struct disk_file *f)
{
    (void)f;
    if (image.fails)
        return -EIO;
    memcpy(image.flushed, image.bytes, sizeof(image.flushed));
    return 0;
}

static const struct disk_file_ops image_ops = { .read = image_read, .write = image_write, .flush = image_flush };

/* --- the scene --- */

struct lab {
    struct kit_scene *k;
    struct kit_front *f;
    struct blkback_disks disks;
    struct xenbus_kind kinds[2];
    uint32_t prod, cons;
    bool narrow; /* a front end of 32 bits: its requests have no padding in front of numbers of 64 */
};

static void *begin(void)
{
    struct lab *l = calloc(1, sizeof(*l));

    if (!l)
        kit_die("not enough memory");
    l->k = kit_scene();
    image.file = (struct disk_file){ .ops = &image_ops, .sectors = SECTORS, .live = true };
    l->kinds[0] = (struct xenbus_kind){ &blkback, &l->disks };
    l->f = kit_front(l->k, l->kinds);
    return l;
}

static void end(void *data)
{
    struct lab *l = data;

    kit_front_end(l->f);
    kit_scene_end(l->k);
    free(l);
}

static blkif_sring_t *ring(struct lab *l) { return kit_front_frame(l->f, RING); }

static size_t slot_size(const struct lab *l) { return sizeof(struct blkif_request) - (l->narrow ? 4 : 0); }

static uint8_t *slot(struct lab *l, uint32_t index) { return (uint8_t *)ring(l) + 64 + index % 32 * slot_size(l); }

static void device_begin(struct lab *l, const char *mode, bool narrow)
{
    char number[32];

    l->k->m->clock.now += (s_time_t)(1000 * MS);
    for (size_t i = 0; i < sizeof(image.bytes); i++)
        image.bytes[i] = (uint8_t)(i / SECTOR_SIZE * 37 + i);
    for (unsigned int i = 0; i < NR_DATA; i++)
        memset(kit_front_frame(l->f, DATA + i), 0xa0 + (int)i, PAGE_SIZE);
    l->disks.first = disk_create(l->k->m->arena, &image.file, "a.img");
    if (!l->disks.first)
        kit_die("no disk");
    kit_front_add(l->f, "vbd", "params", "a.img", "mode", mode, NULL);
    memset(ring(l), 0, PAGE_SIZE);
    SHARED_RING_INIT(ring(l));
    l->prod = l->cons = 0;
    l->narrow = narrow;
    kit_front_write(l->f, "protocol", narrow ? XEN_IO_PROTO_ABI_X86_32 : XEN_IO_PROTO_ABI_X86_64);
    snprintf(number, sizeof(number), "%u", l->f->first);
    kit_front_write(l->f, "ring-ref", number);
    snprintf(number, sizeof(number), "%u", l->f->port);
    kit_front_write(l->f, "event-channel", number);
    kit_front_write(l->f, "state", "3");
    kit_front_run(l->f);
    kit_front_write(l->f, "state", "4");
    kit_front_run(l->f);
    kit_front_told(l->f);
    memcpy(image.flushed, image.bytes, sizeof(image.flushed));
}

static void device_end(struct lab *l)
{
    kit_front_remove(l->f);
    disk_destroy(l->disks.first);
    l->disks.first = NULL;
}

/* --- requests --- */

struct asked {
    struct blkif_request q; /* as it is in the slot */
    uint8_t op;             /* of an indirect one: what it is to do */
    unsigned int nr;
    uint64_t sector, sectors;
    struct blkif_request_segment seg[NR_DATA];
    bool wrong, any_op; /* it makes no sense; nor does its operation */
    bool told_late;     /* it is only known when bytes are to be copied */
    bool fails;         /* nothing is wrong but the disk */
    char text[100];
};

static uint32_t fnv(const void *bytes, size_t n)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)bytes)[i]) * 16777619u;
    return h;
}

/* Segments with a frame of their own each, from `frame` on. */
static void segments(struct lab *l, struct asked *a, unsigned int frame, unsigned int nr)
{
    unsigned int sum = 0;

    a->nr = nr;
    for (unsigned int i = 0; i < nr; i++) {
        const unsigned int first = (unsigned int)kit_random(8), last = first + (unsigned int)kit_random(8 - first);

        a->seg[i] = (struct blkif_request_segment){ l->f->first + DATA + frame + i, (uint8_t)first, (uint8_t)last };
        sum += last - first + 1;
    }
    a->sectors = sum;
    a->sector = kit_random(SECTORS - sum + 1);
    if (!kit_random(3))
        a->sector = SECTORS - sum; /* to the very end */
}

/* As it is written into a slot, and a page of segments. */
static void encode(struct lab *l, struct asked *a, bool indirect)
{
    struct blkif_request_indirect *in = (void *)&a->q;
    const uint64_t id = UINT64_C(0x5000000000) + 0xa0 + kit_random(4); /* drivers use numbers again */

    memset(&a->q, 0, sizeof(a->q));
    if (indirect) {
        in->operation = BLKIF_OP_INDIRECT, in->indirect_op = a->op, in->nr_segments = (uint16_t)a->nr, in->id = id;
        in->sector_number = a->sector, in->indirect_grefs[0] = l->f->first + INDIRECT;
        memcpy(kit_front_frame(l->f, INDIRECT), a->seg, a->nr * sizeof(a->seg[0]));
        return;
    }
    a->q.operation = a->op, a->q.nr_segments = (uint8_t)a->nr, a->q.id = id, a->q.sector_number = a->sector;
    memcpy(a->q.seg, a->seg, a->nr * sizeof(a->seg[0]));
}

static const char *op_name(uint8_t op)
{
    return op == BLKIF_OP_READ              ? "read"
           : op == BLKIF_OP_WRITE           ? "write"
           : op == BLKIF_OP_FLUSH_DISKCACHE ? "flush"
                                            : "unknown";
}

/*
 * A right one; frames from `frame` on are nobody else's, and sectors from *sector on, unless that is NULL. Returns how
 * many frames it takes.
 */
static unsigned int right(struct lab *l, struct asked *a, unsigned int frame, uint64_t *sector, bool indirect)
{
    const unsigned int most = NR_DATA - frame < 3 ? NR_DATA - frame : 3,
                       nr = indirect ? NR_DATA - frame : 1 + (unsigned int)kit_random(most);

    *a = (struct asked){ .op = kit_random(2) ? BLKIF_OP_READ : BLKIF_OP_WRITE };
    segments(l, a, frame, indirect && nr > 12 ? 12 : nr);
    if (sector) {
        a->sector = *sector + kit_random(3);
        *sector = a->sector + a->sectors;
    }
    if (!indirect && !kit_random(5)) {
        a->op = BLKIF_OP_FLUSH_DISKCACHE;
        if (kit_random(2))
            a->nr = 0;
    }
    encode(l, a, indirect);
    snprintf(a->text, sizeof(a->text), "%s%s of %u segments at sector %" PRIu64, indirect ? "indirect " : "",
             op_name(a->op), a->nr, a->sector);
    return a->nr;
}

/* A wrong one, in one thing. */
static void hostile(struct lab *l, struct asked *a, bool *readonly)
{
    static const char *const what[] = {
        "no segments",
        "more segments than there is room for",
        "a segment whose last sector is in front of its first",
        "a segment beyond its frame",
        "one sector beyond the disk",
        "a sector number that wraps around",
        "a reference that nobody granted",
        "a frame that may not be written, to be read into",
        "an operation that there is not",
        "a write to a disk that cannot be written",
        "a sector far beyond the disk",
        "indirect: an operation that is none of its own",
        "indirect: no segments",
        "indirect: a page of segments that nobody granted",
        "indirect: more segments than fit",
        "indirect: a segment beyond its frame",
        "an operation in which the disk fails",
    };
    const unsigned int n = (unsigned int)kit_random(ARRAY_SIZE(what)), of = (unsigned int)kit_random(2);
    const bool indirect = n >= 11 && n <= 15;
    struct blkif_request_indirect *in = (void *)&a->q;

    *a = (struct asked){ .op = kit_random(2) ? BLKIF_OP_READ : BLKIF_OP_WRITE, .wrong = true };
    if (n && !indirect && !kit_random(3))
        a->op = BLKIF_OP_FLUSH_DISKCACHE; /* with something to write */
    segments(l, a, 0, 2);
    switch (n) {
    case 2: a->seg[of].first_sect = 5, a->seg[of].last_sect = 4; break;
    case 3:
    case 15: a->seg[of].last_sect = (uint8_t)(8 + kit_random(2) * kit_random(248)); break;
    case 4:
        a->seg[0].first_sect = a->seg[1].first_sect = 0, a->seg[0].last_sect = 7, a->seg[1].last_sect = 0;
        a->sector = SECTORS - 8;
        break;
    case 5: a->sector = ~UINT64_C(0); break;
    case 6: a->seg[of].gref = 400, a->told_late = true; break;
    case 7:
        a->op = BLKIF_OP_READ, a->told_late = true;
        kit_front_grant(l->f, DATA + of, GTF_permit_access | GTF_readonly);
        break;
    case 8: a->op = 77; break;
    case 9: a->op = a->op == BLKIF_OP_READ ? BLKIF_OP_WRITE : a->op, *readonly = true; break;
    case 10: a->sector = UINT64_C(1) << 40; break;
    case 11: a->any_op = true, a->op = kit_random(2) ? BLKIF_OP_INDIRECT : BLKIF_OP_FLUSH_DISKCACHE; break;
    case 16: a->fails = a->told_late = true, a->nr = a->op == BLKIF_OP_FLUSH_DISKCACHE ? 0 : 2; break;
    default: break;
    }
    encode(l, a, indirect);
    switch (n) {
    case 0: a->q.nr_segments = 0; break;
    case 1: a->q.nr_segments = 12; break;
    case 12: in->nr_segments = 0; break;
    case 13: in->indirect_grefs[0] = 400; break;
    case 14: in->nr_segments = 33 + (uint16_t)kit_random(600); break;
    default: break;
    }
    snprintf(a->text, sizeof(a->text), "%s, of %s", what[n], op_name(a->op));
}

static void put(struct lab *l, const struct asked *a)
{
    blkif_sring_t *s = ring(l);

    memcpy(slot(l, l->prod), &a->q, 4);
    memcpy(slot(l, l->prod) + (l->narrow ? 4 : 8), (const uint8_t *)&a->q + 8, sizeof(a->q) - 8);
    s->req_prod = ++l->prod;
}

/* --- looking --- */

/* The bytes that a request is about: in its frames, and on the disk. */
static uint32_t frames_hash(struct lab *l)
{
    uint32_t h = 0;

    for (unsigned int i = 0; i < NR_DATA; i++)
        h = h * 31 + fnv(kit_front_frame(l->f, DATA + i), PAGE_SIZE);
    return h;
}

/* Is what it was to write there? */
static bool is_written(struct lab *l, const struct asked *a, const uint8_t *bytes)
{
    uint64_t sector = a->sector;

    for (unsigned int i = 0; i < a->nr; i++) {
        const unsigned int nr = a->seg[i].last_sect - a->seg[i].first_sect + 1u;
        const uint8_t *page = kit_front_frame(l->f, a->seg[i].gref - l->f->first);

        if (memcmp(bytes + sector * SECTOR_SIZE, page + a->seg[i].first_sect * SECTOR_SIZE, nr * SECTOR_SIZE))
            return false;
        sector += nr;
    }
    return true;
}

/* What the answer to a[i] promises and is not so; NULL: it is. */
static const char *broken_promise(struct lab *l, const struct asked *a, unsigned int i)
{
    if (a[i].op == BLKIF_OP_READ || a[i].wrong)
        return NULL;
    if (!is_written(l, &a[i], image.bytes))
        return a[i].op == BLKIF_OP_WRITE ? "a write is acknowledged, and its bytes are not on the disk"
                                         : "a flush is acknowledged, and the bytes it brought are not on the disk";
    for (unsigned int w = 0; a[i].op == BLKIF_OP_FLUSH_DISKCACHE && w <= i; w++)
        if (a[w].op != BLKIF_OP_READ && !is_written(l, &a[w], image.flushed))
            return "a flush is acknowledged, and what was written before would not survive";
    return NULL;
}

/* Answers that have come, and what they promise. */
static void answers(struct lab *l, const struct asked *a, unsigned int nr, const char *when)
{
    const char *broken = NULL;
    char text[200] = "none";
    unsigned int n = 0;
    size_t len = 0;

    for (; l->cons != ring(l)->rsp_prod && n < REQUESTS + 1; n++, l->cons++) {
        struct blkif_response r;

        memcpy(&r, slot(l, l->cons), sizeof(r));
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%" PRIx64 " op %u status %d", n ? ", " : "",
                                r.id & 0xffff, r.operation, r.status);
        len = len < sizeof(text) ? len : sizeof(text) - 1;
        if (l->cons < nr && !r.status && !broken)
            broken = broken_promise(l, a, l->cons);
    }
    kit_fact("answers", "%s: %s", when, text);
    kit_fact("durable", "%s: %s", when, broken ?: "what is acknowledged is on the disk");
}

/* --- steps --- */

/* How the pages are read that the front end can change: see take(). */
static struct reads {
    struct lab *l;
    const uint8_t *ring, *grants;
    unsigned int copies; /* grants have been looked at so often before, since each copy does; */
    unsigned int page;   /* and when the page of segments was read; 0: it was not */
    struct {
        uintptr_t at, code;
    } slot[1024]; /* reads of slots */
    unsigned int nr;
    const char *twice; /* what was */
} reads;

/*
 * Slots have one reader, ring_pull(), which copies each byte once. The page of segments is copied by one
 * GNTTABOP_copy, so no grant is looked at between two reads of it.
 */
static void read_seen(void *data, const void *place, bool write, uintptr_t code)
{
    struct reads *r = data;
    const uint8_t *at = place;

    if (at >= r->grants && at < r->grants + PAGE_SIZE) {
        r->copies++;
    } else if (write || (at >= r->ring && at < r->ring + 64)) {
        return;
    } else if (at < r->ring || at >= r->ring + PAGE_SIZE) {
        if (r->page && r->page != r->copies)
            r->twice = "the page of segments";
        r->page = r->copies;
    } else {
        for (unsigned int i = 0; i < r->nr; i++)
            if (r->slot[i].at == (uintptr_t)at && r->slot[i].code == code)
                r->twice = "a slot";
        if (r->nr < ARRAY_SIZE(r->slot)) {
            r->slot[r->nr].at = (uintptr_t)at, r->slot[r->nr++].code = code;
            if (code - r->slot[0].code + 4096 > 8192)
                r->twice = "a slot";
        }
    }
}

static void send_and_run(void *data)
{
    struct reads *r = data;

    kit_front_send(r->l->f);
    kit_front_run(r->l->f);
}

/* Told of the requests, the back end takes them; how it reads them is looked at. */
static void take(struct lab *l)
{
    void *const places[] = { ring(l), kit_front_frame(l->f, INDIRECT), shared_entry_v1(l->k->d->grant_table, 0) };

    reads = (struct reads){ .l = l, .ring = places[0], .grants = places[2] };
    kit_accesses(places, ARRAY_SIZE(places), send_and_run, read_seen, &reads);
    if (reads.twice)
        kit_fact("once", "%s is read a second time, and may be another by then", reads.twice);
    else
        kit_fact("once", "what the front end may change is read once");
}

/* How long no disk is done, and until when all of them are. */
static const struct {
    uint64_t ns;
    const char *text;
} whens[] = { { 5000, "at once" }, { 20 * MS, "within 20 ms" }, { 100 * MS, "later" } };

/* Right requests, all at once, and their answers over time. */
static void step_right(struct lab *l)
{
    static struct asked a[REQUESTS];
    const unsigned int most = 1 + (unsigned int)kit_random(REQUESTS);
    unsigned int nr = 0, frame = 0;
    uint64_t sector = 0;
    char text[200] = "";
    const bool indirect = !kit_random(4), narrow = !kit_random(3);

    device_begin(l, "w", narrow);
    for (; nr < most && frame < NR_DATA; nr++) {
        frame += right(l, &a[nr], frame, most > 1 ? &sector : NULL, indirect && !nr);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", nr ? "; " : "", a[nr].text);
    }
    kit_step("%s%.200s", narrow ? "of 32 bits: " : "", text);
    ring(l)->rsp_event = kit_random(3) ? l->cons + 1 : l->cons + nr; /* of the first answer, or of the last */
    for (unsigned int i = 0; i < nr; i++)
        put(l, &a[i]);
    take(l);
    for (unsigned int i = 0; i < ARRAY_SIZE(whens); i++) {
        kit_front_pass(l->f, whens[i].ns);
        answers(l, a, nr, whens[i].text);
        kit_fact("told", "%s: the front end is %s", whens[i].text, kit_front_told(l->f) ? "told" : "not told");
    }
    kit_fact("bytes", "the disk %08x, the front end's frames %08x", fnv(image.bytes, sizeof(image.bytes)),
             frames_hash(l));
    device_end(l);
}

/* How often the disk has been asked for something. */
static uint64_t disk_asked(const struct lab *l)
{
    return l->disks.first->done[DISK_READ].nr + l->disks.first->done[DISK_WRITE].nr;
}

static void step_hostile(struct lab *l)
{
    bool readonly = false, narrow = !kit_random(4);
    struct blkif_response r;
    struct asked a;
    uint32_t before;

    device_begin(l, "w", narrow);
    hostile(l, &a, &readonly);
    if (readonly) {
        device_end(l);
        device_begin(l, "r", narrow);
    }
    kit_step("%s%s", narrow ? "of 32 bits: " : "", a.text);
    before = fnv(image.bytes, sizeof(image.bytes));
    ring(l)->rsp_event = l->cons + 1;
    put(l, &a);
    image.fails = a.fails;
    take(l);
    image.fails = false;
    kit_front_pass(l->f, 100 * MS);
    memcpy(&r, slot(l, 0), sizeof(r));
    kit_fact("refused", "%s: %s; the disk is %s", a.text, ring(l)->rsp_prod == 1 ? "one answer" : "not one answer",
             before == fnv(image.bytes, sizeof(image.bytes)) ? "as it was" : "another");
    kit_fact("refused", "%s: id %" PRIx64 ", operation %u, status %d", a.text, r.id, a.any_op ? 0u : r.operation,
             r.status);
    if (!a.told_late)
        kit_fact("refused", "%s: operations of the disk: %" PRIu64, a.text, disk_asked(l));
    device_end(l);
}

/* Events that the front end is sent: each is a store to the word that has its port's bit, set before or not. */
struct events {
    struct lab *l;
    const void *word;
    unsigned int nr;
};

static void event_seen(void *data, const void *place, bool write, uintptr_t code)
{
    struct events *e = data;

    (void)code;
    e->nr += write && (uintptr_t)place / 8 == (uintptr_t)e->word / 8;
}

static void run_and_pass(void *data)
{
    struct events *e = data;

    kit_front_run(e->l->f);
    kit_front_pass(e->l->f, 200 * MS);
}

/* The ring is filled, and its indices run on: who sleeps is woken, who is told has asked for it. */
static void step_long(struct lab *l)
{
    static struct asked a;
    const unsigned int rounds = 2 + (unsigned int)kit_random(3), most = 1 + (unsigned int)kit_random(32);
    const bool each = kit_random(2);
    shared_info_t *info = (shared_info_t *)l->k->d->shared_info;
    struct events e = { .l = l };
    void *const shared = info;
    unsigned int told = 0, got = 0, asked = 0;

    device_begin(l, "w", false);
    kit_step("%u rounds of %u requests; the front end wants to be told of %s answer", rounds, most,
             each ? "the first" : "the last");
    e.word = &info->evtchn_pending[l->f->port / 64];
    for (unsigned int r = 0; r < rounds; r++) {
        const uint32_t event = ring(l)->req_event, before = l->prod;

        ring(l)->rsp_event = l->cons + (each ? 1 : most);
        for (unsigned int i = 0; i < most; i++, asked++) {
            right(l, &a, 0, NULL, false);
            put(l, &a);
        }
        if (l->prod - event < l->prod - before) /* the rule of io/ring.h: only who asked is told */
            kit_front_send(l->f);
        kit_accesses(&shared, 1, run_and_pass, event_seen, &e);
        told += kit_front_told(l->f);
        got += ring(l)->rsp_prod - l->cons;
        l->cons = ring(l)->rsp_prod;
        kit_fact("sleeps", "round %u: %u of %u answered", r + 1, got, asked);
        if (!each)
            kit_fact("told", "round %u: %u times in all", r + 1, told);
        if (got != asked)
            break;
    }
    kit_count("notifications", e.nr);
    device_end(l);
}

/* A request of no known operation: done at once, and at no cost but that of having taken it. */
static void put_nothing(struct lab *l)
{
    struct asked a = { .op = 77 };

    encode(l, &a, false);
    put(l, &a);
}

/* What disks' tasks have cost so far, without their steps: in units. */
static s_time_t units_charged(const struct lab *l)
{
    const struct task_kind *kind;
    const size_t nr = native_kinds(l->k->dom0, &kind);
    s_time_t ns = 0;

    for (size_t i = 0; i < nr; i++)
        if (kind[i].ops && !strcmp(kind[i].ops->name, "vbd"))
            ns += kind[i].ns - (s_time_t)kind[i].steps * CLOCK_NS_PER_STEP;
    return ns / CLOCK_NS_PER_UNIT;
}

/* More than fits a step; the front end does not want to be told. */
static void step_budget(struct lab *l)
{
    const unsigned int nr = 17 + (unsigned int)kit_random(16);
    s_time_t charged;
    uint32_t was = 0;
    bool over = false;

    device_begin(l, "w", false);
    kit_step("%u requests of no known operation", nr);
    ring(l)->rsp_event = l->cons + 1000;
    for (unsigned int i = 0; i < nr; i++)
        put_nothing(l);
    charged = units_charged(l);
    kit_front_send(l->f);
    for (unsigned int n = 0; n < 1000 && kit_front_step(l->f); n++) {
        over |= ring(l)->rsp_prod - was > NATIVE_STEP_BUDGET;
        was = ring(l)->rsp_prod;
    }
    kit_fact("budget", "%s", over ? "more than 16 are answered in a step" : "at most 16 are answered in a step");
    kit_fact("budget", "answers in the end: %" PRIu32 ", and requests that time has passed for: %" PRId64, was,
             units_charged(l) - charged);
    device_end(l);
}

/* What is done is answered when its turn has come, and does not wait for what comes after it. */
static void step_turn(struct lab *l)
{
    const unsigned int nr = 1 + (unsigned int)kit_random(4), later = (unsigned int)kit_random(3);
    const bool first = kit_random(2);
    struct asked a;

    device_begin(l, "w", false);
    kit_step("%s%u writes%s; while that goes on, %u more", first ? "a flush, then " : "", nr,
             first ? "" : ", then a flush", later);
    ring(l)->rsp_event = l->cons + 1;
    for (unsigned int i = 0; i <= nr; i++) {
        a = (struct asked){ .op = i == (first ? 0 : nr) ? BLKIF_OP_FLUSH_DISKCACHE : BLKIF_OP_WRITE };
        if (a.op == BLKIF_OP_WRITE)
            segments(l, &a, i, 1);
        encode(l, &a, false);
        put(l, &a);
    }
    kit_front_send(l->f);
    kit_front_run(l->f);
    kit_front_pass(l->f, MS / 10);
    for (unsigned int i = 0; i < later; i++) {
        a = (struct asked){ .op = BLKIF_OP_WRITE };
        segments(l, &a, nr + 1 + i, 1);
        encode(l, &a, false);
        put(l, &a);
    }
    if (later) {
        kit_front_send(l->f);
        kit_front_run(l->f);
    }
    kit_front_pass(l->f, MS / 5);
    kit_fact("answers", "while the flush lasts: %" PRIu32, ring(l)->rsp_prod);
    kit_fact("told", "while the flush lasts: the front end is %s", kit_front_told(l->f) ? "told" : "not told");
    kit_front_pass(l->f, MS);
    kit_fact("answers", "then: %" PRIu32, ring(l)->rsp_prod);
    device_end(l);
}

/* Something is put just when the back end has looked whether it is there. */
static struct race {
    struct lab *l;
    unsigned int left; /* so many looks later */
    bool asked;
} race;

/* Put one more. Has the back end asked to be told of it? */
static bool put_asks(struct lab *l)
{
    put_nothing(l);
    return l->prod - ring(l)->req_event < 1;
}

static void race_seen(void *data, const void *place, bool write, uintptr_t code)
{
    struct race *r = data;

    (void)code;
    if (!write && place == &ring(r->l)->req_prod && r->left && !--r->left)
        r->asked = put_asks(r->l);
}

static void run_race(void *data) { kit_front_run(((struct race *)data)->l->f); }

static void step_race(struct lab *l)
{
    void *shared;

    device_begin(l, "w", false);
    race = (struct race){ .l = l, .left = 1 + (unsigned int)kit_random(7) };
    kit_step("a request; a second one is put when the back end has looked %u times", race.left);
    put_nothing(l);
    kit_front_send(l->f);
    shared = ring(l);
    kit_accesses(&shared, 1, run_race, race_seen, &race);
    if (race.left) /* it does not look as often */
        race.asked = put_asks(l);
    if (race.asked)
        kit_front_send(l->f);
    kit_front_run(l->f);
    kit_fact("race", "%" PRIu32 " of 2 are answered", ring(l)->rsp_prod);
    device_end(l);
}

/* The disk's file is somebody else's for a while. */
static void step_away(struct lab *l)
{
    const unsigned int nr = 1 + (unsigned int)kit_random(32);
    unsigned int steps = 0;

    device_begin(l, "w", false);
    kit_step("the disk is away when %u requests come, and comes back", nr);
    l->disks.first->away = true;
    for (unsigned int i = 0; i < nr; i++)
        put_nothing(l);
    kit_front_send(l->f);
    while (steps < 1000 && kit_front_step(l->f))
        steps++;
    kit_fact("away", "while it is away: answers: %" PRIu32 "; the back end %s", ring(l)->rsp_prod,
             steps < 1000 ? "sleeps" : "looks all the time");
    l->disks.first->away = false;
    blkback_resume(l->f->bus, l->disks.first);
    kit_front_run(l->f);
    kit_fact("away", "then: answers: %" PRIu32, ring(l)->rsp_prod);
    device_end(l);
}

/* Indices that cannot be. */
static void step_indices(struct lab *l)
{
    const uint32_t beyond = 33 + (uint32_t)kit_random(UINT32_C(1) << 31);
    char value[64];

    device_begin(l, "w", false);
    kit_step("req_prod is %" PRIu32 " ahead of what was answered", beyond);
    ring(l)->req_prod = l->prod + beyond;
    kit_front_send(l->f);
    kit_front_run(l->f);
    kit_front_pass(l->f, 100 * MS);
    kit_fact("indices", "answers: %" PRIu32 ", the back end's state: %s", ring(l)->rsp_prod,
             kit_front_back(l->f, "state", value));
    device_end(l);
}

static void step(void *data, unsigned int number)
{
    struct lab *l = data;

    (void)number;
    switch (kit_random(15)) {
    case 0:
    case 1:
    case 2:
    case 3: step_right(l); break;
    case 4:
    case 5:
    case 6:
    case 7: step_hostile(l); break;
    case 8: step_long(l); break;
    case 9: step_budget(l); break;
    case 10:
    case 11: step_turn(l); break;
    case 12: step_race(l); break;
    case 13: step_away(l); break;
    default: step_indices(l); break;
    }
}

int main(int argc, char **argv) { return kit_main(argc, argv, &(struct kit_steps){ STEPS, begin, step, end }); }
