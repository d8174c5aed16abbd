// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a shared folder's guest does to files of the host: the idea is in tools/p9/outside.h.
 *
 * Budget: a short function a message of 9P2000.L.
 */
#include "tools/p9/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define GETATTR_BASIC 0x7ffull /* P9_GETATTR_BASIC: all but the birth time, the generation and the data version */
#define FILE_MODES    07777u

/* What may be said of attributes: P9_ATTR_* of Tsetattr. */
#define SET_MODE      0x1u
#define SET_UID       0x2u
#define SET_GID       0x4u
#define SET_SIZE      0x8u
#define SET_ATIME     0x10u
#define SET_MTIME     0x20u
#define SET_ATIME_SET 0x80u
#define SET_MTIME_SET 0x100u

struct question {
    struct p9_outside *o;
    uint32_t share;
    int root;
    uint8_t type;
    uint32_t handle, flags;
    char path[P9_PATH_MAX + 1], name[P9_NAME_MAX + 1], path2[P9_PATH_MAX + 1];
    struct p9_cursor in, out;
};

/* --- paths --- */

/* The directory that the last component of path is in, open, and that component ("." for the root itself). -errno. */
static int parent_open(int root, const char *path, const char **leaf)
{
    char name[P9_NAME_MAX + 1];
    int dir = dup(root);

    if (dir < 0)
        return -errno;
    for (;;) {
        const char *slash = strchr(path, '/');
        int next;

        if (!slash) {
            *leaf = *path ? path : ".";
            return dir;
        }
        if ((size_t)(slash - path) >= sizeof(name)) {
            close(dir);
            return -ENAMETOOLONG;
        }
        memcpy(name, path, (size_t)(slash - path));
        name[slash - path] = '\0';
        next = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(dir);
        if (next < 0)
            return -errno;
        dir = next;
        path = slash + 1;
    }
}

/* Whoever got a directory to work in gives it back, and what came of it is passed through. */
static int with(int dir, int rc)
{
    const int error = rc < 0 ? errno : 0;

    close(dir);
    return error;
}

static int stat_of(const struct question *q, const char *path, struct stat *st)
{
    const char *leaf;
    const int dir = parent_open(q->root, path, &leaf);

    return dir < 0 ? -dir : with(dir, fstatat(dir, leaf, st, AT_SYMLINK_NOFOLLOW));
}

/* A directory by path, for what is done to a name in it. -errno. */
static int dir_open(const struct question *q)
{
    const char *leaf;
    const int dir = parent_open(q->root, q->path, &leaf);
    int fd;

    if (dir < 0)
        return dir;
    fd = openat(dir, leaf, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        fd = -errno;
    close(dir);
    return fd;
}

/* --- open files --- */

static void file_close(struct p9_outside_file *f)
{
    if (f->dir)
        closedir(f->dir);
    else if (f->handle)
        close(f->fd);
    *f = (struct p9_outside_file){ 0 };
}

void p9_outside_close(struct p9_outside *o)
{
    for (unsigned int i = 0; i < P9_OUTSIDE_FILES; i++)
        file_close(&o->file[i]);
}

static struct p9_outside_file *file_keep(struct question *q, uint32_t handle, int fd)
{
    struct p9_outside_file *f = q->o->file;

    for (unsigned int i = 0; i < P9_OUTSIDE_FILES; i++)
        if (q->o->file[i].used < f->used)
            f = &q->o->file[i];
    file_close(f);
    *f = (struct p9_outside_file){ .share = q->share, .handle = handle, .fd = fd, .used = ++q->o->uses };
    return f;
}

/* -errno */
static int file_open(const struct question *q, const char *path, uint32_t flags)
{
    const char *leaf;
    const int dir = parent_open(q->root, path, &leaf);
    struct stat st;
    int fd = -1;

    if (dir < 0)
        return dir;
    if (!fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW)) {
        errno = S_ISLNK(st.st_mode) ? ELOOP : EPERM;
        if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
            fd = openat(dir, leaf, (int)flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    if (fd < 0)
        fd = -errno;
    close(dir);
    return fd;
}

/* What the client has open. NULL: it cannot be opened again; errno. */
static struct p9_outside_file *file_of(struct question *q)
{
    int fd;

    for (unsigned int i = 0; i < P9_OUTSIDE_FILES; i++) {
        struct p9_outside_file *f = &q->o->file[i];

        if (f->handle == q->handle && f->share == q->share) {
            f->used = ++q->o->uses;
            return f;
        }
    }
    fd = file_open(q, q->path, q->flags);
    errno = fd < 0 ? -fd : 0;
    return fd < 0 ? NULL : file_keep(q, q->handle, fd);
}

/* --- what is said of a file --- */

static void put_qid(struct p9_cursor *c, const struct stat *st)
{
    p9_put(c, 1, S_ISDIR(st->st_mode) ? 0x80 : S_ISLNK(st->st_mode) ? 0x02 : 0);
    p9_put(c, 4, (uint64_t)st->st_mtim.tv_sec ^ (uint64_t)st->st_mtim.tv_nsec ^ (uint64_t)st->st_size << 8);
    p9_put(c, 8, st->st_ino);
}

static void put_time(struct p9_cursor *c, const struct timespec *t)
{
    p9_put(c, 8, (uint64_t)t->tv_sec);
    p9_put(c, 8, (uint64_t)t->tv_nsec);
}

/* The qid of a name in a directory that has been made just now. */
static int put_qid_of(struct question *q, int dir)
{
    struct stat st;

    if (fstatat(dir, q->name, &st, AT_SYMLINK_NOFOLLOW))
        return -1;
    put_qid(&q->out, &st);
    return 0;
}

static int attach(struct question *q)
{
    struct stat st;
    const int error = stat_of(q, "", &st);

    put_qid(&q->out, &st);
    return error;
}

/* As far as there is something: then that many qids; if not even the first is there, that is an error. */
static int walk(struct question *q)
{
    struct p9_cursor count = q->out;
    const uint16_t nr = (uint16_t)p9_get(&q->in, 2);
    uint16_t found = 0;
    char path[2 * P9_PATH_MAX + 2];
    struct stat st;
    int error = stat_of(q, q->path, &st);

    snprintf(path, sizeof(path), "%s", q->path);
    p9_put(&q->out, 2, 0);
    for (; !error && found < nr; found++) {
        const struct p9_string name = p9_get_string(&q->in);
        char *slash = strrchr(path, '/');

        if (name.len == 2 && !memcmp(name.text, "..", 2))
            *(slash ? slash : path) = '\0';
        else if (strlen(path) + name.len < P9_PATH_MAX)
            snprintf(path + strlen(path), sizeof(path) - strlen(path), "%s%.*s", *path ? "/" : "", name.len, name.text);
        error = stat_of(q, path, &st);
        if (error)
            break;
        put_qid(&q->out, &st);
    }
    p9_put(&count, 2, found);
    return found || !nr ? (nr ? 0 : error) : error;
}

static int getattr(struct question *q)
{
    struct stat st;
    int error = 0;

    if (q->handle) { /* also of a file that has no name any more */
        const struct p9_outside_file *f = file_of(q);

        error = !f || fstat(f->fd, &st) ? errno : 0;
    } else {
        error = stat_of(q, q->path, &st);
    }
    if (error)
        return error;
    p9_put(&q->out, 8, GETATTR_BASIC);
    put_qid(&q->out, &st);
    p9_put(&q->out, 4, st.st_mode);
    p9_put(&q->out, 4, st.st_uid);
    p9_put(&q->out, 4, st.st_gid);
    p9_put(&q->out, 8, st.st_nlink);
    p9_put(&q->out, 8, st.st_rdev);
    p9_put(&q->out, 8, (uint64_t)st.st_size);
    p9_put(&q->out, 8, (uint64_t)st.st_blksize);
    p9_put(&q->out, 8, (uint64_t)st.st_blocks);
    put_time(&q->out, &st.st_atim);
    put_time(&q->out, &st.st_mtim);
    put_time(&q->out, &st.st_ctim);
    for (unsigned int i = 0; i < 4; i++) /* birth, generation, version: not known */
        p9_put(&q->out, 8, 0);
    return 0;
}

static int readlink_it(struct question *q)
{
    char target[P9_PATH_MAX + 1];
    const char *leaf;
    const int dir = parent_open(q->root, q->path, &leaf);
    const ssize_t n = dir < 0 ? -1 : readlinkat(dir, leaf, target, sizeof(target) - 1);

    if (dir < 0)
        return -dir;
    if (n >= 0)
        p9_put_string(&q->out, target, (size_t)n);
    return with(dir, (int)n);
}

static int statfs_it(struct question *q)
{
    struct statfs st;

    if (fstatfs(q->root, &st))
        return errno;
    p9_put(&q->out, 4, (uint64_t)st.f_type);
    p9_put(&q->out, 4, (uint64_t)st.f_bsize);
    p9_put(&q->out, 8, st.f_blocks);
    p9_put(&q->out, 8, st.f_bfree);
    p9_put(&q->out, 8, st.f_bavail);
    p9_put(&q->out, 8, st.f_files);
    p9_put(&q->out, 8, st.f_ffree);
    p9_put(&q->out, 8, 0);
    p9_put(&q->out, 4, P9_NAME_MAX);
    return 0;
}

/* --- opening --- */

static int opened(struct question *q, uint32_t handle, int fd)
{
    struct stat st;

    if (fd < 0)
        return -fd;
    if (fstat(fd, &st)) {
        close(fd);
        return EIO;
    }
    file_keep(q, handle, fd);
    put_qid(&q->out, &st);
    p9_put(&q->out, 4, 0); /* as much at once as a message has room for */
    return 0;
}

static int lopen(struct question *q)
{
    const uint32_t handle = (uint32_t)p9_get(&q->in, 4), flags = (uint32_t)p9_get(&q->in, 4);

    return opened(q, handle, file_open(q, q->path, flags));
}

static int lcreate(struct question *q)
{
    const uint32_t handle = (uint32_t)p9_get(&q->in, 4), flags = (uint32_t)p9_get(&q->in, 4);
    const mode_t mode = (mode_t)p9_get(&q->in, 4);
    const int dir = dir_open(q);
    int fd;

    if (dir < 0)
        return -dir;
    fd = openat(dir, q->name,
                (int)(flags & ~(uint32_t)O_DIRECTORY) | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);
    if (fd < 0)
        fd = -errno;
    close(dir);
    return opened(q, handle, fd);
}

/* --- what is in it --- */

static int read_it(struct question *q)
{
    const off_t at = (off_t)p9_get(&q->in, 8);
    size_t count = (size_t)p9_get(&q->in, 4);
    const struct p9_outside_file *f = file_of(q);
    struct p9_cursor head = q->out;
    ssize_t n;

    p9_put(&q->out, 4, 0);
    if (count > (size_t)(q->out.end - q->out.at))
        count = (size_t)(q->out.end - q->out.at);
    n = f ? pread(f->fd, q->out.at, count, at) : -1;
    if (n < 0)
        return errno;
    p9_put(&head, 4, (uint64_t)n);
    q->out.at += n;
    return 0;
}

static int write_it(struct question *q)
{
    const off_t at = (off_t)p9_get(&q->in, 8);
    const size_t count = (size_t)p9_get(&q->in, 4);
    const struct p9_outside_file *f = file_of(q);
    const ssize_t n = f ? pwrite(f->fd, q->in.at, count, at) : -1;

    if (n < 0)
        return errno;
    p9_put(&q->out, 4, (uint64_t)n);
    return 0;
}

/* An entry, if there is room for it: it ends in the place from which one reads on. */
static bool entry_put(struct p9_cursor *c, const struct dirent *e, long next)
{
    const size_t len = strlen(e->d_name);

    if ((size_t)(c->end - c->at) < P9_QID_SIZE + 8 + 1 + 2 + len)
        return false;
    p9_put(c, 1, e->d_type == DT_DIR ? 0x80 : e->d_type == DT_LNK ? 0x02 : 0);
    p9_put(c, 4, 0);
    p9_put(c, 8, e->d_ino);
    p9_put(c, 8, (uint64_t)next);
    p9_put(c, 1, e->d_type);
    p9_put_string(c, e->d_name, len);
    return true;
}

static int readdir_it(struct question *q)
{
    const long at = (long)p9_get(&q->in, 8);
    const size_t count = (size_t)p9_get(&q->in, 4);
    struct p9_outside_file *f = file_of(q);
    struct p9_cursor head = q->out;
    const struct dirent *e;

    if (f && !f->dir)
        f->dir = fdopendir(f->fd);
    if (!f || !f->dir)
        return errno;
    p9_put(&q->out, 4, 0);
    if (count < (size_t)(q->out.end - q->out.at))
        q->out.end = q->out.at + count;
    if (at)
        seekdir(f->dir, at);
    else
        rewinddir(f->dir);
    errno = 0;
    while ((e = readdir(f->dir)) && entry_put(&q->out, e, telldir(f->dir)))
        errno = 0;
    if (!e && errno)
        return errno;
    p9_put(&head, 4, (uint64_t)(q->out.at - head.at - 4));
    return 0;
}

static int fsync_it(struct question *q)
{
    const struct p9_outside_file *f = q->handle ? file_of(q) : NULL;

    return f && fsync(f->fd) ? errno : 0;
}

/* --- changes --- */

static int mkdir_it(struct question *q)
{
    const mode_t mode = (mode_t)p9_get(&q->in, 4);
    const int dir = dir_open(q);

    return dir < 0 ? -dir : with(dir, mkdirat(dir, q->name, mode & 01777) ?: put_qid_of(q, dir));
}

static int symlink_it(struct question *q)
{
    const int dir = dir_open(q);

    return dir < 0 ? -dir : with(dir, symlinkat(q->path2, dir, q->name) ?: put_qid_of(q, dir));
}

static int unlink_it(struct question *q)
{
    const int flags = (int)p9_get(&q->in, 4) & AT_REMOVEDIR;
    const int dir = dir_open(q);

    return dir < 0 ? -dir : with(dir, unlinkat(dir, q->name, flags));
}

static int remove_it(struct question *q)
{
    const char *leaf;
    const int dir = parent_open(q->root, q->path, &leaf);
    struct stat st;

    if (dir < 0)
        return -dir;
    if (fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW))
        return with(dir, -1);
    return with(dir, unlinkat(dir, leaf, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0));
}

/* path2 becomes another name of the same file; or (rename) its only one. */
static int two_paths(struct question *q, const char *from_path, const char *to_path, bool move)
{
    const char *from, *to;
    const int dir = parent_open(q->root, from_path, &from);
    const int dir2 = dir < 0 ? -1 : parent_open(q->root, to_path, &to);
    int error;

    if (dir < 0)
        return -dir;
    if (dir2 < 0)
        error = -dir2;
    else
        error = with(dir2, move ? renameat(dir, from, dir2, to) : linkat(dir, from, dir2, to, 0));
    close(dir);
    return error;
}

static int link_it(struct question *q)
{
    char to[P9_PATH_MAX + P9_NAME_MAX + 3];

    snprintf(to, sizeof(to), "%s%s%s", q->path, *q->path ? "/" : "", q->name);
    return two_paths(q, q->path2, to, false);
}

/* Of whom a file is is for the host to say: a guest's root is not root here, and asking for what is so is granted. */
static int owner_set(const struct stat *st, uint32_t valid, uint32_t uid, uint32_t gid)
{
    return (valid & SET_UID && uid != st->st_uid) || (valid & SET_GID && gid != st->st_gid) ? EPERM : 0;
}

static int size_set(struct question *q, off_t size)
{
    struct p9_outside_file *f = q->handle && (q->flags & O_ACCMODE) != O_RDONLY ? file_of(q) : NULL;
    const int fd = f ? f->fd : file_open(q, q->path, O_WRONLY);
    int error;

    if (fd < 0)
        return -fd;
    error = ftruncate(fd, size) ? errno : 0;
    if (!f)
        close(fd);
    return error;
}

static struct timespec time_of(uint32_t valid, uint32_t wanted, uint32_t stated, uint64_t sec, uint64_t nsec)
{
    if (!(valid & wanted))
        return (struct timespec){ 0, UTIME_OMIT };
    if (!(valid & stated))
        return (struct timespec){ 0, UTIME_NOW };
    return (struct timespec){ (time_t)sec, (long)(nsec % 1000000000) };
}

/* Not by a name, which may be a link by now, and also of a file that cannot be read. */
static int mode_set(int dir, const char *leaf, mode_t mode)
{
    const int fd = openat(dir, leaf, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    char name[40];
    int error;

    if (fd < 0)
        return errno;
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    error = chmod(name, mode) ? errno : 0;
    close(fd);
    return error;
}

static int setattr(struct question *q)
{
    const uint32_t valid = (uint32_t)p9_get(&q->in, 4), mode = (uint32_t)p9_get(&q->in, 4);
    const uint32_t uid = (uint32_t)p9_get(&q->in, 4), gid = (uint32_t)p9_get(&q->in, 4);
    const uint64_t size = p9_get(&q->in, 8), as = p9_get(&q->in, 8), an = p9_get(&q->in, 8), ms = p9_get(&q->in, 8),
                   mn = p9_get(&q->in, 8);
    const struct timespec times[2] = { time_of(valid, SET_ATIME, SET_ATIME_SET, as, an),
                                       time_of(valid, SET_MTIME, SET_MTIME_SET, ms, mn) };
    const char *leaf;
    struct stat st;
    int error = stat_of(q, q->path, &st), dir;

    error = error ?: owner_set(&st, valid, uid, gid);
    if (!error && valid & SET_MODE && (mode & (S_ISUID | S_ISGID) || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))))
        error = EPERM;
    if (!error && valid & SET_SIZE)
        error = size <= INT64_MAX ? size_set(q, (off_t)size) : EINVAL;
    if (error || !(valid & (SET_MODE | SET_ATIME | SET_MTIME)))
        return error;
    dir = parent_open(q->root, q->path, &leaf);
    if (dir < 0)
        return -dir;
    if (valid & SET_MODE)
        error = mode_set(dir, leaf, mode & 01777);
    if (!error && utimensat(dir, leaf, times, AT_SYMLINK_NOFOLLOW))
        error = errno;
    close(dir);
    return error;
}

/* --- all of them --- */

static int rename_it(struct question *q) { return two_paths(q, q->path, q->path2, true); }

static int dispatch(struct question *q)
{
    switch (q->type) {
    case P9_TATTACH: return attach(q);
    case P9_TWALK: return walk(q);
    case P9_TGETATTR: return getattr(q);
    case P9_TREADLINK: return readlink_it(q);
    case P9_TSTATFS: return statfs_it(q);
    case P9_TLOPEN: return lopen(q);
    case P9_TLCREATE: return lcreate(q);
    case P9_TREAD: return read_it(q);
    case P9_TWRITE: return write_it(q);
    case P9_TREADDIR: return readdir_it(q);
    case P9_TFSYNC: return fsync_it(q);
    case P9_TMKDIR: return mkdir_it(q);
    case P9_TSYMLINK: return symlink_it(q);
    case P9_TUNLINKAT: return unlink_it(q);
    case P9_TREMOVE: return remove_it(q);
    case P9_TRENAME:
    case P9_TRENAMEAT: return rename_it(q);
    case P9_TLINK: return link_it(q);
    case P9_TSETATTR: return setattr(q);
    default: return EOPNOTSUPP;
    }
}

static void text_of(struct p9_cursor *c, char *text, size_t size)
{
    const struct p9_string s = p9_get_string(c);

    snprintf(text, size, "%.*s", s.len, s.text);
}

uint32_t p9_outside_do(struct p9_outside *o, uint32_t share, int root, const uint8_t *question, size_t size,
                       uint8_t *out, size_t room, size_t *len)
{
    struct question q = { .o = o, .share = share, .root = root };
    int error;

    q.in = p9_cursor((void *)(uintptr_t)question, size);
    q.out = p9_cursor(out, room);
    q.type = (uint8_t)p9_get(&q.in, 1);
    q.handle = (uint32_t)p9_get(&q.in, 4);
    q.flags = (uint32_t)p9_get(&q.in, 4);
    text_of(&q.in, q.path, sizeof(q.path));
    text_of(&q.in, q.name, sizeof(q.name));
    text_of(&q.in, q.path2, sizeof(q.path2));
    error = q.in.bad ? EINVAL : dispatch(&q);
    if (!error && (q.in.bad || q.out.bad))
        error = EIO;
    *len = error ? 0 : (size_t)(q.out.at - out);
    return (uint32_t)error;
}
