/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "distro/distro-files.h"
#include "distro/rpm-database.h"

#define TREE_RPMDB "usr/bin/rpmdb"
#define HEADERS    "headers" /* in the directory of the workspace, while it is opened */

/* The format of the host's, and the files that it consists of. */
#define HOST_FORMAT "sqlite"
#define HOST_FILE   "rpmdb.sqlite"
#define HOST_FILES  HOST_FILE "*"

typedef struct FormatReader {
        char *format;
        int error;
} FormatReader;

static void format_reader_done(FormatReader *reader) {
        free(reader->format);
}

/* The last line counts: rpm may have something else to say before it. */
static void read_format(const char *line, void *userdata) {
        FormatReader *reader = userdata;

        const int r = text_replace(&reader->format, line);
        if (r < 0)
                reader->error = r;
}

static int has_file(const HostRun *run, const char *directory, const char *name) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(run->installation->root), fd = -EBADF;
        _cleanup_(freep) char *path = NULL;

        int r = root_fd < 0 ? root_fd : path_join(directory, name, &path);
        if (r >= 0)
                r = fd = path_open_below(root_fd, path, O_PATH, 0);
        return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

/* In which format the tree's own rpm would write. */
static int ask_format(const HostRun *run, const char *doing, FormatReader *reader) {
        _cleanup_(tool_log_done) ToolLog log = {};

        const int r = distro_execute(run->installation,
                                     &(DistroCommand){
                                             .argv = (const char *const[]){ "rpm", "--eval", "%{_db_backend}",
                                                                            NULL },
                                             .doing = doing,
                                             .on_line = read_format,
                                             .userdata = reader,
                                     },
                                     &log);
        if (r < 0)
                return r;
        if (reader->error < 0)
                return log_error(reader->error, "Failed to %s: %m", doing);
        return r > 0 ? tool_log_fail(&log, doing, r) : 0;
}

static int remove_old(const HostRun *run, const char *database) {
        _cleanup_(fd_closep) int root_fd = distro_open_root(run->installation->root);

        return root_fd < 0 ? root_fd : distro_remove_matching(root_fd, database, HOST_FILES);
}

/* rpmdb knows nothing but its standard output and input for the list. That may be larger than memory should hold, and nobody
 * else has to find it: a file that has no name any more. */
static int open_headers(const HostRun *run) {
        _cleanup_(fd_closep) int fd =
                openat(run->directory_fd, HEADERS, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd < 0 || unlinkat(run->directory_fd, HEADERS, 0) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int export_headers(const HostRun *run, const char *doing, int headers_fd) {
        static const char *const argv[] = { "rpmdb", "--root=" DISTRO_TREE, "--exportdb", NULL };
        const DistroData data = { .stdin_fd = -EBADF, .stdout_fd = headers_fd };

        return host_run_command(run, &(HostCommand){ .argv = argv, .doing = doing, .data = &data });
}

static int import_headers(const HostRun *run, const char *doing, int headers_fd) {
        static const char *const argv[] = { "rpmdb", "--importdb", NULL };
        const DistroData data = { .stdin_fd = headers_fd, .stdout_fd = -EBADF };

        return distro_run(run->installation, &(DistroCommand){ .argv = argv, .doing = doing, .data = &data });
}

static int convert(const HostRun *run, const char *database, const char *doing) {
        _cleanup_(fd_closep) int headers_fd = open_headers(run);

        if (headers_fd < 0)
                return log_error(headers_fd, "Failed to %s: %m", doing);
        int r = export_headers(run, doing, headers_fd);
        if (r < 0)
                return r;
        r = remove_old(run, database);
        if (r >= 0 && lseek(headers_fd, 0, SEEK_SET) < 0)
                r = -errno;
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        return import_headers(run, doing, headers_fd);
}

int rpm_database_convert(const HostRun *run, const char *database) {
        static const char doing[] = "have the image's rpm write its database of packages";
        _cleanup_(format_reader_done) FormatReader reader = {};

        assert(run && database);

        int r = has_file(run, ".", TREE_RPMDB);
        if (r > 0)
                r = has_file(run, database, HOST_FILE);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        if (r == 0)
                return 0; /* nobody in the tree reads it, or it is no other format */
        r = ask_format(run, doing, &reader);
        if (r < 0)
                return r;
        if (!reader.format || text_equal(reader.format, HOST_FORMAT))
                return 0;
        return convert(run, database, doing);
}

int rpm_database_is_converted(const HostRun *run, const char *database) {
        assert(run && database);

        const int r = has_file(run, ".", TREE_RPMDB);
        if (r <= 0)
                return r;
        const int host = has_file(run, database, HOST_FILE);
        return host < 0 ? host : !host;
}
