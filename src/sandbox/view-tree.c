/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "sandbox/view-tree.h"

#define KERNEL_MESSAGE_MAX 256

/* Options of a mount, which are no options of its file system. */
typedef struct AttributeWord {
        const char *word;
        uint64_t set, clear;
} AttributeWord;

/* clang-format off */
static const AttributeWord attribute_words[] = {
        { "ro" }, /* later */
        { "rw" },
        { "defaults" },
        { "nosuid",      MOUNT_ATTR_NOSUID },
        { "suid",        0, MOUNT_ATTR_NOSUID },
        { "nodev",       MOUNT_ATTR_NODEV },
        { "dev",         0, MOUNT_ATTR_NODEV },
        { "noexec",      MOUNT_ATTR_NOEXEC },
        { "exec",        0, MOUNT_ATTR_NOEXEC },
        { "relatime",    MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
        { "noatime",     MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
        { "atime",       0, MOUNT_ATTR__ATIME },
        { "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
        { "nodiratime",  MOUNT_ATTR_NODIRATIME },
        { "diratime",    0, MOUNT_ATTR_NODIRATIME },
};
/* clang-format on */

int view_tree_clone(int dir_fd, const char *path, bool recursive, int *ret_fd) {
        const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0) |
                               (path[0] == '\0' ? AT_EMPTY_PATH : 0);
        const int fd = open_tree(dir_fd, path, flags);

        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

int view_tree_clone_fd(int fd, bool recursive, int *ret_fd) {
        return view_tree_clone(fd, "", recursive, ret_fd);
}

int view_tree_clone_below(const char *directory, const char *path, bool recursive, int *ret_fd) {
        const struct open_how how = { .flags = O_PATH | O_CLOEXEC,
                                      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
        _cleanup_(fd_closep) int directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (directory_fd < 0)
                return -errno;
        const long fd = syscall(SYS_openat2, directory_fd, path, &how, sizeof(how));
        if (fd < 0)
                return -errno;
        const int r = view_tree_clone_fd((int)fd, recursive, ret_fd);
        (void)fd_close((int)fd);
        return r;
}

/* What the kernel has to say about an option, which is more than a number; "" for nothing. */
static void kernel_message(int context_fd, char text[static KERNEL_MESSAGE_MAX]) {
        const ssize_t n = read(context_fd, text, KERNEL_MESSAGE_MAX - 1);
        size_t length = n < 0 ? 0 : (size_t)n;

        while (length > 0 && text[length - 1] == '\n')
                length--;
        text[length] = '\0';
        /* It begins with the level, "e ". */
        if (length >= 2 && text[1] == ' ')
                memmove(text, text + 2, length - 1);
}

static const AttributeWord *attribute_find(const char *word) {
        for (size_t i = 0; i < ELEMENTSOF(attribute_words); i++)
                if (text_equal(attribute_words[i].word, word))
                        return &attribute_words[i];
        return NULL;
}

static int option_set(int context_fd, const char *type, const char *option, Reason *reason) {
        _cleanup_(freep) char *key = strndup(option, strcspn(option, "="));
        const char *const equals = strchr(option, '=');
        char text[KERNEL_MESSAGE_MAX];

        if (!key)
                return -ENOMEM;
        if (fsconfig(context_fd, equals ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key,
                     equals ? equals + 1 : NULL, 0) >= 0)
                return 0;
        const int r = -errno;
        kernel_message(context_fd, text);
        return reason_set(reason, r, "option \"%s\" of a %s: %s", option, type,
                          text[0] ? text : strerror(-r));
}

int view_tree_new(const char *type, const char *options, int *ret_fd, Reason *reason) {
        _cleanup_(fd_closep) int context_fd = -EBADF;
        _cleanup_(strv_freep) char **words = NULL;
        uint64_t attributes = 0;

        int r = strv_split(options ? options : "", ",", &words);
        if (r < 0)
                return r;
        context_fd = fsopen(type, FSOPEN_CLOEXEC);
        if (context_fd < 0)
                return -errno;
        for (char **word = words; word && *word; word++) {
                const AttributeWord *const attribute = attribute_find(*word);

                if (attribute) {
                        attributes = (attributes & ~attribute->clear) | attribute->set;
                        continue;
                }
                r = option_set(context_fd, type, *word, reason);
                if (r < 0)
                        return r;
        }
        if (fsconfig(context_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        const int fd = fsmount(context_fd, FSMOUNT_CLOEXEC, (unsigned)attributes);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

int view_tree_tmpfs(const char *options, int *ret_fd, Reason *reason) {
        return view_tree_new("tmpfs", options, ret_fd, reason);
}

static bool is_directory(int fd) {
        struct stat status;

        return fstat(fd, &status) >= 0 && S_ISDIR(status.st_mode);
}

int view_tree_attach(int tree_fd, int target_fd) {
        if (move_mount(tree_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) >= 0)
                return 0;
        return errno == EINVAL && is_directory(tree_fd) != is_directory(target_fd) ? -ENOTDIR : -errno;
}

int view_tree_set(int fd, uint64_t attributes, bool recursive) {
        struct mount_attr attr = { .attr_set = attributes };

        return mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)) < 0
                       ? -errno
                       : 0;
}

int view_tree_make_target(int tree_fd, const char *path, bool directory) {
        _cleanup_(freep) char *parent = NULL;

        path += strspn(path, "/");
        if (directory)
                return path_make_directories(tree_fd, path, 0755);
        int r = path_parent(path, &parent);
        if (r < 0)
                return r;
        r = path_make_directories(tree_fd, parent, 0755);
        if (r < 0)
                return r;
        return mknodat(tree_fd, path, S_IFREG, 0) < 0 && errno != EEXIST ? -errno : 0;
}
