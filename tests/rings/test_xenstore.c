// SPDX-License-Identifier: GPL-2.0-or-later
/* Xenstore's requests and what they answer, watches, transactions. */
#include "tests/rings/xenstore.h"

/* --- one request each --- */

static void reading(void **state)
{
    struct store s;
    char path[64];

    begin(&s, *state);
    EXPECT(XS_READ, "name", "alpha"); /* no 0 behind a value */
    EXPECT(XS_READ, "cpu/1/availability", "offline");
    EXPECT(XS_READ, "cpu", ""); /* a directory is a node without a value */
    snprintf(path, sizeof(path), "%s/cpu/0/availability", s.own);
    expect(&s, XS_READ, path, strlen(path) + 1, "online", 6);
    EXPECT(XS_DIRECTORY, "cpu", "0\0001\0");
    EXPECT(XS_DIRECTORY, "cpu/0", "availability\0");
    EXPECT(XS_DIRECTORY, "name", ""); /* nothing in it */
    expect(&s, XS_DIRECTORY, s.own, strlen(s.own) + 1, "name\0cpu\0data\0secret", 21);
    EXPECT(XS_GET_DOMAIN_PATH, "7", "/local/domain/7\0");
    snprintf(path, sizeof(path), "n0%cr%u", 0, s.f->d->domain_id);
    expect(&s, XS_GET_PERMS, "name", 5, path, strlen(path + 3) + 4);
    snprintf(path, sizeof(path), "n%u", s.f->d->domain_id);
    expect(&s, XS_GET_PERMS, "data", 5, path, strlen(path) + 1);
    end(&s);
}

static void directory_in_parts(void **state)
{
    char answer[ANSWER_SIZE], payload[64];
    unsigned int names = 0, parts = 0;
    struct store s;
    size_t len = 0, offset = 0;

    begin(&s, *state);
    for (unsigned int i = 0; i < 600; i++) { /* more than one answer can hold */
        snprintf(payload, sizeof(payload), "many/name-%u", i);
        node_add(&s, payload, "", NULL, 0);
    }
    EXPECT_ERROR(XS_DIRECTORY, "many", "E2BIG");
    for (bool last = false; !last; parts++) {
        const size_t n = (size_t)snprintf(payload, sizeof(payload), "many%c%zu", 0, offset) + 1;
        const char *at;

        assert_int_equal(ask_len(&s, XS_DIRECTORY_PART, payload, n, answer, &len), XS_DIRECTORY_PART);
        for (at = answer + strlen(answer) + 1; at < answer + len && *at; at += strlen(at) + 1) {
            snprintf(payload, sizeof(payload), "name-%u", names++);
            assert_string_equal(at, payload);
            offset += strlen(at) + 1;
        }
        last = at < answer + len; /* an empty name */
    }
    assert_int_equal(names, 600);
    assert_int_equal(parts, 2);
    assert_int_equal(ask_len(&s, XS_DIRECTORY_PART,
                             "many\0"
                             "99999",
                             11, answer, &len),
                     XS_DIRECTORY_PART);
    assert_int_equal(len, strlen(answer) + 2);
    EXPECT_ERROR(XS_DIRECTORY_PART, "many", "EINVAL");
    end(&s);
}

static void refusals(void **state)
{
    static const uint32_t dom0_only[] = { XS_CONTROL, XS_INTRODUCE,  XS_RELEASE,
                                          XS_RESUME,  XS_SET_TARGET, XS_IS_DOMAIN_INTRODUCED };
    char path[3200];
    struct store s;

    begin(&s, *state);
    EXPECT_ERROR(XS_READ, "nam", "ENOENT");
    EXPECT_ERROR(XS_READ, "names", "ENOENT");
    EXPECT_ERROR(XS_READ, "device/vbd/51712/state", "ENOENT");
    EXPECT_ERROR(XS_DIRECTORY, "cp", "ENOENT");
    EXPECT_ERROR(XS_GET_PERMS, "cp", "ENOENT");
    EXPECT_ERROR(XS_READ, "secret", "EACCES");
    EXPECT_ERROR(XS_READ, "secret/below", "EACCES"); /* not even that it is not there */
    EXPECT_ERROR(XS_READ, "/", "EACCES");
    EXPECT_ERROR(XS_READ, "/local/domain/0/name", "EACCES");
    snprintf(path, sizeof(path), "%s0/name", s.own); /* another domain's */
    expect_error(&s, XS_READ, path, strlen(path) + 1, "EACCES");
    /* no paths */
    EXPECT_ERROR0(XS_READ, "name", "EINVAL"); /* without its 0 */
    EXPECT_ERROR0(XS_READ, "", "EINVAL");
    EXPECT_ERROR(XS_READ, "", "EINVAL");
    EXPECT_ERROR(XS_READ, "name\0name", "EINVAL");
    EXPECT_ERROR(XS_READ, "name/", "EINVAL");
    EXPECT_ERROR(XS_READ, "cpu//0", "EINVAL");
    EXPECT_ERROR(XS_READ, "na me", "EINVAL");
    EXPECT_ERROR(XS_READ, "@releaseDomain", "EINVAL");
    memset(path, 'a', sizeof(path));
    path[XENSTORE_REL_PATH_MAX + 1] = 0;
    expect_error(&s, XS_READ, path, strlen(path) + 1, "EINVAL");
    path[XENSTORE_REL_PATH_MAX] = 0;
    expect_error(&s, XS_READ, path, strlen(path) + 1, "ENOENT");
    /* writing */
    EXPECT_ERROR(XS_WRITE, "name\0beta", "EACCES");
    EXPECT_ERROR(XS_WRITE, "new\0beta", "EACCES");
    EXPECT_ERROR0(XS_WRITE, "data", "EINVAL");
    EXPECT_ERROR(XS_MKDIR, "cpu", "EACCES");
    EXPECT_ERROR(XS_MKDIR, "device/vif", "EACCES");
    EXPECT_ERROR(XS_RM, "name", "EACCES");
    EXPECT_ERROR(XS_RM, "/", "EACCES");
    EXPECT_ERROR(XS_SET_PERMS, "name\0n0", "EACCES");
    /* what only dom0 may */
    for (size_t i = 0; i < ARRAY_SIZE(dom0_only); i++)
        expect_error(&s, dom0_only[i], "1", 2, "EACCES");
    EXPECT_ERROR(XS_WATCH_EVENT, "", "ENOSYS");
    EXPECT_ERROR(XS_ERROR, "", "ENOSYS");
    EXPECT_ERROR(20, "", "ENOSYS");
    EXPECT_ERROR(XS_TYPE_COUNT, "", "ENOSYS");
    EXPECT_ERROR(UINT32_MAX, "", "ENOSYS");
    EXPECT(XS_READ, "name", "alpha");
    end(&s);
}

static void writing(void **state)
{
    char perms[64];
    struct store s;

    begin(&s, *state);
    EXPECT_OK0(XS_WRITE, "data\0hello"); /* no 0 behind a value */
    EXPECT(XS_READ, "data", "hello");
    EXPECT_OK0(XS_WRITE, "data/a/b\0x\0y");
    EXPECT(XS_READ, "data/a/b", "x\0y");
    EXPECT(XS_READ, "data/a", "");
    EXPECT_OK0(XS_WRITE, "data/a/c\0");
    EXPECT(XS_DIRECTORY, "data/a", "b\0c\0");
    EXPECT_OK(XS_MKDIR, "data/a");
    EXPECT_OK(XS_MKDIR, "data/d/e");
    EXPECT(XS_DIRECTORY, "data", "a\0d\0");
    EXPECT_OK(XS_RM, "data/a");
    EXPECT_ERROR(XS_READ, "data/a/b", "ENOENT");
    EXPECT_OK(XS_RM, "data/a"); /* it is not there, but its parent is */
    EXPECT_ERROR(XS_RM, "data/a/b", "ENOENT");
    EXPECT(XS_DIRECTORY, "data", "d\0");
    snprintf(perms, sizeof(perms), "data%cn%u%cr3", 0, s.f->d->domain_id, 0);
    expect(&s, XS_SET_PERMS, perms, strlen(perms + 5) + 5 + 4, "OK", 3);
    expect(&s, XS_GET_PERMS, "data", 5, perms + 5, strlen(perms + 5) + 4);
    EXPECT_ERROR(XS_SET_PERMS, "data\0n0", "EPERM"); /* given away */
    EXPECT_ERROR(XS_SET_PERMS, "data\0x1", "EINVAL");
    EXPECT_ERROR(XS_SET_PERMS, "data\0n", "EINVAL");
    EXPECT_ERROR(XS_SET_PERMS, "data\0n1x", "EINVAL");
    EXPECT_ERROR(XS_SET_PERMS, "data", "EINVAL");
    EXPECT_ERROR(XS_SET_PERMS, "data\0n1\0n2\0n3\0n4\0n5\0n6", "ENOSPC");
    EXPECT_OK(XS_RM, "data"); /* its own; but not to be made again */
    EXPECT_ERROR(XS_WRITE, "data\0x", "EACCES");
    end(&s);
}

static void limits(void **state)
{
    char payload[XENSTORE_PAYLOAD_MAX];
    const size_t head = sizeof("data/n");
    unsigned int made = 1; /* data */
    struct store s;

    begin(&s, *state);
    memset(payload, 'v', sizeof(payload));
    memcpy(payload, "data/n", head);
    expect_error(&s, XS_WRITE, payload, head + 2048, "ENOSPC");
    EXPECT_ERROR(XS_READ, "data/n", "ENOENT");
    expect(&s, XS_WRITE, payload, head + 2048 - 100, "OK", 3);
    expect_error(&s, XS_WRITE, payload, head + 2048, "ENOSPC");
    made++;
    for (char d = 'a'; made < 1000; d++) {
        for (unsigned int i = 0; i < 250 && made < 1000; i++) {
            const size_t len = (size_t)sprintf(payload, "data/%c/%u", d, i) + 1;

            made += i ? 1 : 2;
            if (made <= 1000)
                expect(&s, XS_MKDIR, payload, len, "OK", 3);
        }
    }
    EXPECT_ERROR(XS_MKDIR, "data/toomany", "ENOSPC");
    EXPECT_OK(XS_RM, "data/a");
    EXPECT_OK(XS_MKDIR, "data/toomany");
    for (unsigned int i = 0; i < 500; i++) { /* a directory's names count, too */
        const size_t len = (size_t)sprintf(payload, "data/z/q%03u", i) + 1;
        char answer[ANSWER_SIZE];
        size_t n;

        if (ask_len(&s, XS_MKDIR, payload, len, answer, &n) == XS_ERROR) {
            assert_string_equal(answer, "ENOSPC");
            assert_in_range(i, 200, 400);
            break;
        }
        assert_in_range(i, 0, 399);
    }
    end(&s);
}

/* --- watches --- */

static void watches(void **state)
{
    char answer[ANSWER_SIZE], payload[64];
    struct xsd_sockmsg m;
    struct store s;

    begin(&s, *state);
    EXPECT_OK(XS_WATCH, "data\0token"); /* the answer first, then it fires once */
    assert_int_equal(s.nr_events, 0);
    m = message(&s, answer);
    assert_int_equal(m.type, XS_WATCH_EVENT);
    assert_int_equal(m.len, 11);
    assert_memory_equal(s.event, "data\0token", 11);
    assert_int_equal(m.req_id, 0);
    EXPECT_ERROR(XS_WATCH, "data\0token", "EEXIST");
    EXPECT_ERROR(XS_WATCH, "data", "EINVAL");
    EXPECT_ERROR(XS_WATCH, "data\0token\0more", "EINVAL");
    EXPECT_ERROR0(XS_WATCH, "data\0token", "EINVAL");

    EXPECT_OK(XS_WRITE, "data/x/y\0v"); /* one event, of the deepest, before the answer */
    assert_int_equal(s.nr_events, 1);
    assert_memory_equal(s.event, "data/x/y\0token", 15);
    EXPECT_OK(XS_WRITE, "data/x/y\0v"); /* the same value is a change */
    assert_int_equal(s.nr_events, 1);
    EXPECT_OK(XS_MKDIR, "data/x"); /* there already */
    assert_int_equal(s.nr_events, 0);

    EXPECT_OK(XS_WATCH, "data/x/y\0below");
    message(&s, answer);
    EXPECT_OK(XS_RM, "data/x"); /* each by its own path, the deepest first */
    assert_int_equal(s.nr_events, 2);
    assert_memory_equal(s.event, "data/x\0token", 13);
    EXPECT_OK(XS_RM, "data/x");
    assert_int_equal(s.nr_events, 0);

    EXPECT_OK(XS_UNWATCH, "data/x/y\0below");
    EXPECT_ERROR(XS_UNWATCH, "data/x/y\0below", "ENOENT");
    EXPECT_OK(XS_WATCH, "@releaseDomain\0r");
    message(&s, answer);
    assert_memory_equal(s.event, "@releaseDomain\0r", 17);
    snprintf(payload, sizeof(payload), "%s/data%ca", s.own, 0); /* absolute: so is the event */
    expect(&s, XS_WATCH, payload, strlen(payload) + 3, "OK", 3);
    message(&s, answer);
    assert_memory_equal(s.event, payload, strlen(payload) + 3);
    EXPECT_OK(XS_WRITE, "data\0v");
    assert_int_equal(s.nr_events, 2);
    EXPECT_OK(XS_RESET_WATCHES, "");
    EXPECT_OK(XS_WRITE, "data\0v");
    assert_int_equal(s.nr_events, 0);
    assert_false(waiting(&s));

    for (unsigned int i = 0;; i++) {
        size_t len = (size_t)sprintf(payload, "data%c%u", 0, i) + 1;

        if (ask_len(&s, XS_WATCH, payload, len, answer, &len) == XS_ERROR) {
            assert_string_equal(answer, "E2BIG");
            assert_int_equal(i, 129);
            break;
        }
        message(&s, answer);
    }
    end(&s);
}

/* An event that would be longer than a message may be is not sent: path and token each fit, together they do not. */
static void long_events(void **state)
{
    char payload[XENSTORE_PAYLOAD_MAX], answer[ANSWER_SIZE];
    struct store s;
    size_t len;

    begin(&s, *state);
    memset(payload, 't', sizeof(payload));
    memcpy(payload, "data", 5);
    payload[sizeof(payload) - 1] = 0; /* as long a token as can be */
    assert_int_equal(ask_len(&s, XS_WATCH, payload, sizeof(payload), answer, &len), XS_WATCH);
    message(&s, answer); /* exactly as long as a message may be */
    assert_int_equal(s.nr_events, 1);
    EXPECT_OK(XS_WRITE, "data\0x");
    assert_int_equal(s.nr_events, 1);
    EXPECT_OK(XS_WRITE, "data/x\0x");
    assert_int_equal(s.nr_events, 0);
    end(&s);
}

/* --- transactions --- */

static void transactions(void **state)
{
    char answer[ANSWER_SIZE];
    uint32_t first, second;
    struct store s;
    size_t len;

    begin(&s, *state);
    EXPECT_OK(XS_WATCH, "data\0t");
    message(&s, answer);
    start_tx(&s);
    first = s.tx;
    EXPECT_ERROR(XS_TRANSACTION_START, "", "EBUSY");
    EXPECT_OK(XS_WRITE, "data/a\0001");
    EXPECT_OK(XS_WRITE, "data/b\0002");
    EXPECT_OK(XS_RM, "data/b");
    assert_int_equal(s.nr_events, 0);
    EXPECT(XS_READ, "data/a", "1\0");
    s.tx = 0;
    EXPECT_ERROR(XS_READ, "data/a", "ENOENT"); /* not yet */
    s.tx = first;
    EXPECT_ERROR(XS_TRANSACTION_END, "X", "EINVAL");
    EXPECT_OK(XS_TRANSACTION_END, "T");
    assert_int_equal(s.nr_events, 1); /* not of what was made and removed */
    assert_memory_equal(s.event, "data/a\0t", 9);
    EXPECT_ERROR(XS_READ, "name", "ENOENT"); /* the transaction is */
    EXPECT_ERROR(XS_TRANSACTION_END, "T", "ENOENT");
    s.tx = 0;
    EXPECT_ERROR(XS_TRANSACTION_END, "T", "ENOENT");
    EXPECT(XS_READ, "data/a", "1\0");

    start_tx(&s); /* abort */
    EXPECT_OK(XS_RM, "data/a");
    EXPECT_ERROR(XS_READ, "data/a", "ENOENT");
    EXPECT_OK(XS_TRANSACTION_END, "F");
    assert_int_equal(s.nr_events, 0);
    s.tx = 0;
    EXPECT(XS_READ, "data/a", "1\0");

    start_tx(&s); /* conflict: what one has read the other writes, even with the same value */
    first = s.tx;
    start_tx(&s);
    second = s.tx;
    EXPECT(XS_READ, "data/a", "1\0");
    EXPECT_OK(XS_WRITE, "data/c\0003");
    s.tx = first;
    EXPECT_OK(XS_WRITE, "data/a\0001");
    EXPECT_OK(XS_TRANSACTION_END, "T");
    s.tx = second;
    EXPECT_ERROR(XS_TRANSACTION_END, "T", "EAGAIN");
    s.tx = 0;
    EXPECT_ERROR(XS_READ, "data/c", "ENOENT");

    start_tx(&s); /* none: another node, and a value does not concern who lists the names beside it */
    EXPECT(XS_DIRECTORY, "data", "a\0");
    EXPECT_OK(XS_WRITE, "data/a/x\0001");
    first = s.tx;
    s.tx = 0;
    EXPECT_OK(XS_WRITE, "data/a/y\0001");
    s.tx = first;
    EXPECT_ERROR(XS_TRANSACTION_END, "T", "EAGAIN"); /* of a's children */
    start_tx(&s);
    EXPECT(XS_DIRECTORY, "data", "a\0");
    first = s.tx;
    s.tx = 0;
    EXPECT_OK(XS_WRITE, "data/a\0changed");
    s.tx = first;
    EXPECT_OK(XS_WRITE, "data/d\0001");
    EXPECT_OK(XS_TRANSACTION_END, "T");

    for (unsigned int i = 0; i < 11; i++) { /* too many at once */
        start_tx(&s);
        first = s.tx;
    }
    s.tx = 0;
    EXPECT_ERROR(XS_TRANSACTION_START, "", "ENOSPC");
    s.tx = first;
    for (unsigned int i = 0; i <= 1024; i++) { /* too many nodes in one */
        const size_t n = (size_t)sprintf(answer, "data/n%u", i) + 1;
        char name[32];

        memcpy(name, answer, n);
        if (ask_len(&s, XS_READ, name, n, answer, &len) == XS_ERROR && strcmp(answer, "ENOENT")) {
            assert_string_equal(answer, "ENOSPC");
            break;
        }
        assert_in_range(i, 0, 1024 - 1);
    }
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reading, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(directory_in_parts, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(refusals, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(writing, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(limits, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(watches, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(long_events, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(transactions, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
