// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of stops, see tools/debug/stops.h. */
#include "tools/debug/stops.h"

#include "sim/insn.h"
#include "tools/debug/fit.h"
#include "vcpu/noun/domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void stop_free(struct debug_stop *stop)
{
    if (stop->text)
        condition_free(&stop->cond);
    free(stop->text);
    free(stop->pieces);
    free(stop->was);
    free(stop);
}

void stops_free(struct debug_stops *s)
{
    for (size_t i = 0; i < s->nr; i++)
        stop_free(s->list[i]);
    free(s->list);
}

/* Pages' parts of a watch. False: no memory. */
static bool cut(struct debug_stop *stop)
{
    const uint64_t first = stop->addr >> PAGE_SHIFT, last = (stop->addr + stop->len - 1) >> PAGE_SHIFT;

    stop->nr_pieces = (unsigned int)(last - first + 1);
    stop->pieces = calloc(stop->nr_pieces, sizeof(*stop->pieces));
    stop->was = malloc(stop->len);
    for (unsigned int i = 0; stop->pieces && i < stop->nr_pieces; i++) {
        const uint64_t begin = i ? (first + i) << PAGE_SHIFT : stop->addr;
        const uint64_t room = PAGE_SIZE - PAGE_OFFSET(begin), rest = stop->addr + stop->len - begin;

        stop->pieces[i] = (struct debug_piece){ .addr = begin, .len = (uint32_t)(rest < room ? rest : room) };
    }
    return stop->pieces && stop->was;
}

/* False, and err says why. */
static bool condition_add(struct debug_stop *stop, struct host *h, const char *cond, char err[EXPR_ERR_SIZE])
{
    struct event_set set = { { false } };

    if (condition_parse(&stop->cond, h, stop->dom, cond, err))
        return false;
    stop->text = strdup(cond);
    if (stop->kind == DEBUG_TRACE || stop->kind == DEBUG_LOG)
        set.has[stop->event] = true;
    if (stop->text && expr_fits(stop->cond.expr, &set, err))
        return true;
    if (!stop->text) {
        condition_free(&stop->cond);
        snprintf(err, EXPR_ERR_SIZE, "out of memory");
    }
    return false;
}

struct debug_stop *stops_add(struct debug_stops *s, const struct debug_stop *what, const char *cond,
                             char err[EXPR_ERR_SIZE])
{
    struct debug_stop **list = reallocarray(s->list, s->nr + 1, sizeof(struct debug_stop *));
    struct debug_stop *stop = list ? calloc(1, sizeof(*stop)) : NULL;

    snprintf(err, EXPR_ERR_SIZE, "out of memory");
    s->list = list ?: s->list;
    if (!stop)
        return NULL;
    *stop = (struct debug_stop){ .kind = what->kind,
                                 .dom = what->dom,
                                 .vcpu = what->vcpu,
                                 .addr = what->addr,
                                 .space = what->space,
                                 .len = what->len,
                                 .access = what->access,
                                 .event = what->event };
    if ((stop->kind == DEBUG_WATCH && !cut(stop)) || (cond && !condition_add(stop, s->host, cond, err))) {
        stop_free(stop);
        return NULL;
    }
    stop->id = ++s->last_id;
    s->list[s->nr++] = stop;
    return stop;
}

bool stops_delete(struct debug_stops *s, unsigned int id)
{
    for (size_t i = 0; i < s->nr; i++)
        if (s->list[i]->id == id) {
            stop_free(s->list[i]);
            memmove(&s->list[i], &s->list[i + 1], (--s->nr - i) * sizeof(struct debug_stop *));
            return true;
        }
    return false;
}

bool stops_have(const struct debug_stops *s, enum debug_kind kind)
{
    for (size_t i = 0; i < s->nr; i++)
        if (s->list[i]->kind == kind)
            return true;
    return false;
}

bool stop_holds(struct debug_stop *stop, const struct trace_record *rec)
{
    return !stop->text || condition_holds(&stop->cond, rec);
}

bool stop_holds_of(struct debug_stop *stop, const struct vcpu *v)
{
    const struct machine *m;
    struct trace_record rec;

    if (!stop->text)
        return true;
    m = host_machine(stop->cond.host);
    rec = (struct trace_record){ .at = m->at,
                                 .time = m->clock.now,
                                 .who = v ? vcpu_trace_who(v) : trace_who(TRACE_NO_DOMAIN, 0),
                                 .pcpu = (uint16_t)m->cur_pcpu,
                                 .event = TRC_NR };
    return condition_holds(&stop->cond, &rec);
}

bool stop_is_at(struct debug_stop *stop, const struct vcpu *v)
{
    return stop->kind == DEBUG_BREAK && stop->dom == v->domain->domain_id && stop->addr == insn_linear_rip(v->regs) &&
           stop_holds_of(stop, v);
}
