// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `--balloon-policy`: a policy of `xenlab kit memctl` says what real guests are to have.
 *
 * Concept: a memory coordinator, as it would run in dom0. Whenever a second of virtual time has passed, it reads what
 * is known of each guest, asks the policy, and says `xl mem-set` for each whose target is another one. The command is
 * an input of the machine, as one of `xenlab ctl` is: it is recorded, and `xenlab replay` needs no policy.
 *
 *      have               the domain's pages, of the hypervisor
 *      max                memory/static-max, of the toolstack
 *      floor              data/meminfo_floor; or what the guest began with: who says nothing cannot do without that
 *      unused             data/meminfo_free
 *      in, out            data/meminfo_swap_in, data/meminfo_swap_out
 *      the working set    data/meminfo_committed, which the policy is not told; or have - unused + in
 *
 * The nodes in data/ are an agent's in the guest, numbers of KiB; without one the guest has nothing unused. MiB are
 * whole ones: the rest is left out, but of a working set, which has a MiB more then.
 *
 * Invariant: what is said depends on virtual time and on the machine only, so the same run says the same.
 */
#include "ui/run/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/kit/balloon.h"
#include "tools/user_file.h"

struct run_balloon {
    struct balloon *policy;
    s_time_t next; /* second */
    uint64_t target[BALLOON_MAX_VMS], began[BALLOON_MAX_VMS];
    bool agent[BALLOON_MAX_VMS]; /* it has said something */
    char name[BALLOON_MAX_VMS][KIT_NAME];
    size_t nr;
    struct user_file_output json, workload;
};

/* --- it begins --- */

/* "web-d1": in workloads a name is of letters, digits, _ and -. */
static void name_make(char name[KIT_NAME], const char *guest, size_t i)
{
    const int len = snprintf(name, KIT_NAME, "%.20s", guest);

    for (char *c = name; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *c))
            *c = '_';
    snprintf(name + len, KIT_NAME - (size_t)len, "-d%zu", i + 1);
}

static int file_open(struct run *r, const struct guest_list *l, struct user_file_output *f, const char *option,
                     const char *path)
{
    char why[256];

    f->fd = -1;
    if (!path)
        return 0;
    if (guest_list_reads(l, r->opt, path))
        snprintf(r->err, RUN_ERR_SIZE, "%s: %.300s is a file that a guest comes from: it would take its place", option,
                 path);
    else if (user_file_output_open(f, path, why, sizeof(why)))
        snprintf(r->err, RUN_ERR_SIZE, "%s: %.300s: %s", option, path, why);
    else
        return 0;
    return -1;
}

int run_balloon_start(struct run *r, const struct guest_list *l)
{
    const struct run_options *o = r->opt;
    const char *names[BALLOON_MAX_VMS];
    struct run_balloon *b;
    int rc;

    if (!o->balloon_policy)
        return 0;
    if (l->nr_names > BALLOON_MAX_VMS) {
        snprintf(r->err, RUN_ERR_SIZE, "--balloon-policy: of at most %d guests, and there are %llu", BALLOON_MAX_VMS,
                 (unsigned long long)l->nr_names);
        return -1;
    }
    b = calloc(1, sizeof(*b));
    BUG_ON(!b);
    r->balloon = b;
    b->json.fd = b->workload.fd = -1;
    b->next = SECONDS(1);
    b->nr = l->nr_names;
    for (size_t i = 0; i < b->nr; i++) {
        name_make(b->name[i], l->names[i], i);
        names[i] = b->name[i];
    }
    if (file_open(r, l, &b->json, "--balloon-json", o->balloon_json) ||
        file_open(r, l, &b->workload, "--balloon-workload", o->balloon_workload))
        return -1;
    b->policy = balloon_start(o->balloon_policy, o->seed, b->nr, names, &rc, r->err);
    r->outcome.policy |= !b->policy && rc == 2;
    return b->policy ? 0 : -1;
}

/* --- a second --- */

/* What the guest says, MiB; at most `most`. */
static bool said(const struct run *r, domid_t domid, const char *node, uint64_t most, uint64_t *mib)
{
    uint64_t kib;

    if (!host_node_number(r->host, domid, node, &kib))
        return false;
    *mib = kib >> 10 < most ? kib >> 10 : most;
    return true;
}

static void look(struct run *r, unsigned int i, struct balloon_vm *vm)
{
    struct run_balloon *b = r->balloon;
    const domid_t domid = host_guest_domid(r->host, i);
    struct xen_domctl_getdomaininfo info;
    unsigned int n = domid;
    uint64_t kib;

    vm->ended = !domid || host_guest_ended(r->host, i) || !host_snapshot_domain(r->host, &n, &info) || n != domid ||
                !said(r, domid, "memory/static-max", WORKLOAD_MAX_SIZE, &vm->max);
    if (vm->ended)
        return;
    vm->have = info.tot_pages >> (20 - PAGE_SHIFT);
    if (!b->began[i])
        b->began[i] = vm->have;
    vm->floor = b->began[i];
    b->agent[i] |= said(r, domid, "data/meminfo_free", vm->have, &vm->unused);
    said(r, domid, "data/meminfo_floor", vm->max, &vm->floor);
    said(r, domid, "data/meminfo_swap_in", WORKLOAD_MAX_SIZE, &vm->in);
    said(r, domid, "data/meminfo_swap_out", WORKLOAD_MAX_SIZE, &vm->out);
    vm->needs = vm->have - vm->unused + vm->in;
    if (host_node_number(r->host, domid, "data/meminfo_committed", &kib)) /* a part of a MiB is not unused */
        vm->needs = kib >> 10 < vm->max ? (kib >> 10) + ((kib & 1023) != 0) : vm->max;
}

static void mem_set(struct run *r, unsigned int i, uint64_t mib)
{
    char words[64];
    const int len = snprintf(words, sizeof(words), "mem-set%c%u%c%llum", 0, host_guest_domid(r->host, i), 0,
                             (unsigned long long)mib);

    run_hand_in(r, &(struct journal_record){ .at = host_machine(r->host)->at,
                                             .now = r->now,
                                             .kind = JOURNAL_CTL,
                                             .who = RUN_BALLOON_ID,
                                             .len = (size_t)len + 1,
                                             .bytes = (uint8_t *)words });
}

static void tick(struct run *r)
{
    struct run_balloon *b = r->balloon;
    struct balloon_vm vm[BALLOON_MAX_VMS] = { 0 };
    uint64_t before[BALLOON_MAX_VMS];
    struct snapshot_machine m;

    host_snapshot_machine(r->host, &m);
    for (unsigned int i = 0; i < b->nr; i++) {
        look(r, i, &vm[i]);
        before[i] = b->next > SECONDS(1) ? b->target[i] : vm[i].have;
    }
    if (!balloon_tick(b->policy, m.free_pages >> (20 - PAGE_SHIFT), vm, b->target, r->err)) {
        r->outcome.policy = true;
        return;
    }
    for (unsigned int i = 0; i < b->nr; i++)
        if (!vm[i].ended && b->target[i] != before[i])
            mem_set(r, i, b->target[i]);
}

void run_balloon_tick(struct run *r)
{
    struct run_balloon *b = r->balloon;

    for (; b && r->now >= b->next && !r->outcome.policy; b->next += SECONDS(1))
        tick(r);
}

/* --- it ends --- */

static FILE *file_start(struct run *r, struct user_file_output *f, const char *option, const char *path)
{
    FILE *file = path ? user_file_output_start(f) : NULL;

    if (path && !file) {
        snprintf(r->err, RUN_ERR_SIZE, "%s: %.300s: %s", option, path, strerror(errno));
        r->outcome.failed = true;
    }
    return file;
}

static void file_close(struct run *r, FILE *f, const char *option, const char *path)
{
    int error;

    if (!f)
        return;
    error = fflush(f) ? errno : ferror(f) ? EIO : 0;
    if (fclose(f) && !error)
        error = errno;
    if (!error)
        return;
    snprintf(r->err, RUN_ERR_SIZE, "%s: %.300s: %s", option, path, strerror(error));
    r->outcome.failed = true;
}

static void show(struct run *r)
{
    struct run_balloon *b = r->balloon;
    const struct run_options *o = r->opt;
    char *text = NULL, why[BALLOON_WHY];
    size_t len = 0;
    FILE *out = open_memstream(&text, &len), *json = file_start(r, &b->json, "--balloon-json", o->balloon_json),
         *workload = file_start(r, &b->workload, "--balloon-workload", o->balloon_workload);
    int rc;

    BUG_ON(!out);
    if (workload)
        balloon_workload(b->policy, workload);
    for (size_t i = 0; i < b->nr; i++)
        if (!b->agent[i])
            fprintf(out, "%s: no agent said what is unused there (docs/kits.md)\n", b->name[i]);
    if (r->balloon_failed)
        fprintf(out, "%llu targets could not be set\n", (unsigned long long)r->balloon_failed);
    rc = balloon_beside(b->policy, out, json, why);
    if (rc)
        snprintf(r->err, RUN_ERR_SIZE, "--balloon-policy: %.900s", why);
    r->outcome.policy |= rc == 2;
    r->outcome.failed |= rc == 1;
    file_close(r, json, "--balloon-json", o->balloon_json);
    file_close(r, workload, "--balloon-workload", o->balloon_workload);
    fclose(out);
    console_message(&r->console, text, len);
    free(text);
}

void run_balloon_end(struct run *r)
{
    struct run_balloon *b = r->balloon;

    if (!b)
        return;
    if (b->policy && r->host && !r->outcome.failed && !run_policy_over(r))
        show(r);
    if (r->opt->balloon_json)
        user_file_output_close(&b->json, r->opt->balloon_json);
    if (r->opt->balloon_workload)
        user_file_output_close(&b->workload, r->opt->balloon_workload);
    balloon_end(b->policy);
    free(b);
    r->balloon = NULL;
}
