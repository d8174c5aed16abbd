// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A machine with driver domains, for tests: guests `blkcat` that write numbered blocks over one, commands, and what is
 * found out afterwards, by consoles, by nodes in the store, and by another blkcat that looks at the disk.
 */
#ifndef TESTS_TOOLS_DRIVERS_H
#define TESTS_TOOLS_DRIVERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/ctl_heard.h"
#include "tests/support/host_run.h"
#include "tools/debug/look.h"
#include "tools/host.h"
#include "vcpu/noun/xen.h"

#include <xen/io/xs_wire.h>

#define PATIENCE SECONDS(20)

struct scene {
    struct host *host;
    char console[64][16384]; /* by domain */
    struct ctl_heard ctl;
    char told[8192]; /* by the toolstack */
    unsigned int gone;
    s_time_t until;     /* it has run to */
    s_time_t ended[64]; /* when a domain did */
    char disk[80];
};

static inline void on_console(void *data, domid_t domid, const char *text, size_t len)
{
    struct scene *sc = data;

    size_t at;

    assert_in_range(domid, 1, 63);
    at = strlen(sc->console[domid]);
    for (size_t i = 0; i < len && at < sizeof(sc->console[domid]) - 1; i++) /* what is compared is shorter */
        if (text[i] != '\r')
            sc->console[domid][at++] = text[i];
}

static inline void on_say(void *data, unsigned int id, enum host_ctl what, const char *text, size_t len)
{
    (void)id;
    ctl_hear(&((struct scene *)data)->ctl, what, text, len);
}

static inline void on_message(void *data, const char *line)
{
    struct scene *sc = data;

    assert_true(strlen(sc->told) + strlen(line) + 1 < sizeof(sc->told));
    strcat(strcat(sc->told, line), "\n");
}

static inline void on_end(void *data, domid_t domid, int reason)
{
    struct scene *sc = data;

    (void)reason;
    assert_in_range(domid, 1, 63);
    sc->ended[domid] = host_now(sc->host);
    sc->gone++;
}

/* Faults with spaces between them, or NULL. How many. */
static inline unsigned int faults_read(const char *text, struct host_fault faults[4])
{
    char copy[128], *rest = copy, *word, wrong[FAULT_WHY_SIZE];
    unsigned int nr = 0;

    snprintf(copy, sizeof(copy), "%s", text ? text : "");
    while ((word = strsep(&rest, " ")))
        if (*word && !fault_parse(word, &faults[nr++], wrong))
            fail_msg("%s", wrong);
    return nr;
}

static inline void on_store(void *data, unsigned int id, const void *bytes, size_t len) {}

static inline void begin_with(struct scene *sc, unsigned int nr_pcpus, const char *fault)
{
    struct host_fault faults[4];
    const unsigned int nr_faults = faults_read(fault, faults);
    const struct host_config cfg = {
        .ram_mib = 256, .nr_pcpus = nr_pcpus, .quiet = true, .faults = faults, .nr_faults = nr_faults
    };
    const struct host_io io = { .data = sc,
                                .console_out = on_console,
                                .ctl_say = on_say,
                                .message = on_message,
                                .guest_ended = on_end,
                                .xenstore_out = on_store };
    char err[HOST_ERR_SIZE];
    int fd;

    memset(sc, 0, sizeof(*sc));
    sc->host = host_create(&cfg, &io, err);
    assert_non_null(sc->host);
    strcpy(sc->disk, "/tmp/test_drivers.XXXXXX");
    fd = mkstemp(sc->disk);
    assert_true(fd >= 0 && !ftruncate(fd, 256 * 1024));
    close(fd);
}

static inline void begin(struct scene *sc, unsigned int nr_pcpus) { begin_with(sc, nr_pcpus, NULL); }

static inline void end(struct scene *sc)
{
    host_destroy(sc->host);
    unlink(sc->disk);
}

static inline domid_t add(struct scene *sc, const struct host_guest *g)
{
    char err[HOST_ERR_SIZE];
    domid_t domid;

    if (host_guest_add(sc->host, g, &domid, err) || host_guest_start(sc->host, domid))
        fail_msg("%s", err);
    return domid;
}

static inline domid_t add_driver(struct scene *sc, const char *name)
{
    const struct host_guest g = { .name = name, .driver_domain = true, .unlisted = true };

    return add(sc, &g);
}

/* A driver domain, and a guest that stays, so that the machine goes on. */
static inline void begin_storage(struct scene *sc, unsigned int nr_pcpus, const char *fault)
{
    begin_with(sc, nr_pcpus, fault);
    add_driver(sc, "storage");
    add(sc, &(struct host_guest){ .kernel = "build/guests/idle", .memory_mib = 4 });
}

static inline domid_t add_blkcat_that(struct scene *sc, const char *name, const char *backend, const char *cmdline,
                                      enum xl_action on_crash)
{
    struct xl_disks disks = { 0 };
    char spec[128], why[XL_DISK_WHY_SIZE];
    const struct host_guest g = { .name = name,
                                  .kernel = "build/guests/blkcat",
                                  .cmdline = cmdline,
                                  .memory_mib = 16,
                                  .disks = &disks,
                                  .on_crash = on_crash };
    domid_t domid;

    snprintf(spec, sizeof(spec), "%s,raw,xvda,w%s%s", sc->disk, *backend ? ",backend=" : "", backend);
    assert_true(xl_disks_add(&disks, spec, why));
    domid = add(sc, &g);
    xl_disks_free(&disks);
    return domid;
}

static inline domid_t add_blkcat(struct scene *sc, const char *name, const char *backend, const char *cmdline)
{
    return add_blkcat_that(sc, name, backend, cmdline, 0);
}

/* The machine's own time stands still while nobody runs. */
static inline void pass(struct scene *sc, s_time_t ns)
{
    const s_time_t now = host_now(sc->host);

    sc->until = (sc->until > now ? sc->until : now) + ns;
    host_run(sc->host, sc->until, &(bool){ false });
}

static inline void until_gone(struct scene *sc, unsigned int nr)
{
    const s_time_t deadline = host_now(sc->host) + PATIENCE;

    while (sc->gone < nr && sc->until < deadline && !host_is_idle(sc->host))
        pass(sc, MICROSECS(200));
    if (sc->gone != nr)
        fail_msg("%u of %u guests have ended: %s%s", sc->gone, nr, sc->told, sc->console[2]);
}

static inline void tell(struct scene *sc, const char *command, const char *name)
{
    char words[64];
    const int len = snprintf(words, sizeof(words), "%s%c%s", command, 0, name) + 1;

    assert_int_equal(host_ctl(sc->host, 1, words, (size_t)len, host_now(sc->host)), 0);
}

/* "acknowledged 1" to "acknowledged nr", each once, in order, and nothing else but "flushed" after each tenth. */
static inline void expect_acknowledged(const char *console, unsigned int nr)
{
    char line[64];

    for (unsigned int i = 1; i <= nr; i++) {
        const int len = i % 10 ? snprintf(line, sizeof(line), "acknowledged %u\n", i)
                               : snprintf(line, sizeof(line), "acknowledged %u\nflushed %u\n", i, i);

        if (strncmp(console, line, (size_t)len) != 0)
            fail_msg("not acknowledged: %u, but: %.60s", i, console);
        console += len;
    }
    assert_string_equal(console, "");
}

/* What write_blocks() has written is there. */
static inline void verify(struct scene *sc, unsigned int nr)
{
    char cmdline[32], text[64];
    unsigned int gone;
    domid_t domid;

    pass(sc, MILLISECS(5)); /* its domain is taken down */
    gone = sc->gone;
    snprintf(cmdline, sizeof(cmdline), "verify=%u", nr);
    domid = add_blkcat(sc, NULL, "", cmdline);
    until_gone(sc, gone + 1);
    snprintf(text, sizeof(text), "%u blocks, 0 wrong\n", nr);
    assert_string_equal(sc->console[domid], text);
}

struct node {
    const char *path;
    char value[64];
    unsigned int nr; /* of nodes at and below it */
};

static inline void node_seen(void *data, const struct host_store_entry *e)
{
    struct node *n = data;
    const size_t len = strlen(n->path);

    if (e->is_watch || strncmp(e->path, n->path, len) != 0 || (e->path[len] && e->path[len] != '/'))
        return;
    n->nr++;
    if (!e->path[len])
        snprintf(n->value, sizeof(n->value), "%s", e->value);
}

/* NULL: it is not there. */
static inline void expect_node(const struct scene *sc, const char *path, const char *value)
{
    struct node n = { .path = path };

    host_store_each(sc->host, node_seen, &n);
    if (value ? !n.nr || strcmp(n.value, value) : n.nr)
        fail_msg("%s is %s, and not %s", path, n.nr ? n.value : "not there", value ? value : "gone");
}

#endif
