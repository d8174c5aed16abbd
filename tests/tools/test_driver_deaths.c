// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Driver domains that die: at each step of their own start, twice in a row, two of them at once, while xenstored is
 * busy, and with a xenstore ring that is nonsense. Their guests wait and lose nothing; guests of others go on.
 *
 * Concept: three guests write numbered blocks, each to a disk of its own: over one driver domain, over another, and
 * over dom0. What happens meanwhile is random, by a seed; what must come out is not. With DEATHS=1000 more of it is
 * tried, with SEED=7 that one alone.
 */
#include "tests/tools/drivers.h"

#include "sim/machine.h"
#include "tests/support/ram.h"
#include "tests/support/random.h"

#define BLOCKS 40u

#ifdef __SANITIZE_ADDRESS__ /* which is slow */
#define LESS 4u
#else
#define LESS 1u
#endif

enum { STORAGE, SPARE, DOM0, WRITERS };

static const char *const backends[WRITERS] = { "storage", "spare", "" }, *const names[WRITERS] = { "a", "b", "c" };

struct three {
    struct scene sc;
    char disk[WRITERS][80];
    domid_t domid[WRITERS];
    unsigned int crashes[2]; /* that have happened: ten in a row are forgiven */
    bool floods;
    unsigned int written; /* by who asks xenstored without end */
};

static unsigned int number_of(const char *name, unsigned int otherwise)
{
    const char *text = getenv(name);

    return text ? (unsigned int)atoi(text) : otherwise;
}

/* Two driver domains, one that is idle, and the three. */
static void begin_three_with(struct three *t, unsigned int nr_pcpus, unsigned int depth, const char *fault)
{
    char cmdline[48];

    memset(t, 0, sizeof(*t));
    begin_with(&t->sc, nr_pcpus, fault);
    unlink(t->sc.disk);
    add_driver(&t->sc, backends[STORAGE]);
    add_driver(&t->sc, backends[SPARE]);
    add(&t->sc, &(struct host_guest){ .kernel = "build/guests/idle", .memory_mib = 4 });
    snprintf(cmdline, sizeof(cmdline), "write=%u depth=%u flush=10", BLOCKS, depth);
    for (unsigned int i = 0; i < WRITERS; i++) {
        int fd;

        snprintf(t->disk[i], sizeof(t->disk[i]), "/tmp/test_driver_deaths.XXXXXX");
        fd = mkstemp(t->disk[i]);
        assert_true(fd >= 0 && !ftruncate(fd, 256 * 1024));
        close(fd);
        strcpy(t->sc.disk, t->disk[i]);
        t->domid[i] = add_blkcat(&t->sc, names[i], backends[i], cmdline);
    }
    assert_int_equal(host_xenstore_socket(t->sc.host, 1, HOST_SOCKET_OPEN, NULL, 0, host_now(t->sc.host)), 0);
}

static void begin_three(struct three *t, unsigned int nr_pcpus, unsigned int depth)
{
    begin_three_with(t, nr_pcpus, depth, NULL);
}

/* All is acknowledged, and all of it is on the disks. */
static void end_three(struct three *t)
{
    until_gone(&t->sc, WRITERS);
    for (unsigned int i = 0; i < WRITERS; i++) {
        expect_acknowledged(t->sc.console[t->domid[i]], BLOCKS);
        strcpy(t->sc.disk, t->disk[i]);
        verify(&t->sc, BLOCKS);
        unlink(t->disk[i]);
    }
    end(&t->sc);
}

static void crash(struct three *t, unsigned int which)
{
    if (t->crashes[which] == 10)
        return;
    t->crashes[which]++;
    tell(&t->sc, "crash", backends[which]);
}

/* How much of it is acknowledged. */
static unsigned int progress(const struct three *t, unsigned int which)
{
    unsigned int nr = 0;

    for (const char *at = t->sc.console[t->domid[which]]; (at = strstr(at, "acknowledged")); at++)
        nr++;
    return nr;
}

/* --- at each step of its start --- */

/*
 * What another one has made ready again takes some 50 us. A crash comes at each microsecond of that, then a third at
 * once or later; nobody else is held up.
 */
static void at_each_step_of_its_start(void **state)
{
    const unsigned int step = number_of("DEATHS", 0) ? 1 : 6 * LESS;
    static struct three t;
    unsigned int tried = 0;

    (void)state;
    for (unsigned int us = 0; us < 66; us += step, tried++) {
        begin_three(&t, 1 + us % 4, 1 + us % 9);
        pass(&t.sc, MICROSECS(us * 37));
        crash(&t, STORAGE);
        pass(&t.sc, MICROSECS(us));
        crash(&t, STORAGE);
        pass(&t.sc, MICROSECS(us * 5 % 67));
        crash(&t, STORAGE);
        end_three(&t);
    }
    print_message("%u times three crashes\n", tried);
}

/* --- random histories --- */

/* Somebody writes nodes as fast as he can. */
static void flood(struct three *t)
{
    struct {
        struct xsd_sockmsg hdr;
        char text[64];
    } m = { .hdr = { .type = XS_WRITE, .req_id = 1 } };

    for (unsigned int i = 0; i < 20; i++) {
        m.hdr.len = (uint32_t)snprintf(m.text, sizeof(m.text), "/tool/flood/%u%cx", t->written++ % 50, 0);
        assert_int_equal(
            host_xenstore_socket(t->sc.host, 1, HOST_SOCKET_BYTES, &m, sizeof(m.hdr) + m.hdr.len, host_now(t->sc.host)),
            0);
    }
}

static void happen(struct three *t, uint64_t *prng)
{
    const unsigned int which = (unsigned int)random_of(prng, 2);

    switch (random_of(prng, 8)) {
    case 0:
    case 1:
    case 2: crash(t, which); break;
    case 3: /* both, in whichever order */
        crash(t, which);
        crash(t, !which);
        break;
    case 4: /* again, while it starts */
        crash(t, which);
        pass(&t->sc, (s_time_t)random_of(prng, 70000));
        crash(t, which);
        break;
    case 5: flood(t); break;
    case 6: /* it stands still for a while, and may have crashed meanwhile */
        tell(&t->sc, "pause", backends[which]);
        pass(&t->sc, (s_time_t)random_of(prng, 200000));
        if (random_of(prng, 2))
            crash(t, which);
        pass(&t->sc, (s_time_t)random_of(prng, 100000));
        tell(&t->sc, "unpause", backends[which]);
        break;
    default: break;
    }
}

static void at_random(void **state)
{
    const unsigned int first = number_of("SEED", 1), runs = getenv("SEED") ? 1 : number_of("DEATHS", 12 / LESS);
    static struct three t;
    unsigned int crashes = 0, seen = 0;

    (void)state;
    for (unsigned int seed = first; seed < first + runs; seed++) {
        uint64_t prng = seed;

        print_message("seed %u\n", seed);
        begin_three(&t, 1 + (unsigned int)random_of(&prng, 4), 1 + (unsigned int)random_of(&prng, 16));
        for (unsigned int i = 0; i < 24 && t.sc.gone < WRITERS; i++) {
            const unsigned int before = progress(&t, DOM0);
            const s_time_t since = t.sc.until;

            happen(&t, &prng);
            pass(&t.sc, (s_time_t)random_of(&prng, random_of(&prng, 3) ? 60000 : 900000));
            if (!before || before == BLOCKS || t.sc.until - since < MICROSECS(600))
                continue;
            assert_in_range(progress(&t, DOM0), before + 1, BLOCKS); /* whose disk is in dom0 does not wait */
            seen++;
        }
        crashes += t.crashes[0] + t.crashes[1];
        end_three(&t);
    }
    print_message("%u runs, %u crashes; the third guest went on in %u of %u times 600 us\n", runs, crashes, seen, seen);
}

/* --- a xenstore ring of nonsense --- */

/* The page that a driver domain shares with xenstored. */
static struct xenstore_domain_interface *store_page(const struct three *t, unsigned int domid)
{
    char path[48];
    struct node n = { .path = path };

    snprintf(path, sizeof(path), "/local/domain/%u/store/ring-ref", domid);
    host_store_each(t->sc.host, node_seen, &n);
    return ram_page(host_xen(t->sc.host)->machine, _mfn(strtoul(n.value, NULL, 10)));
}

static void nonsense(struct xenstore_domain_interface *p, uint64_t what, uint64_t *prng)
{
    struct xsd_sockmsg hdr = { .type = (uint32_t)random_of(prng, 30), .req_id = 1, .len = 5000 };

    switch (what) {
    case 0: p->req_prod += 1025 + (uint32_t)random_of(prng, 1u << 31); break;
    case 1: p->rsp_cons += 1025 + (uint32_t)random_of(prng, 1u << 31); break;
    case 2: p->rsp_cons -= 1 + (uint32_t)random_of(prng, 3000); break;
    case 3: p->rsp_prod -= 1 + (uint32_t)random_of(prng, 3000); break;
    case 4: p->req_cons -= 1 + (uint32_t)random_of(prng, 3000); break;
    case 5: /* a message that is too long, or as many bytes that are none */
    case 6:
        for (unsigned int i = 0; i < 300; i++)
            p->req[MASK_XENSTORE_IDX(p->req_prod++)] =
                (char)(what == 5 && i < sizeof(hdr) ? ((uint8_t *)&hdr)[i] : random_of(prng, 256));
        break;
    case 7: p->error = (uint32_t)random_of(prng, 5); break;
    default:
        for (unsigned int i = 0; i < sizeof(*p); i++)
            ((uint8_t *)p)[i] = (uint8_t)random_of(prng, 256);
        break;
    }
}

/* The front end says once more what its state is: somebody has to tell the driver domain. */
static void say_connected(struct three *t, domid_t front)
{
    struct {
        struct xsd_sockmsg hdr;
        char text[64];
    } m = { .hdr = { .type = XS_WRITE, .req_id = 1 } };

    m.hdr.len = (uint32_t)snprintf(m.text, sizeof(m.text), "/local/domain/%u/device/vbd/51712/state%c4", front, 0);
    assert_int_equal(
        host_xenstore_socket(t->sc.host, 1, HOST_SOCKET_BYTES, &m, sizeof(m.hdr) + m.hdr.len, host_now(t->sc.host)), 0);
}

/* What one domain writes into its ring is its own loss: until it is started again. */
static void a_ring_of_nonsense(void **state)
{
    const unsigned int first = number_of("SEED", 1), runs = getenv("SEED") ? 1 : number_of("DEATHS", LESS > 1 ? 9 : 18);
    static struct three t;
    unsigned int ended = 0;

    (void)state;
    for (unsigned int seed = first; seed < first + runs; seed++) {
        struct xenstore_domain_interface *page;
        uint64_t prng = seed;
        unsigned int before;

        print_message("seed %u\n", seed);
        begin_three(&t, 1 + seed % 4, 8);
        while (progress(&t, STORAGE) < 1 + seed % 7)
            pass(&t.sc, MICROSECS(20));
        page = store_page(&t, 1);
        nonsense(page, seed % 9, &prng);
        say_connected(&t, t.domid[STORAGE]);
        before = progress(&t, DOM0);
        pass(&t.sc, MILLISECS(1));
        assert_true(before == BLOCKS || progress(&t, DOM0) > before);
        ended += page->error != XENSTORE_ERROR_NONE;
        crash(&t, STORAGE);
        pass(&t.sc, MICROSECS(200));
        assert_int_equal(page->error, XENSTORE_ERROR_NONE);
        end_three(&t);
    }
    print_message("%u runs, in %u of which the conversation had ended\n", runs, ended);
    assert_in_range(ended, 1, runs); /* of a small sample it may be all */
}

/* --- an index that cannot be --- */

/* The device closes, for one that is started again as well; others go on, and further ones over the same one. */
static void an_index_that_cannot_be(void **state)
{
    static struct three t;

    (void)state;
    for (unsigned int nr_pcpus = 1; nr_pcpus <= 4; nr_pcpus += 3) {
        domid_t further;

        begin_three_with(&t, nr_pcpus, 8, "4ms:corrupt-index=a/xvda");
        until_gone(&t.sc, 2);
        expect_acknowledged(t.sc.console[t.domid[SPARE]], BLOCKS);
        expect_acknowledged(t.sc.console[t.domid[DOM0]], BLOCKS);
        for (unsigned int i = 0; i < 2; i++) {
            expect_node(&t.sc, "/local/domain/1/backend/vbd/4/51712/state", "5");
            expect_node(&t.sc, "/local/domain/1/error/backend/vbd/4/51712/error", "71 the ring's indices cannot be");
            crash(&t, STORAGE);
            pass(&t.sc, MILLISECS(1));
        }
        strcpy(t.sc.disk, t.disk[SPARE]);
        further = add_blkcat(&t.sc, NULL, "storage", "write=9");
        until_gone(&t.sc, 3);
        expect_acknowledged(t.sc.console[further], 9);
        for (unsigned int i = 0; i < WRITERS; i++)
            unlink(t.disk[i]);
        end(&t.sc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(at_each_step_of_its_start), cmocka_unit_test(at_random),
                                        cmocka_unit_test(a_ring_of_nonsense),
                                        cmocka_unit_test(an_index_that_cannot_be) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
