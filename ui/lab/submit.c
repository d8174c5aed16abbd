// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab lab submit`: one file to hand in.
 *
 * Concept: NN-NAME.tar, in the current folder, with the lab's files and nothing else, which is what `grade` takes
 * (tools/lab/submission.h). It is made by the system's tar, without names, times or rights of this machine's, so that
 * the same files are the same archive.
 *
 * Invariant: it takes the place of an earlier one when it is whole, and one that `grade` takes.
 */
#include "ui/lab/submit.h"

#include "tools/lab/submission.h"
#include "ui/lab/student.h"
#include "ui/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run it to its end. 0; or a message. */
static int tar(const struct lab *l, const char *folder, const char *to)
{
    const char *word[LAB_FILES_MAX + 16] = {
        "tar", "--format=ustar", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--mode=0644", "-hcf", to,
        "-C",  folder,           "--"
    };
    unsigned int nr = 12;
    int status = -1;
    pid_t pid;

    for (unsigned int i = 0; i < l->nr_files; i++)
        word[nr++] = lab_file_of(l, i);
    word[nr] = NULL;
    fflush(NULL);
    pid = fork();
    if (!pid) {
        execvp("tar", (char *const *)(uintptr_t)word);
        fprintf(stderr, "xenlab: lab: tar: %s\n", strerror(errno));
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
        return lab_complain("%s is not made", to);
    return STATUS_OK;
}

/* Whether it would be taken. 0; or a message. */
static int look(const struct lab *l, const char *name)
{
    char *text[LAB_FILES_MAX], err[SUBMISSION_ERR_SIZE];

    if (submission_read(name, l, text, err))
        return lab_complain("submit: what is here would not be taken: %s", err);
    lab_sources_free(l, text);
    return STATUS_OK;
}

int lab_submit(const struct lab_place *p, int argc, char *const *argv)
{
    const struct lab *l = student_lab_or(p, argc, argv);
    char folder[4096], name[300], new[320];
    int rc;

    if (!l || !student_folder(l, folder, sizeof(folder)))
        return STATUS_ENVIRONMENT;
    snprintf(name, sizeof(name), "%s.tar", l->name);
    snprintf(new, sizeof(new), "%s.new", name);
    rc = tar(l, folder, new) ?: look(l, new);
    if (!rc && rename(new, name))
        rc = lab_complain("%s: %s", name, strerror(errno));
    if (rc) {
        unlink(new);
        return rc;
    }
    printf("%s has", name);
    for (unsigned int i = 0; i < l->nr_files; i++)
        printf("%s %s", i ? "," : "", lab_file_of(l, i));
    puts(". Hand that in; whether it passes: xenlab lab check");
    return STATUS_OK;
}
