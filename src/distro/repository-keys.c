/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-files.h"
#include "distro/repository-keys.h"

#define KEY_SIZE_MAX (1 * MIB)
#define ARMOUR       "-----BEGIN PGP PUBLIC KEY BLOCK-----"

/* All that lies in the directory, but for hidden files. */
static int append_directory(const char *path, int directory_fd, char ***files) {
        _cleanup_(strv_freep) char **names = NULL;

        int r = distro_list(directory_fd, ".", &names);
        for (size_t i = 0; r >= 0 && names && names[i]; i++)
                if (names[i][0] != '.')
                        r = strv_append_format(files, "%s/%s", path, names[i]);
        return r;
}

int repository_keys_find(const Config *config, const char *const *host_files, char ***files) {
        char **given = config->repository_keys;
        int r = 0;

        if (strv_length(STRV(given)) == 0) {
                for (size_t i = 0; r >= 0 && host_files && host_files[i]; i++)
                        if (access(host_files[i], R_OK) == 0)
                                r = strv_append(files, host_files[i]);
                return r;
        }
        for (size_t i = 0; r >= 0 && given[i]; i++) {
                _cleanup_(fd_closep) int fd = open(given[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                r = fd >= 0 ? append_directory(given[i], fd, files) : strv_append(files, given[i]);
        }
        return r;
}

/* What is no key is not left to a tool, which might leave it out. */
static int check_key(const char *path, char ***problems) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        const int r = file_read(AT_FDCWD, path, KEY_SIZE_MAX, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return strv_append_format(problems, "The key %s cannot be read: %s", path,
                                          file_read_error(r));
        if (!strstr(text, ARMOUR))
                return strv_append_format(
                        problems, "%s is no public key in ASCII armour: export it with gpg --armor --export",
                        path);
        return 0;
}

int repository_keys_check(const Config *config, const Distro *distro, const char *const *host_files,
                          const char *keys_at, char ***problems) {
        _cleanup_(strv_freep) char **files = NULL;

        int r = repository_keys_find(config, host_files, &files);
        if (r >= 0 && strv_length(STRV(files)) == 0)
                return strv_append_format(
                        problems,
                        "There are no keys that %s \"%s\" is signed by: put them into mkosi.keys/ or name them in "
                        "RepositoryKeys= (they are at %s), or install package distribution-gpg-keys where the host "
                        "has one",
                        distro->title, config->release ?: "", keys_at);
        for (size_t i = 0; files && files[i] && r >= 0; i++)
                r = check_key(files[i], problems);
        return r;
}

int repository_keys_copy(const Config *config, const char *const *host_files, int directory_fd,
                         const char *prefix, char ***paths) {
        _cleanup_(strv_freep) char **files = NULL;

        int r = repository_keys_find(config, host_files, &files);
        for (size_t i = 0; r >= 0 && files && files[i]; i++) {
                _cleanup_(freep) char *text = NULL, *name = NULL;
                size_t size;

                r = file_read(AT_FDCWD, files[i], KEY_SIZE_MAX, &text, &size);
                if (r >= 0)
                        r = text_format(&name, "%zu", i);
                if (r >= 0)
                        r = file_write(directory_fd, name, text, size, 0644);
                if (r >= 0)
                        r = strv_append_format(paths, "%s/%s", prefix, name);
        }
        return r;
}
