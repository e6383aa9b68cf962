/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "secureboot/boot-tree.h"

#include "pe-builder.h"
#include "temporary-directory.h"

static const BuildSection boot_loader_sections[] = { { ".text", "boot loader" }, {} };

static void test_efi_architecture(void **state) {
        assert_string_equal(efi_architecture("x86-64"), "x64");
        assert_string_equal(efi_architecture("x86"), "ia32");
        assert_string_equal(efi_architecture("arm64"), "aa64");
        assert_string_equal(efi_architecture("riscv64"), "riscv64");
        assert_string_equal(efi_architecture("loongarch64"), "loongarch64");
        assert_null(efi_architecture("s390x"));
        assert_null(efi_architecture("x64"));
        assert_null(efi_architecture(""));
}

static void assert_mode(const char *path, mode_t mode) {
        struct stat status;

        if (lstat(path, &status) < 0)
                fail_msg("%s is not there", path);
        assert_int_equal(status.st_mode, mode);
}

static void test_make(void **state) {
        const BuildImage boot_loader = build_image(boot_loader_sections);
        _cleanup_(fd_closep) int boot_loader_fd = build_image_file(&boot_loader);
        _cleanup_(reason_done) Reason reason = {};
        static const char *const directories[] = {
                "EFI", "EFI/BOOT", "EFI/Linux", "EFI/systemd", "loader", "loader/entries",
        };
        static const char *const copies[] = { "EFI/BOOT/BOOTX64.EFI", "EFI/systemd/systemd-bootx64.efi" };
        const mode_t mask = umask(0777);

        const int r = boot_tree_make(AT_FDCWD, "x86-64", boot_loader_fd, &reason);
        (void)umask(mask);
        assert_int_equal(r, 0);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                assert_mode(directories[i], S_IFDIR | 0700);
        for (size_t i = 0; i < ELEMENTSOF(copies); i++) {
                _cleanup_(freep) char *content = NULL;
                size_t size = 0;

                assert_mode(copies[i], S_IFREG | 0600);
                assert_int_equal(file_read(AT_FDCWD, copies[i], MIB, &content, &size), 0);
                assert_int_equal(size, boot_loader.size);
                assert_memory_equal(content, boot_loader.bytes, size);
        }

        _cleanup_(freep) char *type = NULL;
        assert_mode("loader/entries.srel", S_IFREG | 0600);
        assert_int_equal(file_read(AT_FDCWD, "loader/entries.srel", KIB, &type, NULL), 0);
        assert_string_equal(type, "type1\n");
        assert_int_equal(access("loader/loader.conf", F_OK), -1);

        /* The directory must be empty: nothing is replaced. */
        assert_int_equal(boot_tree_make(AT_FDCWD, "x86-64", boot_loader_fd, &reason), -EEXIST);
}

static void test_make_refused(void **state) {
        const BuildImage boot_loader = build_image(boot_loader_sections);
        _cleanup_(fd_closep) int boot_loader_fd = build_image_file(&boot_loader);
        _cleanup_(fd_closep) int text_fd = build_file("text", 4);
        _cleanup_(reason_done) Reason other = {}, unknown = {}, text = {};

        assert_int_equal(boot_tree_make(AT_FDCWD, "arm64", boot_loader_fd, &other), -EBADMSG);
        assert_string_equal(other.text, "The boot loader is for x86-64, but the image for arm64");
        assert_int_equal(boot_tree_make(AT_FDCWD, "s390x", boot_loader_fd, &unknown), -EOPNOTSUPP);
        assert_non_null(strstr(unknown.text, "s390x"));
        assert_int_equal(boot_tree_make(AT_FDCWD, "x86-64", text_fd, &text), -EBADMSG);
        assert_non_null(strstr(text.text, "Boot loader: No PE image"));

        /* What is refused leaves nothing behind. */
        assert_int_equal(access("EFI", F_OK), -1);
}

static void test_create_kernel(void **state) {
        const BuildImage boot_loader = build_image(boot_loader_sections);
        _cleanup_(fd_closep) int boot_loader_fd = build_image_file(&boot_loader);
        _cleanup_(reason_done) Reason reason = {};
        static const char *const good[] = { "debian-6.1.0-13-amd64", "linux-6.5~rc1+test_1 (x)" };
        static const char *const bad[] = { "",     ".",  "..", ".hidden", " x",        "a/b",  "a:b",
                                           "a\\b", "a?", "a*", "a\tb",    "h\303\244", "a\177" };
        char longest[253] = {};

        assert_int_equal(boot_tree_create_kernel(AT_FDCWD, "early", &reason), -ENOENT);
        assert_int_equal(boot_tree_make(AT_FDCWD, "x86-64", boot_loader_fd, &reason), 0);

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                _cleanup_(freep) char *path = NULL;
                _cleanup_(fd_closep) int fd = boot_tree_create_kernel(AT_FDCWD, good[i], &reason);

                assert_true(fd >= 0);
                assert_int_equal(fd_write_all(fd, "x", 1), 0);
                assert_int_equal(text_format(&path, "EFI/Linux/%s.efi", good[i]), 0);
                assert_mode(path, S_IFREG | 0600);
        }
        assert_int_equal(boot_tree_create_kernel(AT_FDCWD, good[0], NULL), -EEXIST);

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(boot_tree_create_kernel(AT_FDCWD, bad[i], NULL), -EINVAL);
        memset(longest, 'x', sizeof(longest) - 1);
        assert_int_equal(boot_tree_create_kernel(AT_FDCWD, longest, NULL), -EINVAL);
        longest[sizeof(longest) - 2] = '\0';
        _cleanup_(fd_closep) int fd = boot_tree_create_kernel(AT_FDCWD, longest, NULL);
        assert_true(fd >= 0);
}

static void test_keys(void **state) {
        _cleanup_(freep) char *key = NULL, *settings = NULL;
        _cleanup_(reason_done) Reason reason = {};
        struct stat status;
        size_t size;

        assert_int_equal(mkdir("loader", 0700), 0);
        assert_int_equal(boot_tree_add_key(AT_FDCWD, "PK", "k\0y", 3, NULL), 0);
        assert_int_equal(boot_tree_add_key(AT_FDCWD, "db", "key", 3, NULL), 0);
        assert_int_equal(boot_tree_set_enrollment(AT_FDCWD, "if-safe", NULL), 0);
        assert_int_equal(file_read(AT_FDCWD, "loader/keys/auto/PK.auth", 100, &key, &size), 0);
        assert_int_equal(size, 3);
        assert_memory_equal(key, "k\0y", 3);
        assert_int_equal(stat("loader/keys/auto", &status), 0);
        assert_int_equal(status.st_mode & 07777, 0700);
        assert_int_equal(file_read(AT_FDCWD, "loader/loader.conf", 100, &settings, NULL), 0);
        assert_string_equal(settings, "secure-boot-enroll if-safe\n");

        assert_int_equal(rename("loader", "other"), 0);
        assert_int_equal(boot_tree_set_enrollment(AT_FDCWD, "force", &reason), -ENOENT);
        assert_non_null(strstr(reason.text, "loader/loader.conf"));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_efi_architecture),   unit_test_in_directory(test_make),
                unit_test_in_directory(test_make_refused), unit_test_in_directory(test_create_kernel),
                unit_test_in_directory(test_keys),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
