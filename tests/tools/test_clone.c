// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenlab ctl clone: guests that are copied while they run, and whoever cannot be, or does not want to be, goes on.
 *
 * The guest `clone` says of itself after each suspend whether it is the old one or the copy, and counts the frames of
 * its list that the hypervisor knows by another number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/machine.h"
#include "tests/support/ctl_heard.h"
#include "tests/support/host_run.h"
#include "tools/debug/look.h"
#include "tools/host.h"

struct scene {
    struct host *host;
    char console[16384]; /* of all guests, as it came */
    struct ctl_heard ctl;
};

static void on_console(void *data, domid_t domid, const char *text, size_t len)
{
    struct scene *sc = data;

    (void)domid;
    assert_true(strlen(sc->console) + len < sizeof(sc->console));
    strncat(sc->console, text, len);
}

static void on_say(void *data, unsigned int id, enum host_ctl what, const char *text, size_t len)
{
    (void)id;
    ctl_hear(&((struct scene *)data)->ctl, what, text, len);
}

static void add(struct scene *sc, const char *kernel, const char *name, const char *cmdline, uint64_t mib)
{
    const struct host_guest g = { .kernel = kernel, .name = name, .cmdline = cmdline, .memory_mib = mib, .vcpus = 1 };
    char err[HOST_ERR_SIZE];
    domid_t domid;

    if (host_guest_add(sc->host, &g, &domid, err) || host_guest_start(sc->host, domid))
        fail_msg("%s", err);
}

static void pass(struct scene *sc, s_time_t ns) { host_run(sc->host, host_now(sc->host) + ns, &(bool){ false }); }

static void begin(struct scene *sc, uint64_t ram_mib)
{
    const struct host_config cfg = { .ram_mib = ram_mib, .nr_pcpus = 2, .quiet = true };
    const struct host_io io = { .data = sc, .console_out = on_console, .ctl_say = on_say };
    char err[HOST_ERR_SIZE];

    memset(sc, 0, sizeof(*sc));
    sc->host = host_create(&cfg, &io, err);
    assert_non_null(sc->host);
}

static void tell(struct scene *sc, const char *line)
{
    char words[128];
    const size_t len = strlen(line) + 1;

    memcpy(words, line, len);
    for (size_t i = 0; i < len; i++)
        words[i] = words[i] == ' ' ? '\0' : words[i];
    assert_int_equal(host_ctl(sc->host, 1, words, len, host_now(sc->host)), 0);
}

/* It is carried out within `ns`; what is said is `why`, and the status that of a failure, or `good`. */
static void carry_out(struct scene *sc, const char *line, s_time_t ns, bool good, const char *why)
{
    const unsigned int ends = sc->ctl.ends;

    sc->ctl.said[0] = '\0';
    tell(sc, line);
    pass(sc, ns);
    if (sc->ctl.ends != ends + 1 || sc->ctl.status != !good || !strstr(sc->ctl.said, why))
        fail_msg("%s: %u ends, status %u: %s", line, sc->ctl.ends - ends, sc->ctl.status, sc->ctl.said);
}

static void expect_console(const struct scene *sc, const char *text)
{
    if (!strstr(sc->console, text))
        fail_msg("\"%s\" is not in:\n%s", text, sc->console);
}

/* What the host has given for the machine's memory. */
static uint64_t host_memory(const struct scene *sc)
{
    struct stat st;

    assert_int_equal(fstat(host_machine(sc->host)->edges->ram_fd, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

/* Memory that a guest has never used costs nothing, neither its own nor the copy's, after it was copied. */
static void memory(void **state)
{
    static struct scene sc;
    uint64_t before;

    (void)state;
    begin(&sc, 1024);
    add(&sc, "build/guests/clone", "uno", "rounds=3", 256);
    pass(&sc, MILLISECS(20));
    before = host_memory(&sc);
    carry_out(&sc, "snapshot uno due", SECONDS(2), true, "due is domain 2\n");
    carry_out(&sc, "clone due tre", SECONDS(2), true, "tre is domain 3\n");
    expect_console(&sc, "tre: I am a copy");
    if (host_memory(&sc) - before > (16 << 20))
        fail_msg("two copies take %llu KiB", (unsigned long long)(host_memory(&sc) - before) >> 10);
    host_destroy(sc.host);
}

/* A copy, a copy of the copy, and another one of the first. */
static uint64_t family(struct scene *sc)
{
    uint64_t hash;

    begin(sc, 128);
    add(sc, "build/guests/clone", "uno", "rounds=3", 16);
    pass(sc, MILLISECS(20));
    carry_out(sc, "clone uno due", MILLISECS(100), true, "due is domain 2\n");
    carry_out(sc, "clone due tre", MILLISECS(100), true, "tre is domain 3\n");
    carry_out(sc, "clone 1 quattro", MILLISECS(100), true, "quattro is domain 4\n");
    hash = look_hash(sc->host);
    expect_console(sc, "uno: ready");
    expect_console(sc, "uno: I go on; suspended 1 times in my life, 0 frames of my list are wrong");
    expect_console(sc, "due: I am a copy; suspended 1 times in my life, 0 frames of my list are wrong");
    expect_console(sc, "due: I go on; suspended 2 times in my life, 0 frames of my list are wrong");
    expect_console(sc, "tre: I am a copy; suspended 2 times in my life, 0 frames of my list are wrong");
    expect_console(sc, "uno: I go on; suspended 2 times in my life, 0 frames of my list are wrong");
    expect_console(sc, "quattro: I am a copy; suspended 2 times in my life, 0 frames of my list are wrong");
    assert_int_equal(host_guests_left(sc->host), 4);
    for (unsigned int i = 0; i < 4; i++) {
        static const char *const names[] = { "uno", "due", "tre", "quattro" };

        assert_string_equal(host_guest_name(sc->host, (domid_t)(i + 1)), names[i]);
        assert_int_equal(host_guest_index(sc->host, (domid_t)(i + 1)), i);
    }
    return hash;
}

static void copies(void **state)
{
    static struct scene sc;
    const uint64_t hash = family(&sc);

    (void)state;
    carry_out(&sc, "destroy due", MILLISECS(100), true, ""); /* the others do not need it */
    carry_out(&sc, "clone tre cinque", MILLISECS(100), true, "cinque is domain 5\n");
    expect_console(&sc, "cinque: I am a copy; suspended 3 times in my life, 0 frames of my list are wrong");
    assert_int_equal(host_guests_left(sc.host), 2); /* tre and cinque have had their three rounds */
    host_destroy(sc.host);
    if (family(&sc) != hash)
        fail_msg("the same once more is not the same");
    host_destroy(sc.host);
}

/* Who has suspended is waited for no longer: when all sleep, nothing will ever wake them. */
static void no_timer_stays(void **state)
{
    static struct scene sc;

    (void)state;
    begin(&sc, 128);
    add(&sc, "build/guests/clone", "uno", "rounds=9", 16);
    pass(&sc, MILLISECS(20));
    carry_out(&sc, "clone uno due", MILLISECS(100), true, "due is domain 2\n");
    assert_int_equal(host_run(sc.host, SECONDS(100), &(bool){ false }), RUN_IDLE);
    assert_true(host_now(sc.host) < SECONDS(1));
    host_destroy(sc.host);
}

/* A copy restarts from its kernel, like every guest. */
static void names(void **state)
{
    static struct scene sc;

    (void)state;
    begin(&sc, 128);
    add(&sc, "build/guests/clone", "uno", "rounds=9", 16);
    pass(&sc, MILLISECS(20));
    carry_out(&sc, "clone uno uno", MILLISECS(5), false, "Domain with name \"uno\" already exists.");
    carry_out(&sc, "clone uno Domain-0", MILLISECS(5), false, "already exists");
    carry_out(&sc, "clone uno 7", MILLISECS(5), false, "is no name");
    carry_out(&sc, "clone uno a/b", MILLISECS(5), false, "is no name");
    carry_out(&sc, "clone nobody due", MILLISECS(5), false, "invalid domain identifier");
    carry_out(&sc, "clone 0 due", MILLISECS(5), false, "");
    carry_out(&sc, "clone uno due", MILLISECS(100), true, "due is domain 2\n");
    tell(&sc, "clone uno tre"); /* two at once: both are made, or the second is told */
    tell(&sc, "clone uno tre");
    pass(&sc, MILLISECS(200));
    assert_int_equal(host_guests_left(sc.host), 3);
    host_destroy(sc.host);
}

/* Who does not suspend is left alone after a minute; who suspends without saying where its frames are goes on. */
static void unwilling(void **state)
{
    static struct scene sc;

    (void)state;
    begin(&sc, 128);
    add(&sc, "build/guests/idle", "idle", NULL, 16);
    pass(&sc, MILLISECS(20));
    carry_out(&sc, "clone idle due", SECONDS(61), false, "guest didn't acknowledge suspend, cancelling request");
    assert_int_equal(host_guests_left(sc.host), 1);
    tell(&sc, "clone idle due");
    pass(&sc, MILLISECS(5));
    carry_out(&sc, "clone idle due", MILLISECS(5), false, "cannot be cloned now");
    sc.ctl.said[0] = '\0';
    tell(&sc, "destroy idle"); /* while it is waited for */
    pass(&sc, MILLISECS(100));
    assert_non_null(strstr(sc.ctl.said, "idle is gone"));
    host_destroy(sc.host);

    begin(&sc, 128);
    add(&sc, "build/guests/suspend", "suspend", NULL, 16);
    carry_out(&sc, "clone suspend due", MILLISECS(400), false, "it does not say where its list of frames is");
    expect_console(&sc, "SCHEDOP_shutdown returned 1: called off");
    assert_int_equal(host_guests_left(sc.host), 0); /* it has come to its end */
    host_destroy(sc.host);
}

/* The machine ends while a clone is waited for, or is copied: nothing is left of it. */
static void an_end_on_the_way(void **state)
{
    static struct scene sc;

    (void)state;
    for (unsigned int i = 0; i < 8; i++) {
        begin(&sc, 128);
        add(&sc, "build/guests/clone", "one", NULL, 16);
        pass(&sc, MILLISECS(20));
        tell(&sc, "clone one two");
        for (unsigned int n = 0; n < 3 * i; n++)
            pass(&sc, MICROSECS(100));
        host_destroy(sc.host);
    }
}

/* There is not enough memory for a second one: nothing of it stays, and the first goes on. */
static void no_memory(void **state)
{
    static struct scene sc;

    (void)state;
    begin(&sc, 64);
    add(&sc, "build/guests/clone", "uno", "rounds=9", 40);
    pass(&sc, MILLISECS(20));
    for (unsigned int i = 0; i < 3; i++)
        carry_out(&sc, "clone uno due", MILLISECS(200), false, "not enough machine memory for 40 MiB more");
    expect_console(&sc, "uno: I go on; suspended 3 times in my life");
    assert_int_equal(host_guests_left(sc.host), 1);
    host_destroy(sc.host);
}

/* A snapshot stands still, whatever becomes of who it was made of; what is made of it begins where that was. */
static void snapshots(void **state)
{
    static struct scene sc;

    (void)state;
    begin(&sc, 192);
    add(&sc, "build/guests/clone", "uno", "rounds=3", 16);
    pass(&sc, MILLISECS(20));
    carry_out(&sc, "snapshot uno template", MILLISECS(100), true, "template is domain 2\n");
    assert_null(strstr(sc.console, "template"));
    carry_out(&sc, "clone uno due", MILLISECS(100), true, "due is domain 3\n");
    carry_out(&sc, "destroy uno", MILLISECS(100), true, "");
    for (unsigned int i = 1; i <= 3; i++) {
        char line[64], text[64];

        snprintf(line, sizeof(line), "clone template copy%u", i);
        carry_out(&sc, line, MILLISECS(100), true, "");
        snprintf(text, sizeof(text), "copy%u: I am a copy; suspended 1 times in my life, 0 frames", i);
        expect_console(&sc, text);
    }
    carry_out(&sc, "snapshot template another", MILLISECS(100), true, "");
    carry_out(&sc, "unpause template", MILLISECS(100), true, "");
    expect_console(&sc, "template: I am a copy; suspended 1 times in my life, 0 frames");
    carry_out(&sc, "clone template copy4", MILLISECS(100), true, ""); /* now as every other guest */
    expect_console(&sc, "copy4: I am a copy; suspended 2 times in my life, 0 frames");
    carry_out(&sc, "clone another copy5", MILLISECS(100), true, "");
    expect_console(&sc, "copy5: I am a copy; suspended 1 times in my life, 0 frames");
    host_destroy(sc.host);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(copies),         cmocka_unit_test(names),
                                        cmocka_unit_test(unwilling),      cmocka_unit_test(no_memory),
                                        cmocka_unit_test(snapshots),      cmocka_unit_test(memory),
                                        cmocka_unit_test(no_timer_stays), cmocka_unit_test(an_end_on_the_way) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
