// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A fence round files: see fence.h.
 *
 * Concept: Landlock (landlock(7)) takes a list of rights that are gone, and rules that give some of them back below
 * places in the file system. It wants no privilege and no namespace, so it is there in containers in which bubblewrap
 * is not allowed. Newer kernels know more rights; those that this one does not know are not asked for.
 */
#include "tools/sandbox/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of ABI 1; 2: moving to another folder; 3: cutting off; 4: network; 6: signals and sockets of those outside. */
#define READ   (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE  (((uint64_t)LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define REFER  (UINT64_C(1) << 13)
#define CUT    (UINT64_C(1) << 14)
#define TCP    UINT64_C(3)
#define SCOPES UINT64_C(3)

/* As the kernel's of ABI 6, however old the header is. */
struct rules {
    uint64_t files, network, scopes;
};

static long abi(void) { return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION); }

bool sandbox_fences(void) { return abi() >= 1; }

static int allow(int rules, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr a = { .parent_fd = open(path, O_PATH | O_CLOEXEC) };
    struct stat st;
    int rc = 0;

    if (a.parent_fd < 0)
        return 0; /* what is not there is not read */
    if (fstat(a.parent_fd, &st) || !S_ISDIR(st.st_mode))
        rights &= LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | CUT;
    a.allowed_access = rights;
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0))
        rc = -errno;
    close(a.parent_fd);
    return rc;
}

int sandbox_fence(const char *const *see, const char *const *libraries, const char *program, const char *write)
{
    const long version = abi();
    const uint64_t all = WRITE | (version >= 2 ? REFER : 0) | (version >= 3 ? CUT : 0);
    const struct rules r = { all, version >= 4 ? TCP : 0, version >= 6 ? SCOPES : 0 };
    int rules, rc = 0;

    if (version < 1)
        return -ENOSYS;
    rules = (int)syscall(SYS_landlock_create_ruleset, &r,
                         version >= 6   ? sizeof(r)
                         : version >= 4 ? offsetof(struct rules, scopes)
                                        : offsetof(struct rules, network),
                         0);
    if (rules < 0)
        return -errno;
    for (; !rc && see && *see; see++)
        rc = allow(rules, *see, READ);
    for (; !rc && *libraries; libraries++)
        rc = allow(rules, *libraries, READ);
    rc = rc ?: allow(rules, program, READ);
    rc = rc ?: allow(rules, "/dev/null", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
#if defined(__SANITIZE_ADDRESS__) /* the sanitizer wants to know where it is */
    rc = rc ?: allow(rules, "/proc", READ);
#endif
    rc = rc ?: write ? allow(rules, write, all) : 0;
    if (!rc && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, rules, 0)))
        rc = -errno;
    close(rules);
    return rc;
}
