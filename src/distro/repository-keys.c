/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-files.h"
#include "distro/repository-keys.h"

#define KEY_SIZE_MAX    (64 * MIB) /* key rings of whole distributions have megabytes */
#define KEY_RING_SUFFIX ".gpg"
#define ARMOUR          "-----BEGIN PGP PUBLIC KEY BLOCK-----"

int repository_keys_beside(const char *path, const char *suffix, char **ret) {
        *ret = NULL;
        if (!text_ends_with(path, KEY_RING_SUFFIX))
                return 0;
        return text_format(ret, "%.*s%s", (int)(strlen(path) - strlen(KEY_RING_SUFFIX)), path, suffix);
}

static bool is_key_file(const PackageManager *manager, const char *name) {
        for (size_t i = 0; manager->key_lists && manager->key_lists[i]; i++)
                if (text_ends_with(name, manager->key_lists[i]))
                        return false;
        return name[0] != '.';
}

static int append_directory(const PackageManager *manager, const char *path, int directory_fd,
                            char ***files) {
        _cleanup_(strv_freep) char **names = NULL;

        int r = distro_list(directory_fd, ".", &names);
        for (size_t i = 0; r >= 0 && names && names[i]; i++)
                if (is_key_file(manager, names[i]))
                        r = strv_append_format(files, "%s/%s", path, names[i]);
        return r;
}

static int append_given(const PackageManager *manager, const char *path, char ***files) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd >= 0 ? append_directory(manager, path, fd, files) : strv_append(files, path);
}

/* What a host has by a package; names of files may depend on what is installed. */
static int append_of_host(const Config *config, const Distro *distro, const char *pattern, char ***files) {
        const char *architecture = distro->architectures[config->architecture];
        _cleanup_(freep) char *path = NULL;

        int r = text_copy(pattern, &path);
        if (r >= 0)
                r = text_substitute(&path, "$releasever", config->release ?: "");
        if (r >= 0)
                r = text_substitute(&path, "$basearch", architecture ?: "");
        if (r < 0)
                return r;
        return access(path, R_OK) == 0 ? strv_append(files, path) : 0;
}

int repository_keys_find(const Config *config, const Distro *distro, char ***files) {
        const PackageManager *manager = distro->manager;
        char **given = manager->key_form == KEY_FORM_RING ? NULL : config->repository_keys;
        const char *const *of_host = strv_length(STRV(given)) > 0 ? NULL : distro->key_files;
        int r = 0;

        for (size_t i = 0; r >= 0 && given && given[i]; i++)
                r = append_given(manager, given[i], files);
        for (size_t i = 0; r >= 0 && of_host && of_host[i]; i++)
                r = append_of_host(config, distro, of_host[i], files);
        return r;
}

static int append_lists(const PackageManager *manager, const char *path, char ***files) {
        int r = 0;

        for (size_t i = 0; r >= 0 && manager->key_lists && manager->key_lists[i]; i++) {
                _cleanup_(freep) char *list = NULL;

                r = repository_keys_beside(path, manager->key_lists[i], &list);
                if (r >= 0 && list && access(list, F_OK) == 0)
                        r = strv_append(files, list);
        }
        return r;
}

int repository_keys_find_all(const Config *config, const Distro *distro, char ***files) {
        _cleanup_(strv_freep) char **keys = NULL;

        int r = repository_keys_find(config, distro, &keys);
        for (size_t i = 0; r >= 0 && keys && keys[i]; i++) {
                r = strv_append(files, keys[i]);
                if (r >= 0)
                        r = append_lists(distro->manager, keys[i], files);
        }
        return r;
}

/* What is no key is not left to a tool, which might leave it out. */
static int check_key(KeyForm form, const char *path, char ***problems) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        const int r = file_read(AT_FDCWD, path, KEY_SIZE_MAX, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return strv_append_format(problems, "The key %s cannot be read: %s", path,
                                          file_read_error(r));
        if (form == KEY_FORM_ARMOURED && !strstr(text, ARMOUR))
                return strv_append_format(
                        problems, "%s is no public key in ASCII armour: export it with gpg --armor --export",
                        path);
        return 0;
}

static int report_none(const Config *config, const Distro *distro, char ***problems) {
        _cleanup_(freep) char *title = NULL;

        if (distro->manager->key_form == KEY_FORM_RING)
                return strv_append_format(problems, "Key ring %s is missing, install package %s",
                                          distro->key_files[0], distro->key_package);
        const int r = distro_format_title(distro, config, &title);
        return r < 0 ? r
                     : strv_append_format(
                               problems,
                               "There are no keys that %s is signed by: put them into mkosi.keys/ or name "
                               "them in RepositoryKeys= (they are at %s), or install package %s",
                               title, distro->keys_at, distro->key_package);
}

int repository_keys_check(const Config *config, const Distro *distro, char ***problems) {
        _cleanup_(strv_freep) char **files = NULL;

        int r = repository_keys_find(config, distro, &files);
        if (r >= 0 && strv_length(STRV(files)) == 0)
                return report_none(config, distro, problems);
        for (size_t i = 0; files && files[i] && r >= 0; i++)
                r = check_key(distro->manager->key_form, files[i], problems);
        return r;
}

int repository_keys_copy(const Config *config, const Distro *distro, int directory_fd, const char *prefix,
                         char ***paths) {
        _cleanup_(strv_freep) char **files = NULL;

        int r = repository_keys_find(config, distro, &files);
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
