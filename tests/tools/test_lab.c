// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What labs are judged by: reports and where they part, shrinking, starters, lab.conf, variants.
 *
 * Budget: more than 400 lines: a table for each of these files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/random.h"
#include "tools/lab/facts.h"
#include "tools/lab/lab.h"
#include "tools/lab/shrink.h"
#include "tools/lab/starter.h"
#include "tools/lab/variant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* libxlutil's parser forgets the strings of a line that it refuses: not ours to free. */
#ifdef __SANITIZE_ADDRESS__
void __lsan_disable(void);
void __lsan_enable(void);
#else
static void __lsan_disable(void) {}
static void __lsan_enable(void) {}
#endif

/* --- facts --- */

static double twice(const void *lab, const char *name)
{
    (void)lab;
    return strcmp(name, "exits") ? 0 : 2;
}

static const char golden[] = "step 0 push\nfact a one\ncount exits 10\nstep 1 pop\nfact b two\nend\n";

static void test_facts_differ(void **state)
{
    static const struct {
        const char *got, *name, *step, *expected, *said;
        bool forged;
    } rows[] = {
        { "step 0 push\nfact a one\ncount exits 20\nstep 1 pop\nfact b two\nend\n", NULL, NULL, NULL, NULL, false },
        { "step 0 push\nfact a uno\n", "a", "push", "one", "uno", false },
        { "step 0 push\nfact a one\ncount exits 21\n", "exits", "push", NULL, "", false },
        { "step 0 push\nfact a one\n", "exits", "push", NULL, NULL, false },
        { "step 0 push\nfact a one\ncount exits 9\nstep 1 pop\n", "b", "pop", "two", NULL, false },
        { "step 0 pull\nfact a one\n", "a", "push", "one", "pull", true },
        { "fact a one\n", "a", "push", "one", "one", true },
        { "step 0 push\nfact b two\n", "a", "push", "one", "two", true },
        { "step 0 push\nfact a one\ncount exits 10\nstep 1 pop\nfact b two\nfact b two\nend\n", "b", "pop",
          "nothing more, and its end", "two", true },
        { "step 0 push\nfact a one\ncount exits 10\nstep 1 pop\nfact b two\n", "b", "pop", "nothing more, and its end",
          NULL, false },
        { "end\n", "a", "push", "one", "", true },
        { "", "a", "push", "one", NULL, false },
    };
    struct facts g, f;
    struct divergence d;

    (void)state;
    assert_true(facts_read(&g, golden, strlen(golden)) && facts_ended(&g));
    assert_int_equal(facts_steps(&g), 2);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(facts_read(&f, rows[i].got, strlen(rows[i].got)));
        assert_string_equal(f.wrong, "");
        assert_int_equal(facts_differ(&g, &f, twice, NULL, &d), rows[i].name != NULL);
        if (rows[i].name) {
            assert_string_equal(d.name, rows[i].name);
            assert_string_equal(d.step, rows[i].step);
            assert_int_equal(d.forged, rows[i].forged);
            assert_int_equal(d.expected != NULL, rows[i].expected != NULL);
            assert_int_equal(d.got != NULL, rows[i].said != NULL);
            if (d.expected)
                assert_string_equal(d.expected, rows[i].expected);
            if (d.got)
                assert_string_equal(d.got, rows[i].said);
        }
        facts_free(&f);
    }
    facts_free(&g);
}

static void test_facts_wrong(void **state)
{
    static const struct {
        const char *text, *wrong;
        size_t kept;
    } rows[] = {
        { "step 0 a\nhello\nend\n", "line 2 is no step, fact, count or end: \"hello\"", 1 },
        { "step 0 a\nxenlab bug at mmu/page.c:7: !pg\nend\n", "stopped by a BUG_ON() at mmu/page.c:7: !pg", 1 },
        { "fact\n", "line 1 is no", 0 },
        { "fact a b", "line 1 has no end", 0 },
        { "fact a\001\n", "line 1 has bytes that are no text", 0 },
        { "step x a\n", "line 1 is no", 0 },
        { "step 99999999999999999999 a\n", "line 1 is no", 0 },
        { "count a -1\n", "line 1 is no", 0 },
        { "count a\n", "line 1 is no", 0 },
        { "count a 1 1\n", "line 1 is no", 0 },
        { "fact a;b c\n", "line 1 is no", 0 },
        { "fact abcdefghijabcdefghijabcdefghijabcdefghij c\n", "line 1 is no", 0 },
        { "end now\n", "line 1 is no", 0 },
        { "end\nend\n", "line 2 comes after the end", 1 },
        { "\n", "line 1 is no", 0 },
    };
    static char many[2 * FACTS_MAX * 4 + 64], longest[FACTS_LINE + 2];
    struct facts f;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(facts_read(&f, rows[i].text, strlen(rows[i].text)));
        assert_non_null(strstr(f.wrong, rows[i].wrong));
        assert_int_equal(f.nr, rows[i].kept);
        assert_false(facts_ended(&f));
        facts_free(&f);
    }
    memset(longest, 'x', sizeof(longest));
    memcpy(longest, "fact a ", 7);
    longest[sizeof(longest) - 1] = '\n';
    assert_true(facts_read(&f, longest, sizeof(longest)));
    assert_string_equal(f.wrong, "line 1 is too long");
    facts_free(&f);
    for (size_t i = 0; i < FACTS_MAX + 1; i++)
        memcpy(many + i * 8, "fact a \n", 8);
    assert_true(facts_read(&f, many, FACTS_MAX * 8));
    assert_string_equal(f.wrong, "");
    facts_free(&f);
    assert_true(facts_read(&f, many, (FACTS_MAX + 1) * 8));
    assert_non_null(strstr(f.wrong, "more than"));
    facts_free(&f);
}

/* A report of which anything has been changed is read, and differs or does not; nothing else happens. */
static void test_facts_random(void **state)
{
    uint64_t prng = 1;
    unsigned int differ = 0;
    struct facts g, f;
    struct divergence d;

    (void)state;
    assert_true(facts_read(&g, golden, strlen(golden)));
    for (unsigned int i = 0; i < 20000; i++) {
        char text[sizeof(golden)];
        size_t len = strlen(golden);

        memcpy(text, golden, sizeof(text));
        for (uint64_t n = random_of(&prng, 4); n; n--)
            text[random_of(&prng, len)] = (char)random_of(&prng, 256);
        len = random_of(&prng, 8) ? len : random_of(&prng, len);
        assert_true(facts_read(&f, text, len));
        if (!facts_differ(&g, &f, twice, NULL, &d))
            assert_true(facts_ended(&f));
        else
            differ++;
        facts_free(&f);
    }
    assert_true(differ > 10000 && differ < 20000);
    facts_free(&g);
}

/* --- shrinking --- */

struct needs {
    uint32_t step[4];
    size_t nr;
    unsigned int asked;
};

/* All of those, in their order. */
static bool fails_with_all(void *data, const uint32_t *step, size_t nr)
{
    struct needs *n = data;
    size_t found = 0;

    n->asked++;
    for (size_t i = 0; i < nr; i++)
        found += found < n->nr && step[i] == n->step[found];
    return found == n->nr;
}

static void test_shrink(void **state)
{
    uint64_t prng = 1;

    (void)state;
    for (unsigned int round = 0; round < 500; round++) {
        const size_t nr = 1 + random_of(&prng, 300);
        struct needs n = { .nr = 1 + random_of(&prng, nr < 4 ? nr : 4) };
        uint32_t step[300], chosen = 0;
        size_t left;

        for (size_t i = 0; i < nr; i++)
            step[i] = (uint32_t)i;
        for (size_t i = 0; i < n.nr; i++) { /* growing */
            chosen += (uint32_t)random_of(&prng, (nr - chosen) / (n.nr - i));
            n.step[i] = chosen++;
        }
        left = shrink(step, nr, 100000, fails_with_all, &n);
        assert_int_equal(left, n.nr);
        assert_memory_equal(step, n.step, left * sizeof(*step));

        for (size_t i = 0; i < nr; i++)
            step[i] = (uint32_t)i;
        n.asked = 0;
        left = shrink(step, nr, 10, fails_with_all, &n);
        assert_true(n.asked <= 10 && fails_with_all(&n, step, left));
    }
}

/* --- starters --- */

static const char source[] =
    "int one(int a);\nint one(int a)\n{\n    if (a) {\n        return 1;\n    }\n    return 2;\n}\n\n"
    "static bool two(void) { return one(1); }\n\nvoid three(void)\n{\n    two();\n}\n";

static void test_starter(void **state)
{
    const struct starter_body both[] = { { "one", "return 0;" }, { "two", "" } }, none = { "four", "" };
    char err[STARTER_ERR_SIZE], *text = starter_make(source, both, 2, err);

    (void)state;
    assert_string_equal(text, "int one(int a);\nint one(int a)\n{\n    /* YOURS */\n    return 0;\n}\n\n"
                              "static bool two(void)\n{\n    /* YOURS */\n}\n\nvoid three(void)\n{\n    two();\n}\n");
    free(text);
    assert_null(starter_make(source, &none, 1, err));
    assert_string_equal(err, "four() is not defined there");
    assert_null(starter_make("int four(int a", &none, 1, err));
    assert_null(starter_make("int four(int a)\n{\n", &none, 1, err));
    assert_null(starter_make("int four(int a) { return", &none, 1, err));
}

/* Of two files, each function where it is; one that is in both, or in none, is told. */
static void test_starters(void **state)
{
    static const char *const sources[] = { source,
                                           "static bool four(void) { return two(); }\nint five(void) { return 5; }\n" },
                             *const same[] = { source, source };
    const struct starter_body rows[] = { { "four", "return 0;" }, { "one", "" } }, none = { "six", "" };
    char err[STARTER_ERR_SIZE], *text[2];

    (void)state;
    assert_true(starters_make(sources, text, 2, rows, 2, err));
    assert_true(strstr(text[0], "int one(int a)\n{\n    /* YOURS */\n}") &&
                strstr(text[0], "two(void) { return one(1)"));
    assert_true(strstr(text[1], "    return 0;\n}\nint five(void) { return 5; }"));
    free(text[0]), free(text[1]);
    assert_false(starters_make(sources, text, 2, &none, 1, err));
    assert_string_equal(err, "six() is defined in none of the files");
    assert_false(starters_make(same, text, 2, rows + 1, 1, err));
    assert_string_equal(err, "one() is defined in two of the files");
}

/* --- variants --- */

static void test_variant(void **state)
{
    static const struct {
        const char *text, *err;
    } rows[] = {
        { "FAIL a: what\n<<<<\n    two();\n====\n>>>>\n", NULL },
        { "PASS: what\n<<<<\n    two();\n====\n    two(), two();\n>>>>\n<<<<\n    return 2;\n====\n    return "
          "3;\n>>>>\n",
          NULL },
        { "FAIL a: what\n", "changes nothing" },
        { "FAIL: what\n<<<<\n    two();\n====\n>>>>\n", "first line" },
        { "", "first line" },
        { "FAIL a: what\n<<<<\n    two();\n====\n", "not followed" },
        { "FAIL a: what\n<<<<\n    four();\n====\n>>>>\n", "nowhere" },
        { "FAIL a: what\n<<<<\n    two(\n====\n>>>>\n", "\"    two(\", to the end of its line, stands there nowhere" },
        { "FAIL a: what\n<<<<\n{\n====\n>>>>\n", "twice" },
        { "FAIL a: what\n<<<<\n====\n>>>>\n", "nowhere" },
    };
    char err[VARIANT_ERR_SIZE];
    struct variant v;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(variant_read(&v, rows[i].text, (const char *const[]){ source }, 1, err), rows[i].err ? -1 : 0);
        if (rows[i].err)
            assert_non_null(strstr(err, rows[i].err));
        else if (i == 0)
            assert_true(!v.passes && !strcmp(v.property, "a") && !strcmp(v.what, "what") &&
                        !strstr(v.source[0], "two();"));
        else
            assert_true(v.passes && strstr(v.source[0], "two(), two();") && strstr(v.source[0], "return 3;"));
        variant_free(&v);
    }
}

/* Of two files: the one that has the text is changed, and one that both have says nothing. */
static void test_variant_files(void **state)
{
    static const char *const sources[] = { "int a;\nint b;\n", "int b;\nint c;\n" };
    char err[VARIANT_ERR_SIZE];
    struct variant v;

    (void)state;
    assert_int_equal(
        variant_read(&v, "PASS: both\n<<<<\nint c;\n====\nint d;\n>>>>\n<<<<\nint a;\n====\n>>>>\n", sources, 2, err),
        0);
    assert_string_equal(v.source[0], "int b;\n");
    assert_string_equal(v.source[1], "int b;\nint d;\n");
    variant_free(&v);
    assert_int_equal(variant_read(&v, "PASS: one\n<<<<\nint b;\n====\n>>>>\n", sources, 2, err), -1);
    assert_non_null(strstr(err, "twice"));
    variant_free(&v);
}

/* --- lab.conf --- */

static const char conf[] =
    "title = \"T\"\nhours = 2\nform = \"H\"\nfile = \"a/b.c\"\nbodies = [ \"f | return 0;\" ]\n"
    "properties = [ \"p | what | where\", \"n | how many | where\" ]\nbudgets = [ \"n | 1.5\" ]\n"
    "seeds = \"1-8\"\n";

static int conf_read(struct lab *l, const char *text, size_t len, char err[LAB_ERR_SIZE])
{
    char folder[] = "/tmp/xenlab-test-XXXXXX", lab[64], path[80];
    FILE *f;
    int rc;

    assert_non_null(mkdtemp(folder));
    snprintf(lab, sizeof(lab), "%s/07-seven", folder);
    snprintf(path, sizeof(path), "%s/lab.conf", lab);
    assert_int_equal(mkdir(lab, 0700), 0);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    fclose(f);
    rc = lab_read(l, lab, err);
    unlink(path);
    rmdir(lab);
    rmdir(folder);
    return rc;
}

static void test_conf(void **state)
{
    static const struct {
        const char *from, *to, *err;
    } rows[] = {
        { "", "", NULL },
        { "\"H\"", "\"X\"", "form: \"X\" is none" },
        { "hours = 2", "hours = 0", "hours: a number from 1 to 40" },
        { "hours = 2", "hors = 2", "there is no key hors" },
        { "title = \"T\"\n", "", "title: a string is wanted" },
        { "file = \"a/b.c\"", "files = [ \"a/b.c\", \"c/d.c\" ]", NULL },
        { "file = \"a/b.c\"\n", "", "file: a string is wanted" },
        { "file = \"a/b.c\"", "files = [ ]", "file: a string is wanted" },
        { "hours = 2\n", "hours = 2\nfiles = [ \"c/d.c\" ]\n", "file: there are files, too" },
        { "file = \"a/b.c\"", "files = [ \"a/b.c\", \"c/b.c\" ]", "two are called b.c" },
        { "file = \"a/b.c\"", "files = [ \"1\", \"2\", \"3\", \"4\", \"5\" ]", "files: more than 4" },
        { "[ \"f | return 0;\" ]", "[ ]", "there is nothing to write" },
        { "[ \"f | return 0;\" ]", "[ \"f\" ]", "2 parts are wanted" },
        { "[ \"f | return 0;\" ]", "[ \"f | a | b\" ]", "2 parts are wanted" },
        { "\"p | what | where\"", "\"n | what | where\"", "n is there twice" },
        { "\"p | what | where\"", "\" | what | where\"", "a name is missing" },
        { "\"n | 1.5\"", "\"m | 1.5\"", "m is no property" },
        { "\"n | 1.5\"", "\"n | 0.5\"", "a number from 1 to 1000" },
        { "\"n | 1.5\"", "\"n | nan\"", "a number from 1 to 1000" },
        { "\"H\"", "\"Q\"", "questions: property p has none" },
        { "seeds =", "questions = [ \"p | run x | take y\" ]\nseeds =", "questions: its form is not Q" },
        { "seeds =", "kit = \"memctl\"\nseeds =", "kit: its form is not P" },
        { "seeds =", "questions = [ \"n | run x | take y\" ]\nseeds =",
          "n: they are as the properties, in their order" },
        { "seeds =", "questions = [ \"p | run x\" ]\nseeds =", "3 parts are wanted" },
        { "\"1-8\"", "\"8-1\"", "seeds: \"8-1\"" },
        { "\"1-8\"", "\"1-9999\"", "seeds: \"1-9999\"" },
    };
    char err[LAB_ERR_SIZE], text[1024];
    struct lab l;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *at = strstr(conf, rows[i].from);

        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - conf), conf, rows[i].to, at + strlen(rows[i].from));
        assert_int_equal(conf_read(&l, text, strlen(text), err), rows[i].err ? -1 : 0);
        if (rows[i].err && !strstr(err, rows[i].err))
            fail_msg("%s: %s", rows[i].err, err);
        if (!rows[i].err) {
            assert_true(l.number == 7 && l.hours == 2 && l.nr_properties == 2 && l.nr_bodies == 1);
            assert_true(l.seed_from == 1 && l.seed_to == 8);
            assert_true(lab_factor(&l, "n") == 1.5 && lab_factor(&l, "p") == 0 && lab_factor(&l, "x") == 0);
            assert_string_equal(l.body[0].instead, "return 0;");
            assert_true(l.nr_files == 1 + !strncmp(rows[i].to, "files", 5) && !strcmp(lab_file_of(&l, 0), "b.c"));
        }
        lab_free(&l);
    }
}

/* Of questions: no bodies, no seeds, each property has one. */
static void test_conf_questions(void **state)
{
    static const char text[] = "title = \"T\"\nhours = 2\nform = \"Q\"\nfile = \"a/answers.txt\"\n"
                               "properties = [ \"p | what | where\", \"q | which | where\" ]\n"
                               "questions = [ \"p | run x | take (y)\", \"q | run z | count y\" ]\n";
    static const char bodies[] = "bodies = [ \"f | return 0;\" ]\n";
    char err[LAB_ERR_SIZE], more[512];
    struct lab l;

    (void)state;
    assert_int_equal(conf_read(&l, text, strlen(text), err), 0);
    assert_true(l.seed_from == 1 && l.seed_to == 2 && l.nr_questions == 2);
    assert_string_equal(l.question[1].run, "run z");
    assert_string_equal(l.question[1].how, "count y");
    lab_free(&l);
    snprintf(more, sizeof(more), "%s%s", text, bodies);
    assert_int_equal(conf_read(&l, more, strlen(more), err), -1);
    assert_non_null(strstr(err, "no bodies"));
    lab_free(&l);
}

static void test_conf_random(void **state)
{
    uint64_t prng = 1;
    unsigned int read = 0;
    char err[LAB_ERR_SIZE];
    struct lab l;

    (void)state;
    for (unsigned int i = 0; i < 500; i++) {
        char text[sizeof(conf)];

        memcpy(text, conf, sizeof(text));
        for (uint64_t n = 1 + random_of(&prng, 3); n; n--)
            text[random_of(&prng, strlen(conf))] = (char)random_of(&prng, 256);
        __lsan_disable();
        read += !conf_read(&l, text, strlen(conf), err);
        __lsan_enable();
        lab_free(&l);
    }
    assert_true(read > 5 && read < 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts_differ), cmocka_unit_test(test_facts_wrong),
        cmocka_unit_test(test_facts_random), cmocka_unit_test(test_shrink),
        cmocka_unit_test(test_starter),      cmocka_unit_test(test_variant),
        cmocka_unit_test(test_starters),     cmocka_unit_test(test_variant_files),
        cmocka_unit_test(test_conf),         cmocka_unit_test(test_conf_questions),
        cmocka_unit_test(test_conf_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
