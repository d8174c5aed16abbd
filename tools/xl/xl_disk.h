// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks of a guest, as they are written: disk = [ "FILE,raw,xvda,w" ] of xl.cfg, and --disk.
 *
 * Concept: Xen's own library libxlutil knows the syntax (xl-disk-configuration(5)); here is what the words mean, and
 * which of them are understood. A target is a file, of raw sectors or of a format that QEMU knows, or a URL. Formats
 * that xl has no word for have QEMU's, and there is one word more, speed= (rings/disk_speed.h). A disk's name gives the
 * number by which the guest knows it (xen-vbd-interface(7)):
 *
 *      xvda..  202 << 8 | disk << 4 | partition, and from the 17th disk or 16th partition 1 << 28 | disk << 8 | partition
 *      hda..   3 << 8 or 22 << 8 | disk << 6 | partition
 *      sda..   8 << 8 | disk << 4 | partition
 *      d0p1..  the same as xvda1: the disk's number and the partition's
 *      51712   the number itself
 */
#ifndef TOOLS_XL_XL_DISK_H
#define TOOLS_XL_XL_DISK_H

#include "rings/disk_speed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XL_DISKS_MAX     64
#define XL_IDE_DRIVES    4  /* master and slave of two channels */
#define XL_BACKEND_SIZE  64 /* of a domain's name, with its 0 */
#define XL_DISK_WHY_SIZE 384

/* The word in a configuration, and what QEMU calls it: */
#define XL_DISK_FORMATS(X)                                                                                             \
    X(RAW, raw, raw)                                                                                                   \
    X(QCOW, qcow, qcow)                                                                                                \
    X(QCOW2, qcow2, qcow2)                                                                                             \
    X(QED, qed, qed)                                                                                                   \
    X(VHD, vhd, vpc)                                                                                                   \
    X(VHDX, vhdx, vhdx)                                                                                                \
    X(VMDK, vmdk, vmdk)                                                                                                \
    X(VDI, vdi, vdi)

enum xl_disk_format {
#define X(format, word, driver) XL_DISK_##format,
    XL_DISK_FORMATS(X)
#undef X
        XL_DISK_NR_FORMATS
};

struct xl_disk {
    char *path; /* or a URL */
    enum xl_disk_format format;
    enum disk_speed speed;
    char vdev[32];
    uint32_t devid;
    bool readonly, cdrom, discard, direct_io_safe;
    bool unnamed;                  /* nobody said what it is called: it is the first name that was free */
    bool untrusted;                /* the guest is to protect itself from its back end */
    char backend[XL_BACKEND_SIZE]; /* the driver domain that has it; "": dom0 */
};

struct xl_disks {
    struct xl_disk *list;
    unsigned int nr;
};

/* Add the disk that an xl.cfg's word is about. False, and why: in words that follow the key. */
bool xl_disks_add(struct xl_disks *disks, const char *spec, char why[XL_DISK_WHY_SIZE]);
/*
 * The same for FILE[,NAME][,ro][,FORMAT][,speed=SPEED][,backend=DOMAIN]; without a name the first xvda, xvdb... that is
 * free, without a format what FILE ends in, or raw.
 */
bool xl_disks_add_short(struct xl_disks *disks, const char *text, char why[XL_DISK_WHY_SIZE]);
/* Is this a CD drive without a disc (`,hdc:cdrom,r`)? Which of the IDE drives it is. xl_disks_add() refuses it. */
bool xl_disk_is_empty_cd(const char *spec, unsigned int *drive);
/* `to` gets these, too: one has the place of the disk of its name, the unnamed get names anew. False, and why. */
bool xl_disks_merge(struct xl_disks *to, const struct xl_disks *more, char why[XL_DISK_WHY_SIZE]);
/* The name of a domain that has devices; "" if it is dom0. False: it is too long for one. */
bool xl_backend_read(const char *name, char backend[XL_BACKEND_SIZE]);
void xl_disks_free(struct xl_disks *disks);

/* XL_DISK_NR_FORMATS: there is none with this name, by either. */
enum xl_disk_format xl_disk_format_of(const char *word, size_t len);
const char *xl_disk_word(enum xl_disk_format format);
const char *xl_disk_driver(enum xl_disk_format format);
/* nbd://..., https://...: no path; and of these, those of servers of network block devices. */
bool xl_disk_is_url(const char *path);
bool xl_disk_is_nbd(const char *path);

/* The number of the disk or partition with this name. False: there is none. */
bool xl_disk_devid(const char *vdev, uint32_t *devid);
/* Which of the four IDE drives a disk is by its number, hda to hdd or xvda to xvdd; XL_IDE_DRIVES: none. */
unsigned int xl_disk_drive(uint32_t devid);

#endif
