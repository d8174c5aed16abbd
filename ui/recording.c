// SPDX-License-Identifier: GPL-2.0-or-later
/* --record FILE, see ui/recording.h. */
#include "ui/recording.h"

#include "tools/debug/look.h"
#include "ui/version.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The kind of computer that it was compiled for: floating point is the host's. */
#ifdef __x86_64__
#define MACHINE "x86_64"
#else
#define MACHINE "other"
#endif

const char *recording_build(void) { return XENLAB_VERSION " " XENLAB_BUILD " " MACHINE " " XENLAB_SOURCES; }

int recording_possible(struct host *h, const char *option, char err[RECORD_ERR_SIZE])
{
    struct pcpu *pcpu = host_machine(h)->pcpu[0];

    if (pcpu_backend_is_fast(pcpu))
        return 0;
    snprintf(err, RECORD_ERR_SIZE,
             "%s: %s is used here without shortcuts (xenlab doctor), and positions of a run on it are not exact",
             option, pcpu_backend_name(pcpu));
    return -1;
}

/* --- its head --- */

struct file_list {
    struct record_head *head;
    char *err;
};

static int file_add(void *data, const char *named)
{
    const struct file_list *f = data;

    return record_file_add(f->head, named, f->err);
}

static int head_make(struct record_head *head, struct host *h, const struct run_options *o, const struct guest_list *l,
                     char err[RECORD_ERR_SIZE])
{
    struct file_list files = { head, err };
    bool good;

    head->build = strdup(recording_build());
    head->engine = strdup(pcpu_backend_name(host_machine(h)->pcpu[0]));
    good = head->build && head->engine;
    for (unsigned int i = 0; good && i < o->nr_given; i++)
        good = record_list_add(&head->options, o->given[i]);
    for (unsigned int i = 0; good && i < o->nr_guests; i++)
        good = record_list_add(&head->guests, o->guests[i]);
    if (!good)
        snprintf(err, RECORD_ERR_SIZE, "out of memory");
    return good ? guest_list_files(l, o, file_add, &files) : -1;
}

/* --- the file --- */

int recording_open(struct recording *rec, const char *path, struct host *h, const struct record_head *head,
                   const struct run_options *o, const struct guest_list *l, char err[RECORD_ERR_SIZE])
{
    struct record_head made = { 0 };
    int rc = recording_possible(h, path, err);

    if (!rc && guest_list_reads(l, o, path)) {
        snprintf(err, RECORD_ERR_SIZE, "%.300s is a file that a guest comes from: the recording would take its place",
                 path);
        rc = -1;
    }
    if (!rc && !head) {
        rc = head_make(&made, h, o, l, err);
        head = &made;
    }
    if (!rc) {
        rec->host = h;
        rec->next_at = host_machine(h)->at.insns + RECORDING_EVERY;
        rec->out = fopen(path, "we");
        rc = rec->out && record_write_head(rec->out, head) ? 0 : -1;
        if (rc)
            snprintf(err, RECORD_ERR_SIZE, "%.300s: the recording cannot be written: %s", path, strerror(errno));
    }
    record_head_free(&made);
    return rc;
}

bool recording_at_due(const struct recording *rec)
{
    return rec->out && host_machine(rec->host)->at.insns >= rec->next_at;
}

/* A command that comes in gives a guest a disk: which file is it? */
static void file_note(struct recording *rec, const struct journal_record *in)
{
    char *path = in->kind == JOURNAL_CTL ? host_ctl_file((const char *)in->bytes, in->len) : NULL;
    char digest[RECORD_DIGEST_SIZE], why[RECORD_ERR_SIZE];

    if (path && record_digest(path, digest, why) == 0)
        record_write_file(rec->out, path, digest);
    free(path);
}

bool recording_line(struct recording *rec, struct record_line l, char err[RECORD_ERR_SIZE])
{
    const struct position at = host_machine(rec->host)->at;

    if (!rec->out)
        return true;
    if (l.kind != RECORD_JOURNAL)
        l.at = at;
    if (l.kind == RECORD_AT || l.kind == RECORD_END)
        l.cpus = look_hash_cpus(rec->host);
    if (l.kind == RECORD_AT)
        rec->next_at = at.insns + RECORDING_EVERY;
    if (l.kind == RECORD_END)
        l.hash = look_hash(rec->host);
    if (l.kind == RECORD_JOURNAL)
        file_note(rec, &l.in);
    if (record_write_line(rec->out, &l))
        return true;
    snprintf(err, RECORD_ERR_SIZE, "the recording ends at #%llu.%llu: %s", (unsigned long long)at.insns,
             (unsigned long long)at.step, strerror(errno));
    recording_close(rec);
    return false;
}

void recording_close(struct recording *rec)
{
    if (rec->out)
        fclose(rec->out);
    rec->out = NULL;
}
