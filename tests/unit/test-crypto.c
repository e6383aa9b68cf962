/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/fd.h"
#include "base/hash.h"
#include "temporary-directory.h"

/* A host's configuration that activates a provider without any digest. libcrypto reads it once in the life of a process,
 * so that this test is alone. */
static const char configuration[] =
        "openssl_conf = init\n[init]\nproviders = providers\n[providers]\nnull = null\n"
        "[null]\nactivate = 1\n";

static void test_other_providers(void **state) {
        char text[2 * SHA256_SIZE + 1];
        Sha256Digest digest;

        assert_int_equal(file_write_text(AT_FDCWD, "openssl.cnf", configuration, 0644), 0);
        assert_int_equal(setenv("OPENSSL_CONF", "openssl.cnf", 1), 0);

        assert_int_equal(sha256("abc", 3, &digest), 0);
        sha256_format(&digest, text);
        assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        crypto_ensure();
        assert_int_equal(hmac_sha256("key", 3, "abc", 3, &digest), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_directory(test_other_providers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
