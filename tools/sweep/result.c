// SPDX-License-Identifier: GPL-2.0-or-later
/* What a job leaves behind: the idea is in tools/sweep/sweep.h. */
#include "tools/sweep/sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESULTS "results" /* where they go unless --results says otherwise */

/* --- which sweep --- */

/* FNV-1a, of 64 bits (draft-eastlake-fnv): it tells accidents apart, not forgeries. */
uint64_t sweep_id_bytes(uint64_t id, const void *bytes, size_t len)
{
    id = id ?: UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        id = (id ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
    return id;
}

uint64_t sweep_id_words(uint64_t id, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "--job") && i + 1 < argc)
            i++;
        else if (strncmp(argv[i], "--job=", 6))
            id = sweep_id_bytes(id, argv[i], strlen(argv[i]) + 1);
    }
    return id;
}

uint64_t sweep_id_file(uint64_t id, const char *path)
{
    FILE *f = path ? fopen(path, "r") : NULL;
    char part[4096];
    size_t n;

    while (f && (n = fread(part, 1, sizeof(part), f)))
        id = sweep_id_bytes(id, part, n);
    if (f)
        fclose(f);
    return id;
}

/* --- JSON --- */

void sweep_json_text(const char *text, FILE *f)
{
    fputc('"', f);
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            fprintf(f, "\\%c", *text);
        else
            fputc((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f ? '?' : *text, f);
    fputc('"', f);
}

void sweep_json(const struct sweep *s, const struct sweep_run *run, uint64_t id, FILE *f)
{
    const char *comma = "";

    fputs(",\"set\":{", f);
    for (unsigned int i = 0; i < s->nr_sets; i++, comma = ",") {
        fputs(comma, f);
        sweep_json_text(s->set[i].text, f);
        fputc(':', f);
        sweep_json_text(run->value[i], f);
    }
    fputc('}', f);
    if (!s->job)
        return;
    fprintf(f, ",\n\"sweep\":{\"id\":\"%016llx\",\"job\":%llu,\"jobs\":%llu", (unsigned long long)id,
            (unsigned long long)s->job, (unsigned long long)sweep_jobs(s));
    if (s->seeds) /* as text: numbers of JSON are exact up to 2^53 only */
        fprintf(f, ",\"seeds\":[\"%llu\",\"%llu\"]", (unsigned long long)s->from, (unsigned long long)s->to);
    fputs(",\"set\":[", f);
    for (unsigned int i = 0; i < s->nr_sets; i++) {
        fputs(i ? ",[" : "[", f);
        sweep_json_text(s->set[i].text, f);
        for (unsigned int k = 0; k < s->set[i].nr; k++) {
            fputc(',', f);
            sweep_json_text(s->set[i].text + s->set[i].value[k], f);
        }
        fputc(']', f);
    }
    fputs("]}", f);
}

/* --- its file --- */

/* With as many digits as the last one has, so that a listing is in order. */
static int path_of(const struct sweep *s, const char *before, const char *behind, char *path, size_t len)
{
    const int width = snprintf(NULL, 0, "%llu", (unsigned long long)sweep_jobs(s));

    return snprintf(path, len, "%s/%s%0*llu.json%s", s->results ?: RESULTS, before, width, (unsigned long long)s->job,
                    behind);
}

bool sweep_result_write(const struct sweep *s, const char *text, size_t len, char why[SWEEP_WHY])
{
    char path[1024], half[1024], pid[24];
    FILE *f;
    bool ok;

    snprintf(pid, sizeof(pid), ".%ld", (long)getpid());
    if (path_of(s, "", "", path, sizeof(path)) >= (int)sizeof(path) ||
        path_of(s, ".", pid, half, sizeof(half)) >= (int)sizeof(half))
        return snprintf(why, SWEEP_WHY, "--results: too long a name") < 0;
    if (mkdir(s->results ?: RESULTS, 0777) && errno != EEXIST)
        return snprintf(why, SWEEP_WHY, "cannot make the folder %.200s: %s", s->results ?: RESULTS, strerror(errno)) <
               0;
    f = fopen(half, "w");
    ok = f && fwrite(text, 1, len, f) == len;
    if (f && fclose(f))
        ok = false;
    if (ok && !rename(half, path))
        return true;
    snprintf(why, SWEEP_WHY, "cannot write %.200s: %s", path, strerror(errno));
    unlink(half);
    return false;
}
