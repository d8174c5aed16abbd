// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files that domains are restored from.
 *
 * Concept: a run that goes back restores again what it has restored, and must get the same bytes. So the file is read
 * as a whole when the command comes in, its digest is made part of the command, and what was read stays. A file of the
 * same path that has become another one has another digest, and both are there.
 *
 * Invariant: what is here has been looked through (saved_open()), and its configuration read.
 */
#include "tools/host_saved.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

static void digest_make(const uint8_t *data, size_t size, char digest[SAVED_DIGEST_SIZE])
{
    uint8_t sum[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha;

    sha256_init(&sha);
    sha256_update(&sha, size, data);
    sha256_digest(&sha, sizeof(sum), sum);
    for (size_t i = 0; i < sizeof(sum); i++)
        snprintf(digest + 2 * i, 3, "%02x", sum[i]);
}

static void file_free(struct saved_file *f)
{
    free(f->data);
    free(f);
}

/* The number of a command whose file could not be written. */
struct saved_failure {
    struct saved_failure *next;
    unsigned int id;
};

void saved_file_fail(struct host_edges *edges, unsigned int id)
{
    struct saved_failure *f = calloc(1, sizeof(*f));

    if (!f)
        return;
    *f = (struct saved_failure){ edges->saves_failed, id };
    edges->saves_failed = f;
}

bool saved_file_failed(const struct host_edges *edges, unsigned int id)
{
    const struct saved_failure *f = edges->saves_failed;

    while (f && f->id != id)
        f = f->next;
    return f;
}

void saved_files_begin(struct host_edges *edges, const struct host_config *cfg)
{
    edges->is_recorded = cfg->is_recorded;
    for (unsigned int i = 0; i < HOST_FIRMWARES; i++)
        edges->firmware[i] = cfg->firmware[i] ? strdup(cfg->firmware[i]) : NULL;
}

void saved_files_close(struct host_edges *edges)
{
    for (unsigned int i = 0; i < HOST_FIRMWARES; i++)
        free(edges->firmware[i]);
    while (edges->saves_failed) {
        struct saved_failure *f = edges->saves_failed;

        edges->saves_failed = f->next;
        free(f);
    }
    while (edges->saved) {
        struct saved_file *f = edges->saved;

        edges->saved = f->next;
        xl_config_free(&f->cfg);
        file_free(f);
    }
}

static struct saved_file *find(const struct host_edges *edges, const char *path, const char *digest)
{
    struct saved_file *f = edges->saved;

    while (f && (strcmp(f->path, path) != 0 || (digest && strcmp(f->digest, digest) != 0)))
        f = f->next;
    return f;
}

static const struct saved_file *fail(struct saved_file *f, const char *path, const char *why, char err[HOST_ERR_SIZE])
{
    snprintf(err, HOST_ERR_SIZE, "%.400s: %.500s", path, why);
    if (f)
        file_free(f);
    return NULL;
}

const struct saved_file *saved_file_now(struct host_edges *edges, const char *path, const char *digest,
                                        char err[HOST_ERR_SIZE])
{
    struct saved_file *f = calloc(1, sizeof(*f) + strlen(path) + 1), *known;
    char why[SAVED_ERR_SIZE], image_why[IMAGE_ERR_SIZE], cfg_why[XL_ERR_SIZE];

    if (!f)
        return fail(f, path, "out of memory", err);
    strcpy(f->path, path);
    if (image_read_file(path, &f->data, &f->size, image_why))
        return fail(f, path, image_why, err);
    digest_make(f->data, f->size, f->digest);
    if (digest && strcmp(f->digest, digest) != 0)
        return fail(f, path, "it is another file than was restored (its SHA-256 is another)", err);
    known = find(edges, path, f->digest);
    if (known) {
        file_free(f);
        return known;
    }
    if (!saved_open(&f->saved, f->data, f->size, why))
        return fail(f, path, why, err);
    if (xl_config_parse(&f->cfg, path, f->saved.config, f->saved.config_len, cfg_why))
        return fail(f, "its configuration", cfg_why, err);
    f->next = edges->saved;
    edges->saved = f;
    return f;
}

const struct saved_file *saved_file_get(struct host_edges *edges, const char *path, const char *digest,
                                        char err[HOST_ERR_SIZE])
{
    const struct saved_file *f = find(edges, path, digest);

    return f ? f : saved_file_now(edges, path, digest, err);
}

int host_saved_config(struct xl_config *cfg, const char *path, char err[XL_ERR_SIZE])
{
    char why[SAVED_ERR_SIZE], image_why[IMAGE_ERR_SIZE];
    struct saved saved;
    uint8_t *data;
    size_t size;
    int rc = -1;

    if (image_read_file(path, &data, &size, image_why)) {
        snprintf(err, XL_ERR_SIZE, "%.400s: %.400s", path, image_why);
        return -1;
    }
    if (saved_open(&saved, data, size, why))
        rc = xl_config_parse(cfg, path, saved.config, saved.config_len, err);
    else
        snprintf(err, XL_ERR_SIZE, "%.400s: %s", path, why);
    free(data);
    return rc;
}

const char *saved_file_unfit(const struct saved_file *f, const struct guest *g)
{
    if (guest_is_hvm(g) != f->saved.hvm)
        return "its configuration is of another type than what was saved";
    if (guest_has_dm(g) && f->saved.emulator_is_qemu)
        return "its device model was QEMU, whose state only QEMU knows";
    if (guest_has_dm(g) != (f->saved.emulator.body != NULL))
        return guest_has_dm(g) ? "it has no state of a device model, and is an HVM guest by its configuration"
                               : "it has the state of a device model, and is no HVM guest by its configuration";
    if (g->cfg.shim || guest_devices_unsaved(g))
        return "it is to have a shim, a shared folder or a channel, which are not saved";
    return NULL;
}
