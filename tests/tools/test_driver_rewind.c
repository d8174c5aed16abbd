// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Driver domains in runs that are gone through backwards: commands at random that attach, detach, resize, pause, crash,
 * clone and destroy what has to do with them, and then everywhere the machine is what it was.
 *
 * Concept: two driver domains, a guest that writes blocks over one, two that send frames to each other over it, and an
 * idle one. A seed says how many pCPUs there are, and what is commanded when. What the machine is after each command,
 * and before it, is kept; then these places are visited in any order. RUNS=200 tries so many, SEED=7 that one alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/ctl_heard.h"
#include "tests/support/random.h"
#include "tools/debug/look.h"
#include "tools/rewind/rewind.h"

#define COMMANDS 14
#define VISITS   12

struct place {
    struct position at;
    uint64_t hash;
};

struct scene {
    struct host *host;
    struct rewind rw;
    uint64_t prng;
    struct ctl_heard ctl;
    bool past; /* nothing is heard there */
    struct place places[2 * COMMANDS + 1];
    size_t nr_places;
    unsigned int crashes, failed;
    char disk[2][80];
};

static void on_say(void *data, unsigned int id, enum host_ctl what, const char *text, size_t len)
{
    struct scene *sc = data;

    (void)id;
    assert_false(sc->past);
    ctl_hear(&sc->ctl, what, text, len);
    sc->failed += what == HOST_CTL_END && text[0];
    sc->ctl.said[0] = '\0';
}

static void add(struct scene *sc, const struct host_guest *g)
{
    char err[HOST_ERR_SIZE];
    domid_t domid;

    if (host_guest_add(sc->host, g, &domid, err) || host_guest_start(sc->host, domid))
        fail_msg("%s", err);
}

static void begin(struct scene *sc, uint64_t seed)
{
    static const struct xl_vifs vifs = { { { .bridge = "lan", .backend = "driver", .mtu = XL_VIF_DEFAULT_MTU } }, 1 };
    const struct host_config cfg = { .ram_mib = 128, .nr_pcpus = 1 + (unsigned int)(seed % 4), .quiet = true };
    const struct host_io io = { .data = sc, .ctl_say = on_say };
    struct xl_disks disks = { 0 };
    char err[HOST_ERR_SIZE], spec[128], why[XL_DISK_WHY_SIZE];

    memset(sc, 0, sizeof(*sc));
    sc->prng = seed;
    sc->host = host_create(&cfg, &io, err);
    assert_non_null(sc->host);
    for (unsigned int i = 0; i < 2; i++) {
        int fd;

        strcpy(sc->disk[i], "/tmp/test_driver_rewind.XXXXXX");
        fd = mkstemp(sc->disk[i]);
        assert_true(fd >= 0 && !ftruncate(fd, 256 * 1024));
        close(fd);
    }
    add(sc, &(struct host_guest){ .name = "driver", .driver_domain = true, .unlisted = true });
    add(sc, &(struct host_guest){ .name = "other", .driver_domain = true, .unlisted = true });
    snprintf(spec, sizeof(spec), "%s,raw,xvda,w,backend=driver", sc->disk[0]);
    assert_true(xl_disks_add(&disks, spec, why));
    add(sc, &(struct host_guest){ .name = "writes",
                                  .kernel = "build/guests/blkcat",
                                  .cmdline = "write=4000 depth=8 flush=50",
                                  .memory_mib = 8,
                                  .disks = &disks,
                                  .on_crash = XL_ACTION_RESTART });
    xl_disks_free(&disks);
    for (unsigned int i = 0; i < 2; i++)
        add(sc, &(struct host_guest){ .name = i ? "right" : "left",
                                      .kernel = "build/guests/netecho",
                                      .cmdline = "n=100000 depth=4 size=700",
                                      .memory_mib = 8,
                                      .vifs = &vifs,
                                      .on_crash = XL_ACTION_RESTART });
    add(sc, &(struct host_guest){ .name = "idle", .kernel = "build/guests/idle", .memory_mib = 4 });
    if (rewind_begin(&sc->rw, sc->host, 64, err))
        fail_msg("%s", err);
    sc->rw.every = 20000;
}

static void end(struct scene *sc)
{
    rewind_finish(&sc->rw);
    host_destroy(sc->host);
    unlink(sc->disk[0]);
    unlink(sc->disk[1]);
}

static void see(struct scene *sc)
{
    if (sc->rw.err[0])
        fail_msg("%s", sc->rw.err);
    sc->places[sc->nr_places++] = (struct place){ sc->rw.m->at, look_hash(sc->host) };
}

/* For so long, as far as there is anything to do. */
static void run(struct scene *sc, s_time_t ns)
{
    const bool no = false;
    const struct run_limit l = { .until = host_now(sc->host) + ns, .at = { .insns = UINT64_MAX }, .stop = &no };

    rewind_run(&sc->rw, &l);
    see(sc);
}

static void command(struct scene *sc)
{
    static const char *const commands[] = { "crash driver",
                                            "crash driver",
                                            "crash driver",
                                            "crash other",
                                            "crash writes",
                                            "crash left",
                                            "pause driver",
                                            "unpause driver",
                                            "unpause driver",
                                            "pause writes",
                                            "unpause writes",
                                            "block-attach idle @,raw,xvdb,w,backend=other",
                                            "block-attach writes @,raw,xvdb,w,backend=driver",
                                            "block-detach idle xvdb",
                                            "block-detach writes xvdb",
                                            "block-detach -f writes xvda",
                                            "block-resize writes xvda 1m",
                                            "network-attach idle bridge=lan,backend=driver",
                                            "network-attach left bridge=lan,backend=other",
                                            "network-detach right 0",
                                            "network-detach -f left 0",
                                            "rename driver drive",
                                            "rename drive driver",
                                            "destroy writes",
                                            "destroy right",
                                            "destroy other",
                                            "clone idle twin",
                                            "snapshot idle form",
                                            "clone form cast" };
    char words[160], err[REWIND_ERR_SIZE];
    const char *what = commands[random_of(&sc->prng, sizeof(commands) / sizeof(*commands))];
    const char *file = strchr(what, '@');
    const int len = snprintf(words, sizeof(words), "%.*s%s%s", (int)(file ? file - what : (long)strlen(what)), what,
                             file ? sc->disk[1] : "", file ? file + 1 : "") +
                    1;

    sc->crashes += !strncmp(what, "crash", 5);
    for (char *at = words; (at = strchr(at, ' '));)
        *at++ = '\0';
    if (rewind_hand_in(&sc->rw, JOURNAL_CTL, 1, words, (size_t)len, host_now(sc->host), err))
        fail_msg("%s: %s", what, err);
    see(sc);
}

static void visit(struct scene *sc, const struct place *p)
{
    const bool no = false;
    char err[REWIND_ERR_SIZE];

    if (rewind_goto(&sc->rw, p->at, &no, err))
        fail_msg("%s", err);
    if (sc->rw.err[0])
        fail_msg("%s", sc->rw.err);
    assert_memory_equal(&sc->rw.m->at, &p->at, sizeof(p->at));
    if (look_hash(sc->host) != p->hash)
        fail_msg("not what it was at #%llu.%llu", (unsigned long long)p->at.insns, (unsigned long long)p->at.step);
}

static unsigned int number_of(const char *name, unsigned int otherwise)
{
    const char *text = getenv(name);

    return text ? (unsigned int)atoi(text) : otherwise;
}

static void forwards_and_backwards(void **state)
{
    const unsigned int first = number_of("SEED", 1), runs = getenv("SEED") ? 1 : number_of("RUNS", 4);
    unsigned int crashes = 0, ends = 0, failed = 0;
    static struct scene sc;

    (void)state;
    for (unsigned int seed = first; seed < first + runs; seed++) {
        print_message("seed %u\n", seed);
        begin(&sc, seed);
        run(&sc, (s_time_t)random_of(&sc.prng, MILLISECS(5)));
        for (unsigned int i = 0; i < COMMANDS; i++) {
            command(&sc);
            if (i + 1 < COMMANDS)
                run(&sc, (s_time_t)random_of(&sc.prng, random_of(&sc.prng, 3) ? 80000 : 1000000));
        }
        sc.past = true;
        for (unsigned int i = 0; i < VISITS; i++)
            visit(&sc, &sc.places[random_of(&sc.prng, sc.nr_places)]);
        visit(&sc, &sc.places[sc.nr_places - 1]);
        sc.past = false;
        crashes += sc.crashes;
        ends += sc.ctl.ends;
        failed += sc.failed;
        end(&sc);
    }
    print_message("%u runs: %u commands have ended, %u of them in vain; %u were crashes\n", runs, ends, failed,
                  crashes);
    assert_true(crashes > 0 && ends > failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(forwards_and_backwards) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
