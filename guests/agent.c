// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * agent: a channel, by hand.
 *
 * Shows that a channel is a console, of which the guest says itself where its page and its port are. A program outside
 * says a line; the agent answers it, and ends at "bye". It finds its channel by the name, as agents do, and waits for
 * nobody: what is said before somebody listens stays in the ring. say=N on its command line: it says N lines first.
 *
 * Stated in public <xen/io/console.h>; the states are those of guests/rt/xenbus.h.
 */
#include "guests/rt/xenbus.h"

#include <xen/io/console.h>

#define RING_REF GNTTAB_NR_RESERVED_ENTRIES

static volatile struct xencons_interface *page;
static evtchn_port_t port;

static void xenstore_event(const char *path, const char *token)
{
    (void)path;
    (void)token;
}

static bool connect(void)
{
    if (!device_find("console"))
        return false;
    grants_init();
    page = page_alloc();
    grant_access(RING_REF, device.peer, (const void *)page, false);
    port = event_alloc_unbound(device.peer);
    device_write_number("ring-ref", RING_REF);
    device_write_number("port", port);
    device_write_number("state", XenbusStateInitialised);
    device_back_state(XenbusStateConnected);
    device_write_number("state", XenbusStateConnected);
    return true;
}

static char hear(void)
{
    char c;

    while (page->in_cons == page->in_prod)
        event_wait(port);
    xen_rmb();
    c = page->in[MASK_XENCONS_IDX(page->in_cons, page->in)];
    xen_mb();
    page->in_cons++;
    event_send(port);
    return c;
}

static void say(const char *text)
{
    for (; *text; text++) {
        while (page->out_prod - page->out_cons == sizeof(page->out))
            event_wait(port);
        page->out[MASK_XENCONS_IDX(page->out_prod, page->out)] = *text;
        xen_wmb();
        page->out_prod++;
    }
    event_send(port);
}

/* A line, without its end, cut if it is long. */
static void line_hear(char *line, size_t size)
{
    size_t n = 0;
    char c;

    while ((c = hear()) != '\n')
        if (n < size - 1 && c != '\r')
            line[n++] = c;
    line[n] = 0;
}

int guest_main(void)
{
    char line[128], answer_line[160];
    unsigned int n = 0;

    if (!connect()) {
        printf("Give me a channel: --channel name=agent,connection=pty.\n");
        return 1;
    }
    printf("I am the agent of the channel %s.\n", device_read(device.front, "name") ?: "?");
    for (unsigned long i = cmdline_number("say", 0); i; i--)
        say("This is a line of a hundred characters, which nobody has asked for, and of which there are many more.\n");
    do {
        line_hear(line, sizeof(line));
        snprintf(answer_line, sizeof(answer_line), "%u: %s\n", ++n, line);
        say(answer_line);
    } while (strcmp(line, "bye"));
    printf("%u lines were said.\n", n);
    return 0;
}
