// SPDX-License-Identifier: GPL-2.0-or-later
/* Digests of files: see fresh.h. */
#include "tools/lab/fresh.h"

#include "tools/lab/form.h"
#include "tools/user_file.h"

#include <dirent.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its contents. False: it cannot be read. */
static bool contents(struct sha256_ctx *sha, const char *path)
{
    char why[128], text[4096];
    const int fd = user_file_open(path, why, sizeof(why));
    ssize_t n;

    if (fd < 0)
        return false;
    while ((n = read(fd, text, sizeof(text))) > 0)
        sha256_update(sha, (size_t)n, (const uint8_t *)text);
    close(fd);
    sha256_update(sha, 4, (const uint8_t *)"\n--\n"); /* where a file ends is part of it */
    return !n;
}

/* When it was written last, and how large it is. */
static void times(struct sha256_ctx *sha, const char *path)
{
    struct stat st;
    uint64_t words[5] = { 0 };

    if (!stat(path, &st)) {
        words[0] = (uint64_t)st.st_mtim.tv_sec, words[1] = (uint64_t)st.st_mtim.tv_nsec;
        words[2] = (uint64_t)st.st_size, words[3] = st.st_ino, words[4] = 1;
    }
    sha256_update(sha, sizeof(words), (const uint8_t *)words);
}

static void text_of(struct sha256_ctx *sha, char digest[FRESH_DIGEST])
{
    uint8_t sum[SHA256_DIGEST_SIZE];

    sha256_digest(sha, sizeof(sum), sum);
    for (size_t i = 0; i < sizeof(sum); i++)
        snprintf(digest + 2 * i, 3, "%02x", sum[i]);
}

void fresh_digest(const struct check *c, char digest[FRESH_DIGEST])
{
    struct sha256_ctx sha;
    bool all = true;

    sha256_init(&sha);
    for (unsigned int i = 0; i < c->lab->nr_files; i++) {
        char *path = check_path("%s/%s", c->folder, lab_file_of(c->lab, i));

        all = path && contents(&sha, path) && all;
        free(path);
    }
    text_of(&sha, digest);
    if (!all)
        digest[0] = '\0';
}

/* What one may include of the student's: all but what check leaves there, texts, and what one hands in. */
static int is_source(const struct dirent *e)
{
    static const char *const others[] = { ".test", ".md", ".tar" };
    const char *dot = strrchr(e->d_name, '.');

    for (size_t i = 0; dot && i < sizeof(others) / sizeof(*others); i++)
        if (!strcmp(dot, others[i]))
            return false;
    return strcmp(e->d_name, "failed") && strcmp(e->d_name, "..") && (e->d_name[0] != '.' || dot != e->d_name);
}

static int is_made(const struct dirent *e) { return e->d_name[0] != '.' && strcmp(e->d_name, "fresh"); }

#define DEEPEST 16

/* Names, and of what they name either the contents, of folders as well, or the times. */
static void folder(struct sha256_ctx *sha, const char *path, int (*is)(const struct dirent *e), bool whole, int deep)
{
    struct dirent **entry = NULL;
    const int n = path && deep < DEEPEST ? scandir(path, &entry, is, alphasort) : 0;

    for (int i = 0; i < n; i++) {
        char *file = check_path("%s/%s", path, entry[i]->d_name);
        struct stat st;

        sha256_update(sha, strlen(entry[i]->d_name) + 1, (const uint8_t *)entry[i]->d_name);
        if (file && whole && !lstat(file, &st) && S_ISDIR(st.st_mode))
            folder(sha, file, is, whole, deep + 1);
        else if (file && whole)
            contents(sha, file);
        else if (file)
            times(sha, file);
        free(file);
        free(entry[i]);
    }
    free(entry);
}

static void all(const struct check *c, char digest[FRESH_DIGEST])
{
    char *made = check_path("%s/.build", c->folder), *library = check_path("%s/libxenlab.a", c->built),
         *labs = check_path("%s/labs/built", c->built);
    struct sha256_ctx sha;

    sha256_init(&sha);
    folder(&sha, c->folder, is_source, true, 0);
    folder(&sha, made, is_made, false, 0);
    times(&sha, "/proc/self/exe");
    if (library && labs)
        times(&sha, library), times(&sha, labs);
    text_of(&sha, digest);
    free(made), free(library), free(labs);
}

bool fresh_is(const struct check *c)
{
    char digest[FRESH_DIGEST], noted[FRESH_DIGEST] = "", *path = check_path("%s/.build/fresh", c->folder);
    FILE *f = path ? fopen(path, "r") : NULL;
    bool is = false;

    all(c, digest);
    if (f) {
        is = fread(noted, 1, FRESH_DIGEST - 1, f) == FRESH_DIGEST - 1 && !strcmp(noted, digest);
        fclose(f);
    }
    free(path);
    return is;
}

void fresh_note(const struct check *c)
{
    char digest[FRESH_DIGEST], *path = check_path("%s/.build/fresh", c->folder);
    FILE *f = path ? fopen(path, "w") : NULL;

    all(c, digest);
    if (f) {
        fputs(digest, f); /* without it the next check builds again */
        fclose(f);
    }
    free(path);
}

void fresh_forget(const struct check *c)
{
    char *path = check_path("%s/.build/fresh", c->folder);

    if (path)
        unlink(path);
    free(path);
}
