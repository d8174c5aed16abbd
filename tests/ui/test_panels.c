// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What panels show is so: it is counted again, or followed through a run, whatever else the run does.
 *
 * Budget: a test or two a panel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/ram_hash.h"
#include "tests/ui/cockpit.h"
#include "tools/debug/sentence.h"

#define GRANTS   "--max-vtime=12ms tests/guest/grants-owner.cfg tests/guest/grants-user.cfg"
#define PINGPONG "--max-vtime=12ms tests/guest/pingpong-server.cfg tests/guest/pingpong-client.cfg"
#define SMP      "--max-vtime=12ms --pcpus 2 --vcpus 4 build/guests/smp"
#define LOST     "--max-vtime=12ms build/guests/lostevent"
#define FIVE     "build/guests/five/five.native"
#define RINGS    "--max-vtime=12ms build/guests/rings"

/* A panel's table, of here. */
static const struct table *table_of(struct cockpit_scene *sc, const char *panel)
{
    const int i = panel_find(panel, (unsigned int)strlen(panel));

    assert_true(i >= 0);
    cockpit_look(&sc->c, &sc->c.panel[i]);
    return &sc->c.panel[i].table;
}

static const char *cell_of(const struct table *t, const struct table_row *row, const char *title)
{
    for (unsigned int c = 0; c < t->nr_columns; c++)
        if (!strcmp(t->column[c].title, title))
            return row->cell[c] ?: "";
    fail_msg("there is no column %s", title);
    return "";
}

static const struct table_row *row_of(const struct table *t, const char *key)
{
    for (size_t i = 0; i < t->nr; i++)
        if (!strcmp(t->row[i].key, key))
            return &t->row[i];
    return NULL;
}

/* Through a run, from hypercall to hypercall and by odd numbers of instructions, until it ends. */
static bool on(struct cockpit_scene *sc, unsigned int n)
{
    const struct position before = sc->s.g.rw.m->at;
    char line[32];

    snprintf(line, sizeof(line), n % 3 ? "hypercall" : "step %u", 1 + n % 97);
    cockpit_line(&sc->c, line);
    return memcmp(&before, &sc->s.g.rw.m->at, sizeof(before)) != 0;
}

/* --- times --- */

/*
 * All the time of a pCPU is somebody's, or nobody's; at any position, in the middle of a slice as well. slack, of a
 * thousand: with several pCPUs one leaps a little when it takes over a vCPU whose time on another was ahead.
 */
static void times_add_up(const char *line, int slack)
{
    struct cockpit_scene sc;
    unsigned int tried = 0;

    cockpit_scene_of(&sc, line, 24, 80);
    for (unsigned int n = 0; n < 40 && on(&sc, n); n++, tried++) {
        s_time_t all = 0, had = 0;
        struct look_domain d;
        struct look_vcpu v;
        struct look_pcpu p;

        for (unsigned int cpu = 0; look_pcpu(sc.s.g.host, cpu, &p); cpu++) {
            all += p.now;
            had += p.idled;
        }
        for (unsigned int i = 0; look_domain(sc.s.g.host, &i, &d); i++)
            for (unsigned int id = 0; id < d.vcpus; id++)
                if (look_vcpu(sc.s.g.host, d.dom, id, &v))
                    had += v.ran;
        if (had > all || (all - had) * 1000 > all * slack)
            fail_msg("%s: of %lld ns %lld are accounted for, at %s", line, (long long)all, (long long)had,
                     sc.c.scene.where);
    }
    assert_true(tried > 20);
    cockpit_scene_end(&sc);
}

static void test_times_add_up(void **state)
{
    times_add_up(RINGS, 0);
    times_add_up(PINGPONG, 0);
    times_add_up(SMP, 10);
}

/* --- events --- */

/* The guest loses an event: masked and sent, then unmasked by a store. What is seen of it on the way. */
static void test_a_lost_event_is_marked(void **state)
{
    bool masked = false, lost = false, soon = false;
    struct cockpit_scene sc;

    cockpit_scene_of(&sc, LOST, 24, 80);
    cockpit_line(&sc.c, "trace evtchn_send");
    for (unsigned int n = 0; n < 300 && !(masked && lost && soon); n++) {
        const struct table *t = table_of(&sc, "events");

        for (size_t i = 0; i < t->nr; i++) {
            const struct table_row *row = &t->row[i];
            const char *bits = cell_of(t, row, "bits"), *told = cell_of(t, row, "told");

            if (strcmp(cell_of(t, row, "state"), "ipi") != 0)
                continue;
            masked |= !strcmp(bits, "PM*") && strstr(told, "masked");
            lost |= !strcmp(bits, "P*") && strstr(told, "taken note");
            soon |= !strcmp(bits, "P") && strstr(told, "when the vCPU next runs");
        }
        cockpit_line(&sc.c, "hypercall");
    }
    assert_true(masked && lost && soon);
    cockpit_scene_end(&sc);
}

/* Both ends say of each other what is so, and each port is in one row. */
static void test_ends_of_channels_agree(void **state)
{
    unsigned int pairs = 0;
    struct cockpit_scene sc;

    cockpit_scene_of(&sc, PINGPONG, 24, 80);
    for (unsigned int n = 0; n < 30 && on(&sc, n); n++) {
        const struct table *t = table_of(&sc, "events");

        for (size_t i = 0; i < t->nr; i++) {
            unsigned int dom, port;
            char key[TABLE_KEY], back[TABLE_KEY];
            const struct table_row *other;

            if (sscanf(cell_of(t, &t->row[i], "to"), "d%u port %u", &dom, &port) != 2)
                continue;
            snprintf(key, sizeof(key), "d%u.%u", dom, port);
            snprintf(back, sizeof(back), "%s port %s", cell_of(t, &t->row[i], "domain"),
                     cell_of(t, &t->row[i], "port"));
            other = row_of(t, key);
            assert_non_null(other);
            assert_string_equal(cell_of(t, other, "to"), back);
            pairs++;
        }
    }
    assert_true(pairs > 100);
    cockpit_scene_end(&sc);
}

/* --- grants --- */

static void test_grants_are_offered_used_and_withdrawn(void **state)
{
    bool offered = false, used = false, back = false;
    struct cockpit_scene sc;

    cockpit_scene_of(&sc, GRANTS, 24, 80);
    for (unsigned int n = 0; n < 1500 && !back && on(&sc, 3 * n + 1); n++) {
        const struct table *t = table_of(&sc, "grants");
        bool now = false;

        for (size_t i = 0; i < t->nr; i++) {
            const struct table_row *row = &t->row[i];

            if (strtoul(cell_of(t, row, "ref"), NULL, 10) < 8)
                continue; /* the toolstack's */
            offered |= !strcmp(cell_of(t, row, "state"), "offered");
            if (!strcmp(cell_of(t, row, "state"), "in use")) {
                now = used = true;
                assert_string_equal(cell_of(t, row, "frame"), cell_of(t, row, "mfn"));
                assert_true(strtoul(cell_of(t, row, "pins"), NULL, 10) > 0);
            }
        }
        back |= used && !now;
    }
    assert_true(offered && used && back);
    cockpit_scene_end(&sc);
}

/* --- rings --- */

/* What a guest has written, and what dom0 has read of it: both ends see the same bytes go by. */
static void test_rings_are_followed(void **state)
{
    struct cockpit_scene sc;
    bool waiting = false;
    uint32_t said = 0;

    cockpit_scene_of(&sc, RINGS, 24, 80);
    for (unsigned int n = 0; n < 40; n++) {
        const struct table_row *row;
        const struct table *t;
        uint32_t prod, cons;

        cockpit_line(&sc.c, n % 2 ? "io" : "trace evtchn_send; continue; delete all");
        t = table_of(&sc, "rings");
        row = row_of(t, "d1 console out 3");
        if (!row)
            break; /* it has ended */
        prod = (uint32_t)strtoul(cell_of(t, row, "prod"), NULL, 10);
        cons = (uint32_t)strtoul(cell_of(t, row, "cons"), NULL, 10);
        assert_true(prod - cons <= 2048 && prod >= said);
        assert_string_equal(cell_of(t, row, "producer"), "d1");
        if (sc.s.g.dbg.at_event && sc.s.g.dbg.event.event == TRC_ring && record_field(&sc.s.g.dbg.event, "dom") == 1)
            assert_int_equal(record_field(&sc.s.g.dbg.event, "new_prod"), prod);
        waiting |= prod != cons;
        said = prod;
    }
    assert_true(waiting && said > 100);
    cockpit_scene_end(&sc);
}

/* --- disks --- */

/* The first number of a cell. */
static unsigned long number_of(const struct table *t, const struct table_row *row, const char *title)
{
    return strtoul(cell_of(t, row, title), NULL, 10);
}

/* A guest writes block by block: each is begun, worked on, kept in memory; and all go back with the machine. */
static void test_a_disk_is_followed(void **state)
{
    unsigned long written = 0, busy = 0;
    struct cockpit_scene sc;

    cockpit_scene_of(&sc, "--disk docs/tours/tour.disk --cmdline write=40 build/guests/blkcat", 24, 80);
    cockpit_line(&sc.c, "delete all; trace ring if kind==block_req; panel disks");
    sc.c.zoomed = true;
    for (unsigned int n = 0; n < 40; n++) {
        const struct table_row *row;
        const struct table *t;

        cockpit_line(&sc.c, "continue");
        t = table_of(&sc, "disks");
        row = row_of(t, "d1 xvda");
        if (!row || !sc.s.g.dbg.at_event)
            break;
        assert_in_range(number_of(t, row, "written"), written, written + 8);
        written = number_of(t, row, "written");
        busy += number_of(t, row, "busy");
        assert_string_equal(cell_of(t, row, "size"), "16 KiB");
        assert_int_equal(number_of(t, row, "failed"), 0);
        assert_true(cockpit_scene_shows(&sc, number_of(t, row, "busy") ? "d1 xvda    [#" : "d1 xvda    [."));
    }
    assert_true(written == 40 && busy > 0);
    cockpit_line(&sc.c, "goto 2700us");
    assert_int_equal(number_of(table_of(&sc, "disks"), row_of(table_of(&sc, "disks"), "d1 xvda"), "written"), 0);
    cockpit_scene_end(&sc);
}

/* --- network --- */

/* Two guests play: what one has sent the other has got, or it waits in the queue; at each event of a frame. */
static void test_a_network_is_followed(void **state)
{
    unsigned long frames = 0, waits = 0;
    struct cockpit_scene sc;

    cockpit_scene_of(&sc, "--max-vtime=12ms --copies 2 --net lan --cmdline n=99 build/guests/netecho", 24, 80);
    cockpit_line(&sc.c, "delete all; trace net_frame; panel network");
    sc.c.zoomed = true;
    for (unsigned int n = 0; n < 100; n++) {
        const struct table_row *one, *two;
        const struct table *t;

        cockpit_line(&sc.c, "continue");
        t = table_of(&sc, "network");
        one = row_of(t, "lan vif1.0 d1");
        two = row_of(t, "lan vif2.0 d2");
        if (!one || !two || !sc.s.g.dbg.at_event)
            break;
        assert_int_equal(number_of(t, one, "sent"), number_of(t, two, "received") + number_of(t, two, "queue"));
        assert_int_equal(number_of(t, two, "sent"), number_of(t, one, "received") + number_of(t, one, "queue"));
        assert_int_equal(number_of(t, one, "dropped"), 0);
        assert_true(cockpit_scene_shows(&sc, number_of(t, one, "queue") ? "lan vif1.0 d1            [#"
                                                                        : "lan vif1.0 d1            [."));
        waits += number_of(t, two, "queue") + number_of(t, one, "queue");
        frames = number_of(t, one, "received");
    }
    assert_true(frames > 20 && waits > 20);
    cockpit_scene_end(&sc);
}

/* --- xenstore --- */

/* A guest that writes, watches and removes: parents stand above what is in them, and each node once. */
static void test_the_store_is_a_tree(void **state)
{
    struct cockpit_scene sc;
    bool own = false, watched = false;

    cockpit_scene_of(&sc, "--max-vtime=12ms build/guests/store", 24, 80);
    for (unsigned int n = 0; n < 24; n++) {
        const struct table *t;
        size_t depth = 0, last = 0;

        cockpit_line(&sc.c, n < 20 ? "trace xs; continue; delete all" : "trace xs if op==watch; continue; delete all");
        t = table_of(&sc, "xenstore");
        for (size_t i = 0; i < t->nr; i++) {
            const char *node = t->row[i].cell[0];

            depth = strspn(node, " ") / 2;
            watched |= !strncmp(node, "d1 watches ", 11);
            own |= !strncmp(t->row[i].cell[1], "n1", 2);
            if (!strstr(node, " watches ") && depth > last + 1)
                fail_msg("\"%s\" is below nothing", node);
            last = depth;
            for (size_t k = 0; k < i; k++)
                assert_string_not_equal(t->row[i].key, t->row[k].key);
        }
    }
    assert_true(own);
    assert_true(watched);
    cockpit_scene_end(&sc);
}

/* --- frames --- */

/* Each frame is counted once, under what it is. */
static void test_frames_are_counted(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_of(&sc, GRANTS, 24, 80);
    for (unsigned int n = 0; n < 3; n++) {
        struct look_frames *f = look_frames(sc.s.g.host);
        uint64_t all = 0;
        struct look_frame one;

        assert_non_null(f);
        for (size_t i = 0; i < f->nr; i++) {
            const struct look_frames_of *of = &f->of[i];
            uint64_t frames = 0, pinned = 0;

            for (uint64_t mfn = 0; look_frame(sc.s.g.host, _mfn(mfn), &one); mfn++) {
                const bool xen = !one.free && one.owner == DOMID_INVALID;
                const char *kind = one.free ? "free" : xen ? "xen" : one.type;

                if (one.owner != of->owner || strcmp(kind, look_frame_kind(of->kind)) != 0)
                    continue;
                frames++;
                pinned += one.pinned;
            }
            if (frames != of->frames || pinned != of->pinned)
                fail_msg("%u frames of d%u, %s: counted %u", (unsigned int)of->frames, of->owner,
                         look_frame_kind(of->kind), (unsigned int)frames);
            all += frames;
        }
        assert_int_equal(all, f->frames);
        look_frames_free(f);
        cockpit_line(&sc.c, "hypercall 30");
    }
    cockpit_scene_end(&sc);
}

/* --- pages --- */

/* The way of any address is told as memory is then read: mapped or not, and where. */
static void test_walks_lead_to_memory(void **state)
{
    static const char *const places[] = { "%rip",
                                          "%rsp",
                                          "0",
                                          "0x400000",
                                          "0xffffffff80000000",
                                          "0xffff800000000000",
                                          "0x800000000000",
                                          "%rsp + 0x100000000",
                                          "%rip - 0x200000" };
    struct cockpit_scene sc;
    unsigned int mapped = 0, not = 0;

    cockpit_scene_of(&sc, RINGS, 24, 80);
    for (unsigned int n = 0; n < 30 && on(&sc, n); n++)
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
            struct debug_addr a;
            const struct table *t;
            const struct table_row *end;
            char line[64], maps[64];
            uint64_t maddr;
            uint8_t byte;

            snprintf(line, sizeof(line), "panel pages %s", places[i]);
            cockpit_line(&sc.c, line);
            assert_true(debug_address(&sc.s.g, places[i], &a));
            t = table_of(&sc, "pages");
            end = row_of(t, "=");
            assert_non_null(end);
            if (look_machine_address(sc.s.g.host, a.dom, a.vcpu, LOOK_VIRTUAL, a.addr, &maddr)) {
                snprintf(maps, sizeof(maps), "maps m:0x%llx,", (unsigned long long)maddr);
                assert_true(!strncmp(cell_of(t, end, "frame"), maps, strlen(maps)));
                mapped++;
            } else {
                assert_true(strstr(cell_of(t, end, "frame"), "not present") ||
                            strstr(cell_of(t, end, "frame"), "not canonical"));
                assert_int_equal(look_read(sc.s.g.host, a.dom, a.vcpu, LOOK_VIRTUAL, a.addr, &byte, 1), 0);
                not ++;
            }
        }
    assert_true(mapped > 60 && not > 60);
    cockpit_scene_end(&sc);
}

/* --- the scheduler --- */

#define SPINNERS "--max-vtime=40ms --pcpus 2 --copies 3 --sched %s build/guests/spinner"
static const char *const policies[] = { "rr", "null", "credit", "credit2", "rtds", "arinc653,slice_ms=1" };

/* Who runs waits nowhere; who is blocked neither; of those who wait each has a place of its own, and 1 is the first. */
static void places_check(const char *policy, const struct table *t, unsigned int *waiting)
{
    for (size_t i = 0; i < t->nr; i++) {
        const struct table_row *row = &t->row[i];
        const char *place = cell_of(t, row, "place"), *state = cell_of(t, row, "state");
        const bool waits = *place && *place != 'p';

        if ((*place == 'p') != !strcmp(state, "running") || (waits && strcmp(state, "runnable") != 0))
            fail_msg("%s: %s is %s, and its place is \"%s\"", policy, row->key, state, place);
        *waiting += waits;
        for (size_t k = 0; k < i && *place; k++)
            if (!strcmp(place, cell_of(t, &t->row[k], "place")) &&
                !strcmp(cell_of(t, row, "queue"), cell_of(t, &t->row[k], "queue")))
                fail_msg("%s: %s and %s are both at %s", policy, row->key, t->row[k].key, place);
        if (waits && atoi(place) > 1 && strcmp(cell_of(t, row, "queue"), cell_of(t, row - 1, "queue")) != 0)
            fail_msg("%s: nobody comes before %s, at %s", policy, row->key, place);
    }
}

/*
 * The translation cache, where the machine stands in a block: marked is the instruction, and among all blocks its own
 * alone. What the guest's instruction is and what runs in its place is all there at 80 columns.
 */
static void test_a_block_is_marked(void **state)
{
    struct cockpit_scene sc;
    const struct table *t;
    unsigned int lines = 0, blocks = 0;
    struct debug_addr pc;

    cockpit_scene_of(&sc, "--max-vtime=12ms --technique=translate --type=pvh --memory=32 " FIVE, 24, 80);
    cockpit_line(&sc.c, "vcpu d1; exit kind==exception && %rip==d1:memset; s");
    assert_true(debug_address(&sc.s.g, "%rip", &pc));
    t = table_of(&sc, "tc");
    for (size_t i = 0; i < t->nr; i++) {
        const struct table_row *row = &t->row[i];
        const bool block = !strncmp(row->key, "block ", 6);

        if (!row->here)
            continue;
        blocks += block;
        lines += !block;
        if (!block)
            assert_int_equal(strtoull(cell_of(t, row, "source"), NULL, 16), pc.addr);
    }
    assert_int_equal(lines, 1);
    assert_int_equal(blocks, 1);
    sc.c.zoomed = true;
    cockpit_line(&sc.c, "panel tc");
    for (size_t i = 0; i < t->nr && i < 12; i++)
        if (!cockpit_scene_shows(&sc, cell_of(t, &t->row[i], "runs in its place")))
            fail_msg("cut: %s", cell_of(t, &t->row[i], "runs in its place"));
    cockpit_scene_end(&sc);
}

/* Of six policies; who was the first in the queue when a pCPU took somebody from there is who it took. */
static void test_queues_are_told(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        unsigned int waiting = 0;
        struct cockpit_scene sc;
        char line[120];

        snprintf(line, sizeof(line), SPINNERS, policies[i]);
        cockpit_scene_of(&sc, line, 24, 80);
        cockpit_line(&sc.c, "switch");
        for (unsigned int n = 0; n < 6; n++) {
            places_check(policies[i], table_of(&sc, "scheduler"), &waiting);
            cockpit_line(&sc.c, n % 3 ? "switch" : "goto +300us");
        }
        if (!strncmp(policies[i], "arinc", 5)) /* it has no queues */
            assert_int_equal(waiting, 0);
        else
            assert_true(waiting > 4);
        cockpit_scene_end(&sc);
    }
}

/* The first in rr's queue is the next to run. */
static void test_the_first_is_next(void **state)
{
    struct cockpit_scene sc;
    char line[120], first[TABLE_KEY];
    unsigned int tried = 0;

    snprintf(line, sizeof(line), SPINNERS, "rr");
    cockpit_scene_of(&sc, line, 24, 80);
    cockpit_line(&sc.c, "goto 9ms");
    for (unsigned int n = 0; n < 8; n++) {
        const struct table *t = table_of(&sc, "scheduler");
        char sentence[64];

        first[0] = '\0';
        for (size_t i = 0; i < t->nr && !first[0]; i++)
            if (!strcmp(cell_of(t, &t->row[i], "place"), "1"))
                memcpy(first, t->row[i].key, sizeof(first));
        cockpit_line(&sc.c, "switch next != 0");
        if (!sc.s.g.dbg.at_event || sc.s.g.dbg.event.event != TRC_sched_switch || !first[0])
            continue;
        snprintf(sentence, sizeof(sentence), "d%uv%u", (unsigned int)(sc.s.g.dbg.event.arg[1] >> 16),
                 (unsigned int)(sc.s.g.dbg.event.arg[1] & 0xffff));
        assert_string_equal(sentence, first);
        tried++;
    }
    assert_true(tried > 4);
    cockpit_scene_end(&sc);
}

/* --- looking --- */

/* Of all that is state, what is in between blocks as well, which a sanitizer would complain about. */
__attribute__((no_sanitize("address"))) static uint64_t arena_hash(const struct arena *a)
{
    const volatile uint64_t *word = arena_base(a);
    uint64_t hash = 0;

    for (size_t i = 0; i < arena_size(a) / sizeof(*word); i++)
        hash = (hash ^ word[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
    return hash;
}

/* Not a byte of the hypervisor's state, nor of memory: whatever panel looks, at whatever policy. */
static void test_looking_writes_nothing(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        struct cockpit_scene sc;
        char line[120];
        struct machine *m;

        snprintf(line, sizeof(line), SPINNERS, policies[i]);
        cockpit_scene_of(&sc, line, 60, 200);
        m = host_machine(sc.s.g.host);
        for (unsigned int n = 0; n < 3; n++) {
            const size_t size = arena_size(m->arena);
            uint64_t ram, was;

            cockpit_line(&sc.c, n ? "goto +200us" : "switch");
            look_hash(sc.s.g.host); /* registers are brought back from the engine */
            free(cockpit_scene_text(&sc));
            was = arena_hash(m->arena);
            ram = machine_hash_ram(m);
            for (unsigned int k = 0; k < sc.c.nr_panels; k++) {
                sc.c.scene.about = sc.c.panel[k].about;
                panel_take(sc.c.panel[k].ops, &sc.c.panel[k].table, &sc.s.g, &sc.c.scene);
            }
            if (arena_size(m->arena) != size || arena_hash(m->arena) != was)
                fail_msg("%s: looking has changed the hypervisor", policies[i]);
            assert_int_equal(machine_hash_ram(m), ram);
        }
        cockpit_scene_end(&sc);
    }
}

/* --- changes --- */

/* Whatever order rows come in: each is compared with the one of its key, those not there before or no more are said. */
static void test_rows_are_compared_by_key(void **state)
{
    static const struct table_column columns[] = { { .title = "a" } };
    uint64_t prng = 1;

    for (unsigned int n = 0; n < 60; n++) {
        struct table then = { 0 }, now = { 0 }, shown = { 0 };
        unsigned int was[100], is[100], gone = 0;
        const char *go[100] = { NULL };

        table_begin(&then, columns, 1, "");
        table_begin(&now, columns, 1, "");
        for (unsigned int i = 0; i < 100; i++) { /* 0: not there; else what is in the cell */
            prng = prng * UINT64_C(6364136223846793005) + 1442695040888963407;
            was[i] = (unsigned int)(prng >> 33) % 4;
            is[i] = (unsigned int)(prng >> 43) % 4;
        }
        for (unsigned int i = 0; i < 100; i++)
            if (was[i]) {
                struct table_row *row = table_row(&then, "%u", i);

                table_cell(&then, row, "%u", was[i]);
                table_go(&then, row, "#%u", i);
                go[i] = row->go;
            }
        for (unsigned int i = 0; i < 100; i++) {
            const unsigned int at = n % 3 ? (i * (10 * n + 3) + n) % 100 : i;

            if (is[at])
                table_cell(&now, table_row(&now, "%u", at), "%u", is[at]);
        }
        table_share(&shown, &now, &then);
        for (size_t i = 0; i < shown.nr; i++) {
            const unsigned int at = (unsigned int)strtoul(shown.row[i].key, NULL, 10);

            gone += shown.row[i].gone;
            if (shown.row[i].gone) {
                assert_true(was[at] && !is[at]);
                assert_ptr_equal(shown.row[i].go, go[at]); /* so that it outlives the table that is shown */
            } else
                assert_int_equal(shown.row[i].changed, was[at] != is[at]);
        }
        for (unsigned int i = 0; i < 100; i++)
            gone -= was[i] && !is[i];
        assert_int_equal(gone, 0);
        table_free(&shown);
        table_free(&now);
        table_free(&then);
    }
}

/* --- all --- */

/* `panel NAME` says in lines what the table has, whether or not somebody may stand behind the name. */
static void test_panels_are_said(void **state)
{
    static const char *const wrong[] = { "panel events d", "panel events 5", "panel pages nosuch", "panel pages m:0",
                                         "panel code x",   "panel nosuch",   "walk nosuch",        "ports x" };
    struct cockpit_scene sc;
    size_t said;

    cockpit_scene_of(&sc, GRANTS, 24, 80);
    cockpit_line(&sc.c, "hypercall 40");
    for (unsigned int i = 0; i < sc.c.nr_panels; i++) {
        const struct table *t = table_of(&sc, sc.c.panel[i].ops->name);
        const size_t nr = t->nr + (t->nr && t->nr_columns > 1);

        if (!strcmp(sc.c.panel[i].ops->name, "messages"))
            continue; /* which grows by being said */
        said = said_nr(sc.s.g.said);
        panels_say(&sc.s.g, sc.c.panel[i].ops->name);
        assert_int_equal(said_nr(sc.s.g.said) - said, nr ? nr : 1);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        said = said_nr(sc.s.g.said);
        cockpit_line(&sc.c, wrong[i]);
        assert_true(!strncmp(cockpit_scene_said(&sc), "error: ", 7));
        assert_int_equal(said_nr(sc.s.g.said) - said, 1);
    }
    cockpit_scene_end(&sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_add_up),           cmocka_unit_test(test_a_lost_event_is_marked),
        cmocka_unit_test(test_ends_of_channels_agree), cmocka_unit_test(test_grants_are_offered_used_and_withdrawn),
        cmocka_unit_test(test_rings_are_followed),     cmocka_unit_test(test_a_network_is_followed),
        cmocka_unit_test(test_a_disk_is_followed),     cmocka_unit_test(test_the_store_is_a_tree),
        cmocka_unit_test(test_frames_are_counted),     cmocka_unit_test(test_walks_lead_to_memory),
        cmocka_unit_test(test_queues_are_told),        cmocka_unit_test(test_the_first_is_next),
        cmocka_unit_test(test_looking_writes_nothing), cmocka_unit_test(test_panels_are_said),
        cmocka_unit_test(test_a_block_is_marked),      cmocka_unit_test(test_rows_are_compared_by_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
