// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the files that carry out commands of `xenlab ctl` share: tools/host_ctl_who.c,
 * tools/host_ctl_device.c, tools/host_ctl_cd.c, tools/host_ctl_sched.c, tools/host_clone.c, tools/host_ctl.c.
 */
#ifndef TOOLS_HOST_CTL_PRIVATE_H
#define TOOLS_HOST_CTL_PRIVATE_H

#include "tools/ctl.h"
#include "tools/nodes.h"

#define ERROR_FAIL       (-3) /* libxl's */
#define ERROR_INVAL      (-6)
#define ERROR_NOPARAVIRT (-10)
#define ERROR_TIMEDOUT   (-7)

enum outcome { DONE, FAILED, MORE, WAITS };

struct context {
    struct host *h;
    struct ctl_job *job;
    const struct ctl_request *r;
};

__attribute__((format(printf, 3, 4))) void ctl_say(struct context *c, enum host_ctl what, const char *fmt, ...);

#define ctl_fail(c, ...) (ctl_say(c, HOST_CTL_ERR, __VA_ARGS__), FAILED)

int ctl_domain_info(struct context *c, domid_t domid, struct xen_domctl_getdomaininfo *info);
/* By its number, or by its name. False: that has been said. */
bool ctl_domain_named(struct context *c, const char *who, domid_t *domid, struct xen_domctl_getdomaininfo *info);
/* The guest that is called so, or has this number. NULL: that has been said. */
struct guest *ctl_guest_named(struct context *c, const char *who);

/* Does it read what is in xenstore? Not an HVM guest that has not said how it is to hear of events (libxl's test). */
bool ctl_has_pv_drivers(struct context *c, const struct guest *g);
/* Say so. */
void ctl_note_pv_only(struct context *c, const struct guest *g);

/* KiB; a number alone is MiB. False: it is no size. */
bool ctl_size_read(const char *text, uint64_t *kib);

/* May a guest have this name? False: why not has been said. */
bool ctl_name_free(struct context *c, const char *name);

/* TYPE-attach, TYPE-detach of a kind of device. */
enum outcome ctl_device_attach(struct context *c);
enum outcome ctl_device_detach(struct context *c);
enum outcome ctl_block_resize(struct context *c);
enum outcome ctl_block_release_or_take(struct context *c);
/* cd-insert, cd-eject: tools/host_ctl_cd.c. The disk that cd-insert's words are, as xl.cfg has it. */
enum outcome ctl_cd(struct context *c);
void ctl_cd_words(const struct ctl_request *r, char text[CTL_WORDS_SIZE]);
enum outcome ctl_sched_credit(struct context *c);
enum outcome ctl_sched_rtds(struct context *c);
/* tools/host_clone.c */
enum outcome ctl_clone(struct context *c);
/* tools/host_save.c */
enum outcome ctl_save(struct context *c);
enum outcome ctl_restore(struct context *c);

#endif
