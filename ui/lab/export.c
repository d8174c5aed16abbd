// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab lab export`: xenlab's sources as a class gets them.
 *
 * Concept: modified source, and nothing that was built. A lab is *closed* if its files have lost the bodies that are to
 * be written; reports of what they did take the place of golden programs (golden.h), so `check` works there without a
 * network and without an answer. What is built there lacks what those bodies did. So a lab without whose files another
 * lab of the class cannot be checked (`needs`, tools/lab/lab.h) cannot be closed beside that one, and neither can one
 * whose golden program replays what a student's code does. Such a lab is *open*, with its files whole, and only if the
 * teacher says so: --open.
 *
 *      DIR/        sources without labs/teacher, the labs of the class, CLASS.md, labs/golden/
 *      DIR.key     hidden seeds, the class's visible ones, its twist, points: tools/lab/key.h
 *
 * Invariants: DIR is new; what is wrong with the order is said before anything is made; what was begun and cannot be
 * ended is removed.
 */
#include "ui/lab/export.h"

#include "ui/lab/class.h"
#include "ui/lab/folder.h"
#include "ui/lab/golden.h"
#include "ui/lab/twist.h"
#include "ui/status.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- what was asked for --- */

static const char *argument(const char *option, int argc, char *const *argv, int *i)
{
    const size_t len = strlen(option);

    if (!strncmp(argv[*i], option, len) && argv[*i][len] == '=')
        return argv[*i] + len + 1;
    return !strcmp(argv[*i], option) && *i + 1 < argc ? argv[++*i] : NULL;
}

/* A word that can stand in a key, and in a folder's text. */
static bool is_word(const char *s)
{
    return *s && strlen(s) < 64 &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == strlen(s);
}

/* "1-9,23": those that there are. False: it is no such list, or a single number is no lab's. */
static bool labs_take(const struct lab_place *p, const char *list, bool wanted[100])
{
    while (isdigit((unsigned char)*list)) {
        char *end;
        const unsigned long from = strtoul(list, &end, 10);
        const unsigned long to = *end == '-' && isdigit((unsigned char)end[1]) ? strtoul(end + 1, &end, 10) : from;
        unsigned int found = 0;

        for (unsigned int i = 0; i < p->nr; i++)
            if (p->labs[i].number >= from && p->labs[i].number <= to)
                wanted[p->labs[i].number] = true, found++;
        if (!found || (*end && (*end != ',' || !isdigit((unsigned char)end[1]))))
            return false;
        list = *end ? end + 1 : end;
        if (!*list)
            return true;
    }
    return false;
}

static int order_read(const struct lab_place *p, struct class_order *o, int argc, char *const *argv)
{
    for (int i = 0; i < argc; i++) {
        const char *word;

        if ((word = argument("--class", argc, argv, &i)))
            o->class = word;
        else if ((word = argument("--labs", argc, argv, &i)))
            o->labs = word;
        else if ((word = argument("--twist", argc, argv, &i)))
            o->twist = word;
        else if (!strcmp(argv[i], "--open"))
            o->open = true;
        else if (argv[i][0] == '-' || o->dir)
            return lab_complain("export: what is \"%s\"?", argv[i]);
        else
            o->dir = argv[i];
    }
    if (!o->class || !o->labs || !o->dir)
        return lab_complain("export: wanted are --class NAME, --labs LIST, and a folder to make");
    if (!is_word(o->class) || (*o->twist && !is_word(o->twist)))
        return lab_complain("export: a name is of at most 63 letters, digits, and - _ . between them");
    if (strlen(o->dir) > 3900)
        return lab_complain("export: %.40s...: too long", o->dir);
    return labs_take(p, o->labs, o->wanted) ? STATUS_OK
                                            : lab_complain("export: --labs: \"%s\": labs are wanted that there are, "
                                                           "as in 1-9,23",
                                                           o->labs);
}

/* Which labs are closed; and whether the teacher has allowed the others. */
static int closed_choose(const struct lab_place *p, struct class_order *o)
{
    int rc = STATUS_OK;

    for (unsigned int i = 0; i < p->nr; i++) {
        const struct lab *l = &p->labs[i], *needs = NULL;

        for (unsigned int k = 0; k < p->nr; k++)
            if (o->wanted[p->labs[k].number] && p->labs[k].needs[l->number])
                needs = &p->labs[k];
        o->closed[l->number] = o->wanted[l->number] && l->nr_bodies && !l->replay && !needs;
        if (!o->wanted[l->number] || o->closed[l->number] || !l->nr_bodies || o->open)
            continue;
        rc = l->replay ? lab_complain("export: lab %u is judged by a program with xenlab's own files in it", l->number)
                       : lab_complain("export: without what lab %u is about, lab %u cannot be checked", l->number,
                                      needs->number);
    }
    if (rc)
        lab_complain("export: --open has such labs with their files whole");
    return rc;
}

/* --- the tree --- */

/* cp or rm, to its end. */
static int tool(const char *const *word)
{
    int status = -1;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (!pid) {
        execvp(word[0], (char *const *)(uintptr_t)word);
        _exit(127);
    }
    return pid < 0 || waitpid(pid, &status, 0) != pid || status ? lab_complain("%s has failed", word[0]) : STATUS_OK;
}

/* Sources with their times, so that a second export builds what has changed. */
static int tree_copy(const struct lab_place *p, const struct class_order *o)
{
    static const char *const room[] = { ".clang-format",
                                        ".containerignore",
                                        ".gitignore",
                                        "Containerfile",
                                        "LICENSE",
                                        "Makefile",
                                        "README.md",
                                        "docs",
                                        "evtchn",
                                        "guests",
                                        "include",
                                        "labs",
                                        "mmu",
                                        "rings",
                                        "scripts",
                                        "sim",
                                        "tests",
                                        "tools",
                                        "ui",
                                        "vcpu" };
    enum { ROOMS = sizeof(room) / sizeof(room[0]) };
    char path[ROOMS][4200], at[4400];
    const char *word[ROOMS + 4] = { "cp", "-a" };
    int rc;

    for (unsigned int i = 0; i < ROOMS; i++) {
        snprintf(path[i], sizeof(path[i]), "%s/%s", p->root, room[i]);
        if (access(path[i], R_OK))
            return lab_complain("export: %s: %s: it is made of xenlab's sources", path[i], strerror(errno));
        word[2 + i] = path[i];
    }
    word[2 + ROOMS] = o->dir;
    rc = tool(word);
    if (!rc)
        snprintf(at, sizeof(at), "%s/labs/teacher", o->dir), folder_remove(at);
    for (unsigned int i = 0; !rc && i < p->nr; i++)
        if (!o->wanted[p->labs[i].number])
            snprintf(at, sizeof(at), "%s/labs/%s", o->dir, p->labs[i].name), folder_remove(at);
    snprintf(at, sizeof(at), "%s/labs/golden", o->dir);
    return rc ?: mkdir(at, 0777) ? lab_complain("%s: %s", at, strerror(errno)) : STATUS_OK;
}

/* --- a lab --- */

/* The files: as the class's rules have them, and without the bodies if it is closed. */
static int sources_write(const struct lab *l, const struct class_order *o, char *const *source)
{
    char *starter[LAB_FILES_MAX], err[STARTER_ERR_SIZE];
    int rc = STATUS_OK;

    if (!o->closed[l->number]) {
        for (unsigned int i = 0; !rc && i < l->nr_files; i++)
            rc = class_text(o->dir, l->file[i], source[i]);
        return rc;
    }
    if (!starters_make((const char *const *)source, starter, l->nr_files, l->body, l->nr_bodies, err))
        return lab_complain("%s: %s", l->name, err);
    for (unsigned int i = 0; i < l->nr_files; i++) {
        rc = rc ?: class_text(o->dir, l->file[i], starter[i]);
        free(starter[i]);
    }
    return rc;
}

/* lab.conf with the class's seeds; lab.md with what the twist says. */
static int texts_write(const struct lab *l, const struct class_order *o, const struct check *c, const struct twist *t)
{
    char name[300], from[4400], *text, *seeds, *more = NULL;
    int rc;

    snprintf(from, sizeof(from), "%s/lab.conf", l->path);
    snprintf(name, sizeof(name), "labs/%s/lab.conf", l->name);
    text = lab_file_read(from);
    seeds = text ? strstr(text, "\nseeds ") : NULL;
    if (!seeds || asprintf(&more, "%.*s\nseeds      = \"%llu-%llu\"%s", (int)(seeds - text), text,
                           (unsigned long long)c->seed_from, (unsigned long long)c->seed_to,
                           seeds + 1 + strcspn(seeds + 1, "\n")) < 0)
        rc = lab_complain("%s: there is no line seeds", from);
    else
        rc = class_text(o->dir, name, more);
    free(text), free(more);
    if (rc || !t->name[0])
        return rc;
    more = NULL;
    snprintf(from, sizeof(from), "%s/lab.md", l->path);
    snprintf(name, sizeof(name), "labs/%s/lab.md", l->name);
    text = lab_file_read(from);
    rc = text && asprintf(&more, "%s\n## In this class\n%s\n", text, t->told) >= 0 ? class_text(o->dir, name, more)
                                                                                   : STATUS_ENVIRONMENT;
    free(text), free(more);
    snprintf(name, sizeof(name), "labs/%s/workloads", l->name);
    return rc || !twist_expects(l) ? rc : class_text(o->dir, name, t->v.source[l->nr_files]);
}

static int is_entry(const struct dirent *e) { return e->d_name[0] != '.'; }

/* What others get wrong, in words: the first lines of wrong variants. */
static int wrong_write(const struct lab_place *p, const struct lab *l, const struct class_order *o)
{
    struct dirent **entry = NULL;
    char path[4700], name[300], *all = NULL, *text;
    size_t size = 0;
    FILE *f = open_memstream(&all, &size);
    int n, rc;

    snprintf(path, sizeof(path), "%s/labs/teacher/%s", p->root, l->name);
    n = scandir(path, &entry, is_entry, alphasort);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/labs/teacher/%s/%s", p->root, l->name, entry[i]->d_name);
        text = lab_file_read(path);
        if (f && text && !strncmp(text, "FAIL ", 5))
            fprintf(f, "%.*s\n", (int)strcspn(text, "\n"), text);
        free(text);
        free(entry[i]);
    }
    free(entry);
    snprintf(name, sizeof(name), "labs/%s/wrong", l->name);
    rc = f && !fclose(f) ? class_text(o->dir, name, all) : lab_complain("not enough memory");
    free(all);
    return rc;
}

/* All of one. The key's line on its seeds is printed to `key`. */
static int lab_write(const struct lab_place *p, const struct lab *l, const struct class_order *o, FILE *key)
{
    struct check c = { .lab = l, .root = p->root, .built = p->built, .seed_from = l->seed_from, .seed_to = l->seed_to };
    char *source[LAB_FILES_MAX];
    struct twist t = { .told = NULL };
    int rc;

    if (!l->nr_bodies)
        return STATUS_OK; /* it asks, and is as it was */
    if (!lab_sources_read(p, l, source))
        return STATUS_ENVIRONMENT;
    rc = l->replay ? STATUS_OK : twist_choose(p, l, o->twist, &t);
    if (!rc && t.name[0])
        rc = twist_build(&t, &c);
    if (!rc && strcmp(l->form, "P")) /* whose seeds are workloads, which are told */
        rc = golden_seeds(&c, o->wish);
    if (!rc && o->closed[l->number] && strcmp(l->form, "P"))
        rc = golden_store(&c, o->dir);
    rc = rc ?: sources_write(l, o, t.name[0] ? t.v.source : source);
    rc = rc ?: texts_write(l, o, &c, &t) ?: wrong_write(p, l, o);
    if (!rc)
        fprintf(key, "    \"%u | %llu-%llu\",\n", l->number, (unsigned long long)c.seed_from,
                (unsigned long long)c.seed_to);
    if (!rc)
        printf("%s  %s%s%s\n", l->name, o->closed[l->number] ? "closed" : "open", t.name[0] ? ", twist " : "", t.name);
    fflush(stdout);
    twist_free(&t);
    lab_sources_free(l, source);
    return rc;
}

/* --- the class --- */

/* All of it, in DIR, which is there. */
static int class_write(const struct lab_place *p, const struct class_order *o)
{
    char *visible = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&visible, &size);
    int rc = f ? tree_copy(p, o) : lab_complain("not enough memory");

    for (unsigned int i = 0; !rc && i < p->nr; i++)
        if (o->wanted[p->labs[i].number])
            rc = lab_write(p, &p->labs[i], o, f);
    if (f && fclose(f))
        rc = lab_complain("not enough memory");
    rc = rc ?: class_make(p, o) ?: class_readme(p, o) ?: class_key(p, o, visible);
    free(visible);
    return rc;
}

int lab_export(const struct lab_place *p, int argc, char *const *argv)
{
    struct class_order o = { .twist = "" };
    uint8_t sum[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha;
    int rc = order_read(p, &o, argc, argv);

    rc = rc ?: closed_choose(p, &o);
    if (rc)
        return rc;
    sha256_init(&sha);
    sha256_update(&sha, strlen(o.class), (const uint8_t *)o.class);
    sha256_digest(&sha, sizeof(sum), sum);
    o.wish = 1000 + (uint64_t)(sum[0] << 16 | sum[1] << 8 | sum[2]);
    if (mkdir(o.dir, 0777))
        return lab_complain("%s: %s", o.dir, strerror(errno));
    rc = class_write(p, &o);
    if (rc)
        folder_remove(o.dir);
    else
        printf("%s is for the class, and %s.key is yours: add points there\n", o.dir, o.dir);
    return rc;
}
