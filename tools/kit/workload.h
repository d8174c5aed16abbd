// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What workloads of all kits have in common: a line a statement, # begins a comment, and who does something by a
 * program has a name, keys and steps.
 *
 *      time 120s
 *      vm web memory=512M max=1G : use 200M for 30s, grow 200M..800M for 60s, use 700M..800M
 *         NAME KEY=VALUE...      : STEP, STEP...
 *
 * Lines that begin with `expect` are those of tools/expect/expect.h, and passed over. A text that is read is written
 * into.
 */
#ifndef TOOLS_KIT_WORKLOAD_H
#define TOOLS_KIT_WORKLOAD_H

#include "tools/kit/kit.h"

#define KIT_NAME 32 /* with its end */

/* A file that is being read. */
struct workload {
    void *model;
    char *why; /* KIT_WHY bytes: what is wrong */
    unsigned int line;
};

/* Returns false. */
bool __attribute__((format(printf, 2, 3))) workload_wrong(const struct workload *r, const char *fmt, ...);

/* All statements of a file, to their end: `value` is what follows the word, without blanks at either end. */
bool workload_statements(struct workload *r, FILE *f,
                         bool (*statement)(const struct workload *r, const char *word, char *value));

/* Values; `what` is what has them, for its mistakes. A size is at most WORKLOAD_MAX_SIZE. */
#define WORKLOAD_MAX_SIZE (1 << 24) /* MiB */
bool workload_size(const struct workload *r, const char *what, const char *text, uint64_t *mib);
bool workload_number(const struct workload *r, const char *what, const char *text, uint64_t most, uint64_t *n);
/* "30%": 30, up to `most`. */
bool workload_percent(const struct workload *r, const char *what, const char *text, uint64_t most, uint64_t *n);
/* Of whole `unit` ns (told as `units`), from one of them to `most`. */
bool workload_time(const struct workload *r, const char *what, const char *text, const char *units, uint64_t unit,
                   uint64_t most, uint64_t *ns);

/* "A" or "A..B": anything in it. The text is written into. `value` reads one of both, such as workload_number(). */
struct workload_range {
    uint64_t from, to;
};
bool workload_range(const struct workload *r, const char *what, char *text, struct workload_range *range,
                    bool (*value)(const struct workload *r, const char *what, const char *text, uint64_t *n));
/* One of them, by a random number. */
uint64_t workload_within(const struct workload_range *range, uint64_t random);

/*
 * "NAME KEY=VALUE... : PROGRAM": the name, and each key (value NULL: there is no "="). Returns the program; NULL: it is
 * wrong. `what` is "a VM", `shape` what one looks like.
 */
char *workload_head(const struct workload *r, char *text, const char *what, const char *shape, char name[KIT_NAME],
                    bool (*key)(const struct workload *r, void *of, const char *key, const char *value), void *of);
/* "STEP, STEP": at most `most`. */
bool workload_steps(const struct workload *r, char *program, unsigned int most,
                    bool (*step)(const struct workload *r, void *of, char *text, bool last), void *of);
/* "use 200M" or "use 200M for 30s": word, value, time (or NULL). False: it has another shape. */
bool workload_step(char *text, const char **word, char **value, const char **time);

/* A number that is as good as random, and always the same for x (SplitMix64's stirring): it depends on nothing that an
 * algorithm does. */
uint64_t workload_stir(uint64_t x);

#endif
