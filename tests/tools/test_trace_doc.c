// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * docs/trace.md beside the vocabulary: its tables of events, fields and names of values are those of sim/trace_events.h
 * and sim/trace_enums.h, line by line. What they should be is left in build/trace_vocabulary.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace.h"

#define BEGIN  "<!-- the vocabulary begins -->\n"
#define END    "<!-- the vocabulary ends -->\n"
#define WANTED "build/trace_vocabulary.md"

static const char *type_name(enum trace_type type)
{
    static const char *const names[TRACE_NR_TYPES] = {
#define E(type) [TRACE_TYPE_##type] = #type,
        TRACE_PLAIN_TYPES(E) TRACE_OWN_ENUMS(E) TRACE_OTHER_ENUMS(E)
#undef E
    };

    return names[type];
}

static void fields_print(FILE *out, const struct trace_field *f, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        fprintf(out, "| `%s` | %s | %s |\n", f[i].name, type_name((enum trace_type)f[i].type), f[i].help);
}

static void vocabulary_print(FILE *out)
{
    size_t nr;
    const struct trace_field *common = trace_common_fields(&nr);

    fputs("\n| every record | type | |\n|---|---|---|\n", out);
    fields_print(out, common, nr);
    fputs("\n| event, its fields | type | |\n|---|---|---|\n", out);
    for (unsigned int ev = 0; ev < TRC_NR; ev++) {
        const struct trace_event_info *info = trace_event_info((enum trace_event)ev);

        fprintf(out, "| **%s** | | %s |\n", info->name, info->help);
        fields_print(out, info->fields, info->nr_fields);
    }
    fputs("\n| type | names of its values |\n|---|---|\n", out);
    for (unsigned int t = 0; t < TRACE_NR_TYPES; t++) {
        const struct trace_names *n = trace_type_names((enum trace_type)t);
        const char *between = " ";

        if (!n || t == TRACE_TYPE_hypercall)
            continue;
        fprintf(out, "| %s |", n->type);
        for (size_t i = 0; i < n->nr; i++)
            if (n->name[i]) {
                fprintf(out, "%s%s", between, n->name[i]);
                between = ", ";
            }
        fputs(" |\n", out);
    }
    fputs("\n", out);
}

static char *file_read(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, 1 << 18);

    assert_non_null(f);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 18) - 1, f) > 0);
    fclose(f);
    return text;
}

static void test_vocabulary(void **state)
{
    FILE *out = fopen(WANTED, "w");
    char *doc = file_read("docs/trace.md"), *begin = strstr(doc, BEGIN), *end = strstr(doc, END), *wanted;

    assert_non_null(out);
    vocabulary_print(out);
    fclose(out);
    assert_true(begin && end && begin < end);
    begin += strlen(BEGIN);
    *end = '\0';
    wanted = file_read(WANTED);
    for (char *a = begin, *b = wanted; *a || *b;) {
        const size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");

        if (n != m || memcmp(a, b, n) != 0)
            fail_msg("docs/trace.md: \"%.*s\" should be \"%.*s\" (" WANTED " is what should be there)", (int)n, a,
                     (int)m, b);
        a += n + (a[n] == '\n');
        b += m + (b[m] == '\n');
    }
    free(doc);
    free(wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vocabulary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
