/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/text.h"
#include "format/luks-reader.h"

#define VERSION         2
#define BINARY_SIZE     4096
#define HEADER_SIZE_MIN (16 * KIB)
#define HEADER_SIZE_MAX (4 * MIB)
#define AREA_ALIGNMENT  4096

#define SECTOR_SIZE_MIN 512
#define SECTOR_SIZE_MAX 4096

/* What libcryptsetup takes, for tests, and is no encryption. */
#define CIPHER_NULL "cipher_null"

/* Big-endian (2.1, figure 2). */
typedef struct BinaryHeader {
        uint8_t magic[6];
        uint16_t version;
        uint64_t size; /* with the JSON area */
        uint64_t sequence;
        char label[48];
        char checksum_algorithm[32];
        uint8_t salt[64];
        char uuid[40];
        char subsystem[48];
        uint64_t offset; /* of the header */
        uint8_t reserved[184];
        uint8_t checksum[64];
        uint8_t reserved2[7 * 512];
} __attribute__((packed)) BinaryHeader;
static_assert(sizeof(BinaryHeader) == BINARY_SIZE, "The header has another size");

/* One of the copies. */
typedef struct Copy {
        const char *name;
        BinaryHeader binary;
        char *json; /* with a NUL behind it; the area has zeros up to its end */
} Copy;

static void copy_done(Copy *copy) {
        free(copy->json);
}

/* A volume that is being read. */
typedef struct Reading {
        int fd;
        uint64_t offset, size; /* of the volume */
        Reason *reason;
} Reading;

static int bad(const Reading *reading, const Copy *copy, const char *what) {
        return reason_set(reading->reason, -EBADMSG, "The %s header %s", copy->name, what);
}

static int read_at(const Reading *reading, uint64_t at, void *buffer, size_t size) {
        if (at > reading->size || size > reading->size - at)
                return reason_set(reading->reason, -EBADMSG, "The volume is shorter than its header");
        const int r = fd_pread_all(reading->fd, buffer, size, reading->offset + at);
        return r == -ENODATA ? reason_set(reading->reason, -EBADMSG, "The volume is cut off") : r;
}

static bool is_zeros(const void *bytes, size_t size) {
        const uint8_t *first = bytes;

        return size == 0 || (first[0] == 0 && memcmp(first, first + 1, size - 1) == 0);
}

static bool is_text(const char *bytes, size_t size) {
        return memchr(bytes, '\0', size) != NULL;
}

#define IS_TEXT(member) is_text(member, sizeof(member))

/* One of the sizes that table 1 lists: searching for the secondary header relies on it. */
static bool is_size(uint64_t size) {
        return size >= HEADER_SIZE_MIN && size <= HEADER_SIZE_MAX && (size & (size - 1)) == 0;
}

static int check_binary(const Reading *reading, const Copy *copy, uint64_t at, const char *magic) {
        const BinaryHeader *binary = &copy->binary;

        if (memcmp(binary->magic, magic, sizeof(binary->magic)) != 0)
                return bad(reading, copy, "is not there");
        if (be16toh(binary->version) != VERSION)
                return bad(reading, copy, "is of another version than 2");
        if (!is_size(be64toh(binary->size)))
                return bad(reading, copy, "has an impossible size");
        if (be64toh(binary->offset) != at)
                return bad(reading, copy, "tells of another place than that where it is");
        if (!IS_TEXT(binary->label) || !IS_TEXT(binary->subsystem) || !IS_TEXT(binary->uuid) ||
            !IS_TEXT(binary->checksum_algorithm))
                return bad(reading, copy, "has text that does not end");
        if (!text_equal(binary->checksum_algorithm, "sha256"))
                return bad(reading, copy, "has a check sum of another kind than sha256");
        if (!is_zeros(binary->reserved, sizeof(binary->reserved)) ||
            !is_zeros(binary->reserved2, sizeof(binary->reserved2)) ||
            !is_zeros(binary->checksum + SHA256_SIZE, sizeof(binary->checksum) - SHA256_SIZE))
                return bad(reading, copy, "has something where zeros should be");
        return 0;
}

/* Of the header, with zeros in its place, and of the whole JSON area. */
static int check_sum(const Reading *reading, const Copy *copy, size_t json_size) {
        _cleanup_(sha256_freep) Sha256 *hash = NULL;
        BinaryHeader binary = copy->binary;
        Sha256Digest digest;

        memset(binary.checksum, 0, sizeof(binary.checksum));
        int r = sha256_new(&hash);
        if (r >= 0)
                r = sha256_add(hash, &binary, sizeof(binary));
        if (r >= 0)
                r = sha256_add(hash, copy->json, json_size);
        if (r >= 0)
                r = sha256_finish(hash, &digest);
        if (r < 0)
                return r;
        return memcmp(&digest, copy->binary.checksum, sizeof(digest)) == 0
                       ? 0
                       : bad(reading, copy, "does not have the check sum it says");
}

static int read_copy(const Reading *reading, uint64_t at, const char *magic, Copy *copy) {
        int r = read_at(reading, at, &copy->binary, sizeof(copy->binary));
        if (r >= 0)
                r = check_binary(reading, copy, at, magic);
        if (r < 0)
                return r;
        const size_t json_size = (size_t)be64toh(copy->binary.size) - BINARY_SIZE;
        copy->json = malloc(json_size + 1);
        if (!copy->json)
                return -ENOMEM;
        copy->json[json_size] = '\0';
        r = read_at(reading, at + BINARY_SIZE, copy->json, json_size);
        if (r >= 0)
                r = check_sum(reading, copy, json_size);
        if (r < 0)
                return r;
        /* 2.2: a C string, and nothing behind it. */
        const size_t length = strlen(copy->json);
        return length < json_size && is_zeros(copy->json + length, json_size - length)
                       ? 0
                       : bad(reading, copy, "has more in its JSON area than a text");
}

/* All but for what tells one from the other. The newer one would be taken (4.5); but nobody was interrupted here. */
static int compare(const Reading *reading, const Copy *primary, const Copy *secondary) {
        const BinaryHeader *one = &primary->binary, *other = &secondary->binary;

        if (one->size != other->size)
                return bad(reading, secondary, "has another size than the primary one");
        if (one->sequence != other->sequence)
                return reason_set(reading->reason, -EBADMSG, "The %s header is older than the other",
                                  be64toh(one->sequence) < be64toh(other->sequence) ? primary->name
                                                                                    : secondary->name);
        if (memcmp(one->salt, other->salt, sizeof(one->salt)) == 0)
                return bad(reading, secondary, "has the salt of the primary one");
        if (strcmp(one->label, other->label) != 0 || strcmp(one->subsystem, other->subsystem) != 0 ||
            strcmp(one->uuid, other->uuid) != 0 || strcmp(primary->json, secondary->json) != 0)
                return bad(reading, secondary, "says something else than the primary one");
        return 0;
}

static int read_headers(const Reading *reading, LuksHeader *header) {
        _cleanup_(copy_done) Copy primary = { .name = "primary" }, secondary = { .name = "secondary" };

        int r = read_copy(reading, 0, "LUKS\xba\xbe", &primary);
        if (r < 0)
                return r;
        header->size = be64toh(primary.binary.size);
        r = read_copy(reading, header->size, "SKUL\xba\xbe", &secondary);
        if (r >= 0)
                r = compare(reading, &primary, &secondary);
        if (r < 0)
                return r;
        if (uuid_parse(primary.binary.uuid, &header->uuid) < 0)
                return reason_set(reading->reason, -EBADMSG, "The headers have no UUID");
        return luks_metadata_read(primary.json, strlen(primary.json), &header->metadata, reading->reason);
}

/* Where the areas of slots end, and data may begin. */
static uint64_t slots_end(const LuksHeader *header) {
        return 2 * header->size + header->metadata.slots_size;
}

/* The sizes of 3.5, by which all others are judged. */
static int check_config(const Reading *reading, const LuksHeader *header) {
        const LuksMetadata *metadata = &header->metadata;

        if (metadata->json_size != header->size - BINARY_SIZE)
                return reason_set(reading->reason, -EBADMSG,
                                  "The size of the JSON area is another than that of the header");
        if (metadata->slots_size % AREA_ALIGNMENT != 0 || metadata->slots_size > reading->size ||
            slots_end(header) > reading->size)
                return reason_set(reading->reason, -EBADMSG,
                                  "There is no such room for key slots as it tells of");
        return 0;
}

static bool is_within_slots(const LuksHeader *header, const LuksSlot *slot) {
        const uint64_t begin = 2 * header->size, end = slots_end(header);

        return slot->offset % AREA_ALIGNMENT == 0 && slot->size > 0 && slot->offset >= begin &&
               slot->offset < end && slot->size <= end - slot->offset;
}

static int check_slot(const Reading *reading, const LuksHeader *header, unsigned number) {
        const LuksMetadata *metadata = &header->metadata;
        const LuksSlot *slot = &metadata->slots[number];
        uint64_t split_size;

        if (!is_within_slots(header, slot))
                return reason_set(reading->reason, -EBADMSG,
                                  "The area of key slot %u is not where those of slots are", number);
        if (slot->key_size == 0 || slot->n_stripes == 0 ||
            __builtin_mul_overflow(slot->key_size, slot->n_stripes, &split_size) || split_size > slot->size)
                return reason_set(reading->reason, -EBADMSG,
                                  "The area of key slot %u has no room for its key", number);
        for (unsigned i = 0; i < number; i++)
                if (metadata->has_slots & UINT32_C(1) << i &&
                    metadata->slots[i].offset < slot->offset + slot->size &&
                    slot->offset < metadata->slots[i].offset + metadata->slots[i].size)
                        return reason_set(reading->reason, -EBADMSG,
                                          "The areas of key slots %u and %u overlap", i, number);
        return 0;
}

/* There are more segments than one only while data is encrypted anew (3.3). */
static int find_data(const Reading *reading, LuksHeader *header) {
        const uint32_t mask = header->metadata.has_segments;

        if (__builtin_popcount(mask) != 1)
                return reason_set(reading->reason, -EBADMSG, "It has %d segments of data, and not one",
                                  __builtin_popcount(mask));
        header->data = &header->metadata.segments[__builtin_ctz(mask)];
        return 0;
}

static int check_data(const Reading *reading, const LuksHeader *header) {
        const LuksSegment *data = header->data;
        const uint64_t sector = data->sector_size;

        if (sector < SECTOR_SIZE_MIN || sector > SECTOR_SIZE_MAX || (sector & (sector - 1)) != 0)
                return reason_set(reading->reason, -EBADMSG, "Sectors have an impossible size: %llu bytes",
                                  (unsigned long long)sector);
        if (data->offset < slots_end(header) || data->offset % SECTOR_SIZE_MIN != 0)
                return reason_set(reading->reason, -EBADMSG,
                                  "Data is where the header is, or within a sector");
        if (data->offset >= reading->size || data->size > reading->size - data->offset)
                return reason_set(reading->reason, -EBADMSG,
                                  "Data does not fit into the volume: it is cut off");
        if ((data->size > 0 ? data->size : reading->size - data->offset) % sector != 0)
                return reason_set(reading->reason, -EBADMSG,
                                  "The size of data is no multiple of its sectors'");
        if (strncmp(data->encryption, CIPHER_NULL, strlen(CIPHER_NULL)) == 0)
                return reason_set(reading->reason, -EBADMSG, "The cipher %s encrypts nothing",
                                  data->encryption);
        return 0;
}

/* All references lead somewhere, and whatever has a key has one digest of it (3.4). */
static int check_references(const Reading *reading, LuksHeader *header) {
        const LuksMetadata *metadata = &header->metadata;
        uint32_t slots = 0, segments = 0;

        for (unsigned i = 0; i < LUKS_OBJECTS_MAX; i++) {
                const LuksDigest *digest = &metadata->digests[i];

                if (digest->slots & ~metadata->has_slots || digest->segments & ~metadata->has_segments)
                        return reason_set(reading->reason, -EBADMSG,
                                          "Digest %u is of a key slot or segment that there is not", i);
                if (metadata->tokens[i] & ~metadata->has_slots)
                        return reason_set(reading->reason, -EBADMSG,
                                          "Token %u is for a key slot that there is not", i);
                if (slots & digest->slots || segments & digest->segments)
                        return reason_set(reading->reason, -EBADMSG,
                                          "Digest %u is of a key slot or segment that has one already", i);
                slots |= digest->slots;
                segments |= digest->segments;
                if (digest->segments)
                        header->opening = digest->slots;
        }
        if (slots != metadata->has_slots || segments != metadata->has_segments)
                return reason_set(reading->reason, -EBADMSG,
                                  "There is a key slot or segment without a digest");
        return header->opening ? 0 : reason_set(reading->reason, -EBADMSG, "No key slot opens it");
}

int luks_header_read(int fd, uint64_t offset, uint64_t volume_size, LuksHeader *ret, Reason *reason) {
        const Reading reading = { .fd = fd, .offset = offset, .size = volume_size, .reason = reason };

        assert(fd >= 0 && ret);

        int r = read_headers(&reading, ret);
        if (r >= 0)
                r = check_config(&reading, ret);
        for (unsigned i = 0; i < LUKS_OBJECTS_MAX && r >= 0; i++)
                if (ret->metadata.has_slots & UINT32_C(1) << i)
                        r = check_slot(&reading, ret, i);
        if (r >= 0)
                r = find_data(&reading, ret);
        if (r >= 0)
                r = check_data(&reading, ret);
        return r < 0 ? r : check_references(&reading, ret);
}

void luks_header_done(LuksHeader *header) {
        luks_metadata_done(&header->metadata);
        *header = (LuksHeader){};
}

/* Whether a slot before this one, of those that open the data, has the same kind of derivation. */
static bool is_told(const LuksHeader *header, unsigned number) {
        const LuksDerivation *own = &header->metadata.slots[number].derivation;

        for (unsigned i = 0; i < number; i++) {
                const LuksDerivation *other = &header->metadata.slots[i].derivation;

                if (header->opening & UINT32_C(1) << i && text_equal(own->type, other->type) &&
                    own->memory_size == other->memory_size && own->iterations == other->iterations)
                        return true;
        }
        return false;
}

static void describe_derivation(const LuksDerivation *derivation, FILE *file) {
        (void)fprintf(file, ", %s ", derivation->type);
        if (derivation->memory_size == 0)
                (void)fprintf(file, "%llu iterations", (unsigned long long)derivation->iterations);
        else if (derivation->memory_size % MIB == 0)
                (void)fprintf(file, "%llu MiB", (unsigned long long)(derivation->memory_size / MIB));
        else
                (void)fprintf(file, "%llu KiB", (unsigned long long)(derivation->memory_size / KIB));
}

int luks_header_describe(const LuksHeader *header, char **ret) {
        const int n = __builtin_popcount(header->opening);
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return -ENOMEM;
        (void)fprintf(file, "LUKS2, %s, %d key slot%s", header->data->encryption, n, n == 1 ? "" : "s");
        for (unsigned i = 0; i < LUKS_OBJECTS_MAX; i++)
                if (header->opening & UINT32_C(1) << i && !is_told(header, i))
                        describe_derivation(&header->metadata.slots[i].derivation, file);
        const bool failed = ferror(file);
        if (fclose(file) != 0 || failed)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}
