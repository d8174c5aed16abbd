// SPDX-License-Identifier: GPL-2.0-or-later
/* Consoles of guests that are somewhere else than here: see ui/console_door.h and ui/cmd_run.c. */
#include "ui/run/run.h"

bool run_console_out(struct run *r, domid_t domid, const char *text, size_t len)
{
    const int g = r->consoles ? host_guest_index(r->host, domid) : -1;

    if (g < 0 || (unsigned int)g >= r->nr_guests || r->consoles[g].kind == CONSOLE_DOOR_NONE)
        return false;
    console_door_out(&r->consoles[g], text, len);
    return true;
}

bool run_console_speaks(const struct run *r, unsigned int g)
{
    return r->consoles && g < r->nr_guests && console_door_speaks(&r->consoles[g]);
}

size_t run_console_read(struct run *r, unsigned int g, char text[HOST_INPUT_MAX])
{
    if (!r->consoles || g >= r->nr_guests)
        return 0;
    console_door_take(&r->consoles[g]);
    return console_door_read(&r->consoles[g], text, host_console_room(r->host, g));
}

bool run_consoles_ready(const struct run *r)
{
    for (unsigned int g = 0; r->consoles && g < r->nr_guests; g++)
        if (r->consoles[g].in_len && host_console_room(r->host, g))
            return true;
    return false;
}

nfds_t run_consoles_fds(const struct run *r, struct pollfd *fds)
{
    nfds_t nr = 0;

    for (unsigned int g = 0; r->consoles && g < r->nr_guests; g++)
        nr += console_door_fds(&r->consoles[g], fds + nr);
    return nr;
}
