// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab lab`: what a student types.
 *
 * Concept: the words of the command line, and findings as text; what a lab is and how it is checked is in tools/lab/. A
 * lab is named by its number. Its folder is made by `start`, and found again as the current one, or below it, by its
 * name.
 */
#include "ui/cmd_lab.h"

#include "sim/types.h"
#include "tools/lab/check.h"
#include "tools/nearest.h"
#include "ui/lab/author.h"
#include "ui/lab/check.h"
#include "ui/lab/export.h"
#include "ui/lab/grade.h"
#include "ui/lab/place.h"
#include "ui/lab/progress.h"
#include "ui/lab/show.h"
#include "ui/lab/start.h"
#include "ui/lab/submit.h"
#include "ui/lab/watch.h"
#include "ui/lab/witness.h"
#include "ui/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] = "Usage: xenlab lab COMMAND\n\n"
                           "Labs in which you write parts of the hypervisor, and are told where they differ\n"
                           "from what Xen does.\n\n"
                           "  list             the labs\n"
                           "  start N [FOLDER] a folder with the text and the file to complete\n"
                           "  check [N] [--seed A[-B] | --test FILE] [-c]\n"
                           "                   compile it and try it: each property, and for one that fails\n"
                           "                   the fewest steps that show it, which are left in failed/; of\n"
                           "                   questions, -c says the right answers\n"
                           "  hint N [1|2|3]   a question, a pointer, an outline\n"
                           "  watch [N]        check again whenever a file is saved; q ends it\n"
                           "  show [N] [PROPERTY | --test FILE] [--gdb | --no-gdb]\n"
                           "                   where it first goes wrong: both reports up to there, and then\n"
                           "                   gdb on your code, at the beginning of that step\n"
                           "  progress         what you have passed: .xenlab-lab, in this folder\n"
                           "  submit [N]       one file to hand in, NN-NAME.tar\n"
                           "  test N|all [--sample | --write DIR]\n"
                           "                   an author's: xenlab's own file and right variants pass,\n"
                           "                   wrong ones fail, each by its property and in its own words;\n"
                           "                   of a sample, one variant alone is tried;\n"
                           "                   --write leaves them as somebody would hand them in\n"
                           "  grade N SUBMISSION --key FILE --json FILE [--junit FILE] [--tap FILE]\n"
                           "        [--gradescope FILE]\n"
                           "                   a teacher's: one folder, file or archive in, one grade out\n"
                           "  export --class NAME --labs LIST [--twist WORD] [--open] DIR\n"
                           "                   a teacher's: sources for a class in DIR, without the bodies\n"
                           "                   that it is to write, and DIR.key, which is not for it; WORD\n"
                           "                   chooses rules that are other ones; --open has labs whole that\n"
                           "                   cannot do without: --labs 2,11-13\n\n"
                           "check and grade exit with 0 if all properties hold, 2 if not (or nothing was\n"
                           "handed in that can be tried), and 1 if it could not try.\n";

/* --- the commands --- */

static int list(const struct lab_place *p, int argc, char *const *argv)
{
    int width = 0;

    (void)argc, (void)argv;
    for (unsigned int i = 0; i < p->nr; i++)
        width = (int)strlen(p->labs[i].title) > width ? (int)strlen(p->labs[i].title) : width;
    for (unsigned int i = 0; i < p->nr; i++) {
        const struct lab *l = &p->labs[i];

        printf("%02u  %-*s %2u h ", l->number, width, l->title, l->hours);
        for (unsigned int f = 0; f < l->nr_files; f++)
            printf(" %s", l->file[f]);
        putchar('\n');
    }
    return STATUS_OK;
}

static int hint(const struct lab_place *p, int argc, char *const *argv)
{
    const struct lab *l = lab_find(p, argv[0]);
    const char *which = argc > 1 ? argv[1] : "1";
    char path[4400], *text;

    if (!l)
        return STATUS_ENVIRONMENT;
    if (strlen(which) != 1 || *which < '1' || *which > '3')
        return lab_complain("hint: 1, 2 or 3 is wanted, not \"%s\"", which);
    snprintf(path, sizeof(path), "%s/hints/%s", l->path, which);
    text = lab_file_read(path);
    if (!text)
        return STATUS_ENVIRONMENT;
    fputs(text, stdout);
    free(text);
    return STATUS_OK;
}

static const struct command {
    const char *name;
    int (*run)(const struct lab_place *p, int argc, char *const *argv);
    int least, most; /* arguments */
} commands[] = { { "list", list, 0, 0 },         { "start", lab_start, 1, 2 },       { "check", lab_check, 0, 3 },
                 { "hint", hint, 1, 2 },         { "show", lab_show, 0, 4 },         { "watch", lab_watch, 0, 1 },
                 { "submit", lab_submit, 0, 1 }, { "progress", lab_progress, 0, 0 }, { "test", lab_test, 1, 3 },
                 { "grade", lab_grade, 0, 14 },  { "export", lab_export, 0, 12 } };

int cmd_lab(int argc, char *const *argv)
{
    const char *names[ARRAY_SIZE(commands)];
    char nearest[NEAREST_HINT_SIZE];
    struct lab_place p = { .nr = 0 };
    unsigned int i = 0;
    int rc;

    if (!argc || !strcmp(argv[0], "--help") || !strcmp(argv[0], "-h")) {
        fputs(help, stdout);
        return argc ? STATUS_OK : STATUS_ENVIRONMENT;
    }
    if (!strcmp(argv[0], "witness")) /* nobody's to type: in the sandbox, where there are no labs */
        return lab_witness(argc - 1, argv + 1);
    for (; i < ARRAY_SIZE(commands) && strcmp(argv[0], commands[i].name); i++)
        names[i] = commands[i].name;
    if (i == ARRAY_SIZE(commands))
        return lab_complain("there is no command \"%s\"%s", argv[0],
                            nearest_hint(argv[0], names, ARRAY_SIZE(names), "", nearest));
    if (argc - 1 < commands[i].least || argc - 1 > commands[i].most)
        return lab_complain("%s: too %s arguments: see xenlab lab --help", argv[0],
                            argc - 1 < commands[i].least ? "few" : "many");
    rc = lab_place_find(&p);
    if (!rc)
        rc = commands[i].run(&p, argc - 1, argv + 1);
    labs_free(p.labs, p.nr);
    return rc;
}
