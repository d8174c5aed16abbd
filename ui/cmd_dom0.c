// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab dom0`: Debian's kernel as dom0, with Xen's own toolstack in it.
 *
 * Concept: it is `xenlab run --dom0` (or tui, or debug) of what `make dom0` has made (scripts/mkdom0.sh), with as much
 * memory as some guests want beside it. What is given in addition counts more than that. The files are beside this
 * program, in the folder dom0, or in the one that the variable XENLAB_DOM0 names.
 */
#include "ui/cmd_dom0.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *const defaults[][2] = {
    { "--memory", "512" },
    { "--ram", "1024" },
    { "--cmdline", "console=hvc0 quiet" },
};

static bool begins(const char *word, const char *option)
{
    const size_t n = strlen(option);

    return !strncmp(word, option, n) && (!word[n] || word[n] == '=');
}

static bool given(int argc, char **argv, const char *option)
{
    for (int i = 0; i < argc; i++)
        if (begins(argv[i], option))
            return true;
    return false;
}

/* The folder that has the files. False: its name is too long. */
static bool folder(char to[DOM0_FILE_SIZE])
{
    const char *named = getenv("XENLAB_DOM0");
    char *slash;
    ssize_t n;

    if (named && *named)
        return snprintf(to, DOM0_FILE_SIZE, "%s", named) < DOM0_FILE_SIZE - 16;
    n = readlink("/proc/self/exe", to, DOM0_FILE_SIZE - 16);
    to[n > 0 ? n : 0] = '\0';
    slash = strrchr(to, '/');
    if (!slash || slash - to > DOM0_FILE_SIZE - 32)
        return false;
    strcpy(slash, "/dom0");
    return true;
}

int cmd_dom0_words(int argc, char **argv, char **to, int *nr, struct dom0_files *files, char err[DOM0_ERR_SIZE])
{
    const bool stated = argc && (!strcmp(argv[0], "run") || !strcmp(argv[0], "tui") || !strcmp(argv[0], "debug"));
    char dir[DOM0_FILE_SIZE];

    if (!folder(dir)) {
        snprintf(err, DOM0_ERR_SIZE, "the folder of dom0's files has too long a name");
        return -1;
    }
    snprintf(files->kernel, sizeof(files->kernel), "%.4000s/vmlinuz", dir);
    snprintf(files->ramdisk, sizeof(files->ramdisk), "%.4000s/initrd", dir);
    if (access(files->kernel, R_OK) || access(files->ramdisk, R_OK)) {
        snprintf(err, DOM0_ERR_SIZE,
                 "there is no dom0 in %.300s: `make dom0` in the project's folder makes one, of Debian's packages",
                 dir);
        return -1;
    }
    *nr = 0;
    to[(*nr)++] = stated ? argv[0] : (char *)"run";
    to[(*nr)++] = (char *)"--dom0";
    if (!given(argc, argv, "--ramdisk")) {
        to[(*nr)++] = (char *)"--ramdisk";
        to[(*nr)++] = files->ramdisk;
    }
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
        if (!given(argc, argv, defaults[i][0])) {
            to[(*nr)++] = defaults[i][0];
            to[(*nr)++] = defaults[i][1];
        }
    for (int i = stated; i < argc; i++)
        to[(*nr)++] = argv[i];
    to[(*nr)++] = files->kernel;
    return 0;
}

void cmd_dom0_help(FILE *out)
{
    fputs("Usage: xenlab dom0 [run|tui|debug] [OPTION]...\n"
          "\n"
          "Boot Debian's Linux as domain 0, with Xen's own toolstack in it: xenstored,\n"
          "xenconsoled, xl. Its shell is this terminal; guests lie ready in its /guests:\n"
          "xl create -c /guests/hello.cfg. poweroff -f ends it, and the machine.\n"
          "\n"
          "It is `xenlab run --dom0` (or tui, or debug) with what `make dom0` has made,\n"
          "--memory 512 --ram 1024 --cmdline 'console=hvc0 quiet'; an option given here\n"
          "counts more, and all options of that command may be given.\n"
          "\n"
          "Environment: XENLAB_DOM0, the folder with vmlinuz and initrd, if it is not the\n"
          "folder dom0 beside this program.\n",
          out);
}
