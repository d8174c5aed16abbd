// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * --pcap FILE: what goes through networks of guests, as tcpdump and Wireshark read it.
 *
 * Concept: with a port's name in front ("vif1.0=FILE"), what goes in and out there; without, each packet of all bridges
 * once, as it comes in. Long segments are cut and blank sums filled in, as by a card. Times are those of dom0's clock,
 * in nanoseconds.
 *
 *      | a1b23c4d  2  4  0  0  65535  1 (Ethernet) | seconds  ns  bytes  bytes | packet | seconds ...
 *
 * Source: the libpcap file format, as pcap-savefile(5) describes it; the host's own order of bytes.
 */
#ifndef UI_PCAP_FILE_H
#define UI_PCAP_FILE_H

#include "tools/host.h"

#include <stdio.h>

#define PCAP_FILES_MAX 8
#define PCAP_PORT_SIZE 16

struct pcap_files {
    unsigned int nr;
    struct pcap_file {
        const char *path;
        char port[PCAP_PORT_SIZE]; /* "": all */
        FILE *out;
        int error; /* the first one, errno */
    } file[PCAP_FILES_MAX];
};

/* Where in the option's value the path begins; *port becomes the name in front, or "". */
const char *pcap_path(const char *value, char port[PCAP_PORT_SIZE]);
/* The one that this value names. -1 and errno. */
int pcap_open(struct pcap_files *p, const char *value);
void pcap_packet(struct pcap_files *p, const struct host_packet *packet);
/* 0, or errno of what could not be written, and *path of which. Harmless if there are none. */
int pcap_close(struct pcap_files *p, const char **path);

#endif
