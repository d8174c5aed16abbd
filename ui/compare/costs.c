// SPDX-License-Identifier: GPL-2.0-or-later
/* Prices, and files of them: see ui/compare/compare.h. */
#include "tools/printable.h"
#include "ui/compare/compare.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define NS_MAX UINT64_C(1000000000)

static const struct {
    const char *name, *what;
    uint64_t ns;
} costs[COSTS] = {
#define X(name, ns, what) { #name, what, ns },
    COMPARE_COSTS(X)
#undef X
};

const char *cost_name(enum compare_cost cost) { return costs[cost].name; }
const char *cost_what(enum compare_cost cost) { return costs[cost].what; }

void costs_default(struct compare_costs *c)
{
    for (unsigned int i = 0; i < COSTS; i++)
        c->ns[i] = costs[i].ns;
}

/* One line; false: what is wrong with it is in err. *seen: a bit of each cost that lines before it had. */
static bool line_read(struct compare_costs *c, unsigned int *seen, char *line, char err[COMPARE_ERR_SIZE])
{
    char name[32], rest[2];
    uint64_t ns;
    int n;

    line[strcspn(line, "#\r\n")] = '\0';
    n = sscanf(line, "%31s %" SCNu64 " %1s", name, &ns, rest);
    if (n < 1)
        return true;
    if (n != 2 || strchr(line, '-') || ns > NS_MAX) {
        snprintf(err, COMPARE_ERR_SIZE, "expected a name and nanoseconds, as \"exit 500\"");
        return false;
    }
    for (unsigned int i = 0; i < COSTS; i++)
        if (!strcmp(name, costs[i].name)) {
            const bool twice = *seen >> i & 1;

            if (twice)
                snprintf(err, COMPARE_ERR_SIZE, "the cost \"%s\" is there twice", name);
            *seen |= 1u << i;
            c->ns[i] = ns;
            return !twice;
        }
    n = snprintf(err, COMPARE_ERR_SIZE, "there is no cost \"%s\" (there are:", name);
    for (unsigned int i = 0; i < COSTS; i++)
        n += snprintf(err + n, COMPARE_ERR_SIZE - (size_t)n, "%s %s", i ? "," : "", costs[i].name);
    snprintf(err + n, COMPARE_ERR_SIZE - (size_t)n, ")");
    return false;
}

/* Of what was read, line after line. */
static bool lines_read(struct compare_costs *c, char *text, unsigned int *nr, char why[COMPARE_ERR_SIZE])
{
    unsigned int seen = 0;
    bool good = true;

    *nr = 0;
    for (char *line; good && (line = strsep(&text, "\n"));) {
        ++*nr;
        good = line_read(c, &seen, line, why);
    }
    return good;
}

int costs_read(struct compare_costs *c, const char *path, char err[COMPARE_ERR_SIZE])
{
    char text[16384], why[COMPARE_ERR_SIZE];
    FILE *f = fopen(path, "re");
    const size_t len = f ? fread(text, 1, sizeof(text), f) : 0;
    unsigned int nr;
    int ret = -1;

    if (!f || ferror(f)) {
        snprintf(err, COMPARE_ERR_SIZE, "--costs: %.500s: %s", path, strerror(errno));
    } else if (len == sizeof(text) || memchr(text, '\0', len)) {
        snprintf(err, COMPARE_ERR_SIZE, "--costs: %.500s: %s", path, len < sizeof(text) ? "no text" : "too large");
    } else {
        text[len] = '\0';
        if (lines_read(c, text, &nr, why))
            ret = 0;
        else
            snprintf(err, COMPARE_ERR_SIZE, "--costs: %.500s:%u: %.500s", path, nr, why);
    }
    if (f)
        fclose(f);
    make_printable(err, ret ? strlen(err) : 0, false);
    return ret;
}
