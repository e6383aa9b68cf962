/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <pthread.h>

#include "base/crypto.h"

static void ensure(void) {
        EVP_MD *algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);

        /* What was configured stays; whether this helps shows when an algorithm is asked for. */
        if (!algorithm)
                (void)OSSL_PROVIDER_load(NULL, "default");
        EVP_MD_free(algorithm);
        ERR_clear_error();
}

void crypto_ensure(void) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, ensure);
}
