/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/os-release.h"
#include "base/path.h"
#include "base/process.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-check.h"
#include "distro/distro-run.h"
#include "distro/repository-keys.h"

#define VERSION_SIZE_MAX 4096

const char *distro_host_package(const HostProgram *program, const char *const *words) {
        for (size_t k = 0; words && words[k]; k++)
                for (size_t i = 0; i < ELEMENTSOF(program->others) && program->others[i].host; i++)
                        if (text_equal(program->others[i].host, words[k]))
                                return program->others[i].package;
        return program->package;
}

/* What the host is, and what it is like. A host that does not say gets Debian's names. */
static int host_words(char ***ret) {
        _cleanup_(os_release_done) OsRelease host = {};
        _cleanup_(strv_freep) char **words = NULL, **like = NULL;

        int r = os_release_load("/", &host);
        if (r == -ENOMEM)
                return r;
        r = host.id ? strv_append(&words, host.id) : 0;
        if (r >= 0 && host.id_like)
                r = strv_split(host.id_like, " ", &like);
        if (r >= 0)
                r = strv_extend(&words, STRV(like));
        if (r < 0)
                return r;

        *ret = TAKE_PTR(words);
        return 0;
}

int distro_check_programs(const Config *config, const HostProgram *programs, size_t n_programs,
                          char ***problems) {
        _cleanup_(strv_freep) char **words = NULL;
        _cleanup_(freep) char *search_path = NULL;

        int r = distro_search_path(config, &search_path);
        if (r >= 0)
                r = host_words(&words);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n_programs; i++) {
                _cleanup_(freep) char *path = NULL;

                r = path_find_program(programs[i].program, search_path, &path);
                if (r == -ENOENT)
                        r = strv_append_format(problems, "Program %s is missing, install package %s",
                                               programs[i].program,
                                               distro_host_package(&programs[i], STRV(words)));
                if (r < 0)
                        return r;
        }
        return 0;
}

const char *distro_mirror_directory(const char *mirror) {
        const char *path = mirror ? text_after_prefix(mirror, "file:") : NULL;

        if (path && text_after_prefix(path, "//"))
                path += strlen("//");
        return path && path[0] == '/' ? path : NULL;
}

int distro_check_mirror(const Config *config, char ***problems) {
        static const char *const schemes[] = { "http://", "https://", "file:/", NULL };
        const char *directory = distro_mirror_directory(config->mirror);

        if (text_is_empty(config->mirror))
                return 0;
        if (directory && access(directory, R_OK | X_OK) < 0)
                return strv_append_format(problems, "Mirror=%s is not a directory that can be read",
                                          config->mirror);
        for (size_t i = 0; schemes[i]; i++)
                if (text_after_prefix(config->mirror, schemes[i]) && !strpbrk(config->mirror, " \t\n\"'\\"))
                        return 0;
        return strv_append_format(
                problems, "Mirror=%s is not an address that begins with http://, https:// or file:///",
                config->mirror);
}

int distro_check_architecture(const Config *config, const Distro *distro, char ***problems) {
        const char *word = architecture_words[config->architecture];

        if (!distro->architectures[config->architecture])
                return strv_append_format(problems, "%s does not exist for Architecture=%s", distro->title,
                                          word);
        if (config->bootable && !distro->kernel_packages[config->architecture])
                return strv_append_format(problems, "%s has no kernel for Architecture=%s", distro->title,
                                          word);
        return 0;
}

int distro_check(const Config *config, const Distro *distro, const HostProgram *programs, size_t n_programs,
                 char ***problems) {
        assert(config && distro && problems);

        int r = distro_check_programs(config, programs, n_programs, problems);
        if (r >= 0)
                r = repository_keys_check(config, distro, problems);
        if (r >= 0)
                r = distro_check_mirror(config, problems);
        if (r >= 0)
                r = distro_check_architecture(config, distro, problems);
        return r;
}

int distro_program_version(const Config *config, const char *const *argv, char **ret) {
        _cleanup_(freep) char *search_path = NULL, *text = NULL;
        _cleanup_(fd_closep) int fd = memfd_create("version", MFD_CLOEXEC);

        *ret = NULL;
        if (fd < 0)
                return -errno;
        int r = distro_search_path(config, &search_path);
        if (r < 0)
                return r;
        r = process_run(&(ProcessOptions){
                .argv = argv,
                .search_path = search_path,
                .stdin_fd = -EBADF,
                .stdout_fd = fd,
                .quiet = true,
        });
        if (r != 0)
                return r == -EINTR ? r : 0;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        r = fd_read_file(fd, VERSION_SIZE_MAX, &text, NULL);
        return r < 0 ? r : text_copy(text_strip(text), ret);
}
