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
static int add_time(Der *der, int64_t time) {
        const time_t seconds = (time_t)time;
        struct tm parts;

        if (!gmtime_r(&seconds, &parts) || parts.tm_year + 1900 < 1900 || parts.tm_year + 1900 > 9999)
                return -ERANGE;
        const uint8_t fields[] = {
                (uint8_t)(parts.tm_mon + 1), (uint8_t)parts.tm_mday, (uint8_t)parts.tm_hour,
                (uint8_t)parts.tm_min,       (uint8_t)parts.tm_sec,  0,
        };
        static const uint8_t nothing[8]; /* nanosecond, time zone, daylight saving time, padding */

        add_16(der, (uint16_t)(parts.tm_year + 1900));
        der_add_raw(der, fields, sizeof(fields));
        der_add_raw(der, nothing, sizeof(nothing));
        return 0;
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
static int write_signed_bytes(EfiVariable variable, const Der *content, const Der *time, Der *der) {
        for (const char *letter = efi_variable_names[variable]; *letter != '\0'; letter++)
                add_16(der, (uint16_t)*letter);
        add_guid(der, variable == EFI_VARIABLE_DB ? security_database : global_variable);
        add_32(der, VARIABLE_ATTRIBUTES);
        der_add_raw(der, time->bytes, time->size);
        der_add_raw(der, content->bytes, content->size);
        return der_finish(der);
}

static int sign(const Der *bytes, const SigningKey *key, const Certificate *certificate, Der *ret,
                Reason *reason) {
        _cleanup_(der_done) Der signature = {};
        const SignedData data = {
                .content_type = id_data,
                .content_type_size = sizeof(id_data),
                .certificate = certificate,
                .signature = &signature,
                .bare = true,
        };

        const int r = signing_key_sign(key, bytes->bytes, bytes->size, &signature, reason);
        if (r < 0)
                return r;
        signed_data_write(&data, ret);
        return der_finish(ret);
}

int efi_variable_write(EfiVariable variable, const Der *content, int64_t time, const SigningKey *key,
                       const Certificate *certificate, Der *ret, Reason *reason) {
        _cleanup_(der_done) Der time_bytes = {}, signed_bytes = {}, signature = {}, whole = {};

        assert(variable < EFI_VARIABLE_MAX && content && key && certificate && ret);

        int r = add_time(&time_bytes, time);
        if (r < 0)
                return reason_set(reason, r, "EFI variables cannot have that time");
        r = write_signed_bytes(variable, content, &time_bytes, &signed_bytes);
        if (r >= 0)
                r = sign(&signed_bytes, key, certificate, &signature, reason);
        if (r < 0)
                return r;

        der_add_raw(&whole, time_bytes.bytes, time_bytes.size);
        add_32(&whole, (uint32_t)(CERTIFICATE_HEADER_SIZE + signature.size));
        add_16(&whole, CERTIFICATE_REVISION_2);
        add_16(&whole, CERTIFICATE_TYPE_GUID);
        add_guid(&whole, type_pkcs7);
        der_add_raw(&whole, signature.bytes, signature.size);
        der_add_raw(&whole, content->bytes, content->size);
        r = der_finish(&whole);
        if (r < 0)
                return r;

        *ret = whole;
        whole = (Der){};
        return 0;
}
