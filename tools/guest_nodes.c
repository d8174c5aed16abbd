// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the toolstack writes into xenstore about a PV guest.
 *
 * Concept: below /local/domain/<domid> a guest finds what was decided for it (its name, memory, vCPUs) and places that
 * are its own to write to, most of them empty: control/shutdown, for example, where the toolstack will ask for a
 * shutdown and the guest clears what it has read, or control/feature-poweroff, where it says that it listens.
 * /vm/<uuid> says what survives a restart. The console is the one device that every guest has; its page and port are in
 * start_info as well.
 *
 *      ~                              n0,rD    ~ is /local/domain/D; the guest may read it
 *        vm name cpu memory device control domid store console       the same
 *        control/{shutdown,feature-*,sysrq}  device/suspend/event-channel  data drivers feature attr error     nD: its own
 *
 * Nodes come in the order in which libxl writes them, for XS_DIRECTORY names them so.
 *
 * Corresponds to libxl__domain_make() in tools/libs/light/libxl_create.c, libxl__build_post() in libxl_dom.c and
 * libxl__device_console_add() in libxl_console.c. Left out is /libxl, of which a guest sees nothing.
 */
#include "tools/host_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONSOLE_LIMIT "1048576" /* bytes of output that xenconsoled keeps */

struct writer {
    struct guest *g;
    bool failed;
};

/* One node; its value is made as by printf. */
__attribute__((format(printf, 4, 5))) static void node(struct writer *w, const char *path, enum xenstore_perms perms,
                                                       const char *fmt, ...)
{
    char *value = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&value, fmt, ap) < 0)
        value = NULL;
    va_end(ap);
    if (!value || !xenstore_node_add(w->g->xenstore, path, value, perms))
        w->failed = true;
    task_charge(&w->g->task, 1, 0);
    free(value);
}

/* A path with a number or a name in it. */
__attribute__((format(printf, 2, 3))) static const char *path_make(char path[128], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(path, 128, fmt, ap);
    va_end(ap);
    return path;
}

static void empty_nodes(struct writer *w, const char *const *paths, enum xenstore_perms perms)
{
    for (; *paths; paths++)
        node(w, *paths, perms, "%s", "");
}

static void vm_nodes(struct writer *w, const char *uuid)
{
    const struct guest *g = w->g;
    const uint64_t centis = (uint64_t)host_wallclock(g->host) / MILLISECS(10);
    char path[128];

    node(w, path_make(path, "/vm/%s/uuid", uuid), XENSTORE_AS_PARENT, "%s", uuid);
    node(w, path_make(path, "/vm/%s/name", uuid), XENSTORE_AS_PARENT, "%s", g->cfg.name);
    node(w, path_make(path, "/vm/%s/image/ostype", uuid), XENSTORE_AS_PARENT, "linux");
    node(w, path_make(path, "/vm/%s/image/kernel", uuid), XENSTORE_AS_PARENT, "%s", g->cfg.kernel);
    node(w, path_make(path, "/vm/%s/start_time", uuid), XENSTORE_AS_PARENT, "%llu.%02u",
         (unsigned long long)centis / 100, (unsigned int)(centis % 100));
    if (g->cfg.ramdisk)
        node(w, path_make(path, "/vm/%s/image/ramdisk", uuid), XENSTORE_AS_PARENT, "%s", g->cfg.ramdisk);
    if (g->cfg.cmdline)
        node(w, path_make(path, "/vm/%s/image/cmdline", uuid), XENSTORE_AS_PARENT, "%s", g->cfg.cmdline);
}

/* As libxl__domain_make(): who may write where, before anything is built. */
static void domain_nodes(struct writer *w, const char *uuid)
{
    static const char *const readable[] = { "cpu", "memory", "device", NULL };
    static const char *const suspend[] = { "device/suspend/event-channel", NULL };
    static const char *const control[] = { "control", NULL };
    static const char *const own[] = { "control/shutdown",
                                       "control/feature-poweroff",
                                       "control/feature-reboot",
                                       "control/feature-suspend",
                                       "control/sysrq",
                                       "data",
                                       "drivers",
                                       "feature",
                                       "attr",
                                       "error",
                                       NULL };
    const struct guest *g = w->g;
    char path[128];

    node(w, path_make(path, "/local/domain/%u", g->domid), XENSTORE_READ, "%s", "");
    node(w, path_make(path, "/vm/%s", uuid), XENSTORE_READ, "%s", "");
    node(w, "vm", XENSTORE_AS_PARENT, "/vm/%s", uuid);
    node(w, "name", XENSTORE_AS_PARENT, "%s", g->cfg.name);
    empty_nodes(w, readable, XENSTORE_READ);
    empty_nodes(w, suspend, XENSTORE_OWN);
    empty_nodes(w, control, XENSTORE_READ);
    empty_nodes(w, own, XENSTORE_OWN);
    node(w, "control/platform-feature-multiprocessor-suspend", XENSTORE_AS_PARENT, "1");
    node(w, "control/platform-feature-xs_reset_watches", XENSTORE_AS_PARENT, "1");
}

/* As libxl__build_post(): what is known when the domain is built. */
static void built_nodes(struct writer *w)
{
    const struct guest *g = w->g;
    char path[128];

    node(w, "memory/static-max", XENSTORE_AS_PARENT, "%llu", (unsigned long long)g->cfg.maxmem_mib << 10);
    node(w, "memory/target", XENSTORE_AS_PARENT, "%llu", (unsigned long long)g->cfg.memory_mib << 10);
    node(w, "memory/videoram", XENSTORE_AS_PARENT, "0");
    node(w, "domid", XENSTORE_AS_PARENT, "%u", g->domid);
    node(w, "store/port", XENSTORE_AS_PARENT, "%u", g->store_port);
    node(w, "store/ring-ref", XENSTORE_AS_PARENT, "%llu", (unsigned long long)mfn_x(g->store_mfn));
    for (unsigned int i = 0; i < g->cfg.maxvcpus; i++)
        node(w, path_make(path, "cpu/%u/availability", i), XENSTORE_AS_PARENT, i < g->cfg.vcpus ? "online" : "offline");
}

/* Console 0: its directory is the guest's to read only, and it goes through no states. */
static void console_nodes(struct writer *w)
{
    const struct guest *g = w->g;
    char back[64], path[128];

    snprintf(back, sizeof(back), "/local/domain/0/backend/console/%u/0", g->domid);
    node(w, "console", XENSTORE_READ, "%s", "");
    node(w, "console/backend", XENSTORE_AS_PARENT, "%s", back);
    node(w, "console/backend-id", XENSTORE_FRONT, "0");
    node(w, "console/limit", XENSTORE_AS_PARENT, CONSOLE_LIMIT);
    node(w, "console/type", XENSTORE_AS_PARENT, "xenconsoled");
    node(w, "console/output", XENSTORE_AS_PARENT, "pty");
    node(w, "console/tty", XENSTORE_AS_PARENT, "%s", "");
    node(w, "console/port", XENSTORE_AS_PARENT, "%u", g->console_port);
    node(w, "console/ring-ref", XENSTORE_AS_PARENT, "%llu", (unsigned long long)mfn_x(g->console_mfn));
    node(w, back, XENSTORE_READ, "%s", "");
    node(w, path_make(path, "%s/frontend", back), XENSTORE_AS_PARENT, "/local/domain/%u/console", g->domid);
    node(w, path_make(path, "%s/frontend-id", back), XENSTORE_AS_PARENT, "%u", g->domid);
    node(w, path_make(path, "%s/online", back), XENSTORE_AS_PARENT, "1");
    node(w, path_make(path, "%s/state", back), XENSTORE_AS_PARENT, "1");
    node(w, path_make(path, "%s/protocol", back), XENSTORE_AS_PARENT, "vt100");
}

void guest_uuid_make(struct guest *g)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ g->host->seed; /* FNV-1a: of the seed and the name */

    if (g->cfg.has_uuid)
        return;
    for (const char *c = g->cfg.name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    for (unsigned int i = 0; i < sizeof(g->cfg.uuid); i++) {
        hash = (hash ^ i) * UINT64_C(0x100000001b3);
        g->cfg.uuid[i] = (uint8_t)(hash >> 32);
    }
    g->cfg.uuid[6] = (g->cfg.uuid[6] & 0x0f) | 0x40; /* of the kind that is made at random */
    g->cfg.uuid[8] = (g->cfg.uuid[8] & 0x3f) | 0x80;
    g->cfg.has_uuid = true;
}

bool guest_introduce(struct guest *g)
{
    struct writer w = { .g = g };
    char uuid[37], *to = uuid;

    for (unsigned int i = 0; i < sizeof(g->cfg.uuid); i++)
        to += sprintf(to, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", g->cfg.uuid[i]);
    domain_nodes(&w, uuid);
    vm_nodes(&w, uuid);
    built_nodes(&w);
    console_nodes(&w);
    return !w.failed;
}
