// SPDX-License-Identifier: GPL-2.0-or-later
/* xl.cfg files: the message, with its line, that each wrong setting gives. */
#include "tests/tools/xl_cfg.h"

/* ------------------------------------------------------------------------------------------------------ mistakes -- */

static void test_wrong_values(void **state)
{
    static const char *const cases[][2] = {
        { "\n\nmemory = 'abc'\n",
          "guest.cfg:3: memory: expected a positive number of MiB (at most 524287), got \"abc\"" },
        { "memory = 0\n", "guest.cfg:1: memory: expected a positive number of MiB (at most 524287), got \"0\"" },
        { "memory = '-1'\n", "guest.cfg:1: memory: expected a positive number of MiB (at most 524287), got \"-1\"" },
        { "memory = 99999999999999999999\n",
          "guest.cfg:1: memory: expected a positive number of MiB (at most 524287), got \"99999999999999999999\"" },
        { "memory = 2000000\n",
          "guest.cfg:1: memory: expected a positive number of MiB (at most 524287), got \"2000000\"" },
        { "memory = 5\nmemory = [ 5 ]\n", "guest.cfg:2: memory: expected a single value, got a list" },
        { "memory = 5\nmemory += 5\n",
          "guest.cfg:2: memory: expected a positive number of MiB (at most 524287), got \"55\"" },
        { "vcpus=0", "guest.cfg:1: vcpus: expected a number of vCPUs from 1 to 64, got \"0\"" },
        { "vcpus=65", "guest.cfg:1: vcpus: expected a number of vCPUs from 1 to 64, got \"65\"" },
        { "\nmax_grant_frames=65", "guest.cfg:2: max_grant_frames: expected 1 to 64 frames, got \"65\"" },
        { "max_grant_frames=0", "guest.cfg:1: max_grant_frames: expected 1 to 64 frames, got \"0\"" },
        { "max_maptrack_frames=1025", "guest.cfg:1: max_maptrack_frames: expected 0 to 1024 frames, got \"1025\"" },
        { "max_maptrack_frames='-1'", "guest.cfg:1: max_maptrack_frames: expected 0 to 1024 frames, got \"-1\"" },
        { "max_event_channels='many'",
          "guest.cfg:1: max_event_channels: expected the number of the highest event channel "
          "(0: the default, 1023), got \"many\"" },
        { "memory=4\nmaxmem=2", "guest.cfg:2: maxmem: expected at least memory, which is 4 MiB, got 2" },
        { "vcpus=4;maxvcpus=2", "guest.cfg:1: maxvcpus: expected at least vcpus, which is 4, got 2" },
        { "\ncpu_weight=0", "guest.cfg:2: cpu_weight: expected a weight from 1 to 65535, got \"0\"" },
        { "cpu_weight=65536", "guest.cfg:1: cpu_weight: expected a weight from 1 to 65535, got \"65536\"" },
        { "cpu_weight='heavy'", "guest.cfg:1: cpu_weight: expected a weight from 1 to 65535, got \"heavy\"" },
        { "cpu_weight=['1']", "guest.cfg:1: cpu_weight: expected a single value, got a list" },
        { "cap='-1'", "guest.cfg:1: cap: expected percent of one pCPU (0: no cap), got \"-1\"" },
        { "period=0", "guest.cfg:1: period: expected a positive number of microseconds, got \"0\"" },
        { "budget='x'", "guest.cfg:1: budget: expected a positive number of microseconds, got \"x\"" },
        { "extratime=2", "guest.cfg:1: extratime: expected 0 or 1, got \"2\"" },
        { "pool=''", "guest.cfg:1: pool: expected the name or number of a CPU pool, got \"\"" },
        { "cpus='0-'", "guest.cfg:1: cpus: expected pCPUs such as \"0-3,^1\", \"all\" or \"node:0\", got \"0-\"" },
        { "cpus='all,^0-63'", "guest.cfg:1: cpus: this is no pCPU at all, got \"all,^0-63\"" },
        { "cpus=['0','^all']", "guest.cfg:1: cpus: ^ cannot take away \"all\", got \"^all\"" },
        { "cpus=['0',['1']]", "guest.cfg:1: cpus: expected a list of strings, got a list in it" },
        { "cpus_soft='node:1'", "guest.cfg:1: cpus_soft: the machine has one NUMA node, node 0, got \"node:1\"" },
        { "tsc_mode='native_paravirt'", "guest.cfg:1: tsc_mode: expected default, always_emulate or native, got "
                                        "\"native_paravirt\"" },
        { "tsc_mode=3", "guest.cfg:1: tsc_mode: expected default, always_emulate or native, got \"3\"" },
        { "type='foo'", "guest.cfg:1: type: expected pv, pvh or hvm, got \"foo\"" },
        { "on_crash='x'", "guest.cfg:1: on_crash: expected destroy, restart, rename-restart, preserve, "
                          "coredump-destroy, coredump-restart or soft-reset, got \"x\"" },
        { "uuid='12'", "guest.cfg:1: uuid: expected 32 hexadecimal digits as 8-4-4-4-12, got \"12\"" },
        { "uuid='0123456789abcdef0123456789abcdef0'", "guest.cfg:1: uuid: expected 32 hexadecimal digits as "
                                                      "8-4-4-4-12, got \"0123456789abcdef0123456789abcdef0\"" },
        { "name=''\n" KERNEL, "guest.cfg:1: name: expected a name of one line without slashes, got \"\"" },
        { "name='a\\nb'\n" KERNEL, "guest.cfg:1: name: expected a name of one line without slashes, got \"a?b\"" },
        { "kernel=''", "guest.cfg:1: kernel: expected a path, got \"\"" },
        { "name='x'",
          "guest.cfg: kernel: there is none: a pv guest needs kernel = \"PATH\" (bootloaders are not run)" },
        { "", "guest.cfg: kernel: there is none: a pv guest needs kernel = \"PATH\" (bootloaders are not run)" },
    };

    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_error(cases[i][0], cases[i][1]);
}

/* The form is judged here, what is left in libxlutil's words, of which the first line is taken. */
static void test_syntax_errors(void **state)
{
    expect_error("name = 'x'\nmemory 5\nvcpus 6\n", "guest.cfg:2: memory: expected memory = VALUE, got: memory 5");
    expect_error("name = 'x\n", "guest.cfg:1: name: string without end, or with an unknown escape: 'x");
    expect_error("a='\\x41'\n", "guest.cfg:1: a: string without end, or with an unknown escape: '\\x41'");
    expect_error("\na = $x\n", "guest.cfg:2: a: expected a number (whole, without a unit), or a text in quotes, "
                               "\"...\", got: $x");
    expect_error("a = 1 + 1\n", "guest.cfg:1: a: expected one value: a number (whole, without a unit), or a text in "
                                "quotes, \"...\", got: 1 + 1");
    expect_error("x = [ 1,\n 2\n", "guest.cfg:1: x: the list has no end, ]");
    expect_error("x = [ [ 1 ],\n 2 3 ]\n", "guest.cfg:2: x: expected a comma, or the end, ], of the list of line 1, "
                                           "got: 3 ]");
    expect_error("x = 1\nx += [ 1 ]\n", "guest.cfg:2: config parsing error near `]': can't add [list] to \"string\" or "
                                        "vice versa");
    expect_error("\033[2J\n", "guest.cfg:1: expected KEY = VALUE, got: ?[2J");
    expect_error("x + 5\n", "guest.cfg:1: x: expected x = VALUE, got: x + 5");
    expect_error("x = 5 = 6\n", "guest.cfg:1: x: expected one value: a number (whole, without a unit), or a text in "
                                "quotes, \"...\", got: 5 = 6");
}

/*
 * Whatever three tokens follow each other: what is refused is refused here, and what is not, libxlutil takes as well.
 */
static void test_grammar(void **state)
{
    static const char *const tokens[] = { "a", "=", "+=", "5", "'s'", "[", "]", ",", ";", "\n", "#c\n" };
    const size_t nr = sizeof(tokens) / sizeof(tokens[0]);
    unsigned int good = 0, tried = 0;

    for (size_t n = 0; n < nr * nr * nr * nr; n++) {
        char text[64] = KERNEL, err[XL_ERR_SIZE];
        struct xl_config cfg;

        for (size_t k = 0, left = n; k < 4; k++, left /= nr)
            strcat(strcat(text, tokens[left % nr]), " ");
        tried++;
        if (xl_config_parse(&cfg, "g", text, strlen(text), err) == 0)
            good++, xl_config_free(&cfg);
        else if (strncmp(err, "g:", 2) || strstr(err, "config parsing error"))
            fail_msg("%s: %s", text, err);
    }
    assert_true(good > 100 && good < tried / 4);
}

/* What libxlutil would not survive, or not in time. */
static void test_refused_outright(void **state)
{
    struct xl_config cfg;
    char err[XL_ERR_SIZE], *big = malloc(XL_CONFIG_SIZE_MAX + 1);
    size_t n = 0;

    assert_non_null(big);
    assert_int_equal(xl_config_parse(&cfg, "guest.cfg", "a = 'x\0y'\n", 10, err), -1);
    assert_string_equal(err, "guest.cfg:1: holds a zero byte: no text");
    expect_error("a = 1\n\nb = 2\r\nc = 3\r\n",
                 "guest.cfg:3: has the line ends of DOS (CR LF), which xl does not take either");
    memset(big, ' ', XL_CONFIG_SIZE_MAX + 1);
    assert_int_equal(xl_config_parse(&cfg, "guest.cfg", big, XL_CONFIG_SIZE_MAX + 1, err), -1);
    assert_string_equal(err, "guest.cfg: larger than 64 KiB: no xl.cfg is");
    while (n < 700)
        n += (size_t)sprintf(big + n, "a+='x'\n");
    expect_error(big, "guest.cfg:65: more than 64 settings with +=");
    for (n = 0; n < 5000;)
        n += (size_t)sprintf(big + n, "a=1;");
    expect_error(big, "guest.cfg:1: more than 1024 settings");
    memset(big, '[', XL_CONFIG_SIZE_MAX);
    memcpy(big, "a=", 2);
    big[XL_CONFIG_SIZE_MAX] = 0;
    expect_error(big, "guest.cfg:1: a: the list has no end, ]");
    for (n = 2; n < XL_CONFIG_SIZE_MAX; n++)
        big[n] = n < XL_CONFIG_SIZE_MAX / 2 + 1 ? '[' : ']';
    expect_error(big, "guest.cfg:1: config parsing error near `[': memory exhausted");
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_syntax_errors),
        cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_refused_outright),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
