// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pixels by librsvg and cairo, see ui/projector/raster.h. Of their interfaces, which have been the same for years,
 * eleven functions are declared here: two of librsvg (2.46 or later), eight of cairo (1.0), and one of GObject.
 */
#include "ui/projector/raster.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAIRO_RGB24 1 /* enum _cairo_format */

struct rectangle { /* RsvgRectangle */
    double x, y, width, height;
};

struct raster {
    void *rsvg, *cairo;
    void *surface;
    void *(*handle_new_from_data)(const uint8_t *data, size_t len, void *error);
    int (*handle_render_document)(void *handle, void *cr, const struct rectangle *viewport, void *error);
    void (*object_unref)(void *object);
    void *(*surface_create)(int format, int width, int height);
    void (*surface_destroy)(void *surface);
    void (*surface_flush)(void *surface);
    uint8_t *(*surface_data)(void *surface);
    int (*surface_stride)(void *surface);
    int (*surface_png)(void *surface, const char *path);
    void *(*create)(void *surface);
    void (*destroy)(void *cr);
};

/* All of them, or none. */
static bool symbols_find(struct raster *r)
{
    const struct {
        void *library;
        const char *name;
        void *place;
    } symbols[] = {
        { r->rsvg, "rsvg_handle_new_from_data", &r->handle_new_from_data },
        { r->rsvg, "rsvg_handle_render_document", &r->handle_render_document },
        { r->rsvg, "g_object_unref", &r->object_unref },
        { r->cairo, "cairo_image_surface_create", &r->surface_create },
        { r->cairo, "cairo_surface_destroy", &r->surface_destroy },
        { r->cairo, "cairo_surface_flush", &r->surface_flush },
        { r->cairo, "cairo_image_surface_get_data", &r->surface_data },
        { r->cairo, "cairo_image_surface_get_stride", &r->surface_stride },
        { r->cairo, "cairo_surface_write_to_png", &r->surface_png },
        { r->cairo, "cairo_create", &r->create },
        { r->cairo, "cairo_destroy", &r->destroy },
    };

    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
        void *found = dlsym(symbols[i].library, symbols[i].name);

        if (!found)
            return false;
        memcpy(symbols[i].place, &found, sizeof(found));
    }
    return true;
}

struct raster *raster_open(char err[RASTER_ERR_SIZE])
{
    struct raster *r = calloc(1, sizeof(*r));

    if (r && (r->rsvg = dlopen("librsvg-2.so.2", RTLD_NOW | RTLD_LOCAL)) &&
        (r->cairo = dlopen("libcairo.so.2", RTLD_NOW | RTLD_LOCAL)) && symbols_find(r))
        return r;
    snprintf(err, RASTER_ERR_SIZE, "pictures are drawn by librsvg, which is not here (Debian: librsvg2-2)");
    raster_close(r);
    return NULL;
}

/* The libraries stay: those that they are made of do not take it well to be loaded twice. */
void raster_close(struct raster *r)
{
    if (r && r->surface)
        r->surface_destroy(r->surface);
    free(r);
}

bool raster_draw(struct raster *r, const char *svg, size_t len, unsigned int width, unsigned int height,
                 char err[RASTER_ERR_SIZE])
{
    const struct rectangle all = { 0, 0, width, height };
    void *handle = r->handle_new_from_data((const uint8_t *)svg, len, NULL), *cr;
    bool fine;

    if (r->surface)
        r->surface_destroy(r->surface);
    r->surface = r->surface_create(CAIRO_RGB24, (int)width, (int)height);
    cr = r->create(r->surface);
    fine = handle && r->handle_render_document(handle, cr, &all, NULL);
    r->destroy(cr);
    if (handle)
        r->object_unref(handle);
    r->surface_flush(r->surface);
    if (!fine)
        snprintf(err, RASTER_ERR_SIZE, "librsvg cannot draw this picture");
    return fine;
}

const uint8_t *raster_pixels(const struct raster *r, unsigned int *stride)
{
    if (!r->surface)
        return NULL;
    *stride = (unsigned int)r->surface_stride(r->surface);
    return r->surface_data(r->surface);
}

bool raster_write_png(const struct raster *r, const char *path, char err[RASTER_ERR_SIZE])
{
    if (r->surface && r->surface_png(r->surface, path) == 0)
        return true;
    snprintf(err, RASTER_ERR_SIZE, "%.120s cannot be written", path);
    return false;
}
