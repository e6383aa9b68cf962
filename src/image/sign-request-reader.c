/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The reading half of sign-request.h. */

#include <string.h>

#include "base/base64.h"
#include "base/json-reader.h"
#include "base/text.h"
#include "image/sign-request.h"
#include "secureboot/authenticode.h"

#define VERSION 1

/* What the members of an item say. */
typedef struct Members {
        char *id, *kind, *path, *algorithm, *bytes, *digest, *certificate, *fingerprint;
        SignRange ranges[SIGN_RANGES_MAX];
        size_t n_ranges;
} Members;

static void members_done(Members *members) {
        free(members->id);
        free(members->kind);
        free(members->path);
        free(members->algorithm);
        free(members->bytes);
        free(members->digest);
        free(members->certificate);
        free(members->fingerprint);
}

static int read_range(JsonReader *reader, void *userdata, Reason *reason) {
        Members *members = userdata;
        SignRange range = {};
        const JsonField fields[] = {
                { "offset", .number = &range.offset },
                { "size", .number = &range.size },
        };

        if (members->n_ranges == SIGN_RANGES_MAX)
                return reason_set(reason, -EBADMSG, "An item has more than %d ranges", SIGN_RANGES_MAX);
        const int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r < 0)
                return r;
        members->ranges[members->n_ranges++] = range;
        return 0;
}

static int read_ranges(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_items(reader, read_range, userdata, reason);
}

static int find_kind(const char *word, SignKind *ret, Reason *reason) {
        for (SignKind kind = 0; kind < SIGN_KIND_MAX; kind++)
                if (text_equal(word, sign_kind_words[kind])) {
                        *ret = kind;
                        return 0;
                }
        return reason_set(reason, -EBADMSG, "There is no kind \"%s\"", word);
}

/* The bytes, and whose key signs them: all of it, or nothing where there is only a file. */
static int take_bytes(Members *members, SignItem *item, Reason *reason) {
        const bool has_any = members->algorithm || members->bytes || members->digest ||
                             members->certificate || members->fingerprint || members->n_ranges > 0;
        Sha256Digest digest, computed;
        uint8_t *bytes;
        size_t size;

        if (item->kind == SIGN_CHECKSUMS)
                return has_any ? reason_set(reason, -EBADMSG,
                                            "The item \"%s\" is a file, and has more than that", item->id)
                               : 0;
        if (!members->algorithm || !members->bytes || !members->digest || !members->certificate ||
            !members->fingerprint || members->n_ranges == 0)
                return reason_set(reason, -EBADMSG, "Members of the item \"%s\" are missing", item->id);
        if (!text_equal(members->algorithm, "sha256"))
                return reason_set(reason, -EBADMSG, "The item \"%s\" is not to be signed with SHA-256",
                                  item->id);
        int r = base64_decode(members->bytes, &bytes, &size);
        if (r == -EBADMSG)
                return reason_set(reason, r, "The bytes of the item \"%s\" are not base64", item->id);
        if (r < 0)
                return r;
        item->bytes = (Der){ .bytes = bytes, .size = size, .capacity = size };
        r = sha256(bytes, size, &computed);
        if (r < 0)
                return r;
        if (size == 0 || sha256_parse(members->digest, &digest) < 0 ||
            memcmp(&digest, &computed, sizeof(digest)) != 0)
                return reason_set(reason, -EBADMSG, "The digest of the item \"%s\" is not that of its bytes",
                                  item->id);
        if (sha256_parse(members->fingerprint, &item->fingerprint) < 0)
                return reason_set(reason, -EBADMSG, "The item \"%s\" names no certificate", item->id);
        item->certificate = TAKE_PTR(members->certificate);
        text_tame(item->certificate);
        return 0;
}

static int take_item(Members *members, SignRequest *request, Reason *reason) {
        SignItem *item;
        SignKind kind = SIGN_KIND_MAX;

        if (!sign_id_is_valid(members->id))
                return reason_set(reason, -EBADMSG, "\"%s\" can be no ID", members->id);
        if (sign_request_find(request, members->id))
                return reason_set(reason, -EBADMSG, "There are two items \"%s\"", members->id);
        int r = find_kind(members->kind, &kind, reason);
        if (r >= 0)
                r = sign_request_add(request, kind, members->path, &item);
        if (r == -E2BIG)
                return reason_set(reason, -EBADMSG, "There are more than %d items", SIGN_ITEMS_MAX);
        if (r < 0)
                return r;
        free(item->id);
        item->id = TAKE_PTR(members->id);
        text_tame(item->path);
        memcpy(item->ranges, members->ranges, sizeof(item->ranges));
        item->n_ranges = members->n_ranges;
        return take_bytes(members, item, reason);
}

static int read_item(JsonReader *reader, void *userdata, Reason *reason) {
        _cleanup_(members_done) Members members = {};
        const JsonField fields[] = {
                { "id", .text = &members.id },
                { "kind", .text = &members.kind },
                { "path", .text = &members.path },
                { "digest_algorithm", .text = &members.algorithm, .optional = true },
                { "bytes", .text = &members.bytes, .optional = true },
                { "digest", .text = &members.digest, .optional = true },
                { "certificate", .text = &members.certificate, .optional = true },
                { "certificate_sha256", .text = &members.fingerprint, .optional = true },
                { "ranges", .read = read_ranges, .userdata = &members },
        };

        const int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        return r < 0 ? r : take_item(&members, userdata, reason);
}

static int read_items(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_items(reader, read_item, userdata, reason);
}

static int check_range(const SignRequest *request, const SignItem *item, size_t index, Reason *reason) {
        const SignRange *range = &item->ranges[index];

        if (range->size == 0 || range->size > request->size || range->offset > request->size - range->size)
                return reason_set(reason, -EBADMSG, "A range of the item \"%s\" is outside of the image",
                                  item->id);
        for (const SignItem *other = request->items; other <= item; other++)
                for (size_t i = 0; i < (other == item ? index : other->n_ranges); i++)
                        if (other->ranges[i].offset < range->offset + range->size &&
                            range->offset < other->ranges[i].offset + other->ranges[i].size)
                                return reason_set(reason, -EBADMSG,
                                                  "Ranges of the items \"%s\" and \"%s\" overlap", other->id,
                                                  item->id);
        return 0;
}

static int check_ranges(const SignRequest *request, Reason *reason) {
        int r = 0;

        for (size_t i = 0; i < request->n_items; i++)
                for (size_t k = 0; k < request->items[i].n_ranges && r >= 0; k++)
                        r = check_range(request, &request->items[i], k, reason);
        return r;
}

static int read_request(JsonReader *reader, SignRequest *request, Reason *reason) {
        _cleanup_(freep) char *digest = NULL;
        uint64_t version, time = UINT64_MAX;
        const JsonField fields[] = {
                { "sign_request_version", .number = &version },
                { "image", .text = &request->image },
                { "size", .number = &request->size },
                { "sha256", .text = &digest },
                { "time", .number = &time, .optional = true },
                { "items", .read = read_items, .userdata = request },
        };

        int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r >= 0)
                r = json_read_end(reader);
        if (r < 0)
                return r == -EBADMSG ? reason_set(reason, r, "There is no JSON of a sign request") : r;
        if (version != VERSION)
                return reason_set(reason, -EBADMSG,
                                  "This is a request of version %llu, and %d is what is known",
                                  (unsigned long long)version, VERSION);
        if (sha256_parse(digest, &request->digest) < 0)
                return reason_set(reason, -EBADMSG, "The member \"sha256\" is no digest");
        if (request->size > INT64_MAX || (time != UINT64_MAX && time > INT64_MAX))
                return reason_set(reason, -EBADMSG, "Size or time are too large");
        request->time = time == UINT64_MAX ? AUTHENTICODE_NO_TIME : (int64_t)time;
        text_tame(request->image);
        return check_ranges(request, reason);
}

int sign_request_parse(const char *text, size_t size, SignRequest *ret, unsigned *ret_line, Reason *reason) {
        JsonReader reader = { .position = text, .end = text + size };
        _cleanup_(sign_request_done) SignRequest request = {};

        assert(text && ret && ret_line);

        const int r = read_request(&reader, &request, reason);
        *ret_line = json_reader_line(&reader, text);
        if (r < 0)
                return r;
        *ret = request;
        request = (SignRequest){};
        return 0;
}
