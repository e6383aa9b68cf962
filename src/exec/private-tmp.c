/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"
#include "exec/private-tmp.h"
#include "unit/specifier.h"

#define RANDOM_PART "-XXXXXX"

/* A name of a unit may be as long as that of a file, and there is more to this one. */
#define UNIT_LENGTH_MAX (NAME_MAX - sizeof("systemd-private-") - 33 - sizeof(RANDOM_PART))

void private_tmp_done(PrivateTmp *tmp) {
        free(tmp->tmp);
        free(tmp->var_tmp);
        *tmp = (PrivateTmp){};
}

static int outer_make(const char *where, const char *unit, char **ret) {
        _cleanup_(freep) char *path = NULL, *boot_id = NULL;

        int r = specifier_expand("%b", unit, &boot_id, NULL);
        if (r < 0)
                return r;
        r = text_format(&path, "%s/systemd-private-%s-%.*s" RANDOM_PART, where, boot_id, (int)UNIT_LENGTH_MAX,
                        unit);
        if (r < 0)
                return r;
        if (!mkdtemp(path))
                return -errno;
        *ret = TAKE_PTR(path);
        return 0;
}

static int inner_make(const char *outer, char **ret) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        int r = path_join(outer, "tmp", &path);
        if (r < 0)
                return r;
        fd = open(outer, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        /* Whatever the umask is. */
        if (mkdirat(fd, "tmp", 0700) < 0)
                return -errno;
        if (fchmodat(fd, "tmp", 01777, 0) < 0) {
                r = -errno;
                (void)unlinkat(fd, "tmp", AT_REMOVEDIR);
                return r;
        }
        *ret = TAKE_PTR(path);
        return 0;
}

static int one_make(const char *where, const char *unit, char **ret, Reason *reason) {
        _cleanup_(freep) char *outer = NULL;

        int r = outer_make(where, unit, &outer);
        if (r < 0)
                return reason_set(reason, r, "a directory of %s in %s: %m", unit, where);
        r = inner_make(outer, ret);
        if (r < 0) {
                (void)rmdir(outer);
                return reason_set(reason, r, "%s: %m", outer);
        }
        return 0;
}

int private_tmp_make(const char *unit, PrivateTmp *ret, Reason *reason) {
        _cleanup_(private_tmp_done) PrivateTmp tmp = {};

        int r = one_make("/tmp", unit, &tmp.tmp, reason);
        if (r < 0)
                return r;
        r = one_make("/var/tmp", unit, &tmp.var_tmp, reason);
        if (r < 0) {
                (void)private_tmp_remove(&tmp, NULL);
                return r;
        }
        *ret = tmp;
        tmp = (PrivateTmp){};
        return 0;
}

/* The directory around it as well. */
static int one_remove(const char *path, Reason *reason) {
        _cleanup_(freep) char *outer = NULL;

        if (!path)
                return 0;
        int r = path_parent(path, &outer);
        if (r < 0)
                return r;
        r = tree_remove(AT_FDCWD, outer);
        return r < 0 ? reason_set(reason, r, "remove %s: %m", outer) : 0;
}

int private_tmp_remove(PrivateTmp *tmp, Reason *reason) {
        const int r = one_remove(tmp->tmp, reason), q = one_remove(tmp->var_tmp, reason);

        return r < 0 ? r : q;
}
