// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * p9cat: a shared folder, by hand.
 *
 * Shows what a file system is that lives on the other side of a ring: each name that is looked up, each piece that is
 * read, is a message (guests/rt/p9front.h). It prints the files that its command line names, or else what is in the
 * folder. With times=N it does so N times.
 */
#include "guests/rt/p9front.h"

static void xenstore_event(const char *path, const char *token)
{
    (void)path;
    (void)token;
}

static void list(void)
{
    uint64_t next = 0;

    if (p9_open(1, ""))
        guest_panic("the folder cannot be opened");
    while (p9_read(P9_TREADDIR, 1, next))
        while (p9_at < p9_len) {
            char name[256];
            bool dir = p9_get(1) & 0x80; /* of the qid */
            size_t len;

            p9_get(8), p9_get(4);
            next = p9_get(8);
            p9_get(1);
            len = (size_t)p9_get(2);
            for (size_t i = 0; i < len; i++) {
                char c = (char)p9_get(1);

                if (i < sizeof(name) - 1)
                    name[i] = c;
            }
            name[len < sizeof(name) - 1 ? len : sizeof(name) - 1] = 0;
            if (name[0] != '.')
                printf("%s%s\n", name, dir ? "/" : "");
        }
    p9_clunk(1);
}

static bool cat(const char *path)
{
    uint64_t offset = 0;
    uint32_t n;
    int error = p9_open(1, path);

    if (error)
        printf("%s: error %d\n", path, error);
    while (!error && (n = p9_read(P9_TREAD, 1, offset))) {
        console_write((const char *)p9_message + p9_at, n);
        offset += n;
    }
    p9_clunk(1);
    return !error;
}

int guest_main(void)
{
    uint64_t times = (uint64_t)cmdline_number("times", 1);
    char words[128];
    bool good = true;

    if (!p9_connect()) {
        printf("Give me a folder: --share PATH.\n");
        return 1;
    }
    while (times--) {
        bool any = false;

        snprintf(words, sizeof(words), "%s", start_info->cmd_line);
        for (char *word = words, *end; *word; word = end) {
            for (end = word; *end && *end != ' '; end++)
                ;
            if (*end)
                *end++ = 0;
            if (!*word || !memcmp(word, "times=", 6))
                continue;
            any = true;
            good = cat(word) && good;
        }
        if (!any)
            list();
    }
    return !good;
}
