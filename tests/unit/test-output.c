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
        Config config = { .force = 2, .output = (char *)"/proc", .output_directory = (char *)"/" };

        assert_int_equal(output_check(&config, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
        assert_string_equal(problems[0], "/proc is a mount point: unmount it, or name another output");
}

static void assert_refused(const Config *config, const char *begin) {
        _cleanup_(strv_freep) char **problems = NULL;

        assert_int_equal(output_check(config, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), begin ? 1 : 0);
        if (begin)
                assert_int_equal(strncmp(problems[0], begin, strlen(begin)), 0);
}

/* Two results of one name would replace each other, and the second one would do so when all is done. */
static void test_names_that_collide(void **state) {
        Config config = { .force = 1, .checksum = true, .output_directory = (char *)"/nowhere" };

        config.output = (char *)"/nowhere/SHA256SUMS";
        assert_refused(&config, "Output=/nowhere/SHA256SUMS is where the checksums of the image will lie");
        config.output = (char *)"/nowhere/two\nlines";
        assert_refused(&config, "Output= has a line break in it");
        config.checksum = false;
        assert_refused(&config, NULL);
        config.output = (char *)"/nowhere/SHA256SUMS";
        assert_refused(&config, NULL);
}

/* What is copied beside the image is not to be replaced by its copy, nor removed as one. */
static void test_settings_with_the_name_of_their_copy(void **state) {
        _cleanup_(freep) char *here = getcwd(NULL, 0), *output = NULL, *settings = NULL;
        Config config = { .output_directory = here };

        assert_int_equal(text_format(&output, "%s/mkosi.raw", here), 0);
        assert_int_equal(text_format(&settings, "%s/mkosi.nspawn", here), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "mkosi.nspawn", "[Exec]\n", 0644), 0);
        config.output = output;
        config.nspawn_settings = settings;
        assert_refused(&config, "NSpawnSettings=/");
}

static void test_existing(void **state) {
        _cleanup_(strv_freep) char **none = NULL, **some = NULL, **problems = NULL;
        _cleanup_(freep) char *here = getcwd(NULL, 0);
        Config config = { .force = 1, .output_directory = here };

        assert_int_equal(text_format(&config.output, "%s/image", here), 0);
        assert_int_equal(output_existing(&config, true, &none), 0);
        assert_null(none);

        assert_int_equal(symlink("nowhere", "image"), 0); /* a dangling link is in the way as well */
        assert_int_equal(output_existing(&config, true, &some), 0);
        assert_int_equal(strv_length(STRV(some)), 1);
        assert_int_equal(output_check(&config, &problems), 0);
        assert_null(problems);
        config.force = 0;
        assert_int_equal(output_check(&config, &problems), 0);
        assert_int_equal(strv_length(STRV(problems)), 1);
        free(config.output);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_publish_file),
                unit_test_in_directory(test_publish_directory),
                unit_test_in_directory(test_publish_in_steps),
                unit_test_in_directory(test_mount_point),
                unit_test_in_directory(test_names_that_collide),
                unit_test_in_directory(test_settings_with_the_name_of_their_copy),
                unit_test_in_directory(test_existing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
