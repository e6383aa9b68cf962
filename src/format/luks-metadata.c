/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "base/base64.h"
#include "base/json-reader.h"
#include "base/parse.h"
#include "base/text.h"
#include "format/luks-metadata.h"

#define ALGORITHM_LENGTH_MAX 64

/* Every thread of Argon2 wants so many blocks of 1 KiB (RFC 9106, 3.1). */
#define LANE_BLOCKS_MIN 8
#define LANES_MAX       UINT64_C(0xffffff)

void luks_metadata_done(LuksMetadata *metadata) {
        for (size_t i = 0; i < LUKS_OBJECTS_MAX; i++) {
                free(metadata->slots[i].derivation.type);
                free(metadata->segments[i].encryption);
        }
        *metadata = (LuksMetadata){};
}

/* "string-uint64" (chapter 3): what JSON's numbers would not hold. */
static int read_long(JsonReader *reader, void *userdata, Reason *reason) {
        _cleanup_(freep) char *text = NULL;

        const int r = json_read_text(reader, &text);
        if (r < 0)
                return r;
        return parse_uint64(text, userdata) < 0 ? -EBADMSG : 0;
}

/* The size of a segment, which may be that of what it lies on. */
static int read_segment_size(JsonReader *reader, void *userdata, Reason *reason) {
        _cleanup_(freep) char *text = NULL;
        uint64_t *size = userdata;

        const int r = json_read_text(reader, &text);
        if (r < 0)
                return r;
        if (text_equal(text, "dynamic")) {
                *size = 0;
                return 0;
        }
        return parse_uint64(text, size) < 0 || *size == 0 ? -EBADMSG : 0;
}

/* Salts and digests, which nobody needs here but must be some. */
static int read_bytes(JsonReader *reader, void *userdata, Reason *reason) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(freep) uint8_t *bytes = NULL;
        size_t size;

        int r = json_read_text(reader, &text);
        if (r >= 0)
                r = base64_decode(text, &bytes, &size);
        if (r < 0)
                return r == -EFBIG ? -EBADMSG : r;
        return size == 0 ? -EBADMSG : 0;
}

/* The name of a cipher or hash; into a text, or nowhere. */
static int read_algorithm(JsonReader *reader, void *userdata, Reason *reason) {
        static const char allowed[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:(),.+";
        _cleanup_(freep) char *text = NULL;
        char **to = userdata;

        const int r = json_read_text(reader, &text);
        if (r < 0)
                return r;
        if (text[0] == '\0' || strlen(text) > ALGORITHM_LENGTH_MAX || text[strspn(text, allowed)] != '\0')
                return -EBADMSG;
        if (to)
                *to = TAKE_PTR(text);
        return 0;
}

/* "0" to "31", written in one way. */
static int parse_object_number(const char *text, unsigned *ret) {
        uint64_t number;

        if (parse_uint64(text, &number) < 0 || number >= LUKS_OBJECTS_MAX ||
            (text[0] == '0' && text[1] != '\0'))
                return -EBADMSG;
        *ret = (unsigned)number;
        return 0;
}

static int read_reference(JsonReader *reader, void *userdata, Reason *reason) {
        _cleanup_(freep) char *text = NULL;
        uint32_t *mask = userdata;
        unsigned number;

        int r = json_read_text(reader, &text);
        if (r >= 0)
                r = parse_object_number(text, &number);
        if (r < 0)
                return r;
        if (*mask & UINT32_C(1) << number)
                return -EBADMSG;
        *mask |= UINT32_C(1) << number;
        return 0;
}

/* An array of numbers of objects, as a mask. */
static int read_references(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_items(reader, read_reference, userdata, reason);
}

/* A new object of the kind, which has its bit in the mask then. */
static int begin_object(const char *kind, const char *name, uint32_t *mask, unsigned *ret, Reason *reason) {
        if (parse_object_number(name, ret) < 0)
                return reason_set(reason, -EBADMSG, "A %s has the name \"%s\", which is no number of one",
                                  kind, name);
        if (*mask & UINT32_C(1) << *ret)
                return reason_set(reason, -EBADMSG, "There are two of the %s %s", kind, name);
        *mask |= UINT32_C(1) << *ret;
        return 0;
}

static int unknown_type(Reason *reason, const char *what, const char *type) {
        return reason_set(reason, -EBADMSG, "The type \"%s\" of %s is not known", type, what);
}

/* Members of both kinds of derivation; what the kind does not have is refused if it is missing, and passed over if it
 * is there. */
typedef struct Derivation {
        uint64_t time, memory, cpus, iterations;
        char *hash;
} Derivation;

static void derivation_done(Derivation *derivation) {
        free(derivation->hash);
}

static int take_derivation(LuksDerivation *to, const Derivation *read, Reason *reason) {
        if (text_equal(to->type, "pbkdf2")) {
                if (!read->hash || read->iterations == 0)
                        return reason_set(reason, -EBADMSG,
                                          "The key derivation pbkdf2 has no hash or iterations");
                to->iterations = read->iterations;
                return 0;
        }
        if (!text_equal(to->type, "argon2id") && !text_equal(to->type, "argon2i"))
                return unknown_type(reason, "a key derivation", to->type);
        if (read->time == 0 || read->cpus == 0 || read->cpus > LANES_MAX ||
            read->memory < LANE_BLOCKS_MIN * read->cpus || read->memory > UINT32_MAX)
                return reason_set(reason, -EBADMSG,
                                  "The key derivation %s has times, memory or threads that are impossible",
                                  to->type);
        to->iterations = read->time;
        to->memory_size = read->memory * KIB;
        to->n_lanes = read->cpus;
        return 0;
}

static int read_derivation(JsonReader *reader, void *userdata, Reason *reason) {
        LuksDerivation *derivation = userdata;
        _cleanup_(derivation_done) Derivation read = {};
        const JsonField fields[] = {
                { "type", .text = &derivation->type },
                { "salt", .read = read_bytes },
                { "time", .number = &read.time, .optional = true },
                { "memory", .number = &read.memory, .optional = true },
                { "cpus", .number = &read.cpus, .optional = true },
                { "hash", .read = read_algorithm, .userdata = &read.hash, .optional = true },
                { "iterations", .number = &read.iterations, .optional = true },
        };

        const int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        return r < 0 ? r : take_derivation(derivation, &read, reason);
}

/* Anti-forensic: split so that a key is gone with any part of it (3.2.4). */
static int read_stripes(JsonReader *reader, void *userdata, Reason *reason) {
        _cleanup_(freep) char *type = NULL;
        LuksSlot *slot = userdata;
        const JsonField fields[] = {
                { "type", .text = &type },
                { "stripes", .number = &slot->n_stripes },
                { "hash", .read = read_algorithm },
        };

        const int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r < 0)
                return r;
        return text_equal(type, "luks1") ? 0 : unknown_type(reason, "an anti-forensic split", type);
}

static int read_area(JsonReader *reader, void *userdata, Reason *reason) {
        _cleanup_(freep) char *type = NULL;
        LuksSlot *slot = userdata;
        uint64_t key_size = 0;
        const JsonField fields[] = {
                { "type", .text = &type },
                { "offset", .read = read_long, .userdata = &slot->offset },
                { "size", .read = read_long, .userdata = &slot->size },
                { "encryption", .read = read_algorithm },
                { "key_size", .number = &key_size },
        };

        const int r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r < 0)
                return r;
        if (!text_equal(type, "raw"))
                return unknown_type(reason, "an area", type);
        return key_size > 0 ? 0 : reason_set(reason, -EBADMSG, "An area is encrypted with a key of no bytes");
}

static int read_slot(JsonReader *reader, const char *name, void *userdata, Reason *reason) {
        LuksMetadata *metadata = userdata;
        _cleanup_(freep) char *type = NULL;
        unsigned number;

        int r = begin_object("key slot", name, &metadata->has_slots, &number, reason);
        if (r < 0)
                return r;

        LuksSlot *slot = &metadata->slots[number];
        const JsonField fields[] = {
                { "type", .text = &type },
                { "key_size", .number = &slot->key_size },
                { "area", .read = read_area, .userdata = slot },
                { "af", .read = read_stripes, .userdata = slot },
                { "kdf", .read = read_derivation, .userdata = &slot->derivation },
        };

        r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r < 0)
                return r;
        return text_equal(type, "luks2") ? 0 : unknown_type(reason, "a key slot", type);
}

static int read_segment(JsonReader *reader, const char *name, void *userdata, Reason *reason) {
        LuksMetadata *metadata = userdata;
        _cleanup_(freep) char *type = NULL;
        uint64_t tweak;
        unsigned number;

        int r = begin_object("segment", name, &metadata->has_segments, &number, reason);
        if (r < 0)
                return r;

        LuksSegment *segment = &metadata->segments[number];
        const JsonField fields[] = {
                { "type", .text = &type },
                { "offset", .read = read_long, .userdata = &segment->offset },
                { "size", .read = read_segment_size, .userdata = &segment->size },
                { "iv_tweak", .read = read_long, .userdata = &tweak },
                { "encryption", .read = read_algorithm, .userdata = &segment->encryption },
                { "sector_size", .number = &segment->sector_size },
        };

        r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r < 0)
                return r;
        return text_equal(type, "crypt") ? 0 : unknown_type(reason, "a segment", type);
}

static int read_digest(JsonReader *reader, const char *name, void *userdata, Reason *reason) {
        LuksMetadata *metadata = userdata;
        _cleanup_(freep) char *type = NULL;
        uint64_t iterations = 0;
        unsigned number;

        int r = begin_object("digest", name, &metadata->has_digests, &number, reason);
        if (r < 0)
                return r;

        LuksDigest *digest = &metadata->digests[number];
        const JsonField fields[] = {
                { "type", .text = &type },
                { "keyslots", .read = read_references, .userdata = &digest->slots },
                { "segments", .read = read_references, .userdata = &digest->segments },
                { "hash", .read = read_algorithm },
                { "iterations", .number = &iterations },
                { "salt", .read = read_bytes },
                { "digest", .read = read_bytes },
        };

        r = json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
        if (r < 0)
                return r;
        if (!text_equal(type, "pbkdf2"))
                return unknown_type(reason, "a digest", type);
        return iterations > 0 ? 0 : reason_set(reason, -EBADMSG, "A digest has no iterations");
}

static int read_token(JsonReader *reader, const char *name, void *userdata, Reason *reason) {
        LuksMetadata *metadata = userdata;
        _cleanup_(freep) char *type = NULL;
        unsigned number;

        const int r = begin_object("token", name, &metadata->has_tokens, &number, reason);
        if (r < 0)
                return r;

        const JsonField fields[] = {
                { "type", .text = &type },
                { "keyslots", .read = read_references, .userdata = &metadata->tokens[number] },
        };

        return json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
}

/* Who does not know a requirement must not use the volume (3.5); all that there are speak of a state that no finished image
 * is in, or of hardware. */
static int read_requirement(JsonReader *reader, void *userdata, Reason *reason) {
        _cleanup_(freep) char *text = NULL;

        const int r = json_read_text(reader, &text);
        return r < 0 ? r
                     : reason_set(
                               reason, -EBADMSG,
                               "It requires \"%s\" of who reads it: data is being encrypted anew, or by hardware",
                               text);
}

static int read_mandatory(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_items(reader, read_requirement, userdata, reason);
}

static int read_requirements(JsonReader *reader, void *userdata, Reason *reason) {
        const JsonField fields[] = { { "mandatory", .read = read_mandatory, .optional = true } };

        return json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
}

static int read_config(JsonReader *reader, void *userdata, Reason *reason) {
        LuksMetadata *metadata = userdata;
        const JsonField fields[] = {
                { "json_size", .read = read_long, .userdata = &metadata->json_size },
                { "keyslots_size", .read = read_long, .userdata = &metadata->slots_size },
                { "requirements", .read = read_requirements, .optional = true },
        };

        return json_read_fields(reader, fields, ELEMENTSOF(fields), reason);
}

static int read_slots(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_entries(reader, read_slot, userdata, reason);
}

static int read_segments(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_entries(reader, read_segment, userdata, reason);
}

static int read_digests(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_entries(reader, read_digest, userdata, reason);
}

static int read_tokens(JsonReader *reader, void *userdata, Reason *reason) {
        return json_read_entries(reader, read_token, userdata, reason);
}

int luks_metadata_read(const char *text, size_t size, LuksMetadata *ret, Reason *reason) {
        const JsonReader begin = { .position = text, .end = text + size };
        const JsonField config[] = { { "config", .read = read_config, .userdata = ret } };
        const JsonField objects[] = {
                { "keyslots", .read = read_slots, .userdata = ret },
                { "segments", .read = read_segments, .userdata = ret },
                { "digests", .read = read_digests, .userdata = ret },
                { "tokens", .read = read_tokens, .userdata = ret },
        };
        JsonReader reader = begin;

        assert(text && ret);

        /* Where something is required of readers, objects may be of other types than are known. */
        int r = json_read_fields(&reader, config, ELEMENTSOF(config), reason);
        if (r >= 0)
                r = json_read_end(&reader);
        if (r >= 0) {
                reader = begin;
                r = json_read_fields(&reader, objects, ELEMENTSOF(objects), reason);
        }
        return r == -EBADMSG ? reason_set(reason, r, "The JSON area holds no JSON object") : r;
}
