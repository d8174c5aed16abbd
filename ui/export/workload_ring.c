// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trace as a workload of `xenlab kit ring` (docs/kits.md): what came into rings, and when, for a rule of notification
 * to be tried on it.
 *
 * Concept: a back end's records `ring` say of each ring what was put or taken, and when. One of responses (block_rsp,
 * net_rx_rsp...) has the back end as its producer: a record is a push, and says whether the front end was told. Of a
 * ring of requests it is the consumer: what it has found came when the front end sent an event since the look before,
 * or, if nobody did, just then: it was awake, and no record says more. Events are of a ring if they go to the port that
 * its back end tells the front end at.
 *
 *      front end    evtchn_send ......... upcall, or it runs and blocks
 *      back end       | latency | ring (requests)    ring (responses) | latency |
 *
 * A ring's latency is the median time from telling somebody to when he is awake. Its take is reckoned from who was told
 * when: who was not told was awake still, so that what he had to take took longer than until then; who was told slept,
 * so it took less. That time a request with which the fewest of these are wrong is the take. Waking up is in the
 * latency.
 *
 * Of responses to block and transmit requests the front end knows how many are to come: `ask`. Of what another one
 * sends it does not. Left out are rings whose consumer does not sleep on them: buffers for frames (net_rx), of which
 * the back end takes one when a frame comes, and responses of which the front end has never asked to be told.
 *
 * Invariants: a ring is known by its domain, its kind, and where its index was: of two of the same kind each goes on
 * where it was. Memory grows with pushes.
 *
 * Budget: 560 lines, of which emission is a part.
 */
#include "ui/export/export.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tools/kit/ring.h"

#define INSTANCES 64  /* rings of one kind that a domain has, or has had */
#define SHORTEST  100 /* ns between two steps of a program */
#define MOST_SLOT 4096
#define AT_ONCE   16 /* rings that were told of, and whose other end is not awake yet */

struct samples {
    uint64_t *value;
    size_t nr, room;
};

struct push {
    s_time_t at;
    uint32_t nr;
    bool asks;
};

struct ring_row {
    struct export_row row; /* domain; kind, instance */
    uint32_t end, slots, port;
    bool begun, has_port;
    struct push *push;
    size_t nr, room;
    uint64_t requests, notifications, most, asked, steps;
    struct samples latency, bounds; /* bounds: 2 * gap + told */
    s_time_t told_at, awake_at;     /* awake_at: 0: it is not known to be, and has had to take so many: */
    uint64_t awake_nr;
    uint32_t event; /* the consumer's, of responses; it was never another one: */
    bool event_known, event_moved;
    const char *left_out; /* why; crowded: by others */
    bool crowded;
};

/* A port of a front end's, and what it sent there that no look has found yet. */
struct send_row {
    struct export_row row;
    uint64_t nr;
    s_time_t first, last;
};

struct domain_row {
    struct export_row row;
    struct send_row *last; /* where it sent last */
    struct ring_row *waits[AT_ONCE];
    unsigned int nr_waits;
    s_time_t runs_at; /* 0: not since it was told */
};

struct rings {
    FILE *out;
    struct export_rows rings, sends, domains;
    struct ring_row *told[AT_ONCE]; /* by records that say so: the event is still to be sent */
    unsigned int nr_told;
    s_time_t begin, now;
    uint64_t records, sent, ran;
    bool told_any, failed;
    char lacks[EXPORT_LACKS];
};

static unsigned int kind_of(const struct ring_row *r) { return r->row.key >> 8 & 0xff; }

static bool is_of_requests(unsigned int kind)
{
    return kind == TRACE_RING_CONSOLE_OUT || kind == TRACE_RING_XENSTORE_REQ || kind == TRACE_RING_BLOCK_REQ ||
           kind == TRACE_RING_NET_TX || kind == TRACE_RING_NET_RX || kind == TRACE_RING_CHANNEL_OUT;
}

/* The other half of the same page. */
static unsigned int half_of(unsigned int kind)
{
    static const uint8_t halves[][2] = {
        { TRACE_RING_CONSOLE_OUT, TRACE_RING_CONSOLE_IN }, { TRACE_RING_XENSTORE_REQ, TRACE_RING_XENSTORE_RSP },
        { TRACE_RING_BLOCK_REQ, TRACE_RING_BLOCK_RSP },    { TRACE_RING_NET_TX, TRACE_RING_NET_TX_RSP },
        { TRACE_RING_NET_RX, TRACE_RING_NET_RX_RSP },      { TRACE_RING_CHANNEL_OUT, TRACE_RING_CHANNEL_IN },
    };

    for (size_t i = 0; i < ARRAY_SIZE(halves); i++)
        if (halves[i][0] == kind || halves[i][1] == kind)
            return (unsigned int)halves[i][0] + halves[i][1] - kind;
    return kind;
}

static bool is_of_bytes(unsigned int kind)
{
    return kind != TRACE_RING_KEYS && kind != TRACE_RING_BLOCK_REQ && kind != TRACE_RING_BLOCK_RSP &&
           kind != TRACE_RING_NET_TX && kind != TRACE_RING_NET_TX_RSP && kind != TRACE_RING_NET_RX &&
           kind != TRACE_RING_NET_RX_RSP;
}

/* --- what is kept --- */

static void sample(struct rings *w, struct samples *s, s_time_t value)
{
    if (s->nr == s->room) {
        uint64_t *more = reallocarray(s->value, s->room ? 2 * s->room : 16, sizeof(*more));

        if (!more) {
            w->failed = true;
            return;
        }
        s->value = more;
        s->room = s->room ? 2 * s->room : 16;
    }
    s->value[s->nr++] = value > 0 ? (uint64_t)value : 1;
}

static void push_add(struct rings *w, struct ring_row *r, struct push p)
{
    if (r->nr == r->room) {
        struct push *more = reallocarray(r->push, r->room ? 2 * r->room : 16, sizeof(*more));

        if (!more) {
            w->failed = true;
            return;
        }
        r->push = more;
        r->room = r->room ? 2 * r->room : 16;
    }
    if (r->nr && p.at < r->push[r->nr - 1].at)
        p.at = r->push[r->nr - 1].at;
    r->push[r->nr++] = p;
}

static void *row(struct rings *w, struct export_rows *t, uint32_t key)
{
    void *r = export_row(t, key);

    w->failed |= !r;
    return r;
}

/* That of the domain and kind whose index is there. A new one, if it is of none. */
static struct ring_row *ring_of(struct rings *w, unsigned int dom, unsigned int kind, uint32_t index)
{
    struct ring_row *r = NULL;

    for (unsigned int i = 0; i < INSTANCES; i++) {
        r = row(w, &w->rings, EXPORT_KEY(dom, kind << 8 | i));
        if (!r || !r->begun || r->end == index)
            break;
    }
    if (r)
        r->begun = true;
    return r;
}

static struct ring_row *half(struct rings *w, const struct ring_row *r)
{
    return row(w, &w->rings, (r->row.key & 0xffff00ff) | half_of(kind_of(r)) << 8);
}

/* --- what happened --- */

/* Somebody pushes, and tells of it or does not. */
static void bound(struct rings *w, struct ring_row *r, s_time_t at, bool told)
{
    if (r->awake_at && r->awake_nr && at > r->awake_at)
        sample(w, &r->bounds, 2 * ((at - r->awake_at) / (s_time_t)r->awake_nr) + told);
}

/* The back end has looked, and found n. */
static void requests(struct rings *w, struct ring_row *r, uint32_t n)
{
    struct domain_row *d = row(w, &w->domains, r->row.key >> 16);
    const struct ring_row *other = half(w, r);
    struct send_row *s =
        other && other->has_port ? row(w, &w->sends, EXPORT_KEY(r->row.key >> 16, other->port & 0xffff)) : NULL;
    s_time_t came = w->now;

    if (!s && d && d->last)
        s = d->last;
    if (s && s->nr) { /* where there are bytes, events are also sent of what was taken: the last is of these */
        came = is_of_bytes(kind_of(r)) ? s->last : s->first;
        sample(w, &r->latency, w->now - came);
        r->notifications += is_of_bytes(kind_of(r)) ? 1 : s->nr;
        bound(w, r, came, true);
        s->nr = 0;
        r->awake_at = w->now;
        r->awake_nr = n;
    } else {
        bound(w, r, came, false);
        r->awake_nr += n;
    }
    push_add(w, r, (struct push){ came, n, false });
    if (kind_of(r) == TRACE_RING_BLOCK_REQ || kind_of(r) == TRACE_RING_NET_TX) {
        struct ring_row *answers = half(w, r);

        if (answers)
            push_add(w, answers, (struct push){ came, n, true });
    }
}

/* The back end has put n. */
static void responses(struct rings *w, struct ring_row *r, uint32_t n, uint64_t event, bool told)
{
    struct domain_row *d = row(w, &w->domains, r->row.key >> 16);
    bool waits = false;

    push_add(w, r, (struct push){ w->now, n, false });
    r->event_moved |= event == TRACE_NONE || (r->event_known && r->event != (uint32_t)event);
    r->event = (uint32_t)event;
    r->event_known = true;
    bound(w, r, w->now, told);
    r->awake_nr += n;
    if (!told || !d)
        return;
    r->notifications++;
    r->told_at = w->now;
    r->awake_nr = n;
    r->awake_at = 0;
    for (unsigned int i = 0; i < d->nr_waits; i++)
        waits |= d->waits[i] == r;
    if (!waits && d->nr_waits < AT_ONCE)
        d->waits[d->nr_waits++] = r;
    d->runs_at = 0;
}

static void ring(struct rings *w, const struct trace_record *rec)
{
    const unsigned int kind = (unsigned int)rec->arg[1];
    struct ring_row *r = ring_of(w, (unsigned int)rec->arg[0], kind, (uint32_t)rec->arg[2]);
    const uint32_t n = (uint32_t)(rec->arg[3] - rec->arg[2]);

    if (!r)
        return;
    r->end = (uint32_t)rec->arg[3];
    r->requests += n;
    r->most = n > r->most ? n : r->most;
    if (rec->arg[5] && w->nr_told < AT_ONCE)
        w->told[w->nr_told++] = r;
    w->told_any |= rec->arg[5] && !is_of_bytes(kind);
    if (!n || n > MOST_SLOT)
        return;
    if (is_of_requests(kind))
        requests(w, r, n);
    else
        responses(w, r, n, rec->arg[4], rec->arg[5]);
}

static void sent(struct rings *w, const struct trace_record *rec)
{
    const unsigned int port = (unsigned int)rec->arg[0], peer = (unsigned int)rec->arg[1];
    struct domain_row *d = row(w, &w->domains, rec->who.domain);
    struct send_row *s = row(w, &w->sends, EXPORT_KEY(rec->who.domain, port & 0xffff));
    unsigned int kept = 0;

    w->sent++;
    for (unsigned int i = 0; i < w->nr_told; i++) {
        struct ring_row *r = w->told[i], *other = half(w, r);

        if (r->row.key >> 16 != peer) {
            w->told[kept++] = r;
            continue;
        }
        r->port = (uint32_t)rec->arg[2];
        r->has_port = true;
        if (other) {
            other->port = r->port;
            other->has_port = true;
        }
    }
    w->nr_told = kept;
    if (!s || !d)
        return;
    if (!s->nr++)
        s->first = w->now;
    s->last = w->now;
    d->last = s;
}

/* The domain is awake: it has the upcall, or has run and blocks again without one. */
static void awake(struct rings *w, struct domain_row *d, s_time_t since)
{
    for (unsigned int i = 0; i < d->nr_waits; i++) {
        sample(w, &d->waits[i]->latency, since - d->waits[i]->told_at);
        d->waits[i]->awake_at = since;
    }
    d->nr_waits = 0;
}

static void domain_does(struct rings *w, const struct trace_record *rec)
{
    struct domain_row *d = row(w, &w->domains, rec->who.domain);

    w->ran++;
    if (!d)
        return;
    if (rec->event == TRC_upcall)
        awake(w, d, w->now);
    else if (rec->arg[1] == 0) /* running */
        d->runs_at = d->runs_at ?: w->now;
    else if (rec->arg[1] == 2 && d->runs_at) /* blocked */
        awake(w, d, d->runs_at);
}

static void *begin(FILE *out, const struct export_about *about)
{
    struct rings *w = calloc(1, sizeof(*w));

    (void)about;
    if (!w)
        return NULL;
    w->out = out;
    w->rings.size = sizeof(struct ring_row);
    w->sends.size = sizeof(struct send_row);
    w->domains.size = sizeof(struct domain_row);
    return w;
}

static void record(void *state, const struct trace_record *rec)
{
    struct rings *w = state;

    if (!w->records++)
        w->begin = w->now = rec->time;
    if (rec->time > w->now)
        w->now = rec->time;
    switch (rec->event) {
    case TRC_ring: ring(w, rec); break;
    case TRC_ring_full: {
        struct ring_row *r = row(w, &w->rings, EXPORT_KEY(rec->arg[0], rec->arg[1] << 8));

        if (r && rec->arg[2] <= MOST_SLOT)
            r->slots = (uint32_t)rec->arg[2];
        break;
    }
    case TRC_evtchn_send: sent(w, rec); break;
    case TRC_upcall:
    case TRC_runstate: domain_does(w, rec); break;
    default: break;
    }
}

/* --- what is known in the end --- */

static int less(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The sample below which there are so many hundredths of them; 1: there is none. */
static uint64_t percentile(struct samples *s, unsigned int percent)
{
    if (!s->nr)
        return 1;
    qsort(s->value, s->nr, sizeof(*s->value), less);
    return s->value[(s->nr - 1) * percent / 100];
}

/* The take: of a bound's two times it is right if it is not less where nobody was told, and less where somebody was. */
static uint64_t take_of(struct samples *s)
{
    uint64_t wrong = 0, least, take = 1;

    if (s->nr)
        qsort(s->value, s->nr, sizeof(*s->value), less);
    for (size_t i = 0; i < s->nr; i++)
        wrong += !(s->value[i] & 1);
    least = wrong;
    for (size_t i = 0; i < s->nr; i++) {
        wrong += s->value[i] & 1;
        wrong -= !(s->value[i] & 1);
        if (wrong < least && (i + 1 == s->nr || s->value[i + 1] / 2 > s->value[i] / 2)) {
            least = wrong;
            take = s->value[i] / 2;
        }
    }
    return take < RING_MAX_TIME ? take ?: 1 : RING_MAX_TIME;
}

static const char *ring_name(const struct ring_row *r, char name[KIT_NAME])
{
    const unsigned int instance = r->row.key & 0xff;
    char more[8] = "";

    if (instance)
        snprintf(more, sizeof(more), "-%u", instance + 1);
    snprintf(name, KIT_NAME, "d%u-%s%s", r->row.key >> 16, trace_value_name(TRACE_TYPE_ring_kind, kind_of(r)), more);
    return name;
}

/* Who asked for more than came within the trace is not to wait for it: that was asked for last. */
static void asks_trim(struct ring_row *r)
{
    uint64_t asked = 0, came = 0;

    for (size_t i = 0; i < r->nr; i++)
        *(r->push[i].asks ? &asked : &came) += r->push[i].nr;
    for (size_t i = r->nr; i-- && asked > came;) {
        const uint32_t less_by = (uint32_t)(asked - came < r->push[i].nr ? asked - came : r->push[i].nr);

        if (r->push[i].asks) {
            r->push[i].nr -= less_by;
            asked -= less_by;
        }
    }
}

/* Steps less than SHORTEST apart are one, or the later one is a little later. Then r->steps is right. */
static void pushes_join(struct ring_row *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->nr; i++) {
        struct push *last = kept ? &r->push[kept - 1] : NULL;

        if (!r->push[i].nr)
            continue;
        if (last && last->asks == r->push[i].asks && r->push[i].at - last->at < SHORTEST &&
            last->nr + r->push[i].nr <= MOST_SLOT)
            last->nr += r->push[i].nr;
        else
            r->push[kept++] = r->push[i];
    }
    r->nr = r->steps = kept;
}

static unsigned int rank(const struct ring_row *r)
{
    const unsigned int kind = kind_of(r);

    return !is_of_bytes(kind) ? 2 : kind != TRACE_RING_XENSTORE_REQ && kind != TRACE_RING_XENSTORE_RSP;
}

static bool goes_before(const struct ring_row *a, const struct ring_row *b)
{
    if (rank(a) != rank(b))
        return rank(a) > rank(b);
    return a->nr != b->nr ? a->nr > b->nr : a->row.key < b->row.key;
}

static const char *why_not(const struct ring_row *r)
{
    if (kind_of(r) == TRACE_RING_NET_RX)
        return "buffers, of which the back end takes one when a frame comes";
    if (r->nr >= 3 && !r->event_moved && r->event_known)
        return "the front end never asks to be told";
    return NULL;
}

/* A kit has room for so many rings: those with requests and most pushes before those with bytes. */
static unsigned int rings_choose(struct rings *w)
{
    unsigned int nr = 0;

    for (size_t i = 0; i < w->rings.nr; i++) {
        struct ring_row *r = (struct ring_row *)w->rings.row[i];

        r->left_out = r->requests ? why_not(r) : "nothing came";
    }
    for (size_t i = 0; i < w->rings.nr; i++) {
        struct ring_row *r = (struct ring_row *)w->rings.row[i];
        unsigned int before = 0;

        for (size_t k = 0; !r->left_out && k < w->rings.nr; k++) {
            const struct ring_row *o = (const struct ring_row *)w->rings.row[k];

            before += (!o->left_out || o->crowded) && goes_before(o, r);
        }
        r->crowded = before >= RING_MAX;
        if (r->crowded)
            r->left_out = "a workload has at most 16 rings";
        nr += !r->left_out;
    }
    return nr;
}

static const char *lack(struct rings *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static const char *lack(struct rings *w, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(w->lacks, sizeof(w->lacks), fmt, ap);
    va_end(ap);
    return w->lacks;
}

static const char *lacks(void *state)
{
    struct rings *w = state;
    char name[KIT_NAME];

    if (!w->records)
        return lack(w, "the trace has no record");
    for (size_t i = 0; i < w->rings.nr; i++) {
        asks_trim((struct ring_row *)w->rings.row[i]);
        pushes_join((struct ring_row *)w->rings.row[i]);
    }
    if (!rings_choose(w))
        return lack(w, "the trace has no record \"ring\": no back end served a ring, or --trace-filter left them out");
    if (w->told_any && !w->sent)
        return lack(w, "the trace has no record \"evtchn_send\", so nobody knows who was told when: was it "
                       "--trace-filter?");
    if (!w->ran)
        return lack(w,
                    "the trace has neither \"upcall\" nor \"runstate\", so nobody knows when who was told was awake: "
                    "was it --trace-filter?");
    if (w->now - w->begin >= (s_time_t)RING_MAX_TIME)
        return lack(w,
                    "the run is %.3f s long, and a workload at most %.0f s: take a part of it, --from TIME --to TIME",
                    (double)(w->now - w->begin) / 1e9, (double)RING_MAX_TIME / 1e9);
    for (size_t i = 0; i < w->rings.nr; i++) {
        const struct ring_row *r = (const struct ring_row *)w->rings.row[i];

        if (!r->left_out && r->steps >= RING_MAX_STEPS)
            return lack(w, "%s has %" PRIu64 " steps, and a workload less than %d: take a part, --from TIME --to TIME",
                        ring_name(r, name), r->steps, RING_MAX_STEPS);
    }
    return NULL;
}

static size_t figures(void *state, struct export_figure **list)
{
    struct rings *w = state;
    size_t nr = 0;

    *list = calloc(3 * w->rings.nr + 1, sizeof(**list));
    for (size_t i = 0; *list && i < w->rings.nr; i++) {
        struct ring_row *r = (struct ring_row *)w->rings.row[i];
        struct export_figure *f = *list + nr;

        if (r->left_out)
            continue;
        f[0] = (struct export_figure){ .figure = "requests", .value = (double)r->requests };
        f[1] = (struct export_figure){ .figure = "notifications", .value = (double)r->notifications };
        f[2] = (struct export_figure){ .figure = "p99",
                                       .value = (double)percentile(&r->latency, 99) / 1e3,
                                       .unknown = !r->latency.nr };
        for (unsigned int k = 0; k < 3; k++)
            ring_name(r, f[k].subject);
        nr += 3;
    }
    return nr;
}

/* --- the file --- */

static uint32_t slots_of(const struct ring_row *r)
{
    const unsigned int kind = kind_of(r);
    uint32_t slots = r->slots             ? r->slots
                     : !is_of_bytes(kind) ? kind == TRACE_RING_BLOCK_REQ || kind == TRACE_RING_BLOCK_RSP ? 32 : 256
                     : kind == TRACE_RING_CONSOLE_OUT || kind == TRACE_RING_CHANNEL_OUT ? 2048
                                                                                        : 1024;

    while (slots < r->most || slots & (slots - 1))
        slots += slots & -slots;
    return slots <= MOST_SLOT ? slots : MOST_SLOT;
}

static void put_ring(const struct rings *w, struct ring_row *r)
{
    char name[KIT_NAME];
    s_time_t at = w->begin;

    fprintf(w->out, "ring %s slots=%u cost=1ns latency=%" PRIu64 "ns wake=1ns take=%" PRIu64 "ns :", ring_name(r, name),
            slots_of(r), percentile(&r->latency, 50), take_of(&r->bounds));
    for (size_t i = 0; i < r->nr; i++) {
        const struct push *p = &r->push[i];
        const s_time_t after = p->at - at > SHORTEST ? p->at - at : SHORTEST;

        fprintf(w->out, " %s %u after %" PRId64 "ns,", p->asks ? "ask" : "put", p->nr, after);
        at += after;
    }
    fprintf(w->out, " put 1 after %" PRIu64 "ns\n", RING_MAX_TIME); /* it does not begin anew */
}

static bool end(void *state)
{
    struct rings *w = state;
    const bool failed = w->failed || w->rings.failed || w->sends.failed || w->domains.failed;
    char name[KIT_NAME];

    if (!failed) {
        fprintf(w->out,
                "# A recorded run, as a workload: xenlab kit ring --policy POLICY --workload FILE\n"
                "# (latency and take are the run's: docs/kits.md, Recorded runs)\n"
                "step 1ns\ntime %" PRId64 "ns\n\n",
                w->now - w->begin + 1);
        for (size_t i = 0; i < w->rings.nr; i++) {
            struct ring_row *r = (struct ring_row *)w->rings.row[i];

            if (!r->left_out)
                put_ring(w, r);
            else if (r->requests)
                fprintf(w->out, "# left out: %s: %s\n", ring_name(r, name), r->left_out);
        }
    }
    for (size_t i = 0; i < w->rings.nr; i++) {
        struct ring_row *r = (struct ring_row *)w->rings.row[i];

        free(r->push);
        free(r->latency.value);
        free(r->bounds.value);
    }
    export_rows_free(&w->rings);
    export_rows_free(&w->sends);
    export_rows_free(&w->domains);
    free(w);
    return !failed;
}

const struct export_format export_workload_ring = {
    .name = "workload-ring",
    .help = "a workload for xenlab kit ring",
    .is_text = true,
    .begin = begin,
    .record = record,
    .lacks = lacks,
    .figures = figures,
    .end = end,
};
