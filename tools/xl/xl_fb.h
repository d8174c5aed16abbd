// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Screens, keyboards and pointers of a guest, as they are written: vfb = [ "vnc=1,vncdisplay=2" ] and
 * vkb = [ "feature-disable-pointer=1" ] of xl.cfg, and --fb.
 *
 * Concept: words with values (xl.cfg(5)). As in xl a screen brings a keyboard and a pointer with it. What the words of
 * a screen say of its viewers is noted in xenstore, where xl notes it.
 */
#ifndef TOOLS_XL_XL_FB_H
#define TOOLS_XL_XL_FB_H

#include <stdbool.h>

#define XL_FBS_MAX     4
#define XL_FB_WHY_SIZE 384

/* What is written to xenstore of one: name and value, in order. */
struct xl_fb {
    struct xl_fb_word {
        char name[28], value[64];
    } words[12];
    unsigned int nr;
};

struct xl_fbs {
    struct xl_fb fb[XL_FBS_MAX], kbd[2 * XL_FBS_MAX];
    unsigned int nr_fbs, nr_kbds;
};

/* Add the screen, or the keyboard, that an xl.cfg's word is about. False, and why: in words that follow the key. */
bool xl_fbs_add(struct xl_fbs *fbs, const char *spec, char why[XL_FB_WHY_SIZE]);
bool xl_fbs_add_kbd(struct xl_fbs *fbs, const char *spec, char why[XL_FB_WHY_SIZE]);
/* What a screen says: NULL: nothing. */
const char *xl_fb_word(const struct xl_fb *fb, const char *name);

#endif
