/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "secureboot/authenticode-offline.h"

int authenticode_reserve(PeImage *image, const Certificate *certificate, int64_t time, Reason *reason) {
        CertificateEntry entry;
        uint32_t size;

        assert(image && certificate);

        const int r = authenticode_signature_size(certificate, time, &size);
        return r < 0 ? r : certificate_table_reserve(image, size, &entry, reason);
}

int authenticode_is_reserved(const PeImage *image, const CertificateEntry *entry) {
        _cleanup_(der_done) Der bytes = {};

        const int r = certificate_entry_read(image, entry, &bytes);
        if (r == -EFBIG)
                return 0;
        if (r < 0)
                return r;
        for (size_t i = 0; i < bytes.size; i++)
                if (bytes.bytes[i] != 0)
                        return 0;
        return 1;
}

int authenticode_find_reserved(const PeImage *image, CertificateEntry *ret, Reason *reason) {
        CertificateTable table;

        assert(image && ret);

        const int r = certificate_table_read(image, &table, reason);
        if (r < 0 || table.n_entries == 0)
                return r;
        *ret = table.entries[table.n_entries - 1];
        return authenticode_is_reserved(image, ret);
}

int authenticode_request_of(const PeImage *image, int64_t time, AuthenticodeRequest *ret) {
        Sha256Digest digest;

        const int r = authenticode_digest(image, &digest);
        return r < 0 ? r : authenticode_request_make(&digest, time, ret);
}

int authenticode_fill(PeImage *image, const CertificateEntry *entry, int64_t time,
                      const Certificate *certificate, const Der *signature, Reason *reason) {
        _cleanup_(authenticode_request_done) AuthenticodeRequest request = {};
        _cleanup_(der_done) Der whole = {};

        assert(image && entry && certificate && signature);

        int r = authenticode_request_of(image, time, &request);
        if (r < 0)
                return r;
        r = certificate_verify(certificate, request.attributes.bytes, request.attributes.size,
                               signature->bytes, signature->size);
        if (r == 0)
                return reason_set(
                        reason, -EKEYREJECTED,
                        "The key of the certificate '%s' did not make this signature of these bytes",
                        certificate->subject);
        if (r > 0)
                r = authenticode_signature_make(&request, certificate, signature, &whole);
        return r < 0 ? r : certificate_entry_fill(image, entry, &whole, reason);
}
