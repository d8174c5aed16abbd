// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random histories of a xenstore: three guests and two sockets of dom0.
 *
 * Concept: what is likely to meet. There are few paths, few tokens, and two names of transactions for each connection,
 * so that requests have to do with each other; and each history has a temper of its own: how much of it is rubbish, how
 * much is done in transactions, whether guests stop reading, break their rings or die, and whether limits are so low
 * that they are met. Either domains have targets (XS_SET_TARGET) or they go: Debian's keeps a domain that is a target
 * until whose target it is has gone, dead or not, and ours does not. Nor may "/" be given to one that goes: Debian's
 * removes it. And a domain of which half a request has arrived is not introduced again: Debian's then goes on from
 * memory that it has freed. A history begins with three domains that are introduced, most of them with a directory.
 *
 * Budget: a list of words and a function for each kind of request.
 */
#include "tests/xenstored/history.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUESTS 3
#define TEXT   256

struct teller {
    struct history *h;
    uint64_t random;
    unsigned int rubbish, transactions, deaths, deafness, wires, administration, special; /* of 100 steps */
    bool targets;                                                                         /* then no domain goes */
};

static unsigned int rnd(struct teller *t, unsigned int n)
{
    t->random ^= t->random << 13;
    t->random ^= t->random >> 7;
    t->random ^= t->random << 17;
    return (unsigned int)(t->random >> 32) % n;
}

static bool chance(struct teller *t, unsigned int percent) { return rnd(t, 100) < percent; }

static __attribute__((format(printf, 2, 3))) void step(struct teller *t, const char *format, ...)
{
    char text[4 * TEXT];
    va_list ap;

    if (t->h->nr == HISTORY_STEPS)
        return;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    t->h->step[t->h->nr++] = strdup(text);
}

#define ANY(t, list) list[rnd(t, sizeof(list) / sizeof((list)[0]))]

static unsigned int guest(struct teller *t) { return 1 + rnd(t, GUESTS); }

/* --- what requests are made of --- */

static const char *path(struct teller *t, char *out)
{
    static const char *const rubbish[] = { "",
                                           "//",
                                           "/a/",
                                           "/a//b",
                                           "/a b",
                                           "/a!",
                                           "x/",
                                           "/\\xff",
                                           "@",
                                           "@x",
                                           "/a\\x0a",
                                           ".",
                                           "/..",
                                           "x//y",
                                           "/@",
                                           "@a b",
                                           "/{2046x}",
                                           "/{2047x}",
                                           "/{2048x}",
                                           "{2048x}",
                                           "{2049x}",
                                           "/{3060x}",
                                           "{4000x}",
                                           "/local/domain/1/{2048y}",
                                           "/local/domain/1/{2049y}",
                                           "/local/domain/1/{2030y}",
                                           "-",
                                           "/local/domain/x",
                                           "/local/domain/9/x",
                                           "/local/domain/01",
                                           "/tool/xenstored/x",
                                           "@releaseDomain/x",
                                           "@introduceDomainx" };
    static const char *const rel[] = { "x", "x/y", "x/y/z", "data", "x/q", "local" };
    static const char *const abs[] = {
        "/",    "/a",     "/a/b",          "/a/b/c", "/a/d",           "/s", "/s/x", "/s/x/y",
        "/s/z", "/local", "/local/domain", "/tool",  "/tool/xenstored"
    };
    static const char *const below[] = { "", "", "/x", "/x/y", "/x/y/z", "/data", "/x/q" };

    if (chance(t, t->rubbish))
        return ANY(t, rubbish);
    if (chance(t, t->special))
        return rnd(t, 2) ? "@introduceDomain" : "@releaseDomain";
    switch (rnd(t, 3)) {
    case 0: return ANY(t, rel);
    case 1: return ANY(t, abs);
    default: snprintf(out, TEXT, "/local/domain/%u%s", guest(t), ANY(t, below)); return out;
    }
}

static const char *value(struct teller *t, char *out)
{
    static const char *const odd[] = { "",        "\\0",     "a\\0b",   "{60b}",   "{200b}", "{2000b}",
                                       "{2015b}", "{2016b}", "{2023b}", "{3900b}", "{4060b}" };

    if (chance(t, 10 + t->rubbish))
        return ANY(t, odd);
    snprintf(out, TEXT, "v%u", rnd(t, 3));
    return out;
}

static const char *token(struct teller *t)
{
    static const char *const odd[] = { "", "a b", "\\xff", "{40t}", "{1000t}", "{3000t}" };
    static const char *const usual[] = { "t", "u" };

    return chance(t, t->rubbish) ? ANY(t, odd) : ANY(t, usual);
}

static const char *domid(struct teller *t, char *out)
{
    static const char *const odd[] = { "0",     "4",     "7",  "-1", "x",  "",    "65535", "65536",
                                       "32752", "32767", "1x", " 1", "01", "0x1", "+2",    "99999999999" };

    if (chance(t, 5 + t->rubbish))
        return ANY(t, odd);
    snprintf(out, TEXT, "%u", guest(t));
    return out;
}

static const char *perms(struct teller *t, char *out)
{
    static const char *const odd[] = { "",   "n",  "q1", "nx",          "n-1",    "r99999", "r01", "b 1", "n1x",   "1",
                                       "N1", "n4", "n7", "r4294967297", "w65535", "n0x2",   "rr1", "b+1", "n32752" };
    size_t len = 0;

    *out = 0;
    for (unsigned int i = 0, nr = 1 + rnd(t, chance(t, 10) ? 8 : 3); i < nr; i++) {
        char one[32];

        snprintf(one, sizeof(one), "%c%u", "nrwb"[rnd(t, 4)], rnd(t, 4));
        len += (size_t)snprintf(out + len, TEXT - len, "%s\\0", chance(t, t->rubbish / 2) ? ANY(t, odd) : one);
    }
    return out;
}

/* Two letters for each connection. */
static char letter(struct teller *t, const char *conn)
{
    const unsigned int base = conn[0] == 's' ? 0 : 4;

    return (char)('a' + base + 2 * (unsigned int)(conn[1] - '0') + rnd(t, 2));
}

static const char *tx(struct teller *t, const char *conn, char *out)
{
    if (chance(t, t->rubbish / 3)) {
        snprintf(out, TEXT, "%u", rnd(t, 4) * 33);
        return out;
    }
    if (!chance(t, t->transactions))
        return "-";
    snprintf(out, TEXT, "%c", letter(t, chance(t, 3) ? "s0" : conn));
    return out;
}

/* --- requests --- */

static void request_path(struct teller *t, const char *conn)
{
    static const char *const types[] = { "READ", "DIRECTORY", "GET_PERMS", "MKDIR", "MKDIR", "RM", "RM", "READ" };
    static const char *const ends[] = { "", "\\0\\0", "\\0x", "\\0x\\0" };
    char p[TEXT], x[TEXT];

    step(t, "%s %s %s %s%s", conn, ANY(t, types), tx(t, conn, x), path(t, p),
         chance(t, t->rubbish / 3) ? ANY(t, ends) : "\\0");
}

static void request_write(struct teller *t, const char *conn)
{
    char p[TEXT], v[TEXT], x[TEXT];

    if (chance(t, t->rubbish / 4))
        step(t, "%s WRITE %s %s", conn, tx(t, conn, x), path(t, p));
    else
        step(t, "%s WRITE %s %s\\0%s", conn, tx(t, conn, x), path(t, p), value(t, v));
}

static void request_part(struct teller *t, const char *conn)
{
    static const char *const at[] = { "0", "0", "2", "5", "1", "9999", "-1", "x", "", "01", " 2" };
    char p[TEXT], x[TEXT];

    step(t, "%s DIRECTORY_PART %s %s\\0%s%s", conn, tx(t, conn, x), path(t, p), ANY(t, at),
         chance(t, t->rubbish / 4) ? "" : "\\0");
}

static void request_perms(struct teller *t, const char *conn)
{
    char p[TEXT], x[TEXT], l[TEXT];
    const char *of = path(t, p);

    perms(t, l);
    if (chance(t, t->rubbish / 3))
        l[rnd(t, (unsigned int)strlen(l) + 1)] = 0;
    step(t, "%s SET_PERMS %s %s\\0%s%s", conn, tx(t, conn, x), of, strcmp(of, "/") || t->targets ? "" : "n0\\0", l);
}

static void request_watch(struct teller *t, const char *conn)
{
    static const char *const ends[] = { "", "\\01\\0", "\\0-1\\0", "\\0x" };
    const char *what = rnd(t, 3) ? "WATCH" : "UNWATCH";
    char p[TEXT], x[TEXT];

    if (rnd(t, 30) == 0)
        step(t, "%s RESET_WATCHES %s %s", conn, tx(t, conn, x), rnd(t, 2) ? "" : "\\0");
    else
        step(t, "%s %s %s %s\\0%s%s", conn, what, tx(t, conn, x), path(t, p), token(t),
             chance(t, t->rubbish / 3) ? ANY(t, ends) : "\\0");
}

static void request_tx(struct teller *t, const char *conn)
{
    static const char *const how[] = { "T\\0", "F\\0", "T", "t\\0", "TF\\0", "", "T\\0\\0", "\\0" };
    char x[TEXT];

    if (rnd(t, 3) == 0)
        step(t, "%s TRANSACTION_START =%c \\0", conn, letter(t, conn));
    else if (chance(t, t->rubbish / 3))
        step(t, "%s TRANSACTION_START %s %s", conn, tx(t, conn, x), rnd(t, 2) ? "" : "x");
    else
        step(t, "%s TRANSACTION_END %c %s", conn, letter(t, conn),
             chance(t, t->rubbish / 2) ? ANY(t, how)
             : chance(t, 75)           ? "T\\0"
                                       : "F\\0");
}

static void request_domain(struct teller *t, const char *conn)
{
    static const char *const one[] = { "RESUME", "IS_DOMAIN_INTRODUCED", "GET_DOMAIN_PATH" };
    static const char *const ends[] = { "", "\\0x", "\\0x\\0", "\\0\\0" };
    char d[TEXT], e[TEXT], x[TEXT];
    const char *end = chance(t, t->rubbish / 3) ? ANY(t, ends) : "\\0";

    switch (rnd(t, t->wires ? 3 : 4)) {
    case 3:
        step(t, "%s INTRODUCE %s %s\\0%u\\0%u%s", conn, tx(t, conn, x), domid(t, d), rnd(t, 3), rnd(t, 10) ? 1 : 0,
             end);
        break;
    case 1:
        if (t->targets)
            step(t, "%s SET_TARGET %s %s\\0%s%s", conn, tx(t, conn, x), domid(t, d), domid(t, e), end);
        else
            step(t, "%s RELEASE %s %s%s", conn, tx(t, conn, x), domid(t, d), end);
        break;
    default: step(t, "%s %s %s %s%s", conn, ANY(t, one), tx(t, conn, x), domid(t, d), end);
    }
}

static void request_control(struct teller *t, const char *conn)
{
    static const char *const what[] = { "check\\0",
                                        "check\\0x\\0",
                                        "print\\0hello\\0",
                                        "print\\0",
                                        "nothing\\0",
                                        "",
                                        "check",
                                        "\\0",
                                        "quota\\0set\\0\\0",
                                        "quota\\0set\\0nodes\\0x\\0",
                                        "quota\\0x\\0y\\0",
                                        "quota\\01\\0",
                                        "quota\\02\\0",
                                        "quota\\03\\0",
                                        "quota\\09\\0",
                                        "quota\\0set\\0none\\01\\0",
                                        "check\\0",
                                        "check\\0",
                                        "quota\\0set\\0nodes\\0-1\\0" };
    char x[TEXT];

    step(t, "%s CONTROL %s %s", conn, chance(t, 90) ? "-" : tx(t, conn, x), ANY(t, what));
}

static void request_rubbish(struct teller *t, const char *conn)
{
    static const char *const types[] = { "15", "16", "22", "200", "WATCH_EVENT", "ERROR", "4294967295", "21" };
    char p[TEXT], x[TEXT];

    step(t, "%s %s %s %s\\0", conn, ANY(t, types), tx(t, conn, x), path(t, p));
}

/* --- steps --- */

static void step_request(struct teller *t)
{
    static const char *const conns[] = { "g1", "g2", "g3", "g1", "g2", "s0", "s0", "s1" };
    const char *conn = ANY(t, conns);

    if (chance(t, t->transactions / 2)) {
        request_tx(t, conn);
        return;
    }
    if (chance(t, t->administration)) {
        if (rnd(t, 4))
            request_domain(t, rnd(t, 6) ? "s0" : conn);
        else
            request_control(t, rnd(t, 6) ? "s0" : conn);
        return;
    }
    if (chance(t, t->rubbish / 8)) {
        request_rubbish(t, conn);
        return;
    }
    switch (rnd(t, 12)) {
    case 0:
    case 1:
    case 2: request_write(t, conn); break;
    case 3:
    case 4: request_watch(t, conn); break;
    case 5: request_part(t, conn); break;
    case 6:
    case 7: request_perms(t, conn); break;
    default: request_path(t, conn);
    }
}

/* A domain dies, or shuts down; mostly it comes again. */
static void step_death(struct teller *t)
{
    const unsigned int d = guest(t);
    const unsigned int how = rnd(t, 8);

    if (how < 3) {
        step(t, "domain %u shut", d);
        return;
    }
    if (how == 3)
        step(t, "domain %u dying", d);
    else
        step(t, "domain %u gone", d);
    if (rnd(t, 3) == 0)
        step_request(t);
    if (rnd(t, 4) == 0)
        return;
    step(t, "domain %u alive", d);
    if (rnd(t, 4) == 0)
        step_request(t);
    if (rnd(t, 4))
        step(t, "s0 INTRODUCE - %u\\01\\01\\0", d);
}

static void step_wire(struct teller *t)
{
    static const char *const raw[] = { "\\0", "x", "\\xff\\xff\\xff\\xff\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0",
                                       "\\x02\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\x01\\x10\\0\\0",
                                       "\\x02\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\x02\\0\\0\\0/\\0" };
    char p[TEXT];

    switch (rnd(t, 6)) {
    case 0: step(t, "g%u raw %s", guest(t), ANY(t, raw)); break;
    case 1: step(t, "index g%u %u", guest(t), rnd(t, 2) ? 2000 : 1u << rnd(t, 12)); break;
    case 2: step(t, "g%u cut READ - %s\\0", guest(t), path(t, p)); break;
    case 3: step(t, "page g%u", guest(t)); break;
    case 4: step(t, "close s1"); break;
    default: step(t, "open s1");
    }
}

static void limits(struct teller *t)
{
    static const struct {
        const char *name;
        unsigned int least, span;
    } list[] = { { "nodes", 2, 12 },      { "watches", 1, 5 },     { "transactions", 1, 2 },
                 { "outstanding", 1, 5 }, { "node-size", 30, 90 }, { "transaction-nodes", 2, 8 },
                 { "path-max", 4, 40 },   { "permissions", 1, 4 } };

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        if (rnd(t, 3) == 0)
            step(t, "s0 CONTROL - quota\\0set\\0%s\\0%u\\0", list[i].name, list[i].least + rnd(t, list[i].span));
}

void history_make(struct history *h, uint64_t seed)
{
    static const char *const conns[] = { "s0", "g1", "g2", "g3" };
    struct teller t = { .h = h, .random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1 };
    char p[TEXT];

    h->nr = 0;
    for (unsigned int i = 0; i < 10; i++)
        rnd(&t, 2);
    t.rubbish = rnd(&t, 3) ? 4 : 30;
    t.transactions = rnd(&t, 3) ? 30 * rnd(&t, 3) : 0;
    t.deaths = rnd(&t, 3) ? 0 : 2 + rnd(&t, 8);
    t.deafness = rnd(&t, 4) ? 0 : 5;
    t.wires = t.deafness || rnd(&t, 4) ? 0 : 2 + rnd(&t, 8);
    t.administration = rnd(&t, 3) ? 3 : 20;
    t.special = rnd(&t, 3) ? 3 : 15;
    t.targets = !t.deaths && rnd(&t, 2);
    if (rnd(&t, 4))
        step(&t, "open s1");
    for (unsigned int d = 1; d <= GUESTS; d++) {
        step(&t, "domain %u alive", d);
        if (rnd(&t, 8))
            step(&t, "s0 INTRODUCE - %u\\01\\01\\0", d);
        if (rnd(&t, 8)) {
            step(&t, "s0 MKDIR - /local/domain/%u\\0", d);
            step(&t, "s0 SET_PERMS - /local/domain/%u\\0n%u\\0%s", d, d, rnd(&t, 2) ? "" : perms(&t, p));
        }
    }
    if (rnd(&t, 2))
        step(&t, "s0 WRITE - /s\\0");
    step(&t, "s0 SET_PERMS - /s\\0b0\\0");
    if (rnd(&t, 3) == 0)
        step(&t, "s0 SET_PERMS - /\\0b0\\0");
    if (rnd(&t, 3) == 0)
        for (unsigned int i = 0; i < 4; i++)
            step(&t, "%s WATCH - %s\\0all\\0", conns[i], rnd(&t, 2) ? "/" : "/local");
    if (rnd(&t, 8) == 0)
        for (unsigned int i = 10 + rnd(&t, 20); i; i--)
            step(&t, "s0 WRITE - %s/{%u%c}\\0", rnd(&t, 8) ? "/s" : "/a", 100 + rnd(&t, 150), 'a' + rnd(&t, 26));
    if (rnd(&t, 4) == 0)
        limits(&t);
    for (unsigned int n = 20 + rnd(&t, 100); n && h->nr < HISTORY_STEPS; n--) {
        if (chance(&t, t.deaths))
            step_death(&t);
        else if (chance(&t, t.deafness))
            step(&t, "%s g%u", rnd(&t, 2) ? "hear" : "deaf", guest(&t));
        else if (chance(&t, t.wires))
            step_wire(&t);
        else
            step_request(&t);
    }
}

void history_free(struct history *h)
{
    while (h->nr)
        free(h->step[--h->nr]);
}
