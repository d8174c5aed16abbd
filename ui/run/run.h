// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the files of `xenlab run` share: see ui/cmd_run.c, which is the loop.
 */
#ifndef UI_RUN_RUN_H
#define UI_RUN_RUN_H

#include "ui/cmd_run.h"

#include <limits.h>

#include "tools/debug/condition.h"
#include "tools/host.h"
#include "tools/workbench/guest_policy.h"
#include "ui/console.h"
#include "ui/console_door.h"
#include "ui/ctl/serve.h"
#include "ui/fb_window.h"
#include "ui/gdb/door.h"
#include "ui/guest_list.h"
#include "ui/input.h"
#include "ui/outside.h"
#include "ui/pace.h"
#include "ui/pcap_file.h"
#include "ui/recording.h"
#include "ui/replay.h"
#include "ui/stats.h"
#include "ui/status.h"
#include "ui/trace_file.h"
#include "ui/vnc.h"

/* While nothing else would tell that a key may be looked for: in the background, and while gdb holds the machine. */
#define RUN_LOOK_AGAIN MILLISECS(100)
/* A window has nothing that could be waited for. */
#define RUN_LOOK_AT_WINDOW MILLISECS(20)
/* The number of --balloon-policy's commands: those of xenlab ctl count from 1. */
#define RUN_BALLOON_ID UINT_MAX
/* What is waited for, beside consoles that are elsewhere. */
#define RUN_FDS (2 + SOCKET_DOOR_CLIENTS + OUTSIDE_FDS + GDB_DOOR_FDS)

struct run {
    const struct run_options *opt;
    struct run_process *process;
    struct host *host;
    struct guest_policy *policy; /* --sched ./mine.so; or NULL */
    struct console console;
    struct input input;
    bool has_keyboard;     /* a terminal's: it is the input, or was when the run was recorded */
    struct replay *replay; /* in place of input; or NULL */
    enum replay_state replayed;
    struct recording recording;
    struct debug debug; /* --gdb: what goes both ways; else nothing */
    struct gdb_door gdb;
    struct ctl_serve ctl; /* --control */
    struct outside outside;
    struct console_door *consoles; /* --console-to, by guest; or NULL */
    bool consoles_speak;           /* something can come from one of them */
    struct console_door *channels; /* XL_CHANNELS_MAX of each guest; or NULL */
    bool channels_speak;
    struct vnc *screens;      /* by guest; or NULL */
    bool screens_speak;       /* somebody may look at one of them, and type there */
    struct fb_window *window; /* --fb-window: of picture_of's screen; NULL: none, or closed */
    struct pollfd *fds;       /* room for RUN_FDS and all of theirs; or NULL */
    unsigned int picture_of;  /* --fb-png: of which guest */
    int picture_error;        /* errno of --fb-png */
    bool pictured;            /* there is a picture */
    bool stuck;               /* nothing can ever happen again */
    struct trace_file trace;
    struct run_beside *beside;   /* --bench; or NULL */
    struct run_balloon *balloon; /* --balloon-policy; or NULL */
    uint64_t balloon_failed;     /* targets of its that could not be set */
    struct pcap_files pcap;
    struct condition filter; /* of what goes there */
    bool filter_warned;
    struct pace pace;
    struct stats_wall wall;
    unsigned int nr_guests;
    s_time_t now; /* virtual time that has passed */
    struct run_outcome outcome;
    struct host_pool pools[HOST_MAX_POOLS];
    const char *unannounced; /* what is to be said of the keyboard in the foreground, see keyboard_announce() */
    char *err;               /* RUN_ERR_SIZE bytes, the caller's */
};

/* --- ui/run/told.c: what the machine tells, and what is said of it --- */
s_time_t run_real_now(void);
/* The machine's callbacks. */
struct host_io run_io(struct run *r);
void run_log(void *data, const char *line, size_t len);
/* What the toolstack has to say. */
void run_message(void *data, const char *line);
/* --control, or where it is by default. -1 and a message in r->err. */
int run_control_start(struct run *r, const struct guest_list *l);
void run_warnings(struct run *r, const struct guest_list *l);
void run_stats_show(struct run *r);

/* --fb-png: what the screen of this domain shows; of the one whose picture is wanted. */
void run_picture(struct run *r, domid_t domid);
/* Who is outside, and answers. -1 and a message in r->err. */
int run_outside_start(struct run *r, const struct guest_list *l);

/* --- ui/run/trace.c: --trace. -1 and a message in r->err --- */
int run_trace_start(struct run *r, const struct guest_list *l);

/* --- ui/run/beside.c: --bench, behind --trace. -1 and a message in r->err --- */
int run_beside_start(struct run *r, const struct guest_list *l);
/* The guests are done, and the machine is there: it is shown, unless something has failed. */
void run_beside_end(struct run *r);

/* --- ui/run/balloon.c: --balloon-policy. -1 and a message in r->err --- */
int run_balloon_start(struct run *r, const struct guest_list *l);
/* Behind each slice: has a second passed? */
void run_balloon_tick(struct run *r);
/* The guests are done, and the machine is there: figures are shown, unless something has failed. */
void run_balloon_end(struct run *r);

/* --pcap. -1 and a message in r->err. */
int run_pcap_start(struct run *r, const struct guest_list *l);

/* --- ui/run/record.c: --record --- */
/* Guests are there, and have not run. -1 and a message in r->err. */
int run_recording_start(struct run *r, const struct guest_list *l);
void run_recording_end(struct run *r);
/* A line for the recording, if there is one. */
void run_record(struct run *r, struct record_line l);

/* --- ui/run/keyboard.c: who has it, and waiting for it --- */
/* --console. -1 and a message in r->err. */
int run_keyboard_choose(struct run *r, const struct guest_list *l);
void run_keyboard_give(struct run *r, unsigned int guest);
/* A guest by its name, or by the number of its domain, which is that of its place. False: there is none. */
bool run_guest_find(const struct guest_list *l, const char *who, unsigned int *index);
/* Then: a message in r->err. */
void run_guest_unknown(const struct run *r, const struct guest_list *l, const char *option, const char *who);
/* The guest that has it may have ended for good, or may have become another domain. */
void run_keyboard_check(struct run *r);
void run_terminal_setup(struct run *r);
/* All is idle: wait for input. False if none can come. */
bool run_wait_input(struct run *r);
/* Between two slices. */
void run_rest(struct run *r, s_time_t slice, s_time_t busy);

/* --- ui/run/inputs.c: what is typed, or was recorded --- */
/* What there is for the guests to read, and what programs want of xenstore. */
void run_read(struct run *r);
/* Something comes in. */
void run_hand_in(void *data, const struct journal_record *rec);
void run_channel_hand_in(struct run *r, unsigned int guest, unsigned int channel, bool is_tty, const char *text,
                         size_t len);
/* With a recording in place of input: to the end of a slice, or to its next line; then, the lines of here. */
enum run_result run_live_to(struct run *r, s_time_t end);
enum run_result run_replay_to(struct run *r, s_time_t end);
void run_replay_on(struct run *r, bool idle);

/* --- ui/run/console_to.c: --console-to --- */
/* Guests are there, and have not run. -1 and a message in r->err. */
int run_consoles_start(struct run *r, const struct guest_list *l);
void run_consoles_close(struct run *r);

/* --- ui/run/consoles.c: those that are elsewhere --- */
/* False: this guest's console is here. */
bool run_console_out(struct run *r, domid_t domid, const char *text, size_t len);
/* What it reads comes from there, and not from the keyboard. */
bool run_console_speaks(const struct run *r, unsigned int guest);
/* What has come from there, as far as the guest takes it. */
size_t run_console_read(struct run *r, unsigned int guest, char text[HOST_INPUT_MAX]);
/* Something has come from there that a guest takes now. */
bool run_consoles_ready(const struct run *r);
nfds_t run_consoles_fds(const struct run *r, struct pollfd *fds);

/* --- ui/run/channel_to.c: --channel, and channel of xl.cfg --- */
/* Guests are there, and have not run. -1 and a message in r->err. */
int run_channels_start(struct run *r, const struct guest_list *l);
void run_channels_close(struct run *r);

/* --- ui/run/channels.c: what goes through them --- */
void run_channel_out(struct run *r, domid_t domid, unsigned int channel, const char *text, size_t len);
/* What has come from there, as far as the guest takes it. */
size_t run_channel_read(struct run *r, unsigned int guest, unsigned int channel, char text[HOST_INPUT_MAX]);
/* Something has come that a guest takes now. */
bool run_channels_ready(const struct run *r);
nfds_t run_channels_fds(const struct run *r, struct pollfd *fds);

/* --- ui/run/viewers.c: --vnc, --fb-window, and vfb of xl.cfg --- */
/* Guests are there, and have not run. -1 and a message in r->err. */
int run_screens_start(struct run *r, const struct guest_list *l);
void run_screens_close(struct run *r);

/* --- ui/run/screens.c: those that are looked at --- */
typedef void run_key_fn(struct run *r, unsigned int guest, const struct host_key *key);
void run_screens_take(struct run *r, run_key_fn *fn);
/* False: somebody has closed the window. */
bool run_window_take(struct run *r, run_key_fn *fn);
nfds_t run_screens_fds(const struct run *r, struct pollfd *fds);

/* --- ui/run/gdb.c: --gdb --- */
/* The machine goes both ways, and stands before its guests' first instruction. -1 and a message in r->err. */
int run_gdb_start(struct run *r, const struct guest_list *l);
void run_gdb_finish(struct run *r);
/* As long as gdb does not let the machine go. */
void run_gdb_hold(struct run *r);
enum run_result run_gdb_go(struct run *r, s_time_t end);
/* While gdb lets it run, the end of the run is a place to stand at, and to go back from. True: it stands there. */
bool run_gdb_stands_at_end(struct run *r, bool stuck);

/* --- ui/run/end.c: when a run is over, and what it has come to --- */
/* The scheduler of one's own is at fault: true, and it is said. */
bool run_policy_over(struct run *r);
bool run_ended(struct run *r);
/* Nothing will ever happen again. */
void run_stuck(struct run *r);
/* Why the run has ended, for the recording. False: that is not known. */
bool run_end_reason(const struct run *r, struct record_line *l);
/* The environment's failures that were noted on the way, if nothing worse has been said. */
void run_failures_note(struct run *r);

#endif
