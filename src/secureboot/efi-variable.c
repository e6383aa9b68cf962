/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <string.h>
#include <time.h>

#include "secureboot/efi-variable.h"
#include "secureboot/signed-data.h"

/* UEFI Specification, 3.3 and 32.4.1, 8.2.2. */
static const Uuid global_variable = { { 0x8b, 0xe4, 0xdf, 0x61, 0x93, 0xca, 0x11, 0xd2, 0xaa, 0x0d, 0x00,
                                        0xe0, 0x98, 0x03, 0x2b, 0x8c } };
static const Uuid security_database = { { 0xd7, 0x19, 0xb2, 0xcb, 0x3d, 0x3a, 0x45, 0x96, 0xa3, 0xbc, 0xda,
                                          0xd0, 0x0e, 0x67, 0x65, 0x6f } };
static const Uuid type_x509 = { { 0xa5, 0xc0, 0x59, 0xa1, 0x94, 0xe4, 0x4a, 0xa7, 0x87, 0xb5, 0xab, 0x15,
                                  0x5c, 0x2b, 0xf0, 0x72 } };
static const Uuid type_pkcs7 = { { 0x4a, 0xaf, 0xd2, 0x9d, 0x68, 0xdf, 0x49, 0xee, 0x8a, 0xa9, 0x34, 0x7d,
                                   0x37, 0x56, 0x65, 0xa7 } };

/* Non-volatile, for boot services and at run time, authenticated by time. */
#define VARIABLE_ATTRIBUTES UINT32_C(0x27)

#define TIME_SIZE               16
#define CERTIFICATE_REVISION_2  0x0200 /* WIN_CERTIFICATE.wRevision */
#define CERTIFICATE_TYPE_GUID   0x0ef1 /* WIN_CERT_TYPE_EFI_GUID */
#define CERTIFICATE_HEADER_SIZE (8 + sizeof(Uuid))
#define SIGNATURE_LIST_SIZE     (sizeof(Uuid) + 3 * sizeof(uint32_t))

static const uint8_t id_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };

const char *const efi_variable_names[] = {
        [EFI_VARIABLE_DB] = "db",
        [EFI_VARIABLE_KEK] = "KEK",
        [EFI_VARIABLE_PK] = "PK",
        [EFI_VARIABLE_MAX] = NULL,
};
static_assert(ELEMENTSOF(efi_variable_names) == EFI_VARIABLE_MAX + 1, "a name is missing");

static void add_16(Der *der, uint16_t value) {
        value = htole16(value);
        der_add_raw(der, &value, sizeof(value));
}

static void add_32(Der *der, uint32_t value) {
        value = htole32(value);
        der_add_raw(der, &value, sizeof(value));
}

/* EFI writes the first three parts of a UUID as numbers, the lowest byte first. */
static void add_guid(Der *der, Uuid uuid) {
        static const uint8_t order[] = { 3, 2, 1, 0, 5, 4, 7, 6 };

        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                der_add_raw(der, &uuid.bytes[order[i]], 1);
        der_add_raw(der, uuid.bytes + ELEMENTSOF(order), sizeof(uuid.bytes) - ELEMENTSOF(order));
}

/* EFI_TIME in UTC; what is less than a second must be zero here. */
static int add_time(Der *der, int64_t time, Reason *reason) {
        const time_t seconds = (time_t)time;
        struct tm parts;

        if (!gmtime_r(&seconds, &parts) || parts.tm_year + 1900 < 1900 || parts.tm_year + 1900 > 9999)
                return reason_set(reason, -ERANGE, "EFI variables cannot have that time");
        const uint8_t fields[] = {
                (uint8_t)(parts.tm_mon + 1), (uint8_t)parts.tm_mday, (uint8_t)parts.tm_hour,
                (uint8_t)parts.tm_min,       (uint8_t)parts.tm_sec,  0,
        };
        static const uint8_t nothing[8]; /* nanosecond, time zone, daylight saving time, padding */

        add_16(der, (uint16_t)(parts.tm_year + 1900));
        der_add_raw(der, fields, sizeof(fields));
        der_add_raw(der, nothing, sizeof(nothing));
        return der_finish(der);
}

void efi_signature_list_write(const Certificate *certificate, Uuid owner, Der *der) {
        const uint32_t signature_size = (uint32_t)(sizeof(Uuid) + certificate->encoding.size);

        add_guid(der, type_x509);
        add_32(der, (uint32_t)SIGNATURE_LIST_SIZE + signature_size);
        add_32(der, 0); /* no header */
        add_32(der, signature_size);
        add_guid(der, owner);
        der_add_raw(der, certificate->encoding.bytes, certificate->encoding.size);
}

/* What the signature is of: name without its end, vendor, attributes, time, content. */
static int write_signed_bytes(EfiVariable variable, const void *content, size_t size, const void *time,
                              Der *der) {
        for (const char *letter = efi_variable_names[variable]; *letter != '\0'; letter++)
                add_16(der, (uint16_t)*letter);
        add_guid(der, variable == EFI_VARIABLE_DB ? security_database : global_variable);
        add_32(der, VARIABLE_ATTRIBUTES);
        der_add_raw(der, time, TIME_SIZE);
        der_add_raw(der, content, size);
        return der_finish(der);
}

int efi_variable_signature_make(const Certificate *certificate, const Der *signature, Der *ret) {
        const SignedData data = {
                .content_type = id_data,
                .content_type_size = sizeof(id_data),
                .certificate = certificate,
                .signature = signature,
                .bare = true,
        };

        assert(certificate && signature && ret);

        return signed_data_make(&data, ret);
}

/* The file: time, header, signature, content. */
static int write_file(const Der *time, const void *signature, size_t signature_size, const Der *content,
                      Der *ret) {
        _cleanup_(der_done) Der whole = {};

        der_add_raw(&whole, time->bytes, time->size);
        add_32(&whole, (uint32_t)(CERTIFICATE_HEADER_SIZE + signature_size));
        add_16(&whole, CERTIFICATE_REVISION_2);
        add_16(&whole, CERTIFICATE_TYPE_GUID);
        add_guid(&whole, type_pkcs7);
        der_add_raw(&whole, signature, signature_size);
        der_add_raw(&whole, content->bytes, content->size);
        const int r = der_finish(&whole);
        if (r < 0)
                return r;

        *ret = whole;
        whole = (Der){};
        return 0;
}

int efi_variable_write(EfiVariable variable, const Der *content, int64_t time, const SigningKey *key,
                       const Certificate *certificate, Der *ret, Reason *reason) {
        _cleanup_(der_done) Der time_bytes = {}, signed_bytes = {}, raw = {}, signature = {};

        assert(variable < EFI_VARIABLE_MAX && content && key && certificate && ret);

        int r = add_time(&time_bytes, time, reason);
        if (r >= 0)
                r = write_signed_bytes(variable, content->bytes, content->size, time_bytes.bytes,
                                       &signed_bytes);
        if (r >= 0)
                r = signing_key_sign(key, signed_bytes.bytes, signed_bytes.size, &raw, reason);
        if (r >= 0)
                r = efi_variable_signature_make(certificate, &raw, &signature);
        return r < 0 ? r : write_file(&time_bytes, signature.bytes, signature.size, content, ret);
}

int efi_variable_reserve(const Der *content, int64_t time, const Certificate *certificate, Der *ret,
                         Reason *reason) {
        static const uint8_t zeros[CERTIFICATE_SIGNATURE_SIZE_MAX];
        _cleanup_(der_done) Der time_bytes = {}, raw = {}, signature = {};

        assert(content && certificate && ret);

        if (certificate->algorithm != SIGNATURE_RSA)
                return reason_set(
                        reason, -ENOTSUP,
                        "Signatures of EFI variables by EC keys have no fixed size, so that no place "
                        "can be kept for them");
        int r = add_time(&time_bytes, time, reason);
        if (r < 0)
                return r;
        der_add_raw(&raw, zeros, certificate_signature_size(certificate));
        r = efi_variable_signature_make(certificate, &raw, &signature);
        if (r < 0)
                return r;
        memset(signature.bytes, 0, signature.size);
        return write_file(&time_bytes, signature.bytes, signature.size, content, ret);
}

int efi_variable_read(EfiVariable variable, const void *bytes, size_t size, EfiVariableParts *ret,
                      Reason *reason) {
        static const size_t begin = TIME_SIZE + CERTIFICATE_HEADER_SIZE;
        _cleanup_(efi_variable_parts_done) EfiVariableParts parts = { .signature_offset = begin };
        _cleanup_(der_done) Der expected = {};
        uint32_t length;

        assert(variable < EFI_VARIABLE_MAX && bytes && ret);

        if (size < begin)
                return reason_set(reason, -EBADMSG, "An EFI variable has more than %zu bytes", size);
        memcpy(&length, (const uint8_t *)bytes + TIME_SIZE, sizeof(length));
        length = le32toh(length);
        add_16(&expected, CERTIFICATE_REVISION_2);
        add_16(&expected, CERTIFICATE_TYPE_GUID);
        add_guid(&expected, type_pkcs7);
        int r = der_finish(&expected);
        if (r < 0)
                return r;
        if (length <= CERTIFICATE_HEADER_SIZE || length > size - TIME_SIZE ||
            memcmp((const uint8_t *)bytes + TIME_SIZE + sizeof(length), expected.bytes, expected.size) != 0)
                return reason_set(reason, -EBADMSG, "This is no EFI variable with a signature");
        parts.signature_size = length - CERTIFICATE_HEADER_SIZE;
        const size_t end = begin + parts.signature_size;
        r = write_signed_bytes(variable, (const uint8_t *)bytes + end, size - end, bytes,
                               &parts.signed_bytes);
        if (r < 0)
                return r;

        *ret = parts;
        parts = (EfiVariableParts){};
        return 0;
}

void efi_variable_parts_done(EfiVariableParts *parts) {
        der_done(&parts->signed_bytes);
}

/* The signature itself is what the structure ends with. */
int efi_variable_is_signed(const void *bytes, const EfiVariableParts *parts, const Certificate *certificate) {
        const size_t size = certificate_signature_size(certificate);
        const uint8_t *place = (const uint8_t *)bytes + parts->signature_offset;
        _cleanup_(der_done) Der raw = {}, made = {};

        if (certificate->algorithm != SIGNATURE_RSA || parts->signature_size < size)
                return 0;
        der_add_raw(&raw, place + parts->signature_size - size, size);
        const int r = efi_variable_signature_make(certificate, &raw, &made);
        if (r < 0)
                return r;
        if (made.size != parts->signature_size || memcmp(made.bytes, place, made.size) != 0)
                return 0;
        return certificate_verify(certificate, parts->signed_bytes.bytes, parts->signed_bytes.size, raw.bytes,
                                  raw.size);
}
