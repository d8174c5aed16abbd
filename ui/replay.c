// SPDX-License-Identifier: GPL-2.0-or-later
/* Repeating a recording, see ui/replay.h. */
#include "ui/replay.h"

#include "tools/debug/look.h"
#include "tools/rewind/input.h"
#include "ui/recording.h"

#include <stdlib.h>
#include <string.h>

/* --- before the run --- */

static int build_check(const struct replay *rp, const struct run_options *o, char err[RECORD_ERR_SIZE])
{
    if (o->other_build || !strcmp(rp->rec.head.build, recording_build()))
        return 0;
    snprintf(err, RECORD_ERR_SIZE,
             "%.300s: another build of xenlab made this recording: \"%.100s\", this one is \"%s\" (--other-build tries "
             "it)",
             rp->path, rp->rec.head.build, recording_build());
    return -1;
}

/* As they stood on a command line. */
static int options_take(const struct replay *rp, struct run_options *o, char err[RECORD_ERR_SIZE])
{
    const struct record_list *options = &rp->rec.head.options, *guests = &rp->rec.head.guests;
    const size_t nr = options->nr + 1 + guests->nr;
    char **args = calloc(nr, sizeof(*args)), why[OPTIONS_ERR_SIZE] = "out of memory";
    int rc = -1;

    if (args) {
        if (options->nr)
            memcpy(args, options->texts, options->nr * sizeof(*args));
        args[options->nr] = (char[]){ "--" };
        memcpy(args + options->nr + 1, guests->texts, guests->nr * sizeof(*args));
        rc = options_parse_recorded(o, (int)nr, args, why);
    }
    if (rc)
        snprintf(err, RECORD_ERR_SIZE, "%.300s: the recording's options: %s", rp->path, why);
    free(args);
    return rc;
}

/* Beside the recording. NULL: no memory. */
static char *beside(const char *recording, const char *path)
{
    const char *slash = strrchr(recording, '/');
    char *place;

    return asprintf(&place, "%.*s%s", slash ? (int)(slash + 1 - recording) : 0, recording, basename(path)) < 0 ? NULL
                                                                                                               : place;
}

/* Where a file is. The message, if it is nowhere, is of the place where it was. */
static int file_find(const struct replay *rp, const struct record_file *f, struct file_place *place,
                     char err[RECORD_ERR_SIZE])
{
    char digest[RECORD_DIGEST_SIZE], other[RECORD_DIGEST_SIZE], why[RECORD_ERR_SIZE];
    char *near = beside(rp->path, f->path), *at = strdup(f->path);
    const bool there = record_digest(f->path, digest, err) == 0;

    *place = (struct file_place){ f->path, at };
    if (there && at && !strcmp(digest, f->digest)) {
        free(near);
        return 0;
    }
    if (near && record_digest(near, other, why) == 0 && !strcmp(other, f->digest)) {
        free(at);
        place->at = near;
        return 0;
    }
    if (!at || !near)
        snprintf(err, RECORD_ERR_SIZE, "out of memory");
    else if (there)
        snprintf(err, RECORD_ERR_SIZE, "%.300s: not the file of the recording: its SHA-256 is %s and was %s", f->path,
                 digest, f->digest);
    else
        snprintf(why, sizeof(why), "%.600s, nor is it beside the recording (%.300s)", err, near),
            memcpy(err, why, RECORD_ERR_SIZE);
    free(near);
    return -1;
}

static int files_find(struct replay *rp, struct run_options *o, char err[RECORD_ERR_SIZE])
{
    const struct record_head *h = &rp->rec.head;

    o->places = rp->places = calloc(h->nr_files + 1, sizeof(*rp->places));
    if (!rp->places) {
        snprintf(err, RECORD_ERR_SIZE, "out of memory");
        return -1;
    }
    while (o->nr_places < h->nr_files)
        if (file_find(rp, &h->files[o->nr_places], &rp->places[o->nr_places], err))
            return -1;
        else
            o->nr_places++;
    return 0;
}

int replay_open(struct replay *rp, const char *path, struct run_options *o, char err[RECORD_ERR_SIZE])
{
    *rp = (struct replay){ .path = path };
    if (record_read(&rp->rec, path, err) || build_check(rp, o, err) || options_take(rp, o, err))
        return -1;
    return files_find(rp, o, err);
}

void replay_close(struct replay *rp)
{
    for (size_t i = 0; rp->places && i < rp->rec.head.nr_files; i++)
        free((char *)(uintptr_t)rp->places[i].at);
    free(rp->places);
    record_free(&rp->rec);
}

struct file_search {
    const struct replay *rp;
    char *err;
};

static int file_is_recorded(void *data, const char *named)
{
    const struct file_search *s = data;

    for (size_t i = 0; i < s->rp->rec.head.nr_files; i++)
        if (!strcmp(basename(s->rp->rec.head.files[i].path), basename(named)))
            return 0;
    snprintf(s->err, RECORD_ERR_SIZE, "%.300s: %.300s is needed, and is none of the recording's files", s->rp->path,
             named);
    return -1;
}

int replay_check(struct replay *rp, const struct run_options *o, const struct guest_list *l, struct host *h,
                 char err[RECORD_ERR_SIZE])
{
    const char *engine = pcpu_backend_name(host_machine(h)->pcpu[0]);
    struct file_search s = { rp, err };

    if (guest_list_files(l, o, file_is_recorded, &s))
        return -1;
    if (strcmp(rp->rec.head.engine, engine) && !o->other_build) {
        snprintf(err, RECORD_ERR_SIZE,
                 "%.300s: the recording was made on %.100s, and this is %s (--other-build tries it)", rp->path,
                 rp->rec.head.engine, engine);
        return -1;
    }
    return recording_possible(h, rp->path, err);
}

/* --- in the run --- */

struct position replay_stop(const struct replay *rp)
{
    return rp->next < rp->rec.nr ? rp->rec.lines[rp->next].at : (struct position){ 0 };
}

s_time_t replay_now(const struct replay *rp) { return rp->next < rp->rec.nr ? rp->rec.lines[rp->next].now : 0; }

static enum replay_state differs(const struct replay *rp, const struct position *at, char err[RECORD_ERR_SIZE],
                                 const char *what)
{
    snprintf(err, RECORD_ERR_SIZE, "this run differs from %.300s, line %lu, at #%llu.%llu: %s", rp->path,
             rp->next < rp->rec.nr ? rp->rec.lines[rp->next].number : 0, (unsigned long long)at->insns,
             (unsigned long long)at->step, what);
    return REPLAY_DIFFERS;
}

static enum replay_state compare(const struct replay *rp, struct host *h, const struct record_line *l,
                                 char err[RECORD_ERR_SIZE])
{
    if (look_hash_cpus(h) != l->cpus)
        return differs(rp, &l->at, err, "registers or the clock are not as they were");
    if (l->kind == RECORD_END && look_hash(h) != l->hash)
        return differs(rp, &l->at, err, "memory is not as it was");
    return REPLAY_GOES_ON;
}

static enum replay_state carry_out(struct replay *rp, struct host *h, const struct record_line *l,
                                   const struct replay_sink *sink, char err[RECORD_ERR_SIZE])
{
    char why[REWIND_ERR_SIZE];

    switch (l->kind) {
    case RECORD_JOURNAL:
        if (input_check(h, &l->in, why))
            return differs(rp, &l->at, err, why);
        sink->in(sink->data, &l->in);
        break;
    case RECORD_KEYBOARD: sink->keyboard(sink->data, l); break;
    case RECORD_AT:
    case RECORD_END: return compare(rp, h, l, err);
    }
    return REPLAY_GOES_ON;
}

enum replay_state replay_compare(struct replay *rp, struct host *h, struct position *at, char err[RECORD_ERR_SIZE])
{
    const struct position *here = &host_machine(h)->at;

    for (; rp->next < rp->rec.nr; rp->next++) {
        const struct record_line *l = &rp->rec.lines[rp->next];

        if (l->kind != RECORD_AT && l->kind != RECORD_END)
            continue;
        *at = l->at;
        if (position_is_before(*here, l->at))
            return REPLAY_GOES_ON;
        if (position_is_before(l->at, *here))
            return differs(rp, &l->at, err, "there is no such position");
        if (compare(rp, h, l, err) == REPLAY_DIFFERS)
            return REPLAY_DIFFERS;
    }
    return REPLAY_OVER;
}

enum replay_state replay_take(struct replay *rp, struct host *h, const struct replay_sink *sink,
                              char err[RECORD_ERR_SIZE])
{
    const struct position *here = &host_machine(h)->at;

    for (; rp->next < rp->rec.nr; rp->next++) {
        const struct record_line *l = &rp->rec.lines[rp->next];

        if (position_is_before(*here, l->at))
            return REPLAY_GOES_ON;
        if (position_is_before(l->at, *here))
            return differs(rp, &l->at, err, "there is no such position");
        if (carry_out(rp, h, l, sink, err) == REPLAY_DIFFERS)
            return REPLAY_DIFFERS;
    }
    return REPLAY_OVER;
}

void replay_too_short(const struct replay *rp, struct host *h, char err[RECORD_ERR_SIZE])
{
    differs(rp, &host_machine(h)->at, err, "it ends here, and the recording goes on");
}
