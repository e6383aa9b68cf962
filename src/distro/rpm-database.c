/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "distro/distro-files.h"
#include "distro/rpm-database.h"

#define TREE_RPMDB "usr/bin/rpmdb"
#define HEADERS    "headers" /* below the directory of the workspace */

/* The format of the host's, and the files that it consists of. */
#define HOST_FORMAT "sqlite"
#define HOST_FILE   "rpmdb.sqlite"
#define HOST_FILES  HOST_FILE "*"

/* rpmdb knows nothing but its standard input and output for the list. */
#define EXPORT_SCRIPT "exec rpmdb --root=" DISTRO_TREE " --exportdb >\"$1\""
#define IMPORT_SCRIPT "exec rpmdb --importdb <\"$1\""

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

static int convert(const HostRun *run, const char *database, const char *doing) {
        const SandboxMount mount = {
                .type = SANDBOX_BIND_READ_ONLY,
                .source = run->directory,
                .target = run->inside,
        };
        _cleanup_(freep) char *headers = NULL;

        int r = path_join(run->inside, HEADERS, &headers);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        r = host_run_command(run, &(HostCommand){
                                          .argv = (const char *const[]){ "sh", "-c", EXPORT_SCRIPT, "sh",
                                                                         headers, NULL },
                                          .doing = doing,
                                  });
        if (r < 0)
                return r;
        r = remove_old(run, database);
        if (r < 0)
                return log_error(r, "Failed to %s: %m", doing);
        return distro_run(run->installation, &(DistroCommand){
                                                     .argv = (const char *const[]){ "sh", "-c", IMPORT_SCRIPT,
                                                                                    "sh", headers, NULL },
                                                     .doing = doing,
                                                     .mounts = &mount,
                                                     .n_mounts = 1,
                                             });
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
