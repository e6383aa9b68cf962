/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/keeper.h"
#include "secureboot/private-key.h"
#include "secureboot/signing-key.h"

/* What the keeper of a key is asked for. */
enum {
        LOAD,        /* the key, which needs no passphrase */
        LOAD_LOCKED, /* the key, with these bytes as its passphrase */
        CHECK,       /* whether it is that of the certificate with this encoding */
        SIGN,        /* these bytes */
};

struct SigningKey {
        Keeper *keeper;
};

/* The keeper's own. */
typedef struct KeptKey {
        const char *source;
        PrivateKey *key;
} KeptKey;

static int load_locked(KeptKey *kept, const KeeperMessage *request, Reason *reason) {
        _cleanup_(secret_freep) Secret *passphrase = NULL;

        const int r = secret_new(MAX(request->size, (size_t)1), &passphrase);
        if (r < 0)
                return r;
        memcpy(passphrase->bytes, request->bytes, request->size);
        passphrase->size = request->size;
        explicit_bzero(request->bytes, request->size);
        return private_key_load(kept->source, passphrase, &kept->key, reason);
}

static int check(const KeptKey *kept, const KeeperMessage *request, Reason *reason) {
        _cleanup_(certificate_freep) Certificate *certificate = NULL;

        const int r = certificate_parse(request->bytes, request->size, &certificate, reason);
        return r < 0 ? r : private_key_check(kept->key, certificate, reason);
}

static int sign(const KeptKey *kept, const KeeperMessage *request, KeeperMessage *answer, Reason *reason) {
        _cleanup_(der_done) Der signature = {};

        const int r = private_key_sign(kept->key, request->bytes, request->size, &signature, reason);
        if (r < 0)
                return r;
        answer->size = signature.size;
        answer->bytes = TAKE_PTR(signature.bytes);
        return 0;
}

static int serve(void *userdata, const KeeperMessage *request, KeeperMessage *answer, Reason *reason) {
        KeptKey *kept = userdata;

        switch (request->what) {
        case LOAD:
                return private_key_load(kept->source, NULL, &kept->key, reason);
        case LOAD_LOCKED:
                return load_locked(kept, request, reason);
        case CHECK:
                return check(kept, request, reason);
        case SIGN:
                return sign(kept, request, answer, reason);
        default:
                return -EINVAL;
        }
}

/* What is sent is only read. */
static int ask(const SigningKey *key, int what, const void *bytes, size_t size, KeeperMessage *ret,
               Reason *reason) {
        const KeeperMessage request = { .what = what, .bytes = (uint8_t *)(uintptr_t)bytes, .size = size };

        return keeper_ask(key->keeper, &request, ret, reason);
}

int signing_key_load(const char *source, const Secret *passphrase, SigningKey **ret, Reason *reason) {
        _cleanup_(signing_key_freep) SigningKey *key = calloc(1, sizeof(*key));
        KeptKey kept = { .source = source };

        assert(source && ret);

        if (!key)
                return -ENOMEM;
        int r = keeper_start(serve, &kept, &key->keeper);
        if (r < 0)
                return r;
        r = passphrase ? ask(key, LOAD_LOCKED, passphrase->bytes, passphrase->size, NULL, reason)
                       : ask(key, LOAD, NULL, 0, NULL, reason);
        if (r == PRIVATE_KEY_LOADED)
                *ret = TAKE_PTR(key);
        return r;
}

void signing_key_free(SigningKey *key) {
        if (!key)
                return;
        keeper_free(key->keeper);
        free(key);
}

int signing_key_check(const SigningKey *key, const Certificate *certificate, Reason *reason) {
        assert(key && certificate);

        return ask(key, CHECK, certificate->encoding.bytes, certificate->encoding.size, NULL, reason);
}

int signing_key_sign(const SigningKey *key, const void *data, size_t size, Der *ret, Reason *reason) {
        _cleanup_(keeper_message_done) KeeperMessage answer = {};
        Der signature = {};

        assert(key && data && ret);

        int r = ask(key, SIGN, data, size, &answer, reason);
        if (r < 0)
                return r;
        der_add_raw(&signature, answer.bytes, answer.size);
        r = der_finish(&signature);
        if (r < 0) {
                der_done(&signature);
                return r;
        }
        *ret = signature;
        return 0;
}
