/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-files.h"
#include "distro/pacman-clean.h"
#include "distro/pacman-desc.h"

#define LOCAL_DATABASE       "var/lib/pacman/local"
#define DESC_SIZE_MAX        (4 * MIB)
#define MIRROR_LIST          "etc/pacman.d/mirrorlist"
#define MIRROR_LIST_SIZE_MAX (1 * MIB)

/* Keys that a script of a package made would be the same on all machines; `pacman-key --init` makes them on the
 * machine. */
/* clang-format off */
static const DistroLeftover leftovers[] = {
        { "dev",                   "*" },
        { "run",                   "*" },
        { "tmp",                   "*" },
        { "var/tmp",               "*" },
        { "etc",                   "@(passwd|shadow|group|gshadow|subuid|subgid)-" },
        { "etc/pacman.d/gnupg",    "*" },
        { "var/cache/ldconfig",    "*" },
        { "var/cache/man",         "*" },
        { "var/cache/pacman/pkg",  "*" },
        { "var/lib/pacman",        "@(sync|db.lck)" },
        { "var/lib/systemd",       "random-seed" },
        { "var/log",               "pacman.log" },
};
/* clang-format on */

int pacman_remove_leftovers(int root_fd) {
        return distro_remove_all(root_fd, leftovers, ELEMENTSOF(leftovers));
}

static int clamp_date(int database_fd, const char *name, uint64_t date_max) {
        _cleanup_(fd_closep) int fd = path_open_below(database_fd, name, O_RDONLY | O_DIRECTORY, 0);
        _cleanup_(freep) char *text = NULL, *changed = NULL;

        if (fd < 0)
                return fd == -ENOTDIR ? 0 : fd; /* ALPM_DB_VERSION */
        int r = file_read(fd, "desc", DESC_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = pacman_desc_clamp_date(text, date_max, &changed);
        return r < 0 || !changed ? r : file_write_text(fd, "desc", changed, 0644);
}

int pacman_clamp_dates(int root_fd, uint64_t date_max) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        int r = distro_list(root_fd, LOCAL_DATABASE, &names);
        if (r < 0 || !names)
                return r;
        fd = path_open_below(root_fd, LOCAL_DATABASE, O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0)
                return fd;
        for (size_t i = 0; r >= 0 && names[i]; i++)
                r = clamp_date(fd, names[i], date_max);
        return r;
}

/* Whether a line begins with "Server", and is no comment. */
static bool has_server(const char *text) {
        while (*text) {
                text += strspn(text, " \t\n");
                if (text_after_prefix(text, "Server"))
                        return true;
                text += strcspn(text, "\n");
        }
        return false;
}

int pacman_add_server(int root_fd, const char *server) {
        _cleanup_(fd_closep) int fd = path_open_below(root_fd, MIRROR_LIST, O_RDONLY, 0);
        _cleanup_(freep) char *text = NULL, *changed = NULL;

        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        int r = fd_read_file(fd, MIRROR_LIST_SIZE_MAX, &text, NULL);
        if (r < 0 || has_server(text))
                return r;
        r = text_format(&changed, "Server = %s\n\n%s", server, text);
        return r < 0 ? r : distro_write_text(root_fd, MIRROR_LIST, changed, 0644);
}
