// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Driver domains: devices of theirs work, and when one crashes its guests wait, lose nothing, and others do not notice.
 *
 * The guest `blkcat` writes numbered blocks over a driver domain, which is crashed at any time; afterwards another
 * blkcat looks whether all of them are on the disk.
 *
 * Budget: a test a promise.
 */
#include "tests/tools/drivers.h"

#include <fcntl.h>

#define BLOCKS 40

/*
 * Write while the driver domain crashes `times` times, first at `at` after the guest has begun, then every `every`. How
 * long it took.
 */
static s_time_t crashing_run(s_time_t at, s_time_t every, unsigned int times, unsigned int nr_pcpus)
{
    static struct scene sc;
    s_time_t began, took;
    domid_t writes;

    begin_storage(&sc, nr_pcpus, NULL);
    writes = add_blkcat(&sc, "writes", "storage", "write=40 depth=8 flush=10");
    began = host_now(sc.host);
    pass(&sc, at);
    for (unsigned int i = 0; i < times; i++) {
        tell(&sc, "crash", "storage");
        pass(&sc, every);
    }
    until_gone(&sc, 1);
    if (times && !strstr(sc.told, "storage, a driver domain, has crashed: it is started again"))
        fail_msg("it has not crashed: %s", sc.told);
    took = sc.ended[writes] - began;
    expect_acknowledged(sc.console[writes], BLOCKS);
    verify(&sc, BLOCKS);
    end(&sc);
    return took;
}

static void a_crash_at_any_time_loses_nothing(void **state)
{
    const s_time_t whole = crashing_run(0, 0, 0, 1);

    (void)state;
    for (s_time_t at = 0; at < whole; at += whole / 40 + 37)
        crashing_run(at, 0, 1, 1);
}

static void crashes_one_after_the_other(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 12; i++) /* 10 are forgiven */
        crashing_run(MICROSECS(300) + i * 7919, MICROSECS(150) + i * 4001, 2 + i % 9, 1 + i % 2);
}

/* After the tenth in a row its devices are closed, and whoever has other ones goes on. */
static void one_that_only_crashes_is_given_up(void **state)
{
    static struct scene sc;
    domid_t writes;

    (void)state;
    begin_storage(&sc, 1, NULL);
    writes = add_blkcat(&sc, "writes", "storage", "write=40000 depth=1");
    pass(&sc, MILLISECS(2));
    for (unsigned int i = 0; i < 12; i++) {
        tell(&sc, "crash", "storage");
        pass(&sc, MICROSECS(100));
    }
    pass(&sc, MILLISECS(20));
    assert_non_null(strstr(sc.told, "has crashed 11 times in a row, each time within 5 s: given up; devices that are "
                                    "closed: 1\n"));
    assert_true(strlen(sc.console[writes]) > 0 && !sc.ended[writes]); /* it waits for what does not come */
    expect_node(&sc, "/local/domain/1/backend/vbd/3/51712/state", "6");
    expect_node(&sc, "/local/domain/1/backend/vbd/3/51712/online", "0");
    tell(&sc, "destroy", "writes");
    verify(&sc, 1);
    end(&sc);
}

static void block_count(void *data, const void *p, size_t size, const char *place)
{
    (void)p;
    (void)place;
    *(size_t *)data += size;
}

static size_t arena_bytes(const struct scene *sc)
{
    size_t sum = 0;

    arena_blocks(host_xen(sc->host)->machine->arena, block_count, &sum);
    return sum;
}

/* Guests that come and go, and crashes, leave nothing behind: no memory of the driver domain's, no nodes. */
static void nothing_is_left(void **state)
{
    static struct scene sc;
    size_t bytes = 0;

    (void)state;
    begin_storage(&sc, 1, NULL);
    for (unsigned int i = 0; i < 40; i++) { /* a disk needs 32 of its 1,023 frames */
        const domid_t domid = add_blkcat(&sc, NULL, "storage", "write=8 depth=8");
        char path[64];

        snprintf(path, sizeof(path), "/local/domain/1/backend/vbd/%u", domid);
        expect_node(&sc, path, "");
        if (i % 8 == 7) {
            pass(&sc, MILLISECS(1));
            tell(&sc, "crash", "storage");
        }
        until_gone(&sc, i + 1);
        pass(&sc, MILLISECS(10));
        expect_node(&sc, path, NULL);
        if (i == 15)
            bytes = arena_bytes(&sc);
    }
    print_message("%zu bytes after 16 guests, %zu after 40\n", bytes, arena_bytes(&sc));
    assert_in_range(arena_bytes(&sc), bytes, bytes + 24 * 14336); /* what the toolstack remembers of a guest */
    end(&sc);
}

struct calls {
    bool dead;
    unsigned int resets, calls;
};

static void call_seen(void *data, const struct trace_record *rec)
{
    struct calls *c = data;

    if (rec->event == TRC_domain && rec->who.domain == 1)
        c->dead = rec->arg[0] == TRACE_DOMAIN_SHUTDOWN || (c->dead && rec->arg[0] != TRACE_DOMAIN_UNPAUSE);
    c->resets += c->dead && rec->event == TRC_domain && rec->arg[0] == TRACE_DOMAIN_RESUME;
    c->calls += c->dead && rec->event == TRC_hypercall && rec->who.domain == 1;
}

/* What has crashed does nothing more: its mappings and ports go by the reset. */
static void the_dead_make_no_hypercalls(void **state)
{
    static struct scene sc;
    struct calls c = { 0 };

    (void)state;
    begin_storage(&sc, 1, "3ms:crash=storage 3500us:crash=storage");
    host_trace(sc.host, call_seen, &c);
    add_blkcat(&sc, "writes", "storage", "write=40 depth=8 flush=10");
    until_gone(&sc, 1);
    assert_int_equal(c.resets, 2);
    assert_int_equal(c.calls, 0);
    end(&sc);
}

/* There is a pCPU for each, and one guest has its disk from dom0. When is it done? */
static s_time_t bystander(unsigned int crashes)
{
    static struct scene sc;
    s_time_t began;
    domid_t other;
    char name[80];
    int fd;

    begin(&sc, 4);
    add_driver(&sc, "storage");
    add_blkcat(&sc, "writes", "storage", "write=40000 depth=8");
    strcpy(name, sc.disk);
    strcat(sc.disk, ".other");
    fd = open(sc.disk, O_CREAT | O_RDWR, 0600);
    assert_true(fd >= 0 && !ftruncate(fd, 256 * 1024));
    close(fd);
    began = host_now(sc.host);
    other = add_blkcat(&sc, "other", "", "write=400 depth=4");
    for (unsigned int i = 0; i < 10; i++) {
        pass(&sc, MICROSECS(500));
        if (i < crashes)
            tell(&sc, "crash", "storage");
    }
    until_gone(&sc, 1);
    assert_true(sc.ended[other]);
    began = sc.ended[other] - began;
    unlink(name);
    end(&sc);
    return began;
}

static void others_do_not_notice(void **state)
{
    const s_time_t calm = bystander(0), restless = bystander(9);

    (void)state;
    print_message("the other guest: %lld ns, and with nine crashes %lld ns\n", (long long)calm, (long long)restless);
    assert_in_range(restless, calm - calm / 100, calm + calm / 100);
}

static void refuse(struct scene *sc, const struct host_guest *g, const char *why)
{
    char err[HOST_ERR_SIZE] = "";
    domid_t domid;

    assert_int_not_equal(host_guest_add(sc->host, g, &domid, err), 0);
    if (!strstr(err, why))
        fail_msg("\"%s\" instead of \"%s\"", err, why);
}

static void what_cannot_be(void **state)
{
    struct xl_vifs vifs = { .nr = 1, .list = { { .bridge = "lan", .backend = "storage" } } };
    struct host_guest g = { .kernel = "build/guests/idle", .memory_mib = 4, .vifs = &vifs };
    static struct scene sc;

    (void)state;
    begin(&sc, 1);
    refuse(&sc, &g, "backend=storage: there is no driver domain of this name (yet)");
    add(&sc, &(struct host_guest){ .name = "storage", .kernel = "build/guests/idle", .memory_mib = 4 });
    refuse(&sc, &g, "backend=storage: there is no driver domain of this name (yet)");
    strcpy(vifs.list[0].backend, "drives");
    add_driver(&sc, "drives");
    add(&sc, &g);
    strcpy(vifs.list[0].bridge, XL_VIF_OUTSIDE);
    refuse(&sc, &g, "backend=drives: the bridge user, behind which is the outside, is in dom0");
    strcpy(vifs.list[0].bridge, "lan");
    refuse(&sc, &(struct host_guest){ .name = "drives", .driver_domain = true }, "drives");
    refuse(&sc, &(struct host_guest){ .name = "two", .driver_domain = true, .vifs = &vifs },
           "two: a driver domain has other guests' devices, and none of its own (vif)");
    refuse(&sc, &(struct host_guest){ .name = "big", .driver_domain = true, .memory_mib = 4096 },
           "big: the driver domain cannot be built: not enough memory (more --ram?)");
    end(&sc);
}

/* Its devices stand still for good, and it leaves nothing behind. */
static void one_that_is_destroyed(void **state)
{
    static struct scene sc;

    (void)state;
    begin_storage(&sc, 1, NULL);
    add_blkcat(&sc, "writes", "storage", "write=40000 depth=8");
    pass(&sc, MILLISECS(2));
    tell(&sc, "destroy", "storage");
    pass(&sc, MILLISECS(20));
    assert_true(sc.ctl.ends == 1 && !sc.ctl.status && !sc.ended[3]);
    tell(&sc, "destroy", "writes");
    verify(&sc, 1);
    add_driver(&sc, "another");
    add_blkcat(&sc, "again", "another", "write=40 depth=8");
    until_gone(&sc, 4);
    verify(&sc, 40);
    end(&sc);
}

/* Its devices are its own still, also those of a guest that is built again. */
static void one_that_is_renamed(void **state)
{
    static struct scene sc;
    static const char rename[] = "rename\0storage\0store";

    (void)state;
    begin_storage(&sc, 1, NULL);
    add_blkcat_that(&sc, "writes", "storage", "write=40000 depth=8", XL_ACTION_RESTART);
    pass(&sc, MILLISECS(2));
    assert_int_equal(host_ctl(sc.host, 1, rename, sizeof(rename), host_now(sc.host)), 0);
    pass(&sc, MILLISECS(1));
    assert_true(sc.ctl.ends == 1 && !sc.ctl.status);
    tell(&sc, "crash", "writes");
    pass(&sc, MILLISECS(20));
    expect_node(&sc, "/local/domain/1/backend/vbd/4/51712/state", "4");
    expect_node(&sc, "/local/domain/0/backend/vbd/4/51712", NULL);
    end(&sc);
}

/* A guest that is built again has its devices there, or is not built: never does dom0 take them over. */
static void built_again_without_its_driver_domain(void **state)
{
    static struct scene sc;

    (void)state;
    begin_storage(&sc, 1, NULL);
    add_blkcat_that(&sc, "writes", "storage", "write=40000 depth=8", XL_ACTION_RESTART);
    pass(&sc, MILLISECS(2));
    tell(&sc, "destroy", "storage");
    pass(&sc, MILLISECS(5));
    tell(&sc, "crash", "writes");
    pass(&sc, MILLISECS(20));
    expect_node(&sc, "/local/domain/0/backend/vbd/4/51712", NULL);
    assert_non_null(strstr(sc.told, "backend=storage: there is no driver domain of this name (yet)"));
    end(&sc);
}

/* As a guest would that has its front end say something without end. */
static void say_state(struct scene *sc, const char *path)
{
    struct {
        struct xsd_sockmsg hdr;
        char text[128];
    } m = { .hdr = { .type = XS_WRITE, .req_id = 1 } };

    m.hdr.len = (uint32_t)snprintf(m.text, sizeof(m.text), "%s%c2", path, 0);
    assert_int_equal(
        host_xenstore_socket(sc->host, 1, HOST_SOCKET_BYTES, &m, sizeof(m.hdr) + m.hdr.len, host_now(sc->host)), 0);
}

/* One front end whose state changes all the time does not keep the others from being looked at. */
static void one_that_talks_without_end(void **state)
{
    static struct scene sc;
    struct xl_disks disks = { 0 };
    char why[XL_DISK_WHY_SIZE];
    domid_t writes;

    (void)state;
    begin(&sc, 1);
    add_driver(&sc, "storage");
    assert_true(xl_disks_add(&disks, "build/guests/idle,raw,xvda,r,backend=storage", why));
    add(&sc, &(struct host_guest){ .kernel = "build/guests/idle", .memory_mib = 4, .disks = &disks });
    xl_disks_free(&disks);
    pass(&sc, MILLISECS(1));
    assert_int_equal(host_xenstore_socket(sc.host, 1, HOST_SOCKET_OPEN, NULL, 0, host_now(sc.host)), 0);
    expect_node(&sc, "/local/domain/1/backend/vbd/2/51712/state", "2");
    writes = add_blkcat(&sc, "writes", "storage", "write=9");
    for (unsigned int i = 0; i < 4000 && !sc.gone; i++) {
        say_state(&sc, "/local/domain/2/device/vbd/51712/state");
        pass(&sc, MICROSECS(5));
    }
    expect_acknowledged(sc.console[writes], 9);
    end(&sc);
}

/* What each fault does to a guest that writes 40 blocks. */
static void faults(void **state)
{
    static const struct {
        const char *fault, *told;
        const char *console; /* in the end; "all": all blocks; NULL: it waits for ever */
        bool later;          /* than without */
    } tries[] = {
        { "1ms:crash=nobody", "fault: nobody: there is no such domain now, and nothing happens\n", "all", false },
        { "3ms:freeze=storage,4ms", "", "all", true },
        { "3ms:slow=writes/xvda,1ms", "", "all", true },
        { "3ms:crash=storage", "storage, a driver domain, has crashed: it is started again", "all", true },
        { "3ms:eio=writes/xvda,2", "", "panic: the disk says -1\n", false },
        { "3ms:eio=writes/xvdz", "fault: writes/xvdz: there is no such disk now, and nothing happens\n", "all", false },
        { "3ms:drop-event=writes/xvda", "", NULL, false },
        { "3ms:drop-event=writes/xvda 6ms:crash=storage", "", "all", true }, /* who begins anew notifies in any case */
        { "3ms:corrupt-index=writes/xvda", "", NULL, false },
    };
    s_time_t whole = 0;

    (void)state;
    for (int i = -1; i < (int)ARRAY_SIZE(tries); i++) {
        static struct scene sc;
        domid_t writes;
        s_time_t took;

        begin_storage(&sc, 1, i < 0 ? NULL : tries[i].fault);
        writes = add_blkcat(&sc, "writes", "storage", "write=40 depth=8 flush=10");
        if (i >= 0 && !tries[i].console) {
            pass(&sc, MILLISECS(100));
            assert_false(sc.gone);
            end(&sc);
            continue;
        }
        until_gone(&sc, 1);
        took = sc.ended[writes];
        whole = i < 0 ? took : whole;
        if (i >= 0 && !strstr(sc.told, tries[i].told))
            fail_msg("%s: %s", tries[i].fault, sc.told);
        if (i < 0 || !strcmp(tries[i].console, "all"))
            expect_acknowledged(sc.console[writes], BLOCKS);
        else if (!strstr(sc.console[writes], tries[i].console))
            fail_msg("%s: %s", tries[i].fault, sc.console[writes]);
        if (i >= 0 && (took > whole + MICROSECS(100)) != tries[i].later && !strcmp(tries[i].console, "all"))
            fail_msg("%s: %lld ns, and %lld ns without", tries[i].fault, (long long)took, (long long)whole);
        end(&sc);
    }
}

/* The guest `store` has one transaction, and says how that ended. */
static void a_conflict(void **state)
{
    static struct scene sc;

    (void)state;
    for (int i = 0; i < 2; i++) {
        begin_with(&sc, 1, i ? "1us:store-eagain" : NULL);
        add(&sc, &(struct host_guest){ .kernel = "build/guests/store", .memory_mib = 8 });
        until_gone(&sc, 1);
        assert_non_null(strstr(sc.console[1], i ? "commit: EAGAIN\n" : "commit: OK\n"));
        end(&sc);
    }
}

static void on_log(void *data, const char *line, size_t len)
{
    static const char says[] = "xenstore takes no more of this driver domain (ENOSPC)";

    *(unsigned int *)data += memmem(line, len, says, sizeof(says) - 1) != NULL;
}

/* xenstored gives a domain 128 watches: of 130 disks the last have none, and close. Before that its 1,000 nodes end. */
static void more_devices_than_watches(void **state)
{
    const struct host_guest driver = { .name = "many", .driver_domain = true, .unlisted = true, .memory_mib = 32 };
    struct xl_disks disks = { 0 };
    static struct scene sc;
    char spec[128], why[XL_DISK_WHY_SIZE], path[96];
    unsigned int closing = 0, told = 0;

    (void)state;
    begin(&sc, 1);
    host_log(sc.host, on_log, &told, LOG_WARNING);
    add(&sc, &driver);
    for (unsigned int i = 0; i < XL_DISKS_MAX; i++) {
        snprintf(spec, sizeof(spec), "%s,raw,xvd%.*s%c,r,backend=many", sc.disk, i / 26 ? 1 : 0, &"?ab"[i / 26],
                 'a' + (int)(i % 26));
        if (!xl_disks_add(&disks, spec, why))
            fail_msg("%s", why);
    }
    for (unsigned int i = 0; i < 2; i++)
        add(&sc, &(struct host_guest){ .kernel = "build/guests/idle", .memory_mib = 4, .disks = &disks });
    pass(&sc, MILLISECS(200));
    for (unsigned int g = 2; g < 4; g++)
        for (unsigned int i = 0; i < disks.nr; i++) {
            struct node n = { .path = path };

            snprintf(path, sizeof(path), "/local/domain/1/backend/vbd/%u/%u/state", g, disks.list[i].devid);
            host_store_each(sc.host, node_seen, &n);
            closing += !strcmp(n.value, "5");
        }
    assert_int_equal(closing, 2 * XL_DISKS_MAX + 2 - 128); /* two watches are for vbd and vif */
    assert_int_equal(told, 1);
    xl_disks_free(&disks);
    end(&sc);
}

static void faults_that_are_none(void **state)
{
    static const char *const wrong[] = { "",
                                         "5ms",
                                         "5ms:",
                                         "5ms:burn=x",
                                         "x:crash=d",
                                         "5:crash=d",
                                         "5ms:crash",
                                         "5ms:crash=",
                                         "5ms:crash=a/b",
                                         "5ms:crash=a,3",
                                         "5ms:freeze=a",
                                         "5ms:freeze=a,b",
                                         "5ms:eio=a",
                                         "5ms:eio=a/",
                                         "5ms:eio=/b",
                                         "5ms:eio=a/b,0",
                                         "5ms:eio=a/b,-1",
                                         "5ms:eio=a/b,9999999",
                                         "5ms:store-eagain=a",
                                         "5ms:slow=a/b",
                                         "5ms:slow=a/b,",
                                         "-5ms:crash=a" };
    char long_one[256], why[FAULT_WHY_SIZE];
    struct host_fault f;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        *why = '\0';
        if (fault_parse(wrong[i], &f, why) || strncmp(why, "expected TIME:WHAT, where WHAT is ", 34) != 0)
            fail_msg("\"%s\": %s", wrong[i], why);
    }
    memset(long_one, 'a', sizeof(long_one));
    memcpy(long_one, "5ms:crash=", 10);
    long_one[sizeof(long_one) - 1] = '\0';
    assert_false(fault_parse(long_one, &f, why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_at_any_time_loses_nothing),
        cmocka_unit_test(crashes_one_after_the_other),
        cmocka_unit_test(one_that_only_crashes_is_given_up),
        cmocka_unit_test(others_do_not_notice),
        cmocka_unit_test(what_cannot_be),
        cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(the_dead_make_no_hypercalls),
        cmocka_unit_test(one_that_is_destroyed),
        cmocka_unit_test(one_that_is_renamed),
        cmocka_unit_test(built_again_without_its_driver_domain),
        cmocka_unit_test(one_that_talks_without_end),
        cmocka_unit_test(faults),
        cmocka_unit_test(a_conflict),
        cmocka_unit_test(more_devices_than_watches),
        cmocka_unit_test(faults_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
