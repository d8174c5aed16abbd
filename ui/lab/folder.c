// SPDX-License-Identifier: GPL-2.0-or-later
/* Making and removing folders of students': see folder.h. */
#include "ui/lab/folder.h"

#include "ui/lab/place.h"
#include "ui/status.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int folder_make(char folder[FOLDER_SIZE], const struct lab *l, char *const *text)
{
    char path[256];
    int rc = STATUS_OK;

    strcpy(folder, "/tmp/xenlab-lab-XXXXXX");
    if (!mkdtemp(folder) || chmod(folder, 0755)) { /* without bubblewrap, root's programs are nobody's */
        rc = lab_complain("%s: %s", folder, strerror(errno));
        folder[0] = '\0';
        return rc;
    }
    for (unsigned int i = 0; !rc && i < l->nr_files; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, lab_file_of(l, i));
        rc = lab_file_write(path, text[i]);
        if (!rc && chmod(path, 0644)) /* whatever the umask is */
            rc = lab_complain("%s: %s", path, strerror(errno));
    }
    return rc;
}

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

void folder_remove(const char *folder)
{
    if (*folder)
        nftw(folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}
