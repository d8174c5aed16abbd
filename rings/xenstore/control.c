// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XS_CONTROL: what an administrator asks of xenstored itself.
 *
 * Simplifies what xenstored has: there is no log of its own to be written (`log`, `logfile`: the trace
 * of the machine tells of every request), no report of the C library's heap (`memreport`), and nothing to be replaced
 * while it runs (`live-update`).
 */
#include "rings/xenstore/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *help;
} limits[] = {
#define X(limit, value, name, help) { name, help },
    XS_LIMITS(X)
#undef X
};

static int control_check(struct xs_store *s, unsigned int nr, const char *const *args, char *text)
{
    (void)nr;
    (void)args;
    (void)text;
    return xs_store_check(s) ? 0 : -EIO;
}

/* What it does is done by the trace, always. */
static int control_log(struct xs_store *s, unsigned int nr, const char *const *args, char *text)
{
    (void)s;
    (void)text;
    return nr == 2 && (!strcmp(args[1], "on") || !strcmp(args[1], "off")) ? 0 : -EINVAL;
}

static int control_print(struct xs_store *s, unsigned int nr, const char *const *args, char *text)
{
    (void)text;
    if (nr != 2)
        return -EINVAL;
    s->hooks->print(s->data, args[1]);
    return 0;
}

static int quota_set(struct xs_store *s, const char *name, const char *value)
{
    char *end;
    const long n = strtol(value, &end, 0);

    for (unsigned int i = 0; i < XS_NR_LIMITS; i++) {
        if (strcmp(name, limits[i].name) || !*value || *end || n < 0 || n > INT32_MAX)
            continue;
        s->limit[i] = (unsigned int)n;
        return 0;
    }
    return -EINVAL;
}

/* What domain domid has of what is limited. */
static int quota_of(const struct xs_store *s, const char *domid, char *text)
{
    const int id = atoi(domid);
    const struct xs_domain *d = xs_domain_find(s, (domid_t)id);

    if (!d || d->domid != id)
        return -ENOENT;
    sprintf(text, "Domain %u:\nnodes           : %8u\nwatches         : %8u\n", d->domid, d->nodes,
            d->conn ? d->conn->nr_watches : 0);
    return 0;
}

static int control_quota(struct xs_store *s, unsigned int nr, const char *const *args, char *text)
{
    if (nr == 4 && !strcmp(args[1], "set"))
        return quota_set(s, args[2], args[3]);
    if (nr == 2)
        return quota_of(s, args[1], text);
    if (nr != 1)
        return -EINVAL;
    text += sprintf(text, "Quota settings:\n");
    for (unsigned int i = 0; i < XS_NR_LIMITS; i++)
        text += sprintf(text, "%-17s: %8u %s\n", limits[i].name, s->limit[i], limits[i].help);
    return 0;
}

static int control_help(struct xs_store *s, unsigned int nr, const char *const *args, char *text);

static const struct {
    const char *name, *args;
    int (*control)(struct xs_store *s, unsigned int nr, const char *const *args, char *text);
    unsigned int nr_max; /* of strings, the name included */
} commands[] = {
    { "check", "", control_check, 1 },         { "log", "on|off", control_log, 2 },
    { "print", "<string>", control_print, 2 }, { "quota", "[set <name> <val>|<domid>]", control_quota, 4 },
    { "help", "", control_help, 1 },
};

static int control_help(struct xs_store *s, unsigned int nr, const char *const *args, char *text)
{
    (void)s;
    (void)nr;
    (void)args;
    for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        text += sprintf(text, "%s\t%s\n", commands[i].name, commands[i].args);
    return 0;
}

int xs_control(struct xs_store *s, unsigned int nr, const char *const *args, char text[XENSTORE_PAYLOAD_MAX])
{
    for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (!strcmp(args[0], commands[i].name))
            return nr > commands[i].nr_max ? -EINVAL : commands[i].control(s, nr, args, text);
    return -EINVAL;
}
