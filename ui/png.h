// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pictures in files, as PNG (ISO/IEC 15948): a row of pixels after the other.
 *
 * Concept: libpng writes them, which is loaded for that.
 */
#ifndef UI_PNG_H
#define UI_PNG_H

#include <stddef.h>
#include <stdint.h>

/* Row y of a picture: width triples of red, green and blue. */
typedef void png_row_fn(void *data, unsigned int y, uint8_t *rgb);

/* 0, or errno: the file is not there, or not whole. ENOPKG: libpng is not there. */
int png_write(const char *path, unsigned int width, unsigned int height, png_row_fn *row, void *data);

#endif
