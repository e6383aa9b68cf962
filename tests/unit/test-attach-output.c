/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "capture.h"
#include "foreign-program.h"
#include "image/attach-output.h"
#include "temporary-directory.h"

#define SIZE (64 * KIB)

static void put(const char *path, const char *text) {
        assert_int_equal(file_write_text(AT_FDCWD, path, text, 0640), 0);
}

static void assert_same(const char *path, const char *other) {
        free(FOREIGN_CHECK("cmp", path, other));
}

/* An image with zeros in it, and what lies beside it. */
static void make(void) {
        free(FOREIGN_CHECK(
                "sh", "-c",
                "set -e; rm -rf work; mkdir work; truncate -s 64K image.raw; echo x >image.raw.bmap\n"
                "echo y >other; chmod 640 image.raw; cp image.raw old.raw\n"
                "sha256sum -b image.raw image.raw.bmap other >SHA256SUMS"));
}

/* Of zeros, with a place in them. */
static SignRequest make_request(void) {
        SignRequest request = { .size = SIZE };
        _cleanup_(freep) uint8_t *zeros = calloc(1, SIZE);
        SignItem *item;

        assert_int_equal(sha256(zeros, SIZE, &request.digest), 0);
        assert_int_equal(sign_request_add(&request, SIGN_VERITY, "Signature", &item), 0);
        item->ranges[item->n_ranges++] = (SignRange){ 8192, 9 };
        return request;
}

/* Puts "signature" at 8192, into a block that was empty. */
static int attach(const GivenSignature *signature, bool with_patch, AttachResult *ret) {
        static uint8_t bytes[] = "signature";
        SignPatch patch = { .range = { .offset = 8192, .size = 9 }, .bytes = bytes };
        const SignPatches patches = { .items = &patch, .n_items = with_patch ? 1 : 0 };
        const Config config = {};
        _cleanup_(fd_closep) int fd = open("image.raw", O_RDONLY | O_CLOEXEC);
        _cleanup_(sign_request_done) SignRequest request = make_request();
        const AttachOutput output = { .config = &config,
                                      .path = "image.raw",
                                      .fd = fd,
                                      .request = &request,
                                      .request_path = "image.sign-request",
                                      .patches = &patches,
                                      .signature = signature,
                                      .workspace = "work" };

        assert_true(fd >= 0);
        return attach_output(&output, ret);
}

static void clear_workspace(void) {
        free(FOREIGN_CHECK("sh", "-c", "rm -f work/*"));
}

/* The image, its map and its line are new, everything else is as it was; then there is nothing to do any more. */
static void test_all(void **state) {
        AttachResult result = {};
        struct stat status;

        make();
        put("SHA256SUMS.gpg", "stale");
        assert_int_equal(attach(NULL, true, &result), 0);
        assert_true(result.changed && result.has_checksums && result.checksums_stale);
        assert_int_equal(stat("image.raw", &status), 0);
        assert_int_equal(status.st_size, SIZE);
        assert_int_equal(status.st_mode & 07777, 0640);
        assert_int_equal(access("SHA256SUMS.gpg", F_OK), -1);
        free(FOREIGN_CHECK(
                "sh", "-c",
                "set -e; printf signature | dd of=old.raw bs=1 seek=8192 conv=notrunc status=none\n"
                "cmp old.raw image.raw; sha256sum --check --strict SHA256SUMS\n"
                "grep -q '<MappedBlocksCount> 1 <' image.raw.bmap; grep -q '> 2 </Range>' image.raw.bmap"));

        clear_workspace();
        assert_int_equal(attach(NULL, false, &result), 0);
        assert_false(result.changed);
        assert_true(result.has_checksums);
}

/* What is not there is not made, and check sums of others are theirs. */
static void test_alone(void **state) {
        AttachResult result = {};

        make();
        free(FOREIGN_CHECK("sh", "-c", "rm image.raw.bmap; grep other SHA256SUMS >sums; cp sums SHA256SUMS"));
        put("SHA256SUMS.gpg", "of others");
        assert_int_equal(attach(NULL, true, &result), 0);
        assert_true(result.changed);
        assert_false(result.has_checksums || result.checksums_stale);
        assert_same("sums", "SHA256SUMS");
        assert_int_equal(access("image.raw.bmap", F_OK), -1);
}

/* Killed between image and check sums: the next time mends what does not fit. */
static void test_mended(void **state) {
        AttachResult result = {};

        make();
        free(FOREIGN_CHECK("sh", "-c", "cp SHA256SUMS sums; cp image.raw.bmap map"));
        assert_int_equal(attach(NULL, true, &result), 0);
        clear_workspace();
        free(FOREIGN_CHECK("sh", "-c", "cp sums SHA256SUMS; cp map image.raw.bmap"));
        assert_int_equal(attach(NULL, false, &result), 0);
        assert_true(result.changed);
        free(FOREIGN_CHECK("sha256sum", "--check", "--strict", "SHA256SUMS"));
}

static const GivenSignature *given;
static int answer;

static void attach_given(void) {
        AttachResult result;

        answer = attach(given, true, &result);
}

static void refuse(const char *bytes, const char *said) {
        const GivenSignature signature = {
                .id = (char *)"SHA256SUMS",
                .source = (char *)"SHA256SUMS.sig",
                .bytes = { .bytes = (uint8_t *)bytes, .size = strlen(bytes) },
        };

        given = &signature;
        _cleanup_(freep) char *text = capture_stderr(attach_given);
        assert_true(answer < 0);
        if (!strstr(text, said))
                fail_msg("\"%s\" is not in: %s", said, text);
        assert_same("image.raw", "old.raw");
        clear_workspace();
}

/* Anything else than the place is not what was built. */
static void test_changed(void **state) {
        static const unsigned offsets[] = { 0, 8191, 8201, 65535 };

        for (size_t i = 0; i < ELEMENTSOF(offsets); i++) {
                _cleanup_(freep) char *command = NULL;

                make();
                assert_int_equal(
                        text_format(&command,
                                    "printf x | dd of=image.raw bs=1 seek=%u conv=notrunc status=none; "
                                    "cp image.raw old.raw",
                                    offsets[i]),
                        0);
                free(FOREIGN_CHECK("sh", "-c", command));
                given = NULL;
                _cleanup_(freep) char *said = capture_stderr(attach_given);
                assert_int_equal(answer, -ESTALE);
                assert_non_null(strstr(said, "image.raw was changed since image.sign-request was made"));
                assert_same("image.raw", "old.raw");
        }
}

/* A signature that is none changes nothing, nor does one of what is not there. */
static void test_refused(void **state) {
        make();
        assert_int_equal(mkdir("home", 0700), 0);
        assert_int_equal(setenv("GNUPGHOME", "home", 1), 0);
        refuse("-----BEGIN PGP SIGNATURE-----", "SHA256SUMS.sig is no binary signature");
        refuse("\x80nonsense", "SHA256SUMS.sig is no signature that GnuPG can read");
        free(FOREIGN_CHECK("sha256sum", "--check", "--strict", "SHA256SUMS"));
        assert_int_equal(unlink("SHA256SUMS"), 0);
        refuse("\x80", "There is a signature of SHA256SUMS, SHA256SUMS.sig, but no such file");
        assert_int_equal(unsetenv("GNUPGHOME"), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_all),     unit_test_in_directory(test_alone),
                unit_test_in_directory(test_mended),  unit_test_in_directory(test_changed),
                unit_test_in_directory(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
