// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * evtchn's workloads.
 *
 *      time 100us                                   in which ports are sent to; default 100us
 *      switches 2                                   preemptions in an order, at most; default 2, 0 to 3
 *      port net priority=7 mask=30% : every 1us..4us
 *      port disk priority=3 : orders                it is sent to in orders alone
 *      orders two : net, disk, net                  sent to one after the other, in all orders with the guest's accesses
 *
 * `mask`: of 100 deliveries, so many have the guest mask the port until nothing else is pending.
 */
#include "tools/kit/evtchn.h"

#include <stdlib.h>
#include <string.h>

#include "sim/types.h"

static bool ns(const struct workload *r, const char *what, const char *text, uint64_t *t)
{
    return workload_time(r, what, text, "ns", 1, EVTCHN_MAX_TIME, t);
}

static bool port_key(const struct workload *r, void *of, const char *key, const char *value)
{
    struct evtchn_kit_port *p = of;

    if (value && !strcmp(key, "priority"))
        return workload_number(r, key, value, 15, &p->priority);
    if (value && !strcmp(key, "mask"))
        return workload_percent(r, key, value, 100, &p->mask);
    return workload_wrong(r, "a port has priority= and mask=, not \"%.40s\"", key);
}

static bool named_already(const struct workload *r, const char *name)
{
    const struct evtchn_model *m = r->model;

    for (unsigned int i = 1; i <= m->nr_ports; i++)
        if (!strcmp(m->port[i].name, name))
            return true;
    return false;
}

static bool port_read(const struct workload *r, char *text)
{
    struct evtchn_model *m = r->model;
    struct evtchn_kit_port *p = &m->port[m->nr_ports + 1];
    char *program, *word, *value, *save = NULL, *dots;

    if (m->nr_ports == EVTCHN_MAX_PORTS - 1)
        return workload_wrong(r, "more than %d ports", EVTCHN_MAX_PORTS - 1);
    *p = (struct evtchn_kit_port){ .priority = 7 };
    program = workload_head(r, text, "a port", "port NAME priority=7 mask=0% : every 1us..4us", p->name, port_key, p);
    if (!program)
        return false;
    if (named_already(r, p->name))
        return workload_wrong(r, "there is a port %s already", p->name);
    word = strtok_r(program, " \t", &save);
    value = word ? strtok_r(NULL, " \t", &save) : NULL;
    if (!word || strtok_r(NULL, " \t", &save) || strcmp(word, value ? "every" : "orders"))
        return workload_wrong(r, "%s is sent to \"every 1us..4us\", or in \"orders\" alone", p->name);
    m->nr_ports++;
    if (!value)
        return true;
    dots = strstr(value, "..");
    if (dots)
        *dots = '\0';
    return ns(r, word, value, &p->from) && ns(r, word, dots ? dots + 2 : value, &p->to) &&
           (p->from >= 100 || workload_wrong(r, "every: \"%s\" is less than 100ns", value)) &&
           (p->to >= p->from || workload_wrong(r, "every: the range ends before it begins"));
}

static bool send_read(const struct workload *r, void *of, char *text, bool last)
{
    struct evtchn_model *m = r->model;
    struct evtchn_orders *o = of;
    char *save = NULL, *name = strtok_r(text, " \t", &save);

    (void)last;
    for (unsigned int i = 1; name && i <= m->nr_ports; i++)
        if (!strcmp(m->port[i].name, name)) {
            o->port[o->nr++] = i;
            return !strtok_r(NULL, " \t", &save) || workload_wrong(r, "a comma is missing behind %s", name);
        }
    return workload_wrong(r, "there is no port \"%.40s\" above: orders are \"orders NAME : PORT, PORT\"",
                          name ? name : "");
}

static bool no_key(const struct workload *r, void *of, const char *key, const char *value)
{
    (void)of, (void)value;
    return workload_wrong(r, "orders have nothing but ports, not \"%.40s\"", key);
}

static bool orders_read(const struct workload *r, char *text)
{
    struct evtchn_model *m = r->model;
    struct evtchn_orders *o = &m->orders[m->nr_orders];
    char *program;

    if (m->nr_orders == EVTCHN_MAX_ORDERS)
        return workload_wrong(r, "more than %d orders", EVTCHN_MAX_ORDERS);
    program = workload_head(r, text, "orders", "orders NAME : PORT, PORT", o->name, no_key, o);
    if (!program || !workload_steps(r, program, EVTCHN_MAX_SENDS, send_read, o))
        return false;
    m->nr_orders++;
    return true;
}

static bool statement(const struct workload *r, const char *word, char *value)
{
    struct evtchn_model *m = r->model;

    if (!strcmp(word, "port"))
        return port_read(r, value);
    if (!strcmp(word, "orders"))
        return orders_read(r, value);
    if (!strcmp(word, "time"))
        return ns(r, word, value, &m->time);
    if (!strcmp(word, "switches"))
        return workload_number(r, word, value, EVTCHN_MAX_SWITCH, &m->switches);
    return workload_wrong(r, "\"%.40s\" is no statement: time, switches, port, orders and expect are", word);
}

void *events_load(FILE *f, uint64_t seed, char why[KIT_WHY])
{
    struct evtchn_model *m = calloc(1, sizeof(*m));
    struct workload r = { m, why, 0 };

    if (!m) {
        snprintf(why, KIT_WHY, " not enough memory");
        return NULL;
    }
    m->time = MICROSECS(100);
    m->switches = 2;
    m->seed = seed;
    if (workload_statements(&r, f, statement) &&
        (m->nr_ports || workload_wrong(&r, "there is no port: port NAME : every 1us..4us")))
        return m;
    events_free(m);
    return NULL;
}

void events_free(void *model) { free(model); }
