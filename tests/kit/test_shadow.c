// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kit shadow: what goes wrong with a policy is named; mistakes in workloads are answered; guests flush what they
 * take away before they access it; figures are those of a reckoning of this test's own, by hand and in random
 * workloads. Built with cc, as a student would; without, skipped.
 *
 * Budget: 480 lines, since a kit is one thing to try.
 */
#include "tests/kit/fixture.h"
#include "tools/kit/shadow.h"

/* Two frames, of which the root has one: each new leaf is a call of evict(). What comparing costs says which fault. */
#define SMALL "frames 2\ntime 40us\ncompare 1NNns\nguest a processes=2 tables=2 set=4 touch=1us : work\n"

static const struct fault stores[] = {
    { 1, 2, "answered 3: 0 is emulate, 1 out of sync, 2 unshadow,@" },
    { 2, 2, "answered -1: 0 is emulate, 1 out of sync, 2 unshadow,@" },
    { 11, 2, "answered 1073741824: 0 is emulate, 1 out of sync, 2 unshadow,@" },
    { 12, 2, "lets mfn 4096 go out of sync, which is a root: only leaves can,@" },
    { 16, 2, "unshadows mfn 4096, the root that a vCPU has in CR3,@" },
    { 19, 0, "" },
    { 36, 0, "" },
    { 30, 2, "crashed (Segmentation fault)@" }, /* malloc() has failed */
};

static const struct fault evictions[] = {
    { 17, 2, "gave mfn 0, which has no shadow,@" },
    { 18, 2, "gave mfn 18446744073709551615, which has no shadow,@" },
    { 31, 2, "gave mfn 4096, the root that a vCPU has in CR3,@" },
    { 32, 2, "gave mfn 4097, which has no shadow,@" },
    { 33, 2, "gave mfn 4102, which has no shadow,@" },
    { 34, 2, "crashed (Segmentation fault)@" },
    { 35, 0, "" },
};

static const struct fault tables[] = {
    { 23, 1, "exports no `const struct shadow_ops xenlab_shadow_ops`" },
    { 25, 1, "xenlab_shadow_ops has abi 99 and size 40, where 1 and 40 are wanted" },
    { 28, 1, "xenlab_shadow_ops has no on_write" },
    { 29, 1, "xenlab_shadow_ops has no evict" },
};

static void test_faults(void **state)
{
    static const char source[] = "tests/kit/bad_shadow.c", where[] = " in on_write, call 3, at 0.001000 ms",
                      evicts[] = " in evict, call 4, at 0.001000 ms";

    file_write("w", "time 10us\nguest a : rest\n");
    if (!faults_can_be_tried("shadow", source))
        skip();
    faults_told("shadow", source, SMALL, faults_of_all, FAULTS_IN_CALLS, where, "accesses", 40);
    faults_told("shadow", source, SMALL, stores, ARRAY_SIZE(stores), where, "accesses", 40);
    faults_told("shadow", source, SMALL, evictions, ARRAY_SIZE(evictions), evicts, "accesses", 40);
    faults_tried("shadow", source, tables, ARRAY_SIZE(tables), where, "accesses", "", 40);
}

/* --- mistakes of the user's --- */

static const struct {
    const char *workload, *says;
} mistakes[] = {
    { "", "w:1: there is no guest: guest NAME" },
    { "frames 1\n", "w:1: frames: at least 2" },
    { "frames 1025\n", "w:1: frames: \"1025\" is no number up to 1024" },
    { "oos 0\n", "w:1: oos: at least 1" },
    { "oos 65\n", "w:1: oos: \"65\" is no number up to 64" },
    { "fault 0\n", "w:1: fault: \"0\" is no time of whole ns" },
    { "time 11s\n", "w:1: time: \"11s\" is no time of whole ns, up to 10s" },
    { "sync 3\n", "w:1: \"sync\" is no statement: frames, oos, fault, emulate, compare, make, drop, time, guest" },
    { "guest a work\n", "w:1: a guest is \"guest NAME processes=2" },
    { "guest : work\n", "w:1: a guest needs a name" },
    { "guest a : work\nguest a : work\n", "w:2: there is a guest a already" },
    { "guest a pages=3 : work\n", "w:1: a guest has processes=, tables=, set=, touch= and switch=, not \"pages\"" },
    { "guest a set : work\n", "w:1: a guest has processes=, tables=, set=, touch= and switch=, not \"set\"" },
    { "guest a processes=0 : work\n", "w:1: processes: at least 1" },
    { "guest a processes=33 : work\n", "w:1: processes: \"33\" is no number up to 32" },
    { "guest a tables=17 : work\n", "w:1: tables: \"17\" is no number up to 16" },
    { "guest a tables=1 set=513 : work\n", "w:1: a: a set of 513 pages, and 1 tables have 512 entries" },
    { "guest a touch=99ns : work\n", "w:1: touch: \"99ns\" is less than 100ns" },
    { "guest a switch=1ns : work\n", "w:1: switch: \"1ns\" is less than 1000ns" },
    { "guest a : walk\n", "w:1: a step is \"fork every 1ms for 5ms\"" },
    { "guest a :\n", "w:1: a step is \"fork every 1ms for 5ms\"" },
    { "guest a : work for\n", "w:1: a step is \"fork every 1ms for 5ms\"" },
    { "guest a : work of 3ms\n", "w:1: work: \"of\" is not for how long: \"for 5ms\"" },
    { "guest a : fork\n", "w:1: fork: every how many ns? \"fork every 1ms\"" },
    { "guest a : fork for 3ms\n", "w:1: fork: every how many ns?" },
    { "guest a : exec every 10ns\n", "w:1: every: \"10ns\" is less than 1000ns" },
    { "guest a : work, rest for 1ms\n", "w:1: only a program's last step may be without a time" },
    { "guest a processes=1 : fork every 1ms\n", "w:1: a: fork needs processes= of at least 2" },
    { "frames 2\nguest a : work\nguest b : work\n", "w:3: 2 frames for 2 guests: each has a root, and one leaf more" },
    { "time 10s\nguest a touch=100ns : work\n", "w:2: more than 20000000 stores and accesses in all" },
    { "guest a : work\nexpect most == 1 from 1ms to 2ms\n", "w:2: expect: most is of a whole run" },
    { "guest a : work\nexpect stores < 2*clock\n",
      "w:2: expect: there is no policy \"clock\" (shadow has: oos, emulate;" },
};

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        file_write("w", mistakes[i].workload);
        if (KIT("shadow", "--policy", "/nowhere.so", "--workload", path("w")) != 1 || !in_file("err", mistakes[i].says))
            fail_msg("%s", mistakes[i].workload);
    }
    assert_int_equal(KIT("shadow", "--help"), 0);
    assert_true(in_file("out", "* resyncs"));
}

/* --- what guests do --- */

static struct shadow *loaded(const char *text, uint64_t seed)
{
    char why[KIT_WHY] = "";
    FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    struct shadow *m = shadow_load(f, seed, why);

    fclose(f);
    if (!m)
        fail_msg("%s: %s", text, why);
    return m;
}

/* The rule that is reckoned with: RULE 0 emulates, 1 lets go out of sync, 2 unshadows, where that is allowed; 3 mixes
 * all three. The lowest mfn goes. */
static int rule_of(int rule, uint64_t level, uint64_t busy, uint64_t mfn, uint64_t off)
{
    const int what = rule == 3 ? (int)((mfn * 7 + off / 8) % 3) : rule;

    if ((what == 1 && level == 2) || (what == 2 && busy))
        return 0;
    return what;
}

/* The same in a policy, which aborts if what it is told is not so. */
static const char policy[] =
    "#include <stdlib.h>\n#include \"xenlab/kit.h\"\n"
    "#define NEED(x) if (!(x)) abort()\n"
    "static uint64_t time;\n"
    "static void look(const struct shadow_now *w)\n"
    "{ NEED(w->now >= time && w->used <= w->frames && w->out <= w->most_out); time = w->now; }\n"
    "static int on_write(void *s, const struct shadow_now *w, const struct shadow_page *p, unsigned off)\n"
    "{ int what = w->compare % 10 == 3 ? (int)((p->mfn * 7 + off / 8) % 3) : (int)(w->compare % 10);\n"
    "  look(w); NEED(off % 8 == 0 && off < 4096 && !p->out && p->stores && p->made <= w->now && p->busy < 2);\n"
    "  NEED(p->level == 1 || p->level == 2); NEED(p->level == 2 || !p->busy);\n"
    "  if ((what == 1 && p->level == 2) || (what == 2 && p->busy)) return 0;\n"
    "  return what; }\n"
    "static uint64_t evict(void *s, const struct shadow_now *w, const struct shadow_page *p, size_t n)\n"
    "{ size_t i = 0, out = 0; look(w); NEED(n == w->used && n == w->frames);\n"
    "  for (; i < n; i++) { NEED(!i || p[i].mfn > p[i - 1].mfn); out += p[i].out; }\n"
    "  NEED(out >= w->out);\n"
    "  for (i = 0; p[i].busy; i++) ;\n"
    "  return p[i].mfn; }\n"
    "const struct shadow_ops xenlab_shadow_ops =\n"
    "    { { XENLAB_KIT_ABI, sizeof(struct shadow_ops), \"rule\", 0 }, on_write, evict };\n";

static void policy_build(void)
{
    file_write("p.c", policy);
    if (!build(path("p.c"), 0))
        skip();
}

/*
 * The same by another way: instead of shadows' contents there is, for each entry, when it was stored last, when the
 * shadow has got it, and whether it allowed stores then.
 */
struct reckoning {
    int rule;
    uint64_t accesses, stores, faults, emulated, outs, resyncs, unshadows, refills, made, evicted;
    uint64_t clock, used, most, root[SHADOW_MAX_GUESTS];
    uint64_t out_since[SHADOW_MAX_TABLES]; /* 0: in sync */
    bool there[SHADOW_MAX_TABLES];
    uint64_t link[SHADOW_MAX_TABLES][SHADOW_MAX_SLOTS]; /* leaf + 1 that the root's shadow leads to */
    struct {
        uint64_t got, stored;
        bool writable;
    } (*entry)[SHADOW_ENTRIES];
};

static void gone(struct reckoning *r, uint64_t t)
{
    r->there[t] = false;
    r->out_since[t] = 0;
    r->used--;
    for (unsigned int i = 0; i < SHADOW_ENTRIES; i++)
        r->entry[t][i].got = 0;
    memset(r->link[t], 0, sizeof(r->link[t]));
    for (unsigned int o = 0; o < SHADOW_MAX_TABLES; o++)
        for (unsigned int s = 0; s < SHADOW_MAX_SLOTS; s++)
            if (r->link[o][s] == t + 1)
                r->link[o][s] = 0;
}

static void comes(struct shadow *m, struct reckoning *r, uint64_t t, unsigned int guest, bool root)
{
    if (r->there[t])
        return;
    if (r->used == m->frames)
        for (uint64_t v = 0; v < m->nr_tables; v++) {
            bool in_cr3 = false;

            for (unsigned int g = 0; g < m->nr_guests; g++)
                in_cr3 |= r->root[g] == v + 1 && !(root && g == guest);
            if (r->there[v] && !in_cr3) {
                gone(r, v);
                r->evicted++;
                break;
            }
        }
    r->there[t] = true;
    r->made++;
    r->used++;
    r->most = r->used > r->most ? r->used : r->most;
}

static void compared(struct shadow *m, struct reckoning *r, uint64_t t)
{
    for (unsigned int i = 0; i < SHADOW_ENTRIES; i++)
        if (r->entry[t][i].got) {
            r->entry[t][i].got = m->table[t].entry[i] ? r->clock : 0; /* one that is not there any more is empty */
            r->entry[t][i].writable = m->table[t].entry[i] & SHADOW_W;
        }
    r->out_since[t] = 0;
    r->resyncs++;
}

static unsigned int owner_of(const struct shadow *m, uint64_t t)
{
    unsigned int g = 0;

    while (t >= m->guest[g].first + m->guest[g].nr_tables)
        g++;
    return g;
}

/* Those of the guest that are out of sync: how many; and which the longest. */
static uint64_t outs_of(const struct shadow *m, const struct reckoning *r, unsigned int guest, uint64_t *longest)
{
    uint64_t nr = 0;

    for (uint64_t t = 0; t < m->nr_tables; t++) {
        if (!r->out_since[t] || owner_of(m, t) != guest)
            continue;
        if (!nr++ || r->out_since[t] < r->out_since[*longest])
            *longest = t;
    }
    return nr;
}

static void store_reckoned(struct shadow *m, struct reckoning *r, const struct shadow_event *e)
{
    const uint64_t t = e->table;
    uint64_t longest = 0;
    bool busy = false;

    r->stores++;
    r->entry[t][e->index].stored = r->clock;
    if (!r->there[t] || r->out_since[t])
        return;
    for (unsigned int g = 0; g < m->nr_guests; g++)
        busy |= r->root[g] == t + 1;
    r->faults++;
    switch (rule_of(r->rule, m->table[t].level, busy, t + SHADOW_FIRST, e->index * 8)) {
    case 0:
        r->emulated++;
        r->entry[t][e->index].got = m->table[t].entry[e->index] ? r->clock : 0;
        r->entry[t][e->index].writable = m->table[t].entry[e->index] & SHADOW_W;
        if (m->table[t].level == 2 && e->index < SHADOW_MAX_SLOTS)
            r->link[t][e->index] = 0;
        break;
    case 1:
        if (outs_of(m, r, e->guest, &longest) == m->most_out)
            compared(m, r, longest);
        r->outs++;
        r->out_since[t] = r->clock;
        break;
    case 2:
        r->unshadows++;
        gone(r, t);
        break;
    }
}

static void access_reckoned(struct shadow *m, struct reckoning *r, const struct shadow_event *e)
{
    const uint64_t t = e->table, root = r->root[e->guest] - 1;
    bool missing = !r->there[t];

    r->accesses++;
    assert_true(m->table[t].entry[e->index] & SHADOW_P);
    assert_true(!e->write || m->table[t].entry[e->index] & SHADOW_W);
    comes(m, r, t, e->guest, false);
    if (r->link[root][e->slot] != t + 1) {
        missing = true;
        r->refills++;
        r->link[root][e->slot] = t + 1;
        if (r->out_since[t])
            compared(m, r, t);
    }
    if (!r->entry[t][e->index].got || (e->write && !r->entry[t][e->index].writable)) {
        missing = true;
        r->refills++;
        r->entry[t][e->index].got = r->clock;
        r->entry[t][e->index].writable = m->table[t].entry[e->index] & SHADOW_W;
    }
    assert_true(r->entry[t][e->index].got >= r->entry[t][e->index].stored); /* nothing stale */
    r->faults += missing;
}

static bool reckon_one(struct shadow *m, const struct shadow_event *e, void *data)
{
    struct reckoning *r = data;
    uint64_t longest = 0;

    r->clock++;
    switch (e->what) {
    case SHADOW_STORE: store_reckoned(m, r, e); break;
    case SHADOW_ACCESS: access_reckoned(m, r, e); break;
    case SHADOW_INVLPG:
        if (r->out_since[e->table])
            compared(m, r, e->table);
        break;
    case SHADOW_CR3:
        while (outs_of(m, r, e->guest, &longest))
            compared(m, r, longest);
        comes(m, r, e->table, e->guest, true);
        r->root[e->guest] = e->table + 1;
        break;
    }
    return true;
}

/* The workload "w" with a rule. */
static void reckon_and_run(const char *text, int rule, uint64_t seed)
{
    struct shadow *m = loaded(text, seed);
    struct reckoning *r = calloc(1, sizeof(*r));
    char number[24];

    assert_non_null(r);
    r->rule = rule;
    r->entry = calloc(m->nr_tables, sizeof(*r->entry));
    assert_non_null(r->entry);
    shadow_begin(m);
    assert_true(shadow_guests(m, reckon_one, r));
    file_write("w", text);
    snprintf(number, sizeof(number), "%u", (unsigned int)seed);
    if (KIT("shadow", "--policy", path("p.so"), "--workload", path("w"), "--json", "--seed", number))
        fail_msg("seed %s: %s%s%s", number, text, file_read("out"), file_read("err"));
    assert_int_equal(figure("accesses", ""), r->accesses);
    assert_int_equal(figure("stores", ""), r->stores);
    assert_int_equal(figure("emulated", ""), r->emulated);
    assert_int_equal(figure("outs", ""), r->outs);
    assert_int_equal(figure("resyncs", ""), r->resyncs);
    assert_int_equal(figure("compared", ""), r->resyncs * 512);
    assert_int_equal(figure("unshadows", ""), r->unshadows);
    assert_int_equal(figure("refills", ""), r->refills);
    assert_int_equal(figure("made", ""), r->made);
    assert_int_equal(figure("evicted", ""), r->evicted);
    assert_int_equal(figure("faults", ""), r->faults);
    assert_int_equal(figure("most", ""), r->most);
    assert_int_equal(figure("stale", ""), 0);
    assert_int_equal(figure("overhead", "") * 1000 + 0.5, r->faults * 1000 + r->emulated * 2000 +
                                                              r->resyncs * 512 * m->compare + r->made * 1000 +
                                                              (r->unshadows + r->evicted) * 500);
    free(r->entry);
    free(r);
    shadow_free(m);
}

static unsigned int any(uint64_t *random, uint64_t nr)
{
    return (unsigned int)((*random = workload_stir(*random + 1)) % nr);
}

static void test_random(void **state)
{
    static const char *const how[] = { "fork", "exec", "protect" };

    policy_build();
    for (uint64_t seed = 1; seed <= 12; seed++) {
        uint64_t random = workload_stir(seed);
        const int rule = (int)(seed % 4);
        char text[1024];
        size_t n = (size_t)snprintf(text, sizeof(text), "frames %u\noos %u\ncompare %dns\ntime 2ms\n",
                                    any(&random, 20) + 4, any(&random, 4) + 1, 10 + rule);

        for (unsigned int g = 0, guests = any(&random, 3) + 1; g < guests; g++) {
            n += (size_t)snprintf(text + n, sizeof(text) - n,
                                  "guest g%u processes=%u tables=%u set=%u touch=%uns switch=%uus : ", g,
                                  any(&random, 3) + 2, any(&random, 3) + 1, any(&random, 300) + 1,
                                  any(&random, 3000) + 1000, any(&random, 100) + 20);
            n += (size_t)snprintf(text + n, sizeof(text) - n, "work for %uus, %s every %uus for 500us, rest for 20us\n",
                                  any(&random, 300) + 1, how[any(&random, 3)], any(&random, 200) + 100);
        }
        reckon_and_run(text, rule, seed);
    }
}

/* By hand: one process, one table, one page; then exec, each 10 us. In each life the leaf is cleared, and linked. */
static void test_figures(void **state)
{
    policy_build();
    file_write("w", "compare 10ns\ntime 30us\nguest a processes=1 tables=1 set=1 touch=10us : exec every 10us\n");
    assert_int_equal(KIT("shadow", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    /* at 0: exec of nothing; the leaf is cleared, 512 stores, and two more are for root and page; at 10 us, 20 us: the
     * root's entry is cleared, and the same again, in a leaf that is shadowed now. */
    assert_int_equal(figure("stores", ""), 514 + 2 * 515);
    assert_int_equal(figure("emulated", ""), 1 + 2 * 515);
    assert_int_equal(figure("accesses", ""), 3);
    assert_int_equal(figure("made", ""), 2);
    assert_int_equal(figure("refills", ""), 2 + 2); /* the root's entry each time, the leaf's the first time */
    assert_int_equal(figure("faults", ""), 1 + 2 * 515 + 3);
    file_write("w", "compare 11ns\ntime 30us\nguest a processes=1 tables=1 set=1 touch=10us : exec every 10us\n");
    assert_int_equal(KIT("shadow", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_int_equal(figure("outs", ""), 2); /* the clearing's first store */
    assert_int_equal(figure("resyncs", ""), 2);
    assert_int_equal(figure("refills", ""), 2 + 2);
    file_write("w", "compare 12ns\ntime 30us\nguest a processes=1 tables=1 set=1 touch=10us : exec every 10us\n");
    assert_int_equal(KIT("shadow", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_int_equal(figure("unshadows", ""), 2);
    assert_int_equal(figure("made", ""), 4);
    assert_int_equal(figure("refills", ""), 6);
    file_write("w", "time 1ms\nguest a : rest\n"); /* nothing happens: but for its root, which it has */
    assert_int_equal(KIT("shadow", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_int_equal(figure("faults", ""), 0);
    assert_int_equal(figure("memory", ""), 1);
    /* A root and a leaf for 5 ms; then the other process has its own as well: 2 and 4 are 3 on average. */
    file_write("w", "time 10ms\nguest a processes=2 tables=1 set=10 touch=1us switch=5ms : work\n");
    assert_int_equal(KIT("shadow", "--policy", path("p.so"), "--workload", path("w"), "--json"), 0);
    assert_int_equal(figure("memory", "") * 10 + 0.5, 30);
    assert_int_equal(figure("most", ""), 4);
}

/* The examples: what they are for, the same twice, another seed otherwise; the chart is there. */
static void test_examples(void **state)
{
    static const char forks[] = "docs/examples/kit/forks.txt", switches[] = "docs/examples/kit/switches.txt";
    char *one, *two;
    double oos;

    if (!build("docs/examples/kit/oos.c", 0))
        skip();
    assert_int_equal(KIT("shadow", "--policy", path("p.so"), "--workload", switches, "--json"), 0);
    oos = figure("overhead", "");
    assert_true(build("docs/examples/kit/emulate.c", 0));
    assert_int_equal(KIT("shadow", "--policy", path("p.so"), "--workload", switches, "--json"), 0);
    assert_true(figure("overhead", "") * 2 < oos);
    assert_true(build("docs/examples/kit/oos.c", 0));
    assert_int_equal(KIT("shadow", "--policy", path("p.so"), "--workload", forks, "--json", "--svg", path("svg")), 0);
    assert_true(figure("faults", "") * 4 < figure("stores", ""));
    assert_true(in_file("svg", "compared entries</text>"));
    one = file_read("out");
    assert_int_equal(KIT("shadow", "--policy", path("p.so"), "--workload", forks, "--json"), 0);
    two = file_read("out");
    assert_string_equal(one, two);
    free(two);
    assert_int_equal(KIT("shadow", "--policy", path("p.so"), "--workload", forks, "--json", "--seed", "2"), 0);
    two = file_read("out");
    assert_string_not_equal(one, two);
    free(one);
    free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults), cmocka_unit_test(test_mistakes), cmocka_unit_test(test_figures),
        cmocka_unit_test(test_random), cmocka_unit_test(test_examples),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
