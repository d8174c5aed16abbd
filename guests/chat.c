// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * chat: two guests that talk over xenstore.
 *
 * Shows what xenstore is for when there is no device yet: each side has a node of its own, gives the other one the
 * right to read it and what is below, and watches the other's. Nothing else is agreed on: no port, no page. "peer=N"
 * says which domain the other is; each line that is typed becomes a node, data/say/1, data/say/2..., and "bye" ends
 * both.
 *
 * A watch is set for a node that is not there yet, and may not be read: xenstore tells of it when both have changed. It
 * tells that something has changed, and may tell less often than it does; what has changed is for the watcher to find.
 */
#include "guests/rt/xenstore.h"

#include <xen/io/console.h>

static volatile struct xencons_interface *console;
static char peer_path[48];
static unsigned int changes, heard, said;
static bool over;

/* Two strings in one payload. */
static void ask2(uint32_t type, const char *first, const char *second)
{
    char payload[256];
    int len = snprintf(payload, sizeof(payload), "%s%c%s", first, 0, second);

    if (ask(type, payload, (size_t)len + (type == XS_WRITE ? 0 : 1)) < 0)
        guest_panic("xenstore: %s: %s", first, answer);
}

/* Only noted: an answer may be waited for. */
static void xenstore_event(const char *path, const char *token)
{
    (void)path;
    (void)token;
    changes++;
}

/* What the other one has said since. */
static void listen(void)
{
    while (ring->rsp_prod != ring->rsp_cons)
        receive();
    while (changes && !over) {
        char path[64];
        int len = snprintf(path, sizeof(path), "%s/%u", peer_path, heard + 1);

        changes = 0;
        if (ask(XS_READ, path, (size_t)len + 1) < 0)
            continue;
        heard++;
        changes++; /* there may be another */
        over = !strcmp(answer, "bye");
        printf("domain %ld says: %s\n", cmdline_number("peer", 0), answer);
    }
}

/* A line as typed, without its end. False: the other one has ended it. */
static bool line_read(char *line, size_t size)
{
    size_t len = 0;

    for (;;) {
        char c;

        while (console->in_cons == console->in_prod && !over) {
            listen();
            if (!over && console->in_cons == console->in_prod)
                events_wait();
        }
        if (over)
            return false;
        c = console_read();
        if (c == '\r' || c == '\n')
            break;
        if (len + 1 < size)
            line[len++] = c;
    }
    line[len] = '\0';
    return true;
}

static void woken(evtchn_port_t port) { (void)port; }

int guest_main(void)
{
    char line[80], perms[32], path[32];
    long peer = cmdline_number("peer", 0);
    int len;

    if (!peer) {
        printf("Give me a command line: peer=2, and another guest peer=1.\n");
        return 1;
    }
    ring = mfn_to_virt(start_info->store_mfn);
    console = mfn_to_virt(start_info->console.domU.mfn);
    events_disable();
    event_handler_set(start_info->store_evtchn, woken);
    event_handler_set(start_info->console.domU.evtchn, woken);
    ask2(XS_WRITE, "data/say", "");
    ask(XS_READ, "domid", 6);
    len = snprintf(perms, sizeof(perms), "data/say%cn%s%cr%ld", 0, answer, 0, peer);
    if (ask(XS_SET_PERMS, perms, (size_t)len + 1) < 0)
        guest_panic("xenstore: permissions: %s", answer);
    snprintf(peer_path, sizeof(peer_path), "/local/domain/%ld/data/say", peer);
    ask2(XS_WATCH, peer_path, "peer");
    printf("Say something; \"bye\" ends it.\n");
    while (line_read(line, sizeof(line))) {
        snprintf(path, sizeof(path), "data/say/%u", ++said);
        ask2(XS_WRITE, path, line);
        if (!strcmp(line, "bye"))
            break;
    }
    return 0;
}
