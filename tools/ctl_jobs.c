// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of `xenlab ctl` that wait to be carried out (tools/host_ctl.c), in the order in which they came, or wait for
 * a guest to be gone. Each is ended once, with its status; also when that guest was the last, and the machine is off.
 */
#include "tools/host_private.h"

#include <errno.h>
#include <string.h>

int ctl_add(struct host *h, unsigned int id, const char *words, size_t len)
{
    struct ctl_job *job = (struct ctl_job *)xzalloc_array(h->arena, char, sizeof(*job) + len);
    struct ctl_job **at = &h->ctl_jobs;

    if (!job)
        return -ENOMEM;
    job->id = id;
    job->len = len;
    memcpy(job->words, words, len);
    while (*at)
        at = &(*at)->next;
    *at = job;
    task_ready(&h->ctl);
    return 0;
}

void ctl_job_end(struct host *h, struct ctl_job *job, bool good)
{
    struct ctl_job **at = &h->ctl_jobs;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    host_ctl_say(h, job->id, HOST_CTL_END, good ? "\0" : "\1", 1);
    xfree(job);
}

void ctl_guest_gone(struct host *h, const struct guest *g)
{
    for (struct ctl_job *job = h->ctl_jobs, *next; job; job = next) {
        next = job->next;
        if (job->waits_for == g)
            ctl_job_end(h, job, true);
        else if (job->clone || job->suspends)
            task_ready(&h->ctl);
    }
}
