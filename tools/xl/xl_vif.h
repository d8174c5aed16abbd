// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Network cards of a guest, as they are written: vif = [ "mac=00:16:3e:01:02:03,bridge=xenbr0" ] of xl.cfg, and --net.
 *
 * Concept: words with values, all of which may be left out (xl-network-configuration(5)). What cannot be had here is
 * refused by name; what says nothing to a PV guest (model=) is read.
 */
#ifndef TOOLS_XL_XL_VIF_H
#define TOOLS_XL_XL_VIF_H

#include "tools/xl/xl_disk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XL_VIFS_MAX           8
#define XL_VIF_WHY_SIZE       384
#define XL_VIF_NAME_SIZE      16 /* of an interface in Linux, with its 0 */
#define XL_VIF_DEFAULT_BRIDGE "xenbr0"
#define XL_VIF_DEFAULT_MTU    1500
#define XL_VIF_OUTSIDE        "user" /* the bridge behind which is the host's network */
#define XL_VIF_FORWARDS       4
#define XL_VIF_TFTP_SIZE      256
#define XL_VIF_BOOTFILE_SIZE  128 /* what BOOTP has room for */

/* hostfwd=tcp:127.0.0.1:8080-10.0.2.15:80: who connects there is led into the machine. Addresses in network order. */
struct xl_forward {
    bool udp;
    uint32_t host_addr, guest_addr;
    uint16_t host_port, guest_port;
};

struct xl_vif {
    bool has_mac;
    uint8_t mac[6];
    char bridge[XL_VIF_NAME_SIZE];  /* "": the default */
    char vifname[XL_VIF_NAME_SIZE]; /* "": vifDOMID.DEVID */
    char ip[128];                   /* "": none is stated */
    char backend[XL_BACKEND_SIZE];  /* the driver domain that has it; "": dom0 */
    uint64_t rate_bytes;            /* in each interval; 0: there is no limit */
    uint32_t rate_interval_us;
    uint32_t devid, mtu;
    bool only_pv;     /* type=vif: an HVM guest has no emulated card beside */
    bool ioemu;       /* type=ioemu: it has one */
    bool other_model; /* than rtl8139, which it is */
    bool unnumbered;  /* nobody said its devid: it is the first that was free */
    struct xl_forward forward[XL_VIF_FORWARDS];
    unsigned int nr_forwards;
    char tftp[XL_VIF_TFTP_SIZE];         /* a folder whose files 10.0.2.2 hands out by TFTP; "": none */
    char bootfile[XL_VIF_BOOTFILE_SIZE]; /* what DHCP names to who starts from the network; "": nothing */
    bool untrusted;                      /* the guest is to protect itself from its back end */
};

struct xl_vifs {
    struct xl_vif list[XL_VIFS_MAX];
    unsigned int nr;
};

/* Add the card that an xl.cfg's word is about. False, and why: in words that follow the key. */
bool xl_vifs_add(struct xl_vifs *vifs, const char *spec, char why[XL_VIF_WHY_SIZE]);
/* The same, where a first word without a value is the bridge's name. */
bool xl_vifs_add_short(struct xl_vifs *vifs, const char *text, char why[XL_VIF_WHY_SIZE]);
/* The first of its words that are about the network outside; NULL: it has none. */
const char *xl_vif_outside_word(const struct xl_vif *v);
/* `to` gets these, too: one has the place of the card of its number, the unnumbered get new ones. False, and why. */
bool xl_vifs_merge(struct xl_vifs *to, const struct xl_vifs *more, char why[XL_VIF_WHY_SIZE]);

#endif
