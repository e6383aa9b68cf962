/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "base/tree.h"
#include "exec/private-tmp.h"
#include "unit/specifier.h"

#define RANDOM_LENGTH 6

/* A name of a unit may be as long as that of a file, and there is more to this one. */
#define UNIT_LENGTH_MAX (NAME_MAX - sizeof("systemd-private-") - 33 - 1 - RANDOM_LENGTH)

void private_tmp_done(PrivateTmp *tmp) {
        free(tmp->tmp);
        free(tmp->var_tmp);
        *tmp = (PrivateTmp){};
}

/* As of mkdtemp(3), which would make them at once. */
static int random_part(char ret[static RANDOM_LENGTH + 1]) {
        static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        uint64_t number;

        if (getrandom(&number, sizeof(number), 0) != sizeof(number))
                return -EIO;
        for (size_t i = 0; i < RANDOM_LENGTH; i++) {
                ret[i] = characters[number % (sizeof(characters) - 1)];
                number /= sizeof(characters) - 1;
        }
        ret[RANDOM_LENGTH] = '\0';
        return 0;
}

static int path_choose(const char *where, const char *boot_id, const char *unit, char **ret) {
        char part[RANDOM_LENGTH + 1];

        const int r = random_part(part);
        return r < 0 ? r
                     : text_format(ret, "%s/systemd-private-%s-%.*s-%s/tmp", where, boot_id,
                                   (int)UNIT_LENGTH_MAX, unit, part);
}

int private_tmp_choose(const char *unit, PrivateTmp *ret) {
        _cleanup_(private_tmp_done) PrivateTmp tmp = {};
        _cleanup_(freep) char *boot_id = NULL;

        int r = specifier_expand("%b", unit, &boot_id, NULL);
        if (r >= 0)
                r = path_choose("/tmp", boot_id, unit, &tmp.tmp);
        if (r >= 0)
                r = path_choose("/var/tmp", boot_id, unit, &tmp.var_tmp);
        if (r < 0)
                return r;
        *ret = tmp;
        tmp = (PrivateTmp){};
        return 0;
}

static int inner_make(const char *outer) {
        _cleanup_(fd_closep) int fd = open(outer, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        /* Whatever the umask is. */
        if (mkdirat(fd, "tmp", 0700) < 0)
                return -errno;
        if (fchmodat(fd, "tmp", 01777, 0) < 0) {
                const int r = -errno;

                (void)unlinkat(fd, "tmp", AT_REMOVEDIR);
                return r;
        }
        return 0;
}

static int one_make(const char *path, Reason *reason) {
        _cleanup_(freep) char *outer = NULL;

        int r = path_parent(path, &outer);
        if (r < 0)
                return r;
        if (mkdir(outer, 0700) < 0)
                return reason_set(reason, -errno, "%s: %m", outer);
        r = inner_make(outer);
        if (r < 0) {
                (void)rmdir(outer);
                return reason_set(reason, r, "%s: %m", outer);
        }
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

int private_tmp_make(const PrivateTmp *tmp, Reason *reason) {
        int r = one_make(tmp->tmp, reason);

        if (r < 0)
                return r;
        r = one_make(tmp->var_tmp, reason);
        if (r < 0)
                (void)one_remove(tmp->tmp, NULL);
        return r;
}

int private_tmp_remove(const PrivateTmp *tmp, Reason *reason) {
        const int r = one_remove(tmp->tmp, reason), q = one_remove(tmp->var_tmp, reason);

        return r < 0 ? r : q;
}
