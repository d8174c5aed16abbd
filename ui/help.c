// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What commands say of themselves, see ui/help.h.
 *
 * Budget: the words of five commands, and three ways to print them.
 */
#include "ui/help.h"

#include "ui/debug/debug.h"
#include "ui/debug/keys.h"
#include "ui/version.h"
#include "vcpu/sched/names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct text {
    const char *name, *arguments;
    const char *about;
    const char *status;              /* of exit */
    const char *notes;               /* or NULL */
    const char *examples;            /* a line each */
    bool schedulers, debugger, keys; /* what belongs to it: their tables */
};

/* clang-format off: words */
static const struct text texts[] = {
    [COMMAND_RUN] = {
        .name = "run",
        .schedulers = true,
        .arguments = "[OPTION]... GUEST...",
        .about =
            "Switch on a computer, boot the hypervisor on it, and let it run each GUEST: a kernel for Xen (an ELF\n"
            "file with Xen notes, or a Linux bzImage), a configuration file as `xl create` takes it\n"
            "(xl.cfg), or what `xenlab ctl save` has written.\n"
            "\n"
            "The guest's console is this terminal; Ctrl-] leaves. Several guests share it by lines, each with its\n"
            "guest in front ([d1] is domain 1), and the keyboard talks to one of them: Ctrl-^ (Ctrl-6 on many\n"
            "keyboards) goes to the next. Standard input may be a file: then the run is the same every time, to\n"
            "the last instruction. Messages of the hypervisor, (XEN), and what guests say to it, (d1), go to\n"
            "standard error. When all guests wait for input and none can come, the run ends (status 3).\n",
        .status =
            "  0    every guest shut down by itself\n"
            "  1    the command line, a file or this computer is not as it should be; the message says how\n"
            "  2    a guest crashed, or shut down with an unknown code (this counts before all that follows)\n"
            "  3    a limit was reached: --max-vtime, --power-cut, or nothing can ever wake the guests again\n"
            "  130  you left (Ctrl-], or Ctrl-C where it is not the guest's); 128+N: ended by signal N\n",
        .notes =
            "Large packed kernels are kept unpacked, for the next start, in $XDG_CACHE_HOME/xenlab, else in\n"
            "~/.cache/xenlab: at most 512 MiB, which may be removed at any time. XENLAB_CACHE=off in the\n"
            "environment does without. Where it cannot be done, a warning says so.\n",
        .examples =
            "  xenlab run build/guests/hello                               a small guest that says where it is\n"
            "  xenlab run --stats build/guests/traps                       one that faults, and what that took\n"
            "  xenlab run build/guests/hello build/guests/timer            two side by side\n"
            "  xenlab run build/assets/grub-x86_64-xen.bin                 GRUB, built for Xen, at its prompt\n"
            "  echo halt | xenlab run build/assets/grub-x86_64-xen.bin     its keyboard may be a pipe or a file\n"
            "  xenlab run --memory 256 --cmdline console=hvc0 --ramdisk initrd.img vmlinuz    a Linux of yours\n"
            "  xenlab run --trace t.json --max-vtime 10ms build/guests/hello\n",
    },
    [COMMAND_TUI] = {
        .name = "tui",
        .debugger = true,
        .keys = true,
        .arguments = "[OPTION]... GUEST...",
        .about =
            "Boot each GUEST as `xenlab run` does, stopped before its first instruction, and show the machine on the\n"
            "whole terminal: privilege, code, registers, what happened. Keys step, run and go back; ? lists them, and\n"
            ": takes the commands of xenlab debug.\n",
        .status =
            "0; 1 if the command line, a file or a command of the script was not as it should be.\n",
        .notes =
            "NO_COLOR in the environment means --palette mono.\n",
        .examples =
            "  xenlab tui build/guests/rings\n"
            "  echo 'exit vector==13; shot rings.svg' > look.txt\n"
            "  xenlab tui --script look.txt --size 100x30 build/guests/rings      a picture, without a terminal\n",
    },
    [COMMAND_DEBUG] = {
        .name = "debug",
        .debugger = true,
        .arguments = "[OPTION]... GUEST...",
        .about =
            "Boot each GUEST as `xenlab run` does, and stop before its first instruction. From there the machine goes\n"
            "both ways, hypervisor and all: type help. Commands come from standard input or a script, a line each;\n"
            "what is said is text, appended line by line, or JSON. Ctrl-C leaves off whatever takes long.\n",
        .status =
            "0; 1 if the command line, a file or a command of the script was not as it should be.\n",
        .examples =
            "  xenlab debug build/guests/rings                           a prompt\n"
            "  echo 'hypercall 5; S; regs' | xenlab debug build/guests/rings\n"
            "  xenlab debug --json --script look.txt build/guests/smp\n",
    },
    [COMMAND_REPLAY] = {
        .name = "replay",
        .arguments = "[OPTION]... FILE",
        .about =
            "Repeat the run that `xenlab run --record FILE` has recorded: the same guests, options and inputs, at the\n"
            "same positions, and so the same output, trace and exit status. Files that guests come from are looked\n"
            "for where they were, and then beside the recording; what is no more as it was is refused, by name.\n"
            "Nothing is read from standard input. See docs/replay.md.\n",
        .status =
            "that of the recorded run; 1 if the recording cannot be repeated, or the run differs from it;\n"
            "3 if it has no end, because whoever wrote it was killed.\n",
        .examples =
            "  echo hello | xenlab run --record r.txt build/guests/echo\n"
            "  xenlab replay r.txt\n"
            "  xenlab replay --trace t.json r.txt\n"
            "  xenlab debug --replay r.txt\n",
    },
    [COMMAND_TOUR] = {
        .name = "tour",
        .arguments = "[OPTION]... FILE...",
        .about =
            "Give the tour that FILE tells: a guest, and steps through its run, each with words, commands of the\n"
            "debugger, and what is to be seen (docs/tours.md). On a terminal: Right and Left go to the next step and the\n"
            "one before, Space shows an answer, '.' blanks the screen, P is for projectors, Esc goes exploring and r\n"
            "comes back. Without a terminal the words are printed as it goes.\n",
        .status =
            "0; 1 if a file is no tour, or something that it tells is not so.\n",
        .examples =
            "  xenlab tour docs/tours/cli.tour\n"
            "  xenlab tour --check docs/tours/*.tour\n",
    },
};
/* clang-format on */

/* --- --help --- */

#define WIDTH  80
#define COLUMN 24

/* A paragraph's words: the first goes to column col, where this row has come to; others begin at column indent. */
static void words_print(FILE *out, const char *text, const char *end, size_t col, size_t indent)
{
    bool first = true;

    while ((text += strspn(text, " \n")) < end) {
        const size_t n = strcspn(text, " \n");

        if (!first && col + 1 + n > WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            col = indent;
            first = true;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", (int)n, text);
        col += n + !first;
        first = false;
        text += n;
    }
    putc('\n', out);
}

static void paragraphs_print(FILE *out, const char *text)
{
    for (const char *end; *text; text = end) {
        end = strstr(text, "\n\n") ?: text + strlen(text);
        words_print(out, text, end, 0, 0);
        if (*end)
            putc('\n', out), end += 2;
    }
}

/* Lines that are as they are, but those that are too long: what is behind a gap goes on below, or beside. */
static void lines_print(FILE *out, const char *text)
{
    for (const char *end; *text; text = end + 1) {
        const char *gap;

        end = strchr(text, '\n');
        gap = strstr(text + strspn(text, " "), "  ");
        if (end - text <= WIDTH) {
            fprintf(out, "%.*s\n", (int)(end - text), text);
        } else if (gap && gap < end && gap - text <= 8) {
            gap += strspn(gap, " ");
            fprintf(out, "%.*s", (int)(gap - text), text);
            words_print(out, gap, end, (size_t)(gap - text), (size_t)(gap - text));
        } else if (gap && gap < end) {
            fprintf(out, "%.*s\n      ", (int)(gap - text), text);
            words_print(out, gap, end, 6, 6);
        } else {
            fprintf(out, "  ");
            words_print(out, text, end, 2, 6);
        }
    }
}

static void option_print(FILE *out, const struct option_info *opt)
{
    char left[64];
    int n;

    if (opt->letter)
        n = snprintf(left, sizeof(left), "  -%c, --%s", opt->letter, opt->name);
    else
        n = snprintf(left, sizeof(left), "  --%s%s%s", opt->name, opt->value ? " " : "", opt->value ? opt->value : "");
    if (n >= COLUMN) {
        fprintf(out, "%s\n", left);
        left[0] = '\0';
    }
    fprintf(out, "%-*s", COLUMN, left);
    words_print(out, opt->help, opt->help + strlen(opt->help), COLUMN, COLUMN);
}

/* Each scheduler that has parameters, a line a parameter. */
static void schedulers_print(FILE *out)
{
    size_t nr;
    const struct sched_tunable *p = sched_tunables(&nr);

    fprintf(out, "Schedulers: %s. Their parameters:\n", sched_names());
    for (size_t i = 0; i < nr; i++) {
        fprintf(out, "  %-10s%s=%s%ld..%ld\n%*s", i == 0 || strcmp(p[i].policy, p[i - 1].policy) ? p[i].policy : "",
                p[i].name, p[i].or_zero ? "0|" : "", p[i].min, p[i].max, COLUMN, "");
        words_print(out, p[i].help, p[i].help + strlen(p[i].help), COLUMN, COLUMN);
    }
}

void help_print(enum options_command command, FILE *out)
{
    const struct text *t = &texts[command];
    struct option_info opt;
    size_t i = 0;

    fprintf(out, "Usage: xenlab %s %s\n\n", t->name, t->arguments);
    paragraphs_print(out, t->about);
    while (options_next(command, &i, &opt))
        if (opt.is_heading)
            putc('\n', out), words_print(out, opt.name, opt.name + strlen(opt.name), 0, 0);
        else
            option_print(out, &opt);
    if (t->schedulers) {
        putc('\n', out);
        schedulers_print(out);
    }
    fputs(t->status[0] == ' ' ? "\nExit status:\n" : "\nExit status: ", out);
    if (t->status[0] == ' ')
        lines_print(out, t->status);
    else
        words_print(out, t->status, t->status + strlen(t->status), strlen("Exit status: "), 0);
    if (t->notes) {
        putc('\n', out);
        paragraphs_print(out, t->notes);
    }
    fputs("\nExamples:\n", out);
    lines_print(out, t->examples);
}

/* --- manual pages: man(7) --- */

static void roff_char(char c, FILE *out)
{
    if (c == '\\')
        fputs("\\e", out);
    else if (c == '-')
        fputs("\\-", out);
    else
        putc(c, out);
}

/* Text; a line that begins with a control character would be a request. */
static void roff(const char *text, FILE *out)
{
    bool begins = true;

    for (; *text; text++) {
        if (begins && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        roff_char(*text, out);
        begins = *text == '\n';
    }
}

/* Paragraphs, between which are empty lines. */
static void roff_paragraphs(const char *text, FILE *out)
{
    for (const char *end; *text; text = end) {
        end = strstr(text, "\n\n");
        end = end ? end + 1 : text + strlen(text);
        for (; text < end; text++) {
            if ((*text == '.' || *text == '\'') && (text[-1] == '\n'))
                fputs("\\&", out);
            roff_char(*text, out);
        }
        if (*end)
            fputs(".PP\n", out), end++;
    }
}

static void roff_as_it_is(const char *text, FILE *out)
{
    fputs(".nf\n", out);
    roff(text, out);
    fputs(".fi\n", out);
}

static void options_manual(enum options_command command, FILE *out)
{
    struct option_info opt;
    size_t i = 0;

    fputs(".SH OPTIONS\n", out);
    while (options_next(command, &i, &opt)) {
        if (opt.is_heading) {
            fputs(".SS ", out);
            roff(opt.name, out);
            putc('\n', out);
            continue;
        }
        fputs(".TP\n", out);
        if (opt.letter)
            fprintf(out, "\\fB\\-%c\\fR, ", opt.letter);
        fputs("\\fB\\-\\-", out);
        roff(opt.name, out);
        fputs("\\fR", out);
        if (opt.value) {
            fputs(" \\fI", out);
            roff(opt.value, out);
            fputs("\\fR", out);
        }
        putc('\n', out);
        roff(opt.help, out);
        putc('\n', out);
    }
}

static void commands_manual(FILE *out)
{
    struct debug_command_info c;

    fputs(".SH COMMANDS\nA letter in front is the key: small goes forward, capital back, as reverse\\-NAME does.\n",
          out);
    for (size_t i = 0; debug_command_info(i, &c); i++) {
        fputs(".TP\n\\&", out);
        if (c.key == ' ')
            fputs("Space  ", out);
        else if (c.key) {
            roff_char(c.key, out);
            if (c.backward)
                fprintf(out, " %c", toupper((unsigned char)c.key));
            fputs("  ", out);
        }
        fputs("\\fB", out);
        roff(c.name, out);
        fputs("\\fR ", out);
        roff(c.args, out);
        putc('\n', out);
        roff(c.help, out);
        putc('\n', out);
    }
}

static void keys_manual(const char *title, const struct key_binding *(*at)(size_t i), FILE *out)
{
    const struct key_binding *k;

    fprintf(out, ".SH %s\n", title);
    for (size_t i = 0; (k = at(i)); i++) {
        fputs(".TP\n\\fB", out);
        roff(k->name, out);
        fputs("\\fR\n", out);
        roff(k->line, out);
        putc('\n', out);
    }
}

static void text_manual(const struct text *t, enum options_command command, FILE *out)
{
    fprintf(out, ".SH SYNOPSIS\n\\fBxenlab %s\\fR ", t->name);
    roff(t->arguments, out);
    fputs("\n.SH DESCRIPTION\n", out);
    roff_paragraphs(t->about, out);
    options_manual(command, out);
    if (t->schedulers) {
        fputs(".SH SCHEDULERS\n.nf\n", out);
        schedulers_print(out);
        fputs(".fi\n", out);
    }
    if (t->debugger)
        commands_manual(out);
    if (t->keys)
        keys_manual("KEYS", key_at, out);
    if (command == COMMAND_TOUR)
        keys_manual("KEYS", tour_key_at, out);
    fputs(".SH EXIT STATUS\n", out);
    roff_as_it_is(t->status, out);
    if (t->notes) {
        fputs(".SH NOTES\n", out);
        roff_paragraphs(t->notes, out);
    }
    fputs(".SH EXAMPLES\n", out);
    roff_as_it_is(t->examples, out);
}

/* What its --help prints. */
static bool printed_manual(const struct help_command *c, FILE *out)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return false;
    c->help(f);
    fclose(f);
    fprintf(out, ".SH SYNOPSIS\n\\fBxenlab %s\\fR [OPTION]...\n.SH DESCRIPTION\n", c->name);
    roff_as_it_is(text, out);
    free(text);
    return true;
}

static void title(const char *name, const char *summary, FILE *out)
{
    fputs(".TH XENLAB", out);
    if (*name)
        putc('-', out);
    for (const char *p = name; *p; p++)
        putc(toupper((unsigned char)*p), out);
    fprintf(out, " 1 \"\" \"xenlab %s\" \"xenlab\"\n.SH NAME\nxenlab%s%s \\- ", XENLAB_VERSION, *name ? "\\-" : "",
            name);
    roff(summary, out);
    putc('\n', out);
}

static void see_also(const struct help_commands *all, const char *name, FILE *out)
{
    fputs(".SH SEE ALSO\n", out);
    if (*name)
        fputs(".BR xenlab (1)\n", out);
    for (size_t i = 0; i < all->nr; i++)
        if (all->command[i].summary && strcmp(all->command[i].name, name) != 0)
            fprintf(out, ".BR xenlab\\-%s (1)\n", all->command[i].name);
}

bool help_manual(const struct help_commands *all, const char *name, FILE *out)
{
    if (!*name) {
        title("", "a hypervisor with the interface of Xen 4.17, its guests, and the computer below", out);
        fputs(".SH SYNOPSIS\n\\fBxenlab\\fR COMMAND [ARGUMENT]...\n.SH COMMANDS\n", out);
        for (size_t i = 0; i < all->nr; i++)
            if (all->command[i].summary) {
                fprintf(out, ".TP\n\\fB%s\\fR\n", all->command[i].name);
                roff(all->command[i].summary, out);
                putc('\n', out);
            }
        see_also(all, name, out);
        return true;
    }
    for (size_t i = 0; i < all->nr; i++) {
        const struct help_command *c = &all->command[i];

        if (strcmp(c->name, name) || !c->summary)
            continue;
        title(name, c->summary, out);
        if (c->has_options)
            text_manual(&texts[c->options], c->options, out);
        else if (c->help && !printed_manual(c, out))
            return false;
        see_also(all, name, out);
        return true;
    }
    return false;
}

/* --- completion --- */

/* Words that an option's value may be; NULL: any, or a file. */
static const char *values_of(const struct option_info *opt)
{
    if (!strcmp(opt->name, "palette"))
        return "default safe mono";
    if (!strcmp(opt->name, "type"))
        return "pv pvh hvm";
    return NULL;
}

static void words_of(const struct help_command *c, FILE *out)
{
    const char *word;

    for (size_t i = 0; (word = c->word(i)); i++)
        fprintf(out, "%s ", word);
}

static void bash(const struct help_commands *all, FILE *out)
{
    struct option_info opt;

    fputs("# bash completion for xenlab, printed by: xenlab completion bash\n"
          "_xenlab() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        COMPREPLY=($(compgen -W '",
          out);
    for (size_t i = 0; i < all->nr; i++)
        fprintf(out, "%s ", all->command[i].name);
    fputs("' -- \"$cur\"))\n        return\n    fi\n    case ${COMP_WORDS[1]}:$prev in\n", out);
    for (size_t n = 0; n < all->nr; n++)
        for (size_t i = 0; all->command[n].has_options && options_next(all->command[n].options, &i, &opt);)
            if (!opt.is_heading && values_of(&opt))
                fprintf(out, "    %s:--%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n",
                        all->command[n].name, opt.name, values_of(&opt));
    fputs("    esac\n    case ${COMP_WORDS[1]} in\n", out);
    for (size_t n = 0; n < all->nr; n++) {
        if (!all->command[n].has_options)
            continue;
        fprintf(out, "    %s) words='--help", all->command[n].name);
        for (size_t i = 0; options_next(all->command[n].options, &i, &opt);)
            if (!opt.is_heading && strcmp(opt.name, "help") != 0)
                fprintf(out, " --%s", opt.name);
        fputs("' ;;\n", out);
    }
    for (size_t n = 0; n < all->nr; n++)
        if (all->command[n].word) {
            fprintf(out, "    %s) words='", all->command[n].name);
            words_of(&all->command[n], out);
            fputs("--help' ;;\n", out);
        }
    fputs("    esac\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "    case $cur in\n"
          "    -*) ;;\n"
          "    *) compopt -o filenames 2> /dev/null; COMPREPLY+=($(compgen -f -- \"$cur\")) ;;\n"
          "    esac\n"
          "}\n"
          "complete -F _xenlab xenlab\n",
          out);
}

/* Within '...' and [...] of _arguments. */
static void zsh_text(const char *text, FILE *out)
{
    for (; *text && *text != '\n'; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr("[]:\\", *text))
            fprintf(out, "\\%c", *text);
        else
            putc(*text, out);
}

static void zsh(const struct help_commands *all, FILE *out)
{
    struct option_info opt;

    fputs("#compdef xenlab\n"
          "# zsh completion for xenlab, printed by: xenlab completion zsh\n"
          "_xenlab() {\n"
          "    local -a commands=(\n",
          out);
    for (size_t i = 0; i < all->nr; i++)
        if (all->command[i].summary) {
            fprintf(out, "        '%s:", all->command[i].name);
            zsh_text(all->command[i].summary, out);
            fputs("'\n", out);
        }
    fputs("    )\n"
          "    if (( CURRENT == 2 )); then\n"
          "        _describe command commands\n"
          "        return\n"
          "    fi\n"
          "    local command=$words[2]\n"
          "    shift words\n"
          "    (( CURRENT-- ))\n"
          "    case $command in\n",
          out);
    for (size_t n = 0; n < all->nr; n++) {
        if (!all->command[n].has_options)
            continue;
        fprintf(out, "    %s)\n        _arguments \\\n", all->command[n].name);
        for (size_t i = 0; options_next(all->command[n].options, &i, &opt);) {
            if (opt.is_heading)
                continue;
            fprintf(out, "            '--%s%s[", opt.name, opt.value ? "=" : "");
            zsh_text(opt.help, out);
            fputs("]", out);
            if (opt.value) {
                putc(':', out);
                zsh_text(opt.value, out);
                fprintf(out, values_of(&opt) ? ":(%s)" : ":_files", values_of(&opt));
            }
            fputs("' \\\n", out);
        }
        fputs("            '*:file:_files' ;;\n", out);
    }
    for (size_t n = 0; n < all->nr; n++)
        if (all->command[n].word) {
            fprintf(out, "    %s) _alternative 'words:word:(", all->command[n].name);
            words_of(&all->command[n], out);
            fputs("--help)' 'files:file:_files' ;;\n", out);
        }
    fputs("    *) _files ;;\n    esac\n}\n_xenlab \"$@\"\n", out);
}

bool help_completion(const struct help_commands *all, const char *shell, FILE *out)
{
    if (!strcmp(shell, "bash"))
        bash(all, out);
    else if (!strcmp(shell, "zsh"))
        zsh(all, out);
    else
        return false;
    return true;
}
