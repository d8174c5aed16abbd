// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The picture as pixels: librsvg and cairo, which are loaded when they are first wanted.
 *
 * Invariants: a machine without these libraries says so, once, and everything else goes on.
 */
#ifndef UI_PROJECTOR_RASTER_H
#define UI_PROJECTOR_RASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RASTER_ERR_SIZE 256

struct raster;

/* NULL and a message: what to install. */
struct raster *raster_open(char err[RASTER_ERR_SIZE]);
void raster_close(struct raster *r);
/* An SVG document of so many bytes, scaled to width x height. False and a message. */
bool raster_draw(struct raster *r, const char *svg, size_t len, unsigned int width, unsigned int height,
                 char err[RASTER_ERR_SIZE]);
/* What was drawn last: rows of 32-bit pixels, 0x00rrggbb, *stride bytes apart. NULL: nothing was. */
const uint8_t *raster_pixels(const struct raster *r, unsigned int *stride);
/* As a PNG file. False and a message. */
bool raster_write_png(const struct raster *r, const char *path, char err[RASTER_ERR_SIZE]);

#endif
