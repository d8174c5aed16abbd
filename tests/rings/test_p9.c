// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shared folders without a guest: the server of 9P2000.L and the host's files behind it.
 *
 * A good client does at random what it may in one folder, and the same is done with the host's own calls in another:
 * both must end up alike. A bad one sends whatever it likes, and what is outside of its folder is neither seen nor
 * changed.
 *
 * Budget: a client, its twin, and a case for each thing that is refused.
 */
#include "tests/rings/p9.h"
#include "tests/support/random.h"

#include "rings/p9/server.h"
#include "tools/p9/outside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
#define TRIES 2000
#else
#define TRIES 20000
#endif

#define SECRET "nobody may see this"

/* A folder in a folder with a secret, which is shared; and another, in which the same is done. */
struct scene {
    struct arena *arena;
    char top[64], twin[80];
    int root;
    struct p9_server server;
    struct p9_outside outside;
    uint32_t next_handle;
    struct p9_message m;
    uint8_t answer[P9_MSIZE_MAX];
    size_t len;
    uint64_t prng;
};

static void file_make(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void begin(struct scene *s, bool readonly)
{
    char path[80];

    memset(s, 0, sizeof(*s));
    strcpy(s->top, "/tmp/test_p9.XXXXXX");
    assert_non_null(mkdtemp(s->top));
    file_make(s->top, "secret", SECRET);
    snprintf(path, sizeof(path), "%s/share", s->top);
    snprintf(s->twin, sizeof(s->twin), "%s/twin", s->top);
    assert_int_equal(mkdir(path, 0755) || mkdir(s->twin, 0755), 0);
    s->root = open(path, O_RDONLY | O_DIRECTORY);
    s->arena = arena_create();
    assert_non_null(s->arena);
    s->next_handle = 1;
    s->server = (struct p9_server){ .arena = s->arena, .readonly = readonly, .next_handle = &s->next_handle };
    umask(022);
}

static int away(const char *path, const struct stat *st, int what, struct FTW *ftw)
{
    (void)st, (void)what, (void)ftw;
    return remove(path);
}

static void end(struct scene *s)
{
    p9_outside_close(&s->outside);
    p9_server_end(&s->server);
    arena_destroy(s->arena);
    close(s->root);
    assert_int_equal(nftw(s->top, away, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* --- a client --- */

/* The message goes its way. The errno that comes back, or 0. */
static int send_it(struct scene *s, size_t size)
{
    static uint8_t body[P9_MSIZE_MAX];
    const uint8_t type = s->m.bytes[4];
    uint32_t said, error = 0;
    uint16_t tag;
    size_t n;

    memcpy(&tag, s->m.bytes + 5, sizeof(tag));
    if (p9_request(&s->server, s->m.bytes, size, s->answer, &s->len)) {
        error = p9_outside_do(&s->outside, 1, s->root, s->answer, s->len, body, sizeof(body), &n);
        p9_answer(&s->server, tag, error, body, n, s->answer, &s->len);
    }
    memcpy(&said, s->answer, sizeof(said));
    assert_int_equal(said, s->len);
    assert_in_range(s->len, P9_HEADER, s->server.msize ?: P9_MSIZE_MAX);
    assert_memory_equal(s->answer + 5, &tag, sizeof(tag));
    if (s->answer[4] != P9_RLERROR) {
        assert_int_equal(s->answer[4], (uint8_t)(type + 1));
        return 0;
    }
    assert_int_equal(s->len, P9_HEADER + 4);
    memcpy(&error, s->answer + P9_HEADER, sizeof(error));
    assert_in_range(error, 1, 4095);
    return (int)error;
}

static int rpc(struct scene *s) { return send_it(s, message_end(&s->m)); }

static struct p9_cursor answer(struct scene *s) { return p9_cursor(s->answer + P9_HEADER, s->len - P9_HEADER); }

/* number and size, in turn: the numbers of a message. */
static void numbers(struct scene *s, unsigned int nr, ...)
{
    va_list ap;

    va_start(ap, nr);
    for (unsigned int i = 0; i < nr; i++) {
        const unsigned int size = va_arg(ap, unsigned int);

        p9_put(&s->m.c, size, va_arg(ap, uint64_t));
    }
    va_end(ap);
}

#define N(size, number) size##u, (uint64_t)(number)

static void connect(struct scene *s)
{
    message_begin(&s->m, P9_TVERSION);
    numbers(s, 1, N(4, 8192));
    put_text(&s->m, "9P2000.L");
    assert_int_equal(rpc(s), 0);
    message_begin(&s->m, P9_TATTACH);
    numbers(s, 2, N(4, 0), N(4, UINT32_MAX));
    put_text(&s->m, "");
    put_text(&s->m, "");
    numbers(s, 1, N(4, 0));
    assert_int_equal(rpc(s), 0);
}

static int clunk(struct scene *s, uint32_t fid)
{
    message_begin(&s->m, P9_TCLUNK);
    numbers(s, 1, N(4, fid));
    return rpc(s);
}

/* fid becomes what is at path, "" being the root. ENOENT: there is nothing. */
static int walk(struct scene *s, uint32_t fid, const char *path)
{
    char copy[256], *rest = copy, *name;
    unsigned int nr = 0;
    struct p9_cursor count, c;
    int error;

    snprintf(copy, sizeof(copy), "%s", path);
    message_begin(&s->m, P9_TWALK);
    numbers(s, 2, N(4, 0), N(4, fid));
    count = s->m.c;
    p9_put(&s->m.c, 2, 0);
    while (*path && (name = strsep(&rest, "/"))) {
        put_text(&s->m, name);
        nr++;
    }
    p9_put(&count, 2, nr);
    error = rpc(s);
    c = answer(s);
    return error ? error : p9_get(&c, 2) == nr ? 0 : ENOENT;
}

/* The directory that path is in becomes fid; its last name. */
static int walk_parent(struct scene *s, uint32_t fid, const char *path, const char **name)
{
    char parent[256];
    const char *slash = strrchr(path, '/');

    snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 0, path);
    *name = slash ? slash + 1 : path;
    return walk(s, fid, parent);
}

static int open_it(struct scene *s, uint32_t fid, const char *path, unsigned int flags)
{
    int error = walk(s, fid, path);

    if (error)
        return error;
    message_begin(&s->m, P9_TLOPEN);
    numbers(s, 2, N(4, fid), N(4, flags));
    error = rpc(s);
    if (error)
        clunk(s, fid);
    return error;
}

static int create(struct scene *s, uint32_t fid, const char *path, unsigned int mode)
{
    const char *name;
    int error = walk_parent(s, fid, path, &name);

    if (error)
        return error;
    message_begin(&s->m, P9_TLCREATE);
    p9_put(&s->m.c, 4, fid);
    put_text(&s->m, name);
    numbers(s, 3, N(4, O_RDWR | O_CREAT), N(4, mode), N(4, 0));
    error = rpc(s);
    if (error)
        clunk(s, fid);
    return error;
}

/* An operation on a name in a directory: whatever follows the name. */
static int in_parent(struct scene *s, uint8_t type, const char *path, const char *text, unsigned int nr, uint64_t a,
                     uint64_t b)
{
    const char *name;
    int error = walk_parent(s, 7, path, &name);

    if (error)
        return error;
    message_begin(&s->m, type);
    p9_put(&s->m.c, 4, 7);
    put_text(&s->m, name);
    if (text)
        put_text(&s->m, text);
    if (nr > 0)
        p9_put(&s->m.c, 4, a);
    if (nr > 1)
        p9_put(&s->m.c, 4, b);
    error = rpc(s);
    clunk(s, 7);
    return error;
}

static int setattr(struct scene *s, const char *path, uint32_t valid, uint32_t mode, uint32_t uid, uint64_t size)
{
    int error = walk(s, 7, path);

    if (error)
        return error;
    message_begin(&s->m, P9_TSETATTR);
    numbers(s, 10, N(4, 7), N(4, valid), N(4, mode), N(4, uid), N(4, 0), N(8, size), N(8, 1000), N(8, 0), N(8, 1000),
            N(8, 0));
    error = rpc(s);
    clunk(s, 7);
    return error;
}

static int two(struct scene *s, uint8_t type, const char *from, const char *to)
{
    const char *name, *old;
    int error = type == P9_TLINK ? walk(s, 8, from) : walk_parent(s, 8, from, &old);

    if (error)
        return error;
    error = walk_parent(s, 9, to, &name);
    if (!error) {
        message_begin(&s->m, type);
        if (type == P9_TLINK) {
            numbers(s, 2, N(4, 9), N(4, 8));
        } else {
            p9_put(&s->m.c, 4, 8);
            put_text(&s->m, old);
            p9_put(&s->m.c, 4, 9);
        }
        put_text(&s->m, name);
        error = rpc(s);
        clunk(s, 9);
    }
    clunk(s, 8);
    return error;
}

static int write_at(struct scene *s, uint32_t fid, uint64_t at, const void *bytes, uint32_t n)
{
    message_begin(&s->m, P9_TWRITE);
    numbers(s, 3, N(4, fid), N(8, at), N(4, n));
    p9_put_bytes(&s->m.c, bytes, n);
    return rpc(s);
}

/* As many bytes as there are, at most n; -1: an error. */
static int read_at(struct scene *s, uint32_t fid, uint64_t at, void *bytes, uint32_t n)
{
    struct p9_cursor c;
    uint32_t got;

    message_begin(&s->m, P9_TREAD);
    numbers(s, 3, N(4, fid), N(8, at), N(4, n));
    if (rpc(s))
        return -1;
    c = answer(s);
    got = (uint32_t)p9_get(&c, 4);
    assert_int_equal(c.end - c.at, got);
    memcpy(bytes, c.at, got);
    return (int)got;
}

/* --- a good client, and its twin --- */

static const char *some_path(struct scene *s, char path[64])
{
    static const char *const names[] = { "a", "b", "c", "d" };
    const unsigned int deep = 1 + (unsigned int)random_of(&s->prng, 3);

    *path = 0;
    for (unsigned int i = 0; i < deep; i++) {
        strcat(path, i ? "/" : "");
        strcat(path, names[random_of(&s->prng, 4)]);
    }
    return path;
}

/* The twin's path; NULL: what leads to it is no directory. */
static char *twin_path(const struct scene *s, const char *path, char at[256])
{
    struct stat st;

    snprintf(at, 256, "%s/%s", s->twin, path);
    for (char *slash = at + strlen(s->twin) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        if (lstat(at, &st) || !S_ISDIR(st.st_mode))
            return NULL;
        *slash = '/';
    }
    return at;
}

static int failed(int rc) { return rc ? errno : 0; }

/* Both do it, and both can or both cannot. */
static void write_both(struct scene *s, const char *path, const char *at)
{
    uint8_t bytes[4000];
    const uint32_t n = 1 + (uint32_t)random_of(&s->prng, sizeof(bytes)), offset = (uint32_t)random_of(&s->prng, 9000);
    const int error = open_it(s, 5, path, O_RDWR);
    const int fd = open(at, O_RDWR | O_NOFOLLOW);

    for (uint32_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)random_of(&s->prng, 256);
    assert_int_equal(!error, fd >= 0);
    if (fd < 0)
        return;
    assert_int_equal(write_at(s, 5, offset, bytes, n), 0);
    assert_int_equal(pwrite(fd, bytes, n, offset), n);
    close(fd);
    clunk(s, 5);
}

static void read_both(struct scene *s, const char *path, const char *at)
{
    uint8_t ours[9000], theirs[9000];
    const uint32_t n = (uint32_t)random_of(&s->prng, sizeof(ours)), offset = (uint32_t)random_of(&s->prng, 9000);
    const int error = open_it(s, 5, path, O_RDONLY);
    const int fd = open(at, O_RDONLY | O_NOFOLLOW);
    struct stat st;
    int got;

    assert_int_equal(!error, fd >= 0);
    if (fd < 0)
        return;
    got = read_at(s, 5, offset, ours, n);
    assert_int_equal(fstat(fd, &st), 0);
    if (S_ISREG(st.st_mode)) {
        const ssize_t wanted = pread(fd, theirs, n < 8192 - 11 ? n : 8192 - 11, offset);

        assert_int_equal(got, wanted);
        assert_memory_equal(ours, theirs, got);
    } else {
        assert_int_equal(got, -1);
    }
    close(fd);
    clunk(s, 5);
}

static void create_both(struct scene *s, const char *path, const char *at)
{
    const unsigned int mode = 0600 + (unsigned int)random_of(&s->prng, 64);
    const int error = create(s, 5, path, mode);
    const int fd = open(at, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);

    assert_int_equal(!error, fd >= 0);
    if (fd >= 0) {
        close(fd);
        clunk(s, 5);
    }
}

static void do_both(struct scene *s)
{
    char path[64], path2[64], at[256], at2[256];
    const unsigned int what = (unsigned int)random_of(&s->prng, 14);
    struct stat st;
    int ours, theirs;

    some_path(s, path);
    some_path(s, path2);
    if (!twin_path(s, path, at) || !twin_path(s, path2, at2))
        return;
    switch (what) {
    case 0:
    case 1: ours = in_parent(s, P9_TMKDIR, path, NULL, 2, 0750, 0), theirs = failed(mkdir(at, 0750)); break;
    case 2:
    case 3: create_both(s, path, at); return;
    case 4:
    case 5:
    case 6: write_both(s, path, at); return;
    case 7: read_both(s, path, at); return;
    case 8: ours = in_parent(s, P9_TUNLINKAT, path, NULL, 1, 0, 0), theirs = failed(unlink(at)); break;
    case 9: ours = in_parent(s, P9_TUNLINKAT, path, NULL, 1, AT_REMOVEDIR, 0), theirs = failed(rmdir(at)); break;
    case 10:
        ours = in_parent(s, P9_TSYMLINK, path, "c/../secret", 1, 0, 0), theirs = failed(symlink("c/../secret", at));
        break;
    case 11: ours = two(s, P9_TRENAMEAT, path, path2), theirs = failed(rename(at, at2)); break;
    case 12: ours = two(s, P9_TLINK, path, path2), theirs = failed(link(at, at2)); break;
    default:
        if (lstat(at, &st) || !S_ISREG(st.st_mode))
            return;
        ours = setattr(s, path, 0x1 | 0x8 | 0x20 | 0x100, 0640, 0, what * 100), theirs = 0;
        assert_int_equal(truncate(at, what * 100) || chmod(at, 0640), 0);
    }
    if (ours != theirs)
        fail_msg("operation %u of %s, %s: errno %d, and in the twin %d", what, path, path2, ours, theirs);
}

/* What both folders look like, to the last byte. */
static unsigned int compare(const char *ours, const char *theirs)
{
    struct dirent **a, **b;
    const int na = scandir(ours, &a, NULL, alphasort), nb = scandir(theirs, &b, NULL, alphasort);
    unsigned int nr = 0;

    assert_int_equal(na, nb);
    for (int i = 0; i < na; i++) {
        char pa[512], pb[512];
        struct stat sa, sb;

        assert_string_equal(a[i]->d_name, b[i]->d_name);
        snprintf(pa, sizeof(pa), "%s/%s", ours, a[i]->d_name);
        snprintf(pb, sizeof(pb), "%s/%s", theirs, b[i]->d_name);
        assert_int_equal(lstat(pa, &sa) || lstat(pb, &sb), 0);
        assert_int_equal(sa.st_mode, sb.st_mode);
        assert_int_equal(sa.st_nlink, sb.st_nlink);
        if (S_ISREG(sa.st_mode)) {
            char *bytes = malloc(2 * (size_t)sa.st_size + 1);
            FILE *fa = fopen(pa, "r"), *fb = fopen(pb, "r");

            assert_int_equal(sa.st_size, sb.st_size);
            assert_int_equal(fread(bytes, 1, (size_t)sa.st_size, fa), sa.st_size);
            assert_int_equal(fread(bytes + sa.st_size, 1, (size_t)sa.st_size, fb), sa.st_size);
            assert_memory_equal(bytes, bytes + sa.st_size, sa.st_size);
            fclose(fa), fclose(fb), free(bytes);
        } else if (S_ISDIR(sa.st_mode) && a[i]->d_name[0] != '.') {
            nr += compare(pa, pb);
        }
        nr++;
        free(a[i]), free(b[i]);
    }
    free(a), free(b);
    return nr;
}

/* Every name in it, as readdir says them. */
static unsigned int count_names(struct scene *s, const char *path)
{
    unsigned int nr = 0;
    uint64_t next = 0;

    assert_int_equal(open_it(s, 6, path, O_RDONLY | O_DIRECTORY), 0);
    for (;;) {
        struct p9_cursor c;

        message_begin(&s->m, P9_TREADDIR);
        numbers(s, 3, N(4, 6), N(8, next), N(4, 300));
        assert_int_equal(rpc(s), 0);
        c = answer(s);
        if (!p9_get(&c, 4))
            break;
        while (c.at < c.end) {
            p9_get(&c, 5), p9_get(&c, 8);
            next = p9_get(&c, 8);
            p9_get(&c, 1);
            p9_get_string(&c);
            assert_false(c.bad);
            nr++;
        }
    }
    clunk(s, 6);
    return nr;
}

static void test_twins(void **state)
{
    struct scene s;
    char share[128];
    unsigned int nr;

    (void)state;
    begin(&s, false);
    connect(&s);
    snprintf(share, sizeof(share), "%s/share", s.top);
    for (unsigned int i = 0; i < TRIES; i++) {
        do_both(&s);
        if (i % (TRIES / 10) == 0)
            compare(share, s.twin);
    }
    nr = compare(share, s.twin);
    assert_in_range(nr, 8, 1000);
    for (unsigned int i = 0; i < 500; i++) {
        char name[32];

        snprintf(name, sizeof(name), "many-%u", i);
        file_make(share, name, "");
    }
    assert_in_range(count_names(&s, ""), 502, 506);
    end(&s);
}

/* --- a bad client --- */

static const char *const evil[] = { "..",  ".",  "",         "/",   "a/b", "out", "up",     "pipe",
                                    "abs", "hi", "\xff\xfe", "../", "hi",  "a",   "secret", NULL };

static void evil_name(struct scene *s)
{
    const unsigned int i = (unsigned int)random_of(&s->prng, sizeof(evil) / sizeof(evil[0]));
    char name[300];

    memset(name, 'x', sizeof(name));
    if (evil[i])
        put_text(&s->m, evil[i]);
    else if (random_of(&s->prng, 2))
        p9_put_string(&s->m.c, name, sizeof(name)); /* too long for one */
    else
        p9_put_string(&s->m.c, "a\0b", 3);
}

/* A number that hits something often enough. */
static uint64_t evil_number(struct scene *s, unsigned int size)
{
    static const uint64_t edges[] = { UINT64_MAX, INT64_MAX, UINT32_MAX, INT32_MAX,
                                      8192,       04755,     O_RDWR,     O_RDWR | O_TRUNC };

    if (random_of(&s->prng, 3))
        return random_of(&s->prng, 6);
    return size == 2 ? random_of(&s->prng, 20) : edges[random_of(&s->prng, sizeof(edges) / sizeof(edges[0]))];
}

/* What each message is made of: numbers of so many bytes, and strings. */
static const struct shape {
    uint8_t type;
    const char *fields;
} shapes[] = {
    { P9_TSTATFS, "4" },           { P9_TLOPEN, "44" },      { P9_TLCREATE, "4s444" },    { P9_TSYMLINK, "4ss4" },
    { P9_TMKNOD, "4s4444" },       { P9_TRENAME, "44s" },    { P9_TREADLINK, "4" },       { P9_TGETATTR, "48" },
    { P9_TSETATTR, "4444488888" }, { P9_TXATTRWALK, "44s" }, { P9_TXATTRCREATE, "4s84" }, { P9_TREADDIR, "484" },
    { P9_TFSYNC, "44" },           { P9_TLOCK, "414884s" },  { P9_TGETLOCK, "41884s" },   { P9_TLINK, "44s" },
    { P9_TMKDIR, "4s44" },         { P9_TRENAMEAT, "4s4s" }, { P9_TUNLINKAT, "4s4" },     { P9_TAUTH, "4ss4" },
    { P9_TATTACH, "44ss4" },       { P9_TFLUSH, "2" },       { P9_TWALK, "442ssss" },     { P9_TWALK, "442ss" },
    { P9_TREAD, "484" },           { P9_TWRITE, "484s" },    { P9_TCLUNK, "4" },          { P9_TREMOVE, "4" },
    { P9_TWALK, "442s" },          { P9_TWALK, "442" },      { P9_TREAD, "484" },         { 0, "8888" },
};

static size_t evil_message(struct scene *s)
{
    const struct shape *shape = &shapes[random_of(&s->prng, sizeof(shapes) / sizeof(shapes[0]))];
    size_t size;

    message_begin(&s->m, shape->type ? shape->type : (uint8_t)random_of(&s->prng, 256));
    for (const char *f = shape->fields; *f; f++) {
        const unsigned int bytes = (unsigned int)(*f - '0');

        if (*f == 's')
            evil_name(s);
        else if (*f == '2' && f[1] == 's' && random_of(&s->prng, 10))
            p9_put(&s->m.c, 2, strlen(f + 1));
        else
            p9_put(&s->m.c, bytes, evil_number(s, bytes));
    }
    size = message_end(&s->m);
    if (!random_of(&s->prng, 20)) /* cut off, or with something behind it */
        size = P9_HEADER + random_of(&s->prng, size);
    memcpy(s->m.bytes, &(uint32_t){ (uint32_t)size }, 4);
    return size;
}

static void traps_set(const struct scene *s)
{
    char path[128], target[128];

    snprintf(path, sizeof(path), "%s/share/out", s->top);
    assert_int_equal(symlink("../secret", path), 0);
    snprintf(path, sizeof(path), "%s/share/up", s->top);
    assert_int_equal(symlink("..", path), 0);
    snprintf(path, sizeof(path), "%s/share/abs", s->top);
    snprintf(target, sizeof(target), "%s/secret", s->top);
    assert_int_equal(symlink(target, path), 0);
    snprintf(path, sizeof(path), "%s/share/pipe", s->top);
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void secret_check(const struct scene *s)
{
    char path[128], text[64] = "";
    struct dirent **names;
    struct stat st;
    FILE *f;
    int nr;

    snprintf(path, sizeof(path), "%s/secret", s->top);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(st.st_nlink, 1);
    f = fopen(path, "r");
    assert_non_null(fgets(text, sizeof(text), f));
    fclose(f);
    assert_string_equal(text, SECRET);
    nr = scandir(s->top, &names, NULL, alphasort);
    assert_int_equal(nr, 5); /* . .. secret share twin */
    while (nr)
        free(names[--nr]);
    free(names);
}

static void test_evil(void **state)
{
    struct scene s;
    unsigned int nr_good = 0;

    (void)state;
    begin(&s, false);
    for (unsigned int i = 0; i < TRIES; i++) {
        if (i % 500 == 0) { /* by then it may have removed all that there was */
            char path[128];

            snprintf(path, sizeof(path), "%s/share", s.top);
            close(s.root);
            nftw(path, away, 16, FTW_DEPTH | FTW_PHYS);
            assert_int_equal(mkdir(path, 0755), 0);
            s.root = open(path, O_RDONLY | O_DIRECTORY);
            traps_set(&s);
            file_make(path, "hi", "hello");
            connect(&s);
        }
        nr_good += !send_it(&s, evil_message(&s));
        if (s.answer[4] != P9_TREADLINK + 1)
            assert_null(memmem(s.answer, s.len, SECRET, strlen(SECRET)));
        if (i % 100 == 0)
            secret_check(&s);
    }
    secret_check(&s);
    assert_in_range(nr_good, TRIES / 20, TRIES);
    end(&s);
}

/* --- one by one --- */

static int open_name(struct scene *s, const char *name) { return open_it(s, 5, name, O_RDONLY); }

static void test_refused(void **state)
{
    struct scene s;
    char path[128];

    (void)state;
    begin(&s, false);
    message_begin(&s.m, P9_TCLUNK); /* before a version has been agreed on */
    numbers(&s, 1, N(4, 0));
    assert_int_equal(rpc(&s), EPROTO);
    connect(&s);
    traps_set(&s);
    snprintf(path, sizeof(path), "%s/share", s.top);
    file_make(path, "hi", "hello");

    assert_int_equal(open_name(&s, "out"), ELOOP);
    assert_int_equal(open_name(&s, "up/secret"), ENOENT);
    assert_int_equal(open_name(&s, "pipe"), EPERM);
    assert_int_equal(open_name(&s, "../secret"), ENOENT); /* .. of the root is the root */
    assert_int_equal(walk(&s, 5, "a//b"), EINVAL);
    assert_int_equal(clunk(&s, 5), EBADF);
    assert_int_equal(walk(&s, 5, "hi"), 0);
    assert_int_equal(walk(&s, 5, ""), EBADF); /* it is in use */
    clunk(&s, 5);
    assert_int_equal(in_parent(&s, P9_TMKDIR, "..", NULL, 2, 0755, 0), EINVAL);
    assert_int_equal(in_parent(&s, P9_TMKDIR, ".", NULL, 2, 0755, 0), EINVAL);
    assert_int_equal(in_parent(&s, P9_TUNLINKAT, "..", NULL, 1, AT_REMOVEDIR, 0), EINVAL);
    assert_int_equal(setattr(&s, "hi", 0x1, 04755, 0, 0), EPERM);
    assert_int_equal(setattr(&s, "hi", 0x1, 02755, 0, 0), EPERM);
    assert_int_equal(setattr(&s, "hi", 0x2, 0, 12345, 0), EPERM);
    assert_int_equal(setattr(&s, "hi", 0x8, 0, 0, UINT64_MAX), EINVAL);
    assert_int_equal(setattr(&s, "pipe", 0x1, 0600, 0, 0), EPERM);
    assert_int_equal(setattr(&s, "out", 0x1, 0600, 0, 0), EPERM);

    message_begin(&s.m, P9_TWALK);
    numbers(&s, 3, N(4, 0), N(4, 5), N(2, 17));
    for (unsigned int i = 0; i < 17; i++)
        put_text(&s.m, "a");
    assert_int_equal(rpc(&s), EINVAL);
    message_begin(&s.m, P9_TMKNOD);
    p9_put(&s.m.c, 4, 0);
    put_text(&s.m, "null");
    numbers(&s, 4, N(4, S_IFCHR | 0666), N(4, 1), N(4, 3), N(4, 0));
    assert_int_equal(rpc(&s), EPERM);
    message_begin(&s.m, P9_TFLUSH);
    numbers(&s, 1, N(2, 999));
    assert_int_equal(rpc(&s), 0);

    assert_int_equal(open_it(&s, 5, "hi", O_RDONLY), 0);
    assert_int_equal(write_at(&s, 5, 0, "x", 1), EBADF);
    message_begin(&s.m, P9_TREAD);
    numbers(&s, 3, N(4, 5), N(8, INT64_MAX), N(4, 100));
    assert_int_equal(rpc(&s), EINVAL);
    message_begin(&s.m, P9_TREAD); /* as much as a message has room for */
    numbers(&s, 3, N(4, 5), N(8, 0), N(4, UINT32_MAX));
    assert_int_equal(rpc(&s), 0);
    connect(&s); /* forgets what was open */
    assert_int_equal(clunk(&s, 5), EBADF);
    end(&s);
}

static void test_readonly(void **state)
{
    struct scene s;
    char path[128];

    (void)state;
    begin(&s, true);
    connect(&s);
    snprintf(path, sizeof(path), "%s/share", s.top);
    file_make(path, "hi", "hello");
    assert_int_equal(open_it(&s, 5, "hi", O_RDWR), EROFS);
    assert_int_equal(open_it(&s, 5, "hi", O_RDONLY | O_TRUNC), EROFS);
    assert_int_equal(create(&s, 5, "new", 0600), EROFS);
    assert_int_equal(in_parent(&s, P9_TMKDIR, "dir", NULL, 2, 0755, 0), EROFS);
    assert_int_equal(in_parent(&s, P9_TSYMLINK, "link", "hi", 1, 0, 0), EROFS);
    assert_int_equal(in_parent(&s, P9_TUNLINKAT, "hi", NULL, 1, 0, 0), EROFS);
    assert_int_equal(two(&s, P9_TRENAMEAT, "hi", "ho"), EROFS);
    assert_int_equal(two(&s, P9_TLINK, "hi", "ho"), EROFS);
    assert_int_equal(setattr(&s, "hi", 0x8, 0, 0, 0), EROFS);
    assert_int_equal(walk(&s, 5, "hi"), 0);
    message_begin(&s.m, P9_TREMOVE);
    numbers(&s, 1, N(4, 5));
    assert_int_equal(rpc(&s), EROFS);
    assert_int_equal(open_it(&s, 6, "hi", O_RDONLY), 0);
    assert_int_equal(read_at(&s, 6, 0, path, 100), 5);
    end(&s);
}

static void test_many_fids(void **state)
{
    struct scene s;
    unsigned int nr = 1;

    (void)state;
    begin(&s, true);
    connect(&s);
    while (!walk(&s, nr, ""))
        nr++;
    assert_int_equal(nr, P9_FIDS_MAX);
    assert_int_equal(walk(&s, nr, ""), EMFILE);
    assert_int_equal(clunk(&s, 77), 0);
    assert_int_equal(walk(&s, nr, ""), 0);
    end(&s);
}

/* More files open than are kept open, and one that has no name any more. */
static void test_many_files(void **state)
{
    struct scene s;
    char name[32], text[32];

    (void)state;
    begin(&s, false);
    connect(&s);
    for (unsigned int i = 0; i < 3 * P9_OUTSIDE_FILES; i++) {
        snprintf(name, sizeof(name), "file%u", i);
        assert_int_equal(create(&s, 100 + i, name, 0600), 0);
        assert_int_equal(write_at(&s, 100 + i, 0, name, (uint32_t)strlen(name)), 0);
    }
    for (unsigned int i = 0; i < 3 * P9_OUTSIDE_FILES; i++) {
        snprintf(name, sizeof(name), "file%u", i);
        assert_int_equal(read_at(&s, 100 + i, 0, text, sizeof(text)), strlen(name));
        assert_memory_equal(text, name, strlen(name));
    }
    assert_int_equal(two(&s, P9_TRENAMEAT, "file0", "other"), 0);
    assert_int_equal(read_at(&s, 100, 0, text, sizeof(text)), 5); /* is found by its new name */
    assert_int_equal(in_parent(&s, P9_TUNLINKAT, "other", NULL, 1, 0, 0), 0);
    assert_int_equal(read_at(&s, 100, 0, text, sizeof(text)), 5); /* still open */
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twins),    cmocka_unit_test(test_evil),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_readonly), cmocka_unit_test(test_many_fids), cmocka_unit_test(test_many_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
