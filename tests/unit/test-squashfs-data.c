/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "squashfs-fixture.h"

#define BLOCK SQUASHFS_BLOCK_SIZE

/* The contents of a tree, written to a file of its own. */
typedef struct Written {
        Tree *tree;
        int fd;
        struct sqfs_compressor_t *compressor;
        SquashfsChannel *channel;
        SquashfsData *data;
} Written;

static void written_done(Written *written) {
        squashfs_data_free(written->data);
        squashfs_channel_free(written->channel);
        squashfs_compressor_free(written->compressor);
        tree_free(written->tree);
        (void)fd_close(written->fd);
}

static Written written_begin(void) {
        Written written = { .tree = load_tree(), .fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600) };

        assert_int_equal(squashfs_compressor_new(COMPRESSION_ZSTD, 1, &written.compressor, NULL), 0);
        assert_int_equal(squashfs_channel_new(&(FilesystemPlace){ .fd = written.fd }, &written.channel), 0);
        assert_int_equal(squashfs_data_new(written.tree, &options, written.channel, written.compressor,
                                           &written.data),
                         0);
        return written;
}

static int add(Written *written, const TreeNode *node, Reason *reason) {
        _cleanup_(squashfs_reader_close) SquashfsReader reader = { .fd = -EBADF };

        assert_int_equal(squashfs_reader_open(written->tree, node, &reader), 0);
        return squashfs_data_add(written->data, &reader, reason);
}

static Written write_tree(void) {
        Written written = written_begin();

        for (size_t i = 1; i < written.tree->n_nodes; i++) {
                if (written.tree->nodes[i]->status.st_size > 0)
                        assert_int_equal(add(&written, written.tree->nodes[i], NULL), 0);
        }
        assert_int_equal(squashfs_data_finish(written.data), 0);
        return written;
}

static const SquashfsContent *find(const Written *written, const char *name) {
        return squashfs_data_find(written->data, tree_find(written->tree, name));
}

static void test_blocks_and_ends(void **state) {
        make_noise_file("tree/a", 2 * BLOCK + 10, 1);
        make_noise_file("tree/b", 3 * BLOCK, 2);
        make_noise_file("tree/c", 20, 3);
        make_file("tree/d", "", 0);

        _cleanup_(written_done) Written written = write_tree();
        const SquashfsContent *a = find(&written, "a"), *b = find(&written, "b"), *c = find(&written, "c");

        assert_null(find(&written, "d"));
        assert_int_equal(a->n_sizes, 2);
        assert_int_equal(a->start, 0);
        assert_int_equal(a->sizes[0], BLOCK | SQUASHFS_STORED_AS_IS);
        assert_int_equal(a->fragment, 0);
        assert_int_equal(a->fragment_offset, 0);
        assert_int_equal(b->n_sizes, 3);
        assert_int_equal(b->start, 2 * BLOCK);
        assert_int_equal(b->fragment, SQUASHFS_NONE);
        assert_int_equal(c->n_sizes, 0);
        assert_int_equal(c->fragment, 0);
        assert_int_equal(c->fragment_offset, 10);
        assert_int_equal(squashfs_channel_size(written.channel), 5 * BLOCK + 30);
}

/* Ends that do not fit into the block any more begin the next one, and no block is over-full. */
static void test_many_ends(void **state) {
        uint32_t fragment = 0;
        size_t offset = 0;

        for (unsigned i = 0; i < 60; i++) {
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(text_format(&path, "tree/%02u", i), 0);
                make_noise_file(path, i % 7 == 0 ? BLOCK - 1 : 5000 + i, i);
        }

        _cleanup_(written_done) Written written = write_tree();
        for (size_t i = 1; i < written.tree->n_nodes; i++) {
                const TreeNode *node = written.tree->nodes[i];
                const SquashfsContent *content = squashfs_data_find(written.data, node);
                const size_t size = (size_t)node->status.st_size;

                if (offset + size > BLOCK) {
                        fragment++;
                        offset = 0;
                }
                assert_int_equal(content->fragment, fragment);
                assert_int_equal(content->fragment_offset, offset);
                offset += size;
        }
        assert_true(fragment > 9);
}

static void test_zeros(void **state) {
        make_hole("tree/hole", 3 * BLOCK + 7);
        make_hole("tree/part", 3 * BLOCK + 7);
        _cleanup_(fd_closep) int fd = open("tree/part", O_WRONLY | O_CLOEXEC);
        assert_int_equal(fd_pwrite_all(fd, "x", 1, BLOCK + 1), 0);

        _cleanup_(written_done) Written written = write_tree();
        const SquashfsContent *hole = find(&written, "hole"), *part = find(&written, "part");
        assert_int_equal(hole->n_sizes, 4);
        assert_int_equal(hole->n_zeros, 3 * BLOCK + 7);
        assert_int_equal(hole->start, UINT64_MAX);
        assert_int_equal(hole->fragment, SQUASHFS_NONE);
        assert_int_equal(part->n_sizes, 4);
        assert_int_equal(part->n_zeros, 2 * BLOCK + 7);
        assert_int_equal(part->sizes[0], 0);
        assert_int_equal(part->sizes[1], squashfs_channel_size(written.channel));
        assert_int_equal(part->start, 0);
}

/* The same content is stored once, however it is laid out on disk; what differs in the last byte only is not. */
static void test_same_content(void **state) {
        _cleanup_(freep) uint8_t *data = make_noise(2 * BLOCK + 100, 1);

        make_file("tree/a", data, 2 * BLOCK + 100);
        make_file("tree/b", data, 2 * BLOCK + 100);
        data[2 * BLOCK + 99] ^= 1;
        make_file("tree/c", data, 2 * BLOCK + 100);
        make_file("tree/d", data, 50);
        make_file("tree/e", data, 50);
        make_file("tree/f", data, 51);
        make_file("tree/g", data, 2 * BLOCK + 100);

        memset(data, 0, 2 * BLOCK);
        make_file("tree/x-written", data, 2 * BLOCK + 100);
        make_hole("tree/y-hole", 2 * BLOCK + 100);
        _cleanup_(fd_closep) int fd = open("tree/y-hole", O_WRONLY | O_CLOEXEC);
        assert_int_equal(fd_pwrite_all(fd, data + 2 * BLOCK, 100, 2 * BLOCK), 0);

        _cleanup_(written_done) Written written = write_tree();
        assert_ptr_equal(find(&written, "a"), find(&written, "b"));
        assert_ptr_not_equal(find(&written, "a"), find(&written, "c"));
        assert_ptr_equal(find(&written, "c"), find(&written, "g"));
        assert_ptr_equal(find(&written, "d"), find(&written, "e"));
        assert_ptr_not_equal(find(&written, "d"), find(&written, "f"));
        assert_ptr_equal(find(&written, "x-written"), find(&written, "y-hole"));
        assert_int_equal(find(&written, "c")->start, 2 * BLOCK);
}

/* A file that is compared with one which is gone: the message is about the one that is gone. */
static void test_vanished(void **state) {
        _cleanup_(reason_done) Reason reason = {};

        make_file("tree/a", "same", 4);
        make_file("tree/b", "same", 4);
        _cleanup_(written_done) Written written = written_begin();

        assert_int_equal(add(&written, tree_find(written.tree, "a"), NULL), 0);
        assert_int_equal(unlink("tree/a"), 0);
        assert_int_equal(add(&written, tree_find(written.tree, "b"), &reason), -ENOENT);
        assert_non_null(strstr(reason.text, "'a'"));
}

static void test_shrunk(void **state) {
        make_noise_file("tree/a", 30 * BLOCK, 1);
        _cleanup_(written_done) Written written = written_begin();

        assert_int_equal(truncate("tree/a", 29 * BLOCK), 0);
        assert_int_equal(add(&written, tree_find(written.tree, "a"), NULL), -ENODATA);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_with_tree(test_blocks_and_ends), unit_test_with_tree(test_many_ends),
                unit_test_with_tree(test_zeros),           unit_test_with_tree(test_same_content),
                unit_test_with_tree(test_vanished),        unit_test_with_tree(test_shrunk),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
