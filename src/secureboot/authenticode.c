/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "secureboot/authenticode.h"
#include "secureboot/signed-data.h"

#define ALIGNMENT      8
#define READ_SIZE      (256 * KIB)
#define CHECKSUM_SIZE  4
#define DIRECTORY_SIZE 8

/* Object identifiers: iso.org.dod.internet.private.enterprise.microsoft (311.2.1), PKCS #9. */
static const uint8_t id_indirect_data[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x04 };
static const uint8_t id_pe_image_data[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x0f };
static const uint8_t id_content_type[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03 };
static const uint8_t id_message_digest[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04 };
static const uint8_t id_signing_time[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05 };

/* The name of a file that nobody reads any more; all signing programs write this. */
static const char obsolete_file[] = "\0<\0<\0<\0O\0b\0s\0o\0l\0e\0t\0e\0>\0>\0>";

static int hash_range(const PeImage *image, Sha256 *hash, uint64_t offset, uint64_t size, uint8_t *buffer) {
        while (size > 0) {
                const size_t n = (size_t)MIN(size, READ_SIZE);

                int r = fd_pread_all(image->fd, buffer, n, offset);
                if (r < 0)
                        return r;
                r = sha256_add(hash, buffer, n);
                if (r < 0)
                        return r;
                offset += n;
                size -= n;
        }
        return 0;
}

/* All headers but the fields that signing changes. */
static int hash_headers(const PeImage *image, Sha256 *hash) {
        uint32_t offset = image->checksum_offset;

        int r = sha256_add(hash, image->headers, offset);
        offset += CHECKSUM_SIZE;
        if (r >= 0 && image->certificates_directory_offset > 0) {
                r = sha256_add(hash, image->headers + offset, image->certificates_directory_offset - offset);
                offset = image->certificates_directory_offset + DIRECTORY_SIZE;
        }
        return r < 0 ? r : sha256_add(hash, image->headers + offset, image->header_size - offset);
}

static int compare_sections(const void *a, const void *b) {
        const PeSection *const *first = a, *const *second = b;

        return (*first)->raw_offset < (*second)->raw_offset ? -1
                                                            : (*first)->raw_offset > (*second)->raw_offset;
}

/* The sections in the order of the file; ret_end counts what was hashed so far, as the specification has it. */
static int hash_sections(const PeImage *image, Sha256 *hash, uint8_t *buffer, uint64_t *ret_end) {
        const PeSection *sections[PE_SECTIONS_MAX];
        uint64_t end = image->header_size;

        for (size_t i = 0; i < image->n_sections; i++)
                sections[i] = &image->sections[i];
        qsort(sections, image->n_sections, sizeof(sections[0]), compare_sections);

        for (size_t i = 0; i < image->n_sections; i++) {
                const int r = hash_range(image, hash, sections[i]->raw_offset, sections[i]->raw_size, buffer);
                if (r < 0)
                        return r;
                end += sections[i]->raw_size;
        }
        *ret_end = end;
        return 0;
}

int authenticode_digest(const PeImage *image, Sha256Digest *ret) {
        static const uint8_t padding[ALIGNMENT];
        _cleanup_(sha256_freep) Sha256 *hash = NULL;
        _cleanup_(freep) uint8_t *buffer = malloc(READ_SIZE);
        struct stat status;
        uint64_t end;

        assert(image && image->headers && ret);

        if (!buffer)
                return -ENOMEM;
        if (fstat(image->fd, &status) < 0)
                return -errno;
        const uint64_t size =
                image->certificates_size > 0 ? image->certificates_offset : (uint64_t)status.st_size;

        int r = sha256_new(&hash);
        if (r >= 0)
                r = hash_headers(image, hash);
        if (r >= 0)
                r = hash_sections(image, hash, buffer, &end);
        if (r >= 0 && size > end)
                r = hash_range(image, hash, end, size - end, buffer);
        if (r >= 0)
                r = sha256_add(hash, padding, align_up(size, ALIGNMENT) - size);
        return r < 0 ? r : sha256_finish(hash, ret);
}

/* SpcPeImageData: no flags, and a file whose name says nothing. */
static void add_image_data(Der *der) {
        static const uint8_t no_flags[] = { 0 };

        const size_t data = der_begin(der, DER_SEQUENCE);
        der_add(der, DER_BIT_STRING, no_flags, sizeof(no_flags));
        const size_t link = der_begin(der, DER_CONTEXT_CONSTRUCTED + 0);
        const size_t file = der_begin(der, DER_CONTEXT_CONSTRUCTED + 2);
        der_add(der, DER_CONTEXT + 0, obsolete_file, sizeof(obsolete_file) - 1);
        der_end(der, file);
        der_end(der, link);
        der_end(der, data);
}

static void add_content(const Sha256Digest *digest, Der *der) {
        const size_t content = der_begin(der, DER_SEQUENCE);

        const size_t data = der_begin(der, DER_SEQUENCE);
        der_add_identifier(der, id_pe_image_data, sizeof(id_pe_image_data));
        add_image_data(der);
        der_end(der, data);

        const size_t info = der_begin(der, DER_SEQUENCE);
        signed_data_add_sha256(der);
        der_add(der, DER_OCTET_STRING, digest->bytes, sizeof(digest->bytes));
        der_end(der, info);
        der_end(der, content);
}

/* The attributes in the order of their encodings, as DER wants the members of a SET. */
static void add_attributes(const Sha256Digest *content, int64_t time, Der *der) {
        const size_t set = der_begin(der, DER_SET);

        size_t attribute = der_begin(der, DER_SEQUENCE);
        der_add_identifier(der, id_content_type, sizeof(id_content_type));
        size_t values = der_begin(der, DER_SET);
        der_add_identifier(der, id_indirect_data, sizeof(id_indirect_data));
        der_end(der, values);
        der_end(der, attribute);

        if (time != AUTHENTICODE_NO_TIME) {
                attribute = der_begin(der, DER_SEQUENCE);
                der_add_identifier(der, id_signing_time, sizeof(id_signing_time));
                values = der_begin(der, DER_SET);
                der_add_time(der, time);
                der_end(der, values);
                der_end(der, attribute);
        }

        attribute = der_begin(der, DER_SEQUENCE);
        der_add_identifier(der, id_message_digest, sizeof(id_message_digest));
        values = der_begin(der, DER_SET);
        der_add(der, DER_OCTET_STRING, content->bytes, sizeof(content->bytes));
        der_end(der, values);
        der_end(der, attribute);
        der_end(der, set);
}

/* The digest of a value without its tag and length, which is what PKCS #7 takes of the content. */
static int digest_value(const Der *der, Sha256Digest *ret) {
        const uint8_t length = der->bytes[1];
        const size_t header_size = 2 + (length < 0x80 ? 0 : length & 0x7f);

        return sha256(der->bytes + header_size, der->size - header_size, ret);
}

int authenticode_request_make(const Sha256Digest *digest, int64_t time, AuthenticodeRequest *ret) {
        _cleanup_(authenticode_request_done) AuthenticodeRequest request = {};
        Sha256Digest content;

        assert(digest && ret);

        add_content(digest, &request.content);
        int r = der_finish(&request.content);
        if (r >= 0)
                r = digest_value(&request.content, &content);
        if (r < 0)
                return r;
        add_attributes(&content, time, &request.attributes);
        r = der_finish(&request.attributes);
        if (r < 0)
                return r;

        *ret = request;
        request = (AuthenticodeRequest){};
        return 0;
}

void authenticode_request_done(AuthenticodeRequest *request) {
        der_done(&request->content);
        der_done(&request->attributes);
}

int authenticode_signature_make(const AuthenticodeRequest *request, const Certificate *certificate,
                                const Der *signature, Der *ret) {
        const SignedData data = {
                .content_type = id_indirect_data,
                .content_type_size = sizeof(id_indirect_data),
                .content = &request->content,
                .attributes = &request->attributes,
                .certificate = certificate,
                .signature = signature,
        };

        assert(request && certificate && signature && ret);

        return signed_data_make(&data, ret);
}

int authenticode_signature_size(const Certificate *certificate, int64_t time, uint32_t *ret) {
        _cleanup_(authenticode_request_done) AuthenticodeRequest request = {};
        _cleanup_(der_done) Der signature = {}, whole = {};
        static const uint8_t bytes[CERTIFICATE_SIGNATURE_SIZE_MAX];
        const Sha256Digest digest = {};

        int r = authenticode_request_make(&digest, time, &request);
        if (r < 0)
                return r;
        der_add_raw(&signature, bytes, certificate_signature_size(certificate));
        r = authenticode_signature_make(&request, certificate, &signature, &whole);
        if (r < 0)
                return r;
        *ret = (uint32_t)whole.size;
        return 0;
}

int authenticode_sign(PeImage *image, const SigningKey *key, const Certificate *certificate, int64_t time,
                      Reason *reason) {
        _cleanup_(authenticode_request_done) AuthenticodeRequest request = {};
        _cleanup_(der_done) Der signature = {}, whole = {};
        Sha256Digest digest;

        assert(image && key && certificate);

        int r = authenticode_digest(image, &digest);
        if (r >= 0)
                r = authenticode_request_make(&digest, time, &request);
        if (r >= 0)
                r = signing_key_sign(key, request.attributes.bytes, request.attributes.size, &signature,
                                     reason);
        if (r >= 0)
                r = authenticode_signature_make(&request, certificate, &signature, &whole);
        if (r >= 0)
                r = certificate_table_append(image, &whole, reason);
        return r;
}
