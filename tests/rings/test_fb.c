// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Screens and keyboards, with the front end played here: what is drawn is what is seen, what is typed comes in order,
 * and what a front end cannot mean closes its device, while another's goes on.
 *
 * Budget: the front end, and a row for each thing that it may do.
 */
#include "tests/rings/front.h"
#include "tests/support/random.h"

#include "mmu/grant/private.h"
#include "rings/fb/fbback.h"
#include "rings/fb/kbdback.h"
#include "tools/host_private.h"
#include "vcpu/native/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <xen/io/fbif.h>
#include <xen/io/kbdif.h>
#include <xen/io/xenbus.h>

#define WIDTH  40
#define HEIGHT 60
#define FRAMES 3u /* of pixels: 40 * 60 * 4 bytes and some */
#define PAGES  (2 + FRAMES)

struct scene;

/* A front end: page 0 is shared, page 1 the table of frames, the others the screen's. */
struct front {
    struct scene *s;
    const char *type;
    uint32_t devid;
    mfn_t mfn[PAGES];
    evtchn_port_t port;
};

struct scene {
    struct fixture *f;
    struct store st;
    struct xenbus *bus;
    struct xenbus_kind kinds[3];
    struct front a, b; /* a is spoiled, b goes on */
    uint64_t prng;
};

static void write_node(struct scene *s, const char *path, const char *value) { store_write(&s->st, path, value); }

static const char *front_path(const struct front *t, const char *node)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/device/%s/%u/%s", t->s->st.own, t->type, t->devid, node);
    path[strlen(path) - !*node] = 0;
    return path;
}

static const char *back_path(const struct front *t, const char *node)
{
    static char path[128];

    snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u/%u/%s", t->type, t->s->f->d->domain_id, t->devid, node);
    return path;
}

static void run(struct scene *s) { back_run(s->f); }

static void front_write(struct front *t, const char *node, uint64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    write_node(t->s, front_path(t, node), text);
}

static char back_state(struct front *t)
{
    const struct xs_access a = xenstored_toolstack(t->s->st.x);
    const struct xs_node *n;

    assert_int_equal(xs_get(&a, back_path(t, "state"), XS_RIGHT_READ, &n), 0);
    assert_int_equal(n->len, 1);
    return ((const char *)n->value)[0];
}

static void *frame(struct front *t, unsigned int i) { return ram_page(t->s->f->m, t->mfn[i]); }
static struct xenfb_page *page(struct front *t) { return frame(t, 0); }

static void device_add(struct scene *s, struct front *t, const char *type, uint32_t devid, unsigned int skip)
{
    struct page_info *pg = page_list_first(s->f->xen, &s->f->d->page_list);
    unsigned int nr = 0;
    char id[16];

    *t = (struct front){ .s = s, .type = type, .devid = devid };
    for (; nr < PAGES; pg = page_list_next(s->f->xen, pg)) {
        assert_non_null(pg);
        if (pg->type_info & PGT_count_mask)
            continue;
        if (skip)
            skip--;
        else
            t->mfn[nr++] = page_to_mfn(s->f->xen, pg);
    }
    t->port = port_offer(s->f);
    snprintf(id, sizeof(id), "%u", s->f->d->domain_id);
    write_node(s, back_path(t, "frontend-id"), id);
    write_node(s, front_path(t, "state"), "1");
    write_node(s, back_path(t, "frontend"), front_path(t, ""));
    write_node(s, back_path(t, "online"), "1");
    write_node(s, back_path(t, "state"), "1");
    run(s);
    assert_int_equal(back_state(t), '2');
}

/* All that a front end says, which a case may spoil before it says that it is ready. */
static void offer(struct front *t)
{
    uint64_t *table = frame(t, 1);

    for (unsigned int i = 0; i < PAGES; i++)
        memset(frame(t, i), 0, PAGE_SIZE);
    for (unsigned int i = 0; i < FRAMES; i++)
        table[i] = mfn_x(t->mfn[2 + i]);
    page(t)->width = WIDTH;
    page(t)->height = HEIGHT;
    page(t)->depth = 32;
    page(t)->line_length = WIDTH * 4;
    page(t)->mem_length = FRAMES * PAGE_SIZE;
    page(t)->pd[0] = (unsigned long)mfn_x(t->mfn[1]);
    front_write(t, "page-ref", mfn_x(t->mfn[0]));
    front_write(t, "event-channel", t->port);
}

static void ready(struct front *t)
{
    front_write(t, "state", XenbusStateInitialised);
    run(t->s);
}

static void send_event(struct front *t) { port_ring(t->s->f, t->port); }

static void on_device(struct xenbus_device *dev, void *data)
{
    struct front *t = ((void **)data)[0];

    if (dev->front == t->s->f->d->domain_id && dev->path[strlen(dev->path) - 1] == '0' + (char)t->devid)
        ((void **)data)[1] = dev;
}

static struct xenbus_device *device(struct front *t)
{
    void *found[2] = { t, NULL };

    xenbus_each(t->s->bus, strcmp(t->type, "vfb") ? &kbdback : &fbback, on_device, found);
    return found[1];
}

static void begin_fb(struct scene *s, struct fixture *f, const char *type)
{
    memset(s, 0, sizeof(*s));
    s->f = f;
    assert_int_equal(native_timers_start(f->dom0), 0);
    assert_int_equal(gnttab_grow_table(f->d, 1), 0);
    begin(&s->st, f);
    s->kinds[0] = (struct xenbus_kind){ &fbback, f->m->arena };
    s->kinds[1] = (struct xenbus_kind){ &kbdback, f->m->arena };
    s->bus = xenbus_create(f->dom0, &s->st.x->store, s->kinds);
    assert_non_null(s->bus);
    device_add(s, &s->a, type, 0, 8);
    device_add(s, &s->b, type, 1, 24);
    offer(&s->b);
    ready(&s->b);
    assert_int_equal(back_state(&s->b), '4');
}

static void end_fb(struct scene *s)
{
    xenbus_destroy(s->bus);
    end(&s->st);
}

/* --- what is seen --- */

static void put_event(struct front *t, const union xenfb_out_event *e)
{
    XENFB_OUT_RING_REF(page(t), page(t)->out_prod) = *e;
    page(t)->out_prod++;
}

static void resize(struct front *t, int32_t width, int32_t height, int32_t stride, int32_t depth, int32_t offset)
{
    const union xenfb_out_event e = { .resize = { XENFB_TYPE_RESIZE, width, height, stride, depth, offset } };

    put_event(t, &e);
    send_event(t);
}

static void put_pixel(struct front *t, uint32_t at, uint32_t value, unsigned int bytes)
{
    for (unsigned int i = 0; i < bytes; i++)
        ((uint8_t *)frame(t, 2 + (at + i) / PAGE_SIZE))[(at + i) % PAGE_SIZE] = (uint8_t)(value >> 8 * i);
}

static void seen(void **state)
{
    struct scene s;
    uint8_t rgb[3 * 3000];

    begin_fb(&s, *state, "vfb");
    for (uint32_t x = 0; x < WIDTH; x++)
        put_pixel(&s.b, 59 * WIDTH * 4 + x * 4, 0x112233 + x, 4);
    screen_row(s.f->xen, device(&s.b), 59, UINT32_MAX, rgb);
    for (unsigned int x = 0; x < WIDTH; x++)
        assert_true(rgb[3 * x] == 0x11 && rgb[3 * x + 1] == 0x22 && rgb[3 * x + 2] == 0x33 + x);
    memset(rgb, 0xee, 9);
    screen_row(s.f->xen, device(&s.b), 59, 2, rgb); /* no more than is asked for */
    assert_memory_equal(rgb, "\x11\x22\x33\x11\x22\x34\xee\xee\xee", 9);
    resize(&s.b, 3000, 2, 6001, 16, 100); /* a pixel lies in two pages, and rows at odd places */
    assert_int_equal(back_state(&s.b), '4');
    assert_int_equal(fbback_screen(device(&s.b))->width, 3000);
    put_pixel(&s.b, 100 + 1998 * 2, 0xf800, 2);
    put_pixel(&s.b, 100 + 2000 * 2, 0x07e0, 2);
    screen_row(s.f->xen, device(&s.b), 0, UINT32_MAX, rgb);
    assert_true(rgb[3 * 1998] == 255 && !rgb[3 * 1998 + 1] && !rgb[3 * 1998 + 2]);
    assert_true(!rgb[3 * 2000] && rgb[3 * 2000 + 1] == 255 && !rgb[3 * 2000 + 2]);
    resize(&s.b, 4, 1, 4, 8, 0);
    put_pixel(&s.b, 0, 0x031ce0ff, 4);
    screen_row(s.f->xen, device(&s.b), 0, UINT32_MAX, rgb);
    assert_memory_equal(rgb, "\xff\xff\xff\xff\0\0\0\xff\0\0\0\xff", 12);
    end_fb(&s);
}

/* --- drivers that come and go --- */

/* How a driver says that it is gone, and how the next one says that it is there. */
static const struct {
    unsigned int going[2], coming[2]; /* states, 0: none; all at once, or each for itself */
} ways[] = {
    { { XenbusStateClosing, XenbusStateClosed }, { XenbusStateInitialising, XenbusStateInitialised } },
    { { XenbusStateClosed }, { XenbusStateInitialising, XenbusStateInitialised } },
    { { XenbusStateClosed }, { XenbusStateInitialised } }, /* one that was unbound and bound again */
    { { XenbusStateClosing }, { XenbusStateClosed, XenbusStateInitialised } },
};

static void states(struct front *t, const unsigned int state[2], bool at_once)
{
    for (unsigned int i = 0; i < 2; i++)
        if (state[i]) {
            front_write(t, "state", state[i]);
            if (!at_once)
                run(t->s);
        }
    run(t->s);
}

/* With another page, and another port: it works again, and of the one before nothing is used any more. */
static void comes_again(struct scene *s, const char *type, unsigned int way, bool at_once)
{
    const bool screen = !strcmp(type, "vfb");
    struct front *t = &s->a;
    mfn_t page_before = t->mfn[0];

    states(t, ways[way].going, at_once);
    assert_true(screen ? !fbback_screen(device(t)) : !kbdback_connected(device(t)));
    memset(ram_page(s->f->m, page_before), 0x55, PAGE_SIZE);
    t->mfn[0] = t->mfn[1 + FRAMES];
    t->mfn[1 + FRAMES] = page_before;
    t->port = port_offer(s->f);
    offer(t);
    states(t, ways[way].coming, at_once);
    if (back_state(t) != '4')
        fail_msg("%s, way %u%s: state %c", type, way, at_once ? ", at once" : "", back_state(t));
    if (screen) {
        put_event(t, &(union xenfb_out_event){ .type = XENFB_TYPE_UPDATE });
        send_event(t);
        assert_int_equal(fbback_screen(device(t))->updates, 1);
        put_pixel(t, 0, 0x010203, 4);
    } else {
        kbdback_event(device(t), &(struct kbd_event){ XENKBD_TYPE_KEY, 1, 30, 0 });
        run(s);
        assert_int_equal(page(t)->in_prod, 1);
        assert_int_equal(XENKBD_IN_RING_REF(page(t), 0).key.keycode, 30);
        assert_true(port_was_told(s->f, t->port));
    }
}

static void drivers_come_and_go(void **state)
{
    static const char *const types[] = { "vfb", "vkbd" };

    (void)state;
    for (unsigned int i = 0; i < 2; i++)
        for (unsigned int n = 0; n < 2 * ARRAY_SIZE(ways); n++) {
            void *machine = NULL;
            struct scene s;

            assert_int_equal(fix_setup(&machine), 0);
            begin_fb(&s, machine, types[i]);
            offer(&s.a);
            ready(&s.a);
            for (unsigned int times = 0; times < 5; times++)
                comes_again(&s, types[i], n / 2, n % 2);
            assert_int_equal(back_state(&s.b), '4');
            end_fb(&s);
            assert_int_equal(fix_teardown(&machine), 0);
        }
}

/* --- attacks --- */

enum spoil {
    NOTHING, /* the table's rows do: it is well */
    NO_PAGE,
    FOREIGN_PAGE,
    NO_PORT,
    PORT_TWICE,
    UNGRANTED,
    NO_TABLE,
    FOREIGN_FRAME,
    DEPTH_7,
    WIDTH_0,
    WIDTH_NEGATIVE,
    WIDTH_HUGE,
    HEIGHT_HUGE,
    LINE_SHORT,
    LINE_HUGE,
    LENGTH_0,
    LENGTH_HUGE,
    /* when it is connected */
    PROD_FAR,
    PROD_BACK,
    RESIZE_DEPTH_7,
    RESIZE_OFFSET_BEYOND,
    RESIZE_OFFSET_NEGATIVE,
    RESIZE_OVERFLOW,
    RESIZE_LINE_SHORT,
    UNKNOWN_TYPES,
    UPDATE_OUTSIDE,
    OUR_INDEX_WRITTEN,
    SIZE_REWRITTEN,
    STORM,
    CLOSES,
    VANISHES,
    NR_SPOILS
};

static void spoil_before(struct front *t, enum spoil what)
{
    struct xenfb_page *p = page(t);
    const struct xs_access a = xenstored_toolstack(t->s->st.x);

    switch (what) {
    case NO_PAGE: xs_rm(&a, front_path(t, "page-ref")); break;
    case FOREIGN_PAGE: front_write(t, "page-ref", mfn_x(virt_to_mfn(t->s->f->m, t->s->f->m->ram))); break;
    case NO_PORT: front_write(t, "event-channel", 0); break;
    case PORT_TWICE: front_write(t, "event-channel", t->s->b.port); break;
    case UNGRANTED: front_write(t, "page-gref", 9); break;
    case NO_TABLE: p->pd[0] = ~0ul >> 12; break;
    case FOREIGN_FRAME: ((uint64_t *)frame(t, 1))[1] = 0; break;
    case DEPTH_7: p->depth = 7; break;
    case WIDTH_0: p->width = 0; break;
    case WIDTH_NEGATIVE: p->width = -WIDTH; break;
    case WIDTH_HUGE: p->width = INT32_MAX; break;
    case HEIGHT_HUGE: p->height = 0x40000000; break;
    case LINE_SHORT: p->line_length = WIDTH * 4 - 1; break;
    case LINE_HUGE: p->line_length = UINT32_MAX; break;
    case LENGTH_0: p->mem_length = 0; break;
    case LENGTH_HUGE: p->mem_length = UINT32_MAX; break;
    default: break;
    }
}

static void spoil_after(struct front *t, enum spoil what)
{
    struct xenfb_page *p = page(t);
    const struct xs_access a = xenstored_toolstack(t->s->st.x);
    union xenfb_out_event e = { .update = { XENFB_TYPE_UPDATE, -5, 1000000, INT32_MAX, INT32_MIN } };

    switch (what) {
    case PROD_FAR: p->out_prod += XENFB_OUT_RING_LEN + 1; break;
    case PROD_BACK: p->out_prod--; break;
    case RESIZE_DEPTH_7: resize(t, 10, 10, 100, 7, 0); break;
    case RESIZE_OFFSET_BEYOND: resize(t, WIDTH, HEIGHT, WIDTH * 4, 32, (int32_t)(FRAMES * PAGE_SIZE) - 4); break;
    case RESIZE_OFFSET_NEGATIVE: resize(t, 1, 1, 4, 32, -4); break;
    case RESIZE_OVERFLOW: resize(t, 0x8000, 0x8000, 0x20000, 32, 0); break;
    case RESIZE_LINE_SHORT: resize(t, 10, 10, 39, 32, 0); break;
    case UNKNOWN_TYPES:
        for (unsigned int i = 0; i < 20; i++)
            put_event(t, &(union xenfb_out_event){ .type = (uint8_t)(i * 5 + 4) });
        break;
    case UPDATE_OUTSIDE: put_event(t, &e); break;
    case OUR_INDEX_WRITTEN: p->out_cons = 1234, p->in_prod = 99; break;
    case SIZE_REWRITTEN: p->width = p->height = INT32_MAX, p->mem_length = UINT32_MAX, p->pd[0] = 0; break;
    case STORM:
        for (unsigned int i = 0; i < 300; i++)
            send_event(t);
        break;
    case CLOSES: front_write(t, "state", XenbusStateClosing); break;
    case VANISHES: xs_rm(&a, front_path(t, "")); break;
    default: break;
    }
    send_event(t);
}

/* What becomes of the device: of a screen, of a keyboard, which takes nothing of what its page says of a size. */
static char fate(enum spoil what, bool screen)
{
    if (what == NOTHING || what >= UNKNOWN_TYPES)
        return what == CLOSES ? '5' : what == VANISHES ? '6' : '4';
    if (what <= UNGRANTED || what == PROD_FAR || what == PROD_BACK)
        return 'x';
    return screen ? 'x' : '4';
}

static void attacks_on(const char *type)
{
    const bool screen = !strcmp(type, "vfb");
    unsigned int tried = 0;

    for (enum spoil what = NOTHING; what < NR_SPOILS; what++) {
        const char expected = fate(what, screen);
        void *machine = NULL;
        struct scene s;
        uint8_t row[3 * 1024];
        char now;

        assert_int_equal(fix_setup(&machine), 0);
        begin_fb(&s, machine, type);
        offer(&s.a);
        spoil_before(&s.a, what);
        ready(&s.a);
        if (what < PROD_FAR) {
            now = back_state(&s.a);
        } else {
            assert_int_equal(back_state(&s.a), '4');
            front_write(&s.a, "state", XenbusStateConnected);
            run(&s);
            spoil_after(&s.a, what);
            now = back_state(&s.a);
        }
        if (expected == 'x' ? now != '5' && now != '6' : now != expected)
            fail_msg("%s, attack %d: state %c, not %c", type, what, now, expected);
        if (screen && now == '4')
            screen_row(s.f->xen, device(&s.a), fbback_screen(device(&s.a))->height - 1, UINT32_MAX, row);
        assert_int_equal(back_state(&s.b), '4'); /* the other goes on */
        if (screen) {
            put_event(&s.b, &(union xenfb_out_event){ .type = XENFB_TYPE_UPDATE });
            send_event(&s.b);
            assert_int_equal(fbback_screen(device(&s.b))->updates, 1);
        } else {
            kbdback_event(device(&s.b), &(struct kbd_event){ XENKBD_TYPE_KEY, 1, 30, 0 });
            run(&s);
            assert_int_equal(page(&s.b)->in_prod, 1);
        }
        end_fb(&s);
        assert_int_equal(fix_teardown(&machine), 0);
        tried++;
    }
    assert_int_equal(tried, NR_SPOILS);
}

static void attacks(void **state)
{
    (void)state;
    attacks_on("vfb");
    attacks_on("vkbd");
}

/* A frame that is not the guest's any more is black, and nothing of its new owner's. */
static void a_frame_goes(void **state)
{
    struct scene s;
    uint8_t rgb[3 * WIDTH];

    begin_fb(&s, *state, "vfb");
    put_pixel(&s.b, 0, 0xffffff, 4);
    screen_row(s.f->xen, device(&s.b), 0, UINT32_MAX, rgb);
    assert_int_equal(rgb[0], 255);
    mfn_to_page(s.f->xen, s.b.mfn[2])->owner = native_vcpu(s.f->dom0)->domain;
    screen_row(s.f->xen, device(&s.b), 0, UINT32_MAX, rgb);
    assert_int_equal(rgb[0], 0);
    mfn_to_page(s.f->xen, s.b.mfn[2])->owner = s.f->d;
    end_fb(&s);
}

/* --- what is typed --- */

static struct {
    uint64_t full, free, lost, puts; /* how often it was told; of lost, the last count */
} told;

static void told_of(void *data, const struct trace_record *rec)
{
    (void)data;
    if (rec->event == TRC_ring && rec->arg[1] == TRACE_RING_KEYS)
        told.puts++;
    else if (rec->event == TRC_ring_full && rec->arg[1] == TRACE_RING_KEYS)
        told.full++;
    else if (rec->event == TRC_ring_free && rec->arg[1] == TRACE_RING_KEYS)
        told.free++;
    else if (rec->event == TRC_ring_lost && rec->arg[1] == TRACE_RING_KEYS)
        assert_int_equal(++told.lost, rec->arg[2]);
}

/* How the ring of front a stands, for who looks. */
static struct task_ring ring_seen(struct scene *s)
{
    const evtchn_port_t first = 0;
    struct task_ring r[NATIVE_RINGS_PER_PORT];
    struct task_ring found = { .device = NULL };

    for (evtchn_port_t port = first; native_rings(native_vcpu(s->f->dom0), &port, r); port++)
        if (!strcmp(r[0].device, "vkbd") && r[0].prod == page(&s->a)->in_prod)
            found = r[0];
    assert_non_null(found.device);
    return found;
}

/* In order, through a ring that is often full; what has no room anywhere is counted, and told of. */
static void typed(void **state)
{
    struct scene s;
    uint32_t sent = 0, got = 0;

    begin_fb(&s, *state, "vkbd");
    s.prng = 5;
    offer(&s.a);
    page(&s.a)->in_prod = page(&s.a)->in_cons = INT32_MAX - 20;
    ready(&s.a);
    while (got < 2000) {
        for (uint64_t n = random_of(&s.prng, 40); n-- && sent - got < XENKBD_IN_RING_LEN; sent++)
            kbdback_event(device(&s.a), &(struct kbd_event){ XENKBD_TYPE_POS, (int32_t)sent, 1, -1 });
        run(&s);
        for (uint64_t n = random_of(&s.prng, 40); n-- && page(&s.a)->in_cons != page(&s.a)->in_prod; got++) {
            const union xenkbd_in_event *e = &XENKBD_IN_RING_REF(page(&s.a), page(&s.a)->in_cons);

            assert_int_equal(e->type, XENKBD_TYPE_POS);
            assert_int_equal(e->pos.abs_x, got);
            assert_true(e->pos.abs_y == 1 && e->pos.rel_z == -1);
            page(&s.a)->in_cons++;
        }
    }
    assert_int_equal(kbdback_dropped(device(&s.a)), 0);
    while (page(&s.a)->in_cons != page(&s.a)->in_prod) {
        page(&s.a)->in_cons = page(&s.a)->in_prod;
        send_event(&s.a);
    }
    s.f->m->edges->trace.sink = told_of;
    memset(&told, 0, sizeof(told));
    assert_int_equal(ring_seen(&s).full_since, 0);
    for (unsigned int i = 0; i < XENKBD_IN_RING_LEN + KBD_WAITING + 10; i++) {
        kbdback_event(device(&s.a), &(struct kbd_event){ XENKBD_TYPE_KEY, 1, 30, 0 });
        run(&s);
    }
    assert_int_equal(kbdback_dropped(device(&s.a)), 10);
    assert_true(told.puts == XENKBD_IN_RING_LEN && told.full == 1 && told.free == 0 && told.lost == 10);
    assert_int_equal(ring_seen(&s).lost, 10);
    assert_true(ring_seen(&s).full_since > 0);
    page(&s.a)->in_cons = page(&s.a)->in_prod;
    send_event(&s.a);
    page(&s.a)->in_cons = page(&s.a)->in_prod;
    send_event(&s.a);
    assert_true(told.full == 1 && told.free == 1 && told.lost == 10);
    assert_int_equal(ring_seen(&s).full_since, 0);
    s.f->m->edges->trace.sink = NULL;
    end_fb(&s);
}

/* The one event that has come. */
static union xenkbd_in_event heard(struct front *t)
{
    union xenkbd_in_event e;

    run(t->s);
    assert_int_equal(page(t)->in_prod - page(t)->in_cons, 1);
    e = XENKBD_IN_RING_REF(page(t), page(t)->in_cons);
    page(t)->in_cons++;
    return e;
}

/* A place is told as the front end wants to hear it. */
static void places(void **state)
{
    struct scene s;
    struct front *t = &s.a;
    union xenkbd_in_event e;

    begin_fb(&s, *state, "vkbd");
    offer(t);
    ready(t);
    kbdback_pointer(device(t), 30, 40, 0, 800, 600);
    e = heard(t);
    assert_true(e.type == XENKBD_TYPE_MOTION && e.motion.rel_x == 30 && e.motion.rel_y == 40 && e.motion.rel_z == 0);
    kbdback_pointer(device(t), 25, 41, -1, 800, 600);
    e = heard(t);
    assert_true(e.type == XENKBD_TYPE_MOTION && e.motion.rel_x == -5 && e.motion.rel_y == 1 && e.motion.rel_z == -1);
    kbdback_pointer(device(t), INT32_MIN, INT32_MAX, 0, 800, 600);
    heard(t);
    states(t, ways[0].going, false);
    front_write(t, "request-abs-pointer", 1);
    t->port = port_offer(s.f);
    offer(t);
    states(t, ways[0].coming, false);
    kbdback_pointer(device(t), 30, 40, 1, 800, 600);
    e = heard(t);
    assert_true(e.type == XENKBD_TYPE_POS && e.pos.abs_x == 30 && e.pos.abs_y == 40 && e.pos.rel_z == 1);
    states(t, ways[0].going, false);
    front_write(t, "request-raw-pointer", 1);
    t->port = port_offer(s.f);
    offer(t);
    states(t, ways[0].coming, false);
    kbdback_pointer(device(t), 799, 0, 0, 800, 600);
    e = heard(t);
    assert_true(e.type == XENKBD_TYPE_POS && e.pos.abs_x == 0x7fff && e.pos.abs_y == 0);
    kbdback_pointer(device(t), 5, 599, 0, 0, 0); /* a screen of no known size */
    e = heard(t);
    assert_true(e.type == XENKBD_TYPE_POS && e.pos.abs_x == 5 && e.pos.abs_y == 599);
    end_fb(&s);
}

/* What the toolstack has said that there is not says nothing, and what it has said is not written over. */
static void without(void **state)
{
    static const char *const words[] = { "feature-disable-keyboard", "feature-disable-pointer" };

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        void *machine = NULL;
        struct scene s;
        struct front t;
        char value[64];

        assert_int_equal(fix_setup(&machine), 0);
        begin_fb(&s, machine, "vkbd");
        t = (struct front){ .s = &s, .type = "vkbd", .devid = 2 };
        write_node(&s, back_path(&t, words[i]), "1");
        write_node(&s, back_path(&t, "feature-abs-pointer"), "0");
        device_add(&s, &t, "vkbd", 2, 40);
        assert_string_equal(store_read(&s.st, back_path(&t, "feature-abs-pointer"), value), "0");
        assert_string_equal(store_read(&s.st, back_path(&t, "feature-raw-pointer"), value), "1");
        offer(&t);
        ready(&t);
        kbdback_event(device(&t), &(struct kbd_event){ XENKBD_TYPE_KEY, 1, i ? 0x110 : 30, 0 });
        if (i)
            kbdback_pointer(device(&t), 3, 4, 0, 800, 600);
        run(&s);
        assert_int_equal(page(&t)->in_prod, 0);
        kbdback_event(device(&t), &(struct kbd_event){ XENKBD_TYPE_KEY, 1, i ? 30 : 0x110, 0 });
        heard(&t);
        end_fb(&s);
        assert_int_equal(fix_teardown(&machine), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(seen, fix_setup, fix_teardown),
                                        cmocka_unit_test_setup_teardown(places, fix_setup, fix_teardown),
                                        cmocka_unit_test(without),
                                        cmocka_unit_test(drivers_come_and_go),
                                        cmocka_unit_test(attacks),
                                        cmocka_unit_test_setup_teardown(a_frame_goes, fix_setup, fix_teardown),
                                        cmocka_unit_test_setup_teardown(typed, fix_setup, fix_teardown) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
