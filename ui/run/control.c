// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `--control` of `xenlab run`: where its control socket is, see ui/ctl/serve.h.
 *
 * It is there without having been asked for if somebody will know by which name: the run was given one (--name), or is
 * at a terminal and called as its first guest; and if there is a $XDG_RUNTIME_DIR. Such a one is never a reason to go
 * on waiting when nothing else can come, and none to fail.
 */
#include "ui/run/run.h"

#include <stdlib.h>
#include <unistd.h>

#define SAME_NAME_MAX 100

static void start_by_default(struct run *r, const char *name)
{
    char why[CTL_PLACE_ERR_SIZE] = "", text[CTL_PLACE_ERR_SIZE + 64];
    bool taken = true;

    for (unsigned int n = 1; n <= SAME_NAME_MAX && taken; n++) {
        int fd;

        if (ctl_place_default(name, n, r->ctl.path, why))
            break;
        fd = ctl_connect(r->ctl.path);
        taken = fd >= 0;
        if (taken)
            close(fd);
        else if (!ctl_serve_open(&r->ctl, r->host, why, sizeof(why)))
            return;
    }
    if (!r->opt->verbose) /* nobody has asked for it */
        return;
    snprintf(text, sizeof(text), "warning: xenlab ctl will not find this machine: %s", why);
    run_message(r, text);
}

int run_control_start(struct run *r, const struct guest_list *l)
{
    const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
    char why[CTL_PLACE_ERR_SIZE];

    if (r->replay)
        return 0;
    if (!r->opt->control) {
        if (runtime_dir && *runtime_dir && (r->opt->name || isatty(STDIN_FILENO)))
            start_by_default(r, l->names[0]);
        return 0;
    }
    r->ctl.wanted = true;
    if (ctl_place("--control", r->opt->control, r->ctl.path, why)) {
        snprintf(r->err, RUN_ERR_SIZE, "%s", why);
        return -1;
    }
    return ctl_serve_open(&r->ctl, r->host, r->err, RUN_ERR_SIZE);
}
