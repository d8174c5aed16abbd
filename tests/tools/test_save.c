// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenlab ctl save and restore: what comes of it twice is the same, and when a run goes back; whoever cannot be saved
 * goes on; and thousands of damaged files, of which nothing is left but a message.
 *
 *      test_save [FILES]     damaged ones of each kind: 1,500
 *
 * Budget: the commands, and files that are damaged, on one scene.
 *
 * The guest `clone` says of itself after each suspend whether it is the old one or another, and counts the frames of
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
#include <unistd.h>
#include <xen/sched.h>

#include "tests/support/ctl_heard.h"
#include "tests/support/host_run.h"
#include "tests/support/random.h"
#include "tools/build/image.h"
#include "tools/ctl.h"
#include "tools/debug/look.h"
#include "tools/host.h"
#include "tools/rewind/rewind.h"
#include "vcpu/noun/domain.h"

struct scene {
    struct host *host;
    char console[16384]; /* of all guests, as it came */
    struct ctl_heard ctl;
};

static char folder[] = "/tmp/xenlab-test-XXXXXX";
#ifdef __SANITIZE_ADDRESS__
static unsigned int nr_damaged = 400;
#else
static unsigned int nr_damaged = 1500;
#endif

static void on_console(void *data, domid_t domid, const char *text, size_t len)
{
    struct scene *sc = data;

    (void)domid;
    if (strlen(sc->console) + len < sizeof(sc->console))
        strncat(sc->console, text, len);
}

static void on_say(void *data, unsigned int id, enum host_ctl what, const char *text, size_t len)
{
    (void)id;
    ctl_hear(&((struct scene *)data)->ctl, what, text, len);
}

static void add(struct scene *sc, const char *kernel, const char *name, uint64_t mib, unsigned int vcpus)
{
    const struct host_guest g = {
        .kernel = kernel, .name = name, .cmdline = "rounds=9", .memory_mib = mib, .vcpus = vcpus
    };
    char err[HOST_ERR_SIZE];
    domid_t domid;

    if (host_guest_add(sc->host, &g, &domid, err) || host_guest_start(sc->host, domid))
        fail_msg("%s", err);
}

static void pass(struct scene *sc, s_time_t ns) { host_run(sc->host, host_now(sc->host) + ns, &(bool){ false }); }

static void begin(struct scene *sc, bool audit)
{
    const struct host_config cfg = { .ram_mib = 128, .nr_pcpus = 2, .quiet = true, .audit = audit };
    const struct host_io io = { .data = sc, .console_out = on_console, .ctl_say = on_say };
    char err[HOST_ERR_SIZE];

    memset(sc, 0, sizeof(*sc));
    sc->host = host_create(&cfg, &io, err);
    assert_non_null(sc->host);
}

/* A line's words as they would come in; @ is the folder. */
static size_t words_of(struct host *h, const char *line, char all[CTL_WORDS_SIZE])
{
    char words[256], err[HOST_ERR_SIZE], why[CTL_ERR_SIZE];
    struct ctl_request r;
    size_t len;

    words[0] = '\0';
    for (; *line; line++)
        snprintf(words + strlen(words), sizeof(words) - strlen(words), "%.*s", *line == '@' ? 64 : 1,
                 *line == '@' ? folder : line);
    len = strlen(words) + 1;
    for (size_t i = 0; i < len; i++)
        words[i] = words[i] == ' ' ? '\0' : words[i];
    if (ctl_parse(words, len, &r, why))
        fail_msg("%s", why);
    host_ctl_prepare(h, &r, err);
    return host_ctl_words(h, words, len, all);
}

/* It is carried out within `ns`; what is said is `why`, and the status that of a failure, or `good`. */
static void carry_out(struct scene *sc, const char *line, s_time_t ns, bool good, const char *why)
{
    const unsigned int ends = sc->ctl.ends;
    char all[CTL_WORDS_SIZE];

    sc->ctl.said[0] = '\0';
    assert_int_equal(host_ctl(sc->host, 1, all, words_of(sc->host, line, all), host_now(sc->host)), 0);
    pass(sc, ns);
    if (sc->ctl.ends != ends + 1 || sc->ctl.status != !good || !strstr(sc->ctl.said, why))
        fail_msg("%s: %u ends, status %u: %s", line, sc->ctl.ends - ends, sc->ctl.status, sc->ctl.said);
}

static void expect_console(const struct scene *sc, const char *text)
{
    if (!strstr(sc->console, text))
        fail_msg("\"%s\" is not in:\n%s", text, sc->console);
}

/* --- what it is for --- */

static uint64_t family(struct scene *sc)
{
    uint64_t hash;

    begin(sc, true);
    add(sc, "build/guests/clone", "uno", 4, 1);
    pass(sc, MILLISECS(20));
    carry_out(sc, "save -c uno @/one", MILLISECS(50), true, "");
    carry_out(sc, "restore -n due @/one", MILLISECS(50), true, "");
    carry_out(sc, "save due @/two", MILLISECS(50), true, "");
    carry_out(sc, "restore @/two", MILLISECS(50), true, "");
    carry_out(sc, "restore -p -n tre @/two", MILLISECS(50), true, "");
    carry_out(sc, "save -p due @/three", MILLISECS(50), true, "");
    carry_out(sc, "restore @/three", MILLISECS(50), false, "already exists");
    carry_out(sc, "unpause due", MILLISECS(50), true, "");
    hash = look_hash(sc->host);
    expect_console(sc, "uno: I go on; suspended 1 times in my life, 0 frames");
    expect_console(sc, "due: I am a copy; suspended 1 times in my life, 0 frames");
    expect_console(sc, "due: I am a copy; suspended 2 times in my life, 0 frames");
    expect_console(sc, "due: I go on; suspended 3 times in my life, 0 frames");
    assert_int_equal(host_guests_left(sc->host), 3);
    return hash;
}

static void twice(void **state)
{
    static struct scene sc;
    const uint64_t hash = family(&sc);

    (void)state;
    host_destroy(sc.host);
    if (family(&sc) != hash)
        fail_msg("the same once more is not the same");
    host_destroy(sc.host);
}

static void put_file(const char *name, const void *data, size_t size)
{
    char path[64];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    if (size)
        assert_int_equal(fwrite(data, size, 1, f), 1);
    fclose(f);
}

static void run_on(struct rewind *rw, s_time_t ns)
{
    const struct run_limit l = { .until = host_now(rw->host) + ns,
                                 .at = { .insns = UINT64_MAX },
                                 .stop = &(bool){ false } };

    rewind_run(rw, &l);
}

static void hand_in(struct rewind *rw, struct scene *sc, const char *line)
{
    char all[CTL_WORDS_SIZE], err[REWIND_ERR_SIZE];
    const size_t len = words_of(sc->host, line, all);

    if (rewind_hand_in(rw, JOURNAL_CTL, 1, all, len, host_now(sc->host), err))
        fail_msg("%s", err);
    run_on(rw, MILLISECS(50));
}

/* A run that goes back restores what it has restored, whatever the file is by then, and writes none. */
static void going_back(void **state)
{
    static struct scene sc;
    char err[REWIND_ERR_SIZE];
    struct position before, end;
    struct rewind rw;
    uint64_t hash;

    (void)state;
    begin(&sc, false);
    add(&sc, "build/guests/clone", "uno", 4, 1);
    if (rewind_begin(&rw, sc.host, 64, err))
        fail_msg("%s", err);
    run_on(&rw, MILLISECS(20));
    before = rw.m->at;
    hand_in(&rw, &sc, "save -c uno @/f");
    hand_in(&rw, &sc, "restore -n due @/f");
    hand_in(&rw, &sc, "save -c uno @/f"); /* another one, of the same name */
    hand_in(&rw, &sc, "restore -n tre @/f");
    expect_console(&sc, "tre: I am a copy; suspended 2 times");
    hash = look_hash(sc.host);
    end = rw.m->at;
    put_file("f", "nothing", 7);
    if (rewind_goto(&rw, before, &(bool){ false }, err) || rewind_goto(&rw, end, &(bool){ false }, err))
        fail_msg("%s", err);
    if (look_hash(sc.host) != hash)
        fail_msg("after going back it is not what it was");
    rewind_finish(&rw);
    host_destroy(sc.host);
}

static void unwilling(void **state)
{
    static struct scene sc;

    (void)state;
    begin(&sc, false);
    add(&sc, "build/guests/idle", "idle", 4, 1);
    pass(&sc, MILLISECS(20));
    carry_out(&sc, "save idle @/f", SECONDS(61), false, "guest didn't acknowledge suspend, cancelling request");
    carry_out(&sc, "save nobody @/f", MILLISECS(5), false, "invalid domain identifier");
    carry_out(&sc, "restore @/none", MILLISECS(5), false, "cannot open");
    assert_int_equal(host_guests_left(sc.host), 1);
    add(&sc, "build/guests/suspend", "suspend", 4, 1);
    carry_out(&sc, "save suspend @/f", MILLISECS(400), false, "it does not say where its list of frames is");
    expect_console(&sc, "SCHEDOP_shutdown returned 1: called off");
    add(&sc, "build/guests/clone", "uno", 4, 1);
    pass(&sc, MILLISECS(20));
    carry_out(&sc, "save uno @", MILLISECS(50), false, "uno is not saved"); /* that is a folder */
    expect_console(&sc, "uno: I go on");
    host_destroy(sc.host);
}

/* The machine ends while a guest is waited for, or is restored: nothing is left of it. */
static void an_end_on_the_way(void **state)
{
    static struct scene sc;
    char all[CTL_WORDS_SIZE];

    (void)state;
    for (unsigned int i = 0; i < 16; i++) {
        begin(&sc, false);
        add(&sc, "build/guests/clone", "uno", 4, 1);
        pass(&sc, MILLISECS(20));
        if (!i)
            carry_out(&sc, "save -c uno @/way", MILLISECS(50), true, "");
        assert_int_equal(host_ctl(sc.host, 1, all, words_of(sc.host, "restore -n due @/way", all), host_now(sc.host)),
                         0);
        assert_int_equal(host_ctl(sc.host, 2, "save\0uno\0/dev/null", 19, host_now(sc.host)), 0);
        pass(&sc, MICROSECS(i * 60));
        host_destroy(sc.host);
    }
}

/* --- PVH --- */

/* Its kernel knows nothing of it: it is stopped between two of its instructions, as if it had suspended. */
static void stop_and_save(struct scene *sc, const char *line)
{
    const unsigned int ends = sc->ctl.ends;
    char all[CTL_WORDS_SIZE];

    assert_int_equal(host_ctl(sc->host, 1, all, words_of(sc->host, line, all), host_now(sc->host)), 0);
    pass(sc, MICROSECS(200));
    domain_shutdown(host_xen(sc->host)->domain_of[1], SHUTDOWN_suspend);
    pass(sc, MILLISECS(1));
    if (sc->ctl.ends != ends + 1 || sc->ctl.status)
        fail_msg("%s: %u ends, status %u: %s", line, sc->ctl.ends - ends, sc->ctl.status, sc->ctl.said);
}

static void on_log(void *data, const char *line, size_t len)
{
    struct scene *sc = data;

    if (strlen(sc->console) + len < sizeof(sc->console))
        strncat(sc->console, line, len);
}

static void add_five(struct scene *sc)
{
    const struct host_guest g = { .kernel = "build/guests/five/five.native",
                                  .name = "five",
                                  .memory_mib = 8,
                                  .has_type = true,
                                  .type = XL_TYPE_PVH };
    char err[HOST_ERR_SIZE];
    domid_t domid;

    if (host_guest_add(sc->host, &g, &domid, err) || host_guest_start(sc->host, domid))
        fail_msg("%s", err);
}

/*
 * A kernel with processes and a timer of its own says at its end a hash of all that it saw: it is the same wherever it
 * was stopped, and for each that is made of it.
 */
static void five(void **state)
{
    static struct scene sc;
    char *first, *next;

    (void)state;
    for (unsigned int i = 0; i < 6; i++) {
        unsigned int times = 0;

        begin(&sc, false);
        host_log(sc.host, on_log, &sc, LOG_INFO);
        add_five(&sc);
        pass(&sc, MICROSECS(i * 400));
        stop_and_save(&sc, "save -c five @/five");
        carry_out(&sc, "restore -n six @/five", MILLISECS(300), true, "");
        first = strstr(sc.console, "five: done, hash ");
        if (!first)
            fail_msg("it does not come to its end:\n%s", sc.console);
        for (next = first; next; next = strstr(next + 1, "five: done, hash "), times++)
            if (next && strncmp(next, first, strlen("five: done, hash 0x") + 16) != 0)
                fail_msg("stopped at %u us, another hash, or none: %.36s", i * 400, next);
        if (times != 2)
            fail_msg("stopped at %u us: %u of 2 come to their end: %s", i * 400, times, strstr(sc.console, "(d2)"));
        host_destroy(sc.host);
    }
}

/* --- damaged files --- */

static uint64_t prng = 1;

static uint32_t below(size_t n) { return (uint32_t)random_of(&prng, n); }

/* Where a record begins, or something near it: what is between them is mostly pages, in which anything may be. */
static size_t place(const uint8_t *data, size_t size)
{
    static const uint8_t page_data[] = { 1, 0, 0, 0 };
    const size_t at = below(size);

    if (below(3) == 0)
        return below(2) ? below(1024) : size - 1 - below(size < 131072 ? 16384 : 65536);
    for (size_t i = at & ~(size_t)7; below(2) && i + 8 < size; i += 8)
        if (!memcmp(data + i, page_data, 4) && !data[i + 7])
            return i + below(64) < size ? i + below(64) : i;
    return at;
}

static size_t damage(uint8_t *data, size_t size)
{
    const unsigned int times = 1 + below(4);

    if (below(10) == 0)
        return below(size);
    for (unsigned int i = 0; i < times; i++) {
        const size_t at = place(data, size);
        static const uint64_t words[] = { 0, 1, 0xffffffff, UINT64_MAX, 0x7fffffff, 0x80000000, 0x1000, 0xfff };

        switch (below(4)) {
        case 0: data[at] ^= (uint8_t)(1u << below(8)); break;
        case 1: data[at] = (uint8_t)below(256); break;
        case 2:
            if (at + 8 <= size)
                memcpy(data + at, &words[below(8)], below(2) ? 4 : 8);
            break;
        default:
            if (at + 16 <= size)
                memmove(data + at, data + at + 8, 8);
        }
    }
    return size;
}

/* Either it is refused, with a message, or there is a domain, which may do what it likes. */
static void damaged_one(struct scene *sc)
{
    char all[CTL_WORDS_SIZE];
    const unsigned int ends = sc->ctl.ends;
    const bool runs = below(2);

    sc->ctl.said[0] = '\0';
    assert_int_equal(host_ctl(sc->host, 1, all,
                              words_of(sc->host, runs ? "restore -n due @/bad" : "restore -p -n due @/bad", all),
                              host_now(sc->host)),
                     0);
    for (unsigned int i = 0; i < 100 && sc->ctl.ends == ends; i++)
        pass(sc, MILLISECS(10));
    if (sc->ctl.ends != ends + 1 || (sc->ctl.status && !*sc->ctl.said))
        fail_msg("a damaged file: %u ends, status %u: %s", sc->ctl.ends - ends, sc->ctl.status, sc->ctl.said);
    if (sc->ctl.status) {
        assert_int_equal(host_guests_left(sc->host), 1);
        return;
    }
    assert_int_equal(host_ctl(sc->host, 1, "destroy\0due", 12, host_now(sc->host)), 0);
    pass(sc, MILLISECS(30)); /* it may have ended already */
    assert_int_equal(host_guests_left(sc->host), 1);
}

/* Of the file `good`, nr_damaged times. */
static void damage_all(void)
{
    static struct scene sc;
    uint8_t *good = NULL, *bad;
    char path[64], err[IMAGE_ERR_SIZE];
    size_t size = 0;

    snprintf(path, sizeof(path), "%s/good", folder);
    assert_int_equal(image_read_file(path, &good, &size, err), 0);
    bad = malloc(size);
    for (unsigned int i = 0; i < nr_damaged; i++) {
        if (i % 250 == 0) { /* what was read stays until the end */
            if (i)
                host_destroy(sc.host);
            begin(&sc, false);
            add(&sc, "build/guests/clone", "uno", 4, 1);
            pass(&sc, MILLISECS(20));
        }
        memcpy(bad, good, size);
        put_file("bad", bad, damage(bad, size));
        damaged_one(&sc);
    }
    host_destroy(sc.host);
    free(good);
    free(bad);
}

static void damaged_pv(void **state)
{
    static struct scene sc;

    (void)state;
    begin(&sc, false);
    add(&sc, "build/guests/clone", "uno", 4, 1);
    pass(&sc, MILLISECS(20));
    carry_out(&sc, "save -c uno @/good", MILLISECS(50), true, "");
    host_destroy(sc.host);
    damage_all();
}

static void damaged_pvh(void **state)
{
    static struct scene sc;

    (void)state;
    begin(&sc, false);
    add_five(&sc);
    stop_and_save(&sc, "save -c five @/good");
    host_destroy(sc.host);
    damage_all();
}

/* --- HVM: a PC goes with it --- */

static void add_pc(struct scene *sc)
{
    struct xl_disks disks = { 0 };
    char err[HOST_ERR_SIZE], why[XL_DISK_WHY_SIZE], path[128], fb_why[XL_FB_WHY_SIZE];
    struct host_guest g = { .kernel = "build/guests/pcdev/pcdev",
                            .name = "pc",
                            .memory_mib = 16,
                            .vcpus = 2,
                            .has_type = true,
                            .type = XL_TYPE_HVM,
                            .disks = &disks };
    struct xl_fbs fbs = { 0 };
    domid_t domid;

    g.fbs = &fbs;
    if (!xl_fbs_add(&fbs, "vnc=1,vncunused=1", fb_why) || !xl_fbs_add_kbd(&fbs, "width=640,height=480", fb_why))
        fail_msg("%s", fb_why);
    snprintf(path, sizeof(path), "%s/disk", folder);
    if (access(path, F_OK)) {
        put_file("disk", "", 0);
        assert_int_equal(truncate(path, 4 << 20), 0);
    }
    snprintf(path, sizeof(path), "%s/disk,raw,hda,w", folder);
    if (!xl_disks_add(&disks, path, why))
        fail_msg("%s", why);
    if (host_guest_add(sc->host, &g, &domid, err) || host_guest_start(sc->host, domid))
        fail_msg("%s", err);
    xl_disks_free(&disks);
}

static void damaged_hvm(void **state)
{
    static struct scene sc;

    (void)state;
    begin(&sc, false);
    add_pc(&sc);
    pass(&sc, MILLISECS(215)); /* its disk is at work */
    carry_out(&sc, "save -c pc @/good", MILLISECS(50), true, "");
    host_destroy(sc.host);
    damage_all();
}

/* Its configuration has that. */
static void says(const char *name, const char *text)
{
    char path[64], err[IMAGE_ERR_SIZE];
    uint8_t *data = NULL;
    size_t size = 0;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(image_read_file(path, &data, &size, err), 0);
    assert_non_null(memmem(data, size, text, strlen(text)));
    free(data);
}

/* As going_back(), of PCs: and it is the same once more from the beginning. */
static uint64_t pc_family(bool goes_back)
{
    static struct scene sc;
    char err[REWIND_ERR_SIZE];
    struct position before, end;
    struct rewind rw;
    uint64_t hash;

    begin(&sc, false);
    add(&sc, "build/guests/idle", "idle", 4, 1);
    add_pc(&sc);
    if (rewind_begin(&rw, sc.host, 64, err))
        fail_msg("%s", err);
    run_on(&rw, MILLISECS(20));
    before = rw.m->at;
    hand_in(&rw, &sc, "save pc @/f");
    hand_in(&rw, &sc, "restore -n due @/f");
    hand_in(&rw, &sc, "save due @/f");
    hand_in(&rw, &sc, "restore -n tre @/f");
    if (host_guests_left(sc.host) != 2 || sc.ctl.ends != 4 || sc.ctl.status)
        fail_msg("%u commands have ended: %s", sc.ctl.ends, sc.ctl.said);
    hash = look_hash(sc.host);
    end = rw.m->at;
    says("f", "vfb = [ \"vnc=1,vncunused=1\" ]\nvkb = [ \"width=640,height=480\" ]\n");
    put_file("f", "nothing", 7);
    if (goes_back && (rewind_goto(&rw, before, &(bool){ false }, err) || rewind_goto(&rw, end, &(bool){ false }, err)))
        fail_msg("%s", err);
    if (look_hash(sc.host) != hash)
        fail_msg("after going back it is not what it was");
    rewind_finish(&rw);
    host_destroy(sc.host);
    return hash;
}

static void pcs_go_back(void **state)
{
    const uint64_t hash = pc_family(true);

    (void)state;
    assert_true(pc_family(false) == hash);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twice),       cmocka_unit_test(going_back),        cmocka_unit_test(unwilling),
        cmocka_unit_test(five),        cmocka_unit_test(an_end_on_the_way), cmocka_unit_test(damaged_pv),
        cmocka_unit_test(damaged_pvh), cmocka_unit_test(pcs_go_back),       cmocka_unit_test(damaged_hvm)
    };
    char command[64];
    int rc;

    if (argc > 1)
        nr_damaged = (unsigned int)atoi(argv[1]);
    if (!mkdtemp(folder))
        return 1;
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command) ? 1 : rc;
}
