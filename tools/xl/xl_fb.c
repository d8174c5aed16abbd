// SPDX-License-Identifier: GPL-2.0-or-later
/* Screens, keyboards and pointers of a guest, as they are written: see tools/xl/xl_fb.h. */
#include "tools/xl/xl_fb.h"

#include "tools/printable.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum word_kind { FLAG, NUMBER, TEXT };

/* node: how it is called in xenstore; NULL: it is not there. */
struct word {
    const char *name, *node;
    enum word_kind kind;
};

static const struct word fb_words[] = {
    { "vnc", "vnc", FLAG },
    { "vnclisten", "vnclisten", TEXT },
    { "vncpasswd", "vncpasswd", TEXT },
    { "vncdisplay", "vncdisplay", NUMBER },
    { "vncunused", "vncunused", FLAG },
    { "keymap", "keymap", TEXT },
    { "sdl", "sdl", FLAG },
    { "opengl", "opengl", FLAG },
    { "display", "display", TEXT },
    { "xauthority", "xauthority", TEXT },
    { NULL, NULL, FLAG },
};

static const struct word kbd_words[] = {
    { "unique-id", "unique-id", TEXT },
    { "backend-type", NULL, TEXT },
    { "feature-disable-keyboard", "feature-disable-keyboard", FLAG },
    { "feature-disable-pointer", "feature-disable-pointer", FLAG },
    { "feature-abs-pointer", "feature-abs-pointer", FLAG },
    { "feature-raw-pointer", "feature-raw-pointer", FLAG },
    { "feature-multi-touch", "feature-multi-touch", FLAG },
    { "multi-touch-width", "multi-touch-width", NUMBER },
    { "multi-touch-height", "multi-touch-height", NUMBER },
    { "multi-touch-num-contacts", "multi-touch-num-contacts", NUMBER },
    { "width", "width", NUMBER },
    { "height", "height", NUMBER },
    { NULL, NULL, FLAG },
};

__attribute__((format(printf, 2, 3))) static bool fail(char why[XL_FB_WHY_SIZE], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, XL_FB_WHY_SIZE, fmt, ap);
    va_end(ap);
    make_printable(why, strlen(why), false);
    return false;
}

static char *trim(char *s)
{
    char *end = s + strlen(s);

    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = 0;
    return s + strspn(s, " \t");
}

static bool value_good(const struct word *w, const char *value, char why[XL_FB_WHY_SIZE])
{
    if (w->kind == FLAG && strcmp(value, "0") && strcmp(value, "1"))
        return fail(why, "%s=%.100s: expected 0 or 1", w->name, value);
    if (w->kind == NUMBER && (!*value || strlen(value) > 5 || strspn(value, "0123456789") != strlen(value)))
        return fail(why, "%s=%.100s: expected a number", w->name, value);
    if (strlen(value) >= sizeof(((struct xl_fb_word *)0)->value))
        return fail(why, "%s=%.100s: expected less than 64 characters", w->name, value);
    return true;
}

static bool word_read(struct xl_fb *fb, const struct word *known, const char *name, const char *value, const char *what,
                      char why[XL_FB_WHY_SIZE])
{
    unsigned int i = 0;

    if (!strcmp(name, "backend"))
        return !strcmp(value, "0") || !strcmp(value, "Domain-0") ||
               fail(why, "backend=%.100s: only dom0 has %ss", value, what);
    while (known->name && strcmp(known->name, name))
        known++;
    if (!known->name)
        return fail(why, "there is no %.100s= of a %s", name, what);
    if (!value_good(known, value, why))
        return false;
    if (!strcmp(name, "backend-type") && strcmp(value, "qemu") && strcmp(value, "linux"))
        return fail(why, "backend-type=%.100s: expected qemu or linux", value);
    if (!known->node)
        return true;
    while (i < fb->nr && strcmp(fb->words[i].name, known->node))
        i++;
    if (i == fb->nr)
        fb->nr++;
    strcpy(fb->words[i].name, known->node);
    strcpy(fb->words[i].value, value);
    return true;
}

static bool words_read(struct xl_fb *fb, const struct word *known, char *rest, const char *what,
                       char why[XL_FB_WHY_SIZE])
{
    char *word;

    while ((word = strsep(&rest, ","))) {
        char *value = strchr(word = trim(word), '=');

        if (!*word)
            continue;
        if (!value)
            return fail(why, "expected NAME=VALUE, got \"%.100s\"", word);
        *value++ = 0;
        if (!word_read(fb, known, trim(word), trim(value), what, why))
            return false;
    }
    return true;
}

static bool read_one(struct xl_fb *fb, const struct word *known, const char *spec, const char *what,
                     char why[XL_FB_WHY_SIZE])
{
    char *copy = strdup(spec);
    const bool good = copy ? words_read(fb, known, copy, what, why) : fail(why, "not enough memory");

    free(copy);
    return good;
}

bool xl_fbs_add(struct xl_fbs *fbs, const char *spec, char why[XL_FB_WHY_SIZE])
{
    struct xl_fb fb = { .nr = 0 };

    if (!read_one(&fb, fb_words, spec, "screen", why))
        return false;
    if (fbs->nr_fbs == XL_FBS_MAX)
        return fail(why, "more than %d screens", XL_FBS_MAX);
    fbs->fb[fbs->nr_fbs++] = fb;
    return xl_fbs_add_kbd(fbs, "", why);
}

bool xl_fbs_add_kbd(struct xl_fbs *fbs, const char *spec, char why[XL_FB_WHY_SIZE])
{
    struct xl_fb kbd = { .nr = 0 };
    const char *touch;

    if (!read_one(&kbd, kbd_words, spec, "keyboard", why))
        return false;
    touch = xl_fb_word(&kbd, "feature-multi-touch");
    if (touch && *touch == '1' &&
        !(xl_fb_word(&kbd, "multi-touch-width") && xl_fb_word(&kbd, "multi-touch-height") &&
          xl_fb_word(&kbd, "multi-touch-num-contacts")))
        return fail(why, "feature-multi-touch=1: multi-touch-width, -height and -num-contacts belong to it");
    if (fbs->nr_kbds == 2 * XL_FBS_MAX)
        return fail(why, "more than %d keyboards", 2 * XL_FBS_MAX);
    fbs->kbd[fbs->nr_kbds++] = kbd;
    return true;
}

const char *xl_fb_word(const struct xl_fb *fb, const char *name)
{
    for (unsigned int i = 0; i < fb->nr; i++)
        if (!strcmp(fb->words[i].name, name))
            return fb->words[i].value;
    return NULL;
}
