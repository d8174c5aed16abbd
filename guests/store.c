// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store: xenstore, from the guest's side.
 *
 * Shows how a guest learns what the toolstack has decided for it: it walks the tree from /local/domain/<domid> on, as
 * `xenstore-ls -p` does, then writes to a node of its own, is told of it by a watch, and does it again in a
 * transaction.
 */
#include "guests/rt/xenstore.h"

#define DEPTH_MAX 8

static void xenstore_event(const char *path, const char *token)
{
    printf("    (watch: %s has changed, token %s)\n", path, token);
}

static bool ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && !strcmp(text + strlen(text) - strlen(end), end);
}

/* A node, with who may use it, and all below. Frame numbers are no part of the lesson. */
static void show(const char *path, const char *name, unsigned int depth)
{
    static char lists[DEPTH_MAX][1024]; /* the boot stack is small */
    char *names = lists[depth], below[256];
    long len = ask(XS_GET_PERMS, path, strlen(path) + 1);

    for (unsigned int i = 0; i < depth; i++)
        printf("  ");
    printf("%s (", name);
    for (long at = 0; at < len; at += (long)strlen(answer + at) + 1)
        printf("%s%s", at ? "," : "", answer + at);
    len = ask(XS_READ, path, strlen(path) + 1);
    printf(") = \"%s\"\n", len > 0 && ends_with(path, "/ring-ref") ? "a frame" : answer);
    len = ask(XS_DIRECTORY, path, strlen(path) + 1);
    if (len > (long)sizeof(lists[0]) || depth + 1 == DEPTH_MAX)
        guest_panic("%s has more below it than I thought", path);
    memcpy(names, answer, len > 0 ? (size_t)len : 0);
    for (long at = 0; at < len; at += (long)strlen(names + at) + 1) {
        snprintf(below, sizeof(below), "%s/%s", path, names + at);
        show(below, names + at, depth + 1);
    }
}

/* Two strings in one payload; what came of it. */
static void tell(const char *what, uint32_t type, const char *first, const char *second)
{
    char payload[256];
    int len = snprintf(payload, sizeof(payload), "%s%c%s", first, 0, second);

    ask(type, payload, (size_t)len + (type == XS_WRITE ? 0 : 1));
    printf("%s %s %s: %s\n", what, first, second, answer);
}

int guest_main(void)
{
    char path[64];

    ring = mfn_to_virt(start_info->store_mfn);
    ask(XS_READ, "domid", 6);
    snprintf(path, sizeof(path), "/local/domain/%s", answer);
    show(path, path, 0);
    ask(XS_READ, "vm", 3);
    snprintf(path, sizeof(path), "%s", answer);
    show(path, path, 0);
    ask(XS_READ, "console/backend", 16);
    snprintf(path, sizeof(path), "%s", answer);
    show(path, path, 0);

    tell("watch", XS_WATCH, "data", "mine");
    receive();
    tell("write", XS_WRITE, "data", "hello");
    tell("write", XS_WRITE, "name", "other");
    tell("write", XS_WRITE, "/local/domain/0/name", "other");
    ask(XS_TRANSACTION_START, "", 1);
    tx = 0;
    for (const char *p = answer; *p; p++)
        tx = tx * 10 + (uint32_t)(*p - '0');
    tell("in a transaction: write", XS_WRITE, "data/a", "1");
    tell("in a transaction: write", XS_WRITE, "data/b", "2");
    ask(XS_TRANSACTION_END, "T", 2);
    printf("commit: %s\n", answer);
    tx = 0;
    show("data", "data", 0);
    return 0;
}
