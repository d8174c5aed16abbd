// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts for a class: see class.h. */
#include "ui/lab/class.h"

#include "ui/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define HIDDEN 8 /* seeds in the key */

int class_text(const char *dir, const char *name, const char *text)
{
    char path[4500];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f))
        return lab_complain("%s: %s", path, strerror(errno));
    return STATUS_OK;
}

int class_make(const struct lab_place *p, const struct class_order *o)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    int rc;

    if (!f)
        return lab_complain("not enough memory");
    fputs("# Made by xenlab lab export: the labs whose files have no answer in them.\nCLOSED_LABS :=", f);
    for (unsigned int i = 0; i < p->nr; i++)
        if (o->closed[p->labs[i].number])
            fprintf(f, " %s", p->labs[i].name);
    fputs("\n", f);
    for (unsigned int i = 0; i < p->nr; i++)
        for (unsigned int k = 0; o->closed[p->labs[i].number] && k < p->labs[i].nr_files; k++) {
            const char *file = p->labs[i].file[k];

            fprintf(f, "build/%.*s.o: private WARNINGS += -Wno-unused -Wno-error\n", (int)strlen(file) - 2, file);
            fprintf(f, "build/%.*s.o: private GUEST_CFLAGS += -Wno-unused -Wno-error\n", (int)strlen(file) - 2, file);
        }
    rc = fclose(f) ? lab_complain("not enough memory") : class_text(o->dir, "labs/class.mk", text);
    free(text);
    return rc;
}

int class_readme(const struct lab_place *p, const struct class_order *o)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    int rc;

    if (!f)
        return lab_complain("not enough memory");
    fprintf(f,
            "# %s\n\nxenlab, without what you are going to write. On Debian 12:\n\n    make\n    ./xenlab lab list\n",
            o->class);
    fputs("    ./xenlab lab start N      # a folder with the text, and what to complete\n"
          "    ./xenlab lab check N      # each property: PASS, or what came out otherwise\n"
          "    ./xenlab lab submit N     # one file to hand in\n\ndocs/labs.md says more. The labs:\n\n",
          f);
    for (unsigned int i = 0; i < p->nr; i++)
        if (o->wanted[p->labs[i].number])
            fprintf(f, "- %u, %s, %u h%s\n", p->labs[i].number, p->labs[i].title, p->labs[i].hours,
                    o->closed[p->labs[i].number] || !p->labs[i].nr_bodies ? "" : ": open book, its file is here");
    fputs("\nThis is modified source: files that labs are about have lost functions, and what is built here lacks\n"
          "what those do. xenlab itself is free software (LICENSE), and whole elsewhere.\n",
          f);
    rc = fclose(f) ? lab_complain("not enough memory") : class_text(o->dir, "CLASS.md", text);
    free(text);
    return rc;
}

int class_key(const struct lab_place *p, const struct class_order *o, const char *visible)
{
    char path[4000];
    uint64_t hidden;
    FILE *f;

    snprintf(path, sizeof(path), "%s.key", o->dir);
    if (getrandom(&hidden, sizeof(hidden), 0) != sizeof(hidden) || !(f = fopen(path, "wx")))
        return lab_complain("%s: %s", path, strerror(errno));
    hidden = 100000000 + hidden % 900000000;
    fprintf(f, "class  = \"%s\"\nseeds  = \"%llu-%llu\"\n", o->class, (unsigned long long)hidden,
            (unsigned long long)hidden + HIDDEN - 1);
    if (*o->twist)
        fprintf(f, "twist  = \"%s\"\n", o->twist);
    if (*visible)
        fprintf(f, "visible = [\n%s]\n", visible);
    fputs("points = [\n", f);
    for (unsigned int i = 0; i < p->nr; i++)
        if (o->wanted[p->labs[i].number])
            fprintf(f, "    \"%u | 10\",\n", p->labs[i].number);
    fputs("]\n", f);
    if (chmod(path, 0600) | fclose(f))
        return lab_complain("%s: %s", path, strerror(errno));
    return STATUS_OK;
}
