// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests to xenstore: what each means.
 *
 * Concept: a request is a header and a payload, of strings mostly; each gets one answer with its number, type and
 * transaction, or XS_ERROR with the name of an error. Most name a node, which may be relative: a domain's to its own
 * directory, /local/domain/<domid>, a socket's to "/". The table at the end says what there is.
 *
 * Invariants: a payload is the other side's bytes: a string is used only if its 0 is inside.
 *
 * Corresponds to tools/xenstore/xenstored_core.c. Unlike there, a payload whose 0 is missing is
 * always EINVAL.
 *
 * Budget: a function a kind of request, and the table that names them all.
 */
#include "rings/xenstore/tx.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_PATH_SIZE 32 /* "/local/domain/65535" */

/* What a request is answered from. */
struct request {
    struct xs_conn *c;
    const struct xsd_sockmsg *hdr;
    const char *payload;
    struct xs_access access;
};

/* --- answers --- */

static void reply(const struct request *r, const void *payload, size_t len)
{
    struct xsd_sockmsg hdr = { r->hdr->type, r->hdr->req_id, r->hdr->tx_id, (uint32_t)len };

    r->c->send(r->c->data, &hdr, payload);
}

static void reply_text(const struct request *r, const char *text) { reply(r, text, strlen(text) + 1); }

static void reply_error(const struct request *r, int rc)
{
    struct xsd_sockmsg hdr = { XS_ERROR, r->hdr->req_id, r->hdr->tx_id, 0 };
    const char *name = "EINVAL";

    for (unsigned int i = 0; i < ARRAY_SIZE(xsd_errors); i++)
        if (xsd_errors[i].errnum == -rc)
            name = xsd_errors[i].errstring;
    hdr.len = (uint32_t)strlen(name) + 1;
    r->c->send(r->c->data, &hdr, name);
}

static int done(const struct request *r, int rc)
{
    if (!rc)
        reply_text(r, "OK");
    return rc;
}

/* --- what is asked --- */

/* The n-th string of the payload; NULL: there are not so many that end inside. */
static const char *string(const struct request *r, unsigned int n)
{
    const char *p = r->payload, *end = p + r->hdr->len;

    for (;; n--) {
        const char *zero = p < end ? memchr(p, 0, (size_t)(end - p)) : NULL;

        if (!zero)
            return NULL;
        if (n == 0)
            return p;
        p = zero + 1;
    }
}

/* The payload if it is one string and nothing else. */
static const char *only_string(const struct request *r)
{
    const char *s = string(r, 0);

    return s && strlen(s) + 1 == r->hdr->len ? s : NULL;
}

static bool strings_are(const struct request *r, unsigned int n) { return string(r, n - 1) && !string(r, n); }

/* A path made absolute, for xfree(). NULL: it is none (or NULL), or memory is short. */
static char *path_of(const struct request *r, const char *given)
{
    char *path = given && given[0] != '@' ? xs_path_absolute(r->c, given) : NULL;

    if (path && xs_path_ok(r->c->store, path))
        return path;
    xfree(path);
    return NULL;
}

/* --- watches --- */

/* What a watch may name: also what begins with an @, which is no node. */
static char *watch_path(const struct request *r)
{
    const char *given = strings_are(r, 2) ? string(r, 0) : NULL;

    if (given && given[0] == '@')
        return strlen(given) <= XENSTORE_REL_PATH_MAX ? xstrdup(r->c->store->arena, given) : NULL;
    return path_of(r, given);
}

static int do_watch(const struct request *r)
{
    char *path = watch_path(r);
    const struct xs_watch *w;
    int rc = -EINVAL;

    if (path)
        rc = xs_watch_add(r->c, path, string(r, 1), !strchr("/@", string(r, 0)[0]), &w);
    if (rc) {
        xfree(path);
        return rc;
    }
    reply_text(r, "OK");
    xs_watch_send(r->c, w, path);
    return 0;
}

static int do_unwatch(const struct request *r)
{
    const char *given = strings_are(r, 2) ? string(r, 0) : NULL;
    char *path = given && given[0] == '@' ? xstrdup(r->c->store->arena, given) : NULL;
    int rc = -EINVAL;

    if (given && !path)
        path = xs_path_absolute(r->c, given);
    if (path)
        rc = xs_watch_remove(r->c, path, string(r, 1));
    xfree(path);
    return done(r, rc);
}

static int do_reset_watches(const struct request *r)
{
    xs_conn_reset(r->c);
    reply_text(r, "OK");
    return 0;
}

/* --- reading --- */

static int read_node(const struct request *r, const char *path)
{
    const struct xs_node *n;
    int rc = xs_get(&r->access, path, XS_RIGHT_READ, &n);

    if (!rc)
        reply(r, n->value, n->len);
    return rc;
}

static int directory(const struct request *r, const char *path)
{
    const struct xs_node *n;
    int rc = xs_get(&r->access, path, XS_RIGHT_READ, &n);

    if (rc)
        return rc;
    if (n->children_len > XENSTORE_PAYLOAD_MAX)
        return -E2BIG;
    reply(r, n->children, n->children_len);
    return 0;
}

/* Names from an offset on, as many as fit, behind the node's generation; an empty one says that these were the last. */
static int do_directory_part(const struct request *r)
{
    char *path = strings_are(r, 2) ? path_of(r, string(r, 0)) : NULL, part[XENSTORE_PAYLOAD_MAX];
    const struct xs_node *n;
    size_t at, used;
    int rc = path ? xs_get(&r->access, path, XS_RIGHT_READ, &n) : -EINVAL;

    xfree(path);
    if (rc)
        return rc;
    at = strtoul(string(r, 1), NULL, 10);
    used = (size_t)snprintf(part, sizeof(part), "%" PRIu64, n->generation) + 1;
    while (at < n->children_len && used + strlen(n->children + at) + 1 < sizeof(part)) {
        const size_t size = strlen(n->children + at) + 1;

        memcpy(part + used, n->children + at, size);
        used += size;
        at += size;
    }
    if (at >= n->children_len)
        part[used++] = 0;
    reply(r, part, used);
    return 0;
}

static int get_perms(const struct request *r, const char *path)
{
    char text[XENSTORE_PAYLOAD_MAX];
    const struct xs_node *n;
    size_t len = 0;
    int rc = xs_get(&r->access, path, XS_RIGHT_READ, &n);

    if (rc)
        return rc;
    for (unsigned int i = 0; i < n->nr_perms && len + sizeof("n-2147483648") <= sizeof(text); i++)
        len += (size_t)sprintf(text + len, "%c%d", n->perms[i].letter, (int)n->perms[i].id) + 1;
    reply(r, text, len);
    return 0;
}

/* --- changing --- */

static int do_write(const struct request *r)
{
    const char *given = string(r, 0);
    char *path = path_of(r, given);
    size_t head = given ? strlen(given) + 1 : 0;
    int rc = path ? xs_write(&r->access, path, r->payload + head, r->hdr->len - head) : -EINVAL;

    xfree(path);
    return done(r, rc);
}

static int mkdir_node(const struct request *r, const char *path) { return done(r, xs_mkdir(&r->access, path)); }
static int rm_node(const struct request *r, const char *path) { return done(r, xs_rm(&r->access, path)); }

/* "n5": false: it is none. */
static bool perm_read(const char *text, struct xs_perm *p)
{
    char *end;
    const long id = strtol(text + (text[0] != 0), &end, 0);

    *p = (struct xs_perm){ .id = (uint32_t)id, .letter = text[0] };
    return text[0] && strchr("nrwb", text[0]) && text[1] && !*end;
}

/* The strings behind the first, of which one without an end is none: how many, or -errno. */
static int perms_read(const struct request *r, struct xs_perm *perms)
{
    unsigned int nr = 0;

    while (string(r, nr + 1))
        nr++;
    if (!nr)
        return -EINVAL;
    if (xs_beyond(r->c, XS_LIMIT_PERMS, nr))
        return -ENOSPC;
    for (unsigned int i = 0; i < nr; i++)
        if (!perm_read(string(r, i + 1), &perms[i]))
            return -EINVAL;
    return (int)nr;
}

static int do_set_perms(const struct request *r)
{
    struct xs_perm perms[XENSTORE_PAYLOAD_MAX / 3];
    int rc, nr = perms_read(r, perms);
    char *path;

    if (nr < 0)
        return nr;
    if (string(r, 0)[0] == '@')
        return done(r, xs_set_perms_special(&r->access, string(r, 0), perms, (unsigned int)nr));
    path = path_of(r, string(r, 0));
    rc = xs_set_perms(&r->access, path, perms, (unsigned int)nr);
    xfree(path);
    return done(r, rc);
}

/* --- transactions --- */

static int do_transaction_start(const struct request *r)
{
    struct xs_tx *tx;
    char text[16];
    int rc = r->access.tx ? -EBUSY : xs_tx_start(r->c, &tx);

    if (rc)
        return rc;
    snprintf(text, sizeof(text), "%u", tx->id);
    reply_text(r, text);
    return 0;
}

static int do_transaction_end(const struct request *r)
{
    const char *how = only_string(r);

    if (!how || (strcmp(how, "T") && strcmp(how, "F")))
        return -EINVAL;
    if (!r->access.tx)
        return -ENOENT;
    return done(r, xs_tx_end(r->access.tx, *how == 'T'));
}

/* --- domains --- */

static int do_get_domain_path(const struct request *r)
{
    const char *domid = only_string(r);
    char path[OWN_PATH_SIZE];

    if (!domid)
        return -EINVAL;
    snprintf(path, sizeof(path), "/local/domain/%u", (unsigned int)atoi(domid));
    reply_text(r, path);
    return 0;
}

/* The domain that a string names; DOMID_INVALID: what is too large for any. */
static domid_t domid_read(const char *text)
{
    const unsigned int domid = (unsigned int)atoi(text);

    return domid < DOMID_FIRST_RESERVED ? (domid_t)domid : DOMID_INVALID;
}

/* The same, if it has been introduced. */
static struct xs_domain *introduced(const struct request *r, const char *text)
{
    struct xs_domain *d = xs_domain_find(r->c->store, domid_read(text));

    return d && d->conn ? d : NULL;
}

/* What RELEASE and RESUME are about: any domain but dom0. */
static int domain_of(const struct request *r, struct xs_domain **d)
{
    const char *domid = only_string(r);

    if (!domid || !atoi(domid))
        return -EINVAL;
    *d = introduced(r, domid);
    return *d ? 0 : -ENOENT;
}

static int do_introduce(const struct request *r)
{
    const struct xs_store *s = r->c->store;
    domid_t domid;
    int port;

    if (!string(r, 2))
        return -EINVAL;
    domid = domid_read(string(r, 0));
    port = atoi(string(r, 2));
    if (port <= 0 || domid == DOMID_INVALID)
        return -EINVAL;
    if (!domid) /* dom0 is served as it is */
        return done(r, 0);
    return done(r, s->hooks->introduce(s->data, domid, strtoull(string(r, 1), NULL, 0), (uint32_t)port));
}

static int do_release(const struct request *r)
{
    struct xs_domain *d;
    int rc = domain_of(r, &d);

    if (!rc)
        r->c->store->hooks->release(r->c->store->data, d->domid);
    return done(r, rc);
}

/* The domain that was shut down runs again, so that its next shutdown is told. */
static int do_resume(const struct request *r)
{
    struct xs_domain *d;
    int rc = domain_of(r, &d);

    if (!rc)
        d->shutdown = false;
    return done(r, rc);
}

static int do_is_domain_introduced(const struct request *r)
{
    const char *domid = only_string(r);

    if (!domid)
        return -EINVAL;
    reply_text(r, !atoi(domid) || atoi(domid) == DOMID_SELF || introduced(r, domid) ? "T" : "F");
    return 0;
}

/* A device model's domain gets the rights of the domain whose devices it emulates. */
static int do_set_target(const struct request *r)
{
    const struct xs_domain *d;

    if (!string(r, 1))
        return -EINVAL;
    d = introduced(r, string(r, 0));
    if ((!d && atoi(string(r, 0))) || (!introduced(r, string(r, 1)) && atoi(string(r, 1))))
        return -ENOENT;
    if (d) /* dom0 may do everything */
        d->conn->target = domid_read(string(r, 1));
    return done(r, 0);
}

static int do_control(const struct request *r)
{
    char text[XENSTORE_PAYLOAD_MAX] = "OK";
    const char *args[XS_CONTROL_ARGS];
    unsigned int nr = 0;
    int rc;

    while (nr < XS_CONTROL_ARGS && (args[nr] = string(r, nr)))
        nr++;
    if (!nr || string(r, nr) || r->payload[r->hdr->len - 1])
        return -EINVAL;
    rc = xs_control(r->c->store, nr, args, text);
    if (!rc)
        reply_text(r, text);
    return rc;
}

/* --- the table --- */

#define PRIVILEGED 1 /* dom0 may */
#define NO_TX      2 /* the transaction is not looked at */

/* Each answers by itself when it succeeds; of an error the number is returned. */
static const struct {
    int (*whole)(const struct request *r);
    int (*one_path)(const struct request *r, const char *path); /* the payload is a path, and is handed over absolute */
    unsigned int flags;
} requests[XS_TYPE_COUNT] = {
    [XS_CONTROL] = { .whole = do_control, .flags = PRIVILEGED },
    [XS_DIRECTORY] = { .one_path = directory },
    [XS_READ] = { .one_path = read_node },
    [XS_GET_PERMS] = { .one_path = get_perms },
    [XS_WATCH] = { .whole = do_watch, .flags = NO_TX },
    [XS_UNWATCH] = { .whole = do_unwatch, .flags = NO_TX },
    [XS_TRANSACTION_START] = { .whole = do_transaction_start },
    [XS_TRANSACTION_END] = { .whole = do_transaction_end },
    [XS_INTRODUCE] = { .whole = do_introduce, .flags = PRIVILEGED },
    [XS_RELEASE] = { .whole = do_release, .flags = PRIVILEGED },
    [XS_GET_DOMAIN_PATH] = { .whole = do_get_domain_path },
    [XS_WRITE] = { .whole = do_write },
    [XS_MKDIR] = { .one_path = mkdir_node },
    [XS_RM] = { .one_path = rm_node },
    [XS_SET_PERMS] = { .whole = do_set_perms },
    [XS_IS_DOMAIN_INTRODUCED] = { .whole = do_is_domain_introduced, .flags = PRIVILEGED },
    [XS_RESUME] = { .whole = do_resume, .flags = PRIVILEGED },
    [XS_SET_TARGET] = { .whole = do_set_target, .flags = PRIVILEGED },
    [XS_RESET_WATCHES] = { .whole = do_reset_watches },
    [XS_DIRECTORY_PART] = { .whole = do_directory_part },
};

static int answer(struct request *r)
{
    const uint32_t type = r->hdr->type;
    char *path;
    int rc;

    if (type >= ARRAY_SIZE(requests) || (!requests[type].whole && !requests[type].one_path))
        return -ENOSYS;
    if (requests[type].flags & PRIVILEGED && !xs_is_privileged(r->c))
        return -EACCES;
    if (r->hdr->tx_id && !(requests[type].flags & NO_TX)) {
        r->access.tx = xs_tx_find(r->c, r->hdr->tx_id);
        if (!r->access.tx)
            return -ENOENT;
    }
    if (requests[type].whole)
        return requests[type].whole(r);
    path = path_of(r, only_string(r));
    rc = path ? requests[type].one_path(r, path) : -EINVAL;
    xfree(path);
    return rc;
}

int xs_request(struct xs_conn *c, const struct xsd_sockmsg *hdr, const char *payload)
{
    struct request r = { c, hdr, payload, { .store = c->store, .conn = c } };
    int rc = answer(&r);

    if (rc)
        reply_error(&r, rc);
    return rc;
}
