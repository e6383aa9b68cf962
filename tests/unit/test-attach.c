/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/path.h"
#include "capture.h"
#include "foreign-program.h"
#include "image/attach.h"
#include "sign-disk-fixture.h"
#include "temporary-directory.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const char *image_path, *const *words;
static int answer;

static void run(void) {
        const Config config = {};

        answer = attach_signatures(&config, image_path, words, NULL);
}

static void attach(const char *const *paths, int expected, const char *said) {
        image_path = SIGN_FIXTURE_IMAGE;
        words = paths;
        _cleanup_(freep) char *text = capture_stderr(run);

        if (answer != expected || !strstr(text, said))
                fail_msg("%d: \"%s\" is not in: %s", answer, said, text);
}

/* The signatures as files, in a directory. */
static void sign_all(const SignFixture *fixture, const char *directory) {
        assert_int_equal(mkdir(directory, 0755), 0);
        for (size_t i = 0; i < fixture->request.n_items; i++) {
                const SignItem *item = &fixture->request.items[i];
                _cleanup_(der_done) Der signature = {};
                _cleanup_(freep) char *path = NULL;

                sign_fixture_sign(fixture, item, &signature);
                assert_int_equal(text_format(&path, "%s/%s.sig", directory, item->id), 0);
                assert_int_equal(file_write(AT_FDCWD, path, signature.bytes, signature.size, 0644), 0);
        }
}

static void test_attach(void **state) {
        _cleanup_(sign_fixture_done) SignFixture fixture = sign_fixture_make(KEY_PAIR_RSA_2048);
        _cleanup_(sign_disk_done) SignDisk disk = sign_fixture_open(&fixture);

        sign_all(&fixture, "signed");
        attach(WORDS("signed"), 0, "image.raw has its signatures");
        attach(WORDS("signed"), 0, "nothing was changed");
        attach(WORDS(NULL), 0, "nothing was changed");
        assert_int_equal(access(".mkosi-image.raw", F_OK), -1);

        _cleanup_(fd_closep) int fd = open(SIGN_FIXTURE_IMAGE, O_RDONLY | O_CLOEXEC);
        disk.fd = fd;
        for (size_t i = 0; i < fixture.request.n_items; i++) {
                _cleanup_(sign_patches_done) SignPatches none = {};
                SignState found;

                assert_int_equal(
                        sign_disk_attach(&disk, &fixture.request.items[i], NULL, &none, &found, NULL), 0);
                assert_int_equal(found, i == 0 ? SIGN_STATE_EMPTY : SIGN_STATE_SIGNED);
        }
}

/* Each is refused before anything is written. */
static void test_refused(void **state) {
        _cleanup_(sign_fixture_done) SignFixture fixture = sign_fixture_make(KEY_PAIR_RSA_2048);

        sign_all(&fixture, "signed");
        free(FOREIGN_CHECK("cp", SIGN_FIXTURE_IMAGE, "before"));
        attach(WORDS(NULL), -ENODATA,
               "Signatures are missing, so nothing was changed: secure-boot-1, verity (");
        attach(WORDS("signed/verity.sig"), -ENODATA,
               "nothing was changed: secure-boot-1 (image.sign-request says");
        free(FOREIGN_CHECK("sh", "-c", "mkdir wrong; cp signed/verity.sig wrong/secure-boot-1.sig"));
        attach(WORDS("wrong"), -EKEYREJECTED,
               "Cannot take wrong/secure-boot-1.sig as the signature of " SIGN_FIXTURE_PROGRAM);
        free(FOREIGN_CHECK("cp", "signed/verity.sig", "other.sig"));
        attach(WORDS("signed", "other.sig"), -EINVAL,
               "other.sig has a signature of \"other\", which image.sign-request does not ask for; it asks for: "
               "secure-boot-1, verity");
        free(FOREIGN_CHECK("cmp", SIGN_FIXTURE_IMAGE, "before"));

        free(FOREIGN_CHECK(
                "sh", "-c",
                "printf x | dd of=image.raw bs=1 seek=1024 conv=notrunc status=none; cp image.raw before"));
        attach(WORDS("signed"), -EBADMSG, "Cannot read the disk image image.raw: ");
        free(FOREIGN_CHECK("truncate", "-s", "1M", SIGN_FIXTURE_IMAGE));
        attach(WORDS("signed"), -ESTALE, "image.raw has 1048576 bytes, and ");
        free(FOREIGN_CHECK("mv", "mkosi.verity.crt", "elsewhere"));
        attach(WORDS("signed"), -ENOENT,
               "Cannot load the certificate for Verity=, by which signatures are verified");
        free(FOREIGN_CHECK("cp", "mkosi.secure-boot.crt", "mkosi.verity.crt"));
        attach(WORDS("signed"), -EKEYREJECTED,
               "of 'CN=mkosi.secure-boot', is not the one that the image was built with, of 'CN=mkosi.verity'");
        free(FOREIGN_CHECK("truncate", "-s", "100", SIGN_FIXTURE_REQUEST));
        attach(WORDS("signed"), -EBADMSG, "image.sign-request:5: The member \"sha256\" is no text");
        assert_int_equal(unlink(SIGN_FIXTURE_REQUEST), 0);
        attach(WORDS("signed"), -ENOENT, "build the image with SignOffline=yes");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_attach),
                unit_test_in_directory(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
