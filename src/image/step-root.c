/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What makes one installation differ from another must not be in an image that becomes many. */

#include <crypt.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "image/account.h"
#include "image/plan.h"

#define ACCOUNT_FILE_SIZE_MAX MIB
#define SALT_LENGTH           16

/* Opens a directory of the tree; links never lead out of it. */
static int open_directory(const Image *image, const char *path) {
        _cleanup_(fd_closep) int root_fd = open(image->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (root_fd < 0)
                return -errno;
        return path_open_below(root_fd, path, O_RDONLY | O_DIRECTORY, 0);
}

static int remove_file(const Image *image, const char *directory, const char *name) {
        _cleanup_(fd_closep) int fd = open_directory(image, directory);

        if (fd == -ENOENT)
                return 0;
        if (fd < 0 || (unlinkat(fd, name, 0) < 0 && errno != ENOENT)) {
                const int r = fd < 0 ? fd : -errno;
                return log_error(r, "Cannot remove %s/%s of the tree: %m", directory, name);
        }
        return 0;
}

/* A file of the image, replaced whole: whatever was there before, also a link, goes. */
static int replace_file(const Image *image, const char *directory, const char *name, const char *text,
                        mode_t mode) {
        _cleanup_(fd_closep) int fd = open_directory(image, directory);
        int r = fd;

        if (fd >= 0)
                r = unlinkat(fd, name, 0) < 0 && errno != ENOENT ? -errno
                                                                 : file_write_text(fd, name, text, mode);
        if (r < 0)
                return log_error(r, "Cannot write %s/%s of the tree: %m", directory, name);
        return 0;
}

/* D-Bus keeps its own copy of the machine ID unless it is a link to the one that first boot sets. */
static int link_dbus_machine_id(const Image *image) {
        _cleanup_(fd_closep) int fd = open_directory(image, "var/lib/dbus");

        if (fd == -ENOENT)
                return 0;
        if (fd < 0)
                return log_error(fd, "Cannot open var/lib/dbus of the tree: %m");
        if (unlinkat(fd, "machine-id", 0) < 0) {
                if (errno == ENOENT)
                        return 0;
                return log_error(-errno, "Cannot remove var/lib/dbus/machine-id of the tree: %m");
        }
        if (symlinkat("../../../etc/machine-id", fd, "machine-id") < 0)
                return log_error(-errno, "Cannot link var/lib/dbus/machine-id of the tree: %m");
        return 0;
}

/* A file of the tree, without which it does. */
typedef struct TreeFile {
        const char *directory, *name;
} TreeFile;

static int remove_files(const Image *image, const TreeFile *files, size_t n_files) {
        for (size_t i = 0; i < n_files; i++) {
                const int r = remove_file(image, files[i].directory, files[i].name);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What packages say of the machine they are installed on is wrong of the image. What the project says of it, in trees
 * that are copied later, is right. */
int step_hostname(Image *image) {
        static const TreeFile files[] = {
                { "etc", "hostname" },
                { "etc", "fstab" }, /* file systems are found by partition type */
                { "etc", "crypttab" },
        };
        _cleanup_(freep) char *hostname = NULL;

        int r = remove_files(image, files, ELEMENTSOF(files));
        if (r < 0 || !image->config->hostname)
                return r;
        r = text_format(&hostname, "%s\n", image->config->hostname);
        if (r < 0)
                return r;
        return replace_file(image, "etc", "hostname", hostname, 0644);
}

int step_first_boot(Image *image) {
        static const TreeFile files[] = {
                { "var/lib/systemd", "random-seed" },
                { "var/lib/systemd", "credential.secret" },
        };

        /* Empty means: this system has not booted yet, make an ID when it does. machine-id(5) */
        int r = replace_file(image, "etc", "machine-id", "", 0444);
        if (r < 0)
                return r;
        r = link_dbus_machine_id(image);
        if (r < 0)
                return r;
        return remove_files(image, files, ELEMENTSOF(files));
}

/* The salt follows from the seed, so that the same configuration gives the same bytes; it is no secret. */
static int hash_password(const Image *image, const char *password, char **ret) {
        static const char alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        static const char purpose[] = "root password salt";
        char setting[sizeof("$6$") + SALT_LENGTH] = "$6$";
        Sha256Digest digest;

        const int r =
                hmac_sha256(image->seed.bytes, sizeof(image->seed.bytes), purpose, strlen(purpose), &digest);
        if (r < 0)
                return r;
        for (size_t i = 0; i < SALT_LENGTH; i++)
                setting[strlen("$6$") + i] = alphabet[digest.bytes[i] % (sizeof(alphabet) - 1)];
        setting[strlen("$6$") + SALT_LENGTH] = '\0';

        struct crypt_data *data = calloc(1, sizeof(*data));
        if (!data)
                return -ENOMEM;
        const char *hash = crypt_r(password, setting, data);
        const int copied = hash && hash[0] == '$' ? text_copy(hash, ret) : -ENOTSUP;
        explicit_bzero(data, sizeof(*data));
        free(data);
        return copied;
}

/* Sets the password field of root in one of the account files, keeping the file's owner and mode. */
static int set_password_field(const Image *image, const char *name, const char *field) {
        _cleanup_(fd_closep) int etc_fd = open_directory(image, "etc"), fd = -EBADF;
        _cleanup_(freep) char *old = NULL, *new = NULL;
        int r;

        if (etc_fd < 0)
                return etc_fd;
        r = file_read(etc_fd, name, ACCOUNT_FILE_SIZE_MAX, &old, NULL);
        if (r < 0)
                return r;
        r = account_set_password(old, "root", field, &new);
        if (r < 0)
                return r;
        fd = openat(etc_fd, name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return fd_write_all(fd, new, strlen(new));
}

int step_password(Image *image) {
        const char *password = image->config->password;
        _cleanup_(freep) char *hash = NULL;
        int r;

        /* The empty password: root logs in without being asked for one. */
        if (text_is_empty(password)) {
                r = set_password_field(image, "passwd", "");
                if (r >= 0) {
                        r = set_password_field(image, "shadow", "");
                        r = r == -ENOENT ? 0 : r;
                }
                return r < 0 ? log_error(r, "Cannot empty root's password in the tree: %m") : 0;
        }

        r = hash_password(image, password, &hash);
        if (r < 0)
                return log_error(r, "Cannot hash the root password: %m");
        r = set_password_field(image, "shadow", hash);
        if (r < 0)
                return log_error(r, "Cannot set root's password in etc/shadow of the tree: %m");
        return 0;
}
