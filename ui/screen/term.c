// SPDX-License-Identifier: GPL-2.0-or-later
/* A terminal by ncurses, see ui/screen/term.h. */
#include "ui/screen/term.h"

#include "ui/debug/keys.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>

#define ESCAPE_MS 25 /* behind which an ESC is the key of that name */
#define MOUSE     (BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED)

/* A terminal has what terminfo calls it; ncurses keeps it, so there is one. */
bool term_open(char *err, size_t size)
{
    const char *name = getenv("TERM");

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        snprintf(err, size, "this is no terminal: xenlab debug takes lines; --script FILE needs no screen");
        return false;
    }
    setlocale(LC_CTYPE, "");
    set_escdelay(ESCAPE_MS);
    if (!newterm(NULL, stdout, stdin)) {
        snprintf(err, size, "a terminal of the kind \"%.40s\" (TERM) is not known here", name ? name : "");
        return false;
    }
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    meta(stdscr, TRUE);
    curs_set(0);
    mousemask(MOUSE, NULL);
    mouseinterval(0);
    if (has_colors()) {
        start_color();
        use_default_colors();
    }
    return true;
}

void term_close(void)
{
    endwin();
    delscreen(set_term(NULL));
}

/* An escape sequence of the terminal, or nothing. */
static const char *sequence(const char *text) { return text && text != (const char *)-1 ? text : ""; }

char *term_restore_text(void)
{
    static const char mouse_off[] = "\033[?1000l";
    char *text = NULL;

    if (asprintf(&text, "%s%s%s%s", sequence(tigetstr("kmous"))[0] ? mouse_off : "", sequence(exit_attribute_mode),
                 sequence(cursor_normal), sequence(exit_ca_mode)) < 0)
        return NULL;
    return text;
}

bool term_has_unicode(void) { return !strcmp(nl_langinfo(CODESET), "UTF-8"); }

bool term_has_colours(void)
{
    const char *no = getenv("NO_COLOR");

    return has_colors() && COLORS >= 8 && !(no && *no);
}

bool term_has_256_colours(void) { return term_has_colours() && COLORS >= 256; }

void term_size(unsigned int *rows, unsigned int *cols)
{
    *rows = (unsigned int)LINES;
    *cols = (unsigned int)COLS;
}

/* endwin() would leave the screen once more, which a signal's handler has done. */
void term_again(void)
{
    reset_prog_mode();
    putp(sequence(enter_ca_mode));
    putp(sequence(keypad_xmit));
    mousemask(0, NULL);
    mousemask(MOUSE, NULL);
    curs_set(1);
    curs_set(0);
    clearok(curscr, TRUE);
    refresh();
}

/* --- showing --- */

/* Of a terminal's eight colours the one that is most like it. */
static short of_eight(uint32_t rgb)
{
    const uint32_t r = rgb >> 16, g = rgb >> 8 & 0xff, b = rgb & 0xff;
    const uint32_t most = r > g ? (r > b ? r : b) : (g > b ? g : b);

    return (short)((r * 4 > most * 3) | (g * 4 > most * 3) << 1 | (b * 4 > most * 3) << 2);
}

static void pairs_make(const struct palette *palette)
{
    for (unsigned int i = 0; i < STYLE_NR; i++) {
        const struct look *l = &palette->look[i];
        short fg = l->term_fg == TERM_DEFAULT ? -1 : (short)l->term_fg;
        short bg = l->term_bg == TERM_DEFAULT ? -1 : (short)l->term_bg;

        if (COLORS < 256) {
            fg = fg < 0 ? -1 : l->fg == 0x121212 ? COLOR_BLACK : of_eight(l->fg);
            bg = bg < 0 ? -1 : of_eight(l->bg);
        }
        init_pair((short)(i + 1), fg, bg);
    }
}

static attr_t attributes(const struct look *l)
{
    return (l->bold ? A_BOLD : 0) | (l->reverse ? A_REVERSE : 0) | (l->underline ? A_UNDERLINE : 0);
}

/* The pair of a cell's colours. */
static int pair_of(const struct cell *c)
{
    int fg = c->fg, bg = c->bg;

    if (!c->painted)
        return c->style + 1;
    if (COLORS < 256) {
        fg = of_eight(term_colour_rgb(c->fg));
        bg = of_eight(term_colour_rgb(c->bg));
        if (fg == bg && c->fg != c->bg)
            fg = bg == COLOR_BLACK ? COLOR_WHITE : COLOR_BLACK;
    }
    return alloc_pair(fg, bg);
}

void term_show(const struct grid *g, const struct palette *palette, bool ascii)
{
    const bool colours = palette->colours && term_has_colours();

    if (colours)
        pairs_make(palette);
    for (unsigned int row = 0; row < g->rows && (int)row < LINES; row++)
        for (unsigned int col = 0; col < g->cols && (int)col < COLS; col++) {
            const struct cell *c = &g->cell[(size_t)row * g->cols + col];
            const wchar_t text[] = { ascii ? (wchar_t)glyph_ascii(c->ch) : (wchar_t)c->ch, 0 };
            const struct look look = cell_look(c, palette);
            int pair = colours ? pair_of(c) : 0;
            cchar_t cc;

            setcchar(&cc, text, attributes(&look), 0, pair > 0 ? &pair : NULL);
            mvadd_wch((int)row, (int)col, &cc);
        }
    refresh();
}

/* --- keys --- */

static int key_of(wint_t ch)
{
    static const struct {
        int ncurses, key;
    } keys[] = { { KEY_UP, KEY_IS_UP },
                 { KEY_DOWN, KEY_IS_DOWN },
                 { KEY_LEFT, KEY_IS_LEFT },
                 { KEY_RIGHT, KEY_IS_RIGHT },
                 { KEY_PPAGE, KEY_IS_PAGE_UP },
                 { KEY_NPAGE, KEY_IS_PAGE_DOWN },
                 { KEY_HOME, KEY_IS_HOME },
                 { KEY_END, KEY_IS_END },
                 { KEY_BTAB, KEY_IS_BACKTAB },
                 { KEY_DC, KEY_IS_DELETE },
                 { KEY_BACKSPACE, KEY_IS_BACKSPACE },
                 { KEY_ENTER, KEY_IS_ENTER },
                 { KEY_RESIZE, KEY_IS_RESIZE } };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if ((int)ch == keys[i].ncurses)
            return keys[i].key;
    return KEY_IS_NONE;
}

static void mouse_of(struct term_event *e)
{
    MEVENT m;

    if (getmouse(&m) != OK || m.y < 0 || m.x < 0)
        return;
    e->mouse = true;
    e->row = (unsigned int)m.y;
    e->col = (unsigned int)m.x;
    e->wheel = m.bstate & BUTTON4_PRESSED ? -1 : m.bstate & BUTTON5_PRESSED ? 1 : 0;
}

bool term_event(int timeout_ms, struct term_event *e)
{
    struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
    bool gone;
    int bytes = 0, rc;
    wint_t ch;

    *e = (struct term_event){ .key = KEY_IS_NONE };
    timeout(0);
    rc = get_wch(&ch);
    if (rc == ERR) /* a broken character; the key behind it is not read any more, but ncurses' own */
        rc = get_wch(&ch);
    if (rc == ERR) {
        if (poll(&p, 1, timeout_ms) < 0)
            return errno == EINTR;
        /* Asked before it is read: what is no character is as if it had not been there. */
        gone = p.revents & POLLIN && ioctl(STDIN_FILENO, FIONREAD, &bytes) == 0 && !bytes;
        rc = get_wch(&ch);
        if (rc == ERR && (gone || p.revents & (POLLHUP | POLLERR | POLLNVAL)))
            return false;
    }
    if (rc == KEY_CODE_YES && ch == KEY_MOUSE)
        mouse_of(e);
    else if (rc == KEY_CODE_YES)
        e->key = key_of(ch);
    else if (rc == OK)
        e->key = ch == '\n' ? KEY_IS_ENTER : ch == 127 || ch == 8 ? KEY_IS_BACKSPACE : (int)ch;
    return true;
}
