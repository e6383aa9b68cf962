/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file-lock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/output.h"

#define CHECKSUMS_SIZE_MAX MIB

/* Returns 1 when something has the name already. File systems without flags for rename(), as NFS is one, say EINVAL: then
 * a look beforehand has to do. */
static int rename_new(const char *from, const char *output) {
        struct stat status;

        if (renameat2(AT_FDCWD, from, AT_FDCWD, output, RENAME_NOREPLACE) == 0)
                return 0;
        if (errno == EEXIST)
                return 1;
        if (errno != EINVAL)
                return -errno;
        if (lstat(output, &status) == 0)
                return 1;
        return errno != ENOENT || rename(from, output) < 0 ? -errno : 0;
}

/* The same in steps: a file takes the name from a file in one of them, and where directories are in the way the old
 * output gets its name back if the new one cannot have it. */
static int exchange_in_steps(const char *from, const char *output) {
        _cleanup_(freep) char *aside = NULL;
        struct stat status;

        int r = text_format(&aside, "%s.old", from);
        if (r < 0)
                return r;
        if (lstat(from, &status) < 0)
                return -errno;
        if ((S_ISDIR(status.st_mode) || link(output, aside) < 0) && rename(output, aside) < 0)
                return -errno;
        if (rename(from, output) < 0) {
                r = -errno;
                (void)rename(aside, output);
                return r;
        }
        (void)rename(aside, from);
        return 0;
}

int output_publish(const char *from, const char *output, bool replace) {
        int r = rename_new(from, output);
        if (r > 0 && !replace)
                return -EEXIST;
        if (r > 0 && renameat2(AT_FDCWD, from, AT_FDCWD, output, RENAME_EXCHANGE) < 0)
                r = errno == EINVAL ? exchange_in_steps(from, output) : -errno;
        return MIN(r, 0);
}

/* What cannot be renamed or removed, however much it is wished for. */
bool output_is_mount_point(const char *path) {
        struct statx status;

        return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &status) == 0 &&
               (status.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* The file of nspawn settings that is copied may itself have the name of the copy: it is the user's, and no result. */
static bool is_source(const Config *config, const char *output) {
        return config->nspawn_settings && text_equal(output, config->nspawn_settings);
}

/* Whether each result has a name of its own, and one that can be told. */
static int check_names(const Config *config, char ***problems) {
        int r = 0;

        for (ArtefactKind kind = ARTEFACT_IMAGE + 1; kind < ARTEFACT_MAX && r >= 0; kind++) {
                _cleanup_(freep) char *output = NULL;

                if (!artefact_wanted(config, kind))
                        continue;
                r = artefact_output(config, kind, &output);
                if (r >= 0 && text_equal(output, config->output))
                        r = strv_append_format(problems,
                                               "Output=%s is where the %s of the image will lie: give it "
                                               "another name",
                                               output, artefact_name(kind));
                if (r >= 0 && is_source(config, output))
                        r = strv_append_format(problems,
                                               "NSpawnSettings=%s is where its copy beside the image would "
                                               "lie: give it, or Output=, another name",
                                               output);
        }
        if (r >= 0 && artefact_wanted(config, ARTEFACT_CHECKSUMS) && strpbrk(config->output, "\n\r"))
                r = strv_append(problems,
                                "Output= has a line break in it, which SHA256SUMS cannot name: give it "
                                "another name, or leave out CheckSum= and Sign=");
        return r;
}

/* Who runs the old image would lose it. */
static int check_use(const Config *config, char ***problems) {
        _cleanup_(fd_closep) int fd = -EBADF;
        pid_t holder;

        const int r = file_lock_path(config->output, FILE_LOCK_EXCLUSIVE, &fd, &holder);
        if (r == 0)
                return strv_append_format(problems,
                                          "%s is being run by process %d: end that before it is replaced",
                                          config->output, (int)holder);
        return r == -ENOMEM ? r : 0;
}

int output_check(const Config *config, char ***problems) {
        _cleanup_(strv_freep) char **existing = NULL;

        int r = check_names(config, problems);
        if (r >= 0)
                r = output_existing(config, config->force > 0, &existing);
        for (char **path = existing; path && *path && r >= 0; path++)
                if (output_is_mount_point(*path))
                        r = strv_append_format(problems,
                                               "%s is a mount point: unmount it, or name another output",
                                               *path);
                else if (config->force == 0)
                        r = strv_append_format(problems, "%s exists already: use --force to replace it",
                                               *path);
        if (r >= 0 && config->force > 0)
                r = check_use(config, problems);
        return r;
}

/* Whether a file of check sums names the output. */
bool output_checksums_are_about(const char *checksums, const char *output) {
        _cleanup_(freep) char *text = NULL, *line = NULL;

        if (file_read(AT_FDCWD, checksums, CHECKSUMS_SIZE_MAX, &text, NULL) < 0 ||
            text_format(&line, " *%s\n", path_base_name(output)) < 0)
                return false;
        return strstr(text, line) != NULL;
}

/* One that lies where an artefact of the kind would, and was made by a build of this image: what is named after it was, but
 * for settings of nspawn, which people write by hand beside images, unless this configuration has them as well. */
static int find_existing(const Config *config, ArtefactKind kind, bool all, char **ret) {
        _cleanup_(freep) char *output = NULL, *checksums = NULL;
        struct stat status;

        *ret = NULL;
        if (!artefact_wanted(config, kind) && (!all || kind == ARTEFACT_NSPAWN))
                return 0;
        int r = artefact_output(config, kind, &output);
        if (r < 0)
                return r;
        if (is_source(config, output))
                return 0;
        if (lstat(output, &status) < 0)
                return errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG ? 0 : -errno;

        /* Several images of a directory have their check sums under one name. Where those are ours, no signature but
         * one of ours fits them. */
        if (!artefact_wanted(config, ARTEFACT_CHECKSUMS) &&
            (kind == ARTEFACT_CHECKSUMS || kind == ARTEFACT_SIGNATURE)) {
                r = artefact_output(config, ARTEFACT_CHECKSUMS, &checksums);
                if (r < 0 || !output_checksums_are_about(checksums, config->output))
                        return MIN(r, 0);
        }
        *ret = TAKE_PTR(output);
        return 0;
}

int output_existing(const Config *config, bool all, char ***paths) {
        for (ArtefactKind kind = 0; kind < ARTEFACT_MAX; kind++) {
                char *path;

                int r = find_existing(config, kind, all, &path);
                if (r >= 0 && path)
                        r = strv_take(paths, path);
                if (r < 0)
                        return r;
        }
        return 0;
}
