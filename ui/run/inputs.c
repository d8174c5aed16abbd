// SPDX-License-Identifier: GPL-2.0-or-later
/* What comes into the machine of `xenlab run`: what is typed, or what was once (`xenlab replay`). See ui/cmd_run.c. */
#include "ui/run/run.h"

#include "tools/rewind/input.h"

#include <string.h>

void run_hand_in(void *data, const struct journal_record *rec)
{
    struct run *r = data;
    char why[REWIND_ERR_SIZE];

    run_record(r, (struct record_line){ .kind = RECORD_JOURNAL, .at = rec->at, .now = rec->now, .in = *rec });
    if (r->gdb.port)
        BUG_ON(rewind_hand_in(&r->debug.rw, rec->kind, rec->who, rec->bytes, rec->len, rec->now, why));
    else
        BUG_ON(input_apply(r->host, rec, why)); /* there is room, or the machine was asked */
}

/* What xenlab ctl has come with, programs at xenstore, the network outside. */
static void on_control(void *data, enum journal_kind kind, unsigned int who, const void *bytes, size_t len)
{
    struct run *r = data;

    run_hand_in(r, &(struct journal_record){ .at = host_machine(r->host)->at,
                                             .now = r->now,
                                             .kind = kind,
                                             .who = who,
                                             .len = len,
                                             .bytes = (uint8_t *)(uintptr_t)bytes });
}

/* What a shared folder is asked. */
static void outside_answer(struct run *r)
{
    unsigned int who;
    size_t len;
    const uint8_t *bytes = host_outside_ask(r->host, &who, &len);

    if (bytes)
        on_control(r, JOURNAL_P9, who, bytes, len);
}

int run_outside_start(struct run *r, const struct guest_list *l)
{
    r->outside.host = r->host;
    r->outside.in = on_control;
    r->outside.say = run_message;
    r->outside.data = r;
    return r->replay ? 0 : outside_open(&r->outside, r->opt, l, r->err);
}

static void type(struct run *r, unsigned int guest, const char *text, size_t len)
{
    on_control(r, JOURNAL_CONSOLE, guest, text, len);
}

void run_channel_hand_in(struct run *r, unsigned int g, unsigned int channel, bool is_tty, const char *text, size_t len)
{
    const struct host_channel_head head = { (uint8_t)channel, is_tty };
    char bytes[sizeof(head) + HOST_INPUT_MAX];

    memcpy(bytes, &head, sizeof(head));
    memcpy(bytes + sizeof(head), text, len);
    run_hand_in(r, &(struct journal_record){ .at = host_machine(r->host)->at,
                                             .now = r->now,
                                             .kind = JOURNAL_CHANNEL,
                                             .who = g,
                                             .len = sizeof(head) + len,
                                             .bytes = (uint8_t *)bytes });
}

/* A key that nobody looks for is lost, as on any keyboard. */
static void on_key(struct run *r, unsigned int guest, const struct host_key *key)
{
    if (host_keyboard(r->host, guest))
        on_control(r, JOURNAL_KEY, guest, key, sizeof(*key));
}

/*
 * What there is for the guests to read. Of a pipe no more is taken than is wanted: the rest may be for who reads it
 * after us. What was typed may be for each of them.
 */
void run_read(struct run *r)
{
    const struct input *in = &r->input;
    const bool each = in->kind == INPUT_TERMINAL;
    char text[HOST_INPUT_MAX];

    input_poll(&r->input);
    if (r->gdb.port && !rewind_is_live(&r->debug.rw)) /* the past has its own */
        return;
    outside_answer(r);
    if (!r->replay)
        outside_hear(&r->outside, r->now);
    ctl_serve_take(&r->ctl, on_control, r);
    run_screens_take(r, on_key);
    if (!run_window_take(r, on_key))
        run_message(r, "the window is closed; its guest goes on");
    for (unsigned int g = 0; r->channels && g < r->nr_guests; g++)
        for (unsigned int c = 1; host_channel(r->host, g, c); c++) {
            const size_t n = run_channel_read(r, g, c, text);

            if (n)
                run_channel_hand_in(r, g, c, false, text, n);
        }
    for (unsigned int g = 0; g < r->nr_guests; g++) {
        const size_t n = run_console_read(r, g, text);

        if (n)
            type(r, g, text, n);
    }
    for (unsigned int g = each ? 0 : in->guest;
         each ? g < r->nr_guests || host_guest_domid(r->host, g) != DOMID_INVALID /* a clone */ : g == in->guest; g++) {
        size_t n = run_console_speaks(r, g) ? 0 : host_console_room(r->host, g);

        if (in->kind == INPUT_PIPE && !host_console_wants_input(r->host, g))
            n = 0;
        if (n && input_ready(in, g))
            n = input_read(&r->input, g, text, n);
        else
            n = 0;
        if (n)
            type(r, g, text, n);
    }
}

static void on_recorded_keyboard(void *data, const struct record_line *l)
{
    struct run *r = data;

    run_record(r, (struct record_line){ .kind = RECORD_KEYBOARD, .guest = l->guest });
    if (r->has_keyboard)
        run_keyboard_give(r, l->guest);
    r->has_keyboard = true;
    r->input.guest = l->guest;
}

/* To the end of a slice, or to where the outside is asked: it has ended there. */
enum run_result run_live_to(struct run *r, s_time_t end)
{
    const struct run_limit l = { .until = end, .at = { .insns = UINT64_MAX }, .stop = &r->process->stop };

    return host_run_to(r->host, &l);
}

/* To the end of a slice, or to the next line: then a slice has ended there, at that time. */
enum run_result run_replay_to(struct run *r, s_time_t end)
{
    const struct run_limit l = { .until = end, .at = replay_stop(r->replay), .stop = &r->process->stop };

    return host_run_to(r->host, &l);
}

/* The lines of here. A machine that is idle, and to which nothing comes here, never gets to the next one. */
void run_replay_on(struct run *r, bool idle)
{
    const struct replay_sink sink = { r, run_hand_in, on_recorded_keyboard };
    const size_t line = r->replay->next;

    if (r->replayed == REPLAY_GOES_ON)
        r->replayed = replay_take(r->replay, r->host, &sink, r->err);
    if (r->replayed == REPLAY_GOES_ON && idle && r->replay->next == line) {
        replay_too_short(r->replay, r->host, r->err);
        r->replayed = REPLAY_DIFFERS;
    }
}
