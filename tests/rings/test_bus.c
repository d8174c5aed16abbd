// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bus of back ends, when nodes of a device change at any moment: between two steps of dom0 and of who serves, so
 * that a driver domain's bus has read half of them before and half of them after.
 *
 * Concept: the toolstack and the front end of card 0 do what they like, a few steps apart, and a driver domain is
 * started again. Two other cards reach each other meanwhile. In the end card 0 is made anew by the toolstack, and must
 * work: whatever the bus believed of it.
 *
 * Budget: what happens to a device, then when.
 */
#include "tests/rings/netfront.h"

static void rm(struct scene *s, const char *path)
{
    const struct xs_access a = xenstored_toolstack(s->st.x);

    xs_rm(&a, path);
}

static void steps(struct scene *s, uint64_t nr)
{
    while (nr-- && back_step(s->f))
        ;
}

/* --- what may happen to the nodes of card 0 --- */

static void state_any(struct card *c, uint64_t n) { front_write(c, "state", n % 9); }

static void state_word(struct card *c, uint64_t n)
{
    static const char *const words[] = { "", "x", "-1", "4294967300", "99", "1\n", " 1" };

    front_text(c, "state", words[n % ARRAY_SIZE(words)]);
}

static void state_dir(struct card *c, uint64_t n)
{
    (void)n;
    front_text(c, "state/state", "4");
}

static void words(struct card *c, uint64_t n)
{
    (void)n;
    card_words(c);
}

static void connect(struct card *c, uint64_t n)
{
    card_words(c);
    for (unsigned int i = 0; i < RX_PAGES; i++)
        buffer_put(c, i);
    front_write(c, "state", 4 - n % 2);
}

static void node_gone(struct card *c, uint64_t n)
{
    static const char *const nodes[] = {
        "state", "tx-ring-ref", "rx-ring-ref", "event-channel", "request-rx-copy", ""
    };

    rm(c->s, front_path(c, nodes[n % ARRAY_SIZE(nodes)]));
}

static void front_filled(struct card *c, uint64_t n)
{
    char node[32];

    for (uint64_t i = 0; i < 3 + n % 300; i++) {
        snprintf(node, sizeof(node), "x%u/y", (unsigned int)i);
        front_text(c, node, "");
    }
}

static void back_gone(struct card *c, uint64_t n) { rm(c->s, back_path(c, n % 4 ? "" : "frontend")); }

/* As `xl block-detach` and network-detach begin. */
static void detach(struct card *c, uint64_t n)
{
    write_node(c->s, back_path(c, "online"), "0");
    write_node(c->s, back_path(c, "state"), "5");
    (void)n;
}

static void elsewhere(struct card *c, uint64_t n)
{
    static const char *const paths[] = { "/", "", "/local/domain/0", "nothing", "/local/domain/1/device/vif/1" };

    write_node(c->s, back_path(c, "frontend"), paths[n % ARRAY_SIZE(paths)]);
}

static void anew(struct card *c, uint64_t n)
{
    rm(c->s, back_path(c, ""));
    rm(c->s, front_path(c, ""));
    steps(c->s, n % 4 ? 0 : n % 64);
    card_nodes(c, "xenbr0", NULL);
}

/* A driver domain is started again, at whatever it was: its devices find their rings where they stand. */
static void restarted(struct card *c, uint64_t n)
{
    struct scene *s = c->s;

    (void)n;
    if (!s->f->driver)
        return;
    back_bus_end(&s->st, s->bus);
    s->bus = back_bus_again(&s->st, s->kinds);
    assert_non_null(s->bus);
}

/* What is in use is granted no more, and its port is closed: who begins anew cannot have it. */
static void taken_back(struct card *c, uint64_t n)
{
    for (unsigned int ref = 0; ref < 2; ref++)
        if (n & 1u << ref)
            grant(c, ref, 0);
    if (n & 4 && c->port) {
        port_shut(c, c->port);
        c->port = 0;
    }
}

static void (*const events[])(struct card *c, uint64_t n) = { state_any,    state_any, connect,    connect,   connect,
                                                              state_word,   state_dir, words,      words,     node_gone,
                                                              front_filled, back_gone, detach,     elsewhere, restarted,
                                                              restarted,    restarted, taken_back, anew,      anew };

/* --- when --- */

static void others_go_on(struct scene *s)
{
    works(&s->card[1], &s->card[2]);
    works(&s->card[2], &s->card[1]);
}

static void expect_nothing_held(const struct card *c)
{
    for (unsigned int ref = 0; ref < REFS; ref++)
        assert_int_equal(c->s->f->d->grant_table->active[c->first + ref].pin, 0);
}

/* Made anew, at once or after the bus has seen that it is gone. */
static void begin_anew(struct card *c, bool seen)
{
    struct scene *s = c->s;
    char value[64];

    rm(s, back_path(c, ""));
    rm(s, front_path(c, ""));
    if (seen) {
        run(s);
        expect_nothing_held(c);
        assert_string_equal(read_node(s, back_path(c, ""), value), "-");
    }
    for (unsigned int ref = 0; ref < REFS; ref++)
        grant(c, ref, GTF_permit_access);
    card_nodes(c, "xenbr0", NULL);
    run(s);
    expect_nothing_held(c);
    card_connect(c);
    works(c, &s->card[1]);
}

static void anything_at_any_time(void **state)
{
    const char *more = getenv("BUS_RUNS"), *only = getenv("BUS_SEED");
    const unsigned int first = only ? (unsigned int)atoi(only) : 1, runs = only   ? 1
                                                                           : more ? (unsigned int)atoi(more)
                                                                                  : 400;
    unsigned int connected = 0;
    struct scene s;
    struct card *c = &s.card[0];
    char value[64];

    begin_net(&s, *state, NULL);
    card_connect(&s.card[1]);
    card_connect(&s.card[2]);
    for (unsigned int seed = first; seed < first + runs; seed++) {
        uint64_t prng = seed;

        for (uint64_t left = 1 + random_of(&prng, 12); left; left--) {
            events[random_of(&prng, ARRAY_SIZE(events))](c, random_of(&prng, 1 << 20));
            steps(&s, random_of(&prng, 3) ? random_of(&prng, 40) : 0);
        }
        run(&s);
        connected += !strcmp(read_node(&s, back_path(c, "state"), value), "4");
        others_go_on(&s);
        print_message("seed %u\n", seed);
        events[random_of(&prng, ARRAY_SIZE(events))](c, random_of(&prng, 1 << 20));
        steps(&s, random_of(&prng, 40)); /* words of the bus are on their way when all goes */
        begin_anew(c, random_of(&prng, 2));
        if (random_of(&prng, 2))
            front_state(c, XenbusStateClosed);
    }
    print_message("%u runs, in %u of which the card was connected\n", runs, connected);
    end_net(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { ON_BOTH(anything_at_any_time) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
