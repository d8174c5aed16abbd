// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether a picture of a trace is one: XML, elements of which are closed in the order in which they were opened, with
 * nothing outside of the picture, no letters that are too small, and not more elements than a picture can show.
 */
#ifndef TESTS_UI_PICTURE_H
#define TESTS_UI_PICTURE_H

#include <ctype.h>

struct picture {
    double width, height;
    unsigned long elements, arrows;
    char open[8][16];
    int depth;
};

static double picture_number(const char *tag, const char *name)
{
    char key[32];
    const char *at;

    snprintf(key, sizeof(key), " %s=\"", name);
    at = strstr(tag, key);
    return at ? atof(at + strlen(key)) : 0;
}

static void picture_tag(struct picture *p, const char *tag)
{
    const size_t len = strlen(tag);
    char name[16];

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(tag, " /"), tag);
    if (*tag == '/') {
        assert_true(p->depth > 0);
        assert_string_equal(p->open[--p->depth], tag + 1);
        return;
    }
    if (p->depth == 0) {
        p->width = picture_number(tag, "width");
        p->height = picture_number(tag, "height");
    } else if (!strcmp(name, "rect") && strstr(tag, " x=")) {
        const double x = picture_number(tag, "x"), y = picture_number(tag, "y");

        assert_true(x >= 0 && y >= 0 && picture_number(tag, "width") >= 0 && picture_number(tag, "height") >= 0);
        assert_true(x + picture_number(tag, "width") <= p->width && y + picture_number(tag, "height") <= p->height);
    }
    p->arrows += strstr(tag, "marker-end") != NULL;
    p->elements++;
    if (tag[len - 1] == '/')
        return;
    assert_true(p->depth < 8);
    strcpy(p->open[p->depth++], name);
}

static struct picture picture_check(const char *path)
{
    static char text[1 << 22], tag[1024];
    struct picture p = { 0 };
    FILE *in = fopen(path, "r");
    const size_t len = fread(text, 1, sizeof(text) - 1, in);

    fclose(in);
    assert_true(len < sizeof(text) - 1);
    text[len] = '\0';
    for (char *at = text; (at = strchr(at, '<')) != NULL;) {
        char *end = strchr(at, '>');

        assert_true(end && end - at < (ptrdiff_t)sizeof(tag));
        snprintf(tag, sizeof(tag), "%.*s", (int)(end - at - 1), at + 1);
        assert_null(strchr(tag, '<'));
        picture_tag(&p, tag);
        at = end;
    }
    assert_int_equal(p.depth, 0);
    for (const char *at = text; (at = strstr(at, "px")) != NULL; at++) {
        const char *number = at;

        while (number > text && isdigit((unsigned char)number[-1]))
            number--;
        assert_true(number == at || atoi(number) >= 10);
    }
    for (const char *at = text; *at; at++)
        assert_true(*at == '\n' || (*at >= ' ' && *at < 0x7f && *at != '&'));
    assert_null(strstr(text, "nan"));
    return p;
}

#endif
