// SPDX-License-Identifier: GPL-2.0-or-later
/* Questions from a file: see asked.h. */
#include "tools/sandbox/asked.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/sandbox/guarded.h"

struct head {
    int64_t now;
    uint64_t call, len;
};

static struct {
    FILE *file;    /* NULL: somebody asks */
    uint64_t call; /* where it is of interest: that call, */
    int64_t from;  /* or that time; 0 both: at once */
    bool here;     /* it has been there */
} again;

void asked_write(FILE *f, int64_t now, uint64_t call, const struct iovec *v, size_t nr)
{
    struct head h = { .now = now, .call = call };

    for (size_t i = 0; i < nr; i++)
        h.len += v[i].iov_len;
    fwrite(&h, sizeof(h), 1, f);
    for (size_t i = 0; i < nr; i++)
        fwrite(v[i].iov_base, 1, v[i].iov_len, f);
}

bool asked_from(int argc, char *const *argv)
{
    char *end = NULL;

    if (!argc)
        return true;
    if (argc != 1 && argc != 3)
        return false;
    if (argc == 3) {
        if (!strcmp(argv[1], "call"))
            again.call = strtoull(argv[2], &end, 10);
        else if (!strcmp(argv[1], "from"))
            again.from = strtoll(argv[2], &end, 10);
        if (!end || *end || end == argv[2])
            return false;
    }
    again.file = fopen(argv[0], "re");
    return again.file;
}

/* In front of the first question of that call, or from that time on; without either in front of the first. */
static void __attribute__((noinline)) asked_here(void) { __asm__ volatile(""); /* it is called, whatever -O says */ }

ssize_t asked_receive(void *bytes, size_t len)
{
    struct head h;

    if (!again.file)
        return recv(GUARDED_FD, bytes, len, 0);
    if (fread(&h, sizeof(h), 1, again.file) != 1 || h.len > len || fread(bytes, 1, h.len, again.file) != h.len)
        return 0;
    if (!again.here && h.call >= again.call && h.now >= again.from) {
        again.here = true;
        asked_here();
    }
    return (ssize_t)h.len;
}

bool asked_answer(const void *bytes, size_t len)
{
    return again.file || send(GUARDED_FD, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}
