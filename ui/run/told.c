// SPDX-License-Identifier: GPL-2.0-or-later
/* What a machine tells while it runs, as text on the consoles; and what is said of a run: see ui/cmd_run.c. */
#include "ui/run/run.h"

#include "ui/crash.h"
#include "ui/png.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xen/sched.h>

s_time_t run_real_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return SECONDS(ts.tv_sec) + ts.tv_nsec;
}

static void on_console_out(void *data, domid_t domid, const char *text, size_t len)
{
    struct run *r = data;

    ctl_serve_console(&r->ctl, domid, text, len);
    debug_console_add(&r->debug, domid, text, len);
    if (run_console_out(r, domid, text, len))
        return;
    if (host_guest_index(r->host, domid) > 0)
        console_share(&r->console);
    console_guest_write(&r->console, domid, text, len);
}

static void on_channel_out(void *data, domid_t domid, unsigned int channel, const char *text, size_t len)
{
    run_channel_out(data, domid, channel, text, len);
}

static void on_crash(void *data, const struct crash_report *report)
{
    struct run *r = data;
    const domid_t domid = report->domid;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    console_guest_end(&r->console, domid);
    if (out) {
        crash_print(out, report, host_guest_name(r->host, domid), host_guest_image(r->host, domid));
        fclose(out);
        console_message(&r->console, text, len);
        free(text);
    }
}

/*
 * A guest that ended as crashed without the hypervisor's doing: it said so, its watchdog did, or `xenlab ctl crash`. It
 * has not been shown yet.
 */
static void self_crash_report(struct run *r, domid_t domid, int reason)
{
    struct crash_report report;

    if (host_crash_report(r->host, domid, host_crash_why(r->host, domid, reason), &report))
        on_crash(r, &report);
}

static void on_row(void *data, unsigned int y, uint8_t *rgb)
{
    const struct run *r = data;

    host_screen_row(r->host, r->picture_of, y, UINT_MAX, rgb);
}

void run_picture(struct run *r, domid_t domid)
{
    struct host_screen s;

    if (!r->opt->fb_png || host_guest_index(r->host, domid) != (int)r->picture_of ||
        !host_screen(r->host, r->picture_of, &s))
        return;
    r->picture_error = png_write(r->opt->fb_png, s.width, s.height, on_row, r);
    r->pictured = true;
}

static void on_end(void *data, domid_t domid, int reason)
{
    struct run *r = data;

    run_picture(r, domid);
    console_guest_end(&r->console, domid);
    ctl_serve_ended(&r->ctl, domid, reason);
    if (reason == SHUTDOWN_crash || reason == SHUTDOWN_watchdog) {
        r->outcome.crashed++;
        self_crash_report(r, domid, reason);
    } else if (reason != SHUTDOWN_poweroff && reason != SHUTDOWN_reboot && reason != SHUTDOWN_suspend &&
               reason != SHUTDOWN_soft_reset && reason != HOST_DESTROYED) {
        r->outcome.unknown++;
    }
}

void run_log(void *data, const char *line, size_t len)
{
    struct run *r = data;

    console_message(&r->console, line, len);
}

static void on_xenstore_out(void *data, unsigned int id, const void *bytes, size_t len)
{
    outside_program_out(&((struct run *)data)->outside, id, bytes, len);
}

static void on_xenstore_hang_up(void *data, unsigned int id)
{
    outside_program_hang_up(&((struct run *)data)->outside, id);
}

static void on_ctl_say(void *data, unsigned int id, enum host_ctl what, const char *text, size_t len)
{
    struct run *r = data;

    if (id != RUN_BALLOON_ID)
        ctl_serve_say(&r->ctl, id, what, text, len);
    else if (what == HOST_CTL_END)
        r->balloon_failed += *text != 0;
    else if (what == HOST_CTL_ERR && !r->balloon_failed && !r->replay) /* once: each second might have it */
        console_message(&r->console, text, len);
}

static void on_packet(void *data, const struct host_packet *packet)
{
    pcap_packet(&((struct run *)data)->pcap, packet);
}

/* What the toolstack has to say. */
void run_message(void *data, const char *line)
{
    struct run *r = data;
    char text[HOST_ERR_SIZE + 16];
    const int n = snprintf(text, sizeof(text), "xenlab: %s\n", line);

    console_message(&r->console, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static void on_outside(void *data, const uint8_t *packet, size_t len)
{
    outside_packet_out(&((struct run *)data)->outside, packet, len);
}

struct host_io run_io(struct run *r)
{
    return (struct host_io){ .data = r,
                             .console_out = on_console_out,
                             .channel_out = on_channel_out,
                             .guest_crashed = on_crash,
                             .guest_ended = on_end,
                             .message = run_message,
                             .xenstore_out = on_xenstore_out,
                             .xenstore_hang_up = on_xenstore_hang_up,
                             .ctl_say = on_ctl_say,
                             .outside = r->replay ? NULL : on_outside,
                             .packet = r->opt->nr_pcap ? on_packet : NULL };
}

void run_warnings(struct run *r, const struct guest_list *l)
{
    for (unsigned int i = 0; i < l->nr; i++)
        for (const char *line = l->entries[i].cfg.warnings; line && *line; line += strcspn(line, "\n") + 1) {
            char text[HOST_ERR_SIZE];

            snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"), line);
            run_message(r, text);
        }
}

void run_stats_show(struct run *r)
{
    struct host_task_time tasks[8];
    char *text = NULL;
    size_t len = 0;
    FILE *out = r->opt->stats && r->wall.running ? open_memstream(&text, &len) : NULL;
    struct snapshot s;

    if (!out)
        return;
    r->wall.peak_kib = stats_peak_kib();
    host_snapshot(r->host, &s);
    stats_print(out, &s, &r->wall, tasks, host_dom0_time(r->host, tasks, ARRAY_SIZE(tasks)));
    fclose(out);
    console_message(&r->console, text, len);
    free(text);
}
