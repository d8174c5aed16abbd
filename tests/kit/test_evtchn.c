// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kit evtchn: what goes wrong with a policy is named; mistakes in workloads are answered; figures are those that
 * are reckoned by hand; the two ABIs lose nothing, in time and in all orders, and each of many wrong ones does. Built
 * with cc, as a student would; without, skipped.
 *
 * Budget: 500 lines, since a kit is one thing to try.
 */
#include "tests/kit/fixture.h"
#include "tools/kit/evtchn.h"

static const struct fault tables[] = {
    { 23, 1, "exports no `const struct evtchn_ops xenlab_evtchn_ops`" },
    { 25, 1, "xenlab_evtchn_ops has abi 99 and size 56, where 1 and 56 are wanted" },
    { 28, 1, "xenlab_evtchn_ops has no set_pending" },
    { 29, 1, "xenlab_evtchn_ops has no unmask" },
    { 34, 1, "xenlab_evtchn_ops has no mask" },
    { 33, 1, "xenlab_evtchn_ops has no take" },
};

/* init is call 1, set_pending's beginning 2, and each access a call more. */
static const struct fault faults[] = {
    { 1, 2, "touches word 128, and there are 128, in set_pending, call 2," },
    { 2, 2, "touches word 2147483648, and there are 128, in set_pending, call 2," },
    { 11, 2, "does not come to an end: 10000 accesses, in set_pending, call 10002," },
    { 12, 2, "touches word 4294967295, and there are 128, in set_pending, call 2," },
    { 17, 0, "" },
    { 22, 2, "crashed (Segmentation fault) in set_pending, call 2," },
    { 16, 2, "gave port 3, and ports are 1 to 2, in take, call 5," },
    { 18, 2, "gave port 4294967295, and ports are 1 to 2, in take, call 5," },
    { 21, 2, "crashed (Segmentation fault) in take, call 5," },
    { 25, 2, "touches word 128, and there are 128, in take, call 5," },
    { 24, 2, "gave 100 ports, one after the other, that nobody had sent to, or that were masked, in take," },
};

static void test_faults(void **state)
{
    static const char source[] = "tests/kit/bad_evtchn.c";
    struct fault all[ARRAY_SIZE(faults_of_all) + ARRAY_SIZE(faults)];
    size_t nr = 0;

    file_write("w", "port a priority=0 : orders\norders x : a\n");
    if (!faults_can_be_tried("evtchn", source))
        skip();
    for (size_t i = 0; i < FAULTS_IN_CALLS; i++)
        all[nr++] = faults_of_all[i];
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        all[nr++] = faults[i];
    assert_true(build(source, 0));
    for (size_t i = 0; i < nr; i++) {
        const int len = (int)strcspn(all[i].message, "@"), bad = all[i].bad;
        char text[200], message[200];
        int rc;

        if ((uint64_t)SANITIZERS_SAY_IT_OTHERWISE >> bad & 1)
            continue;
        snprintf(text, sizeof(text), "switches 0\nport a priority=%d : orders\n%sorders x : a\n", bad % 16,
                 bad / 16 ? "port b : orders\n" : "");
        snprintf(message, sizeof(message), "%.*s%s", len, all[i].message,
                 all[i].message[len] ? " in set_pending, call 2, at 0.010 us" : "");
        file_write("w", text);
        rc = KIT("evtchn", "--policy", path("p.so"), "--workload", path("w"), "--limit", "1", "--json");
        if (rc != all[i].rc || !in_file("err", message))
            fail_msg("fault %d: status %d", bad, rc);
        if (figure("delivered", "") != (rc ? -1 : 1)) /* -1: no report */
            fail_msg("fault %d: %g delivered", bad, figure("delivered", ""));
    }
    file_write("w", "port a : orders\norders x : a\n");
    faults_tried("evtchn", source, tables, ARRAY_SIZE(tables), "", "delivered", "", 1);
}

/* --- mistakes of the user's --- */

static const struct {
    const char *workload, *says;
} mistakes[] = {
    { "", "w:1: there is no port: port NAME : every 1us..4us" },
    { "time 2s\n", "w:1: time: \"2s\" is no time of whole ns, up to 1s" },
    { "switches 4\n", "w:1: switches: \"4\" is no number up to 3" },
    { "ports 4\n", "w:1: \"ports\" is no statement: time, switches, port, orders and expect are" },
    { "port a every 1us\n", "w:1: a port is \"port NAME priority=7" },
    { "port : orders\n", "w:1: a port needs a name" },
    { "port a : orders\nport a : orders\n", "w:2: there is a port a already" },
    { "port a priority=16 : orders\n", "w:1: priority: \"16\" is no number up to 15" },
    { "port a mask=30 : orders\n", "w:1: mask: \"30\" is none of 0% to 100%" },
    { "port a vcpu=1 : orders\n", "w:1: a port has priority= and mask=, not \"vcpu\"" },
    { "port a mask : orders\n", "w:1: a port has priority= and mask=, not \"mask\"" },
    { "port a :\n", "w:1: a is sent to \"every 1us..4us\", or in \"orders\" alone" },
    { "port a : each 1us\n", "w:1: a is sent to" },
    { "port a : every 1us 2us\n", "w:1: a is sent to" },
    { "port a : every 1us..x\n", "w:1: every: \"x\" is no time of whole ns" },
    { "port a : every 99ns\n", "w:1: every: \"99ns\" is less than 100ns" },
    { "port a : every 2us..1us\n", "w:1: every: the range ends before it begins" },
    { "port a : orders\norders x : b\n", "w:2: there is no port \"b\" above" },
    { "port a : orders\norders x : a a\n", "w:2: a comma is missing behind a" },
    { "port a : orders\norders x a\n", "w:2: orders is \"orders NAME : PORT, PORT\"" },
    { "port a : orders\norders x few : a\n", "w:2: orders have nothing but ports, not \"few\"" },
    { "port a : orders\norders x : a,a,a,a,a,a,a,a,a\n", "w:2: more than 8 steps" },
    { "port a : orders\nexpect worst == 0 from 1us to 2us\n", "w:2: expect: worst is of a whole run" },
    { "port a : orders\nexpect lost < 2*even\n",
      "w:2: expect: there is no policy \"even\" (evtchn has: twolevel, fifo;" },
};

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        file_write("w", mistakes[i].workload);
        if (KIT("evtchn", "--policy", "/nowhere.so", "--workload", path("w")) != 1 || !in_file("err", mistakes[i].says))
            fail_msg("%s", mistakes[i].workload);
    }
    assert_int_equal(KIT("evtchn", "--help"), 0);
    assert_true(in_file("out", "inversions"));
}

/* --- figures --- */

/* One word, a bit for each port; the highest port first. */
static const char bits[] = "#include \"xenlab/kit.h\"\n"
                           "static bool set_pending(const struct evtchn_mem *m, const struct evtchn_port *p)\n"
                           "{ return !m->fetch_or(0, 1ull << p->port); }\n"
                           "static bool unmask(const struct evtchn_mem *m, const struct evtchn_port *p)\n"
                           "{ m->fetch_and(1, ~(1ull << p->port)); return m->load(0) >> p->port & 1; }\n"
                           "static void mask(const struct evtchn_mem *m, const struct evtchn_port *p)\n"
                           "{ m->fetch_or(1, 1ull << p->port); }\n"
                           "static uint32_t take(const struct evtchn_mem *m, const struct evtchn_port *p)\n"
                           "{ uint64_t b = m->load(0) & ~m->load(1); if (!b) return 0;\n"
                           "  b = 63 - __builtin_clzll(b); m->fetch_and(0, ~(1ull << b)); return b; }\n"
                           "const struct evtchn_ops xenlab_evtchn_ops = {\n"
                           "    { XENLAB_KIT_ABI, sizeof(struct evtchn_ops), \"bits\", 0 },\n"
                           "    set_pending, unmask, mask, take };\n";

/* So many accesses in a send that all orders are too many. It gives port 1 when port 2 was sent to. */
static const char slow[] =
    "#include \"xenlab/kit.h\"\n"
    "static bool set_pending(const struct evtchn_mem *m, const struct evtchn_port *p)\n"
    "{ for (int i = 0; i < (p->priority ? 14 : 5001); i++) m->load(2); return !m->fetch_or(0, 1ull << p->port); }\n"
    "static bool unmask(const struct evtchn_mem *m, const struct evtchn_port *p) { return false; }\n"
    "static void mask(const struct evtchn_mem *m, const struct evtchn_port *p) {}\n"
    "static uint32_t take(const struct evtchn_mem *m, const struct evtchn_port *p)\n"
    "{ return m->fetch_and(0, 0) >> 2 != 0; }\n"
    "const struct evtchn_ops xenlab_evtchn_ops = {\n"
    "    { XENLAB_KIT_ABI, sizeof(struct evtchn_ops), \"slow\", 0 },\n"
    "    set_pending, unmask, mask, take };\n";

static void run(const char *workload)
{
    file_write("w", workload);
    if (KIT("evtchn", "--policy", path("p.so"), "--workload", path("w"), "--json"))
        fail_msg("%s%s", workload, file_read("err"));
}

static void test_figures(void **state)
{
    file_write("p.c", bits);
    if (!build(path("p.c"), 0))
        skip();
    /* One order: the hypervisor goes on until it has sent all three. So b is taken before a, which was sent before and
     * is as high; c, sent last, before both, and it is lower. */
    run("switches 0\nport a priority=3 : orders\nport b priority=3 : orders\nport c priority=9 : orders\n"
        "orders x : a, b, a, c\n");
    assert_int_equal(figure("schedules", ""), 1);
    assert_int_equal(figure("sends", "a"), 2);
    assert_int_equal(figure("delivered", "a"), 1);
    assert_int_equal(figure("delivered", ""), 3);
    assert_int_equal(figure("upcalls", ""), 1); /* words that were not 0 gave none */
    assert_int_equal(figure("touches", ""), 4 + 3 * 3 + 2);
    assert_int_equal(figure("inversions", "c"), 1);
    assert_int_equal(figure("reordered", "b"), 1);
    assert_int_equal(figure("reordered", ""), 1);
    assert_int_equal(figure("inversions", ""), 1);
    assert_int_equal(figure("worst", "a"), 2);  /* c and b came in between */
    assert_int_equal(figure("latency", ""), 1); /* 2, 1 and 0 */
    assert_int_equal(figure("lost", "") + figure("spurious", ""), 0);
    /* The first of three is passed over by the last, the second is not. */
    run("switches 0\nport a priority=3 : orders\nport b priority=9 : orders\nport c priority=5 : orders\n"
        "orders x : a, b, c\n");
    assert_int_equal(figure("inversions", ""), 2); /* c, and b behind it */
    run("switches 0\nport a priority=5 : orders\nport b priority=9 : orders\nport c priority=5 : orders\n"
        "orders x : a, b, c\n");
    assert_int_equal(figure("reordered", "c"), 1);
    /* There are no others to wait for; nor do those count that came before it was sent. */
    run("switches 2\nport a : orders\norders x : a, a\n");
    assert_int_equal(figure("worst", ""), 0);
    run("time 4us\nport a : every 1us\nport b : every 2500ns\n");
    assert_int_equal(figure("delivered", ""), 3 + 1);
    assert_int_equal(figure("worst", ""), 0);
    /* `bits` gives the highest, with the highest number; one that is still being sent is passed over by right. */
    run("switches 3\nport b priority=9 : orders\nport a priority=3 : orders\norders x : b, a, a\n");
    assert_int_equal(figure("inversions", ""), 0);
    /* Behind the first send there is an upcall, and the second has three steps: the guest may come before each. */
    run("switches 1\nport a : orders\nport b : orders\norders x : a, b\n");
    assert_int_equal(figure("schedules", ""), 1 + 3);
    assert_int_equal(figure("sends", ""), 2 * 4);
    assert_int_equal(figure("lost", "") + figure("spurious", ""), 0);
    run("switches 1\nport a : orders\nport b : orders\norders x : a, b\norders y : a, b\n"); /* each by itself */
    assert_int_equal(figure("schedules", ""), 2 * (1 + 3));
    /* Ports by number, as `bits` takes them, are ports by priority: whoever is masked is passed over by right. */
    run("time 20us\nport c priority=9 : every 100ns..300ns\nport a priority=3 mask=100% : every 100ns\n");
    assert_int_equal(figure("inversions", ""), 0);
    assert_int_equal(figure("lost", "") + figure("spurious", "") + figure("first", ""), 0);
    assert_true(figure("delivered", "a") > 9 && figure("delivered", "c") > 9);
    /* Every microsecond, exactly, and each is taken before the next. */
    run("time 20us\nport a : every 1us\n");
    assert_int_equal(figure("sends", ""), figure("delivered", ""));
    assert_int_equal(figure("sends", ""), 19); /* at 1 us, and so on up to 19 us */
    assert_int_equal(figure("upcalls", ""), 19);
    assert_int_equal(figure("touches", ""), 19 * (1 + 3 + 2));
    assert_int_equal(figure("latency", ""), 0);
    /* A port that is masked each time: mask() has one access, unmask() two. Of 99, 30 ones on average; the standard
     * deviation is sqrt(99 * 0.3 * 0.7) = 4.6. */
    run("time 20us\nport a mask=100% : every 1us\n");
    assert_int_equal(figure("touches", ""), 19 * (1 + 3 + 2 + 1 + 2));
    run("time 100us\nport a mask=30% : every 1us\n");
    assert_in_range(figure("touches", "") - 99 * (1 + 3 + 2), 3 * 16, 3 * 44);
}

/* What is expected of a time, in other policies' units, of many seeds; settings, and reports of other forms. */
static void test_expected(void **state)
{
    file_write("p.c", bits);
    if (!build(path("p.c"), 0))
        skip();
    file_write("w", "param gap 1us\ntime 20us\nport a : every $gap\nexpect sends a == 10 from 5500ns to 15500ns\n"
                    "expect touches <= 1*twolevel seeds 1..2\nexpect lost == 0\n");
    assert_int_equal(KIT("evtchn", "--policy", path("p.so"), "--workload", path("w"), "--junit", path("x")), 0);
    assert_true(in_file("out", "3 of 3 held"));
    assert_true(in_file("x", "tests=\"3\" failures=\"0\""));
    assert_int_equal(KIT("evtchn", "--policy", path("p.so"), "--workload", path("w"), "--tap", "--set", "gap=2us"), 4);
    assert_true(in_file("out", "not ok 1 - sends a == 10 from"));
    assert_true(in_file("out", "ok 3 - lost == 0"));
    assert_int_equal(KIT("evtchn", "--policy", path("p.so"), "--workload", path("w"), "--seeds", "1..2"), 0);
    /* Each access makes a moment for a preemption. Behind the first send, which has the guest awake, there are five of
     * 15 accesses, a beginning and a return: 85 moments, and 1 + 85 + 85*84/2 + 85*84*83/6 orders at least. */
    file_write("w", "switches 3\nport a : orders\norders x : a, a, a, a, a, a\n");
    file_write("p.c", slow);
    assert_true(build(path("p.c"), 0));
    assert_int_equal(KIT("evtchn", "--policy", path("p.so"), "--workload", path("w")), 2);
    assert_true(in_file("err", "makes 102426 orders of x, and 20000 are tried at most: fewer accesses, sends or"));
    /* It takes port 1 whatever was sent: that one is in vain, and the other lost. */
    run("switches 0\nport z : orders\nport a : orders\norders x : a\n");
    assert_int_equal(figure("delivered", "z"), 1);
    assert_int_equal(figure("spurious", "z"), 1);
    assert_int_equal(figure("latency", "z"), 0); /* of no delivery by right */
    assert_int_equal(figure("lost", "a"), 1);
    assert_int_equal(figure("first", "") * 1000 + 0.5, 10 * 20); /* a send, 17 steps, and a take(), of 3 */
    assert_int_equal(figure("lost", ""), 1);
    /* That somebody had sent to it in another order does not count; nor do accesses of other calls: two have 10004. */
    run("switches 0\nport z : orders\nport a priority=0 : orders\norders x : z\norders y : a, a\n");
    assert_int_equal(figure("lost", "z"), 1);
    assert_int_equal(figure("delivered", "z"), 1);
    assert_int_equal(figure("spurious", "z"), 1);
    assert_true(figure("touches", "") > 10004);
    /* So it is in each of many orders; 100 one after the other are too many in one alone. */
    run("switches 2\nport z : orders\nport a : orders\norders x : a, a\n");
    assert_true(figure("spurious", "z") > 100 && figure("spurious", "z") == figure("delivered", ""));
}

/* By the number of ports: one, it goes on when it has cleared; two, it gives each twice; three, it gives but one; four,
 * what it finds when it has given one is gone. */
static const char odd[] =
    "#include \"xenlab/kit.h\"\n"
    "static bool set_pending(const struct evtchn_mem *m, const struct evtchn_port *p)\n"
    "{ m->fetch_or(0, 1); return true; }\n"
    "static bool unmask(const struct evtchn_mem *m, const struct evtchn_port *p) { return false; }\n"
    "static void mask(const struct evtchn_mem *m, const struct evtchn_port *p) {}\n"
    "static uint32_t take(const struct evtchn_mem *m, const struct evtchn_port *p)\n"
    "{ if (p->ports == 4) {\n"
    "      if (!m->fetch_and(0, 0)) { m->store(1, 0); return 0; }\n"
    "      return !m->fetch_or(1, 1); }\n"
    "  if (p->ports == 3) return !m->fetch_or(1, 1) && m->fetch_and(0, 0);\n"
    "  if (p->ports == 2 && m->fetch_and(2, 0)) return 1;\n"
    "  if (!m->fetch_and(0, 0)) return 0;\n"
    "  m->store(2, 1); return 1; }\n"
    "const struct evtchn_ops xenlab_evtchn_ops = {\n"
    "    { XENLAB_KIT_ABI, sizeof(struct evtchn_ops), \"odd\", 0 },\n"
    "    set_pending, unmask, mask, take };\n";

static void test_when(void **state)
{
    double touches;

    file_write("p.c", odd);
    if (!build(path("p.c"), 0))
        skip();
    /* What is sent between the clearing access and the last is taken by right. */
    run("switches 2\nport a : orders\norders x : a, a\n");
    assert_int_equal(figure("lost", "") + figure("spurious", ""), 0);
    /* More than 100 in vain, but not one after the other. */
    run("time 120us\nport a : every 1us\nport b : orders\n");
    assert_int_equal(figure("spurious", ""), 119);
    assert_int_equal(figure("delivered", ""), 2 * 119);
    /* The second send is lost if it begins behind the last access of the take() that gives the first: if it begins when
     * the guest sleeps again; with a preemption more, before that take() returns, and before both steps of the next. */
    run("switches 2\nport a : orders\nport b : orders\nport c : orders\norders x : a, a\n");
    assert_int_equal(figure("lost", ""), 1 + 1 + 2);
    /* The order without a preemption has two sends of 3 steps, and 6 of take(): it loses none. Then the guest goes
     * on behind the first send, and sleeps again behind 6 steps: the tenth begins what is lost. */
    assert_int_equal(figure("first", "") * 1000 + 0.5, 10 * (12 + 10));
    /* What is lost is sent behind the last access of the take() that gives the first, but before that returns, which is
     * in the fifth order: the four before have 13, 20, 17 and 17 steps, and it begins in the seventh of its own. */
    run("switches 2\nport a : orders\nport b : orders\nport c : orders\nport d : orders\norders x : a, a\n");
    assert_true(figure("lost", "") > 0);
    assert_int_equal(figure("first", "") * 1000 + 0.5, 10 * (13 + 20 + 17 + 17 + 7));
    /* Each is lost once, however often the guest sleeps before the next: a's, at 1 us and so on up to 19 us. */
    run("time 20us\nport a : every 1us\nport b : every 300ns\nport c : orders\n");
    assert_int_equal(figure("lost", "a"), 19);
    /* In time, where nothing but who goes on is left to chance: another seed, another run. */
    file_write("w", "port a : every 200ns\nport b : every 200ns\nport c : every 200ns\n");
    assert_int_equal(KIT("evtchn", "--policy", path("p.so"), "--workload", path("w"), "--json", "--seed", "1"), 0);
    touches = figure("touches", "");
    assert_int_equal(KIT("evtchn", "--policy", path("p.so"), "--workload", path("w"), "--json", "--seed", "2"), 0);
    assert_true(figure("touches", "") != touches);
}

/* --- ABIs that are right, and such as are nearly so --- */

enum how { RIGHT, LOSES, IN_VAIN, STOPPED };

static const struct {
    const char *file, *is, *wrong;
    enum how how;
} nearly[] = {
    { "twolevel", "m->load(PENDING + p->port / 8) & bit(p) && select_word(m, p)", "false", LOSES },
    { "twolevel", "words = m->fetch_and(SELECTOR, 0)", "words = m->load(SELECTOR)", STOPPED },
    { "twolevel", "& ~m->load(MASK + w)", "", IN_VAIN },
    { "twolevel", "!(m->fetch_or(SELECTOR, word) & word)", "m->fetch_or(SELECTOR, word) & word", LOSES },
    { "twolevel", "m->fetch_and(PENDING + w, ~(UINT64_C(1) << lowest));",
      "m->store(PENDING + w, m->load(PENDING + w) & ~(UINT64_C(1) << lowest));", LOSES },
    { "twolevel", "m->fetch_and(PENDING + w, ~(UINT64_C(1) << lowest));", "", STOPPED },
    { "twolevel", "return w * 8 + lowest;", "return w * 8 + lowest + 1;", STOPPED },
    { "twolevel", "m->fetch_or(MASK + p->port / 8, bit(p));", "", IN_VAIN },
    { "fifo", "while (old & LINKED)", "while (old)", LOSES },
    { "fifo", "if (tail == p->port)", "if (!tail)", LOSES },
    { "fifo", "return m->load(p->port) & PENDING && set_pending(m, p);", "return false;", LOSES },
    { "fifo", "m->store(HEAD + q, p->port);", "", LOSES },
    { "fifo", "m->fetch_or(READY, UINT64_C(1) << q)", "m->store(READY, UINT64_C(1) << q)", LOSES },
    { "fifo", "old & ~(LINKED | LINK)", "old & ~LINKED", STOPPED },
    { "fifo", "old & ~(LINKED | LINK)", "old & ~LINK", LOSES },
    { "fifo", "return old & LINK;", "return 0;", LOSES },
    { "fifo", "&& !(word & MASKED)", "", IN_VAIN },
    { "fifo", "m->fetch_and((unsigned int)port, ~PENDING);", "", STOPPED },
    { "fifo", "m->store(GUESTS_HEAD + q, next);", "", LOSES },
    { "fifo", "if (!next)", "if (next)", STOPPED },
    { "fifo", "if (was == old)", "if (true)", LOSES },
};

static enum how run_of(const char *when, const char *orders)
{
    char text[400];
    int rc;

    snprintf(
        text, sizeof(text),
        "time 20us\nport a priority=7 mask=100%% : %s\nport b priority=7 : %s\nport c priority=3 mask=50%% : %s\n%s",
        when, when, when, orders);
    file_write("w", text);
    rc = KIT("evtchn", "--policy", path("p.so"), "--workload", path("w"), "--json");
    if (rc)
        return rc == 2 ? STOPPED : RIGHT;
    return figure("lost", "") > 0 ? LOSES : figure("spurious", "") > 0 ? IN_VAIN : RIGHT;
}

/* In time, where chance decides, and, if nothing comes of that, in orders. */
static enum how tried(void)
{
    const enum how in_time = run_of("every 100ns..700ns", "");

    return in_time ? in_time : run_of("orders", "orders x : a, b, c\norders y : a, a, b\n");
}

static void test_nearly(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(nearly); i++) {
        char name[64], *text = calloc(1, 16384), *at;
        size_t n;
        FILE *f;

        snprintf(name, sizeof(name), "docs/examples/kit/%s.c", nearly[i].file);
        f = fopen(name, "r");
        assert_non_null(f);
        assert_non_null(text);
        n = fread(text, 1, 12000, f);
        fclose(f);
        if (!i || strcmp(nearly[i].file, nearly[i - 1].file)) {
            file_write("p.c", text);
            if (!build(path("p.c"), 0))
                skip();
            if (tried() != RIGHT)
                fail_msg("%s, as it is: %s%s", name, file_read("out"), file_read("err"));
        }
        at = strstr(text, nearly[i].is);
        if (!at)
            fail_msg("%s has no %s", name, nearly[i].is);
        memmove(at + strlen(nearly[i].wrong), at + strlen(nearly[i].is),
                n - (size_t)(at - text) - strlen(nearly[i].is) + 1);
        memcpy(at, nearly[i].wrong, strlen(nearly[i].wrong));
        file_write("p.c", text);
        assert_true(build(path("p.c"), 0));
        if (tried() != nearly[i].how)
            fail_msg("%s with \"%s\": %s%s", name, nearly[i].wrong, file_read("out"), file_read("err"));
        free(text);
    }
}

/* --- random workloads --- */

static void test_random(void **state)
{
    static const char *const files[] = { "docs/examples/kit/twolevel.c", "docs/examples/kit/fifo.c" };

    for (uint64_t seed = 1; seed <= 8; seed++) {
        char text[2000], number[24], *one, *two;
        size_t n = (size_t)snprintf(text, sizeof(text), "time 20us\n");
        const uint64_t ports = 1 + workload_stir(seed) % 20;

        if (seed % 4 == 1 && !build(files[seed > 4], 0))
            skip();
        for (uint64_t i = 0; i < ports; i++) {
            const uint64_t x = workload_stir(seed * 64 + i);

            n += (size_t)snprintf(text + n, sizeof(text) - n, "port p%u priority=%u mask=%u%% : every %uns..%uns\n",
                                  (unsigned int)i, (unsigned int)(x % 16), (unsigned int)(x >> 8) % 101,
                                  (unsigned int)(x >> 20) % 2000 + 200, (unsigned int)(x >> 32) % 3000 + 2200);
        }
        file_write("w", text);
        snprintf(number, sizeof(number), "%u", (unsigned int)seed);
        assert_int_equal(KIT("evtchn", "--policy", path("p.so"), "--workload", path("w"), "--json", "--seed", number),
                         0);
        if (figure("lost", "") || figure("spurious", "") || figure("delivered", "") > figure("sends", "") ||
            !figure("sends", ""))
            fail_msg("seed %s: %s%s", number, text, file_read("out"));
        one = file_read("out");
        assert_int_equal(KIT("evtchn", "--policy", path("p.so"), "--workload", path("w"), "--json", "--seed", number),
                         0);
        two = file_read("out");
        assert_string_equal(one, two);
        free(one);
        free(two);
    }
}

/* The examples: priorities are for the urgent; the chart is there. */
static void test_examples(void **state)
{
    static const char ports[] = "docs/examples/kit/ports.txt";
    double inversions;

    if (!build("docs/examples/kit/twolevel.c", 0))
        skip();
    assert_int_equal(KIT("evtchn", "--policy", path("p.so"), "--workload", ports, "--json", "--svg", path("svg")), 0);
    inversions = figure("inversions", "");
    assert_true(in_file("svg", "priority 15: 0 lost"));
    assert_true(build("docs/examples/kit/fifo.c", 0));
    assert_int_equal(KIT("evtchn", "--policy", path("p.so"), "--workload", ports, "--json"), 0);
    assert_true(figure("inversions", "") == 0 && inversions > 0);
    assert_int_equal(figure("reordered", ""), 0);
}

static unsigned int times(const char *name, const char *text)
{
    char *content = file_read(name);
    unsigned int nr = 0;

    for (const char *at = content; (at = strstr(at, text)); at++)
        nr++;
    free(content);
    return nr;
}

/* A chart of what others have named, long and with XML's letters, and of a time that is many microseconds: 18 letters
 * of 9 px, 0.605 of that wide, are 98 px; there are 102. */
static void test_chart(void **state)
{
    file_write("w", "time 30ms\nport a<b&c : every 10ms\nport database-of-customers-number-12 : every 10ms\n");
    if (KIT("evtchn", "--policy", "fifo", "--workload", path("w"), "--svg", path("svg")))
        skip();
    assert_true(in_file("out", "\na<b&c                                      2 ")); /* 31 letters and 13 */
    assert_true(in_file("svg", ">a&lt;b&amp;c</text>"));
    assert_true(in_file("svg", "font-size=\"9.0\">database..umber-12</text>"));
    assert_true(in_file("svg", ">30 ms</text>"));
    /* Both are sent to at 10 and 20 ms: of 200 stretches of 5 px, from 110 on, in the 67th and 134th; so deliveries. */
    assert_int_equal(times("svg", "V70.0H445.0"), 2);
    assert_int_equal(times("svg", "V70.0H780.0"), 2);
    assert_true(in_file("svg", ">2</text>"));
    assert_true(
        in_file("svg", ">1.0 on average, 1 at most; priority 7: 0 lost, 0 spurious")); /* always behind the other */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),   cmocka_unit_test(test_mistakes), cmocka_unit_test(test_figures),
        cmocka_unit_test(test_expected), cmocka_unit_test(test_when),     cmocka_unit_test(test_nearly),
        cmocka_unit_test(test_random),   cmocka_unit_test(test_examples), cmocka_unit_test(test_chart),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
