// SPDX-License-Identifier: GPL-2.0-or-later
/* Where labs are, and files that are read and made: see place.h. */
#include "ui/lab/place.h"

#include "tools/user_file.h"
#include "ui/status.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int lab_complain(const char *fmt, ...)
{
    va_list args;

    fputs("xenlab: lab: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return STATUS_ENVIRONMENT;
}

/* --- where things are --- */

/* The labs of that folder, if there are. */
static bool root_is(const struct lab_place *p)
{
    char path[4200];

    snprintf(path, sizeof(path), "%s/labs/kit/kit.h", p->root);
    return !access(path, R_OK);
}

/* Beside the program: build/xenlab in the sources; or bin/xenlab, with share/xenlab and lib/xenlab beside bin. */
int lab_place_find(struct lab_place *p)
{
    char err[LAB_ERR_SIZE], folder[4200];
    const ssize_t n = readlink("/proc/self/exe", p->built, sizeof(p->built) - 1);
    char *cut;

    if (n < 0)
        return lab_complain("where is this program? %s", strerror(errno));
    p->built[n] = '\0';
    cut = strrchr(p->built, '/');
    *cut = '\0';
    strcpy(p->root, p->built);
    while ((cut = strrchr(p->root, '/')) && cut > p->root) {
        *cut = '\0';
        if (!root_is(p)) {
            strcpy(cut, "/share/xenlab");
            snprintf(folder, sizeof(folder), "%.*s/lib/xenlab", (int)(cut - p->root), p->root);
            if (root_is(p))
                strcpy(p->built, folder);
            else
                *cut = '\0';
        }
        if (*cut || root_is(p)) {
            snprintf(folder, sizeof(folder), "%s/labs", p->root);
            p->labs = labs_read(folder, &p->nr, err);
            return p->labs ? STATUS_OK : lab_complain("%s", err);
        }
    }
    return lab_complain("there are no labs beside this program (%s): they are in xenlab's sources", p->built);
}

const struct lab *lab_find(const struct lab_place *p, const char *word)
{
    char *end;
    const unsigned long number = isdigit((unsigned char)*word) ? strtoul(word, &end, 10) : (end = "?", 0);

    for (unsigned int i = 0; i < p->nr; i++)
        if ((!*end && p->labs[i].number == number) || !strcmp(p->labs[i].name, word))
            return &p->labs[i];
    lab_complain("there is no lab %s: see xenlab lab list", word);
    return NULL;
}

/* --- files --- */

char *lab_file_read(const char *path)
{
    char why[128], *text = NULL;
    const int fd = user_file_open(path, why, sizeof(why));
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    size_t size = 0;

    if (!f || (getdelim(&text, &size, '\0', f) < 0 && ferror(f))) {
        lab_complain("%s: %s", path, fd < 0 ? why : strerror(errno));
        free(text);
        text = NULL;
    }
    if (f)
        fclose(f);
    return text;
}

int lab_file_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "wx"); /* what somebody has written is not overwritten */
    int rc = f ? 0 : -1;

    if (f)
        rc = fputs(text, f) < 0;
    if (f)
        rc |= fclose(f);
    return rc ? lab_complain("%s: %s", path, strerror(errno)) : STATUS_OK;
}

bool lab_sources_read(const struct lab_place *p, const struct lab *l, char *source[LAB_FILES_MAX])
{
    char path[4400];
    bool all = true;

    for (unsigned int i = 0; i < l->nr_files; i++) {
        snprintf(path, sizeof(path), "%s/%s", p->root, l->file[i]);
        source[i] = all ? lab_file_read(path) : NULL;
        all = source[i];
    }
    if (!all)
        lab_sources_free(l, source);
    return all;
}

void lab_sources_free(const struct lab *l, char *source[LAB_FILES_MAX])
{
    for (unsigned int i = 0; i < l->nr_files; i++)
        free(source[i]);
}
