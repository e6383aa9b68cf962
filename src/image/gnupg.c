/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "base/strv.h"
#include "base/text.h"
#include "distro/distro-run.h"
#include "image/gnupg.h"

static int run(const Config *config, const char *const *words, const ProcessOptions *wish) {
        _cleanup_(strv_freep) char **argv = NULL;
        _cleanup_(freep) char *search_path = NULL;
        ProcessOptions options = *wish;

        int r = strv_append(&argv, "gpg");
        if (r >= 0)
                r = strv_append(&argv, "--quiet");
        if (r >= 0)
                r = strv_append(&argv, "--batch");
        if (r >= 0)
                r = strv_extend(&argv, words);
        if (r >= 0)
                r = distro_search_path(config, &search_path);
        if (r < 0)
                return r;
        options.argv = STRV(argv);
        options.search_path = search_path;
        return process_run(&options);
}

int gnupg_check(const Config *config, char ***problems) {
        const char *const words[] = { "--list-secret-keys", "--with-colons", "--", config->key, NULL };
        _cleanup_(fd_closep) int list_fd = -EBADF;
        struct stat status;

        if (!config->sign || config->sign_offline)
                return 0;
        list_fd = memfd_create("keys", MFD_CLOEXEC);
        if (list_fd < 0)
                return -errno;
        const int r = run(config, words,
                          &(ProcessOptions){ .stdin_fd = -EBADF, .stdout_fd = list_fd, .quiet = true });
        if (r == -ENOENT)
                return strv_append(problems, "Sign=yes needs the program gpg: install the package gnupg");
        if (r < 0)
                return r;
        if (fstat(list_fd, &status) < 0)
                return -errno;
        if (config->key && (r > 0 || status.st_size == 0))
                return strv_append_format(
                        problems,
                        "Key=%s: GnuPG has no such secret key; gpg --list-secret-keys shows those it has",
                        config->key);
        if (r > 0 || status.st_size == 0)
                return strv_append(problems,
                                   "Sign=yes: GnuPG has no secret key; gpg --gen-key makes one, and it is "
                                   "looked for in $GNUPGHOME, else in $HOME/.gnupg");
        return 0;
}

int gnupg_sign(const Config *config, int from_fd, int to_fd) {
        const char *const with_key[] = { "--detach-sign", "--local-user", config->key, NULL };
        const char *const without[] = { "--detach-sign", NULL };

        const int r = run(config, config->key ? with_key : without,
                          &(ProcessOptions){ .stdin_fd = from_fd, .stdout_fd = to_fd });
        if (r < 0)
                return r == -EINTR ? r : log_error(r, "Cannot run gpg: %m");
        if (r > 0)
                return log_error(-EKEYREJECTED,
                                 "Cannot sign SHA256SUMS: gpg ended with status %d, and says why above", r);
        return 0;
}

int gnupg_verify(const Config *config, const char *signature, const char *path, int status_fd) {
        const char *const words[] = { "--status-fd", "1", "--verify", "--", signature, path, NULL };

        const int r = run(config, words,
                          &(ProcessOptions){ .stdin_fd = -EBADF, .stdout_fd = status_fd, .quiet = true });
        return MIN(r, 0);
}
