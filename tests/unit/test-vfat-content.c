/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "format/vfat-content.h"
#include "temporary-directory.h"
#include "vfat-tree.h"

static void put(const char *path, uint64_t size) {
        assert_int_equal(file_write_text(AT_FDCWD, path, "", 0644), 0);
        assert_int_equal(truncate(path, (off_t)size), 0);
}

/* Loads the tree, and finds the content good for the disk. */
static VfatContent *load(const FilesystemOptions *options, Tree **ret_tree) {
        VfatContent *content;

        assert_int_equal(tree_load(AT_FDCWD, "tree", ret_tree, NULL), 0);
        assert_int_equal(vfat_content_new(*ret_tree, options, 0, &content, NULL), 0);
        return content;
}

static const VfatItem *find(const VfatContent *content, const char *path) {
        const TreeNode *node = tree_find(content->tree, path);

        assert_non_null(node);
        return &content->items[node->index];
}

static void test_place(void **state) {
        static const struct {
                const char *path;
                uint32_t first_cluster, n_clusters;
        } expected[] = {
                { "", 2, 1 }, { "a", 0, 0 }, { "b", 3, 1 }, { "c", 4, 1 }, { "c/d", 5, 2 }, { "e", 7, 1 },
        };
        const FilesystemOptions options = { .label = "EFI" };
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(vfat_content_freep) VfatContent *content = NULL;

        assert_int_equal(path_make_directories(AT_FDCWD, "tree/c", 0755), 0);
        put("tree/a", 0);
        put("tree/b", 1024);
        put("tree/c/d", 1025);
        put("tree/e", 1);
        content = load(&options, &tree);

        assert_int_equal(vfat_content_count(content, 1024), 6);
        assert_int_equal(vfat_content_count(content, 512), 8);
        content->reserve_size = 1025;
        assert_int_equal(vfat_content_count(content, 1024), 8);
        assert_int_equal(vfat_content_place(content, 1024), 8);
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                assert_int_equal(find(content, expected[i].path)->first_cluster, expected[i].first_cluster);
                assert_int_equal(find(content, expected[i].path)->n_clusters, expected[i].n_clusters);
        }
}

/* The root has no "." and "..", but the label. */
static void test_entries(void **state) {
        FilesystemOptions options = {};
        _cleanup_(tree_freep) Tree *tree = NULL, *again = NULL;
        _cleanup_(vfat_content_freep) VfatContent *content = NULL, *labelled = NULL;

        assert_int_equal(path_make_directories(AT_FDCWD, "tree/D", 0755), 0);
        put("tree/A", 0);
        put("tree/small", 0);
        put("tree/D/A name of more than 13 units", 0);
        content = load(&options, &tree);
        assert_int_equal(find(content, "")->n_entries, 4);
        assert_int_equal(find(content, "D")->n_entries, 6);
        assert_int_equal(find(content, "A")->n_entries, 0);
        assert_false(content->has_label);

        options.label = "EFI";
        labelled = load(&options, &again);
        assert_int_equal(find(labelled, "")->n_entries, 5);
        assert_memory_equal(labelled->label, "EFI        ", VFAT_ALIAS_SIZE);
}

static void make_link(const char *path) {
        assert_int_equal(symlink("target", path), 0);
}

static void make_pipe(const char *path) {
        assert_int_equal(mkfifo(path, 0644), 0);
}

static void make_large(const char *path) {
        put(path, 4 * GIB);
}

static void make_clash(const char *path) {
        put(path, 0);
        put("tree/directory/X", 0);
}

static void test_refused(void **state) {
        static const struct {
                void (*make)(const char *path);
                int r;
                const char *reason;
        } cases[] = {
                { make_link, -EOPNOTSUPP, "FAT cannot store 'directory/x': it is a symbolic link" },
                { make_pipe, -EOPNOTSUPP, "FAT cannot store 'directory/x': it is neither" },
                { make_large, -EFBIG, "FAT cannot store 'directory/x': it has 4 GiB" },
                { make_clash, -EEXIST, "'directory/X' and 'x'" },
        };
        const FilesystemOptions options = {};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(reason_done) Reason reason = {};
                _cleanup_(tree_freep) Tree *tree = NULL;
                VfatContent *content = NULL;

                assert_int_equal(path_make_directories(AT_FDCWD, "tree/directory", 0755), 0);
                cases[i].make("tree/directory/x");
                assert_int_equal(tree_load(AT_FDCWD, "tree", &tree, NULL), 0);
                assert_int_equal(vfat_content_new(tree, &options, 0, &content, &reason), cases[i].r);
                assert_non_null(strstr(reason.text, cases[i].reason));
                assert_null(content);
                assert_int_equal(tree_remove(AT_FDCWD, "tree"), 0);
        }
}

static void test_largest_file(void **state) {
        const FilesystemOptions options = {};
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(vfat_content_freep) VfatContent *content = NULL;

        assert_int_equal(mkdir("tree", 0755), 0);
        put("tree/large", 4 * GIB - 1);
        content = load(&options, &tree);
        assert_int_equal(vfat_content_count(content, 512), 8388608 + 1);
}

static void test_label(void **state) {
        const FilesystemOptions options = { .label = "A/B" };
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(tree_freep) Tree *tree = NULL;
        VfatContent *content;

        assert_int_equal(mkdir("tree", 0755), 0);
        assert_int_equal(tree_load(AT_FDCWD, "tree", &tree, NULL), 0);
        assert_int_equal(vfat_content_new(tree, &options, 0, &content, &reason), -EINVAL);
        assert_non_null(strstr(reason.text, "'A/B'"));
}

/* 21845 names of three entries each leave room for one more entry: a label, but no longer name. */
static void test_full_directory(void **state) {
        static char texts[21845][24];
        static const char *names[ELEMENTSOF(texts)];
        FilesystemOptions options = {};
        _cleanup_(reason_done) Reason reason = {};

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                (void)snprintf(texts[i], sizeof(texts[i]), "long name %05zu", i);
                names[i] = texts[i];
        }
        _cleanup_(vfat_tree_freep) TreeNode *root = vfat_tree_new(names, ELEMENTSOF(names));
        const Tree tree = { .root_fd = -EBADF, .nodes = &root, .n_nodes = 1 };
        _cleanup_(vfat_content_freep) VfatContent *content = NULL;

        assert_int_equal(vfat_content_new(&tree, &options, 0, &content, NULL), 0);
        assert_int_equal(content->items[0].n_entries, 65535);
        names[0] = "long name of more units than there were";
        _cleanup_(vfat_tree_freep) TreeNode *larger = vfat_tree_new(names, ELEMENTSOF(names));
        const Tree larger_tree = { .root_fd = -EBADF, .nodes = &larger, .n_nodes = 1 };
        VfatContent *none;

        options.label = "EFI";
        assert_int_equal(vfat_content_new(&larger_tree, &options, 0, &none, &reason), -EFBIG);
        assert_non_null(strstr(reason.text, "too many names"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_place),   unit_test_in_directory(test_entries),
                unit_test_in_directory(test_refused), unit_test_in_directory(test_largest_file),
                unit_test_in_directory(test_label),   cmocka_unit_test(test_full_directory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
