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

/* One line; false: what is wrong with it is in err. */
static bool line_read(struct compare_costs *c, char *line, char err[COMPARE_ERR_SIZE])
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
            c->ns[i] = ns;
            return true;
        }
    n = snprintf(err, COMPARE_ERR_SIZE, "there is no cost \"%s\" (there are:", name);
    for (unsigned int i = 0; i < COSTS; i++)
        n += snprintf(err + n, COMPARE_ERR_SIZE - (size_t)n, "%s %s", i ? "," : "", costs[i].name);
    snprintf(err + n, COMPARE_ERR_SIZE - (size_t)n, ")");
    return false;
}

int costs_read(struct compare_costs *c, const char *path, char err[COMPARE_ERR_SIZE])
{
    char line[256], why[COMPARE_ERR_SIZE];
    unsigned int nr = 0;
    bool good = true;
    FILE *f = fopen(path, "re");

    while (f && good && fgets(line, sizeof(line), f)) {
        nr++;
        good = line_read(c, line, why);
    }
    if (!f || ferror(f))
        snprintf(err, COMPARE_ERR_SIZE, "--costs: %.500s: %s", path, strerror(errno));
    else if (!good)
        snprintf(err, COMPARE_ERR_SIZE, "--costs: %.500s:%u: %.500s", path, nr, why);
    good &= f && !ferror(f);
    if (f)
        fclose(f);
    make_printable(err, strlen(err), false);
    return good ? 0 : -1;
}
