// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of `xenlab ctl`: their words, and what dom0's toolstack does for them, in a machine with the guest idle.
 *
 * Budget: each command with what it refuses.
 *
 * What is asked for is looked for in the hypervisor and in xenstore, not in what the command says of itself.
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
#include <xen/sched.h>

#include "rings/dm/pc.h"
#include "tests/support/host_run.h"
#include "tools/ctl.h"
#include "tools/debug/look.h"
#include "tools/host.h"
#include "tools/rewind/input.h"
#include "tools/xl/xl_hvm.h"

/* --- words --- */

/* "list -v a": each word with its 0. */
static size_t words(const char *line, char out[CTL_WORDS_SIZE])
{
    const size_t len = strlen(line) + 1;

    memcpy(out, line, len);
    for (size_t i = 0; i < len; i++)
        out[i] = out[i] == ' ' ? '\0' : out[i];
    return len;
}

static const struct {
    const char *line;
    bool changes;
    const char *why; /* it is refused: words of the message */
} lines[] = {
    { "list", false, NULL },
    { "list -vc a b", false, NULL },
    { "list --verbose", false, NULL },
    { "pause a", true, NULL },
    { "shutdown -a", true, NULL },
    { "shutdown -ww a", true, NULL },
    { "dmesg", false, NULL },
    { "dmesg -c", true, NULL },
    { "sched-credit2", false, NULL },
    { "sched-credit2 -d a", false, NULL },
    { "sched-credit2 -da -w1", true, NULL },
    { "sched-credit --domain=a --cap 5", true, NULL },
    { "rename -- -a -b", true, NULL },
    { "console a", false, NULL },
    { "sched-credit -s -t 5 -r 0 -m 1", true, NULL },
    { "sched-credit2 -p Pool-0 -s", false, NULL },
    { "sched-rtds -v all", false, NULL },
    { "sched-rtds -d a -v 0 -p 100 -b 50 -e 1", true, NULL },
    { "console -t pv -n 0 a", false, NULL },
    { "dmesg --clear", true, NULL },
    { "list -n -Z --numa --context", false, NULL },
    { "vcpu-pin -f a all 0", true, NULL },
    { "cd-insert a hdc x.iso", true, NULL },
    { "cd-insert a hdc", false, "cd-insert requires at least 3 arguments" },
    { "cd-eject a hdc", true, NULL },
    { "vcpu-pin --force a 0 - 1", true, NULL },
    { "", false, "no command \"\"" },
    { "li", false, NULL },
    { "unp a", true, NULL },
    { "dom 1", false, "no command \"dom\"" },
    { "sched-credit", false, NULL },
    { "lits", false, "did you mean" },
    { "pause", false, "pause requires at least 1 argument" },
    { "pause a b", false, "pause does not take \"b\"" },
    { "shutdown", false, "requires at least 1" },
    { "shutdown -a a", false, "does not take \"a\"" },
    { "list -x", false, "has no option -x" },
    { "list --x", false, "has no option --x" },
    { "list --verbose=1", false, "has no option" },
    { "sched-credit2 -d", false, "-d takes a value" },
    { "rename a", false, "at least 2" },
    { "block-list a", false, NULL },
    { "block-attach a x.img,raw,xvdb,w", true, NULL },
    { "block-detach --force a xvdb", true, NULL },
    { "block-detach a", false, "at least 2" },
    { "block-resize a xvdb 4", true, NULL },
    { "block-release a xvdb", true, NULL },
    { "block-take a", false, "at least 2" },
};

static void lines_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        char text[CTL_WORDS_SIZE], err[CTL_ERR_SIZE] = "";
        const size_t len = words(lines[i].line, text);
        struct ctl_request r;
        const int rc = ctl_parse(text, len, &r, err);

        if (rc != (lines[i].why ? -1 : 0) || (lines[i].why && !strstr(err, lines[i].why)))
            fail_msg("%s: %d %s", lines[i].line, rc, err);
        if (!rc)
            assert_int_equal(ctl_changes(&r), lines[i].changes);
    }
}

/* Whatever comes: it is refused, or it points into what came. */
static void any_bytes_are_read(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (unsigned int n = 0; n < 20000; n++) {
        char text[CTL_WORDS_SIZE + 1], err[CTL_ERR_SIZE];
        struct ctl_request r;
        size_t len = 0;

        while (len < 200 && (seed = seed * 1664525 + 1013904223) >> 28) {
            static const char *const parts[] = { "list", "-",  "--", "sched-credit", "-d",
                                                 "a",    "\0", "=",  "\xff",         "dmesg" };
            const char *part = parts[(seed >> 8) % ARRAY_SIZE(parts)];
            const size_t size = *part ? strlen(part) : 1;

            memcpy(text + len, part, size);
            len += size;
        }
        if (ctl_parse(text, len, &r, err))
            continue;
        for (unsigned int i = 0; i < r.nr_args; i++)
            assert_true(r.arg[i] >= text && r.arg[i] < text + len);
    }
}

/* --- a machine --- */

struct scene {
    struct host *host;
    char out[32768], err[1024];
    int status; /* -1: no end yet */
    unsigned int ends, destroyed;
    domid_t domid;
    char crashed[64]; /* "": none has; why the last one has */
};

static void on_say(void *data, unsigned int id, enum host_ctl what, const char *text, size_t len)
{
    struct scene *sc = data;
    char *to = what == HOST_CTL_OUT ? sc->out : sc->err;

    assert_int_equal(id, 7);
    if (what == HOST_CTL_END) {
        assert_int_equal(len, 1);
        sc->status = text[0];
        sc->ends++;
        return;
    }
    assert_true(strlen(to) + len < (what == HOST_CTL_OUT ? sizeof(sc->out) : sizeof(sc->err)));
    strncat(to, text, len);
}

static void on_end(void *data, domid_t domid, int reason)
{
    struct scene *sc = data;

    if (reason == SHUTDOWN_crash)
        snprintf(sc->crashed, sizeof(sc->crashed), "%s", host_crash_why(sc->host, domid, reason));
    sc->destroyed += reason == HOST_DESTROYED;
}

static int setup_under(void **state, const char *sched)
{
    const struct host_config cfg = { .ram_mib = 128, .nr_pcpus = 2, .quiet = true, .sched = sched };
    struct scene *sc = calloc(1, sizeof(*sc));
    const struct host_io io = { .data = sc, .guest_ended = on_end, .ctl_say = on_say };
    char err[HOST_ERR_SIZE];

    *state = sc;
    sc->host = host_create(&cfg, &io, err);
    assert_non_null(sc->host);
    for (unsigned int i = 0; i < 2; i++) {
        const struct host_guest g = {
            .kernel = "build/guests/idle", .name = i ? "b" : "a", .memory_mib = 16, .vcpus = 2 - i, .maxvcpus = 2
        };
        domid_t domid;

        if (host_guest_add(sc->host, &g, &domid, err) || host_guest_start(sc->host, domid))
            fail_msg("%s", err);
        sc->domid = i ? sc->domid : domid;
    }
    host_run(sc->host, host_now(sc->host) + MILLISECS(50), &(bool){ false });
    return 0;
}

static int setup(void **state) { return setup_under(state, NULL); }

static int setup_rtds(void **state) { return setup_under(state, "rtds"); }

/* b, and an HVM guest a with an empty CD drive, which is paused. */
static int setup_pc(void **state, enum host_device_model where)
{
    const struct host_config cfg = { .ram_mib = 128, .nr_pcpus = 2, .quiet = true, .device_model = where };
    const struct host_guest b = { .kernel = "build/guests/idle", .name = "b", .memory_mib = 16 };
    struct scene *sc = calloc(1, sizeof(*sc));
    const struct host_io io = { .data = sc, .guest_ended = on_end, .ctl_say = on_say };
    char err[HOST_ERR_SIZE];
    struct xl_hvm hvm;
    domid_t domid;

    const struct host_guest a = { .kernel = "build/guests/pcdev/pcdev",
                                  .name = "a",
                                  .memory_mib = 16,
                                  .has_type = true,
                                  .type = XL_TYPE_HVM,
                                  .hvm = &hvm };

    xl_hvm_defaults(&hvm);
    hvm.empty_cds = 1u << 2;
    *state = sc;
    sc->host = host_create(&cfg, &io, err);
    assert_non_null(sc->host);
    if (host_guest_add(sc->host, &b, &domid, err) || host_guest_start(sc->host, domid) ||
        host_guest_add(sc->host, &a, &sc->domid, err))
        fail_msg("%s", err);
    host_run(sc->host, host_now(sc->host) + MILLISECS(50), &(bool){ false });
    return 0;
}

static int setup_pc_dom0(void **state) { return setup_pc(state, HOST_DM_DOM0); }
static int setup_pc_domain(void **state) { return setup_pc(state, HOST_DM_DOMAIN); }
static int setup_pc_xen(void **state) { return setup_pc(state, HOST_DM_XEN); }

static int teardown(void **state)
{
    struct scene *sc = *state;

    host_destroy(sc->host);
    free(sc);
    return 0;
}

/* Hand it in as the journal's record, and let the machine run until it is over. */
static void command(struct scene *sc, const char *line)
{
    char text[CTL_WORDS_SIZE], why[REWIND_ERR_SIZE];
    const struct journal_record rec = { .at = host_machine(sc->host)->at,
                                        .now = host_now(sc->host),
                                        .kind = JOURNAL_CTL,
                                        .who = 7,
                                        .len = words(line, text),
                                        .bytes = (uint8_t *)text };
    const unsigned int ends = sc->ends;

    sc->out[0] = sc->err[0] = '\0';
    sc->status = -1;
    if (input_check(sc->host, &rec, why) || input_apply(sc->host, &rec, why))
        fail_msg("%s: %s", line, why);
    for (unsigned int i = 0; i < 100 && sc->status < 0; i++)
        host_run(sc->host, host_now(sc->host) + MILLISECS(1), &(bool){ false });
    if (sc->status < 0) /* it waits for somebody */
        host_run(sc->host, host_now(sc->host) + SECONDS(10) + MILLISECS(1), &(bool){ false });
    assert_int_equal(sc->ends, ends + 1);
}

static void good(struct scene *sc, const char *line)
{
    command(sc, line);
    if (sc->status)
        fail_msg("%s: %s", line, sc->err);
}

static void refused(struct scene *sc, const char *line, const char *why)
{
    command(sc, line);
    if (sc->status != 1 || !strstr(sc->err, why))
        fail_msg("%s: %d %s", line, sc->status, sc->err);
}

static void told(const struct scene *sc, const char *what)
{
    if (!strstr(sc->err, what))
        fail_msg("\"%s\" has not %s", sc->err, what);
}

static uint32_t flags(const struct scene *sc)
{
    struct xen_domctl_getdomaininfo info;
    unsigned int n = sc->domid;

    assert_true(host_snapshot_domain(sc->host, &n, &info));
    return info.flags;
}

struct wanted {
    const char *path, *value;
};

static void on_node(void *data, const struct host_store_entry *e)
{
    struct wanted *w = data;

    if (!e->is_watch && !strcmp(e->path, w->path))
        w->value = e->value;
}

static const char *node(const struct scene *sc, const char *path)
{
    char text[128];
    struct wanted w = { text, NULL };

    snprintf(text, sizeof(text), "/local/domain/%u/%s", sc->domid, path);
    host_store_each(sc->host, on_node, &w);
    return w.value ? w.value : "(none)";
}

static void pausing(void **state)
{
    struct scene *sc = *state;

    good(sc, "pause a");
    assert_true(flags(sc) & XEN_DOMINF_paused);
    good(sc, "unpause 1");
    assert_false(flags(sc) & XEN_DOMINF_paused);
    refused(sc, "pause 0", "Failed to pause domain 0");
    refused(sc, "pause nobody", "nobody is an invalid domain identifier (rc=-6)");
    refused(sc, "pause 99", "99 is an invalid domain identifier (rc=-6)");
    refused(sc, "pause 99999999999999999999", "invalid domain identifier");
}

static void asking(void **state)
{
    struct scene *sc = *state;

    good(sc, "shutdown a");
    assert_string_equal(sc->err, "Shutting down domain 1\n");
    assert_string_equal(node(sc, "control/shutdown"), "poweroff");
    good(sc, "reboot -a");
    assert_string_equal(sc->err, "Rebooting domain 1\nRebooting domain 2\n");
    assert_string_equal(node(sc, "control/shutdown"), "reboot");
    refused(sc, "shutdown Domain-0", "is dom0");
    good(sc, "sysrq a h");
    assert_string_equal(node(sc, "control/sysrq"), "h");
    refused(sc, "sysrq a hh", "Invalid sysrq.");
    refused(sc, "trigger a power", "Send trigger 'power' failed: Invalid argument"); /* a PV guest has no buttons */
    refused(sc, "trigger a nmi 7", "Send trigger 'nmi' failed: No such process");
    refused(sc, "trigger a reset", "Send trigger 'reset' failed: Function not implemented"); /* as in Xen */
    refused(sc, "trigger a init", "Send trigger 'init' failed: Function not implemented");
    refused(sc, "trigger a lid", "Invalid trigger \"lid\"");
    refused(sc, "trigger a nmi x", "Invalid trigger \"x\"");
    good(sc, "trigger a nmi");
}

static void memory(void **state)
{
    static const struct {
        const char *line, *kib;
    } sizes[] = { { "mem-set a 8", "8192" },
                  { "mem-set a 8m", "8192" },
                  { "mem-set a 9216k", "9216" },
                  { "mem-set a 8388608b", "8192" },
                  { "mem-set 1 16M", "16384" } };
    struct scene *sc = *state;
    struct xen_domctl_getdomaininfo info;

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        unsigned int n = sc->domid;

        good(sc, sizes[i].line);
        assert_string_equal(node(sc, "memory/target"), sizes[i].kib);
        assert_true(host_snapshot_domain(sc->host, &n, &info));
        assert_int_equal(info.max_pages, atoi(sizes[i].kib) / 4 + 256);
    }
    refused(sc, "mem-set a 17", "memory_dynamic_max must be less than or equal to memory_static_max");
    refused(sc, "mem-set a 1g", "memory_static_max");
    refused(sc, "mem-set a 8x", "invalid memory size: 8x");
    refused(sc, "mem-set a x", "invalid memory size");
    refused(sc, "mem-set a 8mm", "invalid memory size");
    refused(sc, "mem-set a 99999999999999999999", "invalid memory size");
    refused(sc, "mem-set a 18446744073709551615t", "invalid memory size");
    refused(sc, "mem-set 0 8", "is dom0");
}

static void vcpus(void **state)
{
    struct scene *sc = *state;
    struct snapshot_domain_vcpu v;

    good(sc, "vcpu-set a 1");
    assert_string_equal(node(sc, "cpu/0/availability"), "online");
    assert_string_equal(node(sc, "cpu/1/availability"), "offline");
    good(sc, "vcpu-set a 2");
    assert_string_equal(node(sc, "cpu/1/availability"), "online");
    refused(sc, "vcpu-set a 3", "You are overcommmitting! You have 2 physical CPUs and want 3 vCPUs!");
    refused(sc, "vcpu-set -i a 3", "Requested 3 VCPUs, however maxcpus is 2!");
    refused(sc, "vcpu-set a 0", "Requested 0 VCPUs");
    refused(sc, "vcpu-set a x", "Error: Invalid argument.");

    good(sc, "vcpu-pin a 0 1 0");
    assert_true(host_snapshot_vcpu(sc->host, sc->domid, 0, &v));
    assert_int_equal(v.hard, 2);
    assert_int_equal(v.soft, 1);
    good(sc, "vcpu-pin a all all -");
    assert_true(host_snapshot_vcpu(sc->host, sc->domid, 0, &v));
    assert_int_equal(v.hard & 3, 3);
    assert_int_equal(v.soft, 1);
    refused(sc, "vcpu-pin a 2 0", "Invalid argument 2 as VCPU");
    refused(sc, "vcpu-pin a 0 x", "Invalid cpumap");
    refused(sc, "vcpu-pin a 0 63", "Could not set affinity");
}

static void weights(void **state)
{
    struct scene *sc = *state;
    struct look_sched s;

    good(sc, "sched-credit2 -d a -w 512 -c 150");
    assert_true(look_sched(sc->host, sc->domid, 0, &s));
    assert_int_equal(s.weight, 512);
    assert_int_equal(s.cap, 150);
    good(sc, "sched-credit2 -d a -c 0");
    assert_true(look_sched(sc->host, sc->domid, 0, &s));
    assert_int_equal(s.weight, 512);
    assert_int_equal(s.cap, 0);
    refused(sc, "sched-credit2 -w 1", "Must specify a domain.");
    refused(sc, "sched-credit2 -d a -w 0", "Cpu weight out of range");
    refused(sc, "sched-credit2 -d a -w 65536", "Cpu weight out of range");
    refused(sc, "sched-credit2 -d a -c 201", "valid range is from 0 to 200");
    refused(sc, "sched-credit -d a -w 5", "is not scheduled by credit");

    /* -s: the scheduler itself, of a pool. */
    struct xen_sysctl_scheduler_op op;

    good(sc, "sched-credit2 -s -r 300");
    assert_string_equal(host_snapshot_scheduler(sc->host, 0, &op), "credit2");
    assert_int_equal(op.u.sched_credit2.ratelimit_us, 300);
    good(sc, "sched-credit2 -p Pool-0 -s -r 0");
    host_snapshot_scheduler(sc->host, 0, &op);
    assert_int_equal(op.u.sched_credit2.ratelimit_us, 0);
    refused(sc, "sched-credit2 -s -r 99", "valid values are 100 to 500000, or 0");
    refused(sc, "sched-credit2 -r 200", "Must specify schedparam");
    refused(sc, "sched-credit2 -p Pool-0 -d a -w 3", "not allowed with other options");
    refused(sc, "sched-credit2 -p nosuch -s -r 200", "unknown cpupool 'nosuch'");
    refused(sc, "sched-credit -s -t 5", "is not scheduled by credit");
    refused(sc, "sched-rtds -d a -p 5", "is not scheduled by rtds");
}

static void periods(void **state)
{
    struct scene *sc = *state;
    struct xen_domctl_sched_rtds p;

    assert_true(host_snapshot_rtds(sc->host, sc->domid, -1, &p) && p.period == 10000 && p.budget == 4000);
    good(sc, "sched-rtds -d a -v 1 -p 20000 -b 500 -e 0");
    assert_true(host_snapshot_rtds(sc->host, sc->domid, 1, &p) && p.period == 20000 && p.budget == 500 && !p.flags);
    assert_true(host_snapshot_rtds(sc->host, sc->domid, 0, &p) && p.period == 10000 && p.budget == 4000 && p.flags);
    good(sc, "sched-rtds -d a -b 900"); /* of all, and nothing else of them */
    assert_true(host_snapshot_rtds(sc->host, sc->domid, 1, &p) && p.period == 20000 && p.budget == 900 && !p.flags);
    assert_true(host_snapshot_rtds(sc->host, sc->domid, 0, &p) && p.period == 10000 && p.budget == 900 && p.flags);
    assert_false(host_snapshot_rtds(sc->host, sc->domid, 2, &p));
    refused(sc, "sched-rtds -d a -v 2 -p 9", "VCPU 2 is not there: the last is 1");
    refused(sc, "sched-rtds -p 9", "Must specify a domain.");
    refused(sc, "sched-rtds -d a -p 100 -b 200", "the budget is within the period");
    refused(sc, "sched-rtds -d a -e 2", "valid values are 0 to 1");
    refused(sc, "sched-rtds -d a -v 0 -v 1 -p 9", "one vCPU at a time");
    refused(sc, "sched-credit2 -s -r 200", "is not scheduled by credit2");
}

static void names(void **state)
{
    struct scene *sc = *state;

    good(sc, "rename a c");
    assert_string_equal(host_guest_name(sc->host, sc->domid), "c");
    assert_string_equal(node(sc, "name"), "c");
    refused(sc, "pause a", "invalid domain identifier");
    refused(sc, "rename c b", "Domain with name \"b\" already exists.");
    refused(sc, "rename c Domain-0", "already exists");
    refused(sc, "rename c 12", "is no number");
    refused(sc, "rename c a/b", "no slash");
    good(sc, "rename c c");
    good(sc, "rename c a");
}

static void messages(void **state)
{
    struct scene *sc = *state;
    char text[256];

    good(sc, "debug-keys hqre");
    assert_true(host_snapshot_dmesg(sc->host, text, sizeof(text)) > 0);
    good(sc, "dmesg -c");
    assert_non_null(strstr(sc->out, "(XEN) 'h' pressed -> showing installed handlers\n"));
    assert_non_null(strstr(sc->out, "(XEN) General information for domain 2:\n"));
    assert_non_null(strstr(sc->out, "(XEN) Scheduler: credit2\n"));
    assert_non_null(strstr(sc->out, "(XEN) Event channel information for domain 1:\n"));
    assert_int_equal(host_snapshot_dmesg(sc->host, text, sizeof(text)), 0);
}

static void destroying(void **state)
{
    struct scene *sc = *state;
    struct xen_domctl_getdomaininfo info;
    unsigned int n = sc->domid;

    refused(sc, "destroy 0", "Cannot destroy privileged domain 0.");
    good(sc, "destroy a");
    assert_int_equal(sc->destroyed, 1);
    assert_true(host_snapshot_domain(sc->host, &n, &info));
    assert_int_not_equal(n, sc->domid);
    assert_string_equal(node(sc, "name"), "(none)");
    refused(sc, "destroy a", "invalid domain identifier");
    good(sc, "destroy 2"); /* the last: the machine is off, and has answered */
    assert_int_equal(host_guests_left(sc->host), 0);
    assert_false(host_failed(sc->host));
}

/* --- devices --- */

static const char *at(const struct scene *sc, const char *path)
{
    struct wanted w = { path, NULL };

    host_store_each(sc->host, on_node, &w);
    return w.value ? w.value : "(none)";
}

/* A disk comes; the guest, which has no driver, does not let it go; without asking it goes. */
static void disks(void **state)
{
    static const char back[] = "/local/domain/0/backend/vbd/1/51728";
    struct scene *sc = *state;
    char name[] = "/tmp/test_ctl.XXXXXX", line[256], path[128];
    const int fd = mkstemp(name);
    s_time_t begin;

    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    close(fd);
    refused(sc, "block-attach a /nowhere/x.img,raw,xvdb,w", "libxl_device_disk_add failed.");
    refused(sc, "block-attach a x.img,qcow3,xvdb,w", "libxl_device_disk_add failed.");
    refused(sc, "block-attach 0 x.img,raw,xvdb,w", "is dom0");
    refused(sc, "block-detach a xvdb", "Error: Device xvdb not connected.");
    snprintf(line, sizeof(line), "block-attach a %s,raw,xvdb,w", name);
    good(sc, line);
    assert_string_equal(node(sc, "device/vbd/51728/backend"), back);
    assert_string_equal(at(sc, "/libxl/1/device/vbd/51728/params"), name);
    snprintf(path, sizeof(path), "%s/state", back);
    assert_string_equal(at(sc, path), "2");
    refused(sc, line, "there is a disk xvdb already");
    snprintf(line, sizeof(line), "block-attach b %s,raw,xvda,w", name);
    refused(sc, line, "a has this disk");
    good(sc, "block-resize a xvdb 4");
    refused(sc, "block-resize a xvdb 3", "it has 8192 sectors: a disk only grows");
    refused(sc, "block-resize a xvdb 99999999t", "invalid size: 99999999t");
    refused(sc, "block-resize a xvdb x", "invalid size: x");
    refused(sc, "block-resize a xvda 4", "not connected");
    refused(sc, "block-release a xvda", "not connected");
    refused(sc, "block-release a xvdb", "domain 1 is not paused");
    refused(sc, "block-take a xvdb", "it is not released");
    good(sc, "pause a");
    refused(sc, "block-release a xvdb", "its file is not written"); /* this machine goes back */
    good(sc, "unpause a");
    begin = host_now(sc->host);
    refused(sc, "block-detach a xvdb", "libxl_device_disk_safe_remove failed.");
    assert_in_range(host_now(sc->host) - begin, SECONDS(10), SECONDS(10) + MILLISECS(10));
    assert_string_equal(at(sc, path), "5"); /* the guest is still asked to let it go */
    good(sc, "block-detach --force a 51728");
    assert_string_equal(at(sc, back), "(none)");
    assert_string_equal(at(sc, "/libxl/1"), "(none)");
    assert_string_equal(node(sc, "device/vbd"), "(none)");
    snprintf(line, sizeof(line), "block-attach b %s raw xvda r", name); /* words of their own, and nobody has it */
    good(sc, line);
    good(sc, "destroy b");
    assert_string_equal(at(sc, "/local/domain/0/backend/vbd"), "(none)");
    snprintf(line, sizeof(line), "block-attach a %s,raw,xvdb,w", name);
    good(sc, line);
    good(sc, "crash a"); /* while it has a disk */
    host_run(sc->host, host_now(sc->host) + MILLISECS(50), &(bool){ false });
    assert_string_equal(sc->crashed, "xenlab ctl crash");
    assert_int_equal(host_guests_left(sc->host), 0);
    unlink(name);
}

/* What is in the drive hdc, as its guest would find it; NULL: nothing. */
static const char *disc(const struct scene *sc)
{
    const struct disk *d;

    host_run(sc->host, host_now(sc->host) + MILLISECS(1), &(bool){ false });
    d = host_pc(sc->host, sc->domid)->ide.channel[1].drive[0].disk;
    return d ? d->path : NULL;
}

/* A CD drive has a disc, another one, none, wherever the device model is. */
static void discs(void **state)
{
    static const char params[] = "/local/domain/0/backend/vbd/2/5632/params";
    struct scene *sc = *state;
    char name[2][32], line[256];

    for (unsigned int i = 0; i < 2; i++) {
        int fd;

        strcpy(name[i], "/tmp/test_ctl.XXXXXX");
        fd = mkstemp(name[i]);
        assert_int_equal(ftruncate(fd, 1 << 20), 0);
        close(fd);
    }
    good(sc, "network-attach a");
    told(sc, "An HVM guest sees this with drivers for Xen alone");
    good(sc, "sysrq a h");
    told(sc, "An HVM guest sees this with drivers for Xen alone");
    good(sc, "mem-set a 8");
    told(sc, "An HVM guest sees this with drivers for Xen alone");
    good(sc, "sysrq b h");
    assert_string_equal(sc->err, "");
    good(sc, "trigger a power");
    assert_string_equal(sc->err, "");
    good(sc, "trigger a s3resume");
    told(sc, "No guest sleeps here.");
    refused(sc, "trigger b s3resume", "Send trigger 's3resume' failed: Invalid argument");
    refused(sc, "cd-eject b hdc", "cdrom-insert requires an HVM domain");
    refused(sc, "cd-insert a hdc /nowhere/x.iso",
            "/nowhere/x.iso: No such file or directory\nlibxl_cdrom_insert failed.");
    snprintf(line, sizeof(line), "cd-insert a hda %s", name[0]);
    refused(sc, line, "Virtual device not found");
    snprintf(line, sizeof(line), "cd-insert a xvdq %s", name[0]);
    refused(sc, line, "Virtual device not found");
    assert_null(disc(sc));
    for (unsigned int i = 0; i < 2; i++) {
        snprintf(line, sizeof(line), "cd-insert a hdc %s", name[i]);
        good(sc, line);
        assert_string_equal(disc(sc), name[i]);
        assert_string_equal(at(sc, params), name[i]);
        assert_string_equal(at(sc, "/libxl/2/device/vbd/5632/params"), name[i]);
    }
    good(sc, "cd-eject a hdc");
    assert_null(disc(sc));
    assert_string_equal(at(sc, params), "");
    good(sc, "cd-eject a hdc");
    snprintf(line, sizeof(line), "block-attach b %s,raw,xvda,w", name[1]); /* nobody has it now */
    good(sc, line);
    snprintf(line, sizeof(line), "cd-insert a hdc %s", name[1]);
    refused(sc, line, "b has this disk, and one of both writes it");
    assert_null(disc(sc));
    snprintf(line, sizeof(line), "cd-insert a 5632 %s", name[0]);
    good(sc, line);
    assert_string_equal(disc(sc), name[0]);
    refused(sc, "block-detach --force a hdc", "hdc is an IDE drive of this guest's as well");
    assert_string_equal(disc(sc), name[0]);
    unlink(name[0]);
    unlink(name[1]);
}

/* The same with network cards. */
static void cards(void **state)
{
    static const char back[] = "/local/domain/0/backend/vif/1/0";
    struct scene *sc = *state;
    char mac[32];

    refused(sc, "network-attach a mac=x", "libxl_device_nic_add failed.");
    refused(sc, "network-attach a bridge=user,tftp=/srv", "vif: tftp=: only of cards that are there from the start");
    refused(sc, "network-attach a bridge=user,hostfwd=tcp::80-:80", "vif: hostfwd=: only of cards");
    refused(sc, "network-attach a xenbr0", "vif: expected NAME=VALUE, got \"xenbr0\"");
    refused(sc, "network-detach a 0", "Unknown device 0.");
    good(sc, "network-attach a");
    assert_string_equal(node(sc, "device/vif/0/backend"), back);
    assert_string_equal(node(sc, "device/vif/0/mtu"), "1500");
    assert_string_equal(at(sc, "/local/domain/0/backend/vif/1/0/state"), "2");
    assert_string_equal(at(sc, "/libxl/1/device/vif/0/bridge"), "xenbr0");
    assert_string_equal(at(sc, "/libxl/1/device/vif/0/mtu"), "(none)");
    snprintf(mac, sizeof(mac), "%s", node(sc, "device/vif/0/mac"));
    assert_memory_equal(mac, "00:16:3e:", 9);
    good(sc, "network-attach a bridge=lan mtu=9000 rate=1MB/s,vifname=eth");
    assert_string_equal(node(sc, "device/vif/1/mtu"), "9000");
    assert_string_equal(at(sc, "/local/domain/0/backend/vif/1/1/mtu"), "9000");
    assert_string_equal(at(sc, "/local/domain/0/backend/vif/1/1/rate"), "50000,50000");
    assert_string_equal(at(sc, "/local/domain/0/backend/vif/1/1/vifname"), "eth");
    assert_string_not_equal(node(sc, "device/vif/1/mac"), mac);
    refused(sc, "network-attach a devid=1", "vif: devid=1: there is a card with this number already");
    refused(sc, "network-detach a 0", "libxl_device_nic_del failed.");
    good(sc, "network-detach --force a 1");
    assert_string_equal(node(sc, "device/vif/1"), "(none)");
    good(sc, "network-attach a devid=1");
    good(sc, "network-detach --force a 0");
    good(sc, "network-detach --force a 1");
    assert_string_equal(at(sc, "/local/domain/0/backend/vif"), "(none)");
    assert_string_equal(at(sc, "/libxl/1"), "(none)");
    for (unsigned int i = 0; i < 8; i++)
        good(sc, "network-attach a");
    refused(sc, "network-attach a", "vif: more than 8 network cards");
    good(sc, "crash a"); /* while it has cards */
    host_run(sc->host, host_now(sc->host) + MILLISECS(50), &(bool){ false });
    assert_string_equal(at(sc, "/local/domain/0/backend/vif"), "(none)");
}

/* Several at once: in order, each answered once. */
static void several(void **state)
{
    struct scene *sc = *state;
    char text[CTL_WORDS_SIZE];

    for (unsigned int i = 0; i < 100; i++) {
        const size_t len = words(i % 2 ? "unpause a" : "pause a", text);

        assert_int_equal(host_ctl(sc->host, 7, text, len, host_now(sc->host)), 0);
    }
    host_run(sc->host, host_now(sc->host) + MILLISECS(50), &(bool){ false });
    assert_int_equal(sc->ends, 100);
    assert_false(flags(sc) & XEN_DOMINF_paused);
}

static void no_input(void **state)
{
    static const char *const refusals[] = { "list", "console a", "nothing", "pause" };
    struct scene *sc = *state;

    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        char text[CTL_WORDS_SIZE], why[REWIND_ERR_SIZE];
        const struct journal_record rec = { .kind = JOURNAL_CTL,
                                            .len = words(refusals[i], text),
                                            .bytes = (uint8_t *)text };
        const struct journal_record cut = { .kind = JOURNAL_CTL, .len = 3, .bytes = (uint8_t *)text };

        assert_int_equal(input_apply(sc->host, &rec, why), -1);
        assert_int_equal(input_apply(sc->host, &cut, why), -1);
    }
    assert_int_equal(sc->ends, 0);
}

#define IN_MACHINE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read),
        cmocka_unit_test(any_bytes_are_read),
        IN_MACHINE(pausing),
        IN_MACHINE(asking),
        IN_MACHINE(memory),
        IN_MACHINE(vcpus),
        IN_MACHINE(weights),
        cmocka_unit_test_setup_teardown(periods, setup_rtds, teardown),
        IN_MACHINE(names),
        IN_MACHINE(messages),
        IN_MACHINE(destroying),
        IN_MACHINE(disks),
        cmocka_unit_test_setup_teardown(discs, setup_pc_dom0, teardown),
        cmocka_unit_test_setup_teardown(discs, setup_pc_domain, teardown),
        cmocka_unit_test_setup_teardown(discs, setup_pc_xen, teardown),
        IN_MACHINE(cards),
        IN_MACHINE(several),
        IN_MACHINE(no_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
