/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "foreign-program.h"
#include "format/tar.h"
#include "temporary-directory.h"

#define TIME_MAX 1600000000

static void put(const char *path, const char *text) {
        assert_int_equal(file_write(AT_FDCWD, path, text, strlen(text), 0644), 0);
}

static Tree *load(const char *path) {
        Tree *tree;

        assert_int_equal(tree_load(AT_FDCWD, path, &tree, NULL), 0);
        return tree;
}

static int write_tree(const Tree *tree, const char *path, Reason *reason) {
        _cleanup_(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        _cleanup_(stream_freep) Stream *stream = NULL;
        StreamResult result;

        assert_int_equal(stream_new(&(StreamOptions){ .fd = fd }, &stream), 0);
        const int r = tar_write(tree, &(TarOptions){ .time = TIME_MAX }, stream, reason);
        return r < 0 ? r : stream_finish(stream, &result);
}

static void make(const char *path) {
        _cleanup_(tree_freep) Tree *tree = load(path);
        _cleanup_(reason_done) Reason reason = {};

        const int r = write_tree(tree, "archive", &reason);
        if (r < 0)
                fail_msg("%s", reason_text(&reason, r));
}

static void set_time(const char *path, int64_t seconds, long nanoseconds) {
        const struct timespec times[2] = { { .tv_sec = seconds, .tv_nsec = nanoseconds },
                                           { .tv_sec = seconds, .tv_nsec = nanoseconds } };

        assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* Order, names, owners as numbers, times; what tar(1) lists is the whole of it. */
static void test_list(void **state) {
        _cleanup_(freep) char *list = NULL;
        char expected[1024];

        assert_int_equal(mkdir("tree", 0755), 0);
        assert_int_equal(mkdir("tree/b", 0700), 0);
        put("tree/b/file", "content");
        put("tree/a", "12345");
        assert_int_equal(link("tree/a", "tree/c"), 0);
        assert_int_equal(symlink("b/file", "tree/d"), 0);
        assert_int_equal(mkfifo("tree/e", 0600), 0);
        assert_int_equal(chmod("tree/a", 06750), 0);
        set_time("tree/a", 1000000000, 0);
        set_time("tree/d", -1, 0);

        make("tree");
        list = FOREIGN_CHECK("tar", "--numeric-owner", "--full-time", "-tvf", "archive");
        const unsigned uid = getuid(), gid = getgid();
        (void)snprintf(expected, sizeof(expected),
                       "drwxr-xr-x %u/%u               0 2020-09-13 12:26:40 ./\n"
                       "-rwsr-s--- %u/%u               5 2001-09-09 01:46:40 ./a\n"
                       "drwx------ %u/%u               0 2020-09-13 12:26:40 ./b/\n"
                       "-rw-r--r-- %u/%u               7 2020-09-13 12:26:40 ./b/file\n"
                       "hrwsr-s--- %u/%u               0 2001-09-09 01:46:40 ./c link to ./a\n"
                       "lrwxrwxrwx %u/%u               0 1969-12-31 23:59:59 ./d -> b/file\n"
                       "prw------- %u/%u               0 2020-09-13 12:26:40 ./e\n",
                       uid, gid, uid, gid, uid, gid, uid, gid, uid, gid, uid, gid, uid, gid);
        assert_string_equal(list, expected);
}

/* Nothing of the host, and a header beyond ustar's only where it cannot say a thing. */
static void test_plain_headers(void **state) {
        static const char *const strangers[] = { "PaxHeader",  "ctime", "atime",     "SCHILY.dev",
                                                 "SCHILY.ino", "root",  "hdrcharset" };
        _cleanup_(freep) char *archive = NULL;
        size_t size;

        assert_int_equal(mkdir("tree", 0755), 0);
        put("tree/file", "content");
        make("tree");
        assert_int_equal(file_read(AT_FDCWD, "archive", MIB, &archive, &size), 0);
        assert_int_equal(size, 10240);
        for (size_t i = 0; i < ELEMENTSOF(strangers); i++)
                assert_null(memmem(archive, size, strangers[i], strlen(strangers[i])));
}

static void check_name(const char *name, bool binary) {
        _cleanup_(freep) char *archive = NULL, *path = NULL;
        size_t size;

        assert_int_equal(path_join("tree", name, &path), 0);
        put(path, "x");
        make("tree");
        assert_int_equal(file_read(AT_FDCWD, "archive", MIB, &archive, &size), 0);
        assert_non_null(memmem(archive, size, name, strlen(name)));
        assert_int_equal(memmem(archive, size, "hdrcharset=BINARY", 17) != NULL, binary);
        assert_int_equal(mkdir("copy", 0755), 0);
        free(FOREIGN_CHECK("tar", "-C", "copy", "-xf", "archive"));
        free(FOREIGN_CHECK("diff", "-r", "tree", "copy"));
        assert_int_equal(unlink(path), 0);
        assert_int_equal(tree_remove(AT_FDCWD, "copy"), 0);
}

static void test_names(void **state) {
        char longest[256] = "";

        assert_int_equal(mkdir("tree", 0755), 0);
        check_name("Főtanúsítvány.crt", false);
        check_name("new\nline\ttab\\ \"quoted\" =% ", false);
        check_name("\xff\xfe\x80", true);
        check_name("\xed\xa0\x80", true); /* half of a pair of surrogates */
        memset(longest, 'x', 255);
        check_name(longest, false);
        memset(longest, 0xe4, 255);
        check_name(longest, true);
        /* The caller's locale is as it was. */
        assert_ptr_equal(uselocale((locale_t)0), LC_GLOBAL_LOCALE);
}

/* A character in two surrogates, which libarchive would turn into another name. */
static void test_surrogates(void **state) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(reason_done) Reason reason = {};

        assert_int_equal(mkdir("tree", 0755), 0);
        put("tree/\xed\xa0\xbd\xed\xb8\x80", "x");
        tree = load("tree");
        assert_int_equal(write_tree(tree, "archive", &reason), -EILSEQ);
        assert_non_null(strstr(reason.text, "surrogates"));
}

static void test_holes(void **state) {
        static const struct {
                uint64_t data, size; /* where four bytes are, if there are any, and where the file ends */
                uint64_t archive_max;
        } cases[] = {
                { 0, 2 * MIB + 5, 20480 },        { 1, 3 * MIB, 40960 },      { 5 * MIB, 5 * MIB + 4, 40960 },
                { 5 * MIB, 20 * GIB + 7, 40960 }, { 100000, 800000, 820000 }, /* too short to matter */
                { MIB - 4096, 1900000, 2 * MIB },
        };
        struct stat status;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(fd_closep) int fd = -EBADF;

                assert_int_equal(mkdir("tree", 0755), 0);
                fd = open("tree/sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
                if (cases[i].data > 0)
                        assert_int_equal(fd_pwrite_all(fd, "data", 4, cases[i].data), 0);
                assert_int_equal(ftruncate(fd, (off_t)cases[i].size), 0);
                make("tree");
                assert_int_equal(stat("archive", &status), 0);
                assert_true((uint64_t)status.st_size <= cases[i].archive_max);

                for (size_t j = 0; j < 2; j++) {
                        char found[4];

                        assert_int_equal(mkdir("copy", 0755), 0);
                        free(FOREIGN_CHECK(j == 0 ? "tar" : "bsdtar", "-C", "copy", "-xf", "archive"));
                        assert_int_equal(stat("copy/sparse", &status), 0);
                        assert_int_equal(status.st_size, cases[i].size);
                        if (cases[i].size < GIB)
                                free(FOREIGN_CHECK("cmp", "tree/sparse", "copy/sparse"));
                        else
                                assert_true(status.st_blocks < 1000);
                        if (cases[i].data > 0) {
                                _cleanup_(fd_closep) int copy = open("copy/sparse", O_RDONLY | O_CLOEXEC);

                                assert_int_equal(fd_pread_all(copy, found, 4, cases[i].data), 0);
                                assert_memory_equal(found, "data", 4);
                        }
                        assert_int_equal(tree_remove(AT_FDCWD, "copy"), 0);
                }
                assert_int_equal(tree_remove(AT_FDCWD, "tree"), 0);
        }
}

static void test_attribute_names(void **state) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(reason_done) Reason reason = {};

        assert_int_equal(mkdir("tree", 0755), 0);
        put("tree/file", "x");
        if (setxattr("tree/file", "user.a=b%c", "value", 5, 0) < 0)
                skip(); /* a file system without attributes */
        make("tree");
        assert_int_equal(mkdir("copy", 0755), 0);
        free(FOREIGN_CHECK("tar", "--xattrs", "-C", "copy", "-xf", "archive"));
        char value[8] = "";
        assert_int_equal(getxattr("copy/file", "user.a=b%c", value, sizeof(value)), 5);
        assert_string_equal(value, "value");

        assert_int_equal(setxattr("tree/file", "user.two words", "value", 5, 0), 0);
        tree = load("tree");
        assert_int_equal(write_tree(tree, "archive", &reason), -EOPNOTSUPP);
        assert_string_equal(
                reason.text,
                "tar cannot store 'file': an extended attribute has a name beyond printable ASCII");
}

/* Numbers of users and groups beyond 2^31 are no other users. */
static void test_access_lists(void **state) {
        static const uint8_t list[] = {
                2,    0,    0,    0,    0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 4, 0,
                0xe8, 0x03, 0,    0,    0x02, 0, 4, 0, 0xff, 0xff, 0xff, 0x7f, 0x02, 0, 0, 0,
                0,    0,    0,    0x80, 0x02, 0, 7, 0, 0xfe, 0xff, 0xff, 0xff, 0x04, 0, 4, 0,
                0xff, 0xff, 0xff, 0xff, 0x08, 0, 6, 0, 0xfe, 0xff, 0xff, 0xff, 0x10, 0, 6, 0,
                0xff, 0xff, 0xff, 0xff, 0x20, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
        };
        static const char text[] = "=user::rw-,group::r--,other::r--,user:1000:r--,user:2147483647:r--,"
                                   "user:2147483648:---,user:4294967294:rwx,group:4294967294:rw-,mask::rw-\n";
        _cleanup_(freep) char *archive = NULL;
        size_t size;

        assert_int_equal(mkdir("tree", 0755), 0);
        put("tree/file", "x");
        if (setxattr("tree/file", "system.posix_acl_access", list, sizeof(list), 0) < 0)
                skip(); /* a file system without access control lists */
        make("tree");
        assert_int_equal(file_read(AT_FDCWD, "archive", MIB, &archive, &size), 0);
        assert_non_null(memmem(archive, size, text, strlen(text)));
}

/* Whole seconds before 1970 are the same to all readers; what is later than the last is it, whatever its fraction. */
static void test_times_before_1970(void **state) {
        _cleanup_(tree_freep) Tree *tree = NULL;
        _cleanup_(reason_done) Reason reason = {};

        assert_int_equal(mkdir("tree", 0755), 0);
        put("tree/file", "x");
        set_time("tree", TIME_MAX, 999999999);
        set_time("tree/file", -2, 0);
        make("tree");
        set_time("tree/file", -2, 1);
        tree = load("tree");
        assert_int_equal(write_tree(tree, "archive", &reason), -EOPNOTSUPP);
        assert_string_equal(reason.text,
                            "tar cannot store 'file': it was changed before 1970, and not at a whole second");
}

static void test_refused(void **state) {
        _cleanup_(tree_freep) Tree *with_socket = NULL, *shrunk = NULL, *gone = NULL;
        _cleanup_(reason_done) Reason one = {}, two = {}, three = {};

        assert_int_equal(mkdir("tree", 0755), 0);
        assert_int_equal(mkdir("tree/run", 0755), 0);
        assert_int_equal(mknod("tree/run/socket", S_IFSOCK | 0600, 0), 0);
        with_socket = load("tree");
        assert_int_equal(write_tree(with_socket, "archive", &one), -EOPNOTSUPP);
        assert_string_equal(
                one.text, "tar cannot store 'run/socket': it is a socket; remove it at the end of the build");

        assert_int_equal(unlink("tree/run/socket"), 0);
        put("tree/run/file", "content");
        shrunk = load("tree");
        assert_int_equal(truncate("tree/run/file", 3), 0);
        assert_int_equal(write_tree(shrunk, "archive", &two), -ENODATA);
        assert_non_null(strstr(two.text, "'run/file'"));

        gone = load("tree");
        assert_int_equal(unlink("tree/run/file"), 0);
        assert_int_equal(write_tree(gone, "archive", &three), -ENOENT);
        assert_non_null(strstr(three.text, "'run/file'"));
}

/* A full disk is the stream's error, and no file of the tree is to blame. */
static void test_full(void **state) {
        _cleanup_(fd_closep) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        _cleanup_(freep) char *bytes = calloc(1, 8 * MIB);
        _cleanup_(stream_freep) Stream *stream = NULL;
        _cleanup_(reason_done) Reason reason = {};
        _cleanup_(tree_freep) Tree *tree = NULL;

        assert_int_equal(mkdir("tree", 0755), 0);
        assert_int_equal(file_write(AT_FDCWD, "tree/file", bytes, 8 * MIB, 0600), 0);
        tree = load("tree");
        assert_int_equal(stream_new(&(StreamOptions){ .fd = fd }, &stream), 0);
        assert_int_equal(tar_write(tree, &(TarOptions){ .time = TIME_MAX }, stream, &reason), -ENOSPC);
        assert_null(reason.text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_list),         unit_test_in_directory(test_plain_headers),
                unit_test_in_directory(test_names),        unit_test_in_directory(test_surrogates),
                unit_test_in_directory(test_holes),        unit_test_in_directory(test_attribute_names),
                unit_test_in_directory(test_access_lists), unit_test_in_directory(test_times_before_1970),
                unit_test_in_directory(test_refused),      unit_test_in_directory(test_full),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
