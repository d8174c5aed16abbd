// SPDX-License-Identifier: GPL-2.0-or-later
/* Firmware of HVM guests, and the shim of PVH guests, as Debian's packages have it: see ui/firmware.c. */
#ifndef UI_FIRMWARE_H
#define UI_FIRMWARE_H

enum firmware {
    FIRMWARE_HVMLOADER, /* Xen's: finds devices, makes tables, starts the BIOS */
    FIRMWARE_SEABIOS,   /* the BIOS */
    FIRMWARE_VGABIOS,   /* the BIOS of the VGA adapter */
    FIRMWARE_NIC_ROM,   /* iPXE, which an emulated network card starts a guest from */
    FIRMWARE_XEN_SHIM,  /* a Xen that runs as a PVH guest, with a PV guest in it */
};
#define FIRMWARE_NR 5

struct firmware_file {
    const char *name, *package; /* of the file; of Debian, where it comes from */
};
extern const struct firmware_file firmware_files[FIRMWARE_NR];

/*
 * The path of a file that can be read, which the caller frees; NULL: there is none, or no memory. roots: the folders
 * that the packages may be unpacked in, tried in order, ended by NULL; or NULL: where `make assets` unpacks them for
 * this program, then the system.
 */
char *firmware_find(enum firmware what, const char *const *roots);

#endif
