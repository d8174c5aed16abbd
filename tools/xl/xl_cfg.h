// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest configuration files, as `xl create` takes them.
 *
 * Concept: an xl.cfg (manual page xl.cfg(5)) is a list of settings, "memory = 128", in a syntax that once was Python.
 * Xen's own library libxlutil knows the syntax; what the settings mean, this file does. A setting that xenlab has no
 * use for is warned about by name and passed over, so that real files work; a setting it understands must make sense.
 *
 * Invariants: every message begins with the file's name and, where there is one, the line: "guest.cfg:7: memory: ...".
 * Nothing in the file can crash or stall the reader: what libxlutil does not bear (zero bytes, a great many "+=") is
 * refused before it sees it.
 *
 * Simplifies Xen's tools/xl/xl_parse.c, of whose two hundred keys it reads some seventy.
 */
#ifndef TOOLS_XL_XL_CFG_H
#define TOOLS_XL_XL_CFG_H

#include "tools/build/limits.h"
#include "tools/xl/xl_channel.h"
#include "tools/xl/xl_cpuid.h"
#include "tools/xl/xl_disk.h"
#include "tools/xl/xl_fb.h"
#include "tools/xl/xl_hvm.h"
#include "tools/xl/xl_p9.h"
#include "tools/xl/xl_sched.h"
#include "tools/xl/xl_vif.h"
#include "tools/xl/xl_where.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XL_DOM0_NAME "Domain-0" /* no guest may be called so */

/* Size of the caller's buffer for a message. */
#define XL_ERR_SIZE 1024

#define XL_CONFIG_SIZE_MAX     (64 << 10) /* bytes of a file */
#define XL_MEMORY_MIB_MAX      524287     /* MACHINE_MAX_RAM_MIB of sim/machine.h */
#define XL_TSC_ALWAYS_EMULATE  1          /* TSC_MODE_* of vcpu/tsc.h */
#define XL_VCPUS_MAX           64         /* MAX_VIRT_CPUS of vcpu/noun/domain.h */
#define XL_GRANT_FRAMES_MAX    64         /* GNTTAB_MAX_* of mmu/grant/grant_table.h */
#define XL_MAPTRACK_FRAMES_MAX 1024

enum xl_type { XL_TYPE_PV, XL_TYPE_PVH, XL_TYPE_HVM };

/* What becomes of a domain that has shut down; the names are those of xl.cfg(5). */
enum xl_action {
    XL_ACTION_DESTROY,
    XL_ACTION_RESTART,
    XL_ACTION_RENAME_RESTART,
    XL_ACTION_PRESERVE,
    XL_ACTION_COREDUMP_DESTROY,
    XL_ACTION_COREDUMP_RESTART,
    XL_ACTION_SOFT_RESET,
};

/* Strings are owned by the structure; NULL is "not stated". A number of 0 is "not stated", too. */
struct xl_config {
    struct xl_where where; /* for what is found wanting later */
    char *name;
    bool has_type; /* else type is PV, xl's default */
    enum xl_type type;
    bool driver_domain;     /* it has back ends of devices, and no kernel of its own */
    char *kernel, *ramdisk; /* paths that open() can take; the kernel is there but for HVM and driver domains */
    char *cmdline;          /* from cmdline, or else root and extra */
    unsigned int memory_mib, maxmem_mib; /* memory <= maxmem if both are stated */
    unsigned int vcpus, maxvcpus;        /* vcpus <= maxvcpus if both are stated */
    struct xl_sched sched; /* cpu_weight, cap, cpus...; checked as far as that is possible without a machine */
    enum xl_action on_poweroff, on_reboot, on_crash, on_watchdog, on_soft_reset; /* xl's defaults are filled in */
    unsigned int tsc_mode;                                                       /* TSC_MODE_* of vcpu/tsc.h */
    struct xl_cpuid cpuid;
    struct xl_disks disks;
    struct xl_vifs vifs;
    struct xl_p9s p9s;
    struct xl_fbs fbs;
    struct xl_channels channels;
    struct build_limits limits;
    struct xl_hvm hvm;
    bool has_uuid;
    uint8_t uuid[16];
    char *warnings; /* lines for the user, each with its newline, or NULL */
};

/*
 * Is a file that a user names a kernel, a domain that was saved (tools/save/), or a configuration? Told by its
 * contents, never by its name: a configuration is what begins with a line of text. What else is in it is the parser's
 * business, which knows the line.
 */
enum xl_file_kind { XL_FILE_UNKNOWN, XL_FILE_KERNEL, XL_FILE_CONFIG, XL_FILE_SAVED };
enum xl_file_kind xl_file_kind(const void *data, size_t size);

/* What to say of XL_FILE_UNKNOWN. */
#define XL_FILE_UNKNOWN_WHY "not a kernel image (ELF, bzImage) nor an xl.cfg"

/*
 * Read the configuration in data (which is not kept); path is its name, for messages and for finding the files it
 * names: a relative path is tried as xl does, from the current directory, and then from the configuration's own.
 * Returns 0, and the caller ends with xl_config_free(); or -1 with one line in err and nothing to free.
 */
int xl_config_parse(struct xl_config *cfg, const char *path, const void *data, size_t size, char err[XL_ERR_SIZE]);

/* The same for a file. */
int xl_config_load(struct xl_config *cfg, const char *path, char err[XL_ERR_SIZE]);

void xl_config_free(struct xl_config *cfg);

/* "pv", "rename-restart": as written in a file. */
const char *xl_type_name(enum xl_type type);
const char *xl_action_name(enum xl_action action);

/* The i-th key that is understood; NULL: there are no more. */
const char *xl_key_at(size_t i);

/* The inverse, for options of the command line: false if there is no such name. */
bool xl_type_from_name(const char *name, enum xl_type *type);
bool xl_action_from_name(const char *name, enum xl_action *action);
/* "destroy, restart, ... or soft-reset" */
#define XL_ACTION_NAMES "destroy, restart, rename-restart, preserve, coredump-destroy, coredump-restart or soft-reset"

#endif
