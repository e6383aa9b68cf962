/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

#include "base/crypto.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/text.h"
#include "secureboot/key-fault.h"
#include "secureboot/private-key.h"

#define FILE_SIZE_MAX (64 * KIB)

struct PrivateKey {
        EVP_PKEY *pkey;
        bool is_file;
};

/* What OpenSSL gets when it asks for the passphrase. */
typedef struct Asking {
        const Secret *passphrase; /* NULL: none */
        bool asked;
} Asking;

static void bio_freep(BIO **bio) {
        (void)BIO_free(*bio);
}

static void x509_freep(X509 **certificate) {
        X509_free(*certificate);
}

static void context_freep(EVP_MD_CTX **context) {
        EVP_MD_CTX_free(*context);
}

static void method_freep(UI_METHOD **method) {
        UI_destroy_method(*method);
}

static void store_closep(OSSL_STORE_CTX **store) {
        (void)OSSL_STORE_close(*store);
}

static void info_freep(OSSL_STORE_INFO **info) {
        OSSL_STORE_INFO_free(*info);
}

/* The last thing that OpenSSL had to say; the others are forgotten. */
static const char *last_error(void) {
        const unsigned long error = ERR_peek_last_error();
        const char *text = error != 0 ? ERR_reason_error_string(error) : NULL;

        ERR_clear_error();
        return text ? text : "it does not say why";
}

/* The type is pem_password_cb of OpenSSL. */
static int give_passphrase(char *buffer, int size, int writing, void *userdata) {
        Asking *asking = userdata;

        asking->asked = true;
        if (!asking->passphrase || asking->passphrase->size > (size_t)size)
                return -1;
        memcpy(buffer, asking->passphrase->bytes, asking->passphrase->size);
        return (int)asking->passphrase->size;
}

/* Keys are kept together with what else is secret. */
static int read_file(const char *path, Secret **ret) {
        _cleanup_(secret_freep) Secret *secret = NULL;
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat status;

        if (fd < 0 || fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return -EINVAL;
        if (status.st_size > (off_t)FILE_SIZE_MAX)
                return -EFBIG;
        int r = secret_new(MAX((size_t)status.st_size, (size_t)1), &secret);
        if (r < 0)
                return r;
        r = fd_pread_all(fd, secret->bytes, (size_t)status.st_size, 0);
        if (r < 0)
                return r;
        secret->size = (size_t)status.st_size;
        *ret = TAKE_PTR(secret);
        return 0;
}

static int load_file(const char *path, Asking *asking, EVP_PKEY **ret, Reason *reason) {
        _cleanup_(secret_freep) Secret *text = NULL;

        const int r = read_file(path, &text);
        if (r < 0)
                return reason_set(reason, r, "Cannot read %s: %s", path, file_read_error(r));
        _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(text->bytes, (int)text->size);
        if (!bio)
                return -ENOMEM;
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, asking);
        if (!key)
                return key_fault_find(path, text, asking->passphrase, reason);
        *ret = key;
        return 0;
}

/* Of a token: it has asked for the PIN, and that was not it. */
static int refuse_passphrase(const Asking *asking) {
        ERR_clear_error();
        return asking->passphrase ? PRIVATE_KEY_WRONG_PASSPHRASE : PRIVATE_KEY_LOCKED;
}

static int fail_to_open(const char *uri, Reason *reason) {
        const int scheme_length = (int)strcspn(uri, ":");
        const bool is_token = strncmp(uri, "pkcs11:", strlen("pkcs11:")) == 0;

        ERR_clear_error();
        return reason_set(reason, -ENOTSUP,
                          "OpenSSL cannot open '%s': no provider for %.*s: is loaded, or the URI is bad%s",
                          uri, scheme_length, uri,
                          is_token ? " (tokens need pkcs11-provider, activated in openssl.cnf)" : "");
}

static int load_from_store(OSSL_STORE_CTX *store, const char *uri, const Asking *asking, EVP_PKEY **ret,
                           Reason *reason) {
        while (!OSSL_STORE_eof(store)) {
                _cleanup_(info_freep) OSSL_STORE_INFO *info = OSSL_STORE_load(store);

                if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) {
                        *ret = OSSL_STORE_INFO_get1_PKEY(info);
                        return *ret ? 0 : -ENOMEM;
                }
                if (!info && asking->asked)
                        return refuse_passphrase(asking);
                if (!info && OSSL_STORE_error(store))
                        return reason_set(reason, -EBADMSG, "Cannot load the key '%s': %s", uri,
                                          last_error());
        }
        return reason_set(reason, -EBADMSG, "No private key is found by '%s'", uri);
}

static int load_from(const char *uri, Asking *asking, EVP_PKEY **ret, Reason *reason) {
        _cleanup_(method_freep) UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);

        if (!method)
                return -ENOMEM;
        _cleanup_(store_closep) OSSL_STORE_CTX *store = OSSL_STORE_open(uri, method, asking, NULL, NULL);
        if (!store)
                return asking->asked ? refuse_passphrase(asking) : fail_to_open(uri, reason);
        (void)OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
        return load_from_store(store, uri, asking, ret, reason);
}

/* What no key could be loaded from by its URI: a text can be looked into, what is binary only OpenSSL knows. */
static int explain_file(const char *path, const Asking *asking, int r, const Reason *said, Reason *reason) {
        _cleanup_(secret_freep) Secret *text = NULL;

        const int read = read_file(path, &text);
        if (read < 0)
                return reason_set(reason, read, "Cannot read %s: %s", path, file_read_error(read));
        if (text->size > 0 && text->bytes[0] == DER_SEQUENCE)
                return r < 0 ? reason_set(reason, r, "%s", reason_text(said, r)) : r;
        return key_fault_find(path, text, asking->passphrase, reason);
}

/* OpenSSL takes "file:x" for the name of a file first, lists directories, and waits for whoever writes to a pipe: it gets a
 * URI that means just what path_of_uri() says, and a file. */
static int load_file_uri(const char *uri, const char *path, Asking *asking, EVP_PKEY **ret, Reason *reason) {
        _cleanup_(reason_done) Reason said = {};
        _cleanup_(freep) char *normal = NULL;
        struct stat status;

        if (path[0] != '/')
                return reason_set(reason, -EINVAL, "Cannot load '%s': its path has to begin with a slash",
                                  uri);
        if (stat(path, &status) < 0)
                return reason_set(reason, -errno, "Cannot read %s: %m", path);
        if (!S_ISREG(status.st_mode))
                return reason_set(reason, -EINVAL, "Cannot read %s: %s", path, file_read_error(-EINVAL));
        int r = text_format(&normal, "file://%s", path);
        if (r < 0)
                return r;
        r = load_from(normal, asking, ret, &said);
        return r == PRIVATE_KEY_LOADED ? r : explain_file(path, asking, r, &said, reason);
}

static int load_uri(const char *uri, Asking *asking, EVP_PKEY **ret, Reason *reason) {
        const char *path = path_of_uri(uri);

        return path ? load_file_uri(uri, path, asking, ret, reason) : load_from(uri, asking, ret, reason);
}

int private_key_load(const char *source, const Secret *passphrase, PrivateKey **ret, Reason *reason) {
        _cleanup_(private_key_freep) PrivateKey *key = calloc(1, sizeof(*key));
        Asking asking = { .passphrase = passphrase };

        assert(source && ret);

        if (!key)
                return -ENOMEM;
        ERR_clear_error();
        crypto_ensure();
        const int r = path_is_uri(source) ? load_uri(source, &asking, &key->pkey, reason)
                                          : load_file(source, &asking, &key->pkey, reason);
        if (r != 0)
                return r;
        key->is_file = !path_is_uri(source) || path_of_uri(source);
        *ret = TAKE_PTR(key);
        return PRIVATE_KEY_LOADED;
}

void private_key_free(PrivateKey *key) {
        if (!key)
                return;
        EVP_PKEY_free(key->pkey);
        free(key);
}

int private_key_sign(const PrivateKey *key, const void *data, size_t size, Der *ret, Reason *reason) {
        _cleanup_(context_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();
        _cleanup_(freep) uint8_t *signature = NULL;
        Der der = {};
        size_t n = 0;

        assert(key && data && ret);

        if (!context)
                return -ENOMEM;
        if (EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key->pkey, NULL) != 1 ||
            EVP_DigestSign(context, NULL, &n, data, size) != 1)
                return reason_set(reason, -EKEYREJECTED, "The key cannot sign: %s", last_error());
        signature = malloc(n);
        if (!signature)
                return -ENOMEM;
        if (EVP_DigestSign(context, signature, &n, data, size) != 1)
                return reason_set(reason, -EKEYREJECTED, "The key cannot sign: %s", last_error());

        der_add_raw(&der, signature, n);
        const int r = der_finish(&der);
        if (r < 0) {
                der_done(&der);
                return r;
        }
        *ret = der;
        return 0;
}

/* A file may be damaged in the numbers themselves, of which those that are secret are compared with nothing when it is loaded.
 * Tokens are not troubled: they may want to be touched for each signature. */
static int try_signature(const PrivateKey *key, const Certificate *certificate, Reason *reason) {
        static const char data[] = "anything";
        _cleanup_(der_done) Der signature = {};

        int r = private_key_sign(key, data, sizeof(data), &signature, reason);
        if (r >= 0)
                r = certificate_verify(certificate, data, sizeof(data), signature.bytes, signature.size);
        if (r == 0)
                return reason_set(reason, -EKEYREJECTED,
                                  "The key is damaged: what it signs is not believed by its certificate '%s'",
                                  certificate->subject);
        return MIN(r, 0);
}

int private_key_check(const PrivateKey *key, const Certificate *certificate, Reason *reason) {
        const unsigned char *encoding = certificate->encoding.bytes;
        _cleanup_(x509_freep) X509 *x509 = d2i_X509(NULL, &encoding, (long)certificate->encoding.size);

        if (!x509)
                return -ENOMEM;
        if (X509_check_private_key(x509, key->pkey) == 1)
                return key->is_file ? try_signature(key, certificate, reason) : 0;
        ERR_clear_error();
        return reason_set(reason, -EKEYREJECTED, "The key is not that of the certificate '%s'",
                          certificate->subject);
}
