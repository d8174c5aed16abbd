// SPDX-License-Identifier: GPL-2.0-or-later
/* Tours as files: see ui/tour/export.h. */
#include "ui/tour/export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_SECONDS 2.0  /* at a screen, without its words */
#define READ_SECONDS 0.05 /* a character */

typedef bool step_fn(const struct tour_export *e, const struct grid *g, FILE *out, void *data);
typedef bool steps_fn(const struct tour_export *e, bool answers, step_fn *fn, FILE *out, void *data);

/* --- asciicast, https://docs.asciinema.org/manual/asciicast/v2/ --- */

static void json_char(uint32_t ch, FILE *out)
{
    if (ch == '"' || ch == '\\')
        fprintf(out, "\\%c", (int)ch);
    else if (ch < 0x20 || ch > 0x7e)
        fprintf(out, "\\u%04x", ch);
    else
        putc((int)ch, out);
}

static void json_text(const char *text, FILE *out)
{
    putc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        json_char(*p < 0x80 ? *p : '?', out);
    putc('"', out);
}

/* Select Graphic Rendition, ECMA-48 8.3.117. */
static void sgr(const struct look *l, bool colours, FILE *out)
{
    fprintf(out, "\\u001b[0%s%s%s", l->bold ? ";1" : "", l->underline ? ";4" : "", l->reverse ? ";7" : "");
    if (colours && l->term_fg != TERM_DEFAULT)
        fprintf(out, ";38;5;%u", l->term_fg);
    if (colours && l->term_bg != TERM_DEFAULT)
        fprintf(out, ";48;5;%u", l->term_bg);
    putc('m', out);
}

/* How long it takes to read what is told. */
static double seconds(const struct debug_tour *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->nr_lines; i++)
        n += strlen(t->line[i].text);
    return LOOK_SECONDS + READ_SECONDS * (double)n;
}

static bool cast_step(const struct tour_export *e, const struct grid *g, FILE *out, void *data)
{
    double *now = data;

    fprintf(out, "[%.3f, \"m\", ", *now);
    json_text(e->play->shown.step, out);
    fprintf(out, "]\n[%.3f, \"o\", \"\\u001b[H\\u001b[2J", *now);
    for (unsigned int row = 0; row < g->rows; row++) {
        const struct cell *before = NULL;

        fprintf(out, "\\u001b[%u;1H", row + 1);
        for (unsigned int col = 0; col < g->cols; col++) {
            const struct cell *c = &g->cell[(size_t)row * g->cols + col];

            const struct look look = cell_look(c, e->palette);

            if (!before || !cell_looks_like(c, before))
                sgr(&look, e->palette->colours, out);
            before = c;
            json_char(c->ch, out);
        }
    }
    fputs("\"]\n", out);
    *now += seconds(&e->play->shown);
    return true;
}

static bool cast(const struct tour_export *e, FILE *out, steps_fn *steps)
{
    double now = 0.5;

    fprintf(out, "{\"version\": 2, \"width\": %u, \"height\": %u, \"title\": ", e->cols, e->rows);
    json_text(e->play->tour->title, out);
    fputs("}\n", out);
    if (!steps(e, true, cast_step, out, &now))
        return false;
    fprintf(out, "[%.3f, \"o\", \"\\u001b[0m\\r\\n\"]\n", now);
    return true;
}

/* --- a page --- */

static void html_text(const char *text, FILE *out)
{
    for (; *text; text++)
        switch (*text) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        default: putc(*text, out);
        }
}

/* An answer, and what is told behind it, may be opened: as on the screen, nothing gives it away. */
static bool html_step(const struct tour_export *e, const struct grid *g, FILE *out, void *data)
{
    const struct debug_tour *t = &e->play->shown;
    bool answered = false;

    fprintf(out, "<section id=\"step%zu\">\n<div class=\"words\">\n<h2>%zu. ", t->at + 1, t->at + 1);
    html_text(t->step, out);
    fputs("</h2>\n", out);
    for (size_t i = 0; i < t->nr_lines; i++) {
        if (t->line[i].kind == '!' && !answered)
            fputs("<details><summary>Answer</summary>\n", out);
        answered |= t->line[i].kind == '!';
        fputs(t->line[i].kind == '?' ? "<p class=\"q\">" : "<p>", out);
        html_text(t->line[i].text, out);
        fputs("</p>\n", out);
    }
    if (answered)
        fputs("</details>\n", out);
    fputs("</div>\n", out);
    grid_write_svg(g, e->palette, t->step, out);
    fputs("</section>\n", out);
    return true;
}

/*
 * Without a script it is all of it, from top to bottom; with one, a step at a time, each with an address of its own. On
 * a screen with room for it, words stand beside the picture, so that both are seen at once.
 */
static const char page_style[] =
    "body{font-family:sans-serif;max-width:70rem;margin:0 auto;padding:0 1rem;line-height:1.5;color:#111;"
    "background:#fff}h1{font-size:1.6rem;margin:.5rem 0}h2{margin:.5rem 0}[hidden]{display:none!important}"
    "svg{width:100%;height:auto;max-height:97vh}.q{font-weight:bold}"
    "nav{position:sticky;top:0;background:#fff;padding:.5rem 0}button{font-size:1rem;margin-right:.5rem}"
    "@media(min-width:80rem){body{max-width:none}section{display:grid;grid-template-columns:minmax(18rem,1fr) 3fr;"
    "gap:1.5rem}.words{font-size:1.2rem}svg{max-height:calc(100vh - 7.5rem)}}";
static const char page_script[] =
    "const s=[...document.querySelectorAll('section')];let n=0;"
    "function show(i){n=Math.max(0,Math.min(s.length-1,i));s.forEach((e,k)=>e.hidden=k!==n);"
    "document.getElementById('where').textContent=(n+1)+' of '+s.length;"
    "document.getElementById('back').disabled=!n;document.getElementById('next').disabled=n===s.length-1;}"
    "function go(i){show(i);history.replaceState(null,'','#step'+(n+1));scrollTo(0,0);}"
    "function there(){show((parseInt(location.hash.slice(5))||1)-1);}"
    "document.getElementById('steps').hidden=false;"
    "document.getElementById('next').onclick=()=>go(n+1);document.getElementById('back').onclick=()=>go(n-1);"
    "document.onkeydown=e=>{if(e.altKey||e.ctrlKey||e.metaKey)return;"
    "if(e.key==='ArrowRight'||e.key==='PageDown')go(n+1);else if(e.key==='ArrowLeft'||e.key==='PageUp')go(n-1);"
    "else if(e.key===' '&&e.target===document.body)s[n].querySelectorAll('details').forEach(d=>d.open=!d.open);"
    "else return;e.preventDefault();};onhashchange=there;there();";

/* Answers are behind a click, so the pictures do not have them. */
static bool html(const struct tour_export *e, FILE *out, steps_fn *steps)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
          out);
    html_text(e->play->tour->title, out);
    fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<h1>", page_style);
    html_text(e->play->tour->title, out);
    fputs("</h1>\n<nav id=\"steps\" hidden><button id=\"back\">Back</button><button id=\"next\">Next</button>"
          "<span id=\"where\" aria-live=\"polite\"></span></nav>\n",
          out);
    if (!steps(e, false, html_step, out, NULL))
        return false;
    fprintf(out, "<script>%s</script>\n</body>\n</html>\n", page_script);
    return true;
}

/* --- all of them --- */

/* Give the tour, and hand over the screen of each step, with its answers or without. */
static bool each_step(const struct tour_export *e, bool answers, step_fn *fn, FILE *out, void *data)
{
    bool fine = true;

    while (fine && play_next(e->play)) {
        struct grid g = { 0 };

        e->play->shown.revealed = answers;
        fine = e->draw(e->data, &g) && fn(e, &g, out, data);
        grid_free(&g);
    }
    return fine;
}

static bool svg_step(const struct tour_export *e, const struct grid *g, FILE *unused, void *data)
{
    const char *path = data;
    char *name = NULL;
    FILE *out = NULL;
    bool fine;

    if (asprintf(&name, "%.*s-%zu.svg", (int)(strlen(path) - strlen(".svg")), path, e->play->shown.at + 1) >= 0)
        out = fopen(name, "we");
    free(name);
    if (!out)
        return false;
    grid_write_svg(g, e->palette, e->play->shown.step, out);
    fine = !ferror(out);
    return (fclose(out) == 0) & fine;
}

static bool ends_in(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);

    return n > m && !strcmp(text + n - m, end);
}

int tour_export(const struct tour_export *e, const char *path, char *err, size_t size)
{
    FILE *out;
    bool fine;

    if (ends_in(path, ".svg")) {
        fine = each_step(e, true, svg_step, NULL, (void *)(uintptr_t)path);
    } else if (!ends_in(path, ".cast") && !ends_in(path, ".html")) {
        snprintf(err, size, "--export: \"%.100s\" ends in none of .cast, .html and .svg", path);
        return -1;
    } else if ((out = fopen(path, "we"))) {
        fine = (ends_in(path, ".cast") ? cast : html)(e, out, each_step);
        fine = !ferror(out) && fine;
        fine = (fclose(out) == 0) & fine;
    } else {
        fine = false;
    }
    if (!fine)
        snprintf(err, size, "--export: %.100s: %s", path, errno ? strerror(errno) : "out of memory");
    return fine ? 0 : -1;
}
