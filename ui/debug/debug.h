// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The line-mode debugger: what its files share.
 *
 * Concept: one table of commands (commands.c) says what can be typed: names, keys, what they do, whether they change
 * the machine. Lines come from a terminal, a script, a pipe; what is said goes through say.h. Going to a position is
 * in move.c, to what is looked for in seek.c, stops are in stops.c, showing in show.c; all ask the debugger
 * (tools/debug/) and keep nothing of the machine.
 *
 * Invariants: a command that fails has said so, once, and has changed nothing.
 */
#ifndef UI_DEBUG_DEBUG_H
#define UI_DEBUG_DEBUG_H

#include "tools/debug/debugger.h"
#include "tools/debug/expr.h"
#include "tools/debug/look.h"
#include "tools/debug/source.h"
#include "ui/debug/say.h"
#include "ui/guest_list.h"

#define DEBUG_MARKS 64

struct debug_mark {
    char name[32];
    struct position at;
};

struct record_head;
struct said;
struct live;

/* A screen that shows the debugger: what commands want of it. False, and the command has failed: it has said why. */
struct debug_screen {
    void *data;
    bool (*panel)(void *data, const char *args);  /* a panel's name, "next", "previous": keys are for it */
    bool (*layout)(void *data, const char *args); /* a layout's name, a plan, "next"; empty: which there are */
    bool (*zoom)(void *data, const char *args);   /* the panel, or the one that is named, alone; and back */
    bool (*cursor)(void *data, const char *args); /* "down", "up", "page-down"... */
    bool (*search)(void *data, const char *args, bool backward); /* empty: the same again */
    bool (*filter)(void *data, const char *args);                /* empty: none */
    bool (*sort)(void *data, const char *args);                  /* "right", "left": by another column; "turn" */
    bool (*ask)(void *data);                                     /* why, of what is chosen */
    bool (*visit)(void *data);                                   /* to where that happened */
    bool (*run)(void *data, const char *args);   /* on, until a key is typed; a speed: at that from now on */
    bool (*speed)(void *data, const char *args); /* "10ms": virtual time a second; empty: as fast as it goes */
    bool (*palette)(void *data, const char *args);
    bool (*shot)(void *data, const char *args); /* a picture, as a file */
};

/* A tour that is given (ui/tour/), as far as one sees it. */
#define DEBUG_TOUR_LINES 40
struct debug_tour {
    const char *title, *step; /* of the tour, of the step that it is at */
    size_t at, nr;
    size_t nr_lines;
    struct {
        char kind; /* '|' words, '?' a question, '!' its answer, which is shown when it is `revealed` */
        const char *text;
    } line[DEBUG_TOUR_LINES];
    bool revealed, blank, exploring; /* blank: nothing is to be seen; exploring: keys are the debugger's */
    bool room;                       /* for a projector */
    bool (*carry_out)(void *data, const char *args); /* the command `tour` */
    void *data;
};

struct debug {
    struct host *host;
    struct rewind rw;
    struct debugger dbg;
    struct say say;
    bool read_only;
    bool quit;
    bool failed; /* some command has */
    /* Where lines come from, for complaints; NULL: not from a file that was named. */
    const char *script;
    unsigned long line_nr;
    /* Of whoever sits at a terminal: may it be? NULL: nobody does. Once it was, it is not asked again. */
    bool (*ask)(void *data, const char *question);
    void *ask_data;
    bool asked;
    struct live *live;         /* those outside, ui/debug/live.h; NULL: they are not heard through here */
    struct position came_from; /* before the last command that moved */
    struct debug_mark marks[DEBUG_MARKS];
    unsigned int nr_marks;
    struct sources sources;   /* of kernels that have been shown */
    struct console_log *logs; /* console.c's */
    size_t nr_logs;
    const struct debug_screen *screen;                 /* NULL: there is none; then: */
    void (*panels)(struct debug *g, const char *args); /* NAME [THING]: what a panel shows, in words; or NULL */
    struct debug_tour *tour;                           /* NULL: none is given */
    struct said *said;                                 /* what was said, ui/debug/said.h; NULL: it is not kept */
    /* What the machine was made from. head: as a recording has it, NULL: as the command line has it. */
    const struct run_options *options;
    const struct guest_list *guests;
    const struct record_head *head;
};

/* Carry out a line: commands, separated by ';' (but not within ""). */
void debug_command(struct debug *g, const char *line);
/* The i-th of all commands, by name; NULL: there are no more. */
const char *debug_command_name(size_t i);
/* The name of its backward form. False: it has none. */
bool debug_command_reverse(size_t i, char *name, size_t size);
struct debug_command_info {
    const char *name, *args, *help;
    char key;        /* 0: none */
    bool backward;   /* there is a backward form: the capital, and reverse-NAME */
    bool wants_args; /* it makes no sense without */
};
/* False: there are no more. */
bool debug_command_info(size_t i, struct debug_command_info *info);
/* The name of the command that a word of len characters stands for; NULL: of none, or of several. */
const char *debug_command_meant(const char *word, size_t len);

/* --- what commands are made of: args is what stands behind the name --- */

typedef void debug_fn(struct debug *g, const char *args, unsigned long count);

/* A complaint, which also makes the session's exit status. */
void debug_fail(struct debug *g, const char *code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define POSITION_TEXT LOOK_TEXT
/* "107.947us#80747.1" */
const char *position_text(const struct debug *g, char text[POSITION_TEXT]);
/*
 * An address: [dN[vM]:][v:|p:|m:]EXPR. Registers, memory and symbols in it are that vCPU's; common fields are what the
 * trace would say of it now, and an event's own fields those of the event at which the machine has stopped, if it has.
 * False, and it has said why.
 */
struct debug_addr {
    domid_t dom;
    unsigned int vcpu;
    enum look_space space;
    uint64_t addr;
};
bool debug_address(struct debug *g, const char *text, struct debug_addr *a);
/* The same for what may come to be, or has been: the domain need not be there now. */
bool debug_address_later(struct debug *g, const char *text, struct debug_addr *a);
/* The same without a space, [dN[vM]:]EXPR, or a condition. */
struct debug_value {
    struct debug_addr who; /* whose it is */
    struct expr_value value;
    bool truth; /* of a condition: 0 or 1 */
};
bool debug_value(struct debug *g, const char *text, struct debug_value *v);

/*
 * A file's name, as it begins `args`, goes to path: what is within "", or all of it; `words`: or its first word. What
 * stands behind it, and the blanks. NULL: it is too long, or its end is missing, and that has been said.
 */
#define DEBUG_PATH 1024
const char *debug_path(struct debug *g, const char *args, bool words, char path[DEBUG_PATH]);

/* A field for programs of what look_symbol() has said, " <main+0x4>": "main+0x4". */
void say_symbol(struct debug *g, const char *symbol);

/* Those above are in words.c. move.c: */
debug_fn debug_goto, debug_mark_set, debug_marks, debug_jump, debug_where, debug_back;
/* Where it stands now, and why. */
void debug_stop_say(struct debug *g, const char *why);
/* The same, but for say_end(). */
void debug_stop_begin(struct debug *g, const char *why);
/* Say what has come of a move to a `what`, but for DEBUG_THERE. True: that, it may be repeated. */
bool debug_moved(struct debug *g, enum debug_result r, const char *what);

/* record.c, export.c: */
debug_fn debug_record, debug_export;

/* symbols.c: */
debug_fn debug_symbols;

/* stops.c: */
debug_fn debug_break, debug_watch, debug_trace, debug_log, debug_stops, debug_delete;
/* "watchpoint". */
const char *stop_name(const struct debug_stop *s);
/* "d1:0x400000 <main>", "d1:p:0x5000": an address of the stop, so that it can be typed. */
#define STOP_PLACE 160
const char *stop_place(const struct debug *g, const struct debug_stop *s, uint64_t addr, char text[STOP_PLACE]);

/* seek.c: */
/* The machine has come to the hits of the last move; `what`: if it is none of the user's stops. */
void debug_hits_say(struct debug *g, const char *what);
debug_fn debug_step, debug_reverse_step, debug_over, debug_reverse_over, debug_finish, debug_reverse_finish,
    debug_continue, debug_reverse_continue;
debug_fn debug_exit, debug_reverse_exit, debug_hypercall, debug_reverse_hypercall, debug_transition,
    debug_reverse_transition, debug_event, debug_reverse_event, debug_switch, debug_reverse_switch, debug_io,
    debug_reverse_io;

/* dN, or if nothing is said the vCPU's. False, and it has said why. In show.c. */
bool debug_domain(struct debug *g, const char *args, domid_t *dom);
/* dN or dNvM, which is there. False, and it has said why: these are as they were. */
bool debug_vcpu_named(struct debug *g, const char *text, domid_t *dom, unsigned int *vcpu);

/* console.c: a guest says something, for the first time; the known future becomes a branch of this name. */
void debug_console_add(struct debug *g, domid_t dom, const char *text, size_t len);
void debug_console_branch(struct debug *g, const char *kept);
void debug_console_free(struct debug *g);
debug_fn debug_console;
/* Lines that a domain (-1: any) has said, in their order; later: it is known that it will. */
/* A guest crashes, for the first time; then which have, on this line, or will. */
void debug_crash_add(struct debug *g, domid_t dom, const char *why);
typedef void debug_crash_fn(void *data, domid_t dom, struct position at, const char *why);
void debug_crash_each(const struct debug *g, debug_crash_fn *fn, void *data);
typedef void debug_console_row(void *data, domid_t dom, struct position at, bool later, const char *text);
void debug_console_each(const struct debug *g, int dom, debug_console_row *fn, void *data);

/* change.c: */
debug_fn debug_set, debug_inject, debug_crash, debug_input, debug_branch, debug_checkpoint;

/* "#80747.1", "107.947us#80747.1". False: it is none. In move.c. */
bool debug_position(const char *text, struct position *at);
/* Give a position a name, which is one that a mark may have. False: there are too many. */
bool debug_mark_put(struct debug *g, const char *name, struct position at);
/* Forget it; harmless if there is none. */
void debug_mark_drop(struct debug *g, const char *name);

/* why.c: */
debug_fn debug_why, debug_explain;

/* screen.c: what is about a screen. */
debug_fn debug_panel, debug_layout, debug_zoom, debug_cursor, debug_search, debug_search_upwards, debug_filter,
    debug_sort, debug_ask_chosen, debug_visit_chosen, debug_run, debug_speed, debug_palette, debug_shot,
    debug_tour_move;
/* And what panels show, in words. */
debug_fn debug_walk, debug_machine, debug_frames, debug_ports, debug_grants, debug_timers;

/* show.c: */
debug_fn debug_regs, debug_examine, debug_print, debug_frame, debug_disas, debug_hash, debug_vcpu;

#endif
