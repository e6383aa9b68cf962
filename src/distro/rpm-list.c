/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-files.h"
#include "distro/rpm-database.h"
#include "distro/rpm-list.h"

#define COPY       "database" /* below the directory of the workspace */
#define MARK       "package\t"
#define PUBLIC_KEY "gpg-pubkey"

const char *const rpm_list_format =
        MARK "%{NAME}\\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\\t%{ARCH}\\n";

int rpm_list_take(const char *line, DistroPackages *packages) {
        _cleanup_(strv_freep) char **fields = NULL;
        const char *text = text_after_prefix(line, MARK);

        if (!text)
                return 0;
        int r = strv_split(text, "\t", &fields);
        if (r < 0)
                return r;
        if (strv_length(STRV(fields)) != 3)
                return -EBADMSG;
        if (text_equal(fields[0], PUBLIC_KEY))
                return 0;

        r = distro_packages_take(packages, (DistroPackage){ .name = fields[0],
                                                            .version = fields[1],
                                                            .architecture = fields[2] });
        fields[0] = NULL; /* the list's, or gone: the array alone is ours */
        return r < 0 ? r : 1;
}

typedef struct ListReader {
        DistroPackages *packages;
        ToolLog *log; /* gets what is no package */
        int error;
} ListReader;

static void read_line(const char *line, void *userdata) {
        ListReader *reader = userdata;

        int r = rpm_list_take(line, reader->packages);
        if (r == 0)
                r = tool_log_add(reader->log, line);
        if (r < 0)
                reader->error = r;
}

static int copy_file(int from_directory_fd, int to_directory_fd, const char *name) {
        _cleanup_(fd_closep) int from = openat(from_directory_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC),
                                 to = -EBADF;
        struct stat status;

        if (from < 0)
                return -errno;
        if (fstat(from, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return 0;
        to = openat(to_directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        return to < 0 ? -errno : fd_copy_range(from, 0, to, 0, (uint64_t)status.st_size);
}

static int copy_database(const HostRun *run, const char *path) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(run->installation->root), from_fd = -EBADF,
                                 to_fd = -EBADF;
        _cleanup_(strv_freep) char **names = NULL;

        int r = root_fd < 0 ? root_fd : distro_list(root_fd, path, &names);
        if (r >= 0)
                r = distro_remove_matching(run->directory_fd, COPY, "*");
        if (r >= 0)
                r = from_fd = path_open_below(root_fd, path, O_RDONLY | O_DIRECTORY, 0);
        if (r >= 0)
                r = to_fd = distro_make_directory(run->directory_fd, COPY, 0755);
        for (size_t i = 0; r >= 0 && names && names[i]; i++)
                r = copy_file(from_fd, to_fd, names[i]);
        return r;
}

/* The host's rpm, or that of the tree where it alone knows the format. */
static int ask_rpm(const HostRun *run, bool in_tree, ListReader *reader) {
        static const char doing[] = "list the packages";
        const SandboxMount mount = {
                .type = SANDBOX_BIND,
                .source = run->directory,
                .target = run->inside,
        };
        _cleanup_(freep) char *option = NULL;

        int r = text_format(&option, "--dbpath=%s/" COPY, run->inside);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        r = distro_execute(run->installation,
                           &(DistroCommand){
                                   .argv = (const char *const[]){ "rpm", option, "--query", "--all",
                                                                  "--queryformat", rpm_list_format, NULL },
                                   .doing = doing,
                                   .on_host = !in_tree,
                                   .mounts = in_tree ? &mount : run->mounts,
                                   .n_mounts = in_tree ? 1 : run->n_mounts,
                                   .on_line = read_line,
                                   .userdata = reader,
                           },
                           reader->log);
        if (r < 0)
                return r;
        if (reader->error < 0)
                return log_error(reader->error, "Failed to %s: %m", doing);
        return r > 0 ? tool_log_fail(reader->log, doing, r) : 0;
}

int rpm_list_run(const HostRun *run, const char *database, DistroPackages *packages) {
        _cleanup_(tool_log_done) ToolLog log = {};

        int r = copy_database(run, database);
        if (r >= 0)
                r = rpm_database_is_converted(run, database);
        if (r < 0)
                return log_error(r, "Cannot read the database of packages of %s: %m",
                                 run->installation->root);
        return ask_rpm(run, r > 0, &(ListReader){ .packages = packages, .log = &log });
}
