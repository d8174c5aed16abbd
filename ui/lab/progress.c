// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading it, adding to it, and showing it: see progress.h. */
#include "ui/lab/progress.h"

#include "tools/lab/fresh.h"
#include "ui/lab/student.h"
#include "ui/status.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME ".xenlab-lab"
#define LARGEST   (64 << 10)

static const char head[] =
    "# xenlab lab: what you have passed, with a digest of the files that did. Take it with you.\n";

/* A line that this program would have written: its name's length, and where its digest is. */
static bool line_read(const char *line, size_t *name, const char **digest)
{
    *name = strcspn(line, " \n");
    *digest = line + *name + 1;
    return line[*name] == ' ' && strspn(*digest, "0123456789abcdef") == FRESH_DIGEST - 1 &&
           strchr("\r\n", (*digest)[FRESH_DIGEST - 1]); /* or the file's end */
}

static const char *next(const char *line)
{
    line += strcspn(line, "\n");
    return line + (*line == '\n');
}

/* Of any language. */
static bool is_text(const char *text)
{
    while (*text && (isprint((unsigned char)*text) || isspace((unsigned char)*text) || *text & 0x80))
        text++;
    return !*text;
}

/* Its text, to be freed; "" if there is no such file yet. NULL, and a message: it is not what it should be. */
static char *text_read(const char *path)
{
    struct stat st;
    char *text;

    if (lstat(path, &st) && errno == ENOENT)
        return strdup("");
    text = lab_file_read(path);
    if (text && (stat(path, &st) || st.st_size > LARGEST || (size_t)st.st_size != strlen(text) || !is_text(text))) {
        lab_complain("%s is damaged: it is no text of this program's. It is left as it is: put it elsewhere, and check "
                     "again what you have passed",
                     path);
        free(text);
        text = NULL;
    }
    return text;
}

enum noted { NOTED_NOT, NOTED_OTHER, NOTED };

/* What is noted of a lab: it, with that digest; or other files of it. Where files were joined there may be several. */
static enum noted noted(const char *text, const char *name, const char *of)
{
    enum noted found = NOTED_NOT;
    const char *digest;
    size_t len;

    for (const char *line = text; *line && found != NOTED; line = next(line))
        if (line_read(line, &len, &digest) && len == strlen(name) && !strncmp(line, name, len))
            found = strncmp(of, digest, FRESH_DIGEST - 1) ? NOTED_OTHER : NOTED;
    return found;
}

/* The same text, but for what it says of that lab. */
static int text_write(const char *path, const char *text, const char *name, const char *new)
{
    char *temporary = NULL;
    const char *digest;
    FILE *f = NULL;
    size_t len;
    int rc = -1;

    if (asprintf(&temporary, "%s.new", path) >= 0)
        f = fopen(temporary, "w");
    if (f && !*text)
        fputs(head, f);
    for (const char *line = text; f && *line; line = next(line))
        if (!line_read(line, &len, &digest) || len != strlen(name) || strncmp(line, name, len))
            fprintf(f, "%.*s\n", (int)strcspn(line, "\n"), line);
    if (f) {
        fprintf(f, "%s %s\n", name, new);
        rc = fflush(f) || fsync(fileno(f)) ? -1 : 0;
        rc = fclose(f) || rc || rename(temporary, path) ? -1 : 0;
    }
    if (rc)
        lab_complain("%s: %s: that you passed is not noted", path, strerror(errno));
    if (rc && f)
        unlink(temporary);
    free(temporary);
    return rc;
}

void progress_passed(const struct check *c)
{
    char *path = NULL, *text = NULL, digest[FRESH_DIGEST];
    char above[4096];
    int lock;

    fresh_digest(c, digest);
    snprintf(above, sizeof(above), "%.*s/", (int)(strrchr(c->folder, '/') - c->folder), c->folder);
    lock = student_lock(above);
    if (asprintf(&path, "%s" FILE_NAME, above) >= 0)
        text = text_read(path);
    if (text && digest[0] && noted(text, c->lab->name, digest) != NOTED)
        text_write(path, text, c->lab->name, digest);
    if (lock >= 0)
        close(lock);
    free(text);
    free(path);
}

/* --- the command --- */

/* How a lab stands. Its folder is beside the file. */
static const char *state(const struct lab_place *p, const struct lab *l, const char *text, const char *above)
{
    char folder[4400], digest[FRESH_DIGEST];
    struct check c;
    enum noted old;

    snprintf(folder, sizeof(folder), "%s%s", above, l->name);
    c = student_check(p, l, folder);
    fresh_digest(&c, digest);
    old = noted(text, l->name, digest);
    if (old == NOTED_NOT)
        return access(folder, F_OK) ? "" : "begun";
    if (!digest[0])
        return "passed; its files are not here";
    return old == NOTED ? "passed" : "passed, and changed since";
}

int lab_progress(const struct lab_place *p, int argc, char *const *argv)
{
    const char *above = student_lab(p) ? "../" : "", *digest;
    char path[64], *text;
    unsigned int number = 1, passed = 0;
    size_t len;

    (void)argc, (void)argv;
    snprintf(path, sizeof(path), "%s" FILE_NAME, above);
    text = text_read(path);
    if (!text)
        return STATUS_ENVIRONMENT;
    for (const char *line = text; *line; line = next(line), number++)
        if (*line != '#' && line[strspn(line, " \t\r")] != '\n' && !line_read(line, &len, &digest))
            fprintf(stderr,
                    "xenlab: lab: %s: line %u is no lab and a digest; it stays there, and does not count: \"%.*s\"\n",
                    path, number, (int)(strcspn(line, "\n") < 60 ? strcspn(line, "\n") : 60), line);
    for (unsigned int i = 0; i < p->nr; i++) {
        const struct lab *l = &p->labs[i];
        const char *now = state(p, l, text, above);

        passed += !strncmp(now, "passed", 6);
        printf("%02u  %-28s %2u h  %s\n", l->number, l->title, l->hours, now);
    }
    printf("%u of %u passed\n", passed, p->nr);
    free(text);
    return STATUS_OK;
}
