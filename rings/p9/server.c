// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A server of 9P2000.L: the idea is in rings/p9/server.h.
 *
 * Budget: a short function a message.
 */
#include "rings/p9/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define VERSION       "9P2000.L"
#define NOFID         UINT32_MAX
#define READ_OVERHEAD 11u /* of an Rread: header and count */

struct p9_fid {
    struct p9_fid *next;
    uint32_t number;
    char *path;      /* below the root; "" is the root itself */
    uint32_t handle; /* 0: it is not open */
    uint32_t flags;  /* O_*, as it was opened */
};

/* A message while it is being read, and what becomes of it. */
struct request {
    struct p9_server *s;
    struct p9_cursor in, out;
    int error; /* errno, of the answer */
    bool asks;
};

/* --- fids --- */

static struct p9_fid **fid_place(struct p9_server *s, uint32_t number)
{
    struct p9_fid **f = &s->fids[number % P9_FID_LISTS];

    while (*f && (*f)->number != number)
        f = &(*f)->next;
    return f;
}

static struct p9_fid *fid_get(struct request *r)
{
    struct p9_fid *f = *fid_place(r->s, (uint32_t)p9_get(&r->in, 4));

    if (!f)
        r->error = r->error ?: EBADF;
    return f;
}

static void fid_drop(struct p9_server *s, uint32_t number)
{
    struct p9_fid **at = fid_place(s, number), *f = *at;

    if (!f)
        return;
    *at = f->next;
    s->nr_fids--;
    xfree(f->path);
    xfree(f);
}

/* A fid for a path, which becomes its own. 0 or an errno. */
static int fid_new(struct p9_server *s, uint32_t number, char *path)
{
    struct p9_fid *f = path && s->nr_fids < P9_FIDS_MAX ? xzalloc(s->arena, struct p9_fid) : NULL;

    if (!f) {
        xfree(path);
        return path && s->nr_fids == P9_FIDS_MAX ? EMFILE : ENOMEM;
    }
    f->number = number;
    f->path = path;
    f->next = s->fids[number % P9_FID_LISTS];
    s->fids[number % P9_FID_LISTS] = f;
    s->nr_fids++;
    return 0;
}

static void fids_forget(struct p9_server *s)
{
    for (unsigned int i = 0; i < P9_FID_LISTS; i++)
        while (s->fids[i])
            fid_drop(s, s->fids[i]->number);
}

void p9_server_end(struct p9_server *s)
{
    fids_forget(s);
    xfree(s->path);
    xfree(s->new_path);
    s->path = s->new_path = NULL;
}

/* --- paths --- */

/* Is it the name of something in a directory? */
static bool name_ok(struct p9_string name)
{
    return name.len && name.len <= P9_NAME_MAX && !memchr(name.text, '/', name.len) &&
           !(name.len == 1 && name.text[0] == '.') && !(name.len == 2 && !memcmp(name.text, "..", 2));
}

/* path and a name, or its parent for ".."; NULL: no memory, and *error says so, or why not. */
static char *path_join(struct p9_server *s, const char *path, struct p9_string name, int *error)
{
    char joined[P9_PATH_MAX + P9_NAME_MAX + 3];
    const char *slash = strrchr(path, '/');
    char *own;

    if (name.len == 2 && !memcmp(name.text, "..", 2))
        snprintf(joined, sizeof(joined), "%.*s", slash ? (int)(slash - path) : 0, path);
    else if (!name_ok(name))
        *error = EINVAL;
    else
        snprintf(joined, sizeof(joined), "%s%s%.*s", path, *path ? "/" : "", name.len, name.text);
    if (!*error && strlen(joined) > P9_PATH_MAX)
        *error = ENAMETOOLONG;
    if (*error)
        return NULL;
    own = xstrdup(s->arena, joined);
    if (!own)
        *error = ENOMEM;
    return own;
}

/* What was at `from`, and below it, is at `to` from now on. */
static void paths_move(struct p9_server *s, const char *from, const char *to)
{
    const size_t len = strlen(from);
    char moved[2 * P9_PATH_MAX];

    for (unsigned int i = 0; i < P9_FID_LISTS; i++)
        for (struct p9_fid *f = s->fids[i]; f; f = f->next) {
            char *own;

            if (strncmp(f->path, from, len) || (f->path[len] && f->path[len] != '/'))
                continue;
            snprintf(moved, sizeof(moved), "%s%s", to, f->path + len);
            own = strlen(moved) <= P9_PATH_MAX ? xstrdup(s->arena, moved) : NULL;
            if (!own)
                continue; /* it is where it was, and will not be found there */
            xfree(f->path);
            f->path = own;
        }
}

/* --- questions --- */

static const struct p9_string no_name = { "", 0 };

/* The head of a question about a fid's file, or about a name in it; the caller adds numbers. */
static void ask(struct request *r, const struct p9_fid *f, struct p9_string name, const char *path2)
{
    p9_put(&r->out, 1, r->s->type);
    p9_put(&r->out, 4, f->handle);
    p9_put(&r->out, 4, f->flags);
    p9_put_string(&r->out, f->path, strlen(f->path));
    p9_put_string(&r->out, name.text, name.len);
    p9_put_string(&r->out, path2, strlen(path2));
    r->s->fid = f->number;
    r->asks = true;
}

/* The numbers of the message as they are. */
static void pass_on(struct request *r, const unsigned int *sizes, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++)
        p9_put(&r->out, sizes[i], p9_get(&r->in, sizes[i]));
}

/* A name that something is to be made of in a directory. */
static struct p9_string new_name(struct request *r)
{
    const struct p9_string name = p9_get_string(&r->in);

    if (!r->in.bad && !name_ok(name))
        r->error = r->error ?: name.len > P9_NAME_MAX ? ENAMETOOLONG : EINVAL;
    return name;
}

static void writes(struct request *r)
{
    if (r->s->readonly)
        r->error = r->error ?: EROFS;
}

/* --- messages, one by one --- */

static void version(struct request *r)
{
    const uint32_t msize = (uint32_t)p9_get(&r->in, 4);
    const struct p9_string v = p9_get_string(&r->in);
    const bool known = v.len == strlen(VERSION) && !memcmp(v.text, VERSION, v.len);

    if (r->in.bad || msize < 256) {
        r->error = EINVAL;
        return;
    }
    fids_forget(r->s);
    r->s->msize = msize < P9_MSIZE_MAX ? msize : P9_MSIZE_MAX;
    p9_put(&r->out, 4, r->s->msize);
    p9_put_string(&r->out, known ? VERSION : "unknown", strlen(known ? VERSION : "unknown"));
}

static void attach(struct request *r)
{
    const uint32_t number = (uint32_t)p9_get(&r->in, 4), auth = (uint32_t)p9_get(&r->in, 4);
    struct p9_fid root = { .number = number, .path = (char *)(uintptr_t) "" };

    p9_get_string(&r->in); /* who it is does not matter, */
    p9_get_string(&r->in); /* and there is one tree */
    if (auth != NOFID)
        r->error = EOPNOTSUPP;
    else if (*fid_place(r->s, number))
        r->error = EBADF;
    else if (!r->in.bad)
        ask(r, &root, no_name, "");
}

static void walk(struct request *r)
{
    const struct p9_fid *f = fid_get(r);
    const uint32_t newfid = (uint32_t)p9_get(&r->in, 4);
    const uint16_t nr = (uint16_t)p9_get(&r->in, 2);
    struct p9_string name[P9_WALK_MAX];
    char *path;

    if (nr > P9_WALK_MAX)
        r->error = EINVAL;
    for (unsigned int i = 0; i < nr && !r->error; i++)
        name[i] = p9_get_string(&r->in);
    if (r->error || r->in.bad)
        return;
    if (f->handle || (newfid != f->number && *fid_place(r->s, newfid))) {
        r->error = EBADF;
        return;
    }
    path = xstrdup(r->s->arena, f->path);
    for (unsigned int i = 0; path && i < nr; i++) {
        char *next = path_join(r->s, path, name[i], &r->error);

        xfree(path);
        path = next;
    }
    if (!path) {
        r->error = r->error ?: ENOMEM;
        return;
    }
    xfree(r->s->path);
    r->s->path = path;
    r->s->newfid = newfid;
    r->s->nr_names = nr;
    ask(r, f, no_name, "");
    p9_put(&r->out, 2, nr);
    for (unsigned int i = 0; i < nr; i++)
        p9_put_string(&r->out, name[i].text, name[i].len);
}

/* Opening flags that say what is to be done with the file; the others are about how. */
#define FLAGS_KEPT (O_ACCMODE | O_TRUNC | O_APPEND | O_DIRECTORY | O_EXCL)

static void lopen(struct request *r)
{
    const struct p9_fid *f = fid_get(r);
    const uint32_t flags = (uint32_t)p9_get(&r->in, 4);

    if ((flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC)
        writes(r);
    if (r->error || r->in.bad)
        return;
    if (f->handle) {
        r->error = EBADF;
        return;
    }
    r->s->flags = flags & FLAGS_KEPT;
    ask(r, f, no_name, "");
    p9_put(&r->out, 4, *r->s->next_handle);
    p9_put(&r->out, 4, r->s->flags);
}

static void lcreate(struct request *r)
{
    const struct p9_fid *f = fid_get(r);
    const struct p9_string name = new_name(r);
    const uint32_t flags = (uint32_t)p9_get(&r->in, 4), mode = (uint32_t)p9_get(&r->in, 4);

    writes(r);
    if (r->error || r->in.bad)
        return;
    if (f->handle) {
        r->error = EBADF;
        return;
    }
    xfree(r->s->path);
    r->s->path = path_join(r->s, f->path, name, &r->error);
    if (r->error)
        return;
    r->s->flags = flags & FLAGS_KEPT;
    ask(r, f, name, "");
    p9_put(&r->out, 4, *r->s->next_handle);
    p9_put(&r->out, 4, r->s->flags);
    p9_put(&r->out, 4, mode & 0777);
}

/* Read, write, readdir: of an open fid. */
static void transfer(struct request *r)
{
    const struct p9_fid *f = fid_get(r);
    const uint64_t offset = p9_get(&r->in, 8);
    uint32_t count = (uint32_t)p9_get(&r->in, 4);

    if (r->s->type == P9_TWRITE)
        writes(r);
    if (r->error || r->in.bad)
        return;
    if (!f->handle || (r->s->type == P9_TWRITE && (f->flags & O_ACCMODE) == O_RDONLY) ||
        (r->s->type != P9_TWRITE && (f->flags & O_ACCMODE) == O_WRONLY)) {
        r->error = EBADF;
        return;
    }
    if (r->s->type == P9_TWRITE && (size_t)(r->in.end - r->in.at) != count) {
        r->error = EINVAL;
        return;
    }
    if (r->s->type != P9_TWRITE && count > r->s->msize - READ_OVERHEAD)
        count = r->s->msize - READ_OVERHEAD;
    /* An offset in a directory is a place that the host has named, up to the highest there is. */
    if (offset > (uint64_t)INT64_MAX - (r->s->type == P9_TREADDIR ? 0 : count)) {
        r->error = EINVAL;
        return;
    }
    ask(r, f, no_name, "");
    p9_put(&r->out, 8, offset);
    p9_put(&r->out, 4, count);
    if (r->s->type == P9_TWRITE)
        p9_put_bytes(&r->out, r->in.at, count);
}

static void clunk(struct request *r)
{
    const struct p9_fid *f = fid_get(r);

    if (f)
        fid_drop(r->s, f->number);
}

/* It is gone, and so is the fid, also if it cannot be removed. */
static void remove_it(struct request *r)
{
    const struct p9_fid *f = fid_get(r);

    writes(r);
    if (f && !r->error && *f->path)
        ask(r, f, no_name, "");
    else if (f) {
        r->error = r->error ?: EBUSY;
        fid_drop(r->s, f->number);
    }
}

/* What has a fid, perhaps a name, and numbers that are passed on. */
static const struct simple {
    uint8_t type, nr;
    bool named, writes;
    unsigned int sizes[9];
} simples[] = {
    { P9_TSTATFS, 0, false, false, { 0 } },  { P9_TREADLINK, 0, false, false, { 0 } },
    { P9_TGETATTR, 1, false, false, { 8 } }, { P9_TSETATTR, 9, false, true, { 4, 4, 4, 4, 8, 8, 8, 8, 8 } },
    { P9_TFSYNC, 1, false, false, { 4 } },   { P9_TMKDIR, 2, true, true, { 4, 4 } },
    { P9_TUNLINKAT, 1, true, true, { 4 } },
};

static void simple(struct request *r, const struct simple *m)
{
    const struct p9_fid *f = fid_get(r);
    const struct p9_string name = m->named ? new_name(r) : no_name;

    if (m->writes)
        writes(r);
    if (r->error || r->in.bad)
        return;
    ask(r, f, name, "");
    pass_on(r, m->sizes, m->nr);
}

static void symlink_it(struct request *r)
{
    const struct p9_fid *f = fid_get(r);
    const struct p9_string name = new_name(r), target = p9_get_string(&r->in);
    char to[P9_PATH_MAX + 1];

    writes(r);
    if (!r->error && (!target.len || target.len > P9_PATH_MAX))
        r->error = target.len ? ENAMETOOLONG : ENOENT;
    if (r->error || r->in.bad)
        return;
    memcpy(to, target.text, target.len);
    to[target.len] = '\0';
    ask(r, f, name, to);
}

static void link_it(struct request *r)
{
    const struct p9_fid *dir = fid_get(r), *f = fid_get(r);
    const struct p9_string name = new_name(r);

    writes(r);
    if (!r->error && !r->in.bad)
        ask(r, dir, name, f->path);
}

/* Trename: fid to a name in a directory; Trenameat: a name in one to a name in another. */
static void rename_it(struct request *r)
{
    const bool at = r->s->type == P9_TRENAMEAT;
    const struct p9_fid *f = fid_get(r);
    const struct p9_string name = at ? new_name(r) : no_name;
    const struct p9_fid *dir = fid_get(r);
    const struct p9_string to = new_name(r);
    struct p9_fid old = { 0 };
    char *new_path;

    writes(r);
    if (!r->error && !at && !*f->path)
        r->error = EBUSY;
    if (r->error || r->in.bad)
        return;
    old.path = at ? path_join(r->s, f->path, name, &r->error) : xstrdup(r->s->arena, f->path);
    new_path = path_join(r->s, dir->path, to, &r->error);
    if (old.path && new_path) {
        old.number = f->number;
        ask(r, &old, no_name, new_path);
        xfree(r->s->path);
        xfree(r->s->new_path);
        r->s->path = old.path;
        r->s->new_path = new_path;
        return;
    }
    r->error = r->error ?: ENOMEM;
    xfree(old.path);
    xfree(new_path);
}

/* A lock is always granted: there is one client. */
static void lock(struct request *r)
{
    fid_get(r);
    p9_put(&r->out, 1, 0);
}

static void getlock(struct request *r)
{
    uint64_t start, length;
    uint32_t process;
    struct p9_string client;

    fid_get(r);
    p9_get(&r->in, 1);
    start = p9_get(&r->in, 8), length = p9_get(&r->in, 8);
    process = (uint32_t)p9_get(&r->in, 4);
    client = p9_get_string(&r->in);
    p9_put(&r->out, 1, F_UNLCK);
    p9_put(&r->out, 8, start);
    p9_put(&r->out, 8, length);
    p9_put(&r->out, 4, process);
    p9_put_string(&r->out, client.text, client.len);
}

static void dispatch(struct request *r)
{
    for (size_t i = 0; i < sizeof(simples) / sizeof(simples[0]); i++)
        if (simples[i].type == r->s->type) {
            simple(r, &simples[i]);
            return;
        }
    switch (r->s->type) {
    case P9_TVERSION: version(r); break;
    case P9_TATTACH: attach(r); break;
    case P9_TWALK: walk(r); break;
    case P9_TLOPEN: lopen(r); break;
    case P9_TLCREATE: lcreate(r); break;
    case P9_TREAD:
    case P9_TWRITE:
    case P9_TREADDIR: transfer(r); break;
    case P9_TCLUNK: clunk(r); break;
    case P9_TREMOVE: remove_it(r); break;
    case P9_TSYMLINK: symlink_it(r); break;
    case P9_TLINK: link_it(r); break;
    case P9_TRENAME:
    case P9_TRENAMEAT: rename_it(r); break;
    case P9_TLOCK: lock(r); break;
    case P9_TGETLOCK: getlock(r); break;
    case P9_TFLUSH: p9_get(&r->in, 2); break; /* what it means is answered already */
    case P9_TMKNOD: r->error = EPERM; break;
    default: r->error = EOPNOTSUPP;
    }
}

/* --- answers --- */

static void message_end(uint8_t *out, uint8_t type, uint16_t tag, size_t *len)
{
    struct p9_cursor c = p9_cursor(out, P9_HEADER);

    p9_put(&c, 4, *len);
    p9_put(&c, 1, type);
    p9_put(&c, 2, tag);
}

static void say(uint8_t type, uint16_t tag, int error, uint8_t *out, size_t *len)
{
    if (error) {
        const uint32_t code = (uint32_t)error;

        memcpy(out + P9_HEADER, &code, sizeof(code));
        *len = P9_HEADER + sizeof(code);
    }
    message_end(out, error ? P9_RLERROR : (uint8_t)(type + 1), tag, len);
}

bool p9_request(struct p9_server *s, uint8_t *message, size_t size, uint8_t *out, size_t *len)
{
    struct request r = { .s = s, .in = p9_cursor(message, size) };
    uint16_t tag;

    p9_get(&r.in, 4);
    s->type = (uint8_t)p9_get(&r.in, 1);
    tag = (uint16_t)p9_get(&r.in, 2);
    r.out = p9_cursor(out + P9_HEADER, P9_MSIZE_MAX - P9_HEADER);
    if (!s->msize && s->type != P9_TVERSION)
        r.error = EPROTO;
    else
        dispatch(&r);
    if (r.in.bad || r.out.bad)
        r.error = r.error ?: EINVAL;
    *len = (size_t)(r.out.at - out);
    if (r.asks && !r.error) {
        *len -= P9_HEADER;
        memmove(out, out + P9_HEADER, *len);
        return true;
    }
    say(s->type, tag, r.error, out, len);
    return false;
}

/* What was asked for has been done: what it means for fids. 0 or an errno. */
static int done(struct p9_server *s, const uint8_t *body, size_t size)
{
    struct p9_fid *f = *fid_place(s, s->fid);
    char *path = s->path;

    switch (s->type) {
    case P9_TATTACH: return fid_new(s, s->fid, xstrdup(s->arena, ""));
    case P9_TWALK:
        if (size < 2 || (uint16_t)(body[0] | body[1] << 8) < s->nr_names)
            return 0; /* not to its end: there is no new fid */
        fid_drop(s, s->newfid);
        s->path = NULL;
        return fid_new(s, s->newfid, path);
    case P9_TLOPEN:
    case P9_TLCREATE:
        f->handle = (*s->next_handle)++;
        f->flags = s->flags & ~(uint32_t)(O_TRUNC | O_EXCL);
        if (s->type == P9_TLCREATE) {
            xfree(f->path);
            f->path = path;
            s->path = NULL;
        }
        return 0;
    default: return 0;
    }
}

void p9_answer(struct p9_server *s, uint16_t tag, uint32_t error, const uint8_t *body, size_t size, uint8_t *out,
               size_t *len)
{
    const size_t room = (s->msize && s->msize < P9_MSIZE_MAX ? s->msize : P9_MSIZE_MAX) - P9_HEADER;

    if (size > room)
        error = error ?: EMSGSIZE;
    if (!error)
        error = (uint32_t)done(s, body, size);
    if (s->type == P9_TREMOVE)
        fid_drop(s, s->fid);
    if (!error && (s->type == P9_TRENAME || s->type == P9_TRENAMEAT))
        paths_move(s, s->path, s->new_path);
    *len = P9_HEADER + (error ? 0 : size);
    if (!error)
        memcpy(out + P9_HEADER, body, size);
    say(s->type, tag, error > INT32_MAX ? EIO : (int)error, out, len);
}
