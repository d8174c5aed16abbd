// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is outside of a machine and answers it: see ui/outside.h. */
#include "ui/outside.h"

#include <stdio.h>
#include <string.h>

static void say(struct outside *o, const char *line) { o->say(o->data, line); }

/* --- the network --- */

/* One of two words that only one card can say. False: another has said otherwise. */
static bool agree(const char **said, const char *word, const char *key, char err[RUN_ERR_SIZE])
{
    if (!*word)
        return true;
    if (*said && strcmp(*said, word)) {
        snprintf(err, RUN_ERR_SIZE, "vif: %s=%s: another card has %s", key, word, *said);
        return false;
    }
    *said = word;
    return true;
}

/* What all cards of the bridge say of its TFTP; NULL stays where none does. */
static bool tftp_find(const struct guest_list *l, const char **tftp, const char **bootfile, char err[RUN_ERR_SIZE])
{
    for (uint64_t i = 0; i < l->nr; i++) {
        const struct xl_vifs *vifs = l->entries[i].guest.vifs;

        for (unsigned int v = 0; vifs && v < vifs->nr; v++)
            if (!agree(tftp, vifs->list[v].tftp, "tftp", err) ||
                !agree(bootfile, vifs->list[v].bootfile, "bootfile", err))
                return false;
    }
    return true;
}

/* NULL: a message in err. */
static struct slirp_door *net_open(struct outside *o, char err[RUN_ERR_SIZE])
{
    const char *tftp = NULL, *bootfile = NULL;
    struct slirp_door *d =
        tftp_find(o->list, &tftp, &bootfile, err) ? slirp_door_open(tftp, bootfile, err, RUN_ERR_SIZE) : NULL;

    if (d && !slirp_door_names(SLIRP_DOOR_NAMES))
        say(o, "the bridge " XL_VIF_OUTSIDE ": " SLIRP_DOOR_NAMES
               " has no nameserver with an IPv4 address: nobody answers at 10.0.2.3");
    return d;
}

void outside_packet_out(struct outside *o, const uint8_t *packet, size_t len)
{
    char err[RUN_ERR_SIZE];

    if (!o->net && !o->net_failed) { /* the card has come while its guest ran */
        o->net = net_open(o, err);
        o->net_failed = !o->net;
        if (o->net_failed)
            say(o, err);
    }
    if (o->net)
        slirp_door_out(o->net, host_now(o->host) + o->idle, packet, len);
    o->nr_moved += len > 13 && packet[12] == 0x08 && !packet[13]; /* IPv6 is for nobody */
}

static bool on_packet(void *data, const void *packet, size_t len)
{
    struct outside *o = data;

    if (!host_packet_fits(o->host, len))
        return true; /* it is an answer to who is gone */
    if (host_packet_waits(o->host, packet))
        return false;
    o->nr_moved++;
    o->in(o->data, JOURNAL_NET, 0, packet, len);
    return true;
}

static int forwards_open(struct outside *o, const struct xl_vif *v, char err[RUN_ERR_SIZE])
{
    for (unsigned int f = 0; f < v->nr_forwards; f++)
        if (slirp_door_forward(o->net, &v->forward[f], err, RUN_ERR_SIZE))
            return -1;
    return 0;
}

/* If a guest is on the bridge that has an outside. */
static int nets_open(struct outside *o, const struct guest_list *l, char err[RUN_ERR_SIZE])
{
    for (uint64_t i = 0; i < l->nr; i++) {
        const struct xl_vifs *vifs = l->entries[i].guest.vifs;

        for (unsigned int v = 0; vifs && v < vifs->nr; v++) {
            if (strcmp(vifs->list[v].bridge, XL_VIF_OUTSIDE))
                continue;
            o->net = o->net ?: net_open(o, err);
            if (!o->net || forwards_open(o, &vifs->list[v], err))
                return -1;
        }
    }
    return 0;
}

/* Those behind the old door know nothing of this future: another door, and what guests have through it ends. */
static void net_reset(struct outside *o)
{
    const bool talked = slirp_door_connected(o->net) || slirp_door_asked(o->net);
    uint8_t packet[HOST_PACKET_RESET];
    char text[RUN_ERR_SIZE + 64];
    unsigned int nr = 0;

    if (!o->net)
        return;
    slirp_door_close(o->net);
    o->net = NULL;
    for (unsigned int i = 0; i < HOST_CONNECTIONS; i++)
        if (host_packet_reset(o->host, i, packet)) {
            o->in(o->data, JOURNAL_NET, 0, packet, sizeof(packet));
            nr++;
        }
    if (nets_open(o, o->list, text)) {
        slirp_door_close(o->net);
        o->net = NULL;
        o->net_failed = true;
        say(o, text);
    }
    snprintf(text, sizeof(text), "another future: the network outside begins anew, %u connection%s reset", nr,
             nr == 1 ? " is" : "s are");
    if (talked || nr)
        say(o, text);
}

/* --- programs at its xenstore --- */

void outside_program_out(struct outside *o, unsigned int id, const void *bytes, size_t len)
{
    o->nr_moved++;
    socket_door_out(&o->programs, id, bytes, len);
}

void outside_program_hang_up(struct outside *o, unsigned int id) { socket_door_hang_up(&o->programs, id); }

static void program_in(struct outside *o, unsigned int id, enum host_socket what, const void *bytes, size_t len)
{
    uint8_t all[1 + 4096] = { (uint8_t)what };

    if (len)
        memcpy(all + 1, bytes, len);
    o->nr_moved++;
    o->in(o->data, JOURNAL_XENSTORE, id, all, 1 + len);
}

static void on_program(void *data, unsigned int id, enum host_socket what, const void *bytes, size_t len)
{
    program_in(data, id, what, bytes, len);
}

/* On this line nobody has them: the machine's end of each is closed, and theirs. */
static void programs_reset(struct outside *o)
{
    const unsigned int nr = socket_door_shut(&o->programs);
    char text[128];

    for (unsigned int id = 1; id <= o->programs.last_id; id++)
        if (host_xenstore_is_open(o->host, id))
            program_in(o, id, HOST_SOCKET_CLOSE, NULL, 0);
    snprintf(text, sizeof(text), "another future: %u program%s at xenstore that knew the other %s hung up on", nr,
             nr == 1 ? "" : "s", nr == 1 ? "is" : "are");
    if (nr)
        say(o, text);
}

/* --- all of them --- */

int outside_open(struct outside *o, const struct run_options *opt, const struct guest_list *l, char err[RUN_ERR_SIZE])
{
    o->list = l;
    if (socket_door_open(&o->programs, "--xenstore-socket", opt->xenstore_socket, err, RUN_ERR_SIZE))
        return -1;
    return nets_open(o, l, err);
}

void outside_close(struct outside *o)
{
    socket_door_close(&o->programs);
    slirp_door_close(o->net);
    o->net = NULL;
    o->net_failed = true;
}

void outside_hear(struct outside *o, s_time_t now)
{
    if (o->rw && o->line != o->rw->line) {
        o->line = o->rw->line;
        programs_reset(o);
        net_reset(o);
    }
    socket_door_take(&o->programs, on_program, o);
    if (o->net)
        slirp_door_take(o->net, now + o->idle, on_packet, o);
}

bool outside_speaks(const struct outside *o) { return o->programs.path || slirp_door_speaks(o->net); }

s_time_t outside_due(const struct outside *o) { return slirp_door_speaks(o->net) ? slirp_door_due(o->net) : -1; }

nfds_t outside_fds(const struct outside *o, struct pollfd *fds)
{
    const nfds_t nr = socket_door_fds(&o->programs, fds);

    return nr + slirp_door_fds(o->net, fds + nr);
}
