/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/apt-clean.h"
#include "distro/distro-files.h"

/* The list of 2017's mkosi, and what Debian's own slim images leave out. Licences want to go with the programs, and the C
 * library reads locale.alias. */
const char *const apt_without_docs =
        "# No documentation is installed, as the image was built with WithDocs=no.\n"
        "path-exclude=/usr/share/doc/*\n"
        "path-include=/usr/share/doc/*/copyright\n"
        "path-exclude=/usr/share/groff/*\n"
        "path-exclude=/usr/share/info/*\n"
        "path-exclude=/usr/share/linda/*\n"
        "path-exclude=/usr/share/lintian/*\n"
        "path-exclude=/usr/share/locale/*\n"
        "path-include=/usr/share/locale/locale.alias\n"
        "path-exclude=/usr/share/man/*\n";

/* clang-format off */
static const DistroLeftover docs[] = {
        { "usr/share/groff",   "*" },
        { "usr/share/info",    "*" },
        { "usr/share/linda",   "*" },
        { "usr/share/lintian", "*" },
        { "usr/share/locale",  "!(locale.alias)" },
        { "usr/share/man",     "!(man[0-9]*)" },
};

static const DistroLeftover leftovers[] = {
        { "dev",                        "*" },
        { "run",                        "*" },
        { "tmp",                        "*" },
        { "var/tmp",                    "*" },
        { "var/cache/apt",              "*.bin" },
        { "var/cache/apt/archives",     "!(partial)" },
        { "var/cache/apt/archives/partial", "*" },
        { "var/cache/debconf",          "*-old" },
        { "var/cache/ldconfig",         "*" },
        { "var/cache/man",              "*" },
        { "var/lib/apt/lists",          "!(partial)" },
        { "var/lib/apt/lists/partial",  "*" },
        { "var/lib/dpkg",               "*-old" },
        { "var/lib/systemd",            "random-seed" },
        { "var/log",                    "@(alternatives|bootstrap|dpkg|fontconfig).log" },
        { "var/log/apt",                "*" },
        { "etc",                        "@(passwd|shadow|group|gshadow|subuid|subgid)-" },
        { "etc/apt/sources.list.d",     "*.dpkg-@(old|dist|new)" },
};

static const DistroLeftover host_traces[] = {
        { ".",                          "debootstrap" },
        { "etc",                        "@(fstab|hostname|resolv.conf)" },
        { "etc/apt",                    "sources.list" },
        { "dev",                        "*" },
        { "run",                        "*" },
        { "tmp",                        "*" },
        { "var/cache/apt/archives",     "!(partial)" },
        { "var/cache/apt/archives/partial", "*" },
};
/* clang-format on */

int apt_remove_leftovers(int root_fd) {
        return distro_remove_all(root_fd, leftovers, ELEMENTSOF(leftovers));
}

int apt_remove_host_traces(int root_fd) {
        return distro_remove_all(root_fd, host_traces, ELEMENTSOF(host_traces));
}

/* Empties, but for what matches, each directory below the given one; one that is empty then goes as well unless it is to
 * stay. */
static int prune_each(int root_fd, const char *directory, const char *pattern, bool keep_empty) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        int r = distro_list(root_fd, directory, &names);
        if (r < 0 || !names)
                return r;
        fd = path_open_below(root_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        if (fd < 0)
                return fd;

        for (size_t i = 0; names[i]; i++) {
                struct stat status;

                if (fstatat(fd, names[i], &status, AT_SYMLINK_NOFOLLOW) < 0)
                        return -errno;
                if (!S_ISDIR(status.st_mode)) {
                        if (unlinkat(fd, names[i], 0) < 0)
                                return -errno;
                        continue;
                }
                r = distro_remove_matching(fd, names[i], pattern);
                if (r < 0)
                        return r;
                if (!keep_empty && unlinkat(fd, names[i], AT_REMOVEDIR) < 0 && errno != ENOTEMPTY)
                        return -errno;
        }
        return 0;
}

int apt_remove_docs(int root_fd) {
        int r = distro_remove_all(root_fd, docs, ELEMENTSOF(docs));
        if (r < 0)
                return r;
        r = prune_each(root_fd, "usr/share/doc", "!(copyright)", false);
        if (r < 0)
                return r;
        /* The sections stay: update-alternatives fails where it cannot put a link to a manual page. */
        return prune_each(root_fd, "usr/share/man", "*", true);
}
