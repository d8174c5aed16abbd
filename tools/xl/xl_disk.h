// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks of a guest, as they are written: disk = [ "FILE,raw,xvda,w" ] of xl.cfg, and --disk.
 *
 * Concept: Xen's own library libxlutil knows the syntax (xl-disk-configuration(5)); here is what the words mean, and
 * which of them are understood: files of raw sectors. A disk's name gives the number by which the guest knows it
 * (xen-vbd-interface(7)):
 *
 *      xvda..  202 << 8 | disk << 4 | partition, and from the 17th disk or 16th partition 1 << 28 | disk << 8 | partition
 *      hda..   3 << 8 or 22 << 8 | disk << 6 | partition
 *      sda..   8 << 8 | disk << 4 | partition
 */
#ifndef TOOLS_XL_XL_DISK_H
#define TOOLS_XL_XL_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XL_DISKS_MAX     64
#define XL_DISK_WHY_SIZE 384

struct xl_disk {
    char *path;
    char vdev[32];
    uint32_t devid;
    bool readonly, cdrom, discard, direct_io_safe;
};

struct xl_disks {
    struct xl_disk *list;
    unsigned int nr;
};

/* Add the disk that an xl.cfg's word is about. False, and why: in words that follow the key. */
bool xl_disks_add(struct xl_disks *disks, const char *spec, char why[XL_DISK_WHY_SIZE]);
/* The same for FILE[,NAME][,ro]; without a name the first xvda, xvdb... that is free. */
bool xl_disks_add_short(struct xl_disks *disks, const char *text, char why[XL_DISK_WHY_SIZE]);
void xl_disks_free(struct xl_disks *disks);

/* The number of the disk or partition with this name. False: there is none. */
bool xl_disk_devid(const char *vdev, uint32_t *devid);

#endif
