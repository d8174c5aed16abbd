// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest's screen for viewers of VNC: see ui/vnc.h. */
#include "ui/vnc.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <rfb/rfb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define UNUSED_TRIES 100u
#define FRAME_MS     40u /* a screen that changes without a word is drawn no oftener */
#define STALL_MS     50  /* a viewer that stops for longer in the midst of a message is hung up on */

#define TEXT(name) #name /* rfbInitServer stands for another name */
#define VNC_FUNCTIONS(X)                                                                                               \
    X(rfbGetScreen)                                                                                                    \
    X(rfbInitServer)                                                                                                   \
    X(rfbNewFramebuffer)                                                                                               \
    X(rfbMarkRectAsModified)                                                                                           \
    X(rfbProcessEvents)                                                                                                \
    X(rfbCheckPasswordByList)                                                                                          \
    X(rfbShutdownServer)                                                                                               \
    X(rfbScreenCleanup)                                                                                                \
    X(rfbLogEnable)

struct vnc_server {
    void *library;
#define X(name) __typeof__(&name) name;
    VNC_FUNCTIONS(X)
#undef X
    rfbScreenInfoPtr screen;
    uint8_t *pixels; /* 4 bytes each: red, green, blue, nothing */
    unsigned int width, height;
    uint64_t updates; /* that they are of */
    bool is_shown;    /* they are of any */
    uint64_t drawn;   /* when, ms */
    int buttons;
    const struct viewer_source *source; /* in a turn */
    char password[64], *passwords[2];   /* of which VNC knows the first 8 characters; "": none */
};

static bool library_load(struct vnc_server *s)
{
    /* It stays: the library of ciphers behind it keeps memory of its own until the program's end. */
    s->library = dlopen("libvncserver.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!s->library)
        return false;
#define X(function)                                                                                                    \
    *(void **)&s->function = dlsym(s->library, TEXT(function));                                                        \
    if (!s->function)                                                                                                  \
        return false;
    VNC_FUNCTIONS(X)
#undef X
    return true;
}

/* --- what viewers do --- */

static void on_key(rfbBool down, rfbKeySym symbol, rfbClientPtr client)
{
    const struct viewer_source *source = ((struct vnc_server *)client->screen->screenData)->source;
    const unsigned int key = vnc_key(symbol);

    if (key)
        source->key(source->data, down, key);
}

/* Buttons 1 to 3 are keys of the pointer, 4 and 5 its wheel. */
static void on_pointer(int now, int x, int y, rfbClientPtr client)
{
    static const unsigned int button[3] = { VIEWER_LEFT, VIEWER_MIDDLE, VIEWER_RIGHT };
    struct vnc_server *s = client->screen->screenData;
    const struct viewer_source *source = s->source;
    const int changed = now ^ s->buttons;
    const int wheel = (changed & now & 0x10) ? 1 : (changed & now & 0x08) ? -1 : 0;

    source->pointer(source->data, x, y, wheel);
    for (unsigned int i = 0; i < 3; i++)
        if (changed & 1 << i)
            source->key(source->data, now & 1 << i, button[i]);
    s->buttons = now;
}

/* --- the door --- */

/* A port that is free now. 0: none is. */
static unsigned int free_port(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(addr);
    const bool good =
        fd >= 0 && !bind(fd, (const struct sockaddr *)&addr, len) && !getsockname(fd, (struct sockaddr *)&addr, &len);

    if (fd >= 0)
        close(fd);
    return good ? ntohs(addr.sin_port) : 0;
}

/* Listen there. False, and errno: it cannot be had. */
static bool listen_at(struct vnc_server *s, unsigned int port, const char *name)
{
    rfbScreenInfoPtr screen = s->rfbGetScreen(NULL, NULL, 1, 1, 8, 3, 4);

    if (!screen)
        return false;
    s->screen = screen;
    screen->frameBuffer = (char *)s->pixels;
    screen->screenData = s;
    screen->desktopName = name;
    screen->listenInterface = htonl(INADDR_LOOPBACK);
    screen->port = (int)port;
    screen->ipv6port = 0;
    screen->alwaysShared = TRUE;
    screen->maxClientWait = STALL_MS;
    screen->deferUpdateTime = screen->deferPtrUpdateTime = 0;
    screen->cursor = NULL;
    if (*s->password) {
        s->passwords[0] = s->password;
        screen->authPasswdData = s->passwords;
        screen->passwordCheck = s->rfbCheckPasswordByList;
    }
    screen->kbdAddEvent = on_key;
    screen->ptrAddEvent = on_pointer;
    s->rfbInitServer(screen);
    return screen->listenSock >= 0;
}

int vnc_open(struct vnc *v, unsigned int port, bool unused, const char *password, const char *name, char *err,
             size_t size)
{
    struct vnc_server *s = v->server = calloc(1, sizeof(*s));
    bool good = false;

    if (!s || !library_load(s) || !(s->pixels = calloc(1, 4))) {
        snprintf(err, size, "--vnc: %s",
                 s && !s->rfbGetScreen ? "viewers are served by libvncserver, which is not here (Debian: libvncserver1)"
                                       : "out of memory");
        vnc_close(v);
        return -1;
    }
    s->rfbLogEnable(0);
    snprintf(s->password, sizeof(s->password), "%s", password ? password : "");
    v->port = port ?: free_port();
    for (unsigned int i = 0; !good && i < (unused ? UNUSED_TRIES : 1) && v->port + i <= UINT16_MAX; i++) {
        good = listen_at(s, v->port + i, name);
        if (good)
            v->port += i;
        else if (s->screen)
            s->rfbScreenCleanup(s->screen), s->screen = NULL;
    }
    if (good)
        return 0;
    snprintf(err, size, "--vnc: 127.0.0.1:%u: it cannot be had", port);
    vnc_close(v);
    return -1;
}

void vnc_close(struct vnc *v)
{
    struct vnc_server *s = v->server;

    if (!s)
        return;
    if (s->screen) {
        s->rfbShutdownServer(s->screen, TRUE);
        s->rfbScreenCleanup(s->screen);
    }
    if (s->library)
        dlclose(s->library);
    free(s->pixels);
    free(s);
    v->server = NULL;
}

nfds_t vnc_fds(const struct vnc *v, struct pollfd *fds)
{
    nfds_t nr = 0;

    for (int fd = 0; v->server && fd <= v->server->screen->maxFd && nr < VNC_FDS; fd++)
        if (FD_ISSET(fd, &v->server->screen->allFds))
            fds[nr++] = (struct pollfd){ .fd = fd, .events = POLLIN };
    return nr;
}

/* --- the picture --- */

static bool size_set(struct vnc_server *s, const struct viewer_screen *screen)
{
    uint8_t *pixels = calloc((size_t)screen->width * screen->height, 4), *old = s->pixels;

    if (!pixels)
        return false;
    s->pixels = pixels;
    s->width = screen->width;
    s->height = screen->height;
    s->is_shown = false;
    s->rfbNewFramebuffer(s->screen, (char *)pixels, (int)s->width, (int)s->height, 8, 3, 4);
    free(old);
    return true;
}

/* The rows from the first to the last that are not as they were; it may be all of them. */
static void draw(struct vnc_server *s, const struct viewer_source *source)
{
    unsigned int first = s->height, last = 0;
    uint8_t *rgb = malloc((size_t)s->width * 3), *row = malloc((size_t)s->width * 4);

    for (unsigned int y = 0; rgb && row && y < s->height; y++) {
        uint8_t *shown = s->pixels + (size_t)y * s->width * 4;

        source->row(source->data, y, s->width, rgb);
        for (unsigned int x = 0; x < s->width; x++) {
            memcpy(row + 4 * x, rgb + 3 * x, 3);
            row[4 * x + 3] = 0;
        }
        if (!memcmp(row, shown, (size_t)s->width * 4))
            continue;
        memcpy(shown, row, (size_t)s->width * 4);
        first = y < first ? y : first;
        last = y;
    }
    free(rgb);
    free(row);
    if (first <= last)
        s->rfbMarkRectAsModified(s->screen, 0, (int)first, (int)s->width, (int)last + 1);
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void vnc_take(struct vnc *v, const struct viewer_source *source)
{
    struct vnc_server *s = v->server;
    struct viewer_screen now;

    if (!s)
        return;
    if (source->screen(source->data, &now)) {
        now.width = now.width < VIEWER_SIDE ? now.width : VIEWER_SIDE;
        now.height = now.height < VIEWER_SIDE ? now.height : VIEWER_SIDE;
        if ((now.width != s->width || now.height != s->height) && !size_set(s, &now))
            return;
        if (s->screen->clientHead &&
            (!s->is_shown || now.updates != s->updates || (now.silent && now_ms() - s->drawn >= FRAME_MS))) {
            draw(s, source);
            s->drawn = now_ms();
            s->updates = now.updates;
            s->is_shown = true;
        }
    }
    s->source = source;
    s->rfbProcessEvents(s->screen, 0);
    s->source = NULL;
}
