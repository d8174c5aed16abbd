// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `events`: event channels, as a matrix of ports and domains.
 *
 *      port  d0          d1          d2            P pending   M masked
 *         2  d1.2        d0.5        d0.7 P        * pending, and yet no upcall comes by itself: another event to
 *         3              d2.3        d1.3 PM*        this port is no edge, and nobody is told of it
 */
#include "ui/panels/panel.h"

#include <stdlib.h>
#include <string.h>

enum { DOMAIN, PORT, STATE, TO, VCPU, BITS, TOLD };

static const struct table_column columns[] = {
    [DOMAIN] = { .title = "domain" }, [PORT] = { .title = "port", .right = true }, [STATE] = { .title = "state" },
    [TO] = { .title = "to" },         [VCPU] = { .title = "vcpu", .right = true }, [BITS] = { .title = "bits" },
    [TOLD] = { .title = "told" },
};

static const char *told_text(enum look_told told)
{
    switch (told) {
    case LOOK_TOLD_NOTHING: return "";
    case LOOK_TOLD_SOON: return "an upcall comes when the vCPU next runs";
    case LOOK_TOLD_MASKED: return "nobody: the port is masked";
    case LOOK_TOLD_UPCALL_MASKED: return "nobody: the vCPU's evtchn_upcall_mask is set";
    case LOOK_TOLD_NOTED: return "nobody: the upcall was taken note of, the guest has to look";
    }
    return "";
}

static void port_take(struct table *t, domid_t dom, const struct look_port *p)
{
    struct table_row *row = table_row(t, "d%u.%u", dom, p->port);
    const bool stuck = p->told != LOOK_TOLD_NOTHING && p->told != LOOK_TOLD_SOON;

    table_cell(t, row, "d%u", dom);
    table_cell(t, row, "%u", p->port);
    table_cell(t, row, "%s", p->state);
    table_cell(t, row, "%s", p->to);
    table_cell(t, row, "%u", p->vcpu);
    table_cell(t, row, "%s%s%s", p->pending ? "P" : "", p->masked ? "M" : "", stuck ? "*" : "");
    table_cell(t, row, "%s", told_text(p->told));
    table_ask(t, row, "why port d%u %u", dom, p->port);
    if (row && p->pending)
        row->style = stuck ? STYLE_error : STYLE_key;
}

static void take(struct table *t, struct debug *g, const struct scene *s)
{
    struct look_domain d;
    struct look_port p;

    for (unsigned int i = 0; look_domain(g->host, &i, &d); i++)
        for (unsigned int n = 0; scene_wants(s, d.dom) && look_port(g->host, d.dom, &n, &p); n++)
            port_take(t, d.dom, &p);
}

/* --- the picture --- */

#define LABEL  7
#define WIDTH  13
#define MATRIX 64 /* ports and domains at most */

struct matrix {
    unsigned int dom[MATRIX], port[MATRIX];
    unsigned int doms, ports;
};

/* Where a number is among those, which grow by it if there is room. */
static unsigned int index_of(unsigned int *numbers, unsigned int *nr, unsigned int number)
{
    unsigned int i = 0;

    while (i < *nr && numbers[i] != number)
        i++;
    if (i == *nr && i < MATRIX)
        numbers[(*nr)++] = number;
    return i;
}

static int by_number(const void *a, const void *b)
{
    return (*(const unsigned int *)a > *(const unsigned int *)b) -
           (*(const unsigned int *)a < *(const unsigned int *)b);
}

static void matrix_make(struct matrix *m, const struct table *t)
{
    unsigned int dom, port;

    for (size_t i = 0; i < t->nr; i++)
        if (sscanf(t->row[i].key, "d%5u.%7u", &dom, &port) == 2) {
            index_of(m->dom, &m->doms, dom);
            index_of(m->port, &m->ports, port);
        }
    qsort(m->port, m->ports, sizeof(m->port[0]), by_number);
}

/* "d2.3 PM*", "d1?" if it waits for d1, "TIMER". */
static void cell_text(const struct table_row *row, char text[WIDTH])
{
    const char *to = row->cell[TO] ?: "", *bits = row->cell[BITS] ?: "";
    unsigned int dom, port;
    char peer[TABLE_KEY];

    if (sscanf(to, "d%5u port %7u", &dom, &port) == 2)
        snprintf(peer, sizeof(peer), "d%u.%u", dom, port);
    else if (sscanf(to, "d%5u may", &dom) == 1)
        snprintf(peer, sizeof(peer), "d%u?", dom);
    else if (!strncmp(to, "VIRQ_", 5))
        snprintf(peer, sizeof(peer), "%s", to + 5);
    else
        snprintf(peer, sizeof(peer), "%.*s", TABLE_KEY - 1, *to ? to : row->cell[STATE] ?: "");
    snprintf(text, WIDTH, "%.7s %.4s", peer, bits);
}

static unsigned int draw(const struct table *t, const struct scene *s, struct area *a)
{
    struct matrix m = { .doms = 0 };
    unsigned int rows, cols, dom, port;
    char text[WIDTH];

    matrix_make(&m, t);
    rows = a->rows / 2 > 1 ? a->rows / 2 - 1 : 0;
    rows = m.ports < rows ? m.ports : rows;
    cols = a->cols > LABEL ? (a->cols - LABEL) / WIDTH : 0;
    if (!rows || m.doms < 2)
        return 0;
    area_text(a, 0, 1, STYLE_title, "port");
    for (unsigned int c = 0; c < m.doms && c < cols; c++)
        area_print(a, 0, LABEL + c * WIDTH, m.dom[c] == s->dom ? STYLE_here : STYLE_title, "d%u", m.dom[c]);
    for (unsigned int r = 0; r < rows; r++)
        area_print(a, 1 + r, 0, STYLE_text, "%5u", m.port[r]);
    for (size_t i = 0; i < t->nr; i++) {
        unsigned int r, c;

        if (sscanf(t->row[i].key, "d%5u.%7u", &dom, &port) != 2)
            continue;
        r = index_of(m.port, &m.ports, port);
        c = index_of(m.dom, &m.doms, dom);
        cell_text(&t->row[i], text);
        if (r < rows && c < cols)
            area_text(a, 1 + r, LABEL + c * WIDTH, t->row[i].style, text);
    }
    return 1 + rows;
}

const struct panel_ops panel_events = { .name = "events",
                                        .help = "event channels: who tells whom, and what is pending; dN: its own",
                                        .empty = "there are no ports",
                                        .column = columns,
                                        .nr_columns = ARRAY_SIZE(columns),
                                        .about = scene_about_domain,
                                        .take = take,
                                        .draw = draw };
