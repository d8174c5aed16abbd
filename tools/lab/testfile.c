// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading and writing tests: see testfile.h. */
#include "tools/lab/testfile.h"

#include "tools/lab/lab.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* "17,40": numbers with commas between. */
static bool steps_are(const char *text, size_t len)
{
    bool digit = false;

    for (size_t i = 0, in = 0; i < len; i++) {
        if (text[i] == ',' && !digit)
            return false;
        if (text[i] != ',' && (!isdigit((unsigned char)text[i]) || ++in > 9))
            return false;
        digit = text[i] != ',';
        in = digit ? in : 0;
    }
    return digit && len < TESTFILE_STEPS_MAX;
}

/* One line, without the spaces around it. */
static bool take(struct testfile *t, const char *line, size_t len, bool *seeded)
{
    uint64_t to;

    if (!len || *line == '#')
        return true;
    if (!strncmp(line, "seed ", 5) && !*seeded && len < 30) {
        char digits[32];

        snprintf(digits, sizeof(digits), "%.*s", (int)len - 5, line + 5);
        *seeded = lab_seeds(digits, &t->seed, &to) && t->seed == to;
        return *seeded;
    }
    if (strncmp(line, "steps ", 6) || t->keep || !steps_are(line + 6, len - 6))
        return false;
    t->keep = strndup(line + 6, len - 6);
    return t->keep;
}

int testfile_read(struct testfile *t, const char *text, char err[TESTFILE_ERR_SIZE])
{
    unsigned int number = 1;
    bool seeded = false;

    *t = (struct testfile){ 0 };
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n', number++) {
        const char *begin = line + strspn(line, " \t");
        size_t len = strcspn(begin, "\n");

        while (len && isspace((unsigned char)begin[len - 1]))
            len--;
        if (!take(t, begin, len, &seeded)) {
            snprintf(err, TESTFILE_ERR_SIZE, "line %u: \"seed N\" or \"steps I,J,K\" is wanted, once, not \"%.*s\"",
                     number, (int)(len < 40 ? len : 40), begin);
            return -1;
        }
    }
    if (seeded)
        return 0;
    snprintf(err, TESTFILE_ERR_SIZE, "a line \"seed N\" is missing");
    return -1;
}

void testfile_free(struct testfile *t)
{
    free(t->keep);
    t->keep = NULL;
}

void testfile_write(FILE *out, uint64_t seed, const uint32_t *step, size_t nr)
{
    fprintf(out, "seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < nr; i++)
        fprintf(out, "%s%u", i ? "," : "steps ", step[i]);
    if (nr)
        fputc('\n', out);
}
