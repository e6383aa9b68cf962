/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Key pairs for the tests of src/secureboot: made on the spot, and put into the current directory as NAME.key and
 * NAME.crt. */

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "secureboot/key-pair.h"
#include "secureboot/private-key.h"
#include "secureboot/signing-key.h"

#define KEY_FIXTURE_NOT_BEFORE INT64_C(1500000000)
#define KEY_FIXTURE_NOT_AFTER  INT64_C(4000000000)

static inline Secret *key_fixture_secret(const char *text) {
        Secret *secret = NULL;

        assert_int_equal(secret_new(strlen(text), &secret), 0);
        memcpy(secret->bytes, text, strlen(text));
        secret->size = strlen(text);
        return secret;
}

static inline void key_fixture_make(const char *name, KeyPairType type, const Secret *passphrase) {
        _cleanup_(freep) char *certificate = NULL, *key_path = NULL, *certificate_path = NULL;
        _cleanup_(secret_freep) Secret *key = NULL;
        const KeyPairWish wish = {
                .type = type,
                .common_name = name,
                .not_before = KEY_FIXTURE_NOT_BEFORE,
                .not_after = KEY_FIXTURE_NOT_AFTER,
                .passphrase = passphrase,
        };

        assert_int_equal(key_pair_generate(&wish, &key, &certificate, NULL), 0);
        assert_int_equal(text_format(&key_path, "%s.key", name), 0);
        assert_int_equal(text_format(&certificate_path, "%s.crt", name), 0);
        assert_int_equal(file_write(AT_FDCWD, key_path, key->bytes, key->size, 0600), 0);
        assert_int_equal(file_write_text(AT_FDCWD, certificate_path, certificate, 0644), 0);
}

typedef struct KeyFixture {
        SigningKey *key;
        Certificate *certificate;
} KeyFixture;

/* Makes a pair without a passphrase, and loads it. */
static inline KeyFixture key_fixture_load(const char *name, KeyPairType type) {
        _cleanup_(freep) char *key_path = NULL, *certificate_path = NULL;
        _cleanup_(reason_done) Reason reason = {};
        KeyFixture fixture = {};

        key_fixture_make(name, type, NULL);
        assert_int_equal(text_format(&key_path, "%s.key", name), 0);
        assert_int_equal(text_format(&certificate_path, "%s.crt", name), 0);
        if (signing_key_load(key_path, NULL, &fixture.key, &reason) != PRIVATE_KEY_LOADED ||
            certificate_load(certificate_path, &fixture.certificate, &reason) < 0)
                fail_msg("%s", reason_text(&reason, -EIO));
        return fixture;
}

static inline void key_fixture_done(KeyFixture *fixture) {
        signing_key_free(fixture->key);
        certificate_free(fixture->certificate);
}
