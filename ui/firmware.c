// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the firmware of HVM guests is, and the shim of PVH guests.
 *
 * Concept: it comes in Debian's packages, which are installed, or unpacked by scripts/assets.sh beside this program:
 * either way it is at the same place below some folder. What is beside the program comes first, since it is of known
 * versions. The folder of hvmloader and xen-shim has Xen's version in its name: of several the last counts.
 *
 * Corresponds to libxl__xenfirmwaredir_path() and libxl__seabios_path() of tools/libs/light.
 */
#include "ui/firmware.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct firmware_file firmware_files[FIRMWARE_NR] = {
    [FIRMWARE_HVMLOADER] = { "hvmloader", "xen-utils-4.17" }, [FIRMWARE_SEABIOS] = { "bios-256k.bin", "seabios" },
    [FIRMWARE_VGABIOS] = { "vgabios-stdvga.bin", "seabios" }, [FIRMWARE_NIC_ROM] = { "pxe-rtl8139.rom", "ipxe-qemu" },
    [FIRMWARE_XEN_SHIM] = { "xen-shim", "xen-utils-4.17" },
};

static const char *const patterns[FIRMWARE_NR] = {
    [FIRMWARE_HVMLOADER] = "usr/lib/xen-4.*/boot/hvmloader",
    [FIRMWARE_SEABIOS] = "usr/share/seabios/bios-256k.bin",
    [FIRMWARE_VGABIOS] = "usr/share/seabios/vgabios-stdvga.bin",
    [FIRMWARE_NIC_ROM] = "usr/lib/ipxe/qemu/pxe-rtl8139.rom",
    [FIRMWARE_XEN_SHIM] = "usr/lib/xen-4.*/boot/xen-shim",
};

/* The folder's name is no pattern. -1: it is too long. */
static int pattern_make(char out[PATH_MAX], const char *root, const char *pattern)
{
    size_t n = 0;

    for (; *root && n + 2 < PATH_MAX; root++) {
        if (strchr("*?[\\", *root))
            out[n++] = '\\';
        out[n++] = *root;
    }
    return *root || n + strlen(pattern) + 2 > PATH_MAX ? -1 : sprintf(out + n, "/%s", pattern);
}

static char *find_below(const char *root, const char *pattern)
{
    char text[PATH_MAX], *found = NULL;
    glob_t g = { 0 };

    if (pattern_make(text, root, pattern) < 0)
        return NULL;
    if (!glob(text, 0, NULL, &g))
        for (size_t i = g.gl_pathc; i-- > 0 && !found;)
            if (!access(g.gl_pathv[i], R_OK))
                found = strdup(g.gl_pathv[i]);
    globfree(&g);
    return found;
}

char *firmware_find(enum firmware what, const char *const *roots)
{
    char beside[PATH_MAX] = "";
    const char *const usual[] = { beside, "", NULL };
    char *slash, *found = NULL;
    ssize_t n;

    if (!roots) {
        n = readlink("/proc/self/exe", beside, sizeof(beside) - sizeof("/assets"));
        beside[n > 0 ? n : 0] = '\0';
        slash = strrchr(beside, '/');
        if (slash)
            strcpy(slash, "/assets");
        roots = usual;
    }
    for (; *roots && !found; roots++)
        found = find_below(*roots, patterns[what]);
    return found;
}
