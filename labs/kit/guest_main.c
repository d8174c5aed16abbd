// SPDX-License-Identifier: GPL-2.0-or-later
/* Steps and reports in a guest: see kit.h, ask.h. They are on its console, too, for a reader. */
#include "labs/kit/ask.h"
#include "labs/kit/kit.h"

#define LINE 230

static unsigned int now;

uint64_t kit_left[8];
struct caught kit_answer;
const void *kit_page;

void kit_call(struct caught *answer, long (*fn)(long), long arg);
void kit_say(const char *text, size_t len);

asm(".pushsection .text\n"
    ".globl kit_call, kit_asks, kit_asked, kit_say, kit_says\n"
    "kit_call:  sub $8, %rsp\n"
    "kit_asks:  call trap_catch\n" /* its answer is written where RDI points to */
    "kit_asked: add $8, %rsp\n"
    "           ret\n"
    "kit_say:\n"
    "kit_says:  ret\n"
    ".popsection");

struct caught kit_ask(long (*fn)(long), long arg, const void *page)
{
    kit_page = page;
    barrier();
    kit_call(&kit_answer, fn, arg);
    barrier();
    return kit_answer;
}

static void line(const char *kind, const char *fmt, __builtin_va_list args)
{
    char text[LINE], whole[LINE + 48];
    int n;

    vsnprintf(text, sizeof(text), fmt, args);
    n = snprintf(whole, sizeof(whole), "%s%s", kind, text);
    printf("lab: %s\n", whole);
    kit_say(whole, (size_t)n);
}

void kit_step(const char *fmt, ...)
{
    char kind[32];
    __builtin_va_list args;

    snprintf(kind, sizeof(kind), "step %u ", now);
    __builtin_va_start(args, fmt);
    line(kind, fmt, args);
    __builtin_va_end(args);
}

void kit_fact(const char *property, const char *fmt, ...)
{
    char kind[48];
    __builtin_va_list args;

    snprintf(kind, sizeof(kind), "fact %s ", property);
    __builtin_va_start(args, fmt);
    line(kind, fmt, args);
    __builtin_va_end(args);
}

void kit_die(const char *fmt, ...)
{
    __builtin_va_list args;

    __builtin_va_start(args, fmt);
    line("error ", fmt, args);
    __builtin_va_end(args);
    guest_shutdown(SHUTDOWN_crash);
    __builtin_unreachable();
}

static void step(const struct kit_steps *s, void *data, uint64_t seed, unsigned int i)
{
    now = i;
    kit_draw_from(seed, i + 1);
    s->step(data, i);
}

int kit_guest(const struct kit_steps *s)
{
    static char numbers[1024];
    const char *keep = cmdline_text("keep", numbers, sizeof(numbers), NULL);
    const uint64_t seed = (uint64_t)cmdline_number("seed", 0);
    void *data;

    kit_draw_from(seed, 0);
    data = s->begin();
    for (unsigned int i = 0; !keep && i < s->nr; i++)
        step(s, data, seed, i);
    while (keep && *keep) {
        unsigned int i = 0;

        while (*keep >= '0' && *keep <= '9')
            i = i * 10 + (unsigned int)(*keep++ - '0');
        step(s, data, seed, i);
        keep += *keep == ',';
    }
    s->end(data);
    printf("lab: end\n");
    kit_say("end", 3);
    return 0;
}
