/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/strv.h"

typedef struct Caller {
        uid_t uid;
        gid_t gid;
} Caller;

/* Whether there is one: root by way of sudo is nobody else. */
static bool find_caller(Caller *ret) {
        const char *uid_text = getenv("SUDO_UID"), *gid_text = getenv("SUDO_GID");
        uint64_t uid, gid;

        if (geteuid() != 0 || !uid_text || !gid_text || parse_uint64(uid_text, &uid) < 0 ||
            parse_uint64(gid_text, &gid) < 0 || uid == 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
                return false;
        *ret = (Caller){ .uid = (uid_t)uid, .gid = (gid_t)gid };
        return true;
}

/* With the caller's rights: so that it is his from the beginning, and nothing has to be changed by a name that may lead to
 * something else by then. */
static int make_as(const Caller *caller, int dir_fd, const char *name, mode_t mode) {
        (void)setfsgid(caller->gid);
        (void)setfsuid(caller->uid);
        const int r = mkdirat(dir_fd, name, mode) < 0 ? -errno : 0;
        (void)setfsuid(geteuid());
        (void)setfsgid(getegid());
        return r;
}

static int make(int dir_fd, const char *name, mode_t mode, bool give) {
        struct stat status;
        Caller caller;
        int r = -EACCES;

        if (give && find_caller(&caller) && fstat(dir_fd, &status) == 0 && status.st_uid == caller.uid)
                r = make_as(&caller, dir_fd, name, mode);
        if (r == -EACCES)
                r = mkdirat(dir_fd, name, mode) < 0 ? -errno : 0;
        return r;
}

static int enter(int dir_fd, const char *name) {
        const int fd = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int caller_make_directories(const char *path, mode_t mode, bool give) {
        _cleanup_(fd_closep) int fd = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(strv_freep) char **names = NULL;

        if (fd < 0)
                return -errno;
        int r = strv_split(path, "/", &names);
        if (r < 0)
                return r;
        for (char **name = names; name && *name; name++) {
                int next = enter(fd, *name);

                if (next == -ENOENT) {
                        r = make(fd, *name, mode, give);
                        if (r < 0 && r != -EEXIST)
                                return r;
                        next = enter(fd, *name);
                }
                if (next < 0)
                        return next;
                (void)fd_close(fd);
                fd = next;
        }
        return 0;
}

int caller_give(int fd, const char *directory) {
        struct stat status;
        Caller caller;

        if (!find_caller(&caller))
                return 0;
        if (stat(directory, &status) < 0)
                return -errno;
        if (status.st_uid != caller.uid)
                return 0;
        return fchown(fd, caller.uid, caller.gid) < 0 ? -errno : 1;
}
