// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * echo: a guest to talk to.
 *
 * Shows the other direction of the PV console: characters come through the ring `in`, and the guest sleeps while there
 * are none. There is no terminal driver below it: echo, line editing and the meaning of Return are all the guest's own
 * business.
 */
#include "guests/rt/guest.h"

/* A line as typed, without its end; shown as it is typed. */
static void line_read(char *line, size_t size)
{
    size_t len = 0;

    for (;;) {
        char c = console_read();

        if (c == '\r' || c == '\n')
            break;
        if ((c == '\b' || c == 127) && len > 0) {
            len--;
            printf("\b \b");
        } else if (c >= ' ' && len + 1 < size) {
            line[len++] = c;
            printf("%c", c);
        }
    }
    line[len] = '\0';
    printf("\n");
}

int guest_main(void)
{
    char line[80];

    printf("Say something; \"bye\" ends it.\n");
    for (unsigned int n = 1;; n++) {
        printf("%u> ", n);
        line_read(line, sizeof(line));
        if (!strcmp(line, "bye"))
            return 0;
        printf("You said \"%s\", which has %zu characters.\n", line, strlen(line));
    }
}
