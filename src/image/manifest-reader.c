/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/json-reader.h"
#include "base/text.h"
#include "image/manifest-reader.h"
#include "verity/root-hash.h"

#define FILES_MAX      64
#define PARTITIONS_MAX 128

void manifest_done(Manifest *manifest) {
        for (size_t i = 0; i < manifest->n_files; i++) {
                free(manifest->files[i].name);
                free(manifest->files[i].kind);
        }
        free(manifest->files);
        for (size_t i = 0; i < manifest->n_partitions; i++)
                free(manifest->partitions[i].name);
        free(manifest->partitions);
        *manifest = (Manifest){};
}

static int read_uuid(JsonReader *reader, void *userdata, Reason *reason) {
        _cleanup_(freep) char *text = NULL;

        const int r = json_read_text(reader, &text);
        if (r < 0)
                return r;
        return uuid_parse(text, userdata) < 0 ? -EBADMSG : 0;
}

/* 64 digits, that a member has whose name is given. */
static int parse_digest(const char *name, const char *text, Sha256Digest *ret, Reason *reason) {
        return root_hash_parse(text, ret) < 0
                       ? reason_set(reason, -EBADMSG, "The member \"%s\" is no SHA-256", name)
                       : 0;
}

/* "0x0000000000000000": 64 bits, of which readers of JSON numbers keep 53. */
static int read_bits(JsonReader *reader, void *userdata, Reason *reason) {
        static const char digits[] = "0123456789abcdef";
        _cleanup_(freep) char *text = NULL;
        uint64_t *bits = userdata;

        const int r = json_read_text(reader, &text);
        if (r < 0)
                return r;
        const char *rest = text_after_prefix(text, "0x");
        if (!rest || strlen(rest) != 16 || strspn(rest, digits) != 16)
                return -EBADMSG;
        *bits = 0;
        for (; *rest; rest++)
                *bits = *bits << 4 | (uint64_t)(strchr(digits, *rest) - digits);
        return 0;
}

/* Nobody may be led out of the directory. */
static bool is_name(const char *name) {
        return name[0] != '\0' && !strchr(name, '/') && !text_equal(name, ".") && !text_equal(name, "..");
}

static int read_file(JsonReader *reader, void *userdata, Reason *reason) {
        Manifest *manifest = userdata;

        if (manifest->n_files == FILES_MAX)
                return reason_set(reason, -EBADMSG, "There are more than %d files", FILES_MAX);
        ManifestFile *more = reallocarray(manifest->files, manifest->n_files + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        manifest->files = more;
        ManifestFile *file = &more[manifest->n_files++];
        *file = (ManifestFile){ .size = UINT64_MAX };

        _cleanup_(freep) char *digits = NULL;
        const JsonField fields[] = {
                { "name", .text = &file->name },
                { "kind", .text = &file->kind },
                { "size", .number = &file->size, .optional = true },
                { "sha256", .text = &digits, .optional = true },
        };
        const int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r < 0)
                return r;
        if (!is_name(file->name))
                return reason_set(reason, -EBADMSG, "A file has a name that none can have");
        file->hashed = digits;
        return digits ? parse_digest("sha256", digits, &file->digest, reason) : 0;
}

static int read_files(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_items(reader, read_file, userdata, reason);
}

static int read_partition(JsonReader *reader, void *userdata, Reason *reason) {
        Manifest *manifest = userdata;

        if (manifest->n_partitions == PARTITIONS_MAX)
                return reason_set(reason, -EBADMSG, "There are more than %d partitions", PARTITIONS_MAX);
        ManifestPartition *more =
                reallocarray(manifest->partitions, manifest->n_partitions + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        manifest->partitions = more;
        ManifestPartition *partition = &more[manifest->n_partitions++];
        *partition = (ManifestPartition){};

        const JsonField fields[] = {
                { "type_uuid", .read = read_uuid, .userdata = &partition->type },
                { "uuid", .read = read_uuid, .userdata = &partition->uuid },
                { "name", .text = &partition->name },
                { "offset", .number = &partition->offset },
                { "size", .number = &partition->size },
                { "attributes", .read = read_bits, .userdata = &partition->attributes },
                { "encrypted", .truth = &partition->encrypted },
        };
        return json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
}

static int read_partitions(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_items(reader, read_partition, userdata, reason);
}

static int read_disk(JsonReader *reader, void *userdata, Reason *reason) {
        Manifest *manifest = userdata;
        const JsonField fields[] = {
                { "uuid", .read = read_uuid, .userdata = &manifest->disk_uuid },
                { "size", .number = &manifest->disk_size },
                { "partitions", .read = read_partitions, .userdata = manifest },
        };

        manifest->has_disk = true;
        return json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
}

static int read_version(JsonReader *reader, Manifest *manifest, Reason *reason) {
        const JsonField fields[] = { { "manifest_version", .number = &manifest->version } };

        const int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        return r < 0 ? r : json_read_end(reader);
}

static int read_members(JsonReader *reader, Manifest *manifest, Reason *reason) {
        _cleanup_(freep) char *root_hash = NULL;
        const JsonField fields[] = {
                { "artefacts", .read = read_files, .userdata = manifest },
                { "root_hash", .text = &root_hash, .optional = true },
                { "disk", .read = read_disk, .userdata = manifest, .optional = true },
        };

        const int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r < 0)
                return r;
        manifest->has_root_hash = root_hash;
        return root_hash ? parse_digest("root_hash", root_hash, &manifest->root_hash, reason) : 0;
}

int manifest_read(const char *text, size_t size, Manifest *ret, Reason *reason) {
        const JsonReader begin = { .position = text, .end = text + size };
        JsonReader reader = begin;

        assert(text && ret);

        /* What the others mean, the version says. */
        int r = read_version(&reader, ret, reason);
        if (r >= 0 && ret->version == MANIFEST_VERSION) {
                reader = begin;
                r = read_members(&reader, ret, reason);
        }
        return r == -EBADMSG ? reason_set(reason, r, "It is no JSON object") : r;
}
