/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <sqfs/xattr.h>
#include <sqfs/xattr_reader.h>

#include "base/strv.h"
#include "squashfs-fixture.h"

/* Trees as no ordinary user could make them are loaded from files, and then told otherwise. */
static struct stat *status_of(const Tree *tree, const char *path) {
        const TreeNode *node = tree_find(tree, path);

        assert_non_null(node);
        return &tree->nodes[node->index]->status;
}

static void test_status(void **state) {
        static const struct {
                uint32_t uid, gid;
                mode_t mode;
        } rows[] = {
                { 0, 0, 0 },
                { 1000, 1001, 07777 },
                { UINT32_MAX - 1, 65536, 04711 },
                { 65534, UINT32_MAX - 1, 01640 },
        };
        char name[] = "0";

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                name[0] = (char)('0' + i);
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(text_format(&path, "tree/%s", name), 0);
                make_file(path, name, 1);
        }
        _cleanup_(tree_freep) Tree *tree = load_tree();
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                name[0] = (char)('0' + i);
                struct stat *status = status_of(tree, name);

                status->st_uid = rows[i].uid;
                status->st_gid = rows[i].gid;
                status->st_mode = S_IFREG | rows[i].mode;
                status->st_mtim = (struct timespec){ TIME_MAX - 2 + (time_t)i, 999999999 };
        }
        (void)make_with(tree, "image", &options);

        _cleanup_(image_close) Image image = {};
        image_open("image", &image);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                name[0] = (char)('0' + i);
                _cleanup_(freep) sqfs_inode_generic_t *inode = image_find(&image, name);

                assert_int_equal(inode->base.mode, S_IFREG | rows[i].mode);
                assert_int_equal(image_id(&image, inode->base.uid_idx), rows[i].uid);
                assert_int_equal(image_id(&image, inode->base.gid_idx), rows[i].gid);
                assert_int_equal(inode->base.mod_time, MIN(TIME_MAX - 2 + (int64_t)i, TIME_MAX));
                assert_int_equal(inode->base.inode_number, 2 + i);
        }
}

static void test_devices(void **state) {
        static const struct {
                mode_t type;
                unsigned major, minor;
                uint32_t encoded;
        } rows[] = {
                { S_IFCHR, 1, 3, 0x103 },
                { S_IFBLK, 8, 255, 0x8ff },
                { S_IFBLK, 259, 0x12345, 0x12310345 },
                { S_IFCHR, 0xfff, 0xfffff, UINT32_MAX },
        };

        make_file("tree/node", "", 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(tree_freep) Tree *tree = load_tree();
                struct stat *status = status_of(tree, "node");

                /* Its attributes are asked for, so the kind that is on disk cannot be another. */
                assert_int_equal(unlink("tree/node"), 0);
                if (mknod("tree/node", rows[i].type | 0600, makedev(rows[i].major, rows[i].minor)) < 0)
                        skip();
                tree_free(TAKE_PTR(tree));
                tree = load_tree();
                status = status_of(tree, "node");
                assert_int_equal(major(status->st_rdev), rows[i].major);
                (void)make_with(tree, "image", &options);

                _cleanup_(image_close) Image image = {};
                image_open("image", &image);
                _cleanup_(freep) sqfs_inode_generic_t *inode = image_find(&image, "node");
                assert_int_equal(inode->data.dev.devno, rows[i].encoded);
                assert_int_equal(inode->data.dev.nlink, 1);
        }
}

static void test_refused(void **state) {
        make_file("tree/file", "x", 1);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        struct stat *status = status_of(tree, "file");
        FilesystemOptions late = options;

        status->st_mtim.tv_sec = -1;
        assert_refused(tree, -ERANGE,
                       "Cannot put 'file' into a squashfs file system: its time is before 1970");
        status->st_mtim.tv_sec = 0;
        (void)make_with(tree, "image", &options);
        status->st_mtim.tv_sec = (time_t)1 << 33; /* no later than that of the file system */
        (void)make_with(tree, "image", &options);
        late.time = UINT32_MAX;
        (void)make_with(tree, "image", &late);

        if (setxattr("tree/file", "system.posix_acl_access",
                     "\2\0\0\0\1\0\6\0\xff\xff\xff\xff\2\0\4\0\1\0\0\0\4\0\4\0\xff\xff\xff\xff"
                     "\x10\0\4\0\xff\xff\xff\xff\x20\0\4\0\xff\xff\xff\xff",
                     44, 0) < 0)
                skip();
        assert_refused(tree, -EOPNOTSUPP,
                       "Cannot put 'file' into a squashfs file system: it has the extended attribute "
                       "system.posix_acl_access");
}

/* Where that is allowed, a list is left out and told of; nobody gets more by it. */
static void test_left_out(void **state) {
        static const char list[] = "\2\0\0\0\1\0\7\0\377\377\377\377\2\0\7\0\7\0\0\0\4\0\5\0\377\377\377\377"
                                   "\20\0\7\0\377\377\377\377\40\0\0\0\377\377\377\377";
        _cleanup_(strv_freep) char **left_out = NULL;
        FilesystemOptions with = options;

        make_file("tree/file", "x", 1);
        assert_int_equal(chmod("tree/file", 0750), 0);
        if (setxattr("tree/file", "system.posix_acl_access", list, sizeof(list) - 1, 0) < 0)
                skip(); /* a file system without lists */
        assert_int_equal(setxattr("tree/file", "user.kept", "y", 1, 0), 0);
        _cleanup_(tree_freep) Tree *tree = load_tree();
        assert_int_equal(tree_find(tree, "file")->status.st_mode, S_IFREG | 0770);
        with.left_out = &left_out;
        (void)make_with(tree, "image", &with);
        assert_int_equal(strv_length(STRV(left_out)), 1);
        assert_string_equal(
                left_out[0],
                "squashfs cannot store the access control list of 'file' (system.posix_acl_access)");

        _cleanup_(image_close) Image image = {};
        image_open("image", &image);
        _cleanup_(freep) sqfs_inode_generic_t *inode = image_find(&image, "file");
        assert_int_equal(inode->base.mode, S_IFREG | 0750);
        assert_int_not_equal(inode->data.file_ext.xattr_idx, 0xffffffff);
}

/* 16 bits count them. */
static void test_ids(void **state) {
        const unsigned n_files = UINT16_MAX / 2;

        for (unsigned i = 0; i < n_files; i++) {
                char path[32];

                (void)snprintf(path, sizeof(path), "tree/%05u", i);
                make_file(path, "", 0);
        }
        _cleanup_(tree_freep) Tree *tree = load_tree();
        tree->nodes[0]->status.st_uid = tree->nodes[0]->status.st_gid = 7;
        for (unsigned i = 0; i < n_files; i++) {
                tree->nodes[i + 1]->status.st_uid = 1000000 + i;
                tree->nodes[i + 1]->status.st_gid = 2000000 + i;
        }
        (void)make_with(tree, "image", &options);
        _cleanup_(image_close) Image image = {};
        image_open("image", &image);
        assert_int_equal(image.super.id_count, UINT16_MAX);
        _cleanup_(freep) sqfs_inode_generic_t *inode = image_find(&image, "32766");
        assert_int_equal(image_id(&image, inode->base.gid_idx), 2032766);

        tree->nodes[n_files]->status.st_uid = 1;
        tree->nodes[n_files - 1]->status.st_uid = 2;
        tree->nodes[0]->status.st_gid = 3;
        assert_refused(tree, -EOVERFLOW, "more than 65535 different users and groups");
}

static void test_links(void **state) {
        _cleanup_(freep) char *target = malloc(4096);

        memset(target, 't', 4095);
        target[4095] = '\0';
        assert_int_equal(symlink(target, "tree/long"), 0);
        assert_int_equal(symlink("t", "tree/short"), 0);
        assert_int_equal(link("tree/short", "tree/a-short"), 0);
        assert_int_equal(mkdir("tree/z", 0755), 0);
        make_file("tree/z/file", "content", 7);
        assert_int_equal(link("tree/z/file", "tree/file"), 0);
        assert_int_equal(mkdir("tree/z/y", 0755), 0);
        assert_int_equal(link("tree/z/file", "tree/z/y/file"), 0);
        assert_int_equal(mkfifo("tree/fifo", 0600), 0);
        make_image();

        _cleanup_(image_close) Image image = {};
        image_open("image", &image);
        _cleanup_(freep) sqfs_inode_generic_t *first = image_find(&image, "file"),
                                              *second = image_find(&image, "z/y/file"),
                                              *fifo = image_find(&image, "fifo"),
                                              *link_a = image_find(&image, "a-short"),
                                              *link_b = image_find(&image, "short"),
                                              *link_long = image_find(&image, "long"),
                                              *directory = image_find(&image, "z");

        assert_int_equal(first->base.inode_number, second->base.inode_number);
        assert_int_equal(first->base.type, SQFS_INODE_EXT_FILE);
        assert_int_equal(first->data.file_ext.nlink, 3);
        assert_int_equal(fifo->data.ipc.nlink, 1);
        assert_int_equal(link_a->base.inode_number, link_b->base.inode_number);
        assert_int_equal(link_a->data.slink.nlink, 2);
        assert_int_equal(link_long->data.slink.target_size, 4095);
        assert_memory_equal(link_long->extra, target, 4095);
        assert_int_equal(directory->data.dir.nlink, 3);
        assert_int_equal(image.root->data.dir.nlink, 3);
        assert_int_equal(image.super.inode_count, 7);
        assert_true((image.super.flags & SQFS_FLAG_EXPORTABLE) != 0);
        assert_same_content(&image, "z/y/file", "tree/file");
}

/* A directory whose entries are spread over the inodes so that an index has no room for all of its headers. */
static void test_wide_directory(void **state) {
        assert_int_equal(mkdir("tree/a", 0755), 0);
        assert_int_equal(mkdir("tree/b", 0755), 0);
        for (unsigned i = 0; i < 600; i++) {
                char path[32];

                (void)snprintf(path, sizeof(path), "tree/b/%04u", i);
                make_file(path, "", 0);
        }
        for (unsigned i = 0; i < 66000; i++) {
                char from[32], to[32];

                (void)snprintf(from, sizeof(from), "tree/b/%04u", i % 2 * 599);
                (void)snprintf(to, sizeof(to), "tree/a/%05u", i);
                if (link(from, to) < 0) {
                        print_message("the file system has no more links for a file\n");
                        skip();
                }
        }
        make_image();

        _cleanup_(image_close) Image image = {};
        image_open("image", &image);
        _cleanup_(freep) sqfs_inode_generic_t *directory = image_find(&image, "a"),
                                              *last = image_find(&image, "a/65999");
        assert_int_equal(directory->base.type, SQFS_INODE_EXT_DIR);
        assert_int_equal(directory->data.dir_ext.inodex_count, 0);
        assert_int_equal(last->data.file_ext.nlink, 33001);
}

/* Finds the value of the only attribute of a file. */
static void assert_attribute(Image *image, sqfs_xattr_reader_t *reader, const char *path, const char *name,
                             const void *value, size_t size) {
        _cleanup_(freep) sqfs_inode_generic_t *inode = image_find(image, path);
        sqfs_xattr_entry_t *key;
        sqfs_xattr_value_t *found;
        sqfs_xattr_id_t set;
        sqfs_u32 index;

        assert_int_equal(sqfs_inode_get_xattr_index(inode, &index), 0);
        assert_int_equal(sqfs_xattr_reader_get_desc(reader, index, &set), 0);
        assert_int_equal(set.count, 1);
        assert_int_equal(sqfs_xattr_reader_seek_kv(reader, &set), 0);
        assert_int_equal(sqfs_xattr_reader_read_key(reader, &key), 0);
        assert_int_equal(sqfs_xattr_reader_read_value(reader, key, &found), 0);
        assert_string_equal((const char *)key->key, name);
        assert_int_equal(found->size, size);
        assert_memory_equal(found->value, value, size);
        sqfs_free(key);
        sqfs_free(found);
}

/* As many different sets as fill blocks of their table, one less, and one more. */
static void test_attributes(void **state) {
        for (unsigned i = 0; i < 1537; i++) {
                char path[32];

                (void)snprintf(path, sizeof(path), "tree/%04u", i);
                make_file(path, "", 0);
                if (setxattr(path, "user.padding", &i, sizeof(i), 0) < 0)
                        skip();
        }
        for (unsigned n = 1537; n > 1534; n--) {
                char path[32];

                make_image();
                _cleanup_(image_close) Image image = {};
                image_open("image", &image);
                sqfs_xattr_reader_t *reader = sqfs_xattr_reader_create(0);

                assert_int_equal(sqfs_xattr_reader_load(reader, &image.super, image.file, image.compressor),
                                 0);
                for (unsigned i = 0; i < n; i += 511) {
                        (void)snprintf(path, sizeof(path), "%04u", i);
                        assert_attribute(&image, reader, path, "user.padding", &i, sizeof(i));
                }
                sqfs_destroy(reader);
                (void)snprintf(path, sizeof(path), "tree/%04u", n - 1);
                assert_int_equal(unlink(path), 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_status),
                unit_test_with_tree(test_devices),
                unit_test_with_tree(test_refused),
                unit_test_with_tree(test_left_out),
                unit_test_with_tree(test_ids),
                unit_test_with_tree(test_links),
                unit_test_with_tree(test_wide_directory),
                unit_test_with_tree(test_attributes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
