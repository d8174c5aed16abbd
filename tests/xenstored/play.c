// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Histories of a xenstore, as text, so that one can be kept, cut and tried by hand.
 *
 *      open s1                         dom0 connects its socket 1 (s0 is always there)
 *      close s1
 *      domain 3 alive                  domain 3 is alive, shut, dying or gone, and VIRQ_DOM_EXC says so
 *      s0 WRITE - /a\0value            a request by socket 0, in no transaction
 *      g3 TRANSACTION_START =x \0      one by domain 3's ring; what it is answered is kept as x
 *      g3 WRITE x /a\0{3000b}          in transaction x; 3000 times b
 *      g3 77 12 /a                     type 77 in transaction 12
 *      g3 raw \xff\xff                 bytes
 *      g3 cut READ - /a\0              ...a request whose last byte is missing
 *      deaf g3                         it does not read what comes
 *      hear g3
 *      index g3 2000                   req_prod is moved on by so many
 *      page g3                         what its page says of the ring
 *      pass 5000                       milliseconds; from here on, time does not pass by itself
 *
 * What was said has a line for each step, and one for each message that came then, a connection after the other. Where
 * the generation of a node is told, it is "gen N", the N-th other number that has been: it is counted in a way of its
 * own by each store, and what counts is whether it is another.
 */
#include "tests/xenstored/play.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE   65536
#define KEPT_X 26
#define GENS   1024

static const char *const types[] = {
    [XS_CONTROL] = "CONTROL",
    [XS_DIRECTORY] = "DIRECTORY",
    [XS_READ] = "READ",
    [XS_GET_PERMS] = "GET_PERMS",
    [XS_WATCH] = "WATCH",
    [XS_UNWATCH] = "UNWATCH",
    [XS_TRANSACTION_START] = "TRANSACTION_START",
    [XS_TRANSACTION_END] = "TRANSACTION_END",
    [XS_INTRODUCE] = "INTRODUCE",
    [XS_RELEASE] = "RELEASE",
    [XS_GET_DOMAIN_PATH] = "GET_DOMAIN_PATH",
    [XS_WRITE] = "WRITE",
    [XS_MKDIR] = "MKDIR",
    [XS_RM] = "RM",
    [XS_SET_PERMS] = "SET_PERMS",
    [XS_WATCH_EVENT] = "WATCH_EVENT",
    [XS_ERROR] = "ERROR",
    [XS_IS_DOMAIN_INTRODUCED] = "IS_DOMAIN_INTRODUCED",
    [XS_RESUME] = "RESUME",
    [XS_SET_TARGET] = "SET_TARGET",
    [XS_RESET_WATCHES] = "RESET_WATCHES",
    [XS_DIRECTORY_PART] = "DIRECTORY_PART",
};

struct game {
    const struct peer_ops *ops;
    struct peer *p;
    FILE *said;
    uint32_t step;
    uint32_t kept[KEPT_X]; /* numbers of transactions */
    int keep;              /* where the answer to this step's is to go; -1: nowhere */
    uint64_t gen[GENS];    /* generations, as they have been told */
    unsigned int nr_gens;
    struct got {
        uint8_t b[2 * (sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX)];
        size_t len;
        bool closed;
    } got[PEER_CONNS];
};

/* --- what it says --- */

static void say_bytes(FILE *f, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t same = 1;

        while (i + same < len && b[i + same] == b[i])
            same++;
        if (same > 40) {
            fprintf(f, isprint(b[i]) ? "{%zu%c}" : "{%zu\\x%02x}", same, b[i]);
            i += same - 1;
        } else if (b[i] == 0) {
            fputs("\\0", f);
        } else if (isprint(b[i]) && b[i] != '\\' && b[i] != '{') {
            fputc(b[i], f);
        } else {
            fprintf(f, "\\x%02x", b[i]);
        }
    }
}

/* A number that is told by digits. */
static size_t say_generation(struct game *g, const uint8_t *b, size_t len)
{
    const size_t digits = strnlen((const char *)b, len);
    const uint64_t gen = strtoull((const char *)b, NULL, 10);
    unsigned int i = 0;

    if (digits == len) /* it has no end */
        return 0;
    while (i < g->nr_gens && g->gen[i] != gen)
        i++;
    if (i == g->nr_gens && i < GENS)
        g->gen[g->nr_gens++] = gen;
    fprintf(g->said, "gen %u", i);
    return digits;
}

static void say_message(struct game *g, unsigned int conn, const struct xsd_sockmsg *m, const uint8_t *payload)
{
    FILE *f = g->said;
    size_t told = 0;

    fprintf(f, "  %c%u < ", conn < PEER_SOCKETS ? 's' : 'g', conn % PEER_SOCKETS);
    if (m->type < sizeof(types) / sizeof(types[0]) && types[m->type])
        fputs(types[m->type], f);
    else
        fprintf(f, "%u", m->type);
    fprintf(f, " #%u", m->req_id);
    if (m->tx_id)
        fprintf(f, " tx %u", m->tx_id);
    fputc(' ', f);
    if (m->type == XS_DIRECTORY_PART)
        told = say_generation(g, payload, m->len);
    say_bytes(f, payload + told, m->len - told);
    fputc('\n', f);
    if (m->type == XS_TRANSACTION_START && m->req_id == g->step && g->keep >= 0)
        g->kept[g->keep] = (uint32_t)strtoul((const char *)payload, NULL, 10);
}

static void say_conn(struct game *g, unsigned int conn)
{
    struct got *got = &g->got[conn];
    struct xsd_sockmsg m;
    size_t n, at;

    do {
        n = g->ops->take(g->p, conn, got->b + got->len, sizeof(got->b) - got->len);
        got->len += n;
        for (at = 0; got->len - at >= sizeof(m); at += sizeof(m) + m.len) {
            memcpy(&m, got->b + at, sizeof(m));
            if (m.len > XENSTORE_PAYLOAD_MAX || got->len - at < sizeof(m) + m.len)
                break;
            say_message(g, conn, &m, got->b + at + sizeof(m));
        }
        memmove(got->b, got->b + at, got->len - at);
        got->len -= at;
    } while (n);
    if (got->len) {
        fprintf(g->said, "  %c%u < part ", conn < PEER_SOCKETS ? 's' : 'g', conn % PEER_SOCKETS);
        say_bytes(g->said, got->b, got->len);
        fputc('\n', g->said);
    }
    if (g->ops->closed(g->p, conn) && !got->closed) {
        got->closed = true;
        fprintf(g->said, "  %c%u closed\n", conn < PEER_SOCKETS ? 's' : 'g', conn % PEER_SOCKETS);
    }
}

static void say_page(struct game *g, const struct xenstore_domain_interface *r)
{
    fprintf(g->said, "  req %u..%u, %u to come, features %u connection %u error %u\n", r->req_cons, r->req_prod,
            r->rsp_prod - r->rsp_cons, r->server_features, r->connection, r->error);
}

/* --- what is asked of it --- */

/* A payload as a line gives it. Bytes written. */
static size_t payload_read(const char *s, uint8_t *out, size_t size)
{
    size_t len = 0;
    unsigned int n;
    char c;
    int used;

    while (*s && len < size) {
        if (s[0] == '\\' && s[1] == '0') {
            out[len++] = 0;
            s += 2;
        } else if (sscanf(s, "\\x%2x%n", &n, &used) == 1) {
            out[len++] = (uint8_t)n;
            s += used;
        } else if (sscanf(s, "{%u%c}%n", &n, &c, &used) == 2) {
            for (s += used; n && len < size; n--)
                out[len++] = (uint8_t)c;
        } else {
            out[len++] = (uint8_t)*s++;
        }
    }
    return len;
}

static bool conn_read(const char *s, unsigned int *conn)
{
    if ((s[0] != 's' && s[0] != 'g') || s[1] < '0' || s[1] > '7' || s[2])
        return false;
    *conn = (unsigned int)(s[1] - '0') + (s[0] == 'g' ? PEER_SOCKETS : 0);
    return true;
}

static bool type_read(const char *s, uint32_t *type)
{
    char *end;

    for (uint32_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i] && !strcmp(types[i], s)) {
            *type = i;
            return true;
        }
    *type = (uint32_t)strtoul(s, &end, 10);
    return !*end;
}

static uint32_t tx_read(struct game *g, const char *s)
{
    const char *letter = s[0] == '=' ? s + 1 : s;

    if (islower((unsigned char)*letter)) {
        if (s[0] != '=')
            return g->kept[*letter - 'a'];
        g->keep = *letter - 'a';
    }
    return (uint32_t)strtoul(s, NULL, 10);
}

static bool do_request(struct game *g, unsigned int conn, char *rest, size_t cut)
{
    static uint8_t buf[LINE];
    struct xsd_sockmsg m = { .req_id = g->step };
    char *type = strtok_r(rest, " ", &rest);
    char *tx = strtok_r(rest, " ", &rest);

    if (type && !strcmp(type, "raw")) {
        if (tx && rest && *rest)
            rest[-1] = ' '; /* what strtok cut */
        g->ops->send(g->p, conn, buf, tx ? payload_read(tx, buf, sizeof(buf)) : 0);
        return true;
    }
    if (!type || !tx || !type_read(type, &m.type))
        return false;
    m.tx_id = tx_read(g, tx);
    m.len = (uint32_t)payload_read(rest ? rest : "", buf + sizeof(m), sizeof(buf) - sizeof(m));
    memcpy(buf, &m, sizeof(m));
    g->ops->send(g->p, conn, buf, sizeof(m) + m.len - cut);
    return true;
}

static bool do_domain(struct game *g, char *rest)
{
    static const char *const states[] = {
        [PEER_GONE] = "gone", [PEER_DYING] = "dying", [PEER_SHUT] = "shut", [PEER_ALIVE] = "alive"
    };
    const unsigned long domid = strtoul(rest, &rest, 10);

    for (unsigned int i = 0; i < 4 && domid < PEER_DOMAINS; i++)
        if (*rest == ' ' && !strcmp(rest + 1, states[i])) {
            g->ops->domain(g->p, (unsigned int)domid, (enum peer_domain)i);
            return true;
        }
    return false;
}

static bool do_step(struct game *g, const char *step)
{
    static char line[LINE];
    char *rest = line, *word;
    unsigned int conn;
    bool ok = true;

    snprintf(line, sizeof(line), "%s", step);
    g->step++;
    g->keep = -1;
    word = strtok_r(line, " ", &rest);
    if (!word)
        return false;
    if (conn_read(word, &conn)) {
        size_t cut = 0;

        if (!strncmp(rest, "cut ", 4)) {
            rest += 4;
            cut = 1;
        }
        return do_request(g, conn, rest, cut);
    }
    if (!strcmp(word, "domain"))
        return do_domain(g, rest);
    if (!strcmp(word, "pass")) {
        g->ops->pass(g->p, (unsigned int)strtoul(rest, NULL, 10));
        return true;
    }
    if (!strcmp(word, "page") && rest[0] == 'g') {
        say_page(g, g->ops->page(g->p, (unsigned int)(rest[1] - '0') % PEER_DOMAINS));
        return true;
    }
    if (!strcmp(word, "index") && rest[0] == 'g') {
        const unsigned int domid = (unsigned int)(rest[1] - '0') % PEER_DOMAINS;

        g->ops->page(g->p, domid)->req_prod += (uint32_t)strtoul(rest + 2, NULL, 10);
        g->ops->event(g->p, domid);
        return true;
    }
    if (!conn_read(rest, &conn))
        return false;
    if (!strcmp(word, "deaf") || !strcmp(word, "hear")) {
        g->ops->deaf(g->p, conn, word[0] == 'd');
    } else if (!strcmp(word, "open") && conn < PEER_SOCKETS) {
        g->got[conn].closed = false;
        g->got[conn].len = 0;
        ok = g->ops->open(g->p, conn);
    } else if (!strcmp(word, "close") && conn < PEER_SOCKETS) {
        g->ops->close(g->p, conn);
    } else {
        return false;
    }
    return ok;
}

bool play(const struct peer_ops *ops, const char *const *steps, size_t nr, char **said)
{
    struct game *g = calloc(1, sizeof(*g));
    size_t size;
    bool ok;

    if (!g)
        abort();
    g->ops = ops;
    g->said = open_memstream(said, &size);
    g->p = ops->begin();
    ok = ops->open(g->p, 0);
    for (size_t i = 0; ok && i < nr; i++) {
        ok = do_step(g, steps[i]);
        fprintf(g->said, "%u. %s%s\n", g->step, steps[i], ok ? "" : "  ?");
        ops->settle(g->p);
        for (unsigned int c = 0; c < PEER_CONNS; c++)
            say_conn(g, c);
        for (unsigned int d = 0; d < PEER_DOMAINS; d++)
            if (ops->page(g->p, d)->error) {
                fprintf(g->said, "  g%u error %u\n", d, ops->page(g->p, d)->error);
                g->got[PEER_RING(d)].len = 0; /* nothing comes any more */
                ops->page(g->p, d)->error = 0;
            }
    }
    if (!ops->end(g->p)) {
        fputs("It was not well at its end.\n", g->said);
        ok = false;
    }
    fclose(g->said);
    free(g);
    return ok;
}
