/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The reading half of authenticode.h. */

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "base/text.h"
#include "secureboot/authenticode-offline.h"

#define ID_INDIRECT_DATA "1.3.6.1.4.1.311.2.1.4"
#define ID_TEXT_SIZE     64
#define SUBJECT_SIZE_MAX 512

/* A signature taken apart. */
typedef struct Parsed {
        PKCS7 *pkcs7;
        STACK_OF(X509) * signers; /* the certificates of those who signed, not owned */
        const uint8_t *content; /* SpcIndirectDataContent without tag and length, which is what was signed */
        size_t content_size;
        Sha256Digest digest; /* of the image, as it says */
} Parsed;

const char *const authenticode_verdict_texts[] = {
        [AUTHENTICODE_GOOD] = "good",
        [AUTHENTICODE_CHANGED] = "changed since it was signed",
        [AUTHENTICODE_FOREIGN] = "signed by others",
        [AUTHENTICODE_UNSIGNED] = "not signed",
        [AUTHENTICODE_VERDICT_MAX] = NULL,
};
static_assert(ELEMENTSOF(authenticode_verdict_texts) == AUTHENTICODE_VERDICT_MAX + 1, "a text is missing");

static void x509_freep(X509 **certificate) {
        X509_free(*certificate);
}

static void store_freep(X509_STORE **store) {
        X509_STORE_free(*store);
}

static void context_freep(X509_STORE_CTX **context) {
        X509_STORE_CTX_free(*context);
}

static void bio_freep(BIO **bio) {
        (void)BIO_free(*bio);
}

static void parsed_done(Parsed *parsed) {
        sk_X509_free(parsed->signers);
        PKCS7_free(parsed->pkcs7);
}

/* Steps over the tag and length of a value, which must be of that kind; *bytes and *size become its content, the
 * answer is what follows it, NULL when it is none. */
static const uint8_t *enter(const uint8_t **bytes, size_t *size, int tag) {
        const unsigned char *at = *bytes;
        long length = 0;
        int found = 0, class = 0;

        if (*size > LONG_MAX)
                return NULL;
        const int r = ASN1_get_object(&at, &length, &found, &class, (long)*size);
        if ((r & 0x80) || (r & 1) || found != tag || class != V_ASN1_UNIVERSAL)
                return NULL;
        *bytes = at;
        *size = (size_t)length;
        return at + length;
}

/* Takes the digest out of SpcIndirectDataContent: behind what the image is, DigestInfo. */
static bool read_digest(Parsed *parsed) {
        static const uint8_t id_sha256[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 };
        const uint8_t *data = parsed->content, *const end = data + parsed->content_size;
        size_t size = parsed->content_size;

        const uint8_t *info = enter(&data, &size, V_ASN1_SEQUENCE);
        if (!info)
                return false;
        size = (size_t)(end - info);
        if (enter(&info, &size, V_ASN1_SEQUENCE) != end)
                return false;

        const uint8_t *identifier = info;
        size_t n = size;
        const uint8_t *octets = enter(&identifier, &n, V_ASN1_SEQUENCE);
        if (!octets || !enter(&identifier, &n, V_ASN1_OBJECT) || n != sizeof(id_sha256) ||
            memcmp(identifier, id_sha256, n) != 0)
                return false;
        n = (size_t)(end - octets);
        if (enter(&octets, &n, V_ASN1_OCTET_STRING) != end || n != sizeof(parsed->digest.bytes))
                return false;
        memcpy(parsed->digest.bytes, octets, n);
        return true;
}

static bool find_content(Parsed *parsed) {
        char type[ID_TEXT_SIZE];

        if (!PKCS7_type_is_signed(parsed->pkcs7) || !parsed->pkcs7->d.sign ||
            !parsed->pkcs7->d.sign->contents)
                return false;
        const PKCS7 *contents = parsed->pkcs7->d.sign->contents;
        if (OBJ_obj2txt(type, sizeof(type), contents->type, 1) <= 0 || !text_equal(type, ID_INDIRECT_DATA))
                return false;
        const ASN1_TYPE *value = contents->d.other;
        if (!value || value->type != V_ASN1_SEQUENCE)
                return false;
        parsed->content = ASN1_STRING_get0_data(value->value.sequence);
        parsed->content_size = (size_t)ASN1_STRING_length(value->value.sequence);
        return enter(&parsed->content, &parsed->content_size, V_ASN1_SEQUENCE) != NULL;
}

static int parse(const PeImage *image, const CertificateEntry *entry, Parsed *ret, Reason *reason) {
        _cleanup_(der_done) Der encoding = {};
        _cleanup_(parsed_done) Parsed parsed = {};

        if (entry->type != CERTIFICATE_SIGNED_DATA || entry->revision != CERTIFICATE_REVISION)
                return reason_set(reason, -EBADMSG, "The signature is of an unknown kind, 0x%04x",
                                  entry->type);
        const int r = certificate_entry_read(image, entry, &encoding);
        if (r < 0)
                return r;

        /* What follows is padding. */
        const unsigned char *bytes = encoding.bytes;
        parsed.pkcs7 = d2i_PKCS7(NULL, &bytes, (long)encoding.size);
        if (!parsed.pkcs7 || !find_content(&parsed)) {
                ERR_clear_error();
                return reason_set(reason, -EBADMSG, "The signature is no Authenticode signature");
        }
        if (!read_digest(&parsed))
                return reason_set(reason, -EBADMSG, "The signature is not of a SHA-256 digest");
        parsed.signers = PKCS7_get0_signers(parsed.pkcs7, NULL, 0);
        ERR_clear_error();

        *ret = parsed;
        parsed = (Parsed){};
        return 0;
}

static int64_t signing_time(PKCS7 *pkcs7) {
        STACK_OF(PKCS7_SIGNER_INFO) *infos = PKCS7_get_signer_info(pkcs7);
        struct tm parts;

        PKCS7_SIGNER_INFO *info =
                infos && sk_PKCS7_SIGNER_INFO_num(infos) > 0 ? sk_PKCS7_SIGNER_INFO_value(infos, 0) : NULL;
        const ASN1_TYPE *value = info ? PKCS7_get_signed_attribute(info, NID_pkcs9_signingTime) : NULL;
        if (!value || (value->type != V_ASN1_UTCTIME && value->type != V_ASN1_GENERALIZEDTIME) ||
            ASN1_TIME_to_tm(value->value.asn1_string, &parts) != 1)
                return AUTHENTICODE_NO_TIME;
        return timegm(&parts);
}

static int read_signer(const Parsed *parsed, char **ret) {
        char subject[SUBJECT_SIZE_MAX];

        *ret = NULL;
        if (!parsed->signers || sk_X509_num(parsed->signers) == 0)
                return 0;
        const X509 *signer = sk_X509_value(parsed->signers, 0);
        _cleanup_(bio_freep) BIO *bio = BIO_new(BIO_s_mem());
        if (!bio || X509_NAME_print_ex(bio, X509_get_subject_name(signer), 0, XN_FLAG_RFC2253) < 0)
                return -ENOMEM;
        const int size = BIO_read(bio, subject, sizeof(subject) - 1);
        subject[MAX(size, 0)] = '\0';
        text_tame(subject);
        return text_copy(subject, ret);
}

int authenticode_read(const PeImage *image, const CertificateEntry *entry, AuthenticodeSignature *ret,
                      Reason *reason) {
        _cleanup_(parsed_done) Parsed parsed = {};
        char *signer;

        assert(image && entry && ret);

        int r = parse(image, entry, &parsed, reason);
        /* Something so large is no signature, like everything else that cannot be read as one. */
        if (r == -EFBIG)
                r = reason_set(reason, -EBADMSG, "A signature is too large to be one");
        if (r < 0)
                return r;
        r = read_signer(&parsed, &signer);
        if (r < 0)
                return r;
        *ret = (AuthenticodeSignature){
                .digest = parsed.digest,
                .signer = signer,
                .time = signing_time(parsed.pkcs7),
        };
        return 0;
}

void authenticode_signature_done(AuthenticodeSignature *signature) {
        free(TAKE_PTR(signature->signer));
}

static void chain_freep(BIO **chain) {
        BIO_free_all(*chain);
}

/* A chain of filters in front of the content, one for each digest; all of it has passed through them. PKCS7_verify()
 * makes one of its own, and leaks memory for a signature with a digest that is unknown. */
static BIO *digest_content(const Parsed *parsed) {
        BIO *content = BIO_new_mem_buf(parsed->content, (int)parsed->content_size);
        BIO *chain = content ? PKCS7_dataInit(parsed->pkcs7, content) : NULL;
        uint8_t buffer[256];

        if (!chain)
                (void)BIO_free(content);
        while (chain && BIO_read(chain, buffer, sizeof(buffer)) > 0)
                ;
        return chain;
}

/* Whether the bytes of the content were signed by the keys of the certificates that come with the signature. */
static bool content_is_signed(const Parsed *parsed) {
        STACK_OF(PKCS7_SIGNER_INFO) *infos = PKCS7_get_signer_info(parsed->pkcs7);
        _cleanup_(chain_freep) BIO *chain = digest_content(parsed);
        const int n = chain && infos && parsed->signers ? sk_X509_num(parsed->signers) : 0;
        bool is_signed = n > 0 && sk_PKCS7_SIGNER_INFO_num(infos) == n;

        for (int i = 0; i < n && is_signed; i++)
                is_signed = PKCS7_signatureVerify(chain, parsed->pkcs7, sk_PKCS7_SIGNER_INFO_value(infos, i),
                                                  sk_X509_value(parsed->signers, i)) == 1;
        ERR_clear_error();
        return is_signed;
}

/* Whether the certificate is that of the signer, or one that leads to it. Firmware asks no more: neither for times,
 * nor for what a certificate may be used for. */
static int leads_to(const Parsed *parsed, X509 *signer, X509 *trusted) {
        _cleanup_(store_freep) X509_STORE *store = X509_STORE_new();
        _cleanup_(context_freep) X509_STORE_CTX *context = X509_STORE_CTX_new();

        if (!store || !context || X509_STORE_add_cert(store, trusted) != 1)
                return -ENOMEM;
        (void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
        if (X509_STORE_CTX_init(context, store, signer, parsed->pkcs7->d.sign->cert) != 1)
                return -ENOMEM;
        const int r = X509_verify_cert(context);
        ERR_clear_error();
        return r == 1;
}

static X509 *decode(const Certificate *certificate) {
        const unsigned char *encoding = certificate->encoding.bytes;

        return d2i_X509(NULL, &encoding, (long)certificate->encoding.size);
}

static int verify_entry(const PeImage *image, const CertificateEntry *entry, X509 *trusted,
                        const Sha256Digest *digest, AuthenticodeVerdict *ret, Reason *reason) {
        _cleanup_(parsed_done) Parsed parsed = {};

        *ret = AUTHENTICODE_FOREIGN;
        int r = parse(image, entry, &parsed, reason);
        if (r == -EBADMSG || r == -EFBIG)
                return 0;
        if (r < 0)
                return r;
        if (!content_is_signed(&parsed)) {
                (void)reason_set(reason, -EBADMSG, "The signature is not that of its signer");
                return 0;
        }
        for (int i = 0; i < sk_X509_num(parsed.signers); i++) {
                r = leads_to(&parsed, sk_X509_value(parsed.signers, i), trusted);
                if (r < 0)
                        return r;
                if (r > 0)
                        *ret = memcmp(&parsed.digest, digest, sizeof(*digest)) == 0 ? AUTHENTICODE_GOOD
                                                                                    : AUTHENTICODE_CHANGED;
                if (r > 0)
                        return 0;
        }
        return 0;
}

int authenticode_verify_entry(const PeImage *image, const CertificateEntry *entry,
                              const Certificate *certificate, AuthenticodeVerdict *ret, Reason *reason) {
        _cleanup_(x509_freep) X509 *trusted = decode(certificate);
        Sha256Digest digest;

        assert(image && entry && ret);

        if (!trusted)
                return -ENOMEM;
        const int r = authenticode_digest(image, &digest);
        return r < 0 ? r : verify_entry(image, entry, trusted, &digest, ret, reason);
}

int authenticode_verify(const PeImage *image, const Certificate *certificate, AuthenticodeVerdict *ret,
                        Reason *reason) {
        _cleanup_(x509_freep) X509 *trusted = decode(certificate);
        AuthenticodeVerdict best = AUTHENTICODE_UNSIGNED;
        CertificateTable table;
        Sha256Digest digest;

        assert(image && ret);

        if (!trusted)
                return -ENOMEM;
        int r = certificate_table_read(image, &table, reason);
        if (r >= 0)
                r = authenticode_digest(image, &digest);
        if (r < 0)
                return r;
        for (size_t i = 0; i < table.n_entries; i++) {
                AuthenticodeVerdict verdict;

                r = authenticode_is_reserved(image, &table.entries[i]);
                if (r == 0)
                        r = verify_entry(image, &table.entries[i], trusted, &digest, &verdict, reason);
                else if (r > 0)
                        verdict = AUTHENTICODE_UNSIGNED;
                if (r < 0)
                        return r;
                best = MIN(best, verdict);
        }
        *ret = best;
        return 0;
}
