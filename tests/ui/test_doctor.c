// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab doctor`: a line a check, and what it says where something is missing. What is missing is taken away here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ui/cmd_doctor.h"

static const char *const names[] = { "place ",      "processor ",   "switches ", "counters ",   "engine ",
                                     "memory ",     "kernel ",      "ptrace ",   "namespaces ", "terminal ",
                                     "display ",    "locale ",      "packages ", "compiler ",   "sandbox ",
                                     "toy guests ", "real guests ", "cache ",    "firmware " };
#define NR_NAMES (sizeof(names) / sizeof(names[0]))

static char *doctor(int expected)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    assert_int_equal(cmd_doctor(0, NULL, out), expected);
    fclose(out);
    return text;
}

/* The line of a check. */
static const char *line(const char *text, const char *name)
{
    static char buf[1024];
    char pattern[32];
    const char *at;

    snprintf(pattern, sizeof(pattern), " %s", name);
    at = strstr(text, pattern);
    assert_non_null(at);
    while (at > text && at[-1] != '\n')
        at--;
    snprintf(buf, sizeof(buf), "%.*s", (int)strcspn(at, "\n"), at);
    return buf;
}

static void assert_line(const char *text, const char *name, const char *state, const char *what)
{
    const char *l = line(text, name);

    if (strncmp(l, state, strlen(state)) || !strstr(l, what))
        fail_msg("expected %s ... %s, got: %s", state, what, l);
}

static void test_lines(void **state)
{
    char *text = doctor(0);

    for (size_t i = 0; i < NR_NAMES; i++) {
        const char *l = line(text, names[i]);

        if (!strncmp(l, "lacks  ", 7))
            assert_true(strstr(l, "; costs: ") && strstr(l, "; type: "));
        else
            assert_true(!strncmp(l, "ok     ", 7));
    }
    assert_line(text, "engine ", "ok ", "Unicorn 2.1.1");
    assert_non_null(strstr(text, "\nAll that guests need is there."));
    free(text);
}

/* What the environment says. */
static void test_environment(void **state)
{
    char *text, *path = strdup(getenv("PATH")), here[4096], cache[4200];

    assert_non_null(getcwd(here, sizeof(here)));
    setenv("LC_ALL", "C", 1);
    setenv("DISPLAY", ":7\033[2J", 1);
    unsetenv("WAYLAND_DISPLAY");
    setenv("PATH", "/nonexistent", 1);
    setenv("XENLAB_BWRAP", "no", 1);
    assert_int_equal(chdir("/"), 0);
    text = doctor(0);
    assert_line(text, "locale ", "lacks ", "C is not UTF-8; costs: ");
    assert_line(text, "display ", "ok ", "X11, :7?[2J");
    assert_line(text, "compiler ", "lacks ", "no cc; costs: ");
    assert_line(text, "sandbox ", "lacks ", "no bubblewrap, or it may not make namespaces here; costs: ");
    assert_line(text, "packages ", "lacks ", "dpkg-query does not answer");
    assert_line(text, "toy guests ", "lacks ", "no build/guests/hello here");
    free(text);

    setenv("LC_ALL", "xx_YY.UTF-8", 1);
    unsetenv("DISPLAY");
    text = doctor(0);
    assert_line(text, "locale ", "lacks ", "xx_YY.UTF-8 is not installed; costs: ");
    assert_line(text, "display ", "lacks ", "no DISPLAY");
    free(text);

    setenv("XENLAB_CACHE", "off", 1);
    text = doctor(0);
    assert_line(text, "cache ", "lacks ", "XENLAB_CACHE=off; costs: ");
    free(text);
    unsetenv("XENLAB_CACHE");
    setenv("XDG_CACHE_HOME", "/dev/null", 1);
    text = doctor(0);
    assert_line(text, "cache ", "lacks ", "/xenlab: ");
    free(text);
    snprintf(cache, sizeof(cache), "%s/build/tests", here);
    setenv("XDG_CACHE_HOME", cache, 1);
    text = doctor(0);
    assert_line(text, "cache ", "ok ", "kept");
    free(text);

    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("PATH", path, 1);
    assert_int_equal(chdir(here), 0);
    text = doctor(0);
    assert_line(text, "locale ", "ok ", "C.UTF-8");
    free(text);
    free(path);
}

/* Without file descriptors there is no memory for a machine: that fails, and the exit status says so. */
static void test_required(void **state)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (!pid) {
        const struct rlimit none = { 3, 3 };
        char *text = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);
        int rc;

        setrlimit(RLIMIT_NOFILE, &none);
        for (int fd = 3; fd < 100; fd++)
            close(fd);
        rc = cmd_doctor(0, NULL, out);
        fclose(out);
        _exit(rc == 1 && strstr(text, "FAILS  engine ") && strstr(text, "FAILS  kernel ") &&
                      strstr(text, "; costs: no guest can run; type: ") && strstr(text, "\nGuests cannot run here.")
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void test_arguments(void **state)
{
    char *const help[] = { "--help" }, *const other[] = { "me" };

    assert_int_equal(cmd_doctor(1, help, stdout), 0);
    assert_int_equal(cmd_doctor(1, other, stdout), 1);
}

/* The list is that of scripts/setup.sh. */
static void test_packages(void **state)
{
    FILE *doctor_c = fopen("ui/cmd_doctor.c", "r"), *setup = fopen("scripts/setup.sh", "r");
    char *source = calloc(1, 1 << 20), *script = calloc(1, 1 << 20), *list, *end;

    assert_true(doctor_c && setup && source && script);
    assert_true(fread(source, 1, (1 << 20) - 1, doctor_c) && fread(script, 1, (1 << 20) - 1, setup));
    list = strstr(script, "packages='");
    assert_non_null(list);
    list += strlen("packages='");
    end = strchr(list, '\'');
    *end = '\0';
    for (char *save, *p = strtok_r(list, " \n", &save); p; p = strtok_r(NULL, " \n", &save))
        if (!strstr(strstr(source, "static const char packages[]"), p))
            fail_msg("scripts/setup.sh installs %s, of which doctor does not know", p);
    fclose(doctor_c);
    fclose(setup);
    free(source);
    free(script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),     cmocka_unit_test(test_environment), cmocka_unit_test(test_required),
        cmocka_unit_test(test_arguments), cmocka_unit_test(test_packages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
