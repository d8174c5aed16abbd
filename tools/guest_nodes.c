// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the toolstack writes into xenstore about a guest.
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
 * A device has two directories: one at ~/device, which is the guest's, and one at dom0's back end, which names it.
 *
 * Nodes come in the order in which libxl writes them, for XS_DIRECTORY names them so.
 *
 * Corresponds to libxl__domain_make() in tools/libs/light/libxl_create.c, libxl__build_post() in libxl_dom.c and
 * libxl__device_console_add() in libxl_console.c. Of /libxl, which no guest sees, there is what nodes.h says.
 */
#include "tools/ctl.h"
#include "tools/nodes.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONSOLE_LIMIT "1048576" /* bytes of output that xenconsoled keeps */

static void empty_nodes(struct node_writer *w, const char *const *paths, enum node_perms perms)
{
    for (; *paths; paths++)
        node(w, *paths, perms, "%s", "");
}

/* What libxl leaves empty if there is none. */
static const char *timeoffset(const struct guest *g, char text[static 16])
{
    sprintf(text, "%d", g->hvm.rtc_timeoffset);
    return g->hvm.rtc_timeoffset ? text : "";
}

static void vm_nodes(struct node_writer *w, const char *uuid)
{
    const struct guest *g = w->g;
    const uint64_t centis = (uint64_t)host_wallclock(g->host) / MILLISECS(10);
    char path[NODE_PATH_SIZE], offset[16];

    node(w, path_make(path, "/vm/%s/uuid", uuid), AS_PARENT, "%s", uuid);
    node(w, path_make(path, "/vm/%s/name", uuid), AS_PARENT, "%s", g->cfg.name);
    if (guest_has_dm(g)) {
        node(w, path_make(path, "/vm/%s/rtc/timeoffset", uuid), AS_PARENT, "%s", timeoffset(g, offset));
        node(w, path_make(path, "/vm/%s/image/ostype", uuid), AS_PARENT, "hvm");
        node(w, path_make(path, "/vm/%s/start_time", uuid), AS_PARENT, "%llu.%02u", (unsigned long long)centis / 100,
             (unsigned int)(centis % 100));
        return;
    }
    node(w, path_make(path, "/vm/%s/image/ostype", uuid), AS_PARENT, "linux");
    node(w, path_make(path, "/vm/%s/image/kernel", uuid), AS_PARENT, "%s", g->cfg.kernel);
    node(w, path_make(path, "/vm/%s/start_time", uuid), AS_PARENT, "%llu.%02u", (unsigned long long)centis / 100,
         (unsigned int)(centis % 100));
    if (g->cfg.ramdisk)
        node(w, path_make(path, "/vm/%s/image/ramdisk", uuid), AS_PARENT, "%s", g->cfg.ramdisk);
    if (g->cfg.cmdline)
        node(w, path_make(path, "/vm/%s/image/cmdline", uuid), AS_PARENT, "%s", g->cfg.cmdline);
}

/* As libxl__domain_make(): who may write where, before anything is built. */
static void domain_nodes(struct node_writer *w, const char *uuid)
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
    static const char *const driver[] = { "libxl", "device-model", NULL };
    const struct guest *g = w->g;
    char path[NODE_PATH_SIZE];

    node(w, path_make(path, "/local/domain/%u", g->domid), READ, "%s", "");
    node(w, path_make(path, "/vm/%s", uuid), READ, "%s", "");
    node(w, "vm", AS_PARENT, "/vm/%s", uuid);
    node(w, "name", AS_PARENT, "%s", g->cfg.name);
    empty_nodes(w, readable, READ);
    empty_nodes(w, suspend, OWN);
    empty_nodes(w, control, READ);
    empty_nodes(w, own, OWN);
    if (g->cfg.driver_domain)
        empty_nodes(w, driver, OWN);
    node(w, "control/platform-feature-multiprocessor-suspend", AS_PARENT, "1");
    node(w, "control/platform-feature-xs_reset_watches", AS_PARENT, "1");
}

/* As libxl__build_post(): what is known when the domain is built. */
static void built_nodes(struct node_writer *w)
{
    const struct guest *g = w->g;
    const unsigned int screen = guest_has_dm(g) ? xl_hvm_screen_mib(&g->hvm) : 0;
    char path[NODE_PATH_SIZE];

    node(w, "memory/static-max", AS_PARENT, "%llu", (unsigned long long)g->cfg.maxmem_mib << 10);
    node(w, "memory/target", AS_PARENT, "%llu",
         (unsigned long long)(g->cfg.memory_mib - (g->hvm.videoram_mib ? screen : 0)) << 10);
    node(w, "memory/videoram", AS_PARENT, "%u", screen << 10);
    node(w, "domid", AS_PARENT, "%u", g->domid);
    node(w, "store/port", AS_PARENT, "%u", g->store_port);
    node(w, "store/ring-ref", AS_PARENT, "%llu", (unsigned long long)mfn_x(g->store_mfn));
    for (unsigned int i = 0; i < g->cfg.maxvcpus; i++)
        node(w, path_make(path, "cpu/%u/availability", i), AS_PARENT, i < g->cfg.vcpus ? "online" : "offline");
}

/* As libxl__domain_build() and libxl__spawn_local_dm(): what hvmloader asks for. */
static void firmware_nodes(struct node_writer *w)
{
    const struct xl_hvm *hvm = &w->g->hvm;

    node(w, "platform/acpi", AS_PARENT, "%d", hvm->acpi);
    node(w, "platform/acpi_s3", AS_PARENT, "0"); /* no guest sleeps */
    node(w, "platform/acpi_s4", AS_PARENT, "0");
    node(w, "hvmloader/bios", AS_PARENT, "seabios");
    node(w, "hvmloader/allow-memory-relocate", AS_PARENT, "0");
}

/* A serial line that is the console is found as one, too. */
static void tty_nodes(struct node_writer *w)
{
    const int line = guest_console_line(w->g);
    char path[NODE_PATH_SIZE];

    node(w, "console/tty", AS_PARENT, "%s", w->g->tty);
    if (line >= 0)
        node(w, path_make(path, "serial/%d/tty", line), AS_PARENT, "%s", w->g->tty);
}

bool guest_tty_changed(struct guest *g)
{
    struct node_writer w = { .h = g->host, .g = g };

    tty_nodes(&w);
    return !w.failed;
}

/* Console 0: its directory is the guest's to read only, and it goes through no states. */
static void console_nodes(struct node_writer *w)
{
    const struct guest *g = w->g;
    char back[NODE_PATH_SIZE / 2], path[NODE_PATH_SIZE];

    snprintf(back, sizeof(back), "/local/domain/0/backend/console/%u/0", g->domid);
    node(w, "console", READ, "%s", "");
    node(w, "console/backend", AS_PARENT, "%s", back);
    node(w, "console/backend-id", FRONT, "0");
    node(w, "console/limit", AS_PARENT, CONSOLE_LIMIT);
    node(w, "console/type", AS_PARENT, "xenconsoled");
    node(w, "console/output", AS_PARENT, "pty");
    tty_nodes(w);
    node(w, "console/port", AS_PARENT, "%u", g->console_port);
    node(w, "console/ring-ref", AS_PARENT, "%llu", (unsigned long long)mfn_x(g->console_mfn));
    node(w, back, READ, "%s", "");
    node(w, path_make(path, "%s/frontend", back), AS_PARENT, "/local/domain/%u/console", g->domid);
    node(w, path_make(path, "%s/frontend-id", back), AS_PARENT, "%u", g->domid);
    node(w, path_make(path, "%s/online", back), AS_PARENT, "1");
    node(w, path_make(path, "%s/state", back), AS_PARENT, "1");
    node(w, path_make(path, "%s/protocol", back), AS_PARENT, "vt100");
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

static void uuid_text(const struct guest *g, char text[static 37])
{
    for (unsigned int i = 0; i < sizeof(g->cfg.uuid); i++)
        text += sprintf(text, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", g->cfg.uuid[i]);
}

bool guest_introduce(struct guest *g)
{
    struct node_writer w = { .h = g->host, .g = g };
    char uuid[37];

    uuid_text(g, uuid);
    w.failed = !xs_domain_add(&g->host->xenstored->store, g->domid);
    domain_nodes(&w, uuid);
    vm_nodes(&w, uuid);
    built_nodes(&w);
    if (guest_has_dm(g))
        firmware_nodes(&w);
    g->introduced = true;
    if (xenstored_introduce(g->host->xenstored, g->domid, g->store_mfn, g->store_port))
        w.failed = true;
    if (!g->cfg.driver_domain) /* its kernel has nothing to say on one */
        console_nodes(&w);
    guest_devices_nodes(&w);
    return !w.failed;
}

void guest_renamed(struct guest *g)
{
    struct node_writer w = { .h = g->host, .g = g };

    char path[NODE_PATH_SIZE], uuid[37];

    node(&w, "name", AS_PARENT, "%s", g->cfg.name);
    uuid_text(g, uuid);
    if (g->task.kernel) /* not one whose successor has its UUID */
        node(&w, path_make(path, "/vm/%s/name", uuid), AS_PARENT, "%s", g->cfg.name);
}

void guest_unannounce(struct guest *g)
{
    const struct xs_access toolstack = xenstored_toolstack(g->host->xenstored);
    char path[NODE_PATH_SIZE], uuid[37];

    xs_rm(&toolstack, path_make(path, "/local/domain/%u", g->domid));
    xs_rm(&toolstack, path_make(path, "/local/domain/0/backend/console/%u", g->domid));
    guest_devices_forget(g);
    xs_rm(&toolstack, path_make(path, "/libxl/%u", g->domid));
    uuid_text(g, uuid);
    xs_rm(&toolstack, path_make(path, "/vm/%s", uuid));
    xenstored_release(g->host->xenstored, g->domid);
    g->introduced = false;
}

bool domain_node_write(struct host *h, domid_t domid, const char *path, const char *value)
{
    struct node_writer w = { .h = h };
    char absolute[NODE_PATH_SIZE];

    node(&w, path_make(absolute, "/local/domain/%u/%s", domid, path), AS_PARENT, "%s", value);
    return !w.failed;
}

uint64_t domain_node_number(const struct host *h, domid_t domid, const char *path)
{
    const struct xs_access toolstack = xenstored_toolstack(h->xenstored);
    const struct xs_node *n;
    char absolute[NODE_PATH_SIZE];

    path_make(absolute, "/local/domain/%u/%s", domid, path);
    return xs_get(&toolstack, absolute, XS_RIGHT_READ, &n) ? 0 : strtoull(n->value ? n->value : "", NULL, 10);
}

bool host_node_number(const struct host *h, domid_t domid, const char *path, uint64_t *n)
{
    const struct xs_access toolstack = xenstored_toolstack(h->xenstored);
    const struct xs_node *node;
    char absolute[NODE_PATH_SIZE];
    unsigned long number;

    path_make(absolute, "/local/domain/%u/%s", domid, path);
    if (xs_get(&toolstack, absolute, XS_RIGHT_READ, &node) || !node->value ||
        !ctl_number(node->value, ULONG_MAX, &number))
        return false;
    *n = number;
    return true;
}

bool dom0_nodes(struct host *h)
{
    struct node_writer w = { .h = h };

    node(&w, "name", AS_PARENT, "%s", XL_DOM0_NAME);
    node(&w, "domid", AS_PARENT, "0");
    return !w.failed;
}
