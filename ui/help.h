// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What commands say of themselves: `--help`, manual pages and the completion of shells, from the same words.
 *
 * Concept: a table has the words of each command; options are those of the one table of options (ui/options.h),
 * commands and keys of the debugger those of its tables. So none of these can say what the program does not do.
 */
#ifndef UI_HELP_H
#define UI_HELP_H

#include "ui/options.h"

/* One of the words behind `xenlab`. */
struct help_command {
    const char *name;
    const char *summary; /* a line; NULL: it is not worth one */
    bool has_options;    /* of ui/options.h: */
    enum options_command options;
    void (*help)(FILE *out);       /* otherwise: what its --help prints, NULL: nothing */
    const char *(*word)(size_t i); /* and what may stand behind it, beside files; NULL, or at the end NULL */
};

struct help_commands {
    const struct help_command *command;
    size_t nr;
};

/* `xenlab COMMAND --help`, for terminals of 80 columns. */
void help_print(enum options_command command, FILE *out);
/* Its manual page, in troff (man(7)); name "": that of xenlab. False: there is no such command. */
bool help_manual(const struct help_commands *all, const char *name, FILE *out);
/* What completes command lines in a shell, "bash" or "zsh". False: of no other. */
bool help_completion(const struct help_commands *all, const char *shell, FILE *out);

#endif
