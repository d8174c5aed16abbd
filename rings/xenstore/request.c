// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests to xenstore, and watches: the idea is in rings/xenstore/request.h.
 *
 * Budget: a function a kind of request, and the table that names them all.
 */
#include "rings/xenstore/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_PATH_SIZE 32 /* "/local/domain/65535" */

struct xs_watch {
    struct xs_watch *next;
    char *path; /* absolute, or special: "@releaseDomain" */
    char *token;
    bool relative;
};

/* What a request is answered from. */
struct request {
    struct xs_session *s;
    const struct xsd_sockmsg *hdr;
    const char *payload;
    struct xs_access access;
};

/* --- answers --- */

static void reply(const struct request *r, const void *payload, size_t len)
{
    struct xsd_sockmsg hdr = { r->hdr->type, r->hdr->req_id, r->hdr->tx_id, (uint32_t)len };

    r->s->send(r->s->data, &hdr, payload);
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
    r->s->send(r->s->data, &hdr, name);
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
    char *path = given && given[0] != '@' ? xs_path_absolute(r->s->store, r->s->domid, given) : NULL;

    if (path && xs_path_ok(path))
        return path;
    xfree(path);
    return NULL;
}

/* --- watches --- */

static void watch_fire(struct xs_session *s, const struct xs_watch *w, const char *path)
{
    struct xsd_sockmsg hdr = { XS_WATCH_EVENT, 0, 0, 0 };
    char own[OWN_PATH_SIZE], *payload;
    size_t len, skip = w->relative ? (size_t)snprintf(own, sizeof(own), "/local/domain/%u/", s->domid) : 0;

    path += skip;
    len = strlen(path) + 1;
    hdr.len = (uint32_t)(len + strlen(w->token) + 1);
    if (hdr.len > XENSTORE_PAYLOAD_MAX)
        return; /* no message: as lost as if the watch had not been set */
    payload = xzalloc_array(s->arena, char, hdr.len);
    if (!payload)
        return;
    memcpy(payload, path, len);
    memcpy(payload + len, w->token, hdr.len - len);
    s->send(s->data, &hdr, payload);
    xfree(payload);
}

/* The store has changed. */
static void changed(void *data, const char *path, bool exact)
{
    struct xs_session *s = data;

    for (const struct xs_watch *w = s->watches; w; w = w->next) {
        const size_t len = strlen(w->path);

        if (!strcmp(path, w->path) || (!exact && (len == 1 || (!strncmp(path, w->path, len) && path[len] == '/'))))
            watch_fire(s, w, path);
    }
}

bool xs_session_watch(const struct xs_session *s, unsigned int i, const char **path, const char **token)
{
    const struct xs_watch *w = s->watches;

    for (; w && i; i--)
        w = w->next;
    if (!w)
        return false;
    *path = w->path;
    *token = w->token;
    return true;
}

static struct xs_watch **watch_find(struct xs_session *s, const char *path, const char *token)
{
    struct xs_watch **w = &s->watches;

    while (*w && (strcmp((*w)->path, path) || strcmp((*w)->token, token)))
        w = &(*w)->next;
    return w;
}

static void watch_free(struct xs_session *s, struct xs_watch **at)
{
    struct xs_watch *w = *at;

    *at = w->next;
    xfree(w->path);
    xfree(w->token);
    xfree(w);
    s->nr_watches--;
}

static void watches_free(struct xs_session *s)
{
    while (s->watches)
        watch_free(s, &s->watches);
}

/* What a watch may name: also what begins with an @, which is no node. */
static char *watch_path(const struct request *r)
{
    const char *given = strings_are(r, 2) ? string(r, 0) : NULL;

    if (given && given[0] == '@')
        return strlen(given) <= XENSTORE_REL_PATH_MAX ? xstrdup(r->s->arena, given) : NULL;
    return path_of(r, given);
}

static int do_watch(const struct request *r)
{
    struct xs_session *s = r->s;
    char *path = watch_path(r);
    struct xs_watch *w, **at;
    int rc = 0;

    if (!path)
        return -EINVAL;
    at = watch_find(s, path, string(r, 1));
    w = xzalloc(s->arena, struct xs_watch);
    if (w)
        w->token = xstrdup(s->arena, string(r, 1));
    if (*at)
        rc = -EEXIST;
    else if (s->nr_watches > XS_WATCHES_MAX)
        rc = -E2BIG;
    else if (!w || !w->token)
        rc = -ENOMEM;
    if (rc) {
        xfree(w ? w->token : NULL);
        xfree(w);
        xfree(path);
        return rc;
    }
    w->path = path;
    w->relative = string(r, 0)[0] != '/' && string(r, 0)[0] != '@';
    *at = w;
    s->nr_watches++;
    reply_text(r, "OK");
    watch_fire(s, w, path);
    return 0;
}

static int do_unwatch(const struct request *r)
{
    char *path = watch_path(r);
    struct xs_watch **at;

    if (!path)
        return -EINVAL;
    at = watch_find(r->s, path, string(r, 1));
    xfree(path);
    if (!*at)
        return -ENOENT;
    watch_free(r->s, at);
    reply_text(r, "OK");
    return 0;
}

static int do_reset_watches(const struct request *r)
{
    watches_free(r->s);
    xs_tx_abort_all(r->s->store);
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
    char *names;
    size_t len;
    int rc = xs_children(&r->access, path, &names, &len);

    if (rc)
        return rc;
    if (len <= XENSTORE_PAYLOAD_MAX)
        reply(r, names, len);
    xfree(names);
    return len <= XENSTORE_PAYLOAD_MAX ? 0 : -E2BIG;
}

/* Names from an offset on, as many as fit, behind the node's generation; an empty one says that these were the last. */
static int do_directory_part(const struct request *r)
{
    char *path = strings_are(r, 2) ? path_of(r, string(r, 0)) : NULL, *names = NULL, part[XENSTORE_PAYLOAD_MAX];
    const struct xs_node *n;
    size_t len, at, used;
    int rc = path ? xs_get(&r->access, path, XS_RIGHT_READ, &n) : -EINVAL;

    if (!rc)
        rc = xs_children(&r->access, path, &names, &len);
    xfree(path);
    if (rc)
        return rc;
    at = strtoul(string(r, 1), NULL, 10);
    used = (size_t)snprintf(part, sizeof(part), "%" PRIu64, n->generation) + 1;
    while (at < len && used + strlen(names + at) + 1 < sizeof(part)) {
        const size_t size = strlen(names + at) + 1;

        memcpy(part + used, names + at, size);
        used += size;
        at += size;
    }
    if (at >= len)
        part[used++] = 0;
    xfree(names);
    reply(r, part, used);
    return 0;
}

static int get_perms(const struct request *r, const char *path)
{
    char text[XS_PERMS_MAX * 8];
    const struct xs_node *n;
    size_t len = 0;
    int rc = xs_get(&r->access, path, XS_RIGHT_READ, &n);

    if (rc)
        return rc;
    for (unsigned int i = 0; i < n->perms.nr; i++)
        len += (size_t)sprintf(text + len, "%c%u", n->perms.p[i].letter, n->perms.p[i].id) + 1;
    reply(r, text, len);
    return 0;
}

/* --- changing --- */

static int done(const struct request *r, int rc)
{
    if (!rc)
        reply_text(r, "OK");
    return rc;
}

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

static int perms_read(const struct request *r, struct xs_perms *perms)
{
    const char *text;

    if (!string(r, 1))
        return -EINVAL;
    for (perms->nr = 0; (text = string(r, perms->nr + 1)); perms->nr++) {
        char *end;
        const unsigned long id = strtoul(text + (text[0] != 0), &end, 10);

        if (perms->nr == XS_PERMS_MAX)
            return -ENOSPC;
        if (!text[0] || !strchr("nrwb", text[0]) || !text[1] || *end || id >= DOMID_FIRST_RESERVED)
            return -EINVAL;
        perms->p[perms->nr] = (struct xs_perm){ (domid_t)id, text[0] };
    }
    return 0;
}

static int do_set_perms(const struct request *r)
{
    struct xs_perms perms;
    int rc = perms_read(r, &perms);
    char *path = rc ? NULL : path_of(r, string(r, 0));

    if (!rc)
        rc = path ? xs_set_perms(&r->access, path, &perms) : -EINVAL;
    xfree(path);
    return done(r, rc);
}

/* --- transactions, and the rest --- */

static int do_transaction_start(const struct request *r)
{
    char text[16];
    uint32_t id;
    int rc = r->access.tx ? -EBUSY : xs_tx_start(r->s->store, &id);

    if (rc)
        return rc;
    snprintf(text, sizeof(text), "%u", id);
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

static int do_privileged(const struct request *r)
{
    (void)r;
    return -EACCES;
}

/* Each answers by itself when it succeeds; of an error the number is returned. */
static const struct {
    int (*whole)(const struct request *r);
    int (*one_path)(const struct request *r, const char *path); /* the payload is a path, and is handed over absolute */
    bool no_tx;                                                 /* tx_id means nothing */
} requests[XS_TYPE_COUNT] = {
    [XS_CONTROL] = { .whole = do_privileged },
    [XS_DIRECTORY] = { .one_path = directory },
    [XS_READ] = { .one_path = read_node },
    [XS_GET_PERMS] = { .one_path = get_perms },
    [XS_WATCH] = { .whole = do_watch, .no_tx = true },
    [XS_UNWATCH] = { .whole = do_unwatch, .no_tx = true },
    [XS_TRANSACTION_START] = { .whole = do_transaction_start },
    [XS_TRANSACTION_END] = { .whole = do_transaction_end },
    [XS_INTRODUCE] = { .whole = do_privileged, .no_tx = true },
    [XS_RELEASE] = { .whole = do_privileged, .no_tx = true },
    [XS_GET_DOMAIN_PATH] = { .whole = do_get_domain_path, .no_tx = true },
    [XS_WRITE] = { .whole = do_write },
    [XS_MKDIR] = { .one_path = mkdir_node },
    [XS_RM] = { .one_path = rm_node },
    [XS_SET_PERMS] = { .whole = do_set_perms },
    [XS_IS_DOMAIN_INTRODUCED] = { .whole = do_privileged, .no_tx = true },
    [XS_RESUME] = { .whole = do_privileged, .no_tx = true },
    [XS_SET_TARGET] = { .whole = do_privileged, .no_tx = true },
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
    if (r->hdr->tx_id && !requests[type].no_tx) {
        r->access.tx = xs_tx_find(r->s->store, r->hdr->tx_id);
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

int xs_session_request(struct xs_session *s, const struct xsd_sockmsg *hdr, const char *payload)
{
    struct request r = { s, hdr, payload, { .store = s->store, .domid = s->domid } };
    int rc = answer(&r);

    if (rc)
        reply_error(&r, rc);
    return rc;
}

/* --- life --- */

bool xs_session_init(struct xs_session *s, struct arena *arena, domid_t domid, xs_send_fn *send, void *data)
{
    *s = (struct xs_session){ .arena = arena, .domid = domid, .send = send, .data = data };
    s->store = xs_store_create(arena, changed, s);
    return s->store;
}

void xs_session_end(struct xs_session *s)
{
    watches_free(s);
    xs_store_destroy(s->store);
    s->store = NULL;
}
