// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `ioreq`: I/O requests of HVM guests in flight, and who answers them.
 *
 *      server of  vcpu  state   access        at    data
 *      0      d0  d1v0  ready   out 1         3f8   41          the guest waits until it says "answered"
 *      0      d0  all           12 sent, 0 buffered
 *
 * Concept: a device is emulated by a program of another domain. It shares a page with the hypervisor, with a place for
 * one request of each vCPU: what the guest did, and in the end what came of it.
 */
#include "ui/panels/panel.h"

#include "tools/debug/look_hvm.h"

#include <inttypes.h>
#include <string.h>

static const struct table_column columns[] = { { .title = "server", .right = true },
                                               { .title = "of" },
                                               { .title = "vcpu" },
                                               { .title = "state" },
                                               { .title = "access" },
                                               { .title = "at", .right = true },
                                               { .title = "data", .right = true } };

static void request_take(struct table *t, domid_t dom, const struct look_ioreq *r)
{
    struct table_row *row =
        r->no_vcpu ? table_row(t, "d%u.%u", dom, r->server) : table_row(t, "d%u.%u v%u", dom, r->server, r->vcpu);

    table_cell(t, row, "%u", r->server);
    table_cell(t, row, "d%u", r->emulator);
    if (r->no_vcpu) {
        table_cell(t, row, "d%u", dom);
        table_cell(t, row, r->enabled ? "enabled" : "disabled");
        table_cell(t, row, "%" PRIu64 " sent, %" PRIu64 " buffered", r->sent, r->buffered);
        return;
    }
    table_cell(t, row, "d%uv%u", dom, r->vcpu);
    table_cell(t, row, "%s", r->state);
    if (!r->size && !r->addr)
        return; /* there has been none yet */
    table_cell(t, row, "%s %u%s",
               r->pci      ? r->read ? "PCI read" : "PCI write"
               : r->memory ? r->read ? "load" : "store"
               : r->read   ? "in"
                           : "out",
               r->size, r->count > 1 ? ", rep" : "");
    table_cell(t, row, "%" PRIx64, r->addr);
    table_cell(t, row, "%" PRIx64, r->data);
    if (row)
        row->style = !strcmp(r->state, "none") ? STYLE_text : STYLE_here;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    struct look_domain d;
    struct look_ioreq r;

    for (unsigned int n = 0; look_domain(g->host, &n, &d); n++)
        for (unsigned int i = 0; scene_wants(s, d.dom) && look_ioreq(g->host, d.dom, &i, &r); i++)
            request_take(t, d.dom, &r);
}

const struct panel_ops panel_ioreq = { .name = "ioreq",
                                       .help = "HVM guests' requests to device models: what is in flight, who answers",
                                       .empty = "there is no device model",
                                       .column = columns,
                                       .nr_columns = ARRAY_SIZE(columns),
                                       .about = scene_about_domain,
                                       .take = take };
