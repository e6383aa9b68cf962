/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/tree.h"
#include "image/kept-inputs.h"

#define SAID_VALUE_MAX 40 /* longer values say nothing to people */
#define BUFFER_SIZE    (256 * KIB)

void kept_inputs_done(KeptInputs *inputs) {
        for (size_t i = 0; i < inputs->n_items; i++) {
                free(inputs->items[i].name);
                free(inputs->items[i].value);
        }
        free(inputs->items);
        *inputs = (KeptInputs){};
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
        int r = text_copy(name, &name_copy);
        if (r >= 0)
                r = text_copy(value ?: "", &value_copy);
        if (r < 0)
                return r;
        text_tame(name_copy);
        text_tame(value_copy);
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
        while (r >= 0) {
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

/* "100644 DIGEST", "120777 TARGET", "40755". */
static int add_node(KeptInputs *inputs, const char *title, const Tree *tree, const TreeNode *node) {
        _cleanup_(freep) char *path = NULL, *value = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        char digest[2 * SHA256_SIZE + 1] = "";

        int r = tree_node_path(node, &path);
        if (r >= 0 && S_ISREG(node->status.st_mode)) {
                r = fd = tree_open(tree, node);
                if (r >= 0)
                        r = hash_file(fd, digest);
        }
        if (r >= 0)
                r = text_format(&value, "%o %s", (unsigned)node->status.st_mode,
                                node->target ? node->target : digest);
        return r < 0 ? r : kept_inputs_add_format(inputs, value, "%s %s", title, path);
}

static int add_directory(KeptInputs *inputs, const char *title, const char *path, const TreeFilter *filter) {
        _cleanup_(tree_freep) Tree *tree = NULL;

        int r = tree_load_filtered(AT_FDCWD, path, filter, &tree, NULL);
        for (size_t i = 0; r >= 0 && i < tree->n_nodes; i++)
                r = add_node(inputs, title, tree, tree->nodes[i]);
        return r;
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

int kept_inputs_add_tree(KeptInputs *inputs, const char *title, const char *path, const TreeFilter *filter) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_(freep) char *value = NULL;
        char digest[2 * SHA256_SIZE + 1];
        struct stat status;

        if (fd < 0)
                return errno == ENOENT ? kept_inputs_add(inputs, title, "missing") : -errno;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (S_ISDIR(status.st_mode))
                return add_directory(inputs, title, path, filter);
        int r = hash_file(fd, digest);
        if (r >= 0)
                r = text_format(&value, "%o %s", (unsigned)status.st_mode, digest);
        return r < 0 ? r : kept_inputs_add(inputs, title, value);
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

/* "directory 0755", "link to ../x" */
static int say_node(mode_t mode, const char *rest, char **ret) {
        const char *kind = S_ISDIR(mode)    ? "directory"
                           : S_ISREG(mode)  ? "file"
                           : S_ISFIFO(mode) ? "pipe"
                           : S_ISSOCK(mode) ? "socket"
                                            : "device";

        if (S_ISLNK(mode))
                return text_format(ret, "link to %s", rest);
        return text_format(ret, "%s %04o%s%s", kind, (unsigned)mode & 07777, rest[0] ? " " : "", rest);
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

int kept_inputs_compare(const KeptInputs *before, const KeptInputs *now, char ***differences) {
        size_t i = 0, k = 0;
        int r = 0;

        while (r >= 0 && (i < before->n_items || k < now->n_items)) {
                const KeptInput *x = i < before->n_items ? &before->items[i] : NULL,
                                *y = k < now->n_items ? &now->items[k] : NULL;
                const int order = !x ? 1 : !y ? -1 : strcmp(x->name, y->name);

                if (order < 0)
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
