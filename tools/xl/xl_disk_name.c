// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a disk is called, as a number: see tools/xl/xl_disk.h. Numbers are as libxl__device_disk_dev_number() has them,
 * and so are the names that it takes.
 */
#include "tools/xl/xl_disk.h"

#include <stdlib.h>
#include <string.h>

/* Letters as digits: a is 0, z 25, aa 26. The end, or NULL. */
static const char *disk_letters(const char *p, unsigned long *disk)
{
    unsigned long n = 0;

    if (*p < 'a' || *p > 'z')
        return NULL;
    for (; *p >= 'a' && *p <= 'z' && n < 1 << 20; p++)
        n = n * 26 + (unsigned long)(*p - 'a') + 1;
    *disk = n - 1;
    return p;
}

/* "" or a number without leading zeroes: the partition; 0: the whole disk. */
static bool partition_parse(const char *p, unsigned long *part)
{
    char *end;

    *part = 0;
    if (!*p)
        return true;
    if (*p < '1' || *p > '9' || strlen(p) > 6)
        return false;
    *part = strtoul(p, &end, 10);
    return !*end;
}

static bool virtual_devid(unsigned long disk, unsigned long part, uint32_t *devid)
{
    if (disk <= 15 && part <= 15)
        *devid = (uint32_t)(202 << 8 | disk << 4 | part);
    else if (disk < 1 << 20 && part < 256)
        *devid = (uint32_t)(1u << 28 | disk << 8 | part);
    else
        return false;
    return true;
}

/* d3p1, where other names have letters: a disk and a partition. */
static bool pair_parse(const char *p, unsigned long *disk, unsigned long *part)
{
    char *end;

    if (*p != 'd' || p[1] < '0' || p[1] > '9')
        return false;
    *disk = strtoul(p + 1, &end, 10);
    if (*end != 'p' || end[1] < '0' || end[1] > '9')
        return false;
    *part = strtoul(end + 1, &end, 10);
    return !*end;
}

/* 51712 or 0xca00: the number itself. */
static bool number_parse(const char *p, uint32_t *devid)
{
    unsigned long n;
    char *end;

    if (*p < '0' || *p > '9')
        return false;
    n = strtoul(p, &end, 0);
    *devid = (uint32_t)n;
    return !*end && n <= INT32_MAX;
}

bool xl_disk_devid(const char *vdev, uint32_t *devid)
{
    const bool virtual = !strncmp(vdev, "xvd", 3), ide = !strncmp(vdev, "hd", 2), scsi = !strncmp(vdev, "sd", 2);
    unsigned long disk = 0, part = 0;
    const char *p = virtual || ide || scsi ? disk_letters(vdev + 2 + virtual, &disk) : NULL;

    if (number_parse(vdev, devid))
        return true;
    if (pair_parse(vdev, &disk, &part))
        return virtual_devid(disk, part, devid);
    if (!p || !partition_parse(p, &part))
        return false;
    if (virtual)
        return virtual_devid(disk, part, devid);
    if (ide && disk <= 3 && part <= 63)
        *devid = (uint32_t)((disk < 2 ? 3 : 22) << 8 | (disk & 1) << 6 | part);
    else if (scsi && disk <= 15 && part <= 15)
        *devid = (uint32_t)(8 << 8 | disk << 4 | part);
    else
        return false;
    return true;
}

unsigned int xl_disk_drive(uint32_t devid)
{
    const unsigned int major = devid >> 8, minor = devid & 0xff;

    switch (major) {
    case 3: return minor >> 6 < 2 && !(minor & 63) ? minor >> 6 : XL_IDE_DRIVES;
    case 22: return minor >> 6 < 2 && !(minor & 63) ? 2 + (minor >> 6) : XL_IDE_DRIVES;
    case 202: return minor >> 4 < XL_IDE_DRIVES && !(minor & 15) ? minor >> 4 : XL_IDE_DRIVES;
    default: return XL_IDE_DRIVES;
    }
}
