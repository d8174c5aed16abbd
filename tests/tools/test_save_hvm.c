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
#include <xen/hvm/save.h>

#include "tests/support/ctl_heard.h"
#include "tests/support/host_run.h"
#include "tools/build/image.h"
#include "tools/ctl.h"
#include "tools/host.h"
#include "tools/save/format.h"
#include "tools/save/in.h"

/* What came out of guests, without who they are: at the debug port; of their screens. */
enum { SAID, SHOWN, OUTS };

struct scene {
    struct host *host;
    char *out[OUTS];
    struct ctl_heard ctl;
};

static char folder[] = "/tmp/xenlab-test-XXXXXX";
/* A sanitizer makes each life ten times as long. */
#ifdef __SANITIZE_ADDRESS__
static const size_t step = 2; /* from subject to subject */
static unsigned int positions = 1;
#else
static const size_t step = 1;
static unsigned int positions = 3;
#endif
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
    xl_disks_free(&disks);
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
            const s_time_t at = (positions == 1 ? s->life / 2 : s->life * i / positions) + MICROSECS(7);

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
    for (size_t i = step - 1; i < sizeof(subjects) / sizeof(subjects[0]); i += step)
        same(&subjects[i], HOST_DM_DOM0);
}

static void stubdom(void **state) { same(&subjects[3], HOST_DM_DOMAIN); }
static void direct(void **state) { same(&subjects[3], HOST_DM_XEN); }

/* --- the hypervisor's records --- */

/* What time changes while nothing runs. */
static const struct {
    uint16_t code;
    uint32_t from, to; /* bytes of the record */
} times[] = {
    { HVM_SAVE_CODE(CPU), offsetof(struct hvm_hw_cpu, tsc), offsetof(struct hvm_hw_cpu, tsc) + 8 },
    { HVM_SAVE_CODE(LAPIC_REGS), 0x390, 0x394 },
    { HVM_SAVE_CODE(RTC), 0, 0x0d },
    { HVM_SAVE_CODE(HPET), 0, sizeof(struct hvm_hw_hpet) },
    { HVM_SAVE_CODE(PMTIMER), 0, 6 },
};

static bool is_time(uint16_t code, uint32_t at)
{
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        if (times[i].code == code && at >= times[i].from && at < times[i].to)
            return true;
    return false;
}

/* Of the file: its HVM_CONTEXT. The caller frees *data. */
static struct stream_body context(uint8_t **data)
{
    char path[64], err[IMAGE_ERR_SIZE], why[SAVED_ERR_SIZE];
    struct stream_body rec = { 0 };
    struct saved saved;
    size_t size = 0;

    snprintf(path, sizeof(path), "%s/f", folder);
    assert_int_equal(image_read_file(path, data, &size, err), 0);
    assert_true(saved_open(&saved, *data, size, why));
    while (stream_next(&saved.libxc, &rec) && rec.type != LIBXC_HVM_CONTEXT)
        ;
    assert_int_equal(rec.type, LIBXC_HVM_CONTEXT);
    return rec;
}

/* A guest that has not run since it was restored is saved with the same records, of each kind. */
static void records(void **state)
{
    for (unsigned int i = 0; i < 4 * positions; i++) {
        const struct subject *s = &subjects[i % 2 ? 2 : 3];
        struct scene sc = { .out = { strdup(""), strdup("") } };
        const s_time_t at = s->life * i / (4 * positions) + MICROSECS(3);
        struct stream_body one, two;
        struct hvm_save_descriptor d;
        uint8_t *data[2];

        begin(&sc, HOST_DM_DOM0);
        add(&sc, s);
        pass(&sc, at);
        command(&sc, "save", "uno");
        one = context(&data[0]);
        command(&sc, "restore -p", "due");
        command(&sc, "save", "due");
        two = context(&data[1]);
        assert_int_equal(one.length, two.length);
        for (size_t o = 0; o + sizeof(d) <= one.length; o += sizeof(d) + d.length) {
            memcpy(&d, one.body + o, sizeof(d));
            for (size_t k = 0; k < sizeof(d) + d.length; k++)
                if (one.body[o + k] != two.body[o + k] &&
                    (k < sizeof(d) || !is_time(d.typecode, (uint32_t)(k - sizeof(d)))))
                    fail_msg("%s at %lld ns: record %u, instance %u, byte %zu: %#x became %#x", s->name, (long long)at,
                             d.typecode, d.instance, k - sizeof(d), one.body[o + k], two.body[o + k]);
        }
        host_destroy(sc.host);
        for (unsigned int n = 0; n < 2; n++) {
            free(data[n]);
            free(sc.out[n]);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(dom0),
        cmocka_unit_test(records),
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
