// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HVM guests as files: one that is stopped anywhere, written, made again, in this run or another, comes to the same end
 * as one that was left alone.
 *
 *      test_save_hvm [POSITIONS]    of each guest and way; else a sample
 *
 * The guests say what they see, and whether it is what it should be; none of them has drivers for Xen, so that they are
 * stopped where they are, also while an instruction of theirs waits for the device model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/ctl_heard.h"
#include "tests/support/host_run.h"
#include "tools/ctl.h"
#include "tools/host.h"

/* What came out of guests, without who they are: at the debug port; of their screens. */
enum { SAID, SHOWN, OUTS };

struct scene {
    struct host *host;
    char *out[OUTS];
    struct ctl_heard ctl;
};

static char folder[] = "/tmp/xenlab-test-XXXXXX";
static unsigned int positions = 3;
static const char *subject = ""; /* for messages */

static void add_text(char **to, const char *text, size_t len)
{
    const size_t had = strlen(*to);

    *to = realloc(*to, had + len + 1);
    memcpy(*to + had, text, len);
    (*to)[had + len] = '\0';
}

static void on_console(void *data, domid_t domid, const char *text, size_t len)
{
    if (domid != 1)
        add_text(&((struct scene *)data)->out[SHOWN], text, len);
}

static void on_log(void *data, const char *line, size_t len)
{
    const char *text = len > 4 && line[0] == '(' && line[1] == 'd' ? memchr(line, ')', len) : NULL; /* "(d3) text" */

    if (text)
        add_text(&((struct scene *)data)->out[SAID], text + 2, len - (size_t)(text + 2 - line));
}

static void on_say(void *data, unsigned int id, enum host_ctl what, const char *text, size_t len)
{
    (void)id;
    ctl_hear(&((struct scene *)data)->ctl, what, text, len);
}

static void pass(struct scene *sc, s_time_t ns) { host_run(sc->host, host_now(sc->host) + ns, &(bool){ false }); }

static void begin(struct scene *sc, enum host_device_model model)
{
    const struct host_config cfg = { .ram_mib = 128, .nr_pcpus = 2, .quiet = true, .device_model = model };
    const struct host_io io = { .data = sc, .console_out = on_console, .ctl_say = on_say };
    const struct host_guest keeper = { .kernel = "build/guests/idle", .memory_mib = 4 };
    char err[HOST_ERR_SIZE];
    domid_t domid;

    sc->host = host_create(&cfg, &io, err);
    assert_non_null(sc->host);
    if (host_guest_add(sc->host, &keeper, &domid, err) || host_guest_start(sc->host, domid)) /* the run goes on */
        fail_msg("%s", err);
    host_log(sc->host, on_log, sc, LOG_INFO);
}

/* "save -c" or another, of that guest and the file. */
static void command(struct scene *sc, const char *what, const char *name)
{
    const unsigned int ends = sc->ctl.ends;
    char words[256], all[CTL_WORDS_SIZE], err[HOST_ERR_SIZE] = "", why[CTL_ERR_SIZE];
    struct ctl_request r;
    size_t len;

    snprintf(words, sizeof(words), "%s %s %s/f", what, name, folder);
    if (!strncmp(what, "restore", 7))
        snprintf(words, sizeof(words), "%s -n %s %s/f", what, name, folder);
    len = strlen(words) + 1;
    for (size_t i = 0; i < len; i++)
        words[i] = words[i] == ' ' ? '\0' : words[i];
    if (ctl_parse(words, len, &r, why))
        fail_msg("%s", why);
    if (!host_ctl_prepare(sc->host, &r, err))
        fail_msg("%s: %s", what, err);
    len = host_ctl_words(sc->host, words, len, all);
    assert_int_equal(host_ctl(sc->host, 1, all, len, host_now(sc->host)), 0);
    for (unsigned int i = 0; i < 2000 && sc->ctl.ends == ends; i++)
        pass(sc, MICROSECS(500));
    if (sc->ctl.ends != ends + 1 || sc->ctl.status)
        fail_msg("%s: %s: %u ends, status %u: %s", subject, what, sc->ctl.ends - ends, sc->ctl.status, sc->ctl.said);
}

/* --- the guests --- */

static const struct subject {
    const char *name, *kernel, *end; /* end: a line that it says when all is well */
    unsigned int vcpus;
    bool disk, shadow;
    s_time_t life;
} subjects[] = {
    { "boot16", "build/guests/hvm/boot16", "boot16: done", 1, false, false, MICROSECS(20) },
    { "boot16-shadow", "build/guests/hvm/boot16", "boot16: done", 1, false, true, MICROSECS(20) },
    { "pcdev", "build/guests/pcdev/pcdev", "pcdev: done", 1, true, false, MILLISECS(300) },
    { "pcdev-3", "build/guests/pcdev/pcdev", "pcdev: done", 3, true, false, MILLISECS(300) },
    { "pcdev-shadow", "build/guests/pcdev/pcdev", "pcdev: done", 1, true, true, MILLISECS(300) },
};

static void add(struct scene *sc, const struct subject *s)
{
    struct xl_disks disks = { 0 };
    struct xl_hvm hvm;
    char err[HOST_ERR_SIZE], why[XL_DISK_WHY_SIZE], path[128];
    domid_t domid;
    struct host_guest g = { .kernel = s->kernel,
                            .name = "uno",
                            .memory_mib = 16,
                            .vcpus = s->vcpus,
                            .has_type = true,
                            .type = XL_TYPE_HVM,
                            .hvm = &hvm,
                            .disks = s->disk ? &disks : NULL,
                            .on_poweroff = XL_ACTION_DESTROY,
                            .on_reboot = XL_ACTION_DESTROY };

    xl_hvm_defaults(&hvm);
    hvm.hap = !s->shadow;
    snprintf(path, sizeof(path), "%s/disk,raw,hda,w", folder);
    if (s->disk && !xl_disks_add(&disks, path, why))
        fail_msg("%s", why);
    if (host_guest_add(sc->host, &g, &domid, err) || host_guest_start(sc->host, domid))
        fail_msg("%s", err);
    xl_hvm_free(&hvm);
}

enum way { NEVER, ON, SAME_RUN, OTHER_RUN, TWICE, WAYS };

/* What it says from its first to its last breath, if it is saved `at`, by that way. The caller frees both texts. */
static struct scene life(const struct subject *s, enum host_device_model model, enum way way, s_time_t at)
{
    struct scene sc = { .out = { strdup(""), strdup("") } };

    begin(&sc, model);
    add(&sc, s);
    pass(&sc, at);
    if (way != NEVER)
        command(&sc, way == ON ? "save -c" : "save", "uno");
    if (way == OTHER_RUN) {
        host_destroy(sc.host);
        begin(&sc, model);
    }
    if (way > ON)
        command(&sc, "restore", "due");
    if (way == TWICE) {
        command(&sc, "save", "due");
        command(&sc, "restore", "uno");
    }
    pass(&sc, s->life * 4 + MILLISECS(50));
    host_destroy(sc.host);
    return sc;
}

/* How long the line is. */
static size_t line(const char *s) { return strcspn(s, "\n"); }

/* One that measures time is let be. Of one that is cut by the save the end comes: the rest went with the domain. */
static bool alike(const char *a, const char *b)
{
    return (line(a) <= line(b) && !strncmp(a, b + line(b) - line(a), line(a))) ||
           (!strncmp(a, "pcdev: TSC:", 11) && !strncmp(b, "pcdev: TSC:", 11));
}

static void compare(const struct subject *s, enum way way, s_time_t at, const char *said, const char *never)
{
    while (*said && alike(said, never)) {
        said += line(said) + (said[line(said)] == '\n');
        never += line(never) + (never[line(never)] == '\n');
    }
    if (*said || *never)
        fail_msg("%s, way %u, saved at %lld ns:\n%.400s\nand not\n%.*s", s->name, way, (long long)at, said,
                 (int)line(never), never);
}

static void same(const struct subject *s, enum host_device_model model)
{
    struct scene never, sc;

    subject = s->name;
    never = life(s, model, NEVER, 0);
    if (!strstr(never.out[SAID], s->end))
        fail_msg("%s does not come to its end: %s", s->name, never.out[SAID]);
    for (unsigned int i = 0; i < positions; i++)
        for (enum way way = ON; way < WAYS; way++) {
            const s_time_t at = s->life * i / positions + MICROSECS(7);

            sc = life(s, model, way, at);
            for (unsigned int n = 0; n < OUTS; n++) {
                compare(s, way, at, sc.out[n], never.out[n]);
                free(sc.out[n]);
            }
        }
    for (unsigned int n = 0; n < OUTS; n++)
        free(never.out[n]);
}

static void dom0(void **state)
{
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
        same(&subjects[i], HOST_DM_DOM0);
}

static void stubdom(void **state) { same(&subjects[3], HOST_DM_DOMAIN); }
static void direct(void **state) { same(&subjects[3], HOST_DM_XEN); }

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(dom0),
        cmocka_unit_test(stubdom),
        cmocka_unit_test(direct),
    };
    char cmd[128];
    int rc;

    if (argc > 1)
        positions = (unsigned int)strtoul(argv[1], NULL, 0);
    assert_non_null(mkdtemp(folder));
    snprintf(cmd, sizeof(cmd), "truncate -s 4M %s/disk", folder);
    assert_int_equal(system(cmd), 0);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(cmd, sizeof(cmd), "rm -r %s", folder);
    return system(cmd) ? 1 : rc;
}
