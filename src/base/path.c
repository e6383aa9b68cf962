/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"

/* What is shorter is more likely a name. */
#define URI_SCHEME_LENGTH_MIN 2
#define URI_SCHEME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."

#define FILE_SCHEME "file:"

#define SYSTEM_SEARCH_PATH "/usr/sbin:/usr/bin:/sbin:/bin"

int path_join(const char *a, const char *b, char **ret) {
        size_t a_length = strlen(a);

        while (a_length > 0 && a[a_length - 1] == '/')
                a_length--;
        while (b[0] == '/')
                b++;

        if (a_length == 0 && a[0] != '/')
                return text_copy(b, ret);
        return text_format(ret, "%.*s/%s", (int)a_length, a, b);
}

bool path_is_uri(const char *text) {
        const size_t n = strspn(text, URI_SCHEME_CHARACTERS);

        return isalpha((unsigned char)text[0]) && n >= URI_SCHEME_LENGTH_MIN && text[n] == ':';
}

/* Schemes have no letter case (RFC 3986, 3.1). */
const char *path_of_uri(const char *uri) {
        if (strncasecmp(uri, FILE_SCHEME, strlen(FILE_SCHEME)) != 0)
                return NULL;
        const char *path = uri + strlen(FILE_SCHEME), *rest = text_after_prefix(path, "//");

        return rest ? strchr(rest, '/') : path;
}

int path_absolute(const char *path, char **ret) {
        _cleanup_(freep) char *whole = NULL, *here = NULL;
        _cleanup_(strv_freep) char **parts = NULL;
        int r;

        if (path[0] != '/') {
                here = getcwd(NULL, 0);
                if (!here)
                        return -errno;
        }
        r = path_join(here ? here : "/", path, &whole);
        if (r < 0)
                return r;
        r = strv_split(whole, "/", &parts);
        if (r < 0)
                return r;

        /* The text only gets shorter, so that it can be put together again in its own memory. */
        size_t n = 0;
        for (char **part = parts; part && *part; part++) {
                if (text_equal(*part, "."))
                        continue;
                if (text_equal(*part, "..")) {
                        n -= n > 0;
                        continue;
                }
                char *kept = *part;
                *part = parts[n];
                parts[n++] = kept;
        }

        char *end = whole;
        *end++ = '/';
        *end = '\0';
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        *end++ = '/';
                end = stpcpy(end, parts[i]);
        }
        *ret = TAKE_PTR(whole);
        return 0;
}

bool path_is_below(const char *path, const char *ancestor) {
        if (text_equal(ancestor, "/"))
                return path[0] == '/';

        const char *rest = text_after_prefix(path, ancestor);
        return rest && (rest[0] == '\0' || rest[0] == '/');
}

const char *path_seen_from(const char *path, const char *ancestor) {
        if (!path_is_below(path, ancestor))
                return NULL;
        path += strlen(ancestor);
        return path + strspn(path, "/");
}

const char *path_base_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

int path_parent(const char *path, char **ret) {
        const char *slash = strrchr(path, '/');

        if (!slash)
                return text_copy(".", ret);
        if (slash == path)
                return text_copy("/", ret);
        return text_format(ret, "%.*s", (int)(slash - path), path);
}

int path_make_directories(int dir_fd, const char *path, mode_t mode) {
        _cleanup_(freep) char *copy = NULL;
        struct stat status;

        int r = text_copy(path, &copy);
        if (r < 0)
                return r;

        for (char *slash = copy;;) {
                slash = strchrnul(slash + (slash[0] != '\0'), '/');
                const char kept = *slash;

                *slash = '\0';
                if (mkdirat(dir_fd, copy, mode) < 0 && errno != EEXIST) {
                        /* A parent that cannot be written to is no harm while it exists. */
                        r = -errno;
                        if (fstatat(dir_fd, copy, &status, 0) < 0 || !S_ISDIR(status.st_mode))
                                return r;
                }
                *slash = kept;
                if (kept == '\0')
                        break;
        }

        if (fstatat(dir_fd, path, &status, 0) < 0)
                return -errno;
        return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

int path_open_below(int root_fd, const char *path, int flags, mode_t mode) {
        const struct open_how how = {
                .flags = (uint64_t)(flags | O_CLOEXEC),
                .mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        };

        for (unsigned attempt = 0;; attempt++) {
                const long fd =
                        syscall(SYS_openat2, root_fd, path[0] == '\0' ? "." : path, &how, sizeof(how));

                if (fd >= 0)
                        return (int)fd;
                /* The kernel says EAGAIN when something was renamed meanwhile and it cannot be sure about "..". */
                if (errno != EINTR && (errno != EAGAIN || attempt > 100))
                        return -errno;
        }
}

int path_find_program(const char *name, const char *search_path, char **ret) {
        _cleanup_(freep) char *list = NULL;
        _cleanup_(strv_freep) char **directories = NULL;

        if (strchr(name, '/'))
                return access(name, X_OK) < 0 ? -errno : text_copy(name, ret);
        if (!search_path)
                search_path = getenv("PATH");

        int r = text_format(&list, "%s:" SYSTEM_SEARCH_PATH, search_path ? search_path : "");
        if (r < 0)
                return r;
        r = strv_split(list, ":", &directories);
        if (r < 0)
                return r;

        for (char **directory = directories; *directory; directory++) {
                _cleanup_(freep) char *path = NULL;
                struct stat status;

                r = path_join(*directory, name, &path);
                if (r < 0)
                        return r;
                if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0) {
                        *ret = TAKE_PTR(path);
                        return 0;
                }
        }
        return -ENOENT;
}
