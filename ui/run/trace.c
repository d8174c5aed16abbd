// SPDX-License-Identifier: GPL-2.0-or-later
/* `--trace`, `--trace-filter`, `--pcap` of `xenlab run`: see ui/trace_file.h, ui/pcap_file.h. */
#include "ui/run/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void on_record(void *data, const struct trace_record *rec)
{
    static const char *const spaces[] = { [EXPR_VIRTUAL] = "v:", [EXPR_PHYSICAL] = "p:", [EXPR_MACHINE] = "m:" };
    struct run *r = data;
    char text[128];

    if (condition_holds(&r->filter, rec))
        trace_file_sink(&r->trace, rec);
    if (!r->filter.unreadable || r->filter_warned)
        return;
    r->filter_warned = true;
    snprintf(text, sizeof(text), "--trace-filter: d%dv%d:%s0x%llx cannot be read: there the condition does not hold",
             r->filter.where.domain, r->filter.where.vcpu, spaces[r->filter.where.space],
             (unsigned long long)r->filter.where.addr);
    run_message(r, text);
}

/* There are no guests yet, and so no symbols. */
static int filter_start(struct run *r)
{
    char why[EXPR_ERR_SIZE];

    if (condition_parse(&r->filter, r->host, CONDITION_NO_SYMBOLS, r->opt->trace_filter, why)) {
        snprintf(r->err, RUN_ERR_SIZE, "--trace-filter: %s", why);
        return -1;
    }
    host_trace(r->host, on_record, r);
    return 0;
}

/* Copies of a guest come from the same files: each is named once. */
int run_trace_start(struct run *r, const struct guest_list *l)
{
    const char *path = r->opt->trace;
    struct trace_file_guest *guests = calloc(l->nr, sizeof(*guests));
    int rc;

    for (unsigned int i = 0; guests && i < l->nr; i++) {
        const struct host_guest *g = &l->entries[i].guest;

        guests[i] = (struct trace_file_guest){ l->names[i], g->kernel, g->ramdisk };
    }
    rc = guests ? trace_file_open(&r->trace, path, guests, l->nr, &r->process->stop) : -1;
    if (rc)
        snprintf(r->err, RUN_ERR_SIZE, "%s: %s", path, strerror(errno));
    else
        host_trace(r->host, trace_file_sink, &r->trace);
    free(guests);
    return rc == 0 && r->opt->trace_filter ? filter_start(r) : rc;
}

int run_pcap_start(struct run *r, const struct guest_list *l)
{
    for (unsigned int i = 0; i < r->opt->nr_pcap; i++) {
        char port[PCAP_PORT_SIZE];
        const char *path = pcap_path(r->opt->pcap[i], port);

        if (guest_list_reads(l, r->opt, path)) {
            snprintf(r->err, RUN_ERR_SIZE,
                     "--pcap: %s is a file that a guest comes from: the packets would take its place", path);
            return -1;
        }
        if (pcap_open(&r->pcap, r->opt->pcap[i])) {
            snprintf(r->err, RUN_ERR_SIZE, "%s: %s", path, strerror(errno));
            return -1;
        }
    }
    return 0;
}
