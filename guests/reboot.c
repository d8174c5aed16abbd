// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reboot: a guest that wants to be started again.
 *
 * Shows that a reboot is nothing the guest does: it shuts down and says why (SHUTDOWN_reboot), and the toolstack builds
 * a new domain from the same files, as on_reboot says. Nothing of the old one is left, so nothing can be counted; but
 * Xen's clock goes on, and tells how late it is. With how=crash and how=watchdog it is on_crash and on_watchdog that
 * decide.
 *
 * Command line: how=reboot|crash|watchdog|poweroff|soft_reset (also for a number) until_ms=... live_ms=...: from
 * until_ms on it powers off; before, it lives for live_ms first.
 */
#include "guests/rt/guest.h"

#define MS 1000000ul

static const struct {
    const char *name;
    unsigned int reason;
} reasons[] = {
    { "poweroff", SHUTDOWN_poweroff }, { "reboot", SHUTDOWN_reboot },         { "crash", SHUTDOWN_crash },
    { "watchdog", SHUTDOWN_watchdog }, { "soft_reset", SHUTDOWN_soft_reset },
};

int guest_main(void)
{
    const uint64_t until = (uint64_t)cmdline_number("until_ms", 100) * MS;
    const uint64_t start = time_now();
    char buf[16];
    const char *how = cmdline_text("how", buf, sizeof(buf), "reboot");
    unsigned int reason = (unsigned int)cmdline_number("how", SHUTDOWN_reboot);

    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (!strcmp(how, reasons[i].name))
            reason = reasons[i].reason;
    if (start >= until) {
        printf("Started at %lu ms. That is enough.\n", start / MS);
        return 0;
    }
    printf("Started at %lu ms. Shutting down with reason %u.\n", start / MS, reason);
    time_sleep((uint64_t)cmdline_number("live_ms", 0) * MS);
    guest_shutdown(reason);
}
