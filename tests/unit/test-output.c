/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/output.h"
#include "temporary-directory.h"

static void assert_content(const char *path, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(file_read(AT_FDCWD, path, 100, &text, NULL), 0);
        assert_string_equal(text, expected);
}

static void test_publish_file(void **state) {
        assert_int_equal(mkdir("workspace", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "workspace/disk", "one", 0600), 0);
        assert_int_equal(output_publish("workspace/disk", "image.raw", false), 0);
        assert_content("image.raw", "one");

        assert_int_equal(file_write_text(AT_FDCWD, "workspace/disk", "two", 0600), 0);
        assert_int_equal(output_publish("workspace/disk", "image.raw", false), -EEXIST);
        assert_content("image.raw", "one");
        assert_int_equal(output_publish("workspace/disk", "image.raw", true), 0);
        assert_content("image.raw", "two");
        assert_content("workspace/disk", "one");
}

/* A directory may take the place of a file, and the other way round. */
static void test_publish_directory(void **state) {
        struct stat status;

        assert_int_equal(mkdir("root", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "image", "file", 0600), 0);
        assert_int_equal(output_publish("root", "image", true), 0);
        assert_int_equal(stat("image", &status), 0);
        assert_true(S_ISDIR(status.st_mode));
        assert_content("root", "file");
}

/* Some file systems know no flags. */
static bool without_flags;

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
        if (!without_flags)
                return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
        errno = EINVAL;
        return -1;
}

static void test_publish_in_steps(void **state) {
        without_flags = true;
        test_publish_file(state);
        test_publish_directory(state);

        /* What was there gets its name back when the new output cannot have it. */
        assert_int_equal(mkdir("new", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "new/old", "old", 0600), 0);
        assert_int_equal(output_publish("new", "new/old", true), -EINVAL);
        assert_content("new/old", "old");
        without_flags = false;
}

/* A mount is not replaced, and what is mounted is not deleted. */
static void test_mount_point(void **state) {
        _cleanup_(strv_freep) char **problems = NULL;
        Config config = { .force = 2, .output = (char *)"/proc" };

        assert_int_equal(output_check(&config, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
        assert_string_equal(problems[0], "/proc is a mount point: unmount it, or name another output");
}

static void test_existing_and_clean(void **state) {
        _cleanup_(strv_freep) char **none = NULL, **some = NULL, **problems = NULL;
        _cleanup_(freep) char *here = getcwd(NULL, 0);
        struct stat status;
        Config config = { .force = 1 };

        assert_int_equal(text_format(&config.output, "%s/image", here), 0);
        assert_int_equal(text_format(&config.cache, "%s/cache", here), 0);
        assert_int_equal(output_existing(&config, &none), 0);
        assert_null(none);
        assert_int_equal(output_clean(&config), 0);

        assert_int_equal(symlink("nowhere", "image"), 0); /* a dangling link is in the way as well */
        assert_int_equal(output_existing(&config, &some), 0);
        assert_int_equal(strv_length(STRV(some)), 1);
        assert_int_equal(output_check(&config, &problems), 0);
        assert_null(problems);
        config.force = 0;
        assert_int_equal(output_check(&config, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
        config.force = 1;

        assert_int_equal(mkdir("cache", 0755), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "cache/a.deb", "", 0644), 0);
        assert_int_equal(output_clean(&config), 0);
        assert_int_equal(lstat("image", &status), -1);
        assert_int_equal(stat("cache/a.deb", &status), 0);
        config.force = 2;
        assert_int_equal(output_clean(&config), 0);
        assert_int_equal(stat("cache/a.deb", &status), -1);
        assert_int_equal(stat("cache", &status), 0);

        free(config.output);
        free(config.cache);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_publish_file),
                unit_test_in_directory(test_publish_directory),
                unit_test_in_directory(test_publish_in_steps),
                unit_test_in_directory(test_mount_point),
                unit_test_in_directory(test_existing_and_clean),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
