/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "image-fixture.h"

#include "capture.h"
#include "foreign-program.h"
#include "key-fixture.h"

#include "image/root-signature.h"
#include "verity/verity-signature.h"

#define OFFSET (2 * MIB)

static Image *make_signing_image(const LoadedConfig *loaded) {
        Image *image = make_image(loaded);

        image->has_root_hash = true;
        image->root_hash.bytes[0] = 0xab;
        assert_int_equal(signer_new(&loaded->config, SIGNER_VERITY, &image->signers[SIGNER_VERITY]), 0);
        return image;
}

/* The partition is what verity_signature_read() reads, and openssl(1) verifies what is in it. */
static void test_write(void **state) {
        static const KeyPairType types[] = { KEY_PAIR_RSA_2048, KEY_PAIR_EC_P384 };

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                key_fixture_make("mkosi.verity", types[i], NULL);
                _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-Ooutput", "--verity");
                _cleanup_(image_freep) Image *image = make_signing_image(loaded);
                _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                _cleanup_(verity_signature_done) VeritySignature signature = {};
                Partition partition = { .type = PARTITION_ROOT_VERITY_SIGNATURE, .name = "Signature" };
                char digits[2 * SHA256_SIZE + 1], content[2 * 4096];
                struct stat status;

                assert_int_equal(root_signature_write(image, fd, OFFSET, &partition), 0);
                assert_int_equal(partition.size, 4096);
                assert_int_equal(fstat(fd, &status), 0);
                assert_int_equal(status.st_size, OFFSET + 4096);
                assert_null(image->signers[SIGNER_VERITY]->key);

                assert_int_equal(fd_pread_all(fd, content, 4096, OFFSET), 0);
                assert_int_equal(verity_signature_read(content, 4096, &signature, NULL), 0);
                assert_memory_equal(&signature.root_hash, &image->root_hash, sizeof(image->root_hash));
                sha256_format(&image->root_hash, digits);
                put_file("hash", digits, 0600);
                assert_int_equal(file_write(AT_FDCWD, "signed", signature.signature, signature.signature_size,
                                            0600),
                                 0);
                free(FOREIGN_CHECK("openssl", "smime", "-verify", "-inform", "DER", "-in", "signed",
                                   "-content", "hash", "-binary", "-noverify", "-nointern", "-certfile",
                                   "mkosi.verity.crt"));
        }
}

/* With an RSA key, the same every time. */
static void test_same(void **state) {
        key_fixture_make("mkosi.verity", KEY_PAIR_RSA_2048, NULL);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-Ooutput", "--verity");
        char content[2][4096];

        for (size_t i = 0; i < 2; i++) {
                _cleanup_(image_freep) Image *image = make_signing_image(loaded);
                _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                Partition partition = { .name = "Signature" };

                assert_int_equal(root_signature_write(image, fd, 0, &partition), 0);
                assert_int_equal(fd_pread_all(fd, content[i], 4096, 0), 0);
        }
        assert_memory_equal(content[0], content[1], 4096);
}

/* For a signature that is made elsewhere, as much room, with nothing in it; there is no key. */
static void test_offline(void **state) {
        key_fixture_make("mkosi.verity", KEY_PAIR_RSA_2048, NULL);
        assert_int_equal(unlink("mkosi.verity.key"), 0);
        _cleanup_(loaded_config_freep) LoadedConfig *loaded =
                load_fine("-Ooutput", "--verity", "--sign-offline");
        _cleanup_(image_freep) Image *image = make_signing_image(loaded);
        _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        Partition partition = { .name = "Signature" };
        static const char zeros[4096];
        char content[4096];

        assert_null(image->signers[SIGNER_VERITY]->key);
        assert_int_equal(root_signature_write(image, fd, OFFSET, &partition), 0);
        assert_int_equal(partition.size, 4096);
        assert_int_equal(fd_pread_all(fd, content, sizeof(content), OFFSET), 0);
        assert_memory_equal(content, zeros, sizeof(content));
}

static int answer;

/* The certificate is of another key than the one that signs. */
static void write_with_foreign_key(void) {
        _cleanup_(loaded_config_freep) LoadedConfig *loaded = load_fine("-Ooutput", "--verity");
        _cleanup_(image_freep) Image *image = make_signing_image(loaded);
        _cleanup_(key_fixture_done) KeyFixture other = key_fixture_load("other", KEY_PAIR_RSA_2048);
        _cleanup_(fd_closep) int fd = open("disk", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        Partition partition = { .name = "Signature" };
        Signer *signer = image->signers[SIGNER_VERITY];

        signing_key_free(signer->key);
        signer->key = TAKE_PTR(other.key);
        answer = root_signature_write(image, fd, 0, &partition);
}

static void test_foreign_key(void **state) {
        key_fixture_make("mkosi.verity", KEY_PAIR_RSA_2048, NULL);
        _cleanup_(freep) char *said = capture_stderr(write_with_foreign_key);

        assert_int_equal(answer, -EKEYREJECTED);
        assert_non_null(
                strstr(said, "Cannot write the signature of the root hash: The certificate does not verify"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_write),
                TEST(test_same),
                TEST(test_offline),
                TEST(test_foreign_key),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
