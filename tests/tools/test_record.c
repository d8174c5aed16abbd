// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Recordings as files: what was written is read; what was cut off is good up to the last line; what somebody has
 * changed, byte by byte, line by line, at random, is read or refused with a message, and nothing worse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tools/rewind/record.h"

#define SIZE_MAX_TEXT 4096

static char path[64];
static int fd;
static char whole[SIZE_MAX_TEXT]; /* a good one */
static size_t whole_len;

static int setup(void **state)
{
    fd = memfd_create("recording", 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return fd < 0;
}

static void put(const char *text, size_t len)
{
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, text, len, 0), len);
}

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct record_line lines[] = {
    { .kind = RECORD_JOURNAL,
      .at = { 12, 3 },
      .now = 1000,
      .in = { .kind = JOURNAL_CONSOLE, .who = 2, .len = 4, .bytes = (uint8_t *)"a\n\0\xff" } },
    { .kind = RECORD_KEYBOARD, .at = { 12, 4 }, .now = 1000, .guest = 1 },
    { .kind = RECORD_AT, .at = { 10000001, 0 }, .now = 999, .cpus = UINT64_C(0x123456789abcdef0) },
    { .kind = RECORD_END,
      .at = { UINT64_MAX - 1, UINT64_MAX - 1 },
      .now = STIME_MAX,
      .cpus = 1,
      .hash = UINT64_MAX,
      .why = RECORD_SIGNAL,
      .signal = 15 },
};

static char odd[256]; /* every byte that a path may have */

static void write_whole(void)
{
    struct record_file files[] = { { odd, DIGEST }, { (char[]){ "b c" }, DIGEST } };
    const struct record_head head = {
        .build = (char[]){ "0.1 of today" },
        .engine = (char[]){ "some" },
        .options = { (char *[]){ (char[]){ "--memory=3" }, odd }, 2 },
        .guests = { (char *[]){ odd }, 1 },
        .files = files,
        .nr_files = 2,
    };
    FILE *out = fmemopen(whole, sizeof(whole), "w");

    for (unsigned int i = 0; i < 255; i++)
        odd[i] = (char)(i + 1);
    assert_non_null(out);
    assert_true(record_write_head(out, &head));
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        assert_true(record_write_line(out, &lines[i]));
    whole_len = (size_t)ftell(out);
    fclose(out);
}

static void same_line(const struct record_line *a, const struct record_line *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_memory_equal(&a->at, &b->at, sizeof(a->at));
    assert_int_equal(a->now, b->now);
    assert_true(a->guest == b->guest && a->cpus == b->cpus && a->hash == b->hash);
    if (a->kind == RECORD_END)
        assert_true(a->why == b->why && a->signal == b->signal);
    if (a->kind != RECORD_JOURNAL)
        return;
    assert_true(a->in.kind == b->in.kind && a->in.who == b->in.who && a->in.len == b->in.len);
    assert_memory_equal(a->in.bytes, b->in.bytes, a->in.len);
}

static void test_round_trip(void **state)
{
    char err[RECORD_ERR_SIZE];
    struct record r;

    write_whole();
    put(whole, whole_len);
    if (record_read(&r, path, err))
        fail_msg("%s", err);
    assert_string_equal(r.head.build, "0.1 of today");
    assert_string_equal(r.head.engine, "some");
    assert_int_equal(r.head.options.nr, 2);
    assert_string_equal(r.head.options.texts[1], odd);
    assert_int_equal(r.head.guests.nr, 1);
    assert_int_equal(r.head.nr_files, 2);
    assert_string_equal(r.head.files[0].path, odd);
    assert_string_equal(r.head.files[1].path, "b c");
    assert_string_equal(r.head.files[1].digest, DIGEST);
    assert_int_equal(r.nr, ARRAY_SIZE(lines));
    assert_true(r.ended);
    for (size_t i = 0; i < r.nr; i++)
        same_line(&r.lines[i], &lines[i]);
    record_free(&r);
}

static void test_each_reason(void **state)
{
    for (enum record_end why = RECORD_DONE; why <= RECORD_KNOWN; why++) {
        struct record_line end = lines[3];
        char err[RECORD_ERR_SIZE];
        struct record r;
        FILE *out;

        write_whole();
        end.why = why;
        end.signal = why == RECORD_SIGNAL ? 2 : 0;
        out = fmemopen(whole, sizeof(whole), "r+");
        fseek(out, strstr(whole, "\nend ") + 1 - whole, SEEK_SET);
        assert_true(record_write_line(out, &end));
        whole_len = (size_t)ftell(out);
        fclose(out);
        put(whole, whole_len);
        if (record_read(&r, path, err))
            fail_msg("%s", err);
        same_line(&r.lines[3], &end);
        record_free(&r);
    }
}

/* Cut off at every byte: all lines that are whole, or a message. */
static void test_cut(void **state)
{
    const char *begin;

    write_whole();
    begin = strstr(whole, "\nbegin\n") + strlen("\nbegin\n");
    for (size_t len = 0; len < whole_len; len++) {
        char err[RECORD_ERR_SIZE] = "";
        struct record r;
        size_t nr = 0;

        put(whole, len);
        if (whole + len < begin) {
            assert_int_equal(record_read(&r, path, err), -1);
            assert_non_null(strstr(err, len < strlen("xenlab recording ") ? "this is no recording" : "cut off here"));
        } else {
            if (record_read(&r, path, err))
                fail_msg("%zu: %s", len, err);
            for (const char *p = begin; (p = memchr(p, '\n', (size_t)(whole + len - p))); p++)
                nr++;
            assert_int_equal(r.nr, nr);
            assert_false(r.ended);
        }
        record_free(&r);
    }
}

/* It is read, or refused with a message that names the file. True: it was read. */
static bool survives(const char *text, size_t len)
{
    char err[RECORD_ERR_SIZE] = "";
    struct record r;
    bool good;

    put(text, len);
    good = record_read(&r, path, err) == 0;
    assert_true(good == !err[0]);
    if (!good && !strstr(err, ": line ") && !strstr(err, "this is no recording"))
        fail_msg("no line is named: %s", err);
    assert_true(good || !strncmp(err, path, strlen(path)));
    record_free(&r);
    return good;
}

static void test_each_byte(void **state)
{
    static const char others[] = { 0, '\n', ' ', '0', '9', 'x', 'f', '#', '.', '-', '\\', (char)0xff };
    unsigned int tried = 0, read = 0;
    char text[SIZE_MAX_TEXT];

    write_whole();
    for (size_t i = 0; i < whole_len; i++)
        for (size_t k = 0; k < sizeof(others); k++) {
            memcpy(text, whole, whole_len);
            text[i] = others[k];
            read += survives(text, whole_len);
            memmove(text + i, whole + i + 1, whole_len - i - 1); /* without it */
            read += survives(text, whole_len - 1);
            tried += 2;
        }
    print_message("%u changes, %u of them read\n", tried, read);
    assert_true(tried > 10000 && read > tried / 10 && read < tried);
}

/* A line away, twice, or somewhere else. */
static void test_each_line(void **state)
{
    const char *at[64], *end;
    size_t nr = 0;

    write_whole();
    for (const char *p = whole; p < whole + whole_len; p = strchr(p, '\n') + 1)
        at[nr++] = p;
    end = at[nr] = whole + whole_len;
    for (size_t i = 0; i < nr; i++)
        for (size_t to = 0; to <= nr; to++) {
            const size_t len = (size_t)(at[i + 1] - at[i]);
            char text[2 * SIZE_MAX_TEXT];
            size_t n = 0;

            for (int twice = 0; twice < 2; twice++, n = 0) {
                for (size_t k = 0; k <= nr; k++) {
                    if (k == to)
                        memcpy(text + n, at[i], len), n += len;
                    if (k < nr && (k != i || twice))
                        memcpy(text + n, at[k], (size_t)(at[k + 1] - at[k])), n += (size_t)(at[k + 1] - at[k]);
                }
                survives(text, n);
            }
        }
    assert_ptr_equal(end, at[nr]);
}

static void test_random(void **state)
{
    uint64_t prng = 1;
    char text[SIZE_MAX_TEXT];

    write_whole();
    for (unsigned int n = 0; n < 20000; n++) {
        memcpy(text, whole, whole_len);
        for (unsigned int k = 0; k < 1 + n % 8; k++) {
            prng = prng * UINT64_C(6364136223846793005) + 1442695040888963407;
            text[(prng >> 33) % whole_len] = n % 2 ? (char)(prng >> 20) : "0123456789abcdef #.\n"[(prng >> 20) % 20];
        }
        survives(text, whole_len);
    }
}

#define HEAD "xenlab recording 1\nbuild b\nengine e\nguest g\nfile " DIGEST " g\nbegin\n"

static const struct {
    const char *text, *says;
} mistakes[] = {
    { "", "this is no recording" },
    { "\x7f"
      "ELF",
      "this is no recording" },
    { "xenlab recording 2\n", "line 1: the recording is of version 2, and this xenlab reads version 1" },
    { "xenlab recording \n", "line 1: \"\" is no version" },
    { "xenlab recording 1x\n", "line 1: \"1x\" is no version" },
    { "xenlab recording 1\nbegin\n", "line 2: there is no build in front of this" },
    { "xenlab recording 1\nbuild b\nengine e\nbegin\n", "line 4: there is no guest in front of this" },
    { "xenlab recording 1\nbuild b\nbuild b\n", "line 3: this stands there already" },
    { "xenlab recording 1\nbuild \n", "line 2: the line ends too early" },
    { "xenlab recording 1\nbild b\n", "line 2: \"bild\" is none of build, engine, option, guest, file and begin" },
    { "xenlab recording 1\nguest a\\\n", "line 2: a backslash is to be followed by" },
    { "xenlab recording 1\nguest a\\x00\n", "line 2: a backslash is to be followed by" },
    { "xenlab recording 1\nfile 1234 x\n", "line 2: \"1234\" is no SHA-256 (64 hexadecimal digits)" },
    { "xenlab recording 1\nbuild b", "line 2: the recording is cut off here, before it begins" },
    { HEAD "consol #1.0 1 0 61\n", "line 7: \"consol\" is no kind of line" },
    { HEAD "console 1.0 1 0 61\n", "line 7: \"1.0\" is no position (#INSN.STEP)" },
    { HEAD "console #1 1 0 61\n", "line 7: \"#1\" is no position" },
    { HEAD "console #-1.0 1 0 61\n", "line 7: \"-1\" is no count of instructions" },
    { HEAD "console #1.99999999999999999999 1 0 61\n", "line 7: \"99999999999999999999\" is no count of steps" },
    { HEAD "console #1.0 9223372036854775808 0 61\n", "is no time (a number up to 9223372036854775807)" },
    { HEAD "console #1.0 1 4294967296 61\n", "line 7: \"4294967296\" is no guest" },
    { HEAD "console #1.0 1 0 6\n", "line 7: expected bytes, each of two hexadecimal digits" },
    { HEAD "console #1.0 1 0 \n", "line 7: expected bytes" },
    { HEAD "console #1.0 1 0\n", "line 7: expected bytes" },
    { HEAD "console #1.0 1 0 6A\n", "line 7: \"6A\" is no byte" },
    { HEAD "console #1.0 1 0 61 62\n", "line 7: \"62\" is too much" },
    { HEAD "console  #1.0 1 0 61\n", "line 7: \"\" is no position" },
    { HEAD "keyboard #1.0 1 2046\n", "line 7: \"2046\" is no guest (a number up to 2045)" },
    { HEAD "at #2.0 1 0123456789abcdef\nat #1.9 1 0123456789abcdef\n", "line 8: #1.9 is before #2.0" },
    { HEAD "at #2.0 1 0123456789abcde\n", "line 7: \"0123456789abcde\" is no hash" },
    { HEAD "end #2.0 1 0123456789abcdef 0123456789abcdef tired\n", "line 7: \"tired\" is no reason for an end" },
    { HEAD "end #2.0 1 0123456789abcdef 0123456789abcdef signal\n", "line 7: \"\" is no signal" },
    { HEAD "end #2.0 1 0123456789abcdef 0123456789abcdef signal 65\n", "line 7: \"65\" is no signal" },
    { HEAD "file 1234 x\n", "line 7: \"1234\" is no SHA-256 (64 hexadecimal digits)" },
    { HEAD "file " DIGEST "\n", "line 7: the line ends too early" },
    { HEAD "file " DIGEST " x\nconsole #1 1 0 61\n", "line 8: \"#1\" is no position" },
    { HEAD "end #2.0 1 0123456789abcdef 0123456789abcdef done\nat", "line 8: nothing comes behind the end" },
    { HEAD "end #2.0 1 0123456789abcdef 0123456789abcdef done\n\n", "line 8: nothing comes behind the end" },
};

static void test_mistakes(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        char err[RECORD_ERR_SIZE] = "";
        struct record r;

        put(mistakes[i].text, strlen(mistakes[i].text));
        if (!record_read(&r, path, err) || !strstr(err, mistakes[i].says))
            fail_msg("%s\"%s\" does not say \"%s\"", mistakes[i].text, err, mistakes[i].says);
        record_free(&r);
    }
}

/* As sha256sum has it. */
static void test_digest(void **state)
{
    char digest[RECORD_DIGEST_SIZE], err[RECORD_ERR_SIZE];
    char *much = calloc(1, 100000);

    put("abc", 3);
    assert_int_equal(record_digest(path, digest, err), 0);
    assert_string_equal(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    put(much, 100000);
    assert_int_equal(record_digest(path, digest, err), 0);
    assert_string_equal(digest, "9192c25b734fcbadbe32dadc28089c60db0e39f90cc20ce2e5733f57261acc0c");
    free(much);
    assert_int_equal(record_digest("build", digest, err), -1);
    assert_string_equal(err, "build: Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_each_reason), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_each_byte),  cmocka_unit_test(test_each_line),   cmocka_unit_test(test_random),
        cmocka_unit_test(test_mistakes),   cmocka_unit_test(test_digest),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
