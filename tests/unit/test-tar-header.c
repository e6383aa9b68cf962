/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/sysmacros.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/text.h"
#include "format/tar-header.h"

#define TEN      "0123456789"
#define FIFTY    TEN TEN TEN TEN TEN
#define NINETY   FIFTY TEN TEN TEN TEN
#define TIME     1600000000
#define OF(mode) .st_mode = (mode), .st_mtim.tv_sec = TIME

typedef struct Case {
        const char *path, *original, *target;
        struct stat status;
        unsigned major, minor;
} Case;

static const Case fitting[] = {
        { "file", NULL, NULL, { OF(S_IFREG | 0644), .st_size = 5 } },
        { "a/b", NULL, NULL, { OF(S_IFREG | 07777), .st_uid = 0777777, .st_gid = 0777776 } },
        { "large", NULL, NULL, { OF(S_IFREG), .st_size = 8 * (int64_t)GIB - 1 } },
        { "first", NULL, NULL, { .st_mode = S_IFREG } },
        { "last", NULL, NULL, { .st_mode = S_IFREG, .st_mtim.tv_sec = INT32_MAX - 1 } },
        { "directory", NULL, NULL, { OF(S_IFDIR | 0755), .st_size = 4096 } },
        { "hard", "a/b", NULL, { OF(S_IFREG | 0600), .st_size = 7 } },
        { "hard", NINETY "12345678", NULL, { OF(S_IFREG | 0600), .st_size = 7 } },
        { "hard", "s", "target", { OF(S_IFLNK | 0777), .st_size = 6 } },
        { "soft", NULL, "/target", { OF(S_IFLNK | 0777), .st_size = 7 } },
        { "soft", NULL, NINETY TEN, { OF(S_IFLNK | 0777), .st_size = 100 } },
        { "character", NULL, NULL, { OF(S_IFCHR | 0666) }, 1, 10 },
        { "block", NULL, NULL, { OF(S_IFBLK | 0660) }, 07777, 0777777 },
        { "pipe", NULL, NULL, { OF(S_IFIFO | 0600) } },
        /* The whole name is two bytes longer. */
        { NINETY "12345678", NULL, NULL, { OF(S_IFREG) } },
        { NINETY TEN, NULL, NULL, { OF(S_IFREG) } }, /* which is cut behind the dot */
        { "d/" NINETY "12345", NULL, NULL, { OF(S_IFDIR) } },
        { "d/" NINETY TEN, NULL, NULL, { OF(S_IFREG) } },
        { "d/" NINETY "123456789", NULL, NULL, { OF(S_IFDIR) } },
        { FIFTY "/" FIFTY "/" FIFTY "/" FIFTY, NULL, NULL, { OF(S_IFREG) } },
        { FIFTY FIFTY FIFTY "123/" NINETY TEN, NULL, NULL, { OF(S_IFREG) } },
        { FIFTY FIFTY FIFTY "123/" NINETY "123456789", NULL, NULL, { OF(S_IFDIR) } },
};

static const Case refused[] = {
        { "ü", NULL, NULL, { OF(S_IFREG) } },
        { "s", NULL, "\xff", { OF(S_IFLNK) } },
        { "h", "ü", NULL, { OF(S_IFREG) } },
        { "user", NULL, NULL, { OF(S_IFREG), .st_uid = 01000000 } },
        { "group", NULL, NULL, { OF(S_IFREG), .st_gid = UINT32_MAX } },
        { "larger", NULL, NULL, { OF(S_IFREG), .st_size = 8 * (int64_t)GIB } },
        { "number", NULL, NULL, { OF(S_IFCHR) }, 1, 01000000 },
        { "fraction", NULL, NULL, { OF(S_IFREG), .st_mtim.tv_nsec = 1 } },
        { "before 1970", NULL, NULL, { .st_mode = S_IFREG, .st_mtim.tv_sec = -1 } },
        { "after 2038", NULL, NULL, { .st_mode = S_IFREG, .st_mtim.tv_sec = INT32_MAX } },
        { "socket", NULL, NULL, { OF(S_IFSOCK) } },
        { "soft", NULL, NINETY "12345678901", { OF(S_IFLNK) } },
        { "hard", NINETY "123456789", NULL, { OF(S_IFREG) } },
        { NINETY TEN "1", NULL, NULL, { OF(S_IFREG) } },                   /* no slash but the first */
        { "d/" NINETY "12345678901", NULL, NULL, { OF(S_IFREG) } },        /* too long behind it */
        { NINETY TEN "/", NULL, NULL, { OF(S_IFREG) } },                   /* nothing behind it */
        { FIFTY FIFTY FIFTY "1234/" NINETY, NULL, NULL, { OF(S_IFREG) } }, /* too long before it */
        { FIFTY FIFTY FIFTY "123/" NINETY TEN "1", NULL, NULL, { OF(S_IFREG) } },
        { FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY, NULL, NULL, { OF(S_IFREG) } },
};

static bool header_of(const Case *c, bool is_root, uint8_t *header) {
        TreeNode parent = {};
        TreeNode node = { .parent = is_root ? NULL : &parent,
                          .status = c->status,
                          .target = (char *)c->target };

        node.status.st_rdev = makedev(c->major, c->minor);
        return tar_header_make(&(TarMember){ &node, c->path, c->original, c->status.st_mtim }, header);
}

static la_ssize_t collect(struct archive *archive, void *userdata, const void *data, size_t size) {
        uint8_t **end = userdata;

        if (!*end)
                return -1;
        memcpy(*end, data, size);
        *end += size;
        return (la_ssize_t)size;
}

/* What libarchive writes for it in pax format, which is one block unless it needs more than ustar. */
static size_t foreign_header_of(const Case *c, uint8_t *out) {
        struct archive *archive = archive_write_new();
        struct archive_entry *entry = archive_entry_new();
        char path[512], original[512];
        uint8_t *end = out;

        assert_true(archive && entry);
        assert_int_equal(archive_write_set_format_pax(archive), ARCHIVE_OK);
        assert_int_equal(archive_write_set_bytes_per_block(archive, 0), ARCHIVE_OK);
        assert_int_equal(archive_write_open(archive, &end, NULL, collect, NULL), ARCHIVE_OK);
        (void)snprintf(path, sizeof(path), "./%s", c->path);
        (void)snprintf(original, sizeof(original), "./%s", c->original);
        archive_entry_copy_stat(entry, &(struct stat){});
        archive_entry_unset_atime(entry);
        archive_entry_unset_ctime(entry);
        archive_entry_set_pathname(entry, path);
        archive_entry_set_mode(entry, c->status.st_mode);
        archive_entry_set_uid(entry, c->status.st_uid);
        archive_entry_set_gid(entry, c->status.st_gid);
        archive_entry_set_mtime(entry, c->status.st_mtim.tv_sec, c->status.st_mtim.tv_nsec);
        archive_entry_set_rdev(entry, makedev(c->major, c->minor));
        archive_entry_set_size(entry, S_ISREG(c->status.st_mode) && !c->original ? c->status.st_size : 0);
        if (c->original)
                archive_entry_set_hardlink(entry, original);
        else if (c->target)
                archive_entry_set_symlink(entry, c->target);
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        const size_t size = (size_t)(end - out);
        end = NULL; /* which refuses the content that is missing */
        (void)archive_write_free(archive);
        archive_entry_free(entry);
        return size;
}

static void test_fitting(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(fitting); i++) {
                uint8_t header[TAR_BLOCK_SIZE], expected[16 * TAR_BLOCK_SIZE];

                memset(header, 0xff, sizeof(header));
                if (!header_of(&fitting[i], false, header))
                        fail_msg("'%s' does not fit", fitting[i].path);
                assert_int_equal(foreign_header_of(&fitting[i], expected), sizeof(header));
                assert_memory_equal(header, expected, sizeof(header));
        }
}

static void test_refused(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(refused); i++) {
                uint8_t header[TAR_BLOCK_SIZE];

                if (header_of(&refused[i], false, header))
                        fail_msg("'%s' fits", refused[i].path);
        }
}

static void test_root(void **state) {
        static const Case root = { ".", NULL, NULL, { OF(S_IFDIR | 0755) } };
        uint8_t header[TAR_BLOCK_SIZE];

        assert_true(header_of(&root, true, header));
        assert_string_equal((const char *)header, "./");
        assert_memory_equal(header + 257, "ustar\00000", 8);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fitting),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_root),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
