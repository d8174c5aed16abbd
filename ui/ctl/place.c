// SPDX-License-Identifier: GPL-2.0-or-later
/* Where control sockets are, see ui/ctl/place.h. */
#include "ui/ctl/place.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FOLDER "xenlab"

static const char *runtime_dir(void)
{
    const char *dir = getenv("XDG_RUNTIME_DIR");

    return dir && *dir == '/' ? dir : NULL;
}

static int too_long(const char *option, const char *path, char err[CTL_PLACE_ERR_SIZE])
{
    snprintf(err, CTL_PLACE_ERR_SIZE, "%s: %.300s: the path is too long for a socket", option, path);
    return -1;
}

static int below_runtime_dir(const char *option, const char *name, char path[CTL_PLACE_SIZE],
                             char err[CTL_PLACE_ERR_SIZE])
{
    if (!runtime_dir()) {
        snprintf(err, CTL_PLACE_ERR_SIZE,
                 "%s: a name is looked for below $XDG_RUNTIME_DIR, which is not set: --control PATH says where",
                 option);
        return -1;
    }
    if ((size_t)snprintf(path, CTL_PLACE_SIZE, "%s/" FOLDER "/%s", runtime_dir(), name) >= CTL_PLACE_SIZE)
        return too_long(option, name, err);
    return 0;
}

int ctl_place(const char *option, const char *given, char path[CTL_PLACE_SIZE], char err[CTL_PLACE_ERR_SIZE])
{
    if (!strchr(given, '/')) {
        if (below_runtime_dir(option, given, path, err))
            return -1;
        *strrchr(path, '/') = '\0';
        mkdir(path, 0700); /* who cannot make it hears of that when the socket is made, or looked for */
        path[strlen(path)] = '/';
        return 0;
    }
    if ((size_t)snprintf(path, CTL_PLACE_SIZE, "%s", given) >= CTL_PLACE_SIZE)
        return too_long(option, given, err);
    return 0;
}

int ctl_place_default(const char *name, unsigned int n, char path[CTL_PLACE_SIZE], char err[CTL_PLACE_ERR_SIZE])
{
    char file[80];

    snprintf(file, sizeof(file), n > 1 ? "%.60s-%u" : "%.60s", name, n);
    for (char *c = file; *c; c++)
        if (*c == '/' || (c == file && (*c == '.' || *c == '-')))
            *c = '_';
    return ctl_place("--control", file, path, err);
}

int ctl_connect(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(addr.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(addr.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&addr, sizeof(addr))) {
        const int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int ctl_place_only(char path[CTL_PLACE_SIZE], char err[CTL_PLACE_ERR_SIZE])
{
    char folder[CTL_PLACE_SIZE], names[300] = "", found[CTL_PLACE_SIZE] = "";
    unsigned int nr = 0;
    const struct dirent *e;
    DIR *dir;

    if (below_runtime_dir("ctl", "", folder, err))
        return -1;
    dir = opendir(folder);
    while (dir && (e = readdir(dir))) {
        int fd;

        if (e->d_name[0] == '.' || below_runtime_dir("ctl", e->d_name, path, err) || (fd = ctl_connect(path)) < 0)
            continue;
        close(fd);
        strcpy(found, path);
        if (strlen(names) + strlen(e->d_name) + 3 < sizeof(names))
            sprintf(names + strlen(names), "%s%s", nr ? ", " : "", e->d_name);
        nr++;
    }
    if (dir)
        closedir(dir);
    strcpy(path, found);
    if (nr == 1)
        return 0;
    if (nr)
        snprintf(err, CTL_PLACE_ERR_SIZE, "several machines run: --name says which (%s)", names);
    else
        snprintf(err, CTL_PLACE_ERR_SIZE, "no machine runs that could be reached below %s (--control PATH says where)",
                 folder);
    return -1;
}
