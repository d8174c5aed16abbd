// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * grants: two domains share memory, by consent.
 *
 * Shows the life of a grant from both sides: mapping, reading and writing through it, the refusals, copying, revoking,
 * and that a mapping outlives the domain whose page it is. Run it twice, as domains 1 and 2 (see
 * tests/guest/grants-*.cfg): one with the command line "role=offer peer=2", the other with "role=use peer=1".
 *
 * They have to agree on one thing in advance: the reference FIRST. The page behind it tells the rest.
 */
#include "guests/rt/guest.h"

enum { FIRST = GNTTAB_NR_RESERVED_ENTRIES, READONLY, LAST_WORDS, NO_SUCH };

struct shared {
    evtchn_port_t port;
    char text[64];
};

static domid_t peer;

static int offer(void)
{
    struct shared *shared = page_alloc();
    char *readonly = page_alloc(), *last_words = page_alloc();
    evtchn_port_t port = event_alloc_unbound(peer);

    grants_init();
    shared->port = port;
    memcpy(shared->text, "written by the owner", 21);
    memcpy(readonly, "look, do not touch", 19);
    memcpy(last_words, "I was here", 11);
    grant_access(READONLY, peer, readonly, true);
    grant_access(LAST_WORDS, peer, last_words, true);
    grant_access(FIRST, peer, shared, false);
    printf("owner: granted three pages to domain %u\n", peer);

    event_wait(port);
    printf("owner: my page says \"%s\"\n", shared->text);
    printf("owner: revoking it while it is mapped: %s\n", grant_revoke(FIRST) ? "done" : "in use");
    event_send(port);

    event_wait(port);
    printf("owner: revoking it again: %s\n", grant_revoke(FIRST) ? "done" : "in use");
    printf("owner: the page that may only be read says \"%s\"\n", readonly);
    event_send(port);

    event_wait(port);
    printf("owner: good bye\n");
    return 0;
}

static long poke(long arg)
{
    *(volatile char *)arg = 'X';
    return 0;
}

static void try_map(const char *what, void *va, domid_t dom, grant_ref_t ref, bool readonly)
{
    grant_handle_t handle;
    int status = grant_map(va, dom, ref, readonly, &handle);

    printf("user: mapping %s: %s\n", what, grant_error(status));
    if (status == GNTST_okay)
        grant_unmap(va, handle);
}

static void refusals(void *va)
{
    grant_handle_t handle;
    struct caught c;

    try_map("the read-only page for writing", va, peer, READONLY, false);
    try_map("a page that was not granted", va, peer, NO_SUCH, false);
    try_map("a page of domain 99", va, 99, FIRST, false);
    grant_map(va, peer, READONLY, true, &handle);
    printf("user: the read-only page says \"%s\"\n", (char *)va);
    c = trap_catch(poke, (long)va);
    printf("user: writing to it: %s\n", c.trapped ? trap_name(c.vector) : "no fault");
    printf("user: mapping the same frame without a grant: %s\n",
           xen_error(page_map(page_alloc(), virt_to_mfn(va), PTE_READONLY)));
    printf("user: unmapping it: %s\n", grant_error(grant_unmap(va, handle)));
    printf("user: once more: %s\n", grant_error(grant_unmap(va, handle)));
}

static void copies(char *buf)
{
    printf("user: copying from the read-only page: %s, \"%s\"\n",
           grant_error(grant_copy(buf, peer, READONLY, false, PAGE_SIZE)), buf);
    printf("user: copying to it: %s\n", grant_error(grant_copy(buf, peer, READONLY, true, 8)));
    printf("user: copying more than a page: %s\n", grant_error(grant_copy(buf, peer, READONLY, false, PAGE_SIZE + 1)));
}

static int use(void)
{
    struct shared *shared = page_alloc();
    char *va = page_alloc(), *buf = page_alloc();
    struct evtchn_status status = { .dom = DOMID_SELF };
    grant_handle_t handle, last;
    long port;

    while (grant_map(shared, peer, FIRST, false, &handle) != GNTST_okay)
        time_sleep(1000000); /* the owner is not there yet */
    port = MUST(event_bind_interdomain(peer, shared->port));
    event_clear((evtchn_port_t)port); /* binding sets it, in case something was sent before: nothing was */
    printf("user: mapped a page that says \"%s\"\n", shared->text);
    memcpy(shared->text, "changed by the user", 20);
    event_send((evtchn_port_t)port);
    event_wait((evtchn_port_t)port);

    refusals(va);
    copies(buf);
    printf("user: unmapping the first page: %s\n", grant_error(grant_unmap(shared, handle)));
    event_send((evtchn_port_t)port);
    event_wait((evtchn_port_t)port);
    try_map("the revoked page", va, peer, FIRST, false);

    grant_map(va, peer, LAST_WORDS, true, &last);
    event_send((evtchn_port_t)port);
    status.port = (evtchn_port_t)port;
    do
        time_sleep(1000000);
    while (HYPERVISOR_event_channel_op(EVTCHNOP_status, &status) == 0 && status.status == EVTCHNSTAT_interdomain);
    printf("user: the owner is gone; its page is not: \"%s\"\n", va);
    printf("user: unmapping that: %s\n", grant_error(grant_unmap(va, last)));
    return 0;
}

int guest_main(void)
{
    char buf[16];
    const char *role = cmdline_text("role", buf, sizeof(buf), "");

    peer = (domid_t)cmdline_number("peer", 0);
    if (!strcmp(role, "offer"))
        return offer();
    if (!strcmp(role, "use"))
        return use();
    printf("Give me a command line: role=offer peer=2, or role=use peer=1.\n");
    return 1;
}
