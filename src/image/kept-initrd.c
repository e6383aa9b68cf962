/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/kept-initrd.h"
#include "image/output.h"

#define IMAGE_NAME      "image"
#define INPUTS_NAME     "inputs"
#define INPUTS_SIZE_MAX (64 * MIB)

/* Names of inputs: of all that is in the tree, of a file that was opened, of a directory whose time was changed. */
#define TREE_PREFIX    "tree "
#define OPENED_PREFIX  "opened "
#define TOUCHED_PREFIX "touched "

void kept_initrd_done(KeptInitrd *kept) {
        free(kept->options);
        open_watch_free(kept->watch);
        tree_free(kept->before);
        *kept = (KeptInitrd){};
}

/* OUTPUT.cache-pre-inst/initrd-VERSION */
static int kept_directory(const KeptInitrd *kept, char **ret) {
        _cleanup_(freep) char *directory = NULL;

        const int r = kept_tree_directory(kept->image->config, KEPT_BASE, &directory);
        return r < 0 ? r : text_format(ret, "%s/initrd-%s", directory, kept->version);
}

static int list_options(const char *const *command, char **ret) {
        _cleanup_(freep) char *words = NULL;
        struct utsname host;

        if (uname(&host) < 0)
                return -errno;
        const int r = strv_join(command, " ", &words);
        if (r < 0)
                return r;
        return text_format(ret, MKOSI_VERSION " on %s at %s: %s", host.release,
                           getenv("SOURCE_DATE_EPOCH") ?: "no time", words);
}

/* What programs see of a node that do not open it. */
static int add_status(KeptInputs *inputs, const TreeNode *node, const char *path) {
        const struct stat *status = &node->status;
        _cleanup_(freep) char *value = NULL;

        const int r = text_format(&value, "%o %u:%u %llu %s%s", (unsigned)status->st_mode,
                                  (unsigned)status->st_uid, (unsigned)status->st_gid,
                                  S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode)
                                          ? (unsigned long long)status->st_rdev
                                          : 0,
                                  S_ISREG(status->st_mode) && status->st_size == 0 ? "empty" : "",
                                  node->target ?: "");
        return r < 0 ? r : kept_inputs_add_format(inputs, value, TREE_PREFIX "%s", path);
}

/* Times count, as they are copied into the initrd; but dracut --reproducible makes none later than that of a file of its own,
 * which is a package's.
 * What was written after the base tree was complete is younger than all that is in there, whenever that was: builds write some
 * files anew each time. */
static int add_opened(KeptInputs *inputs, const Tree *tree, const TreeNode *node, const char *path,
                      const struct timespec *begin) {
        const struct timespec *time = &node->status.st_mtim;
        _cleanup_(fd_closep) int fd = tree_open(tree, node);
        _cleanup_(freep) char *digest = NULL, *value = NULL;
        const bool is_new = time->tv_sec > begin->tv_sec ||
                            (time->tv_sec == begin->tv_sec && time->tv_nsec >= begin->tv_nsec);

        int r = fd < 0 ? fd : kept_inputs_digest(fd, &digest);
        if (r >= 0)
                r = is_new ? text_format(&value, "%s new", digest)
                           : text_format(&value, "%s %lld.%09ld", digest, (long long)time->tv_sec,
                                         time->tv_nsec);
        return r < 0 ? r : kept_inputs_add_format(inputs, value, OPENED_PREFIX "%s", path);
}

static const KeptInput *find_input(const KeptInputs *inputs, const char *name) {
        size_t low = 0, high = inputs->n_items;

        while (low < high) {
                const size_t middle = low + (high - low) / 2;
                const int order = strcmp(inputs->items[middle].name, name);

                if (order == 0)
                        return &inputs->items[middle];
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

/* Whether it was opened: by what was seen, or by what is kept. */
static int was_opened(const OpenWatch *watch, const KeptInputs *record, const TreeNode *node,
                      const char *path) {
        _cleanup_(freep) char *name = NULL;

        if (!S_ISREG(node->status.st_mode))
                return 0;
        if (watch)
                return open_watch_saw(watch, &node->status);
        const int r = text_format(&name, OPENED_PREFIX "%s", path);
        return r < 0 ? r : find_input(record, name) != NULL;
}

static int add_tree(const KeptInitrd *kept, const Tree *tree, const OpenWatch *watch,
                    const KeptInputs *record, KeptInputs *inputs) {
        struct stat begin;

        int r = kept_tree_stat(kept->image->config, KEPT_BASE, &begin);
        for (size_t i = 0; r >= 0 && i < tree->n_nodes; i++) {
                const TreeNode *node = tree->nodes[i];
                _cleanup_(freep) char *path = NULL;

                r = tree_node_path(node, &path);
                if (r >= 0)
                        r = add_status(inputs, node, path);
                if (r >= 0)
                        r = was_opened(watch, record, node, path);
                if (r > 0)
                        r = add_opened(inputs, tree, node, path, &begin.st_mtim);
        }
        return r;
}

static int add_image(const char *path, KeptInputs *inputs) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_(freep) char *digest = NULL;

        const int r = fd < 0 ? -errno : kept_inputs_digest(fd, &digest);
        return r < 0 ? r : kept_inputs_add(inputs, IMAGE_NAME, digest);
}

static int read_record(const char *directory, KeptInputs *ret) {
        _cleanup_(freep) char *path = NULL, *text = NULL;

        int r = path_join(directory, INPUTS_NAME, &path);
        if (r >= 0)
                r = file_read(AT_FDCWD, path, INPUTS_SIZE_MAX, &text, NULL);
        return r < 0 ? r : kept_inputs_parse(text, ret);
}

/* Returns 1 when the record is of this tree, and of what lies beside it. */
static int compare(const KeptInitrd *kept, const KeptInputs *record, const char *image_path) {
        _cleanup_(kept_inputs_done) KeptInputs now = {};
        _cleanup_(strv_freep) char **differences = NULL;

        int r = kept_inputs_add(&now, "options", kept->options);
        if (r >= 0)
                r = add_image(image_path, &now);
        if (r >= 0)
                r = add_tree(kept, kept->before, NULL, record, &now);
        for (size_t i = 0; r >= 0 && i < record->n_items; i++)
                if (text_after_prefix(record->items[i].name, TOUCHED_PREFIX))
                        r = kept_inputs_add(&now, record->items[i].name, record->items[i].value);
        if (r < 0)
                return r;
        kept_inputs_sort(&now);
        r = kept_inputs_compare(record, &now, &differences);
        if (r >= 0 && differences)
                log_debug("The initrd is generated anew: %s", differences[0]);
        return r < 0 ? r : !differences;
}

static int copy_file(const char *from, const char *to) {
        _cleanup_(fd_closep) int from_fd = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), to_fd = -EBADF;
        struct stat status;

        if (from_fd < 0 || fstat(from_fd, &status) < 0)
                return -errno;
        to_fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to_fd < 0 || ftruncate(to_fd, status.st_size) < 0)
                return -errno;
        return fd_copy_range(from_fd, 0, to_fd, 0, (uint64_t)status.st_size);
}

/* What is made and deleted while an initrd is generated leaves its time on the directory. */
static int touch_directories(const KeptInitrd *kept, const KeptInputs *record) {
        for (size_t i = 0; i < record->n_items; i++) {
                const char *path = text_after_prefix(record->items[i].name, TOUCHED_PREFIX);
                const TreeNode *node = path ? tree_find(kept->before, path) : NULL;
                _cleanup_(fd_closep) int fd = -EBADF;

                if (!node)
                        continue;
                fd = tree_open(kept->before, node);
                if (fd < 0)
                        return fd;
                if (futimens(fd, NULL) < 0)
                        return -errno;
        }
        return 0;
}

static int take(const KeptInitrd *kept, const char *path) {
        _cleanup_(kept_inputs_done) KeptInputs record = {};
        _cleanup_(freep) char *directory = NULL, *image_path = NULL;

        int r = kept_directory(kept, &directory);
        if (r >= 0)
                r = path_join(directory, IMAGE_NAME, &image_path);
        if (r < 0)
                return r;
        r = read_record(directory, &record);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        r = compare(kept, &record, image_path);
        if (r <= 0)
                return r == -ENOENT ? 0 : r;
        r = touch_directories(kept, &record);
        if (r >= 0)
                r = copy_file(image_path, path);
        return r < 0 ? r : 1;
}

int kept_initrd_take(KeptInitrd *kept, Image *image, const char *version, const char *const *command,
                     const char *path) {
        *kept = (KeptInitrd){ .image = image, .version = version };
        /* The file system must be of this tree alone. */
        if (!image->config->incremental || !image->final || !image->final->mounted)
                return 0;
        int r = list_options(command, &kept->options);
        if (r >= 0)
                r = tree_load(AT_FDCWD, image->root_path, &kept->before, NULL);
        if (r >= 0)
                r = take(kept, path);
        if (r != 0)
                return r;
        r = open_watch_new(image->root_path, &kept->watch);
        if (r < 0)
                log_debug("The initrd is not kept, nothing tells what it depends on: %s", strerror(-r));
        kept->wanted = r >= 0;
        return 0;
}

static bool is_same_time(const struct timespec *a, const struct timespec *b) {
        return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Returns 1 for a directory in which something has come and gone, 0 when nothing has changed; -ESTALE for anything else. */
static int compare_nodes(const TreeNode *before, const TreeNode *after) {
        if (before->status.st_mode != after->status.st_mode || !text_equal(before->name, after->name) ||
            before->status.st_uid != after->status.st_uid || before->status.st_gid != after->status.st_gid)
                return -ESTALE;
        if (S_ISDIR(after->status.st_mode))
                return !is_same_time(&before->status.st_mtim, &after->status.st_mtim);
        return is_same_time(&before->status.st_ctim, &after->status.st_ctim) ? 0 : -ESTALE;
}

/* What else has become of the tree: nothing but times of directories can be done again. */
static int add_touched(const KeptInitrd *kept, const Tree *after, KeptInputs *inputs) {
        int r = kept->before->n_nodes == after->n_nodes ? 0 : -ESTALE;

        for (size_t i = 0; r >= 0 && i < after->n_nodes; i++) {
                _cleanup_(freep) char *path = NULL;

                r = compare_nodes(kept->before->nodes[i], after->nodes[i]);
                if (r <= 0)
                        continue;
                r = tree_node_path(after->nodes[i], &path);
                if (r >= 0)
                        r = kept_inputs_add_format(inputs, NULL, TOUCHED_PREFIX "%s", path);
        }
        return r;
}

static int collect(const KeptInitrd *kept, const char *path, KeptInputs *inputs) {
        _cleanup_(tree_freep) Tree *after = NULL;

        int r = kept_inputs_add(inputs, "options", kept->options);
        if (r >= 0)
                r = add_image(path, inputs);
        if (r >= 0)
                r = tree_load(AT_FDCWD, kept->image->root_path, &after, NULL);
        if (r >= 0)
                r = add_touched(kept, after, inputs);
        return r < 0 ? r : add_tree(kept, after, kept->watch, NULL, inputs);
}

static int store(const KeptInitrd *kept, const char *path, KeptInputs *inputs) {
        _cleanup_(freep) char *made = NULL, *place = NULL, *text = NULL, *image_path = NULL,
                              *inputs_path = NULL;

        kept_inputs_sort(inputs);
        int r = kept_inputs_format(inputs, &text);
        if (r >= 0)
                r = kept_directory(kept, &place);
        if (r >= 0)
                r = text_format(&made, "%s/kept-initrd-%s", kept->image->workspace->path, kept->version);
        if (r >= 0)
                r = path_join(made, IMAGE_NAME, &image_path);
        if (r >= 0)
                r = path_join(made, INPUTS_NAME, &inputs_path);
        if (r < 0)
                return r;
        if (mkdir(made, 0700) < 0)
                return -errno;
        r = copy_file(path, image_path);
        if (r >= 0)
                r = file_write_text(AT_FDCWD, inputs_path, text, 0600);
        return r < 0 ? r : output_publish(made, place, true);
}

int kept_initrd_store(KeptInitrd *kept, const char *path) {
        _cleanup_(kept_inputs_done) KeptInputs inputs = {};

        if (!kept->wanted)
                return 0;
        int r = open_watch_finish(kept->watch);
        if (r >= 0)
                r = collect(kept, path, &inputs);
        if (r >= 0)
                r = store(kept, path, &inputs);
        if (r < 0 && r != -EINTR && r != -ENOMEM) {
                log_debug("The initrd is not kept: %s", strerror(-r));
                r = 0;
        }
        return r;
}
