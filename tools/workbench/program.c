// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a workbench vCPU does: programs in text.
 *
 * Concept: a program is a list of steps separated by commas, repeated for ever, for example "compute 1ms..3ms, sleep
 * 10ms". At least one step must take time, or the program could go round for ever at one moment of virtual time.
 * docs/workbench.md describes the words.
 */
#include "tools/workbench/load.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/nearest.h"
#include "tools/units.h"

/* --- words --- */

bool wb_wrong(const struct wb_answer *w, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(w->why, w->len, fmt, ap);
    va_end(ap);
    return false;
}

bool wb_mask_parse(const char *text, uint64_t *mask)
{
    *mask = 0;
    if (!strcmp(text, "all")) {
        *mask = ~UINT64_C(0);
        return true;
    }
    for (;;) {
        char *end;
        unsigned long lo = strtoul(text, &end, 10), hi = lo;

        if (end == text)
            return false;
        if (*end == '-') {
            text = end + 1;
            hi = strtoul(text, &end, 10);
            if (end == text)
                return false;
        }
        if (lo > hi || hi >= MACHINE_MAX_PCPUS)
            return false;
        for (; lo <= hi; lo++)
            *mask |= UINT64_C(1) << lo;
        if (!*end)
            return true;
        if (*end != ',')
            return false;
        text = end + 1;
    }
}

/* --- programs --- */

/* In the order of enum wb_step_kind. */
static const char *const words[] = {
    [WB_COMPUTE] = "compute", [WB_SLEEP] = "sleep", [WB_BLOCK] = "block",
    [WB_WAKE] = "wake",       [WB_YIELD] = "yield", [WB_PERIOD] = "period",
};

/* "3ms" or "1ms..3ms" or "forever" */
static bool range_parse(const struct wb_answer *w, const char *text, struct wb_step *st)
{
    const char *word = words[st->kind], *dots = strstr(text, "..");
    char first[48], why[UNITS_WHY_SIZE];

    if (!strcmp(text, "forever") && st->kind == WB_COMPUTE) {
        st->lo = st->hi = WB_FOREVER;
        return true;
    }
    if (!*text)
        return wb_wrong(w, "%s: how long? Such as %s 3ms%s", word, word, st->kind == WB_PERIOD ? "" : ", or 1ms..3ms");
    if (dots && st->kind == WB_PERIOD)
        return wb_wrong(w, "period %s: a period is one time, not a range", text);
    snprintf(first, sizeof(first), "%.*s", dots ? (int)(dots - text) : (int)strlen(text), text);
    if (!duration_parse(first, &st->lo) || (st->kind == WB_PERIOD && !st->lo))
        return wb_wrong(w, "%s: %s", word, duration_why(first, st->kind == WB_PERIOD, why));
    st->hi = st->lo;
    if (dots && !duration_parse(dots + 2, &st->hi))
        return wb_wrong(w, "%s: %s", word, duration_why(dots + 2, 0, why));
    return st->hi >= st->lo || wb_wrong(w, "%s %s: the range goes from more to less", word, text);
}

static bool step_parse(const struct wb_answer *w, const char *word, const char *arg, struct wb_step *st)
{
    char hint[NEAREST_HINT_SIZE];
    size_t i;

    for (i = 0; i < ARRAY_SIZE(words) && strcmp(word, words[i]);)
        i++;
    if (i == ARRAY_SIZE(words))
        return wb_wrong(w,
                        "\"%s\" is no step%s (steps are: compute TIME, sleep TIME, period TIME, block, wake "
                        "DOMAIN[.VCPU], yield)",
                        word, nearest_hint(word, words, ARRAY_SIZE(words), "", hint));
    st->kind = (enum wb_step_kind)i;
    switch (st->kind) {
    case WB_BLOCK: return !*arg || wb_wrong(w, "block takes nothing behind it; for a time it is: sleep %s", arg);
    case WB_YIELD: return !*arg || wb_wrong(w, "yield takes nothing behind it, but has \"%s\"", arg);
    case WB_WAKE:
        snprintf(st->target_name, sizeof(st->target_name), "%s", arg);
        return *arg || wb_wrong(w, "wake: whom? wake DOMAIN, or wake DOMAIN.VCPU");
    default: return range_parse(w, arg, st);
    }
}

/* Without this a program could go round for ever at one moment. One that only blocks stays where it is. */
static bool takes_time(const struct wb_program *p)
{
    unsigned int blocks = 0;

    for (unsigned int i = 0; i < p->nr; i++) {
        blocks += p->step[i].kind == WB_BLOCK;
        if (p->step[i].kind != WB_WAKE && p->step[i].kind != WB_YIELD && p->step[i].kind != WB_BLOCK &&
            p->step[i].hi > 0)
            return true;
    }
    return p->nr && blocks == p->nr;
}

void wb_program_free(struct wb_program *p)
{
    free(p->step);
    *p = (struct wb_program){ 0 };
}

bool wb_program_parse(struct wb_program *p, const char *text, char *err, size_t errlen)
{
    const struct wb_answer w = { err, errlen };

    *p = (struct wb_program){ 0 };
    while (*(text += strspn(text, " \t"))) {
        const size_t len = strcspn(text, ",");
        char one[96], word[16] = "", arg[48] = "", rest[2] = "";
        struct wb_step st = { .target_vcpu = -1 };

        snprintf(one, sizeof(one), "%.*s", (int)(len < 95 ? len : 95), text);
        sscanf(one, "%15s %47s %1s", word, arg, rest);
        if (len >= sizeof(one) || rest[0]) {
            wb_wrong(&w, "\"%s\" is no step: a step is a word and at most one value, and a comma follows", one);
            goto fail;
        }
        if (!word[0]) {
            wb_wrong(&w, "a step is missing before a comma");
            goto fail;
        }
        if (!step_parse(&w, word, arg, &st))
            goto fail;
        if (!(p->nr & (p->nr - 1))) {
            p->step = realloc(p->step, (p->nr ? 2 * p->nr : 1) * sizeof(*p->step));
            BUG_ON(!p->step);
        }
        p->step[p->nr++] = st;
        text += len;
        if (*text != ',')
            continue;
        text++;
        if (!text[strspn(text, " \t")]) {
            snprintf(err, errlen, "a step is missing after the last comma");
            goto fail;
        }
    }
    if (!p->nr)
        snprintf(err, errlen, "the program is empty");
    else if (takes_time(p))
        return true;
    else
        snprintf(err, errlen, "a program needs a step that takes time (compute, sleep or period)");
fail:
    wb_program_free(p);
    return false;
}
