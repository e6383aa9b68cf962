/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "secureboot/certificate-table.h"

#define ALIGNMENT          8
#define CHECKSUM_SIZE      4
#define READ_SIZE          (256 * KIB)
#define DIRECTORY_SIZE     8
#define ENTRY_REVISION     4
#define ENTRY_TYPE         6
#define SIGNATURE_SIZE_MAX (1 * MIB)

static void write_number(uint8_t *bytes, size_t width, uint32_t value) {
        value = htole32(value);
        memcpy(bytes, &value, width);
}

static uint32_t read_number(const uint8_t *bytes, size_t width) {
        uint32_t value = 0;

        memcpy(&value, bytes, width);
        return le32toh(value);
}

int certificate_table_read(const PeImage *image, CertificateTable *ret, Reason *reason) {
        const uint64_t end = (uint64_t)image->certificates_offset + image->certificates_size;
        uint64_t offset = image->certificates_offset;
        CertificateTable table = {};

        assert(image && ret);

        while (image->certificates_size > 0 && offset < end) {
                uint8_t header[CERTIFICATE_ENTRY_HEADER_SIZE];

                if (end - offset <= sizeof(header))
                        return reason_set(reason, -EBADMSG, "The certificate table ends within an entry");
                if (table.n_entries == CERTIFICATE_ENTRIES_MAX)
                        return reason_set(reason, -EBADMSG, "The certificate table has more than %d entries",
                                          CERTIFICATE_ENTRIES_MAX);
                const int r = fd_pread_all(image->fd, header, sizeof(header), offset);
                if (r < 0)
                        return r;
                const uint32_t size = read_number(header, 4);
                if (size <= sizeof(header) || size > end - offset)
                        return reason_set(reason, -EBADMSG, "An entry of the certificate table has %u bytes",
                                          size);

                table.entries[table.n_entries++] = (CertificateEntry){
                        .offset = (uint32_t)(offset + sizeof(header)),
                        .size = size - (uint32_t)sizeof(header),
                        .revision = (uint16_t)read_number(header + ENTRY_REVISION, 2),
                        .type = (uint16_t)read_number(header + ENTRY_TYPE, 2),
                };
                offset = align_up(offset + size, ALIGNMENT);
        }
        *ret = table;
        return 0;
}

int certificate_entry_read(const PeImage *image, const CertificateEntry *entry, Der *ret) {
        _cleanup_(freep) uint8_t *bytes = NULL;

        if (entry->size > SIGNATURE_SIZE_MAX)
                return -EFBIG;
        bytes = malloc(entry->size);
        if (!bytes)
                return -ENOMEM;
        const int r = fd_pread_all(image->fd, bytes, entry->size, entry->offset);
        if (r < 0)
                return r;
        *ret = (Der){ .size = entry->size, .capacity = entry->size, .bytes = TAKE_PTR(bytes) };
        return 0;
}

/* The sum of all 16-bit words; carries are added below. Words of 32 bits do, since 2^16 is 1 modulo what is left in
 * the end. What is less than a word at the end is filled up with zeros. */
static uint64_t add_words(uint64_t sum, uint8_t *bytes, size_t size) {
        memset(bytes + size, 0, align_up(size, sizeof(uint32_t)) - size);
        for (size_t i = 0; i < size; i += sizeof(uint32_t))
                sum += read_number(bytes + i, 4);
        return sum;
}

/* As ImageHelp's CheckSumMappedFile() does it: the field itself counts as zero, and the file's size is added. */
static int compute_checksum(const PeImage *image, uint64_t file_size, uint32_t *ret) {
        _cleanup_(freep) uint8_t *bytes = malloc(READ_SIZE);
        uint64_t sum = 0;

        if (!bytes)
                return -ENOMEM;
        for (uint64_t offset = 0; offset < file_size;) {
                const size_t size = (size_t)MIN(file_size - offset, READ_SIZE);

                const int r = fd_pread_all(image->fd, bytes, size, offset);
                if (r < 0)
                        return r;
                if (image->checksum_offset >= offset && image->checksum_offset < offset + size)
                        memset(bytes + (image->checksum_offset - offset), 0, CHECKSUM_SIZE);
                sum = add_words(sum, bytes, size);
                offset += size;
        }
        while (sum > UINT16_MAX)
                sum = (sum & UINT16_MAX) + (sum >> 16);
        *ret = (uint32_t)(sum + file_size);
        return 0;
}

static int write_field(PeImage *image, uint32_t offset, const uint8_t *bytes, size_t size) {
        const int r = fd_pwrite_all(image->fd, bytes, size, offset);

        if (r >= 0)
                memcpy(image->headers + offset, bytes, size);
        return r;
}

static int write_checksum(PeImage *image, uint32_t checksum) {
        uint8_t field[CHECKSUM_SIZE];

        write_number(field, sizeof(field), checksum);
        return write_field(image, image->checksum_offset, field, sizeof(field));
}

/* Says in the headers where the table is. */
static int set_table(PeImage *image, uint32_t offset, uint32_t size) {
        uint8_t entry[DIRECTORY_SIZE];

        write_number(entry, 4, offset);
        write_number(entry + 4, 4, size);
        const int r = write_field(image, image->certificates_directory_offset, entry, sizeof(entry));
        if (r < 0)
                return r;
        image->certificates_offset = offset;
        image->certificates_size = size;
        return 0;
}

static int update_checksum(PeImage *image) {
        struct stat status;
        uint32_t checksum;

        if (fstat(image->fd, &status) < 0)
                return -errno;
        const int r = compute_checksum(image, (uint64_t)status.st_size, &checksum);
        return r < 0 ? r : write_checksum(image, checksum);
}

/* Appends an entry with room for so many bytes, which are zero. */
static int append_entry(PeImage *image, uint32_t size, CertificateEntry *ret, Reason *reason) {
        uint8_t header[CERTIFICATE_ENTRY_HEADER_SIZE];
        struct stat status;

        if (image->certificates_directory_offset == 0)
                return reason_set(reason, -ENOTSUP,
                                  "The headers of the PE image have no room for signatures");
        if (fstat(image->fd, &status) < 0)
                return -errno;

        /* Authenticode signs the padding in front of the table, too. */
        const uint64_t offset = align_up((uint64_t)status.st_size, ALIGNMENT);
        const uint64_t table = image->certificates_size > 0 ? image->certificates_offset : offset;
        const uint64_t entry_size = align_up(sizeof(header) + size, ALIGNMENT);
        if (size > SIGNATURE_SIZE_MAX || offset + entry_size > UINT32_MAX)
                return reason_set(reason, -EFBIG, "The PE image has no room for a signature of %u bytes",
                                  size);

        if (ftruncate(image->fd, (off_t)(offset + entry_size)) < 0)
                return -errno;
        write_number(header, 4, (uint32_t)entry_size);
        write_number(header + ENTRY_REVISION, 2, CERTIFICATE_REVISION);
        write_number(header + ENTRY_TYPE, 2, CERTIFICATE_SIGNED_DATA);
        int r = fd_pwrite_all(image->fd, header, sizeof(header), offset);
        if (r < 0)
                return r;
        r = set_table(image, (uint32_t)table, (uint32_t)(offset + entry_size - table));
        if (r < 0)
                return r;
        *ret = (CertificateEntry){
                .offset = (uint32_t)(offset + sizeof(header)),
                .size = (uint32_t)(entry_size - sizeof(header)),
                .revision = CERTIFICATE_REVISION,
                .type = CERTIFICATE_SIGNED_DATA,
        };
        return 0;
}

int certificate_table_append(PeImage *image, const Der *signature, Reason *reason) {
        CertificateEntry entry;

        assert(image && signature && signature->size > 0);

        if (signature->size > SIGNATURE_SIZE_MAX)
                return reason_set(reason, -EFBIG, "A signature of %zu bytes is too large", signature->size);
        int r = append_entry(image, (uint32_t)signature->size, &entry, reason);
        if (r < 0)
                return r;
        r = fd_pwrite_all(image->fd, signature->bytes, signature->size, entry.offset);
        if (r < 0)
                return r;
        return update_checksum(image);
}

int certificate_table_remove(PeImage *image) {
        if (image->certificates_size == 0)
                return 0;
        if (ftruncate(image->fd, (off_t)image->certificates_offset) < 0)
                return -errno;
        const int r = set_table(image, 0, 0);
        return r < 0 ? r : update_checksum(image);
}

int certificate_table_reserve(PeImage *image, uint32_t size, CertificateEntry *ret, Reason *reason) {
        assert(image && size > 0 && ret);

        const int r = append_entry(image, size, ret, reason);
        return r < 0 ? r : write_checksum(image, 0);
}

int certificate_entry_fill(PeImage *image, const CertificateEntry *entry, const Der *signature,
                           Reason *reason) {
        _cleanup_(freep) uint8_t *bytes = NULL;

        if (signature->size > entry->size)
                return reason_set(reason, -ENOSPC, "The signature has %zu bytes, but %u are reserved for it",
                                  signature->size, entry->size);
        bytes = calloc(1, entry->size);
        if (!bytes)
                return -ENOMEM;
        memcpy(bytes, signature->bytes, signature->size);
        const int r = fd_pwrite_all(image->fd, bytes, entry->size, entry->offset);
        return r < 0 ? r : update_checksum(image);
}
