/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file-lock.h"
#include "base/path.h"
#include "base/text.h"
#include "image/clean.h"
#include "image/workspace.h"
#include "temporary-directory.h"

/* What goes, by how often --force was given. */
static void test_what_goes_when(void **state) {
        static const struct {
                const char *path;
                unsigned force; /* from which on it goes */
        } files[] = {
                { "image/etc/x", 0 },
                { ".mkosi-image/lock", 0 },
                { "image.failed/etc/x", 0 },
                { "image.cache-pre-inst/tree/etc/x", 1 },
                { "image.cache-pre-dev/changes/etc/x", 1 },
                { "image.cache-output", 1 },
                { "builddir/object", 1 },
                { "cache/a.deb", 2 },
                { "builddir", 3 }, /* the directories themselves stay */
                { "cache", 3 },
                { "mkosi.nspawn", 3 }, /* what is copied beside the image is not a copy */
        };
        _cleanup_(freep) char *here = getcwd(NULL, 0), *output = NULL, *cache = NULL, *build = NULL,
                              *settings = NULL;

        assert_int_equal(text_format(&output, "%s/image", here), 0);
        assert_int_equal(text_format(&cache, "%s/cache", here), 0);
        assert_int_equal(text_format(&build, "%s/builddir", here), 0);
        assert_int_equal(text_format(&settings, "%s/mkosi.nspawn", here), 0);
        for (unsigned force = 0; force < 3; force++) {
                const Config config = { .force = force,
                                        .output = output,
                                        .output_directory = here,
                                        .cache = cache,
                                        .build_directory = build,
                                        .nspawn_settings = settings };

                for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                        _cleanup_(freep) char *parent = NULL;
                        struct stat status;

                        if (stat(files[i].path, &status) == 0)
                                continue;
                        assert_int_equal(path_parent(files[i].path, &parent), 0);
                        assert_int_equal(path_make_directories(AT_FDCWD, parent, 0755), 0);
                        assert_int_equal(file_write_text(AT_FDCWD, files[i].path, "", 0644), 0);
                }
                assert_int_equal(clean_output(&config), 0);
                for (size_t i = 0; i < ELEMENTSOF(files); i++)
                        if ((access(files[i].path, F_OK) == 0) != (files[i].force > force))
                                fail_msg("%s %s after %u", files[i].path,
                                         files[i].force > force ? "is gone" : "is there", force);
        }
        /* Nothing there is fine, and a link that leads nowhere goes as well. */
        const Config config = { .output = output, .output_directory = here };
        assert_int_equal(symlink("nowhere", "image"), 0);
        assert_int_equal(clean_output(&config), 0);
        assert_int_equal(clean_output(&config), 0);
        assert_int_equal(readlink("image", (char[2]){}, 1), -1);
}

/* What people put beside images by hand, and what belongs to other images, is not taken away. */
static void test_clean_leaves_what_it_did_not_make(void **state) {
        _cleanup_(freep) char *here = getcwd(NULL, 0);
        struct stat status;
        Config config = { .force = 1,
                          .output_directory = here,
                          .checksum = true,
                          .compress_output = { .word = OUTPUT_COMPRESSION_NO } };

        assert_int_equal(text_format(&config.output, "%s/image.raw", here), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "image.raw", "", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "image.nspawn", "by hand", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "image.roothash", "made", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "SHA256SUMS", "00 *other.raw\n", 0644), 0);
        assert_int_equal(file_write_text(AT_FDCWD, "SHA256SUMS.gpg", "of these", 0644), 0);
        assert_int_equal(clean_output(&config), 0);
        assert_int_equal(stat("image.raw", &status), -1);
        assert_int_equal(stat("image.roothash", &status), -1);
        assert_int_equal(stat("image.nspawn", &status), 0);
        assert_int_equal(stat("SHA256SUMS", &status), 0);
        assert_int_equal(stat("SHA256SUMS.gpg", &status), 0);

        /* Those of this image go, and with settings to ship, what was shipped. */
        assert_int_equal(file_write_text(AT_FDCWD, "SHA256SUMS", "00 *image.raw\n", 0644), 0);
        config.nspawn_settings = (char *)"/elsewhere/settings";
        assert_int_equal(clean_output(&config), 0);
        assert_int_equal(stat("image.nspawn", &status), -1);
        assert_int_equal(stat("SHA256SUMS", &status), -1);
        assert_int_equal(stat("SHA256SUMS.gpg", &status), -1);
        free(config.output);
}

/* Where it cannot be told whether a build is under way, all of it stays; where there can be no build, none is kept out. */
static void test_clean_keeps_builds_out(void **state) {
        _cleanup_(freep) char *here = getcwd(NULL, 0), *output = NULL, *lost = NULL;
        _cleanup_(workspace_freep) Workspace *workspace = NULL;
        struct stat status;
        pid_t holder;

        assert_int_equal(text_format(&output, "%s/image", here), 0);
        assert_int_equal(text_format(&lost, "%s/nowhere/image", here), 0);
        const Config config = { .output = output, .output_directory = here },
                     nowhere = { .output = lost, .output_directory = here };

        assert_int_equal(file_write_text(AT_FDCWD, "image", "", 0644), 0);
        assert_int_equal(workspace_new(output, &workspace, &holder), 0);
        assert_int_equal(clean_output(&config), -EBUSY);
        workspace_free(TAKE_PTR(workspace));
        assert_int_equal(file_write_text(AT_FDCWD, ".mkosi-image", "", 0600), 0);
        assert_int_equal(clean_output(&config), -ENOTDIR);
        assert_int_equal(stat("image", &status), 0);

        /* And whoever runs it. */
        assert_int_equal(unlink(".mkosi-image"), 0);
        const int fd = open("image", O_RDONLY | O_CLOEXEC);
        assert_int_equal(file_lock(fd, FILE_LOCK_SHARED, &holder), 1);
        assert_int_equal(clean_output(&config), -EBUSY);
        assert_int_equal(stat("image", &status), 0);
        assert_int_equal(stat(".mkosi-image", &status), -1);
        assert_int_equal(close(fd), 0);
        assert_int_equal(clean_output(&config), 0);
        assert_int_equal(stat("image", &status), -1);
        assert_int_equal(clean_output(&nowhere), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_what_goes_when),
                unit_test_in_directory(test_clean_leaves_what_it_did_not_make),
                unit_test_in_directory(test_clean_keeps_builds_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
