/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-files.h"
#include "distro/dnf-config.h"
#include "distro/dnf-keys.h"

#define KEY_SIZE_MAX (1 * MIB)

/* All that lies in the directory, but for hidden files. */
static int append_directory(const char *path, int directory_fd, char ***files) {
        _cleanup_(strv_freep) char **names = NULL;

        int r = distro_list(directory_fd, ".", &names);
        for (size_t i = 0; r >= 0 && names && names[i]; i++)
                if (names[i][0] != '.')
                        r = strv_append_format(files, "%s/%s", path, names[i]);
        return r;
}

static int append_given(const char *path, char ***files) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd >= 0 ? append_directory(path, fd, files) : strv_append(files, path);
}

int dnf_keys_find(const Config *config, const Distro *distro, char ***files) {
        const char *architecture = distro->architectures[config->architecture];
        int r = 0;

        if (strv_length(STRV(config->repository_keys)) > 0) {
                for (char **path = config->repository_keys; *path && r >= 0; path++)
                        r = append_given(*path, files);
                return r;
        }

        for (size_t i = 0; distro->dnf->key_files[i] && r >= 0; i++) {
                _cleanup_(freep) char *path = NULL;

                r = dnf_expand(distro->dnf->key_files[i], config->release ?: "", architecture ?: "", &path);
                if (r >= 0 && access(path, R_OK) == 0)
                        r = strv_append(files, path);
        }
        return r;
}

bool dnf_key_is_armoured(const char *text) {
        return strstr(text, "-----BEGIN PGP PUBLIC KEY BLOCK-----");
}

int dnf_keys_copy(const Config *config, const Distro *distro, int directory_fd, const char *prefix,
                  char ***urls) {
        _cleanup_(strv_freep) char **files = NULL;

        int r = dnf_keys_find(config, distro, &files);
        for (size_t i = 0; r >= 0 && files && files[i]; i++) {
                _cleanup_(freep) char *text = NULL, *name = NULL;
                size_t size;

                r = file_read(AT_FDCWD, files[i], KEY_SIZE_MAX, &text, &size);
                if (r >= 0)
                        r = text_format(&name, "%zu", i);
                if (r >= 0)
                        r = file_write(directory_fd, name, text, size, 0644);
                if (r >= 0)
                        r = strv_append_format(urls, "%s/%s", prefix, name);
        }
        return r;
}
