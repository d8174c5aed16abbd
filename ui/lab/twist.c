// SPDX-License-Identifier: GPL-2.0-or-later
/* Choosing, reading and building twists: see twist.h. */
#include "ui/lab/twist.h"

#include "tools/lab/form.h"
#include "ui/status.h"

#include <dirent.h>
#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_twist(const struct dirent *e) { return e->d_name[0] != '.'; }

char **twist_names(const struct lab_place *p, const struct lab *l, unsigned int *nr)
{
    struct dirent **entry = NULL;
    char folder[4400], **names;
    int n;

    *nr = 0;
    snprintf(folder, sizeof(folder), "%s/labs/teacher/twists/%s", p->root, l->name);
    n = scandir(folder, &entry, is_twist, alphasort);
    names = n > 0 ? calloc((size_t)n, sizeof(*names)) : NULL;
    for (int i = 0; i < n; i++) {
        if (names && (names[*nr] = strdup(entry[i]->d_name)))
            ++*nr;
        free(entry[i]);
    }
    free(entry);
    return names;
}

bool twist_expects(const struct lab *l) { return !strcmp(l->form, "P"); }

/* What a twist can change: the files, and what is expected of them. */
static bool twistable_read(const struct lab_place *p, const struct lab *l, char *source[LAB_FILES_MAX],
                           unsigned int *nr)
{
    char path[4400];

    *nr = l->nr_files;
    if (!lab_sources_read(p, l, source))
        return false;
    if (!twist_expects(l) || *nr == LAB_FILES_MAX)
        return true;
    snprintf(path, sizeof(path), "%s/workloads", l->path);
    source[*nr] = lab_file_read(path);
    if (!source[*nr])
        lab_sources_free(l, source);
    return source[(*nr)++];
}

int twist_read(const struct lab_place *p, const struct lab *l, const char *name, struct twist *t)
{
    char path[4500], err[VARIANT_ERR_SIZE] = "", *source[LAB_FILES_MAX], *text;
    const char *begin, *end;
    unsigned int nr;
    int rc = STATUS_OK;

    *t = (struct twist){ .told = NULL };
    if (!twistable_read(p, l, source, &nr))
        return STATUS_ENVIRONMENT;
    snprintf(path, sizeof(path), "%s/labs/teacher/twists/%s/%s", p->root, l->name, name);
    text = lab_file_read(path);
    if (!text) {
        rc = STATUS_ENVIRONMENT;
    } else if (variant_read(&t->v, text, (const char *const *)source, nr, err) || t->v.passes) {
        rc = lab_complain("%s: %s", path, err[0] ? err : "its first line says by what xenlab's own files fail");
    } else {
        begin = text + strcspn(text, "\n");
        end = strstr(begin, "\n<<<<\n");
        t->told = strndup(begin, (size_t)(end - begin));
        snprintf(t->name, sizeof(t->name), "%s", name);
        rc = t->told ? rc : lab_complain("not enough memory");
    }
    free(text);
    while (nr)
        free(source[--nr]);
    return rc;
}

int twist_choose(const struct lab_place *p, const struct lab *l, const char *word, struct twist *t)
{
    uint8_t sum[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha;
    unsigned int nr;
    char folder[4400], **names;
    int rc = STATUS_OK;

    *t = (struct twist){ .told = NULL };
    snprintf(folder, sizeof(folder), "%s/labs/teacher/twists", p->root);
    if (*word && access(folder, R_OK)) /* else a class would be judged by others' rules */
        return lab_complain("%s: %s: there are no twists in what is installed, but in the sources", folder,
                            strerror(errno));
    names = *word ? twist_names(p, l, &nr) : NULL;
    if (!names)
        return rc;
    sha256_init(&sha);
    sha256_update(&sha, strlen(word), (const uint8_t *)word);
    sha256_update(&sha, strlen(l->name), (const uint8_t *)l->name);
    sha256_digest(&sha, sizeof(sum), sum);
    rc = twist_read(p, l, names[sum[0] % nr], t);
    while (nr)
        free(names[--nr]);
    free(names);
    return rc;
}

int twist_build(struct twist *t, struct check *c)
{
    int rc = folder_make(t->built, c->lab, t->v.source);
    struct check as = *c;
    char path[FOLDER_SIZE + 16];

    snprintf(path, sizeof(path), "%s/workloads", t->built);
    if (!rc && twist_expects(c->lab))
        rc = lab_file_write(path, t->v.source[c->lab->nr_files]);
    if (rc)
        return rc;
    as.folder = t->built;
    rc = form_find(c->lab->form)->build(&as);
    if (rc)
        lab_complain("%s, twist %s: %s", c->lab->name, t->name, rc < 0 ? as.err : as.compiler);
    free(rc > 0 ? as.compiler : NULL);
    c->twist = t->built;
    return rc ? STATUS_ENVIRONMENT : STATUS_OK;
}

void twist_free(struct twist *t)
{
    folder_remove(t->built);
    variant_free(&t->v);
    free(t->told);
    *t = (struct twist){ .told = NULL };
}
