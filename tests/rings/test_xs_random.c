// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The store against a model: random histories of reads, writes, removals and up to four transactions at once.
 *
 * Concept: fifteen paths, data and all that can be made below it of two letters, three deep. The model has a flag, a
 * value and a number of the last change for each, and a transaction is a copy of those that were looked at, and when.
 * Answers, values, lists of children (whose order is not compared), outcomes of commits and the paths that are told to
 * watchers must be equal.
 *
 * Then requests that are half made of rubbish: each gets one answer, and none does anything else.
 *
 * Could it pass wrongly? Commits, conflicts, aborts, and answers of each kind are counted, and must have happened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rings/xenstore/tx.h"

#define DOMID     7
#define NR        15 /* node n has the children 2n + 1 and 2n + 2 */
#define NR_TX     4
#define HISTORIES 300
#define STEPS     400

struct model_node {
    bool there;
    unsigned int value, changed;
    bool child[2]; /* the names in its list */
};

struct model_tx {
    struct xs_tx *tx;
    struct model_node node[NR];
    bool looked[NR], told[NR];
    unsigned int changed[NR]; /* 0: it was not there */
};

struct run {
    struct xs_store store;
    struct xs_conn conn; /* whose steps they are; it watches each path */
    uint64_t random;
    struct model_node node[NR];
    struct model_tx tx[NR_TX];
    unsigned int clock;
    char path[NR][64];
    unsigned int told[NR], tells; /* by the store, in this step */
    unsigned int commits, conflicts, aborts;
};

static unsigned int rnd(struct run *r, unsigned int n)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return (unsigned int)(r->random >> 32) % n;
}

/* What the store tells a watch: a path, and its token, which is its path: of those below it others tell. */
static void changed(void *data, const struct xsd_sockmsg *hdr, const void *payload)
{
    struct run *r = data;
    const char *path = payload;

    assert_int_equal(hdr->type, XS_WATCH_EVENT);
    if (strcmp(path, path + strlen(path) + 1))
        return;
    for (unsigned int i = 0; i < NR; i++)
        if (!strcmp(path, r->path[i]))
            r->told[i]++;
    r->tells++;
}

static unsigned int parent(unsigned int n) { return (n - 1) / 2; }

/* --- the model; t is NULL outside of transactions --- */

static struct model_node *nodes(struct run *r, struct model_tx *t) { return t ? t->node : r->node; }

static void look(const struct run *r, struct model_tx *t, unsigned int n)
{
    if (!t || t->looked[n])
        return;
    t->looked[n] = true;
    t->node[n] = r->node[n];
    t->changed[n] = t->node[n].there ? t->node[n].changed : 0;
}

/* What is not there makes one look at what is above, up to what is. */
static bool find(struct run *r, struct model_tx *t, unsigned int n)
{
    look(r, t, n);
    if (nodes(r, t)[n].there)
        return true;
    while (n && !nodes(r, t)[n].there)
        look(r, t, n = parent(n));
    return false;
}

static void tell(struct run *r, struct model_tx *t, unsigned int n, unsigned int told[NR])
{
    if (t)
        t->told[n] = true;
    else
        told[n]++;
}

static void make(struct run *r, struct model_tx *t, unsigned int n, unsigned int value)
{
    struct model_node *m = nodes(r, t);

    if (n && !m[parent(n)].there)
        make(r, t, parent(n), 0);
    look(r, t, parent(n));
    look(r, t, n);
    m[n] = (struct model_node){ .there = true, .value = value, .changed = ++r->clock };
    m[parent(n)].changed = r->clock;
    m[parent(n)].child[(n - 1) % 2] = true;
}

/* --- the steps --- */

static void step_write(struct run *r, struct model_tx *t, const struct xs_access *a, unsigned int n,
                       unsigned int told[NR])
{
    const unsigned int value = rnd(r, 3);
    char text[8];

    snprintf(text, sizeof(text), "%u", value);
    assert_int_equal(xs_write(a, r->path[n], text, 1), 0);
    if (find(r, t, n)) {
        nodes(r, t)[n].value = value;
        nodes(r, t)[n].changed = ++r->clock;
    } else {
        make(r, t, n, value);
    }
    tell(r, t, n, told);
}

static void step_mkdir(struct run *r, struct model_tx *t, const struct xs_access *a, unsigned int n,
                       unsigned int told[NR])
{
    assert_int_equal(xs_mkdir(a, r->path[n]), 0);
    if (find(r, t, n))
        return;
    make(r, t, n, 0);
    tell(r, t, n, told);
}

static void step_read(struct run *r, struct model_tx *t, const struct xs_access *a, unsigned int n)
{
    const struct xs_node *node;
    const bool there = find(r, t, n);

    assert_int_equal(xs_get(a, r->path[n], XS_RIGHT_READ, &node), there ? 0 : -ENOENT);
    if (there)
        assert_int_equal(atoi(node->value), nodes(r, t)[n].value);
}

static void step_list(struct run *r, struct model_tx *t, const struct xs_access *a, unsigned int n)
{
    const bool there = find(r, t, n);
    const struct xs_node *node;

    assert_int_equal(xs_get(a, r->path[n], XS_RIGHT_READ, &node), there ? 0 : -ENOENT);
    if (!there)
        return;
    for (unsigned int c = 2 * n + 1; c <= 2 * n + 2 && c < NR; c++) {
        const char *name = strrchr(r->path[c], '/') + 1;
        bool listed = false;

        for (size_t at = 0; at < node->children_len; at += strlen(node->children + at) + 1)
            listed |= !strcmp(node->children + at, name);
        assert_int_equal(listed, nodes(r, t)[n].child[(c - 1) % 2]);
    }
}

static void remove_below(struct run *r, struct model_tx *t, unsigned int n, unsigned int told[NR])
{
    struct model_node *m = nodes(r, t);

    look(r, t, n);
    if (!m[n].there) /* any more, when it was looked at at last */
        return;
    for (unsigned int c = 0; c < 2; c++)
        if (m[n].child[c])
            remove_below(r, t, 2 * n + 1 + c, told);
    tell(r, t, n, told);
    m[n] = (struct model_node){ .there = false };
}

static void step_rm(struct run *r, struct model_tx *t, const struct xs_access *a, unsigned int n, unsigned int told[NR])
{
    struct model_node *m = nodes(r, t);
    const bool there = find(r, t, n);
    int rc;

    look(r, t, parent(n));
    if (!m[parent(n)].there)
        rc = there ? -EINVAL : -ENOENT;
    else
        rc = there && !m[parent(n)].child[(n - 1) % 2] ? -EIO : 0;
    assert_int_equal(xs_rm(a, r->path[n]), rc);
    if (!there || rc)
        return;
    remove_below(r, t, n, told);
    m[parent(n)].child[(n - 1) % 2] = false;
    m[parent(n)].changed = ++r->clock;
}

static void step_end(struct run *r, struct model_tx *t, unsigned int told[NR])
{
    const bool commit = rnd(r, 4) != 0;
    bool conflict = false;

    for (unsigned int i = 0; i < NR; i++)
        conflict |= t->looked[i] && t->changed[i] != (r->node[i].there ? r->node[i].changed : 0);
    assert_int_equal(xs_tx_end(t->tx, commit), commit && conflict ? -EAGAIN : 0);
    if (commit && !conflict) {
        for (unsigned int i = 0; i < NR; i++) {
            const bool was = r->node[i].there;

            if (!t->looked[i])
                continue;
            if (t->node[i].changed != r->node[i].changed || t->node[i].there != was) {
                r->node[i] = t->node[i];
                r->node[i].changed = ++r->clock;
            }
            if (t->told[i] && (was || r->node[i].there))
                told[i]++;
        }
    }
    r->commits += commit && !conflict;
    r->conflicts += commit && conflict;
    r->aborts += !commit;
    memset(t, 0, sizeof(*t));
}

static void step(struct run *r)
{
    struct model_tx *t = rnd(r, 2) ? &r->tx[rnd(r, NR_TX)] : NULL;
    const unsigned int n = 1 + rnd(r, NR - 1);
    unsigned int told[NR] = { 0 }, tells = 0;

    memset(r->told, 0, sizeof(r->told));
    r->tells = 0;
    if (t && !t->tx) {
        assert_int_equal(xs_tx_start(&r->conn, &t->tx), 0);
        assert_ptr_equal(xs_tx_find(&r->conn, t->tx->id), t->tx);
    } else {
        const struct xs_access a = { &r->store, &r->conn, t ? t->tx : NULL };

        switch (rnd(r, t ? 7 : 6)) {
        case 0:
        case 1: step_write(r, t, &a, n, told); break;
        case 2: step_mkdir(r, t, &a, n, told); break;
        case 3: step_read(r, t, &a, n); break;
        case 4: step_list(r, t, &a, n); break;
        case 5: step_rm(r, t, &a, n, told); break;
        case 6: step_end(r, t, told); break;
        }
    }
    for (unsigned int i = 0; i < NR; i++) {
        assert_int_equal(r->told[i], told[i]);
        tells += told[i];
    }
    assert_int_equal(r->tells, tells);
}

static bool exists(void *data, domid_t domid) { return domid == DOMID; }

static const struct xs_hooks hooks = { .exists = exists };

static void test_random(void **state)
{
    unsigned int commits = 0, conflicts = 0, aborts = 0;

    for (unsigned int history = 1; history <= HISTORIES; history++) {
        const struct xs_perm own = { .id = DOMID, .letter = 'n' };
        const struct xs_watch *w;
        struct arena *arena = arena_create();
        struct run r = { .random = history * UINT64_C(0x9e3779b97f4a7c15) };
        struct xs_access dom0;

        strcpy(r.path[0], "/data");
        for (unsigned int i = 1; i < NR; i++)
            snprintf(r.path[i], sizeof(r.path[i]), "%.48s/%c", r.path[parent(i)], i % 2 ? 'a' : 'b');
        assert_true(xs_store_init(&r.store, arena, &hooks, NULL));
        dom0 = (struct xs_access){ .store = &r.store };
        assert_int_equal(xs_mkdir(&dom0, r.path[0]), 0);
        assert_int_equal(xs_set_perms(&dom0, r.path[0], &own, 1), 0);
        xs_conn_init(&r.conn, &r.store, DOMID, changed, &r);
        for (unsigned int i = 0; i < NR; i++)
            assert_int_equal(xs_watch_add(&r.conn, xstrdup(arena, r.path[i]), r.path[i], false, &w), 0);
        r.node[0] = (struct model_node){ .there = true, .changed = ++r.clock };
        for (unsigned int i = 0; i < STEPS; i++)
            step(&r);
        assert_true(xs_store_check(&r.store));
        xs_conn_end(&r.conn);
        xs_store_end(&r.store);
        assert_int_equal(arena_blocks(arena, NULL, NULL), 0);
        arena_destroy(arena);
        commits += r.commits;
        conflicts += r.conflicts;
        aborts += r.aborts;
    }
    print_message("%u commits, %u conflicts, %u aborts\n", commits, conflicts, aborts);
    assert_true(commits > 1000 && conflicts > 1000 && aborts > 1000);
}

/* --- rubbish --- */

struct sink {
    struct xs_store store;
    struct xs_conn conn;
    uint32_t req_id;
    unsigned int answers, good, errors, events;
};

static void on_send(void *data, const struct xsd_sockmsg *hdr, const void *payload)
{
    struct sink *s = data;

    assert_in_range(hdr->len, 0, XENSTORE_PAYLOAD_MAX);
    if (hdr->type == XS_WATCH_EVENT) {
        assert_int_equal(hdr->req_id, 0);
        assert_int_equal(((const char *)payload)[hdr->len - 1], 0);
        s->events++;
        return;
    }
    assert_int_equal(hdr->req_id, s->req_id);
    s->answers++;
    s->errors += hdr->type == XS_ERROR;
    s->good += hdr->type != XS_ERROR;
}

static void test_rubbish(void **state)
{
    static const char *const words[] = { "data",   "data/a", "/local/domain/7/data/b",
                                         "",       "/",      "@releaseDomain",
                                         "n7",     "b0",     "T",
                                         "F",      "0",      "9",
                                         "data//", "token",  "/local",
                                         "x" };
    const struct xs_perm own = { .id = DOMID, .letter = 'n' };
    struct run r = { .random = 1 };
    struct arena *arena = arena_create();
    struct sink s = { .req_id = 0 };
    struct xs_access dom0;

    assert_true(xs_store_init(&s.store, arena, &hooks, NULL));
    xs_conn_init(&s.conn, &s.store, DOMID, on_send, &s);
    dom0 = (struct xs_access){ .store = &s.store };
    for (unsigned int i = 0; i < 200000; i++) {
        struct xsd_sockmsg m = { rnd(&r, XS_TYPE_COUNT + 2), ++s.req_id, rnd(&r, 3) ? 0 : rnd(&r, 40), 0 };
        char payload[128], *copy;

        for (unsigned int n = rnd(&r, 4); n; n--) { /* words, with their 0 or without, or a byte of any kind */
            const char *word = words[rnd(&r, ARRAY_SIZE(words))];

            memcpy(payload + m.len, word, strlen(word) + 1);
            m.len += (uint32_t)strlen(word) + (rnd(&r, 8) != 0);
            if (rnd(&r, 8) == 0)
                payload[m.len++] = (char)rnd(&r, 256);
        }
        copy = malloc(m.len + !m.len); /* of this size, so that sanitizers see who reads beyond */
        assert_non_null(copy);
        memcpy(copy, payload, m.len);
        if (i % 100 == 0) { /* a guest that removes what is its own cannot make it again */
            assert_int_equal(xs_mkdir(&dom0, "/local/domain/7/data"), 0);
            assert_int_equal(xs_set_perms(&dom0, "/local/domain/7/data", &own, 1), 0);
        }
        s.answers = 0;
        xs_request(&s.conn, &m, copy);
        assert_int_equal(s.answers, 1);
        free(copy);
    }
    print_message("%u answers, %u errors, %u events\n", s.good, s.errors, s.events);
    assert_true(s.good > 10000 && s.errors > 10000 && s.events > 1000);
    assert_true(xs_store_check(&s.store));
    xs_conn_end(&s.conn);
    xs_store_end(&s.store);
    assert_int_equal(arena_blocks(arena, NULL, NULL), 0);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random), cmocka_unit_test(test_rubbish) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
