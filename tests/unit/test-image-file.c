/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-fixture.h"

#include "capture.h"
#include "image/image-file.h"

static mode_t mode_of(const char *path) {
        struct stat status;

        assert_int_equal(stat(path, &status), 0);
        return status.st_mode & 07777;
}

static void test_write(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-Ooutput", "--checksum");
        _cleanup_(image_freep) Image *image = make_image(loaded);
        char digest[2 * SHA256_SIZE + 1];

        assert_int_equal(image_file_write(image, ARTEFACT_NSPAWN, "abc", 3), 0);
        const Artefact *artefact = artefacts_find(&image->artefacts, ARTEFACT_NSPAWN);
        assert_non_null(artefact);
        assert_in_project(artefact->output, "/output/image.nspawn");
        assert_int_equal(artefact->size, 3);
        assert_true(artefact->hashed);
        /* FIPS 180-4's own example. */
        sha256_format(&artefact->digest, digest);
        assert_string_equal(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_int_equal(mode_of(artefact->path), 0640);
}

/* A digest that is known is taken; one that nobody wants is not computed. */
static void test_digests(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *with = load_fine("-Ooutput", "--checksum"),
                                                    *without = load_fine("-Ooutput", "-oother.raw");
        _cleanup_(image_freep) Image *image = make_image(with), *other = make_image(without);
        const Sha256Digest digest = { { 42 } };
        char *path = NULL;

        _cleanup_(fd_closep) int fd = image_file_create(image, "x", &path);
        assert_true(fd >= 0);
        assert_int_equal(image_file_finish(image, ARTEFACT_IMAGE, fd, path, &digest), 0);
        assert_int_equal(artefacts_find(&image->artefacts, ARTEFACT_IMAGE)->digest.bytes[0], 42);

        assert_int_equal(image_file_write(other, ARTEFACT_NSPAWN, "abc", 3), 0);
        assert_false(artefacts_find(&other->artefacts, ARTEFACT_NSPAWN)->hashed);
}

/* Files of the workspace are new, and nobody else's. */
static void test_create(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-Ooutput");
        _cleanup_(image_freep) Image *image = make_image(loaded);
        _cleanup_(freep) char *path = NULL;

        _cleanup_(fd_closep) int fd = image_file_create(image, "x", &path);
        assert_true(fd >= 0);
        assert_int_equal(mode_of(path), 0600);
        char *again = NULL;
        assert_int_equal(image_file_create(image, "x", &again), -EEXIST);
        assert_null(again);
}

static struct {
        Image *image;
        int error;
} failure;

static void fail_to_write(void) {
        _cleanup_(reason_done) Reason reason = {};

        if (failure.error == -EIO)
                (void)reason_set(&reason, -EIO, "it is broken");
        assert_int_equal(image_file_fail(failure.image, failure.error, &reason, "Cannot write %s", "this"),
                         failure.error);
}

/* A disk that is full is told with what is free on it and what helps. */
static void test_fail(void **state) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-Ooutput");
        _cleanup_(image_freep) Image *image = make_image(loaded);

        failure.image = image;
        failure.error = -ENOSPC;
        _cleanup_(freep) char *full = capture_stderr(fail_to_write);
        assert_non_null(strstr(full, "Cannot write this: No space left on device ("));
        assert_non_null(strstr(full, "/output has "));
        assert_non_null(
                strstr(full, " free: make room, or put the output elsewhere with OutputDirectory=)\n"));
        failure.error = -EIO;
        _cleanup_(freep) char *broken = capture_stderr(fail_to_write);
        assert_non_null(strstr(broken, "Cannot write this: it is broken\n"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_write),
                TEST(test_digests),
                TEST(test_create),
                TEST(test_fail),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
