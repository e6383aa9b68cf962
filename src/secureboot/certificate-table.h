/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The attribute certificate table of a PE image (Microsoft PE Format, "The Attribute Certificate Table"): signatures
 * one behind the other at the end of the file, each in a WIN_CERTIFICATE. */

#include "base/macro.h"
#include "base/reason.h"
#include "secureboot/der.h"
#include "secureboot/pe.h"

/* More signatures than this are nonsense. */
#define CERTIFICATE_ENTRIES_MAX 64

/* What stands in front of a signature. */
#define CERTIFICATE_ENTRY_HEADER_SIZE 8

enum {
        CERTIFICATE_REVISION = 0x0200,   /* WIN_CERT_REVISION_2_0 */
        CERTIFICATE_SIGNED_DATA = 0x0002 /* WIN_CERT_TYPE_PKCS_SIGNED_DATA */
};

typedef struct CertificateEntry {
        uint32_t offset, size;   /* of the signature itself in the file; its padding counts */
        uint16_t revision, type; /* CERTIFICATE_REVISION, CERTIFICATE_SIGNED_DATA */
} CertificateEntry;

typedef struct CertificateTable {
        CertificateEntry entries[CERTIFICATE_ENTRIES_MAX];
        size_t n_entries;
} CertificateTable;

/* Reads the headers of all entries. -EBADMSG when one reaches over the table's end; an image without a table has
 * none. */
int certificate_table_read(const PeImage *image, CertificateTable *ret, Reason *reason);

/* What an entry holds, padding included. */
int certificate_entry_read(const PeImage *image, const CertificateEntry *entry, Der *ret);

/* All that follow change the file, which must be open for writing, and the image with it. The checksum in the headers
 * is computed anew. */

/* Appends a signature behind those that are there, padded to 8 bytes as each of them is. -ENOTSUP when the image's
 * headers have no room for a table, -EFBIG when the file would be too large. */
int certificate_table_append(PeImage *image, const Der *signature, Reason *reason);

/* Takes all signatures away. */
int certificate_table_remove(PeImage *image);

/* For signatures that are made elsewhere: appends an entry with so many zeros in it. The checksum becomes 0. */
int certificate_table_reserve(PeImage *image, uint32_t size, CertificateEntry *ret, Reason *reason);
/* Changes the entry and the checksum, and nothing else: an entry that was reserved and is filled is as one that was
 * appended. -ENOSPC when the signature is larger than what was reserved; what is left over remains zero. */
int certificate_entry_fill(PeImage *image, const CertificateEntry *entry, const Der *signature,
                           Reason *reason);
