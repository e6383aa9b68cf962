/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/kept-inputs.h"

#define SAID_VALUE_MAX 40 /* longer values say nothing to people */
#define BUFFER_SIZE    (256 * KIB)
#define ORDER_PREFIX   "order of "

void kept_inputs_done(KeptInputs *inputs) {
        for (size_t i = 0; i < inputs->n_items; i++) {
                free(inputs->items[i].name);
                free(inputs->items[i].value);
        }
        free(inputs->items);
        *inputs = (KeptInputs){};
}

/* One line of what a digest is made of, which must not run into the next one. */
static int hash_format(Sha256 *hash, const char *format, ...) _printf_(2, 3);
static int hash_format(Sha256 *hash, const char *format, ...) {
        _cleanup_(freep) char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        const int n = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (n < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return sha256_add(hash, text, (size_t)n + 1);
}

static int finish_digest(Sha256 *hash, char **ret) {
        char text[2 * SHA256_SIZE + 1];
        Sha256Digest digest;

        const int r = sha256_finish(hash, &digest);
        if (r < 0)
                return r;
        sha256_format(&digest, text);
        return text_copy(text, ret);
}

/* As one line without tabs. What that changes gets a digest, so that it stays different from all others. */
static int take_text(const char *text, char **ret) {
        _cleanup_(sha256_freep) Sha256 *hash = NULL;
        _cleanup_(freep) char *copy = NULL, *digest = NULL;

        int r = text_copy(text, &copy);
        if (r < 0)
                return r;
        text_tame(copy);
        if (text_equal(copy, text)) {
                *ret = TAKE_PTR(copy);
                return 0;
        }
        r = sha256_new(&hash);
        if (r >= 0)
                r = sha256_add(hash, text, strlen(text));
        if (r >= 0)
                r = finish_digest(hash, &digest);
        return r < 0 ? r : text_format(ret, "%s %s", copy, digest);
}

int kept_inputs_add(KeptInputs *inputs, const char *name, const char *value) {
        _cleanup_(freep) char *name_copy = NULL, *value_copy = NULL;

        if (inputs->n_items == inputs->n_allocated) {
                const size_t n = MAX(2 * inputs->n_allocated, (size_t)32);
                KeptInput *more = reallocarray(inputs->items, n, sizeof(*more));

                if (!more)
                        return -ENOMEM;
                inputs->items = more;
                inputs->n_allocated = n;
        }
        int r = take_text(name, &name_copy);
        if (r >= 0)
                r = take_text(value ?: "", &value_copy);
        if (r < 0)
                return r;
        inputs->items[inputs->n_items++] =
                (KeptInput){ .name = TAKE_PTR(name_copy), .value = TAKE_PTR(value_copy) };
        return 0;
}

int kept_inputs_add_format(KeptInputs *inputs, const char *value, const char *format, ...) {
        _cleanup_(freep) char *name = NULL;
        va_list arguments;

        va_start(arguments, format);
        const int n = vasprintf(&name, format, arguments);
        va_end(arguments);
        if (n < 0) {
                name = NULL;
                return -ENOMEM;
        }
        return kept_inputs_add(inputs, name, value);
}

/* The digest of what a regular file holds. */
static int hash_file(int fd, char text[static 2 * SHA256_SIZE + 1]) {
        _cleanup_(sha256_freep) Sha256 *hash = NULL;
        _cleanup_(freep) char *buffer = malloc(BUFFER_SIZE);
        Sha256Digest digest;

        if (!buffer)
                return -ENOMEM;
        int r = sha256_new(&hash);
        while (r >= 0 && (r = interrupt_check()) >= 0) {
                const ssize_t n = read(fd, buffer, BUFFER_SIZE);

                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                r = sha256_add(hash, buffer, (size_t)n);
        }
        if (r >= 0)
                r = sha256_finish(hash, &digest);
        if (r >= 0)
                sha256_format(&digest, text);
        return r;
}

/* ", attributes DIGEST", or nothing. */
static int describe_attributes(const Tree *tree, const TreeNode *node, char **ret) {
        _cleanup_(tree_attributes_done) TreeAttributes attributes = {};
        _cleanup_(sha256_freep) Sha256 *hash = NULL;
        _cleanup_(freep) char *digest = NULL;
        bool any = false;

        int r = tree_read_attributes(tree, node, &attributes);
        if (r >= 0)
                r = sha256_new(&hash);
        for (size_t i = 0; r >= 0 && i < attributes.n_items; i++) {
                const TreeAttribute *item = &attributes.items[i];

                if (!text_after_prefix(item->name, "user."))
                        continue;
                any = true;
                r = hash_format(hash, "%s %zu", item->name, item->size);
                if (r >= 0)
                        r = sha256_add(hash, item->value, item->size);
        }
        if (r < 0)
                return r;
        if (!any)
                return text_copy("", ret);
        r = finish_digest(hash, &digest);
        return r < 0 ? r : text_format(ret, ", attributes %s", digest);
}

/* The digest of a file, the target of a link, the number of a device; "" of anything else. */
static int describe_content(const Tree *tree, const TreeNode *node, bool copied, char **ret) {
        const mode_t mode = node->status.st_mode;
        char digest[2 * SHA256_SIZE + 1] = "";

        if (node->target)
                return text_copy(node->target, ret);
        if (copied && (S_ISCHR(mode) || S_ISBLK(mode)))
                return text_format(ret, "%u:%u", major(node->status.st_rdev), minor(node->status.st_rdev));
        if (S_ISREG(mode)) {
                _cleanup_(fd_closep) int fd = tree_open(tree, node);

                const int r = fd < 0 ? fd : hash_file(fd, digest);
                if (r < 0)
                        return r;
        }
        return text_copy(digest, ret);
}

/* What the copy has of a file besides: ", last modified 1700000000.000000000", ", link of etc/passwd". */
static int describe_copy(const Tree *tree, const TreeNode *node, const KeptCopy *copy, char **ret) {
        const struct timespec *time = &node->status.st_mtim;
        _cleanup_(freep) char *attributes = NULL, *original = NULL;

        if (node->original) {
                const int r = tree_node_path(node->original, &original);
                return r < 0 ? r : text_format(ret, ", link of %s", original);
        }
        const int r = describe_attributes(tree, node, &attributes);
        if (r < 0)
                return r;
        if (!node->parent)
                return text_copy(attributes, ret);
        if (time->tv_sec >= copy->time_bound)
                return text_format(ret, ", last modified %012lld.%09d%s", (long long)copy->time_bound, 0,
                                   attributes);
        return text_format(ret, ", last modified %012lld.%09ld%s", (long long)time->tv_sec, time->tv_nsec,
                           attributes);
}

/* "100644 DIGEST", "120777 TARGET", "40755 ", and behind it what the copy has, if it is one. */
static int add_node(KeptInputs *inputs, const char *title, const Tree *tree, const TreeNode *node,
                    const KeptCopy *copy) {
        _cleanup_(freep) char *path = NULL, *content = NULL, *more = NULL, *value = NULL;

        int r = tree_node_path(node, &path);
        if (r >= 0)
                r = describe_content(tree, node, copy, &content);
        if (r >= 0)
                r = copy ? describe_copy(tree, node, copy, &more) : text_copy("", &more);
        if (r >= 0)
                r = text_format(&value, "%o %s%s", (unsigned)node->status.st_mode, content, more);
        return r < 0 ? r : kept_inputs_add_format(inputs, value, "%s %s", title, path);
}

static int add_directory(KeptInputs *inputs, const char *title, const char *path, const TreeFilter *filter,
                         const KeptCopy *copy) {
        _cleanup_(tree_freep) Tree *tree = NULL;

        int r = tree_load_filtered(AT_FDCWD, path, filter, &tree, NULL);
        for (size_t i = copy && !copy->with_root ? 1 : 0; r >= 0 && i < tree->n_nodes; i++)
                r = add_node(inputs, title, tree, tree->nodes[i], copy);
        return r;
}

int kept_inputs_digest(int fd, char **ret) {
        char digest[2 * SHA256_SIZE + 1];

        const int r = hash_file(fd, digest);
        return r < 0 ? r : text_copy(digest, ret);
}

int kept_inputs_add_order(KeptInputs *inputs, const char *title, char *const *list) {
        _cleanup_(sha256_freep) Sha256 *hash = NULL;
        _cleanup_(freep) char *digest = NULL;

        if (!list || !list[0] || !list[1])
                return 0;
        int r = sha256_new(&hash);
        for (; r >= 0 && *list; list++)
                r = hash_format(hash, "%s", *list);
        if (r >= 0)
                r = finish_digest(hash, &digest);
        return r < 0 ? r : kept_inputs_add_format(inputs, digest, ORDER_PREFIX "%s", title);
}

/* Numbers of inodes would be no help: some file systems do not keep them. */
int kept_inputs_fingerprint(const char *path, char **ret) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(sha256_freep) Sha256 *hash = NULL;

        int r = tree_load(AT_FDCWD, path, &tree, NULL);
        if (r >= 0)
                r = sha256_new(&hash);
        for (size_t i = 1; r >= 0 && i < tree->n_nodes; i++) {
                const struct stat *status = &tree->nodes[i]->status;
                _cleanup_(freep) char *node_path = NULL;

                r = tree_node_path(tree->nodes[i], &node_path);
                if (r >= 0)
                        r = hash_format(hash, "%o %lld %lld.%09ld %s", (unsigned)status->st_mode,
                                        S_ISDIR(status->st_mode) ? 0 : (long long)status->st_size,
                                        (long long)status->st_ctim.tv_sec, status->st_ctim.tv_nsec,
                                        node_path);
        }
        return r < 0 ? r : finish_digest(hash, ret);
}

int kept_inputs_add_item(KeptInputs *inputs, char *const *list, char *const *item, const char *name) {
        /* One alone has no order. */
        if (!list[0] || !list[1])
                return 0;
        return kept_inputs_add_format(inputs, NULL, "%s as number %zu", name, (size_t)(item - list) + 1);
}

int kept_inputs_copy(const KeptInputs *inputs, KeptInputs *ret) {
        _cleanup_(kept_inputs_done) KeptInputs copy = {};
        int r = 0;

        for (size_t i = 0; i < inputs->n_items && r >= 0; i++)
                r = kept_inputs_add(&copy, inputs->items[i].name, inputs->items[i].value);
        if (r < 0)
                return r;
        *ret = copy;
        copy = (KeptInputs){};
        return 0;
}

static int add_path(KeptInputs *inputs, const char *title, const char *path, const TreeFilter *filter,
                    const KeptCopy *copy) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        _cleanup_(freep) char *value = NULL;
        char digest[2 * SHA256_SIZE + 1];
        struct stat status;

        if (fd < 0)
                return errno == ENOENT ? kept_inputs_add(inputs, title, "missing") : -errno;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (S_ISDIR(status.st_mode))
                return add_directory(inputs, title, path, filter, copy);
        int r = hash_file(fd, digest);
        if (r >= 0)
                r = text_format(&value, "%o %s", (unsigned)status.st_mode, digest);
        return r < 0 ? r : kept_inputs_add(inputs, title, value);
}

int kept_inputs_add_tree(KeptInputs *inputs, const char *title, const char *path, const TreeFilter *filter) {
        return add_path(inputs, title, path, filter, NULL);
}

int kept_inputs_add_copied(KeptInputs *inputs, const char *title, const char *path, const KeptCopy *copy) {
        return add_path(inputs, title, path, copy->filter, copy);
}

static int compare_inputs(const void *a, const void *b) {
        const KeptInput *x = a, *y = b;
        const int order = strcmp(x->name, y->name);

        return order != 0 ? order : strcmp(x->value, y->value);
}

void kept_inputs_sort(KeptInputs *inputs) {
        if (inputs->n_items > 1)
                qsort(inputs->items, inputs->n_items, sizeof(*inputs->items), compare_inputs);
}

int kept_inputs_format(const KeptInputs *inputs, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return -ENOMEM;
        for (size_t i = 0; i < inputs->n_items; i++)
                (void)fprintf(file, "%s\t%s\n", inputs->items[i].name, inputs->items[i].value);
        if (fclose(file) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

int kept_inputs_parse(const char *text, KeptInputs *ret) {
        _cleanup_(kept_inputs_done) KeptInputs inputs = {};
        _cleanup_(freep) char *copy = NULL;

        int r = text_copy(text, &copy);
        for (char *line = copy; r >= 0 && *line != '\0';) {
                char *end = strchr(line, '\n'), *tab = strchr(line, '\t');

                if (!end || !tab || tab > end)
                        return -EBADMSG;
                *end = *tab = '\0';
                r = kept_inputs_add(&inputs, line, tab + 1);
                line = end + 1;
        }
        if (r < 0)
                return r;
        kept_inputs_sort(&inputs);
        *ret = inputs;
        inputs = (KeptInputs){};
        return 0;
}

/* The mode with which the value of a node of a tree begins, see add_node(), and what follows it. Values of settings are what
 * the user wrote. */
static bool split_mode(const KeptInput *input, mode_t *ret_mode, const char **ret_rest) {
        char *end;

        if (text_ends_with(input->name, "=") || input->value[0] < '1' || input->value[0] > '7')
                return false;
        const unsigned long mode = strtoul(input->value, &end, 8);
        if (*end != ' ' || mode <= 07777 || mode > 0177777)
                return false;
        *ret_mode = (mode_t)mode;
        *ret_rest = end + 1;
        return true;
}

/* "directory 0755", "link to ../x", "pipe 0644, link of y" */
static int say_node(mode_t mode, const char *rest, char **ret) {
        const char *kind = S_ISDIR(mode)    ? "directory"
                           : S_ISREG(mode)  ? "file"
                           : S_ISFIFO(mode) ? "pipe"
                           : S_ISSOCK(mode) ? "socket"
                                            : "device";

        if (S_ISLNK(mode))
                return text_format(ret, "link to %s", rest);
        return text_format(ret, "%s %04o%s%s", kind, (unsigned)mode & 07777,
                           rest[0] && rest[0] != ',' ? " " : "", rest);
}

/* Of two nodes that hold the same, what they hold is not said. What is no node stays NULL. */
static int say_nodes(const KeptInput *before, const KeptInput *now, char **ret_before, char **ret_now) {
        const char *before_rest = NULL, *now_rest = NULL;
        mode_t before_mode = 0, now_mode = 0;
        const bool was = split_mode(before, &before_mode, &before_rest),
                   is = split_mode(now, &now_mode, &now_rest);
        const bool same = was && is && text_equal(before_rest, now_rest) && before_mode != now_mode;

        int r = was ? say_node(before_mode, same && !S_ISLNK(before_mode) ? "" : before_rest, ret_before) : 0;
        if (r >= 0 && is)
                r = say_node(now_mode, same && !S_ISLNK(now_mode) ? "" : now_rest, ret_now);
        return r;
}

static int say_change(const KeptInput *before, const KeptInput *now, char ***differences) {
        _cleanup_(freep) char *before_node = NULL, *now_node = NULL;

        const int r = say_nodes(before, now, &before_node, &now_node);
        if (r < 0)
                return r;
        const char *from = before_node ?: before->value, *to = now_node ?: now->value;
        if (strlen(from) > SAID_VALUE_MAX || strlen(to) > SAID_VALUE_MAX)
                return strv_append_format(differences, "%s changed", now->name);
        return strv_append_format(differences, "%s changed from %s to %s", now->name,
                                  from[0] ? from : "nothing", to[0] ? to : "nothing");
}

/* Those of the differences that are about the order of a list, or all others. */
static int compare_part(const KeptInputs *before, const KeptInputs *now, bool order_of_lists,
                        char ***differences) {
        size_t i = 0, k = 0;
        int r = 0;

        while (r >= 0 && (i < before->n_items || k < now->n_items)) {
                const KeptInput *x = i < before->n_items ? &before->items[i] : NULL,
                                *y = k < now->n_items ? &now->items[k] : NULL;
                const int order = !x ? 1 : !y ? -1 : strcmp(x->name, y->name);
                const bool is_order = text_after_prefix(order < 0 ? x->name : y->name, ORDER_PREFIX);

                if (is_order != order_of_lists)
                        r = 0;
                else if (order < 0)
                        r = strv_append_format(differences, "%s is gone", x->name);
                else if (order > 0)
                        r = strv_append_format(differences, "%s is new", y->name);
                else if (!text_equal(x->value, y->value))
                        r = say_change(x, y, differences);
                i += order <= 0;
                k += order >= 0;
        }
        return r;
}

/* Items that come and go change the order, which is then not worth a word. */
int kept_inputs_compare(const KeptInputs *before, const KeptInputs *now, char ***differences) {
        const int r = compare_part(before, now, false, differences);

        return r < 0 || *differences ? r : compare_part(before, now, true, differences);
}
