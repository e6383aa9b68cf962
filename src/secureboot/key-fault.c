/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/proverr.h>
#include <openssl/x509.h>

#include "base/text.h"
#include "secureboot/der.h"
#include "secureboot/key-fault.h"
#include "secureboot/private-key.h"

#define PEM_BEGIN       "-----BEGIN "
#define PEM_DASHES      "-----"
#define PRIVATE_KEY     "PRIVATE KEY" /* how the labels of all private keys end */
#define LABEL_PKCS8     "PRIVATE KEY"
#define LABEL_ENCRYPTED "ENCRYPTED PRIVATE KEY"
#define LABEL_OPENSSH   "OPENSSH PRIVATE KEY"
#define LABEL_SIZE_MAX  64

/* What is in a file instead of a private key, by its label. */
static const struct {
        const char *label, *what;
} others[] = {
        { "CERTIFICATE", "a certificate" },
        { "TRUSTED CERTIFICATE", "a certificate" },
        { "CERTIFICATE REQUEST", "a request for a certificate" },
        { "PUBLIC KEY", "a public key" },
        { "RSA PUBLIC KEY", "a public key" },
        { "EC PARAMETERS", "the parameters of a key" },
        { "PGP PRIVATE KEY BLOCK", "a key of OpenPGP" },
        { "PGP PUBLIC KEY BLOCK", "a public key of OpenPGP" },
};

/* A part of a PEM file (RFC 7468, or with the header of RFC 1421). */
typedef struct Part {
        char *label, *header;
        unsigned char *bytes;
        long size;
} Part;

static void part_done(Part *part) {
        OPENSSL_free(part->label);
        OPENSSL_free(part->header);
        OPENSSL_free(part->bytes);
        *part = (Part){};
}

static void bio_freep(BIO **bio) {
        (void)BIO_free(*bio);
}

static void encrypted_freep(X509_SIG **encrypted) {
        X509_SIG_free(*encrypted);
}

static void plain_freep(PKCS8_PRIV_KEY_INFO **plain) {
        PKCS8_PRIV_KEY_INFO_free(*plain);
}

static bool is_bad_decrypt(unsigned long error) {
        const int library = ERR_GET_LIB(error), reason = ERR_GET_REASON(error);

        return (library == ERR_LIB_EVP && reason == EVP_R_BAD_DECRYPT) ||
               (library == ERR_LIB_PROV && reason == PROV_R_BAD_DECRYPT) ||
               (library == ERR_LIB_PEM && reason == PEM_R_BAD_DECRYPT);
}

/* Whether OpenSSL complains of a wrong padding, and its first complaint in words; all are forgotten. */
static bool take_complaints(const char **ret_words) {
        bool decrypted_badly = false;
        unsigned long error;

        *ret_words = NULL;
        while ((error = ERR_get_error()) != 0) {
                decrypted_badly = decrypted_badly || is_bad_decrypt(error);
                if (!*ret_words)
                        *ret_words = ERR_reason_error_string(error);
        }
        if (!*ret_words)
                *ret_words = "it does not say why";
        return decrypted_badly;
}

static int fail_damaged(const char *path, Reason *reason) {
        ERR_clear_error();
        return reason_set(reason, -EBADMSG,
                          "The private key in %s is damaged, or only a part of it: take a copy that is whole",
                          path);
}

static int fail_to_decrypt(const char *path, Reason *reason) {
        const char *words;

        if (take_complaints(&words))
                return PRIVATE_KEY_WRONG_PASSPHRASE;
        return reason_set(
                reason, -ENOTSUP,
                "The private key in %s is encrypted in a way that OpenSSL does not support here (%s): "
                "encrypt it anew where it can be read, with openssl pkcs8 -topk8 -v2 aes-256-cbc",
                path, words);
}

/* The type is pem_password_cb of OpenSSL. */
static int give_passphrase(char *buffer, int size, int writing, void *userdata) {
        const Secret *passphrase = userdata;

        if (passphrase->size > (size_t)size)
                return -1;
        memcpy(buffer, passphrase->bytes, passphrase->size);
        return (int)passphrase->size;
}

/* A value that OpenSSL takes for a PKCS #8 key (RFC 5208), and cannot make a key of. */
static int find_in_pkcs8(const char *path, const PKCS8_PRIV_KEY_INFO *plain, Reason *reason) {
        static const int known[] = { NID_rsaEncryption, NID_X9_62_id_ecPublicKey };
        const ASN1_OBJECT *algorithm = NULL;
        char name[LABEL_SIZE_MAX] = "";

        if (PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, plain) != 1)
                return fail_damaged(path, reason);
        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (OBJ_obj2nid(algorithm) == known[i])
                        return fail_damaged(path, reason);
        (void)OBJ_obj2txt(name, sizeof(name), algorithm, 0);
        return reason_set(
                reason, -ENOTSUP,
                "The private key in %s is of a kind that OpenSSL does not support here, %s: RSA and EC "
                "keys can sign",
                path, name);
}

static int find_in_encrypted(const char *path, const Part *part, const Secret *passphrase, Reason *reason) {
        const unsigned char *bytes = part->bytes;
        _cleanup_(encrypted_freep) X509_SIG *encrypted = d2i_X509_SIG(NULL, &bytes, part->size);

        if (!encrypted)
                return fail_damaged(path, reason);
        if (!passphrase)
                return PRIVATE_KEY_LOCKED;
        ERR_clear_error();
        _cleanup_(plain_freep) PKCS8_PRIV_KEY_INFO *plain =
                PKCS8_decrypt(encrypted, (const char *)passphrase->bytes, (int)passphrase->size);
        if (plain)
                return find_in_pkcs8(path, plain, reason);
        /* The last of the complaints is of what came out: by chance the padding of a wrong passphrase looks right, one time
         * in 256. */
        const unsigned long error = ERR_peek_last_error();
        return ERR_GET_LIB(error) == ERR_LIB_PKCS12 && ERR_GET_REASON(error) == PKCS12_R_DECODE_ERROR
                       ? PRIVATE_KEY_WRONG_PASSPHRASE
                       : fail_to_decrypt(path, reason);
}

/* "Proc-Type: 4,ENCRYPTED", which the form before PKCS #8 has (RFC 1421, 4.6.1.1). */
static int find_in_traditional(const char *path, Part *part, const Secret *passphrase, Reason *reason) {
        EVP_CIPHER_INFO cipher;

        if (text_is_empty(part->header))
                return fail_damaged(path, reason);
        if (PEM_get_EVP_CIPHER_INFO(part->header, &cipher) != 1)
                return fail_to_decrypt(path, reason);
        if (!cipher.cipher)
                return fail_damaged(path, reason);
        if (!passphrase)
                return PRIVATE_KEY_LOCKED;
        ERR_clear_error();
        if (PEM_do_header(&cipher, part->bytes, &part->size, give_passphrase,
                          (void *)(uintptr_t)passphrase) != 1)
                return fail_to_decrypt(path, reason);
        return PRIVATE_KEY_WRONG_PASSPHRASE;
}

static int find_in_part(const char *path, Part *part, const Secret *passphrase, Reason *reason) {
        if (text_equal(part->label, LABEL_ENCRYPTED))
                return find_in_encrypted(path, part, passphrase, reason);
        if (!text_equal(part->label, LABEL_PKCS8))
                return find_in_traditional(path, part, passphrase, reason);

        const unsigned char *bytes = part->bytes;
        _cleanup_(plain_freep) PKCS8_PRIV_KEY_INFO *plain = d2i_PKCS8_PRIV_KEY_INFO(NULL, &bytes, part->size);
        return plain ? find_in_pkcs8(path, plain, reason) : fail_damaged(path, reason);
}

/* The next label in the text, a string; NULL when there is none. */
static const char *next_label(const char *text, char label[static LABEL_SIZE_MAX]) {
        const char *begin = strstr(text, PEM_BEGIN), *end;

        if (!begin)
                return NULL;
        begin += strlen(PEM_BEGIN);
        end = strstr(begin, PEM_DASHES);
        const size_t length = end ? MIN((size_t)(end - begin), (size_t)LABEL_SIZE_MAX - 1) : 0;
        memcpy(label, begin, length);
        label[length] = '\0';
        return begin;
}

/* What there is instead of a private key. */
static int fail_without_key(const char *path, const char *first_label, Reason *reason) {
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                if (text_equal(others[i].label, first_label))
                        return reason_set(reason, -EBADMSG, "%s holds no private key in PEM form, but %s",
                                          path, others[i].what);
        return reason_set(reason, -EBADMSG, "%s holds no private key in PEM form", path);
}

/* 1 when the text has a private key that OpenSSL reads. */
static int check_labels(const char *path, const char *text, Reason *reason) {
        char label[LABEL_SIZE_MAX] = "", first[LABEL_SIZE_MAX] = "";

        for (const char *rest = next_label(text, first); rest; rest = next_label(rest, label)) {
                if (text_is_empty(label))
                        memcpy(label, first, sizeof(label));
                if (text_equal(label, LABEL_OPENSSH))
                        return reason_set(
                                reason, -ENOTSUP,
                                "%s holds a private key in the form of OpenSSH: make PEM of it with "
                                "ssh-keygen -p -m PKCS8 -f %s",
                                path, path);
                if (text_ends_with(label, PRIVATE_KEY))
                        return 1;
        }
        return fail_without_key(path, first, reason);
}

static int find_in_text(const char *path, const char *text, const Secret *passphrase, Reason *reason) {
        _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(text, -1);
        _cleanup_(part_done) Part part = {};

        const int r = check_labels(path, text, reason);
        if (r < 0)
                return r;
        if (!bio)
                return -ENOMEM;
        do {
                part_done(&part);
                if (PEM_read_bio(bio, &part.label, &part.header, &part.bytes, &part.size) != 1)
                        return fail_damaged(path, reason);
        } while (!text_ends_with(part.label, PRIVATE_KEY));
        return find_in_part(path, &part, passphrase, reason);
}

int key_fault_find(const char *path, const Secret *text, const Secret *passphrase, Reason *reason) {
        _cleanup_(secret_freep) Secret *string = NULL;

        assert(path && text);

        if (text->size == 0)
                return reason_set(reason, -EBADMSG, "%s is empty, and should hold a private key", path);
        if (text->bytes[0] == DER_SEQUENCE)
                return reason_set(
                        reason, -EBADMSG,
                        "%s holds no private key in PEM form, but something in a binary form, such as DER "
                        "or PKCS #12: make PEM of it with openssl pkey -in %s -out NEW",
                        path, path);
        if (memchr(text->bytes, '\0', text->size))
                return reason_set(reason, -EBADMSG, "%s holds no private key in PEM form, and is no text",
                                  path);
        int r = secret_new(text->size + 1, &string);
        if (r < 0)
                return r;
        memcpy(string->bytes, text->bytes, text->size);
        ERR_clear_error();
        r = find_in_text(path, (const char *)string->bytes, passphrase, reason);
        ERR_clear_error();
        return r;
}
